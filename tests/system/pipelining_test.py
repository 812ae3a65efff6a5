# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""Many requests on the way at once: all are answered, in order, and none is lost."""

from __future__ import annotations

import struct
import threading
import unittest

import tau_raw as raw
from tau_raw import OK, PONG, Reply, frame
from tau_server import ServerCase

FRAMES = 10_000
EMPTY_OK = Reply(OK, 0, b"")


class Pipelining(ServerCase):
    def created(self, connection: raw.Connection) -> bytes:
        series = self.label()
        self.assertEqual(connection.create(series), 0)
        return series

    def test_ten_thousand_appends_before_the_first_read(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        connection.send(raw.join(raw.append_frame(series, t, t) for t in range(FRAMES)))
        self.assertEqual(connection.receive_all(FRAMES), [EMPTY_OK] * FRAMES)
        connection.negotiate()
        self.assertEqual(connection.query_range(series), [(t, t) for t in range(FRAMES)])

    def test_ten_thousand_queries_before_the_first_read(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        connection.batch(series, range(0, FRAMES, 2), range(0, FRAMES, 2))
        connection.send(raw.join(raw.query_frame(series, t) for t in range(FRAMES)))
        expected = [Reply(OK, 0, b"\0" if t % 2 else b"\1" + struct.pack(">Q", t))
                    for t in range(FRAMES)]
        self.assertEqual(connection.receive_all(FRAMES), expected)

    def test_ten_thousand_of_all_kinds(self) -> None:
        """Every request depends on those before it, whatever batches the server takes them in."""
        connection = self.connect()
        series, lens = self.label(), self.label()
        frames, expected = [], []

        def ask(request: bytes, *reply: object) -> None:
            frames.append(request)
            expected.append(Reply(*reply))  # type: ignore[arg-type]

        while len(frames) < FRAMES:
            ask(frame(raw.CREATE_SERIES, series), OK, 0, b"")
            ask(frame(raw.CREATE_LENS, lens + series + raw.label("meters_to_feet")), OK, 0, b"")
            for t in range(20):
                ask(raw.append_frame(series, t, float(t)), OK, 0, b"")
                ask(raw.append_frame(series, t, 0.0), raw.ERR, 0, bytes([raw.OUT_OF_ORDER]))
                ask(raw.query_frame(series, t), OK, 0, b"\1" + raw.bits(float(t)))
                ask(raw.query_frame(lens, t, raw.QUERY_LENS), OK, 0, b"\1" + raw.bits(t / 0.3048))
                ask(frame(raw.PING, bytes(t)), PONG, 0, b"")
            ask(frame(raw.DROP_SERIES, series), OK, 0, b"")
            ask(raw.query_frame(lens, 3, raw.QUERY_LENS), raw.ERR, 0, bytes([raw.SERIES_NOT_FOUND]))
            ask(frame(raw.DROP_LENS, lens), OK, 0, b"")
        connection.send(raw.join(frames))
        self.assertEqual(connection.receive_all(len(expected)), expected)

    def test_streams_between_other_requests(self) -> None:
        connection = self.connect()
        connection.negotiate()
        series = self.created(connection)
        self.assertEqual(connection.batch(series, range(20_000), range(20_000))[0], 20_000)
        turns = 200
        connection.send(raw.join(raw.range_frame(series, 0, turn * 100) + frame(raw.PING)
                                 for turn in range(turns)))
        for turn in range(turns):
            count = sum(len(raw.parse_columns(r.payload)) for r in connection.stream())
            self.assertEqual(count, turn * 100 + 1)
            self.assertEqual(connection.receive().opcode, PONG)

    def test_several_connections_at_once(self) -> None:
        """Eight writers of one series each and of one series in common."""
        first = self.connect()
        common, own = self.created(first), [self.created(first) for _ in range(8)]
        accepted = [0] * 8

        def write(number: int) -> None:
            with self.server.connect(timeout=60) as connection:
                for start in range(0, 2000, 100):
                    connection.send(raw.join(
                        raw.append_frame(own[number], t, t) + raw.append_frame(common, t, number)
                        for t in range(start, start + 100)))
                    for index, reply in enumerate(connection.receive_all(200)):
                        if index % 2 == 0 and reply != EMPTY_OK:
                            raise AssertionError(reply)
                        accepted[number] += index % 2 and reply == EMPTY_OK

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        first.negotiate()
        for series in own:
            self.assertEqual(first.query_range(series), [(t, t) for t in range(2000)])
        stored = first.query_range(common)
        self.assertEqual(len(stored), sum(accepted))
        for number in range(8):
            self.assertEqual(sum(1 for _, value in stored if value == number), accepted[number])
        self.assertEqual([t for t, _ in stored], sorted({t for t, _ in stored}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
