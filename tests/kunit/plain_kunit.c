// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain_kunit - the short way of the common packet.
 *
 * The rule: what the short way takes, the long way takes too, with the same key
 * and the same side of it; and it takes what it is for.
 */
#include <linux/string.h>

#include "packet.h"
#include "../../src/plain.h"

#define PAYLOAD	12

static bool is_plain(const struct sk_buff *skb, u8 family,
		     struct udptrack_key *key, struct udptrack_plain *plain)
{
	memset(key, 0xa5, sizeof(*key));
	memset(plain, 0xa5, sizeof(*plain));
	return udptrack_plain_read(skb, 0, family, key, plain);
}

/* What is plain is so by the long way too. */
static bool expect_same(struct kunit *test, const struct packet *p, u8 family)
{
	struct sk_buff *skb = packet_skb(test, p);
	struct udptrack_plain plain;
	struct udptrack_key key, want;
	struct udptrack_packet pkt;

	if (!is_plain(skb, family, &key, &plain))
		return false;
	/* All in pages, so that it goes the long way. */
	KUNIT_ASSERT_EQ(test, UDPTRACK_PACKET_OK,
			packet_parse(packet_skb_paged(test, p, 0), 0, family,
				     &pkt));
	KUNIT_EXPECT_EQ(test, plain.side,
			udptrack_key_from_tuple(&pkt.tuple, &want));
	KUNIT_EXPECT_MEMEQ(test, &key, &want, sizeof(key));
	KUNIT_EXPECT_EQ(test, plain.bytes, pkt.bytes);
	KUNIT_EXPECT_EQ(test, pkt.packets, 1);
	KUNIT_EXPECT_PTR_EQ(test, (void *)plain.udp,
			    (void *)(skb->data + pkt.thoff));
	return true;
}

/* Whichever bit of the headers is flipped. */
static void flip(struct kunit *test, struct packet *p, u8 family)
{
	unsigned int bit, plain = 0;

	KUNIT_EXPECT_TRUE(test, expect_same(test, p, family));
	for (bit = 0; bit < (p->len - PAYLOAD) * 8; bit++) {
		p->bytes[bit / 8] ^= BIT(bit % 8);
		plain += expect_same(test, p, family);
		p->bytes[bit / 8] ^= BIT(bit % 8);
	}
	/* Bits of the addresses and ports, of the checksums and the like. */
	KUNIT_EXPECT_GT(test, plain, 96);
	KUNIT_EXPECT_LT(test, plain, bit);
}

static void plain_flip_ipv4(struct kunit *test)
{
	flip(test, packet_udp4(test, 5, PAYLOAD), NFPROTO_IPV4);
}

static void plain_flip_ipv6(struct kunit *test)
{
	flip(test, packet_udp6(test, PAYLOAD), NFPROTO_IPV6);
}

/* Ends whose order hangs on a single byte of the address, or on the ports. */
static void plain_order_ipv4(struct kunit *test)
{
	static const u32 addrs[] = {
		0x00000000, 0x00000001, 0x000000ff, 0x00000100, 0x01000000,
		0x7fffffff, 0x80000000, 0xff000000, 0xffffffff,
	};
	static const u16 ports[] = { 0, 1, 255, 256, 65535 };
	struct packet *p = packet_udp4(test, 5, PAYLOAD);
	struct iphdr *iph = (struct iphdr *)p->bytes;
	struct udphdr *udp = (struct udphdr *)(iph + 1);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(addrs) * ARRAY_SIZE(addrs); i++) {
		iph->saddr = htonl(addrs[i / ARRAY_SIZE(addrs)]);
		iph->daddr = htonl(addrs[i % ARRAY_SIZE(addrs)]);
		KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV4));
	}
	iph->saddr = iph->daddr;
	for (j = 0; j < ARRAY_SIZE(ports) * ARRAY_SIZE(ports); j++) {
		udp->source = htons(ports[j / ARRAY_SIZE(ports)]);
		udp->dest = htons(ports[j % ARRAY_SIZE(ports)]);
		KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV4));
	}
}

static void plain_order_ipv6(struct kunit *test)
{
	struct packet *p = packet_udp6(test, PAYLOAD);
	struct ipv6hdr *ip6h = (struct ipv6hdr *)p->bytes;
	struct udphdr *udp = (struct udphdr *)(ip6h + 1);
	unsigned int i;

	for (i = 0; i < 16; i++) {
		ip6h->daddr = ip6h->saddr;
		ip6h->saddr.s6_addr[i] ^= 0x81;
		KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV6));
		swap(ip6h->saddr, ip6h->daddr);
		KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV6));
		ip6h->saddr = packet_saddr6;
	}
	ip6h->daddr = ip6h->saddr;
	KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV6));
	swap(udp->source, udp->dest);
	KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV6));
	udp->source = udp->dest;
	KUNIT_EXPECT_TRUE(test, expect_same(test, p, NFPROTO_IPV6));
}

static void expect_not_plain(struct kunit *test, const struct sk_buff *skb,
			     u8 family)
{
	struct udptrack_plain plain;
	struct udptrack_key key;

	KUNIT_EXPECT_FALSE(test, is_plain(skb, family, &key, &plain));
}

/* What needs more than a look is left to the long way. */
static void plain_not(struct kunit *test)
{
	struct packet *p4 = packet_udp4(test, 5, PAYLOAD);
	struct packet *p6 = packet_udp6(test, PAYLOAD);
	struct ipv6hdr *ip6h = (struct ipv6hdr *)p6->bytes;
	struct sk_buff *skb;

	expect_not_plain(test, packet_skb(test, packet_udp4(test, 6, PAYLOAD)),
			 NFPROTO_IPV4);
	expect_not_plain(test, packet_skb_paged(test, p4, 27), NFPROTO_IPV4);
	expect_not_plain(test, packet_skb_paged(test, p6, 47), NFPROTO_IPV6);
	expect_not_plain(test, packet_skb_cut(test, p4, 27), NFPROTO_IPV4);
	expect_not_plain(test, packet_skb_cut(test, p4, 28), NFPROTO_IPV4);
	expect_not_plain(test, packet_skb_cut(test, p6, 48), NFPROTO_IPV6);

	skb = packet_skb(test, p4);
	skb_shinfo(skb)->gso_size = 4;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	expect_not_plain(test, skb, NFPROTO_IPV4);

	/* The link is part of the key. */
	ip6h->daddr.s6_addr[0] = 0xfe;
	ip6h->daddr.s6_addr[1] = 0x80;
	expect_not_plain(test, packet_skb(test, p6), NFPROTO_IPV6);
	ip6h->daddr = ip6h->saddr;
	ip6h->saddr.s6_addr[0] = 0xff;
	ip6h->saddr.s6_addr[1] = 0x02;
	expect_not_plain(test, packet_skb(test, p6), NFPROTO_IPV6);
}

/* The headers alone need be linear. */
static void plain_paged_payload(struct kunit *test)
{
	struct packet *p4 = packet_udp4(test, 5, PAYLOAD);
	struct packet *p6 = packet_udp6(test, PAYLOAD);
	struct udptrack_plain plain;
	struct udptrack_key key;

	KUNIT_EXPECT_TRUE(test, is_plain(packet_skb_paged(test, p4, 28),
					 NFPROTO_IPV4, &key, &plain));
	KUNIT_EXPECT_TRUE(test, is_plain(packet_skb_frag_list(test, p6, 48),
					 NFPROTO_IPV6, &key, &plain));
}

static struct kunit_case plain_cases[] = {
	KUNIT_CASE(plain_flip_ipv4),
	KUNIT_CASE(plain_flip_ipv6),
	KUNIT_CASE(plain_order_ipv4),
	KUNIT_CASE(plain_order_ipv6),
	KUNIT_CASE(plain_not),
	KUNIT_CASE(plain_paged_payload),
	{}
};

static struct kunit_suite plain_suite = {
	.name = "udptrack_plain",
	.test_cases = plain_cases,
};

kunit_test_suite(plain_suite);
