// SPDX-License-Identifier: GPL-2.0-only
/*
 * exthdr_kunit - UDP behind IPv6 extension headers, and IPv6 fragments.
 *
 * The rule: headers that only stand in between are passed over, whatever is
 * not known to be UDP is none of the tracker's business, and a piece of a UDP
 * datagram is a fragment, whichever piece it is.
 */
#include <net/ipv6.h>

#include "packet.h"

#define PAYLOAD		8
#define MAX_HEADERS	4

/* One extension header: its type, bytes, and the fragment field if it is one. */
struct ext {
	u8 type;
	u8 len;
	u16 frag_off;
};

/*
 * A packet with extension headers, of which @last is what the final one
 * announces, and what the parser must make of it.
 */
struct chain {
	const char *desc;
	struct ext ext[MAX_HEADERS];
	u8 last;
	enum udptrack_verdict want;
};

static const struct chain chains[] = {
	{ "hop-by-hop", { { NEXTHDR_HOP, 8 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "hop-by-hop of 24 bytes", { { NEXTHDR_HOP, 24 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "routing", { { NEXTHDR_ROUTING, 24 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "destination options", { { NEXTHDR_DEST, 16 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	/* Its length counts words of four bytes, not of eight. */
	{ "authentication", { { NEXTHDR_AUTH, 20 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "longest header", { { NEXTHDR_DEST, 248 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "all four",
	  { { NEXTHDR_HOP, 8 }, { NEXTHDR_ROUTING, 8 }, { NEXTHDR_AUTH, 12 },
	    { NEXTHDR_DEST, 16 } }, NEXTHDR_UDP, UDPTRACK_PACKET_OK },
	/* Complete in itself (RFC 6946): no more to come, none before. */
	{ "atomic fragment", { { NEXTHDR_FRAGMENT, 8, 0 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_OK },
	{ "atomic fragment, reserved bits set",
	  { { NEXTHDR_FRAGMENT, 8, 6 } }, NEXTHDR_UDP, UDPTRACK_PACKET_OK },
	{ "atomic fragment between others",
	  { { NEXTHDR_HOP, 8 }, { NEXTHDR_FRAGMENT, 8, 0 },
	    { NEXTHDR_DEST, 8 } }, NEXTHDR_UDP, UDPTRACK_PACKET_OK },

	{ "first fragment", { { NEXTHDR_FRAGMENT, 8, 1 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "first fragment behind hop-by-hop",
	  { { NEXTHDR_HOP, 8 }, { NEXTHDR_FRAGMENT, 8, 1 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "first fragment with destination options",
	  { { NEXTHDR_FRAGMENT, 8, 1 }, { NEXTHDR_DEST, 8 } }, NEXTHDR_UDP,
	  UDPTRACK_PACKET_FRAGMENT },
	{ "first fragment of TCP", { { NEXTHDR_FRAGMENT, 8, 1 } }, NEXTHDR_TCP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "later fragment of TCP", { { NEXTHDR_FRAGMENT, 8, 8 } }, NEXTHDR_TCP,
	  UDPTRACK_PACKET_NOT_UDP },

	{ "no next header", { { NEXTHDR_HOP, 8 } }, NEXTHDR_NONE,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "no next header at once", { }, NEXTHDR_NONE,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "encrypted", { { NEXTHDR_HOP, 8 } }, NEXTHDR_ESP,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "mobility", { { NEXTHDR_HOP, 8 } }, NEXTHDR_MOBILITY,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "experimental", { { NEXTHDR_HOP, 8 } }, 253,
	  UDPTRACK_PACKET_NOT_UDP },
	{ "TCP behind options", { { NEXTHDR_DEST, 8 } }, NEXTHDR_TCP,
	  UDPTRACK_PACKET_NOT_UDP },
};

KUNIT_ARRAY_PARAM_DESC(chain, chains, desc);

static unsigned int chain_len(const struct chain *c)
{
	unsigned int i, len = 0;

	for (i = 0; i < MAX_HEADERS; i++)
		len += c->ext[i].len;
	return len;
}

static void put_ext(struct packet *p, const struct ext *ext, u8 nexthdr)
{
	u8 *at = packet_put(p, ext->len);

	at[0] = nexthdr;
	switch (ext->type) {
	case NEXTHDR_FRAGMENT:
		((struct frag_hdr *)at)->frag_off = htons(ext->frag_off);
		((struct frag_hdr *)at)->identification = htonl(0x1a2b3c4d);
		break;
	case NEXTHDR_AUTH:
		at[1] = ext->len / 4 - 2;
		memset(at + 2, 0xee, ext->len - 2);
		break;
	default:
		at[1] = ext->len / 8 - 1;
		memset(at + 2, 0xee, ext->len - 2);
		break;
	}
}

static struct packet *chain_packet(struct kunit *test, const struct chain *c)
{
	struct packet *p = packet_new(test);
	unsigned int i;

	/* NEXTHDR_HOP is 0, so the length says where the list ends. */
	packet_put_ipv6(p, c->ext[0].len ? c->ext[0].type : c->last,
			chain_len(c) + 8 + PAYLOAD);
	for (i = 0; i < MAX_HEADERS && c->ext[i].len; i++)
		put_ext(p, &c->ext[i],
			i + 1 < MAX_HEADERS && c->ext[i + 1].len ?
				c->ext[i + 1].type : c->last);
	packet_put_udp(p, PAYLOAD);
	return p;
}

static void exthdr_chain(struct kunit *test)
{
	const struct chain *c = test->param_value;
	struct packet *p = chain_packet(test, c);
	struct udptrack_packet pkt;
	enum udptrack_verdict ret;

	ret = packet_parse(packet_skb(test, p), 0, NFPROTO_IPV6, &pkt);
	KUNIT_ASSERT_EQ(test, c->want, ret);
	if (ret != UDPTRACK_PACKET_OK)
		return;
	packet_expect_tuple(test, NFPROTO_IPV6, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 40 + chain_len(c));
	KUNIT_EXPECT_EQ(test, pkt.bytes, 40 + chain_len(c) + 8 + PAYLOAD);
}

/*
 * A later fragment says in its fragment header what the datagram begins with,
 * and is a piece of a UDP datagram like the first.
 */
static void exthdr_later_fragment(struct kunit *test)
{
	static const u16 offsets[] = { 0x8, 0x9, 0x100, 0x101, 0xfff8 };
	struct chain c = { .ext = { { NEXTHDR_FRAGMENT, 8 } },
			   .last = NEXTHDR_UDP };
	struct udptrack_packet pkt;
	struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		c.ext[0].frag_off = offsets[i];
		skb = packet_skb(test, chain_packet(test, &c));
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_PACKET_FRAGMENT,
				    packet_parse(skb, 0, NFPROTO_IPV6, &pkt),
				    "fragment field 0x%x", offsets[i]);
	}
}

/* The offset of the UDP header counts from the start of the skb. */
static void exthdr_nhoff(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct ext hop = { NEXTHDR_HOP, 16 };
	struct udptrack_packet pkt;

	memset(packet_put(p, 14), 0xee, 14);
	packet_put_ipv6(p, NEXTHDR_HOP, 16 + 8 + PAYLOAD);
	put_ext(p, &hop, NEXTHDR_UDP);
	packet_put_udp(p, PAYLOAD);

	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb(test, p), 14, NFPROTO_IPV6,
				     &pkt));
	packet_expect_tuple(test, NFPROTO_IPV6, &pkt.tuple);
	KUNIT_EXPECT_EQ(test, pkt.thoff, 14 + 40 + 16);
	KUNIT_EXPECT_EQ(test, pkt.bytes, 40 + 16 + 8 + PAYLOAD);
}

/*
 * What the parser may say of @p when only @len bytes are there: @known is how
 * many it takes to learn that it is UDP, @headers how many the headers are.
 */
static enum udptrack_verdict cut_result(const struct packet *p, unsigned int len,
					unsigned int known, unsigned int headers)
{
	if (len < 40)
		return UDPTRACK_PACKET_TRUNCATED;
	if (len < known)
		return UDPTRACK_PACKET_NOT_UDP;
	if (len < headers)
		return UDPTRACK_PACKET_TRUNCATED;
	return len < p->len ? UDPTRACK_PACKET_MALFORMED : UDPTRACK_PACKET_OK;
}

static void expect_cuts(struct kunit *test, const struct chain *c,
			unsigned int known)
{
	struct packet *p = chain_packet(test, c);
	unsigned int headers = 40 + chain_len(c) + 8;
	struct udptrack_packet pkt;
	struct sk_buff *skb;
	unsigned int len;

	for (len = 0; len <= p->len; len++) {
		skb = packet_skb_cut(test, p, len);
		KUNIT_EXPECT_EQ_MSG(test, cut_result(p, len, known, headers),
				    packet_parse(skb, 0, NFPROTO_IPV6, &pkt),
				    "%u of %u bytes", len, p->len);
	}
}

/* The first two bytes of a header say what follows it and where. */
static void exthdr_cut(struct kunit *test)
{
	static const struct chain c = {
		.ext = { { NEXTHDR_HOP, 8 }, { NEXTHDR_ROUTING, 24 },
			 { NEXTHDR_AUTH, 12 }, { NEXTHDR_DEST, 16 } },
		.last = NEXTHDR_UDP,
	};

	expect_cuts(test, &c, 40 + 8 + 24 + 12 + 2);
}

/* Of a fragment header, the first four bytes matter. */
static void exthdr_cut_atomic_fragment(struct kunit *test)
{
	static const struct chain c = {
		.ext = { { NEXTHDR_HOP, 8 }, { NEXTHDR_FRAGMENT, 8, 0 } },
		.last = NEXTHDR_UDP,
	};

	expect_cuts(test, &c, 40 + 8 + 4);
}

/* A header may claim to be longer than the packet. */
static void exthdr_beyond_packet(struct kunit *test)
{
	struct chain c = { .ext = { { NEXTHDR_DEST, 8 } },
			   .last = NEXTHDR_UDP };
	struct packet *p = chain_packet(test, &c);
	struct udptrack_packet pkt;

	p->bytes[41] = 255;
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_TRUNCATED,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV6,
				     &pkt));
}

/* Headers that follow one another without end must come to one. */
static void exthdr_many(struct kunit *test)
{
	struct packet *p = packet_new(test);
	struct ext dest = { NEXTHDR_DEST, 8 };
	struct udptrack_packet pkt;
	unsigned int i;

	packet_put_ipv6(p, NEXTHDR_DEST, 400 * 8);
	for (i = 0; i < 400; i++)
		put_ext(p, &dest, NEXTHDR_DEST);
	KUNIT_EXPECT_EQ(test, UDPTRACK_PACKET_NOT_UDP,
			packet_parse(packet_skb(test, p), 0, NFPROTO_IPV6,
				     &pkt));
}

static struct kunit_case exthdr_cases[] = {
	KUNIT_CASE_PARAM(exthdr_chain, chain_gen_params),
	KUNIT_CASE(exthdr_later_fragment),
	KUNIT_CASE(exthdr_nhoff),
	KUNIT_CASE(exthdr_cut),
	KUNIT_CASE(exthdr_cut_atomic_fragment),
	KUNIT_CASE(exthdr_beyond_packet),
	KUNIT_CASE(exthdr_many),
	{}
};

static struct kunit_suite exthdr_suite = {
	.name = "udptrack_exthdr",
	.test_cases = exthdr_cases,
};

kunit_test_suite(exthdr_suite);
