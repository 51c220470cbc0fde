/* SPDX-License-Identifier: GPL-2.0-only */
/* register_net_sysctl_sz() is there since 6.6, when the old name became a macro. */
#ifndef UDPTRACK_COMPAT_NET_NET_NAMESPACE_H
#define UDPTRACK_COMPAT_NET_NET_NAMESPACE_H

#include_next <net/net_namespace.h>

#ifndef register_net_sysctl
/* The caller's table ends in an empty entry, so its size need not be told. */
static inline struct ctl_table_header *
register_net_sysctl_sz(struct net *net, const char *path,
		       struct ctl_table *table, size_t table_size)
{
	return register_net_sysctl(net, path, table);
}
#endif

#endif
