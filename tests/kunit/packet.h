/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets to parse, built piece by piece: see packet.c. */
#ifndef UDPTRACK_TESTS_PACKET_H
#define UDPTRACK_TESTS_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <kunit/test.h>

#include "../../src/tuple.h"

#define PACKET_MAX	4096

/* What every packet is from and to, unless the case says otherwise. */
#define PACKET_SADDR4	0xc0000201	/* 192.0.2.1 */
#define PACKET_DADDR4	0xc6336402	/* 198.51.100.2 */
#define PACKET_SPORT	40123
#define PACKET_DPORT	53
#define PACKET_IFINDEX	7

extern const struct in6_addr packet_saddr6;	/* 2001:db8:1::1 */
extern const struct in6_addr packet_daddr6;	/* 2001:db8:2::2 */

/**
 * struct packet - bytes of a packet under construction
 * @bytes: them
 * @len:   how many there are
 */
struct packet {
	u8 bytes[PACKET_MAX];
	unsigned int len;
};

struct packet *packet_new(struct kunit *test);
void *packet_put(struct packet *p, unsigned int len);
struct iphdr *packet_put_ipv4(struct packet *p, u8 protocol, unsigned int ihl,
			      unsigned int payload);
struct ipv6hdr *packet_put_ipv6(struct packet *p, u8 nexthdr,
				unsigned int payload);
struct udphdr *packet_put_udp(struct packet *p, unsigned int payload);

struct packet *packet_udp4(struct kunit *test, unsigned int ihl,
			   unsigned int payload);
struct packet *packet_udp6(struct kunit *test, unsigned int payload);

struct sk_buff *packet_skb(struct kunit *test, const struct packet *p);
struct sk_buff *packet_skb_cut(struct kunit *test, const struct packet *p,
			       unsigned int len);
struct sk_buff *packet_skb_paged(struct kunit *test, const struct packet *p,
				 unsigned int split);
struct sk_buff *packet_skb_frag_list(struct kunit *test,
				     const struct packet *p,
				     unsigned int split);

enum udptrack_verdict packet_parse(const struct sk_buff *skb, unsigned int nhoff,
				   u8 family, struct udptrack_packet *pkt);
void packet_expect_tuple(struct kunit *test, u8 family,
			 const struct udptrack_tuple *tuple);

#endif
