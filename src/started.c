// SPDX-License-Identifier: GPL-2.0-only
/*
 * started - which flows did this host start on a port?
 *
 * Owns the chains of a table's ports, and what stands in them: a copy of what
 * there is to know of a flow. There are none until somebody wants to know; from
 * then on there is one for each live flow that this host started. It comes and
 * goes under the flow's lock; inside of it, that of the XArray is taken, for the
 * chain as well. Chains are read under RCU, without a lock, for who asks may not
 * take one.
 */
#include <linux/processor.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "flow.h"
#include "started.h"

#define ALLOC_FLAGS	(GFP_ATOMIC | __GFP_NOWARN)

/*
 * Flows of a port looked at, at most, to find one that this host started. Who
 * asks cannot be preempted, and looking at one may take half a microsecond.
 */
#define STARTED_CHUNK		1024

/**
 * struct started_node - stands in the chain of its port for a flow
 * @list:    the chain
 * @key:     ends of the flow
 * @flow:    what there is to tell of it; its user may come later
 * @rcu:     to free it
 */
struct started_node {
	struct hlist_node list;
	struct udptrack_key key;
	struct udptrack_started flow;
	struct rcu_head rcu;
};

/**
 * udptrack_started_init - make the index of an empty table
 * @started: memory for it
 *
 * Context: process.
 */
void udptrack_started_init(struct udptrack_started_index *started)
{
	started->ports = NULL;
	xa_init_flags(&started->nodes, XA_FLAGS_LOCK_BH);
}

/**
 * udptrack_started_destroy - free the index of a table that has no flows left
 * @started: the index
 *
 * Context: process; may sleep.
 */
void udptrack_started_destroy(struct udptrack_started_index *started)
{
	WARN_ON_ONCE(!xa_empty(&started->nodes));
	xa_destroy(&started->nodes);
	kvfree(started->ports);
}

/**
 * udptrack_started_add - a flow begins to live
 * @table: its table
 * @flow:  the flow
 * @key:   its ends
 *
 * Without memory for it, it is not found by its port.
 *
 * Context: under the flow's lock.
 */
void udptrack_started_add(struct udptrack_table *table,
			  const struct udptrack_flow *flow,
			  const struct udptrack_key *key)
{
	struct udptrack_started_index *started = &table->started;
	/* Pairs with the release in udptrack_started_index(). */
	struct hlist_head *ports = smp_load_acquire(&started->ports);
	struct started_node *node;
	int err;

	if (!ports || !flow->ifindex || xa_load(&started->nodes, flow->index))
		return;
	node = kzalloc(sizeof(*node), ALLOC_FLAGS);
	if (!node)
		return;
	node->key = *key;
	udptrack_key_to_tuple(key, flow->origin, &node->flow.tuple);
	node->flow.ifindex = flow->ifindex;
	if (flow->more && flow->more->owner) {
		node->flow.has_uid = flow->more->owner->owner.has_uid;
		node->flow.uid = flow->more->owner->owner.uid;
	}
	xa_lock_bh(&started->nodes);
	err = xa_err(__xa_store(&started->nodes, flow->index, node,
				ALLOC_FLAGS));
	if (!err)
		hlist_add_head_rcu(&node->list,
				   &ports[ntohs(node->flow.tuple.sport)]);
	xa_unlock_bh(&started->nodes);
	if (err)
		kfree(node);
}

/**
 * udptrack_started_own - a flow is told whose it is
 * @table: its table
 * @flow:  the flow
 * @owner: whose
 *
 * Context: under the flow's lock.
 */
void udptrack_started_own(struct udptrack_table *table,
			  const struct udptrack_flow *flow,
			  const struct udptrack_owner *owner)
{
	struct started_node *node = xa_load(&table->started.nodes, flow->index);

	if (!node || !owner->has_uid)
		return;
	WRITE_ONCE(node->flow.uid, owner->uid);
	/* Pairs with the acquire in udptrack_started_any(). */
	smp_store_release(&node->flow.has_uid, true);
}

/**
 * udptrack_started_del - a flow lives no more
 * @table: its table
 * @flow:  the flow
 *
 * Context: under the flow's lock.
 */
void udptrack_started_del(struct udptrack_table *table,
			  const struct udptrack_flow *flow)
{
	struct udptrack_started_index *started = &table->started;
	struct started_node *node;

	if (likely(!READ_ONCE(started->ports)))
		return;
	xa_lock_bh(&started->nodes);
	node = __xa_erase(&started->nodes, flow->index);
	if (node)
		hlist_del_rcu(&node->list);
	xa_unlock_bh(&started->nodes);
	if (node)
		kfree_rcu(node, rcu);
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
	struct udptrack_held held;
	struct udptrack_key key;
	unsigned long id, last_id;
	struct hlist_head *ports;
	u32 index = 1;

	if (table->started.ports)
		return 0;
	ports = kvcalloc(U16_MAX + 1, sizeof(*ports), GFP_KERNEL_ACCOUNT);
	if (!ports)
		return -ENOMEM;
	/* Pairs with the acquire in udptrack_started_add(). */
	smp_store_release(&table->started.ports, ports);
	/* Whoever saw none has put its flow where we will find it. */
	synchronize_rcu();
	last_id = udptrack_table_last_id(table);
	for (id = 0; index; id++) {
		rcu_read_lock();
		index = udptrack_records_next(&table->records, &id, last_id);
		if (index && udptrack_flow_hold_id(table, id, index, &held)) {
			udptrack_flow_ends(&held, &key);
			udptrack_started_add(table, held.flow, &key);
			udptrack_flow_let_go(&held);
		}
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_started_index);

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
	struct udptrack_started_index *started = &table->started;
	/* Pairs with the release in udptrack_started_index(). */
	struct hlist_head *ports = smp_load_acquire(&started->ports);
	unsigned int left = STARTED_CHUNK;
	struct udptrack_started copy;
	struct started_node *node;
	bool found = false;

	if (!ports)
		return false;
	rcu_read_lock();
	hlist_for_each_entry_rcu(node, &ports[ntohs(port)], list) {
		if (udptrack_table_has(table, &node->key, now_j)) {
			copy.tuple = node->flow.tuple;
			copy.ifindex = node->flow.ifindex;
			/* Pairs with the release in udptrack_started_own(). */
			copy.has_uid = smp_load_acquire(&node->flow.has_uid);
			copy.uid = READ_ONCE(node->flow.uid);
			found = is(&copy, arg);
		}
		if (found || !--left)
			break;
	}
	rcu_read_unlock();
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_started_any);
