# SPDX-License-Identifier: MIT
# ctest: timeout=600
"""The commands of tau-cli that go on until they are stopped: watch, collect; and bench."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import unittest

import tau_raw
from tau_cli import OK, PATIENCE, REFUSED, Cli, Server, Terminal, lines


def wait_until(condition: "object", seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


class Live(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server().start()
        self.addCleanup(self.server.__exit__, None)
        self.cli = Cli(self.server)
        self.started: "list[subprocess.Popen[bytes]]" = []
        self.addCleanup(self.stop_started)

    def stop_started(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def start(self, *args: str) -> "subprocess.Popen[bytes]":
        process = self.cli.start(*args)
        self.started.append(process)
        return process

    def end(self, process: "subprocess.Popen[bytes]", by: int = signal.SIGINT) -> tuple[str, str]:
        process.send_signal(by)
        out, err = process.communicate(timeout=20 * PATIENCE)
        self.assertEqual(process.returncode, OK, err)
        return out.decode(), err.decode()

    def test_watch_shows_every_point(self) -> None:
        """Bursts that are larger than a page, and single points: each once and in order."""
        self.cli.ok("append", "seen", "0", "0", "--create")
        process = self.start("watch", "seen", "--format", "csv", "--time", "ns",
                             "--interval", "50ms")
        label = b"seen".ljust(32, b"\0")
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), b"timestamp,value\n")
        time.sleep(0.3 * PATIENCE)
        found: list[int] = []

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                found.append(int(line.split(b",")[0]))

        reader = threading.Thread(target=read)
        reader.start()
        with self.server.connect() as raw:
            last = 0
            for count in (1, 100_000, 1, 7, 70_000):
                self.assertEqual(raw.batch(label, range(last + 1, last + 1 + count),
                                           [0] * count)[0], count)
                last += count
                time.sleep(0.2)
        wait_until(lambda: bool(found) and found[-1] == last)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20 * PATIENCE), OK)
        reader.join()
        self.assertEqual(found, list(range(1, last + 1)))

    def test_watch_options(self) -> None:
        for at in range(5):
            self.cli.ok("append", "opt", str(at), "1", "--create")
        args = ("watch", "opt", "--format", "tsv", "--time", "ns")
        wanted = ["timestamp\tvalue", "3\t1", "4\t1"]
        self.assertEqual(lines(self.cli.ok(*args, "--last", "2", "--limit", "2")), wanted)
        self.assertEqual(lines(self.cli.ok(*args, "--from", "3", "-n", "2")), wanted)
        self.cli.fails(REFUSED, "watch", "missing")

    def test_watch_outlives_the_server(self) -> None:
        self.server.stop()
        port = self.server.address[1]
        self.server.listen = [f"127.0.0.1:{port}"]
        self.server.start()
        self.cli.ok("create", "through")
        process = self.start("watch", "through", "--format", "csv", "--time", "ns")
        assert process.stdout is not None
        process.stdout.readline()
        self.cli.ok("append", "through", "1", "1")
        self.assertEqual(process.stdout.readline(), b"1,1\n")
        self.server.restart()
        self.cli.ok("append", "through", "2", "2")
        self.assertEqual(process.stdout.readline(), b"2,2\n")
        self.cli.ok("drop", "through")
        self.assertEqual(process.wait(20 * PATIENCE), REFUSED)

    def test_watch_of_a_series_created_anew(self) -> None:
        self.cli.ok("append", "anew", "100", "1", "--create")
        process = self.start("watch", "anew", "--format", "csv", "--time", "ns", "--interval", "1s")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        label = b"anew".ljust(32, b"\0")
        with self.server.connect() as raw:  # at once, so that nobody finds it missing
            raw.send(tau_raw.frame(tau_raw.DROP_SERIES, label)
                     + tau_raw.frame(tau_raw.CREATE_SERIES, label)
                     + tau_raw.append_frame(label, 5, 5.0))
            self.assertEqual([reply.opcode for reply in raw.receive_all(3)], [tau_raw.OK] * 3)
        self.assertEqual(process.stdout.readline(), b"5,5\n")
        self.end(process, signal.SIGTERM)

    def test_collect(self) -> None:
        self.assertEqual(self.cli.run("collect", "--count", "3", "--interval", "50ms",
                                      "--prefix", "me.").returncode, OK)
        found = lines(self.cli.ok("list", "me."))[1:]
        for name in ("cpu.user", "cpu.idle", "load.1", "mem.available", "mem.total",
                     "net.lo.rx_bytes", "net.lo.tx_bytes"):
            self.assertIn("me." + name, found)
        self.assertTrue(all(len(name.encode()) <= 32 for name in found))
        for name in ("me.mem.total", "me.load.1", "me.cpu.user"):
            rows = json.loads(self.cli.ok("range", name, "--format", "json"))
            self.assertEqual(len(rows), 3)
            self.assertTrue(all(row["value"] >= 0 for row in rows))
        rows = json.loads(self.cli.ok("range", "me.cpu.user", "--format", "json"))
        self.assertTrue(all(row["value"] <= 100 for row in rows))

    def test_collect_ends_on_a_signal(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("collect", "--interval", "50ms")
            wait_until(lambda: len(lines(self.cli.ok("list", "load."))) > 1)
            out, err = self.end(process, number)
            self.assertEqual(out, "")
            self.assertRegex(err, r"\d+ points stored")
            self.cli.ok("drop", "load.1")
            self.cli.ok("drop", "load.5")
            self.cli.ok("drop", "load.15")

    def test_collect_outlives_the_server(self) -> None:
        """What is sampled while the server is away is sent when it is back; nothing is lost."""
        port = self.server.address[1]
        process = self.start("collect", "--interval", "100ms")
        count = lambda: len(lines(self.cli.run("range", "load.1").stdout.decode())) - 1
        wait_until(lambda: count() > 3)
        self.server.stop()
        self.server.listen = [f"127.0.0.1:{port}"]
        time.sleep(2.0)
        self.server.start()
        before = count()
        wait_until(lambda: count() > before + 12)
        self.cli.ok("drop", "mem.total")
        wait_until(lambda: self.cli.run("latest", "mem.total").returncode == OK)
        _, err = self.end(process)
        self.assertIn("connected again", err)
        self.assertNotIn("lost", err.split("connected again")[1])
        rows = json.loads(self.cli.ok("range", "load.1", "--format", "json", "--time", "ms"))
        times = [float(row["timestamp"]) for row in rows]
        self.assertLess(max(b - a for a, b in zip(times, times[1:])), 1500 * PATIENCE)

    def test_bench(self) -> None:
        rows = json.loads(self.cli.ok("bench", "--duration", "500ms", "--connections", "2",
                                      "--depth", "16", "--series", "3", "--batch", "1000",
                                      "--format", "json"))
        self.assertEqual([row["workload"] for row in rows], ["append", "batch", "query"])
        for row in rows:
            self.assertGreater(row["requests_per_second"], 0)
            self.assertEqual(row["failed"], 0)
            self.assertLessEqual(row["p50_us"], row["p99_us"])
            self.assertLessEqual(row["p99_us"], row["p999_us"])
            self.assertLessEqual(row["p999_us"], row["max_us"])
        self.assertEqual(lines(self.cli.ok("list", "bench.")), ["series"])


class Plot(unittest.TestCase):
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server().start()
        cls.cli = Cli(cls.server)
        rows = "".join(f"wave,{1767225600 + at},{(at % 100) - 50}\n" for at in range(1000))
        cls.cli.ok("import", "--unit", "s", "-", stdin=rows)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)

    def test_braille(self) -> None:
        chart = lines(self.cli.ok("plot", "wave", "--width", "70", "--height", "12"))
        self.assertEqual(len(chart), 13)
        self.assertIn("1000 points", chart[0])
        self.assertTrue(any("\u2800" <= c <= "\u28ff" for c in "".join(chart)))
        self.assertTrue(all(len(line) <= 70 for line in chart))
        self.assertTrue(any(line.strip().startswith("40 ") or line.strip().startswith("50 ")
                            for line in chart), chart)
        self.assertRegex(chart[-1], r"00:\d\d")

    def test_ascii(self) -> None:
        for cli, args in ((self.cli, ["--ascii"]), (Cli(self.server, {"LC_ALL": "C"}), [])):
            text = cli.ok("plot", "wave", *args)
            self.assertTrue(text.isascii())
            self.assertEqual(len(lines(text)), 21)

    def test_title_fits_the_width(self) -> None:
        name = "a.series.whose.name.has.32.bytes"
        self.cli.ok("import", "--series", name, "-", stdin="1,1\n2,2\n")
        for width in (24, 40, 60, 100):
            with self.subTest(width=width):
                chart = lines(self.cli.ok("plot", name, "--width", str(width)))
                self.assertLessEqual(max(map(len, chart)), width)
                self.assertTrue(chart[0].startswith(name[:8]), chart[0])
        self.assertIn("\u2026  2 points", lines(self.cli.ok("plot", name, "--width", "40"))[0])
        self.assertTrue(lines(self.cli.ok("plot", name, "--width", "120"))[0].startswith(
            f"{name}  2 points, 1970-01-01T00:00:00."))

    def test_size_of_the_terminal(self) -> None:
        terminal = Terminal(self.cli, "plot", "wave", "--width", "60", "--height", "10")
        self.assertEqual(terminal.end(), OK)
        self.assertIn("\u2500", terminal.output.decode())

    def test_range(self) -> None:
        chart = lines(self.cli.ok("plot", "wave", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"))
        self.assertIn("61 points", chart[0])

    def test_what_cannot_be_drawn(self) -> None:
        self.cli.ok("append", "odd", "1", "nan", "--create")
        self.assertIn("no finite value", self.cli.fails(1, "plot", "odd"))
        self.cli.ok("append", "odd", "2", "5")
        done = self.cli.run("plot", "odd")
        self.assertEqual(done.returncode, OK)
        self.assertIn(b"1 points are infinite or NaN", done.stderr)
        self.assertIn("no point in this time", self.cli.fails(1, "plot", "odd", "3", "4"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
