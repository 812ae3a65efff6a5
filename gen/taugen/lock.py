# SPDX-License-Identifier: MIT
"""The lock: the released layouts as a file that people review, and the command that writes it.

A lock is TOML, one table for each entry and one line for each field. Nobody edits it: `taugen lock`
takes in what was added and refuses what would break those who hold the release, unless the version
of the protocol rises. What is removed then stays in it for ever as a name and a number that are
taken.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .diff import compare, report
from .diff_rules import PARTS, SECTIONS, Class, Rules
from .errors import SpecificationError
from .lock_layout import LOCKED, SPACES, Entry, Fact, Layout, Reserved, read

_HEAD = """# SPDX-License-Identifier: MIT
# The layouts that are released, and the names and numbers that are taken for ever. Written by
# `python3 -m taugen lock` (the target `publish` runs it), never by hand; protocol/README.md tells
# what may still change.

[lock]
format = 1
"""


# --- writing ----------------------------------------------------------------------------------


def _value(key: str, value: Fact | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"0x{value:02X}" if key == "code" else str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(key, item) for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _pairs(entry: Entry) -> list[str]:
    named = [f"name = {_value('name', entry.name)}"]
    return named + [f"{key} = {_value(key, value)}" for key, value in entry.facts.items()]


def text_of(layout: Layout, reserved: tuple[Reserved, ...]) -> str:
    """The lock of a layout."""
    blocks = [_HEAD]
    for section in LOCKED:
        for entry in layout.sections[section]:
            lines = [f"[[{section}]]", *_pairs(entry)]
            for key, rows in entry.parts.items():
                if rows:
                    inner = ["  { " + ", ".join(_pairs(row)) + " }," for row in rows]
                    lines += [f"{key} = [", *inner, "]"]
            blocks.append("\n".join(lines) + "\n")
    for item in sorted(reserved, key=lambda r: (r.space, r.name)):
        number = "" if item.number is None else f"number = {item.number}\n"
        blocks.append(f'[[reserved]]\nspace = "{item.space}"\nname = "{item.name}"\n{number}')
    return "\n".join(blocks)


def _removed(
    space: str, rules: Rules, old: tuple[Entry, ...], new: tuple[Entry, ...]
) -> list[Reserved]:
    """What of a list is gone, and what of the lists within what stays."""
    found: list[Reserved] = []
    left = {entry.name: entry for entry in new}
    for entry in old:
        if entry.name in left:
            for part, rows in entry.parts.items():
                within = f"{space} {entry.name} {part}"
                found += _removed(within, PARTS[part], rows, left[entry.name].parts.get(part, ()))
        else:
            number = entry.facts.get(rules.number)
            found.append(Reserved(space, entry.name, number if isinstance(number, int) else None))
    return found


def reserved_by(old: Layout, new: Layout) -> tuple[Reserved, ...]:
    """What is taken for ever once `new` has followed `old`."""
    found = set(old.reserved)
    for section in LOCKED:
        space, rules = SPACES.get(section, section), SECTIONS[section]
        found |= set(_removed(space, rules, old.sections[section], new.sections[section]))
    return tuple(found)


_ADVICE = """{lock}: refused: this breaks those who hold the release.
Take the change back, add beside what is there, or let the version of [protocol] rise. What was
never released may be changed: take the lock back to the last release first."""

_STALE = """{lock}: stale: it lacks what the specification adds.
Refresh it with `cmake --build DIRECTORY --target publish` and check it in."""

# --- the command ------------------------------------------------------------------------------


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="taugen lock", description="Takes what a specification states into the lock."
    )
    parser.add_argument("--spec", required=True, help="the root file of the specification")
    parser.add_argument("--out", required=True, type=Path, help="the lock")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is missing")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Exit codes: 0 done or right, 1 refused or stale, 2 a file or the usage is wrong."""
    options = _arguments(words)
    lock: Path = options.out
    try:
        new = read(options.spec)
        old = read(str(lock)) if lock.exists() else None
        if new.is_lock or (old and not old.is_lock):
            wrong = "a lock and a specification are taken for each other"
            raise SpecificationError(new.table.place(), wrong, "--spec SPECIFICATION --out LOCK")
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 2
    changes = compare(old, new) if old else []
    breaking = [c for c in changes if c.kind is Class.BREAKING]
    risen = old is not None and new.version > old.version
    if any(c.for_ever or not risen for c in breaking):
        print(report(changes, old, new), file=sys.stderr)
        print(_ADVICE.format(lock=lock.as_posix()), file=sys.stderr)
        return 1
    text = text_of(new, reserved_by(old, new) if old else ())
    if lock.exists() and lock.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        if changes:
            print(report(changes, old, new), file=sys.stderr)
        print(_STALE.format(lock=lock.as_posix()), file=sys.stderr)
        return 1
    partial = lock.with_name(lock.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(lock)
    return 0
