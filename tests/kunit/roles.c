// SPDX-License-Identifier: GPL-2.0-only
/*
 * roles - what the threads of a torture do to its table, step by step, and what
 * each of them takes for granted.
 */
#include <linux/delay.h>
#include <linux/string.h>

#include "torture.h"

#define ALL	(BIT(GROWTH) | BIT(SMALL) | BIT(FEW))

static u32 below(struct worker *w, u32 limit)
{
	return prandom_u32_state(&w->rnd) % limit;
}

/* One that comes and goes. */
static unsigned int any_passing(struct worker *w)
{
	return torture.rules->first + below(w, torture.rules->keys);
}

/* A jiffy passes every 16 packets or so, however slow the machine. */
static void step_pass(struct worker *w)
{
	u32 late_j = below(w, 2) ? 3 * HZ : 0;
	struct udptrack_result result;

	talk_send_late(any_passing(w), below(w, 2), torture_now_j(), late_j,
		       &result);
	if (!below(w, 16))
		atomic_inc(&torture.clock_j);
}

/* Everybody refreshes the same few flows, which are there and long replied. */
static void step_hot(struct worker *w)
{
	struct udptrack_result result;
	unsigned int n = below(w, HOT);

	if (talk_send(n, below(w, 2), torture_now_j(), &result) !=
	    UDPTRACK_FOUND)
		torture_fault("hot: %u was missed", n);
	else if (result.class != UDPTRACK_ESTABLISHED)
		torture_fault("hot: %u was of class %u", n, result.class);
	w->sent[n]++;
}

/* A flow that nobody else refreshes: from now on it expires then, or later. */
static void step_steady(struct worker *w)
{
	unsigned int mine = STEADY / w->peers;
	unsigned int n = HOT + w->index * mine + below(w, mine);
	struct udptrack_result result;
	u32 time_j = torture_now_j();

	if (talk_send(n, below(w, 2), time_j, &result) != UDPTRACK_FOUND)
		torture_fault("steady: %u was missed", n);
	else if (result.class != UDPTRACK_ESTABLISHED)
		torture_fault("steady: %u was of class %u", n, result.class);
	torture.staying_sent[n]++;
	/* Pairs with the acquire in step_look(). */
	smp_store_release(&torture.floor_j[n], time_j + AGES_J);
}

/* The ones that stay are there at every moment, and as they were left. */
static void step_look(struct worker *w)
{
	unsigned int n = below(w, STAYING);
	struct udptrack_snapshot snap;
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side = talk_key(n, below(w, 2), &key);
	u32 floor_j;

	/* Pairs with the release in step_steady(). */
	floor_j = smp_load_acquire(&torture.floor_j[n]);
	switch (below(w, 3)) {
	case 0:
		if (!udptrack_table_peek(&torture.table, &key, side,
					 torture_now_j(), &class))
			torture_fault("peek: %u was missed", n);
		else if (class != UDPTRACK_ESTABLISHED)
			torture_fault("peek: %u was of class %u", n, class);
		return;
	case 1:
		if (!udptrack_table_get(&torture.table, &key, 0,
					torture_now_j(), NULL, &snap)) {
			torture_fault("get: %u was missed", n);
			return;
		}
		break;
	case 2:
		if (!udptrack_table_get(&torture.table, NULL,
					torture.staying_id[n], torture_now_j(),
					NULL, &snap)) {
			torture_fault("get: %u was missed by its id", n);
			return;
		}
		break;
	}
	talk_check(&snap, n, "get");
	if (snap.id != torture.staying_id[n])
		torture_fault("get: %u has changed its id", n);
	if (n >= HOT && (s32)(snap.state.expires_j - floor_j) < 0)
		torture_fault("get: %u lost a refresh: expires %u, not %u", n,
			      snap.state.expires_j, floor_j);
}

static void step_peek(struct worker *w)
{
	unsigned int n = any_passing(w);
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side = talk_key(n, below(w, 2), &key);
	bool live;

	live = udptrack_table_peek(&torture.table, &key, side, torture_now_j(),
				   &class);
	if (class != UDPTRACK_NEW && (!live || class != UDPTRACK_ESTABLISHED))
		torture_fault("peek: %u was of class %u", n, class);
}

/* By key, by id, and by both. */
static void step_get(struct worker *w)
{
	unsigned long last = udptrack_table_last_id(&torture.table);
	unsigned long id = last - below(w, 2 * torture.rules->keys);
	unsigned int n = any_passing(w);
	struct udptrack_snapshot snap, again;
	struct udptrack_key key;

	if (id && id <= last &&
	    udptrack_table_get(&torture.table, NULL, id, torture_now_j(), NULL,
			       &snap)) {
		talk_check(&snap, U32_MAX, "id");
		if (snap.id != id)
			torture_fault("id: asked for %lu, got %lu", id, snap.id);
	}
	talk_key(n, true, &key);
	if (!udptrack_table_get(&torture.table, &key, 0, torture_now_j(), NULL,
				&snap))
		return;
	talk_check(&snap, n, "key");
	if (!udptrack_table_get(&torture.table, &key, snap.id, torture_now_j(),
				NULL, &again))
		return;
	talk_check(&again, n, "key and id");
	if (again.id != snap.id)
		torture_fault("key and id: asked for %lu, got %lu", snap.id,
			      again.id);
}

static void step_own(struct worker *w)
{
	unsigned int n = any_passing(w);
	struct udptrack_owner owner = {
		.has_uid = true,
		.uid = KUIDT_INIT(n),
		.cgroup = n,
		.final = below(w, 2),
	};
	struct udptrack_key key;

	talk_key(n, true, &key);
	udptrack_table_own(&torture.table, &key, &owner);
}

/*
 * A listing. A conversation can stand in it twice, if its flow ended and the
 * next one had got its id before the listing began, but not while the first one
 * is still there.
 */
static void step_list(struct worker *w)
{
	unsigned long last = udptrack_table_last_id(&torture.table);
	struct udptrack_snapshot snap, first;
	unsigned long id = 0, staying = 0;
	unsigned int n;

	memset(w->seen, 0, torture.numbers * sizeof(*w->seen));
	while (udptrack_table_next(&torture.table, id, last, torture_now_j(),
				   NULL, &snap)) {
		if (snap.id < id || snap.id > last)
			torture_fault("list: id %lu, of %lu to %lu", snap.id,
				      id, last);
		id = snap.id + 1;
		n = talk_check(&snap, U32_MAX, "list");
		if (n == U32_MAX || READ_ONCE(torture.stop))
			return;
		if (n < torture.rules->first)
			staying++;
		if (w->seen[n] &&
		    (n < torture.rules->first ||
		     udptrack_table_get(&torture.table, NULL, w->seen[n],
					torture_now_j(), NULL, &first)))
			torture_fault("list: %u twice, as %lu and %lu", n,
				      w->seen[n], snap.id);
		w->seen[n] = snap.id;
		cond_resched();
	}
	if (staying != torture.rules->first)
		torture_fault("list: %lu of %u that stay", staying,
			      torture.rules->first);
}

static bool check_started(const struct udptrack_started *flow, void *arg)
{
	if (flow->ifindex != 1 || talk_number(&flow->tuple) == U32_MAX)
		torture_fault("port: a flow that cannot be");
	return false;
}

static void step_started(struct worker *w)
{
	if (!w->steps && udptrack_started_index(&torture.table))
		torture_fault("port: no memory");
	udptrack_started_any(&torture.table,
			     htons(1024 + below(w, 1 + (torture.numbers >> 6))),
			     torture_now_j(), check_started, NULL);
}

static void step_erase(struct worker *w)
{
	unsigned long id = udptrack_table_last_id(&torture.table);
	unsigned int n = any_passing(w);
	struct udptrack_snapshot snap;
	struct udptrack_key key;

	id -= below(w, torture.rules->keys);
	talk_key(n, true, &key);
	if (below(w, 2)) {
		udptrack_table_erase(&torture.table, &key, 0, torture_now_j());
	} else if (udptrack_table_get(&torture.table, NULL, id,
				      torture_now_j(), NULL, &snap)) {
		/* By its id, unless it is of those that stay. */
		n = talk_check(&snap, U32_MAX, "erase");
		if (n != U32_MAX && n >= torture.rules->first)
			udptrack_table_erase(&torture.table, NULL, snap.id,
					     torture_now_j());
	}
}

static bool is_doomed(const struct udptrack_snapshot *flow, const void *arg)
{
	const unsigned int *rest = arg;
	unsigned int n = talk_check(flow, U32_MAX, "prune");

	return n != U32_MAX && n >= torture.rules->first && n % 13 == *rest;
}

static void step_prune(struct worker *w)
{
	unsigned int rest = below(w, 13);

	udptrack_table_prune(&torture.table, torture_now_j(), NULL, is_doomed,
			     &rest);
	msleep(20);
}

static void step_collect(struct worker *w)
{
	u32 sleep_j = U32_MAX;

	udptrack_table_collect(&torture.table, torture_now_j(), 16, &w->cursor,
			       &sleep_j);
}

static void step_flush(struct worker *w)
{
	msleep(500 + below(w, 1000));
	udptrack_table_flush(&torture.table);
}

/* Now and then it flies. */
static void step_clock(struct worker *w)
{
	msleep(10 + below(w, 100));
	atomic_add(below(w, 4 * torture.rules->lifetime_j), &torture.clock_j);
}

/* Make thousands of flows, then take them away again. */
static void step_grow(struct worker *w)
{
	unsigned int base = torture.rules->first + torture.rules->keys;
	unsigned int part = torture.burst / w->peers;
	unsigned int n = base + w->index * part + w->made % part;
	unsigned int buckets = udptrack_table_buckets(&torture.table);
	bool shrinks = w->made / part & 1;
	struct udptrack_result result;
	struct udptrack_key key;

	if (!shrinks) {
		talk_send(n, below(w, 2), torture_now_j(), &result);
	} else {
		talk_key(n, true, &key);
		udptrack_table_erase(&torture.table, &key, 0, torture_now_j());
	}
	w->made++;
	if (w->index)
		return;
	torture.buckets_min = min(torture.buckets_min, buckets);
	torture.buckets_max = max(torture.buckets_max, buckets);
	if (shrinks && w->made % part == 0) {
		WRITE_ONCE(torture.growths, torture.growths + 1);
		/* So that the others have time to see it small. */
		msleep(200);
	}
}

const struct role torture_roles[] = {
	{ "clock", step_clock, 0, ALL },
	{ "hot", step_hot, 1, BIT(GROWTH) },
	{ "steady", step_steady, 1, BIT(GROWTH) },
	{ "look", step_look, 1, BIT(GROWTH) },
	{ "grow", step_grow, 1, BIT(GROWTH) },
	{ "send", step_pass, 1, BIT(GROWTH) },
	{ "send", step_pass, 2, BIT(SMALL) | BIT(FEW) },
	{ "peek", step_peek, 1, BIT(SMALL) | BIT(FEW) },
	{ "get", step_get, 0, ALL },
	{ "own", step_own, 0, ALL },
	{ "list", step_list, 0, ALL },
	{ "started", step_started, 0, ALL },
	{ "erase", step_erase, 0, BIT(GROWTH) | BIT(SMALL) },
	{ "erase", step_erase, 1, BIT(FEW) },
	{ "prune", step_prune, 0, BIT(GROWTH) | BIT(SMALL) },
	{ "collect", step_collect, 0, ALL },
	{ "flush", step_flush, 0, BIT(SMALL) | BIT(FEW) },
};

const unsigned int torture_role_count = ARRAY_SIZE(torture_roles);
