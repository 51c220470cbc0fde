#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# udptrack top on a terminal of 80x24 and of 132x50: what it shows, in which
# order, what keys do, that it follows the terminal's size and gives the terminal
# back; and udptrack doctor with the module absent, there, blocked, and with
# trouble that it should find.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"

CLI=$TOP/build/tools/udptrack
work=$(mktemp -d)
trap 'tm kill-server 2>/dev/null; rm -rf "$work"; at_exit' EXIT

# --- doctor, with no module

# doctor [ARGUMENT...]: STATUS, OUT; of what is wrong, UNFIXED is what has no fix
UNFIXED=''
doctor() {
	STATUS=0
	OUT=$("$CLI" doctor "$@" 2>&1) || STATUS=$?
	UNFIXED+=$(awk '/^ +fix: ./ { held = "" } held != "" { print held; held = "" }
		/^(FAIL|WARN)/ { held = $0 } END { if (held != "") print held }' <<<"$OUT")
}
release=$(uname -r)
modules=/lib/modules/$release
rules=/etc/modprobe.d/udptrack-test.conf
# Without our module nothing depends on the kernel; the debug kernel, which is slow,
# leaves that out.
if [ "$UDPTRACK_KERNEL" != debug ]; then

# A machine with our module only, since depmod takes a minute for all others.
tree=$work/tree$modules
mkdir -p "$modules" "$tree/updates" /etc/modprobe.d
mount --bind "$tree" "$modules"
doctor
is "$STATUS" 1 'doctor without the module: status 1'
is "${OUT%%$'\n'*}" "OK    kernel      $release" 'it names the kernel'
like "$OUT" $'\nFAIL  headers     not there, so the module cannot be built here\n +fix: apt-get install linux-headers-'"${release//+/.}" 'no headers'
like "$OUT" $'\nFAIL  module      not loaded, and not installed for this kernel\n +fix: .*make install' 'the module is missing'
like "$OUT" $'\n\?\?    netlink     not asked' 'what cannot be known is not guessed'
like "$OUT" $'\nOK    secure boot none' 'this machine has no UEFI'
ok 'nothing was loaded' test ! -e /sys/module/udptrack
mkdir "$tree/build"
touch "$tree/build/Makefile"
doctor
like "$OUT" $'\nOK    headers     there, so' 'with headers'

cp "$KO" "$tree/updates/udptrack.ko"
depmod -b "$work/tree" "$release" 2>/dev/null
doctor
like "$STATUS $OUT" $'^1 .*\nFAIL  module      installed, but not loaded\n +fix: modprobe udptrack' 'installed, but not loaded'
echo 'blacklist udptrack' >$rules
doctor
like "$STATUS $OUT" $'^1 .*\nFAIL  module      blocked: modprobe is told \'blacklist udptrack\'\n +fix: delete' 'on a blacklist'
echo 'install udptrack /bin/false' >$rules
doctor
like "$STATUS $OUT" $'^1 .*\nFAIL  module      blocked: modprobe is told \'install udptrack /bin/false\'\n +fix: delete' 'with an install rule'
echo 'blacklist udptrack_ctnl' >$rules
doctor
like "$OUT" $'\nFAIL  module      installed, but not loaded\n' 'a rule about another module does not matter'
rm "$rules"

# as_cmdline TEXT: the kernel's command line is this
as_cmdline() {
	echo "$1" >"$work/cmdline"
	mount --bind "$work/cmdline" /proc/cmdline
	doctor
	umount /proc/cmdline
}
as_cmdline 'ro module_blacklist=foo,udptrack quiet'
like "$STATUS $OUT" $'^1 .*\nFAIL  module      the kernel\'s command line forbids it\n +fix: boot without' 'forbidden at boot'
as_cmdline 'ro module_blacklist=udptrack_ctnl,foo udptrack'
like "$OUT" $'\nFAIL  module      installed, but not loaded\n' 'others may be'

# A machine with UEFI, as far as files tell.
mount -t tmpfs firmware /sys/firmware
mkdir -p /sys/firmware/efi/efivars
# efi VARIABLE BYTE: set it
efi() { printf '\6\0\0\0%b' "$2" >"/sys/firmware/efi/efivars/$1"; }
secure_boot=SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
efi $secure_boot '\0'
doctor
like "$OUT" $'\nOK    secure boot off\n' 'Secure Boot is off'
efi $secure_boot '\1'
doctor
like "$OUT" $'\nFAIL  secure boot on, and .*/updates/udptrack.ko is not signed, so the kernel refuses it\n +fix: sign-file .* mokutil --import' 'it is on, and the module not signed'
# A signature is what stands at the end: signer, key, signature, and how long they are.
printf 'mekey!signature\1\4\1\2\4\0\0\0\0\0\0\11~Module signature appended~\n' >>"$tree/updates/udptrack.ko"
doctor
like "$OUT" $'\nWARN  secure boot on, and the module is signed, but no key was enrolled by mokutil\n +fix: sign-file' 'it is signed, but there are no keys'
efi MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23 x
doctor
like "$OUT" $'\nOK    secure boot on, the module is signed, and there are enrolled keys\n' 'and with keys'
umount /sys/firmware
umount "$modules"

fi

# --- doctor, with the module

load_udptrack
doctor
is "$STATUS" 0 'doctor with the module: status 0'
unlike "$OUT" '(^|'$'\n'')(FAIL|WARN|\?\?)' 'all is well'
for check in 'module      version 0.1.0 is loaded' 'netlink     the family is there' 'hooks       this network' \
	'exempt      no port' 'table       [0-9]+ of 262144 flows' 'permission  you may'; do
	like "$OUT" $'\n'"OK    $check" "${check%% *} is fine"
done
doctor -o json
is "$(jq -rs 'map(.result) | unique | join(" ")' <<<"$OUT")" OK 'the same as JSON'
is "$(jq -s 'map(select(.check == "module") | .text)[0]' <<<"$OUT")" '"version 0.1.0 is loaded"' 'with words'
sysctl -qw net.netfilter.udptrack_exempt_ports=50-60,4789 net.netfilter.udptrack_acct=0 net.netfilter.udptrack_events=0
doctor
is "$STATUS" 0 'trouble that may be meant so: status 0'
like "$OUT" $'\nWARN  exempt      ports 50-60,4789 are exempt, some of dns_ports among them.*\n +fix: ' 'DNS is exempt'
like "$OUT" $'\nWARN  counters    switched off.*\n +fix: sysctl -w net.netfilter.udptrack_acct=1\n' 'no counters'
like "$OUT" $'\nWARN  events      switched off.*\n +fix: sysctl' 'no events'
sysctl -qw net.netfilter.udptrack_exempt_ports=4789 net.netfilter.udptrack_acct=1 net.netfilter.udptrack_events=1
doctor
like "$OUT" $'\nOK    exempt      ports 4789 are not tracked' 'another exempt port is fine'
sysctl -qw net.netfilter.udptrack_exempt_ports=
load_module xt_udptrack
iptables -A INPUT -p udp -m udptrack --state INVALID -j DROP
modprobe nf_conntrack
doctor
like "$OUT" $'\nOK    hooks .* rules with -m udptrack: 1; mark_mask: (0x)?0\n' 'a rule is counted'
like "$OUT" $'\nOK    conntrack   loaded; both track' 'nf_conntrack is no trouble'
modprobe nf_conntrack_netlink
doctor
like "$OUT" $'\nOK    ctnl        not loaded, and it cannot be while nf_conntrack_netlink is' 'who answers conntrack: the other'
rmmod nf_conntrack_netlink
load_module udptrack_ctnl
doctor
like "$OUT" $'\nOK    ctnl        loaded: conntrack\\(8\\) shows these flows' 'or ours'
unload_module udptrack_ctnl
iptables -F INPUT
STATUS=0
OUT=$(setpriv --reuid 1234 --clear-groups "$CLI" doctor 2>&1) || STATUS=$?
like "$STATUS $OUT" $'^0 .*\n\?\?    permission  you may see totals, but no flows.*\n +fix: run it as root' 'a user may ask, too'

# --- flows to look at

two_netns
gen_start
sysctl_in c udptrack_timeout=600 udptrack_dns_linger=600 udptrack_max=10
gen_script < <(
	cat <<-END
		in s
		udp big 192.0.2.2 7001
		udp small 192.0.2.2 7002
		udp resolver 192.0.2.2 53
		in c
		udp small 192.0.2.1 4002
		send small 192.0.2.2 7002 size=10
		sleep 1200
		udp big 192.0.2.1 4001
		send big 192.0.2.2 7001 size=1000 n=20
		udp asks 192.0.2.1 4003
		send asks 192.0.2.2 53 dns=7,0100 size=40
		in s
		recv resolver
		send resolver 192.0.2.1 4003 dns=7,8180 size=60
		in c
		recv asks
		udp six 2001:db8::1 4004
		send six 2001:db8::2 7004
	END
)
for port in 4005 4006 4007 4008; do
	gen "in c" "udp p$port 192.0.2.1 $port" "send p$port 192.0.2.2 9"
done
STATUS=0
OUT=$(in_ns c "$CLI" doctor) || STATUS=$?
like "$STATUS $OUT" $'^0 .*\nWARN  table       8 of 10 flows: nearly full.*\n +fix: sysctl -w net.netfilter.udptrack_max=20' 'a table that is nearly full'
is "$UNFIXED" '' 'whatever was wrong, it said what to do'

# --- top

tm() { tmux -L "udptrack$$" -f /dev/null "$@"; }
# screen: what is on it now
screen() { SCREEN=$(tm capture-pane -p -t top); }
# shows REGEX: it is on the screen; called by wait_until
# shellcheck disable=SC2317
shows() { screen; [[ $SCREEN =~ $1 ]]; }
# expect REGEX NAME: it will be on the screen
expect() {
	if wait_until 10 shows "$1"; then
		pass "$2"
	else
		fail "$2"
		diag "not matching: $1"
		diag "$SCREEN"
	fi
}
# first: the port of the first flow on the screen
first() { sed -n '6s/.*:\([0-9]*\) > .*/\1/p' <<<"$SCREEN"; }
# sorted_by KEY PORT NAME: that key brings that flow to the top
sorted_by() {
	tm send-keys -t top "$1"
	if wait_until 10 first_is "$2"; then pass "$3"; else fail "$3"; diag "$SCREEN"; fi
}
# shellcheck disable=SC2317
first_is() { screen; [ "$(first)" = "$1" ]; }
# shellcheck disable=SC2317
first_isnt() { screen; [ "$(first)" != "$1" ]; }

STATUS=0
OUT=$(in_ns c "$CLI" top </dev/null 2>&1) || STATUS=$?
is "$STATUS $OUT" "1 udptrack: top needs a terminal; 'udptrack -L' does not" 'top without a terminal'
TERM=screen tm new-session -d -s top -x 80 -y 24 "PS1='ready> ' nsenter --net=/run/netns/c -- bash --norc --noprofile"
expect 'ready>' 'a terminal of 80x24'
# What the terminal is set to must be what it was before.
tm send-keys -t top "stty -a >$work/before; $CLI top -d 0.5; echo status \$?; stty -a >$work/after" Enter
expect 'flows 8 of 10 ' 'top: totals'
is "$(sed -n 1p <<<"$SCREEN" | sed 's/[0-9][0-9]:[0-9][0-9]:[0-9][0-9]/TIME/')" \
	'udptrack TIME  flows 8 of 10  shown 8: 7 NEW, 1 ESTABLISHED' 'the first line'
like "$SCREEN" $'\ndns: 1 asked, 1 answered, half in <[0-9]+[mu]s, 0 unanswered, 0 forged\n' 'DNS'
is "$(sed -n '5{s/ *$//; s/  */ /g; p}' <<<"$SCREEN")" ' B/s BYTES AGE S DNS USER COMMAND SOURCE > DESTINATION' 'a header'
is "$(grep -c ' > .*:[0-9]' <<<"$SCREEN")" 8 'a line a flow'
like "$SCREEN" $'\n *[0-9.k]+ 20\\.6k +[0-9ms]+ N +root +udpgen +192\\.0\\.2\\.1:4001 > 192\\.0\\.2\\.2:7001\n' 'who moves what, from where to where'
like "$SCREEN" $' E +[0-9.]+[mu]s root +udpgen +192\\.0\\.2\\.1:4003 > 192\\.0\\.2\\.2:53\n' 'how long DNS took'
like "$SCREEN" $' \\[2001:db8::1\\]:4004 > ' 'IPv6'
is "$(wc -l <<<"$SCREEN")" 24 'all in 24 lines'
like "$(sed -n 24p <<<"$SCREEN")" '^q quit  sort: r rate, b bytes, a age, d dns, R reverse  by rate *$' 'and the keys, at the bottom'
is "$(awk 'length > 80' <<<"$SCREEN")" '' 'none is too long'

sorted_by b 4001 'b: most bytes first'
sorted_by a 4002 'a: the oldest first'
sorted_by d 4003 'd: the slowest DNS answer first'
gen "in c" "udp vain 192.0.2.1 4009" "send vain 192.0.2.2 53 dns=8,0100 size=40"
expect $' N   open root +udpgen +192\\.0\\.2\\.1:4009 > ' 'a question without an answer'
is "$(first)" 4009 'comes before it'
in_ns c "$CLI" -D --sport 4009 2>/dev/null
sorted_by R 4002 'R: the other way round'
expect 'by dns time, reversed' 'and it says so'
tm send-keys -t top R b
expect 'by bytes *$' 'and back'
# Now traffic: two thousand bytes more of the small one make it the fastest.
tm send-keys -t top r
for _ in {1..20}; do
	gen "in c" "send small 192.0.2.2 7002 size=1000 n=20"
	first_is 4002 && break
	sleep 0.3
done
is "$(first)" 4002 'r: the fastest first, and it follows what happens'

# Nor does the size of a terminal depend on the kernel.
if [ "$UDPTRACK_KERNEL" != debug ]; then

tm resize-window -t top -x 132 -y 50
expect $'LEFT S +DNS +USER +COMMAND +SOURCE > DESTINATION' 'a larger terminal has more columns'
expect $' 5[0-9][0-9]s|9m[0-9][0-9] N' 'seconds to live'
is "$(wc -l <<<"$SCREEN")" 50 'and lines'
like "$(sed -n 50p <<<"$SCREEN")" '^q quit' 'the keys are at the bottom again'
tm resize-window -t top -x 80 -y 8
# Room is for two flows: what is above them, and the keys, stay.
wait_until 10 shows $'^udptrack .*\n.*\n.*\n.*\n.*COMMAND.*\n.* > .*\n.* > .*\nq quit'
like "$SCREEN" $'^udptrack .*\n.*\n.*\n.*\n.*COMMAND.*\n.* > .*\n.* > .*\nq quit' 'a small terminal shows what it can'
tm send-keys -t top b
expect 'by bytes *$' 'the most bytes first'
was=$(first)
tm send-keys -t top Down
wait_until 10 first_isnt "$was"
like "$(first)" '^4' 'a flow is there'
isnt "$(first)" "$was" 'and another than before: it can be scrolled'
tm send-keys -t top End Home NPage PPage Left Right x
expect '^udptrack' 'other keys do no harm'
tm resize-window -t top -x 10 -y 3
expect '^udptrack' 'nor does a tiny terminal'
tm resize-window -t top -x 80 -y 24
expect $'dns: 2 asked' 'and back'

fi

tm send-keys -t top q
expect 'status 0' 'q: it ends with status 0'
wait_until 10 test -s "$work/after"
is "$(<"$work/after")" "$(<"$work/before")" 'and the terminal is as it was'
unlike "$SCREEN" 'SOURCE > DESTINATION' 'with the screen that it had'
tm send-keys -t top "clear; $CLI top --dst 192.0.2.2 --dport 53 -d 0.5; echo status \$?" Enter
expect 'flows 8 of 10 \(filtered\)  shown 1: 0 NEW, 1 ESTABLISHED' 'top with a filter'
tm send-keys -t top C-c
expect 'status 0' 'ctrl-C ends it, too'
tm send-keys -t top "clear; stty -a >$work/before; (echo \$BASHPID >$work/pid; exec $CLI top -d 0.2); echo status \$?; stty -a >$work/after2" Enter
expect 'flows 8 of 10' 'once more'
exec {GEN_IN}>&-
unload_module xt_udptrack
unload_udptrack
expect 'not loaded' 'the module is gone: it says so'
load_udptrack
expect 'flows 0 of 262144' 'and is there again: it goes on'
kill "$(<"$work/pid")"
expect 'status 0' 'SIGTERM ends it'
wait_until 10 test -s "$work/after2"
is "$(<"$work/after2")" "$(<"$work/before")" 'and the terminal is as it was'
tm send-keys -t top "clear; TERM=bogus $CLI top; echo status \$?" Enter
expect $'udptrack: cannot use this terminal \\(TERM=bogus\\)\nstatus 1' 'an unknown terminal'
tm kill-server
done_testing
