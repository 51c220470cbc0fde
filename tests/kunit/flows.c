// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows - a table under test, and numbered conversations to fill it with.
 *
 * The number of a conversation is in its addresses and ports, so that a
 * snapshot can be told whose it is. By their last two bits they are IPv4 or
 * IPv6, and their first packet is sent by the lower or by the higher end. The
 * table, its counters and its flows are given back when the case ends.
 */
#include <kunit/resource.h>

#include "flows.h"

static void table_destroy(void *table)
{
	udptrack_table_destroy(table);
}

static void stats_free(void *stats)
{
	free_percpu((struct udptrack_stats __force __percpu *)stats);
}

/*
 * For the owner of a visit: somebody of whom there is no more to learn, so that
 * the flow may become a stream.
 */
void flows_nobody(const struct udptrack_visit *visit,
		  struct udptrack_owner *owner)
{
	owner->final = true;
}

/* An empty table. */
struct flows *flows_new(struct kunit *test)
{
	struct flows *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	void *stats;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->stats = alloc_percpu(struct udptrack_stats);
	stats = (__force void *)f->stats;
	KUNIT_ASSERT_NOT_NULL(test, stats);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, stats_free, stats));
	KUNIT_ASSERT_EQ(test, 0, udptrack_table_init(&f->table, f->stats));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, table_destroy,
						  &f->table));
	f->visit = (struct udptrack_visit) {
		.packets = 1,
		.bytes = FLOWS_BYTES,
		.timeouts = { FLOWS_TIMEOUT, FLOWS_STREAM },
		.max = 1000000,
		.acct = true,
		.create = true,
	};
	return f;
}

static bool is_ipv6(unsigned int n)
{
	return n & 1;
}

static bool from_higher(unsigned int n)
{
	return n & 2;
}

/* The first packet of conversation @n; @n is below 2^24. */
void flows_tuple(unsigned int n, struct udptrack_tuple *tuple)
{
	union nf_inet_addr low = {}, high = {};
	__be16 low_port = htons(1024 + n % 60000);
	__be16 high_port = htons(53);

	if (is_ipv6(n)) {
		low.all[0] = htonl(0x20010db8);
		low.all[3] = htonl(n);
		high.all[0] = htonl(0x20010db9);
	} else {
		low.ip = htonl(0x0a000000 | n);
		high.ip = htonl(0xc0000201);
	}
	memset(tuple, 0, sizeof(*tuple));
	tuple->family = is_ipv6(n) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	tuple->src = from_higher(n) ? high : low;
	tuple->dst = from_higher(n) ? low : high;
	tuple->sport = from_higher(n) ? high_port : low_port;
	tuple->dport = from_higher(n) ? low_port : high_port;
}

/* A conversation that socket @n has with itself. */
void flows_self_tuple(unsigned int n, struct udptrack_tuple *tuple)
{
	flows_tuple(n, tuple);
	tuple->src.all[0] ^= htonl(0x7f000000);
	tuple->dst = tuple->src;
	tuple->dport = tuple->sport;
}

/* The conversation that a tuple of flows_tuple() is of, in any direction. */
unsigned int flows_number(const struct udptrack_tuple *tuple)
{
	bool v6 = tuple->family == NFPROTO_IPV6;
	const union nf_inet_addr *low = tuple->sport == htons(53) ?
					&tuple->dst : &tuple->src;

	return ntohl(low->all[v6 ? 3 : 0]) & 0xffffff;
}

/* The key of conversation @n; returns the side that sends in @dir. */
unsigned int flows_key(unsigned int n, enum udptrack_dir dir,
		       struct udptrack_key *key)
{
	struct udptrack_tuple tuple;
	unsigned int side;

	flows_tuple(n, &tuple);
	side = udptrack_key_from_tuple(&tuple, key);
	return dir == UDPTRACK_ORIGINAL ? side : !side;
}

/* What a packet does, as the hooks let it: the short way, if it may go that. */
enum udptrack_outcome flows_visit(struct flows *f,
				  const struct udptrack_key *key,
				  const struct udptrack_visit *visit,
				  struct udptrack_result *result)
{
	struct udptrack_visit other = *visit;
	struct udptrack_seen seen;
	bool is_stream;

	rcu_read_lock();
	is_stream = !visit->dns &&
		    udptrack_table_stream(&f->table, key, visit->side,
					  visit->now_j,
					  visit->timeouts.stream_j,
					  visit->packets, visit->bytes, &seen);
	rcu_read_unlock();
	if (!is_stream) {
		other.seen = visit->dns ? NULL : &seen;
		return udptrack_table_track(&f->table, key, &other, result);
	}
	atomic_inc(&f->streams);
	*result = (struct udptrack_result) { .class = UDPTRACK_ESTABLISHED };
	return UDPTRACK_FOUND;
}

/* A packet of conversation @n. */
enum udptrack_outcome flows_send(struct flows *f, unsigned int n,
				 enum udptrack_dir dir, u32 now_j)
{
	struct udptrack_key key;

	f->visit.side = flows_key(n, dir, &key);
	f->visit.now_j = now_j;
	/* Shows whether it was filled in. */
	memset(&f->result, 0xa5, sizeof(f->result));
	return flows_visit(f, &key, &f->visit, &f->result);
}

/* What a packet of conversation @n would be. */
bool flows_peek(struct flows *f, unsigned int n, enum udptrack_dir dir,
		u32 now_j, enum udptrack_class *class)
{
	struct udptrack_key key;
	unsigned int side = flows_key(n, dir, &key);

	return udptrack_table_peek(&f->table, &key, side, now_j, class);
}

/* Has conversation @n a live flow? */
bool flows_live(struct flows *f, unsigned int n, u32 now_j)
{
	enum udptrack_class class;

	return flows_peek(f, n, UDPTRACK_ORIGINAL, now_j, &class);
}

bool flows_erase(struct flows *f, unsigned int n, u32 now_j)
{
	struct udptrack_key key;

	flows_key(n, UDPTRACK_ORIGINAL, &key);
	return udptrack_table_erase(&f->table, &key, 0, now_j);
}

/* The flow of conversation @n as a listing shows it. */
bool flows_get(struct flows *f, unsigned int n, u32 now_j,
	       struct udptrack_snapshot *snap)
{
	unsigned long last = udptrack_table_last_id(&f->table);
	unsigned long id = 0;

	while (udptrack_table_next(&f->table, id, last, now_j, NULL, snap)) {
		if (flows_number(&snap->tuple) == n)
			return true;
		id = snap->id + 1;
	}
	return false;
}

/* How many flows a listing shows. */
unsigned int flows_listed(struct flows *f, u32 now_j)
{
	unsigned long last = udptrack_table_last_id(&f->table);
	struct udptrack_snapshot snap;
	unsigned int listed = 0;
	unsigned long id = 0;

	while (udptrack_table_next(&f->table, id, last, now_j, NULL, &snap)) {
		listed++;
		id = snap.id + 1;
	}
	return listed;
}

/* A counter, added up over the CPUs. */
unsigned int flows_stat_at(const struct flows *f, size_t offset)
{
	unsigned int sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *(unsigned int *)((char *)per_cpu_ptr(f->stats, cpu) +
					 offset);
	return sum;
}
