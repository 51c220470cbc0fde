/* SPDX-License-Identifier: GPL-2.0-only */
/* Extension headers, RFC 8200, 4, and the scopes of addresses, RFC 4291. */
#ifndef FUZZ_NET_IPV6_H
#define FUZZ_NET_IPV6_H

#include <linux/in6.h>
#include <linux/skbuff.h>

#define NEXTHDR_HOP		0
#define NEXTHDR_ROUTING		43
#define NEXTHDR_FRAGMENT	44
#define NEXTHDR_AUTH		51
#define NEXTHDR_NONE		59
#define NEXTHDR_DEST		60

#define IP6_MF			0x0001
#define IP6_OFFSET		0xfff8

struct frag_hdr {
	__u8 nexthdr;
	__u8 reserved;
	__be16 frag_off;
	__be32 identification;
};

int ipv6_skip_exthdr(const struct sk_buff *skb, int start, u8 *nexthdr,
		     __be16 *frag_off);

/* The kernel's types say more; this is all that is asked of them. */
static inline int __ipv6_addr_type(const struct in6_addr *addr)
{
	const u8 *byte = addr->s6_addr;

	if (byte[0] == 0xff)
		return (byte[1] & 0xf) == 1 || (byte[1] & 0xf) == 2;
	return byte[0] == 0xfe && (byte[1] & 0xc0) == 0x80;
}

static inline bool __ipv6_addr_needs_scope_id(int type)
{
	return type;
}

#endif
