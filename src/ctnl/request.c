// SPDX-License-Identifier: GPL-2.0-only
/*
 * request - what conntrack asks for: one flow, a listing, a deletion.
 *
 * Owns the answers to messages of the ctnetlink subsystem. nfnetlink has seen
 * to it that the sender has CAP_NET_ADMIN in its network namespace; its mutex
 * of the subsystem is held, but not while a listing goes on, which has a
 * reference to this module instead. Flows are made by packets alone, and
 * nobody but packets changes them, so that messages to that end are refused.
 */
#include <linux/jiffies.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "../netns.h"
#include "ctnl.h"
#include "entry.h"
#include "filter.h"

/**
 * struct dump - a listing under way
 * @filter:   which flows
 * @filtered: not all of them
 * @from_id:  where to go on
 * @last_id:  where it ends
 */
struct dump {
	struct udptrack_ctnl_filter filter;
	bool filtered;
	unsigned long from_id;
	unsigned long last_id;
};

static const struct nla_policy ct_policy[CTA_MAX + 1] = {
	[CTA_TUPLE_ORIG] = { .type = NLA_NESTED },
	[CTA_TUPLE_REPLY] = { .type = NLA_NESTED },
	[CTA_STATUS] = { .type = NLA_U32 },
	[CTA_MARK] = { .type = NLA_U32 },
	[CTA_ID] = { .type = NLA_U32 },
	[CTA_ZONE] = { .type = NLA_U16 },
	[CTA_MARK_MASK] = { .type = NLA_U32 },
	[CTA_FILTER] = { .type = NLA_NESTED },
	[CTA_STATUS_MASK] = { .type = NLA_U32 },
};

/* The caller's dump is on its stack; dump_done() frees ours. */
static int dump_start(struct netlink_callback *cb)
{
	struct dump *dump = kmemdup(cb->data, sizeof(*dump), GFP_KERNEL);

	if (!dump)
		return -ENOMEM;
	if (dump->filtered)
		cb->answer_flags = NLM_F_DUMP_FILTERED;
	cb->data = dump;
	return 0;
}

static int dump_flows(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct udptrack_net *un = udptrack_net(sock_net(skb->sk));
	struct dump *dump = cb->data;
	const struct udptrack_ctnl_head head = {
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.type = IPCTNL_MSG_CT_NEW,
		.flags = NLM_F_MULTI |
			 (dump->filtered ? NLM_F_DUMP_FILTERED : 0),
	};
	struct udptrack_snapshot flow;

	while (udptrack_table_next(&un->table, dump->from_id, dump->last_id,
				   jiffies, NULL, &flow)) {
		if (udptrack_ctnl_filter_match(&flow, &dump->filter) &&
		    udptrack_ctnl_put_entry(skb, &head, &flow))
			break;
		dump->from_id = flow.id + 1;
	}
	return skb->len;
}

static int dump_done(struct netlink_callback *cb)
{
	kfree(cb->data);
	return 0;
}

static int list(struct sk_buff *skb, const struct nfnl_info *info,
		const struct nlattr * const cda[])
{
	u8 family = info->nfmsg->nfgen_family;
	struct dump dump = {
		.filtered = udptrack_ctnl_filter_wanted(cda, family),
		.last_id = udptrack_table_last_id(&udptrack_net(info->net)->table),
	};
	struct netlink_dump_control control = {
		.start = dump_start,
		.dump = dump_flows,
		.done = dump_done,
		.data = &dump,
	};
	int err;

	err = udptrack_ctnl_filter_parse(cda, family, &dump.filter,
					 info->extack);
	if (err)
		return err;
	return netlink_dump_start(info->sk, skb, info->nlh, &control);
}

static bool needs_scope(const struct udptrack_tuple *ends)
{
	return ends->family == NFPROTO_IPV6 &&
	       (__ipv6_addr_needs_scope_id(__ipv6_addr_type(&ends->src.in6)) ||
		__ipv6_addr_needs_scope_id(__ipv6_addr_type(&ends->dst.in6)));
}

/* Is it the flow with that number, if a number is given? */
static bool has_id(const struct udptrack_snapshot *flow,
		   const struct nlattr *id)
{
	return !id || ntohl(nla_get_be32(id)) == udptrack_ctnl_id(flow);
}

/*
 * Addresses that are valid on their link only do not name one flow: take the
 * oldest, of those with that number if a number is given.
 */
static bool find_on_any_link(struct udptrack_table *table,
			     const struct udptrack_key *wanted,
			     const struct nlattr *id,
			     struct udptrack_snapshot *flow)
{
	unsigned long last_id = udptrack_table_last_id(table);
	struct udptrack_key key;

	flow->id = 0;
	while (udptrack_table_next(table, flow->id + 1, last_id, jiffies, NULL,
				   flow)) {
		udptrack_key_from_tuple(&flow->tuple, &key);
		key.scope = 0;
		if (!memcmp(&key, wanted, sizeof(key)) && has_id(flow, id))
			return true;
	}
	return false;
}

/*
 * The flow that a request names by a tuple of either direction. Where that may
 * have become another flow's, a number tells them apart.
 */
static int find(const struct nfnl_info *info, const struct nlattr * const cda[],
		struct udptrack_snapshot *flow)
{
	struct udptrack_table *table = &udptrack_net(info->net)->table;
	const struct nlattr *attr = cda[CTA_TUPLE_ORIG] ?: cda[CTA_TUPLE_REPLY];
	struct udptrack_ctnl_tuple tuple;
	struct udptrack_key key;
	bool found;
	int err;

	err = udptrack_ctnl_tuple_parse(attr, info->nfmsg->nfgen_family, &tuple,
					info->extack);
	if (err)
		return err;
	if (tuple.proto != IPPROTO_UDP || tuple.zone ||
	    (cda[CTA_ZONE] && nla_get_be16(cda[CTA_ZONE])))
		return -ENOENT;
	udptrack_key_from_tuple(&tuple.ends, &key);
	if (needs_scope(&tuple.ends))
		found = find_on_any_link(table, &key, cda[CTA_ID], flow);
	else
		found = udptrack_table_get(table, &key, 0, jiffies, NULL,
					   flow) &&
			has_id(flow, cda[CTA_ID]);
	return found ? 0 : -ENOENT;
}

static int get(struct sk_buff *skb, const struct nfnl_info *info,
	       const struct nlattr * const cda[])
{
	const struct udptrack_ctnl_head head = {
		.portid = NETLINK_CB(skb).portid,
		.seq = info->nlh->nlmsg_seq,
		.type = IPCTNL_MSG_CT_NEW,
		/* As nf_conntrack_netlink does, for no reason that we know. */
		.flags = NLM_F_MULTI,
	};
	struct udptrack_snapshot flow;
	struct sk_buff *answer;
	int err;

	if (info->nlh->nlmsg_flags & NLM_F_DUMP)
		return list(skb, info, cda);
	if (!cda[CTA_TUPLE_ORIG] && !cda[CTA_TUPLE_REPLY]) {
		NL_SET_ERR_MSG(info->extack, "no tuple says which flow");
		return -EINVAL;
	}
	err = find(info, cda, &flow);
	if (err)
		return err;
	answer = nlmsg_new(udptrack_ctnl_entry_size(), GFP_KERNEL);
	if (!answer)
		return -ENOMEM;
	err = udptrack_ctnl_put_entry(answer, &head, &flow);
	if (err) {
		nlmsg_free(answer);
		return err;
	}
	return nfnetlink_unicast(answer, info->net, NETLINK_CB(skb).portid);
}

/*
 * Delete all flows, or those of a filter. Version 0 of the message has a
 * family that means nothing, unless there is a filter for it to be part of.
 */
static int flush(const struct nfnl_info *info,
		 const struct nlattr * const cda[])
{
	struct udptrack_table *table = &udptrack_net(info->net)->table;
	u8 family = info->nfmsg->nfgen_family;
	struct udptrack_ctnl_filter filter;
	int err;

	if (!info->nfmsg->version && !cda[CTA_FILTER])
		family = NFPROTO_UNSPEC;
	err = udptrack_ctnl_filter_parse(cda, family, &filter, info->extack);
	if (err)
		return err;
	udptrack_table_prune(table, jiffies, NULL, udptrack_ctnl_filter_match,
			     &filter);
	return 0;
}

static int delete(struct sk_buff *skb, const struct nfnl_info *info,
		  const struct nlattr * const cda[])
{
	struct udptrack_table *table = &udptrack_net(info->net)->table;
	struct udptrack_snapshot flow;
	int err;

	if (cda[CTA_FILTER] || (!cda[CTA_TUPLE_ORIG] && !cda[CTA_TUPLE_REPLY]))
		return flush(info, cda);
	err = find(info, cda, &flow);
	if (err)
		return err;
	if (!udptrack_table_erase(table, NULL, flow.id, jiffies))
		return -ENOENT;
	return 0;
}

static int refuse_new(struct sk_buff *skb, const struct nfnl_info *info,
		      const struct nlattr * const cda[])
{
	NL_SET_ERR_MSG(info->extack,
		       "udptrack: packets alone make and change flows");
	return -EOPNOTSUPP;
}

static int refuse_zero(struct sk_buff *skb, const struct nfnl_info *info,
		       const struct nlattr * const cda[])
{
	NL_SET_ERR_MSG(info->extack,
		       "udptrack: counters cannot be set to zero");
	return -EOPNOTSUPP;
}

static int refuse_list(struct sk_buff *skb, const struct nfnl_info *info,
		       const struct nlattr * const cda[])
{
	NL_SET_ERR_MSG(info->extack,
		       "udptrack: no flow is dying or unconfirmed");
	return -EOPNOTSUPP;
}

const struct nfnl_callback udptrack_ctnl_callbacks[IPCTNL_MSG_MAX] = {
	[IPCTNL_MSG_CT_NEW] = {
		.call = refuse_new,
		.type = NFNL_CB_MUTEX,
	},
	[IPCTNL_MSG_CT_GET] = {
		.call = get,
		.type = NFNL_CB_MUTEX,
		.attr_count = CTA_MAX,
		.policy = ct_policy,
	},
	[IPCTNL_MSG_CT_DELETE] = {
		.call = delete,
		.type = NFNL_CB_MUTEX,
		.attr_count = CTA_MAX,
		.policy = ct_policy,
	},
	[IPCTNL_MSG_CT_GET_CTRZERO] = {
		.call = refuse_zero,
		.type = NFNL_CB_MUTEX,
	},
	[IPCTNL_MSG_CT_GET_STATS_CPU] = {
		.call = udptrack_ctnl_stat_cpu,
		.type = NFNL_CB_MUTEX,
	},
	[IPCTNL_MSG_CT_GET_STATS] = {
		.call = udptrack_ctnl_stat,
		.type = NFNL_CB_MUTEX,
	},
	[IPCTNL_MSG_CT_GET_DYING] = {
		.call = refuse_list,
		.type = NFNL_CB_MUTEX,
	},
	[IPCTNL_MSG_CT_GET_UNCONFIRMED] = {
		.call = refuse_list,
		.type = NFNL_CB_MUTEX,
	},
};
