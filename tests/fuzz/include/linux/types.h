/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's short names of types, and what it has everywhere. */
#ifndef FUZZ_LINUX_TYPES_H
#define FUZZ_LINUX_TYPES_H

#include_next <linux/types.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

#define __percpu
#define noinline		__attribute__((noinline))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#define ntohs(x)		be16toh(x)
#define htons(x)		htobe16(x)
#define ntohl(x)		be32toh(x)
#define DIV_ROUND_UP(n, d)	\
	({ unsigned int _d = (d); ((n) + _d - 1) / _d; })
#define max(a, b)	\
	({ unsigned int _a = (a), _b = (b); _a > _b ? _a : _b; })
#define min_t(type, a, b)	\
	({ type _a = (a), _b = (b); _a < _b ? _a : _b; })

#endif
