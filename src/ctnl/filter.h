/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flows a request is about: see filter.c. */
#ifndef UDPTRACK_CTNL_FILTER_H
#define UDPTRACK_CTNL_FILTER_H

#include <linux/netlink.h>
#include <linux/types.h>

#include "../tuple.h"

struct udptrack_snapshot;

/**
 * struct udptrack_ctnl_tuple - a tuple as a request names it
 * @ends:  addresses and ports; never a scope, which conntrack does not know
 * @proto: protocol; ports are there only for UDP
 * @zone:  conntrack zone
 */
struct udptrack_ctnl_tuple {
	struct udptrack_tuple ends;
	u8 proto;
	u16 zone;
};

/**
 * struct udptrack_ctnl_filter - which flows
 * @family:      NFPROTO_IPV4 or NFPROTO_IPV6, 0 for both
 * @nothing:     none at all: those with a mark or in a zone, which none has
 * @status_mask: IPS_* bits that matter
 * @status:      what they must be
 * @flags:       by direction: which parts of @tuple matter
 * @tuple:       by direction: what they must be
 */
struct udptrack_ctnl_filter {
	u8 family;
	bool nothing;
	u32 status_mask;
	u32 status;
	u32 flags[2];
	struct udptrack_ctnl_tuple tuple[2];
};

int udptrack_ctnl_tuple_parse(const struct nlattr *attr, u8 family,
			      struct udptrack_ctnl_tuple *tuple,
			      struct netlink_ext_ack *extack);
bool udptrack_ctnl_filter_wanted(const struct nlattr * const cda[], u8 family);
int udptrack_ctnl_filter_parse(const struct nlattr * const cda[], u8 family,
			       struct udptrack_ctnl_filter *filter,
			       struct netlink_ext_ack *extack);
bool udptrack_ctnl_filter_match(const struct udptrack_snapshot *flow,
				const void *filter);

#endif
