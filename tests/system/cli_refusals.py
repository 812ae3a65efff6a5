# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""tau-cli and what a server may answer though taud seldom or never does: every status, the longest
text of an error, the longest name of a server; and one byte more than each.

The server is a script that refuses whatever it is asked.
"""

from __future__ import annotations

import json
import os
import struct
import unittest
from pathlib import Path

import tau_raw as raw
from tau_cli import ERROR, NO_CONNECTION, REFUSED, ScriptedServer

SPECIFICATION = json.loads(
    (Path(os.environ["TAU_SOURCE_DIR"]) / "protocol/published/specification.json").read_bytes())
LIMITS = {limit["name"]: limit["value"] for limit in SPECIFICATION["limits"]}
TEXT_MAX, NAME_MAX = LIMITS["error_text_bytes"], LIMITS["name_bytes"]
REFUSALS = {status["name"]: status["code"] for status in SPECIFICATION["statuses"]
            if not status["local"] and status["code"]}


class Refuser(ScriptedServer):
    """Accepts every certificate, grants detailed errors, and refuses all else."""

    def __init__(self) -> None:
        self.name = b"refuser"
        self.status = raw.INTERNAL_ERROR
        self.text = b""
        super().__init__()

    def answer(self, opcode: int, payload: bytes) -> bytes:
        if opcode in (raw.CONNECT, raw.DISCONNECT):
            return raw.frame(raw.OK)
        if opcode == raw.NEGOTIATE:
            said = struct.pack(">QQH", raw.FEATURE_DETAILED_ERRORS, 0, len(self.name)) + self.name
            return raw.frame(raw.OK, said + struct.pack(">HH", 0, 0))
        detail = struct.pack(">BHIH", self.status, raw.FIELD_NONE, 0, len(self.text)) + self.text
        return raw.frame(raw.ERR, detail)


class Refusals(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Refuser()
        self.addCleanup(self.server.close)
        self.cli = self.server.cli()

    def test_every_status_with_the_longest_text(self) -> None:
        self.server.text = b"why " * (TEXT_MAX // 4)
        for name, code in REFUSALS.items():
            with self.subTest(name):
                self.server.status = code
                exit_code = NO_CONNECTION if name == "outcome_unknown" else REFUSED
                message = self.cli.fails(exit_code, "create", "kitchen")
                self.assertIn(self.server.text.decode().strip(), message)
                self.assertIn(f"({name})", message)

    def test_a_text_that_is_too_long(self) -> None:
        """It breaks the protocol, so whether the write happened is not known."""
        self.server.text = b"?" * (TEXT_MAX + 1)
        message = self.cli.fails(NO_CONNECTION, "create", "kitchen")
        self.assertIn("malformed error (outcome_unknown)", message)
        self.assertNotIn("???", message)

    def test_the_longest_name(self) -> None:
        self.server.name = b"n" * NAME_MAX
        self.assertIn("(internal_error)", self.cli.fails(REFUSED, "create", "kitchen"))

    def test_a_name_that_is_too_long(self) -> None:
        self.server.name = b"n" * (NAME_MAX + 1)
        message = self.cli.fails(ERROR, "create", "kitchen")
        self.assertIn("(protocol_error)", message)


if __name__ == "__main__":
    unittest.main(verbosity=2)
