// SPDX-License-Identifier: GPL-2.0-only
/*
 * events - what happens to flows, passed on to those who want to be told.
 *
 * Owns the list of listeners, and the numbers of events: one row of numbers in
 * each network namespace, without a gap, so that who finds one knows that an
 * event was lost on its way. Where nobody listens, nothing is made ready and
 * no number is used up. Nobody is told of the flows that end because their
 * namespace or the module goes away.
 *
 * The table calls with the lock of a flow held. Under it comes the namespace's
 * own lock, under which an event has its number and the listeners' messages go
 * into the namespace's queue. They are sent later, by a worker and in order: to
 * send one may take the way of a packet (a device that watches netlink and is
 * mirrored into a tunnel), which takes locks of flows. When the queue is full,
 * because events come faster than they can be sent, the rest is lost.
 */
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <kunit/visibility.h>

#include "events.h"

/* Messages that wait to be sent, at most: some megabytes a namespace. */
#define QUEUE_MAX	4096

/* In a message's control buffer, while it waits. */
struct queued {
	const struct udptrack_listener *listener;
};

static struct workqueue_struct *senders;
static LIST_HEAD(listeners);
/* Who comes and goes takes turns; events read the list under RCU. */
static DEFINE_MUTEX(listeners_mutex);

/**
 * udptrack_events_subscribe - from now on tell somebody
 * @listener: who; stays where it is until udptrack_events_unsubscribe()
 *
 * Context: process; may sleep.
 */
void udptrack_events_subscribe(struct udptrack_listener *listener)
{
	mutex_lock(&listeners_mutex);
	list_add_tail_rcu(&listener->list, &listeners);
	mutex_unlock(&listeners_mutex);
}
EXPORT_SYMBOL_GPL(udptrack_events_subscribe);

/**
 * udptrack_events_unsubscribe - tell them no more
 * @listener: who
 *
 * Context: process; waits until all is sent that was to be sent.
 */
void udptrack_events_unsubscribe(struct udptrack_listener *listener)
{
	mutex_lock(&listeners_mutex);
	list_del_rcu(&listener->list);
	mutex_unlock(&listeners_mutex);
	/* No message of theirs comes into a queue any more, ... */
	synchronize_rcu();
	/* ... nor is in one. */
	flush_workqueue(senders);
}
EXPORT_SYMBOL_GPL(udptrack_events_unsubscribe);

static bool events_want(struct udptrack_watch *watch)
{
	struct udptrack_events *events = container_of(watch,
						      struct udptrack_events,
						      watch);
	struct udptrack_listener *listener;
	bool wanted = false;

	if (!READ_ONCE(*events->setting) || !READ_ONCE(events->open))
		return false;
	rcu_read_lock();
	list_for_each_entry_rcu(listener, &listeners, list) {
		wanted = listener->listens(events->net);
		if (wanted)
			break;
	}
	rcu_read_unlock();
	return wanted;
}

/* Put a message into the queue, if there is room. Under its lock. */
static bool enqueue(struct udptrack_events *events,
		    const struct udptrack_listener *listener,
		    struct sk_buff *skb)
{
	struct queued *queued = (struct queued *)skb->cb;

	BUILD_BUG_ON(sizeof(*queued) > sizeof(skb->cb));
	if (skb_queue_len(&events->queue) >= QUEUE_MAX)
		return false;
	queued->listener = listener;
	__skb_queue_tail(&events->queue, skb);
	return true;
}

static void tell(struct udptrack_events *events,
		 const struct udptrack_listener *listener,
		 const struct udptrack_event *event)
{
	struct sk_buff *skb;
	int err = listener->message(events->net, event, &skb);

	if (!err && !skb)
		return;
	if (!err && enqueue(events, listener, skb))
		return;
	if (!err)
		kfree_skb(skb);
	if (listener->lost)
		listener->lost(events->net, event);
}

static void events_event(struct udptrack_watch *watch,
			 struct udptrack_event *event)
{
	struct udptrack_events *events = container_of(watch,
						      struct udptrack_events,
						      watch);
	struct udptrack_listener *listener;

	event->seq = 0;
	rcu_read_lock();
	spin_lock_bh(&events->queue.lock);
	/* Once they are closed, nothing may wake the worker any more. */
	if (!events->open)
		goto out;
	list_for_each_entry_rcu(listener, &listeners, list) {
		if (!listener->listens(events->net))
			continue;
		/* The first one who wants it makes it an event. */
		if (!event->seq)
			event->seq = ++events->seq;
		tell(events, listener, event);
	}
	if (!skb_queue_empty(&events->queue))
		queue_work(senders, &events->work);
out:
	spin_unlock_bh(&events->queue.lock);
	rcu_read_unlock();
}

/*
 * Send what is there. What comes meanwhile wakes the worker again; so whoever
 * waits for it never waits for later events, of which there may be no end.
 */
static void events_send(struct work_struct *work)
{
	struct udptrack_events *events = container_of(work,
						      struct udptrack_events,
						      work);
	const struct udptrack_listener *listener;
	unsigned int left = skb_queue_len_lockless(&events->queue);
	struct sk_buff *skb;

	while (left-- && (skb = skb_dequeue(&events->queue))) {
		struct queued *queued = (struct queued *)skb->cb;

		listener = queued->listener;
		/* Netlink wants to find it as it was made. */
		queued->listener = NULL;
		listener->send(events->net, skb);
		cond_resched();
	}
}

/**
 * udptrack_events_init - make a network namespace's events ready
 * @events:  memory for them
 * @net:     the namespace
 * @setting: where it says whether there are to be any
 *
 * Processes are named to listeners in the first pid namespace's numbers, and
 * only in network namespaces of the first user namespace: a listener may be
 * anywhere else, and is not to learn of what it cannot see.
 *
 * Context: process.
 */
void udptrack_events_init(struct udptrack_events *events, struct net *net,
			  const unsigned int *setting)
{
	events->watch = (struct udptrack_watch) {
		.wants = events_want,
		.event = events_event,
		.reader = net->user_ns == &init_user_ns ? &init_pid_ns : NULL,
	};
	events->net = net;
	events->setting = setting;
	events->open = true;
	skb_queue_head_init(&events->queue);
	INIT_WORK(&events->work, events_send);
	events->seq = 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_events_init);

/**
 * udptrack_events_close - no events from now on
 * @events: of a network namespace on its way out
 *
 * Context: process; waits until all is sent that was to be sent.
 */
void udptrack_events_close(struct udptrack_events *events)
{
	spin_lock_bh(&events->queue.lock);
	WRITE_ONCE(events->open, false);
	spin_unlock_bh(&events->queue.lock);
	flush_work(&events->work);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_events_close);

/**
 * udptrack_events_seq - how many events there have been
 * @events: of a network namespace
 *
 * Context: process or softirq.
 * Return: number of the last one, 0 before the first.
 */
u64 udptrack_events_seq(struct udptrack_events *events)
{
	u64 seq;

	spin_lock_bh(&events->queue.lock);
	seq = events->seq;
	spin_unlock_bh(&events->queue.lock);
	return seq;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_events_seq);

/**
 * udptrack_events_module_init - make ready what all namespaces share
 *
 * Context: process, once.
 * Return: 0 or -ENOMEM.
 */
int udptrack_events_module_init(void)
{
	senders = alloc_workqueue("udptrack_events", WQ_UNBOUND, 0);
	return senders ? 0 : -ENOMEM;
}

/**
 * udptrack_events_module_exit - undo udptrack_events_module_init()
 *
 * Context: process, when there are no namespaces any more.
 */
void udptrack_events_module_exit(void)
{
	destroy_workqueue(senders);
}
