/* SPDX-License-Identifier: GPL-2.0-only */
/* net.netfilter.udptrack_*: see sysctl.c. */
#ifndef UDPTRACK_SYSCTL_H
#define UDPTRACK_SYSCTL_H

#include <net/net_namespace.h>

struct udptrack_net;

int udptrack_sysctl_register(struct net *net, struct udptrack_net *un);
void udptrack_sysctl_unregister(struct udptrack_net *un);

#endif
