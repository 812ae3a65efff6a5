# SPDX-License-Identifier: MIT
# ctest: timeout=300 serial labels=threads
"""Clients that ask and do not read: the server's memory has a bound, and others do not notice."""

from __future__ import annotations

import time
import unittest

import tau_raw as raw
from tau_raw import CANCEL, CANCELLED, ERR, OK, PING, PONG, Connection, Reply, frame
from tau_server import PATIENCE, SANITIZED, ServerCase

POINTS = 400_000
READERS = 40
BYTES_PER_READER = 512 * 1024  # both buffers, a batch in the making, and then some
RECEIVE_BUFFER = 8_192


class SlowReaders(ServerCase):
    series = raw.label("long")
    # A frame that is cut where the server stops reading waits until the client has read.
    server_args = ("--workers", "2", "--frame-timeout", "10m")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        with cls.server.connect() as client:
            assert client.create(cls.series) == 0
            for start in range(0, POINTS, 100_000):
                numbers = range(start, start + 100_000)
                assert client.batch(cls.series, numbers, numbers)[0] == 100_000

    def slow(self) -> Connection:
        client = self.server.connect(receive_buffer=RECEIVE_BUFFER)
        self.addCleanup(client.close)
        return client

    def send_until_full(self, client: Connection, data: bytes, quiet: float = 0.5) -> int:
        """Sends copies of `data` until nothing more is taken for a while; bytes that were."""
        client.socket.setblocking(False)
        sent, last = 0, time.monotonic()
        while time.monotonic() - last < quiet * PATIENCE:
            position = sent % len(data)
            try:
                sent += client.socket.send(data[position:position + 65536])
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        client.socket.settimeout(20 * PATIENCE)
        return sent

    def test_streams_that_nobody_reads(self) -> None:
        before = self.server.resident_bytes()
        clients = [self.slow() for _ in range(READERS)]
        for client in clients:
            client.send(raw.range_frame(self.series) * 50)
        self.others_go_on()
        if not SANITIZED:
            grown = self.server.resident_bytes() - before
            self.assertLess(grown, READERS * BYTES_PER_READER)
        for _ in range(2):
            self.read_together(clients[:3])

    def read_together(self, clients: list[Connection]) -> None:
        """Reads a stream of each in turns: one that takes nothing for long would be closed."""
        points = [0] * len(clients)
        for replies in zip(*(client.stream() for client in clients)):
            for n, reply in enumerate(replies):
                points[n] += len(raw.parse_columns(reply.payload))
        self.assertEqual(points, [POINTS] * len(clients))

    def others_go_on(self) -> None:
        """Round trips of a client on each worker, while the slow ones stand still."""
        for _ in range(4):
            other = self.connect()
            self.assertLess(min(other.round_trips(100) for _ in range(3)), 1.0)

    def test_requests_without_end(self) -> None:
        """The server stops reading when its output is full, and answers all of it afterwards."""
        before = self.server.resident_bytes()
        for request, reply in ((frame(PING), Reply(PONG, 0, b"")),
                               (raw.query_frame(self.series, 7), Reply(OK, 0, b"\1" + raw.bits(7))),
                               (frame(raw.DROP_SERIES, bytes(32)),
                                Reply(ERR, 0, bytes([raw.SERIES_NOT_FOUND])))):
            client = self.slow()
            sent = self.send_until_full(client, request * 6553)
            self.assertLess(sent, 64 << 20, "the server takes everything and keeps it")
            whole = sent // len(request)
            for _ in range(whole):
                self.assertEqual(client.receive(), reply)
            if sent % len(request):
                client.send(request[sent % len(request):])
                self.assertEqual(client.receive(), reply)
            self.assertEqual(client.request(PING).opcode, PONG)
        if not SANITIZED:
            self.assertLess(self.server.resident_bytes() - before, 8 << 20)

    def test_cancel_arrives(self) -> None:
        """It is found behind a full output, and behind other requests within the input's bound."""
        client = self.slow()
        client.send(raw.range_frame(self.series) * 20)
        time.sleep(0.3)
        client.send(frame(PING) * 1000 + frame(CANCEL))
        time.sleep(0.3)
        ends = [list(client.stream())[-1] for _ in range(20)]
        self.assertEqual(ends, [Reply(ERR, 0, bytes([CANCELLED]))] * 20)
        self.assertEqual({r.opcode for r in client.receive_all(1000)}, {PONG})
        self.assertEqual(client.receive(), Reply(OK, 0, b""))

    def test_slow_readers_that_vanish(self) -> None:
        before = self.server.descriptor_count()
        for turn in range(60):
            client = self.server.connect(receive_buffer=RECEIVE_BUFFER)
            client.send(raw.range_frame(self.series) * 5)
            client.receive()
            if turn % 2:
                client.reset()
            else:
                client.close()
        deadline = time.monotonic() + 5 * PATIENCE
        while self.server.descriptor_count() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertLessEqual(self.server.descriptor_count(), before)
        self.others_go_on()

    def test_stop_does_not_wait_for_them(self) -> None:
        """An orderly end with readers that stand still ends all the same."""
        for _ in range(5):
            self.slow().send(raw.range_frame(self.series) * 5)
        time.sleep(0.2)
        took = type(self).server.stop(seconds=15)
        type(self).server.start()
        self.assertLess(took, 12 * PATIENCE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
