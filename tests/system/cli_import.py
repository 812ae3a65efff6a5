# SPDX-License-Identifier: MIT
"""tau-cli import and export: what is read, what is refused and how that is said."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import Union

from tau_cli import (ERROR, NO_CONNECTION, OK, PARTIAL, REFUSED, SANITIZED, TAU_CLI, USAGE, Cli,
                     Server, Terminal, address_text, lines)

LAST_LINE = re.compile(r"^(\d+) accepted, (\d+) rejected, (\d+\.\d+) seconds, (\d+) points/s$")


class Import(unittest.TestCase):
    server: Server
    cli: Cli
    directory: "tempfile.TemporaryDirectory[str]"

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory(prefix="tau-import-")
        cls.server = Server().start()
        cls.cli = Cli(cls.server)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)
        cls.directory.cleanup()

    def file(self, name: str, content: Union[str, bytes]) -> Path:
        path = Path(self.directory.name, name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def imported(self, *args: Union[str, Path], stdin: Union[str, bytes] = b"", code: int = OK
                 ) -> tuple[int, int, list[str]]:
        """Imports; returns accepted, rejected and the lines on standard error."""
        done = self.cli.run("import", *args, stdin=stdin)
        self.assertEqual(done.returncode, code, done)
        found = LAST_LINE.match(lines(done.stdout.decode())[-1])
        assert found is not None, done
        return int(found[1]), int(found[2]), lines(done.stderr.decode())

    def points(self, series: str) -> list[tuple[int, str]]:
        table = lines(self.cli.ok("range", series, "--format", "csv", "--time", "ns"))[1:]
        return [(int(line.split(",")[0]), line.split(",")[1]) for line in table]

    def test_the_file_names_the_series(self) -> None:
        path = self.file("stem.of.name.csv", "timestamp,value\n1,2\n2,3\n")
        self.assertEqual(self.imported(path), (2, 0, []))
        self.assertEqual(self.points("stem.of.name"), [(1, "2"), (2, "3")])

    def test_the_option_names_the_series(self) -> None:
        path = self.file("file.csv", "1,2\n")
        self.imported("--series", "by.option", path)
        self.assertEqual(self.points("by.option"), [(1, "2")])
        self.cli.fails(REFUSED, "latest", "file")

    def test_the_column_goes_first(self) -> None:
        path = self.file("other.csv", "series,timestamp,value\ncolumn.a,1,2\ncolumn.b,1,3\n")
        self.imported("--series", "by.option.2", path)
        self.assertEqual(self.points("column.a"), [(1, "2")])
        self.assertEqual(self.points("column.b"), [(1, "3")])
        self.cli.fails(REFUSED, "latest", "by.option.2")

    def test_columns_by_name(self) -> None:
        self.imported("-", stdin="value,host,time,series\n5,x,7,by.name\n")
        self.assertEqual(self.points("by.name"), [(7, "5")])

    def test_long_names_are_never_cut(self) -> None:
        name = "x" * 33
        path = self.file(name + ".csv", "1,2\n")
        message = self.cli.run("import", path)
        self.assertEqual(message.returncode, ERROR)
        self.assertIn(b"33 bytes", message.stderr)
        self.assertIn("--series", message.stderr.decode())
        self.assertIn(b"0 accepted", message.stdout)
        self.assertEqual(lines(self.cli.ok("list", "x" * 32)), ["series"])
        good = self.file("y" * 32 + ".csv", "1,2\n")
        self.assertEqual(self.imported(path, good, code=PARTIAL)[:2], (1, 0))
        accepted, rejected, errors = self.imported("-", stdin=f"{name},1,2\nz,1,2\n", code=PARTIAL)
        self.assertEqual((accepted, rejected), (1, 1))
        self.assertIn("<stdin>:1: ", errors[0])
        self.cli.fails(USAGE, "import", "--series", name, path)

    def test_standard_input(self) -> None:
        self.assertEqual(self.imported("-", stdin="in,1,2\r\nin,2,3"), (2, 0, []))
        self.assertEqual(self.points("in"), [(1, "2"), (2, "3")])
        done = self.cli.run("import", "-", stdin="1,2\n")
        self.assertEqual(done.returncode, ERROR)
        self.assertIn(b"--series", done.stderr)
        self.assertEqual(self.imported("-", "--series", "in.2", stdin="1,2\n"), (1, 0, []))

    def test_times(self) -> None:
        self.imported("-", "--series", "times", stdin=(
            "2026-01-01T00:00:00Z,1\n2026-01-01 00:00:01,2\n\"2026-01-01 00:00:01.5\",3\n"
            "2026-01-01T01:00:02+01:00,4\n1767225603000000000,5\n"))
        base = 1767225600_000000000
        self.assertEqual([t - base for t, _ in self.points("times")],
                         [0, 1_000000000, 1_500000000, 2_000000000, 3_000000000])
        for unit, scale in (("s", 10**9), ("ms", 10**6), ("us", 1000), ("ns", 1)):
            self.imported("-", "--unit", unit, "--series", f"unit.{unit}", stdin="-7,1\n7,2\n")
            self.assertEqual([t for t, _ in self.points(f"unit.{unit}")], [-7 * scale, 7 * scale])

    def test_bad_lines(self) -> None:
        path = self.file("bad.csv", "\ufefftimestamp,value\r\n1,1\r\nx,2\r\n2,y\r\n3\r\n4,4,4\r\n"
                                    "\r\n\"5\",\"5\"\r\n\"6,6\r\n")
        accepted, rejected, errors = self.imported(path, code=PARTIAL)
        self.assertEqual((accepted, rejected), (2, 5))
        self.assertEqual([line.split(": ")[0] for line in errors],
                         [f"{path}:{at}" for at in (3, 4, 5, 6, 9)])
        self.assertEqual(self.points("bad"), [(1, "1"), (5, "5")])
        self.assertEqual(self.imported("-", "--series", "now", stdin="now,1\n1,1\n2,-\n",
                                       code=PARTIAL)[:2], (1, 2))

    def test_a_bad_first_line_is_no_header(self) -> None:
        path = self.file("first.csv", "2026-02-30 00:00:00,one\n1,1\n")
        accepted, rejected, errors = self.imported(path, code=PARTIAL)
        self.assertEqual((accepted, rejected, len(errors)), (1, 1, 1))
        self.assertTrue(errors[0].startswith(f"{path}:1: "), errors)
        for header in ("timestamp,value", "when,how much", "time,cpu0", ",value"):
            with self.subTest(header=header):
                found = self.imported("-", "--series", f"under {header}", stdin=f"{header}\n1,1\n")
                self.assertEqual(found, (1, 0, []))
        self.assertEqual(self.imported("-", "--series", "under", stdin="time,7\n1,1\n",
                                       code=PARTIAL)[:2], (1, 1))

    def test_max_errors(self) -> None:
        path = self.file("errors.csv", "1,1\n" + "x,1\n" * 100 + "2,2\n")
        done = self.cli.run("import", "--max-errors", "5", path)
        self.assertEqual(done.returncode, PARTIAL)
        errors = lines(done.stderr.decode())
        self.assertEqual(len(errors), 6)
        self.assertIn("giving up after 5", errors[-1])
        self.assertEqual(self.points("errors"), [(1, "1")])
        done = self.cli.run("import", "--max-errors", "0", "--series", "errors.2", path)
        self.assertEqual(len(lines(done.stderr.decode())), 100)
        self.assertEqual(self.points("errors.2"), [(1, "1"), (2, "2")])

    def test_refused_rows_by_line(self) -> None:
        first = self.file("refused.csv", "timestamp,value\n1,1\n2,2\n2,3\n1,4\n3,5\n")
        accepted, rejected, errors = self.imported(first, code=PARTIAL)
        self.assertEqual((accepted, rejected), (3, 2))
        self.assertEqual([line.split(": ")[0] for line in errors],
                         [f"{first}:4", f"{first}:5"])
        self.assertTrue(all("out_of_order" in line for line in errors))
        mixed = self.file("mixed.csv", "a.mix,1,1\nb.mix,1,1\na.mix,1,2\nb.mix,2,2\nb.mix,0,0\n")
        accepted, rejected, errors = self.imported(mixed, code=PARTIAL)
        self.assertEqual((accepted, rejected), (3, 2))
        self.assertEqual([line.split(": ")[0] for line in errors], [f"{mixed}:3", f"{mixed}:5"])

    def test_missing_files(self) -> None:
        good = self.file("good.csv", "1,1\n")
        done = self.cli.run("import", "/nonexistent.csv")
        self.assertEqual(done.returncode, ERROR)
        self.assertIn(b"/nonexistent.csv: No such file", done.stderr)
        self.assertEqual(self.imported("/nonexistent.csv", good, code=PARTIAL)[:2], (1, 0))
        self.assertEqual(self.cli.run("import", self.directory.name).returncode, ERROR)

    def test_empty(self) -> None:
        self.assertEqual(self.imported(self.file("empty.csv", "")), (0, 0, []))
        self.assertEqual(self.imported(self.file("header.csv", "timestamp,value\n")), (0, 0, []))

    def test_last_line_in_other_formats(self) -> None:
        path = self.file("json.csv", "1,1\n")
        done = json.loads(self.cli.ok("import", path, "--format", "json"))
        self.assertEqual((done["accepted"], done["rejected"]), (1, 0))

    def test_progress_on_a_terminal(self) -> None:
        # A file that is done at once shows no bar, so this one is large.
        rows = "".join(f"{at},{at}\n" for at in range(5_000_000))
        path = self.file("progress.csv", rows)
        terminal = Terminal(self.cli, "import", str(path))
        self.assertEqual(terminal.end(120), OK)
        self.assertRegex(terminal.output.decode(), r"\[#*\.*\] +\d+%  \S+ points/s  .* left")
        self.assertIn(b"5000000 accepted", terminal.output)

    def test_memory_is_bounded(self) -> None:
        """A stream of many megabytes in a process that may not grow with it."""
        if SANITIZED:
            self.skipTest("a sanitizer needs more address space")
        script = ("import sys\nfor at in range(0, 3_000_000, 1000):\n"
                  " sys.stdout.write(''.join(f'large,{t},{t}.5\\n' for t in range(at, at + 1000)))")
        limit = 256 << 20
        with subprocess.Popen(["python3", "-c", script], stdout=subprocess.PIPE) as source:
            done = subprocess.run([str(TAU_CLI), "import", "-"], stdin=source.stdout,
                                  capture_output=True, env=self.cli.env, check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                                        (limit, limit)))
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn(b"3000000 accepted", done.stdout)

    def test_server_dies(self) -> None:
        """What is known is said: stored, refused, and what may be either."""
        with Server() as server:
            cli = Cli(server)
            process = subprocess.Popen([str(TAU_CLI), "import", "-"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli.env)
            assert process.stdin is not None
            try:
                for at in range(0, 3_000_000, 10_000):
                    if at == 300_000:
                        server.kill()
                    process.stdin.write(b"".join(b"dies,%d,1\n" % t
                                                 for t in range(at, at + 10_000)))
            except BrokenPipeError:
                pass
            out, err = process.communicate()
            self.assertEqual(process.returncode, NO_CONNECTION, err)
            found = re.fullmatch(r"(\d+) accepted, (\d+) rejected, (?:(\d+) unknown, )?"
                                 r"\S+ seconds, \S+ points/s", lines(out.decode())[-1])
            assert found is not None, out
            accepted, unknown = int(found[1]), int(found[3] or 0)
            self.assertIn(b"<stdin>:", err)
            server.start()
            stored = len(lines(cli.ok("range", "dies", "-s", address_text(server.address)))) - 1
            self.assertLessEqual(accepted, stored)
            self.assertLessEqual(stored, accepted + unknown)

    def test_slow_input(self) -> None:
        """Rows of a pipe that is still being written are stored soon, and a pause that outlasts
        the server's patience loses nothing: not those that were not sent by then either."""
        for patience in ("200ms", "1s"):
            with self.subTest(patience=patience):
                self.feed_slowly(patience)

    def feed_slowly(self, patience: str) -> None:
        with Server("--idle-timeout", patience) as server:
            cli = Cli(server)
            with subprocess.Popen([str(TAU_CLI), "import", "-"], env=cli.env,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as process:
                assert process.stdin is not None
                process.stdin.write(b"slow,1,1\n")
                process.stdin.flush()
                time.sleep(3.5)
                self.assertEqual(cli.ok("get", "slow", "1"), "1\n")
                out, err = process.communicate(b"slow,2,2\n", timeout=60)
            self.assertEqual((process.returncode, err), (OK, b""))
            self.assertIn(b"2 accepted, 0 rejected", out)
            self.assertEqual(len(lines(cli.ok("range", "slow", "-f", "csv"))), 3)

    def test_export_is_the_identity(self) -> None:
        """Special values and names, and timestamps at both ends, come back bit for bit."""
        values = ["0", "-0.0", "nan(0x7ff8000000000000)", "nan(0xfff0000000000001)", "inf", "-inf",
                  "4.94065645841247e-324", "1.7976931348623157e+308", "0.1", "-1e-7"]
        names = ["plain", "a,b", "quo\"te", "\\xFF\\x00\\x01", "température", "", " blank ",
                 "\\x5C\\x0A"]
        times = [-(2**63), -1, 0, 1, 10**9, 1767225600_123456789, 2**63 - 4, 2**63 - 3, 2**63 - 2,
                 2**63 - 1]
        rows = [f"{name},{time},{value}"
                for name in ('"' + n.replace('"', '""') + '"' for n in names)
                for time, value in zip(times, values)]
        self.assertEqual(self.imported("-", stdin="\n".join(rows))[:2], (80, 0))
        for unit in ("rfc3339", "s", "ms", "us", "ns"):
            text = self.cli.ok("export", *names, "--time", unit)
            other = Server().start()
            try:
                cli = Cli(other)
                cli.ok("import", "-", *(() if unit == "rfc3339" else ("--unit", unit)), stdin=text)
                self.assertEqual(cli.ok("export", *names, "--time", unit), text)
                with self.server.connect() as before, other.connect() as after:
                    more, labels = before.list_series(limit=1000)
                    self.assertFalse(more)
                    for label in labels:
                        if label in set(after.list_series(limit=1000)[1]):
                            self.assertEqual(before.query_range(label), after.query_range(label))
            finally:
                other.__exit__(None)
        self.assertEqual(len(lines(text)), 81)
        for name in names:
            self.cli.ok("drop", name)

    def test_export_range_and_failure(self) -> None:
        self.imported("-", stdin="".join(f"exp,{at},{at}\n" for at in range(10)))
        text = self.cli.ok("export", "exp", "--from", "3", "--to", "4", "--time", "ns")
        self.assertEqual(lines(text), ["series,timestamp,value", "exp,3,3", "exp,4,4"])
        done = self.cli.run("export", "missing", "exp", "--time", "ns")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn(b"missing", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 11)


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
