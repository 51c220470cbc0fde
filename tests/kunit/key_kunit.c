// SPDX-License-Identifier: GPL-2.0-only
/*
 * key_kunit - the two ends of a conversation, sorted.
 *
 * The rules: both directions have one key and opposite sides; a key and a side
 * give the tuple back; different conversations have different keys; every byte
 * of a key is determined, since keys are hashed and compared as bytes.
 */
#include <linux/prandom.h>
#include <linux/string.h>

#include "packet.h"

#define ROUNDS	20000
#define SEED	20240607

static struct udptrack_tuple inverse(const struct udptrack_tuple *tuple)
{
	struct udptrack_tuple inv = *tuple;

	inv.src = tuple->dst;
	inv.dst = tuple->src;
	inv.sport = tuple->dport;
	inv.dport = tuple->sport;
	return inv;
}

static bool tuple_equal(const struct udptrack_tuple *a,
			const struct udptrack_tuple *b)
{
	return !memcmp(&a->src, &b->src, sizeof(a->src)) &&
	       !memcmp(&a->dst, &b->dst, sizeof(a->dst)) &&
	       a->sport == b->sport && a->dport == b->dport &&
	       a->scope == b->scope && a->family == b->family;
}

/* An address of few, so that equal ones and near misses are frequent. */
static void random_addr(struct rnd_state *rnd, u8 family,
			union nf_inet_addr *addr)
{
	u32 r = prandom_u32_state(rnd);

	memset(addr, 0, sizeof(*addr));
	if (family == NFPROTO_IPV4) {
		addr->ip = htonl((r & 1) << 31 | (r >> 1 & 1) << 8 |
				 (r >> 2 & 1));
		return;
	}
	/* Differences in the first byte, the last, and one in the middle. */
	addr->in6.s6_addr[0] = r & 1 ? 0x20 : 0xfe;
	addr->in6.s6_addr[7] = r >> 1 & 1;
	addr->in6.s6_addr[15] = r >> 2 & 1;
}

static void random_tuple(struct rnd_state *rnd, struct udptrack_tuple *tuple)
{
	static const u16 ports[] = { 0, 1, 53, 255, 256, 0x3500, 65535 };
	u32 r = prandom_u32_state(rnd);

	memset(tuple, 0, sizeof(*tuple));
	tuple->family = r & 1 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	random_addr(rnd, tuple->family, &tuple->src);
	random_addr(rnd, tuple->family, &tuple->dst);
	tuple->sport = htons(ports[(r >> 8 & 0xff) % ARRAY_SIZE(ports)]);
	tuple->dport = htons(ports[(r >> 16 & 0xff) % ARRAY_SIZE(ports)]);
	if (tuple->family == NFPROTO_IPV6)
		tuple->scope = r >> 1 & 3;
}

/* Both directions share a key; their sides differ, unless both ends are one. */
static void key_directions(struct kunit *test)
{
	struct udptrack_tuple tuple, inv;
	struct udptrack_key key, inv_key;
	unsigned int i, side, inv_side;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, SEED);
	for (i = 0; i < ROUNDS; i++) {
		random_tuple(&rnd, &tuple);
		inv = inverse(&tuple);
		side = udptrack_key_from_tuple(&tuple, &key);
		inv_side = udptrack_key_from_tuple(&inv, &inv_key);
		KUNIT_ASSERT_LE_MSG(test, side, 1, "round %u", i);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    memcmp(&key, &inv_key, sizeof(key)),
				    "round %u", i);
		if (tuple_equal(&tuple, &inv))
			KUNIT_ASSERT_EQ_MSG(test, side, inv_side, "round %u",
					    i);
		else
			KUNIT_ASSERT_EQ_MSG(test, side, !inv_side, "round %u",
					    i);
	}
}

/* The key and the sender's side are the tuple; the other side, its inverse. */
static void key_there_and_back(struct kunit *test)
{
	struct udptrack_tuple tuple, inv, got;
	struct udptrack_key key;
	struct rnd_state rnd;
	unsigned int i, side;

	prandom_seed_state(&rnd, SEED + 1);
	for (i = 0; i < ROUNDS; i++) {
		random_tuple(&rnd, &tuple);
		inv = inverse(&tuple);
		side = udptrack_key_from_tuple(&tuple, &key);
		memset(&got, 0xa5, sizeof(got));
		udptrack_key_to_tuple(&key, side, &got);
		KUNIT_ASSERT_TRUE_MSG(test, tuple_equal(&tuple, &got),
				      "round %u", i);
		memset(&got, 0xa5, sizeof(got));
		udptrack_key_to_tuple(&key, !side, &got);
		KUNIT_ASSERT_TRUE_MSG(test, tuple_equal(&inv, &got),
				      "round %u, inverse", i);
	}
}

/* Two packets have one key only if they are of one conversation. */
static void key_distinct(struct kunit *test)
{
	struct udptrack_tuple a, b, inv;
	struct udptrack_key key_a, key_b;
	unsigned int i, same = 0;
	struct rnd_state rnd;
	bool want;

	prandom_seed_state(&rnd, SEED + 2);
	for (i = 0; i < ROUNDS; i++) {
		random_tuple(&rnd, &a);
		random_tuple(&rnd, &b);
		inv = inverse(&b);
		want = tuple_equal(&a, &b) || tuple_equal(&a, &inv);
		same += want;
		udptrack_key_from_tuple(&a, &key_a);
		udptrack_key_from_tuple(&b, &key_b);
		KUNIT_ASSERT_EQ_MSG(test, want,
				    !memcmp(&key_a, &key_b, sizeof(key_a)),
				    "round %u", i);
	}
	/* The pool is small enough for this to have been a test. */
	KUNIT_EXPECT_GT(test, same, 0);
}

/* No byte of a key keeps what its memory held before. */
static void key_every_byte(struct kunit *test)
{
	struct udptrack_key zeros, ones;
	struct udptrack_tuple tuple;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, SEED + 3);
	for (i = 0; i < 1000; i++) {
		random_tuple(&rnd, &tuple);
		memset(&zeros, 0x00, sizeof(zeros));
		memset(&ones, 0xff, sizeof(ones));
		udptrack_key_from_tuple(&tuple, &zeros);
		udptrack_key_from_tuple(&tuple, &ones);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    memcmp(&zeros, &ones, sizeof(ones)),
				    "round %u", i);
	}
}

static void ipv4_tuple(struct udptrack_tuple *tuple, u32 src, u16 sport,
		       u32 dst, u16 dport)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->family = NFPROTO_IPV4;
	tuple->src.ip = htonl(src);
	tuple->dst.ip = htonl(dst);
	tuple->sport = htons(sport);
	tuple->dport = htons(dport);
}

/* The lower address is side 0, whatever the ports. */
static void key_order_by_address(struct kunit *test)
{
	struct udptrack_tuple tuple;
	struct udptrack_key key;

	ipv4_tuple(&tuple, 0x0a000001, 9999, 0x0a000002, 1);
	KUNIT_EXPECT_EQ(test, 0, udptrack_key_from_tuple(&tuple, &key));
	KUNIT_EXPECT_EQ(test, key.addr[0].ip, tuple.src.ip);
	KUNIT_EXPECT_EQ(test, key.port[0], tuple.sport);
	ipv4_tuple(&tuple, 0xfe000001, 1, 0x0a0000ff, 9999);
	KUNIT_EXPECT_EQ(test, 1, udptrack_key_from_tuple(&tuple, &key));
	KUNIT_EXPECT_EQ(test, key.addr[1].ip, tuple.src.ip);
	KUNIT_EXPECT_EQ(test, key.port[1], tuple.sport);
}

/* Between equal addresses the ports decide, as numbers. */
static void key_order_by_port(struct kunit *test)
{
	struct udptrack_tuple tuple;
	struct udptrack_key key;

	ipv4_tuple(&tuple, 0x7f000001, 255, 0x7f000001, 256);
	KUNIT_EXPECT_EQ(test, 0, udptrack_key_from_tuple(&tuple, &key));
	KUNIT_EXPECT_EQ(test, ntohs(key.port[0]), 255);
	KUNIT_EXPECT_EQ(test, ntohs(key.port[1]), 256);
	ipv4_tuple(&tuple, 0x7f000001, 65535, 0x7f000001, 0);
	KUNIT_EXPECT_EQ(test, 1, udptrack_key_from_tuple(&tuple, &key));
	KUNIT_EXPECT_EQ(test, ntohs(key.port[0]), 0);
	KUNIT_EXPECT_EQ(test, ntohs(key.port[1]), 65535);
}

/* Only equal addresses and equal ports together make a self-conversation. */
static void key_self(struct kunit *test)
{
	struct udptrack_tuple tuple;
	struct udptrack_key key;

	ipv4_tuple(&tuple, 0x7f000001, 5353, 0x7f000001, 5353);
	udptrack_key_from_tuple(&tuple, &key);
	KUNIT_EXPECT_TRUE(test, udptrack_key_is_self(&key));
	ipv4_tuple(&tuple, 0x7f000001, 5353, 0x7f000001, 5354);
	udptrack_key_from_tuple(&tuple, &key);
	KUNIT_EXPECT_FALSE(test, udptrack_key_is_self(&key));
	ipv4_tuple(&tuple, 0x7f000001, 5353, 0x7f000002, 5353);
	udptrack_key_from_tuple(&tuple, &key);
	KUNIT_EXPECT_FALSE(test, udptrack_key_is_self(&key));
}

static void key_self_ipv6(struct kunit *test)
{
	struct udptrack_tuple tuple = { .family = NFPROTO_IPV6 };
	struct udptrack_key key;

	tuple.src.in6 = packet_saddr6;
	tuple.dst.in6 = packet_saddr6;
	tuple.sport = htons(5353);
	tuple.dport = htons(5353);
	udptrack_key_from_tuple(&tuple, &key);
	KUNIT_EXPECT_TRUE(test, udptrack_key_is_self(&key));
	/* The first word alone is not the address. */
	tuple.dst.in6.s6_addr[15] ^= 1;
	udptrack_key_from_tuple(&tuple, &key);
	KUNIT_EXPECT_FALSE(test, udptrack_key_is_self(&key));
}

/* One pair of link-local addresses on two links is two conversations. */
static void key_scope(struct kunit *test)
{
	struct udptrack_tuple tuple = { .family = NFPROTO_IPV6 };
	struct udptrack_key a, b;

	tuple.src.in6 = packet_saddr6;
	tuple.dst.in6 = packet_daddr6;
	tuple.scope = 2;
	udptrack_key_from_tuple(&tuple, &a);
	tuple.scope = 3;
	udptrack_key_from_tuple(&tuple, &b);
	KUNIT_EXPECT_NE(test, 0, memcmp(&a, &b, sizeof(a)));
	KUNIT_EXPECT_EQ(test, a.scope, 2);
	KUNIT_EXPECT_EQ(test, b.scope, 3);
}

/* An IPv4 address is not the IPv6 address that begins with its bytes. */
static void key_family(struct kunit *test)
{
	struct udptrack_tuple tuple;
	struct udptrack_key a, b;

	ipv4_tuple(&tuple, 0x20010db8, 1, 0x20010db9, 2);
	udptrack_key_from_tuple(&tuple, &a);
	tuple.family = NFPROTO_IPV6;
	udptrack_key_from_tuple(&tuple, &b);
	KUNIT_EXPECT_NE(test, 0, memcmp(&a, &b, sizeof(a)));
}

static struct kunit_case key_cases[] = {
	KUNIT_CASE(key_directions),
	KUNIT_CASE(key_there_and_back),
	KUNIT_CASE(key_distinct),
	KUNIT_CASE(key_every_byte),
	KUNIT_CASE(key_order_by_address),
	KUNIT_CASE(key_order_by_port),
	KUNIT_CASE(key_self),
	KUNIT_CASE(key_self_ipv6),
	KUNIT_CASE(key_scope),
	KUNIT_CASE(key_family),
	{}
};

static struct kunit_suite key_suite = {
	.name = "udptrack_key",
	.test_cases = key_cases,
};

kunit_test_suite(key_suite);
