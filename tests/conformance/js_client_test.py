# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The JavaScript client over a transport in memory."""

from __future__ import annotations

import sys
from pathlib import Path

from tau_node import run_module

if __name__ == "__main__":
    sys.exit(run_module(Path(__file__).with_name("js_client.mjs")))
