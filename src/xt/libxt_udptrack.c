// SPDX-License-Identifier: GPL-2.0-only
/*
 * libxt_udptrack - what iptables knows of the match xt_udptrack: its options,
 * how it is shown and saved, and what it is called in nftables.
 *
 * Owns nothing. Loaded by iptables and ip6tables, legacy and nft.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xtables.h>

#include "../../include/uapi/linux/netfilter/xt_udptrack.h"

#define MARK_MASK_SYSCTL	"/proc/sys/net/netfilter/udptrack_mark_mask"

enum {
	OPT_STATE,
};

/* In the order of their numbers, from 1 on. */
static const char *const states[] = {
	"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED",
};

#define STATES	(sizeof(states) / sizeof(*states))

static const struct xt_option_entry udptrack_opts[] = {
	{
		.name = "state",
		.id = OPT_STATE,
		.type = XTTYPE_STRING,
		.flags = XTOPT_MAND | XTOPT_INVERT,
	},
	XTOPT_TABLEEND,
};

static void udptrack_help(void)
{
	printf("udptrack match options (INPUT and OUTPUT only):\n"
	       "[!] --state STATE[,STATE...]	state of a UDP packet:\n"
	       "    NEW          nobody has answered this yet\n"
	       "    ESTABLISHED  an answer, or any packet after one\n"
	       "    RELATED      an ICMP error about such a packet, or an answer to a\n"
	       "                 multicast or broadcast request\n"
	       "    INVALID      broken, or an ICMP error about nothing known\n"
	       "    UNTRACKED    exempt port, loopback switched off, raw fragment\n"
	       "Packets that are neither UDP nor ICMP errors about UDP never match.\n");
}

static __u16 parse_state(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < STATES; i++)
		if (strlen(states[i]) == len && !strncasecmp(name, states[i], len))
			return 1 << (i + 1);
	xtables_error(PARAMETER_PROBLEM,
		      "udptrack: \"%.*s\" is not a state; there are NEW, ESTABLISHED, RELATED, INVALID and UNTRACKED",
		      (int)len, name);
}

static void udptrack_parse(struct xt_option_call *cb)
{
	struct xt_udptrack_info *info = cb->data;
	const char *name = cb->arg;
	size_t len;

	xtables_option_parse(cb);
	info->states = 0;
	for (;;) {
		len = strcspn(name, ",");
		info->states |= parse_state(name, len);
		if (!name[len])
			break;
		name += len + 1;
	}
	if (cb->invert)
		info->flags |= XT_UDPTRACK_INVERT;
}

static void show_states(const struct xt_udptrack_info *info)
{
	const char *comma = "";
	unsigned int i;

	for (i = 0; i < STATES; i++) {
		if (!(info->states & 1 << (i + 1)))
			continue;
		printf("%s%s", comma, states[i]);
		comma = ",";
	}
}

static void udptrack_print(const void *ip, const struct xt_entry_match *match,
			   int numeric)
{
	const struct xt_udptrack_info *info = (const void *)match->data;

	printf(" udptrack %sstate ",
	       info->flags & XT_UDPTRACK_INVERT ? "! " : "");
	show_states(info);
}

static void udptrack_save(const void *ip, const struct xt_entry_match *match)
{
	const struct xt_udptrack_info *info = (const void *)match->data;

	printf("%s --state ", info->flags & XT_UDPTRACK_INVERT ? " !" : "");
	show_states(info);
}

/* The bits of the mark that carry the state here and now; 0 for none. */
static unsigned int mark_mask(void)
{
	unsigned int mask = 0;
	FILE *file = fopen(MARK_MASK_SYSCTL, "r");

	if (!file)
		return 0;
	if (fscanf(file, "%x", &mask) != 1)
		mask = 0;
	fclose(file);
	return mask;
}

/*
 * nftables cannot load foreign matches, but it can read the state from the
 * mark, where a mask for it is set. An inverted match is spelt out, for a mark
 * without a state matches neither way.
 */
static int udptrack_xlate(struct xt_xlate *xl,
			  const struct xt_xlate_mt_params *params)
{
	const struct xt_udptrack_info *info = (const void *)params->match->data;
	unsigned int mask = mark_mask();
	unsigned int wanted = info->states, i;
	const char *comma = "";

	if (info->flags & XT_UDPTRACK_INVERT)
		wanted = ~wanted & XT_UDPTRACK_STATES;
	if (!mask || !wanted)
		return 0;
	xt_xlate_add(xl, "meta mark & 0x%x { ", mask);
	for (i = 1; i <= STATES; i++) {
		if (!(wanted & 1 << i))
			continue;
		xt_xlate_add(xl, "%s0x%x", comma, i << (ffs(mask) - 1));
		comma = ", ";
	}
	xt_xlate_add(xl, " }");
	return 1;
}

static struct xtables_match udptrack_match = {
	.version = XTABLES_VERSION,
	.name = "udptrack",
	.revision = 0,
	.family = NFPROTO_UNSPEC,
	.size = XT_ALIGN(sizeof(struct xt_udptrack_info)),
	.userspacesize = XT_ALIGN(sizeof(struct xt_udptrack_info)),
	.help = udptrack_help,
	.x6_options = udptrack_opts,
	.x6_parse = udptrack_parse,
	.print = udptrack_print,
	.save = udptrack_save,
	.xlate = udptrack_xlate,
};

static void __attribute__((constructor)) udptrack_register(void)
{
	xtables_register_match(&udptrack_match);
}
