# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""A log that a later version of taud wrote in part: records that are whole, and that this one does
not know. It must not start without them, must say which they are, and must leave them as they are.

Written from server/engine/FORMAT.md: the records are changed in place, under checksums that are
good.
"""

from __future__ import annotations

import struct
import unittest
from pathlib import Path

import tau_raw as raw
from tau_server import ServerFailed, Server

SERIES, LENS = raw.label("s"), raw.label("l")
GROUP = struct.Struct("<4sIQQQQQII")  # the header: magic, CRC, ..., size and CRC of the content
DROP_SERIES, CREATE_LENS = 4, 5
LAST_KNOWN_TYPE = 13


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Group:
    """The group of a segment whose content begins with a record of this type."""

    def __init__(self, path: Path, first_type: int) -> None:
        self.path = path
        data = path.read_bytes()
        self.offset = 0
        while True:
            self.offset = data.index(b"TGRP", self.offset + 1)
            fields = GROUP.unpack_from(data, self.offset)
            content = self.offset + GROUP.size
            if fields[3] == self.offset and data[content] == first_type:
                break
        self.content = data[content:content + fields[7]]

    def rewrite(self, at: int, value: int) -> None:
        """Changes one byte of the content and makes the checksums good again."""
        content = self.content[:at] + bytes([value]) + self.content[at + 1:]
        with open(self.path, "r+b") as file:
            file.seek(self.offset)
            fields = list(GROUP.unpack(file.read(GROUP.size)))
            fields[8] = crc32c(content)
            fields[1] = crc32c(GROUP.pack(*fields)[8:])
            file.seek(self.offset)
            file.write(GROUP.pack(*fields) + content)


class LaterLog(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server("--workers", "1").start()
        self.addCleanup(self.server.remove)
        with self.server.connect() as client:
            self.assertEqual(client.create(SERIES), 0)
            payload = LENS + SERIES + raw.label("returns")
            self.assertEqual(client.request(raw.CREATE_LENS, payload).status, 0)
            self.assertEqual(client.create(raw.label("old")), 0)
            self.assertEqual(client.request(raw.DROP_SERIES, raw.label("old")).status, 0)
        self.server.kill()
        self.segment = self.server.data_dir / "log" / f"{1:016x}.log"

    def refuse(self, group: Group, *words: str) -> None:
        """A start that must fail with one line, and leave the log untouched."""
        before = self.segment.read_bytes()
        seen = len(self.server.log_text())
        with self.assertRaises(ServerFailed):
            self.server.start()
        line = self.server.log_text()[seen:]
        self.assertEqual(line.count("\n"), 1, line)
        for word in (str(self.server.data_dir), f"log/{self.segment.name}",
                     f"offset {group.offset}:", "a later version wrote it", *words):
            self.assertIn(word, line)
        self.assertEqual(self.segment.read_bytes(), before)
        self.assertFalse((self.server.data_dir / "quarantine").exists())

    def serves_again(self) -> None:
        self.server.start()
        with self.server.connect() as client:
            client.negotiate()
            self.assertEqual(client.append(SERIES, 1, 1.0), 0)
            self.assertEqual(client.request(raw.LIST_LENSES, b"").payload, LENS)
        self.server.stop()

    def test_a_record_of_a_later_type(self) -> None:
        group = Group(self.segment, DROP_SERIES)
        for later in (0, LAST_KNOWN_TYPE + 1, 200):
            group.rewrite(0, later)
            self.refuse(group, f"record of type {later} at ", ", 0 bytes",
                        f"knows types 1 to {LAST_KNOWN_TYPE}")
        group.rewrite(0, DROP_SERIES)
        self.serves_again()

    def test_a_later_form_of_a_record(self) -> None:
        group = Group(self.segment, DROP_SERIES)
        group.rewrite(1, 1)  # its mode
        self.refuse(group, f"record of type {DROP_SERIES}", "is not as this server knows that type")
        group.rewrite(1, 0)
        self.serves_again()

    def test_a_later_transform(self) -> None:
        group = Group(self.segment, CREATE_LENS)
        transforms = 8 + 32 + 32
        returns = group.content[transforms]
        group.rewrite(transforms, 9)
        self.refuse(group, "a lens with a transform that this server does not have")
        group.rewrite(transforms, returns)
        self.serves_again()


if __name__ == "__main__":
    unittest.main(verbosity=2)
