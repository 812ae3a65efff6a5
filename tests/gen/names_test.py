# SPDX-License-Identifier: MIT
"""The names that the hand-written half takes, and the generated C whatever the specification says,
are those that the generator refuses: read from the sources, none is missing, none left over."""

from __future__ import annotations

import ast
import re
import unittest
from pathlib import Path

from specification import ROOT, Workspace

from taugen import emit_js, emit_python_operations
from taugen.__main__ import read_model
from taugen.c_names import TAKEN, names_of

HEADERS = ("client/include/tau/*.h", "client/adapters/*/*.h", "client/src/*.h", "protocol/wire/*.h")

CLIENTS = ("AsyncClient", "Client", "Pipeline")
METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
TAG = re.compile(r"\b(?:struct|enum|union)\s+(tau_\w+)")
NAME = re.compile(r"\b(?:tau|TAU)_\w+")
# What a specification can give.
GIVEN = re.compile(
    r"tau_(async|client)_\w+|tau_\w+_(at|callback|copy|decode|encode|from_name|load|name|put|size|"
    r"store)|TAU_\w+_\w+"
)


def names_in(path: Path) -> set[str]:
    """The names that a header declares or uses, as far as a specification could give them."""
    text = NOISE.sub(" ", path.read_text(encoding="utf-8"))
    return set(TAG.findall(text)) | {n for n in NAME.findall(text) if GIVEN.fullmatch(n)}


class NamesTest(unittest.TestCase):
    def test_c(self) -> None:
        paths = [path for pattern in HEADERS for path in sorted(ROOT.glob(pattern))]
        self.assertGreater(len(paths), 20)
        with Workspace() as space:
            small = {name for name, _, _ in names_of(read_model(str(space.root)))}
            self.assertEqual(space.generate().returncode, 0)
            generated = sorted((space.path / "out").rglob("tau*.h"))
            generated += sorted((space.path / "out").rglob("tau/*.h"))
            self.assertGreater(len(generated), 5)
            found = {name for path in generated for name in names_in(path)} - small
        given = {name for name, _, _ in names_of(read_model(str(ROOT / "protocol/tau.toml")))}
        found |= {name for path in paths for name in names_in(path)} - given
        self.assertEqual(sorted(found - TAKEN), [], "not among the taken names")
        self.assertEqual(sorted(TAKEN - found), [], "taken by nobody")

    def test_python(self) -> None:
        """What a client or a pipeline has besides its operations."""
        found: set[str] = set()
        for file in ("aio.py", "client.py"):
            tree = ast.parse((ROOT / "client/python/tau" / file).read_text(encoding="utf-8"))
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and node.name in CLIENTS:
                    found |= {item.name for item in node.body if isinstance(item, METHODS)}
        public = {name for name in found if not name.startswith("_")}
        self.assertEqual(public, emit_python_operations.TAKEN)

    def test_javascript(self) -> None:
        text = (ROOT / "client/js/client.js").read_text(encoding="utf-8")
        method = r"^    (?:(?:get|set|static|async) )*(\w+)\(.*\{$"
        found = set(re.findall(method, text, re.MULTILINE))
        self.assertLessEqual({"close", "call", "stream"}, found)
        self.assertEqual(found | emit_js.OBJECT | {"then"}, emit_js.RESERVED)


if __name__ == "__main__":
    unittest.main()
