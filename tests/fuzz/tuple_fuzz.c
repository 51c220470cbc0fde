// SPDX-License-Identifier: GPL-2.0-only
/*
 * tuple_fuzz - src/tuple.c reads packets made of random bytes.
 *
 * What it says of each is compared with what this file reads from the same
 * bytes, which lie in one piece here and in two there. Of the input, the first
 * SETUP bytes say how the packet is given, the rest is the packet.
 */
#include <assert.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "../../src/plain.h"
#include "../../src/tuple.h"

#define SETUP		8
#define IFINDEX		7
#define PROTO_ICMP	1
#define PROTO_UDP	17
#define PROTO_ICMPV6	58

/**
 * struct input - a packet to be parsed
 * @bytes:   the packet
 * @len:     its length
 * @nhoff:   where its IP header is
 * @headlen: bytes in its first piece
 * @family:  NFPROTO_IPV4 or NFPROTO_IPV6
 * @shinfo:  how many datagrams it is
 */
struct input {
	const u8 *bytes;
	unsigned int len;
	unsigned int nhoff;
	unsigned int headlen;
	u8 family;
	struct skb_shared_info shinfo;
};

/**
 * struct reading - what there is to be found in a packet
 * @tuple:    its ends
 * @thoff:    offset of the header after those of IP
 * @protocol: what that is
 * @fragment: a piece of a datagram,
 * @later:    and not the first
 */
struct reading {
	struct udptrack_tuple tuple;
	unsigned int thoff;
	u8 protocol;
	bool fragment;
	bool later;
};

static unsigned int read_u16(const u8 *byte)
{
	return byte[0] << 8 | byte[1];
}

static enum udptrack_verdict read_ipv4(const struct input *in,
				       unsigned int nhoff, struct reading *r)
{
	const u8 *ip = in->bytes + nhoff;

	if (nhoff + 20 > in->len)
		return UDPTRACK_PACKET_TRUNCATED;
	if (ip[0] < 0x45 || ip[0] > 0x4f)
		return UDPTRACK_PACKET_MALFORMED;
	memcpy(&r->tuple.src, ip + 12, 4);
	memcpy(&r->tuple.dst, ip + 16, 4);
	r->thoff = nhoff + 4 * (ip[0] & 0xf);
	r->protocol = ip[9];
	r->later = read_u16(ip + 6) & 0x1fff;
	r->fragment = r->later || ip[6] & 0x20;
	return UDPTRACK_PACKET_OK;
}

/* Is it valid on its link alone? Those are fe80::/10, ff?1:: and ff?2::. */
static bool is_of_link(const u8 *addr)
{
	return (addr[0] == 0xfe && addr[1] >= 0x80 && addr[1] <= 0xbf) ||
	       (addr[0] == 0xff && (addr[1] % 16 == 1 || addr[1] % 16 == 2));
}

/* The walk over the extension headers is the kernel's, so it is not in doubt. */
static enum udptrack_verdict read_ipv6(const struct input *in,
				       unsigned int nhoff, struct reading *r)
{
	const u8 *ip = in->bytes + nhoff;
	struct sk_buff skb;
	__be16 frag_off;
	int thoff;

	if (nhoff + 40 > in->len)
		return UDPTRACK_PACKET_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return UDPTRACK_PACKET_MALFORMED;
	memcpy(&r->tuple.src, ip + 8, 16);
	memcpy(&r->tuple.dst, ip + 24, 16);
	if (is_of_link(ip + 8) || is_of_link(ip + 24))
		r->tuple.scope = IFINDEX;

	skb_make(&skb, in->bytes, in->len, in->len);
	r->protocol = ip[6];
	thoff = ipv6_skip_exthdr(&skb, nhoff + 40, &r->protocol, &frag_off);
	skb_drop(&skb);
	if (thoff < 0)
		return UDPTRACK_PACKET_NOT_UDP;
	r->thoff = thoff;
	r->later = frag_off & htons(0xfff8);
	r->fragment = r->later || frag_off & htons(1);
	if (r->later && r->thoff + 8 <= in->len)
		r->protocol = in->bytes[thoff];
	return UDPTRACK_PACKET_OK;
}

static enum udptrack_verdict read_ip(const struct input *in, unsigned int nhoff,
				     struct reading *r)
{
	*r = (struct reading) { .tuple.family = in->family };
	return in->family == NFPROTO_IPV4 ? read_ipv4(in, nhoff, r)
					  : read_ipv6(in, nhoff, r);
}

/* As far as the ports. */
static enum udptrack_verdict read_ports(const struct input *in,
					unsigned int nhoff, struct reading *r)
{
	enum udptrack_verdict ret = read_ip(in, nhoff, r);

	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	if (r->protocol != PROTO_UDP)
		return UDPTRACK_PACKET_NOT_UDP;
	if (r->later)
		return UDPTRACK_PACKET_FRAGMENT;
	if (r->thoff + 8 > in->len)
		return UDPTRACK_PACKET_TRUNCATED;
	memcpy(&r->tuple.sport, in->bytes + r->thoff, 2);
	memcpy(&r->tuple.dport, in->bytes + r->thoff + 2, 2);
	return UDPTRACK_PACKET_OK;
}

static enum udptrack_verdict read_packet(const struct input *in,
					 unsigned int nhoff, struct reading *r)
{
	enum udptrack_verdict ret = read_ports(in, nhoff, r);
	unsigned int len;

	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	if (r->fragment)
		return UDPTRACK_PACKET_FRAGMENT;
	len = read_u16(in->bytes + r->thoff + 4);
	if (len < 8 || r->thoff + len > in->len)
		return UDPTRACK_PACKET_MALFORMED;
	return UDPTRACK_PACKET_OK;
}

/* Of an ICMP error, *offset is where the packet that it quotes begins. */
static enum udptrack_verdict read_quote(const struct input *in,
					struct reading *outer,
					unsigned int *offset)
{
	enum udptrack_verdict ret = read_ip(in, in->nhoff, outer);
	u8 type;

	*offset = 0;
	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	if (outer->later || outer->thoff + 8 > in->len)
		return UDPTRACK_PACKET_NOT_UDP;
	type = in->bytes[outer->thoff];
	if (in->family == NFPROTO_IPV4 &&
	    (outer->protocol != PROTO_ICMP ||
	     (type != 3 && type != 4 && type != 5 && type != 11 && type != 12)))
		return UDPTRACK_PACKET_NOT_UDP;
	if (in->family == NFPROTO_IPV6 &&
	    (outer->protocol != PROTO_ICMPV6 || type >= 128))
		return UDPTRACK_PACKET_NOT_UDP;
	if (outer->fragment)
		return UDPTRACK_PACKET_FRAGMENT;
	*offset = outer->thoff + 8;
	return UDPTRACK_PACKET_OK;
}

static bool same_addr(const union nf_inet_addr *a, const union nf_inet_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool same_tuple(const struct udptrack_tuple *a,
		       const struct udptrack_tuple *b)
{
	return same_addr(&a->src, &b->src) && same_addr(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport &&
	       a->scope == b->scope && a->family == b->family;
}

/* Both directions have one key, and it gives both back. */
static void check_key(const struct udptrack_tuple *tuple)
{
	struct udptrack_tuple inverse = {
		.src = tuple->dst, .sport = tuple->dport,
		.dst = tuple->src, .dport = tuple->sport,
		.scope = tuple->scope, .family = tuple->family,
	};
	bool self = same_tuple(tuple, &inverse);
	struct udptrack_key key, inverse_key;
	unsigned int side, inverse_side;
	struct udptrack_tuple back;

	/* Whatever is not written stays different. */
	memset(&key, 0xaa, sizeof(key));
	memset(&inverse_key, 0x55, sizeof(inverse_key));
	side = udptrack_key_from_tuple(tuple, &key);
	inverse_side = udptrack_key_from_tuple(&inverse, &inverse_key);
	assert(!memcmp(&key, &inverse_key, sizeof(key)));
	assert(side <= 1 && inverse_side == (self ? side : !side));
	assert(udptrack_key_is_self(&key) == self);
	assert(memcmp(&key.addr[0], &key.addr[1], sizeof(key.addr[0])) <= 0);
	udptrack_key_to_tuple(&key, side, &back);
	assert(same_tuple(&back, tuple));
	udptrack_key_to_tuple(&key, !side, &back);
	assert(same_tuple(&back, &inverse));
}

/* What a packet counts for: no more and no less than its payload needs. */
static void check_segments(const struct input *in,
			   const struct udptrack_packet *pkt)
{
	unsigned int headers = pkt->thoff + 8 - in->nhoff;
	unsigned int payload = in->len - pkt->thoff - 8;
	const struct skb_shared_info *gso = &in->shinfo;

	if (!gso->gso_size || gso->gso_type & SKB_GSO_UDP)
		assert(pkt->packets == 1);
	else if (gso->gso_segs)
		assert(pkt->packets == gso->gso_segs);
	else
		assert(pkt->packets * gso->gso_size >= payload &&
		       pkt->packets >= 1 && (pkt->packets == 1 ||
		       (pkt->packets - 1) * gso->gso_size < payload));
	if (gso->gso_type & SKB_GSO_UDP_L4)
		assert(pkt->bytes == pkt->packets * headers + payload);
	else
		assert(pkt->bytes == headers + payload);
}

static enum udptrack_verdict parse(const struct input *in, unsigned int nhoff,
				   struct udptrack_packet *pkt)
{
	enum udptrack_verdict ret;
	struct sk_buff skb;

	skb_make(&skb, in->bytes, in->len, in->headlen);
	skb.shinfo = in->shinfo;
	memset(pkt, 0xaa, sizeof(*pkt));
	ret = udptrack_tuple_parse(&skb, nhoff, in->family, IFINDEX, pkt);
	skb_drop(&skb);
	return ret;
}

/* The short way sorts as the long one does. */
static void check_plain(const struct input *in,
			const struct udptrack_tuple *tuple)
{
	struct udptrack_key key, want;
	struct udptrack_plain plain;
	struct sk_buff skb;

	skb_make(&skb, in->bytes, in->len, in->headlen);
	skb.shinfo = in->shinfo;
	/* Whatever is not written stays different. */
	memset(&key, 0xaa, sizeof(key));
	memset(&want, 0x55, sizeof(want));
	if (udptrack_plain_read(&skb, in->nhoff, in->family, &key, &plain)) {
		assert(plain.side == udptrack_key_from_tuple(tuple, &want));
		assert(!memcmp(&key, &want, sizeof(key)));
	}
	skb_drop(&skb);
}

static void check_packet(const struct input *in)
{
	enum udptrack_verdict want, ret;
	struct udptrack_packet pkt;
	struct reading r;

	want = read_packet(in, in->nhoff, &r);
	ret = parse(in, in->nhoff, &pkt);
	assert(ret == want);
	if (ret == UDPTRACK_PACKET_FRAGMENT) {
		assert(same_addr(&pkt.tuple.src, &r.tuple.src));
		assert(same_addr(&pkt.tuple.dst, &r.tuple.dst));
	}
	if (ret != UDPTRACK_PACKET_OK)
		return;
	assert(pkt.thoff + 8 <= in->len);
	assert(pkt.thoff == r.thoff);
	assert(same_tuple(&pkt.tuple, &r.tuple));
	assert(pkt.has_checksum == !!read_u16(in->bytes + r.thoff + 6));
	check_segments(in, &pkt);
	check_plain(in, &pkt.tuple);
	check_key(&pkt.tuple);
}

static void check_quote(const struct input *in)
{
	struct reading outer, inner = {};
	enum udptrack_verdict want, ret;
	struct udptrack_packet pkt;
	struct udptrack_quote quote;
	unsigned int offset;
	struct sk_buff skb;

	want = read_quote(in, &outer, &offset);
	if (offset)
		want = read_ports(in, offset, &inner);
	skb_make(&skb, in->bytes, in->len, in->headlen);
	memset(&quote, 0xaa, sizeof(quote));
	ret = udptrack_tuple_parse_quoted(&skb, in->nhoff, in->family, IFINDEX,
					  &quote);
	skb_drop(&skb);
	assert(ret == want);
	if (offset && parse(in, offset, &pkt) == UDPTRACK_PACKET_OK)
		assert(ret == UDPTRACK_PACKET_OK &&
		       same_tuple(&quote.tuple, &pkt.tuple));
	if (ret != UDPTRACK_PACKET_OK)
		return;
	assert(quote.thoff == outer.thoff);
	assert(same_addr(&quote.to, &outer.tuple.dst));
	assert(same_tuple(&quote.tuple, &inner.tuple));
	check_key(&quote.tuple);
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct input in;

	if (size < SETUP)
		return 0;
	in = (struct input) {
		.bytes = data + SETUP,
		.len = size - SETUP,
		.family = data[0] & 1 ? NFPROTO_IPV6 : NFPROTO_IPV4,
		/* Headers are aligned. */
		.nhoff = data[1] % 16 * 4,
		.headlen = read_u16(data + 2),
		.shinfo.gso_size = read_u16(data + 4),
		.shinfo.gso_segs = data[6],
		.shinfo.gso_type = data[7] % 8,
	};
	/* Who looks for an IP header has a packet that long. */
	if (in.nhoff > in.len)
		return 0;
	check_packet(&in);
	check_quote(&in);
	return 0;
}
