# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""taud check and taud repair on a directory with segments, of which one piece is damaged: check
says where and what is lost, and changes nothing; repair keeps what was damaged in quarantine, and
after it all is good; the server then has exactly the points that FORMAT.md still finds.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from make_directory import DIRECTORIES
from tau_files.directory import read_directory
from tau_server import BIN_DIR, Server, run_taud

ARCHIVE = DIRECTORIES / "store-1.tar.xz"
SEGMENT = "segments/0000000000000004-00000000.seg"
MANIFEST = "manifests/0000000000000005.man"
CATALOG = "catalogs/0000000000000002.cat"
GOOD, DAMAGED, FAILED = range(3)  # exit codes
FOOTER_BYTES = 104

Points = dict[int, dict[int, int]]  # by identity: timestamp to bits of the value


@dataclass(frozen=True)
class Damage:
    """Bytes of a file that are another, and what is said of it."""

    name: str
    file: str
    places: tuple[int, ...]  # from either end; none: the file is missing
    words: str
    loses: bool = False  # points, that FORMAT.md does not find either
    returns: bool = False  # what was deleted, since nothing says that it was
    renames: bool = False  # series whose labels are lost, and empty ones are gone


def index_place() -> int:
    """A byte of the index of the segment."""
    with tarfile.open(ARCHIVE) as tar:
        file = tar.extractfile(SEGMENT)
        assert file is not None
        data = file.read()
    (offset,) = struct.unpack_from("<Q", data, len(data) - FOOTER_BYTES + 40)
    return int(offset) + 30


def first_group() -> tuple[str, int]:
    """The first group of the log that is needed: its file, and a byte of it."""
    with tempfile.TemporaryDirectory() as place, tarfile.open(ARCHIVE) as tar:
        tar.extractall(place)
        directory = read_directory(Path(place))
    assert directory.manifest is not None
    flushed = directory.manifest.flush_position
    group = next(group for group in directory.log.groups if group.end_position > flushed)
    return f"log/{group.segment:016x}.log", group.offset + 60


LOG, GROUP = first_group()
DAMAGES = (
    Damage("a chunk", SEGMENT, (300,), "a chunk does not match", loses=True),
    Damage("an index", SEGMENT, (index_place(),), "index"),
    Damage("a header", SEGMENT, (20,), "header"),
    Damage("a footer", SEGMENT, (-60,), "footer|index"),
    Damage("a segment that is missing", SEGMENT, (), "missing", loses=True),
    Damage("one copy of the manifest", MANIFEST, (100,), "one of its two copies"),
    Damage("the manifest", MANIFEST, (100, 4196), "manifest", returns=True),
    Damage("an object of the catalog", CATALOG, (300,), "checksum", renames=True),
    Damage("the record of the directory", "catalog", (20,), "damaged"),
    Damage("a group of the log", LOG, (GROUP,), "log", loses=True),
)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*")
            if path.is_file()}


class Repair(unittest.TestCase):
    def unpack(self) -> Server:
        server = Server("--workers", "1")
        self.addCleanup(server.remove)
        with tarfile.open(ARCHIVE) as tar:
            tar.extractall(server.data_dir)
        return server

    def spoil(self, directory: Path, damage: Damage) -> list[bytes]:
        """Returns what stands around each place then."""
        path = directory / damage.file
        if not damage.places:
            path.unlink()
            return []
        data = bytearray(path.read_bytes())
        places = [place % len(data) for place in damage.places]
        for place in places:
            data[place] ^= 1
        path.write_bytes(data)
        return [bytes(data[place - 8:place + 8]) for place in places]

    def run_on(self, command: str, directory: Path) -> "subprocess.CompletedProcess[str]":
        return run_taud(command, "--format", "json", str(directory), seconds=60)

    def findings(self, command: str, directory: Path, code: int) -> list[dict[str, object]]:
        done = self.run_on(command, directory)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        found = json.loads(done.stdout)["findings"]
        assert isinstance(found, list)
        return found

    def text(self, directory: Path) -> Points:
        """What FORMAT.md finds."""
        return {identity: dict(series.values)
                for identity, series in read_directory(directory).state.series.items()}

    def served(self, server: Server) -> Points:
        with server.connect() as client:
            client.negotiate()
            return {client.describe(name).identity: dict(client.query_range(name))
                    for name in client.list_series(limit=1000)[1]}

    def test_without_damage(self) -> None:
        server = self.unpack()
        before = snapshot(server.data_dir)
        for command in ("check", "repair"):
            kinds = {finding["kind"] for finding in self.findings(command, server.data_dir, GOOD)}
            self.assertLessEqual(kinds, {"note"})
            self.assertEqual(snapshot(server.data_dir), before, "it was changed")

    def test_of_every_kind(self) -> None:
        for damage in DAMAGES:
            with self.subTest(damage.name):
                self.damage_and_repair(damage)

    def damage_and_repair(self, damage: Damage) -> None:
        server = self.unpack()
        directory = server.data_dir
        whole = self.text(directory)
        pieces = self.spoil(directory, damage)
        before = snapshot(directory)
        bad = [finding for finding in self.findings("check", directory, DAMAGED)
               if finding["kind"] != "note"]
        self.assertRegex(json.dumps(bad), damage.words)
        self.assertEqual(snapshot(directory), before, "check changed it")
        expected = self.expected(directory, damage, whole)
        self.findings("repair", directory, GOOD)
        self.findings("check", directory, GOOD)
        kept = snapshot(directory)
        for piece in pieces:
            self.assertTrue(any(piece in data for data in kept.values()), "what was there is gone")
        for _ in range(2):
            server.start()
            self.compare(self.served(server), expected, damage)
            server.kill()

    def expected(self, directory: Path, damage: Damage, whole: Points) -> Points:
        if not damage.loses:
            return whole
        left = self.text(directory)
        self.assertLess(sum(map(len, left.values())), sum(map(len, whole.values())))
        return left

    def compare(self, found: Points, expected: Points, damage: Damage) -> None:
        if damage.renames:
            expected = {identity: points for identity, points in expected.items() if points}
        self.assertLessEqual(set(expected), set(found))
        self.assertTrue(damage.renames or set(expected) == set(found))
        for identity, points in expected.items():
            self.assertLessEqual(points.items(), found[identity].items(), identity)
            if not damage.returns:
                self.assertEqual(found[identity], points, identity)

    def test_what_is_no_directory(self) -> None:
        for command in ("check", "repair"):
            done = self.run_on(command, Path("/nonexistent/taud"))
            self.assertEqual(done.returncode, FAILED, done.stdout + done.stderr)

    def test_while_a_server_runs(self) -> None:
        server = self.unpack()
        server.start()
        done = self.run_on("repair", server.data_dir)
        self.assertEqual(done.returncode, FAILED, done.stdout + done.stderr)


def why_not() -> Optional[str]:
    return None if (BIN_DIR / "taud").exists() else "runs where the server was built"


if __name__ == "__main__":
    if REASON := why_not():
        print(REASON)
        sys.exit(77)
    unittest.main()
