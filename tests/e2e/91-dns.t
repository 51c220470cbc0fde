#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# DNS: questions matched with answers by their numbers; what is counted, shown
# and logged of those that match none, and that it is never said of one that was
# asked for; how long a flow lives once all is answered; and, where they are to
# be INVALID, that the classic pair of rules keeps them out.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/states.sh
. "$(dirname "$0")/states.sh"

families=(4 6) guesses=50000 linger=5
if [ "$UDPTRACK_KERNEL" = debug ]; then
	families=(6)
	guesses=2000
	linger=20
fi
declare -A C=([4]=192.0.2.1 [6]=2001:db8::1) S=([4]=192.0.2.2 [6]=2001:db8::2)
sysctl -qw net.netfilter.nf_log_all_netns=1
load_udptrack
load_module xt_udptrack
gen_start

# fresh: new namespaces: client, in $nc, and server, in $ns; empty tables and counters
rounds=0 nc='' ns=''
declare -A DNS_WAS=()
fresh() {
	rounds=$((rounds + 1))
	nc=c$rounds ns=s$rounds
	two_netns $nc $ns
	DNS_WAS=()
}

# look: what the client has now: FLOWS, and the counters of DNS in DNS
look() {
	snap "$nc"
	snap_dns "$nc"
}

# dns PORT: what the flow of that port shows, the time left out
dns() {
	local line
	for line in "${FLOWS[@]}"; do
		[[ $line == *" sport=$1 "* && $line =~ \ dns=([^ ]*) ]] || continue
		printf '%s\n' "${BASH_REMATCH[1]%%,rtt_us:*}"
		return
	done
	echo none
}
# rtt PORT: that time
rtt() { printf '%s\n' "${FLOWS[@]}" | sed -n "s/.* sport=$1 .*,rtt_us:\([0-9]*\).*/\1/p"; }

# counted NAME=NUMBER...: assert what was counted since the last time
counted() {
	local what=$1 key pair got='' want=''
	shift
	for key in questions repeated answered again truncated forged unanswered late blind; do
		got+=" $key=$((${DNS[$key]} - ${DNS_WAS[$key]:-0}))"
		for pair in "$@" "$key=0"; do
			[ "${pair%=*}" = $key ] || continue
			want+=" $pair"
			break
		done
		DNS_WAS[$key]=${DNS[$key]}
	done
	is "${got# }" "${want# }" "$what"
}

# remember: count from here on
remember() {
	local key
	look
	for key in "${!DNS[@]}"; do DNS_WAS[$key]=${DNS[$key]}; done
}

port=4000
# ask ID [OPTION...], reply ID [OPTION...]: lines for udpgen, a question or answer of 40 bytes
ask() { echo "send q - - ${*:2} dns=$1,0100 size=40"; }
reply() { echo "send r $c $port ${*:2} dns=$1,8180 size=60"; }
# open_sockets: q asks r, from a port that no flow knows
open_sockets() {
	port=$((port + 1))
	gen "in $ns" "udp r $s 53" "in $nc" "udp q $c $port to=$s,53"
}
close_sockets() { gen "close q" "close r"; }

for family in "${families[@]}"; do
	c=${C[$family]} s=${S[$family]}
	v=IPv$family
	fresh
	# However long a step takes, it makes no stream of the next one.
	sysctl_in "$nc" udptrack_timeout_stream=30 udptrack_dns_linger=$linger

	# --- one question

	open_sockets
	gen "$(ask 4711)" "recv r"
	look
	is "$(dns $port)" out:1,ok:0,forged:0 "$v: a question is out"
	flow "$c" $port "$s" 53
	left_is 30 "$v: and its flow lives for the timeout"
	gen "$(reply 4711)" "recv q"
	look
	is "$(dns $port)" out:0,ok:1,forged:0 "$v: it is answered"
	between "$(rtt $port)" 1 20000000 "$v: in so many us"
	flow "$c" $port "$s" 53
	traffic_is "ESTABLISHED 1/$((family == 4 ? 68 : 88)) 1/$((family == 4 ? 88 : 108))" "$v: the flow is two-way"
	left_is $linger "$v: and lives no longer than dns_linger"
	like "$(printf '%s\n' "${FLOWS[@]}" | grep "sport=$port ")" \
		' uid=0 pid=[0-9]+ cgroup=[0-9]+ dns=out:0,ok:1,forged:0,rtt_us:[0-9]+ comm=udpgen$' "$v: as the line shows it"
	counted "$v: counted" questions=1 answered=1
	took=0
	for key in "${!DNS[@]}"; do
		[[ $key != lt_* && $key != longer ]] || took=$((took + DNS[$key]))
	done
	is "$took" "${DNS[answered]}" "$v: and its time, too"
	gen "$(reply 4711)" "recv q"
	look
	counted "$v: the same answer again" again=1

	# --- forged ones

	log_mark
	gen "$(reply 4712 n=3)" "recv q 3" "$(reply 4711)" "recv q"
	look
	is "$(dns $port)" out:0,ok:1,forged:3 "$v: answers to no question, seen in the flow"
	counted "$v: and counted" forged=3 again=1
	is "$(log_since_mark | grep -c "DNS answer to no question: src=$s dst=$c sport=53 dport=$port id=471[234]\$")" 3 "$v: and logged"
	gen "$(ask 4711)" "$(ask 4711 | sed 's/0100/2800/')" "recv r 2" "$(reply 4711)" "recv q"
	look
	counted "$v: two opcodes under one number: nobody can tell" questions=2 repeated=1 blind=1
	close_sockets

	# --- more than one question

	open_sockets
	gen "$(ask 7)" "$(ask 7)" "recv r 2" "$(reply 7)" "recv q"
	look
	is "$(dns $port)" out:0,ok:1,forged:0 "$v: asked twice, answered once"
	is "$(rtt $port)" 0 "$v: no time, for it is not known since which"
	counted "$v: counted so" questions=2 repeated=1 answered=1
	gen "$(ask 1000 n=300)" "recv r 200"
	look
	is "$(dns $port)" out:300,ok:1,forged:0 "$v: 300 at once"
	gen "drain r" "$(reply 1150 n=150)" "drain q" "$(reply 1001 n=149)" "drain q"
	look
	is "$(dns $port)" out:1,ok:300,forged:0 "$v: all answered but one"
	flow "$c" $port "$s" 53
	left_is 30 "$v: so it waits on"
	gen "$(reply 1000)" "recv q"
	look
	is "$(dns $port)" out:0,ok:301,forged:0 "$v: all answered"
	flow "$c" $port "$s" 53
	left_is $linger "$v: so it does not"
	counted "$v: counted so, too" questions=300 answered=300

	# --- what answers look like

	gen "$(ask 20 n=2)" "recv r 2" "$(reply 20 | sed 's/8180/8380/')" "recv q" \
		"$(reply 21 size=3000)" "recv q"
	look
	is "$(dns $port)" out:0,ok:303,forged:0 "$v: one truncated, one in fragments"
	counted "$v: the truncated one is counted" questions=2 answered=2 truncated=1
	gen "$(ask 30)" "recv r" "send r $c $port size=60 dns=30,0100" "send r $c $port size=11" "recv q 2"
	look
	counted "$v: no answer at all, but a question, or less than a header" questions=1 forged=2
	gen "$(reply 30)" "recv q"
	close_sockets
	look
	counted "$v: the answer comes nevertheless" answered=1

	# --- where nothing can be told, nothing is said

	open_sockets
	gen "send q - - size=40" "recv r" "$(reply 1)" "recv q"
	look
	is "$(dns $port)" none "$v: another protocol on the port"
	gen "$(ask 2)" "recv r" "$(reply 3)" "$(reply 2)" "recv q 2"
	look
	is "$(dns $port)" out:0,ok:1,forged:0 "$v: questions after something else"
	counted "$v: counted as blind" questions=1 answered=1 blind=1
	flow "$c" $port "$s" 53
	left_is 30 "$v: then it lives as others do"
	close_sockets
	open_sockets
	gen "$(ask 2)" "recv r" "$(ask 3 size=80 gso=40)" "recv r 2" "$(reply 9)" "recv q"
	look
	is "$(dns $port)" out:1,ok:0,forged:0 "$v: two questions in one packet"
	# So that nothing is open that could be overdue in the steps below.
	gen "$(reply 2)" "recv q"
	look
	close_sockets
	counted "$v: nobody knows the second" questions=1 answered=1 blind=1

	# --- settings

	open_sockets
	sysctl_in "$nc" udptrack_dns=0
	gen "$(ask 1)" "recv r" "$(reply 2)" "recv q"
	look
	is "$(dns $port)" none "$v: dns=0"
	flow "$c" $port "$s" 53
	left_is 30 "$v: then dns_linger does not matter"
	sysctl_in "$nc" udptrack_dns=1
	gen "$(ask 3)" "recv r" "$(reply 1)" "$(reply 3)" "recv q 2"
	look
	is "$(dns $port)" out:0,ok:1,forged:0 "$v: and back: what was asked meanwhile may be answered"
	close_sockets
	open_sockets
	gen "$(ask 3)" "recv r" "$(reply 1)" "recv q"
	look
	is "$(dns $port)" out:1,ok:0,forged:0 "$v: also in a new flow"
	close_sockets
	counted "$v: blind, both times" questions=2 answered=1 blind=2
done

# --- who is who

v=IPv$family
fresh
gen "in $nc" "udp a $c 53" "in $ns" "udp b $s 53" \
	"send b $c 53 size=40 dns=1,0100" "recv a" "send a $s 53 size=40 dns=2,0100" "recv b" \
	"send a $s 53 size=60 dns=1,8180" "recv b" "send b $c 53 size=60 dns=2,8180" "recv a"
look
is "$(dns 53)" out:0,ok:1,forged:0 'two servers ask each other: no answer is taken for a forged one'
counted 'and none for a question' questions=1 answered=1 blind=0
gen "close a" "close b" "in $ns" "udp r $s 7000" "in $nc" "udp q $c 53" "send r $c 53 size=40 dns=9,0100" "recv q" \
	"send q $s 7000 size=60 dns=9,8180" "recv r"
look
is "$(dns 7000)" none 'a server that answers asks nothing'
gen "close q" "close r"

sysctl_in "$nc" udptrack_dns_ports=53,5353
port=4500
gen "in $ns" "udp r $s 5353" "in $nc" "udp q $c $port to=$s,5353" \
	"send q - - size=40 dns=0,0000" "recv r" "send r $c $port size=60 dns=0,8400" "recv q"
look
is "$(dns $port)" out:0,ok:1,forged:0 'mDNS, asked directly: the number is 0'
gen "send q - - size=40 dns=0,0000,2" "recv r" "send r $c $port size=60 dns=0,8400" \
	"send r $c $port size=60 dns=5,8400" "recv q 2" "close q" "in $nc" "udp q $c 4501 " \
	"send r $c 4501 size=60 dns=6,8400" "recv q" "close q" "close r"
look
is "$(dns $port)" out:0,ok:1,forged:0 'and questions in one message'
is "$(dns 4501)" none 'an announcement answers nothing, and is nothing forged'
is "${DNS[forged]}" 0 'none is forged'
ok 'a port list is read back' grep -qx 53,5353 <(in_ns "$nc" cat /proc/sys/net/netfilter/udptrack_dns_ports)
for bad in dns=3 dns=-1 dns=x dns_linger=0 dns_linger=86401 dns_ports=53,x dns_ports=65536; do
	not_ok "refused: $bad" in_ns "$nc" sysctl -qw "net.netfilter.udptrack_$bad"
done
is "$(in_ns "$nc" sysctl -n net.netfilter.udptrack_dns net.netfilter.udptrack_dns_linger net.netfilter.udptrack_dns_ports |
	paste -sd' ')" '1 5 53,5353' 'and all as before'

# --- questions that are forgotten, questions that nobody answers

fresh
sysctl_in "$nc" udptrack_timeout=600 udptrack_max=2
open_sockets
# What expires first goes first, and the time is counted in ticks.
gen "$(ask 1)" "recv r" "sleep 50" "in $ns" "udp x $s 9" "in $nc" "udp w $c 6000" "send w $s 9" "udp y $c 6001" "send y $s 9" \
	"udp z $c 6002" "send z $s 9" "recv x 3"
look
is "$(dns $port)" none 'a full table gives up a flow with a question'
sysctl_in "$nc" udptrack_max=1000
gen "$(ask 2)" "recv r" "$(reply 1)" "$(reply 2)" "recv q 2"
look
is "$(dns $port)" out:0,ok:1,forged:0 'whose answer is not forged for that'
counted 'the lost question has no answer' questions=2 answered=1 unanswered=1 blind=1
close_sockets

gen "close w" "close x" "close y" "close z"
fresh
# Longer than the steps below may take.
open=10
[ "$UDPTRACK_KERNEL" = debug ] && open=40
sysctl_in "$nc" udptrack_timeout=$open udptrack_timeout_stream=$open
in_ns "$nc" tc qdisc add dev eth0 root netem loss 100%
open_sockets
gen "$(ask 100 n=25)"
in_ns "$nc" tc qdisc replace dev eth0 root netem delay 300ms
gen "$(ask 200 n=5)" "recv r 5" "$(reply 200 n=5)" "recv q 5"
look
is "$(dns $port)" out:25,ok:5,forged:0 'netem: 25 questions lost, 5 delayed by 300 ms and answered'
between "$(rtt $port)" 300000 5000000 'the time shows the delay'
short=0 long=0
for ((i = 0; i < 24; i++)); do
	key=lt_$((1 << i))us
	if [ $((1 << i)) -le 262144 ]; then
		short=$((short + DNS[$key]))
	else
		long=$((long + DNS[$key]))
	fi
done
is "$short $((long + DNS[longer]))" '0 5' 'as does the histogram: none below 262 ms, five above'
# shellcheck disable=SC2317 # called by wait_until
all_unanswered() { look; [ "${DNS[unanswered]}" = 25 ]; }
wait_until $((open + 5)) all_unanswered
ok $? 'those that were lost are given up, and counted'
counted 'and nothing else' questions=30 answered=5 unanswered=25
close_sockets

# --- not let in

fresh
sysctl_in "$nc" udptrack_timeout=600 udptrack_dns_linger=600
count_states "$nc"
for family in "${families[@]}"; do
	c=${C[$family]} s=${S[$family]} iptables=${IPTABLES[$family]}
	v="IPv$family, dns=2"
	sysctl_in "$nc" udptrack_dns=2
	in_ns "$nc" "$iptables-restore" --noflush <<-END
		*filter
		:INPUT DROP
		-A INPUT -p udp -m udptrack --state ESTABLISHED -j ACCEPT
		-A INPUT -p ipv6-icmp -j ACCEPT
		-A OUTPUT -p udp -m udptrack --state NEW,ESTABLISHED -j ACCEPT
		COMMIT
	END
	open_sockets
	remember
	gen "$(ask 60000)" "recv r"
	states "$nc" INPUT "$family" >/dev/null
	gen "in $ns" "raw $s 53 $c $port size=60 dns=1,8180 n=$guesses" "silent q"
	is "$(states "$nc" INPUT "$family")" "INVALID*$guesses" "$v: $guesses guesses are INVALID and do not pass"
	look
	counted "$v: each is counted" questions=1 forged=$guesses
	is "$(dns $port)" out:1,ok:0,forged:$guesses "$v: in the flow as well"
	flow "$c" $port "$s" 53
	traffic_is "NEW 1/$((family == 4 ? 68 : 88)) [UNREPLIED] 0/0" "$v: which they did not touch"
	gen "$(reply 60000)" "recv q"
	is "$(states "$nc" INPUT "$family")" ESTABLISHED "$v: the true answer passes"
	gen "in $ns" "raw $s 53 $c $port size=60 dns=60001,8180 n=5" "silent q"
	look
	flow "$c" $port "$s" 53
	traffic_is "ESTABLISHED 1/$((family == 4 ? 68 : 88)) 1/$((family == 4 ? 88 : 108))" "$v: nor do those behind it"
	counted "$v: counted, too" answered=1 forged=5
	close_sockets
	# The same over loopback, where the sender is the one who is asked.
	lo=127.0.0.1; [ "$family" = 4 ] || lo=::1
	gen "in $nc" "udp r $lo 53" "udp q $lo 4600 to=$lo,53" "send q - - size=40 dns=5,0100"
	states "$nc" OUTPUT "$family" >/dev/null
	gen "send r $lo 4600 size=60 dns=6,8180" "send r $lo 4600 size=60 dns=5,8180"
	is "$(states "$nc" OUTPUT "$family")" 'ESTABLISHED INVALID' "$v: over loopback, the one that is not true is INVALID"
	look
	counted "$v: and counted once" questions=1 forged=1 answered=1
	gen "close q" "close r"
	in_ns "$nc" "$iptables" -P INPUT ACCEPT
	in_ns "$nc" "$iptables" -F INPUT
	in_ns "$nc" "$iptables" -F OUTPUT
done
sysctl_in "$nc" udptrack_dns=1

# --- how long the window is open

family=${families[0]} c=${C[$family]} s=${S[$family]} iptables=${IPTABLES[$family]}
fresh
in_ns "$nc" "$iptables" -A INPUT -p udp -m conntrack --ctstate ESTABLISHED
open_sockets
gen "$(ask 1)" "recv r" "$(reply 1)" "recv q"
answered_from=$GEN_FROM answered=$GEN_TO open_for=0
gone() {
	snap "$nc"
	flow "$c" $port "$s" 53
	[ "$FLOW" != none ] || return 0
	open_for=$((GEN_FROM - answered))
	return 1
}
until gone || [ $((GEN_TO - answered)) -gt 60000 ]; do :; done
open_to=$((GEN_TO - answered_from))
between "$open_to" $((5000 - CLOCK_SLACK_MS)) 70000 'the window of an answered question is open for dns_linger'
between "$open_for" 0 $((5000 + CLOCK_SLACK_MS)) 'and no longer'
gen "in $nc" "copy /proc/net/nf_conntrack $GEN_DIR/nf_conntrack"
FLOW_LEFT=$(awk -v p="sport=$port" '$3 == "udp" && $0 ~ p { print $5; exit }' "$GEN_DIR/nf_conntrack")
left_is 30 "nf_conntrack's is open for 30 s" "$answered_from" "$answered"
diag "window: udptrack between $open_for and $open_to ms; nf_conntrack has $FLOW_LEFT s to go"
close_sockets

done_testing
