#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Module parameters: every one is the default of every network namespace, and
# a value out of range keeps the module out, with a line in the log that says
# which parameter, which value and which range.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sysctls=/proc/sys/net/netfilter
loaded=/sys/module/udptrack
names=(timeout timeout_stream max acct checksum loopback log_invalid require_listener dns dns_linger
	mark_mask exempt_ports dns_ports port_timeouts)
declare -A default=([timeout]=30 [timeout_stream]=120 [max]=262144 [acct]=1 [checksum]=1
	[loopback]=1 [log_invalid]=0 [require_listener]=1 [mark_mask]=0 [exempt_ports]=''
	[dns]=1 [dns_linger]=5 [dns_ports]=53 [port_timeouts]='')
declare -A good=([timeout]=15 [timeout_stream]=300 [max]=1000 [acct]=0 [checksum]=0
	[loopback]=0 [log_invalid]=1 [require_listener]=0 [mark_mask]=0x700 [exempt_ports]='53,5000-5100'
	[dns]=2 [dns_linger]=10 [dns_ports]='53,5353' [port_timeouts]='53:5,51820:180:300')
declare -A lowest=([timeout]=1 [timeout_stream]=1 [max]=1 [acct]=0 [checksum]=0
	[loopback]=0 [log_invalid]=0 [require_listener]=0 [mark_mask]=0x7 [exempt_ports]=0
	[dns]=0 [dns_linger]=1 [dns_ports]=0 [port_timeouts]=0:1:1)
declare -A highest=([timeout]=86400 [timeout_stream]=86400 [max]=134217728 [acct]=1 [checksum]=1
	[loopback]=1 [log_invalid]=1 [require_listener]=1 [mark_mask]=0xffffffff [exempt_ports]=65535
	[dns]=2 [dns_linger]=86400 [dns_ports]=65535 [port_timeouts]=65535:86400:86400)

# values ARRAY: its values in the order of names, as "name=value ..."
values() {
	local -n array=$1
	local name out=
	for name in "${names[@]}"; do
		out+="$name=${array[$name]} "
	done
	printf '%s' "$out"
}

# shown DIRECTORY PREFIX: the same, of what the kernel shows
shown() {
	local name value out=
	for name in "${names[@]}"; do
		read -r value <"$1/$2$name"
		out+="$name=$value "
	done
	printf '%s' "$out"
}

# shown_in_new_netns: the same, of the sysctls of a network namespace made now
shown_in_new_netns() {
	local name out=
	{
		for name in "${names[@]}"; do
			read -r value
			out+="$name=$value "
		done
	} < <(unshare -n cat "${names[@]/#/$sysctls/udptrack_}")
	printf '%s' "$out"
}

# everywhere ARRAY WHAT: parameters and sysctls show the values of the array
everywhere() {
	is "$(shown $loaded/parameters '')" "$(values "$1")" "$2: shown in /sys/module"
	is "$(shown $sysctls udptrack_)" "$(values "$1")" "$2: sysctls of the first namespace"
	is "$(shown_in_new_netns)" "$(values "$1")" "$2: sysctls of a new namespace"
}

if [ "${UDPTRACK_KERNEL:-}" = debug ]; then plan 72; else plan 337; fi
unlimit_log

# --- values that are taken

load_udptrack
everywhere default 'without parameters'
unload_udptrack

sets=(good lowest highest)
alone=("${names[@]}")
# Loading takes a second there; the others try them all.
[ "$UDPTRACK_KERNEL" = debug ] && sets=(highest) alone=(exempt_ports)
for set in "${sets[@]}"; do
	# shellcheck disable=SC2046 # a word a parameter
	load_udptrack $(values "$set")
	everywhere "$set" "$set values"
	unload_udptrack
done

for name in "${alone[@]}"; do
	# shellcheck disable=SC2034 # for values()
	declare -A expected=()
	for other in "${names[@]}"; do
		expected[$other]=${default[$other]}
	done
	# shellcheck disable=SC2034
	expected[$name]=${good[$name]}
	load_udptrack "$name=${good[$name]}"
	is "$(shown $sysctls udptrack_)" "$(values expected)" "$name alone: changes nothing else"
	unload_udptrack
done

# --- values that are not

numbers_refused=('' x 1x -1 1.5 4294967296 4294967297 18446744073709551617 99999999999999999999999)
ports_refused=(x 53x 65536 4294967349 -1 5-1 53- '53,x' 53:2 53/2 all '53,65536' 1-70000 N)
masks_refused=('' x 1 3 0x30 5 0xf0f 0x80000003 -1 0x 0x7x 0x100000000)
few_refused=("${numbers_refused[@]}")
numbers=()
for name in "${names[@]}"; do
	[[ $name =~ port|mask ]] || numbers+=("$name")
done
if [ "${UDPTRACK_KERNEL:-}" = debug ]; then
	# Loading takes a second there; the others have tried them all.
	numbers=(timeout dns)
	few_refused=('' x)
	ports_refused=(x 65536 5-1)
	masks_refused=(x 3 0xf0f)
fi

# refused NAME RANGE VALUE...: none of the values gets the module loaded, and
# each leaves its line in the log; RANGE is a pattern of the line's end
refused() {
	local name=$1 range=$2 value i errors lines tried
	shift 2
	tried=("$@")
	log_mark
	mapfile -t errors < <(printf "$name=%s\n" "$@" | "$BIN/tryload" "$KO" udptrack)
	mapfile -t lines < <(log_since_mark | grep 'udptrack: parameter ')
	for i in "${!errors[@]}"; do
		value=${tried[i]}
		is "${errors[i]}" 'Invalid argument' "$name='$value' is refused"
		like "${lines[i]:-}" "parameter $name: '$value' is n(ot|either) .*$range" "$name='$value': the log says why"
	done
	is "${#errors[@]} ${#lines[@]}" "$# $#" "$name: a line in the log for each of $# bad values"
	ok "$name: the module is not there" [ ! -e $loaded ]
}

for name in "${numbers[@]}"; do
	bad=("${few_refused[@]}")
	[ "$name" = timeout ] && bad=("${numbers_refused[@]}")
	refused "$name" "from ${lowest[$name]} to ${highest[$name]}" \
		$((lowest[$name] - 1)) $((highest[$name] + 1)) "${bad[@]}"
done
refused mark_mask 'at least three adjacent bits' "${masks_refused[@]}"
refused exempt_ports 'from 0 to 65535' "${ports_refused[@]}"
refused dns_ports 'from 0 to 65535' x 53,65536

# --- the command that people type

message=$(insmod "$KO" timeout=0 2>&1)
is "$?" 1 'insmod with a bad value: fails'
like "$message" 'Invalid parameters' 'insmod with a bad value: says so'
message=$(insmod "$KO" timeout=20 max=oops 2>&1)
is "$?" 1 'insmod with a good and a bad value: fails'
ok 'insmod with a good and a bad value: the module is not there' [ ! -e $loaded ]
is "$("$BIN/tryload" "$KO" udptrack <<<timeout)" 'Invalid argument' 'a name without a value is refused'

load_udptrack exempt_ports=
is "$(shown $sysctls udptrack_)" "$(values default)" 'no exempt ports at all: the defaults'
unload_udptrack

load_udptrack dns_ports=
is "$(cat $sysctls/udptrack_dns_ports)" '' 'no DNS ports at all: not the default, but none'
unload_udptrack

log_mark
load_udptrack flux=1
like "$(log_since_mark)" "udptrack: unknown parameter 'flux' ignored" 'an unknown parameter: the kernel says so'
is "$(shown $sysctls udptrack_)" "$(values default)" 'an unknown parameter: the defaults'
unload_udptrack

done_testing
