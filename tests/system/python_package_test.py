# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The Python package as its users get it: strictly typed, installed by cmake, with a README whose
examples run and names that are there."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from python_package import BUILD_DIR, PACKAGE_DIR, SOURCE_DIR
import tau
from tau import operations, statuses
from tau_server import CERTIFICATE, Server

README = SOURCE_DIR / "client" / "python" / "README.md"
USE = """
import tau
from typing import assert_type

async def use(client: tau.AsyncClient) -> None:
    assert_type(await client.query_point("a", 1), float | None)
    async for batch in client.query_range("a", 0, 1, 0, tau.Direction.FORWARD):
        assert_type(batch, tau.QueryRangeResponse)

def block(client: tau.Client) -> None:
    assert_type(client.batch_append(b"a", [1], [1.0]), tau.BatchAppendResponse)
    assert_type(client.pipeline().query_latest("a").result(), tau.Point | None)
"""
WRONG_USE = """
import tau

def block(client: tau.Client) -> None:
    client.append("a", "now", 1.0)
    client.query_point("a", 1) + 1
"""


def mypy(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = shutil.which("mypy")
    if command is None:
        raise unittest.SkipTest("there is no mypy")
    return subprocess.run([command, "--strict", "--python-version", "3.11", *arguments],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "MYPYPATH": str(PACKAGE_DIR)})  # fmt: skip


class Types(unittest.TestCase):
    """What mypy says."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_package_and_users_are_strictly_typed(self) -> None:
        """No error in the package or in its right use, and exactly those of its wrong use."""
        (self.folder / "right.py").write_text(USE)
        (self.folder / "wrong.py").write_text(WRONG_USE)
        done = mypy("--cache-dir", str(self.folder / "cache"), str(PACKAGE_DIR / "tau"),
                    str(self.folder / "right.py"), str(self.folder / "wrong.py"))  # fmt: skip
        errors = [line for line in done.stdout.splitlines() if ": error:" in line]
        self.assertEqual(len(errors), 2, done.stdout + done.stderr)
        for line in errors:
            self.assertIn("wrong.py:", line)


class Package(unittest.TestCase):
    """What is in it."""

    def test_only_the_standard_library_is_imported(self) -> None:
        for path in (PACKAGE_DIR / "tau").glob("*.py"):
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE):
                self.assertIn(name, sys.stdlib_module_names, path.name)

    def test_every_status_has_its_exception(self) -> None:
        for status in statuses.Status:
            if status is not statuses.Status.SUCCESS:
                kind = statuses.EXCEPTIONS[status]
                self.assertEqual(kind("").status, status)
                self.assertIs(getattr(tau, kind.__name__), kind)
        self.assertTrue(tau.OutcomeUnknown("").outcome_unknown)
        self.assertTrue(tau.StorageFull("").retryable)
        self.assertTrue(tau.ReadOnly("").fatal)
        again = tau.OutOfOrder("why", operation="A", field=1, offset=2).again("B")
        self.assertEqual((str(again), again.field, again.offset), ("B: why", 1, 2))

    def test_documentation_is_that_of_the_specification(self) -> None:
        words = " ".join((operations.BlockingOperations.append.__doc__ or "").split())
        self.assertIn("Appends one point. The OK is sent when the point is durable.", words)
        self.assertIn("timestamp: Later than every timestamp of the series, unless its order "
                      "policy takes others.", words)
        self.assertIn("OutOfOrder", words)

    def test_labels(self) -> None:
        self.assertEqual(tau.label("a\u00e9"), b"a\xc3\xa9" + bytes(29))
        self.assertEqual(tau.label_text(tau.label("a\u00e9")), "a\u00e9")
        self.assertEqual(tau.label_text(b"\xff\0a" + bytes(29)), "\\xff\0a")
        with self.assertRaises(ValueError):
            tau.label("x" * 33)

    def test_install(self) -> None:
        cmake = shutil.which("cmake")
        assert cmake is not None
        with tempfile.TemporaryDirectory() as prefix:
            subprocess.run([cmake, "--install", str(BUILD_DIR), "--component", "python",
                            "--prefix", prefix], capture_output=True, check=True)  # fmt: skip
            found = sorted(Path(prefix).rglob("tau/__init__.py"))
            self.assertEqual(len(found), 1)
            self.assertTrue(found[0].with_name("py.typed").exists())
            done = subprocess.run([sys.executable, "-c", "import tau; print(tau.__file__)"],
                                  env={"PYTHONPATH": str(found[0].parents[1])}, text=True,
                                  capture_output=True, check=True)  # fmt: skip
            self.assertEqual(Path(done.stdout.strip()), found[0])


class Readme(unittest.TestCase):
    """Its examples, run against a server."""

    def test_examples(self) -> None:
        examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
        self.assertEqual(len(examples), 2)
        said = io.StringIO()
        with Server() as server, contextlib.redirect_stdout(said):
            assert not isinstance(server.address, str)
            host, port = server.address
            for example in examples:
                self.assertIn('"127.0.0.1:7701"', example)
                code = example.replace("127.0.0.1:7701", f"{host}:{port}")
                exec(compile(code, str(README), "exec"), {"certificate": CERTIFICATE})
        self.assertEqual(said.getvalue().splitlines(), [
            "100 stored, 0 refused", "101 points", "[0.25, 0.25, 0.25]", "0.5 0.25", "1 points",
        ])  # fmt: skip


if __name__ == "__main__":
    unittest.main(verbosity=2)
