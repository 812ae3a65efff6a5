# SPDX-License-Identifier: MIT
# ctest: timeout=1200
"""A file system of 16 MB is filled and freed, again and again: writes are refused with a status of
their own, reads and drops go on, writes resume by themselves, and no file is left over.

    TAU_TEST_FILLINGS=50  cycles (5)
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import random
import struct
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable, Optional

import tau_raw as raw
from lossy_disk import run
from tau_raw import Connection
from tau_server import PATIENCE, RESTLESS, SANITIZED, TAUD, Server, preload

CYCLES = int(os.environ.get("TAU_TEST_FILLINGS", "2" if SANITIZED else "5"))
MEGABYTES = 16
BATCH = 2000
SERIES = 8
STEP_BITS = 40
POINTS_MIN = 50_000  # of 13 bytes and more, that a disk which was freed must take
POINTS_MAX = 2 * (MEGABYTES << 20) // 13
SECONDS_TO_RESUME = 10
FULL = raw.STORAGE_FULL
KEPT = raw.label("kept")


class SmallDisk:
    """A file system in memory."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="taud-test-disk-"))
        self.other = self.directory / "other"
        run("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}M", "tmpfs", str(self.directory))

    def remove(self) -> None:
        run("umount", str(self.directory))
        self.directory.rmdir()

    def take_the_rest(self) -> None:
        """Somebody else's file, to the last block."""
        other = os.open(self.other, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(other, bytes(4096))
        os.close(other)

    def give_back(self) -> None:
        self.other.unlink()

    def listing(self) -> str:
        """What takes the room, and how much of that is left."""
        status = os.statvfs(self.directory)
        lines = [f"{path.stat().st_blocks * 512:10} {path.relative_to(self.directory)}"
                 for path in sorted(self.directory.rglob("*")) if path.is_file()]
        return "\n".join([*lines, f"{status.f_bavail * status.f_frsize:10} free"])


class DiskFull(unittest.TestCase):
    binary = TAUD

    def setUp(self) -> None:
        self.random = random.Random(8)
        self.points: dict[bytes, list[tuple[int, int]]] = {}
        self.disk = SmallDisk()
        self.addCleanup(self.disk.remove)
        self.server = Server("--workers", "2", "--memory", "64M",
                             data_dir=self.disk.directory / "data")
        self.addCleanup(self.server.remove)
        self.server.binary = self.binary
        self.server.start()
        self.client = self.connect()

    def connect(self) -> Connection:
        client = self.server.connect(timeout=60)
        self.addCleanup(client.close)
        client.negotiate()
        return client

    def test_fill_and_free(self) -> None:
        self.assertTrue(self.create(KEPT))
        for cycle in range(CYCLES):
            self.fill(cycle)
            self.all_is_there()
            self.free()
            self.soon(lambda: self.write(KEPT, 100), f"writing after cycle {cycle}")
        self.all_is_there()
        self.restart()
        self.all_is_there()
        self.server.stop()
        self.no_stray_file()

    def test_restart_without_a_free_block(self) -> None:
        """Reads go on over it, by whatever way the server ended; writes resume by themselves."""
        self.assertTrue(self.create(KEPT))
        self.fill(0)
        for kill in (False, True, False):
            self.disk.take_the_rest()
            self.restart(kill)
            self.all_is_there()
            self.until_refused([KEPT])
            self.all_is_there()
        self.disk.give_back()
        self.free()
        self.soon(lambda: self.write(KEPT, 100), "writing after the restarts")
        self.all_is_there()
        self.restart()
        self.all_is_there()
        self.server.stop()
        self.no_stray_file()

    @unittest.skipIf(SANITIZED, "sanitizers want to be loaded first")
    def test_planted_fault(self) -> None:
        """A server whose files stay where they are is seen to leave some over."""
        self.server.stop()
        self.server.env = preload("file_calls", {"FILE_CALLS_KEEPING": "1"})
        self.server.start()
        self.client = self.connect()
        self.assertTrue(self.create(KEPT))
        self.until_refused([KEPT])
        self.server.kill()
        with self.assertRaises(AssertionError):
            self.no_stray_file()

    def restart(self, kill: bool = False) -> None:
        if kill:
            self.server.kill()
        else:
            self.server.stop()
        self.server.start()
        self.client = self.connect()

    def create(self, name: bytes) -> bool:
        status = self.client.create(name)
        self.assertIn(status, (0, FULL))
        if status == 0:
            self.points[name] = []
        return status == 0

    def write(self, name: bytes, count: int) -> bool:
        """A batch. False when some of it was refused because the disk is full."""
        points = self.points[name]
        last = points[-1][0] if points else 0
        draw = self.random.getrandbits  # what no codec makes smaller
        stamps = list(itertools.accumulate((1 + draw(STEP_BITS) for _ in range(count)),
                                           initial=last))[1:]
        values = [draw(64) for _ in stamps]
        reply = self.client.request(raw.BATCH_APPEND, raw.batch_payload(name, stamps, values))
        if reply.opcode == raw.ERR:
            self.assertEqual(reply.status, FULL)
            return False
        accepted, refused = raw.parse_refused(reply.payload)
        self.assertEqual(accepted + len(refused), count)
        self.assertLessEqual({status for _, status in refused}, {FULL})
        rows = {row for row, _ in refused}
        points += [point for row, point in enumerate(zip(stamps, values)) if row not in rows]
        return not refused

    def fill(self, cycle: int) -> None:
        """Until the disk is full, which must not be soon."""
        names = [raw.label(f"c{cycle}.{number}") for number in range(SERIES)]
        for name in names:
            self.soon(functools.partial(self.create, name), f"creating series in cycle {cycle}")
        for _ in range(0, POINTS_MIN, BATCH):  # what was dropped makes room by and by
            self.soon(lambda: self.write(names[0], BATCH), f"writing in cycle {cycle}")
        self.until_refused(names)

    def until_refused(self, names: list[bytes]) -> None:
        written = 0
        while self.write(self.random.choice(names), BATCH):
            written += BATCH
            self.assertLess(written, POINTS_MAX, "the disk never was full")

    def soon(self, attempt: Callable[[], bool], what: str) -> None:
        """Writes resume by themselves: nobody tells the server that there is room again."""
        deadline = time.monotonic() + SECONDS_TO_RESUME * PATIENCE
        while not attempt():
            self.assertLess(time.monotonic(), deadline, f"{what} did not resume\n"
                            f"{self.disk.listing()}\n{self.server.log_text()[-3000:]}")
            time.sleep(0.05)

    def all_is_there(self) -> None:
        """Reads go on."""
        for name, points in self.points.items():
            self.assertEqual(self.client.query_range(name), points, name)

    def free(self) -> None:
        """Drops go on, and so do deletions. Some of the series stay for the next cycle."""
        names = [name for name in self.points if name != KEPT]
        way = self.random.choice((self.drop, self.delete))
        for name in names if self.random.random() < 0.3 else names[2:]:
            way(name)

    def drop(self, name: bytes) -> None:
        self.assertEqual(self.client.drop(name), 0)
        del self.points[name]

    def delete(self, name: bytes) -> None:
        payload = name + struct.pack(">qq", raw.I64_MIN, raw.I64_MAX)
        self.assertEqual(self.client.request(raw.DELETE_RANGE, payload).opcode, raw.OK)
        self.points[name] = []

    def no_stray_file(self) -> None:
        files = {str(path.relative_to(self.server.data_dir)): path.stat().st_size
                 for path in self.server.data_dir.rglob("*") if path.is_file()}
        left = [name for name in files if name.startswith(("unfinished", "quarantine"))
                or name.endswith(".tmp")]
        self.assertEqual(left, [])
        self.assertLess(len([name for name in files if name.startswith("manifests")]), 2, files)


class RestlessDiskFull(DiskFull):
    """The same with a server that flushes and compacts all the time."""

    binary = RESTLESS


def why_not() -> Optional[str]:
    try:
        SmallDisk().remove()
    except OSError as error:
        return str(error)
    return None


if __name__ == "__main__":
    if REASON := why_not():
        print(f"needs to mount a file system, which is not permitted here: {REASON}")
        sys.exit(77)
    unittest.main(verbosity=2)
