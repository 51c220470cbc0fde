// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks - where packets meet the tracker.
 *
 * Owns the hooks that commit. They stand at NF_INET_LOCAL_OUT and
 * NF_INET_LOCAL_IN, after the filter and security tables, so that a packet
 * which a rule dropped leaves nothing behind, and before IPVS and source NAT
 * give the packet other addresses than its answer will bear. Nothing is
 * attached to the packet, hence nothing is lost or left over when it waits in
 * a queue, is dropped there, or the queue's holder dies.
 *
 * Every packet is accepted, always. Runs in softirq or process context under
 * rcu_read_lock().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/nf_log.h>

#include "forged.h"
#include "hooks.h"
#include "listener.h"
#include "netns.h"
#include "packet.h"

/* After NF_IP_PRI_SECURITY (50), before IPVS (98) and NF_IP_PRI_NAT_SRC. */
#define COMMIT_PRIORITY	60

/*
 * A packet into a VRF passes NF_INET_LOCAL_OUT with the VRF's device first and
 * then with the interface below it, or, when it stays within the VRF,
 * NF_INET_LOCAL_IN, where it does not look looped. Either is where to see it.
 */
static bool is_first_vrf_pass(const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_OUT &&
	       netif_is_l3_master(state->out);
}

/*
 * IPVS sends what it forwards through NF_INET_LOCAL_OUT, but the answers do
 * not come back to this host. Only a packet that came in has a device already.
 */
static bool is_forwarded_by_ipvs(const struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return state->hook == NF_INET_LOCAL_OUT && skb->ipvs_property &&
	       skb->dev;
#else
	return false;
#endif
}

static void log_invalid(struct udptrack_net *un, const struct sk_buff *skb,
			const struct nf_hook_state *state, const char *reason)
{
	const char *dev = udptrack_packet_device(state)->name;
	const char *where = state->hook == NF_INET_LOCAL_OUT ? "out" : "in";

	if (!READ_ONCE(un->settings.log_invalid))
		return;
	/* A container does not write to the host's log unless it may. */
	if (!net_eq(state->net, &init_net) && !sysctl_nf_log_all_netns)
		return;
	if (!__ratelimit(&un->invalid_log))
		return;
	if (state->pf == NFPROTO_IPV4)
		pr_info("invalid packet: %s, %s=%s src=%pI4 dst=%pI4 len=%u\n",
			reason, where, dev, &ip_hdr(skb)->saddr,
			&ip_hdr(skb)->daddr, skb->len);
	else
		pr_info("invalid packet: %s, %s=%s src=%pI6c dst=%pI6c len=%u\n",
			reason, where, dev, &ipv6_hdr(skb)->saddr,
			&ipv6_hdr(skb)->daddr, skb->len);
}

static bool wants_listener(struct udptrack_net *un,
			   const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_IN &&
	       READ_ONCE(un->settings.require_listener);
}

/* A packet at the hook visits the table. */
struct hook_visit {
	struct udptrack_visit visit;
	const struct sk_buff *skb;
	const struct nf_hook_state *state;
};

/*
 * Whose flow it is shows when this host sends: its first packet, or else its
 * first answer.
 */
static void first_owner(const struct udptrack_visit *visit,
			struct udptrack_owner *owner)
{
	const struct hook_visit *hv = container_of(visit, struct hook_visit,
						   visit);

	if (hv->state->hook == NF_INET_LOCAL_OUT)
		udptrack_owner_get(owner, hv->skb, hv->state);
}

static void later_owner(struct udptrack_net *un, const struct sk_buff *skb,
			const struct nf_hook_state *state,
			const struct udptrack_key *key)
{
	struct udptrack_owner owner;

	if (state->hook != NF_INET_LOCAL_OUT)
		return;
	udptrack_owner_get(&owner, skb, state);
	udptrack_table_own(&un->table, key, &owner);
	udptrack_owner_put(&owner);
}

/* Find or make the packet's flow. */
static void commit(struct udptrack_net *un, const struct sk_buff *skb,
		   const struct nf_hook_state *state,
		   const struct udptrack_packet *pkt)
{
	const struct udptrack_settings *settings = &un->settings;
	struct hook_visit hv = {
		.visit.ifindex = state->hook == NF_INET_LOCAL_OUT ?
				 state->out->ifindex : 0,
		.visit.packets = pkt->packets,
		.visit.bytes = pkt->bytes,
		.visit.now_j = jiffies,
		.visit.max = READ_ONCE(settings->max),
		.visit.acct = READ_ONCE(settings->acct),
		/* What there is to ask before that is asked when it comes to it. */
		.visit.create = !wants_listener(un, state) &&
				!udptrack_asks_any(&un->asks),
		.visit.owner = first_owner,
		.skb = skb,
		.state = state,
	};
	struct udptrack_visit *visit = &hv.visit;
	struct udptrack_result result;
	enum udptrack_outcome outcome;
	struct udptrack_dns_visit dns;
	struct udptrack_key key;

	udptrack_settings_general(settings, &visit->timeouts);
	if (unlikely(pkt->is_special)) {
		udptrack_settings_timeouts(settings, &pkt->tuple,
					   &visit->timeouts);
		if (udptrack_packet_dns(un, skb, state, pkt, &dns))
			visit->dns = &dns;
	}
	visit->side = udptrack_key_from_tuple(&pkt->tuple, &key);

	outcome = udptrack_table_track(&un->table, &key, visit, &result);
	if (outcome == UDPTRACK_ABSENT) {
		if (wants_listener(un, state) &&
		    !udptrack_listener_wants(skb, &pkt->tuple, state)) {
			this_cpu_inc(un->stats->no_listener);
			return;
		}
		visit->create = true;
		visit->related = udptrack_asks_match(&un->asks, skb,
						     &pkt->tuple, state);
		outcome = udptrack_table_track(&un->table, &key, visit,
					       &result);
	}
	if (outcome == UDPTRACK_CREATED)
		udptrack_gc_kick(&un->gc);
	if (outcome == UDPTRACK_REFUSED && visit->dns && dns.asks)
		udptrack_dns_lose(&un->dns, dns.rules.now_us);
	if (outcome == UDPTRACK_FOUND && result.forged)
		udptrack_forged_log(un, state, &pkt->tuple, &dns.msg);
	if (outcome == UDPTRACK_FOUND && result.wants_owner)
		later_owner(un, skb, state, &key);
	if (!udptrack_packet_is_unicast(skb, &pkt->tuple))
		udptrack_asks_note(&un->asks, &pkt->tuple, visit,
				   state->hook);
}

static unsigned int commit_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct udptrack_net *un = udptrack_net(state->net);
	struct udptrack_packet pkt;

	if (udptrack_packet_is_looped(skb, state) || is_first_vrf_pass(state) ||
	    is_forwarded_by_ipvs(skb, state))
		return NF_ACCEPT;

	switch (udptrack_packet_inspect(un, skb, state, &pkt)) {
	case UDPTRACK_PACKET_OK:
		commit(un, skb, state, &pkt);
		break;
	case UDPTRACK_PACKET_NOT_UDP:
		break;
	case UDPTRACK_PACKET_FRAGMENT:
		this_cpu_inc(un->stats->fragment);
		break;
	case UDPTRACK_PACKET_LOOPBACK:
		this_cpu_inc(un->stats->loopback);
		break;
	case UDPTRACK_PACKET_EXEMPT:
		this_cpu_inc(un->stats->exempt);
		break;
	case UDPTRACK_PACKET_TRUNCATED:
		this_cpu_inc(un->stats->truncated);
		log_invalid(un, skb, state, "truncated header");
		break;
	case UDPTRACK_PACKET_MALFORMED:
		this_cpu_inc(un->stats->malformed);
		log_invalid(un, skb, state, "malformed header");
		break;
	case UDPTRACK_PACKET_BAD_CHECKSUM:
		this_cpu_inc(un->stats->bad_checksum);
		log_invalid(un, skb, state, "bad checksum");
		break;
	}
	return NF_ACCEPT;
}

#define COMMIT_HOOK(family, where) {					\
	.hook = commit_hook,						\
	.pf = (family),							\
	.hooknum = (where),						\
	.priority = COMMIT_PRIORITY,					\
}

static const struct nf_hook_ops hook_ops[] = {
	COMMIT_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	COMMIT_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN),
	COMMIT_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT),
	COMMIT_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN),
};

/**
 * udptrack_hooks_register - let a namespace's packets meet the tracker
 * @net: the namespace, otherwise ready
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks().
 */
int udptrack_hooks_register(struct net *net)
{
	return nf_register_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}

/**
 * udptrack_hooks_unregister - undo udptrack_hooks_register()
 * @net: the namespace
 *
 * Packets may be inside until an RCU grace period has passed.
 *
 * Context: process; may sleep.
 */
void udptrack_hooks_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}
