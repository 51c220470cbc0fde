// SPDX-License-Identifier: GPL-2.0-only
/*
 * skb_kunit - the shapes in which a packet comes: headers in page fragments and
 * frag_lists, and one skb that stands for many datagrams.
 */
#include <net/ipv6.h>

#include "packet.h"

#define PAYLOAD	12

/* The packets that are put into each shape. */
static struct packet *ipv4_plain(struct kunit *test)
{
	return packet_udp4(test, 5, PAYLOAD);
}

static struct packet *ipv4_options(struct kunit *test)
{
	return packet_udp4(test, 9, PAYLOAD);
}

static struct packet *ipv6_plain(struct kunit *test)
{
	return packet_udp6(test, PAYLOAD);
}

static struct packet *ipv6_hop_by_hop(struct kunit *test)
{
	struct packet *p = packet_new(test);
	u8 *hop;

	packet_put_ipv6(p, NEXTHDR_HOP, 8 + 8 + PAYLOAD);
	hop = packet_put(p, 8);
	hop[0] = NEXTHDR_UDP;
	packet_put_udp(p, PAYLOAD);
	return p;
}

static const struct shape {
	const char *desc;
	u8 family;
	struct packet *(*packet)(struct kunit *test);
	struct sk_buff *(*skb)(struct kunit *test, const struct packet *p,
			       unsigned int split);
} shapes[] = {
	{ "IPv4, paged", NFPROTO_IPV4, ipv4_plain, packet_skb_paged },
	{ "IPv4, frag_list", NFPROTO_IPV4, ipv4_plain, packet_skb_frag_list },
	{ "IPv4 with options, paged", NFPROTO_IPV4, ipv4_options,
	  packet_skb_paged },
	{ "IPv4 with options, frag_list", NFPROTO_IPV4, ipv4_options,
	  packet_skb_frag_list },
	{ "IPv6, paged", NFPROTO_IPV6, ipv6_plain, packet_skb_paged },
	{ "IPv6, frag_list", NFPROTO_IPV6, ipv6_plain, packet_skb_frag_list },
	{ "IPv6 with hop-by-hop, paged", NFPROTO_IPV6, ipv6_hop_by_hop,
	  packet_skb_paged },
	{ "IPv6 with hop-by-hop, frag_list", NFPROTO_IPV6, ipv6_hop_by_hop,
	  packet_skb_frag_list },
};

KUNIT_ARRAY_PARAM_DESC(shape, shapes, desc);

static void expect_same(struct kunit *test, const struct udptrack_packet *want,
			const struct udptrack_packet *got, unsigned int split)
{
	KUNIT_EXPECT_MEMEQ_MSG(test, &got->tuple, &want->tuple,
			       sizeof(want->tuple), "split at %u", split);
	KUNIT_EXPECT_EQ_MSG(test, got->thoff, want->thoff, "split at %u",
			    split);
	KUNIT_EXPECT_EQ_MSG(test, got->packets, want->packets, "split at %u",
			    split);
	KUNIT_EXPECT_EQ_MSG(test, got->bytes, want->bytes, "split at %u",
			    split);
	KUNIT_EXPECT_EQ_MSG(test, got->has_checksum, want->has_checksum,
			    "split at %u", split);
}

/* Wherever the linear part ends, the packet is the same. */
static void skb_shape(struct kunit *test)
{
	const struct shape *c = test->param_value;
	struct packet *p = c->packet(test);
	struct udptrack_packet want, got;
	unsigned int split;

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 0, c->family,
				     &want));
	for (split = 0; split <= p->len; split++) {
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK,
				    packet_parse(c->skb(test, p, split), 0,
						 c->family, &got),
				    "split at %u", split);
		expect_same(test, &want, &got, split);
	}
}

/* A split packet that ends early is cut, whatever memory follows its end. */
static void skb_shape_cut(struct kunit *test)
{
	const struct shape *c = test->param_value;
	struct packet *p = c->packet(test);
	unsigned int len, full = p->len;
	enum udptrack_verdict ret;
	struct udptrack_packet pkt;

	for (len = 21; len < full; len++) {
		p->len = len;
		ret = packet_parse(c->skb(test, p, 20), 0, c->family, &pkt);
		KUNIT_EXPECT_NE_MSG(test, UDPTRACK_PACKET_OK, ret,
				    "%u of %u bytes", len, full);
	}
}

/*
 * The parser has a short way for the common packet, which is linear, and a long
 * one: whichever bit of the headers is flipped, both are to say the same.
 */
static void skb_either_way(struct kunit *test)
{
	const struct shape *c = test->param_value;
	struct packet *p = c->packet(test);
	struct udptrack_packet near, far;
	enum udptrack_verdict verdict;
	unsigned int bit, good = 0;

	for (bit = 0; bit < (p->len - PAYLOAD) * 8; bit++) {
		p->bytes[bit / 8] ^= BIT(bit % 8);
		verdict = packet_parse(packet_skb(test, p), 0, c->family,
				       &near);
		KUNIT_EXPECT_EQ_MSG(test, verdict,
				    packet_parse(c->skb(test, p, 0), 0,
						 c->family, &far),
				    "bit %u of byte %u", bit % 8, bit / 8);
		if (verdict == UDPTRACK_PACKET_OK) {
			expect_same(test, &near, &far, 0);
			good++;
		}
		p->bytes[bit / 8] ^= BIT(bit % 8);
	}
	/* Some bits matter and some do not. */
	KUNIT_EXPECT_GT(test, good, 0);
	KUNIT_EXPECT_LT(test, good, bit);
}

/* Reading is all that the parser does. */
static void skb_untouched(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 9, PAYLOAD);
	struct sk_buff *skb = packet_skb_paged(test, p, 24);
	struct udptrack_packet pkt;

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(skb, 0, NFPROTO_IPV4, &pkt));
	KUNIT_EXPECT_EQ(test, skb_headlen(skb), 24);
	KUNIT_EXPECT_EQ(test, skb->len, p->len);
	KUNIT_EXPECT_MEMEQ(test, skb->data, p->bytes, 24);
	KUNIT_EXPECT_MEMEQ(test, skb_frag_address(&skb_shinfo(skb)->frags[0]),
			   p->bytes + 24, p->len - 24);
}

/*
 * Datagrams and bytes as the wire would see them. @payload is the skb's data
 * behind the UDP header, split or to be split into pieces of @size.
 */
static const struct segments {
	const char *desc;
	u8 family;
	unsigned int payload;
	unsigned int size;
	unsigned int segs;
	unsigned int type;
	unsigned int packets;
	unsigned int bytes;
} segment_cases[] = {
	{ "no GSO", NFPROTO_IPV4, 1000, 0, 0, 0, 1, 1028 },
	/* Each segment brings headers of its own. */
	{ "IPv4, even", NFPROTO_IPV4, 1000, 100, 10, SKB_GSO_UDP_L4,
	  10, 1000 + 10 * 28 },
	{ "IPv4, short last one", NFPROTO_IPV4, 1001, 100, 11, SKB_GSO_UDP_L4,
	  11, 1001 + 11 * 28 },
	{ "IPv6", NFPROTO_IPV6, 1001, 100, 11, SKB_GSO_UDP_L4,
	  11, 1001 + 11 * 48 },
	{ "one segment", NFPROTO_IPV4, 100, 100, 1, SKB_GSO_UDP_L4, 1, 128 },
	/* The number of segments is not always filled in. */
	{ "uncounted, even", NFPROTO_IPV4, 1000, 100, 0, SKB_GSO_UDP_L4,
	  10, 1000 + 10 * 28 },
	{ "uncounted, short last one", NFPROTO_IPV4, 1001, 100, 0,
	  SKB_GSO_UDP_L4, 11, 1001 + 11 * 28 },
	{ "uncounted, IPv6", NFPROTO_IPV6, 999, 100, 0, SKB_GSO_UDP_L4,
	  10, 999 + 10 * 48 },
	{ "uncounted, less than one", NFPROTO_IPV4, 50, 100, 0,
	  SKB_GSO_UDP_L4, 1, 78 },
	{ "more bits", NFPROTO_IPV4, 1000, 100, 10,
	  SKB_GSO_UDP_L4 | SKB_GSO_DODGY | SKB_GSO_PARTIAL, 10,
	  1000 + 10 * 28 },
	/* One datagram, to be cut into IP fragments. */
	{ "fragmentation offload", NFPROTO_IPV4, 3000, 1480, 0, SKB_GSO_UDP,
	  1, 3028 },
	{ "fragmentation offload, counted", NFPROTO_IPV4, 3000, 1480, 3,
	  SKB_GSO_UDP, 1, 3028 },
	/* Not even an odd skb may count for none. */
	{ "uncounted, no data", NFPROTO_IPV4, 0, 100, 0, SKB_GSO_UDP_L4,
	  1, 28 },
};

KUNIT_ARRAY_PARAM_DESC(segments, segment_cases, desc);

static void skb_segments(struct kunit *test)
{
	const struct segments *c = test->param_value;
	struct packet *p = c->family == NFPROTO_IPV4 ?
			   packet_udp4(test, 5, c->payload) :
			   packet_udp6(test, c->payload);
	struct sk_buff *skb = packet_skb(test, p);
	struct udptrack_packet pkt;

	skb_shinfo(skb)->gso_size = c->size;
	skb_shinfo(skb)->gso_segs = c->segs;
	skb_shinfo(skb)->gso_type = c->type;
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(skb, 0, c->family, &pkt));
	KUNIT_EXPECT_EQ(test, pkt.packets, c->packets);
	KUNIT_EXPECT_EQ(test, pkt.bytes, c->bytes);
}

/* IP options are repeated with every segment; what is before IP is not. */
static void skb_segments_options(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_packet pkt;
	struct sk_buff *skb;

	packet_put(p, 14);
	packet_put_ipv4(p, IPPROTO_UDP, 10, 8 + 500);
	packet_put_udp(p, 500);
	skb = packet_skb(test, p);
	skb_shinfo(skb)->gso_size = 200;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(skb, 14, NFPROTO_IPV4, &pkt));
	KUNIT_EXPECT_EQ(test, pkt.packets, 3);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 500 + 3 * 48);
}

/* Datagrams merged by GRO into a list: the first has headers, the rest none. */
static void skb_segments_frag_list(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 5, 300);
	struct sk_buff *skb = packet_skb_frag_list(test, p, 128);
	struct udptrack_packet pkt;

	skb_shinfo(skb)->gso_size = 100;
	skb_shinfo(skb)->gso_segs = 3;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST;
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(skb, 0, NFPROTO_IPV4, &pkt));
	KUNIT_EXPECT_EQ(test, pkt.packets, 3);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 300 + 3 * 28);
}

static struct kunit_case skb_cases[] = {
	KUNIT_CASE_PARAM(skb_shape, shape_gen_params),
	KUNIT_CASE_PARAM(skb_shape_cut, shape_gen_params),
	KUNIT_CASE_PARAM(skb_either_way, shape_gen_params),
	KUNIT_CASE(skb_untouched),
	KUNIT_CASE_PARAM(skb_segments, segments_gen_params),
	KUNIT_CASE(skb_segments_options),
	KUNIT_CASE(skb_segments_frag_list),
	{}
};

static struct kunit_suite skb_suite = {
	.name = "udptrack_skb",
	.test_cases = skb_cases,
};

kunit_test_suite(skb_suite);
