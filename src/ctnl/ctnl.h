/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the ctnetlink shim have of each other: see main.c. */
#ifndef UDPTRACK_CTNL_H
#define UDPTRACK_CTNL_H

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/types.h>

/* request.c: what to do with each type of message. */
extern const struct nfnl_callback udptrack_ctnl_callbacks[IPCTNL_MSG_MAX];

/* stat.c */
int udptrack_ctnl_stat(struct sk_buff *skb, const struct nfnl_info *info,
		       const struct nlattr * const cda[]);
int udptrack_ctnl_stat_cpu(struct sk_buff *skb, const struct nfnl_info *info,
			   const struct nlattr * const cda[]);

/* event.c */
void udptrack_ctnl_event_start(void);
void udptrack_ctnl_event_stop(void);

#endif
