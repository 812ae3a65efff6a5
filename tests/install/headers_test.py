# SPDX-License-Identifier: MIT
"""Every public header compiles alone, as C11 and as C++11, without a single warning."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
GENERATED = Path(os.environ["TAU_GENERATED_DIR"])
FOLDERS = (SOURCE / "client/include", SOURCE / "client/adapters", GENERATED / "include")
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only")
LANGUAGES = (
    (os.environ["TAU_CC"], ("-x", "c", "-std=c11", "-Wconversion", "-Wstrict-prototypes")),
    (os.environ["TAU_CXX"], ("-x", "c++", "-std=c++11")),
)


def headers() -> list[str]:
    """The names under which the public headers are included."""
    return sorted(f"tau/{path.name}" for folder in FOLDERS for path in folder.glob("tau/*.h"))


class Headers(unittest.TestCase):
    def test_all_are_found(self) -> None:
        for name in ("tau/client.h", "tau/protocol.h", "tau/operations.h", "tau/libevent.h"):
            self.assertIn(name, headers())

    def test_each_compiles_alone(self) -> None:
        for name in headers():
            for compiler, arguments in LANGUAGES:
                with self.subTest(header=name, compiler=compiler):
                    self.compile(name, compiler, arguments)

    def compile(self, name: str, compiler: str, arguments: tuple[str, ...]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "alone.c"
            # Included twice: the guard is checked too. The last line keeps C from an empty unit.
            source.write_text(f"#include <{name}>\n#include <{name}>\nextern int nothing;\n")
            includes = [f"-I{path}" for path in FOLDERS]
            result = subprocess.run([compiler, *arguments, *STRICT, *includes, str(source)],
                                    capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
