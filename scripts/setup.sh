#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the list of Debian packages that each job needs, and installs those that
# are missing.  Silent and instant when there is nothing to do.
#
#   scripts/setup.sh build|tools|vm|run|fuzz|model|test|bench|check ...
#
# No service is started by it, and no kernel is installed.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# packages_for JOB: their names
packages_for() {
	case $1 in
	build)
		echo gcc make libc6-dev kmod rsync bc bison flex libelf-dev libssl-dev
		echo pahole xz-utils zlib1g-dev; packages_for tools ;;
	tools)
		echo gcc make libc6-dev pkgconf libxtables-dev libmnl-dev libncurses-dev libjansson-dev ;;
	vm)
		echo qemu-system-x86 seabios busybox-static cpio gzip kmod ;;
	run)
		packages_for vm
		echo iproute2 iptables nftables kmod procps unbound bind9-dnsutils
		echo bsdextrautils iputils-ping python3-minimal
		packages_for tools ;;
	fuzz)
		echo make libc6-dev clang libclang-rt-dev llvm ;;
	model)
		echo spin gcc libc6-dev ;;
	test)
		packages_for run
		packages_for fuzz
		echo perl python3 util-linux avahi-daemon dnsmasq-base ldnsutils minissdpd conntrack dnsperf
		echo netcat-openbsd python3-yaml python3-pyroute2 python3-jsonschema ulogd2 ulogd2-json
		echo jq tmux man-db bash-completion libcap2-bin ;;
	bench)
		echo python3 python3-yaml iproute2 kmod busybox-static gnuplot-nox ;;
	check)
		echo perl python3 clang lld llvm sparse shellcheck coccinelle ;;
	*) die "unknown job '$1' (there are: build tools vm run fuzz model test bench check)" ;;
	esac
}

# installed PACKAGE...: those of them that are installed
installed() {
	# shellcheck disable=SC2016
	dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
		awk '$1 ~ /^.i/ { print $2 }'
}

# no_services: packages that bring a daemon must not start it on this machine.
# policy-rc.d is Debian's way to say so; it is ours only while apt runs.
no_services() {
	local policy=/usr/sbin/policy-rc.d
	[ -e "$policy" ] && return
	printf '#!/bin/sh\n# udptrack: setup.sh, while apt-get runs\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	# shellcheck disable=SC2064
	trap "rm -f '$policy'" EXIT
}

[ $# -gt 0 ] || die "usage: scripts/setup.sh build|tools|vm|run|fuzz|model|test|bench|check ..."
command -v dpkg-query >/dev/null || die "this installs Debian packages; on other systems see the list in $0"

wanted=
for job in "$@"; do
	# The lookup is its own command, so that an unknown job ends the script.
	list=$(packages_for "$job")
	wanted+=" $list"
done
read -r -a wanted <<<"$(tr '\n' ' ' <<<"$wanted")"
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
	<(installed "${wanted[@]}" | sort -u))
[ "${#missing[@]}" -gt 0 ] || exit 0

command="apt-get install -y --no-install-recommends ${missing[*]}"
[ "$(id -u)" = 0 ] || die "packages are missing; as root, run: $command"

lock setup
say "installing ${#missing[@]} Debian packages, about a minute: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$UDPTRACK_CACHE/setup.log
no_services
apt-get -qq update >"$log" 2>&1 || say "apt-get update complained (see $log); going on"
if ! $command >>"$log" 2>&1; then
	tail -n 15 "$log" >&2
	die "apt-get failed; the whole log is in $log"
fi
say "packages installed"
