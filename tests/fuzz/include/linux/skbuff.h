/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet in two pieces: see skb.c. */
#ifndef FUZZ_LINUX_SKBUFF_H
#define FUZZ_LINUX_SKBUFF_H

#include <linux/types.h>

enum {
	SKB_GSO_UDP = 1,
	SKB_GSO_UDP_L4 = 2,
	SKB_GSO_OTHER = 4,
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
	unsigned int gso_type;
};

/**
 * struct sk_buff - a packet
 * @len:     bytes of it
 * @headlen: bytes of these in @data, the rest is in @paged
 * @data:    memory of exactly that size
 * @paged:   likewise
 * @shinfo:  how many datagrams it is
 */
struct sk_buff {
	unsigned int len;
	unsigned int headlen;
	u8 *data;
	u8 *paged;
	struct skb_shared_info shinfo;
};

static inline const struct skb_shared_info *skb_shinfo(const struct sk_buff *skb)
{
	return &skb->shinfo;
}

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb->shinfo.gso_size;
}

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->headlen;
}

const void *skb_header_pointer(const struct sk_buff *skb, int offset, int len,
			       void *buffer);

/* Not the kernel's: */
void skb_make(struct sk_buff *skb, const u8 *bytes, unsigned int len,
	      unsigned int headlen);
void skb_drop(struct sk_buff *skb);

#endif
