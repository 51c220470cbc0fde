/* SPDX-License-Identifier: GPL-2.0-only */
/* The owners of a table's flows: see owners.c. */
#ifndef UDPTRACK_OWNERS_H
#define UDPTRACK_OWNERS_H

#include "owner.h"

#define UDPTRACK_OWNERS_SHIFT	5

/**
 * struct udptrack_shared_owner - an owner of any number of flows
 * @owner: who it is; never changes
 * @flows: how many
 */
struct udptrack_shared_owner {
	struct udptrack_owner owner;
	unsigned int flows;
};

/**
 * struct udptrack_owners - those of a table
 * @recent: by hash, the last one that had a flow made
 */
struct udptrack_owners {
	struct udptrack_shared_owner *recent[1 << UDPTRACK_OWNERS_SHIFT];
};

int udptrack_owners_module_init(void);
void udptrack_owners_module_exit(void);
struct udptrack_shared_owner *
udptrack_owners_get(struct udptrack_owners *owners,
		    const struct udptrack_owner *owner);
void udptrack_owners_put(struct udptrack_owners *owners,
			 struct udptrack_shared_owner *shared);

#endif
