// SPDX-License-Identifier: GPL-2.0-only
/*
 * main - what makes the suites of this directory a module.
 *
 * Each <noun>_kunit.c brings its own suites; KUnit finds and runs them when the
 * module is loaded, and writes KTAP to the kernel's log.
 */
#include <linux/module.h>

#include "../../src/version.h"

MODULE_DESCRIPTION("Unit tests of udptrack");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(UDPTRACK_VERSION);
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
