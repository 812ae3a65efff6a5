# SPDX-License-Identifier: MIT
"""The shared library exports what client/symbols.txt lists, and what the specification gives: the
calls of each operation, the names of enums, the elements of arrays. No more and no less.

A symbol that is missing breaks programs that use it; one too many can never be taken back. After a
wanted change: `python3 tests/install/symbols_test.py --write` with TAU_BUILD_DIR set.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ["TAU_BUILD_DIR"])
LIBRARY = BUILD / "lib" / "libtauclient.so"
HEADERS = BUILD / "generated" / "include" / "tau"
LIST = SOURCE / "client" / "symbols.txt"

DECLARED = re.compile(r"^TAU_API[^(;]*?\b(tau_\w+)\(", re.MULTILINE)

# What sanitizers, coverage and the linker put beside ours.
FOREIGN = ("__", "_init", "_fini", "_edata", "_end", "asan.", "mangle_path")


def exported() -> list[str]:
    result = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", str(LIBRARY)],
                            capture_output=True, text=True, check=True)
    names = {line.split()[0].split("@")[0] for line in result.stdout.splitlines()}
    return sorted(name for name in names if not name.startswith(FOREIGN))


def generated() -> set[str]:
    """What the specification gives: what the generated headers declare."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(HEADERS.glob("*.h"))]
    return {name for text in texts for name in DECLARED.findall(text)}


def soname() -> str:
    result = subprocess.run(["readelf", "-d", str(LIBRARY)], capture_output=True, text=True,
                            check=True)
    line = next(line for line in result.stdout.splitlines() if "SONAME" in line)
    return line.partition("[")[2].rstrip("]")


class Symbols(unittest.TestCase):
    maxDiff = None

    def test_list(self) -> None:
        by_hand = [name for name in exported() if name not in generated()]
        self.assertEqual(by_hand, LIST.read_text().split())

    def test_all_that_is_declared_is_there(self) -> None:
        wanted = {"tau_client_append", "tau_direction_name", "tau_label_at", "tau_status_text"}
        self.assertLessEqual(wanted, generated())
        self.assertEqual(generated() - set(exported()), set())

    def test_all_carry_our_name(self) -> None:
        self.assertEqual([name for name in exported() if not name.startswith("tau_")], [])

    def test_soname(self) -> None:
        self.assertEqual(soname(), "libtauclient.so.1")


if __name__ == "__main__":
    if "--write" in sys.argv:
        LIST.write_text("".join(f"{n}\n" for n in exported() if n not in generated()))
    else:
        unittest.main()
