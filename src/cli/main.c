// SPDX-License-Identifier: GPL-2.0-only
/*
 * main - the command udptrack: reads what the user typed, finds the tracker,
 * and calls the command.
 *
 * Ends with 0; with 1 when something failed, which is then said on standard
 * error; with 2 when the user typed something wrong.
 */
#include <stdarg.h>
#include <stdio.h>

#include "../version.h"
#include "commands.h"

/**
 * complain - say on standard error what failed
 * @format: as of printf(), without the newline
 *
 * Return: STATUS_FAILED.
 */
int complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "udptrack: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

static int with_tracker(const struct options *options)
{
	static int (*const commands[])(struct nl *, const struct options *) = {
		[CMD_LIST] = table_list,
		[CMD_GET] = table_get,
		[CMD_DELETE] = table_delete,
		[CMD_FLUSH] = table_flush,
		[CMD_COUNT] = stats_count,
		[CMD_STATS] = stats_show,
		[CMD_EVENT] = events_show,
		[CMD_TOP] = top_show,
	};
	struct nl nl;
	int status;

	if (nl_open(&nl))
		status = complain("%s", nl.error);
	else
		status = commands[options->command](&nl, options);
	nl_close(&nl);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = STATUS_OK;

	if (!options_parse(&options, argc, argv))
		return STATUS_USAGE;
	if (options.command == CMD_HELP)
		options_help();
	else if (options.command == CMD_VERSION)
		printf("udptrack v%s\n", UDPTRACK_VERSION);
	else if (options.command == CMD_DOCTOR)
		status = doctor_show(&options);
	else
		status = with_tracker(&options);
	/* A full disk must not look like an empty table. */
	if (fflush(stdout) || ferror(stdout))
		return complain("cannot write what was found");
	return status;
}
