/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats - the counters of a network namespace.
 *
 * Per CPU and unlocked: each CPU adds to its own with this_cpu_inc(), readers
 * add up. /proc/net/stat/udptrack shows them in this order, and scripts rely
 * on it: a new counter goes to the end, here and in stat_columns (proc.c).
 */
#ifndef UDPTRACK_STATS_H
#define UDPTRACK_STATS_H

/**
 * struct udptrack_stats - one CPU's counters
 * @found:         packets of a live flow
 * @new:           flows created
 * @expired:       flows freed after their timeout
 * @evicted:       unreplied flows freed for want of room
 * @full:          untracked: no room, nothing to evict
 * @alloc_failed:  untracked: no memory for a flow
 * @insert_failed: untracked: no place in a table that has yet to grow
 * @clash:         first packets that came second, merged
 * @truncated:     invalid: ends inside a header
 * @malformed:     invalid: impossible length or version
 * @bad_checksum:  invalid: UDP checksum
 * @fragment:      untracked: a piece of a datagram
 * @exempt:        untracked: exempt port
 * @loopback:      untracked: loopback switched off
 * @no_listener:   inbound to a closed port: no flow made
 * @deleted:       flows that somebody deleted
 */
struct udptrack_stats {
	unsigned int found;
	unsigned int new;
	unsigned int expired;
	unsigned int evicted;
	unsigned int full;
	unsigned int alloc_failed;
	unsigned int insert_failed;
	unsigned int clash;
	unsigned int truncated;
	unsigned int malformed;
	unsigned int bad_checksum;
	unsigned int fragment;
	unsigned int exempt;
	unsigned int loopback;
	unsigned int no_listener;
	unsigned int deleted;
};

#endif
