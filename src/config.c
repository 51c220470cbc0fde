// SPDX-License-Identifier: GPL-2.0-only
/*
 * config - settings changed while they are in force, by sysctl or by netlink,
 * and what follows from each: hooks that come or go, questions that were not
 * looked at.
 *
 * Owns no state but the mutex under which they are changed, so that who changes
 * many and must take them back undoes nobody else's change. The settings are in
 * struct udptrack_net, their bounds in settings.c. Process context.
 */
#include <linux/mutex.h>

#include "config.h"
#include "forged.h"
#include "guard.h"
#include "mark.h"
#include "netns.h"

static DEFINE_MUTEX(config_mutex);

/**
 * udptrack_config_ceiling - the highest udptrack_max that a namespace may set
 * @net: the namespace
 *
 * The root of a container may set its own limit, but not above what the host's
 * administrator gave when the module was loaded.
 *
 * Context: any.
 * Return: where it stands.
 */
const unsigned int *udptrack_config_ceiling(const struct net *net)
{
	return net_eq(net, &init_net) ?
	       &udptrack_setting_list[UDPTRACK_SET_MAX].max :
	       &udptrack_defaults.max;
}

/**
 * udptrack_config_lose_dns - there may be questions that were not looked at
 * @un: udptrack's part of the network namespace
 *
 * Context: any.
 */
void udptrack_config_lose_dns(struct udptrack_net *un)
{
	udptrack_dns_lose(&un->dns, udptrack_dns_clock());
}

/**
 * udptrack_config_get - what a setting is
 * @un: udptrack's part of the network namespace
 * @id: enum udptrack_setting_id, or UDPTRACK_CONFIG_MARK_MASK
 *
 * Context: any.
 * Return: its value.
 */
unsigned int udptrack_config_get(struct udptrack_net *un, unsigned int id)
{
	if (id == UDPTRACK_CONFIG_MARK_MASK)
		return READ_ONCE(un->settings.mark_mask);
	return READ_ONCE(*udptrack_setting_value(&un->settings, id));
}

/* Change one. Under config_mutex. */
static int set(struct net *net, unsigned int id, unsigned int value)
{
	struct udptrack_net *un = udptrack_net(net);

	lockdep_assert_held(&config_mutex);
	switch (id) {
	case UDPTRACK_CONFIG_MARK_MASK:
		return udptrack_mark_set(net, value);
	case UDPTRACK_SET_BIND_GUARD:
		return udptrack_guard_set(net, value);
	case UDPTRACK_SET_DNS:
		if (READ_ONCE(un->settings.dns) == UDPTRACK_DNS_OFF)
			udptrack_config_lose_dns(un);
		return udptrack_forged_set(net, value);
	case UDPTRACK_SET_LOOPBACK:
		WRITE_ONCE(un->settings.loopback, value);
		udptrack_config_lose_dns(un);
		return 0;
	default:
		WRITE_ONCE(*udptrack_setting_value(&un->settings, id), value);
		return 0;
	}
}

/* Does it take something that may not be there to be had? */
static bool may_fail(unsigned int id, unsigned int value)
{
	switch (id) {
	case UDPTRACK_CONFIG_MARK_MASK:
	case UDPTRACK_SET_BIND_GUARD:
		return value;
	case UDPTRACK_SET_DNS:
		return value == UDPTRACK_DNS_ENFORCE;
	default:
		return false;
	}
}

/*
 * Those of them that may fail come first: to undo one only gives something
 * back, which always works.
 */
static int apply(struct net *net, const struct udptrack_config *want)
{
	struct udptrack_net *un = udptrack_net(net);
	struct udptrack_config old = {};
	unsigned int id;
	int err;

	for_each_set_bit(id, &want->given, UDPTRACK_CONFIGS) {
		if (!may_fail(id, want->value[id]))
			continue;
		old.value[id] = udptrack_config_get(un, id);
		err = set(net, id, want->value[id]);
		if (err)
			goto err_undo;
		__set_bit(id, &old.given);
	}
	for_each_set_bit(id, &want->given, UDPTRACK_CONFIGS)
		if (!test_bit(id, &old.given))
			set(net, id, want->value[id]);
	return 0;

err_undo:
	for_each_set_bit(id, &old.given, UDPTRACK_CONFIGS)
		set(net, id, old.value[id]);
	return err;
}

/**
 * udptrack_config_set - change a setting
 * @net:   the network namespace
 * @id:    enum udptrack_setting_id, or UDPTRACK_CONFIG_MARK_MASK
 * @value: what it is to be, within its bounds
 *
 * Context: process; may sleep.
 * Return: 0, or -ENOMEM or -EOPNOTSUPP when what the setting needs cannot be
 * had; then the old one stays.
 */
int udptrack_config_set(struct net *net, unsigned int id, unsigned int value)
{
	int err;

	mutex_lock(&config_mutex);
	err = set(net, id, value);
	mutex_unlock(&config_mutex);
	return err;
}

/**
 * udptrack_config_apply - change many settings, or none
 * @net:  the network namespace
 * @want: which, and to what
 *
 * Context: process; may sleep.
 * Return: 0, or as udptrack_config_set(); then all the old ones stay.
 */
int udptrack_config_apply(struct net *net, const struct udptrack_config *want)
{
	int err;

	mutex_lock(&config_mutex);
	err = apply(net, want);
	mutex_unlock(&config_mutex);
	return err;
}
