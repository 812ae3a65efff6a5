# SPDX-License-Identifier: MIT
"""Puts the specification of the transport's tests together: the real one with theirs beside it.

Their service takes the last range of opcodes that the real one leaves free, whichever that is.

Arguments: the directory that is written, and the files.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RANGES = range(0x10, 0xE0, 0x10)  # those that services have
FIRST = re.compile(r"^first_opcode = (0x[0-9A-F]+)$", re.MULTILINE)
CODE = re.compile(r"^(first_opcode|code) = 0x[0-9A-F]([0-9A-F])$", re.MULTILINE)


def main(directory: Path, files: list[Path]) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    probe = next(path for path in files if path.name == "probe.toml")
    taken = {
        int(first, 16) for path, text in texts.items() if path != probe
        for first in FIRST.findall(text)
    }  # fmt: skip
    digit = f"{max(set(RANGES) - taken) >> 4:X}"
    texts[probe] = CODE.sub(rf"\1 = 0x{digit}\2", texts[probe])
    directory.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        (directory / path.name).write_text(text, encoding="utf-8")


main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
