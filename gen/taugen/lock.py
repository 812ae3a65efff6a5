# SPDX-License-Identifier: MIT
"""The lock: the released layouts as a file that people review, and the command that writes it.

A lock is TOML, one table for each entry and one line for each field. Nobody edits it: `taugen lock`
takes in what was added and refuses what would break those who hold the release, unless the version
of the protocol rises. What is removed then stays in it for ever as a name and a number that are
taken. Each release keeps the lock that it had, and those too are held against the specification: to
take the lock away takes nothing back but what was never released.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .diff import Change, compare, report
from .diff_rules import PARTS, SECTIONS, Class, Rules
from .errors import SpecificationError
from .lock_layout import LOCKED, SPACES, Entry, Fact, Layout, Reserved, read
from .model import Place

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
    parser.add_argument("--released", type=Path, help="a folder with the lock of each release, "
                        "N/lock.toml for version N; none of them may break either")  # fmt: skip
    parser.add_argument("--first", action="store_true", help="nothing is released or locked yet")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is missing")
    return parser.parse_args(words)


def _released(folder: Path) -> list[Layout]:
    """What was released, the oldest first."""
    found: list[Layout] = []
    names = [path.name for path in folder.glob("*/")]
    for name in sorted(names, key=lambda name: (len(name), name)):
        layout = read(str(folder / name / "lock.toml"))
        if not layout.is_lock or name != str(layout.version):
            wrong = f"this is no lock of version {name}"
            raise SpecificationError(layout.table.place(), wrong, "the lock that it had")
        found.append(layout)
    if not found:
        wrong = "the folder holds no release"
        raise SpecificationError(Place(folder.as_posix(), 1), wrong, "1/lock.toml and on")
    return found


def _held(options: argparse.Namespace) -> list[Layout]:
    """The layouts that a specification must not break: the lock's, and those of the releases."""
    lock: Path = options.out
    found = [read(str(lock))] if lock.exists() else []
    if found and not found[0].is_lock:
        raise SpecificationError(Place(lock.as_posix(), 1), "this is no lock", "--out LOCK")
    if options.released:
        found += _released(options.released)
    if not found and not options.first:
        wrong = "there is no lock, nor a release"
        raise SpecificationError(Place(lock.as_posix(), 1), wrong, "one of them, or --first")
    return found


def _refused(old: Layout, new: Layout, changes: list[Change]) -> bool:
    risen = new.version > old.version
    return any(c.for_ever or (c.kind is Class.BREAKING and not risen) for c in changes)


def main(words: list[str]) -> int:
    """Exit codes: 0 done or right, 1 refused or stale, 2 a file or the usage is wrong."""
    options = _arguments(words)
    lock: Path = options.out
    try:
        new = read(options.spec)
        if new.is_lock:
            wrong = "this is a lock"
            raise SpecificationError(new.table.place(), wrong, "--spec SPECIFICATION")
        held = _held(options)
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 2
    for old in held:
        changes = compare(old, new)
        if _refused(old, new, changes):
            print(report(changes, old, new), file=sys.stderr)
            print(_ADVICE.format(lock=old.table.place().file), file=sys.stderr)
            return 1
    reserved = {item for old in held for item in reserved_by(old, new)}
    text = text_of(new, tuple(reserved))
    if lock.exists() and lock.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        if held:
            print(report(compare(held[0], new), held[0], new), file=sys.stderr)
        print(_STALE.format(lock=lock.as_posix()), file=sys.stderr)
        return 1
    lock.parent.mkdir(parents=True, exist_ok=True)
    partial = lock.with_name(lock.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(lock)
    return 0
