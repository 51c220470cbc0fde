// SPDX-License-Identifier: GPL-2.0-only
/*
 * files - reads small files, and what stands in some of them.
 *
 * Owns nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/**
 * file_read - read the begin of a small file
 * @path: where it is
 * @text: becomes its content, without the newline at the end
 * @size: bytes of room
 *
 * Return: how many bytes there are, or -1, with errno set.
 */
ssize_t file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	*text = 0;
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	text[len] = 0;
	if (len && text[len - 1] == '\n')
		text[len - 1] = 0;
	return len;
}

/**
 * file_has_blacklist - does the kernel's command line forbid the module?
 * @cmdline: the command line, which is cut into pieces
 *
 * Return: whether it does.
 */
bool file_has_blacklist(char *cmdline)
{
	static const char option[] = "module_blacklist=";
	char *word, *name;

	while ((word = strsep(&cmdline, " "))) {
		if (strncmp(word, option, strlen(option)))
			continue;
		word += strlen(option);
		while ((name = strsep(&word, ",")))
			if (!strcmp(name, "udptrack"))
				return true;
	}
	return false;
}

/* The next range of a list as in "53,5353-5355"; false at its end. */
static bool next_range(const char **list, unsigned int *from, unsigned int *to)
{
	int len = 0;

	if (sscanf(*list, "%u%n-%u%n", from, &len, to, &len) < 2)
		*to = *from;
	if (!len)
		return false;
	*list += len;
	if (**list == ',')
		++*list;
	return true;
}

/**
 * file_ports_meet - do two lists of ports have one in common?
 * @a: the one
 * @b: the other
 *
 * Return: whether they have.
 */
bool file_ports_meet(const char *a, const char *b)
{
	unsigned int a_from, a_to, b_from, b_to;
	const char *at;

	while (next_range(&a, &a_from, &a_to))
		for (at = b; next_range(&at, &b_from, &b_to);)
			if (a_from <= b_to && b_from <= a_to)
				return true;
	return false;
}
