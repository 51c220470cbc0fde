// SPDX-License-Identifier: GPL-2.0-only
/*
 * torture - a table, and for minutes on end everything that can be done to it at
 * once, from all CPUs.
 *
 * Owns udptrack_torture.ko, a module of its own so that the unit tests stay
 * short: loading it plays one scene for a number of seconds, and fails if
 * anything was wrong. What must hold at every moment: whoever asks for a flow
 * gets the flow that was asked for, with that flow's traffic and owner; a flow
 * that is there is found, wherever it is being moved to; a refresh that was done
 * is seen by whoever looks after it; a listing shows what is there, once, in the
 * order in which it came. And at the end: no packet was lost from the counts,
 * and when all is flushed nothing is left.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/vmalloc.h>

#include "../../src/version.h"
#include "torture.h"

static char *scene = "growth";
module_param(scene, charp, 0444);
MODULE_PARM_DESC(scene, "what to do: growth, small or few");

static unsigned int seconds = 10;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "for how long");

static unsigned int burst = 3000;
module_param(burst, uint, 0444);
MODULE_PARM_DESC(burst, "flows by which the table grows and shrinks");

static const struct torture_rules scenes[SCENES] = {
	{ "growth", STAYING, 800, 1000000, 200 },
	{ "small", 0, 400, 150, 20 },
	{ "few", 0, 10, 7, 2 },
};

struct torture torture;
static struct worker workers[WORKERS_MAX];
static unsigned int worker_count;

/* Something was wrong: keep the first and end the scene. */
void torture_fault(const char *fmt, ...)
{
	static atomic_t faults;
	va_list args;

	if (atomic_inc_return(&faults) != 1)
		return;
	va_start(args, fmt);
	vsnprintf(torture.fault, sizeof(torture.fault), fmt, args);
	va_end(args);
	/* Pairs with the acquire in torture_play(). */
	smp_store_release(&torture.is_faulty, true);
	WRITE_ONCE(torture.stop, true);
}

u32 torture_now_j(void)
{
	return atomic_read(&torture.clock_j);
}

static int worker_thread(void *data)
{
	struct worker *w = data;

	while (!kthread_should_stop()) {
		if (READ_ONCE(torture.stop)) {
			set_current_state(TASK_INTERRUPTIBLE);
			if (!kthread_should_stop())
				schedule();
			__set_current_state(TASK_RUNNING);
			continue;
		}
		w->role->step(w);
		WRITE_ONCE(w->steps, w->steps + 1);
		cond_resched();
	}
	return 0;
}

static int start_worker(const struct role *role, unsigned int index,
			unsigned int peers, unsigned int cpu)
{
	struct worker *w = &workers[worker_count];

	if (worker_count == WORKERS_MAX)
		return -E2BIG;
	w->role = role;
	w->index = index;
	w->peers = peers;
	prandom_seed_state(&w->rnd, get_random_u64());
	w->seen = vcalloc(torture.numbers, sizeof(*w->seen));
	if (!w->seen)
		return -ENOMEM;
	w->task = kthread_create(worker_thread, w, "torture_%s", role->name);
	if (IS_ERR(w->task)) {
		vfree(w->seen);
		return PTR_ERR(w->task);
	}
	kthread_bind(w->task, cpu);
	get_task_struct(w->task);
	worker_count++;
	return 0;
}

static void stop_workers(void)
{
	unsigned int i;

	WRITE_ONCE(torture.stop, true);
	for (i = 0; i < worker_count; i++) {
		kthread_stop(workers[i].task);
		put_task_struct(workers[i].task);
		vfree(workers[i].seen);
	}
}

/* A thread on each CPU for each role that wants them; the others take turns. */
static int start_workers(void)
{
	unsigned int i, k, index, peers, cpu, turn = 0;
	const struct role *role;
	int err;

	for (role = torture_roles; role < torture_roles + torture_role_count;
	     role++) {
		if (!(role->scenes & BIT(torture.scene)))
			continue;
		peers = role->per_cpu * num_online_cpus();
		index = 0;
		if (!role->per_cpu) {
			cpu = cpumask_nth(turn++ % num_online_cpus(),
					  cpu_online_mask);
			err = start_worker(role, 0, 1, cpu);
			if (err)
				return err;
		}
		for_each_online_cpu(cpu) {
			for (k = 0; k < role->per_cpu; k++) {
				err = start_worker(role, index++, peers, cpu);
				if (err)
					return err;
			}
		}
	}
	for (i = 0; i < worker_count; i++)
		wake_up_process(workers[i].task);
	return 0;
}

static u64 steps_of(const char *name)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < worker_count; i++)
		if (!name || !strcmp(workers[i].role->name, name))
			sum += READ_ONCE(workers[i].steps);
	return sum;
}

/* The flows that stay, two-way and old enough to be streams. */
static int make_staying(void)
{
	struct udptrack_snapshot snap;
	struct udptrack_result result;
	struct udptrack_key key;
	unsigned int n, i;

	for (n = 0; n < torture.rules->first; n++) {
		for (i = 0; i < 4; i++)
			talk_send(n, i & 1, torture_now_j() + i * HZ, &result);
		torture.staying_sent[n] = i;
		torture.floor_j[n] = torture_now_j() + (i - 1) * HZ + AGES_J;
		talk_key(n, true, &key);
		if (!udptrack_table_get(&torture.table, &key, 0,
					torture_now_j(), NULL, &snap) ||
		    !(snap.state.flags & UDPTRACK_ASSURED))
			return -EINVAL;
		torture.staying_id[n] = snap.id;
	}
	atomic_add(4 * HZ, &torture.clock_j);
	return 0;
}

/* Every packet of those that stayed was counted. */
static void check_staying(void)
{
	struct udptrack_snapshot snap;
	unsigned int n, i;
	u64 sent, counted;

	for (n = 0; n < torture.rules->first; n++) {
		sent = torture.staying_sent[n];
		for (i = 0; n < HOT && i < worker_count; i++)
			sent += workers[i].sent[n];
		if (!udptrack_table_get(&torture.table, NULL,
					torture.staying_id[n], torture_now_j(),
					NULL, &snap)) {
			torture_fault("end: %u is gone", n);
			continue;
		}
		talk_check(&snap, n, "end");
		counted = snap.traffic[0].packets + snap.traffic[1].packets;
		if (counted != sent)
			torture_fault("end: %u had %llu packets, %llu were counted",
				      n, sent, counted);
	}
}

static unsigned int listed(u32 time_j)
{
	unsigned long last = udptrack_table_last_id(&torture.table);
	struct udptrack_snapshot snap;
	unsigned int flows = 0;
	unsigned long id = 0;

	while (udptrack_table_next(&torture.table, id, last, time_j, NULL,
				   &snap)) {
		talk_check(&snap, U32_MAX, "end");
		flows++;
		id = snap.id + 1;
	}
	return flows;
}

/* A counter, added up over the CPUs. */
static unsigned int stat_at(size_t offset)
{
	unsigned int sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *(unsigned int *)((char *)per_cpu_ptr(torture.stats,
							     cpu) + offset);
	return sum;
}

#define SUM(name)	stat_at(offsetof(struct udptrack_stats, name))

/* Everybody has gone home: what is counted is there, and then nothing is. */
static void check_end(void)
{
	/* A time at which none of the flows was dead. */
	u32 then_j = torture_now_j() - BIT(28);
	unsigned int count = udptrack_table_count(&torture.table), n;
	struct udptrack_result result;

	torture.is_quiet = true;
	check_staying();
	if (count > torture.rules->max)
		torture_fault("end: %u flows, %u are allowed", count,
			      torture.rules->max);
	n = listed(then_j);
	if (n != count)
		torture_fault("end: %u flows are counted, %u listed", count, n);
	if (!SUM(found) || !SUM(new) || !SUM(expired) ||
	    (torture.scene == SMALL && !SUM(evicted)))
		torture_fault("end: nothing happened: %u found, %u new, %u expired, %u evicted",
			      SUM(found), SUM(new), SUM(expired), SUM(evicted));
	if (SUM(alloc_failed) || SUM(insert_failed))
		torture_fault("end: not made: %u flows for want of memory, %u for another reason",
			      SUM(alloc_failed), SUM(insert_failed));
	if (torture.scene == GROWTH &&
	    (!torture.growths || torture.buckets_max < 4 * torture.buckets_min))
		torture_fault("end: the table did not grow and shrink: %u to %u buckets, %u times",
			      torture.buckets_min, torture.buckets_max,
			      torture.growths);

	udptrack_table_flush(&torture.table);
	rcu_barrier();
	count = udptrack_table_count(&torture.table);
	n = listed(then_j);
	if (count || n)
		torture_fault("end: flushed, but %u flows are counted, %u listed",
			      count, n);
	if (talk_send(torture.rules->first, true, torture_now_j(), &result) !=
	    UDPTRACK_CREATED)
		torture_fault("end: after a flush there cannot be a flow");
}

/* What happened since, now and then. */
static void say_progress(unsigned int second)
{
	pr_info("%s, %u CPUs, %u of %u s: %llu steps, %u flows now, %u growths\n",
		torture.rules->name, num_online_cpus(), second, seconds,
		steps_of(NULL), udptrack_table_count(&torture.table),
		READ_ONCE(torture.growths));
}

static void torture_run(void)
{
	unsigned long end = jiffies + seconds * HZ;
	unsigned long last = jiffies + 5 * seconds * HZ;
	unsigned long say = jiffies + 30 * HZ;

	/* A slow machine needs more time to get once through torture. */
	while ((time_before(jiffies, end) ||
		(torture.scene == GROWTH && !READ_ONCE(torture.growths) &&
		 time_before(jiffies, last))) && !READ_ONCE(torture.stop)) {
		msleep(100);
		if (time_after(jiffies, say)) {
			say_progress(seconds - (long)(end - jiffies) / HZ);
			say += 30 * HZ;
		}
	}
}

static int torture_play(void)
{
	int err;

	err = make_staying();
	if (err) {
		pr_err("the flows that stay could not be made\n");
		return err;
	}
	err = start_workers();
	if (!err)
		torture_run();
	stop_workers();
	if (err) {
		pr_err("threads could not be started: %d\n", err);
		return err;
	}
	check_end();
	pr_info("%s, %u CPUs, %u s: %u found (%u of streams), %u new, %u expired, %u evicted, %u deleted, %u full, %u clashes, %llu sends, %llu listings, %u growths to %u buckets\n",
		torture.rules->name, num_online_cpus(), seconds, SUM(found),
		atomic_read(&torture.streams),
		SUM(new), SUM(expired), SUM(evicted), SUM(deleted), SUM(full),
		SUM(clash), steps_of("send"), steps_of("list"),
		torture.growths, torture.buckets_max);
	/* Pairs with the release in torture_fault(). */
	if (smp_load_acquire(&torture.is_faulty)) {
		pr_err("FAULT: %s\n", torture.fault);
		return -EINVAL;
	}
	return 0;
}

static int __init torture_init(void)
{
	int err;

	for (torture.scene = 0; torture.scene < SCENES; torture.scene++)
		if (!strcmp(scene, scenes[torture.scene].name))
			break;
	if (torture.scene == SCENES) {
		pr_err("there is no scene '%s'\n", scene);
		return -EINVAL;
	}
	torture.rules = &scenes[torture.scene];
	torture.burst = torture.scene == GROWTH ? burst : 0;
	torture.numbers = torture.rules->first + torture.rules->keys +
			  torture.burst;
	torture.buckets_min = UINT_MAX;
	/* Time passes the wrap meanwhile. */
	atomic_set(&torture.clock_j, -20 * HZ);
	torture.stats = alloc_percpu(struct udptrack_stats);
	if (!torture.stats)
		return -ENOMEM;
	err = udptrack_table_init(&torture.table, torture.stats);
	if (!err) {
		err = torture_play();
		udptrack_table_destroy(&torture.table);
		rcu_barrier();
	}
	free_percpu(torture.stats);
	return err;
}

static void __exit torture_exit(void)
{
}

module_init(torture_init);
module_exit(torture_exit);

MODULE_DESCRIPTION("Torture of udptrack's table");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(UDPTRACK_VERSION);
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

