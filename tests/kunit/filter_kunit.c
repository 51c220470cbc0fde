// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter_kunit - which flows a filter means.
 *
 * A filter that asks for nothing means every flow; one that asks for much means
 * those of which all holds. Each case changes one thing of the filter or of
 * the flow, and says what comes of it.
 */
#include <linux/inet.h>
#include <kunit/test.h>

#include "../../src/events.h"
#include "../../src/filter.h"

#define GIVEN(name)	BIT(UDPTRACK_A_FILTER_##name)

/* A flow that user 1000 began: 192.0.2.1:40000 to 192.0.2.53:53. */
static struct udptrack_snapshot flow_v4(void)
{
	struct udptrack_snapshot flow = {
		.id = 7,
		.tuple = {
			.src.ip = htonl(0xc0000201),
			.dst.ip = htonl(0xc0000235),
			.sport = htons(40000),
			.dport = htons(53),
			.family = NFPROTO_IPV4,
		},
		.has_uid = true,
		.uid = KUIDT_INIT(1000),
		.pid = 812,
		.comm = "dig",
		.is_dns = true,
	};

	return flow;
}

/* The same of IPv6: 2001:db8::1 to 2001:db8:0:1::53. */
static struct udptrack_snapshot flow_v6(void)
{
	struct udptrack_snapshot flow = flow_v4();

	flow.tuple.family = NFPROTO_IPV6;
	memset(&flow.tuple.src, 0, sizeof(flow.tuple.src));
	memset(&flow.tuple.dst, 0, sizeof(flow.tuple.dst));
	flow.tuple.src.all[0] = htonl(0x20010db8);
	flow.tuple.src.all[3] = htonl(1);
	flow.tuple.dst.all[0] = htonl(0x20010db8);
	flow.tuple.dst.all[1] = htonl(1);
	flow.tuple.dst.all[3] = htonl(0x53);
	return flow;
}

/* Some addresses that begin alike, and which ends of the flow are among them. */
static const struct prefix_case {
	const char *desc;
	const char *addr;
	u8 bits;
	bool src, dst;
} prefixes[] = {
	{ "the source", "192.0.2.1", 32, true, false },
	{ "the destination", "192.0.2.53", 32, false, true },
	{ "another", "192.0.2.2", 32, false, false },
	{ "a bit less", "192.0.2.0", 31, true, false },
	{ "two bits less", "192.0.2.3", 30, true, false },
	{ "the net of both", "192.0.2.0", 24, true, true },
	{ "bits that do not count", "192.0.2.255", 24, true, true },
	{ "the net next door", "192.0.3.0", 24, false, false },
	{ "a net of both", "192.0.3.0", 23, true, true },
	{ "the first bit", "128.0.0.0", 1, true, true },
	{ "not the first bit", "0.0.0.0", 1, false, false },
	{ "any of IPv4", "10.0.0.0", 0, true, true },
	{ "the source, IPv6", "2001:db8::1", 128, true, false },
	{ "the destination, IPv6", "2001:db8:0:1::53", 128, false, true },
	{ "the last bit, IPv6", "2001:db8::", 128, false, false },
	{ "all but the last bit, IPv6", "2001:db8::", 127, true, false },
	{ "the source's net, IPv6", "2001:db8::ffff", 64, true, false },
	{ "the net of both, IPv6", "2001:db8::", 63, true, true },
	{ "33 bits, IPv6", "2001:db8::", 33, true, true },
	{ "another net, IPv6", "2001:db9::", 32, false, false },
	{ "any of IPv6", "::", 0, true, true },
};

KUNIT_ARRAY_PARAM_DESC(prefix, prefixes, desc);

static void parse(struct kunit *test, const struct prefix_case *c,
		  struct udptrack_filter_net *net)
{
	memset(net, 0, sizeof(*net));
	net->bits = c->bits;
	net->family = strchr(c->addr, ':') ? NFPROTO_IPV6 : NFPROTO_IPV4;
	if (net->family == NFPROTO_IPV4)
		KUNIT_ASSERT_TRUE(test, in4_pton(c->addr, -1,
						 (u8 *)&net->addr, -1, NULL));
	else
		KUNIT_ASSERT_TRUE(test, in6_pton(c->addr, -1,
						 (u8 *)&net->addr, -1, NULL));
}

static void filter_prefix(struct kunit *test)
{
	const struct prefix_case *c = test->param_value;
	struct udptrack_snapshot flow, other;
	struct udptrack_filter_net net;
	struct udptrack_filter filter;

	parse(test, c, &net);
	flow = net.family == NFPROTO_IPV4 ? flow_v4() : flow_v6();
	other = net.family == NFPROTO_IPV4 ? flow_v6() : flow_v4();

	filter = (struct udptrack_filter) { .src = net };
	KUNIT_EXPECT_EQ(test, c->src, udptrack_filter_means(&filter, &flow));
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&filter, &other));
	filter = (struct udptrack_filter) { .dst = net };
	KUNIT_EXPECT_EQ(test, c->dst, udptrack_filter_means(&filter, &flow));
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&filter, &other));
	/* The other direction is the inverse. */
	filter = (struct udptrack_filter) { .reply_src = net };
	KUNIT_EXPECT_EQ(test, c->dst, udptrack_filter_means(&filter, &flow));
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&filter, &other));
	filter = (struct udptrack_filter) { .reply_dst = net };
	KUNIT_EXPECT_EQ(test, c->src, udptrack_filter_means(&filter, &flow));
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&filter, &other));
}

/* Of what is not an address: a filter, what it asks for, a flow. */
static const struct truth {
	const char *desc;
	struct udptrack_filter filter;
	u8 flags;		/* of the flow's state */
	struct udptrack_dns_sum dns;
	bool means;
} truths[] = {
	{ "nothing", {}, 0, {}, true },
	{ "the family",
	  { .given = GIVEN(FAMILY), .family = NFPROTO_IPV4 }, 0, {}, true },
	{ "another family",
	  { .given = GIVEN(FAMILY), .family = NFPROTO_IPV6 }, 0, {}, false },
	{ "the source port",
	  { .given = GIVEN(SRC_PORT), .sport = htons(40000) }, 0, {}, true },
	{ "another source port",
	  { .given = GIVEN(SRC_PORT), .sport = htons(53) }, 0, {}, false },
	{ "the destination port",
	  { .given = GIVEN(DST_PORT), .dport = htons(53) }, 0, {}, true },
	{ "another destination port",
	  { .given = GIVEN(DST_PORT), .dport = htons(40000) }, 0, {}, false },
	{ "port 0", { .given = GIVEN(DST_PORT) }, 0, {}, false },
	{ "a port that was not given", { .dport = htons(1) }, 0, {}, true },
	{ "NEW, and it is",
	  { .given = GIVEN(STATE), .state = UDPTRACK_FLOW_STATE_NEW },
	  0, {}, true },
	{ "NEW, and it is not",
	  { .given = GIVEN(STATE), .state = UDPTRACK_FLOW_STATE_NEW },
	  UDPTRACK_SEEN_REPLY, {}, false },
	{ "ESTABLISHED, and it is",
	  { .given = GIVEN(STATE), .state = UDPTRACK_FLOW_STATE_ESTABLISHED },
	  UDPTRACK_SEEN_REPLY | UDPTRACK_MATURE, {}, true },
	{ "ESTABLISHED, and it is not",
	  { .given = GIVEN(STATE), .state = UDPTRACK_FLOW_STATE_ESTABLISHED },
	  UDPTRACK_MATURE, {}, false },
	{ "seen-reply, and it has",
	  { .given = GIVEN(STATUS),
	    .status = UDPTRACK_FLOW_STATUS_SEEN_REPLY },
	  UDPTRACK_SEEN_REPLY | UDPTRACK_ASSURED, {}, true },
	{ "assured, and it is",
	  { .given = GIVEN(STATUS), .status = UDPTRACK_FLOW_STATUS_ASSURED },
	  UDPTRACK_SEEN_REPLY | UDPTRACK_ASSURED, {}, true },
	{ "assured, and it is not",
	  { .given = GIVEN(STATUS), .status = UDPTRACK_FLOW_STATUS_ASSURED },
	  UDPTRACK_SEEN_REPLY | UDPTRACK_MATURE, {}, false },
	{ "expected, and it is",
	  { .given = GIVEN(STATUS), .status = UDPTRACK_FLOW_STATUS_EXPECTED },
	  UDPTRACK_EXPECTED, {}, true },
	{ "expected, and it is mature",
	  { .given = GIVEN(STATUS), .status = UDPTRACK_FLOW_STATUS_EXPECTED },
	  UDPTRACK_MATURE, {}, false },
	{ "all of two flags, of which one is there",
	  { .given = GIVEN(STATUS), .status = UDPTRACK_FLOW_STATUS_EXPECTED |
	    UDPTRACK_FLOW_STATUS_SEEN_REPLY }, UDPTRACK_EXPECTED, {}, false },
	{ "all of no flags", { .given = GIVEN(STATUS) }, 0, {}, true },
	{ "the user",
	  { .given = GIVEN(UID), .uid = KUIDT_INIT(1000) }, 0, {}, true },
	{ "another user",
	  { .given = GIVEN(UID), .uid = KUIDT_INIT(0) }, 0, {}, false },
	{ "the command",
	  { .given = GIVEN(COMM), .comm = "dig" }, 0, {}, true },
	{ "the beginning of the command",
	  { .given = GIVEN(COMM), .comm = "di" }, 0, {}, false },
	{ "more than the command",
	  { .given = GIVEN(COMM), .comm = "digg" }, 0, {}, false },
	{ "no command", { .given = GIVEN(COMM) }, 0, {}, false },
	{ "forged, and there were",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_FORGED },
	  0, { .forged = 1 }, true },
	{ "forged, and there were none",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_FORGED },
	  0, { .out = 1, .ok = 2, .unanswered = 3 }, false },
	{ "unanswered, and there were",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_UNANSWERED },
	  0, { .unanswered = 1 }, true },
	{ "unanswered, and there are open ones",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_UNANSWERED },
	  0, { .out = 1 }, true },
	{ "unanswered, and all are answered",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_UNANSWERED },
	  0, { .ok = 1, .forged = 9 }, false },
	{ "either trouble",
	  { .given = GIVEN(DNS_TROUBLE),
	    .dns_trouble = UDPTRACK_DNS_TROUBLE_UNANSWERED |
			   UDPTRACK_DNS_TROUBLE_FORGED },
	  0, { .forged = 1 }, true },
	{ "all of many",
	  { .given = GIVEN(FAMILY) | GIVEN(SRC_PORT) | GIVEN(UID) |
		     GIVEN(STATE),
	    .family = NFPROTO_IPV4, .sport = htons(40000),
	    .uid = KUIDT_INIT(1000), .state = UDPTRACK_FLOW_STATE_NEW },
	  0, {}, true },
	{ "all but one of many",
	  { .given = GIVEN(FAMILY) | GIVEN(SRC_PORT) | GIVEN(UID) |
		     GIVEN(STATE),
	    .family = NFPROTO_IPV4, .sport = htons(40000),
	    .uid = KUIDT_INIT(1001), .state = UDPTRACK_FLOW_STATE_NEW },
	  0, {}, false },
};

KUNIT_ARRAY_PARAM_DESC(truth, truths, desc);

static void filter_truth(struct kunit *test)
{
	const struct truth *c = test->param_value;
	struct udptrack_snapshot flow = flow_v4();

	flow.state.flags = c->flags;
	flow.dns = c->dns;
	KUNIT_EXPECT_EQ(test, c->means,
			!!udptrack_filter_means(&c->filter, &flow));
}

/* Who owns it is not known, or not to everybody. */
static void filter_owner_unknown(struct kunit *test)
{
	struct udptrack_filter root = {
		.given = GIVEN(UID), .uid = GLOBAL_ROOT_UID,
	};
	struct udptrack_filter comm = { .given = GIVEN(COMM), .comm = "dig" };
	struct udptrack_snapshot flow = flow_v4();

	flow.uid = GLOBAL_ROOT_UID;
	KUNIT_EXPECT_TRUE(test, udptrack_filter_means(&root, &flow));
	flow.has_uid = false;
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&root, &flow));
	flow.pid = 0;
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&comm, &flow));
}

/* What there is of another protocol on a DNS port is no trouble. */
static void filter_no_dns(struct kunit *test)
{
	struct udptrack_filter filter = {
		.given = GIVEN(DNS_TROUBLE),
		.dns_trouble = UDPTRACK_DNS_TROUBLE_FORGED |
			       UDPTRACK_DNS_TROUBLE_UNANSWERED,
	};
	struct udptrack_snapshot flow = flow_v4();

	memset(&flow.dns, 0xff, sizeof(flow.dns));
	KUNIT_EXPECT_TRUE(test, udptrack_filter_means(&filter, &flow));
	flow.is_dns = false;
	KUNIT_EXPECT_FALSE(test, udptrack_filter_means(&filter, &flow));
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE_PARAM(filter_prefix, prefix_gen_params),
	KUNIT_CASE_PARAM(filter_truth, truth_gen_params),
	KUNIT_CASE(filter_owner_unknown),
	KUNIT_CASE(filter_no_dns),
	{}
};

static struct kunit_suite filter_suite = {
	.name = "udptrack_filter",
	.test_cases = filter_cases,
};

kunit_test_suite(filter_suite);
