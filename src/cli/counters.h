/* SPDX-License-Identifier: GPL-2.0-only */
/* The tracker's counters: see stats.c. */
#ifndef UDPTRACK_CLI_COUNTERS_H
#define UDPTRACK_CLI_COUNTERS_H

#include "nl.h"
#include "../../include/uapi/linux/udptrack.h"

/* Answers are counted by the time they took, in powers of two microseconds. */
#define COUNTERS_TOOK_MAX	64

/**
 * struct counters - what was counted
 * @stats:  by UDPTRACK_A_STATS_*
 * @dns:    by UDPTRACK_A_DNS_STATS_*, but for _TOOK
 * @took:   answers that took less than 1 us, 2 us, 4 us and so on; the last
 *          number counts longer ones
 * @n_took: how many there are of these
 */
struct counters {
	unsigned long long stats[UDPTRACK_A_STATS_MAX + 1];
	unsigned long long dns[UDPTRACK_A_DNS_STATS_MAX + 1];
	unsigned long long took[COUNTERS_TOOK_MAX];
	unsigned int n_took;
};

int counters_read(struct nl *nl, struct counters *counters);
int counters_read_stats(struct nl *nl, struct counters *counters);

#endif
