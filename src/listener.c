// SPDX-License-Identifier: GPL-2.0-only
/*
 * listener - would a socket take this packet?
 *
 * Owns nothing; asks the kernel's UDP socket tables. Called for inbound
 * packets that belong to no flow, so that a port scan of closed ports does not
 * fill the table.
 */
#include <linux/ipv6.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp.h>

#include "listener.h"
#include "packet.h"

/* The look-ups take no reference, and none is kept. */
static bool socket_bound(const struct sk_buff *skb,
			 const struct udptrack_tuple *tuple,
			 const struct nf_hook_state *state)
{
	int ifindex = state->in->ifindex;
	struct net *net = state->net;

	if (tuple->family == NFPROTO_IPV4)
		return __udp4_lib_lookup(net, tuple->src.ip, tuple->sport,
					 tuple->dst.ip, tuple->dport, ifindex,
					 inet_sdif(skb), net_udp_table(net),
					 NULL);
#if IS_ENABLED(CONFIG_IPV6)
	return __udp6_lib_lookup(net, &tuple->src.in6, tuple->sport,
				 &tuple->dst.in6, tuple->dport, ifindex,
				 inet6_sdif(skb), net_udp_table(net), NULL);
#else
	return false;
#endif
}

/**
 * udptrack_listener_wants - would anybody take this inbound packet?
 * @skb:   a packet at NF_INET_LOCAL_IN
 * @tuple: its ends
 * @state: the hook it is at
 *
 * True for multicast and broadcast, where no single socket decides, and for a
 * packet that already has its socket (TPROXY, early demultiplexing). Otherwise
 * the socket tables are asked as udp_rcv() asks them, so that sockets bound to
 * an address, a device or a VRF count, as do those of kernel tunnels.
 *
 * Context: softirq or process, under rcu_read_lock().
 * Return: true when a flow may be made for it.
 */
bool udptrack_listener_wants(const struct sk_buff *skb,
			     const struct udptrack_tuple *tuple,
			     const struct nf_hook_state *state)
{
	return skb->sk || !udptrack_packet_is_unicast(skb, tuple) ||
	       socket_bound(skb, tuple, state);
}
