# SPDX-License-Identifier: MIT
"""A whole data directory: which files it has, what they say, and what its log makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, Optional, TypeVar

from tau_files.basics import Damaged
from tau_files.catalog import Catalog, CatalogObject, read_catalog, read_object
from tau_files.log import Log, read_log
from tau_files.manifest import Manifest, SegmentEntry, read_manifest
from tau_files.records import Point, State, read_records
from tau_files.segment import Entry, Segment, read_segment

LOG_NAME = re.compile(r"([0-9a-f]{16})\.log")
SPARE_NAME = re.compile(r"([0-9a-f]{16})\.spare")
MANIFEST_NAME = re.compile(r"([0-9a-f]{16})\.man")
CATALOG_NAME = re.compile(r"([0-9a-f]{16})\.cat")
SEGMENT_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{8})\.seg")

Content = TypeVar("Content")


@dataclass
class Directory:
    catalog: Optional[Catalog] = None
    manifests: dict[int, Manifest] = field(default_factory=dict)
    segments: dict[tuple[int, int], Segment] = field(default_factory=dict)  # sequence and level
    catalogs: dict[int, CatalogObject] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    spares: list[int] = field(default_factory=list)  # segments of the log that were trimmed
    state: State = field(default_factory=State)  # what is served
    faults: list[str] = field(default_factory=list)  # files that are damaged, and why

    @property
    def manifest(self) -> Optional[Manifest]:
        """The one that counts, where the catalog and what it names are whole."""
        return self.manifests.get(self.catalog.manifest) if self.catalog else None

    def take(self, path: Path, read: Callable[[bytes], Content]) -> Optional[Content]:
        try:
            return read(path.read_bytes())
        except Damaged as fault:
            self.faults.append(f"{path.parent.name}/{path.name}: {fault}")
            return None


def numbered(folder: Path, pattern: re.Pattern[str]) -> dict[tuple[int, ...], Path]:
    """The files of a folder whose names hold these numbers, in their order."""
    found: dict[tuple[int, ...], Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = pattern.fullmatch(path.name)
        if match:
            found[tuple(int(digits, 16) for digits in match.groups())] = path
    return dict(sorted(found.items()))


def read_objects(directory: Directory, root: Path) -> None:
    for (number,), path in numbered(root / "manifests", MANIFEST_NAME).items():
        manifest = directory.take(path, lambda data: read_manifest(data, number))
        if manifest is not None:
            directory.manifests[number] = manifest
    for (sequence, level), path in numbered(root / "segments", SEGMENT_NAME).items():
        segment = directory.take(path, lambda data: read_segment(data, sequence, level))
        if segment is not None:
            directory.segments[sequence, level] = segment
    for (number,), path in numbered(root / "catalogs", CATALOG_NAME).items():
        catalog = directory.take(path, lambda data: read_object(data, number))
        if catalog is not None:
            directory.catalogs[number] = catalog


def visible(manifest: Manifest, named: SegmentEntry, segment: Segment,
            entry: Entry) -> Iterator[Point]:
    """The points of a chunk that are not deleted; none of one that is damaged."""
    hidden = [t for t in manifest.tombstones
              if t.identity == entry.identity and named.last_sequence <= t.sequence]
    try:
        points = segment.points(entry)
    except Damaged:
        return
    for point in points:
        if not any(t.first <= point[0] <= t.last for t in hidden):
            yield point


def begin_state(directory: Directory, manifest: Manifest) -> None:
    """What the objects say: the catalog, and the points of its series."""
    state = directory.state
    for catalog in manifest.catalogs:
        if catalog.number in directory.catalogs:
            state.apply(directory.catalogs[catalog.number].records)
    for named in manifest.segments:
        segment = directory.segments.get((named.sequence, named.level))
        for entry in segment.entries if segment else ():
            if segment and entry.identity in state.series:
                points = visible(manifest, named, segment, entry)
                state.series[entry.identity].values.update(points)


def read_directory(root: Path) -> Directory:
    """Reads everything, and changes nothing. Raises Later where a later version wrote something."""
    directory = Directory()
    if (root / "catalog").exists():
        directory.catalog = directory.take(root / "catalog", read_catalog)
    read_objects(directory, root)
    known_position = directory.catalog.known_position if directory.catalog else 0
    flushed = directory.manifest.flush_position if directory.manifest else 0
    files = numbered(root / "log", LOG_NAME)
    directory.spares = [number for (number,) in numbered(root / "log", SPARE_NAME)]
    directory.log = read_log({number: path.read_bytes() for (number,), path in files.items()},
                             flushed, known_position)
    if directory.manifest is not None:
        begin_state(directory, directory.manifest)
    for group in directory.log.groups:
        directory.state.apply(record for end, record in read_records(group.content)
                              if group.position + end > flushed)
    return directory
