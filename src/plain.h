/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plain - the UDP packet that nearly all are: linear, not merged, no fragment,
 * without IP options or extension headers, and nothing wrong with it.
 *
 * Such a packet is read where it lies and its ends are sorted at once. Of others
 * this says nothing at all: tuple.c knows them all, and says alone what is wrong
 * with one. Owns nothing and only reads the skb; any context.
 */
#ifndef UDPTRACK_PLAIN_H
#define UDPTRACK_PLAIN_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "tuple.h"

/**
 * struct udptrack_plain - what there is to know of a plain packet
 * @side:  which end of its key sent it
 * @bytes: its length on the wire, IP headers included
 * @udp:   its UDP header
 */
struct udptrack_plain {
	unsigned int side;
	unsigned int bytes;
	const struct udphdr *udp;
};

/**
 * udptrack_plain_is_of_link - might the link matter for one of these addresses?
 * @src: source address
 * @dst: destination address
 *
 * Such addresses begin with fe or ff, which is seen at a glance.
 *
 * Context: any; pure.
 * Return: false only when it does not.
 */
static inline bool udptrack_plain_is_of_link(const struct in6_addr *src,
					     const struct in6_addr *dst)
{
	return src->s6_addr[0] >= 0xfe || dst->s6_addr[0] >= 0xfe;
}

/* Its UDP header, which is there. */
static __always_inline bool udptrack_plain_udp(const struct sk_buff *skb,
					       unsigned int nhoff,
					       unsigned int ip_len,
					       const struct udphdr *udp,
					       struct udptrack_plain *plain)
{
	unsigned int len = ntohs(udp->len);

	plain->udp = udp;
	plain->bytes = skb->len - nhoff;
	return len >= sizeof(*udp) && len <= plain->bytes - ip_len &&
	       !skb_is_gso(skb);
}

/* The ports of a key follow its addresses. */
static __always_inline void udptrack_plain_ports(struct udptrack_key *key,
						 const struct udptrack_plain *plain)
{
	key->port[0] = plain->side ? plain->udp->dest : plain->udp->source;
	key->port[1] = plain->side ? plain->udp->source : plain->udp->dest;
}

/* Between equal addresses the ports decide. */
static __always_inline bool udptrack_plain_is_back(const struct udphdr *udp)
{
	return ntohs(udp->source) > ntohs(udp->dest);
}

static __always_inline bool udptrack_plain_ipv4(const struct sk_buff *skb,
						unsigned int nhoff,
						struct udptrack_key *key,
						struct udptrack_plain *plain)
{
	const struct iphdr *iph = (const void *)skb->data + nhoff;
	const struct udphdr *udp = (const void *)(iph + 1);
	u32 src, dst;

	/* The first byte says version 4 and five words. */
	if (unlikely(skb_headlen(skb) < nhoff + sizeof(*iph) + sizeof(*udp) ||
		     *(const u8 *)iph != 0x45 || ip_is_fragment(iph) ||
		     iph->protocol != IPPROTO_UDP ||
		     !udptrack_plain_udp(skb, nhoff, sizeof(*iph), udp,
					 plain)))
		return false;

	src = ntohl(iph->saddr);
	dst = ntohl(iph->daddr);
	plain->side = src > dst || (src == dst && udptrack_plain_is_back(udp));
	/* As arrays, whose other elements are zero by the rules of C. */
	key->addr[0] = (union nf_inet_addr) {
		.ip6 = { plain->side ? iph->daddr : iph->saddr },
	};
	key->addr[1] = (union nf_inet_addr) {
		.ip6 = { plain->side ? iph->saddr : iph->daddr },
	};
	udptrack_plain_ports(key, plain);
	key->scope = 0;
	key->family = NFPROTO_IPV4;
	return true;
}

static __always_inline bool udptrack_plain_ipv6(const struct sk_buff *skb,
						unsigned int nhoff,
						struct udptrack_key *key,
						struct udptrack_plain *plain)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data + nhoff;
	const struct udphdr *udp = (const void *)(ip6h + 1);
	u64 src, dst;

	if (unlikely(skb_headlen(skb) < nhoff + sizeof(*ip6h) + sizeof(*udp) ||
		     ip6h->version != 6 || ip6h->nexthdr != IPPROTO_UDP ||
		     udptrack_plain_is_of_link(&ip6h->saddr, &ip6h->daddr) ||
		     !udptrack_plain_udp(skb, nhoff, sizeof(*ip6h), udp,
					 plain)))
		return false;

	src = get_unaligned_be64(&ip6h->saddr);
	dst = get_unaligned_be64(&ip6h->daddr);
	if (src == dst) {
		src = get_unaligned_be64(&ip6h->saddr.s6_addr[8]);
		dst = get_unaligned_be64(&ip6h->daddr.s6_addr[8]);
	}
	plain->side = src > dst || (src == dst && udptrack_plain_is_back(udp));
	key->addr[plain->side].in6 = ip6h->saddr;
	key->addr[!plain->side].in6 = ip6h->daddr;
	udptrack_plain_ports(key, plain);
	key->scope = 0;
	key->family = NFPROTO_IPV6;
	return true;
}

/**
 * udptrack_plain_read - read a packet if it is plain
 * @skb:    the packet
 * @nhoff:  offset of its IP header, in bytes
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @key:    its ends in order, as udptrack_key_from_tuple() sorts them; filled
 *          in when true is returned, else perhaps
 * @plain:  likewise
 *
 * Context: any.
 * Return: true for a plain packet; what is link-local is none.
 */
static __always_inline bool udptrack_plain_read(const struct sk_buff *skb,
						unsigned int nhoff, u8 family,
						struct udptrack_key *key,
						struct udptrack_plain *plain)
{
	return family == NFPROTO_IPV4 ?
	       udptrack_plain_ipv4(skb, nhoff, key, plain) :
	       udptrack_plain_ipv6(skb, nhoff, key, plain);
}

#endif
