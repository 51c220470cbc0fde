// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy - timeouts of single ports.
 *
 * Owns struct udptrack_policy_set, a list of ports and their timeouts, with an
 * index by port, so that a look-up costs the same however many there are. A
 * set never changes: a new list is a new set, published with RCU, and lists
 * that begin as equal share one. The packet path reads in any context under
 * rcu_read_lock(); writers take turns, which is the callers' business.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "policy.h"
#include "ports.h"

#define PORTS		65536
#define TIMEOUT_MAX	86400

/* Seconds; a stream timeout of 0 stands for the general one. */
struct policy {
	u16 port;
	u32 timeout;
	u32 timeout_stream;
};

struct udptrack_policy_set {
	struct rcu_head rcu;
	refcount_t lists;	/* that have it */
	unsigned int count;
	struct policy policies[UDPTRACK_POLICIES_MAX];
	u16 by_port[PORTS];	/* place in policies, from 1 on */
};

/* A decimal number up to @max; moves *text behind it. */
static int parse_number(const char **text, u32 max, u32 *value)
{
	const char *p = *text;
	u32 n = 0;

	if (!isdigit(*p))
		return -EINVAL;
	for (; isdigit(*p); p++) {
		n = n * 10 + (*p - '0');
		if (n > max)
			return -ERANGE;
	}
	*text = p;
	*value = n;
	return 0;
}

static int parse_timeout(const char **text, u32 *value)
{
	int err = parse_number(text, TIMEOUT_MAX, value);

	return !err && !*value ? -ERANGE : err;
}

/* "port:timeout" or "port:timeout:timeout_stream". */
static int parse_policy(const char **text, struct policy *policy)
{
	u32 port;
	int err;

	err = parse_number(text, PORTS - 1, &port);
	if (err)
		return err;
	policy->port = port;
	if (*(*text)++ != ':')
		return -EINVAL;
	err = parse_timeout(text, &policy->timeout);
	if (err)
		return err;
	policy->timeout_stream = 0;
	if (**text != ':')
		return 0;
	(*text)++;
	return parse_timeout(text, &policy->timeout_stream);
}

static int parse_set(struct udptrack_policy_set *set, const char *text)
{
	struct policy policy;
	int err;

	for (;;) {
		err = parse_policy(&text, &policy);
		if (err)
			return err;
		if (set->by_port[policy.port])
			return -EEXIST;
		if (set->count == UDPTRACK_POLICIES_MAX)
			return -E2BIG;
		set->policies[set->count++] = policy;
		set->by_port[policy.port] = set->count;
		if (*text != ',')
			break;
		text++;
	}
	return *skip_spaces(text) ? -EINVAL : 0;
}

static void replace(struct udptrack_policies *policies,
		    struct udptrack_policy_set *set)
{
	struct udptrack_policy_set *old;

	/* The caller is the only writer. */
	old = rcu_replace_pointer(policies->set, set, true);
	if (old && refcount_dec_and_test(&old->lists))
		kvfree_rcu(old, rcu);
}

/**
 * udptrack_policies_parse - read a list from text
 * @policies: replaced when 0 is returned, untouched otherwise
 * @text:     "port:timeout[:timeout_stream]" and more after commas, in
 *            seconds; white space around it is ignored, nothing at all is the
 *            empty list
 *
 * Context: process; may sleep; one writer at a time.
 * Return: 0, -EINVAL for text that is no such list, -ERANGE for a port above
 * 65535 or a timeout that is not from 1 to 86400, -EEXIST for a port named
 * twice, -E2BIG for more than UDPTRACK_POLICIES_MAX ports, or -ENOMEM.
 */
int udptrack_policies_parse(struct udptrack_policies *policies,
			    const char *text)
{
	struct udptrack_policy_set *set = NULL;
	int err;

	text = skip_spaces(text);
	if (*text) {
		set = kvzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
		if (!set)
			return -ENOMEM;
		refcount_set(&set->lists, 1);
		err = parse_set(set, text);
		if (err) {
			kvfree(set);
			return err;
		}
	}
	replace(policies, set);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_parse);

/**
 * udptrack_policies_share - make a list equal to another, for as long as
 * neither is replaced
 * @to:   an empty list
 * @from: the other list, which does not change meanwhile
 *
 * Context: process.
 */
void udptrack_policies_share(struct udptrack_policies *to,
			     const struct udptrack_policies *from)
{
	struct udptrack_policy_set *set;

	set = rcu_dereference_protected(from->set, true);
	if (set)
		refcount_inc(&set->lists);
	replace(to, set);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_share);

/**
 * udptrack_policies_free - make a list empty
 * @policies: the list
 *
 * Context: process or softirq; one writer at a time.
 */
void udptrack_policies_free(struct udptrack_policies *policies)
{
	replace(policies, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_free);

/**
 * udptrack_policies_show - write a list as text
 * @policies: the list
 * @text:     where to; UDPTRACK_POLICIES_TEXT bytes are always enough
 * @size:     how much room there is
 *
 * In the order in which the list was written. What does not fit is left out.
 *
 * Context: process.
 * Return: length of the text without the zero byte at its end.
 */
size_t udptrack_policies_show(const struct udptrack_policies *policies,
			      char *text, size_t size)
{
	const struct udptrack_policy_set *set;
	const struct policy *policy;
	unsigned int i;
	size_t len = 0;

	text[0] = '\0';
	rcu_read_lock();
	set = rcu_dereference(policies->set);
	for (i = 0; set && i < set->count; i++) {
		policy = &set->policies[i];
		len += scnprintf(text + len, size - len, "%s%u:%u",
				 i ? "," : "", policy->port, policy->timeout);
		if (policy->timeout_stream)
			len += scnprintf(text + len, size - len, ":%u",
					 policy->timeout_stream);
	}
	rcu_read_unlock();
	return len;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_show);

/**
 * udptrack_policies_hint_at - note the ports of a list in a hint
 * @policies: the list
 * @hint:     UDPTRACK_PORTS_HINT bits, of which some are set
 *
 * Context: process; nobody else writes @policies or @hint.
 */
void udptrack_policies_hint_at(const struct udptrack_policies *policies,
			       unsigned long *hint)
{
	const struct udptrack_policy_set *set;
	unsigned int i;

	/* The caller is the only writer. */
	set = rcu_dereference_protected(policies->set, true);
	for (i = 0; set && i < set->count; i++)
		__set_bit(set->policies[i].port % UDPTRACK_PORTS_HINT, hint);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_hint_at);

static const struct policy *find(const struct udptrack_policy_set *set,
				 u16 port)
{
	u16 place = set->by_port[port];

	return place ? &set->policies[place - 1] : NULL;
}

/**
 * udptrack_policies_apply - the timeouts of a packet's flow
 * @policies: the list
 * @tuple:    the packet's ends; that of the flow's other direction will do
 * @to:       the general timeouts, in jiffies; changed where a port of either
 *            end has its own
 *
 * Where both have, the lower one decides, which is the service's as a rule.
 *
 * Context: any, under rcu_read_lock().
 */
void udptrack_policies_apply(const struct udptrack_policies *policies,
			     const struct udptrack_tuple *tuple,
			     struct udptrack_timeouts *to)
{
	const struct udptrack_policy_set *set = rcu_dereference(policies->set);
	u16 sport = ntohs(tuple->sport), dport = ntohs(tuple->dport);
	const struct policy *policy;

	if (likely(!set))
		return;
	policy = find(set, min(sport, dport));
	if (!policy)
		policy = find(set, max(sport, dport));
	if (!policy)
		return;
	to->unreplied_j = policy->timeout * HZ;
	if (policy->timeout_stream)
		to->stream_j = policy->timeout_stream * HZ;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_policies_apply);
