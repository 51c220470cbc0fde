#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the firewall drops leaves nothing behind: no flow, no refresh, no count,
# no answer; in every table that comes before the tracker, with iptables and
# nftables, IPv4 and IPv6. What it accepts is tracked.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Each takes a minute on the debug kernel, and the others have tried them all.
cases=(iptables-legacy:ipv{4,6} iptables-nft:ipv{4,6} nft:ipv{4,6})
[ "$UDPTRACK_KERNEL" = debug ] && cases=(iptables-legacy:ipv4 nft:ipv6)
plan $((9 * ${#cases[@]}))
load_udptrack require_listener=0
two_netns

# Thirteen destination ports: the first is accepted everywhere. Of four each,
# packets are dropped on their way out of c, on their way into s, and their
# answers on their way into c; the first of the four by the first table, and so
# on.
# Filter stands in for the security table where the kernel has none, and with
# iptables-nft, which hangs it in at 150, behind the tracker, and not at 50.
has_security=1
if ! modprobe -q iptable_security || ! modprobe -q ip6table_security; then
	diag 'this kernel has no security tables'
	has_security=0
fi
tables=(raw mangle filter filter)
priorities=(-300 -150 0 50)
first=5000 ports=13

fates=(none out in answer)

# rules NS [all]: lines for iptables-restore; without all, they empty the tables
rules() {
	local ns=$1 i table chain port
	shift
	for table in $(printf '%s\n' "${tables[@]}" | uniq); do
		echo "*$table"
		for i in "${!tables[@]}"; do
			[ "${tables[i]}" = "$table" ] || continue
			[ $# -gt 0 ] || continue
			chain=INPUT
			[ "$table" = raw ] && chain=PREROUTING
			if [ "$ns" = s ]; then
				echo "-A $chain -p udp --dport $((first + 5 + i)) -j DROP"
			else
				echo "-A OUTPUT -p udp --dport $((first + 1 + i)) -j DROP"
				echo "-A $chain -p udp --sport $((first + 9 + i)) -j DROP"
			fi
		done
		echo COMMIT
	done
}

# nft_rules NS: the same for nft
nft_rules() {
	local i
	echo 'table inet drops'
	echo 'delete table inet drops'
	echo 'table inet drops {'
	for i in "${!priorities[@]}"; do
		if [ "$1" = s ]; then
			echo "chain in$i { type filter hook input priority ${priorities[i]}"
			echo "udp dport $((first + 5 + i)) drop; }"
		else
			echo "chain out$i { type filter hook output priority ${priorities[i]}"
			echo "udp dport $((first + 1 + i)) drop; }"
			echo "chain in$i { type filter hook input priority ${priorities[i]}"
			echo "udp sport $((first + 9 + i)) drop; }"
		fi
	done
	echo '}'
}

# firewall on|off: with the tool of this case, in both namespaces
firewall() {
	local ns
	for ns in c s; do
		case $tool-$1 in
		nft-on) nft_rules $ns | in_ns $ns nft -f - ;;
		nft-off) in_ns $ns nft delete table inet drops ;;
		*-on) rules $ns all | in_ns $ns "$restore" ;;
		*-off) rules $ns | in_ns $ns "$restore" ;;
		esac || bail_out "no rules with $tool in $ns"
	done
}

# flows NS: of this case, a line each, by port:
# PORT STATE PACKETS/ANSWERS, and which of the three timeouts it was given
flows() {
	# shellcheck disable=SC2016
	in_ns "$1" awk -v sport="sport=$source_port" -v family="$family" '
		$1 == family && $9 == sport {
			split($10, dport, "=")
			split($0, packets, "packets=")
			split(packets[2], there, " ")
			split(packets[3], back, " ")
			print dport[2], $6, there[1] "/" back[1], ($5 > 1000 ? "third" : $5 > 100 ? "second" : "first")
		}' /proc/net/udptrack | sort
}

# expected COMMAND: what the command makes of each port and its fate
expected() {
	local port
	for ((port = first; port < first + ports; port++)); do
		"$1" "${fates[(port - first + 3) / 4]}"
	done
}

timeout() {
	in_ns c sysctl -qw net.netfilter.udptrack_timeout="$1"
	in_ns s sysctl -qw net.netfilter.udptrack_timeout="$1"
}

# send ROUNDS, from c to s to all the ports; answer, from s
send() {
	in_ns c "$BIN/flood" -s "$client" -d "$server" -P "$source_port" -p $first -D $ports -c "$1"
}
answer() {
	in_ns s "$BIN/flood" -s "$server" -d "$client" -P $first -S $ports -p "$source_port"
}

# What becomes of a port with a fate, seen from c or from s.
# shellcheck disable=SC2317 # called by expected
{
new() { echo "$port NEW 1/0 first"; }
dropped_out() {
	case $1 in
	out) echo "$port NEW 1/0 first" ;;
	*) echo "$port NEW 3/0 second" ;;
	esac
}
dropped_in() {
	case $1 in
	out|in) echo "$port NEW 1/0 first" ;;
	*) echo "$port NEW 3/0 second" ;;
	esac
}
answers_dropped() {
	case $1 in
	out) echo "$port ESTABLISHED 1/1 third" ;;
	answer) echo "$port NEW 3/0 second" ;;
	*) echo "$port ESTABLISHED 3/1 third" ;;
	esac
}
answers_sent() {
	case $1 in
	out|in) echo "$port ESTABLISHED 1/1 third" ;;
	*) echo "$port ESTABLISHED 3/1 third" ;;
	esac
}
left_c() { [ "$1" = out ] || echo "$port NEW 1/0 third"; }
left_s() { [ "$1" = out ] || [ "$1" = in ] || echo "$port NEW 1/0 third"; }
}

source_port=10000
for case in "${cases[@]}"; do
	tool=${case%:*} family=${case#*:}
	tables[3]=filter
	[ "$tool-$has_security" = iptables-legacy-1 ] && tables[3]=security
	if [ "$family" = ipv4 ]; then
		client=192.0.2.1 server=192.0.2.2 restore=$tool-restore
	else
		client=2001:db8::1 server=2001:db8::2 restore=ip6${tool#ip}-restore
	fi
	timeout 100
	send 1 >/dev/null
	is "$(flows c)" "$(expected new)" "$case: without rules a flow for each port where they come from"
	is "$(flows s)" "$(expected new)" "$case: and where they go"

	firewall on
	timeout 1000
	is "$(send 2)" 'sent=18 failed=8 received=0 answered=0' "$case: the rules take effect"
	is "$(flows c)" "$(expected dropped_out)" "$case: dropped on its way out, nothing is counted or refreshed"
	is "$(flows s)" "$(expected dropped_in)" "$case: dropped on its way in, nothing is counted or refreshed"

	timeout 10000
	answer >/dev/null
	is "$(flows c)" "$(expected answers_dropped)" "$case: an answer that is dropped is none"
	is "$(flows s)" "$(expected answers_sent)" "$case: where it came from it is one"

	source_port=$((source_port + 1))
	send 1 >/dev/null
	is "$(flows c)" "$(expected left_c)" "$case: dropped on its way out, a first packet makes no flow"
	is "$(flows s)" "$(expected left_s)" "$case: dropped on its way in, a first packet makes no flow"
	firewall off
	source_port=$((source_port + 1))
done

done_testing
