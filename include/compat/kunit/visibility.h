/* SPDX-License-Identifier: GPL-2.0-only */
/* Exporting for unit tests is there since 6.2; before, there is nothing to do. */
#ifndef UDPTRACK_COMPAT_KUNIT_VISIBILITY_H
#define UDPTRACK_COMPAT_KUNIT_VISIBILITY_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define VISIBLE_IF_KUNIT static
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#else
#include_next <kunit/visibility.h>
#endif

#endif
