// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood - makes many UDP flows fast, from one process, and counts what arrives.
 *
 * Sends from -S source ports to -D destination ports, hence S * D flows a
 * round. With -R it also binds the destination ports and counts what comes in;
 * with -E it answers too. It never has more than WINDOW packets on their way
 * in those two modes, so that whatever is missing at the end was lost on
 * purpose and not for want of room in a socket. Everything is bounded: a
 * number of rounds, or of seconds. SIGTERM ends it early, in good order.
 *
 * The last line says: sent=N failed=N received=N answered=N
 * failed are packets that the kernel refused to send, as a firewall rule may.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW		64
#define MAX_SECONDS	600
#define MAX_PORTS	60000
#define WAIT_MS		5000

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static struct {
	const char *from, *to;
	int sport, sports, dport, dports;
	int rounds, seconds, bytes, pause_us;
	bool receive, echo;
} opt = {
	.from = "127.0.0.1", .to = "127.0.0.1",
	.sport = 10000, .sports = 1, .dport = 20000, .dports = 1,
	.rounds = 1, .bytes = 10,
};

static unsigned long sent, failed, received, answered;
static int *senders, *receivers;
static volatile sig_atomic_t stop;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("flood: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static socklen_t set_address(union address *addr, const char *text, int port)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->in.sin_addr) == 1) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		return sizeof(addr->in);
	}
	if (inet_pton(AF_INET6, text, &addr->in6.sin6_addr) == 1) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(port);
		return sizeof(addr->in6);
	}
	die("'%s' is no address", text);
}

static int open_socket(const char *address, int port)
{
	union address addr;
	socklen_t len = set_address(&addr, address, port);
	int fd = socket(addr.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	int on = 1;

	if (fd < 0 || bind(fd, &addr.any, len) ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		die("%s port %d: %s", address, port, strerror(errno));
	return fd;
}

static int *open_sockets(const char *address, int port, int n)
{
	int *fds = calloc(n, sizeof(*fds));
	int i;

	if (!fds)
		die("no memory");
	for (i = 0; i < n; i++)
		fds[i] = open_socket(address, port + i);
	return fds;
}

/* Take, and answer, what has come in; wait for some when wait_ms is not 0. */
static bool drain(int wait_ms)
{
	static struct pollfd polls[64];
	unsigned long before = received;
	char buf[2048];
	int i;

	for (i = 0; i < opt.dports; i++) {
		polls[i].fd = receivers[i];
		polls[i].events = POLLIN;
	}
	if (wait_ms && poll(polls, opt.dports, wait_ms) <= 0)
		return false;

	for (i = 0; i < opt.dports; i++) {
		union address from;
		socklen_t len = sizeof(from);
		ssize_t got;

		while ((got = recvfrom(receivers[i], buf, sizeof(buf), 0,
				       &from.any, &len)) >= 0) {
			received++;
			if (opt.echo && sendto(receivers[i], buf, got, 0,
					       &from.any, len) >= 0)
				answered++;
			len = sizeof(from);
		}
	}
	return received > before;
}

static void send_one(int fd, int dport)
{
	static char payload[2048];
	union address to;
	socklen_t len = set_address(&to, opt.to, dport);

	if (sendto(fd, payload, opt.bytes, 0, &to.any, len) < 0)
		failed++;
	else
		sent++;
	/* Nobody reads the answers: they have made their point on arrival. */
	if (opt.echo)
		while (recv(fd, payload, sizeof(payload), 0) >= 0)
			;
	if (opt.pause_us)
		usleep(opt.pause_us);
	if (!opt.receive)
		return;
	drain(0);
	while (sent - received > WINDOW)
		if (!drain(WAIT_MS))
			break;
}

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int number(const char *text, int min, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < min || n > max)
		die("'%s' is not a number from %d to %d", text, min, max);
	return n;
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:d:P:S:p:D:c:t:b:g:RE")) != -1) {
		switch (c) {
		case 's':
			opt.from = optarg;
			break;
		case 'd':
			opt.to = optarg;
			break;
		case 'P':
			opt.sport = number(optarg, 1, 65535);
			break;
		case 'S':
			opt.sports = number(optarg, 1, MAX_PORTS);
			break;
		case 'p':
			opt.dport = number(optarg, 1, 65535);
			break;
		case 'D':
			opt.dports = number(optarg, 1, MAX_PORTS);
			break;
		case 'c':
			opt.rounds = number(optarg, 1, 1000000);
			break;
		case 't':
			opt.seconds = number(optarg, 1, MAX_SECONDS);
			break;
		case 'b':
			opt.bytes = number(optarg, 0, 1400);
			break;
		case 'g':
			opt.pause_us = number(optarg, 0, 1000000);
			break;
		case 'R':
			opt.receive = true;
			break;
		case 'E':
			opt.receive = true;
			opt.echo = true;
			break;
		default:
			die("unknown option; they are described at the top of flood.c");
		}
	}
	if (opt.sport + opt.sports > 65536 || opt.dport + opt.dports > 65536)
		die("ports beyond 65535");
	if (opt.receive && opt.dports > 64)
		die("at most 64 destination ports with -R and -E");
}

int main(int argc, char **argv)
{
	struct rlimit files = { .rlim_cur = MAX_PORTS + 256,
				.rlim_max = MAX_PORTS + 256 };
	double end;
	int s, d, round;

	parse(argc, argv);
	signal(SIGTERM, on_term);
	setrlimit(RLIMIT_NOFILE, &files);
	if (opt.receive)
		receivers = open_sockets(opt.to, opt.dport, opt.dports);
	senders = open_sockets(opt.from, opt.sport, opt.sports);

	end = now() + opt.seconds;
	for (round = 0; opt.seconds || round < opt.rounds; round++)
		for (d = 0; d < opt.dports; d++)
			for (s = 0; s < opt.sports; s++) {
				if (stop || (opt.seconds && now() >= end))
					goto done;
				send_one(senders[s], opt.dport + d);
			}
done:
	if (opt.receive)
		while (received < sent && drain(WAIT_MS))
			;
	printf("sent=%lu failed=%lu received=%lu answered=%lu\n", sent, failed,
	       received, answered);
	return 0;
}
