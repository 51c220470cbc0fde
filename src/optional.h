/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks that come and go with a setting: see optional.c. */
#ifndef UDPTRACK_OPTIONAL_H
#define UDPTRACK_OPTIONAL_H

#include <linux/types.h>

struct net;
struct nf_hook_ops;

/**
 * struct udptrack_optional_hooks - which hooks, and when
 * @ops:    the hooks
 * @n:      their number
 * @wanted: are they wanted at this value of the setting?
 */
struct udptrack_optional_hooks {
	const struct nf_hook_ops *ops;
	unsigned int n;
	bool (*wanted)(unsigned int value);
};

/**
 * struct udptrack_optional - such hooks in a network namespace
 * @open:       they may be there: the namespace is neither being made nor on
 *              its way out
 * @registered: they are there
 *
 * Under a mutex of optional.c.
 */
struct udptrack_optional {
	bool open;
	bool registered;
};

int udptrack_optional_open(struct udptrack_optional *optional,
			   const struct udptrack_optional_hooks *hooks,
			   struct net *net, unsigned int *setting);
int udptrack_optional_set(struct udptrack_optional *optional,
			  const struct udptrack_optional_hooks *hooks,
			  struct net *net, unsigned int *setting,
			  unsigned int value);
void udptrack_optional_close(struct udptrack_optional *optional,
			     const struct udptrack_optional_hooks *hooks,
			     struct net *net, unsigned int *setting);

#endif
