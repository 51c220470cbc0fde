// SPDX-License-Identifier: GPL-2.0-only
/*
 * nl - talks to the tracker by generic netlink: finds its family, asks, and
 * says in plain words why an answer was an error.
 *
 * Owns the socket. Knows nothing of flows.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../include/uapi/linux/udptrack.h"
#include "nl.h"

/* What an error message says beside its number. */
struct verdict {
	int error;
	char text[256];
};

static int keep_attr(const struct nlattr *attr, void *data)
{
	struct nl_attrs *attrs = data;

	if (mnl_attr_get_type(attr) <= NL_ATTR_MAX)
		attrs->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/**
 * nl_attrs - find the attributes of a message
 * @nlh:  the message
 * @skip: bytes of the header that stand before them
 *
 * Return: the attributes by type; those that are not there are NULL, and those
 * of a newer tracker left out.
 */
struct nl_attrs nl_attrs(const struct nlmsghdr *nlh, size_t skip)
{
	struct nl_attrs attrs = { 0 };

	if (mnl_nlmsg_get_payload_len(nlh) >= skip)
		mnl_attr_parse(nlh, skip, keep_attr, &attrs);
	return attrs;
}

/**
 * nl_nested - find the attributes within another
 * @nest: the other; may be NULL
 *
 * Return: as nl_attrs().
 */
struct nl_attrs nl_nested(const struct nlattr *nest)
{
	struct nl_attrs attrs = { 0 };

	if (nest)
		mnl_attr_parse_nested(nest, keep_attr, &attrs);
	return attrs;
}

/**
 * nl_uint - read a number of 1, 2, 4 or 8 bytes
 * @attr: in the host's byte order; may be NULL
 *
 * Return: the number; 0 for something else.
 */
unsigned long long nl_uint(const struct nlattr *attr)
{
	switch (attr ? mnl_attr_get_payload_len(attr) : 0) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	case 8:
		return mnl_attr_get_u64(attr);
	}
	return 0;
}

/**
 * nl_string - read a string
 * @attr: which ends with a zero; may be NULL
 *
 * Return: the string; an empty one for something else.
 */
const char *nl_string(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

/* The words that follow a message of an error, or the end of a dump. */
static void read_text(const struct nlmsghdr *nlh, size_t skip,
		      struct verdict *verdict)
{
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		snprintf(verdict->text, sizeof(verdict->text), "%s",
			 nl_string(nl_attrs(nlh, skip).at[NLMSGERR_ATTR_MSG]));
}

static int on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	struct verdict *verdict = data;
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err)) {
		verdict->error = EBADMSG;
		return MNL_CB_STOP;
	}
	verdict->error = err->error < 0 ? -err->error : err->error;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&err->msg);
	read_text(nlh, skip, verdict);
	return MNL_CB_STOP;
}

/* A dump that could not go on says so at its end. */
static int on_done(const struct nlmsghdr *nlh, void *data)
{
	struct verdict *verdict = data;
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	if (error < 0) {
		verdict->error = -error;
		read_text(nlh, MNL_ALIGN(sizeof(error)), verdict);
	}
	return MNL_CB_STOP;
}

/*
 * libmnl hands all callbacks the same data, so the caller's travels with the
 * verdict, which must be first.
 */
struct talk {
	struct verdict verdict;
	mnl_cb_t answer;
	void *data;
};

static int on_answer(const struct nlmsghdr *nlh, void *data)
{
	struct talk *talk = data;

	return talk->answer ? talk->answer(nlh, talk->data) : MNL_CB_OK;
}

/* What the user should know and do about it. */
static int explain(struct nl *nl, const struct verdict *verdict)
{
	if (verdict->error == EPERM)
		snprintf(nl->error, sizeof(nl->error),
			 "%s: this needs CAP_NET_ADMIN in the network namespace, so run it as root%s%s%s",
			 strerror(EPERM), verdict->text[0] ? " (" : "",
			 verdict->text, verdict->text[0] ? ")" : "");
	else
		snprintf(nl->error, sizeof(nl->error), "the kernel says: %s%s%s",
			 verdict->text, verdict->text[0] ? ": " : "",
			 strerror(verdict->error));
	return -verdict->error;
}

/**
 * nl_begin - begin a request
 * @nl:    the way; open
 * @buf:   NL_REQUEST_SIZE bytes for it
 * @cmd:   UDPTRACK_CMD_*
 * @flags: NLM_F_DUMP, or 0
 *
 * Context: attributes are then added with mnl_attr_put() and so on.
 * Return: the message.
 */
struct nlmsghdr *nl_begin(struct nl *nl, char *buf, uint8_t cmd,
			  uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = nl->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = UDPTRACK_FAMILY_VERSION;
	return nlh;
}

/**
 * nl_talk - send a request and hear the answer
 * @nl:     the way
 * @nlh:    what nl_begin() began
 * @answer: called for each message of the answer; may be NULL
 * @data:   for @answer
 *
 * Context: waits for the kernel.
 * Return: 0 or the negative errno of the kernel, or of @answer; then @nl->error
 * says what to tell the user.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t answer, void *data)
{
	static mnl_cb_t control[] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	struct talk talk = { .answer = answer, .data = data };
	static char buf[NL_ANSWER_SIZE];
	unsigned int port;
	ssize_t len;
	int more;

	/* There is no way, and nl_open() has said why. */
	if (!nlh->nlmsg_type)
		return -ENOENT;
	port = mnl_socket_get_portid(nl->sock);
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		goto failed;
	do {
		len = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			goto failed;
		more = mnl_cb_run2(buf, len, nl->seq, port, on_answer, &talk,
				   control, MNL_ARRAY_SIZE(control));
		if (more < 0)
			goto failed;
	} while (len < 0 || more > MNL_CB_STOP);
	return talk.verdict.error ? explain(nl, &talk.verdict) : 0;

failed:
	talk.verdict.error = errno;
	return explain(nl, &talk.verdict);
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(struct genlmsghdr));
	const struct nlattr *groups = attrs.at[CTRL_ATTR_MCAST_GROUPS], *group;
	struct nl *nl = data;

	nl->family = nl_uint(attrs.at[CTRL_ATTR_FAMILY_ID]);
	if (!groups)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(group, groups) {
		attrs = nl_nested(group);
		if (!strcmp(nl_string(attrs.at[CTRL_ATTR_MCAST_GRP_NAME]),
			    UDPTRACK_MCGRP_EVENTS))
			nl->group = nl_uint(attrs.at[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return MNL_CB_OK;
}

/* Why there is no such family. */
static int no_family(struct nl *nl)
{
	const char *why = "the module udptrack is not loaded; as root: modprobe udptrack";

	if (!access("/sys/module/udptrack", F_OK))
		why = "the module udptrack is older than this command, and has no netlink family";
	snprintf(nl->error, sizeof(nl->error),
		 "%s ('udptrack doctor' says more)", why);
	return -ENOENT;
}

static int find_family(struct nl *nl)
{
	char buf[NL_REQUEST_SIZE];
	struct nlmsghdr *nlh;
	int err;

	nl->family = GENL_ID_CTRL;
	nlh = nl_begin(nl, buf, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, UDPTRACK_FAMILY_NAME);
	nl->family = 0;
	err = nl_talk(nl, nlh, on_family, nl);
	if (err == -ENOENT || (!err && !nl->family))
		return no_family(nl);
	return err;
}

/**
 * nl_open - find the way to the tracker
 * @nl: becomes it; to be closed with nl_close() in any case
 *
 * Context: of the network namespace that the process is in.
 * Return: 0, -ENOENT when there is no tracker, or another negative errno;
 * @nl->error then says what to tell the user.
 */
int nl_open(struct nl *nl)
{
	int one = 1;
	int err;

	memset(nl, 0, sizeof(*nl));
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = errno;
		snprintf(nl->error, sizeof(nl->error), "no netlink socket: %s",
			 strerror(err));
		return -err;
	}
	/* Without these, errors are as good, but say less. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	return find_family(nl);
}

/**
 * nl_close - undo nl_open()
 * @nl: the way
 *
 * Context: also after nl_open() failed.
 */
void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

/* Without CAP_NET_ADMIN the kernel grants no more than net.core.rmem_max. */
static void set_buffer(struct nl *nl, int bytes)
{
	int fd = mnl_socket_get_fd(nl->sock);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/**
 * nl_listen - be told of events from now on, and of the tracker's end
 * @nl:           the way; from now on for nothing else
 * @buffer_bytes: how much may wait; 0 for what is usual
 *
 * Return: 0 or a negative errno; @nl->error then says what to tell the user.
 */
int nl_listen(struct nl *nl, unsigned int buffer_bytes)
{
	struct verdict verdict = { 0 };
	int ctrl = GENL_ID_CTRL;
	int group = nl->group;

	if (buffer_bytes)
		set_buffer(nl, buffer_bytes);
	/* Members of the controller's group hear of families that go. */
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &ctrl,
				  sizeof(ctrl)) < 0) {
		verdict.error = errno;
		return explain(nl, &verdict);
	}
	return 0;
}
