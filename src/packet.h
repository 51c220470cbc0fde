/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet at our hooks is: see packet.c. */
#ifndef UDPTRACK_PACKET_H
#define UDPTRACK_PACKET_H

#include <linux/netfilter.h>

#include "dns.h"
#include "state.h"
#include "tuple.h"

struct udptrack_net;

enum udptrack_verdict udptrack_packet_inspect(struct udptrack_net *un,
					      struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      struct udptrack_packet *pkt);
enum udptrack_class udptrack_packet_classify(struct sk_buff *skb,
					     const struct nf_hook_state *state);
bool udptrack_packet_dns(struct udptrack_net *un, const struct sk_buff *skb,
			 const struct nf_hook_state *state,
			 const struct udptrack_packet *pkt,
			 struct udptrack_dns_visit *dns);
bool udptrack_packet_is_looped(const struct sk_buff *skb,
			       const struct nf_hook_state *state);
bool udptrack_packet_is_unicast(const struct sk_buff *skb,
				const struct udptrack_tuple *tuple);

/**
 * udptrack_packet_device - the interface a packet came from or leaves by
 * @state: the hook it is at
 *
 * Context: any.
 * Return: never NULL at our hooks.
 */
static inline const struct net_device *
udptrack_packet_device(const struct nf_hook_state *state)
{
	return state->hook == NF_INET_LOCAL_OUT ? state->out : state->in;
}

#endif
