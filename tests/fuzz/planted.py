# SPDX-License-Identifier: MIT
"""Writes a copy of a source file with a fault that a table of faults holds for a target.

    planted.py [--table FILE] --faults TARGET           prints each of its faults as NAME=PATH
    planted.py [--table FILE] TARGET NAME SOURCE OUT    writes the copy

The table is planted.toml where none is given.

Where the fault does not fit the file exactly once it has to be thought of anew: that is an error.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

FAULTS = Path(__file__).with_name("planted.toml")


def main(arguments: list[str]) -> int:
    table = FAULTS
    if arguments[0] == "--table":
        table, arguments = Path(arguments[1]), arguments[2:]
    faults = tomllib.loads(table.read_text(encoding="utf-8"))
    if arguments[0] == "--faults":
        for name, fault in faults[arguments[1]].items():
            print(f"{name}={fault['source']}")
        return 0
    target, name, source, out = arguments
    fault = faults[target][name]
    text = Path(source).read_text(encoding="utf-8")
    if text.count(fault["find"]) != 1:
        print(f"{table.name}: {target}.{name} does not fit {fault['source']}", file=sys.stderr)
        return 1
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(text.replace(fault["find"], fault["put"]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
