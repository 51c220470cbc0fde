/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet at our hooks is: see packet.c. */
#ifndef UDPTRACK_PACKET_H
#define UDPTRACK_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "dns.h"
#include "state.h"
#include "tuple.h"

struct udptrack_net;

enum udptrack_verdict udptrack_packet_inspect(struct udptrack_net *un,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      struct udptrack_packet *pkt);
enum udptrack_class udptrack_packet_classify(struct sk_buff *skb,
					     const struct nf_hook_state *state);
bool udptrack_packet_dns(struct udptrack_net *un, const struct sk_buff *skb,
			 const struct nf_hook_state *state,
			 const struct udptrack_packet *pkt,
			 struct udptrack_dns_visit *dns);

/**
 * udptrack_packet_device - the interface a packet came from or leaves by
 * @state: the hook it is at
 *
 * Context: any.
 * Return: never NULL at our hooks.
 */
static inline const struct net_device *
udptrack_packet_device(const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_OUT ? state->out : state->in;
}

/**
 * udptrack_packet_is_other - is it plainly another protocol?
 * @skb:   the packet; at our hooks, the stack has made sure of its IP header
 * @state: the hook it is at
 *
 * A first look, so that TCP is not kept.
 *
 * Context: any.
 * Return: true only for what udptrack_packet_inspect() would say that it is
 * UDPTRACK_PACKET_NOT_UDP, and for nearly all of that.
 */
static inline bool udptrack_packet_is_other(const struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	/* Version 4 and five words. */
	if (state->pf == NFPROTO_IPV4)
		return iph->protocol != IPPROTO_UDP && *(const u8 *)iph == 0x45;
	return (ip6h->nexthdr == NEXTHDR_TCP || ip6h->nexthdr == NEXTHDR_ICMP) &&
	       ip6h->version == 6;
}

/**
 * udptrack_packet_is_looped - is this our own packet coming back?
 * @skb:   the packet
 * @state: the hook it is at
 *
 * Over a loopback interface, or as the copy of a multicast or broadcast for
 * local listeners. It was seen on its way out.
 *
 * Context: any.
 * Return: true when it is.
 */
static inline bool udptrack_packet_is_looped(const struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_IN &&
	       ((state->in->flags & IFF_LOOPBACK) ||
		skb->pkt_type == PACKET_LOOPBACK);
}

/**
 * udptrack_packet_is_unverified - does nobody know of its checksum yet?
 * @skb:   the packet
 * @state: the hook it is at
 *
 * What we send ourselves may not have one yet; nor has, where it loops, what
 * was sent so. Of all that nf_checksum() says that it is good, too.
 *
 * Context: any.
 * Return: true when it is to be verified.
 */
static inline bool
udptrack_packet_is_unverified(const struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_IN &&
	       skb->ip_summed != CHECKSUM_UNNECESSARY &&
	       skb->ip_summed != CHECKSUM_PARTIAL;
}

/**
 * udptrack_packet_is_unicast - is it for a single host?
 * @skb:    the packet, routed
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @dst:    its destination
 *
 * Context: any.
 * Return: false for multicast and broadcast.
 */
static inline bool
udptrack_packet_is_unicast(const struct sk_buff *skb, u8 family,
			   const union nf_inet_addr *dst)
{
	if (family == NFPROTO_IPV6)
		return !ipv6_addr_is_multicast(&dst->in6);
	return !skb_rtable(skb) || !(skb_rtable(skb)->rt_flags &
				     (RTCF_BROADCAST | RTCF_MULTICAST));
}

#endif
