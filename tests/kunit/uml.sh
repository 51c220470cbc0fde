#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit tests in seconds, in User-Mode Linux: for a quick look while writing.
# It has one processor and no checkers; what counts is `make test`.
# The suite udptrack_race wants two: on one, its threads may run one after the
# other, and race_everything then fails because no flow expired meanwhile.
#
#   tests/kunit/uml.sh [GLOB]       all, or the suites and cases that match, as
#                                   udptrack_table or 'udptrack_table.*grow*'
#
# The report is that of the kernel's kunit.py; the kernel's log is in build/kunit-uml.log.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cd "$UDPTRACK_TOP"

if [ -n "${UDPTRACK_KUNIT_INSIDE:-}" ]; then
	[ -z "${1:-}" ] || printf '%s' "$1" >/sys/module/kunit/parameters/filter_glob
	insmod "$UDPTRACK_BUILD/udptrack.ko"
	insmod "$UDPTRACK_BUILD/udptrack_kunit.ko"
	exit
fi

log=build/kunit-uml.log
UDPTRACK_BUILD=$(scripts/build.sh uml)
export UDPTRACK_BUILD
scripts/uml.sh --log "$log" --timeout 600 --env UDPTRACK_KUNIT_INSIDE=1 -- tests/kunit/uml.sh "$@"
source=$(scripts/kernel.sh --path source uml)
# The kernel itself has no tests, and says so at boot.
sed -n '/udptrack: version/,$ { s/^\[[^]]*\] //; s/\r$//; p }' "$log" | python3 "$source/tools/testing/kunit/kunit.py" parse
