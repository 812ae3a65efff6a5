# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""Rules that keep a function of a series in another: what they hold against AGGREGATE's answer,
with points that come in order, late or twice, with ranges that are deleted, over restarts and
kills; chains of them, what ends them, their list, what is refused, and their limits.
"""

from __future__ import annotations

import math
import random
import struct
import time
import unittest
from typing import NamedTuple, Optional, Sequence

import tau_raw as raw
from tau_raw import (AGGREGATE, COMPACT, CREATE_ROLLUP, DELETE_RANGE, DROP_ROLLUP, ERR, FLUSH_DATA,
                     I64_MAX, I64_MIN, INVALID_PAYLOAD, KEEP_LAST, LIMIT_EXCEEDED, LIST_ROLLUPS,
                     OK, ROLLUP_ALREADY_EXISTS, ROLLUP_NOT_FOUND, SERIES_NOT_FOUND,
                     SET_POLICY, SNAPSHOT, Connection, frame, label)
from tau_server import PATIENCE, Server, ServerCase

RULES_MAX, OF_A_SOURCE_MAX, PAGE_MAX = 65_536, 16, 2000
FUNCTIONS = range(13)
COUNT, SUM, MIN, MAX, MEAN, FIRST, LAST, QUANTILE, INCREASE = 0, 1, 2, 3, 4, 5, 6, 9, 12
EXACT = (COUNT, MIN, MAX, FIRST, LAST)
SETTLED, PENDING = 0, 1
LAYOUT = struct.Struct(">32s32sQqBdqB")

Points = dict[int, int]  # timestamps and bits of values


class Rule(NamedTuple):
    target: bytes
    source: bytes
    width: int
    origin: int
    function: int
    parameter: float
    settled: int
    state: int


def rule_payload(target: bytes, source: bytes, width: int = 10, origin: int = 0,
                 function: int = COUNT, parameter: float = 0.0) -> bytes:
    return target + source + struct.pack(">QqBd", width, origin, function, parameter)


def page_payload(cursor: Optional[bytes] = None, limit: int = PAGE_MAX) -> bytes:
    return (b"\0" if cursor is None else b"\1" + cursor) + struct.pack(">I", limit)


def same(function: int, left: int, right: int) -> bool:
    """Whether two values are those of a function over the same points. What adds up may do so in
    another order, from whole chunks or from points."""
    if left == right or function in EXACT:
        return left == right
    a, b = struct.unpack(">dd", struct.pack(">QQ", left, right))
    return math.isclose(a, b, rel_tol=2**-40) or math.isnan(a) and math.isnan(b)


class Talker:
    """What is asked of a server about rules."""

    def __init__(self, case: unittest.TestCase, client: Connection) -> None:
        self.case, self.client = case, client
        case.addCleanup(client.close)
        client.negotiate()

    def create(self, *args: object, **more: object) -> int:
        payload = rule_payload(*args, **more)  # type: ignore[arg-type]
        return self.client.request(CREATE_ROLLUP, payload).status

    def drop(self, target: bytes) -> int:
        return self.client.request(DROP_ROLLUP, target).status

    def page(self, cursor: Optional[bytes] = None,
             limit: int = PAGE_MAX) -> tuple[bool, list[Rule]]:
        reply = self.client.request(LIST_ROLLUPS, page_payload(cursor, limit))
        self.case.assertEqual(reply.opcode, OK, reply)
        return bool(reply.payload[0]), [Rule(*row) for row in LAYOUT.iter_unpack(reply.payload[1:])]

    def rules(self) -> dict[bytes, Rule]:
        return {rule.target: rule for rule in self.page()[1]}

    def settle(self) -> dict[bytes, Rule]:
        """The rules, once none has work to do."""
        deadline = time.monotonic() + 20 * PATIENCE
        while True:
            rules = self.rules()
            if all(rule.state == SETTLED for rule in rules.values()):
                return rules
            self.case.assertLess(time.monotonic(), deadline, "the rules are never settled")
            time.sleep(0.005)

    def append(self, series: bytes, points: Sequence[tuple[int, float]]) -> None:
        accepted, _ = self.client.batch(series, [t for t, _ in points], [v for _, v in points])
        self.case.assertEqual(accepted, len(points))

    def delete(self, series: bytes, first: int, last: int) -> None:
        payload = series + struct.pack(">qq", first, last)
        self.case.assertEqual(self.client.request(DELETE_RANGE, payload).status, 0)

    def policy(self, series: bytes, order: int) -> None:
        payload = series + struct.pack(">BQ", order, 0)
        self.case.assertEqual(self.client.request(SET_POLICY, payload).status, 0)

    def work(self, opcode: int, payload: bytes = b"") -> None:
        self.client.send(frame(opcode, payload))
        self.case.assertEqual(list(self.client.stream())[-1].opcode, OK)

    def points(self, series: bytes) -> Points:
        return dict(self.client.query_range(series))

    def computed(self, rule: Rule) -> Points:
        """What AGGREGATE makes of the buckets of the source."""
        payload = raw.aggregate_payload([(rule.function, rule.parameter)], width=rule.width,
                                        origin=rule.origin, labels=[rule.source])
        found: Points = {}
        self.client.send(frame(AGGREGATE, payload))
        for reply in self.client.stream():
            self.case.assertEqual(reply.opcode, OK, reply)
            found.update(raw.parse_aggregate(reply.payload).rows)  # type: ignore[arg-type]
        return found

    def check(self, rule: Rule, newest: int) -> None:
        """The target against AGGREGATE, for a source whose newest point ever was there."""
        expected = {start: bits for start, bits in self.computed(rule).items()
                    if start + rule.width <= newest}
        found = self.points(rule.target)
        self.case.assertEqual(sorted(found), sorted(expected), rule)
        for start, bits in expected.items():
            self.case.assertTrue(same(rule.function, found[start], bits), (rule, start))


class RollupCase(ServerCase):
    def setUp(self) -> None:
        self.talker = Talker(self, self.connect())

    def series(self, name: Optional[bytes] = None) -> bytes:
        name = name or self.label()
        self.assertEqual(self.talker.client.create(name), 0)
        return name

    def tearDown(self) -> None:
        for target in self.talker.rules():
            self.assertEqual(self.talker.drop(target), 0)


class Values(RollupCase):
    def rules_of(self, source: bytes, rng: random.Random) -> list[Rule]:
        """A rule of each function."""
        rules = []
        for function in FUNCTIONS:
            rule = Rule(self.series(), source, rng.choice((1, 7, 10, 60)), rng.randint(-99, 99),
                        function, rng.random(), I64_MIN, SETTLED)
            self.assertEqual(self.talker.create(*rule[:6]), 0)
            rules.append(rule)
        return rules

    def check_all(self, rules: list[Rule], newest: int) -> None:
        listed = self.talker.settle()
        for rule in rules:
            told = listed[rule.target]
            self.assertEqual(told[:6], rule[:6])
            self.assertEqual(told.settled, self.end_of_last(rule, newest), (told, newest))
            self.talker.check(rule, newest)

    @staticmethod
    def end_of_last(rule: Rule, newest: int) -> int:
        """Where the last bucket ends that is over."""
        return rule.origin + (newest - rule.origin) // rule.width * rule.width

    def test_what_is_there_and_what_comes(self) -> None:
        """Points in any order, of which some replace others, and deleted ranges; every function."""
        rng = random.Random(15)
        source = self.series()
        self.talker.policy(source, KEEP_LAST)
        newest = 400
        self.talker.append(source, [(t, rng.uniform(-5, 50)) for t in range(-300, newest + 1, 3)])
        self.talker.append(source, [(newest, 1.0)])
        rules = self.rules_of(source, rng)
        self.check_all(rules, newest)
        for turn in range(12):
            times = [rng.randint(-400, newest + 80) for _ in range(rng.choice((1, 1, 20)))]
            self.talker.append(source, [(t, rng.uniform(-5, 50)) for t in times])
            newest = max(newest, *times)
            if turn % 3 == 1:
                first = rng.randint(-400, newest)
                self.talker.delete(source, first, first + rng.choice((0, 15, 150)))
            if turn % 5 == 4:
                self.talker.work(COMPACT if turn == 9 else FLUSH_DATA)
            self.check_all(rules, newest)

    def test_an_empty_bucket_loses_its_point(self) -> None:
        source, target = self.series(), self.series()
        self.assertEqual(self.talker.create(target, source), 0)
        self.assertEqual(self.talker.settle()[target].settled, I64_MIN)
        self.talker.append(source, [(t, 1.0) for t in range(0, 41)])
        self.talker.settle()
        four = dict.fromkeys((0, 10, 20, 30), struct.unpack(">Q", struct.pack(">d", 10.0))[0])
        self.assertEqual(self.talker.points(target), four)
        self.talker.delete(source, 10, 19)
        self.talker.settle()
        del four[10]
        self.assertEqual(self.talker.points(target), four)
        self.talker.delete(source, I64_MIN, I64_MAX)
        self.talker.settle()
        self.assertEqual(self.talker.points(target), {})

    def test_a_chain(self) -> None:
        """Tens of units, and hundreds of tens: a late point reaches both."""
        source, tens, hundreds = self.series(), self.series(), self.series()
        self.talker.policy(source, KEEP_LAST)
        self.assertEqual(self.talker.create(hundreds, tens, 100, 0, SUM), 0)
        self.assertEqual(self.talker.create(tens, source, 10, 0, COUNT), 0)
        self.talker.append(source, [(t, 1.0) for t in range(0, 1000, 2)] + [(1000, 1.0)])
        rules = self.talker.settle()
        self.talker.check(rules[tens], 1000)
        self.talker.check(rules[hundreds], 990)
        self.talker.append(source, [(333, 1.0)])
        rules = self.talker.settle()
        self.talker.check(rules[tens], 1000)
        self.talker.check(rules[hundreds], 990)
        self.assertEqual(self.talker.points(hundreds)[300], raw_bits(51.0))

    def test_a_counter_over_a_gap(self) -> None:
        """What a bucket begins with is far before it, and changes."""
        source, target = self.series(), self.series()
        self.talker.policy(source, KEEP_LAST)
        self.assertEqual(self.talker.create(target, source, 10, 0, INCREASE), 0)
        self.talker.append(source, [(5, 3.0), (100_005, 10.0), (200_000, 11.0)])
        rule = self.talker.settle()[target]
        self.assertEqual(self.talker.points(target)[100_000], raw_bits(7.0))
        self.talker.append(source, [(6, 4.0)])
        self.talker.settle()
        self.assertEqual(self.talker.points(target)[100_000], raw_bits(6.0))
        self.talker.delete(source, 0, 9)
        self.talker.settle()
        self.talker.check(rule, 200_000)

    def test_edges_of_time(self) -> None:
        for number, (width, origin) in enumerate(((2**64 - 1, 0), (2**63, I64_MAX), (1, I64_MIN),
                                                  (2**40, -1))):
            source, target = self.series(), self.series()
            self.assertEqual(self.talker.create(target, source, width, origin, MEAN), 0)
            self.talker.append(source, [(I64_MIN, 1.0), (I64_MIN + 1, 2.0), (-1, 3.0), (0, 4.0),
                                        (2**62, 5.0), (I64_MAX - 1, 6.0), (I64_MAX, 7.0)])
            self.talker.settle()
            found = self.talker.points(target)
            starts = [max(I64_MIN, origin + (t - origin) // width * width)
                      for t in (I64_MIN, I64_MIN + 1, -1, 0, 2**62, I64_MAX - 1)
                      if origin + ((t - origin) // width + 1) * width <= I64_MAX]
            self.assertEqual(sorted(found), sorted(set(starts)), number)

    def test_a_target_may_be_written(self) -> None:
        """What stands elsewhere than at the start of a bucket is nobody's business."""
        source, target = self.series(), self.series()
        self.talker.append(target, [(3, 33.0), (10, -1.0)])
        self.assertEqual(self.talker.create(target, source), 0)
        self.assertEqual(self.talker.client.describe(target).order, KEEP_LAST)
        self.talker.append(source, [(t, 1.0) for t in range(25)])
        self.talker.settle()
        self.talker.append(target, [(4, 44.0)])
        self.assertEqual(self.talker.points(target), {
            0: raw_bits(10.0), 3: raw_bits(33.0), 4: raw_bits(44.0), 10: raw_bits(10.0)})


def raw_bits(value: float) -> int:
    return int.from_bytes(raw.bits(value), "big")


class Ends(RollupCase):
    def made(self) -> tuple[bytes, bytes]:
        source, target = self.series(), self.series()
        self.assertEqual(self.talker.create(target, source), 0)
        self.talker.append(source, [(t, 1.0) for t in range(25)])
        self.talker.settle()
        return source, target

    def test_drop_rollup(self) -> None:
        source, target = self.made()
        self.assertEqual(self.talker.drop(target), 0)
        self.talker.append(source, [(t, 1.0) for t in range(25, 100)])
        self.talker.settle()
        self.assertEqual(sorted(self.talker.points(target)), [0, 10])
        self.assertEqual(self.talker.drop(target), ROLLUP_NOT_FOUND)
        self.assertEqual(self.talker.create(target, source, 50), 0)
        self.talker.settle()
        self.assertEqual(sorted(self.talker.points(target)), [0, 10])
        self.assertEqual(self.talker.points(target)[0], raw_bits(50.0))

    def test_drop_of_a_series(self) -> None:
        source, target = self.made()
        self.assertEqual(self.talker.client.drop(source), 0)
        self.assertNotIn(target, self.talker.rules())
        self.assertEqual(sorted(self.talker.points(target)), [0, 10])
        self.series(source)
        self.assertNotIn(target, self.talker.rules(), "a series of the same name is another one")
        source, target = self.made()
        self.assertEqual(self.talker.client.drop(target), 0)
        self.assertNotIn(target, self.talker.rules())
        self.assertEqual(self.talker.drop(target), ROLLUP_NOT_FOUND)
        self.talker.append(source, [(t, 1.0) for t in range(25, 100)])


class Refusals(RollupCase):
    def test_refused(self) -> None:
        source, target, missing = self.series(), self.series(), self.label()
        for function, parameter in ((13, 0.0), (255, 0.0), (QUANTILE, math.nan),
                                    (QUANTILE, -0.1), (QUANTILE, 1.1)):
            self.assertEqual(self.talker.create(target, source, 10, 0, function, parameter),
                             INVALID_PAYLOAD)
        self.assertEqual(self.talker.create(target, source, 0), INVALID_PAYLOAD)
        for pair in ((missing, source), (target, missing), (missing, missing)):
            self.assertEqual(self.talker.create(*pair), SERIES_NOT_FOUND)
        self.assertEqual(self.talker.create(target, target), INVALID_PAYLOAD)
        self.assertEqual(self.talker.drop(target), ROLLUP_NOT_FOUND)
        self.assertEqual(self.talker.create(target, source, 1, 0, QUANTILE, 1.0), 0)
        self.assertEqual(self.talker.create(target, source), ROLLUP_ALREADY_EXISTS)
        self.assertEqual(self.talker.create(target, self.series()), ROLLUP_ALREADY_EXISTS)
        payload = rule_payload(self.series(), source)
        for wrong in (b"", payload[:-1], payload + b"\0"):
            self.assertEqual(self.talker.client.request(CREATE_ROLLUP, wrong).status,
                             INVALID_PAYLOAD)
        for wrong in (b"", target[:-1], target + b"\0"):
            self.assertEqual(self.talker.client.request(DROP_ROLLUP, wrong).status,
                             INVALID_PAYLOAD)

    def test_what_leads_back(self) -> None:
        """No series may be made of itself, however long the way."""
        chain = [self.series() for _ in range(20)]
        for source, target in zip(chain, chain[1:]):
            self.assertEqual(self.talker.create(target, source), 0)
        for source in chain:
            self.assertEqual(self.talker.create(chain[0], source), INVALID_PAYLOAD)
        self.assertEqual(self.talker.drop(chain[10]), 0)
        self.assertEqual(self.talker.create(chain[0], chain[9]), INVALID_PAYLOAD)
        self.assertEqual(self.talker.create(chain[0], chain[-1]), 0)
        self.assertEqual(self.talker.create(chain[10], chain[9]), INVALID_PAYLOAD)

    def test_details(self) -> None:
        """A detailed error names the field that is wrong."""
        source, target, missing = self.series(), self.series(), self.label()
        self.talker.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        for payload, status, field, offset in (
                (rule_payload(missing, source), SERIES_NOT_FOUND, 0, 0),
                (rule_payload(target, missing), SERIES_NOT_FOUND, 1, 32),
                (rule_payload(target, target), INVALID_PAYLOAD, 1, 32),
                (rule_payload(target, source, width=0), INVALID_PAYLOAD, 2, 64),
                (rule_payload(target, source, function=13), INVALID_PAYLOAD, 4, 80),
                (rule_payload(target, source, 1, 0, QUANTILE, 2.0), INVALID_PAYLOAD, 5, 81)):
            reply = self.talker.client.request(CREATE_ROLLUP, payload)
            self.assertEqual(reply.opcode, ERR)
            self.assertEqual(struct.unpack_from(">BHI", reply.payload), (status, field, offset))
        self.talker.client.negotiate()


class Limits(RollupCase):
    def test_of_a_source(self) -> None:
        source = self.series()
        targets = [self.series() for _ in range(OF_A_SOURCE_MAX + 1)]
        for target in targets[:-1]:
            self.assertEqual(self.talker.create(target, source), 0)
        self.assertEqual(self.talker.create(targets[-1], source), LIMIT_EXCEEDED)
        self.talker.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        reply = self.talker.client.request(CREATE_ROLLUP, rule_payload(targets[-1], source))
        self.assertEqual(struct.unpack_from(">BHI", reply.payload), (LIMIT_EXCEEDED, 1, 32))
        for limit in (OF_A_SOURCE_MAX, RULES_MAX):
            self.assertIn(f"at most {limit}", reply.payload[9:].decode())
        self.talker.client.negotiate()
        self.assertEqual(self.talker.drop(targets[3]), 0)
        self.assertEqual(self.talker.create(targets[-1], source), 0)

    def test_pages(self) -> None:
        source = self.series()
        targets = sorted(self.series() for _ in range(7))
        for target in targets:
            self.assertEqual(self.talker.create(target, source), 0)
        for size in (1, 3, 7, PAGE_MAX):
            cursor, seen, more = None, [], True
            while more:
                more, page = self.talker.page(cursor, size)
                self.assertTrue(len(page) == size if more else len(page) <= size)
                seen += [rule.target for rule in page]
                cursor = seen[-1]
            self.assertEqual(seen, targets)
        self.assertEqual(self.talker.page(targets[-1]), (False, []))
        for wrong in (page_payload(limit=0), page_payload(limit=PAGE_MAX + 1), b"\2" + bytes(4),
                      b"\1" + bytes(31) + bytes(4), page_payload() + b"\0", b""):
            self.assertEqual(self.talker.client.request(LIST_ROLLUPS, wrong).status,
                             INVALID_PAYLOAD)

    def test_in_all(self) -> None:
        """As many rules as there may be, in whole pages, also after a restart."""
        with Server("--durability", "os") as server:
            talker = Talker(self, server.connect())
            sources = [label(b"s%d" % n) for n in range(RULES_MAX // OF_A_SOURCE_MAX + 1)]
            targets = [label(b"t%d" % n) for n in range(RULES_MAX + 1)]
            self.pipeline(talker.client, [frame(raw.CREATE_SERIES, n) for n in sources + targets])
            self.pipeline(talker.client, [
                frame(CREATE_ROLLUP, rule_payload(target, sources[n // OF_A_SOURCE_MAX]))
                for n, target in enumerate(targets[:-1])])
            self.assertEqual(talker.create(targets[-1], sources[-1]), LIMIT_EXCEEDED)
            self.assertEqual(self.listed(talker), sorted(targets[:-1]))
            server.restart()
            talker = Talker(self, server.connect())
            self.assertEqual(self.listed(talker), sorted(targets[:-1]))
            self.assertEqual(talker.create(targets[-1], sources[-1]), LIMIT_EXCEEDED)
            self.assertEqual(talker.drop(targets[0]), 0)
            self.assertEqual(talker.create(targets[-1], sources[-1]), 0)

    def pipeline(self, client: Connection, frames: list[bytes]) -> None:
        for at in range(0, len(frames), 2000):
            part = frames[at:at + 2000]
            client.send(b"".join(part))
            for reply in client.receive_all(len(part)):
                self.assertEqual(reply.status, 0)

    @staticmethod
    def listed(talker: Talker) -> list[bytes]:
        found: list[bytes] = []
        more, cursor = True, None
        while more:
            more, page = talker.page(cursor)
            found += [rule.target for rule in page]
            cursor = found[-1]
        return found


class Restarts(unittest.TestCase):
    """Servers of their own."""

    def test_rules_outlive_the_server(self) -> None:
        """Stopped or killed at any time, with and without flushes: afterwards all is as AGGREGATE
        says, of what is there."""
        rng = random.Random(16)
        source, newest = label("source"), 0
        rules = [Rule(label(f"target.{function}"), source, 10 + function, 3, function, 0.5,
                      I64_MIN, SETTLED) for function in FUNCTIONS]
        with Server() as server:
            talker = Talker(self, server.connect())
            for name in (source, *(rule.target for rule in rules)):
                self.assertEqual(talker.client.create(name), 0)
            talker.policy(source, KEEP_LAST)
            for rule in rules:
                self.assertEqual(talker.create(*rule[:6]), 0)
            for turn in range(6):
                times = [rng.randint(newest - 300, newest + 200) for _ in range(60)]
                talker.append(source, [(t, rng.uniform(0, 9)) for t in times])
                newest = max(newest, *times)
                if turn % 3 == 1:
                    first = rng.randint(0, newest)
                    talker.delete(source, first, first + 40)
                if turn % 4 == 2:
                    talker.work(FLUSH_DATA)
                    talker.append(source, [(rng.randint(0, newest), 5.0)])
                if turn % 2:
                    server.kill()
                    server.start()
                else:
                    server.restart()
                talker = Talker(self, server.connect())
                listed = talker.settle()
                self.assertEqual(sorted(listed), sorted(rule.target for rule in rules))
                for rule in rules:
                    self.assertEqual(listed[rule.target][:6], rule[:6])
                    talker.check(rule, newest)

    def test_a_snapshot_has_them(self) -> None:
        source, target = label("source"), label("target")
        with Server() as server:
            talker = Talker(self, server.connect())
            for name in (source, target):
                self.assertEqual(talker.client.create(name), 0)
            self.assertEqual(talker.create(target, source, 10, 0, SUM), 0)
            talker.append(source, [(t, 1.0) for t in range(1000)])
            talker.work(SNAPSHOT, b"\x01a")
            self.assertEqual(talker.drop(target), 0)
            with Server(data_dir=server.data_dir / "snapshots" / "a") as copy:
                of_copy = Talker(self, copy.connect())
                rule = of_copy.settle()[target]
                of_copy.check(rule, 999)
                of_copy.append(source, [(t, 1.0) for t in range(1000, 1100)])
                of_copy.settle()
                of_copy.check(rule, 1099)
            server.restart()
            self.assertEqual(Talker(self, server.connect()).rules(), {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
