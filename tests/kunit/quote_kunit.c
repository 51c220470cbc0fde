// SPDX-License-Identifier: GPL-2.0-only
/*
 * quote_kunit - ICMP and ICMPv6 errors and the UDP packet that they quote.
 *
 * A router or the far end quotes what we sent. The tuple is the quoted packet's
 * in its own direction; of the datagram, no more than eight bytes need be
 * there (RFC 792).
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet.h"

/* Offsets in the packets below. */
#define ICMP_AT		20
#define QUOTE_AT	28
#define ICMPV6_AT	40
#define QUOTE6_AT	48

/* An ICMP error from 203.0.113.9 that quotes @quoted bytes of UDP. */
static struct packet *icmp_packet(struct kunit *test, u8 type,
				  unsigned int inner_ihl, unsigned int quoted)
{
	struct packet *p = packet_new(test);
	struct iphdr *outer;
	struct icmphdr *icmph;

	outer = packet_put_ipv4(p, IPPROTO_ICMP, 5,
				8 + inner_ihl * 4 + quoted);
	outer->saddr = htonl(0xcb007109);
	outer->daddr = htonl(PACKET_SADDR4);
	icmph = packet_put(p, sizeof(*icmph));
	icmph->type = type;
	packet_put_ipv4(p, IPPROTO_UDP, inner_ihl, 8 + 100);
	packet_put_udp(p, 100);
	p->len -= 108 - quoted;
	return p;
}

static struct packet *icmpv6_packet(struct kunit *test, u8 type,
				    unsigned int quoted)
{
	struct packet *p = packet_new(test);
	struct ipv6hdr *outer;
	struct icmp6hdr *icmph;

	outer = packet_put_ipv6(p, IPPROTO_ICMPV6, 8 + 40 + quoted);
	outer->saddr.s6_addr[15] = 9;
	outer->daddr = packet_saddr6;
	icmph = packet_put(p, sizeof(*icmph));
	icmph->icmp6_type = type;
	packet_put_ipv6(p, IPPROTO_UDP, 8 + 100);
	packet_put_udp(p, 100);
	p->len -= 108 - quoted;
	return p;
}

static enum udptrack_verdict parse(const struct sk_buff *skb, u8 family,
				   struct udptrack_tuple *tuple)
{
	struct udptrack_quote quote;
	enum udptrack_verdict ret;

	memset(&quote, 0xa5, sizeof(quote));
	ret = udptrack_tuple_parse_quoted(skb, 0, family, PACKET_IFINDEX,
					  &quote);
	*tuple = quote.tuple;
	return ret;
}

/* Every type there is: errors quote, all others are none of our business. */
static void quote_types(struct kunit *test)
{
	struct packet *p = icmp_packet(test, 0, 5, 8);
	struct udptrack_tuple tuple;
	enum udptrack_verdict ret;
	unsigned int type;

	for (type = 0; type <= 255; type++) {
		p->bytes[ICMP_AT] = type;
		ret = parse(packet_skb(test, p), NFPROTO_IPV4, &tuple);
		switch (type) {
		case ICMP_DEST_UNREACH:
		case ICMP_SOURCE_QUENCH:
		case ICMP_REDIRECT:
		case ICMP_TIME_EXCEEDED:
		case ICMP_PARAMETERPROB:
			KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK, ret,
					    "type %u", type);
			packet_expect_tuple(test, NFPROTO_IPV4, &tuple);
			break;
		default:
			KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP, ret,
					    "type %u", type);
		}
	}
}

/* ICMPv6: errors are the types below 128 (RFC 4443, section 2.1). */
static void quote_types_ipv6(struct kunit *test)
{
	struct packet *p = icmpv6_packet(test, 0, 8);
	struct udptrack_tuple tuple;
	enum udptrack_verdict ret;
	unsigned int type;

	for (type = 0; type <= 255; type++) {
		p->bytes[ICMPV6_AT] = type;
		ret = parse(packet_skb(test, p), NFPROTO_IPV6, &tuple);
		if (type >= 128) {
			KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_NOT_UDP, ret,
					    "type %u", type);
			continue;
		}
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK, ret, "type %u",
				    type);
		packet_expect_tuple(test, NFPROTO_IPV6, &tuple);
	}
}

/*
 * Cut at every byte. Without its whole ICMP header a packet is no error;
 * within the quote, it ends inside a header until the ports are there.
 */
static void expect_cuts(struct kunit *test, const struct packet *p, u8 family,
			unsigned int ip_len, unsigned int quote_at,
			unsigned int enough)
{
	struct udptrack_tuple tuple;
	enum udptrack_verdict want;
	unsigned int len;

	for (len = 0; len <= p->len; len++) {
		if (len < ip_len)
			want = UDPTRACK_PACKET_TRUNCATED;
		else if (len < quote_at)
			want = UDPTRACK_PACKET_NOT_UDP;
		else if (len < enough)
			want = UDPTRACK_PACKET_TRUNCATED;
		else
			want = UDPTRACK_PACKET_OK;
		KUNIT_EXPECT_EQ_MSG(test, want,
				    parse(packet_skb_cut(test, p, len), family,
					  &tuple),
				    "%u of %u bytes", len, p->len);
	}
}

static void quote_cut(struct kunit *test)
{
	struct packet *p = icmp_packet(test, ICMP_DEST_UNREACH, 5, 30);

	expect_cuts(test, p, NFPROTO_IPV4, ICMP_AT, QUOTE_AT,
		    QUOTE_AT + 20 + 8);
}

static void quote_cut_options(struct kunit *test)
{
	struct packet *p = icmp_packet(test, ICMP_TIME_EXCEEDED, 8, 30);

	expect_cuts(test, p, NFPROTO_IPV4, ICMP_AT, QUOTE_AT,
		    QUOTE_AT + 32 + 8);
}

static void quote_cut_ipv6(struct kunit *test)
{
	struct packet *p = icmpv6_packet(test, ICMPV6_DEST_UNREACH, 30);

	expect_cuts(test, p, NFPROTO_IPV6, ICMPV6_AT, QUOTE6_AT,
		    QUOTE6_AT + 40 + 8);
}

/* The quoted length may be anything: what is left says nothing about it. */
static void quote_udp_length_ignored(struct kunit *test)
{
	struct packet *p = icmp_packet(test, ICMP_DEST_UNREACH, 5, 8);
	struct udphdr *udp = (struct udphdr *)(p->bytes + QUOTE_AT + 20);
	struct udptrack_tuple tuple;

	udp->len = htons(65535);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV4, &tuple));
	udp->len = 0;
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV4, &tuple));
	packet_expect_tuple(test, NFPROTO_IPV4, &tuple);
}

/* Changes to one byte of the quote or around it, and what comes of them. */
static const struct quote_change {
	const char *desc;
	u8 family;
	unsigned int at;
	u8 value;
	enum udptrack_verdict want;
} changes[] = {
	{ "quotes TCP", NFPROTO_IPV4, QUOTE_AT + 9, IPPROTO_TCP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "quotes ICMP", NFPROTO_IPV4, QUOTE_AT + 9, IPPROTO_ICMP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "quotes a first fragment", NFPROTO_IPV4, QUOTE_AT + 6, 0x20,
	  UDPTRACK_PACKET_OK },
	{ "quotes a later fragment", NFPROTO_IPV4, QUOTE_AT + 7, 1,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "quotes don't fragment", NFPROTO_IPV4, QUOTE_AT + 6, 0x40,
	  UDPTRACK_PACKET_OK },
	{ "quotes a short header", NFPROTO_IPV4, QUOTE_AT, 0x44,
	  UDPTRACK_PACKET_MALFORMED },
	{ "quotes IPv6 in ICMP", NFPROTO_IPV4, QUOTE_AT, 0x65,
	  UDPTRACK_PACKET_MALFORMED },
	{ "is a first fragment", NFPROTO_IPV4, 6, 0x20,
	  UDPTRACK_PACKET_FRAGMENT },
	/* What else would be an ICMP header is anything. */
	{ "is a later fragment", NFPROTO_IPV4, 7, 1,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "outer header too short", NFPROTO_IPV4, 0, 0x44,
	  UDPTRACK_PACKET_MALFORMED },
	{ "outer version", NFPROTO_IPV4, 0, 0x65, UDPTRACK_PACKET_MALFORMED },
	{ "is UDP", NFPROTO_IPV4, 9, IPPROTO_UDP, UDPTRACK_PACKET_NOT_UDP },
	{ "is ICMPv6 in IPv4", NFPROTO_IPV4, 9, IPPROTO_ICMPV6,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "IPv6 quotes TCP", NFPROTO_IPV6, QUOTE6_AT + 6, IPPROTO_TCP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "IPv6 quotes no next header", NFPROTO_IPV6, QUOTE6_AT + 6,
	  NEXTHDR_NONE, UDPTRACK_PACKET_NOT_UDP },
	{ "IPv6 quotes IPv4", NFPROTO_IPV6, QUOTE6_AT, 0x45,
	  UDPTRACK_PACKET_MALFORMED },
	{ "IPv6 is UDP", NFPROTO_IPV6, 6, IPPROTO_UDP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "IPv6 is ICMPv4", NFPROTO_IPV6, 6, IPPROTO_ICMP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "IPv6 outer version", NFPROTO_IPV6, 0, 0x45,
	  UDPTRACK_PACKET_MALFORMED },
};

KUNIT_ARRAY_PARAM_DESC(change, changes, desc);

static void quote_changed(struct kunit *test)
{
	const struct quote_change *c = test->param_value;
	struct packet *p = c->family == NFPROTO_IPV4 ?
			   icmp_packet(test, ICMP_DEST_UNREACH, 5, 8) :
			   icmpv6_packet(test, ICMPV6_DEST_UNREACH, 8);
	struct udptrack_tuple tuple;

	/* The bytes of an ICMP error in the other family's protocol, too. */
	if (c->at == 9 && c->value == IPPROTO_ICMPV6)
		p->bytes[ICMP_AT] = ICMPV6_DEST_UNREACH;
	p->bytes[c->at] = c->value;
	KUNIT_EXPECT_EQ(test, c->want,
			parse(packet_skb(test, p), c->family, &tuple));
}

/* Both IPv6 headers, the outer and the quoted one, may have more behind. */
static void quote_exthdrs(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_tuple tuple;
	struct icmp6hdr *icmph;
	u8 *ext;

	packet_put_ipv6(p, NEXTHDR_HOP, 8 + 8 + 40 + 16 + 8);
	ext = packet_put(p, 8);
	ext[0] = IPPROTO_ICMPV6;
	icmph = packet_put(p, sizeof(*icmph));
	icmph->icmp6_type = ICMPV6_PKT_TOOBIG;
	packet_put_ipv6(p, NEXTHDR_DEST, 16 + 8);
	ext = packet_put(p, 16);
	ext[0] = IPPROTO_UDP;
	ext[1] = 1;
	packet_put_udp(p, 0);

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
	packet_expect_tuple(test, NFPROTO_IPV6, &tuple);
}

/* A quoted fragment header: atomic is whole, anything else is a piece. */
static void quote_fragment_ipv6(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct udptrack_tuple tuple;
	struct icmp6hdr *icmph;
	struct frag_hdr *frag;

	packet_put_ipv6(p, IPPROTO_ICMPV6, 8 + 40 + 8 + 8);
	icmph = packet_put(p, sizeof(*icmph));
	icmph->icmp6_type = ICMPV6_TIME_EXCEED;
	packet_put_ipv6(p, NEXTHDR_FRAGMENT, 8 + 8);
	frag = packet_put(p, sizeof(*frag));
	frag->nexthdr = IPPROTO_UDP;
	packet_put_udp(p, 0);

	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
	frag->frag_off = htons(IP6_MF);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
	frag->frag_off = htons(8);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_FRAGMENT,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
}

/* It is the quoted addresses that are link-local or not. */
static void quote_scope(struct kunit *test)
{
	struct packet *p = icmpv6_packet(test, ICMPV6_DEST_UNREACH, 8);
	struct ipv6hdr *outer = (struct ipv6hdr *)p->bytes;
	struct ipv6hdr *inner = (struct ipv6hdr *)(p->bytes + QUOTE6_AT);
	struct udptrack_tuple tuple;

	outer->saddr.s6_addr32[0] = htonl(0xfe800000);
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
	KUNIT_EXPECT_EQ(test, tuple.scope, 0);
	inner->daddr.s6_addr32[0] = htonl(0xfe800000);
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			parse(packet_skb(test, p), NFPROTO_IPV6, &tuple));
	KUNIT_EXPECT_EQ(test, tuple.scope, PACKET_IFINDEX);
}

/* Wherever the linear part ends, the quote is the same. */
static void quote_paged(struct kunit *test)
{
	struct packet *p4 = icmp_packet(test, ICMP_DEST_UNREACH, 6, 8);
	struct packet *p6 = icmpv6_packet(test, ICMPV6_DEST_UNREACH, 8);
	struct udptrack_tuple tuple;
	unsigned int split;

	for (split = 0; split <= p4->len; split++) {
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK,
				    parse(packet_skb_paged(test, p4, split),
					  NFPROTO_IPV4, &tuple),
				    "split at %u", split);
		packet_expect_tuple(test, NFPROTO_IPV4, &tuple);
	}
	for (split = 0; split <= p6->len; split++) {
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_PACKET_OK,
				    parse(packet_skb_frag_list(test, p6, split),
					  NFPROTO_IPV6, &tuple),
				    "split at %u", split);
		packet_expect_tuple(test, NFPROTO_IPV6, &tuple);
	}
}

/* Offsets count from the start of the skb. */
static void quote_nhoff(struct kunit *test)
{
	struct packet *error = icmp_packet(test, ICMP_DEST_UNREACH, 5, 8);
	struct packet *p = packet_new(test);
	struct udptrack_quote quote;

	memset(packet_put(p, 14), 0xee, 14);
	memcpy(packet_put(p, error->len), error->bytes, error->len);
	memset(&quote, 0xa5, sizeof(quote));
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			udptrack_tuple_parse_quoted(packet_skb(test, p), 14,
						    NFPROTO_IPV4,
						    PACKET_IFINDEX, &quote));
	packet_expect_tuple(test, NFPROTO_IPV4, &quote.tuple);
	KUNIT_EXPECT_EQ(test, quote.thoff, 14 + ICMP_AT);
}

/* Where the error goes is read from the outer header, whoever is quoted. */
static void quote_outer_address(struct kunit *test)
{
	struct packet *p4 = icmp_packet(test, ICMP_DEST_UNREACH, 5, 8);
	struct packet *p6 = icmpv6_packet(test, ICMPV6_DEST_UNREACH, 8);
	union nf_inet_addr to4 = { .ip = htonl(0xc6336401) };
	union nf_inet_addr to6 = { .in6 = packet_daddr6 };
	struct udptrack_quote quote;

	memset(&quote, 0xa5, sizeof(quote));
	((struct iphdr *)p4->bytes)->daddr = to4.ip;
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			udptrack_tuple_parse_quoted(packet_skb(test, p4), 0,
						    NFPROTO_IPV4,
						    PACKET_IFINDEX, &quote));
	KUNIT_EXPECT_TRUE(test, nf_inet_addr_cmp(&quote.to, &to4));
	((struct ipv6hdr *)p6->bytes)->daddr = to6.in6;
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			udptrack_tuple_parse_quoted(packet_skb(test, p6), 0,
						    NFPROTO_IPV6,
						    PACKET_IFINDEX, &quote));
	KUNIT_EXPECT_TRUE(test, nf_inet_addr_cmp(&quote.to, &to6));
}

static struct kunit_case quote_cases[] = {
	KUNIT_CASE(quote_types),
	KUNIT_CASE(quote_types_ipv6),
	KUNIT_CASE(quote_cut),
	KUNIT_CASE(quote_cut_options),
	KUNIT_CASE(quote_cut_ipv6),
	KUNIT_CASE(quote_udp_length_ignored),
	KUNIT_CASE_PARAM(quote_changed, change_gen_params),
	KUNIT_CASE(quote_exthdrs),
	KUNIT_CASE(quote_fragment_ipv6),
	KUNIT_CASE(quote_scope),
	KUNIT_CASE(quote_paged),
	KUNIT_CASE(quote_nhoff),
	KUNIT_CASE(quote_outer_address),
	{}
};

static struct kunit_suite quote_suite = {
	.name = "udptrack_quote",
	.test_cases = quote_cases,
};

kunit_test_suite(quote_suite);
