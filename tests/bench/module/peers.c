// SPDX-License-Identifier: GPL-2.0-only
/*
 * peers - what other tables of the kernel take for a bare look-up of the same
 * keys in the same order: an rhashtable with entries of 64 bytes and jhash, and
 * a BPF map that forgets the least recently used.
 *
 * No packet is parsed and no state kept but a time stamp, written when it has
 * changed. Owns the rhashtable, which is filled as the order asks for it; the
 * map is the caller's, by its file descriptor.
 */
#include <linux/bpf.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "packet.h"
#include "peers.h"

#define CHUNK	256

struct peer_key {
	__be32 local;
	__be32 remote;
	__be16 lport;
	__be16 rport;
	u32 protocol;
};

struct peer {
	struct rhash_head node;
	struct peer_key key;
	unsigned long stamp;
	u8 pad[32];
};

static const struct rhashtable_params params = {
	.key_len = sizeof(struct peer_key),
	.key_offset = offsetof(struct peer, key),
	.head_offset = offsetof(struct peer, node),
};

static struct rhashtable table;
static unsigned int filled;

static void key_of(const struct bench_order *order, u32 flow,
		   struct peer_key *key)
{
	key->local = htonl(0x0a000000 | BENCH_LOCAL);
	key->remote = htonl(0x0a000000 | bench_remote(flow));
	key->lport = htons(order->lport + (flow >> BENCH_REMOTES_SHIFT));
	key->rport = htons(order->rport);
	key->protocol = IPPROTO_UDP;
}

static void peer_free(void *ptr, void *arg)
{
	kfree(ptr);
}

static void table_empty(void)
{
	if (filled)
		rhashtable_free_and_destroy(&table, peer_free, NULL);
	filled = 0;
}

static int table_fill(const struct bench_order *order)
{
	unsigned int i;
	int err;

	if (filled == order->flows)
		return 0;
	table_empty();
	err = rhashtable_init(&table, &params);
	if (err)
		return err;
	filled = order->flows;
	for (i = 0; i < order->flows; i++) {
		struct peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

		if (!peer)
			return -ENOMEM;
		key_of(order, i, &peer->key);
		do {
			err = rhashtable_insert_fast(&table, &peer->node, params);
			/* The table grows in a work of its own. */
			cond_resched();
		} while (err == -EBUSY || err == -E2BIG);
		if (err) {
			kfree(peer);
			return err;
		}
	}
	return 0;
}

static bool find_in_table(const struct peer_key *key)
{
	struct peer *peer = rhashtable_lookup(&table, key, params);
	unsigned long now_j = jiffies;

	if (peer && READ_ONCE(peer->stamp) != now_j)
		WRITE_ONCE(peer->stamp, now_j);
	return peer;
}

static bool find_in_map(struct bpf_map *map, struct peer_key *key)
{
	unsigned long *stamp = map->ops->map_lookup_elem(map, key);
	unsigned long now_j = jiffies;

	if (stamp && READ_ONCE(*stamp) != now_j)
		WRITE_ONCE(*stamp, now_j);
	return stamp;
}

static int map_fill(const struct bench_order *order, struct bpf_map *map)
{
	unsigned long value = 0;
	struct peer_key key;
	unsigned int i;
	long err = 0;

	for (i = 0; !err && i < order->flows; i++) {
		key_of(order, i, &key);
		rcu_read_lock();
		err = map->ops->map_update_elem(map, &key, &value, BPF_ANY);
		rcu_read_unlock();
		cond_resched();
	}
	return err;
}

static void find_all(const struct bench_order *order, struct bpf_map *map,
		     const u32 *perm, struct bench_result *result)
{
	unsigned int i, n, left = order->count, at = 0;
	u64 begin = ktime_get_ns();
	struct peer_key key;

	while (left) {
		n = min_t(unsigned int, left, CHUNK);
		rcu_read_lock();
		for (i = 0; i < n; i++) {
			key_of(order, perm ? perm[at] : at, &key);
			if (++at == order->flows)
				at = 0;
			if (order->tracker == BENCH_LRU_MAP)
				result->ct[0] += find_in_map(map, &key);
			else
				result->ct[0] += find_in_table(&key);
		}
		rcu_read_unlock();
		left -= n;
		cond_resched();
	}
	result->ns = ktime_get_ns() - begin;
	result->packets = order->count;
}

/**
 * bench_peer - look keys up in another table
 * @order:  which table and keys; dir=in fills it, dir=out looks up
 * @perm:   order of the keys, or NULL for one after the other
 * @result: ct[0] is how many were found
 *
 * Context: process; may sleep.
 * Return: 0 or a negative error.
 */
int bench_peer(const struct bench_order *order, const u32 *perm,
	       struct bench_result *result)
{
	struct bpf_map *map = NULL;
	int err = 0;

	if (order->tracker == BENCH_LRU_MAP) {
		map = bpf_map_get(order->fd);
		if (IS_ERR(map))
			return PTR_ERR(map);
		if (map->key_size != sizeof(struct peer_key) ||
		    map->value_size != sizeof(unsigned long)) {
			bpf_map_put(map);
			return -EINVAL;
		}
	}
	if (order->dir == BENCH_IN)
		err = map ? map_fill(order, map) : table_fill(order);
	else if (map || filled)
		find_all(order, map, perm, result);
	else
		err = -ENOENT;
	if (map)
		bpf_map_put(map);
	return err;
}

/**
 * bench_peers_exit - free what bench_peer() filled
 *
 * Context: process.
 */
void bench_peers_exit(void)
{
	table_empty();
}

MODULE_IMPORT_NS(BPF_INTERNAL);
