/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading numbers and lists of words: see words.c. */
#ifndef UDPTRACK_CLI_WORDS_H
#define UDPTRACK_CLI_WORDS_H

#include <stdbool.h>

bool words_number(const char *text, unsigned long max, unsigned long *number);
bool words_list(const char *text, const char *const names[], unsigned int *bits);

#endif
