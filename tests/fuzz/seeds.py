# SPDX-License-Identifier: MIT
"""Makes seeds and dictionaries of the fuzz targets from the golden vectors.

    seeds.py VECTORS SPECIFICATION PAYLOADS OUT

PAYLOADS is the generated tau_tables.c, whose order of payloads is that of the payload target's
first byte. OUT gets a folder for each target and wire.dict, of the form that libFuzzer and AFL++
read. What is longer than the inputs that they make goes to the target's folder in OUT/long: it is
run, but not changed.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import Any, Iterable, Iterator

LONGEST = int(
    re.findall(r"FUZZ_INPUT_MAX = (\d+)", Path(__file__).with_name("fuzz.h").read_text())[0]
)
HEADER, LABEL = 10, 32  # bytes
SESSION_PREFIX, SESSION_WHOLE = bytes(4), bytes([0, 0, 1, 0])
ASKED, SAME = 16, 5  # requests that the prefix of replies has room for, and so many that are made
NEW, BLOCKING = 0x80, 0x40  # its options

# What the targets start from that the vectors say nothing of. The first byte of a text chooses its
# grammar: times, durations, labels, CSV.
TEXTS = {
    "text": [b"\x001700000000", b"\x0c2024-02-29T23:59:59.5Z", b"\x04now-1h30m", b"\x011h30m2.5ms",
             b"\x02cpu.\\x00load", b'\x03time,value\r\n1,"2,""3"\n'],
    "config": [b"[taud]\nlisten = 127.0.0.1:7701,unix:/t\n",
               b"memory = 1.5G\nidle-timeout = 1m30s\n",
               b"durability = interval:100ms\nlog-level = debug ; words\n"],
}  # fmt: skip


def expand(text: str) -> bytes:
    """The bytes of hexadecimal text in which `(3*00ff)` stands for 00 ff three times."""
    parts = re.split(r"\((\d+)\*([0-9a-f]*)\)", text)
    raw = bytes.fromhex(parts[0])
    for times, unit, plain in zip(parts[1::3], parts[2::3], parts[3::3]):
        raw += bytes.fromhex(unit) * int(times) + bytes.fromhex(plain)
    return raw


def frames(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each vector, and its bytes."""
    for line in path.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        yield vector, expand(vector.get("frame") or vector["header"])


class Seeds:
    """The folders of seeds below one directory."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.dictionary: dict[bytes, str] = {}

    def put(self, target: str, name: str, raw: bytes) -> None:
        place = self.out if len(raw) <= LONGEST else self.out / "long"
        path = place / target / name.replace("/", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)

    def word(self, name: str, raw: bytes) -> None:
        if 1 <= len(raw) <= 64:
            self.dictionary.setdefault(raw, re.sub(r"\W+", "_", name))

    def write_dictionary(self, name: str) -> None:
        lines = []
        for raw, word in self.dictionary.items():
            lines.append(f'{word}="' + "".join(f"\\x{byte:02x}" for byte in raw) + '"')
        (self.out / f"{name}.dict").write_text("\n".join(lines) + "\n", encoding="ascii")


def payload_order(tables: Path) -> list[str]:
    rows = tables.read_text(encoding="utf-8").split("tau_payloads[TAU_PAYLOAD_COUNT] = {")[1]
    return re.findall(r'\.name = "(\w+)"', rows)


def sessions(seeds: Seeds, good: dict[str, bytes], operations: list[dict[str, Any]]) -> None:
    """What opens a session, each operation behind it, all of them, and what no session begins with.

    Where all come together, what is used is there: what drops something comes last, and the second
    lens of the composed one is made as the first is.
    """
    opening = good["connect_request"]
    row = {False: b"", True: b""}
    for operation in operations:
        name = operation["name"].lower()
        empty = b"TAU\x01" + bytes([operation["code"]]) + bytes(5)
        frame = good.get(f"{name}_request", empty)
        seeds.put("session", f"opened-{name}", SESSION_PREFIX + opening + frame)
        seeds.put("session", f"new-{name}", SESSION_PREFIX + frame)
        if name not in ("connect", "disconnect"):
            row[name.startswith("drop")] += frame
    wrong = opening[:-1] + b"?"
    seeds.put("session", "wrong-certificates", SESSION_PREFIX + wrong * 3 + opening)
    create, compose = good["create_lens_request"], good["compose_lens_request"]
    second = create[:HEADER] + compose[-LABEL:] + create[HEADER + LABEL :]
    row[False] = good["create_series_request"] + create + second + row[False]
    seeds.put("session", "all", SESSION_PREFIX + opening + row[False] + row[True])


class Replies:
    """A server's answers, in both ways in which a client asks."""

    def __init__(self, seeds: Seeds, model: dict[str, Any]) -> None:
        self.seeds = seeds
        rows = [row for service in model["services"] for row in service["operations"]]
        codes = {row["name"]: row["code"] for row in model["replies"]}
        self.places = {row["name"].lower(): place for place, row in enumerate(rows)}
        self.ok = b"TAU\x01" + bytes([codes["OK"]]) + bytes(5)
        # What the library has a call for.
        rows = [row for row in rows if row["scope"] != "session" or row["cli"]]
        self.any = [self.places[row["name"].lower()] for row in rows]
        for row in rows:
            if not row["response"]["fields"]:
                name = row["name"].lower()
                plain = b"TAU\x01" + bytes([codes[row["reply"]]]) + bytes(5)
                self.put(f"{name}-plain", 0, [self.places[name]], plain * SAME)

    def put(self, name: str, options: int, asked: Iterable[int], replies: bytes) -> None:
        places = bytes(itertools.islice(itertools.cycle(asked), ASKED))
        for way, more in (("", 0), ("-blocking", BLOCKING)):
            prefix = bytes([SAME | options | more, 0]) + places
            if len(replies) <= LONGEST or not more:  # a socket takes no more at once
                self.seeds.put("sdk_reply", name + way, prefix + replies)

    def vector(self, name: str, payload: str, raw: bytes) -> None:
        """A vector answers the operation that it belongs to, an error any."""
        operation = payload.removesuffix("_response")
        replies = raw * (SAME if len(raw) * SAME <= LONGEST else 1)
        if operation == "negotiate":
            self.put(name, NEW, self.any, self.ok + raw + self.ok * SAME)
        elif operation in self.places:
            self.put(name, 0, [self.places[operation]], replies)
        else:
            self.put(name, 0, self.any, replies)


def logs(seeds: Seeds) -> None:
    """Groups of records as FORMAT.md has them: a series, a point, columns, a lens."""
    label = b"a".ljust(LABEL, b"\0")
    records = {
        "series": struct.pack("<BBHIQ", 3, 0, 0, 0, 1) + label,
        "point": struct.pack("<BBHIQqd", 1, 0, 0, 1, 1, 10, 1.5),
        "columns": struct.pack("<BBHIQqqdd", 2, 0, 0, 2, 1, 20, 30, 2.5, 3.5),
        "lens": struct.pack("<BBHI", 5, 0, 0, 1) + label * 2 + bytes(16),
    }
    prefix, groups = bytes(4), b""
    for name, record in records.items():
        groups += struct.pack("<H", len(record)) + record
        seeds.put("log", name, prefix + groups)


def catalogs(seeds: Seeds) -> None:
    """Blocks of records as FORMAT.md has them: a series, its policy and newest time, a lens."""
    label = b"a".ljust(LABEL, b"\0")
    records = {
        "series": struct.pack("<BBHIQ", 3, 0, 0, 0, 1) + label,
        "policy": struct.pack("<BBHIQQ", 9, 2, 0, 0, 1, 3600),
        "newest": struct.pack("<BBHIQq", 10, 0, 0, 0, 1, 50),
        "lens": struct.pack("<BBHI", 5, 0, 0, 1) + label * 2 + bytes(16),
    }
    prefix, blocks = bytes(4), b""
    for name, record in records.items():
        blocks += struct.pack("<H", len(record)) + record
        seeds.put("catalog", name, prefix + blocks)


def segments(seeds: Seeds) -> None:
    """One change of a segment under each set of options; see segment_fuzz.c."""
    for options in range(32):
        seeds.put("segment", str(options), bytes([options, 50, 0, 0]))


def merges(seeds: Seeds) -> None:
    """One change that matters little under each set of options; see merge_fuzz.c."""
    for options in range(32):
        seeds.put("merge", str(options), bytes([options, 0, 0, 0, 40, 0, 0]))
        seeds.put("merge", f"{options}-part", bytes([options, 20, 150, 8, 60, 0, 1]))


def manifests(seeds: Seeds) -> None:
    """A manifest with and without entries, without its checksum; see FORMAT.md."""
    def head(segments: int, others: int) -> bytes:
        return b"TAUMAN\r\n" + struct.pack("<IIQQQQQIIII", 1, 0, 6, 500, 9, 9, 9, segments, others,
                                           others, 0)

    segments = struct.pack("<QQIIQQQqq", 1, 2, 1, 0, 1000, 5, 50, -1, 7)
    segments += struct.pack("<QQIIQQQqq", 3, 3, 0, 0, 1000, 5, 50, -1, 7)
    others = struct.pack("<QQQqqQ", 4, 50, 9, -8, 8, 4)
    seeds.put("manifest", "empty", b"\0" + head(0, 0))
    seeds.put("manifest", "full", b"\0" + head(2, 1) + segments + others)


def chunks(seeds: Seeds) -> None:
    """Chunks as FORMAT.md has them, without checksums; then bytes that points are made of."""
    first, step = struct.pack("<q", 10), b"\x05"
    column = bytes([0, 7, 10]) + bytes(range(7))  # eight integers of seven bits
    sums = bytes([17, 5, 2, 8]) + bytes(5)
    patched = bytes([4, 0, 0, 1, 8, 3, 8, 1])
    decimals = bytes([2, 0, 1, 0]) + column + struct.pack("<Hd", 3, 1 / 3)
    reals = bytes([52, 1, 255, 3, 0, 0]) + bytes(52)
    runs = bytes([2, 0]) + bytes([0, 2, 0, 15]) + b"\x01" + struct.pack("<d", 2.5)
    for name, (t_scheme, timestamps), (v_scheme, values) in (
        ("constant", (0, step), (1, struct.pack("<d", 1.5))),
        ("decimals", (0, step), (2, decimals)),
        ("sums", (2, column), (2, bytes([2, 1, 0, 0]) + sums)),
        ("patches", (2, column), (2, bytes([2, 1, 0, 0]) + patched)),
        ("reals", (3, struct.pack("<7q", *range(11, 18))), (3, reals)),
        ("runs", (1, b"\x02\x00" + bytes([0, 3, 2, 10]) + bytes([0, 4, 4, 33])), (4, runs)),
        ("raw", (0, step), (0, struct.pack("<8d", *range(8)))),
    ):
        head = struct.pack("<IHBBH", 0, 7, t_scheme, v_scheme, len(timestamps))
        seeds.put("chunk", name, b"\0\0" + head + first + timestamps + values)
    for options in range(0, 256, 5):
        points = bytes([options * 7 + i * i % 11 & 255 for i in range(80)])
        seeds.put("chunk", f"points-{options}", bytes([1, options]) + points)


def make(vectors: Path, specification: Path, tables: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    seeds = Seeds(out)
    places = payload_order(tables)
    model = json.loads(specification.read_text(encoding="utf-8"))
    rows = [row for service in model["services"] for row in service["operations"]]
    replies = Replies(seeds, model)
    good: dict[str, bytes] = {}
    for vector, raw in frames(vectors):
        name, payload = vector["name"], vector.get("payload")
        if len(raw) <= LONGEST:  # of a longer one it reads no more
            seeds.put("frame", name, raw)
        seeds.word(f"{name}_header", raw[:HEADER])
        if payload is None:
            continue
        seeds.put("payload", name, bytes([places.index(payload)]) + raw[HEADER:])
        if name.endswith("/example"):
            good[payload] = raw
        if payload.endswith("_request"):
            seeds.word(name, raw[HEADER:])
            if len(raw) > LONGEST:
                seeds.put("session", name, SESSION_WHOLE + good["connect_request"] + raw)
        else:
            replies.vector(name, payload, raw)
    sessions(seeds, good, rows)
    seeds.write_dictionary("wire")
    logs(seeds)
    chunks(seeds)
    catalogs(seeds)
    segments(seeds)
    merges(seeds)
    manifests(seeds)
    for target, texts in TEXTS.items():
        for number, text in enumerate(texts):
            seeds.put(target, str(number), text)


if __name__ == "__main__":
    make(*(Path(argument) for argument in sys.argv[1:5]))
