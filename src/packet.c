// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet - what a packet at our hooks is: whether it may touch a flow, and its
 * state for the firewall.
 *
 * Owns nothing. Reads the settings, looks into the table, and changes neither;
 * of the packet it changes at most ip_summed, where a verified checksum is
 * noted. Runs at NF_INET_LOCAL_OUT and NF_INET_LOCAL_IN, in softirq or process
 * context under rcu_read_lock().
 */
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/netfilter/nf_conntrack.h>

#include "netns.h"
#include "packet.h"

/*
 * The interface a link-local address belongs to, which IPv6 alone has here. In
 * a VRF a packet comes in by the VRF's device, with the link's own noted in the
 * packet; it leaves by the link's own.
 */
static int link_ifindex(const struct sk_buff *skb,
			const struct nf_hook_state *state)
{
	if (state->pf == NFPROTO_IPV4)
		return 0;
#if IS_ENABLED(CONFIG_IPV6)
	if (state->hook == NF_INET_LOCAL_IN && inet6_sdif(skb))
		return inet6_sdif(skb);
#endif
	return udptrack_packet_device(state)->ifindex;
}

static bool has_bad_checksum(struct sk_buff *skb,
			     const struct nf_hook_state *state,
			     unsigned int thoff, u8 protocol)
{
	return udptrack_packet_is_unverified(skb, state) &&
	       !udptrack_packet_is_looped(skb, state) &&
	       nf_checksum(skb, state->hook, thoff, protocol, state->pf);
}

static bool is_exempt(const struct udptrack_settings *settings,
		      const struct udptrack_tuple *tuple)
{
	return udptrack_ports_has(&settings->exempt_ports, tuple->sport) ||
	       udptrack_ports_has(&settings->exempt_ports, tuple->dport);
}

static bool is_loopback_off(const struct udptrack_settings *settings,
			    const struct nf_hook_state *state)
{
	return (udptrack_packet_device(state)->flags & IFF_LOOPBACK) &&
	       !READ_ONCE(settings->loopback);
}

/**
 * udptrack_packet_inspect - may this packet touch a flow?
 * @un:    its network namespace
 * @skb:   the packet
 * @state: the hook it is at
 * @pkt:   filled in as by udptrack_tuple_parse(), and whether it is special
 *
 * Context: process or softirq.
 * Return: UDPTRACK_PACKET_OK, or why not.
 */
enum udptrack_verdict udptrack_packet_inspect(struct udptrack_net *un,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      struct udptrack_packet *pkt)
{
	const struct udptrack_settings *settings = &un->settings;
	enum udptrack_verdict verdict;

	verdict = udptrack_tuple_parse(skb, skb_network_offset(skb), state->pf,
				       link_ifindex(skb, state), pkt);
	if (unlikely(verdict != UDPTRACK_PACKET_OK))
		return verdict;
	if (unlikely(is_loopback_off(settings, state)))
		return UDPTRACK_PACKET_LOOPBACK;
	pkt->is_special = udptrack_settings_are_special(settings,
							pkt->tuple.sport,
							pkt->tuple.dport);
	if (unlikely(pkt->is_special) && is_exempt(settings, &pkt->tuple))
		return UDPTRACK_PACKET_EXEMPT;
	if (READ_ONCE(settings->checksum) && pkt->has_checksum &&
	    has_bad_checksum(skb, state, pkt->thoff, IPPROTO_UDP))
		return UDPTRACK_PACKET_BAD_CHECKSUM;
	return UDPTRACK_PACKET_OK;
}

/* Numbers of DNS questions to have memory for, for each flow there may be. */
#define DNS_SLOTS_PER_FLOW	8

/* As long as its flow lives, but no longer than an hour. */
static u32 dns_time(u32 timeout_j)
{
	return jiffies_to_usecs(min_t(u32, timeout_j, 3600 * HZ));
}

/**
 * udptrack_packet_dns - what is it as a DNS message?
 * @un:    its network namespace
 * @skb:   the packet
 * @state: the hook it is at
 * @pkt:   what udptrack_packet_inspect() knows of it
 * @dns:   filled in when true is returned
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true for what this host sends to a DNS port, and for what comes from
 * one and is no question. What looped was judged on its way out.
 */
bool udptrack_packet_dns(struct udptrack_net *un, const struct sk_buff *skb,
			 const struct nf_hook_state *state,
			 const struct udptrack_packet *pkt,
			 struct udptrack_dns_visit *dns)
{
	const struct udptrack_settings *settings = &un->settings;
	unsigned int mode = READ_ONCE(settings->dns);
	struct udptrack_timeouts timeouts;
	bool to, from;

	if (!pkt->is_special || mode == UDPTRACK_DNS_OFF ||
	    udptrack_packet_is_looped(skb, state))
		return false;
	to = udptrack_ports_has(&settings->dns_ports, pkt->tuple.dport);
	from = udptrack_ports_has(&settings->dns_ports, pkt->tuple.sport);
	if (!to && !from)
		return false;

	udptrack_dns_parse(skb, pkt->thoff + sizeof(struct udphdr), &dns->msg);
	/* Of several datagrams in one only the first can be read. */
	if (pkt->packets > 1)
		dns->msg.kind = UDPTRACK_DNS_SEVERAL;
	dns->asks = to && state->hook == NF_INET_LOCAL_OUT &&
		    dns->msg.kind != UDPTRACK_DNS_ANSWER &&
		    udptrack_packet_is_unicast(skb, pkt->tuple.family,
					       &pkt->tuple.dst);
	/* Between two servers, the other's question is no answer. */
	if (!dns->asks &&
	    (!from || (to && dns->msg.kind == UDPTRACK_DNS_QUESTION)))
		return false;
	udptrack_settings_timeouts(settings, &pkt->tuple, &timeouts);
	dns->linger_j = READ_ONCE(settings->dns_linger) * HZ;
	dns->rules.now_us = udptrack_dns_clock();
	dns->rules.open_us = dns_time(timeouts.unreplied_j);
	dns->rules.late_us = max(dns->rules.open_us,
				 dns_time(timeouts.stream_j));
	dns->rules.keep_us = dns_time(dns->linger_j);
	dns->rules.slots_max = DNS_SLOTS_PER_FLOW * READ_ONCE(settings->max);
	dns->enforce = mode == UDPTRACK_DNS_ENFORCE;
	return true;
}

/*
 * The ends that a looped packet had when it met its flow on its way out, where
 * nf_conntrack can tell: its NAT shows other addresses on the way in (when the
 * packet met its flow, its destination was translated already and its source
 * not yet), and but the first piece of a fragmented one has no ports.
 */
static bool ends_when_sent(const struct sk_buff *skb, bool fragment,
			   struct udptrack_tuple *tuple)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	const struct nf_conntrack_tuple *from, *to;
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct || (!fragment && !(ct->status & IPS_NAT_MASK)))
		return false;
	from = &ct->tuplehash[CTINFO2DIR(ctinfo)].tuple;
	to = &ct->tuplehash[!CTINFO2DIR(ctinfo)].tuple;
	tuple->src = from->src.u3;
	tuple->sport = from->src.u.udp.port;
	tuple->dst = to->src.u3;
	tuple->dport = to->src.u.udp.port;
	return true;
#else
	return false;
#endif
}

/* In the mode that makes it INVALID. */
static bool is_forged(struct udptrack_net *un, const struct sk_buff *skb,
		      const struct nf_hook_state *state,
		      const struct udptrack_packet *pkt)
{
	struct udptrack_dns_visit dns;
	struct udptrack_key key;
	unsigned int side;

	if (READ_ONCE(un->settings.dns) != UDPTRACK_DNS_ENFORCE ||
	    !udptrack_packet_dns(un, skb, state, pkt, &dns))
		return false;
	side = udptrack_key_from_tuple(&pkt->tuple, &key);
	return udptrack_table_forged(&un->table, &key, side, jiffies, &dns,
				     false);
}

static enum udptrack_class classify_udp(struct udptrack_net *un,
					const struct sk_buff *skb,
					const struct nf_hook_state *state,
					struct udptrack_tuple *tuple)
{
	bool looped = udptrack_packet_is_looped(skb, state);
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side;

	if (looped)
		ends_when_sent(skb, false, tuple);
	side = udptrack_key_from_tuple(tuple, &key);
	/*
	 * The second sight of a packet to its own sender: what counts is
	 * whether there was another before it.
	 */
	if (looped && udptrack_key_is_self(&key))
		side = UDPTRACK_SIDE_ORIGIN;
	udptrack_table_peek(&un->table, &key, side, jiffies, &class);
	if (class == UDPTRACK_NEW && !looped &&
	    udptrack_asks_match(&un->asks, skb, tuple, state))
		return UDPTRACK_RELATED;
	return class;
}

/*
 * IPv6 fragments that loop are not put together again before
 * NF_INET_LOCAL_IN when nf_conntrack has seen them: nf_defrag_ipv6 takes them
 * for done. Each is what the whole packet was.
 */
static enum udptrack_class classify_fragment(struct udptrack_net *un,
					     const struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     struct udptrack_tuple *tuple)
{
	const struct udptrack_settings *settings = &un->settings;

	if (!udptrack_packet_is_looped(skb, state) ||
	    !ends_when_sent(skb, true, tuple))
		return UDPTRACK_UNTRACKED;
	if (is_loopback_off(settings, state) || is_exempt(settings, tuple))
		return UDPTRACK_UNTRACKED;
	return classify_udp(un, skb, state, tuple);
}

/*
 * An ICMP error about a live flow is RELATED when it goes to the sender of the
 * packet it quotes, as nf_conntrack_inet_error() has it.
 */
static enum udptrack_class classify_error(struct udptrack_net *un,
					  struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	const struct udptrack_settings *settings = &un->settings;
	u8 protocol = state->pf == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	enum udptrack_verdict verdict;
	struct udptrack_quote quote;
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side;

	verdict = udptrack_tuple_parse_quoted(skb, skb_network_offset(skb),
					      state->pf,
					      link_ifindex(skb, state), &quote);
	if (verdict == UDPTRACK_PACKET_NOT_UDP)
		return UDPTRACK_NONE;
	if (is_loopback_off(settings, state))
		return UDPTRACK_UNTRACKED;
	if (verdict != UDPTRACK_PACKET_OK)
		return UDPTRACK_INVALID;
	if (is_exempt(settings, &quote.tuple))
		return UDPTRACK_UNTRACKED;
	if (READ_ONCE(settings->checksum) &&
	    has_bad_checksum(skb, state, quote.thoff, protocol))
		return UDPTRACK_INVALID;
	if (!nf_inet_addr_cmp(&quote.to, &quote.tuple.src))
		return UDPTRACK_INVALID;

	side = udptrack_key_from_tuple(&quote.tuple, &key);
	return udptrack_table_peek(&un->table, &key, side, jiffies, &class) ?
	       UDPTRACK_RELATED : UDPTRACK_INVALID;
}

/**
 * udptrack_packet_classify - a packet's state, for the firewall
 * @skb:   the packet
 * @state: the hook it is at, NF_INET_LOCAL_IN or NF_INET_LOCAL_OUT, at a
 *         priority between NAT's at NF_INET_LOCAL_OUT (-100) and the tracker's
 *
 * Looks and changes nothing, so that any number of rules may ask. A packet
 * that is to make a flow is NEW; that there is no room for it is known only
 * when it comes to that.
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: the state, or UDPTRACK_NONE for a packet that is neither UDP nor an
 * ICMP error about UDP.
 */
enum udptrack_class udptrack_packet_classify(struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	struct udptrack_net *un = udptrack_net_rcu(state->net);
	struct udptrack_packet pkt;

	switch (udptrack_packet_inspect(un, skb, state, &pkt)) {
	case UDPTRACK_PACKET_OK:
		if (is_forged(un, skb, state, &pkt))
			return UDPTRACK_INVALID;
		return classify_udp(un, skb, state, &pkt.tuple);
	case UDPTRACK_PACKET_NOT_UDP:
		return classify_error(un, skb, state);
	case UDPTRACK_PACKET_FRAGMENT:
		return classify_fragment(un, skb, state, &pkt.tuple);
	case UDPTRACK_PACKET_LOOPBACK:
	case UDPTRACK_PACKET_EXEMPT:
		return UDPTRACK_UNTRACKED;
	case UDPTRACK_PACKET_TRUNCATED:
	case UDPTRACK_PACKET_MALFORMED:
	case UDPTRACK_PACKET_BAD_CHECKSUM:
		break;
	}
	return UDPTRACK_INVALID;
}
EXPORT_SYMBOL_GPL(udptrack_packet_classify);
