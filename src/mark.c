// SPDX-License-Identifier: GPL-2.0-only
/*
 * mark - the state of a packet in its mark, for those who cannot load foreign
 * matches: nftables, tc, ip rule, BPF.
 *
 * Owns the hooks that write it. They stand at NF_INET_LOCAL_OUT and
 * NF_INET_LOCAL_IN before the filter table, and only in network namespaces
 * where a mask was set, so that others pay nothing. In the packet they change
 * the bits of the mask, and the route where rules look at the mark. A packet
 * that is none of our business keeps its mark.
 */
#include <linux/bitops.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>
#include <kunit/visibility.h>

#include "mark.h"
#include "netns.h"
#include "packet.h"

/* After NAT at NF_INET_LOCAL_OUT (-100), before NF_IP_PRI_FILTER (0). */
#define MARK_PRIORITY	(-50)
/* The states are five, and none of them is 0. */
#define MARK_BITS	3

/**
 * udptrack_mark_mask_valid - can these bits carry the state?
 * @mask: bits of skb->mark
 *
 * Context: any; pure.
 * Return: true for 0, which is off, and for at least three adjacent bits.
 */
bool udptrack_mark_mask_valid(unsigned int mask)
{
	unsigned int bits = mask ? mask >> __ffs(mask) : 0;

	return !mask || (bits >= BIT(MARK_BITS) - 1 && !(bits & (bits + 1)));
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_mark_mask_valid);

/*
 * The route was chosen before the mark was there. Look again where some rule
 * might choose otherwise, as the mangle table does. A packet that finds no
 * route keeps the one it has; one that an IPsec policy then refuses has lost
 * it, and there is nowhere left to send it.
 */
static unsigned int reroute(struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	int err = 0;

	if (state->pf == NFPROTO_IPV4) {
		if (fib4_has_custom_rules(state->net))
			err = ip_route_me_harder(state->net, state->sk, skb,
						 RTN_UNSPEC);
	} else if (fib6_has_custom_rules(state->net)) {
		err = nf_ip6_route_me_harder(state->net, state->sk, skb);
	}
	return err && !skb_dst(skb) ? NF_DROP_ERR(err) : NF_ACCEPT;
}

static unsigned int mark_hook(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct udptrack_net *un = udptrack_net_rcu(state->net);
	u32 mask = READ_ONCE(un->settings.mark_mask);
	enum udptrack_class class;
	u32 mark;

	if (!mask)
		return NF_ACCEPT;
	class = udptrack_packet_classify(skb, state);
	if (class == UDPTRACK_NONE)
		return NF_ACCEPT;
	mark = (skb->mark & ~mask) | (u32)class << __ffs(mask);
	if (mark == skb->mark)
		return NF_ACCEPT;
	skb->mark = mark;
	return state->hook == NF_INET_LOCAL_OUT ? reroute(skb, state)
						: NF_ACCEPT;
}

#define MARK_HOOK(family, where) {					\
	.hook = mark_hook,						\
	.pf = (family),							\
	.hooknum = (where),						\
	.priority = MARK_PRIORITY,					\
}

static const struct nf_hook_ops mark_ops[] = {
	MARK_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	MARK_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN),
	MARK_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT),
	MARK_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN),
};

static bool mark_wanted(unsigned int mask)
{
	return mask;
}

static int mark_start(struct net *net)
{
	return nf_register_net_hooks(net, mark_ops, ARRAY_SIZE(mark_ops));
}

static void mark_stop(struct net *net)
{
	nf_unregister_net_hooks(net, mark_ops, ARRAY_SIZE(mark_ops));
}

static const struct udptrack_optional_part mark_part = {
	.start = mark_start,
	.stop = mark_stop,
	.wanted = mark_wanted,
};

/**
 * udptrack_mark_set - choose the bits of the mark that carry the state
 * @net:  the network namespace
 * @mask: the bits; must be valid
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks(); then the old mask stays.
 */
int udptrack_mark_set(struct net *net, unsigned int mask)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_set(&un->mark, &mark_part, net,
				     &un->settings.mark_mask, mask);
}

/**
 * udptrack_mark_open - from now on there may be marks
 * @net: a network namespace, otherwise ready
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks().
 */
int udptrack_mark_open(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_open(&un->mark, &mark_part, net,
				      &un->settings.mark_mask);
}

/**
 * udptrack_mark_close - no marks from now on, whatever is still written
 * @net: a network namespace on its way out
 *
 * Packets may be inside the hooks until an RCU grace period has passed.
 *
 * Context: process; may sleep.
 */
void udptrack_mark_close(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	udptrack_optional_close(&un->mark, &mark_part, net,
				&un->settings.mark_mask);
}
