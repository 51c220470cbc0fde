// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk - sends packet after packet through the hooks, and takes the time.
 *
 * Everything but the hooks is done without a tracker as well, so that the empty
 * loop can be subtracted: to aim the packet, and to give up what nf_conntrack
 * attached to it, as the stack does when it frees a packet.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>

#include "packet.h"
#include "path.h"
#include "walk.h"

/* Packets between two chances for others. */
#define CHUNK	256

struct walk {
	const struct bench_order *order;
	struct sk_buff *skb;
	struct bench_path out;
	struct bench_path in;
	struct net_device *dev;
	struct sock *sk;
	const u32 *perm;
	struct bench_result *result;
};

/**
 * bench_result_worst - note how long something took
 * @result: where
 * @ns:     nanoseconds
 *
 * Context: any.
 */
void bench_result_worst(struct bench_result *result, u64 ns)
{
	if (ns > result->worst_ns) {
		result->second_ns = result->worst_ns;
		result->worst_ns = ns;
	} else if (ns > result->second_ns) {
		result->second_ns = ns;
	}
	if (ns > BENCH_STALL_NS)
		result->over++;
}

/* A hook that drops a packet gives up a reference to it. */
static __always_inline void pass(struct walk *walk, struct bench_path *path,
				 struct sk_buff *skb)
{
	struct bench_result *result = walk->result;
	int i;

	for (i = 0; i < BENCH_STAGES; i++) {
		struct bench_stage *stage = &path->stage[i];

		if (!stage->entries)
			continue;
		if (nf_hook_slow(skb, &stage->state, stage->entries, 0) != 1) {
			skb_get(skb);
			result->dropped++;
			break;
		}
	}
	if (skb->_nfct)
		result->ct[skb->_nfct & NFCT_INFOMASK]++;
	nf_reset_ct(skb);
}

static void no_destructor(struct sk_buff *skb)
{
}

static __always_inline void send_out(struct walk *walk, u32 flow)
{
	struct sk_buff *skb = walk->skb;

	bench_packet_aim(skb, walk->order, flow, false);
	skb->dev = NULL;
	skb->sk = walk->sk;
	skb->destructor = no_destructor;
	pass(walk, &walk->out, skb);
}

static __always_inline void send_in(struct walk *walk, u32 flow)
{
	struct sk_buff *skb = walk->skb;

	bench_packet_aim(skb, walk->order, flow, true);
	skb->dev = walk->dev;
	skb->sk = NULL;
	skb->destructor = NULL;
	local_bh_disable();
	pass(walk, &walk->in, skb);
	local_bh_enable();
}

static __always_inline void send_chunk(struct walk *walk, unsigned int n,
				       unsigned int *at)
{
	const struct bench_order *order = walk->order;
	const bool each = order->each;
	u64 begin = 0;
	u32 flow;

	rcu_read_lock();
	while (n--) {
		flow = walk->perm ? walk->perm[*at] : order->first + *at;
		if (++*at == order->flows)
			*at = 0;
		if (each)
			begin = ktime_get_ns();
		if (order->dir != BENCH_IN)
			send_out(walk, flow);
		if (order->dir != BENCH_OUT)
			send_in(walk, flow);
		if (each)
			bench_result_worst(walk->result, ktime_get_ns() - begin);
	}
	rcu_read_unlock();
}

static int walk_init(struct walk *walk, const struct bench_order *order,
		     struct net *net, struct net_device *dev, struct sock *sk,
		     const u32 *perm, struct bench_result *result)
{
	int err;

	walk->order = order;
	walk->dev = dev;
	walk->sk = sk;
	walk->perm = perm;
	walk->result = result;
	err = bench_path_init(&walk->out, order, false, net, dev, sk);
	if (err)
		return err;
	err = bench_path_init(&walk->in, order, true, net, dev, NULL);
	if (err)
		goto err_out;
	walk->skb = bench_packet_new(order);
	if (walk->skb)
		return 0;
	err = -ENOMEM;
	bench_path_free(&walk->in);
err_out:
	bench_path_free(&walk->out);
	return err;
}

static void walk_end(struct walk *walk)
{
	walk->skb->sk = NULL;
	walk->skb->destructor = NULL;
	/* The second reference, and the packet. */
	kfree_skb(walk->skb);
	kfree_skb(walk->skb);
	bench_path_free(&walk->in);
	bench_path_free(&walk->out);
}

/**
 * bench_walk - send packets
 * @order:  which, and how many
 * @net:    network namespace of the trackers
 * @dev:    device by which they come and go
 * @sk:     socket that sends, or NULL
 * @perm:   order of the flows, or NULL for one after the other
 * @from:   where in that order to begin
 * @result: added to
 *
 * Context: process; takes as long as it takes, gives way now and then. What the
 * hooks are told is on the stack, as when a socket sends.
 * Return: 0, -ENOENT when the tracker has no hooks here, or -ENOMEM.
 */
int bench_walk(const struct bench_order *order, struct net *net,
	       struct net_device *dev, struct sock *sk, const u32 *perm,
	       unsigned int from, struct bench_result *result)
{
	unsigned int left = order->count, at = from, n;
	struct walk walk;
	u64 begin;
	int err;

	err = walk_init(&walk, order, net, dev, sk, perm, result);
	if (err)
		return err;
	begin = ktime_get_ns();
	while (left) {
		n = min_t(unsigned int, left, CHUNK);
		send_chunk(&walk, n, &at);
		left -= n;
		if (!left)
			break;
		cond_resched();
	}
	result->ns += ktime_get_ns() - begin;
	result->packets += order->count;
	walk_end(&walk);
	return 0;
}

/* Several at once. */
struct racer {
	const struct bench_order *order;
	struct net *net;
	struct net_device *dev;
	const u32 *perm;
	unsigned int from;
	struct completion *ready;
	struct completion *start;
	struct completion *done;
	struct bench_result result;
	u64 end_ns;
	int err;
};

static int race_thread(void *arg)
{
	struct racer *racer = arg;

	complete(racer->ready);
	wait_for_completion(racer->start);
	racer->err = bench_walk(racer->order, racer->net, racer->dev, NULL,
				racer->perm, racer->from, &racer->result);
	racer->end_ns = ktime_get_ns();
	complete(racer->done);
	return 0;
}

static int race(struct racer *racers, const struct bench_order *order,
		struct net *net, struct net_device *dev, const u32 *perm,
		struct bench_result *result)
{
	DECLARE_COMPLETION_ONSTACK(ready);
	DECLARE_COMPLETION_ONSTACK(start);
	DECLARE_COMPLETION_ONSTACK(done);
	int cpu = -1, i, n, err = 0;
	u64 begin, end = 0;

	for (n = 0; n < order->threads; n++) {
		struct racer *racer = &racers[n];
		struct task_struct *task;

		racer->order = order;
		racer->net = net;
		racer->dev = dev;
		racer->perm = perm;
		racer->from = order->flows / order->threads * n;
		racer->ready = &ready;
		racer->start = &start;
		racer->done = &done;
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		task = kthread_create(race_thread, racer, "bench/%d", n);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	for (i = 0; i < n; i++)
		wait_for_completion(&ready);
	begin = ktime_get_ns();
	complete_all(&start);
	for (i = 0; i < n; i++)
		wait_for_completion(&done);
	for (i = 0; i < n; i++) {
		struct bench_result *part = &racers[i].result;
		int k;

		err = err ?: racers[i].err;
		end = max(end, racers[i].end_ns);
		result->packets += part->packets;
		result->dropped += part->dropped;
		for (k = 0; k < ARRAY_SIZE(part->ct); k++)
			result->ct[k] += part->ct[k];
	}
	result->ns = end - begin;
	return err;
}

/**
 * bench_race - send packets on several processors at once
 * @order:  which, and how many on each
 * @net:    network namespace of the trackers
 * @dev:    device by which they come and go
 * @perm:   order of the flows; each begins elsewhere in it
 * @result: its time is from the start of all to the end of the last
 *
 * Context: process; as for bench_walk().
 * Return: 0 or a negative error.
 */
int bench_race(const struct bench_order *order, struct net *net,
	       struct net_device *dev, const u32 *perm,
	       struct bench_result *result)
{
	struct racer *racers;
	int err;

	racers = kcalloc(order->threads, sizeof(*racers), GFP_KERNEL);
	if (!racers)
		return -ENOMEM;
	err = race(racers, order, net, dev, perm, result);
	kfree(racers);
	return err;
}

/**
 * bench_spin - see how much others take of the processor
 * @order:  for how long
 * @result: the sum is in busy_ns
 *
 * What collects expired flows runs in spells of its own. Those shorter than a
 * few microseconds are not told from the loop itself.
 *
 * Context: process; the only one, on one processor.
 */
void bench_spin(const struct bench_order *order, struct bench_result *result)
{
	u64 begin = ktime_get_ns(), last = begin, now;

	do {
		cond_resched();
		now = ktime_get_ns();
		if (now - last > 5000)
			result->busy_ns += now - last;
		last = now;
	} while (now - begin < order->spin_ms * (u64)NSEC_PER_MSEC);
	result->ns = now - begin;
}

/* Between two looks at the clock. */
#define NAP_NS	(100 * NSEC_PER_USEC)

/**
 * bench_nap - see how long others keep the processor without giving way
 * @order:  for how long
 * @result: worst_ns is the longest
 *
 * Sleeps again and again, and goes before every other process when it wakes: so
 * it waits until the kernel's work of the moment gives way or ends. On a kernel
 * that preempts its own work, only until a lock is released.
 *
 * Context: process; the only one, on one processor.
 */
void bench_nap(const struct bench_order *order, struct bench_result *result)
{
	u64 begin = ktime_get_ns(), now = begin, due;
	ktime_t until;

	sched_set_fifo(current);
	while (now - begin < order->nap_ms * (u64)NSEC_PER_MSEC) {
		due = now + NAP_NS;
		until = ns_to_ktime(due);
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
		now = ktime_get_ns();
		if (now > due)
			bench_result_worst(result, now - due);
	}
	sched_set_normal(current, 0);
	result->ns = now - begin;
}
