#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bind() while a flow lives whose socket is gone: with bind_guard off it goes as
# without udptrack, with bind_guard on it fails with EADDRINUSE. Which addresses,
# families, interfaces and users that concerns, and what it must leave alone; the
# probe that does it, which is there only while the guard is on somewhere.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/unbound.sh
. "$(dirname "$0")/unbound.sh"

C=192.0.2.1 C2=192.0.2.11 S=192.0.2.2 C6=2001:db8::1 S6=2001:db8::2
PROBES=/sys/kernel/debug/kprobes/list
[ -e $PROBES ] || mount -t debugfs none /sys/kernel/debug
unlimit_log

GUARD=/proc/sys/net/netfilter/udptrack_bind_guard
probes() { grep -c 'security_socket_bind' $PROBES; }
binder() { in_ns c "$BIN/binder" "$@"; }

# --- a kernel where bind() cannot be watched

if ! grep -qw security_socket_bind /proc/kallsyms; then
	load_udptrack
	like "$( { echo 1 >$GUARD; } 2>&1)" 'not supported' \
		'a kernel without security_socket_bind(): the guard cannot be switched on'
	is "$(cat $GUARD)" 0 'and is not'
	like "$(dmesg | tail -n 5)" 'udptrack: bind_guard: no probe at security_socket_bind' 'the log says why'
	ok 'it can be switched off' sysctl -qw net.netfilter.udptrack_bind_guard=0
	unload_udptrack
	like "$(insmod "$KO" bind_guard=1 2>&1)" 'not supported' 'nor can the module be loaded with it'
	not_ok 'which is not there then' is_loaded udptrack
	done_testing
fi

# --- the world: c has two links to s, with the same link-local addresses, and a VRF

# Nothing is to expire while it is looked at, however slow the machine is.
load_udptrack timeout=600 dns_linger=600
two_netns
for link in eth1 eth2; do
	link_netns c $link s $link
done
printf '%s\n' "addr add $C2/24 dev eth0" 'link add red type vrf table 10' 'link set red up' \
	'link set eth2 master red' 'addr add 198.51.100.1/24 dev eth2' | ip -n c -batch -
ip -n s addr add 198.51.100.2/24 dev eth2
printf 'addr replace fe80::c/64 dev %s nodad\n' eth0 eth1 | ip -n c -6 -batch -
printf 'addr replace fe80::5/64 dev %s nodad\n' eth0 eth1 | ip -n s -6 -batch -
wait_until 5 in_ns c ping -6 -c1 -W1 fe80::5%eth1 || bail_out 'no way from c to s by the second link'
gen_start

# What stays: flows of sockets that are gone, and of four that are still there.
gen_script <<-END
	in s
	udp client $S 5050
	udp s9 $S 9
	in c
	udp g4 $C 5001
	udp g6 $C6 5002
	udp gl fe80::c%eth0 5003
	udp gv 198.51.100.1 5004 dev=red
	udp live $C 5005
	udp held 0.0.0.0 5006 dev=eth0
	udp livev 198.51.100.1 5007 dev=red
	udp conn $C 5008 to=$S,9
	udp lo 127.0.0.1 5009
	udp sv 127.0.0.1 5010
	udp server $C 5050
	send g4 $S 9
	send g6 $S6 9
	send gl fe80::5%eth0 9
	send gv 198.51.100.2 9
	send live $S 9
	send held $S 9
	send livev 198.51.100.2 9
	send conn -
	send lo 127.0.0.1 5010
	answer sv
	recv lo
	in s
	send client $C 5050
	answer server
	recv client
	close g4
	close g6
	close gl
	close gv
	close lo
	close sv
	close server
END

# expect RESULT NAME SPEC...: what comes of binding these in c
expect() {
	local result=$1 name=$2
	shift 2
	is "$(binder "$@")" "$result" "$name"
}

# --- off

is "$(in_ns c cat $GUARD)" 0 'off by default'
is "$(probes)" 0 'off: there is no probe'
expect 'ok ok ok ok ok ok' 'off: a service can bind to a port whose flow lives' \
	$C,5001 0.0.0.0,5001 ::,5001 $C6,5002 ::,5002 fe80::c%eth0,5003
expect 'EADDRINUSE EADDRINUSE' 'off: but not where a socket is' $C,5005 0.0.0.0,5005

# --- on

sysctl_in c udptrack_bind_guard=1
is "$(probes)" 1 'on: there is a probe'
expect 'EADDRINUSE EADDRINUSE EADDRINUSE EADDRINUSE EADDRINUSE' \
	'IPv4: the address, any address, and both by way of IPv6 are in use' \
	$C,5001 0.0.0.0,5001 ::,5001 ::ffff:$C,5001 ::ffff:0.0.0.0,5001
expect 'ok ok ok ok ok ok' 'IPv4: other addresses are not' \
	$C2,5001 127.0.0.1,5001 ::ffff:$C2,5001 $C6,5001 ::1,5001 ::,5001,v6only
expect 'ok ok ok' 'other ports are not, nor its bytes the other way round, nor the far end' $C,5000 $C,35091 $C,9
expect 'EADDRINUSE EADDRINUSE EADDRINUSE' 'IPv6: the address and any address are in use' \
	$C6,5002 ::,5002 ::,5002,v6only
expect 'ok ok ok ok' 'IPv6: other addresses are not' ::1,5002 fe80::c%eth0,5002 0.0.0.0,5002 ::ffff:0.0.0.0,5002
expect 'EADDRINUSE EADDRINUSE EADDRINUSE' 'link-local: on its link' \
	fe80::c%eth0,5003 ::,5003 ::,5003,dev=eth0
expect 'ok ok EINVAL' 'link-local: not on another one, and without one the kernel says no itself' \
	fe80::c%eth1,5003 ::,5003,dev=eth1 fe80::c,5003
expect 'EADDRINUSE ok' 'a socket bound to an interface: only to the one by which the flow goes' \
	0.0.0.0,5001,dev=eth0 0.0.0.0,5001,dev=eth1
expect 'EADDRINUSE EADDRINUSE EADDRINUSE ok' 'a VRF, and the interface below it' \
	0.0.0.0,5004 0.0.0.0,5004,dev=red 0.0.0.0,5004,dev=eth2 0.0.0.0,5004,dev=eth0

expect 'ok ok' 'port 0 is never in use' $C,0 ::,0
expect 'ok ok' 'neither TCP nor UDP-Lite is concerned' $C,5001,tcp $C,5001,udplite
expect 'EADDRINUSE EAFNOSUPPORT EAFNOSUPPORT' 'AF_UNSPEC is any address of IPv4, or an error of the kernel' \
	0.0.0.0,5001,unspec $C,5001,unspec ::,5002,unspec
expect 'EINVAL EINVAL EINVAL EINVAL EINVAL EADDRINUSE' 'who gives too short an address, or binds twice, is told so' \
	$C,5001,len=15 $C,5001,len=0 $C,5001,len=2 $C6,5002,len=23 $C,5001,after=4000 $C6,5002,len=24

# Ports that the kernel chooses: it has only two, and both have flows.
in_ns c "$BIN/flood" -s $C -P 5020 -S 2 -d $S -p 9 >/dev/null
in_ns c sysctl -qw net.ipv4.ip_local_port_range='5020 5021'
expect 'EADDRINUSE EADDRINUSE ok ok' 'a port that the kernel chooses is never in use' $C,5020 $C,5021 $S,9,connect $C,0
in_ns c sysctl -qw net.ipv4.ip_local_port_range='32768 60999'

# --- whose flow

expect 'ok ok' 'who answers others may restart' $C,5050 0.0.0.0,5050
expect 'EADDRINUSE ok' 'on loopback: it is the end that began' 127.0.0.1,5009 127.0.0.1,5010

# With SO_REUSEADDR on both sockets the kernel has no objection.
expect 'EADDRINUSE EADDRINUSE EADDRINUSE' 'a socket that is still there: the kernel says no' $C,5005 0.0.0.0,5006 $C,5008
expect 'ok ok ok ok' 'or, where it may be shared, yes, also to others' $C,5005,reuseaddr,uid=99 \
	0.0.0.0,5006,reuseaddr,uid=99 198.51.100.1,5007,dev=red,reuseaddr,uid=99 $C,5008,reuseaddr,uid=99
expect ok 'or, on another interface, yes' 0.0.0.0,5006,dev=eth1
gen 'in c' 'close live' 'close held' 'close livev' 'close conn'
expect 'EADDRINUSE EADDRINUSE EADDRINUSE EADDRINUSE' 'once it is gone, it is the guard that says no to others' \
	$C,5005,reuseaddr,uid=99 0.0.0.0,5006,reuseaddr,uid=99 \
	198.51.100.1,5007,dev=red,reuseaddr,uid=99 $C,5008,reuseaddr,uid=99

chmod 755 "$BIN"
in_ns c setpriv --reuid 1234 --clear-groups "$BIN/flood" -s $C -P 5030 -d $S -p 9 >/dev/null
expect 'ok ok' 'its user takes it back' $C,5030,uid=1234,reuseaddr 0.0.0.0,5030,uid=1234,reuseport
expect 'EADDRINUSE EADDRINUSE EADDRINUSE EADDRINUSE' 'but must say so, and nobody else may, not even root' \
	$C,5030,uid=1234 $C,5030,uid=99,reuseaddr $C,5030,reuseaddr $C,5030,reuseport

# --- expiry

sysctl_in c udptrack_timeout=$SLOW
gen 'in c' "udp brief $C 5040" "send brief $S 9" 'close brief'
sysctl_in c udptrack_timeout=600
expect EADDRINUSE 'a flow with a timeout: before it' $C,5040
# shellcheck disable=SC2317 # called by wait_until
is_ok() { [ "$(binder "$C,5040")" = ok ]; }
ok 'after it' wait_until 10 is_ok

# --- per namespace, and how the probe comes and goes

in_ns s "$BIN/flood" -s $S -P 5001 -d $C -p 9 >/dev/null
is "$(in_ns s "$BIN/binder" $S,5001)" ok 'a namespace where it is off'
sysctl_in s udptrack_bind_guard=1
is "$(in_ns s "$BIN/binder" $S,5001)" EADDRINUSE 'and where it is on'
is "$(probes)" 1 'there is one probe for all'
sysctl_in c udptrack_bind_guard=0
is "$(probes) $(binder $C,5001)" '1 ok' 'off in one of two: the probe stays, and leaves that one alone'
in_ns c "$BIN/flood" -s $C -P 5060 -d $S -p 9 >/dev/null
sysctl_in c udptrack_bind_guard=1 udptrack_bind_guard=1
expect 'EADDRINUSE EADDRINUSE' 'on again: flows from before count, and from in between' $C,5001 $C,5060
sysctl_in c udptrack_bind_guard=0
sysctl_in s udptrack_bind_guard=0
is "$(probes)" 0 'off in both: there is no probe'
expect 'ok ok' 'and no guard' $C,5001 $C,5060

# --- what is no value

log_mark
for value in 2 -1 x ''; do
	in_ns c bash -c "echo '$value' >$GUARD" 2>/dev/null
	is $? 1 "'$value' is refused"
done
is "$(in_ns c cat $GUARD)" 0 'the old value stays'
like "$(log_since_mark)" "sysctl udptrack_bind_guard: '2' is not a number from 0 to 1" 'the log says why'

# --- what the words are about: a listener, and a query from a port

words() {
	unbound_conf "$GEN_DIR/unbound.conf" "interface: $S" 'access-control: 192.0.2.0/24 allow' \
		'local-zone: "example.test." static' 'local-data: "www.example.test. 300 IN A 198.51.100.80"'
	background nsenter --net=/run/netns/s unbound -c "$GEN_DIR/unbound.conf"
	wait_until 20 listens s 53 || bail_out 'unbound does not listen'
	# asks PORT [UID]: dig from that port, as that user
	asks() {
		in_ns c setpriv --reuid "${2:-1234}" --clear-groups \
			dig @$S -b "$C#$1" www.example.test +short +tries=1 +time=10 2>&1
	}

	# Both share ports with sockets of their own user: dig sets SO_REUSEPORT, and nc
	# also SO_REUSEADDR.
	background nsenter --net=/run/netns/c nc -l -u 5353 >/dev/null
	wait_until 5 listens c 5353 || bail_out 'nc does not listen'
	like "$(asks 5353)" 'address in use' 'a listener comes first: nobody asks from its port'
	expect 'EADDRINUSE EADDRINUSE' 'nor binds to it' 0.0.0.0,5353 $C,5353
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null

	is "$(asks 5354)" 198.51.100.80 'dig asks from a port'
	background nsenter --net=/run/netns/c nc -l -u 5354 >/dev/null
	ok 'off: during the timeout, a service binds it' wait_until 5 listens c 5354
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null
	sysctl_in c udptrack_bind_guard=1
	is "$(asks 5355)" 198.51.100.80 'on: dig asks from another'
	like "$(in_ns c timeout 20 nc -l -u 5355 2>&1)" 'Address already in use' 'on: during the timeout, a service does not'
	like "$(asks 5355 0)" 'address in use' "nor does another user's query"
	is "$(asks 5355)" 198.51.100.80 'but dig asks once more'
}
# A minute there, and the others have tried it.
if [ "$UDPTRACK_KERNEL" = debug ]; then
	sysctl_in c udptrack_bind_guard=1
else
	words
fi

# --- under load

n=100 toggles=10
[ "$UDPTRACK_KERNEL" = debug ] && n=30 toggles=3
background nsenter --net=/run/netns/c "$BIN/flood" -s $C -S 100 -P 6000 -d $S -D 4 -t 120 -g 500 >/dev/null
flood=$BACKGROUND
binders=()
for i in 1 2 3; do
	background nsenter --net=/run/netns/c "$BIN/binder" -n 1000000 \
		$C,5001 0.0.0.0,5001 $C,5000 ::,0 $C2,5001 >"$GEN_DIR/bound$i"
	binders+=("$BACKGROUND")
done
# shellcheck disable=SC2016
out=$(in_ns c bash -c 'for ((i = 0; i < $1; i++)); do echo 0 >$0; echo 1 >$0; done 2>&1' $GUARD $toggles)
is "$out" '' "switched off and on $toggles times"
kill "${binders[@]}"
wait "${binders[@]}"
for i in 1 2 3; do
	like "$(cat "$GEN_DIR/bound$i")" '^ok=[0-9]+ EADDRINUSE=[0-9]+$' 'meanwhile, every bind() had one answer or the other'
done
diag "$(cat "$GEN_DIR"/bound?)"
expect 'EADDRINUSE ok' 'and it is on' $C,5001 $C,5000
is "$(binder -n $n $C,5001 $C,5000)" "ok=$n EADDRINUSE=$n" 'left on, not one of many is missed'
kill "$flood"
wait "$flood"

# --- how it ends

new_netns passing
in_ns passing sysctl -qw net.netfilter.udptrack_bind_guard=1
in_ns passing "$BIN/flood" -P 5001 -p 9 >/dev/null
sysctl_in c udptrack_bind_guard=0
is "$(probes)" 1 'on in a namespace'
ip netns del passing
# shellcheck disable=SC2317 # called by wait_until
probe_gone() { [ "$(probes)" = 0 ]; }
ok 'that is deleted: the probe goes with it' wait_until 10 probe_gone
sysctl_in c udptrack_bind_guard=1
is "$(probes)" 1 'on again'
ok 'the module goes with it on' unload_udptrack
is "$(probes)" 0 'and so does the probe'

# --- the parameter

load_udptrack bind_guard=1
is "$(cat $GUARD) $(probes)" '1 1' 'the parameter: on in the first namespace'
new_netns fresh
is "$(in_ns fresh cat $GUARD)" 1 'and in a new one'
in_ns fresh "$BIN/flood" -P 5001 -p 9 >/dev/null
is "$(in_ns fresh "$BIN/binder" 127.0.0.1,5001 127.0.0.1,9)" 'EADDRINUSE ok' 'where it works'
unload_udptrack
is "$(probes)" 0 'without the module there is no probe'

# The probe is there before udptrack has come to the last namespace, where
# somebody binds all the time.
new_netns one two three four last
background nsenter --net=/run/netns/last "$BIN/binder" -n 1000000 127.0.0.1,5001 ::,5002 >/dev/null
loads=3
[ "$UDPTRACK_KERNEL" = debug ] && loads=1
for ((i = 0; i < loads; i++)); do
	load_udptrack bind_guard=1
	unload_udptrack
done
ok "loaded and unloaded $loads times while somebody binds" kill "$BACKGROUND"
log_mark
not_ok 'a bad parameter is refused' insmod "$KO" bind_guard=2
like "$(log_since_mark)" "parameter bind_guard: '2' is not a number from 0 to 1" 'the log says why'

diag "$SECONDS s"
done_testing
