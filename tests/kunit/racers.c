// SPDX-License-Identifier: GPL-2.0-only
/*
 * racers - threads on all CPUs that visit one table at once.
 *
 * A racer never asserts, since it is not the test's own thread: it notes the
 * first thing that is wrong, and the case looks at that when all have come
 * home. race_run() returns only then, whatever happened, so no thread outlives
 * its case.
 */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "racers.h"

/* A race over an empty table with @keys conversations. */
struct race *race_new(struct kunit *test, unsigned int keys)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->f = flows_new(test);
	race->f->visit.owner = flows_nobody;
	race->f->visit.ifindex = 1;
	race->keys = keys;
	race->created = kunit_kcalloc(test, keys, sizeof(*race->created),
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race->created);
	/* Time passes the wrap while they race. */
	atomic_set(&race->clock_j, -20 * HZ);
	init_completion(&race->go);
	return race;
}

static int racer_thread(void *data)
{
	struct racer *r = data;

	wait_for_completion(&r->race->go);
	r->run(r);
	/* Wait for race_run() to take us home. */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Start all racers at once and wait until each has ended its run. */
void race_run(struct kunit *test, struct race *race, struct racer *racers,
	      unsigned int n)
{
	unsigned int i, started, cpu = cpumask_first(cpu_online_mask);
	struct task_struct *task;

	race->deadline_j = jiffies + RACE_SEC * HZ;
	for (started = 0; started < n; started++) {
		racers[started].race = race;
		racers[started].index = started;
		prandom_seed_state(&racers[started].rnd, started + 1);
		task = kthread_create(racer_thread, &racers[started],
				      "udptrack_racer");
		if (IS_ERR(task))
			break;
		kthread_bind(task, cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		racers[started].task = get_task_struct(task);
		wake_up_process(task);
	}
	if (started < n)
		WRITE_ONCE(race->stop, true);
	complete_all(&race->go);
	for (i = 0; i < started; i++) {
		kthread_stop(racers[i].task);
		put_task_struct(racers[i].task);
	}
	KUNIT_ASSERT_EQ_MSG(test, started, n, "threads could not be started");
	KUNIT_EXPECT_NULL_MSG(test, race->fault, "%s",
			      race->fault ?: "nothing");
}

/* Is it time to go home? */
bool race_over(const struct race *race)
{
	cond_resched();
	return READ_ONCE(race->stop) ||
	       time_after(jiffies, race->deadline_j);
}

/* Something was wrong: keep the first and end the race. */
void race_fault(struct race *race, const char *what)
{
	cmpxchg(&race->fault, NULL, what);
	WRITE_ONCE(race->stop, true);
}

u32 racer_below(struct racer *r, u32 limit)
{
	return prandom_u32_state(&r->rnd) % limit;
}

static u32 race_now(const struct race *race)
{
	return atomic_read(&race->clock_j);
}

/* A packet of conversation @n, counted. */
enum udptrack_outcome racer_send(struct racer *r, unsigned int n,
				 enum udptrack_dir dir)
{
	struct race *race = r->race;
	struct udptrack_visit visit = race->f->visit;
	struct udptrack_result result;
	enum udptrack_outcome outcome;
	struct udptrack_key key;

	visit.side = flows_key(n, dir, &key);
	visit.now_j = race_now(race);
	outcome = flows_visit(race->f, &key, &visit, &result);
	r->outcomes[outcome]++;
	if (outcome == UDPTRACK_CREATED) {
		atomic_inc(&race->created[n]);
		if (result.class != UDPTRACK_NEW ||
		    result.events != UDPTRACK_EVENT_NEW)
			race_fault(race, "a first packet was not new");
	}
	return outcome;
}

/*
 * Every conversation in turn, in a direction that differs from racer to racer:
 * the first round is a race of first packets.
 */
void racer_send_rounds(struct racer *r)
{
	unsigned int n, round;

	for (round = 0; round < r->race->rounds; round++) {
		for (n = 0; n < r->race->keys; n++)
			racer_send(r, n, (round + r->index) & 1);
		r->laps++;
		cond_resched();
	}
}

void racer_send_random(struct racer *r)
{
	unsigned int i;

	for (i = 0; i < r->race->rounds && !race_over(r->race); i++)
		racer_send(r, racer_below(r, r->race->keys),
			   racer_below(r, 2));
	r->laps = i;
}

/*
 * Very few conversations that die all the time: whoever finds one dead competes
 * with the others for who buries it. Time passes with every packet.
 */
void racer_send_ageing(struct racer *r)
{
	struct race *race = r->race;

	for (; r->laps < race->rounds && !race_over(race); r->laps++) {
		racer_send(r, racer_below(r, race->keys), racer_below(r, 2));
		atomic_inc(&race->clock_j);
	}
}

void racer_peek(struct racer *r)
{
	struct race *race = r->race;
	enum udptrack_class class;
	bool live;

	for (; r->laps < race->rounds && !race_over(race); r->laps++) {
		live = flows_peek(race->f, racer_below(r, race->keys),
				  racer_below(r, 2), race_now(race), &class);
		if (class != UDPTRACK_NEW &&
		    (!live || class != UDPTRACK_ESTABLISHED))
			race_fault(race, "a look gave an odd class");
	}
}

/*
 * Erase at random. Told a time when every flow was alive, the table says of
 * every flow that it takes out that there was one.
 */
void racer_erase(struct racer *r)
{
	struct race *race = r->race;

	for (; r->laps < race->rounds && !race_over(race); r->laps++)
		r->erased += flows_erase(race->f, racer_below(r, race->keys),
					 race_now(race) - FLOWS_AGES);
}

void racer_flush(struct racer *r)
{
	struct race *race = r->race;

	for (; r->laps < race->rounds / 64 && !race_over(race); r->laps++)
		udptrack_table_flush(&race->f->table);
}

/* Collect in small slices, and let time pass. */
void racer_collect(struct racer *r)
{
	struct race *race = r->race;
	unsigned long cursor = 0;
	u32 sleep_j = U32_MAX;

	for (; r->laps < race->rounds && !race_over(race); r->laps++) {
		udptrack_table_collect(&race->f->table, race_now(race), 8,
				       &cursor, &sleep_j);
		atomic_add(racer_below(r, HZ / 10), &race->clock_j);
	}
}

static void check_snapshot(struct race *race, unsigned long from,
			   unsigned long last,
			   const struct udptrack_snapshot *snap)
{
	u64 packets = snap->traffic[0].packets + snap->traffic[1].packets;
	u64 bytes = snap->traffic[0].bytes + snap->traffic[1].bytes;

	if (snap->id < from || snap->id > last)
		race_fault(race, "a listing went out of its range");
	if (flows_number(&snap->tuple) >= race->keys)
		race_fault(race, "a listing showed a flow that cannot be");
	if (!snap->traffic[0].packets || bytes != packets * FLOWS_BYTES)
		race_fault(race, "a listing showed half a packet");
	if (!!snap->traffic[1].packets !=
	    !!(snap->state.flags & UDPTRACK_SEEN_REPLY))
		race_fault(race, "a listing showed half a reply");
}

static bool check_started(const struct udptrack_started *flow, void *arg)
{
	struct race *race = arg;

	if (flow->ifindex != 1 || flows_number(&flow->tuple) >= race->keys)
		race_fault(race, "a chain of a port had a flow that cannot be");
	return false;
}

/* Once they are all at it, want to know which flows this host started. */
void racer_started(struct racer *r)
{
	struct race *race = r->race;

	usleep_range(1000, 2000);
	if (udptrack_started_index(&race->f->table))
		race_fault(race, "no memory for the chains");
	for (; r->laps < race->rounds && !race_over(race); r->laps++)
		udptrack_started_any(&race->f->table, htons(53),
				     race_now(race), check_started, race);
}

/* One listing after another. */
void racer_list(struct racer *r)
{
	struct race *race = r->race;
	struct udptrack_snapshot snap;
	unsigned long id, last;

	for (; r->laps < race->rounds / 64 && !race_over(race); r->laps++) {
		last = udptrack_table_last_id(&race->f->table);
		for (id = 0; udptrack_table_next(&race->f->table, id, last,
						 race_now(race), NULL, &snap);
		     id = snap.id + 1)
			check_snapshot(race, id, last, &snap);
	}
}
