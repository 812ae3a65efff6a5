# SPDX-License-Identifier: MIT
# ctest: timeout=900 serial
"""Memory after very many connections is that after a few: places are used again.

TAU_TEST_RECONNECTS sets how many; a million takes some minutes.
"""

from __future__ import annotations

import os
import time
import unittest

import tau_raw as raw
from tau_raw import CONNECT, DISCONNECT, OK, PING, PONG, frame
from tau_server import CERTIFICATE, SANITIZED, Server, WRONG_CERTIFICATE

RECONNECTS = int(os.environ.get("TAU_TEST_RECONNECTS", "20000" if SANITIZED else "100000"))
WARM_UP = 1_000
ALLOWED_GROWTH = 256 * 1024
AT_ONCE = 50

# The ways in which a connection comes and goes; each gets its turn.
GREETING = frame(CONNECT, CERTIFICATE) + frame(PING)
SCRIPTS: tuple[tuple[bytes, list[int], str], ...] = (
    (GREETING + frame(DISCONNECT), [OK, PONG, OK], "server closes"),
    (GREETING, [OK, PONG], "client closes"),
    (GREETING, [OK, PONG], "client resets"),
    (GREETING + raw.header(raw.APPEND, 48) + b"half", [OK, PONG], "client resets"),
    (b"GET / HTTP/1.1\r\n\r\n", [raw.ERR], "server closes"),
    (frame(CONNECT, WRONG_CERTIFICATE)[:20], [], "client resets"),
)


class Reconnects(unittest.TestCase):
    def test_memory(self) -> None:
        with Server("--workers", "2", "--log-level", "error") as server:
            self.reconnect(server, WARM_UP)
            after_few = server.resident_bytes()
            began = time.monotonic()
            self.reconnect(server, RECONNECTS - WARM_UP)
            rate = (RECONNECTS - WARM_UP) / (time.monotonic() - began)
            after_many = server.resident_bytes()
            print(f"memory after {WARM_UP} connections {after_few} bytes, after {RECONNECTS} "
                  f"{after_many} bytes; {rate:.0f} connections/s")
            if not SANITIZED:
                self.assertLess(after_many - after_few, ALLOWED_GROWTH)
            self.wait_for_descriptors(server)

    def reconnect(self, server: Server, count: int) -> None:
        for start in range(0, count, AT_ONCE):
            script, replies, end = SCRIPTS[start // AT_ONCE % len(SCRIPTS)]
            clients = [server.open() for _ in range(AT_ONCE)]
            for client in clients:
                client.send(script)
            for client in clients:
                self.assertEqual([client.receive().opcode for _ in replies], replies)
                if end == "server closes":
                    self.assertEqual(client.wait_for_end(5), b"")
                if end == "client resets":
                    client.reset()
                else:
                    client.close()

    def wait_for_descriptors(self, server: Server) -> None:
        """Every descriptor comes back."""
        deadline = time.monotonic() + 10
        while server.descriptor_count() > 100:
            self.assertLess(time.monotonic(), deadline, "descriptors are lost")
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
