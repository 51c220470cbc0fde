// SPDX-License-Identifier: GPL-2.0-only
/*
 * table - the flows of a network namespace, as packets meet them.
 *
 * Owns struct udptrack_table. Speaks in keys and copies: no pointer to a flow,
 * no lock and no RCU rule leaves the files of the table, so that what is inside
 * may change. These are: lines.c, where a packet finds its flow; records.c, the
 * memory and the ids; flow.c, what is done to a single flow; walk.c, what goes
 * through all of them; evict.c; and started.c, flows by port. Every function may
 * be called in softirq or process context unless it says otherwise.
 *
 * Who writes what. A flow has a word in its line and a record. Under the lock of
 * the flow, which its hash selects, it is put into its line and taken out, and
 * its flags, its owner and its DNS questions change; so whoever found it there
 * and holds its lock has a live flow that stays until the lock is given up. Not
 * under the lock: a packet of a stream, in a flow where nothing will change but
 * the time and the counters, replaces the word by one with a later time, by
 * cmpxchg, and adds to the counters, which are atomic. When the time is the same
 * it writes nothing. Of such a flow another CPU may read everything that does
 * not change: the origin, the key, where the counters are. A record is not used
 * again, nor is its index, before an RCU grace period has passed; so no packet
 * that is late refreshes, establishes or counts for a flow other than its own.
 * lines.c says why in detail.
 *
 * Lock order: the flow's lock, then that of the records, of spare lines, of the
 * flows by port, of events. No two flow locks are held at once.
 *
 * Whoever watches the table is told of what happens to a flow while its lock
 * is held, so in the order in which it happens; see events.c.
 */
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <kunit/visibility.h>

#include "flow.h"

/**
 * udptrack_table_module_init - what all tables share
 *
 * Context: process, once, before any table is made.
 * Return: 0 or -ENOMEM.
 */
int udptrack_table_module_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct udptrack_key) != 44);
	/* Words are read and replaced at once, and so are cursors. */
	BUILD_BUG_ON(BITS_PER_LONG != 64);

	err = udptrack_lines_module_init();
	if (err)
		return err;
	err = udptrack_records_module_init();
	if (err)
		udptrack_lines_module_exit();
	return err;
}

/**
 * udptrack_table_module_exit - undo udptrack_table_module_init()
 *
 * Context: process, after the last table is gone.
 */
void udptrack_table_module_exit(void)
{
	udptrack_records_module_exit();
	udptrack_lines_module_exit();
}

static void resize_work(struct work_struct *work)
{
	struct udptrack_table *table = container_of(work, struct udptrack_table,
						    resize);
	int err;

	mutex_lock(&table->lines.resize);
	err = udptrack_lines_resize(&table->lines, udptrack_table_count(table));
	mutex_unlock(&table->lines.resize);
	/*
	 * Nobody has asked for it while flows were moving. Without memory, the
	 * next flow that comes or goes comes back to this.
	 */
	if (!err)
		udptrack_table_fit(table);
}

/**
 * udptrack_table_fit - a flow came or went: see that the size is right
 * @table: the table
 *
 * Context: process or softirq.
 */
void udptrack_table_fit(struct udptrack_table *table)
{
	if (unlikely(udptrack_lines_wrong_size(&table->lines,
					       udptrack_table_count(table))))
		queue_work(udptrack_lines_wq, &table->resize);
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
	memset(table, 0, sizeof(*table));
	udptrack_lines_init(&table->lines);
	udptrack_records_init(&table->records);
	udptrack_started_init(&table->started);
	INIT_WORK(&table->resize, resize_work);
	table->stats = stats;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_init);

/**
 * udptrack_table_stop - the first half of udptrack_table_destroy()
 * @table: a table that nobody else uses any more
 *
 * Then comes rcu_barrier(), one for any number of tables, and
 * udptrack_table_free().
 *
 * Context: process; may sleep.
 */
void udptrack_table_stop(struct udptrack_table *table)
{
	udptrack_table_flush(table);
	cancel_work_sync(&table->resize);
}

/**
 * udptrack_table_free - the second half of udptrack_table_destroy()
 * @table: a table without flows
 *
 * Context: process; may sleep.
 */
void udptrack_table_free(struct udptrack_table *table)
{
	udptrack_records_destroy(&table->records);
	udptrack_lines_destroy(&table->lines);
	udptrack_started_destroy(&table->started);
}

/**
 * udptrack_table_destroy - free a table and its flows
 * @table: a table that nobody else uses any more
 *
 * Context: process; waits for an RCU grace period.
 */
void udptrack_table_destroy(struct udptrack_table *table)
{
	udptrack_table_stop(table);
	/* Records are on their way back to it. */
	rcu_barrier();
	udptrack_table_free(table);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_destroy);

/* What a packet did to it, see UDPTRACK_EVENT_*. */
static void tell_change(const struct udptrack_held *held, u64 word, u8 events)
{
	struct udptrack_event event = { .kind = UDPTRACK_EVENT_UPDATE };

	if (events & UDPTRACK_EVENT_ESTABLISHED)
		event.change |= UDPTRACK_CHANGE_ESTABLISHED;
	if (events & UDPTRACK_EVENT_ASSURED)
		event.change |= UDPTRACK_CHANGE_ASSURED;
	if (events & UDPTRACK_EVENT_CLOSED)
		event.change |= UDPTRACK_CHANGE_CLOSED;
	udptrack_flow_tell(held, word, &event);
}

static enum udptrack_dir flow_dir(const struct udptrack_flow *flow,
				  bool is_self, unsigned int side)
{
	if (side == UDPTRACK_SIDE_ORIGIN)
		return UDPTRACK_ORIGINAL;
	/*
	 * A socket that sends to itself answers itself: its tuple is its own
	 * inverse, and nf_conntrack too takes all but the first for replies.
	 */
	if (unlikely(is_self))
		return UDPTRACK_REPLY;
	return side == flow->origin ? UDPTRACK_ORIGINAL : UDPTRACK_REPLY;
}

static void flow_account(struct udptrack_flow *flow, enum udptrack_dir dir,
			 unsigned int packets, unsigned int bytes)
{
	atomic64_add(packets, &flow->more->packets[dir]);
	atomic64_add(bytes, &flow->more->bytes[dir]);
}

/* Is it for the flow's questions to judge? Under its lock. */
static bool flow_is_asked(const struct udptrack_flow *flow, unsigned int side,
			  const struct udptrack_dns_visit *dns)
{
	return dns && !dns->asks && udptrack_flow_dns(flow) &&
	       flow->more->dns->side != side;
}

static void flow_ask(struct udptrack_held *held, bool is_first,
		     const struct udptrack_visit *visit)
{
	const struct udptrack_dns_visit *dns = visit->dns;
	struct udptrack_more *more;

	if (!dns || !dns->asks)
		return;
	more = udptrack_flow_more(held->flow);
	if (more)
		udptrack_dns_ask(&more->dns, visit->side, is_first, &dns->msg,
				 &dns->rules, held->table->dns);
	else
		udptrack_dns_lose(held->table->dns, dns->rules.now_us);
	held->flow->closed = false;
}

/*
 * What may be an answer. False when it is forged and that is to have
 * consequences; then it was counted where it arrived. @closes is set when it
 * is the one that leaves no question open. Under the flow's lock.
 */
static bool flow_answer(struct udptrack_held *held,
			const struct udptrack_visit *visit,
			struct udptrack_timeouts *timeouts,
			struct udptrack_result *result, bool *closes)
{
	const struct udptrack_dns_visit *dns = visit->dns;
	struct udptrack_dns_pool *pool = held->table->dns;
	struct udptrack_flow *flow = held->flow;
	struct udptrack_dns *asked;

	result->forged = false;
	*closes = false;
	if (!flow_is_asked(flow, visit->side, dns))
		return true;
	asked = flow->more->dns;
	if (dns->enforce && udptrack_dns_judge(asked, &dns->msg,
					       &dns->rules) ==
			    UDPTRACK_DNS_FORGED)
		return false;
	result->forged = udptrack_dns_answer(asked, &dns->msg, &dns->rules,
					     pool) == UDPTRACK_DNS_FORGED;
	if (udptrack_dns_idle(asked, &dns->rules, pool)) {
		timeouts->unreplied_j = dns->linger_j;
		timeouts->stream_j = dns->linger_j;
		*closes = !flow->closed;
		flow->closed = true;
	}
	return true;
}

/* What the packet's flow is after it. Under its lock; returns its word. */
static u64 flow_step(struct udptrack_held *held, enum udptrack_dir dir,
		     const struct udptrack_visit *visit,
		     const struct udptrack_timeouts *timeouts,
		     struct udptrack_result *result)
{
	struct udptrack_flow *flow = held->flow;
	u64 old = udptrack_held_word(held), new;
	struct udptrack_state state, next;

	state = udptrack_flow_state(flow, old);
	result->class = udptrack_state_classify(&state, dir);
	next = udptrack_state_next(state, dir, visit->now_j, timeouts,
				   &result->events);
	/* Also read without the lock, where it does not matter which of both. */
	WRITE_ONCE(flow->flags, next.flags);
	new = udptrack_word(next.expires_j, udptrack_flow_flags(flow));
	/* A packet without the lock may come between, but it changes no more. */
	while (!try_cmpxchg64(&held->slot.line->word[held->slot.i], &old, new))
		;
	return new;
}

/*
 * Apply a packet to its flow. False when the flow is dead, and then it is
 * removed. Under its lock.
 */
static bool flow_visit(struct udptrack_held *held,
		       const struct udptrack_key *key,
		       const struct udptrack_visit *visit,
		       struct udptrack_result *result)
{
	struct udptrack_timeouts timeouts = visit->timeouts;
	struct udptrack_flow *flow = held->flow;
	enum udptrack_dir dir;
	u32 unanswered;
	bool closes;
	u64 word;

	if (udptrack_flow_end(held, visit->now_j, UDPTRACK_REASON_TIMEOUT))
		return false;
	unanswered = udptrack_flow_unanswered(flow);
	flow_ask(held, false, visit);
	if (!flow_answer(held, visit, &timeouts, result, &closes)) {
		result->class = UDPTRACK_INVALID;
		result->events = 0;
		result->wants_owner = false;
		return true;
	}
	dir = flow_dir(flow, udptrack_key_is_self(key), visit->side);
	word = flow_step(held, dir, visit, &timeouts, result);
	if (closes)
		result->events |= UDPTRACK_EVENT_CLOSED;
	if (flow->acct)
		flow_account(flow, dir, visit->packets, visit->bytes);
	result->wants_owner = !flow->owned;
	if (unlikely(udptrack_flow_unanswered(flow) != unanswered))
		udptrack_flow_tell_alert(held, word, UDPTRACK_ALERT_UNANSWERED);
	if (unlikely(result->forged))
		udptrack_flow_tell_alert(held, word, UDPTRACK_ALERT_FORGED);
	if (unlikely(result->events))
		tell_change(held, word, result->events);
	this_cpu_inc(held->table->stats->found);
	return true;
}

/* The record of a new flow. Under its lock. */
static struct udptrack_flow *flow_new(struct udptrack_table *table,
				      const struct udptrack_key *key,
				      u32 hash,
				      const struct udptrack_visit *visit)
{
	struct udptrack_owner owner = { };
	struct udptrack_state state;
	struct udptrack_flow *flow;
	unsigned int kind = 0;
	bool is_known;

	if (visit->owner)
		visit->owner(visit, &owner);
	is_known = udptrack_owner_is_known(&owner);
	if (visit->acct || visit->dns || is_known)
		kind |= UDPTRACK_RECORD_MORE;
	if (key->family != NFPROTO_IPV4)
		kind |= UDPTRACK_RECORD_KEY;
	flow = udptrack_records_new(&table->records, kind, &owner);
	udptrack_owner_put(&owner);
	if (!flow)
		return NULL;
	state = udptrack_state_open(visit->now_j, &visit->timeouts);
	if (visit->related)
		state.flags |= UDPTRACK_EXPECTED;
	/* It is looked at already by who found it by its id. */
	WRITE_ONCE(flow->hash, hash);
	flow->start_ns = ktime_get_coarse_real_ns();
	flow->stream_after_j = state.stream_after_j;
	flow->ifindex = visit->ifindex;
	flow->flags = state.flags;
	flow->origin = visit->side;
	flow->acct = visit->acct;
	flow->owned = owner.final && (!is_known || flow->more->owner);
	if (kind & UDPTRACK_RECORD_KEY)
		*udptrack_flow_key(flow) = *key;
	if (flow->acct)
		flow_account(flow, UDPTRACK_ORIGINAL, visit->packets,
			     visit->bytes);
	return flow;
}

/* Make a flow that was counted in already. Under its lock. */
static bool flow_create(struct udptrack_held *held,
			const struct udptrack_key *key,
			const struct udptrack_ends *ends,
			const struct udptrack_visit *visit)
{
	struct udptrack_event event = { .kind = UDPTRACK_EVENT_BEGIN };
	u32 expires_j = visit->now_j + visit->timeouts.unreplied_j;
	struct udptrack_table *table = held->table;
	u64 word;

	if (udptrack_lines_open(&table->lines))
		goto no_memory;
	held->flow = flow_new(table, key, ends->hash, visit);
	if (!held->flow)
		goto no_memory;
	word = udptrack_word(expires_j, udptrack_flow_flags(held->flow));
	if (!udptrack_lines_insert(&table->lines, ends, word, &held->slot)) {
		udptrack_records_release(&table->records, held->flow);
		atomic_dec(&table->count);
		this_cpu_inc(table->stats->insert_failed);
		return false;
	}
	udptrack_started_add(table, held->flow, key);
	flow_ask(held, true, visit);
	udptrack_flow_tell(held, word, &event);
	this_cpu_inc(table->stats->new);
	return true;

no_memory:
	atomic_dec(&table->count);
	this_cpu_inc(table->stats->alloc_failed);
	return false;
}

/**
 * udptrack_table_has - is there a live flow, as far as can be told without lock?
 * @table: the table
 * @key:   its ends
 * @now_j: the time, in jiffies
 *
 * Context: any, under rcu_read_lock().
 * Return: true when there is, or when flows are on the move.
 */
bool udptrack_table_has(const struct udptrack_table *table,
			const struct udptrack_key *key, u32 now_j)
{
	struct udptrack_ends ends;
	bool sure;
	u64 word;

	udptrack_lines_ends(key, &ends);
	if (!udptrack_lines_look(&table->lines, &ends, &word, &sure))
		return !sure;
	return !udptrack_word_expired(word, now_j);
}

/* What a packet of a flow would be. False if the flow is dead. */
static bool peek(const struct udptrack_flow *flow, u64 word, bool is_self,
		 unsigned int side, u32 now_j, enum udptrack_class *class)
{
	struct udptrack_state state = { .flags = READ_ONCE(flow->flags) };

	if (udptrack_word_expired(word, now_j))
		return false;
	if (word & UDPTRACK_WORD_REPLIED)
		state.flags |= UDPTRACK_SEEN_REPLY;
	*class = udptrack_state_classify(&state, flow_dir(flow, is_self, side));
	return true;
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
	bool is_self = udptrack_key_is_self(key);
	struct udptrack_ends ends;
	struct udptrack_held held;
	u64 word, *where;
	bool live = false;
	bool sure;

	*class = UDPTRACK_NEW;
	udptrack_lines_ends(key, &ends);
	rcu_read_lock();
	where = udptrack_lines_look(&table->lines, &ends, &word, &sure);
	if (where) {
		live = peek(udptrack_records_at(&table->records,
						udptrack_word_index(word)),
			    word, is_self, side, now_j, class);
		/* Was it this flow all the time? See lines.c. */
		smp_rmb();
		sure = udptrack_word_index(READ_ONCE(*where)) ==
		       udptrack_word_index(word);
	}
	if (unlikely(!sure)) {
		live = udptrack_flow_hold(table, &ends, &held);
		if (live) {
			live = peek(held.flow, udptrack_held_word(&held),
				    is_self, side, now_j, class);
			udptrack_flow_let_go(&held);
		}
		if (!live)
			*class = UDPTRACK_NEW;
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
	struct udptrack_held held;
	struct udptrack_ends ends;
	struct udptrack_dns *asked;
	bool forged = false;
	u64 word;

	udptrack_lines_ends(key, &ends);
	rcu_read_lock();
	if (udptrack_flow_hold(table, &ends, &held)) {
		asked = udptrack_flow_dns(held.flow);
		word = udptrack_held_word(&held);
		forged = !udptrack_word_expired(word, now_j) &&
			 flow_is_asked(held.flow, side, dns) &&
			 udptrack_dns_judge(asked, &dns->msg, &dns->rules) ==
			 UDPTRACK_DNS_FORGED;
		if (forged && note) {
			udptrack_dns_note_forged(asked, table->dns);
			udptrack_flow_tell_alert(&held, word,
						 UDPTRACK_ALERT_FORGED);
		}
		udptrack_flow_let_go(&held);
	}
	rcu_read_unlock();
	return forged;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_forged);

/* Look for a flow, and remember what was seen. */
static __always_inline u64 *seen_look(const struct udptrack_table *table,
				      const struct udptrack_key *key, u64 *word,
				      struct udptrack_seen *seen)
{
	u64 *where;

	udptrack_lines_ends(key, &seen->ends);
	where = udptrack_lines_look(&table->lines, &seen->ends, word,
				    &seen->absent);
	if (where)
		seen->absent = false;
	return where;
}

/**
 * udptrack_table_stream - let a packet refresh its flow, if it is of a stream
 * @table:    the table
 * @key:      the packet's ends
 * @side:     which of them sent it
 * @now_j:    the time, in jiffies
 * @stream_j: how long the flow is to live after it, in jiffies
 * @packets:  datagrams in it
 * @bytes:    their length
 * @seen:     set to what was found out, for udptrack_table_track()
 *
 * What a packet does to a flow that is assured, whose owner is known, and to
 * which it has no DNS question to ask or to answer; no lock is taken. All
 * others are for udptrack_table_track().
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when that is all there is to do; its class is
 * UDPTRACK_ESTABLISHED. Else nothing was changed.
 */
bool udptrack_table_stream(struct udptrack_table *table,
			   const struct udptrack_key *key, unsigned int side,
			   u32 now_j, u32 stream_j, unsigned int packets,
			   unsigned int bytes, struct udptrack_seen *seen)
{
	struct udptrack_flow *flow;
	enum udptrack_dir dir;
	u64 word, new, *where;

	where = seen_look(table, key, &word, seen);
	if (!where || !(word & UDPTRACK_WORD_STREAM) ||
	    udptrack_word_expired(word, now_j))
		return false;
	new = udptrack_word(now_j + stream_j, word);
	if (new == word) {
		/* Were the ends those of the flow with this word? */
		smp_rmb();
		if (READ_ONCE(*where) != word)
			return false;
	} else if (cmpxchg64(where, word, new) != word) {
		return false;
	}
	if (word & UDPTRACK_WORD_ACCT) {
		flow = udptrack_records_at(&table->records,
					   udptrack_word_index(word));
		dir = flow_dir(flow, udptrack_key_is_self(key), side);
		flow_account(flow, dir, packets, bytes);
	}
	this_cpu_inc(table->stats->found);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_stream);

/*
 * All that there is to do under the lock. Of a flow that was dead, or is to be
 * made, @is_counted says whether it was counted in already; -ENOSPC when it must
 * be, and there is no room.
 */
static int visit_locked(struct udptrack_table *table,
			const struct udptrack_key *key,
			const struct udptrack_seen *seen, bool is_counted,
			const struct udptrack_visit *visit,
			struct udptrack_result *result)
{
	struct udptrack_held held = { .table = table };
	u64 word;

	word = udptrack_lines_find(&table->lines, &seen->ends, &held.slot);
	if (word) {
		held.flow = udptrack_records_at(&table->records,
						udptrack_word_index(word));
		if (flow_visit(&held, key, visit, result)) {
			/* Another packet was first. */
			if (unlikely(seen->absent))
				this_cpu_inc(table->stats->clash);
			if (unlikely(is_counted))
				atomic_dec(&table->count);
			return UDPTRACK_FOUND;
		}
	}
	if (!visit->create)
		return UDPTRACK_ABSENT;
	if (!is_counted &&
	    (unsigned int)atomic_inc_return(&table->count) > visit->max)
		return -ENOSPC;
	return flow_create(&held, key, &seen->ends, visit) ? UDPTRACK_CREATED :
							     UDPTRACK_REFUSED;
}

/* Where the lock is needed, which is nearly everywhere. */
static noinline int table_visit(struct udptrack_table *table,
				const struct udptrack_key *key,
				const struct udptrack_seen *seen,
				const struct udptrack_visit *visit,
				struct udptrack_result *result)
{
	spinlock_t *lock = udptrack_flow_lock(seen->ends.hash);
	bool is_counted = false;
	int outcome;

	for (;;) {
		spin_lock_bh(lock);
		outcome = visit_locked(table, key, seen, is_counted, visit,
				       result);
		spin_unlock_bh(lock);
		if (likely(outcome != -ENOSPC))
			return outcome;
		/* It takes other locks. */
		if (!udptrack_evict(table, visit->now_j)) {
			atomic_dec(&table->count);
			this_cpu_inc(table->stats->full);
			return UDPTRACK_REFUSED;
		}
		is_counted = true;
	}
}

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
	const struct udptrack_seen *seen = visit->seen;
	struct udptrack_seen first;
	int outcome;
	u64 word;

	rcu_read_lock();
	if (!seen) {
		seen_look(table, key, &word, &first);
		seen = &first;
	}
	/* No lock for what comes in from everywhere. */
	outcome = UDPTRACK_ABSENT;
	if (visit->create || !seen->absent)
		outcome = table_visit(table, key, seen, visit, result);
	if (outcome != UDPTRACK_FOUND)
		udptrack_table_fit(table);
	if (outcome == UDPTRACK_CREATED) {
		udptrack_evict_again(&table->evict);
		result->class = visit->related ? UDPTRACK_RELATED : UDPTRACK_NEW;
		result->events = UDPTRACK_EVENT_NEW;
		result->wants_owner = false;
		result->forged = false;
	}
	rcu_read_unlock();
	return outcome;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_track);

/* It was not known so far, or not all. Under the flow's lock. */
static void flow_own(struct udptrack_held *held,
		     const struct udptrack_owner *owner)
{
	if (udptrack_owner_is_known(owner)) {
		if (!udptrack_records_own(&held->table->records, held->flow,
					  owner))
			return;
		udptrack_started_own(held->table, held->flow, owner);
	}
	held->flow->owned = owner->final;
}

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
	struct udptrack_held held;
	struct udptrack_ends ends;

	udptrack_lines_ends(key, &ends);
	rcu_read_lock();
	if (udptrack_flow_hold(table, &ends, &held)) {
		if (!held.flow->owned)
			flow_own(&held, owner);
		udptrack_flow_let_go(&held);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_own);

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
 * Return: the number of flows it has a place for now, those apart that share
 * one.
 */
unsigned int udptrack_table_buckets(struct udptrack_table *table)
{
	return udptrack_lines_number(&table->lines) * UDPTRACK_LINE_SLOTS;
}
EXPORT_SYMBOL_GPL(udptrack_table_buckets);
