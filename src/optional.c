// SPDX-License-Identifier: GPL-2.0-only
/*
 * optional - parts that come and go with a setting, so that who does not use
 * them pays nothing: hooks, the probe at bind().
 *
 * Owns whether they are there, and writes the setting they depend on: they are
 * there before it asks for them, and until it no longer does. Called from
 * sysctl, and when namespaces come and go. They start and stop one at a time.
 */
#include <linux/mutex.h>

#include "optional.h"

static DEFINE_MUTEX(optional_mutex);

static int apply(struct udptrack_optional *optional,
		 const struct udptrack_optional_part *part, struct net *net,
		 unsigned int *setting, unsigned int value)
{
	bool wanted = part->wanted(value) && optional->open;
	int err = 0;

	lockdep_assert_held(&optional_mutex);
	if (wanted && !optional->started)
		err = part->start(net);
	if (err)
		return err;
	WRITE_ONCE(*setting, value);
	if (!wanted && optional->started)
		part->stop(net);
	optional->started = wanted;
	return 0;
}

/**
 * udptrack_optional_open - from now on the part may be there
 * @optional: its state
 * @part:     which
 * @net:      a network namespace, otherwise ready
 * @setting:  what it depends on
 *
 * Context: process; may sleep.
 * Return: 0 or the error of @part->start().
 */
int udptrack_optional_open(struct udptrack_optional *optional,
			   const struct udptrack_optional_part *part,
			   struct net *net, unsigned int *setting)
{
	int err;

	mutex_lock(&optional_mutex);
	optional->open = true;
	err = apply(optional, part, net, setting, *setting);
	mutex_unlock(&optional_mutex);
	return err;
}

/**
 * udptrack_optional_set - change what the part depends on
 * @optional: its state
 * @part:     which
 * @net:      its network namespace
 * @setting:  what it depends on
 * @value:    what that is to be
 *
 * Context: process; may sleep.
 * Return: 0 or the error of @part->start(); then nothing has changed.
 */
int udptrack_optional_set(struct udptrack_optional *optional,
			  const struct udptrack_optional_part *part,
			  struct net *net, unsigned int *setting,
			  unsigned int value)
{
	int err;

	mutex_lock(&optional_mutex);
	err = apply(optional, part, net, setting, value);
	mutex_unlock(&optional_mutex);
	return err;
}

/**
 * udptrack_optional_close - not there from now on, whatever is still written
 * @optional: its state
 * @part:     which
 * @net:      a network namespace on its way out
 * @setting:  what it depends on
 *
 * Packets may be inside hooks until an RCU grace period has passed.
 *
 * Context: process; may sleep.
 */
void udptrack_optional_close(struct udptrack_optional *optional,
			     const struct udptrack_optional_part *part,
			     struct net *net, unsigned int *setting)
{
	mutex_lock(&optional_mutex);
	optional->open = false;
	/* Starts nothing, so it cannot fail. */
	apply(optional, part, net, setting, *setting);
	mutex_unlock(&optional_mutex);
}
