# SPDX-License-Identifier: MIT
# ctest: timeout=3600 serial labels=threads
"""kill -9 under load, again and again: nothing acknowledged is lost, nothing appears from nowhere.

The server is compared with the client's own record (write_record.py) after each kill. Kills fall
where chance lets them, at a time or at a call that changes a file (file_calls.c): in the middle of
writes, of a start, of the work that goes on behind them. The second half plants faults in the
server, in its data directory and in the record, each of which the same check must find.

    TAU_TEST_KILLS=5000   kills (100)
    TAU_TEST_SEED=N       the random numbers, as a failed run printed them
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
import unittest
from collections import Counter
from pathlib import Path
from typing import Callable, Optional

import tau_raw as raw
from tau_server import PATIENCE, RESTLESS, SANITIZED, TAUD, Server, ServerFailed, preload
from write_record import Points, Record, Request, Stream, World, add

FEW = "thread" in os.environ.get("TAU_SANITIZE", "")  # where every start takes a second
KILLS = int(os.environ.get("TAU_TEST_KILLS", "20" if FEW else "100"))
KILLS_OF_A_DIRECTORY = 50
SEED = int(os.environ.get("TAU_TEST_SEED", str(time.time_ns() % 1_000_000)))
CALLS_MAX = 500  # that change files, before a kill
PATIENCE_FOR_CALLS = 0.15  # seconds, after which time decides


# What a directory shows of what was underway when the server was killed, or had been done.
TRACES: dict[str, Callable[[Path], bool]] = {
    "a segment of the log being prepared": lambda path: (path / "log/preparing.tmp").exists(),
    "a spare segment of the log": lambda path: any(path.glob("log/*.spare")),
    "an object being written": lambda path: any(path.glob("unfinished/*")),
    "a manifest not yet named, or no longer": lambda path: len([*path.glob("manifests/*")]) > 1,
    "a compaction done": lambda path: any(path.glob("segments/*-*[1-9a-f].seg")),
}


class Victim(Server):
    """A server that is killed, at a time or at a call."""

    def __init__(self, *args: str) -> None:
        super().__init__(*args)
        self.base = list(self.args)

    def start_until(self, call: int, args: list[str], binary: Path = TAUD) -> bool:
        """Starts it, to be killed at that call (0: at none). False when it did not get ready."""
        self.env = preload("file_calls", {"FILE_CALLS_KILL": str(call)}) if call else {}
        self.args = self.base + args
        self.binary = binary
        try:
            self.start()
        except ServerFailed:
            if not self.was_killed():
                raise
            return False
        return True

    def was_killed(self) -> bool:
        """Whether it ended as it was to, and not of itself. Its sockets go before it does."""
        assert self.process is not None
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return False
        self._close_output()
        return code == -signal.SIGKILL

    def end(self, seconds: float) -> None:
        """Lets it live for so long at most."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(0.001)
        if self.running or not self.was_killed():
            self.kill()


class Kills(unittest.TestCase):
    def setUp(self) -> None:
        self.chance = random.Random(SEED)
        self.places: Counter[str] = Counter()
        self.traces: Counter[str] = Counter()

    def test_nothing_is_lost(self) -> None:
        print(f"TAU_TEST_SEED={SEED}")
        began, requests, done = time.monotonic(), 0, 0
        while done < KILLS:
            kills = min(KILLS - done, KILLS_OF_A_DIRECTORY)
            requests += self.survive(kills, SEED + done)
            done += kills
        print(f"{done} kills in {time.monotonic() - began:.0f} s, in {dict(self.places)}, "
              f"with {dict(self.traces)}; "
              f"{requests} requests were acknowledged, and all are there")
        self.assertGreater(requests, done * 20, "the load was no load")
        if KILLS >= 1000:  # with fewer, one of them may be missed
            self.assertEqual(set(self.traces), set(TRACES), "something was never cut short")

    def survive(self, kills: int, seed: int) -> int:
        """One directory. Returns how many requests were acknowledged."""
        record = Record(seed)
        server = Victim()
        self.addCleanup(server.remove)
        for turn in range(kills):
            where = f"kill {turn + 1} of directory {seed}"
            self.places[self.live_and_die(server, record, where)] += 1
            self.traces.update(name for name, is_there in TRACES.items()
                               if is_there(server.data_dir))
        for _ in range(2):  # the second time after an orderly end
            self.assertTrue(server.start_until(0, []))
            self.assertEqual(self.check(server, record), [])
            server.stop()
        return record.requests

    def options(self) -> list[str]:
        """Less than the default durability promises less in a power cut, and no less here."""
        return ["--workers", self.chance.choice(("1", "2", "3")),
                "--memory", self.chance.choice(("16M", "1G")),
                "--durability", self.chance.choice(("sync", "sync", "os", "interval=20ms"))]

    def live_and_die(self, server: Victim, record: Record, where: str) -> str:
        """One life of a server, and in which part of it it ended."""
        call = 0
        if not SANITIZED and self.chance.random() < 0.6:
            call = int(CALLS_MAX ** self.chance.random())
        seconds = self.chance.uniform(0.001, 0.1)
        binary = RESTLESS if self.chance.random() < 0.7 else TAUD
        if not server.start_until(call, self.options(), binary):
            return "start"
        if (violations := self.check_unless_killed(server, record)) is None:
            return "reads"
        if violations:
            self.fail("\n".join([f"before {where}", *violations, server.log_text()[-4000:]]))
        try:
            record.start(server.connect)
        except (OSError, raw.Closed):
            self.assertTrue(server.was_killed(), server.log_text()[-4000:])
            return "reads"
        server.end(PATIENCE_FOR_CALLS if call else seconds)
        record.join()
        self.assertEqual(record.refusals() + record.failed_work(), [],
                         f"before {where}\n{server.log_text()[-4000:]}")
        return "load"

    def check(self, server: Server, record: Record) -> list[str]:
        with server.connect(timeout=60) as client:
            return record.check(client)

    def check_unless_killed(self, server: Victim, record: Record) -> Optional[list[str]]:
        try:
            return self.check(server, record)
        except (OSError, raw.Closed):
            if server.was_killed():
                return None
            raise


class PlantedFaults(unittest.TestCase):
    """Faults that the check must find."""

    def setUp(self) -> None:
        self.record = Record(SEED)
        self.server = Victim("--workers", "2")
        self.addCleanup(self.server.remove)

    def load(self, requests: int = 60, flushes: bool = True) -> None:
        """Writes enough to be missed, so many requests on each connection, and dies amid it."""
        self.server.start()
        self.record.start(self.server.connect, flushes)
        self.record.wait_for(requests, 60 * PATIENCE)
        self.server.kill()
        self.record.join()

    def violations(self) -> list[str]:
        self.server.env = {}
        self.server.start()
        with self.server.connect() as client:
            found = self.record.check(client)
        self.server.kill()
        return found

    def expect_found(self, words: str) -> None:
        found = self.violations()
        self.assertTrue(any(words in line for line in found), f"not found: {words!r} in {found}")

    def largest(self) -> tuple[bytes, Points]:
        """Of the series as they were found."""
        return max((item for stream in self.record.streams for item in stream.world.series.items()),
                   key=lambda item: len(item[1]))

    def test_without_a_fault(self) -> None:
        self.load()
        self.assertEqual(self.violations(), [])

    @unittest.skipIf(SANITIZED, "sanitizers want to be loaded first")
    def test_acknowledged_before_it_is_written(self) -> None:
        found: list[str] = []
        for _ in range(20):  # every second time the last writes were not acknowledged
            self.server.env = preload("file_calls", {"FILE_CALLS_LATE": "1"})
            self.load()
            found = self.violations()
            if found:
                break
        self.assertTrue(any("lost" in line or "gap" in line for line in found), found)

    def test_log_that_was_cut(self) -> None:
        self.load(requests=500, flushes=False)
        self.cut_newest_file(self.server.data_dir, 1 << 19)  # far more than was on the way
        self.expect_found("lost")

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
        self.load()
        self.assertEqual(self.violations(), [])
        old = self.server.directory / "old"
        shutil.copytree(self.server.data_dir, old)
        self.load()
        shutil.rmtree(self.server.data_dir)
        old.rename(self.server.data_dir)
        self.expect_found("lost")

    def test_phantoms(self) -> None:
        self.load()
        self.assertEqual(self.violations(), [])
        name, _ = self.largest()
        self.server.start()
        with self.server.connect() as client:
            self.assertEqual(client.append(name, 2**62, 1.0), 0)
            self.assertEqual(client.create(raw.label("phantom")), 0)
            self.assertEqual(client.create(raw.label("1.phantom")), 0)
        self.server.kill()
        found = self.violations()
        for words in ("1 points of", "b'phantom", "b'1.phantom"):
            self.assertTrue(any(words in line for line in found), f"{words}: {found}")

    def test_dropped_series(self) -> None:
        self.load()
        self.assertEqual(self.violations(), [])
        name, _ = self.largest()
        self.server.start()
        with self.server.connect() as client:
            self.assertEqual(client.drop(name), 0)
        self.server.kill()
        self.expect_found(f"{name!r} is lost")

    def test_wrong_value(self) -> None:
        self.load()
        self.assertEqual(self.violations(), [])
        _, points = self.largest()
        points[next(iter(points))] ^= 1
        self.expect_found("lost 1 of")


class ChecksOfTheRecord(unittest.TestCase):
    """A stream that acknowledged one request of four, and what a server may hold then."""

    A, B = b"0.a", b"0.b"

    def setUp(self) -> None:
        self.begin(self.request(self.A, 2), self.request(self.B, 2, 3), self.request(self.A, 3),
                   self.request(self.B, 4))

    def begin(self, *requests: Request) -> None:
        self.stream = Stream(0, SEED)
        self.stream.world = World({self.A: {1: 1}, self.B: {1: 1}})
        self.stream.sent = list(requests)
        self.stream.acknowledged = 1

    def request(self, name: bytes, *numbers: int, single: bool = False) -> Request:
        return Request(b"", add(name, {n: n for n in numbers}), single=name if single else None)

    def compare(self, in_a: int, in_b: int) -> str:
        worlds = [{n: n for n in range(1, count + 1)} for count in (in_a, in_b)]
        return " ".join(self.stream.compare(World(dict(zip((self.A, self.B), worlds)))))

    def test_what_may_be(self) -> None:
        for counts in ((2, 1), (2, 3), (3, 3), (3, 4)):
            self.setUp()
            self.assertEqual(self.compare(*counts), "", counts)

    def test_a_gap_between_requests(self) -> None:
        for counts in ((3, 1), (2, 4)):
            self.setUp()
            self.assertIn("gap", self.compare(*counts), counts)

    def test_single_points_in_any_order(self) -> None:
        singles = [self.request(name, n, single=True)
                   for name, n in ((self.A, 2), (self.B, 2), (self.A, 3), (self.B, 3))]
        for counts in ((2, 1), (3, 1), (2, 3), (3, 3)):
            self.begin(*singles)
            self.assertEqual(self.compare(*counts), "", counts)
        for counts in ((2, 1), (3, 1), (3, 3)):
            self.begin(singles[0], self.request(self.A, 3), singles[1], singles[3])
            self.assertEqual(self.compare(*counts), "", counts)
        self.begin(singles[0], self.request(self.A, 3), singles[1], singles[3])
        self.assertIn("gap", self.compare(2, 2))

    def test_part_of_a_request(self) -> None:
        self.assertIn("part", self.compare(2, 2))

    def test_an_acknowledged_request_that_is_lost(self) -> None:
        self.assertIn("lost 1 of 2 points", self.compare(1, 1))

    def test_more_than_was_sent(self) -> None:
        self.assertIn("never sent", self.compare(4, 4))

    def test_it_goes_on_from_what_was_found(self) -> None:
        self.assertEqual(self.compare(2, 3), "")
        self.assertEqual(self.compare(2, 3), "")
        self.assertIn("never sent", self.compare(3, 3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
