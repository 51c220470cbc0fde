// SPDX-License-Identifier: GPL-2.0-only
/*
 * table - the flows of a network namespace.
 *
 * Owns every struct udptrack_flow. Speaks in keys and copies: no pointer to a
 * flow, no lock and no RCU rule leaves this file and started.c, so that what is
 * inside may change. Every function may be called in softirq or process context
 * unless it says otherwise.
 *
 * A flow stands in two indices. by_key, an rhashtable, answers packets. by_id,
 * an XArray under a number that grows from flow to flow, gives listing,
 * collection and eviction an order that no resize disturbs: a cursor is the id
 * to go on from, whatever came and went in between, the oldest flows come
 * first, and a listing ends at the id that was the newest when it began.
 *
 * Once somebody wants to know which flows this host started on a port, those
 * also stand in the chain of that port: started.c.
 *
 * Locks. flow->lock covers the flow's state, counters and @live. A flow is
 * taken out of by_key under its own lock and in the same critical section in
 * which @live turns false; it is put in likewise, with @live turning true. So
 * whoever finds a flow and then holds its lock sees either a live flow that is
 * in the hash, or a dead one that no longer is and that a new lookup will not
 * find: no stale reader can refresh, establish or count for a flow that is
 * gone. Lock order: flow->lock, then the bucket lock inside rhashtable or that
 * of a chain of ports. No two flow locks are held at once, and by_id's lock is
 * never taken under one.
 *
 * Whoever watches the table is told of what happens to a flow while its lock
 * is held, so in the order in which it happens; see events.c.
 *
 * Memory is freed after an RCU grace period through call_rcu(), for which
 * module unload waits with rcu_barrier().
 */
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <kunit/visibility.h>

#include "events.h"
#include "flow.h"
#include "started.h"
#include "table.h"

#define ALLOC_FLAGS		(GFP_ATOMIC | __GFP_NOWARN)
/* Flows looked at, at most, to find one to evict. */
#define EVICT_NEIGHBOURHOOD	16
/* Victims that other CPUs may snatch away before a packet gives up. */
#define EVICT_TRIES		4
/* Races with other first packets that one packet may lose in a row. */
#define TRACK_TRIES		8
/* Dead flows a listing passes over before it lets others run. */
#define NEXT_CHUNK		256

static struct kmem_cache *flow_cache __read_mostly;
static siphash_key_t hash_key __read_mostly;

/*
 * The seed that rhashtable offers is left out: the key is secret already, so
 * nobody can aim at a chain that another seed would break up.
 */
static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct udptrack_key *key = data;

	if (key->family == NFPROTO_IPV4)
		return siphash_3u32((__force u32)key->addr[0].ip,
				    (__force u32)key->addr[1].ip,
				    (__force u32)key->port[0] << 16 |
				    (__force u32)key->port[1], &hash_key);
	return siphash(key, sizeof(*key), &hash_key);
}

static const struct rhashtable_params by_key_params = {
	.head_offset = offsetof(struct udptrack_flow, node),
	.key_offset = offsetof(struct udptrack_flow, key),
	.key_len = sizeof(struct udptrack_key),
	.hashfn = key_hash,
	.automatic_shrinking = true,
};

/**
 * udptrack_table_module_init - what all tables share
 *
 * Context: process, once, before any table is made.
 * Return: 0 or -ENOMEM.
 */
int udptrack_table_module_init(void)
{
	BUILD_BUG_ON(sizeof(struct udptrack_key) != 44);

	get_random_bytes(&hash_key, sizeof(hash_key));
	flow_cache = kmem_cache_create("udptrack_flow",
				       sizeof(struct udptrack_flow), 0,
				       SLAB_NO_MERGE, NULL);
	return flow_cache ? 0 : -ENOMEM;
}

/**
 * udptrack_table_module_exit - undo udptrack_table_module_init()
 *
 * Waits for the flows that are still on their way through call_rcu().
 *
 * Context: process, after the last table is gone.
 */
void udptrack_table_module_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(flow_cache);
}

/**
 * udptrack_table_init - make an empty table
 * @table: memory for it
 * @stats: where to count; must outlive the table
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int udptrack_table_init(struct udptrack_table *table,
			struct udptrack_stats __percpu *stats)
{
	xa_init_flags(&table->by_id, XA_FLAGS_LOCK_BH);
	atomic_long_set(&table->last_id, 0);
	atomic_set(&table->count, 0);
	table->ports = NULL;
	table->evict_hand = 0;
	table->stats = stats;
	table->dns = NULL;
	table->watch = NULL;
	return rhashtable_init(&table->by_key, &by_key_params);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_init);

/**
 * udptrack_table_destroy - free a table and its flows
 * @table: a table that nobody else uses any more
 *
 * Context: process; may sleep.
 */
void udptrack_table_destroy(struct udptrack_table *table)
{
	udptrack_table_flush(table);
	rhashtable_destroy(&table->by_key);
	xa_destroy(&table->by_id);
	kvfree(table->ports);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_destroy);

static void flow_free_rcu(struct rcu_head *head)
{
	struct udptrack_flow *flow = container_of(head, struct udptrack_flow,
						  rcu);

	udptrack_owner_put(&flow->owner);
	udptrack_dns_free(flow->dns);
	kmem_cache_free(flow_cache, flow);
}

/* Under flow->lock. */
static void owner_snapshot(const struct udptrack_owner *owner,
			   struct pid_namespace *reader,
			   struct udptrack_snapshot *snap)
{
	snap->has_uid = owner->has_uid;
	snap->uid = owner->uid;
	snap->cgroup = owner->cgroup;
	snap->pid = reader ? pid_nr_ns(owner->pid, reader) : 0;
	memcpy(snap->comm, owner->comm, sizeof(snap->comm));
}

/* Under flow->lock. */
static void flow_copy(const struct udptrack_flow *flow,
		      struct pid_namespace *reader,
		      struct udptrack_snapshot *snap)
{
	snap->id = flow->id;
	snap->start_ns = flow->start_ns;
	snap->state = flow->state;
	snap->acct = flow->acct;
	snap->traffic[0] = flow->traffic[0];
	snap->traffic[1] = flow->traffic[1];
	owner_snapshot(&flow->owner, reader, snap);
	snap->is_dns = flow->dns;
	if (flow->dns)
		snap->dns = flow->dns->sum;
	udptrack_key_to_tuple(&flow->key, flow->origin, &snap->tuple);
}

/*
 * Tell who watches, if anybody wants to know. Under flow->lock. The copy of the
 * flow has no place on the stack of packets that nobody is told of.
 */
static noinline void flow_tell(struct udptrack_table *table,
			       const struct udptrack_flow *flow,
			       struct udptrack_event *event)
{
	struct udptrack_watch *watch = table->watch;
	struct udptrack_snapshot snap;

	lockdep_assert_held(&flow->lock);
	if (!watch || !watch->wants(watch))
		return;
	flow_copy(flow, watch->reader, &snap);
	event->flow = &snap;
	watch->event(watch, event);
}

static void flow_tell_alert(struct udptrack_table *table,
			    const struct udptrack_flow *flow,
			    enum udptrack_alert alert)
{
	struct udptrack_event event = {
		.kind = UDPTRACK_EVENT_DNS,
		.alert = alert,
	};

	flow_tell(table, flow, &event);
}

/* What a packet did to it, see UDPTRACK_EVENT_*. */
static void flow_tell_change(struct udptrack_table *table,
			     const struct udptrack_flow *flow, u8 events)
{
	struct udptrack_event event = { .kind = UDPTRACK_EVENT_UPDATE };

	if (events & UDPTRACK_EVENT_ESTABLISHED)
		event.change |= UDPTRACK_CHANGE_ESTABLISHED;
	if (events & UDPTRACK_EVENT_ASSURED)
		event.change |= UDPTRACK_CHANGE_ASSURED;
	if (events & UDPTRACK_EVENT_CLOSED)
		event.change |= UDPTRACK_CHANGE_CLOSED;
	flow_tell(table, flow, &event);
}

static u32 flow_unanswered(const struct udptrack_flow *flow)
{
	return flow->dns ? flow->dns->sum.unanswered : 0;
}

/* Take a live flow out of by_key and its chain. Under flow->lock. */
static void flow_kill(struct udptrack_table *table, struct udptrack_flow *flow)
{
	int err;

	lockdep_assert_held(&flow->lock);
	flow->live = false;
	err = rhashtable_remove_fast(&table->by_key, &flow->node,
				     by_key_params);
	WARN_ON_ONCE(err);
	udptrack_started_del(table, flow);
	if (flow->dns)
		udptrack_dns_close(flow->dns, table->dns);
}

/* Its questions may still be answered. */
static void flow_lose_dns(struct udptrack_table *table,
			  const struct udptrack_flow *flow)
{
	if (flow->dns)
		udptrack_dns_lose(table->dns, udptrack_dns_clock());
}

/*
 * End a live flow: because its time was up, else for the reason that the caller
 * has. Under flow->lock. False when its time was up.
 */
static bool flow_end(struct udptrack_table *table, struct udptrack_flow *flow,
		     u32 now_j, enum udptrack_reason reason)
{
	struct udptrack_event event = {
		.kind = UDPTRACK_EVENT_END,
		.reason = reason,
		.stop_ns = ktime_get_real_ns(),
	};
	bool expired = udptrack_state_expired(&flow->state, now_j);
	u32 unanswered = flow_unanswered(flow);

	if (!expired)
		flow_lose_dns(table, flow);
	flow_kill(table, flow);
	if (expired) {
		event.reason = UDPTRACK_REASON_TIMEOUT;
		/* It ended then, whenever that is found out. */
		event.stop_ns -= (u64)(now_j - flow->state.expires_j) *
				 (NSEC_PER_SEC / HZ);
		this_cpu_inc(table->stats->expired);
		if (flow_unanswered(flow) != unanswered)
			flow_tell_alert(table, flow, UDPTRACK_ALERT_UNANSWERED);
	} else if (reason == UDPTRACK_REASON_EVICTED) {
		this_cpu_inc(table->stats->evicted);
	} else {
		this_cpu_inc(table->stats->deleted);
	}
	flow_tell(table, flow, &event);
	return !expired;
}

/* The rest of a flow's death, for the one who killed it. Without its lock. */
static void flow_release(struct udptrack_table *table,
			 struct udptrack_flow *flow)
{
	xa_erase_bh(&table->by_id, flow->id);
	atomic_dec(&table->count);
	call_rcu(&flow->rcu, flow_free_rcu);
}

static enum udptrack_dir flow_dir(const struct udptrack_flow *flow,
				  unsigned int side)
{
	if (side == UDPTRACK_SIDE_ORIGIN)
		return UDPTRACK_ORIGINAL;
	/*
	 * A socket that sends to itself answers itself: its tuple is its own
	 * inverse, and nf_conntrack too takes all but the first for replies.
	 */
	if (unlikely(udptrack_key_is_self(&flow->key)))
		return UDPTRACK_REPLY;
	return side == flow->origin ? UDPTRACK_ORIGINAL : UDPTRACK_REPLY;
}

/* Under flow->lock. */
static void flow_account(struct udptrack_flow *flow, enum udptrack_dir dir,
			 const struct udptrack_visit *visit)
{
	if (!flow->acct)
		return;
	flow->traffic[dir].packets += visit->packets;
	flow->traffic[dir].bytes += visit->bytes;
}

/* Is it for the flow's questions to judge? Under flow->lock. */
static bool flow_is_asked(const struct udptrack_flow *flow, unsigned int side,
			  const struct udptrack_dns_visit *dns)
{
	return dns && !dns->asks && flow->dns && flow->dns->side != side;
}

static void flow_ask(struct udptrack_table *table, struct udptrack_flow *flow,
		     bool is_first, const struct udptrack_visit *visit)
{
	if (!visit->dns || !visit->dns->asks)
		return;
	udptrack_dns_ask(&flow->dns, visit->side, is_first, &visit->dns->msg,
			 &visit->dns->rules, table->dns);
	flow->closed = false;
}

/*
 * What may be an answer. False when it is forged and that is to have
 * consequences; then it was counted where it arrived. @closes is set when it
 * is the one that leaves no question open. Under flow->lock.
 */
static bool flow_answer(struct udptrack_table *table,
			struct udptrack_flow *flow,
			const struct udptrack_visit *visit,
			struct udptrack_timeouts *timeouts,
			struct udptrack_result *result, bool *closes)
{
	const struct udptrack_dns_visit *dns = visit->dns;

	result->forged = false;
	*closes = false;
	if (!flow_is_asked(flow, visit->side, dns))
		return true;
	if (dns->enforce && udptrack_dns_judge(flow->dns, &dns->msg,
					       &dns->rules) ==
			    UDPTRACK_DNS_FORGED)
		return false;
	result->forged = udptrack_dns_answer(flow->dns, &dns->msg, &dns->rules,
					     table->dns) ==
			 UDPTRACK_DNS_FORGED;
	if (udptrack_dns_idle(flow->dns, &dns->rules, table->dns)) {
		timeouts->unreplied_j = dns->linger_j;
		timeouts->stream_j = dns->linger_j;
		*closes = !flow->closed;
		flow->closed = true;
	}
	return true;
}

/*
 * Apply a packet to a flow that a lookup found. False when the flow is gone by
 * now, or has expired, in which case it is removed. Under rcu_read_lock().
 */
static bool flow_visit(struct udptrack_table *table, struct udptrack_flow *flow,
		       const struct udptrack_visit *visit,
		       struct udptrack_result *result)
{
	struct udptrack_timeouts timeouts = visit->timeouts;
	enum udptrack_dir dir;
	u32 unanswered;
	bool closes;

	spin_lock_bh(&flow->lock);
	if (!flow->live) {
		spin_unlock_bh(&flow->lock);
		return false;
	}
	if (udptrack_state_expired(&flow->state, visit->now_j)) {
		flow_end(table, flow, visit->now_j, UDPTRACK_REASON_TIMEOUT);
		spin_unlock_bh(&flow->lock);
		flow_release(table, flow);
		return false;
	}
	unanswered = flow_unanswered(flow);
	flow_ask(table, flow, false, visit);
	if (!flow_answer(table, flow, visit, &timeouts, result, &closes)) {
		spin_unlock_bh(&flow->lock);
		result->class = UDPTRACK_INVALID;
		result->events = 0;
		result->wants_owner = false;
		return true;
	}
	dir = flow_dir(flow, visit->side);
	result->class = udptrack_state_classify(&flow->state, dir);
	flow->state = udptrack_state_next(flow->state, dir, visit->now_j,
					  &timeouts, &result->events);
	if (closes)
		result->events |= UDPTRACK_EVENT_CLOSED;
	flow_account(flow, dir, visit);
	result->wants_owner = !flow->owner.final;
	if (unlikely(flow_unanswered(flow) != unanswered))
		flow_tell_alert(table, flow, UDPTRACK_ALERT_UNANSWERED);
	if (unlikely(result->forged))
		flow_tell_alert(table, flow, UDPTRACK_ALERT_FORGED);
	if (unlikely(result->events))
		flow_tell_change(table, flow, result->events);
	spin_unlock_bh(&flow->lock);
	this_cpu_inc(table->stats->found);
	return true;
}

/*
 * May a flow be evicted? Also asked without its lock, when the answer may be
 * stale: who is chosen by it is asked again under the lock.
 */
static bool flow_evictable(const struct udptrack_flow *flow, u32 now_j)
{
	/* A torn copy is as good as a stale one. */
	struct udptrack_state state = data_race(flow->state);
	/* Likewise. */
	bool live = data_race(flow->live);

	return live &&
	       (!(state.flags & UDPTRACK_SEEN_REPLY) ||
		udptrack_state_expired(&state, now_j));
}

/*
 * Choose the evictable flow nearest to expiry among the next few, oldest
 * first. The hand stays at the first flow that may be evicted, so that the
 * replied ones before it are passed over once, not by every packet. Under
 * rcu_read_lock().
 */
static struct udptrack_flow *table_victim(struct udptrack_table *table,
					  u32 now_j)
{
	struct udptrack_flow *flow, *victim = NULL;
	unsigned long id = READ_ONCE(table->evict_hand);
	unsigned long hand = 0;
	u32 expires_j, earliest_j = 0;
	unsigned int seen;

	for (seen = 0; seen < EVICT_NEIGHBOURHOOD; seen++, id++) {
		flow = xa_find(&table->by_id, &id, ULONG_MAX, XA_PRESENT);
		if (!flow && id) {	/* past the newest: start over */
			id = 0;
			flow = xa_find(&table->by_id, &id, ULONG_MAX,
				       XA_PRESENT);
		}
		if (!flow)
			break;
		if (!flow_evictable(flow, now_j))
			continue;
		if (!victim)
			hand = flow->id;
		/* A stale expiry only makes a slightly worse choice. */
		expires_j = data_race(flow->state.expires_j);
		if (!victim || (s32)(expires_j - earliest_j) < 0) {
			victim = flow;
			earliest_j = expires_j;
		}
	}
	WRITE_ONCE(table->evict_hand, victim ? hand : id);
	return victim;
}

static bool table_evict(struct udptrack_table *table, u32 now_j)
{
	struct udptrack_flow *victim;
	bool evicted = false;
	unsigned int tries;

	rcu_read_lock();
	for (tries = 0; tries < EVICT_TRIES && !evicted; tries++) {
		victim = table_victim(table, now_j);
		if (!victim)
			break;
		spin_lock_bh(&victim->lock);
		evicted = flow_evictable(victim, now_j);
		if (evicted)
			flow_end(table, victim, now_j, UDPTRACK_REASON_EVICTED);
		spin_unlock_bh(&victim->lock);
	}
	if (evicted)
		flow_release(table, victim);
	rcu_read_unlock();
	return evicted;
}

/* Count a flow in, at another's expense if need be. */
static bool table_reserve(struct udptrack_table *table, unsigned int max,
			  u32 now_j)
{
	if ((unsigned int)atomic_inc_return(&table->count) <= max ||
	    table_evict(table, now_j))
		return true;
	atomic_dec(&table->count);
	this_cpu_inc(table->stats->full);
	return false;
}

static struct udptrack_flow *flow_alloc(const struct udptrack_key *key,
					const struct udptrack_visit *visit)
{
	struct udptrack_flow *flow = kmem_cache_zalloc(flow_cache, ALLOC_FLAGS);

	if (!flow)
		return NULL;
	flow->key = *key;
	spin_lock_init(&flow->lock);
	flow->acct = visit->acct;
	flow->origin = visit->side;
	flow->ifindex = visit->ifindex;
	flow->start_ns = ktime_get_real_ns();
	if (visit->owner)
		visit->owner(visit, &flow->owner);
	flow->state = udptrack_state_open(visit->now_j, &visit->timeouts);
	if (visit->related)
		flow->state.flags |= UDPTRACK_EXPECTED;
	flow_account(flow, UDPTRACK_ORIGINAL, visit);
	return flow;
}

/*
 * Make a flow. -EEXIST when another packet was first: both directions at once,
 * or two packets of one. The caller then visits the winner's flow.
 */
static int table_create(struct udptrack_table *table,
			const struct udptrack_key *key,
			const struct udptrack_visit *visit)
{
	struct udptrack_event event = { .kind = UDPTRACK_EVENT_BEGIN };
	struct udptrack_flow *flow, *other;

	if (!table_reserve(table, visit->max, visit->now_j))
		return -ENOSPC;

	flow = flow_alloc(key, visit);
	if (!flow)
		goto no_memory;
	/* From here on iterators may see it; while not live they pass on. */
	flow->id = atomic_long_inc_return(&table->last_id);
	if (xa_insert_bh(&table->by_id, flow->id, flow, ALLOC_FLAGS)) {
		udptrack_owner_put(&flow->owner);
		kmem_cache_free(flow_cache, flow);
		goto no_memory;
	}

	spin_lock_bh(&flow->lock);
	other = rhashtable_lookup_get_insert_fast(&table->by_key, &flow->node,
						  by_key_params);
	flow->live = !other;
	if (flow->live) {
		udptrack_started_add(table, flow);
		flow_ask(table, flow, true, visit);
		flow_tell(table, flow, &event);
	}
	spin_unlock_bh(&flow->lock);
	if (!other) {
		this_cpu_inc(table->stats->new);
		return 0;
	}

	flow_release(table, flow);
	if (!IS_ERR(other)) {
		this_cpu_inc(table->stats->clash);
		return -EEXIST;
	}
	/* -EBUSY, -E2BIG or -ENOMEM: chains too long and no way to grow now. */
	this_cpu_inc(table->stats->insert_failed);
	return -ENOMEM;

no_memory:
	atomic_dec(&table->count);
	this_cpu_inc(table->stats->alloc_failed);
	return -ENOMEM;
}

/**
 * udptrack_table_peek - classify a packet without touching anything
 * @table: the table
 * @key:   the packet's ends
 * @side:  which of them sent it, or UDPTRACK_SIDE_ORIGIN
 * @now_j: the time, in jiffies
 * @class: set to UDPTRACK_NEW, UDPTRACK_RELATED or UDPTRACK_ESTABLISHED
 *
 * Context: process or softirq.
 * Return: true when the packet belongs to a live flow.
 */
bool udptrack_table_peek(struct udptrack_table *table,
			 const struct udptrack_key *key, unsigned int side,
			 u32 now_j, enum udptrack_class *class)
{
	struct udptrack_flow *flow;
	bool live = false;

	*class = UDPTRACK_NEW;
	rcu_read_lock();
	flow = rhashtable_lookup(&table->by_key, key, by_key_params);
	if (flow) {
		spin_lock_bh(&flow->lock);
		live = flow->live &&
		       !udptrack_state_expired(&flow->state, now_j);
		if (live)
			*class = udptrack_state_classify(&flow->state,
							 flow_dir(flow, side));
		spin_unlock_bh(&flow->lock);
	}
	rcu_read_unlock();
	return live;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_peek);

/**
 * udptrack_table_forged - does a packet answer a question nobody asked?
 * @table: the table
 * @key:   the packet's ends
 * @side:  which of them sent it
 * @now_j: the time, in jiffies
 * @dns:   what it is as a DNS message
 * @note:  count it if it does; else nothing is changed
 *
 * Context: process or softirq.
 * Return: true when it belongs to a live flow that asked questions, and to none
 * of them.
 */
bool udptrack_table_forged(struct udptrack_table *table,
			   const struct udptrack_key *key, unsigned int side,
			   u32 now_j, const struct udptrack_dns_visit *dns,
			   bool note)
{
	struct udptrack_flow *flow;
	bool forged = false;

	rcu_read_lock();
	flow = rhashtable_lookup(&table->by_key, key, by_key_params);
	if (flow) {
		spin_lock_bh(&flow->lock);
		forged = flow->live &&
			 !udptrack_state_expired(&flow->state, now_j) &&
			 flow_is_asked(flow, side, dns) &&
			 udptrack_dns_judge(flow->dns, &dns->msg,
					    &dns->rules) ==
			 UDPTRACK_DNS_FORGED;
		if (forged && note) {
			udptrack_dns_note_forged(flow->dns, table->dns);
			flow_tell_alert(table, flow, UDPTRACK_ALERT_FORGED);
		}
		spin_unlock_bh(&flow->lock);
	}
	rcu_read_unlock();
	return forged;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_forged);

/**
 * udptrack_table_track - let a packet refresh its flow, or make one
 * @table:  the table
 * @key:    the packet's ends
 * @visit:  the packet and the rules to apply
 * @result: filled in for UDPTRACK_FOUND and UDPTRACK_CREATED
 *
 * First packets that race, be it in one direction or both, end in one flow,
 * and each is counted in it. A full table gives up its unreplied flow nearest
 * to expiry in a bounded neighbourhood; nf_conntrack drops the packet when
 * that fails, here it is only left untracked.
 *
 * Context: process or softirq.
 * Return: what became of the packet.
 */
enum udptrack_outcome udptrack_table_track(struct udptrack_table *table,
					   const struct udptrack_key *key,
					   const struct udptrack_visit *visit,
					   struct udptrack_result *result)
{
	struct udptrack_flow *flow;
	unsigned int tries;
	bool found = false;
	int err;

	for (tries = 0; tries < TRACK_TRIES; tries++) {
		rcu_read_lock();
		flow = rhashtable_lookup(&table->by_key, key, by_key_params);
		if (flow)
			found = flow_visit(table, flow, visit, result);
		rcu_read_unlock();
		if (found)
			return UDPTRACK_FOUND;
		if (!visit->create)
			return UDPTRACK_ABSENT;

		err = table_create(table, key, visit);
		if (!err) {
			result->class = visit->related ? UDPTRACK_RELATED
						       : UDPTRACK_NEW;
			result->events = UDPTRACK_EVENT_NEW;
			result->wants_owner = false;
			result->forged = false;
			return UDPTRACK_CREATED;
		}
		if (err != -EEXIST)
			return UDPTRACK_REFUSED;
	}
	this_cpu_inc(table->stats->insert_failed);
	return UDPTRACK_REFUSED;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_track);

/**
 * udptrack_table_own - tell a flow whose it is
 * @table: the table
 * @key:   its ends
 * @owner: what is known now
 *
 * What is known already stays, unless this is more.
 *
 * Context: process or softirq.
 */
void udptrack_table_own(struct udptrack_table *table,
			const struct udptrack_key *key,
			const struct udptrack_owner *owner)
{
	struct udptrack_flow *flow;

	rcu_read_lock();
	flow = rhashtable_lookup(&table->by_key, key, by_key_params);
	if (flow) {
		spin_lock_bh(&flow->lock);
		/* Without a process so far, hence without a reference. */
		if (flow->live && !flow->owner.final)
			udptrack_owner_copy(&flow->owner, owner);
		spin_unlock_bh(&flow->lock);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_own);

/* The flow of a key, an id, or both. Under rcu_read_lock(). */
static struct udptrack_flow *table_find(struct udptrack_table *table,
					const struct udptrack_key *key,
					unsigned long id)
{
	struct udptrack_flow *flow;

	if (!key)
		return xa_load(&table->by_id, id);
	flow = rhashtable_lookup(&table->by_key, key, by_key_params);
	return flow && (!id || flow->id == id) ? flow : NULL;
}

/**
 * udptrack_table_erase - remove a flow
 * @table: the table
 * @key:   its ends, or NULL when only @id matters
 * @id:    its id, or 0 when only @key matters
 * @now_j: the time, in jiffies
 *
 * Context: process or softirq.
 * Return: true when there was a live flow.
 */
bool udptrack_table_erase(struct udptrack_table *table,
			  const struct udptrack_key *key, unsigned long id,
			  u32 now_j)
{
	struct udptrack_flow *flow;
	bool killed = false;
	bool live = false;

	rcu_read_lock();
	flow = table_find(table, key, id);
	if (flow) {
		spin_lock_bh(&flow->lock);
		killed = flow->live;
		if (killed)
			live = flow_end(table, flow, now_j,
					UDPTRACK_REASON_DELETED);
		spin_unlock_bh(&flow->lock);
	}
	if (killed)
		flow_release(table, flow);
	rcu_read_unlock();
	return live;
}
EXPORT_SYMBOL_GPL(udptrack_table_erase);

/**
 * udptrack_table_flush - remove every flow
 * @table: the table
 *
 * For good: nobody is told, and nothing is counted. Flows made meanwhile may
 * stay.
 *
 * Context: process; may sleep.
 */
void udptrack_table_flush(struct udptrack_table *table)
{
	struct udptrack_flow *flow;
	unsigned long id = 0;
	bool killed;

	for (;; id++) {
		rcu_read_lock();
		flow = xa_find(&table->by_id, &id, ULONG_MAX, XA_PRESENT);
		if (!flow) {
			rcu_read_unlock();
			return;
		}
		spin_lock_bh(&flow->lock);
		killed = flow->live;
		if (killed) {
			flow_lose_dns(table, flow);
			flow_kill(table, flow);
		}
		spin_unlock_bh(&flow->lock);
		if (killed)
			flow_release(table, flow);
		rcu_read_unlock();
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_flush);

/**
 * udptrack_table_last_id - where a listing that begins now may end
 * @table: the table
 *
 * Context: any.
 * Return: id of the newest flow, 0 when there never was one.
 */
unsigned long udptrack_table_last_id(const struct udptrack_table *table)
{
	return atomic_long_read(&table->last_id);
}
EXPORT_SYMBOL_GPL(udptrack_table_last_id);

static bool flow_snapshot(struct udptrack_flow *flow, u32 now_j,
			  struct pid_namespace *reader,
			  struct udptrack_snapshot *snap)
{
	bool live;

	spin_lock_bh(&flow->lock);
	live = flow->live && !udptrack_state_expired(&flow->state, now_j);
	if (live)
		flow_copy(flow, reader, snap);
	spin_unlock_bh(&flow->lock);
	return live;
}

/**
 * udptrack_table_get - copy a flow
 * @table:  the table
 * @key:    its ends, or NULL when only @id matters
 * @id:     its id, or 0 when only @key matters
 * @now_j:  the time, in jiffies
 * @reader: the pid namespace in whose numbers to name processes, or NULL
 * @snap:   filled in when there is one
 *
 * Context: process or softirq.
 * Return: true when there is a live flow.
 */
bool udptrack_table_get(struct udptrack_table *table,
			const struct udptrack_key *key, unsigned long id,
			u32 now_j, struct pid_namespace *reader,
			struct udptrack_snapshot *snap)
{
	struct udptrack_flow *flow;
	bool live;

	rcu_read_lock();
	flow = table_find(table, key, id);
	live = flow && flow_snapshot(flow, now_j, reader, snap);
	rcu_read_unlock();
	return live;
}
EXPORT_SYMBOL_GPL(udptrack_table_get);

/**
 * udptrack_table_next - copy the first live flow from a cursor on
 * @table:   the table
 * @from_id: lowest id wanted: 0 to begin, then the last copy's id plus one
 * @last_id: highest id wanted, see udptrack_table_last_id()
 * @now_j:   the time, in jiffies
 * @reader:  the pid namespace in whose numbers to name processes, or NULL
 * @snap:    filled in when there is one
 *
 * A listing sees each flow that lives through the whole of it exactly once,
 * whatever is added, removed or resized meanwhile.
 *
 * Context: process; may sleep.
 * Return: true when @snap holds a flow, false at the end.
 */
bool udptrack_table_next(struct udptrack_table *table, unsigned long from_id,
			 unsigned long last_id, u32 now_j,
			 struct pid_namespace *reader,
			 struct udptrack_snapshot *snap)
{
	struct udptrack_flow *flow;
	unsigned long id = from_id;
	bool done = false;
	unsigned int n;

	do {
		rcu_read_lock();
		for (n = 0; n < NEXT_CHUNK && !done; n++, id++) {
			flow = xa_find(&table->by_id, &id, last_id, XA_PRESENT);
			done = !flow || flow_snapshot(flow, now_j, reader, snap);
		}
		rcu_read_unlock();
		/* The caller may want none of all these copies. */
		cond_resched();
	} while (!done);
	return flow;
}
EXPORT_SYMBOL_GPL(udptrack_table_next);

/* End a flow if it is doomed, or dead. Under rcu_read_lock(). */
static bool flow_prune(struct udptrack_table *table,
		       struct udptrack_flow *flow, u32 now_j,
		       struct pid_namespace *reader,
		       bool (*doomed)(const struct udptrack_snapshot *flow,
				      const void *arg),
		       const void *arg)
{
	struct udptrack_snapshot snap;
	bool pruned = false;
	bool killed;

	spin_lock_bh(&flow->lock);
	killed = flow->live;
	if (killed && doomed && !udptrack_state_expired(&flow->state, now_j)) {
		flow_copy(flow, reader, &snap);
		killed = doomed(&snap, arg);
	}
	if (killed)
		pruned = flow_end(table, flow, now_j, UDPTRACK_REASON_DELETED);
	spin_unlock_bh(&flow->lock);
	if (killed)
		flow_release(table, flow);
	return pruned;
}

/**
 * udptrack_table_prune - remove the flows that somebody wants to be rid of
 * @table:  the table
 * @now_j:  the time, in jiffies
 * @reader: the pid namespace in whose numbers @doomed sees processes, or NULL
 * @doomed: this one? Called with a copy, under a spin lock; NULL for all
 * @arg:    for @doomed
 *
 * Flows that begin meanwhile stay.
 *
 * Context: process; may sleep.
 * Return: the number of live flows that were removed.
 */
unsigned int udptrack_table_prune(struct udptrack_table *table, u32 now_j,
				  struct pid_namespace *reader,
				  bool (*doomed)(const struct udptrack_snapshot *flow,
						 const void *arg),
				  const void *arg)
{
	unsigned long last_id = udptrack_table_last_id(table);
	struct udptrack_flow *flow;
	unsigned int pruned = 0;
	unsigned long id;

	for (id = 0;; id++) {
		rcu_read_lock();
		flow = xa_find(&table->by_id, &id, last_id, XA_PRESENT);
		if (!flow) {
			rcu_read_unlock();
			return pruned;
		}
		pruned += flow_prune(table, flow, now_j, reader, doomed, arg);
		rcu_read_unlock();
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(udptrack_table_prune);

/**
 * udptrack_table_collect - free some expired flows
 * @table:   the table
 * @now_j:   the time, in jiffies
 * @budget:  flows to look at, at most
 * @cursor:  where to go on; 0 to begin a pass
 * @sleep_j: lowered to the jiffies until the next flow seen expires
 *
 * Context: process or softirq.
 * Return: true when the pass is complete, and @cursor is 0 again.
 */
bool udptrack_table_collect(struct udptrack_table *table, u32 now_j,
			    unsigned int budget, unsigned long *cursor,
			    u32 *sleep_j)
{
	struct udptrack_flow *flow;
	unsigned long id = *cursor;
	bool expired;
	s32 left;

	rcu_read_lock();
	for (; budget; budget--, id++) {
		flow = xa_find(&table->by_id, &id, ULONG_MAX, XA_PRESENT);
		if (!flow)
			break;
		/* A first look; whoever seems expired is looked at again. */
		left = data_race(flow->state.expires_j) - now_j;
		if (left > 0) {
			*sleep_j = min_t(u32, *sleep_j, left);
			continue;
		}
		spin_lock_bh(&flow->lock);
		expired = flow->live &&
			  udptrack_state_expired(&flow->state, now_j);
		if (expired)
			flow_end(table, flow, now_j, UDPTRACK_REASON_TIMEOUT);
		spin_unlock_bh(&flow->lock);
		if (expired)
			flow_release(table, flow);
	}
	rcu_read_unlock();
	*cursor = budget ? 0 : id;
	return budget;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_collect);

/**
 * udptrack_table_count - flows in the table
 * @table: the table
 *
 * Context: any.
 * Return: their number; expired ones count until they are collected.
 */
unsigned int udptrack_table_count(const struct udptrack_table *table)
{
	return atomic_read(&table->count);
}
EXPORT_SYMBOL_GPL(udptrack_table_count);

/**
 * udptrack_table_buckets - size of the hash table
 * @table: the table
 *
 * Context: any.
 * Return: the number of buckets now.
 */
unsigned int udptrack_table_buckets(struct udptrack_table *table)
{
	unsigned int size;

	rcu_read_lock();
	size = rht_dereference_rcu(table->by_key.tbl, &table->by_key)->size;
	rcu_read_unlock();
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_buckets);
