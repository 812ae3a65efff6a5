# SPDX-License-Identifier: MIT
"""The C of the small specification: it compiles without a warning, the public header alone as
strict C11 and as C++, and its golden vectors go through its codec. The small specification has
shapes that the real one does not use today.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest

from specification import ROOT, Workspace

CC = os.environ.get("TAU_CC", "cc")
CXX = os.environ.get("TAU_CXX", "c++")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wvla", "-Werror"]
GENERATED = (
    "tau_decode.c", "tau_elements.c", "tau_encode.c", "tau_names.c", "tau_operation_table.c",
    "tau_tables.c",
)  # fmt: skip


def run(*command: object) -> str:
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(" ".join(words) + "\n" + result.stdout + result.stderr)
    return result.stdout


class CompileTest(unittest.TestCase):
    """The generated C in the hands of a compiler."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace()
        cls.out = cls.space.path / "out"
        for group in ("build", "published"):
            result = cls.space.generate("--group", group)
            if result.returncode != 0:
                raise AssertionError(result.stderr)
        for machine in ("tau_header_oracle", "tau_session"):
            source, target = cls.out / f"{machine}.rl", cls.out / f"{machine}.c"
            run("ragel", "-C", "-G2", "-L", "-o", target, source)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.space.__exit__()

    def test_public_header_alone(self) -> None:
        header = self.out / "include/tau/protocol.h"
        strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
        run(CC, "-std=c11", *strict, "-x", "c", header)
        run(CXX, "-std=c++11", *strict, "-x", "c++", header)

    def test_documentation_cannot_end_a_comment(self) -> None:
        with Workspace() as space:
            for doc in ("Stores a pair.", "The key."):
                space.change("demo.toml", f'"{doc}"', f'"{doc[:-1]} /* or a/*.b */ so."')
            self.assertEqual(space.generate("--group", "build").stderr, "")
            include = space.path / "out/include"
            for name in ("protocol.h", "operations.h"):
                run(CC, "-std=c11", "-Wall", "-Werror", "-fsyntax-only", f"-I{include}",
                    f"-I{ROOT / 'client/include'}", "-x", "c", include / "tau" / name)  # fmt: skip

    def test_vectors(self) -> None:
        said = run(self.vectors_program(), self.out / "vectors.jsonl")
        self.assertRegex(said, r"^\d{3,} vectors, \d{4,} checks, 0 failures")

    def test_vectors_of_a_release(self) -> None:
        """Those from before fields and values that say `since` were added are read as before."""
        program = self.vectors_program()
        with Workspace() as old:
            for path in old.spec.glob("*.toml"):
                lines = path.read_text(encoding="utf-8").splitlines()
                kept = [x for x in lines if "since = 1, doc" not in x and "since = 1, ex" not in x]
                path.write_text("\n".join(kept) + "\n", encoding="utf-8")
            self.assertEqual(old.generate("--group", "published").stderr, "")
            vectors = old.path / "out/vectors.jsonl"
            self.assertIn(" 0 failures", run(program, "--released", vectors))
            old.change("demo.toml", '"colour", type = "colour"', '"colour", type = "u8"')
            old.change("demo.toml", '"latest", type = "moment"', '"latest", type = "u32"')
            self.assertEqual(old.generate("--group", "published").stderr, "")
            with self.assertRaisesRegex(AssertionError, "get_response/example: is refused"):
                run(program, "--released", vectors)

    def vectors_program(self) -> Path:
        """The runner of the vectors over the codec of the small specification."""
        wire = ROOT / "protocol/wire"
        tests = ROOT / "tests/conformance"
        sources = [self.out / name for name in GENERATED]
        sources += [wire / name for name in ("columns.c", "decode.c", "utf8.c")]
        sources += [tests / name for name in ("vectors.c", "vector.c", "dump.c")]
        include = [self.out, self.out / "include", ROOT / "protocol", tests]
        flags = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", *[f"-I{path}" for path in include]]
        machine = self.space.path / "oracle.o"
        run(CC, *flags, "-w", "-c", self.out / "tau_header_oracle.c", "-o", machine)
        program = self.space.path / "vectors"
        run(CC, *flags, *WARNINGS, *sources, machine, "-o", program)
        return program

    def test_a_broken_codec_is_noticed(self) -> None:
        """The runner must fail for a decoder that takes one byte too few."""
        source = self.out / "tau_decode.c"
        right = source.read_text(encoding="utf-8")
        wrong = right.replace("if (payload.size - pos < 40)", "if (payload.size - pos < 39)", 1)
        self.assertNotEqual(right, wrong)
        source.write_text(wrong, encoding="utf-8")
        try:
            with self.assertRaisesRegex(AssertionError, "[1-9][0-9]* failures"):
                self.test_vectors()
        finally:
            source.write_text(right, encoding="utf-8")


if __name__ == "__main__":
    if not all(map(shutil.which, (CC, CXX, "ragel"))):
        print("skipped: a compiler or ragel is not installed")
        sys.exit(77)
    unittest.main()
