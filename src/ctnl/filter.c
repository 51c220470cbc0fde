// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter - which flows a request of conntrack is about.
 *
 * Owns the reading of tuples and filters from attributes, by the rules of
 * nf_conntrack_netlink: a tuple names one conversation, whichever direction it
 * is of; a filter names parts of tuples, status bits, a mark and a zone. No
 * flow of ours has a mark or a zone, so that a filter for one is met by none.
 * Pure.
 */
#include <linux/bits.h>
#include <linux/in.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <net/netlink.h>

#include "../netns.h"
#include "entry.h"
#include "filter.h"

/* Bits of CTA_FILTER_ORIG_FLAGS and CTA_FILTER_REPLY_FLAGS. */
#define FILTER_SRC		BIT(0)
#define FILTER_DST		BIT(1)
#define FILTER_ZONE		BIT(2)
#define FILTER_PROTO		BIT(3)
#define FILTER_SPORT		BIT(4)
#define FILTER_DPORT		BIT(5)
/* Type, code and id of ICMP and ICMPv6 follow, which UDP has none of. */
#define FILTER_NEEDS_PROTO	GENMASK(11, 4)
#define FILTER_ALL		GENMASK(11, 0)

static const struct nla_policy tuple_policy[CTA_TUPLE_MAX + 1] = {
	[CTA_TUPLE_IP] = { .type = NLA_NESTED },
	[CTA_TUPLE_PROTO] = { .type = NLA_NESTED },
	[CTA_TUPLE_ZONE] = { .type = NLA_U16 },
};

static const struct nla_policy ip_policy[CTA_IP_MAX + 1] = {
	[CTA_IP_V4_SRC] = { .type = NLA_U32 },
	[CTA_IP_V4_DST] = { .type = NLA_U32 },
	[CTA_IP_V6_SRC] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[CTA_IP_V6_DST] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
};

static const struct nla_policy proto_policy[CTA_PROTO_MAX + 1] = {
	[CTA_PROTO_NUM] = { .type = NLA_U8 },
	[CTA_PROTO_SRC_PORT] = { .type = NLA_U16 },
	[CTA_PROTO_DST_PORT] = { .type = NLA_U16 },
};

static const struct nla_policy filter_policy[CTA_FILTER_MAX + 1] = {
	[CTA_FILTER_ORIG_FLAGS] = NLA_POLICY_MASK(NLA_U32, FILTER_ALL),
	[CTA_FILTER_REPLY_FLAGS] = NLA_POLICY_MASK(NLA_U32, FILTER_ALL),
};

static int parse_address(const struct nlattr *v4, const struct nlattr *v6,
			 u8 family, union nf_inet_addr *addr,
			 struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = family == NFPROTO_IPV4 ? v4 : v6;

	if (!attr) {
		NL_SET_ERR_MSG(extack, "tuple lacks an address of its family");
		return -EINVAL;
	}
	if (family == NFPROTO_IPV4)
		addr->ip = nla_get_in_addr(attr);
	else
		addr->in6 = nla_get_in6_addr(attr);
	return 0;
}

static int parse_ip(const struct nlattr *attr, u32 flags,
		    struct udptrack_tuple *ends, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CTA_IP_MAX + 1];
	int err;

	if (!(flags & (FILTER_SRC | FILTER_DST)))
		return 0;
	if (!attr) {
		NL_SET_ERR_MSG(extack, "tuple lacks its addresses");
		return -EINVAL;
	}
	err = nla_parse_nested_deprecated(tb, CTA_IP_MAX, attr, ip_policy,
					  extack);
	if (!err && (flags & FILTER_SRC))
		err = parse_address(tb[CTA_IP_V4_SRC], tb[CTA_IP_V6_SRC],
				    ends->family, &ends->src, extack);
	if (!err && (flags & FILTER_DST))
		err = parse_address(tb[CTA_IP_V4_DST], tb[CTA_IP_V6_DST],
				    ends->family, &ends->dst, extack);
	return err;
}

static int parse_port(const struct nlattr *attr, __be16 *port,
		      struct netlink_ext_ack *extack)
{
	if (!attr) {
		NL_SET_ERR_MSG(extack, "tuple lacks a port");
		return -EINVAL;
	}
	*port = nla_get_be16(attr);
	return 0;
}

static int parse_proto(const struct nlattr *attr, u32 flags,
		       struct udptrack_ctnl_tuple *tuple,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CTA_PROTO_MAX + 1];
	int err;

	if (!(flags & FILTER_PROTO)) {
		if (!(flags & FILTER_NEEDS_PROTO))
			return 0;
		NL_SET_ERR_MSG(extack, "ports without a protocol");
		return -EINVAL;
	}
	if (!attr) {
		NL_SET_ERR_MSG(extack, "tuple lacks its protocol");
		return -EINVAL;
	}
	err = nla_parse_nested_deprecated(tb, CTA_PROTO_MAX, attr, proto_policy,
					  extack);
	if (err)
		return err;
	if (!tb[CTA_PROTO_NUM]) {
		NL_SET_ERR_MSG(extack, "tuple lacks its protocol");
		return -EINVAL;
	}
	tuple->proto = nla_get_u8(tb[CTA_PROTO_NUM]);
	/* What other protocols have instead is of no interest: none is here. */
	if (tuple->proto != IPPROTO_UDP)
		return 0;
	if (flags & FILTER_SPORT)
		err = parse_port(tb[CTA_PROTO_SRC_PORT], &tuple->ends.sport,
				 extack);
	if (!err && (flags & FILTER_DPORT))
		err = parse_port(tb[CTA_PROTO_DST_PORT], &tuple->ends.dport,
				 extack);
	return err;
}

static int parse_tuple(const struct nlattr *attr, u8 family, u32 flags,
		       struct udptrack_ctnl_tuple *tuple,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CTA_TUPLE_MAX + 1];
	int err;

	memset(tuple, 0, sizeof(*tuple));
	err = nla_parse_nested_deprecated(tb, CTA_TUPLE_MAX, attr, tuple_policy,
					  extack);
	if (err)
		return err;
	if (family != NFPROTO_IPV4 && family != NFPROTO_IPV6) {
		NL_SET_ERR_MSG(extack, "neither IPv4 nor IPv6");
		return -EOPNOTSUPP;
	}
	tuple->ends.family = family;
	if ((flags & FILTER_ZONE) && tb[CTA_TUPLE_ZONE])
		tuple->zone = ntohs(nla_get_be16(tb[CTA_TUPLE_ZONE]));
	return parse_ip(tb[CTA_TUPLE_IP], flags, &tuple->ends, extack) ?:
	       parse_proto(tb[CTA_TUPLE_PROTO], flags, tuple, extack);
}

/**
 * udptrack_ctnl_tuple_parse - read a whole tuple
 * @attr:   CTA_TUPLE_ORIG or CTA_TUPLE_REPLY
 * @family: of the request
 * @tuple:  filled in
 * @extack: told what is wrong
 *
 * Context: any.
 * Return: 0, -EOPNOTSUPP for another family than IPv4 and IPv6, -EINVAL when
 * something is missing, or the error of a malformed attribute.
 */
int udptrack_ctnl_tuple_parse(const struct nlattr *attr, u8 family,
			      struct udptrack_ctnl_tuple *tuple,
			      struct netlink_ext_ack *extack)
{
	return parse_tuple(attr, family, FILTER_ALL, tuple, extack);
}

static int parse_mark(const struct nlattr * const cda[],
		      struct udptrack_ctnl_filter *filter,
		      struct netlink_ext_ack *extack)
{
	if (!cda[CTA_MARK] && cda[CTA_MARK_MASK]) {
		NL_SET_ERR_MSG(extack, "a mask without a mark");
		return -EINVAL;
	}
	/* All marks are 0, of which any mask leaves 0. */
	if (cda[CTA_MARK] && nla_get_be32(cda[CTA_MARK]))
		filter->nothing = true;
	return 0;
}

static int parse_status(const struct nlattr * const cda[],
			struct udptrack_ctnl_filter *filter,
			struct netlink_ext_ack *extack)
{
	if (!cda[CTA_STATUS]) {
		if (!cda[CTA_STATUS_MASK])
			return 0;
		NL_SET_ERR_MSG(extack, "a mask without a status");
		return -EINVAL;
	}
	filter->status = ntohl(nla_get_be32(cda[CTA_STATUS]));
	filter->status_mask = filter->status;
	if (cda[CTA_STATUS_MASK])
		filter->status_mask =
			ntohl(nla_get_be32(cda[CTA_STATUS_MASK]));
	if (filter->status_mask)
		return 0;
	NL_SET_ERR_MSG(extack, "a status of no bits");
	return -EINVAL;
}

/* By direction. */
static const int flags_attr[] = {
	CTA_FILTER_ORIG_FLAGS, CTA_FILTER_REPLY_FLAGS
};

static const int tuple_attr[] = { CTA_TUPLE_ORIG, CTA_TUPLE_REPLY };

static int parse_filter(const struct nlattr * const cda[],
			struct udptrack_ctnl_filter *filter,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CTA_FILTER_MAX + 1];
	unsigned int dir;
	int err;

	if (!cda[CTA_FILTER])
		return 0;
	err = nla_parse_nested(tb, CTA_FILTER_MAX, cda[CTA_FILTER],
			       filter_policy, extack);
	if (err)
		return err;
	for (dir = UDPTRACK_ORIGINAL; dir <= UDPTRACK_REPLY; dir++) {
		const struct nlattr *flags = tb[flags_attr[dir]];
		const struct nlattr *tuple = cda[tuple_attr[dir]];

		if (!flags || !nla_get_u32(flags))
			continue;
		if (!tuple) {
			NL_SET_ERR_MSG(extack, "a filter without its tuple");
			return -EINVAL;
		}
		filter->flags[dir] = nla_get_u32(flags);
		err = parse_tuple(tuple, filter->family, filter->flags[dir],
				  &filter->tuple[dir], extack);
		if (err)
			return err;
		if (filter->tuple[dir].zone)
			filter->nothing = true;
	}
	return 0;
}

/**
 * udptrack_ctnl_filter_wanted - does a request name some flows only?
 * @cda:    its attributes
 * @family: its family, 0 for all
 *
 * Context: any.
 * Return: true when a filter applies.
 */
bool udptrack_ctnl_filter_wanted(const struct nlattr * const cda[], u8 family)
{
	return family || cda[CTA_MARK] || cda[CTA_FILTER] || cda[CTA_STATUS] ||
	       cda[CTA_ZONE];
}

/**
 * udptrack_ctnl_filter_parse - read which flows a request is about
 * @cda:    its attributes
 * @family: its family, 0 for all
 * @filter: filled in
 * @extack: told what is wrong
 *
 * Context: any.
 * Return: 0, -EOPNOTSUPP for a tuple of another family than IPv4 and IPv6,
 * -EINVAL when something is missing or makes no sense, or the error of a
 * malformed attribute.
 */
int udptrack_ctnl_filter_parse(const struct nlattr * const cda[], u8 family,
			       struct udptrack_ctnl_filter *filter,
			       struct netlink_ext_ack *extack)
{
	memset(filter, 0, sizeof(*filter));
	filter->family = family;
	if (cda[CTA_ZONE] && nla_get_be16(cda[CTA_ZONE]))
		filter->nothing = true;
	return parse_mark(cda, filter, extack) ?:
	       parse_status(cda, filter, extack) ?:
	       parse_filter(cda, filter, extack);
}

static bool tuple_match(const struct udptrack_ctnl_filter *filter,
			enum udptrack_dir dir,
			const struct udptrack_tuple *flow)
{
	const struct udptrack_ctnl_tuple *want = &filter->tuple[dir];
	u32 flags = filter->flags[dir];

	return (!(flags & FILTER_SRC) ||
		nf_inet_addr_cmp(&want->ends.src,
				 dir ? &flow->dst : &flow->src)) &&
	       (!(flags & FILTER_DST) ||
		nf_inet_addr_cmp(&want->ends.dst,
				 dir ? &flow->src : &flow->dst)) &&
	       (!(flags & FILTER_PROTO) || want->proto == IPPROTO_UDP) &&
	       (!(flags & FILTER_SPORT) ||
		want->ends.sport == (dir ? flow->dport : flow->sport)) &&
	       (!(flags & FILTER_DPORT) ||
		want->ends.dport == (dir ? flow->sport : flow->dport));
}

/**
 * udptrack_ctnl_filter_match - is a request about this flow?
 * @flow:   the flow
 * @filter: struct udptrack_ctnl_filter
 *
 * Context: any.
 * Return: true when it is.
 */
bool udptrack_ctnl_filter_match(const struct udptrack_snapshot *flow,
				const void *filter)
{
	const struct udptrack_ctnl_filter *f = filter;

	return !f->nothing &&
	       (!f->family || f->family == flow->tuple.family) &&
	       (udptrack_ctnl_status(flow) & f->status_mask) == f->status &&
	       tuple_match(f, UDPTRACK_ORIGINAL, &flow->tuple) &&
	       tuple_match(f, UDPTRACK_REPLY, &flow->tuple);
}
