#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Timeouts of single ports: they apply to either end's port, from the next
# packet on, in this namespace alone; and which lists are taken.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

sysctl=/proc/sys/net/netfilter/udptrack_port_timeouts

# put VALUE: write it; prints "taken" or the error
put() {
	local error
	if error=$({ printf '%s\n' "$1" >$sysctl; } 2>&1); then
		echo taken
	else
		echo "${error##*: }"
	fi
}

unlimit_log
load_udptrack port_timeouts=53:5:7,51820:180:300 timeout=40 timeout_stream=90
is "$(cat /sys/module/udptrack/parameters/port_timeouts)" 53:5:7,51820:180:300 'the parameter is shown'
is "$(cat $sysctl)" 53:5:7,51820:180:300 'it is the default of the first namespace'

# --- which lists are taken

for list in 53:5 53:5:5 0:1:1 65535:86400:86400 1:1,2:2,3:3:3 $'\t53:5 ' ''; do
	is "$(put "$list")" taken "'$list' is taken"
	is "$(cat $sysctl)" "$(tr -d ' \t' <<<"$list")" "'$list' is shown"
done
long=$(printf '%d:1:2,' {1000..1399})
long=${long%,}
is "$(put "$long")" taken 'a list of 400 ports is taken'
is "$(cat $sysctl)" "$long" 'and shown'
is "$(dd bs=7 if=$sysctl status=none)" "$long" 'in small pieces, too'
put 53:5:7 >/dev/null
log_mark
lists=() reasons=() results=()
while IFS='|' read -r list why; do
	lists+=("$list")
	reasons+=("$why")
	result=$(put "$list")
	read -r now <$sysctl
	results+=("$result, $now")
done <<-'END'
	53|is not a list
	53:|is not a list
	:5|is not a list
	53:5:|is not a list
	53:5,|is not a list
	,53:5|is not a list
	53:5,,54:5|is not a list
	53:5:5:5|is not a list
	53-54:5|is not a list
	53:5 54:5|is not a list
	53:x|is not a list
	53:-1|is not a list
	53:5x|is not a list
	x|is not a list
	65536:5|port not from 0 to 65535
	4294967349:5|port not from 0 to 65535
	53:0|timeout not from 1 to 86400
	53:86401|timeout not from 1 to 86400
	53:5:0|timeout not from 1 to 86400
	53:4294967301|timeout not from 1 to 86400
	53:5,54:6,53:7|names a port twice
	53 5|is not a list
	53:5;54:5|is not a list
	53: 5|is not a list
	+53:5|is not a list
	0x35:5|is not a list
	53:0x5|timeout not from 1 to 86400
	::|is not a list
	,|is not a list
	70000:5|port not from 0 to 65535
	53:5:86401|timeout not from 1 to 86400
	53:99999999999999999999|timeout not from 1 to 86400
END
mapfile -t lines < <(log_since_mark | grep 'sysctl udptrack_port_timeouts')
for i in "${!lists[@]}"; do
	is "${results[i]}" 'Invalid argument, 53:5:7' "'${lists[i]}' is refused, the old one stays"
	like "${lines[i]:-}" "${reasons[i]}" "'${lists[i]}': the log says why"
done
is "${#lines[@]}" "${#lists[@]}" 'a line in the log for each'
too_long=$(printf '%d:86400:86400,' {10000..10300})
is "$(dd bs=64k iflag=fullblock of=$sysctl status=none 2>&1 <<<"${too_long%,}" | grep -c Invalid), $(cat $sysctl)" '1, 53:5:7' \
	'one longer than a page is refused whole'
unload_udptrack
log_mark
not_ok 'a bad parameter keeps the module out' insmod "$KO" port_timeouts=53:0
like "$(log_since_mark)" "parameter port_timeouts: '53:0' has a port" 'and the log says why'

# --- what they do

load_udptrack port_timeouts=53:25:37,51820:180:300,7000:20 timeout=40 timeout_stream=90
two_netns
gen_start
gen_script <<-END
	in s
	udp s53 192.0.2.2 53
	udp s6 2001:db8::2 51820
	udp s7 192.0.2.2 7000
	udp s8 192.0.2.2 8000
	in c
	udp q 192.0.2.1 4000
	udp q6 2001:db8::1 4000
	udp wg 192.0.2.1 51820
	send q 192.0.2.2 53
	send q6 2001:db8::2 51820
	send q 192.0.2.2 7000
	send q 192.0.2.2 8000
	send wg 192.0.2.2 8000
	send wg 192.0.2.2 53
	recv s53 2
	recv s8 2
END
snap c
flow 192.0.2.1 4000 192.0.2.2 53
left_is 25 'the asked port has its own timeout'
flow 2001:db8::1 4000 2001:db8::2 51820
left_is 180 'IPv6, too'
flow 192.0.2.1 4000 192.0.2.2 8000
left_is 40 'another port the general one'
flow 192.0.2.1 51820 192.0.2.2 8000
left_is 180 'the asking port counts as well'
flow 192.0.2.1 51820 192.0.2.2 53
left_is 25 'of two the lower one decides'
snap s
flow 192.0.2.1 4000 192.0.2.2 53
left_is 25 'the same at the other end'
gen 'in c' 'sleep 2100' 'send q 192.0.2.2 7000' 'in s' 'answer s7 2' 'in c' 'recv q 2' 'send q 192.0.2.2 7000' 'recv s7'
snap c
flow 192.0.2.1 4000 192.0.2.2 7000
left_is 90 'a stream of a port without its own stream timeout has the general one'
gen 'send q 192.0.2.2 53' 'answer s53' 'recv q' 'send q 192.0.2.2 53' 'recv s53'
snap c
flow 192.0.2.1 4000 192.0.2.2 53
left_is 37 'a stream of a port with one has that'

# --- changed under live flows

gen 'in c' 'write /proc/sys/net/netfilter/udptrack_port_timeouts 8000:10:11'
snap c
flow 192.0.2.1 51820 192.0.2.2 8000
between "$FLOW_LEFT" 140 180 'a flow keeps the time it was given'
flow_is 'NEW 1/38 [UNREPLIED] 0/0' 'and all else'
gen 'send wg 192.0.2.2 8000' 'send wg 192.0.2.2 53' 'recv s8' 'recv s53'
snap c
flow 192.0.2.1 51820 192.0.2.2 8000
left_is 10 'its next packet gives it the new one'
flow 192.0.2.1 51820 192.0.2.2 53
left_is 40 'or the general one where there is none any more'
is "$(in_ns s cat $sysctl)" 53:25:37,51820:180:300,7000:20 "another namespace's list is its own"

# Replaced again and again under traffic, by two at once.
background nsenter --net=/run/netns/c "$BIN/flood" -S 200 -R -t 60 -g 200 >/dev/null
flood=$BACKGROUND
times=200
# An emulated debug kernel takes a quarter of a second for each.
[ "$UDPTRACK_KERNEL" = debug ] && times=20
# shellcheck disable=SC2016
change='for ((i = 1; i <= '$times'; i++)); do echo 53:$i:$i,9:1 >$0; echo >$0; done 2>&1'
in_ns c bash -c "$change" $sysctl &
first=$!
out=$(in_ns c bash -c "$change" $sysctl)
wait $first
is "$? $out" '0 ' "replaced $((times * 4)) times under traffic"
kill "$flood"
wait "$flood"

done_testing
