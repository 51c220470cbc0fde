#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets that are not one whole, sound UDP datagram to a socket: fragments,
# extension headers, broken headers and checksums, and those that the settings
# leave out. What touches no flow is counted under its reason instead.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

A=192.0.2.1 B=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2
REASONS=(truncated malformed bad_checksum fragment exempt loopback no_listener)

# reasons_are NAME [REASON=NUMBER...]: assert how many packets the last snap
# has under each reason; 0 of those that are not given
reasons_are() {
	local name=$1 reason got='' want=''
	local -A given=()
	shift
	for reason; do given[${reason%=*}]=${reason#*=}; done
	for reason in "${REASONS[@]}"; do
		got+=" $reason=${STAT[$reason]}"
		want+=" $reason=${given[$reason]:-0}"
	done
	is "$got" "$want" "$name"
}

# So long that nothing expires, however slow the machine is.
TIMEOUT=600
load_udptrack timeout=$TIMEOUT
two_netns a b
gen_start

### Fragments.  The link takes 1500 bytes; every datagram counts once, as a whole.
gen_script <<END
in b
udp server $B 7000
udp server6 $B6 7000
in a
udp big $A 4001
udp big6 $A6 4001
udp hop6 $A6 4002 hopopts
udp dst6 $A6 4003 dstopts
udp both6 $A6 4004 hopopts dstopts
udp bighop6 $A6 4005 hopopts
send big $B 7000 size=5000
answer server
recv big
send big6 $B6 7000 size=5000
answer server6
recv big6
END
for ns in a b; do
	snap $ns
	flow $A 4001 $B 7000
	traffic_is "ESTABLISHED 1/5028 1/5028" "$ns: an IPv4 datagram in fragments counts once"
	flow $A6 4001 $B6 7000
	traffic_is "ESTABLISHED 1/5048 1/5048" "$ns: an IPv6 datagram in fragments counts once"
	is "${#FLOWS[@]}" 2 "$ns: and fragments make no other flow"
	reasons_are "$ns: nor are they refused"
done

### IPv6 extension headers, eight bytes each.
gen_script <<END
send hop6 $B6 7000
send dst6 $B6 7000
send both6 $B6 7000
send bighop6 $B6 7000 size=5000
answer server6 4
recv hop6
recv dst6
recv both6
recv bighop6
END
for ns in a b; do
	snap $ns
	flow $A6 4002 $B6 7000
	traffic_is "ESTABLISHED 1/66 1/58" "$ns: IPv6: hop-by-hop options are passed over"
	flow $A6 4003 $B6 7000
	traffic_is "ESTABLISHED 1/66 1/58" "$ns: IPv6: destination options are passed over"
	flow $A6 4004 $B6 7000
	traffic_is "ESTABLISHED 1/74 1/58" "$ns: IPv6: both are"
	flow $A6 4005 $B6 7000
	traffic_is "ESTABLISHED 1/5056 1/5048" "$ns: IPv6: also hop-by-hop options with fragments"
done

### Fragments made by hand leave as they are, and are put together by the receiver.
gen_script <<END
in a
raw $A 4006 $B 7000 size=40 frag=0,24 id=77
raw $A 4006 $B 7000 size=40 frag=24,24 id=77
recv server
raw $A6 4006 $B6 7000 size=40 frag=0,24 id=77
raw $A6 4006 $B6 7000 size=40 frag=24,24 id=77
recv server6
raw $A 4007 $B 7000 size=40 frag=0,24 id=78
raw $A6 4007 $B6 7000 size=40 frag=0,24 id=78
barrier a $B b
END
snap a
flow $A 4006 $B 7000
flow_is none "IPv4 fragments on their way out make no flow"
reasons_are "and are counted as such" fragment=3
flow $A6 4006 $B6 7000
flow_is "NEW 1/88 [UNREPLIED] 0/0" "IPv6 fragments are put together on their way out"
snap b
flow $A 4006 $B 7000
flow_is "NEW 1/68 [UNREPLIED] 0/0" "the receiver of IPv4 fragments has a flow"
flow $A6 4006 $B6 7000
flow_is "NEW 1/88 [UNREPLIED] 0/0" "so has the receiver of IPv6 fragments"
flow $A 4007 $B 7000
flow_is none "a first fragment alone makes no flow"
flow $A6 4007 $B6 7000
flow_is none "IPv6: a first fragment alone makes no flow"
reasons_are "and nothing of it was seen"

### Broken packets, for a live flow (port 4010) and for none (4011).
gen_script <<END
in a
udp client $A 4010
udp client6 $A6 4010
send client $B 7000
send client6 $B6 7000
recv server
recv server6
END
sent_from=$GEN_FROM sent_to=$GEN_TO
# Long enough to see that they do not refresh.
gen "sleep 1100"
for port in 4010 4011; do
	for fault in cut=4 cut=0 ulen=7 ulen=1000 sum=bad; do
		gen "raw $A $port $B 7000 $fault" "raw $A6 $port $B6 7000 $fault"
	done
done
gen "barrier a $B b"
snap b
flow $A 4010 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "broken packets do not count"
left_is $TIMEOUT "and do not refresh their flow" "$sent_from" "$sent_to"
flow $A6 4010 $B6 7000
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: broken packets do not count"
left_is $TIMEOUT "IPv6: and do not refresh their flow" "$sent_from" "$sent_to"
flow $A 4011 $B 7000
flow_is none "they make no flow"
flow $A6 4011 $B6 7000
flow_is none "IPv6: they make no flow"
reasons_are "each is counted under its reason" truncated=8 malformed=8 bad_checksum=4
snap a
flow $A 4010 $B 7000
flow_is "NEW 2/76 [UNREPLIED] 0/0" "the sender does not look at checksums"
flow $A 4011 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "nor for a first packet"
flow $A6 4011 $B6 7000
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: nor for a first packet"
reasons_are "but it sees the other faults" fragment=3 truncated=8 malformed=8

### Checksums that are not verified.
gen_script <<END
udp nosum $A 4012 nosum
send nosum $B 7000
raw $A 4013 $B 7000 sum=zero
recv server 2
END
snap b
flow $A 4012 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "a socket may leave out the IPv4 checksum"
flow $A 4013 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "no checksum is no bad checksum"
sysctl_in b udptrack_checksum=0
gen "in a" "raw $A 4010 $B 7000 sum=bad" "raw $A6 4010 $B6 7000 sum=bad" \
	"raw $A 4011 $B 7000 sum=bad" "raw $A6 4011 $B6 7000 sum=bad" "barrier a $B b"
snap b
flow $A 4010 $B 7000
flow_is "NEW 2/76 [UNREPLIED] 0/0" "checksum=0: it counts with a bad one"
left_is $TIMEOUT "and refreshes its flow"
flow $A6 4010 $B6 7000
flow_is "NEW 2/116 [UNREPLIED] 0/0" "IPv6: checksum=0: it counts with a bad one"
left_is $TIMEOUT "IPv6: and refreshes its flow"
flow $A 4011 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "and makes a flow"
flow $A6 4011 $B6 7000
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: and makes a flow"
reasons_are "and is not refused" truncated=8 malformed=8 bad_checksum=4
sysctl_in b udptrack_checksum=1

### The log.
invalid_lines() { log_since_mark | grep 'udptrack: invalid packet: '; }
log_mark
gen "in -" "raw 127.0.0.1 4000 127.0.0.1 7000 cut=4"
is "$(invalid_lines)" "" "log_invalid=0: no line in the log"
gen "write /proc/sys/net/netfilter/udptrack_log_invalid 1"
gen "raw 127.0.0.1 4000 127.0.0.1 7000 cut=4" "raw ::1 4000 ::1 7000 ulen=7"
logging_from=$GEN_FROM
logged=$(invalid_lines)
like "$logged" 'truncated header, out=lo src=127\.0\.0\.1 dst=127\.0\.0\.1 len=24' \
	"log_invalid=1: a line with the reason and the packet"
like "$logged" 'malformed header, out=lo src=::1 dst=::1 len=58' "the same for IPv6"
gen_script < <(for _ in {1..40}; do echo "raw 127.0.0.1 4000 127.0.0.1 7000 cut=4"; done)
between "$(invalid_lines | wc -l)" 10 $((10 * (1 + (GEN_TO - logging_from) / 5000))) \
	"ten lines in five seconds, not more"
gen "write /proc/sys/net/netfilter/udptrack_log_invalid 0"

log_mark
sysctl_in b udptrack_log_invalid=1
gen "in -" "write /proc/sys/net/netfilter/nf_log_all_netns 0"
gen "in a" "raw $A 4011 $B 7000 sum=bad" "barrier a $B b"
is "$(invalid_lines)" "" "another namespace does not write to the host's log"
gen "in -" "write /proc/sys/net/netfilter/nf_log_all_netns 1" \
	"in a" "raw $A 4011 $B 7000 sum=bad" "raw $A6 4011 $B6 7000 sum=bad" "barrier a $B b" \
	"in -" "write /proc/sys/net/netfilter/nf_log_all_netns 0"
logged=$(invalid_lines)
like "$logged" "bad checksum, in=eth0 src=192\.0\.2\.1 dst=192\.0\.2\.2 len=38" "unless it may"
like "$logged" "bad checksum, in=eth0 src=2001:db8::1 dst=2001:db8::2 len=58" "the same for IPv6"
sysctl_in b udptrack_log_invalid=0

### Exempt ports.
snap b
bad_before=$(counter bad_checksum)
sysctl_in a udptrack_exempt_ports=4020,7020-7021
gen_script <<END
in b
udp first $B 7020
udp last $B 7021
udp after $B 7022
udp last6 $B6 7021
in a
udp exempt $A 4020
udp plain $A 4021
udp plain6 $A6 4021
send exempt $B 7000
answer server
recv exempt
send plain $B 7020
send plain $B 7021
send plain $B 7022
send plain6 $B6 7021
recv first
answer last
recv plain
recv after
recv last6
send plain $B 7020
recv first
END
snap a
flow $A 4020 $B 7000
flow_is none "an exempt source port makes no flow"
flow $A 4021 $B 7020
flow_is none "nor does an exempt destination port"
flow $A 4021 $B 7021
flow_is none "nor another one in the range"
flow $B 7021 $A 4021
flow_is none "nor an answer from there"
flow $A6 4021 $B6 7021
flow_is none "IPv6: nor does an exempt destination port"
flow $A 4021 $B 7022
flow_is "NEW 1/38 [UNREPLIED] 0/0" "the port after the range does"
reasons_are "each packet is counted as exempt" fragment=3 truncated=8 malformed=8 exempt=7
snap b
flow $A 4020 $B 7000
flow_is "ESTABLISHED 1/38 1/38" "nothing is exempt in the other namespace"
reasons_are "or counted there" truncated=8 malformed=8 bad_checksum="$bad_before"

### Loopback left out.
sysctl_in a udptrack_loopback=0
gen_script <<END
in a
udp lo 127.0.0.1 6000
udp lo6 ::1 6000
udp own $A 6000
udp fromlo 127.0.0.1 4030
udp fromlo6 ::1 4030
udp fromown $A 4030
send fromlo 127.0.0.1 6000
send fromlo6 ::1 6000
send fromown $A 6000
recv lo
recv lo6
recv own
send fromown $B 7000
recv server
END
snap a
flow 127.0.0.1 4030 127.0.0.1 6000
flow_is none "loopback=0: 127.0.0.1 makes no flow"
flow ::1 4030 ::1 6000
flow_is none "nor does ::1"
flow $A 4030 $A 6000
flow_is none "nor the host's own address"
flow $A 4030 $B 7000
flow_is "NEW 1/38 [UNREPLIED] 0/0" "what leaves the host does"
reasons_are "each packet is counted once" fragment=3 truncated=8 malformed=8 exempt=7 loopback=3

### Ports where nobody listens.
ip -n b addr add 192.0.2.22/24 dev eth0
gen_script <<END
in b
udp any 0.0.0.0 7040 dev=eth0
udp inner 0.0.0.0 7041 dev=lo
udp only $B 7042 to=$A,4042
udp group 0.0.0.0 7043 join=239.192.0.1,eth0
udp group6 :: 7043 join=ff05::4242,eth0
udp any6 :: 7044
in a
udp c1 $A 4041 broadcast
udp c1.6 $A6 4041
udp c2 $A 4042
send c1 $B 9
send c1.6 $B6 9
send c1 192.0.2.22 7000
send c1 $B 7040
send c1 192.0.2.22 7040
send c1 $B 7041
send c1 $B 7042
send c2 $B 7042
send c1 239.192.0.1 7043
send c1 239.192.0.1 9
send c1.6 ff05::4242 7043
send c1.6 ff05::4242 9
send c1 192.0.2.255 9
send c1 $B 7044
send c1.6 $B6 7044
barrier a $B b
END
snap b
flow $A 4041 $B 9
flow_is none "a closed port makes no flow"
flow $A6 4041 $B6 9
flow_is none "IPv6: a closed port makes no flow"
flow $A 4041 192.0.2.22 7000
flow_is none "nor does a port that is open on another address"
flow $A 4041 $B 7041
flow_is none "nor one that is open on another interface"
flow $A 4041 $B 7042
flow_is none "nor a socket that listens to somebody else"
flow $A 4042 $B 7042
flow_is "NEW 1/38 [UNREPLIED] 0/0" "the one it listens to does"
flow $A 4041 $B 7040
flow_is "NEW 1/38 [UNREPLIED] 0/0" "so does a port that is open on this interface"
flow $A 4041 192.0.2.22 7040
flow_is "NEW 1/38 [UNREPLIED] 0/0" "on any of its addresses"
flow $A 4041 $B 7044
flow_is "NEW 1/38 [UNREPLIED] 0/0" "and a socket for both families"
flow $A6 4041 $B6 7044
flow_is "NEW 1/58 [UNREPLIED] 0/0" "in IPv6, too"
for port in 7043 9; do
	flow $A 4041 239.192.0.1 $port
	flow_is "NEW 1/38 [UNREPLIED] 0/0" "multicast to port $port makes a flow"
	flow $A6 4041 ff05::4242 $port
	flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: multicast to port $port makes a flow"
done
flow $A 4041 192.0.2.255 9
flow_is "NEW 1/38 [UNREPLIED] 0/0" "broadcast does"
reasons_are "each packet without a listener is counted" truncated=8 malformed=8 \
	bad_checksum="$bad_before" no_listener=5
snap a
flow $A 4041 $B 9
flow_is "NEW 1/38 [UNREPLIED] 0/0" "the sender always has a flow"
flow $A 4041 239.192.0.1 9
flow_is "NEW 1/38 [UNREPLIED] 0/0" "and one for multicast, counted once"

# Once there is a flow, nobody asks for the socket.
gen "close any" "send c1 $B 7040" "barrier a $B b"
snap b
flow $A 4041 $B 7040
flow_is "NEW 2/76 [UNREPLIED] 0/0" "a flow outlives its socket"
sysctl_in b udptrack_require_listener=0
gen "send c1 $B 9" "send c1.6 $B6 9" "send c1 $B 7041" "barrier a $B b"
snap b
flow $A 4041 $B 9
flow_is "NEW 1/38 [UNREPLIED] 0/0" "require_listener=0: a closed port makes a flow"
flow $A6 4041 $B6 9
flow_is "NEW 1/58 [UNREPLIED] 0/0" "IPv6: require_listener=0: a closed port makes a flow"
flow $A 4041 $B 7041
flow_is "NEW 1/38 [UNREPLIED] 0/0" "so does one that is open elsewhere"
is "$(counter no_listener)" 5 "and nothing more is counted"

done_testing
