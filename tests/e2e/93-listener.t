#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# require_listener: a packet that nobody here asked for makes a flow only where
# somebody would take it, and everybody who would counts: sockets bound to an
# address, a device or a VRF, of both families, connected ones, groups, tunnels of
# the kernel, transparent proxies. To the firewall it is NEW, one way or the other.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/states.sh
. "$(dirname "$0")/states.sh"

declare -A C=([4]=192.0.2.1 [6]=2001:db8::1) S=([4]=192.0.2.2 [6]=2001:db8::2)
declare -A RED_C=([4]=198.51.100.1 [6]=2001:db8:1::1) RED_S=([4]=198.51.100.2 [6]=2001:db8:1::2)
declare -A ANY=([4]=0.0.0.0 [6]=::) LO=([4]=127.0.0.1 [6]=::1)
declare -A GROUP=([4]=239.1.2.3 [6]=ff05::123)
work=$(mktemp -d)
trap 'rm -rf "$work"; at_exit' EXIT
load_udptrack
load_module xt_udptrack
two_netns
count_states s
link_netns c red s red
ip -n s link add vrf-red type vrf table 10
ip -n s link set vrf-red up
ip -n s link set red master vrf-red
printf 'addr add dev red %s\n' "${RED_C[4]}/24" "${RED_C[6]}/64 nodad" | ip -n c -batch -
printf 'addr add dev red %s\n' "${RED_S[4]}/24" "${RED_S[6]}/64 nodad" | ip -n s -batch -
ok 'the way into the VRF' wait_until 5 in_ns c ping -6 -c1 -W1 2001:db8:1::2
gen_start

# knock PORT [TO [FROM]]: a packet from c to s, whatever becomes of it
number=6000
knock() {
	local to=${2:-$s} from=${3:-$c}
	number=$((number + 1))
	gen "in c" "udp knock $from $number" "send knock $to $1" "close knock" "barrier c ${S[4]} s"
	seen=$(states s INPUT "$family")
	snap s
	flow "$from" "$number" "$to" "$1"
	FLOW=${FLOW%% *}
}
# What else comes in meanwhile are errors about what a tunnel sends of its own.
takes() { knock "${@:2}"; is "$FLOW ${seen%% *}" 'NEW NEW' "$v: $1"; }
takes_not() { knock "${@:2}"; is "$FLOW ${seen%% *}" 'none NEW' "$v: no flow: $1"; }

# An emulated debug kernel takes minutes for each; the others try both.
families=(4 6) counted=15
[ "$UDPTRACK_KERNEL" = debug ] && families=(6) counted=9
for family in "${families[@]}"; do
	states s INPUT "$family" >/dev/null
	v=IPv$family c=${C[$family]} s=${S[$family]} any=${ANY[$family]}
	takes_not 'a closed port' 7000
	gen "in s" "udp x $any 7001"
	takes 'any address' 7001
	gen "close x" "in s" "udp x $s 7002"
	takes 'bound to the address' 7002
	gen "close x" "in s" "udp x ${LO[$family]} 7003"
	takes_not 'bound to another' 7003
	gen "close x" "in s" "udp x $any 7004 dev=eth0"
	takes 'bound to the device' 7004
	gen "close x" "in s" "udp x $any 7005 dev=lo"
	takes_not 'bound to another device' 7005
	gen "close x" "in s" "udp x $s 7006 to=$c,$((number + 1))"
	takes 'connected to who sends' 7006
	takes_not 'connected to somebody else' 7006
	gen "close x"

	# --- a VRF
	gen "in s" "udp x $any 7010"
	takes_not 'not bound to the VRF' 7010 "${RED_S[$family]}" "${RED_C[$family]}"
	in_ns s sysctl -qw net.ipv4.udp_l3mdev_accept=1
	takes 'of all VRFs' 7010 "${RED_S[$family]}" "${RED_C[$family]}"
	in_ns s sysctl -qw net.ipv4.udp_l3mdev_accept=0
	gen "close x" "in s" "udp x $any 7011 dev=vrf-red"
	takes 'bound to the VRF' 7011 "${RED_S[$family]}" "${RED_C[$family]}"
	takes_not 'bound to the VRF, and from elsewhere' 7011
	gen "close x" "in s" "udp x $any 7012 dev=red"
	takes 'bound to the device in it' 7012 "${RED_S[$family]}" "${RED_C[$family]}"
	gen "close x"

	# --- groups
	gen "in s" "udp x ${GROUP[$family]} 7020 join=${GROUP[$family]},eth0" "in c" \
		"udp knock $c 6900 dev=eth0" "send knock ${GROUP[$family]} 7020" "recv x" "close knock" "close x"
	snap s
	flow "$c" 6900 "${GROUP[$family]}" 7020
	is "${FLOW%% *}" NEW "$v: a group"
	states s INPUT "$family" >/dev/null
done

# --- one socket of both families

cat >"$work/both" <<-'END'
	import socket, sys, time
	s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(sys.argv[1]))
	s.bind(("::", int(sys.argv[2])))
	time.sleep(600)
END
# holding PORT COMMAND...: it runs, and has that port; until released
holding() {
	background in_ns s "${@:2}"
	wait_until 20 in_ns s bash -c "ss -Hlun 'sport = $1' | grep -q ." || bail_out "$2 does not listen"
}
release() { kill "$BACKGROUND"; wait "$BACKGROUND"; }
family=4 v=IPv4 c=${C[4]} s=${S[4]}
states s INPUT "$family" >/dev/null
holding 7030 python3 "$work/both" 0 7030
takes 'a socket of both families' 7030
release
holding 7031 python3 "$work/both" 1 7031
takes_not 'one of IPv6 only' 7031
release

# --- tunnels of the kernel: what comes in first is theirs

for kind in vxlan geneve; do
	options='id 7 local 192.0.2.2 remote 192.0.2.1 dstport 4789'
	[ $kind = vxlan ] || options='id 7 remote 192.0.2.1 dstport 6081'
	port=4789
	[ $kind = vxlan ] || port=6081
	takes_not "no $kind" $port
	# shellcheck disable=SC2086 # words
	ip -n s link add tun0 type $kind $options
	ip -n s link set tun0 up
	takes "$kind" $port
	ip -n s link del tun0
done

# --- a transparent proxy: for an address that is not this host's

cat >"$work/proxy" <<-'END'
	import socket, sys, time
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
	s.bind(("0.0.0.0", 7041))
	time.sleep(600)
END
in_ns s iptables-legacy -t mangle -A PREROUTING -p udp --dport 7040 -j TPROXY --on-port 7041 --tproxy-mark 1
ip -n s rule add fwmark 1 lookup 100
ip -n s route add local default dev lo table 100
ip -n c route add 203.0.113.0/24 via 192.0.2.2
holding 7041 python3 "$work/proxy"
takes 'a transparent proxy' 7040 203.0.113.5
release

snap s
is "$(counter no_listener)" $counted 'those that made none are counted'
sysctl_in s udptrack_require_listener=0
family=6 v='IPv6, require_listener=0' c=${C[6]} s=${S[6]}
takes 'a closed port' 7000

done_testing
