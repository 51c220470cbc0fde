/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Without kprobes, no probe can be registered, and some machines (User-Mode
 * Linux) do not say how its handler would read and write registers either. The
 * handlers are compiled all the same, and never called.
 */
#ifndef UDPTRACK_COMPAT_LINUX_KPROBES_H
#define UDPTRACK_COMPAT_LINUX_KPROBES_H

#include_next <linux/kprobes.h>

#ifndef CONFIG_KPROBES
static inline unsigned long no_kernel_argument(struct pt_regs *regs,
					       unsigned int n)
{
	return 0;
}

static inline void no_return_value(struct pt_regs *regs, unsigned long rc)
{
}

#define regs_get_kernel_argument	no_kernel_argument
#define regs_set_return_value		no_return_value
#endif

#endif
