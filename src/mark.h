/* SPDX-License-Identifier: GPL-2.0-only */
/* The state in skb->mark: see mark.c. */
#ifndef UDPTRACK_MARK_H
#define UDPTRACK_MARK_H

#include <linux/types.h>

struct net;

bool udptrack_mark_mask_valid(unsigned int mask);
int udptrack_mark_open(struct net *net);
int udptrack_mark_set(struct net *net, unsigned int mask);
void udptrack_mark_close(struct net *net);

#endif
