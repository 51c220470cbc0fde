// SPDX-License-Identifier: GPL-2.0-only
/*
 * netns - what udptrack keeps for each network namespace, and the order in
 * which it comes and goes.
 *
 * Owns struct udptrack_net. Up: settings and table first, what shows them
 * next, hooks last. Down: .pre_exit takes the hooks away and ends the events,
 * the core waits for RCU so that no packet is inside any more, and .exit_batch
 * undoes the rest. Nobody is told of the flows that end with their namespace.
 */
#include <linux/netdevice.h>
#include <linux/ratelimit.h>
#include <net/net_namespace.h>

#include "defrag.h"
#include "forged.h"
#include "guard.h"
#include "hooks.h"
#include "mark.h"
#include "netns.h"
#include "proc.h"
#include "sysctl.h"

unsigned int udptrack_net_id __read_mostly;
EXPORT_SYMBOL_GPL(udptrack_net_id);
/* Namespaces that come now were there before us. */
static bool is_loading;

static int __net_init udptrack_net_init(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);
	int err;

	ratelimit_state_init(&un->invalid_log, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	ratelimit_state_init(&un->forged_log, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	udptrack_settings_init(&un->settings);

	err = -ENOMEM;
	un->stats = alloc_percpu(struct udptrack_stats);
	if (!un->stats)
		goto err_settings;
	un->dns.stats = alloc_percpu(struct udptrack_dns_stats);
	if (!un->dns.stats)
		goto err_stats;

	err = udptrack_table_init(&un->table, un->stats);
	if (err)
		goto err_dns_stats;
	un->table.dns = &un->dns;
	udptrack_events_init(&un->events, net, &un->settings.events);
	un->table.watch = &un->events.watch;
	/* Who is here already may have asked something. */
	if (is_loading)
		udptrack_dns_lose(&un->dns, udptrack_dns_clock());
	udptrack_gc_init(&un->gc, &un->table);

	err = udptrack_asks_init(&un->asks);
	if (err)
		goto err_table;

	err = udptrack_sysctl_register(net, un);
	if (err)
		goto err_asks;

	err = udptrack_proc_register(net);
	if (err)
		goto err_sysctl;

	err = udptrack_defrag_enable(net);
	if (err)
		goto err_proc;

	err = udptrack_hooks_register(net);
	if (err)
		goto err_hooks;

	err = udptrack_mark_open(net);
	if (err)
		goto err_mark;

	err = udptrack_forged_open(net);
	if (err)
		goto err_forged;

	err = udptrack_guard_open(net);
	if (err)
		goto err_guard;
	return 0;

err_guard:
	udptrack_guard_close(net);
err_forged:
	udptrack_forged_close(net);
err_mark:
	udptrack_mark_close(net);
	udptrack_hooks_unregister(net);
err_hooks:
	/* Some may have been there, with packets inside that made flows. */
	synchronize_net();
	udptrack_gc_stop(&un->gc);
	udptrack_events_close(&un->events);
	udptrack_defrag_disable(net);
err_proc:
	udptrack_proc_unregister(net);
err_sysctl:
	udptrack_sysctl_unregister(un);
err_asks:
	udptrack_asks_destroy(&un->asks);
err_table:
	udptrack_table_destroy(&un->table);
err_dns_stats:
	free_percpu(un->dns.stats);
err_stats:
	free_percpu(un->stats);
err_settings:
	udptrack_settings_free(&un->settings);
	return err;
}

static void __net_exit udptrack_net_pre_exit(struct net *net)
{
	udptrack_guard_close(net);
	udptrack_forged_close(net);
	udptrack_mark_close(net);
	udptrack_hooks_unregister(net);
	udptrack_defrag_disable(net);
	udptrack_events_close(&udptrack_net(net)->events);
}

static void __net_exit udptrack_net_stop(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	udptrack_proc_unregister(net);
	udptrack_sysctl_unregister(un);
	udptrack_asks_stop(&un->asks);
	udptrack_gc_stop(&un->gc);
	udptrack_table_stop(&un->table);
}

static void __net_exit udptrack_net_free(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	udptrack_asks_free(&un->asks);
	udptrack_table_free(&un->table);
	free_percpu(un->dns.stats);
	free_percpu(un->stats);
	udptrack_settings_free(&un->settings);
}

static void __net_exit udptrack_net_exit_batch(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		udptrack_net_stop(net);
	/* For the flows of all of them. */
	rcu_barrier();
	list_for_each_entry(net, nets, exit_list)
		udptrack_net_free(net);
}

static struct pernet_operations udptrack_net_ops = {
	.init = udptrack_net_init,
	.pre_exit = udptrack_net_pre_exit,
	.exit_batch = udptrack_net_exit_batch,
	.id = &udptrack_net_id,
	.size = sizeof(struct udptrack_net),
};

/**
 * udptrack_netns_register - begin in every network namespace, now and to come
 *
 * Context: process; may sleep.
 * Return: 0 or the error of the namespace that failed.
 */
int udptrack_netns_register(void)
{
	int err;

	is_loading = true;
	err = register_pernet_subsys(&udptrack_net_ops);
	is_loading = false;
	return err;
}

/**
 * udptrack_netns_unregister - leave every network namespace
 *
 * Context: process; may sleep.
 */
void udptrack_netns_unregister(void)
{
	unregister_pernet_subsys(&udptrack_net_ops);
}
