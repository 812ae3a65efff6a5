# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""What series mean, as the wire format says it: exact points, strict order, identity, durability.

Lenses are in lens_test.py, operations that negotiation offers in operations_test.py.
"""

from __future__ import annotations

import struct
import unittest

import tau_raw as raw
from tau_raw import I64_MAX, I64_MIN, OK, Reply, frame, label
from tau_server import Server, ServerCase

# Bit patterns that arithmetic, text or a careless comparison would change.
BIT_PATTERNS = (
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x800FFFFFFFFFFFFF,
    0x0010000000000000, 0x3FF0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000,
    0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001,
    0x7FF4000000000000, 0xFFF0DEADBEEF0001, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF,
    0x3FB999999999999A, 0x4059000000000000)


class Points(ServerCase):
    def created(self, connection: raw.Connection) -> bytes:
        series = self.label()
        self.assertEqual(connection.create(series), 0)
        return series

    def test_every_bit_pattern_comes_back(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        for timestamp, pattern in enumerate(BIT_PATTERNS):
            self.assertEqual(connection.append(series, timestamp, pattern), 0)
        for timestamp, pattern in enumerate(BIT_PATTERNS):
            self.assertEqual(connection.query(series, timestamp), struct.pack(">Q", pattern))

    def test_exact_match_only(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        for timestamp in range(-3000, 3000, 3):
            connection.send(raw.append_frame(series, timestamp, timestamp / 3))
        for _ in range(-3000, 3000, 3):
            self.assertEqual(connection.receive().opcode, OK)
        for timestamp in range(-3003, 3003):
            there = timestamp % 3 == 0 and -3000 <= timestamp < 3000
            expected = raw.bits(timestamp / 3) if there else None
            self.assertEqual(connection.query(series, timestamp), expected, timestamp)

    def test_uneven_timestamps(self) -> None:
        """Gaps that double and series of equal steps: a search by interpolation must not miss."""
        connection = self.connect()
        series = self.created(connection)
        timestamps = [I64_MIN] + [-(1 << e) for e in range(62, 0, -1)] + list(range(1500))
        timestamps += [1 << e for e in range(11, 63)] + [I64_MAX]
        connection.send(raw.join(raw.append_frame(series, t, n) for n, t in enumerate(timestamps)))
        self.assertTrue(all(r.opcode == OK for r in connection.receive_all(len(timestamps))))
        for n, timestamp in enumerate(timestamps):
            self.assertEqual(connection.query(series, timestamp), raw.bits(n))
            for near in (timestamp - 1, timestamp + 1):
                if I64_MIN <= near <= I64_MAX and near not in timestamps:
                    self.assertIsNone(connection.query(series, near))

    def test_found_and_not_found_on_the_wire(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        self.assertEqual(connection.append(series, 7, -0.0), 0)
        found = connection.request(raw.QUERY_POINT, series + struct.pack(">q", 7))
        self.assertEqual(found, Reply(OK, 0, b"\1\x80" + bytes(7)))
        self.assertEqual(connection.request(raw.QUERY_POINT, series + struct.pack(">q", 8)),
                         Reply(OK, 0, b"\0"))

    def test_strict_order(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        self.assertEqual(connection.append(series, 100, 1.0), 0)
        for timestamp in (100, 99, 0, -1, I64_MIN):
            self.assertEqual(connection.append(series, timestamp, 2.0), raw.OUT_OF_ORDER)
        self.assertEqual(connection.query(series, 100), raw.bits(1.0))
        self.assertIsNone(connection.query(series, 99))
        self.assertEqual(connection.append(series, 101, 3.0), 0)

    def test_strict_order_within_one_batch_of_frames(self) -> None:
        """The order holds inside what one read of the server takes together, and per series."""
        connection = self.connect()
        one, two = self.created(connection), self.created(connection)
        script = [(one, 5, 0), (two, 1, 0), (one, 5, raw.OUT_OF_ORDER), (one, 6, 0), (two, 2, 0),
                  (one, 4, raw.OUT_OF_ORDER), (two, 2, raw.OUT_OF_ORDER), (one, 7, 0), (two, 3, 0)]
        connection.send(raw.join(raw.append_frame(s, t, float(n))
                                 for n, (s, t, _) in enumerate(script)))
        self.assertEqual([r.status for r in connection.receive_all(len(script))],
                         [status for _, _, status in script])
        for n, (series, timestamp, status) in enumerate(script):
            if status == 0:
                self.assertEqual(connection.query(series, timestamp), raw.bits(float(n)))

    def test_whole_range_of_timestamps(self) -> None:
        connection = self.connect()
        series = self.created(connection)
        for timestamp in (I64_MIN, I64_MIN + 1, -1, 0, 1, I64_MAX - 1, I64_MAX):
            self.assertEqual(connection.append(series, timestamp, float(timestamp)), 0)
        for timestamp in (I64_MIN, -1, 0, I64_MAX):
            self.assertEqual(connection.append(series, timestamp, 0.0), raw.OUT_OF_ORDER)
            self.assertEqual(connection.query(series, timestamp), raw.bits(float(timestamp)))


class Series(ServerCase):
    def test_create_and_drop(self) -> None:
        connection = self.connect()
        series = self.label()
        self.assertEqual(connection.append(series, 1, 1.0), raw.SERIES_NOT_FOUND)
        self.assertEqual(connection.create(series), 0)
        self.assertEqual(connection.create(series), raw.SERIES_ALREADY_EXISTS)
        self.assertIsNone(connection.query(series, 0))
        self.assertEqual(connection.drop(series), 0)
        self.assertEqual(connection.drop(series), raw.SERIES_NOT_FOUND)
        self.assertEqual(connection.append(series, 1, 1.0), raw.SERIES_NOT_FOUND)

    def test_drop_and_create_begins_anew(self) -> None:
        connection = self.connect()
        series = self.label()
        for life in range(5):
            self.assertEqual(connection.create(series), 0)
            self.assertIsNone(connection.query(series, 1000 - life + 1))
            for timestamp in range(1000 - life, 3000):
                connection.send(raw.append_frame(series, timestamp, float(life)))
            self.assertTrue(all(r.opcode == OK for r in connection.receive_all(2000 + life)))
            self.assertEqual(connection.query(series, 2999), raw.bits(float(life)))
            self.assertEqual(connection.drop(series), 0)

    def test_pipelined_lives(self) -> None:
        """Create, append, drop, again and again in one send: each request sees those before it."""
        connection = self.connect()
        series = self.label()
        life = [frame(raw.CREATE_SERIES, series), raw.append_frame(series, 9, 9.0),
                raw.query_frame(series, 9), frame(raw.DROP_SERIES, series),
                raw.query_frame(series, 9)]
        connection.send(raw.join(life * 50))
        expected = [Reply(OK, 0, b""), Reply(OK, 0, b""), Reply(OK, 0, b"\1" + raw.bits(9.0)),
                    Reply(OK, 0, b""), Reply(raw.ERR, 0, bytes([raw.SERIES_NOT_FOUND]))]
        self.assertEqual(connection.receive_all(250), expected * 50)

    def test_labels_are_raw_bytes(self) -> None:
        """All-zero, all-ones, not UTF-8, differing only in the last byte or behind a zero."""
        connection = self.connect()
        labels = [bytes(32), b"\xff" * 32, b"\xc3\x28" * 16, bytes(31) + b"\1", b"a" + bytes(31),
                  b"a" * 32, b"a" * 31 + b"b", b"a\0b" + bytes(29), b"a\0c" + bytes(29)]
        for n, name in enumerate(labels):
            self.assertEqual(connection.create(name), 0, name)
            self.assertEqual(connection.append(name, n, float(n)), 0)
        for n, name in enumerate(labels):
            self.assertEqual(connection.query(name, n), raw.bits(float(n)))
            self.assertIsNone(connection.query(name, n + 1))
            self.assertEqual(connection.drop(name), 0)

    def test_other_connections_see_what_is_acknowledged(self) -> None:
        """Over more connections than workers, so that every worker is asked."""
        series = self.label()
        writer, readers = self.connect(), [self.connect() for _ in range(6)]
        self.assertEqual(writer.create(series), 0)
        for timestamp in range(200):
            self.assertEqual(writer.append(series, timestamp, float(timestamp)), 0)
            reader = readers[timestamp % len(readers)]
            self.assertEqual(reader.query(series, timestamp), raw.bits(float(timestamp)))


class Durability(unittest.TestCase):
    """What was acknowledged is there after an orderly end and after kill -9."""

    def test_everything_survives(self) -> None:
        with Server("--workers", "2") as server:
            self.fill(server)
            for step in ("stop", "kill", "kill"):
                server.stop() if step == "stop" else server.kill()
                server.start()
                with self.subTest(after=step):
                    self.check(server)

    def fill(self, server: Server) -> None:
        with server.connect() as connection:
            kept, dropped, again = label("kept"), label("dropped"), label("again")
            for name in (kept, dropped, again, bytes(32)):
                self.assertEqual(connection.create(name), 0)
                for n, pattern in enumerate(BIT_PATTERNS):
                    self.assertEqual(connection.append(name, n, pattern), 0)
            self.assertEqual(connection.drop(dropped), 0)
            self.assertEqual(connection.drop(again), 0)
            self.assertEqual(connection.create(again), 0)
            self.assertEqual(connection.append(again, -5, 0.25), 0)
            for lens, transform in (("k", "celsius_to_kelvin"), ("gone", "identity")):
                payload = label(lens) + kept + label(transform)
                self.assertEqual(connection.request(raw.CREATE_LENS, payload).status, 0)
            payload = label("kk") + label("k") * 2
            self.assertEqual(connection.request(raw.COMPOSE_LENS, payload).status, 0)
            self.assertEqual(connection.request(raw.DROP_LENS, label("gone")).status, 0)

    def check(self, server: Server) -> None:
        with server.connect() as connection:
            for name in (label("kept"), bytes(32)):
                for n, pattern in enumerate(BIT_PATTERNS):
                    self.assertEqual(connection.query(name, n), raw.bits(pattern))
                self.assertEqual(connection.append(name, 0, 1.0), raw.OUT_OF_ORDER)
                self.assertEqual(connection.create(name), raw.SERIES_ALREADY_EXISTS)
            self.assertEqual(connection.drop(label("dropped")), raw.SERIES_NOT_FOUND)
            self.assertEqual(connection.query(label("again"), -5), raw.bits(0.25))
            self.assertIsNone(connection.query(label("again"), 0))
            self.assertEqual(connection.append(label("again"), -5, 1.0), raw.OUT_OF_ORDER)
            lenses = connection.request(raw.LIST_LENSES).payload
            self.assertEqual(raw.parse_labels(lenses), [label("k"), label("kk")])
            self.assertEqual(connection.query(label("kk"), 5, raw.QUERY_LENS),
                             raw.bits(1.0 + 273.15 + 273.15))


if __name__ == "__main__":
    unittest.main(verbosity=2)
