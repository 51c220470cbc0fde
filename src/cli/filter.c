// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter - which flows the user means: made of the options' arguments, told to
 * the kernel, and for events, which the kernel does not filter, applied here.
 *
 * Owns nothing. What a filter means is said in udptrack.yaml.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "filter.h"
#include "words.h"

static const char *set_family(struct filter *filter, int family)
{
	if (filter->family && filter->family != family)
		return "is of one family, and another option of the other";
	filter->family = family;
	return NULL;
}

/* Of an address only so many bits are kept. */
static void mask(union flow_addr *addr, unsigned int bits)
{
	unsigned char *bytes = (unsigned char *)addr;
	unsigned int i, left;

	for (i = 0; i < sizeof(*addr); i++) {
		left = bits > 8 * i ? bits - 8 * i : 0;
		if (left < 8)
			bytes[i] &= 0xff00 >> left;
	}
}

/**
 * filter_addr - mean flows with such an address
 * @filter: the filter
 * @which:  which of the flow's addresses
 * @text:   ADDRESS[%INTERFACE][/BITS]
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_addr(struct filter *filter, enum filter_addr which,
			const char *text)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	union flow_addr addr = { 0 };
	unsigned long bits = 0;
	char *slash, *percent;
	int family = AF_INET;

	if (strlen(text) >= sizeof(host))
		return "is not an address";
	strcpy(host, text);
	slash = strchr(host, '/');
	if (slash)
		*slash++ = 0;
	percent = strchr(host, '%');
	if (percent) {
		*percent++ = 0;
		filter->scope = if_nametoindex(percent);
		if (!filter->scope)
			return "names an interface that does not exist";
	}
	if (inet_pton(AF_INET, host, &addr) != 1) {
		family = AF_INET6;
		if (inet_pton(AF_INET6, host, &addr) != 1)
			return "is not an address";
	}
	bits = family == AF_INET ? 32 : 128;
	if (slash && !words_number(slash, bits, &bits))
		return "has not as many bits as stand after the '/'";
	mask(&addr, bits);
	filter->addr[which].given = true;
	filter->addr[which].addr = addr;
	filter->addr[which].bits = bits;
	return set_family(filter, family);
}

/**
 * filter_family - mean flows of a family
 * @filter: the filter
 * @text:   ipv4 or ipv6
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_family(struct filter *filter, const char *text)
{
	if (!strcmp(text, "ipv4"))
		return set_family(filter, AF_INET);
	if (!strcmp(text, "ipv6"))
		return set_family(filter, AF_INET6);
	return "is neither ipv4 nor ipv6";
}

/**
 * filter_port - mean flows with such a port
 * @filter: the filter
 * @source: of the sender, not of the receiver
 * @text:   a number, or the name of a service
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_port(struct filter *filter, bool source, const char *text)
{
	struct servent *service;
	unsigned long port;

	if (!words_number(text, 65535, &port)) {
		service = getservbyname(text, "udp");
		if (!service)
			return "is neither a port nor a service of UDP";
		port = ntohs(service->s_port);
	}
	*(source ? &filter->sport : &filter->dport) = port;
	*(source ? &filter->has_sport : &filter->has_dport) = true;
	return NULL;
}

static const char *set_state(struct filter *filter, uint32_t state)
{
	if ((filter->state && filter->state != state) ||
	    (state == UDPTRACK_FLOW_STATE_NEW && filter->status &
	     (UDPTRACK_FLOW_STATUS_SEEN_REPLY | UDPTRACK_FLOW_STATUS_ASSURED)))
		return "contradicts another option: no flow can be both";
	filter->state = state;
	return NULL;
}

/**
 * filter_state - mean flows in a state
 * @filter: the filter
 * @text:   NEW or ESTABLISHED
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_state(struct filter *filter, const char *text)
{
	if (!strcasecmp(text, "NEW"))
		return set_state(filter, UDPTRACK_FLOW_STATE_NEW);
	if (!strcasecmp(text, "ESTABLISHED"))
		return set_state(filter, UDPTRACK_FLOW_STATE_ESTABLISHED);
	return "is not the state of a flow; there are NEW and ESTABLISHED";
}

/**
 * filter_status - mean flows of a status
 * @filter: the filter
 * @text:   names with commas between them; all must hold
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_status(struct filter *filter, const char *text)
{
	static const char *const names[] = {
		"SEEN_REPLY", "ASSURED", "EXPECTED", "UNREPLIED", NULL
	};
	unsigned int bits;

	if (!words_list(text, names, &bits))
		return "is not a status; there are ASSURED, SEEN_REPLY, UNREPLIED and EXPECTED";
	filter->status |= bits & 7;
	if (bits & 8 || filter->state == UDPTRACK_FLOW_STATE_NEW)
		return set_state(filter, UDPTRACK_FLOW_STATE_NEW);
	return NULL;
}

/**
 * filter_uid - mean flows of a user
 * @filter: the filter
 * @text:   name or number
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_uid(struct filter *filter, const char *text)
{
	struct passwd *user;
	unsigned long uid;

	if (!words_number(text, UINT32_MAX - 1, &uid)) {
		user = getpwnam(text);
		if (!user)
			return "is neither a user's name nor a number";
		uid = user->pw_uid;
	}
	filter->uid = uid;
	filter->has_uid = true;
	return NULL;
}

/**
 * filter_comm - mean flows of a command
 * @filter: the filter
 * @text:   its name, of which the kernel knows no more than 15 bytes
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *filter_comm(struct filter *filter, const char *text)
{
	if (!*text)
		return "is not a command";
	snprintf(filter->comm, sizeof(filter->comm), "%s", text);
	return NULL;
}

/**
 * filter_empty - is every flow meant?
 * @filter: the filter
 *
 * Return: whether it is.
 */
bool filter_empty(const struct filter *filter)
{
	static const struct filter empty;

	return !memcmp(filter, &empty, sizeof(empty));
}

/**
 * filter_whole_addr - does it name one address?
 * @filter: the filter
 * @which:  which of the flow's addresses
 *
 * Return: whether it does; a part of one does not count.
 */
bool filter_whole_addr(const struct filter *filter, enum filter_addr which)
{
	return filter->addr[which].given &&
	       filter->addr[which].bits == (filter->family == AF_INET ? 32 : 128);
}

static void put_addr(struct nlmsghdr *nlh, const struct filter *filter,
		     enum filter_addr which)
{
	static const struct {
		uint16_t addr, bits;
	} types[] = {
		[FILTER_SRC] = { UDPTRACK_A_FILTER_SRC,
				 UDPTRACK_A_FILTER_SRC_PREFIX_LEN },
		[FILTER_DST] = { UDPTRACK_A_FILTER_DST,
				 UDPTRACK_A_FILTER_DST_PREFIX_LEN },
		[FILTER_REPLY_SRC] = { UDPTRACK_A_FILTER_REPLY_SRC,
				       UDPTRACK_A_FILTER_REPLY_SRC_PREFIX_LEN },
		[FILTER_REPLY_DST] = { UDPTRACK_A_FILTER_REPLY_DST,
				       UDPTRACK_A_FILTER_REPLY_DST_PREFIX_LEN },
	};

	if (!filter->addr[which].given)
		return;
	mnl_attr_put(nlh, types[which].addr, filter->family == AF_INET ? 4 : 16,
		     &filter->addr[which].addr);
	mnl_attr_put_u8(nlh, types[which].bits, filter->addr[which].bits);
}

/**
 * filter_put - add a filter to a request
 * @nlh:    the request
 * @filter: the filter; nothing is added when every flow is meant
 */
void filter_put(struct nlmsghdr *nlh, const struct filter *filter)
{
	struct nlattr *nest;
	enum filter_addr which;

	if (filter_empty(filter))
		return;
	nest = mnl_attr_nest_start(nlh, UDPTRACK_A_FLOW_FILTER);
	if (filter->family)
		mnl_attr_put_u8(nlh, UDPTRACK_A_FILTER_FAMILY, filter->family);
	for (which = 0; which < FILTER_ADDRS; which++)
		put_addr(nlh, filter, which);
	if (filter->has_sport)
		mnl_attr_put_u16(nlh, UDPTRACK_A_FILTER_SRC_PORT, htons(filter->sport));
	if (filter->has_dport)
		mnl_attr_put_u16(nlh, UDPTRACK_A_FILTER_DST_PORT, htons(filter->dport));
	if (filter->state)
		mnl_attr_put_u32(nlh, UDPTRACK_A_FILTER_STATE, filter->state);
	if (filter->status)
		mnl_attr_put_u32(nlh, UDPTRACK_A_FILTER_STATUS, filter->status);
	if (filter->has_uid)
		mnl_attr_put_u32(nlh, UDPTRACK_A_FILTER_UID, filter->uid);
	if (*filter->comm)
		mnl_attr_put_strz(nlh, UDPTRACK_A_FILTER_COMM, filter->comm);
	if (filter->trouble)
		mnl_attr_put_u32(nlh, UDPTRACK_A_FILTER_DNS_TROUBLE, filter->trouble);
	mnl_attr_nest_end(nlh, nest);
}

static bool means_addr(const struct filter *filter, enum filter_addr which,
		       const union flow_addr *addr)
{
	union flow_addr there = *addr;

	if (!filter->addr[which].given)
		return true;
	mask(&there, filter->addr[which].bits);
	return !memcmp(&there, &filter->addr[which].addr,
		       filter->family == AF_INET ? 4 : 16);
}

static bool means_owner(const struct filter *filter, const struct flow *flow)
{
	if (filter->has_uid && !(flow->has_uid && flow->uid == filter->uid))
		return false;
	return !*filter->comm || !strcmp(flow->comm, filter->comm);
}

static bool means_dns(const struct filter *filter, const struct flow *flow)
{
	uint32_t trouble = 0;

	if (!filter->trouble)
		return true;
	if (flow->dns.forged)
		trouble |= UDPTRACK_DNS_TROUBLE_FORGED;
	if (flow->dns.out || flow->dns.unanswered)
		trouble |= UDPTRACK_DNS_TROUBLE_UNANSWERED;
	return filter->trouble & trouble;
}

/**
 * filter_means - is this flow meant?
 * @filter: the filter
 * @flow:   the flow
 *
 * Return: whether it is.
 */
bool filter_means(const struct filter *filter, const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIGINAL];
	const struct flow_tuple *reply = &flow->tuple[FLOW_REPLY];

	if (filter->family && flow->family != filter->family)
		return false;
	if ((filter->has_sport && orig->sport != filter->sport) ||
	    (filter->has_dport && orig->dport != filter->dport))
		return false;
	if ((filter->state && flow->state != filter->state) ||
	    (flow->status & filter->status) != filter->status)
		return false;
	return means_addr(filter, FILTER_SRC, &orig->src) &&
	       means_addr(filter, FILTER_DST, &orig->dst) &&
	       means_addr(filter, FILTER_REPLY_SRC, &reply->src) &&
	       means_addr(filter, FILTER_REPLY_DST, &reply->dst) &&
	       means_owner(filter, flow) && means_dns(filter, flow);
}
