/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet after packet through a path: see walk.c. */
#ifndef UDPTRACK_BENCH_WALK_H
#define UDPTRACK_BENCH_WALK_H

#include <linux/net.h>
#include <linux/netdevice.h>

#include "order.h"

/**
 * struct bench_result - what was found
 * @ns:      time it took
 * @packets: sent
 * @dropped: by a hook
 * @ct:      packets by what nf_conntrack said of them (ip_conntrack_info)
 * @worst_ns: longest that one took, when each was timed; or the longest that
 *           bench_nap() had to wait
 * @second_ns: the second longest
 * @over:    how many took longer than BENCH_STALL_NS
 * @busy_ns: time that others had the processor
 */
struct bench_result {
	u64 ns;
	u64 packets;
	u64 dropped;
	u64 ct[8];
	u64 worst_ns;
	u64 second_ns;
	u64 over;
	u64 busy_ns;
};

#define BENCH_STALL_NS	100000

void bench_result_worst(struct bench_result *result, u64 ns);
int bench_walk(const struct bench_order *order, struct net *net,
	       struct net_device *dev, struct sock *sk, const u32 *perm,
	       unsigned int from, struct bench_result *result);
int bench_race(const struct bench_order *order, struct net *net,
	       struct net_device *dev, const u32 *perm,
	       struct bench_result *result);
void bench_spin(const struct bench_order *order, struct bench_result *result);
void bench_nap(const struct bench_order *order, struct bench_result *result);

#endif
