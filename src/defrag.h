/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole IPv6 datagrams at the hooks: see defrag.c. */
#ifndef UDPTRACK_DEFRAG_H
#define UDPTRACK_DEFRAG_H

#include <net/net_namespace.h>

int udptrack_defrag_get(void);
void udptrack_defrag_put(void);
int udptrack_defrag_enable(struct net *net);
void udptrack_defrag_disable(struct net *net);

#endif
