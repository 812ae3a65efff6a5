# SPDX-License-Identifier: MIT
# ctest: timeout=200 serial
"""What taud does at the edges of its means: connections, descriptors, memory."""

from __future__ import annotations

import random
import resource
import struct
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
    def test_more_points_than_memory_holds(self) -> None:
        """They go to the disk, and nothing is refused or lost, then and after a start."""
        with Server("--workers", "2", "--memory", "16M", "--durability", "os") as server:
            with server.connect(timeout=60) as client:
                client.negotiate()
                for number in range(SERIES):
                    self.assertEqual(client.create(label(f"s{number}")), 0)
                    self.write(client, number, 0)
                self.check(client, POINTS)
            server.restart()
            with server.connect(timeout=60) as client:
                client.negotiate()
                self.check(client, POINTS)
                for number in range(SERIES):
                    self.write(client, number, POINTS)
                self.check(client, 2 * POINTS)

    def test_more_series_than_memory_holds(self) -> None:
        """No flush makes room for them; what is there is served, and a drop makes room again."""
        with Server("--workers", "2", "--memory", "16M", "--durability", "os") as server:
            with server.connect(timeout=60) as client:
                client.negotiate()
                count, refusal = self.fill_with_series(client)
                self.assertEqual(refusal, raw.STORAGE_FULL)
                self.assertGreater(count, 10_000)
                self.assertEqual(client.describe(label(f"s{count - 1}")).point_count, 0)
            server.restart()
            with server.connect(timeout=60) as client:
                self.assertEqual(client.describe(label(f"s{count - 1}")).point_count, 0)
                client.send(raw.join(raw.frame(raw.DROP_SERIES, label(f"s{number}"))
                                     for number in range(BATCH)))
                self.assertEqual({reply.status for reply in client.receive_all(BATCH)}, {0})
                self.write_soon(client, label("one more"))

    def write_soon(self, client: Connection, series: bytes) -> None:
        deadline = time.monotonic() + 10 * PATIENCE
        while (client.create(series) not in (0, raw.SERIES_ALREADY_EXISTS)
               or client.append(series, 1, 1.0) != 0):
            self.assertLess(time.monotonic(), deadline, "what was dropped gives no room")
            time.sleep(0.05)

    def fill_with_series(self, client: Connection) -> tuple[int, int]:
        """Creates series until one is refused. Returns how many there are, and the refusal."""
        for first in range(0, 50 * BATCH, BATCH):
            client.send(raw.join(raw.frame(raw.CREATE_SERIES, label(f"s{number}"))
                                 for number in range(first, first + BATCH)))
            statuses = [reply.status for reply in client.receive_all(BATCH)]
            refused = [number for number, status in enumerate(statuses) if status != 0]
            if refused:
                return first + refused[0], statuses[refused[0]]
        return 50 * BATCH, 0

    def write(self, client: Connection, number: int, first: int) -> None:
        payload = b"".join((label(f"s{number}"), struct.pack(">I", POINTS),
                            struct.pack(f">{POINTS}q", *range(first, first + POINTS)),
                            noise(number, first)))
        accepted, refused = raw.parse_refused(client.request(raw.BATCH_APPEND, payload).payload)
        self.assertEqual((accepted, refused), (POINTS, []))

    def check(self, client: Connection, count: int) -> None:
        for number in range(SERIES):
            self.assertEqual(client.describe(label(f"s{number}")).point_count, count)
        for number in (0, SERIES - 1):
            expected = [value for first in range(0, count, POINTS)
                        for value in struct.unpack(f">{POINTS}Q", noise(number, first))]
            found = client.query_range(label(f"s{number}"))
            self.assertEqual(len(found), count)
            wrong = [(point, value) for point, value in zip(found, enumerate(expected))
                     if point != value]
            self.assertEqual(wrong[:3], [])


SERIES, POINTS = 60, 20_000
BATCH = 4000  # of series


def noise(number: int, first: int) -> bytes:
    """Values, as on the wire, that no compression makes smaller by much."""
    values = bytearray(random.Random(f"{number} {first}").randbytes(POINTS * 8))
    values[::8] = b"\x3f" * POINTS  # no NaN
    return bytes(values)


if __name__ == "__main__":
    unittest.main(verbosity=2)
