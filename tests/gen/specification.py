# SPDX-License-Identifier: MIT
"""What the tests of the generator share: the small specification, and how to compile it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SMALL = HERE / "spec"
GENERATOR = ROOT / "gen"
sys.path.insert(0, str(GENERATOR))


class Workspace:
    """A copy of the small specification in a directory of its own."""

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="taugen-")
        self.path = Path(self.directory.name)
        self.spec = self.path / "spec"
        shutil.copytree(SMALL, self.spec)

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_: object) -> None:
        self.directory.cleanup()

    @property
    def root(self) -> Path:
        return self.spec / "tau.toml"

    def change(self, file: str, old: str, new: str, place: int = 1) -> None:
        """Replaces the occurrence of `old` that `place` counts from 1."""
        path = self.spec / file
        text = path.read_text(encoding="utf-8")
        parts = text.split(old)
        if len(parts) <= place:
            raise AssertionError(f"{file} has no occurrence {place} of {old!r}")
        text = old.join(parts[:place]) + new + old.join(parts[place:])
        path.write_text(text, encoding="utf-8")

    def generate(
        self, *more: str, out: str = "out", generator: Path = GENERATOR
    ) -> subprocess.CompletedProcess[str]:
        """Runs the generator as a build does."""
        command = [sys.executable, "-m", "taugen", "--spec", str(self.root)]
        command += ["--out", str(self.path / out), *more]
        environment = {"PYTHONPATH": str(generator), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False
        )
