/* SPDX-License-Identifier: GPL-2.0-only */
/* Where packets meet the tracker: see hooks.c. */
#ifndef UDPTRACK_HOOKS_H
#define UDPTRACK_HOOKS_H

#include <net/net_namespace.h>

int udptrack_hooks_register(struct net *net);
void udptrack_hooks_unregister(struct net *net);

#endif
