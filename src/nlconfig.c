// SPDX-License-Identifier: GPL-2.0-only
/*
 * nlconfig - settings in netlink messages.
 *
 * Owns which attribute is which setting, and the words that refuse a value. The
 * bounds are those of settings.c, the change itself is made by config.c.
 * Process context.
 */
#include "config.h"
#include "mark.h"
#include "netlink.h"
#include "netns.h"
#include "version.h"

/* The setting of each attribute; lists of ports are for sysctl alone. */
static const struct {
	const char *name;
	unsigned int id;
} settings[UDPTRACK_CONFIG_ATTR_MAX + 1] = {
	[UDPTRACK_A_CONFIG_TIMEOUT] = {
		"timeout", UDPTRACK_SET_TIMEOUT,
	},
	[UDPTRACK_A_CONFIG_TIMEOUT_STREAM] = {
		"timeout-stream", UDPTRACK_SET_TIMEOUT_STREAM,
	},
	[UDPTRACK_A_CONFIG_FLOWS_MAX] = {
		"flows-max", UDPTRACK_SET_MAX,
	},
	[UDPTRACK_A_CONFIG_ACCT] = {
		"acct", UDPTRACK_SET_ACCT,
	},
	[UDPTRACK_A_CONFIG_CHECKSUM] = {
		"checksum", UDPTRACK_SET_CHECKSUM,
	},
	[UDPTRACK_A_CONFIG_LOOPBACK] = {
		"loopback", UDPTRACK_SET_LOOPBACK,
	},
	[UDPTRACK_A_CONFIG_LOG_INVALID] = {
		"log-invalid", UDPTRACK_SET_LOG_INVALID,
	},
	[UDPTRACK_A_CONFIG_REQUIRE_LISTENER] = {
		"require-listener", UDPTRACK_SET_REQUIRE_LISTENER,
	},
	[UDPTRACK_A_CONFIG_DNS] = {
		"dns", UDPTRACK_SET_DNS,
	},
	[UDPTRACK_A_CONFIG_DNS_LINGER] = {
		"dns-linger", UDPTRACK_SET_DNS_LINGER,
	},
	[UDPTRACK_A_CONFIG_BIND_GUARD] = {
		"bind-guard", UDPTRACK_SET_BIND_GUARD,
	},
	[UDPTRACK_A_CONFIG_EVENTS] = {
		"events", UDPTRACK_SET_EVENTS,
	},
	[UDPTRACK_A_CONFIG_MARK_MASK] = {
		"mark-mask", UDPTRACK_CONFIG_MARK_MASK,
	},
};

#define NUMBER	{ .type = NLA_U32 }

const struct nla_policy
udptrack_config_policy[UDPTRACK_CONFIG_ATTR_MAX + 1] = {
	[UDPTRACK_A_CONFIG_TIMEOUT]		= NUMBER,
	[UDPTRACK_A_CONFIG_TIMEOUT_STREAM]	= NUMBER,
	[UDPTRACK_A_CONFIG_FLOWS_MAX]		= NUMBER,
	[UDPTRACK_A_CONFIG_ACCT]		= NUMBER,
	[UDPTRACK_A_CONFIG_CHECKSUM]		= NUMBER,
	[UDPTRACK_A_CONFIG_LOOPBACK]		= NUMBER,
	[UDPTRACK_A_CONFIG_LOG_INVALID]		= NUMBER,
	[UDPTRACK_A_CONFIG_REQUIRE_LISTENER]	= NUMBER,
	[UDPTRACK_A_CONFIG_DNS]			= NUMBER,
	[UDPTRACK_A_CONFIG_DNS_LINGER]		= NUMBER,
	[UDPTRACK_A_CONFIG_BIND_GUARD]		= NUMBER,
	[UDPTRACK_A_CONFIG_EVENTS]		= NUMBER,
	[UDPTRACK_A_CONFIG_MARK_MASK]		= NUMBER,
};

/*
 * What is said of a number out of its bounds, by attribute. Made once, for
 * before 6.2 such words must stay where they are.
 */
static char refusals[UDPTRACK_CONFIG_ATTR_MAX + 1][64];
static char ceiling_refusal[64];

static void refusal_init(char *words, size_t size, unsigned int type,
			 unsigned int max)
{
	snprintf(words, size, "%s: not a number from %u to %u",
		 settings[type].name,
		 udptrack_setting_list[settings[type].id].min, max);
}

/**
 * udptrack_nl_config_init - make the words ready
 *
 * Context: process, once, when the parameters have been read.
 */
void udptrack_nl_config_init(void)
{
	unsigned int type;

	for (type = 1; type <= UDPTRACK_CONFIG_ATTR_MAX; type++)
		if (settings[type].id != UDPTRACK_CONFIG_MARK_MASK)
			refusal_init(refusals[type], sizeof(refusals[type]),
				     type, udptrack_setting_list
					   [settings[type].id].max);
	refusal_init(ceiling_refusal, sizeof(ceiling_refusal),
		     UDPTRACK_A_CONFIG_FLOWS_MAX, udptrack_defaults.max);
}

static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		  const char *words)
{
	NL_SET_BAD_ATTR(extack, attr);
	if (extack)
		extack->_msg = words;
	return -EINVAL;
}

static int check_number(const struct net *net, const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	unsigned int id = settings[nla_type(attr)].id;
	u32 value = nla_get_u32(attr);

	if (value < udptrack_setting_list[id].min ||
	    value > udptrack_setting_list[id].max)
		return refuse(extack, attr, refusals[nla_type(attr)]);
	if (id == UDPTRACK_SET_MAX && value > *udptrack_config_ceiling(net))
		return refuse(extack, attr, ceiling_refusal);
	return 0;
}

static int check(const struct net *net, const struct nlattr *attr,
		 struct netlink_ext_ack *extack)
{
	if (nla_type(attr) != UDPTRACK_A_CONFIG_MARK_MASK)
		return check_number(net, attr, extack);
	if (udptrack_mark_mask_valid(nla_get_u32(attr)))
		return 0;
	return refuse(extack, attr,
		      "mark-mask: neither 0 nor at least three adjacent bits");
}

/**
 * udptrack_nl_config_set - change settings, all that are given or none
 * @skb:  the request
 * @info: what it is about
 *
 * Context: process; may sleep.
 * Return: 0, -EINVAL for a value out of its bounds, or as
 * udptrack_config_apply().
 */
int udptrack_nl_config_set(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct udptrack_config want = {};
	const struct nlattr *attr;
	unsigned int type;
	int err;

	for (type = 1; type <= UDPTRACK_CONFIG_ATTR_MAX; type++) {
		attr = info->attrs[type];
		if (!attr)
			continue;
		err = check(net, attr, info->extack);
		if (err)
			return err;
		want.value[settings[type].id] = nla_get_u32(attr);
		__set_bit(settings[type].id, &want.given);
	}
	if (!want.given) {
		NL_SET_ERR_MSG(info->extack, "no setting is given");
		return -EINVAL;
	}
	err = udptrack_config_apply(net, &want);
	if (err == -EOPNOTSUPP)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[UDPTRACK_A_CONFIG_BIND_GUARD],
				    "bind-guard: this kernel has no place for it; see its log");
	return err;
}

static int put_config(struct sk_buff *msg, struct udptrack_net *un)
{
	unsigned int type;
	u32 value;

	for (type = 1; type <= UDPTRACK_CONFIG_ATTR_MAX; type++) {
		value = udptrack_config_get(un, settings[type].id);
		if (nla_put_u32(msg, type, value))
			return -EMSGSIZE;
	}
	return nla_put_string(msg, UDPTRACK_A_CONFIG_VERSION, UDPTRACK_VERSION);
}

/**
 * udptrack_nl_config_get - show the settings
 * @skb:  the request
 * @info: what it is about
 *
 * Context: process.
 * Return: 0, -ENOMEM, or the error of sending the answer.
 */
int udptrack_nl_config_get(struct sk_buff *skb, struct genl_info *info)
{
	struct udptrack_net *un = udptrack_net(genl_info_net(info));
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &udptrack_family, 0,
				UDPTRACK_CMD_CONFIG_GET);
	if (!hdr || put_config(msg, un)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}
