// SPDX-License-Identifier: GPL-2.0-only
/*
 * stat - what conntrack -C and -S show.
 *
 * Owns which of our counters stands for which of nf_conntrack's. What came
 * past untracked because there was no room or memory for its flow is a failed
 * insertion; drop stays 0, for no packet is ever dropped.
 */
#include <linux/cpumask.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/percpu.h>
#include <net/sock.h>

#include "../netns.h"
#include "ctnl.h"

/* Begin a message of statistics; @res is the number of the CPU. */
static struct nlmsghdr *put_head(struct sk_buff *skb, u32 portid, u32 seq,
				 enum cntl_msg_types type, u16 res)
{
	return nfnl_msg_put(skb, portid, seq,
			    nfnl_msg_type(NFNL_SUBSYS_CTNETLINK, type),
			    NLM_F_MULTI, AF_UNSPEC, NFNETLINK_V0, htons(res));
}

static int put_counter(struct sk_buff *skb, enum ctattr_stats_cpu attr,
		       unsigned int value)
{
	return nla_put_be32(skb, attr, htonl(value));
}

static int put_counters(struct sk_buff *skb, struct netlink_callback *cb,
			unsigned int cpu)
{
	struct udptrack_net *un = udptrack_net(sock_net(skb->sk));
	const struct udptrack_stats *from = per_cpu_ptr(un->stats, cpu);
	struct nlmsghdr *nlh = put_head(skb, NETLINK_CB(cb->skb).portid,
					cb->nlh->nlmsg_seq,
					IPCTNL_MSG_CT_GET_STATS_CPU, cpu);

	if (!nlh)
		return -EMSGSIZE;
	if (put_counter(skb, CTA_STATS_FOUND, READ_ONCE(from->found)) ||
	    put_counter(skb, CTA_STATS_INVALID,
			READ_ONCE(from->truncated) +
			READ_ONCE(from->malformed) +
			READ_ONCE(from->bad_checksum)) ||
	    put_counter(skb, CTA_STATS_INSERT, READ_ONCE(from->new)) ||
	    put_counter(skb, CTA_STATS_INSERT_FAILED,
			READ_ONCE(from->insert_failed) +
			READ_ONCE(from->alloc_failed) +
			READ_ONCE(from->full)) ||
	    put_counter(skb, CTA_STATS_DROP, 0) ||
	    put_counter(skb, CTA_STATS_EARLY_DROP, READ_ONCE(from->evicted)) ||
	    put_counter(skb, CTA_STATS_ERROR, 0) ||
	    put_counter(skb, CTA_STATS_SEARCH_RESTART, 0) ||
	    put_counter(skb, CTA_STATS_CLASH_RESOLVE, READ_ONCE(from->clash)) ||
	    put_counter(skb, CTA_STATS_CHAIN_TOOLONG, 0)) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
	return 0;
}

/* cb->args[0] is the CPU to go on with. */
static int dump_cpus(struct sk_buff *skb, struct netlink_callback *cb)
{
	for (; cb->args[0] < nr_cpu_ids; cb->args[0]++) {
		if (cpu_possible(cb->args[0]) &&
		    put_counters(skb, cb, cb->args[0]))
			break;
	}
	return skb->len;
}

/**
 * udptrack_ctnl_stat_cpu - answer IPCTNL_MSG_CT_GET_STATS_CPU
 * @skb:  the request
 * @info: who asks
 * @cda:  its attributes, of which there are none
 *
 * Context: process, under nfnetlink's mutex.
 * Return: the error of netlink_dump_start(), -EOPNOTSUPP when it asks for
 * something else than a dump.
 */
int udptrack_ctnl_stat_cpu(struct sk_buff *skb, const struct nfnl_info *info,
			   const struct nlattr * const cda[])
{
	struct netlink_dump_control control = {
		.dump = dump_cpus,
	};

	if (!(info->nlh->nlmsg_flags & NLM_F_DUMP)) {
		NL_SET_ERR_MSG(info->extack, "counters only come as a dump");
		return -EOPNOTSUPP;
	}
	return netlink_dump_start(info->sk, skb, info->nlh, &control);
}

/**
 * udptrack_ctnl_stat - answer IPCTNL_MSG_CT_GET_STATS
 * @skb:  the request
 * @info: who asks
 * @cda:  its attributes, of which there are none
 *
 * Context: process, under nfnetlink's mutex.
 * Return: 0, -ENOMEM, or the error of nfnetlink_unicast().
 */
int udptrack_ctnl_stat(struct sk_buff *skb, const struct nfnl_info *info,
		       const struct nlattr * const cda[])
{
	struct udptrack_net *un = udptrack_net(info->net);
	struct sk_buff *answer;
	struct nlmsghdr *nlh;

	answer = nlmsg_new(NLMSG_ALIGN(sizeof(struct nfgenmsg)) +
			   2 * nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!answer)
		return -ENOMEM;
	nlh = put_head(answer, NETLINK_CB(skb).portid, info->nlh->nlmsg_seq,
		       IPCTNL_MSG_CT_GET_STATS, 0);
	if (!nlh ||
	    nla_put_be32(answer, CTA_STATS_GLOBAL_ENTRIES,
			 htonl(udptrack_table_count(&un->table))) ||
	    nla_put_be32(answer, CTA_STATS_GLOBAL_MAX_ENTRIES,
			 htonl(READ_ONCE(un->settings.max)))) {
		nlmsg_free(answer);
		return -EMSGSIZE;
	}
	nlmsg_end(answer, nlh);
	return nfnetlink_unicast(answer, info->net, NETLINK_CB(skb).portid);
}
