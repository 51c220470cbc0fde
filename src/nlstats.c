// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlstats - counters in netlink messages.
 *
 * Reads them as /proc/net/stat does, without a lock; changes nothing. Process
 * context.
 */
#include <net/sock.h>

#include "netlink.h"
#include "netns.h"

/* The attributes, as struct udptrack_stats has the counters. */
static const u8 stats_attrs[] = {
	UDPTRACK_A_STATS_FOUND, UDPTRACK_A_STATS_NEW, UDPTRACK_A_STATS_EXPIRED,
	UDPTRACK_A_STATS_EVICTED, UDPTRACK_A_STATS_FULL,
	UDPTRACK_A_STATS_ALLOC_FAILED, UDPTRACK_A_STATS_INSERT_FAILED,
	UDPTRACK_A_STATS_CLASH, UDPTRACK_A_STATS_TRUNCATED,
	UDPTRACK_A_STATS_MALFORMED, UDPTRACK_A_STATS_BAD_CHECKSUM,
	UDPTRACK_A_STATS_FRAGMENT, UDPTRACK_A_STATS_EXEMPT,
	UDPTRACK_A_STATS_LOOPBACK, UDPTRACK_A_STATS_NO_LISTENER,
	UDPTRACK_A_STATS_DELETED,
};

/* The attributes, as struct udptrack_dns_stats has the counters. */
static const u8 dns_attrs[] = {
	UDPTRACK_A_DNS_STATS_QUESTIONS, UDPTRACK_A_DNS_STATS_REPEATED,
	UDPTRACK_A_DNS_STATS_ANSWERED, UDPTRACK_A_DNS_STATS_AGAIN,
	UDPTRACK_A_DNS_STATS_TRUNCATED, UDPTRACK_A_DNS_STATS_FORGED,
	UDPTRACK_A_DNS_STATS_UNANSWERED, UDPTRACK_A_DNS_STATS_LATE,
	UDPTRACK_A_DNS_STATS_BLIND,
};

#define DNS_COUNTERS	(ARRAY_SIZE(dns_attrs) + UDPTRACK_DNS_BUCKETS)

/* Add one processor's counters to @sums. */
static void add_up(u64 *sums, const void *counters, unsigned int n)
{
	const unsigned int *counter = counters;

	while (n--)
		*sums++ += READ_ONCE(*counter++);
}

static int put_counters(struct sk_buff *skb, const u8 *attrs, const u64 *sums,
			unsigned int n, int pad)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (nla_put_u64_64bit(skb, attrs[i], sums[i], pad))
			return -EMSGSIZE;
	return 0;
}

/* What there is but once, in every message. */
static int put_table(struct sk_buff *skb, struct udptrack_net *un)
{
	if (nla_put_u32(skb, UDPTRACK_A_STATS_ENTRIES,
			udptrack_table_count(&un->table)) ||
	    nla_put_u32(skb, UDPTRACK_A_STATS_BUCKETS,
			udptrack_table_buckets(&un->table)) ||
	    nla_put_u32(skb, UDPTRACK_A_STATS_FLOWS_MAX,
			READ_ONCE(un->settings.max)) ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_STATS_EVENT_SEQ,
			      udptrack_events_seq(&un->events),
			      UDPTRACK_A_STATS_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_stats(struct sk_buff *skb, struct udptrack_net *un,
		     const u64 *sums)
{
	return put_table(skb, un) ?:
	       put_counters(skb, stats_attrs, sums, ARRAY_SIZE(stats_attrs),
			    UDPTRACK_A_STATS_PAD);
}

/* An answer is made ready; NULL when there is no memory. */
static struct sk_buff *reply_new(struct genl_info *info, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &udptrack_family, 0,
				 info->genlhdr->cmd);
	return msg;
}

static int reply_send(struct genl_info *info, struct sk_buff *msg, void *hdr,
		      int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/**
 * udptrack_nl_stats_do - the counters, summed up
 * @skb:  the request
 * @info: what it is about
 *
 * Context: process.
 * Return: 0, -ENOMEM, or the error of sending the answer.
 */
int udptrack_nl_stats_do(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));
	u64 sums[ARRAY_SIZE(stats_attrs)] = {};
	struct sk_buff *msg;
	unsigned int cpu;
	void *hdr;

	BUILD_BUG_ON(sizeof(struct udptrack_stats) !=
		     ARRAY_SIZE(stats_attrs) * sizeof(unsigned int));

	msg = reply_new(info, &hdr);
	if (!msg)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		add_up(sums, per_cpu_ptr(un->stats, cpu), ARRAY_SIZE(sums));
	return reply_send(info, msg, hdr, put_stats(msg, un, sums));
}

static int dump_cpu(struct sk_buff *skb, struct netlink_callback *cb,
		    struct udptrack_net *un, unsigned int cpu)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &udptrack_family,
				NLM_F_MULTI, UDPTRACK_CMD_STATS_GET);
	u64 sums[ARRAY_SIZE(stats_attrs)] = {};

	if (!hdr)
		return -EMSGSIZE;
	add_up(sums, per_cpu_ptr(un->stats, cpu), ARRAY_SIZE(sums));
	if (nla_put_u32(skb, UDPTRACK_A_STATS_CPU, cpu) ||
	    put_stats(skb, un, sums)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * udptrack_nl_stats_dump - the counters of each processor
 * @skb: the answer
 * @cb:  the request, and where it stands
 *
 * Context: process.
 * Return: bytes in the answer, 0 at the end.
 */
int udptrack_nl_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct udptrack_net *un = udptrack_net(sock_net(cb->skb->sk));
	unsigned int cpu;

	for (cpu = cb->args[0]; cpu < nr_cpu_ids; cpu++)
		if (cpu_possible(cpu) && dump_cpu(skb, cb, un, cpu))
			break;
	cb->args[0] = cpu;
	return skb->len;
}

/**
 * udptrack_nl_dns_do - the counters of DNS, summed up
 * @skb:  the request
 * @info: what it is about
 *
 * Context: process.
 * Return: 0, -ENOMEM, or the error of sending the answer.
 */
int udptrack_nl_dns_do(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));
	u64 sums[DNS_COUNTERS] = {};
	struct sk_buff *msg;
	unsigned int cpu;
	void *hdr;
	int err;

	BUILD_BUG_ON(sizeof(struct udptrack_dns_stats) !=
		     DNS_COUNTERS * sizeof(unsigned int));

	msg = reply_new(info, &hdr);
	if (!msg)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		add_up(sums, per_cpu_ptr(un->dns.stats, cpu), DNS_COUNTERS);
	err = put_counters(msg, dns_attrs, sums, ARRAY_SIZE(dns_attrs),
			   UDPTRACK_A_DNS_STATS_PAD);
	if (!err)
		err = nla_put_64bit(msg, UDPTRACK_A_DNS_STATS_TOOK,
				    UDPTRACK_DNS_BUCKETS * sizeof(u64),
				    sums + ARRAY_SIZE(dns_attrs),
				    UDPTRACK_A_DNS_STATS_PAD);
	return reply_send(info, msg, hdr, err);
}
