// SPDX-License-Identifier: GPL-2.0-only
/*
 * chatter - random UDP traffic that two trackers must see alike.
 *
 *	chatter SEED PACKETS TIMEOUT STREAM [TRACE]
 *
 * Sends PACKETS packets between the network namespaces a and b, and within
 * each: datagrams in few conversations, small, large, segmented, broken, in
 * pieces; ICMP errors about them, true and forged; multicast and broadcast. All
 * follows from SEED, but for the clock. Each packet has arrived, with the ICMP
 * error that it causes, before the next one is sent. A line for each goes to
 * the file TRACE, with the time as the kernel's log shows it.
 *
 * The type of service of a packet says what the rules of the test do with it:
 * see enum fate.
 *
 * TIMEOUT and STREAM are the trackers' timeouts, in seconds. They need not draw
 * the line between life and death at the same instant, and a packet that the
 * filter table drops refreshes its flow for nf_conntrack but not for udptrack.
 * So chatter keeps account of when a flow may expire, and leaves alone what may
 * be just about to.
 *
 * Owns the sockets; nobody reads from those of UDP. Ends with a line of
 * numbers, and with status 1 when something went wrong.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rawpacket.h"

#define HOSTS		2
#define NOBODY		HOSTS	/* the host of a group */
#define MAX_ENDS	64
#define MAX_CONVS	128
#define WAIT_MS		20000
/* A protocol number for experiments (RFC 3692): no tracker cares. */
#define BARRIER_PROTO	253

#define OPEN_PORT	5000	/* and the three above */
#define OPEN_PORTS	4
#define CLOSED_PORT	5009
#define UNKNOWN_PORT	5999	/* of no conversation */
#define EXEMPT_PORT	5050
#define GROUP_PORT	6000	/* nobody sends from there: answers would be RELATED */

/* What becomes of a packet, by the rules for its type of service. */
enum fate {
	FATE_PASS	= 0,
	FATE_RAW_OUT	= 0x20,	/* dropped by the raw table in OUTPUT, */
	FATE_RAW_IN	= 0x40,	/* in PREROUTING, */
	FATE_FILTER_OUT	= 0x60,	/* by the filter table in OUTPUT, */
	FATE_FILTER_IN	= 0x80,	/* in INPUT */
	FATE_NOTRACK	= 0xa0,	/* an ICMP error about what is exempt */
	FATE_SHORT	= 0xc0,	/* has no ports to be looked at */
};

enum dir { ORIGINAL, REPLY };

/* What is known of a conversation's flow in one namespace. Times in ms. */
struct life {
	long born_from, born_to;	/* made in between */
	long dies_from, dies_to;	/* expires in between; 0: never lived */
	int origin;			/* the end that spoke first */
	bool replied;
};

struct end {
	int family;
	int host;
	bool loop;		/* 127.0.0.1 or ::1 */
	unsigned int port;
	struct in6_addr addr;
	int fd;			/* -1 where nobody listens */
};

struct conv {
	const struct end *end[2];
	struct life life[HOSTS];
	long asleep_until;
	bool oneway;		/* this time */
	bool local;		/* stays within its host */
	bool exempt;
};

static const char * const wire[2][HOSTS] = {
	{ "192.0.2.1", "192.0.2.2" },
	{ "2001:db8::1", "2001:db8::2" },
};

/* Nobody speaks from there. */
static const char * const spare[2][HOSTS] = {
	{ "192.0.2.11", "192.0.2.12" },
	{ "2001:db8::11", "2001:db8::12" },
};

static const char * const lo[2] = { "127.0.0.1", "::1" };
static const char * const group[2] = { "239.192.0.1", "ff05::4242" };
static const char * const names[HOSTS] = { "a", "b" };

static struct end ends[MAX_ENDS];
static unsigned int n_ends;
static struct conv convs[MAX_CONVS];
static unsigned int n_convs;
static int raw_fds[2][HOSTS];
static int barrier_fds[HOSTS];
static long timeout_ms, stream_ms, guard_ms;
static unsigned long long chance;
static unsigned int last_id = 1;
static unsigned int stalls, births;
static long longest_ms;
static FILE *trace;

static void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	int err = errno;
	va_list args;

	va_start(args, format);
	fputs("chatter: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(err));
	va_end(args);
	exit(1);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void tell(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	struct timespec ts;
	va_list args;

	if (!trace)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	fprintf(trace, "[%5ld.%06ld] ", (long)ts.tv_sec, ts.tv_nsec / 1000);
	va_start(args, format);
	vfprintf(trace, format, args);
	va_end(args);
	fputc('\n', trace);
}

/* --- chance: splitmix64 */

static unsigned int below(unsigned int limit)
{
	unsigned long long z = chance += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z >> 33) % limit;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

/* --- sockets and ends */

static int nr(int family)
{
	return family == AF_INET6;
}

static struct in6_addr address(int family, const char *text)
{
	struct in6_addr addr = {};

	if (inet_pton(family, text, &addr) != 1)
		die("%s", text);
	return addr;
}

static socklen_t sockaddr_of(int family, const struct in6_addr *addr,
			     unsigned int port, struct sockaddr_in6 *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, addr, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	sa->sin6_family = AF_INET6;
	sa->sin6_port = htons(port);
	sa->sin6_addr = *addr;
	return sizeof(*sa);
}

static void set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die("setsockopt %d %d", level, name);
}

static int udp_socket(const struct end *end)
{
	int fd = socket(end->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 sa;
	socklen_t len = sockaddr_of(end->family, &end->addr, end->port, &sa);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len))
		die("socket for port %u in %s", end->port, names[end->host]);
	set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, 1 << 20);
	/* What nobody reads need not be kept. */
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 0);
	return fd;
}

static const struct end *end_get(int family, int host, const char *addr,
				 unsigned int port)
{
	struct in6_addr bytes = address(family, addr);
	struct end *end;

	for (end = ends; end < ends + n_ends; end++) {
		if (end->family == family && end->host == host &&
		    end->port == port &&
		    !memcmp(&end->addr, &bytes, sizeof(bytes)))
			return end;
	}
	if (n_ends == MAX_ENDS)
		die("too many ends");
	n_ends++;
	*end = (struct end) {
		.family = family,
		.host = host,
		.loop = !strcmp(addr, lo[nr(family)]),
		.port = port,
		.addr = bytes,
		.fd = -1,
	};
	return end;
}

static void conv_add(const struct end *one, const struct end *other)
{
	if (n_convs == MAX_CONVS)
		die("too many conversations");
	convs[n_convs++] = (struct conv) {
		.end = { one, other },
		.local = one->host == other->host,
		.exempt = one->port == EXEMPT_PORT ||
			  other->port == EXEMPT_PORT,
	};
}

/* Between the hosts: all open ports with each other, and with a closed one. */
static void make_remote(int family)
{
	const char * const *at = wire[nr(family)];
	const struct end *here, *there;
	unsigned int i, j;

	for (i = 0; i < OPEN_PORTS; i++) {
		here = end_get(family, 0, at[0], OPEN_PORT + i);
		for (j = 0; j < OPEN_PORTS; j++) {
			there = end_get(family, 1, at[1], OPEN_PORT + j);
			conv_add(here, there);
		}
		conv_add(here, end_get(family, 1, at[1], CLOSED_PORT));
		there = end_get(family, 1, at[1], OPEN_PORT + i);
		conv_add(end_get(family, 0, at[0], CLOSED_PORT), there);
	}
	conv_add(end_get(family, 0, at[0], OPEN_PORT),
		 end_get(family, 1, at[1], EXEMPT_PORT));
	conv_add(end_get(family, 0, at[0], EXEMPT_PORT),
		 end_get(family, 1, at[1], OPEN_PORT + 1));
}

/* Within a host, also with oneself. */
static void make_local(int family, int host, const char *at)
{
	const struct end *first = end_get(family, host, at, OPEN_PORT);
	const struct end *second = end_get(family, host, at, OPEN_PORT + 1);

	conv_add(first, second);
	conv_add(first, first);
	conv_add(second, end_get(family, host, at, CLOSED_PORT));
	conv_add(second, end_get(family, host, at, EXEMPT_PORT));
}

/* To everybody; never answered. */
static void make_group(int family, int host, const char *to)
{
	const struct end *all = end_get(family, NOBODY, to, GROUP_PORT);
	unsigned int i;

	for (i = 0; i < 2; i++)
		conv_add(end_get(family, host, wire[nr(family)][host],
				 OPEN_PORT + i), all);
}

static void make_convs(void)
{
	int family, host;

	for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		make_remote(family);
		for (host = 0; host < HOSTS; host++) {
			make_local(family, host, wire[nr(family)][host]);
			make_local(family, host, lo[nr(family)]);
			make_group(family, host, group[nr(family)]);
			if (family == AF_INET)
				make_group(family, host, "192.0.2.255");
		}
	}
}

/* Otherwise a packet to the group is none of the host's business. */
static void join(int family)
{
	static const int level[2] = { IPPROTO_IP, IPPROTO_IPV6 };
	struct in6_addr addr = address(family, group[nr(family)]);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct group_req req = {
		.gr_interface = if_nametoindex("eth0"),
	};

	sockaddr_of(family, &addr, 0, (struct sockaddr_in6 *)&req.gr_group);
	if (fd < 0 || setsockopt(fd, level[nr(family)], MCAST_JOIN_GROUP, &req,
				 sizeof(req)))
		die("join %s", group[nr(family)]);
}

static int raw_socket(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("raw socket");
	if (protocol == IPPROTO_RAW)
		set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	return fd;
}

static void open_host(int host)
{
	struct end *end;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", names[host]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s", path);
	close(fd);
	for (end = ends; end < ends + n_ends; end++) {
		if (end->host == host && end->port != CLOSED_PORT)
			end->fd = udp_socket(end);
	}
	join(AF_INET);
	join(AF_INET6);
	raw_fds[0][host] = raw_socket(AF_INET, IPPROTO_RAW);
	raw_fds[1][host] = raw_socket(AF_INET6, IPPROTO_RAW);
	barrier_fds[host] = raw_socket(AF_INET, BARRIER_PROTO);
}

/* All that was sent before has arrived at the other host. */
static void barrier(int from)
{
	struct pollfd pfd = { .fd = barrier_fds[!from], .events = POLLIN };
	struct in6_addr addr = address(AF_INET, wire[0][!from]);
	struct sockaddr_in6 sa;
	socklen_t len = sockaddr_of(AF_INET, &addr, 0, &sa);
	char buf[64];

	if (sendto(barrier_fds[from], "b", 1, 0, (struct sockaddr *)&sa,
		   len) != 1)
		die("barrier from %s", names[from]);
	while (recv(pfd.fd, buf, sizeof(buf), MSG_DONTWAIT) < 0) {
		if (errno != EAGAIN || poll(&pfd, 1, WAIT_MS) != 1)
			die("barrier to %s", names[!from]);
	}
}

/* What a host sent has arrived, and so has the ICMP error that it caused. */
static void settle(int host)
{
	barrier(host);
	barrier(!host);
}

/* --- lives of flows */

/* May its flow expire while a packet is on its way? */
static bool is_unsure(const struct life *life, long now)
{
	return now > life->dies_from - guard_ms &&
	       now <= life->dies_to + guard_ms;
}

static bool conv_is_sure(const struct conv *conv, long now)
{
	return !is_unsure(&conv->life[0], now) &&
	       !is_unsure(&conv->life[1], now);
}

static bool is_live(const struct life *life, long now)
{
	return now <= life->dies_from;
}

static enum dir direction(const struct conv *conv, const struct life *life,
			  int from, long now)
{
	if (!is_live(life, now))
		return ORIGINAL;
	return conv->end[0] == conv->end[1] || life->origin != from ? REPLY
								     : ORIGINAL;
}

/* When does a flow die that was refreshed between these times? */
static void life_span(const struct life *life, long from, long to,
		      long *dies_from, long *dies_to)
{
	const long young_ms = 2000;
	bool surely = life->replied &&
		      from > life->born_to + young_ms + guard_ms;
	bool maybe = life->replied &&
		     to > life->born_from + young_ms - guard_ms;

	*dies_from = from + (surely ? stream_ms : timeout_ms);
	*dies_to = to + (maybe ? stream_ms : timeout_ms);
}

/* A packet touched the flow at a host, sent by that end, between these times. */
static void touch(struct conv *conv, int host, int sender, long from, long to)
{
	struct life *life = &conv->life[host];
	enum dir dir = direction(conv, life, sender, from);

	if (!is_live(life, from)) {
		*life = (struct life) {
			.born_from = from,
			.born_to = to,
			.origin = sender,
		};
		births++;
	} else if (to > life->dies_from) {
		/* So late that it may have made a new one. Leave it alone. */
		stalls++;
		tell("stalled");
		life->dies_from = 0;
		life->dies_to = to + stream_ms;
		return;
	}
	life_span(life, from, to, &life->dies_from, &life->dies_to);
	if (dir == REPLY)
		life->replied = true;
}

/* The filter table dropped it, after nf_conntrack had refreshed its flow. */
static void half_touch(struct conv *conv, int host, long from, long to)
{
	struct life *life = &conv->life[host];
	long dies_from, dies_to;

	if (!is_live(life, from))
		return;
	life_span(life, from, to, &dies_from, &dies_to);
	if (dies_to > life->dies_to)
		life->dies_to = dies_to;
}

/* nf_conntrack would have an answer that udptrack has not. */
static bool may_filter(const struct conv *conv, int host, int sender, long now)
{
	const struct life *life = &conv->life[host];

	return life->replied || conv->exempt ||
	       direction(conv, life, sender, now) == ORIGINAL;
}

/* --- what happens next */

static struct conv *pick(void)
{
	unsigned int tries;
	struct conv *conv;
	long now;

	for (;;) {
		now = now_ms();
		for (tries = 0; tries < 2 * n_convs; tries++) {
			conv = &convs[below(n_convs)];
			if (now >= conv->asleep_until && conv_is_sure(conv, now))
				return conv;
		}
		sleep_ms(20);
	}
}

/* Who speaks? */
static int pick_sender(struct conv *conv)
{
	const struct life *life;
	int sender = below(2);
	long now = now_ms();

	if (conv->end[1]->host == NOBODY)
		return 0;
	life = &conv->life[conv->end[sender]->host];
	if (!is_live(life, now))
		conv->oneway = percent(50);
	else if (conv->oneway)
		sender = life->origin;
	return sender;
}

static enum fate pick_fate(const struct conv *conv, int sender)
{
	static const enum fate drops[] = {
		FATE_RAW_OUT, FATE_RAW_IN, FATE_FILTER_OUT, FATE_FILTER_IN,
	};
	const struct end *from = conv->end[sender], *to = conv->end[!sender];
	enum fate fate = percent(85) ? FATE_PASS : drops[below(4)];
	long now = now_ms();
	int host;

	if (fate == FATE_FILTER_OUT &&
	    !may_filter(conv, from->host, sender, now))
		return FATE_PASS;
	if (fate != FATE_FILTER_IN || conv->local)
		return fate;
	for (host = 0; host < HOSTS; host++) {
		if ((host == to->host || to->host == NOBODY) &&
		    host != from->host && !may_filter(conv, host, sender, now))
			return FATE_PASS;
	}
	return fate;
}

/* Who saw a sound packet, and what it did there. */
static void account(struct conv *conv, int sender, enum fate fate, long from)
{
	int host = conv->end[sender]->host;
	long to = now_ms();

	if (fate == FATE_RAW_OUT || conv->exempt)
		return;
	if (fate == FATE_FILTER_OUT) {
		half_touch(conv, host, from, to);
		return;
	}
	touch(conv, host, sender, from, to);
	if (conv->local || fate == FATE_RAW_IN)
		return;
	if (fate == FATE_FILTER_IN)
		half_touch(conv, !host, from, to);
	else
		touch(conv, !host, sender, from, to);
}

static const char *end_name(const struct end *end)
{
	static char texts[4][80];
	static unsigned int i;
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(end->family, &end->addr, addr, sizeof(addr));
	i = (i + 1) % 4;
	snprintf(texts[i], sizeof(texts[i]), "%s,%u", addr, end->port);
	return texts[i];
}

static unsigned int pick_size(void)
{
	unsigned int kind = below(100);

	if (kind < 70)
		return below(100);
	if (kind < 85)
		return below(1500);
	return kind < 99 ? below(9000) : below(40000);
}

/* A socket sends. */
static void step_datagram(void)
{
	static const int level[2] = { IPPROTO_IP, IPPROTO_IPV6 };
	static const int option[2] = { IP_TOS, IPV6_TCLASS };
	static char data[65536];
	unsigned int size = pick_size(), segment = 0;
	struct conv *conv = pick();
	int sender = pick_sender(conv);
	const struct end *from, *to;
	struct sockaddr_in6 sa;
	enum fate fate;
	socklen_t len;
	ssize_t sent;
	long begin;
	int i;

	/* Nobody speaks from a closed port; then the other end does. */
	if (conv->end[sender]->fd < 0)
		sender = !sender;
	from = conv->end[sender];
	to = conv->end[!sender];
	fate = pick_fate(conv, sender);
	if (percent(5)) {
		segment = 100 + below(300);
		size = segment * (1 + below(20));
	}
	i = nr(from->family);
	len = sockaddr_of(to->family, &to->addr, to->port, &sa);
	if (fate)
		set_int(from->fd, level[i], option[i], fate);
	if (segment)
		set_int(from->fd, SOL_UDP, UDP_SEGMENT, segment);
	tell("%s: %s > %s size=%u segment=%u tos=%#x", names[from->host],
	     end_name(from), end_name(to), size, segment, fate);
	begin = now_ms();
	sent = sendto(from->fd, data, size, 0, (struct sockaddr *)&sa, len);
	/* That a rule dropped it may be told. */
	if (sent != size && errno != EPERM)
		die("%s > %s, size %u, segment %u", end_name(from),
		    end_name(to), size, segment);
	settle(from->host);
	account(conv, sender, fate, begin);
	if (fate)
		set_int(from->fd, level[i], option[i], 0);
	if (segment)
		set_int(from->fd, SOL_UDP, UDP_SEGMENT, 0);
	if (percent(8))
		conv->asleep_until = begin + below(2 * stream_ms);
}

static void raw_send(int host, int family, const struct in6_addr *dst,
		     const unsigned char *packet, size_t size)
{
	struct sockaddr_in6 sa;
	socklen_t len = sockaddr_of(family, dst, 0, &sa);
	ssize_t sent;

	sent = sendto(raw_fds[nr(family)][host], packet, size, 0,
		      (struct sockaddr *)&sa, len);
	if (sent != (ssize_t)size && errno != EPERM)
		die("raw packet of %zu bytes", size);
}

static struct raw_packet packet_of(const struct conv *conv, int sender)
{
	const struct end *from = conv->end[sender], *to = conv->end[!sender];

	return (struct raw_packet) {
		.family = from->family,
		.src = from->addr,
		.dst = to->addr,
		.sport = from->port,
		.dport = to->port,
		.size = 8 + below(300),
		.ulen = -1,
		.cut = -1,
		.frag_off = -1,
	};
}

/* Make something wrong with it, or not; true when no tracker must take it. */
static bool spoil(struct raw_packet *p, bool exempt)
{
	/*
	 * Of an exempt port, udptrack calls what is malformed INVALID, and
	 * rules that look at ports drop what has none.
	 */
	switch (below(exempt ? 3 : 6)) {
	case 0:
		p->sum = RAW_SUM_BAD;
		return false;
	case 1:
		p->sum = RAW_SUM_ZERO;
		return false;
	case 2:
		return false;
	case 3:
		p->ulen = below(8);
		return true;
	case 4:
		p->ulen = p->size + 9 + below(2000);
		return true;
	}
	p->cut = below(8);
	p->tos = FATE_SHORT;
	return true;
}

static void raw_udp_send(int host, struct raw_packet *p)
{
	unsigned char packet[RAW_MAX];
	size_t len = raw_build(p, packet);

	if (!len)
		die("no such packet");
	raw_send(host, p->family, &p->dst, packet, len);
}

/* A packet made by hand, from closed ports as well. */
static void step_raw(void)
{
	struct conv *conv = pick();
	int sender = pick_sender(conv), host = conv->end[sender]->host;
	struct raw_packet p = packet_of(conv, sender);
	bool refused = false;
	long begin;

	if (percent(20)) {
		p.frag_off = 0;
		p.frag_len = 8 * (1 + below(p.size / 8));
		p.id = ++last_id;
	} else {
		refused = spoil(&p, conv->exempt);
	}
	tell("%s: raw %s > %s size=%u ulen=%d cut=%d sum=%d piece=%d",
	     names[host], end_name(conv->end[sender]),
	     end_name(conv->end[!sender]), p.size, p.ulen, p.cut, p.sum,
	     p.frag_off < 0 ? 0 : p.frag_len);
	begin = now_ms();
	raw_udp_send(host, &p);
	if (p.frag_off == 0) {
		p.frag_off = p.frag_len;
		p.frag_len = RAW_MAX;
		raw_udp_send(host, &p);
	}
	settle(host);
	if (refused)
		return;
	/* What goes out is taken to be right; the receiver looks. */
	account(conv, sender, p.sum == RAW_SUM_BAD ? FATE_RAW_IN : FATE_PASS,
		begin);
}

/* Of an error: the type, the code, and what else is in the header. */
static void pick_type(struct raw_icmp *e)
{
	static const unsigned char types[][3] = {	/* IPv4, IPv6, codes */
		{ 3, 1, 5 },		/* unreachable */
		{ 11, 3, 2 },		/* time exceeded */
		{ 12, 4, 2 },		/* parameter problem */
		{ 3, 2, 0 },		/* too big */
	};
	const unsigned char *type = types[below(4)];
	int family = e->quoted.family;

	e->type = type[nr(family)];
	if (type[2]) {
		e->code = below(type[2]);
		/* That is "too big" in IPv4. */
		if (family == AF_INET && e->type == 3 && e->code == 4)
			e->code = 13;
		return;
	}
	e->code = family == AF_INET ? 4 : 0;
	e->mtu = 1400;
}

/* What it quotes, and how much of it. */
static void pick_quote(const struct conv *conv, struct raw_icmp *e)
{
	struct raw_packet *p = &e->quoted;
	/* What is exempt can be told only from both ports. */
	unsigned int kind = conv->exempt ? 50 + below(40) : below(100);
	unsigned int headers = p->family == AF_INET ? 20 : 40;

	if (kind < 12)
		p->sport = UNKNOWN_PORT;
	if (kind >= 80) {
		p->frag_off = kind >= 90 ? 8 : 0;
		p->frag_len = 8;
	}
	/*
	 * Cut short. For nf_conntrack the ports are enough, for udptrack it
	 * must be eight bytes of the datagram, as RFC 792 has it.
	 */
	e->quote = RAW_MAX;
	if (kind >= 12 && kind < 24)
		e->quote = percent(50) ? headers + 8 + below(8)
				       : below(headers + 4);
	tell("quote port=%u piece=%d length=%zu", p->sport, p->frag_off,
	     e->quote);
}

static struct in6_addr pick_receiver(const struct conv *conv, int sender)
{
	const struct end *from = conv->end[sender], *to = conv->end[!sender];
	int family = nr(from->family);
	unsigned int kind = below(100);

	if (kind < 65 && from->host != NOBODY)
		return from->addr;
	if (kind < 80 && to->host != NOBODY)
		return to->addr;
	if (kind < 90)
		return address(from->family, spare[family][below(HOSTS)]);
	return address(from->family, wire[family][below(HOSTS)]);
}

/* Somebody claims that a packet did not arrive. */
static void step_error(void)
{
	unsigned char packet[RAW_MAX];
	char to[INET6_ADDRSTRLEN];
	struct conv *conv = pick();
	int sender = below(2), host = below(HOSTS);
	struct raw_icmp e = {
		.quoted = packet_of(conv, sender),
		/* None of them refreshes anything. */
		.tos = percent(85) ? FATE_PASS : 0x20 * (1 + below(4)),
		.sum = percent(10) ? RAW_SUM_BAD : RAW_SUM_GOOD,
	};
	int family = e.quoted.family;
	struct in6_addr loopback = address(family, lo[nr(family)]);
	size_t len;

	/* The other host has the same addresses there, but another flow. */
	if (conv->end[0]->loop)
		host = conv->end[0]->host;
	e.dst = pick_receiver(conv, sender);
	if (memcmp(&e.dst, &loopback, sizeof(loopback)))
		e.src = address(family, wire[nr(family)][host]);
	else
		e.src = loopback;
	if (conv->exempt)
		e.tos = FATE_NOTRACK;
	pick_type(&e);
	inet_ntop(family, &e.dst, to, sizeof(to));
	tell("%s: error %u/%u to %s about %s > %s sum=%d tos=%#x", names[host],
	     e.type, e.code, to, end_name(conv->end[sender]),
	     end_name(conv->end[!sender]), e.sum, e.tos);
	pick_quote(conv, &e);
	len = raw_build_icmp(&e, packet);
	if (!len)
		die("no such error");
	raw_send(host, family, &e.dst, packet, len);
	settle(host);
}

static void step(void)
{
	unsigned int kind = below(100);
	long begin = now_ms(), took;

	if (kind < 74)
		step_datagram();
	else if (kind < 84)
		step_raw();
	else
		step_error();
	took = now_ms() - begin;
	if (took > longest_ms)
		longest_ms = took;
	if (percent(3))
		sleep_ms(below(20));
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	errno = EINVAL;
	if (end == text || *end || value < 1 || value > 100000000)
		die("%s", text);
	return value;
}

int main(int argc, char **argv)
{
	long packets, i, begin;
	cpu_set_t set;

	errno = EINVAL;
	if (argc < 5)
		die("SEED PACKETS TIMEOUT STREAM [TRACE]");
	chance = number(argv[1]);
	packets = number(argv[2]);
	timeout_ms = number(argv[3]) * 1000;
	stream_ms = number(argv[4]) * 1000;
	guard_ms = timeout_ms / 3;
	if (argc > 5) {
		trace = fopen(argv[5], "w");
		if (!trace)
			die("%s", argv[5]);
	}
	/* What is sent on a CPU arrives there, and in that order. */
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);

	make_convs();
	for (i = 0; i < HOSTS; i++)
		open_host(i);
	begin = now_ms();
	for (i = 0; i < packets; i++)
		step();
	if (trace && fclose(trace))
		die("%s", argv[5]);
	printf("%ld packets in %ld s, %u conversations, %u flows began, ",
	       packets, (now_ms() - begin) / 1000, n_convs, births);
	printf("%u stalled, the slowest took %ld ms\n", stalls, longest_ms);
	return 0;
}
