#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tests inside the virtual machine, for run.sh: under prove, which shows how
# each went and keeps its TAP.
#
#   tests/guest.sh FILE.t ...
#
# Leaves in $UDPTRACK_RESULTS the TAP of each FILE.t as tap/FILE.t, as it is
# written, and at the end dmesg and prove's exit status as prove.exit.

set -u
cd "$(dirname "$0")/.." || exit 1
results=${UDPTRACK_RESULTS:?}
limit=${UDPTRACK_TEST_TIMEOUT:-1300}

# Some tests run programs as somebody else, who may not enter root's home.
tree=/run/udptrack/tree
mkdir -p "$tree" && mount --bind . "$tree" && cd "$tree" || exit 1

# Of the small programs that tests start by the thousand, those of busybox, which
# need no shared library, are there in a third of the time on an emulated machine.
applets=/run/udptrack/applets
mkdir -p "$applets" "$results/tap"
for name in basename cat cut dirname grep head mkdir paste rm sed sleep sort tail tr wc; do
	ln -s /bin/busybox "$applets/$name"
done
PATH=$applets:$PATH
PERL_TEST_HARNESS_DUMP_TAP=$results/tap \
	prove --timer --exec "timeout -k 30 $limit bash" "$@" </dev/null
status=$?

# What failed, with the remarks that follow.
for file in "$@"; do
	[ -f "$results/tap/$file" ] || continue
	awk -v file="$file" '
		/^not ok|^Bail out/ { show = 60; print file ": " $0; next }
		/^#/ { if (show-- > 0) print "    " $0; next }
		{ show = 0 }' "$results/tap/$file"
done
dmesg >"$results/dmesg"
echo "$status" >"$results/prove.exit"
