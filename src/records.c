// SPDX-License-Identifier: GPL-2.0-only
/*
 * records - what is kept of flows beside their lines.
 *
 * Owns the memory of struct udptrack_flow: pages of records of one kind, each
 * found by a small number, its index, that fits into a word of a line. What not
 * every flow has, struct udptrack_more, is part of the record where it is known
 * from the start that the flow will have it; else it comes later, from
 * elsewhere. A record, and its index, is used again only after an RCU grace
 * period: on this rests the rule of lines.c. A page whose last record went is
 * freed at once, for by then nobody can have an index of it; nor of a record
 * that was given back before anybody could have seen it.
 *
 * Owns the ids, too. They grow from flow to flow and give listings an order
 * that nothing disturbs: a cursor is the id to go on from, whatever came and
 * went in between. Indices by id stand together, 64 in a piece of memory.
 *
 * Owners of flows are there once for all of them, see owners.c.
 *
 * One lock for all that: whoever makes a flow takes it once. It is held for a few
 * dozen instructions, inside the lock of a flow. Reading takes RCU alone.
 */
#include <linux/bitops.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "dns.h"
#include "records.h"

#define ALLOC_FLAGS	(GFP_ATOMIC | __GFP_NOWARN)

/* Bits of an index that say which record of its page it is. */
#define RECORD_BITS	7
#define PAGE_BITS	(28 - RECORD_BITS)
#define PAGE_BYTES	4096

#define IDS_SHIFT	6
#define IDS		BIT(IDS_SHIFT)

/**
 * struct record_page - records of a kind
 * @list:    in struct udptrack_records.room, while it has a free one
 * @records: whose they are
 * @number:  of the page
 * @kind:    of the records
 * @size:    of a record, in bytes
 * @max:     how many there is room for
 * @used:    how many are in use
 * @fresh:   how many have ever been in use
 * @free:    of those, one that is in use no more, counted from 1; its index is
 *           the next one. 0 for none
 * @memory:  the records themselves
 */
struct record_page {
	struct list_head list;
	struct udptrack_records *records;
	u32 number;
	u16 kind;
	u16 size;
	u16 max;
	u16 used;
	u16 fresh;
	u16 free;
	u8 memory[] __aligned(8);
};

/**
 * struct udptrack_ids - flows by id
 * @index: of the flow with the first id, and of those that follow; 0 for none
 * @live:  how many are not 0, and one more while new ones come
 * @rcu:   to free it
 */
struct udptrack_ids {
	u32 index[IDS];
	u32 live;
	struct rcu_head rcu;
};

static struct kmem_cache *page_cache __read_mostly;
static struct kmem_cache *more_cache __read_mostly;
static struct kmem_cache *ids_cache __read_mostly;

static unsigned int record_size(unsigned int kind)
{
	return sizeof(struct udptrack_flow) +
	       (kind & UDPTRACK_RECORD_MORE ? sizeof(struct udptrack_more) : 0) +
	       (kind & UDPTRACK_RECORD_KEY ?
		ALIGN(sizeof(struct udptrack_key), 8) : 0);
}

static struct record_page *page_of(const struct udptrack_flow *flow)
{
	return (void *)((unsigned long)flow & ~(PAGE_BYTES - 1UL));
}

static struct udptrack_flow *record_of(struct record_page *page,
				       unsigned int i)
{
	return (void *)page->memory + i * page->size;
}

/**
 * udptrack_records_module_init - what all tables share
 *
 * Context: process, once.
 * Return: 0 or -ENOMEM.
 */
int udptrack_records_module_init(void)
{
	BUILD_BUG_ON((PAGE_BYTES - sizeof(struct record_page)) /
		     sizeof(struct udptrack_flow) > BIT(RECORD_BITS));
	page_cache = kmem_cache_create("udptrack_flow", PAGE_BYTES, PAGE_BYTES,
				       SLAB_NO_MERGE, NULL);
	more_cache = kmem_cache_create("udptrack_more",
				       sizeof(struct udptrack_more), 0,
				       SLAB_NO_MERGE, NULL);
	ids_cache = kmem_cache_create("udptrack_ids",
				      sizeof(struct udptrack_ids), 0,
				      SLAB_NO_MERGE, NULL);
	if (page_cache && more_cache && ids_cache &&
	    !udptrack_owners_module_init())
		return 0;
	udptrack_records_module_exit();
	return -ENOMEM;
}

/**
 * udptrack_records_module_exit - undo udptrack_records_module_init()
 *
 * Waits for the records that are still on their way through call_rcu().
 *
 * Context: process, after the last table is gone.
 */
void udptrack_records_module_exit(void)
{
	rcu_barrier();
	udptrack_owners_module_exit();
	kmem_cache_destroy(ids_cache);
	kmem_cache_destroy(more_cache);
	kmem_cache_destroy(page_cache);
}

/**
 * udptrack_records_init - make the records of an empty table
 * @records: memory for them
 *
 * Context: process.
 */
void udptrack_records_init(struct udptrack_records *records)
{
	unsigned int kind;

	spin_lock_init(&records->lock);
	xa_init_flags(&records->pages, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
	for (kind = 0; kind < UDPTRACK_RECORD_KINDS; kind++)
		INIT_LIST_HEAD(&records->room[kind]);
	xa_init_flags(&records->ids, XA_FLAGS_LOCK_BH);
	records->newest = NULL;
	records->last_id = 0;
	records->owners = (struct udptrack_owners) { };
}

/**
 * udptrack_records_destroy - free what is left when all flows are gone
 * @records: of a table that nobody else uses any more; rcu_barrier() was called
 *           since the last flow went, for they come back here
 *
 * Context: process; may sleep.
 */
void udptrack_records_destroy(struct udptrack_records *records)
{
	if (records->newest) {
		xa_erase_bh(&records->ids, records->last_id >> IDS_SHIFT);
		kmem_cache_free(ids_cache, records->newest);
	}
	WARN_ON_ONCE(!xa_empty(&records->pages) || !xa_empty(&records->ids));
	xa_destroy(&records->pages);
	xa_destroy(&records->ids);
}

static struct record_page *page_new(struct udptrack_records *records,
				    unsigned int kind)
{
	struct record_page *page = kmem_cache_alloc(page_cache, ALLOC_FLAGS);

	if (!page)
		return NULL;
	memset(page, 0, sizeof(*page));
	page->records = records;
	page->kind = kind;
	page->size = record_size(kind);
	page->max = (PAGE_BYTES - sizeof(*page)) / page->size;
	if (xa_alloc_bh(&records->pages, &page->number, page,
			XA_LIMIT(1, BIT(PAGE_BITS) - 1), ALLOC_FLAGS) < 0) {
		kmem_cache_free(page_cache, page);
		return NULL;
	}
	list_add(&page->list, &records->room[kind]);
	return page;
}

static struct udptrack_flow *record_get(struct udptrack_records *records,
					unsigned int kind)
{
	struct record_page *page;
	struct udptrack_flow *flow;
	unsigned int i;

	page = list_first_entry_or_null(&records->room[kind],
					struct record_page, list);
	if (!page)
		page = page_new(records, kind);
	if (!page)
		return NULL;
	i = page->free ? page->free - 1 : page->fresh++;
	flow = record_of(page, i);
	if (page->free)
		page->free = flow->index;
	if (++page->used == page->max)
		list_del_init(&page->list);
	*flow = (struct udptrack_flow) {
		.index = page->number << RECORD_BITS | i,
		.kind = kind,
	};
	if (kind & UDPTRACK_RECORD_MORE) {
		flow->more = (void *)(flow + 1);
		*flow->more = (struct udptrack_more) { };
	}
	return flow;
}

static void record_put(struct udptrack_records *records,
		       struct udptrack_flow *flow)
{
	struct record_page *page = page_of(flow);
	unsigned int i = flow->index % BIT(RECORD_BITS);

	if (page->used-- == page->max)
		list_add(&page->list, &records->room[page->kind]);
	flow->index = page->free;
	page->free = i + 1;
	if (page->used)
		return;
	list_del(&page->list);
	xa_erase_bh(&records->pages, page->number);
	kmem_cache_free(page_cache, page);
}

static void ids_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(ids_cache, container_of(head, struct udptrack_ids,
						rcu));
}

/* One index less that it has to keep. Under the lock. */
static void ids_put(struct udptrack_records *records, unsigned long n,
		    struct udptrack_ids *ids)
{
	if (--ids->live)
		return;
	xa_erase_bh(&records->ids, n);
	call_rcu(&ids->rcu, ids_free_rcu);
}

/* The next id is in other memory than the last one. */
static bool ids_turn(struct udptrack_records *records)
{
	unsigned long n = (records->last_id + 1) >> IDS_SHIFT;
	struct udptrack_ids *ids = kmem_cache_zalloc(ids_cache, ALLOC_FLAGS);
	struct udptrack_ids *old = records->newest;

	if (!ids)
		return false;
	ids->live = 1;
	if (xa_is_err(xa_store_bh(&records->ids, n, ids, ALLOC_FLAGS))) {
		kmem_cache_free(ids_cache, ids);
		return false;
	}
	records->newest = ids;
	if (old)
		ids_put(records, n - 1, old);
	return true;
}

/* Give a new flow its id. False when there is no memory. Under the lock. */
static bool ids_add(struct udptrack_records *records,
		    struct udptrack_flow *flow)
{
	unsigned long id = records->last_id + 1;

	if ((!records->newest || !(id % IDS)) && !ids_turn(records))
		return false;
	flow->id = id;
	WRITE_ONCE(records->last_id, id);
	records->newest->live++;
	/* Pairs with the acquire in udptrack_records_next(). */
	smp_store_release(&records->newest->index[id % IDS], flow->index);
	return true;
}

static void ids_del(struct udptrack_records *records, unsigned long id)
{
	struct udptrack_ids *ids = xa_load(&records->ids, id >> IDS_SHIFT);

	WRITE_ONCE(ids->index[id % IDS], 0);
	ids_put(records, id >> IDS_SHIFT, ids);
}

/**
 * udptrack_records_new - make a record, and an id
 * @records: the records
 * @kind:    UDPTRACK_RECORD_* bits; with UDPTRACK_RECORD_MORE if @owner is
 *           anybody
 * @owner:   whose flow it is
 *
 * It is to be found by its id from now on; who finds it must see whether there
 * is a flow, under the flow's lock.
 *
 * Context: process or softirq, with bottom halves off.
 * Return: a record that is empty but for its id, index, kind and owner, and a
 * key that is anything; NULL when there is no memory. Without memory for the
 * owner alone, it is not known.
 */
struct udptrack_flow *udptrack_records_new(struct udptrack_records *records,
					   unsigned int kind,
					   const struct udptrack_owner *owner)
{
	struct udptrack_flow *flow;

	spin_lock(&records->lock);
	flow = record_get(records, kind);
	if (flow && !ids_add(records, flow)) {
		record_put(records, flow);
		flow = NULL;
	}
	if (flow && udptrack_owner_is_known(owner))
		flow->more->owner = udptrack_owners_get(&records->owners,
							owner);
	spin_unlock(&records->lock);
	return flow;
}

/**
 * udptrack_records_own - set the owner of a flow
 * @records: the records
 * @flow:    the flow
 * @owner:   whose it is
 *
 * Context: under the flow's lock.
 * Return: false when there is no memory; then all is as it was.
 */
bool udptrack_records_own(struct udptrack_records *records,
			  struct udptrack_flow *flow,
			  const struct udptrack_owner *owner)
{
	struct udptrack_more *more = udptrack_flow_more(flow);
	struct udptrack_shared_owner *shared;

	if (!more)
		return false;
	spin_lock(&records->lock);
	shared = udptrack_owners_get(&records->owners, owner);
	if (shared) {
		udptrack_owners_put(&records->owners, more->owner);
		more->owner = shared;
	}
	spin_unlock(&records->lock);
	return shared;
}

static void record_free_rcu(struct rcu_head *head)
{
	struct udptrack_flow *flow = container_of(head, struct udptrack_flow,
						  rcu);
	struct udptrack_records *records = page_of(flow)->records;
	struct udptrack_more *more = flow->more;

	if (more)
		udptrack_dns_free(more->dns);
	/* Here bottom halves are off, as in all of RCU's callbacks. */
	spin_lock(&records->lock);
	if (more)
		udptrack_owners_put(&records->owners, more->owner);
	if (more && !(flow->kind & UDPTRACK_RECORD_MORE))
		kmem_cache_free(more_cache, more);
	record_put(records, flow);
	spin_unlock(&records->lock);
}

/**
 * udptrack_records_release - give a record up
 * @records: the records
 * @flow:    of a flow that is in no line any more
 *
 * Its memory stays for an RCU grace period; id and start are no more.
 *
 * Context: process or softirq, with bottom halves off.
 */
void udptrack_records_release(struct udptrack_records *records,
			      struct udptrack_flow *flow)
{
	spin_lock(&records->lock);
	ids_del(records, flow->id);
	spin_unlock(&records->lock);
	call_rcu(&flow->rcu, record_free_rcu);
}

/**
 * udptrack_records_at - the record with an index
 * @records: the records
 * @index:   found in a line or by an id, within the same RCU section
 *
 * Context: under rcu_read_lock().
 * Return: never NULL.
 */
struct udptrack_flow *
udptrack_records_at(const struct udptrack_records *records, u32 index)
{
	struct record_page *page =
		xa_load((struct xarray *)&records->pages, index >> RECORD_BITS);

	return record_of(page, index % BIT(RECORD_BITS));
}

/**
 * udptrack_records_next - the first flow from an id on
 * @records: the records
 * @id:      lowest id wanted; set to the one found
 * @last_id: highest id wanted
 *
 * Context: under rcu_read_lock().
 * Return: index of its record, 0 when there is none.
 */
u32 udptrack_records_next(struct udptrack_records *records, unsigned long *id,
			  unsigned long last_id)
{
	unsigned long i = *id, n = i >> IDS_SHIFT;
	struct udptrack_ids *ids;
	u32 index;

	for (; i <= last_id; n++) {
		ids = xa_find(&records->ids, &n, last_id >> IDS_SHIFT,
			      XA_PRESENT);
		if (!ids)
			return 0;
		i = max(i, n << IDS_SHIFT);
		for (; i >> IDS_SHIFT == n && i <= last_id; i++) {
			/* Pairs with the release in ids_add(). */
			index = smp_load_acquire(&ids->index[i % IDS]);
			if (index) {
				*id = i;
				return index;
			}
		}
		/* There is no id after the last of all. */
		if (!i)
			return 0;
	}
	return 0;
}

/**
 * udptrack_records_by_id - the flow with an id
 * @records: the records
 * @id:      the id
 *
 * Context: under rcu_read_lock().
 * Return: index of its record, 0 when there is none.
 */
u32 udptrack_records_by_id(const struct udptrack_records *records,
			   unsigned long id)
{
	const struct udptrack_ids *ids =
		xa_load((struct xarray *)&records->ids, id >> IDS_SHIFT);

	/* Pairs with the release in ids_add(). */
	return ids ? smp_load_acquire(&ids->index[id % IDS]) : 0;
}

/**
 * udptrack_flow_more - what not every flow has
 * @flow: a flow that is to have it from now on
 *
 * Context: under the flow's lock.
 * Return: NULL when there is no memory.
 */
struct udptrack_more *udptrack_flow_more(struct udptrack_flow *flow)
{
	if (!flow->more)
		flow->more = kmem_cache_zalloc(more_cache, ALLOC_FLAGS);
	return flow->more;
}

/**
 * udptrack_flow_key - the key in a record
 * @flow: of a kind that has room for one
 *
 * Context: any.
 * Return: never NULL.
 */
struct udptrack_key *udptrack_flow_key(struct udptrack_flow *flow)
{
	void *end = flow + 1;

	if (flow->kind & UDPTRACK_RECORD_MORE)
		end += sizeof(struct udptrack_more);
	return end;
}
