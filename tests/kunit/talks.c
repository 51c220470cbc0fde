// SPDX-License-Identifier: GPL-2.0-only
/*
 * talks - the conversations of a torture.
 *
 * Everything about a conversation follows from its number: its ends, the length
 * of its packets, its owner, whether it is counted. So what is said of a flow can
 * be checked by anybody at any time. Few values of few words make up the ends, so
 * that half of one key and half of another are the key of a third.
 */
#include "torture.h"

static bool is_ipv6(unsigned int n)
{
	return n % 5 == 4;
}

static bool has_acct(unsigned int n)
{
	return n < STAYING || n & 4;
}

static bool has_owner(unsigned int n)
{
	return n & 16;
}

static unsigned int bytes_of(unsigned int n)
{
	return 64 + n;
}

/* A packet of conversation @n, from its lower end or from the other one. */
static void talk_tuple(unsigned int n, bool from_low,
		       struct udptrack_tuple *tuple)
{
	union nf_inet_addr low = {}, high = {};
	__be16 low_port = htons(1024 + (n >> 6));
	__be16 high_port = htons(53);

	if (is_ipv6(n)) {
		low.all[0] = htonl(0x20010db8);
		low.all[3] = htonl(n & 7);
		high.all[0] = htonl(0x20010db9);
		high.all[3] = htonl(n >> 3 & 7);
	} else {
		low.ip = htonl(0x0a000000 | (n & 7));
		high.ip = htonl(0xc0000200 | (n >> 3 & 7));
	}
	memset(tuple, 0, sizeof(*tuple));
	tuple->family = is_ipv6(n) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	tuple->src = from_low ? low : high;
	tuple->dst = from_low ? high : low;
	tuple->sport = from_low ? low_port : high_port;
	tuple->dport = from_low ? high_port : low_port;
}

/* Whose tuple it is: a number that exists, or U32_MAX. */
unsigned int talk_number(const struct udptrack_tuple *tuple)
{
	bool from_low = tuple->dport == htons(53);
	unsigned int word = tuple->family == NFPROTO_IPV6 ? 3 : 0;
	const union nf_inet_addr *low = from_low ? &tuple->src : &tuple->dst;
	const union nf_inet_addr *high = from_low ? &tuple->dst : &tuple->src;
	unsigned int port = ntohs(from_low ? tuple->sport : tuple->dport);
	struct udptrack_tuple want;
	unsigned int n;

	n = (port - 1024) << 6 | (ntohl(high->all[word]) & 7) << 3 |
	    (ntohl(low->all[word]) & 7);
	if (n >= torture.numbers)
		return U32_MAX;
	talk_tuple(n, from_low, &want);
	if (want.family != tuple->family || want.sport != tuple->sport ||
	    want.dport != tuple->dport || want.scope != tuple->scope ||
	    memcmp(&want.src, &tuple->src, sizeof(want.src)) ||
	    memcmp(&want.dst, &tuple->dst, sizeof(want.dst)))
		return U32_MAX;
	return n;
}

/* The key of conversation @n; returns the side that sends. */
unsigned int talk_key(unsigned int n, bool from_low, struct udptrack_key *key)
{
	struct udptrack_tuple tuple;

	talk_tuple(n, from_low, &tuple);
	return udptrack_key_from_tuple(&tuple, key);
}

/* A packet that knows whose it is. */
struct packet {
	struct udptrack_visit visit;
	unsigned int n;
};

static void packet_owner(const struct udptrack_visit *visit,
			 struct udptrack_owner *owner)
{
	unsigned int n = container_of(visit, struct packet, visit)->n;

	owner->has_uid = true;
	owner->uid = KUIDT_INIT(n);
	owner->cgroup = n;
	owner->final = n & 32;
}

/*
 * A packet that comes @late_j after its time lets its flow live as much longer. So
 * a flow can be as old as a stream when it begins.
 */
enum udptrack_outcome talk_send_late(unsigned int n, bool from_low, u32 time_j,
				     u32 late_j,
				     struct udptrack_result *result)
{
	struct packet packet = {
		.visit = {
			.ifindex = 1,
			.packets = 1,
			.bytes = bytes_of(n),
			.now_j = time_j - late_j,
			.timeouts = { torture.rules->lifetime_j + late_j,
				      2 * torture.rules->lifetime_j + late_j },
			.max = torture.rules->max,
			.acct = has_acct(n),
			.create = true,
			.owner = has_owner(n) ? packet_owner : NULL,
		},
		.n = n,
	};
	const struct udptrack_visit *visit = &packet.visit;
	enum udptrack_outcome outcome;
	struct udptrack_seen seen;
	struct udptrack_key key;
	bool is_stream;

	packet.visit.side = talk_key(n, from_low, &key);
	if (n < torture.rules->first ||
	    n >= torture.rules->first + torture.rules->keys)
		packet.visit.timeouts = (struct udptrack_timeouts){
			AGES_J, AGES_J,
		};
	/* As the hooks do. */
	rcu_read_lock();
	is_stream = udptrack_table_stream(&torture.table, &key, visit->side,
					  visit->now_j,
					  visit->timeouts.stream_j,
					  visit->packets, visit->bytes, &seen);
	rcu_read_unlock();
	if (is_stream) {
		*result = (struct udptrack_result) {
			.class = UDPTRACK_ESTABLISHED,
		};
		atomic_inc(&torture.streams);
		return UDPTRACK_FOUND;
	}
	packet.visit.seen = &seen;
	outcome = udptrack_table_track(&torture.table, &key, &packet.visit,
				       result);
	if (outcome == UDPTRACK_CREATED &&
	    (result->class != UDPTRACK_NEW ||
	     result->events != UDPTRACK_EVENT_NEW))
		torture_fault("%u: a first packet was not new", n);
	if (outcome == UDPTRACK_FOUND && result->class != UDPTRACK_NEW &&
	    result->class != UDPTRACK_ESTABLISHED)
		torture_fault("%u: a packet was of class %u", n, result->class);
	if (outcome == UDPTRACK_ABSENT)
		torture_fault("%u: a packet was not to be tracked", n);
	return outcome;
}

/* A packet of conversation @n that is in time. */
enum udptrack_outcome talk_send(unsigned int n, bool from_low, u32 time_j,
				struct udptrack_result *result)
{
	return talk_send_late(n, from_low, time_j, 0, result);
}

/*
 * A packet of a stream is counted while a copy is made: packets first, by both.
 * So there may be any number of bytes more; fewer, only of packets that are being
 * counted, one by each thread.
 */
static bool counts_fit(u64 packets, u64 bytes, unsigned int n)
{
	u64 of_bytes = bytes / bytes_of(n);

	if (bytes % bytes_of(n))
		return false;
	return torture.is_quiet ? of_bytes == packets :
				  of_bytes + WORKERS_MAX >= packets;
}

/* Does a copy fit together? @n is who was asked for, or U32_MAX. */
unsigned int talk_check(const struct udptrack_snapshot *snap, unsigned int n,
			const char *who)
{
	unsigned int number = talk_number(&snap->tuple);
	u64 packets[2], bytes;
	int dir;

	if (number == U32_MAX) {
		torture_fault("%s: a flow %pI4:%u > %pI4:%u that cannot be",
			      who, &snap->tuple.src.ip,
			      ntohs(snap->tuple.sport), &snap->tuple.dst.ip,
			      ntohs(snap->tuple.dport));
		return U32_MAX;
	}
	if (n != U32_MAX && number != n)
		torture_fault("%s: asked for %u, got %u", who, n, number);
	n = number;
	if (!snap->id)
		torture_fault("%s: %u has no id", who, n);
	if (snap->acct != has_acct(n))
		torture_fault("%s: %u is counted: %d", who, n, snap->acct);
	for (dir = 0; dir < 2; dir++) {
		packets[dir] = snap->traffic[dir].packets;
		bytes = snap->traffic[dir].bytes;
		if (!counts_fit(packets[dir], bytes, n))
			torture_fault("%s: %u has %llu packets of %u and %llu bytes",
				      who, n, packets[dir], bytes_of(n), bytes);
	}
	if (!has_acct(n) && (packets[0] || packets[1]))
		torture_fault("%s: %u is not to be counted", who, n);
	if (has_acct(n) && !packets[0])
		torture_fault("%s: %u began without a packet", who, n);
	if (has_acct(n) && !!packets[1] !=
			   !!(snap->state.flags & UDPTRACK_SEEN_REPLY))
		torture_fault("%s: %u has half a reply: %llu packets, flags %x",
			      who, n, packets[1], snap->state.flags);
	if (snap->has_uid && !uid_eq(snap->uid, KUIDT_INIT(n)))
		torture_fault("%s: %u has the user of another", who, n);
	if (snap->cgroup && snap->cgroup != n)
		torture_fault("%s: %u has cgroup %llu", who, n, snap->cgroup);
	if (has_owner(n) && !snap->has_uid)
		torture_fault("%s: %u lost its owner", who, n);
	return n;
}
