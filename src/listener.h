/* SPDX-License-Identifier: GPL-2.0-only */
/* Would a socket take this packet? See listener.c. */
#ifndef UDPTRACK_LISTENER_H
#define UDPTRACK_LISTENER_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "tuple.h"

bool udptrack_listener_wants(const struct sk_buff *skb,
			     const struct udptrack_tuple *tuple,
			     const struct nf_hook_state *state);
bool udptrack_listener_is_there(struct net *net,
				const struct udptrack_tuple *tuple,
				int ifindex);

#endif
