// SPDX-License-Identifier: GPL-2.0-only
/*
 * words - reads numbers and lists of words, strictly.
 *
 * Owns nothing.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "words.h"

/**
 * words_number - read a number
 * @text:   digits, and nothing else
 * @max:    the largest that is allowed
 * @number: becomes it
 *
 * Return: whether it is one.
 */
bool words_number(const char *text, unsigned long max, unsigned long *number)
{
	unsigned long n;
	char *end;

	/* strtoul() would also take signs and spaces. */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n > max)
		return false;
	*number = n;
	return true;
}

/**
 * words_list - read names with commas between them
 * @text:  the names, in small or capital letters
 * @names: those there are; ends with NULL
 * @bits:  becomes a bit for each that was there, by its place in @names
 *
 * Return: whether there was one at least, and all are known.
 */
bool words_list(const char *text, const char *const names[], unsigned int *bits)
{
	size_t len;
	unsigned int i;

	*bits = 0;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; names[i]; i++)
			if (strlen(names[i]) == len &&
			    !strncasecmp(names[i], text, len))
				break;
		if (!names[i])
			return false;
		*bits |= 1U << i;
		if (!text[len])
			return true;
	}
}
