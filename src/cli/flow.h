/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow, as the tracker tells of it: see flow.c. */
#ifndef UDPTRACK_CLI_FLOW_H
#define UDPTRACK_CLI_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "../../include/uapi/linux/udptrack.h"

/* The command of a process, without the byte that ends it. */
#define FLOW_COMM_LEN	15

/**
 * union flow_addr - an address of the family of its flow
 * @in:  AF_INET
 * @in6: AF_INET6
 */
union flow_addr {
	struct in_addr in;
	struct in6_addr in6;
};

/**
 * struct flow_tuple - the endpoints, as one direction goes
 * @src:   address of the sender
 * @dst:   address of the receiver
 * @sport: port of the sender, in the host's byte order
 * @dport: port of the receiver, likewise
 * @scope: index of the interface where an address is only valid on its link
 */
struct flow_tuple {
	union flow_addr src, dst;
	uint16_t sport, dport;
	uint32_t scope;
};

enum flow_dir { FLOW_ORIGINAL, FLOW_REPLY, FLOW_DIRS };

/**
 * struct flow - a flow, or an event about one
 * @family:      AF_INET or AF_INET6
 * @tuple:       of each direction
 * @id:          grows from flow to flow
 * @state:       enum udptrack_flow_state
 * @status:      enum udptrack_flow_status bits
 * @has_timeout: whether @timeout_sec was told
 * @timeout_sec: seconds to live
 * @has_traffic: whether @traffic was told of each direction
 * @traffic:     what each direction sent
 * @start_ns:    when it began, in nanoseconds since 1970; 0 when not told
 * @stop_ns:     when it ended, likewise
 * @has_uid:     whether @uid is known
 * @uid:         owner
 * @pid:         owner's process, or 0
 * @cgroup:      owner's cgroup, or 0
 * @comm:        owner's command, as it is; may be empty
 * @has_dns:     whether it asked DNS questions
 * @dns:         what became of them
 * @seq:         number of the event; 0 for none
 * @change:      enum udptrack_change bits, of an update
 * @reason:      enum udptrack_reason, of an end
 * @alert:       enum udptrack_alert, of DNS trouble
 */
struct flow {
	int family;
	struct flow_tuple tuple[FLOW_DIRS];
	unsigned long long id;
	uint32_t state;
	uint32_t status;
	bool has_timeout;
	uint32_t timeout_sec;
	bool has_traffic[FLOW_DIRS];
	struct {
		unsigned long long packets, bytes;
	} traffic[FLOW_DIRS];
	unsigned long long start_ns, stop_ns;
	bool has_uid;
	uint32_t uid, pid;
	unsigned long long cgroup;
	char comm[FLOW_COMM_LEN + 1];
	bool has_dns;
	struct {
		uint32_t out, ok, forged, rtt_us, unanswered;
	} dns;
	unsigned long long seq;
	uint32_t change, reason, alert;
};

bool flow_parse(const struct nlmsghdr *nlh, struct flow *flow);
void flow_put_tuple(struct nlmsghdr *nlh, uint16_t type, int family,
		    const struct flow_tuple *tuple);
const char *flow_addr_text(int family, const union flow_addr *addr,
			   char buf[INET6_ADDRSTRLEN]);
const char *flow_comm_text(const struct flow *flow,
			   char buf[4 * FLOW_COMM_LEN + 1]);

#endif
