#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Gives udptrack_bench.ko its orders, for bench.sh: what is measured, in which
# tables, how often.  Runs as root in the machine that is measured.
#
#   guest.py PART RESULTS.csv [NAME=VALUE...]
#
# PART is a function below whose name begins with part_.  Each tracker has a
# network namespace of its own; they take turns, and each packet of one is sent to
# the other too.  Every measurement says what it should have found, and ends the
# script when it did not.  A row of RESULTS.csv has the values of all rounds;
# report.py makes tables of them.

import csv
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from statistics import median

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "e2e"))
import nl

BENCH = "/proc/udptrack_bench"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
COLUMNS = ["part", "what", "flows", "family", "acct", "tracker", "unit", "values"]
# A flow lives longer than any measurement.
LONG = 3600
# Numbers of flows that no table has.
NEVER = 20000000


def say(text):
    print(text, flush=True)


def check(condition, text):
    if not condition:
        sys.exit("guest.py: " + text)


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    with open(path, "w") as f:
        f.write(str(text))


def setns(fd):
    check(libc.setns(fd, CLONE_NEWNET) == 0, "setns failed")


def order(**words):
    """Have it carried out in the namespace where we are; the result as a dict."""
    write(BENCH, " ".join(f"{k}={v}" for k, v in words.items()))
    return {k: int(v) for k, v in (w.split("=") for w in read(BENCH).split())}


def nonzero(counts):
    return {name: n for name, n in counts.items() if n}


def mem_free():
    return int(next(line for line in open("/proc/meminfo") if line.startswith("MemFree")).split()[1]) * 1024


def settle(patience=1):
    """Until memory that is being given back is back: as before for so many looks, for at most 20 s."""
    low, same = 0, 0
    for _ in range(100):
        now = mem_free()
        same = same + 1 if now - low < 65536 else 0
        if same >= patience:
            return
        low = now
        time.sleep(0.2)


def free_memory(wanted=0):
    """What is free when nothing is kept for later; with 10 s to become what is wanted."""
    for _ in range(10):
        for cache in os.listdir("/sys/kernel/slab"):
            write(f"/sys/kernel/slab/{cache}/shrink", 1)
        write("/proc/sys/vm/drop_caches", 3)
        settle(patience=3)
        if mem_free() >= wanted:
            break
        time.sleep(0.4)
    return mem_free()


HOME = os.open("/proc/self/ns/net", os.O_RDONLY)


class Space:
    """A network namespace with one of the trackers, and its flows."""

    def __init__(self, tracker, acct=0, family=4, owner=True, **settings):
        self.tracker, self.family, self.acct = tracker, family, acct
        check(libc.unshare(CLONE_NEWNET) == 0, "unshare failed")
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        subprocess.run("ip link add bench0 type dummy && ip link set bench0 up", shell=True, check=True)
        # Without one, a flow is nobody's.
        self.sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                                  socket.SOCK_DGRAM) if owner else None
        if tracker == "ct":
            order(conntrack=1)
            settings = {"udp_timeout": LONG, "udp_timeout_stream": LONG, "acct": acct, **settings}
        else:
            settings = {"timeout": LONG, "timeout_stream": LONG, "acct": acct, "max": 16000000, **settings}
        for name, value in settings.items():
            self.sysctl(name, value)

    def path(self, name):
        return "/proc/sys/net/netfilter/" + {"ct": "nf_conntrack_", "ut": "udptrack_"}[self.tracker] + name

    def sysctl(self, name, value=None):
        setns(self.fd)
        if value is None:
            return int(read(self.path(name)))
        write(self.path(name), value)
        return value

    def stats(self):
        """udptrack's counters, summed over the processors."""
        setns(self.fd)
        head, *rows = read("/proc/net/stat/udptrack").splitlines()
        rows = [[int(x, 16) for x in row.split()] for row in rows]
        return dict(zip(head.split(), map(sum, zip(*rows))))

    def send(self, dir, flows, count=0, first=0, seed=0, expect="", empty=False, **words):
        """Send packets; expect is found, new, lost (matches nothing, makes nothing) or "" for any."""
        count = count or flows
        if dir != "in" and self.sock:
            words["fd"] = self.sock.fileno()
        before = self.stats() if self.tracker == "ut" and not empty else None
        setns(self.fd)
        got = order(tracker="none" if empty else self.tracker, dir=dir, family=self.family, flows=flows, count=count,
                    first=first, seed=seed, **words)
        if empty or not expect:
            return got
        packets = got["packets"] * (2 if dir == "pair" else 1)
        if self.tracker == "ct":
            # IP_CT_NEW, IP_CT_ESTABLISHED and the same of a reply
            seen = {"new": got["ct2"], "found": got["ct0"] + got["ct3"]}
        else:
            after = self.stats()
            diff = {k: after[k] - before[k] for k in after}
            seen = {**diff, "lost": diff["no_listener"]}
        check(seen.get(expect) == packets and not got["dropped"],
              f"{self.tracker} {dir}: {packets} packets expected to be {expect}: {nonzero(seen)}, {nonzero(got)}")
        return got

    def close(self):
        if self.sock:
            self.sock.close()
        setns(self.fd)
        if self.tracker == "ct":
            order(conntrack=2)
        setns(HOME)
        os.close(self.fd)


def fill(spaces, flows, **words):
    """Make flows, each of an unanswered packet."""
    for s in spaces:
        s.send("out", flows, expect="new", **words)


def fill_assured(spaces, flows, **words):
    """Make flows of which both ends were heard for longer than two seconds."""
    fill(spaces, flows, **words)
    for s in spaces:
        s.send("in", flows, expect="found", **words)
    time.sleep(2.2)
    for s in spaces:
        s.send("pair", flows, expect="found", **words)


def close(spaces, flows=0):
    """And wait for the memory, when there is much."""
    for s in spaces:
        s.close()
    if flows > 10000:
        settle()


class Results:
    def __init__(self, part, path):
        self.part, self.file = part, open(path, "w", newline="")
        self.csv = csv.writer(self.file)
        self.csv.writerow(COLUMNS)

    def add(self, what, tracker, values, flows=0, family=4, acct=0, unit="ns"):
        text = " ".join(f"{v:.6g}" for v in values)
        if self.part == "icount":
            # That machine's clock counts instructions, a nanosecond each.
            unit = {"ns": "instr", "us": "1000 instr"}.get(unit, unit)
        self.csv.writerow([self.part, what, flows, family, acct, tracker, unit, text])
        self.file.flush()
        say(f"  {what:26} {flows:8} flows  IPv{family} acct={acct} {tracker:9} "
            f"{median(values):10.4g} {unit}")


results = None


def of(order_result):
    return order_result["ns"] / order_result["packets"]


def buckets(flows):
    """As many as flows, as nf_conntrack has it by default, and no fewer than by default."""
    setns(HOME)
    write("/proc/sys/net/netfilter/nf_conntrack_buckets", max(65536, flows) if flows > 1 else 1024)
    write("/proc/sys/net/netfilter/nf_conntrack_max", 16000000)


def both(**settings):
    return [Space("ct", **settings), Space("ut", **settings)]


def less(values, empty):
    """Without what the loop itself takes: its median, for of the shortest the machine may disturb one."""
    return [v - median(empty) for v in values]


def rounds_of(spaces, what, dir, flows, count, rounds, expect="found", name="", **words):
    """The trackers in turn, and the empty loop between; the empty loop is subtracted."""
    empty, cost = [], {s.tracker: [] for s in spaces}
    for _ in range(rounds):
        empty.append(of(spaces[0].send(dir, flows, count, empty=True, **words)))
        for s in spaces:
            cost[s.tracker].append(of(s.send(dir, flows, count, expect=expect, **words)))
    s = spaces[0]
    where = {"flows": flows, "family": s.family, "acct": s.acct}
    results.add(what, "empty", empty, **where)
    for tracker, values in cost.items():
        results.add(what, tracker, less(values, empty), **where)


def established(flows, count, rounds, acct=0, family=4):
    buckets(flows)
    spaces = both(acct=acct, family=family)
    fill_assured(spaces, flows)
    for dir in "out", "in":
        rounds_of(spaces, "established " + dir, dir, flows, count, rounds, seed=1)
    close(spaces, flows)


def new_flows(flows, rounds, acct=0, family=4, steady=0):
    """First packets, while the table grows to so many flows, and then as many again as steady says."""
    made, more, empty = {"ct": [], "ut": []}, {"ct": [], "ut": []}, []
    buckets(flows)
    for _ in range(rounds):
        spaces = both(acct=acct, family=family)
        empty.append(of(spaces[0].send("out", flows, empty=True)))
        for s in spaces:
            made[s.tracker].append(of(s.send("out", flows, expect="new")))
        if steady:
            for s in spaces:
                more[s.tracker].append(of(s.send("out", steady, first=flows, expect="new")))
        close(spaces, flows)
    where = {"flows": flows, "family": family, "acct": acct}
    results.add("new flow", "empty", empty, **where)
    for tracker in made:
        results.add("new flow", tracker, less(made[tracker], empty), **where)
        if steady:
            results.add("new flow, steady", tracker, less(more[tracker], empty), **where)


def miss(flows, count, rounds):
    """What comes in for a closed port: udptrack makes nothing of it, nf_conntrack a flow."""
    s = Space("ut")
    fill([s], flows)
    empty, cost = [], []
    for _ in range(rounds):
        empty.append(of(s.send("in", count, empty=True)))
        cost.append(of(s.send("in", count, first=NEVER, expect="lost")) - empty[-1])
    results.add("miss in", "empty", empty, flows=flows)
    results.add("miss in", "ut", cost, flows=flows)
    close([s], flows)


def memory(flows, acct):
    """Bare, or with accounting and an owner."""
    # Pages kept for the next use on this processor do not count as free.
    write("/proc/sys/vm/percpu_pagelist_high_fraction", 1000000)
    # What is there from the first use on is not the flows'.
    close(both())
    for tracker in "ct", "ut":
        buckets(1)
        alone = free_memory()
        s = Space(tracker, acct=acct, owner=acct)
        before = free_memory()
        if tracker == "ct":
            buckets(flows)
        fill([s], flows)
        s.send("in", flows, expect="found")
        used = before - free_memory()
        s.close()
        buckets(1)
        # The namespace ends in its own time.
        kept = alone - free_memory(wanted=alone - flows // 2)
        results.add("memory a flow", tracker, [used / flows], flows=flows, acct=acct, unit="B")
        results.add("memory not given back", tracker, [kept / flows], flows=flows, acct=acct, unit="B")
    write("/proc/sys/vm/percpu_pagelist_high_fraction", 0)


def growth(flows, rounds):
    """The longest that one first packet took, and packets of which no flow came."""
    buckets(flows)
    worst, refused = {"ct": [], "ut": []}, {"ct": [], "ut": []}
    for _ in range(rounds):
        for s in both():
            got = s.send("out", flows, each=1)
            worst[s.tracker].append(got["worst"] / 1000)
            refused[s.tracker].append(flows - s.sysctl("count"))
            close([s], flows)
    for tracker in worst:
        results.add("growth, longest packet", tracker, worst[tracker], flows=flows, unit="us")
        results.add("growth, refused", tracker, refused[tracker], flows=flows, unit="packets")


def expiry(flows, timeout, tracker="ut", limit=60):
    """How late the last flow is freed; what freeing takes, and for how long without giving way."""
    name = {"ct": "udp_timeout", "ut": "timeout"}[tracker]
    where = {"flows": flows}
    for how in "nap_ms", "spin_ms":
        s = Space(tracker, **{name: timeout})
        begin = time.monotonic()
        s.send("out", flows)
        end = time.monotonic() + timeout
        # A table that has just grown may have work to do; then there is none, but the clock's interrupt.
        time.sleep(3)
        quiet = order(**{how: 1000})
        time.sleep(max(0, begin + timeout - 0.2 - time.monotonic()))
        spent = busy = worst = 0
        left = before = s.sysctl("count")
        while left and time.monotonic() < end + limit:
            got = order(**{how: 20})
            spent += got["ns"]
            busy += got["busy"]
            worst = max(worst, got["worst"])
            left = s.sysctl("count")
        if how == "nap_ms":
            results.add("expiry, last freed late", tracker, [time.monotonic() - end], unit="s", **where)
            results.add("expiry, not freed", tracker, [left], unit="flows", **where)
            results.add("expiry, longest slice", tracker, [worst / 1000], unit="us", **where)
            results.add("expiry, quiet, longest", tracker, [quiet["worst"] / 1000], unit="us", **where)
        elif before > left:
            busy -= quiet["busy"] * spent / quiet["ns"]
            results.add("expiry, a flow", tracker, [busy / (before - left)], **where)
        close([s], flows)


def full(limit, count, rounds):
    """First packets of other flows to a full table, against such to one with room."""
    for kind in "unreplied", "replied":
        room, more, dropped = {}, {}, {}
        for _ in range(rounds):
            buckets(limit)
            spaces = both()
            (fill_assured if kind == "replied" else fill)(spaces, limit)
            for s in spaces:
                nothing = of(s.send("out", count, first=NEVER, empty=True))
                room.setdefault(s.tracker, []).append(of(s.send("out", limit, first=limit, expect="new")) - nothing)
                s.close()
            spaces = both()
            (fill_assured if kind == "replied" else fill)(spaces, limit)
            for s in spaces:
                if s.tracker == "ct":
                    setns(HOME)
                    write("/proc/sys/net/netfilter/nf_conntrack_max", limit)
                else:
                    s.sysctl("max", limit)
                got = s.send("out", count, first=NEVER)
                more.setdefault(s.tracker, []).append(of(got) - nothing)
                dropped.setdefault(s.tracker, []).append(got["dropped"])
                s.close()
        for tracker in room:
            where = {"flows": limit}
            results.add(f"room, {kind}", tracker, room[tracker], **where)
            results.add(f"full, {kind}", tracker, more[tracker], **where)
            results.add(f"full, {kind}, dropped", tracker, dropped[tracker], unit=f"of {count}", **where)


def listing(flows, tracker):
    buckets(flows)
    s = Space(tracker)
    fill([s], flows)
    setns(s.fd)
    begin, lines = time.monotonic(), 0
    fd = os.open("/proc/net/" + {"ct": "nf_conntrack", "ut": "udptrack"}[tracker], os.O_RDONLY)
    while data := os.read(fd, 1 << 16):
        lines += data.count(b"\n")
    os.close(fd)
    check(lines == flows, f"{tracker}: {lines} lines of {flows} flows")
    results.add("listing", tracker, [time.monotonic() - begin], flows=flows, unit="s")
    close([s], flows)


def tcp(count, rounds):
    """A TCP packet of a connection that nf_conntrack knows; for udptrack it is none of its business."""
    spaces = both()
    spaces[0].send("out", 1, tcp=1)
    spaces[0].send("in", 1, tcp=1)
    for dir in "out", "in":
        rounds_of(spaces, "TCP " + dir, dir, 1, count, rounds, expect="", tcp=1)
    close(spaces)


FEATURES = [
    ("as measured", {}),
    ("acct=1", {"acct": 1}),
    ("dns=0", {"dns": 0}),
    ("mark_mask=0x700", {"mark_mask": 0x700}),
    ("checksum=0", {"checksum": 0}),
    ("require_listener=0", {"require_listener": 0}),
    ("loopback=0", {"loopback": 0}),
    ("events=0", {"events": 0}),
    ("exempt_ports=1-3,9", {"exempt_ports": "1-3,9"}),
    ("port_timeouts of two", {"port_timeouts": "53:5:5,51820:180:300"}),
    ("two-way pair", {}),
    ("DNS pair, dns=0", {"dns": 0}),
    ("DNS pair, dns=1", {"dns": 1}),
    ("DNS pair, dns=2", {"dns": 2}),
]


def features(flows, count, rounds):
    """One setting after the other, on established packets; all tables stay, and take turns."""
    spaces = []
    for name, settings in FEATURES:
        s = Space("ut", **settings)
        words = {"dns": 1, "rport": 53} if "DNS" in name else {}
        fill_assured([s], flows, **words)
        spaces.append((name, s, words))
    cost = {name: [] for name, _ in FEATURES}
    for _ in range(rounds):
        for name, s, words in spaces:
            if "pair" in name:
                nothing = of(s.send("pair", flows, count, empty=True, seed=1, **words))
                cost[name].append(of(s.send("pair", flows, count, expect="found", seed=1, **words)) - nothing)
                continue
            sum_ = 0
            for dir in "out", "in":
                nothing = of(s.send(dir, flows, count, empty=True, seed=1))
                sum_ += of(s.send(dir, flows, count, expect="found", seed=1)) - nothing
            cost[name].append(sum_ / 2)
    for name, values in cost.items():
        results.add("feature: " + name, "ut", values, flows=flows)
    close([s for _, s, _ in spaces], flows)


NEW_FEATURES = [
    ("as measured", {}),
    ("nobody's", {"owner": False}),
    ("acct=1", {"acct": 1}),
    ("somebody listens", {}),
    ("a question, dns=0", {"dns": 0}),
    ("a question, dns=1", {"dns": 1}),
]


def new_features(flows, rounds):
    """The same on first packets."""
    cost = {name: [] for name, _ in NEW_FEATURES}
    spec = nl.Spec()
    for _ in range(rounds):
        for name, settings in NEW_FEATURES:
            s = Space("ut", **settings)
            words = {"dns": 1, "rport": 53} if "question" in name else {}
            setns(s.fd)
            listener = nl.Events(spec, 1 << 24) if "listens" in name else None
            nothing = of(s.send("out", flows, empty=True, **words))
            cost[name].append(of(s.send("out", flows, expect="new", **words)) - nothing)
            if listener:
                listener.link.sock.close()
            close([s], flows)
    for name, values in cost.items():
        results.add("feature: new, " + name, "ut", values, flows=flows)


def lru_map(flows):
    """A BPF map, by bpf(BPF_MAP_CREATE); lists of the least recently used are per processor and coarse."""
    attr = struct.pack("IIIII", 9, 16, 8, flows + 1024, 0).ljust(128, b"\0")
    fd = libc.syscall(321, 0, attr, len(attr))
    check(fd >= 0, "no BPF map: " + os.strerror(ctypes.get_errno()))
    return fd


def peers(flows, count, rounds):
    setns(HOME)
    fds = {"rht": 0, "lru": lru_map(flows)}
    values = {tracker: [] for tracker in fds}
    for tracker, fd in fds.items():
        order(tracker=tracker, fd=fd, dir="in", flows=flows, count=flows)
    for _ in range(rounds):
        for tracker, fd in fds.items():
            got = order(tracker=tracker, fd=fd, dir="out", flows=flows, count=count, seed=1)
            check(got["ct0"] == count, f"{tracker}: only {got['ct0']} of {count} found")
            values[tracker].append(of(got))
    for tracker in fds:
        results.add("bare look-up", tracker, values[tracker], flows=flows)
    os.close(fds["lru"])


def count_for(flows):
    """Packets of a measurement: a tenth of a second or so, and every flow once."""
    return max(400000, flows)


# --- the parts

def part_quick():
    memory(200000, 0)
    for flows in 1000, 100000, 1000000:
        say(f"{flows} flows")
        established(flows, max(200000, flows), 5)
        new_flows(flows, {1000: 21, 100000: 5}.get(flows, 1))
    miss(1000, 100000, 5)


def part_uml(most=4000000):
    say("memory")
    for acct in 0, 1:
        memory(1000000, acct)
    sizes = [n for n in (1000, 10000, 100000, 1000000, 4000000) if n <= most]
    for flows in sizes:
        for acct in 0, 1:
            for family in 4, 6:
                if flows in (10000, 4000000) and (acct or family == 6):
                    continue
                say(f"established: {flows} flows, IPv{family}, accounting {acct}")
                established(flows, count_for(flows), 7 if flows <= 1000000 else 3, acct=acct, family=family)
    for flows in sizes:
        say(f"new: {flows} flows")
        new_flows(flows, {1000: 21, 4000000: 1}.get(flows, 5), steady=flows // 10)
    for flows in 1000, 1000000:
        say(f"new with accounting, and IPv6: {flows} flows")
        new_flows(flows, 21 if flows == 1000 else 5, acct=1)
        new_flows(flows, 21 if flows == 1000 else 5, family=6)
    say("miss, TCP, other tables")
    for flows in 1000, 100000, 1000000:
        miss(flows, 200000, 5)
        peers(flows, count_for(flows), 5)
    tcp(400000, 7)
    say("features")
    features(1000, 200000, 7)
    features(100000, 200000, 5)
    new_features(1000, 21)
    say("growth, full table")
    growth(1000000, 5)
    full(10000, 100000, 5)
    say("listing, expiry")
    for flows in 100000, 1000000, 10000000:
        listing(flows, "ut")
    listing(10000, "ct")
    for flows in 100000, 1000000:
        expiry(flows, 20)


def part_established(flows=1000, rounds=5, acct=0, family=4):
    established(flows, count_for(flows), rounds, acct=acct, family=family)


def part_new(flows=100000, rounds=5, acct=0, family=4):
    new_flows(flows, rounds, acct=acct, family=family, steady=flows // 10)


def part_full(flows=10000, count=100000, rounds=5):
    full(flows, count, rounds)


def part_features(flows=1000, rounds=5):
    features(flows, 200000, rounds)
    new_features(flows, rounds)


def part_memory(flows=1000000, acct=1):
    memory(flows, acct)


def part_listing(flows=1000000):
    listing(flows, "ut")


def part_expiry(flows=1000000, timeout=20):
    expiry(flows, timeout)


def part_icount(quick=0):
    rounds = 2
    for acct in 0, 1:
        for family in 4, 6:
            established(1000, 4000, rounds, acct=acct, family=family)
            new_flows(2000, rounds, acct=acct, family=family, steady=2000)
    miss(1000, 2000, rounds)
    tcp(4000, rounds)
    full(2000, 4000, 1)
    if not quick:
        features(500, 2000, 1)
        new_features(2000, 1)
        growth(100000, 3)
        expiry(100000, 10)


def part_smp(count=400000):
    cpus = os.cpu_count()
    check(cpus >= 2, "this takes two processors")
    for what, flows in ("elephant", 1), ("mice", 10000):
        buckets(flows)
        spaces = both()
        fill_assured(spaces, flows)
        rate = {}
        for _ in range(5):
            for threads in 1, 2:
                for s in spaces:
                    for dir in "out", "in":
                        got = s.send(dir, flows, count // threads, seed=1, expect="found", threads=threads)
                        rate.setdefault((dir, threads, s.tracker), []).append(got["packets"] / got["ns"] * 1e6)
        for (dir, threads, tracker), values in rate.items():
            results.add(f"{what} {dir}, {threads} threads", tracker, values, flows=flows, unit="packets/ms")
        close(spaces)


def main():
    global results
    part, path, *words = sys.argv[1:]
    results = Results(part, path)
    words = dict(word.split("=") for word in words)
    globals()["part_" + part](**{k: int(v) for k, v in words.items()})


main()
