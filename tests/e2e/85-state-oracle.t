#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nf_conntrack is the oracle for the state of single packets: in the same firewall,
# "-m udptrack --state S" and "-m conntrack --ctstate S" must match the same ones,
# for every state, on their way in and out, of IPv4 and IPv6, with iptables-legacy
# (in namespace a) and iptables-nft (in b). The traffic is random: see chatter.c.
#
# Where udptrack differs on purpose it is told to do as nf_conntrack does, or the
# traffic keeps clear of it:
#   - udptrack_require_listener is 0: else nothing flows from closed ports;
#   - ports are exempt that rules of the raw table mark as not to be tracked; so are
#     ICMP errors about them, and no malformed packets go there, which are INVALID;
#   - unicast answers to multicast and broadcast requests are RELATED: there are none;
#   - a packet that the filter table drops does not answer a flow, and refreshes none:
#     answers that would make the difference are not dropped there;
#   - raw IPv4 fragments of sockets with IP_NODEFRAG are UNTRACKED: there are none;
#   - an ICMP error must quote eight bytes of the datagram (RFC 792), where for
#     nf_conntrack the four with the ports are enough: none quotes four to seven;
#   - ICMP redirects, and errors about other protocols, have no state: there are none.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

STATES=(NEW ESTABLISHED RELATED INVALID UNTRACKED)
SEED=${UDPTRACK_SEED:-85}
PACKETS=22000 MIN_SEEN=20000 MIN_STATE=200 TIMEOUT=3 STREAM=6
if [ "$UDPTRACK_KERNEL" = debug ]; then
	PACKETS=1300 MIN_SEEN=1200 MIN_STATE=12 TIMEOUT=6 STREAM=12
fi
EXEMPT=5050	# as in chatter.c
work=$(mktemp -d)

modprobe -a nf_conntrack xt_conntrack xt_CT xt_u32 nf_log_syslog || skip_all "no nf_conntrack"
# What nf_conntrack does not know of is off.
load_udptrack dns=0
load_module xt_udptrack || bail_out "xt_udptrack does not load"
two_netns a b

iptables_in() {
	local ns=$1 family=$2 tool=$3 variant=nft
	shift 3
	[ "$ns" = a ] && variant=legacy
	in_ns "$ns" "ip${family/4/}tables-$variant$tool" "$@"
}

# rules FAMILY: the rules, for iptables-restore.  Each state has two rules that
# never match, in each direction, which log what they match, and two that count.
rules() {
	local icmp='icmp --icmp-type' errors=(destination-unreachable time-exceeded parameter-problem)
	# The upper three bits of the type of service: see enum fate in chatter.c.
	local state way chain port error fate='0>>16&0xe0'
	if [ "$1" = 6 ]; then
		fate='0>>20&0xe0'
		icmp='ipv6-icmp --icmpv6-type'
		errors+=(packet-too-big)
	fi
	echo '*raw'
	echo "-A OUTPUT -m u32 --u32 $fate=0x20 -j DROP"
	echo "-A PREROUTING -m u32 --u32 $fate=0x40 -j DROP"
	for chain in OUTPUT PREROUTING; do
		for port in sport dport; do
			# What is too short to have ports would be dropped by that match.
			echo "-A $chain -p udp -m u32 ! --u32 $fate=0xc0 -m udp --$port $EXEMPT -j CT --notrack"
		done
		echo "-A $chain -p ${icmp%% *} -m u32 --u32 $fate=0xa0 -j CT --notrack"
	done
	echo COMMIT
	echo '*filter'
	for state in "${STATES[@]}"; do
		for way in ct ut; do
			echo ":$way-$state - [0:0]"
			echo "-A $way-$state -m limit --limit 1/s --limit-burst 10 -j LOG --log-prefix \"differs: $way $state \""
		done
	done
	for chain in INPUT OUTPUT; do
		echo ":seen-$chain - [0:0]"
		echo "-A $chain -p udp -j seen-$chain"
		for error in "${errors[@]}"; do
			echo "-A $chain -p $icmp $error -j seen-$chain"
		done
		for state in "${STATES[@]}"; do
			echo "-A seen-$chain -m conntrack --ctstate $state -m udptrack ! --state $state -j ct-$state"
			echo "-A seen-$chain -m conntrack ! --ctstate $state -m udptrack --state $state -j ut-$state"
			echo "-A seen-$chain -m conntrack --ctstate $state"
			echo "-A seen-$chain -m udptrack --state $state"
		done
	done
	echo "-A OUTPUT -m u32 --u32 $fate=0x60 -j DROP"
	echo "-A INPUT -m u32 --u32 $fate=0x80 -j DROP"
	echo COMMIT
}

# count_packets NS FAMILY: print a line "CHAIN WHAT STATE NUMBER" for each rule of a
# state, WHAT being ct or ut for those that count and differs for the others
count_packets() {
	iptables_in "$1" "$2" -save -c -t filter | awk '
		/-A seen-/ {
			number = substr($1, 2) + 0
			chain = $3
			sub("seen-", "", chain)
			match($0, /state [A-Z]+/)
			state = substr($0, RSTART + 6, RLENGTH - 6)
			what = / -j /? "differs" : /ctstate/ ? "ct" : "ut"
			print chain, what, state, number
		}'
}

# total WHAT CHAIN STATE [FAMILY]: the sum of both namespaces; "." is any
total() {
	awk -v what="$1" -v chain="$2" -v state="$3" -v family="${4:-.}" '
		$2 ~ family && $3 ~ chain && $4 == what && $5 ~ state { n += $6 }
		END { print n + 0 }' "$work/counts"
}

for ns in a b; do
	in_ns $ns sysctl -q net.netfilter.nf_conntrack_checksum=1 \
		net.netfilter.nf_conntrack_udp_timeout=$TIMEOUT \
		net.netfilter.nf_conntrack_udp_timeout_stream=$STREAM \
		net.netfilter.udptrack_checksum=1 net.netfilter.udptrack_require_listener=0 \
		net.netfilter.udptrack_timeout=$TIMEOUT net.netfilter.udptrack_timeout_stream=$STREAM \
		net.netfilter.udptrack_exempt_ports=$EXEMPT \
		net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 || bail_out "no settings"
	ip -n $ns route add 224.0.0.0/4 dev eth0
done
# Addresses that ICMP errors go to by mistake; and no noise of neighbour discovery.
printf '%s\n' 'addr add 192.0.2.11/32 dev lo' 'addr add 2001:db8::11/128 dev lo nodad' | ip -n a -batch -
printf '%s\n' 'addr add 192.0.2.12/32 dev lo' 'addr add 2001:db8::12/128 dev lo nodad' | ip -n b -batch -
mac() { ip -n "$1" -o link show eth0 | sed -n 's,.*link/ether \([^ ]*\).*,\1,p'; }
neighbours() {
	local addr
	for addr in 192.0.2.$3 192.0.2.1$3 2001:db8::$3 2001:db8::1$3; do
		ip -n "$1" neigh replace "$addr" lladdr "$(mac "$2")" dev eth0 nud permanent
	done
}
neighbours a b 2
neighbours b a 1
ip -n a route add 192.0.2.12/32 dev eth0
ip -n b route add 192.0.2.11/32 dev eth0

for ns in a b; do
	for family in 4 6; do
		rules $family >"$work/rules"
		ok "$ns: the rules of IPv$family are taken" iptables_in $ns $family -restore "$work/rules" ||
			bail_out "no rules"
	done
done

sysctl -qw net.netfilter.nf_log_all_netns=1
log_mark
diag "seed $SEED"
summary=$("$BIN/chatter" "$SEED" $PACKETS $TIMEOUT $STREAM "$work/trace" 2>&1)
ok $? "random packets"
diag "$summary"
sysctl -qw net.netfilter.nf_log_all_netns=0

for ns in a b; do
	for family in 4 6; do
		count_packets $ns $family | sed "s/^/$ns $family /"
	done
done >"$work/counts"
diag "$(printf '%-12s %10s %10s %10s %10s' state 'in, IPv4' 'in, IPv6' 'out, IPv4' 'out, IPv6')"
for state in "${STATES[@]}"; do
	diag "$(printf '%-12s %10d %10d %10d %10d' "$state" "$(total ct INPUT "$state" 4)" \
		"$(total ct INPUT "$state" 6)" "$(total ct OUTPUT "$state" 4)" "$(total ct OUTPUT "$state" 6)")"
done

is "$(grep -c ' differs ' "$work/counts")" 80 "all rules are there"
dropped=$(for ns in a b; do for family in 4 6; do iptables_in $ns $family -save -c; done; done |
	sed -n 's/^\[\([0-9]*\):.* -j DROP$/\1/p' | grep -vc '^0$')
is "$dropped" 16 "each rule that drops has dropped something"
for ns in a b; do
	for family in 4 6; do
		is "$(grep "^$ns $family .* differs " "$work/counts" | grep -v ' 0$')" "" \
			"$ns: IPv$family: no packet has another state for udptrack than for nf_conntrack"
		is "$(grep "^$ns $family .* ut " "$work/counts" | sed 's/ ut / ct /')" \
			"$(grep "^$ns $family .* ct " "$work/counts")" "$ns: IPv$family: and each has one"
	done
done
# A remark on the first that differs: what was sent just before.
odd=$(log_since_mark | grep 'differs: ')
if [ -n "$odd" ]; then
	diag "$(head -n 10 <<<"$odd")"
	moment=$(sed -n '1s/^\[ *\([0-9.]*\)\].*/\1/p' <<<"$odd")
	diag "sent before that:"
	diag "$(awk -v moment="$moment" '{ t = $0; sub(/^\[ */, "", t); if (t + 0 > moment + 0.01) exit; print }' \
		"$work/trace" | tail -n 12)"
fi

# That they agree says something only of what there was.
for chain in INPUT OUTPUT; do
	between "$(total ct $chain .)" $MIN_SEEN 10000000 "$chain: enough packets"
	for state in "${STATES[@]}"; do
		for family in 4 6; do
			between "$(total ct $chain "$state" $family)" $MIN_STATE 10000000 \
				"$chain: IPv$family: many are $state"
		done
	done
done
unlike "$summary" 'error|chatter:' "nothing went wrong on the way"

for ns in a b; do
	for family in 4 6; do
		iptables_in $ns $family '' -F
		iptables_in $ns $family '' -X
	done
done
wait_until 10 grep -qx 0 /sys/module/xt_udptrack/refcnt
rm -r "$work"
done_testing
