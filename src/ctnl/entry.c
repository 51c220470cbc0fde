// SPDX-License-Identifier: GPL-2.0-only
/*
 * entry - a flow as ctnetlink writes it, so that tools know it.
 *
 * Owns the order and the shape of the attributes, which are those of
 * nf_conntrack_netlink: an entry of a listing has a mark of 0 and a use of 1,
 * which every line of conntrack ends in, and an event has them not. Pure, but
 * for the clock. What conntrack cannot say (owner, DNS) is left out.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>

#include "../events.h"
#include "../netns.h"
#include "entry.h"

/**
 * udptrack_ctnl_status - the status bits of a flow
 * @flow: the flow
 *
 * Context: any.
 * Return: IPS_* bits.
 */
u32 udptrack_ctnl_status(const struct udptrack_snapshot *flow)
{
	u32 status = IPS_CONFIRMED;

	if (flow->state.flags & UDPTRACK_SEEN_REPLY)
		status |= IPS_SEEN_REPLY;
	if (flow->state.flags & UDPTRACK_ASSURED)
		status |= IPS_ASSURED;
	if (flow->state.flags & UDPTRACK_EXPECTED)
		status |= IPS_EXPECTED;
	return status;
}

/**
 * udptrack_ctnl_id - the number of a flow, in the 32 bits that there are
 * @flow: the flow
 *
 * Context: any.
 * Return: the number; another flow has the same after 2^32 others at the
 * earliest.
 */
u32 udptrack_ctnl_id(const struct udptrack_snapshot *flow)
{
	return lower_32_bits(flow->id);
}

static int put_ip(struct sk_buff *skb, const struct udptrack_tuple *tuple,
		  enum udptrack_dir dir)
{
	const union nf_inet_addr *src = dir ? &tuple->dst : &tuple->src;
	const union nf_inet_addr *dst = dir ? &tuple->src : &tuple->dst;
	struct nlattr *nest = nla_nest_start(skb, CTA_TUPLE_IP);
	int err;

	if (!nest)
		return -EMSGSIZE;
	if (tuple->family == NFPROTO_IPV4)
		err = nla_put_in_addr(skb, CTA_IP_V4_SRC, src->ip) ?:
		      nla_put_in_addr(skb, CTA_IP_V4_DST, dst->ip);
	else
		err = nla_put_in6_addr(skb, CTA_IP_V6_SRC, &src->in6) ?:
		      nla_put_in6_addr(skb, CTA_IP_V6_DST, &dst->in6);
	nla_nest_end(skb, nest);
	return err;
}

static int put_proto(struct sk_buff *skb, const struct udptrack_tuple *tuple,
		     enum udptrack_dir dir)
{
	struct nlattr *nest = nla_nest_start(skb, CTA_TUPLE_PROTO);

	if (!nest ||
	    nla_put_u8(skb, CTA_PROTO_NUM, IPPROTO_UDP) ||
	    nla_put_be16(skb, CTA_PROTO_SRC_PORT,
			 dir ? tuple->dport : tuple->sport) ||
	    nla_put_be16(skb, CTA_PROTO_DST_PORT,
			 dir ? tuple->sport : tuple->dport))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_tuple(struct sk_buff *skb, const struct udptrack_snapshot *flow,
		     enum udptrack_dir dir)
{
	struct nlattr *nest = nla_nest_start(skb, dir ? CTA_TUPLE_REPLY
						      : CTA_TUPLE_ORIG);

	if (!nest || put_ip(skb, &flow->tuple, dir) ||
	    put_proto(skb, &flow->tuple, dir))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_traffic(struct sk_buff *skb,
		       const struct udptrack_snapshot *flow,
		       enum udptrack_dir dir)
{
	const struct udptrack_counter *traffic = &flow->traffic[dir];
	struct nlattr *nest;

	if (!flow->acct)
		return 0;
	nest = nla_nest_start(skb, dir ? CTA_COUNTERS_REPLY
				       : CTA_COUNTERS_ORIG);
	if (!nest ||
	    nla_put_be64(skb, CTA_COUNTERS_PACKETS,
			 cpu_to_be64(traffic->packets), CTA_COUNTERS_PAD) ||
	    nla_put_be64(skb, CTA_COUNTERS_BYTES, cpu_to_be64(traffic->bytes),
			 CTA_COUNTERS_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @stop_ns is 0 for a flow that is still there. */
static int put_timestamp(struct sk_buff *skb,
			 const struct udptrack_snapshot *flow, u64 stop_ns)
{
	struct nlattr *nest = nla_nest_start(skb, CTA_TIMESTAMP);

	if (!nest ||
	    nla_put_be64(skb, CTA_TIMESTAMP_START, cpu_to_be64(flow->start_ns),
			 CTA_TIMESTAMP_PAD) ||
	    (stop_ns &&
	     nla_put_be64(skb, CTA_TIMESTAMP_STOP, cpu_to_be64(stop_ns),
			  CTA_TIMESTAMP_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_extra(struct sk_buff *skb, const struct udptrack_snapshot *flow,
		     u64 stop_ns)
{
	return put_traffic(skb, flow, UDPTRACK_ORIGINAL) ?:
	       put_traffic(skb, flow, UDPTRACK_REPLY) ?:
	       put_timestamp(skb, flow, stop_ns);
}

/* Begin a message about a flow. */
static struct nlmsghdr *put_head(struct sk_buff *skb,
				 const struct udptrack_ctnl_head *head,
				 const struct udptrack_snapshot *flow)
{
	struct nlmsghdr *nlh;

	nlh = nfnl_msg_put(skb, head->portid, head->seq,
			   nfnl_msg_type(NFNL_SUBSYS_CTNETLINK, head->type),
			   head->flags, flow->tuple.family, NFNETLINK_V0, 0);
	if (!nlh)
		return NULL;
	if (put_tuple(skb, flow, UDPTRACK_ORIGINAL) ||
	    put_tuple(skb, flow, UDPTRACK_REPLY)) {
		nlmsg_cancel(skb, nlh);
		return NULL;
	}
	return nlh;
}

/**
 * udptrack_ctnl_entry_size - what a message about a flow takes at most
 *
 * Context: any.
 * Return: bytes, without the header of netlink.
 */
size_t udptrack_ctnl_entry_size(void)
{
	const size_t u64_size = nla_total_size_64bit(sizeof(u64));
	const size_t tuple = 3 * nla_total_size(0) +	/* itself, IP, PROTO */
			     2 * nla_total_size(sizeof(struct in6_addr)) +
			     nla_total_size(sizeof(u8)) +
			     2 * nla_total_size(sizeof(u16));

	return NLMSG_ALIGN(sizeof(struct nfgenmsg)) + 2 * tuple +
	       5 * nla_total_size(sizeof(u32)) +	/* all of an entry */
	       2 * (nla_total_size(0) + 2 * u64_size) +	/* counters */
	       nla_total_size(0) + 2 * u64_size;	/* timestamps */
}

/**
 * udptrack_ctnl_put_entry - write a flow that is asked for
 * @skb:  where to
 * @head: the head of the message
 * @flow: the flow
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE, and then nothing was written.
 */
int udptrack_ctnl_put_entry(struct sk_buff *skb,
			    const struct udptrack_ctnl_head *head,
			    const struct udptrack_snapshot *flow)
{
	u32 left_sec = udptrack_state_seconds_left(&flow->state, jiffies);
	struct nlmsghdr *nlh = put_head(skb, head, flow);

	if (!nlh)
		return -EMSGSIZE;
	if (nla_put_be32(skb, CTA_STATUS, htonl(udptrack_ctnl_status(flow))) ||
	    nla_put_be32(skb, CTA_MARK, 0) ||
	    nla_put_be32(skb, CTA_ID, htonl(udptrack_ctnl_id(flow))) ||
	    nla_put_be32(skb, CTA_USE, htonl(1)) ||
	    nla_put_be32(skb, CTA_TIMEOUT, htonl(left_sec)) ||
	    put_extra(skb, flow, 0)) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}

/**
 * udptrack_ctnl_put_event - write what happened to a flow
 * @skb:   where to, with room for udptrack_ctnl_entry_size()
 * @head:  the head of the message
 * @event: what happened
 *
 * At its end a flow is dying, has counters and timestamps, and a timeout only
 * if it had not expired. Before, it has a timeout and none of these.
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int udptrack_ctnl_put_event(struct sk_buff *skb,
			    const struct udptrack_ctnl_head *head,
			    const struct udptrack_event *event)
{
	const struct udptrack_snapshot *flow = event->flow;
	struct nlmsghdr *nlh = put_head(skb, head, flow);
	bool is_end = event->kind == UDPTRACK_EVENT_END;
	u32 status = udptrack_ctnl_status(flow);
	u32 left_sec = udptrack_state_seconds_left(&flow->state, jiffies);

	if (!nlh)
		return -EMSGSIZE;
	if (is_end)
		status |= IPS_DYING;
	if (nla_put_be32(skb, CTA_ID, htonl(udptrack_ctnl_id(flow))) ||
	    nla_put_be32(skb, CTA_STATUS, htonl(status)) ||
	    ((left_sec || !is_end) &&
	     nla_put_be32(skb, CTA_TIMEOUT, htonl(left_sec))) ||
	    (is_end && put_extra(skb, flow, event->stop_ns))) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}
