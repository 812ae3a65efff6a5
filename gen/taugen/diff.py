# SPDX-License-Identifier: MIT
"""Classifies every change from one layout to another, and the command that prints the verdict.

Entries are paired by name. What became of their numbers, facts, order and parts is judged by
`diff_rules`; here it is found, and what holds for all of them is kept: names and numbers that once
were taken are never given again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Iterator

from .diff_rules import PARTS, SECTIONS, Class, Context, Rules, frozen
from .errors import SpecificationError
from .lock_layout import SPACES, Entry, Fact, Layout, read
from .model import Place

VERDICTS = {Class.SAFE: "patch", Class.ADDITIVE: "minor", Class.BREAKING: "major"}


@dataclass(frozen=True)
class Change:
    """One change. `for_ever` says that no version of the protocol may make it."""

    kind: Class
    place: Place
    subject: str
    what: str
    reason: str
    for_ever: bool = False

    def __str__(self) -> str:
        kind = self.kind.name.lower()
        return f"{self.place}: {kind}: {self.subject}: {self.what}; {self.reason}"


@dataclass(frozen=True)
class _List:
    """A list of entries on both sides, and what it is called."""

    space: str  # where its names and numbers are taken from
    subject: str
    rules: Rules
    context: Context
    old: tuple[Entry, ...]
    new: tuple[Entry, ...]


def compare(old: Layout, new: Layout) -> list[Change]:
    """Every change, by the place at which it is written."""
    changes: list[Change] = []
    for section, rules in SECTIONS.items():
        context = Context(old, new, None, "")
        before, after = old.sections.get(section), new.sections.get(section)
        if before is None or after is None:  # a lock has no words
            continue
        space = SPACES.get(section, section)
        changes += _entries(_List(space, section, rules, context, before, after))
    changes += _protocol_name(old, new)
    if new.is_lock:
        changes += [
            Change(Class.BREAKING, new.table.place(), f"{r.space} {r.name}",
                   "is not reserved any more", "what was taken stays taken", True)
            for r in old.reserved if r not in new.reserved
        ]  # fmt: skip
    return sorted(changes, key=lambda c: (c.place.file, c.place.line, -c.kind, c.subject, c.what))


def _protocol_name(old: Layout, new: Layout) -> list[Change]:
    """A lower version is no release at all, whatever else it says."""
    if new.version >= old.version:
        return []
    what = f"version {old.version} became {new.version}"
    return [Change(Class.BREAKING, new.protocol.place("version"), "protocol", what,
                   "versions only rise", True)]  # fmt: skip


def _entries(rows: _List) -> Iterator[Change]:
    before = {entry.name: entry for entry in rows.old}
    after = {entry.name: entry for entry in rows.new}
    for entry in rows.old:
        if entry.name not in after:
            yield _removed(rows, entry)
    for at, entry in enumerate(rows.new):
        if entry.name in before:
            yield from _changed(rows, before[entry.name], entry)
        else:
            yield _added(rows, entry, at)
    if rows.rules.ordered:
        yield from _order(rows, before, after)


def _removed(rows: _List, entry: Entry) -> Change:
    number = entry.facts.get(rows.rules.number)
    held = "name" if number is None else f"name and number {_shown(number)}"
    subject = f"{rows.subject} {entry.name}"
    if rows.rules.words_only:
        return Change(Class.SAFE, entry.place(), subject, "removed", "no byte depends on it")
    reason = f"its {held} stay reserved for ever"
    return Change(Class.BREAKING, entry.place(), subject, "removed", reason)


def _taken_by(rows: _List, entry: Entry) -> str:
    """Who had the name or the number of a new entry before."""
    number = entry.facts.get(rows.rules.number)
    for item in rows.context.old.reserved:
        if item.space != rows.space:
            continue
        if item.name == entry.name or (number is not None and item.number == number):
            return f"the removed {item.name}"
    for old in _space(rows):
        if number is not None and old.facts.get(rows.rules.number) == number:
            return old.name
        if old.name == entry.name:
            return f"another {old.name}"
    return ""


def _space(rows: _List) -> list[Entry]:
    """The old entries from whose names and numbers a list's new ones must differ."""
    shared = [section for section, space in SPACES.items() if space == rows.space]
    if not shared:
        return list(rows.old)
    return [e for section in shared for e in rows.context.old.sections[section]]


def _added(rows: _List, entry: Entry, at: int) -> Change:
    subject = f"{rows.subject} {entry.name}"
    place = entry.place()
    if owner := _taken_by(rows, entry):
        number = entry.facts.get(rows.rules.number)
        what = "added" if number is None else f"added with the number {_shown(number)}"
        reason = f"names and numbers are never used again, and {owner} had it"
        return Change(Class.BREAKING, place, subject, what, reason, True)
    known = {e.name for e in rows.old}
    behind = next((e.name for e in rows.new[at + 1 :] if e.name in known), "")
    if rows.rules.ordered and behind:
        return Change(Class.BREAKING, place, subject, f"inserted before {behind}",
                      "a field is added only at the end")  # fmt: skip
    if rows.rules.words_only:
        return Change(Class.SAFE, place, subject, "added", "no byte depends on it")
    kind, reason = rows.rules.added(rows.context, entry)
    return Change(kind, place, subject, "added", reason)


def _changed(rows: _List, old: Entry, new: Entry) -> Iterator[Change]:
    """What became of an entry's facts, words and parts."""
    subject = f"{rows.subject} {new.name}"
    found: list[Change] = []
    for key in dict.fromkeys([*old.facts, *new.facts]):
        before, after = old.facts.get(key), new.facts.get(key)
        if before == after or key == "fingerprint":
            continue
        what = f"`{key}` {_shown(before)} became {_shown(after)}"
        if key == rows.rules.number:
            found.append(Change(Class.BREAKING, new.place(key), subject, what,
                                "a published number is never changed", True))  # fmt: skip
            continue
        rule = rows.rules.facts.get(key, frozen("what is released is frozen"))
        kind, reason = rule(rows.context, old, new, key)
        found.append(Change(kind, new.place(key), subject, what, reason))
    if not rows.context.old.is_lock and not rows.context.new.is_lock:
        found += [
            Change(Class.SAFE, new.place(key), subject, f"`{key}` says something else",
                   "no byte depends on it")
            for key in dict.fromkeys([*old.words, *new.words])
            if old.words.get(key) != new.words.get(key)
        ]  # fmt: skip
    for part in dict.fromkeys([*old.parts, *new.parts]):
        context = Context(rows.context.old, rows.context.new, new, part)
        found += _entries(_List(
            f"{rows.space} {new.name} {part}", f"{subject} {part}", PARTS[part], context,
            old.parts.get(part, ()), new.parts.get(part, ()),
        ))  # fmt: skip
    yield from found
    yield from _fingerprint(subject, old, new, found)


def _fingerprint(subject: str, old: Entry, new: Entry, found: list[Change]) -> Iterator[Change]:
    """Whatever the rules say, NEGOTIATE refuses an operation of another fingerprint."""
    differs = old.facts.get("fingerprint") != new.facts.get("fingerprint")
    if differs and all(c.kind is not Class.BREAKING for c in found):
        what = f"its fingerprint {old.facts['fingerprint']} became {new.facts['fingerprint']}"
        yield Change(Class.BREAKING, new.place(), subject, what,
                     "sessions of the release are refused with layout_mismatch")  # fmt: skip


def _order(rows: _List, before: dict[str, Entry], after: dict[str, Entry]) -> Iterator[Change]:
    was = [name for name in before if name in after]
    now = [name for name in after if name in before]
    for old_name, new_name in zip(was, now):
        if old_name != new_name:
            yield Change(Class.BREAKING, after[new_name].place(), f"{rows.subject} {new_name}",
                         f"stands where {old_name} stood", "nothing is reordered")  # fmt: skip
            return


def _shown(value: Fact | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "(" + ", ".join(value) + ")"
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- the command ------------------------------------------------------------------------------


def report(changes: list[Change], old: Layout | None, new: Layout) -> str:
    """The changes, one a line, and the verdict."""
    lines = [str(change) for change in changes]
    if not changes:
        return "verdict: nothing changes"
    counted = ", ".join(
        f"{count} {kind.name.lower()}"
        for kind in reversed(Class)
        if (count := sum(c.kind is kind for c in changes))
    )
    worst = max(c.kind for c in changes)
    verdict = f"verdict: {VERDICTS[worst]} ({counted})"
    if any(c.for_ever for c in changes):
        verdict += "; no version of the protocol may do this"
    elif worst is Class.BREAKING and old is not None:
        risen = new.version > old.version
        verdict += f"; version {old.version} rises to {new.version}" if risen else (
            f"; the version of the protocol must rise above {old.version}"
        )  # fmt: skip
    return "\n".join([*lines, verdict])


def main(words: list[str]) -> int:
    """Exit codes: 0 safe or additive, 1 breaking, 2 a file or the usage is wrong."""
    parser = argparse.ArgumentParser(
        prog="taugen diff", description="Classifies what changed between two layouts."
    )
    what = "a lock, or the root file of a specification"
    for name in ("old", "new"):
        parser.add_argument(name, metavar=name.upper(), help=what)
    options = parser.parse_args(words)
    try:
        old, new = read(options.old), read(options.new)
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 2
    changes = compare(old, new)
    print(report(changes, old, new))
    return 1 if any(c.kind is Class.BREAKING for c in changes) else 0
