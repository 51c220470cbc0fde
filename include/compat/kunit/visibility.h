/* SPDX-License-Identifier: GPL-2.0-only */
/* Exporting for unit tests is there since 6.2; before, there is nothing to do. */
#ifndef UDPTRACK_COMPAT_KUNIT_VISIBILITY_H
#define UDPTRACK_COMPAT_KUNIT_VISIBILITY_H

#if __has_include_next(<kunit/visibility.h>)
#include_next <kunit/visibility.h>
#else
#define VISIBLE_IF_KUNIT static
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

#endif
