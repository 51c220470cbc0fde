// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow - makes a struct flow of the attributes of a message, and the other way
 * round.
 *
 * Owns nothing. Trusts no length; attributes that it does not know, of a newer
 * tracker, it passes over.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "flow.h"
#include "nl.h"

static bool read_addr(const struct nlattr *attr, size_t len, union flow_addr *addr)
{
	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return false;
	memcpy(addr, mnl_attr_get_payload(attr), len);
	return true;
}

static bool read_tuple(const struct nlattr *nest, struct flow *flow,
		       struct flow_tuple *tuple)
{
	struct nl_attrs part = nl_nested(nest);
	struct nl_attrs ip = nl_nested(part.at[UDPTRACK_A_TUPLE_IP]);
	struct nl_attrs proto = nl_nested(part.at[UDPTRACK_A_TUPLE_PROTO]);

	tuple->sport = ntohs(nl_uint(proto.at[UDPTRACK_A_TUPLE_PROTO_SRC_PORT]));
	tuple->dport = ntohs(nl_uint(proto.at[UDPTRACK_A_TUPLE_PROTO_DST_PORT]));
	tuple->scope = nl_uint(part.at[UDPTRACK_A_TUPLE_SCOPE]);
	flow->family = ip.at[UDPTRACK_A_TUPLE_IP_V4_SRC] ? AF_INET : AF_INET6;
	if (flow->family == AF_INET)
		return read_addr(ip.at[UDPTRACK_A_TUPLE_IP_V4_SRC], 4, &tuple->src) &&
		       read_addr(ip.at[UDPTRACK_A_TUPLE_IP_V4_DST], 4, &tuple->dst);
	return read_addr(ip.at[UDPTRACK_A_TUPLE_IP_V6_SRC], 16, &tuple->src) &&
	       read_addr(ip.at[UDPTRACK_A_TUPLE_IP_V6_DST], 16, &tuple->dst);
}

static void read_counters(const struct nlattr *nest, struct flow *flow,
			  enum flow_dir dir)
{
	struct nl_attrs attrs = nl_nested(nest);

	flow->has_traffic[dir] = nest;
	flow->traffic[dir].packets = nl_uint(attrs.at[UDPTRACK_A_COUNTERS_PACKETS]);
	flow->traffic[dir].bytes = nl_uint(attrs.at[UDPTRACK_A_COUNTERS_BYTES]);
}

static void read_timestamp(const struct nlattr *nest, struct flow *flow)
{
	struct nl_attrs attrs = nl_nested(nest);

	flow->start_ns = nl_uint(attrs.at[UDPTRACK_A_TIMESTAMP_START]);
	flow->stop_ns = nl_uint(attrs.at[UDPTRACK_A_TIMESTAMP_STOP]);
}

static void read_owner(const struct nlattr *nest, struct flow *flow)
{
	struct nl_attrs attrs = nl_nested(nest);

	flow->has_uid = attrs.at[UDPTRACK_A_OWNER_UID];
	flow->uid = nl_uint(attrs.at[UDPTRACK_A_OWNER_UID]);
	flow->pid = nl_uint(attrs.at[UDPTRACK_A_OWNER_PID]);
	flow->cgroup = nl_uint(attrs.at[UDPTRACK_A_OWNER_CGROUP]);
	snprintf(flow->comm, sizeof(flow->comm), "%s",
		 nl_string(attrs.at[UDPTRACK_A_OWNER_COMM]));
}

static void read_dns(const struct nlattr *nest, struct flow *flow)
{
	struct nl_attrs attrs = nl_nested(nest);

	flow->has_dns = nest;
	flow->dns.out = nl_uint(attrs.at[UDPTRACK_A_FLOW_DNS_OUT]);
	flow->dns.ok = nl_uint(attrs.at[UDPTRACK_A_FLOW_DNS_OK]);
	flow->dns.forged = nl_uint(attrs.at[UDPTRACK_A_FLOW_DNS_FORGED]);
	flow->dns.rtt_us = nl_uint(attrs.at[UDPTRACK_A_FLOW_DNS_RTT_US]);
	flow->dns.unanswered = nl_uint(attrs.at[UDPTRACK_A_FLOW_DNS_UNANSWERED]);
}

/**
 * flow_parse - read a flow, or an event about one
 * @nlh:  a message of the tracker's family
 * @flow: becomes what it says
 *
 * Return: whether it is a flow: it has endpoints.
 */
bool flow_parse(const struct nlmsghdr *nlh, struct flow *flow)
{
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(struct genlmsghdr));

	static_assert(UDPTRACK_A_FLOW_MAX <= NL_ATTR_MAX, "room for all");
	memset(flow, 0, sizeof(*flow));
	flow->id = nl_uint(attrs.at[UDPTRACK_A_FLOW_ID]);
	flow->state = nl_uint(attrs.at[UDPTRACK_A_FLOW_STATE]);
	flow->status = nl_uint(attrs.at[UDPTRACK_A_FLOW_STATUS]);
	flow->has_timeout = attrs.at[UDPTRACK_A_FLOW_TIMEOUT];
	flow->timeout_sec = nl_uint(attrs.at[UDPTRACK_A_FLOW_TIMEOUT]);
	flow->seq = nl_uint(attrs.at[UDPTRACK_A_FLOW_EVENT_SEQ]);
	flow->change = nl_uint(attrs.at[UDPTRACK_A_FLOW_CHANGE]);
	flow->reason = nl_uint(attrs.at[UDPTRACK_A_FLOW_REASON]);
	flow->alert = nl_uint(attrs.at[UDPTRACK_A_FLOW_ALERT]);
	read_counters(attrs.at[UDPTRACK_A_FLOW_COUNTERS_ORIG], flow, FLOW_ORIGINAL);
	read_counters(attrs.at[UDPTRACK_A_FLOW_COUNTERS_REPLY], flow, FLOW_REPLY);
	read_timestamp(attrs.at[UDPTRACK_A_FLOW_TIMESTAMP], flow);
	read_owner(attrs.at[UDPTRACK_A_FLOW_OWNER], flow);
	read_dns(attrs.at[UDPTRACK_A_FLOW_DNS], flow);
	return read_tuple(attrs.at[UDPTRACK_A_FLOW_TUPLE_ORIG], flow,
			  &flow->tuple[FLOW_ORIGINAL]) &&
	       read_tuple(attrs.at[UDPTRACK_A_FLOW_TUPLE_REPLY], flow,
			  &flow->tuple[FLOW_REPLY]);
}

/**
 * flow_put_tuple - add endpoints to a request
 * @nlh:    the request
 * @type:   UDPTRACK_A_FLOW_TUPLE_ORIG or _REPLY
 * @family: AF_INET or AF_INET6
 * @tuple:  the endpoints
 */
void flow_put_tuple(struct nlmsghdr *nlh, uint16_t type, int family,
		    const struct flow_tuple *tuple)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);
	struct nlattr *part = mnl_attr_nest_start(nlh, UDPTRACK_A_TUPLE_IP);
	bool v4 = family == AF_INET;
	size_t len = v4 ? 4 : 16;

	mnl_attr_put(nlh, v4 ? UDPTRACK_A_TUPLE_IP_V4_SRC :
			       UDPTRACK_A_TUPLE_IP_V6_SRC, len, &tuple->src);
	mnl_attr_put(nlh, v4 ? UDPTRACK_A_TUPLE_IP_V4_DST :
			       UDPTRACK_A_TUPLE_IP_V6_DST, len, &tuple->dst);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, UDPTRACK_A_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, UDPTRACK_A_TUPLE_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(nlh, UDPTRACK_A_TUPLE_PROTO_SRC_PORT, htons(tuple->sport));
	mnl_attr_put_u16(nlh, UDPTRACK_A_TUPLE_PROTO_DST_PORT, htons(tuple->dport));
	mnl_attr_nest_end(nlh, part);
	if (tuple->scope)
		mnl_attr_put_u32(nlh, UDPTRACK_A_TUPLE_SCOPE, tuple->scope);
	mnl_attr_nest_end(nlh, nest);
}

/**
 * flow_addr_text - write an address
 * @family: AF_INET or AF_INET6
 * @addr:   the address
 * @buf:    room for it
 *
 * Return: @buf.
 */
const char *flow_addr_text(int family, const union flow_addr *addr,
			   char buf[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(family, addr, buf, INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "?");
	return buf;
}

/**
 * flow_comm_text - write the owner's command as /proc/net/udptrack does
 * @flow: the flow
 * @buf:  room for it
 *
 * A space is \040 and a backslash \\; what cannot be printed is \n and so on
 * where C has a letter for it, octal elsewhere. The kernel takes Latin-1 as
 * printable.
 *
 * Return: @buf.
 */
const char *flow_comm_text(const struct flow *flow,
			   char buf[4 * FLOW_COMM_LEN + 1])
{
	static const char letters[] = "\n\r\t\v\f\\\a\033", names[] = "nrtvf\\ae";
	const unsigned char *from = (const unsigned char *)flow->comm;
	const char *letter;
	char *to = buf;

	for (; *from; from++) {
		letter = strchr(letters, *from);
		if (letter)
			to += sprintf(to, "\\%c", names[letter - letters]);
		else if ((*from > ' ' && *from < 0x7f) || *from >= 0xa0)
			*to++ = *from;
		else
			to += sprintf(to, "\\%03o", *from);
	}
	*to = 0;
	return buf;
}
