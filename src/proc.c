// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc - /proc/net/udptrack, a line a flow, and /proc/net/stat/udptrack, a
 * row a CPU.
 *
 * Owns the two files and their formats, on which users' scripts rely: fields
 * and columns are only ever added at the end. Reads the table through copies;
 * holds no lock between two lines.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/socket.h>
#include <linux/string_helpers.h>

#include "netns.h"
#include "proc.h"

/* Shown by a single read(), if it asks for as much. */
#define FLOWS_BYTES	SZ_64K

/**
 * struct flow_iter - a reader's place in the table
 * @p:       the namespace; must be first
 * @last_id: the newest flow when reading began, where the listing ends
 * @flow:    the flow being shown
 *
 * The file position is the id of the flow to show next, so that a reader can
 * stop anywhere and go on without a search.
 */
struct flow_iter {
	struct seq_net_private p;
	unsigned long last_id;
	struct udptrack_snapshot flow;
};

static void *flows_from(struct seq_file *seq, loff_t *pos)
{
	struct udptrack_net *un = udptrack_net(seq_file_net(seq));
	struct flow_iter *iter = seq->private;

	if (!udptrack_table_next(&un->table, *pos, iter->last_id, jiffies,
				 task_active_pid_ns(current), &iter->flow)) {
		*pos = iter->last_id + 1;
		return NULL;
	}
	*pos = iter->flow.id;
	return &iter->flow;
}

static void *flows_start(struct seq_file *seq, loff_t *pos)
{
	struct udptrack_net *un = udptrack_net(seq_file_net(seq));
	struct flow_iter *iter = seq->private;

	if (!*pos)
		iter->last_id = udptrack_table_last_id(&un->table);
	return flows_from(seq, pos);
}

static void *flows_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return flows_from(seq, pos);
}

static void flows_stop(struct seq_file *seq, void *v)
{
}

/* What seq_printf() does with "%pI4", in a third of the time. */
static void show_ipv4(struct seq_file *seq, const char *name, __be32 addr)
{
	const u8 *byte = (const u8 *)&addr;

	seq_put_decimal_ull(seq, name, byte[0]);
	seq_put_decimal_ull(seq, ".", byte[1]);
	seq_put_decimal_ull(seq, ".", byte[2]);
	seq_put_decimal_ull(seq, ".", byte[3]);
}

static void show_tuple(struct seq_file *seq, const struct udptrack_tuple *tuple,
		       bool reply)
{
	const union nf_inet_addr *src = reply ? &tuple->dst : &tuple->src;
	const union nf_inet_addr *dst = reply ? &tuple->src : &tuple->dst;
	__be16 sport = reply ? tuple->dport : tuple->sport;
	__be16 dport = reply ? tuple->sport : tuple->dport;

	if (tuple->family == NFPROTO_IPV4) {
		show_ipv4(seq, " src=", src->ip);
		show_ipv4(seq, " dst=", dst->ip);
	} else {
		seq_printf(seq, " src=%pI6c dst=%pI6c", &src->in6, &dst->in6);
	}
	seq_put_decimal_ull(seq, " sport=", ntohs(sport));
	seq_put_decimal_ull(seq, " dport=", ntohs(dport));
}

static void show_traffic(struct seq_file *seq,
			 const struct udptrack_snapshot *flow,
			 enum udptrack_dir dir)
{
	if (!flow->acct)
		return;
	seq_put_decimal_ull(seq, " packets=", flow->traffic[dir].packets);
	seq_put_decimal_ull(seq, " bytes=", flow->traffic[dir].bytes);
}

static void show_dns(struct seq_file *seq,
		     const struct udptrack_snapshot *flow)
{
	if (!flow->is_dns)
		return;
	seq_put_decimal_ull(seq, " dns=out:", flow->dns.out);
	seq_put_decimal_ull(seq, ",ok:", flow->dns.ok);
	seq_put_decimal_ull(seq, ",forged:", flow->dns.forged);
	seq_put_decimal_ull(seq, ",rtt_us:", flow->dns.rtt_us);
}

/* Users, processes and their names as the reader's namespaces know them. */
static void show_owner(struct seq_file *seq,
		       const struct udptrack_snapshot *flow)
{
	uid_t uid = flow->has_uid ? from_kuid(seq_user_ns(seq), flow->uid)
				  : (uid_t)-1;

	if (uid != (uid_t)-1)
		seq_put_decimal_ull(seq, " uid=", uid);
	if (flow->pid)
		seq_put_decimal_ull(seq, " pid=", flow->pid);
	if (flow->cgroup)
		seq_put_decimal_ull(seq, " cgroup=", flow->cgroup);
	show_dns(seq, flow);
	if (flow->pid) {
		seq_puts(seq, " comm=");
		seq_escape_str(seq, flow->comm, ESCAPE_ANY_NP | ESCAPE_APPEND,
			       " \\");
	}
}

/* As ct_seq_show() writes it, with the state where TCP's would stand. */
static int flows_show(struct seq_file *seq, void *v)
{
	const struct udptrack_snapshot *flow = v;
	bool ipv4 = flow->tuple.family == NFPROTO_IPV4;
	bool replied = flow->state.flags & UDPTRACK_SEEN_REPLY;

	/* As if there were no room: seq_file comes back with twice as much. */
	if (seq->size < FLOWS_BYTES && !seq->count) {
		seq_commit(seq, -1);
		return 0;
	}
	seq_put_decimal_ull(seq, ipv4 ? "ipv4     " : "ipv6     ",
			    ipv4 ? AF_INET : AF_INET6);
	seq_put_decimal_ull(seq, " udp      ", IPPROTO_UDP);
	seq_put_decimal_ull(seq, " ",
			    udptrack_state_seconds_left(&flow->state, jiffies));
	seq_puts(seq, replied ? " ESTABLISHED" : " NEW");
	show_tuple(seq, &flow->tuple, false);
	show_traffic(seq, flow, UDPTRACK_ORIGINAL);
	if (!replied)
		seq_puts(seq, " [UNREPLIED]");
	show_tuple(seq, &flow->tuple, true);
	show_traffic(seq, flow, UDPTRACK_REPLY);
	if (flow->state.flags & UDPTRACK_ASSURED)
		seq_puts(seq, " [ASSURED]");
	show_owner(seq, flow);
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations flows_ops = {
	.start = flows_start,
	.next = flows_next,
	.stop = flows_stop,
	.show = flows_show,
};

/* The columns, as struct udptrack_stats has them. */
static const char * const stat_columns[] = {
	"found", "new", "expired", "evicted", "full", "alloc_failed",
	"insert_failed", "clash", "truncated", "malformed", "bad_checksum",
	"fragment", "exempt", "loopback", "no_listener", "deleted",
};

/* Position 0 is the header, position n + 1 the row of CPU n. */
static void *stat_from(struct seq_file *seq, loff_t *pos)
{
	struct udptrack_net *un = udptrack_net(seq_file_net(seq));
	unsigned int cpu;

	if (*pos == 0)
		return SEQ_START_TOKEN;
	for (cpu = *pos - 1; cpu < nr_cpu_ids; cpu++) {
		if (cpu_possible(cpu)) {
			*pos = cpu + 1;
			return per_cpu_ptr(un->stats, cpu);
		}
	}
	*pos = nr_cpu_ids + 1;
	return NULL;
}

static void *stat_start(struct seq_file *seq, loff_t *pos)
{
	return stat_from(seq, pos);
}

static void *stat_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return stat_from(seq, pos);
}

static void stat_stop(struct seq_file *seq, void *v)
{
}

static int stat_show(struct seq_file *seq, void *v)
{
	struct udptrack_net *un = udptrack_net(seq_file_net(seq));
	const unsigned int *counters = v;
	unsigned int i;

	BUILD_BUG_ON(sizeof(struct udptrack_stats) !=
		     ARRAY_SIZE(stat_columns) * sizeof(*counters));

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "entries");
		for (i = 0; i < ARRAY_SIZE(stat_columns); i++)
			seq_printf(seq, " %s", stat_columns[i]);
	} else {
		seq_printf(seq, "%08x", udptrack_table_count(&un->table));
		for (i = 0; i < ARRAY_SIZE(stat_columns); i++)
			seq_printf(seq, " %08x", READ_ONCE(counters[i]));
	}
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations stat_ops = {
	.start = stat_start,
	.next = stat_next,
	.stop = stat_stop,
	.show = stat_show,
};

/* The columns, as struct udptrack_dns_stats has them; then the times. */
static const char * const dns_columns[] = {
	"questions", "repeated", "answered", "again", "truncated", "forged",
	"unanswered", "late", "blind",
};

/*
 * A header and a row a CPU, in hexadecimal. The last columns count answers by
 * the time they took: lt_1us, lt_2us, lt_4us and so on, then all longer ones.
 */
static int dns_stat_show(struct seq_file *seq, void *v)
{
	struct udptrack_net *un = udptrack_net(seq_file_single_net(seq));
	const unsigned int *counters;
	unsigned int cpu, i;

	BUILD_BUG_ON(offsetof(struct udptrack_dns_stats, took) !=
		     ARRAY_SIZE(dns_columns) * sizeof(*counters));

	for (i = 0; i < ARRAY_SIZE(dns_columns); i++)
		seq_printf(seq, "%s ", dns_columns[i]);
	for (i = 0; i < UDPTRACK_DNS_BUCKETS - 1; i++)
		seq_printf(seq, "lt_%luus ", BIT(i));
	seq_puts(seq, "longer\n");
	for_each_possible_cpu(cpu) {
		counters = (void *)per_cpu_ptr(un->dns.stats, cpu);
		for (i = 0; i < sizeof(struct udptrack_dns_stats) /
				sizeof(*counters); i++)
			seq_printf(seq, "%s%08x", i ? " " : "",
				   READ_ONCE(counters[i]));
		seq_putc(seq, '\n');
	}
	return 0;
}

/**
 * udptrack_proc_register - show a namespace its files
 * @net: the namespace, its table ready
 *
 * /proc/net/udptrack belongs to the namespace's root and is read by nobody
 * else: it tells who talks to whom. The totals are for everybody.
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int udptrack_proc_register(struct net *net)
{
	struct proc_dir_entry *pde;
	kuid_t root_uid;
	kgid_t root_gid;

	pde = proc_create_net("udptrack", 0440, net->proc_net, &flows_ops,
			      sizeof(struct flow_iter));
	if (!pde)
		return -ENOMEM;
	root_uid = make_kuid(net->user_ns, 0);
	root_gid = make_kgid(net->user_ns, 0);
	if (uid_valid(root_uid) && gid_valid(root_gid))
		proc_set_user(pde, root_uid, root_gid);

	if (!proc_create_net("udptrack", 0444, net->proc_net_stat, &stat_ops,
			     sizeof(struct seq_net_private)))
		goto err_flows;
	if (!proc_create_net_single("udptrack_dns", 0444, net->proc_net_stat,
				    dns_stat_show, NULL))
		goto err_stat;
	return 0;

err_stat:
	remove_proc_entry("udptrack", net->proc_net_stat);
err_flows:
	remove_proc_entry("udptrack", net->proc_net);
	return -ENOMEM;
}

/**
 * udptrack_proc_unregister - undo udptrack_proc_register()
 * @net: the namespace
 *
 * Context: process; waits for those who are reading.
 */
void udptrack_proc_unregister(struct net *net)
{
	remove_proc_entry("udptrack_dns", net->proc_net_stat);
	remove_proc_entry("udptrack", net->proc_net_stat);
	remove_proc_entry("udptrack", net->proc_net);
}
