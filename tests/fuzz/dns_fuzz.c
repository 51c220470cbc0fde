// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns_fuzz - src/dns.c sees questions and answers made of random bytes.
 *
 * A model that forgets nothing sees them, too: whatever is said of an answer
 * must be what the model says, and no answer may ever be called forged while
 * the question it belongs to is known. Of the input, the first SETUP bytes set
 * the times, then each STEP bytes are one thing that happens: see step().
 *
 * Owns the model's questions; they belong to one run of it, and older ones
 * count for nothing. The model's time does not wrap.
 */
#include <assert.h>
#include <stdlib.h>
#include <linux/slab.h>

#include "../../src/dns.h"

#define SETUP		6
#define STEP		8
#define UDP		8
#define HEADER		12
/* Seldom made by chance. */
#define FULL		0x9d
/* The source's clock wraps after 71 minutes, and 64 seconds are for errors. */
#define TIME_MAX	4200000000
#define HOUR		3600000000U
/* After it was refused memory it does not try again for so long. */
#define RETRY		100000
/* In a row. */
#define MANY_MAX	6150
#define MESSAGES_MAX	(MANY_MAX + 256)

/**
 * struct question - a number that was asked under
 * @run:      in which run
 * @opcode:   what was asked for last
 * @answered: there was an answer
 * @repeated: it was asked again before that
 * @when:     when it was asked last, or answered
 */
struct question {
	u32 run;
	u8 opcode;
	bool answered;
	bool repeated;
	u64 when;
};

static struct question questions[1 << 16];
static struct question *asked[MESSAGES_MAX];

/**
 * struct model - what is known of a flow, and what should be
 * @dns:      what the source knows
 * @pool:     what its flows would share
 * @rules:    what applies
 * @stats:    what it counted
 * @want:     what it should have counted
 * @messages: questions and answers
 * @asked:    questions in asked[]
 * @lost:     questions that it could not remember
 * @clock:    the time
 * @now:      what the source is told, which may be a little earlier
 * @begin:    when the run began
 * @steady:   it never was earlier
 * @began:    the flow has begun
 * @missed:   when something was asked last that could not be remembered,
 * @blind:    if it ever was
 * @refusal:  when there was no memory last
 */
struct model {
	struct udptrack_dns *dns;
	struct udptrack_dns_pool pool;
	struct udptrack_dns_rules rules;
	struct udptrack_dns_stats stats;
	struct udptrack_dns_stats want;
	unsigned int messages;
	unsigned int asked;
	unsigned int lost;
	u64 clock;
	u64 now;
	u64 begin;
	u64 missed;
	u64 refusal;
	bool steady;
	bool began;
	bool blind;
};

static u32 run;
static struct model m;

/* How often there is no memory, and was none. */
static unsigned int refuse, refused;

void *kzalloc(size_t size, int flags)
{
	if (refuse) {
		refuse--;
		refused++;
		m.refusal = m.clock;
		return NULL;
	}
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

/*
 * Does the source know the time as well as the model? If not, it may know a
 * question for longer, but never forget one earlier.
 */
static bool is_exact(void)
{
	return m.steady && m.clock - m.begin < TIME_MAX;
}

static u64 age(u64 when)
{
	return m.clock - when;
}

static bool is_known(const struct question *q)
{
	u32 limit = q->answered ? m.rules.keep_us : m.rules.late_us;

	return q->run == run && age(q->when) <= limit;
}

static bool is_open(const struct question *q)
{
	return q->run == run && !q->answered &&
	       age(q->when) <= m.rules.open_us;
}

static bool is_blind(void)
{
	return m.blind && age(m.missed) <= m.rules.open_us;
}

static unsigned int count_open(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < m.asked; i++)
		n += is_open(asked[i]);
	return n;
}

/* Each question that the source remembered is one of these. */
static unsigned int asked_for(void)
{
	return m.stats.repeated + m.stats.answered + m.stats.unanswered +
	       (m.dns ? m.dns->sum.out : 0);
}

/* What holds at any time. */
static void check(void)
{
	const struct udptrack_dns *dns = m.dns;

	assert(m.stats.questions == asked_for() + m.lost);
	assert(m.pool.slots.counter == (dns ? (int)dns->size : 0));
	if (!dns)
		return;
	assert(!(dns->size & (dns->size - 1)));
	assert(4 * dns->used <= 3 * dns->size && dns->sum.out <= dns->used);
	assert(dns->sum.ok == m.want.answered);
	assert(dns->sum.forged == m.want.forged);
}

static void missed(void)
{
	if (!m.blind || m.missed < m.now)
		m.missed = m.now;
	m.blind = true;
}

static void ask(const struct udptrack_dns_message *msg)
{
	struct question *q = &questions[msg->id];
	bool was_open, repeated, kept, is_first = !m.began;
	unsigned int before = asked_for();
	bool had = m.dns;

	refused = 0;
	udptrack_dns_ask(&m.dns, 1, is_first, msg, &m.rules, &m.pool);
	m.began = true;
	kept = asked_for() == before + 1;
	assert(kept || asked_for() == before);
	if (msg->kind != UDPTRACK_DNS_QUESTION) {
		assert(!kept);
		/* Before the first question, that is what counts. */
		if (had)
			missed();
		return;
	}
	m.want.questions++;
	repeated = m.stats.repeated != m.want.repeated;
	if (!kept) {
		m.lost++;
		assert(refused || age(m.refusal) <= RETRY || !m.steady);
		missed();
		return;
	}
	assert(!refused && m.dns->side == 1);
	if (!had && !is_first)
		missed();
	was_open = is_open(q);
	assert(repeated == was_open || !is_exact());
	if (is_known(q) && q->opcode != msg->opcode)
		missed();
	if (q->run != run)
		asked[m.asked++] = q;
	*q = (struct question) {
		.run = run, .opcode = msg->opcode, .repeated = repeated,
		.when = m.now,
	};
	m.want.repeated += repeated;
}

static void took(u64 age_us)
{
	u32 us = m.dns->sum.rtt_us;
	unsigned int bucket = 0;

	assert(us == age_us || !is_exact());
	while (us && bucket < UDPTRACK_DNS_BUCKETS - 1) {
		bucket++;
		us /= 2;
	}
	m.want.took[bucket]++;
}

static enum udptrack_dns_verdict verdict(const struct udptrack_dns_message *msg)
{
	const struct question *q = &questions[msg->id];

	if (msg->kind == UDPTRACK_DNS_ANSWER && q->opcode == msg->opcode &&
	    is_known(q))
		return UDPTRACK_DNS_GOOD;
	return is_blind() ? UDPTRACK_DNS_BLIND : UDPTRACK_DNS_FORGED;
}

static void answer(const struct udptrack_dns_message *msg)
{
	enum udptrack_dns_verdict want = verdict(msg), got;
	struct question *q = &questions[msg->id];
	struct udptrack_dns_sum old;
	bool late;

	got = udptrack_dns_judge(m.dns, msg, &m.rules);
	if (!m.dns) {
		assert(got == UDPTRACK_DNS_BLIND);
		return;
	}
	old = m.dns->sum;
	assert(udptrack_dns_judge(m.dns, msg, &m.rules) == got &&
	       !memcmp(&old, &m.dns->sum, sizeof(old)));
	assert(udptrack_dns_answer(m.dns, msg, &m.rules, &m.pool) == got);
	assert(got != UDPTRACK_DNS_FORGED || want == UDPTRACK_DNS_FORGED);
	assert(got == want || !is_exact());

	if (got == UDPTRACK_DNS_FORGED) {
		m.want.forged++;
	} else if (got == UDPTRACK_DNS_BLIND) {
		m.want.blind++;
	} else {
		assert(q->run == run);
		m.want.truncated += msg->truncated;
		if (q->answered) {
			m.want.again++;
			return;
		}
		late = m.stats.late != m.want.late;
		assert(late == !is_open(q) || !is_exact());
		m.want.late += late;
		m.want.answered += !late;
		if (!late && !q->repeated)
			took(age(q->when));
		q->answered = true;
		q->when = m.now;
	}
}

static void idle(void)
{
	bool idle;

	if (!m.dns)
		return;
	idle = udptrack_dns_idle(m.dns, &m.rules, &m.pool);
	assert(!idle || !m.dns->sum.out);
	if (!is_exact())
		return;
	assert(!idle || (!is_blind() && !count_open()));
	/* It need not have seen of all that they are over. */
	assert(m.dns->sum.out >= count_open());
}

/* Read a message from a packet, and see that it was read well. */
static void parse(const u8 *packet, unsigned int len, unsigned int headlen,
		  struct udptrack_dns_message *msg)
{
	const u8 *header = packet + UDP;
	bool question, answer;
	struct sk_buff skb;
	u8 opcode;

	skb_make(&skb, packet, len, headlen);
	memset(msg, 0xaa, sizeof(*msg));
	udptrack_dns_parse(&skb, UDP, msg);
	skb_drop(&skb);
	if (len < UDP + HEADER) {
		assert(msg->kind == UDPTRACK_DNS_NONE);
		return;
	}
	answer = header[2] & 0x80;
	opcode = header[2] >> 3 & 15;
	question = !answer && !header[4] && header[5] == 1 &&
		   !(header[3] & 15) &&
		   (opcode == 4 || opcode == 5 ||
		    (!opcode && !header[6] && !header[7]));
	assert(msg->kind == (answer ? UDPTRACK_DNS_ANSWER :
			     question ? UDPTRACK_DNS_QUESTION :
					UDPTRACK_DNS_NONE));
	assert(msg->id == (header[0] << 8 | header[1]));
	assert(msg->opcode == opcode);
	assert(msg->truncated == (answer && header[2] & 2));
}

static void happens(const struct udptrack_dns_message *msg, bool asks)
{
	if (m.messages++ >= MESSAGES_MAX)
		return;
	if (asks)
		ask(msg);
	else
		answer(msg);
}

/* Many questions, or answers, in a row. */
static void many(const u8 *byte, unsigned int n)
{
	struct udptrack_dns_message msg = {
		.kind = byte[0] & 0x10 ? UDPTRACK_DNS_ANSWER :
					 UDPTRACK_DNS_QUESTION,
		.id = byte[1] << 8 | byte[2],
		.opcode = byte[3] >> 3 & 15,
	};

	for (; n && m.messages < MANY_MAX; n--, msg.id++)
		happens(&msg, msg.kind == UDPTRACK_DNS_QUESTION);
}

/*
 * Byte 0: what happens, 0x8: there is no memory, 0xf0: missing of the packet;
 * 1 to 4: number and flags of the message; 5, 0x3: questions in it, 0 is one,
 * 0x3c: where it is cut in two, 0x40: seen by a clock that is behind; 6: the time
 * until then; 7: how many there are, up to 64 or as many as can be.
 */
static void step(const u8 *byte, unsigned int shift)
{
	u8 packet[UDP + HEADER] = {
		[UDP] = byte[1], byte[2], byte[3], byte[4], 0, (byte[5] & 3) ^ 1,
	};
	unsigned int missing = byte[0] >> 4, op = byte[0] & 7;
	struct udptrack_dns_message msg;

	m.clock += (u64)byte[6] << shift;
	m.now = m.clock - (byte[5] & 0x40 ? byte[7] : 0);
	m.steady &= m.now == m.clock;
	m.rules.now_us = m.now;
	refuse = byte[0] & 8 ? 1 + byte[7] % 8 : 0;
	parse(packet, UDP + HEADER - missing, UDP + (byte[5] >> 2 & 15), &msg);
	if (op <= 5)
		happens(&msg, op <= 2);
	else if (op == 6)
		idle();
	else
		many(byte, byte[7] == FULL ? MANY_MAX : byte[7] % 64 + 1);
	check();
}

/* No length of time is longer than an hour. */
static u32 length_of(u8 n, unsigned int shift)
{
	return min_t(u64, (u64)n << shift, HOUR);
}

int fuzz_one_input(const u8 *data, size_t size)
{
	unsigned int shift;

	if (size < SETUP)
		return 0;
	run++;
	m = (struct model) {
		/* It may be 255 earlier. */
		.begin = ((u64)data[3] << 24 | data[4]) + 255,
		.steady = true,
	};
	m.refusal = -2 * (u64)RETRY;
	m.clock = m.begin;
	shift = data[0] % 25;
	m.rules.slots_max = 1 << 20;
	m.rules.open_us = length_of(data[1], shift);
	m.rules.keep_us = length_of(data[2], shift);
	m.rules.late_us = max(m.rules.open_us, length_of(data[5], shift));
	m.pool.stats = &m.stats;
	for (data += SETUP, size -= SETUP; size >= STEP;
	     data += STEP, size -= STEP)
		step(data, shift);

	udptrack_dns_close(m.dns, &m.pool);
	assert(!m.pool.slots.counter);
	m.want.unanswered = m.stats.unanswered;
	assert(!memcmp(&m.want, &m.stats, sizeof(m.want)));
	udptrack_dns_free(m.dns);
	return 0;
}
