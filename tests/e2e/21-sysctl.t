#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sysctls: every one takes what is in its range and nothing else, per network
# namespace; no namespace but the first goes beyond the module's max; and who
# may read and write what.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sysctls=/proc/sys/net/netfilter
numbers=(timeout timeout_stream max acct checksum loopback log_invalid require_listener dns dns_linger)
declare -A lowest=([timeout]=1 [timeout_stream]=1 [max]=1 [acct]=0 [checksum]=0
	[loopback]=0 [log_invalid]=0 [require_listener]=0 [dns]=0 [dns_linger]=1)
declare -A highest=([timeout]=86400 [timeout_stream]=86400 [max]=134217728 [acct]=1 [checksum]=1
	[loopback]=1 [log_invalid]=1 [require_listener]=1 [dns]=2 [dns_linger]=86400)
declare -A good=([timeout]=15 [timeout_stream]=300 [max]=5000 [acct]=0 [checksum]=0
	[loopback]=0 [log_invalid]=1 [require_listener]=0 [dns]=2 [dns_linger]=10)

# put SYSCTL VALUE: write it, in one piece; $result is what came of it
put() {
	if { printf '%s\n' "$2" >"/proc/sys/net/netfilter/udptrack_$1"; } 2>"/tmp/put.$$"; then
		result=taken
	else
		read -r result <"/tmp/put.$$"
		result=${result##*: }
	fi
}

# get SYSCTL...: $result is their values, a space between
get() {
	local name value
	result=
	for name; do
		read -r value <"/proc/sys/net/netfilter/udptrack_$name"
		result+="${result:+ }$value"
	done
}

# say COMMAND...: put or get, and print the result
say() {
	"$@"
	echo "$result"
}
export -f put get say

# in_netns NAME COMMAND: run it in a shell there that knows put and get
in_netns() { in_ns "$1" bash -c "$2"; }

# What is no number in any range.
bad=('' ' ' x 1x -1 --1 1.5 1-1 '1,1' 0x 4294967296 4294967297 18446744073709551617 99999999999999999999999)
tried_numbers=("${numbers[@]}")
if [ "$UDPTRACK_KERNEL" = debug ]; then
	# An emulated one takes long for each; the others try them all.
	bad=('' x 4294967297)
	tried_numbers=(timeout max dns)
fi
# A number is taken in 6 lines, refused in 1 and 2 more for each bad value, and
# refused once more in 1.
plan $((568 - 10 * (8 + 2 * (2 + 14)) + ${#tried_numbers[@]} * (8 + 2 * (2 + ${#bad[@]}))))
unlimit_log
load_udptrack timeout=20 timeout_stream=200 max=1000 acct=0 mark_mask=0xff00 exempt_ports=4789

# --- what is taken

for name in "${tried_numbers[@]}"; do
	for value in "${lowest[$name]}" "${highest[$name]}" "${good[$name]}"; do
		put "$name" "$value"
		is "$result" taken "$name=$value is taken"
		get "$name"
		is "$result" "$value" "$name=$value is shown"
	done
done
for mask in 7:0x7 0x700:0x700 1792:0x700 0xe0000000:0xe0000000 0xffffffff:0xffffffff 0:0 0x00070000:0x70000; do
	put mark_mask "${mask%:*}"
	is "$result" taken "mark_mask='${mask%:*}' is taken"
	get mark_mask
	is "$result" "${mask#*:}" "mark_mask='${mask%:*}' is shown in hexadecimal"
done
for list in 53,5000-5100,65535 7,5-6,0,8:0,5-8 65535 0 0-65535 53,:53 ''; do
	put exempt_ports "${list%:*}"
	is "$result" taken "exempt_ports='${list%:*}' is taken"
	get exempt_ports
	is "$result" "${list#*:}" "exempt_ports='${list%:*}' is shown in order"
done

for list in 53,5353 '' 53; do
	put dns_ports "$list"
	is "$result" taken "dns_ports='$list' is taken"
	get dns_ports
	is "$result" "$list" "dns_ports='$list' is shown"
done

# The kernel shows a list in one read or cuts it; cat reads enough at once.
long=$(seq -s, 1001 2 2599)
dd bs=64k iflag=fullblock of=$sysctls/udptrack_exempt_ports status=none <<<"$long"
is "$?" 0 'a list of 800 ports is taken'
is "$(cat $sysctls/udptrack_exempt_ports)" "$long" 'a list of 800 ports is shown'
# One longer than a page would be taken in pieces, the first before an error in
# the second shows.
dd bs=64k iflag=fullblock of=$sysctls/udptrack_exempt_ports status=none 2>/dev/null <<<"$(seq -s, 1001 2 5001)"
is "$?" 1 'a list of 2001 ports, too long for one piece, is refused'
is "$(cat $sysctls/udptrack_exempt_ports)" "$long" 'and leaves the old one whole'

# --- what is not

# refused SYSCTL RANGE KEPT VALUE...: each value is refused, KEPT stays, and
# each leaves its line in the log; RANGE is a pattern of the line's end
refused() {
	local name=$1 range=$2 kept=$3 i lines tried results=() now=()
	shift 3
	tried=("$@")
	put "$name" "$kept"
	log_mark
	for i in "${!tried[@]}"; do
		put "$name" "${tried[i]}"
		results[i]=$result
		get "$name"
		now[i]=$result
	done
	mapfile -t lines < <(log_since_mark | grep 'udptrack: sysctl ')
	for i in "${!tried[@]}"; do
		is "${results[i]}, ${now[i]}" "Invalid argument, $kept" \
			"$name='${tried[i]}' is refused, the old value stays"
		like "${lines[i]:-}" "sysctl udptrack_$name: '${tried[i]}' is n(ot|either) .*$range" \
			"$name='${tried[i]}': the log says why"
	done
	is "${#lines[@]}" "$#" "$name: a line in the log for each of $# bad values"
}

for name in "${tried_numbers[@]}"; do
	refused "$name" "from ${lowest[$name]} to ${highest[$name]}" "${good[$name]}" \
		$((lowest[$name] - 1)) $((highest[$name] + 1)) "${bad[@]}"
done
refused mark_mask 'at least three adjacent bits' 0x700 \
	1 2 3 6 0x30 5 0xf0f 0x80000003 -1 '' ' ' x 0x 7x 7,7 0x100000000 18446744073709551623
refused exempt_ports 'from 0 to 65535' 53,5000-5100 \
	x 53x 65536 4294967349 -1 --1 5-1 53- -53 53,x 53:2 53/2 53.5 '53 54' ' 53' ,53 1,,2 all N \
	53,65536 1-70000 53,5-1 0x 99999999999999999999999

refused dns_ports 'from 0 to 65535' 53,5353 x 53,65536

for name in "${tried_numbers[@]}"; do
	get "$name"
	before=$result
	head -c 5000 /dev/zero | tr '\0' 9 |
		dd bs=8k iflag=fullblock of="$sysctls/udptrack_$name" status=none 2>/dev/null
	is "$? $(say get "$name")" "1 $before" "$name: 5000 digits are refused, the old value stays"
done

for name in count buckets; do
	before=$(say get "$name")
	is "$(say put "$name" 5), $(say get "$name")" "Permission denied, $before" "$name is read-only"
	is "$(stat -c %a $sysctls/udptrack_$name)" 444 "$name: mode 0444"
done
for name in "${numbers[@]}" mark_mask exempt_ports dns_ports; do
	is "$(stat -c %a "$sysctls/udptrack_$name")" 644 "$name: mode 0644"
done

# --- namespaces

all=("${numbers[@]}" mark_mask exempt_ports dns_ports)
for name in "${numbers[@]}"; do
	put "$name" "${good[$name]}"
done
put mark_mask 0x38
put exempt_ports 53
put max 2000
get "${all[@]}"
first=$result
new_netns one two
get_all="say get ${all[*]}"
fresh='20 200 1000 0 1 1 0 1 1 5 0xff00 4789 53'

is "$(in_netns one "$get_all")" "$fresh" 'a new namespace begins with the module parameters'
# shellcheck disable=SC2016
is "$(in_netns one 'for s in timeout:7 timeout_stream:70 max:700 acct:1 checksum:0 loopback:0 log_invalid:1 \
	require_listener:0 dns:0 dns_linger:9 mark_mask:0x70 exempt_ports:7-8 dns_ports:99; do say put ${s%:*} ${s#*:}; done | uniq -c | tr -s " "')" ' 13 taken' \
	'its settings can be changed'
is "$(in_netns one "$get_all")" '7 70 700 1 0 0 1 0 0 9 0x70 7-8 99' 'its settings have changed'
is "$(say get "${all[@]}")" "$first" "the first namespace's have not"
is "$(in_netns two "$get_all")" "$fresh" "nor have another's"
is "$(unshare -n bash -c "$get_all")" "$fresh" 'nor what a newer one begins with'

# --- the ceiling

ceiling='say put max 1000; say put max 1001; say get max; say put max 134217728; say put max 5; say get max; say put max 1000; say get max'
held='taken Invalid argument 1000 Invalid argument taken 5 taken 1000'
is "$(in_netns two "$ceiling" | paste -sd' ')" "$held" 'a namespace lowers its max, but does not go beyond the parameter'
log_mark
in_netns two 'put max 1001'
like "$(log_since_mark)" "sysctl udptrack_max: '1001' is not a number from 1 to 1000" 'the log names the ceiling'
is "$(say put max 134217728) $(say get max)" 'taken 134217728' 'the first namespace may go beyond'
is "$(in_netns two "$ceiling" | paste -sd' ')" "$held" 'which changes nothing for the others'
put max 100
is "$(in_netns two 'say put max 1000')" taken 'nor does its going below'

# --- privileges

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
is "$(stat -Lc %a /proc/net/udptrack)" 440 '/proc/net/udptrack: mode 0440'
is "$(stat -Lc %a /proc/net/stat/udptrack)" 444 '/proc/net/stat/udptrack: mode 0444'
like "$("${nobody[@]}" cat /proc/net/udptrack 2>&1)" 'Permission denied' 'a user may not read the flows'
like "$("${nobody[@]}" head -1 /proc/net/stat/udptrack)" '^entries found new' 'a user may read the totals'
like "$("${nobody[@]}" bash -c 'say put timeout 9')" 'Permission denied' 'a user may not change a setting'
is "$("${nobody[@]}" bash -c 'say get timeout')" 15 'a user may read a setting'

# The root of a user namespace that anybody may make.
if ! "${nobody[@]}" unshare -Urn true 2>/dev/null; then
	skip 7 'this kernel lets users make no user namespaces'
else
	is "$("${nobody[@]}" unshare -Urn bash -c "$get_all")" "$fresh" 'a user namespace begins with the module parameters'
	is "$("${nobody[@]}" unshare -Urn bash -c "$ceiling" | paste -sd' ')" "$held" 'its root stays below the ceiling'
	is "$("${nobody[@]}" unshare -Urn bash -c 'say put timeout 9; say put timeout 0; say get timeout' | paste -sd' ')" \
		'taken Invalid argument 9' 'its root changes settings, within their range'
	is "$(say get timeout)" 15 'which changes nothing for the first namespace'
	# In two steps: a file that the kernel makes before the user namespace
	# has its users belongs to nobody there, as is nf_conntrack's.
	# shellcheck disable=SC2016
	mapfile -t lines < <("${nobody[@]}" unshare -Ur unshare -n bash -c 'ip link set lo up
		"$0/flood" -P 1234 -p 5678 >/dev/null
		stat -Lc "%a %u" /proc/net/udptrack
		cat /proc/net/udptrack' "$BIN" 2>&1)
	is "${lines[0]}" '440 0' 'its root owns its flows'
	like "${lines[1]}" '^ipv4 +2 udp +17 [0-9]+ NEW src=127.0.0.1 dst=127.0.0.1 sport=1234 dport=5678 ' \
		'its root reads its flows'
	like "$("${nobody[@]}" unshare -Un cat /proc/net/udptrack 2>&1)" 'Permission denied|No such file' \
		'somebody there who is not root may not'
fi

done_testing
