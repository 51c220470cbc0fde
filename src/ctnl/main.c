// SPDX-License-Identifier: GPL-2.0-only
/*
 * main - udptrack in the place of nf_conntrack_netlink, for those who want it.
 *
 * Owns the registration as nfnetlink's conntrack subsystem, of which there is
 * one on a machine, for all network namespaces. It has no alias, so nothing
 * but a human loads it; and where somebody else has the subsystem, it does not
 * load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "../version.h"
#include "ctnl.h"

static const struct nfnetlink_subsystem ctnl_subsystem = {
	.name = "conntrack",
	.subsys_id = NFNL_SUBSYS_CTNETLINK,
	.cb_count = IPCTNL_MSG_MAX,
	.cb = udptrack_ctnl_callbacks,
	.owner = THIS_MODULE,
};

static int __init udptrack_ctnl_init(void)
{
	int err = nfnetlink_subsys_register(&ctnl_subsystem);

	if (err) {
		pr_err("another module answers conntrack already: unload that (rmmod nf_conntrack_netlink), or do without this one\n");
		return err;
	}
	udptrack_ctnl_event_start();
	return 0;
}

static void __exit udptrack_ctnl_exit(void)
{
	udptrack_ctnl_event_stop();
	nfnetlink_subsys_unregister(&ctnl_subsystem);
}

module_init(udptrack_ctnl_init);
module_exit(udptrack_ctnl_exit);

MODULE_DESCRIPTION("The flows of udptrack for the tools of conntrack");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(UDPTRACK_VERSION);
