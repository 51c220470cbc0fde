/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands do, each in its file; they return the program's status. */
#ifndef UDPTRACK_CLI_COMMANDS_H
#define UDPTRACK_CLI_COMMANDS_H

#include "nl.h"
#include "options.h"

/* Complain, as all of the program does. */
int complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

int table_list(struct nl *nl, const struct options *options);
int table_get(struct nl *nl, const struct options *options);
int table_delete(struct nl *nl, const struct options *options);
int table_flush(struct nl *nl, const struct options *options);

int stats_count(struct nl *nl, const struct options *options);
int stats_show(struct nl *nl, const struct options *options);

int events_show(struct nl *nl, const struct options *options);
int top_show(struct nl *nl, const struct options *options);
int doctor_show(const struct options *options);

#endif
