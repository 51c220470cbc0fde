// SPDX-License-Identifier: GPL-2.0-only
/*
 * ports - sets of UDP ports, such as the exempt ones.
 *
 * Owns the bitmap behind a set. A set that was never written to has none, or
 * borrows one (settings.c), so that a network namespace which changes nothing
 * pays nothing. Packets read a set without a lock; whoever writes serialises
 * among writers.
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "ports.h"

/**
 * udptrack_ports_alloc - give a set its bitmap
 * @ports: the set; left alone when it has one
 *
 * Context: process; one writer at a time.
 * Return: 0 or -ENOMEM.
 */
int udptrack_ports_alloc(struct udptrack_ports *ports)
{
	unsigned long *bits;

	if (ports->bits)
		return 0;
	bits = bitmap_zalloc(UDPTRACK_PORTS, GFP_KERNEL);
	if (!bits)
		return -ENOMEM;
	/* Pairs with the acquire in udptrack_ports_has(). */
	smp_store_release(&ports->bits, bits);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_ports_alloc);

/**
 * udptrack_ports_free - give the bitmap back
 * @ports: the set, which nobody reads any more
 *
 * Context: any.
 */
void udptrack_ports_free(struct udptrack_ports *ports)
{
	bitmap_free(ports->bits);
	ports->bits = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_ports_free);

/**
 * udptrack_ports_parse - read a set from text
 * @ports: replaced when 0 is returned, untouched otherwise
 * @text:  ports and ranges such as "53,5000-5100", as in
 *         ip_local_reserved_ports; white space around it is ignored, and
 *         nothing at all is the empty set
 *
 * Context: process; nobody else reads or writes @ports.
 * Return: 0, -EINVAL for text that is no such list, -ERANGE for a port above
 * 65535, or -ENOMEM.
 */
int udptrack_ports_parse(struct udptrack_ports *ports, const char *text)
{
	struct udptrack_ports new = {};
	const char *p;
	int err;

	/* bitmap_parselist() knows more tricks than the sysctl; refuse them. */
	text = skip_spaces(text);
	for (p = text; *p; p++)
		if (!isdigit(*p) && !isspace(*p) && *p != ',' && *p != '-')
			return -EINVAL;
	/* For it a line is all, the next one is passed over. */
	p = strchr(text, '\n');
	if (p && *skip_spaces(p))
		return -EINVAL;
	if (*text) {
		err = udptrack_ports_alloc(&new);
		if (!err)
			err = bitmap_parselist(text, new.bits, UDPTRACK_PORTS);
		if (err) {
			udptrack_ports_free(&new);
			return err == -EOVERFLOW ? -ERANGE : err;
		}
	}
	udptrack_ports_free(ports);
	*ports = new;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_ports_parse);

/**
 * udptrack_ports_copy - make a set equal to another
 * @to:   an empty set without a bitmap
 * @from: the set to copy
 *
 * Context: process; nobody else reads or writes @to.
 * Return: 0 or -ENOMEM.
 */
int udptrack_ports_copy(struct udptrack_ports *to,
			const struct udptrack_ports *from)
{
	int err;

	if (!from->bits)
		return 0;
	err = udptrack_ports_alloc(to);
	if (err)
		return err;
	bitmap_copy(to->bits, from->bits, UDPTRACK_PORTS);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_ports_copy);

/**
 * udptrack_ports_hint_at - note the ports of a set in a hint
 * @ports: the set
 * @hint:  UDPTRACK_PORTS_HINT bits, of which some are set
 *
 * Context: process; nobody else writes @ports or @hint.
 */
void udptrack_ports_hint_at(const struct udptrack_ports *ports,
			    unsigned long *hint)
{
	unsigned int i;

	if (!ports->bits)
		return;
	for (i = 0; i < BITS_TO_LONGS(UDPTRACK_PORTS); i++)
		hint[i % UDPTRACK_PORTS_HINT_LONGS] |= ports->bits[i];
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_ports_hint_at);
