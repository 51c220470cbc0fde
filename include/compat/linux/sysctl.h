/* SPDX-License-Identifier: GPL-2.0-only */
/* proc handlers take a const table since 6.11; const_ctl_table fits both. */
#ifndef UDPTRACK_COMPAT_LINUX_SYSCTL_H
#define UDPTRACK_COMPAT_LINUX_SYSCTL_H

#include <linux/version.h>
#include_next <linux/sysctl.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
typedef struct ctl_table const_ctl_table;
#else
typedef const struct ctl_table const_ctl_table;
#endif

#endif
