#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the virtual machine: boots a kernel of scripts/kernel.sh in QEMU on this
# machine's own root file system, which the guest sees read-only with a memory
# file system on top.  So every tool installed here is there, the guest may
# write anywhere, and nothing of it reaches this machine.
#
#   scripts/vm.sh [OPTION...] [--] [COMMAND [ARGUMENT...]]
#
#   --kernel 6.1|6.12|debug|kcsan  which kernel (6.12)
#   --cpus N, --mem MB        size (2; 2048, and 1536 for debug)
#   --timeout SEC             end the machine after so long (1200; 0 is never)
#   --log FILE                keep the kernel's log there (default: only until the end)
#   --results DIR             a directory of this machine that the guest may write to:
#                             $UDPTRACK_RESULTS there
#   --parallel                emulated processors run at once, not in turns (see machine())
#   --icount                  the clock counts instructions, a nanosecond each; while there
#                             are none to run, it leaps
#   --append "ARGS"           more kernel arguments
#   --env NAME=VALUE          set it for COMMAND (UDPTRACK_* and TERM come along anyway)
#   --shell                   COMMAND (default: bash) gets this terminal
#
# COMMAND runs as root in the caller's directory, its output appears as it
# comes, its exit status is this script's.  124: time was up.  125: the machine
# died before COMMAND ended; the end of the kernel's log is then printed.
#
# ACCEL=kvm|tcg overrides the choice between KVM and emulation.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

kernel=6.12 threads=single cpus=2 mem='' timeout=1200 log='' results='' append='' shell=0 icount=0 command_env=()

# initramfs KERNEL: print the path of the small first root, made when it is not there
initramfs() {
	local k=$1 rel modules=() dir image work file m
	rel=$("$UDPTRACK_TOP/scripts/kernel.sh" --path release "$k")
	dir=$UDPTRACK_CACHE/initramfs
	image=$dir/$rel-$(sha256sum "$UDPTRACK_TOP/scripts/guest-init.sh" | cut -c1-12).gz
	if [ ! -f "$image" ]; then
		mkdir -p "$dir"
		work=$(mktemp -d "$dir/work.XXXXXX")
		mkdir -p "$work"/{bin,dev,proc,sys,mnt,modules}
		cp /bin/busybox "$work/bin/busybox"
		install -m 755 "$UDPTRACK_TOP/scripts/guest-init.sh" "$work/init"
		# In the order in which they must be loaded; what is built in needs none.
		for m in virtio_pci 9pnet_virtio 9p overlay; do
			while read -r _ file _; do
				[ -f "$file" ] && modules+=("$file")
			done < <(modprobe -d "$UDPTRACK_CACHE/$k" -S "$rel" --show-depends "$m" 2>/dev/null)
		done
		for file in "${modules[@]}"; do
			m=$(basename "$file")
			case $m in
			*.xz) m=${m%.xz}; xz -dc "$file" >"$work/modules/$m" ;;
			*.zst) m=${m%.zst}; zstd -qdc "$file" >"$work/modules/$m" ;;
			*) cp "$file" "$work/modules/$m" ;;
			esac
			grep -qsxF "$m" "$work/modules/order" || printf '%s\n' "$m" >>"$work/modules/order"
		done
		(cd "$work" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$image.$$"
		mv "$image.$$" "$image"
		rm -rf "$work"
	fi
	printf '%s\n' "$image"
}

# machine ACCEL: print QEMU's arguments that every guest here has, one a line
machine() {
	case $1 in
	kvm) printf '%s\n' -accel kvm -cpu host ;;
	# An emulated processor may stumble over code that another has just
	# patched, as the kernel does when netfilter hooks come and go: a stray
	# breakpoint ("Oops: int3"), which real processors never see.  Taking
	# turns in one thread, they do not.
	# The emulator copies and clears pages bytewise when the kernel does it
	# with "rep movsb"; without that the kernel starts programs a third faster.
	tcg) printf '%s\n' -accel "tcg,thread=$threads" -cpu max,-erms ;;
	esac
	printf '%s\n' -machine q35 -nodefaults -no-user-config -no-reboot -display none \
		-monitor none -device virtio-rng-pci
}

# accel KERNEL: kvm when this machine truly runs guests with it, else tcg.
# A /dev/kvm that opens proves little inside other virtual machines, so a
# kernel is booted with it, once per boot of this machine.
accel() {
	local verdict boot proof args image init pid deadline errors
	case ${ACCEL:-} in
	kvm|tcg) printf '%s\n' "$ACCEL"; return ;;
	'') ;;
	*) die "ACCEL must be kvm or tcg, not '$ACCEL'" ;;
	esac
	if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		echo tcg
		return
	fi
	boot=$(cat /proc/sys/kernel/random/boot_id)
	proof=$UDPTRACK_CACHE/accel
	if [ "$(cut -d' ' -f1 "$proof" 2>/dev/null)" = "$boot" ]; then
		cut -d' ' -f2 "$proof"
		return
	fi
	mapfile -t args < <(machine kvm)
	image=$("$UDPTRACK_TOP/scripts/kernel.sh" --path image "$1")
	init=$(initramfs "$1")
	# Without a root to mount, guest-init.sh powers the machine off.
	errors=$proof.errors.$$
	qemu-system-x86_64 "${args[@]}" -m 512 -kernel "$image" -initrd "$init" \
		-append "panic=-1 quiet udptrack.probe" </dev/null >/dev/null 2>"$errors" &
	pid=$!
	deadline=$((SECONDS + 20))
	while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
		grep -q 'KVM internal error' "$errors" && break
		sleep 0.1
	done
	if kill "$pid" 2>/dev/null; then
		wait "$pid" 2>/dev/null || true
		verdict=tcg
	else
		verdict=kvm
		wait "$pid" 2>/dev/null || verdict=tcg
	fi
	rm -f "$errors"
	printf '%s %s\n' "$boot" "$verdict" >"$proof.$$"
	mv "$proof.$$" "$proof"
	printf '%s\n' "$verdict"
}

while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift 2 ;;
	--cpus) cpus=$2; shift 2 ;;
	--mem) mem=$2; shift 2 ;;
	--timeout) timeout=$2; shift 2 ;;
	--log) log=$2; shift 2 ;;
	--results) results=$2; shift 2 ;;
	--append) append=$2; shift 2 ;;
	--env) command_env+=("$2"); shift 2 ;;
	--parallel) threads=multi; shift ;;
	--icount) icount=1; shift ;;
	--shell) shell=1; shift ;;
	-h|--help) sed -n '5,28s/^# \{0,1\}//p' "$0"; exit ;;
	--) shift; break ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) break ;;
	esac
done
check_kernel_name "$kernel"
[ "$kernel" != uml ] || die "that kernel is a program, not a machine: scripts/uml.sh"
if [ $# = 0 ]; then
	[ "$shell" = 1 ] || die "no command given (see --help)"
	set -- bash
fi
if [ -z "$mem" ]; then
	mem=2048
	[ "$kernel" = debug ] && mem=1536
fi
[ "$shell" = 1 ] && timeout=0

"$UDPTRACK_TOP/scripts/setup.sh" vm
"$UDPTRACK_TOP/scripts/kernel.sh" "$kernel"
image=$("$UDPTRACK_TOP/scripts/kernel.sh" --path image "$kernel")
init=$(initramfs "$kernel")
accel=tcg
[ "$icount" = 1 ] || accel=$(accel "$kernel")
release=$("$UDPTRACK_TOP/scripts/kernel.sh" --path release "$kernel")

# The job: what the guest is to do, and where its output and exit status go.
job=$(mktemp -d "${TMPDIR:-/tmp}/udptrack-vm.XXXXXX")
qemu_pid='' tail_pid=''
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -n "$qemu_pid" ] && kill "$qemu_pid" 2>/dev/null
	[ -n "$tail_pid" ] && kill "$tail_pid" 2>/dev/null
	rm -rf "$job"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ -n "$log" ] || log=$job/kernel.log
: >"$log"
: >"$job/out"
cp "$UDPTRACK_TOP/scripts/guest.sh" "$job/guest.sh"
{
	for name in "${!UDPTRACK_@}" TERM; do
		[ -z "${!name+x}" ] || printf 'export %s=%q\n' "$name" "${!name}"
	done
	printf 'export UDPTRACK_KERNEL=%q UDPTRACK_ACCEL=%q\n' "$kernel" "$accel"
	if [ -n "$results" ]; then
		printf 'export UDPTRACK_RESULTS=/run/udptrack/results\n'
	fi
	for name in ${command_env[@]+"${command_env[@]}"}; do
		printf 'export %q\n' "$name"
	done
	printf 'cd %q\n' "$PWD"
	printf 'vm_modules=%q\n' "$("$UDPTRACK_TOP/scripts/kernel.sh" --path modules "$kernel")"
	printf 'vm_shell=%q\n' "$shell"
	if size=$(stty size 2>/dev/null <&2) && [ "$size" != '0 0' ]; then
		printf 'vm_rows=%q vm_columns=%q\n' "${size% *}" "${size#* }"
	fi
	printf 'vm_command=('
	printf ' %q' "$@"
	printf ' )\n'
} >"$job/job.sh"

# An emulated machine on a busy host stands still for seconds at times, which
# must not look like a lockup of its kernel.
patience=
[ "$accel" = tcg ] && patience="watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 workqueue.watchdog_thresh=120"
# It translates code once for each address at which it finds it, and a program
# at a new address each time is translated anew: to start one takes a fourth of
# the time where all have the same. Huge pages only take time to clear.
haste=
[ "$accel" = tcg ] && haste="norandmaps transparent_hugepage=never"
mapfile -t args < <(machine "$accel")
[ "$icount" = 0 ] || args+=(-icount 'shift=0,sleep=off')
args+=(-smp "$cpus" -m "$mem" -kernel "$image" -initrd "$init"
	-append "console=ttyS0 loglevel=7 printk.time=1 printk.devkmsg=on panic=-1 oops=continue tsc=reliable no_timer_check random.trust_cpu=on $patience $haste $append"
	-chardev "file,id=kernel,path=$log" -serial chardev:kernel
	-virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
	-virtfs "local,path=$job,mount_tag=job,security_model=none,multidevs=remap")
if [ -n "$results" ]; then
	mkdir -p "$results"
	args+=(-virtfs "local,path=$results,mount_tag=results,security_model=none,multidevs=remap")
fi
how=$([ "$accel" = kvm ] && echo KVM || echo "emulation (no usable KVM)")
say "booting Linux $release under $how, $cpus CPUs, $mem MB"

status=0
if [ "$shell" = 1 ]; then
	qemu-system-x86_64 "${args[@]}" -chardev stdio,id=tty,signal=off -serial chardev:tty || status=$?
else
	qemu-system-x86_64 "${args[@]}" </dev/null >&2 &
	qemu_pid=$!
	tail -s 0.05 -n +1 -f --pid="$qemu_pid" "$job/out" 2>/dev/null &
	tail_pid=$!
	deadline=$((SECONDS + timeout))
	while kill -0 "$qemu_pid" 2>/dev/null; do
		if [ "$timeout" -gt 0 ] && [ "$SECONDS" -ge "$deadline" ]; then
			kill "$qemu_pid" 2>/dev/null || true
			status=124
			break
		fi
		sleep 0.05
	done
	if ! wait "$qemu_pid" && [ "$status" = 0 ]; then status=125; fi
	qemu_pid=
	wait "$tail_pid" || true
	tail_pid=
fi

end_as_guest "the virtual machine" "$status" "$timeout" "$job" "$log"
