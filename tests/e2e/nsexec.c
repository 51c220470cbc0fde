// SPDX-License-Identifier: GPL-2.0-only
/*
 * nsexec - run a program in a network namespace: `nsenter --net=FILE PROGRAM ...`
 * without the libraries, as tests do it hundreds of times.
 *
 *	nsexec FILE PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		errx(125, "usage: nsexec FILE PROGRAM [ARGUMENT...]");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(125, "%s", argv[1]);
	if (setns(fd, CLONE_NEWNET))
		err(125, "setns to %s", argv[1]);
	execvp(argv[2], argv + 2);
	err(errno == ENOENT ? 127 : 126, "%s", argv[2]);
}
