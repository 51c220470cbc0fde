/* SPDX-License-Identifier: GPL-2.0-only */
/* A network namespace may have its own table of UDP sockets since 6.2. */
#ifndef UDPTRACK_COMPAT_NET_UDP_H
#define UDPTRACK_COMPAT_NET_UDP_H

#include <linux/version.h>
#include_next <net/udp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define net_udp_table(net) (&udp_table)
#else
#define net_udp_table(net) ((net)->ipv4.udp_table)
#endif

#endif
