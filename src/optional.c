// SPDX-License-Identifier: GPL-2.0-only
/*
 * optional - hooks that come and go with a setting, so that who does not use
 * them pays nothing.
 *
 * Owns whether they are registered, and writes the setting they depend on:
 * they are there before it asks for them, and until it no longer does. Called
 * from sysctl, and when namespaces come and go.
 */
#include <linux/mutex.h>
#include <linux/netfilter.h>

#include "optional.h"

static DEFINE_MUTEX(optional_mutex);

static int apply(struct udptrack_optional *optional,
		 const struct udptrack_optional_hooks *hooks, struct net *net,
		 unsigned int *setting, unsigned int value)
{
	bool wanted = hooks->wanted(value) && optional->open;
	int err = 0;

	lockdep_assert_held(&optional_mutex);
	if (wanted && !optional->registered)
		err = nf_register_net_hooks(net, hooks->ops, hooks->n);
	if (err)
		return err;
	WRITE_ONCE(*setting, value);
	if (!wanted && optional->registered)
		nf_unregister_net_hooks(net, hooks->ops, hooks->n);
	optional->registered = wanted;
	return 0;
}

/**
 * udptrack_optional_open - from now on there may be hooks
 * @optional: their state
 * @hooks:    which
 * @net:      a network namespace, otherwise ready
 * @setting:  what they depend on
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks().
 */
int udptrack_optional_open(struct udptrack_optional *optional,
			   const struct udptrack_optional_hooks *hooks,
			   struct net *net, unsigned int *setting)
{
	int err;

	mutex_lock(&optional_mutex);
	optional->open = true;
	err = apply(optional, hooks, net, setting, *setting);
	mutex_unlock(&optional_mutex);
	return err;
}

/**
 * udptrack_optional_set - change what the hooks depend on
 * @optional: their state
 * @hooks:    which
 * @net:      their network namespace
 * @setting:  what they depend on
 * @value:    what it is to be
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks(); then nothing has changed.
 */
int udptrack_optional_set(struct udptrack_optional *optional,
			  const struct udptrack_optional_hooks *hooks,
			  struct net *net, unsigned int *setting,
			  unsigned int value)
{
	int err;

	mutex_lock(&optional_mutex);
	err = apply(optional, hooks, net, setting, value);
	mutex_unlock(&optional_mutex);
	return err;
}

/**
 * udptrack_optional_close - no hooks from now on, whatever is still written
 * @optional: their state
 * @hooks:    which
 * @net:      a network namespace on its way out
 * @setting:  what they depend on
 *
 * Packets may be inside the hooks until an RCU grace period has passed.
 *
 * Context: process; may sleep.
 */
void udptrack_optional_close(struct udptrack_optional *optional,
			     const struct udptrack_optional_hooks *hooks,
			     struct net *net, unsigned int *setting)
{
	mutex_lock(&optional_mutex);
	optional->open = false;
	/* Registers nothing, so it cannot fail. */
	apply(optional, hooks, net, setting, *setting);
	mutex_unlock(&optional_mutex);
}
