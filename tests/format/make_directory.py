# SPDX-License-Identifier: MIT
"""Makes a data directory that every later server must open, and a file that says what is in it.

    make_directory.py NAME

writes directories/NAME.tar.xz and NAME.json beside this file with the taud in $TAU_BIN_DIR. Run it
when what a server writes has changed, under a new name, and never again under an old one: the
directories of earlier versions stay as those versions wrote them.
"""

from __future__ import annotations

import io
import json
import lzma
import struct
import sys
import tarfile
from pathlib import Path
from typing import Iterable

import tau_raw as raw
from tau_raw import Connection, frame
from tau_server import Server

DIRECTORIES = Path(__file__).resolve().parent / "directories"
NAN, NAN_WITH_PAYLOAD = 0x7FF8000000000000, 0xFFF00000DEADBEEF
RETENTION = 1 << 63  # nanoseconds: nothing that is written here is ever too old
SPECIAL = [0.0, -0.0, float("inf"), float("-inf"), NAN, NAN_WITH_PAYLOAD, 1, 5e-324, 1.7e308, 20.25]

Value = float | int  # an int is the bits themselves


def must(reply: raw.Reply) -> raw.Reply:
    assert reply.opcode == raw.OK, f"refused: {reply}"
    return reply


def batch(client: Connection, name: bytes, timestamps: Iterable[int]) -> None:
    stamps = list(timestamps)
    values: list[Value] = [SPECIAL[n % len(SPECIAL)] if n % 7 == 0 else n / 4
                           for n in range(len(stamps))]
    assert client.batch(name, stamps, values) == (len(stamps), [])


def lens(client: Connection, name: bytes, source: bytes, transform: bytes) -> None:
    must(client.request(raw.CREATE_LENS, name + source + transform.ljust(32, b"\0")))


def write(client: Connection, turn: int) -> None:
    """Everything that a server keeps, in every form in which it does."""
    base = turn * 10_000
    names = [raw.label(f"{kind}.{turn}") for kind in ("single", "even", "uneven", "gone")]
    single, even, uneven, gone = names
    for name in names + [bytes(range(224 + turn, 256 + turn)) if turn == 0 else b"\xff" * 32]:
        assert client.create(name) == 0
    for number, value in enumerate(SPECIAL):
        assert client.append(single, base + number * number, value) == 0
    batch(client, even, range(base, base + 2800, 7))
    batch(client, uneven, (base + n * n for n in range(40)))
    batch(client, gone, (raw.I64_MIN, 0, raw.I64_MAX))
    rows = [(name, base + 5000 + n, 1.5 * n) for n in range(9) for name in (single, uneven)]
    must(client.request(raw.MULTI_APPEND, raw.multi_payload(rows)))
    lens(client, raw.label(f"kelvin.{turn}"), even, b"celsius_to_kelvin")
    lens(client, raw.label(f"returns.{turn}"), even, b"returns")
    must(client.request(raw.COMPOSE_LENS, raw.label(f"both.{turn}")
                        + raw.label(f"kelvin.{turn}") + raw.label(f"returns.{turn}")))
    lens(client, raw.label("lost"), single, b"log_return")
    must(client.request(raw.DROP_LENS, raw.label("lost")))
    assert client.drop(gone) == 0
    assert client.create(gone) == 0  # another series of that label
    assert client.append(gone, -turn, 1.0) == 0


def stored(client: Connection, opcode: int) -> None:
    """Flushes or compacts."""
    client.send(frame(opcode))
    for reply in client.stream():
        must(reply)


def change(client: Connection, turn: int) -> None:
    """Segments and objects of the catalog, and what is deleted in them."""
    base = turn * 10_000
    even, summed, late = (raw.label(f"{kind}.{turn}") for kind in ("even", "summed", "late"))
    for name, order in ((summed, raw.KEEP_SUM), (late, raw.KEEP_LAST)):
        assert client.create(name) == 0
        must(client.request(raw.SET_POLICY, name + struct.pack(">BQ", order, RETENTION)))
        batch(client, name, range(base, base + 3000, 10))
    stored(client, raw.FLUSH_DATA)
    for name in (summed, late):
        batch(client, name, [base + 500, base + 7, base + 5000])
    must(client.request(raw.DELETE_RANGE, even + struct.pack(">qq", base + 70, base + 200)))
    if turn == 0:
        stored(client, raw.COMPACT)
        batch(client, late, range(base + 6000, base + 6100))
        must(client.request(raw.DELETE_RANGE, late + struct.pack(">qq", base + 300, base + 800)))
        stored(client, raw.FLUSH_DATA)


def tear(server: Server) -> None:
    """What is left of a write that the crash cut short: its group's end is missing."""
    with server.connect() as client:
        name = raw.label("single.0")
        last = client.describe(name).last_timestamp
        assert client.append(name, last + 1, 77.0) == 0
    server.kill()
    ends = {path: len(path.read_bytes().rstrip(b"\0"))
            for path in (server.data_dir / "log").glob("*.log")}
    path = max(ends, key=lambda path: ends[path] > 8192 and path.stat().st_mtime_ns)
    with open(path, "r+b") as file:
        file.seek(ends[path] - 6)
        file.write(b"torn")


def lens_answers(client: Connection, name: bytes) -> dict[str, str]:
    """What a lens makes of some timestamps."""
    answers = {}
    for timestamp in (0, 7, 14, 21, 10_007, 10_014):
        reply = must(client.request(raw.QUERY_LENS, name + struct.pack(">q", timestamp)))
        answers[str(timestamp)] = reply.payload.hex()
    return answers


def policy(client: Connection, name: bytes) -> list[int]:
    """The order policy of a series, and its retention."""
    reply = must(client.request(raw.DESCRIBE_SERIES, name))
    return [reply.payload[8], int.from_bytes(reply.payload[-8:], "big")]


def content(client: Connection) -> dict[str, dict[str, object]]:
    """What a client sees of it: labels and the bits of values in hexadecimal."""
    client.negotiate()
    more, labels = client.list_series(limit=1000)
    assert not more
    lenses = raw.parse_labels(client.request(raw.LIST_LENSES).payload)
    return {"series": {name.hex(): [[timestamp, f"{bits:x}"] for timestamp, bits
                                    in client.query_range(name)] for name in labels},
            "policies": {name.hex(): policy(client, name) for name in labels},
            "lenses": {name.hex(): lens_answers(client, name) for name in sorted(lenses)}}


def pack(directory: Path, archive: Path) -> None:
    """The same bytes whoever makes it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(directory.rglob("*")):
            entry = tarfile.TarInfo(str(path.relative_to(directory)))
            entry.mode = 0o700 if path.is_dir() else 0o600
            if path.is_dir():
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            else:
                entry.size = path.stat().st_size
                tar.addfile(entry, io.BytesIO(path.read_bytes()))
    archive.write_bytes(lzma.compress(data.getvalue(), preset=9))


def make(name: str) -> None:
    server = Server("--workers", "1")
    try:
        for turn in range(2):
            server.start()
            with server.connect() as client:
                write(client, turn)
                change(client, turn)
                expected = content(client)
            if turn == 0:
                server.stop()
            else:
                server.kill()
        server.start()
        tear(server)
        text = json.dumps(expected, separators=(",", ":"))
        (DIRECTORIES / f"{name}.json").write_text(text + "\n")
        pack(server.data_dir, DIRECTORIES / f"{name}.tar.xz")
    finally:
        server.remove()


if __name__ == "__main__":
    make(sys.argv[1])
