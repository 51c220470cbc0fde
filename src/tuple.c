// SPDX-License-Identifier: GPL-2.0-only
/*
 * tuple - from packet to tuple, and from tuple to key.
 *
 * Owns nothing. What is not plain (see plain.h) is read through
 * skb_header_pointer() alone, so that paged and frag_list packets are as good
 * as linear ones. Never writes to the skb. Knows nothing of network namespaces,
 * of time or of flows; may run in any context.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <kunit/visibility.h>

#include "plain.h"
#include "tuple.h"

/* Where the headers of a packet are and what they carry. */
struct l3_info {
	unsigned int thoff;
	u8 protocol;
	bool fragment;		/* a piece of a datagram, */
	bool later_fragment;	/* and not the first, which has the ports */
};

static enum udptrack_verdict parse_ipv4(const struct sk_buff *skb,
					unsigned int nhoff, struct l3_info *l3,
					struct udptrack_tuple *tuple)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, nhoff, sizeof(buf), &buf);
	if (!iph)
		return UDPTRACK_PACKET_TRUNCATED;
	if (iph->version != 4 || iph->ihl < 5)
		return UDPTRACK_PACKET_MALFORMED;

	tuple->src.ip = iph->saddr;
	tuple->dst.ip = iph->daddr;
	l3->thoff = nhoff + iph->ihl * 4;
	l3->protocol = iph->protocol;
	l3->fragment = ip_is_fragment(iph);
	l3->later_fragment = iph->frag_off & htons(IP_OFFSET);
	return UDPTRACK_PACKET_OK;
}

static enum udptrack_verdict parse_ipv6(const struct sk_buff *skb,
					unsigned int nhoff, struct l3_info *l3,
					struct udptrack_tuple *tuple)
{
	const struct frag_hdr *frag;
	struct frag_hdr frag_buf;
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;
	__be16 frag_off;
	int thoff;

	ip6h = skb_header_pointer(skb, nhoff, sizeof(buf), &buf);
	if (!ip6h)
		return UDPTRACK_PACKET_TRUNCATED;
	if (ip6h->version != 6)
		return UDPTRACK_PACKET_MALFORMED;

	l3->protocol = ip6h->nexthdr;
	thoff = ipv6_skip_exthdr(skb, nhoff + sizeof(buf), &l3->protocol,
				 &frag_off);
	/*
	 * Cut inside the extension headers, or "no next header": whether it
	 * was UDP nobody can tell, so it is not ours to judge.
	 */
	if (thoff < 0)
		return UDPTRACK_PACKET_NOT_UDP;

	tuple->src.in6 = ip6h->saddr;
	tuple->dst.in6 = ip6h->daddr;
	l3->thoff = thoff;
	l3->fragment = frag_off & htons(IP6_OFFSET | IP6_MF);
	l3->later_fragment = frag_off & htons(IP6_OFFSET);
	/* Of a fragment but the first, the walk ends at the fragment header. */
	if (l3->protocol == NEXTHDR_FRAGMENT) {
		frag = skb_header_pointer(skb, thoff, sizeof(frag_buf),
					  &frag_buf);
		if (frag)
			l3->protocol = frag->nexthdr;
	}
	return UDPTRACK_PACKET_OK;
}

/*
 * fe80::1 is another host on every link (RFC 4007). Site-local and wider
 * addresses are left alone.
 */
static u32 tuple_scope(const struct udptrack_tuple *tuple, int ifindex)
{
	if (tuple->family != NFPROTO_IPV6)
		return 0;
	if (__ipv6_addr_needs_scope_id(__ipv6_addr_type(&tuple->src.in6)) ||
	    __ipv6_addr_needs_scope_id(__ipv6_addr_type(&tuple->dst.in6)))
		return ifindex;
	return 0;
}

/* Parse up to and including the ports; *udp is the header, maybe in *buf. */
static enum udptrack_verdict parse_headers(const struct sk_buff *skb,
					   unsigned int nhoff, u8 family,
					   int ifindex,
					   struct udptrack_tuple *tuple,
					   struct l3_info *l3,
					   const struct udphdr **udp,
					   struct udphdr *buf)
{
	enum udptrack_verdict ret;

	memset(tuple, 0, sizeof(*tuple));
	tuple->family = family;
	ret = family == NFPROTO_IPV4 ? parse_ipv4(skb, nhoff, l3, tuple)
				     : parse_ipv6(skb, nhoff, l3, tuple);
	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	if (l3->protocol != IPPROTO_UDP)
		return UDPTRACK_PACKET_NOT_UDP;
	tuple->scope = tuple_scope(tuple, ifindex);
	if (l3->later_fragment)
		return UDPTRACK_PACKET_FRAGMENT;

	*udp = skb_header_pointer(skb, l3->thoff, sizeof(*buf), buf);
	if (!*udp)
		return UDPTRACK_PACKET_TRUNCATED;

	tuple->sport = (*udp)->source;
	tuple->dport = (*udp)->dest;
	return UDPTRACK_PACKET_OK;
}

/*
 * One skb may be many datagrams, on their way to be split (GSO) or just merged
 * (GRO). Count them as the wire would see them; each brings its own headers.
 * A SKB_GSO_UDP packet is a single datagram that will be fragmented.
 */
static void count_segments(const struct sk_buff *skb, unsigned int nhoff,
			   struct udptrack_packet *pkt)
{
	unsigned int headers = pkt->thoff + sizeof(struct udphdr) - nhoff;
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	pkt->packets = 1;
	pkt->bytes = skb->len - nhoff;
	if (!skb_is_gso(skb) || (shinfo->gso_type & SKB_GSO_UDP))
		return;

	/* Who made the packet need not have counted; an empty one is one. */
	pkt->packets = shinfo->gso_segs ? :
		max(1U, DIV_ROUND_UP(pkt->bytes - headers, shinfo->gso_size));
	if (shinfo->gso_type & SKB_GSO_UDP_L4)
		pkt->bytes += (pkt->packets - 1) * headers;
}

/* The short way, for a plain packet. */
static bool parse_plain(const struct sk_buff *skb, unsigned int nhoff,
			u8 family, struct udptrack_packet *pkt)
{
	struct udptrack_plain plain;
	struct udptrack_key key;

	if (!udptrack_plain_read(skb, nhoff, family, &key, &plain))
		return false;
	udptrack_key_to_tuple(&key, plain.side, &pkt->tuple);
	pkt->thoff = (const u8 *)plain.udp - skb->data;
	pkt->packets = 1;
	pkt->bytes = plain.bytes;
	pkt->has_checksum = plain.udp->check;
	return true;
}

/* The long way, for every packet. */
static enum udptrack_verdict parse_any(const struct sk_buff *skb,
				       unsigned int nhoff, u8 family,
				       int ifindex,
				       struct udptrack_packet *pkt)
{
	const struct udphdr *udp;
	enum udptrack_verdict ret;
	struct l3_info l3 = {};
	struct udphdr buf;

	ret = parse_headers(skb, nhoff, family, ifindex, &pkt->tuple, &l3, &udp,
			    &buf);
	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	/* A first fragment has ports, but then the rest could not follow it. */
	if (l3.fragment)
		return UDPTRACK_PACKET_FRAGMENT;
	if (ntohs(udp->len) < sizeof(*udp) ||
	    ntohs(udp->len) > skb->len - l3.thoff)
		return UDPTRACK_PACKET_MALFORMED;

	pkt->thoff = l3.thoff;
	pkt->has_checksum = udp->check;
	count_segments(skb, nhoff, pkt);
	return UDPTRACK_PACKET_OK;
}

/**
 * udptrack_tuple_parse - read a UDP packet
 * @skb:     the packet
 * @nhoff:   offset of its IP header, in bytes
 * @family:  NFPROTO_IPV4 or NFPROTO_IPV6
 * @ifindex: the interface it came from or leaves by, for link-local scope
 * @pkt:     filled in when UDPTRACK_PACKET_OK is returned; its tuple, but for
 *           the ports, also for UDPTRACK_PACKET_FRAGMENT
 *
 * The header checks are those of RFC 768 and RFC 8200 that nf_conntrack makes
 * too: a UDP length below 8 or beyond the packet is malformed. Zero-length
 * jumbograms (RFC 2675) are refused likewise. The checksum is not verified.
 *
 * Context: any; reads @skb only.
 * Return: UDPTRACK_PACKET_OK or the reason why there is no tuple.
 */
enum udptrack_verdict udptrack_tuple_parse(const struct sk_buff *skb,
					   unsigned int nhoff, u8 family,
					   int ifindex,
					   struct udptrack_packet *pkt)
{
	if (parse_plain(skb, nhoff, family, pkt))
		return UDPTRACK_PACKET_OK;
	return parse_any(skb, nhoff, family, ifindex, pkt);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_tuple_parse);

/*
 * Offset of the packet that an ICMP error quotes, or 0 when it is no error.
 * Both families have eight bytes before the quote (RFC 792, RFC 4443).
 */
static unsigned int quote_offset(const struct sk_buff *skb, u8 family,
				 const struct l3_info *l3)
{
	const struct icmphdr *icmph;
	struct icmphdr buf;

	icmph = skb_header_pointer(skb, l3->thoff, sizeof(buf), &buf);
	if (!icmph)
		return 0;
	if (family == NFPROTO_IPV4) {
		if (l3->protocol != IPPROTO_ICMP || !icmp_is_err(icmph->type))
			return 0;
	} else {
		if (l3->protocol != IPPROTO_ICMPV6 ||
		    (icmph->type & ICMPV6_INFOMSG_MASK))
			return 0;
	}
	return l3->thoff + sizeof(buf);
}

/**
 * udptrack_tuple_parse_quoted - read the UDP packet that an ICMP error quotes
 * @skb:     the ICMP or ICMPv6 packet
 * @nhoff:   offset of its outer IP header, in bytes
 * @family:  NFPROTO_IPV4 or NFPROTO_IPV6
 * @ifindex: the interface it came from or leaves by, for link-local scope
 * @quote:   filled in when UDPTRACK_PACKET_OK is returned
 *
 * An error must quote the IP header and eight bytes more (RFC 792; RFC 4443
 * asks for as much as fits): the ports are there, the rest of the datagram need
 * not be, so the UDP length is not checked against what is left. A first
 * fragment is as good as a whole packet: it is what a router has to quote.
 *
 * Context: any; reads @skb only.
 * Return: UDPTRACK_PACKET_OK or the reason why there is no tuple;
 * UDPTRACK_PACKET_NOT_UDP also for ICMP messages that are no errors, and for
 * later fragments of them, which nobody can tell.
 */
enum udptrack_verdict
udptrack_tuple_parse_quoted(const struct sk_buff *skb, unsigned int nhoff,
			    u8 family, int ifindex,
			    struct udptrack_quote *quote)
{
	struct udptrack_tuple outer = {};
	struct l3_info l3 = {};
	enum udptrack_verdict ret;
	const struct udphdr *udp;
	struct udphdr buf;
	unsigned int offset;

	ret = family == NFPROTO_IPV4 ? parse_ipv4(skb, nhoff, &l3, &outer)
				     : parse_ipv6(skb, nhoff, &l3, &outer);
	if (ret != UDPTRACK_PACKET_OK)
		return ret;
	/* What follows the header of a later fragment is no ICMP header. */
	if (l3.later_fragment)
		return UDPTRACK_PACKET_NOT_UDP;
	offset = quote_offset(skb, family, &l3);
	if (!offset)
		return UDPTRACK_PACKET_NOT_UDP;
	if (l3.fragment)
		return UDPTRACK_PACKET_FRAGMENT;

	quote->to = outer.dst;
	quote->thoff = l3.thoff;
	return parse_headers(skb, offset, family, ifindex, &quote->tuple, &l3,
			     &udp, &buf);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_tuple_parse_quoted);

/**
 * udptrack_key_from_tuple - sort the two ends of a tuple
 * @tuple: the packet's ends
 * @key:   filled in; the same for both directions of a conversation
 *
 * Context: any; pure.
 * Return: which end of @key sent the packet, 0 or 1.
 */
unsigned int udptrack_key_from_tuple(const struct udptrack_tuple *tuple,
				     struct udptrack_key *key)
{
	/* By halves, in the order of memcmp(); IPv4 addresses differ in the first. */
	u64 src = get_unaligned_be64(&tuple->src.all[0]);
	u64 dst = get_unaligned_be64(&tuple->dst.all[0]);
	unsigned int side;

	if (src == dst) {
		src = get_unaligned_be64(&tuple->src.all[2]);
		dst = get_unaligned_be64(&tuple->dst.all[2]);
	}
	if (src == dst) {
		src = ntohs(tuple->sport);
		dst = ntohs(tuple->dport);
	}
	side = src > dst;

	key->addr[side] = tuple->src;
	key->addr[!side] = tuple->dst;
	key->port[side] = tuple->sport;
	key->port[!side] = tuple->dport;
	key->scope = tuple->scope;
	key->family = tuple->family;
	return side;
}
EXPORT_SYMBOL_GPL(udptrack_key_from_tuple);

/**
 * udptrack_key_to_tuple - the tuple of a packet that one end sends
 * @key:   the two ends
 * @side:  which of them sends, 0 or 1
 * @tuple: filled in
 *
 * Context: any; pure.
 */
void udptrack_key_to_tuple(const struct udptrack_key *key, unsigned int side,
			   struct udptrack_tuple *tuple)
{
	*tuple = (struct udptrack_tuple) {
		.src = key->addr[side],
		.dst = key->addr[!side],
		.sport = key->port[side],
		.dport = key->port[!side],
		.scope = key->scope,
		.family = key->family,
	};
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_key_to_tuple);

/**
 * udptrack_key_is_self - does the sender talk to itself?
 * @key: the two ends
 *
 * Context: any; pure.
 * Return: true when both ends are one, so that the tuple is its own inverse.
 */
bool udptrack_key_is_self(const struct udptrack_key *key)
{
	return key->port[0] == key->port[1] &&
	       nf_inet_addr_cmp(&key->addr[0], &key->addr[1]);
}
EXPORT_SYMBOL_IF_KUNIT(udptrack_key_is_self);
