# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""A log that fails under taud: who waits for a write is told that it may have happened, later
writes are refused, reads go on, and a server that starts again has all that it said was stored.

The next file of the log is made larger than the system lets this process write.
"""

from __future__ import annotations

import resource
import signal
import struct
import unittest
from typing import Callable, Optional

import tau_raw as raw
from tau_raw import Connection, Reply, frame, label
from tau_server import Server

FILE_BYTES_MAX = (16 << 20) - 4096  # a little less than the second file of the log needs
BATCH, BATCHES_MAX = 10_000, 500  # several times what the first holds
FIRST, SECOND, THIRD = label("first"), label("second"), label("third")
LENS, OTHER = label("lens"), label("other")

WRITES = [
    frame(raw.APPEND, FIRST + struct.pack(">qd", 1 << 40, 1.0)),
    frame(raw.BATCH_APPEND, raw.batch_payload(FIRST, [1 << 41], [1.0])),
    frame(raw.MULTI_APPEND, raw.multi_payload([(FIRST, 1 << 42, 1.0)])),
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
        self.stored = 0

    def fill(self, client: Connection) -> Reply:
        """Writes until the log fails; the answer to what was written then."""
        for series in (FIRST, SECOND):
            self.assertEqual(client.create(series), 0)
        lens = LENS + FIRST + b"identity".ljust(32, b"\0")
        self.assertEqual(client.request(raw.CREATE_LENS, lens).opcode, raw.OK)
        for _ in range(BATCHES_MAX):
            numbers = range(self.stored, self.stored + BATCH)
            reply = client.request(raw.BATCH_APPEND, raw.batch_payload(FIRST, numbers, numbers))
            if reply.opcode == raw.ERR:
                return reply
            self.assertEqual(raw.parse_refused(reply.payload), (BATCH, []))
            self.stored += BATCH
        self.fail("the log never failed")

    def check_reads(self, client: Connection) -> None:
        for timestamp in (0, self.stored - 1):
            self.assertEqual(client.query(FIRST, timestamp), raw.bits(timestamp))

    def test_writes_end_and_reads_go_on(self) -> None:
        with self.server.connect() as client:
            client.negotiate()
            self.assertEqual(self.fill(client).status, raw.OUTCOME_UNKNOWN)
        with self.server.connect() as client:  # what is said on it is recorded from its begin
            client.negotiate()
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
            self.stored = client.describe(FIRST).point_count
            self.assertEqual(client.append(FIRST, self.stored, self.stored), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
