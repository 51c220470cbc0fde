// SPDX-License-Identifier: GPL-2.0-only
/*
 * owners - the owners of a table's flows.
 *
 * Owns a piece of memory for each, which its flows share. Who makes flows often
 * made one lately: only the last owner of each hash is looked for, so the search
 * takes no time worth mentioning, however many processes there are; in the worst
 * case an owner is there more than once. An owner lives as long as its flows.
 *
 * The caller has a lock for all that belongs to a table, with bottom halves off.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "owners.h"

static struct kmem_cache *cache __read_mostly;

/**
 * udptrack_owners_module_init - what all tables share
 *
 * Context: process, once.
 * Return: 0 or -ENOMEM.
 */
int udptrack_owners_module_init(void)
{
	cache = kmem_cache_create("udptrack_owner",
				  sizeof(struct udptrack_shared_owner), 0,
				  SLAB_NO_MERGE, NULL);
	return cache ? 0 : -ENOMEM;
}

/**
 * udptrack_owners_module_exit - undo udptrack_owners_module_init()
 *
 * Context: process, after the last flow is gone.
 */
void udptrack_owners_module_exit(void)
{
	kmem_cache_destroy(cache);
}

static struct udptrack_shared_owner **
recent_of(struct udptrack_owners *owners, const struct udptrack_owner *owner)
{
	u64 who = (unsigned long)owner->pid + owner->cgroup +
		  __kuid_val(owner->uid);

	return &owners->recent[hash_64(who, UDPTRACK_OWNERS_SHIFT)];
}

static bool is_same(const struct udptrack_owner *a,
		    const struct udptrack_owner *b)
{
	return a->pid == b->pid && a->cgroup == b->cgroup &&
	       uid_eq(a->uid, b->uid) && a->has_uid == b->has_uid &&
	       !memcmp(a->comm, b->comm, sizeof(a->comm));
}

/**
 * udptrack_owners_get - keep an owner, for a flow
 * @owners: those of the flow's table
 * @owner:  who it is; only copied
 *
 * Context: see the top.
 * Return: for udptrack_owners_put(); NULL when there is no memory.
 */
struct udptrack_shared_owner *
udptrack_owners_get(struct udptrack_owners *owners,
		    const struct udptrack_owner *owner)
{
	struct udptrack_shared_owner **recent = recent_of(owners, owner);
	struct udptrack_shared_owner *shared = *recent;

	if (!shared || !is_same(&shared->owner, owner)) {
		shared = kmem_cache_zalloc(cache, GFP_ATOMIC | __GFP_NOWARN);
		if (!shared)
			return NULL;
		udptrack_owner_copy(&shared->owner, owner);
		*recent = shared;
	}
	shared->flows++;
	return shared;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_owners_get);

/**
 * udptrack_owners_put - a flow needs its owner no more
 * @owners: those of the flow's table
 * @shared: what udptrack_owners_get() returned, or NULL
 *
 * Context: see the top.
 */
void udptrack_owners_put(struct udptrack_owners *owners,
			 struct udptrack_shared_owner *shared)
{
	struct udptrack_shared_owner **recent;

	if (!shared || --shared->flows)
		return;
	recent = recent_of(owners, &shared->owner);
	if (*recent == shared)
		*recent = NULL;
	udptrack_owner_put(&shared->owner);
	kmem_cache_free(cache, shared);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_owners_put);
