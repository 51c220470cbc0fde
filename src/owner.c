// SPDX-License-Identifier: GPL-2.0-only
/*
 * owner - whose flow it is: user, process and cgroup of the socket.
 *
 * Owns nothing but references to process numbers (struct pid). They are what
 * lets a listing name a process by the number that the reader's pid namespace
 * gives it, also when the process has long gone. Called at
 * NF_INET_LOCAL_OUT, in process or softirq context, under rcu_read_lock().
 */
#include <linux/cgroup.h>
#include <linux/preempt.h>
#include <linux/sched/task_stack.h>
#include <net/inet_sock.h>

#include "owner.h"

/*
 * Is it the current process that sends this packet? Not where the kernel sends
 * for itself, in softirq or in a thread of its own; nor where the packet waited
 * in a queue: then the current process is the one that gave the verdict. The
 * hook's state is on the stack of who sent the packet and nowhere else, for a
 * queue keeps a copy.
 */
static bool sent_by_current(const struct sock *sk,
			    const struct nf_hook_state *state)
{
	return in_task() && !(current->flags & PF_KTHREAD) &&
	       !sk->sk_kern_sock && object_is_on_stack(state);
}

static void get_process(struct udptrack_owner *owner)
{
	/* Threads have names of their own; the command is the process's. */
	struct task_struct *leader = READ_ONCE(current->group_leader);

	owner->pid = get_pid(task_tgid(current));
	/* A name that changes meanwhile is a mixture, but ends. */
	memcpy(owner->comm, leader->comm, sizeof(owner->comm));
	owner->comm[sizeof(owner->comm) - 1] = '\0';
	owner->final = true;
}

/**
 * udptrack_owner_get - find out who sends a packet
 * @owner: filled in; give it back with udptrack_owner_put()
 * @skb:   the packet
 * @state: the hook it is at, NF_INET_LOCAL_OUT
 *
 * The socket is the one that hands the packet to IP, a tunnel's rather than
 * the one whose packet the tunnel carries.
 *
 * Context: process or softirq, under rcu_read_lock().
 */
void udptrack_owner_get(struct udptrack_owner *owner,
			const struct sk_buff *skb,
			const struct nf_hook_state *state)
{
	struct sock *sk = sk_to_full_sk(state->sk);

	memset(owner, 0, sizeof(*owner));
	if (!sk)
		sk = skb_to_full_sk(skb);
	if (!sk || !sk_fullsock(sk) || !net_eq(sock_net(sk), state->net)) {
		owner->final = true;
		return;
	}
	owner->uid = sk->sk_uid;
	owner->has_uid = true;
#ifdef CONFIG_SOCK_CGROUP_DATA
	owner->cgroup = cgroup_id(sock_cgroup_ptr(&sk->sk_cgrp_data));
#endif
	if (sent_by_current(sk, state))
		get_process(owner);
	else
		owner->final = sk->sk_kern_sock;
}

/**
 * udptrack_owner_copy - one more of the same
 * @to:   overwritten; give it back with udptrack_owner_put()
 * @from: what to copy
 *
 * Context: any.
 */
void udptrack_owner_copy(struct udptrack_owner *to,
			 const struct udptrack_owner *from)
{
	*to = *from;
	get_pid(to->pid);
}

/**
 * udptrack_owner_put - give up an owner
 * @owner: what udptrack_owner_get() or udptrack_owner_copy() filled in
 *
 * Context: any.
 */
void udptrack_owner_put(struct udptrack_owner *owner)
{
	put_pid(owner->pid);
	owner->pid = NULL;
}
