/* SPDX-License-Identifier: GPL-2.0-only */
/* Making room in a full table: see evict.c. */
#ifndef UDPTRACK_EVICT_H
#define UDPTRACK_EVICT_H

#include <linux/types.h>

struct udptrack_table;

/**
 * struct udptrack_evict - where to look for flows to evict
 * @line:    number of the line where the search goes on
 * @barren:  lines passed since one was last found
 * @rests:   there is none before @until_j
 * @until_j: see there, in jiffies
 *
 * Hints, read and written without a lock.
 */
struct udptrack_evict {
	u32 line;
	u32 barren;
	bool rests;
	u32 until_j;
};

bool udptrack_evict(struct udptrack_table *table, u32 now_j);

/**
 * udptrack_evict_again - there is a flow again that may be evicted
 * @evict: the hints
 *
 * Context: any.
 */
static inline void udptrack_evict_again(struct udptrack_evict *evict)
{
	if (unlikely(READ_ONCE(evict->rests)))
		WRITE_ONCE(evict->rests, false);
	if (unlikely(READ_ONCE(evict->barren)))
		WRITE_ONCE(evict->barren, 0);
}

#endif
