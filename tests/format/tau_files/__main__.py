# SPDX-License-Identifier: MIT
"""Lists what a data directory holds. Ends with 0 when all of it is good, 1 when something is
damaged, 2 when it is no data directory or a later version wrote some of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

if not __package__:  # started by the name of the folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

# pylint: disable=wrong-import-position
from tau_files.basics import Later
from tau_files.directory import Directory, read_directory
from tau_files.manifest import Manifest
from tau_files.segment import Segment


def text_of(label: bytes) -> str:
    return label.rstrip(b"\0").decode(errors="backslashreplace")


def list_manifest(manifest: Manifest) -> Iterator[str]:
    yield (f"manifest {manifest.number}: flushed up to {manifest.flush_position}, next sequence "
           f"{manifest.next_sequence}, catalog object {manifest.next_catalog}, identity "
           f"{manifest.next_identity}")
    for entry in manifest.segments:
        yield (f"  segment {entry.sequence} to {entry.last_sequence}, level {entry.level}: "
               f"{entry.size} bytes, {entry.chunks} chunks, {entry.points} points")
    for catalog in manifest.catalogs:
        yield f"  catalog object {catalog.number}: {catalog.size} bytes"
    for tombstone in manifest.tombstones:
        yield (f"  deleted up to sequence {tombstone.sequence}: series {tombstone.identity}, "
               f"{tombstone.first} to {tombstone.last}")


def list_segment(segment: Segment, damaged: int) -> Iterator[str]:
    ends = segment.ends
    points = sum(entry.summary.count for entry in segment.entries)
    remarks = [remark for remark, said in (
        ("header damaged", segment.header_damaged), ("index or footer damaged", segment.rebuilt),
        (f"{damaged} chunks damaged", damaged > 0)) if said]
    yield (f"segment {ends.first_sequence} to {ends.last_sequence}, level {ends.level}: "
           f"{len(segment.data)} bytes, {len(segment.entries)} chunks, {points} points, "
           f"{len({entry.identity for entry in segment.entries})} series"
           + "".join(f"; {remark}" for remark in remarks))


def list_log(directory: Directory) -> Iterator[str]:
    log, state = directory.log, directory.state
    for header in log.segments:
        groups = sum(group.segment == header.number for group in log.groups)
        yield (f"log segment {header.number}: epoch {header.epoch}, from position "
               f"{header.position}, {groups} groups" + ", reused" * header.reused)
    for number in log.unused:
        yield f"log segment {number}: not used yet"
    for number in log.passed:
        yield f"log segment {number}: not needed any more"
    for number in directory.spares:
        yield f"log segment {number}: kept to be used again"
    for damage in log.damage:
        yield f"log segment {damage.segment}: damage at {damage.offset}, {damage.size} bytes"
    yield (f"log: up to position {log.end_position}, {state.records} records, {log.cut_bytes} "
           f"bytes behind its end, {state.passed_over} records or points passed over")


def list_state(directory: Directory) -> Iterator[str]:
    for identity, series in directory.state.series.items():
        points = series.points
        span = f", {points[0][0]} to {points[-1][0]}" if points else ""
        kept = f", kept for {series.retention} ns" if series.retention else ""
        yield (f"series {identity} {text_of(series.label)}: {len(points)} points{span}"
               f"{kept}{', order ' + series.order if series.order != 'strict' else ''}")
    for lens in directory.state.lenses.values():
        yield f"lens {text_of(lens.label)}: {text_of(lens.source)}, {', '.join(lens.transforms)}"
    for target, rule in directory.state.rollups.items():
        progress = directory.state.progress.get(target)
        again = progress.again if progress else None
        parameter = f"({rule.parameter:g})" if rule.function == "quantile" else ""
        yield (f"rule of series {target}: {rule.function}{parameter} of series {rule.source} over "
               f"{rule.width} ns from {rule.origin}"
               + (f", computed before {progress.covered}" if progress else "")
               + (f" but for {again[0]} to {again[1]}" if again else ""))


def list_directory(directory: Directory) -> tuple[list[str], bool]:
    """The lines, and whether all is good."""
    lines: list[str] = []
    good = not directory.faults and not directory.log.damage
    catalog = directory.catalog
    if catalog is not None:
        lines.append(f"catalog {catalog.number}: epoch {catalog.epoch}, known position "
                     f"{catalog.known_position}, manifest {catalog.manifest}")
    for manifest in directory.manifests.values():
        lines += list_manifest(manifest)
    for number, objects in directory.catalogs.items():
        lines.append(f"catalog object {number}: {len(objects.records)} records"
                     + f"; {objects.damaged_blocks} blocks damaged" * (objects.damaged_blocks > 0))
        good = good and objects.damaged_blocks == 0
    for segment in directory.segments.values():
        damaged = len(segment.damaged_chunks())
        good = good and not (damaged or segment.rebuilt or segment.header_damaged)
        lines += list_segment(segment, damaged)
    lines += [*list_log(directory), *list_state(directory)]
    return lines + [f"damaged: {fault}" for fault in directory.faults], good


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: tau_files DIR", file=sys.stderr)
        return 2
    try:
        lines, good = list_directory(read_directory(Path(arguments[0])))
    except Later as later:
        print(later, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
