/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of UDP ports: see ports.c. */
#ifndef UDPTRACK_PORTS_H
#define UDPTRACK_PORTS_H

#include <linux/bitmap.h>
#include <linux/types.h>

#define UDPTRACK_PORTS	65536

/**
 * struct udptrack_ports - a set of UDP ports
 * @bits: a bit a port, or NULL while the set was never written to; set once,
 *        its bits changed in place
 */
struct udptrack_ports {
	unsigned long *bits;
};

/*
 * A hint which ports are mentioned anywhere: a bit for each remainder of a port.
 * A bit that is not set speaks for all the ports it stands for.
 */
#define UDPTRACK_PORTS_HINT	512
#define UDPTRACK_PORTS_HINT_LONGS	BITS_TO_LONGS(UDPTRACK_PORTS_HINT)

int udptrack_ports_parse(struct udptrack_ports *ports, const char *text);
int udptrack_ports_copy(struct udptrack_ports *to,
			const struct udptrack_ports *from);
int udptrack_ports_alloc(struct udptrack_ports *ports);
void udptrack_ports_free(struct udptrack_ports *ports);
void udptrack_ports_hint_at(const struct udptrack_ports *ports,
			    unsigned long *hint);

/**
 * udptrack_ports_has - is a port in the set?
 * @ports: the set
 * @port:  the port
 *
 * Context: any. While a writer replaces the set, each port is answered for
 * before or after the change.
 * Return: true when it is.
 */
static inline bool udptrack_ports_has(const struct udptrack_ports *ports,
				      __be16 port)
{
	/* Pairs with the release in udptrack_ports_alloc(). */
	const unsigned long *bits = smp_load_acquire(&ports->bits);

	return unlikely(bits) && test_bit(ntohs(port), bits);
}

/**
 * udptrack_ports_hinted - is it worth while to look for a port?
 * @hint: UDPTRACK_PORTS_HINT bits
 * @port: the port
 *
 * Context: any.
 * Return: false when it is mentioned nowhere.
 */
static inline bool udptrack_ports_hinted(const unsigned long *hint, __be16 port)
{
	return test_bit(ntohs(port) % UDPTRACK_PORTS_HINT, hint);
}

#endif
