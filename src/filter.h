/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flows somebody means: see filter.c. */
#ifndef UDPTRACK_FILTER_H
#define UDPTRACK_FILTER_H

#include <linux/netfilter.h>
#include <linux/types.h>

#include "table.h"

/**
 * struct udptrack_filter_net - addresses that begin alike
 * @addr:   one of them
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6; 0 where any address will do
 * @bits:   of @addr that count
 */
struct udptrack_filter_net {
	union nf_inet_addr addr;
	u8 family;
	u8 bits;
};

/**
 * struct udptrack_filter - what flows must be like
 * @given:       what else than the families of addresses matters, as bits of
 *               UDPTRACK_A_FILTER_*
 * @family:      NFPROTO_IPV4 or NFPROTO_IPV6
 * @src:         of the original direction, as all below
 * @dst:         likewise
 * @reply_src:   of the reply direction
 * @reply_dst:   likewise
 * @sport:       source port
 * @dport:       destination port
 * @state:       enum udptrack_flow_state
 * @status:      enum udptrack_flow_status bits, all of them
 * @uid:         the owner's user
 * @comm:        the owner's command
 * @dns_trouble: enum udptrack_dns_trouble bits, any of them
 */
struct udptrack_filter {
	unsigned int given;
	u8 family;
	struct udptrack_filter_net src;
	struct udptrack_filter_net dst;
	struct udptrack_filter_net reply_src;
	struct udptrack_filter_net reply_dst;
	__be16 sport;
	__be16 dport;
	u32 state;
	u32 status;
	kuid_t uid;
	char comm[TASK_COMM_LEN];
	u32 dns_trouble;
};

u32 udptrack_filter_state(const struct udptrack_snapshot *flow);
u32 udptrack_filter_status(const struct udptrack_snapshot *flow);
bool udptrack_filter_means(const struct udptrack_filter *filter,
			   const struct udptrack_snapshot *flow);

#endif
