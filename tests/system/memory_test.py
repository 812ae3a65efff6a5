# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""What taud holds in memory while points come in that no codec makes smaller, are flushed and
compacted, and are asked for all the time: `--memory` and a tenth of it, however much is stored.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
import unittest
from typing import Callable

import tau_raw as raw
from replay_test import peak_bytes
from tau_raw import Connection
from tau_server import PATIENCE, SANITIZED, Server

MEGABYTES = int(os.environ.get("TAU_TEST_MEMORY", "32"))  # TAU_TEST_MEMORY=1024: the same, larger
BOUND = MEGABYTES << 20
FEEDERS, SERIES, BATCH = 2, 200, 10_000
STORED_BYTES = 3 * BOUND  # of values alone, 8 bytes each
SECONDS = 120
QUANTILE = 9


class Busy(threading.Thread):
    """Does the same over and over on a connection of its own, until it is to end."""

    def __init__(self, client: Connection, turn: Callable[[Connection, int], None]) -> None:
        super().__init__()
        self.client, self.turn = client, turn
        self.turns = 0
        self.failure = ""
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self.turn(self.client, self.turns)
                self.turns += 1
        except (AssertionError, OSError, raw.Closed) as error:
            self.failure = repr(error)


def compact(client: Connection, _turn: int) -> None:
    client.send(raw.frame(raw.COMPACT))
    last = list(client.stream())[-1]
    assert last.opcode == raw.OK, last
    time.sleep(0.5)


def ask(client: Connection, _turn: int) -> None:
    """A quantile of all points there are, and the points of a series."""
    everything = raw.aggregate_payload([(QUANTILE, 0.5)], prefix=b"s")
    for frame in (raw.frame(raw.AGGREGATE, everything), raw.range_frame(raw.label("s0.0"))):
        client.send(frame)
        for reply in client.stream():
            assert reply.opcode == raw.OK or reply.status == raw.SERIES_NOT_FOUND, reply
    time.sleep(0.05)


def feed(number: int) -> Callable[[Connection, int], None]:
    def turn(client: Connection, turns: int) -> None:
        series = raw.label(f"s{number}.{turns % SERIES}")
        first = turns // SERIES * BATCH
        if turns < SERIES:
            assert client.create(series) == 0
        stamps = struct.pack(f">{BATCH}q", *range(first, first + BATCH))
        payload = series + struct.pack(">I", BATCH) + stamps + os.urandom(8 * BATCH)
        reply = client.request(raw.BATCH_APPEND, payload)
        assert reply.opcode == raw.OK, reply
    return turn


class Memory(unittest.TestCase):
    def test_within_its_bound(self) -> None:
        peak = self.peak(MEGABYTES)
        self.assertGreater(peak, BOUND // 4, "it held hardly anything")
        self.assertLessEqual(peak, BOUND + BOUND // 10)

    def test_planted_fault(self) -> None:
        """A server that may have more is seen to have more."""
        self.assertGreater(self.peak(MEGABYTES * 16), BOUND + BOUND // 10)

    def peak(self, megabytes: int) -> int:
        """The most memory that a server had with this bound."""
        with Server("--workers", "2", "--memory", f"{megabytes}M") as server:
            feeders = [Busy(self.connect(server), feed(n)) for n in range(FEEDERS)]
            others = [Busy(self.connect(server), turn) for turn in (ask, compact)]
            threads = [*feeders, *others]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + SECONDS * PATIENCE
            while sum(feeder.turns for feeder in feeders) * BATCH * 8 < STORED_BYTES:
                self.assertLess(time.monotonic(), deadline, "it takes too long")
                self.assertEqual([t.failure for t in threads if t.failure], [])
                time.sleep(0.05)
            for thread in threads:
                thread.ended.set()
            for thread in threads:
                thread.join()
            self.assertEqual([t.failure for t in threads if t.failure], [])
            self.assertTrue(all(thread.turns > 0 for thread in others))
            peak = peak_bytes(server)
            print(f"{peak / 2**20:.1f} MiB, of {megabytes}")
            return peak

    def connect(self, server: Server) -> Connection:
        client = server.connect(timeout=60)
        self.addCleanup(client.close)
        client.negotiate()
        return client


if __name__ == "__main__":
    if SANITIZED:
        print("a sanitizer has memory of its own")
        sys.exit(77)
    unittest.main(verbosity=2)
