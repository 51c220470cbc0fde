// SPDX-License-Identifier: GPL-2.0-only
/*
 * ports_kunit - sets of ports from text.
 *
 * The rule: a list is taken whole or not at all, and one that is not taken
 * leaves the set as it was.
 */
#include <linux/bitmap.h>
#include <linux/string.h>
#include <kunit/resource.h>
#include <kunit/test.h>

#include "../../src/ports.h"

static void ports_release(void *ports)
{
	udptrack_ports_free(ports);
}

/* An empty set that is freed with the test. */
static struct udptrack_ports *ports_new(struct kunit *test)
{
	struct udptrack_ports *ports = kunit_kzalloc(test, sizeof(*ports),
						     GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ports);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ports_release,
							   ports));
	return ports;
}

static unsigned int ports_weight(const struct udptrack_ports *ports)
{
	return ports->bits ? bitmap_weight(ports->bits, UDPTRACK_PORTS) : 0;
}

static bool ports_has(const struct udptrack_ports *ports, unsigned int port)
{
	return udptrack_ports_has(ports, htons(port));
}

/* What is written, how many ports that is, and some in it and not in it. */
#define NO_PORT	UDPTRACK_PORTS
static const struct good_list {
	const char *desc;
	const char *text;
	unsigned int weight;
	unsigned int in[3];
	unsigned int out[3];
} good_lists[] = {
	{ "nothing", "", 0, { NO_PORT, NO_PORT, NO_PORT }, { 0, 53, 65535 } },
	{ "a newline", "\n", 0, { NO_PORT, NO_PORT, NO_PORT },
	  { 0, 53, 65535 } },
	{ "white space", " \t\n", 0, { NO_PORT, NO_PORT, NO_PORT },
	  { 0, 53, 65535 } },
	{ "a port", "53", 1, { 53, NO_PORT, NO_PORT }, { 52, 54, 13568 } },
	{ "a port and a newline", "53\n", 1, { 53, NO_PORT, NO_PORT },
	  { 52, 54, 0 } },
	{ "a port in white space", " 53\t\n", 1, { 53, NO_PORT, NO_PORT },
	  { 52, 54, 0 } },
	{ "the lowest port", "0", 1, { 0, NO_PORT, NO_PORT },
	  { 1, 256, 65535 } },
	{ "the highest port", "65535", 1, { 65535, NO_PORT, NO_PORT },
	  { 0, 65534, 255 } },
	{ "all ports", "0-65535", 65536, { 0, 4789, 65535 },
	  { NO_PORT, NO_PORT, NO_PORT } },
	{ "a port and a range", "53,5000-5100", 102, { 53, 5000, 5100 },
	  { 52, 4999, 5101 } },
	{ "two ports, one byte-swapped", "53,13568", 2,
	  { 53, 13568, NO_PORT }, { 54, 0, 65535 } },
	{ "a range of one", "53-53", 1, { 53, NO_PORT, NO_PORT },
	  { 52, 54, 0 } },
	{ "not in order", "5000,53,600-700", 103, { 53, 650, 5000 },
	  { 599, 701, 54 } },
	{ "overlapping", "50-60,55-70,53,53", 21, { 50, 60, 70 },
	  { 49, 71, 0 } },
	{ "leading zeros", "0053", 1, { 53, NO_PORT, NO_PORT },
	  { 43, 0, 52 } },
};

KUNIT_ARRAY_PARAM_DESC(good_list, good_lists, desc);

static void ports_good(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);
	const struct good_list *c = test->param_value;
	unsigned int i;

	/* What was there before is replaced, not added to. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, "1000-2000"));
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, c->text));
	KUNIT_EXPECT_EQ(test, c->weight, ports_weight(ports));
	for (i = 0; i < 3; i++) {
		if (c->in[i] != NO_PORT)
			KUNIT_EXPECT_TRUE_MSG(test, ports_has(ports, c->in[i]),
					      "port %u", c->in[i]);
		if (c->out[i] != NO_PORT)
			KUNIT_EXPECT_FALSE_MSG(test,
					       ports_has(ports, c->out[i]),
					       "port %u", c->out[i]);
	}
}

/* No set at all is kept for a list with nothing in it. */
static void ports_empty_is_free(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, ""));
	KUNIT_EXPECT_NULL(test, ports->bits);
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, "53"));
	KUNIT_EXPECT_NOT_NULL(test, ports->bits);
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, "\n"));
	KUNIT_EXPECT_NULL(test, ports->bits);
}

static const struct bad_list {
	const char *text;
} bad_lists[] = {
	{ "65536" }, { "0-65536" }, { "65535-65536" }, { "65536-65537" },
	{ "100000" }, { "4294967295" }, { "4294967296" }, { "4294967349" },
	{ "18446744073709551615" }, { "18446744073709551669" },
	{ "99999999999999999999999999999999" },
	{ "53-" }, { "-53" }, { "-" }, { "--" }, { "53--54" }, { "53-54-55" },
	{ "54-53" }, { "65535-0" }, { "53,-" }, { "53,54-" },
	{ "53,54-53" }, { "1-2,65536" }, { "1-2,x" },
	{ "a" }, { "all" }, { "ALL" }, { "N" }, { "0-N" }, { "none" },
	{ "53a" }, { "a53" }, { "53;54" }, { "53.54" }, { "53/54" },
	{ "53:54" }, { "53+1" }, { "+53" }, { "5 3-54x" }, { "*" },
	{ "0x35" }, { "0x35-0x40" }, { "1e3" }, { "1-10:2/5" }, { "!53" },
	{ "~53" }, { "\"53\"" }, { "53\\n" }, { "domain" },
	{ "53 -54" }, { "53- 54" },
};

static void bad_list_desc(const struct bad_list *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s'", c->text);
}

KUNIT_ARRAY_PARAM(bad_list, bad_lists, bad_list_desc);

/* Refused for a reason that is documented, and the old set still there. */
static void ports_bad(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);
	const struct bad_list *c = test->param_value;
	unsigned long *bits;
	int err;

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, "53,5000-5100"));
	bits = ports->bits;
	err = udptrack_ports_parse(ports, c->text);
	KUNIT_EXPECT_TRUE_MSG(test, err == -EINVAL || err == -ERANGE,
			      "returned %d", err);
	KUNIT_EXPECT_PTR_EQ(test, bits, ports->bits);
	KUNIT_EXPECT_EQ(test, 102, ports_weight(ports));
	KUNIT_EXPECT_TRUE(test, ports_has(ports, 53));
	KUNIT_EXPECT_TRUE(test, ports_has(ports, 5100));
}

/* The same, on a set that never had a port. */
static void ports_bad_on_empty(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);

	KUNIT_EXPECT_EQ(test, -EINVAL, udptrack_ports_parse(ports, "53-"));
	KUNIT_EXPECT_NULL(test, ports->bits);
	KUNIT_EXPECT_EQ(test, -ERANGE, udptrack_ports_parse(ports, "65536"));
	KUNIT_EXPECT_NULL(test, ports->bits);
}

/*
 * What is no list by the letter, but what ip_local_reserved_ports and its kin
 * let pass, one or the other: separators too many, and white space for commas.
 * This says how it is, so that a change of it does not go unnoticed.
 */
static const struct odd_list {
	const char *text;
	unsigned int weight;
} odd_lists[] = {
	{ "53,", 1 }, { ",53", 1 }, { "53,,54", 2 }, { ",", 0 }, { ",,,", 0 },
	{ "53 54", 2 }, { "5 3", 2 }, { "53, 54", 2 }, { "53 ,54", 2 },
};

static void odd_list_desc(const struct odd_list *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s'", c->text);
}

KUNIT_ARRAY_PARAM(odd_list, odd_lists, odd_list_desc);

static void ports_odd(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);
	const struct odd_list *c = test->param_value;

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, c->text));
	KUNIT_EXPECT_EQ(test, c->weight, ports_weight(ports));
}

/* A line ends the list; what is behind it is not silently lost. */
static void ports_second_line(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);

	if (udptrack_ports_parse(ports, "53\n54"))
		return;
	KUNIT_EXPECT_TRUE(test, ports_has(ports, 53));
	KUNIT_EXPECT_TRUE(test, ports_has(ports, 54));
}

/* Every single port is itself and no other. */
static void ports_each(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);
	unsigned int port, wrong = 0;
	char text[8];

	for (port = 0; port < UDPTRACK_PORTS; port += 257) {
		snprintf(text, sizeof(text), "%u", port);
		KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, text));
		wrong += !ports_has(ports, port) || ports_weight(ports) != 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* A copy is equal, and lives its own life. */
static void ports_copy(struct kunit *test)
{
	struct udptrack_ports *from = ports_new(test);
	struct udptrack_ports *to = ports_new(test);

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(from, "53,5000-5100"));
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_copy(to, from));
	KUNIT_ASSERT_NOT_NULL(test, to->bits);
	KUNIT_EXPECT_PTR_NE(test, to->bits, from->bits);
	KUNIT_EXPECT_TRUE(test, bitmap_equal(to->bits, from->bits,
					     UDPTRACK_PORTS));
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(from, "1"));
	KUNIT_EXPECT_EQ(test, 102, ports_weight(to));
	KUNIT_EXPECT_FALSE(test, ports_has(to, 1));
}

static void ports_copy_empty(struct kunit *test)
{
	struct udptrack_ports *from = ports_new(test);
	struct udptrack_ports *to = ports_new(test);

	KUNIT_EXPECT_EQ(test, 0, udptrack_ports_copy(to, from));
	KUNIT_EXPECT_NULL(test, to->bits);
	KUNIT_EXPECT_FALSE(test, ports_has(to, 53));
}

/* A set that has its bitmap keeps it, and what is in it. */
static void ports_alloc_twice(struct kunit *test)
{
	struct udptrack_ports *ports = ports_new(test);
	unsigned long *bits;

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_alloc(ports));
	KUNIT_EXPECT_EQ(test, 0, ports_weight(ports));
	bits = ports->bits;
	set_bit(53, bits);
	KUNIT_EXPECT_EQ(test, 0, udptrack_ports_alloc(ports));
	KUNIT_EXPECT_PTR_EQ(test, ports->bits, bits);
	KUNIT_EXPECT_TRUE(test, ports_has(ports, 53));
}

/* No port of a set is overlooked, and few others are thought to be in it. */
static void ports_hint(struct kunit *test)
{
	unsigned long hint[UDPTRACK_PORTS_HINT_LONGS] = {};
	struct udptrack_ports *ports = ports_new(test);
	unsigned int port, missed = 0, hits = 0;

	udptrack_ports_hint_at(ports, hint);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(hint, UDPTRACK_PORTS_HINT));

	KUNIT_ASSERT_EQ(test, 0,
			udptrack_ports_parse(ports, "0,53,511,512,4789,5000-5100,65535"));
	udptrack_ports_hint_at(ports, hint);
	for (port = 0; port < UDPTRACK_PORTS; port++) {
		missed += ports_has(ports, port) &&
			  !udptrack_ports_hinted(hint, htons(port));
		hits += udptrack_ports_hinted(hint, htons(port));
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	/* 0 and 512 share a bit, 511 and 65535 another. */
	KUNIT_EXPECT_EQ(test, hits, 105 * UDPTRACK_PORTS / UDPTRACK_PORTS_HINT);

	/* What was noted before stays noted. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(ports, "100"));
	udptrack_ports_hint_at(ports, hint);
	KUNIT_EXPECT_TRUE(test, udptrack_ports_hinted(hint, htons(100)));
	KUNIT_EXPECT_TRUE(test, udptrack_ports_hinted(hint, htons(53)));
}

static struct kunit_case ports_cases[] = {
	KUNIT_CASE_PARAM(ports_good, good_list_gen_params),
	KUNIT_CASE(ports_empty_is_free),
	KUNIT_CASE_PARAM(ports_bad, bad_list_gen_params),
	KUNIT_CASE(ports_bad_on_empty),
	KUNIT_CASE_PARAM(ports_odd, odd_list_gen_params),
	KUNIT_CASE(ports_second_line),
	KUNIT_CASE(ports_each),
	KUNIT_CASE(ports_copy),
	KUNIT_CASE(ports_copy_empty),
	KUNIT_CASE(ports_alloc_twice),
	KUNIT_CASE(ports_hint),
	{}
};

static struct kunit_suite ports_suite = {
	.name = "udptrack_ports",
	.test_cases = ports_cases,
};

kunit_test_suite(ports_suite);
