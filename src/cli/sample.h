/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows of a moment, and how fast they are: see sample.c. */
#ifndef UDPTRACK_CLI_SAMPLE_H
#define UDPTRACK_CLI_SAMPLE_H

#include <stddef.h>

#include "counters.h"
#include "filter.h"

enum sample_order {
	BY_RATE, BY_BYTES, BY_AGE, BY_DNS, SAMPLE_ORDERS
};

/**
 * struct sample_flow - a flow that was seen
 * @flow:  the flow
 * @bytes: of both directions, since it began
 * @rate:  bytes a second, since the last look or, of a new one, since it began
 * @age_s: seconds since it began
 */
struct sample_flow {
	struct flow flow;
	unsigned long long bytes;
	double rate;
	double age_s;
};

/* What must be known of a flow at the next look. */
struct sample_past {
	unsigned long long id, bytes;
};

/**
 * struct sample - what was seen at a look
 * @flows:       the flows; ordered by sample_sort()
 * @n:           how many
 * @size:        for how many there is room
 * @past:        the flows of the look before, by id
 * @n_past:      how many
 * @i_past:      the first that may be among those to come
 * @at_s:        when the look was, in seconds of a clock that only goes on
 * @now_s:       when it was, in seconds since 1970
 * @span_s:      time since the look before; 0 at the first
 * @counters:    the tracker's
 * @before:      those of the look before
 * @established: flows in that state
 * @new:         flows in that state
 * @rate:        bytes a second of all flows
 * @out_of_memory: not all flows could be kept
 */
struct sample {
	struct sample_flow *flows;
	size_t n, size;
	struct sample_past *past;
	size_t n_past, i_past;
	double at_s, now_s, span_s;
	struct counters counters, before;
	size_t established, new;
	double rate;
	bool out_of_memory;
};

int sample_take(struct sample *sample, struct nl *nl,
		const struct filter *filter);
void sample_sort(struct sample *sample, enum sample_order order, bool reverse);
void sample_free(struct sample *sample);
double sample_per_s(const struct sample *sample, uint16_t stats_type);

#endif
