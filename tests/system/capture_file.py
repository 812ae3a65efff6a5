# SPDX-License-Identifier: MIT
"""Writes captures of TCP connections, packet by packet, as pcap or pcapng; and reads golden
vectors.

Nothing is sent anywhere: Ethernet, IPv4 or IPv6 and TCP are made here, so a test may split, repeat,
reorder or leave out segments as it likes.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional

SOURCE_DIR = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[2]))
PUBLISHED = SOURCE_DIR / "protocol" / "published"
SPECIFICATION: dict[str, Any] = json.loads((PUBLISHED / "specification.json").read_text())
SERVER_PORT = int(SPECIFICATION["default_listen"].rpartition(":")[2])
CLIENT_PORT = 0xC000  # the first of those that no protocol has for its own
SYN, ACK, FIN = 0x02, 0x10, 0x01
_SEGMENT = 60_000

_REPEAT = re.compile(r"\((\d+)\*([0-9a-f]+)\)")


def expand(text: str) -> bytes:
    """The bytes of a vector's text, in which `(3*00ff)` stands for a repetition."""
    return bytes.fromhex(_REPEAT.sub(lambda m: m[2] * int(m[1]), text))


def vectors() -> Iterator[dict[str, Any]]:
    with open(PUBLISHED / "vectors.jsonl", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def operations() -> list[dict[str, Any]]:
    return [o for s in SPECIFICATION["services"] for o in s["operations"]]


def example_of(payload: str) -> bytes:
    """The example frame of a payload."""
    return next(expand(v["frame"]) for v in vectors() if v["name"] == f"{payload}/example")


def request_of(operation: dict[str, Any]) -> bytes:
    """A right request of an operation."""
    if operation["request"]["fields"]:
        return example_of(operation["request"]["name"])
    return b"TAU\x01" + bytes([operation["code"], 0, 0, 0, 0, 0])


@dataclass(frozen=True)
class Exchange:
    """A vector as what crosses a connection: the request first where the vector is a reply."""

    vector: dict[str, Any]
    request: bytes
    reply: bytes
    operation: str

    @property
    def frame(self) -> bytes:
        return self.reply or self.request


def exchanges() -> list[Exchange]:
    """Every golden vector of a payload; errors answer any operation."""
    by_payload = {o[kind]["name"]: (o, kind)
                  for o in operations() for kind in ("request", "response")}
    found = []
    for vector in vectors():
        if "frame" not in vector:
            continue
        anything = (operations()[0], "response")
        operation, kind = by_payload.get(vector["payload"], anything)
        frame = expand(vector["frame"])
        if kind == "request":
            found.append(Exchange(vector, frame, b"", operation["name"]))
        else:
            found.append(Exchange(vector, request_of(operation), frame, operation["name"]))
    return found


def expected_error(vector: dict[str, Any]) -> Optional[tuple[str, Optional[str], int]]:
    """The status, the name of the field and the offset with which a vector is refused."""
    if "status" not in vector:
        return None
    number = vector.get("field")
    name = None if number is None else _fields_of(vector["payload"])[number]["name"]
    return vector["status"], name, vector["offset"]


def _fields_of(payload: str) -> list[dict[str, Any]]:
    all_ = [o[k] for o in operations() for k in ("request", "response")]
    all_ += [r["payload"] for r in SPECIFICATION["replies"]]
    return next(p["fields"] for p in all_ if p["name"] == payload)


def cut_exchanges() -> Iterator[tuple[Exchange, Optional[str]]]:
    """Every shorter payload of the vectors that say what each is; the field at fault or None."""
    for exchange in exchanges():
        frame, fields = exchange.frame, _fields_of(exchange.vector["payload"])
        runs = exchange.vector.get("cuts", [])
        faults = [number for number, lengths in runs for _ in range(lengths)]
        for length, number in enumerate(faults):
            cut = frame[:6] + length.to_bytes(4, "big") + frame[10:10 + length]
            vector = {"name": f"{exchange.vector['name']} cut to {length}",
                      "payload": exchange.vector["payload"]}
            if number is not None:
                vector.update(status="invalid_payload", field=number, offset=length)
            yield (Exchange(vector, exchange.request if exchange.reply else cut,
                            cut if exchange.reply else b"", exchange.operation),
                   None if number is None else fields[number]["name"])


@dataclass
class Capture:
    """Packets of captured connections."""

    ipv6: bool = False
    packets: list[bytes] = field(default_factory=list)

    def add(self, connection: "Connection", reply: bool, sequence: int, data: bytes,
            flags: int = ACK) -> None:
        ends = (connection.client_port, connection.server_port)
        source, destination = reversed(ends) if reply else ends
        tcp = struct.pack(">HHIIBBHHH", source, destination, sequence & 0xFFFFFFFF, 1, 5 << 4,
                          flags, 65535, 0, 0)
        self.packets.append(self._ethernet(reply, tcp + data))

    def _ethernet(self, reply: bool, segment: bytes) -> bytes:
        family = socket.AF_INET6 if self.ipv6 else socket.AF_INET
        texts = ("2001:db8::1", "2001:db8::2") if self.ipv6 else ("192.0.2.1", "192.0.2.2")
        client, server = (socket.inet_pton(family, text) for text in texts)
        pair = server + client if reply else client + server
        if self.ipv6:
            ip = struct.pack(">IHBB", 6 << 28, len(segment), 6, 64) + pair
        else:
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + pair
        kind = b"\x86\xdd" if self.ipv6 else b"\x08\0"
        return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + kind + ip + segment

    def pcap(self, order: str = "<", nanoseconds: bool = False) -> bytes:
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 1 << 18, 1)]
        for number, packet in enumerate(self.packets):
            size = len(packet)
            parts += [struct.pack(order + "IIII", 1_700_000_000, number, size, size), packet]
        return b"".join(parts)

    def pcapng(self, order: str = "<") -> bytes:
        def block(kind: int, body: bytes) -> bytes:
            body += b"\0" * (-len(body) % 4)
            size = struct.pack(order + "I", len(body) + 12)
            return struct.pack(order + "I", kind) + size + body + size
        parts = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
                 block(1, struct.pack(order + "HHI", 1, 0, 0)),
                 block(5, struct.pack(order + "III", 0, 0, 0))]  # statistics: to be passed over
        for packet in self.packets:
            head = struct.pack(order + "IIIII", 0, 0, 0, len(packet), len(packet))
            parts.append(block(6, head + packet))
        return b"".join(parts)


class Connection:
    """One connection of a capture. Each direction has its own sequence numbers."""

    def __init__(self, capture: Capture, client_port: int, server_port: int = SERVER_PORT,
                 opened: bool = False, first: int = 1000) -> None:
        self.capture = capture
        self.client_port = client_port
        self.server_port = server_port
        self.next = [first, first + 7]
        if opened:
            self.capture.add(self, False, self.next[0], b"", SYN)
            self.capture.add(self, True, self.next[1], b"", SYN | ACK)
            self.next = [first + 1, first + 8]

    def send(self, data: bytes, reply: bool = False, piece: int = _SEGMENT) -> None:
        for at in range(0, len(data), piece):
            part = data[at:at + piece]
            self.capture.add(self, reply, self.next[reply], part)
            self.next[reply] += len(part)


def one_connection_each(all_: Iterable[Exchange], piece: int = 60_000,
                        server_port: int = SERVER_PORT) -> Capture:
    """Each exchange on a connection of its own, in segments of at most `piece` bytes."""
    capture = Capture()
    for number, exchange in enumerate(all_):
        connection = Connection(capture, CLIENT_PORT + number, server_port)
        connection.send(exchange.request, piece=piece)
        connection.send(exchange.reply, reply=True, piece=piece)
    return capture
