#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests to many hosts, by multicast and broadcast: whoever answers from the
# port that was asked to the port that asked, while the request lives, is RELATED
# and begins a flow; everybody else is NEW. First with packets of our own making,
# then with programs as they are: mDNS, SSDP, DHCP and a NetBIOS-style broadcast
# through a firewall that drops all but RELATED and ESTABLISHED.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/udpgen.sh
. "$(dirname "$0")/udpgen.sh"
# shellcheck source=tests/e2e/states.sh
. "$(dirname "$0")/states.sh"

# So long that nothing expires, however slow the machine is.
TIMEOUT=600
load_udptrack timeout=$TIMEOUT
load_module xt_udptrack || bail_out 'xt_udptrack does not load'

# firewall NS: nothing gets in but what the one rule for UDP lets in, and what
# IPv6 and the tests' barriers need
firewall() {
	local family also
	for family in 4 6; do
		also='-p ipv6-icmp'
		[ "$family" = 4 ] && also='-p 253'
		{
			echo '*filter'
			echo ':INPUT DROP'
			echo '-A INPUT -m udptrack --state RELATED,ESTABLISHED -j ACCEPT'
			echo "-A INPUT $also -j ACCEPT"
			echo COMMIT
		} | in_ns "$1" "${IPTABLES[$family]}-restore" || bail_out "no firewall in $1"
	done
}

# a asks; b is many hosts.
two_netns a b
link_netns a eth1 b eth1
for ns in a b; do
	for dev in eth0 eth1; do
		echo "addr flush dev $dev scope link"
		echo "addr add fe80::$ns/64 dev $dev nodad"
	done | ip -n $ns -6 -batch -
done
ip -n b -6 addr add fe80::c/64 dev eth0 nodad
for host in 3 4; do
	ip -n b addr add 192.0.2.$host/24 dev eth0
	ip -n b -6 addr add 2001:db8::$host/64 dev eth0 nodad
done
ip -n a addr add 192.0.2.11/24 dev eth0
wait_until 10 in_ns b ping -6 -c1 -W1 fe80::a%eth0 || bail_out 'no way by link-local addresses'
wait_until 10 in_ns b ping -6 -c1 -W1 fe80::a%eth1 || bail_out 'no way on the other link'
firewall a
count_states a
count_states b
gen_start

# The family whose counters are 0, unless there was traffic since.
clean=''
# came STATE NAME LINE...: b does these, and that is what comes in at a
came() {
	local state=$1 name=$2
	shift 2
	[ "$clean" = "$family $GEN_TO" ] || states a INPUT "$family" >/dev/null
	gen 'in b' "$@" 'barrier b 192.0.2.1 a'
	came_from=$GEN_FROM came_to=$GEN_TO
	is "$(states a INPUT "$family")" "$state" "$label: $name"
	clean="$family $GEN_TO"
}

# use FAMILY: what follows is of that family, where a first packet has BYTES bytes
use() {
	family=$1 bytes=38
	[ "$family" = 4 ] || bytes=58
	new="NEW 1/$bytes [UNREPLIED] 0/0"
}

### Of each kind: who asks whom on which port, and who answers.
port=5000
while read -r label family me group asked x y; do
	# An emulated debug kernel takes a minute for each; the others try them all.
	[[ $UDPTRACK_KERNEL != debug || $label =~ ^(subnet-broadcast|ipv6-link-local)$ ]] || continue
	use "$family"
	port=$((port + 10))
	to=${group%\%*} from=${me%\%*} xa=${x%\%*} ya=${y%\%*}
	gen 'in b' "udp x $x $asked broadcast" "udp y $y $asked broadcast" "udp other $x 4999" \
		'in a' "udp ask $me $port broadcast dev=eth0" "udp next $me $((port + 1))"
	came NEW "nobody asked yet" "send x $me $port"
	states a OUTPUT "$family" >/dev/null
	gen "send ask $group $asked"
	is "$(states a OUTPUT "$family")" NEW "$label: a request is NEW"
	snap a
	flow "$from" $port "$to" "$asked"
	flow_is "$new" "$label: and makes a flow"
	came NEW "an answer from another port is NEW" "send other $me $port"
	came NEW "to another port of ours, too" "send x $me $((port + 1))"
	gen 'silent ask' 'silent next'
	snap a
	flow "$xa" 4999 "$from" $port
	flow_is none "$label: and makes no flow where it is dropped"
	came RELATED "an answer is RELATED" "send x $me $port"
	gen 'recv ask'
	snap a
	flow "$xa" "$asked" "$from" $port
	flow_is "$new" "$label: and begins a flow"
	left_is $TIMEOUT "$label: as any other" "$came_from" "$came_to"
	came RELATED "so is the answerer's next packet" "send x $me $port"
	came RELATED "and the answer of another host" "send y $me $port"
	gen 'recv ask 2' "send ask $x $asked" 'recv x'
	came ESTABLISHED "once we answer, the answerer's are ESTABLISHED" "send x $me $port"
	came RELATED "but not those of others" "send y $me $port"
	gen 'recv ask 2'
	snap a
	flow "$xa" "$asked" "$from" $port
	traffic_is "ESTABLISHED 3/$((3 * bytes)) 1/$bytes" "$label: the answerer's flow"
	flow "$ya" "$asked" "$from" $port
	flow_is "NEW 2/$((2 * bytes)) [UNREPLIED] 0/0" "$label: that of another host"
	flow "$from" $port "$to" "$asked"
	flow_is "$new" "$label: the request's own is neither answered nor refreshed"
	gen 'close x' 'close y' 'close other' 'close ask' 'close next'
done <<'END'
multicast 4 192.0.2.1 224.0.0.251 5353 192.0.2.2 192.0.2.3
limited-broadcast 4 192.0.2.1 255.255.255.255 67 192.0.2.2 192.0.2.3
subnet-broadcast 4 192.0.2.1 192.0.2.255 137 192.0.2.2 192.0.2.3
ipv6 6 2001:db8::1 ff02::fb%eth0 5353 2001:db8::2 2001:db8::3
ipv6-wider 6 2001:db8::1 ff05::c 1900 2001:db8::2 2001:db8::3
ipv6-link-local 6 fe80::a%eth0 ff02::fb%eth0 5353 fe80::b%eth0 fe80::c%eth0
ipv6-link-local-global 6 fe80::a%eth0 ff02::fb%eth0 1900 2001:db8::2 2001:db8::4
ipv6-global-link-local 6 2001:db8::1 ff02::fb%eth0 1901 fe80::b%eth0 fe80::c%eth0
END

### The address that asked, and its link.
use 4
label='another address of ours'
gen 'in b' 'udp x 192.0.2.2 1902' 'in a' 'udp ask 192.0.2.1 5500' 'send ask 224.0.0.251 1902'
came NEW "did not ask" 'send x 192.0.2.11 5500'
came RELATED "and this one did" 'send x 192.0.2.1 5500'
use 6
label='another link'
gen 'in b' 'udp x6 fe80::b%eth1 1902' 'in a' 'udp ask0 fe80::a%eth0 5501' 'udp ask1 fe80::a%eth1 5501' \
	'send ask0 ff02::fb%eth0 1902'
came NEW "was not asked, though our address there is the same" 'send x6 fe80::a%eth1 5501'
gen 'send ask1 ff02::fb%eth1 1902'
came RELATED "is once it was asked" 'send x6 fe80::a%eth1 5501'
gen 'close x' 'close x6' 'close ask' 'recv ask1'

# An emulated debug kernel takes minutes for each; the others try them all.
families=(4 6)
[ "$UDPTRACK_KERNEL" = debug ] && families=(6)

### Time.  On a machine so busy that it is over too soon, that is tried again.
for family in "${families[@]}"; do
	use "$family"
	label="time, IPv$family"
	hosts=(192.0.2.2 192.0.2.3 192.0.2.4) me=192.0.2.1 group=224.0.0.251
	[ "$family" = 4 ] || hosts=(2001:db8::2 2001:db8::3 2001:db8::4) me=2001:db8::1 group=ff02::fb%eth0
	# The request lives for 2 s, and the answer's flow, made when the setting is
	# another one, for longer.
	gen 'in b' "udp x ${hosts[0]} 1903" "udp y ${hosts[1]} 1903" "udp z ${hosts[2]} 1903"
	for try in 1 2 3 4 5; do
		port=$((5600 + try))
		states a INPUT "$family" >/dev/null
		sysctl_in a udptrack_timeout=2
		gen "udp once$try$family $me $port" "send once$try$family $group 1903"
		asked_from=$GEN_FROM asked_to=$GEN_TO
		sysctl_in a udptrack_timeout=$TIMEOUT
		gen "until $((asked_to + 1400))" "send x $me $port" 'barrier b 192.0.2.1 a'
		[ $((GEN_TO - asked_from)) -lt $((2000 - CLOCK_SLACK_MS)) ] && break
	done
	is "$(states a INPUT "$family")" RELATED "$label: a request may be answered until it is over"
	gen "until $((asked_to + 2000 + CLOCK_SLACK_MS))" "send y $me $port" 'barrier b 192.0.2.1 a'
	is "$(states a INPUT "$family")" NEW "$label: and then no more"
	snap a
	flow "${hosts[1]}" 1903 "$me" "$port"
	flow_is none "$label: nor is there a flow"
	came RELATED 'but who answered in time remains RELATED' "send x $me $port"
	gen "send once$try$family ${hosts[0]} 1903"
	came ESTABLISHED 'until we answer' "send x $me $port"
	sysctl_in a udptrack_timeout=2
	for try in 1 2 3 4 5; do
		port=$((5700 + try))
		states a INPUT "$family" >/dev/null
		gen 'in a' "udp twice$try$family $me $port" "send twice$try$family $group 1903" 'sleep 1400'
		first_from=$GEN_FROM first_to=$GEN_TO
		gen "send twice$try$family $group 1903" 'sleep 1400' "send z $me $port" 'barrier b 192.0.2.1 a'
		[ $((GEN_FROM - first_from)) -lt $((2000 - CLOCK_SLACK_MS)) ] &&
			[ $((GEN_TO - GEN_FROM)) -lt $((2000 - CLOCK_SLACK_MS)) ] && break
	done
	is "$(states a INPUT "$family")" RELATED "$label: a request that is repeated lives on"
	between $((GEN_TO - first_to)) 1400 100000 "$label: for longer than it would have"
	sysctl_in a udptrack_timeout=$TIMEOUT
	came NEW "what is over stays over" "send x $me 5600"
	gen 'close x' 'close y' 'close z'
done

### What opens nothing.
for family in "${families[@]}"; do
	use "$family"
	label="nothing, IPv$family"
	b=192.0.2.2 c=192.0.2.3 me=192.0.2.1 group=224.0.0.251
	[ "$family" = 4 ] || b=2001:db8::2 c=2001:db8::3 me=2001:db8::1 group=ff02::fb%eth0
	in_ns a "${IPTABLES[$family]}" -I OUTPUT -p udp --dport 1904 -j DROP
	gen 'in b' "udp x $b 1904" "udp y $b 1905" "udp z $c 1905" \
		'in a' "udp ask $me 5801" "denied ask $group 1904"
	came NEW "a request that was dropped opens nothing" "send x $me 5801"
	gen "send ask $b 1905" 'recv y'
	came NEW "a request to one host opens nothing to another" "send z $me 5801"
	came ESTABLISHED "but to that one" "send y $me 5801"
	# An answer to a socket that is gone makes no flow.
	gen "send ask $group 1905" 'recv ask' 'close ask'
	came RELATED "an answer that comes too late for its socket is RELATED" "send z $me 5801"
	snap a
	flow "$c" 1905 "$me" 5801
	flow_is none "$label: but begins no flow"
	gen 'close x' 'close y' 'close z'
done
sysctl_in a udptrack_exempt_ports=1906
use 4
label='nothing, exempt port'
gen 'in b' 'udp x 192.0.2.2 1906' 'in a' 'udp ask 192.0.2.1 5802' 'send ask 224.0.0.251 1906'
came UNTRACKED 'an answer from an exempt port is UNTRACKED' 'send x 192.0.2.1 5802'
sysctl_in a udptrack_exempt_ports=65535
came NEW 'and its request was not noted' 'send x 192.0.2.1 5802'
gen 'close x' 'close ask'

### Answers to everybody who was asked, and our own request coming back.
for family in "${families[@]}"; do
	use "$family"
	label="to everybody, IPv$family"
	b=192.0.2.2 me=0.0.0.0 group=224.0.0.251 other=224.0.0.252
	[ "$family" = 4 ] || b=2001:db8::2 me=:: group=ff02::fb other=ff02::fc
	dev=%eth0
	[ "$family" = 6 ] || dev=
	gen 'in b' "udp x $b 5353" "udp other $b 4999" \
		'in a' "udp all $me 5353 dev=eth0 join=$group,eth0" "udp more $me 5354 dev=eth0 join=$other,eth0"
	came NEW 'nobody asked yet' "send x $group$dev 5353"
	states a INPUT "$family" >/dev/null
	gen "send all $group$dev 5353"
	is "$(states a INPUT "$family")" NEW "$label: our request as it comes back to us is NEW"
	came RELATED 'an answer to the group is RELATED' "send x $group$dev 5353"
	came NEW 'not from another port' "send other $group$dev 5353"
	came NEW 'nor to another group' "send x $other$dev 5353"
	gen 'recv all' 'silent all' 'silent more'
	states a INPUT "$family" >/dev/null
	gen "send all $group$dev 5353"
	is "$(states a INPUT "$family")" NEW "$label: our next request is not the answer to the first"
	states a OUTPUT "$family" >/dev/null
	gen "send all $group$dev 5353"
	is "$(states a OUTPUT "$family")" NEW "$label: not on its way out, either"
	gen 'close x' 'close other' 'close all' 'close more'
done

### The answers that we send.
for family in "${families[@]}"; do
	use "$family"
	label="answering, IPv$family"
	me=192.0.2.1 group=224.0.0.251 b=192.0.2.2 any=0.0.0.0
	[ "$family" = 4 ] || me=2001:db8::1 group=ff02::fb b=2001:db8::2 any=::
	dev=%eth0
	[ "$family" = 6 ] || dev=
	gen 'in b' "udp hear $any 1907 dev=eth0 join=$group,eth0" "udp answer $b 1908" \
		'in a' "udp ask $me 5901" "send ask $group$dev 1907" 'recv hear'
	gen 'in b' "udp say $b 1907"
	states b OUTPUT "$family" >/dev/null
	gen "send say $me 5901"
	is "$(states b OUTPUT "$family")" RELATED "$label: our answer is RELATED"
	snap b
	flow "$b" 1907 "$me" 5901
	flow_is "$new" "$label: and begins a flow"
	gen "send say $me 5901"
	is "$(states b OUTPUT "$family")" RELATED "$label: so is the next"
	gen "send answer $me 5901"
	is "$(states b OUTPUT "$family")" NEW "$label: from another port it is NEW"
	gen "send say $me 5902"
	is "$(states b OUTPUT "$family")" NEW "$label: to another port as well"
	in_ns b "${IPTABLES[$family]}" -A INPUT -p udp --sport 5903 -j DROP
	gen 'in a' "udp unheard $me 5903" "send unheard $group$dev 1907" 'barrier a 192.0.2.2 b'
	states b OUTPUT "$family" >/dev/null
	gen "send say $me 5903"
	is "$(states b OUTPUT "$family")" NEW "$label: a request that was dropped is not answered"
	gen 'close hear' 'close say' 'close answer' 'close ask' 'close unheard'
done

### Programs as they are.  s has servers, and for each a second one that answers
# from another port; c, d and their firewalls ask.
two_netns c s
new_netns d
link_netns d eth0 s eth1
ip -n s addr add 198.51.100.1/24 dev eth1
for ns in c s; do
	ip -n $ns route add 224.0.0.0/4 dev eth0
done
ASKER=$TOP/tests/e2e/asker.py
work=$(mktemp -d)

# answerer NAME WORD...: a responder in s
answerer() {
	local name=$1
	shift
	background in_ns s /usr/bin/python3 "$ASKER" answer "$@" >"$work/$name"
	wait_until 20 grep -q ready "$work/$name" || bail_out "no responder $name"
}

cat >"$work/avahi.conf" <<'END'
[server]
host-name=printer
allow-interfaces=eth0
enable-dbus=no
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
END
background in_ns s avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$work/avahi.conf" >"$work/avahi" 2>&1
background in_ns s minissdpd -d -i eth0 -p "$work/ssdp.pid" -s "$work/ssdp.sock" >"$work/ssdp" 2>&1
background in_ns s dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 --no-ping \
	--interface=eth1 --bind-interfaces --dhcp-range=198.51.100.100,198.51.100.110 \
	--dhcp-leasefile="$work/leases" --log-facility="$work/dhcp" --pid-file="$work/dhcp.pid"
answerer mdns eth0 224.0.0.251 5353 other-port 15353
answerer mdns6 eth0 ff02::fb 5353 other-port 15353
answerer ssdp-other eth0 239.255.255.250 1900 other-port 11900
answerer dhcp-other eth1 255.255.255.255 67 other-port 6767
answerer netbios eth0 192.0.2.255 137 name
answerer netbios-other eth0 192.0.2.255 138 other-port 10138
wait_until 30 grep -q 'Server startup complete' "$work/avahi" || bail_out "avahi does not start: $(cat "$work/avahi")"
wait_until 30 test -S "$work/ssdp.sock" || bail_out "minissdpd does not start: $(cat "$work/ssdp")"
/usr/bin/python3 "$ASKER" register "$work/ssdp.sock"
wait_until 30 grep -q started "$work/dhcp" || bail_out "dnsmasq does not start: $(cat "$work/dhcp")"

# asks NS WORD...: what asker.py gets
asks() {
	local ns=$1
	shift
	in_ns "$ns" /usr/bin/python3 "$ASKER" "$@" 2>&1
}

# digs NAME: what a real client, drill, gets of mDNS
digs() { in_ns c timeout 20 drill -4 -p 5353 "$1" A @224.0.0.251 2>&1; }

# Without a firewall both are heard: first come, first served.
like "$(asks c ask 20 239.255.255.250 1900 ssdp)" '^192\.0\.2\.2 (1900 HTTP|11900 other-port)' \
	'without a firewall: somebody answers an M-SEARCH'
is "$(asks c ask 20 192.0.2.255 138 who)" '192.0.2.2 10138 other-port' \
	'without a firewall: who answers from another port is heard'
like "$(asks d dhcp 40 eth0)" '198\.51\.100\.1 6767 ' 'without a firewall: a DHCP client hears another port'

# dig itself takes answers from the address that it asked and from no other: its
# socket is connected to the group.
unlike "$(in_ns c dig +time=2 +tries=2 @224.0.0.251 -p 5353 printer.local A 2>&1)" 'status: NOERROR' \
	'without a firewall: dig hears no answer to a multicast at all'

# strangers: flows in the last snap of those who answer from another port
strangers() { printf '%s\n' "${FLOWS[@]}" | grep -cE ' src=[^ ]* dst=[^ ]* sport=(15353|11900|10138) .* src='; }

firewall c
firewall d
snap c
strangers_before=$(strangers)
like "$(digs printer.local)" 'printer\.local\.[^;]*A[[:space:]]+192\.0\.2\.2' 'mDNS: drill gets the name from avahi'
is "$(asks c mdns 20 224.0.0.251 5353 printer.local A)" '192.0.2.2 5353 192.0.2.2' 'mDNS: a one-shot client, too'
like "$(asks c mdns 20 ff02::fb%eth0 5353 printer.local AAAA)" '^[0-9a-f:]+ 5353 2001:db8::2$' \
	'mDNS: over IPv6, too'
is "$(asks c mdns 3 224.0.0.251 5353 nobody.local A)" '' 'mDNS: and nobody answers from another port'
is "$(asks c mdns 3 ff02::fb%eth0 5353 nobody.local AAAA)" '' 'mDNS: nor over IPv6'
is "$(asks c ask 20 239.255.255.250 1900 ssdp)" '192.0.2.2 1900 HTTP/1.1 200 OK' \
	'SSDP: minissdpd answers an M-SEARCH'
is "$(asks c ask 20 192.0.2.255 137 who)" '192.0.2.2 137 name' 'NetBIOS: a host on the subnet answers'
is "$(asks c ask 3 192.0.2.255 138 who)" '' 'NetBIOS: and who answers from another port is not heard'
lease=$(asks d dhcp 60 eth0)
like "$lease" '198\.51\.100\.1 67 OFFER 198\.51\.100\.1[01][0-9]' 'DHCP: dnsmasq offers'
like "$lease" '198\.51\.100\.1 67 ACK 198\.51\.100\.1[01][0-9]$' 'DHCP: and acknowledges'
unlike "$lease" 6767 'DHCP: and who answers from another port is not heard'
snap c
like "$(printf '%s\n' "${FLOWS[@]}")" 'src=192\.0\.2\.2 dst=192\.0\.2\.1 sport=5353 ' 'their answers have flows'
is "$(strangers)" "$strangers_before" 'and those that were dropped have none'
rm -rf "$work"

done_testing
