# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts share: messages, the cache's place, locks.  Sourced, never run.
#
# UDPTRACK_CACHE is where kernels are kept: outside the tree, so that `make
# clean` and a fresh clone cost nothing.  Deleting it is always safe.

UDPTRACK_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
UDPTRACK_CACHE=${UDPTRACK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/udptrack}
export UDPTRACK_TOP UDPTRACK_CACHE

# say TEXT: one line of progress, on stderr, so that stdout stays for answers
say() { printf '%s\n' "$*" >&2; }

# die TEXT: complain and end
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# jobs_wanted: how many compilers at once
jobs_wanted() { nproc 2>/dev/null || echo 2; }

# lock NAME: hold $CACHE/NAME.lock until this process ends; say so when that takes waiting
lock() {
	mkdir -p "$UDPTRACK_CACHE"
	exec 9>"$UDPTRACK_CACHE/$1.lock"
	flock -n 9 && return
	say "waiting for another $1 job to finish"
	flock 9
}

# check_kernel_name NAME: one of the kernels there are
check_kernel_name() {
	case $1 in
	6.1|6.12|debug|uml) ;;
	*) die "no kernel '$1' (there are: 6.1, 6.12, debug, uml)" ;;
	esac
}
