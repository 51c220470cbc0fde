#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
nl - speaks to the generic netlink family udptrack, from what its specification
says and nothing else: no attribute is known here by its number.

    nl.py < LINES      does what each line says, and prints what came of it

    in NS              what follows happens in /run/netns/NS
    as UID             from now on as this user, without capabilities
    do OP [ATTR=VALUE...] [flags=HEX]        prints "ok" and the answer, or
    dump OP [ATTR=VALUE...]    "error NUMBER MESSAGE [at ATTR|needs ATTR]"
    count OP [ATTR=VALUE...]   a dump, of which only the messages are counted
    ports OP [ATTR=VALUE...]   a dump, of which only the source ports are shown
    proc               a dump, shown as /proc/net/udptrack would
    raw OP HEX [dump]  attributes as they are, to be refused
    listen [BYTES]     join the events, with so large a buffer
    events [SECONDS]   print what has come, once nothing more comes for so long
    until REGEX [SECONDS]      as events, until a line matches
    tally SECONDS      only count what comes, from when it begins to come until nothing
                       more comes for so long: messages, numbers missing between them, numbers that are not
                       higher than the one before, times the buffer ran over, the
                       first and the last number, and how many there are of each kind
    stop               leave them
    early              join all groups there may ever be, as one may before there
                       is a family
    late               how many messages have come to them, but of the families' own
    threads N OP [ATTR=VALUE...]   ask so many times at once, and count errors
    begin OP [ATTR=VALUE...]   a dump, of which only the first part is read
    end                read the rest of it, and count all messages
    forget             or leave it unread
    policy             how many lines the kernel has to say about what it takes
    sleep SECONDS
    echo TEXT

An attribute's name is its path in the specification: filter.src=10.0.0.0,
tuple-orig.ip.v4-src=192.0.2.1. An answer is a line "attr=value ..." a message,
nested ones with dots, in the order in which they stand in the message.
"""
import ctypes
import errno
import os
import re
import select
import socket
import struct
import sys
import threading
import time

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GENERIC, CTRL = 16, 16
F_REQUEST, F_MULTI, F_ACK, F_DUMP = 1, 2, 4, 0x300
F_CAPPED, F_TLVS = 0x100, 0x200
SOL_NETLINK, ADD_MEMBERSHIP, CAP_ACK, EXT_ACK = 270, 1, 10, 11
NESTED, TYPE_MASK = 0x8000, 0x3fff


def align(n):
    return (n + 3) & ~3


def attr(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + b'\0' * (align(len(data)) - len(data))


def walk(data):
    """the attributes of a message: type, offset, payload"""
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from('=HH', data, at)
        if size < 4 or at + size > len(data):
            raise ValueError('broken attribute')
        yield kind & TYPE_MASK, at, data[at + 4:at + size]
        at += align(size)


class Spec:
    def __init__(self):
        with open(TOP + '/include/uapi/linux/udptrack.yaml') as f:
            spec = yaml.load(f, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
        self.sets = {}
        for s in spec['attribute-sets']:
            self.sets[s['name']] = [None] + s['attributes']
        self.ops = {}
        for number, op in enumerate(spec['operations']['list'], 1):
            self.ops[op['name']] = (number, op['attribute-set'])
        self.enums = {}
        for e in spec['definitions']:
            start = e.get('value-start', 0)
            names = {}
            for i, entry in enumerate(e['entries']):
                if e['type'] == 'flags':
                    names[1 << i] = entry['name']
                else:
                    start = entry.get('value', start)
                    names[start] = entry['name']
                    start += 1
            self.enums[e['name']] = names

    def find(self, name, attrs):
        for number, a in enumerate(self.sets[attrs]):
            if a and a['name'] == name:
                return number, a
        raise KeyError(name)

    def encode(self, attrs, words):
        """attributes of a set, from NAME=VALUE with dots for nests"""
        out, nests = b'', {}
        for word in words:
            path, value = word.split('=', 1)
            head, _, rest = path.partition('.')
            if rest or self.find(head, attrs)[1]['type'] == 'nest':
                nests.setdefault(head, []).extend([rest + '=' + value] if rest else [])
            else:
                out += self.encode_one(head, value, attrs)
        for head, inner in nests.items():
            number, a = self.find(head, attrs)
            out += attr(number | NESTED, self.encode(a['nested-attributes'], inner))
        return out

    def encode_one(self, name, value, attrs):
        number, a = self.find(name, attrs)
        kind, order = a['type'], '>' if a.get('byte-order') else '='
        if a.get('display-hint', '').startswith('ipv'):
            family = socket.AF_INET6 if ':' in value else socket.AF_INET
            return attr(number, socket.inet_pton(family, value))
        if kind == 'string':
            return attr(number, value.encode() + b'\0')
        for n, entry in self.enums.get(a.get('enum'), {}).items():
            if entry == value:
                value = n
        code = {'u8': 'B', 'u16': 'H', 'u32': 'I', 'u64': 'Q'}[kind]
        return attr(number, struct.pack(order + code, int(value, 0) if isinstance(value, str) else value))

    def decode(self, attrs, data, prefix=''):
        out = []
        for kind, _, payload in walk(data):
            if kind >= len(self.sets[attrs]):
                out.append('%sUNKNOWN%d' % (prefix, kind))
                continue
            a = self.sets[attrs][kind]
            if a['type'] == 'pad':
                continue
            name = prefix + a['name']
            if a['type'] == 'nest':
                out += self.decode(a['nested-attributes'], payload, name + '.')
            else:
                out.append(name + '=' + self.decode_one(a, payload))
        return out

    def decode_one(self, a, payload):
        if a.get('display-hint', '').startswith('ipv'):
            return socket.inet_ntop(socket.AF_INET if len(payload) == 4 else socket.AF_INET6, payload)
        if a['type'] == 'string':
            return payload.rstrip(b'\0').decode()
        if a.get('sub-type') == 'u64':
            return ','.join(str(n) for n in struct.unpack('=%dQ' % (len(payload) // 8), payload))
        n = int.from_bytes(payload, 'big' if a.get('byte-order') else sys.byteorder)
        names = self.enums.get(a.get('enum'))
        if a.get('enum-as-flags'):
            return '|'.join(names.get(1 << i, '?') for i in range(32) if n >> i & 1) or '0'
        return names.get(n, '?') if names else str(n)

    def where(self, attrs, data, offset, base=0):
        """the name of the attribute that stands at an offset"""
        for kind, at, payload in walk(data):
            at += base
            if not at <= offset < at + 4 + len(payload):
                continue
            if kind >= len(self.sets[attrs]):
                return 'unknown'
            a = self.sets[attrs][kind]
            if offset == at or a['type'] != 'nest':
                return a['name']
            return a['name'] + '.' + self.where(a['nested-attributes'], payload, offset, at + 4)
        return '?'


class Link:
    def __init__(self, spec):
        self.spec, self.seq = spec, 0
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC)
        self.sock.setsockopt(SOL_NETLINK, EXT_ACK, 1)
        self.sock.bind((0, 0))
        self.family, self.groups = self.resolve()

    def send(self, family, cmd, flags, payload):
        self.seq += 1
        head = struct.pack('=IHHII', 20 + len(payload), family, flags | F_REQUEST, self.seq, 0)
        self.sock.send(head + struct.pack('=BBH', cmd, 1, 0) + payload)

    def receive(self):
        data = self.sock.recv(1 << 18)
        at = 0
        while at + 16 <= len(data):
            size, kind, flags, seq, _ = struct.unpack_from('=IHHII', data, at)
            yield kind, flags, seq, data[at + 16:at + size]
            at += align(size)

    def resolve(self):
        self.send(CTRL, 3, F_ACK, attr(2, b'udptrack\0'))
        family, groups = None, {}
        while True:
            for kind, _, _, body in self.receive():
                if kind == 2:
                    if family is None:
                        raise OSError(errno.ENOENT, 'no family')
                    return family, groups
                for a, _, payload in walk(body[4:]):
                    if a == 1:
                        family = struct.unpack('=H', payload)[0]
                    if a == 7:
                        for _, _, group in walk(payload):
                            g = {k: p for k, _, p in walk(group)}
                            groups[g[1].rstrip(b'\0').decode()] = struct.unpack('=I', g[2])[0]

    def error(self, body, flags, attrs, payload):
        number = -struct.unpack_from('=i', body)[0]
        text = 'error %s' % errno.errorcode.get(number, number)
        size = struct.unpack_from('=I', body, 4)[0]
        tlvs = body[20:] if flags & F_CAPPED else body[4 + align(size):]
        if not flags & F_TLVS:
            return text
        at = miss = ''
        for kind, _, data in walk(tlvs):
            if kind == 1:
                text += ' ' + data.rstrip(b'\0').decode()
            elif kind == 2:
                offset = struct.unpack('=I', data)[0] - 20
                at = ' at ' + self.spec.where(attrs, payload, offset)
            elif kind == 5:
                miss = ' needs %d' % struct.unpack('=I', data)[0]
        return text + at + miss

    def ask(self, op, payload, dump=False, flags=0, look=True):
        """yields lines of an answer, the last one "ok" or an error; without a look
        into the messages, theirs are empty"""
        number, attrs = self.spec.ops[op]
        self.send(self.family, number, flags | (F_DUMP if dump else F_ACK), payload)
        while True:
            for kind, flags, seq, body in self.receive():
                if seq != self.seq:
                    continue
                if kind == 2 and struct.unpack_from('=i', body)[0]:
                    yield self.error(body, flags, attrs, payload)
                    return
                if kind in (2, 3):
                    code = struct.unpack_from('=i', body)[0] if len(body) >= 4 else 0
                    yield 'ok' if not code else 'error %s' % errno.errorcode.get(-code, code)
                    return
                if flags & 0x10:
                    yield 'INTERRUPTED'
                yield ' '.join(self.spec.decode(attrs, body[4:])) if look else ''


class Events:
    def __init__(self, spec, size=0):
        self.link, self.spec, self.lost = Link(spec), spec, 0
        self.names = {number: (name, attrs) for name, (number, attrs) in spec.ops.items()}
        if size:
            self.link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        self.link.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, self.link.groups['events'])

    def lines(self, seconds):
        while select.select([self.link.sock], [], [], seconds)[0]:
            try:
                for _, _, _, body in self.link.receive():
                    name, attrs = self.names[body[0]]
                    yield name + ' ' + ' '.join(self.spec.decode(attrs, body[4:]))
            except OSError as e:
                if e.errno != errno.ENOBUFS:
                    raise
                yield 'LOST'

    def tally(self, seconds):
        kinds, numbers = {}, {k: 0 for k in ('received', 'missing', 'disorder', 'overruns', 'first', 'last')}
        number = self.spec.find('event-seq', 'flow')[0]
        while select.select([self.link.sock], [], [], seconds if numbers['received'] else 250)[0]:
            try:
                for _, _, _, body in self.link.receive():
                    seq = next(int.from_bytes(p, sys.byteorder) for k, _, p in walk(body[4:]) if k == number)
                    name = self.names[body[0]][0]
                    kinds[name] = kinds.get(name, 0) + 1
                    if not numbers['received']:
                        numbers['first'] = seq
                    elif seq <= numbers['last']:
                        numbers['disorder'] += 1
                    else:
                        numbers['missing'] += seq - numbers['last'] - 1
                    numbers['received'] += 1
                    numbers['last'] = seq
            except OSError as e:
                if e.errno != errno.ENOBUFS:
                    raise
                numbers['overruns'] += 1
        return ' '.join('%s=%d' % item for item in list(numbers.items()) + sorted(kinds.items()))


def proc_line(line):
    """a flow, as /proc/net/udptrack shows it but for the seconds left"""
    f = dict(word.split('=', 1) for word in line.split())

    def side(name):
        version = 'v4' if 'tuple-orig.ip.v4-src' in f else 'v6'
        text = ' src=%s dst=%s sport=%s dport=%s' % tuple(f['tuple-%s.%s' % (name, x)] for x in (
            'ip.%s-src' % version, 'ip.%s-dst' % version, 'proto.src-port', 'proto.dst-port'))
        if 'counters-orig.packets' in f:
            text += ' packets=%s bytes=%s' % (f['counters-%s.packets' % name], f['counters-%s.bytes' % name])
        return text

    out = 'ipv4     2' if 'tuple-orig.ip.v4-src' in f else 'ipv6     10'
    out += ' udp      17 ' + f['state'].upper() + side('orig')
    status = f['status'].split('|')
    out += '' if 'seen-reply' in status else ' [UNREPLIED]'
    out += side('reply')
    out += ' [ASSURED]' if 'assured' in status else ''
    for name in ('uid', 'pid', 'cgroup'):
        if 'owner.' + name in f:
            out += ' %s=%s' % (name, f['owner.' + name])
    if 'dns.out' in f:
        out += ' dns=out:%s,ok:%s,forged:%s,rtt_us:%s' % tuple(f['dns.' + x] for x in ('out', 'ok', 'forged', 'rtt-us'))
    if 'owner.comm' in f:
        out += ' comm=' + f['owner.comm']
    return out


def setns(ns):
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/run/netns/' + ns) as f:
        if libc.setns(f.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), 'setns')


def say(text):
    print(text, flush=True)


class Shell:
    def __init__(self):
        self.spec, self._link, self.listener, self.dump = Spec(), None, None, None

    @property
    def link(self):
        if not self._link:
            self._link = Link(self.spec)
        return self._link

    def encode(self, op, words):
        return self.spec.encode(self.spec.ops[op][1], words)

    def answer(self, op, words, dump=False):
        flags = 0
        if words and words[-1].startswith('flags='):
            flags = int(words.pop()[6:], 16)
        for line in self.link.ask(op, self.encode(op, words), dump, flags):
            say(line)

    def count(self, op, words):
        n, line = 0, ''
        for line in self.link.ask(op, self.encode(op, words), True, look=False):
            n += 1
        say('%d %s' % (n - 1, line))

    def ports(self, op, words):
        found, line = [], ''
        for line in self.link.ask(op, self.encode(op, words), True):
            found += re.findall(r'tuple-orig.proto.src-port=(\d+)', line)
        say(' '.join(found + [line]))

    def proc(self):
        for line in self.link.ask('get', b'', True):
            say(proc_line(line) if '=' in line else line)

    def threads(self, n, op, words):
        bad = []

        def one():
            link = Link(self.spec)
            for line in link.ask(op, self.encode(op, words), op == 'get', look=False):
                if line.startswith('error'):
                    bad.append(line)

        all_threads = [threading.Thread(target=one) for _ in range(n)]
        for t in all_threads:
            t.start()
        for t in all_threads:
            t.join()
        say(' '.join(['%d errors' % len(bad)] + sorted(set(bad))))

    def policy(self):
        link, n = Link(self.spec), 0
        link.send(CTRL, 10, F_DUMP, attr(2, b'udptrack\0'))
        while True:
            for kind, _, _, _ in link.receive():
                if kind in (2, 3):
                    return n
                n += 1

    def begin(self, op, words):
        self.dump_link = Link(self.spec)
        self.dump = self.dump_link.ask(op, self.encode(op, words), True, look=False)
        say(next(self.dump) or 'begun')

    def end(self):
        lines = list(self.dump)
        say('%d %s' % (len(lines), ' '.join(sorted(set(lines) - {''}))))

    def forget(self):
        self.dump_link.sock.close()
        self.dump = None

    def join(self, group):
        try:
            self.early.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
            return 1
        except OSError:
            return 0

    def until(self, pattern, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.listener.lines(0.05):
                say(line)
                if re.search(pattern, line):
                    return
        say('TIMEOUT waiting for ' + pattern)

    def run(self, line):
        cmd, *words = line.split()
        if cmd == 'in':
            setns(words[0])
            self._link = None
        elif cmd == 'as':
            os.setgroups([])
            os.setresgid(*[int(words[0])] * 3)
            os.setresuid(*[int(words[0])] * 3)
            self._link = None
        elif cmd in ('do', 'dump'):
            self.answer(words[0], words[1:], cmd == 'dump')
        elif cmd == 'count':
            self.count(words[0], words[1:])
        elif cmd == 'ports':
            self.ports(words[0], words[1:])
        elif cmd == 'proc':
            self.proc()
        elif cmd == 'raw':
            for text in self.link.ask(words[0], bytes.fromhex(words[1]), 'dump' in words[2:]):
                say(text)
        elif cmd == 'listen':
            self.listener = Events(self.spec, int(words[0]) if words else 0)
            say('listening')
        elif cmd == 'events':
            for text in self.listener.lines(float(words[0]) if words else 0.3):
                say(text)
        elif cmd == 'until':
            self.until(words[0], float(words[1]) if len(words) > 1 else 20)
        elif cmd == 'tally':
            say(self.listener.tally(float(words[0])))
        elif cmd == 'policy':
            say('%d lines' % self.policy())
        elif cmd == 'begin':
            self.begin(words[0], words[1:])
        elif cmd == 'end':
            self.end()
        elif cmd == 'forget':
            self.forget()
        elif cmd == 'stop':
            self.listener.link.sock.close()
            self.listener = None
        elif cmd == 'early':
            self.early = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC)
            joined = sum(self.join(group) for group in range(1, 65))
            say('some' if joined else 'none')
        elif cmd == 'late':
            n = 0
            while select.select([self.early], [], [], 0.5)[0]:
                data = self.early.recv(1 << 16)
                n += struct.unpack_from('=IH', data)[1] != CTRL
            say('%d' % n)
        elif cmd == 'threads':
            self.threads(int(words[0]), words[1], words[2:])
        elif cmd == 'sleep':
            time.sleep(float(words[0]))
        elif cmd == 'echo':
            say(' '.join(words))
        else:
            sys.exit('unknown command: ' + line)

    def loop(self):
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                self.run(line)
            except OSError as e:
                say('error %s' % errno.errorcode.get(e.errno, e.errno))


Shell().loop()
