// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard_kunit - what a bind() asks for, and which flows that covers.
 */
#include <linux/in6.h>
#include <linux/inet.h>
#include <kunit/test.h>
#include <net/ipv6.h>

#include "../../src/guard.h"

#define PORT	5353

static union nf_inet_addr address(const char *text)
{
	union nf_inet_addr addr = {};

	if (strchr(text, ':'))
		in6_pton(text, -1, addr.in6.s6_addr, -1, NULL);
	else
		addr.ip = in_aton(text);
	return addr;
}

/* What bind() is given: the family goes by the address. */
static void fill(struct sockaddr_storage *ss, const char *text, u16 port,
		 u32 scope)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr = address(text).in6;
		in6->sin6_scope_id = scope;
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = address(text).ip;
	}
}

/* A socket's family, what it asks for, and which flows stand in its way. */
#define FLOW4	BIT(0)	/* 192.0.2.1 */
#define FLOW4B	BIT(1)	/* 192.0.2.2 */
#define FLOW6	BIT(2)	/* 2001:db8::1 */
#define FLOW6B	BIT(3)	/* 2001:db8::2 */
#define FLOWLO	BIT(4)	/* fe80::1 */
#define FLOWODD	BIT(5)	/* c000:201::, whose first bytes are 192.0.2.1 */

static const char * const locals[] = {
	"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "fe80::1",
	"c000:201::",
};

static const struct cover {
	const char *desc;
	const char *addr;
	bool dual;		/* a socket of IPv6 that takes IPv4 */
	unsigned int flows;
} covers[] = {
	{ "any IPv4", "0.0.0.0", false, FLOW4 | FLOW4B },
	{ "an IPv4 address", "192.0.2.1", false, FLOW4 },
	{ "another", "192.0.2.2", false, FLOW4B },
	{ "one without flows", "192.0.2.3", false, 0 },
	{ "any IPv6", "::", false, FLOW6 | FLOW6B | FLOWLO | FLOWODD },
	{ "any of both", "::", true,
	  FLOW4 | FLOW4B | FLOW6 | FLOW6B | FLOWLO | FLOWODD },
	{ "an IPv6 address", "2001:db8::1", false, FLOW6 },
	{ "an IPv6 address of a dual socket", "2001:db8::2", true, FLOW6B },
	{ "a mapped address", "::ffff:192.0.2.1", true, FLOW4 },
	{ "any mapped address", "::ffff:0.0.0.0", true, FLOW4 | FLOW4B },
	{ "an IPv4-compatible address", "::192.0.2.1", true, 0 },
	{ "a link-local address", "fe80::1", false, FLOWLO },
};

KUNIT_ARRAY_PARAM_DESC(cover, covers, desc);

static void guard_covers(struct kunit *test)
{
	const struct cover *c = test->param_value;
	struct udptrack_tuple tuple = {};
	struct sockaddr_storage ss;
	struct udptrack_bind bind;
	unsigned int i;

	fill(&ss, c->addr, PORT, 0);
	KUNIT_ASSERT_TRUE(test,
			  udptrack_guard_parse(ss.ss_family, !c->dual, 3,
					       (struct sockaddr *)&ss,
					       sizeof(struct sockaddr_in6),
					       &bind));
	KUNIT_EXPECT_EQ(test, PORT, ntohs(bind.port));
	for (i = 0; i < ARRAY_SIZE(locals); i++) {
		tuple.family = strchr(locals[i], ':') ? NFPROTO_IPV6
						      : NFPROTO_IPV4;
		tuple.src = address(locals[i]);
		KUNIT_EXPECT_EQ_MSG(test, !!(c->flows & BIT(i)),
				    udptrack_guard_covers(&bind, &tuple),
				    "%s", locals[i]);
	}
}

/* What is parsed and what is left to the kernel. */
static const struct form {
	const char *desc;
	int family;		/* of the socket */
	bool v6only;
	const char *addr;
	u16 port;
	int len;
	int sa_family;		/* or -1 for the address's own */
	bool good;
} forms[] = {
	{ "IPv4", AF_INET, false, "192.0.2.1", PORT, 16, -1, true },
	{ "longer", AF_INET, false, "192.0.2.1", PORT, 128, -1, true },
	{ "shorter", AF_INET, false, "192.0.2.1", PORT, 15, -1, false },
	{ "no length", AF_INET, false, "192.0.2.1", PORT, 0, -1, false },
	{ "negative", AF_INET, false, "192.0.2.1", PORT, -1, -1, false },
	{ "no port", AF_INET, false, "192.0.2.1", 0, 16, -1, false },
	{ "the highest port", AF_INET, false, "192.0.2.1", 65535, 16, -1,
	  true },
	{ "unspecified", AF_INET, false, "0.0.0.0", PORT, 16, AF_UNSPEC,
	  true },
	{ "unspecified, but an address", AF_INET, false, "192.0.2.1", PORT,
	  16, AF_UNSPEC, false },
	{ "another family", AF_INET, false, "192.0.2.1", PORT, 16, AF_UNIX,
	  false },
	{ "IPv6 for IPv4", AF_INET, false, "2001:db8::1", PORT, 28, -1,
	  false },
	{ "IPv6", AF_INET6, false, "2001:db8::1", PORT, 28, -1, true },
	{ "IPv6 without scope", AF_INET6, false, "2001:db8::1", PORT, 24, -1,
	  true },
	{ "IPv6, shorter", AF_INET6, false, "2001:db8::1", PORT, 23, -1,
	  false },
	{ "IPv6, negative", AF_INET6, false, "2001:db8::1", PORT, -1, -1,
	  false },
	{ "IPv6, no port", AF_INET6, false, "::", 0, 28, -1, false },
	{ "IPv6 unspecified", AF_INET6, false, "::", PORT, 28, AF_UNSPEC,
	  false },
	{ "IPv4 for IPv6", AF_INET6, false, "192.0.2.1", PORT, 28, -1, false },
	{ "mapped", AF_INET6, false, "::ffff:192.0.2.1", PORT, 28, -1, true },
	{ "mapped, no port", AF_INET6, false, "::ffff:192.0.2.1", 0, 28, -1,
	  false },
	{ "mapped, no IPv4", AF_INET6, true, "::ffff:192.0.2.1", PORT, 28, -1,
	  false },
	{ "link-local without a link", AF_INET6, true, "fe80::1", PORT, 28, -1,
	  false },
};

KUNIT_ARRAY_PARAM_DESC(form, forms, desc);

static void guard_parses(struct kunit *test)
{
	const struct form *c = test->param_value;
	struct sockaddr_storage ss;
	struct udptrack_bind bind;

	fill(&ss, c->addr, c->port, 0);
	if (c->sa_family >= 0)
		ss.ss_family = c->sa_family;
	KUNIT_EXPECT_EQ(test, c->good,
			udptrack_guard_parse(c->family, c->v6only, 0,
					     (struct sockaddr *)&ss, c->len,
					     &bind));
}

/* The interface: the socket's, or that of an address that has its own. */
static const struct link {
	const char *desc;
	const char *addr;
	int bound;
	u32 scope;
	int len;
	int ifindex;
} links[] = {
	{ "no interface", "2001:db8::1", 0, 0, 28, 0 },
	{ "the socket's", "2001:db8::1", 3, 0, 28, 3 },
	{ "the socket's, IPv4", "192.0.2.1", 3, 0, 28, 3 },
	{ "none for a global address", "2001:db8::1", 0, 7, 28, 0 },
	{ "none for any address", "::", 0, 7, 28, 0 },
	{ "that of a link-local address", "fe80::1", 0, 7, 28, 7 },
	{ "that of a link-local group", "ff02::1", 0, 7, 28, 7 },
	{ "rather than the socket's", "fe80::1", 3, 7, 28, 7 },
	{ "the socket's for a link-local address", "fe80::1", 3, 0, 28, 3 },
	{ "the socket's where there is none", "fe80::1", 3, 7, 24, 3 },
};

KUNIT_ARRAY_PARAM_DESC(link, links, desc);

static void guard_links(struct kunit *test)
{
	const struct link *c = test->param_value;
	struct sockaddr_storage ss;
	struct udptrack_bind bind;

	fill(&ss, c->addr, PORT, c->scope);
	KUNIT_ASSERT_TRUE(test,
			  udptrack_guard_parse(ss.ss_family, true, c->bound,
					       (struct sockaddr *)&ss, c->len,
					       &bind));
	KUNIT_EXPECT_EQ(test, c->ifindex, bind.ifindex);
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE_PARAM(guard_covers, cover_gen_params),
	KUNIT_CASE_PARAM(guard_parses, form_gen_params),
	KUNIT_CASE_PARAM(guard_links, link_gen_params),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "udptrack_guard",
	.test_cases = guard_cases,
};

kunit_test_suite(guard_suite);
