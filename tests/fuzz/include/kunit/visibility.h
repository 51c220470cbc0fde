/* SPDX-License-Identifier: GPL-2.0-only */
/* EXPORT_SYMBOL_IF_KUNIT() is in the Makefile. */
