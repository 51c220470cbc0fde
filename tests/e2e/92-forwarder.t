#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A busy forwarder, a real unbound that asks its upstream from one fixed port,
# with hundreds of questions open at a time: none of the answers is ever taken
# for forged, not in the mode that drops such, and what others guess meanwhile is.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/unbound.sh
. "$(dirname "$0")/unbound.sh"

queries=20000 delay=800ms guesses=5000 least=200
if [ "$UDPTRACK_KERNEL" = debug ]; then
	queries=300
	delay=2s
	guesses=500
	least=10
fi
work=$(mktemp -d)
trap 'rm -rf "$work"; at_exit' EXIT
load_udptrack dns=2
load_module xt_udptrack
two_netns
gen_start

busy=('do-tcp: no' 'so-rcvbuf: 1m' 'num-queries-per-thread: 4096')
unbound_conf "$work/upstream" "${busy[@]}" 'interface: 192.0.2.2' 'access-control: 192.0.2.0/24 allow' \
	'local-zone: "example.test." redirect' 'local-data: "example.test. 0 IN A 198.51.100.80"'
unbound_conf "$work/forwarder" "${busy[@]}" 'interface: 127.0.0.1@5301' 'access-control: 127.0.0.0/8 allow' \
	'local-zone: "test." nodefault' 'outgoing-interface: 192.0.2.1' 'outgoing-port-avoid: "0-65535"' \
	'outgoing-port-permit: 4053' 'udp-connect: no' 'outgoing-range: 4096' 'do-not-query-localhost: no' 'msg-cache-size: 0' \
	'rrset-cache-size: 0' 'jostle-timeout: 60000' 'infra-cache-min-rtt: 2500'
cat >>"$work/forwarder" <<-'END'
	forward-zone:
	  name: "."
	  forward-addr: 192.0.2.2
END
sysctl -qw net.core.rmem_max=4000000
background in_ns s unbound -c "$work/upstream" 2>"$work/upstream.log"
background in_ns c unbound -c "$work/forwarder" 2>"$work/forwarder.log"
ok 'the upstream listens' wait_until 20 listens s 53
ok 'the forwarder listens' wait_until 20 listens c 5301
# The classic pair, as the forwarder needs it.
in_ns c iptables-legacy-restore <<-'END'
	*filter
	:INPUT DROP
	-A INPUT -i lo -j ACCEPT
	-A INPUT -p udp --sport 53 -m udptrack --state ESTABLISHED -j ACCEPT
	-A INPUT -p udp --sport 53 -m udptrack --state INVALID
	:OUTPUT DROP
	-A OUTPUT -o lo -j ACCEPT
	-A OUTPUT -p udp --dport 53 -m udptrack --state NEW,ESTABLISHED -j ACCEPT
	COMMIT
END
in_ns s tc qdisc add dev eth0 root netem delay $delay limit 100000

seq -f 'n%.0f.example.test A' "$queries" >"$work/queries"
in_ns c dnsperf -s 127.0.0.1 -p 5301 -d "$work/queries" -q 400 -t 20 -n 1 >"$work/perf" 2>&1 &
perf=$!
# The most that were out at a time; and others guess from the upstream's address.
most=0 ports=''
while kill -0 "$perf" 2>/dev/null; do
	snap c
	for line in "${FLOWS[@]}"; do
		[[ $line =~ \ sport=([0-9]+)\ dport=53\ .*\ dns=out:([0-9]+), ]] || continue
		[[ $ports = *" ${BASH_REMATCH[1]} "* ]] || ports+=" ${BASH_REMATCH[1]} "
		[ "${BASH_REMATCH[2]}" -le "$most" ] || most=${BASH_REMATCH[2]}
	done
	sleep 0.2
done
wait "$perf"
is $? 0 'dnsperf'
diag "$(tail -n 3 "$work/forwarder.log")"
# Until the last question is answered, or given up with its flow, which is gone for who
# lists flows up to a second before it is collected.
# shellcheck disable=SC2317 # called by wait_until
settled() {
	snap c
	snap_dns c
	[[ "${FLOWS[*]}" != *" dport=53 "* ]] &&
		[ $((DNS[questions] - DNS[repeated])) = $((DNS[answered] + DNS[unanswered])) ]
}
wait_until 60 settled
diag "$(grep -E 'Queries|Average Latency|per second' "$work/perf")"
diag "most open at a time: $most"
diag "$(for key in questions repeated answered again forged unanswered late blind; do printf '%s=%s ' $key "${DNS[$key]}"; done)"
is "$(sed -n 's/.*Queries sent: *\([0-9]*\).*/\1/p' "$work/perf")" "$queries" 'all queries were asked'
is "$ports" ' 4053 ' 'by the forwarder from one port'
# A forwarder asks again, under another number, what is not answered within its time.
is "${DNS[questions]}" "$(in_ns c iptables-legacy -nvxL OUTPUT | awk '/dpt:53/ { print $1 }')" \
	'of the upstream, too: every question that left is counted'
ok 'and there is one for each query' [ "${DNS[questions]}" -ge $((queries * 9 / 10)) ]
between "$most" $least 4096 'hundreds were open at a time'
is "${DNS[forged]}" 0 'no answer was taken for forged'
is "${DNS[blind]}" 0 'and of each it was known'
is $((DNS[questions] - DNS[repeated])) $((DNS[answered] + DNS[unanswered])) 'each question is answered or given up'
is "$(in_ns c iptables-legacy -nvxL INPUT | awk '/INVALID/ { print $1 }')" 0 'none was INVALID'

# --- and while others guess

in_ns c dnsperf -s 127.0.0.1 -p 5301 -d "$work/queries" -q 100 -t 20 -l $((4 * SLOW)) >"$work/perf" 2>&1 &
perf=$!
for ((i = 0; i < 10; i++)); do
	gen "in s" "raw 192.0.2.2 53 192.0.2.1 4053 size=60 dns=$((i * guesses / 10 + 1)),8180 n=$((guesses / 10))"
	sleep 0.3
done
wait "$perf"
is $? 0 'dnsperf, while others guess'
# The last guesses are delayed as answers are.
sleep 4
snap_dns c
# A guess of an open or lately answered number is none that misses.
between "${DNS[forged]}" $((guesses * 1 / 2)) "$guesses" 'guesses were found out'
is "$(in_ns c iptables-legacy -nvxL INPUT | awk '/INVALID/ { print $1 }')" "${DNS[forged]}" 'and each of these is INVALID'
diag "of $guesses guesses ${DNS[forged]} missed; again=${DNS[again]} blind=${DNS[blind]}"
diag "$(grep -E 'Queries|per second' "$work/perf")"

done_testing
