/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks that a packet passes: see path.c. */
#ifndef UDPTRACK_BENCH_PATH_H
#define UDPTRACK_BENCH_PATH_H

#include <linux/netfilter.h>

#include "order.h"

/* Hooks on the way of a packet that this host sends or gets. */
#define BENCH_STAGES	2

/**
 * struct bench_stage - a hook on the way
 * @entries: the tracker's functions there, in order, or NULL for none
 * @state:   what they are told
 */
struct bench_stage {
	struct nf_hook_entries *entries;
	struct nf_hook_state state;
};

/**
 * struct bench_path - the hooks between a socket and a device
 * @stage: in the order in which they are passed
 */
struct bench_path {
	struct bench_stage stage[BENCH_STAGES];
};

int bench_path_init(struct bench_path *path, const struct bench_order *order,
		    bool in, struct net *net, struct net_device *dev,
		    struct sock *sk);
void bench_path_free(struct bench_path *path);

#endif
