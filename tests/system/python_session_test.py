# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The Python client's protocol without any I/O: replies cut at every byte, what the server must not
send, and what becomes of requests when a connection ends."""

from __future__ import annotations

import json
import random
import unittest
from typing import Any

import python_package
import tau
from tau import tables
from tau.codec import Header, Type, encode, write_header
from tau.session import Phase, Request, Session

CERTIFICATE = bytes(range(32))
OPERATIONS = list(tables.OPERATIONS.values())
APPEND = {"label": "a", "timestamp": 1, "value": 1.0}
POINT = {"label": "a", "timestamp": 1}
RANGE = {"label": "a", "from": 0, "to": 9, "limit": 0, "direction": 0}


def frame(opcode: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return write_header(tables.HEADER, Header(opcode, flags, len(payload))) + payload


def ok(payload: bytes = b"", more: bool = False) -> bytes:
    return frame(tables.REPLY_OK, payload, tables.FLAG_MORE if more else 0)


def err(status: int, text: str = "") -> bytes:
    if not text:
        return frame(tables.REPLY_ERR, bytes([status]))
    values = {"status": status, "field": 0xFFFF, "offset": 0, "text": text}
    return frame(tables.REPLY_ERR, encode(tables.ERR, values))


def offer(but: int = 0, changed: int = 0, limits: Any = ()) -> bytes:
    """An answer to NEGOTIATE: without one opcode, and with another layout of one."""
    rows = [(o.code, o.fingerprint ^ (o.code == changed)) for o in OPERATIONS if o.code != but]
    values = {"features": 1, "specification": 2, "server_name": "old", "limits": list(limits),
              "operations": rows}  # fmt: skip
    return ok(encode(tables.NEGOTIATE_RESPONSE, values))


def points(count: int, more: bool) -> bytes:
    values = {"timestamps": range(count), "values": range(count)}
    return ok(encode(tables.QUERY_RANGE_RESPONSE, values), more)


def opened(answer: bytes = b"", most: int = 8) -> Session:
    """A session that is ready and has sent all."""
    session = Session(CERTIFICATE, "test", True, most)
    session.sent(session.waiting)
    session.receive(ok() + (answer or offer()))
    assert session.phase is Phase.READY, session.error
    return session


def sent(session: Session, operation: tables.Operation, values: dict[str, Any]) -> Request:
    request = session.request(operation, values)
    session.sent(session.waiting)
    return request


class Greeting(unittest.TestCase):
    """How a connection begins."""

    def test_what_is_sent(self) -> None:
        session = Session(CERTIFICATE, "test", True, 8)
        self.assertTrue(session.output().startswith(frame(0x01, CERTIFICATE) + b"TAU\x01\x05\0"))
        self.assertEqual(Session(CERTIFICATE, "", False, 8).output(), frame(0x01, CERTIFICATE))

    def test_every_split(self) -> None:
        greeting = ok() + offer(limits=[(9, 77)])
        for split in range(len(greeting)):
            session = Session(CERTIFICATE, "test", True, 8)
            session.sent(session.waiting)
            session.receive(greeting[:split])
            self.assertNotEqual(session.phase, Phase.READY)
            session.receive(greeting[split:])
            self.assertIs(session.phase, Phase.READY)
        self.assertEqual(session.server.limit(tau.Limit.LIST_PAGE), 77)
        self.assertEqual(session.server.limit(tau.Limit.BATCH_POINTS), 262141)
        self.assertEqual((session.server.name, session.server.specification), ("old", 2))

    def test_refused(self) -> None:
        for status, kind in ((tau.Status.AUTH_FAILED, tau.AuthFailed),
                             (tau.Status.TOO_MANY_CONNECTIONS, tau.TooManyConnections),
                             (0xEE, tau.TauError)):  # fmt: skip
            session = Session(CERTIFICATE, "test", True, 8)
            session.receive(err(status))
            self.assertIs(type(session.error), kind)
            self.assertFalse(session.unknown_negotiate)
        self.assertEqual(session.error and session.error.status, 0xEE)

    def test_without_negotiate(self) -> None:
        session = Session(CERTIFICATE, "test", True, 8)
        session.receive(ok() + err(tau.Status.BAD_OPCODE))
        self.assertTrue(session.unknown_negotiate)
        session = Session(CERTIFICATE, "test", False, 8)
        session.sent(session.waiting)
        session.receive(ok())
        self.assertIs(session.phase, Phase.READY)
        with self.assertRaises(tau.NotSupported):
            session.request(tables.OPERATION_BATCH_APPEND, {})
        self.assertFalse(session.waiting)

    def test_only_what_differs_is_refused(self) -> None:
        session = opened(offer(but=0x31, changed=0x21))
        with self.assertRaisesRegex(tau.LayoutMismatch, "BATCH_APPEND"):
            session.request(tables.OPERATION_BATCH_APPEND, {})
        with self.assertRaisesRegex(tau.NotSupported, "QUERY_RANGE"):
            session.request(tables.OPERATION_QUERY_RANGE, RANGE)
        session.request(tables.OPERATION_APPEND, APPEND)
        with self.assertRaisesRegex(tau.LayoutMismatch, "DESCRIBE_SERIES"):  # extensible or not
            opened(offer(changed=0x13)).request(tables.OPERATION_DESCRIBE_SERIES, {"label": "a"})
        with self.assertRaisesRegex(tau.LayoutMismatch, "APPEND"):
            opened(offer(changed=0x20)).request(tables.OPERATION_APPEND, APPEND)


class Replies(unittest.TestCase):
    """What answers a request."""

    def test_in_order(self) -> None:
        session = opened()
        first = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        second = sent(session, tables.OPERATION_APPEND, APPEND)
        third = sent(session, tables.OPERATION_PING, {"ignored": b""})
        session.receive(ok(b"\0") + err(11, "too late"))
        self.assertEqual((first.done, first.result(), second.done, third.done),
                         (True, None, True, False))  # fmt: skip
        with self.assertRaisesRegex(tau.OutOfOrder, "APPEND: out_of_order: too late") as caught:
            second.result()
        self.assertEqual((caught.exception.field, caught.exception.offset), (None, 0))
        session.receive(frame(tables.REPLY_PONG))
        self.assertTrue(third.done)

    def test_unknown_status_fails_only_that_request(self) -> None:
        session = opened()
        request = sent(session, tables.OPERATION_APPEND, APPEND)
        session.receive(err(0xEE))
        with self.assertRaises(tau.TauError) as caught:
            request.result()
        self.assertIs(type(caught.exception), tau.TauError)
        self.assertEqual(caught.exception.status, 0xEE)
        self.assertIs(session.phase, Phase.READY)

    def test_golden_replies_at_every_split(self) -> None:
        """Every golden answer that is not too long to cut arrives in two pieces."""
        answered = set()
        for line in python_package.VECTORS.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            name = row.get("payload", "")
            if "cuts" not in row or not name.endswith("_response"):
                continue
            operation = next(o for o in OPERATIONS if o.response.name == name)
            if operation.name == "NEGOTIATE":
                continue
            raw = bytes.fromhex(row["frame"])
            for split in range(len(raw)):
                session = opened()
                request = sent(session, operation, example(operation))
                session.receive(raw[:split])
                self.assertFalse(request.done)
                session.receive(raw[split:])
                self.assertTrue(request.done and request.error is None, row["name"])
            answered.add(operation.name)
        self.assertGreater(len(answered), 8)

    def test_streams(self) -> None:
        session = opened()
        stream = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        session.receive(points(3, True) + points(2, True))
        self.assertEqual([len(b.values) for b in stream.batches], [3, 2])
        self.assertFalse(stream.done)
        session.receive(points(0, False))
        self.assertTrue(stream.done)
        self.assertEqual(len(stream.batches), 2)
        failing = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        session.receive(points(3, True) + err(tau.Status.CANCELLED))
        self.assertIsInstance(failing.error, tau.Cancelled)

    def test_a_stopped_stream_is_cancelled(self) -> None:
        session = opened()
        stream = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        session.receive(points(3, True))
        session.stop(stream, tau.Cancelled("closed"))
        self.assertEqual(session.output(), frame(0x06))
        session.sent(session.waiting)
        after = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        session.receive(points(3, True) + err(tau.Status.CANCELLED) + ok() + ok(b"\0"))
        self.assertTrue(after.done and after.error is None)
        self.assertFalse(session.pending)

    def test_another_read_is_not_cancelled(self) -> None:
        session = opened()
        stream = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        sent(session, tables.OPERATION_QUERY_POINT, POINT)
        session.stop(stream, tau.Cancelled("closed"))
        self.assertFalse(session.waiting)

    def test_what_waits_behind_a_stream_that_nobody_reads(self) -> None:
        session = opened()
        session.max_buffered = 100_000
        stream = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        session.receive(points(4000, True))
        read = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        write = sent(session, tables.OPERATION_APPEND, APPEND)
        self.assertFalse(session.crowded or read.done)
        session.receive(points(4000, True))
        self.assertIs(type(read.error), tau.WouldBlock)
        self.assertIs(type(write.error), tau.OutcomeUnknown)
        with self.assertRaises(tau.WouldBlock):
            session.request(tables.OPERATION_APPEND, APPEND)
        self.assertFalse(session.waiting)
        self.assertEqual([len(stream.take().values) for _ in range(2)], [4000, 4000])
        after = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        session.receive(points(1, False) + ok(b"\0") + ok() + ok(b"\0"))
        self.assertTrue(after.done and after.error is None and stream.error is None)
        self.assertEqual((len(stream.batches), session.phase), (1, Phase.READY))

    def test_small_batches_count_for_what_they_take(self) -> None:
        session = opened()
        session.max_buffered = 100_000
        sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
        for _ in range(200):
            session.receive(points(1, True))
        self.assertTrue(session.crowded)

    def test_a_stream_that_was_dropped(self) -> None:
        """It ends with the next request, or holds nothing."""
        for frames in (0, 1):
            session = opened()
            stream = sent(session, tables.OPERATION_QUERY_RANGE, RANGE)
            session.receive(points(3, True))
            stream.forgotten = True
            session.receive(points(3, True) * frames)
            self.assertEqual((stream.done, len(stream.batches)), (frames == 1, 1 - frames))
            after = session.request(tables.OPERATION_QUERY_POINT, POINT)
            self.assertFalse(stream.batches)
            self.assertEqual(session.output()[4] == tables.OPERATION_CANCEL.code, frames == 0)
            session.sent(session.waiting)
            cancelled = err(tau.Status.CANCELLED) + ok() if frames == 0 else points(0, False)
            session.receive(cancelled + ok(b"\0"))
            self.assertTrue(after.done and after.error is None)

    def test_pushes_are_passed_over(self) -> None:
        session = opened()
        request = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        data = frame(0xE3, bytes(1000)) + ok(b"\0") + frame(0xEF)
        for byte in data:
            session.receive(bytes([byte]))
        self.assertTrue(request.done)
        self.assertIs(session.phase, Phase.READY)


class GivingUp(unittest.TestCase):
    """Requests that nobody waits for, and connections that end."""

    def test_not_begun_to_be_sent(self) -> None:
        session = opened()
        write = session.request(tables.OPERATION_APPEND, APPEND)
        session.give_up(write, tau.Timeout("late"))
        self.assertIsInstance(write.error, tau.Timeout)
        self.assertEqual(session.output()[4], tables.OPERATION_PING.code)
        session.sent(session.waiting)
        session.receive(frame(tables.REPLY_PONG))
        self.assertFalse(session.pending)
        self.assertIs(session.phase, Phase.READY)

    def test_sent(self) -> None:
        for size in (1, 58):
            session = opened()
            write = session.request(tables.OPERATION_APPEND, APPEND)
            read = session.request(tables.OPERATION_QUERY_POINT, POINT)
            session.sent(size)
            session.give_up(write, tau.Timeout("late"))
            self.assertIsInstance(write.error, tau.OutcomeUnknown)
            self.assertTrue(write.error and write.error.outcome_unknown)
            session.sent(session.waiting)
            session.receive(ok() + ok(b"\0"))
            self.assertTrue(read.done and read.error is None)

    def test_lost(self) -> None:
        """A write of which not all was sent cannot have happened."""
        for size, kind in ((0, tau.ConnectionLost), (57, tau.ConnectionLost),
                           (58, tau.OutcomeUnknown)):  # fmt: skip
            session = opened()
            write = session.request(tables.OPERATION_APPEND, APPEND)
            read = session.request(tables.OPERATION_QUERY_POINT, POINT)
            session.sent(size)
            session.lost(tau.ConnectionLost("gone"))
            self.assertIs(type(write.error), kind)
            self.assertIs(type(read.error), tau.ConnectionLost)
            self.assertTrue(read.error and read.error.retryable)
            with self.assertRaises(tau.ConnectionLost):
                session.request(tables.OPERATION_APPEND, APPEND)

    def test_no_more_than_allowed(self) -> None:
        session = opened(most=2)
        for _ in range(2):
            session.request(tables.OPERATION_APPEND, APPEND)
        with self.assertRaises(tau.WouldBlock):
            session.request(tables.OPERATION_APPEND, APPEND)

    def test_bad_arguments(self) -> None:
        session = opened()
        wrong: list[dict[str, Any]] = [
            {"label": "x" * 33}, {"label": 7}, {"timestamp": 1 << 63}, {"timestamp": 1.5},
            {"value": "1"}, {"value": None},
        ]  # fmt: skip
        for changed in wrong:
            with self.assertRaises(tau.InvalidArgument, msg=str(changed)):
                session.request(tables.OPERATION_APPEND, {**APPEND, **changed})
        for changed in ({"direction": 2}, {"limit": -1}):
            with self.assertRaises(tau.InvalidArgument):
                session.request(tables.OPERATION_QUERY_RANGE, {**RANGE, **changed})
        for columns in (([1, 2], [1.0]), (["1"], [1.0]), (b"12345678", [1.0]),
                        (range(262142), range(262142))):  # fmt: skip
            with self.assertRaises(tau.InvalidArgument):
                values = {"label": "a", "timestamps": columns[0], "values": columns[1]}
                session.request(tables.OPERATION_BATCH_APPEND, values)
        for row in (("a", 1), ("a", 1, 1.0, 1), ("x" * 33, 1, 1.0), ("a", 1.5, 1.0), (7, 1, 1.0),
                    (), 7, "abc", None):  # fmt: skip
            with self.assertRaises(tau.InvalidArgument, msg=str(row)):
                session.request(tables.OPERATION_MULTI_APPEND, {"rows": [("a", 1, 1.0), row]})
        self.assertFalse(session.waiting or session.pending)


class Breaches(unittest.TestCase):
    """What a server must not send ends the connection and nothing else."""

    def refused(self, data: bytes, *requests: tuple[tables.Operation, dict[str, Any]]) -> None:
        session = opened()
        made = [sent(session, operation, values) for operation, values in requests]
        session.receive(data)
        self.assertIsInstance(session.error, tau.ProtocolError, data[:40].hex())
        self.assertTrue(all(request.done and request.error for request in made))
        session.receive(b"more")

    def test_answers(self) -> None:
        point = (tables.OPERATION_QUERY_POINT, POINT)
        stream = (tables.OPERATION_QUERY_RANGE, RANGE)
        self.refused(ok())
        self.refused(b"HTTP")
        self.refused(b"TAU\x02")
        self.refused(frame(0x77), point)
        self.refused(frame(tables.REPLY_PONG), point)
        self.refused(frame(0x20, bytes(48)), point)
        self.refused(ok(b"\0", more=True), point)
        self.refused(frame(tables.REPLY_OK, b"\0", 2), point)
        self.refused(frame(tables.REPLY_OK, points(1, True)[10:], 3), stream)
        self.refused(ok(b"\2"), point)
        self.refused(ok(b"\1" + bytes(7)), point)
        self.refused(ok(bytes(10)), point)
        self.refused(ok(b"\0\0\0\1"), stream)
        self.refused(frame(tables.REPLY_ERR), point)
        self.refused(frame(tables.REPLY_ERR, b"\x07\0"), point)
        self.refused(frame(tables.REPLY_ERR, bytes(522)), point)
        self.refused(b"TAU\x01\xf0\0\0\x40\0\1", point)
        self.refused(err(tau.Status.SUCCESS), point)
        self.refused(err(tau.Status.SUCCESS, "fine"), point)
        self.refused(b"TAU\x01\xf0\0\0\0\1\0", point)  # before its payload comes

    def test_an_answer_before_its_request_was_sent(self) -> None:
        session = opened()
        write = session.request(tables.OPERATION_APPEND, APPEND)
        session.sent(57)
        session.receive(ok())
        self.assertIsInstance(session.error, tau.ProtocolError)
        self.assertIsInstance(write.error, tau.ProtocolError)

    def test_an_answer_made_of_the_header_alone(self) -> None:
        """A refusal may come before all of the request was sent, and so may a PONG."""
        for size, lives in ((9, False), (10, True), (57, True)):
            session = opened()
            write = session.request(tables.OPERATION_APPEND, APPEND)
            ping = session.request(tables.OPERATION_PING, {"ignored": bytes(100)})
            session.sent(size)
            session.receive(err(tau.Status.READ_ONLY))
            self.assertIs(type(write.error), tau.ReadOnly if lives else tau.ProtocolError)
            if lives:
                session.sent(58 - size + 10)
                session.receive(frame(tables.REPLY_PONG))
                self.assertTrue(ping.done and ping.error is None)
                self.assertEqual(session.waiting, 100)

    def test_details_that_were_not_agreed_on(self) -> None:
        session = Session(CERTIFICATE, "test", False, 8)
        session.sent(session.waiting)
        session.receive(ok())
        request = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        session.receive(err(tau.Status.THROTTLED, "later"))
        self.assertIsInstance(request.error, tau.ProtocolError)

    def test_a_server_cannot_write_to_a_terminal(self) -> None:
        session = opened()
        request = sent(session, tables.OPERATION_QUERY_POINT, POINT)
        session.receive(err(tau.Status.THROTTLED, "a\x1b[2J\x9b\n\u202e\u00e9"))
        self.assertEqual(str(request.error),
                         "QUERY_POINT: throttled: a\\x1b[2J\\x9b\\n\\u202e\u00e9")  # fmt: skip

    def test_a_write_whose_answer_cannot_be_read(self) -> None:
        session = opened()
        write = sent(session, tables.OPERATION_APPEND, APPEND)
        session.receive(ok(b"?"))
        self.assertIsInstance(write.error, tau.OutcomeUnknown)

    def test_an_error_out_of_turn_ends_the_connection_with_it(self) -> None:
        session = opened()
        session.receive(err(tau.Status.INTERNAL_ERROR))
        self.assertIsInstance(session.error, tau.InternalError)

    def test_random_bytes(self) -> None:
        """Whatever comes, requests end with a result or a TauError, and nothing is raised."""
        draw = random.Random(7701)
        frames = [ok(), ok(b"\0"), offer(), points(2, True), points(0, False), err(7), err(7, "no"),
                  frame(tables.REPLY_PONG), frame(0xE1, b"push")]  # fmt: skip
        ends: set[str] = set()
        for _ in range(4000):
            session = opened() if draw.random() < 0.7 else Session(CERTIFICATE, "t", True, 8)
            session.sent(session.waiting)
            made: list[Request] = []
            for operation in draw.choices(OPERATIONS[2:], k=3 if session.server.negotiated else 0):
                made.append(sent(session, operation, example(operation)))
            data = b"".join(draw.choices(frames, k=draw.randrange(6)))
            if draw.random() < 0.7 and data:
                at = draw.randrange(len(data))
                end = at + draw.randrange(3)
                data = data[:at] + draw.randbytes(draw.randrange(4)) + data[end:]
            step = draw.randrange(1, 30)
            for at in range(0, len(data), step):
                session.receive(data[at : at + step])
            session.lost(tau.ConnectionLost("the end"))
            for request in made:
                self.assertTrue(request.done)
                ends.add("result" if request.error is None else type(request.error).__name__)
            assert session.error is not None
            ends.add(type(session.error).__name__)
        self.assertLessEqual({"result", "ProtocolError", "ConnectionLost", "OutcomeUnknown",
                              "SeriesNotFound"}, ends)  # fmt: skip


def least(type_: Type) -> Any:
    """The least value of a fixed type."""
    if type_.members:
        return tuple(least(member) for member in type_.members)
    return b"" if type_.kind.value == "bytes" else 0


def example(operation: tables.Operation) -> dict[str, Any]:
    """Legal values of a request: the least of everything."""
    values: dict[str, Any] = {}
    for field in operation.request.fields:
        one: Any = max(field.minimum or 0, 0)
        if field.shape.value in ("counted_array", "rest_array"):
            counter = operation.request.by_name.get(field.count_field)
            one = [least(field.type)] * (counter.minimum or 0 if counter else 0)
        elif field.type.kind.value in ("bytes", "blob", "text"):
            one = b""
        elif field.shape.value == "optional":
            one = None
        values[field.name] = one
    return values


if __name__ == "__main__":
    unittest.main(verbosity=2)
