/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flows are meant: see filter.c. */
#ifndef UDPTRACK_CLI_FILTER_H
#define UDPTRACK_CLI_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

/* What a filter may say of an address. */
enum filter_addr {
	FILTER_SRC, FILTER_DST, FILTER_REPLY_SRC, FILTER_REPLY_DST,
	FILTER_ADDRS
};

/**
 * struct filter - all of it must hold, of the original direction
 * @family:    AF_INET or AF_INET6; 0 for either
 * @addr:      addresses, of which @bits count, if @given
 * @scope:     index of the interface that came with a link-local address; 0
 *             for none
 * @has_sport: whether @sport counts
 * @has_dport: whether @dport counts
 * @has_uid:   whether @uid counts
 * @sport:     port of the sender
 * @dport:     port of the receiver
 * @state:     enum udptrack_flow_state; 0 for any
 * @status:    enum udptrack_flow_status bits, all of them
 * @uid:       of the owner
 * @comm:      the owner's command; empty for any
 * @trouble:   enum udptrack_dns_trouble bits, any of them; 0 does not matter
 */
struct filter {
	int family;
	struct {
		bool given;
		union flow_addr addr;
		uint8_t bits;
	} addr[FILTER_ADDRS];
	uint32_t scope;
	bool has_sport, has_dport, has_uid;
	uint16_t sport, dport;
	uint32_t state, status;
	uint32_t uid;
	char comm[FLOW_COMM_LEN + 1];
	uint32_t trouble;
};

const char *filter_addr(struct filter *filter, enum filter_addr which,
			const char *text);
const char *filter_family(struct filter *filter, const char *text);
const char *filter_port(struct filter *filter, bool source, const char *text);
const char *filter_state(struct filter *filter, const char *text);
const char *filter_status(struct filter *filter, const char *text);
const char *filter_uid(struct filter *filter, const char *text);
const char *filter_comm(struct filter *filter, const char *text);
bool filter_empty(const struct filter *filter);
bool filter_whole_addr(const struct filter *filter, enum filter_addr which);
void filter_put(struct nlmsghdr *nlh, const struct filter *filter);
bool filter_means(const struct filter *filter, const struct flow *flow);

#endif
