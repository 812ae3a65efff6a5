# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The TypeScript declarations of the JavaScript package, compiled, and compared with it."""

from __future__ import annotations

import sys
from pathlib import Path

from tau_node import debian_module, run_module

if __name__ == "__main__":
    typescript = debian_module("typescript", "node-typescript")
    sys.exit(run_module(Path(__file__).with_name("js_types.mjs"),
                        env={"TAU_TYPESCRIPT": str(typescript)}))
