/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to flows, for those who want to be told: see events.c. */
#ifndef UDPTRACK_EVENTS_H
#define UDPTRACK_EVENTS_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "../include/uapi/linux/udptrack.h"

struct pid_namespace;
struct udptrack_snapshot;

/**
 * enum udptrack_event_kind - what happened
 * @UDPTRACK_EVENT_BEGIN:  a flow was made
 * @UDPTRACK_EVENT_UPDATE: it became another one, see @change
 * @UDPTRACK_EVENT_END:    it is gone, see @reason
 * @UDPTRACK_EVENT_DNS:    something is wrong with its DNS, see @alert
 */
enum udptrack_event_kind {
	UDPTRACK_EVENT_BEGIN,
	UDPTRACK_EVENT_UPDATE,
	UDPTRACK_EVENT_END,
	UDPTRACK_EVENT_DNS,
};

/**
 * struct udptrack_event - something that happened to a flow
 * @kind:   what
 * @change: enum udptrack_change bits, of an update
 * @reason: of an end
 * @alert:  of DNS
 * @stop_ns: of an end, when that was, in nanoseconds since 1970
 * @seq:    its number in its network namespace
 * @flow:   the flow just after it; at an end, with its last counters
 */
struct udptrack_event {
	enum udptrack_event_kind kind;
	unsigned int change;
	enum udptrack_reason reason;
	enum udptrack_alert alert;
	u64 stop_ns;
	u64 seq;
	const struct udptrack_snapshot *flow;
};

/**
 * struct udptrack_watch - who is told of what happens in a table
 * @wants:  is it worth the trouble, now? Cheap
 * @event:  take note; @seq is for it to fill in
 * @reader: the pid namespace in whose numbers it wants processes, or NULL
 *
 * Both are called with the lock of the flow held and bottom halves off.
 */
struct udptrack_watch {
	bool (*wants)(struct udptrack_watch *watch);
	void (*event)(struct udptrack_watch *watch,
		      struct udptrack_event *event);
	struct pid_namespace *reader;
};

/**
 * struct udptrack_events - the events of a network namespace
 * @watch:   what its table calls
 * @net:     the namespace
 * @setting: udptrack_events
 * @open:    the namespace is not on its way out
 * @queue:   messages that wait to be sent; its lock covers @open and @seq, too
 * @work:    sends them
 * @seq:     number of the last event
 */
struct udptrack_events {
	struct udptrack_watch watch;
	struct net *net;
	const unsigned int *setting;
	bool open;
	struct sk_buff_head queue;
	struct work_struct work;
	u64 seq;
};

/**
 * struct udptrack_listener - somebody who tells others of events
 * @list:    of all listeners
 * @listens: does anybody in this network namespace want to know? Cheap; any
 *           context, under rcu_read_lock()
 * @message: make the message that tells them, or NULL when the event is nothing
 *           to them; 0 or an error. Bottom halves are off and locks of the flow
 *           are held, so it neither sleeps nor calls the tracker. Events of a
 *           network namespace come one at a time, in the order of their numbers
 * @lost:    a message could not be made, or found no room; NULL if its number
 *           says enough. Called as @message is
 * @send:    send the message, and with it give it up; process context. Messages
 *           of a network namespace come in the order in which they were made
 */
struct udptrack_listener {
	struct list_head list;
	bool (*listens)(struct net *net);
	int (*message)(struct net *net, const struct udptrack_event *event,
		       struct sk_buff **skb);
	void (*lost)(struct net *net, const struct udptrack_event *event);
	void (*send)(struct net *net, struct sk_buff *skb);
};

int udptrack_events_module_init(void);
void udptrack_events_module_exit(void);
void udptrack_events_subscribe(struct udptrack_listener *listener);
void udptrack_events_unsubscribe(struct udptrack_listener *listener);
void udptrack_events_init(struct udptrack_events *events, struct net *net,
			  const unsigned int *setting);
void udptrack_events_close(struct udptrack_events *events);
u64 udptrack_events_seq(struct udptrack_events *events);

#endif
