// SPDX-License-Identifier: GPL-2.0-only
/*
 * skb - packets for the parsers to read.
 *
 * Owns both pieces of a packet. Each is memory of exactly its size, so that the
 * address sanitizer sees a byte read beyond either; what lies across the border
 * must be copied.
 */
#include <stdlib.h>
#include <linux/skbuff.h>
#include <net/ipv6.h>

static u8 *piece(const u8 *bytes, unsigned int len)
{
	u8 *copy = malloc(len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* A packet of these bytes, the first @headlen of them linear. */
void skb_make(struct sk_buff *skb, const u8 *bytes, unsigned int len,
	      unsigned int headlen)
{
	if (headlen > len)
		headlen = len;
	*skb = (struct sk_buff) {
		.len = len,
		.headlen = headlen,
		.data = piece(bytes, headlen),
		.paged = piece(bytes + headlen, len - headlen),
	};
}

void skb_drop(struct sk_buff *skb)
{
	free(skb->data);
	free(skb->paged);
}

const void *skb_header_pointer(const struct sk_buff *skb, int offset, int len,
			       void *buffer)
{
	unsigned int end = offset + len, linear = 0;

	if (end <= skb->headlen)
		return skb->data + offset;
	if (end > skb->len)
		return NULL;
	if ((unsigned int)offset < skb->headlen) {
		linear = skb->headlen - offset;
		memcpy(buffer, skb->data + offset, linear);
		offset = skb->headlen;
	}
	memcpy((u8 *)buffer + linear, skb->paged + offset - skb->headlen,
	       len - linear);
	return buffer;
}

/*
 * RFC 8200, 4: where the headers that may precede the payload end. As in the
 * kernel, a fragment but the first is left at its fragment header, and whoever
 * is cut short or has no payload ends with a negative number.
 */
int ipv6_skip_exthdr(const struct sk_buff *skb, int start, u8 *nexthdr,
		     __be16 *frag_off)
{
	const struct frag_hdr *frag;
	struct frag_hdr frag_buf;
	const u8 *header;
	u8 buf[2];

	*frag_off = 0;
	for (;;) {
		switch (*nexthdr) {
		case NEXTHDR_NONE:
			return -1;
		case NEXTHDR_FRAGMENT:
			/* The last half of it is not looked at. */
			frag = skb_header_pointer(skb, start, 4, &frag_buf);
			if (!frag)
				return -1;
			*frag_off = frag->frag_off;
			if (frag->frag_off & htons(IP6_OFFSET))
				return start;
			*nexthdr = frag->nexthdr;
			start += 8;
			break;
		case NEXTHDR_HOP:
		case NEXTHDR_ROUTING:
		case NEXTHDR_DEST:
		case NEXTHDR_AUTH:
			header = skb_header_pointer(skb, start, 2, buf);
			if (!header)
				return -1;
			start += *nexthdr == NEXTHDR_AUTH ? 4 * (header[1] + 2)
							  : 8 * (header[1] + 1);
			*nexthdr = header[0];
			break;
		default:
			return start;
		}
	}
}
