# SPDX-License-Identifier: MIT
"""tau-cli(1) and one page for each of its commands."""

from __future__ import annotations

import re

from .roff import Page, bold, italic, prose, reference
from .tables import Command, Option, Tables

PROGRAM = "tau-cli"


def page_name(command: Command) -> str:
    return f"{PROGRAM}-{command.name}"


def _option_term(option: Option) -> str:
    value = f" {italic(option.value_name)}" if option.value_name else ""
    return ", ".join(bold(word) for word in option.words) + value


def _options(page: Page, title: str, options: tuple[Option, ...]) -> None:
    if options:
        page.heading(title)
        for option in options:
            page.term(_option_term(option), [option.doc])


def _exits(page: Page, tables: Tables) -> None:
    page.heading("Exit status")
    for code, meaning in tables.exits:
        page.term(bold(str(code)), [meaning])


def _environment(page: Page, tables: Tables) -> None:
    """The variables that the options name."""
    named: dict[str, list[str]] = {}
    for option in tables.options:
        for variable in re.findall(r"\bTAU_[A-Z_]+\b", option.doc):
            named.setdefault(variable, []).append(f"--{option.name}")
    page.heading("Environment")
    for variable, options in sorted(named.items()):
        page.term(bold(variable), [f"Read where {' and '.join(options)} is not given."])


def _synopsis(command: Command) -> str:
    words = [bold(PROGRAM), f"[{italic('OPTION')}...]", bold(command.name)]
    words += [a.shown.replace(a.name, italic(a.name)) for a in command.arguments]
    words += [f"[{italic('OPTION')}...]"] if command.options else []
    return " ".join(words)


def command_page(command: Command, tables: Tables, date: str) -> Page:
    page = Page(page_name(command), "1", command.summary, f"Tau {tables.version}", date)
    page.heading("Synopsis")
    page.text(_synopsis(command))
    page.section_of("Description", [t for t in (command.doc, command.notes) if t] or
                    [command.summary[:1].upper() + command.summary[1:] + "."])
    if command.arguments:
        page.heading("Arguments")
        for argument in command.arguments:
            page.term(italic(argument.name), [argument.doc])
    _options(page, "Options", command.options)
    page.heading("Options of all commands")
    page.text(prose("Those of") + f" {reference(PROGRAM, '1')}: "
              + ", ".join(bold(f"--{o.name}") for o in tables.options) + ".")
    _exits(page, tables)
    page.see_also.append((PROGRAM, "1"))
    return page


def program_page(tables: Tables, date: str) -> Page:
    page = Page(PROGRAM, "1", "the command line of Tau, a time-series database",
                f"Tau {tables.version}", date)
    page.heading("Synopsis")
    page.text(f"{bold(PROGRAM)} [{italic('OPTION')}...] "
              f"[{italic('COMMAND')} [{italic('ARGUMENT')}...]]")
    page.section_of("Description", [tables.about, tables.notes])
    page.heading("Commands")
    for command in tables.commands:
        page.term(reference(page_name(command), "1"), [command.summary])
    _options(page, "Options", tables.options)
    _environment(page, tables)
    _exits(page, tables)
    page.see_also += [(page_name(c), "1") for c in tables.commands]
    page.see_also += [("taud", "8")]
    return page


def pages(tables: Tables, date: str) -> list[Page]:
    return [program_page(tables, date), *(command_page(c, tables, date) for c in tables.commands)]
