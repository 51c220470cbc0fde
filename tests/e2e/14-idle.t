#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who sends no UDP pays nothing: a network namespace without it takes two pages at
# most, has no table, and nothing of ours runs there; and once the last flow is
# gone, everything is as before.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

NAMESPACES=200
tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing

# kernel_memory: in kB, when nothing is kept for later
kernel_memory() {
	local cache
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
	awk '/^(Slab|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# load_takes: in kB, with the namespaces that there are
load_takes() {
	local before after
	before=$(kernel_memory)
	load_udptrack
	after=$(kernel_memory)
	unload_udptrack
	echo $((after - before))
}

# median: of five measurements, for the kernel takes and gives back other memory meanwhile
median() { for _ in 1 2 3 4 5; do load_takes; done | sort -n | sed -n 3p; }

# works_during COMMAND...: how often work of ours ran meanwhile, on all CPUs
works_during() {
	echo >$tracing/trace
	echo 1 >$tracing/events/workqueue/workqueue_execute_start/enable
	"$@"
	echo 0 >$tracing/events/workqueue/workqueue_execute_start/enable
	grep -c '\[udptrack\]$' $tracing/trace
}

buckets() { in_ns "$1" cat /proc/sys/net/netfilter/udptrack_buckets; }
# shellcheck disable=SC2317 # called by wait_until
is_empty() { [ "$(in_ns a cat /proc/sys/net/netfilter/udptrack_count)" = 0 ]; }

# --- memory

if [ "$UDPTRACK_KERNEL" != debug ]; then
	# What the first load leaves behind is no namespace's.
	load_takes >/dev/null
	few=$(median)
	for ((i = 0; i < NAMESPACES; i++)); do echo "netns add idle$i"; done | ip -batch -
	# By then all is done that making them left for later.
	load_takes >/dev/null
	many=$(median)
	for ((i = 0; i < NAMESPACES; i++)); do echo "netns del idle$i"; done | ip -batch -
	diag "loaded: $few kB more, with $NAMESPACES namespaces $many kB"
	between $(((many - few) * 1024 / NAMESPACES)) 1 8192 'a namespace without UDP takes two pages at most'
	load_udptrack timeout=1
else
	# Its allocators add to each piece.
	load_udptrack timeout=1
fi

# --- no table before there is a flow

new_netns a b
in_ns a bash -c 'exec 3<>/dev/tcp/127.0.0.1/1' 2>/dev/null
in_ns a ping -c 1 -q 127.0.0.1 >/dev/null
empty=$(buckets a)
between "$empty" 1 3 'TCP and ICMP: no table'
in_ns a "$BIN/flood" -S 1 >/dev/null
between "$(buckets a)" 64 1024 'the first flow makes one'
is "$(buckets b)" "$empty" 'and nobody else pays for it'

# --- no work without flows

# shellcheck disable=SC2317 # called by works_during
send_and_wait() {
	in_ns a "$BIN/flood" -P 2000 -S 10 >/dev/null
	wait_until 10 is_empty
}
between "$(works_during send_and_wait)" 1 1000 'flows come and go: the collector runs'
ok 'they are gone' is_empty
# It may look at an empty table once.
sleep 3
is "$(works_during sleep 12)" 0 'no flows: nothing runs, for longer than the collector ever sleeps'

done_testing
