/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flows this host started on a port: see started.c. */
#ifndef UDPTRACK_STARTED_H
#define UDPTRACK_STARTED_H

#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include "owner.h"
#include "tuple.h"

struct hlist_head;
struct udptrack_flow;
struct udptrack_table;

/**
 * struct udptrack_started_index - the flows of a table by the port of this host
 * @ports: a chain for each; NULL until somebody wanted to know, set once
 * @nodes: what stands there for a flow, by the index of its record; its lock is
 *         that of the chains, too
 */
struct udptrack_started_index {
	struct hlist_head *ports;
	struct xarray nodes;
};

/**
 * struct udptrack_started - a live flow that this host started
 * @tuple:   as its first packet went
 * @ifindex: the interface by which that left
 * @has_uid: its owner's user is known
 * @uid:     its owner's user
 */
struct udptrack_started {
	struct udptrack_tuple tuple;
	int ifindex;
	bool has_uid;
	kuid_t uid;
};

void udptrack_started_init(struct udptrack_started_index *started);
void udptrack_started_destroy(struct udptrack_started_index *started);
void udptrack_started_add(struct udptrack_table *table,
			  const struct udptrack_flow *flow,
			  const struct udptrack_key *key);
void udptrack_started_own(struct udptrack_table *table,
			  const struct udptrack_flow *flow,
			  const struct udptrack_owner *owner);
void udptrack_started_del(struct udptrack_table *table,
			  const struct udptrack_flow *flow);
int udptrack_started_index(struct udptrack_table *table);
bool udptrack_started_any(struct udptrack_table *table, __be16 port, u32 now_j,
			  bool (*is)(const struct udptrack_started *flow,
				     void *arg),
			  void *arg);

#endif
