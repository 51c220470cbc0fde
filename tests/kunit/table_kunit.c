// SPDX-License-Identifier: GPL-2.0-only
/*
 * table_kunit - what one packet, one look and one removal do to the table.
 *
 * Listing is in listing_kunit.c, a full table in eviction_kunit.c, size and
 * want of memory in growth_kunit.c, random histories in model_kunit.c, several
 * CPUs in race_kunit.c.
 */
#include "flows.h"

/* A few ticks before jiffies wrap, so that everything here crosses that. */
#define NOW	((u32)(0 - 7 * HZ))

static void table_absent(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_class class = UDPTRACK_INVALID;

	f->visit.create = false;
	KUNIT_EXPECT_EQ(test, UDPTRACK_ABSENT,
			flows_send(f, 0, UDPTRACK_ORIGINAL, NOW));
	KUNIT_EXPECT_FALSE(test, flows_peek(f, 0, UDPTRACK_ORIGINAL, NOW,
					    &class));
	KUNIT_EXPECT_EQ(test, class, UDPTRACK_NEW);
	KUNIT_EXPECT_FALSE(test, flows_erase(f, 0, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
	KUNIT_EXPECT_EQ(test, udptrack_table_last_id(&f->table), 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, found), 0);
}

static void expect_send(struct kunit *test, struct flows *f, unsigned int n,
			enum udptrack_dir dir, u32 now_j,
			enum udptrack_outcome outcome,
			enum udptrack_class class, u8 events)
{
	KUNIT_EXPECT_EQ_MSG(test, outcome, flows_send(f, n, dir, now_j),
			    "flow %u, %d ticks from now", n,
			    (int)(now_j - NOW));
	KUNIT_EXPECT_EQ_MSG(test, class, f->result.class,
			    "flow %u, %d ticks from now", n,
			    (int)(now_j - NOW));
	KUNIT_EXPECT_EQ_MSG(test, events, f->result.events,
			    "flow %u, %d ticks from now", n,
			    (int)(now_j - NOW));
}

/* From first packet to stream, begun by the lower or the higher end. */
static void table_conversation(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n;

	for (n = 0; n < 4; n++) {
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW,
			    UDPTRACK_CREATED, UDPTRACK_NEW,
			    UDPTRACK_EVENT_NEW);
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW,
			    UDPTRACK_FOUND, UDPTRACK_NEW, 0);
		expect_send(test, f, n, UDPTRACK_REPLY, NOW + HZ,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED,
			    UDPTRACK_EVENT_ESTABLISHED);
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW + HZ,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED, 0);
		expect_send(test, f, n, UDPTRACK_REPLY, NOW + 2 * HZ,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED, 0);
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW + 2 * HZ + 1,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED,
			    UDPTRACK_EVENT_ASSURED);
	}
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 4);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), 4);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, found), 20);
}

/* Without leave to make flows, a packet still refreshes the one there is. */
static void table_found_without_create(struct kunit *test)
{
	struct flows *f = flows_new(test);

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	f->visit.create = false;
	expect_send(test, f, 0, UDPTRACK_REPLY, NOW + 20 * HZ, UDPTRACK_FOUND,
		    UDPTRACK_ESTABLISHED, UDPTRACK_EVENT_ESTABLISHED);
	KUNIT_EXPECT_TRUE(test, flows_live(f, 0, NOW + 49 * HZ));
}

/* A socket that sends to itself answers itself with its second packet. */
static void table_self(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_tuple tuple;
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int n;

	for (n = 0; n < 2; n++) {
		flows_self_tuple(n, &tuple);
		f->visit.now_j = NOW;
		f->visit.side = udptrack_key_from_tuple(&tuple, &key);
		KUNIT_EXPECT_EQ(test, UDPTRACK_CREATED,
				udptrack_table_track(&f->table, &key,
						     &f->visit, &f->result));
		KUNIT_EXPECT_EQ(test, f->result.class, UDPTRACK_NEW);
		KUNIT_EXPECT_TRUE(test, udptrack_table_peek(&f->table, &key,
							    f->visit.side,
							    NOW, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_ESTABLISHED);
		KUNIT_EXPECT_EQ(test, UDPTRACK_FOUND,
				udptrack_table_track(&f->table, &key,
						     &f->visit, &f->result));
		KUNIT_EXPECT_EQ(test, f->result.class, UDPTRACK_ESTABLISHED);
		KUNIT_EXPECT_EQ(test, f->result.events,
				UDPTRACK_EVENT_ESTABLISHED);
	}
}

/* A look tells the class of either direction and changes nothing. */
static void table_peek(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot before, after;
	enum udptrack_class class;
	unsigned int i;

	flows_send(f, 3, UDPTRACK_ORIGINAL, NOW);
	KUNIT_ASSERT_TRUE(test, flows_get(f, 3, NOW, &before));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, flows_peek(f, 3, UDPTRACK_ORIGINAL,
						   NOW + 9 * HZ, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_NEW);
		KUNIT_EXPECT_TRUE(test, flows_peek(f, 3, UDPTRACK_REPLY,
						   NOW + 9 * HZ, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_ESTABLISHED);
	}
	KUNIT_ASSERT_TRUE(test, flows_get(f, 3, NOW, &after));
	KUNIT_EXPECT_EQ(test, before.state.expires_j, after.state.expires_j);
	KUNIT_EXPECT_EQ(test, before.state.flags, after.state.flags);
	KUNIT_EXPECT_EQ(test, after.traffic[0].packets, 1);
	KUNIT_EXPECT_EQ(test, after.traffic[1].packets, 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, found), 0);

	flows_send(f, 3, UDPTRACK_REPLY, NOW);
	KUNIT_EXPECT_TRUE(test, flows_peek(f, 3, UDPTRACK_ORIGINAL, NOW,
					   &class));
	KUNIT_EXPECT_EQ(test, class, UDPTRACK_ESTABLISHED);
}

/* A flow that began as the answer to a request is related until answered. */
static void table_related(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_class class;
	unsigned int n;

	for (n = 0; n < 4; n++) {
		f->visit.related = true;
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW,
			    UDPTRACK_CREATED, UDPTRACK_RELATED,
			    UDPTRACK_EVENT_NEW);
		/* What made it one is said of its first packet only. */
		f->visit.related = false;
		KUNIT_EXPECT_TRUE(test, flows_peek(f, n, UDPTRACK_ORIGINAL,
						   NOW, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_RELATED);
		KUNIT_EXPECT_TRUE(test, flows_peek(f, n, UDPTRACK_REPLY, NOW,
						   &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_ESTABLISHED);
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW + HZ,
			    UDPTRACK_FOUND, UDPTRACK_RELATED, 0);
		expect_send(test, f, n, UDPTRACK_REPLY, NOW + HZ,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED,
			    UDPTRACK_EVENT_ESTABLISHED);
		KUNIT_EXPECT_TRUE(test, flows_peek(f, n, UDPTRACK_ORIGINAL,
						   NOW + HZ, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_ESTABLISHED);
		expect_send(test, f, n, UDPTRACK_ORIGINAL, NOW + HZ,
			    UDPTRACK_FOUND, UDPTRACK_ESTABLISHED, 0);
	}
}

/* It is the first packet that decides, not one of a flow that is there. */
static void table_related_found(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_class class;

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	f->visit.related = true;
	expect_send(test, f, 0, UDPTRACK_ORIGINAL, NOW, UDPTRACK_FOUND,
		    UDPTRACK_NEW, 0);
	KUNIT_EXPECT_TRUE(test, flows_peek(f, 0, UDPTRACK_ORIGINAL, NOW,
					   &class));
	KUNIT_EXPECT_EQ(test, class, UDPTRACK_NEW);

	/* Nothing of it is left to the flow that comes after. */
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	f->visit.related = false;
	expect_send(test, f, 1, UDPTRACK_ORIGINAL, NOW + FLOWS_TIMEOUT,
		    UDPTRACK_CREATED, UDPTRACK_NEW, UDPTRACK_EVENT_NEW);
}

/* A look from the side that spoke first, whichever that was. */
static void table_peek_origin(struct kunit *test)
{
	struct flows *f = flows_new(test);
	enum udptrack_class class;
	struct udptrack_key key;
	unsigned int n;

	for (n = 0; n < 8; n++) {
		enum udptrack_class want = n < 4 ? UDPTRACK_NEW :
						   UDPTRACK_RELATED;

		f->visit.related = n >= 4;
		flows_key(n, UDPTRACK_ORIGINAL, &key);
		KUNIT_EXPECT_FALSE(test,
				   udptrack_table_peek(&f->table, &key,
						       UDPTRACK_SIDE_ORIGIN,
						       NOW, &class));
		KUNIT_EXPECT_EQ(test, class, UDPTRACK_NEW);
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
		KUNIT_EXPECT_TRUE(test,
				  udptrack_table_peek(&f->table, &key,
						      UDPTRACK_SIDE_ORIGIN,
						      NOW, &class));
		KUNIT_EXPECT_EQ_MSG(test, class, want, "flow %u", n);
		flows_send(f, n, UDPTRACK_REPLY, NOW);
		KUNIT_EXPECT_TRUE(test,
				  udptrack_table_peek(&f->table, &key,
						      UDPTRACK_SIDE_ORIGIN,
						      NOW, &class));
		KUNIT_EXPECT_EQ_MSG(test, class, UDPTRACK_ESTABLISHED,
				    "flow %u", n);
	}
}

/* From its last tick on a flow is not there for anybody, collected or not. */
static void table_expired(struct kunit *test)
{
	u32 dead_j = NOW + FLOWS_TIMEOUT;
	struct flows *f = flows_new(test);
	enum udptrack_class class;

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 0, UDPTRACK_REPLY, NOW);
	KUNIT_EXPECT_TRUE(test, flows_live(f, 0, dead_j - 1));
	KUNIT_EXPECT_EQ(test, flows_listed(f, dead_j - 1), 1);

	KUNIT_EXPECT_FALSE(test, flows_peek(f, 0, UDPTRACK_REPLY, dead_j,
					    &class));
	KUNIT_EXPECT_EQ(test, class, UDPTRACK_NEW);
	KUNIT_EXPECT_EQ(test, flows_listed(f, dead_j), 0);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 1);

	f->visit.create = false;
	KUNIT_EXPECT_EQ(test, UDPTRACK_ABSENT,
			flows_send(f, 0, UDPTRACK_ORIGINAL, dead_j));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 1);
}

/* Erasing a dead flow frees it, but there was no flow to erase. */
static void table_erase_expired(struct kunit *test)
{
	struct flows *f = flows_new(test);

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_FALSE(test, flows_erase(f, 0, NOW + FLOWS_TIMEOUT));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
}

/* Who speaks first after a flow's death begins a new one of its own. */
static void table_reborn(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	u32 now_j = NOW + FLOWS_TIMEOUT;

	flows_send(f, 2, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 2, UDPTRACK_REPLY, NOW);
	expect_send(test, f, 2, UDPTRACK_REPLY, now_j, UDPTRACK_CREATED,
		    UDPTRACK_NEW, UDPTRACK_EVENT_NEW);
	KUNIT_ASSERT_TRUE(test, flows_get(f, 2, now_j, &snap));
	KUNIT_EXPECT_EQ(test, snap.id, 2);
	KUNIT_EXPECT_EQ(test, snap.state.flags, 0);
	KUNIT_EXPECT_EQ(test, snap.traffic[0].packets, 1);
	KUNIT_EXPECT_EQ(test, snap.traffic[1].packets, 0);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 1);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 1);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, new), 2);
	/* Its first answer is what was the original direction before. */
	expect_send(test, f, 2, UDPTRACK_ORIGINAL, now_j, UDPTRACK_FOUND,
		    UDPTRACK_ESTABLISHED, UDPTRACK_EVENT_ESTABLISHED);
}

static void table_erase(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n;

	for (n = 0; n < 8; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_TRUE(test, flows_erase(f, 5, NOW));
	KUNIT_EXPECT_FALSE(test, flows_erase(f, 5, NOW));
	for (n = 0; n < 8; n++)
		KUNIT_EXPECT_EQ(test, n != 5, flows_live(f, n, NOW));
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 7);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW), 7);
	expect_send(test, f, 5, UDPTRACK_ORIGINAL, NOW, UDPTRACK_CREATED,
		    UDPTRACK_NEW, UDPTRACK_EVENT_NEW);
}

/* Of a flow that is asked for by its ends, its id, or both. */
static void table_get(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;
	struct udptrack_key key;

	flows_send(f, 4, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 5, UDPTRACK_ORIGINAL, NOW);
	/* Both directions have the same key. */
	flows_key(5, UDPTRACK_REPLY, &key);
	KUNIT_ASSERT_TRUE(test, udptrack_table_get(&f->table, &key, 0, NOW,
						   NULL, &snap));
	KUNIT_EXPECT_EQ(test, snap.id, 2);
	KUNIT_EXPECT_EQ(test, flows_number(&snap.tuple), 5);
	KUNIT_ASSERT_TRUE(test, udptrack_table_get(&f->table, NULL, 1, NOW,
						   NULL, &snap));
	KUNIT_EXPECT_EQ(test, flows_number(&snap.tuple), 4);
	KUNIT_EXPECT_TRUE(test, udptrack_table_get(&f->table, &key, 2, NOW,
						   NULL, &snap));
	KUNIT_EXPECT_FALSE(test, udptrack_table_get(&f->table, &key, 1, NOW,
						    NULL, &snap));
	KUNIT_EXPECT_FALSE(test, udptrack_table_get(&f->table, NULL, 3, NOW,
						    NULL, &snap));
	KUNIT_EXPECT_FALSE(test, udptrack_table_get(&f->table, NULL, 1,
						    NOW + FLOWS_TIMEOUT, NULL,
						    &snap));
}

static void table_flush(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int n;

	for (n = 0; n < 100; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW);
	udptrack_table_flush(&f->table);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
	KUNIT_EXPECT_EQ(test, flows_listed(f, NOW), 0);
	for (n = 0; n < 100; n++)
		KUNIT_EXPECT_FALSE(test, flows_live(f, n, NOW));
	/* Numbers go on; none is used twice. */
	KUNIT_EXPECT_EQ(test, udptrack_table_last_id(&f->table), 100);
	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_EQ(test, udptrack_table_last_id(&f->table), 101);
}

/* The traffic of each direction, many datagrams in one packet included. */
static void table_accounting(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;

	f->visit.packets = 3;
	f->visit.bytes = 3000;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	f->visit.packets = 1;
	f->visit.bytes = 60;
	flows_send(f, 1, UDPTRACK_REPLY, NOW);
	f->visit.packets = 64;
	f->visit.bytes = 0xffffffff;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);

	KUNIT_ASSERT_TRUE(test, flows_get(f, 1, NOW, &snap));
	KUNIT_EXPECT_TRUE(test, snap.acct);
	KUNIT_EXPECT_EQ(test, snap.traffic[UDPTRACK_ORIGINAL].packets, 131);
	KUNIT_EXPECT_EQ(test, snap.traffic[UDPTRACK_ORIGINAL].bytes,
			3000 + 2 * 0xffffffffULL);
	KUNIT_EXPECT_EQ(test, snap.traffic[UDPTRACK_REPLY].packets, 1);
	KUNIT_EXPECT_EQ(test, snap.traffic[UDPTRACK_REPLY].bytes, 60);
}

/* Whether a flow counts is settled when it is made. */
static void table_accounting_switched(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_snapshot snap;

	f->visit.acct = false;
	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	f->visit.acct = true;
	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);
	f->visit.acct = false;
	flows_send(f, 1, UDPTRACK_ORIGINAL, NOW);

	KUNIT_ASSERT_TRUE(test, flows_get(f, 0, NOW, &snap));
	KUNIT_EXPECT_FALSE(test, snap.acct);
	KUNIT_EXPECT_EQ(test, snap.traffic[0].packets, 0);
	KUNIT_ASSERT_TRUE(test, flows_get(f, 1, NOW, &snap));
	KUNIT_EXPECT_TRUE(test, snap.acct);
	KUNIT_EXPECT_EQ(test, snap.traffic[0].packets, 2);
}

/* Flows that differ in one thing only are different flows. */
static void table_near_misses(struct kunit *test)
{
	struct flows *f = flows_new(test);
	struct udptrack_tuple tuple[6];
	struct udptrack_key key;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tuple); i++)
		flows_tuple(i < 3 ? 0 : 1, &tuple[i]);
	tuple[1].sport ^= htons(1);
	tuple[2].dport ^= htons(1);
	tuple[4].scope = 2;
	tuple[5].src.in6.s6_addr[8] = 1;
	f->visit.now_j = NOW;
	for (i = 0; i < ARRAY_SIZE(tuple); i++) {
		f->visit.side = udptrack_key_from_tuple(&tuple[i], &key);
		KUNIT_EXPECT_EQ_MSG(test, UDPTRACK_CREATED,
				    udptrack_table_track(&f->table, &key,
							 &f->visit,
							 &f->result),
				    "tuple %u", i);
	}
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 6);
}

/* New timeouts are for the next packet of a flow. */
static void table_changed_timeouts(struct kunit *test)
{
	struct flows *f = flows_new(test);

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	f->visit.timeouts.unreplied_j = 5 * HZ;
	KUNIT_EXPECT_TRUE(test, flows_live(f, 0, NOW + 29 * HZ));
	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW + 10 * HZ);
	KUNIT_EXPECT_TRUE(test, flows_live(f, 0, NOW + 15 * HZ - 1));
	KUNIT_EXPECT_FALSE(test, flows_live(f, 0, NOW + 15 * HZ));
}

/* Collection frees what has expired by now, the very tick included. */
static void table_collect(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned long cursor = 0;
	u32 sleep_j = U32_MAX;
	unsigned int n;

	for (n = 0; n < 20; n++)
		flows_send(f, n, UDPTRACK_ORIGINAL, NOW + n * HZ);
	KUNIT_EXPECT_TRUE(test,
			  udptrack_table_collect(&f->table, NOW + 39 * HZ,
						 1000, &cursor, &sleep_j));
	KUNIT_EXPECT_EQ(test, cursor, 0);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 10);
	KUNIT_EXPECT_EQ(test, FLOWS_STAT(f, expired), 10);
	/* The next to expire, flow 10, has a second to go. */
	KUNIT_EXPECT_EQ(test, sleep_j, HZ);
	for (n = 0; n < 20; n++)
		KUNIT_EXPECT_EQ(test, n >= 10,
				flows_live(f, n, NOW + 39 * HZ));
}

/* The sleep is only ever lowered, by live flows alone. */
static void table_collect_sleep(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned long cursor = 0;
	u32 sleep_j = 10;

	flows_send(f, 0, UDPTRACK_ORIGINAL, NOW);
	KUNIT_EXPECT_TRUE(test,
			  udptrack_table_collect(&f->table, NOW, 8, &cursor,
						 &sleep_j));
	KUNIT_EXPECT_EQ(test, sleep_j, 10);
	sleep_j = U32_MAX;
	KUNIT_EXPECT_TRUE(test,
			  udptrack_table_collect(&f->table,
						 NOW + FLOWS_TIMEOUT - 1, 8,
						 &cursor, &sleep_j));
	KUNIT_EXPECT_EQ(test, sleep_j, 1);
	sleep_j = U32_MAX;
	KUNIT_EXPECT_TRUE(test,
			  udptrack_table_collect(&f->table,
						 NOW + FLOWS_TIMEOUT, 8,
						 &cursor, &sleep_j));
	KUNIT_EXPECT_EQ(test, sleep_j, U32_MAX);
	KUNIT_EXPECT_EQ(test, udptrack_table_count(&f->table), 0);
}

/* Slices of any size add up to one pass that leaves nothing expired. */
static void table_collect_budget(struct kunit *test)
{
	struct flows *f = flows_new(test);
	unsigned int budget, n, slices;
	u32 now_j = NOW, sleep_j;
	unsigned long cursor;

	for (budget = 1; budget <= 33; budget += 4) {
		for (n = 0; n < 30; n++)
			flows_send(f, n, UDPTRACK_ORIGINAL, now_j + n % 2);
		now_j += FLOWS_TIMEOUT;
		cursor = 0;
		sleep_j = U32_MAX;
		slices = 1;
		while (!udptrack_table_collect(&f->table, now_j, budget,
					       &cursor, &sleep_j)) {
			KUNIT_ASSERT_LE_MSG(test, ++slices, 31,
					    "budget %u", budget);
		}
		KUNIT_EXPECT_GE_MSG(test, slices, DIV_ROUND_UP(30, budget),
				    "budget %u", budget);
		KUNIT_EXPECT_EQ(test, cursor, 0);
		KUNIT_EXPECT_EQ(test, sleep_j, 1);
		KUNIT_EXPECT_EQ_MSG(test, udptrack_table_count(&f->table), 15,
				    "budget %u", budget);
		udptrack_table_flush(&f->table);
	}
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(table_absent),
	KUNIT_CASE(table_conversation),
	KUNIT_CASE(table_found_without_create),
	KUNIT_CASE(table_self),
	KUNIT_CASE(table_peek),
	KUNIT_CASE(table_related),
	KUNIT_CASE(table_related_found),
	KUNIT_CASE(table_peek_origin),
	KUNIT_CASE(table_expired),
	KUNIT_CASE(table_erase_expired),
	KUNIT_CASE(table_reborn),
	KUNIT_CASE(table_erase),
	KUNIT_CASE(table_get),
	KUNIT_CASE(table_flush),
	KUNIT_CASE(table_accounting),
	KUNIT_CASE(table_accounting_switched),
	KUNIT_CASE(table_near_misses),
	KUNIT_CASE(table_changed_timeouts),
	KUNIT_CASE(table_collect),
	KUNIT_CASE(table_collect_sleep),
	KUNIT_CASE(table_collect_budget),
	{}
};

static struct kunit_suite table_suite = {
	.name = "udptrack_table",
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
