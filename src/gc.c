// SPDX-License-Identifier: GPL-2.0-only
/*
 * gc - the collector of expired flows.
 *
 * Owns a delayed work a table. Expiry itself is not its business: an expired
 * flow is absent for everybody at once. The collector gives the memory back,
 * in slices of at most a millisecond, between which others get their turn, pass
 * after pass over the table. Between passes it sleeps until the first flow it
 * saw will expire, and for good when the table is empty, until the next new flow
 * wakes it.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "gc.h"

/* Flows looked at between two looks at the clock. */
#define SLICE_STEP	32
/* Half of what a slice may take: RCU gives the memory back in the same breath. */
#define SLICE_NS	(NSEC_PER_MSEC / 2)
/* Between passes: often enough to free in time, seldom enough to be free. */
#define SLEEP_MIN_J	(HZ / 2)
#define SLEEP_MAX_J	(10 * HZ)

/* One slice. True when it finished a pass over the table. */
static bool gc_slice(struct udptrack_gc *gc)
{
	u64 start = ktime_get_mono_fast_ns();

	do {
		if (udptrack_table_collect(gc->table, jiffies, SLICE_STEP,
					   &gc->cursor, &gc->sleep_j))
			return true;
	} while (ktime_get_mono_fast_ns() - start < SLICE_NS);
	return false;
}

static void gc_work(struct work_struct *work)
{
	struct udptrack_gc *gc = container_of(to_delayed_work(work),
					      struct udptrack_gc, work);
	unsigned long delay = 0;

	if (gc_slice(gc)) {
		/* Pairs with udptrack_gc_kick(): count first, then pending. */
		if (!udptrack_table_count(gc->table))
			return;
		delay = max_t(u32, gc->sleep_j, SLEEP_MIN_J);
		gc->sleep_j = SLEEP_MAX_J;
	}
	/* Whatever a new flow has asked for since: this is the right time. */
	mod_delayed_work(system_power_efficient_wq, &gc->work, delay);
}

/**
 * udptrack_gc_init - make a collector, asleep
 * @gc:    memory for it
 * @table: what it is to collect from
 *
 * Context: process.
 */
void udptrack_gc_init(struct udptrack_gc *gc, struct udptrack_table *table)
{
	INIT_DELAYED_WORK(&gc->work, gc_work);
	gc->table = table;
	gc->cursor = 0;
	gc->sleep_j = SLEEP_MAX_J;
}

/**
 * udptrack_gc_kick - a flow was made: see that the collector will run
 * @gc: the collector
 *
 * Cheap while it is waiting already. The work stops being pending before it
 * counts the flows, and the caller has counted its flow before it looks at
 * pending, so that one of the two sees the other.
 *
 * Context: process or softirq.
 */
void udptrack_gc_kick(struct udptrack_gc *gc)
{
	if (!delayed_work_pending(&gc->work))
		queue_delayed_work(system_power_efficient_wq, &gc->work,
				   SLEEP_MIN_J);
}

/**
 * udptrack_gc_stop - stop the collector for good
 * @gc: the collector of a table to which no flows are added any more
 *
 * Context: process; may sleep.
 */
void udptrack_gc_stop(struct udptrack_gc *gc)
{
	cancel_delayed_work_sync(&gc->work);
}
