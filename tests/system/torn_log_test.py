# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""A log whose last record did not get to the disk whole: it is cut there, and the server says so.

The test knows of the log's files only that what was written last stands last in one of them.
"""

from __future__ import annotations

import unittest
from pathlib import Path

import tau_raw as raw
from tau_server import Server

POINTS = 200
SERIES = raw.label("torn")


class TornLog(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server("--workers", "1").start()
        self.addCleanup(self.server.remove)
        with self.server.connect() as client:
            self.assertEqual(client.create(SERIES), 0)
            for timestamp in range(POINTS):
                self.assertEqual(client.append(SERIES, timestamp, float(timestamp)), 0)
        self.server.kill()

    def newest(self) -> tuple[Path, int]:
        """The file that was written last, and where its written part ends."""
        ends = {path: len(path.read_bytes().rstrip(b"\0"))
                for path in self.server.data_dir.rglob("*") if path.is_file()}
        path = max((path for path, end in ends.items() if end > POINTS * 24),
                   key=lambda path: path.stat().st_mtime_ns)
        return path, ends[path]

    def overwrite(self, path: Path, offset: int, data: bytes) -> None:
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def points(self) -> list[tuple[int, int]]:
        with self.server.connect() as client:
            client.negotiate()
            return client.query_range(SERIES)

    def expected(self, count: int) -> list[tuple[int, int]]:
        return [(t, int.from_bytes(raw.bits(float(t)), "big")) for t in range(count)]

    def test_whole(self) -> None:
        self.server.start()
        self.assertEqual(self.points(), self.expected(POINTS))
        self.server.stop()

    def test_last_record_is_torn(self) -> None:
        path, end = self.newest()
        self.overwrite(path, end - 4, bytes(4))
        self.server.start()
        self.assertEqual(self.points(), self.expected(POINTS - 1))
        self.assertRegex(self.server.log_text(), r"(?i)torn|cut")
        with self.server.connect() as client:
            self.assertEqual(client.append(SERIES, POINTS - 1, 0.5), 0)
        self.server.kill()
        self.server.start()
        self.assertEqual(len(self.points()), POINTS)
        self.server.stop()

    def test_noise_behind_the_last_record(self) -> None:
        """What a power cut leaves of a record that was never acknowledged."""
        path, end = self.newest()
        self.overwrite(path, end, b"\x5a" * 100)
        self.server.start()
        self.assertEqual(self.points(), self.expected(POINTS))
        self.server.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
