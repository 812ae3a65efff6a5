# SPDX-License-Identifier: MIT
"""Small helpers with which the backends write C text."""

from __future__ import annotations

import textwrap

COLUMNS = 100


def first_sentence(doc: str) -> str:
    """The first sentence of a documentation text, on one line."""
    text = " ".join(doc.split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def in_comment(text: str) -> str:
    """Text on one line that neither ends a C comment nor seems to begin one within it."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")


def comment(text: str, indent: int = 0) -> str:
    """A C comment of one or more lines, wrapped to the width of the tree."""
    margin = " " * indent
    text = in_comment(text)
    if len(margin) + len(text) + 6 <= COLUMNS:
        return f"{margin}/* {text} */\n"
    lines = textwrap.wrap(text, COLUMNS - indent - 6, break_long_words=False)
    return f"{margin}/* " + f"\n{margin} * ".join(lines) + " */\n"


def banner(purpose: str) -> str:
    """The head of a generated C file."""
    lines = textwrap.wrap(purpose, COLUMNS - 4)
    lines += ["", "Generated from the specification in protocol/ by gen/taugen; changes are lost."]
    body = "".join(f" * {line}".rstrip() + "\n" for line in lines)
    return "/* SPDX-License-Identifier: MIT\n *\n" + body + " */\n"


def string(text: str) -> str:
    """A C string literal of printable text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def signature(head: str, parameters: list[str], end: str) -> str:
    """A function's head, broken behind commas and aligned as clang-format does it."""
    one = f"{head}({', '.join(parameters)}){end}"
    if len(one) <= COLUMNS:
        return one
    margin = " " * (len(head) + 1)
    lines = [head + "("]
    for number, parameter in enumerate(parameters):
        last = number == len(parameters) - 1
        text = parameter + (")" + end if last else ",")
        glue = "" if lines[-1].endswith("(") else " "
        if len(lines[-1]) + len(glue) + len(text) > COLUMNS:
            lines.append(margin + text)
        else:
            lines[-1] += glue + text
    result, name = head.rpartition(" ")[::2]
    if result.strip() and max(map(len, lines)) > COLUMNS:
        # The result's type takes a line of its own where a parameter would not fit otherwise.
        return result + "\n" + signature(name, parameters, end)
    return "\n".join(lines)


def call(prefix: str, arguments: list[str], end: str = ";") -> str:
    """A call statement, broken like a signature."""
    return signature(prefix, arguments, end)


def aligned(rows: list[tuple[str, str]], indent: int = 4) -> str:
    """Declarations with their comments: behind them in one column, or above where that is too wide.

    A run of declarations whose comments fit behind them shares a column; a comment above ends it.
    """
    margin = " " * indent
    text = ""
    run: list[tuple[str, str]] = []

    def flush() -> str:
        width = max((len(d) for d, c in run if c), default=0)
        lines = [f"{margin}{d:<{width}} /* {c} */" if c else margin + d for d, c in run]
        run.clear()
        return "".join(line + "\n" for line in lines)

    for declaration, words in rows:
        words = in_comment(words)
        widest = max([len(declaration)] + [len(d) for d, c in run if c])
        longest = max([len(words)] + [len(c) for _, c in run])
        if words and indent + widest + longest + 7 > COLUMNS:
            text += flush()
            if indent + len(declaration) + len(words) + 7 > COLUMNS:
                text += comment(words, indent) + margin + declaration + "\n"
                continue
        run.append((declaration, words))
    return text + flush()
