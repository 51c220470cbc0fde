# SPDX-License-Identifier: GPL-2.0-only
#
# Owns build/tools/: builds and installs what is not a module: the plugin of
# iptables, and the command udptrack with its man page and completion.  Called
# by the Makefile.  DESTDIR= goes before where things are installed, which is
# below PREFIX=.

CFLAGS    ?= -O2 -g
CFLAGS    += -Wall -Wextra -Wno-unused-parameter
PREFIX    ?= /usr/local
OUT       := build/tools
CLI       := $(sort $(wildcard src/cli/*.c))
CLI_LIBS  := libmnl ncurses jansson

.PHONY: all install
all: $(OUT)/libxt_udptrack.so $(OUT)/udptrack

# need WHAT LIBRARY PACKAGE: stop with a clear message where it is missing
need = $(if $(shell pkg-config --exists $2 2>/dev/null && echo found),,\
	@echo "$1 needs $2.  On Debian: apt-get install pkgconf $3" >&2; false)

$(OUT)/libxt_udptrack.so: src/xt/libxt_udptrack.c include/uapi/linux/netfilter/xt_udptrack.h
	$(call need,The plugin of iptables,xtables,libxtables-dev)
	@mkdir -p $(OUT)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -fPIC -o $@ $< $$(pkg-config --cflags --libs xtables)

# Under another name first, so that a broken build leaves no program behind.
$(OUT)/udptrack: $(CLI) $(wildcard src/cli/*.h) include/uapi/linux/udptrack.h src/version.h
	$(call need,The command udptrack,libmnl,libmnl-dev)
	$(call need,The command udptrack,ncurses,libncurses-dev)
	$(call need,The command udptrack,jansson,libjansson-dev)
	@mkdir -p $(OUT)
	$(CC) -D_GNU_SOURCE $(CFLAGS) $(LDFLAGS) -o $@.new $(CLI) $$(pkg-config --cflags --libs $(CLI_LIBS))
	@mv -f $@.new $@

install: all
	install -D -m 644 -t "$(DESTDIR)$$(pkg-config --variable=xtlibdir xtables)" $(OUT)/libxt_udptrack.so
	install -D -m 755 -t "$(DESTDIR)$(PREFIX)/sbin" $(OUT)/udptrack
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/man/man8" src/cli/udptrack.8
	install -D -m 644 src/cli/udptrack.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/udptrack"
