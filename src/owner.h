/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose flow it is: see owner.c. */
#ifndef UDPTRACK_OWNER_H
#define UDPTRACK_OWNER_H

#include <linux/netfilter.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/uidgid.h>

/**
 * struct udptrack_owner - who sends a flow's packets from this host
 * @pid:     the process, a counted reference; NULL when it is not known
 * @cgroup:  id of the socket's cgroup, 0 when not known
 * @uid:     the socket's user
 * @comm:    the command, when @pid is there
 * @has_uid: @uid is known
 * @final:   there is no more to learn from another packet
 *
 * Of the socket nothing is kept. The reference to the process's number keeps
 * neither the process nor its memory.
 */
struct udptrack_owner {
	struct pid *pid;
	u64 cgroup;
	kuid_t uid;
	char comm[TASK_COMM_LEN];
	bool has_uid;
	bool final;
};

/**
 * udptrack_owner_is_known - is there anything to keep?
 * @owner: what udptrack_owner_get() filled in
 *
 * Context: any.
 * Return: true when there is.
 */
static inline bool udptrack_owner_is_known(const struct udptrack_owner *owner)
{
	return owner->has_uid || owner->pid;
}

void udptrack_owner_get(struct udptrack_owner *owner,
			const struct sk_buff *skb,
			const struct nf_hook_state *state);
void udptrack_owner_copy(struct udptrack_owner *to,
			 const struct udptrack_owner *from);
void udptrack_owner_put(struct udptrack_owner *owner);

#endif
