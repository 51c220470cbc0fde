#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns build/<kernel>/: builds the modules for one of the kernels of kernel.sh,
# in a mirror of the sources, so that one tree serves several kernels.
#
#   scripts/build.sh [--out NAME] 6.1|6.12|debug|kcsan|uml [MAKE ARGUMENT...]
#
# --out uses build/NAME/ instead, for builds that are not to be run.  Prints the
# directory with the .ko files on stdout; the compiler's words go to
# build/<kernel>.log, and its warnings and errors to stderr.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

name=''
if [ "${1:-}" = --out ]; then
	name=${2:-}
	shift 2
fi
[ $# -gt 0 ] || die "usage: scripts/build.sh [--out NAME] 6.1|6.12|debug|kcsan|uml [MAKE ARGUMENT...]"
kernel=$1
shift
check_kernel_name "$kernel"
"$UDPTRACK_TOP/scripts/setup.sh" build
"$UDPTRACK_TOP/scripts/kernel.sh" "$kernel"
kdir=$("$UDPTRACK_TOP/scripts/kernel.sh" --path build "$kernel")

out=$UDPTRACK_TOP/build/${name:-$kernel}
log=$out.log
mkdir -p "$out"
exec 8>"$out.lock"
flock 8

# Objects of another version of that kernel are of no use.
stamp=$(stat -c %Y "$kdir/Module.symvers")\ $kdir
if [ "$(cat "$out/.kernel" 2>/dev/null)" != "$stamp" ]; then
	find "$out" -mindepth 1 -delete
	printf '%s\n' "$stamp" >"$out/.kernel"
fi

sources=()
for path in Kbuild src include tests; do
	[ -e "$UDPTRACK_TOP/$path" ] && sources+=("$UDPTRACK_TOP/$path")
done
rsync -a --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
	--exclude='.*.cmd' --exclude='*.d' --exclude=modules.order --exclude=Module.symvers \
	"${sources[@]}" "$out/"

machine=()
[ "$kernel" != uml ] || machine=(ARCH=um)
if ! make -C "$kdir" M="$out" "${machine[@]}" -j"$(jobs_wanted)" "$@" modules >"$log" 2>&1; then
	cat "$log" >&2
	die "udptrack does not build for $kernel"
fi
grep -E -A4 'warning:|WARNING:' "$log" >&2 || true
printf '%s\n' "$out"
