# SPDX-License-Identifier: MIT
# ctest: timeout=3600 serial
"""The power is cut on a real file system, under load: nothing acknowledged is lost.

taud writes to an ext4 file system on a loop device; at some instant no block gets to it any more
(lossy_disk.py); it is mounted again, taud recovers, and is compared with the client's own record
(write_record.py). Half of the servers find a file system without direct I/O, where it is fdatasync
that makes writes durable. One that skips it must be seen to lose what it acknowledged.

    TAU_TEST_CUTS=200     cuts (50)
    TAU_TEST_SEED=N       the random numbers, as a failed run printed them
"""

from __future__ import annotations

import os
import random
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

import lossy_disk
import tau_raw as raw
from tau_server import PATIENCE, RESTLESS, SANITIZED, TAUD, Server, ServerFailed, preload
from write_record import Record

CUTS = int(os.environ.get("TAU_TEST_CUTS", "5" if SANITIZED else "50"))
CUTS_OF_A_DISK = 25
CUTS_OF_A_MUTANT = 10  # of which one must be seen to lose something
SEED = int(os.environ.get("TAU_TEST_SEED", str(time.time_ns() % 1_000_000)))

# What is between taud and its files: nothing, one that can do less, and planted faults.
DIRECT: dict[str, str] = {}
CACHED = {"FILE_CALLS_CACHED": "1"}
UNSYNCED = {"FILE_CALLS_UNSYNCED": "1"}
MUTANTS = {
    "log written directly": (TAUD, {**UNSYNCED, "FILE_CALLS_VOLATILE": "1"}),
    "log written through the cache": (TAUD, {**UNSYNCED, **CACHED}),
    "objects": (RESTLESS, UNSYNCED),
}


class Machine:
    """A server on a disk, and the clients' record of it."""

    def __init__(self, seed: int) -> None:
        self.disk = lossy_disk.Disk()
        self.record = Record(seed)
        self.server = Server("--workers", "2", "--memory", "16M",
                             data_dir=self.disk.directory / "data")

    def remove(self) -> None:
        self.server.remove()
        self.disk.remove()

    def start(self, settings: dict[str, str], binary: Path = TAUD) -> list[str]:
        """Starts the server. Returns what is wrong with what it holds."""
        self.server.binary = binary
        self.server.env = preload("file_calls", settings) if settings else {}
        self.server.start()
        with self.server.connect(timeout=60) as client:
            return self.record.check(client)

    def cut(self, seconds: float, requests: int = 0) -> tuple[list[raw.Reply], list[raw.Reply]]:
        """Writes for a while, and so many requests of each stream, and cuts the power amid it.
        Returns the replies that told of it, and those of work that failed."""
        self.record.start(self.server.connect)
        time.sleep(seconds)
        self.record.wait_for(requests, 60 * PATIENCE)
        self.disk.cut()
        self.server.kill()
        self.record.join()
        self.disk.restart()
        return self.record.refusals(), self.record.failed_work()


class PowerCuts(unittest.TestCase):
    def test_nothing_is_lost(self) -> None:
        print(f"TAU_TEST_SEED={SEED}")
        began, requests, done = time.monotonic(), 0, 0
        ways: Counter[str] = Counter()
        while done < CUTS:
            machine, chance = self.machine(SEED + done), random.Random(SEED + done)
            for _ in range(min(CUTS - done, CUTS_OF_A_DISK)):
                cached = not SANITIZED and chance.random() < 0.5
                where = f"before cut {done + 1}"
                binary = RESTLESS if chance.random() < 0.7 else TAUD
                settings = CACHED if cached else DIRECT
                if violations := machine.start(settings, binary):
                    self.fail("\n".join([where, *violations, machine.server.log_text()[-4000:],
                                         f"the disk: {machine.disk.save_cut()}"]))
                self.expect_honest(*machine.cut(chance.uniform(0.002, 0.12)), where)
                ways["cached" if cached else "direct"] += 1
                done += 1
            self.assertEqual(machine.start(DIRECT), [])
            machine.server.stop()
            requests += machine.record.requests
        print(f"{done} cuts in {time.monotonic() - began:.0f} s: {dict(ways)}; "
              f"{requests} requests were acknowledged, and all are there")
        self.assertGreater(requests, done * 20, "the load was no load")

    def machine(self, seed: int) -> Machine:
        machine = Machine(seed)
        self.addCleanup(machine.remove)
        return machine

    def expect_honest(self, refusals: list[raw.Reply], failed_work: list[raw.Reply],
                      where: str) -> None:
        """What a server may say while its disk is gone."""
        statuses = {reply.status for reply in refusals}
        self.assertLessEqual(statuses, {raw.OUTCOME_UNKNOWN, raw.READ_ONLY}, where)
        statuses = {reply.status for reply in failed_work}
        self.assertLessEqual(statuses, {raw.INTERNAL_ERROR, raw.READ_ONLY}, where)

    @unittest.skipIf(SANITIZED, "sanitizers want to be loaded first")
    def test_planted_faults(self) -> None:
        """Without syncs, acknowledged writes are lost, whichever way they go to the disk."""
        for name, (binary, settings) in MUTANTS.items():
            with self.subTest(name):
                self.assertTrue(any(self.loses(binary, settings, SEED + cut)
                                    for cut in range(CUTS_OF_A_MUTANT)))

    def loses(self, binary: Path, settings: dict[str, str], seed: int) -> bool:
        machine = self.machine(seed)
        self.assertEqual(machine.start(settings, binary), [])
        machine.cut(0.1, requests=60)
        try:
            return any("lost" in words for words in machine.start(DIRECT))
        except ServerFailed:  # so much is missing that it does not start
            return True


if __name__ == "__main__":
    if REASON := lossy_disk.why_not():
        print(f"needs a file system on a loop device, which is not to be had here: {REASON}")
        sys.exit(77)
    unittest.main(verbosity=2)
