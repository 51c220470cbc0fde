#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Programs that ask many hosts at once, and such that answer, for 83-asks.t.

    asker.py ask SECONDS ADDR PORT TEXT       a request, "ssdp" for an M-SEARCH
    asker.py mdns SECONDS ADDR PORT NAME TYPE one-shot mDNS (RFC 6762, 5.1)
    asker.py dhcp SECONDS IF                  a lease, as far as the ACK, by an
                                              ordinary UDP socket
    asker.py answer IF GROUP PORT TEXT [FROM...]
                                              a responder: answers from PORT, or
                                              from each of the ports FROM instead
    asker.py register SOCKET                  a service that minissdpd is to know

An asker prints "ADDR PORT TEXT" for everything that comes in while it waits,
and ends after SECONDS, or at once when it has what it wants: the first answer,
or a lease. Link-local addresses bear their interface, as in ff02::fb%eth0.
"""
import fcntl
import select
import socket
import struct
import sys
import time

MSEARCH = ('M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'
           'MAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n')
SIOCGIFHWADDR = 0x8927
DHCP_COOKIE = b'\x63\x82\x53\x63'
DHCP_TYPES = {2: 'OFFER', 5: 'ACK', 6: 'NAK'}


def say(source, text):
    print(source[0].split('%')[0], source[1], text, flush=True)


def receive(sock, seconds):
    """Yield what comes in within so many seconds."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([sock], [], [], left)[0]:
            yield sock.recvfrom(4096)


def ask(seconds, host, port, payload, show):
    """Send a request, again every second, until the first answer."""
    family, kind, _, _, to = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for _ in range(seconds):
        sock.sendto(payload, to)
        for data, source in receive(sock, 1):
            say(source, show(data))
            return


def mdns_query(name, kind):
    labels = b''.join(bytes([len(x)]) + x.encode() for x in name.split('.'))
    number = {'A': 1, 'AAAA': 28}[kind]
    return struct.pack('!6H', 0x1234, 0, 1, 0, 0, 0) + labels + struct.pack('!xHH', number, 1)


def mdns_show(data):
    """The address at the end of the first answer, or how many there are."""
    answers = struct.unpack('!H', data[6:8])[0]
    at = 12
    while data[at]:
        at += data[at] + 1
    at += 5                             # the question
    kind, _, _, length = struct.unpack('!HHIH', data[at + 2:at + 12])
    if not answers or data[at] < 0xc0 or kind not in (1, 28):
        return f'{answers} answers'
    family = socket.AF_INET if kind == 1 else socket.AF_INET6
    return socket.inet_ntop(family, data[at + 12:at + 12 + length])


def dhcp_message(mac, options):
    """A BOOTP request with the broadcast flag (RFC 2131)."""
    return (struct.pack('!4BIHH', 1, 1, 6, 0, 0x5eed, 0, 0x8000) + bytes(16) +
            mac.ljust(16, b'\0') + bytes(192) + DHCP_COOKIE + options + b'\xff')


def dhcp_options(data):
    options, at = {}, 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return options


def dhcp(seconds, dev):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # /sys shows another network namespace.
    mac = fcntl.ioctl(sock, SIOCGIFHWADDR, struct.pack('256s', dev.encode()))[18:24]
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
    sock.bind(('0.0.0.0', 68))
    everybody = ('255.255.255.255', 67)
    discover = dhcp_message(mac, b'\x35\x01\x01')
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sock.sendto(discover, everybody)
        for data, source in receive(sock, 2):
            if len(data) < 244 or data[236:240] != DHCP_COOKIE:
                say(source, data[:40].decode(errors='replace'))
                continue
            options = dhcp_options(data)
            what = DHCP_TYPES.get(options[53][0], '?')
            say(source, what + ' ' + socket.inet_ntoa(data[16:20]))
            if what == 'ACK':
                return
            if what == 'OFFER':
                sock.sendto(dhcp_message(mac, b'\x35\x01\x03' + b'\x32\x04' + data[16:20] +
                                         b'\x36\x04' + options[54]), everybody)


def answer(dev, group, port, text, ports):
    """Answer whatever comes to the port, from other ports if there are any.

    Who has no address is answered by broadcast."""
    family = socket.AF_INET6 if ':' in group else socket.AF_INET
    index = socket.if_nametoindex(dev)
    socks = []
    for number in [port] + ports:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
        sock.bind(('', number))
        socks.append(sock)
    if family == socket.AF_INET6:
        socks[0].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            socket.inet_pton(family, group) + struct.pack('@I', index))
    elif int(group.split('.')[0]) in range(224, 240):
        socks[0].setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(group) + struct.pack('=4xI', index))
    print('ready', flush=True)
    while True:
        _, source = socks[0].recvfrom(4096)
        if source[0] == '0.0.0.0':
            source = ('255.255.255.255', source[1])
        for sock in socks[1:] or socks:
            sock.sendto(text.encode(), source)


def register(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    words = ['upnp:rootdevice', 'uuid:5eed::upnp:rootdevice', 'udptrack UPnP/1.1', 'http://192.0.2.2/']
    sock.sendall(b'\x04' + b''.join(bytes([len(x)]) + x.encode() for x in words))


def main(what, *words):
    if what == 'ask':
        text = MSEARCH if words[3] == 'ssdp' else words[3]
        ask(int(words[0]), words[1], int(words[2]), text.encode(),
            lambda data: data.decode(errors='replace').split('\r')[0])
    elif what == 'mdns':
        ask(int(words[0]), words[1], int(words[2]), mdns_query(*words[3:]), mdns_show)
    elif what == 'dhcp':
        dhcp(int(words[0]), words[1])
    elif what == 'answer':
        answer(words[0], words[1], int(words[2]), words[3], [int(x) for x in words[4:]])
    elif what == 'register':
        register(words[0])
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
