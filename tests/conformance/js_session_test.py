# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The JavaScript session against peers that are right, wrong and hostile."""

from __future__ import annotations

import sys
from pathlib import Path

from tau_node import run_module

if __name__ == "__main__":
    sys.exit(run_module(Path(__file__).with_name("js_session.mjs")))
