#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Plays the scenes of tests/kunit/torture.c, for torture.sh: each twice, for as long
# that all together take UDPTRACK_TORTURE_SEC seconds.  Races that KCSAN reports
# are judged there.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"

SCENES='growth small few'
ROUNDS=2
allow_log 'BUG: KCSAN:'
seconds=$((${UDPTRACK_TORTURE_SEC:-60} / ROUNDS / $(wc -w <<<"$SCENES")))
[ "$seconds" -gt 0 ] || seconds=1

# shellcheck disable=SC2317 # called by ok
# play SCENE: whether nothing was wrong; the module says what was
play() { load_module udptrack_torture "scene=$1" "seconds=$seconds" && unload_module udptrack_torture; }

load_udptrack
for ((round = 1; round <= ROUNDS; round++)); do
	for scene in $SCENES; do
		log_mark
		ok "$scene, $seconds s" play "$scene"
		diag "$(log_since_mark | sed -n 's/.*udptrack_torture: //p' | tail -n 2)"
	done
done
done_testing
