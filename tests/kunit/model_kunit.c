// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_kunit - random histories of a table, step by step against the model.
 *
 * Few conversations, short timeouts and, in half of the histories, a limit of a
 * dozen flows, so that flows are met in every state, die, and make room for one
 * another all the time. A history is given by its seed, which is printed; it
 * stops at the first step at which the table and the model differ.
 */
#include <linux/prandom.h>

#include "flows.h"
#include "model.h"

#define STEPS	6000

/* No more flows than a search for a victim looks at: it must find the best. */
#define SMALL_MAX	12

static const struct history {
	const char *desc;
	u32 seed;
	u64 start;		/* the time at which it begins */
	unsigned int keys;	/* conversations there are */
	bool small;		/* a limit that is often reached */
} histories[] = {
	{ "seed 1, roomy, across the wrap", 1, U32_MAX - 100 * HZ, 60, false },
	{ "seed 2, roomy, across the sign", 2, S32_MAX - 100 * HZ, 60, false },
	{ "seed 3, roomy, many keys", 3, 0, 200, false },
	{ "seed 4, small, across the wrap", 4, U32_MAX - 100 * HZ, 24, true },
	{ "seed 5, small, across the sign", 5, S32_MAX - 100 * HZ, 24, true },
	{ "seed 6, small, few keys", 6, 0, 14, true },
};

KUNIT_ARRAY_PARAM_DESC(history, histories, desc);

/* A history under way. */
struct run {
	struct kunit *test;
	const struct history *h;
	struct flows *f;
	struct model m;
	struct rnd_state rnd;
	unsigned int step;
	unsigned int outcomes[UDPTRACK_REFUSED + 1];
	unsigned int evictions;	/* of live flows */
};

/* A check that says where in the history it failed, and ends it there. */
#define STEP_EQ(r, want, got) do {					\
	const struct run *__r = (r);					\
									\
	KUNIT_ASSERT_EQ_MSG(__r->test, want, got, "seed %u, step %u",	\
			    __r->h->seed, __r->step);			\
} while (0)

static u32 below(struct run *r, u32 limit)
{
	return prandom_u32_state(&r->rnd) % limit;
}

static void random_tuple(struct run *r, struct udptrack_tuple *tuple)
{
	unsigned int n = below(r, r->h->keys);
	struct udptrack_tuple inv;

	if (n % 10 == 9)
		flows_self_tuple(n, tuple);
	else
		flows_tuple(n, tuple);
	if (below(r, 2))
		return;
	inv = *tuple;
	inv.src = tuple->dst;
	inv.dst = tuple->src;
	inv.sport = tuple->dport;
	inv.dport = tuple->sport;
	*tuple = inv;
}

/* Was this flow taken out? One that died is not shown but in its lifetime. */
static bool is_gone(struct run *r, const struct model_flow *flow)
{
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side = udptrack_key_from_tuple(&flow->tuple, &key);

	return !udptrack_table_peek(&r->f->table, &key, side,
				    (u32)(flow->expires - 1), &class);
}

/* One flow must have made room: find out which, and that it was a right one. */
static void settle_eviction(struct run *r)
{
	struct model_flow *gone = NULL;
	unsigned int i, n = 0;

	for (i = 0; i < MODEL_MAX; i++) {
		if (!r->m.flow[i].used || !is_gone(r, &r->m.flow[i]))
			continue;
		gone = &r->m.flow[i];
		n++;
	}
	STEP_EQ(r, 1, n);
	STEP_EQ(r, true, model_is_victim(&r->m, gone));
	gone->used = false;
	/* One that was dead has merely expired. */
	r->evictions += !model_dead(&r->m, gone);
}

static void step_track(struct run *r)
{
	struct udptrack_visit *visit = &r->f->visit;
	unsigned long last = udptrack_table_last_id(&r->f->table);
	struct udptrack_result result = {};
	enum udptrack_outcome outcome;
	struct udptrack_tuple tuple;
	struct model_visit want;
	struct udptrack_key key;

	random_tuple(r, &tuple);
	visit->side = udptrack_key_from_tuple(&tuple, &key);
	visit->now_j = (u32)r->m.now;
	visit->create = below(r, 4);
	visit->packets = 1 + below(r, 50);
	visit->bytes = below(r, 65536);

	model_track(&r->m, &tuple, visit, &want);
	outcome = flows_visit(r->f, &key, visit, &result);
	STEP_EQ(r, want.outcome, outcome);
	r->outcomes[outcome]++;
	if (want.evicts)
		settle_eviction(r);
	if (outcome == UDPTRACK_CREATED) {
		STEP_EQ(r, true, udptrack_table_last_id(&r->f->table) > last);
		last = udptrack_table_last_id(&r->f->table);
		STEP_EQ(r, true, !!model_open(&r->m, &tuple, visit, last));
	}
	if (outcome == UDPTRACK_CREATED || outcome == UDPTRACK_FOUND) {
		STEP_EQ(r, want.class, result.class);
		STEP_EQ(r, want.events, result.events);
	}
}

static void step_peek(struct run *r)
{
	enum udptrack_class want_class, class;
	struct udptrack_tuple tuple;
	struct udptrack_key key;
	unsigned int side;
	bool want;

	random_tuple(r, &tuple);
	side = udptrack_key_from_tuple(&tuple, &key);
	want = model_peek(&r->m, &tuple, &want_class);
	STEP_EQ(r, want, udptrack_table_peek(&r->f->table, &key, side,
					     (u32)r->m.now, &class));
	STEP_EQ(r, want_class, class);
}

static void step_erase(struct run *r)
{
	struct udptrack_tuple tuple;
	struct udptrack_key key;

	random_tuple(r, &tuple);
	udptrack_key_from_tuple(&tuple, &key);
	STEP_EQ(r, model_erase(&r->m, &tuple),
		udptrack_table_erase(&r->f->table, &key, 0,
				     (u32)r->m.now));
}

/*
 * A pass of collection, in slices. In which order it looks at the flows is its
 * own business.
 */
static void step_collect(struct run *r)
{
	unsigned int budget = 1 + below(r, 2 * SMALL_MAX), seen = 0, slices = 0;
	u64 now = r->m.now, want_sleep = U32_MAX;
	unsigned long id = 0, cursor = 0;
	struct model_flow *flow;
	u32 sleep_j = U32_MAX;
	bool done;

	while ((flow = model_from(&r->m, id))) {
		id = flow->id + 1;
		seen++;
		if (model_dead(&r->m, flow))
			flow->used = false;
		else
			want_sleep = min(want_sleep, flow->expires - now);
	}
	do {
		done = udptrack_table_collect(&r->f->table, (u32)now, budget,
					      &cursor, &sleep_j);
		STEP_EQ(r, !done, !!cursor);
	} while (!done && ++slices <= seen + 8);
	STEP_EQ(r, true, done);
	STEP_EQ(r, true, slices >= (seen - !!seen) / budget);
	STEP_EQ(r, want_sleep, (u64)sleep_j);
}

static void expect_snapshot(struct run *r, const struct model_flow *flow,
			    const struct udptrack_snapshot *snap)
{
	struct kunit *test = r->test;

	STEP_EQ(r, flow->id, snap->id);
	STEP_EQ(r, 0, memcmp(&snap->tuple.src, &flow->tuple.src,
			     sizeof(flow->tuple.src)));
	STEP_EQ(r, 0, memcmp(&snap->tuple.dst, &flow->tuple.dst,
			     sizeof(flow->tuple.dst)));
	STEP_EQ(r, flow->tuple.sport, snap->tuple.sport);
	STEP_EQ(r, flow->tuple.dport, snap->tuple.dport);
	STEP_EQ(r, (u32)flow->expires, snap->state.expires_j);
	STEP_EQ(r, flow->replied,
		!!(snap->state.flags & UDPTRACK_SEEN_REPLY));
	STEP_EQ(r, flow->assured, !!(snap->state.flags & UDPTRACK_ASSURED));
	STEP_EQ(r, flow->acct, snap->acct);
	KUNIT_ASSERT_EQ(test, 0, memcmp(flow->traffic, snap->traffic,
					sizeof(flow->traffic)));
}

/* A listing, from a cursor somewhere, shows the live flows and no others. */
static void step_list(struct run *r)
{
	unsigned long last = udptrack_table_last_id(&r->f->table);
	unsigned long id = below(r, 4) ? 0 : below(r, last + 2);
	struct udptrack_snapshot snap;
	struct model_flow *flow;
	bool listed;

	for (;;) {
		do {
			flow = model_from(&r->m, id);
			if (flow)
				id = flow->id + 1;
		} while (flow && model_dead(&r->m, flow));
		listed = udptrack_table_next(&r->f->table,
					     flow ? flow->id : id, last,
					     (u32)r->m.now, NULL, &snap);
		STEP_EQ(r, !!flow, listed);
		if (!flow)
			return;
		expect_snapshot(r, flow, &snap);
	}
}

static void step_settings(struct run *r)
{
	struct udptrack_visit *visit = &r->f->visit;

	visit->timeouts.unreplied_j = 1 + below(r, 30 * HZ);
	visit->timeouts.stream_j = 1 + below(r, 120 * HZ);
	visit->acct = below(r, 3);
	if (r->h->small)
		visit->max = 1 + below(r, SMALL_MAX);
}

static void step_time(struct run *r)
{
	u32 chance = below(r, 100);

	if (chance == 0)
		r->m.now += below(r, 100 * HZ);
	else if (chance < 10)
		r->m.now += below(r, 2 * HZ);
	else
		r->m.now += below(r, 3);
}

static void step_flush(struct run *r)
{
	udptrack_table_flush(&r->f->table);
	model_flush(&r->m);
}

static void step(struct run *r)
{
	u32 chance = below(r, 1000);

	step_time(r);
	if (chance < 700)
		step_track(r);
	else if (chance < 820)
		step_peek(r);
	else if (chance < 880)
		step_erase(r);
	else if (chance < 930)
		step_collect(r);
	else if (chance < 980)
		step_list(r);
	else if (chance < 998)
		step_settings(r);
	else
		step_flush(r);
	STEP_EQ(r, model_count(&r->m), udptrack_table_count(&r->f->table));
}

static void model_history(struct kunit *test)
{
	const struct history *h = test->param_value;
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct flows *f = flows_new(test);

	f->visit.owner = flows_nobody;
	KUNIT_ASSERT_NOT_NULL(test, r);
	r->test = test;
	r->h = h;
	r->f = f;
	r->m.now = h->start;
	prandom_seed_state(&r->rnd, h->seed);
	if (h->small)
		f->visit.max = SMALL_MAX;
	for (r->step = 0; r->step < STEPS; r->step++) {
		step(r);
		cond_resched();
	}

	KUNIT_EXPECT_EQ(test, r->outcomes[UDPTRACK_FOUND],
			FLOWS_STAT(f, found));
	KUNIT_EXPECT_EQ(test, r->outcomes[UDPTRACK_CREATED],
			FLOWS_STAT(f, new));
	KUNIT_EXPECT_EQ(test, r->outcomes[UDPTRACK_REFUSED],
			FLOWS_STAT(f, full));
	KUNIT_EXPECT_EQ(test, r->evictions, FLOWS_STAT(f, evicted));
	/* A history in which nothing happens proves nothing. */
	KUNIT_EXPECT_GT(test, r->outcomes[UDPTRACK_FOUND], STEPS / 20);
	KUNIT_EXPECT_GT(test, r->outcomes[UDPTRACK_CREATED], STEPS / 20);
	KUNIT_EXPECT_GT(test, FLOWS_STAT(f, expired), STEPS / 200);
	KUNIT_EXPECT_GT(test, atomic_read(&f->streams), STEPS / 200);
	KUNIT_EXPECT_EQ(test, h->small, r->outcomes[UDPTRACK_REFUSED] > 10);
	KUNIT_EXPECT_EQ(test, h->small, r->evictions > 100);
	kunit_info(test,
		   "seed %u: %u found, %u created, %u absent, %u refused, %u evicted, %u expired",
		   h->seed, r->outcomes[UDPTRACK_FOUND],
		   r->outcomes[UDPTRACK_CREATED],
		   r->outcomes[UDPTRACK_ABSENT],
		   r->outcomes[UDPTRACK_REFUSED], r->evictions,
		   FLOWS_STAT(f, expired));
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM_ATTR(model_history, history_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite model_suite = {
	.name = "udptrack_model",
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
