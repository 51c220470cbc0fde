// SPDX-License-Identifier: GPL-2.0-only
/*
 * main - loading and unloading.
 *
 * Owns the order: what everything shares, then the network namespaces, then
 * netlink, which asks them; back the other way round. The module parameters are
 * in settings.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "defrag.h"
#include "events.h"
#include "guard.h"
#include "netlink.h"
#include "netns.h"
#include "table.h"
#include "version.h"

static int __init udptrack_init(void)
{
	int err;

	err = udptrack_settings_module_init();
	if (err)
		return err;

	err = udptrack_table_module_init();
	if (err)
		return err;

	err = udptrack_events_module_init();
	if (err)
		goto err_table;

	err = udptrack_defrag_get();
	if (err)
		goto err_events;

	err = udptrack_netns_register();
	if (err)
		goto err_defrag;

	err = udptrack_netlink_register();
	if (err)
		goto err_netns;
	udptrack_guard_ready();

	pr_info("version " UDPTRACK_VERSION ", at most %u flows a network namespace\n",
		udptrack_defaults.max);
	return 0;

err_netns:
	udptrack_netns_unregister();
err_defrag:
	udptrack_defrag_put();
err_events:
	udptrack_events_module_exit();
err_table:
	udptrack_table_module_exit();
	return err;
}

static void __exit udptrack_exit(void)
{
	udptrack_netlink_unregister();
	udptrack_netns_unregister();
	udptrack_defrag_put();
	udptrack_events_module_exit();
	udptrack_table_module_exit();
}

module_init(udptrack_init);
module_exit(udptrack_exit);

MODULE_DESCRIPTION("UDP flow tracking for a host's own traffic");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(UDPTRACK_VERSION);
