// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_kunit - one table, all CPUs.
 *
 * What must hold when everybody has come home: one flow a conversation however
 * many first packets raced, every packet counted once, every flow that was made
 * either there or accounted for as gone, and an empty table when it is flushed.
 */
#include "racers.h"

/* Racers that are slower than the machine stop at the deadline. */
#define ROUNDS	6000

static u32 end_j(const struct race *race)
{
	return atomic_read(&race->clock_j);
}

static unsigned int outcomes(const struct racer *racers, unsigned int n,
			     enum udptrack_outcome outcome)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += racers[i].outcomes[outcome];
	return sum;
}

static unsigned int erased(const struct racer *racers, unsigned int n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += racers[i].erased;
	return sum;
}

/* The packets that the flows in the table have counted. */
static u64 packets_counted(struct race *race)
{
	unsigned long last = udptrack_table_last_id(&race->f->table);
	struct udptrack_snapshot snap;
	unsigned long id = 0;
	u64 sum = 0;

	while (udptrack_table_next(&race->f->table, id, last,
				   end_j(race) - FLOWS_AGES, NULL, &snap)) {
		sum += snap.traffic[0].packets + snap.traffic[1].packets;
		id = snap.id + 1;
	}
	return sum;
}

/* The counters agree with what the racers were told. */
static void expect_counters(struct kunit *test, struct race *race,
			    const struct racer *racers, unsigned int n)
{
	struct flows *f = race->f;

	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, found),
			outcomes(racers, n, UDPTRACK_FOUND));
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new),
			outcomes(racers, n, UDPTRACK_CREATED));
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, full) +
			      FLOWS_STAT(f, alloc_failed) +
			      FLOWS_STAT(f, insert_failed),
			outcomes(racers, n, UDPTRACK_REFUSED));
	/* What is counted is what is listed, the dead included. */
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table),
			flows_listed(f, end_j(race) - FLOWS_AGES));
	kunit_info(test, "%u found, %u created, %u refused, %u clashes",
		   FLOWS_STAT(f, found), FLOWS_STAT(f, new),
		   outcomes(racers, n, UDPTRACK_REFUSED),
		   FLOWS_STAT(f, clash));
}

/* Flushed, the table is empty whoever is asked, and can be filled again. */
static void expect_flushed(struct kunit *test, struct race *race)
{
	u32 now_j = end_j(race) - FLOWS_AGES;
	struct flows *f = race->f;
	unsigned int n, live = 0;

	udptrack_table_flush(&f->table);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
	KUNIT_EXPECT_EQ(test, flows_listed(f, now_j), 0);
	for (n = 0; n < race->keys; n++)
		live += flows_live(f, n, now_j);
	KUNIT_EXPECT_EQ(test, live, 0);
	KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
			flows_send(f, 0, UDPTRACK_ORIGINAL, end_j(race)));
}

/* First packets from all CPUs, both directions at once: one flow each. */
static void race_first_packets(struct kunit *test)
{
	struct race *race = race_new(test, 1000);
	unsigned int n, total, not_one = 0;
	struct racer racers[6] = {};

	race->rounds = 5;
	total = ARRAY_SIZE(racers) * race->rounds * race->keys;
	for (n = 0; n < ARRAY_SIZE(racers); n++)
		racers[n].run = racer_send_rounds;
	race_run(test, race, racers, ARRAY_SIZE(racers));

	for (n = 0; n < race->keys; n++)
		not_one += atomic_read(&race->created[n]) != 1;
	KUNIT_EXPECT_EQ(test, not_one, 0);
	KUNIT_EXPECT_EQ(test, outcomes(racers, ARRAY_SIZE(racers),
				       UDPTRACK_FOUND), total - race->keys);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&race->f->table),
			race->keys);
	KUNIT_EXPECT_EQ(test, packets_counted(race), total);
	expect_counters(test, race, racers, ARRAY_SIZE(racers));
	expect_flushed(test, race);
}

/* The same while others look on and list. */
static void race_with_readers(struct kunit *test)
{
	struct race *race = race_new(test, 40);
	struct racer racers[] = {
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_peek }, { .run = racer_list },
		{ .run = racer_send_random }, { .run = racer_send_random },
	};
	const unsigned int n = ARRAY_SIZE(racers);

	race->rounds = ROUNDS;
	race_run(test, race, racers, n);

	KUNIT_EXPECT_EQ(test, FLOWS_STAT(race->f, new), 40);
	KUNIT_EXPECT_EQ(test, packets_counted(race),
			outcomes(racers, n, UDPTRACK_FOUND) +
			outcomes(racers, n, UDPTRACK_CREATED));
	KUNIT_EXPECT_EQ(test, 0, outcomes(racers, n, UDPTRACK_REFUSED));
	expect_counters(test, race, racers, n);
	expect_flushed(test, race);
}

/* Erased while in use: each flow that was made was erased once or is there. */
static void race_erase(struct kunit *test)
{
	struct race *race = race_new(test, 6);
	struct racer racers[] = {
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_erase }, { .run = racer_erase },
		{ .run = racer_send_random }, { .run = racer_list },
	};
	const unsigned int n = ARRAY_SIZE(racers);

	race->rounds = ROUNDS;
	race_run(test, race, racers, n);

	KUNIT_EXPECT_EQ(test, FLOWS_STAT(race->f, new),
			erased(racers, n) +
			udptrack_table_count(&race->f->table));
	KUNIT_EXPECT_GT(test, erased(racers, n), 0);
	KUNIT_EXPECT_LE(test, packets_counted(race),
			outcomes(racers, n, UDPTRACK_FOUND) +
			outcomes(racers, n, UDPTRACK_CREATED));
	KUNIT_EXPECT_LE(test, udptrack_table_count(&race->f->table), 6);
	expect_counters(test, race, racers, n);
	expect_flushed(test, race);
}

/*
 * A dead flow is found by all at once, and buried once: what is no longer live
 * when its lock is got is nobody's to refresh, to count or to free.
 */
static void race_expired(struct kunit *test)
{
	struct race *race = race_new(test, 2);
	struct racer racers[] = {
		{ .run = racer_send_ageing }, { .run = racer_send_ageing },
		{ .run = racer_send_ageing }, { .run = racer_send_ageing },
		{ .run = racer_erase }, { .run = racer_erase },
	};
	const unsigned int n = ARRAY_SIZE(racers);
	struct flows *f = race->f;

	race->rounds = 2 * ROUNDS;
	f->visit.timeouts.unreplied_j = 3;
	f->visit.timeouts.stream_j = 3;
	race_run(test, race, racers, n);

	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new),
			FLOWS_STAT(f, expired) + erased(racers, n) +
			udptrack_table_count(&f->table));
	KUNIT_EXPECT_GT(test, FLOWS_STAT(f, expired), 0);
	kunit_info(test, "%u expired, %u erased", FLOWS_STAT(f, expired),
		   erased(racers, n));
	expect_counters(test, race, racers, n);
	expect_flushed(test, race);
}

/*
 * Everything at once: a table that is too small, flows that die in the middle,
 * collection, erasing and listing. No flow is lost and none is freed twice.
 */
static void race_everything(struct kunit *test)
{
	struct race *race = race_new(test, 60);
	struct racer racers[] = {
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_collect }, { .run = racer_erase },
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_list }, { .run = racer_peek },
	};
	const unsigned int n = ARRAY_SIZE(racers);
	struct flows *f = race->f;

	race->rounds = ROUNDS;
	f->visit.max = 40;
	f->visit.timeouts.unreplied_j = 2 * HZ;
	f->visit.timeouts.stream_j = 4 * HZ;
	race_run(test, race, racers, n);

	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new),
			FLOWS_STAT(f, expired) + FLOWS_STAT(f, evicted) +
			erased(racers, n) + udptrack_table_count(&f->table));
	KUNIT_EXPECT_LE(test, udptrack_table_count(&f->table), 40);
	KUNIT_EXPECT_GT(test, FLOWS_STAT(f, expired), 0);
	KUNIT_EXPECT_GT(test, FLOWS_STAT(f, evicted), 0);
	kunit_info(test, "%u expired, %u evicted, %u erased",
		   FLOWS_STAT(f, expired), FLOWS_STAT(f, evicted),
		   erased(racers, n));
	expect_counters(test, race, racers, n);
	expect_flushed(test, race);
}

static bool count_flow(const struct udptrack_started *flow, void *arg)
{
	unsigned int *n = arg;

	++*n;
	return false;
}

/*
 * The chains of ports, wanted when flows come and go already: each flow that is
 * left stands in one, and nothing else does.
 */
static void race_started(struct kunit *test)
{
	struct race *race = race_new(test, 60);
	struct racer racers[] = {
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_started }, { .run = racer_erase },
		{ .run = racer_send_random }, { .run = racer_collect },
	};
	struct flows *f = race->f;
	unsigned int port, n = 0;

	race->rounds = ROUNDS;
	f->visit.timeouts.unreplied_j = 2 * HZ;
	race_run(test, race, racers, ARRAY_SIZE(racers));

	KUNIT_EXPECT_GT(test, racers[2].laps, 0);
	for (port = 0; port <= U16_MAX; port++)
		udptrack_started_any(&f->table, htons(port),
				     end_j(race) - FLOWS_AGES, count_flow, &n);
	KUNIT_EXPECT_EQ(test, n, flows_listed(f, end_j(race) - FLOWS_AGES));
	expect_flushed(test, race);
}

/* Flushing is safe against all of them. */
static void race_flush(struct kunit *test)
{
	struct race *race = race_new(test, 200);
	struct racer racers[] = {
		{ .run = racer_send_random }, { .run = racer_send_random },
		{ .run = racer_flush }, { .run = racer_flush },
		{ .run = racer_erase }, { .run = racer_collect },
		{ .run = racer_list },
	};
	const unsigned int n = ARRAY_SIZE(racers);

	race->rounds = ROUNDS;
	race->f->visit.timeouts.unreplied_j = 5 * HZ;
	race_run(test, race, racers, n);
	expect_counters(test, race, racers, n);
	expect_flushed(test, race);
}

/*
 * Listings while others come and go: of the conversations below STEADY, whose
 * flows are there all the time, each listing shows each exactly once.
 */
#define STEADY	64
#define CHURN	2000

static void racer_churn(struct racer *r)
{
	struct race *race = r->race;
	unsigned int n;

	for (; r->laps < race->rounds && !race_over(race); r->laps++) {
		n = STEADY + racer_below(r, CHURN - STEADY);
		if (!flows_erase(race->f, n, end_j(race)))
			racer_send(r, n, UDPTRACK_ORIGINAL);
	}
	/* The listings are for as long as this goes on. */
	WRITE_ONCE(race->stop, true);
}

static void racer_list_steady(struct racer *r)
{
	struct race *race = r->race;
	struct udptrack_snapshot snap;
	unsigned long id, last;
	unsigned int n;
	u64 seen;

	do {
		last = udptrack_table_last_id(&race->f->table);
		seen = 0;
		for (id = 0; udptrack_table_next(&race->f->table, id, last,
						 end_j(race), NULL, &snap);
		     id = snap.id + 1) {
			n = flows_number(&snap.tuple);
			if (n >= STEADY)
				continue;
			if (seen & BIT_ULL(n))
				race_fault(race, "a flow was listed twice");
			seen |= BIT_ULL(n);
		}
		if (~seen)
			race_fault(race, "a flow was not listed");
		r->laps++;
	} while (!race_over(race));
}

static void race_listing(struct kunit *test)
{
	struct race *race = race_new(test, CHURN);
	struct racer racers[] = {
		{ .run = racer_churn }, { .run = racer_list_steady },
		{ .run = racer_churn }, { .run = racer_list_steady },
	};
	unsigned int n, m = 0;

	race->rounds = 2 * ROUNDS;
	/* Spread them, so that they are not the oldest all together. */
	for (n = 0; n < STEADY; n++) {
		flows_send(race->f, n, UDPTRACK_ORIGINAL, end_j(race));
		for (; m < 10 * (n + 1); m++)
			flows_send(race->f, STEADY + m, UDPTRACK_ORIGINAL,
				   end_j(race));
	}
	race_run(test, race, racers, ARRAY_SIZE(racers));
	KUNIT_EXPECT_GT(test, racers[1].laps, 0);
	KUNIT_EXPECT_GT(test, racers[3].laps, 0);
	for (n = 0; n < STEADY; n++)
		KUNIT_EXPECT_TRUE(test, flows_live(race->f, n, end_j(race)));
	kunit_info(test, "%u listings of up to %u flows",
		   racers[1].laps + racers[3].laps, CHURN);
	expect_flushed(test, race);
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE_SLOW(race_first_packets),
	KUNIT_CASE_SLOW(race_with_readers),
	KUNIT_CASE_SLOW(race_erase),
	KUNIT_CASE_SLOW(race_expired),
	KUNIT_CASE_SLOW(race_everything),
	KUNIT_CASE_SLOW(race_started),
	KUNIT_CASE_SLOW(race_flush),
	KUNIT_CASE_SLOW(race_listing),
	{}
};

static struct kunit_suite race_suite = {
	.name = "udptrack_race",
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);
