#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# /proc/net/udptrack and /proc/net/stat/udptrack: their format to the letter; a
# listing shows every flow once, at any size, in time that grows with the
# number of flows and no faster; and whole lines, however it is read, while
# flows come and go.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sysctls=/proc/sys/net/netfilter
out=$(mktemp -d)
trap 'rm -rf "$out"; at_exit' EXIT
sizes=(10000 50000 100000) crowd=1500 third=100 gap=50
# An emulated debug kernel takes a hundredth of a second for each packet.
[ "$UDPTRACK_KERNEL" = debug ] && sizes=(500 1000 2000) crowd=300 third=20 gap=20000
plan 55

# The same in awk and in bash.
n='[0-9]+'
ip4='[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+'
ip6='[0-9a-f:]*:[0-9a-f:.]*'
count="( packets=$n bytes=$n)"
v4="^ipv4     2 udp      17 $n (NEW|ESTABLISHED) src=$ip4 dst=$ip4 sport=$n dport=$n$count?( \\[UNREPLIED\\])? src=$ip4 dst=$ip4 sport=$n dport=$n$count?( \\[ASSURED\\])?( uid=$n( pid=$n)?( cgroup=$n)?( comm=[^ ]+)?)?\$"
v6=${v4//"$ip4"/"$ip6"}
v6=${v6/ipv4     2/ipv6     10}
line="($v4)|($v6)"

# check FILE: print how many lines it has, how many of those are no flow and
# how many show a flow that another line has shown
check() {
	awk -v line="$line" '
		$0 !~ line { bad++ }
		seen[$7 $8 $9 $10]++ { again++ }
		END { print NR + 0, "lines", bad + 0, "bad", again + 0, "again" }' "$1"
}

# timeless FILE: without the seconds left
timeless() { sed 's/ 17 [0-9]* / 17 /' "$@"; }

# --- the format

load_udptrack timeout=600 timeout_stream=700
ns=p
here() { in_ns "$ns" "$@"; }
put() { here sysctl -qw "net.netfilter.udptrack_$1=$2"; }
new_netns p
ip -n p link add sink type dummy
ip -n p link set sink up
ip -n p addr add 192.0.2.1/24 dev sink
ip -n p addr add 2001:db8::1/64 dev sink nodad

is "$(here cat /proc/net/udptrack | wc -c)" 0 'no flow, no line'

# shellcheck disable=SC2016
here bash -c '"$0/flood" -s 127.0.0.1 -d 127.0.0.2 -P 1001 -p 2001 -b 20
	"$0/flood" -s ::1 -d ::1 -P 1002 -p 2002 -b 20 -E
	"$0/flood" -s 192.0.2.1 -d 192.0.2.77 -P 65535 -p 1 -b 0 -c 3
	"$0/flood" -s 2001:db8::1 -d 2001:db8::a:0:0:7 -P 1004 -p 2004 -b 1' "$BIN" >/dev/null
mapfile -t flows < <(here cat /proc/net/udptrack)
is "${#flows[@]}" 4 'four flows, four lines'
for i in 0 1 2 3; do
	like "${flows[i]}" "$line" "line $i: as it should be, to the letter"
done
who=' uid=0 pid=[0-9]+ cgroup=[0-9]+ comm=flood'
left='(600|59[0-9]|58[0-9])'
like "${flows[0]}" "^ipv4     2 udp      17 $left NEW src=127.0.0.1 dst=127.0.0.2 sport=1001 dport=2001 packets=1 bytes=48 \\[UNREPLIED\\] src=127.0.0.2 dst=127.0.0.1 sport=2001 dport=1001 packets=0 bytes=0$who\$" \
	'IPv4, one packet'
like "${flows[1]}" "^ipv6     10 udp      17 $left ESTABLISHED src=::1 dst=::1 sport=1002 dport=2002 packets=1 bytes=68 src=::1 dst=::1 sport=2002 dport=1002 packets=1 bytes=68$who\$" \
	'IPv6, answered'
like "${flows[2]}" "^ipv4     2 udp      17 $left NEW src=192.0.2.1 dst=192.0.2.77 sport=65535 dport=1 packets=3 bytes=84 \\[UNREPLIED\\] src=192.0.2.77 dst=192.0.2.1 sport=1 dport=65535 packets=0 bytes=0$who\$" \
	'IPv4, empty datagrams, outermost ports'
like "${flows[3]}" "^ipv6     10 udp      17 $left NEW src=2001:db8::1 dst=2001:db8::a:0:0:7 sport=1004 dport=2004 packets=1 bytes=49 \\[UNREPLIED\\] src=2001:db8::a:0:0:7 dst=2001:db8::1 sport=2004 dport=1004 packets=0 bytes=0$who\$" \
	'IPv6, its addresses in short form'

# A stream: both ends speak, and one of them again after 2 s.
sleep 2.2
here "$BIN/flood" -s ::1 -d ::1 -P 1002 -p 2002 -b 20 -E >/dev/null
like "$(here sed -n 2p /proc/net/udptrack)" "^ipv6     10 udp      17 (700|69[0-9]|68[0-9]) ESTABLISHED src=::1 dst=::1 sport=1002 dport=2002 packets=2 bytes=136 src=::1 dst=::1 sport=2002 dport=1002 packets=2 bytes=136 \\[ASSURED\\]$who\$" \
	'a stream is assured'

put acct 0
# shellcheck disable=SC2016
here bash -c '"$0/flood" -P 1005 -p 2005; "$0/flood" -P 1006 -p 2006 -E' "$BIN" >/dev/null
put acct 1
mapfile -t flows < <(here cat /proc/net/udptrack)
like "${flows[4]}" "^ipv4     2 udp      17 $n NEW src=127.0.0.1 dst=127.0.0.1 sport=1005 dport=2005 \\[UNREPLIED\\] src=127.0.0.1 dst=127.0.0.1 sport=2005 dport=1005$who\$" \
	'without accounting: no counters'
like "${flows[5]}" "^ipv4     2 udp      17 $n ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=1006 dport=2006 src=127.0.0.1 dst=127.0.0.1 sport=2006 dport=1006$who\$" \
	'without accounting: no counters in an answered flow'

# The totals.
mapfile -t stat < <(here cat /proc/net/stat/udptrack)
like "${stat[0]}" '^entries found new expired evicted full alloc_failed( [a-z_]+)*$' 'totals: a header'
cpus=$(grep -c '' < <(ls -d /sys/devices/system/cpu/cpu[0-9]*))
is "$((${#stat[@]} - 1))" "$cpus" 'totals: a row for each CPU'
columns=$(wc -w <<<"${stat[0]}")
rows=0 new=0
for row in "${stat[@]:1}"; do
	[[ "$row " =~ ^([0-9a-f]{8} ){$columns}$ ]] && rows=$((rows + 1))
	read -r entries _ made _ <<<"$row"
	new=$((new + 16#$made))
done
is "$rows" "$cpus" 'totals: each row has a number in hex under each name'
is "$((16#$entries)) $new" '6 6' 'totals: entries and new'

# --- whole, however many, and no slower for each

# fill NUMBER: new flows, so that there are so many
fill() {
	local have=$(($(here cat $sysctls/udptrack_count)))
	local more=$(($1 - have))
	# A thousand source ports at a time, to other ports each time.
	while [ "$more" -gt 0 ]; do
		local ports=$((more < 1000 ? more : 1000))
		local times=$((more / ports))
		here "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 10000 -S $ports -p $next_port -D $times >/dev/null
		next_port=$((next_port + times))
		more=$((more - ports * times))
	done
}
next_port=20000

# time_list: how long a listing takes, in microseconds: the fastest of a few
time_list() {
	# shellcheck disable=SC2016
	here bash -c 'for i in 1 2 3; do
		begin=${EPOCHREALTIME/./}
		cat /proc/net/udptrack >/dev/null
		end=${EPOCHREALTIME/./}
		echo $((end - begin))
	done' | sort -n | head -n 1
}

declare -A per_flow_ns
table='   flows       ms   us/flow'
for size in "${sizes[@]}"; do
	fill "$size"
	is "$(here cat $sysctls/udptrack_count)" "$size" "$size flows: counted"
	here cat /proc/net/udptrack >"$out/list"
	is "$(check "$out/list")" "$size lines 0 bad 0 again" "$size flows: each is listed once"
	us=$(time_list)
	per_flow_ns[$size]=$((us * 1000 / size))
	table+=$(printf '\n%8d %8d %9d.%d' "$size" $((us / 1000)) $((us / size)) $((us * 10 / size % 10)))
done
diag "$table"
# Others may disturb a measurement; a listing that goes back to the start at
# every read stays ten times slower however often it is tried.
few=${sizes[0]} many=${sizes[2]}
for _ in 1 2 3 4 5; do
	[ "${per_flow_ns[$many]}" -le $((2 * per_flow_ns[$few])) ] && break
	per_flow_ns[$many]=$(($(time_list) * 1000 / many))
done
ok "$many flows: at most twice the time for each that $few take" \
	[ "${per_flow_ns[$many]}" -le $((2 * per_flow_ns[$few])) ]
is "$(here bash -c 'head -n 1 /proc/net/udptrack | wc -l')" 1 "$many flows: the first line alone"
is "$(here tail -n 5 /proc/net/udptrack | timeless)" "$(tail -n 5 "$out/list" | timeless)" "$many flows: the last lines"

ip netns del p

# --- while flows come and go

# Answered flows stay, whatever comes: the flood evicts unanswered ones only.
# They begin while it runs, so that their places are among those that change.
ns=q
new_netns q
ip -n q link add sink type dummy
ip -n q link set sink up
ip -n q addr add 192.0.2.1/24 dev sink
put max $crowd
background nsenter --net=/run/netns/q "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 10000 -S 1000 \
	-p 20000 -D 10 -t 500 -g $gap >/dev/null
churn=$BACKGROUND
wait_until 20 here bash -c "[ \$(cat $sysctls/udptrack_count) -ge $crowd ]"
stay=$((3 * third))
for from in 1000 1100 1200; do
	here "$BIN/flood" -P $from -S $third -p 3000 -c 2 -E >/dev/null
done

# staying FILE: how many of those that stay are there
staying() { grep -cE '(ESTABLISHED) src=127.0.0.1 .* dport=3000 ' "$1"; }

# listing NAME FILE: assert that it is a listing, and a whole one
listing() {
	like "$(check "$2")" '^[0-9]+ lines 0 bad 0 again$' "$1: no torn line, no flow twice"
	is "$(staying "$2")" "$stay" "$1: every flow that stays"
}

here cat /proc/net/udptrack >"$out/first"
for round in 1 2 3; do
	here cat /proc/net/udptrack >"$out/cat"
	listing "cat, $round" "$out/cat"
done
here dd if=/proc/net/udptrack bs=7 status=none >"$out/seven"
listing '7 bytes at a time' "$out/seven"
here dd if=/proc/net/udptrack bs=300 status=none >"$out/more"
listing '300 bytes at a time' "$out/more"
here dd if=/proc/net/udptrack bs=1M status=none >"$out/mega"
listing '1 MB at a time' "$out/mega"
isnt "$(timeless "$out/first")" "$(timeless "$out/mega")" \
	'flows do come and go meanwhile'

for round in 1 2 3; do
	here head -n 1 /proc/net/udptrack >"$out/head"
	is "$(check "$out/head")" '1 lines 0 bad 0 again' "head -n 1, $round"
done

here dd if=/proc/net/udptrack bs=1 count=4000 status=none >"$out/one"
is "$(wc -c <"$out/one")" 4000 'a byte at a time: as many as asked for'
head -n -1 "$out/one" >"$out/one.whole"
like "$(check "$out/one.whole")" '^[12][0-9] lines 0 bad 0 again$' 'a byte at a time: no torn line, no flow twice'

# From the middle: the kernel lists what is before, too, to know where it is.
bytes=$(wc -c <"$out/mega")
for from in 1 200 10001 $((bytes / 2)); do
	here tail -c +"$from" /proc/net/udptrack >"$out/tail"
	if [ "$from" = 1 ]; then
		cp "$out/tail" "$out/tail.whole"
	else
		sed 1d "$out/tail" >"$out/tail.whole"
	fi
	like "$(check "$out/tail.whole")" '^[0-9]+ lines 0 bad 0 again$' "from byte $from on: no torn line, no flow twice"
done
here dd if=/proc/net/udptrack bs=1000 skip=20 count=1 status=none >"$out/middle"
is "$(wc -c <"$out/middle")" 1000 'pread() in the middle: as many bytes as asked for'
sed -e 1d -e '$d' "$out/middle" >"$out/middle.whole"
like "$(check "$out/middle.whole")" '^[2-6] lines 0 bad 0 again$' 'pread() in the middle: no torn line, no flow twice'
# shellcheck disable=SC2016
here bash -c 'exec 3</proc/net/udptrack
	for i in {1..40}; do read -r -u 3 line; echo "$line"; done' >"$out/slow"
is "$(check "$out/slow")" '40 lines 0 bad 0 again' 'line by line'

ok 'flows came and went to the end' kill "$churn"
wait "$churn" 2>/dev/null

# --- a small table to the end, a byte at a time

ns=r
new_netns r
here "$BIN/flood" -S 20 >/dev/null
here dd if=/proc/net/udptrack bs=1 status=none >"$out/small"
is "$(check "$out/small")" '20 lines 0 bad 0 again' '20 flows, a byte at a time: whole'
here cat /proc/net/udptrack >"$out/small.cat"
is "$(timeless "$out/small")" "$(timeless "$out/small.cat")" '20 flows, a byte at a time: as cat shows it'
# shellcheck disable=SC2016
is "$(here bash -c 'exec 3</proc/net/udptrack; cat <&3; "$0/flood" -P 9 >/dev/null; cat <&3' "$BIN" | wc -l)" 20 \
	'at its end a listing stays'

done_testing
