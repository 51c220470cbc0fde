// SPDX-License-Identifier: GPL-2.0-only
/*
 * eviction_kunit - the full table.
 *
 * The rules: an unreplied flow may be given up for a new one, the one nearest
 * to expiry first; a replied flow never is, unless it is dead already; when
 * there is none to give up, the packet is refused and counted, and nothing
 * else changes. There are never more flows than the limit says.
 */
#include "flows.h"

#define NOW	((u32)(0 - 7 * HZ))
#define LIMIT	8

static struct flows *small_table(struct kunit *test)
{
	struct flows *f = flows_new(test);

	f->visit.max = LIMIT;
	return f;
}

/* A flow whose both ends have spoken. */
static void send_both(struct flows *f, unsigned int n, u32 now_j)
{
	flows_send(f, n, UDPTRACK_ORIGINAL, now_j);
	flows_send(f, n, UDPTRACK_REPLY, now_j);
}

/* Up to the limit there is room. */
static void eviction_at_limit(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n;

	for (n = 0; n < LIMIT; n++)
		KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
				flows_send(f, n, UDPTRACK_ORIGINAL, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 0);
}

/* One too many: the flow nearest to expiry goes, which need not be the oldest. */
static void eviction_nearest_to_expiry(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n, victim;

	for (victim = 0; victim < LIMIT; victim++) {
		udptrack_table_flush(&f->table);
		for (n = 0; n < LIMIT; n++)
			flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		for (n = 0; n < LIMIT; n++)
			if (n != victim)
				flows_send(f, n, UDPTRACK_ORIGINAL, NOW + 1);
		KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
				flows_send(f, LIMIT, UDPTRACK_ORIGINAL,
					   NOW + 2));
		for (n = 0; n <= LIMIT; n++)
			KUNIT_EXPECT_EQ_MSG(test, n != victim,
					    flows_live(f, n, NOW + 2),
					    "flow %u, victim %u", n, victim);
		KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
		KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), victim + 1);
	}
}

/* A reply protects a flow, however near its end it is. */
static void eviction_spares_replied(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n;

	for (n = 0; n < LIMIT - 1; n++)
		send_both(f, n, NOW);
	flows_send(f, LIMIT - 1, UDPTRACK_ORIGINAL, NOW + 20 * HZ);
	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, LIMIT, UDPTRACK_ORIGINAL, NOW + 20 * HZ));
	for (n = 0; n <= LIMIT; n++)
		KUNIT_EXPECT_EQ_MSG(test, n != LIMIT - 1,
				    flows_live(f, n, NOW + 20 * HZ),
				    "flow %u", n);
}

/* Nothing to give up: refused, counted, and everything stays as it was. */
static void eviction_all_replied(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int i, n;

	for (n = 0; n < LIMIT; n++)
		send_both(f, n, NOW);
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, UDPTRACK_REFUSED,
				flows_send(f, LIMIT + i, UDPTRACK_ORIGINAL,
					   NOW + HZ));
		KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, full), i);
		KUNIT_EXPECT_FALSE(test, flows_live(f, LIMIT + i, NOW + HZ));
	}
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), LIMIT);
	for (n = 0; n < LIMIT; n++)
		KUNIT_EXPECT_TRUE(test, flows_live(f, n, NOW + HZ));
}

/* The packets of the flows that are there go on. */
static void eviction_full_but_found(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n;

	for (n = 0; n < LIMIT; n++)
		send_both(f, n, NOW);
	flows_send(f, LIMIT, UDPTRACK_ORIGINAL, NOW);
	for (n = 0; n < LIMIT; n++) {
		KUNIT_EXPECT_EQ(test, UDPTRACK_FOUND,
				flows_send(f, n, UDPTRACK_ORIGINAL, NOW + HZ));
		KUNIT_EXPECT_EQ(test, f->result.class, UDPTRACK_ESTABLISHED);
	}
}

/* One flow gone is room for one. */
static void eviction_room_again(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n;

	for (n = 0; n < LIMIT; n++)
		send_both(f, n, NOW);
	KUNIT_EXPECT_TRUE(test, flows_erase(f, 3, NOW));
	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, LIMIT, UDPTRACK_ORIGINAL, NOW));
	flows_send(f, LIMIT, UDPTRACK_REPLY, NOW);
	KUNIT_EXPECT_EQ(test, UDPTRACK_REFUSED,
			flows_send(f, LIMIT + 1, UDPTRACK_ORIGINAL, NOW));
}

/* The dead make room, replied or not, before any that lives. */
static void eviction_expired(struct kunit *test)
{
	u32 now_j = NOW + FLOWS_TIMEOUT;
	struct flows *f = small_table(test);
	unsigned int n;

	send_both(f, 0, NOW);
	for (n = 1; n < LIMIT; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + n);
	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, LIMIT, UDPTRACK_ORIGINAL, now_j));
	for (n = 1; n <= LIMIT; n++)
		KUNIT_EXPECT_TRUE(test, flows_live(f, n, now_j));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 1);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 0);
}

/* A dead flow of one's own needs no other's room. */
static void eviction_own_expired(struct kunit *test)
{
	u32 now_j = NOW + FLOWS_TIMEOUT;
	struct flows *f = small_table(test);
	unsigned int n;

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	for (n = 1; n < LIMIT; n++)
		send_both(f, n, NOW + 1);
	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, 0, UDPTRACK_ORIGINAL, now_j));
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 1);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
}

/* Not making a flow needs no room. */
static void eviction_without_create(struct kunit *test)
{
	struct flows *f = small_table(test);
	unsigned int n;

	for (n = 0; n < LIMIT; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	f->visit.create = false;
	KUNIT_EXPECT_EQ(test, UDPTRACK_ABSENT,
			flows_send(f, LIMIT, UDPTRACK_ORIGINAL, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), LIMIT);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 0);
}

/* A flood of first packets leaves the replied flows and the limit alone. */
static void eviction_flood(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n;

	f->visit.max = 200;
	for (n = 0; n < 200; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		if (n % 2)
			flows_send(f, n, UDPTRACK_REPLY, NOW);
	}
	for (n = 200; n < 1000; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + n / 40);
		KUNIT_ASSERT_LE(test, udptrack_table_count(&f->table), 200);
	}
	for (n = 1; n < 200; n += 2)
		KUNIT_EXPECT_TRUE_MSG(test, flows_live(f, n, NOW + 30),
				      "flow %u", n);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new),
			200 + FLOWS_STAT(f, evicted));
	KUNIT_EXPECT_EQ(test, 800,
			FLOWS_STAT(f, evicted) + FLOWS_STAT(f, full));
	/* With 100 of 200 to choose from, none need be refused for long. */
	KUNIT_EXPECT_LE(test, FLOWS_STAT(f, full), 200 / 16 + 1);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW + 30), 200);
}

/*
 * A packet looks at a bounded number of flows only, but those behind it look
 * on from there: a single unreplied flow among many is found before long.
 */
static void eviction_search_goes_on(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n, tries = 0;
	const unsigned int max = 500;

	f->visit.max = max;
	for (n = 0; n < max - 1; n++)
		send_both(f, n, NOW);
	flows_send(f, max - 1, UDPTRACK_ORIGINAL, NOW);
	while (flows_send(f, max, UDPTRACK_ORIGINAL, NOW) ==
	       UDPTRACK_REFUSED)
		KUNIT_ASSERT_LE(test, ++tries, 2 * max / 16);
	KUNIT_EXPECT_FALSE(test, flows_live(f, max - 1, NOW));
	KUNIT_EXPECT_TRUE(test, flows_live(f, max, NOW));
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, full), tries);
}

/* The search wraps around: a free choice lies behind as well as ahead. */
static void eviction_search_wraps(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n, tries = 0;
	const unsigned int max = 100;

	f->visit.max = max;
	for (n = 0; n < max; n++)
		send_both(f, n, NOW);
	/* Let the search stand somewhere in the middle. */
	flows_send(f, max, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, max, UDPTRACK_ORIGINAL, NOW);
	/* Now the very first flow dies. */
	for (n = 1; n < max; n++)
		flows_send(f, n, UDPTRACK_REPLY, NOW + 1);
	while (flows_send(f, max, UDPTRACK_ORIGINAL, NOW + FLOWS_TIMEOUT) ==
	       UDPTRACK_REFUSED)
		KUNIT_ASSERT_LE(test, ++tries, 2 * max / 16);
	for (n = 1; n <= max; n++)
		KUNIT_EXPECT_TRUE(test,
				  flows_live(f, n, NOW + FLOWS_TIMEOUT));
}

/* A lowered limit makes no new flow cost two, and holds once they are gone. */
static void eviction_lowered_limit(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n;

	for (n = 0; n < 100; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	f->visit.max = 50;
	for (n = 100; n < 200; n++) {
		KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
				flows_send(f, n, UDPTRACK_ORIGINAL, NOW));
		KUNIT_ASSERT_LE(test, udptrack_table_count(&f->table), 100);
	}
	udptrack_table_flush(&f->table);
	for (n = 0; n < 100; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		KUNIT_ASSERT_LE(test, udptrack_table_count(&f->table), 50);
	}
}

static struct kunit_case eviction_cases[] = {
	KUNIT_CASE(eviction_at_limit),
	KUNIT_CASE(eviction_nearest_to_expiry),
	KUNIT_CASE(eviction_spares_replied),
	KUNIT_CASE(eviction_all_replied),
	KUNIT_CASE(eviction_full_but_found),
	KUNIT_CASE(eviction_room_again),
	KUNIT_CASE(eviction_expired),
	KUNIT_CASE(eviction_own_expired),
	KUNIT_CASE(eviction_without_create),
	KUNIT_CASE(eviction_flood),
	KUNIT_CASE(eviction_search_goes_on),
	KUNIT_CASE(eviction_search_wraps),
	KUNIT_CASE(eviction_lowered_limit),
	{}
};

static struct kunit_suite eviction_suite = {
	.name = "udptrack_eviction",
	.test_cases = eviction_cases,
};

kunit_test_suite(eviction_suite);
