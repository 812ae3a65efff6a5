# SPDX-License-Identifier: MIT
"""Manifests: which segments and catalog objects are the stored data."""

from __future__ import annotations

from dataclasses import dataclass

from tau_files.basics import Damaged, Later, crc32c, unpack

MAGIC = b"TAUMAN\r\n"
HEADER_BYTES = 72
PAGE = 4096


@dataclass(frozen=True)
class SegmentEntry:
    sequence: int
    last_sequence: int
    level: int
    size: int
    chunks: int
    points: int
    first_timestamp: int
    last_timestamp: int


@dataclass(frozen=True)
class CatalogEntry:
    number: int
    size: int


@dataclass(frozen=True)
class Tombstone:
    identity: int
    first: int
    last: int  # included
    sequence: int


@dataclass(frozen=True)
class Manifest:
    number: int
    flush_position: int
    next_sequence: int
    next_catalog: int
    next_identity: int
    segments: tuple[SegmentEntry, ...]
    catalogs: tuple[CatalogEntry, ...]
    tombstones: tuple[Tombstone, ...]


def read_segments(data: bytes, at: int, count: int) -> tuple[SegmentEntry, ...]:
    entries: list[SegmentEntry] = []
    for offset in range(at, at + 64 * count, 64):
        sequence, last, level, zero = unpack("QQII", data, offset)
        size, chunks, points, first_timestamp, last_timestamp = unpack("QQQqq", data, offset + 24)
        if zero != 0 or last < sequence:
            raise Damaged("a segment that is not laid out as one")
        if entries and sequence <= entries[-1].last_sequence:
            raise Damaged("sequences that overlap")
        entries.append(SegmentEntry(sequence, last, level, size, chunks, points, first_timestamp,
                                    last_timestamp))
    return tuple(entries)


def read_catalogs(data: bytes, at: int, count: int) -> tuple[CatalogEntry, ...]:
    entries = tuple(CatalogEntry(*unpack("QQ", data, at + 16 * i)) for i in range(count))
    if any(a.number >= b.number for a, b in zip(entries, entries[1:])):
        raise Damaged("catalog objects that do not ascend")
    return entries


def read_copy(data: bytes) -> Manifest:
    version, zero = unpack("II", data, 8)
    if data[:8] != MAGIC or crc32c(data[:-4]) != unpack("I", data, len(data) - 4)[0]:
        raise Damaged("a magic or a checksum")
    if version > 1:
        raise Later(f"a manifest of version {version}")
    number, flushed, sequence, catalog, identity = unpack("QQQQQ", data, 16)
    segments, catalogs, tombstones, other_zero = unpack("IIII", data, 56)
    first_catalog = HEADER_BYTES + 64 * segments
    first_tombstone = first_catalog + 16 * catalogs
    end = first_tombstone + 32 * tombstones
    if version != 1 or zero != 0 or other_zero != 0 or number == 0:
        raise Damaged("a header that is not laid out as one")
    if end > len(data) - 4 or any(data[end:-4]):
        raise Damaged("counts that do not fit")
    found = tuple(Tombstone(*unpack("QqqQ", data, first_tombstone + 32 * i))
                  for i in range(tombstones))
    return Manifest(number, flushed, sequence, catalog, identity,
                    read_segments(data, HEADER_BYTES, segments),
                    read_catalogs(data, first_catalog, catalogs), found)


def read_manifest(data: bytes, number: int) -> Manifest:
    """Either copy is enough."""
    half = len(data) // 2
    if half == 0 or half % PAGE != 0 or len(data) % 2 != 0:
        raise Damaged("not two copies of whole pages")
    try:
        manifest = read_copy(data[:half])
    except Damaged:
        manifest = read_copy(data[half:])
    if manifest.number != number:
        raise Damaged(f"it is manifest {manifest.number}")
    return manifest
