// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of owners.c: who is the same is there once, and nobody longer than
 * their flows.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../../src/owners.h"

static struct udptrack_owner somebody(unsigned int uid, const char *comm)
{
	struct udptrack_owner owner = {
		.pid = task_tgid(current),
		.cgroup = 7,
		.uid = KUIDT_INIT(uid),
		.has_uid = true,
		.final = true,
	};

	strscpy(owner.comm, comm, sizeof(owner.comm));
	return owner;
}

/* References to the number of this process. */
static unsigned int refs(void)
{
	return refcount_read(&task_tgid(current)->count);
}

static void owners_share(struct kunit *test)
{
	struct udptrack_owner owner = somebody(1, "one");
	struct udptrack_shared_owner *first, *second;
	struct udptrack_owners owners = { };
	unsigned int before = refs();

	first = udptrack_owners_get(&owners, &owner);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_EXPECT_EQ(test, refs(), before + 1);
	/* Whether there is more to learn is the flow's business. */
	owner.final = false;
	second = udptrack_owners_get(&owners, &owner);
	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_EQ(test, first->flows, 2U);
	KUNIT_EXPECT_EQ(test, refs(), before + 1);
	KUNIT_EXPECT_STREQ(test, first->owner.comm, "one");

	udptrack_owners_put(&owners, first);
	KUNIT_EXPECT_EQ(test, first->flows, 1U);
	udptrack_owners_put(&owners, first);
	KUNIT_EXPECT_EQ(test, refs(), before);
	KUNIT_EXPECT_NULL(test, memchr_inv(&owners, 0, sizeof(owners)));
	udptrack_owners_put(&owners, NULL);
}

/* Whatever differs, it is somebody else. */
static void owners_differ(struct kunit *test)
{
	struct udptrack_owner those[] = {
		somebody(1, "one"), somebody(2, "one"), somebody(1, "two"),
		somebody(1, "one"), somebody(1, "one"), somebody(0, "one"),
	};
	struct udptrack_shared_owner *shared[ARRAY_SIZE(those)];
	struct udptrack_owners owners = { };
	unsigned int before = refs();
	unsigned int i, j;

	those[3].pid = NULL;
	those[4].cgroup = 8;
	/* User 0 and nobody known. */
	those[5].has_uid = false;
	for (i = 0; i < ARRAY_SIZE(those); i++) {
		shared[i] = udptrack_owners_get(&owners, &those[i]);
		KUNIT_ASSERT_NOT_NULL(test, shared[i]);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_PTR_NE(test, shared[i], shared[j]);
		KUNIT_EXPECT_PTR_EQ(test, shared[i]->owner.pid, those[i].pid);
	}
	for (i = 0; i < ARRAY_SIZE(those); i++)
		udptrack_owners_put(&owners, shared[i]);
	KUNIT_EXPECT_EQ(test, refs(), before);
	KUNIT_EXPECT_NULL(test, memchr_inv(&owners, 0, sizeof(owners)));
}

/* More of them than are looked for: all are right, some there twice. */
static void owners_many(struct kunit *test)
{
	const unsigned int many = 4 << UDPTRACK_OWNERS_SHIFT;
	struct udptrack_shared_owner **shared;
	struct udptrack_owners owners = { };
	unsigned int before = refs();
	struct udptrack_owner owner;
	unsigned int i;

	shared = kunit_kcalloc(test, 2 * many, sizeof(*shared), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shared);
	for (i = 0; i < 2 * many; i++) {
		owner = somebody(i % many, "many");
		shared[i] = udptrack_owners_get(&owners, &owner);
		KUNIT_ASSERT_NOT_NULL(test, shared[i]);
		KUNIT_EXPECT_EQ(test, __kuid_val(shared[i]->owner.uid),
				i % many);
	}
	for (i = 0; i < 2 * many; i++)
		udptrack_owners_put(&owners, shared[i]);
	KUNIT_EXPECT_EQ(test, refs(), before);
	KUNIT_EXPECT_NULL(test, memchr_inv(&owners, 0, sizeof(owners)));
}

static struct kunit_case owners_cases[] = {
	KUNIT_CASE(owners_share),
	KUNIT_CASE(owners_differ),
	KUNIT_CASE(owners_many),
	{ }
};

static struct kunit_suite owners_suite = {
	.name = "udptrack_owners",
	.test_cases = owners_cases,
};

kunit_test_suite(owners_suite);
