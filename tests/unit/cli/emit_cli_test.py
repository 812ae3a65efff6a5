# SPDX-License-Identifier: MIT
"""The generator of the commands: a new operation gets its command without a line of C, and what
cannot be typed as a command is refused at the line of its `cli` entry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COMPILER = os.environ.get("TAU_CC", "cc")

# Fields of every kind, in a request and in a response, with an array of structs beside.
OPERATION = """
[[operation]]
name = "SURVEY"
code = 0x3E
since = 1
kind = "unary"
effect = "read"
scope = "any"
role = "reader"
states = ["authenticated"]
negotiated = true
statuses = ["invalid_payload"]
doc = "Looks at \\"everything\\"; a \\\\ too."
request = [
  { name = "label", type = "label", doc = "A label." },
  { name = "from", type = "timestamp", doc = "A time." },
  { name = "weight", type = "f64", doc = "A number." },
  { name = "exact", type = "bool", doc = "A truth." },
  { name = "direction", type = "direction", doc = "A choice." },
  { name = "words", type = "text", size = "u16", max = 32, doc = "Words.", example = "so" },
  { name = "limit", type = "u16", optional = true, doc = "A count.", example = 1 },
]
response = [
  { name = "total", type = "u64", doc = "A count." },
  { name = "shift", type = "i64", doc = "A number that has a sign." },
  { name = "order", type = "order_policy", doc = "A choice." },
  { name = "latest", type = "point", optional = true, doc = "A point." },
  { name = "peak", type = "f64", only_with = "total", doc = "A number, if there are any." },
  { name = "count", type = "u32", max = 100, doc = "How many." },
  { name = "rows", type = "row", array = "count", doc = "Rows." },
  { name = "refused", type = "refused_row", array = "count", doc = "Refused rows." },
  { name = "times", type = "timestamp", array = "count", doc = "Times." },
]
cli = { command = "survey", summary = "look at everything", ARGUMENTS }
"""

ARGUMENTS = 'arguments = ["label", "from", "weight", "exact", "direction", "words", "limit"]'
OPERATION = OPERATION.replace("ARGUMENTS", ARGUMENTS)


class Commands(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tau-emit-cli-")
        self.addCleanup(directory.cleanup)
        self.spec = Path(directory.name, "protocol")
        self.out = Path(directory.name, "out")
        self.spec.mkdir()
        for file in (ROOT / "protocol").glob("*.toml"):
            shutil.copy(file, self.spec)

    def generate(self, operation: str) -> "subprocess.CompletedProcess[str]":
        path = self.spec / "read.toml"
        path.write_text(path.read_text() + operation)
        env = {**os.environ, "PYTHONPATH": str(ROOT / "gen"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, "-m", "taugen",
                               "--spec", str(self.spec / "tau.toml"),
                               "--out", str(self.out)], capture_output=True, text=True, env=env,
                              check=False)

    def refused(self, operation: str) -> str:
        done = self.generate(operation)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("Traceback", done.stderr)
        line = next(number for number, text in
                    enumerate((self.spec / "read.toml").read_text().splitlines(), 1)
                    if '"survey"' in text)
        self.assertIn(f"read.toml:{line}: ", done.stderr)
        return done.stderr

    def test_every_kind_of_field(self) -> None:
        done = self.generate(OPERATION)
        self.assertEqual(done.returncode, 0, done.stderr)
        source = (self.out / "tau_cli_commands.c").read_text()
        for kind in ("NAME", "TIME", "F64", "BOOL", "ENUM", "TEXT", "UNSIGNED", "SIGNED"):
            self.assertIn(f"CLI_FIELD_{kind}", source)
        peak = source[source.index('"peak"'):].split("}")[0]
        self.assertIn(".needs_offset = offsetof(struct tau_survey_response, total)", peak)
        self.assertEqual(source.count(".needs_offset"), 3)  # peak, and what describe prints
        include = [self.out, self.out / "include", ROOT / "client" / "include",
                   ROOT / "client" / "cli", ROOT / "protocol"]
        compiled = subprocess.run(
            [COMPILER, "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow",
             "-Wconversion", "-Wmissing-prototypes", "-Werror", *(f"-I{path}" for path in include),
             str(self.out / "tau_cli_commands.c")], capture_output=True, text=True, check=False)
        self.assertEqual(compiled.returncode, 0, compiled.stderr)

    def test_custom_needs_only_its_name(self) -> None:
        custom = OPERATION.replace(ARGUMENTS, "custom = true")
        done = self.generate(custom)
        self.assertEqual(done.returncode, 0, done.stderr)
        header = (self.out / "tau_cli_commands.h").read_text()
        self.assertIn("int tau_command_survey(struct cli *cli, int argc, char **argv);", header)

    def test_missing_argument(self) -> None:
        self.assertIn("`weight` is not among the arguments",
                      self.refused(OPERATION.replace('"weight", "exact"', '"exact"')))

    def test_optional_arguments_last(self) -> None:
        moved = ARGUMENTS.replace(', "limit"', "").replace('["label"', '["limit", "label"')
        self.assertIn("may be left out", self.refused(OPERATION.replace(ARGUMENTS, moved)))

    def test_struct_argument(self) -> None:
        self.assertIn("cannot be typed",
                      self.refused(OPERATION.replace('name = "from", type = "timestamp"',
                                                     'name = "from", type = "point"')))

    def test_stream(self) -> None:
        self.assertIn("no unary operation that every transport has",
                      self.refused(OPERATION.replace('kind = "unary"', 'kind = "stream"')))

    def test_session_operation(self) -> None:
        self.assertIn("no unary operation that every transport has",
                      self.refused(OPERATION.replace('scope = "any"', 'scope = "session"')))

    def test_bytes_that_are_no_label(self) -> None:
        root = self.spec / "tau.toml"
        root.write_text(root.read_text()
                        + '\n[[type]]\nname = "digest"\nkind = "bytes"\nsize = 16\n'
                        'doc = "A digest."\nexample = "0123456789abcdef"\n')
        self.assertIn("bytes that are no label",
                      self.refused(OPERATION.replace('name = "label", type = "label"',
                                                     'name = "label", type = "digest"')))


if __name__ == "__main__":
    unittest.main(verbosity=2)
