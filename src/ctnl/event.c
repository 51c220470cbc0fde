// SPDX-License-Identifier: GPL-2.0-only
/*
 * event - what happens to flows, told to conntrack -E and its like.
 *
 * Owns our listener to the tracker's events. The tracker has messages made with
 * the lock of a flow held, and none made or sent once a network namespace begins
 * to go away, when nfnetlink's socket may go before the flows do.
 */
#include <linux/netfilter/nfnetlink.h>

#include "../events.h"
#include "ctnl.h"
#include "entry.h"

/* The kernel knows of any network namespace, not of which. */
static bool listens(struct net *net)
{
	return nfnetlink_has_listeners(net, NFNLGRP_CONNTRACK_NEW) ||
	       nfnetlink_has_listeners(net, NFNLGRP_CONNTRACK_UPDATE) ||
	       nfnetlink_has_listeners(net, NFNLGRP_CONNTRACK_DESTROY);
}

/* The head of an event's message; false when conntrack has no word for it. */
static bool head_of(const struct udptrack_event *event,
		    struct udptrack_ctnl_head *head)
{
	*head = (struct udptrack_ctnl_head) { .type = IPCTNL_MSG_CT_NEW };
	switch (event->kind) {
	case UDPTRACK_EVENT_BEGIN:
		head->flags = NLM_F_CREATE | NLM_F_EXCL;
		return true;
	case UDPTRACK_EVENT_UPDATE:
		return true;
	case UDPTRACK_EVENT_END:
		head->type = IPCTNL_MSG_CT_DELETE;
		return true;
	case UDPTRACK_EVENT_DNS:
		break;
	}
	return false;
}

/* The group that a message is for, by its head. */
static unsigned int group_of(u8 type, u16 flags)
{
	if (type == IPCTNL_MSG_CT_DELETE)
		return NFNLGRP_CONNTRACK_DESTROY;
	return flags & NLM_F_CREATE ? NFNLGRP_CONNTRACK_NEW :
				      NFNLGRP_CONNTRACK_UPDATE;
}

static int message(struct net *net, const struct udptrack_event *event,
		   struct sk_buff **skb)
{
	struct udptrack_ctnl_head head;
	struct sk_buff *msg;

	*skb = NULL;
	if (!head_of(event, &head) ||
	    !nfnetlink_has_listeners(net, group_of(head.type, head.flags)))
		return 0;
	msg = nlmsg_new(udptrack_ctnl_entry_size(), GFP_ATOMIC | __GFP_NOWARN);
	if (!msg)
		return -ENOMEM;
	if (WARN_ON_ONCE(udptrack_ctnl_put_event(msg, &head, event))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	*skb = msg;
	return 0;
}

/* There are no numbers in these messages, so they are told that one is lost. */
static void lost(struct net *net, const struct udptrack_event *event)
{
	struct udptrack_ctnl_head head;

	if (head_of(event, &head))
		nfnetlink_set_err(net, 0, group_of(head.type, head.flags),
				  -ENOBUFS);
}

static void send(struct net *net, struct sk_buff *skb)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(skb);

	nfnetlink_send(skb, net, 0,
		       group_of(NFNL_MSG_TYPE(nlh->nlmsg_type),
				nlh->nlmsg_flags), 0, GFP_KERNEL);
}

static struct udptrack_listener listener = {
	.listens = listens,
	.message = message,
	.lost = lost,
	.send = send,
};

/**
 * udptrack_ctnl_event_start - tell of events from now on
 *
 * Context: process; may sleep.
 */
void udptrack_ctnl_event_start(void)
{
	udptrack_events_subscribe(&listener);
}

/**
 * udptrack_ctnl_event_stop - and no longer
 *
 * Context: process; waits for those under way.
 */
void udptrack_ctnl_event_stop(void)
{
	udptrack_events_unsubscribe(&listener);
}
