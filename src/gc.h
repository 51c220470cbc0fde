/* SPDX-License-Identifier: GPL-2.0-only */
/* The collector of expired flows: see gc.c. */
#ifndef UDPTRACK_GC_H
#define UDPTRACK_GC_H

#include <linux/workqueue.h>

#include "table.h"

/**
 * struct udptrack_gc - the collector of one table
 * @work:    runs a slice
 * @table:   what it collects from
 * @cursor:  where the next slice goes on; the work's own
 * @sleep_j: jiffies until the next flow seen in this pass expires; likewise
 */
struct udptrack_gc {
	struct delayed_work work;
	struct udptrack_table *table;
	unsigned long cursor;
	u32 sleep_j;
};

void udptrack_gc_init(struct udptrack_gc *gc, struct udptrack_table *table);
void udptrack_gc_kick(struct udptrack_gc *gc);
void udptrack_gc_stop(struct udptrack_gc *gc);

#endif
