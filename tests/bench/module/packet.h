/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet that is sent again and again: see packet.c. */
#ifndef UDPTRACK_BENCH_PACKET_H
#define UDPTRACK_BENCH_PACKET_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>

#include "order.h"

/* Flows that differ in the other's address before this host's port changes. */
#define BENCH_REMOTES_SHIFT	23

struct bench_dns_header {
	__be16 id;
	__be16 flags;
	__be16 counts[4];
};

struct sk_buff *bench_packet_new(const struct bench_order *order);

/*
 * The other's address: spread over 2^24 of them by an odd factor, so that about
 * half are above and half below this host's own.
 */
static inline u32 bench_remote(u32 flow)
{
	return (flow * 0x9e3779b1U & (BIT(BENCH_REMOTES_SHIFT) - 1)) << 1;
}

/* This host's is in the middle, and no other's, for those are even. */
#define BENCH_LOCAL	0x800001U

/* Make @skb the packet of a flow; the ports are at the same place in TCP. */
static inline void bench_packet_aim(struct sk_buff *skb,
				    const struct bench_order *order, u32 flow,
				    bool in)
{
	__be16 lport = htons(order->lport + (flow >> BENCH_REMOTES_SHIFT));
	__be16 rport = htons(order->rport);
	__be16 *ports = (void *)skb_transport_header(skb);
	u32 remote = bench_remote(flow);

	if (order->family == 4) {
		struct iphdr *iph = ip_hdr(skb);
		__be32 l = htonl(0x0a000000 | BENCH_LOCAL);
		__be32 r = htonl(0x0a000000 | remote);

		iph->saddr = in ? r : l;
		iph->daddr = in ? l : r;
	} else {
		struct ipv6hdr *ip6h = ipv6_hdr(skb);
		__be32 l = htonl(BENCH_LOCAL);
		__be32 r = htonl(remote);

		ip6h->saddr.s6_addr32[3] = in ? r : l;
		ip6h->daddr.s6_addr32[3] = in ? l : r;
	}
	ports[0] = in ? rport : lport;
	ports[1] = in ? lport : rport;
	if (order->dns) {
		struct bench_dns_header *dns;

		dns = (void *)skb_transport_header(skb) + 8;
		dns->id = htons(flow * 40503U);
		dns->flags = htons(in ? 0x8180 : 0x0100);
	}
}

#endif
