# SPDX-License-Identifier: MIT
"""Reads the files of a specification and hands out their tables with their lines.

A `Table` remembers what was asked of it, so that `done` can name a key that nobody asked for. A key
that is in no table of any specification was mistyped: it is named when the key that it looks most
like is asked for, as that one is then not missing but written wrong.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, NoReturn

from .errors import SpecificationError
from .lines import LineIndex, Path, index_lines
from .model import Place


# Every key of the language, whichever table it belongs to; `Table.has` holds the list complete.
KEYS = frozenset(
    """arguments array batched bit check class cli closes code command custom default_listen doc
    effect example extensible feature fields final first_opcode first_push_opcode flag from header
    include initial kind limit local max min name negotiated number of on only_with open operation
    optional payload protocol refuses_with reply request response role scope service since size
    state states status statuses summary to transition type unit value values version""".split()
)

# What is not seen: controls, and marks that join, part or turn what stands around them. Nobody who
# reviews a text reads those, and tau-cli refuses a specification that has them (wire/utf8.c).
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# How much a mistyped key has in common with the key that was meant (difflib's ratio).
LIKENESS = 0.6


@dataclass(frozen=True)
class Source:
    """One file: its name as it is shown, its content, and the lines of its content."""

    file: str
    data: dict[str, Any]
    lines: LineIndex


class Table:
    """One table of a file, read key by key."""

    def __init__(self, source: Source, data: dict[str, Any], path: Path) -> None:
        self.source = source
        self.data = data
        self.path = path
        self.asked: set[str] = set()

    def place(self, key: str | None = None, *more: int) -> Place:
        """Where a key, or the table itself, is written."""
        path = self.path if key is None else self.path + (key, *more)
        if path + (0,) in self.source.lines and path not in self.source.lines:
            path += (0,)  # a list of tables begins with its first
        while path and path not in self.source.lines:
            path = path[:-1]
        return Place(self.source.file, self.source.lines[path])

    def fail(self, key: str | None, wrong: str, expected: str) -> NoReturn:
        raise SpecificationError(self.place(key), wrong, expected)

    def has(self, key: str) -> bool:
        """Whether the key is there. Fails where it is there but mistyped."""
        assert key in KEYS
        self.asked.add(key)
        if key not in self.data:
            self._refuse_mistyped(key)
        return key in self.data

    def _refuse_mistyped(self, key: str, most: int = 1) -> None:
        """Fails on a key that is none of the language's where this one is among the `most` that it
        looks like, of those that are not given."""
        strange = [found for found in self.data if found not in KEYS]
        absent = strange and sorted(KEYS - self.data.keys() | {key})
        for found in strange:
            if key in difflib.get_close_matches(found, absent, most, LIKENESS):
                self.fail(found, f"unknown key `{found}`", f"perhaps `{key}`")

    def _get(self, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
        if not self.has(key):
            self._refuse_mistyped(key, len(KEYS))
            self.fail(None, f"`{key}` is missing", f"`{key}` = {expected}")
        found = self.data[key]
        wrong_bool = isinstance(found, bool) and kinds is not bool
        if wrong_bool or not isinstance(found, kinds):
            self.fail(key, f"`{key}` is of the wrong type", expected)
        return found

    def text(self, key: str, default: str | None = None) -> str:
        """A string; documentation has lines, and comes without the line ends around it."""
        if default is not None and not self.has(key):
            return default
        found = str(self._get(key, str, "a string")).strip()
        self.seen(key, found.replace("\n", "") if key == "doc" else found)
        return found

    def seen(self, key: str, text: str) -> None:
        """Fails where a text has what is not seen."""
        if strange := UNSEEN.search(text):
            wrong = f"`{key}` holds U+{ord(strange[0]):04X}, which is not seen"
            self.fail(key, wrong, "what can be read")

    def name(self, key: str = "name", pattern: str = r"[a-z][a-z0-9_]*") -> str:
        found = self.text(key)
        if not re.fullmatch(pattern, found):
            self.fail(key, f"`{found}` is not a name", f"a name that matches {pattern}")
        return found

    def doc(self) -> str:
        found = self.text("doc")
        if not found:
            self.fail("doc", "the documentation is empty", "a sentence")
        return found

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        if default is not None and not self.has(key):
            return default
        found = int(self._get(key, int, f"an integer from {low} to {high}"))
        if not low <= found <= high:
            self.fail(key, f"`{key}` is {found}", f"an integer from {low} to {high}")
        return found

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool, "true or false")) if self.has(key) else False

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        found = self.text(key)
        if found not in allowed:
            self.fail(key, f"`{key}` is `{found}`", "one of " + ", ".join(allowed))
        return found

    def texts(self, key: str) -> list[tuple[str, Place]]:
        """A list of different strings, each with its place; empty where the key is missing."""
        if not self.has(key):
            return []
        found: list[tuple[str, Place]] = []
        for number, item in enumerate(self._get(key, list, "a list of strings")):
            place = self.place(key, number)
            if not isinstance(item, str):
                raise SpecificationError(place, f"`{key}` holds {item!r}", "a string")
            if item in (text for text, _ in found):
                raise SpecificationError(place, f"`{item}` is listed twice", "each name once")
            found.append((item, place))
        return found

    def tables(self, key: str) -> list["Table"]:
        """The tables of a list, in order; empty where the key is missing.

        One that is mistyped among others that are not would be missed as one of them.
        """
        self._refuse_mistyped(key)
        if not self.has(key):
            return []
        found = self._get(key, list, "a list of tables")
        for number, item in enumerate(found):
            if not isinstance(item, dict):
                place = self.place(key, number)
                raise SpecificationError(place, f"`{key}` holds {item!r}", "a table")
        return [Table(self.source, t, self.path + (key, n)) for n, t in enumerate(found)]

    def table(self, key: str) -> "Table":
        return Table(self.source, self._get(key, dict, "a table"), self.path + (key,))

    def done(self) -> None:
        """Fails on the first key that was never asked for."""
        for key in self.data:
            if key not in self.asked:
                known = ", ".join(f"`{k}`" for k in sorted(self.asked))
                self.fail(key, f"unknown key `{key}`", f"one of {known}")


def _read(path: FilePath) -> Source:
    file = path.as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        wrong = f"the file cannot be read ({error.strerror})"
        raise SpecificationError(Place(file, 1), wrong, "a readable file") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise SpecificationError(Place(file, line), "the file is not UTF-8", "UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        wrong = f"not TOML ({found[1] if found else error})"
        raise SpecificationError(Place(file, line), wrong, "valid TOML") from None
    return Source(file, data, index_lines(text))


def load(root: str) -> list[Table]:
    """Reads the root file and every file that it includes, the root first, the rest by name."""
    path = FilePath(root)
    table = Table(source := _read(path), source.data, ())
    tables = [table]
    if table.has("include"):
        pattern = table.text("include")
        if "/" in pattern or not pattern:
            table.fail("include", f"`{pattern}` is not a pattern", "a pattern of file names")
        for other in sorted(path.parent.glob(pattern)):
            if other.name != path.name:
                source = _read(other)
                tables.append(Table(source, source.data, ()))
                if not source.data:
                    tables[-1].fail(None, "the file states nothing", "a table, or no such file")
    return tables
