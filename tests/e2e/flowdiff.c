// SPDX-License-Identifier: GPL-2.0-only
/*
 * flowdiff - do udptrack and nf_conntrack see the same UDP flows?
 *
 *	flowdiff [-n PORT]... MIN UDPTRACK CONNTRACK
 *
 * Compares a copy of /proc/net/udptrack with one of /proc/net/nf_conntrack, as
 * sets: addresses and ports in the direction of the first packet, the reply's
 * tuple, [UNREPLIED], [ASSURED], seconds left within LEFT_SLACK, packets and
 * bytes of both directions. -n leaves the numbers out for flows to that port.
 * What only one of them prints (the name of the state, mark=, use=, uid=) and
 * the two ways to write an IPv6 address are no difference.
 *
 * Prints the lines that differ. Succeeds when none does and there are at least
 * MIN flows.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEFT_SLACK	2
#define MAX_FLOWS	65536
#define MAX_PORTS	8

struct end {
	struct in6_addr addr;
	unsigned int port;
};

struct dir {
	struct end src;
	struct end dst;
	unsigned long long packets;
	unsigned long long bytes;
	bool counted;
};

struct flow {
	int family;
	long left;
	bool unreplied;
	bool assured;
	struct dir dirs[2];
	char *line;
};

struct list {
	struct flow *flows;
	size_t n;
};

static unsigned int uncounted[MAX_PORTS];
static size_t n_uncounted;

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "flowdiff: %s: %s\n", what, detail);
	exit(2);
}

static void parse_word(struct flow *flow, int *dir, const char *word)
{
	const char *value = strchr(word, '=');
	struct dir *d;

	if (!strcmp(word, "[UNREPLIED]"))
		flow->unreplied = true;
	if (!strcmp(word, "[ASSURED]"))
		flow->assured = true;
	if (!value++)
		return;
	/* A tuple begins with its source. */
	if (!strncmp(word, "src=", 4))
		++*dir;
	if (*dir < 0 || *dir > 1)
		return;
	d = &flow->dirs[*dir];
	if (!strncmp(word, "src=", 4)) {
		if (inet_pton(flow->family, value, &d->src.addr) != 1)
			die("no address", word);
	} else if (!strncmp(word, "dst=", 4)) {
		if (inet_pton(flow->family, value, &d->dst.addr) != 1)
			die("no address", word);
	} else if (!strncmp(word, "sport=", 6)) {
		d->src.port = atoi(value);
	} else if (!strncmp(word, "dport=", 6)) {
		d->dst.port = atoi(value);
	} else if (!strncmp(word, "packets=", 8)) {
		d->packets = strtoull(value, NULL, 10);
		d->counted = true;
	} else if (!strncmp(word, "bytes=", 6)) {
		d->bytes = strtoull(value, NULL, 10);
	}
}

/* False when the line is not about UDP. */
static bool parse(const char *line, struct flow *flow)
{
	char family[8], proto[8], *words, *word, *save;
	int skip = 0, dir = -1;

	memset(flow, 0, sizeof(*flow));
	if (sscanf(line, "%7s %*u %7s %*u %ld %n", family, proto, &flow->left,
		   &skip) < 3 || strcmp(proto, "udp"))
		return false;
	flow->family = strcmp(family, "ipv4") ? AF_INET6 : AF_INET;
	words = strdup(line + skip);
	for (word = strtok_r(words, "\n ", &save); word;
	     word = strtok_r(NULL, "\n ", &save))
		parse_word(flow, &dir, word);
	free(words);
	if (dir < 1)
		die("not two tuples", line);
	flow->line = strdup(line);
	return true;
}

static void read_list(const char *path, struct list *list)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	if (!file)
		die(path, "cannot be read");
	list->flows = calloc(MAX_FLOWS, sizeof(*list->flows));
	while (list->n < MAX_FLOWS && fgets(line, sizeof(line), file)) {
		if (parse(line, &list->flows[list->n]))
			list->n++;
	}
	fclose(file);
}

static int compare_ends(const struct end *a, const struct end *b)
{
	int cmp = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return cmp ? cmp : (int)a->port - (int)b->port;
}

/* By what identifies a flow: family and both tuples. */
static int compare(const void *one, const void *two)
{
	const struct flow *a = one, *b = two;
	int cmp = a->family - b->family;
	int i;

	for (i = 0; i < 2 && !cmp; i++) {
		cmp = compare_ends(&a->dirs[i].src, &b->dirs[i].src);
		if (!cmp)
			cmp = compare_ends(&a->dirs[i].dst, &b->dirs[i].dst);
	}
	return cmp;
}

static bool wants_numbers(const struct flow *flow)
{
	size_t i;

	for (i = 0; i < n_uncounted; i++) {
		if (flow->dirs[0].dst.port == uncounted[i])
			return false;
	}
	return true;
}

static bool same(const struct flow *a, const struct flow *b)
{
	int i;

	if (a->unreplied != b->unreplied || a->assured != b->assured ||
	    labs(a->left - b->left) > LEFT_SLACK)
		return false;
	for (i = 0; i < 2 && wants_numbers(a); i++) {
		/* Both without numbers would prove nothing. */
		if (!a->dirs[i].counted || !b->dirs[i].counted ||
		    a->dirs[i].packets != b->dirs[i].packets ||
		    a->dirs[i].bytes != b->dirs[i].bytes)
			return false;
	}
	return true;
}

/* Returns how many flows differ. */
static size_t diff(const struct list *ours, const struct list *theirs)
{
	size_t i = 0, j = 0, n = 0;

	while (i < ours->n || j < theirs->n) {
		const struct flow *a = i < ours->n ? &ours->flows[i] : NULL;
		const struct flow *b = j < theirs->n ? &theirs->flows[j] : NULL;
		int cmp = !a ? 1 : !b ? -1 : compare(a, b);

		if (cmp || !same(a, b)) {
			if (cmp <= 0)
				printf("udptrack:     %s", a->line);
			else
				printf("udptrack:     no such flow\n");
			if (cmp >= 0)
				printf("nf_conntrack: %s", b->line);
			else
				printf("nf_conntrack: no such flow\n");
			n++;
		}
		i += cmp <= 0;
		j += cmp >= 0;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct list ours = {}, theirs = {};
	size_t min, n;
	int c;

	while ((c = getopt(argc, argv, "n:")) == 'n') {
		if (n_uncounted == MAX_PORTS)
			die("-n", "too many");
		uncounted[n_uncounted++] = atoi(optarg);
	}
	if (c != -1 || argc - optind != 3)
		die("usage", "flowdiff [-n PORT]... MIN UDPTRACK CONNTRACK");
	min = atoi(argv[optind]);
	read_list(argv[optind + 1], &ours);
	read_list(argv[optind + 2], &theirs);
	qsort(ours.flows, ours.n, sizeof(*ours.flows), compare);
	qsort(theirs.flows, theirs.n, sizeof(*theirs.flows), compare);
	n = diff(&ours, &theirs);
	printf("%zu differences; %zu flows in udptrack, %zu in nf_conntrack, at least %zu wanted\n",
	       n, ours.n, theirs.n, min);
	return n || ours.n < min || theirs.n < min;
}
