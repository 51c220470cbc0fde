#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's first process after guest-init.sh: mounts what a Linux system has,
# runs the command of vm.sh, leaves its exit status in the job's directory and
# turns the machine off.  Not for use outside of the guest.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
job=/run/udptrack/job

power_off() {
	sync
	/bin/busybox poweroff -f
	sleep 60
}
trap power_off EXIT

# end_everything_but PID: kill every process that is not a kernel thread
end_everything_but() {
	local dir pid
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ "$pid" != 1 ] && [ "$pid" != "$1" ] && [ -e "$dir/exe" ] && kill -9 "$pid"
	done 2>/dev/null
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm /run/lock /run/user /run/udptrack/results
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
hostname udptrack
ip link set lo up

vm_command=() vm_shell=0 vm_modules='' vm_rows=24 vm_columns=80
# shellcheck source=/dev/null
. "$job/job.sh"
if [ -n "${UDPTRACK_RESULTS:-}" ]; then
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none results "$UDPTRACK_RESULTS"
fi
release=$(uname -r)
mkdir -p "/lib/modules/$release"
mount --bind "$vm_modules" "/lib/modules/$release"

if [ "$vm_shell" = 1 ]; then
	# Held open, so that its size is not forgotten.
	exec 7<>/dev/ttyS1
	# QEMU leaves it to the host's terminal to turn a new line into two characters.
	stty -F /dev/ttyS1 sane -onlcr rows "$vm_rows" cols "$vm_columns"
	setsid -c "${vm_command[@]}" </dev/ttyS1 >/dev/ttyS1 2>&1 7>&-
	echo "$?" >"$job/status"
	stty -F /dev/ttyS1 raw
else
	# Through a pipe, so that programs may open /dev/stderr again; through a
	# file of the host, so that nothing is lost or altered on the way.
	mkfifo /run/udptrack/out
	cat /run/udptrack/out >>"$job/out" &
	cat_pid=$!
	setsid "${vm_command[@]}" </dev/null >/run/udptrack/out 2>&1
	status=$?
	# What the command left running may still hold the pipe.
	end_everything_but "$cat_pid"
	wait "$cat_pid"
	echo "$status" >"$job/status"
fi
