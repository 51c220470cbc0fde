#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make model`: has Spin try every order of events in each scene of line.pml,
# which must find no fault; then in variants that are broken on purpose, each of
# which must violate the very property that it breaks.  About a minute.
#
#   tests/model/run.sh [SCENE[:VARIANT]]...
#
# Ends with "N passed, N failed" and status 0 only if nothing failed.  What Spin
# said, and for a fault the way to it, is in build/model/.

set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"

# A scene is to take seconds of a processor; one that takes more has grown too large.
LIMIT=200

# SCENE, or SCENE:VARIANT and the property that it must violate
TABLE='
REFRESH
LOOK
FIRST
REUSE
REUSE_MOVE
EXPIRE
CHANGE
GET
REUSE:REUSE_EARLY		another_flow
REUSE:NO_SECOND_READ		another_flow
REUSE:KEY_FIRST			another_flow
REUSE:STATE_FIRST		another_flow
REUSE:PLAIN_REFRESH		another_flow
REUSE:NO_INDEX			another_flow
REUSE:RCU_FIRST			another_flow
REUSE_MOVE:REUSE_EARLY		another_flow
REUSE_MOVE:WRITER_NO_RCU	freed
LOOK:SURE			missed
LOOK:NEXT_READ_FIRST		missed
LOOK:MOVED_FIRST		missed
LOOK:NEXT_LATE			missed
LOOK:GEN_FIRST			missed
LOOK:FREE_EARLY			freed
LOOK:COPY_FIRST			twice
LOOK:PLAIN_MOVE			lost
REFRESH:PLAIN_MOVE		lost
FIRST:NO_RECHECK		twice
FIRST:WRITER_STAYS		missed
EXPIRE:EXPIRE_XCHG		lost
CHANGE:SLOW_STORE		lost
GET:GET_NO_VERIFY		another_flow
GET:REUSE_EARLY			another_flow
GET:IDS_LATE			another_flow
'

model=$UDPTRACK_TOP/tests/model/line.pml
out=$UDPTRACK_TOP/build/model

# try NAME PROPERTY: one line, "ok" or "not ok" first; PROPERTY is - for none
try() {
	local name=$1 want=$2 dir=$out/${1/:/-} said states flags
	flags=(-DSCENE_"${name%:*}")
	[ "$want" = - ] || flags+=(-DBREAK_"${name#*:}")
	rm -rf "$dir"
	mkdir -p "$dir"
	cd "$dir" || return 1
	if ! { spin -a "${flags[@]}" "$model" && gcc -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c; } >log 2>&1; then
		sed 's/^/    /' log
		echo "not ok $name: does not compile"
		return
	fi
	(ulimit -t "$LIMIT"; exec ./pan -m200000) >log 2>&1 || true
	said=$(sed -n 's/^pan:[0-9]*: *//p' log | head -n1)
	states=$(awk '/states, stored/ { print $1 }' log)
	if ! grep -q 'errors: [01]$' log || grep -q 'max search depth too small' log; then
		tail -n 3 log | sed 's/^/    /'
		echo "not ok $name: the search did not come to its end"
	elif [ "$want" != - ]; then
		# "assertion violated (... ||missed) (at depth 99)"
		if [[ $said == *"||$want)"* ]]; then
			echo "ok $name: $want after $states states"
		else
			echo "not ok $name: must violate '$want', but: ${said:-nothing found in $states states}"
		fi
	elif [ -z "$said" ]; then
		echo "ok $name: $states states"
	else
		spin -t -p "${flags[@]}" "$model" >trail 2>&1
		grep proc trail | tail -n 30 | sed 's/^/    /'
		echo "not ok $name: $said; the whole way to it is in $dir/trail"
	fi
}

if [ "${1:-}" = --try ]; then
	try "$2" "$3"
	exit
fi

"$UDPTRACK_TOP/scripts/setup.sh" model || exit 1
mkdir -p "$out"
wanted=$(awk 'NF { print $1, (NF > 1 ? $2 : "-") }' <<<"$TABLE")
if [ $# -gt 0 ]; then
	wanted=$(grep -E "^($(IFS='|'; echo "$*")) " <<<"$wanted") || die "no such scene: $*"
fi
# Each needs some 200 MB.
xargs -P "$(jobs_wanted)" -L1 "$0" --try <<<"$wanted" | tee "$out/results"
passed=$(grep -c '^ok ' "$out/results")
failed=$(($(wc -l <<<"$wanted") - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
