# SPDX-License-Identifier: MIT
"""The tables of tau-cli and taud, as the programs of client/man and server/man print them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Value:
    """What a word of a command line may be: one of the choices, or something of a kind."""

    kind: str  # "series", "lens", "source" (either), "operation", "file", "directory" or "other"
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Argument:
    name: str
    doc: str
    optional: bool
    repeated: bool
    value: Value

    @property
    def shown(self) -> str:
        """As it stands in a synopsis."""
        text = f"[{self.name}]" if self.optional else self.name
        return text + ("..." if self.repeated else "")


@dataclass(frozen=True)
class Option:
    name: str
    letter: str
    value_name: str | None
    doc: str
    value: Value
    repeated: bool = False

    @property
    def words(self) -> list[str]:
        """All that it is called, with dashes."""
        return ([f"-{self.letter}"] if self.letter else []) + [f"--{self.name}"]


@dataclass(frozen=True)
class Command:
    name: str
    summary: str
    doc: str
    operation: str | None
    notes: str | None
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Tables:
    version: str
    about: str
    notes: str
    exits: tuple[tuple[int, str], ...]
    options: tuple[Option, ...]
    commands: tuple[Command, ...]

    def lister(self, operation: str) -> str | None:
        """The command that is this operation: by it a shell asks the server for names."""
        return next((c.name for c in self.commands if c.operation == operation), None)


def _value(row: dict[str, Any]) -> Value:
    return Value(row["kind"], tuple(row["choices"]))


def _options(rows: list[dict[str, Any]]) -> tuple[Option, ...]:
    return tuple(Option(r["name"], r["letter"], r["value"], r["doc"], _value(r)) for r in rows)


def _command(row: dict[str, Any]) -> Command:
    arguments = tuple(
        Argument(r["name"], r["doc"], r["optional"], r["repeated"], _value(r))
        for r in row["arguments"]
    )
    return Command(row["name"], row["summary"], row["doc"], row["operation"], row["notes"],
                   arguments, _options(row["options"]))


def read(path: Path) -> Tables:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Tables(
        found["version"],
        found["about"],
        found["notes"],
        tuple((e["code"], e["meaning"]) for e in found["exits"]),
        _options(found["options"]),
        tuple(_command(c) for c in found["commands"]),
    )


@dataclass(frozen=True)
class Server:
    """The line of taud: options; or a command, a directory, and options that it takes alone."""

    options: tuple[Option, ...]
    commands: tuple[tuple[str, str], ...]  # name and help
    command_options: tuple[Option, ...]


def read_server(path: Path) -> Server:
    """What a value is its name says."""
    kinds = {"FILE": "file", "DIRECTORY": "directory"}
    read = json.loads(path.read_text(encoding="utf-8"))
    rows, shared = read["options"], read["command_option"]
    found = tuple(
        Option(r["name"], "", r["argument"], r["help"],
               Value(kinds.get(r["argument"], "other"), tuple(r["choices"])), r["repeated"])
        for r in rows
    )
    none = Value("other", ())
    help_option = Option("help", "h", None, "print help and end", none)
    version = Option("version", "V", None, "print the version and end", none)
    format_option = Option(shared["name"], "", shared["argument"], shared["help"],
                           Value("other", tuple(shared["choices"])))
    return Server(found + (help_option, version),
                  tuple((c["name"], c["help"]) for c in read["commands"]),
                  (format_option, help_option))
