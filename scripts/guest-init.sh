#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The guest's first process, run by busybox from the initramfs that vm.sh makes:
# mounts this machine's root read-only, a memory file system over it, the job's
# directory, and goes on with guest.sh there.

/bin/busybox --install -s /bin
PATH=/bin

fail() {
	echo "guest-init: $*" >/dev/kmsg
	poweroff -f
}

mount -t devtmpfs dev /dev
mount -t proc proc /proc
grep -q udptrack.probe /proc/cmdline && poweroff -f
if [ -f /modules/order ]; then
	while read -r module; do
		insmod "/modules/$module" || fail "$module does not load"
	done </modules/order
fi
options=trans=virtio,version=9p2000.L,msize=512000
mkdir /mnt/lower /mnt/upper /mnt/root
mount -t 9p -o "ro,cache=loose,$options" root /mnt/lower || fail "no root"
mount -t tmpfs -o size=75%,mode=755 upper /mnt/upper || fail "no memory file system"
mkdir /mnt/upper/upper /mnt/upper/work
mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper/upper,workdir=/mnt/upper/work \
	overlay /mnt/root || fail "no overlay"
mount -t tmpfs -o mode=755 run /mnt/root/run || fail "no /run"
mkdir -p /mnt/root/run/udptrack/job
mount -t 9p -o "cache=none,$options" job /mnt/root/run/udptrack/job || fail "no job"
umount /proc
mount --move /dev /mnt/root/dev
exec switch_root /mnt/root /bin/bash /run/udptrack/job/guest.sh
