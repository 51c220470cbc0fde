// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_kunit - timeouts of single ports: which texts are lists, how they are
 * shown, and to which packets they apply.
 *
 * The rule: a list is taken whole or not at all; either end's port counts, and
 * of two the lower one decides, so that both directions agree.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <kunit/test.h>

#include "../../src/policy.h"

static const struct text {
	const char *desc;
	const char *text;
	int want;
	const char *shown;	/* NULL: as it was written */
} texts[] = {
	{ "one port", "53:5", 0 },
	{ "with a stream timeout", "53:5:7", 0 },
	{ "several", "53:5:5,51820:180:300,1:1", 0 },
	{ "any order", "9:1,3:1", 0 },
	{ "lowest", "0:1:1", 0 },
	{ "highest", "65535:86400:86400", 0 },
	{ "white space around", " \t53:5\n", 0, "53:5" },
	{ "leading zeros", "0053:05", 0, "53:5" },
	{ "nothing", "", 0 },
	{ "nothing but white space", " \t ", 0, "" },
	{ "no timeout", "53", -EINVAL },
	{ "an empty timeout", "53:", -EINVAL },
	{ "no port", ":5", -EINVAL },
	{ "an empty stream timeout", "53:5:", -EINVAL },
	{ "a third timeout", "53:5:5:5", -EINVAL },
	{ "comma at the end", "53:5,", -EINVAL },
	{ "comma at the beginning", ",53:5", -EINVAL },
	{ "two commas", "53:5,,54:5", -EINVAL },
	{ "space within", "53: 5", -EINVAL },
	{ "two lines", "53:5\n54:5", -EINVAL },
	{ "a range", "53-54:5", -EINVAL },
	{ "hexadecimal", "0x35:5", -EINVAL },
	{ "negative", "53:-5", -EINVAL },
	{ "a name", "dns:5", -EINVAL },
	{ "port too high", "65536:5", -ERANGE },
	{ "port that wraps", "4294967349:5", -ERANGE },
	{ "timeout 0", "53:0", -ERANGE },
	{ "timeout too high", "53:86401", -ERANGE },
	{ "timeout that wraps", "53:4294967301", -ERANGE },
	{ "stream timeout 0", "53:5:0", -ERANGE },
	{ "stream timeout too high", "53:5:86401", -ERANGE },
	{ "a port twice", "53:5,54:5,53:5", -EEXIST },
};

KUNIT_ARRAY_PARAM_DESC(text, texts, desc);

static char *show(struct kunit *test, const struct udptrack_policies *policies)
{
	char *text = kunit_kzalloc(test, UDPTRACK_POLICIES_TEXT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_EXPECT_EQ(test,
			udptrack_policies_show(policies, text,
					       UDPTRACK_POLICIES_TEXT),
			strlen(text));
	return text;
}

static void policy_text(struct kunit *test)
{
	const struct text *t = test->param_value;
	struct udptrack_policies policies = {};

	KUNIT_ASSERT_EQ(test, 0, udptrack_policies_parse(&policies, "7:8:9"));
	KUNIT_EXPECT_EQ(test, t->want,
			udptrack_policies_parse(&policies, t->text));
	if (t->want)
		KUNIT_EXPECT_STREQ(test, show(test, &policies), "7:8:9");
	else
		KUNIT_EXPECT_STREQ(test, show(test, &policies),
				   t->shown ?: t->text);
	udptrack_policies_free(&policies);
}

/* As many as there may be, at their longest; and one more. */
static void policy_many(struct kunit *test)
{
	size_t size = UDPTRACK_POLICIES_TEXT + 32, len = 0;
	struct udptrack_policies policies = {};
	char *text = kvzalloc(size, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < UDPTRACK_POLICIES_MAX; i++)
		len += scnprintf(text + len, size - len, "%s%u:86400:86400",
				 i ? "," : "", 64000 + i);
	KUNIT_EXPECT_EQ(test, 0, udptrack_policies_parse(&policies, text));
	KUNIT_EXPECT_STREQ(test, show(test, &policies), text);
	scnprintf(text + len, size - len, ",1:1");
	KUNIT_EXPECT_EQ(test, -E2BIG,
			udptrack_policies_parse(&policies, text));
	kvfree(text);
	udptrack_policies_free(&policies);
}

#define GENERAL		30
#define GENERAL_STREAM	120

static const struct use {
	const char *desc;
	u16 sport;
	u16 dport;
	u32 timeout;
	u32 timeout_stream;
} uses[] = {
	{ "neither end", 4000, 4001, GENERAL, GENERAL_STREAM },
	{ "asked", 4000, 53, 5, 7 },
	{ "asking", 53, 4000, 5, 7 },
	{ "both ends the same", 53, 53, 5, 7 },
	{ "of two the lower, asked", 51820, 53, 5, 7 },
	{ "of two the lower, asking", 53, 51820, 5, 7 },
	{ "a neighbour", 4000, 54, GENERAL, GENERAL_STREAM },
	{ "port 0", 4000, 0, 1, 2 },
	{ "the highest port", 65535, 4000, 86400, 86400 },
	{ "without a stream timeout", 4000, 7000, 20, GENERAL_STREAM },
};

KUNIT_ARRAY_PARAM_DESC(use, uses, desc);

static void policy_use(struct kunit *test)
{
	const struct use *u = test->param_value;
	struct udptrack_timeouts to = {
		.unreplied_j = GENERAL * HZ,
		.stream_j = GENERAL_STREAM * HZ,
	};
	static const char list[] =
		"53:5:7,51820:180:300,0:1:2,65535:86400:86400,7000:20";
	struct udptrack_policies policies = {};
	struct udptrack_tuple tuple = {
		.sport = htons(u->sport),
		.dport = htons(u->dport),
		.family = NFPROTO_IPV4,
	};

	KUNIT_ASSERT_EQ(test, 0, udptrack_policies_parse(&policies, list));
	rcu_read_lock();
	udptrack_policies_apply(&policies, &tuple, &to);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, to.unreplied_j, u->timeout * HZ);
	KUNIT_EXPECT_EQ(test, to.stream_j, u->timeout_stream * HZ);

	udptrack_policies_free(&policies);
	to.unreplied_j = 1;
	to.stream_j = 2;
	rcu_read_lock();
	udptrack_policies_apply(&policies, &tuple, &to);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, to.unreplied_j, 1);
	KUNIT_EXPECT_EQ(test, to.stream_j, 2);
}

/*
 * Lists that share what they say are replaced and freed one by one. One that is
 * freed too often is for the kernel to tell, which counts them.
 */
static void policy_shared(struct kunit *test)
{
	struct udptrack_policies a = {}, b = {}, c = {};

	udptrack_policies_share(&b, &a);
	KUNIT_EXPECT_STREQ(test, show(test, &b), "");
	KUNIT_ASSERT_EQ(test, 0, udptrack_policies_parse(&a, "53:5"));
	udptrack_policies_share(&b, &a);
	udptrack_policies_share(&c, &a);
	KUNIT_EXPECT_STREQ(test, show(test, &b), "53:5");
	KUNIT_ASSERT_EQ(test, 0, udptrack_policies_parse(&b, "54:6"));
	KUNIT_EXPECT_STREQ(test, show(test, &b), "54:6");
	KUNIT_EXPECT_STREQ(test, show(test, &a), "53:5");
	udptrack_policies_free(&a);
	KUNIT_EXPECT_STREQ(test, show(test, &c), "53:5");
	udptrack_policies_free(&b);
	udptrack_policies_free(&c);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE_PARAM(policy_text, text_gen_params),
	KUNIT_CASE(policy_many),
	KUNIT_CASE_PARAM(policy_use, use_gen_params),
	KUNIT_CASE(policy_shared),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "udptrack_policy",
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
