// SPDX-License-Identifier: GPL-2.0-only
/*
 * order - the words in which the guest's script says what to measure:
 * "tracker=ut dir=out flows=1000 count=100000 seed=1".
 *
 * Owns nothing.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "order.h"

/* No measurement is longer than this, nor has more flows. */
#define COUNT_MAX	100000000
#define FLOWS_MAX	32000000

static const char * const trackers[] = {
	[BENCH_NONE] = "none",
	[BENCH_CONNTRACK] = "ct",
	[BENCH_UDPTRACK] = "ut",
	[BENCH_RHASHTABLE] = "rht",
	[BENCH_LRU_MAP] = "lru",
};

static const char * const dirs[] = {
	[BENCH_OUT] = "out",
	[BENCH_IN] = "in",
	[BENCH_PAIR] = "pair",
};

#define NUMBER(field, least, most)					\
	{ #field, offsetof(struct bench_order, field), least, most }

static const struct number {
	const char *name;
	size_t offset;
	unsigned int min;
	unsigned int max;
} numbers[] = {
	NUMBER(family, 4, 6),
	NUMBER(tcp, 0, 1),
	NUMBER(dns, 0, 1),
	NUMBER(first, 0, FLOWS_MAX),
	NUMBER(flows, 1, FLOWS_MAX),
	NUMBER(count, 1, COUNT_MAX),
	NUMBER(seed, 0, U32_MAX),
	NUMBER(lport, 1, U16_MAX),
	NUMBER(rport, 1, U16_MAX),
	NUMBER(each, 0, 1),
	NUMBER(threads, 0, 64),
	NUMBER(spin_ms, 0, 10000),
	NUMBER(nap_ms, 0, 10000),
	NUMBER(conntrack, 0, 2),
	NUMBER(fd, 0, 65535),
};

static int parse_word(const char *name, const char *value,
		      struct bench_order *order)
{
	unsigned int n;
	int i;

	if (!strcmp(name, "tracker")) {
		i = match_string(trackers, ARRAY_SIZE(trackers), value);
		order->tracker = i;
		return i < 0 ? i : 0;
	}
	if (!strcmp(name, "dir")) {
		i = match_string(dirs, ARRAY_SIZE(dirs), value);
		order->dir = i;
		return i < 0 ? i : 0;
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name))
			continue;
		if (kstrtouint(value, 0, &n) || n < numbers[i].min ||
		    n > numbers[i].max)
			return -ERANGE;
		*(unsigned int *)((void *)order + numbers[i].offset) = n;
		return 0;
	}
	return -EINVAL;
}

/**
 * bench_order_parse - read an order
 * @text:  NAME=VALUE words; written to
 * @order: filled in
 *
 * Context: process.
 * Return: 0, -EINVAL for an unknown word, -ERANGE for a bad number; a line in
 * the log says which.
 */
int bench_order_parse(char *text, struct bench_order *order)
{
	char *word, *value;
	int err;

	*order = (struct bench_order) {
		.family = 4,
		.flows = 1,
		.count = 1,
		.lport = 20000,
		.rport = 4500,
		.fd = -1,
	};
	while ((word = strsep(&text, "\n\t "))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		err = parse_word(word, value, order);
		if (err) {
			pr_err("udptrack_bench: bad order %s=%s\n", word, value);
			return err;
		}
	}
	return order->family == 5 ? -ERANGE : 0;
}
