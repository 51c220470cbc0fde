// SPDX-License-Identifier: GPL-2.0-only
/*
 * udpgen - makes UDP traffic on command, in many network namespaces at once.
 *
 * One process for a whole test: it reads commands from its input, a line each,
 * and moves from namespace to namespace to carry them out. It stays on one
 * CPU, so that packets arrive in the order in which they were sent. Everything
 * is bounded: counts by MAX_COUNT, waits by WAIT_MS.
 *
 *	in NS                  what follows happens in /run/netns/NS; "-" is the
 *	                       namespace in which udpgen was started
 *	udp ID ADDR PORT [OPTION...]	a socket bound there:
 *	    to=ADDR,PORT connected    dev=IF  bound to it     broadcast
 *	    join=ADDR,IF  multicast   gro  takes merged datagrams
 *	    nosum  no checksums       hopopts, dstopts  IPv6 headers of that kind
 *	    ttl=N  hops a packet may take
 *	send ID ADDR PORT [size=N] [n=N] [gso=N]	ADDR "-" when connected
 *	denied ID ADDR PORT    a send that a firewall refuses
 *	recv ID [N]            take N (1) datagrams
 *	answer ID [N] [size=N] take N (1), answer each, with as many bytes or size
 *	drain ID               drop what has come in
 *	silent ID              nothing has come in
 *	refused ID             wait for an ICMP error: nobody listens there
 *	close ID
 *	raw ADDR PORT ADDR PORT [size=N] [ulen=N] [cut=N] [sum=bad|zero]
 *	    [frag=OFFSET,LENGTH] [id=N] [proto=N] [n=N]	see rawpacket.h
 *	    What send and raw send begins with the header of a DNS message after
 *	    dns=ID,FLAGS[,QUESTIONS], and of n of them each has the next ID
 *	icmp ADDR ADDR TYPE CODE ADDR PORT ADDR PORT [quote=N] [icmpsum=bad]
 *	    [piece] [OPTION...]		a message from the one to the other that
 *	                       quotes what "raw" would make of the rest, or only
 *	                       so many bytes of it
 *	race N ADDR PORT ADDR PORT	N pairs of sockets with ports from PORT on,
 *	                       both ends of a pair send at the same moment
 *	barrier NS ADDR NS2    all that was sent from NS has arrived in NS2,
 *	                       whose address ADDR is
 *	sleep MS
 *	until MS               sleep until the clock that lags is there
 *	copy FILE TO           TO gets what FILE holds in this namespace
 *	write FILE TEXT
 *	feature IF NAME 0|1    as ethtool -K
 *	sync                   prints "ok MS LAG", or "failed LINE: WHY" when a
 *	                       command since the last one failed; after a
 *	                       failure all commands up to here are left out.
 *	                       LAG is the time of the clock that timeouts go by:
 *	                       it stands still between ticks, and lags by more
 *	                       when an emulated machine is held up
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rawpacket.h"

#define MAX_SOCKETS	2048
#define MAX_NETNS	16
#define MAX_WORDS	16
#define MAX_COUNT	65536
#define WAIT_MS		20000
/* A protocol number for experiments (RFC 3692): no tracker cares. */
#define BARRIER_PROTO	253

struct netns {
	char name[32];
	int fd;
};

struct sock {
	char id[32];
	int fd;
	struct netns *ns;
	int family;
};

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static struct sock socks[MAX_SOCKETS];
static unsigned int n_socks;
static struct netns namespaces[MAX_NETNS];
static unsigned int n_namespaces;
static struct netns *here;	/* where the process is */
static struct netns *wanted;	/* what "in" said */
static char failure[256];
static char buf[65536];

static bool fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static bool fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
	return false;
}

static bool fail_errno(const char *what)
{
	return fail("%s: %s", what, strerror(errno));
}

static long now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* --- words of a command */

static bool number(const char *text, long min, long max, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	if (errno || end == text || *end || *value < min || *value > max)
		return fail("'%s' is not a number from %ld to %ld", text, min,
			    max);
	return true;
}

/* The value of NAME=VALUE among the words, or NULL. */
static char *option(char **words, const char *name)
{
	size_t len = strlen(name);

	for (; *words; words++) {
		if (!strncmp(*words, name, len) && (*words)[len] == '=')
			return *words + len + 1;
	}
	return NULL;
}

static bool flag(char **words, const char *name)
{
	for (; *words; words++) {
		if (!strcmp(*words, name))
			return true;
	}
	return false;
}

static bool number_option(char **words, const char *name, long min, long max,
			  long *value)
{
	const char *text = option(words, name);

	return !text || number(text, min, max, value);
}

/* --- namespaces and addresses */

static bool enter(struct netns *ns)
{
	if (ns == here)
		return true;
	if (setns(ns->fd, CLONE_NEWNET))
		return fail_errno("setns");
	here = ns;
	return true;
}

static struct netns *netns_get(const char *name)
{
	struct netns *ns;
	char path[64];
	unsigned int i;

	for (i = 0; i < n_namespaces; i++) {
		if (!strcmp(namespaces[i].name, name))
			return &namespaces[i];
	}
	if (n_namespaces == MAX_NETNS || strlen(name) >= sizeof(ns->name)) {
		fail("too many namespaces, or too long a name");
		return NULL;
	}
	ns = &namespaces[n_namespaces];
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	ns->fd = open(strcmp(name, "-") ? path : "/proc/self/ns/net",
		      O_RDONLY | O_CLOEXEC);
	if (ns->fd < 0) {
		fail_errno(path);
		return NULL;
	}
	strcpy(ns->name, name);
	n_namespaces++;
	return ns;
}

static bool parse_addr(const char *host, const char *port, union addr *addr)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *info;
	int err = getaddrinfo(host, port, &hints, &info);

	if (err)
		return fail("%s %s: %s", host, port, gai_strerror(err));
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, info->ai_addr, info->ai_addrlen);
	freeaddrinfo(info);
	return true;
}

static socklen_t addr_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in)
					     : sizeof(addr->in6);
}

/* --- sockets */

static struct sock *sock_get(const char *id)
{
	unsigned int i;

	for (i = n_socks; i--;) {
		if (!strcmp(socks[i].id, id))
			return enter(socks[i].ns) ? &socks[i] : NULL;
	}
	fail("no socket '%s'", id);
	return NULL;
}

static bool set_int(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		return fail_errno(what);
	return true;
}

static bool sock_join(int fd, int family, char *what)
{
	char *dev = strchr(what, ',');
	struct group_req req = {};
	union addr group;

	if (!dev)
		return fail("join=ADDR,IF");
	*dev++ = '\0';
	if (!parse_addr(what, "0", &group))
		return false;
	req.gr_interface = if_nametoindex(dev);
	memcpy(&req.gr_group, &group, sizeof(group));
	if (setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		       MCAST_JOIN_GROUP, &req, sizeof(req)))
		return fail_errno("join");
	return true;
}

static bool sock_connect(int fd, char *to)
{
	char *port = strchr(to, ',');
	union addr peer;

	if (!port)
		return fail("to=ADDR,PORT");
	*port++ = '\0';
	if (!parse_addr(to, port, &peer))
		return false;
	if (connect(fd, &peer.sa, addr_len(&peer)))
		return fail_errno("connect");
	return true;
}

static bool sock_options(int fd, int family, char **words)
{
	/* An options header of eight bytes: PadN, of which four are data. */
	static const unsigned char padding[8] = { 0, 0, 1, 4 };
	char *dev = option(words, "dev");
	char *join = option(words, "join");
	long ttl = 0;

	if (!number_option(words, "ttl", 1, 255, &ttl))
		return false;
	if (ttl && !(family == AF_INET ?
		     set_int(fd, IPPROTO_IP, IP_TTL, ttl, "ttl") :
		     set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, "ttl")))
		return false;
	if (dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev,
			      strlen(dev)))
		return fail_errno("dev");
	if (join && !sock_join(fd, family, join))
		return false;
	if (flag(words, "broadcast") &&
	    !set_int(fd, SOL_SOCKET, SO_BROADCAST, 1, "broadcast"))
		return false;
	if (flag(words, "nosum") &&
	    !set_int(fd, SOL_SOCKET, SO_NO_CHECK, 1, "nosum"))
		return false;
	if (flag(words, "gro") && !set_int(fd, SOL_UDP, UDP_GRO, 1, "gro"))
		return false;
	if (flag(words, "hopopts") &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, padding, sizeof(padding)))
		return fail_errno("hopopts");
	if (flag(words, "dstopts") &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding)))
		return fail_errno("dstopts");
	return true;
}

static bool sock_setup(int fd, const union addr *local, char **words)
{
	char *to = option(words, "to");

	if (!sock_options(fd, local->sa.sa_family, words) ||
	    !set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "reuse") ||
	    !set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20, "buffer"))
		return false;
	if (bind(fd, &local->sa, addr_len(local)))
		return fail_errno("bind");
	return !to || sock_connect(fd, to);
}

static bool do_udp(char **words)
{
	struct sock *s = &socks[n_socks];
	union addr local;

	if (n_socks == MAX_SOCKETS || strlen(words[1]) >= sizeof(s->id))
		return fail("too many sockets, or too long a name");
	if (!enter(wanted) || !parse_addr(words[2], words[3], &local))
		return false;
	s->family = local.sa.sa_family;
	s->fd = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return fail_errno("socket");
	if (!sock_setup(s->fd, &local, words + 4)) {
		close(s->fd);
		return false;
	}
	strcpy(s->id, words[1]);
	s->ns = wanted;
	n_socks++;
	return true;
}

static bool do_close(char **words)
{
	struct sock *s = sock_get(words[1]);

	if (!s)
		return false;
	close(s->fd);
	*s = socks[--n_socks];
	return true;
}

/* --- traffic */

static bool send_one(const struct sock *s, union addr *to, long size, long gso)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(unsigned short))];
	} control = {};
	struct iovec iov = { buf, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	unsigned short segment = gso;
	struct cmsghdr *cmsg;

	if (to) {
		msg.msg_name = to;
		msg.msg_namelen = addr_len(to);
	}
	if (gso) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_UDP;
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
		memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
	}
	/* The first try may only report what became of an earlier packet. */
	if (sendmsg(s->fd, &msg, 0) != size &&
	    (errno != ECONNREFUSED || sendmsg(s->fd, &msg, 0) != size))
		return fail_errno("send");
	return true;
}

/* --- DNS messages, as far as a tracker looks at them */

#define DNS_HEADER	12

/* What the option "dns" says, into @head; its length, 0 without it, or -1. */
static int dns_option(char **words, unsigned char *head)
{
	char *text = option(words, "dns");
	unsigned int id, flags, questions = 1;

	if (!text)
		return 0;
	if (sscanf(text, "%u,%x,%u", &id, &flags, &questions) < 2) {
		fail("dns=ID,FLAGS[,QUESTIONS]");
		return -1;
	}
	memset(head, 0, DNS_HEADER);
	head[0] = id >> 8;
	head[1] = id;
	head[2] = flags >> 8;
	head[3] = flags;
	head[4] = questions >> 8;
	head[5] = questions;
	return DNS_HEADER;
}

static void dns_next(unsigned char *head)
{
	if (!++head[1])
		head[0]++;
}

static bool do_send(char **words)
{
	long size = 10, n = 1, gso = 0;
	unsigned char head[DNS_HEADER] = {};
	int head_len;
	union addr addr, *to = NULL;
	struct sock *s;

	if (!number_option(words, "size", 0, sizeof(buf) - 1, &size) ||
	    !number_option(words, "n", 1, MAX_COUNT, &n) ||
	    !number_option(words, "gso", 1, 65535, &gso))
		return false;
	head_len = dns_option(words, head);
	s = sock_get(words[1]);
	if (!s || head_len < 0)
		return false;
	if (head_len > size)
		return fail("too small for a DNS header");
	if (strcmp(words[2], "-")) {
		to = &addr;
		if (!parse_addr(words[2], words[3], to))
			return false;
	}
	memset(buf, 'u', size);
	while (n--) {
		memcpy(buf, head, head_len);
		if (!send_one(s, to, size, gso))
			return false;
		dns_next(head);
	}
	return true;
}

static bool do_denied(char **words)
{
	struct sock *s = sock_get(words[1]);
	union addr to;

	if (!s || !parse_addr(words[2], words[3], &to))
		return false;
	if (sendto(s->fd, "denied", 6, 0, &to.sa, addr_len(&to)) >= 0)
		return fail("it was sent");
	return errno == EPERM || fail_errno("not denied");
}

static bool wait_readable(int fd, const char *what)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, WAIT_MS) == 1)
		return true;
	return fail("%s: nothing came in %d s", what, WAIT_MS / 1000);
}

/* Datagrams in what was received: more than 1 when they were merged. */
static long segments(struct msghdr *msg, long size)
{
	struct cmsghdr *cmsg;
	int segment;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP || cmsg->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
		return (size + segment - 1) / segment;
	}
	return 1;
}

/* Take a datagram, or several merged. */
static bool recv_one(const struct sock *s, union addr *from, long *size,
		     long *n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};

	do {
		if (!wait_readable(s->fd, s->id))
			return false;
		*size = recvmsg(s->fd, &msg, MSG_DONTWAIT);
	} while (*size < 0 && (errno == ECONNREFUSED || errno == EAGAIN));
	if (*size < 0)
		return fail_errno("recv");
	*n = segments(&msg, *size);
	return true;
}

/* How many: the word after the socket's name, unless that is an option. */
static bool count_word(char **words, long *n)
{
	*n = 1;
	return !words[2] || strchr(words[2], '=') ||
	       number(words[2], 1, MAX_COUNT, n);
}

static bool do_recv(char **words)
{
	long wanted_n, size, n, got = 0;
	union addr from;
	struct sock *s;

	if (!count_word(words, &wanted_n))
		return false;
	s = sock_get(words[1]);
	if (!s)
		return false;
	while (got < wanted_n) {
		if (!recv_one(s, &from, &size, &n)) {
			char why[sizeof(failure)];

			strcpy(why, failure);
			return fail("%ld of %ld: %.200s", got, wanted_n, why);
		}
		got += n;
	}
	return true;
}

static bool do_answer(char **words)
{
	long wanted_n, size, n, own_size = -1;
	union addr from;
	struct sock *s;

	if (!count_word(words, &wanted_n) ||
	    !number_option(words, "size", 0, sizeof(buf) - 1, &own_size))
		return false;
	s = sock_get(words[1]);
	if (!s)
		return false;
	while (wanted_n--) {
		if (!recv_one(s, &from, &size, &n) ||
		    !send_one(s, &from, own_size < 0 ? size : own_size, 0))
			return false;
	}
	return true;
}

static bool do_drain(char **words)
{
	struct sock *s = sock_get(words[1]);
	long n;

	if (!s)
		return false;
	for (n = 0; n < MAX_COUNT; n++) {
		if (recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT) < 0 &&
		    errno != ECONNREFUSED)
			break;
	}
	return true;
}

static bool do_silent(char **words)
{
	struct sock *s = sock_get(words[1]);

	if (!s)
		return false;
	return recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT) < 0 ||
	       fail("'%s' received a datagram", s->id);
}

static bool do_refused(char **words)
{
	struct sock *s = sock_get(words[1]);

	if (!s || !wait_readable(s->fd, s->id))
		return false;
	if (recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		return fail("'%s' received a datagram", s->id);
	return errno == ECONNREFUSED || fail_errno("not refused");
}

static void raw_addr(const union addr *addr, struct in6_addr *to,
		     unsigned int *port)
{
	if (addr->sa.sa_family == AF_INET)
		memcpy(to, &addr->in.sin_addr, 4);
	else
		*to = addr->in6.sin6_addr;
	*port = ntohs(addr->in.sin_port);	/* at the same place in in6 */
}

static bool raw_options(char **words, struct raw_packet *p)
{
	long size = 10, ulen = -1, cut = -1, id = 1, off = -1, len = 0;
	long protocol = 0;
	char *frag = option(words, "frag");
	char *sum = option(words, "sum");
	char *comma;

	if (!number_option(words, "size", 0, RAW_MAX, &size) ||
	    !number_option(words, "ulen", 0, 65535, &ulen) ||
	    !number_option(words, "cut", 0, RAW_MAX, &cut) ||
	    !number_option(words, "id", 1, 65535, &id) ||
	    !number_option(words, "proto", 0, 255, &protocol))
		return false;
	if (frag) {
		comma = strchr(frag, ',');
		if (!comma)
			return fail("frag=OFFSET,LENGTH");
		*comma++ = '\0';
		if (!number(frag, 0, RAW_MAX, &off) ||
		    !number(comma, 8, RAW_MAX, &len))
			return false;
	}
	p->protocol = protocol;
	p->size = size;
	p->ulen = ulen;
	p->cut = cut;
	p->id = id;
	p->frag_off = off;
	p->frag_len = len;
	if (sum)
		p->sum = strcmp(sum, "bad") ? RAW_SUM_ZERO : RAW_SUM_BAD;
	return true;
}

/* Words that say ADDR PORT ADDR PORT [OPTION...] */
static bool raw_packet(char **words, struct raw_packet *p)
{
	union addr src, dst;

	if (!parse_addr(words[0], words[1], &src) ||
	    !parse_addr(words[2], words[3], &dst) || !raw_options(words + 4, p))
		return false;
	p->family = dst.sa.sa_family;
	raw_addr(&src, &p->src, &p->sport);
	raw_addr(&dst, &p->dst, &p->dport);
	return true;
}

static bool raw_send(const char *host, const void *packet, size_t len)
{
	union addr to;
	bool sent;
	int fd;

	if (!len)
		return fail("no such packet");
	if (!parse_addr(host, "0", &to))
		return false;
	fd = socket(to.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return fail_errno("raw socket");
	sent = sendto(fd, packet, len, 0, &to.sa, addr_len(&to)) ==
	       (ssize_t)len;
	if (!sent)
		fail_errno("raw send");
	close(fd);
	return sent;
}

static bool do_raw(char **words)
{
	unsigned char packet[RAW_MAX], head[DNS_HEADER] = {};
	int head_len = dns_option(words, head);
	struct raw_packet p = {};
	long n = 1;

	if (head_len < 0 || !number_option(words, "n", 1, MAX_COUNT, &n) ||
	    !enter(wanted) || !raw_packet(words + 1, &p))
		return false;
	if ((size_t)head_len > p.size)
		return fail("too small for a DNS header");
	p.head = head;
	p.head_len = head_len;
	while (n--) {
		if (!raw_send(words[3], packet, raw_build(&p, packet)))
			return false;
		dns_next(head);
	}
	return true;
}

static bool do_icmp(char **words)
{
	unsigned char packet[RAW_MAX];
	struct raw_icmp icmp = {};
	long type, code, quote = RAW_MAX;
	union addr src, dst;
	unsigned int none;

	if (!enter(wanted) || !parse_addr(words[1], "0", &src) ||
	    !parse_addr(words[2], "0", &dst) ||
	    !number(words[3], 0, 255, &type) ||
	    !number(words[4], 0, 255, &code) ||
	    !number_option(words, "quote", 0, RAW_MAX, &quote) ||
	    !raw_packet(words + 5, &icmp.quoted))
		return false;
	if (src.sa.sa_family != icmp.quoted.family ||
	    dst.sa.sa_family != icmp.quoted.family)
		return fail("one family, please");
	raw_addr(&src, &icmp.src, &none);
	raw_addr(&dst, &icmp.dst, &none);
	icmp.type = type;
	icmp.code = code;
	icmp.quote = quote;
	icmp.frag = flag(words, "piece");
	if (option(words, "icmpsum"))
		icmp.sum = RAW_SUM_BAD;
	return raw_send(words[2], packet, raw_build_icmp(&icmp, packet));
}

/* --- races */

struct racer {
	pthread_t thread;
	const int *fds;
	long n;
	int cpu;
	int error;
};

static atomic_long starts;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *racer_run(void *arg)
{
	struct racer *racer = arg;
	char byte = 'r';
	long i;

	pin(racer->cpu);
	for (i = 0; i < racer->n; i++) {
		atomic_fetch_add(&starts, 1);
		while (atomic_load(&starts) < 2 * (i + 1))
			;
		if (send(racer->fds[i], &byte, 1, 0) != 1 &&
		    (errno != ECONNREFUSED ||
		     send(racer->fds[i], &byte, 1, 0) != 1))
			racer->error = errno;
	}
	return NULL;
}

static bool race_socket(const char *addr, long port, const char *to,
			long to_port, int *fd)
{
	union addr local, peer;
	char text[2][16];

	snprintf(text[0], sizeof(text[0]), "%ld", port);
	snprintf(text[1], sizeof(text[1]), "%ld", to_port);
	if (!parse_addr(addr, text[0], &local) ||
	    !parse_addr(to, text[1], &peer))
		return false;
	*fd = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, &local.sa, addr_len(&local)) ||
	    connect(*fd, &peer.sa, addr_len(&peer)))
		return fail_errno("race");
	return true;
}

static bool race_run(int *fds[2], long n)
{
	struct racer racers[2] = {
		{ .fds = fds[0], .n = n, .cpu = 0 },
		{ .fds = fds[1], .n = n, .cpu = 1 },
	};
	int i;

	atomic_store(&starts, 0);
	for (i = 0; i < 2; i++)
		pthread_create(&racers[i].thread, NULL, racer_run, &racers[i]);
	for (i = 0; i < 2; i++)
		pthread_join(racers[i].thread, NULL);
	errno = racers[0].error ? racers[0].error : racers[1].error;
	return !errno || fail_errno("race");
}

static bool do_race(char **words)
{
	static int fd_lists[2][MAX_COUNT];
	int *fds[2] = { fd_lists[0], fd_lists[1] };
	long n, i, port[2];
	bool good = true;

	if (!number(words[1], 1, 1000, &n) ||
	    !number(words[3], 1, 65535 - n, &port[0]) ||
	    !number(words[5], 1, 65535 - n, &port[1]) || !enter(wanted))
		return false;
	memset(fd_lists, -1, sizeof(fd_lists));
	for (i = 0; i < n && good; i++)
		good = race_socket(words[2], port[0] + i, words[4], port[1] + i,
				   &fds[0][i]) &&
		       race_socket(words[4], port[1] + i, words[2], port[0] + i,
				   &fds[1][i]);
	good = good && race_run(fds, n);
	for (i = 0; i < n; i++) {
		close(fds[0][i]);
		close(fds[1][i]);
	}
	return good;
}

/* --- the rest */

static bool do_in(char **words)
{
	struct netns *ns = netns_get(words[1]);

	if (!ns)
		return false;
	wanted = ns;
	return true;
}

static bool do_barrier(char **words)
{
	struct netns *from = netns_get(words[1]), *to = netns_get(words[3]);
	union addr addr;
	bool good = false;
	int in = -1, out = -1;

	if (!from || !to || !enter(to) || !parse_addr(words[2], "0", &addr))
		return false;
	in = socket(addr.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC, BARRIER_PROTO);
	if (enter(from))
		out = socket(addr.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC,
			     BARRIER_PROTO);
	if (in < 0 || out < 0)
		fail_errno("barrier");
	else if (sendto(out, "barrier", 7, 0, &addr.sa, addr_len(&addr)) != 7)
		fail_errno("barrier");
	else
		good = wait_readable(in, "barrier");
	close(in);
	close(out);
	return good;
}

static bool do_sleep(char **words)
{
	long ms;

	if (!number(words[1], 0, 60000, &ms))
		return false;
	sleep_ms(ms);
	return true;
}

static bool do_until(char **words)
{
	long ms, now = now_ms(CLOCK_MONOTONIC_COARSE);

	if (!number(words[1], 0, now + 60000, &ms))
		return false;
	for (; now < ms; now = now_ms(CLOCK_MONOTONIC_COARSE))
		sleep_ms(ms - now);
	return true;
}

static bool do_copy(char **words)
{
	bool good = true;
	ssize_t len = 0;
	int in, out;

	if (!enter(wanted))
		return false;
	in = open(words[1], O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fail_errno(words[1]);
	out = open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		good = fail_errno(words[2]);
	while (good && (len = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, len) != len)
			good = fail_errno(words[2]);
	}
	if (len < 0)
		good = fail_errno(words[1]);
	close(in);
	close(out);
	return good;
}

static bool do_write(char **words)
{
	size_t len = strlen(words[2]);
	bool good;
	int fd;

	if (!enter(wanted))
		return false;
	fd = open(words[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(words[1]);
	good = write(fd, words[2], len) == (ssize_t)len;
	if (!good)
		fail_errno(words[1]);
	close(fd);
	return good;
}

static bool ethtool(int fd, const char *dev, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	return !ioctl(fd, SIOCETHTOOL, &ifr) || fail_errno("ethtool");
}

static bool feature_set(int fd, const char *dev, const char *name, bool on)
{
	static struct {
		struct ethtool_gstrings head;
		char names[256][ETH_GSTRING_LEN];
	} strings;
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block blocks[8];
	} set = {
		.head = { .cmd = ETHTOOL_SFEATURES },
	};
	unsigned int i;

	strings.head.cmd = ETHTOOL_GSTRINGS;
	strings.head.string_set = ETH_SS_FEATURES;
	strings.head.len = 0;	/* all there are, 64 or so */
	if (!ethtool(fd, dev, &strings))
		return false;
	for (i = 0; i < strings.head.len; i++) {
		if (!strcmp(strings.names[i], name))
			break;
	}
	if (i == strings.head.len)
		return fail("no feature '%s'", name);
	set.head.size = (strings.head.len + 31) / 32;
	set.blocks[i / 32].valid = 1U << i % 32;
	set.blocks[i / 32].requested = on ? 1U << i % 32 : 0;
	return ethtool(fd, dev, &set);
}

static bool do_feature(char **words)
{
	bool good;
	int fd;

	if (!enter(wanted))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno("socket");
	good = feature_set(fd, words[1], words[2], !strcmp(words[3], "1"));
	close(fd);
	return good;
}

static const struct command {
	const char *name;
	int min_words;
	bool (*run)(char **words);
} commands[] = {
	{ "in", 2, do_in },
	{ "udp", 4, do_udp },
	{ "send", 3, do_send },
	{ "recv", 2, do_recv },
	{ "answer", 2, do_answer },
	{ "drain", 2, do_drain },
	{ "denied", 4, do_denied },
	{ "silent", 2, do_silent },
	{ "refused", 2, do_refused },
	{ "close", 2, do_close },
	{ "raw", 5, do_raw },
	{ "icmp", 9, do_icmp },
	{ "race", 6, do_race },
	{ "barrier", 4, do_barrier },
	{ "sleep", 2, do_sleep },
	{ "until", 2, do_until },
	{ "copy", 3, do_copy },
	{ "write", 3, do_write },
	{ "feature", 4, do_feature },
};

static bool run(char *line)
{
	char *words[MAX_WORDS + 1] = {}, *save;
	char *word = strtok_r(line, " \t\n", &save);
	size_t i;
	int n = 0;

	for (; word && n < MAX_WORDS; word = strtok_r(NULL, " \t\n", &save))
		words[n++] = word;
	if (!n || *words[0] == '#')
		return true;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(words[0], commands[i].name))
			continue;
		if (n < commands[i].min_words)
			return fail("too few words");
		return commands[i].run(words);
	}
	return fail("no such command");
}

int main(void)
{
	struct rlimit files = { 8192, 8192 };
	char line[512], failed[512] = "";

	setrlimit(RLIMIT_NOFILE, &files);
	pin(0);
	here = netns_get("-");
	wanted = here;
	if (!here) {
		fprintf(stderr, "udpgen: %s\n", failure);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char copy[sizeof(line)];

		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "sync")) {
			if (*failed)
				printf("failed %s: %s\n", failed, failure);
			else
				printf("ok %ld %ld\n", now_ms(CLOCK_MONOTONIC),
				       now_ms(CLOCK_MONOTONIC_COARSE));
			fflush(stdout);
			*failed = '\0';
			continue;
		}
		if (*failed)
			continue;
		strcpy(copy, line);
		if (!run(copy))
			strcpy(failed, line);
	}
	return 0;
}
