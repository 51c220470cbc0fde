/* SPDX-License-Identifier: GPL-2.0-only */
/* The one place that says which version this is. */
#ifndef UDPTRACK_VERSION_H
#define UDPTRACK_VERSION_H

#define UDPTRACK_VERSION "0.1.0"

#endif
