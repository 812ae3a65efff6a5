# SPDX-License-Identifier: MIT
# ctest: timeout=300 serial labels=threads
"""Connections that do little: thousands of idle ones, frames that never end, silence."""

from __future__ import annotations

import resource
import time
import unittest

import tau_raw as raw
from tau_raw import CONNECT, PING, PONG, Connection, frame, header
from tau_server import CERTIFICATE, PATIENCE, SANITIZED, ServerCase

IDLE_CONNECTIONS = 2_000
BYTES_PER_CONNECTION = 2_048


def allow_descriptors(count: int) -> bool:
    """Raises this process's own limit; False where the machine does not permit as many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else hard,
                                                hard))
    return True


class Idle(ServerCase):
    def test_two_thousand(self) -> None:
        if not allow_descriptors(IDLE_CONNECTIONS + 200):
            self.skipTest("this machine does not permit that many descriptors")
        self.warm_up()
        before = self.server.resident_bytes()
        clients = self.open_many()
        grown = self.server.resident_bytes() - before
        print(f"{IDLE_CONNECTIONS} idle connections: {grown / IDLE_CONNECTIONS:.0f} bytes each")
        if not SANITIZED:
            self.assertLess(grown, IDLE_CONNECTIONS * BYTES_PER_CONNECTION)
        self.all_answer(clients)
        for client in clients:
            client.close()
        self.again()

    def warm_up(self) -> None:
        """Whatever is allocated once is allocated: it is not what a connection costs."""
        for _ in range(3):
            clients = [self.server.connect() for _ in range(50)]
            for client in clients:
                client.close()

    def open_many(self) -> list[Connection]:
        clients = [self.server.open() for _ in range(IDLE_CONNECTIONS)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(frame(CONNECT, CERTIFICATE) + frame(PING))
        for client in clients:
            self.assertEqual([r.opcode for r in client.receive_all(2)], [raw.OK, PONG])
        return clients

    def all_answer(self, clients: list[Connection]) -> None:
        for client in clients:
            client.send(frame(PING))
        for client in clients:
            self.assertEqual(client.receive().opcode, PONG)

    def again(self) -> None:
        """A second crowd takes the places of the first."""
        full = self.server.resident_bytes()
        deadline = time.monotonic() + 5 * PATIENCE
        while self.server.descriptor_count() > 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.all_answer(self.open_many())
        if not SANITIZED:
            self.assertLess(self.server.resident_bytes() - full, 200 * BYTES_PER_CONNECTION)


class HalfSent(ServerCase):
    """A frame that has begun must end within --frame-timeout, however busy its sender looks."""

    server_args = ("--workers", "2", "--frame-timeout", "1s")

    def test_every_half(self) -> None:
        halves = [header(PING, 0)[:size] for size in range(1, 10)]
        halves += [header(PING, 100) + bytes(99), header(raw.APPEND, 48), header(raw.APPEND, 48)
                   + bytes(47), header(raw.BATCH_APPEND, 3_000_000) + bytes(2_000_000),
                   header(raw.CREATE_SERIES, 1000) + bytes(999)]
        began = time.monotonic()
        clients = [self.connect() for _ in halves]
        for client, half in zip(clients, halves):
            client.send(half)
        patient = self.connect()
        for client in clients:
            client.wait_for_end(3 * PATIENCE)
        took = time.monotonic() - began
        self.assertGreater(took, 0.9)
        self.assertLess(took, 2.5 * PATIENCE)
        self.assertEqual(patient.request(PING).opcode, PONG, "idle, but between frames")

    def test_a_byte_now_and_then_does_not_help(self) -> None:
        clients = [self.connect() for _ in range(20)]
        began = time.monotonic()
        for client in clients:
            client.send(header(raw.BATCH_APPEND, 100_000))
        with self.assertRaises(OSError):
            while time.monotonic() - began < 6 * PATIENCE:
                for client in clients:
                    client.send(b"x")
                time.sleep(0.1)
        self.assertLess(time.monotonic() - began, 4 * PATIENCE)
        self.assertEqual(self.connect().request(PING).opcode, PONG)

    def test_a_frame_that_is_quick_enough(self) -> None:
        client = self.connect()
        for _ in range(5):
            for part in (b"TAU\1", b"\3\0\0\0", b"\0\2a", b"b"):
                client.send(part)
                time.sleep(0.05)
            self.assertEqual(client.receive().opcode, PONG)

    def test_resets_amid_a_frame(self) -> None:
        for size in (1, 9, 10, 11, 40, 57):
            client = self.server.connect()
            client.send(raw.append_frame(bytes(32), 1, 1.0)[:size])
            client.reset()
        self.assertEqual(self.connect().request(PING).opcode, PONG)


class Silent(ServerCase):
    server_args = ("--workers", "2", "--idle-timeout", "1s")

    def test_idle_timeout(self) -> None:
        silent, busy = self.connect(), self.connect()
        began = time.monotonic()
        while time.monotonic() - began < 2.5:
            self.assertEqual(busy.request(PING).opcode, PONG)
            time.sleep(0.1)
        self.assertEqual(silent.wait_for_end(2 * PATIENCE), b"")
        self.assertEqual(busy.request(PING).opcode, PONG)


if __name__ == "__main__":
    unittest.main(verbosity=2)
