// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats - reads the tracker's counters and shows them.
 *
 * Owns their names, which are those of /proc/net/stat/udptrack.
 */
#include <assert.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "counters.h"
#include "print.h"

/* Of a processor, in the order in which they are shown. */
static const struct counter_name {
	uint16_t type;
	const char *name;
} stats_names[] = {
	{ UDPTRACK_A_STATS_FOUND, "found" },
	{ UDPTRACK_A_STATS_NEW, "new" },
	{ UDPTRACK_A_STATS_EXPIRED, "expired" },
	{ UDPTRACK_A_STATS_EVICTED, "evicted" },
	{ UDPTRACK_A_STATS_FULL, "full" },
	{ UDPTRACK_A_STATS_ALLOC_FAILED, "alloc_failed" },
	{ UDPTRACK_A_STATS_INSERT_FAILED, "insert_failed" },
	{ UDPTRACK_A_STATS_CLASH, "clash" },
	{ UDPTRACK_A_STATS_TRUNCATED, "truncated" },
	{ UDPTRACK_A_STATS_MALFORMED, "malformed" },
	{ UDPTRACK_A_STATS_BAD_CHECKSUM, "bad_checksum" },
	{ UDPTRACK_A_STATS_FRAGMENT, "fragment" },
	{ UDPTRACK_A_STATS_EXEMPT, "exempt" },
	{ UDPTRACK_A_STATS_LOOPBACK, "loopback" },
	{ UDPTRACK_A_STATS_NO_LISTENER, "no_listener" },
	{ UDPTRACK_A_STATS_DELETED, "deleted" },
	{ 0, NULL }
}, total_names[] = {
	{ UDPTRACK_A_STATS_ENTRIES, "entries" },
	{ UDPTRACK_A_STATS_FLOWS_MAX, "max" },
	{ UDPTRACK_A_STATS_BUCKETS, "buckets" },
	{ UDPTRACK_A_STATS_EVENT_SEQ, "event_seq" },
	{ 0, NULL }
}, dns_names[] = {
	{ UDPTRACK_A_DNS_STATS_QUESTIONS, "questions" },
	{ UDPTRACK_A_DNS_STATS_REPEATED, "repeated" },
	{ UDPTRACK_A_DNS_STATS_ANSWERED, "answered" },
	{ UDPTRACK_A_DNS_STATS_AGAIN, "again" },
	{ UDPTRACK_A_DNS_STATS_TRUNCATED, "truncated" },
	{ UDPTRACK_A_DNS_STATS_FORGED, "forged" },
	{ UDPTRACK_A_DNS_STATS_UNANSWERED, "unanswered" },
	{ UDPTRACK_A_DNS_STATS_LATE, "late" },
	{ UDPTRACK_A_DNS_STATS_BLIND, "blind" },
	{ 0, NULL }
};

static int on_stats(const struct nlmsghdr *nlh, void *data)
{
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(struct genlmsghdr));
	struct counters *counters = data;
	unsigned int type;

	static_assert(UDPTRACK_A_STATS_MAX <= NL_ATTR_MAX, "room for all");
	for (type = 0; type <= UDPTRACK_A_STATS_MAX; type++)
		counters->stats[type] = nl_uint(attrs.at[type]);
	return MNL_CB_OK;
}

static int on_dns(const struct nlmsghdr *nlh, void *data)
{
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(struct genlmsghdr));
	const struct nlattr *took = attrs.at[UDPTRACK_A_DNS_STATS_TOOK];
	struct counters *counters = data;
	unsigned int type, n;

	for (type = 0; type < UDPTRACK_A_DNS_STATS_TOOK; type++)
		counters->dns[type] = nl_uint(attrs.at[type]);
	n = took ? mnl_attr_get_payload_len(took) / sizeof(*counters->took) : 0;
	if (n > COUNTERS_TOOK_MAX)
		n = COUNTERS_TOOK_MAX;
	if (n)
		memcpy(counters->took, mnl_attr_get_payload(took),
		       n * sizeof(*counters->took));
	counters->n_took = n;
	return MNL_CB_OK;
}

/**
 * counters_read_stats - read the counters of all processors together
 * @nl:       the way to the tracker
 * @counters: becomes them; those of DNS are left as they are
 *
 * Return: 0 or a negative errno; @nl->error then says what to tell the user.
 */
int counters_read_stats(struct nl *nl, struct counters *counters)
{
	char buf[NL_REQUEST_SIZE];

	return nl_talk(nl, nl_begin(nl, buf, UDPTRACK_CMD_STATS_GET, 0),
		       on_stats, counters);
}

/**
 * counters_read - read them, those of DNS as well
 * @nl:       the way to the tracker
 * @counters: becomes them
 *
 * Return: 0 or a negative errno; @nl->error then says what to tell the user.
 */
int counters_read(struct nl *nl, struct counters *counters)
{
	char buf[NL_REQUEST_SIZE];
	int err;

	memset(counters, 0, sizeof(*counters));
	err = counters_read_stats(nl, counters);
	if (err)
		return err;
	return nl_talk(nl, nl_begin(nl, buf, UDPTRACK_CMD_DNS_GET, 0), on_dns,
		       counters);
}

/**
 * stats_count - show how many flows there are
 * @nl:      the way to the tracker
 * @options: how
 *
 * Return: the program's status.
 */
int stats_count(struct nl *nl, const struct options *options)
{
	struct counters counters = { 0 };

	if (counters_read_stats(nl, &counters))
		return complain("%s", nl->error);
	if (options->print & PRINT_JSON)
		json_show(json_pack("{s:I}", "count",
				    (json_int_t)counters.stats[UDPTRACK_A_STATS_ENTRIES]));
	else
		printf("%llu\n", counters.stats[UDPTRACK_A_STATS_ENTRIES]);
	return STATUS_OK;
}

/* A counter, in an object, or where there is none, on a line of text. */
static void show(json_t *row, const char *name, unsigned long long n)
{
	if (row)
		json_object_set_new(row, name, json_integer(n));
	else
		printf(" %s=%llu", name, n);
}

static void show_all(json_t *row, const struct counter_name *names,
		     const unsigned long long *values)
{
	for (; names->name; names++)
		show(row, names->name, values[names->type]);
}

static void end(json_t *row)
{
	if (row)
		json_show(row);
	else
		putchar('\n');
}

static int on_cpu(const struct nlmsghdr *nlh, void *data)
{
	struct counters counters = { 0 };
	const bool *json = data;
	json_t *row = NULL;
	long long cpu;

	on_stats(nlh, &counters);
	cpu = counters.stats[UDPTRACK_A_STATS_CPU];
	if (*json)
		row = json_pack("{s:I}", "cpu", (json_int_t)cpu);
	else
		printf("cpu=%-4lld", cpu);
	show_all(row, stats_names, counters.stats);
	end(row);
	return MNL_CB_OK;
}

/* The columns of answer times that counted something. */
static void show_took(json_t *row, const struct counters *counters)
{
	char name[32];
	unsigned int i;

	for (i = 0; i < counters->n_took; i++) {
		snprintf(name, sizeof(name), i < counters->n_took - 1 ?
			 "lt_%lluus" : "longer", 1ULL << i);
		if (counters->took[i])
			show(row, name, counters->took[i]);
	}
}

/* Of what the row is about: the total, or DNS. */
static json_t *begin(bool json, const char *what)
{
	if (json)
		return json_pack("{s:b}", what, true);
	printf("%-8s", what);
	return NULL;
}

/**
 * stats_show - show the counters: a line a processor, one of totals, one of DNS
 * @nl:      the way to the tracker
 * @options: how
 *
 * Return: the program's status.
 */
int stats_show(struct nl *nl, const struct options *options)
{
	bool json = options->print & PRINT_JSON;
	char buf[NL_REQUEST_SIZE];
	struct counters counters;
	json_t *row;

	if (nl_talk(nl, nl_begin(nl, buf, UDPTRACK_CMD_STATS_GET, NLM_F_DUMP),
		    on_cpu, &json) || counters_read(nl, &counters))
		return complain("%s", nl->error);
	row = begin(json, "total");
	show_all(row, stats_names, counters.stats);
	show_all(row, total_names, counters.stats);
	end(row);
	row = begin(json, "dns");
	show_all(row, dns_names, counters.dns);
	show_took(row, &counters);
	end(row);
	return STATUS_OK;
}
