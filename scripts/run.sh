#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make run` and `make shell`: gets what they need, builds the modules, and
# boots the virtual machine with the demonstration or with a prompt in it.
#
#   scripts/run.sh 6.1|6.12|debug [--shell]

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || die "usage: scripts/run.sh 6.1|6.12|debug [--shell]"
check_kernel_name "$1"
cd "$UDPTRACK_TOP"
say "[1/4] packages"
scripts/setup.sh run
say "[2/4] kernel $1"
scripts/kernel.sh "$1"
say "[3/4] modules"
UDPTRACK_BUILD=$(scripts/build.sh "$1")
export UDPTRACK_BUILD
make -s tools
say "[4/4] virtual machine"
if [ "${2:-}" = --shell ]; then
	exec scripts/vm.sh --kernel "$1" --shell -- scripts/shell.sh
fi
exec scripts/vm.sh --kernel "$1" -- scripts/demo.sh
