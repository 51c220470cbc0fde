// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlask - which flows a netlink request means.
 *
 * Owns the rules of its attributes: what they may look like, what goes
 * together, and the words that tell a user what was wrong. Touches nothing
 * else. Process context.
 */
#include <linux/in.h>
#include <linux/socket.h>
#include <linux/user_namespace.h>

#include "netlink.h"

#define STATUS_ALL	(UDPTRACK_FLOW_STATUS_SEEN_REPLY |	\
			 UDPTRACK_FLOW_STATUS_ASSURED |		\
			 UDPTRACK_FLOW_STATUS_EXPECTED)
#define TROUBLE_ALL	(UDPTRACK_DNS_TROUBLE_FORGED |		\
			 UDPTRACK_DNS_TROUBLE_UNANSWERED)

static const struct nla_policy ip_policy[UDPTRACK_A_TUPLE_IP_MAX + 1] = {
	[UDPTRACK_A_TUPLE_IP_V4_SRC]	= { .type = NLA_U32 },
	[UDPTRACK_A_TUPLE_IP_V4_DST]	= { .type = NLA_U32 },
	[UDPTRACK_A_TUPLE_IP_V6_SRC]	= NLA_POLICY_EXACT_LEN(16),
	[UDPTRACK_A_TUPLE_IP_V6_DST]	= NLA_POLICY_EXACT_LEN(16),
};

static const struct nla_policy proto_policy[UDPTRACK_A_TUPLE_PROTO_MAX + 1] = {
	[UDPTRACK_A_TUPLE_PROTO_NUM]		= NLA_POLICY_RANGE(NLA_U8,
							IPPROTO_UDP,
							IPPROTO_UDP),
	[UDPTRACK_A_TUPLE_PROTO_SRC_PORT]	= { .type = NLA_U16 },
	[UDPTRACK_A_TUPLE_PROTO_DST_PORT]	= { .type = NLA_U16 },
};

static const struct nla_policy tuple_policy[UDPTRACK_A_TUPLE_MAX + 1] = {
	[UDPTRACK_A_TUPLE_IP]		= NLA_POLICY_NESTED(ip_policy),
	[UDPTRACK_A_TUPLE_PROTO]	= NLA_POLICY_NESTED(proto_policy),
	[UDPTRACK_A_TUPLE_SCOPE]	= { .type = NLA_U32 },
};

static int valid_address(const struct nlattr *attr,
			 struct netlink_ext_ack *extack)
{
	if (nla_len(attr) == 4 || nla_len(attr) == 16)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "address: neither the 4 bytes of IPv4 nor the 16 of IPv6");
	return -EINVAL;
}

#define ADDRESS		NLA_POLICY_VALIDATE_FN(NLA_BINARY, valid_address, 16)
#define PREFIX_LEN	NLA_POLICY_MAX(NLA_U8, 128)

static const struct nla_policy filter_policy[UDPTRACK_A_FILTER_MAX + 1] = {
	[UDPTRACK_A_FILTER_FAMILY]		= { .type = NLA_U8 },
	[UDPTRACK_A_FILTER_SRC]			= ADDRESS,
	[UDPTRACK_A_FILTER_SRC_PREFIX_LEN]	= PREFIX_LEN,
	[UDPTRACK_A_FILTER_DST]			= ADDRESS,
	[UDPTRACK_A_FILTER_DST_PREFIX_LEN]	= PREFIX_LEN,
	[UDPTRACK_A_FILTER_SRC_PORT]		= { .type = NLA_U16 },
	[UDPTRACK_A_FILTER_DST_PORT]		= { .type = NLA_U16 },
	[UDPTRACK_A_FILTER_STATE]		= NLA_POLICY_RANGE(NLA_U32,
						UDPTRACK_FLOW_STATE_NEW,
						UDPTRACK_FLOW_STATE_ESTABLISHED),
	[UDPTRACK_A_FILTER_STATUS]		= NLA_POLICY_MASK(NLA_U32,
								  STATUS_ALL),
	[UDPTRACK_A_FILTER_UID]			= { .type = NLA_U32 },
	[UDPTRACK_A_FILTER_COMM]		= { .type = NLA_NUL_STRING,
						    .len = TASK_COMM_LEN - 1 },
	[UDPTRACK_A_FILTER_DNS_TROUBLE]		= NLA_POLICY_RANGE(NLA_U32, 1,
								   TROUBLE_ALL),
	[UDPTRACK_A_FILTER_REPLY_SRC]		= ADDRESS,
	[UDPTRACK_A_FILTER_REPLY_SRC_PREFIX_LEN] = PREFIX_LEN,
	[UDPTRACK_A_FILTER_REPLY_DST]		= ADDRESS,
	[UDPTRACK_A_FILTER_REPLY_DST_PREFIX_LEN] = PREFIX_LEN,
};

const struct nla_policy udptrack_ask_policy[UDPTRACK_ASK_ATTR_MAX + 1] = {
	[UDPTRACK_A_FLOW_TUPLE_ORIG]	= NLA_POLICY_NESTED(tuple_policy),
	[UDPTRACK_A_FLOW_TUPLE_REPLY]	= NLA_POLICY_NESTED(tuple_policy),
	[UDPTRACK_A_FLOW_ID]		= NLA_POLICY_MIN(NLA_U64, 1),
	[UDPTRACK_A_FLOW_FILTER]	= NLA_POLICY_NESTED(filter_policy),
};

/* Say that @type is missing from @nest. */
static int missing(struct netlink_ext_ack *extack, const struct nlattr *nest,
		   int type)
{
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
	return -EINVAL;
}

static int parse_ip(const struct nlattr *nest, struct udptrack_tuple *tuple,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[UDPTRACK_A_TUPLE_IP_MAX + 1];
	bool v4, v6;
	int err;

	err = nla_parse_nested(tb, UDPTRACK_A_TUPLE_IP_MAX, nest, ip_policy,
			       extack);
	if (err)
		return err;
	v4 = tb[UDPTRACK_A_TUPLE_IP_V4_SRC] || tb[UDPTRACK_A_TUPLE_IP_V4_DST];
	v6 = tb[UDPTRACK_A_TUPLE_IP_V6_SRC] || tb[UDPTRACK_A_TUPLE_IP_V6_DST];
	if (v4 == v6 ||
	    !tb[v4 ? UDPTRACK_A_TUPLE_IP_V4_SRC : UDPTRACK_A_TUPLE_IP_V6_SRC] ||
	    !tb[v4 ? UDPTRACK_A_TUPLE_IP_V4_DST : UDPTRACK_A_TUPLE_IP_V6_DST]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "ip: a source and a destination of one family are needed");
		return -EINVAL;
	}
	if (v4) {
		tuple->family = NFPROTO_IPV4;
		tuple->src.ip = nla_get_in_addr(tb[UDPTRACK_A_TUPLE_IP_V4_SRC]);
		tuple->dst.ip = nla_get_in_addr(tb[UDPTRACK_A_TUPLE_IP_V4_DST]);
	} else {
		tuple->family = NFPROTO_IPV6;
		tuple->src.in6 =
			nla_get_in6_addr(tb[UDPTRACK_A_TUPLE_IP_V6_SRC]);
		tuple->dst.in6 =
			nla_get_in6_addr(tb[UDPTRACK_A_TUPLE_IP_V6_DST]);
	}
	return 0;
}

static int parse_proto(const struct nlattr *nest, struct udptrack_tuple *tuple,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[UDPTRACK_A_TUPLE_PROTO_MAX + 1];
	int err;

	err = nla_parse_nested(tb, UDPTRACK_A_TUPLE_PROTO_MAX, nest,
			       proto_policy, extack);
	if (err)
		return err;
	if (!tb[UDPTRACK_A_TUPLE_PROTO_SRC_PORT] ||
	    !tb[UDPTRACK_A_TUPLE_PROTO_DST_PORT]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "proto: src-port and dst-port are needed");
		return -EINVAL;
	}
	tuple->sport = nla_get_be16(tb[UDPTRACK_A_TUPLE_PROTO_SRC_PORT]);
	tuple->dport = nla_get_be16(tb[UDPTRACK_A_TUPLE_PROTO_DST_PORT]);
	return 0;
}

static int parse_tuple(const struct nlattr *nest, struct udptrack_key *key,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[UDPTRACK_A_TUPLE_MAX + 1];
	struct udptrack_tuple tuple = {};
	int err;

	err = nla_parse_nested(tb, UDPTRACK_A_TUPLE_MAX, nest, tuple_policy,
			       extack);
	if (err)
		return err;
	if (!tb[UDPTRACK_A_TUPLE_IP] || !tb[UDPTRACK_A_TUPLE_PROTO]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "tuple: ip and proto are needed");
		return missing(extack, nest,
			       tb[UDPTRACK_A_TUPLE_IP] ?
			       UDPTRACK_A_TUPLE_PROTO : UDPTRACK_A_TUPLE_IP);
	}
	err = parse_ip(tb[UDPTRACK_A_TUPLE_IP], &tuple, extack);
	if (!err)
		err = parse_proto(tb[UDPTRACK_A_TUPLE_PROTO], &tuple, extack);
	if (err)
		return err;
	if (tb[UDPTRACK_A_TUPLE_SCOPE])
		tuple.scope = nla_get_u32(tb[UDPTRACK_A_TUPLE_SCOPE]);
	udptrack_key_from_tuple(&tuple, key);
	return 0;
}

/* Both directions have the same key. */
static int parse_tuples(struct nlattr **attrs, struct udptrack_ask *ask,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *orig = attrs[UDPTRACK_A_FLOW_TUPLE_ORIG];
	const struct nlattr *reply = attrs[UDPTRACK_A_FLOW_TUPLE_REPLY];
	struct udptrack_key other;
	int err;

	ask->has_key = orig || reply;
	if (!ask->has_key)
		return 0;
	err = parse_tuple(orig ?: reply, &ask->key, extack);
	if (err || !orig || !reply)
		return err;
	err = parse_tuple(reply, &other, extack);
	if (err)
		return err;
	if (memcmp(&ask->key, &other, sizeof(other))) {
		NL_SET_ERR_MSG_ATTR(extack, reply,
				    "tuple-reply: not the inverse of tuple-orig");
		return -EINVAL;
	}
	return 0;
}

static int parse_net(const struct nlattr *addr, const struct nlattr *len,
		     struct udptrack_filter *filter,
		     struct udptrack_filter_net *net,
		     struct netlink_ext_ack *extack)
{
	if (!addr && len) {
		NL_SET_ERR_MSG_ATTR(extack, len,
				    "prefix-len: of which address?");
		return -EINVAL;
	}
	if (!addr)
		return 0;
	net->family = nla_len(addr) == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	memcpy(&net->addr, nla_data(addr), nla_len(addr));
	net->bits = len ? nla_get_u8(len) : 8 * nla_len(addr);
	if (net->bits > 8 * nla_len(addr)) {
		NL_SET_ERR_MSG_ATTR(extack, len,
				    "prefix-len: more bits than the address has");
		return -EINVAL;
	}
	if (filter->family && filter->family != net->family) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "address: another family than the rest of the filter");
		return -EINVAL;
	}
	filter->family = net->family;
	return 0;
}

static int parse_ends(struct nlattr **tb, struct udptrack_filter *filter,
		      struct netlink_ext_ack *extack)
{
	const struct {
		int addr, len;
		struct udptrack_filter_net *net;
	} ends[] = {
		{ UDPTRACK_A_FILTER_SRC, UDPTRACK_A_FILTER_SRC_PREFIX_LEN,
		  &filter->src },
		{ UDPTRACK_A_FILTER_DST, UDPTRACK_A_FILTER_DST_PREFIX_LEN,
		  &filter->dst },
		{ UDPTRACK_A_FILTER_REPLY_SRC,
		  UDPTRACK_A_FILTER_REPLY_SRC_PREFIX_LEN, &filter->reply_src },
		{ UDPTRACK_A_FILTER_REPLY_DST,
		  UDPTRACK_A_FILTER_REPLY_DST_PREFIX_LEN, &filter->reply_dst },
	};
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		err = parse_net(tb[ends[i].addr], tb[ends[i].len], filter,
				ends[i].net, extack);
		if (err)
			return err;
	}
	return 0;
}

static int parse_family(const struct nlattr *attr,
			struct udptrack_filter *filter,
			struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	switch (nla_get_u8(attr)) {
	case AF_INET:
		filter->family = NFPROTO_IPV4;
		return 0;
	case AF_INET6:
		filter->family = NFPROTO_IPV6;
		return 0;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "family: neither AF_INET nor AF_INET6");
		return -EINVAL;
	}
}

static int parse_uid(const struct nlattr *attr, struct user_namespace *ns,
		     struct udptrack_filter *filter,
		     struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	filter->uid = make_kuid(ns, nla_get_u32(attr));
	if (uid_valid(filter->uid))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "uid: no such user in this user namespace");
	return -EINVAL;
}

static int parse_filter(const struct nlattr *nest, struct user_namespace *ns,
			struct udptrack_filter *filter,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[UDPTRACK_A_FILTER_MAX + 1];
	unsigned int type;
	int err;

	err = nla_parse_nested(tb, UDPTRACK_A_FILTER_MAX, nest, filter_policy,
			       extack);
	if (!err)
		err = parse_family(tb[UDPTRACK_A_FILTER_FAMILY], filter,
				   extack);
	if (!err)
		err = parse_ends(tb, filter, extack);
	if (!err)
		err = parse_uid(tb[UDPTRACK_A_FILTER_UID], ns, filter, extack);
	if (err)
		return err;
	for (type = 1; type <= UDPTRACK_A_FILTER_MAX; type++)
		filter->given |= tb[type] ? BIT(type) : 0;
	if (tb[UDPTRACK_A_FILTER_SRC_PORT])
		filter->sport = nla_get_be16(tb[UDPTRACK_A_FILTER_SRC_PORT]);
	if (tb[UDPTRACK_A_FILTER_DST_PORT])
		filter->dport = nla_get_be16(tb[UDPTRACK_A_FILTER_DST_PORT]);
	if (tb[UDPTRACK_A_FILTER_STATE])
		filter->state = nla_get_u32(tb[UDPTRACK_A_FILTER_STATE]);
	if (tb[UDPTRACK_A_FILTER_STATUS])
		filter->status = nla_get_u32(tb[UDPTRACK_A_FILTER_STATUS]);
	if (tb[UDPTRACK_A_FILTER_COMM])
		nla_strscpy(filter->comm, tb[UDPTRACK_A_FILTER_COMM],
			    sizeof(filter->comm));
	if (tb[UDPTRACK_A_FILTER_DNS_TROUBLE])
		filter->dns_trouble =
			nla_get_u32(tb[UDPTRACK_A_FILTER_DNS_TROUBLE]);
	return 0;
}

/**
 * udptrack_ask_parse - find out which flows are meant
 * @attrs:  of the request, by UDPTRACK_A_FLOW_*, as the policy wants them
 * @ns:     the user namespace in whose numbers it names users
 * @ask:    filled in
 * @extack: told what is wrong
 *
 * Context: process.
 * Return: 0, or -EINVAL when that makes no sense.
 */
int udptrack_ask_parse(struct nlattr **attrs, struct user_namespace *ns,
		       struct udptrack_ask *ask,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *filter = attrs[UDPTRACK_A_FLOW_FILTER];
	const struct nlattr *id = attrs[UDPTRACK_A_FLOW_ID];
	int err;

	memset(ask, 0, sizeof(*ask));
	err = parse_tuples(attrs, ask, extack);
	if (err)
		return err;
	if (id && nla_get_u64(id) > ULONG_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, id, "id: no flow has such a one");
		return -EINVAL;
	}
	if (id)
		ask->id = nla_get_u64(id);
	if (!filter)
		return 0;
	err = parse_filter(filter, ns, &ask->filter, extack);
	ask->has_filter = ask->filter.given;
	return err;
}
