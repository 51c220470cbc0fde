// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet - makes the one packet that is aimed at flow after flow.
 *
 * One, and not one a flow, so that its own cache lines are always near, as they
 * are in the stack, which has just written or read them. An order owns it.
 */
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet.h"

#define PAYLOAD	64

static void put_ip(struct sk_buff *skb, const struct bench_order *order,
		   unsigned int len)
{
	u8 protocol = order->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	skb_reset_network_header(skb);
	if (order->family == 4) {
		struct iphdr *iph = skb_put_zero(skb, sizeof(*iph));

		iph->version = 4;
		iph->ihl = 5;
		iph->tot_len = htons(sizeof(*iph) + len);
		iph->ttl = 64;
		iph->protocol = protocol;
		skb->protocol = htons(ETH_P_IP);
	} else {
		struct ipv6hdr *ip6h = skb_put_zero(skb, sizeof(*ip6h));

		ip6h->version = 6;
		ip6h->payload_len = htons(len);
		ip6h->nexthdr = protocol;
		ip6h->hop_limit = 64;
		/* 2001:db8::/32 is for documentation. */
		ip6h->saddr.s6_addr32[0] = htonl(0x20010db8);
		ip6h->daddr.s6_addr32[0] = htonl(0x20010db8);
		skb->protocol = htons(ETH_P_IPV6);
	}
}

static void put_tcp(struct sk_buff *skb)
{
	struct tcphdr *th = skb_put_zero(skb, sizeof(*th));

	th->doff = sizeof(*th) / 4;
	th->ack = 1;
	th->seq = htonl(1);
	th->ack_seq = htonl(1);
	th->window = htons(8192);
}

static void put_udp(struct sk_buff *skb)
{
	struct udphdr *uh = skb_put_zero(skb, sizeof(*uh));

	uh->len = htons(sizeof(*uh) + PAYLOAD);
	uh->check = CSUM_MANGLED_0;
}

static void put_dns(void *payload)
{
	static const u8 question[] = "\7example\3com\0\0\1\0\1";
	struct bench_dns_header *dns = payload;

	dns->counts[0] = htons(1);
	memcpy(payload + sizeof(*dns), question, sizeof(question) - 1);
}

/**
 * bench_packet_new - a packet of the order's kind
 * @order: what kind
 *
 * Its checksum needs no look at the data in either direction, as with any
 * network card of today. There is one reference more than the caller's, for a
 * hook that drops it.
 *
 * Context: process; may sleep.
 * Return: the packet, or NULL.
 */
struct sk_buff *bench_packet_new(const struct bench_order *order)
{
	unsigned int head = order->tcp ? sizeof(struct tcphdr) :
					 sizeof(struct udphdr);
	struct sk_buff *skb = alloc_skb(512, GFP_KERNEL);
	void *payload;

	if (!skb)
		return NULL;
	skb_reserve(skb, 128);
	skb_reset_mac_header(skb);
	put_ip(skb, order, head + PAYLOAD);
	skb_set_transport_header(skb, skb->len);
	if (order->tcp)
		put_tcp(skb);
	else
		put_udp(skb);
	payload = skb_put_zero(skb, PAYLOAD);
	if (order->dns)
		put_dns(payload);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->pkt_type = PACKET_HOST;
	skb_get(skb);
	return skb;
}
