/* SPDX-License-Identifier: GPL-2.0-only */
/* Fragments: RFC 791, 3.1. */
#ifndef FUZZ_NET_IP_H
#define FUZZ_NET_IP_H

#include <linux/ip.h>
#include <linux/types.h>

#define IP_MF		0x2000
#define IP_OFFSET	0x1fff

static inline bool ip_is_fragment(const struct iphdr *iph)
{
	return iph->frag_off & htons(IP_MF | IP_OFFSET);
}

#endif
