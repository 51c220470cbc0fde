/* SPDX-License-Identifier: GPL-2.0-only */
/* What the threads of a torture share: see torture.c, talks.c and roles.c. */
#ifndef UDPTRACK_TESTS_TORTURE_H
#define UDPTRACK_TESTS_TORTURE_H

#include <linux/bits.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "../../src/started.h"
#include "../../src/table.h"

/* Conversations that everybody refreshes. They stay for the whole scene. */
#define HOT		4
/* Then those that one thread each refreshes. They stay, too. */
#define STEADY		48
#define STAYING		(HOT + STEADY)
/* They do not expire, however long their threads are held up, nor do bursts. */
#define AGES_J		BIT(24)
/* Threads, at most. */
#define WORKERS_MAX	128

/**
 * enum torture_scene - what there is to see
 * @GROWTH: thousands come and go while some stay
 * @SMALL:  a table that is far too small
 * @FEW:    very few flows, which die all the time
 * @SCENES: how many there are
 */
enum torture_scene {
	GROWTH,
	SMALL,
	FEW,
	SCENES,
};

/**
 * struct torture_rules - how a scene is
 * @name:  its name
 * @first: the lowest conversation that comes and goes; those below stay
 * @keys:  how many come and go
 * @max:   flows in the table
 * @lifetime_j: of those that come and go, in jiffies that pass as in step_pass()
 */
struct torture_rules {
	const char *name;
	unsigned int first;
	unsigned int keys;
	unsigned int max;
	unsigned int lifetime_j;
};

/**
 * struct torture - what all threads share
 * @table:   the table
 * @stats:   its counters
 * @rules:   how the scene is
 * @scene:   which it is
 * @numbers: conversations there can be
 * @burst:   of these, the last ones, which come and go by the thousand
 * @clock_j: the time that the table is told
 * @streams: packets that went the short way
 * @stop:    everybody stops
 * @staying_id:   the flows that stay
 * @staying_sent: their packets: of a steady one, by its only sender
 * @floor_j: one expires then, or later
 * @buckets_min: the smallest table seen
 * @buckets_max: the largest one
 * @growths: how often it had grown and was small again
 * @is_quiet: nobody sends any more
 * @is_faulty: something was wrong, and @fault says what was first
 * @fault:   see there
 */
struct torture {
	struct udptrack_table table;
	struct udptrack_stats __percpu *stats;
	const struct torture_rules *rules;
	enum torture_scene scene;
	unsigned int numbers;
	unsigned int burst;
	atomic_t clock_j;
	atomic_t streams;
	bool stop;
	unsigned long staying_id[STAYING];
	u64 staying_sent[STAYING];
	u32 floor_j[STAYING];
	unsigned int buckets_min;
	unsigned int buckets_max;
	unsigned int growths;
	bool is_quiet;
	bool is_faulty;
	char fault[160];
};

struct worker;

/**
 * struct role - what some threads do
 * @name:    its name
 * @step:    done again and again
 * @per_cpu: threads for each CPU; 0 for one in all
 * @scenes:  BIT() of each scene in which there are any
 */
struct role {
	const char *name;
	void (*step)(struct worker *w);
	unsigned int per_cpu;
	unsigned int scenes;
};

/**
 * struct worker - a thread
 * @task:   the thread
 * @role:   what it does
 * @rnd:    its random numbers
 * @index:  its number among those of its role
 * @peers:  threads of its role
 * @steps:  how often it did it
 * @sent:   packets of each hot conversation that it sent
 * @seen:   the id under which it listed each conversation, by the latter
 * @made:   conversations of its burst that it went through
 * @cursor: of a collection
 */
struct worker {
	struct task_struct *task;
	const struct role *role;
	struct rnd_state rnd;
	unsigned int index;
	unsigned int peers;
	unsigned long steps;
	u64 sent[HOT];
	unsigned long *seen;
	unsigned int made;
	unsigned long cursor;
};

extern struct torture torture;
extern const struct role torture_roles[];
extern const unsigned int torture_role_count;

__printf(1, 2) void torture_fault(const char *fmt, ...);
u32 torture_now_j(void);

unsigned int talk_number(const struct udptrack_tuple *tuple);
unsigned int talk_key(unsigned int n, bool from_low, struct udptrack_key *key);
enum udptrack_outcome talk_send(unsigned int n, bool from_low, u32 time_j,
				struct udptrack_result *result);
enum udptrack_outcome talk_send_late(unsigned int n, bool from_low, u32 time_j,
				     u32 late_j,
				     struct udptrack_result *result);
unsigned int talk_check(const struct udptrack_snapshot *snap, unsigned int n,
			const char *who);

#endif
