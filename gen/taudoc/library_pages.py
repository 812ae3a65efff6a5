# SPDX-License-Identifier: MIT
"""Section 3: tauclient(3), tau_status(3), and a page for each function, type and callback."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from .headers import Comment, Declaration, Header, Kind
from .roff import Page, bold, literal, prose, reference

SECTION = "3"
OVERVIEW = "tauclient"
STATUS = "tau_status"

_TITLES = {"Defaults": "Defaults", "Request": "Request", "Response": "Response",
           "Shapes": "Shapes and units", "Ownership": "Ownership", "Returns": "Return value",
           "Thread": "Thread", "Blocks": "Blocking", "Since": "Since"}

_FIELD = re.compile(r"; (?=\w+(?: \([^()]*\))?: )")


def prototype(text: str) -> str:
    """A declaration in lines that fit a terminal."""
    if "{" in text:
        return text
    head, opening, rest = text.partition("(")
    arguments = ", ".join(a.replace(" ", "\0") for a in rest.split(", "))
    lines = textwrap.wrap(f"{head.replace(' ', chr(0))}{opening}{arguments}", 72,
                          subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


class Library:
    """All headers, and the pages of what they declare."""

    def __init__(self, headers: list[Header], specification: dict[str, Any], version: str,
                 date: str) -> None:
        self.headers = headers
        self.specification = specification
        self.source = f"Tau {version}"
        self.date = date
        declarations = [d for h in headers for d in h.declarations]
        self.by_name = {d.name: d for d in declarations}
        self.documented = {d.name for d in declarations if not self.is_part(d)}

    def is_part(self, declaration: Declaration) -> bool:
        """Whether it stands on the page of a call: its request, its response, its callback."""
        return self.call_of(declaration.name) is not None

    def call_of(self, name: str) -> str | None:
        """The stem of the operation that this struct or callback belongs to."""
        found = re.fullmatch(r"tau_(\w+?)_(request|response|batch_callback|callback|reply)", name)
        if found and (f"tau_client_{found[1]}" in self.by_name):
            return found[1]
        if found and found[2] in ("request", "response"):
            return found[1]
        return None

    def parts(self, declaration: Declaration) -> list[Declaration]:
        """What the page of a call declares beside it."""
        found = re.fullmatch(r"tau_(client|async)_(\w+)", declaration.name)
        if found is None:
            return []
        names = [f"tau_{found[2]}_{part}" for part in ("request", "response")]
        if found[1] == "async":
            names += [f"tau_{found[2]}_{part}" for part in ("batch_callback", "callback")]
        else:
            names += [f"tau_{found[2]}_batch_callback"]
        return [self.by_name[name] for name in names if name in self.by_name]

    def new_page(self, name: str, summary: str) -> Page:
        return Page(name, SECTION, summary, self.source, self.date)

    def see_named(self, page: Page, texts: list[str]) -> None:
        """Refers to every page that a text names."""
        for text in texts:
            for name in re.findall(r"\btau_\w+\b", text):
                if name in self.documented:
                    page.see_also.append((name, SECTION))

    def fields(self, page: Page, title: str, text: str) -> None:
        """The fields of a request or a response: `name (shape): words; name: words.`"""
        page.heading(title)
        for item in _FIELD.split(text.rstrip(".")):
            name, _, words = item.partition(": ")
            page.term(bold(name), [capitalised(words) + "."])

    def sections(self, page: Page, comment: Comment) -> None:
        """What a comment says, in its order."""
        whole = comment.paragraphs[0].rstrip(".") + "."
        page.section_of("Description", comment.detail or [whole])
        for label, title in _TITLES.items():
            text = comment.labelled.get(label)
            if text is not None and label in ("Request", "Response"):
                self.fields(page, title, text)
            elif text is not None:
                page.section_of(title, [capitalised(text)])

    def declaration_page(self, declaration: Declaration) -> Page:
        comment = declaration.comment
        page = self.new_page(declaration.name, comment.summary)
        page.heading("Synopsis")
        page.code(f"#include <{declaration.header}>\n\n" + "\n\n".join(
            prototype(d.text) for d in [*self.parts(declaration), declaration]))
        self.sections(page, comment)
        if declaration.kind is Kind.FUNCTION and "enum tau_status " in declaration.text:
            page.see_also.append((STATUS, SECTION))
        self.see_named(page, [declaration.text, *comment.paragraphs, *comment.labelled.values()])
        page.see_also.append((OVERVIEW, SECTION))
        return page

    def status_page(self) -> Page:
        """The list of statuses, from the specification: one for the wire and for the library."""
        declaration = self.by_name[STATUS]
        page = self.new_page(STATUS, "How a request ended, and what a caller may do about it")
        page.heading("Synopsis")
        page.code(f"#include <{declaration.header}>\n\nenum {STATUS};")
        page.section_of("Description", list(declaration.comment.paragraphs))
        page.heading("Statuses")
        for status in self.specification["statuses"]:
            width = 3 if status["local"] else 2
            page.term(f"{bold(status['name'])}, {literal(constant(status['name']))} "
                      f"(0x{status['code']:0{width}X}), class {bold(status['class'])}",
                      [status["doc"]])
        page.see_also += [(name, SECTION) for name in self.documented
                          if re.match(r"tau_status_\w+", name)]
        page.see_also.append((OVERVIEW, SECTION))
        return page

    def overview(self) -> Page:
        page = self.new_page(OVERVIEW, "the client library of Tau, a time-series database")
        page.heading("Synopsis")
        page.code("#include <tau/client.h>\n\ncc program.c $(pkg-config --cflags --libs tauclient)")
        page.heading("Description")
        for number, header in enumerate(self.headers):
            self.header_section(page, header, number)
        page.see_also += [("tau-cli", "1"), ("taud", "8")]
        return page

    def header_section(self, page: Page, header: Header, number: int) -> None:
        """What one header is for, and the pages of what it declares."""
        page.lines.append(f".SS <{literal(header.name)}>")
        for place, text in enumerate(header.purpose):
            if place > 0:
                page.lines.append(".PP")
            if text.startswith("    ") or "\n    " in text:
                page.code(textwrap.dedent(text))
            else:
                page.text(prose(" ".join(text.split())))
        for declaration in header.declarations:
            if declaration.name in self.documented:
                page.term(reference(declaration.name, SECTION), [declaration.comment.summary])

    def pages(self) -> list[Page]:
        made = [self.overview(), self.status_page()]
        made += [self.declaration_page(self.by_name[name]) for name in sorted(self.documented)
                 if name != STATUS]
        return made


def constant(status: str) -> str:
    return f"TAU_STATUS_{status.upper()}"


def pages(headers: list[Header], specification: Path, version: str, date: str) -> list[Page]:
    model = json.loads(specification.read_text(encoding="utf-8"))
    return Library(headers, model, version, date).pages()
