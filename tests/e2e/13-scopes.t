#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Addresses that mean something else elsewhere: link-local ones, the same on two
# links, and VRFs, where a packet passes the hooks twice.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

A=192.0.2.1 B=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2

# So long that nothing expires, however slow the machine is.
load_udptrack timeout=600
two_netns a b
link_netns a eth1 b eth1
gen_start

### The same link-local addresses on two links.
for ns in a b; do
	for dev in eth0 eth1; do
		echo "addr flush dev $dev scope link"
		echo "addr add fe80::$ns/64 dev $dev nodad"
	done | ip -n $ns -6 -batch -
done
gen_script <<END
in b
udp s0 fe80::b%eth0 7000
udp s1 fe80::b%eth1 7000
in a
udp c0 fe80::a%eth0 4001
udp c1 fe80::a%eth1 4001
send c0 fe80::b%eth0 7000 size=100
recv s0
END

# links: sets LINKS to the flows between fe80::a and fe80::b in the last snap
links() {
	local line lines=("${FLOWS[@]}") found=()
	for line in "${lines[@]}"; do
		FLOWS=("$line")
		flow fe80::a 4001 fe80::b 7000
		[ "$FLOW" = none ] || found+=("${FLOW% \[ASSURED\]}")
	done
	FLOWS=("${lines[@]}")
	LINKS=$(printf '%s\n' "${found[@]}" | sort | paste -sd, -)
}

for ns in a b; do
	snap $ns
	links
	is "$LINKS" "NEW 1/148 [UNREPLIED] 0/0" "$ns: a flow over one link"
done
gen "send c1 fe80::b%eth1 7000 size=200" "answer s1" "recv c1"
for ns in a b; do
	snap $ns
	links
	is "$LINKS" "ESTABLISHED 1/248 1/248,NEW 1/148 [UNREPLIED] 0/0" \
		"$ns: the same over the other is another flow, and its answer answers only that"
done
gen "send s0 fe80::a%eth0 4001 size=50" "recv c0"
for ns in a b; do
	snap $ns
	links
	is "$LINKS" "ESTABLISHED 1/148 1/98,ESTABLISHED 1/248 1/248" "$ns: now both are answered"
done

### A client in a VRF.
ip -n a link add red type vrf table 10
ip -n a link set red up
ip -n a link set eth0 master red
# Enslaving took the IPv6 addresses away.
ip -n a addr replace $A6/64 dev eth0 nodad
ip -n a addr replace fe80::a/64 dev eth0 nodad
ip -n a addr add 127.0.0.1/8 dev red
ok "the VRF reaches the other end" wait_until 5 in_ns a ping -6 -c1 -W1 -I red $B6
gen_script <<END
in b
udp far $B 7001
udp far6 $B6 7001
in a
udp near $A 7002 dev=red
udp near6 $A6 7002 dev=red
udp client $A 4002 dev=red
udp client6 $A6 4002 dev=red
send client $B 7001
send client6 $B6 7001
send client $A 7002
send client6 $A6 7002
recv far
recv far6
recv near
recv near6
END
snap a
flow $A 4002 $B 7001
flow_is "NEW 1/38 [UNREPLIED] 0/0" "out of a VRF: a packet counts once"
flow $A6 4002 $B6 7001
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: out of a VRF: a packet counts once"
flow $A 4002 $A 7002
flow_is "NEW 1/38 [UNREPLIED] 0/0" "inside a VRF: a packet counts once"
flow $A6 4002 $A6 7002
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: inside a VRF: a packet counts once"
flows_before=${#FLOWS[@]}
gen_script <<END
send client $B 7001 size=5000
send client6 $B6 7001 size=5000
recv far
recv far6
send far $A 4002 size=20
send far6 $A6 4002 size=20
send near $A 4002 size=20
send near6 $A6 4002 size=20
recv client 2
recv client6 2
END
snap a
flow $A 4002 $B 7001
traffic_is "ESTABLISHED 2/5066 1/48" "the answer from outside counts once, and so do fragments"
flow $A6 4002 $B6 7001
traffic_is "ESTABLISHED 2/5106 1/68" "IPv6: the answer from outside counts once, and so do fragments"
flow $A 4002 $A 7002
traffic_is "ESTABLISHED 1/38 1/48" "the answer from inside counts once"
flow $A6 4002 $A6 7002
traffic_is "ESTABLISHED 1/58 1/68" "IPv6: the answer from inside counts once"
is "${#FLOWS[@]}" "$flows_before" "and there are no other flows"

# Link-local addresses belong to the link below, whichever device a hook sees.
gen "send c0 fe80::b%eth0 7000 size=100" "answer s0" "recv c0" "in a" \
	"udp c2 fe80::a%eth0 4004 dev=red" "send c2 fe80::b%eth0 7000" "answer s0" "recv c2" \
	"in b" "udp s2 fe80::b%eth0 4005" "in a" "udp s3 fe80::a%eth0 7006 dev=red" \
	"send s2 fe80::a%eth0 7006" "recv s3" "send s3 fe80::b%eth0 4005" "recv s2"
snap a
flow fe80::a 4004 fe80::b 7000
flow_is "ESTABLISHED 1/58 1/58" "a link-local answer into a VRF finds its flow"
flow fe80::b 4005 fe80::a 7006
flow_is "ESTABLISHED 1/58 1/58" "so does one out of it"
links
like "$LINKS" "ESTABLISHED 2/296 2/246" "and a flow from before the VRF goes on"

### A server in a VRF.
gen_script <<END
in a
udp vrf $A 7003 dev=red
udp lower $A 7004 dev=eth0
udp lower6 $A6 7004 dev=eth0
udp outside 0.0.0.0 7005
in b
udp caller $B 4003
udp caller6 $B6 4003
send caller $A 7003
send caller $A 7004
send caller6 $A6 7004
send caller $A 7005
send caller $A 9
answer vrf
answer lower
answer lower6
recv caller 2
recv caller6
barrier b $A a
END
snap a
flow $B 4003 $A 7003
flow_is "ESTABLISHED 1/38 1/38" "a socket bound to the VRF listens"
flow $B 4003 $A 7004
flow_is "ESTABLISHED 1/38 1/38" "so does one bound to the interface below"
flow $B6 4003 $A6 7004
flow_is "ESTABLISHED 1/58 1/58" "IPv6: so does one bound to the interface below"
flow $B 4003 $A 7005
flow_is none "a socket outside of the VRF does not"
flow $B 4003 $A 9
flow_is none "and a closed port is a closed port"
is "$(counter no_listener)" 2 "as the counter says"

done_testing
