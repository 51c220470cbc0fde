#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loads the unit tests, which run as they are loaded, and keeps their report
# for run.sh to read.  What the cases found is counted there; here, whether the
# kernel has anything to say about it.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"

load_udptrack
log_mark
ok 'udptrack_kunit loads' load_module udptrack_kunit
log_since_mark | sed 's/^\[[^]]*\] //' >"$UDPTRACK_RESULTS/kunit.ktap"
done_testing
