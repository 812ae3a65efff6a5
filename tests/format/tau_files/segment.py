# SPDX-License-Identifier: MIT
"""Segments: header, records of chunks, index, footer; and what is left of a damaged one."""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass, field, replace
from typing import Iterable, Optional, Union

from tau_files.basics import (MASK, Cursor, Damaged, Later, bit_string, crc32c, signed, unpack,
                              unzigzag)
from tau_files.chunk import BYTES_MAX, POINTS_MAX, read_chunk
from tau_files.records import Point

HEADER_BYTES = 64
FOOTER_BYTES = 104
BLOCK_HEADER_BYTES = 18
BLOCK_CHUNKS = 1024


@dataclass(frozen=True)
class Ends:
    """What header and footer say alike."""

    level: int
    file_id: int
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True)
class Footer:
    ends: Ends
    index_offset: int
    chunks: int
    points: int
    series: int
    first_timestamp: int
    last_timestamp: int


@dataclass(frozen=True)
class Summary:
    """What is known of a chunk without reading it. The five values are bits."""

    first_timestamp: int
    last_timestamp: int
    count: int
    nan_count: int
    first: int
    last: int
    low: int
    high: int
    sum: int


@dataclass(frozen=True)
class Entry:
    identity: int
    offset: int  # of the record
    size: int
    summary: Summary


@dataclass
class Segment:
    ends: Ends
    footer: Optional[Footer]
    entries: list[Entry]
    rebuilt: bool = False  # of the records alone: index or footer is damaged
    header_damaged: bool = False
    damaged_places: int = 0  # found when it was rebuilt

    data: bytes = field(default=b"", repr=False)
    decoded: dict[int, list[Point]] = field(default_factory=dict, repr=False)  # by their offsets

    def points(self, entry: Entry) -> list[Point]:
        """The points of a chunk, held against what the index says of it."""
        if entry.offset in self.decoded:
            return self.decoded[entry.offset]
        identity, chunk, size = read_record(self.data, self.ends.file_id, entry.offset)
        points = read_points(chunk)
        if (identity, size) != (entry.identity, entry.size) or summarise(points) != entry.summary:
            raise Damaged("a chunk that is not the one of which the index tells")
        self.decoded[entry.offset] = points
        return points

    def damaged_chunks(self) -> list[Entry]:
        return [entry for entry in self.entries if not self.is_good(entry)]

    def is_good(self, entry: Entry) -> bool:
        try:
            self.points(entry)
        except Damaged:
            return False
        return True


# --- header and footer ----------------------------------------------------------------------------


def read_ends(data: bytes, magic: bytes) -> Ends:
    """The layout of the first 40 bytes and of the checksum is for ever."""
    if data[:8] != magic or crc32c(data[:-4]) != unpack("I", data, len(data) - 4)[0]:
        raise Damaged("a magic or a checksum")
    version, *fields = unpack("IIQQQ", data, 8)
    if version > 1:
        raise Later(f"a segment of version {version}")
    ends = Ends(*fields)
    if version != 1 or ends.last_sequence < ends.first_sequence:
        raise Damaged("a header or footer that is not laid out as one")
    return ends


def read_footer(data: bytes) -> Footer:
    foot = data[-FOOTER_BYTES:]
    if len(data) < HEADER_BYTES + FOOTER_BYTES:
        raise Damaged("it ends too early")
    footer = Footer(read_ends(foot, b"TAUEND\r\n"), *unpack("QQQQqq", foot, 40))
    if not HEADER_BYTES <= footer.index_offset <= len(data) - FOOTER_BYTES:
        raise Damaged("an index outside of the object")
    return footer


# --- records --------------------------------------------------------------------------------------


def read_record(data: bytes, file_id: int, offset: int) -> tuple[int, bytes, int]:
    """Identity, chunk, and size of the record."""
    cursor = Cursor(data)
    cursor.at = offset
    crc, identity, size = cursor.number(4), cursor.variable(), cursor.variable()
    if size > BYTES_MAX:
        raise Damaged("a chunk of more bytes than one has")
    chunk = cursor.take(size)
    place = struct.pack("<QQ", file_id, offset)
    if crc != crc32c(place + data[offset + 4 : cursor.at]):
        raise Damaged("the checksum of a record")
    return identity, chunk, cursor.at - offset


def read_points(chunk: bytes) -> list[Point]:
    return list(zip(*read_chunk(chunk)))


def float_of(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def bits_of(value: float) -> int:
    """Every NaN of a summary is the same to it."""
    value = math.nan if math.isnan(value) else value
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def sum_in_lanes(values: Iterable[float]) -> float:
    lanes = [0.0] * 8
    for i, value in enumerate(values):
        lanes[i % 8] += 0.0 if math.isnan(value) else value
    return (((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
            + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])))


def normalised(summary: Summary) -> Summary:
    """Without what is not told apart: one NaN from another, and as lowest and highest -0 from 0."""
    low, high = (bits_of(float_of(bits) + 0.0) for bits in (summary.low, summary.high))
    return replace(summary, low=low, high=high, sum=bits_of(float_of(summary.sum)))


def summarise(points: list[Point]) -> Summary:
    values = [float_of(bits) for _, bits in points]
    numbers = [value for value in values if not math.isnan(value)]
    low, high = (min(numbers), max(numbers)) if numbers else (math.nan, math.nan)
    return normalised(Summary(
        points[0][0], points[-1][0], len(points), len(values) - len(numbers), points[0][1],
        points[-1][1], bits_of(low), bits_of(high), bits_of(sum_in_lanes(values))))


# --- index ----------------------------------------------------------------------------------------


def read_integers(cursor: Cursor, count: int) -> list[int]:
    mode = cursor.number(1)
    if mode > 1:
        raise Damaged("a column of an unknown mode")
    first = unzigzag(cursor.variable()) if mode == 1 else 0
    base, divisor, width = unzigzag(cursor.variable()), cursor.variable(), cursor.number(1)
    items = count - mode
    if width > 64:
        raise Damaged("items of more than 64 bits")
    string = bit_string(cursor.take((items * width + 7) // 8), width, items)
    numbers = [base + item * divisor for item in string]
    if mode == 1:
        numbers = list(itertools.accumulate(numbers, initial=first))
    return [number & MASK for number in numbers]


def read_values(cursor: Cursor, count: int) -> list[int]:
    timestamps, values = read_chunk(cursor.take(cursor.variable()))
    if timestamps != list(range(count)):
        raise Damaged("a column of another number of values")
    return values


def read_block(data: bytes, file_id: int, number: int) -> tuple[list[Entry], int]:
    """A block of the index, and its size."""
    crc, size, offset, count = unpack("IIQH", data)
    if not BLOCK_HEADER_BYTES <= size <= len(data) or not 1 <= count <= BLOCK_CHUNKS:
        raise Damaged("a block of another size")
    if crc != crc32c(struct.pack("<QQ", file_id ^ MASK, number) + data[4:size]):
        raise Damaged("the checksum of a block")
    cursor = Cursor(data[:size])
    cursor.take(BLOCK_HEADER_BYTES)
    columns = [read_integers(cursor, count) for _ in range(7)]
    columns += [read_values(cursor, count) for _ in range(5)]
    cursor.end()
    entries = []
    for identity, gap, record, first, span, points, nans, *values in zip(*columns):
        offset += gap
        start = signed(first, 64)
        summary = Summary(start, start + span, points, nans, *values)
        entries.append(Entry(identity, offset, record, normalised(summary)))
        offset += record
    return entries, size


def check_order(entries: list[Entry], end: int) -> None:
    """Sorted by identity, of one identity by time; each behind the one before; none too large."""
    offset = HEADER_BYTES
    for entry in entries:
        if entry.offset < offset or not 1 <= entry.summary.count <= POINTS_MAX:
            raise Damaged("a record before another one's end, or without points")
        offset = entry.offset + entry.size
    for a, b in zip(entries, entries[1:]):
        same = a.identity == b.identity
        if b.identity < a.identity or (
                same and b.summary.first_timestamp <= a.summary.last_timestamp):
            raise Damaged("chunks out of their order")
    if offset > end:
        raise Damaged("records that reach into the index")


def read_index(data: bytes, footer: Footer) -> list[Entry]:
    at, end = footer.index_offset, len(data) - FOOTER_BYTES
    entries: list[Entry] = []
    while at < end:
        if len(entries) % BLOCK_CHUNKS != 0:
            raise Damaged("a block that is not full before another one")
        block, size = read_block(data[at:end], footer.ends.file_id, len(entries) // BLOCK_CHUNKS)
        entries += block
        at += size
    check_order(entries, footer.index_offset)
    counts = (len(entries), sum(entry.summary.count for entry in entries),
              len({entry.identity for entry in entries}))
    if counts != (footer.chunks, footer.points, footer.series):
        raise Damaged("counts that are not those of the footer")
    return entries


# --- without index --------------------------------------------------------------------------------


def read_entry(data: bytes, file_id: int, offset: int, before: Optional[Entry]) -> Optional[Entry]:
    """The record at this place, if it is good and in its order."""
    try:
        identity, chunk, size = read_record(data, file_id, offset)
        entry = Entry(identity, offset, size, summarise(read_points(chunk)))
        check_order([before, entry] if before else [entry], len(data))
    except Damaged:
        return None
    return entry


def begins_index(data: bytes, file_id: int, offset: int) -> bool:
    try:
        (size,) = unpack("I", data, offset + 4)
        read_block(data[offset : offset + size], file_id, 0)
    except Damaged:
        return False
    return True


def scan(data: bytes, file_id: int, end: int) -> tuple[list[Entry], int]:
    """All good records, and how many places between them are none."""
    entries: list[Entry] = []
    at, places, damaged = HEADER_BYTES, 0, False
    data = data[:end]
    while at < end:
        entry = read_entry(data, file_id, at, entries[-1] if entries else None)
        if entry is not None:
            entries.append(entry)
            at += entry.size
        elif begins_index(data, file_id, at):
            break
        else:
            places += not damaged
            at += 1
        damaged = entry is None
    return entries, places


# --- segments -------------------------------------------------------------------------------------


def attempt(data: bytes) -> Union[Ends, Damaged]:
    try:
        return read_ends(data[:HEADER_BYTES], b"TAUSEG\r\n")
    except Damaged as fault:
        return fault


def read_segment(data: bytes, sequence: int, level: int) -> Segment:
    """Reads header, footer and index; where the index or the footer is damaged, the records."""
    head = attempt(data)
    footer: Optional[Footer] = None
    try:
        footer = read_footer(data)
    except Damaged:
        if isinstance(head, Damaged):
            raise Damaged("neither a good header nor a good footer") from None
    ends = footer.ends if footer else head
    assert isinstance(ends, Ends)
    if (ends.first_sequence, ends.level) != (sequence, level):
        raise Damaged("it is another segment")
    segment = Segment(ends, footer, [], header_damaged=head != ends, data=data)
    try:
        if footer is None:
            raise Damaged("no footer")
        segment.entries = read_index(data, footer)
    except Damaged:
        segment.rebuilt = True
        end = footer.index_offset if footer else len(data)
        segment.entries, segment.damaged_places = scan(data, ends.file_id, end)
    return segment
