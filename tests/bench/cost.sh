#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tracker costs, in instructions: boots Debian's kernel on an emulated
# processor whose clock counts them, and shows a table.  Takes about two minutes.
#
#   tests/bench/cost.sh [6.1|6.12]
#
# A question and its answer pass four hooks, two in each namespace: the figure is
# of both packets at both ends.  An open is the first packet of a flow, which is
# made at both ends.  What the stack itself needs is the first row; the others
# say what comes on top.  nf_conntrack stands beside for comparison.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cd "$UDPTRACK_TOP"
kernel=${1:-6.12}

if [ -z "${UDPTRACK_COST_INSIDE:-}" ]; then
	check_kernel_name "$kernel"
	scripts/setup.sh build vm test
	scripts/kernel.sh "$kernel"
	say "building for $kernel"
	scripts/build.sh "$kernel" >/dev/null
	make -s tools
	mkdir -p build/bench
	gcc -O2 -Wall -Wextra -o build/bench/exchange tests/bench/exchange.c
	say "measuring on $kernel, two minutes"
	UDPTRACK_BUILD=$UDPTRACK_TOP/build/$kernel scripts/vm.sh --kernel "$kernel" --icount --cpus 1 \
		--timeout 600 --env UDPTRACK_COST_INSIDE=1 -- tests/bench/cost.sh "$kernel"
	exit
fi

exchange=build/bench/exchange
pairs=3000 opens=2000
# netns up and down, so that each row begins with empty tables
up() {
	ip netns add c
	ip netns add s
	ip -n c link add eth0 type veth peer name eth0 netns s
	ip -n c addr add 192.0.2.1/24 dev eth0
	ip -n s addr add 192.0.2.2/24 dev eth0
	ip -n c link set eth0 up
	ip -n s link set eth0 up
	ip netns exec c ping -qc1 192.0.2.2 >/dev/null
}
down() { ip netns del c; ip netns del s; }

# row WHAT LOAD UNLOAD [RULE]: measure in fresh namespaces, each with that rule
base_pair=0 base_open=0
row() {
	local what=$1 pair open ns
	$2
	up
	for ns in ${4:+c s}; do
		# shellcheck disable=SC2086 # words
		ip netns exec $ns $4
	done
	"$exchange" c s pairs 200 >/dev/null
	pair=$("$exchange" c s pairs $pairs)
	open=$("$exchange" c s opens $opens)
	down
	$3
	if [ "$base_pair" = 0 ]; then
		base_pair=$pair base_open=$open
		printf '%-46s %12d %12d\n' "$what" "$pair" "$open"
	else
		printf '%-46s %+12d %+12d\n' "$what" $((pair - base_pair)) $((open - base_open))
	fi
}

# Rules go with their namespaces, which takes a moment.
unload_match() {
	local i
	for ((i = 0; i < 100; i++)); do
		{ rmmod xt_udptrack && rmmod udptrack; } 2>/dev/null && return
		sleep 0.1
	done
	return 1
}
ours() { insmod "$UDPTRACK_BUILD/udptrack.ko" "$@"; }
both() { ours && insmod "$UDPTRACK_BUILD/xt_udptrack.ko"; }
XTABLES_LIBDIR=$UDPTRACK_TOP/build/tools:$(pkg-config --variable=xtlibdir xtables)
export XTABLES_LIBDIR
modprobe -a nf_defrag_ipv4 nf_defrag_ipv6
modprobe iptable_filter
printf '%-46s %12s %12s\n' 'instructions' 'pair' 'open'
row 'without a tracker' true true
row 'udptrack, accounting and DNS off' 'ours acct=0 dns=0' 'rmmod udptrack'
row 'udptrack, DNS off' 'ours dns=0' 'rmmod udptrack'
row 'udptrack, as it is by default' ours 'rmmod udptrack'
row 'udptrack, and seven port_timeouts' \
	'ours port_timeouts=53:30:120,1:1,2:2,3:3,4:4,5:5,6:6' 'rmmod udptrack'
row 'udptrack, dns=2' 'ours dns=2' 'rmmod udptrack'
row 'udptrack, bind_guard=1' 'ours bind_guard=1' 'rmmod udptrack'
row 'udptrack, exempt_ports=53' 'ours exempt_ports=53' 'rmmod udptrack'
row 'udptrack, a rule of its match' both unload_match \
	'iptables-legacy -A INPUT -p udp -m udptrack --state INVALID'
row 'nf_conntrack' 'modprobe nf_conntrack' true \
	'iptables-legacy -A INPUT -p icmp -m conntrack --ctstate INVALID'
