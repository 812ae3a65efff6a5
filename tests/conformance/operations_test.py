# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""The operations that stand beside version 1: layouts, meanings and limits, byte by byte.

NEGOTIATE, SPECIFICATION, LIST_SERIES, DESCRIBE_SERIES, BATCH_APPEND, MULTI_APPEND and QUERY_LATEST
are here; streams and CANCEL are in stream_test.py.
"""

from __future__ import annotations

import json
import os
import struct
import unittest
from pathlib import Path

import tau_raw as raw
from tau_raw import (BATCH_APPEND, INVALID_PAYLOAD, LIST_SERIES, MULTI_APPEND, NEGOTIATE, OK,
                     OUT_OF_ORDER, PING, PONG, SERIES_NOT_FOUND, frame, label)
from tau_server import Server, ServerCase

BATCH_LIMIT = 262_141
MULTI_LIMIT = 87_381
PAGE_LIMIT = 2_000
ANNOUNCED_LIMITS = {1: 4_194_304, 2: 32, 3: 65_536, 4: 3, 5: 10_000, 6: 1_000, 7: 16, 8: 131_072,
                    9: PAGE_LIMIT, 10: BATCH_LIMIT, 11: MULTI_LIMIT, 12: 4_095, 13: 512, 14: 64}
OFFERED = {raw.CONNECT, raw.DISCONNECT, raw.PING, raw.NEGOTIATE, raw.CANCEL, raw.SPECIFICATION,
           raw.CREATE_SERIES, raw.DROP_SERIES, raw.LIST_SERIES, raw.DESCRIBE_SERIES, raw.APPEND,
           raw.BATCH_APPEND, raw.MULTI_APPEND, raw.QUERY_POINT, raw.QUERY_RANGE, raw.QUERY_LATEST,
           raw.CREATE_LENS, raw.DROP_LENS, raw.QUERY_LENS, raw.COMPOSE_LENS, raw.LIST_LENSES}


PUBLISHED = Path(os.environ["TAU_SOURCE_DIR"]) / "protocol" / "published" / "specification.json"


class OperationCase(ServerCase):
    def setUp(self) -> None:
        self.client = self.connect()
        self.server_says = self.client.negotiate()

    def created(self) -> bytes:
        series = self.label()
        self.assertEqual(self.client.create(series), 0)
        return series

    def expect_status(self, status: int, opcode: int, payload: bytes) -> None:
        reply = self.client.request(opcode, payload)
        self.assertEqual((reply.opcode, reply.payload), (raw.ERR, bytes([status])), payload.hex())
        self.assertEqual(self.client.request(PING).opcode, PONG)


class Negotiation(OperationCase):
    def test_what_the_server_says(self) -> None:
        says = self.server_says
        self.assertEqual(says.features, 0)
        self.assertTrue(says.name.startswith(b"taud"), says.name)
        self.assertEqual({n: says.limits.get(n) for n in ANNOUNCED_LIMITS}, ANNOUNCED_LIMITS)
        self.assertEqual(set(says.operations) & OFFERED, OFFERED)
        prints = [says.specification, *says.operations.values()]
        self.assertNotIn(0, prints)
        self.assertEqual(len(set(prints)), len(prints), "two layouts with one fingerprint")

    def test_it_may_be_asked_again(self) -> None:
        self.assertEqual(self.client.negotiate(), self.server_says)

    def test_before_connect(self) -> None:
        connection = self.open()
        reply = connection.request(NEGOTIATE, raw.negotiate_payload())
        self.assertEqual(reply.status, raw.NOT_AUTHENTICATED)
        self.assertEqual(connection.wait_for_end(2), b"")

    def test_unknown_features_are_not_granted(self) -> None:
        self.assertEqual(self.client.negotiate(2**64 - 1).features, raw.FEATURE_DETAILED_ERRORS)

    def test_unknown_operations_are_no_fault(self) -> None:
        payload = raw.negotiate_payload(operations=[(0xEE, 1), (0x7A, 2)])
        self.assertEqual(self.client.request(NEGOTIATE, payload).opcode, OK)

    def test_equal_fingerprints(self) -> None:
        payload = raw.negotiate_payload(operations=list(self.server_says.operations.items()))
        self.assertEqual(self.client.request(NEGOTIATE, payload).opcode, OK)
        self.assertEqual(self.client.create(self.label()), 0)

    def test_other_fingerprint(self) -> None:
        """An operation with another layout is refused; the others are served."""
        series = self.created()
        listed = dict(self.server_says.operations)
        listed[raw.QUERY_POINT] ^= 1
        payload = raw.negotiate_payload(operations=list(listed.items()))
        self.assertEqual(self.client.request(NEGOTIATE, payload).opcode, OK)
        self.assertEqual(self.client.append(series, 1, 1.0), 0)
        reply = self.client.request(raw.QUERY_POINT, series + bytes(8))
        self.assertEqual(reply, raw.Reply(raw.ERR, 0, b"\x18"))
        self.assertEqual(self.client.request(PING).opcode, PONG)

    def test_other_fingerprint_is_told_by_name(self) -> None:
        listed = dict(self.server_says.operations)
        listed[raw.QUERY_LATEST] ^= 1
        payload = raw.negotiate_payload(raw.FEATURE_DETAILED_ERRORS,
                                        operations=list(listed.items()))
        self.assertEqual(self.client.request(NEGOTIATE, payload).opcode, OK)
        reply = self.client.request(raw.QUERY_LATEST, self.label())
        self.check_detailed(reply, 0x18)
        self.assertEqual(reply.payload[9:], b"client and server were compiled with different "
                         b"layouts of QUERY_LATEST")

    def test_names_at_the_limit(self) -> None:
        self.client.negotiate(name=b"")
        self.client.negotiate(name=b"n" * 64)
        self.client.negotiate(name="Größe".encode())
        self.expect_status(INVALID_PAYLOAD, NEGOTIATE, raw.negotiate_payload(name=b"n" * 65))
        self.expect_status(INVALID_PAYLOAD, NEGOTIATE, raw.negotiate_payload(name=b"\xff\xfe"))

    def test_cut_anywhere(self) -> None:
        whole = raw.negotiate_payload(1, b"name", [(raw.PING, 5), (raw.APPEND, 6)])
        for size in range(len(whole)):
            self.expect_status(INVALID_PAYLOAD, NEGOTIATE, whole[:size])

    def test_detailed_errors(self) -> None:
        """From NEGOTIATE on each ERR says field, offset and text; requests before it are not it."""
        series = self.label()
        connection = self.connect()
        request = raw.query_frame(series, 0)
        features = raw.negotiate_payload(raw.FEATURE_DETAILED_ERRORS)
        connection.send(request + frame(NEGOTIATE, features) + request + frame(raw.APPEND, b"x")
                        + frame(PING, b"", 4))
        self.assertEqual(connection.receive().payload, bytes([SERIES_NOT_FOUND]))
        self.assertEqual(raw.parse_negotiated(connection.receive().payload).features, 1)
        for status in (SERIES_NOT_FOUND, INVALID_PAYLOAD, raw.BAD_FLAGS):
            self.check_detailed(connection.receive(), status)

    def check_detailed(self, reply: raw.Reply, status: int) -> None:
        self.assertEqual(reply.opcode, raw.ERR)
        code, field, _, size = struct.unpack_from(">BHIH", reply.payload)
        self.assertEqual(code, status)
        self.assertEqual(len(reply.payload), 9 + size)
        self.assertLessEqual(size, 512)
        self.assertTrue(field == raw.FIELD_NONE or field < 16)
        self.assertGreater(len(reply.payload[9:].decode("utf-8")), 0)

    def test_detailed_errors_end_with_a_negotiation_without(self) -> None:
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        self.assertGreater(len(self.client.request(raw.DROP_SERIES, self.label()).payload), 9)
        self.client.negotiate(0)
        self.expect_status(SERIES_NOT_FOUND, raw.DROP_SERIES, self.label())


class Document(OperationCase):
    def test_it_is_what_is_published(self) -> None:
        reply = self.client.request(raw.SPECIFICATION)
        self.assertEqual(reply.opcode, OK)
        published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
        text = json.dumps(published, ensure_ascii=False, separators=(",", ":"))
        self.assertEqual(reply.payload.decode("utf-8"), text)

    def test_its_fingerprints_are_those_of_negotiation(self) -> None:
        document = json.loads(self.client.request(raw.SPECIFICATION).payload)
        told = {o["code"]: int(o["fingerprint"], 16)
                for service in document["services"] for o in service["operations"]}
        self.assertEqual(told, self.server_says.operations)
        self.assertEqual(int(document["fingerprint"], 16), self.server_says.specification)

    def test_refused(self) -> None:
        self.expect_status(INVALID_PAYLOAD, raw.SPECIFICATION, b"x")


class Listing(unittest.TestCase):
    """On a server of its own, since it lists what is there."""

    def setUp(self) -> None:
        self.server = Server("--workers", "2").start()
        self.addCleanup(lambda: self.server.__exit__(None))
        self.client = self.server.connect()
        self.addCleanup(self.client.close)
        self.client.negotiate()

    def create(self, names: list[bytes]) -> None:
        self.client.send(raw.join(frame(raw.CREATE_SERIES, name) for name in names))
        self.assertTrue(all(r.opcode == OK for r in self.client.receive_all(len(names))))

    def pages(self, prefix: bytes = b"", limit: int = 100) -> list[bytes]:
        found: list[bytes] = []
        cursor = None
        while True:
            more, labels = self.client.list_series(prefix, cursor, limit)
            self.assertLessEqual(len(labels), limit)
            found += labels
            if not more:
                return found
            self.assertEqual(len(labels), limit, "a page that is not full, and more behind it")
            cursor = labels[-1]

    def test_nothing(self) -> None:
        self.assertEqual(self.client.list_series(), (False, []))
        self.assertEqual(self.client.list_series(b"x", bytes(32)), (False, []))

    def test_pages_in_ascending_order(self) -> None:
        names = [label(f"s{n * 7919 % 5003}") for n in range(5003)] + [bytes(32), b"\xff" * 32]
        self.create(names)
        for limit in (PAGE_LIMIT, 1999, 100):
            self.assertEqual(self.pages(limit=limit), sorted(names))
        self.assertEqual(self.client.list_series(limit=1), (True, [bytes(32)]))

    def test_prefixes(self) -> None:
        names = [label(t) for t in (b"cpu", b"cpu.", b"cpu.0", b"cpu.1", b"cpv", b"cp", b"mem",
                                    b"\xff\xff")]
        self.create(names)
        for prefix in (b"", b"cpu", b"cpu.", b"cp", b"m", b"x", b"\xff", b"\xff\xff\xff",
                       label("cpu.0"), label("cpu.0")[:31], b"cpu\0"):
            expected = sorted(n for n in names if n.startswith(prefix))
            for limit in (1, 2, 100):
                self.assertEqual(self.pages(prefix, limit), expected, prefix)

    def test_cursor_is_exclusive_and_need_not_exist(self) -> None:
        names = [label(f"n{n:02}") for n in range(20)]
        self.create(names)
        self.assertEqual(self.client.list_series(b"", names[4])[1], names[5:])
        self.assertEqual(self.client.list_series(b"", label("n04+"))[1], names[5:])
        self.assertEqual(self.client.list_series(b"", b"\xff" * 32)[1], [])
        self.assertEqual(self.client.list_series(b"n1", names[3])[1], names[10:])
        self.assertEqual(self.client.list_series(b"n0", names[12])[1], [])

    def test_series_come_and_go(self) -> None:
        """One that exists throughout is listed once, whatever happens to the others."""
        stay = [label(f"b{n:03}") for n in range(200)]
        self.create(stay)
        other = self.server.connect()
        self.addCleanup(other.close)
        seen: list[bytes] = []
        cursor, more, turn = None, True, 0
        while more:
            more, labels = self.client.list_series(b"", cursor, 7)
            seen += labels
            cursor = labels[-1] if labels else cursor
            for name in (label(f"a{turn}"), label(f"c{turn}"), label(f"b{turn * 7:03}x")):
                self.assertEqual(other.create(name), 0)
                if turn % 2:
                    self.assertEqual(other.drop(name), 0)
            turn += 1
            self.assertLess(turn, 100, "the list does not end")
        self.assertEqual([name for name in seen if name in set(stay)], stay)
        self.assertEqual(seen, sorted(set(seen)))

    def test_bad_requests(self) -> None:
        good = raw.list_payload(b"ab", bytes(32), 10)
        for payload in (*(good[:size] for size in range(len(good))), good + b"\0",
                        raw.list_payload(b"p" * 33), raw.list_payload(limit=0),
                        b"\0\0\2" + good[-4:]):
            self.assertEqual(self.client.request(LIST_SERIES, payload).status, INVALID_PAYLOAD,
                             payload.hex())
        over = self.client.request(LIST_SERIES, raw.list_payload(limit=PAGE_LIMIT + 1))
        self.assertIn(over.status, (INVALID_PAYLOAD, raw.LIMIT_EXCEEDED))
        self.assertEqual(self.client.list_series(b"p" * 32, None, PAGE_LIMIT), (False, []))


class Description(OperationCase):
    def test_life_of_a_series(self) -> None:
        series = self.created()
        empty = self.client.describe(series)
        self.assertEqual((empty.order, empty.point_count), (0, 0))
        self.assertEqual((empty.first_timestamp, empty.last_timestamp), (0, 0))
        for timestamp in range(-5, 3000):
            self.client.send(raw.append_frame(series, timestamp, 1.0))
        self.client.receive_all(3005)
        full = self.client.describe(series)
        self.assertEqual(full.identity, empty.identity)
        self.assertEqual((full.point_count, full.first_timestamp, full.last_timestamp),
                         (3005, -5, 2999))
        self.assertGreater(full.memory_bytes, empty.memory_bytes)

    def test_identity_is_never_used_again(self) -> None:
        series, seen = self.label(), set()
        for _ in range(20):
            self.assertEqual(self.client.create(series), 0)
            seen.add(self.client.describe(series).identity)
            self.assertEqual(self.client.drop(series), 0)
        self.assertEqual(len(seen), 20)

    def test_refused(self) -> None:
        self.expect_status(SERIES_NOT_FOUND, raw.DESCRIBE_SERIES, self.label())
        self.expect_status(INVALID_PAYLOAD, raw.DESCRIBE_SERIES, self.label()[:31])


class BatchAppend(OperationCase):
    def test_all_accepted(self) -> None:
        series = self.created()
        self.assertEqual(self.client.batch(series, range(-500, 500), range(1000)), (1000, []))
        self.assertEqual(self.client.query_range(series), list(zip(range(-500, 500), range(1000))))

    def test_nothing(self) -> None:
        series = self.created()
        self.assertEqual(self.client.batch(series, [], []), (0, []))
        self.expect_status(SERIES_NOT_FOUND, BATCH_APPEND, raw.batch_payload(self.label(), [], []))

    def test_each_row_is_judged_by_itself(self) -> None:
        series = self.created()
        self.assertEqual(self.client.append(series, 10, 10), 0)
        timestamps = [9, 10, 11, 11, 5, 20, 19, 20, 21, -(2**63), 2**63 - 1, 2**63 - 1]
        accepted, refused = self.client.batch(series, timestamps, range(len(timestamps)))
        self.assertEqual(refused, [(row, OUT_OF_ORDER) for row in (0, 1, 3, 4, 6, 7, 9, 11)])
        self.assertEqual(accepted, 4)
        self.assertEqual(self.client.query_range(series),
                         [(10, 10), (11, 2), (20, 5), (21, 8), (2**63 - 1, 10)])

    def test_all_refused(self) -> None:
        series = self.created()
        self.assertEqual(self.client.append(series, 100, 1.0), 0)
        accepted, refused = self.client.batch(series, range(101), [0.0] * 101)
        self.assertEqual((accepted, len(refused)), (0, 101))
        self.assertEqual(self.client.describe(series).point_count, 1)

    def test_largest(self) -> None:
        series = self.created()
        timestamps = list(range(0, BATCH_LIMIT * 3, 3))
        self.assertEqual(self.client.batch(series, timestamps, range(BATCH_LIMIT)),
                         (BATCH_LIMIT, []))
        self.assertEqual(self.client.describe(series).point_count, BATCH_LIMIT)
        for n in (0, 1, 1023, 1024, 131072, BATCH_LIMIT - 1):
            self.assertEqual(self.client.query(series, n * 3), raw.bits(n))
            self.assertIsNone(self.client.query(series, n * 3 + 1))
        accepted, refused = self.client.batch(series, timestamps, range(BATCH_LIMIT))
        self.assertEqual((accepted, len(refused)), (0, BATCH_LIMIT))
        self.assertEqual(refused[-1], (BATCH_LIMIT - 1, OUT_OF_ORDER))

    def test_one_more_than_the_largest(self) -> None:
        connection = self.connect()
        payload = raw.batch_payload(self.created(), range(BATCH_LIMIT + 1), range(BATCH_LIMIT + 1))
        connection.send(raw.header(BATCH_APPEND, len(payload)))
        self.assertEqual(connection.receive().status, raw.PAYLOAD_TOO_LARGE)

    def test_counts_that_lie(self) -> None:
        series = self.created()
        good = raw.batch_payload(series, [1, 2, 3], [1.0, 2.0, 3.0])
        for count in (0, 2, 4, BATCH_LIMIT, BATCH_LIMIT + 1, 1 << 28, (1 << 28) + 3, 2**32 - 1):
            lie = good[:32] + struct.pack(">I", count) + good[36:]
            self.expect_status(INVALID_PAYLOAD, BATCH_APPEND, lie)
        for size in range(len(good)):
            self.expect_status(INVALID_PAYLOAD, BATCH_APPEND, good[:size])
        self.expect_status(INVALID_PAYLOAD, BATCH_APPEND, good + b"\0")
        self.assertEqual(self.client.describe(series).point_count, 0)

    def test_bits(self) -> None:
        series = self.created()
        patterns = [0x7FF0000000000001, 0xFFF8000000000123, 1 << 63, 2**64 - 1, 0, 1] * 300
        self.assertEqual(self.client.batch(series, range(1800), patterns), (1800, []))
        self.assertEqual(self.client.query_range(series), list(enumerate(patterns)))


class MultiAppend(OperationCase):
    def multi(self, rows: list[tuple[bytes, int, int]]) -> tuple[int, list[tuple[int, int]]]:
        reply = self.client.request(MULTI_APPEND, raw.multi_payload(rows))
        self.assertEqual(reply.opcode, OK)
        return raw.parse_refused(reply.payload)

    def test_many_series(self) -> None:
        series = [self.created() for _ in range(50)]
        rows = [(series[n % 50], n // 50, n) for n in range(5000)]
        self.assertEqual(self.multi(rows), (5000, []))
        for n, name in enumerate(series):
            self.assertEqual(self.client.query_range(name),
                             [(t, t * 50 + n) for t in range(100)])

    def test_each_row_is_judged_by_itself(self) -> None:
        one, two, missing = self.created(), self.created(), self.label()
        rows = [(one, 5, 0), (missing, 1, 1), (two, 5, 2), (one, 5, 3), (one, 6, 4), (two, 4, 5),
                (missing, 9, 6), (two, 7, 7)]
        self.assertEqual(self.multi(rows), (4, [(1, SERIES_NOT_FOUND), (3, OUT_OF_ORDER),
                                                (5, OUT_OF_ORDER), (6, SERIES_NOT_FOUND)]))
        self.assertEqual(self.client.query_range(one), [(5, 0), (6, 4)])
        self.assertEqual(self.client.query_range(two), [(5, 2), (7, 7)])

    def test_largest_and_nothing(self) -> None:
        self.assertEqual(self.multi([]), (0, []))
        series = [self.created() for _ in range(3)]
        rows = [(series[n % 3], n, n) for n in range(MULTI_LIMIT)]
        self.assertEqual(self.multi(rows), (MULTI_LIMIT, []))
        self.assertEqual(sum(self.client.describe(s).point_count for s in series), MULTI_LIMIT)
        self.assertEqual(self.multi(rows), (0, [(n, OUT_OF_ORDER) for n in range(MULTI_LIMIT)]))

    def test_counts_that_lie(self) -> None:
        series = self.created()
        good = raw.multi_payload([(series, 1, 1.0), (series, 2, 2.0)])
        for count in (0, 1, 3, MULTI_LIMIT, MULTI_LIMIT + 1, 2**32 - 1, 2**28):
            self.expect_status(INVALID_PAYLOAD, MULTI_APPEND, struct.pack(">I", count) + good[4:])
        for size in range(len(good)):
            self.expect_status(INVALID_PAYLOAD, MULTI_APPEND, good[:size])
        self.expect_status(INVALID_PAYLOAD, MULTI_APPEND, good + b"\0")
        self.assertEqual(self.client.describe(series).point_count, 0)


class Latest(OperationCase):
    def test_latest(self) -> None:
        series = self.created()
        self.assertEqual(self.client.request(raw.QUERY_LATEST, series).payload, b"\0")
        for timestamp in (-7, 0, 2**62):
            self.assertEqual(self.client.append(series, timestamp, 1.5), 0)
            self.assertEqual(self.client.request(raw.QUERY_LATEST, series).payload,
                             b"\1" + struct.pack(">q", timestamp) + raw.bits(1.5))
        self.assertEqual(self.client.append(series, 5, 9.0), OUT_OF_ORDER)
        self.assertEqual(self.client.request(raw.QUERY_LATEST, series).payload[1:9],
                         struct.pack(">q", 2**62))

    def test_refused(self) -> None:
        self.expect_status(SERIES_NOT_FOUND, raw.QUERY_LATEST, self.label())
        self.expect_status(INVALID_PAYLOAD, raw.QUERY_LATEST, bytes(33))


if __name__ == "__main__":
    unittest.main(verbosity=2)
