# SPDX-License-Identifier: MIT
"""The completions, each in its own shell: on a terminal, with the Tab key, beside a real server.

bash and zsh write down what the completion offers them; fish can be asked. What they have to offer
is taken from the help of tau-cli.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import ClassVar

from tau_cli import Cli, address_text
from tau_server import BIN_DIR, CERTIFICATE, PATIENCE, Server, clean_environment

COMPLETIONS = Path(os.environ["TAU_BUILD_DIR"]) / "documentation/commands/completions"
SECONDS = 20 * PATIENCE

BASH = r"""
PS1='ready> '; bind 'set enable-bracketed-paste off'
source "$COMPLETIONS/bash/tau-cli"
offer() {
    _tau_cli "$@"
    printf '%s\n' "${COMPREPLY[@]}" >"$OFFERED.new"
    mv "$OFFERED.new" "$OFFERED"
}
complete -F offer tau-cli
show() { printf '%s\n' "$READLINE_LINE" >"$SHOWN.new"; mv "$SHOWN.new" "$SHOWN"; }
bind -x '"\C-t": show'
bind '"\C-g": kill-whole-line'
"""

ZSH = r"""
PS1='ready> '; setopt no_beep
fpath=("$COMPLETIONS/zsh" $fpath); autoload -Uz compinit; compinit -u -D
compadd() {
    local -a hits; builtin compadd -O hits "$@"
    (( $#hits )) && print -rl -- $hits >>"$OFFERED.new"
    builtin compadd "$@"
}
offer() { : >"$OFFERED.new"; zle expand-or-complete; mv "$OFFERED.new" "$OFFERED"; }
zle -N offer; bindkey '^I' offer
show() { print -r -- "$BUFFER" >"$SHOWN.new"; mv "$SHOWN.new" "$SHOWN"; }
zle -N show; bindkey '^T' show; bindkey '^G' kill-whole-line
LISTMAX=10000
"""


def names_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


class Terminal:
    """A shell that completes on a terminal of its own."""

    def __init__(self, argv: list[str], setup: str, env: dict[str, str], folder: Path) -> None:
        self.offered = folder / "offered"
        self.shown = folder / "shown"
        self.seen = b""  # all that came on the terminal
        (folder / "setup").write_text(setup)
        env = {**env, "OFFERED": str(self.offered), "SHOWN": str(self.shown)}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder / "files")
            os.execvpe(argv[0], argv, env)
        self.type(f"source {folder / 'setup'}; : >{self.shown}\n")
        self.take(self.shown)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def take(self, path: Path) -> str:
        """What the shell has written to a file, as soon as it is there; reads its terminal too."""
        deadline = time.monotonic() + SECONDS
        while not path.exists():
            if time.monotonic() > deadline:
                raise AssertionError(f"{path.name} did not come: {self.seen!r}")
            if select.select([self.fd], [], [], 0.01)[0]:
                self.seen += os.read(self.fd, 65536)
        text = path.read_text()
        path.unlink()
        return text

    def tab(self, line: str) -> tuple[list[str], str]:
        """What the Tab key offers behind a line, and what the line then is."""
        self.type(f"{line}\t")
        offered = names_in(self.take(self.offered))
        self.type("\x14")
        shown = self.take(self.shown).rstrip("\n")
        self.type("\x07")
        return offered, shown

    def close(self) -> None:
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Cases:
    """What every shell has to offer. A shell's class says how it is asked."""

    class Shell(unittest.TestCase):
        program: ClassVar[str]
        server: ClassVar[Server]
        folder: ClassVar[Path]
        env: ClassVar[dict[str, str]]
        help: ClassVar[dict[str, str]]

        @classmethod
        def setUpClass(cls) -> None:
            if shutil.which(cls.program) is None:
                raise unittest.SkipTest(f"{cls.program} is not there")
            cls.folder = Path(tempfile.mkdtemp(prefix="tau-completion-"))
            cls.addClassCleanup(shutil.rmtree, cls.folder)
            cls.server = Server().start()
            cls.addClassCleanup(cls.server.remove)
            cls.addClassCleanup(cls.server.stop)
            for name in ("monday.csv", "month.csv", "other"):
                (cls.folder / "files").mkdir(exist_ok=True)
                (cls.folder / "files" / name).touch()
            cli = Cli(cls.server)
            for label in ("cpu.load", "cpu.idle", "web:one two"):
                cli.ok("create", label)
            cli.ok("lens-create", "cpu.lens", "cpu.load", "identity")
            cls.help = {"": cli.ok("--help")}
            for name in cls.commands():
                cls.help[name] = cli.ok(name, "--help")
            cls.env = clean_environment({
                "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "HOME": str(cls.folder),
                "COMPLETIONS": str(COMPLETIONS), "TERM": "xterm", "LC_ALL": "C.UTF-8",
                "TAU_CERTIFICATE": CERTIFICATE.hex(), "XDG_CONFIG_HOME": str(cls.folder),
                "XDG_DATA_HOME": str(cls.folder), "INPUTRC": "/dev/null"})
            cls.open()

        @classmethod
        def open(cls) -> None:
            raise NotImplementedError

        def ask(self, line: str) -> list[str]:
            """The candidates for the end of a line, unquoted and sorted."""
            raise NotImplementedError

        @classmethod
        def commands(cls) -> list[str]:
            listed = cls.help[""].partition("\ncommands ")[2].partition("\noptions:")[0]
            return re.findall(r"^  ([a-z-]+)", listed, re.MULTILINE)

        def options(self, command: str) -> list[str]:
            found = re.findall(r"^  (?:-\w, )?(--[\w-]+)", self.help[command], re.MULTILINE)
            return sorted(set(found))

        def line(self, rest: str) -> str:
            """A line that says which server it is about."""
            return f"tau-cli --server {address_text(self.server.address)} {rest}"

        def test_commands(self) -> None:
            self.assertEqual(self.ask("tau-cli "), sorted([*self.commands(), "help"]))
            self.assertEqual(self.ask("tau-cli appe"), ["append"])
            self.assertEqual(self.ask("tau-cli -f csv lens-c"), ["lens-compose", "lens-create"])
            self.assertEqual(self.ask("tau-cli help lens-c"), ["lens-compose", "lens-create"])
            self.assertEqual(self.ask("tau-cli xyz"), [])

        def test_options(self) -> None:
            self.assertIn("--create", self.options("append"))
            for name in ["", *self.commands()]:
                self.assertEqual(self.ask(f"tau-cli {name} --".replace("  ", " ")),
                                 self.options(name), name)

        def test_values_of_options(self) -> None:
            formats = ["csv", "json", "jsonl", "table", "tsv"]
            self.assertEqual(self.ask("tau-cli --format "), formats)
            self.assertEqual(self.ask("tau-cli -f "), formats)
            self.assertEqual(self.ask("tau-cli list --format js"), ["json", "jsonl"])
            self.assertEqual(self.ask("tau-cli --unit "), ["ms", "ns", "s", "us"])
            self.assertEqual(self.ask("tau-cli range a --limit 5 --time r"), ["rfc3339"])
            self.assertEqual(self.ask("tau-cli --certificate-file mon"),
                             ["monday.csv", "month.csv"])

        def test_arguments(self) -> None:
            self.assertEqual(self.ask("tau-cli bench "), ["append", "batch", "query"])
            self.assertEqual(self.ask("tau-cli import mon"), ["monday.csv", "month.csv"])
            self.assertEqual(self.ask("tau-cli import monday.csv mont"), ["month.csv"])

        def test_names(self) -> None:
            self.assertEqual(self.ask(self.line("range ")),
                             ["cpu.idle", "cpu.load", "web:one two"])
            self.assertEqual(self.ask(self.line("range cpu")), ["cpu.idle", "cpu.load"])
            self.assertEqual(self.ask(self.line("export cpu.load cpu.i")), ["cpu.idle"])
            self.assertEqual(self.ask(self.line("lens-get cp")), ["cpu.lens"])
            self.assertEqual(self.ask(self.line("lens-create new cpu.")),
                             ["cpu.idle", "cpu.lens", "cpu.load"])
            self.assertEqual(self.ask(self.line("import --series cpu.l")), ["cpu.load"])
            self.assertEqual(self.ask(self.line("get cpu.load cpu")), [])

        def test_operations(self) -> None:
            """Those of the server, wherever a command's usage asks for one."""
            for name in self.commands():
                usage = self.help[name].splitlines()[0]
                if re.search(rf" {name} \[?OPERATION", usage):
                    self.assertEqual(self.ask(self.line(f"{name} QUERY_L")),
                                     ["QUERY_LATEST", "QUERY_LENS"])

        def test_no_server(self) -> None:
            """Nothing is offered, and soon."""
            began = time.monotonic()
            self.assertEqual(self.ask("tau-cli --server 127.0.0.1:1 range cpu"), [])
            self.assertLess(time.monotonic() - began, 5 * PATIENCE)

        def test_silent_server(self) -> None:
            """One that takes connections and never answers holds nobody up for long."""
            with socket.create_server(("127.0.0.1", 0)) as silent:
                began = time.monotonic()
                address = f"127.0.0.1:{silent.getsockname()[1]}"
                self.assertEqual(self.ask(f"tau-cli --server {address} range cpu"), [])
                self.assertLess(time.monotonic() - began, 5 * PATIENCE)


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
        """What stands on the line: labels are quoted, and colons and equals signs no hindrance."""
        for typed, becomes in (("get web", "get web:one\\ two "),
                               ("get web:o", "get web:one\\ two "),
                               ("list --format=cs", "list --format=csv "),
                               ("--certificate-file=oth", "--certificate-file=other ")):
            _, shown = self.terminal.tab(self.line(typed))
            self.assertEqual(shown.replace("web\\:", "web:"), self.line(becomes))

    def test_nothing_is_printed(self) -> None:
        _, shown = self.terminal.tab("tau-cli --server 127.0.0.1:1 get x")
        self.assertEqual(shown, "tau-cli --server 127.0.0.1:1 get x")
        self.assertNotIn(b"tau-cli: ", self.terminal.seen)


class Bash(OnTerminal):
    program = "bash"
    argv = ["bash", "--norc", "--noprofile", "-i"]
    setup = BASH


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
            ["fish", "--no-config", "-c", 'source "$COMPLETIONS/fish/tau-cli.fish"; '
             "complete -C $argv[1]", line],
            cwd=self.folder / "files", env=self.env, capture_output=True, text=True,
            timeout=SECONDS, check=False)
        self.assertEqual(done.stderr, "")
        found = [row.partition("\t")[0] for row in names_in(done.stdout)]
        return sorted({name for name in found if name.startswith("--") or name[:1] != "-"})

    def test_labels(self) -> None:
        self.assertEqual(self.ask(self.line("get web:o")), ["web:one two"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
