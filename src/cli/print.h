/* SPDX-License-Identifier: GPL-2.0-only */
/* How flows and counters are shown: see text.c and json.c. */
#ifndef UDPTRACK_CLI_PRINT_H
#define UDPTRACK_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "flow.h"

/* What -o asks for. */
enum print_option {
	PRINT_EXTENDED = 1, PRINT_TIMESTAMP = 2, PRINT_ID = 4, PRINT_JSON = 8,
};

/* What a line tells: a flow, or an event of UDPTRACK_CMD_*_EVENT. */
#define PRINT_FLOW	0

/* Names of the bits of enum udptrack_flow_status and enum udptrack_change. */
extern const char *const text_statuses[];
extern const char *const text_changes[];

void text_flow(const struct flow *flow, uint8_t event, unsigned int options,
	       const struct timespec *now);
void text_lost(unsigned long long lost, unsigned int options, const struct timespec *now);
const char *text_state(uint32_t state);
const char *text_reason(uint32_t reason);
const char *text_alert(uint32_t alert);

void json_flow(const struct flow *flow, uint8_t event, const struct timespec *now);
void json_lost(unsigned long long lost, const struct timespec *now);
void json_show(json_t *object);
json_t *json_text(const char *text);

#endif
