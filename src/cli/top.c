// SPDX-License-Identifier: GPL-2.0-only
/*
 * top - watches flows on the full screen: totals above, then a line a flow.
 *
 * Owns the terminal between initscr() and endwin(), and gives it back whatever
 * happens. Signals come as data, so that nothing is done in a handler.
 */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "sample.h"

/* Lines that are not for flows: totals, the header, and the keys below. */
#define LINES_ABOVE	5
#define LINES_BELOW	1

/**
 * struct screen - what is shown
 * @sample:  the flows
 * @options: which flows, how often
 * @order:   by what they are sorted
 * @reverse: the smallest first
 * @first:   the first line that is shown
 * @shift:   columns of the endpoints that are left of the screen
 * @error:   why there is nothing new, or empty
 * @quit:    the user has seen enough
 */
struct screen {
	struct sample sample;
	const struct options *options;
	enum sample_order order;
	bool reverse;
	size_t first, shift;
	char error[512];
	bool quit;
};

/* A line, as far as there is room; the rest of it is blank. */
static void line(int y, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(int y, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (y >= LINES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	move(y, 0);
	clrtoeol();
	addnstr(text, COLS);
}

/* A number in at most five letters, as in "12.3M". */
static const char *short_number(double n, char buf[8])
{
	static const char units[] = " kMGTPE";
	unsigned int unit = 0;

	while (n >= 999.5 && units[unit + 1]) {
		n /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(buf, 8, "%.0f", n);
	else
		snprintf(buf, 8, "%.*f%c", n < 99.95, n, units[unit]);
	return buf;
}

static const char *short_time(double s, char buf[8])
{
	unsigned long sec = s;

	if (sec < 100)
		snprintf(buf, 8, "%lus", sec);
	else if (sec < 6000)
		snprintf(buf, 8, "%lum%02lu", sec / 60, sec % 60);
	else if (sec < 360000)
		snprintf(buf, 8, "%luh%02lu", sec / 3600, sec / 60 % 60);
	else
		snprintf(buf, 8, "%lud", sec / 86400 % 100000);
	return buf;
}

/* How long the last answer took, or that there is none. */
static const char *dns_time(const struct flow *flow, char buf[16])
{
	uint32_t us = flow->dns.rtt_us;

	if (!flow->has_dns)
		return "";
	if (flow->dns.forged)
		return "FORGED";
	if (!flow->dns.ok)
		return flow->dns.unanswered ? "none" : "open";
	if (us < 1000)
		snprintf(buf, 16, "%uus", us);
	else if (us < 10000000)
		snprintf(buf, 16, "%.*fms", us < 100000, us / 1e3);
	else
		snprintf(buf, 16, "%us", us / 1000000);
	return buf;
}

/* Names are asked for once: some machines ask the network for them. */
static char *user_name(const struct flow *flow, char buf[33])
{
	static struct {
		bool known;
		uint32_t uid;
		char name[33];
	} cache[64];
	unsigned int slot = flow->uid % 64;
	struct passwd *user;

	if (!flow->has_uid)
		return strcpy(buf, "-");
	if (!cache[slot].known || cache[slot].uid != flow->uid) {
		user = getpwuid(flow->uid);
		if (user)
			snprintf(cache[slot].name, sizeof(cache[slot].name),
				 "%s", user->pw_name);
		else
			snprintf(cache[slot].name, sizeof(cache[slot].name),
				 "%u", flow->uid);
		cache[slot].known = true;
		cache[slot].uid = flow->uid;
	}
	return strcpy(buf, cache[slot].name);
}

/* The middle of the times that answers took. */
static const char *median(const struct counters *counters, char buf[24])
{
	unsigned long long all = 0, sum = 0, us;
	unsigned int i;
	bool longer;

	for (i = 0; i < counters->n_took; i++)
		all += counters->took[i];
	if (!all)
		return "-";
	for (i = 0; i < counters->n_took; i++) {
		sum += counters->took[i];
		if (2 * sum >= all)
			break;
	}
	/* The last number counts those that took longer than all others. */
	longer = i && i == counters->n_took - 1;
	us = 1ULL << (i - longer);
	if (us < 1000)
		snprintf(buf, 24, "%c%lluus", longer ? '>' : '<', us);
	else
		snprintf(buf, 24, "%c%llums", longer ? '>' : '<', us / 1000);
	return buf;
}

static void show_totals(const struct screen *screen)
{
	const struct sample *sample = &screen->sample;
	const unsigned long long *stats = sample->counters.stats;
	const unsigned long long *dns = sample->counters.dns;
	char rate[8], packets[8], new[8], took[24], clock[16];
	time_t now = sample->now_s;
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	line(0, "udptrack %s  flows %llu of %llu%s  shown %zu: %zu NEW, %zu ESTABLISHED",
	     clock, stats[UDPTRACK_A_STATS_ENTRIES],
	     stats[UDPTRACK_A_STATS_FLOWS_MAX],
	     filter_empty(&screen->options->filter) ? "" : " (filtered)",
	     sample->n, sample->new, sample->established);
	line(1, "per second: %s bytes, %s packets, %s new flows; evicted %llu, no room for %llu",
	     short_number(sample->rate, rate),
	     short_number(sample_per_s(sample, UDPTRACK_A_STATS_FOUND) +
			  sample_per_s(sample, UDPTRACK_A_STATS_NEW), packets),
	     short_number(sample_per_s(sample, UDPTRACK_A_STATS_NEW), new),
	     stats[UDPTRACK_A_STATS_EVICTED],
	     stats[UDPTRACK_A_STATS_FULL]);
	line(2, "dns: %llu asked, %llu answered, half in %s, %llu unanswered, %llu forged",
	     dns[UDPTRACK_A_DNS_STATS_QUESTIONS],
	     dns[UDPTRACK_A_DNS_STATS_ANSWERED],
	     median(&sample->counters, took),
	     dns[UDPTRACK_A_DNS_STATS_UNANSWERED],
	     dns[UDPTRACK_A_DNS_STATS_FORGED]);
	line(3, "%s%s", screen->error,
	     sample->out_of_memory ? "out of memory: not all flows are here" : "");
}

/* On a narrow screen, columns make room for the endpoints. */
static bool is_wide(void)
{
	return COLS >= 100;
}

static void show_header(int y)
{
	char left[8] = "";

	if (is_wide())
		snprintf(left, sizeof(left), " %4s", "LEFT");
	line(y, "%5s %5s %5s%s S %*s %-*s %-*s SOURCE > DESTINATION%*s", "B/s",
	     "BYTES", "AGE", left, is_wide() ? 7 : 6, "DNS", is_wide() ? 9 : 7,
	     "USER", is_wide() ? 15 : 10, "COMMAND", COLS, "");
}

/* Text in so many columns; where some of it is cut off, it says so. */
static void cut(char *text, size_t width)
{
	if (strlen(text) <= width)
		return;
	text[width - 1] = '+';
	text[width] = 0;
}

static const char *endpoints(const struct flow *flow, char *buf, size_t size)
{
	const struct flow_tuple *tuple = &flow->tuple[FLOW_ORIGINAL];
	bool v6 = flow->family == AF_INET6;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	snprintf(buf, size, v6 ? "[%s]:%u > [%s]:%u" : "%s:%u > %s:%u",
		 flow_addr_text(flow->family, &tuple->src, src), tuple->sport,
		 flow_addr_text(flow->family, &tuple->dst, dst), tuple->dport);
	return buf;
}

static void show_flow(int y, const struct sample_flow *seen, size_t shift)
{
	const struct flow *flow = &seen->flow;
	bool counted = flow->has_traffic[FLOW_ORIGINAL], wide = is_wide();
	char comm[4 * FLOW_COMM_LEN + 1], ends[2 * INET6_ADDRSTRLEN + 32];
	char rate[8], bytes[8], age[8], sec[8], left[16] = "", dns[16], user[33];
	char *at;

	if (!*flow_comm_text(flow, comm))
		strcpy(comm, "-");
	/* What is not ASCII may be anything to this terminal. */
	for (at = comm; *at; at++)
		if ((unsigned char)*at > 0x7e)
			*at = '?';
	cut(comm, wide ? 15 : 10);
	cut(user_name(flow, user), wide ? 9 : 7);
	endpoints(flow, ends, sizeof(ends));
	if (shift > strlen(ends))
		shift = strlen(ends);
	if (wide)
		snprintf(left, sizeof(left), " %4s", short_time(flow->timeout_sec, sec));
	line(y, "%5s %5s %5s%s %c %*s %-*s %-*s %s",
	     counted ? short_number(seen->rate, rate) : "-",
	     counted ? short_number(seen->bytes, bytes) : "-",
	     short_time(seen->age_s, age), left,
	     flow->status & UDPTRACK_FLOW_STATUS_ASSURED ? 'A' :
	     flow->state == UDPTRACK_FLOW_STATE_NEW ? 'N' : 'E',
	     wide ? 7 : 6, dns_time(flow, dns),
	     wide ? 9 : 7, user, wide ? 15 : 10, comm, ends + shift);
}

static int flow_lines(void)
{
	int room = LINES - LINES_ABOVE - LINES_BELOW;

	return room > 0 ? room : 0;
}

static void show(struct screen *screen)
{
	static const char *const orders[] = { "rate", "bytes", "age", "dns time" };
	const struct sample *sample = &screen->sample;
	int y, room = flow_lines();

	if (screen->first + room > sample->n)
		screen->first = sample->n > (size_t)room ? sample->n - room : 0;
	erase();
	show_totals(screen);
	attron(A_REVERSE);
	show_header(LINES_ABOVE - 1);
	attroff(A_REVERSE);
	for (y = 0; y < room && screen->first + y < sample->n; y++)
		show_flow(LINES_ABOVE + y, &sample->flows[screen->first + y],
			  screen->shift);
	attron(A_REVERSE);
	line(LINES - 1, "q quit  sort: r rate, b bytes, a age, d dns, R reverse  by %s%s%*s",
	     orders[screen->order], screen->reverse ? ", reversed" : "", COLS, "");
	attroff(A_REVERSE);
	refresh();
}

/* Scroll by so many lines; show() sees to it that there are some. */
static void scroll_by(struct screen *screen, int lines)
{
	if (lines < 0 && screen->first < (size_t)-lines)
		screen->first = 0;
	else
		screen->first += lines;
}

static void sort_by(struct screen *screen, enum sample_order order)
{
	screen->order = order;
	screen->first = 0;
}

static void on_key(struct screen *screen, int key)
{
	switch (key) {
	case 'q':
	case 3:
		screen->quit = true;
		break;
	case 'r':
		sort_by(screen, BY_RATE);
		break;
	case 'b':
		sort_by(screen, BY_BYTES);
		break;
	case 'a':
		sort_by(screen, BY_AGE);
		break;
	case 'd':
		sort_by(screen, BY_DNS);
		break;
	case 'R':
		screen->reverse = !screen->reverse;
		break;
	case KEY_UP:
		scroll_by(screen, -1);
		break;
	case KEY_DOWN:
		scroll_by(screen, 1);
		break;
	case KEY_PPAGE:
		scroll_by(screen, -flow_lines());
		break;
	case KEY_NPAGE:
		scroll_by(screen, flow_lines());
		break;
	case KEY_LEFT:
		screen->shift -= screen->shift < 8 ? screen->shift : 8;
		break;
	case KEY_RIGHT:
		screen->shift += screen->shift < 96 ? 8 : 0;
		break;
	case KEY_HOME:
		screen->first = 0;
		break;
	}
}

static void on_signal(struct screen *screen, int signals)
{
	struct signalfd_siginfo info;
	struct winsize size;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGWINCH) {
		screen->quit = true;
		return;
	}
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clear();
}

static void look(struct screen *screen, struct nl *nl)
{
	const struct filter *filter = &screen->options->filter;

	screen->error[0] = 0;
	if (!sample_take(&screen->sample, nl, filter))
		return;
	/* A tracker that was loaded again has another number. */
	nl_close(nl);
	if (nl_open(nl) || sample_take(&screen->sample, nl, filter))
		snprintf(screen->error, sizeof(screen->error), "%s", nl->error);
}

static long ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until the user has seen enough, or the terminal is gone. */
static void run(struct screen *screen, struct nl *nl, int signals)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	/* The first look was before the screen. */
	long next = ms_now() + screen->options->interval_ms, now;
	int key;

	while (!screen->quit) {
		now = ms_now();
		if (now >= next) {
			look(screen, nl);
			next = ms_now() + screen->options->interval_ms;
		}
		sample_sort(&screen->sample, screen->order, screen->reverse);
		show(screen);
		now = ms_now();
		if (poll(fds, 2, next > now ? next - now : 0) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			on_signal(screen, signals);
		if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		while ((key = getch()) != ERR)
			on_key(screen, key);
	}
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/**
 * top_show - watch flows on the full screen until the user has seen enough
 * @nl:      the way to the tracker
 * @options: which flows, and how often to look
 *
 * Return: the program's status.
 */
int top_show(struct nl *nl, const struct options *options)
{
	struct screen screen = { .options = options };
	SCREEN *terminal;
	int signals;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return complain("top needs a terminal; 'udptrack -L' does not");
	/* What cannot be had at all is better said before the screen is ours. */
	if (sample_take(&screen.sample, nl, &options->filter)) {
		sample_free(&screen.sample);
		return complain("%s", nl->error);
	}
	signals = catch_signals();
	if (signals < 0)
		return complain("no signals: %s", strerror(errno));
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal) {
		close(signals);
		sample_free(&screen.sample);
		return complain("cannot use this terminal (TERM=%s)",
				getenv("TERM") ? getenv("TERM") : "");
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	run(&screen, nl, signals);
	endwin();
	delscreen(terminal);
	close(signals);
	sample_free(&screen.sample);
	return STATUS_OK;
}
