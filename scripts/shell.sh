#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest, for `make shell`: loads the module and gives a prompt.
# UDPTRACK_BUILD is where the .ko files are.

set -u
for module in udptrack xt_udptrack; do
	[ -f "$UDPTRACK_BUILD/$module.ko" ] && insmod "$UDPTRACK_BUILD/$module.ko"
done
cat <<TEXT
udptrack is loaded on Linux $(uname -r).  Nothing done here reaches the host.
  cat /proc/net/udptrack                 the flows
  sysctl -a -r udptrack                  the settings
  ls $UDPTRACK_BUILD
Leave with 'exit' or Ctrl-D: the machine is then turned off.
TEXT
PS1='udptrack# ' exec bash --norc
