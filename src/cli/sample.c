// SPDX-License-Identifier: GPL-2.0-only
/*
 * sample - looks at the flows again and again, and finds how fast they are.
 *
 * Owns the flows of the last look, and of the one before what is needed to
 * compare. The kernel lists flows by id, so both are walked side by side.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sample.h"

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double not_negative(double x)
{
	return x > 0 ? x : 0;
}

/* What the flow had moved by the last look; 0 when it is new. */
static bool find_past(struct sample *sample, unsigned long long id, unsigned long long *bytes)
{
	while (sample->i_past < sample->n_past &&
	       sample->past[sample->i_past].id < id)
		sample->i_past++;
	if (sample->i_past == sample->n_past ||
	    sample->past[sample->i_past].id != id)
		return false;
	*bytes = sample->past[sample->i_past].bytes;
	return true;
}

static void measure(struct sample *sample, struct sample_flow *seen)
{
	const struct flow *flow = &seen->flow;
	unsigned long long before = 0;
	double span;

	seen->bytes = flow->traffic[FLOW_ORIGINAL].bytes +
		      flow->traffic[FLOW_REPLY].bytes;
	seen->age_s = flow->start_ns ?
		      not_negative(sample->now_s - flow->start_ns / 1e9) : 0;
	/* What was not seen before is measured since it began; a moment tells nothing. */
	if (find_past(sample, flow->id, &before))
		span = sample->span_s;
	else
		span = seen->age_s > 1 ? seen->age_s : 1;
	seen->rate = not_negative((double)seen->bytes - before) / span;
	sample->rate += seen->rate;
	if (flow->state == UDPTRACK_FLOW_STATE_NEW)
		sample->new++;
	else
		sample->established++;
}

static int on_flow(const struct nlmsghdr *nlh, void *data)
{
	struct sample *sample = data;
	struct sample_flow *bigger;
	size_t size;

	if (sample->n == sample->size) {
		size = sample->size ? 2 * sample->size : 256;
		bigger = realloc(sample->flows, size * sizeof(*bigger));
		if (!bigger) {
			sample->out_of_memory = true;
			return MNL_CB_OK;
		}
		sample->flows = bigger;
		sample->size = size;
	}
	if (!flow_parse(nlh, &sample->flows[sample->n].flow))
		return MNL_CB_OK;
	measure(sample, &sample->flows[sample->n]);
	sample->n++;
	return MNL_CB_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct sample_past *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* What was seen becomes the past. */
static void remember(struct sample *sample)
{
	size_t i;

	free(sample->past);
	sample->past = calloc(sample->n + 1, sizeof(*sample->past));
	sample->n_past = sample->past ? sample->n : 0;
	for (i = 0; i < sample->n_past; i++)
		sample->past[i] = (struct sample_past){
			.id = sample->flows[i].flow.id,
			.bytes = sample->flows[i].bytes,
		};
	if (sample->n_past)
		qsort(sample->past, sample->n_past, sizeof(*sample->past), by_id);
	sample->i_past = 0;
	sample->n = 0;
}

/**
 * sample_take - look at the flows
 * @sample: what was seen the last time; becomes what is seen now. All zero at
 *          first
 * @nl:     the way to the tracker
 * @filter: which flows
 *
 * Return: 0 or a negative errno; @nl->error then says what to tell the user.
 */
int sample_take(struct sample *sample, struct nl *nl,
		const struct filter *filter)
{
	double at_s = seconds(CLOCK_MONOTONIC);
	struct counters counters;
	char buf[NL_REQUEST_SIZE];
	struct nlmsghdr *nlh;
	int err;

	/* After a failure, what was seen stays. */
	err = counters_read(nl, &counters);
	if (err)
		return err;
	sample->before = sample->counters;
	sample->counters = counters;
	remember(sample);
	sample->span_s = sample->at_s ? at_s - sample->at_s : 0;
	sample->at_s = at_s;
	sample->now_s = seconds(CLOCK_REALTIME);
	sample->out_of_memory = false;
	sample->established = 0;
	sample->new = 0;
	sample->rate = 0;
	nlh = nl_begin(nl, buf, UDPTRACK_CMD_GET, NLM_F_DUMP);
	filter_put(nlh, filter);
	return nl_talk(nl, nlh, on_flow, sample);
}

static double key_of(const struct sample_flow *seen, enum sample_order order)
{
	switch (order) {
	case BY_BYTES:
		return seen->bytes;
	case BY_AGE:
		return seen->age_s;
	case BY_DNS:
		if (!seen->flow.has_dns)
			return -1;
		/* No answer is slower than any. */
		return seen->flow.dns.ok ? seen->flow.dns.rtt_us : HUGE_VAL;
	default:
		return seen->rate;
	}
}

/* qsort() has no argument to pass these in. */
static enum sample_order sort_order;
static int sort_sign;

static int compare(const void *a, const void *b)
{
	const struct sample_flow *x = a, *y = b;
	double kx = key_of(x, sort_order), ky = key_of(y, sort_order);

	if (kx != ky)
		return kx > ky ? -sort_sign : sort_sign;
	/* Flows that are alike keep their places. */
	return (x->flow.id > y->flow.id) - (x->flow.id < y->flow.id);
}

/**
 * sample_sort - order the flows, the largest first
 * @sample:  what was seen
 * @order:   by what
 * @reverse: the smallest first
 */
void sample_sort(struct sample *sample, enum sample_order order, bool reverse)
{
	sort_order = order;
	sort_sign = reverse ? -1 : 1;
	if (sample->n)
		qsort(sample->flows, sample->n, sizeof(*sample->flows), compare);
}

/**
 * sample_per_s - how often a counter counted
 * @sample:     what was seen
 * @stats_type: UDPTRACK_A_STATS_*
 *
 * Return: times a second since the look before; 0 at the first.
 */
double sample_per_s(const struct sample *sample, uint16_t stats_type)
{
	if (!sample->span_s)
		return 0;
	return not_negative((double)sample->counters.stats[stats_type] -
			    sample->before.stats[stats_type]) / sample->span_s;
}

/**
 * sample_free - free what sample_take() took
 * @sample: what was seen
 */
void sample_free(struct sample *sample)
{
	free(sample->flows);
	free(sample->past);
	memset(sample, 0, sizeof(*sample));
}
