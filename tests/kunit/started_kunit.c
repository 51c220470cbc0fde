// SPDX-License-Identifier: GPL-2.0-only
/*
 * started_kunit - finding the flows that this host started on a port.
 *
 * Of the flows of flows.c, number 2 and 6 are sent from port 53 and number 4
 * from 1028, all IPv4; number 3 is IPv6, from port 53.
 */
#include "flows.h"

#define NOW	1000

static void start(struct flows *f, unsigned int n, int ifindex)
{
	f->visit.ifindex = ifindex;
	flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
}

static bool note(const struct udptrack_started *flow, void *arg)
{
	unsigned long *seen = arg;

	__set_bit(flows_number(&flow->tuple), seen);
	return false;
}

/* The numbers of all flows on a port, as bits. */
static unsigned long started(struct flows *f, u16 port, u32 now_j)
{
	unsigned long seen = 0;

	udptrack_started_any(&f->table, htons(port), now_j, note, &seen);
	return seen;
}

/* Those from before somebody wanted to know, and those from after. */
static void started_index(struct kunit *test)
{
	struct flows *f = flows_new(test);

	start(f, 2, 7);
	start(f, 4, 7);
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 53, NOW));
	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	start(f, 3, 8);
	start(f, 6, 0);
	KUNIT_EXPECT_EQ(test, BIT(2) | BIT(3), started(f, 53, NOW));
	KUNIT_EXPECT_EQ(test, BIT(4), started(f, 1028, NOW));
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 13568, NOW));
	/* Once more changes nothing. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	KUNIT_EXPECT_EQ(test, BIT(2) | BIT(3), started(f, 53, NOW));
}

/* Not once they are dead, be it by time or by hand. */
static void started_ends(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned long cursor = 0;
	u32 sleep_j = 0;

	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	start(f, 2, 7);
	start(f, 6, 7);
	start(f, 3, 7);
	KUNIT_EXPECT_TRUE(test, flows_erase(f, 6, NOW));
	KUNIT_EXPECT_EQ(test, BIT(2) | BIT(3), started(f, 53, NOW));
	KUNIT_EXPECT_EQ(test, BIT(2) | BIT(3),
			started(f, 53, NOW + FLOWS_TIMEOUT - 1));
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 53, NOW + FLOWS_TIMEOUT));
	udptrack_table_collect(&f->table, NOW + FLOWS_TIMEOUT, 100, &cursor,
			       &sleep_j);
	KUNIT_EXPECT_EQ(test, 0U, udptrack_table_count(&f->table));
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 53, NOW));
	/* Who comes back is there again. */
	f->visit.ifindex = 7;
	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, BIT(2), started(f, 53, NOW));
}

/* An answer does not make it the other end's. */
static void started_answered(struct kunit *test)
{
	struct flows *f = flows_new(test);

	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	start(f, 4, 0);
	f->visit.ifindex = 7;
	flows_send(f, 4, UDPTRACK_REPLY, NOW);
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 53, NOW));
	KUNIT_EXPECT_EQ(test, 0UL, started(f, 1028, NOW));
}

static bool copy(const struct udptrack_started *flow, void *arg)
{
	struct udptrack_started *to = arg;

	*to = *flow;
	return true;
}

/* What is told of one. */
static void started_copy(struct kunit *test)
{
	struct udptrack_owner owner = {
		.uid = KUIDT_INIT(1234), .has_uid = true, .final = true,
	};
	struct flows *f = flows_new(test);
	struct udptrack_started flow;
	struct udptrack_tuple tuple;
	struct udptrack_key key;

	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	start(f, 2, 7);
	KUNIT_ASSERT_TRUE(test, udptrack_started_any(&f->table, htons(53), NOW,
						     copy, &flow));
	flows_tuple(2, &tuple);
	KUNIT_EXPECT_MEMEQ(test, &tuple, &flow.tuple, sizeof(tuple));
	KUNIT_EXPECT_EQ(test, 7, flow.ifindex);
	KUNIT_EXPECT_FALSE(test, flow.has_uid);
	flows_key(2, UDPTRACK_ORIGINAL, &key);
	udptrack_table_own(&f->table, &key, &owner);
	KUNIT_ASSERT_TRUE(test, udptrack_started_any(&f->table, htons(53), NOW,
						     copy, &flow));
	KUNIT_EXPECT_TRUE(test, flow.has_uid);
	KUNIT_EXPECT_EQ(test, 1234, __kuid_val(flow.uid));
}

static bool count(const struct udptrack_started *flow, void *arg)
{
	unsigned int *n = arg;

	++*n;
	return false;
}

/* However many there are, not more than so many are looked at. */
static void started_bounded(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int i, n = 0;

	KUNIT_ASSERT_EQ(test, 0, udptrack_started_index(&f->table));
	for (i = 0; i < 2000; i++)
		start(f, 4 * i + 2, 7);
	KUNIT_EXPECT_FALSE(test,
			   udptrack_started_any(&f->table, htons(53), NOW,
						count, &n));
	KUNIT_EXPECT_EQ(test, 1024U, n);
}

static struct kunit_case started_cases[] = {
	KUNIT_CASE(started_index),
	KUNIT_CASE(started_ends),
	KUNIT_CASE(started_answered),
	KUNIT_CASE(started_copy),
	KUNIT_CASE(started_bounded),
	{}
};

static struct kunit_suite started_suite = {
	.name = "udptrack_started",
	.test_cases = started_cases,
};

kunit_test_suite(started_suite);
