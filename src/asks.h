/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to many hosts, which any of them may answer: see asks.c. */
#ifndef UDPTRACK_ASKS_H
#define UDPTRACK_ASKS_H

#include <linux/netfilter.h>

#include "gc.h"
#include "table.h"

/**
 * struct udptrack_asks - the live requests of a network namespace
 * @table: an entry for each address and port that may be answered to, and the
 *         port that was asked
 * @gc:    its collector
 * @stats: what the table counts; nobody reads it
 */
struct udptrack_asks {
	struct udptrack_table table;
	struct udptrack_gc gc;
	struct udptrack_stats __percpu *stats;
};

int udptrack_asks_init(struct udptrack_asks *asks);
void udptrack_asks_stop(struct udptrack_asks *asks);
void udptrack_asks_free(struct udptrack_asks *asks);
void udptrack_asks_destroy(struct udptrack_asks *asks);
void udptrack_asks_note(struct udptrack_asks *asks,
			const struct udptrack_tuple *tuple,
			const struct udptrack_visit *request,
			unsigned int hook);
bool udptrack_asks_match(struct udptrack_asks *asks, const struct sk_buff *skb,
			 const struct udptrack_tuple *tuple,
			 const struct nf_hook_state *state);

/**
 * udptrack_asks_any - may there be a live request?
 * @asks: the requests
 *
 * Context: any.
 * Return: false when a look would be in vain.
 */
static inline bool udptrack_asks_any(const struct udptrack_asks *asks)
{
	return udptrack_table_count(&asks->table);
}

#endif
