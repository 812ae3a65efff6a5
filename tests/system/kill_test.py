# SPDX-License-Identifier: MIT
# ctest: timeout=600 serial labels=threads
"""kill -9 under load, again and again: nothing acknowledged is lost, nothing appears from nowhere.

The server is compared with the client's own record (write_record.py). The second half plants faults
in data directories and in servers, each of which the same check must find: a check that cannot
fail proves nothing. TAU_TEST_KILLS sets the number of kills, TAU_TEST_SEED the random numbers.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import tau_raw as raw
from tau_server import CERTIFICATE, PATIENCE, Server, clean_environment
from write_record import Record, Writers

FEW = "thread" in os.environ.get("TAU_SANITIZE", "")  # where every start takes a second
KILLS = int(os.environ.get("TAU_TEST_KILLS", "20" if FEW else "100"))
SEED = int(os.environ.get("TAU_TEST_SEED", str(time.time_ns() % 1_000_000)))


def load(server: Server, record: Record, turn: int, seconds: float, points: int = 0) -> Writers:
    """Writes under load for a while, and so much of each series, then kills the server amid it."""
    writers = Writers(record, [server.connect() for _ in range(5)], turn)
    writers.start()
    time.sleep(seconds)
    writers.wait_for(points, 60 * PATIENCE)
    server.kill()
    writers.join()
    return writers


def check(server: Server, record: Record, names: list[bytes]) -> list[str]:
    with server.connect(timeout=60) as client:
        return record.check(client, names)


class Kills(unittest.TestCase):
    def test_nothing_is_lost(self) -> None:
        """The default durability. A power cut is another test's business; a crash is this one's."""
        began = time.monotonic()
        points = self.survive(KILLS)
        print(f"{KILLS} kills in {time.monotonic() - began:.0f} s, {points} points, all there")

    def test_other_durabilities(self) -> None:
        """They promise less in a power cut, but no less when the process dies."""
        for mode in ("os", "interval=100ms"):
            with self.subTest(durability=mode):
                self.survive(8, "--durability", mode)

    def survive(self, kills: int, *args: str) -> int:
        print(f"TAU_TEST_SEED={SEED}")
        record, chance = Record(SEED), random.Random(SEED)
        server = Server("--workers", "2", *args).start()
        self.addCleanup(server.remove)
        for turn in range(kills):
            names = load(server, record, turn, chance.uniform(0.005, 0.12)).names()
            if turn % 5 == 4:
                self.kill_while_starting(server, chance.uniform(0, 0.02))
            server.start()
            old = chance.sample(sorted(record.series), min(6, len(record.series)))
            groups = [name for group in record.together if set(group) & set(old) for name in group]
            violations = check(server, record, sorted({*names, *old, *groups}))
            self.assertEqual(violations, [], f"after kill {turn + 1}\n{server.log_text()[-4000:]}")
        self.assertEqual(check(server, record, list(record.series)), [])
        server.restart()
        self.assertEqual(check(server, record, list(record.series)), [], "after an orderly end")
        server.stop()
        points = sum(len(series.points) for series in record.series.values())
        self.assertGreater(points, kills * 20, "the load was no load")
        return points

    def kill_while_starting(self, server: Server, seconds: float) -> None:
        """A recovery that is itself cut short changes nothing."""
        env = clean_environment({"TAU_CERTIFICATE": CERTIFICATE.hex()})
        with open(server.log, "ab") as log:
            process = subprocess.Popen(server.command(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=log, env=env)
        time.sleep(seconds)
        process.kill()
        process.wait()


class PlantedFaults(unittest.TestCase):
    """Faults that the check must find."""

    def setUp(self) -> None:
        self.record = Record(SEED)
        self.server = Server("--workers", "2").start()
        self.addCleanup(self.server.remove)

    def load(self, turn: int = 0) -> list[bytes]:
        return load(self.server, self.record, turn, 0.1, points=500).names()

    def violations(self, names: list[bytes]) -> list[str]:
        self.server.start()
        found = check(self.server, self.record, names)
        self.server.kill()
        return found

    def expect_found(self, names: list[bytes], words: str) -> None:
        found = self.violations(names)
        self.assertTrue(any(words in line for line in found), f"not found: {words!r} in {found}")

    def test_without_a_fault(self) -> None:
        self.assertEqual(self.violations(self.load()), [])

    def test_log_that_was_cut(self) -> None:
        """As if the tail had been acknowledged before it was written."""
        names = self.load()
        self.cut_newest_file(self.server.data_dir, 1 << 16)  # far more than was on the way
        self.expect_found(names, "lost")

    def cut_newest_file(self, directory: Path, size: int) -> None:
        """Zeroes the last `size` written bytes of the file that was written last."""
        ends = {path: len(path.read_bytes().rstrip(b"\0"))
                for path in directory.rglob("*") if path.is_file()}
        path = max((path for path, end in ends.items() if end > size + 16384),
                   key=lambda path: path.stat().st_mtime_ns)
        with open(path, "r+b") as file:
            file.seek(ends[path] - size)
            file.write(bytes(size))

    def test_directory_of_an_hour_ago(self) -> None:
        """As if a whole round of writes had stayed in memory."""
        first = self.load()
        self.assertEqual(self.violations(first), [])
        with tempfile.TemporaryDirectory(prefix="taud-test-") as old:
            shutil.copytree(self.server.data_dir, Path(old) / "data")
            self.server.start()
            second = self.load(1)
            shutil.rmtree(self.server.data_dir)
            shutil.copytree(Path(old) / "data", self.server.data_dir)
        self.server.start()
        with self.server.connect() as client:
            for name in second:
                client.create(name)
        found = check(self.server, self.record, second)
        self.assertTrue(any("lost" in line for line in found), found)

    def test_phantom_points_and_series(self) -> None:
        names = self.load()
        self.server.start()
        with self.server.connect() as client:
            self.assertEqual(client.append(names[0], 2**62, 1.0), 0)
            self.assertEqual(client.create(raw.label("phantom")), 0)
        self.server.kill()
        found = self.violations(names)
        self.assertTrue(any("phantom" in line and "never created" in line for line in found), found)
        self.assertTrue(any("never sent" in line or "point" in line for line in found), found)

    def test_wrong_value(self) -> None:
        names = self.load()
        series = self.record.series[names[2]]
        timestamp, bits = series.points[0]
        series.points[0] = (timestamp, bits ^ 1)
        self.expect_found(names, "point 0 is")

    def test_torn_request(self) -> None:
        names = self.load()
        series = self.record.series[names[2]]
        series.whole = {0, len(series.points) + 1}
        self.expect_found(names, "part of a request")

    def test_dropped_series(self) -> None:
        names = self.load()
        self.server.start()
        with self.server.connect() as client:
            self.assertEqual(client.drop(names[1]), 0)
        found = check(self.server, self.record, [names[0]])
        self.assertTrue(any("is lost" in line for line in found), found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
