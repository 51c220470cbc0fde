// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter - which flows somebody means.
 *
 * Owns nothing: pure functions from a filter and the copy of a flow to yes or
 * no, so that a table of cases can be the test. Any context, also under the
 * lock of the flow.
 */
#include <linux/inetdevice.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <kunit/visibility.h>

#include "../include/uapi/linux/udptrack.h"
#include "filter.h"

/**
 * udptrack_filter_state - the state of a flow, as users know it
 * @flow: a copy of it
 *
 * Context: any; pure.
 * Return: enum udptrack_flow_state.
 */
u32 udptrack_filter_state(const struct udptrack_snapshot *flow)
{
	return flow->state.flags & UDPTRACK_SEEN_REPLY ?
	       UDPTRACK_FLOW_STATE_ESTABLISHED : UDPTRACK_FLOW_STATE_NEW;
}

/**
 * udptrack_filter_status - the flags of a flow, as users know them
 * @flow: a copy of it
 *
 * Context: any; pure.
 * Return: enum udptrack_flow_status bits.
 */
u32 udptrack_filter_status(const struct udptrack_snapshot *flow)
{
	u32 status = 0;

	if (flow->state.flags & UDPTRACK_SEEN_REPLY)
		status |= UDPTRACK_FLOW_STATUS_SEEN_REPLY;
	if (flow->state.flags & UDPTRACK_ASSURED)
		status |= UDPTRACK_FLOW_STATUS_ASSURED;
	if (flow->state.flags & UDPTRACK_EXPECTED)
		status |= UDPTRACK_FLOW_STATUS_EXPECTED;
	return status;
}

static u32 dns_trouble(const struct udptrack_snapshot *flow)
{
	u32 trouble = 0;

	if (!flow->is_dns)
		return 0;
	if (flow->dns.forged)
		trouble |= UDPTRACK_DNS_TROUBLE_FORGED;
	if (flow->dns.out || flow->dns.unanswered)
		trouble |= UDPTRACK_DNS_TROUBLE_UNANSWERED;
	return trouble;
}

static bool net_has(const struct udptrack_filter_net *net,
		    const union nf_inet_addr *addr, u8 family)
{
	if (!net->family)
		return true;
	if (net->family != family)
		return false;
	if (family == NFPROTO_IPV6)
		return ipv6_prefix_equal(&net->addr.in6, &addr->in6, net->bits);
	return !((net->addr.ip ^ addr->ip) & inet_make_mask(net->bits));
}

static bool means_ends(const struct udptrack_filter *filter,
		       const struct udptrack_tuple *tuple)
{
	return net_has(&filter->src, &tuple->src, tuple->family) &&
	       net_has(&filter->dst, &tuple->dst, tuple->family) &&
	       net_has(&filter->reply_src, &tuple->dst, tuple->family) &&
	       net_has(&filter->reply_dst, &tuple->src, tuple->family);
}

/**
 * udptrack_filter_means - is this flow meant?
 * @filter: what it must be like
 * @flow:   a copy of it
 *
 * Of an owner's command only who sees the process may speak.
 *
 * Context: any; pure.
 * Return: true when all holds.
 */
bool udptrack_filter_means(const struct udptrack_filter *filter,
			   const struct udptrack_snapshot *flow)
{
	const struct udptrack_tuple *tuple = &flow->tuple;
	unsigned int given = filter->given;

	if (!means_ends(filter, tuple))
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_FAMILY) &&
	    filter->family != tuple->family)
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_SRC_PORT) &&
	    filter->sport != tuple->sport)
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_DST_PORT) &&
	    filter->dport != tuple->dport)
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_STATE) &&
	    filter->state != udptrack_filter_state(flow))
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_STATUS) &&
	    filter->status & ~udptrack_filter_status(flow))
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_UID) &&
	    (!flow->has_uid || !uid_eq(filter->uid, flow->uid)))
		return false;
	if (given & BIT(UDPTRACK_A_FILTER_COMM) &&
	    (!flow->pid ||
	     strncmp(filter->comm, flow->comm, sizeof(flow->comm))))
		return false;
	return !(given & BIT(UDPTRACK_A_FILTER_DNS_TROUBLE)) ||
	       filter->dns_trouble & dns_trouble(flow);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_filter_means);
