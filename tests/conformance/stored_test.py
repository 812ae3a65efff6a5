# SPDX-License-Identifier: MIT
# ctest: timeout=200 labels=threads
"""What is done with stored points: order policies against a dictionary, ranges that are deleted,
retention, and FLUSH_DATA, COMPACT and SNAPSHOT, after which nothing is different but where it lies.
"""

from __future__ import annotations

import random
import struct
import time
import unittest
from typing import Callable, Optional

import tau_raw as raw
from tau_raw import (CANCEL, CANCELLED, COMPACT, DELETE_RANGE, ERR, FLAG_MORE, FLUSH_DATA, I64_MAX,
                     I64_MIN, INVALID_PAYLOAD, KEEP_FIRST, KEEP_LAST, KEEP_MAX, KEEP_MIN, KEEP_SUM,
                     OK, OUT_OF_ORDER, REJECT, SERIES_NOT_FOUND, SET_POLICY, SNAPSHOT, STRICT,
                     Reply, frame)
from tau_server import Server, ServerCase

NAME_MAX = 64
FOLDS: dict[int, Callable[[float, float], float]] = {
    KEEP_LAST: lambda old, new: new, KEEP_FIRST: lambda old, new: old, KEEP_MIN: min,
    KEEP_MAX: max, KEEP_SUM: lambda old, new: old + new}


class StoredCase(ServerCase):
    def setUp(self) -> None:
        self.client = self.connect()
        self.client.negotiate()

    def policy(self, series: bytes, order: int, retention: int = 0) -> int:
        return self.client.request(SET_POLICY,
                                   series + struct.pack(">BQ", order, retention)).status

    def delete(self, series: bytes, first: int, last: int) -> int:
        return self.client.request(DELETE_RANGE, series + struct.pack(">qq", first, last)).status

    def work(self, opcode: int, name: Optional[str] = None) -> Reply:
        """How the work ended."""
        payload = b"" if name is None else bytes([len(name)]) + name.encode()
        self.client.send(frame(opcode, payload))
        last = list(self.client.stream())[-1]
        if last.opcode == OK:
            done, total = struct.unpack(">QQ", last.payload)
            self.assertLessEqual(done, total)
        return last

    def points(self, series: bytes) -> dict[int, float]:
        return {t: struct.unpack(">d", struct.pack(">Q", bits))[0]
                for t, bits in self.client.query_range(series)}


class Policies(StoredCase):
    def test_points_in_any_order(self) -> None:
        """Each policy against a dictionary, with flushes and compactions in between."""
        rng = random.Random(11)
        for order, fold in FOLDS.items():
            series = self.label()
            expected: dict[int, float] = {}
            self.assertEqual(self.client.create(series), 0)
            self.assertEqual(self.policy(series, order), 0)
            self.assertEqual(self.client.describe(series).order, order)
            for turn in range(30):
                points = [(rng.randint(0, 400), float(rng.randint(-50, 50)))
                          for _ in range(rng.choice((1, 5, 40)))]
                if len(points) == 1:
                    self.assertEqual(self.client.append(series, *points[0]), 0)
                else:
                    accepted, refused = self.client.batch(series, [t for t, _ in points],
                                                          [v for _, v in points])
                    self.assertEqual((accepted, refused), (len(points), []))
                for t, value in points:
                    expected[t] = fold(expected[t], value) if t in expected else value
                if turn % 10 == 5:
                    self.assertEqual(self.work(COMPACT if turn == 15 else FLUSH_DATA).status, 0)
                self.assertEqual(self.points(series), dict(sorted(expected.items())), order)

    def test_refused(self) -> None:
        series = self.label()
        self.assertEqual(self.policy(series, REJECT), SERIES_NOT_FOUND)
        self.assertEqual(self.client.create(series), 0)
        for timestamp in (10, 20):
            self.assertEqual(self.client.append(series, timestamp, 1.0), 0)
        self.assertEqual(self.client.append(series, 15, 1.0), OUT_OF_ORDER)
        self.assertEqual(self.policy(series, REJECT), 0)
        self.assertEqual(self.client.append(series, 15, 1.0), 0)
        for timestamp in (10, 15, 20):
            self.assertEqual(self.client.append(series, timestamp, 2.0), OUT_OF_ORDER)
        self.assertEqual(self.client.describe(series).order, REJECT)
        self.assertEqual(self.policy(series, STRICT), 0)
        self.assertEqual(self.client.append(series, 17, 1.0), OUT_OF_ORDER)
        for payload in (series, series + bytes(8), series + bytes(10),
                        series + struct.pack(">BQ", KEEP_SUM + 1, 0),
                        series + struct.pack(">BQ", 255, 0)):
            self.assertEqual(self.client.request(SET_POLICY, payload).status, INVALID_PAYLOAD)

    def test_what_is_too_old_is_not_read(self) -> None:
        """The age of a point is counted from the newest of all, where the clock is ahead of it."""
        series, hour = self.label(), 3600 * 10**9
        now = time.time_ns()
        self.assertEqual(self.client.create(series), 0)
        for age in (100, 50, 2, 0):
            self.assertEqual(self.client.append(series, now - age * hour, float(age)), 0)
        self.assertEqual(self.policy(series, STRICT, 10 * hour), 0)
        self.assertEqual(sorted(self.points(series).values()), [0.0, 2.0])
        self.assertEqual(self.work(COMPACT).status, 0)
        self.assertEqual(sorted(self.points(series).values()), [0.0, 2.0])


class Deleting(StoredCase):
    def test_ranges_go_wherever_they_lie(self) -> None:
        rng = random.Random(12)
        series = self.label()
        expected = {t: float(t) for t in range(10_000)}
        self.assertEqual(self.client.create(series), 0)
        for turn, first in enumerate(range(0, 10_000, 1000)):
            times = range(first, first + 1000)
            self.client.batch(series, times, [float(t) for t in times])
            if turn % 3 == 0:
                self.assertEqual(self.work(FLUSH_DATA).status, 0)
        for turn in range(20):
            low = rng.randint(-100, 10_000)
            high = low + rng.choice((0, 10, 900))
            self.assertEqual(self.delete(series, low, high), 0)
            expected = {t: v for t, v in expected.items() if not low <= t <= high}
            if turn % 7 == 3:
                self.assertEqual(self.work(COMPACT).status, 0)
            self.assertEqual(self.points(series), expected)
        self.assertEqual(self.client.describe(series).point_count, len(expected))
        self.assertEqual(self.delete(series, I64_MIN, I64_MAX), 0)
        self.assertEqual(self.points(series), {})
        self.assertEqual(self.client.append(series, 9_999, 1.0), OUT_OF_ORDER)
        self.assertEqual(self.client.append(series, 10_000, 1.0), 0)

    def test_refused(self) -> None:
        series = self.label()
        self.assertEqual(self.delete(series, 0, 1), SERIES_NOT_FOUND)
        self.assertEqual(self.client.create(series), 0)
        self.assertEqual(self.delete(series, 1, 0), INVALID_PAYLOAD)
        for size in (0, 47, 49):
            payload = (series + bytes(17))[:size]
            self.assertEqual(self.client.request(DELETE_RANGE, payload).status, INVALID_PAYLOAD)


class Work(StoredCase):
    def test_a_server_starts_on_a_snapshot(self) -> None:
        series = self.label()
        self.assertEqual(self.client.create(series), 0)
        times = range(5000)
        self.client.batch(series, times, [float(t) for t in times])
        self.assertEqual(self.work(SNAPSHOT, "copy.1").status, 0)
        self.assertEqual(self.delete(series, 0, 4000), 0)
        self.assertEqual(self.work(COMPACT).status, 0)
        copy = Server(data_dir=self.server.data_dir / "snapshots" / "copy.1")
        with copy:
            client = copy.connect()
            self.assertEqual(len(client.query_range(series)), 5000)
            client.close()
        self.assertEqual(len(self.points(series)), 999)

    def test_names_of_snapshots(self) -> None:
        longest = "n" * NAME_MAX
        self.assertEqual(self.work(SNAPSHOT, longest).status, 0)
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        there = self.work(SNAPSHOT, longest)
        self.assertEqual(there.status, INVALID_PAYLOAD)
        self.assertTrue(there.payload.endswith(b"there is a snapshot of that name already"), there)
        for name in (longest, "", ".", "a/b", "../up", ".a", "a b", "n" * (NAME_MAX + 1)):
            self.assertEqual(self.work(SNAPSHOT, name).status, INVALID_PAYLOAD, name)
        for payload in (b"\x01\xff", bytes([NAME_MAX + 1]) + b"n" * NAME_MAX):
            self.assertEqual(self.client.request(SNAPSHOT, payload).status, INVALID_PAYLOAD)
        for opcode in (FLUSH_DATA, COMPACT):
            self.assertEqual(self.client.request(opcode, b"x").status, INVALID_PAYLOAD)

    def test_cancel_ends_the_waiting(self) -> None:
        series = self.label()
        self.assertEqual(self.client.create(series), 0)
        for turn, opcode in enumerate((FLUSH_DATA, COMPACT, SNAPSHOT) * 3):
            times = range(turn * 50_000, (turn + 1) * 50_000)
            self.client.batch(series, times, [float(t % 1000) for t in times])
            payload = b"\x02c%d" % turn if opcode == SNAPSHOT else b""
            self.client.send(frame(opcode, payload))
            self.assertEqual(self.client.receive().flags, FLAG_MORE, "it takes its time")
            self.client.send(frame(CANCEL))
            self.assertIn(list(self.client.stream())[-1],
                          (Reply(ERR, 0, bytes([CANCELLED])), Reply(OK, 0, bytes(16))))
            self.assertEqual(self.client.receive(), Reply(OK, 0, b""))
        self.assertEqual(self.work(FLUSH_DATA).status, 0)
        self.assertEqual(len(self.points(series)), 450_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
