// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns_kunit - DNS messages, and which answer belongs to which question.
 *
 * The rule (RFC 1035 4.1.1, RFC 5452 4.3): an answer has the number and the
 * opcode of a question that was asked from this port. The tracker must never
 * call an answer forged whose question it saw, and must call every other so,
 * unless it may have missed a question.
 */
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <kunit/test.h>

#include "../../src/dns.h"
#include "packet.h"

#define SEC	((u32)USEC_PER_SEC)

/* --- messages */

static const struct header {
	const char *desc;
	u8 bytes[12];
	enum udptrack_dns_kind want;
	u16 id;
	u8 opcode;
	bool truncated;
} headers[] = {
	{ "query", { 0x12, 0x34, 0x01, 0, 0, 1 }, UDPTRACK_DNS_QUESTION,
	  0x1234 },
	{ "query with EDNS", { 0xff, 0xff, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1 },
	  UDPTRACK_DNS_QUESTION, 0xffff },
	{ "number 0, as of mDNS", { 0, 0, 0, 0, 0, 1 }, UDPTRACK_DNS_QUESTION },
	{ "IXFR", { 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 }, UDPTRACK_DNS_QUESTION, 1 },
	{ "notify", { 0, 2, 0x24, 0, 0, 1, 0, 1 }, UDPTRACK_DNS_QUESTION, 2,
	  4 },
	{ "update", { 0, 3, 0x28, 0, 0, 1, 0, 1, 0, 9 }, UDPTRACK_DNS_QUESTION,
	  3, 5 },
	{ "answer", { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1 },
	  UDPTRACK_DNS_ANSWER, 0x1234 },
	{ "answer without a question", { 0, 4, 0x84, 0, 0, 0, 0, 1 },
	  UDPTRACK_DNS_ANSWER, 4 },
	{ "truncated answer", { 0, 5, 0x83, 0x80, 0, 1 }, UDPTRACK_DNS_ANSWER,
	  5, 0, true },
	{ "refusal", { 0, 6, 0x81, 0x85, 0, 1 }, UDPTRACK_DNS_ANSWER, 6 },
	{ "answer to an update", { 0, 7, 0xa8, 0 }, UDPTRACK_DNS_ANSWER, 7, 5 },
	{ "no question", { 0, 8, 0x01 }, UDPTRACK_DNS_NONE },
	{ "two questions", { 0, 8, 0x01, 0, 0, 2 }, UDPTRACK_DNS_NONE },
	{ "256 questions", { 0, 8, 0x01, 0, 1, 0 }, UDPTRACK_DNS_NONE },
	{ "question with a result", { 0, 8, 0x01, 0x03, 0, 1 },
	  UDPTRACK_DNS_NONE },
	{ "query with an answer", { 0, 8, 0x01, 0, 0, 1, 0, 1 },
	  UDPTRACK_DNS_NONE },
	{ "unknown opcode", { 0, 8, 0x78, 0, 0, 1 }, UDPTRACK_DNS_NONE },
	{ "WireGuard", { 4, 0, 0, 0, 0, 1, 0x5a, 0x13, 7 }, UDPTRACK_DNS_NONE },
};

KUNIT_ARRAY_PARAM_DESC(header, headers, desc);

static void parse_header(struct kunit *test)
{
	const struct header *header = test->param_value;
	struct udptrack_dns_message msg;
	struct packet *p = packet_new(test);
	unsigned int cut;

	memset(packet_put(p, 7), 0xff, 7);
	memcpy(packet_put(p, 12), header->bytes, 12);
	memset(packet_put(p, 5), 0xff, 5);

	udptrack_dns_parse(packet_skb(test, p), 7, &msg);
	KUNIT_EXPECT_EQ(test, msg.kind, header->want);
	if (header->want != UDPTRACK_DNS_NONE) {
		KUNIT_EXPECT_EQ(test, msg.id, header->id);
		KUNIT_EXPECT_EQ(test, msg.opcode, header->opcode);
		KUNIT_EXPECT_EQ(test, msg.truncated, header->truncated);
	}
	/* In pages, wherever the cut is. */
	for (cut = 7; cut < 19; cut++) {
		udptrack_dns_parse(packet_skb_paged(test, p, cut), 7, &msg);
		KUNIT_EXPECT_EQ(test, msg.kind, header->want);
	}
	/* Ending inside the header, it is nothing. */
	for (cut = 7; cut < 19; cut++) {
		udptrack_dns_parse(packet_skb_cut(test, p, cut), 7, &msg);
		KUNIT_EXPECT_EQ(test, msg.kind, UDPTRACK_DNS_NONE);
	}
}

/* --- questions and answers */

struct fixture {
	struct udptrack_dns *dns;
	struct udptrack_dns_pool pool;
	struct udptrack_dns_rules rules;
	bool is_first;
};

static int fixture_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->pool.stats = alloc_percpu(struct udptrack_dns_stats);
	if (!f->pool.stats)
		return -ENOMEM;
	f->rules = (struct udptrack_dns_rules) {
		/* The lower half wraps within every longer case. */
		.now_us = (1ULL << 33) - 300ULL * SEC,
		.open_us = 30 * SEC,
		.late_us = 120 * SEC,
		.keep_us = 5 * SEC,
		.slots_max = 1 << 20,
	};
	f->is_first = true;
	test->priv = f;
	return 0;
}

static void fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	udptrack_dns_close(f->dns, &f->pool);
	udptrack_dns_free(f->dns);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->pool.slots), 0);
	free_percpu(f->pool.stats);
}

static void ask_as(struct fixture *f, enum udptrack_dns_kind kind, u16 id,
		   u8 opcode)
{
	struct udptrack_dns_message msg = {
		.kind = kind, .id = id, .opcode = opcode,
	};

	preempt_disable();
	udptrack_dns_ask(&f->dns, 1, f->is_first, &msg, &f->rules, &f->pool);
	preempt_enable();
	f->is_first = false;
}

static void ask(struct fixture *f, u16 id)
{
	ask_as(f, UDPTRACK_DNS_QUESTION, id, 0);
}

static enum udptrack_dns_verdict
answer_as(struct kunit *test, enum udptrack_dns_kind kind, u16 id, u8 opcode)
{
	struct udptrack_dns_message msg = {
		.kind = kind, .id = id, .opcode = opcode,
	};
	struct fixture *f = test->priv;
	enum udptrack_dns_verdict judged, verdict;

	judged = udptrack_dns_judge(f->dns, &msg, &f->rules);
	if (!f->dns)
		return judged;
	preempt_disable();
	verdict = udptrack_dns_answer(f->dns, &msg, &f->rules, &f->pool);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, judged, verdict);
	return verdict;
}

static enum udptrack_dns_verdict answer(struct kunit *test, u16 id)
{
	return answer_as(test, UDPTRACK_DNS_ANSWER, id, 0);
}

static bool idle(struct fixture *f)
{
	bool ret;

	preempt_disable();
	ret = udptrack_dns_idle(f->dns, &f->rules, &f->pool);
	preempt_enable();
	return ret;
}

static unsigned int sum(const struct fixture *f, size_t offset)
{
	unsigned int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += *(unsigned int *)((void *)per_cpu_ptr(f->pool.stats, cpu) +
				       offset);
	return n;
}

#define COUNT(f, what)	sum(f, offsetof(struct udptrack_dns_stats, what))

static void dns_answered(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_BLIND);
	ask(f, 7);
	KUNIT_ASSERT_NOT_NULL(test, f->dns);
	KUNIT_EXPECT_EQ(test, f->dns->side, 1);
	KUNIT_EXPECT_FALSE(test, idle(f));
	f->rules.now_us += 812;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_TRUE(test, idle(f));
	KUNIT_EXPECT_EQ(test, f->dns->sum.rtt_us, 812);
	KUNIT_EXPECT_EQ(test, f->dns->sum.ok, 1);
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 0);
	/* 512 to 1023 us */
	KUNIT_EXPECT_EQ(test, COUNT(f, took[10]), 1);

	f->rules.now_us += 5 * SEC;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, COUNT(f, again), 1);
	KUNIT_EXPECT_EQ(test, f->dns->sum.ok, 1);
	f->rules.now_us += 1;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_EQ(test, f->dns->sum.forged, 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, questions), 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, answered), 1);
}

static void dns_forged(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 id;

	ask(f, 4711);
	for (id = 0; id <= U16_MAX; id++)
		KUNIT_ASSERT_EQ(test, answer(test, id), id == 4711 ?
				UDPTRACK_DNS_GOOD : UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_EQ(test, COUNT(f, forged), U16_MAX);
	KUNIT_EXPECT_EQ(test, f->dns->sum.forged, U16_MAX);
	/* The right number is not enough. */
	ask(f, 1);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_ANSWER, 1, 5),
			UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_QUESTION, 1, 0),
			UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_NONE, 1, 0),
			UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_SEVERAL, 1, 0),
			UDPTRACK_DNS_BLIND);
	KUNIT_EXPECT_EQ(test, answer(test, 1), UDPTRACK_DNS_GOOD);
}

static void dns_repeated(struct kunit *test)
{
	struct fixture *f = test->priv;

	ask(f, 7);
	f->rules.now_us += 5 * SEC;
	ask(f, 7);
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 1);
	f->rules.now_us += 100;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	/* Which of the two it answers nobody knows. */
	KUNIT_EXPECT_EQ(test, f->dns->sum.rtt_us, 0);
	KUNIT_EXPECT_EQ(test, COUNT(f, repeated), 1);
	KUNIT_EXPECT_TRUE(test, idle(f));
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	/* The number once more, for another question. */
	ask(f, 7);
	f->rules.now_us += 100;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, f->dns->sum.rtt_us, 100);
	KUNIT_EXPECT_EQ(test, COUNT(f, answered), 2);
}

/* The clock is read before the lock is there, so packets may change places. */
static void dns_earlier(struct kunit *test)
{
	struct fixture *f = test->priv;

	ask(f, 7);
	f->rules.now_us -= 10;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, f->dns->sum.rtt_us, 0);
	f->rules.now_us -= 10;
	KUNIT_EXPECT_EQ(test, answer(test, 7), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_TRUE(test, idle(f));
	ask(f, 8);
	f->rules.now_us -= 10;
	KUNIT_EXPECT_FALSE(test, idle(f));
	KUNIT_EXPECT_EQ(test, COUNT(f, unanswered), 0);
}

static void dns_unanswered(struct kunit *test)
{
	struct fixture *f = test->priv;

	ask(f, 1);
	ask(f, 2);
	f->rules.now_us += 20 * SEC;
	ask(f, 3);
	f->rules.now_us += 10 * SEC;
	KUNIT_EXPECT_FALSE(test, idle(f));
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 3);
	f->rules.now_us += 1;
	KUNIT_EXPECT_FALSE(test, idle(f));
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, unanswered), 2);
	KUNIT_EXPECT_EQ(test, answer(test, 3), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_TRUE(test, idle(f));
	/* Late is not forged. */
	KUNIT_EXPECT_EQ(test, answer(test, 1), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, COUNT(f, late), 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, answered), 1);
	KUNIT_EXPECT_EQ(test, answer(test, 1), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, COUNT(f, again), 1);
	f->rules.now_us += 90 * SEC;
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
	/* The number of a question that was given up, anew. */
	ask(f, 2);
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 1);
	f->rules.now_us += 31 * SEC;
	ask(f, 2);
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, unanswered), 3);
	KUNIT_EXPECT_EQ(test, COUNT(f, repeated), 0);
	/* Late before anybody looked. */
	f->rules.now_us += 31 * SEC;
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, COUNT(f, late), 2);
	KUNIT_EXPECT_EQ(test, COUNT(f, unanswered), 4);
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, 0);
	/* Open when the flow ends. */
	ask(f, 5);
	ask(f, 6);
	udptrack_dns_close(f->dns, &f->pool);
	udptrack_dns_free(f->dns);
	f->dns = NULL;
	KUNIT_EXPECT_EQ(test, COUNT(f, unanswered), 6);
}

/* Whatever may have been asked unseen makes blind, for as long as it is open. */
static void dns_blind(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* The flow did not begin with the first question. */
	f->is_first = false;
	ask(f, 1);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_BLIND);
	KUNIT_EXPECT_EQ(test, answer(test, 1), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_FALSE(test, idle(f));
	KUNIT_EXPECT_EQ(test, COUNT(f, blind), 1);
	f->rules.now_us += 30 * SEC;
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_BLIND);
	f->rules.now_us++;
	KUNIT_EXPECT_TRUE(test, idle(f));
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
	/* Another protocol, or several questions in one. */
	ask_as(f, UDPTRACK_DNS_NONE, 0, 0);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_BLIND);
	f->rules.now_us += 30 * SEC + 1;
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
	ask_as(f, UDPTRACK_DNS_SEVERAL, 0, 0);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_BLIND);
	f->rules.now_us += 30 * SEC + 1;
	/* One number, two opcodes. */
	ask_as(f, UDPTRACK_DNS_QUESTION, 9, 0);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
	ask_as(f, UDPTRACK_DNS_QUESTION, 9, 5);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_ANSWER, 9, 0),
			UDPTRACK_DNS_BLIND);
	KUNIT_EXPECT_EQ(test, answer_as(test, UDPTRACK_DNS_ANSWER, 9, 5),
			UDPTRACK_DNS_GOOD);
}

static void dns_lost(struct kunit *test)
{
	struct fixture *f = test->priv;

	udptrack_dns_lose(&f->pool, f->rules.now_us);
	f->rules.now_us += 29 * SEC;
	ask(f, 1);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_BLIND);
	f->rules.now_us += SEC + 1;
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
	/* A flow that saw it all does not care. */
	udptrack_dns_lose(&f->pool, f->rules.now_us);
	KUNIT_EXPECT_EQ(test, answer(test, 2), UDPTRACK_DNS_FORGED);
}

static void dns_no_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int id;

	/* None at all: the next flow to come, too, may miss something. */
	f->rules.slots_max = 7;
	ask(f, 1);
	KUNIT_EXPECT_NULL(test, f->dns);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->pool.slots), 0);
	KUNIT_EXPECT_EQ(test, f->pool.lost_us, f->rules.now_us);
	f->rules.slots_max = 40;
	f->is_first = true;
	ask(f, 2);
	KUNIT_ASSERT_NOT_NULL(test, f->dns);
	KUNIT_EXPECT_EQ(test, answer(test, 1), UDPTRACK_DNS_BLIND);
	f->rules.now_us += 30 * SEC + 1;
	/* Not enough: what found room is known, of the rest nothing is said. */
	for (id = 0; id < 100; id++)
		ask(f, id);
	KUNIT_EXPECT_LE(test, f->dns->size, 32);
	for (id = 0; id < 200; id++)
		KUNIT_EXPECT_NE(test, answer(test, id), UDPTRACK_DNS_FORGED);
	KUNIT_EXPECT_GE(test, f->dns->sum.ok, 10);
	/* And that passes. */
	f->rules.now_us += 30 * SEC + 1;
	KUNIT_EXPECT_EQ(test, answer(test, 300), UDPTRACK_DNS_FORGED);
	ask(f, 300);
	KUNIT_EXPECT_EQ(test, answer(test, 300), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_EQ(test, answer(test, 301), UDPTRACK_DNS_FORGED);
}

/* Every number at once. */
static void dns_all(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 id;

	for (id = 0; id <= U16_MAX; id++)
		ask(f, id * 40503);
	if (f->dns->blind_us) {
		kunit_skip(test, "no memory for 65536 numbers");
		return;
	}
	KUNIT_EXPECT_EQ(test, f->dns->sum.out, U16_MAX + 1);
	KUNIT_EXPECT_EQ(test, f->dns->size, U16_MAX + 1);
	f->rules.now_us += SEC;
	for (id = 0; id <= U16_MAX; id++)
		KUNIT_ASSERT_EQ(test, answer(test, id), UDPTRACK_DNS_GOOD);
	KUNIT_EXPECT_TRUE(test, idle(f));
	KUNIT_EXPECT_EQ(test, COUNT(f, answered), U16_MAX + 1);
	KUNIT_EXPECT_EQ(test, COUNT(f, took[20]), U16_MAX + 1);
}

/* --- against a naive model */

struct asked {
	u64 when_us;
	bool ever;
	bool open;
	bool answered;
};

static bool model_known(const struct asked *a,
			const struct udptrack_dns_rules *rules)
{
	return a->ever && rules->now_us - a->when_us <=
			  (a->answered ? rules->keep_us : rules->late_us);
}

static void dns_model(struct kunit *test)
{
	struct fixture *f = test->priv;
	enum udptrack_dns_verdict want;
	struct asked *model, *a;
	unsigned int i, ids, out;
	struct rnd_state rnd;
	u32 id, dice;

	model = vzalloc(array_size(U16_MAX + 1, sizeof(*model)));
	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&rnd, 4711);
	ids = 20;
	for (i = 0; i < 200000; i++) {
		if (i % 50000 == 0)
			ids *= 10;
		dice = prandom_u32_state(&rnd);
		id = prandom_u32_state(&rnd) % min(ids, 65536U);
		a = &model[id];
		f->rules.now_us += dice % 997;
		if (dice % 1009 == 0)
			f->rules.now_us += prandom_u32_state(&rnd) %
					   (10 * SEC);
		if (a->open && f->rules.now_us - a->when_us > f->rules.open_us)
			a->open = false;
		if (dice & 0x10000) {
			ask(f, id);
			*a = (struct asked) {
				.when_us = f->rules.now_us,
				.ever = true, .open = true,
			};
			continue;
		}
		if (!f->dns)
			continue;
		want = model_known(a, &f->rules) ? UDPTRACK_DNS_GOOD
						 : UDPTRACK_DNS_FORGED;
		if (want == UDPTRACK_DNS_FORGED &&
		    f->rules.now_us <= f->dns->blind_us)
			want = UDPTRACK_DNS_BLIND;
		if (answer(test, id) != want) {
			KUNIT_FAIL(test, "step %u: number %u is not %u", i, id,
				   want);
			break;
		}
		/* Further answers do not count anew. */
		if (want == UDPTRACK_DNS_GOOD && !a->answered)
			*a = (struct asked) {
				.when_us = f->rules.now_us,
				.ever = true, .answered = true,
			};
		cond_resched();
	}
	/* Nothing was missed, there was memory enough. */
	KUNIT_EXPECT_EQ(test, f->dns->blind_us, 0);
	/* What is still open, after a look at all. */
	f->rules.now_us += SEC;
	idle(f);
	for (id = 0, out = 0; id <= U16_MAX; id++)
		out += model[id].open && f->rules.now_us - model[id].when_us <=
					 f->rules.open_us;
	if (f->rules.now_us - f->dns->oldest_us <= f->rules.open_us)
		KUNIT_EXPECT_EQ(test, f->dns->sum.out, out);
	KUNIT_EXPECT_EQ(test, COUNT(f, questions) - COUNT(f, repeated),
			COUNT(f, answered) + COUNT(f, unanswered) +
			f->dns->sum.out);
	vfree(model);
}

static struct kunit_case dns_cases[] = {
	KUNIT_CASE_PARAM(parse_header, header_gen_params),
	KUNIT_CASE(dns_answered),
	KUNIT_CASE(dns_forged),
	KUNIT_CASE(dns_repeated),
	KUNIT_CASE(dns_earlier),
	KUNIT_CASE(dns_unanswered),
	KUNIT_CASE(dns_blind),
	KUNIT_CASE(dns_lost),
	KUNIT_CASE(dns_no_memory),
	KUNIT_CASE(dns_all),
	KUNIT_CASE(dns_model),
	{}
};

static struct kunit_suite dns_suite = {
	.name = "udptrack_dns",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = dns_cases,
};

kunit_test_suite(dns_suite);
