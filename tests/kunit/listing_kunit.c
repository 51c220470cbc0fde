// SPDX-License-Identifier: GPL-2.0-only
/*
 * listing_kunit - going through the flows while they come and go.
 *
 * The rules: oldest first; a flow that lives through the whole listing is seen
 * exactly once, whatever is added, removed or resized meanwhile; none is seen
 * that was made after the listing began; a listing can be left at any flow and
 * taken up again.
 */
#include <linux/prandom.h>

#include "flows.h"

#define NOW	((u32)(0 - 7 * HZ))

static void listing_empty(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;

	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, 0, ULONG_MAX,
						     NOW, NULL, &snap));
	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, 0, 0, NOW, NULL,
						     &snap));
}

/* A snapshot is the whole flow, in the direction of its first packet. */
static void listing_snapshot(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	struct udptrack_tuple want;
	unsigned int n;

	for (n = 0; n < 4; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + n);
		flows_send(f, n, UDPTRACK_REPLY, NOW + n);
		flows_send(f, n, UDPTRACK_REPLY, NOW + n + 3 * HZ);
	}
	for (n = 0; n < 4; n++) {
		memset(&snap, 0xa5, sizeof(snap));
		KUNIT_ASSERT_TRUE(test, flows_get(f, n, NOW + 9, &snap));
		flows_tuple(n, &want);
		KUNIT_EXPECT_MEMEQ(test, &snap.tuple.src, &want.src,
				   sizeof(want.src));
		KUNIT_EXPECT_MEMEQ(test, &snap.tuple.dst, &want.dst,
				   sizeof(want.dst));
		KUNIT_EXPECT_EQ(test, snap.tuple.sport, want.sport);
		KUNIT_EXPECT_EQ(test, snap.tuple.dport, want.dport);
		KUNIT_EXPECT_EQ(test, snap.tuple.family, want.family);
		KUNIT_EXPECT_EQ(test, snap.id, n + 1);
		KUNIT_EXPECT_EQ(test, snap.state.expires_j,
				(u32)(NOW + n + 3 * HZ + FLOWS_STREAM));
		KUNIT_EXPECT_TRUE(test,
				  snap.state.flags & UDPTRACK_SEEN_REPLY);
		KUNIT_EXPECT_TRUE(test, snap.state.flags & UDPTRACK_ASSURED);
		KUNIT_EXPECT_TRUE(test, snap.acct);
		KUNIT_EXPECT_EQ(test, snap.traffic[0].packets, 1);
		KUNIT_EXPECT_EQ(test, snap.traffic[0].bytes, FLOWS_BYTES);
		KUNIT_EXPECT_EQ(test, snap.traffic[1].packets, 2);
		KUNIT_EXPECT_EQ(test, snap.traffic[1].bytes, 2 * FLOWS_BYTES);
	}
}

static void listing_oldest_first(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	unsigned long id = 0;
	unsigned int n;

	for (n = 0; n < 200; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	/* What refreshes a flow does not make it younger. */
	flows_send(f, 0, UDPTRACK_REPLY, NOW + HZ);
	for (n = 0; n < 200; n++) {
		KUNIT_ASSERT_TRUE(test,
				  udptrack_table_next(&f->table, id, ULONG_MAX,
						      NOW, NULL, &snap));
		KUNIT_ASSERT_EQ(test, flows_number(&snap.tuple), n);
		KUNIT_ASSERT_GE(test, snap.id, id);
		id = snap.id + 1;
	}
	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, id, ULONG_MAX,
						     NOW, NULL, &snap));
}

/* Both ends of the range are wanted, nothing beyond. */
static void listing_range(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	unsigned int n;

	for (n = 0; n < 10; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, udptrack_table_last_id(&f->table), 10);
	KUNIT_ASSERT_TRUE(test, udptrack_table_next(&f->table, 4, 4, NOW, NULL,
						    &snap));
	KUNIT_EXPECT_EQ(test, snap.id, 4);
	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, 11, ULONG_MAX,
						     NOW, NULL, &snap));
	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, 5, 4, NOW, NULL,
						     &snap));
	KUNIT_EXPECT_TRUE(test, flows_erase(f, 3, NOW));
	KUNIT_EXPECT_FALSE(test, udptrack_table_next(&f->table, 4, 4, NOW, NULL,
						     &snap));
	KUNIT_ASSERT_TRUE(test, udptrack_table_next(&f->table, 4, 10, NOW, NULL,
						    &snap));
	KUNIT_EXPECT_EQ(test, snap.id, 5);
}

/* From every cursor there is, the same flows follow. */
static void listing_resume(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	unsigned int n, want;
	unsigned long id;

	for (n = 0; n < 150; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	for (n = 0; n < 150; n++)
		if (n % 3)
			flows_erase(f, n, NOW);
	/* Flow n has id n + 1; those left are 0, 3, 6, ... */
	for (id = 0; id <= 151; id++) {
		want = id ? roundup(id - 1, 3) : 0;
		KUNIT_ASSERT_EQ_MSG(test, want < 150,
				    udptrack_table_next(&f->table, id, 150,
							NOW, NULL, &snap),
				    "from id %lu", id);
		if (want < 150)
			KUNIT_ASSERT_EQ_MSG(test, flows_number(&snap.tuple),
					    want, "from id %lu", id);
	}
}

/* Dead flows are passed over, however many lie before the next live one. */
static void listing_expired(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	unsigned int n;

	for (n = 0; n < 1000; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 1000, UDPTRACK_ORIGINAL, NOW + 1);
	KUNIT_EXPECT_TRUE(test,
			  udptrack_table_next(&f->table, 0, ULONG_MAX,
					      NOW + FLOWS_TIMEOUT, NULL, &snap));
	KUNIT_EXPECT_EQ(test, flows_number(&snap.tuple), 1000);
	KUNIT_EXPECT_FALSE(test,
			   udptrack_table_next(&f->table, 0, ULONG_MAX,
					       NOW + FLOWS_TIMEOUT + 1, NULL,
					       &snap));
}

/*
 * Flows 0 to STEADY - 1 live through the listing; others are made and erased
 * at every step, enough of them to make the hash table grow and shrink.
 */
#define STEADY	300

static void churn(struct flows *f, struct rnd_state *rnd)
{
	unsigned int i, n;

	for (i = 0; i < 8; i++) {
		n = STEADY + prandom_u32_state(rnd) % 2000;
		if (!flows_erase(f, n, NOW))
			flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	}
}

static const struct listing_seed {
	const char *desc;
	u32 seed;
} seeds[] = {
	{ "seed 1", 1 }, { "seed 2", 2 },
};

KUNIT_ARRAY_PARAM_DESC(seed, seeds, desc);

static void listing_while_changing(struct kunit *test)
{
	const struct listing_seed *c = test->param_value;
	unsigned int n, next_steady = 0, steps = 0;
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	unsigned long id = 0, last;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, c->seed);
	for (n = 0; n < STEADY; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		churn(f, &rnd);
	}
	last = udptrack_table_last_id(&f->table);
	while (udptrack_table_next(&f->table, id, last, NOW, NULL, &snap)) {
		KUNIT_ASSERT_LE(test, snap.id, last);
		KUNIT_ASSERT_GE(test, snap.id, id);
		n = flows_number(&snap.tuple);
		/* They were made in this order, so that shows "once". */
		if (n < STEADY)
			KUNIT_ASSERT_EQ(test, n, next_steady++);
		id = snap.id + 1;
		steps++;
		churn(f, &rnd);
	}
	KUNIT_EXPECT_EQ(test, next_steady, STEADY);
	/* What was made since is there, but was not shown. */
	KUNIT_EXPECT_GT(test, udptrack_table_last_id(&f->table), last);
	kunit_info(test, "%u flows listed, %u in the table", steps,
		   udptrack_table_count(&f->table));
}

static struct kunit_case listing_cases[] = {
	KUNIT_CASE(listing_empty),
	KUNIT_CASE(listing_snapshot),
	KUNIT_CASE(listing_oldest_first),
	KUNIT_CASE(listing_range),
	KUNIT_CASE(listing_resume),
	KUNIT_CASE(listing_expired),
	KUNIT_CASE_PARAM_ATTR(listing_while_changing, seed_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite listing_suite = {
	.name = "udptrack_listing",
	.test_cases = listing_cases,
};

kunit_test_suite(listing_suite);
