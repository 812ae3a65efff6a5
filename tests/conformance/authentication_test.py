# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""How a connection becomes trusted: who waits, who never does, and who is closed.

Wrong certificates are slowed down per address; each test therefore comes from a loopback address of
its own. Where something must not wait, the quickest of several tries counts: on a busy machine a
single one may be late for no fault of taud's. What the session table says of CONNECT is in
session_test.py.
"""

from __future__ import annotations

import threading
import time
import unittest
from typing import Iterator

import tau_raw as raw
from tau_raw import CONNECT, OK, frame, header
from tau_server import CERTIFICATE, PATIENCE, WRONG_CERTIFICATE, ServerCase


class Delays(ServerCase):
    def refused_after(self, source: str) -> float:
        """Seconds until the answer to one wrong certificate on a new connection."""
        with self.server.open(source=source) as connection:
            began = time.monotonic()
            self.assertEqual(connection.request(CONNECT, WRONG_CERTIFICATE).status, raw.AUTH_FAILED)
            return time.monotonic() - began

    def accepted_after(self, source: str) -> float:
        with self.server.open(source=source) as connection:
            began = time.monotonic()
            self.assertEqual(connection.request(CONNECT, CERTIFICATE).opcode, OK)
            return time.monotonic() - began

    def test_delay_doubles_to_two_seconds(self) -> None:
        source = self.source()
        for expected in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0):
            took = self.refused_after(source)
            self.assertGreaterEqual(took, expected * 0.95)
            self.assertLess(took, expected + 1.0 * PATIENCE)  # without a bound 3.2 and 6.4 follow

    def test_each_address_has_its_own_delay(self) -> None:
        first = self.source()
        for _ in range(3):
            self.refused_after(first)
        quickest = min(self.refused_after(self.source()) for _ in range(4))
        self.assertLess(quickest, 0.4)

    def test_right_certificate_never_waits(self) -> None:
        source = self.source()
        for _ in range(4):
            self.refused_after(source)
        waiting = [self.open(source) for _ in range(8)]
        for connection in waiting:
            connection.send(frame(CONNECT, WRONG_CERTIFICATE))
        quickest = min(self.accepted_after(source) for _ in range(5))
        self.assertLess(quickest, 0.09)

    def test_others_go_on_while_some_wait(self) -> None:
        source = self.source()
        for _ in range(3):
            self.refused_after(source)
        for connection in [self.open(source) for _ in range(20)]:
            connection.send(frame(CONNECT, WRONG_CERTIFICATE))
        other = self.connect()
        self.assertLess(min(other.round_trips(50) for _ in range(4)), 0.5)

    def test_many_addresses_do_not_wedge_the_table(self) -> None:
        """More addresses than any bounded table holds: still answered, still slowed down."""
        def attempt(number: int) -> None:
            source = f"127.2.{number // 250}.{1 + number % 250}"
            with self.server.open(source=source) as connection:
                reply = connection.request(CONNECT, WRONG_CERTIFICATE)
                if reply.status != raw.AUTH_FAILED:
                    failures.append(reply)

        failures: list[raw.Reply] = []
        for batch in range(0, 2000, 200):
            threads = [threading.Thread(target=attempt, args=(batch + i,)) for i in range(200)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreaterEqual(self.refused_after(self.source()), 0.095)
        quickest = min(self.accepted_after(self.source()) for _ in range(4))
        self.assertLess(quickest, 0.09)


class Deadline(ServerCase):
    def test_ten_seconds_to_authenticate(self) -> None:
        """Silence, half a frame, refused requests, a byte a second: all end after 10 s, and not
        before."""
        began = time.monotonic()
        silent, half, trickling, busy, late = (self.open() for _ in range(5))
        trusted = self.connect()
        half.send(header(CONNECT, 32) + CERTIFICATE[:16])
        trickle = iter(header(CONNECT, 32) + CERTIFICATE)
        self.keep_busy(trickling, trickle, busy, began + 8.0)
        self.assertEqual(late.request(CONNECT, CERTIFICATE).opcode, OK)
        self.keep_busy(trickling, trickle, busy, began + 9.0)
        for connection in (silent, half, trickling):
            left = began + 14 - time.monotonic()  # after 15 s half a frame has its own deadline
            self.assertEqual(connection.wait_for_end(left + 5 * (PATIENCE - 1)), b"")
            self.assertGreater(time.monotonic() - began, 9.0)
        busy.wait_for_end(5 * PATIENCE)
        for connection in (trusted, late):
            self.assertEqual(connection.request(raw.PING).opcode, raw.PONG)

    def keep_busy(self, trickling: raw.Connection, trickle: Iterator[int], busy: raw.Connection,
                  until: float) -> None:  # fmt: skip
        while time.monotonic() < until:
            trickling.send(bytes([next(trickle)]))
            self.assertEqual(busy.request(CONNECT, b"short").status, raw.INVALID_PAYLOAD)
            time.sleep(0.5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
