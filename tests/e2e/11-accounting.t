#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is counted: every datagram once, headers included, in its direction, as
# the wire sees it, whether the kernel moves it alone or in bulk.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

A=192.0.2.1 B=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2

# So long that nothing expires, however slow the machine is.
load_udptrack timeout=600
two_netns a b
gen_start

### Sizes.
gen_script <<END
in b
udp server $B 7000
udp server6 $B6 7000
in a
udp client $A 4001 to=$B,7000
udp client6 $A6 4001 to=$B6,7000
send client - size=0
send client - size=10
send client - size=1000
recv server
recv server
answer server size=700
recv client
send client6 - size=0
send client6 - size=10
send client6 - size=1000
recv server6
recv server6
answer server6 size=700
recv client6
send server $A 4001 size=5
recv client
END
for ns in a b; do
	snap $ns
	flow $A 4001 $B 7000
	traffic_is "ESTABLISHED 3/1094 2/761" "$ns: IPv4 packets count with 28 bytes of headers"
	flow $A6 4001 $B6 7000
	traffic_is "ESTABLISHED 3/1154 1/748" "$ns: IPv6 packets count with 48 bytes of headers"
done

### Datagrams that the kernel handles in bulk.  The first time they cross the
# link in one piece, the second time as datagrams, so that what udptrack counts
# can be held against what nftables counts on arrival.
in_ns b nft -f - <<'END'
table inet wire {
	counter v4 { }
	counter v6 { }
	counter merged { }
	chain in {
		type filter hook prerouting priority -500;
		ip protocol udp udp dport 7001 counter name v4
		ip6 nexthdr udp udp dport 7001 counter name v6
		udp dport 7003 counter name merged
	}
}
END

# wire NAME: packets/bytes that nftables counted
wire() {
	in_ns b nft list counter inet wire "$1" |
		sed -n 's|.*packets \([0-9]*\) bytes \([0-9]*\).*|\1/\2|p'
}

gen_script <<END
in b
udp bulk $B 7001
udp bulk6 $B6 7001
udp whole $B 7002
udp whole6 $B6 7002
udp merged $B 7003 gro
in a
udp client2 $A 4002
udp client62 $A6 4002
send client2 $B 7002 size=12000 gso=1000
send client2 $B 7002 size=2500 gso=1000
send client2 $B 7002 size=100 gso=1000
send client62 $B6 7002 size=12000 gso=1000
recv whole 16
recv whole6 12
feature eth0 tx-udp-segmentation 0
send client2 $B 7001 size=12000 gso=1000
send client2 $B 7001 size=2500 gso=1000
send client2 $B 7001 size=100 gso=1000
send client62 $B6 7001 size=12000 gso=1000
recv bulk 16
recv bulk6 12
END
for ns in a b; do
	snap $ns
	for port in 7001 7002; do
		how=$([ $port = 7001 ] && echo "cut up on the link" || echo "in one piece")
		flow $A 4002 $B $port
		flow_is "NEW 16/15048 [UNREPLIED] 0/0" "$ns: IPv4 segments count as packets, $how"
		flow $A6 4002 $B6 $port
		flow_is "NEW 12/12576 [UNREPLIED] 0/0" "$ns: IPv6 segments count as packets, $how"
	done
done
is "$(wire v4)" 16/15048 "which is what comes over the wire"
is "$(wire v6)" 12/12576 "with IPv6, too"

# The receiver's own merging (GRO) changes nothing.
gen_script <<END
in b
feature eth0 rx-gro 1
feature eth0 rx-udp-gro-forwarding 1
in a
send client2 $B 7003 size=40000 gso=1000
send client2 $B 7003 size=40000 gso=1000
recv merged 80
END
diag "80 datagrams were merged into $(wire merged)"
for ns in a b; do
	snap $ns
	flow $A 4002 $B 7003
	flow_is "NEW 80/82240 [UNREPLIED] 0/0" "$ns: merged datagrams count as what they were"
done

### Loopback: a packet passes both hooks, and counts once.
gen_script <<END
in a
udp lo $A 6000
udp lo4 127.0.0.1 6000
udp lo6 ::1 6000
udp own6 $A6 6000
udp from $A 4003
udp from4 127.0.0.1 4003
udp from6 ::1 4003
udp ownfrom6 $A6 4003
send from $A 6000
send from4 127.0.0.1 6000
send from6 ::1 6000
send ownfrom6 $A6 6000
END
snap a
flow 127.0.0.1 4003 127.0.0.1 6000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "127.0.0.1: a packet counts once and does not answer itself"
flow ::1 4003 ::1 6000
flow_is "NEW 1/58 [UNREPLIED] 0/0" "::1: a packet counts once and does not answer itself"
flow $A 4003 $A 6000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "own address: a packet counts once and does not answer itself"
flow $A6 4003 $A6 6000
flow_is "NEW 1/58 [UNREPLIED] 0/0" "own IPv6 address: a packet counts once and does not answer itself"
gen "answer lo" "answer lo4" "answer lo6" "answer own6" \
	"recv from" "recv from4" "recv from6" "recv ownfrom6" \
	"send from4 127.0.0.1 6000 size=3000 gso=1000" "recv lo4 3"
snap a
flow 127.0.0.1 4003 127.0.0.1 6000
traffic_is "ESTABLISHED 4/3122 1/38" "127.0.0.1: the answer counts once, and so do segments"
flow ::1 4003 ::1 6000
traffic_is "ESTABLISHED 1/58 1/58" "::1: the answer counts once"
flow $A 4003 $A 6000
traffic_is "ESTABLISHED 1/38 1/38" "own address: the answer counts once"
flow $A6 4003 $A6 6000
traffic_is "ESTABLISHED 1/58 1/58" "own IPv6 address: the answer counts once"

# A socket that talks to itself answers itself, as nf_conntrack has it.
gen "udp self 127.0.0.1 6001" "udp self6 ::1 6001" \
	"send self 127.0.0.1 6001" "send self6 ::1 6001"
snap a
flow 127.0.0.1 6001 127.0.0.1 6001
flow_is "NEW 1/38 [UNREPLIED] 0/0" "a socket's first packet to itself is new"
flow ::1 6001 ::1 6001
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: a socket's first packet to itself is new"
gen "send self 127.0.0.1 6001" "send self6 ::1 6001"
snap a
flow 127.0.0.1 6001 127.0.0.1 6001
traffic_is "ESTABLISHED 1/38 1/38" "the second is the answer"
flow ::1 6001 ::1 6001
traffic_is "ESTABLISHED 1/58 1/58" "IPv6: the second is the answer"

### Without accounting.
sysctl_in a udptrack_acct=0
gen "udp quiet $A 4004" "send quiet $B 7000" "send client - size=10" "recv server 2"
snap a
flow $A 4004 $B 7000
flow_is "NEW [UNREPLIED]" "acct=0: a new flow has no counters"
flow $A 4001 $B 7000
traffic_is "ESTABLISHED 4/1132 2/761" "acct=0: a flow that has counters keeps counting"
sysctl_in a udptrack_acct=1
gen "send quiet $B 7000" "recv server"
snap a
flow $A 4004 $B 7000
flow_is "NEW [UNREPLIED]" "acct=1: a flow that began without counters gets none"
snap b
flow $A 4004 $B 7000
flow_is "NEW 2/76 [UNREPLIED] 0/0" "the other namespace counts as before"

done_testing
