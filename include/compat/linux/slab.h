/* SPDX-License-Identifier: GPL-2.0-only */
/* SLAB_NO_MERGE is there since 6.5; before, a cache may share its pages. */
#ifndef UDPTRACK_COMPAT_LINUX_SLAB_H
#define UDPTRACK_COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>

#ifndef SLAB_NO_MERGE
#define SLAB_NO_MERGE 0
#endif

#endif
