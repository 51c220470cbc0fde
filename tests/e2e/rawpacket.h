/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP packets and ICMP errors made by hand, faults included: see rawpacket.c. */
#ifndef RAWPACKET_H
#define RAWPACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define RAW_MAX	4096

enum raw_sum {
	RAW_SUM_GOOD,
	RAW_SUM_BAD,
	RAW_SUM_ZERO,
};

/**
 * struct raw_packet - a UDP packet to be made
 * @family:   AF_INET or AF_INET6
 * @protocol: what the IP header calls it, 0 for UDP
 * @src:      source; IPv4 uses the first four bytes
 * @dst:      destination, likewise
 * @sport:    source port, host byte order
 * @dport:    destination port, likewise
 * @size:     bytes of payload
 * @head:     what it begins with, or NULL
 * @head_len: bytes of that, not more than @size
 * @ulen:     what the UDP header gives as length, or -1 for the true one
 * @sum:      what stands in the checksum field
 * @cut:      send only so many bytes of the UDP header and payload, or -1
 * @frag_off: send only a piece that begins here, a multiple of 8, or -1
 * @frag_len: length of the piece
 * @id:       identifies the datagram that the pieces belong to
 * @tos:      type of service or traffic class
 */
struct raw_packet {
	int family;
	int protocol;
	struct in6_addr src;
	struct in6_addr dst;
	unsigned int sport;
	unsigned int dport;
	unsigned int size;
	const unsigned char *head;
	size_t head_len;
	int ulen;
	enum raw_sum sum;
	int cut;
	int frag_off;
	int frag_len;
	unsigned int id;
	unsigned int tos;
};

/**
 * struct raw_icmp - an ICMP or ICMPv6 message to be made
 * @src:    source; IPv4 uses the first four bytes
 * @dst:    destination, likewise
 * @type:   type, of the family of the quoted packet
 * @code:   code
 * @quoted: the packet that follows the eight bytes of its header
 * @quote:  bytes of that, at most
 * @sum:    what stands in the checksum field
 * @frag:   it claims to be the first piece of a longer message
 * @mtu:    what a packet that is too big should have fitted
 * @tos:    type of service or traffic class
 */
struct raw_icmp {
	struct in6_addr src;
	struct in6_addr dst;
	unsigned int type;
	unsigned int code;
	struct raw_packet quoted;
	size_t quote;
	enum raw_sum sum;
	bool frag;
	unsigned int mtu;
	unsigned int tos;
};

size_t raw_build_icmp(const struct raw_icmp *icmp, unsigned char *buf);
size_t raw_build(const struct raw_packet *p, unsigned char *buf);

#endif
