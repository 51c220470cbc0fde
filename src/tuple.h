/* SPDX-License-Identifier: GPL-2.0-only */
/* From packet to tuple to key: see tuple.c. */
#ifndef UDPTRACK_TUPLE_H
#define UDPTRACK_TUPLE_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/**
 * enum udptrack_verdict - what the tracker makes of a packet
 * @UDPTRACK_PACKET_OK:           a UDP packet with a tuple
 * @UDPTRACK_PACKET_NOT_UDP:      another protocol; none of our business
 * @UDPTRACK_PACKET_FRAGMENT:     a piece of a UDP datagram: untracked
 * @UDPTRACK_PACKET_TRUNCATED:    it ends inside a header: invalid
 * @UDPTRACK_PACKET_MALFORMED:    a length or version that cannot be: invalid
 * @UDPTRACK_PACKET_LOOPBACK:     loopback is switched off: untracked
 * @UDPTRACK_PACKET_EXEMPT:       of an exempt port: untracked
 * @UDPTRACK_PACKET_BAD_CHECKSUM: invalid
 *
 * The parser knows the first five, the last three come from settings: see
 * packet.c.
 */
enum udptrack_verdict {
	UDPTRACK_PACKET_OK,
	UDPTRACK_PACKET_NOT_UDP,
	UDPTRACK_PACKET_FRAGMENT,
	UDPTRACK_PACKET_TRUNCATED,
	UDPTRACK_PACKET_MALFORMED,
	UDPTRACK_PACKET_LOOPBACK,
	UDPTRACK_PACKET_EXEMPT,
	UDPTRACK_PACKET_BAD_CHECKSUM,
};

/**
 * struct udptrack_tuple - the two ends of a packet, in its own direction
 * @src:    source address; an IPv4 address leaves the rest of the union zero
 * @dst:    destination address, likewise
 * @sport:  source port
 * @dport:  destination port
 * @scope:  index of the interface where an address is only valid on its link,
 *          else 0
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6, widened so that there is no padding
 */
struct udptrack_tuple {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	__be16 sport;
	__be16 dport;
	u32 scope;
	u32 family;
};

/**
 * struct udptrack_packet - what the tracker needs to know of a packet
 * @tuple:        its ends
 * @thoff:        offset of the UDP header in the skb, in bytes
 * @packets:      datagrams in it: more than 1 for a GSO packet
 * @bytes:        their length on the wire, IP headers included
 * @has_checksum: the UDP checksum field is in use
 * @is_special:   some list of ports may mention it; not of the parser's
 */
struct udptrack_packet {
	struct udptrack_tuple tuple;
	unsigned int thoff;
	unsigned int packets;
	unsigned int bytes;
	bool has_checksum;
	bool is_special;
};

/**
 * struct udptrack_quote - what the tracker needs to know of an ICMP error
 * @tuple: ends of the quoted packet, in the quoted packet's direction
 * @to:    where the error itself goes
 * @thoff: offset of the ICMP header in the skb, in bytes
 */
struct udptrack_quote {
	struct udptrack_tuple tuple;
	union nf_inet_addr to;
	unsigned int thoff;
};

/**
 * struct udptrack_key - the two ends in an order that both directions share
 * @addr:   addresses, the lower end first
 * @port:   ports, likewise
 * @scope:  as in the tuple
 * @family: as in the tuple, widened so that the key has no padding
 *
 * Compared and hashed as bytes.
 */
struct udptrack_key {
	union nf_inet_addr addr[2];
	__be16 port[2];
	u32 scope;
	u32 family;
};

enum udptrack_verdict udptrack_tuple_parse(const struct sk_buff *skb,
					   unsigned int nhoff, u8 family,
					   int ifindex,
					   struct udptrack_packet *pkt);
enum udptrack_verdict
udptrack_tuple_parse_quoted(const struct sk_buff *skb, unsigned int nhoff,
			    u8 family, int ifindex,
			    struct udptrack_quote *quote);
unsigned int udptrack_key_from_tuple(const struct udptrack_tuple *tuple,
				     struct udptrack_key *key);
void udptrack_key_to_tuple(const struct udptrack_key *key, unsigned int side,
			   struct udptrack_tuple *tuple);
bool udptrack_key_is_self(const struct udptrack_key *key);

#endif
