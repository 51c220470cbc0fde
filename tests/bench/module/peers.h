/* SPDX-License-Identifier: GPL-2.0-only */
/* Other tables, for comparison: see peers.c. */
#ifndef UDPTRACK_BENCH_PEERS_H
#define UDPTRACK_BENCH_PEERS_H

#include "walk.h"

int bench_peer(const struct bench_order *order, const u32 *perm,
	       struct bench_result *result);
void bench_peers_exit(void);

#endif
