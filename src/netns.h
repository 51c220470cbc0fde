/* SPDX-License-Identifier: GPL-2.0-only */
/* What udptrack keeps for each network namespace: see netns.c. */
#ifndef UDPTRACK_NETNS_H
#define UDPTRACK_NETNS_H

#include <linux/ratelimit_types.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "asks.h"
#include "dns.h"
#include "events.h"
#include "gc.h"
#include "optional.h"
#include "settings.h"
#include "stats.h"
#include "table.h"

/**
 * struct udptrack_net - udptrack in one network namespace
 * @settings:    what its root may set
 * @table:       its flows
 * @gc:          their collector
 * @events:      what is told of them
 * @asks:        multicast and broadcast requests
 * @mark:        its mark hooks
 * @forged:      its hooks that count forged DNS answers
 * @guard:       its part in the guard of bind()
 * @stats:       counters
 * @dns:         what the DNS questions of its flows share
 * @sysctls:     registration of the sysctls
 * @invalid_log: limits the rate of INVALID log lines
 * @forged_log:  limits the rate of log lines about forged DNS answers
 */
struct udptrack_net {
	struct udptrack_settings settings;
	struct udptrack_table table;
	struct udptrack_gc gc;
	struct udptrack_events events;
	struct udptrack_asks asks;
	struct udptrack_optional mark;
	struct udptrack_optional forged;
	struct udptrack_optional guard;
	struct udptrack_stats __percpu *stats;
	struct udptrack_dns_pool dns;
	struct ctl_table_header *sysctls;
	struct ratelimit_state invalid_log;
	struct ratelimit_state forged_log;
};

extern unsigned int udptrack_net_id;

/**
 * udptrack_net - udptrack's part of a network namespace
 * @net: the namespace
 *
 * Context: any, while the namespace and the module are there.
 * Return: never NULL.
 */
static inline struct udptrack_net *udptrack_net(const struct net *net)
{
	return net_generic(net, udptrack_net_id);
}

/**
 * udptrack_net_rcu - as udptrack_net(), without a lock of its own
 * @net: the namespace
 *
 * net_generic() takes rcu_read_lock() once more, which is two calls where the
 * kernel can be preempted.
 *
 * Context: under rcu_read_lock(), as all hooks are, while the namespace and the
 * module are there.
 * Return: never NULL.
 */
static inline struct udptrack_net *udptrack_net_rcu(const struct net *net)
{
	return rcu_dereference(net->gen)->ptr[udptrack_net_id];
}

int udptrack_netns_register(void);
void udptrack_netns_unregister(void);

#endif
