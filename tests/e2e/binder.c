// SPDX-License-Identifier: GPL-2.0-only
/*
 * binder - tries to bind sockets.
 *
 *	binder [-n TIMES] ADDR,PORT[,OPTION...] ...
 *
 * One socket after the other, each closed before the next one. Says for each
 * what came of it, "ok" or the name of the error, in one line; with -n, how
 * often each of that in all, as "ok=3 EADDRINUSE=2"; SIGTERM ends that early.
 *
 *	reuseaddr, reuseport	with that set
 *	v6only		takes no IPv4
 *	dev=IF		bound to the interface; fe80::1%IF has its own
 *	uid=N		of that user
 *	tcp, udplite	instead of UDP
 *	after=PORT	bound to that port before
 *	connect		is not bound, but connected, and the kernel chooses
 *	unspec		with AF_UNSPEC for a family
 *	len=N		says that the address is so long
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ERRNO	256

static volatile sig_atomic_t stop;

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "binder: %s: %s\n", what, strerror(errno));
	exit(2);
}

struct spec {
	struct sockaddr_storage addr;
	socklen_t len;
	int type, protocol;
	uid_t uid;
	const char *dev;
	int after;
	bool reuseaddr, reuseport, v6only, connect, unspec;
};

static void read_option(struct spec *spec, char *word)
{
	if (!strcmp(word, "reuseaddr"))
		spec->reuseaddr = true;
	else if (!strcmp(word, "reuseport"))
		spec->reuseport = true;
	else if (!strcmp(word, "v6only"))
		spec->v6only = true;
	else if (!strcmp(word, "unspec"))
		spec->unspec = true;
	else if (!strcmp(word, "connect"))
		spec->connect = true;
	else if (!strcmp(word, "tcp"))
		spec->type = SOCK_STREAM, spec->protocol = IPPROTO_TCP;
	else if (!strcmp(word, "udplite"))
		spec->protocol = IPPROTO_UDPLITE;
	else if (!strncmp(word, "dev=", 4))
		spec->dev = word + 4;
	else if (!strncmp(word, "uid=", 4))
		spec->uid = atoi(word + 4);
	else if (!strncmp(word, "after=", 6))
		spec->after = atoi(word + 6);
	else if (!strncmp(word, "len=", 4))
		spec->len = atoi(word + 4);
	else
		die(word);
}

static void read_spec(const char *text, struct spec *spec)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	}, *found;
	char *copy = strdup(text), *host, *port, *word;

	host = strtok(copy, ",");
	port = strtok(NULL, ",");
	if (!port || getaddrinfo(host, port, &hints, &found))
		die(text);
	*spec = (struct spec) {
		.len = found->ai_addrlen,
		.type = SOCK_DGRAM,
		.protocol = IPPROTO_UDP,
	};
	memcpy(&spec->addr, found->ai_addr, found->ai_addrlen);
	while ((word = strtok(NULL, ",")))
		read_option(spec, word);
	freeaddrinfo(found);
}

static void set(int fd, int level, int option, bool value)
{
	int on = 1;

	if (value && setsockopt(fd, level, option, &on, sizeof(on)))
		die("setsockopt");
}

static int open_socket(const struct spec *spec)
{
	int fd;

	if (seteuid(spec->uid))
		die("seteuid");
	fd = socket(spec->addr.ss_family, spec->type, spec->protocol);
	if (fd < 0 || seteuid(0))
		die("socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, spec->reuseaddr);
	set(fd, SOL_SOCKET, SO_REUSEPORT, spec->reuseport);
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, spec->v6only);
	if (spec->dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec->dev,
				    strlen(spec->dev)))
		die(spec->dev);
	return fd;
}

static void bind_before(int fd, int family, int port)
{
	/* The port is at the same place in both families. */
	struct sockaddr_in6 addr = {
		.sin6_family = family,
		.sin6_port = htons(port),
	};

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("bind");
}

static int try(const char *text)
{
	struct sockaddr *addr;
	struct spec spec;
	int fd, err = 0;

	read_spec(text, &spec);
	addr = (struct sockaddr *)&spec.addr;
	fd = open_socket(&spec);
	if (spec.after)
		bind_before(fd, addr->sa_family, spec.after);
	if (spec.unspec)
		addr->sa_family = AF_UNSPEC;
	if (spec.connect ? connect(fd, addr, spec.len)
			 : bind(fd, addr, spec.len))
		err = errno;
	close(fd);
	return err;
}

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static const char *name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

int main(int argc, char **argv)
{
	static int counts[MAX_ERRNO];
	int i, n, times = 0, first = 1;
	const char *space = "";

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		times = atoi(argv[2]);
		first = 3;
	}
	if (first == argc) {
		fprintf(stderr, "usage: binder [-n TIMES] ADDR,PORT[,OPTION...] ...\n");
		return 2;
	}
	if (times)
		signal(SIGTERM, on_term);
	for (n = 0; n < times && !stop; n++)
		for (i = first; i < argc; i++)
			counts[try(argv[i])]++;
	for (i = first; i < argc && !times; i++, space = " ")
		printf("%s%s", space, name(try(argv[i])));
	for (i = 0; i < MAX_ERRNO; i++) {
		if (!counts[i])
			continue;
		printf("%s%s=%d", space, name(i), counts[i]);
		space = " ";
	}
	putchar('\n');
	return 0;
}
