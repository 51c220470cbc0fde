// SPDX-License-Identifier: GPL-2.0-only
/*
 * lines - where flows are found by their ends.
 *
 * Owns an array of cache lines for each table. A keyed hash of the ends selects
 * a line, which has three slots: what a packet of a stream must know of a flow
 * (when it is dead, a few flags, the index of its record) lies beside its ends
 * in the one line that its hash selects, so that such a packet touches no other.
 * A line that is full goes on in a spare line. Of IPv4 the ends are there as
 * they are; of IPv6, a digest of 64 bits under a secret key and the ports: that
 * two live flows of a host share these happens once in 2^64 pairs, and nobody
 * can bring it about.
 *
 * Who may do what. A slot's word is 0 as long as it is empty. The flows of a
 * line, of its spare lines, and of the lines that they move to share a lock,
 * which the low bits of the hash select. Only who holds it fills or empties a
 * slot, or changes a flag in a word. Without it, under rcu_read_lock(), anybody
 * may look, and may replace a word by the same with a later time (cmpxchg).
 *
 * Why that is right. The ends are written before the word (release), and read
 * after it (acquire). The index in the word is of one flow for as long as
 * anybody can look: it is not used again before an RCU grace period is over.
 * So whoever has read a word, then the ends, and then finds the same word still
 * there, has seen the ends of that flow; and who replaces the word by cmpxchg
 * has refreshed this flow and no other, however often the slot was emptied and
 * filled meanwhile. Whoever fails looks again.
 *
 * The array is replaced by a larger or a smaller one, the next generation, line
 * by line, while packets pass. Under the lock of a line each of its flows is
 * taken out of the old one with xchg(), time and all, and put into the new one;
 * then a mark in the line's head says that its flows have moved. For a moment a
 * flow is in neither; so while there is a next generation, whoever found nothing
 * in an unmarked line without the lock must look again with it
 * (udptrack_lines_look() says so). When all have moved, nobody new comes to the
 * old generation; it is freed after a grace period. Meanwhile the next may have
 * one after it: whoever comes from the oldest follows the marks. Who resizes
 * holds udptrack_lines.resize.
 *
 * A table that has not seen a packet shares an empty generation with all
 * others.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "lines.h"

#define ALLOC_FLAGS	(GFP_ATOMIC | __GFP_NOWARN)

/* In a line's head: its flows are in the next generation. */
#define HEAD_MOVED	BIT(31)
#define HEAD_SPARE	(~HEAD_MOVED)

/* kvmalloc() gives no more than INT_MAX bytes. */
#define LINES_MAX	BIT(24)

#define SPARES_OF_A_PAGE	(PAGE_SIZE / sizeof(struct udptrack_line))
/*
 * Spare lines there may be for each line, and pages of them in even the smallest
 * generation: enough for what comes until the worker gets its turn to make a
 * larger one.
 */
#define SPARES_OF_A_LINE	2
#define PAGES_MIN		256

struct udptrack_flow_lock udptrack_flow_locks[UDPTRACK_LINES_MIN];

static siphash_key_t ends_key __read_mostly;
hsiphash_key_t udptrack_ends_hash_key __read_mostly;

struct workqueue_struct *udptrack_lines_wq __read_mostly;

static struct udptrack_line no_line;
static struct udptrack_gen no_gen = { .lines = &no_line };

/**
 * udptrack_lines_module_init - what all tables share
 *
 * Context: process, once.
 * Return: 0 or -ENOMEM.
 */
int udptrack_lines_module_init(void)
{
	unsigned int i;

	BUILD_BUG_ON(sizeof(struct udptrack_line) != 64);
	get_random_bytes(&ends_key, sizeof(ends_key));
	get_random_bytes(&udptrack_ends_hash_key,
			 sizeof(udptrack_ends_hash_key));
	for (i = 0; i < UDPTRACK_LINES_MIN; i++)
		spin_lock_init(&udptrack_flow_locks[i].lock);
	udptrack_lines_wq = alloc_workqueue("udptrack_lines", WQ_UNBOUND, 0);
	return udptrack_lines_wq ? 0 : -ENOMEM;
}

/**
 * udptrack_lines_module_exit - undo udptrack_lines_module_init()
 *
 * Waits for generations that are still on their way through RCU.
 *
 * Context: process, after the last table is gone.
 */
void udptrack_lines_module_exit(void)
{
	rcu_barrier();
	destroy_workqueue(udptrack_lines_wq);
}

static void gen_free(struct udptrack_gen *gen)
{
	u32 i;

	if (gen == &no_gen)
		return;
	for (i = 0; i < gen->pages; i++)
		kfree(gen->spare[i]);
	kvfree(gen->lines);
	kvfree(gen);
}

static void gen_free_work(struct work_struct *work)
{
	gen_free(container_of(to_rcu_work(work), struct udptrack_gen,
			      free_work));
}

/* With @moving pages of spare lines more for a move, if need be. */
static struct udptrack_gen *gen_alloc(u32 n, u32 moving, gfp_t gfp)
{
	u32 pages_usual = max_t(u32, PAGES_MIN, n / SPARES_OF_A_PAGE *
						SPARES_OF_A_LINE);
	u32 pages_max = pages_usual + moving;
	struct udptrack_gen *gen;

	if (gfpflags_allow_blocking(gfp)) {
		gen = kvzalloc(struct_size(gen, spare, pages_max), gfp);
		if (!gen)
			return NULL;
		gen->lines = kvcalloc(n, sizeof(*gen->lines), gfp);
	} else {
		gen = kzalloc(struct_size(gen, spare, pages_max), gfp);
		if (!gen)
			return NULL;
		gen->lines = kcalloc(n, sizeof(*gen->lines), gfp);
	}
	if (!gen->lines) {
		kvfree(gen);
		return NULL;
	}
	gen->mask = n - 1;
	gen->pages_usual = pages_usual;
	gen->pages_max = pages_max;
	spin_lock_init(&gen->lock);
	return gen;
}

/* Spare line @number, which counts from 1. */
static struct udptrack_line *gen_spare(const struct udptrack_gen *gen,
				       u32 number)
{
	number--;
	/* Set before the number was given out. */
	return &READ_ONCE(gen->spare[number / SPARES_OF_A_PAGE])
			[number % SPARES_OF_A_PAGE];
}

/* Have a page of spare lines more, unless there are @max. */
static bool gen_add_spares(struct udptrack_gen *gen, u32 max, gfp_t gfp)
{
	struct udptrack_line *page = kzalloc(PAGE_SIZE, gfp);
	u32 i, number;

	if (!page)
		return false;
	spin_lock_bh(&gen->lock);
	if (gen->pages >= max) {
		spin_unlock_bh(&gen->lock);
		kfree(page);
		return false;
	}
	WRITE_ONCE(gen->spare[gen->pages], page);
	number = gen->pages++ * SPARES_OF_A_PAGE;
	for (i = 0; i < SPARES_OF_A_PAGE; i++) {
		page[i].head = gen->free;
		gen->free = number + i + 1;
	}
	spin_unlock_bh(&gen->lock);
	return true;
}

/* Number of an empty spare line that nobody uses, or 0. */
static u32 gen_get_spare(struct udptrack_gen *gen)
{
	struct udptrack_line *line;
	u32 number;

	spin_lock_bh(&gen->lock);
	number = gen->free;
	if (number) {
		line = gen_spare(gen, number);
		gen->free = line->head;
		line->head = 0;
	}
	spin_unlock_bh(&gen->lock);
	return number;
}

static void gen_put_spare(struct udptrack_gen *gen, u32 number)
{
	spin_lock_bh(&gen->lock);
	gen_spare(gen, number)->head = gen->free;
	gen->free = number;
	spin_unlock_bh(&gen->lock);
}

/*
 * The spare lines that a move may take, a list by their heads: under the lock
 * there is no waiting for memory.
 */
struct stash {
	struct udptrack_gen *gen;
	u32 first;
	u32 count;
};

static bool stash_fill(struct stash *stash, u32 want)
{
	u32 number;

	while (stash->count < want) {
		number = gen_get_spare(stash->gen);
		if (!number) {
			/* Flows on their way must go somewhere. */
			if (!gen_add_spares(stash->gen,
					    stash->gen->pages_max,
					    GFP_KERNEL | __GFP_NOFAIL))
				return false;
			continue;
		}
		gen_spare(stash->gen, number)->head = stash->first;
		stash->first = number;
		stash->count++;
	}
	return true;
}

static u32 stash_take(struct stash *stash)
{
	struct udptrack_line *line;
	u32 number = stash->first;

	line = gen_spare(stash->gen, number);
	stash->first = line->head;
	stash->count--;
	line->head = 0;
	return number;
}

static void stash_empty(struct stash *stash)
{
	while (stash->count)
		gen_put_spare(stash->gen, stash_take(stash));
}

/**
 * udptrack_lines_rest - the spare line that goes on with a line
 * @gen:  its generation
 * @line: the line
 *
 * Context: under rcu_read_lock().
 * Return: a line, or NULL at the end.
 */
struct udptrack_line *udptrack_lines_rest(const struct udptrack_gen *gen,
					  const struct udptrack_line *line)
{
	/* Pairs with the release in chain_insert(). */
	u32 number = smp_load_acquire(&line->head) & HEAD_SPARE;

	return unlikely(number) ? gen_spare(gen, number) : NULL;
}

/* The generation to which the flows of a hash have moved by now. */
static struct udptrack_gen *gen_after(struct udptrack_gen *gen, u32 hash)
{
	/* Pairs with the release in chain_move(). */
	while (unlikely(smp_load_acquire(&udptrack_gen_line(gen, hash)->head) &
			HEAD_MOVED))
		gen = READ_ONCE(gen->next);
	return gen;
}

/* A digest is as good as its hash. */
static u32 ends_hash(const struct udptrack_ends *ends, bool is_digest)
{
	return is_digest ? ends->a : hsiphash_3u32(ends->a >> 32, ends->a,
						   ends->ports,
						   &udptrack_ends_hash_key);
}

/* Look for a flow from @line on. */
static u64 *chain_find(const struct udptrack_gen *gen,
		       struct udptrack_line *line,
		       const struct udptrack_ends *ends, u64 *word)
{
	u64 *where = NULL;

	for (; line && !where; line = udptrack_lines_rest(gen, line))
		where = udptrack_line_find(line, ends, word);
	return where;
}

static u64 chain_find_index(const struct udptrack_gen *gen, u32 hash,
			    u32 index, struct udptrack_slot *slot)
{
	struct udptrack_line *line = udptrack_gen_line(gen, hash);
	unsigned int i;
	u64 word;

	do {
		for (i = 0; i < UDPTRACK_LINE_SLOTS; i++) {
			word = READ_ONCE(line->word[i]);
			if (word && udptrack_word_index(word) == index) {
				slot->line = line;
				slot->i = i;
				return word;
			}
		}
		line = udptrack_lines_rest(gen, line);
	} while (line);
	return 0;
}

/*
 * Fill an empty slot. When there is none, a spare line is put to use, from the
 * stash if there is one. False when no more is to be had. Under the lock.
 */
static bool chain_insert(struct udptrack_gen *gen,
			 const struct udptrack_ends *ends, u64 word,
			 struct stash *stash, struct udptrack_slot *slot)
{
	struct udptrack_line *line = udptrack_gen_line(gen, ends->hash), *last;
	unsigned int i;
	u32 number = 0;

	do {
		for (i = 0; i < UDPTRACK_LINE_SLOTS; i++)
			if (!READ_ONCE(line->word[i]))
				goto fill;
		last = line;
		line = udptrack_lines_rest(gen, line);
	} while (line);

	number = stash ? stash_take(stash) : gen_get_spare(gen);
	if (!number && gen_add_spares(gen, gen->pages_usual, ALLOC_FLAGS))
		number = gen_get_spare(gen);
	if (!number)
		return false;
	line = gen_spare(gen, number);
	i = 0;
fill:
	WRITE_ONCE(line->a[i], ends->a);
	WRITE_ONCE(line->ports[i], ends->ports);
	/* Pairs with the acquire in udptrack_line_find(). */
	smp_store_release(&line->word[i], word);
	if (number)
		/* Pairs with the acquire in udptrack_lines_rest(). */
		smp_store_release(&last->head, last->head | number);
	slot->line = line;
	slot->i = i;
	return true;
}

/**
 * udptrack_lines_init - make lines for a table that has no flows
 * @lines: memory for it
 *
 * Context: process. It takes no memory before udptrack_lines_open().
 */
void udptrack_lines_init(struct udptrack_lines *lines)
{
	RCU_INIT_POINTER(lines->gen, &no_gen);
	mutex_init(&lines->resize);
}

/**
 * udptrack_lines_destroy - free the lines of a table that nobody uses any more
 * @lines: the lines
 *
 * Context: process; may sleep.
 */
void udptrack_lines_destroy(struct udptrack_lines *lines)
{
	gen_free(rcu_dereference_protected(lines->gen, true));
	mutex_destroy(&lines->resize);
}

/**
 * udptrack_lines_open - have lines to put a flow into
 * @lines: the lines
 *
 * Context: process or softirq. Nothing to do but for the first flow.
 * Return: 0 or -ENOMEM.
 */
int udptrack_lines_open(struct udptrack_lines *lines)
{
	struct udptrack_gen *gen;

	if (likely(rcu_access_pointer(lines->gen) != &no_gen))
		return 0;
	gen = gen_alloc(UDPTRACK_LINES_MIN, 0, ALLOC_FLAGS);
	if (!gen)
		return -ENOMEM;
	/* Of two who come first, one is the first. */
	if (cmpxchg((struct udptrack_gen __force **)&lines->gen, &no_gen,
		    gen) != &no_gen)
		gen_free(gen);
	return 0;
}

/**
 * udptrack_lines_digest - the short form of a key that is too long for it
 * @key:  the key
 * @ends: filled in
 *
 * Context: any.
 */
void udptrack_lines_digest(const struct udptrack_key *key,
			   struct udptrack_ends *ends)
{
	ends->a = siphash(key, sizeof(*key), &ends_key);
	ends->ports = udptrack_ends_ports(key);
	ends->hash = ends_hash(ends, true);
}

/**
 * udptrack_lines_key - the key of ends, if they are no digest
 * @a:     see struct udptrack_ends
 * @ports: likewise
 * @key:   filled in
 *
 * Context: any.
 */
void udptrack_lines_key(u64 a, u32 ports, struct udptrack_key *key)
{
	memset(key, 0, sizeof(*key));
	key->addr[0].ip = (__force __be32)(u32)(a >> 32);
	key->addr[1].ip = (__force __be32)(u32)a;
	key->port[0] = (__force __be16)(ports >> 16);
	key->port[1] = (__force __be16)ports;
	key->family = NFPROTO_IPV4;
}

/**
 * udptrack_lines_look_on - udptrack_lines_look(), where the first line fails
 * @gen:  the lines in use
 * @ends: as there
 * @word: as there
 * @sure: as there
 *
 * Context: as there.
 * Return: as there.
 */
u64 *udptrack_lines_look_on(struct udptrack_gen *gen,
			    const struct udptrack_ends *ends, u64 *word,
			    bool *sure)
{
	struct udptrack_line *line = udptrack_gen_line(gen, ends->hash);
	struct udptrack_gen *last;
	u64 *where;

	/* The caller has seen what is in the first. */
	line = udptrack_lines_rest(gen, line);
	for (;;) {
		where = chain_find(gen, line, ends, word);
		if (where)
			return where;
		last = gen;
		gen = gen_after(gen, ends->hash);
		if (gen == last)
			break;
		line = udptrack_gen_line(gen, ends->hash);
	}
	/* Pairs with the release in gen_move(). */
	smp_rmb();
	*sure = !READ_ONCE(gen->next);
	return NULL;
}

/* The generation in which the flows of a hash are. Under the lock. */
static struct udptrack_gen *gen_of(const struct udptrack_lines *lines, u32 hash)
{
	lockdep_assert_held(udptrack_flow_lock(hash));
	return gen_after(rcu_dereference(lines->gen), hash);
}

/**
 * udptrack_lines_find - look for a flow
 * @lines: the lines
 * @ends:  its ends
 * @slot:  where it is
 *
 * Context: under the lock of its hash, and rcu_read_lock().
 * Return: its word, or 0.
 */
u64 udptrack_lines_find(const struct udptrack_lines *lines,
			const struct udptrack_ends *ends,
			struct udptrack_slot *slot)
{
	const struct udptrack_gen *gen = gen_of(lines, ends->hash);
	u64 word, *where;

	where = chain_find(gen, udptrack_gen_line(gen, ends->hash), ends,
			   &word);
	if (!where)
		return 0;
	/* Words come first in a line. */
	BUILD_BUG_ON(offsetof(struct udptrack_line, word));
	slot->line = PTR_ALIGN_DOWN((struct udptrack_line *)where,
				    sizeof(struct udptrack_line));
	slot->i = where - slot->line->word;
	return word;
}

/**
 * udptrack_lines_find_index - look for a flow by the index of its record
 * @lines: the lines
 * @hash:  its hash, or anything else if it is gone
 * @index: the index
 * @slot:  where it is
 *
 * Context: under the lock of its hash, and rcu_read_lock().
 * Return: its word, or 0.
 */
u64 udptrack_lines_find_index(const struct udptrack_lines *lines, u32 hash,
			      u32 index, struct udptrack_slot *slot)
{
	return chain_find_index(gen_of(lines, hash), hash, index, slot);
}

/**
 * udptrack_lines_insert - put a flow in
 * @lines: opened with udptrack_lines_open()
 * @ends:  its ends, which no flow in there has
 * @word:  its word
 * @slot:  set to where it is
 *
 * Context: under the lock of its hash, and rcu_read_lock().
 * Return: false when there is no memory for it.
 */
bool udptrack_lines_insert(struct udptrack_lines *lines,
			   const struct udptrack_ends *ends, u64 word,
			   struct udptrack_slot *slot)
{
	return chain_insert(gen_of(lines, ends->hash), ends, word, NULL, slot);
}

/* How many lines for so many flows. */
static u32 lines_for(u32 now, unsigned int flows)
{
	u32 n = now;

	/* More than 2.5 in each: on average, 0.4 of these in spare lines. */
	if (flows > n / 2 * 5)
		n = min_t(u32, roundup_pow_of_two(DIV_ROUND_UP(flows, 2)),
			  LINES_MAX);
	else if (flows < n / 2)
		n = max_t(u32, roundup_pow_of_two(max(flows, 1U)),
			  UDPTRACK_LINES_MIN);
	return n;
}

/**
 * udptrack_lines_wrong_size - are there too few, or too many?
 * @lines: the lines
 * @flows: so many are there
 *
 * Context: any.
 * Return: true when it is worth to call udptrack_lines_resize().
 */
bool udptrack_lines_wrong_size(const struct udptrack_lines *lines,
			       unsigned int flows)
{
	const struct udptrack_gen *gen;
	bool wrong;
	u32 n;

	rcu_read_lock();
	gen = rcu_dereference(lines->gen);
	n = gen->mask + 1;
	wrong = gen != &no_gen && !READ_ONCE(gen->next) &&
		((n < LINES_MAX && flows > n / 2 * 5) ||
		 (n > UDPTRACK_LINES_MIN && flows < n / 2));
	rcu_read_unlock();
	return wrong;
}

static u32 chain_length(const struct udptrack_gen *gen,
			const struct udptrack_line *line)
{
	u32 n = 0;

	do {
		n++;
		line = udptrack_lines_rest(gen, line);
	} while (line);
	return n;
}

/*
 * Move the flows of line @n. Under its lock, with a stash that is large enough
 * if each flow needs a line.
 */
static void chain_move(struct udptrack_gen *from, u32 n, struct stash *stash)
{
	struct udptrack_line *line = &from->lines[n];
	struct udptrack_ends ends;
	struct udptrack_slot slot;
	unsigned int i;
	u64 word;

	do {
		for (i = 0; i < UDPTRACK_LINE_SLOTS; i++) {
			if (!READ_ONCE(line->word[i]))
				continue;
			ends.a = line->a[i];
			ends.ports = line->ports[i];
			/* Once it is out, nobody refreshes it here. */
			word = xchg(&line->word[i], 0);
			ends.hash = ends_hash(&ends,
					      word & UDPTRACK_WORD_DIGEST);
			chain_insert(stash->gen, &ends, word, stash, &slot);
		}
		line = udptrack_lines_rest(from, line);
	} while (line);
	line = &from->lines[n];
	/* Pairs with the acquire in gen_after(). */
	smp_store_release(&line->head, line->head | HEAD_MOVED);
}

static void gen_move(struct udptrack_gen *from, struct udptrack_gen *to)
{
	struct stash stash = { .gen = to };
	u32 n, want;

	/* Pairs with the barrier in udptrack_lines_look_on(). */
	smp_store_release(&from->next, to);
	for (n = 0; n <= from->mask; n++) {
		spinlock_t *lock = udptrack_flow_lock(n);

		for (;;) {
			rcu_read_lock();
			spin_lock_bh(lock);
			want = UDPTRACK_LINE_SLOTS *
			       chain_length(from, &from->lines[n]);
			if (want <= stash.count)
				break;
			spin_unlock_bh(lock);
			rcu_read_unlock();
			if (WARN_ON_ONCE(!stash_fill(&stash, want)))
				return;
		}
		chain_move(from, n, &stash);
		spin_unlock_bh(lock);
		rcu_read_unlock();
		cond_resched();
	}
	stash_empty(&stash);
}

/**
 * udptrack_lines_resize - have as many lines as it takes
 * @lines: the lines
 * @flows: so many are there
 *
 * Packets pass meanwhile; each is held up for as long as it takes to move the
 * flows of one line, at most.
 *
 * Context: process; may sleep. With lines->resize held.
 * Return: 0, or -ENOMEM, and all is as it was.
 */
int udptrack_lines_resize(struct udptrack_lines *lines, unsigned int flows)
{
	struct udptrack_gen *old, *new;
	u32 n, pages;

	lockdep_assert_held(&lines->resize);
	old = rcu_dereference_protected(lines->gen,
					lockdep_is_held(&lines->resize));
	if (old == &no_gen)
		return 0;
	n = lines_for(old->mask + 1, flows);
	if (n == old->mask + 1)
		return 0;
	/* What is in @old goes in, if every flow needs a line of its own. */
	pages = (old->mask + 1) / SPARES_OF_A_PAGE +
		max(READ_ONCE(old->pages), old->pages_usual);
	new = gen_alloc(n, UDPTRACK_LINE_SLOTS * pages,
			GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!new)
		return -ENOMEM;
	gen_move(old, new);
	rcu_assign_pointer(lines->gen, new);
	INIT_RCU_WORK(&old->free_work, gen_free_work);
	queue_rcu_work(udptrack_lines_wq, &old->free_work);
	return 0;
}

/**
 * udptrack_lines_number - how many lines are there?
 * @lines: the lines
 *
 * Context: any.
 * Return: their number, 1 before there are any.
 */
u32 udptrack_lines_number(const struct udptrack_lines *lines)
{
	u32 n;

	rcu_read_lock();
	n = rcu_dereference(lines->gen)->mask + 1;
	rcu_read_unlock();
	return n;
}

/**
 * udptrack_lines_at - a line by its number
 * @lines: the lines
 * @n:     any number
 * @gen:   set to its generation
 *
 * Who goes through all numbers sees every flow that is there all the time, if
 * the lines are not resized meanwhile; else some, or some twice.
 *
 * Context: under rcu_read_lock().
 * Return: the line.
 */
struct udptrack_line *udptrack_lines_at(const struct udptrack_lines *lines,
					u32 n, const struct udptrack_gen **gen)
{
	*gen = gen_after(rcu_dereference(lines->gen), n);
	return udptrack_gen_line(*gen, n);
}
