// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysctl - net.netfilter.udptrack_*, one set a network namespace.
 *
 * Owns the table of each namespace's sysctls. The numbers themselves are in
 * struct udptrack_settings, their bounds in settings.c. The kernel's handlers
 * read and write them; what is added here is a line in the log that says why a
 * value was not taken. A value that is refused leaves the old one whole.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "config.h"
#include "mark.h"
#include "netns.h"
#include "sysctl.h"

/* Writers of lists take turns; packets read them meanwhile. */
static DEFINE_MUTEX(ports_mutex);

static int sysctl_number(const_ctl_table *table, int write, void *buffer,
			 size_t *lenp, loff_t *ppos)
{
	const struct udptrack_setting *setting =
		container_of((const unsigned int *)table->extra1,
			     struct udptrack_setting, min);
	enum udptrack_setting_id id = setting - udptrack_setting_list;
	struct net *net = table->data;
	unsigned int value = udptrack_config_get(udptrack_net(net), id);
	struct ctl_table copy = *table;
	size_t len = *lenp;
	int err;

	copy.data = &value;
	err = proc_douintvec_minmax(&copy, write, buffer, lenp, ppos);
	if (!write)
		return err;
	if (!err)
		return udptrack_config_set(net, id, value);
	udptrack_setting_refuse("sysctl", table->procname, buffer, len,
				setting->min, *(unsigned int *)table->extra2);
	return err;
}

static int read_mask(const_ctl_table *table, unsigned int mask, void *buffer,
		     size_t *lenp, loff_t *ppos)
{
	struct ctl_table copy = *table;
	char text[sizeof("0xffffffff")];

	snprintf(text, sizeof(text), mask ? "%#x" : "%u", mask);
	copy.data = text;
	copy.maxlen = sizeof(text);
	return proc_dostring(&copy, false, buffer, lenp, ppos);
}

static int sysctl_mark_mask(const_ctl_table *table, int write, void *buffer,
			    size_t *lenp, loff_t *ppos)
{
	struct net *net = table->data;
	struct ctl_table copy = *table;
	size_t len = *lenp;
	unsigned int mask;
	int err;

	mask = READ_ONCE(udptrack_net(net)->settings.mark_mask);
	if (!write)
		return read_mask(table, mask, buffer, lenp, ppos);

	copy.data = &mask;
	err = proc_douintvec(&copy, write, buffer, lenp, ppos);
	if (!err && !udptrack_mark_mask_valid(mask))
		err = -EINVAL;
	if (!err)
		return udptrack_config_set(net, UDPTRACK_CONFIG_MARK_MASK, mask);
	udptrack_mask_refuse("sysctl", table->procname, buffer, len);
	return err;
}

static int sysctl_ports(const_ctl_table *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	struct udptrack_ports *ports = table->data;
	struct udptrack_net *un = table->extra1;
	size_t len = *lenp;
	int err = 0;

	/* The kernel's handler shows nothing at all where there is no bitmap. */
	if (!write && !READ_ONCE(ports->bits)) {
		*lenp = min_t(size_t, len, *ppos ? 0 : 1);
		memset(buffer, '\n', *lenp);
		*ppos += *lenp;
		return 0;
	}

	mutex_lock(&ports_mutex);
	if (write)
		err = udptrack_settings_own_ports(&un->settings, ports);
	/*
	 * A longer list would be taken in pieces, and an error in the second
	 * would come too late for the first.
	 */
	if (!err && write && (*ppos || len >= PAGE_SIZE))
		err = -EINVAL;
	if (!err)
		err = proc_do_large_bitmap(table, write, buffer, lenp, ppos);
	if (!err && write)
		udptrack_settings_note_ports(&un->settings);
	mutex_unlock(&ports_mutex);

	if (write && err == -EINVAL)
		udptrack_ports_refuse("sysctl", table->procname, buffer, len);
	if (write && !err)
		udptrack_config_lose_dns(un);
	return err;
}

static int read_policies(const_ctl_table *table, void *buffer, size_t *lenp,
			 loff_t *ppos)
{
	struct ctl_table copy = *table;
	char *text = kvmalloc(UDPTRACK_POLICIES_TEXT, GFP_KERNEL);
	int err;

	if (!text)
		return -ENOMEM;
	udptrack_policies_show(table->data, text, UDPTRACK_POLICIES_TEXT);
	copy.data = text;
	copy.maxlen = UDPTRACK_POLICIES_TEXT;
	err = proc_dostring(&copy, false, buffer, lenp, ppos);
	kvfree(text);
	return err;
}

static int sysctl_policies(const_ctl_table *table, int write, void *buffer,
			   size_t *lenp, loff_t *ppos)
{
	struct udptrack_net *un = table->extra1;
	int err;

	if (!write)
		return read_policies(table, buffer, lenp, ppos);
	/* All of it, or nothing. */
	if (*ppos || *lenp >= PAGE_SIZE) {
		err = -E2BIG;
	} else {
		mutex_lock(&ports_mutex);
		err = udptrack_policies_parse(table->data, buffer);
		if (!err)
			udptrack_settings_note_ports(&un->settings);
		mutex_unlock(&ports_mutex);
	}
	if (err == -ENOMEM)
		return err;
	if (err) {
		udptrack_policies_refuse("sysctl", table->procname, buffer,
					 *lenp, err);
		return -EINVAL;
	}
	*ppos += *lenp;
	return 0;
}

static int sysctl_count(const_ctl_table *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	struct udptrack_table *flows = table->data;
	unsigned int count = udptrack_table_count(flows);
	struct ctl_table copy = *table;

	copy.data = &count;
	return proc_douintvec(&copy, write, buffer, lenp, ppos);
}

static int sysctl_buckets(const_ctl_table *table, int write, void *buffer,
			  size_t *lenp, loff_t *ppos)
{
	struct udptrack_table *flows = table->data;
	unsigned int buckets = udptrack_table_buckets(flows);
	struct ctl_table copy = *table;

	copy.data = &buckets;
	return proc_douintvec(&copy, write, buffer, lenp, ppos);
}

/* The numbers come first and in the order of enum udptrack_setting_id. */
enum {
	SYSCTL_MARK_MASK = UDPTRACK_SETTINGS,
	SYSCTL_EXEMPT_PORTS,
	SYSCTL_DNS_PORTS,
	SYSCTL_PORT_TIMEOUTS,
	SYSCTL_COUNT,
	SYSCTL_BUCKETS,
	SYSCTLS,
};

static void fill_number(struct ctl_table *entry, struct net *net,
			enum udptrack_setting_id id)
{
	const struct udptrack_setting *setting = &udptrack_setting_list[id];

	entry->procname = setting->sysctl;
	entry->data = net;
	entry->maxlen = sizeof(unsigned int);
	entry->mode = 0644;
	entry->proc_handler = sysctl_number;
	entry->extra1 = (void *)&setting->min;
	entry->extra2 = (void *)&setting->max;
	if (id == UDPTRACK_SET_MAX)
		entry->extra2 = (void *)udptrack_config_ceiling(net);
}

static void fill(struct ctl_table *entries, struct net *net,
		 struct udptrack_net *un)
{
	struct ctl_table *entry;
	unsigned int id;

	for (id = 0; id < UDPTRACK_SETTINGS; id++)
		fill_number(&entries[id], net, id);

	entry = &entries[SYSCTL_MARK_MASK];
	entry->procname = "udptrack_mark_mask";
	entry->data = net;
	entry->maxlen = sizeof(unsigned int);
	entry->mode = 0644;
	entry->proc_handler = sysctl_mark_mask;

	entry = &entries[SYSCTL_EXEMPT_PORTS];
	entry->procname = "udptrack_exempt_ports";
	entry->data = &un->settings.exempt_ports;
	entry->extra1 = un;
	entry->maxlen = UDPTRACK_PORTS;
	entry->mode = 0644;
	entry->proc_handler = sysctl_ports;

	entry = &entries[SYSCTL_DNS_PORTS];
	entry->procname = "udptrack_dns_ports";
	entry->data = &un->settings.dns_ports;
	entry->extra1 = un;
	entry->maxlen = UDPTRACK_PORTS;
	entry->mode = 0644;
	entry->proc_handler = sysctl_ports;

	entry = &entries[SYSCTL_PORT_TIMEOUTS];
	entry->procname = "udptrack_port_timeouts";
	entry->data = &un->settings.port_timeouts;
	entry->extra1 = un;
	entry->maxlen = UDPTRACK_POLICIES_TEXT;
	entry->mode = 0644;
	entry->proc_handler = sysctl_policies;

	entry = &entries[SYSCTL_COUNT];
	entry->procname = "udptrack_count";
	entry->data = &un->table;
	entry->maxlen = sizeof(unsigned int);
	entry->mode = 0444;
	entry->proc_handler = sysctl_count;

	entry = &entries[SYSCTL_BUCKETS];
	entry->procname = "udptrack_buckets";
	entry->data = &un->table;
	entry->maxlen = sizeof(unsigned int);
	entry->mode = 0444;
	entry->proc_handler = sysctl_buckets;
}

/**
 * udptrack_sysctl_register - show a namespace its sysctls
 * @net: the namespace
 * @un:  udptrack's part of it, settings and table ready
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int udptrack_sysctl_register(struct net *net, struct udptrack_net *un)
{
	struct ctl_table *entries;

	/* proc_do_large_bitmap() wants a pointer to the bitmap's pointer. */
	BUILD_BUG_ON(offsetof(struct udptrack_ports, bits));

	/* One to spare: before 6.6, an empty entry ends the table. */
	entries = kcalloc(SYSCTLS + 1, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	fill(entries, net, un);

	un->sysctls = register_net_sysctl_sz(net, "net/netfilter", entries,
					     SYSCTLS);
	if (un->sysctls)
		return 0;
	kfree(entries);
	return -ENOMEM;
}

/**
 * udptrack_sysctl_unregister - undo udptrack_sysctl_register()
 * @un: udptrack's part of the namespace
 *
 * Context: process; waits for those who are reading or writing.
 */
void udptrack_sysctl_unregister(struct udptrack_net *un)
{
	const struct ctl_table *entries = un->sysctls->ctl_table_arg;

	unregister_net_sysctl_table(un->sysctls);
	kfree(entries);
}
