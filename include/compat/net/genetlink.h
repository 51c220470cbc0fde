/* SPDX-License-Identifier: GPL-2.0-only */
/* What a dump asks for is a struct genl_info since 6.7; before, it has its attributes, too. */
#ifndef UDPTRACK_COMPAT_NET_GENETLINK_H
#define UDPTRACK_COMPAT_NET_GENETLINK_H

#include <linux/version.h>
#include_next <net/genetlink.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline const struct genl_dumpit_info *
genl_info_dump(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb);
}
#endif

#endif
