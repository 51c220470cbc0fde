// SPDX-License-Identifier: GPL-2.0-only
/*
 * path - the hooks of one tracker, as the stack would pass them.
 *
 * udptrack is in every network namespace, and where nf_conntrack is too, both
 * stand at the same hooks, as may others (AppArmor's at NF_INET_POST_ROUTING). So
 * a path has its own lists of hook functions: the tracker's and what it brings
 * along (the defragmenters), in their order.
 *
 * Owns these lists. Made in process context; the functions stay where they are,
 * because neither tracker goes away while an order is carried out: the caller's
 * namespace has it, and modules are not unloaded meanwhile.
 */
#include <linux/kallsyms.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "path.h"

/* Is it the tracker's own? Without such there is nothing to measure. */
static bool is_own(nf_hookfn *hook, unsigned int tracker)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", hook);
	if (tracker == BENCH_UDPTRACK)
		return strstr(name, "[udptrack]");
	return strstr(name, "conntrack") || strstr(name, "nf_confirm");
}

static bool is_wanted(nf_hookfn *hook, unsigned int tracker)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", hook);
	return is_own(hook, tracker) || strstr(name, "defrag");
}

static int copy_entries(struct bench_stage *stage,
			const struct nf_hook_entries *all, unsigned int tracker)
{
	struct nf_hook_entries *some;
	int i, n = 0, own = 0;

	if (!all)
		return 0;
	some = kzalloc(struct_size(some, hooks, all->num_hook_entries),
		       GFP_KERNEL);
	if (!some)
		return -ENOMEM;
	for (i = 0; i < all->num_hook_entries; i++) {
		if (!is_wanted(all->hooks[i].hook, tracker))
			continue;
		some->hooks[n++] = all->hooks[i];
		own += is_own(all->hooks[i].hook, tracker);
	}
	some->num_hook_entries = n;
	if (n)
		stage->entries = some;
	else
		kfree(some);
	return own;
}

/**
 * bench_path_init - find the hooks
 * @path:  filled in
 * @order: whose, and of which family
 * @in:    of packets to this host
 * @net:   the network namespace
 * @dev:   the device
 * @sk:    the socket that sends, or NULL
 *
 * Context: process; may sleep.
 * Return: 0, -ENOENT when the tracker has no hook there, or -ENOMEM.
 */
int bench_path_init(struct bench_path *path, const struct bench_order *order,
		    bool in, struct net *net, struct net_device *dev,
		    struct sock *sk)
{
	static const u8 out_hooks[] = { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING };
	static const u8 in_hooks[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN };
	u8 pf = order->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	struct nf_hook_entries __rcu **all;
	int i, n, own = 0;

	memset(path, 0, sizeof(*path));
	all = pf == NFPROTO_IPV4 ? net->nf.hooks_ipv4 : net->nf.hooks_ipv6;
	for (i = 0; i < BENCH_STAGES; i++) {
		struct bench_stage *stage = &path->stage[i];
		u8 hook = in ? in_hooks[i] : out_hooks[i];

		nf_hook_state_init(&stage->state, hook, pf, in ? dev : NULL,
				   in ? NULL : dev, sk, net, NULL);
		if (order->tracker != BENCH_CONNTRACK &&
		    order->tracker != BENCH_UDPTRACK)
			continue;
		/* Nobody changes them meanwhile: the script is the only user. */
		n = copy_entries(stage, rcu_dereference_raw(all[hook]),
				 order->tracker);
		if (n < 0) {
			bench_path_free(path);
			return n;
		}
		own += n;
	}
	if (!own && (order->tracker == BENCH_CONNTRACK ||
		     order->tracker == BENCH_UDPTRACK)) {
		bench_path_free(path);
		return -ENOENT;
	}
	return 0;
}

/**
 * bench_path_free - undo bench_path_init()
 * @path: the path
 *
 * Context: process.
 */
void bench_path_free(struct bench_path *path)
{
	int i;

	for (i = 0; i < BENCH_STAGES; i++)
		kfree(path->stage[i].entries);
}
