# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The recorder: a taud under it answers as any other, and what it and its clients said stands in
the file, byte for byte. Sanitizers cannot have it, so there the test is skipped.
"""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from pathlib import Path

import tau_raw as raw
from check import PUBLISHED
from published import Specification
from session import judge
from tally import Tally
from tau_cli import Cli
from tau_server import SANITIZED, Server
from traffic import Connection, read_file

MIB = 1 << 20


class Recorder(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)
        before = os.environ.get("TAU_TRAFFIC_DIR")
        os.environ["TAU_TRAFFIC_DIR"] = directory.name
        self.addCleanup(self.restore, before)

    def restore(self, before: str | None) -> None:
        del os.environ["TAU_TRAFFIC_DIR"]
        if before is not None:
            os.environ["TAU_TRAFFIC_DIR"] = before

    def recorded(self, program: str = "taud") -> list[Connection]:
        """In the order in which they began; the file has them as they ended."""
        found = [connection for path in self.path.glob(f"{program}-*.traffic")
                 for connection in read_file(path)]
        return sorted(found, key=lambda connection: connection.began_ns)

    def talk(self, server: Server, payload: bytes) -> tuple[bytes, bytes]:
        """A conversation; what was sent, and what came."""
        frames = [raw.frame(raw.CONNECT, server.certificate or b""),
                  raw.frame(raw.PING, payload), raw.frame(raw.BATCH_APPEND, payload),
                  raw.frame(raw.DISCONNECT)]
        with server.open() as client:
            client.send(raw.join(frames))
            return raw.join(frames), client.wait_for_end(20)

    def test_byte_for_byte(self) -> None:
        with Server("--workers", "2") as server:
            said = [self.talk(server, bytes(size)) for size in (0, 100, 70_000, 3 * MIB)]
        connections = self.recorded()
        self.assertEqual([(bytes(c.received), bytes(c.sent)) for c in connections], said)
        for connection in connections:
            self.assertFalse(connection.played or connection.cut)
            assert connection.shut_ns and connection.closed_ns and connection.first_ns
            self.assertLess(connection.began_ns, connection.first_ns)
            self.assertLess(connection.shut_ns, connection.closed_ns)

    def test_unix_socket(self) -> None:
        address = str(self.path / "socket")
        with Server("--workers", "1", listen=(f"unix:{address}",)) as server:
            said = self.talk(server, b"?")
        connection, = self.recorded()
        self.assertEqual((bytes(connection.received), bytes(connection.sent)), said)

    def test_a_long_connection_is_cut(self) -> None:
        """And what was recorded of it, and all that comes after it, is of use."""
        with Server("--workers", "1") as server:
            with server.connect() as client:
                for _ in range(10):
                    client.request(raw.PING, bytes(4 * MIB))
            said = self.talk(server, b"")
        long, short = sorted(self.recorded(), key=lambda c: -len(c.received))
        self.assertTrue(long.cut)
        self.assertIsNotNone(long.closed_ns)
        self.assertLessEqual(len(long.received), 24 * MIB)
        self.assertGreater(len(long.received), 20 * MIB)
        self.assertEqual((bytes(short.received), bytes(short.sent)), said)
        tally = Tally(Specification(PUBLISHED))
        judge(tally, long)
        self.assertEqual(tally.problems, [])
        self.assertGreater(tally.counts["operation: PING answered by PONG"], 4)

    def test_a_client(self) -> None:
        """What tau-cli says is what its server hears."""
        with Server("--workers", "1") as server:
            self.assertTrue(Cli(server).ok("ping"))
        client, = self.recorded("tau-cli")
        heard, = self.recorded()
        self.assertTrue(client.played)
        self.assertEqual((client.requests, client.replies), (heard.requests, heard.replies))

    def test_nothing_where_nobody_asks(self) -> None:
        os.environ["TAU_TRAFFIC_DIR"] = ""
        with Server("--workers", "1") as server:
            self.talk(server, b"")
        os.environ["TAU_TRAFFIC_DIR"] = str(self.path / "missing")
        with Server("--workers", "1") as server:
            self.talk(server, b"")
        self.assertEqual(list(self.path.iterdir()), [])


if __name__ == "__main__":
    if SANITIZED:
        print("skipped: sanitizers want to be loaded first")
        sys.exit(77)
    unittest.main(verbosity=2)
