# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""Chunks that the server's encoder wrote are what FORMAT.md says they are: a reader that knows
nothing else gets the same points out of them, of every scheme; and damage is damage to it as well.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Iterator

from tau_files import chunk as chunk_reader
from tau_files.basics import Damaged, crc32c

BUILD = Path(os.environ.get("TAU_BUILD_DIR", "build/release"))
SAMPLES = 504
ALL_SCHEMES = (range(4), range(6))


def samples(count: int) -> Iterator[tuple[list[int], list[int], bytes]]:
    """Timestamps, bits of values, and the chunk that was made of them."""
    command = [str(BUILD / "tests" / "chunk_samples"), str(count)]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    at = 0
    while True:
        (points,) = struct.unpack_from("<I", data, at)
        if points == 0:
            break
        (size,) = struct.unpack_from("<I", data, at + 4)
        timestamps = list(struct.unpack_from(f"={points}q", data, at + 8))
        values = list(struct.unpack_from(f"={points}Q", data, at + 8 + points * 8))
        at += 8 + points * 16
        yield timestamps, values, data[at : at + size]
        at += size


class ChunkFormat(unittest.TestCase):
    def test_points_come_back(self) -> None:
        seen: tuple[set[int], set[int]] = (set(), set())
        for number, (timestamps, values, chunk) in enumerate(samples(SAMPLES)):
            with self.subTest(number=number, schemes=(chunk[6], chunk[7]), points=len(values)):
                read_timestamps, read_values = chunk_reader.read_chunk(chunk)
                self.assertEqual(read_timestamps, timestamps)
                self.assertEqual(read_values, values)
            seen[0].add(chunk[6])
            seen[1].add(chunk[7])
        for found, every in zip(seen, ALL_SCHEMES):
            self.assertEqual(found, set(every), "a scheme was not written")

    def test_damage_is_damage(self) -> None:
        dice = random.Random(1)
        for _, _, chunk in samples(60):
            place = dice.randrange(len(chunk))
            changed = bytearray(chunk)
            changed[place] ^= 1 << dice.randrange(8)
            for wrong in (bytes(changed), chunk[:place], chunk + b"\0"):
                with self.assertRaises(Damaged):
                    chunk_reader.read_chunk(wrong)

    def test_damage_under_a_good_checksum_ends(self) -> None:
        """Whatever stands there, reading it ends, with points or with Damaged."""
        dice = random.Random(2)
        for _, _, chunk in samples(60):
            changed = bytearray(chunk)
            for place in (dice.randrange(4, min(60, len(chunk))) for _ in range(3)):
                changed[place] = dice.randrange(256)
            changed[:4] = crc32c(bytes(changed[4:])).to_bytes(4, "little")
            try:
                timestamps, values = chunk_reader.read_chunk(bytes(changed))
            except Damaged:
                continue
            self.assertEqual(len(timestamps), len(values))


if __name__ == "__main__":
    if chunk_reader.ZSTD is None:
        print("runs where the library zstd can be loaded")
        sys.exit(77)
    unittest.main()
