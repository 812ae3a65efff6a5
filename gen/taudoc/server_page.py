# SPDX-License-Identifier: MIT
"""taud(8), from the table of its options as the program of server/man prints it."""

from __future__ import annotations

import json
from pathlib import Path

from .roff import Page, bold, italic


def page(path: Path, date: str) -> Page:
    tables = json.loads(path.read_text(encoding="utf-8"))
    about = " ".join(tables["about"].split())
    summary, _, rest = about.partition(". ")
    made = Page("taud", "8", summary[:1].lower() + summary[1:], f"Tau {tables['version']}", date)
    made.heading("Synopsis")
    made.text(f"{bold('taud')} [{bold('--')}{italic('OPTION')} {italic('VALUE')}]...")
    shared = tables["command_option"]
    shown = f"{bold('--' + shared['name'])} {italic(shared['argument'])}"
    for command in tables["commands"]:
        made.lines.append(".br")
        made.text(f"{bold('taud ' + command['name'])} [{shown}] {italic(command['argument'])}")
    made.section_of("Description", [f"{summary}.", rest])
    made.heading("Options")
    for option in tables["options"]:
        made.term(f"{bold('--' + option['name'])} {italic(option['argument'])}",
                  [option["help"], f"Allowed: {option['allowed']}.",
                   f"Default: {option['standard']}. In the environment: "
                   f"`{option['environment']}`."])
    made.term(f"{bold('--help')}, {bold('--version')}", ["print help, or the version, and end"])
    made.heading("Commands")
    made.text("What taud does instead of serving, while no server uses the directory.")
    for command in tables["commands"]:
        made.term(f"{bold(command['name'])} {italic(command['argument'])}",
                  [command["help"], f"`--{shared['name']} {shared['argument']}`: {shared['help']}"])
    for section in tables["sections"]:
        made.section_of(section["title"], [section["text"]])
    made.see_also.append(("tau-cli", "1"))
    return made
