// SPDX-License-Identifier: GPL-2.0-only
/*
 * options - reads the command line, by a table that is also the help.
 *
 * Owns the names of commands and options; the man page and the completion have
 * the same, which a test compares.
 */
#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "print.h"
#include "words.h"

#define WITH(command)	(1U << (command))
#define WITH_FILTER	(WITH(CMD_LIST) | WITH(CMD_DELETE) | WITH(CMD_EVENT) | \
			 WITH(CMD_TOP))
#define WITH_TUPLE	(WITH_FILTER | WITH(CMD_GET))

#define WITH_OUTPUT	(WITH(CMD_LIST) | WITH(CMD_GET) | WITH(CMD_DELETE) | \
			 WITH(CMD_FLUSH) | WITH(CMD_COUNT) | WITH(CMD_STATS) | \
			 WITH(CMD_EVENT) | WITH(CMD_DOCTOR))

/* Options without a letter. */
enum {
	OPT_SPORT = 256, OPT_DPORT, OPT_STATE, OPT_UID, OPT_COMM,
	OPT_FORGED, OPT_UNANSWERED, OPT_INTERVAL,
};

/**
 * struct option_row - an option, or a command
 * @key:     its letter, or OPT_*, or 0 for a command that is a word
 * @names:   long names, with commas between them
 * @arg:     what its argument is called; NULL when it has none
 * @text:    what it does
 * @command: of a command, which
 * @with:    of an option, the commands that it goes with
 */
struct option_row {
	int key;
	const char *names;
	const char *arg;
	const char *text;
	enum command command;
	unsigned int with;
};

static const struct option_row table[] = {
	{ .key = 'L', .names = "dump,list",
	  .text = "list flows",
	  .command = CMD_LIST },
	{ .key = 'G', .names = "get",
	  .text = "show one flow: give -s, -d, --sport and --dport",
	  .command = CMD_GET },
	{ .key = 'D', .names = "delete",
	  .text = "delete the flows that the filter means",
	  .command = CMD_DELETE },
	{ .key = 'F', .names = "flush",
	  .text = "delete all flows",
	  .command = CMD_FLUSH },
	{ .key = 'C', .names = "count",
	  .text = "how many flows there are",
	  .command = CMD_COUNT },
	{ .key = 'S', .names = "stats",
	  .text = "counters, per processor and of DNS",
	  .command = CMD_STATS },
	{ .key = 'E', .names = "event",
	  .text = "show events as they come",
	  .command = CMD_EVENT },
	{ .names = "top",
	  .text = "watch flows on the full screen",
	  .command = CMD_TOP },
	{ .names = "doctor",
	  .text = "find out why it does not work",
	  .command = CMD_DOCTOR },
	{ .key = 'h', .names = "help",
	  .text = "this text",
	  .command = CMD_HELP },
	{ .key = 'V', .names = "version",
	  .text = "the version",
	  .command = CMD_VERSION },
	{ .key = 's', .names = "src,orig-src", .arg = "ADDRESS[/BITS]",
	  .text = "from there, as the first packet went",
	  .with = WITH_TUPLE },
	{ .key = 'd', .names = "dst,orig-dst", .arg = "ADDRESS[/BITS]",
	  .text = "to there (in top, -d is --interval)",
	  .with = WITH_TUPLE },
	{ .key = 'r', .names = "reply-src", .arg = "ADDRESS[/BITS]",
	  .text = "from there, as answers go",
	  .with = WITH_FILTER },
	{ .key = 'q', .names = "reply-dst", .arg = "ADDRESS[/BITS]",
	  .text = "to there, as answers go",
	  .with = WITH_FILTER },
	{ .key = OPT_SPORT, .names = "sport,orig-port-src", .arg = "PORT",
	  .text = "from that port",
	  .with = WITH_TUPLE },
	{ .key = OPT_DPORT, .names = "dport,orig-port-dst", .arg = "PORT",
	  .text = "to that port",
	  .with = WITH_TUPLE },
	{ .key = 'f', .names = "family", .arg = "ipv4|ipv6",
	  .text = "of that family",
	  .with = WITH_TUPLE },
	{ .key = 'p', .names = "proto", .arg = "udp",
	  .text = "for conntrack's sake: there is only UDP",
	  .with = WITH_TUPLE },
	{ .key = OPT_STATE, .names = "state", .arg = "NEW|ESTABLISHED",
	  .text = "in that state",
	  .with = WITH_FILTER },
	{ .key = 'u', .names = "status", .arg = "STATUS[,...]",
	  .text = "ASSURED, SEEN_REPLY, UNREPLIED, EXPECTED",
	  .with = WITH_FILTER },
	{ .key = OPT_UID, .names = "uid", .arg = "USER",
	  .text = "of that user, by name or number",
	  .with = WITH_FILTER },
	{ .key = OPT_COMM, .names = "comm", .arg = "COMMAND",
	  .text = "of that command",
	  .with = WITH_FILTER },
	{ .key = OPT_FORGED, .names = "dns-forged",
	  .text = "with DNS answers to no question",
	  .with = WITH_FILTER },
	{ .key = OPT_UNANSWERED, .names = "dns-unanswered",
	  .text = "with DNS questions that are open, or nobody answered",
	  .with = WITH_FILTER },
	{ .key = 'o', .names = "output", .arg = "FORMAT[,...]",
	  .text = "extended, timestamp, id, json",
	  .with = WITH_OUTPUT },
	{ .key = 'e', .names = "event-mask", .arg = "EVENT[,...]",
	  .text = "NEW, UPDATES, DESTROY, DNS, ALL",
	  .with = WITH(CMD_EVENT) },
	{ .key = 'b', .names = "buffer-size", .arg = "BYTES",
	  .text = "for events that wait to be read",
	  .with = WITH(CMD_EVENT) },
	{ .key = 'n', .names = "max-events", .arg = "NUMBER",
	  .text = "end after so many",
	  .with = WITH(CMD_EVENT) },
	{ .key = OPT_INTERVAL, .names = "interval", .arg = "SECONDS",
	  .text = "between two looks, 0.1 to 3600",
	  .with = WITH(CMD_TOP) },
};

#define ROWS	(sizeof(table) / sizeof(*table))
#define MAX_LONG	(2 * ROWS + 1)

static bool wrong(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static bool wrong(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "udptrack: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry 'udptrack --help'.\n");
	return false;
}

/* The row's names as the user types them, as in "-s, --src, --orig-src". */
static const char *row_names(const struct option_row *row, char *buf, size_t size)
{
	const char *name = row->names;
	size_t at = 0;
	int len;

	if (row->command && !row->key) {
		snprintf(buf, size, "    %s", name);
		return buf;
	}
	if (row->key < 256)
		at += snprintf(buf, size, "-%c, ", row->key);
	else
		at += snprintf(buf, size, "    ");
	for (;; name += len + 1) {
		len = strcspn(name, ",");
		at += snprintf(buf + at, size - at, "--%.*s", len, name);
		if (!name[len])
			break;
		at += snprintf(buf + at, size - at, ", ");
	}
	if (row->arg)
		snprintf(buf + at, size - at, " %s", row->arg);
	return buf;
}

static void help_of(const struct option_row *row)
{
	char names[80];

	row_names(row, names, sizeof(names));
	/* Names that leave no room have a line of their own. */
	if (strlen(names) > 28)
		printf("  %s\n%32s%s\n", names, "", row->text);
	else
		printf("  %-30s%s\n", names, row->text);
}

static void help_with(const char *title, unsigned int with)
{
	unsigned int i;

	printf("\n%s\n", title);
	for (i = 0; i < ROWS; i++)
		if (with ? table[i].with == with : !!table[i].command)
			help_of(&table[i]);
}

/**
 * options_help - show what there is
 */
void options_help(void)
{
	unsigned int i;

	printf("udptrack - UDP flows of this host, and who owns them\n\n"
	       "Usage: udptrack COMMAND [OPTION...]\n");
	help_with("Commands:", 0);
	help_with("Which flows (-L, -D, -E, top and -G):", WITH_TUPLE);
	help_with("Which flows (-L, -D, -E and top):", WITH_FILTER);
	printf("\nHow they are shown:\n");
	for (i = 0; i < ROWS; i++)
		if (table[i].key == 'o')
			help_of(&table[i]);
	help_with("Of -E:", WITH(CMD_EVENT));
	help_with("Of top:", WITH(CMD_TOP));
	printf("\nSee udptrack(8).\n");
}

/* The table as getopt_long() wants it. */
static void make_getopt(char *letters, struct option *longs)
{
	static char names[1024];
	char *name = names;
	unsigned int i;
	size_t len;

	/* A word that is no option ends the parsing, and an error is ours to tell. */
	*letters++ = ':';
	for (i = 0; i < ROWS; i++) {
		const char *from = table[i].names;

		if (!table[i].key)
			continue;
		if (table[i].key < 256) {
			*letters++ = table[i].key;
			if (table[i].arg)
				*letters++ = ':';
		}
		for (;; from += len + 1) {
			len = strcspn(from, ",");
			memcpy(name, from, len);
			name[len] = 0;
			longs->name = name;
			longs->has_arg = table[i].arg ? required_argument : no_argument;
			longs->val = table[i].key;
			longs++;
			name += len + 1;
			if (!from[len])
				break;
		}
	}
	*letters = 0;
}

static const struct option_row *row_of(int key)
{
	unsigned int i;

	for (i = 0; i < ROWS; i++)
		if (table[i].key == key)
			return &table[i];
	return NULL;
}

static const char *set_output(struct options *options, const char *text)
{
	static const char *const names[] = {
		"extended", "timestamp", "id", "json", NULL
	};
	unsigned int bits;

	if (!words_list(text, names, &bits))
		return "is not a format; there are extended, timestamp, id and json";
	options->print |= bits;
	return NULL;
}

static const char *set_events(struct options *options, const char *text)
{
	static const char *const names[] = {
		"NEW", "UPDATES", "DESTROY", "DNS", "ALL", NULL
	};
	unsigned int bits;

	if (!words_list(text, names, &bits))
		return "is not an event; there are NEW, UPDATES, DESTROY, DNS and ALL";
	options->event_mask |= bits & 16 ? EVENT_ALL : bits;
	return NULL;
}

static const char *set_interval(struct options *options, const char *text)
{
	double sec;
	char *end;

	sec = strtod(text, &end);
	if (!isdigit((unsigned char)*text) || *end || !(sec >= 0.1 && sec <= 3600))
		return "is not a number of seconds from 0.1 to 3600";
	options->interval_ms = sec * 1000;
	return NULL;
}

/* What is wrong with the argument, or NULL. */
static const char *set_option(struct options *options, int key, const char *arg)
{
	struct filter *filter = &options->filter;

	switch (key) {
	case 's':
		return filter_addr(filter, FILTER_SRC, arg);
	case 'd':
		return filter_addr(filter, FILTER_DST, arg);
	case 'r':
		return filter_addr(filter, FILTER_REPLY_SRC, arg);
	case 'q':
		return filter_addr(filter, FILTER_REPLY_DST, arg);
	case OPT_SPORT:
		return filter_port(filter, true, arg);
	case OPT_DPORT:
		return filter_port(filter, false, arg);
	case 'f':
		return filter_family(filter, arg);
	case 'p':
		return strcmp(arg, "udp") && strcmp(arg, "17") ?
		       "is not tracked: there is only udp" : NULL;
	case OPT_STATE:
		return filter_state(filter, arg);
	case 'u':
		return filter_status(filter, arg);
	case OPT_UID:
		return filter_uid(filter, arg);
	case OPT_COMM:
		return filter_comm(filter, arg);
	case OPT_FORGED:
		filter->trouble |= UDPTRACK_DNS_TROUBLE_FORGED;
		return NULL;
	case OPT_UNANSWERED:
		filter->trouble |= UDPTRACK_DNS_TROUBLE_UNANSWERED;
		return NULL;
	case 'o':
		return set_output(options, arg);
	case 'e':
		return set_events(options, arg);
	case 'b':
		return words_number(arg, 1 << 30, &options->buffer_bytes) &&
		       options->buffer_bytes ? NULL :
		       "is not a number of bytes from 1 to 1073741824";
	case 'n':
		return words_number(arg, -1UL, &options->max_events) &&
		       options->max_events ? NULL : "is not a number of events";
	case OPT_INTERVAL:
		return set_interval(options, arg);
	}
	return NULL;
}

/* Whether all options go with the command, and it has what it needs. */
static bool fits(const struct options *options, unsigned int used)
{
	const struct filter *filter = &options->filter;
	unsigned int i;

	if (!options->command)
		return wrong("no command");
	for (i = 0; i < ROWS; i++)
		if (used & 1U << i && !(table[i].with & WITH(options->command)))
			return wrong("--%.*s does not go with this command",
				     (int)strcspn(table[i].names, ","),
				     table[i].names);
	if (options->command == CMD_GET &&
	    !(filter_whole_addr(filter, FILTER_SRC) &&
	      filter_whole_addr(filter, FILTER_DST) && filter->has_sport &&
	      filter->has_dport))
		return wrong("--get needs -s and -d with whole addresses, --sport and --dport");
	if (options->command != CMD_GET && filter->scope)
		return wrong("an interface after an address goes with --get only");
	if (options->command == CMD_DELETE && filter_empty(filter))
		return wrong("--delete needs to know which flows; --flush deletes all");
	return true;
}

static bool set_command(struct options *options, enum command command)
{
	/* Help is always welcome. */
	if (options->command == CMD_HELP)
		return true;
	if (options->command && options->command != command && command != CMD_HELP)
		return wrong("only one command at a time");
	options->command = command;
	return true;
}

/* A command that is a word stands first. */
static bool take_word(struct options *options, const char *word)
{
	unsigned int i;

	if (!word || *word == '-')
		return false;
	for (i = 0; i < ROWS; i++)
		if (!table[i].key && !strcmp(table[i].names, word)) {
			options->command = table[i].command;
			return true;
		}
	return false;
}

static bool unknown(int found, char **argv)
{
	const char *text = argv[optind - 1];

	if (found == ':')
		return wrong("option '%s' needs an argument", text);
	if (optopt && optopt < 256 && !row_of(optopt))
		return wrong("unknown option '-%c'", optopt);
	return wrong("unknown or ambiguous option '%s'", text);
}

/**
 * options_parse - read the command line
 * @options: becomes what the user wants
 * @argc:    number of words
 * @argv:    the words
 *
 * Return: whether it can be done; if not, the user was told.
 */
bool options_parse(struct options *options, int argc, char **argv)
{
	struct option longs[MAX_LONG] = { 0 };
	char letters[2 * ROWS + 2];
	const struct option_row *row;
	unsigned int used = 0;
	const char *trouble;
	int index = -1;
	int key;

	static_assert(ROWS <= 32, "an option a bit");
	memset(options, 0, sizeof(*options));
	options->interval_ms = 2000;
	make_getopt(letters, longs);
	if (take_word(options, argv[1])) {
		argc--;
		argv++;
	}
	opterr = 0;
	while ((key = getopt_long(argc, argv, letters, longs, &index)) != -1) {
		/* In top, -d is what it is in top(1). */
		if (key == 'd' && index < 0 && options->command == CMD_TOP)
			key = OPT_INTERVAL;
		index = -1;
		row = row_of(key);
		if (!row)
			return unknown(key, argv);
		if (row->command) {
			if (!set_command(options, row->command))
				return false;
			continue;
		}
		used |= 1U << (row - table);
		trouble = set_option(options, key, optarg);
		if (trouble)
			return wrong("--%.*s: '%s' %s",
				     (int)strcspn(row->names, ","), row->names,
				     optarg ? optarg : "", trouble);
	}
	if (options->command == CMD_HELP || options->command == CMD_VERSION)
		return true;
	if (optind < argc)
		return wrong(take_word(options, argv[optind]) ?
			     "'%s' is a command that must stand first" :
			     "'%s' is no option, and no command either", argv[optind]);
	if (!options->event_mask)
		options->event_mask = EVENT_ALL;
	return fits(options, used);
}
