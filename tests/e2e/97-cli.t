#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command udptrack: what it lists is what /proc/net/udptrack lists, as text
# and as JSON; every filter means the flows it should; get, delete, flush, count
# and counters; events as they come, and how many did not; what it says, and how
# it ends, when something is wrong; the same options in help, man page and
# completion.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

CLI=$TOP/build/tools/udptrack
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"; at_exit' EXIT
burst=2000
[ "$UDPTRACK_KERNEL" = debug ] && burst=300

# cli ARGUMENT...: run it in c: STATUS, OUT, ERR
cli() {
	STATUS=0
	in_ns c "$CLI" "$@" >"$work/out" 2>"$work/err" || STATUS=$?
	said
}
# said: what the last one said; without a subshell, which here takes longer than it did
said() {
	IFS= read -r -d '' OUT <"$work/out"
	IFS= read -r -d '' ERR <"$work/err"
	OUT=${OUT%$'\n'} ERR=${ERR%$'\n'}
}

# --- without the module, and what the user typed wrong

new_netns c
cli -L
is "$STATUS" 1 'without the module: status 1'
like "$ERR" 'not loaded; as root: modprobe udptrack' 'and it says what to do'
is "$OUT" '' 'and nothing else'
for command in -G\ '-s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2' '-D --dport 2' -F -C -S -E; do
	# shellcheck disable=SC2086 # several words
	cli $command
	is "$STATUS ${ERR%%:*} ${ERR#*: }" "1 udptrack the module udptrack is not loaded; as root: modprobe udptrack ('udptrack doctor' says more)" "${command%% *}: the same"
done

# What the user types, and what there is to read, has nothing to do with the kernel:
# on the debug kernel, which is slow, it is left out.
# wrong WHAT ARGUMENT...: refused, as WHAT says
wrong() {
	[ "$UDPTRACK_KERNEL" != debug ] || return
	STATUS=0
	"$CLI" "${@:2}" >"$work/out" 2>"$work/err" || STATUS=$?
	said
	like "$STATUS $ERR" "^2 udptrack: $1" "refused: ${*:2}"
}
wrong 'no command'
wrong 'only one command' -L -D
wrong "unknown option '-x'" -L -x
wrong "unknown or ambiguous option '--bogus'" -L --bogus
wrong "option '-s' needs an argument" -L -s
wrong "'tail' is no option" -L tail
wrong "'top' is a command that must stand first" -f ipv4 top
wrong "--src: '192.0.2.256' is not an address" -L -s 192.0.2.256
wrong "--src: '192.0.2.0/33' has not as many bits" -L -s 192.0.2.0/33
wrong "--dst: '2001:db8::/129' has not" -L -d 2001:db8::/129
wrong "--dst: '2001:db8::1' is of one family" -L -s 192.0.2.1 -d 2001:db8::1
wrong "--family: 'ipv6' is of one family" -L -s 192.0.2.1 -f ipv6
wrong "--family: 'inet' is neither ipv4 nor ipv6" -L -f inet
wrong "--proto: 'tcp' is not tracked: there is only udp" -L -p tcp
wrong "--sport: '65536' is neither a port" -L --sport 65536
wrong "--dport: '-1' is neither a port" -L --dport -1
wrong "--state: 'OLD' is not the state" -L --state OLD
wrong "--state: 'RELATED' is not the state" -L --state RELATED
wrong "--status: 'ASSURED,DYING' is not a status" -L -u ASSURED,DYING
wrong "--status: 'UNREPLIED,ASSURED' contradicts" -L -u UNREPLIED,ASSURED
wrong "--state: 'NEW' contradicts" -L -u SEEN_REPLY --state NEW
wrong "--status: 'ASSURED' contradicts" -L --state NEW -u ASSURED
wrong "--uid: 'nobody-of-that-name' is neither a user" -L --uid nobody-of-that-name
wrong "--uid: '4294967295' is neither" -L --uid 4294967295
wrong "--comm: '' is not" -L --comm ''
wrong "--output: 'xml' is not a format" -L -o xml
wrong "--event-mask: 'NEW,' is not an event" -E -e NEW,
wrong "--buffer-size: '0' is not" -E -b 0
wrong "--max-events: '1x' is not" -E -n 1x
wrong '--max-events does not go with this command' -L -n 1
wrong '--dport does not go with this command' -C --dport 53
wrong '--get needs -s and -d' -G -s 192.0.2.1 -d 192.0.2.2 --sport 1
wrong '--get needs -s and -d with whole addresses' -G -s 192.0.2.0/24 -d 192.0.2.2 --sport 1 --dport 2
wrong '--delete needs to know which flows' -D
wrong "--src: 'fe80::1%bogus0' names an interface" -G -s fe80::1%bogus0
wrong 'an interface after an address goes with --get only' -L -s fe80::1%lo
wrong "--interval: '0' is not" top -d 0
cli -h
is "$STATUS" 0 'help is no error'
help=$OUT
cli -V
is "$OUT" "udptrack v$(sed -n 's/^#define UDPTRACK_VERSION "\(.*\)"/\1/p' "$TOP/src/version.h")" 'and the version is the one there is'
ip netns del c

# --- the same options everywhere

if [ "$UDPTRACK_KERNEL" != debug ]; then

# The words of help that look like options.
options_of_help() { grep -oE -- '(^|[ ,])--?[A-Za-z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u; }
# In the man page they are the heads of lists: ".It Fl s , -src Ar address".
options_of_man() {
	awk '$1 == ".It" && $2 == "Fl" {
		for (i = 3; i <= NF && ($i == "," || $i ~ /^-?[A-Za-z][a-z-]*$/) && $i !~ /^(Ar|Cm|Op|Ns)$/; i++)
			if ($i != ",") print "-" $i
	}' "$TOP/src/cli/udptrack.8" | sort -u
}
options_of_completion() {
	sed -n "/^	local options='/,/'\$/p" "$TOP/src/cli/udptrack.bash" |
		grep -oE -- ' ?-[^ '\'']*|	-[^ '\'']*' | tr -d ' \t' | sort -u
}
options=$(options_of_help)
is "$(wc -l <<<"$options")" 53 'so many options and commands, in help'
is "$(options_of_man)" "$options" 'the same in the man page'
is "$(options_of_completion)" "$options" 'the same in the completion'
for word in top doctor; do
	like "$help" "      $word  " "help: $word"
	like "$(<"$TOP/src/cli/udptrack.8")" $'\n'".It Cm $word"$'\n' "man page: $word"
done
like "$(<"$TOP/src/cli/udptrack.bash")" "commands='top doctor'" 'completion: both'
is "$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$TOP/src/cli/udptrack.8" 2>&1 >"$work/man")" '' 'the man page has no fault'
like "$(<"$work/man")" 'EXIT STATUS' 'and can be read'

# complete WORD...: what is offered for the last of them
complete_words() {
	bash -c '. /usr/share/bash-completion/bash_completion; . "$1"; shift
		COMP_WORDS=(udptrack "$@") COMP_CWORD=$# COMP_LINE="udptrack $*"
		COMP_POINT=${#COMP_LINE}; _udptrack 2>/dev/null; echo "${COMPREPLY[*]}"' \
		- "$TOP/src/cli/udptrack.bash" "$@"
}
is "$(complete_words --state '')" 'NEW ESTABLISHED' 'states are completed'
is "$(complete_words -L --dns-f)" --dns-forged 'and options'
is "$(complete_words -o extended,j)" extended,json 'and lists'
like " $(complete_words --uid roo) " ' root ' 'and users'
is "$(complete_words t)" top 'and commands'
evil="\$(:>pwned)"
cp /bin/sleep "$work/$evil"
background "$work/$evil" 60
wait_until 10 grep -qxF "$evil" "/proc/$BACKGROUND/comm"
is "$(cd "$work" && complete_words --comm "${evil%>*}")" "$evil" 'and names of processes'
ok 'which are not run' test ! -e "$work/pwned"
kill "$BACKGROUND"
wait "$BACKGROUND"

fi

# --- flows of every kind

load_udptrack timeout=600 timeout_stream=600 dns_linger=600
two_netns
gen_start
dns() { echo "dns=$1,0100 size=40"; }
gen_script < <(cat <<-END
	in s
	udp server 192.0.2.2 7000
	udp server6 2001:db8::2 7000
	udp resolver 192.0.2.2 53
	udp resolver6 2001:db8::2 53
	udp caller 192.0.2.2 5000
	in c
	udp new 192.0.2.1 4000
	udp est 192.0.2.1 4001
	udp new6 2001:db8::1 4002
	udp asks6 2001:db8::1 4003
	udp asks 192.0.2.1 4004
	udp listener 192.0.2.1 8000
	send est 192.0.2.2 7000
	answer server
	recv est
	send new 192.0.2.2 7000
	recv server
	send new6 2001:db8::2 7000
	send asks6 2001:db8::2 53 $(dns 7)
	send asks 192.0.2.2 53 $(dns 8)
	recv resolver
	send resolver 192.0.2.1 4004 dns=8,8180 size=60
	send resolver 192.0.2.1 4004 dns=9,8180 size=60
	recv asks 2
	send caller 192.0.2.1 8000
	recv listener
	sleep 2300
	send est 192.0.2.2 7000
	answer server
	recv est
END
)
# timeless: lines without the seconds to live, which may just have become one less
timeless() { sed -E 's/^((ipv. +[0-9]+ )?udp +17) [0-9]+ /\1 /'; }
is "$(printf '%s\n' 'in c' proc | python3 "$TOP/tests/e2e/nl.py")" "$(in_ns c "$CLI" -L -o extended 2>/dev/null | timeless)"$'\n'ok \
	'python, which makes netlink by hand, shows the same'
# One more, with a command that must be escaped.
cp "$BIN/flood" "$work/a b\\\"é"
in_ns c setpriv --reuid 1234 --clear-groups "$work/a b\\\"é" -s 192.0.2.1 -d 192.0.2.2 -P 4005 -p 7001 >/dev/null

# --- lists

proc=$(in_ns c cat /proc/net/udptrack | timeless)
is "$(wc -l <<<"$proc")" 7 'seven flows'
cli -L -o extended
is "$(timeless <<<"$OUT")" "$proc" '-o extended is as /proc/net/udptrack'
like "$OUT" ' uid=1234 pid=[0-9]+ cgroup=[0-9]+ comm=a\\040b\\\\"é$' 'a command is escaped alike'
like "$OUT" ' dns=out:0,ok:1,forged:1,rtt_us:[0-9]+ comm=udpgen' 'and so is DNS shown'
is "$ERR" "udptrack v0.1.0: 7 flow entries have been shown." 'and at the end it says how many'
cli -L
is "$(timeless <<<"$OUT")" "$(sed -E 's/^ipv. +[0-9]+ //' <<<"$proc")" 'without it, there is no family'
cli -L -o id,timestamp --sport 4001
like "$OUT" '\[ASSURED\] start=[0-9]{10}\.[0-9]{9} id=[0-9]+ uid=0' '-o id,timestamp'
begin=${OUT#*start=}
between "${begin%%.*}" $((EPOCHSECONDS - 60 * SLOW)) "$EPOCHSECONDS" 'it began lately'
cli -L -o json
cat >"$work/line.jq" <<-'END'
	def side: " src=\(.src) dst=\(.dst) sport=\(.sport) dport=\(.dport) packets=\(.packets) bytes=\(.bytes)";
	def maybe(name): if . == null then "" else " \(name)=\(.)" end;
	(if .family == "ipv4" then "ipv4     2" else "ipv6     10" end) + " \(.proto)      17 \(.state)"
	+ (.orig | side) + (if .status | index("SEEN_REPLY") then "" else " [UNREPLIED]" end)
	+ (.reply | side) + (if .status | index("ASSURED") then " [ASSURED]" else "" end)
	+ (.owner.uid | maybe("uid")) + (.owner.pid | maybe("pid")) + (.owner.cgroup | maybe("cgroup"))
	+ (if .dns then " dns=out:\(.dns.out),ok:\(.dns.ok),forged:\(.dns.forged),rtt_us:\(.dns.rtt_us)" else "" end)
	+ (.owner.comm | if . == null then "" else gsub("\\\\"; "\\\\") | gsub(" "; "\\040") | " comm=\(.)" end)
END
is "$(jq -r -f "$work/line.jq" "$work/out")" "$proc" 'JSON says the same'
# The debug kernel is too slow to load all that pyroute2 is.
[ "$UDPTRACK_KERNEL" = debug ] || is "$(in_ns c python3 "$TOP/tests/e2e/genl.py" 2>&1)" \
	"$(jq -r '[.orig.src, .orig.dst, .orig.sport, .orig.dport, .state, (.orig, .reply | .packets, .bytes)] | join(" ")' "$work/out")" \
	'and so does pyroute2'
is "$(jq -s 'map(.timeout > 500 and .timeout <= 600 and .id > 0 and .start < now and .start > now - 600) | all' "$work/out")" true 'and seconds to live, number and begin'
is "$(jq -s '[.[].id] == ([.[].id] | sort | unique)' "$work/out")" true 'in the order of their numbers'
is "$(jq -c 'select(.dns) | [.orig.sport, .dns.out, .dns.ok, .dns.forged, .dns.unanswered]' "$work/out" | paste -sd' ')" \
	'[4003,1,0,0,0] [4004,0,1,1,0]' 'and DNS'

# --- filters

# means EXPECTED ARGUMENT...: these flows are listed
means() {
	local line got=''
	# The debug kernel, which is slow, looks at every third.
	filters=$((filters + 1))
	[ "$UDPTRACK_KERNEL" != debug ] || [ $((filters % 3)) = 0 ] || return
	cli -L "${@:2}"
	while read -r line; do
		[[ $line =~ ^udp\ .*\ sport=([0-9]+)\ .*\ sport= ]] && got+=" ${BASH_REMATCH[1]}"
	done <"$work/out"
	is "$STATUS$got" "0${1:+ }$1" "-L ${*:2}"
}
filters=0
v4='4001 4000 4004 5000 4005' v4out='4001 4000 4004 4005' v6='4002 4003'
means "$v4out" -s 192.0.2.1
means "$v4out" --src 192.0.2.0/31
means "$v4" --orig-src 192.0.2.3/30
means '4001 4000 4002 4003 4004 5000 4005' -p udp
means 5000 -s 192.0.2.2/32
means '' -s 192.0.2.3
means "$v4out" -d 192.0.2.2
means "$v6" --dst 2001:db8::/64
means "$v6" --orig-dst 2001:db8::2
means '' -d 2001:db8::3
means "$v4out" -r 192.0.2.2
means 5000 --reply-src 192.0.2.1
means "$v4out" -q 192.0.2.1
means "$v6" --reply-dst 2001:db8:0:0:ffff::/64
means "$v6" --reply-dst 2001:db8::/32
means "$v4" -f ipv4
means "$v6" --family ipv6
means 4001 --sport 4001
means '4003 4004' --dport 53
means '4003 4004' --orig-port-dst domain
means 4005 --orig-port-src 4005
means '4001 4004' --state ESTABLISHED
means '4000 4002 4003 5000 4005' --state new
means 4001 -u ASSURED
means '4001 4004' -u seen_reply
means 4001 --status SEEN_REPLY,ASSURED
means '4000 4002 4003 5000 4005' -u UNREPLIED
means '' -u EXPECTED
means 4005 --uid 1234
means '4001 4000 4002 4003 4004' --uid root
means 4005 --comm "a b\\\"é"
means '' --comm 'a b'
means 4004 --dns-forged
means 4003 --dns-unanswered
means '4003 4004' --dns-forged --dns-unanswered
means 4000 -s 192.0.2.0/24 --dport 7000 --state NEW --uid 0 --comm udpgen
means '' -f ipv6 --dns-forged

cli -G -s 192.0.2.1 -d 192.0.2.2 --sport 4001 --dport 7000 -o extended
is "$STATUS $(timeless <<<"$OUT")" "0 $(grep ' sport=4001 ' <<<"$proc")" '-G shows one'
cli -G -s 192.0.2.2 -d 192.0.2.1 --sport 7000 --dport 4001 -o json
is "$STATUS $(jq .orig.sport <<<"$OUT")" '0 4001' 'also by its other end'
cli -G -s 2001:db8::1 -d 2001:db8::2 --sport 4003 --dport 53
like "$STATUS $OUT" '^0 udp      17 [0-9]+ NEW src=2001:db8::1 dst=2001:db8::2 sport=4003' '-G: IPv6'
cli -G -s 192.0.2.1 -d 192.0.2.2 --sport 4001 --dport 7001
is "$STATUS $OUT $ERR" '1  udptrack: there is no such flow' '-G finds nothing: status 1'

# --- totals

snap c
cli -C
is "$OUT" "${STAT[entries]}" '-C counts'
cli -C -o json
is "$OUT" '{"count":7}' 'and as JSON'
cli -S
rows=$(grep -c '^cpu=[0-9]* *found=[0-9]* new=[0-9]* ' <<<"$OUT")
is "$rows" "$(grep -c . <(tail -n +2 "$GEN_DIR/stat"))" '-S: a row a processor'
like "$OUT" $'\n'"total    found=${STAT[found]} new=${STAT[new]} expired=0 evicted=0 .* entries=7 max=262144 buckets=[0-9]+ event_seq=[0-9]+"$'\n' 'and totals'
like "$OUT" $'\n''dns      questions=2 repeated=0 answered=1 again=0 truncated=0 forged=1 .* lt_[0-9]+us=1$' 'and DNS'
cli -S -o json
is "$(jq -s '[(map(select(has("cpu")).new) | add), (.[] | select(.total) | .new, .entries), (.[] | select(.dns) | .forged)]' -c "$work/out")" \
	"[${STAT[new]},${STAT[new]},7,1]" 'as JSON, too'

# --- a command that is not UTF-8

cp "$BIN/flood" "$work/"$'bad\xff\xc3'
in_ns c "$work/"$'bad\xff\xc3' -s 192.0.2.1 -d 192.0.2.2 -P 4006 -p 7001 >/dev/null
cli -L -o json --comm $'bad\xff\xc3'
is "$(jq -r '.owner.comm' <<<"$OUT")" $'bad\xef\xbf\xbd\xef\xbf\xbd' 'JSON has U+FFFD instead'
cli -D --comm $'bad\xff\xc3' -o json
is "$STATUS $OUT" '0 {"deleted":1}' 'and it can be deleted'

# --- those who may not

user() { STATUS=0; in_ns c setpriv --reuid 1234 --clear-groups timeout 60 "$CLI" "$@" >"$work/out" 2>"$work/err" || STATUS=$?; said; }
user -C
is "$STATUS $OUT" '0 7' 'everybody may count'
user -S
is "$STATUS" 0 'and see totals'
for command in -L '-D --dport 53' -F -E '-G -s 192.0.2.1 -d 192.0.2.2 --sport 4001 --dport 7000'; do
	# shellcheck disable=SC2086 # several words
	user $command
	like "$STATUS $OUT $ERR" '^1  udptrack: Operation not permitted: this needs CAP_NET_ADMIN .* root' "but not ${command%% *}"
done

# --- events

# listening PID NUMBER: in its namespace, so many wait for events
# shellcheck disable=SC2317 # called by wait_until
listening() {
	local protocol groups n=0
	while read -r _ protocol _ groups _; do
		[ "$protocol" != 16 ] || [ "$groups" = 00000000 ] || n=$((n + 1))
	done <"/proc/$1/net/netlink"
	[ "$n" = "$2" ]
}
# start_cli NAME ARGUMENT...: in the background; its pid is in PIDS
declare -A PIDS
listeners=0
start_cli() {
	# Not by a function, whose shell would get the signals.
	background nsenter --net=/run/netns/c -- "$CLI" "${@:2}" >"$work/$1" 2>"$work/$1.err"
	PIDS[$1]=$BACKGROUND
	listeners=$((listeners + 1))
	wait_until 10 listening "$BACKGROUND" $listeners || bail_out "$1 does not listen"
}
# ended PID: it has, though nobody waited for it yet
# shellcheck disable=SC2317 # called by wait_until
ended() { [ ! -e "/proc/$1/exe" ]; }
# end_cli NAME [SIGNAL]: STATUS is how it ended
end_cli() {
	[ $# = 1 ] || kill "-$2" "${PIDS[$1]}"
	STATUS=0
	wait_until 20 ended "${PIDS[$1]}" || kill -KILL "${PIDS[$1]}"
	wait "${PIDS[$1]}" || STATUS=$?
	listeners=$((listeners - 1))
}
# last_seq: the number of the last event
last_seq() { in_ns c "$CLI" -S -o json | jq 'select(.total) | .event_seq'; }

sysctl_in c udptrack_events=0
start_cli off -E
end_cli off INT
is "$(head -n1 "$work/off.err")" 'udptrack: events are switched off; sysctl -w net.netfilter.udptrack_events=1' 'whoever would wait in vain is told'
sysctl_in c udptrack_events=1
start_cli json -E -o json
start_cli text -E -o timestamp
start_cli some -E -e NEW,DESTROY --dport 7000 -f ipv4 -n 2
start_cli alerts -E -e dns --dns-forged
gen_script < <(cat <<-END
	in c
	udp second 192.0.2.1 4100
	send second 192.0.2.2 7000
	in s
	answer server
	in c
	recv second
	send asks 192.0.2.2 53 $(dns 10)
	in s
	recv resolver
	send resolver 192.0.2.1 4004 dns=11,8180 size=60
	in c
	recv asks
END
)
cli -D --sport 4100
is "$STATUS $ERR" "0 udptrack v0.1.0: 1 flow entries have been deleted." '-D deletes what it should'
cli -D --sport 4100
is "$STATUS $ERR" "0 udptrack v0.1.0: 0 flow entries have been deleted." 'that there is none is no error'
end_cli some
is "$STATUS" 0 '-n: it ends by itself'
end_cli json INT
is "$STATUS" 0 'SIGINT ends it'
end_cli text TERM
is "$STATUS" 0 'SIGTERM, too'
end_cli alerts INT
is "$(jq -c 'select(.orig.sport == 4100) | [.event, .change // .reason, .state]' "$work/json" | paste -sd' ')" \
	'["new",null,"NEW"] ["update",["established"],"ESTABLISHED"] ["destroy","deleted","ESTABLISHED"]' 'what became of a flow, as JSON'
is "$(jq -c 'select(.event == "dns") | [.alert, .orig.sport, .dns.forged]' "$work/json")" '["forged",4004,2]' 'and a forged answer'
is "$(jq -s '[.[].seq] as $all | $all == [range($all[0]; $all[0] + ($all | length))]' "$work/json")" true 'none is missing'
# The keys that the man page describes are those there are; no flow of these is link-local.
is "$(jq -r '.. | objects | keys[]' "$work/json" | cat - <(echo scope) | sort -u)" \
	"$(sed -n '/^\.Sh JSON/,/^\.Sh FILES/p' "$TOP/src/cli/udptrack.8" | grep -oE '"[a-z_]+":' | tr -d '":' | sort -u)" \
	'the man page describes each key, and no other'
is "$(jq -s 'map(.time > now - 600 and .time <= now + 1) | all' "$work/json")" true 'all have a time'
like "$(<"$work/text")" $'\\[[0-9]{10}\\.[0-9]{6}\\]\t    \\[NEW\\] udp      17 [0-9]+ NEW src=192.0.2.1 dst=192.0.2.2 sport=4100 dport=7000 .*\\[UNREPLIED\\]' 'as text: new'
like "$(<"$work/text")" $'\t \\[UPDATE\\] udp      17 [0-9]+ ESTABLISHED src=192.0.2.1 [^\n]* change=established ' 'updated'
like "$(<"$work/text")" $'\t\\[DESTROY\\] udp      17 ESTABLISHED src=192.0.2.1 [^\n]* reason=deleted ' 'gone'
like "$(<"$work/text")" $'\t\\[DNS forged\\] udp      17 [0-9]+ ESTABLISHED src=192.0.2.1 [^\n]* dns=out:1,ok:1,forged:2,' 'forged'
is "$(grep -oE '^ *\[[A-Za-z ]+\]|sport=4100 dport=7000' "$work/some" | tr -s ' ' | paste -sd' ')" \
	' [NEW] sport=4100 dport=7000 [DESTROY] sport=4100 dport=7000' 'only those that were asked for'
is "$(<"$work/some.err")" 'udptrack v0.1.0: 2 flow events have been shown.' 'and at the end it says how many'
is "$(cut -d' ' -f1,2 "$work/alerts")" '[DNS forged]' 'only alerts'
unlike "$(<"$work/text")$(<"$work/json")" '[Ll][Oo][Ss][Tt]' 'nothing is said of losses, for there are none'

# --- filters of events, which the command applies itself

# What sees a flow begin and be answered, and what does not, for one reason.
sees=(
	'-s 192.0.2.0/30 -d 192.0.2.2 -r 192.0.2.2 -q 192.0.2.1 --sport 4102 --dport 7000 -f ipv4 -p udp --uid 0 --comm udpgen'
	'-e NEW --state NEW' '-e UPDATES --state ESTABLISHED' '-u SEEN_REPLY'
)
sees_not=(
	'-s 192.0.2.2' '-d 192.0.2.0/31' '-r 192.0.2.1' '-q 192.0.2.2' '--sport 4100' '--dport 7001' '-f ipv6' '--uid 1234'
	'--comm udpge' '-e NEW --state ESTABLISHED' '-e UPDATES --state NEW' '-u ASSURED' '-e DESTROY' --dns-unanswered
)
gen "in c" "udp fourth 192.0.2.1 4102"
for ((i = 0; i < ${#sees[@]}; i++)); do
	# shellcheck disable=SC2086 # several words
	start_cli "sees$i" -E -o extended,id ${sees[i]}
done
# The debug kernel has fewer of them.
[ "$UDPTRACK_KERNEL" != debug ] || sees_not=(--dns-unanswered)
for ((i = 0; i < ${#sees_not[@]}; i++)); do
	# shellcheck disable=SC2086 # several words
	start_cli "sees_not$i" -E -o extended,id ${sees_not[i]}
done
gen "send fourth 192.0.2.2 7000" "in s" "answer server" "in c" "recv fourth"
# It asked a question that nobody has answered.
cli -D --sport 4003
for ((i = 0; i < ${#sees[@]}; i++)); do
	end_cli "sees$i" INT
	like "$(<"$work/sees$i")" '\[(NEW|UPDATE)\] ipv4     2 udp .* sport=4102 .* id=[0-9]+ ' "-E ${sees[i]}"
done
for ((i = 0; i < ${#sees_not[@]}; i++)); do
	end_cli "sees_not$i" INT
	unlike "$(<"$work/sees_not$i")" 'sport=4102' "-E ${sees_not[i]}: not that one"
done
like "$(<"$work/sees_not$((i - 1))")" '^\[DESTROY\] ipv6     10 udp .* sport=4003 .* dns=out:0,' 'but --dns-unanswered sees another'

# --- events that are lost

# burst_of NUMBER: so many new flows
burst_of() { in_ns c "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 20000 -S "$1" -p 9 >/dev/null; }
before=$(last_seq)
start_cli lossy -E -o json -b 4096
start_cli lossy_text -E -b 4096
kill -STOP "${PIDS[lossy]}" "${PIDS[lossy_text]}"
burst_of $burst
kill -CONT "${PIDS[lossy]}" "${PIDS[lossy_text]}"
# More come later: the gap is in the middle.
wait_until 10 grep -q lost "$work/lossy"
ok 'a loss is said at once, not with the next event' grep -q '"event":"lost"' "$work/lossy"
gen "in c" "udp third 192.0.2.1 4101" "send third 192.0.2.2 7000"
wait_until 10 grep -q '"sport":4101' "$work/lossy"
end_cli lossy INT
end_cli lossy_text INT
after=$(last_seq)
between $((after - before)) $((burst + 1)) $((burst + 20)) 'so many events there were'
is "$(jq -s '[.[] | if .event == "lost" then .count else 1 end] | add' "$work/lossy")" $((after - before)) 'those that came and those that were lost are all'
lost=$(jq -s 'map(select(.event == "lost").count) | add' "$work/lossy")
between "$lost" 1 $((burst - 1)) 'some came, some did not'
is "$(tail -n1 "$work/lossy" | jq -r .event)" new 'and later ones come again'
is "$(<"$work/lossy.err")" "udptrack v0.1.0: $((after - before - lost)) flow events have been shown.
udptrack: $lost events were lost; a larger buffer (-b) holds more" 'at the end it says so again'
like "$(<"$work/lossy_text")" $'(^|\n)   \\[LOST\\] [0-9]+ events\n' 'as text: [LOST]'
is "$(awk '/\[LOST\]/ { n += $2; next } { n++ } END { print n }' "$work/lossy_text")" $((after - before)) 'and as many'

# Nothing comes after the loss, and it ends at once: still it is said.
cli -F -o json
is "$STATUS $(jq '.deleted > 100' <<<"$OUT")" '0 true' '-F deletes all'
is "$ERR" "udptrack v0.1.0: $(jq .deleted <<<"$OUT") flow entries have been deleted." 'and says how many'
cli -C
is "$OUT" 0 'none is left'
before=$(last_seq)
start_cli tail -E -o json -b 4096
kill -STOP "${PIDS[tail]}"
burst_of $burst
kill -INT "${PIDS[tail]}"
kill -CONT "${PIDS[tail]}"
end_cli tail
after=$(last_seq)
is "$(jq -s '[.[] | if .event == "lost" then .count else 1 end] | add' "$work/tail")" $((after - before)) 'a loss at the very end is said, too'
is "$(tail -n1 "$work/tail" | jq -r .event)" lost 'at the very end'

# As many new flows as this machine can make, and a small buffer.
snap c
new=${STAT[new]} before=$(last_seq)
start_cli fast -E -o json -b 4096
from=${EPOCHREALTIME/./}
in_ns c "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 20000 -S $((burst / 20)) -p 6000 -D 20 >/dev/null
took=$((${EPOCHREALTIME/./} - from))
diag "$burst flows in $((took / 1000)) ms: $((burst * 1000000 / took)) new flows a second"
end_cli fast INT
after=$(last_seq)
snap c
is "$((STAT[new] - new))" "$burst" 'as many new flows as can be'
is "$(jq -s '[.[] | if .event == "lost" then .count else 1 end] | add' "$work/fast")" $((after - before)) 'whatever came, and was lost, is all there was'
between "$(jq -s 'map(select(.event == "lost").count) | add' "$work/fast")" 1 $((burst - 1)) 'some of it was lost'

# A table of a thousand flows, and more new ones without end: so many events.
sysctl_in c udptrack_max=1000
background nsenter --net=/run/netns/c -- "$BIN/flood" -s 192.0.2.1 -d 192.0.2.2 -P 10000 -S 500 -p 20000 -D 200 -t 500 >/dev/null
flood=$BACKGROUND
start_cli endless -E -o json -b 1000000
sleep 1
end_cli endless INT
is "$STATUS" 0 'SIGINT ends it also while there are always more'
ok 'as there were' kill "$flood"
wait "$flood"
sysctl_in c udptrack_max=262144
cli -F
burst_of $burst

# --- the end

cli -L
is "$STATUS $(wc -l <<<"$OUT")" "0 $burst" 'a long list'
start_cli orphan -E -o json
exec {GEN_IN}>&-
ip netns del s
unload_udptrack
end_cli orphan
is "$STATUS" 1 'whoever waits for events is told that the module went'
like "$(<"$work/orphan.err")" 'udptrack: the module was unloaded$' 'in words'
STATUS=0
in_ns c "$CLI" -h >/dev/full 2>"$work/err" || STATUS=$?
is "$STATUS $(<"$work/err")" '1 udptrack: cannot write what was found' 'a full disk is no empty table'
done_testing
