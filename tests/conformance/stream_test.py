# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""QUERY_RANGE as a stream of frames, and CANCEL, which acts when it is parsed."""

from __future__ import annotations

import struct
import unittest

import tau_raw as raw
from tau_raw import (BACKWARD, CANCEL, CANCELLED, ERR, FLAG_MORE, FORWARD, I64_MAX, I64_MIN,
                     INVALID_PAYLOAD, OK, PING, PONG, QUERY_RANGE, Reply, frame)
from tau_server import ServerCase

POINTS_PER_FRAME = 4_095


class StreamCase(ServerCase):
    def setUp(self) -> None:
        self.client = self.connect()
        self.client.negotiate()

    def filled(self, count: int, step: int = 1) -> bytes:
        """A series with points at 0, step, ..., whose values are their numbers as bits."""
        series = self.label()
        self.assertEqual(self.client.create(series), 0)
        for start in range(0, count, 100_000):
            numbers = range(start, min(count, start + 100_000))
            accepted, _ = self.client.batch(series, [n * step for n in numbers], numbers)
            self.assertEqual(accepted, len(numbers))
        return series


class Ranges(StreamCase):
    def test_whole_series_in_frames(self) -> None:
        for count in (0, 1, 1023, 1024, 1025, POINTS_PER_FRAME, POINTS_PER_FRAME + 1, 50_000):
            with self.subTest(count=count):
                series = self.filled(count)
                self.client.send(raw.range_frame(series))
                replies = list(self.client.stream())
                self.assertTrue(all(len(r.payload) <= 65_526 for r in replies))
                self.assertEqual(replies[-1].flags, 0)
                points = [p for r in replies for p in raw.parse_columns(r.payload)]
                self.assertEqual(points, [(n, n) for n in range(count)])

    def test_bounds_are_inclusive(self) -> None:
        series = self.filled(3000, step=10)
        for first, last in ((0, 0), (10, 20), (11, 19), (-5, 5), (29_990, I64_MAX),
                            (29_991, I64_MAX), (I64_MIN, -1), (I64_MIN, 0), (10_235, 10_245),
                            (10_230, 20_480)):
            expected = [(n * 10, n) for n in range(3000) if first <= n * 10 <= last]
            self.assertEqual(self.client.query_range(series, first, last), expected, (first, last))
            self.assertEqual(self.client.query_range(series, first, last, direction=BACKWARD),
                             expected[::-1])

    def test_backwards_bounds_hold_nothing(self) -> None:
        series = self.filled(10)
        for direction in (FORWARD, BACKWARD):
            self.assertEqual(self.client.query_range(series, 5, 4, direction=direction), [])
            self.assertEqual(self.client.query_range(series, I64_MAX, I64_MIN), [])

    def test_limit(self) -> None:
        series = self.filled(10_000)
        whole = [(n, n) for n in range(10_000)]
        for limit in (1, 2, POINTS_PER_FRAME, POINTS_PER_FRAME + 1, 9_999, 10_000, 10_001,
                      2**64 - 1):
            self.assertEqual(self.client.query_range(series, limit=limit), whole[:limit])
            self.assertEqual(self.client.query_range(series, limit=limit, direction=BACKWARD),
                             whole[::-1][:limit])
        self.assertEqual(self.client.query_range(series, 100, 200, limit=3), whole[100:103])
        self.assertEqual(self.client.query_range(series, 100, 200, 3, BACKWARD),
                         [(200, 200), (199, 199), (198, 198)])

    def test_extreme_timestamps(self) -> None:
        series = self.filled(0)
        for timestamp in (I64_MIN, 0, I64_MAX):
            self.assertEqual(self.client.append(series, timestamp, 1), 0)
        self.assertEqual(self.client.query_range(series), [(I64_MIN, 1), (0, 1), (I64_MAX, 1)])
        self.assertEqual(self.client.query_range(series, I64_MAX, I64_MAX), [(I64_MAX, 1)])
        self.assertEqual(self.client.query_range(series, I64_MIN, I64_MIN, 0, BACKWARD),
                         [(I64_MIN, 1)])

    def test_refused(self) -> None:
        series = self.filled(3)
        missing = self.client.request(QUERY_RANGE, raw.range_frame(self.label())[10:])
        self.assertEqual(missing, Reply(ERR, 0, bytes([raw.SERIES_NOT_FOUND])))
        good = raw.range_frame(series)[10:]
        for payload in (*(good[:size] for size in range(len(good))), good + b"\0",
                        good[:-1] + b"\2", good[:-1] + b"\xff"):
            self.assertEqual(self.client.request(QUERY_RANGE, payload).status, INVALID_PAYLOAD)
        self.assertEqual(self.client.query_range(series), [(0, 0), (1, 1), (2, 2)])

    def test_shows_the_series_as_it_was_when_it_began(self) -> None:
        """Requests behind a stream change the series; the stream does not show it."""
        count = 200_000
        series = self.filled(count)
        self.client.send(raw.range_frame(series) + raw.append_frame(series, count, count)
                         + raw.range_frame(series, count - 1) + frame(raw.DROP_SERIES, series)
                         + frame(raw.CREATE_SERIES, series) + raw.range_frame(series))
        self.assertEqual(self.take(), [(n, n) for n in range(count)])
        self.assertEqual(self.client.receive().opcode, OK)
        self.assertEqual(self.take(), [(count - 1, count - 1), (count, count)])
        self.assertEqual(self.client.receive_all(2), [Reply(OK, 0, b"")] * 2)
        self.assertEqual(self.take(), [])

    def test_survives_a_drop_by_another(self) -> None:
        """A stream that stands still is finished from its snapshot, drop or not."""
        count = 600_000
        series = self.filled(count)
        slow = self.server.connect(receive_buffer=8192)
        self.addCleanup(slow.close)
        slow.send(raw.range_frame(series))
        first = slow.receive()
        self.assertEqual(first.flags, FLAG_MORE)
        self.assertEqual(self.client.drop(series), 0)
        self.assertEqual(self.client.create(series), 0)
        self.assertEqual(self.client.append(series, 1, 77), 0)
        points = raw.parse_columns(first.payload)
        for reply in slow.stream():
            points += raw.parse_columns(reply.payload)
        self.assertEqual(points, [(n, n) for n in range(count)])
        self.assertEqual(self.client.query_range(series), [(1, 77)])

    def take(self) -> list[tuple[int, int]]:
        points: list[tuple[int, int]] = []
        for reply in self.client.stream():
            self.assertEqual(reply.opcode, OK)
            points += raw.parse_columns(reply.payload)
        return points


class Cancelling(StreamCase):
    def test_nothing_to_cancel(self) -> None:
        for _ in range(3):
            self.assertEqual(self.client.request(CANCEL), Reply(OK, 0, b""))
        self.assertEqual(self.client.request(PING).opcode, PONG)

    def test_refused(self) -> None:
        self.assertEqual(self.client.request(CANCEL, b"x").status, INVALID_PAYLOAD)
        self.assertEqual(self.client.request(CANCEL, b"", 1).status, raw.BAD_FLAGS)
        other = self.open()
        self.assertEqual(other.request(CANCEL).status, raw.NOT_AUTHENTICATED)

    def test_reads_end_and_writes_finish(self) -> None:
        """CANCEL of a client that reads nothing arrives, although the streams fill every buffer."""
        series = self.filled(800_000)
        slow = self.server.connect(receive_buffer=8192)
        self.addCleanup(slow.close)
        slow.negotiate()
        written = 800_000
        slow.send(raw.range_frame(series) * 3)
        self.assertEqual(slow.receive().flags, FLAG_MORE)
        slow.send(raw.append_frame(series, written, 5) + raw.range_frame(series)
                  + frame(CANCEL) + frame(PING))
        ends = [list(slow.stream())[-1] for _ in range(3)]
        for end in ends:
            self.assertEqual(end, Reply(ERR, 0, bytes([CANCELLED])))
        self.assertEqual(slow.receive(), Reply(OK, 0, b""), "the write finishes")
        self.assertEqual(list(slow.stream())[-1], Reply(ERR, 0, bytes([CANCELLED])))
        self.assertEqual(slow.receive(), Reply(OK, 0, b""), "CANCEL itself")
        self.assertEqual(slow.receive(), Reply(PONG, 0, b""))
        self.assertEqual(self.client.query(series, written), raw.bits(5))

    def test_only_what_stands_before_it(self) -> None:
        series = self.filled(5000)
        self.client.send(frame(CANCEL) + raw.range_frame(series))
        self.assertEqual(self.client.receive(), Reply(OK, 0, b""))
        count = sum(len(raw.parse_columns(r.payload)) for r in self.client.stream())
        self.assertEqual(count, 5000)

    def test_only_this_connection(self) -> None:
        series = self.filled(400_000)
        slow = self.server.connect(receive_buffer=8192)
        self.addCleanup(slow.close)
        slow.send(raw.range_frame(series))
        first = slow.receive()
        self.assertEqual(self.client.request(CANCEL).opcode, OK)
        rest = list(slow.stream())
        self.assertEqual(sum(len(raw.parse_columns(r.payload)) for r in [first, *rest]), 400_000)

    def test_again_and_again(self) -> None:
        """Streams that are cancelled after their first frame leave the connection in step."""
        series = self.filled(300_000)
        for turn in range(30):
            self.client.send(raw.range_frame(series, direction=turn % 2) + frame(CANCEL))
            last = list(self.client.stream())[-1]
            self.assertIn(last.status, (0, CANCELLED))
            self.assertEqual(self.client.receive(), Reply(OK, 0, b""))
        self.assertEqual(self.client.query(series, 299_999), struct.pack(">Q", 299_999))


if __name__ == "__main__":
    unittest.main(verbosity=2)
