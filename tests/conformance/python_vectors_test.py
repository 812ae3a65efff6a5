# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""Every golden vector through the Python codec: decoded, compared field by field, encoded again,
cut at every byte; every wrong one refused with the status, the field and the offset it states.

So do the vectors of each released version: what was right then is read as it was then; what was
wrong may have become right, as an opcode or a bound that was added since.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from array import array
from pathlib import Path
from typing import Any, Callable, Optional

import python_package
from tau import tables
from tau.codec import (
    DecodeError, Field, Header, Kind, Payload, Shape, Type, decode, encode, read_header,
    write_header,
)  # fmt: skip

MAGIC, VERSION_AT = b"TAU", 3
LONG_ARRAY, LONG_BYTES = 16, 64  # longer ones are written as their number
SIZE = tables.HEADER.size
RELEASED = python_package.SOURCE_DIR / "tests/conformance/released"


def expand(text: str) -> bytes:
    """The bytes of hexadecimal text in which `(3*00ff)` stands for the bytes 00 ff, 3 times."""
    found = b""
    for plain, times, part in re.findall(r"([0-9a-f]+)|\((\d+)\*([0-9a-f]*)\)", text):
        found += bytes.fromhex(plain) if plain else bytes.fromhex(part) * int(times)
    return found


def shown(type_: Type, value: Any) -> Any:
    """One value as the vectors write it."""
    if type_.kind is Kind.STRUCT:
        names = value._fields
        return {name: shown(m, v) for name, m, v in zip(names, type_.members, value)}
    if type_.kind is Kind.BYTES:
        return value.hex()
    if type_.kind is Kind.FLOAT:
        return f"{struct.unpack('>Q', struct.pack('>d', value))[0]:#018x}"
    if type_.values is not None:
        named = {v.value: v.name.lower() for v in type_.values}
        return named.get(value, value)
    return value


def shown_field(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.shape in (Shape.SIZED, Shape.REST):
        raw = value.encode() if isinstance(value, str) else value
        if len(raw) > LONG_BYTES:
            return {"bytes": len(raw)}
        return value if isinstance(value, str) else raw.hex()
    if field.shape in (Shape.COUNTED_ARRAY, Shape.REST_ARRAY):
        if len(value) > LONG_ARRAY:
            return {"elements": len(value)}
        return [shown(field.type, item) for item in value]
    return shown(field.type, value)


def alike(was: Any, now: Any) -> bool:
    """Whether a reading is that of an older version but for what was added since: fields, which are
    missing, and names of values that had none."""
    if isinstance(was, dict) and isinstance(now, dict):
        kept = all(name in now and alike(item, now[name]) for name, item in was.items())
        return kept and all(now[name] is None for name in now if name not in was)
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(alike, was, now))
    return bool(was == now or isinstance(was, int) and isinstance(now, str))


def failure(payload: Payload, raw: bytes) -> Optional[tuple[str, Optional[int], int]]:
    """How a payload is refused, or None."""
    try:
        decode(payload, raw)
    except DecodeError as error:
        return error.status, error.field, error.offset
    return None


class Checks(unittest.TestCase):
    """What is asked of each vector."""

    released = False

    def check_file(self, path: Path) -> None:
        with path.open(encoding="utf-8") as file:
            version = bytes.fromhex(json.loads(next(file))["header"])[VERSION_AT]
        if self.released and version != tables.PROTOCOL_VERSION:
            self.check_refused(path, version)
            return
        checked = {"header": 0, "right": 0, "wrong": 0, "cuts": 0}
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            with self.subTest(row["name"]):
                if "header" in row:
                    self.check_header(row)
                    checked["header"] += 1
                elif "status" in row:
                    self.check_wrong(row)
                    checked["wrong"] += 1
                else:
                    self.check_right(row)
                    checked["right"] += 1
                    checked["cuts"] += sum(run[1] for run in row.get("cuts", []))
        print(checked)
        self.assertTrue(all(checked.values()))

    def check_refused(self, path: Path, version: int) -> None:
        """Of a version whose header bears another number nothing is read."""
        refused = 0
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            raw = expand(row.get("header") or row["frame"])
            if raw[:VERSION_AT] == MAGIC and raw[VERSION_AT] == version:
                with self.subTest(row["name"]), self.assertRaises(DecodeError) as caught:
                    read_header(tables.HEADER, raw)
                found = caught.exception
                self.assertEqual((found.status, found.offset), ("bad_version", VERSION_AT))
                refused += 1
        self.assertGreater(refused, 100)

    def check_header(self, row: dict[str, Any]) -> None:
        raw = bytes.fromhex(row["header"])
        self.assertEqual(len(raw), SIZE)
        if "fields" in row:
            header = Header(**row["fields"])
            self.assertEqual(read_header(tables.HEADER, raw), header)
            self.assertEqual(write_header(tables.HEADER, header), raw)
            for size in range(SIZE):
                self.assertIsNone(read_header(tables.HEADER, raw[:size]))
            return
        try:
            read_header(tables.HEADER, raw)
        except DecodeError as found:
            self.assertEqual((found.status, found.offset), (row["status"], row["offset"]))
        else:
            self.assertTrue(self.released and row["status"] == tables.HEADER.bad_opcode)
            return
        for size in range(row["offset"] + 1):
            self.assertIsNone(read_header(tables.HEADER, raw[:size]))

    def payload(self, row: dict[str, Any]) -> tuple[Payload, bytes]:
        frame = expand(row["frame"])
        header = read_header(tables.HEADER, frame)
        assert header is not None
        self.assertEqual(header.payload_length, len(frame) - SIZE)
        return tables.PAYLOADS[row["payload"]], frame[SIZE:]

    def check_wrong(self, row: dict[str, Any]) -> None:
        self.check_failure(*self.payload(row), (row["status"], row["field"], row["offset"]))

    def check_failure(self, payload: Payload, raw: bytes,
                      wanted: Optional[tuple[str, int, int]]) -> None:  # fmt: skip
        found = failure(payload, raw)
        if not (self.released and found is None):
            self.assertEqual(found, wanted, f"{len(raw)} bytes")

    def check_right(self, row: dict[str, Any]) -> None:
        payload, raw = self.payload(row)
        if self.released and row.get("extra"):
            return  # bytes of no version: one that came since may read them
        values = decode(payload, raw)
        written = {f.name: shown_field(f, values[f.name]) for f in payload.fields}
        if self.released:
            self.assertTrue(alike(row["fields"], written), written)
        else:
            self.assertEqual(written, row["fields"])
        plain = raw[: len(raw) - row.get("extra", 0)]
        self.assertEqual(encode(payload, values), plain)
        self.assertEqual(encode(payload, decode(payload, memoryview(bytearray(raw)))), plain)
        self.check_columns(payload, values, plain)
        size = 0
        for field, count in row.get("cuts", []):
            for length in range(size, size + count):
                wanted = None if field is None else ("invalid_payload", field, length)
                self.check_failure(payload, raw[:length], wanted)
            size += count
        if "cuts" in row:
            self.assertEqual(size, len(raw))

    def check_columns(self, payload: Payload, values: dict[str, Any], raw: bytes) -> None:
        """Columns are taken in every form that a program may have them in."""
        columns = {name: v for name, v in values.items() if isinstance(v, array)}
        if not columns:
            return
        forms: tuple[Callable[[Any], Any], ...] = (list, tuple, iter, memoryview)
        for form in forms if len(raw) <= 4096 else forms[-1:]:
            changed = {name: form(column) for name, column in columns.items()}
            self.assertEqual(encode(payload, {**values, **changed}), raw, str(form))


class Vectors(Checks):
    """The vectors of protocol/published."""

    def test_all(self) -> None:
        self.check_file(python_package.VECTORS)

    def test_every_payload_has_vectors(self) -> None:
        rows = map(json.loads, python_package.VECTORS.read_text(encoding="utf-8").splitlines())
        self.assertEqual({row["payload"] for row in rows if "payload" in row}, set(tables.PAYLOADS))


class Released(Checks):
    """The vectors of each released version."""

    released = True

    def test_all(self) -> None:
        paths = sorted(RELEASED.glob("*/vectors.jsonl"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(version=path.parent.name):
                self.check_file(path)

    def test_a_version_with_another_header(self) -> None:
        older = (RELEASED / "1/vectors.jsonl").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="tau-vectors-") as directory:
            path = Path(directory) / "vectors.jsonl"
            path.write_text(older.replace('"54415501', '"544155fe'), encoding="utf-8")
            self.check_file(path)

    def test_what_may_differ(self) -> None:
        was = {"a": 1, "rows": [{"shade": 7}]}
        self.assertTrue(alike(was, {"a": 1, "rows": [{"shade": "dark"}], "since": None}))
        for now in ({"a": 2, "rows": [{"shade": 7}]}, {"rows": [{"shade": 7}]},
                    {"a": 1, "rows": []}, {"a": 1, "rows": [{"shade": 8}]},
                    {"a": 1, "rows": [{"shade": 7}], "since": 0}):  # fmt: skip
            self.assertFalse(alike(was, now), now)
        self.assertFalse(alike({"shade": "dark"}, {"shade": 7}))


class SmallSpecification(unittest.TestCase):
    """The vectors of the generator's own test specification, which has shapes that Tau has not."""

    # What a codec alone is made of; the rest of the package belongs to Tau's session.
    PARTS = ("codec.py", "columns.py", "errors.py")

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        source = python_package.SOURCE_DIR
        self.env = {**os.environ, "PYTHONPATH": f"{source}/gen:{source}/tests/system",
                    "TAU_BUILD_DIR": str(self.folder),
                    "TAU_VECTORS": str(self.folder / "vectors.jsonl")}  # fmt: skip
        for group in ("build", "published"):
            self.run_python("-m", "taugen", "--spec", str(source / "tests/gen/spec/tau.toml"),
                            "--group", group, "--out", str(self.folder))  # fmt: skip
        for name in self.PARTS:
            shutil.copy(source / "client/python/tau" / name, self.folder / "python/tau")
        (self.folder / "python/tau/__init__.py").touch()

    def run_python(self, *arguments: str) -> None:
        done = subprocess.run([sys.executable, *arguments], env=self.env, capture_output=True,
                              text=True, check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_vectors(self) -> None:
        self.run_python(__file__, "Vectors")
        methods = (self.folder / "python/tau/operations.py").read_text(encoding="utf-8")
        compile(methods, "operations.py", "exec")


if __name__ == "__main__":
    unittest.main(verbosity=2)
