// SPDX-License-Identifier: GPL-2.0-only
/*
 * settings_kunit - what a user may set, through the real module parameters.
 *
 * The parameters are found where sysfs has them, and written with their own
 * operations as insmod does; each case puts back what was there. The rule: a
 * number within its bounds is taken, anything else is -EINVAL and changes
 * nothing. And, through the real sysctls: the packet path is never told that no
 * list mentions a port which one does.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <kunit/resource.h>
#include <kunit/test.h>

#include "../../src/mark.h"
#include "../../src/netns.h"
#include "../../src/settings.h"

/* The names and bounds that documents promise. */
static const struct promise {
	const char *name;
	enum udptrack_setting_id id;
	unsigned int min;
	unsigned int max;
} promises[] = {
	{ "timeout", UDPTRACK_SET_TIMEOUT, 1, 86400 },
	{ "timeout_stream", UDPTRACK_SET_TIMEOUT_STREAM, 1, 86400 },
	{ "max", UDPTRACK_SET_MAX, 1, 1U << 27 },
	{ "acct", UDPTRACK_SET_ACCT, 0, 1 },
	{ "checksum", UDPTRACK_SET_CHECKSUM, 0, 1 },
	{ "loopback", UDPTRACK_SET_LOOPBACK, 0, 1 },
	{ "log_invalid", UDPTRACK_SET_LOG_INVALID, 0, 1 },
	{ "require_listener", UDPTRACK_SET_REQUIRE_LISTENER, 0, 1 },
	{ "dns", UDPTRACK_SET_DNS, 0, 2 },
	{ "dns_linger", UDPTRACK_SET_DNS_LINGER, 1, 86400 },
	{ "bind_guard", UDPTRACK_SET_BIND_GUARD, 0, 1 },
	{ "events", UDPTRACK_SET_EVENTS, 0, 1 },
};

KUNIT_ARRAY_PARAM_DESC(promise, promises, name);

/* A module parameter under test. */
struct param {
	struct kobject *kobj;		/* holds the module's entry in sysfs */
	struct module *mod;
	const struct kernel_param *kp;
	char *page;			/* for its text */
	char old[64];			/* what was there before the case */
};

static int param_set(struct param *p, const char *text)
{
	int err;

	kernel_param_lock(p->mod);
	err = p->kp->ops->set(text, p->kp);
	kernel_param_unlock(p->mod);
	return err;
}

static const char *param_get(struct kunit *test, struct param *p)
{
	int len;

	kernel_param_lock(p->mod);
	len = p->kp->ops->get(p->page, p->kp);
	kernel_param_unlock(p->mod);
	KUNIT_ASSERT_GE(test, len, 1);
	/* Without the newline that every value ends in. */
	KUNIT_ASSERT_EQ(test, p->page[len - 1], '\n');
	p->page[len - 1] = '\0';
	return p->page;
}

static void param_restore(void *data)
{
	struct param *p = data;

	param_set(p, p->old);
}

static void page_free(void *page)
{
	free_page((unsigned long)page);
}

static void param_put(void *data)
{
	struct param *p = data;

	kobject_put(p->kobj);
}

static const struct kernel_param *find(const struct module *mod,
				       const char *name)
{
	unsigned int i;

	for (i = 0; i < mod->num_kp; i++)
		if (!strcmp(mod->kp[i].name, name))
			return &mod->kp[i];
	return NULL;
}

/* The parameter @name of udptrack, put back to its value after the case. */
static struct param *param_open(struct kunit *test, const char *name)
{
	struct param *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "udptrack");
	KUNIT_ASSERT_NOT_NULL(test, p->kobj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, param_put,
							   p));
	p->mod = container_of(p->kobj, struct module_kobject, kobj)->mod;
	KUNIT_ASSERT_NOT_NULL(test, p->mod);
	p->kp = find(p->mod, name);
	KUNIT_ASSERT_NOT_NULL_MSG(test, p->kp, "no parameter %s", name);

	p->page = (char *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, page_free,
							   p->page));
	KUNIT_ASSERT_GT(test, strscpy(p->old, param_get(test, p),
				      sizeof(p->old)), -1);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, param_restore,
							   p));
	return p;
}

static void expect_taken(struct kunit *test, struct param *p, const char *text,
			 const char *shown)
{
	KUNIT_EXPECT_EQ_MSG(test, 0, param_set(p, text), "'%s'", text);
	KUNIT_EXPECT_STREQ(test, shown, param_get(test, p));
}

static void expect_refused(struct kunit *test, struct param *p,
			   const char *text)
{
	char before[64];

	strscpy(before, param_get(test, p), sizeof(before));
	KUNIT_EXPECT_EQ_MSG(test, -EINVAL, param_set(p, text), "'%s'", text);
	KUNIT_EXPECT_STREQ_MSG(test, before, param_get(test, p),
			       "after '%s'", text);
}

/* The list says what is documented, and nothing beyond. */
static void settings_promised(struct kunit *test)
{
	const struct promise *c = test->param_value;
	const struct udptrack_setting *s = &udptrack_setting_list[c->id];
	char sysctl[64];

	KUNIT_ASSERT_STREQ(test, s->name, c->name);
	snprintf(sysctl, sizeof(sysctl), "udptrack_%s", c->name);
	KUNIT_EXPECT_STREQ(test, s->sysctl, sysctl);
	KUNIT_EXPECT_EQ(test, s->min, c->min);
	KUNIT_EXPECT_EQ(test, s->max, c->max);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(promises), UDPTRACK_SETTINGS);
}

/* Each has a place of its own in the settings. */
static void settings_offsets(struct kunit *test)
{
	struct udptrack_settings *s = kunit_kzalloc(test, sizeof(*s),
						    GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < UDPTRACK_SETTINGS; i++)
		*udptrack_setting_value(s, i) = 1000 + i;
	KUNIT_EXPECT_EQ(test, s->timeout, 1000);
	KUNIT_EXPECT_EQ(test, s->timeout_stream, 1001);
	KUNIT_EXPECT_EQ(test, s->max, 1002);
	KUNIT_EXPECT_EQ(test, s->acct, 1003);
	KUNIT_EXPECT_EQ(test, s->checksum, 1004);
	KUNIT_EXPECT_EQ(test, s->loopback, 1005);
	KUNIT_EXPECT_EQ(test, s->log_invalid, 1006);
	KUNIT_EXPECT_EQ(test, s->require_listener, 1007);
	KUNIT_EXPECT_EQ(test, s->mark_mask, 0);
	KUNIT_EXPECT_NULL(test, s->exempt_ports.bits);
}

/* What is set when nobody sets anything is allowed. */
static void settings_current_allowed(struct kunit *test)
{
	const struct promise *c = test->param_value;
	struct param *p = param_open(test, c->name);
	unsigned int value;

	KUNIT_ASSERT_EQ(test, 0, kstrtouint(p->old, 10, &value));
	KUNIT_EXPECT_GE(test, value, c->min);
	KUNIT_EXPECT_LE(test, value, c->max);
	expect_taken(test, p, p->old, p->old);
}

/* The bounds are taken, with a newline too, and one beyond is not. */
static void settings_bounds(struct kunit *test)
{
	const struct promise *c = test->param_value;
	struct param *p = param_open(test, c->name);
	char text[24], shown[24];

	snprintf(shown, sizeof(shown), "%u", c->min);
	expect_taken(test, p, shown, shown);
	snprintf(text, sizeof(text), "%u", c->max + 1);
	expect_refused(test, p, text);

	snprintf(shown, sizeof(shown), "%u", c->max);
	snprintf(text, sizeof(text), "%u\n", c->max);
	expect_taken(test, p, text, shown);
	snprintf(text, sizeof(text), "%lld", (long long)c->min - 1);
	expect_refused(test, p, text);
}

/* No number, or none that fits. */
static void settings_garbage(struct kunit *test)
{
	static const char *const texts[] = {
		"", "\n", " ", "x", "on", "Y", "-1", "-0", "1x", "1 ", " 1",
		"1 1", "1,1", "1.0", "1e0", "0x", "0xg", "++1", "1-", "\"1\"",
		"4294967295", "4294967296", "4294967297", "-4294967295",
		"9223372036854775807", "18446744073709551615",
		"18446744073709551617", "99999999999999999999999999999999",
	};
	const struct promise *c = test->param_value;
	struct param *p = param_open(test, c->name);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		expect_refused(test, p, texts[i]);
}

/* Setting one sets no other. */
static void settings_separate(struct kunit *test)
{
	struct param *timeout = param_open(test, "timeout");
	struct param *stream = param_open(test, "timeout_stream");
	struct param *max = param_open(test, "max");

	expect_taken(test, timeout, "17", "17");
	expect_taken(test, stream, "170", "170");
	expect_taken(test, max, "1700", "1700");
	KUNIT_EXPECT_STREQ(test, param_get(test, timeout), "17");
	KUNIT_EXPECT_STREQ(test, param_get(test, stream), "170");
	KUNIT_EXPECT_STREQ(test, param_get(test, max), "1700");
}

/* The list of ports is shown as it was meant. */
static void settings_exempt_ports(struct kunit *test)
{
	struct param *p = param_open(test, "exempt_ports");

	expect_taken(test, p, "53,5000-5100", "53,5000-5100");
	expect_taken(test, p, "5353,5000-5001,5002\n", "5000-5002,5353");
	expect_taken(test, p, "0-65535", "0-65535");
	expect_taken(test, p, "", "");
	expect_taken(test, p, "53", "53");
	expect_taken(test, p, "\n", "");
}

/* For whatever reason a list is refused, the user is told the same. */
static void settings_exempt_ports_refused(struct kunit *test)
{
	static const char *const texts[] = {
		"x", "65536", "53-", "54-53", "4294967296", "all", "N",
		"1-10:2/5", "99999999999999999999999999999999",
	};
	struct param *p = param_open(test, "exempt_ports");
	unsigned int i;

	expect_taken(test, p, "53,4789", "53,4789");
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		expect_refused(test, p, texts[i]);
}

/* Bits of a mark that can tell five states from none: three in a row. */
static const struct mask {
	unsigned int mask;
	bool valid;
} masks[] = {
	{ 0, true },
	{ 0x7, true }, { 0xe, true }, { 0x700, true }, { 0xf, true },
	{ 0xff, true }, { 0xe0000000, true }, { 0x70000000, true },
	{ 0xfffffff8, true }, { 0x7fffffff, true }, { 0xffffffff, true },
	{ 0x1, false }, { 0x2, false }, { 0x3, false }, { 0x6, false },
	{ 0x30, false }, { 0x80000000, false }, { 0xc0000000, false },
	{ 0x5, false }, { 0xb, false }, { 0xd, false }, { 0x107, false },
	{ 0x701, false }, { 0xf0f, false }, { 0x80000007, false },
	{ 0xe0000001, false }, { 0xfffffffd, false }, { 0xbfffffff, false },
};

static void mask_desc(const struct mask *m, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%#x", m->mask);
}

KUNIT_ARRAY_PARAM(mask, masks, mask_desc);

static void settings_mark_mask_valid(struct kunit *test)
{
	const struct mask *m = test->param_value;

	KUNIT_EXPECT_EQ(test, m->valid, udptrack_mark_mask_valid(m->mask));
}

/* Taken in any notation, shown in hexadecimal. */
static void settings_mark_mask(struct kunit *test)
{
	struct param *p = param_open(test, "mark_mask");

	expect_taken(test, p, "0x7", "0x7");
	expect_taken(test, p, "0x700\n", "0x700");
	expect_taken(test, p, "1792", "0x700");
	expect_taken(test, p, "03400", "0x700");
	expect_taken(test, p, "0xe0000000", "0xe0000000");
	expect_taken(test, p, "0xffffffff", "0xffffffff");
	expect_taken(test, p, "4294967295", "0xffffffff");
	expect_taken(test, p, "0", "0");
	expect_taken(test, p, "0x0", "0");
}

static void settings_mark_mask_refused(struct kunit *test)
{
	static const char *const texts[] = {
		"1", "3", "0x30", "0x5", "0xf0f", "0x107", "-1", "-0", "x",
		"", "\n", " ", "0x", "0x7x", "0x7 ", " 0x7", "7,7", "700x",
		"0x1ffffffff", "0x100000007", "4294967296", "4294967303",
	};
	struct param *p = param_open(test, "mark_mask");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		expect_refused(test, p, texts[i]);
	expect_taken(test, p, "0xe00", "0xe00");
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		expect_refused(test, p, texts[i]);
}

static bool is_special(const struct udptrack_settings *s, u16 sport, u16 dport)
{
	return udptrack_settings_are_special(s, htons(sport), htons(dport));
}

/* A port of any list is special at either end, until no list has it. */
static void settings_special(struct kunit *test)
{
	struct udptrack_settings *s = kunit_kzalloc(test, sizeof(*s),
						    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	udptrack_settings_note_ports(s);
	KUNIT_EXPECT_FALSE(test, is_special(s, 53, 4711));

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(&s->dns_ports, "53"));
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(&s->exempt_ports,
						      "53,4711"));
	KUNIT_ASSERT_EQ(test, 0, udptrack_policies_parse(&s->port_timeouts,
							 "65535:1,7000:20"));
	udptrack_settings_note_ports(s);
	KUNIT_EXPECT_TRUE(test, is_special(s, 53, 40000));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 53));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 4711));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 65535));
	KUNIT_EXPECT_TRUE(test, is_special(s, 7000, 40000));
	KUNIT_EXPECT_FALSE(test, is_special(s, 40000, 40001));

	/* In two lists, and then in one. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(&s->dns_ports, ""));
	udptrack_policies_free(&s->port_timeouts);
	udptrack_settings_note_ports(s);
	KUNIT_EXPECT_TRUE(test, is_special(s, 53, 40000));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 4711));
	KUNIT_EXPECT_FALSE(test, is_special(s, 7000, 65535));

	KUNIT_ASSERT_EQ(test, 0, udptrack_ports_parse(&s->exempt_ports, ""));
	udptrack_settings_note_ports(s);
	KUNIT_EXPECT_FALSE(test, is_special(s, 53, 4711));
}

/*
 * A namespace borrows the lists of the module, and has its own once it writes.
 * The module's cannot be changed here, for namespaces have borrowed them: the
 * list of DNS ports is as it is.
 */
static void settings_borrowed(struct kunit *test)
{
	struct udptrack_settings *a = kunit_kzalloc(test, sizeof(*a),
						    GFP_KERNEL);
	struct udptrack_settings *b = kunit_kzalloc(test, sizeof(*b),
						    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	udptrack_settings_init(a);
	udptrack_settings_init(b);
	KUNIT_ASSERT_NOT_NULL(test, a->dns_ports.bits);
	KUNIT_EXPECT_PTR_EQ(test, a->dns_ports.bits, b->dns_ports.bits);
	KUNIT_EXPECT_TRUE(test, udptrack_ports_has(&a->dns_ports, htons(53)));
	KUNIT_EXPECT_TRUE(test, is_special(a, 40000, 53));

	/* The copy is equal, and then written to. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_settings_own_ports(a, &a->dns_ports));
	KUNIT_EXPECT_PTR_NE(test, a->dns_ports.bits, b->dns_ports.bits);
	KUNIT_EXPECT_TRUE(test, udptrack_ports_has(&a->dns_ports, htons(53)));
	set_bit(4711, a->dns_ports.bits);
	KUNIT_EXPECT_FALSE(test, udptrack_ports_has(&b->dns_ports,
						    htons(4711)));
	/* It is kept from then on. */
	KUNIT_ASSERT_EQ(test, 0, udptrack_settings_own_ports(a, &a->dns_ports));
	KUNIT_EXPECT_TRUE(test, udptrack_ports_has(&a->dns_ports, htons(4711)));

	/* Each gives back its own alone, or this would not work twice. */
	udptrack_settings_free(a);
	udptrack_settings_free(b);
	udptrack_settings_init(a);
	KUNIT_EXPECT_TRUE(test, udptrack_ports_has(&a->dns_ports, htons(53)));
	KUNIT_EXPECT_FALSE(test, udptrack_ports_has(&a->dns_ports,
						    htons(4711)));
	udptrack_settings_free(a);
}

static const struct list {
	const char *sysctl;
	const char *text;
	const char *other;
} lists[] = {
	{ "udptrack_exempt_ports", "4711-4712,9\n", "9\n" },
	{ "udptrack_dns_ports", "4711-4712,9\n", "9\n" },
	{ "udptrack_port_timeouts", "4711:5,9:1,4712:5\n", "9:1\n" },
};

KUNIT_ARRAY_PARAM_DESC(list, lists, sysctl);

/* A sysctl under test. */
struct sysctl {
	char path[64];
	char old[64];		/* what was there before the case */
};

static int sysctl_set(const struct sysctl *sysctl, const char *text)
{
	struct file *file = filp_open(sysctl->path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return len < 0 ? len : 0;
}

static void sysctl_restore(void *data)
{
	struct sysctl *sysctl = data;

	sysctl_set(sysctl, sysctl->old);
}

/* The sysctl @name, put back to its value after the case. */
static struct sysctl *sysctl_open(struct kunit *test, const char *name)
{
	struct sysctl *sysctl = kunit_kzalloc(test, sizeof(*sysctl),
					      GFP_KERNEL);
	struct file *file;
	loff_t pos = 0;
	ssize_t len;

	KUNIT_ASSERT_NOT_NULL(test, sysctl);
	snprintf(sysctl->path, sizeof(sysctl->path),
		 "/proc/sys/net/netfilter/%s", name);
	file = filp_open(sysctl->path, O_RDONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	len = kernel_read(file, sysctl->old, sizeof(sysctl->old) - 1, &pos);
	filp_close(file, NULL);
	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, sysctl_restore,
						  sysctl));
	return sysctl;
}

/* What is written is seen at once, and what is taken out, no longer. */
static void settings_special_by_sysctl(struct kunit *test)
{
	const struct udptrack_settings *s =
		&udptrack_net(current->nsproxy->net_ns)->settings;
	const struct list *c = test->param_value;
	struct sysctl *sysctl = sysctl_open(test, c->sysctl);

	KUNIT_ASSERT_FALSE(test, is_special(s, 4711, 4712));
	KUNIT_ASSERT_EQ(test, 0, sysctl_set(sysctl, c->text));
	KUNIT_EXPECT_TRUE(test, is_special(s, 4711, 40000));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 4712));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 9));
	/* A list that is refused changes nothing. */
	KUNIT_EXPECT_EQ(test, -EINVAL, sysctl_set(sysctl, "x\n"));
	KUNIT_EXPECT_TRUE(test, is_special(s, 4711, 40000));
	KUNIT_ASSERT_EQ(test, 0, sysctl_set(sysctl, c->other));
	KUNIT_EXPECT_FALSE(test, is_special(s, 4711, 4712));
	KUNIT_EXPECT_TRUE(test, is_special(s, 40000, 9));
	KUNIT_ASSERT_EQ(test, 0, sysctl_set(sysctl, "\n"));
	KUNIT_EXPECT_FALSE(test, is_special(s, 40000, 9));
}

static struct kunit_case settings_cases[] = {
	KUNIT_CASE_PARAM(settings_promised, promise_gen_params),
	KUNIT_CASE(settings_offsets),
	KUNIT_CASE_PARAM(settings_current_allowed, promise_gen_params),
	KUNIT_CASE_PARAM(settings_bounds, promise_gen_params),
	KUNIT_CASE_PARAM(settings_garbage, promise_gen_params),
	KUNIT_CASE(settings_separate),
	KUNIT_CASE(settings_exempt_ports),
	KUNIT_CASE(settings_exempt_ports_refused),
	KUNIT_CASE_PARAM(settings_mark_mask_valid, mask_gen_params),
	KUNIT_CASE(settings_mark_mask),
	KUNIT_CASE(settings_mark_mask_refused),
	KUNIT_CASE(settings_special),
	KUNIT_CASE(settings_borrowed),
	KUNIT_CASE_PARAM(settings_special_by_sysctl, list_gen_params),
	{}
};

static struct kunit_suite settings_suite = {
	.name = "udptrack_settings",
	.test_cases = settings_cases,
};

kunit_test_suite(settings_suite);
