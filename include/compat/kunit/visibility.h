/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exporting for unit tests is there since 6.2; before, there is nothing to do,
 * nor where the modules are built without the tests on a kernel that has KUnit
 * (Kbuild): static functions are to be as fast as they are for users.
 */
#ifndef UDPTRACK_COMPAT_KUNIT_VISIBILITY_H
#define UDPTRACK_COMPAT_KUNIT_VISIBILITY_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) || defined(UDPTRACK_NO_KUNIT)
#define VISIBLE_IF_KUNIT static
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#else
#include <linux/export.h>
#include_next <kunit/visibility.h>
#endif

#endif
