# SPDX-License-Identifier: MIT
"""A change of the specification rebuilds exactly what depends on it.

A copy of the protocol and the generator is built with Ninja; then one line at a time is changed,
and the objects that Ninja builds are compared with those that may have changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from specification import ROOT


class RebuildTest(unittest.TestCase):
    """One build tree, changed step by step."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory(prefix="tau-rebuild-")
        cls.source = Path(cls.directory.name) / "source"
        cls.build = Path(cls.directory.name) / "build"
        for part in ("protocol", "gen"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, cls.source / part, ignore=ignore)
        shutil.copy(ROOT / "CMakeLists.txt", cls.source)
        command = ["cmake", "-S", str(cls.source), "-B", str(cls.build), "-G", "Ninja"]
        command += ["-DTAU_ROOMS=protocol", "-DCMAKE_BUILD_TYPE=Debug"]
        command += [f"-DCMAKE_C_COMPILER={os.environ.get('TAU_CC', 'cc')}"]
        command += [f"-DCMAKE_CXX_COMPILER={os.environ.get('TAU_CXX', 'c++')}"]
        subprocess.run(command, check=True, capture_output=True)
        cls.ninja()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.directory.cleanup()

    @classmethod
    def ninja(cls) -> set[str]:
        """Builds, and gives the names of the objects that were built."""
        command = ["ninja", "-C", str(cls.build), "-j2", "-v"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stdout[-4000:])
        return set(re.findall(r"-o \S*/(\w+)\.c\.o", result.stdout))

    def change(self, file: str, old: str, new: str) -> set[str]:
        path = self.source / "protocol" / file
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        built = self.ninja()
        self.assertEqual(self.ninja(), set(), "a second build still finds something to do")
        return built

    def test_nothing_changed(self) -> None:
        self.assertEqual(self.ninja(), set())

    def test_a_comment(self) -> None:
        self.assertEqual(self.change("read.toml", "# Reading points.", "# Reads."), set())

    def test_words_of_a_command(self) -> None:
        self.assertEqual(self.change("series.toml", 'summary = "drop', 'summary = "remove'), set())

    def test_words_that_only_the_reference_has(self) -> None:
        old = 'doc = "A length that the operation cannot have."'
        self.assertEqual(self.change("tau.toml", old, 'doc = "A wrong length."'), set())

    def test_the_order_of_a_session(self) -> None:
        old, new = 'refuses_with = "not_authenticated"', 'refuses_with = "bad_flags"'
        self.assertEqual(self.change("tau.toml", old, new), {"tau_session"})

    def test_a_bound_of_a_field(self) -> None:
        old = 'size = "u16", max = 32, doc = "Only labels'
        built = self.change("series.toml", old, old.replace("32", "31"))
        self.assertEqual(built, {"tau_decode", "tau_encode", "tau_operation_table", "tau_tables"})

    def test_a_role(self) -> None:
        built = self.change("write.toml", 'role = "writer"', 'role = "admin"')
        self.assertEqual(built, {"tau_operation_table"})


if __name__ == "__main__":
    if not shutil.which("ninja") or not shutil.which("cmake"):
        print("skipped: cmake or ninja is not installed")
        sys.exit(77)
    unittest.main()
