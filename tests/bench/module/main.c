// SPDX-License-Identifier: GPL-2.0-only
/*
 * udptrack_bench - what a packet costs in its tracker, measured in the kernel.
 *
 * An order (order.h) is written to /proc/udptrack_bench and carried out in the
 * writer's network namespace before write() returns; reading the file gives
 * the result of the last one. tests/bench/guest.py gives the orders. It is no
 * test of what the trackers do, but says what nf_conntrack found, so that the
 * script can see that it measured what it wanted to; udptrack counts itself.
 *
 * Owns the file, the order in which flows come, and nf_conntrack's being on
 * where an order turned it on. For root in a machine of its own: orders take the
 * processor for long.
 */
#include <linux/etherdevice.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/prandom.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>

#include "peers.h"
#include "walk.h"

#define ORDER_LEN	512
/* The device that every namespace of the benchmark has. */
#define DEVICE		"bench0"

static DEFINE_MUTEX(bench_mutex);
/* Under bench_mutex. */
static struct bench_result last;
static u32 *perm;
static unsigned int perm_flows;
static unsigned int perm_seed;

/* The flows 0 .. flows-1 in an order that the seed decides. */
static int shuffle(unsigned int flows, unsigned int seed)
{
	struct rnd_state rnd;
	unsigned int i, j;

	if (perm && perm_flows == flows && perm_seed == seed)
		return 0;
	vfree(perm);
	perm = vmalloc_array(flows, sizeof(*perm));
	if (!perm)
		return -ENOMEM;
	perm_flows = flows;
	perm_seed = seed;
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < flows; i++) {
		j = ((u64)prandom_u32_state(&rnd) * (i + 1)) >> 32;
		perm[i] = perm[j];
		perm[j] = i;
	}
	return 0;
}

static int send(const struct bench_order *order, struct net *net)
{
	const u32 *sequence = order->seed ? perm : NULL;
	struct socket *sock = NULL;
	struct net_device *dev;
	int err = 0;

	dev = dev_get_by_name(net, DEVICE);
	if (!dev)
		return -ENODEV;
	if (order->fd >= 0)
		sock = sockfd_lookup(order->fd, &err);
	if (err)
		goto out;
	if (order->threads)
		err = bench_race(order, net, dev, sequence, &last);
	else
		err = bench_walk(order, net, dev, sock ? sock->sk : NULL,
				 sequence, 0, &last);
	if (sock)
		sockfd_put(sock);
out:
	dev_put(dev);
	return err;
}

static int carry_out(const struct bench_order *order, struct net *net)
{
	int err;

	if (order->conntrack == 1)
		return nf_ct_netns_get(net, NFPROTO_INET);
	if (order->conntrack == 2) {
		nf_ct_netns_put(net, NFPROTO_INET);
		return 0;
	}
	if (order->spin_ms) {
		bench_spin(order, &last);
		return 0;
	}
	if (order->nap_ms) {
		bench_nap(order, &last);
		return 0;
	}
	if (order->seed) {
		err = shuffle(order->flows, order->seed);
		if (err)
			return err;
	}
	if (order->tracker == BENCH_RHASHTABLE ||
	    order->tracker == BENCH_LRU_MAP)
		return bench_peer(order, order->seed ? perm : NULL, &last);
	return send(order, net);
}

static ssize_t bench_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	struct bench_order order;
	char text[ORDER_LEN];
	int err;

	if (len >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = '\0';
	err = bench_order_parse(text, &order);
	if (err)
		return err;
	mutex_lock(&bench_mutex);
	memset(&last, 0, sizeof(last));
	err = carry_out(&order, current->nsproxy->net_ns);
	mutex_unlock(&bench_mutex);
	return err ?: len;
}

static int bench_show(struct seq_file *seq, void *v)
{
	int i;

	mutex_lock(&bench_mutex);
	seq_printf(seq, "ns=%llu packets=%llu dropped=%llu worst=%llu second=%llu over=%llu busy=%llu",
		   last.ns, last.packets, last.dropped, last.worst_ns,
		   last.second_ns, last.over, last.busy_ns);
	for (i = 0; i < ARRAY_SIZE(last.ct); i++)
		seq_printf(seq, " ct%d=%llu", i, last.ct[i]);
	seq_putc(seq, '\n');
	mutex_unlock(&bench_mutex);
	return 0;
}

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open(file, bench_show, NULL);
}

static const struct proc_ops bench_ops = {
	.proc_open = bench_open,
	.proc_read = seq_read,
	.proc_write = bench_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init bench_init(void)
{
	return proc_create("udptrack_bench", 0600, NULL, &bench_ops) ? 0 : -ENOMEM;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("udptrack_bench", NULL);
	bench_peers_exit();
	vfree(perm);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Measures what udptrack and nf_conntrack cost");
MODULE_AUTHOR("udptrack maintainers");
MODULE_LICENSE("GPL");
