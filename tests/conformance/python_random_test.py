# SPDX-License-Identifier: MIT
# ctest: timeout=900
"""All golden vectors and random messages, right and wrong, through the Python codec and the
generated C: both must accept the same ones and encode them to the same bytes, and refuse the others
with the same status, field and offset. Headers are compared with the byte-at-a-time machine too,
split at every point.

TAU_RANDOM_MESSAGES sets how many messages, TAU_RANDOM_SEED with which the numbers begin. A million
takes some two minutes:

    TAU_RANDOM_MESSAGES=1000000 ctest --test-dir build/release -V -R conformance.python_random
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import time
import unittest
from typing import Any, Iterator, Optional

import python_package
from python_vectors_test import expand
from tau import tables
from tau.codec import (
    DecodeError, Field, Header, Kind, Payload, Shape, Type, decode, encode, read_header,
    write_header,
)  # fmt: skip
from tau.statuses import Status

MESSAGES = int(os.environ.get("TAU_RANDOM_MESSAGES", "30000"))
SEED = int(os.environ.get("TAU_RANDOM_SEED", "7701"))
AT_ONCE = 5_000
PEER = python_package.BUILD_DIR / "tests" / "conformance_python_peer"
NO_FIELD, NOT_WHOLE = 0xFFFF, 0xFF
LETTERS = "aZ 09\0\x7f\u00e9\u20ac\U0001d11e\u07ff\ud7ff\uffff\U0010ffff"
BROKEN_TEXT = (b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xff",
               b"\xf0\x80\x80\xaf", b"\xe0\x9f\xbf", b"\xf5\x80\x80\x80")  # fmt: skip


class Messages:
    """Draws messages."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def integer(self, size: int, signed: bool) -> int:
        bits = 8 * size
        edge = self.random.choice((0, 1, (1 << bits) - 1, 1 << bits - 1, (1 << bits - 1) - 1))
        number = edge if self.random.random() < 0.3 else self.random.getrandbits(bits)
        return number - (1 << bits) if signed and number >> bits - 1 else number

    def one(self, type_: Type) -> Any:
        """A legal value of a fixed type."""
        if type_.kind is Kind.STRUCT:
            return tuple(self.one(member) for member in type_.members)
        if type_.kind is Kind.BYTES:
            return self.random.randbytes(type_.size)
        if type_.kind is Kind.FLOAT:
            return struct.unpack(">d", self.integer(8, False).to_bytes(8, "big"))[0]
        if type_.kind is Kind.BOOL:
            return self.random.random() < 0.5
        if type_.values is not None and (not type_.open or self.random.random() < 0.7):
            known = [v for v in type_.values if v < 1 << 8 * type_.size]
            return self.random.choice(known)
        return self.integer(type_.size, type_.code == "q")

    def text(self, most: int) -> str:
        text = "".join(self.random.choices(LETTERS, k=self.random.randrange(20)))
        while len(text.encode()) > most:
            text = text[:-1]
        return text

    def field(self, payload: Payload, field: Field, counts: dict[str, int]) -> Any:
        if field.shape is Shape.OPTIONAL and self.random.random() < 0.4:
            return None
        if field.shape in (Shape.SIZED, Shape.REST):
            if field.type.kind is Kind.TEXT:
                return self.text(field.max_bytes)
            most = min(field.max_bytes, 40)
            return self.random.randbytes(self.random.randint(0, most))
        if field.shape in (Shape.COUNTED_ARRAY, Shape.REST_ARRAY):
            key = field.count_field or field.name
            least = payload.by_name[key].minimum or 0
            few = least + self.random.randrange(7)
            count = counts.setdefault(key, min(few, field.max_count))
            return [self.one(field.type) for _ in range(count)]
        if field.minimum is None and field.maximum is None:
            return self.one(field.type)
        low, high = field.minimum or 0, field.maximum
        top = (1 << 8 * field.type.size) - 1 if high is None else high
        return self.random.choice((low, top, self.random.randint(low, top)))

    def right(self, payload: Payload) -> bytes:
        counts: dict[str, int] = {}
        tails = [f.tail for f in payload.fields if f.tail]
        left_out = self.random.choice(tails) if tails and self.random.random() < 0.5 else None
        values: dict[str, Any] = {}
        missing = False
        for field in payload.fields:
            missing = missing or (field.tail != "" and field.tail == left_out)
            if missing:
                values[field.name] = None
            elif not field.counts:
                values[field.name] = self.field(payload, field, counts)
        raw = encode(payload, values)
        longer = payload.extensible and self.random.random() < 0.2
        return raw + self.random.randbytes(self.random.randrange(9)) if longer else raw

    def wrong(self, raw: bytes) -> bytes:
        """Something happens to a message; it may stay right."""
        at = self.random.randrange(len(raw) + 1)
        happens = self.random.randrange(6)
        if happens == 0:
            return raw[:at]
        if happens == 1:
            return raw + self.random.randbytes(self.random.randrange(1, 40))
        if happens == 2:
            return raw[:at] + self.random.choice(BROKEN_TEXT) + raw[at:]
        if happens == 3:
            part = self.random.choice((b"\0", b"\1", b"\2", b"\xff", b"\0\0\0\1", b"\xff" * 4))
            return raw[:at] + part + raw[at + len(part) :]
        if happens == 4:
            return raw[:at] + raw[at + self.random.randrange(1, 9) :]
        return self.random.randbytes(self.random.randrange(120))

    def payload(self) -> tuple[str, bytes]:
        name = self.random.choice(list(tables.PAYLOADS))
        raw = self.right(tables.PAYLOADS[name])
        while self.random.random() < 0.5:
            raw = self.wrong(raw)
        return name, raw

    def header(self) -> tuple[str, bytes]:
        edge = tables.HEADER.max_length + self.random.choice((-1, 0, 1))
        length = self.random.choice((0, 1, edge, self.random.getrandbits(32)))
        opcode = self.random.choice(sorted(tables.HEADER.opcodes))
        raw = write_header(tables.HEADER, Header(opcode, self.random.getrandbits(8), length))
        while self.random.random() < 0.5:
            raw = self.wrong(raw)
        return "", raw[:16]

    def draw(self, count: int) -> Iterator[tuple[str, bytes]]:
        for _ in range(count):
            yield self.header() if self.random.random() < 0.2 else self.payload()


def golden() -> Iterator[tuple[str, bytes]]:
    """The golden vectors, those of frames without their header."""
    for line in python_package.VECTORS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "header" in row:
            yield "", expand(row["header"])
        else:
            yield row["payload"], expand(row["frame"])[tables.HEADER.size :]


class Answers:
    """What the C program said."""

    def __init__(self, messages: list[tuple[str, bytes]]) -> None:
        said = b"".join(bytes([len(name)]) + name.encode() + struct.pack(">I", len(raw)) + raw
                        for name, raw in messages)  # fmt: skip
        done = subprocess.run([str(PEER)], input=said, capture_output=True, check=True)
        self.data = done.stdout
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return found

    def payload(self) -> tuple[int, Any, Any]:
        status = self.take(">B")[0]
        if status:
            field, offset = self.take(">HI")
            return status, field, offset
        size = self.take(">I")[0]
        self.at += size
        return status, self.data[self.at - size : self.at], None


def in_python(name: str, raw: bytes) -> tuple[int, Any, Any]:
    """What the Python codec finds in a payload."""
    payload = tables.PAYLOADS[name]
    try:
        return 0, encode(payload, decode(payload, raw)), None
    except DecodeError as error:
        field = NO_FIELD if error.field is None else error.field
        return Status[error.status.upper()], field, error.offset


def step_by_step(raw: bytes) -> tuple[int, bool, int]:
    """A header read byte by byte in Python: its status, whether it is whole, the bytes taken."""
    for size in range(len(raw) + 1):
        try:
            if read_header(tables.HEADER, raw[:size]) is not None:
                return 0, True, size
        except DecodeError as error:
            return Status[error.status.upper()], False, size
    return 0, False, len(raw)


class Comparison(unittest.TestCase):
    """Python and C on the same messages."""

    def setUp(self) -> None:
        self.seen: dict[str, int] = {}

    def count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def test_random_messages(self) -> None:
        drawn = Messages(SEED)
        began = time.monotonic()
        left = MESSAGES
        while left > 0:
            messages = list(drawn.draw(min(left, AT_ONCE)))
            left -= len(messages)
            self.compare(messages)
        print(f"{MESSAGES} messages in {time.monotonic() - began:.1f} s, seed {SEED}: {self.seen}")
        for what in ("header right", "header wrong", "header cut"):
            self.assertGreater(self.seen.get(what, 0), MESSAGES // 200, what)
        for name, payload in tables.PAYLOADS.items():
            self.assertGreater(self.seen.get(f"{name} right", 0), MESSAGES // 500, name)
            if payload.fields[0].shape is not Shape.REST:
                self.assertGreater(self.seen.get(f"{name} wrong", 0), 0, name)

    def test_golden_vectors(self) -> None:
        messages = list(golden())
        self.compare(messages)
        print(f"{len(messages)} vectors: {self.seen}")
        self.assertEqual({name for name, _ in messages}, {"", *tables.PAYLOADS})
        for what in ("header right", "header wrong"):
            self.assertGreater(self.seen.get(what, 0), 0, what)

    def compare(self, messages: list[tuple[str, bytes]]) -> None:
        answers = Answers(messages)
        for name, raw in messages:
            if name:
                self.compare_payload(name, raw, answers)
            else:
                self.compare_header(raw, answers)
        self.assertEqual(answers.at, len(answers.data))

    def compare_payload(self, name: str, raw: bytes, answers: Answers) -> None:
        theirs, ours = answers.payload(), in_python(name, raw)
        self.assertEqual(ours, theirs, f"{name}: {raw.hex()}")
        self.count(f"{name} {'wrong' if ours[0] else 'right'}")

    def compare_header(self, raw: bytes, answers: Answers) -> None:
        status, offset, opcode, flags, length = answers.take(">BIBBI")
        found: Optional[Header] = None
        try:
            found = read_header(tables.HEADER, raw)
            ours = 0 if found else NOT_WHOLE
            self.count("header right" if found else "header cut")
        except DecodeError as error:
            ours = Status[error.status.upper()] if len(raw) >= tables.HEADER.size else NOT_WHOLE
            self.assertEqual(error.offset if ours != NOT_WHOLE else 0, offset)
            self.count("header wrong")
        self.assertEqual(ours, status, raw.hex())
        self.assertEqual(found or Header(0, 0, 0), Header(opcode, flags, length), raw.hex())
        once = step_by_step(raw)
        for split in range(len(raw) + 1):
            machine = answers.take(">BBB")
            self.assertEqual(machine, once, f"{raw.hex()} split at {split}")
            if machine[1]:
                header = Header(*answers.take(">BBI"))
                self.assertEqual(header, read_header(tables.HEADER, raw), f"{raw.hex()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
