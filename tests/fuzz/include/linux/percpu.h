/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one CPU. */
#ifndef FUZZ_LINUX_PERCPU_H
#define FUZZ_LINUX_PERCPU_H

#define this_cpu_add(counter, n)	((counter) += (n))
#define this_cpu_inc(counter)		this_cpu_add(counter, 1)

#endif
