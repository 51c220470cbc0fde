// SPDX-License-Identifier: GPL-2.0-only
/*
 * events - shows events as they come, and says how many did not.
 *
 * Every event has a number, one more than the last, so a gap is a loss. After
 * the last event there is no gap to see: so when the socket overflowed, and at
 * the end, the tracker is asked for the number of its last event.
 */
#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../version.h"
#include "commands.h"
#include "counters.h"
#include "files.h"
#include "print.h"

/* How long an event that has its number may still be on its way. */
#define ON_THE_WAY_MS	1000
/* Messages that are read before signals are looked at again. */
#define READ_MAX	256

/**
 * struct watch - what is being watched
 * @nl:       where events come from
 * @ask:      where the tracker is asked
 * @options:  what to show, and how
 * @seq:      number of the last event that came, or is known to be lost
 * @shown:    events shown so far
 * @lost:     events lost so far
 * @overflow: the socket overflowed, and nobody asked since what was lost
 * @full:     as many events were shown as were wanted
 * @gone:     the tracker is
 */
struct watch {
	struct nl nl;
	struct nl *ask;
	const struct options *options;
	unsigned long long seq;
	unsigned long shown;
	unsigned long long lost;
	bool overflow, full, gone;
};

static void show_lost(struct watch *watch, unsigned long long lost)
{
	struct timespec now;

	watch->lost += lost;
	clock_gettime(CLOCK_REALTIME, &now);
	if (watch->options->print & PRINT_JSON)
		json_lost(lost, &now);
	else
		text_lost(lost, watch->options->print, &now);
}

/* Events up to this one have come, or never will. */
static void reached(struct watch *watch, unsigned long long seq, bool came)
{
	unsigned long long lost;

	if (seq <= watch->seq)
		return;
	lost = seq - watch->seq - (came ? 1 : 0);
	watch->seq = seq;
	if (lost)
		show_lost(watch, lost);
}

static bool wanted(const struct watch *watch, uint8_t cmd,
		   const struct flow *flow)
{
	static const unsigned int bits[] = {
		[UDPTRACK_CMD_NEW_EVENT] = EVENT_NEW,
		[UDPTRACK_CMD_UPDATE_EVENT] = EVENT_UPDATES,
		[UDPTRACK_CMD_DESTROY_EVENT] = EVENT_DESTROY,
		[UDPTRACK_CMD_DNS_EVENT] = EVENT_DNS,
	};

	return watch->options->event_mask & bits[cmd] &&
	       filter_means(&watch->options->filter, flow);
}

static void show_flow(struct watch *watch, uint8_t cmd, const struct flow *flow)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (watch->options->print & PRINT_JSON)
		json_flow(flow, cmd, &now);
	else
		text_flow(flow, cmd, watch->options->print, &now);
	watch->shown++;
	watch->full = watch->shown == watch->options->max_events;
}

/* The controller tells of families that go: is it ours? */
static bool is_our_end(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct nl_attrs attrs = nl_attrs(nlh, sizeof(*genl));

	return genl->cmd == CTRL_CMD_DELFAMILY &&
	       !strcmp(nl_string(attrs.at[CTRL_ATTR_FAMILY_NAME]), UDPTRACK_FAMILY_NAME);
}

static int on_message(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct watch *watch = data;
	struct flow flow;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl))
		return MNL_CB_OK;
	if (nlh->nlmsg_type == GENL_ID_CTRL) {
		watch->gone = is_our_end(nlh);
		return watch->gone ? MNL_CB_STOP : MNL_CB_OK;
	}
	if (nlh->nlmsg_type != watch->nl.family ||
	    genl->cmd < UDPTRACK_CMD_NEW_EVENT ||
	    genl->cmd > UDPTRACK_CMD_DNS_EVENT || !flow_parse(nlh, &flow))
		return MNL_CB_OK;
	reached(watch, flow.seq, true);
	if (wanted(watch, genl->cmd, &flow))
		show_flow(watch, genl->cmd, &flow);
	return watch->full ? MNL_CB_STOP : MNL_CB_OK;
}

static bool is_over(const struct watch *watch)
{
	return watch->full || watch->gone;
}

/*
 * Read what is there without waiting; not all of a flood, in which there is
 * always more. Returns 0 or a negative errno.
 */
static int read_events(struct watch *watch)
{
	static char buf[NL_ANSWER_SIZE];
	int fd = mnl_socket_get_fd(watch->nl.sock);
	int left = READ_MAX;
	ssize_t len;

	while (left-- && !is_over(watch)) {
		len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			watch->overflow = true;
		else if (len < 0 && errno != EINTR)
			return errno == EAGAIN ? 0 : -errno;
		else if (len > 0)
			mnl_cb_run(buf, len, 0, 0, on_message, watch);
	}
	return 0;
}

/* Ask for the number of the last event; what does not come till then is lost. */
static int catch_up(struct watch *watch)
{
	struct pollfd poll_fd = {
		.fd = mnl_socket_get_fd(watch->nl.sock), .events = POLLIN,
	};
	struct counters counters = { 0 };
	unsigned long long last;
	bool gone;
	int err;

	err = counters_read_stats(watch->ask, &counters);
	/* Also the message that the tracker is gone may be among those lost. */
	gone = err == -ENOENT;
	if (err && !gone)
		return err;
	watch->overflow = gone;
	last = gone ? ULLONG_MAX : counters.stats[UDPTRACK_A_STATS_EVENT_SEQ];
	err = read_events(watch);
	while (!err && !is_over(watch) && watch->seq < last &&
	       poll(&poll_fd, 1, ON_THE_WAY_MS) > 0)
		err = read_events(watch);
	if (gone)
		watch->gone = true;
	else if (!watch->full)
		reached(watch, last, false);
	return err;
}

/* Events and signals, as they come. Returns 0 at the end or a negative errno. */
static int watch_events(struct watch *watch, int signals)
{
	struct pollfd fds[] = {
		{ .fd = mnl_socket_get_fd(watch->nl.sock), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int err;

	while (!is_over(watch)) {
		/* What is shown, is shown before there is nothing to do. */
		fflush(stdout);
		if (ferror(stdout))
			return 0;
		/* It may have overflowed again while it was asked what was lost. */
		if (poll(fds, 2, watch->overflow ? 0 : -1) < 0 && errno != EINTR)
			return -errno;
		err = read_events(watch);
		if (!err && watch->overflow && !is_over(watch))
			err = catch_up(watch);
		if (err)
			return err;
		if (fds[1].revents)
			return catch_up(watch);
	}
	return 0;
}

static int end_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Whoever waits in vain should know why. */
static void say_when_off(void)
{
	char text[16];

	if (file_read("/proc/sys/net/netfilter/udptrack_events", text,
		      sizeof(text)) > 0 && *text == '0')
		fprintf(stderr, "udptrack: events are switched off; "
			"sysctl -w net.netfilter.udptrack_events=1\n");
}

static int say_the_end(const struct watch *watch)
{
	fflush(stdout);
	fprintf(stderr, "udptrack v%s: %lu flow event%s been shown.\n",
		UDPTRACK_VERSION, watch->shown, watch->shown == 1 ? " has" : "s have");
	if (watch->lost)
		fprintf(stderr, "udptrack: %llu event%s lost; a larger buffer (-b) holds more\n",
			watch->lost, watch->lost == 1 ? " was" : "s were");
	if (watch->gone)
		return complain("the module was unloaded%s", watch->overflow ?
				"; nobody knows how many of its last events were lost" : "");
	return STATUS_OK;
}

/**
 * events_show - show events until enough were shown, or a signal comes
 * @nl:      the way to the tracker
 * @options: which, and how
 *
 * Return: the program's status.
 */
int events_show(struct nl *nl, const struct options *options)
{
	struct watch watch = { .ask = nl, .options = options };
	struct counters counters = { 0 };
	int signals, err;

	signals = end_signals();
	if (signals < 0)
		return complain("no signals: %s", strerror(errno));
	if (nl_open(&watch.nl) ||
	    nl_listen(&watch.nl, options->buffer_bytes)) {
		err = complain("%s", watch.nl.error);
		goto out;
	}
	/* From here on none may be missing. */
	if (counters_read_stats(nl, &counters)) {
		err = complain("%s", nl->error);
		goto out;
	}
	watch.seq = counters.stats[UDPTRACK_A_STATS_EVENT_SEQ];
	say_when_off();
	err = watch_events(&watch, signals);
	err = err ? complain("no more events: %s", strerror(-err)) :
		    say_the_end(&watch);
out:
	nl_close(&watch.nl);
	close(signals);
	return err;
}
