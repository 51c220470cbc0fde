#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the demonstration that `make run` shows in the virtual machine: a real
# resolver in one network namespace, a real dig in another, and what udptrack
# makes of their packets; then a firewall around that dig, and an attacker in a
# third one, whose answers it drops.  Every command is printed as a user would
# type it.  Ends with status 0 when every step did what it says, else names the
# step.
#
#   UDPTRACK_BUILD=<directory with the .ko files> scripts/demo.sh

set -uo pipefail

ko=${UDPTRACK_BUILD:?}/udptrack.ko
ko_match=$UDPTRACK_BUILD/xt_udptrack.ko
plugin=$(cd "$(dirname "$0")/.." && pwd -P)/build/tools/libxt_udptrack.so
work=$(mktemp -d)
step=0 title='' resolver_pid=''
begin=$SECONDS first_flow=0

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -n "$resolver_pid" ] && kill -KILL "$resolver_pid" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

# step TITLE: announce what comes next
step() {
	step=$((step + 1)) title=$1
	printf '\n--- %d. %s\n' "$step" "$title"
}

fail() {
	printf '\nFAILED in step %d (%s): %s\n' "$step" "$title" "$*"
	dmesg | tail -n 5
	exit 1
}

# show COMMAND...: print a command, run it, keep its output in $out
show() {
	printf '\n$ %s\n' "$*"
	out=$(bash -c "$*" 2>&1) || fail "'$*' ended with status $?: $out"
	[ -z "$out" ] || printf '%s\n' "$out"
}

# expect PATTERN WHAT: $out must match an extended regular expression
expect() {
	grep -qE -- "$1" <<<"$out" || fail "expected $2"
	printf '  => %s\n' "$2"
}

# left: seconds to live of the first flow in $out
left() { awk '{ print $5; exit }' <<<"$out"; }

# show_file FILE: print it as cat would, without a process
show_file() { printf '\n$ cat %s\n%s\n' "$1" "$(<"$1")"; }

client='ip netns exec client'
attacker='ip netns exec attacker'
table="$client cat /proc/net/udptrack"

# flow PATTERN: the table's lines about a flow
flow() { show "$table | grep -E '$1'"; }

prepare() {
	step 'load the module, with parameters'
	show "insmod ${ko} timeout=30 max=100000"
	show 'sysctl net.netfilter.udptrack_timeout net.netfilter.udptrack_timeout_stream net.netfilter.udptrack_max'
	expect 'udptrack_timeout = 30' 'the parameters are the defaults of every network namespace'

	step 'three hosts: network namespaces "client", "resolver" and "attacker", on one switch'
	local net
	ip link add switch type bridge || fail 'no switch'
	ip link set switch up
	for net in client resolver attacker; do
		ip netns add "$net" || fail 'no network namespace'
		ip link add "$net" type veth peer name eth0 netns "$net" || fail 'no cable'
		ip link set "$net" master switch up
		ip -n "$net" link set lo up
		ip -n "$net" link set eth0 up
	done
	ip -n client addr add 192.0.2.1/24 dev eth0
	ip -n client addr add 2001:db8::1/64 dev eth0 nodad
	ip -n resolver addr add 192.0.2.53/24 dev eth0
	ip -n resolver addr add 2001:db8::53/64 dev eth0 nodad
	ip -n attacker addr add 192.0.2.66/24 dev eth0
	show "$client ip -brief address show dev eth0"

	cat >unbound.conf <<-EOF
		server:
		  interface: 192.0.2.53
		  interface: 192.0.2.53@5300
		  interface: 2001:db8::53
		  access-control: 192.0.2.0/24 allow
		  access-control: 2001:db8::/64 allow
		  do-daemonize: no
		  use-syslog: no
		  logfile: ""
		  username: ""
		  chroot: ""
		  directory: "$work"
		  pidfile: ""
		  module-config: "iterator"
		  local-zone: "example.test." static
		  local-data: "www.example.test. 300 IN A 198.51.100.80"
		  local-data: "www.example.test. 300 IN AAAA 2001:db8:80::80"
		remote-control:
		  control-enable: no
	EOF
	printf '\n$ ip netns exec resolver unbound -c unbound.conf &\n'
	ip netns exec resolver unbound -c unbound.conf &
	resolver_pid=$!
	local i
	for ((i = 0; i < 100; i++)); do
		ip netns exec resolver ss -Hlun 'sport = 53' | grep -q 2001 && break
		kill -0 "$resolver_pid" 2>/dev/null || fail 'unbound does not start'
		sleep 0.1
	done
	[ "$i" -lt 100 ] || fail 'unbound does not listen'
	printf '  => a resolver that knows www.example.test\n'
}

# query TITLE ADDRESS PORT TYPE FAMILY ANSWER: a query held back, then answered
query() {
	local dig="$client dig @$2 -b $6#$3 www.example.test $4 +short +tries=1 +time=20"

	step "$1: a query while the resolver is held back is NEW"
	show "kill -STOP $resolver_pid   # the resolver"
	printf '\n$ %s &\n' "$dig"
	$dig >answer 2>&1 &
	local dig_pid=$! i
	for ((i = 0; i < 100; i++)); do
		$table | grep -q "sport=$3 " && break
		sleep 0.1
	done
	flow "sport=$3 dport=53 "
	expect "^$5 .* NEW src=$6 dst=$2 .*\[UNREPLIED\]" 'one packet out, none back: NEW, [UNREPLIED]'
	expect " uid=0 pid=$dig_pid .*dns=out:1,.* comm=dig\$" 'and whose it is: dig, which has asked one question'

	step "$1: the answer makes it ESTABLISHED"
	show "kill -CONT $resolver_pid"
	wait "$dig_pid" || fail 'dig got no answer'
	out=$(cat answer)
	printf '%s\n' "$out"
	expect "^$7\$" "dig has its answer"
	flow "sport=$3 dport=53 "
	expect ' ESTABLISHED .*packets=1 .* packets=1 ' 'one packet each way: ESTABLISHED'
	expect 'dns=out:0,ok:1,forged:0' 'its question is answered'
	[ "$(left)" -le 5 ] || fail "$(left) s left, more than 5"
	printf '  => so the window closes in 5 s, not in 30 or 120\n'
}

# Where DNS is not known to be, it is UDP like any other.
dig_5300='dig @192.0.2.53 -p 5300 www.example.test +short +tries=1'
begin_stream() {
	show "$client $dig_5300 -b 192.0.2.1#40008"
	first_flow=$SECONDS
}

stream() {
	step 'two-way for longer than 2 s: ASSURED, and kept 120 s'
	# Its flow was established some steps ago.
	while [ $((SECONDS - first_flow)) -lt 3 ]; do
		sleep 0.1
	done
	show "$client $dig_5300 -b 192.0.2.1#40008"
	flow 'sport=40008 '
	expect '\[ASSURED\]' 'no longer a question and its answer, but a stream'
	[ "$(left)" -gt 100 ] || fail "only $(left) s left"
}

change_timeout() {
	step 'a shorter timeout, in this namespace alone'
	show "$client sysctl -w net.netfilter.udptrack_timeout=15"
	show "$client $dig_5300 -b 192.0.2.1#40003"
	flow 'sport=40003 '
	[ "$(left)" -le 15 ] || fail "$(left) s left, more than 15"
	printf '  => %s s left of 15\n' "$(left)"
	show 'ip netns exec resolver sysctl net.netfilter.udptrack_timeout'
	expect '= 30$' 'the resolver keeps its own'
}

bad_value() {
	step 'a value out of range is refused, and the log says why'
	printf '\n$ %s sysctl -w net.netfilter.udptrack_timeout=0\n' "$client"
	if $client sysctl -w net.netfilter.udptrack_timeout=0; then
		fail '0 was taken'
	fi
	show 'dmesg | grep "sysctl udptrack_timeout" | tail -n 1'
	expect "'0' is not a number from 1 to 86400" 'name, value and range'
	show "$client sysctl net.netfilter.udptrack_timeout"
	expect '= 15$' 'the old value stays'
}

expiry() {
	step 'a flow expires'
	show "$client sysctl -w net.netfilter.udptrack_dns_linger=2"
	show "$client dig @192.0.2.53 -b 192.0.2.1#40004 www.example.test +short +tries=1"
	flow 'sport=40004 '
	show 'sleep 2.1'
	printf '\n$ %s | grep sport=40004\n' "$table"
	if $table | grep sport=40004; then
		fail 'it is still there'
	fi
	printf '  => gone\n'
}

counters() {
	step 'the counters'
	show "$client sysctl net.netfilter.udptrack_count net.netfilter.udptrack_buckets"
	show "$client cat /proc/net/stat/udptrack | column -t"
	expect '^entries +found +new' 'a row for each CPU, in hexadecimal'
	show "$table"
}

# --- part two: a firewall

dig_www="dig @192.0.2.53 www.example.test +short +tries=1"

install_match() {
	step 'for iptables: the module xt_udptrack and its plugin, as "make install" installs them'
	show "cp $plugin $(pkg-config --variable=xtlibdir xtables)/"
	show "modprobe x_tables && insmod $ko_match"
}

install_rules() {
	step 'the DNS pair in the client: queries out, their answers in, and nothing else'
	show "$iptables -A OUTPUT -p udp --sport 1024:65535 --dport 53 -m udptrack --state NEW,ESTABLISHED -j ACCEPT"
	show "$iptables -A INPUT -p udp --sport 53 --dport 1024:65535 -m udptrack --state ESTABLISHED -j ACCEPT"
	show "$iptables -A INPUT -p udp -j DROP"
	show "$iptables -P INPUT DROP"
	show "$iptables -P OUTPUT DROP"
	show "$client $dig_www"
	expect '^198.51.100.80$' 'dig has its answer'
}

# An IPv4 header, a UDP header and a few bytes; the kernel adds what is left 0.
write_forge() {
	cat >forge <<-'EOF'
		#!/usr/bin/python3
		# forge FROM:PORT TO:PORT NUMBER - send DNS answers in somebody else's name, numbered from 1
		import sys
		from socket import *
		from struct import pack
		(src, sport), (dst, dport) = (end.split(":") for end in sys.argv[1:3])
		ip = pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, inet_aton(src), inet_aton(dst))
		udp = pack("!HHHH", int(sport), int(dport), 20, 0)
		raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
		for i in range(int(sys.argv[3])):
		    raw.sendto(ip + udp + pack("!HHHHHH", i + 1, 0x8180, 1, 0, 0, 0), (dst, 0))
	EOF
	chmod 755 forge
}

attack() {
	step 'dig waits for its answer, and an attacker is faster than the resolver'
	write_forge
	show_file forge
	show "$client sysctl -w net.netfilter.udptrack_dns=2   # answers to no question are INVALID"
	show "kill -STOP $resolver_pid   # the resolver"
	local dig="$client $dig_www -b 192.0.2.1#40005 +time=30"
	printf '\n$ %s &\n' "$dig"
	$dig >answer 2>&1 &
	local dig_pid=$! i
	for ((i = 0; i < 100; i++)); do
		$table | grep -q 'sport=40005 ' && break
		sleep 0.1
	done
	show "$attacker ./forge 192.0.2.66:53 192.0.2.1:40005 3   # to dig, but from another address"
	show "$attacker ./forge 192.0.2.53:53 192.0.2.1:40006 4   # from the resolver, but to another port"
	show "$attacker ./forge 192.0.2.77:53 192.0.2.1:40007 5   # unsolicited"
	show "$attacker ./forge 192.0.2.53:53 192.0.2.1:40005 100   # all is right, but the number of the question is a guess"
	show "$iptables -L -v -n"
	expect '^ *112 .* DROP ' 'dropped: 3 + 4 + 5 + 100 packets, all that the attacker sent'
	expect '^ *1 .* ACCEPT .* ESTABLISHED$' 'accepted: one answer, that to the dig before'

	flow 'sport=40005 '
	expect 'forged:100,' 'whom the guesses were for, and how many'
	show "kill -CONT $resolver_pid"
	wait "$dig_pid" || fail 'dig got no answer'
	out=$(<answer)
	printf '%s\n' "$out"
	expect '^198.51.100.80$' 'dig has the true answer'
	show "$iptables -L INPUT -v -n"
	expect '^ *2 .* ACCEPT .* ESTABLISHED$' 'accepted: the second answer'
}

nft_form() {
	step 'the same for nftables, which reads the state from the mark: NEW is 0x100, ESTABLISHED 0x200'
	show "$iptables -F"
	show "$iptables -P INPUT ACCEPT"
	show "$iptables -P OUTPUT ACCEPT"
	show "$client sysctl -w net.netfilter.udptrack_mark_mask=0x700"
	cat >dns.nft <<-'EOF'
		table inet dns {
		  chain output {
		    type filter hook output priority filter; policy drop;
		    udp sport 1024-65535 udp dport 53 meta mark & 0x700 { 0x100, 0x200 } counter accept
		  }
		  chain input {
		    type filter hook input priority filter; policy drop;
		    udp sport 53 udp dport 1024-65535 meta mark & 0x700 == 0x200 counter accept
		    meta l4proto udp counter drop
		  }
		}
	EOF
	show_file dns.nft
	show "$client nft -f dns.nft"
	show "$client $dig_www"
	expect '^198.51.100.80$' 'dig has its answer'
	show "$attacker ./forge 192.0.2.53:53 192.0.2.1:40006 6"
	show "$client nft list chain inet dns input"
	expect 'counter packets 6 .* drop' 'dropped: all 6'
	expect 'counter packets 1 .* accept' 'accepted: one answer'
}

iptables="$client iptables"
cd "$work" || exit 1
prepare
query IPv4 192.0.2.53 40001 A ipv4 192.0.2.1 198.51.100.80
begin_stream
query IPv6 2001:db8::53 40002 AAAA ipv6 2001:db8::1 2001:db8:80::80
stream
change_timeout
bad_value
counters
expiry
show "$client sysctl -w net.netfilter.udptrack_timeout=30"
install_match
install_rules
attack
nft_form

step 'unload'
kill -KILL "$resolver_pid" && wait "$resolver_pid" 2>/dev/null
resolver_pid=''
show 'rmmod xt_udptrack udptrack'
printf '\nAll %d steps did what they say, in %d s.\n' "$step" "$((SECONDS - begin))"
