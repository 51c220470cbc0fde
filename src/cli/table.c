// SPDX-License-Identifier: GPL-2.0-only
/*
 * table - lists flows, shows one, deletes some or all of them.
 *
 * Owns nothing; the kernel filters.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>

#include "../version.h"
#include "commands.h"
#include "print.h"

struct listing {
	unsigned int print;
	unsigned long shown;
};

static int on_flow(const struct nlmsghdr *nlh, void *data)
{
	struct listing *listing = data;
	struct flow flow;

	if (!flow_parse(nlh, &flow))
		return MNL_CB_OK;
	listing->shown++;
	if (listing->print & PRINT_JSON)
		json_flow(&flow, PRINT_FLOW, NULL);
	else
		text_flow(&flow, PRINT_FLOW, listing->print, NULL);
	return MNL_CB_OK;
}

static int on_deleted(const struct nlmsghdr *nlh, void *data)
{
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(struct genlmsghdr));
	unsigned long *deleted = data;

	*deleted = nl_uint(attrs.at[UDPTRACK_A_FLOW_DELETED]);
	return MNL_CB_OK;
}

/* As conntrack ends: on standard error, so that scripts see flows only. */
static void say_how_many(unsigned long n, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "udptrack v%s: %lu flow entries have been %s.\n",
		UDPTRACK_VERSION, n, what);
}

/**
 * table_list - list flows, the oldest first
 * @nl:      the way to the tracker
 * @options: which, and how
 *
 * Return: the program's status.
 */
int table_list(struct nl *nl, const struct options *options)
{
	struct listing listing = { .print = options->print };
	char buf[NL_REQUEST_SIZE];
	struct nlmsghdr *nlh;

	nlh = nl_begin(nl, buf, UDPTRACK_CMD_GET, NLM_F_DUMP);
	filter_put(nlh, &options->filter);
	if (nl_talk(nl, nlh, on_flow, &listing))
		return complain("%s", nl->error);
	say_how_many(listing.shown, "shown");
	return STATUS_OK;
}

/**
 * table_get - show the flow between two endpoints, whichever began it
 * @nl:      the way to the tracker
 * @options: the endpoints, and how
 *
 * Return: the program's status; STATUS_FAILED also when there is none.
 */
int table_get(struct nl *nl, const struct options *options)
{
	const struct filter *filter = &options->filter;
	struct flow_tuple tuple = {
		.src = filter->addr[FILTER_SRC].addr,
		.dst = filter->addr[FILTER_DST].addr,
		.sport = filter->sport,
		.dport = filter->dport,
		.scope = filter->scope,
	};
	struct listing listing = { .print = options->print };
	char buf[NL_REQUEST_SIZE];
	struct nlmsghdr *nlh;
	int err;

	/* The kernel finds it by either direction. */
	nlh = nl_begin(nl, buf, UDPTRACK_CMD_GET, 0);
	flow_put_tuple(nlh, UDPTRACK_A_FLOW_TUPLE_ORIG, filter->family, &tuple);
	err = nl_talk(nl, nlh, on_flow, &listing);
	if (err && err != -ENOENT)
		return complain("%s", nl->error);
	if (!listing.shown)
		return complain("there is no such flow");
	say_how_many(listing.shown, "shown");
	return STATUS_OK;
}

static int remove_flows(struct nl *nl, struct nlmsghdr *nlh, unsigned int print)
{
	unsigned long deleted = 0;

	if (nl_talk(nl, nlh, on_deleted, &deleted))
		return complain("%s", nl->error);
	if (print & PRINT_JSON)
		json_show(json_pack("{s:I}", "deleted", (json_int_t)deleted));
	say_how_many(deleted, "deleted");
	return STATUS_OK;
}

/**
 * table_delete - delete the flows that the filter means
 * @nl:      the way to the tracker
 * @options: which
 *
 * Return: the program's status; STATUS_OK also when there was none.
 */
int table_delete(struct nl *nl, const struct options *options)
{
	char buf[NL_REQUEST_SIZE];
	struct nlmsghdr *nlh;

	nlh = nl_begin(nl, buf, UDPTRACK_CMD_DELETE, 0);
	filter_put(nlh, &options->filter);
	return remove_flows(nl, nlh, options->print);
}

/**
 * table_flush - delete all flows
 * @nl:      the way to the tracker
 * @options: how to say it
 *
 * Return: the program's status.
 */
int table_flush(struct nl *nl, const struct options *options)
{
	char buf[NL_REQUEST_SIZE];

	return remove_flows(nl, nl_begin(nl, buf, UDPTRACK_CMD_FLUSH, 0),
			    options->print);
}
