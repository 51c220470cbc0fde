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
	6.1|6.12|debug|kcsan|uml) ;;
	*) die "no kernel '$1' (there are: 6.1, 6.12, debug, kcsan, uml)" ;;
	esac
}

# end_as_guest WHAT STATUS TIMEOUT JOB LOG: exit as the command in a machine did; when
# its time was up (STATUS 124) or it left no status in JOB, show the end of LOG
end_as_guest() {
	local what=$1 status=$2 timeout=$3 job=$4 log=$5
	if [ "$status" = 124 ]; then
		say "$what was still running after $timeout s and was ended; its log ends:"
	elif [ -f "$job/status" ]; then
		exit "$(cat "$job/status")"
	else
		status=125
		say "$what died before the command ended; its log ends:"
	fi
	tail -n 60 "$log" | tr -d '\r' >&2
	exit "$status"
}
