/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family: see netlink.c. */
#ifndef UDPTRACK_NETLINK_H
#define UDPTRACK_NETLINK_H

#include <net/genetlink.h>

#include "events.h"
#include "filter.h"

/* Multicast groups, by their place in the family. */
#define UDPTRACK_GROUP_EVENTS	0

/**
 * struct udptrack_ask - which flow or flows a request means
 * @has_key:    a tuple is given
 * @key:        its ends
 * @id:         the id that is given, or 0
 * @has_filter: a filter is given, and not an empty one
 * @filter:     it
 */
struct udptrack_ask {
	bool has_key;
	struct udptrack_key key;
	unsigned long id;
	bool has_filter;
	struct udptrack_filter filter;
};

extern struct genl_family udptrack_family;

/* nlask.c */
#define UDPTRACK_ASK_ATTR_MAX	UDPTRACK_A_FLOW_FILTER
extern const struct nla_policy udptrack_ask_policy[UDPTRACK_ASK_ATTR_MAX + 1];
int udptrack_ask_parse(struct nlattr **attrs, struct user_namespace *ns,
		       struct udptrack_ask *ask,
		       struct netlink_ext_ack *extack);

/* nlflow.c */
size_t udptrack_flow_size(void);
int udptrack_flow_put(struct sk_buff *skb, const struct udptrack_snapshot *flow,
		      unsigned int parts, u64 stop_ns,
		      struct user_namespace *ns);

/* nlstats.c */
int udptrack_nl_stats_do(struct sk_buff *skb, struct genl_info *info);
int udptrack_nl_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);
int udptrack_nl_dns_do(struct sk_buff *skb, struct genl_info *info);

/* nlconfig.c */
#define UDPTRACK_CONFIG_ATTR_MAX	UDPTRACK_A_CONFIG_MARK_MASK
extern const struct nla_policy
udptrack_config_policy[UDPTRACK_CONFIG_ATTR_MAX + 1];
void udptrack_nl_config_init(void);
int udptrack_nl_config_get(struct sk_buff *skb, struct genl_info *info);
int udptrack_nl_config_set(struct sk_buff *skb, struct genl_info *info);

/* nlevent.c */
extern struct udptrack_listener udptrack_nl_listener;

int udptrack_netlink_register(void);
void udptrack_netlink_unregister(void);

#endif
