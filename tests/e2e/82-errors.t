#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ICMP and ICMPv6 errors: who quotes a live flow's packet and goes to its sender
# is RELATED, who quotes anything else is INVALID, and what is no error about UDP
# has no state. None of them makes, establishes, counts for or refreshes a flow.
# Real errors, of the far end, of a router and of our own kernel, and forged ones.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/states.sh
. "$(dirname "$0")/states.sh"

# So long that nothing expires, however slow the machine is.
TIMEOUT=600
load_udptrack timeout=$TIMEOUT
load_module xt_udptrack || bail_out 'xt_udptrack does not load'

# a and b on one link; a and far behind a router, whose far link is narrow.
two_netns a b
new_netns r far
link_netns a eth1 r eth0
link_netns r eth1 far eth0
ip -n a -batch - <<'END'
addr add 192.0.2.11/24 dev eth0
addr add 2001:db8::11/64 dev eth0 nodad
addr add 203.0.113.1/24 dev eth1
addr add 2001:db8:1::1/64 dev eth1 nodad
route add 198.51.100.0/24 via 203.0.113.2
route add 2001:db8:2::/64 via 2001:db8:1::2
END
ip -n r -batch - <<'END'
addr add 203.0.113.2/24 dev eth0
addr add 2001:db8:1::2/64 dev eth0 nodad
addr add 198.51.100.2/24 dev eth1
addr add 2001:db8:2::2/64 dev eth1 nodad
link set eth1 mtu 1280
END
ip -n far -batch - <<'END'
addr add 198.51.100.1/24 dev eth0
addr add 2001:db8:2::1/64 dev eth0 nodad
link set eth0 mtu 1280
route add default via 198.51.100.2
route add default via 2001:db8:2::2
END
in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for ns in a b r far; do
	in_ns $ns sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
wait_until 10 in_ns a ping -c1 -W1 198.51.100.1 || bail_out 'no way through the router'
wait_until 10 in_ns a ping -6 -c1 -W1 2001:db8:2::1 || bail_out 'no IPv6 way through the router'
count_states a
count_states b
gen_start

# use 4|6: addresses, the length of the IP header, and what ICMP calls things
use() {
	family=$1
	if [ "$family" = 4 ]; then
		A=192.0.2.1 A2=192.0.2.11 B=192.0.2.2 ELSEWHERE=203.0.113.77 FAR=198.51.100.1
		AR=203.0.113.1 LO=127.0.0.1
		IP=20 label='' UNREACHABLE='3 3' EXCEEDED='11 0' TOO_BIG='3 4' PROBLEM='12 0'
		BYTES=38 ECHO='8 0' REPLY='0 0'
	else
		A=2001:db8::1 A2=2001:db8::11 B=2001:db8::2 ELSEWHERE=2001:db8:1::77 FAR=2001:db8:2::1
		AR=2001:db8:1::1 LO=::1
		IP=40 label='IPv6: ' UNREACHABLE='1 4' EXCEEDED='3 0' TOO_BIG='2 0' PROBLEM='4 0'
		BYTES=58 ECHO='128 0' REPLY='129 0'
	fi
}

# flows_now: sets NOW to the flows of the last snap, without the seconds left
flows_now() {
	local line
	NOW=
	for line in "${FLOWS[@]}"; do
		NOW+="${line%% udp      17 *} ${line#* udp      17 * }"$'\n'
	done
}

# calm NAME: assert that the flows of a are as they were, and none was refreshed
calm() {
	snap a
	flows_now
	is "$NOW" "$BEFORE" "$label$1: flows are as they were"
	flow $A 4001 $B 7000
	left_is $TIMEOUT "$label$1: and none is refreshed" "$began_from" "$began_to"
}

# The chain whose counters are 0, unless there was traffic since.
clean=''
# came STATE NAME LINE...: b does these, and that is what comes in at a
came() {
	local state=$1 name=$2
	shift 2
	[ "$clean" = "INPUT $GEN_TO" ] || states a INPUT "$family" >/dev/null
	gen 'in b' "$@" 'barrier b 192.0.2.1 a'
	is "$(states a INPUT "$family")" "$state" "$label$name"
	calm "$name"
	clean="INPUT $GEN_TO"
}

# went STATE NAME LINE...: a does these, and that is what leaves it
went() {
	local state=$1 name=$2
	shift 2
	[ "$clean" = "OUTPUT $GEN_TO" ] || states a OUTPUT "$family" >/dev/null
	gen 'in a' "$@" 'barrier a 192.0.2.2 b'
	is "$(states a OUTPUT "$family")" "$state" "$label$name"
	calm "$name"
	clean="OUTPUT $GEN_TO"
}

# flows_made LINE...: flows to err about, old enough to see that they are not refreshed
flows_made() {
	gen "$@"
	began_from=$GEN_FROM began_to=$GEN_TO
	gen 'sleep 1300'
	snap a
	flows_now
	BEFORE=$NOW
}

# An emulated debug kernel takes minutes for each; the others try them all.
families=(4 6)
[ "$UDPTRACK_KERNEL" = debug ] && families=(6)

for family in "${families[@]}"; do
	use "$family"
	### Forged errors that come in.  Flows: 4001 ours and unanswered, 4002 ours and
	# answered, 4003 from outside.
	flows_made "in b" "udp server$family $B 7000" "udp out$family $B 4003" \
		"in a" "udp live$family $A 4001" "udp answered$family $A 4002" "udp in$family $A 7000" \
		"send live$family $B 7000" "recv server$family" \
		"send answered$family $B 7000" "answer server$family" "recv answered$family" \
		"send out$family $A 7000" "recv in$family"
	flow $A 4001 $B 7000
	flow_is "NEW 1/$BYTES [UNREPLIED] 0/0" "${label}an unanswered flow to err about"
	flow $A 4002 $B 7000
	flow_is "ESTABLISHED 1/$BYTES 1/$BYTES" "${label}an answered one"
	flow $B 4003 $A 7000
	flow_is "NEW 1/$BYTES [UNREPLIED] 0/0" "${label}one from outside"

	about="$A 4001 $B 7000"
	came RELATED "an error of the far end" "icmp $B $A $UNREACHABLE $about"
	came RELATED "an error of whoever is on the way" "icmp $ELSEWHERE $A $EXCEEDED $about"
	came RELATED "packet too big" "icmp $ELSEWHERE $A $TOO_BIG $about size=1400"
	came RELATED "a parameter problem" "icmp $ELSEWHERE $A $PROBLEM $about"
	came RELATED "any code" "icmp $ELSEWHERE $A ${UNREACHABLE% *} 1 $about"
	if [ "$family" = 4 ]; then
		came RELATED "a source quench" "icmp $ELSEWHERE $A 4 0 $about"
		came RELATED "a redirect" "icmp $B $A 5 1 $about"
	else
		came RELATED "an error of a type unknown" "icmp $ELSEWHERE $A 100 0 $about"
		came none "a redirect is no error in IPv6" "icmp $B $A 137 0 $about"
	fi
	came RELATED "about an answered flow" "icmp $B $A $UNREACHABLE $A 4002 $B 7000"
	came RELATED "about an answer of ours" "icmp $B $A $UNREACHABLE $A 7000 $B 4003"
	came RELATED "with no more than the ports quoted" "icmp $B $A $UNREACHABLE $about quote=$((IP + 8))"
	came RELATED "whatever the quoted UDP header says" "icmp $B $A $UNREACHABLE $about ulen=7 sum=bad"
	came RELATED "about a first fragment" "icmp $ELSEWHERE $A $EXCEEDED $about size=1400 frag=0,800"

	came INVALID "about a later fragment, which has no ports" \
		"icmp $ELSEWHERE $A $EXCEEDED $about size=1400 frag=800,400"
	came INVALID "about a flow unknown by our port" "icmp $B $A $UNREACHABLE $A 4999 $B 7000"
	came INVALID "by the other port" "icmp $B $A $UNREACHABLE $A 4001 $B 7009"
	came INVALID "by the other address" "icmp $B $A $UNREACHABLE $A 4001 $ELSEWHERE 7000"
	came INVALID "to another address than the quoted packet's" "icmp $B $A2 $UNREACHABLE $about"
	came INVALID "about a packet that another sent" "icmp $B $A $UNREACHABLE $B 7000 $A 4001"
	came INVALID "about a packet that came in" "icmp $B $A $UNREACHABLE $B 4003 $A 7000"
	for cut in $((IP + 7)) $IP $((IP - 1)) 1 0; do
		came INVALID "cut to $cut bytes of the quote" "icmp $B $A $UNREACHABLE $about quote=$cut"
	done
	came INVALID "with a bad checksum" "icmp $B $A $UNREACHABLE $about icmpsum=bad"
	sysctl_in a udptrack_checksum=0
	came RELATED "with a bad checksum, checksum=0" "icmp $B $A $UNREACHABLE $about icmpsum=bad"
	sysctl_in a udptrack_checksum=1

	came none "about TCP" "icmp $B $A $UNREACHABLE $about proto=6"
	came none "about ICMP" "icmp $B $A $UNREACHABLE $about proto=$([ "$family" = 4 ] && echo 1 || echo 58)"
	came none "about UDP-Lite" "icmp $B $A $UNREACHABLE $about proto=136"
	came none "an echo request" "icmp $B $A $ECHO $about"
	came none "an echo reply" "icmp $B $A $REPLY $about"
	came none "what is too short to be an error" "icmp $B $A $ECHO $about quote=0"

	sysctl_in a udptrack_exempt_ports=7008,4998
	came UNTRACKED "about an exempt port" "icmp $B $A $UNREACHABLE $A 4001 $B 7008"
	came UNTRACKED "about an exempt port of ours" "icmp $B $A $UNREACHABLE $A 4998 $B 7000"
	came RELATED "about a flow without one" "icmp $B $A $UNREACHABLE $about"
	sysctl_in a udptrack_exempt_ports=7000
	came UNTRACKED "about a flow from before the exemption" "icmp $B $A $UNREACHABLE $about"
	sysctl_in a udptrack_exempt_ports=65535

	### Forged errors that leave.
	went RELATED "out: about a flow from outside" "icmp $A $B $UNREACHABLE $B 4003 $A 7000"
	went RELATED "out: about an answer" "icmp $A $B $UNREACHABLE $B 7000 $A 4001"
	went RELATED "out: whose checksum is nobody's business" \
		"icmp $A $B $UNREACHABLE $B 4003 $A 7000 icmpsum=bad"
	went INVALID "out: about a flow unknown" "icmp $A $B $UNREACHABLE $B 4999 $A 7000"
	went INVALID "out: about a packet of our own" "icmp $A $B $UNREACHABLE $about"
	went INVALID "out: cut" "icmp $A $B $UNREACHABLE $B 4003 $A 7000 quote=$((IP + 4))"
	went none "out: about TCP" "icmp $A $B $UNREACHABLE $B 4003 $A 7000 proto=6"
	went none "out: an echo request" "icmp $A $B $ECHO $B 4003 $A 7000"
	[ "$family" = 4 ] || continue
	# Raw pieces of IPv4 packets leave as they are.
	went INVALID "out: the first piece of an error" "icmp $A $B $UNREACHABLE $B 4003 $A 7000 piece"
	went none "out: the first piece of an echo request" "icmp $A $B $ECHO $B 4003 $A 7000 piece"
	went none "out: a piece of a TCP packet" "raw $A 7000 $B 4003 proto=6 size=40 frag=0,24"
	went none "out: a later one" "raw $A 7000 $B 4003 proto=6 size=40 frag=24,24"
	went UNTRACKED "out: a piece of a UDP packet" "raw $A 7000 $B 4003 size=40 frag=0,24"
done

### Real errors of the far end, of the router, and of our own kernel.
for family in "${families[@]}"; do
	use "$family"

	# real NAME PORT LINE...: a sends from PORT of AR to FAR, and RELATED comes back.  The
	# barriers go the packets' way, there and back.
	real() {
		local name=$1 port=$2
		shift 2
		gen 'in a' "$@"
		gen 'barrier a 198.51.100.1 far' 'barrier far 203.0.113.1 a'
		is "$(states a INPUT "$family")" RELATED "${label}$name is RELATED"
		snap a
		flow "$AR" "$port" "$FAR" 7000
		like "$FLOW" '^NEW 1/[0-9]+ \[UNREPLIED\] 0/0$' "${label}$name answers nothing"
	}
	states a INPUT "$family" >/dev/null
	snap a
	flows_before=${#FLOWS[@]}
	real "port unreachable" 4101 "udp closed$family $AR 4101 to=$FAR,7000" "send closed$family -"
	real "time exceeded" 4102 "udp hop$family $AR 4102 ttl=1" "send hop$family $FAR 7000"
	# IPv6 fragments are put together on their way through the router.
	real "time exceeded, of fragments" 4103 "udp hops$family $AR 4103 ttl=1" \
		"send hops$family $FAR 7000 size=3000"
	real "packet too big" 4104 "udp big$family $AR 4104" "send big$family $FAR 7000 size=1400"
	is "${#FLOWS[@]}" $((flows_before + 4)) "${label}and errors make no flow"

	# A port that is closed: with a flow, and without.
	gen 'in a' "close in$family" "close live$family"
	sysctl_in a udptrack_require_listener=0
	states a OUTPUT "$family" >/dev/null
	states b INPUT "$family" >/dev/null
	gen 'in b' "udp caller$family $B 4201 to=$A,7201" "send caller$family -" "refused caller$family"
	is "$(states a OUTPUT "$family")" RELATED "${label}our port unreachable, of a flow"
	is "$(states b INPUT "$family")" RELATED "${label}is what the caller's end holds it for, too"
	for ns in a b; do
		snap $ns
		flow $B 4201 $A 7201
		flow_is "NEW 1/$BYTES [UNREPLIED] 0/0" "${label}$ns: and is no answer"
	done
	sysctl_in a udptrack_require_listener=1
	gen 'in b' "udp caller2$family $B 4202 to=$A,7202" "send caller2$family -" "refused caller2$family"
	is "$(states a OUTPUT "$family")" INVALID "${label}our port unreachable, of no flow"
	is "$(states b INPUT "$family")" RELATED "${label}the caller's end has one"
	# An answer that comes too late for its socket.
	gen "send server$family $A 4001" 'barrier b 192.0.2.1 a'
	is "$(states a OUTPUT "$family")" RELATED "${label}our port unreachable, of an answer"

	# Over loopback.
	states a INPUT "$family" >/dev/null
	gen 'in a' "udp lo$family $LO 4301 to=$LO,7301" "send lo$family -" "refused lo$family"
	is "$(states a OUTPUT "$family")" 'NEW RELATED' "${label}over loopback, out"
	is "$(states a INPUT "$family")" 'NEW RELATED' "${label}over loopback, in"
	snap a
	flow $LO 4301 $LO 7301
	flow_is "NEW 1/$BYTES [UNREPLIED] 0/0" "${label}over loopback it is no answer"
	sysctl_in a udptrack_loopback=0
	gen "send lo$family -" "refused lo$family"
	is "$(states a OUTPUT "$family")" 'UNTRACKED*2' "${label}loopback switched off, out"
	is "$(states a INPUT "$family")" 'UNTRACKED*2' "${label}loopback switched off, in"
	sysctl_in a udptrack_loopback=1

	# A flow that is no more: younger and older ones are still there.
	sysctl_in a udptrack_timeout=1
	gen 'in a' "udp short$family $A 4401" "send short$family $B 7000"
	gen "sleep $((1000 + CLOCK_SLACK_MS))" 'in b' "icmp $B $A $UNREACHABLE $A 4401 $B 7000" \
		'barrier b 192.0.2.1 a'
	is "$(states a INPUT "$family")" INVALID "${label}about a flow that has expired"
	snap a
	flow $A 4401 $B 7000
	flow_is none "${label}which it does not revive"
	sysctl_in a udptrack_timeout=$TIMEOUT
done

done_testing
