/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts that come and go with a setting: see optional.c. */
#ifndef UDPTRACK_OPTIONAL_H
#define UDPTRACK_OPTIONAL_H

#include <linux/types.h>

struct net;

/**
 * struct udptrack_optional_part - such a part
 * @start:  make it work in a network namespace; 0 or an error
 * @stop:   end that
 * @wanted: is it wanted at this value of the setting?
 *
 * All are called in process context under the mutex of optional.c.
 */
struct udptrack_optional_part {
	int (*start)(struct net *net);
	void (*stop)(struct net *net);
	bool (*wanted)(unsigned int value);
};

/**
 * struct udptrack_optional - the part in a network namespace
 * @open:    it may be there: the namespace is neither being made nor on its
 *           way out
 * @started: it is there
 *
 * Under a mutex of optional.c.
 */
struct udptrack_optional {
	bool open;
	bool started;
};

int udptrack_optional_open(struct udptrack_optional *optional,
			   const struct udptrack_optional_part *part,
			   struct net *net, unsigned int *setting);
int udptrack_optional_set(struct udptrack_optional *optional,
			  const struct udptrack_optional_part *part,
			  struct net *net, unsigned int *setting,
			  unsigned int value);
void udptrack_optional_close(struct udptrack_optional *optional,
			     const struct udptrack_optional_part *part,
			     struct net *net, unsigned int *setting);

#endif
