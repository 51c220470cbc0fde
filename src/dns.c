// SPDX-License-Identifier: GPL-2.0-only
/*
 * dns - the DNS questions of a flow, and whether an answer belongs to one.
 *
 * Who forges an answer from outside must guess its number (RFC 5452); here the
 * numbers of the questions that this host asked are known, so every wrong guess
 * shows. An alarm is never false. A resolver may have thousands of questions
 * open on one port, repeat them, get answers twice or late, so an answered
 * number stays known for a while, and so does one that was given up. Where a
 * question may have been missed, for want of memory say, nothing is said until
 * its answer can no longer come: the flow is blind.
 *
 * Owns struct udptrack_dns. Knows nothing of flows or namespaces; the caller
 * locks, and gives the time. Any context.
 */
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "dns.h"

#define ALLOC_FLAGS	(GFP_ATOMIC | __GFP_NOWARN)
#define SLOTS_MIN	8
/* Then each number has a slot of its own. */
#define SLOTS_MAX	65536
/* An hour, the longest there is, and this are less than 32 bits hold. */
#define CLOCK_ERROR_US	((u32)(60 * USEC_PER_SEC))
/* Looking through all slots is not for every packet. */
#define SWEEP_US	(100 * USEC_PER_MSEC)

/* RFC 1035, 4.1.1 */
struct dns_header {
	__be16 id;
	__be16 flags;
	__be16 questions;
	__be16 answers;
	__be16 authorities;
	__be16 additionals;
};

#define DNS_QR		0x8000
#define DNS_OPCODE(f)	(((f) >> 11) & 0xf)
#define DNS_TC		0x0200
#define DNS_RCODE	0x000f

#define OPCODE_QUERY	0
#define OPCODE_NOTIFY	4	/* RFC 1996 */
#define OPCODE_UPDATE	5	/* RFC 2136 */

enum slot_state {
	SLOT_EMPTY,
	SLOT_OPEN,
	SLOT_REPEATED,		/* open, and asked more than once */
	SLOT_GIVEN_UP,
	SLOT_ANSWERED,
};

/* Exactly one question, or zone, and no result yet. */
static bool is_question(const struct dns_header *header, u16 flags)
{
	if (header->questions != htons(1) || flags & (DNS_QR | DNS_RCODE))
		return false;
	switch (DNS_OPCODE(flags)) {
	case OPCODE_QUERY:
		return !header->answers;
	case OPCODE_NOTIFY:
	case OPCODE_UPDATE:
		return true;
	default:
		return false;
	}
}

/**
 * udptrack_dns_parse - read the header of a DNS message
 * @skb:    the packet
 * @offset: of the UDP payload, in bytes
 * @msg:    filled in
 *
 * What else goes to or from a DNS port, another protocol perhaps, is no
 * message.
 *
 * Context: any; reads @skb only.
 */
void udptrack_dns_parse(const struct sk_buff *skb, unsigned int offset,
			struct udptrack_dns_message *msg)
{
	const struct dns_header *header;
	struct dns_header buf;
	u16 flags;

	*msg = (struct udptrack_dns_message) { .kind = UDPTRACK_DNS_NONE };
	header = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!header)
		return;
	flags = ntohs(header->flags);
	msg->id = ntohs(header->id);
	msg->opcode = DNS_OPCODE(flags);
	if (flags & DNS_QR) {
		msg->kind = UDPTRACK_DNS_ANSWER;
		msg->truncated = flags & DNS_TC;
	} else if (is_question(header, flags)) {
		msg->kind = UDPTRACK_DNS_QUESTION;
	}
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_parse);

static bool slot_is_open(const struct udptrack_dns_slot *slot)
{
	return slot->state == SLOT_OPEN || slot->state == SLOT_REPEATED;
}

/*
 * How long ago was it asked or answered? The time was read before the caller
 * had its lock, so a packet may seem to be a little before the last one.
 */
static u32 slot_age(const struct udptrack_dns_slot *slot,
		    const struct udptrack_dns_rules *rules)
{
	u32 age = (u32)rules->now_us - slot->when_us;

	return age < -CLOCK_ERROR_US ? age : 0;
}

/* Open for too long? */
static bool slot_is_overdue(const struct udptrack_dns_slot *slot,
			    const struct udptrack_dns_rules *rules)
{
	return slot_is_open(slot) && slot_age(slot, rules) > rules->open_us;
}

/* May an answer with its number still come, the first or another? */
static bool slot_is_known(const struct udptrack_dns_slot *slot,
			  const struct udptrack_dns_rules *rules)
{
	if (slot->state == SLOT_EMPTY)
		return false;
	return slot_age(slot, rules) <= (slot->state == SLOT_ANSWERED ?
					 rules->keep_us : rules->late_us);
}

/* The place of a number's slot, or of the empty one where it would go. */
static unsigned int slot_find(const struct udptrack_dns *dns, u16 id)
{
	unsigned int i = id & (dns->size - 1);

	while (dns->slots[i].state != SLOT_EMPTY && dns->slots[i].id != id)
		i = (i + 1) & (dns->size - 1);
	return i;
}

/* A question was missed at that time; its answer may come while it is open. */
static void go_blind(struct udptrack_dns *dns, u64 missed_us,
		     const struct udptrack_dns_rules *rules)
{
	u64 until_us = missed_us + rules->open_us;

	if (dns->blind_us < until_us)
		dns->blind_us = until_us;
}

static bool is_blind(const struct udptrack_dns *dns,
		     const struct udptrack_dns_rules *rules)
{
	return rules->now_us <= dns->blind_us;
}

static void give_up(struct udptrack_dns *dns, struct udptrack_dns_slot *slot,
		    struct udptrack_dns_pool *pool)
{
	slot->state = SLOT_GIVEN_UP;
	dns->sum.out--;
	dns->sum.unanswered++;
	this_cpu_inc(pool->stats->unanswered);
}

/* Give up questions that are open for too long. Returns the numbers known. */
static unsigned int sweep(struct udptrack_dns *dns,
			  const struct udptrack_dns_rules *rules,
			  struct udptrack_dns_pool *pool)
{
	struct udptrack_dns_slot *slot;
	unsigned int known = 0;
	u32 oldest = 0;

	for (slot = dns->slots; slot < dns->slots + dns->size; slot++) {
		if (slot_is_open(slot)) {
			if (slot_is_overdue(slot, rules))
				give_up(dns, slot, pool);
			else
				oldest = max(oldest, slot_age(slot, rules));
		}
		known += slot_is_known(slot, rules);
	}
	dns->oldest_us = rules->now_us - oldest;
	dns->sweep_us = rules->now_us + SWEEP_US;
	return known;
}

static struct udptrack_dns *dns_alloc(unsigned int size,
				      const struct udptrack_dns_rules *rules,
				      struct udptrack_dns_pool *pool)
{
	struct udptrack_dns *dns = NULL;

	if ((u32)atomic_add_return(size, &pool->slots) <= rules->slots_max)
		dns = kzalloc(struct_size(dns, slots, size), ALLOC_FLAGS);
	if (dns)
		dns->size = size;
	else
		atomic_sub(size, &pool->slots);
	return dns;
}

/* Forget what is over, and make room for another number. */
static bool make_room(struct udptrack_dns **dnsp,
		      const struct udptrack_dns_rules *rules,
		      struct udptrack_dns_pool *pool)
{
	struct udptrack_dns *old = *dnsp, *dns;
	unsigned int i, size = SLOTS_MIN, known;

	if (rules->now_us < old->retry_us)
		return false;
	known = sweep(old, rules, pool);
	/* At most half full, so that the next time is far. */
	while (size < SLOTS_MAX && size < 2 * (known + 1))
		size *= 2;
	dns = dns_alloc(size, rules, pool);
	if (!dns) {
		old->retry_us = rules->now_us + SWEEP_US;
		return false;
	}

	/* The first slots lie in what pads the structure. */
	memcpy(dns, old, offsetof(struct udptrack_dns, slots));
	dns->size = size;
	dns->used = known;
	for (i = 0; i < old->size; i++)
		if (slot_is_known(&old->slots[i], rules))
			dns->slots[slot_find(dns, old->slots[i].id)] =
				old->slots[i];
	*dnsp = dns;
	atomic_sub(old->size, &pool->slots);
	kfree(old);
	return true;
}

/* A quarter is left empty, or else searches would not end. */
static bool is_full(const struct udptrack_dns *dns)
{
	return dns->size < SLOTS_MAX && 4 * (dns->used + 1) > 3 * dns->size;
}

/* The first question of a flow. NULL when there is no memory. */
static struct udptrack_dns *dns_begin(unsigned int side, bool is_first,
				      const struct udptrack_dns_rules *rules,
				      struct udptrack_dns_pool *pool)
{
	struct udptrack_dns *dns = dns_alloc(SLOTS_MIN, rules, pool);
	u64 lost_us = READ_ONCE(pool->lost_us);

	if (!dns) {
		udptrack_dns_lose(pool, rules->now_us);
		return NULL;
	}
	dns->side = side;
	if (!is_first)
		go_blind(dns, rules->now_us, rules);
	if (lost_us)
		go_blind(dns, lost_us, rules);
	return dns;
}

/**
 * udptrack_dns_ask - this host asks a question
 * @dnsp:     the flow's questions, NULL before the first; changed
 * @side:     the end that asks
 * @is_first: the flow begins with this packet
 * @msg:      what it sends to the port
 * @rules:    what applies
 * @pool:     of the namespace
 *
 * Context: any that the caller's lock allows.
 */
void udptrack_dns_ask(struct udptrack_dns **dnsp, unsigned int side,
		      bool is_first, const struct udptrack_dns_message *msg,
		      const struct udptrack_dns_rules *rules,
		      struct udptrack_dns_pool *pool)
{
	struct udptrack_dns *dns = *dnsp;
	struct udptrack_dns_slot *slot;

	/* Another protocol: whatever comes back, it is no forged answer. */
	if (msg->kind != UDPTRACK_DNS_QUESTION) {
		if (dns)
			go_blind(dns, rules->now_us, rules);
		return;
	}
	this_cpu_inc(pool->stats->questions);
	if (!dns) {
		dns = dns_begin(side, is_first, rules, pool);
		*dnsp = dns;
	} else if (is_full(dns) && !make_room(dnsp, rules, pool)) {
		go_blind(dns, rules->now_us, rules);
		return;
	}
	dns = *dnsp;
	if (!dns)
		return;

	slot = &dns->slots[slot_find(dns, msg->id)];
	dns->used += slot->state == SLOT_EMPTY;
	if (slot_is_overdue(slot, rules))
		give_up(dns, slot, pool);
	/* Of the two, only one can be remembered. */
	if (slot_is_known(slot, rules) && slot->opcode != msg->opcode)
		go_blind(dns, rules->now_us, rules);
	if (slot_is_open(slot)) {
		this_cpu_inc(pool->stats->repeated);
		slot->state = SLOT_REPEATED;
	} else {
		if (!dns->sum.out++)
			dns->oldest_us = rules->now_us;
		slot->state = SLOT_OPEN;
	}
	slot->id = msg->id;
	slot->opcode = msg->opcode;
	slot->when_us = rules->now_us;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_ask);

static bool was_asked(const struct udptrack_dns *dns,
		      const struct udptrack_dns_message *msg,
		      const struct udptrack_dns_rules *rules)
{
	const struct udptrack_dns_slot *slot;

	if (msg->kind != UDPTRACK_DNS_ANSWER)
		return false;
	slot = &dns->slots[slot_find(dns, msg->id)];
	return slot->opcode == msg->opcode && slot_is_known(slot, rules);
}

/**
 * udptrack_dns_judge - what is this answer?
 * @dns:   the flow's questions, or NULL
 * @msg:   what comes from the port that was asked
 * @rules: what applies
 *
 * Context: any that the caller's lock allows; changes nothing.
 * Return: the verdict; of a flow without questions nothing can be told.
 */
enum udptrack_dns_verdict
udptrack_dns_judge(const struct udptrack_dns *dns,
		   const struct udptrack_dns_message *msg,
		   const struct udptrack_dns_rules *rules)
{
	if (!dns || msg->kind == UDPTRACK_DNS_SEVERAL)
		return UDPTRACK_DNS_BLIND;
	if (was_asked(dns, msg, rules))
		return UDPTRACK_DNS_GOOD;
	return is_blind(dns, rules) ? UDPTRACK_DNS_BLIND : UDPTRACK_DNS_FORGED;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_judge);

static void count_time(u32 took_us, struct udptrack_dns_stats __percpu *stats)
{
	unsigned int bucket = took_us ? ilog2(took_us) + 1 : 0;

	bucket = min_t(unsigned int, bucket, UDPTRACK_DNS_BUCKETS - 1);
	this_cpu_inc(stats->took[bucket]);
}

/* The answer to the question in this slot. */
static void settle(struct udptrack_dns *dns, struct udptrack_dns_slot *slot,
		   const struct udptrack_dns_rules *rules,
		   struct udptrack_dns_pool *pool)
{
	if (slot_is_overdue(slot, rules))
		give_up(dns, slot, pool);

	if (slot->state == SLOT_ANSWERED) {
		this_cpu_inc(pool->stats->again);
		return;
	}
	if (slot->state == SLOT_GIVEN_UP) {
		this_cpu_inc(pool->stats->late);
	} else {
		if (slot->state == SLOT_OPEN) {
			dns->sum.rtt_us = slot_age(slot, rules);
			count_time(dns->sum.rtt_us, pool->stats);
		}
		dns->sum.out--;
		dns->sum.ok++;
		this_cpu_inc(pool->stats->answered);
	}
	slot->state = SLOT_ANSWERED;
	slot->when_us = rules->now_us;
}

/**
 * udptrack_dns_note_forged - count an answer to no question
 * @dns:  the flow's questions
 * @pool: of the namespace
 *
 * Context: any that the caller's lock allows.
 */
void udptrack_dns_note_forged(struct udptrack_dns *dns,
			      struct udptrack_dns_pool *pool)
{
	dns->sum.forged++;
	this_cpu_inc(pool->stats->forged);
}

/**
 * udptrack_dns_answer - something comes from the port that was asked
 * @dns:   the flow's questions
 * @msg:   what it is
 * @rules: what applies
 * @pool:  of the namespace
 *
 * Of a repeated question nobody knows which one was answered, so the time it
 * took is not counted (Karn's rule).
 *
 * Context: any that the caller's lock allows.
 * Return: as udptrack_dns_judge().
 */
enum udptrack_dns_verdict
udptrack_dns_answer(struct udptrack_dns *dns,
		    const struct udptrack_dns_message *msg,
		    const struct udptrack_dns_rules *rules,
		    struct udptrack_dns_pool *pool)
{
	enum udptrack_dns_verdict verdict = udptrack_dns_judge(dns, msg, rules);

	switch (verdict) {
	case UDPTRACK_DNS_FORGED:
		udptrack_dns_note_forged(dns, pool);
		break;
	case UDPTRACK_DNS_BLIND:
		this_cpu_inc(pool->stats->blind);
		break;
	case UDPTRACK_DNS_GOOD:
		if (msg->truncated)
			this_cpu_inc(pool->stats->truncated);
		settle(dns, &dns->slots[slot_find(dns, msg->id)], rules, pool);
		break;
	}
	return verdict;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_answer);

/**
 * udptrack_dns_idle - is no question open any more?
 * @dns:   the flow's questions
 * @rules: what applies
 * @pool:  of the namespace
 *
 * Context: any that the caller's lock allows.
 * Return: false also while it cannot be told.
 */
bool udptrack_dns_idle(struct udptrack_dns *dns,
		       const struct udptrack_dns_rules *rules,
		       struct udptrack_dns_pool *pool)
{
	if (is_blind(dns, rules))
		return false;
	if (dns->sum.out && rules->now_us > dns->oldest_us + rules->open_us &&
	    rules->now_us >= dns->sweep_us)
		sweep(dns, rules, pool);
	return !dns->sum.out;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_idle);

/**
 * udptrack_dns_close - the flow ends
 * @dns:  its questions, or NULL
 * @pool: of the namespace
 *
 * Context: any that the caller's lock allows.
 */
void udptrack_dns_close(struct udptrack_dns *dns,
			struct udptrack_dns_pool *pool)
{
	if (!dns)
		return;
	this_cpu_add(pool->stats->unanswered, dns->sum.out);
	dns->sum.unanswered += dns->sum.out;
	dns->sum.out = 0;
	atomic_sub(dns->size, &pool->slots);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_close);

/**
 * udptrack_dns_free - give the memory back
 * @dns: the questions of a flow that was closed, or NULL
 *
 * Context: any.
 */
void udptrack_dns_free(struct udptrack_dns *dns)
{
	kfree(dns);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_free);

/**
 * udptrack_dns_clock - the time, as struct udptrack_dns_rules wants it
 *
 * Context: any.
 * Return: microseconds, never 0.
 */
u64 udptrack_dns_clock(void)
{
	return div_u64(ktime_get_mono_fast_ns(), NSEC_PER_USEC) + 1;
}

/**
 * udptrack_dns_lose - there are questions that no flow knows of
 * @pool:   of the namespace
 * @now_us: the time
 *
 * Flows that begin soon after will be blind at first.
 *
 * Context: any.
 */
void udptrack_dns_lose(struct udptrack_dns_pool *pool, u64 now_us)
{
	/* Of two at once, either will do. */
	if (READ_ONCE(pool->lost_us) < now_us)
		WRITE_ONCE(pool->lost_us, now_us);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_dns_lose);
