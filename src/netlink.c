// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink - the generic netlink family: who may ask for what.
 *
 * Owns the family and the answers that are about flows; counters, settings and
 * events are in files of their own (nl*.c). The contract is
 * include/uapi/linux/udptrack.yaml. Requests run in process context, many at
 * once, and each is about the network namespace of its socket.
 *
 * A dump goes on from the id of the last flow it has shown. Ids only grow, so
 * each flow that lives through the whole of it is shown once, whatever comes
 * and goes meanwhile, a flush included: there is no dump whose parts do not fit
 * together, and NLM_F_DUMP_INTR is never needed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "netlink.h"
#include "netns.h"

#define PARTS_ALL	(BIT(UDPTRACK_A_FLOW_TIMEOUT) |			\
			 BIT(UDPTRACK_A_FLOW_COUNTERS_ORIG) |		\
			 BIT(UDPTRACK_A_FLOW_TIMESTAMP) |		\
			 BIT(UDPTRACK_A_FLOW_DNS))
/* How often to throw out those who joined too early. */
#define REGISTER_TRIES	10

/**
 * struct flow_dump - a dump of flows under way
 * @from_id: the flow to show next, or the next one after it
 * @last_id: the newest flow when it began, where it ends
 * @pid_ns:  of who asked
 * @user_ns: likewise
 * @ask:     what was asked for
 */
struct flow_dump {
	unsigned long from_id;
	unsigned long last_id;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
	struct udptrack_ask ask;
};

static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		  int err)
{
	NL_SET_BAD_ATTR(extack, attr);
	return err;
}

static int get_do(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));
	struct udptrack_snapshot flow;
	struct udptrack_ask ask;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = udptrack_ask_parse(info->attrs, current_user_ns(), &ask,
				 info->extack);
	if (err)
		return err;
	if (info->attrs[UDPTRACK_A_FLOW_FILTER]) {
		NL_SET_ERR_MSG(info->extack, "filter: only in a dump");
		return refuse(info->extack, info->attrs[UDPTRACK_A_FLOW_FILTER],
			      -EINVAL);
	}
	if (!ask.has_key && !ask.id) {
		NL_SET_ERR_MSG(info->extack,
			       "tuple-orig, tuple-reply or id is needed; a dump shows all flows");
		return -EINVAL;
	}
	if (!udptrack_table_get(&un->table, ask.has_key ? &ask.key : NULL,
				ask.id, jiffies, task_active_pid_ns(current),
				&flow))
		return -ENOENT;

	msg = genlmsg_new(udptrack_flow_size(), GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &udptrack_family, 0,
				UDPTRACK_CMD_GET);
	if (!hdr || udptrack_flow_put(msg, &flow, PARTS_ALL, 0,
				      current_user_ns())) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int dump_parse(struct nlattr **attrs, struct udptrack_ask *ask,
		      struct netlink_ext_ack *extack)
{
	int err = udptrack_ask_parse(attrs, current_user_ns(), ask, extack);

	if (err || (!ask->has_key && !ask->id))
		return err;
	NL_SET_ERR_MSG(extack, "tuple-orig, tuple-reply, id: not in a dump");
	return -EINVAL;
}

static int get_start(struct netlink_callback *cb)
{
	struct udptrack_net *un = udptrack_net(sock_net(cb->skb->sk));
	struct flow_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	int err;

	if (!dump)
		return -ENOMEM;
	err = dump_parse(genl_info_dump(cb)->attrs, &dump->ask, cb->extack);
	if (err) {
		kfree(dump);
		return err;
	}
	dump->last_id = udptrack_table_last_id(&un->table);
	/* Whoever reads the rest of it, this is who asked. */
	dump->pid_ns = get_pid_ns(task_active_pid_ns(current));
	dump->user_ns = get_user_ns(current_user_ns());
	cb->args[0] = (long)dump;
	return 0;
}

static int get_done(struct netlink_callback *cb)
{
	struct flow_dump *dump = (void *)cb->args[0];

	if (!dump)
		return 0;
	put_pid_ns(dump->pid_ns);
	put_user_ns(dump->user_ns);
	kfree(dump);
	return 0;
}

static int dump_flow(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct flow_dump *dump,
		     const struct udptrack_snapshot *flow)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &udptrack_family,
				NLM_F_MULTI, UDPTRACK_CMD_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (udptrack_flow_put(skb, flow, PARTS_ALL, 0, dump->user_ns)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int get_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct udptrack_net *un = udptrack_net(sock_net(cb->skb->sk));
	struct flow_dump *dump = (void *)cb->args[0];
	struct udptrack_snapshot flow;

	while (udptrack_table_next(&un->table, dump->from_id, dump->last_id,
				   jiffies, dump->pid_ns, &flow)) {
		if ((!dump->ask.has_filter ||
		     udptrack_filter_means(&dump->ask.filter, &flow)) &&
		    dump_flow(skb, cb, dump, &flow))
			return skb->len;
		dump->from_id = flow.id + 1;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	/* So that the next call, if there is one, finds nothing either. */
	dump->from_id = dump->last_id + 1;
	return skb->len;
}

static int reply_deleted(struct genl_info *info, unsigned int deleted)
{
	struct sk_buff *msg = genlmsg_new(nla_total_size(4), GFP_KERNEL);
	void *hdr;

	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &udptrack_family, 0,
				info->genlhdr->cmd);
	if (!hdr || nla_put_u32(msg, UDPTRACK_A_FLOW_DELETED, deleted)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static bool filter_dooms(const struct udptrack_snapshot *flow, const void *arg)
{
	return udptrack_filter_means(arg, flow);
}

static int delete_do(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));
	struct udptrack_ask ask;
	unsigned int deleted;
	int err;

	err = udptrack_ask_parse(info->attrs, current_user_ns(), &ask,
				 info->extack);
	if (err)
		return err;
	if (!ask.has_key && !ask.id && !ask.has_filter) {
		NL_SET_ERR_MSG(info->extack,
			       "a tuple, an id or a filter is needed; flush deletes all flows");
		return -EINVAL;
	}
	if ((ask.has_key || ask.id) && info->attrs[UDPTRACK_A_FLOW_FILTER]) {
		NL_SET_ERR_MSG(info->extack,
			       "filter: not together with a tuple or an id");
		return refuse(info->extack, info->attrs[UDPTRACK_A_FLOW_FILTER],
			      -EINVAL);
	}
	if (ask.has_filter)
		deleted = udptrack_table_prune(&un->table, jiffies,
					       task_active_pid_ns(current),
					       filter_dooms, &ask.filter);
	else
		deleted = udptrack_table_erase(&un->table,
					       ask.has_key ? &ask.key : NULL,
					       ask.id, jiffies);
	return reply_deleted(info, deleted);
}

static int flush_do(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));

	return reply_deleted(info, udptrack_table_prune(&un->table, jiffies,
							NULL, NULL, NULL));
}

/* Whoever sees who talks to whom, or changes anything, is the admin. */
static const struct genl_ops ops[] = {
	{
		.cmd = UDPTRACK_CMD_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = udptrack_ask_policy,
		.maxattr = UDPTRACK_ASK_ATTR_MAX,
		.doit = get_do,
		.start = get_start,
		.dumpit = get_dump,
		.done = get_done,
	}, {
		.cmd = UDPTRACK_CMD_DELETE,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = udptrack_ask_policy,
		.maxattr = UDPTRACK_ASK_ATTR_MAX,
		.doit = delete_do,
	}, {
		.cmd = UDPTRACK_CMD_FLUSH,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = flush_do,
	}, {
		.cmd = UDPTRACK_CMD_STATS_GET,
		.doit = udptrack_nl_stats_do,
		.dumpit = udptrack_nl_stats_dump,
	}, {
		.cmd = UDPTRACK_CMD_DNS_GET,
		.doit = udptrack_nl_dns_do,
	}, {
		.cmd = UDPTRACK_CMD_CONFIG_GET,
		.doit = udptrack_nl_config_get,
	}, {
		.cmd = UDPTRACK_CMD_CONFIG_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = udptrack_config_policy,
		.maxattr = UDPTRACK_CONFIG_ATTR_MAX,
		.doit = udptrack_nl_config_set,
	},
};

static const struct genl_multicast_group groups[] = {
	[UDPTRACK_GROUP_EVENTS] = {
		.name = UDPTRACK_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family udptrack_family __ro_after_init = {
	.name = UDPTRACK_FAMILY_NAME,
	.version = UDPTRACK_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/* Whether the listener was subscribed. */
static bool has_events;

/*
 * Before there is a family, anybody may join the number that its group will
 * have, and the kernel leaves them in it. When a family goes, it throws
 * everybody out; so it comes again until it finds nobody.
 */
static int register_alone(void)
{
	unsigned int tries;
	int err;

	for (tries = 0;; tries++) {
		err = genl_register_family(&udptrack_family);
		if (err)
			return err;
		has_events = !genl_has_listeners(&udptrack_family, &init_net,
						 UDPTRACK_GROUP_EVENTS);
		if (has_events || tries == REGISTER_TRIES)
			return 0;
		genl_unregister_family(&udptrack_family);
	}
}

/**
 * udptrack_netlink_register - from now on answer requests and send events
 *
 * Context: process, once, when udptrack is in every network namespace.
 * Return: 0 or the error of genl_register_family().
 */
int udptrack_netlink_register(void)
{
	int err;

	udptrack_nl_config_init();
	err = register_alone();
	if (err)
		return err;
	if (has_events)
		udptrack_events_subscribe(&udptrack_nl_listener);
	else
		pr_err("no netlink events: somebody keeps joining their group before it is there\n");
	return 0;
}

/**
 * udptrack_netlink_unregister - undo udptrack_netlink_register()
 *
 * Context: process; waits for those who are asking, or being told.
 */
void udptrack_netlink_unregister(void)
{
	if (has_events)
		udptrack_events_unsubscribe(&udptrack_nl_listener);
	genl_unregister_family(&udptrack_family);
}
