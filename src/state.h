/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule by which a flow lives: see state.c. */
#ifndef UDPTRACK_STATE_H
#define UDPTRACK_STATE_H

#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/types.h>

/**
 * enum udptrack_class - what a packet is to the firewall
 * @UDPTRACK_NONE:        neither UDP nor an ICMP error about UDP
 * @UDPTRACK_NEW:         no live flow, or one whose other end has not spoken
 * @UDPTRACK_ESTABLISHED: an answer, or any packet after one
 * @UDPTRACK_RELATED:     belongs to a live flow without being part of it
 * @UDPTRACK_INVALID:     broken header or checksum; touches no flow
 * @UDPTRACK_UNTRACKED:   not looked at, by choice or for want of room
 *
 * The numbers are what the mark carries; they never change.
 */
enum udptrack_class {
	UDPTRACK_NONE = 0,
	UDPTRACK_NEW = 1,
	UDPTRACK_ESTABLISHED = 2,
	UDPTRACK_RELATED = 3,
	UDPTRACK_INVALID = 4,
	UDPTRACK_UNTRACKED = 5,
};

/**
 * enum udptrack_dir - which way a packet goes within its flow
 * @UDPTRACK_ORIGINAL: as the flow's first packet went
 * @UDPTRACK_REPLY:    the inverse
 */
enum udptrack_dir {
	UDPTRACK_ORIGINAL,
	UDPTRACK_REPLY,
};

/* Flags of a flow's state. */
#define UDPTRACK_SEEN_REPLY	BIT(0)	/* both ends have spoken */
#define UDPTRACK_ASSURED	BIT(1)	/* ... for longer than 2 s */
#define UDPTRACK_MATURE		BIT(2)	/* older than 2 s, whoever spoke */
#define UDPTRACK_EXPECTED	BIT(3)	/* begun by an answer to a request */

/* What a packet changed, for those who report it. */
#define UDPTRACK_EVENT_NEW		BIT(0)
#define UDPTRACK_EVENT_ESTABLISHED	BIT(1)
#define UDPTRACK_EVENT_ASSURED		BIT(2)
#define UDPTRACK_EVENT_CLOSED		BIT(3)	/* see table.c, for DNS */

/* A two-way flow younger than this is a question and its answer, no stream. */
#define UDPTRACK_STREAM_AFTER_SEC	2

/**
 * struct udptrack_timeouts - how long a flow lives after a packet
 * @unreplied_j: jiffies, while one end is silent or the flow is young
 * @stream_j:    jiffies, once it is two-way for longer than 2 s
 */
struct udptrack_timeouts {
	u32 unreplied_j;
	u32 stream_j;
};

/**
 * struct udptrack_state - the part of a flow that the rule reads and writes
 * @expires_j:      jiffies at which the flow is dead
 * @stream_after_j: jiffies after which two-way traffic is a stream; of no
 *                  meaning any more once the flow is mature
 * @flags:          UDPTRACK_SEEN_REPLY, UDPTRACK_ASSURED, UDPTRACK_MATURE,
 *                  UDPTRACK_EXPECTED
 */
struct udptrack_state {
	u32 expires_j;
	u32 stream_after_j;
	u8 flags;
};

struct udptrack_state udptrack_state_open(u32 now_j,
					  const struct udptrack_timeouts *to);
struct udptrack_state udptrack_state_next(struct udptrack_state old,
					  enum udptrack_dir dir, u32 now_j,
					  const struct udptrack_timeouts *to,
					  u8 *events);
bool udptrack_state_expired(const struct udptrack_state *state, u32 now_j);
enum udptrack_class
udptrack_state_classify(const struct udptrack_state *state,
			enum udptrack_dir dir);

/**
 * udptrack_state_seconds_left - how long a flow has to live, as users see it
 * @state: its state
 * @now_j: the time, in jiffies
 *
 * Context: any; pure.
 * Return: whole seconds, 0 once it is dead.
 */
static inline u32 udptrack_state_seconds_left(const struct udptrack_state *state,
					      u32 now_j)
{
	s32 left_j = state->expires_j - now_j;

	return max(left_j, 0) / HZ;
}

#endif
