# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the udpgen process of a test, and what a test reads of the tracker.
# Sourced after lib.sh.
#
#   gen_start              start udpgen (see udpgen.c); it ends with the test
#   gen LINE...            have it do these; the test ends if that fails.  GEN_FROM
#                          and GEN_TO are when that began and ended, in milliseconds:
#                          what happened in between did so between these, also by
#                          the clock of timeouts, which lags
#   gen_script             the same with lines from the input; not behind a pipe, where
#                          GEN_TO would be lost: gen_script < <(...)
#   snap NS                read the flows and counters of a namespace
#   snap_dns NS            read its counters of DNS, into DNS
#   flow SRC SPORT DST DPORT    look one up in the last snap: FLOW is what it is, in
#                          short, and FLOW_LEFT the seconds left.  FLOW reads
#                          "STATE PACKETS/BYTES [UNREPLIED] PACKETS/BYTES [ASSURED]",
#                          without the numbers where there is no accounting, and
#                          "none" when there is no such flow
#   flow_is TEXT NAME      assert what the flow is that was looked up
#   traffic_is TEXT NAME   the same without [ASSURED], which is a matter of time
#   left_is SECONDS NAME [FROM TO]   assert that this is the timeout it was last given,
#                          by the last gen before the last snap (and those right
#                          before that), or by the one that began and ended then;
#                          exact, but for the time that went by in between, which is
#                          measured
#   counter NAME           print a counter of the last snap
#   sysctl_in NS NAME=VALUE...   set net.netfilter.NAME there

GEN_DIR=$(mktemp -d)
# What jiffies and the clock that stands for them may differ by, in milliseconds.
CLOCK_SLACK_MS=50
GEN_FROM=0 GEN_TO=0 GEN_LOOKS='' SENT_FROM=0 SENT_TO=0 SNAP_FROM=0 SNAP_TO=0 FLOW='' FLOW_LEFT=''
FLOWS=()
# shellcheck disable=SC2034 # for the tests
declare -A STAT DNS

gen_start() {
	coproc UDPGEN { exec "$BIN/udpgen"; }
	exec {GEN_IN}>&"${UDPGEN[1]}" {GEN_OUT}<&"${UDPGEN[0]}"
}

# gen_answer VARIABLE VARIABLE: of sync, into these
gen_answer() {
	local word time lag
	read -r word time lag <&"$GEN_OUT" || time='udpgen died'
	[ "$word" = ok ] || bail_out "udpgen: $time $lag"
	printf -v "$1" %s "$time"
	printf -v "$2" %s "$lag"
}

gen() {
	printf '%s\n' sync "$@" sync >&"$GEN_IN"
	gen_answer _ GEN_FROM
	gen_answer GEN_TO _
	GEN_LOOKS=''
}

# gen_look LINE...: gen, of what sends nothing
gen_look() {
	if [ -z "$GEN_LOOKS" ]; then
		SENT_FROM=$GEN_FROM SENT_TO=$GEN_TO
	fi
	gen "$@"
	GEN_LOOKS=yes
}

gen_script() {
	local lines
	mapfile -t lines
	gen "${lines[@]}"
}

# sum_stat FILE ARRAY: the columns of a table with a row a processor, summed up
# shellcheck disable=SC2004 # the array has names
sum_stat() {
	local -n sums=$2
	local header row i key
	sums=()
	{
		read -ra header
		while read -ra row; do
			for i in "${!header[@]}"; do
				key=${header[i]}
				sums[$key]=$((${sums[$key]:-0} + 16#${row[i]}))
			done
			# The only column that is not a sum.
			key=${header[0]}
			[ "$key" != entries ] || sums[$key]=$((16#${row[0]}))
		done
	} <"$1"
}

snap() {
	gen_look "in $1" "copy /proc/net/udptrack $GEN_DIR/flows" \
		"copy /proc/net/stat/udptrack $GEN_DIR/stat"
	SNAP_FROM=$GEN_FROM SNAP_TO=$GEN_TO
	mapfile -t FLOWS <"$GEN_DIR/flows"
	sum_stat "$GEN_DIR/stat" STAT
}

snap_dns() {
	gen_look "in $1" "copy /proc/net/stat/udptrack_dns $GEN_DIR/dns"
	sum_stat "$GEN_DIR/dns" DNS
}

counter() { printf '%s\n' "${STAT[$1]}"; }

flow() {
	local there=" src=$1 dst=$3 sport=$2 dport=$4 " back=" src=$3 dst=$1 sport=$4 dport=$2 "
	local line text state
	FLOW=none FLOW_LEFT=
	for line in "${FLOWS[@]}"; do
		[[ "$line " == *" udp      17 "[0-9]*" "[A-Z]*"$there"*"$back"* ]] || continue
		text="${line#*" udp      17 "} "
		FLOW_LEFT=${text%% *}
		text=${text#* }
		state=${text%% *}
		# Only the first tuple is the original direction.
		[[ $text == "$state$there"* ]] || continue
		text=${text#"$state$there"}
		text=${text/"${back# }"/}
		[[ $text != *src=* ]] || continue
		text=${text//packets=/}
		text=${text// bytes=//}
		# Later fields are none of our business.
		text=${text%%" uid="*}
		FLOW="$state ${text% }"
		return
	done
}

flow_is() { is "$FLOW" "$1" "$2"; }
traffic_is() { is "${FLOW% \[ASSURED\]}" "$1" "$2"; }

left_is() {
	local low=$(($1 * 1000 - (SNAP_TO - ${3:-$SENT_FROM}) - CLOCK_SLACK_MS))
	local high=$(($1 * 1000 - (SNAP_FROM - ${4:-$SENT_TO}) + CLOCK_SLACK_MS))
	between "$FLOW_LEFT" $((low < 0 ? 0 : low / 1000)) $((high / 1000)) "$2"
}

sysctl_in() {
	local ns=$1 setting lines=()
	shift
	for setting in "$@"; do
		lines+=("write /proc/sys/net/netfilter/${setting%%=*} ${setting#*=}")
	done
	gen "in $ns" "${lines[@]}"
}
