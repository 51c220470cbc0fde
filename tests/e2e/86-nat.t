#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Replies are ESTABLISHED, and first packets NEW, also where nf_conntrack's NAT
# gives a flow other addresses on its way: DNAT and REDIRECT in OUTPUT, SNAT and
# MASQUERADE in POSTROUTING, to other hosts and to this one; and in a VRF. Every
# other state stays at zero, and so do ICMP errors but as RELATED.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

load_udptrack
load_module xt_udptrack || bail_out 'xt_udptrack does not load'
two_netns
ip -n c addr add 192.0.2.11/24 dev eth0
ip -n c addr add 2001:db8::11/64 dev eth0 nodad
gen_start
gen_script <<-END
	in s
	udp s4 192.0.2.2 5353
	udp s6 2001:db8::2 5353
	in c
	udp own4 192.0.2.1 5353
	udp own6 2001:db8::1 5353
	udp lo4 127.0.0.1 5353
	udp lo6 ::1 5353
END

tables() { if [ "$1" = 4 ]; then echo iptables-legacy; else echo ip6tables-legacy; fi; }
for family in 4 6; do
	{
		echo '*filter'
		for chain in OUTPUT INPUT; do
			printf -- "-A $chain -m udptrack --state %s\n" NEW ESTABLISHED RELATED INVALID UNTRACKED
		done
		echo COMMIT
	} | in_ns c "$(tables $family)-restore" --noflush
done

# seen FAMILY: packets in each state, out and in; the counters begin anew
seen() {
	in_ns c "$(tables "$1")" -nvxL -Z | awk '
		/^Chain/ { chain = $2 }
		/udptrack/ { seen[chain] = seen[chain] $1 " " }
		END { printf "%s%s", seen["OUTPUT"], seen["INPUT"] }'
}

port=4000
# talk FAMILY TO PORT SERVER: ask there, where SERVER takes it, be answered, go on
talk() {
	port=$((port + 1))
	gen_script <<-END
		in c
		udp q$port ${CLIENT:-$([ "$1" = 4 ] && echo 0.0.0.0 || echo ::)} $port
		send q$port $2 $3
		answer $4
		recv q$port
		send q$port $2 $3
		recv $4
	END
}

# nat FAMILY RULE...: a rule of the nat table
nat() {
	local family=$1
	shift
	in_ns c "$(tables "$family")" -t nat -F
	in_ns c "$(tables "$family")" -t nat -A "$@"
}

for family in 4 6; do
	# An emulated debug kernel takes minutes for each; the others try both.
	[ "$UDPTRACK_KERNEL-$family" != debug-4 ] || continue
	if [ $family = 4 ]; then
		s=192.0.2.2 c=192.0.2.1 far=198.51.100.53 lo=127.0.0.1 other=192.0.2.11
		ip -n c route add default via $s
	else
		s=2001:db8::2 c=2001:db8::1 far=2001:db8:f::53 lo=::1 other=2001:db8::11
		ip -n c -6 route add default via $s
	fi
	bracket=$s
	[ $family = 6 ] && bracket="[$s]"
	seen $family >/dev/null
	away='1 1 0 0 0 0 1 0 0 0 '
	# What stays here comes in as it went out.
	here='1 2 0 0 0 1 2 0 0 0 '

	talk $family $s 5353 s$family
	is "$(seen $family)" "$away" "IPv$family: without NAT"
	nat $family OUTPUT -p udp --dport 53 -j DNAT --to-destination "$bracket:5353"
	talk $family $far 53 s$family
	is "$(seen $family)" "$away" "IPv$family: DNAT to another host"
	nat $family OUTPUT -p udp --dport 53 -j REDIRECT --to-ports 5353
	talk $family $far 53 lo$family
	is "$(seen $family)" "$here" "IPv$family: REDIRECT to a local resolver"
	nat $family OUTPUT -p udp --dport 53 -j DNAT --to-destination "${bracket/$s/$c}:5353"
	talk $family $far 53 own$family
	is "$(seen $family)" "$here" "IPv$family: DNAT to an address of this host"
	nat $family POSTROUTING -p udp -j SNAT --to-source $other
	talk $family $s 5353 s$family
	is "$(seen $family)" "$away" "IPv$family: SNAT"
	nat $family POSTROUTING -p udp -j MASQUERADE --to-ports 30000-31000
	talk $family $s 5353 s$family
	is "$(seen $family)" "$away" "IPv$family: MASQUERADE to other ports"
	nat $family POSTROUTING -o lo -p udp --sport 4000:4999 -j SNAT --to-source $other
	CLIENT=$lo talk $family $lo 5353 lo$family
	is "$(seen $family)" "$here" "IPv$family: SNAT of what stays on loopback"
	nat $family OUTPUT -p udp --dport 53 -j DNAT --to-destination "$bracket:5353"
	in_ns c "$(tables $family)" -t nat -A POSTROUTING -p udp -j SNAT --to-source $other
	talk $family $far 53 s$family
	is "$(seen $family)" "$away" "IPv$family: DNAT and SNAT at once"

	# An error about a translated packet comes back to its sender translated.
	nat $family OUTPUT -p udp --dport 54 -j DNAT --to-destination "$bracket:54"
	in_ns c "$(tables $family)" -t nat -A POSTROUTING -p udp -j SNAT --to-source $other
	gen_script <<-END
		in c
		udp e$family $([ $family = 4 ] && echo 0.0.0.0 || echo ::) 4999 to=$far,54
		send e$family - -
		refused e$family
	END
	is "$(seen $family)" '1 0 0 0 0 0 0 1 0 0 ' "IPv$family: an error about a packet with both"
	in_ns c "$(tables $family)" -t nat -F
done

# --- VRF

ip -n c link add red type vrf table 10
ip -n c link set red up
new_netns v
link_netns c eth1 v eth1
ip -n c link set eth1 master red
ip -n c addr add 203.0.113.1/24 dev eth1
ip -n c addr add 2001:db8:5::1/64 dev eth1 nodad
ip -n v addr add 203.0.113.2/24 dev eth1
ip -n v addr add 2001:db8:5::2/64 dev eth1 nodad
wait_until 5 in_ns v ping -6 -c1 -W1 2001:db8:5::1
gen_script <<-END
	in v
	udp v4 203.0.113.2 5353
	udp v6 2001:db8:5::2 5353
END
for family in 4 6; do
	s=203.0.113.2 c=203.0.113.1
	[ $family = 6 ] && s=2001:db8:5::2 c=2001:db8:5::1
	seen $family >/dev/null
	gen_script <<-END
		in c
		udp r$family $c 4500 dev=red
		send r$family $s 5353
		answer v$family
		recv r$family
		send r$family $s 5353
		recv v$family
	END
	# Rules meet a packet twice on its way out: the VRF, then the interface.
	is "$(seen $family)" '2 2 0 0 0 0 1 0 0 0 ' "IPv$family: VRF"
	gen_script <<-END
		in v
		udp in$family $s 4501
		send in$family $c 4500
		in c
		answer r$family
		in v
		recv in$family
	END
	is "$(seen $family)" '0 2 0 0 0 1 0 0 0 0 ' "IPv$family: VRF, asked from outside"
done

done_testing
