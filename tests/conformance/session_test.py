# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""Every row of the wire format's session table, the order of its checks, and how it closes.

The client is a bare socket that knows only the description of the format. What operations mean is
not this file's business, nor how wrong certificates are slowed down (authentication_test.py).
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
import unittest
from pathlib import Path

import tau_raw as raw
from tau_raw import CONNECT, DISCONNECT, ERR, OK, PING, PONG, Connection, Reply, frame, header
from tau_server import CERTIFICATE, PATIENCE, SANITIZED, WRONG_CERTIFICATE, ServerCase

_SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
_PUBLISHED = json.loads((_SOURCE / "protocol/published/specification.json").read_bytes())
_OPERATIONS = [row for service in _PUBLISHED["services"] for row in service["operations"]]
KNOWN = {row["code"] for row in _OPERATIONS + _PUBLISHED["replies"]}
REQUIRE_AUTHENTICATION = KNOWN - {row["code"] for row in _OPERATIONS if "new" in row["states"]}
FIXED_LENGTHS = {
    raw.CONNECT: 32, raw.DISCONNECT: 0, raw.CREATE_SERIES: 32, raw.DROP_SERIES: 32,
    raw.APPEND: 48, raw.QUERY_POINT: 40, raw.CREATE_LENS: 96, raw.DROP_LENS: 32,
    raw.QUERY_LENS: 40, raw.COMPOSE_LENS: 96, raw.LIST_LENSES: 0}


class SessionCase(ServerCase):
    def expect_error(self, connection: Connection, status: int) -> Reply:
        reply = connection.receive()
        self.assertEqual((reply.opcode, reply.flags, reply.payload),
                         (ERR, 0, bytes([status])), f"expected ERR {status:#04x}")
        return reply

    def expect_open(self, connection: Connection) -> None:
        self.assertEqual(connection.request(PING), Reply(PONG, 0, b""))

    def expect_closed(self, connection: Connection) -> None:
        """The server ends its side at once: no reset, and no byte behind the last reply."""
        self.assertEqual(connection.wait_for_end(0.9 * PATIENCE), b"")

    def refused_and_closed(self, connection: Connection, data: bytes, status: int) -> None:
        connection.send(data)
        self.expect_error(connection, status)
        self.expect_closed(connection)


class Table(SessionCase):
    """The rows of the table, one test each or more."""

    def test_plain_script(self) -> None:
        """What the oldest client does: one send, one recv(10) for the reply's header."""
        assert not isinstance(self.server.address, str)
        for certificate, opcode, length in ((CERTIFICATE, OK, 0), (WRONG_CERTIFICATE, ERR, 1)):
            script = socket.create_connection(self.server.address, timeout=20)
            script.sendall(b"TAU\x01\x01\x00\x00\x00\x00\x20" + certificate)
            self.assertEqual(script.recv(10), b"TAU\x01" + bytes([opcode, 0, 0, 0, 0, length]))
            script.close()

    def test_bad_magic(self) -> None:
        for magic in (b"tau", b"TAV", b"GET", b"\0\0\0", b"\xff\xff\xff", b"XAU", b"TXU"):
            for connection in (self.open(), self.connect()):
                self.refused_and_closed(connection, header(PING, 0, magic=magic), raw.BAD_MAGIC)

    def test_bad_version(self) -> None:
        for version in {0, raw.VERSION + 1, 0x31, 0xFF}:
            for connection in (self.open(), self.connect()):
                self.refused_and_closed(connection, header(PING, 0, version=version),
                                        raw.BAD_VERSION)

    def test_unknown_opcode(self) -> None:
        self.assertGreater(len(KNOWN), 20)
        for opcode in set(range(256)) - KNOWN:
            for connection in (self.open(), self.connect()):
                self.refused_and_closed(connection, header(opcode, 0), raw.BAD_OPCODE)

    def test_length_over_the_limit(self) -> None:
        for length in (raw.PAYLOAD_LIMIT + 1, 1 << 31, 0xFFFFFFFF):
            for opcode in (CONNECT, PING, raw.APPEND, raw.OK):
                for connection in (self.open(), self.connect()):
                    self.refused_and_closed(connection, header(opcode, length),
                                            raw.PAYLOAD_TOO_LARGE)

    def test_length_at_the_limit(self) -> None:
        connection = self.connect()
        connection.send(header(PING, raw.PAYLOAD_LIMIT) + bytes(raw.PAYLOAD_LIMIT))
        self.assertEqual(connection.receive(), Reply(PONG, 0, b""))
        connection.send(header(raw.APPEND, raw.PAYLOAD_LIMIT) + bytes(raw.PAYLOAD_LIMIT))
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.expect_open(connection)

    def test_before_connect(self) -> None:
        """Decided from the header alone: the payload is announced and never sent."""
        self.assertGreater(len(REQUIRE_AUTHENTICATION), 20)
        for opcode in REQUIRE_AUTHENTICATION:
            for length in (0, 48, raw.PAYLOAD_LIMIT):
                self.refused_and_closed(self.open(), header(opcode, length), raw.NOT_AUTHENTICATED)

    def test_connect_with_a_wrong_certificate(self) -> None:
        connection = self.open(self.source())
        for wrong in (WRONG_CERTIFICATE, bytes(32)):
            connection.send(frame(CONNECT, wrong))
            self.expect_error(connection, raw.AUTH_FAILED)
        self.assertEqual(connection.request(CONNECT, CERTIFICATE), Reply(OK, 0, b""))
        self.expect_open(connection)

    def test_third_wrong_certificate_closes(self) -> None:
        connection = self.open(self.source())
        connection.send(frame(CONNECT, WRONG_CERTIFICATE) * 3 + frame(CONNECT, CERTIFICATE)
                        + frame(PING))
        for _ in range(3):
            self.expect_error(connection, raw.AUTH_FAILED)
        self.expect_closed(connection)

    def test_connect_of_the_wrong_length(self) -> None:
        """Refused, skipped and not counted among the tries."""
        connection = self.open()
        for length in (0, 1, 31, 33, 48, 4096, raw.PAYLOAD_LIMIT):
            connection.send(header(CONNECT, length) + CERTIFICATE[:1] * length)
            self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.assertEqual(connection.request(CONNECT, CERTIFICATE), Reply(OK, 0, b""))
        connection.send(frame(CONNECT, CERTIFICATE[:31]))
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.expect_open(connection)

    def test_connect_again(self) -> None:
        connection = self.connect()
        for _ in range(3):
            self.assertEqual(connection.request(CONNECT, CERTIFICATE), Reply(OK, 0, b""))
        self.expect_open(connection)

    def test_connect_again_with_a_wrong_certificate(self) -> None:
        connection = self.open(self.source())
        self.assertEqual(connection.request(CONNECT, CERTIFICATE).opcode, OK)
        self.refused_and_closed(connection, frame(CONNECT, WRONG_CERTIFICATE), raw.AUTH_FAILED)

    def test_no_request_after_authentication(self) -> None:
        connection = self.connect()
        for opcode in (PONG, OK, ERR):
            for payload in (b"", b"\0", bytes(70000)):
                connection.send(frame(opcode, payload))
                self.expect_error(connection, raw.BAD_OPCODE)
        self.expect_open(connection)

    def test_other_lengths(self) -> None:
        connection = self.connect()
        for opcode, right in FIXED_LENGTHS.items():
            for length in {0, 1, right - 1, right + 1, right + 48, 65536} - {right, -1}:
                connection.send(header(opcode, length) + bytes(length))
                self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.expect_open(connection)

    def test_failed_command(self) -> None:
        connection = self.connect()
        missing = self.label()
        commands = ((raw.DROP_SERIES, missing, raw.SERIES_NOT_FOUND),
                    (raw.APPEND, missing + bytes(16), raw.SERIES_NOT_FOUND),
                    (raw.QUERY_POINT, missing + bytes(8), raw.SERIES_NOT_FOUND),
                    (raw.DROP_LENS, missing, raw.LENS_NOT_FOUND),
                    (raw.QUERY_LENS, missing + bytes(8), raw.LENS_NOT_FOUND),
                    (raw.COMPOSE_LENS, missing * 3, raw.LENS_NOT_FOUND))
        for opcode, payload, status in commands:
            connection.send(frame(opcode, payload))
            self.expect_error(connection, status)
        self.expect_open(connection)

    def test_disconnect(self) -> None:
        for connection in (self.open(), self.connect()):
            self.assertEqual(connection.request(DISCONNECT), Reply(OK, 0, b""))
            self.expect_closed(connection)

    def test_disconnect_with_a_payload(self) -> None:
        connection = self.open()
        connection.send(frame(DISCONNECT, b"x"))
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.assertEqual(connection.request(CONNECT, CERTIFICATE).opcode, OK)
        connection.send(frame(DISCONNECT, bytes(100000)))
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.expect_open(connection)

    def test_ping(self) -> None:
        connection = self.connect()
        for size in (0, 1, 10, 33, 65536, 1 << 20):
            self.assertEqual(connection.request(PING, b"TAU" * (size // 3 + 1)),
                             Reply(PONG, 0, b""))


class OrderOfChecks(SessionCase):
    """Several faults in one header: the first in the order of the format answers."""

    FAULTS = (("magic", raw.BAD_MAGIC), ("version", raw.BAD_VERSION), ("opcode", raw.BAD_OPCODE),
              ("limit", raw.PAYLOAD_TOO_LARGE), ("state", raw.NOT_AUTHENTICATED),
              ("flags", raw.BAD_FLAGS), ("length", raw.INVALID_PAYLOAD))

    def faulty_header(self, faults: set[str], authenticated: bool) -> bytes:
        opcode = raw.APPEND
        if "state" in faults and authenticated:
            opcode = PONG
        elif "state" not in faults and not authenticated:
            opcode = CONNECT
        if "opcode" in faults:
            opcode = 0x77
        length = 48 if opcode == raw.APPEND else 32
        if "length" in faults:
            length += 1
        if "limit" in faults:
            length = raw.PAYLOAD_LIMIT + 1
        return header(opcode, length, flags=0x40 if "flags" in faults else 0,
                      magic=b"UAT" if "magic" in faults else b"TAU",
                      version=raw.VERSION + ("version" in faults))

    def expected(self, faults: set[str], authenticated: bool) -> tuple[int, bool]:
        """The status, and whether the connection is closed behind it."""
        for name, status in self.FAULTS:
            if name in faults:
                if name == "state" and authenticated:
                    return raw.BAD_OPCODE, False
                return status, name not in ("flags", "length")
        raise AssertionError("no fault")

    def test_every_combination(self) -> None:
        names = [name for name, _ in self.FAULTS]
        for authenticated in (False, True):
            for chosen in range(1, 1 << len(names)):
                faults = {name for i, name in enumerate(names) if chosen >> i & 1}
                with self.subTest(faults=sorted(faults), authenticated=authenticated):
                    self.check(faults, authenticated)

    def check(self, faults: set[str], authenticated: bool) -> None:
        status, closes = self.expected(faults, authenticated)
        with (self.server.connect() if authenticated else self.server.open()) as connection:
            head = self.faulty_header(faults, authenticated)
            connection.send(head)
            if not closes:
                connection.send(bytes(struct.unpack(">I", head[6:])[0]))
            self.expect_error(connection, status)
            if closes:
                self.expect_closed(connection)
            else:
                self.assertEqual(connection.request(CONNECT, CERTIFICATE), Reply(OK, 0, b""))

    def test_every_flag(self) -> None:
        connection = self.connect()
        for flags in range(1, 256):
            connection.send(frame(PING, b"abc", flags))
        for _ in range(1, 256):
            self.expect_error(connection, raw.BAD_FLAGS)
        self.expect_open(connection)

    def test_flags_of_operations_are_refused_and_nothing_happens(self) -> None:
        connection = self.connect()
        series = self.label()
        connection.send(frame(raw.CREATE_SERIES, series, flags=1))
        self.expect_error(connection, raw.BAD_FLAGS)
        self.assertEqual(connection.drop(series), raw.SERIES_NOT_FOUND)


class Skipping(SessionCase):
    """Payloads of refused requests are skipped, and what follows is understood."""

    def test_payload_that_looks_like_frames(self) -> None:
        connection = self.connect()
        series = self.label()
        hidden = frame(raw.CREATE_SERIES, series) * 2000
        connection.send(frame(raw.QUERY_POINT, hidden) + frame(PING))
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.assertEqual(connection.receive().opcode, PONG)
        self.assertEqual(connection.drop(series), raw.SERIES_NOT_FOUND)

    def test_large_payloads_in_small_pieces(self) -> None:
        connection = self.connect()
        data = frame(raw.CREATE_SERIES, bytes(300_000)) + frame(PING)
        for start in range(0, len(data), 7001):
            connection.send(data[start:start + 7001])
        self.expect_error(connection, raw.INVALID_PAYLOAD)
        self.assertEqual(connection.receive().opcode, PONG)

    def test_every_split_of_a_frame(self) -> None:
        """A frame that arrives in two parts, cut at every byte, means the same."""
        connection = self.connect()
        series = self.label()
        self.assertEqual(connection.create(series), 0)
        size = len(raw.append_frame(series, 0, 0.0))
        for cut in range(1, size):
            data = raw.append_frame(series, cut, float(cut))
            connection.send(data[:cut])
            time.sleep(0.0005)
            connection.send(data[cut:])
            self.assertEqual(connection.receive(), Reply(OK, 0, b""))
        for cut in range(1, size):
            self.assertEqual(connection.query(series, cut), raw.bits(float(cut)))

    def test_memory_of_refused_payloads(self) -> None:
        """Sixty clients announce 4 MiB each and send three of them: nothing is kept."""
        if SANITIZED:
            self.skipTest("memory is not measured under a sanitizer")
        before = self.server.resident_bytes()
        clients = [self.open() for _ in range(30)] + [self.connect() for _ in range(30)]
        for client in clients:
            client.send(header(CONNECT, raw.PAYLOAD_LIMIT) + bytes(3 << 20))
        self.expect_open(self.connect())
        growth = self.server.resident_bytes() - before
        self.assertLess(growth, 60 * 128 * 1024, "refused payloads are buffered")


class Closing(SessionCase):
    """What a closing request does to those before it and those behind it."""

    def closers(self) -> tuple[tuple[str, bytes, int], ...]:
        return (("disconnect", frame(DISCONNECT), 0),
                ("magic", header(PING, 0, magic=b"NOT"), raw.BAD_MAGIC),
                ("version", header(PING, 0, version=7), raw.BAD_VERSION),
                ("opcode", header(0x55, 0), raw.BAD_OPCODE),
                ("limit", header(PING, raw.PAYLOAD_LIMIT + 1), raw.PAYLOAD_TOO_LARGE),
                ("certificate", frame(CONNECT, WRONG_CERTIFICATE), raw.AUTH_FAILED))

    def test_requests_around_a_closing_one(self) -> None:
        for name, closer, status in self.closers():
            with self.subTest(closer=name):
                series = self.label()
                connection = self.open(self.source())
                before = [frame(CONNECT, CERTIFICATE), frame(raw.CREATE_SERIES, series)]
                before += [raw.append_frame(series, t, 1.5) for t in range(100)]
                behind = [raw.append_frame(series, t, 2.5) for t in range(100, 200)]
                connection.send(raw.join([*before, closer, *behind]))
                for reply in connection.receive_all(len(before)):
                    self.assertEqual(reply, Reply(OK, 0, b""))
                self.assertEqual(connection.receive().status, status)
                self.expect_closed(connection)
                other = self.connect()
                self.assertEqual(other.query(series, 99), raw.bits(1.5))
                self.assertIsNone(other.query(series, 100))

    def test_last_reply_is_not_lost(self) -> None:
        """What still arrives is drained, so that no reset overtakes the last reply."""
        for name, closer, status in self.closers():
            with self.subTest(closer=name):
                connection = self.open(self.source())
                connection.send(frame(CONNECT, CERTIFICATE))
                self.assertEqual(connection.receive().opcode, OK)
                connection.send(closer + bytes(2 << 20))
                self.assertEqual(connection.receive().status, status)
                self.expect_closed(connection)

    def test_draining_ends(self) -> None:
        """A client that never closes is let go after a second."""
        connection = self.connect()
        connection.send(frame(DISCONNECT))
        self.assertEqual(connection.receive().opcode, OK)
        began = time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() - began < 10 * PATIENCE:
                connection.send(b"x" * 100)
                time.sleep(0.05)
        self.assertLess(time.monotonic() - began, 2.5 * PATIENCE)

    def test_half_closed_client_gets_its_replies(self) -> None:
        """A client may end its sending side and still read everything it asked for."""
        connection = self.connect()
        series = self.label()
        frames = [frame(raw.CREATE_SERIES, series)]
        frames += [raw.append_frame(series, t, 0.5) for t in range(1000)]
        connection.send(raw.join(frames))
        connection.socket.shutdown(socket.SHUT_WR)
        for reply in connection.receive_all(len(frames)):
            self.assertEqual(reply.opcode, OK)
        self.expect_closed(connection)

    def test_client_that_vanishes(self) -> None:
        """Resets at every point of a frame leave nothing behind that holds others up."""
        series = self.label()
        data = frame(CONNECT, CERTIFICATE) + frame(raw.CREATE_SERIES, series) + frame(PING)
        for cut in range(0, len(data), 3):
            connection = self.server.open()
            connection.send(data[:cut])
            connection.reset()
        self.expect_open(self.connect())


class OtherServer(SessionCase):
    server_args = ("--workers", "1")

    def test_replies_come_in_the_order_of_requests(self) -> None:
        """Reads, writes, failures and PINGs mixed: each reply stands at its request's place."""
        connection = self.connect()
        series, missing = self.label(), self.label()
        frames, expected = [frame(raw.CREATE_SERIES, series)], [Reply(OK, 0, b"")]
        for t in range(300):
            frames += [frame(PING), raw.append_frame(series, t, float(t)),
                       raw.append_frame(missing, t, 0.0), raw.query_frame(series, t),
                       raw.append_frame(series, t, 0.0), frame(PING, b"", 2)]
            expected += [Reply(PONG, 0, b""), Reply(OK, 0, b""),
                         Reply(ERR, 0, bytes([raw.SERIES_NOT_FOUND])),
                         Reply(OK, 0, b"\1" + raw.bits(float(t))),
                         Reply(ERR, 0, bytes([raw.OUT_OF_ORDER])),
                         Reply(ERR, 0, bytes([raw.BAD_FLAGS]))]
        connection.send(raw.join(frames))
        self.assertEqual(connection.receive_all(len(expected)), expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
