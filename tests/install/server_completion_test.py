# SPDX-License-Identifier: MIT
"""The completions of taud, each in its own shell: on a terminal, with the Tab key. What they have
to offer is taken from the help of taud."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

from completion_test import BASH, SECONDS, ZSH, Terminal, names_in
from tau_server import BIN_DIR, clean_environment

COMPLETIONS = Path(os.environ["TAU_BUILD_DIR"]) / "documentation/server/completions"


class Cases:
    """What every shell has to offer. A shell's class says how it is asked."""

    class Shell(unittest.TestCase):
        program: ClassVar[str]
        folder: ClassVar[Path]
        env: ClassVar[dict[str, str]]
        options: ClassVar[list[str]]

        @classmethod
        def setUpClass(cls) -> None:
            if shutil.which(cls.program) is None:
                raise unittest.SkipTest(f"{cls.program} is not there")
            cls.folder = Path(tempfile.mkdtemp(prefix="tau-completion-"))
            cls.addClassCleanup(shutil.rmtree, cls.folder)
            (cls.folder / "files" / "months").mkdir(parents=True)
            for name in ("monday.ini", "month.ini", "other"):
                (cls.folder / "files" / name).touch()
            said = subprocess.run([str(BIN_DIR / "taud"), "--help"], capture_output=True, text=True,
                                  check=True).stdout
            cls.options = sorted(re.findall(r"(?:^  |, )(--[\w-]+)", said, re.MULTILINE))
            cls.env = clean_environment({
                "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "HOME": str(cls.folder),
                "COMPLETIONS": str(COMPLETIONS), "TERM": "xterm", "LC_ALL": "C.UTF-8",
                "XDG_CONFIG_HOME": str(cls.folder), "XDG_DATA_HOME": str(cls.folder),
                "INPUTRC": "/dev/null"})  # fmt: skip
            cls.open()

        @classmethod
        def open(cls) -> None:
            raise NotImplementedError

        def ask(self, line: str) -> list[str]:
            """The candidates for the end of a line, unquoted and sorted."""
            raise NotImplementedError

        def test_options(self) -> None:
            self.assertGreater(len(self.options), 10)
            self.assertIn("--log-level", self.options)
            self.assertEqual(self.ask("taud --"), self.options)
            self.assertEqual(self.ask("taud --log-l"), ["--log-level"])
            self.assertEqual(self.ask("taud --workers 3 --log-fo"), ["--log-format"])
            self.assertEqual(self.ask("taud --listen=unix:x --lis"), ["--listen"])

        def test_choices(self) -> None:
            levels = ["debug", "error", "info", "warning"]
            self.assertEqual(self.ask("taud --log-level "), levels)
            self.assertEqual(self.ask("taud --memory 1G --log-level w"), ["warning"])
            self.assertEqual(self.ask("taud --durability i"), ["interval=100ms"])
            self.assertEqual(self.ask("taud --log-level x"), [])

        def test_assigned(self) -> None:
            self.assertEqual([name.removeprefix("--log-level=")
                              for name in self.ask("taud --log-level=")],
                             ["debug", "error", "info", "warning"])  # fmt: skip
            self.assertEqual([name.removeprefix("--log-format=")
                              for name in self.ask("taud --log-format=js")], ["json"])  # fmt: skip

        def test_paths(self) -> None:
            self.assertEqual([name.rstrip("/") for name in self.ask("taud --data-dir ")],
                             ["months"])
            self.assertEqual(self.ask("taud --config mond"), ["monday.ini"])
            self.assertEqual(self.ask("taud --pid-file oth"), ["other"])

        def test_commands(self) -> None:
            self.assertEqual(self.ask("taud ch"), ["check"])
            self.assertEqual(self.ask("taud rep"), ["repair"])
            self.assertEqual([name.rstrip("/") for name in self.ask("taud check ")], ["months"])
            self.assertEqual([name.rstrip("/") for name in self.ask("taud repair mo")],
                             ["months"])
            self.assertEqual(self.ask("taud check --"), ["--format", "--help"])
            self.assertEqual(self.ask("taud check --format j"), ["json"])

        def test_other_values(self) -> None:
            for option in ("--workers", "--listen", "--memory", "--idle-timeout"):
                self.assertEqual(self.ask(f"taud {option} "), [], option)


class OnTerminal(Cases.Shell):
    """bash and zsh: what the Tab key does."""

    argv: ClassVar[list[str]]
    setup: ClassVar[str]
    terminal: ClassVar[Terminal]

    @classmethod
    def setUpClass(cls) -> None:
        if cls is OnTerminal:
            raise unittest.SkipTest("its shells are tested below")
        super().setUpClass()

    @classmethod
    def open(cls) -> None:
        cls.terminal = Terminal(cls.argv, cls.setup, cls.env, cls.folder)
        cls.addClassCleanup(cls.terminal.close)

    def ask(self, line: str) -> list[str]:
        offered, _ = self.terminal.tab(line)
        return sorted({name.replace("\\", "").rstrip("=") for name in offered})

    def test_lines(self) -> None:
        for typed, becomes in (("--log-level=de", "--log-level=debug "),
                               ("--config mond", "--config monday.ini "),
                               ("--config=mond", "--config=monday.ini "),
                               ("--data-dir mo", "--data-dir months/")):
            _, shown = self.terminal.tab(f"taud {typed}")
            self.assertEqual(shown, f"taud {becomes}")


class Bash(OnTerminal):
    program = "bash"
    argv = ["bash", "--norc", "--noprofile", "-i"]
    setup = BASH.replace("tau-cli", "taud").replace("_tau_cli", "_taud")

    def test_words_that_are_not_taken_apart(self) -> None:
        """Where `=` is a letter as any other."""
        self.terminal.type("COMP_WORDBREAKS=${COMP_WORDBREAKS//=}\n")
        try:
            _, shown = self.terminal.tab("taud --log-level=de")
            self.assertEqual(shown, "taud --log-level=debug ")
        finally:
            self.terminal.type("COMP_WORDBREAKS+==\n")


class Zsh(OnTerminal):
    program = "zsh"
    argv = ["zsh", "-f", "-i"]
    setup = ZSH


class Fish(Cases.Shell):
    program = "fish"

    @classmethod
    def open(cls) -> None:
        pass

    def ask(self, line: str) -> list[str]:
        done = subprocess.run(
            ["fish", "--no-config", "-c", 'source "$COMPLETIONS/fish/taud.fish"; '
             "complete -C $argv[1]", line],
            cwd=self.folder / "files", env=self.env, capture_output=True, text=True,
            timeout=SECONDS, check=False)  # fmt: skip
        self.assertEqual(done.stderr, "")
        return sorted({row.partition("\t")[0] for row in names_in(done.stdout)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
