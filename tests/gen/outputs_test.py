# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""What the generator writes: goldens of the small specification, the same bytes each time, nothing
written that does not differ, --check, and the dependency file.

Run with --update to take the outputs of today as the goldens; read the difference before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from specification import GENERATOR, HERE, ROOT, SMALL, Workspace
from taugen.wireshark_runtime import RUNTIME

GOLDEN = HERE / "golden"

# The outputs of the codec and of the clients in other languages; those of server, library and
# command line are proved where they belong.
BUILD = (
    "include/tau/protocol.h", "js/model.d.ts", "js/model.js", "js/operations.d.ts",
    "js/operations.js", "python/tau/operations.py", "python/tau/statuses.py",
    "python/tau/tables.py", "tau_codec.h", "tau_decode.c", "tau_encode.c", "tau_elements.h",
    "tau_elements.c", "tau_header_oracle.rl", "tau_names.c", "tau_operation_table.c",
    "tau_session.h", "tau_session.rl", "tau_tables.c",
)  # fmt: skip
PUBLISHED = ("reference.md", "session.dot", "session.svg", "specification.json", "tau.lua",
             "vectors.jsonl")  # fmt: skip


def texts(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def derived(path: Path) -> str:
    """The text of an output without what is in it whatever the specification says."""
    return path.read_text(encoding="utf-8").replace(RUNTIME, "")


def generate_all(space: Workspace, out: str, generator: Path = GENERATOR) -> None:
    for group in ("build", "published"):
        result = space.generate("--group", group, out=out, generator=generator)
        if result.returncode != 0:
            raise AssertionError(result.stderr)


class OutputsTest(unittest.TestCase):
    """The outputs as files."""

    maxDiff = 4000

    def test_goldens(self) -> None:
        with Workspace() as space:
            generate_all(space, "out")
            for name in BUILD + PUBLISHED:
                with self.subTest(name):
                    golden = (GOLDEN / name).read_text(encoding="utf-8")
                    self.assertEqual(derived(space.path / "out" / name), golden)

    def test_same_bytes_from_another_place(self) -> None:
        """Generator, specification and outputs are all elsewhere, and Python hashes in another way
        in each run: neither shows in what is written."""
        with Workspace() as first, Workspace() as second:
            moved = second.path / "another generator"
            shutil.copytree(GENERATOR, moved, ignore=shutil.ignore_patterns("__pycache__"))
            generate_all(first, "a")
            generate_all(second, "somewhere else", moved)
            self.assertEqual(texts(first.path / "a"), texts(second.path / "somewhere else"))

    def test_nothing_is_written_that_does_not_differ(self) -> None:
        with Workspace() as space:
            generate_all(space, "out")
            old = time.time() - 1000
            paths = [p for p in (space.path / "out").rglob("*") if p.is_file()]
            for path in paths:
                os.utime(path, (old, old))
            space.change("tau.toml", 'doc = "Too late."', 'doc = "Much too late."')
            generate_all(space, "out")
            written = {p.name for p in paths if p.stat().st_mtime > old + 1}
            self.assertEqual(written, {"protocol.h", "tau_names.c", "reference.md",
                                       "specification.json",
                                       "taud_specification.c", "model.js", "statuses.py"})
            self.assertEqual(list((space.path / "out").rglob("*.partial")), [])

    def test_check_names_what_is_stale(self) -> None:
        with Workspace() as space:
            generate_all(space, "out")
            result = space.generate("--group", "published", "--check")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            (space.path / "out/session.dot").write_text("changed by hand")
            (space.path / "out/vectors.jsonl").unlink()
            result = space.generate("--group", "published", "--check")
            self.assertEqual(result.returncode, 1)
            stale = [Path(line.split(":")[0]).name for line in result.stderr.splitlines()]
            self.assertEqual(stale, ["session.dot", "vectors.jsonl"])
            self.assertFalse((space.path / "out/vectors.jsonl").exists(), "--check writes")

    def test_depfile_names_every_input(self) -> None:
        with Workspace() as space:
            space.generate("--depfile", str(space.path / "out/dependencies"))
            text = (space.path / "out/dependencies").read_text(encoding="utf-8")
            inputs = text.split(": ", 1)[1]
            for name in ("tau.toml", "demo.toml", "emit_codec.py", "model.py"):
                self.assertIn("/" + name, inputs)

    def test_listed_outputs_are_those_that_are_written(self) -> None:
        with Workspace() as space:
            space.generate("--group", "published")
            result = space.generate("--list-outputs", "published")
            self.assertEqual(result.stdout.split(), sorted(texts(space.path / "out")))

    def test_documentation_does_not_change_a_fingerprint(self) -> None:
        from taugen.__main__ import read_model

        with Workspace() as space:
            before = read_model(str(space.root))
            space.change("demo.toml", "The weight.", "Its weight.")
            same = read_model(str(space.root))
            space.change("demo.toml", '"weight", type = "f64"', '"weight", type = "u64"')
            after = read_model(str(space.root))
        put = [m.operation("PUT").fingerprint for m in (before, same, after)]
        get = [m.operation("GET").fingerprint for m in (before, same, after)]
        self.assertEqual(put[0], put[1])
        self.assertNotEqual(put[1], put[2])
        self.assertEqual(get[0], get[2])
        self.assertEqual(before.fingerprint, same.fingerprint)
        self.assertNotEqual(same.fingerprint, after.fingerprint)

    def test_types(self) -> None:
        mypy = "/usr/bin/mypy"
        if not Path(mypy).exists():
            self.skipTest("mypy is not installed")
        command = [mypy, "--strict", "--cache-dir", os.devnull, str(ROOT / "gen/taugen")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)


def update() -> None:
    with Workspace() as space:
        generate_all(space, "out")
        for name in BUILD + PUBLISHED:
            target = GOLDEN / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(derived(space.path / "out" / name), encoding="utf-8")


if __name__ == "__main__":
    assert SMALL.is_dir()
    if "--update" in sys.argv:
        update()
    else:
        unittest.main()
