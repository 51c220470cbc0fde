// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard - no bind() to the port of a flow that outlives its socket.
 *
 * Owns the probe at security_socket_bind(), the one place that every bind() of
 * a program passes before it has any effect. The probe is there only while the
 * guard is on in some network namespace. It touches nothing but the verdict:
 * where the kernel would go on, it may say -EADDRINUSE.
 *
 * A bind() is refused when this host started a flow on the port and address
 * that it asks for, the flow lives, and its socket is gone. Where the socket
 * is still there, the kernel has its own rules and is left alone; so are those
 * who say, by SO_REUSEADDR or SO_REUSEPORT, that they take back a port of
 * their own user's. Flows that others started are those of servers, which must
 * be able to restart.
 *
 * What the probe calls cannot be preempted and neither sleeps nor takes a lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <kunit/visibility.h>

#include "guard.h"
#include "listener.h"
#include "netns.h"
#include "started.h"

/*
 * Tasks that may be between the entry and the return of the function at once,
 * of those who bind UDP sockets under the guard. It hardly ever sleeps, so as
 * many have to be preempted in it before a bind() passes unseen.
 */
#define PROBE_INSTANCES	128

/* Network namespaces in which it is on. Under the mutex of optional.c. */
static unsigned int guard_users;
/* Likewise. */
static struct kretprobe probe;
/* The probe sees every namespace, also one that udptrack has not come to yet. */
static bool guard_ready;

static bool parse_ipv4(__be32 ip, __be16 port, struct udptrack_bind *bind)
{
	bind->addr.ip = ip;
	bind->any = !ip;
	bind->ipv4 = true;
	bind->port = port;
	return port;
}

static bool parse_ipv6(const struct sockaddr_in6 *in6, int len, bool v6only,
		       struct udptrack_bind *bind)
{
	int type = ipv6_addr_type(&in6->sin6_addr);

	if (type == IPV6_ADDR_MAPPED)
		return !v6only && parse_ipv4(in6->sin6_addr.s6_addr32[3],
					     in6->sin6_port, bind);
	bind->addr.in6 = in6->sin6_addr;
	bind->any = type == IPV6_ADDR_ANY;
	bind->ipv4 = bind->any && !v6only;
	bind->ipv6 = true;
	bind->port = in6->sin6_port;
	if (!__ipv6_addr_needs_scope_id(type))
		return bind->port;
	if (len >= sizeof(*in6) && in6->sin6_scope_id)
		bind->ifindex = in6->sin6_scope_id;
	return bind->port && bind->ifindex;
}

/**
 * udptrack_guard_parse - what does this bind() ask for?
 * @family:  of the socket
 * @v6only:  it takes no IPv4
 * @ifindex: the interface to which it is bound, or 0
 * @addr:    what bind() was given, in kernel memory
 * @len:     its length, in bytes
 * @bind:    filled in when true is returned
 *
 * Reads the address as inet_bind() and inet6_bind() do.
 *
 * Context: any; pure.
 * Return: false for what the kernel will refuse anyway, and for port 0, where
 * it chooses itself.
 */
bool udptrack_guard_parse(int family, bool v6only, int ifindex,
			  const struct sockaddr *addr, int len,
			  struct udptrack_bind *bind)
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;

	*bind = (struct udptrack_bind) { .ifindex = ifindex };
	if (family == AF_INET6)
		return len >= SIN6_LEN_RFC2133 && addr->sa_family == AF_INET6 &&
		       parse_ipv6(in6, len, v6only, bind);
	if (len < (int)sizeof(*in))
		return false;
	/* As old programs have it, unspecified is IPv4 to any address. */
	if (addr->sa_family != AF_INET &&
	    (addr->sa_family != AF_UNSPEC || in->sin_addr.s_addr))
		return false;
	return parse_ipv4(in->sin_addr.s_addr, in->sin_port, bind);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_guard_parse);

/**
 * udptrack_guard_covers - would the socket take what a flow's socket took?
 * @bind:  what it asks for; port and interface are not looked at
 * @tuple: as this host sends
 *
 * Context: any; pure.
 * Return: true when the flow's address at this host is the one that @bind asks
 * for, or one of them.
 */
bool udptrack_guard_covers(const struct udptrack_bind *bind,
			   const struct udptrack_tuple *tuple)
{
	bool ipv6 = tuple->family == NFPROTO_IPV6;

	return (ipv6 ? bind->ipv6 : bind->ipv4) &&
	       (bind->any || nf_inet_addr_cmp(&bind->addr, &tuple->src));
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_guard_covers);

/* A bind() that wants to know. */
struct guard_question {
	const struct sock *sk;
	struct net *net;
	struct udptrack_bind bind;
};

/* Would answers to the flow reach the socket, for the interface they come by? */
static bool is_on_device(const struct guard_question *q, int ifindex)
{
	int bound = q->bind.ifindex;

	return !bound || bound == ifindex ||
	       bound == l3mdev_master_ifindex_by_index(q->net, ifindex);
}

/* Says the socket that it takes back what was its user's? */
static bool takes_back(const struct sock *sk,
		       const struct udptrack_started *flow)
{
	return (sk->sk_reuse || sk->sk_reuseport) && flow->has_uid &&
	       uid_eq(sk->sk_uid, flow->uid);
}

static bool has_socket(struct net *net, const struct udptrack_started *flow)
{
	const struct udptrack_tuple *out = &flow->tuple;
	struct udptrack_tuple answer = {
		.src = out->dst,
		.dst = out->src,
		.sport = out->dport,
		.dport = out->sport,
		.scope = out->scope,
		.family = out->family,
	};

	return udptrack_listener_is_there(net, &answer, flow->ifindex);
}

static bool flow_forbids(const struct udptrack_started *flow, void *arg)
{
	const struct guard_question *q = arg;

	return udptrack_guard_covers(&q->bind, &flow->tuple) &&
	       is_on_device(q, flow->ifindex) && !takes_back(q->sk, flow) &&
	       !has_socket(q->net, flow);
}

static bool guard_forbids(const struct sock *sk, const struct sockaddr *addr,
			  int len)
{
	struct guard_question q = { .sk = sk, .net = sock_net(sk) };

	/* To be told "invalid" is better for who binds a socket twice. */
	return !inet_sk(sk)->inet_num &&
	       udptrack_guard_parse(sk->sk_family, ipv6_only_sock(sk),
				    sk->sk_bound_dev_if, addr, len, &q.bind) &&
	       udptrack_started_any(&udptrack_net(q.net)->table, q.bind.port,
				    jiffies, flow_forbids, &q);
}

static bool is_guarded(const struct sock *sk)
{
	/* Pairs with the release in udptrack_guard_ready(). */
	return smp_load_acquire(&guard_ready) &&
	       sk && (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
	       sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP &&
	       READ_ONCE(udptrack_net(sock_net(sk))->settings.bind_guard);
}

/* The arguments of security_socket_bind(), good until it returns. */
struct probe_call {
	const struct sock *sk;
	const struct sockaddr *addr;
	int len;
};

/* May run in the handler of a breakpoint, so it only looks, and takes note. */
static int probe_enter(struct kretprobe_instance *instance,
		       struct pt_regs *regs)
{
	const struct socket *sock = (void *)regs_get_kernel_argument(regs, 0);
	struct probe_call *call = (void *)instance->data;

	if (!is_guarded(sock->sk))
		return 1;
	call->sk = sock->sk;
	call->addr = (void *)regs_get_kernel_argument(regs, 1);
	call->len = regs_get_kernel_argument(regs, 2);
	return 0;
}

NOKPROBE_SYMBOL(probe_enter);

static int probe_return(struct kretprobe_instance *instance,
			struct pt_regs *regs)
{
	const struct probe_call *call = (void *)instance->data;

	if (!(int)regs_return_value(regs) &&
	    guard_forbids(call->sk, call->addr, call->len))
		regs_set_return_value(regs, -EADDRINUSE);
	return 0;
}

NOKPROBE_SYMBOL(probe_return);

static int probe_register(void)
{
	int err;

	/* What an earlier registration left in it must not be there. */
	probe = (struct kretprobe) {
		.kp.symbol_name = "security_socket_bind",
		.entry_handler = probe_enter,
		.handler = probe_return,
		.data_size = sizeof(struct probe_call),
		.maxactive = PROBE_INSTANCES,
	};
	err = register_kretprobe(&probe);
	if (!err || err == -ENOMEM)
		return err;
	pr_err_once("bind_guard: no probe at security_socket_bind() (error %d), which takes a kernel with CONFIG_KRETPROBES and CONFIG_SECURITY_NETWORK\n",
		    err);
	return -EOPNOTSUPP;
}

static void probe_unregister(void)
{
	unregister_kretprobe(&probe);
	if (probe.nmissed)
		pr_warn("bind_guard: %d bind() calls passed unseen\n",
			probe.nmissed);
}

static int guard_start(struct net *net)
{
	int err = udptrack_started_index(&udptrack_net(net)->table);

	if (!err && !guard_users)
		err = probe_register();
	if (!err)
		guard_users++;
	return err;
}

static void guard_stop(struct net *net)
{
	if (!--guard_users)
		probe_unregister();
}

static bool guard_wanted(unsigned int value)
{
	return value;
}

static const struct udptrack_optional_part guard_part = {
	.start = guard_start,
	.stop = guard_stop,
	.wanted = guard_wanted,
};

/**
 * udptrack_guard_ready - udptrack is in every network namespace now
 *
 * Until then the guard refuses nothing, wherever it is on.
 *
 * Context: process, once.
 */
void udptrack_guard_ready(void)
{
	/* Pairs with the acquire in is_guarded(). */
	smp_store_release(&guard_ready, true);
}

/**
 * udptrack_guard_set - switch the guard of a network namespace
 * @net:   the namespace
 * @value: 1 for on, 0 for off
 *
 * Context: process; may sleep.
 * Return: 0, -ENOMEM, or -EOPNOTSUPP when the kernel has no place for the
 * probe; then the old setting stays.
 */
int udptrack_guard_set(struct net *net, unsigned int value)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_set(&un->guard, &guard_part, net,
				     &un->settings.bind_guard, value);
}

/**
 * udptrack_guard_open - from now on the guard may be on
 * @net: a network namespace, otherwise ready
 *
 * Context: process; may sleep.
 * Return: as udptrack_guard_set().
 */
int udptrack_guard_open(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	return udptrack_optional_open(&un->guard, &guard_part, net,
				      &un->settings.bind_guard);
}

/**
 * udptrack_guard_close - no guard from now on, whatever is still written
 * @net: a network namespace on its way out
 *
 * Context: process; may sleep.
 */
void udptrack_guard_close(struct net *net)
{
	struct udptrack_net *un = udptrack_net(net);

	udptrack_optional_close(&un->guard, &guard_part, net,
				&un->settings.bind_guard);
}
