# SPDX-License-Identifier: MIT
"""What all files of a data directory are made of: checksums, numbers, and a cursor
that trusts nothing."""

from __future__ import annotations

import functools
import struct

MASK = (1 << 64) - 1


class Damaged(Exception):
    """What was read is not what FORMAT.md describes."""


class Later(Exception):
    """A later version wrote it: it is neither good nor damaged."""


# --- CRC-32C -----------------------------------------------------------------------------------


def crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def checksum(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


checksum_again = functools.lru_cache(maxsize=256)(checksum)


def crc32c(data: bytes) -> int:
    """Tests read the same small files many times."""
    return checksum_again(data) if len(data) <= 1 << 15 else checksum(data)


# --- small numbers -----------------------------------------------------------------------------


def unzigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


class Cursor:
    """What is left to read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise Damaged("it ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def variable(self) -> int:
        number = 0
        for place in range(10):
            byte = self.number(1)
            number |= (byte & 127) << (7 * place)
            if byte < 128:
                break
        else:
            raise Damaged("a number of more than ten bytes")
        if number > MASK:
            raise Damaged("a number of more than 64 bits")
        return number

    def numbers(self, size: int, count: int) -> list[int]:
        return [self.number(size) for _ in range(count)]

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        if self.at != len(self.data):
            raise Damaged("it goes on behind its end")


def bit_string(data: bytes, width: int, count: int) -> list[int]:
    whole, mask = int.from_bytes(data, "little"), (1 << width) - 1
    return [whole >> (i * width) & mask for i in range(count)]


def unpack(layout: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
    """Little-endian integers at a place; damaged where the data ends before them."""
    if offset + struct.calcsize("<" + layout) > len(data):
        raise Damaged("it ends too early")
    return struct.unpack_from("<" + layout, data, offset)
