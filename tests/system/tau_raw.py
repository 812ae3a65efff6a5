# SPDX-License-Identifier: MIT
"""A client of the Tau wire format on a bare socket, for tests.

It is written from the description of the format and from nothing else: no generated code, no SDK,
no shared constants. What it sends can therefore be wrong on purpose, and what it accepts is what
the format says, not what the implementation does. It must never import from gen/ or the build tree.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple, Sequence, Union

MAGIC = b"TAU"
SPECIFICATION_FILE = Path(__file__).resolve().parents[2] / "protocol/published/specification.json"
VERSION: int = json.loads(SPECIFICATION_FILE.read_bytes())["version"]
HEADER_SIZE = 10
PAYLOAD_LIMIT = 4 * 1024 * 1024
FLAG_MORE = 0x01
FEATURE_DETAILED_ERRORS = 0x01
FIELD_NONE = 0xFFFF

# Requests.
CONNECT, DISCONNECT, PING, PONG, NEGOTIATE, CANCEL = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SPECIFICATION = 0x07
CREATE_SERIES, DROP_SERIES, LIST_SERIES, DESCRIBE_SERIES = 0x10, 0x11, 0x12, 0x13
SET_POLICY, CREATE_ROLLUP, DROP_ROLLUP, LIST_ROLLUPS = 0x14, 0x15, 0x16, 0x17
APPEND, BATCH_APPEND, MULTI_APPEND, DELETE_RANGE = 0x20, 0x21, 0x22, 0x23
FLUSH_DATA, COMPACT, SNAPSHOT = 0x60, 0x61, 0x62
QUERY_POINT, QUERY_RANGE, QUERY_LATEST = 0x30, 0x31, 0x32
AGGREGATE, MULTI_RANGE, MULTI_LATEST, MULTI_RANGE_WHERE = 0x33, 0x34, 0x35, 0x36
CREATE_LENS, DROP_LENS, QUERY_LENS, COMPOSE_LENS, LIST_LENSES = 0x40, 0x41, 0x42, 0x43, 0x44
# Replies.
OK, ERR = 0xF0, 0xFF

# Statuses.
BAD_MAGIC, BAD_VERSION, BAD_OPCODE, PAYLOAD_TOO_LARGE = 0x01, 0x02, 0x03, 0x04
NOT_AUTHENTICATED, AUTH_FAILED, SERIES_NOT_FOUND, SERIES_ALREADY_EXISTS = 0x05, 0x06, 0x07, 0x08
INVALID_PAYLOAD, INTERNAL_ERROR, OUT_OF_ORDER = 0x09, 0x0A, 0x0B
LENS_NOT_FOUND, LENS_ALREADY_EXISTS = 0x0C, 0x0D
BAD_FLAGS, CANCELLED, LIMIT_EXCEEDED, STORAGE_FULL = 0x10, 0x11, 0x12, 0x13
READ_ONLY, OUTCOME_UNKNOWN, TOO_MANY_CONNECTIONS, THROTTLED = 0x14, 0x15, 0x16, 0x17
ROLLUP_NOT_FOUND, ROLLUP_ALREADY_EXISTS = 0x19, 0x1A

FORWARD, BACKWARD = 0, 1
EACH, ALL, SIZED = 0, 1, 2
STRICT, REJECT, KEEP_LAST, KEEP_FIRST, KEEP_MIN, KEEP_MAX, KEEP_SUM = range(7)
I64_MIN, I64_MAX = -(2**63), 2**63 - 1

Address = Union[str, tuple[str, int]]  # a path of a unix socket, or host and port


class Reply(NamedTuple):
    """One frame as it came."""

    opcode: int
    flags: int
    payload: bytes

    @property
    def status(self) -> int:
        """0 for success, else the status of the ERR."""
        if self.opcode == ERR:
            return self.payload[0]
        return 0


class Closed(Exception):
    """The server closed the connection where a frame was expected."""


def header(opcode: int, length: int, flags: int = 0, magic: bytes = MAGIC,
           version: int = VERSION) -> bytes:
    return magic + struct.pack(">BBBI", version, opcode, flags, length)


def frame(opcode: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return header(opcode, len(payload), flags) + payload


def label(text: Union[str, bytes]) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    assert len(raw) <= 32
    return raw.ljust(32, b"\0")


def bits(value: Union[float, int]) -> bytes:
    """The eight bytes of an f64; an int gives the bit pattern itself."""
    return struct.pack(">Q", value) if isinstance(value, int) else struct.pack(">d", value)


def append_frame(series: bytes, timestamp: int, value: Union[float, int]) -> bytes:
    return frame(APPEND, series + struct.pack(">q", timestamp) + bits(value))


def query_frame(series: bytes, timestamp: int, opcode: int = QUERY_POINT) -> bytes:
    return frame(opcode, series + struct.pack(">q", timestamp))


def range_frame(series: bytes, first: int = I64_MIN, last: int = I64_MAX, limit: int = 0,
                direction: int = FORWARD) -> bytes:
    return frame(QUERY_RANGE, series + struct.pack(">qqQB", first, last, limit, direction))


def selection(prefix: bytes, labels: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Which series a request asks: the two pieces of its payload."""
    return (bytes([len(prefix)]) + prefix,
            struct.pack(">I", len(labels)) + b"".join(labels))


def aggregate_payload(functions: Sequence[tuple[int, float]], first: int = I64_MIN,
                      last: int = I64_MAX, width: int = 0, origin: int = 0, fill: int = 0,
                      fill_value: float = 0.0, grouping: int = EACH, sizes: Sequence[int] = (),
                      prefix: bytes = b"", labels: Sequence[bytes] = ()) -> bytes:
    begun, named = selection(prefix, labels)
    return (struct.pack(">qqQqB", first, last, width, origin, fill) + bits(fill_value)
            + bytes([grouping, len(functions)])
            + b"".join(bytes([function]) + bits(parameter) for function, parameter in functions)
            + begun + struct.pack(f">I{len(sizes)}I", len(sizes), *sizes) + named)


def multi_range_payload(first: int = I64_MIN, last: int = I64_MAX, low: float = -math.inf,
                        high: float = math.inf, limit: int = 0, direction: int = FORWARD,
                        prefix: bytes = b"", labels: Sequence[bytes] = ()) -> bytes:
    return (struct.pack(">qq", first, last) + bits(low) + bits(high)
            + struct.pack(">QB", limit, direction) + b"".join(selection(prefix, labels)))


def where_payload(labels: Sequence[bytes], group_size: int, first: int = I64_MIN,
                  last: int = I64_MAX, low: float = -math.inf, high: float = math.inf,
                  limit: int = 0, direction: int = FORWARD) -> bytes:
    return (struct.pack(">qq", first, last) + bits(low) + bits(high)
            + struct.pack(">QBI", limit, direction, group_size) + selection(b"", labels)[1])


def multi_latest_payload(first: int = I64_MIN, last: int = I64_MAX, prefix: bytes = b"",
                         labels: Sequence[bytes] = ()) -> bytes:
    return struct.pack(">qq", first, last) + b"".join(selection(prefix, labels))


def batch_payload(series: bytes, timestamps: Sequence[int],
                  values: Sequence[Union[float, int]]) -> bytes:
    return (series + struct.pack(">I", len(timestamps))
            + struct.pack(f">{len(timestamps)}q", *timestamps) + b"".join(map(bits, values)))


def multi_payload(rows: Iterable[tuple[bytes, int, Union[float, int]]]) -> bytes:
    packed = [name + struct.pack(">q", timestamp) + bits(value)
              for name, timestamp, value in rows]
    return struct.pack(">I", len(packed)) + b"".join(packed)


def list_payload(prefix: bytes = b"", cursor: Union[bytes, None] = None, limit: int = 100) -> bytes:
    behind = b"\0" if cursor is None else b"\1" + cursor
    return struct.pack(">H", len(prefix)) + prefix + behind + struct.pack(">I", limit)


def negotiate_payload(features: int = 0, name: bytes = b"raw",
                      operations: Sequence[tuple[int, int]] = (), specification: int = 0) -> bytes:
    head = struct.pack(">QQH", features, specification, len(name)) + name
    listed = b"".join(struct.pack(">BQ", opcode, print_) for opcode, print_ in operations)
    return head + struct.pack(">H", len(operations)) + listed


def pairs(layout: str, data: bytes) -> list[tuple[int, int]]:
    return [(first, second) for first, second in struct.iter_unpack(layout, data)]


@dataclass
class Negotiated:
    """What the server said of itself."""

    features: int
    specification: int
    name: bytes
    limits: dict[int, int]
    operations: dict[int, int]


def parse_negotiated(payload: bytes) -> Negotiated:
    features, specification, size = struct.unpack_from(">QQH", payload)
    position = 18
    name = payload[position:position + size]
    position += size
    (count,) = struct.unpack_from(">H", payload, position)
    position += 2
    limits = pairs(">HQ", payload[position:position + 10 * count])
    position += 10 * count
    (count,) = struct.unpack_from(">H", payload, position)
    position += 2
    operations = pairs(">BQ", payload[position:position + 9 * count])
    position += 9 * count
    assert position == len(payload), "bytes behind the last operation"
    return Negotiated(features, specification, name, dict(limits), dict(operations))


class Description(NamedTuple):
    """The reply to DESCRIBE_SERIES. Later fields may follow; these stay."""

    identity: int
    order: int
    point_count: int
    memory_bytes: int
    first_timestamp: int
    last_timestamp: int


def parse_description(payload: bytes) -> Description:
    return Description(*struct.unpack_from(">QBQQqq", payload))


def parse_refused(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """The reply to a batch: how many were accepted, then row and status of each that was not."""
    accepted, count = struct.unpack_from(">II", payload)
    rows = pairs(">IB", payload[8:])
    assert len(rows) == count, "refused rows and their number differ"
    return accepted, rows


def parse_columns(payload: bytes) -> list[tuple[int, int]]:
    """A frame of a range: pairs of timestamp and the value's bits."""
    (count,) = struct.unpack_from(">I", payload)
    assert len(payload) == 4 + 16 * count, "a column batch of another length than its count says"
    timestamps = struct.unpack_from(f">{count}q", payload, 4)
    values = struct.unpack_from(f">{count}Q", payload, 4 + 8 * count)
    return list(zip(timestamps, values))


class Rows(NamedTuple):
    """A frame of an AGGREGATE: rows of a start and the bits of its values."""

    group: int
    label: bytes
    rows: list[tuple[int, ...]]


def parse_aggregate(payload: bytes) -> Rows:
    group, name, count = struct.unpack_from(">Q32sI", payload)
    starts = struct.unpack_from(f">{count}q", payload, 44)
    (values,) = struct.unpack_from(">I", payload, 44 + 8 * count)
    columns = struct.unpack_from(f">{values}Q", payload, 48 + 8 * count)
    assert len(payload) == 48 + 8 * (count + values), "a batch of another length than it says"
    assert count == 0 or values % count == 0
    return Rows(group, name, [(start, *columns[row::count]) for row, start in enumerate(starts)])


def parse_labels(payload: bytes) -> list[bytes]:
    assert len(payload) % 32 == 0
    return [payload[i:i + 32] for i in range(0, len(payload), 32)]


class Connection:
    """One connection: sends any bytes, reads whole frames, and knows when the other side closed."""

    def __init__(self, address: Address, certificate: Union[bytes, None] = None,
                 timeout: float = 20.0, receive_buffer: int = 0, source: str = "") -> None:
        family = socket.AF_UNIX
        if not isinstance(address, str):
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = bytearray()
        self._position = 0
        if certificate is not None:
            self._authenticate(certificate)

    def _authenticate(self, certificate: bytes) -> None:
        try:
            reply = self.request(CONNECT, certificate)
            if reply.opcode != OK:
                raise ConnectionRefusedError(f"CONNECT got {reply}")
        except (OSError, Closed):
            self.close()
            raise

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- bytes ---

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _fill(self, size: int) -> None:
        """Reads until `size` bytes stand ready."""
        while len(self._input) - self._position < size:
            if self._position > 1 << 20:
                del self._input[:self._position]
                self._position = 0
            data = self.socket.recv(1 << 18)
            if not data:
                have = len(self._input) - self._position
                raise Closed(f"closed with {have} of {size} bytes there")
            self._input += data

    def _take(self, size: int) -> bytes:
        self._fill(size)
        data = bytes(self._input[self._position:self._position + size])
        self._position += size
        if self._position == len(self._input):
            self._input.clear()
            self._position = 0
        return data

    # --- frames ---

    def receive(self) -> Reply:
        """The next frame, with its header checked against the format."""
        head = self._take(HEADER_SIZE)
        version, opcode, flags, length = struct.unpack(">BBBI", head[3:])
        assert head[:3] == MAGIC and version == VERSION, f"not a header: {head.hex()}"
        assert opcode in (OK, ERR, PONG), f"not a reply: {head.hex()}"
        assert flags in (0, FLAG_MORE), f"unknown flags: {head.hex()}"
        assert not flags or (opcode == OK and HEADER_SIZE + length <= 65536), \
            f"MORE on what cannot carry it: {head.hex()}"
        assert length <= PAYLOAD_LIMIT
        return Reply(opcode, flags, self._take(length))

    def request(self, opcode: int, payload: bytes = b"", flags: int = 0) -> Reply:
        self.send(frame(opcode, payload, flags))
        return self.receive()

    def round_trips(self, count: int) -> float:
        """Seconds that so many PINGs take, one after the other."""
        began = time.monotonic()
        for _ in range(count):
            reply = self.request(PING)
            assert reply.opcode == PONG, f"not a PONG: {reply}"
        return time.monotonic() - began

    def stream(self) -> Iterator[Reply]:
        """The frames of one streamed reply; the last is the one without MORE."""
        while True:
            reply = self.receive()
            yield reply
            if not reply.flags & FLAG_MORE:
                return

    def wait_for_end(self, seconds: float) -> bytes:
        """Reads until the server closes, and returns what came before. Fails after `seconds`."""
        deadline = time.monotonic() + seconds
        rest = bytes(self._input[self._position:])
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not closed within {seconds} s")
            self.socket.settimeout(left)
            data = self.socket.recv(1 << 16)
            if not data:
                return rest
            rest += data

    # --- operations, where a test is about what they mean ---

    def create(self, series: bytes) -> int:
        return self.request(CREATE_SERIES, series).status

    def drop(self, series: bytes) -> int:
        return self.request(DROP_SERIES, series).status

    def append(self, series: bytes, timestamp: int, value: Union[float, int]) -> int:
        self.send(append_frame(series, timestamp, value))
        return self.receive().status

    def query(self, series: bytes, timestamp: int, opcode: int = QUERY_POINT) -> Union[bytes, None]:
        """The eight bytes of the value, or None when there is no such point."""
        reply = self.request(opcode, series + struct.pack(">q", timestamp))
        assert reply.opcode == OK, f"refused: {reply}"
        if reply.payload == b"\0":
            return None
        assert len(reply.payload) == 9 and reply.payload[0] == 1, reply.payload.hex()
        return reply.payload[1:]

    def negotiate(self, features: int = 0, name: bytes = b"raw") -> Negotiated:
        reply = self.request(NEGOTIATE, negotiate_payload(features, name))
        assert reply.opcode == OK, f"refused: {reply}"
        return parse_negotiated(reply.payload)

    def query_range(self, series: bytes, first: int = I64_MIN, last: int = I64_MAX,
                    limit: int = 0, direction: int = FORWARD) -> list[tuple[int, int]]:
        self.send(range_frame(series, first, last, limit, direction))
        points: list[tuple[int, int]] = []
        for reply in self.stream():
            assert reply.opcode == OK, f"refused: {reply}"
            points += parse_columns(reply.payload)
        return points

    def batch(self, series: bytes, timestamps: Sequence[int],
              values: Sequence[Union[float, int]]) -> tuple[int, list[tuple[int, int]]]:
        reply = self.request(BATCH_APPEND, batch_payload(series, timestamps, values))
        assert reply.opcode == OK, f"refused: {reply}"
        return parse_refused(reply.payload)

    def describe(self, series: bytes) -> Description:
        reply = self.request(DESCRIBE_SERIES, series)
        assert reply.opcode == OK, f"refused: {reply}"
        return parse_description(reply.payload)

    def list_series(self, prefix: bytes = b"", cursor: Union[bytes, None] = None,
                    limit: int = 100) -> tuple[bool, list[bytes]]:
        reply = self.request(LIST_SERIES, list_payload(prefix, cursor, limit))
        assert reply.opcode == OK and reply.payload[0] in (0, 1), f"refused: {reply}"
        return bool(reply.payload[0]), parse_labels(reply.payload[1:])

    def receive_all(self, count: int) -> list[Reply]:
        return [self.receive() for _ in range(count)]


def join(frames: Iterable[bytes]) -> bytes:
    return b"".join(frames)
