# SPDX-License-Identifier: MIT
"""The log: the groups of its segments in order, where its torn end is, and what of it is damaged.
What lies before the flush position is stored elsewhere: it may be missing, or be anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional

from tau_files.basics import Damaged, Later, crc32c, unpack

MAGIC = b"TAULOG\r\n"
HEADER_BYTES = 8192
COPY_BYTES = 64
BLOCK = 4096
GROUP_MAGIC = b"TGRP"
GROUP_HEADER_BYTES = 56
CONTENT_MAX = 8 << 20


@dataclass(frozen=True)
class Header:
    number: int
    file_id: int
    epoch: int
    position: int
    size: int
    reused: bool  # behind the groups may stand what is left of an earlier use


@dataclass(frozen=True)
class Group:
    segment: int
    offset: int
    epoch: int
    position: int
    synced_position: int
    content: bytes

    @property
    def end(self) -> int:
        return self.offset + GROUP_HEADER_BYTES + len(self.content)

    @property
    def end_position(self) -> int:
        return self.position + len(self.content)


@dataclass(frozen=True)
class GroupHeader:
    file_id: int
    offset: int
    epoch: int
    position: int
    synced_position: int
    size: int
    content_crc: int


@dataclass(frozen=True)
class Damage:
    """Bytes that were durable once and are no groups; of size 0 where they are not even there."""

    segment: int
    offset: int
    size: int


@dataclass
class Log:
    """What reading the log found."""

    groups: list[Group] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    segments: list[Header] = field(default_factory=list)  # in use
    unused: list[int] = field(default_factory=list)  # prepared ahead
    passed: list[int] = field(default_factory=list)  # not needed any more
    end_position: int = 0
    cut_bytes: int = 0  # behind the torn end


def read_header(data: bytes, number: int) -> Optional[Header]:
    """None where the segment is not used yet."""
    copies = [data[at : at + COPY_BYTES].ljust(COPY_BYTES, b"\0") for at in (0, BLOCK)]
    for copy in copies:
        (crc,) = unpack("I", copy, 60)
        if copy[:8] != MAGIC or crc != crc32c(copy[:60]):
            continue
        version, first, own, file_id, epoch, position, size, reused = unpack("IIQQQQQI", copy, 8)
        if version > 1:
            raise Later(f"a segment of the log of version {version}")
        if version != 1 or first != HEADER_BYTES or reused > 1 or own != number:
            raise Damaged("the header of another segment")
        return Header(number, file_id, epoch, position, size, reused == 1)
    if any(map(any, copies)):
        raise Damaged("no good header")
    return None


class Reader:
    """Reads one segment after the other. `begin` is the flush position."""

    def __init__(self, begin: int, known_position: int) -> None:
        self.log = Log()
        self.begin = begin
        self.position = 0  # of the next group
        self.known_position = known_position
        self.epoch = 0
        self.data = b""
        self.header = Header(0, 0, 0, 0, 0, False)

    @property
    def reached(self) -> int:
        """All before it was read, or is not needed."""
        return max(self.position, self.begin)

    def header_at(self, offset: int) -> Optional[GroupHeader]:
        """The header of a group at this place, when it is good and of this use of the segment."""
        if offset + GROUP_HEADER_BYTES > len(self.data):
            return None
        magic, crc = self.data[offset : offset + 4], unpack("I", self.data, offset + 4)[0]
        if magic != GROUP_MAGIC or crc != crc32c(self.data[offset + 8 : offset + 56]):
            return None
        header = GroupHeader(*unpack("QQQQQII", self.data, offset + 8))
        if header.file_id != self.header.file_id or header.offset != offset:
            return None
        return header if header.size % 8 == 0 and 0 < header.size <= CONTENT_MAX else None

    def group_at(self, offset: int) -> Optional[Group]:
        """The group at this place, when it is good and may follow what was read."""
        header = self.header_at(offset)
        if header is None or header.epoch < self.epoch or header.position < self.position:
            return None
        content = self.data[offset + GROUP_HEADER_BYTES :][: header.size]
        if len(content) != header.size or header.content_crc != crc32c(content):
            return None
        return Group(self.header.number, offset, header.epoch, header.position,
                     header.synced_position, content)

    def following(self, offset: int) -> Optional[Group]:
        """The next group: here, or in the next block when its position is the one expected."""
        group = self.group_at(offset)
        if group is None:
            group = self.group_at((offset + BLOCK - 1) // BLOCK * BLOCK)
            if group is not None and group.position != self.position:
                return None
        return group

    def magics(self, offset: int) -> Iterator[int]:
        """Where a group may begin, from here on."""
        while (offset := self.data.find(GROUP_MAGIC, offset)) >= 0:
            if offset % 8 == 0:
                yield offset
            offset += 1

    def later_groups(self, offset: int) -> Iterator[Group]:
        end = offset
        for place in self.magics(offset):
            group = self.group_at(place) if place >= end else None
            if group is not None:
                end = group.end
                yield group

    def resume(self, offset: int, another: Optional[Header]) -> Optional[Group]:
        """Where reading goes on behind damage; None where the groups of this segment end."""
        later = list(self.later_groups(offset))
        proved = another is not None or self.known_position > self.reached
        if later and (proved or later[0].position <= self.begin
                      or any(group.synced_position > self.reached for group in later)):
            return later[0]
        return None

    def take(self, group: Group) -> None:
        self.position = group.end_position
        self.epoch = group.epoch
        if group.end_position > self.begin:
            self.log.groups.append(group)

    def read_groups(self, another: Optional[Header]) -> int:
        """Reads all groups of a segment, with `another` behind it. Returns where they end."""
        offset = HEADER_BYTES
        while True:
            group = self.following(offset)
            if group is None:
                group = self.resume(offset, another)
                if group is None:
                    return offset
                if group.position > self.begin:
                    self.damaged(offset, group.offset - offset)
            elif group.position > self.reached:
                self.damaged(offset, 0)
            self.take(group)
            offset = group.end

    def lost_headers(self) -> None:
        """A segment is in use: those before it that seem to be unused have lost their headers."""
        for number in self.log.unused:
            self.log.damage.append(Damage(number, 0, 0))
        self.log.unused.clear()

    def damaged(self, offset: int, size: int) -> None:
        self.log.damage.append(Damage(self.header.number, offset, size))

    def lost_beginning(self, position: int) -> None:
        """The log is not there from its beginning on, and nothing that is there says why."""
        if position > self.begin and not self.log.damage:
            self.log.damage.append(Damage(0, 0, 0))

    def remains(self, end: int) -> int:
        """How many bytes behind the last group were written since the segment is in use."""
        if not self.header.reused:
            return max(0, len(self.data.rstrip(b"\0")) - end)
        headers = ((at, self.header_at(at)) for at in self.magics(end))
        ends = [at + GROUP_HEADER_BYTES + header.size for at, header in headers if header]
        return min(max([end, *ends]), len(self.data)) - end

    def read_segment(self, header: Header, data: bytes, another: Optional[Header]) -> None:
        self.header, self.data = header, data
        if not self.log.segments:
            self.lost_beginning(header.position)
        self.log.segments.append(header)
        self.epoch = max(self.epoch, header.epoch)
        self.position = max(self.position, header.position)
        end = self.read_groups(another)
        durable = another.position if another else self.known_position
        if durable > self.reached:
            self.damaged(end, max(0, len(data.rstrip(b"\0")) - end))
        elif another is None:
            self.log.cut_bytes += self.remains(end)


def not_needed(headers: list[tuple[int, Optional[Header]]], begin: int) -> int:
    """How many of the first segments stand before one that begins at or before this position."""
    places = [place for place, (_, header) in enumerate(headers)
              if header is not None and header.position <= begin]
    return places[-1] if places else 0


def read_log(segments: dict[int, bytes], begin: int = 0, known_position: int = 0) -> Log:
    """Reads segments, by their numbers. What is before `begin` is in objects, and passed over; the
    log is known to have been durable up to `known_position`."""
    reader = Reader(begin, known_position)
    headers: list[tuple[int, Optional[Header]]] = []
    broken: set[int] = set()
    for number in sorted(segments):
        try:
            headers.append((number, read_header(segments[number], number)))
        except Damaged:
            headers.append((number, None))
            broken.add(number)
    first = not_needed(headers, begin)
    reader.log.passed = [number for number, _ in headers[:first]]
    good = [header for _, header in headers[first:] if header is not None]
    for number, header in headers[first:]:
        if number in broken:
            reader.log.damage.append(Damage(number, 0, len(segments[number])))
        elif header is None:
            reader.log.unused.append(number)
        else:
            reader.lost_headers()
            another = next((later for later in good if later.number > number), None)
            reader.read_segment(header, segments[number], another)
    if not good:
        reader.lost_beginning(known_position)
    reader.log.end_position = max(reader.reached, known_position)
    return reader.log
