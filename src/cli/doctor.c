// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor - finds out why udptrack does not work here: a line a check, and one
 * that says what to do where something is wrong.
 *
 * Owns nothing, changes nothing, and loads nothing. What this user may not see
 * is "??", not a guess. The checks are in order: what fails first is why those
 * below it fail.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../version.h"
#include "commands.h"
#include "files.h"
#include "module.h"
#include "print.h"
#include "words.h"

#define UNBLOCK		"delete that line in /etc/modprobe.d, then: modprobe udptrack"
#define RELOAD		"make install, then: modprobe -r udptrack && modprobe udptrack"
#define SYSCTL		"/proc/sys/net/netfilter/udptrack_"
#define EFIVARS		"/sys/firmware/efi/efivars/"
#define SECURE_BOOT	EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MOK_LIST	EFIVARS "MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23"

enum result { FINE, WARN, FAIL, UNKNOWN };

/**
 * struct patient - what is known so far
 * @json:    how it is shown
 * @failed:  something is wrong
 * @uts:     names of the kernel
 * @module:  the module
 */
struct patient {
	bool json;
	bool failed;
	struct utsname uts;
	struct module module;
};

static void say(struct patient *patient, enum result result, const char *check,
		const char *fix, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void say(struct patient *patient, enum result result, const char *check,
		const char *fix, const char *format, ...)
{
	static const char *const names[] = { "OK", "WARN", "FAIL", "??" };
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (result == FAIL)
		patient->failed = true;
	if (patient->json) {
		json_show(json_pack("{s:s, s:s, s:o, s:s*}", "check", check,
				    "result", names[result], "text", json_text(text),
				    "fix", fix));
		return;
	}
	printf("%-4s  %-11s %s\n", names[result], check, text);
	if (fix)
		printf("%18sfix: %s\n", "", fix);
}

static void check_kernel(struct patient *patient)
{
	const char *release = patient->uts.release;
	unsigned long major, minor = 0;
	char *end;

	major = strtoul(release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	if (major < 6 || (major == 6 && minor < 1))
		say(patient, WARN, "kernel", "use Linux 6.1 or later",
		    "%s: older than any that udptrack was tested on", release);
	else
		say(patient, FINE, "kernel", NULL, "%s", release);
}

static void check_headers(struct patient *patient)
{
	char path[256], fix[256];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile",
		 patient->uts.release);
	snprintf(fix, sizeof(fix), "apt-get install linux-headers-%s",
		 patient->uts.release);
	if (!access(path, F_OK))
		say(patient, FINE, "headers", NULL, "there, so the module can be built here");
	else if (patient->module.is_loaded || *patient->module.path)
		say(patient, FINE, "headers", NULL,
		    "not there; needed only to build the module again");
	else
		say(patient, FAIL, "headers", fix,
		    "not there, so the module cannot be built here");
}

/* Whether the kernel insists on signatures, as far as it says so. */
static bool must_be_signed(void)
{
	char text[256];

	return (file_read("/sys/module/module/parameters/sig_enforce", text, sizeof(text)) > 0 &&
		*text == 'Y') ||
	       (file_read("/sys/kernel/security/lockdown", text, sizeof(text)) > 0 &&
		!strstr(text, "[none]"));
}

static void check_secure_boot(struct patient *patient)
{
	static const char fix[] =
		"sign-file sha256 MOK.priv MOK.der udptrack.ko; mokutil --import MOK.der; boot again; see https://wiki.debian.org/SecureBoot";
	bool enforced = must_be_signed();
	const struct module *module = &patient->module;
	const char *on = enforced ? "signatures are enforced" : "on";
	char state[8];
	ssize_t len;

	if (access("/sys/firmware/efi", F_OK) && !enforced) {
		say(patient, FINE, "secure boot", NULL,
		    "none: this machine was not booted by UEFI");
		return;
	}
	/* Four bytes of attributes, then whether it is on. */
	len = file_read(SECURE_BOOT, state, sizeof(state));
	if (!enforced && len < 0 && errno != ENOENT)
		say(patient, UNKNOWN, "secure boot", "run this as root",
		    "cannot be seen: %s", strerror(errno));
	else if (!enforced && (len < 5 || !state[4]))
		say(patient, FINE, "secure boot", NULL, "off");
	else if (module->is_loaded)
		say(patient, FINE, "secure boot", NULL, "%s, and the module was let in", on);
	else if (!*module->path)
		say(patient, WARN, "secure boot", fix,
		    "%s: the kernel only takes modules signed with a key it knows", on);
	else if (!module->is_signed)
		say(patient, FAIL, "secure boot", fix,
		    "%s, and %s is not signed, so the kernel refuses it", on, module->path);
	else if (access(MOK_LIST, F_OK))
		say(patient, WARN, "secure boot", fix,
		    "%s, and the module is signed, but no key was enrolled by mokutil", on);
	else
		say(patient, FINE, "secure boot", NULL,
		    "%s, the module is signed, and there are enrolled keys", on);
}

/* Is loading it forbidden, and where? */
static bool is_blocked(struct patient *patient)
{
	char text[4096];

	if (file_read("/proc/cmdline", text, sizeof(text)) > 0 &&
	    file_has_blacklist(text)) {
		say(patient, FAIL, "module", "boot without module_blacklist=udptrack",
		    "the kernel's command line forbids it");
		return true;
	}
	if (file_read("/proc/sys/kernel/modules_disabled", text, sizeof(text)) > 0 &&
	    *text == '1') {
		say(patient, FAIL, "module", "boot again: kernel.modules_disabled cannot be unset",
		    "no more modules can be loaded");
		return true;
	}
	if (!*patient->module.rule)
		return false;
	say(patient, FAIL, "module", UNBLOCK, "blocked: modprobe is told '%s'",
	    patient->module.rule);
	return true;
}

static void check_module(struct patient *patient)
{
	char version[64];

	if (!patient->module.is_loaded) {
		if (is_blocked(patient))
			return;
		if (*patient->module.path)
			say(patient, FAIL, "module", "modprobe udptrack",
			    "installed, but not loaded");
		else
			say(patient, FAIL, "module",
			    "in the source: make && make install, then: modprobe udptrack",
			    "not loaded, and not installed for this kernel");
		return;
	}
	if (!patient->module.is_live)
		say(patient, WARN, "module", "wait, and look again",
		    "is just coming or going");
	else if (file_read("/sys/module/udptrack/version", version, sizeof(version)) <= 0)
		say(patient, UNKNOWN, "module", NULL, "loaded; its version cannot be seen");
	else if (strcmp(version, UDPTRACK_VERSION))
		say(patient, WARN, "module", RELOAD,
		    "version %s is loaded, and this command is %s", version, UDPTRACK_VERSION);
	else
		say(patient, FINE, "module", NULL, "version %s is loaded", version);
}

static void check_netlink(struct patient *patient, struct nl *nl)
{
	/* Asking for a family that is not there could load it. */
	if (!patient->module.is_loaded)
		say(patient, UNKNOWN, "netlink", NULL, "not asked, for the module is not loaded");
	else if (nl_open(nl))
		say(patient, FAIL, "netlink", RELOAD,
		    "%s", nl->error);
	else if (!nl->group)
		say(patient, WARN, "netlink", RELOAD,
		    "the family is there, but it tells nobody of events");
	else
		say(patient, FINE, "netlink", NULL, "the family is there");
}

static bool setting(const char *name, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), SYSCTL "%s", name);
	return file_read(path, text, size) >= 0;
}

static void check_events(struct patient *patient)
{
	char text[32];

	if (setting("events", text, sizeof(text)) && *text == '0')
		say(patient, WARN, "events", "sysctl -w net.netfilter.udptrack_events=1",
		    "switched off, so 'udptrack -E' shows nothing");
}

static void check_hooks(struct patient *patient)
{
	char text[64], rules[32], mask[32];

	if (!patient->module.is_loaded) {
		say(patient, UNKNOWN, "hooks", NULL, "none, for the module is not loaded");
		return;
	}
	if (!setting("timeout", text, sizeof(text))) {
		say(patient, FAIL, "hooks", "dmesg | grep udptrack says why",
		    "this network namespace is not tracked");
		return;
	}
	if (file_read("/sys/module/xt_udptrack/refcnt", rules, sizeof(rules)) <= 0)
		strcpy(rules, "0");
	if (!setting("mark_mask", mask, sizeof(mask)))
		strcpy(mask, "0");
	say(patient, FINE, "hooks", NULL,
	    "this network namespace is tracked; iptables rules with -m udptrack: %s; mark_mask: %s",
	    rules, mask);
	if (setting("acct", text, sizeof(text)) && *text == '0')
		say(patient, WARN, "counters", "sysctl -w net.netfilter.udptrack_acct=1",
		    "switched off, so flows show no packets and bytes");
	check_events(patient);
}

/* Ports that are not tracked at all, among them such as DNS needs. */
static void check_exempt(struct patient *patient)
{
	char exempt[4096], dns[4096], mode[32];

	if (!setting("exempt_ports", exempt, sizeof(exempt)))
		return;
	if (!*exempt)
		say(patient, FINE, "exempt", NULL, "no port is exempt");
	else if (setting("dns", mode, sizeof(mode)) && *mode != '0' &&
		 setting("dns_ports", dns, sizeof(dns)) &&
		 file_ports_meet(exempt, dns))
		say(patient, WARN, "exempt", "take them out of net.netfilter.udptrack_exempt_ports",
		    "ports %s are exempt, some of dns_ports among them: their answers are not checked",
		    exempt);
	else
		say(patient, FINE, "exempt", NULL,
		    "ports %s are not tracked, as you wished", exempt);
}

static void check_conntrack(struct patient *patient)
{
	bool theirs = !access("/sys/module/nf_conntrack_netlink", F_OK);
	bool shim = !access("/sys/module/udptrack_ctnl", F_OK);

	if (access("/sys/module/nf_conntrack", F_OK))
		say(patient, FINE, "conntrack", NULL, "not loaded; udptrack does not need it");
	else
		say(patient, FINE, "conntrack", NULL, "loaded; both track, and neither minds");
	if (shim)
		say(patient, FINE, "ctnl", NULL,
		    "loaded: conntrack(8) shows these flows, and nf_conntrack_netlink cannot be loaded");
	else if (theirs)
		say(patient, FINE, "ctnl", NULL,
		    "not loaded, and it cannot be while nf_conntrack_netlink is");
}

static void check_table(struct patient *patient)
{
	unsigned long count, max;
	char text[32], fix[128];

	if (!patient->module.is_loaded)
		return;
	if (!setting("count", text, sizeof(text)) ||
	    !words_number(text, -1UL, &count) ||
	    !setting("max", text, sizeof(text)) ||
	    !words_number(text, -1UL, &max)) {
		say(patient, UNKNOWN, "table", NULL, "cannot be seen");
		return;
	}
	snprintf(fix, sizeof(fix),
		 "sysctl -w net.netfilter.udptrack_max=%lu, or exempt_ports= for tunnels",
		 2 * max);
	if (count >= max - max / 5)
		say(patient, WARN, "table", fix,
		    "%lu of %lu flows: nearly full; unanswered flows make room, no packet is dropped",
		    count, max);
	else
		say(patient, FINE, "table", NULL, "%lu of %lu flows", count, max);
}

static void check_permission(struct patient *patient, struct nl *nl)
{
	char buf[NL_REQUEST_SIZE];
	struct flow_tuple tuple = { 0 };
	struct nlmsghdr *nlh;
	int err;

	if (!nl->family)
		return;
	/* Nobody has such a flow; who may ask for it may list them all. */
	nlh = nl_begin(nl, buf, UDPTRACK_CMD_GET, 0);
	flow_put_tuple(nlh, UDPTRACK_A_FLOW_TUPLE_ORIG, AF_INET, &tuple);
	err = nl_talk(nl, nlh, NULL, NULL);
	if (err == -EPERM)
		say(patient, UNKNOWN, "permission", "run it as root",
		    "you may see totals, but no flows: that takes CAP_NET_ADMIN");
	else if (err && err != -ENOENT)
		say(patient, UNKNOWN, "permission", NULL, "%s", nl->error);
	else
		say(patient, FINE, "permission", NULL, "you may see and delete flows");
}

/**
 * doctor_show - check all that udptrack needs
 * @options: how it is shown
 *
 * Return: STATUS_OK, or STATUS_FAILED when something is wrong.
 */
int doctor_show(const struct options *options)
{
	struct patient patient = { .json = options->print & PRINT_JSON };
	struct nl nl = { 0 };

	uname(&patient.uts);
	module_look(&patient.module);
	check_kernel(&patient);
	check_headers(&patient);
	check_secure_boot(&patient);
	check_module(&patient);
	check_netlink(&patient, &nl);
	check_hooks(&patient);
	check_exempt(&patient);
	check_conntrack(&patient);
	check_table(&patient);
	check_permission(&patient, &nl);
	nl_close(&nl);
	return patient.failed ? STATUS_FAILED : STATUS_OK;
}
