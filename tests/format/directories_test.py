# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The present server opens the data directories of every earlier format, as those versions left
them (directories/, made by make_directory.py), and refuses one of a later format, which stays as it
is to the last byte.
"""

from __future__ import annotations

import json
import struct
import sys
import tarfile
import unittest
from dataclasses import dataclass
from pathlib import Path

import tau_raw as raw
from make_directory import DIRECTORIES, content
from tau_files.basics import crc32c
from tau_files.directory import Directory, read_directory
from tau_server import BIN_DIR, Server, ServerFailed

ARCHIVES = sorted(DIRECTORIES.glob("*.tar.xz"))


@dataclass(frozen=True)
class Head:
    """Where a piece of a file states its version, and the checksum that covers it."""

    version: int
    checksum: int
    end: int  # of what the checksum covers, but for itself; 0: all of the piece


# Which files there are, and the pieces that state the file's version: offsets from either end.
VERSIONS: dict[str, tuple[tuple[int, Head], ...]] = {
    "catalog": ((0, Head(8, 28, 0)), (0, Head(32, 28, 0))),
    "log/*.log": ((0, Head(8, 60, 60)), (4096, Head(8, 60, 60))),
    "manifests/*.man": ((0, Head(8, 4092, 4092)), (4096, Head(8, 4092, 4092))),
    "segments/*.seg": ((0, Head(8, 60, 60)), (-104, Head(8, 100, 100))),
    "catalogs/*.cat": ((0, Head(8, 12, 32)),),
}
# Where one of the pieces is enough for the server to know, all of them are changed at once.
TOGETHER = {"log/*.log", "manifests/*.man"}
STRICT = [raw.STRICT, 0]  # order policy and retention
OF_A_LOG = {"catalog", "log/*.log"}  # what there was before there were segments


def raise_version(data: bytearray, at: int, head: Head) -> None:
    """Makes the version one that is not known yet, under a checksum that is good."""
    version = at + head.version
    struct.pack_into("<I", data, version, struct.unpack_from("<I", data, version)[0] + 100)
    end = at + head.end if head.end else len(data)
    checksum = at + head.checksum
    covered = bytes(data[at:checksum]) + bytes(data[checksum + 4:end])
    struct.pack_into("<I", data, checksum, crc32c(covered))


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
            for path in directory.rglob("*")}


class Directories(unittest.TestCase):
    def unpack(self, archive: Path) -> Server:
        server = Server("--workers", "1")
        self.addCleanup(server.remove)
        with tarfile.open(archive) as tar:
            tar.extractall(server.data_dir)
        return server

    def test_there_are_some(self) -> None:
        names = [archive.name.removesuffix(".tar.xz") for archive in ARCHIVES]
        self.assertIn("log-1", names)
        self.assertIn("store-1", names)
        self.assertEqual([path.stem for path in sorted(DIRECTORIES.glob("*.json"))], names)

    def test_each_is_opened(self) -> None:
        for archive in ARCHIVES:
            with self.subTest(archive.name):
                expected = json.loads(archive.with_name(
                    archive.name.removesuffix(".tar.xz") + ".json").read_bytes())
                self.open_and_go_on(self.unpack(archive), expected)

    def open_and_go_on(self, server: Server, expected: dict[str, dict[str, object]]) -> None:
        server.start()
        self.compare(server, expected)
        self.write(server, expected)
        server.kill()
        server.start()
        self.compare(server, expected)
        server.restart()
        self.compare(server, expected)
        server.stop()
        self.assertFalse((server.data_dir / "quarantine").exists())

    def compare(self, server: Server, expected: dict[str, dict[str, object]]) -> None:
        with server.connect() as client:
            found = content(client)
        self.assertEqual(set(found["series"]), set(expected["series"]))
        for name, points in expected["series"].items():
            self.assertEqual(found["series"][name], points, bytes.fromhex(name))
        self.assertEqual(found["lenses"], expected["lenses"])
        self.assertEqual(found["policies"], expected.get("policies", found["policies"]))

    def test_the_text_tells_the_same(self) -> None:
        """By FORMAT.md alone."""
        for archive in ARCHIVES:
            with self.subTest(archive.name):
                expected = json.loads(archive.with_name(
                    archive.name.removesuffix(".tar.xz") + ".json").read_bytes())
                self.compare_text(read_directory(self.unpack(archive).data_dir), expected)

    def compare_text(self, directory: Directory, expected: dict[str, dict[str, object]]) -> None:
        self.assertEqual((directory.faults, directory.log.damage), ([], []))
        self.assertGreater(directory.log.cut_bytes, 0)
        series = directory.state.by_label()
        self.assertEqual({name.hex() for name in series}, set(expected["series"]))
        for name, found in series.items():
            points = [[timestamp, f"{bits:x}"] for timestamp, bits in sorted(found.values.items())]
            self.assertEqual(points, expected["series"][name.hex()], name)
        self.assertEqual({name.hex() for name in directory.state.lenses}, set(expected["lenses"]))

    def test_it_has_something_of_everything(self) -> None:
        manifest = read_directory(self.unpack(DIRECTORIES / "store-1.tar.xz").data_dir).manifest
        assert manifest is not None
        levels = {named.level for named in manifest.segments}
        self.assertEqual((levels, len(manifest.catalogs)), ({0, 1}, 2))
        self.assertTrue(manifest.tombstones)

    def write(self, server: Server, expected: dict[str, dict[str, object]]) -> None:
        """What was there is to be written to like all else."""
        with server.connect() as client:
            for name, points in expected["series"].items():
                assert isinstance(points, list)
                last = points[-1][0] if points else 0
                if expected.get("policies", {}).get(name, STRICT) == STRICT:
                    self.assertEqual(client.append(bytes.fromhex(name), last, 1.0),
                                     raw.OUT_OF_ORDER if points else 0)
                if points:
                    self.assertEqual(client.append(bytes.fromhex(name), last + 1, 1.0), 0)
                points.append([last + 1 if points else last, f"{0x3FF0000000000000:x}"])

    def test_a_wrong_value_is_seen(self) -> None:
        expected = json.loads((DIRECTORIES / "store-1.json").read_bytes())
        next(points for points in expected["series"].values() if points)[3][1] = "1234"
        server = self.unpack(DIRECTORIES / "store-1.tar.xz")
        server.start()
        with self.assertRaises(AssertionError):
            self.compare(server, expected)

    def test_later_formats_are_refused(self) -> None:
        for archive in ARCHIVES:
            for pattern, pieces in VERSIONS.items():
                if archive.name.startswith("log-") and pattern not in OF_A_LOG:
                    continue
                for part in [pieces] if pattern in TOGETHER else [(piece,) for piece in pieces]:
                    with self.subTest(archive=archive.name, file=pattern, pieces=part):
                        self.refuse(self.unpack(archive), pattern, part)

    def refuse(self, server: Server, pattern: str, pieces: tuple[tuple[int, Head], ...]) -> None:
        changed = [path for path in server.data_dir.glob(pattern) if self.is_used(path)]
        for path in changed:
            data = bytearray(path.read_bytes())
            for at, head in pieces:
                raise_version(data, at % len(data), head)
            path.write_bytes(data)
        self.assertTrue(changed)
        before = snapshot(server.data_dir)
        with self.assertRaises(ServerFailed):
            server.start()
        self.assertRegex(server.log_text(), r"later format than|of format \d+, this server knows")
        self.assertEqual(server.log_text().count("\n"), 1, server.log_text())
        self.assertEqual(snapshot(server.data_dir), before, "it was changed")

    def is_used(self, path: Path) -> bool:
        with open(path, "rb") as file:
            return any(file.read(64))


if __name__ == "__main__":
    if not (BIN_DIR / "taud").exists():
        print("runs where the server was built")
        sys.exit(77)
    unittest.main()
