# SPDX-License-Identifier: MIT
"""The records of the log, and the series, lenses and rules that they make when applied in order."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Iterable, Iterator, Optional, Union

from tau_files.basics import MASK, Damaged, Later, signed, unpack
from tau_files.chunk import read_chunk

HEADER_BYTES = 8
CHUNK_BYTES = range(18, 16_402 + 1)
POLICIES = ("strict", "reject", "last", "first", "min", "max", "sum")
FUNCTIONS = ("count", "sum", "min", "max", "mean", "first", "last", "stddev",
             "stddev_population", "quantile", "time_weighted_average", "rate", "increase")
TRANSFORMS = ("identity", "celsius_to_fahrenheit", "fahrenheit_to_celsius", "celsius_to_kelvin",
              "kelvin_to_celsius", "meters_to_feet", "feet_to_meters", "returns", "log_return")

Point = tuple[int, int]  # timestamp, bits of the value


@dataclass(frozen=True)
class Points:
    rows: tuple[tuple[int, int, int], ...]  # identity, timestamp, bits of the value


@dataclass(frozen=True)
class CreateSeries:
    identity: int
    label: bytes


@dataclass(frozen=True)
class DropSeries:
    identity: int


@dataclass(frozen=True)
class CreateLens:
    label: bytes
    source: bytes
    transforms: tuple[str, ...]


@dataclass(frozen=True)
class DropLens:
    label: bytes


@dataclass(frozen=True)
class DeleteRange:
    identity: int
    first: int
    last: int


@dataclass(frozen=True)
class SetPolicy:
    identity: int
    order: str
    retention: int


@dataclass(frozen=True)
class Newest:
    identity: int
    timestamp: int


@dataclass(frozen=True)
class CreateRollup:
    target: int
    source: int
    width: int
    origin: int
    function: str
    parameter: float


@dataclass(frozen=True)
class DropRollup:
    target: int


@dataclass(frozen=True)
class RollupProgress:
    target: int
    covered: int
    again: Optional[tuple[int, int]]  # what is to be computed again, both included


Record = Union[Points, CreateSeries, DropSeries, CreateLens, DropLens, DeleteRange, SetPolicy,
               Newest, CreateRollup, DropRollup, RollupProgress]

# --- reading ------------------------------------------------------------------------------------


def chunks_size(count: int, content: bytes, begin: int) -> int:
    """How many bytes an identity, chunks with their sizes, and zeros behind them take."""
    at = begin + 8
    for _ in range(count):
        size = int.from_bytes(content[at : at + 4], "little")
        if size not in CHUNK_BYTES:
            raise Later(f"a chunk of {size} bytes")
        at += 4 + size
    return at - begin + (begin - at) % 8


def body_size(kind: int, mode: int, count: int, content: bytes, begin: int) -> int:
    """How many bytes stand behind the header, where the body begins."""
    forms = {(3, 0): 40, (4, 0): 8, (6, 0): 32, (8, 0): 24, (10, 0): 16, (12, 0): 8}
    forms |= {(9, order): 16 for order in range(len(POLICIES))}
    forms |= {(11, function): 40 for function in range(len(FUNCTIONS))} | {(13, 0): 32, (13, 1): 32}
    if kind == 7 and mode <= 1 and count > 0:
        return chunks_size(count, content, begin)
    if (kind, mode) in forms and count == 0:
        return forms[kind, mode]
    if (kind, mode) == (5, 0) and 1 <= count <= 16:
        return 32 + 32 + 16
    if count > 0 and (kind, mode) in ((1, 0), (2, 0), (2, 1)):
        return {(1, 0): 24 * count, (2, 0): 8 + 16 * count, (2, 1): 24 + 8 * count}[kind, mode]
    raise Later(f"a record of type {kind}, mode {mode} and count {count}")


def read_columns(mode: int, count: int, body: bytes) -> Points:
    if mode == 1:
        identity, first, step = unpack("QQQ", body)
        timestamps = tuple(signed(first + i * step & MASK, 64) for i in range(count))
    else:
        (identity,), timestamps = unpack("Q", body), unpack(f"{count}q", body, 8)
    bits = unpack(f"{count}Q", body, len(body) - 8 * count)
    return Points(tuple((identity, t, b) for t, b in zip(timestamps, bits)))


def read_chunks(count: int, body: bytes) -> Points:
    (identity,), at = unpack("Q", body), 8
    rows: list[tuple[int, int, int]] = []
    for _ in range(count):
        (size,) = unpack("I", body, at)
        try:
            timestamps, bits = read_chunk(body[at + 4 : at + 4 + size])
        except Damaged as damage:
            raise Later(f"a chunk in a form that is not known: {damage}") from damage
        rows += [(identity, t, b) for t, b in zip(timestamps, bits)]
        at += 4 + size
    times = [timestamp for _, timestamp, _ in rows]
    if any(body[at:]) or any(after <= before for before, after in zip(times, times[1:])):
        raise Later("chunks in a form that is not known")
    return Points(tuple(rows))


def read_delete(body: bytes) -> DeleteRange:
    deleted = DeleteRange(unpack("Q", body)[0], *unpack("qq", body, 8))
    if deleted.first > deleted.last:
        raise Later("a deleted range that ends before it begins")
    return deleted


def read_lens(count: int, body: bytes) -> CreateLens:
    numbers, behind = body[64 : 64 + count], body[64 + count :]
    if any(number >= len(TRANSFORMS) for number in numbers) or any(behind):
        raise Later("a lens with a transform that is not known")
    return CreateLens(body[:32], body[32:64], tuple(TRANSFORMS[number] for number in numbers))


def read_rollup(mode: int, body: bytes) -> CreateRollup:
    target, source, width, origin, parameter = unpack("QQQqd", body)
    if width == 0 or (FUNCTIONS[mode] == "quantile" and not 0 <= parameter <= 1):
        raise Later("a rule that is not known")
    return CreateRollup(target, source, width, origin, FUNCTIONS[mode], parameter)


def read_progress(mode: int, body: bytes) -> RollupProgress:
    target, covered, first, last = unpack("Qqqq", body)
    if first > last or (mode == 0 and (first, last) != (0, 0)):
        raise Later("progress in a form that is not known")
    return RollupProgress(target, covered, (first, last) if mode == 1 else None)


def read_body(kind: int, mode: int, count: int, body: bytes) -> Record:
    if kind == 1:
        rows = ((identity, t, bits) for identity, t, bits in struct.iter_unpack("<QqQ", body))
        return Points(tuple(rows))
    if kind == 2:
        return read_columns(mode, count, body)
    if kind == 3:
        return CreateSeries(unpack("Q", body)[0], body[8:])
    if kind == 4:
        return DropSeries(unpack("Q", body)[0])
    if kind == 7:
        return read_chunks(count, body)
    if kind == 8:
        return read_delete(body)
    if kind == 9:
        identity, retention = unpack("QQ", body)
        return SetPolicy(identity, POLICIES[mode], retention)
    if kind == 10:
        return Newest(*unpack("Qq", body))
    if kind == 11:
        return read_rollup(mode, body)
    if kind == 12:
        return DropRollup(unpack("Q", body)[0])
    if kind == 13:
        return read_progress(mode, body)
    return read_lens(count, body) if kind == 5 else DropLens(body)


def read_records(content: bytes) -> Iterator[tuple[int, Record]]:
    """The records of a group, whose checksum is good, and where in it each ends."""
    at = 0
    while at < len(content):
        kind, mode, zero, count = unpack("BBHI", content, at)
        size = body_size(kind, mode, count, content, at + HEADER_BYTES)
        body = content[at + HEADER_BYTES : at + HEADER_BYTES + size]
        if zero != 0 or len(body) != size:
            raise Later(f"a record of type {kind} in a form that is not known")
        at += HEADER_BYTES + size
        yield at, read_body(kind, mode, count, body)


# --- applying -----------------------------------------------------------------------------------


@dataclass
class Series:
    label: bytes
    values: dict[int, int] = field(default_factory=dict)  # bits of values by their timestamps
    order: str = POLICIES[0]
    retention: int = 0
    newest: Optional[int] = None  # of points that were deleted, where they were the newest

    @property
    def points(self) -> list[Point]:
        return sorted(self.values.items())


@dataclass
class State:
    """What is stored, after the records that were applied."""

    series: dict[int, Series] = field(default_factory=dict)
    lenses: dict[bytes, CreateLens] = field(default_factory=dict)
    rollups: dict[int, CreateRollup] = field(default_factory=dict)  # by their targets
    progress: dict[int, RollupProgress] = field(default_factory=dict)
    records: int = 0
    passed_over: int = 0  # only behind damage

    def by_label(self) -> dict[bytes, Series]:
        return {series.label: series for series in self.series.values()}

    def create(self, record: CreateSeries) -> None:
        if record.identity in self.series:  # the catalog has it already
            return
        for identity, series in list(self.series.items()):
            if series.label == record.label and identity > record.identity:  # it came later
                self.passed_over += 1
                return
            if series.label == record.label:  # its drop is lost
                self.drop(identity)
        self.series[record.identity] = Series(record.label)

    def change(self, identity: int, record: Record, row: Point = (0, 0)) -> None:
        """A point of a record, a deleted range, a policy or the newest timestamp."""
        series = self.series.get(identity)
        if series is None:
            self.passed_over += 1
        elif isinstance(record, DeleteRange):
            for timestamp in [t for t in series.values if record.first <= t <= record.last]:
                del series.values[timestamp]
        elif isinstance(record, SetPolicy):
            series.order, series.retention = record.order, record.retention
        elif isinstance(record, Newest):
            series.newest = record.timestamp
        else:
            series.values[row[0]] = row[1]

    def drop(self, identity: int) -> None:
        self.passed_over += self.series.pop(identity, None) is None
        for target in [rule.target for rule in self.rollups.values()
                       if identity in (rule.target, rule.source)]:
            self.end_rule(target)

    def end_rule(self, target: int) -> None:
        self.passed_over += self.rollups.pop(target, None) is None
        self.progress.pop(target, None)

    def feeds(self, identity: int, other: int) -> bool:
        while identity != other and other in self.rollups:
            other = self.rollups[other].source
        return identity == other

    def keep(self, record: Union[CreateRollup, RollupProgress]) -> None:
        if isinstance(record, RollupProgress):
            if record.target in self.rollups:
                self.progress[record.target] = record
            else:
                self.passed_over += 1
        elif {record.target, record.source} <= self.series.keys():
            self.progress.pop(record.target, None)
            if record.target != record.source and self.feeds(record.target, record.source):
                self.end_rule(record.source)  # a drop is lost
            self.rollups[record.target] = record
        else:
            self.passed_over += 1

    def apply(self, records: Iterable[Record]) -> None:
        for record in records:
            self.records += 1
            if isinstance(record, Points):
                for identity, timestamp, bits in record.rows:
                    self.change(identity, record, (timestamp, bits))
            elif isinstance(record, (DeleteRange, SetPolicy, Newest)):
                self.change(record.identity, record)
            elif isinstance(record, CreateSeries):
                self.create(record)
            elif isinstance(record, CreateLens):
                self.lenses[record.label] = record
            elif isinstance(record, DropSeries):
                self.drop(record.identity)
            elif isinstance(record, (CreateRollup, RollupProgress)):
                self.keep(record)
            elif isinstance(record, DropRollup):
                self.end_rule(record.target)
            else:
                self.passed_over += self.lenses.pop(record.label, None) is None
