/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to be measured: see order.c. */
#ifndef UDPTRACK_BENCH_ORDER_H
#define UDPTRACK_BENCH_ORDER_H

#include <linux/types.h>

/* Who meets the packets. */
enum bench_tracker {
	BENCH_NONE,		/* nobody: what the loop itself takes */
	BENCH_CONNTRACK,
	BENCH_UDPTRACK,
	BENCH_RHASHTABLE,
	BENCH_LRU_MAP,
};

enum bench_dir {
	BENCH_OUT,
	BENCH_IN,
	BENCH_PAIR,		/* out, then in: a question and its answer */
};

/**
 * struct bench_order - one measurement
 * @tracker:  enum bench_tracker
 * @dir:      enum bench_dir
 * @family:   4 or 6
 * @tcp:      TCP packets instead of UDP ones
 * @dns:      they carry DNS messages
 * @first:    number of the first flow
 * @flows:    how many there are
 * @count:    packets, or pairs, to send; the flows again and again
 * @seed:     of the random order of the flows; 0: one after the other
 * @lport:    port of this host
 * @rport:    port of the others
 * @fd:       of the caller's UDP socket that sends, or of the map; -1 for none
 * @each:     time every packet on its own, which takes time itself
 * @threads:  so many threads at once, each on a processor; 0: the caller
 * @spin_ms:  send nothing, see for so long how much others take of the processor
 * @nap_ms:   send nothing, see for so long how late one comes that goes first
 * @conntrack: turn nf_conntrack on here (1) or off (2)
 */
struct bench_order {
	unsigned int tracker;
	unsigned int dir;
	unsigned int family;
	unsigned int tcp;
	unsigned int dns;
	unsigned int first;
	unsigned int flows;
	unsigned int count;
	unsigned int seed;
	unsigned int lport;
	unsigned int rport;
	unsigned int each;
	unsigned int threads;
	unsigned int spin_ms;
	unsigned int nap_ms;
	unsigned int conntrack;
	int fd;
};

int bench_order_parse(char *text, struct bench_order *order);

#endif
