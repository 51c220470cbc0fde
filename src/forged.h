/* SPDX-License-Identifier: GPL-2.0-only */
/* DNS answers to no question, where they are dropped: see forged.c. */
#ifndef UDPTRACK_FORGED_H
#define UDPTRACK_FORGED_H

struct net;
struct nf_hook_state;
struct udptrack_dns_message;
struct udptrack_net;
struct udptrack_tuple;

void udptrack_forged_log(struct udptrack_net *un,
			 const struct nf_hook_state *state,
			 const struct udptrack_tuple *tuple,
			 const struct udptrack_dns_message *msg);
int udptrack_forged_open(struct net *net);
int udptrack_forged_set(struct net *net, unsigned int mode);
void udptrack_forged_close(struct net *net);

#endif
