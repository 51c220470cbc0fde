// SPDX-License-Identifier: GPL-2.0-only
/*
 * growth_kunit - many flows, few again, and none for want of memory.
 */
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/sched.h>

#include "flows.h"

#define NOW	((u32)(0 - 7 * HZ))
#define MANY	20000
#define FEW	50
#define DYING	4000
#define STEP	300
#define STEPS	20

/* The hash table is resized behind everybody's back; give it time. */
static bool buckets_between(struct flows *f, unsigned int low,
			    unsigned int high)
{
	unsigned int buckets, tries;

	for (tries = 0; tries < 500; tries++) {
		buckets = udptrack_table_buckets(&f->table);
		if (buckets >= low && buckets <= high)
			return true;
		msleep(20);
	}
	return false;
}

/* Every flow is found while the hash table grows and while it shrinks. */
static void growth_and_back(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n, start;

	start = udptrack_table_buckets(&f->table);
	KUNIT_EXPECT_LE(test, start, 1024);
	for (n = 0; n < MANY; n++) {
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_CREATED,
				    flows_send(f, n, UDPTRACK_ORIGINAL, NOW),
				    "flow %u", n);
		KUNIT_ASSERT_TRUE_MSG(test, flows_live(f, n / 2, NOW),
				      "flow %u of %u", n / 2, n);
	}
	KUNIT_EXPECT_TRUE(test, buckets_between(f, MANY / 2, 8 * MANY));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), MANY);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW), MANY);
	kunit_info(test, "%u buckets for %u flows, %u for none",
		   udptrack_table_buckets(&f->table), MANY, start);

	for (n = 0; n < MANY; n++)
		KUNIT_ASSERT_EQ_MSG(test, UDPTRACK_FOUND,
				    flows_send(f, n, UDPTRACK_REPLY, NOW),
				    "flow %u of all", n);
	for (n = FEW; n < MANY; n++) {
		KUNIT_ASSERT_TRUE_MSG(test, flows_erase(f, n, NOW),
				      "flow %u", n);
		KUNIT_ASSERT_TRUE_MSG(test, flows_live(f, n % FEW, NOW),
				      "flow %u, %u erased", n % FEW, n);
	}
	KUNIT_EXPECT_TRUE(test, buckets_between(f, 1, 1024));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), FEW);
	for (n = 0; n < FEW; n++)
		KUNIT_EXPECT_TRUE(test, flows_live(f, n, NOW));
}

/*
 * Many steps up and down, each of them small: however often, the table is as
 * large as it has to be.
 */
static void growth_in_steps(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n, round;

	for (round = 0; round < STEPS; round++) {
		for (n = 0; n < STEP; n++)
			KUNIT_ASSERT_EQ(test, UDPTRACK_CREATED,
					flows_send(f, n, UDPTRACK_ORIGINAL,
						   NOW));
		KUNIT_ASSERT_TRUE_MSG(test, buckets_between(f, STEP, 8 * STEP),
				      "up, round %u", round);
		for (n = 0; n < STEP; n++)
			KUNIT_ASSERT_TRUE(test, flows_erase(f, n, NOW));
		KUNIT_ASSERT_TRUE_MSG(test, buckets_between(f, 1, STEP - 1),
				      "down, round %u", round);
	}
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), STEPS * STEP);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, alloc_failed), 0);
}

/* Thousands that died at once are freed in slices, and none is overlooked. */
static void growth_mass_death(struct kunit *test)
{
	struct flows *f = flows_new(test);
	u32 now_j = NOW + FLOWS_TIMEOUT;
	unsigned long cursor = 0;
	u32 sleep_j = U32_MAX;
	unsigned int n;

	for (n = 0; n < DYING; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + (n % 10 == 3));
	while (!udptrack_table_collect(&f->table, now_j, 128, &cursor,
				       &sleep_j))
		cond_resched();
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), DYING / 10);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), DYING - DYING / 10);
	KUNIT_EXPECT_EQ(test, sleep_j, 1);
}

#ifdef CONFIG_FAILSLAB
/* Let the @nth allocation of this task fail during a first packet. */
static enum udptrack_outcome send_failing(struct flows *f, unsigned int n,
					  unsigned int nth, bool *failed)
{
	enum udptrack_outcome ret;

	current->fail_nth = nth;
	ret = flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	*failed = !current->fail_nth;
	current->fail_nth = 0;
	return ret;
}
#else
static enum udptrack_outcome send_failing(struct flows *f, unsigned int n,
					  unsigned int nth, bool *failed)
{
	*failed = false;
	return flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
}
#endif

/*
 * Memory comes by the page, so most flows need none: send first packets, from
 * number @n on, until there is one whose memory can be refused. Returns its
 * number, 0 when there is none.
 */
static unsigned int first_failing(struct flows *f, unsigned int n,
				  enum udptrack_outcome *ret)
{
	unsigned int end = n + 1000;
	bool failed;

	for (; n < end; n++) {
		*ret = send_failing(f, n, 1, &failed);
		if (failed)
			return n;
	}
	return 0;
}

/* No memory for a flow: no flow, a count, and all is well the next time. */
static void growth_no_memory(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_outcome ret;
	unsigned int n;

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	n = first_failing(f, 1, &ret);
	if (!n)
		kunit_skip(test, "needs CONFIG_FAILSLAB");
	KUNIT_EXPECT_EQ(test, ret, UDPTRACK_REFUSED);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, alloc_failed), 1);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), n);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), n);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW), n);
	KUNIT_EXPECT_FALSE(test, flows_live(f, n, NOW));

	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, n, UDPTRACK_ORIGINAL, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), n + 1);
}

/*
 * Whichever allocation fails, in a table of whatever size: either the flow is
 * there and counted, or it is not and that is counted.
 */
static void growth_any_allocation_fails(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n, nth = 1, count = 0, refused = 0, failures = 0;
	enum udptrack_outcome ret;
	bool failed;

	for (n = 0; n < 600; n++) {
		/* The first, and as long as that is fatal, the one after. */
		ret = send_failing(f, n, nth, &failed);
		nth = ret == UDPTRACK_REFUSED ? nth + 1 : 1;
		failures += failed;
		refused += ret == UDPTRACK_REFUSED;
		count += ret == UDPTRACK_CREATED;
		KUNIT_ASSERT_TRUE(test, ret == UDPTRACK_CREATED ||
				  (ret == UDPTRACK_REFUSED && failed));
		KUNIT_ASSERT_EQ(test, count, udptrack_table_count(&f->table));
		KUNIT_ASSERT_EQ(test, ret == UDPTRACK_CREATED,
				flows_live(f, n, NOW));
	}
	if (!failures)
		kunit_skip(test, "needs CONFIG_FAILSLAB");
	KUNIT_EXPECT_EQ(test, refused, FLOWS_STAT(f, alloc_failed) +
				       FLOWS_STAT(f, insert_failed));
	/* Ids come 64 at a time, records no more than 84. */
	KUNIT_EXPECT_GE(test, refused, count / 64 + count / 84);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW), count);
	udptrack_table_flush(&f->table);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
	kunit_info(test, "%u allocations failed, %u packets refused",
		   failures, refused);
}

/* Want of memory in a full table gives the limit back as well. */
static void growth_no_memory_when_full(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_outcome ret;
	unsigned int i, n;

	f->visit.max = 4;
	for (n = 0; n < 4; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	n = first_failing(f, n, &ret);
	if (!n)
		kunit_skip(test, "needs CONFIG_FAILSLAB");
	KUNIT_EXPECT_EQ(test, ret, UDPTRACK_REFUSED);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table),
			flows_listed(f, NOW));
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
				flows_send(f, n + i, UDPTRACK_ORIGINAL, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 4);
}

static struct kunit_case growth_cases[] = {
	KUNIT_CASE_SLOW(growth_and_back),
	KUNIT_CASE_SLOW(growth_in_steps),
	KUNIT_CASE_SLOW(growth_mass_death),
	KUNIT_CASE(growth_no_memory),
	KUNIT_CASE(growth_any_allocation_fails),
	KUNIT_CASE(growth_no_memory_when_full),
	{}
};

static struct kunit_suite growth_suite = {
	.name = "udptrack_growth",
	.test_cases = growth_cases,
};

kunit_test_suite(growth_suite);
