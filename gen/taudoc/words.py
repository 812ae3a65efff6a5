# SPDX-License-Identifier: MIT
"""What the completions of all shells share: which words go where on lines of tau-cli and taud."""

from __future__ import annotations

from dataclasses import dataclass

from .tables import Option, Tables, Value

PROGRAM = "tau-cli"
SERVER = "taud"
HELP = "help"  # the command of the program itself; what follows it is a command

# How a shell asks the server for names. It must not be felt where there is none.
TIMEOUT = "500ms"
LISTERS = (("series", "LIST_SERIES"), ("lens", "LIST_LENSES"), ("operation", "SPECIFICATION"))
# The options that say which server it is; what the line gives them is handed on.
SERVER_OPTIONS = ("server", "certificate-file")


def note(program: str) -> str:
    """The head of a script."""
    return ("# SPDX-License-Identifier: MIT\n"
            f"# Completion of {program}. Generated when Tau is built; changes are lost.\n")


@dataclass(frozen=True)
class Lister:
    """A command that prints names, first in each line behind a head line."""

    kind: str
    command: str


def listers(tables: Tables) -> list[Lister]:
    found = [(kind, tables.lister(operation)) for kind, operation in LISTERS]
    return [Lister(kind, command) for kind, command in found if command is not None]


def handed_on(tables: Tables) -> list[Option]:
    return [o for o in tables.options if o.name in SERVER_OPTIONS]


def kinds_of(value: Value) -> list[str]:
    """The kinds of names that the value may be."""
    several: dict[str, list[str]] = {"source": ["series", "lens"], "directory": [], "other": []}
    return several.get(value.kind, [value.kind])


def valued(options: tuple[Option, ...]) -> list[Option]:
    return [o for o in options if o.value_name is not None]

