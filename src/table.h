/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows of a network namespace: see table.c. */
#ifndef UDPTRACK_TABLE_H
#define UDPTRACK_TABLE_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "dns.h"
#include "evict.h"
#include "lines.h"
#include "owner.h"
#include "records.h"
#include "started.h"
#include "state.h"
#include "stats.h"
#include "tuple.h"

struct udptrack_watch;

/**
 * struct udptrack_table - the flows of a network namespace; use only through
 * table.c and walk.c
 * @lines:   where they are found by their ends
 * @records: what else there is of them, and their ids
 * @count:   flows in the table
 * @resize:  gives @lines the right size
 * @started: flows that this host started, by its port
 * @evict:   where to look for flows to evict, see evict.c
 * @stats:   counters of the namespace
 * @dns:     what the DNS questions of its flows share, NULL in a table that
 *           sees none
 * @watch:   who is told of what happens to the flows, NULL for nobody; set
 *           before the first flow, taken away after the last packet
 */
struct udptrack_table {
	struct udptrack_lines lines;
	struct udptrack_records records;
	atomic_t count;
	struct work_struct resize;
	struct udptrack_started_index started;
	struct udptrack_evict evict;
	struct udptrack_stats __percpu *stats;
	struct udptrack_dns_pool *dns;
	struct udptrack_watch *watch;
};

/**
 * struct udptrack_counter - traffic in one direction
 * @packets: datagrams
 * @bytes:   their length, IP headers included
 */
struct udptrack_counter {
	u64 packets;
	u64 bytes;
};

/**
 * struct udptrack_seen - what udptrack_table_stream() found out
 * @ends:   of the flow
 * @absent: there was none
 */
struct udptrack_seen {
	struct udptrack_ends ends;
	bool absent;
};

/**
 * struct udptrack_visit - a packet's visit to the table
 * @side:     which end of the key sent it
 * @ifindex:  the interface by which it leaves when this host sends it, else 0
 * @packets:  datagrams in it
 * @bytes:    their length
 * @now_j:    the time, in jiffies
 * @timeouts: to apply
 * @max:      flows the table may hold
 * @acct:     a flow made by this packet counts its traffic
 * @create:   make a flow when there is none
 * @related:  a flow that it makes belongs to a request known otherwise
 * @dns:      what it is as a DNS message, or NULL
 * @seen:     what was found out already, or NULL
 * @owner:    finds out whose a flow is that it makes, or NULL; fills in what
 *            is to be given back with udptrack_owner_put()
 */
struct udptrack_visit {
	unsigned int side;
	int ifindex;
	unsigned int packets;
	unsigned int bytes;
	u32 now_j;
	struct udptrack_timeouts timeouts;
	unsigned int max;
	bool acct;
	bool create;
	bool related;
	const struct udptrack_dns_visit *dns;
	const struct udptrack_seen *seen;
	void (*owner)(const struct udptrack_visit *visit,
		      struct udptrack_owner *owner);
};

/*
 * For udptrack_table_peek() instead of a side: the end that spoke first,
 * whichever it is.
 */
#define UDPTRACK_SIDE_ORIGIN	2

/**
 * enum udptrack_outcome - what became of a visit
 * @UDPTRACK_FOUND:   the packet belongs to a live flow, now refreshed
 * @UDPTRACK_CREATED: it made a flow
 * @UDPTRACK_ABSENT:  there is no flow, and none was to be made
 * @UDPTRACK_REFUSED: there is no flow and no room or memory for one; counted
 */
enum udptrack_outcome {
	UDPTRACK_FOUND,
	UDPTRACK_CREATED,
	UDPTRACK_ABSENT,
	UDPTRACK_REFUSED,
};

/**
 * struct udptrack_result - what a visit changed
 * @class:  what the packet was on arrival
 * @events: UDPTRACK_EVENT_* bits
 * @wants_owner: the owner of a flow that was there is not known, or not wholly
 * @forged: it answers no question that was asked
 */
struct udptrack_result {
	enum udptrack_class class;
	u8 events;
	bool wants_owner;
	bool forged;
};

/**
 * struct udptrack_snapshot - a copy of a flow, true at one moment
 * @id:    grows from flow to flow and is never used twice
 * @start_ns: when it began, in nanoseconds since 1970
 * @tuple: of the original direction
 * @state: state
 * @acct:  @traffic is being counted
 * @traffic: by enum udptrack_dir
 * @has_uid: the owner's user is known
 * @uid:   the owner's user
 * @pid:   the owner's process, as the reader's pid namespace knows it, or 0
 * @comm:  its command, when @pid is not 0
 * @cgroup: id of the owner's cgroup, or 0
 * @is_dns: there were DNS questions
 * @dns:   what there is to show of them
 */
struct udptrack_snapshot {
	unsigned long id;
	u64 start_ns;
	struct udptrack_tuple tuple;
	struct udptrack_state state;
	bool acct;
	struct udptrack_counter traffic[2];
	bool has_uid;
	kuid_t uid;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	u64 cgroup;
	bool is_dns;
	struct udptrack_dns_sum dns;
};

int udptrack_table_module_init(void);
void udptrack_table_module_exit(void);

int udptrack_table_init(struct udptrack_table *table,
			struct udptrack_stats __percpu *stats);
void udptrack_table_stop(struct udptrack_table *table);
void udptrack_table_free(struct udptrack_table *table);
void udptrack_table_destroy(struct udptrack_table *table);

bool udptrack_table_peek(struct udptrack_table *table,
			 const struct udptrack_key *key, unsigned int side,
			 u32 now_j, enum udptrack_class *class);
bool udptrack_table_forged(struct udptrack_table *table,
			   const struct udptrack_key *key, unsigned int side,
			   u32 now_j, const struct udptrack_dns_visit *dns,
			   bool note);
enum udptrack_outcome udptrack_table_track(struct udptrack_table *table,
					   const struct udptrack_key *key,
					   const struct udptrack_visit *visit,
					   struct udptrack_result *result);
bool udptrack_table_stream(struct udptrack_table *table,
			   const struct udptrack_key *key, unsigned int side,
			   u32 now_j, u32 stream_j, unsigned int packets,
			   unsigned int bytes, struct udptrack_seen *seen);
void udptrack_table_own(struct udptrack_table *table,
			const struct udptrack_key *key,
			const struct udptrack_owner *owner);
bool udptrack_table_get(struct udptrack_table *table,
			const struct udptrack_key *key, unsigned long id,
			u32 now_j, struct pid_namespace *reader,
			struct udptrack_snapshot *snap);
bool udptrack_table_erase(struct udptrack_table *table,
			  const struct udptrack_key *key, unsigned long id,
			  u32 now_j);
unsigned int udptrack_table_prune(struct udptrack_table *table, u32 now_j,
				  struct pid_namespace *reader,
				  bool (*doomed)(const struct udptrack_snapshot *flow,
						 const void *arg),
				  const void *arg);
void udptrack_table_flush(struct udptrack_table *table);

unsigned long udptrack_table_last_id(const struct udptrack_table *table);
bool udptrack_table_next(struct udptrack_table *table, unsigned long from_id,
			 unsigned long last_id, u32 now_j,
			 struct pid_namespace *reader,
			 struct udptrack_snapshot *snap);
bool udptrack_table_collect(struct udptrack_table *table, u32 now_j,
			    unsigned int budget, unsigned long *cursor,
			    u32 *sleep_j);

unsigned int udptrack_table_count(const struct udptrack_table *table);
unsigned int udptrack_table_buckets(struct udptrack_table *table);

#endif
