// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlevent - events as netlink messages.
 *
 * Owns the listener that sends them to the multicast group. Messages are made
 * with locks held and bottom halves off; see events.h. When there is no memory
 * or no room for one, its number is missing, and so the loss shows.
 */
#include "netlink.h"

#define PART(name)	BIT(UDPTRACK_A_FLOW_##name)

/* What each kind of event shows beside what all do. */
static const struct {
	u8 cmd;
	unsigned int parts;
} kinds[] = {
	[UDPTRACK_EVENT_BEGIN] = {
		UDPTRACK_CMD_NEW_EVENT, PART(TIMEOUT) | PART(TIMESTAMP),
	},
	[UDPTRACK_EVENT_UPDATE] = {
		UDPTRACK_CMD_UPDATE_EVENT, PART(TIMEOUT) | PART(TIMESTAMP) |
		PART(COUNTERS_ORIG) | PART(DNS),
	},
	[UDPTRACK_EVENT_END] = {
		UDPTRACK_CMD_DESTROY_EVENT, PART(TIMESTAMP) |
		PART(COUNTERS_ORIG) | PART(DNS),
	},
	[UDPTRACK_EVENT_DNS] = {
		UDPTRACK_CMD_DNS_EVENT, PART(TIMEOUT) | PART(DNS),
	},
};

/* What the event is about, in a word. */
static int put_what(struct sk_buff *skb, const struct udptrack_event *event)
{
	switch (event->kind) {
	case UDPTRACK_EVENT_UPDATE:
		return nla_put_u32(skb, UDPTRACK_A_FLOW_CHANGE, event->change);
	case UDPTRACK_EVENT_END:
		return nla_put_u32(skb, UDPTRACK_A_FLOW_REASON, event->reason);
	case UDPTRACK_EVENT_DNS:
		return nla_put_u32(skb, UDPTRACK_A_FLOW_ALERT, event->alert);
	default:
		return 0;
	}
}

static int put_event(struct sk_buff *skb, struct net *net,
		     const struct udptrack_event *event)
{
	void *hdr = genlmsg_put(skb, 0, 0, &udptrack_family, 0,
				kinds[event->kind].cmd);

	if (!hdr ||
	    nla_put_u64_64bit(skb, UDPTRACK_A_FLOW_EVENT_SEQ, event->seq,
			      UDPTRACK_A_FLOW_PAD) ||
	    put_what(skb, event) ||
	    udptrack_flow_put(skb, event->flow, kinds[event->kind].parts,
			      event->stop_ns, net->user_ns))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/*
 * The kernel knows whether anybody listens in any network namespace, not in
 * which.
 */
static bool nl_listens(struct net *net)
{
	return genl_has_listeners(&udptrack_family, net, UDPTRACK_GROUP_EVENTS);
}

static int nl_message(struct net *net, const struct udptrack_event *event,
		      struct sk_buff **skb)
{
	size_t size = udptrack_flow_size() + nla_total_size_64bit(8) +
		      nla_total_size(4);
	struct sk_buff *msg = genlmsg_new(size, GFP_ATOMIC | __GFP_NOWARN);

	if (!msg)
		return -ENOMEM;
	if (WARN_ON_ONCE(put_event(msg, net, event))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	*skb = msg;
	return 0;
}

static void nl_send(struct net *net, struct sk_buff *skb)
{
	genlmsg_multicast_netns(&udptrack_family, net, skb, 0,
				UDPTRACK_GROUP_EVENTS, GFP_KERNEL);
}

struct udptrack_listener udptrack_nl_listener = {
	.listens = nl_listens,
	.message = nl_message,
	.send = nl_send,
};
