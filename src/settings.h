/* SPDX-License-Identifier: GPL-2.0-only */
/* What a user may set, and within which bounds: see settings.c. */
#ifndef UDPTRACK_SETTINGS_H
#define UDPTRACK_SETTINGS_H

#include <linux/types.h>

#include "policy.h"
#include "ports.h"
#include "state.h"

/* No table larger than this, whatever is asked for. */
#define UDPTRACK_MAX_LIMIT	134217728

/**
 * struct udptrack_settings - the settings of a network namespace
 * @special_ports:    a hint at the ports of the three lists below; see
 *                    udptrack_settings_note_ports()
 * @timeout:          seconds a flow lives while unreplied or young
 * @timeout_stream:   seconds it lives once two-way for longer than 2 s
 * @max:              flows the table may hold
 * @acct:             count packets and bytes of new flows
 * @checksum:         verify UDP checksums of inbound packets
 * @loopback:         track traffic on loopback interfaces
 * @log_invalid:      log INVALID packets
 * @require_listener: unsolicited inbound packets to closed ports make no flow
 * @dns:              enum udptrack_dns_mode
 * @dns_linger:       seconds a flow lives on once no DNS question is open
 * @bind_guard:       no bind() to the port of a live flow without its socket
 * @events:           tell of what happens to flows, when somebody listens
 * @mark_mask:        bits of skb->mark that carry the state, 0 for none
 * @borrows_dns_ports: the bitmap of @dns_ports is that of the defaults
 * @borrows_exempt_ports: likewise
 * @dns_ports:        ports where DNS servers listen
 * @exempt_ports:     ports that are not tracked at all
 * @port_timeouts:    ports with timeouts of their own
 *
 * Written by config.c with single stores, read by the packet path with
 * READ_ONCE(). What is read for every packet comes first: the hint is a cache
 * line, the numbers are another.
 */
struct udptrack_settings {
	unsigned long special_ports[UDPTRACK_PORTS_HINT_LONGS];
	unsigned int timeout;
	unsigned int timeout_stream;
	unsigned int max;
	unsigned int acct;
	unsigned int checksum;
	unsigned int loopback;
	unsigned int log_invalid;
	unsigned int require_listener;
	unsigned int dns;
	unsigned int dns_linger;
	unsigned int bind_guard;
	unsigned int events;
	unsigned int mark_mask;
	bool borrows_dns_ports;
	bool borrows_exempt_ports;
	struct udptrack_ports dns_ports;
	struct udptrack_ports exempt_ports;
	struct udptrack_policies port_timeouts;
};

/**
 * struct udptrack_setting - one number a user may set
 * @name:   of the module parameter
 * @sysctl: name of the sysctl
 * @offset: of the value in struct udptrack_settings
 * @min:    lowest value allowed
 * @max:    highest value allowed
 */
struct udptrack_setting {
	const char *name;
	const char *sysctl;
	size_t offset;
	unsigned int min;
	unsigned int max;
};

enum udptrack_setting_id {
	UDPTRACK_SET_TIMEOUT,
	UDPTRACK_SET_TIMEOUT_STREAM,
	UDPTRACK_SET_MAX,
	UDPTRACK_SET_ACCT,
	UDPTRACK_SET_CHECKSUM,
	UDPTRACK_SET_LOOPBACK,
	UDPTRACK_SET_LOG_INVALID,
	UDPTRACK_SET_REQUIRE_LISTENER,
	UDPTRACK_SET_DNS,
	UDPTRACK_SET_DNS_LINGER,
	UDPTRACK_SET_BIND_GUARD,
	UDPTRACK_SET_EVENTS,
	UDPTRACK_SETTINGS,
};

extern const struct udptrack_setting udptrack_setting_list[UDPTRACK_SETTINGS];

/* The module parameters: what a new network namespace starts with. */
extern struct udptrack_settings udptrack_defaults;

/**
 * udptrack_setting_value - where the value of a setting is
 * @settings: the settings of a namespace, or the defaults
 * @id:       which one
 *
 * Context: any.
 * Return: a pointer to the value inside @settings.
 */
static inline unsigned int *
udptrack_setting_value(struct udptrack_settings *settings,
		       enum udptrack_setting_id id)
{
	return (void *)settings + udptrack_setting_list[id].offset;
}

/**
 * udptrack_settings_are_special - may one of these ports be in a list?
 * @settings: settings of a network namespace
 * @sport:    source port of a packet
 * @dport:    its destination port
 *
 * Context: any.
 * Return: false when no list mentions either port, so that all of them are as
 * good as empty.
 */
static inline bool
udptrack_settings_are_special(const struct udptrack_settings *settings,
			      __be16 sport, __be16 dport)
{
	return udptrack_ports_hinted(settings->special_ports, sport) ||
	       udptrack_ports_hinted(settings->special_ports, dport);
}

/**
 * udptrack_settings_general - the timeouts of ports that are not special
 * @settings: settings of a network namespace
 * @to:       filled in, in jiffies
 *
 * Context: any.
 */
static inline void
udptrack_settings_general(const struct udptrack_settings *settings,
			  struct udptrack_timeouts *to)
{
	to->unreplied_j = READ_ONCE(settings->timeout) * HZ;
	to->stream_j = READ_ONCE(settings->timeout_stream) * HZ;
}

int udptrack_settings_module_init(void);
void udptrack_settings_init(struct udptrack_settings *settings);
int udptrack_settings_own_ports(struct udptrack_settings *settings,
				struct udptrack_ports *ports);
void udptrack_settings_note_ports(struct udptrack_settings *settings);
void udptrack_settings_free(struct udptrack_settings *settings);
void udptrack_settings_timeouts(const struct udptrack_settings *settings,
				const struct udptrack_tuple *tuple,
				struct udptrack_timeouts *to);
void udptrack_setting_refuse(const char *kind, const char *name,
			     const char *text, size_t len, unsigned int min,
			     unsigned int max);
void udptrack_mask_refuse(const char *kind, const char *name, const char *text,
			  size_t len);
void udptrack_policies_refuse(const char *kind, const char *name,
			      const char *text, size_t len, int err);
void udptrack_ports_refuse(const char *kind, const char *name,
			   const char *text, size_t len);

#endif
