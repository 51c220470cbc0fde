#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes of what guest.py measured: a table for people, all values in one file,
# a drawing, and which goals are reached.
#
#   report.py DIRECTORY PART...
#
# Reads DIRECTORY/PART.csv; writes table.txt, results.csv and cost.svg there and
# prints the table.  A ratio is taken round by round, within which the trackers
# took turns: its middle and its spread are those of the rounds.

import csv
import os
import shutil
import subprocess
import sys
from statistics import median

NAMES = {"ct": "nf_conntrack", "ut": "udptrack", "rht": "rhashtable", "lru": "BPF LRU map", "empty": "empty loop"}


class Row:
    def __init__(self, row):
        self.part, self.what, self.tracker, self.unit = row["part"], row["what"], row["tracker"], row["unit"]
        self.flows, self.family, self.acct = int(row["flows"]), int(row["family"]), int(row["acct"])
        self.values = [float(v) for v in row["values"].split()]

    def key(self):
        return self.part, self.what, self.flows, self.family, self.acct


def number(x):
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def spread(values):
    if len(values) == 1:
        return number(values[0])
    return f"{number(median(values))} ({number(min(values))}..{number(max(values))})"


def ratios(over, under):
    return [a / b for a, b in zip(over.values, under.values) if b > 0]


class Table:
    def __init__(self, rows):
        self.rows = {(*r.key(), r.tracker): r for r in rows}
        self.order = list(dict.fromkeys(r.key() for r in rows))

    def get(self, parts, what, tracker, flows=None, family=4, acct=0):
        """The row of the first of the parts that has it."""
        for part in parts:
            for r in self.rows.values():
                if (r.part, r.what, r.tracker, r.family, r.acct) == (part, what, tracker, family, acct) and \
                   flows in (None, r.flows):
                    return r
        return None

    def lines(self):
        part = None
        for key in self.order:
            if key[0] != part:
                part = key[0]
                yield f"\n{part}\n{'':28}{'flows':>9} IP acct{'':>8}{'median (min..max)':>24}"
            rows = {t: self.rows[(*key, t)] for t in NAMES if (*key, t) in self.rows}
            for tracker, r in rows.items():
                yield (f"{r.what:28}{r.flows:9} v{r.family}    {r.acct} {NAMES[tracker]:>13} "
                       f"{spread(r.values)} {r.unit}")
            if "ct" in rows and "ut" in rows and rows["ct"].unit in ("ns", "instr", "B"):
                yield f"{'':46}{'ratio':>13} {spread(ratios(rows['ct'], rows['ut']) or [0])}"
            if "ct" in rows and "ut" in rows and rows["ct"].unit == "packets/ms":
                yield f"{'':42}{'udptrack / ct':>13}     {spread(ratios(rows['ut'], rows['ct']) or [0])}"


UML = ["uml", "quick", "established", "new", "full", "memory", "listing", "expiry"]


def both_ways(t, parts, tracker, flows, family=4, acct=0):
    """Values of an established packet, the mean of out and in, round by round."""
    out = t.get(parts, "established out", tracker, flows, family, acct)
    inn = t.get(parts, "established in", tracker, flows, family, acct)
    if not out or not inn:
        return []
    return [(a + b) / 2 for a, b in zip(out.values, inn.values)]


def goals(t):
    """(what, goal, measured, reached or None when it was not measured) of each goal."""
    for flows, least in (1000, 2.5), (100000, 3.5), (1000000, 4):
        ct, ut = (both_ways(t, UML, x, flows) for x in ("ct", "ut"))
        r = [a / b for a, b in zip(ct, ut) if b > 0]
        yield (f"established packet, {flows} flows, nf_conntrack / udptrack", f">= {least}",
               spread(r) if r else "", median(r) >= least if r else None)
    for family, most in (4, 300), (6, 400):
        for way in "out", "in":
            r = t.get(["icount"], "established " + way, "ut", None, family)
            yield (f"established packet {way}, IPv{family}, instructions", f"<= {most}",
                   spread(r.values) if r else "", median(r.values) <= most if r else None)
    for flows in 1000, 100000, 1000000:
        ct, ut = (t.get(UML, "new flow", x, flows) for x in ("ct", "ut"))
        r = ratios(ct, ut) if ct and ut else []
        yield (f"new flow, {flows} flows, nf_conntrack / udptrack", ">= 3", spread(r) if r else "",
               median(r) >= 3 if r else None)
    r = t.get(["icount"], "new flow", "ut")
    yield ("new flow, instructions", "<= 700", spread(r.values) if r else "", median(r.values) <= 700 if r else None)
    for acct, most in (0, 96), (1, 160):
        r = t.get(UML, "memory a flow", "ut", None, 4, acct)
        yield (f"memory a flow, {'accounting and owner' if acct else 'bare'}" + (f", {r.flows} flows" if r else ""), f"<= {most} B",
               spread(r.values) if r else "", r.values[0] <= most if r else None)
    # An interrupt, or a busy machine, may hit any packet: the best round says what the tracker does itself.
    r = t.get(UML, "growth, longest packet", "ut")
    yield ("growth to 1M, longest packet of the best round", "<= 100 us", spread([min(r.values)]) if r else "",
           min(r.values) <= 100 if r else None)
    r = t.get(["icount"], "growth, longest packet", "ut")
    yield ("growth to 100,000, the same, 1000 instructions", "<= 100", spread([min(r.values)]) if r else "",
           min(r.values) <= 100 if r else None)
    r = t.get(UML, "growth, refused", "ut")
    yield ("growth to 1M, no flow for a packet", "0", spread(r.values) if r else "", max(r.values) == 0 if r else None)
    r = t.get(UML, "memory not given back", "ut")
    yield ("memory not given back, a flow", "0 B", spread(r.values) if r else "",
           r.values[0] < 1 if r else None)
    r, left = (t.get(UML, "expiry, " + x, "ut", 1000000) for x in ("last freed late", "not freed"))
    yield ("expiry of 1M, last freed late", "<= 1 s", spread(r.values) if r else "",
           r.values[0] <= 1 and left.values[0] == 0 if r else None)
    for part, flows in (UML, 1000000), (["icount"], 100000):
        r, quiet = (t.get(part, "expiry, " + x, "ut", flows) for x in ("longest slice", "quiet, longest"))
        # Where nothing is to be done and one waits as long, it is the machine's fault.
        busy = r and quiet.values[0] > 500
        yield (f"expiry of {flows}, longest slice" + (f", {r.unit}" if r else ""), "<= 1000",
               spread(r.values) + (f" ({number(quiet.values[0])} without)" if busy else "") if r else "",
               None if not r or busy else r.values[0] <= 1000)
    for kind in "unreplied", "replied":
        r = t.get(["icount"] + UML, f"full, {kind}, dropped", "ut")
        yield (f"full table ({kind}), dropped", "0", spread(r.values) if r else "",
               max(r.values) == 0 if r else None)
        a, b = (t.get(["icount"], f"{x}, {kind}", "ut") for x in ("full", "room"))
        more = [x - y for x, y in zip(a.values, b.values)] if a and b else []
        yield (f"full table ({kind}), instructions more than a new flow", "<= 100", spread(more) if more else "",
               median(more) <= 100 if more else None)
    r, less = t.get(UML, "listing", "ut", 1000000), t.get(UML, "listing", "ut", 100000)
    yield ("listing 1M", "<= 2.5 s", spread(r.values) if r else "", r.values[0] <= 2.5 if r else None)
    more = r.values[0] / less.values[0] if r and less else 0
    yield ("listing 1M / listing 100,000", "<= 11", spread([more]) if r and less else "",
           more <= 11 if r and less else None)
    less, r = r, t.get(UML, "listing", "ut", 10000000)
    more = r.values[0] / less.values[0] if r and less else 0
    yield ("listing 10M / listing 1M", "<= 11", spread([more]) if r and less else "",
           more <= 11 if r and less else None)
    for way in "out", "in":
        r = t.get(["icount"] + UML, "TCP " + way, "ut")
        yield (f"TCP packet {way}, of no concern" + (f", {r.unit}" if r else ""), "(shown)",
               spread(r.values) if r else "", None)


def goal_lines(t):
    missing = []
    yield f"\ngoals\n{'':60}{'goal':>10}  measured"
    for what, goal, measured, reached in goals(t):
        verdict = {True: "reached", False: "NOT reached", None: ""}[reached]
        if measured:
            yield f"{what:60}{goal:>10}  {measured:28}{verdict}"
        else:
            missing.append(what)
    if missing:
        yield f"not measured: {len(missing)} of the goals" if missing[8:] else "not measured: " + "; ".join(missing)


def curves(t):
    """name: [(flows, cost)] of what the drawing shows."""
    found = {}
    for flows in sorted({k[2] for k in t.order}):
        for tracker in "ct", "ut":
            values = both_ways(t, UML, tracker, flows)
            if values:
                found.setdefault(f"{NAMES[tracker]}, established", []).append((flows, median(values)))
            r = t.get(UML, "new flow", tracker, flows)
            if r:
                found.setdefault(f"{NAMES[tracker]}, new", []).append((flows, median(r.values)))
        for tracker in "rht", "lru":
            r = t.get(UML, "bare look-up", tracker, flows)
            if r:
                found.setdefault(f"{NAMES[tracker]}, bare look-up", []).append((flows, median(r.values)))
    return found


def draw(t, path):
    found = curves(t)
    # A line takes two points.
    found = {name: points for name, points in found.items() if len(points) > 1}
    if not found or not shutil.which("gnuplot"):
        return
    script = ["set terminal svg size 900,600 font 'sans,14' background 'white'", f"set output '{path}'",
              "set logscale xy", "set xlabel 'flows'", "set ylabel 'ns a packet'", "set grid",
              "set key outside bottom center horizontal", "set title 'Cost of a packet, IPv4, accounting off'",
              "plot " + ", ".join(f"'-' with linespoints lw 2 title '{name}'".replace("_", r"\\_") for name in found)]
    for points in found.values():
        script += [f"{x} {y}" for x, y in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script).replace(r"\\_", r"\_") + "\n", text=True, check=True)


def main():
    directory, *parts = sys.argv[1:]
    rows = []
    for part in parts:
        with open(os.path.join(directory, part + ".csv"), newline="") as f:
            rows += [Row(r) for r in csv.DictReader(f) if r["values"]]
    with open(os.path.join(directory, "results.csv"), "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["part", "what", "flows", "family", "acct", "tracker", "unit", "median", "min", "max", "rounds"])
        for r in rows:
            out.writerow([r.part, r.what, r.flows, r.family, r.acct, r.tracker, r.unit,
                          f"{median(r.values):.1f}", min(r.values), max(r.values), len(r.values)])
    t = Table(rows)
    text = "\n".join(["Cost in the trackers; the empty loop is subtracted from the others.",
                      *t.lines(), *goal_lines(t)])
    with open(os.path.join(directory, "table.txt"), "w") as f:
        f.write(text + "\n")
    print(text)
    draw(t, os.path.join(directory, "cost.svg"))


main()
