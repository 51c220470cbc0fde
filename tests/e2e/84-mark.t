#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The state in the packet's mark: the right number in the bits of the mask and
# in no other, in both directions and families; read by nftables, by tc, and by
# ip rule, which routes by it; per namespace, and nowhere where no mask is set.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

load_udptrack require_listener=0
two_netns
gen_start

states=(- NEW ESTABLISHED RELATED INVALID UNTRACKED)
# nft counters for each state, named out1 in1 ..., and others for foreign bits.
ruleset() {
	local mask=$1 shift=$2 hook n
	echo 'table inet watch {'
	for hook in out in; do
		for n in 0 1 2 3 4 5 other; do
			echo "counter $hook$n { }"
		done
		echo "chain $hook { type filter hook ${hook}put priority 0;"
		# What IGMP and MLD send has its tailroom where other packets have the mark.
		echo 'meta l4proto 2 accept'
		echo 'icmpv6 type { 130, 131, 132, 143 } accept'
		for n in 0 1 2 3 4 5; do
			echo "meta mark & $mask == $((n << shift)) counter name $hook$n"
		done
		echo "meta l4proto udp meta mark & $((0xffffffff & ~mask)) != 0 counter name ${hook}other"
		echo '}'
	done
	echo '}'
}

# seen: what the counters say, as "out: NEW=1 ... in: ..."; those that are 0 left out
seen() {
	in_ns c nft list counters | awk -v states="none ${states[*]:1}" '
		$1 == "counter" { name = $2 }
		$1 == "packets" && $2 { found[name] = $2 }
		END {
			n = split(states, state)
			split("out in", hooks)
			for (h = 1; h <= 2; h++) {
				printf "%s: ", hooks[h]
				for (i = 1; i <= n; i++)
					if (found[hooks[h] (i - 1)])
						printf "%s=%d ", state[i], found[hooks[h] (i - 1)]
				if (found[hooks[h] "other"])
					printf "other=%d ", found[hooks[h] "other"]
			}
			print ""
		}'
}

gen_script <<-END
	in s
	udp s4 192.0.2.2 53
	udp s6 2001:db8::2 53
END

# conversation FAMILY CLIENT SERVER PORT: of all states but RELATED
conversation() {
	gen_script <<-END
		in c
		udp q$4.$1 $2 $4
		send q$4.$1 $3 53
		answer s$1
		recv q$4.$1
		send q$4.$1 $3 53
		recv s$1
		in s
		raw $3 53 $2 $4 sum=bad
		raw $3 7 $2 $4
		in c
		send q$4.$1 $3 9
		sleep 100
	END
}

port=4000
for mask in 0x700 0x7 0xe0000000 0xffffffff; do
	shift=0
	while [ $((mask >> shift & 1)) = 0 ]; do shift=$((shift + 1)); done
	in_ns c nft flush ruleset
	ruleset $mask $shift | in_ns c nft -f -
	sysctl_in c udptrack_mark_mask=$mask udptrack_exempt_ports=7
	for family in 4 6; do
		c=192.0.2.1 s=192.0.2.2
		[ $family = 6 ] && c=2001:db8::1 s=2001:db8::2
		in_ns c nft reset counters >/dev/null
		conversation $family $c $s $port
		# Whether neighbours were looked for must not matter.
		is "$(seen | sed 's/none=[0-9]* //g')" \
			'out: NEW=2 ESTABLISHED=1 in: ESTABLISHED=1 RELATED=1 INVALID=1 UNTRACKED=1 ' \
			"IPv$family, mask $mask: the states are in the mark"
	done
	port=$((port + 1))
done

# --- no other bit, and no other packet

# Before the hook every bit is set; after it, those of the mask alone have changed.
in_ns c nft flush ruleset
in_ns c nft -f - <<-'END'
	table inet watch {
		counter sent { }
		counter kept { }
		counter foreign { }
		chain first { type filter hook output priority -160; meta mark set 0xffffffff; }
		chain last { type filter hook output priority 0;
			meta l4proto udp meta mark 0xfffff9ff counter name kept
			meta l4proto tcp meta mark 0xffffffff counter name foreign
			meta l4proto udp counter name sent
		}
	}
END
sysctl_in c udptrack_mark_mask=0x700
gen_script <<-END
	in c
	udp bits 192.0.2.1 4100
	send bits 192.0.2.2 53
	recv s4
END
# NEW is 1: 0x100 of 0x700.
is "$(in_ns c nft list counter inet watch sent | grep -o 'packets [0-9]*')" 'packets 1' 'a packet with all bits set went out'
is "$(in_ns c nft list counter inet watch kept | grep -o 'packets [0-9]*')" 'packets 1' 'only the bits of the mask changed'
in_ns c bash -c 'exec 3<>/dev/tcp/192.0.2.2/9' 2>/dev/null
like "$(in_ns c nft list counter inet watch foreign)" 'packets [1-9]' "TCP's mark is left alone"

# --- ip rule

# Questions that nobody answered yet go another way than the rest.
in_ns c nft flush ruleset
new_netns other
link_netns c eth1 other eth1
ip -n c addr add 198.51.100.1/24 dev eth1
ip -n other addr add 198.51.100.2/24 dev eth1
ip -n c addr add 2001:db8:1::1/64 dev eth1 nodad
ip -n other addr add 2001:db8:1::2/64 dev eth1 nodad
ip -n other addr add 192.0.2.2/32 dev lo
ip -n other addr add 2001:db8::2/128 dev lo nodad
ip -n other route add 192.0.2.1 dev eth1 src 198.51.100.2
wait_until 5 in_ns c ping -6 -c1 -W1 2001:db8:1::2
ip -n c route add default via 198.51.100.2 dev eth1 table 7
ip -n c -6 route add default via 2001:db8:1::2 dev eth1 table 7
in_ns other sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0
gen_script <<-END
	in other
	udp o4 192.0.2.2 53
	udp o6 2001:db8::2 53
END
for family in 4 6; do
	c=192.0.2.1 s=192.0.2.2
	[ $family = 6 ] && c=2001:db8::1 s=2001:db8::2
	gen_script <<-END
		in c
		udp r$family $c 4200
		send r$family $s 53
		answer s$family
		recv r$family
	END
	pass "IPv$family: without a rule, packets go where they always went"
	ip -n c -$family rule add fwmark 0x100/0x700 table 7
	gen_script <<-END
		in c
		send r$family $s 53
		recv s$family
		udp n$family $c 4201
		send n$family $s 53
		recv o$family
	END
	pass "IPv$family: an ESTABLISHED one goes there still, a NEW one by the rule"
	ip -n c -$family rule del fwmark 0x100/0x700 table 7
	# No route by the rule: the packet goes the way it would have gone.
	ip -n c -$family rule add fwmark 0x100/0x700 table 8
	gen_script <<-END
		in c
		udp m$family $c 4202
		send m$family $s 53
		recv s$family
	END
	pass "IPv$family: a rule that leads nowhere leaves packets alone"
	ip -n c -$family rule del fwmark 0x100/0x700 table 8
done

# --- tc

tc -n c qdisc add dev eth0 clsact
tc -n c filter add dev eth0 egress protocol ip pref 1 handle 0x100/0x700 fw action ok
gen_script <<-END
	in c
	udp t 192.0.2.1 4300
	send t 192.0.2.2 53
	answer s4
	recv t
	send t 192.0.2.2 53
	recv s4
END
like "$(tc -n c -s filter show dev eth0 egress)" 'Sent [0-9]+ bytes 1 pkt' 'tc sees the NEW one of two'

# --- where there is no mask, there is no mark

in_ns s nft -f - <<-'END'
	table inet watch {
		counter any { }
		chain in { type filter hook input priority 0; meta mark != 0 counter name any; }
		chain out { type filter hook output priority 0; meta mark != 0 counter name any; }
	}
END
gen_script <<-END
	in c
	send t 192.0.2.2 53
	answer s4
	recv t
END
is "$(in_ns s nft list counter inet watch any | grep -o 'packets [0-9]*')" 'packets 0' "another namespace's packets have no mark"
ruleset 0x700 8 | in_ns c nft -f -
sysctl_in c udptrack_mark_mask=0
gen_script <<-END
	in c
	send t 192.0.2.2 53
	answer s4
	recv t
END
like "$(seen)" '^out: none=[1-9][0-9]* in: none=[1-9][0-9]* $' 'switched off: no more marks'

# Switched on and off under traffic, by two at once.
# shellcheck disable=SC2016
toggle='for i in {1..100}; do echo 0x7 >$0; echo 0 >$0; done 2>&1'
background nsenter --net=/run/netns/c "$BIN/flood" -S 100 -R -t 60 -g 500 >/dev/null
flood=$BACKGROUND
in_ns c bash -c "$toggle" /proc/sys/net/netfilter/udptrack_mark_mask &
first=$!
out=$(in_ns c bash -c "$toggle" /proc/sys/net/netfilter/udptrack_mark_mask)
wait $first
is "$? $out" '0 ' 'switched on and off a hundred times under traffic'
kill "$flood"
wait "$flood"

# A namespace ends with the mask set; so does the module.
sysctl_in c udptrack_mark_mask=0x7
sysctl_in s udptrack_mark_mask=0x70
ip netns del other
ip netns del s
ok 'the module goes with a mask set' unload_udptrack
load_udptrack mark_mask=0x38
new_netns fresh
is "$(in_ns fresh cat /proc/sys/net/netfilter/udptrack_mark_mask)" 0x38 'the parameter is the default of a new namespace'
in_ns fresh nft -f - <<-'END'
	table inet watch {
		counter new { }
		chain out { type filter hook output priority 0; meta mark & 0x38 == 0x8 counter name new; }
	}
END
in_ns fresh "$BIN/flood" -S 10 >/dev/null
like "$(in_ns fresh nft list counter inet watch new)" 'packets [1-9]' 'and its packets are marked'

done_testing
