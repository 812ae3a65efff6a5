# SPDX-License-Identifier: MIT
"""Reads what recorder.c wrote: the two streams of bytes of each connection, and its times."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

RECORD = struct.Struct("=QIIB7x")

ACCEPTED, CONNECTING, RECEIVED, SENT = b"AKIO"
END, FAILED, SHUT_DOWN, CLOSED, CUT = b"EFSCT"


@dataclass
class Connection:
    """One connection as the process saw it that the recorder stood in."""

    name: str
    played: bool  # a client's: what the server says may be broken on purpose
    began_ns: int
    received: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)
    first_ns: Optional[int] = None  # when bytes were sent first
    end_ns: Optional[int] = None  # the peer said that it sends no more, or was lost
    shut_ns: Optional[int] = None  # this side did
    closed_ns: Optional[int] = None
    cut: bool = False  # what came later was not recorded
    late_bytes: int = 0  # received after this side's last word

    @property
    def requests(self) -> bytearray:
        return self.sent if self.played else self.received

    @property
    def replies(self) -> bytearray:
        return self.received if self.played else self.sent


def _apply(connection: Connection, kind: int, time_ns: int, data: bytes) -> None:
    if kind == RECEIVED:
        if connection.shut_ns is not None:
            connection.late_bytes += len(data)
        else:
            connection.received += data
    elif kind == SENT:
        connection.sent += data
        connection.first_ns = connection.first_ns or time_ns
    elif kind in (END, FAILED):
        connection.end_ns = connection.end_ns or time_ns
    elif kind == SHUT_DOWN:
        connection.shut_ns = connection.shut_ns or time_ns
    elif kind == CUT:
        connection.cut = True


def read_file(path: Path) -> Iterator[Connection]:
    """The connections of one process, each when it ends. A last record that is torn is left out."""
    data = path.read_bytes()
    connections: dict[int, Connection] = {}
    at = 0
    while at + RECORD.size <= len(data):
        time_ns, number, size, kind = RECORD.unpack_from(data, at)
        at += RECORD.size + size
        if at > len(data):
            break
        if kind in (ACCEPTED, CONNECTING):
            connections[number] = Connection(f"{path.name}, connection {number}",
                                             kind == CONNECTING, time_ns)
        elif kind == CLOSED:
            done = connections.pop(number)
            done.closed_ns = time_ns
            yield done
        else:
            _apply(connections[number], kind, time_ns, data[at - size:at])
    yield from connections.values()
