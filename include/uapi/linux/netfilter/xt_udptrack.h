/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What iptables and the match xt_udptrack say to each other: a set of states,
 * and whether a packet's state is to be in it. The layout is the same for 32-
 * and 64-bit programs.
 */
#ifndef _XT_UDPTRACK_H
#define _XT_UDPTRACK_H

#include <linux/types.h>

/* A bit for each state; bit 0 has no meaning. */
#define XT_UDPTRACK_NEW		(1 << 1)
#define XT_UDPTRACK_ESTABLISHED	(1 << 2)
#define XT_UDPTRACK_RELATED	(1 << 3)
#define XT_UDPTRACK_INVALID	(1 << 4)
#define XT_UDPTRACK_UNTRACKED	(1 << 5)
#define XT_UDPTRACK_STATES	(XT_UDPTRACK_NEW | XT_UDPTRACK_ESTABLISHED | \
				 XT_UDPTRACK_RELATED | XT_UDPTRACK_INVALID | \
				 XT_UDPTRACK_UNTRACKED)

/* Flags. */
#define XT_UDPTRACK_INVERT	(1 << 0)
#define XT_UDPTRACK_FLAGS	XT_UDPTRACK_INVERT

/**
 * struct xt_udptrack_info - what a rule asks for
 * @states: XT_UDPTRACK_NEW and so on, at least one
 * @flags:  XT_UDPTRACK_INVERT: match the states that are not named
 *
 * A packet that is neither UDP nor an ICMP error about UDP has no state and
 * matches neither way.
 */
struct xt_udptrack_info {
	__u16 states;
	__u16 flags;
};

#endif
