# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns rules that count packets by their state, in the INPUT and OUTPUT chains
# of the legacy filter tables. Sourced after lib.sh; wants xt_udptrack.
#
#   count_states NS        put the rules there, before all others
#   states NS CHAIN 4|6    print what passed since the last time: states in the order of
#                          their numbers, as in "NEW RELATED*2", or "none" where no packet
#                          had a state
#
# Each state has a rule that matches it and one that matches all but it, so that
# a packet without a state, which is to match neither, is told from others. When
# the two kinds disagree, so it says.

STATES=(NEW ESTABLISHED RELATED INVALID UNTRACKED)

declare -A IPTABLES=([4]=iptables-legacy [6]=ip6tables-legacy)

count_states() {
	local family chain state
	for family in 4 6; do
		{
			echo '*filter'
			for chain in INPUT OUTPUT; do
				echo ":states-$chain -"
				echo "-I $chain -j states-$chain"
				for state in "${STATES[@]}"; do
					echo "-A states-$chain -m udptrack --state $state"
					echo "-A states-$chain -m udptrack ! --state $state"
				done
			done
			echo COMMIT
		} | in_ns "$1" "${IPTABLES[$family]}-restore" --noflush ||
			bail_out "no counting rules in $1"
	done
}

states() {
	local n=() total=0 i text='' packets line
	while read -r line; do
		[[ ! $line =~ ^([0-9]+)\  ]] || n+=("${BASH_REMATCH[1]}")
	done < <(in_ns "$1" "${IPTABLES[$3]}" -nvxL "states-$2" -Z)
	[ "${#n[@]}" = 10 ] || { echo 'no counters'; return; }
	for ((i = 0; i < 10; i += 2)); do total=$((total + n[i])); done
	for ((i = 0; i < 10; i += 2)); do
		packets=${n[i]}
		if [ $((packets + n[i + 1])) != $total ]; then
			echo "${STATES[i / 2]} $packets and all but it ${n[i + 1]} of $total"
			return
		fi
		[ "$packets" = 0 ] || text+=" ${STATES[i / 2]}"
		[ "$packets" -lt 2 ] || text+="*$packets"
	done
	[ -n "$text" ] || text=' none'
	echo "${text# }"
}
