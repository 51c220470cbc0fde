/* SPDX-License-Identifier: GPL-2.0-only */
/* The one who fuzzes says what time it is; nobody asks here. */
#ifndef FUZZ_LINUX_KTIME_H
#define FUZZ_LINUX_KTIME_H

#define NSEC_PER_USEC	1000
#define USEC_PER_MSEC	1000L
#define USEC_PER_SEC	1000000L

#define ktime_get_mono_fast_ns()	0
#define div_u64(n, d)			((n) / (d))

#endif
