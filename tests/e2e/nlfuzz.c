// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlfuzz - sends the netlink family udptrack what it does not expect.
 *
 *	nlfuzz MESSAGES SEED
 *
 * To be run as root of a user namespace, in a network namespace of its own:
 * that is who may reach all of it without being trusted. Requests are made as
 * the specification wants them, with random values, and then most of them are
 * spoilt: bytes, lengths and types changed, attributes cut, doubled, put into
 * each other. Now and then a packet is sent over the loopback interface, so
 * that there are flows. All answers are read.
 *
 * Prints "sent N ok N errors N dumped N": requests, those that were granted,
 * those that were refused, and messages of dumps. Fails when fewer than one in
 * a hundred was granted or refused, for then it tests nothing, or when the
 * family does not answer a plain request in the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../include/uapi/linux/udptrack.h"

#define MAX_MESSAGE	2048
#define MAX_DEPTH	4
/* Packets go to this many ports. */
#define PORTS		200

static uint64_t state;
static unsigned char msg[MAX_MESSAGE];
static size_t len;
static int sock, udp;
static unsigned int family;
static unsigned long ok, errors, dumped;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* xorshift64*, Marsaglia 2003 and Vigna 2014 */
static uint32_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ULL) >> 32;
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

static bool one_in(uint32_t n)
{
	return !below(n);
}

/* A number of the kind that programs get wrong. */
static uint32_t number(void)
{
	static const uint32_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 32, 33, 53, 127, 128, 129, 255, 256,
		0x700, 65535, 65536, 86400, 86401, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff,
	};

	return one_in(2) ? edges[below(sizeof(edges) / sizeof(*edges))] : rnd();
}

static void put(const void *data, size_t n)
{
	if (len + n + NLA_ALIGNTO > MAX_MESSAGE)
		return;
	memcpy(msg + len, data, n);
	memset(msg + len + n, 0, NLA_ALIGN(n) - n);
	len += NLA_ALIGN(n);
}

static void put_attr(unsigned int type, const void *data, size_t n)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + n, .nla_type = type };

	if (len + NLA_HDRLEN + n + NLA_ALIGNTO > MAX_MESSAGE)
		return;
	put(&attr, NLA_HDRLEN);
	put(data, n);
}

static size_t nest_begin(unsigned int type)
{
	size_t at = len;

	put_attr(type | NLA_F_NESTED, NULL, 0);
	return at;
}

static void nest_end(size_t at)
{
	struct nlattr attr;

	if (at + NLA_HDRLEN > len)
		return;
	memcpy(&attr, msg + at, sizeof(attr));
	attr.nla_len = len - at;
	memcpy(msg + at, &attr, sizeof(attr));
}

/* Random bytes under a random type, perhaps with others inside. */
static void put_rubbish(unsigned int depth)
{
	unsigned char data[40];
	size_t n = below(sizeof(data)), i, at;

	if (depth < MAX_DEPTH && one_in(3)) {
		at = nest_begin(below(22));
		for (i = below(4); i; i--)
			put_rubbish(depth + 1);
		nest_end(at);
		return;
	}
	for (i = 0; i < n; i++)
		data[i] = rnd();
	put_attr(below(22) | (one_in(8) ? rnd() & 0xc000 : 0), data, n);
}

static void put_u8(unsigned int type, uint8_t value)
{
	put_attr(type, &value, sizeof(value));
}

static void put_u16(unsigned int type, uint16_t value)
{
	put_attr(type, &value, sizeof(value));
}

static void put_u32(unsigned int type, uint32_t value)
{
	put_attr(type, &value, sizeof(value));
}

static void put_address(unsigned int type, bool v6)
{
	unsigned char addr[16] = { 127, 0, 0, 1 };

	if (v6) {
		memset(addr, 0, sizeof(addr));
		addr[15] = 1;
	}
	put_attr(type, addr, v6 ? 16 : 4);
}

static void put_tuple(unsigned int type)
{
	size_t tuple = nest_begin(type), nest;
	bool v6 = one_in(3);

	nest = nest_begin(UDPTRACK_A_TUPLE_IP);
	put_address(v6 ? UDPTRACK_A_TUPLE_IP_V6_SRC : UDPTRACK_A_TUPLE_IP_V4_SRC, v6);
	put_address(v6 ? UDPTRACK_A_TUPLE_IP_V6_DST : UDPTRACK_A_TUPLE_IP_V4_DST, v6);
	nest_end(nest);
	nest = nest_begin(UDPTRACK_A_TUPLE_PROTO);
	if (one_in(2))
		put_u8(UDPTRACK_A_TUPLE_PROTO_NUM, one_in(4) ? rnd() : 17);
	put_u16(UDPTRACK_A_TUPLE_PROTO_SRC_PORT, htons(1000));
	put_u16(UDPTRACK_A_TUPLE_PROTO_DST_PORT, htons(2000 + below(PORTS)));
	nest_end(nest);
	if (one_in(4))
		put_u32(UDPTRACK_A_TUPLE_SCOPE, number());
	nest_end(tuple);
}

static void put_filter_one(unsigned int type, bool v6)
{
	switch (type) {
	case UDPTRACK_A_FILTER_SRC:
	case UDPTRACK_A_FILTER_DST:
	case UDPTRACK_A_FILTER_REPLY_SRC:
	case UDPTRACK_A_FILTER_REPLY_DST:
		put_address(type, v6);
		if (one_in(2))
			put_u8(type + 1, one_in(4) ? rnd() : below(33));
		break;
	case UDPTRACK_A_FILTER_FAMILY:
		put_u8(type, one_in(4) ? rnd() : v6 ? AF_INET6 : AF_INET);
		break;
	case UDPTRACK_A_FILTER_SRC_PORT:
	case UDPTRACK_A_FILTER_DST_PORT:
		put_u16(type, htons(2000 + below(PORTS)));
		break;
	case UDPTRACK_A_FILTER_COMM:
		put_attr(type, "nlfuzz-and-much-more", one_in(4) ? below(21) : 7);
		break;
	default:
		put_u32(type, number());
	}
}

static void put_filter(void)
{
	size_t at = nest_begin(UDPTRACK_A_FLOW_FILTER);
	bool v6 = one_in(4);
	unsigned int n;

	for (n = below(4); n; n--)
		put_filter_one(1 + below(UDPTRACK_A_FILTER_MAX), v6);
	nest_end(at);
}

static void put_request(unsigned int cmd)
{
	uint64_t id = one_in(4) ? (uint64_t)rnd() << 32 | rnd() : below(5000);
	unsigned int n;

	switch (cmd) {
	case UDPTRACK_CMD_GET:
	case UDPTRACK_CMD_DELETE:
		if (one_in(3))
			put_tuple(UDPTRACK_A_FLOW_TUPLE_ORIG);
		if (one_in(6))
			put_tuple(UDPTRACK_A_FLOW_TUPLE_REPLY);
		if (one_in(4))
			put_attr(UDPTRACK_A_FLOW_ID, &id, sizeof(id));
		if (one_in(2))
			put_filter();
		break;
	case UDPTRACK_CMD_CONFIG_SET:
		for (n = below(4); n; n--)
			put_u32(1 + below(UDPTRACK_A_CONFIG_MAX), number());
		break;
	default:
		break;
	}
	if (one_in(10))
		put_rubbish(0);
}

/* Spoil what is there; the header's length stays what it must be. */
static void spoil(void)
{
	size_t from = NLMSG_HDRLEN, n, at;

	for (n = 1 + below(4); n; n--) {
		at = from + below(len - from);
		switch (below(5)) {
		case 0:
			msg[at] ^= 1 << below(8);
			break;
		case 1:
			msg[at] = number();
			break;
		case 2:
			/* Cut it, but leave the header of the family. */
			if (one_in(4) && at > from + GENL_HDRLEN)
				len = at;
			break;
		case 3:
			/* Some of it once more. */
			put(msg + at, below(len - at + 1));
			break;
		default:
			put_rubbish(0);
		}
	}
}

static void send_message(unsigned int type, unsigned int flags, unsigned int seq)
{
	struct nlmsghdr nlh = {
		.nlmsg_len = len,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = seq,
	};

	memcpy(msg, &nlh, sizeof(nlh));
	if (send(sock, msg, len, 0) < 0)
		die("send");
}

static void begin(unsigned int cmd)
{
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };

	len = NLMSG_HDRLEN;
	put(&genl, sizeof(genl));
}

/* Read until the end of the answer to @seq. Returns its error, 0 or below. */
static int read_answer(unsigned int seq, bool dump, unsigned int *family_id)
{
	static char buf[65536];
	const struct nlattr *attr;
	struct nlmsghdr *nlh;
	ssize_t got, left;
	int err;

	for (;;) {
		got = recv(sock, buf, sizeof(buf), 0);
		if (got < 0)
			die("recv");
		for (nlh = (void *)buf; NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
				memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
				return err;
			}
			dumped += dump;
			if (!family_id)
				continue;
			left = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
			attr = (void *)((char *)NLMSG_DATA(nlh) + GENL_HDRLEN);
			while (left >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN) {
				if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
					*family_id = *(const uint16_t *)(attr + 1);
				left -= NLA_ALIGN(attr->nla_len);
				attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len));
			}
		}
	}
}

static void find_family(void)
{
	begin(CTRL_CMD_GETFAMILY);
	put_attr(CTRL_ATTR_FAMILY_NAME, UDPTRACK_FAMILY_NAME, sizeof(UDPTRACK_FAMILY_NAME));
	send_message(GENL_ID_CTRL, NLM_F_ACK, 1);
	if (read_answer(1, false, &family) || !family) {
		fprintf(stderr, "no family\n");
		exit(1);
	}
}

static void send_packet(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(2000 + below(PORTS)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	/* Nobody is there to take it, and what comes of that is all one. */
	sendto(udp, "x", 1, MSG_DONTWAIT, (void *)&to, sizeof(to));
}

static void fuzz_one(unsigned int seq)
{
	unsigned int cmd = one_in(20) ? rnd() & 0xff : 1 + below(UDPTRACK_CMD_CONFIG_SET);
	bool dump = one_in(4);
	int err;

	/* Nothing but an end of the machine comes of all flows at each step. */
	if (cmd == UDPTRACK_CMD_FLUSH && !one_in(20))
		cmd = UDPTRACK_CMD_GET;
	begin(cmd);
	put_request(cmd);
	if (!one_in(3))
		spoil();
	send_message(family, dump ? NLM_F_DUMP | NLM_F_ACK : NLM_F_ACK, seq);
	err = read_answer(seq, dump, NULL);
	if (err)
		errors++;
	else
		ok++;
}

int main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 60 };
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(1000),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	unsigned long n, i;

	if (argc != 3) {
		fprintf(stderr, "usage: nlfuzz MESSAGES SEED\n");
		return 2;
	}
	n = strtoul(argv[1], NULL, 0);
	state = strtoull(argv[2], NULL, 0) * 2 + 1;
	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	if (sock < 0 || udp < 0)
		die("socket");
	if (bind(sock, (void *)&nl, sizeof(nl)) || bind(udp, (void *)&in, sizeof(in)))
		die("bind");
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	find_family();
	for (i = 0; i < n; i++) {
		if (one_in(4))
			send_packet();
		fuzz_one(2 + i);
	}
	printf("sent %lu ok %lu errors %lu dumped %lu\n", n, ok, errors, dumped);
	begin(UDPTRACK_CMD_CONFIG_GET);
	send_message(family, NLM_F_ACK, 1);
	if (read_answer(1, false, NULL)) {
		fprintf(stderr, "the family does not answer any more\n");
		return 1;
	}
	return ok < n / 100 || errors < n / 100;
}
