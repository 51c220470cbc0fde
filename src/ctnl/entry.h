/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow as ctnetlink writes it: see entry.c. */
#ifndef UDPTRACK_CTNL_ENTRY_H
#define UDPTRACK_CTNL_ENTRY_H

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct udptrack_event;
struct udptrack_snapshot;

/**
 * struct udptrack_ctnl_head - the head of a message about a flow
 * @portid: whom it is for, 0 for a multicast group
 * @seq:    the request that it answers
 * @type:   IPCTNL_MSG_CT_NEW, or IPCTNL_MSG_CT_DELETE
 * @flags:  NLM_F_*
 */
struct udptrack_ctnl_head {
	u32 portid;
	u32 seq;
	enum cntl_msg_types type;
	u16 flags;
};

u32 udptrack_ctnl_status(const struct udptrack_snapshot *flow);
u32 udptrack_ctnl_id(const struct udptrack_snapshot *flow);
size_t udptrack_ctnl_entry_size(void);
int udptrack_ctnl_put_entry(struct sk_buff *skb,
			    const struct udptrack_ctnl_head *head,
			    const struct udptrack_snapshot *flow);
int udptrack_ctnl_put_event(struct sk_buff *skb,
			    const struct udptrack_ctnl_head *head,
			    const struct udptrack_event *event);

#endif
