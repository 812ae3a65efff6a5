# SPDX-License-Identifier: MIT
# ctest: timeout=120 serial
"""The time of day jumps, by years, forwards and back, under a server at work: nothing waits longer
or shorter for it, nothing is refused, and nothing is lost, then or at a start under another time.
"""

from __future__ import annotations

import mmap
import re
import struct
import sys
import threading
import time
import unittest

import tau_raw as raw
from tau_raw import PING, PONG, Connection, header
from tau_server import PATIENCE, SANITIZED, Server, preload

YEAR, HOUR = 365 * 86400 * 10**9, 3600 * 10**9
COUNT = 10  # of points, six minutes apart
JUMPS = (YEAR * 10, -YEAR * 10, 3600 * 10**9, -3600 * 10**9, YEAR * 200, 0)
IDLE_SECONDS, FRAME_SECONDS = 6, 1
SERIES = raw.label("s")


class Clock:
    """The time of day of a server."""

    def __init__(self, server: Server) -> None:
        path = server.directory / "ahead"
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self.ahead = mmap.mmap(file.fileno(), 8)
        server.env = preload("clock_calls", {"CLOCK_CALLS_FILE": str(path)})

    def jump(self, nanoseconds: int) -> None:
        self.ahead[:] = struct.pack("=q", nanoseconds)


class Writer(threading.Thread):
    """Appends one point after another, and notes how long the slowest took."""

    def __init__(self, client: Connection) -> None:
        super().__init__()
        self.client = client
        self.count = 0
        self.slowest = 0.0
        self.refused = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            began = time.monotonic()
            if self.client.append(SERIES, self.count, float(self.count)) != 0:
                self.refused += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.count += 1


class ClockJumps(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server("--workers", "2", "--idle-timeout", f"{IDLE_SECONDS}s",
                             "--frame-timeout", f"{FRAME_SECONDS}s")
        self.addCleanup(self.server.remove)
        self.clock = Clock(self.server)

    def connect(self) -> Connection:
        client = self.server.connect()
        self.addCleanup(client.close)
        return client

    def test_under_load(self) -> None:
        self.server.start()
        self.assertEqual(self.connect().create(SERIES), 0)
        idle, writer = self.connect(), Writer(self.connect())
        writer.start()
        try:
            for jump in JUMPS:
                self.clock.jump(jump)
                time.sleep(0.1)
                self.clock.jump(0)
                time.sleep(0.05)
            self.clock.jump(JUMPS[0])
            self.half_a_frame_ends_in_time()
        finally:
            writer.ended.set()
            writer.join()
        self.assertEqual(idle.request(PING).opcode, PONG, "it was not idle for that long")
        self.assertEqual(writer.refused, 0)
        self.assertGreater(writer.count, 100)
        self.assertLess(writer.slowest, 1.0 * PATIENCE)
        self.server.stop()
        years = {int(year) for year in re.findall(r'"time":"(\d+)-', self.server.log_text())}
        self.assertGreater(max(years) - min(years), 8, "the clock did not jump")
        for jump in JUMPS:
            self.clock.jump(jump)
            self.everything_is_there(writer.count)

    def half_a_frame_ends_in_time(self) -> None:
        client = self.connect()
        client.send(header(PING, 4) + b"h")
        began = time.monotonic()
        self.clock.jump(JUMPS[1])
        client.wait_for_end((FRAME_SECONDS + 2) * PATIENCE)
        self.assertGreater(time.monotonic() - began, FRAME_SECONDS * 0.8)

    def everything_is_there(self, count: int) -> None:
        self.server.start()
        with self.server.connect() as client:
            client.negotiate()
            points = client.query_range(SERIES)
        expected = [(n, int.from_bytes(raw.bits(float(n)), "big")) for n in range(count)]
        self.assertEqual(points, expected)
        self.server.stop()

    def test_retention_takes_nothing_early(self) -> None:
        """What is younger than it by the newest point stays, whatever is stored and compacted, and
        started, while the clock is wrong."""
        self.server.start()
        client, now = self.connect(), time.time_ns()
        client.negotiate()
        stamps = [now - HOUR + n * (HOUR // COUNT) for n in range(1, COUNT + 1)]
        self.assertEqual(client.create(SERIES), 0)
        policy = SERIES + struct.pack(">BQ", raw.STRICT, HOUR)
        self.assertEqual(client.request(raw.SET_POLICY, policy).status, 0)
        self.assertEqual(client.batch(SERIES, stamps, [1.0] * COUNT), (COUNT, []))
        for jump in JUMPS:
            self.clock.jump(jump)
            for opcode in (raw.FLUSH_DATA, raw.COMPACT):
                client.send(raw.frame(opcode, b""))
                self.assertEqual(list(client.stream())[-1].opcode, raw.OK)
            self.assertEqual([stamp for stamp, _ in client.query_range(SERIES)], stamps)
            self.server.restart()
            client = self.connect()
            client.negotiate()
            self.assertEqual(len(client.query_range(SERIES)), COUNT)
        self.clock.jump(0)
        future = struct.pack(">qd", now + YEAR, 1.0)
        self.assertEqual(client.request(raw.APPEND, SERIES + future).status, 0)
        self.assertEqual(len(client.query_range(SERIES)), COUNT + 1)

    def test_planted_fault(self) -> None:
        """Where all clocks jump, a connection is closed for having been idle."""
        self.server.env["CLOCK_CALLS_ALL"] = "1"
        self.server.start()
        idle, busy = self.connect(), self.connect()
        self.clock.jump(YEAR)
        for _ in range(20):
            try:
                busy.request(PING)
            except (OSError, raw.Closed):
                pass  # it was idle for that long, too
            time.sleep(0.05)
            busy = self.connect()  # of any worker, which looks at its clock then
        with self.assertRaises((OSError, raw.Closed)):
            for _ in range(2):
                idle.request(PING)


if __name__ == "__main__":
    if SANITIZED:
        print("moves the clock with a library that would have to be loaded before the sanitizer's")
        sys.exit(77)
    unittest.main(verbosity=2)
