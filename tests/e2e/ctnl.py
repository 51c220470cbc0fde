#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Asks the conntrack subsystem of nfnetlink what conntrack would never ask.
#
#   ctnl.py errors          messages that are wrong in one way each: TAP, a line each
#   ctnl.py mutate N SEED   N messages with some bytes changed; every one must be
#                           answered.  Prints how many were refused and how many not
#   ctnl.py listen          prints of each event "TYPE FLAGS STATUS ATTRIBUTES"
#   ctnl.py lag COMMAND     the same, with a small buffer, of what is in it after
#                           COMMAND, and "lost" where it was too small
#   ctnl.py burst COMMAND   prints how many events of COMMAND there were in a large
#                           buffer, and whether some were lost
#   ctnl.py hold COMMAND    begins to read a listing, does COMMAND, goes on; prints
#                           how many flows there were, and the command's status
#   ctnl.py abandon         begins to read a listing, and ends; prints 1

import errno
import os
import random
import socket
import struct
import subprocess
import sys

NEW, GET, DELETE, GET_CTRZERO, STATS_CPU, STATS, DYING, UNCONFIRMED = range(8)
REQUEST, ACK, DUMP = 1, 4, 0x300
(TUPLE_ORIG, TUPLE_REPLY, STATUS, MARK, ID, ZONE, MARK_MASK, FILTER,
 STATUS_MASK) = 1, 2, 3, 8, 12, 18, 21, 25, 26
NLMSG_ERROR, NLMSG_DONE = 2, 3
NESTED = 0x8000
TCP, UDP = 6, 17


def attr(kind, data):
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def u32(kind, value):
    return attr(kind, struct.pack("!I", value))


def nest(kind, *attrs):
    return attr(kind | NESTED, b"".join(attrs))


def ip(src="192.0.2.1", dst="192.0.2.2"):
    return nest(1, attr(1, socket.inet_aton(src)), attr(2, socket.inet_aton(dst)))


def proto(number=UDP, sport=4001, dport=7000):
    return nest(2, attr(1, bytes([number])), attr(2, struct.pack("!H", sport)),
                attr(3, struct.pack("!H", dport)))


def flow(kind=TUPLE_ORIG, **ports):
    return nest(kind, ip(), proto(**ports))


class Asker:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.sock.bind((0, 0))
        self.sock.settimeout(20)
        # Also the words that come with an error.
        self.sock.setsockopt(270, 11, 1)
        self.seq = 0

    def send(self, kind, body, flags=0, family=socket.AF_INET, version=0):
        self.seq += 1
        data = struct.pack("=BBH", family, version, 0) + body
        self.sock.send(struct.pack("=IHHII", len(data) + 16, 1 << 8 | kind,
                                   REQUEST | ACK | flags, self.seq, 0) + data)

    def answers(self):
        """Yields the types of what comes, and last the negative errno, or 0."""
        while True:
            data = self.sock.recv(65536)
            while data:
                length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
                assert seq == self.seq, "an answer to something else"
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    error = struct.unpack_from("=i", data, 16)[0]
                    self.words = b""
                    # Capped: the error, the header, the words.
                    if kind == NLMSG_ERROR and flags & 0x200:
                        self.words = data[16 + 4 + 16:length]
                    yield error
                    return
                yield kind
                data = data[(length + 3) & ~3:]

    def ask(self, *args, **kwargs):
        self.send(*args, **kwargs)
        return list(self.answers())


def errors():
    v6 = dict(family=socket.AF_INET6)
    odd_v6 = nest(TUPLE_ORIG, nest(1, attr(3, bytes(4)), attr(4, bytes(16))), proto())
    wrong = [
        ("a tuple that is not there", GET, flow(sport=4999), {}, errno.ENOENT),
        ("one of TCP", GET, flow(number=TCP), {}, errno.ENOENT),
        ("one in a zone", GET, flow() + attr(ZONE, b"\0\5"), {}, errno.ENOENT),
        ("one in a zone of its own", GET,
         nest(TUPLE_ORIG, ip(), proto(), attr(3, b"\0\5")), {}, errno.ENOENT),
        ("one with another number", GET, flow() + u32(ID, 0xffffffff), {}, errno.ENOENT),
        ("no tuple", GET, b"", {}, errno.EINVAL),
        ("an empty tuple", GET, nest(TUPLE_ORIG), {}, errno.EINVAL),
        ("no addresses", GET, nest(TUPLE_ORIG, proto()), {}, errno.EINVAL),
        ("one address", GET, nest(TUPLE_ORIG, nest(1, attr(1, bytes(4))), proto()), {},
         errno.EINVAL),
        ("no protocol", GET, nest(TUPLE_ORIG, ip()), {}, errno.EINVAL),
        ("no number of a protocol", GET, nest(TUPLE_ORIG, ip(), nest(2)), {}, errno.EINVAL),
        ("no ports", GET, nest(TUPLE_ORIG, ip(), nest(2, attr(1, bytes([UDP])))), {},
         errno.EINVAL),
        ("one port", GET,
         nest(TUPLE_ORIG, ip(), nest(2, attr(1, bytes([UDP])), attr(2, b"\0\1"))), {},
         errno.EINVAL),
        ("a port of one byte", GET,
         nest(TUPLE_ORIG, ip(), nest(2, attr(1, bytes([UDP])), attr(2, b"\1"))), {},
         errno.ERANGE),
        ("addresses of the other family", GET, flow(), v6, errno.EINVAL),
        ("an IPv6 address of four bytes", GET, odd_v6, v6, errno.ERANGE),
        ("an IPv4 address of two bytes", GET,
         nest(TUPLE_ORIG, nest(1, attr(1, bytes(2))), proto()), {}, errno.ERANGE),
        ("no such family", GET, flow(), dict(family=7), errno.EOPNOTSUPP),
        ("no family", GET, flow(), dict(family=0), errno.EOPNOTSUPP),
        ("a tuple cut off", GET, struct.pack("=HH", 40, TUPLE_ORIG | NESTED) + bytes(8), {},
         errno.EINVAL),
        ("to delete what is not there", DELETE, flow(sport=4999), {}, errno.ENOENT),
        ("to delete what has another number", DELETE, flow() + u32(ID, 0xffffffff), {},
         errno.ENOENT),
        ("to delete half a tuple", DELETE, nest(TUPLE_ORIG, ip()), {}, errno.EINVAL),
        ("to make a flow", NEW, flow() + flow(TUPLE_REPLY), dict(flags=0x600),
         errno.EOPNOTSUPP),
        ("to change a flow", NEW, flow() + u32(7, 100), {}, errno.EOPNOTSUPP),
        ("to set counters to zero", GET_CTRZERO, b"", dict(flags=DUMP), errno.EOPNOTSUPP),
        ("the dying", DYING, b"", dict(flags=DUMP), errno.EOPNOTSUPP),
        ("the unconfirmed", UNCONFIRMED, b"", dict(flags=DUMP), errno.EOPNOTSUPP),
        ("counters, not as a dump", STATS_CPU, b"", {}, errno.EOPNOTSUPP),
        ("no such message", 8, b"", {}, errno.EINVAL),
        ("a mask without a mark", GET, u32(MARK_MASK, 1), dict(flags=DUMP), errno.EINVAL),
        ("a mask without a status", GET, u32(STATUS_MASK, 1), dict(flags=DUMP), errno.EINVAL),
        ("a status of no bits", GET, u32(STATUS, 0), dict(flags=DUMP), errno.EINVAL),
        ("a status of two bytes", GET, attr(STATUS, b"\0\1"), dict(flags=DUMP), errno.ERANGE),
        ("a filter without a tuple", GET, nest(FILTER, attr(1, struct.pack("=I", 1))),
         dict(flags=DUMP), errno.EINVAL),
        ("a filter of unknown things", GET,
         flow() + nest(FILTER, attr(1, struct.pack("=I", 1 << 12))), dict(flags=DUMP),
         errno.EINVAL),
        ("a filter by port without a protocol", GET,
         flow() + nest(FILTER, attr(1, struct.pack("=I", 1 << 4))), dict(flags=DUMP),
         errno.EINVAL),
        ("a filter for addresses that are not said", DELETE,
         nest(TUPLE_REPLY, proto()) + nest(FILTER, attr(2, struct.pack("=I", 1))), {},
         errno.EINVAL),
    ]
    failed = False
    asker = Asker()
    for what, kind, body, options, expected in wrong:
        got = asker.ask(kind, body, **options)
        if got != [-expected]:
            failed = True
            print("%s: got %s, expected %d (%s)" % (what, got, -expected,
                                                    errno.errorcode[expected]))
    # What is refused on purpose comes with words.
    for kind, word in ((NEW, b"packets alone"), (GET_CTRZERO, b"counters"),
                       (DYING, b"dying")):
        asker.ask(kind, b"")
        if word not in asker.words:
            failed = True
            print("message %d: told %r" % (kind, asker.words))
    # A tuple names its flow, whichever direction it is of.
    back = nest(TUPLE_ORIG, ip("192.0.2.2", "192.0.2.1"), proto(sport=7000, dport=4001))
    for body in (flow(), flow(TUPLE_REPLY), back, flow() + attr(ZONE, b"\0\0")):
        got = asker.ask(GET, body)
        if got != [256, 0]:
            failed = True
            print("a right tuple: got %s" % got)
    # All the flags of a filter at once, to list and then to delete.
    every = flow() + nest(TUPLE_REPLY, ip("192.0.2.2", "192.0.2.1"),
                          proto(sport=7000, dport=4001))
    every += nest(FILTER, attr(1, struct.pack("=I", 0x3b)), attr(2, struct.pack("=I", 0x3b)))
    for what, body, expected in (("all of a filter", every, [256, 0]),
                                 ("half a filter", flow(sport=1) + nest(
                                     FILTER, attr(1, struct.pack("=I", 3))), [256] * 3 + [0])):
        got = asker.ask(GET, body, flags=DUMP)
        if got != expected:
            failed = True
            print("%s: got %s, expected %s" % (what, got, expected))
    for expected in ([256, 0], [-errno.ENOENT]):
        got = asker.ask(GET, flow())
        if got != expected:
            failed = True
            print("the flow: got %s, expected %s" % (got, expected))
        if asker.ask(DELETE, every) != [0]:
            failed = True
            print("to delete by a filter failed")
    print("%d kinds of wrong messages" % len(wrong))
    return failed


def mutate(number, seed):
    rng = random.Random(seed)
    every = nest(FILTER, attr(1, struct.pack("=I", 0xfff)), attr(2, struct.pack("=I", 0x3b)))
    seeds = [
        (GET, flow(), 0), (GET, flow(TUPLE_REPLY), 0), (GET, b"", DUMP),
        (GET, u32(STATUS, 0) + u32(STATUS_MASK, 2) + u32(MARK, 0) + u32(MARK_MASK, 1), DUMP),
        (GET, flow() + flow(TUPLE_REPLY) + every + attr(ZONE, b"\0\0"), DUMP),
        (DELETE, flow(sport=1) + u32(ID, 1), 0), (DELETE, flow() + every, 0),
        (NEW, flow() + flow(TUPLE_REPLY), 0x600), (STATS_CPU, b"", DUMP), (STATS, b"", 0),
        (GET_CTRZERO, b"", DUMP), (DYING, b"", DUMP), (UNCONFIRMED, b"", DUMP),
    ]
    asker = Asker()
    refused = accepted = 0
    for _ in range(number):
        kind, body, flags = rng.choice(seeds)
        body = bytearray(body)
        for _ in range(rng.randint(1, 4)):
            if not body:
                break
            how = rng.randrange(4)
            at = rng.randrange(len(body))
            if how == 0:
                body[at] = rng.randrange(256)
            elif how == 1:
                body[at] ^= 1 << rng.randrange(8)
            elif how == 2:
                del body[at:at + rng.randint(1, 8)]
            else:
                body[at:at] = body[at:at + 4]
        family = rng.choice((socket.AF_INET, socket.AF_INET6, 0, rng.randrange(256)))
        try:
            last = asker.ask(kind, bytes(body), flags=flags, family=family,
                             version=rng.choice((0, 1)))[-1]
        except socket.timeout:
            print("no answer to %d %s" % (kind, bytes(body).hex()))
            return True
        if last < 0:
            refused += 1
        else:
            accepted += 1
    print(refused, accepted)
    return False


def hold(command):
    asker = Asker()
    asker.send(GET, b"", flags=DUMP, family=0)
    answers = asker.answers()
    count = next(answers) == 256
    status = subprocess.call(command)
    for kind in answers:
        count += kind == 256
    print(count, status)
    return False


def abandon():
    asker = Asker()
    asker.send(GET, b"", flags=DUMP, family=0)
    print(int(next(asker.answers()) == 256))
    return False


def attrs(data):
    while data:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & ~NESTED, data[4:length]
        data = data[(length + 3) & ~3:]


def listener():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    sock.bind((0, 0))
    for group in (1, 2, 3):
        sock.setsockopt(270, 1, group)
    return sock


def burst(command):
    sock = listener()
    sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
    subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # They come one by one, and soon.
    sock.settimeout(2)
    count, lost = 0, False
    while True:
        try:
            sock.recv(65536)
            count += 1
        except socket.timeout:
            print(count, "lost" if lost else "all")
            return False
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            lost = True


def listen(command):
    sock = listener()
    if command:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2000)
        subprocess.call(command, stdout=subprocess.DEVNULL)
        sock.setblocking(False)
    while True:
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            print("lost")
            continue
        length, kind, flags = struct.unpack_from("=IHH", data)
        parts = dict(attrs(data[20:length]))
        print("%d %#x %#x %s" % (kind & 255, flags, struct.unpack("!I", parts[STATUS])[0],
                                 ",".join(map(str, parts))), flush=True)


if sys.argv[1:] == ["errors"]:
    status = errors()
elif sys.argv[1:2] == ["mutate"]:
    status = mutate(int(sys.argv[2]), int(sys.argv[3]))
elif sys.argv[1:] == ["listen"]:
    status = listen(None)
elif sys.argv[1:2] == ["lag"]:
    status = listen(sys.argv[2:])
elif sys.argv[1:2] == ["burst"]:
    status = burst(sys.argv[2:])
elif sys.argv[1:2] == ["hold"]:
    status = hold(sys.argv[2:])
elif sys.argv[1:] == ["abandon"]:
    status = abandon()
else:
    sys.exit("usage: %s errors | mutate N SEED | listen | lag COMMAND | burst COMMAND |"
             " hold COMMAND | abandon" % os.path.basename(sys.argv[0]))
sys.exit(status)
