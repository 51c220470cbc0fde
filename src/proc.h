/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/net/udptrack and /proc/net/stat/udptrack: see proc.c. */
#ifndef UDPTRACK_PROC_H
#define UDPTRACK_PROC_H

#include <net/net_namespace.h>

int udptrack_proc_register(struct net *net);
void udptrack_proc_unregister(struct net *net);

#endif
