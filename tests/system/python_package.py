# SPDX-License-Identifier: MIT
"""Makes the Python package of the build under test importable.

A script that imports this ends with 77 where the package was not built. TAU_BUILD_DIR says where it
is, TAU_VECTORS which golden vectors are its.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BUILD_DIR = Path(os.environ.get("TAU_BUILD_DIR", SOURCE_DIR / "build" / "release"))
PACKAGE_DIR = BUILD_DIR / "python"
VECTORS = Path(
    os.environ.get("TAU_VECTORS", SOURCE_DIR / "protocol" / "published" / "vectors.jsonl")
)

if not (PACKAGE_DIR / "tau" / "tables.py").exists():
    print("the Python package is not built")
    sys.exit(77)
sys.path.insert(0, str(PACKAGE_DIR))
