// SPDX-License-Identifier: GPL-2.0-only
/*
 * text - shows flows and events as lines of text, as conntrack does, and as
 * /proc/net/udptrack does with -o extended.
 *
 * Owns the format, on which users' scripts rely: fields are only ever added.
 */
#include <stdio.h>

#include "print.h"

const char *const text_statuses[] = { "SEEN_REPLY", "ASSURED", "EXPECTED", NULL };
const char *const text_changes[] = { "established", "assured", "closed", NULL };

/**
 * text_state - name a state
 * @state: enum udptrack_flow_state
 *
 * Return: the name.
 */
const char *text_state(uint32_t state)
{
	return state == UDPTRACK_FLOW_STATE_NEW ? "NEW" : "ESTABLISHED";
}

/**
 * text_reason - name the reason of an end
 * @reason: enum udptrack_reason
 *
 * Return: the name.
 */
const char *text_reason(uint32_t reason)
{
	static const char *const names[] = { "timeout", "deleted", "evicted" };

	return reason < 3 ? names[reason] : "unknown";
}

/**
 * text_alert - name what is wrong with DNS
 * @alert: enum udptrack_alert
 *
 * Return: the name.
 */
const char *text_alert(uint32_t alert)
{
	static const char *const names[] = { "forged", "unanswered" };

	return alert < 2 ? names[alert] : "unknown";
}

static void show_time(unsigned int options, const struct timespec *now)
{
	if (options & PRINT_TIMESTAMP)
		printf("[%lld.%06ld]\t", (long long)now->tv_sec,
		       now->tv_nsec / 1000);
}

static void show_event(const struct flow *flow, uint8_t event)
{
	switch (event) {
	case UDPTRACK_CMD_NEW_EVENT:
		printf("    [NEW] ");
		break;
	case UDPTRACK_CMD_UPDATE_EVENT:
		printf(" [UPDATE] ");
		break;
	case UDPTRACK_CMD_DESTROY_EVENT:
		printf("[DESTROY] ");
		break;
	case UDPTRACK_CMD_DNS_EVENT:
		printf("[DNS %s] ", text_alert(flow->alert));
		break;
	}
}

static void show_direction(const struct flow *flow, enum flow_dir dir)
{
	const struct flow_tuple *tuple = &flow->tuple[dir];
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	printf(" src=%s dst=%s sport=%u dport=%u",
	       flow_addr_text(flow->family, &tuple->src, src),
	       flow_addr_text(flow->family, &tuple->dst, dst),
	       tuple->sport, tuple->dport);
	if (flow->has_traffic[dir])
		printf(" packets=%llu bytes=%llu",
		       flow->traffic[dir].packets, flow->traffic[dir].bytes);
}

static void show_ns(const char *name, unsigned long long ns)
{
	if (ns)
		printf(" %s=%llu.%09llu", name, ns / 1000000000,
		       ns % 1000000000);
}

/* What /proc/net/udptrack does not have stands before the owner. */
static void show_extras(const struct flow *flow, uint8_t event,
			unsigned int options)
{
	const char *sep = " change=";
	unsigned int bit;

	if (event == UDPTRACK_CMD_UPDATE_EVENT)
		for (bit = 0; text_changes[bit]; bit++)
			if (flow->change & 1U << bit) {
				printf("%s%s", sep, text_changes[bit]);
				sep = ",";
			}
	if (event == UDPTRACK_CMD_DESTROY_EVENT)
		printf(" reason=%s", text_reason(flow->reason));
	if (options & PRINT_TIMESTAMP) {
		show_ns("start", flow->start_ns);
		show_ns("stop", flow->stop_ns);
	}
	if (options & PRINT_ID)
		printf(" id=%llu", flow->id);
}

static void show_owner(const struct flow *flow)
{
	char comm[4 * FLOW_COMM_LEN + 1];

	if (flow->has_uid)
		printf(" uid=%u", flow->uid);
	if (flow->pid)
		printf(" pid=%u", flow->pid);
	if (flow->cgroup)
		printf(" cgroup=%llu", flow->cgroup);
	if (flow->has_dns)
		printf(" dns=out:%u,ok:%u,forged:%u,rtt_us:%u", flow->dns.out,
		       flow->dns.ok, flow->dns.forged, flow->dns.rtt_us);
	if (*flow->comm)
		printf(" comm=%s", flow_comm_text(flow, comm));
}

/**
 * text_flow - show a flow, or an event about one
 * @flow:    the flow
 * @event:   UDPTRACK_CMD_*_EVENT, or PRINT_FLOW
 * @options: enum print_option bits
 * @now:     when the event came
 */
void text_flow(const struct flow *flow, uint8_t event, unsigned int options,
	       const struct timespec *now)
{
	bool ipv4 = flow->family == AF_INET;

	if (event)
		show_time(options, now);
	show_event(flow, event);
	if (options & PRINT_EXTENDED)
		printf("%-8s %d ", ipv4 ? "ipv4" : "ipv6", ipv4 ? 2 : 10);
	printf("%-8s %d", "udp", IPPROTO_UDP);
	if (flow->has_timeout)
		printf(" %u", flow->timeout_sec);
	printf(" %s", text_state(flow->state));
	show_direction(flow, FLOW_ORIGINAL);
	if (!(flow->status & UDPTRACK_FLOW_STATUS_SEEN_REPLY))
		printf(" [UNREPLIED]");
	show_direction(flow, FLOW_REPLY);
	if (flow->status & UDPTRACK_FLOW_STATUS_ASSURED)
		printf(" [ASSURED]");
	show_extras(flow, event, options);
	show_owner(flow);
	putchar('\n');
}

/**
 * text_lost - show that events were lost
 * @lost:    how many
 * @options: enum print_option bits
 * @now:     when that was found
 */
void text_lost(unsigned long long lost, unsigned int options, const struct timespec *now)
{
	show_time(options, now);
	printf("   [LOST] %llu event%s\n", lost, lost == 1 ? "" : "s");
}
