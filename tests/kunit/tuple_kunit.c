// SPDX-License-Identifier: GPL-2.0-only
/*
 * tuple_kunit - what the parser makes of IPv4 headers, UDP headers and plain
 * IPv6 ones: whole, cut short, impossible, fragmented.
 *
 * IPv6 extension headers are in exthdr_kunit.c, skbs that are not linear or
 * many datagrams at once in skb_kunit.c, ICMP errors in quote_kunit.c.
 */
#include <linux/inet.h>
#include <net/ip.h>

#include "packet.h"

#define PAYLOAD	12

static void tuple_ipv4(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct udptrack_packet pkt;

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4,
				     &pkt));
	packet_expect_tuple(test, NFPROTO_IPV4, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 20);
	KUNIT_EXPECT_EQ(test, pkt.packets, 1);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 20 + 8 + PAYLOAD);
}

static void tuple_ipv6(struct kunit *test)
{
	struct packet *p = packet_udp6(test, PAYLOAD);
	struct udptrack_packet pkt;

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV6,
				     &pkt));
	packet_expect_tuple(test, NFPROTO_IPV6, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 40);
	KUNIT_EXPECT_EQ(test, pkt.packets, 1);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 40 + 8 + PAYLOAD);
}

/* A datagram without data is a datagram. */
static void tuple_empty_datagram(struct kunit *test)
{
	struct udptrack_packet pkt;

	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, packet_udp4(test, 5, 0)),
				     0, NFPROTO_IPV4, &pkt));
	KUNIT_EXPECT_EQ(test, pkt.bytes, 28);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, packet_udp6(test, 0)),
				     0, NFPROTO_IPV6, &pkt));
	KUNIT_EXPECT_EQ(test, pkt.bytes, 48);
}

/* Offsets count from the start of the skb, lengths from the IP header. */
static void tuple_nhoff(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_packet pkt;

	memset(packet_put(p, 18), 0xee, 18);
	packet_put_ipv4(p, IPPROTO_UDP, 6, 8 + PAYLOAD);
	packet_put_udp(p, PAYLOAD);

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 18, NFPROTO_IPV4,
				     &pkt));
	packet_expect_tuple(test, NFPROTO_IPV4, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 18 + 24);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 24 + 8 + PAYLOAD);
}

static void tuple_nhoff_ipv6(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_packet pkt;

	memset(packet_put(p, 14), 0xee, 14);
	packet_put_ipv6(p, IPPROTO_UDP, 8 + PAYLOAD);
	packet_put_udp(p, PAYLOAD);

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 14, NFPROTO_IPV6,
				     &pkt));
	packet_expect_tuple(test, NFPROTO_IPV6, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 14 + 40);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 40 + 8 + PAYLOAD);
}

/* Only the field is looked at: zero means "none" for IPv4 (RFC 768). */
static void tuple_has_checksum(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_packet pkt;
	struct udphdr *udp;

	packet_put_ipv4(p, IPPROTO_UDP, 5, 8);
	udp = packet_put_udp(p, 0);

	packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4, &pkt);
	KUNIT_EXPECT_TRUE(test, pkt.has_checksum);
	udp->check = 0;
	packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4, &pkt);
	KUNIT_EXPECT_FALSE(test, pkt.has_checksum);
	udp->check = htons(0x0100);
	packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4, &pkt);
	KUNIT_EXPECT_TRUE(test, pkt.has_checksum);
}

/*
 * Cut at every byte: inside the headers it is truncated, behind them the UDP
 * length says more than there is.
 */
static void expect_cuts(struct kunit *test, const struct packet *p, u8 family,
			unsigned int headers)
{
	enum udptrack_verdict want;
	struct udptrack_packet pkt;
	unsigned int len;

	for (len = 0; len <= p->len; len++) {
		if (len < headers)
			want = UDPTRACK_PACKET_TRUNCATED;
		else if (len < p->len)
			want = UDPTRACK_PACKET_MALFORMED;
		else
			want = UDPTRACK_PACKET_OK;
		KUNIT_EXPECT_EQ_MSG(test, want,
				    packet_parse(packet_skb_cut(test, p, len),
						 0, family, &pkt),
				    "%u of %u bytes", len, p->len);
	}
}

static void tuple_cut_ipv4(struct kunit *test)
{
	expect_cuts(test, packet_udp4(test, 5, PAYLOAD), NFPROTO_IPV4, 28);
}

static void tuple_cut_ipv4_options(struct kunit *test)
{
	expect_cuts(test, packet_udp4(test, 15, PAYLOAD), NFPROTO_IPV4, 68);
}

static void tuple_cut_ipv6(struct kunit *test)
{
	expect_cuts(test, packet_udp6(test, PAYLOAD), NFPROTO_IPV6, 48);
}

/*
 * A header of less than five words is malformed, even where what would then be
 * taken for the UDP header has a length that can be.
 */
static void tuple_short_ihl(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct iphdr *iph = (struct iphdr *)p->bytes;
	struct udptrack_packet pkt;
	unsigned int ihl;

	iph->id = htons(12);
	iph->ttl = 0;
	iph->saddr = htonl(0x000c0201);
	iph->daddr = htonl(0x000c6402);
	((struct udphdr *)(p->bytes + 20))->source = htons(12);
	for (ihl = 0; ihl < 5; ihl++) {
		iph->ihl = ihl;
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_MALFORMED,
				    packet_parse(packet_skb(test, p), 0,
						 NFPROTO_IPV4, &pkt),
				    "ihl %u", ihl);
	}
}

/* All lengths that a header may have. */
static void tuple_ihl(struct kunit *test)
{
	struct udptrack_packet pkt;
	struct packet *p;
	unsigned int ihl;

	for (ihl = 5; ihl <= 15; ihl++) {
		p = packet_udp4(test, ihl, PAYLOAD);
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK,
				    packet_parse(packet_skb(test, p), 0,
						 NFPROTO_IPV4, &pkt),
				    "ihl %u", ihl);
		packet_expect_tuple(test, NFPROTO_IPV4, &pkt.tuple);
		KUNIT_EXPECT_EQ(test, pkt.thoff, ihl * 4);
	}
}

/* The version must be the one that the hook's family says. */
static void tuple_version(struct kunit *test)
{
	struct packet *p4 = packet_udp4(test, 5, PAYLOAD);
	struct packet *p6 = packet_udp6(test, PAYLOAD);
	struct udptrack_packet pkt;
	unsigned int version;

	for (version = 0; version <= 15; version++) {
		((struct iphdr *)p4->bytes)->version = version;
		KUNIT_EXPECT_EQ_MSG(test,
				    version == 4 ? UDPTRACK_PACKET_OK
						 : UDPTRACK_PACKET_MALFORMED,
				    packet_parse(packet_skb(test, p4), 0,
						 NFPROTO_IPV4, &pkt),
				    "IPv4, version %u", version);
		((struct ipv6hdr *)p6->bytes)->version = version;
		KUNIT_EXPECT_EQ_MSG(test,
				    version == 6 ? UDPTRACK_PACKET_OK
						 : UDPTRACK_PACKET_MALFORMED,
				    packet_parse(packet_skb(test, p6), 0,
						 NFPROTO_IPV6, &pkt),
				    "IPv6, version %u", version);
	}
}

/* The UDP length covers its own header and no more than there is. */
static const struct udp_length {
	const char *desc;
	u16 len;
	enum udptrack_verdict want;
} udp_lengths[] = {
	{ "zero, as in a jumbogram", 0, UDPTRACK_PACKET_MALFORMED },
	{ "1", 1, UDPTRACK_PACKET_MALFORMED },
	{ "a byte less than its header", 7, UDPTRACK_PACKET_MALFORMED },
	{ "its header alone, data behind", 8, UDPTRACK_PACKET_OK },
	{ "a byte less than the packet", 8 + PAYLOAD - 1, UDPTRACK_PACKET_OK },
	{ "the packet", 8 + PAYLOAD, UDPTRACK_PACKET_OK },
	{ "a byte more than the packet", 8 + PAYLOAD + 1,
	  UDPTRACK_PACKET_MALFORMED },
	{ "256 bytes", 0x100, UDPTRACK_PACKET_MALFORMED },
	{ "65535", 65535, UDPTRACK_PACKET_MALFORMED },
};

KUNIT_ARRAY_PARAM_DESC(udp_length, udp_lengths, desc);

static void tuple_udp_length(struct kunit *test)
{
	const struct udp_length *c = test->param_value;
	struct packet *p4 = packet_udp4(test, 6, PAYLOAD);
	struct packet *p6 = packet_udp6(test, PAYLOAD);
	struct udptrack_packet pkt;

	((struct udphdr *)(p4->bytes + 24))->len = htons(c->len);
	KUNIT_EXPECT_EQ(test, c->want,
			packet_parse(packet_skb(test, p4), 0, NFPROTO_IPV4,
				     &pkt));
	((struct udphdr *)(p6->bytes + 40))->len = htons(c->len);
	KUNIT_EXPECT_EQ(test, c->want,
			packet_parse(packet_skb(test, p6), 0, NFPROTO_IPV6,
				     &pkt));
}

/* What is not UDP is not judged, however little there is of it. */
static void tuple_other_protocols(struct kunit *test)
{
	static const u8 protocols[] = {
		IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_DCCP, IPPROTO_SCTP,
		IPPROTO_UDPLITE, IPPROTO_RAW, IPPROTO_IP,
		IPPROTO_UDP - 1, IPPROTO_UDP + 1,
	};
	struct packet *p4 = packet_udp4(test, 5, PAYLOAD);
	struct udptrack_packet pkt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		((struct iphdr *)p4->bytes)->protocol = protocols[i];
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP,
				    packet_parse(packet_skb(test, p4), 0,
						 NFPROTO_IPV4, &pkt),
				    "protocol %u", protocols[i]);
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP,
				    packet_parse(packet_skb_cut(test, p4, 20),
						 0, NFPROTO_IPV4, &pkt),
				    "protocol %u, header only", protocols[i]);
	}
}

static void tuple_other_protocols_ipv6(struct kunit *test)
{
	static const u8 protocols[] = {
		IPPROTO_TCP, IPPROTO_ICMPV6, IPPROTO_UDPLITE, IPPROTO_ESP,
		IPPROTO_RAW, IPPROTO_UDP - 1, IPPROTO_UDP + 1,
	};
	struct packet *p6 = packet_udp6(test, PAYLOAD);
	struct udptrack_packet pkt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		((struct ipv6hdr *)p6->bytes)->nexthdr = protocols[i];
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP,
				    packet_parse(packet_skb(test, p6), 0,
						 NFPROTO_IPV6, &pkt),
				    "next header %u", protocols[i]);
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP,
				    packet_parse(packet_skb_cut(test, p6, 40),
						 0, NFPROTO_IPV6, &pkt),
				    "next header %u, header only",
				    protocols[i]);
	}
}

/* A piece of a datagram, the first one too, is a fragment; "don't" is not. */
static const struct fragment4 {
	const char *desc;
	u16 frag_off;
	u8 protocol;
	enum udptrack_verdict want;
} fragments4[] = {
	{ "whole", 0, IPPROTO_UDP, UDPTRACK_PACKET_OK },
	{ "don't fragment", IP_DF, IPPROTO_UDP, UDPTRACK_PACKET_OK },
	{ "reserved bit", IP_CE, IPPROTO_UDP, UDPTRACK_PACKET_OK },
	{ "first", IP_MF, IPPROTO_UDP, UDPTRACK_PACKET_FRAGMENT },
	{ "first, don't fragment", IP_MF | IP_DF, IPPROTO_UDP,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "middle", IP_MF | 1, IPPROTO_UDP, UDPTRACK_PACKET_FRAGMENT },
	{ "last, offset 8", 1, IPPROTO_UDP, UDPTRACK_PACKET_FRAGMENT },
	{ "last, offset 2048", 0x100, IPPROTO_UDP, UDPTRACK_PACKET_FRAGMENT },
	{ "last, highest offset", IP_OFFSET, IPPROTO_UDP,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "first of TCP", IP_MF, IPPROTO_TCP, UDPTRACK_PACKET_NOT_UDP },
	{ "last of TCP", 1, IPPROTO_TCP, UDPTRACK_PACKET_NOT_UDP },
};

KUNIT_ARRAY_PARAM_DESC(fragment4, fragments4, desc);

static void tuple_fragment_ipv4(struct kunit *test)
{
	const struct fragment4 *c = test->param_value;
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct iphdr *iph = (struct iphdr *)p->bytes;
	struct udptrack_packet pkt;

	iph->frag_off = htons(c->frag_off);
	iph->protocol = c->protocol;
	KUNIT_EXPECT_EQ(test, c->want,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4,
				     &pkt));
}

/* A fragment may well be too short for a UDP header. */
static void tuple_short_fragment_ipv4(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct iphdr *iph = (struct iphdr *)p->bytes;
	struct udptrack_packet pkt;

	iph->frag_off = htons(4);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_FRAGMENT,
			packet_parse(packet_skb_cut(test, p, 21), 0,
				     NFPROTO_IPV4, &pkt));
}

/*
 * Addresses that mean another host on every link carry the interface
 * (RFC 4007), be it the source or the destination; all others do not.
 */
static const struct scope {
	const char *desc;
	const char *src;
	const char *dst;
	bool scoped;
} scopes[] = {
	{ "global", "2001:db8::1", "2001:db8::2", false },
	{ "link-local source", "fe80::1", "2001:db8::2", true },
	{ "link-local destination", "2001:db8::1", "fe80::2", true },
	{ "both link-local", "fe80::1", "fe80::2", true },
	{ "end of the link-local range", "febf::1", "2001:db8::2", true },
	{ "mDNS", "2001:db8::1", "ff02::fb", true },
	{ "interface-local multicast", "2001:db8::1", "ff01::1", true },
	{ "site-local multicast", "2001:db8::1", "ff05::2", false },
	{ "global multicast", "2001:db8::1", "ff0e::2", false },
	{ "site-local", "fec0::1", "fec0::2", false },
	{ "unique local", "fd00::1", "fd00::2", false },
	{ "loopback", "::1", "::1", false },
	{ "unspecified", "::", "2001:db8::2", false },
	{ "IPv4-mapped", "::ffff:169.254.1.1", "::ffff:169.254.1.2", false },
};

KUNIT_ARRAY_PARAM_DESC(scope, scopes, desc);

static void tuple_scope(struct kunit *test)
{
	const struct scope *c = test->param_value;
	struct packet *p = packet_udp6(test, PAYLOAD);
	struct ipv6hdr *ip6h = (struct ipv6hdr *)p->bytes;
	struct udptrack_packet pkt;

	KUNIT_ASSERT_EQ(test, 1, in6_pton(c->src, -1, ip6h->saddr.s6_addr, -1,
					  NULL));
	KUNIT_ASSERT_EQ(test, 1, in6_pton(c->dst, -1, ip6h->daddr.s6_addr, -1,
					  NULL));
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV6,
				     &pkt));
	KUNIT_EXPECT_EQ(test, pkt.tuple.scope, c->scoped ? PACKET_IFINDEX : 0);
}

/* IPv4 link-local addresses are left alone, as in nf_conntrack. */
static void tuple_scope_ipv4(struct kunit *test)
{
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct iphdr *iph = (struct iphdr *)p->bytes;
	struct udptrack_packet pkt;

	iph->saddr = htonl(0xa9fe0101);		/* 169.254.1.1 */
	iph->daddr = htonl(0xe00000fb);		/* 224.0.0.251 */
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV4,
				     &pkt));
	KUNIT_EXPECT_EQ(test, pkt.tuple.scope, 0);
}

static struct kunit_case tuple_cases[] = {
	KUNIT_CASE(tuple_ipv4),
	KUNIT_CASE(tuple_ipv6),
	KUNIT_CASE(tuple_empty_datagram),
	KUNIT_CASE(tuple_nhoff),
	KUNIT_CASE(tuple_nhoff_ipv6),
	KUNIT_CASE(tuple_has_checksum),
	KUNIT_CASE(tuple_cut_ipv4),
	KUNIT_CASE(tuple_cut_ipv4_options),
	KUNIT_CASE(tuple_cut_ipv6),
	KUNIT_CASE(tuple_short_ihl),
	KUNIT_CASE(tuple_ihl),
	KUNIT_CASE(tuple_version),
	KUNIT_CASE_PARAM(tuple_udp_length, udp_length_gen_params),
	KUNIT_CASE(tuple_other_protocols),
	KUNIT_CASE(tuple_other_protocols_ipv6),
	KUNIT_CASE_PARAM(tuple_fragment_ipv4, fragment4_gen_params),
	KUNIT_CASE(tuple_short_fragment_ipv4),
	KUNIT_CASE_PARAM(tuple_scope, scope_gen_params),
	KUNIT_CASE(tuple_scope_ipv4),
	{}
};

static struct kunit_suite tuple_suite = {
	.name = "udptrack_tuple",
	.test_cases = tuple_cases,
};

kunit_test_suite(tuple_suite);
