# SPDX-License-Identifier: MIT
# ctest: timeout=200 serial
"""What taud does at the edges of its means: connections, descriptors, memory."""

from __future__ import annotations

import resource
import time
import unittest

import tau_raw as raw
from tau_raw import PING, PONG, Closed, Connection, label
from tau_server import PATIENCE, Server, run_taud


class Connections(unittest.TestCase):
    def test_more_than_may_be(self) -> None:
        """One too many is told so and closed; when another ends, there is room again."""
        with Server("--workers", "2", "--max-connections", "8") as server:
            clients = [server.connect() for _ in range(8)]
            for _ in range(5):
                with server.open() as refused:
                    self.assertEqual(refused.receive().status, raw.TOO_MANY_CONNECTIONS)
                    self.assertEqual(refused.wait_for_end(3), b"")
            for client in clients:
                self.assertEqual(client.request(PING).opcode, PONG)
            clients.pop().close()
            clients.append(self.connect_soon(server))
            for client in clients:
                client.close()

    def connect_soon(self, server: Server) -> Connection:
        deadline = time.monotonic() + 3 * PATIENCE
        while True:
            try:
                return server.connect()
            except (ConnectionError, Closed):
                self.assertLess(time.monotonic(), deadline, "the place is not free again")
                time.sleep(0.02)

    def test_more_than_can_fit(self) -> None:
        """Refused before anything else happens, in one line with both numbers."""
        with Server() as server:
            directory = str(server.data_dir) + ".other"
            done = run_taud("--data-dir", directory, "--listen", "127.0.0.1:0",
                            "--max-connections", "9999", env={"TAU_CERTIFICATE": "11" * 32},
                            prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                               (333, 333)))
            self.assertGreater(done.returncode, 0)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("9999", done.stderr)
            self.assertIn("333", done.stderr)

    def test_soft_limit_is_raised(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 1000:
            self.skipTest("this machine does not permit that many descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
        with Server("--max-connections", "500", open_files=64, open_files_hard=1000) as server:
            clients = [server.connect() for _ in range(300)]
            for client in clients:
                self.assertEqual(client.request(PING).opcode, PONG)
                client.close()


class Descriptors(unittest.TestCase):
    def test_none_left(self) -> None:
        """No spinning, no flood of messages, and it recovers within a second."""
        with Server("--workers", "2") as server:
            keeper = server.connect()
            used = server.descriptor_count()
            soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 2, hard))
            clients = [server.open() for _ in range(30)]
            time.sleep(0.5)
            lines, cpu, began = self.log_lines(server), server.cpu_seconds(), time.monotonic()
            time.sleep(3.0)
            self.assertEqual(keeper.request(PING).opcode, PONG)
            took = time.monotonic() - began
            self.assertLess(server.cpu_seconds() - cpu, 0.02 * took * PATIENCE + 0.03)
            self.assertLessEqual(self.log_lines(server) - lines, took + 2)
            for client in clients:
                client.close()
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
            began = time.monotonic()
            server.connect().close()
            self.assertLess(time.monotonic() - began, 1.5 * PATIENCE)
            self.assertEqual(keeper.request(PING).opcode, PONG)
            keeper.close()

    def log_lines(self, server: Server) -> int:
        return server.log_text().count("\n")


class Memory(unittest.TestCase):
    def test_full_head_refuses_writes_and_loses_nothing(self) -> None:
        with Server("--workers", "2", "--memory", "16M", "--durability", "os") as server:
            with server.connect(timeout=60) as client:
                client.negotiate()
                stored = self.fill(client)
                self.check(client, stored)
                self.fill_up(client, stored)
                self.check(client, stored)
            server.restart()
            with server.connect(timeout=60) as client:
                client.negotiate()
                self.check(client, stored)
                self.make_room(client, stored)

    def fill(self, client: Connection) -> dict[bytes, int]:
        """Batches into one series after the other until one is refused; how much each holds."""
        stored: dict[bytes, int] = {}
        for number in range(4000):
            series = label(f"s{number}")
            if client.create(series) != 0:
                break
            stored[series] = 0
            numbers = range(20_000)
            reply = client.request(raw.BATCH_APPEND, raw.batch_payload(series, numbers, numbers))
            if reply.opcode == raw.ERR:
                self.assertEqual(reply.status, raw.STORAGE_FULL)
                break
            accepted, refused = raw.parse_refused(reply.payload)
            self.assertEqual((accepted, refused), (20_000, []))
            stored[series] = accepted
        total = sum(stored.values())
        self.assertGreater(total, 200_000, "full too early")
        self.assertLess(total, 30_000_000, "never full")
        return stored

    def check(self, client: Connection, stored: dict[bytes, int]) -> None:
        for series, count in stored.items():
            self.assertEqual(client.describe(series).point_count, count)
        first, count = next(iter(stored.items()))
        self.assertEqual(client.query_range(first), [(t, t) for t in range(count)])

    def write_more(self, client: Connection, stored: dict[bytes, int]) -> int:
        """One batch behind the last point of the first series."""
        first, count = next(iter(stored.items()))
        numbers = range(count, count + 20_000)
        reply = client.request(raw.BATCH_APPEND, raw.batch_payload(first, numbers, numbers))
        if reply.opcode == raw.OK:
            stored[first] += raw.parse_refused(reply.payload)[0]
        return reply.status

    def fill_up(self, client: Connection, stored: dict[bytes, int]) -> None:
        """A last corner may be free once or twice more."""
        for _ in range(20):
            status = self.write_more(client, stored)
            if status == raw.STORAGE_FULL:
                return
            self.assertEqual(status, 0)
        self.fail("never full")

    def make_room(self, client: Connection, stored: dict[bytes, int]) -> None:
        """Dropping is a write that always goes, and gives room to others."""
        for number in range(1, 5):
            self.assertEqual(client.drop(label(f"s{number}")), 0)
        self.assertEqual(self.write_more(client, stored), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
