# SPDX-License-Identifier: MIT
"""Finds the line of every table, key and array element of a TOML text.

tomllib says what a file holds but not where. This index is made of a text that tomllib has already
accepted, so it only has to find its way and never has to judge.
"""

from __future__ import annotations

from typing import Union

Path = tuple[Union[str, int], ...]
LineIndex = dict[Path, int]


class _Scanner:
    """Walks the text once and notes the line at which each path begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.index: LineIndex = {(): 1}
        self.counts: dict[Path, int] = {}

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def step(self, count: int = 1) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def skip_blank(self) -> None:
        """Skips white space, line ends and comments."""
        while self.at < len(self.text):
            if self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.step((len(self.text) if end < 0 else end) - self.at)
            elif self.peek().isspace():
                self.step()
            else:
                return

    def key(self) -> Path:
        """Reads a key, dotted or not."""
        parts: list[str] = []
        while True:
            self.skip_blank()
            start = self.at
            if self.peek() in ('"', "'"):
                self.string()
                parts.append(self.text[start + 1 : self.at - 1])
            else:
                while self.peek().isalnum() or self.peek() in ("_", "-"):
                    self.step()
                parts.append(self.text[start : self.at])
            self.skip_blank()
            if self.peek() != ".":
                return tuple(parts)
            self.step()

    def string(self) -> None:
        quote = self.peek()
        if self.text.startswith(quote * 3, self.at):
            self.step(3)
            while not self.text.startswith(quote * 3, self.at):
                self.step(2 if quote == '"' and self.peek() == "\\" else 1)
            self.step(3)
            while self.peek() == quote:  # quotes that belong to the text's end
                self.step()
            return
        self.step()
        while self.peek() != quote:
            self.step(2 if quote == '"' and self.peek() == "\\" else 1)
        self.step()

    def value(self, path: Path) -> None:
        self.skip_blank()
        self.index.setdefault(path, self.line)
        first = self.peek()
        if first in ('"', "'"):
            self.string()
        elif first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:
            while self.peek() and self.peek() not in ",]}#\n":
                self.step()

    def array(self, path: Path) -> None:
        self.step()
        number = 0
        while True:
            self.skip_blank()
            if self.peek() == "]":
                self.step()
                return
            if self.peek() == ",":
                self.step()
                continue
            self.value(path + (number,))
            number += 1

    def inline_table(self, path: Path) -> None:
        self.step()
        while True:
            self.skip_blank()
            if self.peek() == "}":
                self.step()
                return
            if self.peek() == ",":
                self.step()
                continue
            self.pair(path)

    def pair(self, path: Path) -> None:
        line = self.line
        full = path + self.key()
        self.index[full] = line
        self.step()  # the equals sign
        self.value(full)

    def header(self) -> Path:
        """Reads `[name]` or `[[name]]` and gives the path of the table that it opens."""
        line = self.line
        many = self.text.startswith("[[", self.at)
        self.step(2 if many else 1)
        path = self.key()
        self.step(2 if many else 1)
        if many:
            number = self.counts.get(path, 0)
            self.counts[path] = number + 1
            path = path + (number,)
        self.index[path] = line
        return path

    def run(self) -> LineIndex:
        table: Path = ()
        self.skip_blank()
        while self.at < len(self.text):
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip_blank()
        return self.index


def index_lines(text: str) -> LineIndex:
    """The line, from 1, at which each path of the text begins."""
    return _Scanner(text).run()
