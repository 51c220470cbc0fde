/* SPDX-License-Identifier: GPL-2.0-only */
/* Where flows are found by their ends: see lines.c. */
#ifndef UDPTRACK_LINES_H
#define UDPTRACK_LINES_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/prefetch.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "tuple.h"

/* Flows in a line. */
#define UDPTRACK_LINE_SLOTS	3

/* As few as there are locks, so that all flows of a line share one. */
#define UDPTRACK_LINES_MIN	64

/*
 * The word of a slot, which says all that a packet of a stream must know:
 *
 *	63 .. 32   jiffies at which the flow is dead
 *	31 .. 28   UDPTRACK_WORD_*
 *	27 ..  0   index of its record, never 0; an empty slot is 0
 */
#define UDPTRACK_WORD_REPLIED	BIT(31)	/* both ends have spoken */
#define UDPTRACK_WORD_STREAM	BIT(30)	/* a packet changes only the time */
#define UDPTRACK_WORD_ACCT	BIT(29)	/* its traffic is being counted */
#define UDPTRACK_WORD_DIGEST	BIT(28)	/* of its ends there is a digest */
#define UDPTRACK_WORD_INDEX	GENMASK(27, 0)

/**
 * struct udptrack_line - a cache line of flows
 * @word:  of each slot
 * @a:     half of the ends of each slot, see struct udptrack_ends
 * @ports: the other half
 * @head:  number of the spare line that goes on with this one, or 0; and
 *         whether its flows have moved, see lines.c
 */
struct udptrack_line {
	u64 word[UDPTRACK_LINE_SLOTS];
	u64 a[UDPTRACK_LINE_SLOTS];
	u32 ports[UDPTRACK_LINE_SLOTS];
	u32 head;
} __aligned(64);

/**
 * struct udptrack_ends - a key, as short as lines keep it
 * @a:     IPv4: both addresses; IPv6: a keyed digest of the whole key
 * @ports: both ports
 * @hash:  selects the line, and the lock
 */
struct udptrack_ends {
	u64 a;
	u32 ports;
	u32 hash;
};

/**
 * struct udptrack_gen - an array of lines; the next one takes its place
 * @mask:  number of lines - 1
 * @lines: the lines
 * @next:  where flows move to, or have moved
 * @free_work: frees it when they have
 * @lock:  of all below
 * @free:  number of a spare line in use by nobody, whose head has the next one
 * @pages: of spare lines there are
 * @pages_usual: of spare lines there may be
 * @pages_max: ... when others are on their way here
 * @spare: pages of spare lines
 */
struct udptrack_gen {
	u32 mask;
	struct udptrack_line *lines;
	struct udptrack_gen *next;
	struct rcu_work free_work;
	spinlock_t lock; /* what comes now */
	u32 free;
	u32 pages;
	u32 pages_usual;
	u32 pages_max;
	struct udptrack_line *spare[];
};

/**
 * struct udptrack_lines - the lines of a table
 * @gen:    those in use
 * @resize: held by who replaces them, or walks through all of them in a
 *          process
 */
struct udptrack_lines {
	struct udptrack_gen __rcu *gen;
	struct mutex resize; /* replacing them */
};

/**
 * struct udptrack_slot - where a flow is
 * @line: the line
 * @i:    which of its slots
 */
struct udptrack_slot {
	struct udptrack_line *line;
	unsigned int i;
};

extern hsiphash_key_t udptrack_ends_hash_key;

/* Where tables are resized. */
extern struct workqueue_struct *udptrack_lines_wq;

struct udptrack_flow_lock {
	spinlock_t lock; /* flows of many lines, see udptrack_flow_lock() */
} ____cacheline_aligned_in_smp;

extern struct udptrack_flow_lock udptrack_flow_locks[UDPTRACK_LINES_MIN];

/**
 * udptrack_flow_lock - the lock of all flows whose line this hash selects
 * @hash: the hash
 *
 * Taken with bottom halves off. No two are held at once.
 *
 * Context: any.
 * Return: the lock.
 */
static inline spinlock_t *udptrack_flow_lock(u32 hash)
{
	return &udptrack_flow_locks[hash % UDPTRACK_LINES_MIN].lock;
}

static inline u32 udptrack_word_expires(u64 word)
{
	return word >> 32;
}

static inline u32 udptrack_word_index(u64 word)
{
	return word & UDPTRACK_WORD_INDEX;
}

static inline u64 udptrack_word(u32 expires_j, u32 flags_and_index)
{
	return (u64)expires_j << 32 | flags_and_index;
}

int udptrack_lines_module_init(void);
void udptrack_lines_module_exit(void);
void udptrack_lines_init(struct udptrack_lines *lines);
void udptrack_lines_destroy(struct udptrack_lines *lines);
void udptrack_lines_digest(const struct udptrack_key *key,
			   struct udptrack_ends *ends);
void udptrack_lines_key(u64 a, u32 ports, struct udptrack_key *key);
u64 *udptrack_lines_look_on(struct udptrack_gen *gen,
			    const struct udptrack_ends *ends, u64 *word,
			    bool *sure);
u64 udptrack_lines_find(const struct udptrack_lines *lines,
			const struct udptrack_ends *ends,
			struct udptrack_slot *slot);
u64 udptrack_lines_find_index(const struct udptrack_lines *lines, u32 hash,
			      u32 index, struct udptrack_slot *slot);
int udptrack_lines_open(struct udptrack_lines *lines);
bool udptrack_lines_insert(struct udptrack_lines *lines,
			   const struct udptrack_ends *ends, u64 word,
			   struct udptrack_slot *slot);
bool udptrack_lines_wrong_size(const struct udptrack_lines *lines,
			       unsigned int flows);
int udptrack_lines_resize(struct udptrack_lines *lines, unsigned int flows);
u32 udptrack_lines_number(const struct udptrack_lines *lines);
struct udptrack_line *udptrack_lines_at(const struct udptrack_lines *lines,
					u32 n, const struct udptrack_gen **gen);
struct udptrack_line *udptrack_lines_rest(const struct udptrack_gen *gen,
					  const struct udptrack_line *line);

static inline u32 udptrack_ends_ports(const struct udptrack_key *key)
{
	return (__force u32)key->port[0] << 16 | (__force u32)key->port[1];
}

static inline struct udptrack_line *
udptrack_gen_line(const struct udptrack_gen *gen, u32 hash)
{
	return &gen->lines[hash & gen->mask];
}

/**
 * udptrack_lines_ends - shorten a key
 * @key:  the key
 * @ends: filled in
 *
 * Context: any.
 */
static __always_inline void udptrack_lines_ends(const struct udptrack_key *key,
						struct udptrack_ends *ends)
{
	u32 lower = (__force u32)key->addr[0].ip;
	u32 higher = (__force u32)key->addr[1].ip;

	if (key->family != NFPROTO_IPV4) {
		udptrack_lines_digest(key, ends);
		return;
	}
	ends->a = (u64)lower << 32 | higher;
	ends->ports = udptrack_ends_ports(key);
	ends->hash = hsiphash_3u32(lower, higher, ends->ports,
				   &udptrack_ends_hash_key);
}

/**
 * udptrack_line_find - look for a flow in a single line
 * @line: the line
 * @ends: its ends
 * @word: set to its word
 *
 * Context: under rcu_read_lock().
 * Return: where the word is, or NULL.
 */
static __always_inline u64 *udptrack_line_find(struct udptrack_line *line,
					       const struct udptrack_ends *ends,
					       u64 *word)
{
	unsigned int i;
	u64 seen;

	for (i = 0; i < UDPTRACK_LINE_SLOTS; i++) {
		/* Pairs with the release in chain_insert(). */
		seen = smp_load_acquire(&line->word[i]);
		if (READ_ONCE(line->a[i]) == ends->a &&
		    READ_ONCE(line->ports[i]) == ends->ports && seen) {
			*word = seen;
			return &line->word[i];
		}
	}
	return NULL;
}

/**
 * udptrack_lines_look - look for a flow without its lock
 * @lines: the lines
 * @ends:  its ends
 * @word:  set to its word
 * @sure:  set to whether there is none, when NULL is returned: else only who
 *         looks under the lock knows
 *
 * The word is of the flow with these ends only as long as it is there still:
 * read it again, or replace it by cmpxchg.
 *
 * Context: under rcu_read_lock().
 * Return: where its word is, or NULL.
 */
static __always_inline u64 *
udptrack_lines_look(const struct udptrack_lines *lines,
		    const struct udptrack_ends *ends, u64 *word, bool *sure)
{
	struct udptrack_gen *gen = rcu_dereference(lines->gen);
	u64 *where;

	where = udptrack_line_find(udptrack_gen_line(gen, ends->hash), ends,
				   word);
	if (unlikely(!where))
		where = udptrack_lines_look_on(gen, ends, word, sure);
	return where;
}

/**
 * udptrack_lines_prefetch - have the line of a hash near
 * @lines: the lines
 * @hash:  the hash
 *
 * Context: under rcu_read_lock().
 */
static inline void udptrack_lines_prefetch(const struct udptrack_lines *lines,
					   u32 hash)
{
	prefetch(udptrack_gen_line(rcu_dereference(lines->gen), hash));
}

#endif
