// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk - the flows of a table, one by one: listing, removal, collection.
 *
 * Part of the table, see table.c. What users see goes by id: oldest first, and
 * a cursor is the id to go on from, so that a listing sees each flow that lives
 * through the whole of it exactly once, whatever is added, removed or resized
 * meanwhile. What only looks for dead flows goes by line, and so reads memory
 * in its order.
 */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <kunit/visibility.h>

#include "flow.h"

/* How far ahead a listing looks. */
#define NEXT_AHEAD		16

/* Dead flows a listing passes over before it lets others run. */
#define NEXT_CHUNK		256

/* Empty lines that take as long to pass as a flow. */
#define LINES_PER_FLOW		128

/* Take the lock of the flow of a key, an id, or both. Under rcu_read_lock(). */
static bool hold(struct udptrack_table *table, const struct udptrack_key *key,
		 unsigned long id, struct udptrack_held *held)
{
	struct udptrack_ends ends;
	u32 index;

	if (!key) {
		index = udptrack_records_next(&table->records, &id, id);
		return index && udptrack_flow_hold_id(table, id, index, held);
	}
	udptrack_lines_ends(key, &ends);
	if (!udptrack_flow_hold(table, &ends, held))
		return false;
	if (!id || held->flow->id == id)
		return true;
	udptrack_flow_let_go(held);
	return false;
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
	enum udptrack_ended ended = UDPTRACK_ENDED_NOT;
	struct udptrack_held held;

	rcu_read_lock();
	if (hold(table, key, id, &held)) {
		ended = udptrack_flow_end(&held, now_j,
					  UDPTRACK_REASON_DELETED);
		udptrack_flow_let_go(&held);
	}
	rcu_read_unlock();
	if (ended)
		udptrack_table_fit(table);
	return ended == UDPTRACK_ENDED_ALIVE;
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
	struct udptrack_held held;
	unsigned long id;
	u32 index = 1;

	for (id = 1; index; id++) {
		rcu_read_lock();
		index = udptrack_records_next(&table->records, &id, ULONG_MAX);
		if (index && udptrack_flow_hold_id(table, id, index, &held)) {
			udptrack_flow_drop(&held);
			udptrack_flow_let_go(&held);
		}
		rcu_read_unlock();
		cond_resched();
	}
	udptrack_table_fit(table);
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
	return READ_ONCE(table->records.last_id);
}
EXPORT_SYMBOL_GPL(udptrack_table_last_id);

/* Copy a flow, if it is alive, and give up its lock. */
static bool snapshot(struct udptrack_held *held, u32 now_j,
		     struct pid_namespace *reader,
		     struct udptrack_snapshot *snap)
{
	u64 word = udptrack_held_word(held);
	bool live = !udptrack_word_expired(word, now_j);

	if (live)
		udptrack_flow_copy(held, word, reader, snap);
	udptrack_flow_let_go(held);
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
	struct udptrack_held held;
	bool live;

	rcu_read_lock();
	live = hold(table, key, id, &held) &&
	       snapshot(&held, now_j, reader, snap);
	rcu_read_unlock();
	return live;
}
EXPORT_SYMBOL_GPL(udptrack_table_get);

/*
 * Flows that began one after the other have their lines anywhere: say early
 * which will be wanted. Under rcu_read_lock().
 */
static void prefetch_flow(const struct udptrack_table *table, unsigned long id)
{
	u32 index = udptrack_records_by_id(&table->records, id);

	if (index)
		udptrack_lines_prefetch(&table->lines,
					READ_ONCE(udptrack_records_at(&table->records,
								      index)->hash));
}

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
	unsigned long id = from_id;
	struct udptrack_held held;
	bool found = false;
	unsigned int n;
	u32 index = 1;

	while (index && !found) {
		rcu_read_lock();
		for (n = 0; n < NEXT_CHUNK && index && !found; n++, id++) {
			index = udptrack_records_next(&table->records, &id,
						      last_id);
			prefetch_flow(table, id + NEXT_AHEAD);
			found = index &&
				udptrack_flow_hold_id(table, id, index,
						      &held) &&
				snapshot(&held, now_j, reader, snap);
		}
		rcu_read_unlock();
		/* The caller may want none of all these copies. */
		cond_resched();
	}
	return found;
}
EXPORT_SYMBOL_GPL(udptrack_table_next);

/* End a flow if it is doomed, or dead. True if it was alive. */
static bool prune(struct udptrack_held *held, u32 now_j,
		  struct pid_namespace *reader,
		  bool (*doomed)(const struct udptrack_snapshot *flow,
				 const void *arg),
		  const void *arg)
{
	u64 word = udptrack_held_word(held);
	struct udptrack_snapshot snap;

	if (doomed && !udptrack_word_expired(word, now_j)) {
		udptrack_flow_copy(held, word, reader, &snap);
		if (!doomed(&snap, arg))
			return false;
	}
	return udptrack_flow_end(held, now_j, UDPTRACK_REASON_DELETED) ==
	       UDPTRACK_ENDED_ALIVE;
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
	struct udptrack_held held;
	unsigned int pruned = 0;
	unsigned long id;
	u32 index = 1;

	for (id = 0; index; id++) {
		rcu_read_lock();
		index = udptrack_records_next(&table->records, &id, last_id);
		if (index && udptrack_flow_hold_id(table, id, index, &held)) {
			pruned += prune(&held, now_j, reader, doomed, arg);
			udptrack_flow_let_go(&held);
		}
		rcu_read_unlock();
		cond_resched();
	}
	udptrack_table_fit(table);
	return pruned;
}
EXPORT_SYMBOL_GPL(udptrack_table_prune);

/* A cursor: place in its line, number of the line, and how many there are. */
#define CURSOR_PLACE	GENMASK_ULL(23, 0)
#define CURSOR_LINE	GENMASK_ULL(55, 24)
#define CURSOR_LINES	GENMASK_ULL(63, 56)

/*
 * Look at the flows of line @n from @place on, and end the dead. False when the
 * budget is used up first. Under rcu_read_lock(), with lines.resize held.
 */
static bool collect_line(struct udptrack_table *table, u32 n,
			 unsigned int *place, unsigned int *budget, u32 now_j,
			 u32 *sleep_j)
{
	const struct udptrack_gen *gen;
	struct udptrack_line *line = udptrack_lines_at(&table->lines, n, &gen);
	struct udptrack_held held;
	unsigned int i, at = 0;
	u64 word;
	s32 left;

	for (; line; line = udptrack_lines_rest(gen, line)) {
		for (i = 0; i < UDPTRACK_LINE_SLOTS; i++, at++) {
			word = READ_ONCE(line->word[i]);
			if (at < *place || !word)
				continue;
			*place = at;
			if (!*budget)
				return false;
			--*budget;
			left = udptrack_word_expires(word) - now_j;
			if (left > 0) {
				*sleep_j = min_t(u32, *sleep_j, left);
				continue;
			}
			if (!udptrack_flow_hold_in(table, n,
						   udptrack_word_index(word),
						   &held))
				continue;
			udptrack_flow_end(&held, now_j,
					  UDPTRACK_REASON_TIMEOUT);
			udptrack_flow_let_go(&held);
		}
	}
	*place = 0;
	return true;
}

/**
 * udptrack_table_collect - free some expired flows
 * @table:   the table
 * @now_j:   the time, in jiffies
 * @budget:  flows to look at, at most
 * @cursor:  where to go on; 0 to begin a pass
 * @sleep_j: lowered to the jiffies until the next flow seen expires
 *
 * Context: process; may sleep.
 * Return: true when the pass is complete, and @cursor is 0 again.
 */
bool udptrack_table_collect(struct udptrack_table *table, u32 now_j,
			    unsigned int budget, unsigned long *cursor,
			    u32 *sleep_j)
{
	unsigned int place = FIELD_GET(CURSOR_PLACE, *cursor);
	u32 n = FIELD_GET(CURSOR_LINE, *cursor);
	bool done = true;
	u32 lines;

	mutex_lock(&table->lines.resize);
	lines = udptrack_lines_number(&table->lines);
	/* There are more or fewer of them now: begin again. */
	if (*cursor && FIELD_GET(CURSOR_LINES, *cursor) != ilog2(lines) + 1) {
		n = 0;
		place = 0;
	}
	while (n < lines) {
		rcu_read_lock();
		done = collect_line(table, n, &place, &budget, now_j, sleep_j);
		rcu_read_unlock();
		if (!done)
			break;
		n++;
		if (n % LINES_PER_FLOW || n == lines)
			continue;
		done = budget;
		if (!done)
			break;
		budget--;
	}
	mutex_unlock(&table->lines.resize);
	*cursor = done ? 0 : FIELD_PREP(CURSOR_PLACE, place) |
			     FIELD_PREP(CURSOR_LINE, n) |
			     FIELD_PREP(CURSOR_LINES, ilog2(lines) + 1);
	if (done)
		udptrack_table_fit(table);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_table_collect);
