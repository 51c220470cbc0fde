/* SPDX-License-Identifier: GPL-2.0-only */
/* A table under test and conversations to fill it with: see flows.c. */
#ifndef UDPTRACK_TESTS_FLOWS_H
#define UDPTRACK_TESTS_FLOWS_H

#include <linux/bits.h>
#include <linux/jiffies.h>
#include <kunit/test.h>

#include "../../src/started.h"
#include "../../src/table.h"

/* What the visits below ask for, unless the case says otherwise. */
#define FLOWS_TIMEOUT	(30 * HZ)
#define FLOWS_STREAM	(120 * HZ)
#define FLOWS_BYTES	100
/* No flow of the tests has been dead or will live for that long. */
#define FLOWS_AGES	BIT(24)

/**
 * struct flows - a table and how flows_send() visits it
 * @table:  the table under test
 * @stats:  its counters
 * @visit:  what flows_send() asks for; the case may change it
 * @result: what the last flows_send() got
 * @streams: packets that went the short way
 */
struct flows {
	struct udptrack_table table;
	struct udptrack_stats __percpu *stats;
	struct udptrack_visit visit;
	struct udptrack_result result;
	atomic_t streams;
};

struct flows *flows_new(struct kunit *test);

void flows_tuple(unsigned int n, struct udptrack_tuple *tuple);
void flows_self_tuple(unsigned int n, struct udptrack_tuple *tuple);
unsigned int flows_number(const struct udptrack_tuple *tuple);
unsigned int flows_key(unsigned int n, enum udptrack_dir dir,
		       struct udptrack_key *key);

void flows_nobody(const struct udptrack_visit *visit,
		  struct udptrack_owner *owner);
enum udptrack_outcome flows_visit(struct flows *f,
				  const struct udptrack_key *key,
				  const struct udptrack_visit *visit,
				  struct udptrack_result *result);
enum udptrack_outcome flows_send(struct flows *f, unsigned int n,
				 enum udptrack_dir dir, u32 now_j);
bool flows_peek(struct flows *f, unsigned int n, enum udptrack_dir dir,
		u32 now_j, enum udptrack_class *class);
bool flows_live(struct flows *f, unsigned int n, u32 now_j);
bool flows_erase(struct flows *f, unsigned int n, u32 now_j);
bool flows_get(struct flows *f, unsigned int n, u32 now_j,
	       struct udptrack_snapshot *snap);
unsigned int flows_listed(struct flows *f, u32 now_j);

unsigned int flows_stat_at(const struct flows *f, size_t offset);
#define FLOWS_STAT(f, name) \
	flows_stat_at(f, offsetof(struct udptrack_stats, name))

#endif
