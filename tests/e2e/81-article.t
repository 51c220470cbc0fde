#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rule sets that articles about stateful DNS filtering print, with "-m state"
# replaced by "-m udptrack": the pair of rules, the chain with "recent", the
# rate-limited pair; with iptables and ip6tables, legacy and nft, and as nftables
# rules that read the mark. A real dig gets its answers from a real resolver
# through each of them; what an attacker sends is dropped, to the packet.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/unbound.sh
. "$(dirname "$0")/unbound.sh"

MASK=0x700

### The rule sets, as iptables-restore reads them. The policies are DROP.

# These are called by name.
# shellcheck disable=SC2317
{
# As printed, but for the name of the match.
iptables_pair() {
	cat <<-END
	-A OUTPUT -p udp --sport 1024:65535 --dport 53 -m udptrack --state NEW,ESTABLISHED -j ACCEPT
	-A INPUT -p udp --sport 53 --dport 1024:65535 -m udptrack --state ESTABLISHED -j ACCEPT
	END
}

# As printed, but for the name of the match.
iptables_hashlimit() {
	cat <<-END
	-A OUTPUT -p udp --sport 1024:65535 --dport 53 -m udptrack --state NEW,ESTABLISHED \
		-m hashlimit --hashlimit-name dnsout --hashlimit 5/second --hashlimit-burst 10 -j ACCEPT
	-A INPUT -p udp --sport 53 --dport 1024:65535 -m udptrack --state ESTABLISHED \
		-m hashlimit --hashlimit-name dnsin --hashlimit 5/second --hashlimit-burst 10 -j ACCEPT
	END
}

# Printed is this, which lets no answer in:
#
#	-N DNS_FILTER
#	-A DNS_FILTER -p udp --dport 53 -m recent --set --name dnsquery
#	-A DNS_FILTER -p udp --sport 53 -m recent --rcheck --seconds 5 --name dnsquery -j ACCEPT
#	-A OUTPUT -p udp -j DNS_FILTER
#
# Four changes make it do what it is meant to:
#  1. INPUT jumps to the chain as well, else it never sees an answer.
#  2. That jump is for ESTABLISHED alone. "recent" knows addresses, but neither
#     ports nor directions: without the state, whoever was asked may send to
#     every port for 5 seconds, and a query from outside enters its own sender.
#  3. --rdest: what is to be remembered is whom we ask. Without it "recent" takes
#     the source, which on the way out is this host.
#  4. -j ACCEPT on the first rule: without a target it remembers the query, and
#     then the policy drops it.
iptables_recent() {
	cat <<-END
	-N DNS_FILTER
	-A DNS_FILTER -p udp --dport 53 -m recent --set --rdest --name dnsquery -j ACCEPT
	-A DNS_FILTER -p udp --sport 53 -m recent --rcheck --seconds 5 --name dnsquery -j ACCEPT
	-A OUTPUT -p udp -j DNS_FILTER
	-A INPUT -p udp --sport 53 --dport 1024:65535 -m udptrack --state ESTABLISHED -j DNS_FILTER
	END
}

# The same for nftables: 0x100 is NEW and 0x200 ESTABLISHED in the mark.
nft_pair_output() {
	echo "udp sport 1024-65535 udp dport 53 meta mark & $MASK { 0x100, 0x200 } counter accept"
}
nft_pair_input() {
	echo "udp sport 53 udp dport 1024-65535 meta mark & $MASK == 0x200 counter accept"
}
nft_hashlimit_output() {
	echo "udp sport 1024-65535 udp dport 53 meta mark & $MASK { 0x100, 0x200 }" \
		"limit rate 5/second burst 10 packets counter accept"
}
nft_hashlimit_input() {
	echo "udp sport 53 udp dport 1024-65535 meta mark & $MASK == 0x200" \
		"limit rate 5/second burst 10 packets counter accept"
}
nft_recent_sets() {
	echo 'set asked4 { type ipv4_addr; flags dynamic, timeout; timeout 5s; }'
	echo 'set asked6 { type ipv6_addr; flags dynamic, timeout; timeout 5s; }'
}
nft_recent_output() {
	echo 'udp dport 53 update @asked4 { ip daddr } counter accept'
	echo 'udp dport 53 update @asked6 { ip6 daddr } counter accept'
}
nft_recent_input() {
	local udp="udp sport 53 udp dport 1024-65535 meta mark & $MASK == 0x200"
	echo "$udp ip saddr @asked4 counter accept"
	echo "$udp ip6 saddr @asked6 counter accept"
}
}

### What stands around them: IPv6 needs to find its neighbours, what an attacker
# sends is counted by the port that it goes to, and what is left over is dropped.

# install_iptables FAMILY: $tool's rules for the rule set $set
install_iptables() {
	# shellcheck disable=SC2046 # a word a port
	{
		printf '%s\n' '*filter' ':INPUT DROP' ':FORWARD DROP' ':OUTPUT DROP'
		if [ "$1" = 6 ]; then
			printf -- '-A %s -p icmpv6 --icmpv6-type %s -j ACCEPT\n' \
				INPUT neighbour-solicitation INPUT neighbour-advertisement \
				OUTPUT neighbour-solicitation OUTPUT neighbour-advertisement
		fi
		"iptables_$set"
		printf -- '-A INPUT -p udp --dport %d\n' 53 $(seq $((base + 1)) $((base + KINDS)))
		printf '%s\n' '-A INPUT -p udp -j DROP' '-A OUTPUT -p udp -j DROP' COMMIT
	} | in_ns c "$(program "$1")-restore"
}

install_nft() {
	# shellcheck disable=SC2046 # a word a port
	{
		echo 'table inet dns {'
		[ $set != recent ] || nft_recent_sets
		echo 'chain output { type filter hook output priority filter; policy drop;'
		echo 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'
		"nft_${set}_output"
		echo 'meta l4proto udp counter drop; }'
		echo 'chain input { type filter hook input priority filter; policy drop;'
		echo 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'
		"nft_${set}_input"
		printf 'udp dport %d counter\n' 53 $(seq $((base + 1)) $((base + KINDS)))
		echo 'meta l4proto udp counter drop; }'
		echo '}'
	} | in_ns c nft -f -
}

# program FAMILY: "iptables-legacy" is "ip6tables-legacy" for IPv6
program() { [ "$1" = 6 ] && echo "ip6${tool#ip}" || echo "$tool"; }

install_rules() {
	case $tool in
	nft) install_nft ;;
	*) install_iptables 4 && install_iptables 6 ;;
	esac || bail_out "no rules: $case"
}

remove_rules() {
	if [ "$tool" = iptables-legacy ]; then
		local program
		for program in iptables-legacy-restore ip6tables-legacy-restore; do
			printf '%s\n' '*filter' ':INPUT ACCEPT' ':FORWARD ACCEPT' ':OUTPUT ACCEPT' COMMIT |
				in_ns c $program
		done
	else
		in_ns c nft flush ruleset
	fi
}

# rules FAMILY: "PACKETS CHAIN RULE" for each rule that counts, whatever the tool
rules() {
	if [ "$tool" = nft ]; then
		in_ns c nft list table inet dns | awk '
			$1 == "chain" { chain = $2 }
			match($0, /counter packets [0-9]+ bytes [0-9]+ ?/) {
				split(substr($0, RSTART, RLENGTH), count, " ")
				sub(/counter packets [0-9]+ bytes [0-9]+ ?/, "")
				$1 = $1
				print count[3], chain, $0
			}'
	else
		in_ns c "$(program "$1")-save" -c -t filter 2>/dev/null | sed -n -e 's/--//g' \
			-e 's/^\[\([0-9]*\):[0-9]*\] -A /\1 /p' | tr '[:upper:]' '[:lower:]'
	fi
}

# count FAMILY: read the counters: ASKED and ANSWERED by the rules that accept,
# REFUSED and DROPPED by the last rules of OUTPUT and INPUT, and what an attacker
# sent in TO, by port. nftables has one rule for both families.
declare -A TO
count() {
	local packets rule
	ASKED=0 ANSWERED=0 REFUSED=0 DROPPED=0
	TO=()
	while read -r packets rule; do
		case $rule in
		*"sport 53 "*accept) ANSWERED=$((ANSWERED + packets)) ;;
		*"dport 53 "*accept) ASKED=$((ASKED + packets)) ;;
		output\ *udp*drop) REFUSED=$packets ;;
		input\ *udp*drop) DROPPED=$packets ;;
		input\ *"udp dport "*) TO[${rule##* }]=$packets ;;
		esac
	done < <(rules "$1")
	COUNTS="asked $ASKED, answered $ANSWERED, refused $REFUSED, dropped $DROPPED"
}

# counts_are ASKED ANSWERED REFUSED DROPPED NAME: of each family
counts_are() {
	local family expected="asked $1, answered $2, refused $3, dropped $4"
	if [ "$tool" = nft ]; then
		count 4
		expected="asked $((2 * $1)), answered $((2 * $2)), refused $((2 * $3)), dropped $((2 * $4))"
		is "$COUNTS" "$expected" "$case: $5, both families"
		return
	fi
	for family in 4 6; do
		count $family
		is "$COUNTS" "$expected" "$case: $5, IPv$family"
	done
}

### The hosts. c is the one with a firewall. r has the resolver, and a silent one
# that answers when the test says so; the attacker sends from there as well, as
# whomever he likes.

declare -A CLIENT=([4]=192.0.2.1 [6]=2001:db8::1)
declare -A RESOLVER=([4]=192.0.2.53 [6]=2001:db8::53)
declare -A SILENT=([4]=192.0.2.54 [6]=2001:db8::54)
declare -A TARDY=([4]=192.0.2.55 [6]=2001:db8::55)
declare -A ATTACKER=([4]=192.0.2.66 [6]=2001:db8::66)
declare -A NOBODY=([4]=192.0.2.2 [6]=2001:db8::2) VERSION=([4]='' [6]=v6)
declare -A TYPE=([4]=A [6]=AAAA) RECORD=([4]=198.51.100.80 [6]=2001:db8:80::80)

load_udptrack
load_module xt_udptrack || bail_out "xt_udptrack does not load"
two_netns c r
for family in 4 6; do
	printf "addr add %s dev eth0$([ $family = 4 ] || echo ' nodad')\n" \
		"${RESOLVER[$family]}" "${SILENT[$family]}" "${TARDY[$family]}"
done | ip -n r -batch -
unbound_conf "$GEN_DIR/unbound.conf" "interface: ${RESOLVER[4]}" "interface: ${RESOLVER[6]}" \
	'access-control: 192.0.2.0/24 allow' 'access-control: 2001:db8::/64 allow' 'local-zone: "example.test." static' \
	"local-data: \"www.example.test. 300 IN A ${RECORD[4]}\"" "local-data: \"www.example.test. 300 IN AAAA ${RECORD[6]}\""
background in_ns r unbound -c "$GEN_DIR/unbound.conf"
wait_until 20 listens r 53 2 || bail_out "unbound does not listen"
gen_start
for family in 4 6; do
	gen "in r" "udp silent$family ${SILENT[$family]} 53" "udp tardy$family ${TARDY[$family]} 53"
done

### What an attacker sends, and how much of it. Each kind goes to a port of its
# own, the first being that of whoever gets a true answer.
KINDS=13
declare -A OFFSET=([address]=2 [port]=3 [unsolicited]=4 [late]=5 [slow]=6)
declare -A SENDS=([address]=5 [port]=4 [unsolicited]=3 [late]=1 [slow]=1 [query]=2)
declare -A WHAT=([address]='answers from another address, or port' [port]='answers to another port'
	[unsolicited]='unsolicited answers' [late]='an answer after the timeout'
	[slow]='an answer after 5 s' [query]='queries from outside')
base=10000

# ports FAMILY: PORT is where a kind goes to; 1 is where the truth does
declare -A PORT
ports() {
	local kind first=$((base + ($1 == 6 ? 7 : 1)))
	PORT=([truth]=$first [query]=53)
	for kind in "${!OFFSET[@]}"; do
		PORT[$kind]=$((first + OFFSET[$kind] - 1))
	done
}

# times NUMBER LINE: the line, so many times
times() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "$2"
	done
}

# sockets FAMILY: lines that open the ports that the attacker aims at
sockets() {
	local kind
	ports "$1"
	echo "in c"
	for kind in "${!PORT[@]}"; do
		echo "udp $kind$1 ${CLIENT[$1]} ${PORT[$kind]}"
	done
}

close_sockets() {
	local kind
	for kind in "${!PORT[@]}"; do
		printf 'close %s\n' "${kind}4" "${kind}6"
	done
}

# attacks FAMILY: lines that send it all, but for what comes too late
attacks() {
	local client=${CLIENT[$1]} silent=${SILENT[$1]} attacker=${ATTACKER[$1]}
	ports "$1"
	echo "in r"
	# Queries first: what would take their sender for somebody we asked.
	echo "raw $attacker 40000 $client 53"
	echo "raw $attacker 53 $client 53"
	# The answers to what was asked there come from another address, or port.
	times 4 "raw $attacker 53 $client ${PORT[address]}"
	times 1 "raw $silent 5353 $client ${PORT[address]}"
	times "${SENDS[port]}" "raw $silent 53 $client ${PORT[port]}"
	times "${SENDS[unsolicited]}" "raw $attacker 53 $client ${PORT[unsolicited]}"
}

# ask KIND FAMILY: lines that ask the silent resolver, which takes note
ask() { printf '%s\n' "send $1$2 ${SILENT[$2]} 53" "recv silent$2"; }

# arrived: what waits in the sockets of c, as "ADDRESS:PORT" lines
arrived() { in_ns c ss -Huan | awk '$2 > 0 { print $4 }' | sort; }

### Without rules all of it arrives: what stops it later are the rules.
gen_script < <(
	for family in 4 6; do
		sockets $family
		ask address $family
		attacks $family
		echo "barrier r ${CLIENT[$family]} c"
	done
)
expected=
for family in 4 6; do
	ports $family
	for kind in address port unsolicited query; do
		address=${CLIENT[$family]}
		[ $family = 4 ] || address="[$address]"
		expected+="$address:${PORT[$kind]}"$'\n'
	done
done
is "$(arrived)" "$(printf %s "$expected" | sort)" "without rules, what an attacker sends arrives"
gen_script < <(close_sockets)

# attack_case: all attacks at once, a true answer behind them; judge by counters and sockets
attack_case() {
	local family kind sent until asked=4 dropped=0
	gen_script < <(
		for family in 4 6; do
			ask address $family
			attacks $family
		done
		# A flow lives as long as the setting says when its packet passes.
		printf '%s\n' "in c" "write /proc/sys/net/netfilter/udptrack_timeout 1"
		for family in 4 6; do
			echo "send late$family ${SILENT[$family]} 53"
		done
		echo "write /proc/sys/net/netfilter/udptrack_timeout 30"
	)
	until=$((GEN_TO + 1000 + CLOCK_SLACK_MS))
	if [ $set = recent ]; then
		asked=5
		[ $until -gt $slow_until ] || until=$slow_until
	fi
	gen_script < <(
		echo "until $until"
		for family in 4 6; do
			echo "answer silent$family"
			[ $set != recent ] || echo "answer tardy$family"
		done
		# What arrives behind them shows that they have been dealt with.
		for family in 4 6; do
			printf '%s\n' "send truth$family ${SILENT[$family]} 53" \
				"answer silent$family" "recv truth$family"
		done
	)

	for kind in "${kinds[@]}"; do
		dropped=$((dropped + SENDS[$kind]))
	done
	counts_are $asked 2 0 $dropped "what an attacker sends raises no counter but that of the drop rule"
	for family in 4 6; do
		[ "$tool" = nft ] || count $family
		ports $family
		for kind in "${kinds[@]}"; do
			sent=${SENDS[$kind]}
			# One rule counts the queries of both families.
			[ "$tool-$kind" != nft-query ] || sent=$((2 * sent))
			is "${TO[${PORT[$kind]}]}" "$sent" "$case: dropped: ${WHAT[$kind]}, IPv$family"
		done
	done
	is "$(arrived)" '' "$case: nothing of it arrives"
}

# sums: the counters of both families together
sums() {
	local asked answered refused dropped
	count 4
	[ "$tool" != nft ] || return
	asked=$ASKED answered=$ANSWERED refused=$REFUSED dropped=$DROPPED
	count 6
	ASKED=$((ASKED + asked)) ANSWERED=$((ANSWERED + answered))
	REFUSED=$((REFUSED + refused)) DROPPED=$((DROPPED + dropped))
}

# all_answers_counted: those of limit_case
# shellcheck disable=SC2317 # called by wait_until
all_answers_counted() {
	sums
	[ $((ANSWERED - answered + DROPPED - dropped)) -ge 60 ]
}

# limit_case: 30 queries and 30 answers at once, of each family
limit_case() {
	local family begin limit buckets=2 asked answered dropped
	sums
	asked=$ASKED answered=$ANSWERED dropped=$DROPPED
	[ "$tool" != nft ] || buckets=1
	gen
	begin=$GEN_FROM
	for family in 4 6; do
		in_ns c "$BIN/flood" -s "${CLIENT[$family]}" -P $((base + 20)) \
			-d "${SILENT[$family]}" -p 53 -c 30 >/dev/null
	done
	gen_script < <(
		echo "in r"
		for family in 4 6; do
			times 30 "raw ${SILENT[$family]} 53 ${CLIENT[$family]} $((base + 20))"
		done
		for family in 4 6; do
			echo "drain silent$family"
		done
	)
	wait_until 5 all_answers_counted
	limit=$((buckets * (10 + 5 * (GEN_TO - begin + CLOCK_SLACK_MS) / 1000)))
	between $((ASKED - asked)) 1 $((limit < 59 ? limit : 59)) "$case: a burst of queries is cut to the limit"
	is $((ASKED - asked + REFUSED)) 60 "$case: the others are refused"
	between $((ANSWERED - answered)) 1 $((limit < 59 ? limit : 59)) "$case: a burst of answers is cut to the limit"
	is $((ANSWERED - answered + DROPPED - dropped)) 60 "$case: the others are dropped"
}

# error_case: with one more rule, who asks where nobody listens is told
error_case() {
	local family
	for family in 4 6; do
		in_ns c "$(program $family)" -I INPUT -p icmp"${VERSION[$family]}" \
			-m udptrack --state RELATED -j ACCEPT || bail_out "no rule: $case"
		gen "in c" "udp lost$family ${CLIENT[$family]} $((base + 21)) to=${NOBODY[$family]},53" \
			"send lost$family -"
		ok "$case: with RELATED accepted, an ICMP error ends the wait, IPv$family" \
			gen "refused lost$family"
		is "$(rules $family | grep -c '^1 .*related')" 1 "$case: it is counted, IPv$family"
	done
}

for tool in iptables-legacy iptables-nft nft; do
	[ $tool != nft ] || sysctl_in c udptrack_mark_mask=$MASK
	for set in pair recent hashlimit; do
		# Each takes a minute there, and the others have tried them all.
		[[ $UDPTRACK_KERNEL != debug || $tool-$set =~ ^(iptables-legacy-pair|nft-recent)$ ]] || continue
		case="$tool, $set" base=$((base + 100))
		kinds=(query address port unsolicited late)
		[ $set != recent ] || kinds+=(slow)
		install_rules
		gen_script < <(
			for family in 4 6; do
				sockets $family
				[ $set != recent ] || echo "send slow$family ${TARDY[$family]} 53"
			done
		)
		slow_until=$((GEN_TO + 5000 + CLOCK_SLACK_MS))
		for family in 4 6; do
			is "$(in_ns c dig "@${RESOLVER[$family]}" www.example.test "${TYPE[$family]}" \
				+short +tries=1 +time=10)" "${RECORD[$family]}" "$case: dig has its answer, IPv$family"
		done
		attack_case
		[ $set != hashlimit ] || limit_case
		[ "$tool-$set" != iptables-legacy-pair ] || error_case
		gen_script < <(close_sockets)
		remove_rules
	done
done

done_testing
