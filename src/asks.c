// SPDX-License-Identifier: GPL-2.0-only
/*
 * asks - requests to many hosts, which any of them may answer.
 *
 * A multicast or broadcast request (mDNS, SSDP, NetBIOS, DHCP) is answered from
 * other addresses than it went to, so that no tuple of an answer is its
 * inverse. What an answer does share with it are the ports, and the address
 * that asked. This is what is kept here, as long as the request's flow lives.
 *
 * Owns a second flow table, of pseudo-flows: from the address and port that
 * may be answered to, to the port that was asked on no address. So requests
 * expire, are collected, and make room for each other by the same code as
 * flows. Any context.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <net/ipv6.h>
#include <kunit/visibility.h>

#include "asks.h"
#include "packet.h"

/*
 * The request that could be answered to this address and port, from that one.
 * The other end is no address that there is, lest it be taken for the asker,
 * who may have none yet (0.0.0.0). An address for which the link matters has it
 * in the key; the tuple's own scope may be due to its other end.
 */
static unsigned int ask_key(u8 family, const union nf_inet_addr *addr,
			    __be16 port, __be16 asked, u32 scope,
			    struct udptrack_key *key)
{
	struct udptrack_tuple ask = {
		.family = family,
		.src = *addr,
		.dst.all[3] = ~0U,
		.sport = port,
		.dport = asked,
	};

	if (family == NFPROTO_IPV6 &&
	    __ipv6_addr_needs_scope_id(__ipv6_addr_type(&addr->in6)))
		ask.scope = scope;
	return udptrack_key_from_tuple(&ask, key);
}

static void note(struct udptrack_asks *asks, const struct udptrack_key *key,
		 struct udptrack_visit *visit)
{
	struct udptrack_result result;

	if (udptrack_table_track(&asks->table, key, visit, &result) ==
	    UDPTRACK_CREATED)
		udptrack_gc_kick(&asks->gc);
}

/**
 * udptrack_asks_note - remember a request, or that it was repeated
 * @asks:    the requests
 * @tuple:   its ends; the destination is no unicast address
 * @request: its visit to the table of flows, whose rules apply here too
 * @hook:    where it is
 *
 * It may be answered to who asked; one of our own also to everybody who was
 * asked: so do mDNS responders, and DHCP servers whose client has no address
 * yet. One that finds no room is forgotten.
 *
 * Context: process or softirq.
 */
void udptrack_asks_note(struct udptrack_asks *asks,
			const struct udptrack_tuple *tuple,
			const struct udptrack_visit *request,
			unsigned int hook)
{
	struct udptrack_visit visit = {
		.now_j = request->now_j,
		/* Never two-way: the other timeout does not matter. */
		.timeouts = request->timeouts,
		.max = request->max,
		.create = true,
	};
	struct udptrack_key key;

	visit.side = ask_key(tuple->family, &tuple->src, tuple->sport,
			     tuple->dport, tuple->scope, &key);
	note(asks, &key, &visit);
	if (hook != NF_INET_LOCAL_OUT)
		return;
	visit.side = ask_key(tuple->family, &tuple->dst, tuple->sport,
			     tuple->dport, tuple->scope, &key);
	note(asks, &key, &visit);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_asks_note);

/**
 * udptrack_asks_match - is this the answer to a live request?
 * @asks:  the requests
 * @skb:   a packet that belongs to no flow, or to one that is not answered
 * @tuple: its ends
 * @state: the hook it is at
 *
 * To everybody only on its way in: what this host sends there is a request of
 * its own.
 *
 * Context: process or softirq, under rcu_read_lock().
 * Return: true when it is.
 */
bool udptrack_asks_match(struct udptrack_asks *asks, const struct sk_buff *skb,
			 const struct udptrack_tuple *tuple,
			 const struct nf_hook_state *state)
{
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int side;

	if (likely(!udptrack_asks_any(asks)))
		return false;
	if (state->hook == NF_INET_LOCAL_OUT &&
	    !udptrack_packet_is_unicast(skb, tuple->family, &tuple->dst))
		return false;
	side = ask_key(tuple->family, &tuple->dst, tuple->dport, tuple->sport,
		       tuple->scope, &key);
	return udptrack_table_peek(&asks->table, &key, side, jiffies, &class);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_asks_match);

/**
 * udptrack_asks_init - make an empty set of requests
 * @asks: memory for it
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int udptrack_asks_init(struct udptrack_asks *asks)
{
	int err;

	asks->stats = alloc_percpu(struct udptrack_stats);
	if (!asks->stats)
		return -ENOMEM;
	err = udptrack_table_init(&asks->table, asks->stats);
	if (err) {
		free_percpu(asks->stats);
		return err;
	}
	udptrack_gc_init(&asks->gc, &asks->table);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_asks_init);

/**
 * udptrack_asks_stop - the first half of udptrack_asks_destroy()
 * @asks: a set that nobody else uses any more
 *
 * As udptrack_table_stop().
 *
 * Context: process; may sleep.
 */
void udptrack_asks_stop(struct udptrack_asks *asks)
{
	udptrack_gc_stop(&asks->gc);
	udptrack_table_stop(&asks->table);
}

/**
 * udptrack_asks_free - the second half of udptrack_asks_destroy()
 * @asks: the set
 *
 * As udptrack_table_free().
 *
 * Context: process; may sleep.
 */
void udptrack_asks_free(struct udptrack_asks *asks)
{
	udptrack_table_free(&asks->table);
	free_percpu(asks->stats);
}

/**
 * udptrack_asks_destroy - undo udptrack_asks_init()
 * @asks: a set that nobody else uses any more
 *
 * Context: process; waits for an RCU grace period.
 */
void udptrack_asks_destroy(struct udptrack_asks *asks)
{
	udptrack_asks_stop(asks);
	/* As udptrack_table_destroy(). */
	rcu_barrier();
	udptrack_asks_free(asks);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_asks_destroy);
