// SPDX-License-Identifier: GPL-2.0-only
/*
 * evict - making room in a full table.
 *
 * Owns the choice of the flow that is given up for a new one: among the next
 * few flows, line by line, the one nearest to expiry that nobody has answered,
 * or that is dead. nf_conntrack looks at eight buckets and then drops the
 * packet; here the packet passes without a flow. The search goes on where the
 * last one ended, so that replied flows are passed over once and not by every
 * packet; and when all lines were passed in vain, it rests until one of these
 * flows may be dead. Process or softirq context.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include "flow.h"

/* Flows among which to choose, and lines to look for one, at most. */
#define NEIGHBOURHOOD		16
#define NEIGHBOURHOOD_LINES	64
/* Victims that other CPUs may snatch away before a packet gives up. */
#define TRIES			4
/* For want of a better time: flows may end by hand, or sooner than they said. */
#define REST_J			(HZ / 4)

/**
 * struct victim - the best choice so far
 * @n:         number of its line
 * @index:     of its record
 * @expires_j: when it will be dead
 * @seen:      flows looked at
 * @next_j:    when the first of those that are no choice will be dead
 */
struct victim {
	u32 n;
	u32 index;
	u32 expires_j;
	unsigned int seen;
	u32 next_j;
};

static void look_at_line(const struct udptrack_table *table, u32 n, u32 now_j,
			 struct victim *victim)
{
	const struct udptrack_gen *gen;
	struct udptrack_line *line = udptrack_lines_at(&table->lines, n, &gen);
	u32 expires_j;
	unsigned int i;
	u64 word;

	for (; line; line = udptrack_lines_rest(gen, line)) {
		for (i = 0; i < UDPTRACK_LINE_SLOTS; i++) {
			word = READ_ONCE(line->word[i]);
			if (!word)
				continue;
			victim->seen++;
			expires_j = udptrack_word_expires(word);
			if (!udptrack_word_evictable(word, now_j)) {
				if ((s32)(expires_j - victim->next_j) < 0)
					victim->next_j = expires_j;
				continue;
			}
			if (!victim->index ||
			    (s32)(expires_j - victim->expires_j) < 0) {
				victim->n = n;
				victim->index = udptrack_word_index(word);
				victim->expires_j = expires_j;
			}
		}
	}
}

/* Find one, or remember that there is none. Under rcu_read_lock(). */
static bool choose(struct udptrack_table *table, u32 now_j,
		   struct victim *victim)
{
	struct udptrack_evict *evict = &table->evict;
	u32 lines = udptrack_lines_number(&table->lines);
	u32 n = READ_ONCE(evict->line);
	u32 passed, barren;

	*victim = (struct victim) { .next_j = now_j + REST_J };
	for (passed = 0; passed < min_t(u32, lines, NEIGHBOURHOOD_LINES) &&
	     (!victim->index || victim->seen < NEIGHBOURHOOD); passed++)
		look_at_line(table, n++, now_j, victim);
	if (victim->index) {
		WRITE_ONCE(evict->line, victim->n);
		WRITE_ONCE(evict->barren, 0);
		return true;
	}
	WRITE_ONCE(evict->line, n);
	barren = READ_ONCE(evict->barren);
	/* The first of all to be dead. */
	if (!barren ||
	    (s32)(victim->next_j - READ_ONCE(evict->until_j)) < 0)
		WRITE_ONCE(evict->until_j, victim->next_j);
	barren += passed;
	WRITE_ONCE(evict->barren, barren < lines ? barren : 0);
	if (barren >= lines)
		WRITE_ONCE(evict->rests, true);
	return false;
}

/**
 * udptrack_evict - give up a flow for a new one
 * @table: the table, full
 * @now_j: the time, in jiffies
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when there is room now.
 */
bool udptrack_evict(struct udptrack_table *table, u32 now_j)
{
	struct udptrack_evict *evict = &table->evict;
	enum udptrack_ended ended = UDPTRACK_ENDED_NOT;
	struct udptrack_held held;
	struct victim victim;
	unsigned int tries;

	if (READ_ONCE(evict->rests)) {
		if ((s32)(READ_ONCE(evict->until_j) - now_j) > 0)
			return false;
		WRITE_ONCE(evict->rests, false);
	}
	for (tries = 0; tries < TRIES && !ended; tries++) {
		if (!choose(table, now_j, &victim))
			return false;
		if (!udptrack_flow_hold_in(table, victim.n, victim.index,
					   &held))
			continue;
		ended = udptrack_flow_end(&held, now_j,
					  UDPTRACK_REASON_EVICTED);
		udptrack_flow_let_go(&held);
	}
	return ended;
}
