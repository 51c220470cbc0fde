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
#include <linux/jiffies.h>
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
#include "plain.h"

/* After NF_IP_PRI_SECURITY (50), before IPVS (98) and NF_IP_PRI_NAT_SRC. */
#define COMMIT_PRIORITY	60

/*
 * A packet into a VRF passes NF_INET_LOCAL_OUT with the VRF's device first and
 * then with the interface below it, or, when it stays within the VRF,
 * NF_INET_LOCAL_IN, where it does not look looped. Either is where to see it.
 */
static bool is_first_vrf_pass(const struct nf_hook_state *state)
{
	return netif_is_l3_master(state->out);
}

/*
 * IPVS sends what it forwards through NF_INET_LOCAL_OUT, but the answers do
 * not come back to this host. Only a packet that came in has a device already.
 */
static bool is_forwarded_by_ipvs(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return skb->ipvs_property && skb->dev;
#else
	return false;
#endif
}

/* Was it seen already, or will it be, or is it none of this host's? */
static __always_inline bool is_seen_elsewhere(const struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      bool out)
{
	if (out)
		return is_first_vrf_pass(state) || is_forwarded_by_ipvs(skb);
	return udptrack_packet_is_looped(skb, state);
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

static bool wants_listener(struct udptrack_net *un, bool out)
{
	return !out && READ_ONCE(un->settings.require_listener);
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

/* Why a packet touches no flow. */
static noinline void refuse(struct udptrack_net *un, const struct sk_buff *skb,
			    const struct nf_hook_state *state,
			    enum udptrack_verdict verdict)
{
	switch (verdict) {
	case UDPTRACK_PACKET_OK:
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
}

/* The way of every packet to the table. False when it may not go there. */
static noinline bool prepare(struct udptrack_net *un, struct sk_buff *skb,
			     const struct nf_hook_state *state,
			     struct udptrack_key *key,
			     struct udptrack_visit *visit,
			     struct udptrack_dns_visit *dns)
{
	struct udptrack_packet pkt;
	enum udptrack_verdict verdict;

	verdict = udptrack_packet_inspect(un, skb, state, &pkt);
	if (verdict != UDPTRACK_PACKET_OK) {
		refuse(un, skb, state, verdict);
		return false;
	}
	visit->side = udptrack_key_from_tuple(&pkt.tuple, key);
	visit->packets = pkt.packets;
	visit->bytes = pkt.bytes;
	udptrack_settings_timeouts(&un->settings, &pkt.tuple, &visit->timeouts);
	if (udptrack_packet_dns(un, skb, state, &pkt, dns))
		visit->dns = dns;
	return true;
}

/*
 * As udptrack_packet_inspect() judges; a packet that looped does not come here.
 * @is_special saves looking for ports that no list mentions.
 */
static __always_inline enum udptrack_verdict
inspect_plain(const struct udptrack_settings *settings, struct sk_buff *skb,
	      const struct nf_hook_state *state, u8 family, bool out,
	      const struct udphdr *udp, bool is_special)
{
	if (out && (state->out->flags & IFF_LOOPBACK) &&
	    !READ_ONCE(settings->loopback))
		return UDPTRACK_PACKET_LOOPBACK;
	if (unlikely(is_special) &&
	    (udptrack_ports_has(&settings->exempt_ports, udp->source) ||
	     udptrack_ports_has(&settings->exempt_ports, udp->dest)))
		return UDPTRACK_PACKET_EXEMPT;
	if (!out && udptrack_packet_is_unverified(skb, state) &&
	    READ_ONCE(settings->checksum) && udp->check &&
	    nf_checksum(skb, state->hook, (const u8 *)udp - skb->data,
			IPPROTO_UDP, family))
		return UDPTRACK_PACKET_BAD_CHECKSUM;
	return UDPTRACK_PACKET_OK;
}

/* A plain packet of a port that lists may mention. */
static noinline void prepare_special(struct udptrack_net *un,
				     const struct sk_buff *skb,
				     const struct nf_hook_state *state,
				     const struct udptrack_key *key,
				     const struct udphdr *udp,
				     struct udptrack_visit *visit,
				     struct udptrack_dns_visit *dns)
{
	struct udptrack_packet pkt __uninitialized;

	udptrack_key_to_tuple(key, visit->side, &pkt.tuple);
	pkt.thoff = (const u8 *)udp - skb->data;
	pkt.packets = visit->packets;
	pkt.bytes = visit->bytes;
	pkt.has_checksum = udp->check;
	pkt.is_special = true;
	udptrack_settings_timeouts(&un->settings, &pkt.tuple, &visit->timeouts);
	if (udptrack_packet_dns(un, skb, state, &pkt, dns))
		visit->dns = dns;
}

/*
 * What prepare() does, for what nearly every packet is: nothing about it is to
 * be looked up or told, and of the settings the numbers do.
 */
static __always_inline bool prepare_plain(struct udptrack_net *un,
					  struct sk_buff *skb,
					  const struct nf_hook_state *state,
					  u8 family, bool out,
					  const struct udptrack_key *key,
					  const struct udptrack_plain *plain,
					  struct udptrack_visit *visit,
					  struct udptrack_dns_visit *dns)
{
	const struct udptrack_settings *settings = &un->settings;
	enum udptrack_verdict verdict;
	bool is_special;

	is_special = udptrack_settings_are_special(settings, plain->udp->source,
						   plain->udp->dest);
	verdict = inspect_plain(settings, skb, state, family, out, plain->udp,
				is_special);
	if (unlikely(verdict != UDPTRACK_PACKET_OK)) {
		refuse(un, skb, state, verdict);
		return false;
	}
	visit->side = plain->side;
	visit->packets = 1;
	visit->bytes = plain->bytes;
	udptrack_settings_general(settings, &visit->timeouts);
	if (unlikely(is_special))
		prepare_special(un, skb, state, key, plain->udp, visit,
				dns);
	return true;
}

/* It belongs to no flow so far. May it make one? */
static bool may_create(struct udptrack_net *un, const struct hook_visit *hv,
		       const struct udptrack_tuple *tuple)
{
	if (wants_listener(un, hv->state->hook == NF_INET_LOCAL_OUT) &&
	    !udptrack_listener_wants(hv->skb, tuple, hv->state)) {
		this_cpu_inc(un->stats->no_listener);
		return false;
	}
	return true;
}

/*
 * What is left to do when it did not just belong to a flow or make one, or goes
 * to many hosts.
 */
static noinline void follow_up(struct udptrack_net *un, struct hook_visit *hv,
			       const struct udptrack_key *key,
			       const struct udptrack_dns_visit *dns,
			       enum udptrack_outcome outcome,
			       struct udptrack_result *result)
{
	struct udptrack_visit *visit = &hv->visit;
	struct udptrack_tuple tuple;

	udptrack_key_to_tuple(key, visit->side, &tuple);
	if (outcome == UDPTRACK_ABSENT) {
		if (!may_create(un, hv, &tuple))
			return;
		visit->create = true;
		visit->related = udptrack_asks_match(&un->asks, hv->skb, &tuple,
						     hv->state);
		outcome = udptrack_table_track(&un->table, key, visit, result);
		if (outcome == UDPTRACK_CREATED)
			udptrack_gc_kick(&un->gc);
	}
	if (outcome == UDPTRACK_REFUSED && visit->dns && dns->asks)
		udptrack_dns_lose(&un->dns, dns->rules.now_us);
	if (outcome == UDPTRACK_FOUND && result->forged)
		udptrack_forged_log(un, hv->state, &tuple, &dns->msg);
	if (outcome == UDPTRACK_FOUND && result->wants_owner)
		later_owner(un, hv->skb, hv->state, key);
	if (!udptrack_packet_is_unicast(hv->skb, tuple.family, &tuple.dst))
		udptrack_asks_note(&un->asks, &tuple, visit, hv->state->hook);
}

/* Find or make the packet's flow. @family and @out are constant, see below. */
static __always_inline unsigned int commit(struct udptrack_net *un,
					   struct sk_buff *skb,
					   const struct nf_hook_state *state,
					   u8 family, bool out)
{
	/*
	 * All members are written below, where they are read at all; the
	 * kernel would first clear them, for every packet.
	 */
	struct udptrack_key key __uninitialized __aligned(8);
	struct udptrack_dns_visit dns __uninitialized;
	struct udptrack_result result __uninitialized;
	struct udptrack_plain plain __uninitialized;
	struct udptrack_seen seen __uninitialized;
	struct hook_visit hv __uninitialized;
	struct udptrack_visit *visit = &hv.visit;
	enum udptrack_outcome outcome;
	bool ready;

	if (is_seen_elsewhere(skb, state, out))
		return NF_ACCEPT;
	visit->dns = NULL;
	visit->now_j = jiffies;
	if (likely(udptrack_plain_read(skb, skb_network_offset(skb), family,
				       &key, &plain)))
		ready = prepare_plain(un, skb, state, family, out, &key, &plain,
				      visit, &dns);
	else
		ready = prepare(un, skb, state, &key, visit, &dns);
	if (!ready)
		return NF_ACCEPT;
	visit->seen = NULL;
	if (likely(!visit->dns)) {
		/* Such a flow is answered, hence between two hosts. */
		if (udptrack_table_stream(&un->table, &key, visit->side,
					  visit->now_j,
					  visit->timeouts.stream_j,
					  visit->packets, visit->bytes, &seen))
			return NF_ACCEPT;
		visit->seen = &seen;
	}

	visit->ifindex = out ? state->out->ifindex : 0;
	visit->max = READ_ONCE(un->settings.max);
	visit->acct = READ_ONCE(un->settings.acct);
	/* What there is to ask before that is asked when it comes to it. */
	visit->create = !wants_listener(un, out) &&
			!udptrack_asks_any(&un->asks);
	visit->related = false;
	visit->owner = first_owner;
	hv.skb = skb;
	hv.state = state;

	outcome = udptrack_table_track(&un->table, &key, visit, &result);
	if (outcome == UDPTRACK_CREATED)
		udptrack_gc_kick(&un->gc);
	if (unlikely((outcome != UDPTRACK_FOUND &&
		      outcome != UDPTRACK_CREATED) ||
		     result.forged || (out && result.wants_owner) ||
		     !udptrack_packet_is_unicast(skb, family,
						 &key.addr[!visit->side])))
		follow_up(un, &hv, &key, &dns, outcome, &result);
	return NF_ACCEPT;
}

/* One for each hook, so that there is nothing in it that belongs to another. */
static noinline unsigned int commit_ipv4_out(struct udptrack_net *un,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	return commit(un, skb, state, NFPROTO_IPV4, true);
}

static noinline unsigned int commit_ipv4_in(struct udptrack_net *un,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	return commit(un, skb, state, NFPROTO_IPV4, false);
}

static noinline unsigned int commit_ipv6_out(struct udptrack_net *un,
					     struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	return commit(un, skb, state, NFPROTO_IPV6, true);
}

static noinline unsigned int commit_ipv6_in(struct udptrack_net *un,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	return commit(un, skb, state, NFPROTO_IPV6, false);
}

/* Other protocols leave at the first look, before anything needs a frame. */
static unsigned int commit_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	bool out = state->hook == NF_INET_LOCAL_OUT;
	struct udptrack_net *un;

	if (udptrack_packet_is_other(skb, state))
		return NF_ACCEPT;
	un = udptrack_net_rcu(state->net);
	if (state->pf == NFPROTO_IPV4)
		return out ? commit_ipv4_out(un, skb, state)
			   : commit_ipv4_in(un, skb, state);
	return out ? commit_ipv6_out(un, skb, state)
		   : commit_ipv6_in(un, skb, state);
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
