// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlflow - a flow as netlink attributes.
 *
 * Owns their order and number, which is that of the specification. Reads the
 * copy of a flow, writes into a message; any context.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/user_namespace.h>

#include "netlink.h"

static bool put_ip(struct sk_buff *skb, const union nf_inet_addr *src,
		   const union nf_inet_addr *dst, u8 family)
{
	struct nlattr *nest = nla_nest_start(skb, UDPTRACK_A_TUPLE_IP);

	if (!nest)
		return false;
	if (family == NFPROTO_IPV4 ?
	    nla_put_in_addr(skb, UDPTRACK_A_TUPLE_IP_V4_SRC, src->ip) ||
	    nla_put_in_addr(skb, UDPTRACK_A_TUPLE_IP_V4_DST, dst->ip) :
	    nla_put_in6_addr(skb, UDPTRACK_A_TUPLE_IP_V6_SRC, &src->in6) ||
	    nla_put_in6_addr(skb, UDPTRACK_A_TUPLE_IP_V6_DST, &dst->in6))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

static bool put_proto(struct sk_buff *skb, __be16 sport, __be16 dport)
{
	struct nlattr *nest = nla_nest_start(skb, UDPTRACK_A_TUPLE_PROTO);

	if (!nest ||
	    nla_put_u8(skb, UDPTRACK_A_TUPLE_PROTO_NUM, IPPROTO_UDP) ||
	    nla_put_be16(skb, UDPTRACK_A_TUPLE_PROTO_SRC_PORT, sport) ||
	    nla_put_be16(skb, UDPTRACK_A_TUPLE_PROTO_DST_PORT, dport))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

static bool put_tuple(struct sk_buff *skb, int type,
		      const struct udptrack_tuple *tuple, bool reply)
{
	const union nf_inet_addr *src = reply ? &tuple->dst : &tuple->src;
	const union nf_inet_addr *dst = reply ? &tuple->src : &tuple->dst;
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest || !put_ip(skb, src, dst, tuple->family) ||
	    !put_proto(skb, reply ? tuple->dport : tuple->sport,
		       reply ? tuple->sport : tuple->dport))
		return false;
	if (tuple->scope &&
	    nla_put_u32(skb, UDPTRACK_A_TUPLE_SCOPE, tuple->scope))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

static bool put_counter(struct sk_buff *skb, int type,
			const struct udptrack_counter *counter)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_COUNTERS_PACKETS,
			      counter->packets, UDPTRACK_A_COUNTERS_PAD) ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_COUNTERS_BYTES,
			      counter->bytes, UDPTRACK_A_COUNTERS_PAD))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

static bool put_timestamp(struct sk_buff *skb, u64 start_ns, u64 stop_ns)
{
	struct nlattr *nest = nla_nest_start(skb, UDPTRACK_A_FLOW_TIMESTAMP);

	if (!nest ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_TIMESTAMP_START, start_ns,
			      UDPTRACK_A_TIMESTAMP_PAD))
		return false;
	if (stop_ns &&
	    nla_put_u64_64bit(skb, UDPTRACK_A_TIMESTAMP_STOP, stop_ns,
			      UDPTRACK_A_TIMESTAMP_PAD))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

/* As far as it is known, and has a number where it is read. */
static bool put_owner(struct sk_buff *skb, const struct udptrack_snapshot *flow,
		      struct user_namespace *ns)
{
	uid_t uid = flow->has_uid ? from_kuid(ns, flow->uid) : (uid_t)-1;
	struct nlattr *nest;

	if (uid == (uid_t)-1 && !flow->pid && !flow->cgroup)
		return true;
	nest = nla_nest_start(skb, UDPTRACK_A_FLOW_OWNER);
	if (!nest)
		return false;
	if (uid != (uid_t)-1 && nla_put_u32(skb, UDPTRACK_A_OWNER_UID, uid))
		return false;
	if (flow->pid &&
	    (nla_put_u32(skb, UDPTRACK_A_OWNER_PID, flow->pid) ||
	     nla_put_string(skb, UDPTRACK_A_OWNER_COMM, flow->comm)))
		return false;
	if (flow->cgroup &&
	    nla_put_u64_64bit(skb, UDPTRACK_A_OWNER_CGROUP, flow->cgroup,
			      UDPTRACK_A_OWNER_PAD))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

static bool put_dns(struct sk_buff *skb, const struct udptrack_dns_sum *dns)
{
	struct nlattr *nest = nla_nest_start(skb, UDPTRACK_A_FLOW_DNS);

	if (!nest ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_DNS_OUT, dns->out) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_DNS_OK, dns->ok) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_DNS_FORGED, dns->forged) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_DNS_RTT_US, dns->rtt_us) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_DNS_UNANSWERED, dns->unanswered))
		return false;
	nla_nest_end(skb, nest);
	return true;
}

/**
 * udptrack_flow_size - room that udptrack_flow_put() may need
 *
 * Context: any.
 * Return: bytes.
 */
size_t udptrack_flow_size(void)
{
	size_t ip = nla_total_size(2 * nla_total_size(16));
	size_t proto = nla_total_size(nla_total_size(1) +
				      2 * nla_total_size(2));
	size_t tuple = nla_total_size(ip + proto + nla_total_size(4));
	size_t pair = nla_total_size(2 * nla_total_size_64bit(8));
	size_t owner = nla_total_size(2 * nla_total_size(4) +
				      nla_total_size_64bit(8) +
				      nla_total_size(TASK_COMM_LEN));
	size_t dns = nla_total_size(5 * nla_total_size(4));

	return 2 * tuple + nla_total_size_64bit(8) + 3 * nla_total_size(4) +
	       2 * pair + pair + owner + dns;
}

/**
 * udptrack_flow_put - write a flow into a message
 * @skb:     the message
 * @flow:    a copy of the flow
 * @parts:   bits of UDPTRACK_A_FLOW_*: those of timeout, counters-orig (for
 *           both directions), timestamp and dns that are wanted. The rest, the
 *           owner included, is always there
 * @stop_ns: when it ended, in nanoseconds since 1970, or 0
 * @ns:      the user namespace in whose numbers to name users
 *
 * Context: any.
 * Return: 0, or -EMSGSIZE when there is no room; then some of it may have been
 * written.
 */
int udptrack_flow_put(struct sk_buff *skb, const struct udptrack_snapshot *flow,
		      unsigned int parts, u64 stop_ns,
		      struct user_namespace *ns)
{
	if (!put_tuple(skb, UDPTRACK_A_FLOW_TUPLE_ORIG, &flow->tuple, false) ||
	    !put_tuple(skb, UDPTRACK_A_FLOW_TUPLE_REPLY, &flow->tuple, true) ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_FLOW_ID, flow->id,
			      UDPTRACK_A_FLOW_PAD) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_STATE,
			udptrack_filter_state(flow)) ||
	    nla_put_u32(skb, UDPTRACK_A_FLOW_STATUS,
			udptrack_filter_status(flow)))
		return -EMSGSIZE;
	if (parts & BIT(UDPTRACK_A_FLOW_TIMEOUT) &&
	    nla_put_u32(skb, UDPTRACK_A_FLOW_TIMEOUT,
			udptrack_state_seconds_left(&flow->state, jiffies)))
		return -EMSGSIZE;
	if (flow->acct && parts & BIT(UDPTRACK_A_FLOW_COUNTERS_ORIG) &&
	    (!put_counter(skb, UDPTRACK_A_FLOW_COUNTERS_ORIG,
			  &flow->traffic[UDPTRACK_ORIGINAL]) ||
	     !put_counter(skb, UDPTRACK_A_FLOW_COUNTERS_REPLY,
			  &flow->traffic[UDPTRACK_REPLY])))
		return -EMSGSIZE;
	if (parts & BIT(UDPTRACK_A_FLOW_TIMESTAMP) &&
	    !put_timestamp(skb, flow->start_ns, stop_ns))
		return -EMSGSIZE;
	if (!put_owner(skb, flow, ns))
		return -EMSGSIZE;
	if (flow->is_dns && parts & BIT(UDPTRACK_A_FLOW_DNS) &&
	    !put_dns(skb, &flow->dns))
		return -EMSGSIZE;
	return 0;
}
