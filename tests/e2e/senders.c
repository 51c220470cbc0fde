// SPDX-License-Identifier: GPL-2.0-only
/*
 * senders - many short-lived processes with short-lived UDP sockets.
 *
 *	senders ADDR PORT FIRST PROCESSES SOCKETS
 *
 * Each process makes SOCKETS sockets one after the other, bound to ports from
 * FIRST on, no two the same, sends a byte to ADDR and PORT from each, and ends.
 * Says for each socket, a line each: its port, and the process. Processes have
 * ended when it ends; at most AT_ONCE live at a time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE	8

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "senders: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void send_from(int port, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)))
		die("bind");
	if (sendto(fd, "", 1, 0, (const struct sockaddr *)to, sizeof(*to)) != 1)
		die("send");
	close(fd);
}

static int reap(void)
{
	int status;

	if (wait(&status) < 0)
		die("wait");
	return status != 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int first, processes, sockets, i, j, failed = 0;
	pid_t pid;

	if (argc != 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: senders ADDR PORT FIRST PROCESSES SOCKETS\n");
		return 2;
	}
	to.sin_port = htons(atoi(argv[2]));
	first = atoi(argv[3]);
	processes = atoi(argv[4]);
	sockets = atoi(argv[5]);
	if (first < 1 || first + processes * sockets > 65536) {
		fprintf(stderr, "senders: not so many ports\n");
		return 2;
	}
	for (i = 0; i < processes; i++) {
		if (i >= AT_ONCE)
			failed |= reap();
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			for (j = 0; j < sockets; j++)
				send_from(first + i * sockets + j, &to);
			_exit(0);
		}
		for (j = 0; j < sockets; j++)
			printf("%d %d\n", first + i * sockets + j, pid);
	}
	for (i = 0; i < processes && i < AT_ONCE; i++)
		failed |= reap();
	return failed;
}
