#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Netlink requests at random (nlfuzz.c), from somebody who is root of no more than
# a network namespace of their own: the kernel has nothing to complain about,
# their tracker works on, and nothing changes for anybody else.
# UDPTRACK_NLFUZZ=200000 sends more of them.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

messages=20000
[ "$UDPTRACK_KERNEL" = debug ] && messages=2000
messages=${UDPTRACK_NLFUZZ:-$messages}
seed=${UDPTRACK_NLFUZZ_SEED:-$EPOCHSECONDS}
diag "seed $seed"

load_udptrack timeout=3600
new_netns other
in_ns other "$BIN/flood" -P 1234 -p 5678 >/dev/null
# settings: those of the other namespace
settings() { in_ns other bash -c 'cd /proc/sys/net/netfilter && tail -n +1 udptrack_*'; }
settings=$(settings)
flows=$(in_ns other sed 's/ 17 [0-9]* / 17 /' /proc/net/udptrack)

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if ! "${nobody[@]}" unshare -Urn true 2>/dev/null; then
	skip_all 'this kernel lets users make no user namespaces'
fi
# shellcheck disable=SC2016 # for that shell
said=$("${nobody[@]}" unshare -Ur unshare -n bash -c '
	ip link set lo up
	echo 0 >/proc/sys/net/netfilter/udptrack_require_listener
	"$0/nlfuzz" "$1" "$2" || echo "status $?"
	for name in events:1 loopback:1 max:100 timeout:60 checksum:0 require_listener:0; do
		echo "${name#*:}" >"/proc/sys/net/netfilter/udptrack_${name%:*}"
	done
	"$0/flood" -P 4321 -p 8765 >/dev/null
	grep -c "sport=4321 dport=8765" /proc/net/udptrack' "$BIN" "$messages" "$seed" 2>&1)
mapfile -t lines <<<"$said"
like "${lines[0]}" "^sent $messages ok [0-9]+ errors [0-9]+ dumped [1-9][0-9]*\$" "$messages requests, and all were answered"
is "${lines[1]:-}" 1 'their tracker still tracks'
diag "$said"
is "$(in_ns other sed 's/ 17 [0-9]* / 17 /' /proc/net/udptrack)" "$flows" "the flows of others are as before"
is "$(settings)" "$settings" 'as are their settings'

done_testing
