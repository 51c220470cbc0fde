/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings changed while they are in force: see config.c. */
#ifndef UDPTRACK_CONFIG_H
#define UDPTRACK_CONFIG_H

#include "settings.h"

struct net;
struct udptrack_net;

/* Beside enum udptrack_setting_id, in struct udptrack_config. */
#define UDPTRACK_CONFIG_MARK_MASK	UDPTRACK_SETTINGS
#define UDPTRACK_CONFIGS		(UDPTRACK_SETTINGS + 1)

/**
 * struct udptrack_config - settings to change together
 * @given: which, as bits
 * @value: what they are to be, each within its bounds
 */
struct udptrack_config {
	unsigned long given;
	unsigned int value[UDPTRACK_CONFIGS];
};

const unsigned int *udptrack_config_ceiling(const struct net *net);
void udptrack_config_lose_dns(struct udptrack_net *un);
unsigned int udptrack_config_get(struct udptrack_net *un, unsigned int id);
int udptrack_config_set(struct net *net, unsigned int id, unsigned int value);
int udptrack_config_apply(struct net *net, const struct udptrack_config *want);

#endif
