#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make bench`: what a packet costs in udptrack, beside nf_conntrack, and
# whether the goals are reached.
#
#   tests/bench/bench.sh [PART [NAME=VALUE...]]
#
#   all          the three below, one after the other (about 11 minutes)
#   uml          times, at native speed on one processor (User-Mode Linux)
#   icount       instructions, on Debian's kernel and an emulated processor
#   smp          packets a second on one and on two emulated processors
#   quick        the most important times, in less than a minute
#   established  an established packet, in seconds: flows=1000 acct=0 family=4 rounds=5
#   new          first packets: flows=100000 acct=0 family=4 rounds=5
#   full         a table without room: flows=10000 count=100000 rounds=5
#   features     what is on or off, one by one: flows=1000 rounds=5
#   memory       of a flow, with accounting and an owner or bare: flows=1000000 acct=1
#   listing      through /proc: flows=1000000
#   expiry       a million flows time out: flows=1000000 timeout=20
#
# Prints a table and leaves in build/bench/: table.txt, results.csv, cost.svg,
# and PART.csv with the values of all rounds.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cd "$UDPTRACK_TOP"
out=$UDPTRACK_TOP/build/bench
part=${1:-all}
[ $# = 0 ] || shift

# --- in the machine that is measured
if [ -n "${UDPTRACK_BENCH_INSIDE:-}" ]; then
	# Built in, or Debian's.
	modprobe -qa nf_defrag_ipv6 nf_conntrack dummy || true
	insmod "$UDPTRACK_BUILD/udptrack.ko" max=16000000
	insmod "$UDPTRACK_BUILD/udptrack_bench.ko"
	exec python3 tests/bench/guest.py "$part" "$UDPTRACK_RESULTS/$part.csv" "$@"
fi

# build KERNEL: the modules, with the benchmark's and without the unit tests
build() {
	scripts/kernel.sh "$1"
	say "building the modules for $1"
	UDPTRACK_BUILD=$(scripts/build.sh --out "bench/$1" "$1" BENCH=1 CONFIG_KUNIT=)
	export UDPTRACK_BUILD
}

# measure PART [NAME=VALUE...]: in the machine it is for
measure() {
	local p=$1
	rm -f "$out/$p.csv"
	case $p in
	uml|quick|established|new|full|features|memory|listing|expiry)
		build uml
		scripts/uml.sh --mem 6144 --timeout 3600 --log "$out/$p.kernel.log" --results "$out" \
			--env UDPTRACK_BENCH_INSIDE=1 -- tests/bench/bench.sh "$@" ;;
	icount)
		build 6.12
		scripts/vm.sh --kernel 6.12 --icount --cpus 1 --mem 3072 --timeout 3600 --log "$out/$p.kernel.log" \
			--results "$out" --env UDPTRACK_BENCH_INSIDE=1 -- tests/bench/bench.sh "$@" ;;
	smp)
		build 6.12
		scripts/vm.sh --kernel 6.12 --parallel --cpus 2 --mem 3072 --timeout 3600 --log "$out/$p.kernel.log" \
			--results "$out" --env UDPTRACK_BENCH_INSIDE=1 -- tests/bench/bench.sh "$@" ;;
	esac
}

case $part in
all) parts=(uml icount smp) ;;
uml|icount|smp|quick|established|new|full|features|memory|listing|expiry) parts=("$part") ;;
*) sed -n '5,26s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
setup=(build bench)
[[ " ${parts[*]} " =~ \ (icount|smp)\  ]] && setup+=(vm)
scripts/setup.sh "${setup[@]}"
mkdir -p "$out"
number=0
for p in "${parts[@]}"; do
	number=$((number + 1))
	say "[$number/${#parts[@]}] $p"
	measure "$p" "$@"
done
tests/bench/report.py "$out" "${parts[@]}"
say "values of all rounds: $out/*.csv; drawing: $out/cost.svg"
