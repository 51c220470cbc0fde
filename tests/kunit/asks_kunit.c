// SPDX-License-Identifier: GPL-2.0-only
/*
 * asks_kunit - which packets answer a request to many hosts.
 *
 * Requests and answers are written as tuples. Time is the real one: a request
 * that is to be old was noted in the past.
 */
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <net/route.h>
#include <kunit/resource.h>

#include "../../src/asks.h"
#include "packet.h"

#define TIMEOUT	(30 * HZ)
#define LINK	7
#define GROUP	0xe00000fb	/* 224.0.0.251 */

/* Requests under test, and how they are noted. */
struct asked {
	struct udptrack_asks asks;
	struct udptrack_visit visit;
};

static void asks_destroy(void *asks)
{
	udptrack_asks_destroy(asks);
}

static struct asked *asked_new(struct kunit *test)
{
	struct asked *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, 0, udptrack_asks_init(&a->asks));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, asks_destroy,
						  &a->asks));
	a->visit = (struct udptrack_visit) {
		.timeouts = { TIMEOUT, TIMEOUT },
		.max = 1000,
		.now_j = jiffies,
	};
	return a;
}

static struct udptrack_tuple ipv4(u32 src, u16 sport, u32 dst, u16 dport)
{
	return (struct udptrack_tuple) {
		.family = NFPROTO_IPV4,
		.src.ip = htonl(src),
		.dst.ip = htonl(dst),
		.sport = htons(sport),
		.dport = htons(dport),
	};
}

/* The addresses of the tables below, by name. */
enum who {
	US, US2, THEM, THEM2, ALL, ALL2,
	LINK_US, LINK_THEM,
};

static void addr6(enum who who, union nf_inet_addr *addr)
{
	static const u16 prefix[] = {
		[US] = 0x2001, [US2] = 0x2001, [THEM] = 0x2001,
		[THEM2] = 0x2001, [ALL] = 0xff02, [ALL2] = 0xff02,
		[LINK_US] = 0xfe80, [LINK_THEM] = 0xfe80,
	};

	memset(addr, 0, sizeof(*addr));
	addr->in6.s6_addr16[0] = htons(prefix[who]);
	addr->in6.s6_addr16[7] = htons(who + 1);
}

/* A packet with these ends that @dev sees. */
static struct udptrack_tuple tuple_of(u8 family, enum who src, u16 sport,
				      enum who dst, u16 dport, int dev)
{
	static const u32 addr4[] = {
		[US] = 0xc0000201, [US2] = 0xc000020b, [THEM] = 0xc0000202,
		[THEM2] = 0xc0000203, [ALL] = GROUP, [ALL2] = GROUP + 1,
	};
	struct udptrack_tuple tuple = {
		.family = family,
		.sport = htons(sport),
		.dport = htons(dport),
	};

	if (family == NFPROTO_IPV4)
		return ipv4(addr4[src], sport, addr4[dst], dport);
	addr6(src, &tuple.src);
	addr6(dst, &tuple.dst);
	/* As the parser has it: where either end needs it. */
	if (src >= ALL || dst >= ALL)
		tuple.scope = dev;
	return tuple;
}

/* Would a packet with these ends answer a request? */
static bool answers(struct kunit *test, struct asked *a,
		    const struct udptrack_tuple *tuple, unsigned int hook)
{
	struct nf_hook_state state = {
		.hook = hook,
		.pf = tuple->family,
		.net = &init_net,
	};
	struct sk_buff *skb = packet_skb(test, packet_udp4(test, 5, 4));
	bool match;

	rcu_read_lock();
	match = udptrack_asks_match(&a->asks, skb, tuple, &state);
	rcu_read_unlock();
	return match;
}

/* A packet that meets a host which asked from port 5000 for port 5353. */
static const struct meeting {
	const char *desc;
	enum who asker;		/* that sent the request to ALL */
	enum who src;
	u16 sport;
	enum who dst;
	u16 dport;
	int dev;
	unsigned int hook;
	bool want;
} meetings[] = {
	{ "an answer",
	  US, THEM, 5353, US, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "of another host",
	  US, THEM2, 5353, US, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "of ourselves",
	  US, US, 5353, US, 5000, LINK, NF_INET_LOCAL_OUT, true },
	{ "to everybody",
	  US, THEM, 5353, ALL, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "from another port",
	  US, THEM, 5354, US, 5000, LINK, NF_INET_LOCAL_IN, false },
	{ "from our port",
	  US, THEM, 5000, US, 5000, LINK, NF_INET_LOCAL_IN, false },
	{ "to another port",
	  US, THEM, 5353, US, 5001, LINK, NF_INET_LOCAL_IN, false },
	{ "to the asked port",
	  US, THEM, 5353, US, 5353, LINK, NF_INET_LOCAL_IN, false },
	{ "with the ports exchanged",
	  US, THEM, 5000, US, 5353, LINK, NF_INET_LOCAL_IN, false },
	{ "to another address of ours",
	  US, THEM, 5353, US2, 5000, LINK, NF_INET_LOCAL_IN, false },
	{ "to another group",
	  US, THEM, 5353, ALL2, 5000, LINK, NF_INET_LOCAL_IN, false },
	{ "to everybody, from another port",
	  US, THEM, 5354, ALL, 5000, LINK, NF_INET_LOCAL_IN, false },
	{ "to everybody, to another port",
	  US, THEM, 5353, ALL, 5001, LINK, NF_INET_LOCAL_IN, false },
};

static void meeting_desc(const struct meeting *m, char *desc)
{
	strscpy(desc, m->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(meeting, meetings, meeting_desc);

/* Links matter for link-local addresses only; IPv6 has those. */
static const struct meeting links[] = {
	{ "an answer by link-local addresses", LINK_US,
	  LINK_THEM, 5353, LINK_US, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "to a link-local address", LINK_US,
	  THEM, 5353, LINK_US, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "from a link-local address", US,
	  LINK_THEM, 5353, US, 5000, LINK, NF_INET_LOCAL_IN, true },
	{ "from that of another link", US,
	  LINK_THEM, 5353, US, 5000, LINK + 1, NF_INET_LOCAL_IN, true },
	{ "to our global address, on another link", US,
	  THEM, 5353, US, 5000, LINK + 1, NF_INET_LOCAL_IN, true },
	{ "to the same address on another link", LINK_US,
	  LINK_THEM, 5353, LINK_US, 5000, LINK + 1, NF_INET_LOCAL_IN, false },
	{ "to it from a global address", LINK_US,
	  THEM, 5353, LINK_US, 5000, LINK + 1, NF_INET_LOCAL_IN, false },
	{ "to everybody on another link", US,
	  LINK_THEM, 5353, ALL, 5000, LINK + 1, NF_INET_LOCAL_IN, false },
	{ "to our other address", US,
	  LINK_THEM, 5353, LINK_US, 5000, LINK, NF_INET_LOCAL_IN, false },
	/* IPv4 needs a route to tell that from one host: asks_broadcast(). */
	{ "the answer of ourselves to everybody", US,
	  US, 5353, ALL, 5000, LINK, NF_INET_LOCAL_OUT, false },
};

KUNIT_ARRAY_PARAM(link, links, meeting_desc);

static void meet(struct kunit *test, u8 family)
{
	const struct meeting *m = test->param_value;
	struct asked *a = asked_new(test);
	struct udptrack_tuple request, packet;

	request = tuple_of(family, m->asker, 5000, ALL, 5353, LINK);
	packet = tuple_of(family, m->src, m->sport, m->dst, m->dport, m->dev);
	KUNIT_EXPECT_FALSE(test, udptrack_asks_any(&a->asks));
	KUNIT_EXPECT_FALSE(test, answers(test, a, &packet, m->hook));
	udptrack_asks_note(&a->asks, &request, &a->visit, NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_TRUE(test, udptrack_asks_any(&a->asks));
	KUNIT_EXPECT_EQ(test, m->want, answers(test, a, &packet, m->hook));
	/* However often it is asked, nothing comes of a look. */
	KUNIT_EXPECT_EQ(test, m->want, answers(test, a, &packet, m->hook));
}

static void asks_ipv4(struct kunit *test)
{
	meet(test, NFPROTO_IPV4);
}

static void asks_ipv6(struct kunit *test)
{
	meet(test, NFPROTO_IPV6);
}

/* A DHCP exchange, as the client's and as the server's host see it. */
static void asks_broadcast(struct kunit *test)
{
	struct udptrack_tuple discover, offer, other;
	struct asked *client = asked_new(test), *server = asked_new(test);
	struct rtable route = { .rt_flags = RTCF_BROADCAST };
	struct nf_hook_state out = {
		.hook = NF_INET_LOCAL_OUT,
		.pf = NFPROTO_IPV4,
		.net = &init_net,
	};
	struct sk_buff *skb;

	discover = ipv4(0, 68, 0xffffffff, 67);
	offer = ipv4(0xc0000202, 67, 0xffffffff, 68);
	other = ipv4(0xc0000202, 6767, 0xffffffff, 68);
	udptrack_asks_note(&client->asks, &discover, &client->visit,
			   NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_TRUE(test, answers(test, client, &offer,
					NF_INET_LOCAL_IN));
	KUNIT_EXPECT_FALSE(test, answers(test, client, &other,
					 NF_INET_LOCAL_IN));

	/* What came in opens the way back to who asked, not to everybody. */
	udptrack_asks_note(&server->asks, &discover, &server->visit,
			   NF_INET_LOCAL_IN);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&server->asks.table), 1);
	KUNIT_EXPECT_FALSE(test, answers(test, server, &offer,
					 NF_INET_LOCAL_IN));

	/* What a host sends to everybody is a request of its own. */
	skb = packet_skb(test, packet_udp4(test, 5, 4));
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, udptrack_asks_match(&client->asks, skb,
						    &offer, &out));
	skb_dst_set_noref(skb, &route.dst);
	KUNIT_EXPECT_FALSE(test, udptrack_asks_match(&client->asks, skb,
						     &offer, &out));
	skb_dst_set(skb, NULL);
	rcu_read_unlock();
}

/* A request from outside may be answered by us, to who asked. */
static void asks_from_outside(struct kunit *test)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	struct udptrack_tuple request, answer;
	struct asked *a;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		a = asked_new(test);
		request = tuple_of(families[i], THEM, 5000, ALL, 5353, LINK);
		udptrack_asks_note(&a->asks, &request, &a->visit,
				   NF_INET_LOCAL_IN);
		answer = tuple_of(families[i], US, 5353, THEM, 5000, LINK);
		KUNIT_EXPECT_TRUE(test, answers(test, a, &answer,
						NF_INET_LOCAL_OUT));
		answer.sport = htons(5354);
		KUNIT_EXPECT_FALSE(test, answers(test, a, &answer,
						 NF_INET_LOCAL_OUT));
		/* Others may not answer to everybody in our stead. */
		answer = tuple_of(families[i], THEM2, 5353, ALL, 5000, LINK);
		KUNIT_EXPECT_FALSE(test, answers(test, a, &answer,
						 NF_INET_LOCAL_IN));
	}
}

/* The families do not answer each other, however like the bytes are. */
static void asks_families(struct kunit *test)
{
	struct asked *a = asked_new(test);
	struct udptrack_tuple request, answer;

	request = tuple_of(NFPROTO_IPV4, US, 5000, ALL, 5353, LINK);
	udptrack_asks_note(&a->asks, &request, &a->visit, NF_INET_LOCAL_OUT);
	answer = tuple_of(NFPROTO_IPV4, THEM, 5353, US, 5000, LINK);
	KUNIT_EXPECT_TRUE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
	answer.family = NFPROTO_IPV6;
	KUNIT_EXPECT_FALSE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
}

/* A request lives as long as an unanswered flow, answered or not. */
static void asks_time(struct kunit *test)
{
	struct asked *a = asked_new(test);
	struct udptrack_tuple request, answer, group;

	request = tuple_of(NFPROTO_IPV4, US, 5000, ALL, 5353, LINK);
	answer = tuple_of(NFPROTO_IPV4, THEM, 5353, US, 5000, LINK);
	group = tuple_of(NFPROTO_IPV4, THEM, 5353, ALL, 5000, LINK);

	a->visit.now_j = jiffies - TIMEOUT;
	udptrack_asks_note(&a->asks, &request, &a->visit, NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_FALSE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
	KUNIT_EXPECT_FALSE(test, answers(test, a, &group, NF_INET_LOCAL_IN));

	/* With ten seconds to go, on a machine however slow. */
	a->visit.now_j = jiffies - TIMEOUT + 10 * HZ;
	udptrack_asks_note(&a->asks, &request, &a->visit, NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_TRUE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
	KUNIT_EXPECT_TRUE(test, answers(test, a, &group, NF_INET_LOCAL_IN));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&a->asks.table), 2);

	/* Repeated, it begins anew; a shorter timeout is for it, too. */
	a->visit.timeouts.unreplied_j = 1;
	a->visit.now_j = jiffies - 2;
	udptrack_asks_note(&a->asks, &request, &a->visit, NF_INET_LOCAL_OUT);
	KUNIT_EXPECT_FALSE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
	KUNIT_EXPECT_FALSE(test, answers(test, a, &group, NF_INET_LOCAL_IN));
}

/*
 * A request repeated does not live as a stream does, not even one from a port
 * to the same by who has no address, which might be taken for two-way.
 */
static void asks_repeated(struct kunit *test)
{
	struct asked *a = asked_new(test);
	struct udptrack_tuple requests[] = {
		tuple_of(NFPROTO_IPV4, US, 5000, ALL, 5353, LINK),
		tuple_of(NFPROTO_IPV6, US, 5000, ALL, 5353, LINK),
		tuple_of(NFPROTO_IPV6, US, 5353, ALL, 5353, LINK),
		ipv4(0, 68, 0xffffffff, 67),
		ipv4(0, 5678, 0xffffffff, 5678),
	};
	u32 begin_j = (u32)jiffies - TIMEOUT - 10 * HZ;
	struct udptrack_tuple answer;
	unsigned int i, n;

	a->visit.timeouts.stream_j = 1000 * TIMEOUT;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		answer = requests[i];
		answer.dst = answer.src;
		swap(answer.sport, answer.dport);
		memset(&answer.src, 1, sizeof(answer.src.ip));
		for (n = 0; n < 3; n++) {
			a->visit.now_j = begin_j + n * 3 * HZ;
			udptrack_asks_note(&a->asks, &requests[i], &a->visit,
					   NF_INET_LOCAL_OUT);
		}
		KUNIT_EXPECT_FALSE_MSG(test, answers(test, a, &answer,
						     NF_INET_LOCAL_IN),
				       "request %u", i);
		a->visit.now_j = jiffies;
		udptrack_asks_note(&a->asks, &requests[i], &a->visit,
				   NF_INET_LOCAL_OUT);
		KUNIT_EXPECT_TRUE_MSG(test, answers(test, a, &answer,
						    NF_INET_LOCAL_IN),
				      "request %u", i);
	}
}

/* Requests without room push out those that are nearest to their end. */
static void asks_full(struct kunit *test)
{
	struct asked *a = asked_new(test);
	struct udptrack_tuple request, answer;
	unsigned int i;

	a->visit.max = 8;
	for (i = 0; i < 20; i++) {
		a->visit.now_j = (u32)jiffies - 10 * HZ + i;
		request = tuple_of(NFPROTO_IPV4, US, 5000 + i, ALL, 5353,
				   LINK);
		udptrack_asks_note(&a->asks, &request, &a->visit,
				   NF_INET_LOCAL_OUT);
		answer = tuple_of(NFPROTO_IPV4, THEM, 5353, US, 5000 + i,
				  LINK);
		KUNIT_EXPECT_TRUE_MSG(test, answers(test, a, &answer,
						    NF_INET_LOCAL_IN),
				      "request %u", i);
	}
	KUNIT_EXPECT_LE(test, udptrack_table_count(&a->asks.table), 8);
	answer.dport = htons(5000);
	KUNIT_EXPECT_FALSE(test, answers(test, a, &answer, NF_INET_LOCAL_IN));
}

static struct kunit_case asks_cases[] = {
	KUNIT_CASE_PARAM(asks_ipv4, meeting_gen_params),
	KUNIT_CASE_PARAM(asks_ipv6, meeting_gen_params),
	KUNIT_CASE_PARAM(asks_ipv6, link_gen_params),
	KUNIT_CASE(asks_broadcast),
	KUNIT_CASE(asks_from_outside),
	KUNIT_CASE(asks_families),
	KUNIT_CASE(asks_time),
	KUNIT_CASE(asks_repeated),
	KUNIT_CASE(asks_full),
	{}
};

static struct kunit_suite asks_suite = {
	.name = "udptrack_asks",
	.test_cases = asks_cases,
};

kunit_test_suite(asks_suite);
