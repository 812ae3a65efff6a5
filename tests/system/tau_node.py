# SPDX-License-Identifier: MIT
"""Runs the JavaScript package of the build under test in Node.

A test module in JavaScript finds the package's folder in TAU_JS. Where there is no Node of version
18 or later the test is skipped, with a message that says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Mapping, NoReturn, Optional

SOURCE_DIR = Path(os.environ["TAU_SOURCE_DIR"])
BUILD_DIR = Path(os.environ["TAU_BUILD_DIR"])
PACKAGE = BUILD_DIR / "js"
VECTORS = SOURCE_DIR / "protocol" / "published" / "vectors.jsonl"
OLDEST = 18
DEBIAN_MODULES = Path("/usr/share/nodejs")


def skip(why: str) -> NoReturn:
    """Ends the test as one that this machine cannot run."""
    print(f"skipped: {why}")
    sys.exit(77)


class NoNode(Exception):
    """There is no Node that can run the package."""


def find_node() -> str:
    """The path of Node. Raises NoNode."""
    found = os.environ.get("NODE") or shutil.which("node")
    if found is None:
        raise NoNode("there is no node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True,
                             check=True).stdout
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST:
        raise NoNode(f"node is {version.strip()}, not {OLDEST} or later")
    return found


def node() -> str:
    """The path of Node; without one the test is skipped."""
    try:
        return find_node()
    except NoNode as why:
        skip(str(why))


def debian_module(name: str, package: str) -> Path:
    """The folder of a module that a Debian package brings."""
    path = DEBIAN_MODULES / name
    if not path.is_dir():
        skip(f"there is no {package}")
    return path


def run_module(module: Path, *args: str, env: Optional[Mapping[str, str]] = None,
               seconds: float = 120.0) -> int:
    """Runs a test module and gives its exit code; what it prints goes where ours does."""
    environment = {**os.environ, "TAU_JS": str(PACKAGE), "TAU_VECTORS": str(VECTORS), **(env or {})}
    return subprocess.run([node(), str(module), *args], env=environment, timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False).returncode
