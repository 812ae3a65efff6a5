# SPDX-License-Identifier: MIT
"""Writes manual pages in the macros of man(7), as both groff and mandoc read them.

Text comes as people write it in comments: paragraphs, `code`, --options. What roff would take for
its own is escaped here and nowhere else.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

WIDTH = 78

_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti",
            '"': "\\(dq"}
# `code`, NAME(3), an option, or an identifier of the library.
_MARKED = re.compile(r"`([^`]+)`|(?<![\w-])(--?[A-Za-z][\w-]*)|\b(tau_\w+|TAU_\w+)\b(?!\()")


def literal(text: str) -> str:
    """Text that appears character for character."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def bold(text: str) -> str:
    return f"\\fB{literal(text)}\\fR"


def italic(text: str) -> str:
    return f"\\fI{literal(text)}\\fR"


def prose(text: str) -> str:
    """A paragraph's text, with what is code in it made bold."""
    parts: list[str] = []
    end = 0
    for found in _MARKED.finditer(text):
        parts.append(text[end:found.start()].replace("\\", "\\e").replace("~", "\\(ti"))
        parts.append(bold(next(group for group in found.groups() if group)))
        end = found.end()
    parts.append(text[end:].replace("\\", "\\e").replace("~", "\\(ti"))
    return "".join(parts)


def reference(name: str, section: str) -> str:
    return f"{bold(name)}({section})"


def _guarded(line: str) -> str:
    """A line of text that no reader takes for a request."""
    return f"\\&{line}" if line[:1] in (".", "'") else line


def _wrapped(marked: str) -> list[str]:
    lines = textwrap.wrap(marked, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_guarded(line) for line in lines]


@dataclass
class Page:
    """One page; `name` and `section` are those of its file."""

    name: str
    section: str
    summary: str
    source: str  # such as Tau 1.0.0
    date: str
    lines: list[str] = field(default_factory=list)
    see_also: list[tuple[str, str]] = field(default_factory=list)

    def heading(self, title: str) -> None:
        self.lines.append(f".SH {title.upper()}")

    def text(self, marked: str) -> None:
        """Text that is marked up already, in lines that an editor shows whole."""
        self.lines += _wrapped(marked)

    def paragraphs(self, texts: list[str]) -> None:
        """Paragraphs of prose; the first follows a heading."""
        for number, text in enumerate(texts):
            if number > 0:
                self.lines.append(".PP")
            self.text(prose(text))

    def section_of(self, title: str, texts: list[str]) -> None:
        if texts:
            self.heading(title)
            self.paragraphs(texts)

    def term(self, marked: str, texts: list[str]) -> None:
        """A term, and the paragraphs that explain it."""
        self.lines += [".TP", _guarded(marked)]
        for number, text in enumerate(texts):
            if number > 0:
                self.lines.append(".IP")
            self.text(prose(text))

    def code(self, text: str) -> None:
        """Lines that keep their breaks."""
        self.lines += [".nf", *(_guarded(literal(x)) or "\\&" for x in text.split("\n")), ".fi"]

    def render(self) -> str:
        title = literal(self.name.upper())
        head = [
            '.\\" SPDX-License-Identifier: MIT',
            '.\\" Generated when Tau is built; changes are lost.',
            f'.TH {title} {self.section} {self.date} "{self.source}" "Tau manual"',
            ".SH NAME",
        ]
        head += _wrapped(f"{literal(self.name)} \\- {prose(self.summary)}")
        tail = []
        others = sorted(set(self.see_also) - {(self.name, self.section)},
                        key=lambda page: (page[1], page[0]))
        if others:
            tail = [".SH SEE ALSO"]
            tail += [f".BR {literal(n)} ({s}){',' if (n, s) != others[-1] else ''}"
                     for n, s in others]
        return "\n".join([*head, *self.lines, *tail]) + "\n"
