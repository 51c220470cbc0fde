// SPDX-License-Identifier: GPL-2.0-only
/*
 * listener - would a socket take this packet?
 *
 * Owns nothing; asks the kernel's UDP socket tables. Called for inbound
 * packets that belong to no flow, so that a port scan of closed ports does not
 * fill the table, and for flows whose socket may be gone.
 */
#include <linux/ipv6.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/udp.h>

#include "listener.h"
#include "packet.h"

/* The look-ups take no reference, and none is kept. */
static bool socket_bound(struct net *net, const struct udptrack_tuple *tuple,
			 int dif, int sdif)
{
	if (tuple->family == NFPROTO_IPV4)
		return __udp4_lib_lookup(net, tuple->src.ip, tuple->sport,
					 tuple->dst.ip, tuple->dport, dif, sdif,
					 net_udp_table(net), NULL);
#if IS_ENABLED(CONFIG_IPV6)
	return __udp6_lib_lookup(net, &tuple->src.in6, tuple->sport,
				 &tuple->dst.in6, tuple->dport, dif, sdif,
				 net_udp_table(net), NULL);
#else
	return false;
#endif
}

/* In a VRF, the interface below it by which the packet really came. */
static int packet_sdif(const struct sk_buff *skb,
		       const struct udptrack_tuple *tuple)
{
	if (tuple->family == NFPROTO_IPV4)
		return inet_sdif(skb);
#if IS_ENABLED(CONFIG_IPV6)
	return inet6_sdif(skb);
#else
	return 0;
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
	return skb->sk || !udptrack_packet_is_unicast(skb, tuple->family,
							&tuple->dst) ||
	       socket_bound(state->net, tuple, state->in->ifindex,
			    packet_sdif(skb, tuple));
}

/**
 * udptrack_listener_is_there - is there a socket for packets with these ends?
 * @net:     the network namespace
 * @tuple:   the ends, as of an inbound unicast packet
 * @ifindex: the interface by which it would come in
 *
 * Context: any but hard interrupts, under rcu_read_lock().
 * Return: true when there is.
 */
bool udptrack_listener_is_there(struct net *net,
				const struct udptrack_tuple *tuple,
				int ifindex)
{
	int vrf = l3mdev_master_ifindex_by_index(net, ifindex);

	return vrf ? socket_bound(net, tuple, vrf, ifindex)
		   : socket_bound(net, tuple, ifindex, 0);
}
