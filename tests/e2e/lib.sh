# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns what every end-to-end test shares: assertions that print TAP, the loading
# of the modules, network namespaces, and the proof at the end that the kernel
# has nothing to complain about.  A test begins with
#
#	. "$(dirname "$0")/lib.sh"
#
# and ends with done_testing; one that ends without it has failed.  `set -e` is
# not for tests: a failed assertion returns 1 and the test goes on.
#
# Assertions
#   ok NAME COMMAND...       the command succeeds   (not_ok: it fails)
#   ok STATUS NAME           the number is 0
#   pass NAME, fail NAME
#   is GOT EXPECTED NAME     equal strings          (isnt: not equal)
#   like GOT REGEX NAME      an extended regular expression matches  (unlike: does not)
#   between GOT LOW HIGH NAME    integers, the bounds included
#   skip NUMBER WHY          so many assertions could not be made here
#   skip_all WHY             nothing of the test can be; ends it
#   bail_out WHY             the test cannot go on; ends it, failed
#   plan NUMBER              so many assertions there will be (optional)
#   diag TEXT                a remark
#   done_testing             clean up, look at the kernel's log, taint and leaks
#
# Modules
#   load_udptrack [NAME=VALUE...], load_module NAME [NAME=VALUE...]
#   unload_udptrack, unload_module NAME
#   KO is udptrack.ko, KO_DIR where all of them are, BIN where the test programs are
#
# Processes and time
#   background COMMAND...    in the background until the test ends; BACKGROUND is its pid
#   wait_until SECONDS COMMAND...   until the command succeeds; the seconds are
#                            multiplied by SLOW, which says how slow this machine is
#
# Network namespaces
#   new_netns NAME...        with lo up; deleted when the test ends
#   link_netns NS IF NS IF   a veth pair, up
#   two_netns [C S]          namespaces c and s, joined by interfaces eth0:
#                            192.0.2.1/24 and 2001:db8::1/64 in c, .2 and ::2 in s
#   in_ns NS COMMAND...      run it there
#
# The kernel's log
#   log_mark, log_since_mark    remember a place; print what came after it
#   allow_log REGEX          lines that match are not held against this test
#   unlimit_log              without the kernel's rate limits

# Tests delete namespaces and unload modules: never on somebody's own machine.
if [ -z "${UDPTRACK_KERNEL:-}" ]; then
	echo 'Bail out! tests run in the virtual machine: make test T=...'
	exit 1
fi

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
KO_DIR=${UDPTRACK_BUILD:-$TOP}
# The tests use these.
# shellcheck disable=SC2034
KO=$KO_DIR/udptrack.ko BIN=$TOP/build/e2e
# iptables finds our plugin beside its own.
XTABLES_LIBDIR=$TOP/build/tools:$(pkg-config --variable=xtlibdir xtables)
export XTABLES_LIBDIR
TEST_NAME=$(basename "$0" .t)
SLOW=1
[ "${UDPTRACK_ACCEL:-}" = tcg ] && SLOW=3
[ "${UDPTRACK_KERNEL:-}" = debug ] && SLOW=$((SLOW * 3))

# --- assertions

tap_count=0 tap_failed=0 tap_plan='' tap_done=0

# tap_result STATUS NAME
tap_result() {
	tap_count=$((tap_count + 1))
	# A '#' would begin a directive.
	if [ "$1" = 0 ]; then
		printf 'ok %d - %s\n' "$tap_count" "${2//#/\\#}"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_count" "${2//#/\\#}"
	return 1
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
pass() { tap_result 0 "$1"; }
fail() { tap_result 1 "$1"; }

ok() {
	if [ $# = 2 ] && [[ $1 =~ ^[0-9]+$ ]]; then
		tap_result "$1" "$2"
		return
	fi
	local name=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	tap_result "$status" "$name" && return
	diag "status $status of: $*"
	[ -z "$output" ] || diag "$output"
	return 1
}

not_ok() {
	local name=$1 output
	shift
	if ! output=$("$@" 2>&1); then
		tap_result 0 "$name"
		return
	fi
	tap_result 1 "$name"
	diag "succeeded, but should not: $*"
	[ -z "$output" ] || diag "$output"
	return 1
}

is() {
	[ "$1" = "$2" ] && { tap_result 0 "$3"; return; }
	tap_result 1 "$3"
	diag "     got: $1"
	diag "expected: $2"
	return 1
}

isnt() {
	[ "$1" != "$2" ] && { tap_result 0 "$3"; return; }
	tap_result 1 "$3"
	diag "     got: $1, which it should not be"
	return 1
}

like() {
	[[ $1 =~ $2 ]] && { tap_result 0 "$3"; return; }
	tap_result 1 "$3"
	diag "         got: $1"
	diag "not matching: $2"
	return 1
}

unlike() {
	[[ ! $1 =~ $2 ]] && { tap_result 0 "$3"; return; }
	tap_result 1 "$3"
	diag "     got: $1"
	diag "matching: $2"
	return 1
}

between() {
	[[ $1 =~ ^-?[0-9]+$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] && { tap_result 0 "$4"; return; }
	tap_result 1 "$4"
	diag "got ${1:-nothing}, expected $2 to $3"
	return 1
}

skip() {
	local i
	for ((i = 0; i < $1; i++)); do
		tap_count=$((tap_count + 1))
		printf 'ok %d # SKIP %s\n' "$tap_count" "$2"
	done
}

skip_all() {
	tap_done=1
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

bail_out() {
	diag "cannot go on: $*"
	exit 1
}

plan() { tap_plan=$1; }

# --- the kernel's log, taint and leaks

# What a kernel prints when something is wrong.
LOG_REPORTS='WARNING:|BUG:|BUG |KASAN|KFENCE|UBSAN|ODEBUG|Oops|general protection|kernel panic|Kernel panic
possible (circular|recursive|irq lock)|lock inversion|inconsistent lock state|suspicious RCU|RCU used illegally
-safe -> |dependency detected|held lock freed|bad unlock balance|bad contention|still held|Invalid wait context
MAX_LOCKDEP|MAX_LOCK_DEPTH|INFO: task|INFO: rcu|rcu_.*(self-)?detected|stalls? on CPU|soft lockup|hard LOCKUP
workqueue lockup|sleeping function called|scheduling while atomic|refcount_t|list_(add|del)|slab.*objects remaining
Objects remaining|kmem_cache_destroy|unregister_netdevice: waiting|ref_tracker|unable to handle|stack-protector
double.free|use-after-free|out-of-bounds|page allocation failure|kmemleak: [0-9]+ new|not unregistered|leaked'
LOG_REPORTS=${LOG_REPORTS//$'\n'/|}
log_allowed='^$' log_marker='' log_marks=0
# Not our fault, nor one at all: nf_tables walks lists with the macros of RCU under
# its own mutex, which it does not tell lockdep.
NF_TABLES_RCU='net/netfilter/(nf_tables_api|nft_[a-z_]+)\.c:[0-9]+ RCU-list traversed in non-reader section'

log_mark() {
	log_marks=$((log_marks + 1))
	log_marker="udptrack-test: $TEST_NAME $$ mark $log_marks"
	printf '%s\n' "$log_marker" >/dev/kmsg
}

# log_after MARKER: the log since then; all that there is when it has been overwritten
log_after() {
	dmesg | awk -v marker="$1" -v known="$NF_TABLES_RCU" '
		index($0, marker) { seen = 1; text = held = ""; next }
		# Three lines on it says what it is about.
		/WARNING: suspicious RCU usage/ { held = held $0 "\n"; next }
		held != "" && /RCU|[.][ch]:[0-9]+/ && !/Tainted/ {
			if ($0 !~ known) text = text held
			held = ""
		}
		{ text = text $0 "\n" }
		END { text = text held; if (!seen) print "(the mark is no longer in the log)"; printf "%s", text }'
}

log_since_mark() { log_after "$log_marker"; }
allow_log() { log_allowed+="|$1"; }

unlimit_log() {
	sysctl -qw kernel.printk_ratelimit=0 net.core.message_cost=0
}

# Out-of-tree, unsigned and test modules taint the kernel; that is no fault.
taint() { echo $(($(cat /proc/sys/kernel/tainted) & ~(1 << 12) & ~(1 << 13) & ~(1 << 18))); }

kmemleak=/sys/kernel/debug/kmemleak
[ "${UDPTRACK_KMEMLEAK:-1}" != 0 ] && [ -w $kmemleak ] || kmemleak=''

# check_kernel: assert that the kernel found no fault since the test began
check_kernel() {
	local reports
	reports=$(log_after "$log_begin" | grep -E -- "$LOG_REPORTS" | grep -vE -- "$log_allowed")
	if [ -z "$reports" ]; then
		pass 'kernel log clean'
	else
		fail 'kernel log clean'
		diag "$(log_after "$log_begin" | grep -vE -- "$log_allowed" |
			grep -E -m1 -B2 -A60 -- "$LOG_REPORTS")"
		diag "all reports:"
		diag "$reports"
	fi
	is "$(taint)" "$taint_begin" 'taint unchanged'
	[ -n "$kmemleak" ] || return
	# Two scans: what the first one finds must not have changed at the second.
	# An object must be 5 seconds old to be reported.
	local begin=$SECONDS
	echo scan >$kmemleak
	while [ $((SECONDS - begin)) -lt 6 ]; do sleep 0.5; done
	echo scan >$kmemleak
	reports=$(cat $kmemleak)
	if [ -z "$reports" ]; then
		pass 'kmemleak clean'
	else
		fail 'kmemleak clean'
		diag "$(head -n 100 <<<"$reports")"
	fi
	# So that the next test is not charged for it.
	echo clear >$kmemleak
}

# --- processes and time

test_pids=() BACKGROUND=''

background() {
	"$@" </dev/null &
	# shellcheck disable=SC2034 # for the tests
	BACKGROUND=$!
	test_pids+=("$BACKGROUND")
}

wait_until() {
	local deadline=$((SECONDS + $1 * SLOW + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# --- modules

is_loaded() { [ -d "/sys/module/$1" ]; }

load_module() {
	local name=$1 dependency
	shift
	for dependency in $(modinfo -F depends "$KO_DIR/$name.ko" | tr ',' ' '); do
		is_loaded "$dependency" && continue
		if [ -f "$KO_DIR/$dependency.ko" ]; then
			load_module "$dependency" || return
		else
			modprobe "$dependency" || return
		fi
	done
	insmod "$KO_DIR/$name.ko" "$@"
}

unload_module() { rmmod "$1"; }

load_udptrack() { load_module udptrack "$@" || bail_out "udptrack does not load: $*"; }
unload_udptrack() { unload_module udptrack; }

# unload_ours: every module of KO_DIR that is loaded, users before what they use
unload_ours() {
	local file name round left=0
	for round in 1 2 3; do
		left=0
		for file in "$KO_DIR"/*.ko; do
			[ -f "$file" ] || continue
			name=$(basename "$file" .ko)
			is_loaded "$name" || continue
			rmmod "$name" 2>/dev/null || left=1
		done
		[ "$left" = 0 ] && return
		[ "$round" = 3 ] || sleep 0.2
	done
	return 1
}

# --- network namespaces

test_netns=()

in_ns() { local ns=$1; shift; "$BIN/nsexec" "/run/netns/$ns" "$@"; }

new_netns() {
	local ns
	for ns in "$@"; do
		ip netns add "$ns" || bail_out "no namespace $ns"
		test_netns+=("$ns")
		ip -n "$ns" link set lo up
	done
}

link_netns() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" &&
		ip -n "$1" link set "$2" up &&
		ip -n "$3" link set "$4" up
}

two_netns() {
	local c=${1:-c} s=${2:-s}
	new_netns "$c" "$s"
	link_netns "$c" eth0 "$s" eth0 || bail_out "no veth pair"
	printf '%s\n' 'addr add 192.0.2.1/24 dev eth0' 'addr add 2001:db8::1/64 dev eth0 nodad' |
		ip -n "$c" -batch -
	printf '%s\n' 'addr add 192.0.2.2/24 dev eth0' 'addr add 2001:db8::2/64 dev eth0 nodad' |
		ip -n "$s" -batch -
	# IPv6 works once both ends have their carrier.
	wait_until 5 in_ns "$c" ping -6 -c1 -W1 2001:db8::2 || bail_out "no way from $c to $s"
}

# --- begin and end

# clean_up: end what the test left running, delete its namespaces, unload
clean_up() {
	local pid ns
	for pid in "${test_pids[@]}" $(jobs -p); do
		kill "$pid" 2>/dev/null
	done
	for pid in "${test_pids[@]}"; do
		wait "$pid" 2>/dev/null
	done
	test_pids=()
	for ns in /run/netns/*; do
		[ -e "$ns" ] || continue
		# What still runs there would keep the namespace alive.
		# shellcheck disable=SC2046 # a word a pid
		kill -9 $(ip netns pids "${ns##*/}") 2>/dev/null
		ip netns del "${ns##*/}"
	done
	test_netns=()
	unload_ours
}

done_testing() {
	[ -z "$tap_plan" ] || is "$tap_count" "$tap_plan" 'as many assertions as planned'
	if clean_up; then
		pass 'modules unload'
	else
		fail 'modules unload'
		diag "$(lsmod | grep -E 'udptrack|Module')"
	fi
	check_kernel
	tap_done=1
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}

# at_exit: also for tests that did not come to their end
at_exit() {
	local status=$?
	[ "$BASHPID" = "$$" ] || return
	if [ "$tap_done" != 1 ]; then
		fail "the test came to its end (status $status)"
		clean_up
		# A test that took too long gets no more time for leak scans.
		[ "$status" != 143 ] || kmemleak=''
		check_kernel
		printf '1..%d\n' "$tap_count"
		exit 1
	fi
	clean_up
	exit "$status"
}
trap at_exit EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

taint_begin=$(taint)
log_mark
log_begin=$log_marker
[ -z "$kmemleak" ] || echo clear >$kmemleak
# What a test that crashed may have left.
clean_up
