// SPDX-License-Identifier: GPL-2.0-only
/*
 * nfq - holds the packets of an NFQUEUE and lets them go on command.
 *
 *	nfq QUEUE
 *
 * Says "ready" once it holds the queue, then reads commands, a line each, and
 * answers each with a line:
 *	wait N		held M: M is at least N, or 10 s have passed
 *	accept		accepted M: all that are held, in the order they came
 *	reverse		accepted M: the same, last one first
 *	drop		dropped M
 *	quit		leaves without a verdict, as it does on end of input and
 *			when it is killed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_HELD	1024
#define WAIT_MS		10000
#define BUF_SIZE	8192

static struct mnl_socket *nl;
static unsigned short queue;
static uint32_t held[MAX_HELD];		/* packet ids, network order */
static unsigned int n_held;

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "nfq: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct nlmsghdr *message(char *buf, int type, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(queue);
	return nlh;
}

static void send_message(const struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		die("send");
}

static void bind_queue(void)
{
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_mode = NFQNL_COPY_META,
	};
	char buf[BUF_SIZE];
	struct nlmsghdr *nlh = message(buf, NFQNL_MSG_CONFIG, NLM_F_ACK);
	int got;

	mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	send_message(nlh);

	got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (got < 0 || mnl_cb_run(buf, got, 0, mnl_socket_get_portid(nl),
				  NULL, NULL) < 0)
		die("bind to the queue");
}

static int hold(const struct nlmsghdr *nlh, void *data)
{
	const struct nfqnl_msg_packet_hdr *packet;
	const struct nlattr *attr;

	(void)data;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFQA_PACKET_HDR)
			continue;
		packet = mnl_attr_get_payload(attr);
		if (n_held < MAX_HELD)
			held[n_held++] = packet->packet_id;
	}
	return MNL_CB_OK;
}

static void read_queue(void)
{
	char buf[BUF_SIZE];
	int got = mnl_socket_recvfrom(nl, buf, sizeof(buf));

	if (got < 0)
		die("receive");
	/* A verdict on a packet that is gone meanwhile is answered by an error. */
	mnl_cb_run(buf, got, 0, 0, hold, NULL);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_for(unsigned int n)
{
	struct pollfd pfd = { .fd = mnl_socket_get_fd(nl), .events = POLLIN };
	long end = now_ms() + WAIT_MS;
	long left = WAIT_MS;

	while (n_held < n && left > 0) {
		if (poll(&pfd, 1, left) > 0)
			read_queue();
		left = end - now_ms();
	}
	/* One more than asked for would be news, too. */
	while (poll(&pfd, 1, 0) > 0)
		read_queue();
	printf("held %u\n", n_held);
}

static void verdict(uint32_t id, unsigned int what)
{
	struct nfqnl_msg_verdict_hdr hdr = { .verdict = htonl(what), .id = id };
	char buf[BUF_SIZE];
	struct nlmsghdr *nlh = message(buf, NFQNL_MSG_VERDICT, 0);

	mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(hdr), &hdr);
	send_message(nlh);
}

static void release(const char *command)
{
	int reverse = !strcmp(command, "reverse");
	int drop = !strcmp(command, "drop");
	unsigned int i;

	for (i = 0; i < n_held; i++)
		verdict(held[reverse ? n_held - 1 - i : i],
			drop ? NF_DROP : NF_ACCEPT);
	printf("%s %u\n", drop ? "dropped" : "accepted", n_held);
	n_held = 0;
}

int main(int argc, char **argv)
{
	char line[80];

	if (argc != 2) {
		fputs("usage: nfq QUEUE\n", stderr);
		return 2;
	}
	queue = atoi(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);

	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink");
	bind_queue();
	puts("ready");

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "wait ", 5))
			wait_for(atoi(line + 5));
		else if (!strcmp(line, "accept") || !strcmp(line, "reverse") ||
			 !strcmp(line, "drop"))
			release(line);
		else if (strcmp(line, "quit"))
			printf("what? %s\n", line);
		else
			break;
	}
	return 0;
}
