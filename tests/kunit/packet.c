// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet - builds packets to parse, and the skbs that carry them.
 *
 * A packet is first put together as plain bytes and then wrapped into an skb:
 * linear, cut short, or with all but its first bytes in a page fragment or in
 * the frag_list. Whatever is behind the end of a wrapped piece is a trap: a cut
 * skb is followed by the bytes that were cut off, so that a parser which reads
 * on takes them for real, a split one by 0xff, and a page fragment by a KASAN
 * red zone. All memory belongs to the test.
 */
#include <kunit/resource.h>

#include "packet.h"

const struct in6_addr packet_saddr6 = { {
	{ 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } };
const struct in6_addr packet_daddr6 = { {
	{ 0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } } };

/* An empty packet. */
struct packet *packet_new(struct kunit *test)
{
	struct packet *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/* Append @len zero bytes and return where they begin. */
void *packet_put(struct packet *p, unsigned int len)
{
	void *at = p->bytes + p->len;

	if (WARN_ON(len > PACKET_MAX - p->len))
		len = PACKET_MAX - p->len;
	p->len += len;
	return at;
}

/* Append an IPv4 header of @ihl words that announces @payload bytes behind. */
struct iphdr *packet_put_ipv4(struct packet *p, u8 protocol, unsigned int ihl,
			      unsigned int payload)
{
	struct iphdr *iph = packet_put(p, ihl * 4);

	iph->version = 4;
	iph->ihl = ihl;
	iph->tot_len = htons(ihl * 4 + payload);
	iph->ttl = 64;
	iph->protocol = protocol;
	iph->saddr = htonl(PACKET_SADDR4);
	iph->daddr = htonl(PACKET_DADDR4);
	/* Options: no-operations. */
	memset(iph + 1, 1, ihl * 4 - sizeof(*iph));
	return iph;
}

/* Append an IPv6 header that announces @payload bytes behind it. */
struct ipv6hdr *packet_put_ipv6(struct packet *p, u8 nexthdr,
				unsigned int payload)
{
	struct ipv6hdr *ip6h = packet_put(p, sizeof(*ip6h));

	ip6h->version = 6;
	ip6h->payload_len = htons(payload);
	ip6h->nexthdr = nexthdr;
	ip6h->hop_limit = 64;
	ip6h->saddr = packet_saddr6;
	ip6h->daddr = packet_daddr6;
	return ip6h;
}

/* Append a UDP header and @payload bytes. */
struct udphdr *packet_put_udp(struct packet *p, unsigned int payload)
{
	struct udphdr *udp = packet_put(p, sizeof(*udp));

	udp->source = htons(PACKET_SPORT);
	udp->dest = htons(PACKET_DPORT);
	udp->len = htons(sizeof(*udp) + payload);
	udp->check = htons(0x1234);
	memset(packet_put(p, payload), 0x55, payload);
	return udp;
}

/* A whole UDP packet over IPv4. */
struct packet *packet_udp4(struct kunit *test, unsigned int ihl,
			   unsigned int payload)
{
	struct packet *p = packet_new(test);

	packet_put_ipv4(p, IPPROTO_UDP, ihl, sizeof(struct udphdr) + payload);
	packet_put_udp(p, payload);
	return p;
}

/* A whole UDP packet over IPv6, without extension headers. */
struct packet *packet_udp6(struct kunit *test, unsigned int payload)
{
	struct packet *p = packet_new(test);

	packet_put_ipv6(p, IPPROTO_UDP, sizeof(struct udphdr) + payload);
	packet_put_udp(p, payload);
	return p;
}

static void skb_free(void *skb)
{
	/* The fragments are the test's own memory, not pages to put. */
	skb_shinfo(skb)->nr_frags = 0;
	kfree_skb(skb);
}

/* An skb of the first @len bytes, which the next @behind bytes follow. */
static struct sk_buff *skb_of(struct kunit *test, const struct packet *p,
			      unsigned int len, unsigned int behind)
{
	struct sk_buff *skb = alloc_skb(PACKET_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, skb_free, skb));
	memset(skb->data, 0xff, PACKET_MAX);
	memcpy(skb->data, p->bytes, len + behind);
	skb_put(skb, len);
	skb_reset_network_header(skb);
	return skb;
}

/* The packet as one linear skb. */
struct sk_buff *packet_skb(struct kunit *test, const struct packet *p)
{
	return skb_of(test, p, p->len, 0);
}

/* The first @len bytes as a linear skb; the rest lies in wait behind it. */
struct sk_buff *packet_skb_cut(struct kunit *test, const struct packet *p,
			       unsigned int len)
{
	return skb_of(test, p, len, p->len - len);
}

/* The first @split bytes are linear, the rest is a page fragment. */
struct sk_buff *packet_skb_paged(struct kunit *test, const struct packet *p,
				 unsigned int split)
{
	struct sk_buff *skb = skb_of(test, p, split, 0);
	unsigned int rest = p->len - split;
	void *frag;

	if (!rest)
		return skb;
	frag = kunit_kmalloc(test, rest, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, frag);
	memcpy(frag, p->bytes + split, rest);
	skb_frag_fill_page_desc(&skb_shinfo(skb)->frags[0], virt_to_page(frag),
				offset_in_page(frag), rest);
	skb_shinfo(skb)->nr_frags = 1;
	skb->len += rest;
	skb->data_len += rest;
	skb->truesize += rest;
	return skb;
}

/* The first @split bytes are linear, the rest is an skb in the frag_list. */
struct sk_buff *packet_skb_frag_list(struct kunit *test,
				     const struct packet *p,
				     unsigned int split)
{
	struct sk_buff *skb = skb_of(test, p, split, 0);
	unsigned int rest = p->len - split;
	struct sk_buff *child;

	if (!rest)
		return skb;
	child = alloc_skb(rest, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, child);
	skb_put_data(child, p->bytes + split, rest);
	/* From here on the child is freed with its parent. */
	skb_shinfo(skb)->frag_list = child;
	skb->len += rest;
	skb->data_len += rest;
	skb->truesize += child->truesize;
	return skb;
}

/* Parse into memory that shows what was not filled in. */
enum udptrack_verdict packet_parse(const struct sk_buff *skb, unsigned int nhoff,
				   u8 family, struct udptrack_packet *pkt)
{
	memset(pkt, 0xa5, sizeof(*pkt));
	return udptrack_tuple_parse(skb, nhoff, family, PACKET_IFINDEX, pkt);
}

/* The tuple of a packet that nobody altered. */
void packet_expect_tuple(struct kunit *test, u8 family,
			 const struct udptrack_tuple *tuple)
{
	union nf_inet_addr src = {}, dst = {};

	if (family == NFPROTO_IPV4) {
		src.ip = htonl(PACKET_SADDR4);
		dst.ip = htonl(PACKET_DADDR4);
	} else {
		src.in6 = packet_saddr6;
		dst.in6 = packet_daddr6;
	}
	/* The whole union: what an IPv4 address leaves over must be zero. */
	KUNIT_EXPECT_MEMEQ(test, &tuple->src, &src, sizeof(src));
	KUNIT_EXPECT_MEMEQ(test, &tuple->dst, &dst, sizeof(dst));
	KUNIT_EXPECT_EQ(test, ntohs(tuple->sport), PACKET_SPORT);
	KUNIT_EXPECT_EQ(test, ntohs(tuple->dport), PACKET_DPORT);
	KUNIT_EXPECT_EQ(test, tuple->scope, 0);
	KUNIT_EXPECT_EQ(test, tuple->family, family);
}
