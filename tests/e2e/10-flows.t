#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The life of flows, on the wire between two network namespaces and on their
# loopback interfaces: from NEW to ESTABLISHED to ASSURED to gone, with the
# timeouts of each stage.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

A=192.0.2.1 B=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2

load_udptrack
two_netns a b
new_netns c
gen_start

### First packets of both directions, truly at once, on two CPUs, into one table:
# whoever loses joins the winner.
sysctl_in c udptrack_timeout=10
gen "in c" "race 200 127.0.0.1 10000 127.0.0.1 20000"
snap c
is "${#FLOWS[@]}" 200 "200 races of first packets make 200 flows"
established=0
for line in "${FLOWS[@]}"; do
	[[ $line == *" ESTABLISHED "*" packets=1 bytes=29 "*" packets=1 bytes=29"* ]] &&
		established=$((established + 1))
done
is $established 200 "each of which has both packets"
diag "$(counter clash) races lost"
is "${STAT[entries]}" 200 "200 flows are counted"

# Servers, and clients named after what happens to them.
gen_script <<END
in b
udp server $B 7000
udp server6 $B6 7000
in a
udp server_a $A 7000
udp oneway $A 4001
udp oneway6 $A6 4001
udp twoway $A 4002
udp twoway6 $A6 4002
udp untouched $A 4003
udp stream $A 4004
udp stream6 $A6 4004
udp answered $A 4005
udp late $A 4006
in b
udp inbound $B 4007
END

### The first two seconds.
gen_script <<END
send oneway $B 7000
send oneway6 $B6 7000
send untouched $B 7000
send late $B 7000
recv server 3
recv server6
send twoway $B 7000
send twoway6 $B6 7000
send stream $B 7000
send stream6 $B6 7000
send answered $B 7000
answer server 3
answer server6 2
recv twoway
recv twoway6
recv stream
recv stream6
recv answered
send inbound $A 7000
recv server_a
END
first_sent=$GEN_TO
for ns in a b; do
	snap $ns
	flow $A 4001 $B 7000
	flow_is "NEW 1/38 [UNREPLIED] 0/0" "$ns: a first packet makes a flow"
	left_is 30 "$ns: and it lives for 30 s"
	flow $A6 4001 $B6 7000
	flow_is "NEW 1/58 [UNREPLIED] 0/0" "$ns: IPv6: a first packet makes a flow"
	left_is 30 "$ns: IPv6: and it lives for 30 s"
	flow $A 4002 $B 7000
	flow_is "ESTABLISHED 1/38 1/38" "$ns: an answer establishes the flow"
	left_is 30 "$ns: and changes nothing about the 30 s"
	flow $A6 4002 $B6 7000
	flow_is "ESTABLISHED 1/58 1/58" "$ns: IPv6: an answer establishes the flow"
	left_is 30 "$ns: IPv6: and changes nothing about the 30 s"
	flow $B 4007 $A 7000
	flow_is "NEW 1/38 [UNREPLIED] 0/0" "$ns: the original direction is that of the first packet, whoever sent it"
	is "${#FLOWS[@]}" 10 "$ns: no other flows"
done

# However much is said within two seconds, it is no stream.  On a machine so
# busy that two seconds are over before it is done, that is tried again.
for try in 1 2 3 4 5; do
	gen "in a" "udp busy$try $A $((5000 + try))" \
		"send busy$try $B 7000" "answer server" "recv busy$try" \
		"send busy$try $B 7000 n=3" "answer server 3" "recv busy$try 3"
	snap a
	flow $A $((5000 + try)) $B 7000
	[ $((SENT_TO - SENT_FROM)) -lt 1900 ] && break
done
flow_is "ESTABLISHED 4/152 4/152" "two-way traffic within 2 s does not assure a flow"
left_is 30 "and does not lengthen its life"
snap b
flow $A $((5000 + try)) $B 7000
flow_is "ESTABLISHED 4/152 4/152" "nor at the other end"

### After two seconds.
gen "until $((first_sent + 2000 + CLOCK_SLACK_MS))"
gen_script <<END
send oneway $B 7000
send late $B 7000
recv server
answer server
recv late
send stream $B 7000
recv server
send stream6 $B6 7000
recv server6
END
for ns in a b; do
	snap $ns
	flow $A 4001 $B 7000
	flow_is "NEW 2/76 [UNREPLIED] 0/0" "$ns: without an answer a flow stays NEW"
	left_is 30 "$ns: and gets 30 s again"
	flow $A 4004 $B 7000
	flow_is "ESTABLISHED 2/76 1/38 [ASSURED]" "$ns: a packet after 2 s assures an answered flow"
	left_is 120 "$ns: and gives it 120 s"
	flow $A6 4004 $B6 7000
	flow_is "ESTABLISHED 2/116 1/58 [ASSURED]" "$ns: IPv6: a packet after 2 s assures an answered flow"
	left_is 120 "$ns: IPv6: and gives it 120 s"
	flow $A 4006 $B 7000
	flow_is "ESTABLISHED 2/76 1/38" "$ns: a first answer after 2 s does not assure the flow yet"
	left_is 30 "$ns: nor give it 120 s"
done

# A packet in reply direction assures as well; so does the one after a late answer.
gen "send late $B 7000" "answer server" "recv late" "send server $A 4005" "recv answered"
for ns in a b; do
	snap $ns
	flow $A 4005 $B 7000
	flow_is "ESTABLISHED 1/38 2/76 [ASSURED]" "$ns: a reply after 2 s assures the flow"
	left_is 120 "$ns: and gives it 120 s"
	flow $A 4006 $B 7000
	flow_is "ESTABLISHED 3/114 2/76 [ASSURED]" "$ns: the packet after a late answer assures the flow"
	left_is 120 "$ns: and gives it 120 s"
done

### Timeouts changed while flows live, in one namespace only.
snap a
flow $A 4003 $B 7000
untouched_left=$FLOW_LEFT untouched_at=$GEN_TO
sysctl_in a udptrack_timeout=15 udptrack_timeout_stream=60
gen "in a" "udp fresh $A 4008" "send fresh $B 7000" "send oneway $B 7000" \
	"send stream $B 7000" "recv server 3"
snap a
flow $A 4008 $B 7000
left_is 15 "a new flow lives as long as the sysctl now says"
flow $A 4001 $B 7000
left_is 15 "the next packet of a live flow applies the new timeout"
flow $A 4004 $B 7000
left_is 60 "and the new stream timeout"
flow $A 4003 $B 7000
went_by=$(((GEN_TO - untouched_at) / 1000 + 1))
between "$FLOW_LEFT" $((untouched_left - went_by)) "$untouched_left" \
	"a flow without packets keeps what it was given"
snap b
flow $A 4008 $B 7000
left_is 30 "the other namespace keeps its timeout for new flows"
flow $A 4001 $B 7000
left_is 30 "and for live ones"
flow $A 4004 $B 7000
left_is 120 "and its stream timeout"

### Expiry.  Older flows live on, so the collector sees no reason to hurry.
sysctl_in a udptrack_timeout=2
for try in 1 2 3 4 5; do
	short=$((5100 + try)) asked=$((5200 + try)) turned=$((5300 + try))
	gen "in a" "udp short$try $A $short" "udp asked$try $A $asked" "udp turned$try $A $turned" \
		"send short$try $B 7000" "send turned$try $B 7000" "recv server 2" \
		"send asked$try $B 7000" "answer server" "recv asked$try"
	sent_from=$GEN_FROM sent_to=$GEN_TO
	gen "until $((sent_from + 1400))"
	snap a
	[ $((GEN_TO - sent_from)) -lt $((2000 - CLOCK_SLACK_MS)) ] && break
done
flow $A "$short" $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "a flow is there until its timeout is over"
flow $A "$asked" $B 7000
flow_is "ESTABLISHED 1/38 1/38" "an answered one too"
gen "until $((sent_to + 2000 + CLOCK_SLACK_MS))"
snap a
flow $A "$short" $B 7000
flow_is none "and then it is absent at once"
flow $A "$asked" $B 7000
flow_is none "an answered one too"
flow $A 4004 $B 7000
flow_is "ESTABLISHED 3/114 1/38 [ASSURED]" "other flows are still there"
gen "send short$try $B 7000" "answer server" "recv short$try" \
	"send asked$try $B 7000" "recv server" \
	"send server $A $turned" "recv turned$try"
snap a
flow $A "$short" $B 7000
flow_is "ESTABLISHED 1/38 1/38" "the next packet begins a new flow"
flow $A "$asked" $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "which knows of no answer to the old one"
flow $B 7000 $A "$turned"
flow_is "NEW 1/38 [UNREPLIED] 0/0" "and an answer that comes too late is the first packet of its own"
snap b
flow $A "$asked" $B 7000
flow_is "ESTABLISHED 2/76 1/38 [ASSURED]" "where the timeout is longer the old flow goes on"

### Packets of both ends that cross.
sysctl_in a udptrack_timeout=30
delay_ms=400
for ns in a b; do
	tc -n $ns qdisc add dev eth0 root netem delay ${delay_ms}ms
done
for try in 1 2 3 4 5; do
	port=$((5400 + try))
	gen "in a" "udp left$try $A $port" "in b" "udp right$try $B $port" \
		"send left$try $B $port" "send right$try $A $port"
	[ $((GEN_TO - GEN_FROM)) -lt $((delay_ms - CLOCK_SLACK_MS)) ] && break
done
gen "recv left$try" "recv right$try"
snap a
flow $A "$port" $B "$port"
flow_is "ESTABLISHED 1/38 1/38" "both ends speak at once: one flow, begun by this end"
flow $B "$port" $A "$port"
flow_is none "and none in the other direction"
snap b
flow $B "$port" $A "$port"
flow_is "ESTABLISHED 1/38 1/38" "the other end holds itself for the first as well"
flow $A "$port" $B "$port"
flow_is none "and has one flow, too"

### The collector: the flows of the races have expired meanwhile.
# shellcheck disable=SC2317 # called by wait_until
all_collected() {
	snap c
	[ "${STAT[entries]}" = 0 ]
}
wait_until 30 all_collected
is "${STAT[entries]}" 0 "and none once they were collected"
is "$(counter expired)" 200 "they expired"
is "$(counter new)" 200 "as many as were made"

done_testing
