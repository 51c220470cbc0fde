// SPDX-License-Identifier: GPL-2.0-only
/*
 * state - the rule by which a flow lives: to change how timeouts work, change
 * udptrack_state_next().
 *
 * Owns nothing and touches nothing: pure functions from (state, direction,
 * time, timeouts) to (state, events). No globals, no jiffies, no locks, so
 * that a table of cases can be the test. Times are jiffies cut to 32 bits and
 * compared by difference, as nf_conntrack does; timeouts are at most a day,
 * far below the 2^31 ticks at which that would fail.
 *
 * The rule is the one of nf_conntrack_udp_packet():
 *
 *	first packet          timeout              NEW
 *	original, no reply    timeout              NEW
 *	first reply           timeout              ESTABLISHED
 *	any later packet      timeout              for the first 2 s
 *	                      timeout_stream       after that, and ASSURED
 */
#include <linux/jiffies.h>
#include <kunit/visibility.h>

#include "state.h"

/**
 * udptrack_state_open - state of a flow after its first packet
 * @now_j: the time, in jiffies
 * @to:    the timeouts to apply
 *
 * Context: any; pure.
 * Return: the new state, unreplied.
 */
struct udptrack_state udptrack_state_open(u32 now_j,
					  const struct udptrack_timeouts *to)
{
	return (struct udptrack_state) {
		.expires_j = now_j + to->unreplied_j,
		.stream_after_j = now_j + UDPTRACK_STREAM_AFTER_SEC * HZ,
	};
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_state_open);

/**
 * udptrack_state_next - state of a live flow after one more packet
 * @old:    state before the packet; must not have expired
 * @dir:    which way the packet goes
 * @now_j:  the time, in jiffies
 * @to:     the timeouts to apply
 * @events: UDPTRACK_EVENT_* bits that the packet caused are stored here
 *
 * The reply that establishes a flow does not yet count as two-way traffic: it
 * is the packet after it that may make a stream. So it is in nf_conntrack,
 * where the reply bit is set after the timeout was chosen.
 *
 * Context: any; pure.
 * Return: the state after the packet.
 */
struct udptrack_state udptrack_state_next(struct udptrack_state old,
					  enum udptrack_dir dir, u32 now_j,
					  const struct udptrack_timeouts *to,
					  u8 *events)
{
	struct udptrack_state new = old;
	/* Kept as a flag, for a flow may well outlive the 2^31 ticks. */
	bool mature = (old.flags & UDPTRACK_MATURE) ||
		      (s32)(now_j - old.stream_after_j) > 0;
	bool stream = mature && (old.flags & UDPTRACK_SEEN_REPLY);

	*events = 0;
	if (mature)
		new.flags |= UDPTRACK_MATURE;
	new.expires_j = now_j + (stream ? to->stream_j : to->unreplied_j);

	if (dir == UDPTRACK_REPLY && !(old.flags & UDPTRACK_SEEN_REPLY)) {
		new.flags |= UDPTRACK_SEEN_REPLY;
		*events |= UDPTRACK_EVENT_ESTABLISHED;
	}
	if (stream && !(old.flags & UDPTRACK_ASSURED)) {
		new.flags |= UDPTRACK_ASSURED;
		*events |= UDPTRACK_EVENT_ASSURED;
	}
	return new;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_state_next);

/**
 * udptrack_state_expired - is the flow dead?
 * @state: state of the flow
 * @now_j: the time, in jiffies
 *
 * A flow is absent from the tick at which it expires, whether or not it was
 * collected; nf_ct_is_expired() draws the same line.
 *
 * Context: any; pure.
 * Return: true when the flow must be treated as absent.
 */
bool udptrack_state_expired(const struct udptrack_state *state, u32 now_j)
{
	return (s32)(state->expires_j - now_j) <= 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_state_expired);

/**
 * udptrack_state_classify - what a packet of a live flow is
 * @state: state of the flow before the packet
 * @dir:   which way the packet goes
 *
 * A flow that began as an answer to a multicast or broadcast request stays
 * RELATED until it is answered itself, as one that nf_conntrack expected.
 *
 * Context: any; pure.
 * Return: UDPTRACK_NEW, UDPTRACK_RELATED or UDPTRACK_ESTABLISHED.
 */
enum udptrack_class
udptrack_state_classify(const struct udptrack_state *state,
			enum udptrack_dir dir)
{
	if (dir == UDPTRACK_REPLY || (state->flags & UDPTRACK_SEEN_REPLY))
		return UDPTRACK_ESTABLISHED;
	return state->flags & UDPTRACK_EXPECTED ? UDPTRACK_RELATED
						: UDPTRACK_NEW;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_state_classify);
