// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow - a flow under its lock: looked at, copied, told of, ended.
 *
 * Owns nothing; what a flow is made of is in lines.c and records.c. Every
 * function but those that take the lock is called with it held, so with bottom
 * halves off, and under rcu_read_lock(). Only the time of a flow may change
 * meanwhile: whoever ends one because of its time does so by cmpxchg.
 */
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "flow.h"
#include "started.h"

/**
 * udptrack_flow_hold - take the lock of a flow
 * @table: its table
 * @ends:  its ends
 * @held:  filled in
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when there is one, for udptrack_flow_let_go(). Else no lock is
 * held.
 */
bool udptrack_flow_hold(struct udptrack_table *table,
			const struct udptrack_ends *ends,
			struct udptrack_held *held)
{
	spinlock_t *lock = udptrack_flow_lock(ends->hash);
	u64 word;

	spin_lock_bh(lock);
	word = udptrack_lines_find(&table->lines, ends, &held->slot);
	if (!word) {
		spin_unlock_bh(lock);
		return false;
	}
	held->table = table;
	held->flow = udptrack_records_at(&table->records,
					 udptrack_word_index(word));
	/* The caller has it now, which sparse need not know. */
	__release(lock);
	return true;
}

/**
 * udptrack_flow_hold_in - take the lock of a flow in a line
 * @table: its table
 * @hash:  a hash that selects the line
 * @index: of its record, found within the same RCU section
 * @held:  filled in
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when it is there, for udptrack_flow_let_go(). Else no lock is
 * held.
 */
bool udptrack_flow_hold_in(struct udptrack_table *table, u32 hash, u32 index,
			   struct udptrack_held *held)
{
	spinlock_t *lock = udptrack_flow_lock(hash);

	spin_lock_bh(lock);
	if (!udptrack_lines_find_index(&table->lines, hash, index,
				       &held->slot)) {
		spin_unlock_bh(lock);
		return false;
	}
	held->table = table;
	held->flow = udptrack_records_at(&table->records, index);
	/* As above. */
	__release(lock);
	return true;
}

/**
 * udptrack_flow_hold_id - take the lock of the flow with an id
 * @table: its table
 * @id:    the id
 * @index: of its record, found by the id within the same RCU section
 * @held:  filled in
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when it is there, for udptrack_flow_let_go(). Else no lock is
 * held.
 */
bool udptrack_flow_hold_id(struct udptrack_table *table, unsigned long id,
			   u32 index, struct udptrack_held *held)
{
	const struct udptrack_flow *flow =
		udptrack_records_at(&table->records, index);

	/* Of a flow that is not there yet it is anything; then nothing is found. */
	if (!udptrack_flow_hold_in(table, READ_ONCE(flow->hash), index, held))
		return false;
	if (held->flow->id == id)
		return true;
	udptrack_flow_let_go(held);
	return false;
}

/**
 * udptrack_flow_let_go - give up the lock
 * @held: the flow, which may have ended
 *
 * Context: see the top.
 */
void udptrack_flow_let_go(struct udptrack_held *held)
{
	spinlock_t *lock = udptrack_flow_lock(held->flow->hash);

	/* Taken by whoever filled in @held. */
	__acquire(lock);
	spin_unlock_bh(lock);
}

/**
 * udptrack_flow_state - the state of a flow
 * @flow: its record
 * @word: its word
 *
 * Context: see the top.
 * Return: the state.
 */
struct udptrack_state udptrack_flow_state(const struct udptrack_flow *flow,
					  u64 word)
{
	return (struct udptrack_state) {
		.expires_j = udptrack_word_expires(word),
		.stream_after_j = flow->stream_after_j,
		.flags = flow->flags,
	};
}

/**
 * udptrack_flow_flags - what the word of a flow says but for the time
 * @flow: its record
 *
 * Context: see the top.
 * Return: the lower half of the word.
 */
u32 udptrack_flow_flags(const struct udptrack_flow *flow)
{
	u32 flags = flow->index;

	if (flow->flags & UDPTRACK_SEEN_REPLY)
		flags |= UDPTRACK_WORD_REPLIED;
	/* Nothing will change any more but its time. */
	if ((flow->flags & UDPTRACK_ASSURED) && flow->owned)
		flags |= UDPTRACK_WORD_STREAM;
	if (flow->acct)
		flags |= UDPTRACK_WORD_ACCT;
	if (flow->kind & UDPTRACK_RECORD_KEY)
		flags |= UDPTRACK_WORD_DIGEST;
	return flags;
}

/**
 * udptrack_flow_ends - the key of a flow
 * @held: the flow
 * @key:  filled in
 *
 * Context: see the top. Also for a flow that has just ended: nobody else fills
 * its slot before the lock is given up.
 */
void udptrack_flow_ends(const struct udptrack_held *held,
			struct udptrack_key *key)
{
	const struct udptrack_line *line = held->slot.line;
	unsigned int i = held->slot.i;

	if (held->flow->kind & UDPTRACK_RECORD_KEY)
		*key = *udptrack_flow_key(held->flow);
	else
		udptrack_lines_key(line->a[i], line->ports[i], key);
}

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

/**
 * udptrack_flow_copy - copy a flow
 * @held:   the flow
 * @word:   its word
 * @reader: the pid namespace in whose numbers to name processes, or NULL
 * @snap:   filled in
 *
 * Context: see the top.
 */
void udptrack_flow_copy(const struct udptrack_held *held, u64 word,
			struct pid_namespace *reader,
			struct udptrack_snapshot *snap)
{
	const struct udptrack_flow *flow = held->flow;
	const struct udptrack_more *more = flow->more;
	struct udptrack_key key;
	unsigned int dir;

	memset(snap, 0, sizeof(*snap));
	snap->id = flow->id;
	snap->start_ns = flow->start_ns;
	snap->state = udptrack_flow_state(flow, word);
	snap->acct = flow->acct;
	for (dir = 0; flow->acct && dir < 2; dir++) {
		snap->traffic[dir].packets = atomic64_read(&more->packets[dir]);
		snap->traffic[dir].bytes = atomic64_read(&more->bytes[dir]);
	}
	if (more && more->owner)
		owner_snapshot(&more->owner->owner, reader, snap);
	snap->is_dns = udptrack_flow_dns(flow);
	if (snap->is_dns)
		snap->dns = more->dns->sum;
	udptrack_flow_ends(held, &key);
	udptrack_key_to_tuple(&key, flow->origin, &snap->tuple);
}

static noinline void flow_tell(const struct udptrack_held *held, u64 word,
			       struct udptrack_event *event)
{
	struct udptrack_watch *watch = held->table->watch;
	struct udptrack_snapshot snap;

	udptrack_flow_copy(held, word, watch->reader, &snap);
	event->flow = &snap;
	watch->event(watch, event);
}

/**
 * udptrack_flow_tell - tell who watches, if anybody wants to know
 * @held:  the flow
 * @word:  its word
 * @event: what happened; the flow is filled in
 *
 * The copy of the flow has no place on the stack of packets that nobody is told
 * of.
 *
 * Context: see the top.
 */
void udptrack_flow_tell(const struct udptrack_held *held, u64 word,
			struct udptrack_event *event)
{
	struct udptrack_watch *watch = held->table->watch;

	if (watch && watch->wants(watch))
		flow_tell(held, word, event);
}

/**
 * udptrack_flow_tell_alert - something is wrong with its DNS
 * @held:  the flow
 * @word:  its word
 * @alert: what
 *
 * Context: see the top.
 */
void udptrack_flow_tell_alert(const struct udptrack_held *held, u64 word,
			      enum udptrack_alert alert)
{
	struct udptrack_event event = {
		.kind = UDPTRACK_EVENT_DNS,
		.alert = alert,
	};

	udptrack_flow_tell(held, word, &event);
}

/* What there is to do when its slot is empty, but for the record. */
static void flow_close(struct udptrack_held *held)
{
	struct udptrack_dns *dns = udptrack_flow_dns(held->flow);

	udptrack_started_del(held->table, held->flow);
	if (dns)
		udptrack_dns_close(dns, held->table->dns);
}

static void flow_release(struct udptrack_held *held)
{
	atomic_dec(&held->table->count);
	udptrack_records_release(&held->table->records, held->flow);
}

/* Its questions may still be answered. */
static void flow_lose_dns(struct udptrack_held *held)
{
	if (udptrack_flow_dns(held->flow))
		udptrack_dns_lose(held->table->dns, udptrack_dns_clock());
}

static bool may_end(u64 word, u32 now_j, enum udptrack_reason reason)
{
	switch (reason) {
	case UDPTRACK_REASON_TIMEOUT:
		return udptrack_word_expired(word, now_j);
	case UDPTRACK_REASON_EVICTED:
		return udptrack_word_evictable(word, now_j);
	default:
		return true;
	}
}

/**
 * udptrack_flow_end - end a flow
 * @held:   the flow; all that may be done with it afterwards is to let it go
 * @now_j:  the time, in jiffies
 * @reason: the reason for it: of a timeout, it must be dead, of an eviction, it
 *          must be unreplied or dead. One that is dead ends for its timeout
 *          whatever the reason
 *
 * Context: see the top.
 * Return: what became of it.
 */
enum udptrack_ended udptrack_flow_end(struct udptrack_held *held, u32 now_j,
				      enum udptrack_reason reason)
{
	struct udptrack_event event = {
		.kind = UDPTRACK_EVENT_END,
		.reason = reason,
	};
	struct udptrack_table *table = held->table;
	u64 word = udptrack_held_word(held);
	u32 unanswered = udptrack_flow_unanswered(held->flow);
	bool expired;

	do {
		if (!may_end(word, now_j, reason))
			return UDPTRACK_ENDED_NOT;
	} while (!try_cmpxchg64(&held->slot.line->word[held->slot.i], &word,
				0));

	event.stop_ns = ktime_get_coarse_real_ns();
	expired = udptrack_word_expired(word, now_j);
	if (!expired)
		flow_lose_dns(held);
	flow_close(held);
	if (expired) {
		event.reason = UDPTRACK_REASON_TIMEOUT;
		/* It ended then, whenever that is found out. */
		event.stop_ns -= (u64)(now_j - udptrack_word_expires(word)) *
				 (NSEC_PER_SEC / HZ);
		this_cpu_inc(table->stats->expired);
		if (udptrack_flow_unanswered(held->flow) != unanswered)
			udptrack_flow_tell_alert(held, word,
						 UDPTRACK_ALERT_UNANSWERED);
	} else if (reason == UDPTRACK_REASON_EVICTED) {
		this_cpu_inc(table->stats->evicted);
	} else {
		this_cpu_inc(table->stats->deleted);
	}
	udptrack_flow_tell(held, word, &event);
	flow_release(held);
	return expired ? UDPTRACK_ENDED_DEAD : UDPTRACK_ENDED_ALIVE;
}

/**
 * udptrack_flow_drop - end a flow for good: nobody is told, nothing is counted
 * @held: the flow; all that may be done with it afterwards is to let it go
 *
 * Context: see the top.
 */
void udptrack_flow_drop(struct udptrack_held *held)
{
	xchg(&held->slot.line->word[held->slot.i], 0);
	flow_lose_dns(held);
	flow_close(held);
	flow_release(held);
}
