// SPDX-License-Identifier: GPL-2.0-only
/*
 * module - what modprobe knows of the module udptrack: whether it is loaded,
 * where it is, and whether a rule keeps it out.
 *
 * Owns nothing; loads nothing. kmod's programs are asked, not its library, with
 * which every command would load a library of cryptography at its start.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "module.h"

/* The first line that a command prints; false when there is none. */
static bool ask(const char *command, char *text, size_t size)
{
	char line[256];
	bool answered;
	FILE *out;

	/* The superuser's directories may not be in a user's PATH. */
	snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin; exec 2>/dev/null; %s",
		 command);
	*text = 0;
	out = popen(line, "re");
	if (!out)
		return false;
	answered = fgets(text, size, out);
	pclose(out);
	text[strcspn(text, "\n")] = 0;
	return answered;
}

/**
 * module_look - find out what is known of the module
 * @module: becomes it; all zero where nothing is
 */
void module_look(struct module *module)
{
	char text[256];

	memset(module, 0, sizeof(*module));
	module->is_loaded = !access("/sys/module/udptrack", F_OK);
	module->is_live = file_read("/sys/module/udptrack/initstate", text, sizeof(text)) > 0 &&
			  !strcmp(text, "live");
	ask("modinfo -n udptrack", module->path, sizeof(module->path));
	module->is_signed = ask("modinfo -F sig_id udptrack", text, sizeof(text));
	ask("modprobe --showconfig | grep -E '^(install|blacklist) udptrack( |$)'",
	    module->rule, sizeof(module->rule));
}
