#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the demonstration that `make run` shows in the virtual machine: a real
# resolver in one network namespace, a real dig in another, and what udptrack
# makes of their packets.  Every command is printed as a user would type it.
# Ends with status 0 when every step did what it says, else names the step.
#
#   UDPTRACK_BUILD=<directory with udptrack.ko> scripts/demo.sh

set -uo pipefail

ko=${UDPTRACK_BUILD:?}/udptrack.ko
work=$(mktemp -d)
step=0 title='' resolver_pid=''
begin=$SECONDS

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

client='ip netns exec client'
table="$client cat /proc/net/udptrack"

# flow PATTERN: the table's lines about a flow
flow() { show "$table | grep -E '$1'"; }

prepare() {
	step 'load the module, with parameters'
	show "insmod ${ko} timeout=30 max=100000"
	show 'sysctl net.netfilter.udptrack_timeout net.netfilter.udptrack_timeout_stream net.netfilter.udptrack_max'
	expect 'udptrack_timeout = 30' 'the parameters are the defaults of every network namespace'

	step 'two hosts: network namespaces "client" and "resolver", joined by a cable'
	local net
	for net in client resolver; do
		ip netns add "$net" || fail 'no network namespace'
		ip -n "$net" link set lo up
	done
	ip link add eth0 netns client type veth peer name eth0 netns resolver || fail 'no cable'
	ip -n client addr add 192.0.2.1/24 dev eth0
	ip -n client addr add 2001:db8::1/64 dev eth0 nodad
	ip -n resolver addr add 192.0.2.53/24 dev eth0
	ip -n resolver addr add 2001:db8::53/64 dev eth0 nodad
	ip -n client link set eth0 up
	ip -n resolver link set eth0 up
	show "$client ip -brief address show dev eth0"

	cat >"$work/unbound.conf" <<-EOF
		server:
		  interface: 192.0.2.53
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
	ip netns exec resolver unbound -c "$work/unbound.conf" &
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
	$dig >"$work/answer" 2>&1 &
	local dig_pid=$! i
	for ((i = 0; i < 100; i++)); do
		$table | grep -q "sport=$3 " && break
		sleep 0.1
	done
	flow "sport=$3 dport=53 "
	expect "^$5 .* NEW src=$6 dst=$2 .*\[UNREPLIED\]" 'one packet out, none back: NEW, [UNREPLIED]'

	step "$1: the answer makes it ESTABLISHED"
	show "kill -CONT $resolver_pid"
	wait "$dig_pid" || fail 'dig got no answer'
	out=$(cat "$work/answer")
	printf '%s\n' "$out"
	expect "^$7\$" "dig has its answer"
	flow "sport=$3 dport=53 "
	expect ' ESTABLISHED .*packets=1 .* packets=1 ' 'one packet each way: ESTABLISHED'
}

stream() {
	step 'two-way for longer than 2 s: ASSURED, and kept 120 s'
	sleep 2.2
	show "$client dig @192.0.2.53 -b 192.0.2.1#40001 www.example.test +short +tries=1"
	flow 'sport=40001 '
	expect '\[ASSURED\]' 'no longer a question and its answer, but a stream'
	[ "$(left)" -gt 100 ] || fail "only $(left) s left"
}

change_timeout() {
	step 'a shorter timeout, in this namespace alone'
	show "$client sysctl -w net.netfilter.udptrack_timeout=15"
	show "$client dig @192.0.2.53 -b 192.0.2.1#40003 www.example.test +short +tries=1"
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
	show "$client sysctl -w net.netfilter.udptrack_timeout=4"
	show "$client dig @192.0.2.53 -b 192.0.2.1#40004 www.example.test +short +tries=1"
	flow 'sport=40004 '
	show 'sleep 4.1'
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

prepare
query IPv4 192.0.2.53 40001 A ipv4 192.0.2.1 198.51.100.80
query IPv6 2001:db8::53 40002 AAAA ipv6 2001:db8::1 2001:db8:80::80
stream
change_timeout
bad_value
counters
expiry

step 'unload'
kill -KILL "$resolver_pid" && wait "$resolver_pid" 2>/dev/null
resolver_pid=''
show 'rmmod udptrack'
printf '\nAll %d steps did what they say, in %d s.\n' "$step" "$((SECONDS - begin))"
