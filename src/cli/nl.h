/* SPDX-License-Identifier: GPL-2.0-only */
/* Talking to the tracker by generic netlink: see nl.c. */
#ifndef UDPTRACK_CLI_NL_H
#define UDPTRACK_CLI_NL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#define NL_REQUEST_SIZE		2048
#define NL_ANSWER_SIZE		65536

/**
 * struct nl - a way to the tracker
 * @sock:   the socket
 * @seq:    number of the last request
 * @family: number of the tracker's family
 * @group:  number of the group that is told of events
 * @error:  after a failure, what to tell the user
 */
struct nl {
	struct mnl_socket *sock;
	unsigned int seq;
	uint16_t family;
	uint32_t group;
	char error[512];
};

/* More than any message of the tracker or of the controller has. */
#define NL_ATTR_MAX	31

/* Attributes by their type; NULL where there is none. */
struct nl_attrs {
	const struct nlattr *at[NL_ATTR_MAX + 1];
};

int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
struct nlmsghdr *nl_begin(struct nl *nl, char *buf, uint8_t cmd,
			  uint16_t flags);
int nl_talk(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t answer, void *data);
int nl_listen(struct nl *nl, unsigned int buffer_bytes);
struct nl_attrs nl_attrs(const struct nlmsghdr *nlh, size_t skip);
struct nl_attrs nl_nested(const struct nlattr *nest);
unsigned long long nl_uint(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);

#endif
