#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns User-Mode Linux: runs the kernel `uml` of scripts/kernel.sh as a program
# on this machine's own root file system, which it sees read-only.  It has one
# processor and runs kernel code at native speed; it is up in a second.
#
#   scripts/uml.sh [OPTION...] [--] [COMMAND [ARGUMENT...]]
#
#   --mem MB          memory (2048); only what is used is taken from this machine
#   --timeout SEC     end it after so long (1200)
#   --log FILE        keep the kernel's log there (default: only until the end)
#   --results DIR     a directory of this machine that COMMAND may write to:
#                     $UDPTRACK_RESULTS there
#   --env NAME=VALUE  set it for COMMAND (UDPTRACK_* and TERM come along anyway)
#
# COMMAND runs as root in the caller's directory, its output appears as it
# comes, its exit status is this script's.  124: time was up.  125: the kernel
# died before COMMAND ended; the end of its log is then printed.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

mem=2048 timeout=1200 log='' results='' command_env=()
while [ $# -gt 0 ]; do
	case $1 in
	--mem) mem=$2; shift 2 ;;
	--timeout) timeout=$2; shift 2 ;;
	--log) log=$2; shift 2 ;;
	--results) results=$2; shift 2 ;;
	--env) command_env+=("$2"); shift 2 ;;
	-h|--help) sed -n '5,21s/^# \{0,1\}//p' "$0"; exit ;;
	--) shift; break ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || die "no command given (see --help)"

"$UDPTRACK_TOP/scripts/kernel.sh" uml
image=$("$UDPTRACK_TOP/scripts/kernel.sh" --path image uml)

job=$(mktemp -d "${TMPDIR:-/tmp}/udptrack-uml.XXXXXX")
uml_pid='' tail_pid=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -n "$uml_pid" ] && kill -TERM "$uml_pid" 2>/dev/null
	[ -n "$tail_pid" ] && kill "$tail_pid" 2>/dev/null
	rm -rf "$job"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ -n "$log" ] || log=$job/kernel.log
: >"$job/out"
mkdir "$job/uml"
{
	echo '#!/bin/bash'
	echo 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8'
	for name in "${!UDPTRACK_@}" TERM; do
		[ -z "${!name+x}" ] || printf 'export %s=%q\n' "$name" "${!name}"
	done
	echo 'export UDPTRACK_KERNEL=uml UDPTRACK_ACCEL=uml'
	for name in ${command_env[@]+"${command_env[@]}"}; do
		printf 'export %q\n' "$name"
	done
	# What is below these mounts is hidden by them.
	cat <<-'END'
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t devtmpfs dev /dev
	ln -sfn /proc/self/fd /dev/fd
	mount -t tmpfs -o mode=755 run /run
	mkdir -p /run/udptrack/job /run/udptrack/results
	END
	printf 'mount -t hostfs -o %q job /run/udptrack/job\n' "$job"
	if [ -n "$results" ]; then
		printf 'mount -t hostfs -o %q results /run/udptrack/results\n' "$(realpath -m "$results")"
		echo 'export UDPTRACK_RESULTS=/run/udptrack/results'
	fi
	printf 'cd %q\n' "$PWD"
	printf 'ip link set lo up\n'
	printf 'setsid'
	printf ' %q' "$@"
	# shellcheck disable=SC2016 # for the guest
	echo ' </dev/null >>/run/udptrack/job/out 2>&1'
	# shellcheck disable=SC2016 # for the guest
	echo 'echo "$?" >/run/udptrack/job/status'
	echo '/bin/busybox poweroff -f'
} >"$job/init"
chmod 755 "$job/init"
[ -z "$results" ] || mkdir -p "$results"

say "starting Linux $("$UDPTRACK_TOP/scripts/kernel.sh" --path release uml) as a program, 1 CPU, $mem MB"
HOME=$job "$image" mem="${mem}M" root=/dev/root rootfstype=hostfs rootflags=/ ro init="$job/init" \
	uml_dir="$job/uml" umid=udptrack console=tty0 con=null con0=null,fd:1 ssl=null \
	panic=-1 loglevel=7 printk.time=1 random.trust_cpu=on </dev/null >"$log" 2>&1 &
uml_pid=$!
tail -s 0.05 -n +1 -f --pid="$uml_pid" "$job/out" 2>/dev/null &
tail_pid=$!
status=0
deadline=$((SECONDS + timeout))
while kill -0 "$uml_pid" 2>/dev/null; do
	if [ "$SECONDS" -ge "$deadline" ]; then
		kill -TERM "$uml_pid" 2>/dev/null || true
		status=124
		break
	fi
	sleep 0.05
done
wait "$uml_pid" 2>/dev/null || true
uml_pid=
wait "$tail_pid" || true
tail_pid=

end_as_guest "the kernel" "$status" "$timeout" "$job" "$log"
