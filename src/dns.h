/* SPDX-License-Identifier: GPL-2.0-only */
/* DNS questions and whether an answer belongs to one: see dns.c. */
#ifndef UDPTRACK_DNS_H
#define UDPTRACK_DNS_H

#include <linux/atomic.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/* Times to answer are counted by powers of two of microseconds; the last
 * counter has all that took longer, 2^23 us being 8 s.
 */
#define UDPTRACK_DNS_BUCKETS	25

/**
 * enum udptrack_dns_mode - what is done about DNS
 * @UDPTRACK_DNS_OFF:     nothing
 * @UDPTRACK_DNS_DETECT:  count answers that belong to no question
 * @UDPTRACK_DNS_ENFORCE: they are INVALID, too
 */
enum udptrack_dns_mode {
	UDPTRACK_DNS_OFF,
	UDPTRACK_DNS_DETECT,
	UDPTRACK_DNS_ENFORCE,
};

/**
 * enum udptrack_dns_kind - what a payload looks like
 * @UDPTRACK_DNS_NONE:     no DNS message
 * @UDPTRACK_DNS_QUESTION: a question
 * @UDPTRACK_DNS_ANSWER:   an answer
 * @UDPTRACK_DNS_SEVERAL:  more than one datagram, not to be told apart
 */
enum udptrack_dns_kind {
	UDPTRACK_DNS_NONE,
	UDPTRACK_DNS_QUESTION,
	UDPTRACK_DNS_ANSWER,
	UDPTRACK_DNS_SEVERAL,
};

/**
 * struct udptrack_dns_message - what the tracker needs to know of a message
 * @kind:      question, answer or neither
 * @id:        its number
 * @opcode:    what is asked for: query, notify, update
 * @truncated: the answer did not fit; it will be asked for by TCP
 */
struct udptrack_dns_message {
	enum udptrack_dns_kind kind;
	u16 id;
	u8 opcode;
	bool truncated;
};

/**
 * struct udptrack_dns_stats - one CPU's counters
 * @questions:  sent
 * @repeated:   of these, with the number of one not yet answered
 * @answered:   first answers to a question
 * @again:      more answers to the same
 * @truncated:  answers that did not fit
 * @forged:     answers to no question
 * @unanswered: questions that nobody answered in time
 * @late:       answers to such a question
 * @blind:      answers of which it could not be told
 * @took:       answers by the time they took
 */
struct udptrack_dns_stats {
	unsigned int questions;
	unsigned int repeated;
	unsigned int answered;
	unsigned int again;
	unsigned int truncated;
	unsigned int forged;
	unsigned int unanswered;
	unsigned int late;
	unsigned int blind;
	unsigned int took[UDPTRACK_DNS_BUCKETS];
};

/**
 * struct udptrack_dns_pool - what the questions of a namespace share
 * @stats:   counters
 * @slots:   numbers there is memory for, of all flows together
 * @lost_us: when questions were last asked that no flow knows, 0 for never
 */
struct udptrack_dns_pool {
	struct udptrack_dns_stats __percpu *stats;
	atomic_t slots;
	u64 lost_us;
};

/**
 * enum udptrack_dns_verdict - what an answer is
 * @UDPTRACK_DNS_GOOD:   the first to its question, or another
 * @UDPTRACK_DNS_FORGED: to no question
 * @UDPTRACK_DNS_BLIND:  it cannot be told
 */
enum udptrack_dns_verdict {
	UDPTRACK_DNS_GOOD,
	UDPTRACK_DNS_FORGED,
	UDPTRACK_DNS_BLIND,
};

/**
 * struct udptrack_dns_slot - a number that was asked under
 * @id:      the number
 * @opcode:  what was asked for
 * @state:   see dns.c
 * @when_us: when it was asked last, or answered; the clock's lower half
 */
struct udptrack_dns_slot {
	u16 id;
	u8 opcode;
	u8 state;
	u32 when_us;
};

/**
 * struct udptrack_dns_sum - what a flow shows of its questions
 * @out:    open ones
 * @ok:     answered ones
 * @forged: answers to no question
 * @rtt_us: time that the last answer took
 * @unanswered: ones that nobody answered in time
 */
struct udptrack_dns_sum {
	u32 out;
	u32 ok;
	u32 forged;
	u32 rtt_us;
	u32 unanswered;
};

/**
 * struct udptrack_dns - the questions of a flow
 * @blind_us:  until when nothing is said of answers to no question, or 0
 * @sweep_us:  when to look again for questions to give up, at the earliest
 * @retry_us:  when to try again to get more memory
 * @oldest_us: no open question is older than this
 * @size:      of @slots, a power of two
 * @used:      slots that are not empty
 * @sum:       what the flow shows of them
 * @side:      the end that asks, as the flow numbers them
 * @slots:     a hash of numbers
 *
 * The caller keeps others away.
 */
struct udptrack_dns {
	u64 blind_us;
	u64 sweep_us;
	u64 retry_us;
	u64 oldest_us;
	u32 size;
	u32 used;
	struct udptrack_dns_sum sum;
	u8 side;
	struct udptrack_dns_slot slots[];
};

/**
 * struct udptrack_dns_rules - what applies to a message
 * @now_us:    the time
 * @open_us:   how long a question stays open
 * @late_us:   how long it may be answered, too late or not
 * @keep_us:   how long an answered one may be answered again
 * @slots_max: numbers to have memory for in this network namespace
 *
 * No length of time is longer than an hour.
 */
struct udptrack_dns_rules {
	u64 now_us;
	u32 open_us;
	u32 late_us;
	u32 keep_us;
	u32 slots_max;
};

/**
 * struct udptrack_dns_visit - a packet of a DNS port visits its flow
 * @msg:      what it carries
 * @rules:    what applies
 * @linger_j: jiffies the flow lives on once no question is open
 * @asks:     this host sends it to a DNS port; else it comes from one
 * @enforce:  an answer to no question is to touch nothing
 */
struct udptrack_dns_visit {
	struct udptrack_dns_message msg;
	struct udptrack_dns_rules rules;
	u32 linger_j;
	bool asks;
	bool enforce;
};

void udptrack_dns_parse(const struct sk_buff *skb, unsigned int offset,
			struct udptrack_dns_message *msg);
void udptrack_dns_ask(struct udptrack_dns **dnsp, unsigned int side,
		      bool is_first, const struct udptrack_dns_message *msg,
		      const struct udptrack_dns_rules *rules,
		      struct udptrack_dns_pool *pool);
enum udptrack_dns_verdict
udptrack_dns_judge(const struct udptrack_dns *dns,
		   const struct udptrack_dns_message *msg,
		   const struct udptrack_dns_rules *rules);
enum udptrack_dns_verdict
udptrack_dns_answer(struct udptrack_dns *dns,
		    const struct udptrack_dns_message *msg,
		    const struct udptrack_dns_rules *rules,
		    struct udptrack_dns_pool *pool);
bool udptrack_dns_idle(struct udptrack_dns *dns,
		       const struct udptrack_dns_rules *rules,
		       struct udptrack_dns_pool *pool);
void udptrack_dns_note_forged(struct udptrack_dns *dns,
			      struct udptrack_dns_pool *pool);
void udptrack_dns_close(struct udptrack_dns *dns,
			struct udptrack_dns_pool *pool);
void udptrack_dns_free(struct udptrack_dns *dns);
u64 udptrack_dns_clock(void);
void udptrack_dns_lose(struct udptrack_dns_pool *pool, u64 now_us);

#endif
