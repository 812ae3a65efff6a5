# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""tau-cli and a server that is newer than it: operations that it was not compiled with, one whose
layout has changed, and documents that are none.

The server is a script; its specification is the real one with changes, compiled by the generator.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import tau_raw as raw
from tau_cli import ERROR, OK, REFUSED, USAGE, ScriptedServer

SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
TOTAL, COUNT_UP, UNFIT = 0x3D, 0x3E, 0x3F

NEWER = """
[[operation]]
name = "TOTAL"
code = 0x3D
since = 1
kind = "unary"
effect = "read"
scope = "any"
role = "reader"
states = ["authenticated"]
negotiated = true
statuses = ["series_not_found", "invalid_payload"]
doc = "Adds up the values of rows, as no version before could."
request = [
  { name = "order", type = "direction", doc = "Which way." },
  { name = "least", type = "value", optional = true, doc = "Values below it do not count." },
  { name = "count", type = "u32", max = "list_page", doc = "How many rows." },
  { name = "rows", type = "row", array = "count", doc = "The rows." },
]
response = [
  { name = "total", type = "value", doc = "The sum." },
  { name = "labels", type = "label", array = "rest", max = "list_page", doc = "Whose they were." },
]

[[operation]]
name = "COUNT_UP"
code = 0x3E
since = 1
kind = "stream"
effect = "read"
scope = "any"
role = "reader"
states = ["authenticated"]
negotiated = true
statuses = ["invalid_payload", "cancelled"]
doc = "Counts."
request = [{ name = "to", type = "u32", min = 1, max = 9, doc = "The last number." }]
response = [
  { name = "count", type = "u32", max = "list_page", doc = "How many there are." },
  { name = "numbers", type = "u32", array = "count", doc = "The numbers." },
]

[[operation]]
name = "UNFIT"
code = 0x3F
since = 1
kind = "unary"
effect = "read"
scope = "any"
role = "reader"
states = ["authenticated"]
negotiated = true
statuses = ["invalid_payload"]
doc = "Answers what its own document does not allow."
response = [{ name = "number", type = "u64", doc = "A number." }]
"""


def newer_document() -> bytes:
    """The specification with three operations more, and another QUERY_POINT."""
    with tempfile.TemporaryDirectory(prefix="tau-newer-") as directory:
        for path in (SOURCE / "protocol").glob("*.toml"):
            shutil.copy(path, directory)
        read = Path(directory) / "read.toml"
        text = read.read_text(encoding="utf-8")
        old = '{ name = "timestamp", type = "timestamp", doc = "The exact timestamp." }'
        new = old + ',\n  { name = "nearest", type = "bool", doc = "Or the nearest one." }'
        assert text.count(old) == 1
        read.write_text(text.replace(old, new) + NEWER, encoding="utf-8")
        command = [sys.executable, "-m", "taugen", "--spec", f"{directory}/tau.toml", "--group",
                   "published", "--out", f"{directory}/out"]
        environment = {"PYTHONPATH": str(SOURCE / "gen"), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        document = json.loads(Path(directory, "out/specification.json").read_bytes())
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


class NewerServer(ScriptedServer):
    """Knows the operations of the document and answers as it has them."""

    def __init__(self, document: bytes) -> None:
        self.real = json.loads(document)
        self.document = document  # what is served; a test may change it
        self.asked: list[tuple[int, bytes]] = []
        super().__init__()

    def answer(self, opcode: int, payload: bytes) -> bytes:
        self.asked.append((opcode, payload))
        if opcode == raw.NEGOTIATE:
            return raw.frame(raw.OK, self._negotiated())
        if opcode == raw.SPECIFICATION:
            return raw.frame(raw.OK, self.document)
        if opcode == TOTAL:
            return self._total(payload)
        if opcode == COUNT_UP:
            return self._count_up(struct.unpack(">I", payload)[0])
        if opcode == raw.QUERY_POINT:  # as the newer layout has it
            return raw.frame(raw.OK, b"\1" + struct.pack(">d", 5.0 + payload[40]))
        return raw.frame(raw.OK, b"short" if opcode == UNFIT else b"")

    def _negotiated(self) -> bytes:
        operations: list[dict[str, Any]] = [o for s in self.real["services"]
                                            for o in s["operations"]]
        prints = [struct.pack(">BQ", o["code"], int(o["fingerprint"], 16)) for o in operations]
        return (struct.pack(">QQH", 0, int(self.real["fingerprint"], 16), 5) + b"newer"
                + struct.pack(">HH", 0, len(prints)) + b"".join(prints))

    def _total(self, payload: bytes) -> bytes:
        least = struct.unpack(">d", payload[2:10])[0] if payload[1] else float("-inf")
        start = 10 if payload[1] else 2
        count, = struct.unpack_from(">I", payload, start)
        rows = [struct.unpack_from(">32sqd", payload, start + 4 + 48 * n) for n in range(count)]
        kept = [row for row in rows if row[2] >= least]
        if not kept:
            return raw.frame(raw.ERR, bytes([raw.SERIES_NOT_FOUND]))
        total = sum(row[2] for row in kept)
        return raw.frame(raw.OK, struct.pack(">d", total) + b"".join(row[0] for row in kept))

    def _count_up(self, to: int) -> bytes:
        frames = [raw.frame(raw.OK, struct.pack(">II", 1, n), 0 if n == to else raw.FLAG_MORE)
                  for n in range(1, to + 1)]
        return b"".join(frames)


class Newer(unittest.TestCase):
    document: bytes

    @classmethod
    def setUpClass(cls) -> None:
        cls.document = newer_document()

    def setUp(self) -> None:
        self.server = NewerServer(self.document)
        self.addCleanup(self.server.close)
        self.cli = self.server.cli()

    def asked(self, opcode: int) -> list[bytes]:
        return [payload for asked, payload in self.server.asked if asked == opcode]

    def test_list(self) -> None:
        known = {row.split(",")[0]: row.split(",")[3]
                 for row in self.cli.ok("spec", "--format", "csv").splitlines()[1:]}
        self.assertEqual((known["TOTAL"], known["COUNT_UP"]), ("no", "no"))
        self.assertEqual(known["QUERY_POINT"], "another layout")
        known_well = {name for name, word in known.items() if word == "yes"}
        self.assertEqual(set(known) - known_well, {"TOTAL", "COUNT_UP", "UNFIT", "QUERY_POINT"})

    def test_explanation(self) -> None:
        page = self.cli.ok("spec", "total")
        for words in ("TOTAL, opcode 0x3D, since version 1: a read for the role reader",
                      "known to this tau-cli: no", "as no version before could.",
                      "row[count], at most 2000", "u32 from 0 to 2000", "forward (0): ",
                      "row, 48 bytes, is made of:", "  series_not_found: ",
                      "tau-cli call TOTAL order=direction [least=value] [rows=row,...]"):
            self.assertIn(words, page)
        part = json.loads(self.cli.ok("spec", "TOTAL", "--format", "json"))
        served = json.loads(self.document)
        self.assertIn(part, [o for s in served["services"] for o in s["operations"]])
        self.assertEqual(json.loads(self.cli.ok("spec", "--format", "json")), served)

    def test_call(self) -> None:
        given = ("order=backward", "least=2", "rows=a/1970-01-01T00:00:00.000000007Z/1.5,b\\x2c/-3/"
                 "2,c/0/40")
        self.assertEqual(self.cli.ok("call", "TOTAL", *given), "42\nlabel\nb,\nc\n")
        rows = [(b"a", 7, 1.5), (b"b,", -3, 2.0), (b"c", 0, 40.0)]
        self.assertEqual(self.asked(TOTAL), [
            b"\1\1" + struct.pack(">dI", 2.0, 3)
            + b"".join(struct.pack(">32sqd", *row) for row in rows)])
        self.assertEqual(self.cli.ok("call", "total", "order=forward", "rows=x/1/1", "--format",
                                     "jsonl"), '{"total": 1}\n{"label": "x"}\n')

    def test_stream(self) -> None:
        self.assertEqual(self.cli.ok("call", "COUNT_UP", "to=4", "--format", "csv"),
                         "number\n1\n2\n3\n4\n")

    def test_refusals(self) -> None:
        self.assertIn("(series_not_found)",
                      self.cli.fails(REFUSED, "call", "TOTAL", "order=forward"))
        self.assertIn("to: `10` is not a whole number from 1 to 9",
                      self.cli.fails(USAGE, "call", "COUNT_UP", "to=10"))
        self.assertIn("did you mean COUNT_UP?", self.cli.fails(USAGE, "call", "count-up"))
        self.assertIn("number: it ends too early", self.cli.fails(ERROR, "call", "UNFIT"))
        self.assertEqual(self.asked(COUNT_UP), [])

    def test_operation_of_another_layout(self) -> None:
        """It alone is refused, before it is sent, and by name; the generic call makes it."""
        words = self.cli.fails(REFUSED, "get", "cpu", "5")
        self.assertEqual(words, "tau-cli: get: cpu: client and server were compiled with different "
                         "layouts of QUERY_POINT (layout_mismatch); upgrade tau-cli, or use "
                         "`tau-cli call`\n")
        self.assertEqual(self.asked(raw.QUERY_POINT), [])
        self.assertEqual(self.cli.ok("append", "cpu", "5", "1"), "")
        self.assertEqual(len(self.asked(raw.APPEND)), 1)
        self.assertEqual(self.cli.ok("call", "QUERY_POINT", "label=cpu", "timestamp=5",
                                     "nearest=true"), "6\n")
        self.assertEqual(self.asked(raw.QUERY_POINT),
                         [raw.label("cpu") + struct.pack(">q?", 5, True)])

    def test_documents_that_are_none(self) -> None:
        """Whatever is served, tau-cli ends in order: by a code of its own and with words."""
        good = self.document
        bad = [b"", b"null", b"[]", b"{}", b"\0", b"\xff" * 100, b"[" * 100_000, b"9" * 5000,
               good[:-1], good[:len(good) // 2], good.replace(b'"code":61', b'"code":1e999'),
               good.replace(b'"size":48', b'"size":7'),
               good.replace(b'"type":"u32"', b'"type":"u33"'),
               good.replace(b'"shape":"fixed"', b'"shape":{}'),
               good.replace(b'"max_count":2000', b'"max_count":18446744073709551616')]
        for document in bad:
            self.server.document = document
            for command in (("spec",), ("spec", "TOTAL"), ("call", "COUNT_UP", "to=1")):
                done = self.cli.run(*command)
                self.assertEqual(done.returncode, ERROR, (document[:50], done))
                self.assertIn(b"specification cannot be read: ", done.stderr)
        self.server.document = good
        self.assertEqual(self.cli.run("spec").returncode, OK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
