#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The netlink family: every request, every attribute of the filter, who may ask
# for what, what is said of a request that makes no sense, and the events: all
# that happens to flows, in order and numbered, with reasons, counters and times.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"; at_exit' EXIT
many=20000 burst=20000 goings=3
[ "$UDPTRACK_KERNEL" = debug ] && many=600 burst=600 goings=1	# the same, less often

# nl_start NAME [COMMAND...]: an nl.py for nl and NAME, run by the command
declare -A NL_TO NL_FROM
nl_start() {
	local name=$1 to from
	shift
	mkfifo "$work/$name.in" "$work/$name.out"
	# shellcheck disable=SC2016 # for that shell
	background bash -c 'exec "${@:3}" <"$1" >"$2"' - "$work/$name.in" "$work/$name.out" \
		"$@" python3 "$TOP/tests/e2e/nl.py"
	exec {to}>"$work/$name.in" {from}<"$work/$name.out"
	NL_TO[$name]=$to NL_FROM[$name]=$from
}

# nl NAME LINE...: have it do these; LINES are what it said, ANSWER all of them
LINES=() ANSWER=''
nl() {
	local name=$1 line
	shift
	printf '%s\n' "$@" 'echo END' >&"${NL_TO[$name]}"
	LINES=()
	while read -r -t 300 -u "${NL_FROM[$name]}" line; do
		[ "$line" != END ] || break
		LINES+=("$line")
	done
	[ "$line" = END ] || bail_out "nl.py died: $*"
	printf -v ANSWER '%s\n' "${LINES[@]}"
	ANSWER=${ANSWER%$'\n'}
}

# nl_is EXPECTED NAME LINE...: assert the whole answer of the first nl.py
nl_is() {
	local expected=$1 what=$2
	shift 2
	nl root "$@"
	is "$ANSWER" "$expected" "$what"
}

# value ATTR LINE: print the value of an attribute in a line
value() { [[ " $2 " == *" $1="* ]] && { set -- "$1" "${2#*"$1="}"; printf '%s\n' "${2%% *}"; }; }

# Who is there before the family is.
nl_start early setpriv --reuid 65534 --regid 65534 --clear-groups
nl early early
is "$ANSWER" some 'anybody may join the number of a group that is not there yet'
load_udptrack timeout=600 timeout_stream=700 max=100000
gen_start
ip link set lo up
"$BIN/flood" -P 3999 -p 9 >/dev/null
ok 'a flow' grep -q sport=3999 /proc/net/udptrack
nl early late
is "$ANSWER" 0 'but is told of nothing, once it is there'
two_netns
nl_start root
nl root 'in c'

# --- the same as /proc

gen "in s" "udp r 192.0.2.2 5000" "udp r6 2001:db8::2 5000" "udp d 192.0.2.2 53" \
	"in c" "udp a 192.0.2.1 4001 to=192.0.2.2,5000" "udp b 192.0.2.1 4002 to=192.0.2.2,5000" \
	"udp c 2001:db8::1 4003 to=2001:db8::2,5000" "udp q 192.0.2.1 4053 to=192.0.2.2,53" \
	"send a - -" "send b - -" "send c - -" "send q - - size=40 dns=7,0100" \
	"recv r 2" "recv r6" "recv d" "send r 192.0.2.1 4002 size=100" "recv b"
in_ns c setpriv --reuid 1234 --clear-groups "$BIN/flood" -s 192.0.2.1 -d 192.0.2.9 -P 4004 -p 9 >/dev/null
sysctl_in c udptrack_acct=0
gen "in c" "udp e 192.0.2.1 4005" "send e 192.0.2.2 5000" "recv r"
sysctl_in c udptrack_acct=1
nl root proc
is "$ANSWER" "$(in_ns c sed 's/ 17 [0-9]* / 17 /' /proc/net/udptrack)"$'\n'ok 'a dump shows what /proc/net/udptrack shows'
is "${#LINES[@]}" 7 'which is six flows'
nl root 'dump get'
like "${LINES[0]}" '^tuple-orig.ip.v4-src=192.0.2.1 tuple-orig.ip.v4-dst=192.0.2.2 tuple-orig.proto.num=17 tuple-orig.proto.src-port=4001 tuple-orig.proto.dst-port=5000 tuple-reply.ip.v4-src=192.0.2.2 tuple-reply.ip.v4-dst=192.0.2.1 tuple-reply.proto.num=17 tuple-reply.proto.src-port=5000 tuple-reply.proto.dst-port=4001 id=1 state=new status=0 timeout=[56][0-9][0-9] counters-orig.packets=1 counters-orig.bytes=[0-9]+ counters-reply.packets=0 counters-reply.bytes=0 timestamp.start=[0-9]{19} owner.uid=0 owner.pid=[0-9]+ owner.comm=udpgen owner.cgroup=[0-9]+$' \
	'a flow, to the letter'
like "${LINES[3]}" ' dns.out=1 dns.ok=0 dns.forged=0 dns.rtt-us=0 dns.unanswered=0$' 'one with a question'
start=$(value timestamp.start "${LINES[0]}")
between $(($(date +%s) - start / 1000000000)) 0 120 'it began when it did'
id=$(value id "${LINES[1]}")

# --- one flow

orig='tuple-orig.ip.v4-src=192.0.2.1 tuple-orig.ip.v4-dst=192.0.2.2 tuple-orig.proto.src-port=4002 tuple-orig.proto.dst-port=5000'
back='tuple-orig.ip.v4-src=192.0.2.2 tuple-orig.ip.v4-dst=192.0.2.1 tuple-orig.proto.src-port=5000 tuple-orig.proto.dst-port=4002'
for asked in "id=$id" "$orig" "$back" "$orig id=$id" "${orig//orig/reply}" "$orig ${back//orig/reply}" "$orig tuple-orig.proto.num=17"; do
	nl root "do get $asked"
	like "$ANSWER" "src-port=4002 tuple-orig.proto.dst-port=5000 .* id=$id state=established status=seen-reply .* counters-reply.packets=1 .*"$'\n'ok \
		"get: ${asked:0:60}"
done
nl root 'do get tuple-orig.ip.v6-src=2001:db8::1 tuple-orig.ip.v6-dst=2001:db8::2 tuple-orig.proto.src-port=4003 tuple-orig.proto.dst-port=5000'
like "$ANSWER" 'v6-src=2001:db8::1 .* state=new ' 'get: IPv6'
nl_is $'error ENOENT\nerror ENOENT\nerror ENOENT' 'get: none of that id, of that tuple, of both' \
	'do get id=999999' "do get ${orig/4002/4009}" "do get $orig id=1"

# --- filters

# filters TEXT PORTS: a dump so filtered shows the flows with these source ports
filters() { nl_is "$2${2:+ }ok" "filter: ${1:-none}" "ports get $1"; }
all='4001 4002 4003 4053 4004 4005'
filters '' "$all"
filters filter= "$all"
filters filter.family=2 '4001 4002 4053 4004 4005'
filters filter.family=10 4003
filters filter.src=192.0.2.1 '4001 4002 4053 4004 4005'
filters filter.src=192.0.2.2 ''
filters 'filter.src=192.0.2.0 filter.src-prefix-len=24' '4001 4002 4053 4004 4005'
filters 'filter.src=192.0.2.2 filter.src-prefix-len=31' ''
filters 'filter.src=10.0.0.0 filter.src-prefix-len=0' '4001 4002 4053 4004 4005'
filters filter.dst=192.0.2.9 4004
filters 'filter.dst=192.0.2.8 filter.dst-prefix-len=31' 4004
filters filter.dst=2001:db8::2 4003
filters 'filter.dst=2001:db8:: filter.dst-prefix-len=64' 4003
filters filter.src-port=4053 4053
filters filter.dst-port=5000 '4001 4002 4003 4005'
filters filter.state=new '4001 4003 4053 4004 4005'
filters filter.state=established 4002
filters filter.status=1 4002
filters filter.status=2 ''
filters filter.status=4 ''
filters filter.uid=1234 4004
filters filter.uid=0 '4001 4002 4003 4053 4005'
filters filter.uid=4321 ''
filters filter.comm=flood 4004
filters filter.comm=udpgen '4001 4002 4003 4053 4005'
filters filter.comm=udpge ''
filters filter.dns-trouble=unanswered 4053
filters filter.dns-trouble=forged ''
filters filter.dns-trouble=3 4053
filters filter.reply-src=192.0.2.9 4004
filters 'filter.reply-src=192.0.2.2 filter.reply-src-prefix-len=30' '4001 4002 4053 4005'
filters filter.reply-dst=192.0.2.1 '4001 4002 4053 4004 4005'
filters 'filter.reply-dst=2001:: filter.reply-dst-prefix-len=16' 4003
filters 'filter.src=192.0.2.1 filter.dst=192.0.2.2 filter.dst-port=5000 filter.state=new filter.uid=0' '4001 4005'

# --- what makes no sense

# late TEXT: what is said at the start of a dump; 6.1 has no words there
late() { if [ "$UDPTRACK_KERNEL" = 6.1 ]; then echo EINVAL; else echo "$1"; fi; }

# refused TEXT REQUEST: it fails, and this is what is said
refused() {
	local what=$1
	shift
	nl_is "error $what" "refused: $*" "$*"
}

needed='EINVAL tuple-orig, tuple-reply or id is needed; a dump shows all flows'
refused "$needed" 'do get'
refused 'EINVAL filter: only in a dump at filter' 'do get filter.family=2'
refused "$(late 'EINVAL tuple-orig, tuple-reply, id: not in a dump')" 'dump get id=1'
refused 'EINVAL tuple: ip and proto are needed at tuple-orig needs 2' 'do get tuple-orig.ip.v4-src=1.2.3.4'
refused 'EINVAL ip: a source and a destination of one family are needed at tuple-orig.ip' \
	'do get tuple-orig.ip.v4-src=1.2.3.4 tuple-orig.proto.src-port=1'
refused 'EINVAL ip: a source and a destination of one family are needed at tuple-orig.ip' \
	'do get tuple-orig.ip.v4-src=1.2.3.4 tuple-orig.ip.v6-dst=::1 tuple-orig.proto.src-port=1'
refused 'EINVAL proto: src-port and dst-port are needed at tuple-orig.proto' \
	'do get tuple-orig.ip.v4-src=1.2.3.4 tuple-orig.ip.v4-dst=1.2.3.4 tuple-orig.proto.src-port=1'
refused 'ERANGE integer out of range at tuple-orig.proto.num' "do get $orig tuple-orig.proto.num=6"
refused 'EINVAL tuple-reply: not the inverse of tuple-orig at tuple-reply' "do get $orig ${back//orig/reply}9"
refused 'ERANGE integer out of range at id' 'do get id=0'
refused 'EINVAL Unsupported attribute at state' 'do get state=new'
refused 'EINVAL Unknown attribute type at reason' 'do get reason=1'
refused "$(late 'EINVAL family: neither AF_INET nor AF_INET6 at filter.family')" 'dump get filter.family=7'
refused "$(late 'EINVAL prefix-len: of which address? at filter.dst-prefix-len')" 'dump get filter.dst-prefix-len=8'
refused "$(late 'EINVAL prefix-len: more bits than the address has at filter.src-prefix-len')" \
	'dump get filter.src=10.0.0.0 filter.src-prefix-len=33'
refused 'ERANGE integer out of range at filter.src-prefix-len' 'dump get filter.src=:: filter.src-prefix-len=129'
refused "$(late 'EINVAL address: another family than the rest of the filter at filter.dst')" \
	'dump get filter.src=10.0.0.0 filter.dst=::1'
refused "$(late 'EINVAL address: another family than the rest of the filter at filter.reply-src')" \
	'dump get filter.family=10 filter.reply-src=10.0.0.0'
refused 'ERANGE integer out of range at filter.state' 'dump get filter.state=3'
refused 'EINVAL reserved bit set at filter.status' 'dump get filter.status=8'
refused 'ERANGE integer out of range at filter.dns-trouble' 'dump get filter.dns-trouble=0'
refused "$(late 'EINVAL uid: no such user in this user namespace at filter.uid')" 'dump get filter.uid=4294967295'
refused 'EINVAL Attribute failed policy validation at filter.comm' 'dump get filter.comm=0123456789abcdef'
needed='EINVAL a tuple, an id or a filter is needed; flush deletes all flows'
refused "$needed" 'do delete'
refused "$needed" 'do delete filter='
refused 'EINVAL filter: not together with a tuple or an id at filter' 'do delete id=1 filter.family=2'
refused 'EINVAL Unknown attribute type at id' 'do flush id=1'
refused 'EINVAL Attribute failed policy validation at timeout' 'do config-get timeout=1'
refused 'EINVAL Unknown attribute type at entries' 'dump stats-get entries=1'
nl root policy
like "$ANSWER" '^[1-9][0-9]+ lines$' 'the kernel tells what it takes'
# An address of 5 bytes, one of 3, a nest that is none, one cut short, rubbish.
refused 'EINVAL address: neither the 4 bytes of IPv4 nor the 16 of IPv6 at filter.src' \
	'raw get 10000d80090002000a00000001000000 dump'
refused 'EINVAL address: neither the 4 bytes of IPv4 nor the 16 of IPv6 at filter.src' 'raw get 0c000d80070002000a000000 dump'
refused 'EINVAL NLA_F_NESTED is missing at filter' 'raw get 0c000d000500010002000000 dump'
refused 'EINVAL invalid attribute length at id' 'raw get 0800040001000000'
refused 'EINVAL bytes leftover after parsing attributes' 'raw get ffff0300'
# Python's word for EOPNOTSUPP.
nl_is "$(printf '%s\n' 'error ENOTSUP' 'error ENOTSUP' 'error ENOTSUP' 'error ENOTSUP')" \
	'requests that are none' 'dump flush' 'dump config-get' 'do new-event' 'do dns-event'
nl_is "$all ok" 'none of that did any harm' 'ports get'

# --- counters

nl root 'do stats-get' 'dump stats-get' 'do dns-get'
snap c
snap_dns c
got='' want=''
for key in entries found new expired evicted full alloc_failed insert_failed clash truncated malformed bad_checksum \
	fragment exempt loopback no_listener deleted; do
	got+=" $key=$(value "${key//_/-}" "${LINES[0]}")"
	want+=" $key=${STAT[$key]}"
done
is "$got" "$want" 'counters, as in /proc/net/stat/udptrack'
is "$(value flows-max "${LINES[0]}") $(value buckets "${LINES[0]}")" \
	"100000 $(in_ns c cat /proc/sys/net/netfilter/udptrack_buckets)" 'and the size of the table'
sum=0 cpus=0
for line in "${LINES[@]:2}"; do
	[[ $line == cpu=* ]] || break
	cpus=$((cpus + 1)) sum=$((sum + $(value new "$line")))
done
is "$cpus $sum" "$(grep -c . < <(ls -d /sys/devices/system/cpu/cpu[0-9]*)) ${STAT[new]}" 'as a dump, those of each processor'
got='' want=''
for key in questions repeated answered again truncated forged unanswered late blind; do
	got+=" $key=$(value "$key" "${LINES[-2]}")"
	want+=" $key=${DNS[$key]}"
done
is "$got" "$want" 'counters of DNS, as in /proc/net/stat/udptrack_dns'
is "$(value took "${LINES[-2]}" | tr ',' '\n' | wc -l)" 25 'and 25 times to answer'

# --- deleting

nl_is $'deleted=1\nok\ndeleted=0\nok' 'delete: a tuple; then there is none' "do delete $back" "do delete $orig"
nl_is $'deleted=0\nok\ndeleted=1\nok' 'delete: an id' 'do delete id=999999' 'do delete id=1'
nl_is $'deleted=0\nok\ndeleted=1\nok\n4003 4053 4005 ok' 'delete: a filter' 'do delete filter.uid=4321' \
	'do delete filter.uid=1234' 'ports get'
nl_is $'deleted=2\nok\n4003 ok' 'delete: a filter that means many' 'do delete filter.family=2' 'ports get'
nl_is $'deleted=1\nok\ndeleted=0\nok\nok' 'flush' 'do flush' 'do flush' 'dump get'
snap c
is "$(counter deleted)" 6 'all counted'
gen 'close a' 'close b' 'close c' 'close e' 'close q' 'close d'

# --- settings

# The guard needs what not all kernels have.
guard=1
in_ns c sysctl -qw net.netfilter.udptrack_bind_guard=1 2>/dev/null || guard=0
sysctl_in c udptrack_bind_guard=0
fresh='timeout=600 timeout-stream=700 flows-max=100000 acct=1 checksum=1 loopback=1 log-invalid=0 require-listener=1 dns=1 dns-linger=5 bind-guard=0 events=1 mark-mask=0'
version=$(modinfo -F version "$KO")
nl_is "$fresh version=$version"$'\nok' 'settings' 'do config-get'
other="timeout=7 timeout-stream=70 flows-max=700 acct=0 checksum=0 loopback=0 log-invalid=1 require-listener=0 dns=2 dns-linger=9 bind-guard=$guard events=0 mark-mask=1792"
nl_is "ok"$'\n'"$other version=$version"$'\nok' 'all changed at once' "do config-set $other" 'do config-get'
is "$(in_ns c bash -c 'cd /proc/sys/net/netfilter; cat udptrack_{timeout,timeout_stream,max,acct,checksum,loopback,log_invalid,require_listener,dns,dns_linger,bind_guard,events,mark_mask}' | paste -sd' ')" \
	"7 70 700 0 0 0 1 0 2 9 $guard 0 0x700" 'as sysctl sees it'
for try in timeout:0:86400 timeout-stream:0:86400 flows-max:0:134217728 acct:2:1 checksum:2:1 loopback:2:1 log-invalid:2:1 \
	require-listener:2:1 dns:3:2 dns-linger:86401:86400 bind-guard:2:1 events:2:1; do
	IFS=: read -r name bad high <<<"$try"
	low=0
	[[ $name == timeout* || $name == dns-linger || $name == flows-max ]] && low=1
	refused "EINVAL $name: not a number from $low to $high at $name" "do config-set timeout=30 mark-mask=0 bind-guard=0 $name=$bad"
done
refused 'EINVAL flows-max: not a number from 1 to 100000 at flows-max' 'do config-set timeout=30 flows-max=100001'
refused 'EINVAL mark-mask: neither 0 nor at least three adjacent bits at mark-mask' 'do config-set timeout=30 mark-mask=5'
refused 'EINVAL no setting is given' 'do config-set'
refused 'EINVAL Unknown attribute type at version' 'do config-set timeout=30 version=9'
[ "$guard" = 1 ] || refused 'ENOTSUP bind-guard: this kernel has no place for it; see its log at bind-guard' \
	'do config-set timeout=9 dns=1 mark-mask=7 bind-guard=1'
nl_is "$other version=$version"$'\nok' 'no part of a refused change was made' 'do config-get'
nl_is $'ok\n'"$fresh version=$version"$'\nok' 'and all back' "do config-set $fresh" 'do config-get'

# --- who may

# may NAME: assert what this one may, in the order of these requests
everything=(listen 'dump get' 'do get id=1' 'do delete id=1' 'do flush' 'do config-set timeout=600'
	'do stats-get' 'do dns-get' 'do config-get')
may() {
	local line text=
	nl "$1" "${everything[@]}"
	for line in "${LINES[@]}"; do
		[[ $line != *=* ]] || continue
		text+="${line#error } "
	done
	is "$text" "$2" "$3"
}
yes='listening ok ENOENT ok ok ok ok ok ok '
no='EPERM EPERM EPERM EPERM EPERM EPERM ok ok ok '
may root "$yes" 'root of the network namespace: everything'
nl root stop
nl_start nobody
nl nobody 'in c' 'as 65534'
may nobody "$no" 'a user: totals and settings, but no flow, no event, no change'
if ! setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn true 2>/dev/null; then
	skip 3 'this kernel lets users make no user namespaces'
else
	# shellcheck disable=SC2016 # for that shell
	nl_start container setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur unshare -n bash -c \
		'ip link set lo up; "$0/flood" -P 1234 -p 5678 >/dev/null; exec "$@"' "$BIN"
	nl container 'dump get'
	like "$ANSWER" 'src-port=1234 .*owner.uid=0 owner.pid=[0-9]+ owner.comm=flood' 'root of a user namespace sees the flows of its network namespace'
	may container "${yes/ENOENT/ok}" 'and may do everything there'
	nl_start intruder setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur
	may intruder "$no" 'in the network namespace of others it may not'
fi

# --- events

# happened: what the last answer of nl says happened, in short: "new 4101", "update
# established 4101"; and in SEQS whether the numbers go on from the last ones
LAST_SEQ='' SEQS=''
happened() {
	local line kind what seq
	HAPPENED='' SEQS=''
	for line in "${LINES[@]}"; do
		if [[ ! $line =~ ^([a-z]+)-event\ event-seq=([0-9]+)\ ((change|reason|alert)=([^ ]*)\ )?.*orig.proto.src-port=([0-9]+) ]]; then
			HAPPENED+="$line, "
			continue
		fi
		kind=${BASH_REMATCH[1]} what=${BASH_REMATCH[5]} seq=${BASH_REMATCH[2]}
		HAPPENED+="$kind ${what:+$what }${BASH_REMATCH[6]}, "
		[ -z "$LAST_SEQ" ] || [ "$seq" = $((LAST_SEQ + 1)) ] || SEQS+="$LAST_SEQ, then $seq; "
		LAST_SEQ=$seq
	done
	# On a slow machine, flows with questions may get older than 2 s.
	HAPPENED=${HAPPENED//update assured 42??, /} HAPPENED=${HAPPENED//assured|closed/closed}
	HAPPENED=${HAPPENED%, }
}

# tells EXPECTED NAME REGEX: assert what has happened, up to an event that matches
tells() {
	nl root "until $3 $((20 * SLOW))"
	happened
	is "$HAPPENED" "$1" "event: $2"
	is "$SEQS" '' "event: $2: no number is missing"
}

# In namespaces where no setting was changed and no flow with questions deleted: for
# their timeout, the tracker would call no answer forged there.
two_netns e f
gen 'close r' 'in f' 'udp r 192.0.2.2 5000'
nl root 'in e'
# A listener anywhere makes events everywhere.
[ -z "${NL_TO[container]:-}" ] || nl container stop
nl root 'do stats-get'
seq=$(value event-seq "$ANSWER")
gen 'in e' 'udp a 192.0.2.1 4100 to=192.0.2.2,5000' 'send a - -' 'recv r' 'close a'
nl root 'do stats-get' 'do flush'
is "$(value event-seq "$ANSWER")" "$seq" 'nobody listens: no number is used up'
nl root listen
gen 'in e' 'udp a 192.0.2.1 4101 to=192.0.2.2,5000' 'send a - - size=10' 'recv r' 'send r 192.0.2.1 4101 size=20' 'recv a' \
	'send a - -' 'recv r'
tells 'new 4101, update established 4101' 'an exchange' change=
like "${LINES[0]}" ' state=new status=0 timeout=(600|59.) timestamp.start=[0-9]{19} owner.uid=0 owner.pid=[0-9]+ owner.comm=udpgen owner.cgroup=[0-9]+$' \
	'the beginning has the owner'
like "${LINES[1]}" ' state=established status=seen-reply timeout=(600|59.) counters-orig.packets=1 counters-orig.bytes=38 counters-reply.packets=1 counters-reply.bytes=48 .*owner.comm=udpgen' \
	'what came next has the counters'
gen 'sleep 2100' 'send a - -' 'recv r'
tells 'update assured 4101' 'a stream' change=
id=$(value id "${LINES[0]}")
nl root "do delete id=$id"
tells 'destroy deleted 4101' 'deleted' destroy
like "${LINES[0]}" ' state=established status=seen-reply.assured counters-orig.packets=3 counters-orig.bytes=[0-9]+ counters-reply.packets=1 counters-reply.bytes=48 timestamp.start=[0-9]+ timestamp.stop=[0-9]+ owner' \
	'with its last counters'
took=$((($(value timestamp.stop "${LINES[0]}") - $(value timestamp.start "${LINES[0]}")) / 1000000))
between "$took" 2100 $((30000 * SLOW)) 'and for how long it lived'

sysctl_in e udptrack_timeout=1
gen 'in e' 'udp b 192.0.2.1 4102 to=192.0.2.2,5000' 'send b - -' 'recv r'
tells 'new 4102, destroy timeout 4102' 'its time is up' destroy
took=$((($(value timestamp.stop "${LINES[1]}") - $(value timestamp.start "${LINES[1]}")) / 1000000))
between "$took" $((1000 - CLOCK_SLACK_MS)) $((1000 + 2 * CLOCK_SLACK_MS)) 'it lived for as long as it was to, whenever that was found out'

sysctl_in e udptrack_timeout=600 udptrack_max=2
gen 'in e' 'send b - -' 'sleep 50' 'send a - -' 'sleep 50' 'udp e 192.0.2.1 4103' 'send e 192.0.2.2 5000' 'recv r 3'
tells 'new 4102, new 4101, destroy evicted 4102, new 4103' 'no room' 'new.*src-port=4103'
sysctl_in e udptrack_max=100000
nl root 'do flush'
tells 'destroy deleted 4101, destroy deleted 4103' 'flushed, the oldest first' 'destroy.*src-port=4103'

# ask ID: lines of udpgen; port 4200 on asks
gen 'in f' 'udp d 192.0.2.2 53' 'in e' 'udp q 192.0.2.1 4200 to=192.0.2.2,53' 'send q - - size=40 dns=1,0100' \
	'send q - - size=40 dns=2,0100' 'recv d 2' 'send d 192.0.2.1 4200 size=60 dns=1,8180' 'recv q'
tells 'new 4200, update established 4200' 'two questions, one answer' change=
gen 'send d 192.0.2.1 4200 size=60 dns=9,8180' 'recv q' 'send d 192.0.2.1 4200 size=60 dns=2,8180' 'recv q'
tells 'dns forged 4200, update closed 4200' 'an answer to no question, and the last one' closed
like "${LINES[0]}" ' timeout=[0-9]+ owner.* dns.out=1 dns.ok=1 dns.forged=1 ' 'what is known of it then'
like "${LINES[1]}" ' timeout=[45] .* dns.out=0 dns.ok=2 dns.forged=1 ' 'and what then'
nl root 'ports get filter.dns-trouble=forged'
is "$ANSWER" '4200 ok' 'the filter finds it'
sysctl_in e udptrack_dns=2
gen 'send q - - size=40 dns=3,0100' 'recv d' 'send d 192.0.2.1 4200 size=60 dns=8,8180' 'recv q' 'barrier f 192.0.2.1 e'
tells 'dns forged 4200' 'one more, where they are INVALID' dns-event
sysctl_in e udptrack_dns=1
nl root 'do flush'
tells 'destroy deleted 4200' 'nobody waited for its answer' destroy
sysctl_in e udptrack_timeout=2
gen 'close q' 'udp q 192.0.2.1 4201 to=192.0.2.2,53' 'send q - - size=40 dns=4,0100' 'recv d'
tells 'new 4201, dns unanswered 4201, destroy timeout 4201' 'nobody answers' destroy
like "${LINES[2]}" ' dns.out=0 dns.ok=0 .*dns.unanswered=1$' 'as the flow itself says'
sysctl_in e udptrack_timeout=600

sysctl_in e udptrack_events=0
gen 'close b' 'in e' 'udp b 192.0.2.1 4104 to=192.0.2.2,5000' 'send b - -' 'recv r'
sysctl_in e udptrack_events=1
gen 'close b' 'in e' 'udp b 192.0.2.1 4105 to=192.0.2.2,5000' 'send b - -' 'recv r'
tells 'new 4105' 'udptrack_events=0: none, and no number' 'port=4105'
nl root 'do stats-get' stop
is "$(value event-seq "$ANSWER")" "$LAST_SEQ" 'stats know the last number'

# --- more than anybody can read

# As many new flows as two processes can make, and a buffer that hardly holds one
# event: by the numbers, whoever reads knows how many were lost.

# add_up SENT TEXT: by the last answers of nl, a tally and then stats-get, received +
# lost = sent; RECEIVED is what it says.  BEFORE is the number of the last event before
add_up() {
	local after lost tally=${LINES[-3]}
	after=$(value event-seq "${LINES[-2]}")
	RECEIVED=$(value received "$tally")
	lost=$(($(value missing "$tally") + $(value first "$tally") - BEFORE - 1 + after - $(value last "$tally")))
	diag "$2: $tally; received $RECEIVED + lost $lost, sent $1"
	is "$((RECEIVED + lost))" "$1" "$2: received + lost = sent"
	is "$(value disorder "$tally")" 0 "$2: in order"
	BEFORE=$after
}

printf '%s\n' 'link add sink type dummy' 'link set sink up' 'route add 198.51.100.0/24 dev sink' |
	ip -n e -batch -
nl root 'do flush' 'listen 2048' 'do stats-get'
BEFORE=$(value event-seq "${LINES[-2]}")
snap e
new=$(counter new) deleted=$(counter deleted) floods=()
from=${EPOCHREALTIME/./}
for port in 20000 40000; do
	# shellcheck disable=SC2016 # for that shell
	background nsenter --net=/run/netns/e bash -c '"$@" && echo "${EPOCHREALTIME/./}"' - "$BIN/flood" -s 192.0.2.1 \
		-d 198.51.100.1 -P $port -S $((burst / 20)) -p 6000 -D 10 >"$work/flood.$port"
	floods+=("$BACKGROUND")
done
nl root "tally $SLOW" 'do stats-get'
wait "${floods[@]}"
to=$(cat "$work"/flood.* | grep -v sent= | sort -n | tail -n 1)
sent=$(sed -n 's/^sent=\([0-9]*\) failed=0 .*/\1/p' "$work"/flood.* | paste -sd+)
is "$((sent))" "$burst" 'two processes make as many flows as they can'
diag "$burst flows in $(((to - from) / 1000)) ms: $((burst * 1000 / ((to - from) / 1000 + 1))) new flows a second"
add_up "$((sent))" beginnings
tally=${LINES[-3]}
is "$(value new-event "$tally")" "$RECEIVED" 'all that came was of new flows'
between "$RECEIVED" 1 $((burst - 1)) 'some came, and not all of them'
between "$(value overruns "$tally")" 1 "$burst" 'the kernel says that the buffer ran over'
snap e
is "$(($(counter new) - new))" "$((sent))" 'as many were counted as sent'
nl root 'do flush' "tally $SLOW" 'do stats-get'
snap e
is "$(($(counter deleted) - deleted))" "$burst" 'all of them deleted, as was counted'
add_up "$(($(counter deleted) - deleted))" ends
nl root stop

# --- many at once

in_ns e "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 10000 -S $((many / 20)) -p 20000 -D 20 >/dev/null
nl_is "$many ok" "$many flows in a dump" 'count get'
nl_is "1 ok" 'one of them, by a filter' 'count get filter.src-port=10010 filter.dst-port=20001'
nl_is "0 ok" 'none of them' 'count get filter.dst-port=1'
background nsenter --net=/run/netns/e "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 10000 -S $((many / 20)) -p 20000 -D 10 -t 500 -g 50 >/dev/null
nl_is $'0 errors\n0 errors\n0 errors' 'dumps, deletions and flushes while flows come' 'threads 4 get' \
	'threads 4 delete filter.src=192.0.2.0 filter.src-prefix-len=24' 'threads 4 flush'
kill "$BACKGROUND" 2>/dev/null
wait "$BACKGROUND" 2>/dev/null

# --- gone

# Flows come while a dump is under way, and go.
in_ns e "$BIN/flood" -s 192.0.2.1 -d 198.51.100.1 -P 10000 -S $((many / 20)) -p 20000 -D 20 >/dev/null
nl root 'begin get' 'do flush' 'end'
like "$ANSWER" "^begun"$'\n'"deleted=[0-9]+"$'\n'"ok"$'\n'"[0-9]+ ok\$" 'a dump that was overtaken by a flush ends in good order'
between "$(cut -d' ' -f1 <<<"${LINES[-1]}")" 1 $((many / 2)) 'with less than there was'
for ((i = 0; i < goings; i++)); do
	# With events on their way.
	new_netns gone
	printf '%s\n' 'link add sink type dummy' 'link set sink up' 'addr add 192.0.2.1/24 dev sink' | ip -n gone -batch -
	nl root listen
	background nsenter --net=/run/netns/gone "$BIN/flood" -s 192.0.2.1 -d 192.0.2.9 -P 10000 -S 20 -p 20000 -D 1000 -t 500 >/dev/null
	wait_until 10 in_ns gone grep -q . /proc/net/udptrack
	ip netns del gone
	kill -9 "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null
done
in_ns e "$BIN/flood" -s 192.0.2.1 -d 198.51.100.1 -P 10000 -S $((many / 20)) -p 20000 -D 20 >/dev/null
nl root listen 'begin get'
not_ok 'the module stays while a dump is under way' unload_udptrack
nl root forget
ok 'and goes while somebody listens' wait_until 10 unload_udptrack
nl_is 'error ENOENT' 'and then there is no such family' 'in e' 'do get id=1'

done_testing
