/* SPDX-License-Identifier: GPL-2.0-only */
/* Which messages are errors: RFC 1122, 3.2.2. */
#ifndef FUZZ_LINUX_ICMP_H
#define FUZZ_LINUX_ICMP_H

#include <linux/types.h>
#include_next <linux/icmp.h>

static inline bool icmp_is_err(int type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

#endif
