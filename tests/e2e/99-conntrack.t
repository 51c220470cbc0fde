#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tools of conntrack on udptrack's flows, through udptrack_ctnl: stock
# conntrack lists, gets, deletes, counts and watches them, ulogd logs them; who
# has the subsystem of nfnetlink, and what happens to who comes second; what is
# refused, what is malformed, who may not.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

C=192.0.2.1 S=192.0.2.2 C6=2001:db8::1 S6=2001:db8::2
CTNL=$TOP/tests/e2e/ctnl.py

# ct NS ARGUMENT...: conntrack there.  CT are the lines that it prints, CT_SAYS is
# what else it has to say, CT_STATUS its exit status.
CT=() CT_SAYS='' CT_STATUS=0
ct() {
	local ns=$1 line
	shift
	in_ns "$ns" conntrack "$@" >"$GEN_DIR/ct.out" 2>"$GEN_DIR/ct.err"
	CT_STATUS=$?
	mapfile -t CT <"$GEN_DIR/ct.out"
	CT_SAYS=$(<"$GEN_DIR/ct.err")
	CT_SAYS=${CT_SAYS##*"(conntrack-tools): "}
}

# shown NUMBER NAME: the last ct has shown so many flows
shown() {
	is "$CT_STATUS ${#CT[@]} $CT_SAYS" "0 $1 $1 flow entries have been shown." "$2" ||
		diag "${CT[@]}"
}

### Who has the subsystem.
is "$(modinfo -F alias "$KO_DIR/udptrack_ctnl.ko")" '' "the shim has no alias, so nothing loads it"
# So long that nothing expires by itself, however slow the machine is.
load_udptrack timeout=600 timeout_stream=600
modprobe -r nf_conntrack_netlink 2>/dev/null
is_loaded nf_conntrack_netlink && bail_out "somebody uses nf_conntrack_netlink"
two_netns c s
new_netns x
gen_start

ct x -L
is "$CT_STATUS" 0 "without the shim, conntrack loads nf_conntrack_netlink"
ok "which is then there" is_loaded nf_conntrack_netlink
log_mark
output=$(load_module udptrack_ctnl 2>&1)
is $? 1 "beside it, the shim does not load"
like "$output" "Device or resource busy" "and insmod says why"
like "$(log_since_mark)" "udptrack_ctnl: .*rmmod nf_conntrack_netlink" "and the log says what to do"
ok "nf_conntrack_netlink can be unloaded" rmmod nf_conntrack_netlink
echo 'blacklist nf_conntrack_netlink' >/etc/modprobe.d/99-conntrack.conf
ct x -L
is "$CT_STATUS" 1 "blacklisted, it does not come for conntrack"
not_ok "which has nobody to ask then" is_loaded nf_conntrack_netlink
rm /etc/modprobe.d/99-conntrack.conf
ok "and then the shim loads" load_module udptrack_ctnl
log_mark
output=$(modprobe nf_conntrack_netlink 2>&1)
is $? 1 "beside the shim, nf_conntrack_netlink does not load"
like "$output" "busy" "and modprobe says why"
like "$(log_since_mark)" "cannot register with nfnetlink" "as does the log"
ct x -L expect
isnt "$CT_STATUS" 0 "expectations are not ours, and nobody else's"
not_ok "to ask for them has not loaded it either" is_loaded nf_conntrack_netlink
ct x -L
shown 0 "the shim still answers"

# In c, nf_conntrack tracks as well: what conntrack prints of it is the oracle.
modprobe -a nf_conntrack nft_ct || bail_out "no nf_conntrack"
in_ns c nft -f - <<-'END' || bail_out "no rule"
	table inet oracle {
		chain out { type filter hook output priority 0; ct state new counter; }
		chain in { type filter hook input priority 0; ct state new counter; }
	}
END
sysctl_in c nf_conntrack_acct=1 nf_conntrack_timestamp=1 \
	nf_conntrack_udp_timeout=600 nf_conntrack_udp_timeout_stream=600

# to_oracle, from_oracle: let nf_conntrack answer, and us again
to_oracle() {
	rmmod udptrack_ctnl || bail_out "the shim does not go"
	modprobe nf_conntrack_netlink || bail_out "no nf_conntrack_netlink"
}
from_oracle() {
	rmmod nf_conntrack_netlink || bail_out "nf_conntrack_netlink does not go"
	load_module udptrack_ctnl || bail_out "the shim does not come back"
}

### Flows of both families: unanswered, answered, assured; of one link.
for ns in c s; do
	[ $ns = c ] && n=a || n=b
	echo "addr add fe80::$n/64 dev eth0 nodad" | ip -n $ns -6 -batch -
done
began=$(date +%s)
gen_script <<-END
	in s
	udp s4 $S 7000
	udp s6 $S6 7000
	udp sl fe80::b%eth0 7000
	in c
	udp quiet $C 4001
	udp quiet6 $C6 4001
	udp asker $C 4002
	udp asker6 $C6 4002
	udp talker $C 4003
	udp talker6 $C6 4003
	udp linklocal fe80::a%eth0 4004
	send talker $S 7000 size=40
	answer s4
	recv talker
	send quiet $S 7000 size=10
	send quiet6 $S6 7000 size=10
	send asker $S 7000 size=20
	send asker6 $S6 7000 size=20
	recv s4
	answer s4
	recv s6
	answer s6
	recv asker
	recv asker6
	send linklocal fe80::b%eth0 7000
	recv sl
	sleep 2300
	send talker $S 7000
	answer s4
	recv talker
END

# proc_lines, ct_lines: flows in a form that both listings can be brought into
proc_lines() {
	sed -E 's/^(ipv. +[0-9]+ udp +17) [0-9]+ (NEW|ESTABLISHED)/\1/; s/ (uid|cgroup|dns)=.*//' \
		"$GEN_DIR/flows" | sort
}
ct_lines() {
	sed -E 's/^(ipv. +[0-9]+ udp +17) [0-9]+/\1/; s/ mark=0 (delta-time=[0-9]+ )?use=1//' \
		"$GEN_DIR/ct.out" | sort
}

for ns in c s; do
	snap $ns
	ct $ns -L -o extended
	shown 6 "$ns: all flows are listed"
	is "$(ct_lines)" "$(proc_lines)" "$ns: as /proc/net/udptrack shows them"
done
# Between two looks into /proc, in the same order.
before=("${FLOWS[@]}")
snap s
left=0
for i in "${!FLOWS[@]}"; do
	read -r _ _ _ _ a _ <<<"${before[i]}"
	read -r _ _ _ _ b _ <<<"${CT[i]}"
	read -r _ _ _ _ c _ <<<"${FLOWS[i]}"
	[ "$a" -ge "$b" ] && [ "$b" -ge "$c" ] && left=$((left + 1))
done
is $left 6 "with the same seconds left"

# timeless: the lines of the last ct without what the clock has changed meanwhile
timeless() { sed -E 's/ 17 [0-9]+ / 17 /; s/ delta-time=[0-9]+ / delta-time= /' "$GEN_DIR/ct.out" | sort; }
ct c -L -p udp -o extended
ours=$(timeless)
to_oracle
ct c -L -p udp -o extended
is "$ours" "$(timeless)" "and line by line as conntrack prints those of nf_conntrack"
from_oracle

# What can be asked for, and how many flows of c that are; a third of it on the debug
# kernel.
few=1
[ "$UDPTRACK_KERNEL" != debug ] || few=3
while read -r number arguments; do
	# shellcheck disable=SC2086 # words
	ct c -L $arguments
	shown "$number" "-L $arguments"
done < <(awk -v few=$few 'NR % few == 0' <<-END
	3 -f ipv4
	3 -f ipv6
	6 -p udp
	0 -p tcp
	3 -s $C
	3 -d $S
	0 -s $S
	1 -p udp --sport 4001 -d $S
	2 -p udp --sport 4002
	6 -p udp --dport 7000
	3 -s 192.0.2.0/24
	1 -f ipv6 -p udp -s $C6 --sport 4001
	3 -r $S
	3 -u UNREPLIED
	3 -u SEEN_REPLY
	1 -u ASSURED
	6 -m 0
	0 -m 1
	0 -w 1
END
)

ct c -L -f ipv6 -o extended,id,ktimestamp
now=$(date +%s)
ids=$(printf '%s\n' "${CT[@]}" | grep -oE ' id=[0-9]+' | sort -u | wc -l)
is "$ids" 3 "every flow has a number of its own"
like "${CT[0]}" "\[start=[A-Z][a-z]{2} [A-Z]" "and shows when it began"
age=$(sed -E 's/.*delta-time=([0-9]+).*/\1/' <<<"${CT[0]}")
between "$age" 2 $((now - began + 1)) "which was as long ago as it was"

ct c -G -p udp -s $C -d $S --sport 4003 --dport 7000
shown 1 "-G finds a flow"
like "${CT[*]}" "sport=4003 .*sport=7000 dport=4003 .*\[ASSURED\]" "which is the one that was asked for"
ct c -G -p udp -s fe80::a -d fe80::b --sport 4004 --dport 7000
shown 1 "also between link-local addresses, of which no interface is said"
ct c -G -p udp -s $C -d $S --sport 4999 --dport 7000
is "$CT_STATUS $CT_SAYS" "1 Operation failed: such conntrack doesn't exist" "-G says so when there is none"
ct c -G -p tcp -s $C -d $S --sport 4003 --dport 7000
is "$CT_STATUS $CT_SAYS" "1 Operation failed: such conntrack doesn't exist" "nor any of TCP"

ct c -C
is "$CT_STATUS ${CT[*]}" "0 6" "-C counts them"
# stat_rows: some of /proc/net/stat/udptrack, which is hexadecimal
stat_rows() {
	local cpu=0 found new
	while read -r _ found new _; do
		echo "cpu=$((cpu++)) found=$((16#$found)) insert=$((16#$new))"
	done
}
ct c -S
snap c
is "$(sed -E 's/^(cpu=[0-9]+).*(found=[0-9]+) .*(insert=[0-9]+) .*/\1 \2 \3/' "$GEN_DIR/ct.out")" \
	"$(in_ns c tail -n +2 /proc/net/stat/udptrack | stat_rows)" "-S has a row a processor"
for pair in found:found insert:new clash_resolve:clash early_drop:evicted; do
	sum=0
	for line in "${CT[@]}"; do
		n=${line##*"${pair%:*}="}
		sum=$((sum + ${n%% *}))
	done
	is "$sum" "${STAT[${pair#*:}]}" "-S: ${pair%:*} is ${pair#*:}"
done
ct x -L
shown 0 "another namespace has nothing of all that"

### What is not there to be had.
ct c -I -p udp -s $C -d $S --sport 1 --dport 2 -t 10
is "$CT_STATUS $CT_SAYS" "1 Operation failed: Operation not supported" "-I is not supported"
# Of a single flow, for conntrack leaves an acknowledgement unread, and takes it for the
# answer about the next flow, or, in the next second, for an error of the protocol.
ct c -U -p udp -s $C --sport 4003 -m 1
like "$(<"$GEN_DIR/ct.err")" "Operation failed: .*not supported" "nor is -U"
ct c -L -m 1
shown 0 "which changed nothing"
ct c -L -z
like "$CT_STATUS $CT_SAYS" "1 .*not supported" "nor is -z"
ct c -L dying
like "$CT_STATUS $CT_SAYS" "1 .*not supported" "nor is a list of the dying"

# Everybody else.
as_nobody() { in_ns c setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
for option in -L -C -S -F "-D -p udp" -E; do
	# shellcheck disable=SC2086 # words
	output=$(as_nobody conntrack $option 2>&1)
	is $? 1 "a plain user may not $option"
	like "$output" "CAP_NET_ADMIN|not permitted" "and is told so" || diag "$output"
done
output=$(as_nobody unshare -Urn conntrack -L 2>&1)
is "$? ${output##*: }" "0 0 flow entries have been shown." \
	"but in a network namespace of its own, which has no flows"
ct c -C
is "${CT[*]}" 6 "nothing has come of it"

### Messages that are not as they should be.
output=$(in_ns c "$CTNL" errors)
ok $? "what is wrong with a message is answered with the right error"
diag "$output"
mutants=300
[ "$UDPTRACK_KERNEL" != debug ] || mutants=100
for seed in 1 $RANDOM; do
	output=$(in_ns x "$CTNL" mutate "$mutants" "$seed")
	ok $? "every message with changed bytes is answered (seed $seed)"
	read -r refused accepted <<<"$output"
	between "${refused:-0}" $((mutants / 10)) $((mutants * 95 / 100)) "some of them are refused"
	diag "$refused refused, $accepted not"
done

### Deletion.
ct c -D -p udp --sport 4002
is "$CT_STATUS ${#CT[@]} $CT_SAYS" "0 2 2 flow entries have been deleted." "-D deletes what its filter names"
ct c -D -p udp --sport 4002
is "$CT_STATUS $CT_SAYS" "1 0 flow entries have been deleted." "once"
ct c -D -s fe80::a
is "$CT_STATUS ${#CT[@]}" "0 1" "also between link-local addresses"
snap c
is "$(awk '{ print $7, $9 }' "$GEN_DIR/flows" | LC_ALL=C sort | paste -sd,)" \
	"src=$C sport=4003,src=$C6 sport=4001" "the others are still there"
ct c -F -f ipv6
is "$CT_STATUS $CT_SAYS" "0 connection tracking table has been emptied." "-F flushes"
snap c
is "${#FLOWS[@]}" 0 "so that no flow is left, whatever family it names: as with nf_conntrack"
snap s
is "${#FLOWS[@]}" 6 "but for those of other namespaces"

### More flows than fit into one message, and a module in the middle of a listing.
gen "in x" "race 400 127.0.0.1 10000 127.0.0.1 20000"
snap x
ct x -L -o extended
shown 400 "400 flows are listed"
is "$(ct_lines | md5sum)" "$(proc_lines | md5sum)" "as they are"
output=$(in_ns x "$CTNL" hold rmmod udptrack_ctnl 2>"$GEN_DIR/rmmod")
is "$output" "400 1" "nor is one lost of a listing in which the shim is to go"
like "$(<"$GEN_DIR/rmmod")" "in use" "which does not go"
is "$(in_ns x "$CTNL" abandon)" 1 "a listing is begun and given up"
ok "which does not keep the shim" rmmod udptrack_ctnl
ok "that comes back" load_module udptrack_ctnl
ct x -F

### Events.
# listens PID: it is in a group of netlink's family netfilter; of those in its
# namespace, nobody else ever is
# shellcheck disable=SC2317 # called by wait_until
listens() { grep -Eq '^[0-9a-f]+ +12 +[0-9]+ +0*[1-9a-f]' "/proc/$1/net/netlink"; }

# watch NS COMMAND...: have it listen there; its lines go to $EVENTS
EVENTS=$GEN_DIR/events
watch() {
	local ns=$1
	shift
	# Its process is to be the command's own.
	background nsenter --net="/run/netns/$ns" -- "$@" >"$EVENTS" 2>&1
	WATCHER=$BACKGROUND
	wait_until 10 listens "$WATCHER" || bail_out "$1 does not listen"
}
# unwatch: end it, and what it has to say at its end
unwatch() {
	kill "$WATCHER"
	wait "$WATCHER" 2>/dev/null
}
# events PATTERN: the lines that match
events() { grep -cE "$1" "$EVENTS"; }
# shellcheck disable=SC2317 # called by wait_until
saw() { [ "$(events "$2")" = "$1" ]; }
# told NUMBER PATTERN NAME: wait until there are as many such lines
told() {
	wait_until 10 saw "$1" "$2"
	is "$(events "$2")" "$1" "$3" || diag "$(<"$EVENTS")"
}
tuple() { echo "src=$1 dst=$3 sport=$2 dport=$4 "; }

gen "in c" "drain talker" "drain asker" "drain quiet" "in s" "drain s4" "drain s6"
watch c conntrack -E -o id,timestamp
gen_script <<-END
	in x
	race 1 127.0.0.1 10000 127.0.0.1 20000
	in c
	send asker $S 7000 size=20
	send asker6 $S6 7000 size=20
	in s
	recv s4
	answer s6
	in c
	recv asker6
END
four=$(tuple $C 4002 $S 7000) four_back=$(tuple $S 7000 $C 4002)
six=$(tuple $C6 4002 $S6 7000) six_back=$(tuple $S6 7000 $C6 4002)
told 1 "\[NEW\] udp +17 (600|599) ${four}\[UNREPLIED\] ${four_back}id=[0-9]+" "-E tells of a new flow"
told 1 "\[NEW\] udp +17 (600|599) ${six}\[UNREPLIED\] ${six_back}id=[0-9]+" "also of IPv6"
told 1 "\[UPDATE\] udp +17 [0-9]+ ${six}${six_back}id=[0-9]+" "and of its answer"
is "$(grep -c . "$EVENTS")" 3 "and of nothing else, nor of another namespace" || diag "$(<"$EVENTS")"
ct c -D -p udp --sport 4002 -f ipv4
told 1 "\[DESTROY\] udp +17 ([0-9]+ )?${four}packets=1 bytes=48 \[UNREPLIED\] ${four_back}packets=0 bytes=0 delta-time=[0-9]+ id=[0-9]+" \
	"-E tells of a flow that was deleted, with its counters"
ids=$(grep -F "$four" "$EVENTS" | grep -oE 'id=[0-9]+' | sort -u | wc -l)
is "$ids" 1 "whose number is the same from first to last"

# Assured, and expired.
gen "in c" "sleep 2300" "send asker6 $S6 7000" "in s" "answer s6" "in c" "recv asker6"
told 1 "\[UPDATE\] udp +17 [0-9]+ ${six}${six_back}\[ASSURED\] id=[0-9]+" "-E tells of a flow that is assured"
sysctl_in c udptrack_timeout_stream=1
gen "in c" "send asker6 $S6 7000"
told 1 "\[DESTROY\] udp +17 ${six}packets=3 bytes=[0-9]+ ${six_back}packets=2 bytes=[0-9]+ \[ASSURED\] delta-time=([2-9]|[0-9]{2,}) id=[0-9]+" \
	"-E tells of a flow that has expired, without seconds left"
sysctl_in c udptrack_timeout_stream=600

# The shim goes while somebody listens, and comes back.
ok "the shim goes while conntrack -E listens" rmmod udptrack_ctnl
gen "in c" "send quiet $S 7000"
ok "conntrack -E is still there" kill -0 "$WATCHER"
is "$(events "sport=4001")" 0 "and hears nothing"
ok "the shim comes back" load_module udptrack_ctnl
gen "in c" "send talker $S 7000"
told 1 "\[NEW\] .*$(tuple $C 4003 $S 7000)" "and is heard again"
unwatch

# What a listener wants to hear.
watch c conntrack -E -e DESTROY -p udp -s $C
gen "in c" "send talker6 $S6 7000" "send asker $S 7000"
ct c -F
told 1 "\[DESTROY\] .*$(tuple $C 4002 $S 7000)" "-E -e DESTROY -s: what was asked for"
is "$(events "\[(NEW|UPDATE)\]|$C6")" 0 "and nothing else"
sysctl_in c udptrack_events=0
: >"$EVENTS"
gen "in c" "send asker $S 7000"
ct c -F
sysctl_in c udptrack_events=1
gen "in c" "send quiet $S 7000"
ct c -F
told 1 "\[DESTROY\] .*$(tuple $C 4001 $S 7000)" "without udptrack_events nothing is told"
is "$(events "sport=4002")" 0 "of what happened meanwhile"
unwatch

# All that is in the messages, which conntrack does not show: new flows are
# exclusive (0x600), a flow at its end is dying (0x200) beside confirmed (8) and
# answered (2); and which attributes there are, in which order.
messages() {
	watch c "$CTNL" listen
	gen "in c" "drain talker" "in s" "drain s4" "in c" "send quiet $S 7000" "send talker $S 7000" \
		"in s" "recv s4" "answer s4" "in c" "recv talker"
	ct c -F
	wait_until 10 saw 5 .
	unwatch
	MESSAGES=$(sort "$EVENTS")
}
messages
is "$MESSAGES" "0 0x0 0xa 1,2,12,3,7
0 0x600 0x8 1,2,12,3,7
0 0x600 0x8 1,2,12,3,7
2 0x0 0x208 1,2,12,3,7,9,10,20
2 0x0 0x20a 1,2,12,3,7,9,10,20" "beginning, answer and end of two flows, attribute by attribute"
ours=$MESSAGES
to_oracle
ct c -F
messages
is "$ours" "$MESSAGES" "are what nf_conntrack_netlink tells of its own"
from_oracle
# That were nf_conntrack's.
ct c -F

# Namespaces go with events on their way, which are made ready wherever somebody
# listens.  nfnetlink's socket may go before the flows.
watch c "$CTNL" listen
rounds=3
[ "$UDPTRACK_KERNEL" != debug ] || rounds=1
for ((i = 0; i < rounds; i++)); do
	new_netns gone
	printf '%s\n' 'link add sink type dummy' 'link set sink up' 'addr add 192.0.2.1/24 dev sink' |
		ip -n gone -batch -
	background nsenter --net=/run/netns/gone "$BIN/flood" -s 192.0.2.1 -d 192.0.2.9 -S 500 -D 1000 -t 500 >/dev/null
	wait_until 10 in_ns gone grep -q . /proc/net/udptrack || bail_out "no flood"
	ip netns del gone
	kill -9 "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null
done
ok "who listens while namespaces go still does" kill -0 "$WATCHER"
is "$(events .)" 0 "and hears nothing of them"
unwatch

# One that does not keep up.
ct x -F
output=$(printf '%s\n' "race 100 127.0.0.1 10000 127.0.0.1 20000" sync |
	in_ns x "$CTNL" lag "$BIN/udpgen")
like "$output" $'^lost\n0 0x600 ' "who does not keep up learns that events were lost"
between "$(grep -c '^0' <<<"$output")" 1 100 "and gets those that there was room for"
snap x
is "${#FLOWS[@]}" 100 "no flow is lost for it"
ct x -F

# More events at once than are kept until they can be sent, as nobody can send them
# while something more urgent holds the only processor on which that is done.
# urgent MASK RT SHARE: work that waits is done there; urgent tasks may run for so
# many microseconds a second, and the others then have so many nanoseconds
urgent() {
	echo "$1" >/sys/devices/virtual/workqueue/cpumask
	sysctl -qw kernel.sched_rt_runtime_us="$2"
	# Older kernels have none.
	[ ! -f $share ] || echo "$3" >$share
}
share=/sys/kernel/debug/sched/fair_server/cpu0/runtime
before=("$(</sys/devices/virtual/workqueue/cpumask)" "$(sysctl -n kernel.sched_rt_runtime_us)"
	"$(cat $share 2>/dev/null)")
urgent 1 -1 0
# burst FLOWS: end so many flows
burst() {
	in_ns x "$BIN/flood" -s 127.0.0.1 -d 127.0.0.2 -S $(($1 / 50)) -D 50 >/dev/null
	snap x
	is "${#FLOWS[@]}" "$1" "$1 flows"
	output=$(in_ns x "$CTNL" burst taskset 1 chrt -f 10 conntrack -F)
}
burst 500
is "$output" "500 all" "of which every end is told"
burst 5000
like "$output" "^[1-9][0-9]* lost$" "of which some ends are not, and that is told"
between "${output% *}" 1000 4999 "others are"
urgent "${before[@]}"

### ulogd.
cat >"$GEN_DIR/ulogd.conf" <<-END
	[global]
	logfile="$GEN_DIR/ulogd.log"
	loglevel=3
	stack=ct1:NFCT,ip2str1:IP2STR,json1:JSON
	[ct1]
	hash_enable=1
	[json1]
	sync=1
	file="$GEN_DIR/ulogd.json"
END
plugins=$(dirname "$(dpkg -L ulogd2 | grep -m1 ulogd_inpflow_NFCT.so)")
for plugin in inpflow_NFCT filter_IP2STR output_JSON; do
	sed -i "1a plugin=\"$plugins/ulogd_$plugin.so\"" "$GEN_DIR/ulogd.conf"
done
background nsenter --net=/run/netns/c -- ulogd -v -c "$GEN_DIR/ulogd.conf" >"$GEN_DIR/ulogd.err" 2>&1
ulogd=$BACKGROUND
ok "ulogd listens" wait_until 10 listens "$ulogd" || diag "$(<"$GEN_DIR/ulogd.err")"
gen_script <<-END
	in c
	drain talker
	drain asker6
	in s
	drain s4
	drain s6
	in c
	send talker $S 7000 size=70
	send asker6 $S6 7000 size=80
	in s
	answer s4
	answer s6
	in c
	recv talker
	recv asker6
END
ct c -F
# shellcheck disable=SC2317 # called by wait_until
logged() { [ "$(wc -l <"$GEN_DIR/ulogd.json")" = 2 ]; }
ok "ulogd logs two flows" wait_until 10 logged
output=$(python3 -c '
import json, sys
for line in sys.stdin:
    flow = json.loads(line)
    print(*(flow.get(key) for key in ("src_ip", "orig.l4.sport", "dest_ip", "orig.l4.dport",
        "orig.ip.protocol", "orig.raw.pktcount", "orig.raw.pktlen", "reply.raw.pktcount", "reply.raw.pktlen")),
        int(flow.get("flow.end.sec", 0) >= flow.get("flow.start.sec", 1e10) > 1e9))' \
	<"$GEN_DIR/ulogd.json" | sort)
is "$output" "$C 4003 $S 7000 17 1 98 1 98 1
$C6 4002 $S6 7000 17 1 128 1 128 1" "with addresses, ports, counters and times" ||
	diag "$(cat "$GEN_DIR"/ulogd.{json,log,err})"
kill "$ulogd"; wait "$ulogd" 2>/dev/null

# It asks again and again, and logs what is no longer there.
sed -i 's/^\[ct1\]/&\npollinterval=1/' "$GEN_DIR/ulogd.conf"
: >"$GEN_DIR/ulogd.json"
background nsenter --net=/run/netns/c -- ulogd -v -c "$GEN_DIR/ulogd.conf" >"$GEN_DIR/ulogd.err" 2>&1
ulogd=$BACKGROUND
# shellcheck disable=SC2317 # called by wait_until
polled() {
	gen "in c" "send quiet $S 7000"
	sleep 1.5
	ct c -F
	sleep 1.5
	grep -q '"orig.l4.sport": *4001' "$GEN_DIR/ulogd.json"
}
ok "ulogd with pollinterval logs a flow as well" wait_until 10 polled || diag "$(cat "$GEN_DIR"/ulogd.{json,log,err})"
kill "$ulogd"; wait "$ulogd" 2>/dev/null

done_testing
