// SPDX-License-Identifier: GPL-2.0-only
/*
 * forged - DNS answers to no question are told of, where they are INVALID.
 *
 * In the mode that makes them INVALID a rule drops them before they come to
 * the commit hook. So they are counted and logged here, before the filter
 * table. Owns the hooks for that, which are only in network namespaces in that
 * mode. Every packet is accepted. Runs in softirq or process context under
 * rcu_read_lock().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/netfilter/nf_log.h>

#include "forged.h"
#include "netns.h"
#include "packet.h"

/* Where the mark is written, too. */
#define FORGED_PRIORITY	(-50)

/**
 * udptrack_forged_log - a line in the kernel's log for a forged answer
 * @un:    its network namespace
 * @state: the hook it is at
 * @tuple: its ends
 * @msg:   the answer
 *
 * Rate-limited.
 *
 * Context: process or softirq.
 */
void udptrack_forged_log(struct udptrack_net *un,
			 const struct nf_hook_state *state,
			 const struct udptrack_tuple *tuple,
			 const struct udptrack_dns_message *msg)
{
	/* A container does not write to the host's log unless it may. */
	if (!net_eq(state->net, &init_net) && !sysctl_nf_log_all_netns)
		return;
	if (!__ratelimit(&un->forged_log))
		return;
	if (tuple->family == NFPROTO_IPV4)
		pr_info("DNS answer to no question: src=%pI4 dst=%pI4 sport=%u dport=%u id=%u\n",
			&tuple->src.ip, &tuple->dst.ip, ntohs(tuple->sport),
			ntohs(tuple->dport), msg->id);
	else
		pr_info("DNS answer to no question: src=%pI6c dst=%pI6c sport=%u dport=%u id=%u\n",
			&tuple->src.in6, &tuple->dst.in6, ntohs(tuple->sport),
			ntohs(tuple->dport), msg->id);
}

static unsigned int forged_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct udptrack_net *un = udptrack_net_rcu(state->net);
	struct udptrack_dns_visit dns;
	struct udptrack_packet pkt;
	struct udptrack_key key;
	unsigned int side;

	if (udptrack_packet_inspect(un, skb, state, &pkt) !=
	    UDPTRACK_PACKET_OK ||
	    !udptrack_packet_dns(un, skb, state, &pkt, &dns) ||
	    !dns.enforce)
		return NF_ACCEPT;
	side = udptrack_key_from_tuple(&pkt.tuple, &key);
	if (udptrack_table_forged(&un->table, &key, side, jiffies, &dns, true))
		udptrack_forged_log(un, state, &pkt.tuple, &dns.msg);
	return NF_ACCEPT;
}

#define FORGED_HOOK(family, where) {					\
	.hook = forged_hook,						\
	.pf = (family),							\
	.hooknum = (where),						\
	.priority = FORGED_PRIORITY,					\
}

static const struct nf_hook_ops forged_ops[] = {
	FORGED_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	FORGED_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN),
	FORGED_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT),
	FORGED_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN),
};

static bool forged_wanted(unsigned int mode)
{
	return mode == UDPTRACK_DNS_ENFORCE;
}

static int forged_start(struct net *net)
{
	return nf_register_net_hooks(net, forged_ops, ARRAY_SIZE(forged_ops));
}

static void forged_stop(struct net *net)
{
	nf_unregister_net_hooks(net, forged_ops, ARRAY_SIZE(forged_ops));
}

static const struct udptrack_optional_part forged_part = {
	.start = forged_start,
	.stop = forged_stop,
	.wanted = forged_wanted,
};

/**
 * udptrack_forged_set - choose what is done about DNS
 * @net:  the network namespace
 * @mode: enum udptrack_dns_mode
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks(); then the old mode stays.
 */
int udptrack_forged_set(struct net *net, unsigned int mode)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_set(&un->forged, &forged_part, net,
				     &un->settings.dns, mode);
}

/**
 * udptrack_forged_open - from now on forged answers may be INVALID
 * @net: a network namespace, otherwise ready
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks().
 */
int udptrack_forged_open(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_open(&un->forged, &forged_part, net,
				      &un->settings.dns);
}

/**
 * udptrack_forged_close - no hooks from now on, whatever is still written
 * @net: a network namespace on its way out
 *
 * Packets may be inside the hooks until an RCU grace period has passed.
 *
 * Context: process; may sleep.
 */
void udptrack_forged_close(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	udptrack_optional_close(&un->forged, &forged_part, net,
				&un->settings.dns);
}
