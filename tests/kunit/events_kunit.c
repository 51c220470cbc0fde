// SPDX-License-Identifier: GPL-2.0-only
/*
 * events_kunit - what is told of flows, to whom, and in which order.
 *
 * The rules: a flow's beginning is told once and first, its end once and last,
 * with the reason and the last counters; what a packet changes is told after
 * it was changed. Events of a network namespace are numbered without a gap, and
 * where nobody listens there are none.
 */
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/pid_namespace.h>
#include <linux/skbuff.h>

#include "../../src/events.h"
#include "flows.h"

#define NOW	((u32)(0 - 7 * HZ))
#define SEC	((u32)USEC_PER_SEC)
#define TOLD_MAX	64

/* What was told, in order. */
struct told {
	struct udptrack_event event;
	struct udptrack_snapshot flow;
};

static struct record {
	struct udptrack_watch watch;
	struct told told[TOLD_MAX];
	unsigned int n;
	bool deaf;
	unsigned int asked;	/* whether anybody wants to know */
} record;

static bool record_wants(struct udptrack_watch *watch)
{
	record.asked++;
	return !record.deaf;
}

static void record_event(struct udptrack_watch *watch,
			 struct udptrack_event *event)
{
	struct told *told = &record.told[record.n % TOLD_MAX];

	told->event = *event;
	told->flow = *event->flow;
	record.n++;
}

static struct flows *watched(struct kunit *test)
{
	struct flows *f = flows_new(test);

	memset(&record, 0, sizeof(record));
	record.watch.wants = record_wants;
	record.watch.event = record_event;
	f->table.watch = &record.watch;
	return f;
}

/* The next one that was told; its kind is @kind, and its flow number @n. */
static struct told *expect(struct kunit *test, unsigned int at,
			   enum udptrack_event_kind kind, unsigned int n)
{
	KUNIT_ASSERT_GT(test, record.n, at);
	KUNIT_ASSERT_EQ(test, kind, record.told[at].event.kind);
	KUNIT_EXPECT_EQ(test, n, flows_number(&record.told[at].flow.tuple));
	return &record.told[at];
}

/* From the beginning to the end, with nothing in between that is not new. */
static void events_life(struct kunit *test)
{
	struct flows *f = watched(test);
	unsigned long cursor = 0;
	u32 sleep_j = U32_MAX;
	struct told *told;
	u32 now_j = NOW;

	flows_send(f, 1, UDPTRACK_ORIGINAL, now_j);
	KUNIT_EXPECT_EQ(test, record.n, 1);
	told = expect(test, 0, UDPTRACK_EVENT_BEGIN, 1);
	KUNIT_EXPECT_EQ(test, told->flow.id, 1);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[0].packets, 1);
	KUNIT_EXPECT_GT(test, told->flow.start_ns, 0);

	flows_send(f, 1, UDPTRACK_ORIGINAL, now_j);
	KUNIT_EXPECT_EQ(test, record.n, 1);
	flows_send(f, 1, UDPTRACK_REPLY, now_j);
	told = expect(test, 1, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_ESTABLISHED);
	/* As it is then. */
	KUNIT_EXPECT_TRUE(test, told->flow.state.flags & UDPTRACK_SEEN_REPLY);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[1].packets, 1);
	flows_send(f, 1, UDPTRACK_REPLY, now_j);
	KUNIT_EXPECT_EQ(test, record.n, 2);

	now_j += 3 * HZ;
	flows_send(f, 1, UDPTRACK_ORIGINAL, now_j);
	told = expect(test, 2, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_ASSURED);
	KUNIT_EXPECT_EQ(test, told->flow.state.expires_j,
			now_j + FLOWS_STREAM);
	flows_send(f, 1, UDPTRACK_REPLY, now_j);
	KUNIT_EXPECT_EQ(test, record.n, 3);

	now_j += FLOWS_STREAM;
	KUNIT_EXPECT_TRUE(test, udptrack_table_collect(&f->table, now_j - 1,
						       10, &cursor, &sleep_j));
	KUNIT_EXPECT_EQ(test, record.n, 3);
	KUNIT_EXPECT_TRUE(test, udptrack_table_collect(&f->table, now_j, 10,
						       &cursor, &sleep_j));
	told = expect(test, 3, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_TIMEOUT);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[0].packets, 3);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[0].bytes, 3 * FLOWS_BYTES);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[1].packets, 3);
	KUNIT_EXPECT_EQ(test, told->flow.traffic[1].bytes, 3 * FLOWS_BYTES);
	KUNIT_EXPECT_EQ(test, record.n, 4);
}

/* A packet that finds its flow dead: first the one ends, then one begins. */
static void events_reborn(struct kunit *test)
{
	struct flows *f = watched(test);
	struct told *told;

	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 1, UDPTRACK_REPLY, NOW + FLOWS_TIMEOUT);
	told = expect(test, 1, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_TIMEOUT);
	KUNIT_EXPECT_EQ(test, told->flow.id, 1);
	told = expect(test, 2, UDPTRACK_EVENT_BEGIN, 1);
	KUNIT_EXPECT_EQ(test, told->flow.id, 2);
	KUNIT_EXPECT_EQ(test, record.n, 3);
}

/* It ended when its time was up, not when that was found out. */
static void events_stop(struct kunit *test)
{
	struct flows *f = watched(test);
	struct told *told;
	s64 late_ns;

	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW + FLOWS_TIMEOUT + 5 * HZ);
	told = expect(test, 2, UDPTRACK_EVENT_END, 1);
	late_ns = ktime_get_real_ns() - told->event.stop_ns;
	KUNIT_EXPECT_GE(test, late_ns, 5LL * NSEC_PER_SEC);
	KUNIT_EXPECT_LT(test, late_ns, 65LL * NSEC_PER_SEC);
	flows_erase(f, 1, NOW + FLOWS_TIMEOUT + 5 * HZ);
	told = expect(test, 4, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_GE(test, told->event.stop_ns, told->flow.start_ns);
	late_ns = ktime_get_real_ns() - told->event.stop_ns;
	KUNIT_EXPECT_LT(test, late_ns, 60LL * NSEC_PER_SEC);
}

static bool is_even(const struct udptrack_snapshot *flow, const void *arg)
{
	return flows_number(&flow->tuple) % 2 == 0;
}

/* Each way to lose a flow has its reason, and is counted. */
static void events_reasons(struct kunit *test)
{
	struct flows *f = watched(test);
	struct told *told;
	unsigned int n;

	for (n = 0; n < 6; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + n);
	record.n = 0;

	KUNIT_EXPECT_TRUE(test, flows_erase(f, 1, NOW + 6));
	told = expect(test, 0, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_DELETED);
	KUNIT_EXPECT_FALSE(test, flows_erase(f, 1, NOW + 6));
	/* By id; and not when the id is another one's. */
	KUNIT_EXPECT_FALSE(test, udptrack_table_erase(&f->table, NULL, 2,
						      NOW + 6));
	KUNIT_EXPECT_TRUE(test, udptrack_table_erase(&f->table, NULL, 4,
						     NOW + 6));
	told = expect(test, 1, UDPTRACK_EVENT_END, 3);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_DELETED);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, deleted), 2);

	/* Room is wanted: of those left, number 0 is nearest to its end. */
	f->visit.max = 4;
	flows_send(f, 7, UDPTRACK_ORIGINAL, NOW + 6);
	told = expect(test, 2, UDPTRACK_EVENT_END, 0);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_EVICTED);
	expect(test, 3, UDPTRACK_EVENT_BEGIN, 7);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, evicted), 1);

	/* By a rule: 2 and 4, not 5 and 7. */
	KUNIT_EXPECT_EQ(test, 2, udptrack_table_prune(&f->table, NOW + 6, NULL,
						      is_even, NULL));
	expect(test, 4, UDPTRACK_EVENT_END, 2);
	told = expect(test, 5, UDPTRACK_EVENT_END, 4);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_DELETED);
	KUNIT_EXPECT_EQ(test, record.n, 6);

	/* All that is left; what is dead already was not deleted. */
	KUNIT_EXPECT_EQ(test, 1, udptrack_table_prune(&f->table,
						      NOW + 5 + FLOWS_TIMEOUT,
						      NULL, NULL, NULL));
	told = expect(test, 6, UDPTRACK_EVENT_END, 5);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_TIMEOUT);
	told = expect(test, 7, UDPTRACK_EVENT_END, 7);
	KUNIT_EXPECT_EQ(test, told->event.reason, UDPTRACK_REASON_DELETED);
	KUNIT_EXPECT_EQ(test, record.n, 8);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, deleted), 5);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 1);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
}

/* A table that goes away says nothing. */
static void events_flush(struct kunit *test)
{
	struct flows *f = watched(test);

	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	udptrack_table_flush(&f->table);
	KUNIT_EXPECT_EQ(test, record.n, 1);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, deleted), 0);
}

/* Nobody wants to know: asked only where there would be something to tell. */
static void events_nobody(struct kunit *test)
{
	struct flows *f = watched(test);
	unsigned int n;

	record.deaf = true;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	for (n = 0; n < 10; n++)
		flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, record.asked, 1);
	flows_erase(f, 1, NOW);
	KUNIT_EXPECT_EQ(test, record.asked, 2);
	KUNIT_EXPECT_EQ(test, record.n, 0);
}

static void some_owner(const struct udptrack_visit *visit,
		       struct udptrack_owner *owner)
{
	owner->uid = KUIDT_INIT(1234);
	owner->has_uid = true;
	owner->pid = get_pid(task_tgid(current));
	strscpy(owner->comm, "somebody", sizeof(owner->comm));
	owner->final = true;
}

/* Whose it is, is told from the beginning; and asked once. */
static void events_owner(struct kunit *test)
{
	struct flows *f = watched(test);
	struct told *told;

	f->visit.owner = some_owner;
	record.watch.reader = &init_pid_ns;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_FALSE(test, f->result.wants_owner);
	told = expect(test, 0, UDPTRACK_EVENT_BEGIN, 1);
	KUNIT_EXPECT_TRUE(test, told->flow.has_uid);
	KUNIT_EXPECT_EQ(test, 1234, __kuid_val(told->flow.uid));
	KUNIT_EXPECT_EQ(test, task_tgid_nr(current), told->flow.pid);
	KUNIT_EXPECT_STREQ(test, "somebody", told->flow.comm);

	record.watch.reader = NULL;
	flows_erase(f, 1, NOW);
	told = expect(test, 1, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, 0, told->flow.pid);
	KUNIT_EXPECT_EQ(test, 1234, __kuid_val(told->flow.uid));
}

/* --- DNS */

static void dns_stats_free(void *stats)
{
	free_percpu((struct udptrack_dns_stats __force __percpu *)stats);
}

static struct udptrack_dns_pool pool;
static struct udptrack_dns_visit dns;

static struct flows *watched_dns(struct kunit *test)
{
	struct flows *f = watched(test);
	void *stats;

	memset(&pool, 0, sizeof(pool));
	pool.stats = alloc_percpu(struct udptrack_dns_stats);
	stats = (__force void *)pool.stats;
	KUNIT_ASSERT_NOT_NULL(test, stats);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dns_stats_free,
							   stats));
	f->table.dns = &pool;
	dns = (struct udptrack_dns_visit) {
		.rules = {
			.now_us = 1ULL << 33,
			.open_us = 30 * SEC,
			.late_us = 120 * SEC,
			.keep_us = 5 * SEC,
			.slots_max = 1 << 20,
		},
		.linger_j = 5 * HZ,
	};
	f->visit.dns = &dns;
	return f;
}

static void ask(struct flows *f, u16 id, u32 now_j)
{
	dns.msg = (struct udptrack_dns_message) {
		.kind = UDPTRACK_DNS_QUESTION, .id = id,
	};
	dns.asks = true;
	flows_send(f, 1, UDPTRACK_ORIGINAL, now_j);
}

static void answer(struct flows *f, u16 id, u32 now_j)
{
	dns.msg = (struct udptrack_dns_message) {
		.kind = UDPTRACK_DNS_ANSWER, .id = id,
	};
	dns.asks = false;
	flows_send(f, 1, UDPTRACK_REPLY, now_j);
}

/* Closed when the last question is answered; again after another one. */
static void events_closed(struct kunit *test)
{
	struct flows *f = watched_dns(test);
	struct told *told;

	ask(f, 1, NOW);
	ask(f, 2, NOW);
	answer(f, 1, NOW);
	told = expect(test, 1, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.out, 1);
	answer(f, 2, NOW);
	told = expect(test, 2, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_CLOSED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.out, 0);
	KUNIT_EXPECT_EQ(test, told->flow.dns.ok, 2);
	KUNIT_EXPECT_EQ(test, told->flow.state.expires_j, NOW + 5 * HZ);
	/* The same answer again changes nothing. */
	answer(f, 2, NOW);
	KUNIT_EXPECT_EQ(test, record.n, 3);
	ask(f, 3, NOW);
	answer(f, 3, NOW);
	told = expect(test, 3, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_CLOSED);
	KUNIT_EXPECT_EQ(test, record.n, 4);
	KUNIT_EXPECT_TRUE(test, f->result.events & UDPTRACK_EVENT_CLOSED);
}

/* The only question is answered: established and closed are one event. */
static void events_closed_at_once(struct kunit *test)
{
	struct flows *f = watched_dns(test);
	struct told *told;

	ask(f, 1, NOW);
	answer(f, 1, NOW);
	told = expect(test, 1, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_ESTABLISHED |
						  UDPTRACK_CHANGE_CLOSED);
	KUNIT_EXPECT_EQ(test, record.n, 2);
}

/* Each forged answer, where it is let in and where it is not. */
static void events_forged(struct kunit *test)
{
	struct flows *f = watched_dns(test);
	struct udptrack_key key;
	struct told *told;
	unsigned int side;

	ask(f, 1, NOW);
	answer(f, 9, NOW);
	told = expect(test, 1, UDPTRACK_EVENT_DNS, 1);
	KUNIT_EXPECT_EQ(test, told->event.alert, UDPTRACK_ALERT_FORGED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.forged, 1);
	told = expect(test, 2, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_ESTABLISHED);

	/* Not let in, it is told where it is counted, and only there. */
	dns.enforce = true;
	side = flows_key(1, UDPTRACK_REPLY, &key);
	dns.msg.id = 10;
	KUNIT_EXPECT_TRUE(test, udptrack_table_forged(&f->table, &key, side,
						      NOW, &dns, false));
	KUNIT_EXPECT_EQ(test, record.n, 3);
	KUNIT_EXPECT_TRUE(test, udptrack_table_forged(&f->table, &key, side,
						      NOW, &dns, true));
	told = expect(test, 3, UDPTRACK_EVENT_DNS, 1);
	KUNIT_EXPECT_EQ(test, told->event.alert, UDPTRACK_ALERT_FORGED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.forged, 2);
	answer(f, 10, NOW);
	KUNIT_EXPECT_EQ(test, record.n, 4);
}

/* Nobody answers: found out by an answer to another question. */
static void events_unanswered(struct kunit *test)
{
	struct flows *f = watched_dns(test);
	struct told *told;

	ask(f, 1, NOW);
	ask(f, 2, NOW);
	answer(f, 1, NOW);
	record.n = 0;
	dns.rules.now_us += 31 * SEC;
	ask(f, 3, NOW);
	KUNIT_EXPECT_EQ(test, record.n, 0);
	answer(f, 3, NOW);
	told = expect(test, 0, UDPTRACK_EVENT_DNS, 1);
	KUNIT_EXPECT_EQ(test, told->event.alert, UDPTRACK_ALERT_UNANSWERED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.unanswered, 1);
	told = expect(test, 1, UDPTRACK_EVENT_UPDATE, 1);
	KUNIT_EXPECT_EQ(test, told->event.change, UDPTRACK_CHANGE_CLOSED);
	KUNIT_EXPECT_EQ(test, record.n, 2);
}

/* Or by the end of the flow, before which it is told. */
static void events_unanswered_end(struct kunit *test)
{
	struct flows *f = watched_dns(test);
	struct told *told;

	ask(f, 1, NOW);
	ask(f, 2, NOW);
	f->visit.create = false;
	f->visit.dns = NULL;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW + FLOWS_TIMEOUT);
	told = expect(test, 1, UDPTRACK_EVENT_DNS, 1);
	KUNIT_EXPECT_EQ(test, told->event.alert, UDPTRACK_ALERT_UNANSWERED);
	KUNIT_EXPECT_EQ(test, told->flow.dns.unanswered, 2);
	told = expect(test, 2, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, told->flow.dns.unanswered, 2);
	KUNIT_EXPECT_EQ(test, record.n, 3);
}

/* Who deletes a flow has not waited for its answers. */
static void events_unanswered_deleted(struct kunit *test)
{
	struct flows *f = watched_dns(test);

	ask(f, 1, NOW);
	flows_erase(f, 1, NOW);
	expect(test, 1, UDPTRACK_EVENT_END, 1);
	KUNIT_EXPECT_EQ(test, record.n, 2);
}

/* --- numbers and listeners */

static struct listeners {
	struct udptrack_events events;
	struct net *net;
	unsigned int setting;
	struct udptrack_listener a, b;
	bool a_listens, b_listens;
	u64 a_seq, b_seq;
	unsigned int a_n, b_n;
	bool silent, no_memory;	/* no message, of either kind */
	unsigned int sent_a, sent_b, lost;
	u64 last_sent;
	unsigned int disorder;
	struct completion *hold;	/* sending waits for this */
} l;

static bool a_listens(struct net *net)
{
	return net == l.net && l.a_listens;
}

static bool b_listens(struct net *net)
{
	return net == l.net && l.b_listens;
}

/* It has the number of its event. */
static int message(const struct udptrack_event *event, struct sk_buff **skb)
{
	*skb = NULL;
	if (l.silent)
		return 0;
	if (l.no_memory)
		return -ENOMEM;
	*skb = alloc_skb(sizeof(event->seq), GFP_ATOMIC);
	if (!*skb)
		return -ENOMEM;
	skb_put_data(*skb, &event->seq, sizeof(event->seq));
	return 0;
}

static void lost(struct net *net, const struct udptrack_event *event)
{
	l.lost++;
}

static void sent(struct sk_buff *skb, unsigned int *n)
{
	u64 seq;

	memcpy(&seq, skb->data, sizeof(seq));
	/* In order, and as it was made. */
	if (seq < l.last_sent || memchr_inv(skb->cb, 0, sizeof(skb->cb)))
		l.disorder++;
	l.last_sent = seq;
	(*n)++;
	kfree_skb(skb);
	if (l.hold)
		wait_for_completion(l.hold);
}

static void a_send(struct net *net, struct sk_buff *skb)
{
	sent(skb, &l.sent_a);
}

static void b_send(struct net *net, struct sk_buff *skb)
{
	sent(skb, &l.sent_b);
}

static int a_message(struct net *net, const struct udptrack_event *event,
		     struct sk_buff **skb)
{
	l.a_seq = event->seq;
	l.a_n++;
	return message(event, skb);
}

static int b_message(struct net *net, const struct udptrack_event *event,
		     struct sk_buff **skb)
{
	l.b_seq = event->seq;
	l.b_n++;
	return message(event, skb);
}

static void close_events(void *events)
{
	udptrack_events_close(events);
}

static void unsubscribe(void *listener)
{
	udptrack_events_unsubscribe(listener);
}

static struct flows *listened(struct kunit *test)
{
	struct flows *f = flows_new(test);

	memset(&l, 0, sizeof(l));
	l.setting = 1;
	/* One that nobody else knows. */
	l.net = kunit_kzalloc(test, sizeof(*l.net), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l.net);
	l.net->user_ns = &init_user_ns;
	/* The listener of netlink is asked, too. */
	l.net->genl_sock = init_net.genl_sock;
	udptrack_events_init(&l.events, l.net, &l.setting);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_events,
							   &l.events));
	l.a.listens = a_listens;
	l.a.message = a_message;
	l.a.lost = lost;
	l.a.send = a_send;
	l.b.listens = b_listens;
	l.b.message = b_message;
	l.b.lost = lost;
	l.b.send = b_send;
	udptrack_events_subscribe(&l.a);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unsubscribe,
							   &l.a));
	udptrack_events_subscribe(&l.b);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unsubscribe,
							   &l.b));
	f->table.watch = &l.events.watch;
	return f;
}

static void events_numbers(struct kunit *test)
{
	struct flows *f = listened(test);
	unsigned int n;

	/* Nobody: no number. */
	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, udptrack_events_seq(&l.events), 0);
	l.a_listens = true;
	for (n = 1; n <= 5; n++) {
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		KUNIT_EXPECT_EQ(test, l.a_seq, n);
	}
	KUNIT_EXPECT_EQ(test, l.b_n, 0);
	/* Two are told of the same, by the same number. */
	l.b_listens = true;
	flows_send(f, 6, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, l.a_seq, 6);
	KUNIT_EXPECT_EQ(test, l.b_seq, 6);
	l.a_listens = false;
	flows_erase(f, 6, NOW);
	KUNIT_EXPECT_EQ(test, l.b_seq, 7);
	KUNIT_EXPECT_EQ(test, l.a_seq, 6);
	l.b_listens = false;
	flows_erase(f, 5, NOW);
	KUNIT_EXPECT_EQ(test, udptrack_events_seq(&l.events), 7);
	KUNIT_EXPECT_EQ(test, l.a_n, 6);
	KUNIT_EXPECT_EQ(test, l.b_n, 2);
	/* Nothing was lost, and all of it was sent in order. */
	udptrack_events_close(&l.events);
	KUNIT_EXPECT_EQ(test, l.sent_a, 6);
	KUNIT_EXPECT_EQ(test, l.sent_b, 2);
	KUNIT_EXPECT_EQ(test, l.disorder, 0);
	KUNIT_EXPECT_EQ(test, l.lost, 0);
}

/* What cannot be told has a number, and who tells learns of it. */
static void events_lost(struct kunit *test)
{
	struct flows *f = listened(test);

	l.a_listens = true;
	l.no_memory = true;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, l.lost, 1);
	l.no_memory = false;
	l.silent = true;
	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	l.silent = false;
	flows_send(f, 3, UDPTRACK_ORIGINAL, NOW);
	udptrack_events_close(&l.events);
	KUNIT_EXPECT_EQ(test, l.lost, 1);
	KUNIT_EXPECT_EQ(test, l.sent_a, 1);
	KUNIT_EXPECT_EQ(test, l.last_sent, 3);
}

/* Whoever sends too slowly loses what finds no room, and no more. */
static void events_overrun(struct kunit *test)
{
	static const unsigned int many = 5000, room = 4096;
	DECLARE_COMPLETION_ONSTACK(hold);
	struct flows *f = listened(test);
	unsigned int n;

	f->visit.max = many;
	l.a_listens = true;
	l.hold = &hold;
	for (n = 0; n < many; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, udptrack_events_seq(&l.events), many);
	/* One may have been on its way already. */
	KUNIT_EXPECT_GE(test, l.lost, many - room - 1);
	KUNIT_EXPECT_LE(test, l.lost, many - room);
	complete_all(&hold);
	udptrack_events_close(&l.events);
	KUNIT_EXPECT_EQ(test, l.sent_a + l.lost, many);
	KUNIT_EXPECT_EQ(test, l.disorder, 0);
}

/* Who unsubscribes is told of all that was before, and then of nothing. */
static void events_unsubscribed(struct kunit *test)
{
	struct flows *f = listened(test);

	l.a_listens = true;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	udptrack_events_unsubscribe(&l.a);
	KUNIT_EXPECT_EQ(test, l.sent_a, 2);
	flows_send(f, 3, UDPTRACK_ORIGINAL, NOW);
	udptrack_events_subscribe(&l.a);
	udptrack_events_close(&l.events);
	KUNIT_EXPECT_EQ(test, l.sent_a, 2);
}

/* Switched off, or on the way out. */
static void events_off(struct kunit *test)
{
	struct flows *f = listened(test);

	l.a_listens = true;
	l.setting = 0;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, l.a_n, 0);
	l.setting = 1;
	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, l.a_n, 1);
	KUNIT_EXPECT_EQ(test, l.a_seq, 1);
	udptrack_events_close(&l.events);
	flows_send(f, 3, UDPTRACK_ORIGINAL, NOW);
	flows_erase(f, 2, NOW);
	KUNIT_EXPECT_EQ(test, l.a_n, 1);
	KUNIT_EXPECT_EQ(test, udptrack_events_seq(&l.events), 1);
}

/* Processes are for those who can see them. */
static void events_reader(struct kunit *test)
{
	listened(test);
	KUNIT_EXPECT_PTR_EQ(test, l.events.watch.reader, &init_pid_ns);
	/* Any other user namespace will do, only its address matters. */
	l.net->user_ns = kunit_kzalloc(test, sizeof(*l.net->user_ns),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l.net->user_ns);
	udptrack_events_init(&l.events, l.net, &l.setting);
	KUNIT_EXPECT_NULL(test, l.events.watch.reader);
}

static struct kunit_case events_cases[] = {
	KUNIT_CASE(events_life),
	KUNIT_CASE(events_reborn),
	KUNIT_CASE(events_stop),
	KUNIT_CASE(events_reasons),
	KUNIT_CASE(events_flush),
	KUNIT_CASE(events_nobody),
	KUNIT_CASE(events_owner),
	KUNIT_CASE(events_closed),
	KUNIT_CASE(events_closed_at_once),
	KUNIT_CASE(events_forged),
	KUNIT_CASE(events_unanswered),
	KUNIT_CASE(events_unanswered_end),
	KUNIT_CASE(events_unanswered_deleted),
	KUNIT_CASE(events_numbers),
	KUNIT_CASE(events_lost),
	KUNIT_CASE(events_overrun),
	KUNIT_CASE(events_unsubscribed),
	KUNIT_CASE(events_off),
	KUNIT_CASE(events_reader),
	{}
};

static struct kunit_suite events_suite = {
	.name = "udptrack_events",
	.test_cases = events_cases,
};

kunit_test_suite(events_suite);
