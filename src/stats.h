/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats - the counters of a network namespace.
 *
 * Per CPU and unlocked: each CPU adds to its own with UDPTRACK_INC(), readers
 * add up. To add a counter, append a line here; /proc/net/stat/udptrack shows
 * the columns in this order, and scripts rely on it, so never insert one.
 */
#ifndef UDPTRACK_STATS_H
#define UDPTRACK_STATS_H

#include <linux/percpu.h>

#define UDPTRACK_STATS(X)						\
	X(found)		/* packets of a live flow */		\
	X(new)			/* flows created */			\
	X(expired)		/* flows freed after their timeout */	\
	X(evicted)		/* unreplied flows freed for want of room */ \
	X(full)			/* untracked: no room, nothing to evict */ \
	X(alloc_failed)		/* untracked: no memory for a flow */	\
	X(insert_failed)	/* untracked: the hash table refused */	\
	X(clash)		/* lost races of first packets, merged */ \
	X(truncated)		/* invalid: ends inside a header */	\
	X(malformed)		/* invalid: impossible length or version */ \
	X(bad_checksum)		/* invalid: UDP checksum */		\
	X(fragment)		/* untracked: a piece of a datagram */	\
	X(exempt)		/* untracked: exempt port */		\
	X(loopback)		/* untracked: loopback switched off */	\
	X(no_listener)		/* inbound to a closed port: no flow made */

/**
 * struct udptrack_stats - one CPU's counters, one field a line of the list
 */
struct udptrack_stats {
#define UDPTRACK_STATS_FIELD(name) unsigned int name;
	UDPTRACK_STATS(UDPTRACK_STATS_FIELD)
#undef UDPTRACK_STATS_FIELD
};

/* Add one to a counter of this CPU; any context. */
#define UDPTRACK_INC(stats, name) this_cpu_inc((stats)->name)

#endif
