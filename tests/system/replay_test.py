# SPDX-License-Identifier: MIT
# ctest: timeout=1200 serial
"""A start after a crash reads the log at a good pace, and takes no more memory than running did.

    TAU_TEST_REPLAY=1000  MiB of log (32); from 1000 on the pace is held to, too
"""

from __future__ import annotations

import os
import random
import sys
import time
import unittest
from pathlib import Path

import tau_raw as raw
from tau_server import SANITIZED, Server
from write_record import accepted

LOG_BYTES = int(os.environ.get("TAU_TEST_REPLAY", "32")) << 20
FULL_BYTES = 1000 << 20
STARTS = 3  # of which the quickest counts
POINTS_A_SECOND = 10_000_000
BATCH = 50_000  # points
ROWS = 20_000
STEP = 1 << 20
SERIES = 16
SLACK_BYTES = 32 << 20  # for what a start has beside the data: buffers, the parts of the log


def peak_bytes(server: Server) -> int:
    """The most memory that the process ever had."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM in /proc")


def written_bytes(path: Path) -> int:
    """Up to the last that is not zero."""
    with open(path, "rb") as file:
        for end in range(path.stat().st_size, 0, -STEP):
            begin = max(end - STEP, 0)
            file.seek(begin)
            if data := file.read(end - begin).rstrip(b"\0"):
                return begin + len(data)
    return 0


def log_bytes(server: Server) -> int:
    """What is written of the log: all segments but the last that is in use are full."""
    size = 0
    for path in sorted((server.data_dir / "log").glob("*.log"), reverse=True):
        size += path.stat().st_size if size else written_bytes(path)
    return size


class Load:
    """Batches of one series and rows of all, at uneven steps, with values that do not compress."""

    def __init__(self, server: Server) -> None:
        self.client = server.connect(timeout=120)
        self.random = random.Random(9)
        self.names = [raw.label(f"series.{n}") for n in range(SERIES)]
        for name in self.names:
            assert self.client.create(name) == 0
        self.values = [self.random.random() for _ in range(BATCH)]
        self.last = 0
        self.points = 0

    def write(self, name: bytes) -> None:
        stamps = [self.last + 1000 * n + self.random.getrandbits(4) for n in range(1, BATCH + 1)]
        payload = raw.batch_payload(name, stamps, self.values)
        self.send(raw.BATCH_APPEND, payload, BATCH)

    def write_rows(self) -> None:
        rows = [(self.names[n % SERIES], self.last + 1000 * (n + 1), self.values[n])
                for n in range(ROWS)]
        self.send(raw.MULTI_APPEND, raw.multi_payload(rows), ROWS)
        self.last += 1000 * ROWS

    def send(self, opcode: int, payload: bytes, count: int) -> None:
        reply = self.client.request(opcode, payload)
        assert reply == raw.Reply(raw.OK, 0, accepted(count)), reply
        self.points += count

    def fill(self, server: Server) -> None:
        while log_bytes(server) < LOG_BYTES:
            for name in self.names:
                self.write(name)
            self.last += 1000 * BATCH + 1000
            self.write_rows()


class Replay(unittest.TestCase):
    def test_replay(self) -> None:
        server = Server("--memory", "8G", "--durability", "os")
        self.addCleanup(server.remove)
        empty = self.time_of_start(server)
        load = Load(server)
        load.fill(server)
        running = peak_bytes(server)
        counts = self.counts(server, load)
        load.client.close()
        self.assertEqual(sum(counts), load.points)
        seconds, replaying = [], 0
        for _ in range(STARTS):
            server.kill()
            seconds.append(self.time_of_start(server) - empty)
            replaying = max(replaying, peak_bytes(server))
            self.assertEqual(self.counts(server, load), counts)
        server.stop()
        pace = load.points / max(min(seconds), 0.001)
        size = log_bytes(server) >> 20
        print(f"{load.points} points in {size} MiB of log in {min(seconds):.2f} s: "
              f"{pace / 1e6:.1f} M points/s; peak of memory {replaying >> 20} MiB, while running "
              f"{running >> 20} MiB")
        self.assertLess(replaying, running + SLACK_BYTES)
        if LOG_BYTES >= FULL_BYTES:
            self.assertGreater(pace, POINTS_A_SECOND)

    def time_of_start(self, server: Server) -> float:
        began = time.monotonic()
        server.start(seconds=120)
        return time.monotonic() - began

    def counts(self, server: Server, load: Load) -> list[int]:
        with server.connect() as client:
            client.negotiate()
            return [client.describe(name).point_count for name in load.names]


if __name__ == "__main__":
    if SANITIZED:
        print("measures memory and time, which sanitizers spoil")
        sys.exit(77)
    unittest.main(verbosity=2)
