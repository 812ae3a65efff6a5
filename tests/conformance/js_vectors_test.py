# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The golden vectors, and those of each released version, through the JavaScript codec and session."""

from __future__ import annotations

import sys
from pathlib import Path

from tau_node import run_module

HERE = Path(__file__).parent
RELEASED = sorted(map(str, HERE.glob("released/*/vectors.jsonl")))

if __name__ == "__main__":
    assert RELEASED
    sys.exit(run_module(HERE / "js_vectors.mjs", *RELEASED))
