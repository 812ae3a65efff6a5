# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The golden vectors, and those of each released version, through the JavaScript codec and session;
and through the codec alone those of the generator's own test specification, which has shapes that
Tau has not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tau_node import SOURCE_DIR, run_module

HERE = Path(__file__).parent
RELEASED = sorted(map(str, HERE.glob("released/*/vectors.jsonl")))


def small_specification() -> int:
    """The tables of the small specification below the hand-written codec."""
    with tempfile.TemporaryDirectory(prefix="tau-js-") as directory:
        folder = Path(directory)
        for group in ("build", "published"):
            subprocess.run([sys.executable, "-m", "taugen", "--group", group, "--out", directory,
                            "--spec", str(SOURCE_DIR / "tests/gen/spec/tau.toml")],
                           env={**os.environ, "PYTHONPATH": str(SOURCE_DIR / "gen")},
                           check=True)  # fmt: skip
        for path in (SOURCE_DIR / "client/js").glob("*.js*"):
            shutil.copy(path, folder / "js")
        return run_module(HERE / "js_codec.mjs", env={
            "TAU_JS": str(folder / "js"), "TAU_VECTORS": str(folder / "vectors.jsonl"),
        })  # fmt: skip


def another_header() -> int:
    """Released vectors whose headers bear a version that is not today's."""
    with tempfile.TemporaryDirectory(prefix="tau-js-") as directory:
        path = Path(directory) / "vectors.jsonl"
        text = Path(RELEASED[0]).read_text(encoding="utf-8")
        path.write_text(text.replace('"54415501', '"544155fe'), encoding="utf-8")
        return run_module(HERE / "js_codec.mjs", str(path))


def main() -> int:
    assert RELEASED
    codes = [run_module(HERE / "js_codec.mjs", *RELEASED), run_module(HERE / "js_vectors.mjs"),
             small_specification(), another_header()]  # fmt: skip
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
