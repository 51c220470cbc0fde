#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make test`: whether the header of the netlink family is current, and the
# parsers on random input, here; the unit tests on the debug kernel, then the
# end-to-end tests on every kernel, each in a virtual machine of its own.  Ends with
# the line
#
#   N passed, N failed[, N skipped]
#
# and status 0 only if nothing failed and something passed.  A machine that dies
# or a test that does not end is a failure.
#
# To narrow it down, from the environment:
#   KERNELS="6.12 debug"        which kernels (6.12 6.1 debug)
#   T="tests/e2e/10-foo.t ..."  which end-to-end tests (all; "none" for none)
#   KUNIT=0                     no unit tests
#   FUZZ=0                      no random input
#   VM_TIMEOUT=SECONDS          for each virtual machine (3600)
#
# Logs and results are left in build/test/, or in UDPTRACK_TEST_OUT.

set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
cd "$UDPTRACK_TOP" || exit 1

KERNELS=${KERNELS:-6.12 6.1 debug}
KUNIT=${KUNIT:-1}
FUZZ=${FUZZ:-1}
T=${T:-}
VM_TIMEOUT=${VM_TIMEOUT:-3600}
out=${UDPTRACK_TEST_OUT:-$UDPTRACK_TOP/build/test}
begin=$SECONDS
mkdir -p "$out"
: >"$out/counts"
rm -f "$out"/job-*.log

say() { printf '%s\n' "$*"; }
# elapsed: minutes and seconds since the begin
elapsed() { printf '%d:%02d' $(((SECONDS - begin) / 60)) $(((SECONDS - begin) % 60)); }
step_number=0
step() {
	step_number=$((step_number + 1))
	say "[$step_number/$steps] $* ($(elapsed))"
}

# add PASSED FAILED SKIPPED: to the sum, also from a job in the background
add() { echo "$1 $2 $3" >>"$out/counts"; }

# count PASSED FAILED SKIPPED WHAT
count() {
	# Fewer words than that are of a count that was not made.
	[ $# = 4 ] || set -- 0 1 0 "${!#} (not counted)"
	add "$1" "$2" "$3"
	say "  $4: $1 passed, $2 failed$([ "$3" = 0 ] || echo ", $3 skipped")"
}

finish() {
	local passed failed skipped line
	read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$out/counts")
	line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || line+=", $skipped skipped"
	if [ "$failed" != 0 ]; then
		# Once more, for that was long ago, and of a long log often the end is kept.
		grep -hE -A4 '(^|: )(not ok|Bail out)|\[(FAILED|CRASHED|ERROR)\]|did not run|ended with status' \
			"$out"/job-*.log 2>/dev/null | head -n 60
		say "logs and results: $out"
	fi
	say "$line"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
	exit
}

# broken WHAT: something that tests need did not work; that is a failure
broken() {
	add 0 1 0
	say "FAILED: $*"
	finish
}

# in_vm KERNEL DIRECTORY ARGUMENT...: vm.sh with these and results there; its status
in_vm() {
	local kernel=$1 dir=$2 build
	shift 2
	build=$UDPTRACK_TOP/build/$kernel
	mkdir -p "$dir"
	find "$dir" -mindepth 1 -delete
	UDPTRACK_BUILD=$build scripts/vm.sh --kernel "$kernel" --timeout "$VM_TIMEOUT" \
		--log "$dir/kernel.log" --results "$dir" "$@" 2>&1
}

# run_uapi: is the header that of the specification?
run_uapi() {
	if scripts/uapi.sh --check >"$out/uapi.log" 2>&1; then
		count 1 0 0 'the header of the netlink family'
	else
		head -n 40 "$out/uapi.log"
		count 0 1 0 'the header of the netlink family (scripts/uapi.sh makes it)'
	fi
}

# run_fuzz: the kept input, then some random one, for half a minute at most
run_fuzz() {
	local good=0 bad=0 target
	for target in tuple dns; do
		if make -s -C tests/fuzz "run-$target" RUNS=100000 SEC=15 >"$out/fuzz-$target.log" 2>&1; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			grep -v 'pulse  cov:' "$out/fuzz-$target.log" | tail -n 40
		fi
	done
	count "$good" "$bad" 0 'parsers on random input'
}

# run_kunit: the unit tests
run_kunit() {
	local dir=$out/kunit status=0 source report numbers
	if [ ! -f build/debug/udptrack_kunit.ko ]; then
		count 0 1 0 'KUnit: no udptrack_kunit.ko was built'
		return
	fi
	# The races are to be real ones.
	in_vm debug "$dir" --parallel tests/guest.sh tests/guest-kunit.t || status=$?
	source=$(scripts/kernel.sh --path source debug)
	# If the machine died, what it said until then is on its console.
	[ -s "$dir/kunit.ktap" ] || sed 's/^\[[^]]*\] //; s/\r$//' "$dir/kernel.log" >"$dir/kunit.ktap"
	report=$(python3 "$source/tools/testing/kunit/kunit.py" parse "$dir/kunit.ktap" 2>&1)
	printf '%s\n' "$report" >"$dir/report"
	# The tree is Debian's, the numbers are in its last line:
	# "Testing complete. Ran 9 tests: passed: 7, failed: 1, skipped: 1"
	numbers=$(sed -e 's/\x1b\[[0-9;]*m//g' -n -e 's/.*Testing complete\. //p' <<<"$report" | tail -n1)
	number() { local n; n=$(sed -n "s/.*$1: \([0-9]*\).*/\1/p" <<<"$numbers"); echo "${n:-0}"; }
	local good bad skips
	good=$(number passed) skips=$(number skipped)
	bad=$(($(number failed) + $(number crashed) + $(number errors)))
	if [ $((good + bad + skips)) = 0 ]; then
		bad=1
		say "  no case of KUnit ran"
	fi
	[ "$bad" = 0 ] || grep -vE '\[PASSED\]|^\[[0-9:]*\] *=* *$' <<<"$report" | head -n 80
	count "$good" "$bad" "$skips" 'KUnit cases'
	# shellcheck disable=SC2046 # three numbers
	count $(tests/run-tap.pl "$dir" tests/guest-kunit.t) 'KUnit, the kernel itself'
	[ "$status" = 0 ] || count 0 1 0 "KUnit's virtual machine ended with status $status"
}

# run_e2e KERNEL FILE...: end-to-end tests
run_e2e() {
	local kernel=$1 dir status=0
	shift
	dir=$out/$kernel/$(basename -s .t "$1")
	# Tests look into the slab of the flows, which is to be theirs alone.
	in_vm "$kernel" "$dir" --append slab_nomerge tests/guest.sh "$@" || status=$?
	# shellcheck disable=SC2046 # three numbers
	count $(tests/run-tap.pl "$dir" "$@") "kernel $kernel"
	if [ "$status" != 0 ]; then
		count 0 1 0 "kernel $kernel: its virtual machine ended with status $status"
	fi
}

for kernel in $KERNELS; do
	check_kernel_name "$kernel"
done
files=()
if [ -z "$T" ]; then
	for file in tests/e2e/*.t; do
		[ -f "$file" ] && files+=("$file")
	done
elif [ "$T" != none ]; then
	read -r -a files <<<"$T"
	for file in "${files[@]}"; do
		[ -f "$file" ] || die "no test $file"
	done
fi

wanted=$KERNELS
[ "${#files[@]}" -gt 0 ] || wanted=
[ "$KUNIT" = 0 ] || [[ " $wanted " == *" debug "* ]] || wanted+=" debug"
steps=5
[ "$FUZZ" = 0 ] || steps=6

step "packages"
scripts/setup.sh build vm test || broken "packages are missing"
step "kernels:${wanted:+ }$wanted"
# shellcheck disable=SC2086 # a word a kernel
[ -z "$wanted" ] || scripts/kernel.sh $wanted || broken "a kernel is missing"
step "modules and test programs"
for kernel in $wanted; do
	scripts/build.sh "$kernel" >/dev/null || broken "the modules do not build for $kernel"
	say "  built for $kernel"
done
make -s -C tests/e2e || broken "the test programs do not build"
make -s tools || broken "the tools do not build"

step "the header of the netlink family"
run_uapi

if [ "$FUZZ" != 0 ]; then
	step "fuzz: the kept input, and some random one"
	run_fuzz
fi

# Jobs: the unit tests, and the files of each kernel in groups, each in a machine
# of its own, which takes up to a minute to boot.  A machine keeps less than one
# processor busy, for tests also wait, so there is one more at a time than
# processors; the debug kernel, where all takes longest, comes first.  A job counts
# as failed until it has come to its end.
GROUP=9
jobs=()
[ "$KUNIT" = 0 ] || jobs+=("kunit debug")
for kernel in $(tr ' ' '\n' <<<"$KERNELS" | sort -r); do
	for ((i = 0; i < ${#files[@]}; i += GROUP)); do
		jobs+=("e2e $kernel ${files[*]:i:GROUP}")
	done
done

# job KIND KERNEL FILE...
job() {
	local kind=$1 kernel=$2
	shift 2
	add 0 1 0
	if [ "$kind" = kunit ]; then
		say "unit tests ($(elapsed))"
		run_kunit
	else
		say "$(basename -as .t "$@" | paste -sd' ') ($(elapsed))"
		run_e2e "$kernel" "$@"
	fi
	add 0 -1 0
	say "done ($(elapsed))"
}

# labelled NAME: put it before every line
labelled() { sed -u "s/^/${1}: /"; }

workers=$(($(nproc) + 1))
# A machine has up to 2 GB.
memory=$(awk '/^MemAvailable/ { print int($2 / 1024 / 2300) }' /proc/meminfo)
[ "$memory" -ge "$workers" ] || workers=$((memory > 0 ? memory : 1))
step "tests: ${#jobs[@]} jobs, $workers at a time"
for ((i = 0; i < ${#jobs[@]}; i++)); do
	[ "$i" -lt "$workers" ] || wait -n
	read -r -a words <<<"${jobs[i]}"
	label="${words[1]} $((i + 1))/${#jobs[@]}"
	job "${words[@]}" > >(tee "$out/job-$((i + 1)).log" | labelled "${label//\//\\/}") 2>&1 &
done
wait
# Their last lines may still be on the way.
sleep 1
say "all done after $(elapsed)"
finish
