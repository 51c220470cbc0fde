#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The owner of a flow: user, process, cgroup and command, still named after the
# process has ended; of flows that others began, since the first answer; as the
# reader's namespaces know them; and nobody rather than somebody else where the
# kernel sends for itself or a packet waited in a queue.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

processes=2000
[ "$UDPTRACK_KERNEL" = debug ] && processes=100
work=$(mktemp -d)
trap 'rm -rf "$work"; at_exit' EXIT
load_udptrack timeout=600
two_netns

# owner NS PORT: what a listing there says of the owner of the flow with that port
owner() {
	in_ns "$1" sed -nE "/ (sport|dport)=$2 /{s/.* bytes=[0-9]+( \[ASSURED\])?//; s/^ //; p}" /proc/net/udptrack
}

# once PORT [PROGRAM]: prints its pid, sends one packet and ends
cat >"$work/once" <<-END
	#!/bin/sh
	echo \$\$
	exec "\${2:-$BIN/flood}" -s 192.0.2.1 -d 192.0.2.2 -P "\$1" -p 9 >/dev/null
END
chmod 755 "$work" "$work/once"
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
mkdir /sys/fs/cgroup/box
root=$(stat -c %i /sys/fs/cgroup) box=$(stat -c %i /sys/fs/cgroup/box)

# --- clients that have gone

pid=$(in_ns c "$work/once" 4000)
is "$(owner c 4000)" "uid=0 pid=$pid cgroup=$root comm=flood" 'a client of root'
pid=$(in_ns c setpriv --reuid 1234 --clear-groups "$work/once" 4001)
is "$(owner c 4001)" "uid=1234 pid=$pid cgroup=$root comm=flood" "a user's"
# shellcheck disable=SC2016
pid=$(in_ns c bash -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs; exec "$1" 4002' - "$work/once")
is "$(owner c 4002)" "uid=0 pid=$pid cgroup=$box comm=flood" 'one in a cgroup'
rmdir /sys/fs/cgroup/box
is "$(owner c 4002)" "uid=0 pid=$pid cgroup=$box comm=flood" 'whose cgroup has gone since'
is "$(owner s 4002)" '' 'at the other end nobody answered, so nobody owns it'
cp "$BIN/flood" "$work/a b\\c"
pid=$(in_ns c "$work/once" 4003 "$work/a b\\c")
is "$(owner c 4003)" "uid=0 pid=$pid cgroup=$root comm=a\\040b\\\\c" 'a command with a space and a backslash'
pid=$(in_ns c sh -c 'echo $$; exec dig @192.0.2.2 -b 192.0.2.1#4005 example.test +tries=1 +time=1 >/dev/null')
like "$(owner c 4005)" "^uid=0 pid=$pid cgroup=$root dns=out:1,ok:0,forged:0,rtt_us:0 comm=dig\$" 'dig, which nobody answered'
in_ns c python3 -c '
import socket, threading
def f():
    open("/proc/thread-self/comm", "w").write("worker")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 4004))
    s.sendto(b"x", ("192.0.2.2", 9))
t = threading.Thread(target=f); t.start(); t.join()'
like "$(owner c 4004)" 'comm=python3$' 'a thread: the command is the process'"'"'s'

# --- a daemon, and clients of it

cat >"$work/echo" <<-'END'
	import os, socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("192.0.2.2", 5300))
	print(os.getpid(), flush=True)
	for i in range(3):
	    data, peer = s.recvfrom(100)
	    if data != b"quiet":
	        s.sendto(data, peer)
END
exec {daemon}< <(in_ns s setpriv --reuid 53 --clear-groups python3 "$work/echo")
read -r -u "$daemon" daemon_pid
cat >"$work/ask" <<-'END'
	import os, socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("", int(sys.argv[1])))
	s.connect(("192.0.2.2", 5300))
	s.send(sys.argv[2].encode())
	if sys.argv[2] != "quiet":
	    s.recv(100)
	print(os.getpid())
END
pid=$(in_ns c python3 "$work/ask" 4100 quiet)
is "$(owner s 4100)" '' 'a flow that others began has no owner before the first answer'
pid=$(in_ns c python3 "$work/ask" 4101 hello)
is "$(owner s 4101)" "uid=53 pid=$daemon_pid cgroup=$root comm=python3" 'and then who answered'
is "$(owner c 4101)" "uid=0 pid=$pid cgroup=$root comm=python3" 'at the other end, who asked'
in_ns c python3 "$work/ask" 4102 bye >/dev/null
exec {daemon}<&-
is "$(owner s 4101)" "uid=53 pid=$daemon_pid cgroup=$root comm=python3" 'also when the daemon has gone'

# --- namespaces

# A pid namespace: its own numbers inside, ours outside, none next door.
# shellcheck disable=SC2016
inside=$(in_ns c unshare -pf --mount-proc bash -c '"$1" 4200; sed -n "/sport=4200 /s/.* uid=/uid=/p" /proc/net/udptrack' - "$work/once")
pid=$(head -n1 <<<"$inside")
is "$(tail -n1 <<<"$inside")" "uid=0 pid=$pid cgroup=$root comm=flood" 'inside a pid namespace: its own numbers'
like "$(owner c 4200)" "^uid=0 pid=[0-9]+ cgroup=$root comm=flood" 'outside: ours'
unlike "$(owner c 4200)" "pid=$pid " 'which are others'
is "$(in_ns c unshare -pf --mount-proc sed -n '/sport=4200 /s/.* uid=/uid=/p' /proc/net/udptrack)" \
	"uid=0 cgroup=$root" 'in another pid namespace: no process, and no name of one'
# A user namespace: root there is somebody here.
# shellcheck disable=SC2016
like "$(setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur unshare -n bash -c 'ip link set lo up
	"$0/flood" -P 1234 -p 5678 >/dev/null; cat /proc/net/udptrack' "$BIN")" ' uid=0 pid=' \
	'in a user namespace, its root is 0'

# --- not somebody else

# The kernel's own: a tunnel, which carries a user's packet.
for ns in c s; do
	remote=192.0.2.2
	[ $ns = s ] && remote=192.0.2.1
	ip -n $ns link add vx type vxlan id 7 remote $remote dstport 4789 dev eth0
	ip -n $ns link set vx up
done
ip -n c addr add 10.7.0.1/24 dev vx
ip -n s addr add 10.7.0.2/24 dev vx
in_ns c ping -c1 -W5 10.7.0.2 >/dev/null
like "$(owner c 4789 | grep . | sort -u | paste -sd' ')" '^(uid=0( cgroup=[0-9]+)? ?)+$' "a tunnel's packets are the kernel's"

# A packet that waited in a queue is not the verdict's giver's.
in_ns c iptables-legacy -A OUTPUT -p udp --sport 4300 -j NFQUEUE --queue-num 7
coproc NFQ { exec nsenter --net=/run/netns/c "$BIN/nfq" 7; }
read -r -u "${NFQ[0]}" line
is "$line" ready 'a queue'
in_ns c setpriv --reuid 1234 --clear-groups "$work/once" 4300 >/dev/null
echo wait 1 >&"${NFQ[1]}"
read -r -t 20 -u "${NFQ[0]}" line
echo accept >&"${NFQ[1]}"
read -r -t 20 -u "${NFQ[0]}" line
is "$line" 'accepted 1' 'a packet waited in it'
is "$(owner c 4300)" "uid=1234 cgroup=$root" 'its user is known, its process not'
echo quit >&"${NFQ[1]}"
in_ns c iptables-legacy -F
pid=$(in_ns c setpriv --reuid 1234 --clear-groups "$work/once" 4300)
is "$(owner c 4300)" "uid=1234 pid=$pid cgroup=$root comm=flood" 'the next packet tells'

# --- ten thousand sockets

unload_udptrack
load_udptrack timeout=600
# What a processor keeps at hand counts as in use until it is given back.
objects() {
	echo 1 >/sys/kernel/slab/pid/shrink
	awk '$1 == "pid" { print $2 }' /proc/slabinfo
}
before=$(objects)
in_ns c "$BIN/senders" 192.0.2.2 9 20000 $processes 5 >"$work/expected"
is $? 0 "$((processes * 5)) sockets of $processes processes"
in_ns c sed -nE 's/.* sport=(2[0-9]{4}) dport=9 .* pid=([0-9]+) .* comm=senders$/\1 \2/p' /proc/net/udptrack |
	sort >"$work/found"
sort "$work/expected" >"$work/sorted"
is "$(wc -l <"$work/sorted")" $((processes * 5)) 'each was said'
ok 'each flow names its process' cmp "$work/sorted" "$work/found"
diag "$(diff "$work/sorted" "$work/found" | head -n 5)"
unload_udptrack
# Numbers of processes go with their flows, after a grace period.
# shellcheck disable=SC2317 # called by wait_until
few() { [ $(($(objects) - before)) -lt 300 ]; }
ok 'no process number is left' wait_until 10 few
diag "struct pid: $before before, $(objects) after"

done_testing
