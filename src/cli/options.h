/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user typed: see options.c. */
#ifndef UDPTRACK_CLI_OPTIONS_H
#define UDPTRACK_CLI_OPTIONS_H

#include <stdbool.h>

#include "filter.h"

enum command {
	CMD_NONE, CMD_LIST, CMD_GET, CMD_DELETE, CMD_FLUSH, CMD_COUNT,
	CMD_STATS, CMD_EVENT, CMD_TOP, CMD_DOCTOR, CMD_HELP, CMD_VERSION,
};

/* Kinds of events, in the order of their names in options.c. */
enum event_bit {
	EVENT_NEW = 1, EVENT_UPDATES = 2, EVENT_DESTROY = 4, EVENT_DNS = 8,
	EVENT_ALL = 15,
};

/**
 * struct options - what the user typed
 * @command:      what to do
 * @filter:       which flows are meant
 * @print:        enum print_option bits
 * @event_mask:   enum event_bit bits
 * @buffer_bytes: for events that wait; 0 for what is usual
 * @max_events:   end after so many; 0 for never
 * @interval_ms:  between two looks of top
 */
struct options {
	enum command command;
	struct filter filter;
	unsigned int print;
	unsigned int event_mask;
	unsigned long buffer_bytes;
	unsigned long max_events;
	unsigned int interval_ms;
};

/* Ends of the program, as conntrack's. */
enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

bool options_parse(struct options *options, int argc, char **argv);
void options_help(void);

#endif
