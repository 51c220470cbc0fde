// SPDX-License-Identifier: GPL-2.0-only
/*
 * defrag - whole IPv6 datagrams at the hooks.
 *
 * IPv4 fragments are put together before NF_INET_LOCAL_IN, IPv6 ones after it;
 * nf_defrag_ipv6 does it earlier for those who ask. It is a module of its own,
 * fetched by name rather than linked, so that a plain insmod of udptrack works
 * where nobody has loaded it yet.
 *
 * Owns two references into nf_defrag_ipv6, from udptrack_defrag_get() to
 * udptrack_defrag_put(); process context only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "defrag.h"

#if IS_ENABLED(CONFIG_IPV6)
static typeof(nf_defrag_ipv6_enable) *defrag_enable;
static typeof(nf_defrag_ipv6_disable) *defrag_disable;

/**
 * udptrack_defrag_get - load nf_defrag_ipv6 and keep it
 *
 * Context: process; may sleep.
 * Return: 0, or -ENOENT when it cannot be had.
 */
int udptrack_defrag_get(void)
{
	defrag_enable = symbol_request(nf_defrag_ipv6_enable);
	defrag_disable = symbol_request(nf_defrag_ipv6_disable);
	if (defrag_enable && defrag_disable)
		return 0;
	pr_err("needs nf_defrag_ipv6, which cannot be loaded; try: modprobe nf_defrag_ipv6\n");
	udptrack_defrag_put();
	return -ENOENT;
}

/**
 * udptrack_defrag_put - let go of nf_defrag_ipv6
 *
 * Context: process.
 */
void udptrack_defrag_put(void)
{
	if (defrag_enable)
		symbol_put(nf_defrag_ipv6_enable);
	if (defrag_disable)
		symbol_put(nf_defrag_ipv6_disable);
}

/**
 * udptrack_defrag_enable - have IPv6 fragments put together in a namespace
 * @net: the network namespace
 *
 * Context: process; may sleep.
 * Return: 0 or the error of nf_register_net_hooks().
 */
int udptrack_defrag_enable(struct net *net)
{
	return defrag_enable(net);
}

/**
 * udptrack_defrag_disable - undo udptrack_defrag_enable()
 * @net: the network namespace
 *
 * Context: process; may sleep.
 */
void udptrack_defrag_disable(struct net *net)
{
	defrag_disable(net);
}
#else
int udptrack_defrag_get(void)
{
	return 0;
}

void udptrack_defrag_put(void)
{
}

int udptrack_defrag_enable(struct net *net)
{
	return 0;
}

void udptrack_defrag_disable(struct net *net)
{
}
#endif
