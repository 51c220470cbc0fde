/* SPDX-License-Identifier: GPL-2.0-only */
/* What modprobe knows of the module: see module.c. */
#ifndef UDPTRACK_CLI_MODULE_H
#define UDPTRACK_CLI_MODULE_H

#include <stdbool.h>

/**
 * struct module - the module udptrack
 * @is_loaded: whether it is
 * @is_live:   whether it is, and neither comes nor goes just now
 * @is_signed: whether what is installed bears a signature
 * @path:      where it is installed for this kernel, or empty
 * @rule:      of modprobe that keeps it out, or empty
 */
struct module {
	bool is_loaded, is_live, is_signed;
	char path[512];
	char rule[512];
};

void module_look(struct module *module);

#endif
