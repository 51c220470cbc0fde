/* SPDX-License-Identifier: GPL-2.0-only */
/* What a table should do, written to be obviously right: see model.c. */
#ifndef UDPTRACK_TESTS_MODEL_H
#define UDPTRACK_TESTS_MODEL_H

#include "../../src/table.h"

#define MODEL_MAX	256

/**
 * struct model_flow - a flow of the model
 * @used:    there is one here
 * @tuple:   of its first packet
 * @id:      as the table numbered it
 * @opened:  time of its first packet
 * @expires: time from which on it is dead
 * @replied: the other end has spoken
 * @assured: ... for longer than 2 s
 * @acct:    its traffic is counted
 * @traffic: by enum udptrack_dir
 */
struct model_flow {
	bool used;
	struct udptrack_tuple tuple;
	unsigned long id;
	u64 opened;
	u64 expires;
	bool replied;
	bool assured;
	bool acct;
	struct udptrack_counter traffic[2];
};

/**
 * struct model - a table's worth of flows
 * @flow: them, in no order
 * @now:  the time; of it, the table under test sees the low 32 bits
 */
struct model {
	struct model_flow flow[MODEL_MAX];
	u64 now;
};

/**
 * struct model_visit - what a packet should come to
 * @outcome: what became of it
 * @class:   what it was, when a flow was found or made
 * @events:  likewise
 * @evicts:  room must have been made for it, see model_is_victim()
 */
struct model_visit {
	enum udptrack_outcome outcome;
	enum udptrack_class class;
	u8 events;
	bool evicts;
};

unsigned int model_count(const struct model *m);
bool model_dead(const struct model *m, const struct model_flow *flow);
struct model_flow *model_find(struct model *m,
			      const struct udptrack_tuple *tuple,
			      enum udptrack_dir *dir);
struct model_flow *model_from(struct model *m, unsigned long id);
bool model_peek(struct model *m, const struct udptrack_tuple *tuple,
		enum udptrack_class *class);
void model_track(struct model *m, const struct udptrack_tuple *tuple,
		 const struct udptrack_visit *visit,
		 struct model_visit *want);
bool model_is_victim(const struct model *m, const struct model_flow *flow);
struct model_flow *model_open(struct model *m,
			      const struct udptrack_tuple *tuple,
			      const struct udptrack_visit *visit,
			      unsigned long id);
bool model_erase(struct model *m, const struct udptrack_tuple *tuple);
void model_flush(struct model *m);

#endif
