#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a table of a million flows takes to show and to empty: boots Debian's
# kernel with memory enough, lets the same packets fill udptrack and nf_conntrack,
# and prints a table of times.  Takes about ten minutes under emulation.
#
#   tests/bench/million.sh [6.1|6.12] [THOUSANDS]
#
# THOUSANDS of flows (1000), and ten more from another address, which are those
# of the filtered dump.  Each dump is made three times, the trackers in turn; the
# table has the median.  A request as such is sent, and its answer read and
# counted (ask.c); beside it, the same by the command `conntrack`.
# Emulated time is long; what counts is the ratio.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cd "$UDPTRACK_TOP"
kernel=${1:-6.12}
thousands=${2:-1000}

if [ -z "${UDPTRACK_MILLION_INSIDE:-}" ]; then
	check_kernel_name "$kernel"
	scripts/setup.sh build vm test
	scripts/kernel.sh "$kernel"
	say "building for $kernel"
	scripts/build.sh "$kernel" >/dev/null
	make -s -C tests/e2e
	mkdir -p build/bench
	gcc -O2 -Wall -Wextra -o build/bench/ask tests/bench/ask.c -lmnl
	say "measuring on $kernel, about ten minutes"
	UDPTRACK_BUILD=$UDPTRACK_TOP/build/$kernel scripts/vm.sh --kernel "$kernel" --mem 4096 --timeout 3000 \
		--env UDPTRACK_MILLION_INSIDE=1 -- tests/bench/million.sh "$kernel" "$thousands"
	exit
fi

ask=build/bench/ask flood=build/e2e/flood
few=192.0.2.9

# median NUMBER...
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# took COMMAND...: what ask says it took, into TOOK; into COUNT what it counted
took() { read -r TOOK COUNT < <("$ask" "$@"); }

# timed COMMAND...: run it and throw away what it prints; into TOOK, how long it took
timed() {
	local from=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1
	TOOK=$(((${EPOCHREALTIME/./} - from) / 1000))
}

row() { printf '%-44s %14s %14s\n' "$@"; }

insmod_with_needs() {
	local module
	for module in $(modinfo -F depends "$UDPTRACK_BUILD/udptrack.ko" | tr ',' ' '); do
		modprobe "$module"
	done
	insmod "$UDPTRACK_BUILD/udptrack.ko" "$@"
}

insmod_with_needs max=$((thousands * 2000)) timeout=86400
modprobe nf_conntrack hashsize=$((thousands * 1024))
modprobe -a iptable_filter nf_conntrack_netlink
sysctl -qw net.netfilter.nf_conntrack_max=$((thousands * 2000)) net.netfilter.nf_conntrack_udp_timeout=86400 \
	net.netfilter.nf_conntrack_acct=1
# A rule that asks for it is what makes nf_conntrack look at packets.
iptables-legacy -A INPUT -p icmp -m conntrack --ctstate INVALID
ip link add sink type dummy
ip addr add 192.0.2.1/24 dev sink
ip addr add $few/24 dev sink
ip link set sink up

from=${EPOCHREALTIME/./}
"$flood" -s 192.0.2.1 -d 192.0.2.77 -P 10000 -S 1000 -p 20000 -D $((thousands / 2)) >/dev/null &
"$flood" -s 192.0.2.1 -d 192.0.2.77 -P 11000 -S 1000 -p 20000 -D $((thousands - thousands / 2)) >/dev/null
wait
"$flood" -s $few -d 192.0.2.77 -P 10000 -S 10 >/dev/null
flows=$(sysctl -n net.netfilter.udptrack_count)
say "$flows flows, $(sysctl -n net.netfilter.nf_conntrack_count) in nf_conntrack, made in $(((${EPOCHREALTIME/./} - from) / 1000)) ms"
[ "$flows" -ge $((thousands * 1000 + 10)) ] || die "not all flows are there"

ours=() theirs=() command=() few_ours=() few_command=() proc=()
for _ in 1 2 3; do
	took udptrack dump && ours+=("$TOOK")
	[ "$COUNT" = "$flows" ] || die "the dump shows $COUNT flows"
	took conntrack dump && theirs+=("$TOOK")
	[ "$COUNT" -ge $((thousands * 1000)) ] || die "the dump of nf_conntrack shows $COUNT flows"
	timed conntrack -L -p udp && command+=("$TOOK")
	timed cat /proc/net/udptrack && proc+=("$TOOK")
	took udptrack few $few && few_ours+=("$TOOK")
	[ "$COUNT" = 10 ] || die "the filtered dump shows $COUNT flows"
	timed conntrack -L -p udp -s $few && few_command+=("$TOOK")
done
shown=$(conntrack -L -p udp -s $few 2>/dev/null | wc -l)
[ "$shown" = 10 ] || die "conntrack -L -s shows $shown flows"
took udptrack flush
flush_ours=$TOOK
took conntrack flush
flush_theirs=$TOOK

row "milliseconds, $flows flows, Linux $kernel" udptrack nf_conntrack
row 'dump' "$(median "${ours[@]}")" "$(median "${theirs[@]}")"
row 'the same: /proc/net/udptrack, conntrack -L' "$(median "${proc[@]}")" "$(median "${command[@]}")"
row 'dump of 10: filter, conntrack -L -s' "$(median "${few_ours[@]}")" "$(median "${few_command[@]}")"
row 'flush' "$flush_ours" "$flush_theirs"
say "left: $(sysctl -n net.netfilter.udptrack_count), $(sysctl -n net.netfilter.nf_conntrack_count)"
