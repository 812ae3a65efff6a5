# SPDX-License-Identifier: MIT
"""The prompt of tau-cli, on a terminal: lines, history, completion, help, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import stat
import tempfile
import time
import unittest
from pathlib import Path

from tau_cli import NO_CONNECTION, OK, Cli, Server, Terminal

CTRL_C, CTRL_D, UP, TAB = "\x03", "\x04", "\x1b[A", "\t"


class Prompt(unittest.TestCase):
    server: Server
    home: "tempfile.TemporaryDirectory[str]"

    @classmethod
    def setUpClass(cls) -> None:
        cls.home = tempfile.TemporaryDirectory(prefix="tau-prompt-")
        cls.server = Server("--idle-timeout", "2s").start()
        cls.cli = Cli(cls.server, {"XDG_STATE_HOME": f"{cls.home.name}/state"})
        for name in ("kitchen.inside", "kitchen.outside", "with blank"):
            cls.cli.ok("append", name, "1", "21.5", "--create")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)
        cls.home.cleanup()

    def open(self) -> Terminal:
        terminal = Terminal(self.cli)
        terminal.wait_for_prompt()
        return terminal

    def close(self, terminal: Terminal) -> None:
        terminal.type(CTRL_D)
        self.assertEqual(terminal.end(), OK)

    def ask(self, terminal: Terminal, line: str) -> str:
        """Types a line; returns what comes until the next prompt."""
        terminal.type(line + "\r")
        terminal.wait_for("\n")
        return terminal.wait_for_prompt().decode()

    def test_commands(self) -> None:
        terminal = self.open()
        self.assertIn("21.5", self.ask(terminal, "get kitchen.inside 1"))
        self.assertIn("did you mean `get`", self.ask(terminal, "gte kitchen.inside 1"))
        self.assertIn("21.5", self.ask(terminal, "get 'with blank' 1"))
        self.assertIn("21.5", self.ask(terminal, "get with\\ blank 1"))
        self.assertIn("ok", self.ask(terminal, "append kitchen.inside now 22"))
        self.assertIn("out_of_order", self.ask(terminal, "append kitchen.inside -5 22"))
        self.assertIn("a quote is not closed", self.ask(terminal, "get 'kitchen"))
        self.assertIn("lens-create", self.ask(terminal, "help"))
        self.assertIn("usage: append SERIES TIME VALUE", self.ask(terminal, "help append"))
        self.assertIn("usage: append SERIES TIME VALUE", self.ask(terminal, "append --help"))
        self.assertIn('"value"', self.ask(terminal, "latest kitchen.inside --format json"))
        self.assertNotIn('"value"', self.ask(terminal, "latest kitchen.inside"))
        terminal.type("exit\r")
        self.assertEqual(terminal.end(), OK)

    def test_completion(self) -> None:
        terminal = self.open()
        terminal.type("desc" + TAB)
        terminal.wait_for("ribe ")
        terminal.type("kit" + TAB)
        terminal.wait_for("chen.")
        terminal.type(TAB)
        listed = terminal.wait_for("kitchen.outside").decode()
        self.assertIn("kitchen.inside", listed)
        terminal.type("i" + TAB)
        terminal.wait_for("nside ")
        terminal.type("\r")
        self.assertIn("point_count", terminal.wait_for_prompt().decode())
        terminal.type("get wi" + TAB + "1\r")
        self.assertIn("21.5", terminal.wait_for("21.5").decode())
        terminal.wait_for_prompt()
        terminal.type("range kitchen.inside --rev" + TAB + "\r")
        terminal.wait_for("erse ")
        terminal.wait_for_prompt()
        self.close(terminal)

    def test_completion_of_operations(self) -> None:
        terminal = self.open()
        terminal.type("spec QUERY_LA" + TAB)
        terminal.wait_for("TEST ")
        terminal.type("\r")
        self.assertIn("QUERY_LATEST, opcode", terminal.wait_for_prompt().decode())
        terminal.type("call list_l" + TAB)
        terminal.wait_for("enses ")
        terminal.type("\r")
        terminal.wait_for_prompt()
        self.close(terminal)

    def test_completion_of_file_names(self) -> None:
        """A directory goes on, a file is a whole word, and a name with a blank is one too."""
        files = Path(self.home.name, "files of mine")
        (files / "deep").mkdir(parents=True)
        (files / "deep" / "points.csv").write_text("completed,7,1.25\n")
        terminal = self.open()
        terminal.type(f"import {self.home.name}/fil" + TAB)
        terminal.wait_for("es\\ of\\ mine/")
        terminal.type("d" + TAB)
        terminal.wait_for("eep/")
        terminal.type(TAB)
        terminal.wait_for("points.csv ")
        terminal.type("\r")
        terminal.wait_for("1 accepted")
        terminal.wait_for_prompt()
        self.assertIn("1.25", self.ask(terminal, "get completed 7"))
        terminal.type(f"list --certificate-file={self.home.name}/fil" + TAB)
        terminal.wait_for("es\\ of\\ mine/")
        terminal.type(CTRL_C)
        terminal.wait_for_prompt()
        self.close(terminal)

    def test_history(self) -> None:
        terminal = self.open()
        self.ask(terminal, "latest kitchen.outside")
        terminal.type(UP)
        terminal.wait_for("latest kitchen.outside")
        terminal.type("\r")
        terminal.wait_for_prompt()
        self.close(terminal)
        path = Path(self.home.name, "state", "tau", "history")
        self.assertIn("outside", path.read_text())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        terminal = self.open()
        terminal.type(UP)
        terminal.wait_for("latest kitchen.outside")
        terminal.type(CTRL_C)
        self.close(terminal)

    def test_ctrl_c(self) -> None:
        """It drops a line, and ends a command, but not the program."""
        terminal = self.open()
        terminal.type("drop kitchen.inside" + CTRL_C)
        terminal.wait_for_prompt()
        self.assertIn("21.5", self.ask(terminal, "get kitchen.inside 1"))
        terminal.type("watch kitchen.inside\r")
        terminal.wait_for("timestamp")
        time.sleep(0.3)
        terminal.type(CTRL_C)
        terminal.wait_for_prompt()
        self.assertIn("21.5", self.ask(terminal, "get kitchen.inside 1"))
        self.close(terminal)

    def test_idle_connection(self) -> None:
        """The server closes it; the next command, even a write, does not notice."""
        terminal = self.open()
        self.assertIn("ok", self.ask(terminal, "append kitchen.outside now 1"))
        time.sleep(4)
        self.assertIn("ok", self.ask(terminal, "append kitchen.outside now 2"))
        self.close(terminal)

    def test_no_server(self) -> None:
        cli = Cli(env={"TAU_SERVER": "127.0.0.1:1", "TAU_CERTIFICATE": "00" * 32})
        terminal = Terminal(cli)
        self.assertEqual(terminal.end(), NO_CONNECTION)


if __name__ == "__main__":
    unittest.main(verbosity=2)
