/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow, as only the files of the table know it: table.c and started.c. */
#ifndef UDPTRACK_FLOW_H
#define UDPTRACK_FLOW_H

#include <linux/list_bl.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>

#include "table.h"

/**
 * struct udptrack_flow - a flow; the rules of its lock are in table.c
 * @node:    in the table's by_key
 * @key:     its ends
 * @ifindex: the interface by which its first packet left, or 0
 * @id:      in the table's by_id
 * @start_ns: when it began, in ns since 1970
 * @started: in the chain of its port, see started.c
 * @lock:    see there
 * @live:    it is in by_key
 * @acct:    @traffic is being counted
 * @origin:  side of the key that spoke first
 * @closed:  all DNS questions are answered
 * @state:   state
 * @traffic: by enum udptrack_dir
 * @rcu:     of a dead flow, which counts no more
 * @owner:   whose it is
 * @dns:     its questions, NULL before the first one
 */
struct udptrack_flow {
	struct rhash_head node;
	struct udptrack_key key;
	int ifindex;
	unsigned long id;
	u64 start_ns;
	struct hlist_bl_node started;
	spinlock_t lock;	/* all below, but rcu */
	bool live;
	bool acct;
	u8 origin;
	bool closed;
	struct udptrack_state state;
	union {
		struct udptrack_counter traffic[2];
		struct rcu_head rcu;
	};
	struct udptrack_owner owner;
	struct udptrack_dns *dns;
};

#endif
