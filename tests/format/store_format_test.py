# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""Segments, manifests and the catalog that the server's store wrote are what FORMAT.md says they
are; and what the server makes of a flipped bit is what the text makes of it: it is noticed, or
harmless."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Iterator

from tau_files import chunk
from tau_files.basics import Damaged
from tau_files.catalog import Catalog, read_catalog, read_object
from tau_files.directory import Directory, read_directory
from tau_files.log import read_header, read_log
from tau_files.manifest import CatalogEntry, SegmentEntry, Tombstone, read_manifest
from tau_files.records import CreateRollup, Point, RollupProgress
from tau_files.segment import Segment, read_segment

BUILD = Path(os.environ.get("TAU_BUILD_DIR", "build/release"))
READER = Path(__file__).resolve().parent / "tau_files"
MANIFEST = f"manifests/{1:016x}.man"
OPENED, REBUILT, REFUSED = range(3)
RULES_BYTES = 4 * 48 + 2 * 40 + 16


def run(name: str, argument: str) -> bytes:
    command = [str(BUILD / "tests" / name), argument]
    return subprocess.run(command, check=True, capture_output=True).stdout


def numbers(data: bytes, at: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"={count}Q", data, at)


def written_chunks(data: bytes) -> Iterator[tuple[int, int, list[Point]]]:
    """Sequence of the segment, identity, and points."""
    at = 0
    while True:
        sequence, identity, count = numbers(data, at, 3)
        if count == 0:
            break
        timestamps = struct.unpack_from(f"={count}q", data, at + 24)
        values = numbers(data, at + 24 + 8 * count, count)
        yield sequence, identity, list(zip(timestamps, values))
        at += 24 + 16 * count


class Store(unittest.TestCase):
    """A directory with segments, as the store writes it."""

    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory(prefix="taud-test-")
        self.addCleanup(place.cleanup)
        self.root = Path(place.name) / "data"
        self.written = list(written_chunks(run("store_samples", str(self.root))))

    def read(self) -> Directory:
        directory = read_directory(self.root)
        self.assertEqual(directory.faults, [])
        return directory

    def test_points_and_index(self) -> None:
        segments = self.read().segments
        self.assertEqual(list(segments), [(1, 0), (2, 1)])
        found = []
        for (sequence, _), segment in segments.items():
            self.assertFalse(segment.rebuilt or segment.header_damaged)
            found += [(sequence, entry.identity, segment.points(entry))
                      for entry in segment.entries]
        self.assertEqual(found, self.written)

    def test_records_alone_tell_the_same(self) -> None:
        path = self.root / "segments" / f"{1:016x}-{0:08x}.seg"
        data = path.read_bytes()
        whole = read_segment(data, 1, 0)
        assert whole.footer is not None
        changed = bytearray(data)
        changed[whole.footer.index_offset + 30] ^= 4
        for wrong in (bytes(changed), data[: whole.footer.index_offset], data[:-1]):
            rebuilt = read_segment(wrong, 1, 0)
            self.assertTrue(rebuilt.rebuilt)
            self.assertEqual(rebuilt.entries, whole.entries)

    def test_catalog_and_manifest(self) -> None:
        directory = self.read()
        self.assertEqual(directory.catalog, Catalog(1, 3, 4096, 1))
        manifest = directory.manifest
        assert manifest is not None
        self.assertEqual((manifest.flush_position, manifest.next_sequence, manifest.next_catalog),
                         (4096, 5, 2))
        self.assertEqual(manifest.catalogs, (CatalogEntry(1, 32 + 8 + 9 * 48 + 24 + RULES_BYTES),))
        self.assertEqual(manifest.tombstones, (Tombstone(6, -5, 2**63 - 1, 1),))
        self.assertEqual(manifest.segments,
                         tuple(map(self.entry_of, directory.segments.values())))

    def entry_of(self, segment: Segment) -> SegmentEntry:
        ends, points = segment.ends, [point for sequence, _, points in self.written
                                      if sequence == segment.ends.first_sequence
                                      for point in points]
        times = [timestamp for timestamp, _ in points]
        assert segment.footer is not None
        self.assertEqual((segment.footer.first_timestamp, segment.footer.last_timestamp),
                         (min(times), max(times)))
        return SegmentEntry(ends.first_sequence, ends.last_sequence, ends.level, len(segment.data),
                            len(segment.entries), len(points), min(times), max(times))

    def test_what_is_served(self) -> None:
        """The catalog, the points of its series, without those that are deleted."""
        series = self.read().state.series
        self.assertEqual([s.label.rstrip(b"\0") for s in series.values()],
                         [b"series.%d" % number for number in range(1, 10)])
        self.assertEqual((series[9].order, series[9].retention), ("last", 86400))
        for identity, found in series.items():
            points = dict(point for sequence, own, points in self.written for point in points
                          if own == identity and (own != 6 or sequence > 1 or point[0] < -5))
            self.assertEqual(found.values, points, identity)  # the newest of equal timestamps

    def test_rules(self) -> None:
        state = self.read().state
        self.assertEqual(state.rollups, {
            2: CreateRollup(2, 1, 120, -7, "stddev", 0.5),
            3: CreateRollup(3, 2, 180, -7, "stddev_population", 0.5),
            4: CreateRollup(4, 3, 240, -7, "quantile", 0.5)})
        self.assertEqual(state.progress, {3: RollupProgress(3, -187, (-(2**63), -1000)),
                                          4: RollupProgress(4, 233, None)})
        self.assertEqual(state.passed_over, 0)

    def test_every_bit_of_a_catalog_object_counts(self) -> None:
        data = (self.root / "catalogs" / f"{1:016x}.cat").read_bytes()
        whole = read_object(data, 1)
        self.assertEqual((len(whole.records), whole.damaged_blocks), (17, 0))
        for bit in range(len(data) * 8):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            if bit < 32 * 8:
                with self.assertRaises(Damaged):
                    read_object(bytes(changed), 1)
            else:
                self.assertGreater(read_object(bytes(changed), 1).damaged_blocks, 0)

    def test_one_copy_of_a_manifest_is_enough(self) -> None:
        data = (self.root / MANIFEST).read_bytes()
        whole, half = read_manifest(data, 1), len(data) // 2
        for bit in range(0, half * 8, 97):
            changed = bytearray(data)
            for copy in (0, half):
                changed[copy + bit // 8] ^= 1 << bit % 8
                if copy == 0:
                    self.assertEqual(read_manifest(bytes(changed), 1), whole)
            with self.assertRaises(Damaged):
                read_manifest(bytes(changed), 1)

    def test_every_bit_of_the_catalog_counts(self) -> None:
        data = (self.root / "catalog").read_bytes()
        for bit in range(len(data) * 8):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            with self.assertRaises(Damaged):
                read_catalog(bytes(changed))

    def listing(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, str(READER), str(self.root)], capture_output=True,
                              text=True, check=False)

    def test_the_listing(self) -> None:
        done = self.listing()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("catalog 1: epoch 3, known position 4096, manifest 1",
                      "manifest 1: flushed up to 4096, next sequence 5",
                      "deleted up to sequence 1: series 6",
                      "rule of series 3: stddev_population of series 2 over 180 ns from -7, "
                      "computed before -187 but for -9223372036854775808 to -1000",
                      "rule of series 4: quantile(0.5) of series 3 over 240 ns",
                      "segment 1 to 1, level 0", "1100 chunks, 3300 points, 1100 series"):
            self.assertIn(words, done.stdout)
        path = self.root / "segments" / f"{2:016x}-{1:08x}.seg"
        changed = bytearray(path.read_bytes())
        changed[200] ^= 1
        path.write_bytes(changed)
        done = self.listing()
        self.assertEqual(done.returncode, 1)
        self.assertIn("; 1 chunks damaged", done.stdout)


class FlippedBits(unittest.TestCase):
    """Every bit of a small segment and of a small log, read by the server and by this reader."""

    def files_and_verdicts(self, kind: str, fields: int) -> tuple[dict[int, bytes],
                                                                  list[tuple[int, ...]]]:
        data = run("damage_samples", kind)
        (count,), at, files = numbers(data, 0, 1), 8, {}
        for _ in range(count):
            number, size = numbers(data, at, 2)
            files[number] = data[at + 16 : at + 16 + size]
            at += 16 + size
        verdicts = [numbers(data, place, fields) for place in range(at, len(data) - 8, 8 * fields)]
        self.assertGreater(len(verdicts), 3000, "bits were left out")
        return files, verdicts

    def test_of_a_segment(self) -> None:
        files, verdicts = self.files_and_verdicts("segment", 4)
        data = files[7]
        whole = read_segment(data, 7, 1)
        points = [whole.points(entry) for entry in whole.entries]
        self.assertEqual(len(verdicts), len(data) * 8)
        for _, bit, verdict, good in verdicts:
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            with self.subTest(bit=bit):
                self.judge_segment(bytes(changed), points, verdict, good)

    def judge_segment(self, data: bytes, points: list[list[Point]], verdict: int,
                      good: int) -> None:
        segment = read_segment(data, 7, 1)
        read = [segment.points(entry) for entry in segment.entries if segment.is_good(entry)]
        self.assertEqual((REBUILT if segment.rebuilt else OPENED, len(read)), (verdict, good))
        self.assertTrue(all(chunk in points for chunk in read))
        self.assertTrue(segment.rebuilt or segment.header_damaged or len(read) < len(points),
                        "nobody noticed")

    def test_of_a_log(self) -> None:
        self.judge_log("log")

    def test_of_a_log_that_was_trimmed(self) -> None:
        self.judge_log("trimmed")

    def judge_log(self, kind: str) -> None:
        files, verdicts = self.files_and_verdicts(kind, 9)
        headers = [header for number, data in files.items()
                   if (header := read_header(data, number))]
        self.assertEqual([header.reused for header in headers], [False, kind == "trimmed"])
        base = headers[0].position
        whole = read_log(files, base)
        positions = [group.position for group in whole.groups]
        self.assertEqual((len(positions), whole.damage, whole.cut_bytes), (7, [], 0))
        self.assertEqual(len(read_log(files).damage), int(base > 0))
        for file, bit, other, begin, known_position, *found in verdicts:
            changed = bytearray(list(files.values())[file])
            for place in {bit, other}:
                changed[place // 8] ^= 1 << place % 8
            log = read_log({**files, list(files)[file]: bytes(changed)}, begin, known_position)
            groups = sum(1 << positions.index(group.position) for group in log.groups)
            needed = [group for group in whole.groups if group.end_position > begin]
            with self.subTest(file=file, bit=bit, other=other, begin=begin, known=known_position):
                self.assertEqual([groups, len(log.damage), log.end_position], found[:3])
                if not log.damage:
                    self.assertEqual(log.cut_bytes, found[3])
                noticed = log.damage or log.cut_bytes or log.groups == needed
                # where a segment is reused, nothing tells its torn end from what is left in it
                forgotten = headers[file].reused and log.groups == needed[:-1]
                self.assertTrue(noticed or forgotten, "nobody noticed")


if __name__ == "__main__":
    if chunk.ZSTD is None:
        print("runs where the library zstd can be loaded")
        sys.exit(77)
    unittest.main()
