/* SPDX-License-Identifier: GPL-2.0-only */
/* No bind() to the port of a flow that outlives its socket: see guard.c. */
#ifndef UDPTRACK_GUARD_H
#define UDPTRACK_GUARD_H

#include <linux/netfilter.h>
#include <linux/socket.h>
#include <linux/types.h>

#include "tuple.h"

struct net;

/**
 * struct udptrack_bind - what a bind() asks for
 * @addr:    the address
 * @any:     any address instead
 * @ipv4:    packets of IPv4 to it
 * @ipv6:    packets of IPv6
 * @port:    the port
 * @ifindex: the only interface for which it asks, or 0
 */
struct udptrack_bind {
	union nf_inet_addr addr;
	bool any;
	bool ipv4;
	bool ipv6;
	__be16 port;
	int ifindex;
};

bool udptrack_guard_parse(int family, bool v6only, int ifindex,
			  const struct sockaddr *addr, int len,
			  struct udptrack_bind *bind);
bool udptrack_guard_covers(const struct udptrack_bind *bind,
			   const struct udptrack_tuple *tuple);

void udptrack_guard_ready(void);
int udptrack_guard_open(struct net *net);
int udptrack_guard_set(struct net *net, unsigned int value);
void udptrack_guard_close(struct net *net);

#endif
