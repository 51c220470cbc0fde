#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Comings and goings under traffic: of the module, of network namespaces, of
# the module while its files are read and written. No packet is lost by it, no
# flow stays in memory, and the kernel has nothing to report.

# shellcheck disable=SC2317 # functions called by name

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

loads=50 readings=10 namespaces=200 at_once=20 gap=100 hub_gap=2000
# An emulated debug kernel takes a quarter of a minute for each load, two seconds
# for each namespace, and a hundredth of one for each packet and receiver.
[ "$UDPTRACK_KERNEL" = debug ] && loads=4 readings=2 namespaces=20 gap=10000 hub_gap=200000
slab=/sys/kernel/slab/udptrack_flow
work=$(mktemp -d)
trap 'rm -rf "$work"; at_exit' EXIT
plan 13

# stop PID: end what we started in the background, and wait for it
stop() {
	kill "$1"
	wait "$1"
}

# all_arrived FILE: a flood's last line says that nothing was lost
all_arrived() {
	local line
	line=$(tail -n 1 "$1")
	[[ $line =~ ^sent=([0-9]+)\ failed=0\ received=([0-9]+) ]] || return
	[ "${BASH_REMATCH[1]}" -gt 500 ] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

# --- the module comes and goes

load_udptrack	# and what it depends on, which stays
unload_udptrack
new_netns traffic
for family in 127.0.0.1 ::1; do
	background nsenter --net=/run/netns/traffic "$BIN/flood" -s $family -d $family -S 500 -R -t 580 -g $gap \
		>"$work/sent.$family"
	floods+=("$BACKGROUND")
done
came=0 went=0 tracked=0
for ((i = 0; i < loads; i++)); do
	insmod "$KO" && came=$((came + 1))
	wait_until 10 in_ns traffic grep -q . /proc/net/udptrack && tracked=$((tracked + 1))
	rmmod udptrack && went=$((went + 1))
done
is "$came $went" "$loads $loads" 'the module comes and goes under traffic'
is "$tracked" "$loads" 'there are flows every time'
ok 'no slab is left' [ ! -e $slab ]

# --- it goes while its files are in use

# For the time of the test or until told: readers and writers.
# shellcheck disable=SC2016
background nsenter --net=/run/netns/traffic bash -c 'while [ ! -e "$0/stop" ] && [ $SECONDS -lt 500 ]; do
		cat /proc/net/udptrack /proc/net/stat/udptrack
	done >/dev/null 2>&1' "$work"
readers+=("$BACKGROUND")
# shellcheck disable=SC2016
background nsenter --net=/run/netns/traffic bash -c 'cd /proc/sys/net/netfilter
	while [ ! -e "$0/stop" ] && [ $SECONDS -lt 500 ]; do
		# Only where it is: no file is made here when it is not.
		for setting in timeout=30 timeout=0 max=500 max=1000 exempt_ports=7-8 exempt_ports=x acct=1; do
			[ -e udptrack_timeout ] && echo "${setting#*=}" >"udptrack_${setting%=*}"
		done
		read -r value <udptrack_count
		read -r value <udptrack_exempt_ports
	done 2>/dev/null' "$work"
readers+=("$BACKGROUND")

went=0 held=0 ended=0
for ((i = 0; i < readings; i++)); do
	insmod "$KO"
	wait_until 10 in_ns traffic grep -q . /proc/net/udptrack
	# A reader in the middle of the list, here too.
	# shellcheck disable=SC2016
	exec {slow}< <(in_ns traffic bash -c 'exec 3</proc/net/udptrack
		read -r -u 3 line && echo "${line%% *}"
		while [ -e /sys/module/udptrack ]; do sleep 0.05; done
		cat <&3 2>&1 | tail -n 1')
	read -r -t 60 -u "$slow" first
	[ "$first" = ipv4 ] || [ "$first" = ipv6 ] && held=$((held + 1))
	rmmod udptrack && went=$((went + 1))
	read -r -t 60 -u "$slow" rest
	[[ $rest == *'Input/output error'* ]] && ended=$((ended + 1))
	exec {slow}<&-
done
touch "$work/stop"
for pid in "${readers[@]}"; do wait "$pid"; done
is "$went" "$readings" 'the module goes while its files are read and written'
is "$held" "$readings" 'also while one is open in the middle'
is "$ended" "$readings" 'which then ends with an error'
for pid in "${floods[@]}"; do stop "$pid"; done
for family in 127.0.0.1 ::1; do
	ok "$family: every packet has arrived" all_arrived "$work/sent.$family"
	diag "$(tail -n 1 "$work/sent.$family")"
done
ip netns del traffic

# --- network namespaces come and go

# All of them on a bridge, where packets for everybody meet them as they go.
# That needs no addresses there, which would take time to set.
load_udptrack
new_netns hub
ip -n hub link add bridge type bridge
ip -n hub link set bridge up
ip -n hub addr add 2001:db8::1/64 dev bridge nodad
in_ns hub sysctl -qw net.ipv6.conf.default.disable_ipv6=1
background nsenter --net=/run/netns/hub "$BIN/flood" -s 2001:db8::1 -d ff02::1 -S 200 -D 100 -t 580 -g $hub_gap >/dev/null
flood=$BACKGROUND

no_veth() { [ -z "$(ip -n hub link show type veth)" ]; }
made=0 met=0 gone=0
for ((round = 0; round < namespaces / at_once; round++)); do
	for ((i = 0; i < at_once; i++)); do
		echo "netns add n$i"
	done | ip -batch -
	for ((i = 0; i < at_once; i++)); do
		# An end can only be up once the other is there.
		echo "link add v$i master bridge up type veth peer name p$i"
		echo "link set p$i netns n$i up"
	done | ip -n hub -batch - && made=$((made + at_once))
	for i in 0 $((at_once - 1)); do
		wait_until 10 in_ns n$i grep -q 'src=2001:db8::1 dst=ff02::1' /proc/net/udptrack && met=$((met + 1))
	done
	for ((i = 0; i < at_once; i++)); do
		echo "netns del n$i"
	done | ip -batch -
	wait_until 30 no_veth && gone=$((gone + at_once))
done
is "$made $gone" "$namespaces $namespaces" 'network namespaces come and go under traffic'
is "$met" $((2 * namespaces / at_once)) 'there are flows in them'
like "$(in_ns hub grep -c dst=ff02::1 /proc/net/udptrack)" '^[1-9]' 'and where the traffic comes from'
stop "$flood"
ip netns del hub
ok 'the module goes' unload_udptrack
ok 'no slab is left' [ ! -e $slab ]

done_testing
