# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""Questions to many series at once: AGGREGATE against the model of aggregate_test.py, in every
grouping, and MULTI_RANGE, MULTI_RANGE_WHERE and MULTI_LATEST against lists of points; their limits,
what they refuse, and CANCEL.
"""

from __future__ import annotations

import math
import random
import struct
import time
import unittest
from dataclasses import replace
from typing import Any, Iterator, Optional, Sequence

import aggregate_test as model
import tau_raw as raw
from tau_raw import (AGGREGATE, ALL, BACKWARD, CANCEL, CANCELLED, EACH, ERR, FLAG_MORE,
                     INVALID_PAYLOAD, LIMIT_EXCEEDED, MULTI_LATEST, MULTI_RANGE, MULTI_RANGE_WHERE,
                     OK, PING, PONG, SERIES_NOT_FOUND, SIZED, THROTTLED, Connection, Reply, frame)
from tau_server import ServerCase

CASES = 150
LABELS_MAX, FUNCTIONS_MAX, BUCKETS_MAX = 65_536, 16, 1 << 20
BATCH_VALUES, BATCH_POINTS, LATEST_ROWS = 4080, 4093, 1365
COUNT, SUM, MIN, MAX, MEAN, FIRST, LAST, STDDEV = range(8)
QUANTILE, TIME_WEIGHTED_AVERAGE, RATE, INCREASE = 9, 10, 11, 12
NONE, PREVIOUS, LINEAR, VALUE = range(4)

Point = tuple[int, float]


class QueryCase(ServerCase):
    def setUp(self) -> None:
        self.client = self.connect()
        self.client.negotiate()

    def store(self, name: bytes, points: Sequence[Point]) -> bytes:
        label = raw.label(name)
        self.assertEqual(self.client.create(label), 0)
        for at in range(0, len(points), 100_000):
            part = points[at:at + 100_000]
            accepted, _ = self.client.batch(label, [t for t, _ in part], [v for _, v in part])
            self.assertEqual(accepted, len(part))
        return label

    def frames(self, opcode: int, payload: bytes) -> Iterator[bytes]:
        """The payloads of a stream that must succeed. Only the last may be empty."""
        self.client.send(frame(opcode, payload))
        for reply in self.client.stream():
            self.assertEqual(reply.opcode, OK, reply)
            yield reply.payload

    def aggregate(self, payload: bytes) -> dict[int, tuple[bytes, list[list[int]]]]:
        """Rows by the number of their group, with its label."""
        groups: dict[int, tuple[bytes, list[list[int]]]] = {}
        latest = -1
        for body in self.frames(AGGREGATE, payload):
            batch = raw.parse_aggregate(body)
            if batch.rows:
                self.assertGreaterEqual(batch.group, latest)
                latest = batch.group
                label, rows = groups.setdefault(batch.group, (batch.label, []))
                self.assertEqual(label, batch.label)
                rows += [[start % (1 << 64), *bits] for start, *bits in batch.rows]
        return groups

    def ranges(self, payload: bytes,
               opcode: int = MULTI_RANGE) -> list[tuple[bytes, list[Point]]]:
        found: list[tuple[bytes, list[Point]]] = []
        for body in self.frames(opcode, payload):
            name, (count,) = body[:32], struct.unpack_from(">I", body, 32)
            times = struct.unpack_from(f">{count}q", body, 36)
            points = list(zip(times, struct.unpack_from(f">{count}d", body, 36 + 8 * count)))
            if found and found[-1][0] == name:
                found[-1][1].extend(points)
            elif points:
                found.append((name, points))
        return found

    def latest(self, payload: bytes) -> list[tuple[bytes, int, float]]:
        rows: list[tuple[bytes, int, float]] = []
        for body in self.frames(MULTI_LATEST, payload):
            (count,) = struct.unpack_from(">I", body)
            self.assertEqual(len(body), 4 + 48 * count)
            rows += [(name, t, value) for name, t, value in struct.iter_unpack(">32sqd", body[4:])]
        return rows

    def status(self, opcode: int, payload: bytes, client: Optional[Connection] = None) -> int:
        client = client or self.client
        client.send(frame(opcode, payload))
        return list(client.stream())[-1].status


class Aggregates(QueryCase):
    """Random cases of the model, whose series lie in a real server."""

    def groups_of(self, case: model.Case, rng: random.Random) -> tuple[int, list[int]]:
        grouping = rng.choice((EACH, ALL, SIZED))
        if grouping == EACH:
            return grouping, [1] * len(case.series)
        if grouping == ALL or len(case.series) == 1:
            return grouping, [len(case.series)]
        first = rng.randint(1, len(case.series) - 1)
        return grouping, [first, len(case.series) - first]

    def ask(self, number: int, case: model.Case, rng: random.Random) -> int:
        prefix = b"m%d." % number
        labels = [self.store(prefix + b"%d" % i, series.points)
                  for i, series in enumerate(case.series)]
        grouping, sizes = self.groups_of(case, rng)
        by_prefix = grouping != SIZED and rng.random() < 0.5
        payload = raw.aggregate_payload(
            [(model.FUNCTIONS.index(name), parameter) for name, parameter in case.columns],
            case.start, case.stop, case.width, case.origin, model.FILLS.index(case.fill),
            case.fill_value, grouping, sizes if grouping == SIZED else (),
            prefix if by_prefix else b"", () if by_prefix else labels)
        parts, at = [], 0
        for size in sizes:
            parts.append(replace(case, series=case.series[at:at + size]))
            at += size
        many = any(len(model.number_range(part)) > BUCKETS_MAX for part in parts)
        if many and (case.fill != "none" or case.width == 0):
            self.assertEqual(self.status(AGGREGATE, payload), LIMIT_EXCEEDED)
            return 0
        if many:
            return 0  # narrowed to the points; the model has no room for so many buckets
        return self.check(parts, sizes, labels, self.aggregate(payload))

    def check(self, parts: list[model.Case], sizes: list[int], labels: list[bytes],
              groups: dict[int, tuple[bytes, list[list[int]]]]) -> int:
        checker = model.Aggregates()
        total = 0
        for number, part in enumerate(parts):
            label, rows = groups.pop(number, (labels[sum(sizes[:number])], []))
            self.assertEqual(label, labels[sum(sizes[:number])])
            checker.rows(part, model.number_range(part), rows)
            total += len(rows)
        self.assertEqual(groups, {})
        return total

    def test_random_cases(self) -> None:
        draw, rng, rows = model.Cases(model.SEED), random.Random(model.SEED), 0
        for number in range(CASES):
            with self.subTest(case=number):
                rows += self.ask(number, draw.case(), rng)
        self.assertGreater(rows, 4 * CASES)


class Meanings(QueryCase):
    """What a request may ask and what it may not."""

    def test_the_range_is_narrowed_to_the_points(self) -> None:
        labels = [self.store(b"n%d" % i, [(i * 10, 1.0), (i * 10 + 5, 2.0)]) for i in range(3)]
        for grouping in (EACH, ALL):
            groups = self.aggregate(raw.aggregate_payload([(COUNT, 0)], width=1, labels=labels,
                                                          grouping=grouping))
            starts = [row[0] for _, rows in groups.values() for row in rows]
            self.assertEqual(starts, [0, 5, 10, 15, 20, 25])
            far = self.store(b"far%d" % grouping, [(0, 1.0), (BUCKETS_MAX, 1.0)])
            payload = raw.aggregate_payload([(COUNT, 0)], width=1, labels=[far], grouping=grouping)
            self.assertEqual(self.status(AGGREGATE, payload), LIMIT_EXCEEDED)

    def test_refused(self) -> None:
        label = self.store(b"refused", [(1, 1.0)])
        good = raw.aggregate_payload([(COUNT, 0)], labels=[label])
        self.assertEqual(self.status(AGGREGATE, good), 0)
        for functions in ((), [(COUNT, 0)] * (FUNCTIONS_MAX + 1), [(13, 0)], [(255, 0)],
                          [(QUANTILE, 1.1)], [(QUANTILE, -0.1)], [(QUANTILE, math.nan)]):
            bad = raw.aggregate_payload(functions, labels=[label])
            self.assertEqual(self.status(AGGREGATE, bad), INVALID_PAYLOAD, functions)
        wrong: list[dict[str, Any]] = [
            dict(fill=4), dict(grouping=3), dict(sizes=[1]), dict(prefix=b"r"),
            dict(grouping=SIZED), dict(grouping=SIZED, sizes=[2]),
            dict(grouping=SIZED, sizes=[1, 0]), dict(grouping=SIZED, sizes=[0, 1])]
        for changes in wrong:
            bad = raw.aggregate_payload([(COUNT, 0)], labels=[label], **changes)
            self.assertEqual(self.status(AGGREGATE, bad), INVALID_PAYLOAD, changes)
        bad = raw.aggregate_payload([(COUNT, 0)], prefix=b"x" * 33)
        self.assertEqual(self.status(AGGREGATE, bad), INVALID_PAYLOAD)
        self.assertEqual(self.aggregate(raw.aggregate_payload([(COUNT, 0)], prefix=b"x" * 32)), {})
        for opcode, payload in ((AGGREGATE, good), (MULTI_RANGE, raw.multi_range_payload()),
                                (MULTI_LATEST, raw.multi_latest_payload())):
            for size in range(len(payload)):
                self.assertEqual(self.status(opcode, payload[:size]), INVALID_PAYLOAD)
            self.assertEqual(self.status(opcode, payload + b"\0"), INVALID_PAYLOAD)
        sideways = raw.multi_range_payload(direction=2)
        self.assertEqual(self.status(MULTI_RANGE, sideways), INVALID_PAYLOAD)
        self.assertEqual(self.client.request(PING).opcode, PONG)

    def test_nothing_to_tell(self) -> None:
        empty = self.store(b"empty", [])
        asked: list[dict[str, Any]] = [
            dict(labels=[empty]), dict(prefix=b"nobody"), dict(labels=[empty], first=2, last=1),
            dict(labels=[empty], first=2, last=1, fill=VALUE, width=1)]
        for changes in asked:
            for grouping in (EACH, ALL):
                payload = raw.aggregate_payload([(MEAN, 0)], grouping=grouping, **changes)
                self.assertEqual(self.aggregate(payload), {})
        payload = raw.aggregate_payload([(COUNT, 0), (MEAN, 0)], 0, 29, 10, fill=VALUE,
                                        fill_value=3.5, labels=[empty])
        rows = self.aggregate(payload)[0][1]
        self.assertEqual([[model.as_value(value) for value in row[1:]] for row in rows],
                         [[0.0, 3.5]] * 3)


class Ranges(QueryCase):
    def fill(self, prefix: bytes) -> dict[bytes, list[Point]]:
        rng = random.Random(5)
        stored = {}
        for i, count in enumerate((0, 1, 10, 1024, 5000, 3, BATCH_POINTS, BATCH_POINTS + 1)):
            points = [(t * 10, rng.choice((math.inf, -math.inf, rng.uniform(-9, 9))))
                      for t in range(count)]
            stored[self.store(prefix + b"%02d" % i, points)] = points
        return stored

    def test_against_lists(self) -> None:
        stored = self.fill(b"r.")
        names = list(stored)
        rng = random.Random(6)
        for _ in range(60):
            first, last = sorted(rng.randint(-10, 60_000) for _ in range(2))
            low, high = rng.choice(((-math.inf, math.inf), (-3.0, 3.0), (0.0, math.inf),
                                    (math.inf, math.inf), (2.0, 1.0)))
            limit, backward = rng.choice((0, 0, 1, 7, 5000)), rng.random() < 0.5
            labels = rng.sample(names, rng.randint(1, len(names))) if rng.random() < 0.5 else []
            got = self.ranges(raw.multi_range_payload(
                first, last, low, high, limit, BACKWARD if backward else 0,
                b"" if labels else b"r.", labels))
            expected = []
            for name in labels or names:
                points = [(t, v) for t, v in stored[name]
                          if first <= t <= last and low <= v <= high]
                points = (points[::-1] if backward else points)[:limit or None]
                if points:
                    expected.append((name, points))
            self.assertEqual(got, expected)

    def test_nan_has_no_place_between_bounds(self) -> None:
        label = self.store(b"nan", [(1, math.nan), (2, 0.0)])
        count = [len(self.ranges(raw.multi_range_payload(low=low, high=high, labels=[label]))[0][1])
                 for low, high in ((-math.inf, math.inf), (-1.0, math.inf), (-math.inf, 1.0))]
        self.assertEqual(count, [2, 1, 1])
        for low, high in ((math.nan, 1.0), (1.0, math.nan)):
            payload = raw.multi_range_payload(low=low, high=high, labels=[label])
            self.assertEqual(self.status(MULTI_RANGE, payload), INVALID_PAYLOAD)

    def test_latest_against_lists(self) -> None:
        stored = self.fill(b"l.")
        names = list(stored)
        rng = random.Random(7)
        for _ in range(40):
            first, last = sorted(rng.randint(-10, 60_000) for _ in range(2))
            labels = rng.choices(names, k=5) if rng.random() < 0.5 else []
            got = self.latest(raw.multi_latest_payload(first, last, b"" if labels else b"l.",
                                                       labels))
            inside = [(name, [p for p in stored[name] if first <= p[0] <= last])
                      for name in labels or names]
            self.assertEqual(got, [(name, *points[-1]) for name, points in inside if points])


def moments_of(condition: Sequence[Point], first: int, last: int, low: float, high: float,
               limit: int, backward: bool) -> list[int]:
    """When a condition holds."""
    bounded = (low, high) != (-math.inf, math.inf)
    found = [t for t, v in condition
             if first <= t <= last and (not bounded or low <= v <= high)]
    return (found[::-1] if backward else found)[:limit or None]


class Where(QueryCase):
    """Points of series at the moments at which another has a value between bounds."""

    def stored(self) -> dict[bytes, list[Point]]:
        """What there is, of series that were measured together, later, more often, at random,
        once and never."""
        rng = random.Random(8)
        times: list[Sequence[int]] = [
            range(0, 60_000, 10), range(0, 60_000, 10), range(9_000, 70_000, 10),
            range(5, 60_000, 10), range(0, 12_000, 2), sorted(rng.sample(range(60_000), 9_000)),
            [30_000], []]
        stored = {}
        for i, chosen in enumerate(times):
            points = [(t, rng.choice((rng.uniform(0, 9), -1.0, math.inf))) for t in chosen]
            stored[self.store(b"w.%d" % i, points)] = points
        return stored

    def test_against_lists(self) -> None:
        stored = self.stored()
        rng = random.Random(9)
        for _ in range(60):
            labels = rng.sample(list(stored), rng.choice((1, 2, 4, 6, 8)))
            size = rng.choice([n for n in (1, 2, 3, 4, 6, 8) if len(labels) % n == 0])
            first, last = sorted(rng.randint(-10, 70_000) for _ in range(2))
            low, high = rng.choice(((-math.inf, math.inf), (0.0, 3.0), (8.5, math.inf),
                                    (-1.0, -1.0), (2.0, 1.0)))
            limit, backward = rng.choice((0, 0, 1, 7, 4093, 5000)), rng.random() < 0.5
            found = self.ranges(raw.where_payload(labels, size, first, last, low, high, limit,
                                                  BACKWARD if backward else 0), MULTI_RANGE_WHERE)
            expected: dict[bytes, list[Point]] = {}
            for at in range(0, len(labels), size):
                moments = moments_of(stored[labels[at]], first, last, low, high, limit, backward)
                for name in labels[at:at + size]:
                    values = dict(stored[name])
                    points = [(t, values[t]) for t in moments if t in values]
                    if points:
                        expected[name] = points
            got: dict[bytes, list[Point]] = {}
            for name, points in found:
                got.setdefault(name, []).extend(points)
            self.assertEqual(got, expected)
            self.assertEqual(list(got), list(expected))  # in the order of the request

    def test_pieces(self) -> None:
        """Of a group with many moments the series come again and again, each time further on."""
        labels = [self.store(b"piece.%d" % i, [(t, float(t)) for t in range(8192)])
                  for i in range(3)]
        frames = list(self.frames(MULTI_RANGE_WHERE, raw.where_payload(labels, 3, first=3)))
        names = [body[:32] for body in frames if body[32:36] != bytes(4)]
        pieces = len(names) // 3
        self.assertGreater(pieces, 8189 // BATCH_POINTS)
        self.assertEqual(names, labels * pieces)
        counts = [struct.unpack_from(">I", body, 32)[0] for body in frames]
        self.assertEqual(sum(counts), 3 * 8189)
        self.assertEqual(max(counts), BATCH_POINTS)  # the first, of 1,021 points and three chunks

    def test_nan_never_holds_between_bounds(self) -> None:
        condition = self.store(b"nan.0", [(1, math.nan), (2, 0.0), (3, 5.0)])
        other = self.store(b"nan.1", [(1, 1.0), (2, math.nan), (4, 4.0)])
        times = [[[t for t, _ in points] for _, points in self.ranges(
            raw.where_payload([condition, other], 2, low=low, high=high), MULTI_RANGE_WHERE)]
            for low, high in ((-math.inf, math.inf), (-1.0, math.inf), (-math.inf, 1.0))]
        self.assertEqual(times, [[[1, 2, 3], [1, 2]], [[2, 3], [2]], [[2], [2]]])
        for low, high in ((math.nan, 1.0), (1.0, math.nan)):
            payload = raw.where_payload([condition, other], 2, low=low, high=high)
            self.assertEqual(self.status(MULTI_RANGE_WHERE, payload), INVALID_PAYLOAD)

    def test_groups_that_are_not_whole(self) -> None:
        one = self.store(b"whole", [(1, 1.0)])
        for count, size in ((1, 2), (3, 2), (2, 3), (1, LABELS_MAX), (0, 1), (1, 0), (0, 0),
                            (LABELS_MAX, LABELS_MAX + 1), (LABELS_MAX + 1, 1)):
            payload = raw.where_payload([one] * count, size)
            self.assertEqual(self.status(MULTI_RANGE_WHERE, payload), INVALID_PAYLOAD)
        more = bytearray(raw.where_payload([one], 1))  # than may be, in a payload of legal length
        struct.pack_into(">I", more, 45, LABELS_MAX + 1)
        self.assertEqual(self.status(MULTI_RANGE_WHERE, bytes(more)), INVALID_PAYLOAD)
        sideways = raw.where_payload([one], 1, direction=2)
        self.assertEqual(self.status(MULTI_RANGE_WHERE, sideways), INVALID_PAYLOAD)
        for size in (1, LABELS_MAX):
            found = self.ranges(raw.where_payload([one] * LABELS_MAX, size), MULTI_RANGE_WHERE)
            self.assertEqual(found, [(one, [(1, 1.0)] * LABELS_MAX)])

    def test_late_points_and_deleted_ones(self) -> None:
        """What was written out of order and what is gone, in the condition and beside it."""
        names = [raw.label(b"late.%d" % i) for i in range(2)]
        for name in names:
            self.assertEqual(self.client.create(name), 0)
            policy = name + bytes([1]) + struct.pack(">Q", 0)
            self.client.send(frame(raw.SET_POLICY, policy))
            self.assertEqual(self.client.receive().opcode, OK)
            self.client.batch(name, range(0, 20_000, 2), [float(t) for t in range(0, 20_000, 2)])
            self.client.batch(name, range(1, 20_000, 4), [float(t) for t in range(1, 20_000, 4)])
        self.client.send(frame(raw.DELETE_RANGE, names[0] + struct.pack(">qq", 100, 199))
                         + frame(raw.DELETE_RANGE, names[1] + struct.pack(">qq", 150, 249)))
        self.assertEqual([self.client.receive().opcode for _ in range(2)], [OK, OK])
        found = self.ranges(raw.where_payload(names, 2, low=90.0, high=260.0), MULTI_RANGE_WHERE)
        there = [t for t in range(90, 261) if t % 2 == 0 or t % 4 == 1]
        expected = [t for t in there if not 100 <= t <= 199]
        self.assertEqual([[t for t, _ in points] for _, points in found],
                         [expected, [t for t in expected if not 150 <= t <= 249]])


class Large(QueryCase):
    """Results and requests as large as they may be."""

    def test_group_of_many_series(self) -> None:
        """More series than one piece of work takes, and more buckets than one window has."""
        count, per_series = 300, 40
        for i in range(count):
            self.store(b"g.%04d" % i, [(t * 1000 + i, float(i)) for t in range(per_series)])
        for grouping, width in ((ALL, 1000), (ALL, 1), (EACH, 1000)):
            payload = raw.aggregate_payload([(COUNT, 0), (SUM, 0), (LAST, 0)], 0, 39_999, width,
                                            prefix=b"g.", grouping=grouping)
            groups = self.aggregate(payload)
            got = [row for _, rows in groups.values() for row in rows]
            self.assertEqual(len(groups), 1 if grouping == ALL else count)
            self.assertEqual(sum(model.as_value(row[1]) for row in got), count * per_series)
            self.assertEqual(sum(model.as_value(row[2]) for row in got),
                             per_series * sum(range(count)))
            self.assertEqual(len(got), {(ALL, 1000): per_series, (ALL, 1): count * per_series,
                                        (EACH, 1000): count * per_series}[grouping, width])

    def test_gaps_longer_than_a_frame(self) -> None:
        label = self.store(b"gap", [(0, 1.0), (99_999, 2.0)])
        for functions in (1, FUNCTIONS_MAX):
            for fill, middle in ((PREVIOUS, 1.0), (LINEAR, 1.5), (VALUE, 7.0)):
                payload = raw.aggregate_payload([(MEAN, 0)] * functions, 0, 99_999, 1, 0, fill, 7.0,
                                                labels=[label])
                rows = self.aggregate(payload)[0][1]
                self.assertEqual([row[0] for row in rows], list(range(100_000)))
                for value in rows[50_000][1:]:
                    self.assertAlmostEqual(model.as_value(value), middle, places=4)

    def test_most_of_everything(self) -> None:
        label = self.store(b"most", [(t, float(t)) for t in range(0, BUCKETS_MAX, 1000)])
        ends: dict[str, Any] = dict(first=0, last=BUCKETS_MAX - 1, width=1, fill=VALUE)
        rows = sum(len(raw.parse_aggregate(body)[2]) for body in self.frames(
            AGGREGATE, raw.aggregate_payload([(COUNT, 0)], labels=[label], **ends)))
        self.assertEqual(rows, BUCKETS_MAX)
        ends["last"] += 1
        self.assertEqual(self.status(AGGREGATE, raw.aggregate_payload([(COUNT, 0)], labels=[label],
                                                                      **ends)), LIMIT_EXCEEDED)

    def test_most_labels_and_groups(self) -> None:
        label = self.store(b"labels", [(t, float(t)) for t in range(1049)])
        one = raw.aggregate_payload([(COUNT, 0)], labels=[label] * LABELS_MAX, grouping=ALL)
        self.assertEqual(model.as_value(self.aggregate(one)[0][1][0][1]), 1049 * LABELS_MAX)
        sized = raw.aggregate_payload([(COUNT, 0)], labels=[label] * LABELS_MAX,
                                      grouping=SIZED, sizes=[1] * LABELS_MAX)
        self.assertEqual(len(self.aggregate(sized)), LABELS_MAX)
        for grouping, sizes, labels in ((ALL, (), LABELS_MAX + 1),
                                        (SIZED, [1] * (LABELS_MAX + 1), LABELS_MAX)):
            payload = raw.aggregate_payload([(COUNT, 0)], labels=[label] * labels, sizes=sizes,
                                            grouping=grouping)
            self.assertEqual(self.status(AGGREGATE, payload), INVALID_PAYLOAD)

    def test_most_labels(self) -> None:
        one = self.store(b"one", [(5, 2.5)])
        rows = self.latest(raw.multi_latest_payload(labels=[one] * LABELS_MAX))
        self.assertEqual(rows, [(one, 5, 2.5)] * LABELS_MAX)
        found = self.ranges(raw.multi_range_payload(labels=[one] * LABELS_MAX))
        self.assertEqual(found, [(one, [(5, 2.5)] * LABELS_MAX)])
        kinds: list[tuple[int, Any]] = [(MULTI_LATEST, raw.multi_latest_payload),
                                        (MULTI_RANGE, raw.multi_range_payload)]
        for opcode, payload in kinds:
            many = payload(labels=[one] * (LABELS_MAX + 1))
            self.assertEqual(self.status(opcode, many), INVALID_PAYLOAD)
            both = payload(labels=[one], prefix=b"o")
            self.assertEqual(self.status(opcode, both), INVALID_PAYLOAD)
            self.assertEqual(self.status(opcode, payload(prefix=b"o" * 33)), INVALID_PAYLOAD)
            self.assertEqual(list(self.frames(opcode, payload(prefix=b"o" * 32)))[0][-4:],
                             bytes(4))


def payloads(labels: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """A request of each kind, for many rows."""
    return [(AGGREGATE, raw.aggregate_payload([(QUANTILE, 0.5)], width=1, labels=labels)),
            (AGGREGATE, raw.aggregate_payload([(SUM, 0)], width=1, labels=labels, grouping=ALL)),
            (MULTI_RANGE, raw.multi_range_payload(labels=labels)),
            (MULTI_RANGE_WHERE, raw.where_payload(labels, 1)),
            (MULTI_LATEST, raw.multi_latest_payload(labels=labels))]


class Streams(QueryCase):
    """What they have in common as streams."""

    def test_a_series_that_is_not_there(self) -> None:
        label = self.store(b"there", [(1, 1.0)])
        for opcode, payload in payloads([label, raw.label(b"nowhere"), label]):
            self.client.send(frame(opcode, payload))
            self.assertEqual(self.client.receive(), Reply(ERR, 0, bytes([SERIES_NOT_FOUND])))

    def test_a_detailed_error_names_the_series_that_is_not_there(self) -> None:
        label, missing = self.store(b"seen", [(1, 1.0)]), b"no\nwhere\\"
        fields = {AGGREGATE: 13, MULTI_RANGE: 8, MULTI_RANGE_WHERE: 8, MULTI_LATEST: 4}  # labels
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        for opcode, payload in payloads([label, label, raw.label(missing)]):
            self.client.send(frame(opcode, payload))
            reply = self.client.receive()
            status, field, offset, _ = struct.unpack_from(">BHIH", reply.payload)
            self.assertEqual((reply.opcode, status), (ERR, SERIES_NOT_FOUND))
            self.assertEqual(payload[offset:], raw.label(missing))  # the last of the last field
            self.assertEqual(field, fields[opcode])
            self.assertEqual(reply.payload[9:].decode(), r"There is no series `no\x0Awhere\x5C`.")

    def test_a_detailed_error_names_the_width(self) -> None:
        """Of too many buckets, whether the request has them by itself or by its points."""
        label = self.store(b"wide", [(0, 1.0), (BUCKETS_MAX, 1.0)])
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        asked: list[dict[str, Any]] = [{}, dict(first=0, last=BUCKETS_MAX, fill=VALUE)]
        for grouping in (EACH, ALL):
            for ends in asked:
                payload = raw.aggregate_payload([(COUNT, 0)], width=1, labels=[label],
                                                grouping=grouping, **ends)
                self.client.send(frame(AGGREGATE, payload))
                reply = list(self.client.stream())[-1]
                self.assertEqual(struct.unpack_from(">BHI", reply.payload), (LIMIT_EXCEEDED, 2, 16))
                self.assertIn(f"at most {BUCKETS_MAX} buckets", reply.payload[9:].decode())

    def test_a_detailed_error_tells_what_an_aggregate_may_ask(self) -> None:
        label = self.store(b"asked", [(0, 1.0)])
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        asked: list[tuple[dict[str, Any], int, bytes]] = [
            (dict(functions=[(QUANTILE, 1.5)]), 8, b"from 0 to 1"),
            (dict(functions=[(13, 0)]), 8, b"those of this server"),
            (dict(grouping=SIZED, sizes=[2]), 11, b"as many as there are labels"),
            (dict(grouping=SIZED), 11, b"as many as there are labels"),
            (dict(sizes=[1]), 11, b"else none"),
            (dict(prefix=b"a"), 9, b"without labels")]
        for request, number, words in asked:
            functions = request.pop("functions", [(COUNT, 0)])
            payload = raw.aggregate_payload(functions, labels=[label], **request)
            places = {8: payload.index(struct.pack(">B", functions[0][0]), 42),
                      9: payload.index(b"\1a") if "prefix" in request else 0,
                      11: payload.index(label) - 4 - 4 * len(request.get("sizes", []))}
            reply = self.client.request(AGGREGATE, payload)
            status, field, place = struct.unpack_from(">BHI", reply.payload)
            self.assertEqual((reply.opcode, status, field, place),
                             (ERR, INVALID_PAYLOAD, number, places[number]))
            self.assertIn(words, reply.payload)
        both: dict[str, Any] = dict(prefix=b"a", labels=[label])
        for opcode, payload, number in (
                (MULTI_RANGE, raw.multi_range_payload(**both), 6),
                (MULTI_LATEST, raw.multi_latest_payload(**both), 2)):
            reply = self.client.request(opcode, payload)
            self.assertEqual(struct.unpack_from(">BH", reply.payload), (INVALID_PAYLOAD, number))

    def test_pipelined_with_others(self) -> None:
        """Replies come in the order of the requests, whatever has to be computed for them."""
        label = self.store(b"order", [(t, float(t)) for t in range(50_000)])
        asked = payloads([label] * 10) * 3
        self.client.send(b"".join(frame(opcode, payload) + frame(PING)
                                  for opcode, payload in asked))
        for _ in asked:
            self.assertTrue(all(reply.opcode == OK for reply in self.client.stream()))
            self.assertEqual(self.client.receive(), Reply(PONG, 0, b""))

    def test_cancelled(self) -> None:
        label = self.store(b"cancel", [(t, float(t)) for t in range(300_000)])
        for opcode, payload in payloads([label] * 500) * 2:
            self.client.send(frame(opcode, payload) + frame(CANCEL) + frame(PING))
            self.assertIn(list(self.client.stream())[-1].status, (0, CANCELLED))
            self.assertEqual(self.client.receive(), Reply(OK, 0, b""))
            self.assertEqual(self.client.receive(), Reply(PONG, 0, b""))

    def test_cancelled_when_nothing_is_read(self) -> None:
        label = self.store(b"slow", [(t, float(t)) for t in range(300_000)])
        for opcode, payload in payloads([label] * 500)[:4] + payloads([label] * LABELS_MAX)[4:]:
            slow = self.server.connect(receive_buffer=8192)
            self.addCleanup(slow.close)
            slow.negotiate()
            slow.send(frame(opcode, payload))
            self.assertEqual(slow.receive().flags, FLAG_MORE)
            slow.send(frame(CANCEL))
            self.assertEqual(list(slow.stream())[-1], Reply(ERR, 0, bytes([CANCELLED])))
            self.assertEqual(slow.receive(), Reply(OK, 0, b""))

    def test_gone_without_a_word(self) -> None:
        label = self.store(b"gone", [(t, float(t)) for t in range(100_000)])
        for opcode, payload in payloads([label] * 2000):
            client = self.server.connect()
            client.send(frame(opcode, payload))
            client.close()
        self.assertEqual(self.client.request(PING).opcode, PONG)


class Patience(QueryCase):
    """Work that takes long: a median over so many points that nobody waits for it."""

    def ask(self) -> Connection:
        label = self.store(self.label(), [(t, float(t)) for t in range(300_000)])
        client = self.connect()
        client.negotiate()
        client.send(frame(AGGREGATE, raw.aggregate_payload(
            [(QUANTILE, 0.5)], labels=[label] * LABELS_MAX, grouping=ALL)))
        return client

    def test_frames_without_rows(self) -> None:
        """One comes each second; then CANCEL ends what would go on for minutes."""
        client = self.ask()
        began = time.monotonic()
        for _ in range(2):
            reply = client.receive()
            self.assertEqual((reply.opcode, reply.flags), (OK, FLAG_MORE))
            self.assertEqual(raw.parse_aggregate(reply.payload).rows, [])
        self.assertGreater(time.monotonic() - began, 1.5)
        client.send(frame(CANCEL) + frame(PING))
        self.assertEqual(list(client.stream())[-1], Reply(ERR, 0, bytes([CANCELLED])))
        self.assertEqual(client.receive(), Reply(OK, 0, b""))
        self.assertEqual(client.receive(), Reply(PONG, 0, b""))
        self.wait_until_idle()

    def test_others_are_answered_meanwhile(self) -> None:
        client = self.ask()
        self.assertEqual(client.receive().flags, FLAG_MORE)
        few = self.store(self.label(), [(1, 1.0), (2, 5.0)])
        rows = self.aggregate(raw.aggregate_payload([(MEAN, 0)], labels=[few]))[0][1]
        self.assertEqual(model.as_value(rows[0][1]), 3.0)
        client.send(frame(CANCEL))
        self.assertEqual(list(client.stream())[-1].status, CANCELLED)
        self.wait_until_idle()

    def test_work_for_nobody_ends(self) -> None:
        """Whose client is gone without a word."""
        client = self.ask()
        self.assertEqual(client.receive().flags, FLAG_MORE)
        client.close()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            before = self.server.cpu_seconds()
            time.sleep(0.5)
            if self.server.cpu_seconds() - before < 0.1:
                return
            self.assertLess(time.monotonic(), deadline, "the server works on")


class Crowd(QueryCase):
    """Labels of streams that stand still."""

    def test_more_than_the_streams_may_name(self) -> None:
        """32 streams that stand still with 65,536 labels each use up what there is for labels."""
        label = self.store(b"crowd", [(t, float(t)) for t in range(20_000)])
        payload = raw.multi_range_payload(labels=[label] * LABELS_MAX)
        crowd = []
        for _ in range(32):
            slow = self.server.connect(receive_buffer=8192)
            self.addCleanup(slow.close)
            slow.send(frame(MULTI_RANGE, payload))
            self.assertEqual(slow.receive().flags, FLAG_MORE)
            crowd.append(slow)
        for opcode, more in payloads([label] * LABELS_MAX):
            self.assertEqual(self.status(opcode, more), THROTTLED)
        self.assertEqual(len(self.latest(raw.multi_latest_payload(prefix=b"crowd"))), 1)
        for slow in crowd:
            slow.close()
        deadline = time.monotonic() + 20
        payload = raw.multi_latest_payload(labels=[label])
        while self.status(MULTI_LATEST, payload) != 0:
            self.assertLess(time.monotonic(), deadline, "room for labels does not come back")
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main(verbosity=2)
