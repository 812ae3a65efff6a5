# SPDX-License-Identifier: MIT
"""Reads the public headers: what each is for, and every declaration with its comment.

The comments have a fixed order (summary, detail, shapes and units, ownership, returns, thread,
blocks, since), so no more of C is understood than where a declaration begins and ends. A function
that is exported and has no comment is an error: it would have no page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

# The parts of a comment that have a name; what stands before them is summary and detail.
LABELS = ("Defaults", "Request", "Response", "Shapes", "Ownership", "Returns", "Thread", "Blocks",
          "Since")

_LABEL = re.compile(rf"(?:(?<=[.;] )|^)({'|'.join(LABELS)}): ")
_COMMENT = re.compile(r"/\*(\*?)(?!/)(.*?)\*/[ \t]*\n", re.DOTALL)
_FUNCTION = re.compile(r"\b(tau_\w+)\(")
_ATTRIBUTES = re.compile(r"\b(?:TAU_API|TAU_MUST_USE|static|inline)\b\s*")


class Kind(Enum):
    FUNCTION = "function"
    TYPE = "type"
    CALLBACK = "callback"


class HeaderError(Exception):
    """A header that cannot be documented: the file, and what is wrong in it."""


@dataclass(frozen=True)
class Comment:
    paragraphs: tuple[str, ...]  # the first begins with the summary
    labelled: dict[str, str]

    @property
    def summary(self) -> str:
        head, _, _ = self.paragraphs[0].partition(". ")
        return head.split(":\n")[0].rstrip(".:")

    @property
    def detail(self) -> list[str]:
        """What the comment says behind its summary."""
        _, _, rest = self.paragraphs[0].partition(". ")
        return [text for text in (rest, *self.paragraphs[1:]) if text]


@dataclass(frozen=True)
class Declaration:
    name: str
    kind: Kind
    text: str  # as C, without what only compilers read
    comment: Comment
    header: str  # as it is included: tau/client.h


@dataclass(frozen=True)
class Header:
    name: str
    purpose: tuple[str, ...]
    declarations: tuple[Declaration, ...]


def _unstarred(body: str) -> str:
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in body.strip("*\n ").split("\n")]
    return "\n".join(lines).strip()


def read_comment(body: str) -> Comment:
    """Takes a comment apart; a label holds until the next one or the end of its paragraph."""
    plain: list[str] = []
    labelled: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", _unstarred(body)):
        flat = " ".join(paragraph.split())
        parts = _LABEL.split(flat)
        if parts[0].strip():
            plain.append(parts[0].strip())
        for label, text in zip(parts[1::2], parts[2::2]):
            labelled[label] = text.strip()
    return Comment(tuple(plain), labelled)


def _end(text: str, begin: int) -> int:
    """Where the declaration that begins there ends: at its `;`, or before a function's body."""
    depth = 0
    for at in range(begin, len(text)):
        if text[at] in "({":
            if text[at] == "{" and depth == 0 and ")" in text[begin:at]:
                return at
            depth += 1
        elif text[at] in ")}":
            depth -= 1
        elif text[at] == ";" and depth == 0:
            return at + 1
    return len(text)


def _clean(text: str) -> str:
    """A declaration for readers: attributes off; a prototype on as few lines as it needs."""
    text = _ATTRIBUTES.sub("", text).strip().rstrip(";").rstrip()
    if "{" not in text:
        text = " ".join(text.split()).replace("( ", "(")
    return text + ";"


def _declaration(text: str, comment: Comment, header: str) -> Declaration | None:
    clean = _clean(text)
    if clean.startswith("typedef"):
        found = re.search(r"\b(tau_\w+_callback)\(", clean)
        return Declaration(found[1], Kind.CALLBACK, clean, comment, header) if found else None
    if re.match(r"(struct|enum) tau_\w+\s*\{", clean):
        return Declaration(clean.split()[1], Kind.TYPE, clean, comment, header)
    found = _FUNCTION.search(clean)
    if found:
        return Declaration(found[1], Kind.FUNCTION, clean, comment, header)
    return None


def _check(path: Path, text: str, found: list[Declaration]) -> None:
    """Every exported function was found."""
    known = {d.name for d in found}
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for match in re.finditer(r"^TAU_API\b[^;]*?\b(tau_\w+)\(", code, re.MULTILINE):
        if match[1] not in known:
            raise HeaderError(f"{path}: {match[1]} has no comment")


def read(path: Path, name: str) -> Header:
    """Reads one header, which programs include as <name>."""
    text = path.read_text(encoding="utf-8")
    purpose: tuple[str, ...] = ()
    found: list[Declaration] = []
    for match in _COMMENT.finditer(text):
        comment = read_comment(match[2])
        if not purpose and "SPDX" not in match[2].split("\n")[0]:
            purpose = _purpose(match[2])
        declared = text[match.end():_end(text, match.end())]
        declaration = _declaration(declared, comment, name)
        documented = match[1] == "*" or declared.startswith(("struct", "enum"))
        if declaration is not None and documented and comment.paragraphs:
            found.append(declaration)
    _check(path, text, found)
    return Header(name, purpose, tuple(found))


def _purpose(body: str) -> tuple[str, ...]:
    """The words at a header's head; lines that are set in by four are a picture or code."""
    return tuple(re.split(r"\n\s*\n", _unstarred(body)))
