// SPDX-License-Identifier: GPL-2.0-only
/*
 * xt_udptrack - the match "-m udptrack --state" of iptables, ip6tables and
 * iptables-nft.
 *
 * Owns nothing: asks the tracker what a packet is, and changes nothing. While
 * a rule uses it, neither this module nor the tracker can be removed. Runs at
 * NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT, under rcu_read_lock().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/netfilter/x_tables.h>

#include "../../include/uapi/linux/netfilter/xt_udptrack.h"
#include "../packet.h"
#include "../version.h"

static bool udptrack_mt(const struct sk_buff *skb, struct xt_action_param *par)
{
	const struct xt_udptrack_info *info = par->matchinfo;
	/* What may be noted in the packet is that its checksum is good. */
	enum udptrack_class class =
		udptrack_packet_classify((struct sk_buff *)skb, par->state);

	if (class == UDPTRACK_NONE)
		return false;
	return !!(info->states & BIT(class)) ^
	       !!(info->flags & XT_UDPTRACK_INVERT);
}

static int udptrack_mt_check(const struct xt_mtchk_param *par)
{
	const struct xt_udptrack_info *info = par->matchinfo;

	if (!info->states || (info->states & ~XT_UDPTRACK_STATES)) {
		pr_info_ratelimited("unknown states %#x\n", info->states);
		return -EINVAL;
	}
	if (info->flags & ~XT_UDPTRACK_FLAGS) {
		pr_info_ratelimited("unknown flags %#x\n", info->flags);
		return -EINVAL;
	}
	return 0;
}

/* By .hooks, other chains than INPUT and OUTPUT are refused, with a log line. */
static struct xt_match udptrack_mt_reg __read_mostly = {
	.name = "udptrack",
	.revision = 0,
	.family = NFPROTO_UNSPEC,
	.match = udptrack_mt,
	.checkentry = udptrack_mt_check,
	.matchsize = sizeof(struct xt_udptrack_info),
	.hooks = (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_LOCAL_OUT),
	.me = THIS_MODULE,
};

static int __init udptrack_mt_init(void)
{
	/* The bits are the numbers of the states. */
	BUILD_BUG_ON(BIT(UDPTRACK_NEW) != XT_UDPTRACK_NEW);
	BUILD_BUG_ON(BIT(UDPTRACK_ESTABLISHED) != XT_UDPTRACK_ESTABLISHED);
	BUILD_BUG_ON(BIT(UDPTRACK_RELATED) != XT_UDPTRACK_RELATED);
	BUILD_BUG_ON(BIT(UDPTRACK_INVALID) != XT_UDPTRACK_INVALID);
	BUILD_BUG_ON(BIT(UDPTRACK_UNTRACKED) != XT_UDPTRACK_UNTRACKED);

	return xt_register_match(&udptrack_mt_reg);
}

static void __exit udptrack_mt_exit(void)
{
	xt_unregister_match(&udptrack_mt_reg);
}

module_init(udptrack_mt_init);
module_exit(udptrack_mt_exit);

MODULE_DESCRIPTION("Xtables: the state of a UDP packet, from udptrack");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(UDPTRACK_VERSION);
MODULE_ALIAS("ipt_udptrack");
MODULE_ALIAS("ip6t_udptrack");
