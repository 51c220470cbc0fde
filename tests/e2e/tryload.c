// SPDX-License-Identifier: GPL-2.0-only
/*
 * tryload - loads a kernel module with one set of parameters after another.
 *
 *	tryload MODULE.ko NAME < PARAMETERS
 *
 * Each line read is a string of parameters, as insmod puts it together. Each
 * line written is what came of it: "loaded", after which the module is taken
 * out again, or the kernel's error. What insmod does, only fast enough to try
 * a hundred on an emulated machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[8192];
	int fd;

	if (argc != 3) {
		fputs("usage: tryload MODULE.ko NAME\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (syscall(SYS_finit_module, fd, line, 0)) {
			puts(strerror(errno));
			continue;
		}
		puts("loaded");
		if (syscall(SYS_delete_module, argv[2], O_NONBLOCK)) {
			perror("unload");
			return 1;
		}
	}
	return 0;
}
