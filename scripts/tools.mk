# SPDX-License-Identifier: GPL-2.0-only
#
# Owns build/tools/: builds and installs what is not a module.  Called by the
# Makefile.  DESTDIR= goes before where things are installed.

CFLAGS    ?= -O2 -g
CFLAGS    += -Wall -Wextra -Wno-unused-parameter
OUT       := build/tools
PKG       := $(shell pkg-config --exists xtables 2>/dev/null && echo found)

.PHONY: all install
all: $(OUT)/libxt_udptrack.so

ifeq ($(PKG),)
$(OUT)/libxt_udptrack.so:
	@echo "The plugin of iptables needs libxtables.  On Debian:" >&2
	@echo "apt-get install pkg-config libxtables-dev" >&2
	@false
else
$(OUT)/libxt_udptrack.so: src/xt/libxt_udptrack.c include/uapi/linux/netfilter/xt_udptrack.h
	@mkdir -p $(OUT)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -fPIC -o $@ $< $$(pkg-config --cflags --libs xtables)
endif

install: all
	install -D -m 644 -t "$(DESTDIR)$$(pkg-config --variable=xtlibdir xtables)" $(OUT)/libxt_udptrack.so
