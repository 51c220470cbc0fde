#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A full table: no packet is dropped for it, the table stays within its
# maximum, one-way flows make room and answered ones do not; max may change at
# any time; memory comes back once flows expire; and when there is none, the
# packet passes untracked.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sysctls=/proc/sys/net/netfilter
failslab=/sys/kernel/debug/failslab
slab=/sys/kernel/slab/udptrack_flow
# An emulated debug kernel takes a hundredth of a second for each packet.
crowd=2000 share=1000 rounds=5 pause=0.001
[ "$UDPTRACK_KERNEL" = debug ] && crowd=200 share=120 rounds=1 pause=0.5

plan 34
load_udptrack timeout=600

ns=''
here() { in_ns "$ns" "$@"; }
put() { here sysctl -qw "net.netfilter.udptrack_$1=$2"; }
count() { here cat $sysctls/udptrack_count; }
flows() { here cat /proc/net/udptrack; }
flood() { here "$BIN/flood" "$@"; }

# counter NAME: of all CPUs
counter() {
	# shellcheck disable=SC2016
	here awk -v name="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
		{ print "0x" $column }' /proc/net/stat/udptrack | (
		sum=0
		while read -r value; do sum=$((sum + value)); done
		echo $sum
	)
}

# --- one-way flows make room for each other

ns=a
new_netns a
put max 100
# Look all the time how many there are.
# shellcheck disable=SC2016
background nsenter --net=/run/netns/a bash -c 'end=$((SECONDS + 300)) most=0
	exec 3<> <(:)
	while [ $SECONDS -lt $end ] && [ ! -e /run/60-full.stop ]; do
		read -r -t "$0" -u 3
		mapfile -t lines </proc/net/udptrack
		[ ${#lines[@]} -gt $most ] && most=${#lines[@]} && echo $most >/run/60-full.most
	done' $pause
watcher=$BACKGROUND
for family in 127.0.0.1 ::1; do
	is "$(flood -s $family -d $family -S $crowd -R)" "sent=$crowd failed=0 received=$crowd answered=0" \
		"$family: $crowd flows where 100 fit: every packet arrives"
	is "$(count) $(flows | wc -l)" '100 100' "$family: there are 100 of them"
done
is "$(counter new) $(counter evicted) $(counter full) $(counter alloc_failed) $(counter insert_failed)" \
	"$((2 * crowd)) $((2 * crowd - 100)) 0 0 0" 'the others made room, and are counted'
touch /run/60-full.stop
wait "$watcher"
between "$(cat /run/60-full.most)" 90 100 'there were never more'
rm -f /run/60-full.*

# Several at once, on all CPUs.
sum=0
for i in 1 2 3 4; do
	flood -P $((10000 * i)) -S $share -p $((3000 + i)) -R >"/run/60-full.$i" &
	pids[i]=$!
done
for i in 1 2 3 4; do
	wait "${pids[i]}"
	[ "$(cat "/run/60-full.$i")" = "sent=$share failed=0 received=$share answered=0" ] && sum=$((sum + 1))
done
rm -f /run/60-full.*
is "$sum" 4 'four floods at once: every packet arrives'
between "$(count)" 90 100 'four floods at once: the table stays within its maximum'

# --- answered flows do not

ns=b
new_netns b
put max 100
flood -P 1000 -S 50 -p 3000 -E >/dev/null
is "$(flood -S $share -R)" "sent=$share failed=0 received=$share answered=0" 'a flood beside 50 answered flows: every packet arrives'
is "$(flows | grep -c 'ESTABLISHED .* dport=3000 ')" 50 'the 50 are all there'
is "$(count)" 100 'the table is full'
# The search for a flow that may go is bounded: of 50 answered ones together,
# it passes over a few at a time, and once only.
passed_over=$(counter full)
between "$passed_over" 0 5 'and had room for all but a few'

flood -P 1050 -S 50 -p 3000 -E >/dev/null
is "$(flows | grep -c 'ESTABLISHED .* dport=3000 ')" 100 'new ones that are answered take the place of the flood'
before=$(flows | sed 's/ 17 [0-9]* / /')
is "$(flood -P 2000 -S 30 -p 4000 -E)" 'sent=30 failed=0 received=30 answered=30' \
	'nothing but answered flows: new packets and their answers arrive'
is "$(($(counter full) - passed_over))" 60 'they are counted'
is "$(flows | sed 's/ 17 [0-9]* / /')" "$before" 'they are untracked: the table is as it was'
flood -P 1000 -S 50 -p 3000 >/dev/null
is "$(flows | grep -c 'packets=2 .* packets=1 ')" 50 'flows in the table go on as before'

# --- another maximum

put max 10
is "$(flood -P 2000 -S 20 -p 4000 -R)" 'sent=20 failed=0 received=20 answered=0' \
	'a maximum below what is there: packets arrive'
is "$(count)" 100 'answered flows stay'
put max 110
flood -P 2000 -S 30 -p 4000 >/dev/null
is "$(count) $(flows | grep -c ' dport=4000 ')" '110 10' 'a higher one: there is room again, at once'

ns=c
new_netns c
flood -S 100 >/dev/null
put max 10
is "$(flood -P 2000 -S 200 -p 4000 -R)" 'sent=200 failed=0 received=200 answered=0' \
	'a maximum below the number of one-way flows: packets arrive'
between "$(count)" 1 100 'their number does not grow'
is "$(flood -P 2000 -S 200 -p 4000 -R)" 'sent=200 failed=0 received=200 answered=0' 'and goes on'

# --- memory comes back

ns=d
new_netns d
put timeout 1
flood -S $share -D $rounds >/dev/null
is "$(counter new)" $((share * rounds)) 'thousands of flows of a second'
is "$(wait_until 10 here bash -c "sleep 1; [ \$(cat $sysctls/udptrack_count) = 0 ]"; echo $?)" 0 'the collector frees them all'
is "$(counter expired)" $((share * rounds)) 'they are counted'
# The kernel frees what is only in use for want of a grace period later.
for i in a b c; do ip netns del $i; done
# shellcheck disable=SC2317 # called by wait_until
all_free() {
	echo 1 >"$slab/shrink"
	read -r objects _ <"$slab/objects"
	[ "$objects" = 0 ]
}
if [ "$(readlink $slab)" ]; then
	skip 1 'the flows share their slab with others (boot with slab_nomerge)'
else
	ok 'no flow is left in memory' wait_until 10 all_free
fi

# --- no memory

ns=e
new_netns e
if [ ! -w $slab/failslab ] || [ ! -d $failslab ]; then
	skip 7 'no fault injection in this kernel'
else
	flood -P 1000 -S 10 -p 3000 -E >/dev/null
	# Only where flows come from.
	echo 1 >$slab/failslab
	for setting in cache-filter:Y task-filter:N ignore-gfp-wait:N verbose:0 interval:1 times:-1 probability:100; do
		echo "${setting#*:}" >"$failslab/${setting%:*}"
	done
	# Memory comes by the page: use up what there is.
	flood -P 6000 -S 100 -p 2000 -E >/dev/null
	before=$(counter alloc_failed)
	result=$(flood -P 2000 -S 100 -p 4000 -E)
	known=$(flood -P 1000 -S 10 -p 3000 -E)
	echo 90 >$failslab/probability
	some=$(flood -P 3000 -S 400 -p 5000 -R)
	echo 0 >$failslab/probability
	echo 0 >$slab/failslab
	is "$result" 'sent=100 failed=0 received=100 answered=100' 'no memory for a flow: packets and answers arrive'
	is "$(flows | grep -c ' dport=4000 ')" 0 'no memory for a flow: none is there'
	is "$known $(flows | grep -c 'packets=2 .* packets=2 ')" 'sent=10 failed=0 received=10 answered=10 10' \
		'no memory for a flow: those that are there go on'
	is "$some" 'sent=400 failed=0 received=400 answered=0' 'memory now and then: packets arrive'
	made=$(flows | grep -c ' dport=5000 ')
	between "$made" 40 390 'memory now and then: some flows are made'
	is $(($(counter alloc_failed) - before)) $((200 + 400 - made)) 'each packet without a flow is counted'
	is "$(count)" "$(flows | wc -l)" 'and the count is right'
fi

done_testing
