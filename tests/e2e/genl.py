#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
genl - the flows as a program sees them that knows netlink from pyroute2 and our
attributes by their numbers, as one that was written long ago may: a line

    SRC DST SPORT DPORT STATE PACKETS BYTES PACKETS BYTES

a flow, in the order of the dump.
"""
from pyroute2.netlink import NLM_F_DUMP, NLM_F_REQUEST, genlmsg, nla
from pyroute2.netlink.generic import GenericNetlinkSocket

STATES = {1: 'NEW', 2: 'ESTABLISHED'}


class Ip(nla):
    nla_map = ((1, 'V4_SRC', 'ip4addr'), (2, 'V4_DST', 'ip4addr'),
               (3, 'V6_SRC', 'ip6addr'), (4, 'V6_DST', 'ip6addr'))


class Proto(nla):
    nla_map = ((1, 'NUM', 'uint8'), (2, 'SPORT', 'be16'), (3, 'DPORT', 'be16'))


class Tuple(nla):
    nla_map = ((1, 'IP', 'ip'), (2, 'PROTO', 'proto'), (3, 'SCOPE', 'uint32'))
    ip, proto = Ip, Proto


class Counters(nla):
    nla_map = ((1, 'PAD', 'none'), (2, 'PACKETS', 'uint64'), (3, 'BYTES', 'uint64'))


class Flow(genlmsg):
    nla_map = ((1, 'PAD', 'none'), (2, 'ORIG', 'tuple'), (3, 'REPLY', 'tuple'), (4, 'ID', 'uint64'),
               (5, 'STATE', 'uint32'), (6, 'STATUS', 'uint32'), (7, 'TIMEOUT', 'uint32'),
               (8, 'COUNTERS_ORIG', 'counters'), (9, 'COUNTERS_REPLY', 'counters'))
    tuple, counters = Tuple, Counters


class Udptrack(GenericNetlinkSocket):
    def flows(self):
        message = Flow()
        message['cmd'], message['version'] = 1, 1
        for answer in self.nlm_request(message, msg_type=self.prid, msg_flags=NLM_F_REQUEST | NLM_F_DUMP):
            ends = answer.get_attr('ORIG')
            ip, proto = ends.get_attr('IP'), ends.get_attr('PROTO')
            words = [ip.get_attr('V4_SRC') or ip.get_attr('V6_SRC'), ip.get_attr('V4_DST') or ip.get_attr('V6_DST'),
                     proto.get_attr('SPORT'), proto.get_attr('DPORT'), STATES[answer.get_attr('STATE')]]
            for name in 'COUNTERS_ORIG', 'COUNTERS_REPLY':
                words += [answer.get_attr(name).get_attr(x) for x in ('PACKETS', 'BYTES')]
            yield ' '.join(map(str, words))


link = Udptrack()
link.bind('udptrack', Flow)
for line in link.flows():
    print(line)
