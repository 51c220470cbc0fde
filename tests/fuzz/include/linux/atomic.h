/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one CPU. */
#ifndef FUZZ_LINUX_ATOMIC_H
#define FUZZ_LINUX_ATOMIC_H

struct atomic {
	int counter;
};

#define atomic_t	struct atomic

#define atomic_add_return(n, v)	((v)->counter += (n))
#define atomic_sub(n, v)	((v)->counter -= (n))
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, value)	((x) = (value))

#endif
