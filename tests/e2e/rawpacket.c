// SPDX-License-Identifier: GPL-2.0-only
/*
 * rawpacket - makes UDP packets by hand, whole, broken or in pieces, and ICMP
 * errors that quote them.
 *
 * Owns nothing; from a description to bytes. The kernel fills in the checksum
 * of the IPv4 header when such a packet is sent; a quoted one goes without.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>

#include "rawpacket.h"

static unsigned int sum_bytes(const void *data, size_t len, unsigned int sum)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static unsigned short fold(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The pseudo header: RFC 768, RFC 8200. */
static unsigned int pseudo_sum(int family, int protocol,
			       const struct in6_addr *src,
			       const struct in6_addr *dst, size_t len)
{
	size_t addr_len = family == AF_INET ? 4 : 16;
	unsigned int sum = protocol + len;

	sum = sum_bytes(src, addr_len, sum);
	return sum_bytes(dst, addr_len, sum);
}

static unsigned short udp_sum(const struct raw_packet *p,
			      const unsigned char *udp, size_t len)
{
	unsigned int sum = pseudo_sum(p->family, IPPROTO_UDP, &p->src, &p->dst,
				      len);
	unsigned short folded = fold(sum_bytes(udp, len, sum));

	return folded ? folded : 0xffff;
}

/* The UDP header and payload, before anything is cut off. */
static size_t build_datagram(const struct raw_packet *p, unsigned char *buf)
{
	size_t len = sizeof(struct udphdr) + p->size;
	struct udphdr udp = {
		.source = htons(p->sport),
		.dest = htons(p->dport),
		.len = htons(p->ulen < 0 ? len : (size_t)p->ulen),
	};
	unsigned short sum;

	memcpy(buf, &udp, sizeof(udp));
	memset(buf + sizeof(udp), 'x', p->size);
	if (p->head)
		memcpy(buf + sizeof(udp), p->head, p->head_len);
	sum = udp_sum(p, buf, len);
	/* Adding 1 may not make it 0, which says that there is none. */
	if (p->sum == RAW_SUM_BAD)
		sum = sum == 0xffff ? 1 : sum + 1;
	if (p->sum != RAW_SUM_ZERO)
		udp.check = htons(sum);
	memcpy(buf, &udp, sizeof(udp));
	return len;
}

static size_t build_ipv4(const struct raw_packet *p, size_t len, bool more,
			 unsigned char *buf)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tos = p->tos,
		.tot_len = htons(sizeof(ip) + len),
		.id = htons(p->id),
		.ttl = 64,
		.protocol = p->protocol ? p->protocol : IPPROTO_UDP,
	};

	if (p->frag_off >= 0)
		ip.frag_off = htons(p->frag_off / 8 | (more ? IP_MF : 0));
	memcpy(&ip.saddr, &p->src, 4);
	memcpy(&ip.daddr, &p->dst, 4);
	memcpy(buf, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t build_ipv6(const struct raw_packet *p, size_t len, bool more,
			 unsigned char *buf)
{
	bool piece = p->frag_off >= 0;
	int protocol = p->protocol ? p->protocol : IPPROTO_UDP;
	struct ip6_frag frag = { .ip6f_nxt = protocol };
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6 << 28 | p->tos << 20),
		.ip6_plen = htons(len + (piece ? sizeof(frag) : 0)),
		.ip6_nxt = piece ? IPPROTO_FRAGMENT : protocol,
		.ip6_hlim = 64,
		.ip6_src = p->src,
		.ip6_dst = p->dst,
	};

	memcpy(buf, &ip, sizeof(ip));
	if (!piece)
		return sizeof(ip);
	frag.ip6f_offlg = htons(p->frag_off) | (more ? IP6F_MORE_FRAG : 0);
	frag.ip6f_ident = htonl(p->id);
	memcpy(buf + sizeof(ip), &frag, sizeof(frag));
	return sizeof(ip) + sizeof(frag);
}

/**
 * raw_build - make a packet
 * @p:   what it is to be; cut and frag_off lie within it
 * @buf: RAW_MAX bytes for it
 *
 * Return: its length, from the IP header on, or 0 when it would be too long.
 */
size_t raw_build(const struct raw_packet *p, unsigned char *buf)
{
	unsigned char datagram[RAW_MAX];
	size_t from = 0, len, headers;
	bool more = false;

	if (p->size > RAW_MAX - 128)
		return 0;
	len = build_datagram(p, datagram);
	if (p->cut >= 0 && (size_t)p->cut < len)
		len = p->cut;
	if (p->frag_off >= 0) {
		from = p->frag_off;
		if (from > len)
			return 0;
		more = from + p->frag_len < len;
		len = more ? (size_t)p->frag_len : len - from;
	}
	headers = p->family == AF_INET ? build_ipv4(p, len, more, buf)
				       : build_ipv6(p, len, more, buf);
	memcpy(buf + headers, datagram + from, len);
	return headers + len;
}

/**
 * raw_build_icmp - make an ICMP or ICMPv6 message that quotes a packet
 * @icmp: what it is to be
 * @buf:  RAW_MAX bytes for it
 *
 * Return: its length, from the IP header on, or 0 when it would be too long.
 */
size_t raw_build_icmp(const struct raw_icmp *icmp, unsigned char *buf)
{
	int family = icmp->quoted.family;
	struct raw_packet outer = {
		.family = family,
		.protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.src = icmp->src,
		.dst = icmp->dst,
		.frag_off = icmp->frag ? 0 : -1,
		.id = 1,
		.tos = icmp->tos,
	};
	/* In ICMP the MTU takes the last two of the eight, in ICMPv6 four. */
	unsigned char message[RAW_MAX] = {
		icmp->type, icmp->code,
		[6] = icmp->mtu >> 8, [7] = icmp->mtu & 0xff,
	};
	unsigned short check;
	unsigned int sum = 0;
	size_t len, headers;

	len = raw_build(&icmp->quoted, message + 8);
	if (!len || len > RAW_MAX - 128)
		return 0;
	len = 8 + (len < icmp->quote ? len : icmp->quote);
	if (family == AF_INET6)
		sum = pseudo_sum(family, IPPROTO_ICMPV6, &icmp->src, &icmp->dst,
				 len);
	check = fold(sum_bytes(message, len, sum));
	if (icmp->sum == RAW_SUM_BAD)
		check = check == 0xfffe ? 1 : check + 1;
	check = htons(check);
	memcpy(message + 2, &check, sizeof(check));
	headers = family == AF_INET ? build_ipv4(&outer, len, icmp->frag, buf)
				    : build_ipv6(&outer, len, icmp->frag, buf);
	memcpy(buf + headers, message, len);
	return headers + len;
}
