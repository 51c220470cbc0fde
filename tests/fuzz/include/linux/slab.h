/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that the one who fuzzes may refuse. */
#ifndef FUZZ_LINUX_SLAB_H
#define FUZZ_LINUX_SLAB_H

#include <stddef.h>

#define GFP_ATOMIC	0
#define __GFP_NOWARN	0

void *kzalloc(size_t size, int flags);
void kfree(const void *p);

#endif
