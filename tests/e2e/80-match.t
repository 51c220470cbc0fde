#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The match as iptables and ip6tables know it, legacy and nft: help, what is
# taken and what is refused, saving and restoring, showing, translating; where
# it may stand; what it matches; and that neither module goes while a rule is
# there, nor a namespace leaves anything behind.

# shellcheck disable=SC2086 # rules and options are words

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

load_udptrack
load_module xt_udptrack || bail_out 'xt_udptrack does not load'
two_netns
gen_start

tools=(iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft)
syntax=("${tools[@]}") translate=(iptables-translate ip6tables-translate)
# Starting a program takes seconds there; the others have tried them all.
[ "$UDPTRACK_KERNEL" = debug ] && tools=(iptables-legacy ip6tables-nft) syntax=() translate=()

# rules COMMAND: the rules of the filter table, without counters and comments
rules() { in_ns c "$1-save" -t filter 2>/dev/null | grep '^-A'; }

for tool in "${syntax[@]}"; do
	like "$(in_ns c $tool -m udptrack --help)" 'udptrack match options.*state' "$tool: help"

	# What is taken is saved as it was written, in the order of the numbers.
	while IFS='|' read -r given saved; do
		ok "$tool: $given" in_ns c $tool -A INPUT $given
		is "$(rules $tool)" "-A INPUT ${saved:-$given}" "$tool: $given: is saved"
		before=$(rules $tool)
		in_ns c $tool-save -t filter 2>/dev/null | in_ns c $tool-restore
		is "$?, $(rules $tool)" "0, $before" "$tool: $given: is restored"
		ok "$tool: $given: is deleted by its words" in_ns c $tool -D INPUT $given
	done <<-'END'
		-p udp -m udptrack --state NEW,ESTABLISHED|
		-m udptrack --state new,Related|-m udptrack --state NEW,RELATED
		-m udptrack ! --state UNTRACKED,INVALID|-m udptrack ! --state INVALID,UNTRACKED
	END

	# What is not taken is said in words.
	while IFS='|' read -r given words; do
		said=$(in_ns c $tool -A INPUT $given 2>&1)
		isnt $? 0 "$tool: '$given' is refused"
		like "$said" "$words" "$tool: '$given': says why"
	done <<-'END'
		-m udptrack|--state
		-m udptrack --state|argument
		-m udptrack --state OPEN|"OPEN" is not a state
		-m udptrack --state NEW,|"" is not a state
		-m udptrack --state NEW --state INVALID|
		-m udptrack --states NEW|
	END

	# Only where the host's own packets are: also by way of other chains.
	in_ns c $tool -N mine
	in_ns c $tool -A mine -m udptrack --state NEW
	ok "$tool: in a chain that INPUT calls" in_ns c $tool -A INPUT -j mine
	log_mark
	not_ok "$tool: not in FORWARD" in_ns c $tool -A FORWARD -m udptrack --state NEW
	like "$(log_since_mark)" 'udptrack match: used from hooks FORWARD, but only valid from INPUT/OUTPUT' \
		"$tool: the log says why"
	not_ok "$tool: not in a chain that FORWARD calls" in_ns c $tool -A FORWARD -j mine
	not_ok "$tool: not in PREROUTING" in_ns c $tool -t mangle -A PREROUTING -m udptrack --state NEW
	not_ok "$tool: not in POSTROUTING" in_ns c $tool -t mangle -A POSTROUTING -m udptrack --state NEW
	ok "$tool: in the security table" in_ns c $tool -t security -A OUTPUT -m udptrack --state NEW
	in_ns c $tool -t security -F
	in_ns c $tool -F
	in_ns c $tool -X mine
done

# --- in nftables' words

for tool in "${translate[@]}"; do
	sysctl_in c udptrack_mark_mask=0
	like "$(in_ns c $tool -A INPUT -m udptrack --state NEW -j DROP)" '^nft # ' \
		"$tool: nothing where no mark carries the state"
	sysctl_in c udptrack_mark_mask=0x700
	while IFS='|' read -r given words; do
		said=$(in_ns c $tool -A INPUT $given -j DROP)
		like "$said" "meta mark & 0x700 \{ $words \} counter drop" "$tool: $given"
		rule=${said#"nft '"}
		rule=${rule%"'"}
		[[ $said =~ (ip6?) ]] && family=${BASH_REMATCH[1]}
		in_ns c nft "add table $family filter; add chain $family filter INPUT"
		ok "$tool: $given: nft takes it" in_ns c nft "$rule"
		in_ns c nft flush ruleset
	done <<-'END'
		-m udptrack --state NEW,ESTABLISHED|0x100, 0x200
		-m udptrack --state RELATED,INVALID,UNTRACKED|0x300, 0x400, 0x500
		-m udptrack ! --state NEW,INVALID|0x200, 0x300, 0x500
	END
done
sysctl_in c udptrack_mark_mask=0

# --- what it matches

# count TOOL CHAIN...: packets that each rule of the chains has seen, in their order
count() {
	local tool=$1 chain
	shift
	for chain; do
		in_ns c "$tool" -L "$chain" -v -n -x 2>/dev/null | awk '/udptrack/ { printf "%s ", $1 }'
	done
}

# insert NS TOOL: the rules on its input into the filter table
insert() { in_ns "$1" "$2-restore" --noflush < <(echo '*filter'; cat; echo COMMIT); }

gen_script <<-END
	in s
	udp s4 192.0.2.2 53
	udp s6 2001:db8::2 53
END
for tool in "${tools[@]}"; do
	case $tool in
	ip6*) c=2001:db8::1 s=2001:db8::2 n=6 none=ipv6-icmp ;;
	*) c=192.0.2.1 s=192.0.2.2 n=4 none=icmp ;;
	esac
	for chain in OUTPUT INPUT; do
		for state in NEW ESTABLISHED RELATED INVALID UNTRACKED; do
			echo "-A $chain -p udp -m udptrack --state $state"
		done
		echo "-A $chain -p udp -m udptrack ! --state NEW"
		echo "-A $chain -p udp -m udptrack --state ESTABLISHED,INVALID"
		# TCP and pings have no state, and not the others' either.
		echo "-A $chain ! -p udp -m udptrack --state NEW,ESTABLISHED,RELATED,INVALID,UNTRACKED"
		echo "-A $chain ! -p udp -m udptrack ! --state NEW"
	done | insert c $tool
	like "$(in_ns c $tool -L OUTPUT -v -n 2>/dev/null)" 'udptrack ! state NEW' "$tool: -L -v"
	gen_script <<-END
		in c
		udp q$tool $c 4000
		send q$tool $s 53
		send q$tool $s 53
	END
	is "$(count $tool OUTPUT INPUT)" '2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 ' "$tool: two questions are NEW"
	gen_script <<-END
		answer s$n 2
		recv q$tool 2
		send q$tool $s 53
		recv s$n
	END
	is "$(count $tool OUTPUT INPUT)" '2 1 0 0 0 1 1 0 0 0 2 0 0 0 2 2 0 0 ' \
		"$tool: answers are ESTABLISHED, so is the next question"
	gen_script <<-END
		in s
		raw $s 53 $c 4000 sum=bad
		raw $s 53 $c 4000 ulen=1000
		sleep 50
	END
	is "$(count $tool OUTPUT INPUT)" '2 1 0 0 0 1 1 0 0 0 2 0 2 0 4 4 0 0 ' "$tool: broken ones are INVALID"
	sysctl_in c udptrack_exempt_ports=53
	gen_script <<-END
		in c
		send q$tool $s 53
		answer s$n
		recv q$tool
	END
	is "$(count $tool OUTPUT INPUT)" '2 1 0 0 1 2 1 0 0 0 2 0 2 1 5 4 0 0 ' "$tool: an exempt port is UNTRACKED"
	in_ns c bash -c 'echo >/proc/sys/net/netfilter/udptrack_exempt_ports'
	in_ns c ping -c1 -W2 $s >/dev/null
	in_ns c bash -c "exec 3<>/dev/tcp/$s/9" 2>/dev/null
	is "$(count $tool OUTPUT INPUT)" '2 1 0 0 1 2 1 0 0 0 2 0 2 1 5 4 0 0 ' "$tool: a ping and TCP ($none) match nothing"
	in_ns c $tool -F
	gen "close q$tool"
	# For the next, whose flow is the same.
	sysctl_in c udptrack_timeout=1 udptrack_timeout_stream=1
	gen_script <<-END
		in c
		udp x $c 4000
		send x $s 53
		recv s$n
		sleep 1100
		close x
	END
	sysctl_in c udptrack_timeout=30 udptrack_timeout_stream=120
done

# --- loopback

printf -- '-A INPUT -i lo -p udp -m udptrack --state %s\n' NEW ESTABLISHED UNTRACKED INVALID | insert c iptables-legacy
gen_script <<-END
	in c
	udp a 127.0.0.1 6000
	udp b 127.0.0.1 6001
	send a 127.0.0.1 6001
	sleep 50
END
is "$(count iptables-legacy INPUT)" '1 0 0 0 ' 'loopback: a question comes in as NEW as it went out'
gen 'answer b' 'recv a'
is "$(count iptables-legacy INPUT)" '1 1 0 0 ' 'loopback: the answer is ESTABLISHED'
gen 'udp self 127.0.0.1 6002' 'send self 127.0.0.1 6002' 'recv self'
is "$(count iptables-legacy INPUT)" '2 1 0 0 ' 'loopback: what a socket sends itself first is NEW'
gen 'send self 127.0.0.1 6002' 'recv self'
is "$(count iptables-legacy INPUT)" '2 2 0 0 ' 'loopback: and then ESTABLISHED'
gen 'raw 127.0.0.1 6003 127.0.0.1 6001 sum=bad' 'sleep 50'
is "$(count iptables-legacy INPUT)" '3 2 0 0 ' 'loopback: our own checksums are not looked at'
sysctl_in c udptrack_loopback=0
gen 'send a 127.0.0.1 6001' 'recv b'
is "$(count iptables-legacy INPUT)" '3 2 1 0 ' 'loopback switched off: UNTRACKED'
sysctl_in c udptrack_loopback=1
in_ns c iptables-legacy -F

# --- who holds what

in_ns c iptables-legacy -A INPUT -m udptrack --state NEW
in_ns c ip6tables-nft -A INPUT -m udptrack --state NEW
not_ok 'the tracker stays while the match is there' rmmod udptrack
not_ok 'the match stays while a rule is there' rmmod xt_udptrack
in_ns c iptables-legacy -F
not_ok 'also for one of nftables' rmmod xt_udptrack
in_ns c ip6tables-nft -F
wait_until 5 rmmod xt_udptrack
is $? 0 'it goes when the last rule has gone'
load_module xt_udptrack

# Namespaces end with their rules in place and packets on their way.
for i in 1 2 3; do
	new_netns x$i
	for tool in "${tools[@]}"; do
		printf -- '-A %s\n' 'INPUT -p udp -m udptrack --state NEW' 'OUTPUT -m udptrack ! --state NEW,RELATED' |
			insert x$i $tool
	done
	in_ns x$i sysctl -qw net.netfilter.udptrack_mark_mask=0x700
	background nsenter --net=/run/netns/x$i "$BIN/flood" -S 100 -R -t 300 -g 500 >/dev/null
	floods[i]=$BACKGROUND
done
sleep 1
for i in 1 2 3; do
	ip netns del x$i
done
for i in 1 2 3; do
	kill "${floods[i]}"
	wait "${floods[i]}"
done
wait_until 20 rmmod xt_udptrack
is $? 0 'a namespace that ends lets go of the match'

done_testing
