/* SPDX-License-Identifier: GPL-2.0-only */
/* The header has that name since 6.12. */
#ifndef UDPTRACK_COMPAT_LINUX_UNALIGNED_H
#define UDPTRACK_COMPAT_LINUX_UNALIGNED_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include_next <linux/unaligned.h>
#endif

#endif
