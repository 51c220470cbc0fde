/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept of flows beside their lines: see records.c. */
#ifndef UDPTRACK_RECORDS_H
#define UDPTRACK_RECORDS_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "owners.h"
#include "tuple.h"

struct udptrack_dns;

/* Kinds of records, by what they have room for. */
#define UDPTRACK_RECORD_MORE	BIT(0)	/* struct udptrack_more */
#define UDPTRACK_RECORD_KEY	BIT(1)	/* the key, when its line does not say */
#define UDPTRACK_RECORD_KINDS	4

/**
 * struct udptrack_more - what not every flow has
 * @packets: datagrams, by enum udptrack_dir
 * @bytes:   their length, IP headers included
 * @owner:   whose it is, NULL when that is not known
 * @dns:     its questions, NULL before the first one
 */
struct udptrack_more {
	atomic64_t packets[2];
	atomic64_t bytes[2];
	struct udptrack_shared_owner *owner;
	struct udptrack_dns *dns;
};

/**
 * struct udptrack_flow - the record of a flow
 * @id:       its number, which grows from flow to flow
 * @start_ns: when it began, in ns since 1970
 * @rcu:      of a dead flow
 * @more:     what not every flow has, or NULL
 * @hash:     of its ends
 * @index:    of the record
 * @stream_after_j: see struct udptrack_state
 * @ifindex:  the interface by which its first packet left, or 0
 * @flags:    see struct udptrack_state
 * @origin:   side of the key that spoke first
 * @kind:     of the record
 * @closed:   all DNS questions are answered
 * @acct:     its traffic is being counted; then it has @more from the start
 * @owned:    there is no more to learn about its owner
 *
 * Who may read and write what is said in table.c.
 */
struct udptrack_flow {
	union {
		struct {
			unsigned long id;
			u64 start_ns;
		};
		struct rcu_head rcu;
	};
	struct udptrack_more *more;
	u32 hash;
	u32 index;
	u32 stream_after_j;
	int ifindex;
	u8 flags;
	u8 origin;
	u8 kind;
	bool closed;
	bool acct;
	bool owned;
};

/**
 * struct udptrack_records - the records of a table
 * @lock:    of all below; reading @pages takes RCU only
 * @pages:   of records, by their number
 * @room:    pages with a record in use by nobody, by kind
 * @ids:     indices by id, 64 at a time
 * @newest:  the part of @ids that the next flow's id may be in
 * @last_id: id of the newest flow; also read without the lock
 * @owners:  of the flows
 */
struct udptrack_records {
	spinlock_t lock; /* what comes now */
	struct xarray pages;
	struct list_head room[UDPTRACK_RECORD_KINDS];
	struct xarray ids;
	struct udptrack_ids *newest;
	unsigned long last_id;
	struct udptrack_owners owners;
};

int udptrack_records_module_init(void);
void udptrack_records_module_exit(void);
void udptrack_records_init(struct udptrack_records *records);
void udptrack_records_destroy(struct udptrack_records *records);
struct udptrack_flow *udptrack_records_new(struct udptrack_records *records,
					   unsigned int kind,
					   const struct udptrack_owner *owner);
bool udptrack_records_own(struct udptrack_records *records,
			  struct udptrack_flow *flow,
			  const struct udptrack_owner *owner);
void udptrack_records_release(struct udptrack_records *records,
			      struct udptrack_flow *flow);
struct udptrack_flow *
udptrack_records_at(const struct udptrack_records *records, u32 index);
u32 udptrack_records_next(struct udptrack_records *records, unsigned long *id,
			  unsigned long last_id);
u32 udptrack_records_by_id(const struct udptrack_records *records,
			   unsigned long id);
struct udptrack_more *udptrack_flow_more(struct udptrack_flow *flow);
struct udptrack_key *udptrack_flow_key(struct udptrack_flow *flow);

#endif
