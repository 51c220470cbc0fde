// SPDX-License-Identifier: GPL-2.0-only
/*
 * exchange - what a packet costs, as the time of many.
 *
 *	exchange CLIENT SERVER pairs|opens COUNT
 *
 * CLIENT and SERVER are network namespaces joined by a link, with the addresses
 * of cost.sh. "pairs" sends COUNT questions from one socket and an answer to
 * each, "opens" sends COUNT questions from as many ports, unanswered; both as
 * DNS messages, to port 53. Prints the nanoseconds that one took.
 *
 * On a machine whose clock counts instructions (QEMU's -icount shift=0) that is
 * their number. Owns its two sockets; bounded by COUNT.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE	40
#define FIRST_PORT	10000
#define MAX_COUNT	50000

static void die(const char *what)
{
	fprintf(stderr, "exchange: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int socket_in(const char *netns)
{
	char path[64];
	int fd, s;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		die("socket");
	return s;
}

static struct sockaddr_in end(const char *host, unsigned int port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	inet_pton(AF_INET, host, &addr.sin_addr);
	return addr;
}

static void set_ends(int s, const char *own, unsigned int own_port,
		     const char *other, unsigned int other_port)
{
	struct sockaddr_in addr = end(own, own_port);
	int on = 1;

	/* The guard of bind() lets a port's owner have it again so. */
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		die("setsockopt");
	if (bind(s, (void *)&addr, sizeof(addr)))
		die("bind");
	if (!other)
		return;
	addr = end(other, other_port);
	if (connect(s, (void *)&addr, sizeof(addr)))
		die("connect");
}

/* The header of a message with one question, then nothing in particular. */
static void number(unsigned char *message, unsigned int id, unsigned int flags)
{
	memset(message, 0, MESSAGE);
	message[0] = id >> 8;
	message[1] = id;
	message[2] = flags >> 8;
	message[3] = flags;
	message[5] = 1;
}

static void pass_on(int from, int to, const unsigned char *message)
{
	unsigned char got[MESSAGE];

	if (send(from, message, MESSAGE, 0) != MESSAGE)
		die("send");
	if (recv(to, got, sizeof(got), MSG_DONTWAIT) != MESSAGE)
		die("recv");
}

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static unsigned long long pairs(const char *client, const char *server,
				unsigned int count)
{
	int c = socket_in(client), s = socket_in(server);
	unsigned char message[MESSAGE];
	unsigned long long begin;
	unsigned int i;

	set_ends(c, "192.0.2.1", FIRST_PORT, "192.0.2.2", 53);
	set_ends(s, "192.0.2.2", 53, "192.0.2.1", FIRST_PORT);
	begin = now_ns();
	for (i = 0; i < count; i++) {
		number(message, i, 0x0100);
		pass_on(c, s, message);
		number(message, i, 0x8180);
		pass_on(s, c, message);
	}
	return now_ns() - begin;
}

static unsigned long long opens(const char *client, const char *server,
				unsigned int count)
{
	unsigned long long begin, spent = 0;
	unsigned char message[MESSAGE];
	int c, s = socket_in(server);
	unsigned int i;

	set_ends(s, "192.0.2.2", 53, NULL, 0);
	for (i = 0; i < count; i++) {
		c = socket_in(client);
		set_ends(c, "192.0.2.1", FIRST_PORT + i, "192.0.2.2", 53);
		number(message, i, 0x0100);
		begin = now_ns();
		pass_on(c, s, message);
		spent += now_ns() - begin;
		close(c);
	}
	return spent;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	unsigned long long spent;

	if (!count || count > MAX_COUNT) {
		fprintf(stderr, "usage: exchange CLIENT SERVER pairs|opens COUNT\n");
		return 1;
	}
	if (!strcmp(argv[3], "pairs"))
		spent = pairs(argv[1], argv[2], count);
	else
		spent = opens(argv[1], argv[2], count);
	printf("%llu\n", spent / count);
	return 0;
}
