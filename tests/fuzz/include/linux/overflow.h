/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_LINUX_OVERFLOW_H
#define FUZZ_LINUX_OVERFLOW_H

/* Of @p only the type counts, and of the member the only one it is used for. */
#define struct_size(p, member, n)	\
	(sizeof(*(p)) + (n) * sizeof(struct udptrack_dns_slot))

#endif
