// SPDX-License-Identifier: GPL-2.0-only
/*
 * state_kunit - the rule by which a flow lives, as tables and as stories.
 *
 * The rule is nf_conntrack_udp_packet()'s; where a line of it decides, a
 * comment says so. Everything is tried again at times around which 32-bit
 * jiffies wrap or change sign.
 */
#include <linux/jiffies.h>
#include <kunit/test.h>

#include "../../src/state.h"

#define TWO_SEC	(2 * HZ)

static const struct udptrack_timeouts to = {
	.unreplied_j = 30 * HZ,
	.stream_j = 120 * HZ,
};

/* When a flow may begin: at once after boot, around the sign and the wrap. */
static const struct epoch {
	const char *desc;
	u32 start_j;
} epochs[] = {
	{ "zero", 0 },
	{ "some time", 100000 },
	{ "at the sign", 0x7fffffff },
	{ "before the sign", 0x7fffffff - TWO_SEC },
	{ "expires across the sign", 0x80000000 - 10 * HZ },
	{ "at the wrap", U32_MAX },
	{ "2 s before the wrap", 0 - TWO_SEC },
	{ "a tick less than 2 s before the wrap", 1 - TWO_SEC },
	{ "a tick more than 2 s before the wrap", U32_MAX - TWO_SEC },
	{ "expires across the wrap", 0 - 10 * HZ },
	/* Where INITIAL_JIFFIES puts every kernel at boot. */
	{ "5 minutes before the wrap", (u32)(-300 * HZ) },
};

KUNIT_ARRAY_PARAM_DESC(epoch, epochs, desc);

static void state_open(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_state s = udptrack_state_open(e->start_j, &to);

	KUNIT_EXPECT_EQ(test, s.expires_j, (u32)(e->start_j + 30 * HZ));
	KUNIT_EXPECT_EQ(test, s.stream_after_j, (u32)(e->start_j + TWO_SEC));
	KUNIT_EXPECT_EQ(test, s.flags, 0);
}

/*
 * The whole table. What is older than 2 s stays so, however its clock wraps: a
 * mature flow is past the line wherever the line seems to be.
 */
enum age { BEFORE, AT, AFTER };

#define SEEN	UDPTRACK_SEEN_REPLY
#define ASSURED	UDPTRACK_ASSURED
#define MATURE	UDPTRACK_MATURE
#define EXPECTED	UDPTRACK_EXPECTED
#define BOTH	(SEEN | ASSURED)

static const struct transition {
	const char *desc;
	u8 flags;
	enum udptrack_dir dir;
	enum age age;
	bool stream;
	u8 new_flags;
	u8 events;
} transitions[] = {
	{ "unreplied, original, before",
	  0, UDPTRACK_ORIGINAL, BEFORE, false, 0, 0 },
	{ "unreplied, original, at",
	  0, UDPTRACK_ORIGINAL, AT, false, 0, 0 },
	{ "unreplied, original, after",
	  0, UDPTRACK_ORIGINAL, AFTER, false, 0, 0 },
	/* The first reply chooses its timeout as if there had been none. */
	{ "unreplied, reply, before",
	  0, UDPTRACK_REPLY, BEFORE, false, SEEN, UDPTRACK_EVENT_ESTABLISHED },
	{ "unreplied, reply, at",
	  0, UDPTRACK_REPLY, AT, false, SEEN, UDPTRACK_EVENT_ESTABLISHED },
	{ "unreplied, reply, after",
	  0, UDPTRACK_REPLY, AFTER, false, SEEN, UDPTRACK_EVENT_ESTABLISHED },
	{ "replied, original, before",
	  SEEN, UDPTRACK_ORIGINAL, BEFORE, false, SEEN, 0 },
	/* time_after(): at 2 s sharp it is not after 2 s. */
	{ "replied, original, at",
	  SEEN, UDPTRACK_ORIGINAL, AT, false, SEEN, 0 },
	{ "replied, original, after",
	  SEEN, UDPTRACK_ORIGINAL, AFTER, true, BOTH, UDPTRACK_EVENT_ASSURED },
	{ "replied, reply, before",
	  SEEN, UDPTRACK_REPLY, BEFORE, false, SEEN, 0 },
	{ "replied, reply, at",
	  SEEN, UDPTRACK_REPLY, AT, false, SEEN, 0 },
	{ "replied, reply, after",
	  SEEN, UDPTRACK_REPLY, AFTER, true, BOTH, UDPTRACK_EVENT_ASSURED },
	{ "assured, original, after",
	  BOTH, UDPTRACK_ORIGINAL, AFTER, true, BOTH, 0 },
	{ "assured, reply, after",
	  BOTH, UDPTRACK_REPLY, AFTER, true, BOTH, 0 },
	{ "mature, unreplied, original, before",
	  MATURE, UDPTRACK_ORIGINAL, BEFORE, false, 0, 0 },
	{ "mature, unreplied, reply, before",
	  MATURE, UDPTRACK_REPLY, BEFORE, false, SEEN,
	  UDPTRACK_EVENT_ESTABLISHED },
	{ "mature, replied, original, before",
	  MATURE | SEEN, UDPTRACK_ORIGINAL, BEFORE, true, BOTH,
	  UDPTRACK_EVENT_ASSURED },
	{ "mature, replied, reply, at",
	  MATURE | SEEN, UDPTRACK_REPLY, AT, true, BOTH,
	  UDPTRACK_EVENT_ASSURED },
	{ "mature, assured, original, before",
	  MATURE | BOTH, UDPTRACK_ORIGINAL, BEFORE, true, BOTH, 0 },
	{ "mature, assured, reply, at",
	  MATURE | BOTH, UDPTRACK_REPLY, AT, true, BOTH, 0 },
	/* How a flow began is kept and changes nothing about its life. */
	{ "expected, original, before",
	  EXPECTED, UDPTRACK_ORIGINAL, BEFORE, false, EXPECTED, 0 },
	{ "expected, original, after",
	  EXPECTED, UDPTRACK_ORIGINAL, AFTER, false, EXPECTED, 0 },
	{ "expected, reply, before",
	  EXPECTED, UDPTRACK_REPLY, BEFORE, false, EXPECTED | SEEN,
	  UDPTRACK_EVENT_ESTABLISHED },
	{ "expected, reply, after",
	  EXPECTED, UDPTRACK_REPLY, AFTER, false, EXPECTED | SEEN,
	  UDPTRACK_EVENT_ESTABLISHED },
	{ "expected, replied, original, before",
	  EXPECTED | SEEN, UDPTRACK_ORIGINAL, BEFORE, false, EXPECTED | SEEN,
	  0 },
	{ "expected, replied, original, after",
	  EXPECTED | SEEN, UDPTRACK_ORIGINAL, AFTER, true, EXPECTED | BOTH,
	  UDPTRACK_EVENT_ASSURED },
};

KUNIT_ARRAY_PARAM_DESC(transition, transitions, desc);

static u32 age_offset(enum age age, unsigned int step)
{
	static const u32 before[] = { TWO_SEC - 1, 1, 0 };
	static const u32 after[] = { TWO_SEC + 1, TWO_SEC * 2, 3600 * HZ };

	switch (age) {
	case BEFORE:
		return before[step];
	case AT:
		return TWO_SEC;
	default:
		return after[step];
	}
}

static void expect_transition(struct kunit *test, const struct transition *c,
			      const struct epoch *e, unsigned int step)
{
	struct udptrack_state old = udptrack_state_open(e->start_j, &to);
	u32 now_j = e->start_j + age_offset(c->age, step);
	struct udptrack_state new;
	u8 events = 0xff;

	old.flags = c->flags;
	old.expires_j = now_j + 1;
	new = udptrack_state_next(old, c->dir, now_j, &to, &events);
	KUNIT_EXPECT_EQ_MSG(test, new.expires_j,
			    (u32)(now_j + (c->stream ? 120 : 30) * HZ),
			    "start %s, step %u", e->desc, step);
	KUNIT_EXPECT_EQ_MSG(test, new.stream_after_j, old.stream_after_j,
			    "start %s, step %u", e->desc, step);
	KUNIT_EXPECT_EQ_MSG(test, new.flags & (BOTH | EXPECTED),
			    c->new_flags,
			    "start %s, step %u", e->desc, step);
	KUNIT_EXPECT_EQ_MSG(test, !!(new.flags & MATURE),
			    (c->flags & MATURE) || c->age == AFTER,
			    "start %s, step %u", e->desc, step);
	KUNIT_EXPECT_EQ_MSG(test, events, c->events, "start %s, step %u",
			    e->desc, step);
}

static void state_transition(struct kunit *test)
{
	const struct transition *c = test->param_value;
	unsigned int i, step;

	for (i = 0; i < ARRAY_SIZE(epochs); i++)
		for (step = 0; step < 3; step++)
			expect_transition(test, c, &epochs[i], step);
}

/* A flow is dead from the tick at which it expires: nf_ct_is_expired(). */
static void state_expired(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_state s = { .expires_j = e->start_j };

	KUNIT_EXPECT_FALSE(test, udptrack_state_expired(&s, e->start_j - 1));
	KUNIT_EXPECT_TRUE(test, udptrack_state_expired(&s, e->start_j));
	KUNIT_EXPECT_TRUE(test, udptrack_state_expired(&s, e->start_j + 1));
	/* A day, the longest timeout, at the fastest tick. */
	KUNIT_EXPECT_FALSE(test, udptrack_state_expired(&s, e->start_j -
							86400 * 1000));
	KUNIT_EXPECT_TRUE(test, udptrack_state_expired(&s, e->start_j +
						       86400 * 1000));
}

/* A packet of the very tick at which the flow would die comes too late. */
static void state_expired_exact(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_state s = udptrack_state_open(e->start_j, &to);

	KUNIT_EXPECT_FALSE(test, udptrack_state_expired(&s, e->start_j));
	KUNIT_EXPECT_FALSE(test, udptrack_state_expired(&s, e->start_j +
							30 * HZ - 1));
	KUNIT_EXPECT_TRUE(test, udptrack_state_expired(&s, e->start_j +
						       30 * HZ));
}

static const struct classify {
	const char *desc;
	u8 flags;
	enum udptrack_dir dir;
	enum udptrack_class want;
} classes[] = {
	{ "unreplied, original", 0, UDPTRACK_ORIGINAL, UDPTRACK_NEW },
	/* An answer is established on arrival. */
	{ "unreplied, reply", 0, UDPTRACK_REPLY, UDPTRACK_ESTABLISHED },
	{ "replied, original", SEEN, UDPTRACK_ORIGINAL,
	  UDPTRACK_ESTABLISHED },
	{ "replied, reply", SEEN, UDPTRACK_REPLY, UDPTRACK_ESTABLISHED },
	{ "assured, original", BOTH, UDPTRACK_ORIGINAL,
	  UDPTRACK_ESTABLISHED },
	{ "assured, reply", BOTH, UDPTRACK_REPLY, UDPTRACK_ESTABLISHED },
	/* An answer to a request is related until it is answered itself. */
	{ "expected, original", EXPECTED, UDPTRACK_ORIGINAL,
	  UDPTRACK_RELATED },
	{ "expected, mature, original", EXPECTED | MATURE, UDPTRACK_ORIGINAL,
	  UDPTRACK_RELATED },
	{ "expected, reply", EXPECTED, UDPTRACK_REPLY, UDPTRACK_ESTABLISHED },
	{ "expected, replied, original", EXPECTED | SEEN, UDPTRACK_ORIGINAL,
	  UDPTRACK_ESTABLISHED },
	{ "expected, replied, reply", EXPECTED | SEEN, UDPTRACK_REPLY,
	  UDPTRACK_ESTABLISHED },
	{ "expected, assured, original", EXPECTED | BOTH, UDPTRACK_ORIGINAL,
	  UDPTRACK_ESTABLISHED },
};

KUNIT_ARRAY_PARAM_DESC(classify, classes, desc);

static void state_classify(struct kunit *test)
{
	const struct classify *c = test->param_value;
	struct udptrack_state s = { .flags = c->flags };

	KUNIT_EXPECT_EQ(test, c->want, udptrack_state_classify(&s, c->dir));
}

/*
 * A packet of a story, at @at_j after the flow's first, and how the flow is
 * then: seconds to live, flags, and what was reported.
 */
struct beat {
	u32 at_j;
	enum udptrack_dir dir;
	u32 left_sec;
	u8 flags;
	u8 events;
};

#define END	{ .left_sec = 0 }

static void tell(struct kunit *test, const struct epoch *e,
		 const struct beat *beat)
{
	struct udptrack_state s = udptrack_state_open(e->start_j, &to);
	u32 now_j;
	u8 events;

	for (; beat->left_sec; beat++) {
		now_j = e->start_j + beat->at_j;
		KUNIT_ASSERT_FALSE_MSG(test,
				       udptrack_state_expired(&s, now_j),
				       "at %u", beat->at_j);
		s = udptrack_state_next(s, beat->dir, now_j, &to, &events);
		KUNIT_EXPECT_EQ_MSG(test, s.expires_j - now_j,
				    beat->left_sec * HZ, "at %u", beat->at_j);
		KUNIT_EXPECT_EQ_MSG(test, s.flags & BOTH, beat->flags, "at %u",
				    beat->at_j);
		KUNIT_EXPECT_EQ_MSG(test, events, beat->events, "at %u",
				    beat->at_j);
	}
}

/* A question and its answer. */
static void state_story_dns(struct kunit *test)
{
	static const struct beat story[] = {
		{ 5, UDPTRACK_REPLY, 30, SEEN, UDPTRACK_EVENT_ESTABLISHED },
		{ 6, UDPTRACK_ORIGINAL, 30, SEEN, 0 },
		{ 9, UDPTRACK_REPLY, 30, SEEN, 0 },
		END
	};

	tell(test, test->param_value, story);
}

/* A late first reply does not assure the flow; the next packet does. */
static void state_story_late_reply(struct kunit *test)
{
	static const struct beat story[] = {
		{ 20 * HZ, UDPTRACK_REPLY, 30, SEEN,
		  UDPTRACK_EVENT_ESTABLISHED },
		{ 20 * HZ, UDPTRACK_ORIGINAL, 120, BOTH,
		  UDPTRACK_EVENT_ASSURED },
		END
	};

	tell(test, test->param_value, story);
}

/* The line is at 2 s from the first packet: not at it, a tick after it. */
static void state_story_line(struct kunit *test)
{
	static const struct beat story[] = {
		{ 1, UDPTRACK_REPLY, 30, SEEN, UDPTRACK_EVENT_ESTABLISHED },
		{ TWO_SEC - 1, UDPTRACK_ORIGINAL, 30, SEEN, 0 },
		{ TWO_SEC, UDPTRACK_ORIGINAL, 30, SEEN, 0 },
		{ TWO_SEC + 1, UDPTRACK_ORIGINAL, 120, BOTH,
		  UDPTRACK_EVENT_ASSURED },
		{ TWO_SEC + 2, UDPTRACK_ORIGINAL, 120, BOTH, 0 },
		END
	};

	tell(test, test->param_value, story);
}

/* One end alone may talk for ever: the flow lives on, unreplied. */
static void state_story_one_way(struct kunit *test)
{
	static const struct beat story[] = {
		{ 29 * HZ, UDPTRACK_ORIGINAL, 30, 0, 0 },
		{ 58 * HZ, UDPTRACK_ORIGINAL, 30, 0, 0 },
		{ 87 * HZ, UDPTRACK_ORIGINAL, 30, 0, 0 },
		END
	};

	tell(test, test->param_value, story);
}

/* The answering end alone keeps it alive and assures it, too. */
static void state_story_reply_only(struct kunit *test)
{
	static const struct beat story[] = {
		{ HZ, UDPTRACK_REPLY, 30, SEEN, UDPTRACK_EVENT_ESTABLISHED },
		{ TWO_SEC, UDPTRACK_REPLY, 30, SEEN, 0 },
		{ 31 * HZ, UDPTRACK_REPLY, 120, BOTH,
		  UDPTRACK_EVENT_ASSURED },
		{ 150 * HZ, UDPTRACK_REPLY, 120, BOTH, 0 },
		END
	};

	tell(test, test->param_value, story);
}

/* New timeouts are for the next packet; what is running runs on. */
static void state_changed_timeouts(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_timeouts mine = { 30 * HZ, 120 * HZ };
	struct udptrack_state s = udptrack_state_open(e->start_j, &mine);
	u32 now_j = e->start_j + HZ;
	u8 events;

	mine.unreplied_j = 5 * HZ;
	KUNIT_EXPECT_FALSE(test, udptrack_state_expired(&s, e->start_j +
							29 * HZ));
	s = udptrack_state_next(s, UDPTRACK_REPLY, now_j, &mine, &events);
	KUNIT_EXPECT_EQ(test, s.expires_j, (u32)(now_j + 5 * HZ));

	now_j += 3 * HZ;
	s = udptrack_state_next(s, UDPTRACK_REPLY, now_j, &mine, &events);
	KUNIT_EXPECT_EQ(test, s.expires_j, (u32)(now_j + 120 * HZ));
	mine.stream_j = 60 * HZ;
	s = udptrack_state_next(s, UDPTRACK_REPLY, now_j, &mine, &events);
	KUNIT_EXPECT_EQ(test, s.expires_j, (u32)(now_j + 60 * HZ));
	/* The line stays at 2 s, which is nobody's to set. */
	KUNIT_EXPECT_EQ(test, s.stream_after_j, (u32)(e->start_j + TWO_SEC));
}

/*
 * A stream stays one for as long as it lives, be it a year: 2^31 ticks are
 * 25 days at HZ=1000, and nf_conntrack's 64-bit clock does not notice them.
 */
static void state_long_lived_stream(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_state s = udptrack_state_open(e->start_j, &to);
	u32 now_j = e->start_j;
	unsigned int i;
	u8 events;

	s = udptrack_state_next(s, UDPTRACK_REPLY, now_j, &to, &events);
	for (i = 0; i < 6; i++) {
		now_j += i ? 1U << 30 : TWO_SEC + 1;
		s.expires_j = now_j + 1;	/* kept alive in between */
		s = udptrack_state_next(s, i & 1, now_j, &to, &events);
		KUNIT_EXPECT_EQ_MSG(test, s.expires_j - now_j, 120 * HZ,
				    "after %u * 2^30 ticks", i);
		KUNIT_EXPECT_EQ(test, s.flags & BOTH, BOTH);
		KUNIT_EXPECT_EQ(test, events, i ? 0 : UDPTRACK_EVENT_ASSURED);
	}
}

/* Likewise, who first answers after so long has passed the 2 s line. */
static void state_long_lived_unreplied(struct kunit *test)
{
	const struct epoch *e = test->param_value;
	struct udptrack_state s = udptrack_state_open(e->start_j, &to);
	u32 now_j = e->start_j;
	unsigned int i;
	u8 events;

	for (i = 0; i < 3; i++) {
		now_j += 1U << 30;
		s.expires_j = now_j + 1;	/* kept alive in between */
		s = udptrack_state_next(s, UDPTRACK_ORIGINAL, now_j, &to,
					&events);
		KUNIT_EXPECT_EQ(test, s.flags & BOTH, 0);
	}
	s = udptrack_state_next(s, UDPTRACK_REPLY, now_j, &to, &events);
	s = udptrack_state_next(s, UDPTRACK_ORIGINAL, now_j, &to, &events);
	KUNIT_EXPECT_EQ(test, s.flags & BOTH, BOTH);
	KUNIT_EXPECT_EQ(test, s.expires_j - now_j, 120 * HZ);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE_PARAM(state_open, epoch_gen_params),
	KUNIT_CASE_PARAM(state_transition, transition_gen_params),
	KUNIT_CASE_PARAM(state_expired, epoch_gen_params),
	KUNIT_CASE_PARAM(state_expired_exact, epoch_gen_params),
	KUNIT_CASE_PARAM(state_classify, classify_gen_params),
	KUNIT_CASE_PARAM(state_story_dns, epoch_gen_params),
	KUNIT_CASE_PARAM(state_story_late_reply, epoch_gen_params),
	KUNIT_CASE_PARAM(state_story_line, epoch_gen_params),
	KUNIT_CASE_PARAM(state_story_one_way, epoch_gen_params),
	KUNIT_CASE_PARAM(state_story_reply_only, epoch_gen_params),
	KUNIT_CASE_PARAM(state_changed_timeouts, epoch_gen_params),
	KUNIT_CASE_PARAM(state_long_lived_stream, epoch_gen_params),
	KUNIT_CASE_PARAM(state_long_lived_unreplied, epoch_gen_params),
	{}
};

static struct kunit_suite state_suite = {
	.name = "udptrack_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
