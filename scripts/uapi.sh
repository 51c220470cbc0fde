#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns include/uapi/linux/udptrack.h: generates it from the specification of the
# netlink family beside it, with the generator of the kernel's tree.
#
#   scripts/uapi.sh            write it
#   scripts/uapi.sh --check    say whether it is current
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$UDPTRACK_TOP"

dir=include/uapi/linux
scripts/kernel.sh source >/dev/null
source=$(scripts/kernel.sh --path source 6.12)
# The generator looks for its schema above the specification, and for the root
# of a kernel's tree above that.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/$dir"
: >"$tree/MAINTAINERS"
cp "$source/Documentation/netlink/genetlink.yaml" "$tree/$dir/.."
cp "$dir/udptrack.yaml" "$tree/$dir"
python3 "$source/tools/net/ynl/ynl-gen-c.py" --mode uapi --header \
	--spec "$tree/$dir/udptrack.yaml" -o "$tree/$dir/udptrack.h"
case ${1:-} in
'') cp "$tree/$dir/udptrack.h" "$dir/udptrack.h" ;;
--check) diff -u "$dir/udptrack.h" "$tree/$dir/udptrack.h" ;;
*) die "usage: scripts/uapi.sh [--check]" ;;
esac
