/* SPDX-License-Identifier: GPL-2.0-only */
/* Small files: see files.c. */
#ifndef UDPTRACK_CLI_FILES_H
#define UDPTRACK_CLI_FILES_H

#include <stdbool.h>
#include <sys/types.h>

ssize_t file_read(const char *path, char *text, size_t size);
bool file_has_blacklist(char *cmdline);
bool file_ports_meet(const char *a, const char *b);

#endif
