# SPDX-License-Identifier: MIT
# ctest: timeout=60
"""The benchmark of the engine measures what it was asked to, and takes no option for a place."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(os.environ.get("TAU_BUILD_DIR", "build/release"), "tests", "bench_engine").resolve()


class Usage(unittest.TestCase):
    def run_bench(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """Runs it where it could leave something, and where it must not."""
        with tempfile.TemporaryDirectory(prefix="tau-bench-") as directory:
            done = subprocess.run([str(BENCH), *args], cwd=directory, capture_output=True,
                                  text=True, timeout=30, check=False)
            self.assertEqual(os.listdir(directory), [])
        return done

    def test_help(self) -> None:
        for option in ("--help", "-h"):
            done = self.run_bench(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("usage: "), done.stdout)

    def test_what_it_does_not_understand(self) -> None:
        for args in (("--fast",), ("-x",), ("one", "two"), ("--help", "one"), ("one", "--help")):
            done = self.run_bench(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(f"{args[-1]} is not understood\nusage: ", done.stderr)


if __name__ == "__main__":
    if not BENCH.exists():
        print(f"{BENCH} was not built")
        sys.exit(77)
    unittest.main(verbosity=2)
