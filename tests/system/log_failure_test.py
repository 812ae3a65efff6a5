# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""A log that fails under taud: who waits for a write is told that it may have happened, later
writes are refused, reads go on, and a server that starts again has all that it said was stored.

The next file of the log is made larger than the system lets this process write. What is written
is hardly made smaller, so that the log is full before the record of the traffic, if there is one,
meets the same limit.
"""

from __future__ import annotations

import random
import resource
import signal
import struct
import unittest
from itertools import accumulate
from typing import Callable, Optional

import tau_raw as raw
from tau_raw import Connection, Reply, frame, label
from tau_server import Server

FILE_BYTES_MAX = (16 << 20) - 4096  # a little less than the second file of the log needs
BATCH, BATCHES_MAX = 10_000, 500  # several times what the first holds
FIRST, SECOND, THIRD = label("first"), label("second"), label("third")
LENS, OTHER = label("lens"), label("other")

WRITES = [
    frame(raw.APPEND, FIRST + struct.pack(">qd", 1 << 60, 1.0)),
    frame(raw.BATCH_APPEND, raw.batch_payload(FIRST, [1 << 60], [1.0])),
    frame(raw.MULTI_APPEND, raw.multi_payload([(FIRST, 1 << 60, 1.0)])),
    frame(raw.CREATE_SERIES, THIRD),
    frame(raw.DROP_SERIES, SECOND),
    frame(raw.CREATE_LENS, OTHER + FIRST + b"identity".ljust(32, b"\0")),
    frame(raw.COMPOSE_LENS, label("both") + LENS + LENS),
    frame(raw.DROP_LENS, LENS),
]


class SmallFiles(Server):
    """A server that cannot write beyond a place in a file, and is told so by an error."""

    limited = True

    def _prepare(self) -> Optional[Callable[[], None]]:
        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
        return limit if self.limited else None


class LogFailure(unittest.TestCase):
    def setUp(self) -> None:
        self.server = SmallFiles("--workers", "1", "--durability", "os")
        self.addCleanup(self.server.remove)
        self.server.start()
        self.random = random.Random(1)
        self.stored: list[tuple[int, float]] = []

    def fill(self, client: Connection) -> Reply:
        """Writes until the log fails; the answer to what was written then."""
        for series in (FIRST, SECOND):
            self.assertEqual(client.create(series), 0)
        lens = LENS + FIRST + b"identity".ljust(32, b"\0")
        self.assertEqual(client.request(raw.CREATE_LENS, lens).opcode, raw.OK)
        for _ in range(BATCHES_MAX):
            points = self.more()
            payload = raw.batch_payload(FIRST, [t for t, _ in points], [v for _, v in points])
            reply = client.request(raw.BATCH_APPEND, payload)
            if reply.opcode == raw.ERR:
                return reply
            self.assertEqual(raw.parse_refused(reply.payload), (BATCH, []))
            self.stored += points
        self.fail("the log never failed")

    def more(self) -> list[tuple[int, float]]:
        """Points which take nearly as much in the log as on the way to it."""
        draw = self.random
        last = self.stored[-1][0] if self.stored else 0
        steps = accumulate((1 + draw.getrandbits(30) for _ in range(BATCH)), initial=last)
        return [(t, draw.random() * 10.0 ** draw.randint(-99, 99)) for t in list(steps)[1:]]

    def check_reads(self, client: Connection) -> None:
        for timestamp, value in (self.stored[0], self.stored[-1]):
            self.assertEqual(client.query(FIRST, timestamp), raw.bits(value))

    def test_writes_end_and_reads_go_on(self) -> None:
        with self.server.connect() as client:
            client.negotiate()
            self.assertEqual(self.fill(client).status, raw.OUTCOME_UNKNOWN)
            client.send(raw.join(WRITES))
            statuses = [reply.status for reply in client.receive_all(len(WRITES))]
            self.assertEqual(statuses, [raw.READ_ONLY] * len(WRITES))
            self.check_reads(client)
        self.server.kill()
        self.server.limited = False
        self.server.start()
        with self.server.connect() as client:
            client.negotiate()
            self.check_reads(client)
            count = client.describe(FIRST).point_count
            self.assertGreaterEqual(count, len(self.stored))
            self.assertEqual(client.append(FIRST, 1 << 62, 1.0), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
