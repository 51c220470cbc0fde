#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make torture`: boots the kernel that finds data races with 2, then with 4
# processors that truly run at once, and has them do everything to a table at once
# for minutes; see tests/kunit/torture.c.
#
#   tests/torture.sh                from the environment:
#     MINUTES=30                    in all
#     CPUS="2 4"                    processors of the machines, one after another
#     KERNEL=kcsan                  or debug
#   tests/torture.sh --races LOG    the data races of a kernel's log that are ours
#
# Says every 30 seconds how far it is.  A race, a warning, a taint, a machine that
# dies are failures.  Races among other parts of the kernel are only counted: it has
# some of its own.  Ends with the line
#
#   N passed, N failed
#
# and status 0 only if nothing failed and something passed.  Logs are left in
# build/torture/.

set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
cd "$UDPTRACK_TOP" || exit 1

MINUTES=${MINUTES:-30}
CPUS=${CPUS:-2 4}
KERNEL=${KERNEL:-kcsan}
out=$UDPTRACK_TOP/build/torture
passed=0 failed=0

say() { printf '%s\n' "$*"; }

# Races of the kernel with itself which we cannot but provoke: pairs of functions,
# each of which does nothing else that could race with the other.
KNOWN=(
	# Who looks into an XArray under RCU, while it changes under its lock.
	'xas?_(start|load|find|descend|next|find_marked) / xas_(store|create|expand)( |$)'
	# Who queues some work that is queued already.
	'(insert_work|__queue_work|clear_pending_if_disabled) / (queue_work_on|queue_delayed_work_on|mod_delayed_work_on)'
)

# races LOG WHICH: KCSAN's reports, the bodies of those that are "ours", or the first
# lines of the "others".  Ours is one with a function of udptrack on the way to one
# of the two accesses: not below an interrupt, which came from elsewhere, and of the
# torture itself only where it is the one that accesses.
races() {
	tr -d '\r' <"$1" | awk -v which="$2" -v known="^($(IFS='|'; echo "${KNOWN[*]}"))" '
		function end() {
			if (title == "") return
			if (title ~ known) ours = 0
			if (which == "ours" ? ours : !ours) print (which == "ours" ? body : title)
			title = ""
		}
		/BUG: KCSAN:/ {
			end()
			title = $0; sub(/.*data-race in /, "", title)
			body = ""; ours = 0; frame = 0
		}
		title != "" {
			body = body $0 "\n"
			if (/====================/) { end(); next }
			if (/(write|read|race|assert).* (to|at|on) .*(bytes|of unknown)/) { frame = 0; below = 0 }
			else if (/\+0x[0-9a-f]+\/0x[0-9a-f]+/) {
				frame++
				if (/ asm_(sysvec|common|exc|call)/) below = 1
				if (!below && (/\[udptrack\]/ || (frame == 1 && /\[udptrack_/))) ours = 1
			}
		}
		END { end() }'
}

if [ "${1:-}" = --races ]; then
	races "$2" ours
	exit
fi

# count PASSED FAILED WHAT
count() {
	passed=$((passed + $1))
	failed=$((failed + $2))
	say "  $3: $1 passed, $2 failed"
}

# torture CPUS SECONDS
torture() {
	local cpus=$1 sec=$2 dir=$out/$1-cpus status=0 limit pid begin=$SECONDS numbers ours others
	mkdir -p "$dir"
	find "$dir" -mindepth 1 -delete
	# Everything takes longer there, and the clock of a slow machine goes slower.
	limit=$((4 * sec + 900))
	UDPTRACK_BUILD=$UDPTRACK_TOP/build/$KERNEL UDPTRACK_TORTURE_SEC=$sec \
		UDPTRACK_TEST_TIMEOUT=$limit scripts/vm.sh --kernel "$KERNEL" --cpus "$cpus" \
		--parallel --timeout "$limit" --log "$dir/kernel.log" --results "$dir" \
		tests/guest.sh tests/guest-torture.t >"$dir/output" 2>&1 &
	pid=$!
	while sleep 30 && kill -0 "$pid" 2>/dev/null; do
		say "  $((SECONDS - begin)) s: $(tr -d '\r' <"$dir/kernel.log" |
			sed -n 's/.*udptrack_torture: //p' | tail -n1)"
	done &
	wait "$pid" || status=$?
	kill $! 2>/dev/null
	sed -n 's/^/  /; /: not ok\|^      */p' "$dir/output"
	[ "$status" = 0 ] || {
		tr -d '\r' <"$dir/kernel.log" | grep -E 'udptrack_torture: FAULT|BUG:|Oops|panic' | sed 's/^/  /'
		tail -n 20 "$dir/output"
	}
	numbers=$(tests/run-tap.pl "$dir" tests/guest-torture.t)
	# shellcheck disable=SC2086 # three numbers, the last of which is 0
	set -- ${numbers:-0 1 0}
	count "$1" "$2" "$cpus processors, scenes and the kernel itself"
	[ "$status" = 0 ] || count 0 1 "$cpus processors: the machine ended with status $status"
	[ "$KERNEL" = kcsan ] || return
	ours=$(races "$dir/kernel.log" ours)
	others=$(races "$dir/kernel.log" others | sort | uniq -c | sort -rn)
	if [ -n "$ours" ]; then
		head -n 100 <<<"$ours"
		count 0 "$(grep -c 'BUG: KCSAN' <<<"$ours")" "$cpus processors, data races of ours (tests/torture.sh --races $dir/kernel.log)"
	elif ! grep -q 'kcsan: enabled' "$dir/kernel.log"; then
		count 0 1 "$cpus processors, data races: KCSAN was not at work"
	else
		count 1 0 "$cpus processors, data races of ours"
	fi
	[ -z "$others" ] || say "  $(wc -l <<<"$others") places elsewhere in the kernel race, too: $dir/others"
	printf '%s\n' "$others" >"$dir/others"
}

scripts/setup.sh build vm test || die "packages are missing"
scripts/kernel.sh "$KERNEL" || die "the kernel is missing"
scripts/build.sh "$KERNEL" >/dev/null || die "the modules do not build"
read -r -a machines <<<"$CPUS"
[ "${#machines[@]}" -gt 0 ] || die "CPUS is empty"
each=$((MINUTES * 60 / ${#machines[@]}))
for cpus in "${machines[@]}"; do
	say "$cpus processors for $each s"
	torture "$cpus" "$each"
done
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
