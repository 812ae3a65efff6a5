# SPDX-License-Identifier: MIT
# ctest: timeout=60
"""Every link in every Markdown file of the tree leads somewhere, and the picture of a session shows
the specification's states.

A relative link names a file of the tree, and the heading behind its `#` is there; a link to another
place of the network has the form of one, but nobody is asked for it. No link and no text names a
path of a machine. The checker is itself checked with files that are wrong in one way each.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
import unittest
import urllib.parse
from pathlib import Path
from typing import Iterator

SOURCE_DIR = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[1]))

Tree = dict[str, str]  # path -> text; "" for files that are not Markdown

FENCE = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)",
                   re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
INLINE = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]\(\s*(<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)"
                    r"[^\s()]*)*)(?:\s+[\"'(][^\n]*)?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[([^\]\n]+)\]:[ \t]*(\S+)", re.MULTILINE)
REFERENCE = re.compile(r"\[[^\[\]\n]+\]\[([^\[\]\n]*)\]")
HTML = re.compile(r"<\w[^<>]*?\b(?:href|src)=[\"']([^\"']*)[\"']")
AUTOMATIC = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>]*)>")
ANCHOR = re.compile(r"<\w[^<>]*?\b(?:id|name)=[\"']([^\"']+)[\"']")
MACHINE_PATHS = re.compile(r"(?<![\w.$~-])/(?:home|root|tmp|Users)/\w|\b[A-Z]:\\\w")
SCHEMES = {"http", "https", "mailto"}


def read_tree() -> Tree:
    done = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=SOURCE_DIR,
                          capture_output=True, check=False)
    names = [name for name in done.stdout.decode().split("\0") if name]
    if done.returncode != 0 or not names:
        names = [str(path.relative_to(SOURCE_DIR)) for path in SOURCE_DIR.rglob("*")
                 if path.is_file() and not {".git", "build"} & set(path.parts)]
    return {name: (SOURCE_DIR / name).read_text(encoding="utf-8") if name.endswith(".md") else ""
            for name in names if (SOURCE_DIR / name).is_file()}


def without_code(text: str) -> str:
    """The text without what is shown as it stands: fences, code, comments."""
    for pattern in (FENCE, COMMENT, CODE):
        text = pattern.sub("", text)
    return text


def slug(heading: str) -> str:
    """The name of a heading, as GitHub and others make it."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    kept = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return kept.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """All that a `#` can name in a file; a heading that comes again gets a number."""
    found: set[str] = set(ANCHOR.findall(text))
    for match in HEADING.finditer(FENCE.sub("", COMMENT.sub("", text))):
        name, number = slug(match[1]), 0
        while (name if number == 0 else f"{name}-{number}") in found:
            number += 1
        found.add(name if number == 0 else f"{name}-{number}")
    return found


def links(text: str) -> Iterator[str]:
    """The targets of all links of a file; of a reference that has none, `[name]`."""
    plain = without_code(text)
    defined = {name.casefold() for name, _ in DEFINITION.findall(plain)}
    for pattern in (INLINE, HTML, AUTOMATIC):
        yield from (target.strip("<>") for target in pattern.findall(plain))
    yield from (target.strip("<>") for _, target in DEFINITION.findall(plain))
    yield from (f"[{name}]" for name in REFERENCE.findall(plain)
                if name and name.casefold() not in defined)


def check_external(parts: urllib.parse.SplitResult) -> str:
    if parts.scheme not in SCHEMES:
        return "has a scheme that no reader follows"
    if parts.scheme != "mailto" and not re.fullmatch(r"[\w.-]+\.\w+(:\d+)?|localhost(:\d+)?",
                                                     parts.netloc):
        return "names no host"
    return ""


def check_link(tree: Tree, path: str, target: str) -> str:
    """What is wrong with a link of a file, or an empty text."""
    if target.startswith("["):
        return "is not defined"
    try:
        parts = urllib.parse.urlsplit(target)
    except ValueError:
        return "is no address"
    if parts.scheme or parts.netloc:
        return check_external(parts)
    if not target:
        return "is empty"
    if target.startswith("/"):
        return "is absolute"
    name = urllib.parse.unquote(parts.path)
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
    if whole not in tree and not any(other.startswith(f"{whole}/") for other in tree) \
            and whole != ".":
        return "leads nowhere"
    if parts.fragment and whole.endswith(".md") and parts.fragment not in anchors(tree[whole]):
        return "has no such heading"
    return ""


def check(tree: Tree) -> list[str]:
    breaches = []
    for path, text in sorted(tree.items()):
        if not path.endswith(".md"):
            continue
        for target in links(text):
            wrong = check_link(tree, path, target)
            if wrong:
                breaches.append(f"{path}: {target}: {wrong}")
        breaches += [f"{path}: {found}: a path of a machine"
                     for found in MACHINE_PATHS.findall(text)]
    return breaches


class Links(unittest.TestCase):
    def test_tree(self) -> None:
        tree = read_tree()
        self.assertIn("protocol/published/reference.md", tree)
        self.assertGreater(sum(len(list(links(text))) for text in tree.values()), 20)
        self.assertEqual(check(tree), [])


class PlantedBreaches(unittest.TestCase):
    TREE: Tree = {
        "README.md": "# Top\n", "doc/a.svg": "",
        "doc/a.md": "# One\n\n## Two: `code`, and *more*\n# One\n<a id=\"set\"></a>\n"}

    def found(self, text: str) -> list[str]:
        return check({**self.TREE, "doc/b.md": text})

    def test_right(self) -> None:
        for text in ("[x](a.md)", "[x](a.md#one-1)", "[x](a.md#two-code-and-more)",
                     "[x](#b)\n# B", "[x](../README.md#top)", "![x](a.svg)", "[x](..)",
                     "[x](a.md 'title')", "[x](https://example.org/a_(b)?c=d#e)",
                     "<https://example.org>", "[x](a.md#set)", "[x][y]\n\n[y]: a.md",
                     "[a [b] c](a.md)", "<img src='a.svg'>", "`[x](none.md)`",
                     "```\n[x](none.md)\n```\n", "~~~c\n[x](none.md)\n~~~\n",
                     "<!-- [x](none.md) -->", "`` a ` [x](none.md) ``", "[x](<a.md>)",
                     "[x](mailto:a@example.org)", "[x](a%2Emd)",
                     "data is in /var/lib/tau, ~/tmp/x or $HOME/tmp/x"):
            self.assertEqual(self.found(text), [], text)

    def test_wrong(self) -> None:
        for text in ("[x](none.md)", "[x](a.md#three)", "[x](#b)", "[x](../../README.md)",
                     "![x](b.svg)", "[x](/doc/a.md)", "[x](http:/a.md)",
                     "[x](htp://example.org)", "[x](file:///doc/a.md)", "<https://>",
                     "[x][none]", "[x][y]\n\n[y]: none.md", "[a [b] c](none.md)",
                     "<img src='none.svg'>", "<a href=\"none.md\">x</a>", "[x]()",
                     "[x](a.md#One)", "[x](a.md#one-2)", "[x](<none.md>)", "[x](https://a,b/)",
                     "[x](https://[/)", "```\nopen\n```\n[x](none.md)",
                     "`a` [x](none.md) `b`", "on C:" + "\\x",
                     *(before + "/" + folder + "/x" for before in ("see ", "in `", "```\ncd ")
                       for folder in ("home", "tmp", "root"))):
            self.assertEqual(len(self.found(text)), 1, (text, self.found(text)))


class Picture(unittest.TestCase):
    """The states and transitions, as they are drawn three times."""

    folder: Path
    states: set[str]
    drawn: dict[tuple[str, str], set[str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = SOURCE_DIR / "protocol" / "published"
        model = json.loads((cls.folder / "specification.json").read_text())
        cls.states = {state["name"] for state in model["states"]}
        cls.drawn = {}
        for row in model["transitions"]:
            cls.drawn.setdefault((row["from"], row["to"]), set()).add(row["event"])

    def test_reference(self) -> None:
        text = (self.folder / "reference.md").read_text()
        picture = text.partition("```mermaid\nstateDiagram-v2\n")[2].partition("```")[0]
        found = {(a, b): set(events.split(", "))
                 for a, b, events in re.findall(r"^ +(\w+) --> (\w+) : (.+)$", picture,
                                                re.MULTILINE)}
        self.assertEqual(found, self.drawn)
        self.assertIn("](session.svg)", text)

    def test_dot_and_svg(self) -> None:
        dot = (self.folder / "session.dot").read_text()
        svg = (self.folder / "session.svg").read_text()
        self.assertEqual(set(re.findall(r'class="state">(\w+)<', svg)), self.states)
        words = re.findall(r"<text[^>]*>([\w.]+)<", svg)
        events = sorted(event for found in self.drawn.values() for event in found)
        self.assertEqual(sorted(set(words) - self.states), sorted(set(events)))
        self.assertEqual(len(words), len(self.states) + len(events))
        arrows = re.findall(r'(\w+) -> (\w+) \[label = "(.*)"\]', dot)
        self.assertEqual({(a, b): set(events.split("\\n")) for a, b, events in arrows}, self.drawn)


if __name__ == "__main__":
    unittest.main(verbosity=2)
