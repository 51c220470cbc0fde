/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads on all CPUs that visit one table: see racers.c. */
#ifndef UDPTRACK_TESTS_RACERS_H
#define UDPTRACK_TESTS_RACERS_H

#include <linux/completion.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "flows.h"

/* However slow the machine, a race ends after so long. */
#define RACE_SEC	10
#define RACERS_MAX	12

struct racer;

/**
 * struct race - what the racers of a race share
 * @f:          the table and how to visit it; only the table changes
 * @keys:       conversations there are
 * @rounds:     of a racer that goes by rounds
 * @clock_j:    the time that the table is told
 * @deadline_j: jiffies at which everybody stops
 * @stop:       everybody stops
 * @go:         completed when everybody is there
 * @created:    flows made so far for each conversation
 * @fault:      the first thing that was wrong, or NULL
 */
struct race {
	struct flows *f;
	unsigned int keys;
	unsigned int rounds;
	atomic_t clock_j;
	unsigned long deadline_j;
	bool stop;
	struct completion go;
	atomic_t *created;
	const char *fault;
};

/**
 * struct racer - one thread of a race
 * @race:     the race
 * @run:      what it does
 * @task:     the thread
 * @index:    its number, from 0
 * @rnd:      its random numbers
 * @outcomes: how often each outcome was met
 * @erased:   flows that it erased
 * @laps:     times it got through whatever it does
 */
struct racer {
	struct race *race;
	void (*run)(struct racer *r);
	struct task_struct *task;
	unsigned int index;
	struct rnd_state rnd;
	unsigned int outcomes[UDPTRACK_REFUSED + 1];
	unsigned int erased;
	unsigned int laps;
};

struct race *race_new(struct kunit *test, unsigned int keys);
void race_run(struct kunit *test, struct race *race, struct racer *racers,
	      unsigned int n);
bool race_over(const struct race *race);
void race_fault(struct race *race, const char *what);

u32 racer_below(struct racer *r, u32 limit);
enum udptrack_outcome racer_send(struct racer *r, unsigned int n,
				 enum udptrack_dir dir);

void racer_send_rounds(struct racer *r);
void racer_send_random(struct racer *r);
void racer_send_ageing(struct racer *r);
void racer_peek(struct racer *r);
void racer_erase(struct racer *r);
void racer_flush(struct racer *r);
void racer_collect(struct racer *r);
void racer_list(struct racer *r);
void racer_started(struct racer *r);

#endif
