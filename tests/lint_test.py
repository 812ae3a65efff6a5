# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""What is generated and protocol/wire are clean under clang-tidy and cppcheck, and either would be
seen to find something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LINT = Path(__file__).resolve().parent / "lint"
BUILD = os.environ.get("TAU_BUILD_DIR", "build/release")

# One fault that only clang-tidy is asked for, and one that only cppcheck is.
FOR_TIDY = "int f(int a);\nint f(int a)\n{\n    int b = a;\n    b = 2;\n    return a;\n}\n"
FOR_CPPCHECK = "int g(int a);\nint g(int a)\n{\n    int unused;\n    return a;\n}\n"


def lint(*files: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(LINT), BUILD, *files], capture_output=True, text=True)


class Lint(unittest.TestCase):
    def test_codec_is_clean(self) -> None:
        result = lint()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_faults_are_found(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            fault = Path(directory) / "fault.c"
            for text, named in (
                (FOR_TIDY, "clang-analyzer-deadcode.DeadStores"),
                (FOR_CPPCHECK, "unusedVariable"),
            ):
                with self.subTest(named):
                    fault.write_text(text)
                    result = lint(str(fault))
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(named, result.stdout + result.stderr)


if __name__ == "__main__":
    if os.environ.get("TAU_SANITIZE") or not (
        shutil.which("clang-tidy") and shutil.which("cppcheck")
    ):
        print("runs in builds without sanitizers, where clang-tidy and cppcheck are installed")
        sys.exit(77)
    unittest.main()
