/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_LINUX_LOG2_H
#define FUZZ_LINUX_LOG2_H

#define ilog2(n)	(31 - __builtin_clz(n))

#endif
