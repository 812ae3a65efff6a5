# SPDX-License-Identifier: MIT
"""What tau-cli prints and where: formats, pages, pipes that end, colour, help, usage."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import time
import unittest

from tau_cli import ERROR, OK, PATIENCE, TAU_CLI, USAGE, Cli, Server, Terminal, lines

POINTS = 200_000


class Output(unittest.TestCase):
    server: Server
    cli: Cli

    @classmethod
    def setUpClass(cls) -> None:
        # An idle connection ends after a second here: a reader that waits must not notice.
        cls.server = Server("--idle-timeout", "1s").start()
        cls.cli = Cli(cls.server)
        cls.cli.ok("import", "--series", "long", "-",
                   stdin="".join(f"{at},{at / 4}\n" for at in range(POINTS)))
        cls.cli.ok("append", "short", "1500000000", "nan", "--create")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)

    def test_formats_agree(self) -> None:
        args = ("range", "long", "0", "999", "--time", "ns")
        wanted = [(at, at / 4) for at in range(1000)]
        text = self.cli.ok(*args, "--format", "csv")
        self.assertEqual([(int(t), float(v)) for t, v in list(csv.reader(io.StringIO(text)))[1:]],
                         wanted)
        text = self.cli.ok(*args, "--format", "tsv")
        self.assertEqual([(int(t), float(v)) for t, v in
                          (line.split("\t") for line in lines(text)[1:])], wanted)
        rows = json.loads(self.cli.ok(*args, "--format", "json"))
        self.assertEqual([(row["timestamp"], row["value"]) for row in rows], wanted)
        rows = [json.loads(line) for line in lines(self.cli.ok(*args, "--format", "jsonl"))]
        self.assertEqual([(row["timestamp"], row["value"]) for row in rows], wanted)
        table = [line.split() for line in lines(self.cli.ok(*args))]
        self.assertEqual(table[0], ["timestamp", "value"])
        self.assertEqual([(int(t), float(v)) for t, v in table[1:]], wanted)

    def test_time_formats(self) -> None:
        for format_, text in (("rfc3339", "1970-01-01T00:00:01.500Z"), ("s", "1.5"),
                              ("ms", "1500"), ("us", "1500000"), ("ns", "1500000000")):
            table = self.cli.ok("range", "short", "--time", format_, "--format", "csv")
            self.assertEqual(lines(table)[1], f"{text},nan(0x7ff8000000000000)")
        row = json.loads(self.cli.ok("get", "short", "1500000000", "--format", "json"))
        self.assertEqual(row["value"], "nan(0x7ff8000000000000)")

    def test_pages(self) -> None:
        """More points than a page, forwards and backwards, each once."""
        table = lines(self.cli.ok("range", "long", "--format", "csv", "--time", "ns"))
        self.assertEqual(len(table), POINTS + 1)
        self.assertEqual([int(line.split(",")[0]) for line in table[1:]], list(range(POINTS)))
        table = lines(self.cli.ok("range", "long", "--format", "csv", "--time", "ns", "--reverse"))
        self.assertEqual([int(line.split(",")[0]) for line in table[1:]],
                         list(range(POINTS - 1, -1, -1)))

    def test_reader_may_wait(self) -> None:
        """As with `| less`: the connection ends for idleness in between, the output does not."""
        for args in (("range", "long", "--format", "csv", "--time", "ns"),
                     ("export", "long", "--time", "ns")):
            process = self.cli.start(*args)
            assert process.stdout is not None and process.stderr is not None
            start = process.stdout.read(1000)
            time.sleep(4)
            rest = process.stdout.read()
            self.assertEqual(process.stderr.read(), b"")
            self.assertEqual(process.wait(), OK)
            process.stdout.close()
            process.stderr.close()
            self.assertEqual(len((start + rest).splitlines()), POINTS + 1)

    def test_pipe_that_ends(self) -> None:
        for args in ("range long", "export long", "range long --format json"):
            done = subprocess.run(["bash", "-c",
                                   f"set -o pipefail; '{TAU_CLI}' {args} | head -n 3"],
                                  capture_output=True, env=self.cli.env, timeout=60 * PATIENCE,
                                  check=False)
            self.assertEqual(len(done.stdout.splitlines()), 3)
            self.assertEqual(done.stderr, b"")

    def test_full_disk(self) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([str(TAU_CLI), "range", "short"], stdout=full,
                                  stderr=subprocess.PIPE, env=self.cli.env, check=False)
        self.assertEqual(done.returncode, ERROR)
        self.assertIn(b"No space left", done.stderr)

    def test_colour(self) -> None:
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            terminal = Terminal(self.cli, "range", "short", env=env)
            self.assertEqual(terminal.end(), OK)
            self.assertEqual(b"\x1b[" in terminal.output, coloured, terminal.output)
            terminal = Terminal(self.cli, "get", "short", "7", env=env)
            self.assertEqual(terminal.end(), ERROR)
            self.assertEqual(b"\x1b[" in terminal.output, coloured, terminal.output)
        self.assertNotIn("\x1b", self.cli.ok("range", "short"))
        self.assertNotIn("\x1b", self.cli.ok("plot", "long"))

    def test_help(self) -> None:
        cli = Cli()
        text = cli.ok("--help")
        self.assertEqual(text, cli.ok("-h"))
        self.assertEqual(text, cli.ok("help"))
        names = [line.split()[0] for line in lines(text.split("\noptions:")[0])
                 if line.startswith("  ") and not line.startswith("   ")]
        for name in ("ping", "create", "drop", "append", "get", "latest", "range", "list",
                     "describe", "import", "export", "plot", "watch", "collect", "bench",
                     "lens-create", "lens-drop", "lens-get", "lens-compose", "lens-list"):
            self.assertIn(name, names)
        for name in names:
            help_ = cli.ok(name, "--help")
            self.assertEqual(help_, cli.ok(name, "-h"))
            self.assertEqual(help_, cli.ok("help", name))
            self.assertTrue(help_.startswith(f"usage: tau-cli [OPTION...] {name}"), help_)
        self.assertRegex(cli.ok("--version"), r"^tau-cli \d+\.\d+\.\d+\n$")

    def test_usage(self) -> None:
        cli = Cli()
        self.assertIn("did you mean `append`", cli.fails(USAGE, "apend"))
        self.assertIn("did you mean `range`", cli.fails(USAGE, "rnage", "x"))
        self.assertIn("--help", cli.fails(USAGE, "xyzzy"))
        self.assertIn("--help", cli.fails(USAGE))
        for args in (("get",), ("get", "a"), ("get", "a", "1", "2"), ("--nothing",),
                     ("get", "a", "1", "--nothing"), ("list", "--format", "xml"),
                     ("list", "--time", "days"), ("list", "--unit", "h"), ("list", "--timeout"),
                     ("list", "--timeout", "5"), ("range", "a", "--limit", "0"),
                     ("watch", "a", "--interval", "0s"), ("bench", "nothing"),
                     ("plot", "a", "--width", "1"), ("--server", "nowhere:port", "list")):
            cli = Cli(self.server) if "--server" in args else cli
            cli.fails(USAGE, *args)

    def test_options_in_any_place(self) -> None:
        wanted = self.cli.ok("range", "short", "--format", "csv")
        self.assertEqual(self.cli.ok("--format", "csv", "range", "short"), wanted)
        self.assertEqual(self.cli.ok("range", "--format=csv", "short"), wanted)
        self.assertEqual(self.cli.ok("-fcsv", "range", "--", "short"), wanted)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    unittest.main(verbosity=2)
