# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""A server that is killed leaves a directory from which a reader that shares no line with it takes
what the clients were told is stored: points one by one, batches of even and uneven steps, rows of
several series, lenses, and what was dropped."""

from __future__ import annotations

import math
import subprocess
import sys
import unittest
from pathlib import Path

import tau_raw as raw
from tau_files.directory import Directory, read_directory
from tau_files.records import POLICIES, CreateLens, Point
from tau_server import BIN_DIR, PATIENCE, Server
from write_record import Record, World

READER = Path(__file__).resolve().parent / "tau_files"
FORMS = {(1, 0), (2, 0), (2, 1), (3, 0), (4, 0), (5, 0), (6, 0),
         (7, 0)}  # type and mode of records
VALUES = [20.5, -0.0, math.inf, 0x7FF8DEADBEEF0001, 1e-300]


def bits(value: float | int) -> int:
    return int.from_bytes(raw.bits(value), "big")


class Acknowledged:
    """A client, and what it was told is stored."""

    def __init__(self, server: Server) -> None:
        self.client = server.connect()
        self.series: dict[bytes, list[Point]] = {}
        self.lenses: dict[bytes, CreateLens] = {}

    def must(self, opcode: int, payload: bytes) -> None:
        reply = self.client.request(opcode, payload)
        assert reply.opcode == raw.OK, f"refused: {reply}"

    def create(self, text: str) -> bytes:
        name = raw.label(text)
        assert self.client.create(name) == 0
        self.series[name] = []
        return name

    def drop(self, name: bytes) -> None:
        assert self.client.drop(name) == 0
        del self.series[name]

    def append(self, name: bytes, timestamp: int, value: float | int) -> None:
        """A refused point is not stored."""
        if self.client.append(name, timestamp, value) == 0:
            self.series[name].append((timestamp, bits(value)))

    def batch(self, name: bytes, timestamps: list[int]) -> None:
        values = [VALUES[i % len(VALUES)] for i in range(len(timestamps))]
        accepted, refused = self.client.batch(name, timestamps, values)
        rows = {row for row, _ in refused}
        assert accepted == len(timestamps) - len(rows)
        self.series[name] += [(timestamp, bits(value)) for row, (timestamp, value)
                              in enumerate(zip(timestamps, values)) if row not in rows]

    def multi(self, names: list[bytes], timestamp: int) -> None:
        rows = [(name, timestamp + i, 1.5 * i) for i in range(9) for name in names]
        self.must(raw.MULTI_APPEND, raw.multi_payload(rows))
        for name, stamp, value in rows:
            self.series[name].append((stamp, bits(value)))

    def create_lens(self, text: str, source: bytes, transform: str) -> bytes:
        name = raw.label(text)
        self.must(raw.CREATE_LENS, name + source + raw.label(transform))
        self.lenses[name] = CreateLens(name, source, (transform,))
        return name

    def drop_lens(self, name: bytes) -> None:
        self.must(raw.DROP_LENS, name)
        del self.lenses[name]


class KilledServer(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server("--workers", "1").start()
        self.addCleanup(self.server.remove)

    def connect(self) -> Acknowledged:
        told = Acknowledged(self.server)
        self.addCleanup(told.client.close)
        return told

    def read(self) -> Directory:
        directory = read_directory(self.server.data_dir)
        self.assertEqual((directory.faults, directory.log.damage), ([], []))
        self.assertEqual(directory.state.passed_over, 0)
        return directory

    def compare(self, told: Acknowledged, directory: Directory) -> None:
        stored = {label: series.points for label, series in directory.state.by_label().items()}
        self.assertEqual(stored, told.series)
        self.assertEqual(directory.state.lenses, told.lenses)

    def write(self, told: Acknowledged, turn: int) -> None:
        base = turn * 1_000_000 - 500_000
        single, even, uneven, gone = (told.create(f"{kind}.{turn}")
                                      for kind in ("single", "even", "uneven", "gone"))
        for i in range(50):
            told.append(single, base + i * i, VALUES[i % len(VALUES)])
        told.append(single, base, 1.0)  # out of order
        told.batch(even, list(range(base, base + 7000, 7)))
        told.batch(even, [base, base + 7000, base + 7000, base + 7001])  # two of them are refused
        told.batch(uneven, [base + i * i * (i + 1) for i in range(600)])
        told.batch(gone, [raw.I64_MIN, 0, raw.I64_MAX])
        told.multi([single, uneven], base + 600**3)
        told.create_lens(f"kept.{turn}", even, "celsius_to_kelvin")
        told.drop_lens(told.create_lens(f"lost.{turn}", single, "returns"))
        told.drop(gone)
        told.create(f"gone.{turn}")  # another one of that label

    def test_what_was_acknowledged(self) -> None:
        told = self.connect()
        self.write(told, 0)
        self.server.kill()
        directory = self.read()
        self.compare(told, directory)
        forms = {(group.content[0], group.content[1]) for group in directory.log.groups}
        self.assertEqual(forms, FORMS, "a form of records was not written")

        self.server.start()
        again = self.connect()
        again.series, again.lenses = told.series, told.lenses
        self.write(again, 1)
        self.server.kill()
        directory = self.read()
        self.compare(again, directory)
        assert directory.catalog is not None
        self.assertEqual(directory.catalog.epoch, 2)
        self.assertGreater(directory.catalog.known_position, 0)

    def test_the_listing(self) -> None:
        told = self.connect()
        self.write(told, 0)
        self.server.kill()
        done = subprocess.run([sys.executable, str(READER), str(self.server.data_dir)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        even = told.series[raw.label("even.0")]
        for words in (f"even.0: {len(even)} points, {even[0][0]} to {even[-1][0]}",
                      "lens kept.0: even.0, celsius_to_kelvin", "epoch 1"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("lost.0", done.stdout)

    def test_under_load(self) -> None:
        """What was on the way may be there, in whole requests."""
        self.assertEqual(self.load(flushes=True).compare(self.world()), [])

    def test_a_lost_tail_is_missed(self) -> None:
        record = self.load(flushes=False)
        self.assertEqual(record.compare(self.world()), [])
        self.lose_the_tail()
        self.assertNotEqual(record.compare(self.world()), [])

    def load(self, flushes: bool) -> Record:
        """What many clients wrote until the server was killed."""
        record = Record(1)
        record.start(self.server.connect, flushes)
        record.wait_for(60, 60 * PATIENCE)
        self.server.kill()
        record.join()
        return record

    def world(self) -> World:
        state = read_directory(self.server.data_dir).state
        series = state.by_label()
        return World({label: dict(each.points) for label, each in series.items()},
                     set(state.lenses),
                     {label: POLICIES.index(each.order) for label, each in series.items()
                      if each.order != POLICIES[0]})

    def lose_the_tail(self) -> None:
        """A fault that the comparison must find."""
        path = max((self.server.data_dir / "log").iterdir(),
                   key=lambda path: len(path.read_bytes().rstrip(b"\0")))
        end = len(path.read_bytes().rstrip(b"\0"))
        with open(path, "r+b") as file:
            file.seek((end + 8192) // 2)
            file.write(bytes(end - file.tell()))

    def test_a_torn_end(self) -> None:
        told = self.connect()
        name = told.create("torn")
        for timestamp in range(20):
            told.append(name, timestamp, 1.0)
        self.server.kill()
        last = self.read().log.groups[-1]
        path = self.server.data_dir / "log" / f"{last.segment:016x}.log"
        with open(path, "r+b") as file:
            file.seek(last.end - 3)
            file.write(b"\1\2\3")
        directory = self.read()
        self.assertEqual(directory.log.cut_bytes, last.end - last.offset)
        del told.series[name][-1]
        self.compare(told, directory)


if __name__ == "__main__":
    if not (BIN_DIR / "taud").exists():
        print("runs where the server was built")
        sys.exit(77)
    unittest.main()
