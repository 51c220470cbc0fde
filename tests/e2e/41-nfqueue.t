#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets that wait in an NFQUEUE: there is no flow before they are let go, one
# flow for those that belong together, whatever the order, and no harm when the
# queue's holder, the module or the network namespace goes meanwhile.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

plan 56
load_udptrack timeout=100

# queue_up NS: a new namespace whose UDP packets wait in queue 7 on their way out
queue_up() {
	new_netns "$1"
	in_ns "$1" iptables-legacy -A OUTPUT -p udp -j NFQUEUE --queue-num 7 ||
		bail_out 'no NFQUEUE'
	in_ns "$1" ip6tables-legacy -A OUTPUT -p udp -j NFQUEUE --queue-num 7
}

# hold NS: start the holder; tell COMMAND: have it do that, and print its answer
hold() {
	coproc NFQ { exec nsenter --net="/run/netns/$1" "$BIN/nfq" 7; }
	# shellcheck disable=SC2153 # set by coproc
	holder=$NFQ_PID
	exec {to_nfq}>&"${NFQ[1]}" {from_nfq}<&"${NFQ[0]}"
	local answer
	read -r -u "$from_nfq" answer
	[ "$answer" = ready ] || bail_out 'the queue has no holder'
}
tell() {
	local answer
	echo "$1" >&"$to_nfq"
	read -r -t 60 -u "$from_nfq" answer
	echo "$answer"
}
let_go() {
	exec {to_nfq}>&- {from_nfq}<&-
	wait "$holder" 2>/dev/null
}

# packet NS FROM SPORT TO DPORT
packet() { in_ns "$1" "$BIN/flood" -s "$2" -P "$3" -d "$4" -p "$5" >/dev/null; }

# flows NS [SPORT]: what they are, without time and bytes; of this port
flows() {
	in_ns "$1" sed -nE "/ (sport|dport)=${2:-.*} /{s/^.* 17 [0-9]+ //; s/ bytes=[0-9]+//g; s/ uid=.*//; p}" /proc/net/udptrack
}

# one_way A SPORT B DPORT N, two_way A SPORT B DPORT: as flows prints them
one_way() {
	echo "NEW src=$1 dst=$3 sport=$2 dport=$4 packets=$5 [UNREPLIED] src=$3 dst=$1 sport=$4 dport=$2 packets=0"
}
two_way() {
	echo "ESTABLISHED src=$1 dst=$3 sport=$2 dport=$4 packets=1 src=$3 dst=$1 sport=$4 dport=$2 packets=1"
}

# --- let go, in one order and the other

queue_up q
hold q
port=1000
for ends in '127.0.0.1 127.0.0.2' '::1 ::1'; do
	read -r a b <<<"$ends"
	for order in accept reverse; do
		case="$a, $order"
		port=$((port + 1))
		packet q "$a" $port "$b" 2000
		packet q "$a" $port "$b" 2000
		is "$(tell 'wait 2')" 'held 2' "$case: two first packets wait"
		is "$(flows q $port)" '' "$case: no flow while they wait"
		is "$(tell $order)" 'accepted 2' "$case: they are let go"
		is "$(flows q $port)" "$(one_way "$a" $port "$b" 2000 2)" "$case: one flow, two packets"

		# Both ends speak first. Who is let go first has begun.
		port=$((port + 1))
		packet q "$a" $port "$b" 2000
		packet q "$b" 2000 "$a" $port
		is "$(tell 'wait 2')" 'held 2' "$case: a packet from each end waits"
		is "$(flows q $port)" '' "$case: no flow while they wait"
		is "$(tell $order)" 'accepted 2' "$case: they are let go"
		if [ $order = accept ]; then
			is "$(flows q $port)" "$(two_way "$a" $port "$b" 2000)" "$case: one flow, begun by the first"
		else
			is "$(flows q $port)" "$(two_way "$b" 2000 "$a" $port)" "$case: one flow, begun by the second"
		fi
	done
done

# A flow that is live: its packets count when they are let go, not before.
before=$(flows q $port)
packet q "$a" $port "$b" 2000
is "$(tell 'wait 1')" 'held 1' 'a packet of a live flow waits'
is "$(flows q $port)" "$before" 'it does not count yet'
is "$(tell drop)" 'dropped 1' 'it is dropped'
is "$(flows q $port)" "$before" 'it does not count'

# A hundred of a hundred flows.
in_ns q "$BIN/flood" -P 5000 -S 100 >/dev/null
is "$(tell 'wait 100')" 'held 100' 'a hundred first packets wait'
is "$(tell reverse)" 'accepted 100' 'they are let go, last one first'
is "$(flows q 20000 | grep -c 'packets=1 \[UNREPLIED\]')" 100 'a hundred flows'

# --- the holder dies

in_ns q "$BIN/flood" -P 6000 -S 10 -c 2 >/dev/null
is "$(tell 'wait 20')" 'held 20' 'twenty packets wait'
count=$(in_ns q cat /proc/sys/net/netfilter/udptrack_count)
kill -9 "$holder"
let_go
is "$(in_ns q cat /proc/sys/net/netfilter/udptrack_count)" "$count" 'their holder dies: no flow'
packet q 127.0.0.1 6000 127.0.0.1 20000
is "$(flows q 6000)" '' 'without a holder, packets are dropped: no flow'
hold q
packet q 127.0.0.1 6000 127.0.0.1 20000
is "$(tell 'wait 1'), $(tell accept)" 'held 1, accepted 1' 'with another one they wait again'
is "$(flows q 6000)" "$(one_way 127.0.0.1 6000 127.0.0.1 20000 1)" 'and make a flow'

# --- the module goes

packet q 127.0.0.1 7001 127.0.0.1 20000
packet q ::1 7002 ::1 20000
is "$(tell 'wait 2')" 'held 2' 'two packets wait'
ok 'the module goes' unload_udptrack
# The kernel drops what waits wherever a hook is taken away.
like "$(tell accept)" 'accepted 2' 'they are let go'
load_udptrack timeout=100
packet q 127.0.0.1 7003 127.0.0.1 20000
is "$(tell 'wait 1'), $(tell accept)" 'held 1, accepted 1' 'the module is back: the next packet waits'
is "$(flows q)" "$(one_way 127.0.0.1 7003 127.0.0.1 20000 1)" 'and makes a flow, the only one'

# A packet that began to wait before there was a tracker meets it.
unload_udptrack
packet q 127.0.0.1 7004 127.0.0.1 20000
is "$(tell 'wait 1')" 'held 1' 'a packet waits without the module'
load_udptrack timeout=100
is "$(tell accept)" 'accepted 1' 'it is let go with it'
is "$(flows q)" "$(one_way 127.0.0.1 7004 127.0.0.1 20000 1)" 'it makes a flow'

# --- the namespace goes

packet q 127.0.0.1 7005 127.0.0.1 20000
packet q ::1 7006 ::1 20000
is "$(tell 'wait 2')" 'held 2' 'two packets wait'
ok 'their namespace loses its name' ip netns del q
kill -9 "$holder"
let_go
new_netns after
is "$(in_ns after "$BIN/flood" -S 10 -R)" 'sent=10 failed=0 received=10 answered=0' \
	'it goes with its holder; another one has its traffic'
is "$(flows after | wc -l)" 10 'and its flows'

done_testing
