#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nf_conntrack is the oracle: beside udptrack, in the same namespaces and for the
# same traffic, it must come to the same flows, directions, flags, timeouts,
# packets and bytes, at several moments.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

A=192.0.2.1 B=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2
MIN_FLOWS=200
# GSO packets: nf_conntrack counts them as one. No numbers to compare there.
GSO_PORT=7009

modprobe -a nf_conntrack nft_ct || skip_all "no nf_conntrack"
# What nf_conntrack does not know of is off.
load_udptrack dns=0
two_netns a b
gen_start

# Only a rule makes nf_conntrack look at packets.
for ns in a b; do
	in_ns $ns nft -f - <<-'END' || bail_out "no rule"
	table inet oracle {
		chain out { type filter hook output priority 0; ct state new counter; }
		chain in { type filter hook input priority 0; ct state new counter; }
	}
	END
	sysctl_in $ns nf_conntrack_acct=1 nf_conntrack_checksum=1 \
		udptrack_require_listener=0 udptrack_checksum=1
done

# timeouts NS UNREPLIED STREAM: the same for both trackers
timeouts() {
	sysctl_in "$1" udptrack_timeout="$2" udptrack_timeout_stream="$3" \
		nf_conntrack_udp_timeout="$2" nf_conntrack_udp_timeout_stream="$3"
}

# agree MOMENT: assert that the trackers agree in both namespaces.  A flow may
# expire between two reads; then the next two tell.
agree() {
	local ns out status
	gen "barrier a $B b" "barrier b $A a"
	for ns in a b; do
		for _ in 1 2 3 4 5; do
			gen "in $ns" "copy /proc/net/udptrack $GEN_DIR/udptrack.$ns" \
				"copy /proc/net/nf_conntrack $GEN_DIR/conntrack.$ns"
			out=$("$BIN/flowdiff" -n $GSO_PORT "$MIN_FLOWS" \
				"$GEN_DIR/udptrack.$ns" "$GEN_DIR/conntrack.$ns")
			status=$?
			[ $status = 0 ] && break
			gen "sleep 200"
		done
		ok $status "$ns: $1"
		diag "$out"
	done
}

# LINES grows by what the functions below add; go has udpgen do it.
LINES=()
go() { gen "${LINES[@]}"; LINES=(); }

# both COUNT PORT LINE...: add the lines COUNT times for each family.  CLIENT and
# SERVER become the addresses of both ends, GROUP and LO a multicast and a loopback
# address, ~ the family, # the client's port, from PORT on, @ all that is unlike.
both() {
	local count=$1 port=$2 i line four six
	shift 2
	for ((i = 0; i < count; i++)); do
		for line; do
			line=${line//@/"~.$((port + i))"}
			line=${line//#/$((port + i))}
			four=${line//CLIENT/$A} six=${line//CLIENT/$A6}
			four=${four//SERVER/$B} six=${six//SERVER/$B6}
			four=${four//GROUP/239.192.0.1} six=${six//GROUP/ff05::4242}
			four=${four//LO/127.0.0.1} six=${six//LO/::1}
			LINES+=("${four//\~/4}" "${six//\~/6}")
		done
	done
}

# Long enough for the slowest machine; what is to expire is set for that below.
timeouts a 607 1213
timeouts b 607 1213

LINES+=("in b")
both 1 0 "udp server~ SERVER 7000" "udp many~ SERVER 7001" "udp gso~ SERVER $GSO_PORT" \
	"udp group_b~ GROUP 7043 join=GROUP,eth0"
LINES+=("in a")
both 1 0 "udp near~ CLIENT 7000" "udp lo~ LO 7000" "udp own~ CLIENT 7002" \
	"udp group_a~ GROUP 7043 join=GROUP,eth0"
go

### First packets, and answers to some of them.
first_from=$GEN_TO
both 12 4000 "udp oneway@ CLIENT #" "send oneway@ SERVER 7000 size=1" "recv server~"
both 6 4050 "udp closed@ CLIENT #" "send closed@ SERVER 9"
both 18 4100 "udp twoway@ CLIENT #" "send twoway@ SERVER 7000 size=20" \
	"answer server~ size=3" "recv twoway@" "send twoway@ SERVER 7000" "recv server~"
both 25 4150 "udp many@ CLIENT #" "send many@ SERVER 7001"
both 1 4150 "answer many~ 25"
both 25 4150 "recv many@"
# These will go on after two seconds: asking, answering, both, and answering late.
both 8 4200 "udp asking@ CLIENT #" "send asking@ SERVER 7000" "answer server~" "recv asking@"
both 6 4220 "udp answering@ CLIENT #" "send answering@ SERVER 7000" "answer server~" "recv answering@"
both 6 4240 "udp talking@ CLIENT #" "send talking@ SERVER 7000" "answer server~" "recv talking@"
both 6 4260 "udp late@ CLIENT #" "send late@ SERVER 7000" "recv server~"
# From the other side.
LINES+=("in b")
both 8 4300 "udp reverse@ SERVER #" "send reverse@ CLIENT 7000" "answer near~" "recv reverse@"
both 4 4320 "udp unheard@ SERVER #" "send unheard@ CLIENT 7000" "recv near~"
# Loopback, and sockets that talk to themselves once, twice and three times.
LINES+=("in a")
both 6 4400 "udp lo@ LO #" "send lo@ LO 7000" "answer lo~" "recv lo@"
both 4 4420 "udp lo@ LO #" "send lo@ LO 7000" "recv lo~" "send lo@ LO 9"
both 4 4430 "udp own@ CLIENT #" "send own@ CLIENT 7002" "answer own~" "recv own@"
both 3 4440 "udp self@ LO #" "send self@ LO #"
both 3 4450 "udp self@ LO #" "send self@ LO # n=2"
both 3 4460 "udp self@ CLIENT #" "send self@ CLIENT # n=3"
# Larger than the link takes, many at once, without an answer, and broken.
both 4 4500 "udp big@ CLIENT #" "send big@ SERVER 7000 size=4000" "answer server~" "recv big@"
both 2 4520 "udp gso@ CLIENT #" "send gso@ SERVER $GSO_PORT size=5000 gso=1000" "recv gso~ 5" \
	"send gso~ CLIENT # size=3000 gso=1000" "recv gso@ 3"
both 3 4540 "udp query@ CLIENT # broadcast" "send query@ GROUP 7043 size=30" "recv group_b~" \
	"send query@ GROUP 7044"
LINES+=("send query4.4540 192.0.2.255 7043" "send query4.4541 192.0.2.255 9")
LINES+=("udp hop $A6 4560 hopopts" "send hop $B6 7000" "answer server6" "recv hop")
LINES+=("udp nosum $A 4561 nosum" "send nosum $B 7000" "answer server4" "recv nosum")
for fault in cut=4 ulen=7 ulen=1000 sum=bad sum=zero; do
	both 1 4100 "raw CLIENT # SERVER 7000 $fault"
	both 1 4000 "raw CLIENT # SERVER 7000 $fault"
	both 1 $((4570 + ${#LINES[@]} % 100)) "raw CLIENT # SERVER 7000 $fault"
done
both 1 4590 "raw CLIENT # SERVER 7000 size=40 frag=0,24 id=5" \
	"raw CLIENT # SERVER 7000 size=40 frag=24,24 id=5"
LINES+=("barrier a $B b" "drain server4" "drain server6")
go
agree "first packets and answers"

### Packets of both ends that cross.
for ns in a b; do
	tc -n $ns qdisc add dev eth0 root netem delay 200ms
done
LINES+=("in b")
both 5 4600 "udp right@ SERVER #"
LINES+=("in a")
both 5 4600 "udp left@ CLIENT #"
both 5 4600 "send left@ SERVER #" "send right@ CLIENT #"
both 5 4600 "recv left@" "recv right@"
go
for ns in a b; do
	tc -n $ns qdisc del dev eth0 root
done
gen "until $((first_from + 2000 + CLOCK_SLACK_MS))"
agree "packets that cross"

### After two seconds.
both 8 4200 "send asking@ SERVER 7000" "recv server~"
both 6 4220 "send server~ CLIENT #" "recv answering@"
both 6 4240 "send talking@ SERVER 7000" "answer server~" "recv talking@"
both 3 4260 "send server~ CLIENT #" "recv late@"
both 3 4263 "send late@ SERVER 7000" "answer server~" "recv late@" "send late@ SERVER 7000" "recv server~"
both 3 4300 "send reverse@ CLIENT 7000" "answer near~" "recv reverse@"
both 3 4400 "send lo@ LO 7000" "answer lo~" "recv lo@"
both 3 4450 "send self@ LO #" "recv self@ 3"
go
agree "traffic after two seconds"

### Timeouts changed at run time, not the same in both namespaces.
timeouts a 3 941
timeouts b 811 907
LINES+=("in a")
both 6 4700 "udp short@ CLIENT #" "send short@ SERVER 7000" "recv server~"
both 6 4720 "udp short@ CLIENT #" "send short@ SERVER 7000" "answer server~" "recv short@"
both 3 4000 "send oneway@ SERVER 7000" "recv server~"
both 3 4150 "send many@ SERVER 7001" "recv many~"
both 3 4240 "send talking@ SERVER 7000" "recv server~"
both 2 4300 "send reverse@ CLIENT 7000" "recv near~"
go
short_to=$GEN_TO
agree "timeouts changed at run time"
gen "until $((short_to + 3000 + CLOCK_SLACK_MS))"
agree "flows expired"
is "$(grep -c 'sport=47[0-9][0-9] ' "$GEN_DIR/udptrack.a")" 0 "those that were to expire have"
is "$(grep -c 'sport=47[0-9][0-9] ' "$GEN_DIR/udptrack.b")" 24 "but not where the timeout is longer"
both 6 4700 "send short@ SERVER 7000"
both 6 4720 "send server~ CLIENT #" "recv short@"
both 3 4000 "send server~ CLIENT #" "recv oneway@"
both 3 4150 "send many~ CLIENT #" "recv many@"
go
agree "packets after expiry"

done_testing
