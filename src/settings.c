// SPDX-License-Identifier: GPL-2.0-only
/*
 * settings - what a user may set, the bounds, the defaults, and the module
 * parameters, which are the defaults of every new network namespace.
 *
 * Owns udptrack_defaults, written while the module's parameters are parsed and
 * constant from then on. The sysctls (sysctl.c) share the bounds and the words
 * of refusal.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <net/netfilter/nf_log.h>
#include <kunit/visibility.h>

#include "dns.h"
#include "mark.h"
#include "settings.h"

#define SETTING(field, lowest, highest) {				\
	.name = #field,							\
	.sysctl = "udptrack_" #field,					\
	.offset = offsetof(struct udptrack_settings, field),		\
	.min = (lowest),						\
	.max = (highest),						\
}

const struct udptrack_setting udptrack_setting_list[UDPTRACK_SETTINGS] = {
	[UDPTRACK_SET_TIMEOUT]		= SETTING(timeout, 1, 86400),
	[UDPTRACK_SET_TIMEOUT_STREAM]	= SETTING(timeout_stream, 1, 86400),
	[UDPTRACK_SET_MAX]		= SETTING(max, 1, UDPTRACK_MAX_LIMIT),
	[UDPTRACK_SET_ACCT]		= SETTING(acct, 0, 1),
	[UDPTRACK_SET_CHECKSUM]		= SETTING(checksum, 0, 1),
	[UDPTRACK_SET_LOOPBACK]		= SETTING(loopback, 0, 1),
	[UDPTRACK_SET_LOG_INVALID]	= SETTING(log_invalid, 0, 1),
	[UDPTRACK_SET_REQUIRE_LISTENER]	= SETTING(require_listener, 0, 1),
	[UDPTRACK_SET_DNS]		= SETTING(dns, 0, 2),
	[UDPTRACK_SET_DNS_LINGER]	= SETTING(dns_linger, 1, 86400),
	[UDPTRACK_SET_BIND_GUARD]	= SETTING(bind_guard, 0, 1),
	[UDPTRACK_SET_EVENTS]		= SETTING(events, 0, 1),
};
EXPORT_SYMBOL_IF_KUNIT(udptrack_setting_list);

struct udptrack_settings udptrack_defaults = {
	.timeout = 30,
	.timeout_stream = 120,
	.max = 262144,
	.acct = 1,
	.checksum = 1,
	.loopback = 1,
	.log_invalid = 0,
	.require_listener = 1,
	.dns = UDPTRACK_DNS_DETECT,
	.dns_linger = 5,
	.bind_guard = 0,
	.events = 1,
};

/* The root of a container does not write to the host's log unless it may. */
static bool may_log(void)
{
	return current_user_ns() == &init_user_ns || sysctl_nf_log_all_netns;
}

/* How much of what was written to show in the log. */
static int printable(const char *text, size_t len)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\0'))
		len--;
	return min_t(size_t, len, 40);
}

/**
 * udptrack_setting_refuse - tell the log why a number was not taken
 * @kind: "parameter" or "sysctl"
 * @name: full name of what was set
 * @text: what was written; need not end in a zero byte
 * @len:  its length, in bytes
 * @min:  lowest value allowed
 * @max:  highest value allowed
 *
 * Context: process, of who wrote it. Rate-limited.
 */
void udptrack_setting_refuse(const char *kind, const char *name,
			     const char *text, size_t len, unsigned int min,
			     unsigned int max)
{
	if (!may_log())
		return;
	net_err_ratelimited("%s %s: '%*pE' is not a number from %u to %u\n",
			    kind, name, printable(text, len), text, min, max);
}

/**
 * udptrack_mask_refuse - tell the log why a mask was not taken
 * @kind: "parameter" or "sysctl"
 * @name: full name of what was set
 * @text: what was written; need not end in a zero byte
 * @len:  its length, in bytes
 *
 * Context: process, of who wrote it. Rate-limited.
 */
void udptrack_mask_refuse(const char *kind, const char *name, const char *text,
			  size_t len)
{
	if (!may_log())
		return;
	net_err_ratelimited("%s %s: '%*pE' is neither 0 nor at least three adjacent bits of 0xffffffff, as in 0x700\n",
			    kind, name, printable(text, len), text);
}

/**
 * udptrack_policies_refuse - tell the log why a list of timeouts was not taken
 * @kind: "parameter" or "sysctl"
 * @name: full name of what was set
 * @text: what was written; need not end in a zero byte
 * @len:  its length, in bytes
 * @err:  what udptrack_policies_parse() said
 *
 * Context: process, of who wrote it. Rate-limited.
 */
void udptrack_policies_refuse(const char *kind, const char *name,
			      const char *text, size_t len, int err)
{
	const char *why = "is not a list port:timeout[:timeout_stream], as in 53:5:5,51820:180:300";

	if (!may_log())
		return;
	if (err == -ERANGE)
		why = "has a port not from 0 to 65535 or a timeout not from 1 to 86400";
	else if (err == -EEXIST)
		why = "names a port twice";
	else if (err == -E2BIG)
		why = "is too long";
	net_err_ratelimited("%s %s: '%*pE' %s\n", kind, name,
			    printable(text, len), text, why);
}

/**
 * udptrack_ports_refuse - tell the log why a port list was not taken
 * @kind: "parameter" or "sysctl"
 * @name: full name of what was set
 * @text: what was written; need not end in a zero byte
 * @len:  its length, in bytes
 *
 * Context: process, of who wrote it. Rate-limited.
 */
void udptrack_ports_refuse(const char *kind, const char *name,
			   const char *text, size_t len)
{
	if (!may_log())
		return;
	net_err_ratelimited("%s %s: '%*pE' is not a list of ports and ranges from 0 to 65535, as in 53,5000-5100\n",
			    kind, name, printable(text, len), text);
}

/**
 * udptrack_settings_module_init - the defaults that cannot be written down
 *
 * Context: process, once, when the parameters have been read.
 * Return: 0 or -ENOMEM.
 */
int udptrack_settings_module_init(void)
{
	if (udptrack_defaults.dns_ports.bits)
		return 0;
	return udptrack_ports_parse(&udptrack_defaults.dns_ports, "53");
}

/**
 * udptrack_settings_init - give a network namespace the defaults
 * @settings: zeroed memory
 *
 * Most namespaces never write a list of ports, so they have none of their own:
 * the defaults stay as they are until the module goes, after the last namespace.
 *
 * Context: process.
 */
void udptrack_settings_init(struct udptrack_settings *settings)
{
	*settings = udptrack_defaults;
	settings->borrows_dns_ports = settings->dns_ports.bits;
	settings->borrows_exempt_ports = settings->exempt_ports.bits;
	RCU_INIT_POINTER(settings->port_timeouts.set, NULL);
	udptrack_policies_share(&settings->port_timeouts,
				&udptrack_defaults.port_timeouts);
	udptrack_settings_note_ports(settings);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_settings_init);

/**
 * udptrack_settings_own_ports - make a list of ports ready to be written to
 * @settings: settings of a network namespace
 * @ports:    the list, which is one of theirs
 *
 * A bitmap that was borrowed is replaced by a copy. Packets may still be
 * looking at the other one, which stays.
 *
 * Context: process; may sleep; one writer of lists at a time.
 * Return: 0 or -ENOMEM; then the list is as it was.
 */
int udptrack_settings_own_ports(struct udptrack_settings *settings,
				struct udptrack_ports *ports)
{
	bool *borrows = ports == &settings->dns_ports ?
			&settings->borrows_dns_ports :
			&settings->borrows_exempt_ports;
	struct udptrack_ports copy = {};
	int err;

	if (!*borrows)
		return udptrack_ports_alloc(ports);
	err = udptrack_ports_copy(&copy, ports);
	if (err)
		return err;
	*borrows = false;
	/* Pairs with the acquire in udptrack_ports_has(). */
	smp_store_release(&ports->bits, copy.bits);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_settings_own_ports);

/**
 * udptrack_settings_note_ports - tell the packet path which ports are special
 * @settings: settings of a network namespace, of which a list was written
 *
 * The packet path looks at the lists only where the hint sends it. So a list is
 * written first, then the hint, and only then is the writer told that it is
 * done. Between the two, or on a CPU that sees one store without the other, in
 * whichever order, a new port is passed over as before the write, and one that
 * is gone is looked for in vain. For a port that stays, the hint never wavers:
 * it is made aside, and each word of it stored once. Hence no barrier.
 *
 * Context: process; one writer of lists at a time.
 */
void udptrack_settings_note_ports(struct udptrack_settings *settings)
{
	unsigned long hint[UDPTRACK_PORTS_HINT_LONGS] = {};
	unsigned int i;

	udptrack_ports_hint_at(&settings->dns_ports, hint);
	udptrack_ports_hint_at(&settings->exempt_ports, hint);
	udptrack_policies_hint_at(&settings->port_timeouts, hint);
	for (i = 0; i < UDPTRACK_PORTS_HINT_LONGS; i++)
		WRITE_ONCE(settings->special_ports[i], hint[i]);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_settings_note_ports);

/**
 * udptrack_settings_free - release what udptrack_settings_init() took, and what
 * was written since
 * @settings: settings that nobody reads any more
 *
 * Context: any.
 */
void udptrack_settings_free(struct udptrack_settings *settings)
{
	if (!settings->borrows_exempt_ports)
		udptrack_ports_free(&settings->exempt_ports);
	if (!settings->borrows_dns_ports)
		udptrack_ports_free(&settings->dns_ports);
	udptrack_policies_free(&settings->port_timeouts);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_settings_free);

/**
 * udptrack_settings_timeouts - the timeouts now in force
 * @settings: settings of a network namespace
 * @tuple:    ends of the packet they are for, whichever its ports are
 * @to:       filled in, in jiffies
 *
 * Context: any, under rcu_read_lock().
 */
void udptrack_settings_timeouts(const struct udptrack_settings *settings,
				const struct udptrack_tuple *tuple,
				struct udptrack_timeouts *to)
{
	udptrack_settings_general(settings, to);
	udptrack_policies_apply(&settings->port_timeouts, tuple, to);
}

static int param_set_number(const char *val, const struct kernel_param *kp)
{
	const struct udptrack_setting *setting = kp->arg;
	unsigned int *value = udptrack_setting_value(&udptrack_defaults,
						     setting -
						     udptrack_setting_list);
	struct kernel_param number = { .arg = value };

	if (!param_set_uint_minmax(val, &number, setting->min, setting->max))
		return 0;
	udptrack_setting_refuse("parameter", setting->name, val, strlen(val),
				setting->min, setting->max);
	return -EINVAL;
}

static int param_get_number(char *buffer, const struct kernel_param *kp)
{
	const struct udptrack_setting *setting = kp->arg;

	return sysfs_emit(buffer, "%u\n",
			  *udptrack_setting_value(&udptrack_defaults,
						  setting -
						  udptrack_setting_list));
}

static const struct kernel_param_ops number_ops = {
	.set = param_set_number,
	.get = param_get_number,
};

static int param_set_mask(const char *val, const struct kernel_param *kp)
{
	unsigned int mask;

	if (!kstrtouint(val, 0, &mask) && udptrack_mark_mask_valid(mask)) {
		*(unsigned int *)kp->arg = mask;
		return 0;
	}
	udptrack_mask_refuse("parameter", "mark_mask", val, strlen(val));
	return -EINVAL;
}

static int param_get_mask(char *buffer, const struct kernel_param *kp)
{
	unsigned int mask = *(unsigned int *)kp->arg;

	return sysfs_emit(buffer, mask ? "%#x\n" : "%u\n", mask);
}

static const struct kernel_param_ops mask_ops = {
	.set = param_set_mask,
	.get = param_get_mask,
};

static int param_set_ports(const char *val, const struct kernel_param *kp)
{
	int err = udptrack_ports_parse(kp->arg, val);

	if (err && err != -ENOMEM) {
		udptrack_ports_refuse("parameter", kp->name, val, strlen(val));
		err = -EINVAL;
	}
	return err;
}

/* None at all is a choice, too, and not the default. */
static int param_set_dns_ports(const char *val, const struct kernel_param *kp)
{
	int err = param_set_ports(val, kp);

	return err ?: udptrack_ports_alloc(kp->arg);
}

static int param_get_ports(char *buffer, const struct kernel_param *kp)
{
	const struct udptrack_ports *ports = kp->arg;

	if (!ports->bits)
		return sysfs_emit(buffer, "\n");
	return sysfs_emit(buffer, "%*pbl\n", UDPTRACK_PORTS, ports->bits);
}

/* Called also when a parameter of a failed load must be given back. */
static void param_free_ports(void *arg)
{
	udptrack_ports_free(arg);
}

static const struct kernel_param_ops ports_ops = {
	.set = param_set_ports,
	.get = param_get_ports,
	.free = param_free_ports,
};

static const struct kernel_param_ops dns_ports_ops = {
	.set = param_set_dns_ports,
	.get = param_get_ports,
	.free = param_free_ports,
};

static int param_set_policies(const char *val, const struct kernel_param *kp)
{
	int err = udptrack_policies_parse(kp->arg, val);

	if (!err || err == -ENOMEM)
		return err;
	udptrack_policies_refuse("parameter", "port_timeouts", val,
				 strlen(val), err);
	return -EINVAL;
}

static int param_get_policies(char *buffer, const struct kernel_param *kp)
{
	size_t len = udptrack_policies_show(kp->arg, buffer, PAGE_SIZE - 1);

	buffer[len++] = '\n';
	return len;
}

/* Called also when a parameter of a failed load must be given back. */
static void param_free_policies(void *arg)
{
	udptrack_policies_free(arg);
}

static const struct kernel_param_ops policies_ops = {
	.set = param_set_policies,
	.get = param_get_policies,
	.free = param_free_policies,
};

#define NUMBER(id, field)						\
	module_param_cb(field, &number_ops,				\
			(void *)&udptrack_setting_list[id], 0444)

NUMBER(UDPTRACK_SET_TIMEOUT, timeout);
MODULE_PARM_DESC(timeout, "seconds an unreplied flow lives, 1 to 86400 (30)");
NUMBER(UDPTRACK_SET_TIMEOUT_STREAM, timeout_stream);
MODULE_PARM_DESC(timeout_stream, "seconds a flow lives once two-way for over 2 s, 1 to 86400 (120)");
NUMBER(UDPTRACK_SET_MAX, max);
MODULE_PARM_DESC(max, "flows a network namespace may hold, and what no namespace but the first may exceed (262144)");
NUMBER(UDPTRACK_SET_ACCT, acct);
MODULE_PARM_DESC(acct, "count packets and bytes, 0 or 1 (1)");
NUMBER(UDPTRACK_SET_CHECKSUM, checksum);
MODULE_PARM_DESC(checksum, "verify checksums of inbound packets, 0 or 1 (1)");
NUMBER(UDPTRACK_SET_LOOPBACK, loopback);
MODULE_PARM_DESC(loopback, "track traffic on loopback interfaces, 0 or 1 (1)");
NUMBER(UDPTRACK_SET_LOG_INVALID, log_invalid);
MODULE_PARM_DESC(log_invalid, "log INVALID packets, 0 or 1 (0)");
NUMBER(UDPTRACK_SET_REQUIRE_LISTENER, require_listener);
MODULE_PARM_DESC(require_listener, "unsolicited packets to closed ports make no flow, 0 or 1 (1)");

NUMBER(UDPTRACK_SET_DNS, dns);
MODULE_PARM_DESC(dns, "DNS answers that nobody asked for: 0 none of our business, 1 count them, 2 they are INVALID (1)");
NUMBER(UDPTRACK_SET_DNS_LINGER, dns_linger);
MODULE_PARM_DESC(dns_linger, "seconds a flow lives on once no DNS question is open, 1 to 86400 (5)");

NUMBER(UDPTRACK_SET_BIND_GUARD, bind_guard);
MODULE_PARM_DESC(bind_guard, "no bind() to a port from which this host started a flow that outlives its socket, 0 or 1 (0)");

NUMBER(UDPTRACK_SET_EVENTS, events);
MODULE_PARM_DESC(events, "tell by netlink of what happens to flows, when somebody listens, 0 or 1 (1)");

module_param_cb(dns_ports, &dns_ports_ops, &udptrack_defaults.dns_ports, 0444);
MODULE_PARM_DESC(dns_ports, "ports where DNS servers listen (53)");

module_param_cb(mark_mask, &mask_ops, &udptrack_defaults.mark_mask, 0444);
MODULE_PARM_DESC(mark_mask, "bits of the packet's mark that carry its state, at least three adjacent ones, as in 0x700 (0, none)");

module_param_cb(exempt_ports, &ports_ops, &udptrack_defaults.exempt_ports,
		0444);
MODULE_PARM_DESC(exempt_ports, "ports not to track, as in 4789,6081-6082 (none)");

module_param_cb(port_timeouts, &policies_ops, &udptrack_defaults.port_timeouts,
		0444);
MODULE_PARM_DESC(port_timeouts, "port:timeout[:timeout_stream],... in seconds, as in 53:5:5,51820:180:300 (none)");
