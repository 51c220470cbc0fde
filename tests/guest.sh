#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tests inside the virtual machine, for run.sh.
#
#   tests/guest.sh e2e FILE.t ...   one after the other
#   tests/guest.sh kunit            loads udptrack_kunit.ko, keeps what it says
#
# For NAME.t it leaves NAME.tap and NAME.err as they are written, and NAME.exit
# with the exit status at the end, in $UDPTRACK_RESULTS.

set -u
cd "$(dirname "$0")/.." || exit 1
results=${UDPTRACK_RESULTS:?}
limit=${UDPTRACK_TEST_TIMEOUT:-600}

# run_test FILE LABEL: run it, say how it went
run_test() {
	local file=$1 name begin=$EPOCHREALTIME status good bad ms
	name=$(basename "$file" .t)
	printf '%s ' "$2"
	: >"$results/$name.tap"
	# Not as one of this shell's own jobs, so that it does not report kills.
	status=$({
		timeout -k 30 "$limit" bash "$file" >>"$results/$name.tap" 2>"$results/$name.err" </dev/null
		echo "$?"
	} 2>/dev/null)
	echo "$status" >"$results/$name.exit"
	ms=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
	good=$(grep -c '^ok' "$results/$name.tap")
	bad=$(grep -c '^not ok' "$results/$name.tap")
	printf '%d ok, %d not ok, %d.%d s\n' "$good" "$bad" $((ms / 1000)) $((ms % 1000 / 100))
	[ "$status" = 0 ] && return
	# What failed, with the remarks that follow.
	awk '/^not ok/ { show = 60; print; next } /^#/ { if (show-- > 0) print; next } { show = 0 }' \
		"$results/$name.tap" | sed 's/^/    /'
	grep '^Bail out' "$results/$name.tap"
	[ "$ms" -lt $((limit * 1000)) ] || echo "    did not end within $limit s and was ended"
	[ -s "$results/$name.err" ] && head -n 20 "$results/$name.err" | sed 's/^/    stderr: /'
	return 1
}

job=${1:-}
shift
case $job in
e2e)
	number=0
	for file in "$@"; do
		number=$((number + 1))
		run_test "$file" "  [$number/$#] $(basename "$file")"
	done ;;
kunit)
	run_test tests/guest-kunit.t '  loading udptrack_kunit:' ;;
*)
	echo "usage: tests/guest.sh e2e FILE.t ... | kunit" >&2
	exit 2 ;;
esac
dmesg >"$results/dmesg"
echo 0 >"$results/finished"
