// SPDX-License-Identifier: GPL-2.0-only
/*
 * started - which flows did this host start on a port?
 *
 * Owns the chains of a table's ports. There are none until somebody wants to
 * know; from then on each live flow that this host started stands in the chain
 * of its port. A flow is put in and taken out under its own lock, and the
 * chain's inside of it. Chains are read under RCU, without a lock. What leaves
 * this file is copies.
 */
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/rculist_bl.h>
#include <linux/sched.h>
#include <linux/xarray.h>
#include <kunit/visibility.h>

#include "flow.h"
#include "started.h"

/*
 * Flows of a port looked at, at most, to find one that this host started. Who
 * asks cannot be preempted, and looking at one may take half a microsecond.
 */
#define STARTED_CHUNK		1024

static struct hlist_bl_head *chain_of(struct hlist_bl_head *ports,
				      const struct udptrack_flow *flow)
{
	return &ports[ntohs(flow->key.port[flow->origin])];
}

/**
 * udptrack_started_add - a flow begins to live
 * @table: its table
 * @flow:  the flow
 *
 * Context: under flow->lock.
 */
void udptrack_started_add(struct udptrack_table *table,
			  struct udptrack_flow *flow)
{
	/* Pairs with the release in udptrack_started_index(). */
	struct hlist_bl_head *ports = smp_load_acquire(&table->ports);
	struct hlist_bl_head *chain;

	if (!ports || !flow->ifindex || !hlist_bl_unhashed(&flow->started))
		return;
	chain = chain_of(ports, flow);
	hlist_bl_lock(chain);
	hlist_bl_add_head_rcu(&flow->started, chain);
	hlist_bl_unlock(chain);
}

/**
 * udptrack_started_del - a flow lives no more
 * @table: its table
 * @flow:  the flow
 *
 * Context: under flow->lock.
 */
void udptrack_started_del(struct udptrack_table *table,
			  struct udptrack_flow *flow)
{
	struct hlist_bl_head *chain;

	if (hlist_bl_unhashed(&flow->started))
		return;
	chain = chain_of(table->ports, flow);
	hlist_bl_lock(chain);
	hlist_bl_del_rcu(&flow->started);
	hlist_bl_unlock(chain);
}

/**
 * udptrack_started_index - from now on know which flows this host started
 * @table: the table
 *
 * What is there already is looked through once; after that, only making and
 * ending a flow takes more. There is no way back.
 *
 * Context: process; may sleep. One caller at a time.
 * Return: 0 or -ENOMEM.
 */
int udptrack_started_index(struct udptrack_table *table)
{
	struct udptrack_flow *flow;
	struct hlist_bl_head *ports;
	unsigned long id;

	if (table->ports)
		return 0;
	ports = kvcalloc(U16_MAX + 1, sizeof(*ports), GFP_KERNEL_ACCOUNT);
	if (!ports)
		return -ENOMEM;
	/* Pairs with the acquire in udptrack_started_add(). */
	smp_store_release(&table->ports, ports);
	/* Whoever saw none has put its flow where we will find it. */
	synchronize_rcu();
	for (id = 0;; id++) {
		rcu_read_lock();
		flow = xa_find(&table->by_id, &id, ULONG_MAX, XA_PRESENT);
		if (!flow) {
			rcu_read_unlock();
			return 0;
		}
		spin_lock_bh(&flow->lock);
		if (flow->live)
			udptrack_started_add(table, flow);
		spin_unlock_bh(&flow->lock);
		rcu_read_unlock();
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_started_index);

/* Copy a flow without its lock, if it lives. Under rcu_read_lock(). */
static bool copy_live(const struct udptrack_flow *flow, u32 now_j,
		      struct udptrack_started *copy)
{
	/* A torn copy is as good as a stale one. */
	struct udptrack_state state = data_race(flow->state);
	/* Likewise. */
	bool live = data_race(flow->live);

	if (!live || udptrack_state_expired(&state, now_j))
		return false;
	udptrack_key_to_tuple(&flow->key, flow->origin, &copy->tuple);
	copy->ifindex = flow->ifindex;
	/* Written while the flow's packet, and so its socket, is there. */
	copy->has_uid = data_race(flow->owner.has_uid);
	/* Likewise. */
	copy->uid = data_race(flow->owner.uid);
	return true;
}

/**
 * udptrack_started_any - look for a live flow that this host started
 * @table: a table for which udptrack_started_index() was called
 * @port:  the port at this host
 * @now_j: the time, in jiffies
 * @is:    is it this one? Called with a copy, under rcu_read_lock()
 * @arg:   for @is
 *
 * Newest first, and no more than a bounded number of them.
 *
 * Context: process or softirq, also where neither sleeping nor taking a lock
 * is allowed, if @is keeps to that.
 * Return: true when it is one.
 */
bool udptrack_started_any(struct udptrack_table *table, __be16 port, u32 now_j,
			  bool (*is)(const struct udptrack_started *flow,
				     void *arg),
			  void *arg)
{
	/* Pairs with the release in udptrack_started_index(). */
	struct hlist_bl_head *ports = smp_load_acquire(&table->ports);
	unsigned int left = STARTED_CHUNK;
	struct udptrack_started copy;
	struct udptrack_flow *flow;
	struct hlist_bl_node *node;
	bool found = false;

	if (!ports)
		return false;
	rcu_read_lock();
	hlist_bl_for_each_entry_rcu(flow, node, &ports[ntohs(port)], started) {
		found = copy_live(flow, now_j, &copy) && is(&copy, arg);
		if (found || !--left)
			break;
	}
	rcu_read_unlock();
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_started_any);
