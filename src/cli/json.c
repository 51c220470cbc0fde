// SPDX-License-Identifier: GPL-2.0-only
/*
 * json - shows flows, events and all else as JSON, an object a line.
 *
 * Owns the format, on which users' scripts rely: keys are only ever added. It
 * is described in udptrack(8).
 */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "print.h"

/**
 * json_show - show an object on a line of its own
 * @object: the object, which is then gone; NULL when there was no memory for it
 */
void json_show(json_t *object)
{
	if (!object)
		exit(complain("out of memory"));
	/* So many digits have microseconds since 1970. */
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(16));
	putchar('\n');
	json_decref(object);
}

/**
 * json_text - make a string of any bytes
 * @text: the bytes; where they are not UTF-8, U+FFFD stands for each that is
 *        not ASCII
 *
 * Return: the string.
 */
json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char clean[3 * 1024 + 1], *to = clean;

	if (string)
		return string;
	for (; *text && to < clean + sizeof(clean) - 3; text++)
		to += sprintf(to, *text & 0x80 ? "\uFFFD" : "%c", *text);
	return json_string(clean);
}

/* What is not there has no key. */
static json_t *number(bool there, unsigned long long n)
{
	return there ? json_integer(n) : NULL;
}

/* A number of nanoseconds would be more than JSON's readers can hold. */
static json_t *seconds(unsigned long long ns)
{
	return ns ? json_real(ns / 1000 / 1e6) : NULL;
}

static json_t *time_of(const struct timespec *ts)
{
	return seconds(ts->tv_sec * 1000000000ULL + ts->tv_nsec);
}

static json_t *names_of(uint32_t bits, const char *const names[])
{
	json_t *list = json_array();

	for (; *names; names++, bits >>= 1)
		if (bits & 1)
			json_array_append_new(list, json_string(*names));
	return list;
}

static json_t *direction(const struct flow *flow, enum flow_dir dir)
{
	const struct flow_tuple *tuple = &flow->tuple[dir];
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	bool counted = flow->has_traffic[dir];

	return json_pack("{s:s, s:s, s:i, s:i, s:o*, s:o*, s:o*}",
			 "src", flow_addr_text(flow->family, &tuple->src, src),
			 "dst", flow_addr_text(flow->family, &tuple->dst, dst),
			 "sport", tuple->sport,
			 "dport", tuple->dport,
			 "scope", number(tuple->scope, tuple->scope),
			 "packets", number(counted, flow->traffic[dir].packets),
			 "bytes", number(counted, flow->traffic[dir].bytes));
}

static json_t *owner(const struct flow *flow)
{
	if (!flow->has_uid && !flow->pid && !flow->cgroup && !*flow->comm)
		return NULL;
	return json_pack("{s:o*, s:o*, s:o*, s:o*}",
			 "uid", number(flow->has_uid, flow->uid),
			 "pid", number(flow->pid, flow->pid),
			 "cgroup", number(flow->cgroup, flow->cgroup),
			 "comm", *flow->comm ? json_text(flow->comm) : NULL);
}

static json_t *dns(const struct flow *flow)
{
	if (!flow->has_dns)
		return NULL;
	return json_pack("{s:I, s:I, s:I, s:I, s:I}",
			 "out", (json_int_t)flow->dns.out,
			 "ok", (json_int_t)flow->dns.ok,
			 "forged", (json_int_t)flow->dns.forged,
			 "rtt_us", (json_int_t)flow->dns.rtt_us,
			 "unanswered", (json_int_t)flow->dns.unanswered);
}

/**
 * json_flow - show a flow, or an event about one
 * @flow:  the flow
 * @event: UDPTRACK_CMD_*_EVENT, or PRINT_FLOW
 * @now:   when the event came
 */
void json_flow(const struct flow *flow, uint8_t event, const struct timespec *now)
{
	static const char *const events[] = {
		[UDPTRACK_CMD_NEW_EVENT] = "new",
		[UDPTRACK_CMD_UPDATE_EVENT] = "update",
		[UDPTRACK_CMD_DESTROY_EVENT] = "destroy",
		[UDPTRACK_CMD_DNS_EVENT] = "dns",
	};
	bool update = event == UDPTRACK_CMD_UPDATE_EVENT;
	bool destroy = event == UDPTRACK_CMD_DESTROY_EVENT;
	bool alert = event == UDPTRACK_CMD_DNS_EVENT;

	json_show(json_pack("{ss*,so*,ss*,ss*,so*,so,ss,ss,ss,so,so*,so,so,so*,so*,so*,so*,so*}",
			    "event", events[event],
			    "change", update ? names_of(flow->change, text_changes) : NULL,
			    "reason", destroy ? text_reason(flow->reason) : NULL,
			    "alert", alert ? text_alert(flow->alert) : NULL,
			    "seq", number(event, flow->seq),
			    "id", json_integer(flow->id),
			    "family", flow->family == AF_INET ? "ipv4" : "ipv6",
			    "proto", "udp",
			    "state", text_state(flow->state),
			    "status", names_of(flow->status, text_statuses),
			    "timeout", number(flow->has_timeout, flow->timeout_sec),
			    "orig", direction(flow, FLOW_ORIGINAL),
			    "reply", direction(flow, FLOW_REPLY),
			    "start", seconds(flow->start_ns),
			    "stop", seconds(flow->stop_ns),
			    "owner", owner(flow),
			    "dns", dns(flow),
			    "time", event ? time_of(now) : NULL));
}

/**
 * json_lost - show that events were lost
 * @lost: how many
 * @now:  when that was found
 */
void json_lost(unsigned long long lost, const struct timespec *now)
{
	json_show(json_pack("{s:s, s:I, s:o}", "event", "lost", "count",
			    (json_int_t)lost, "time", time_of(now)));
}
