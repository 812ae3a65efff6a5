# SPDX-License-Identifier: MIT
"""The manual: every page renders without a warning, and says what the programs and headers say.

What the pages have to name is taken from elsewhere than they are made of: the help that the
programs print, the symbols that the library exports, the names in the headers. Each way round:
what is there has its page, and a page names only what is there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["TAU_BUILD_DIR"])
SOURCE = Path(os.environ["TAU_SOURCE_DIR"])
GENERATED = Path(os.environ["TAU_GENERATED_DIR"])
BIN = Path(os.environ["TAU_BIN_DIR"])
CMAKE = os.environ["TAU_CMAKE"]
HEADERS = [*(SOURCE / "client/include/tau").glob("*.h"),
           *(SOURCE / "client/adapters/tau").glob("*.h"), *(GENERATED / "include/tau").glob("*.h")]

# man(1) and groff say nothing about pages that are right; mandoc(1) names what is wrong by itself.
RENDER = ["man", "-l", "--warnings", "-E", "UTF-8"]
LINT = ["mandoc", "-T", "lint", "-W", "warning"]

# A function with a comment for its users; what has none is for the headers themselves.
COMMENTED = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\n(?:TAU_API|static inline)[^;{]*?\b(tau_\w+)\(",
                       re.DOTALL)


def run(command: list[str], width: str = "80") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "MANWIDTH": width, "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "TERM": "dumb"}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def program(name: str, *args: str) -> str:
    done = run([str(BIN / name), *args])
    assert done.returncode == 0, done
    return done.stdout


def commands() -> dict[str, str]:
    """The commands in the help of tau-cli, and what it says of each."""
    text = program("tau-cli", "--help")
    listed = text.partition("\ncommands ")[2].partition("\noptions:")[0]
    return {m[1]: " ".join(m[2].split()) for m in
            re.finditer(r"^  ([a-z-]+)\s+((?:.|\n {3,})*)", listed, re.MULTILINE)}


def options(help_text: str) -> set[str]:
    """The options that a help lists at the beginnings of lines."""
    return set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", help_text, re.MULTILINE))


def messages(paths: list[Path]) -> list[str]:
    """What the two readers have against pages. man(1) does not say which page it means."""
    found = []
    if shutil.which("man"):
        done = run([*RENDER, *map(str, paths)], "120")
        if done.stderr and len(paths) > 1:
            return [message for path in paths for message in messages([path])]
        found += [f"man: {paths[0].name}: {line}" for line in done.stderr.splitlines()]
    if shutil.which("mandoc"):
        done = run([*LINT, *map(str, paths)])
        found += (done.stdout + done.stderr).splitlines()
    return found


class Manual(unittest.TestCase):
    pages: dict[str, Path]  # by name(section)
    texts: dict[str, str] = {}
    prefix: Path
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.prefix = Path(tempfile.mkdtemp(prefix="tau-man-"))
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        done = run([CMAKE, "--install", str(BUILD), "--prefix", str(cls.prefix)])
        assert done.returncode == 0, done
        cls.pages = {f"{p.stem}({p.suffix[1:]})": p
                     for p in sorted((cls.prefix / "share/man").glob("man*/*"))}

    def text(self, page: str) -> str:
        """A page as it is read: one line for each paragraph, without hyphenation."""
        if page not in self.texts:
            self.texts[page] = self.rendered(page)
        return self.texts[page]

    def rendered(self, page: str) -> str:
        done = run(["groff", "-man", "-Tascii", "-P-cbou", "-rHY=0", "-rLL=2000n",
                    str(self.pages[page])])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_each_renders(self) -> None:
        if not shutil.which("man") and not shutil.which("mandoc"):
            self.skipTest("neither man-db nor mandoc is there")
        self.assertGreater(len(self.pages), 100)
        self.assertEqual(messages(list(self.pages.values())), [])

    def test_a_wrong_page_would_be_noticed(self) -> None:
        page = self.pages["tau-cli(1)"].read_text()
        wrong = self.prefix / "wrong.1"
        for before, after in ((".SH NAME", ".SHH NAME"), (".SH NAME", "\\*[nothing]\n.SH NAME")):
            wrong.write_text(page.replace(before, after, 1))
            right = self.pages["tau-cli(1)"]
            self.assertEqual(messages([right]), [])
            self.assertNotEqual(messages([right, wrong]), [], after)

    def test_each_is_found_by_its_name(self) -> None:
        """The line from which whatis(1) and apropos(1) know a page."""
        if not shutil.which("lexgrog"):
            self.skipTest("man-db is not there")
        done = run(["lexgrog", *map(str, self.pages.values())])
        for name, path in self.pages.items():
            self.assertIn(f'{path}: "{name.partition("(")[0]} - ', done.stdout)

    def test_references(self) -> None:
        """A page refers to pages that there are, and every page can be reached from two of them."""
        reached = {"tau-cli(1)", "tauclient(3)"}
        for name in self.pages:
            for reference in re.findall(r"\b(tau[\w-]*\(\d\))", self.text(name)):
                self.assertIn(reference, self.pages, name)
                if name in ("tau-cli(1)", "tauclient(3)"):
                    reached.add(reference)
        self.assertEqual(sorted(set(self.pages) - reached), [])

    def test_commands(self) -> None:
        found = commands()
        self.assertGreater(len(found), 15)
        self.assertEqual({f"tau-cli-{name}(1)" for name in found} | {"tau-cli(1)"},
                         {name for name in self.pages if name.endswith("(1)")})
        for name, summary in found.items():
            self.assertIn(f"tau-cli-{name} - {summary}", self.text(f"tau-cli-{name}(1)"))

    def test_options_of_commands(self) -> None:
        shared = options(program("tau-cli", "--help"))
        self.assertIn("--format", shared)
        self.assertEqual(self.option_terms("tau-cli(1)"), shared)
        for name in commands():
            own = options(program("tau-cli", name, "--help")) - shared
            page = f"tau-cli-{name}(1)"
            self.assertEqual(self.option_terms(page), own, page)
            named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", self.text(page)))
            self.assertEqual(named, own | shared, page)

    def option_terms(self, page: str) -> set[str]:
        return set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)(?: [A-Z]+)?$", self.text(page),
                              re.MULTILINE))

    def test_arguments_of_commands(self) -> None:
        for name in commands():
            usage = program("tau-cli", name, "--help").splitlines()[0].partition(f" {name}")[2]
            synopsis = self.text(f"tau-cli-{name}(1)").partition("SYNOPSIS\n")[2].splitlines()[0]
            self.assertEqual(synopsis.partition(f"] {name}")[2].split(), usage.split(), name)

    def test_server(self) -> None:
        text = program("taud", "--help")
        page = self.text("taud(8)")
        listed = re.findall(r"^  (--[\w-]+) ([A-Z]+)  \[(TAU_\w+)\]$", text, re.MULTILINE)
        self.assertEqual(re.findall(r"^ +(--[\w-]+) ([A-Z]+)$", page, re.MULTILINE),
                         [(name, argument) for name, argument, _ in listed])
        self.assertGreater(len(listed), 10)
        for name, _, variable in listed:
            self.assertIn(variable, page)
        for default in re.findall(r"\(default: (.*)\)$", text, re.MULTILINE):
            self.assertIn(f"Default: {default.replace('`', '')}.", page)
        for word in ("SIGHUP", "powers of 1024", "2 wrong options", "never from the command line",
                     "taud check [--format FORMAT] DIRECTORY"):
            self.assertIn(word, page)
        described = re.findall(r"^  (\w+) DIRECTORY$", text, re.MULTILINE)
        self.assertIn("check", described)
        self.assertEqual(re.findall(r"^ +(\w+) DIRECTORY$", page, re.MULTILINE), described)

    def test_functions(self) -> None:
        exported = set((SOURCE / "client/symbols.txt").read_text().split())
        inline = {name for h in HEADERS for _, name in COMMENTED.findall(h.read_text())}
        self.assertIn("tau_options_init", inline)
        third = {name[:-3] for name in self.pages if name.endswith("(3)")}
        self.assertEqual(sorted((exported | inline) - third), [])
        known = " ".join(h.read_text() for h in HEADERS)
        for name in third - {"tauclient"}:
            self.assertRegex(known, rf"\b{name}\b")
            self.assertTrue(name in exported | inline or
                            re.search(rf"\b(?:struct|enum) {name} {{|\b{name}\(", known), name)

    def test_functions_are_told_whole(self) -> None:
        """The prototype as the header has it, and every part of its comment."""
        parts = {"Ownership": "OWNERSHIP", "Returns": "RETURN VALUE", "Blocks": "BLOCKING"}
        for header in HEADERS:
            for comment, name in COMMENTED.findall(header.read_text()):
                page = self.text(f"{name}(3)")
                self.assertIn(f"#include <tau/{header.name}>", page, name)
                for label, title in parts.items():
                    self.assertEqual(f"{label}: " in comment, f"\n{title}\n" in page, (name, label))

    def test_a_function_without_a_comment_is_refused(self) -> None:
        """The build fails, and names the function."""
        header = self.prefix / "wrong.h"
        good = "/* What it is for. */\n/** Does it. */\nTAU_API int tau_do(void);\n"
        wrong = good + "\nTAU_API int tau_undone(int a);\n"
        for text, words in ((good, ""), (wrong, "tau_undone")):
            header.write_text(text)
            done = subprocess.run(
                [sys.executable, "-c", "import sys; from pathlib import Path; "
                 "from taudoc import headers; headers.read(Path(sys.argv[1]), 'tau/wrong.h')",
                 str(header)], capture_output=True, text=True, check=False,
                env={**os.environ, "PYTHONPATH": str(SOURCE / "gen")})
            self.assertEqual(done.returncode != 0, words != "", done.stderr)
            self.assertIn(words, done.stderr)

    def test_statuses(self) -> None:
        text = (GENERATED / "include/tau/protocol.h").read_text()
        listed = re.findall(r"^    (TAU_STATUS_\w+) = 0x", text, re.MULTILINE)
        self.assertGreater(len(listed), 20)
        page = self.text("tau_status(3)")
        self.assertEqual(re.findall(r"\b(TAU_STATUS_\w+) \(0x", page), listed)

    def test_nothing_names_the_build(self) -> None:
        for path in (self.prefix / "share").rglob("*"):
            if path.is_file():
                self.assertNotIn(str(BUILD), path.read_text(), path)
                self.assertNotIn(str(SOURCE) + "/", path.read_text(), path)


if __name__ == "__main__":
    if shutil.which("groff") is None:
        print("groff is not there")
        sys.exit(77)
    unittest.main(verbosity=2)
