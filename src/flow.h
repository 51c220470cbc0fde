/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow, as only the files of the table know it: see flow.c. */
#ifndef UDPTRACK_FLOW_H
#define UDPTRACK_FLOW_H

#include "events.h"
#include "table.h"

/**
 * struct udptrack_held - a flow whose lock is held
 * @table: its table
 * @flow:  its record
 * @slot:  where it is
 */
struct udptrack_held {
	struct udptrack_table *table;
	struct udptrack_flow *flow;
	struct udptrack_slot slot;
};

/**
 * enum udptrack_ended - what became of a flow that was to end
 * @UDPTRACK_ENDED_NOT:   it lives on
 * @UDPTRACK_ENDED_DEAD:  it was dead already, and is gone now
 * @UDPTRACK_ENDED_ALIVE: it is gone now
 */
enum udptrack_ended {
	UDPTRACK_ENDED_NOT,
	UDPTRACK_ENDED_DEAD,
	UDPTRACK_ENDED_ALIVE,
};

/**
 * udptrack_held_word - the word of a flow
 * @held: the flow
 *
 * Context: under its lock. The time in it may be another one at once.
 * Return: the word.
 */
static inline u64 udptrack_held_word(const struct udptrack_held *held)
{
	return READ_ONCE(held->slot.line->word[held->slot.i]);
}

bool udptrack_flow_hold(struct udptrack_table *table,
			const struct udptrack_ends *ends,
			struct udptrack_held *held);
bool udptrack_flow_hold_in(struct udptrack_table *table, u32 hash, u32 index,
			   struct udptrack_held *held);
bool udptrack_flow_hold_id(struct udptrack_table *table, unsigned long id,
			   u32 index, struct udptrack_held *held);
void udptrack_flow_let_go(struct udptrack_held *held);
struct udptrack_state udptrack_flow_state(const struct udptrack_flow *flow,
					  u64 word);
u32 udptrack_flow_flags(const struct udptrack_flow *flow);
void udptrack_flow_ends(const struct udptrack_held *held,
			struct udptrack_key *key);
void udptrack_flow_copy(const struct udptrack_held *held, u64 word,
			struct pid_namespace *reader,
			struct udptrack_snapshot *snap);
void udptrack_flow_tell(const struct udptrack_held *held, u64 word,
			struct udptrack_event *event);
void udptrack_flow_tell_alert(const struct udptrack_held *held, u64 word,
			      enum udptrack_alert alert);
enum udptrack_ended udptrack_flow_end(struct udptrack_held *held, u32 now_j,
				      enum udptrack_reason reason);
void udptrack_flow_drop(struct udptrack_held *held);

/**
 * udptrack_flow_dns - the DNS questions of a flow
 * @flow: the flow
 *
 * Context: under its lock.
 * Return: NULL before the first one.
 */
static inline struct udptrack_dns *
udptrack_flow_dns(const struct udptrack_flow *flow)
{
	return flow->more ? flow->more->dns : NULL;
}

/**
 * udptrack_flow_unanswered - its questions that nobody answered in time
 * @flow: the flow
 *
 * Context: under its lock.
 * Return: their number.
 */
static inline u32 udptrack_flow_unanswered(const struct udptrack_flow *flow)
{
	const struct udptrack_dns *dns = udptrack_flow_dns(flow);

	return dns ? dns->sum.unanswered : 0;
}

/**
 * udptrack_word_expired - is the flow dead?
 * @word:  of the flow
 * @now_j: the time, in jiffies
 *
 * As udptrack_state_expired().
 *
 * Context: any; pure.
 * Return: true when the flow must be treated as absent.
 */
static inline bool udptrack_word_expired(u64 word, u32 now_j)
{
	return (s32)(udptrack_word_expires(word) - now_j) <= 0;
}

/**
 * udptrack_word_evictable - may the flow be given up for another?
 * @word:  of the flow
 * @now_j: the time, in jiffies
 *
 * Context: any; pure.
 * Return: true for the dead, and for those that nobody has answered.
 */
static inline bool udptrack_word_evictable(u64 word, u32 now_j)
{
	return !(word & UDPTRACK_WORD_REPLIED) ||
	       udptrack_word_expired(word, now_j);
}

void udptrack_table_fit(struct udptrack_table *table);
bool udptrack_table_has(const struct udptrack_table *table,
			const struct udptrack_key *key, u32 now_j);

#endif
