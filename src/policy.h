/* SPDX-License-Identifier: GPL-2.0-only */
/* Timeouts of single ports: see policy.c. */
#ifndef UDPTRACK_POLICY_H
#define UDPTRACK_POLICY_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "state.h"
#include "tuple.h"

/* Ports that may have timeouts of their own. */
#define UDPTRACK_POLICIES_MAX	1024
/* Longest text of a list of them: "65535:86400:86400," for each. */
#define UDPTRACK_POLICIES_TEXT	(UDPTRACK_POLICIES_MAX * 18 + 1)

struct udptrack_policy_set;

/**
 * struct udptrack_policies - timeouts of single ports, in force
 * @set: the whole list, replaced as a whole; NULL while it is empty
 */
struct udptrack_policies {
	struct udptrack_policy_set __rcu *set;
};

int udptrack_policies_parse(struct udptrack_policies *policies,
			    const char *text);
void udptrack_policies_share(struct udptrack_policies *to,
			     const struct udptrack_policies *from);
void udptrack_policies_free(struct udptrack_policies *policies);
size_t udptrack_policies_show(const struct udptrack_policies *policies,
			      char *text, size_t size);
void udptrack_policies_hint_at(const struct udptrack_policies *policies,
			       unsigned long *hint);
void udptrack_policies_apply(const struct udptrack_policies *policies,
			     const struct udptrack_tuple *tuple,
			     struct udptrack_timeouts *to);

#endif
