// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask - how long a request about all flows takes.
 *
 *	ask udptrack|conntrack dump|flush
 *	ask udptrack few ADDRESS
 *
 * Reads the answer and counts its messages, without a look into them. "few" is a
 * dump of the flows from an IPv4 address alone, filtered by the kernel. Prints
 * "MILLISECONDS MESSAGES". In the network namespace where it runs; owns its
 * socket, and ends with the answer.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "../../include/uapi/linux/udptrack.h"

static struct mnl_socket *sock;
static unsigned long messages;
static uint16_t family;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int attr_of_family(const struct nlattr *attr, void *data)
{
	(void)data;
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), attr_of_family, data);
}

static int on_message(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	messages++;
	return MNL_CB_OK;
}

static struct nlmsghdr *begin(void *buf, unsigned int type, unsigned int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = 1;
	return nlh;
}

static struct nlmsghdr *begin_genl(void *buf, unsigned int type, unsigned int cmd,
				   unsigned int flags)
{
	struct nlmsghdr *nlh = begin(buf, type, flags);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

static struct nlmsghdr *begin_nfnl(void *buf, unsigned int cmd, unsigned int flags)
{
	struct nlmsghdr *nlh = begin(buf, NFNL_SUBSYS_CTNETLINK << 8 | cmd, flags);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

/* Send it, and read until the end of the answer. */
static void ask(const struct nlmsghdr *nlh, mnl_cb_t on)
{
	static char buf[65536];
	unsigned int portid = mnl_socket_get_portid(sock);
	ssize_t got;
	int more = MNL_CB_OK;

	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		die("send");
	while (more > MNL_CB_STOP) {
		got = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		if (got < 0)
			die("receive");
		more = mnl_cb_run(buf, got, 1, portid, on, NULL);
	}
	if (more < 0)
		die("refused");
}

static void put_source(struct nlmsghdr *nlh, const char *text)
{
	struct in_addr addr;
	struct nlattr *nest;

	if (inet_pton(AF_INET, text, &addr) != 1) {
		fprintf(stderr, "ask: '%s' is no IPv4 address\n", text);
		exit(2);
	}
	nest = mnl_attr_nest_start(nlh, UDPTRACK_A_FLOW_FILTER);
	mnl_attr_put(nlh, UDPTRACK_A_FILTER_SRC, sizeof(addr), &addr);
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *request(char *buf, int argc, char **argv)
{
	bool ours = argc > 2 && !strcmp(argv[1], "udptrack");
	const char *what = argc > 2 ? argv[2] : "";
	struct nlmsghdr *nlh;

	if (ours) {
		nlh = begin_genl(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
		mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, UDPTRACK_FAMILY_NAME);
		ask(nlh, on_family);
	}
	if (ours && !strcmp(what, "dump"))
		return begin_genl(buf, family, UDPTRACK_CMD_GET, NLM_F_DUMP);
	if (ours && !strcmp(what, "flush"))
		return begin_genl(buf, family, UDPTRACK_CMD_FLUSH, NLM_F_ACK);
	if (ours && !strcmp(what, "few") && argc == 4) {
		nlh = begin_genl(buf, family, UDPTRACK_CMD_GET, NLM_F_DUMP);
		put_source(nlh, argv[3]);
		return nlh;
	}
	if (!ours && !strcmp(what, "dump"))
		return begin_nfnl(buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	if (!ours && !strcmp(what, "flush"))
		return begin_nfnl(buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
	fprintf(stderr, "usage: ask udptrack|conntrack dump|flush, ask udptrack few ADDRESS\n");
	exit(2);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	bool ours = argc > 1 && !strcmp(argv[1], "udptrack");
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	double start;

	sock = mnl_socket_open(ours ? NETLINK_GENERIC : NETLINK_NETFILTER);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		die("socket");
	nlh = request(buf, argc, argv);
	start = now_ms();
	ask(nlh, on_message);
	printf("%.0f %lu\n", now_ms() - start, messages);
	return 0;
}
