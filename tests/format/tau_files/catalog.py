# SPDX-License-Identifier: MIT
"""The catalog record, from where everything else is found, and objects of the catalog's changes."""

from __future__ import annotations

from dataclasses import dataclass

from tau_files.basics import Damaged, Later, crc32c, unpack
from tau_files.records import Record, read_records

MAGIC = b"TAUCAT\r\n"
HEADER_BYTES = 32
CONTENT_MAX = 4000


@dataclass(frozen=True)
class Catalog:
    number: int
    epoch: int
    known_position: int
    manifest: int  # 0 where there is none


def read_catalog(data: bytes) -> Catalog:
    version, zero, number, size, crc = unpack("IIQII", data, 8)
    content = data[HEADER_BYTES : HEADER_BYTES + size]
    if data[:8] != MAGIC:
        raise Damaged("not a catalog")
    if len(content) != size or crc != crc32c(data[:28] + content):
        raise Damaged("a size or a checksum")
    if version > 1:
        raise Later(f"a catalog of version {version}")
    if version != 1 or zero != 0 or size > CONTENT_MAX:
        raise Damaged("a catalog that is not laid out as one")
    version, zero, epoch, known_position = unpack("IIQQ", content)
    if version > 2:
        raise Later(f"a catalog with content of version {version}")
    if version < 1 or zero != 0 or size != (24, 32)[version - 1]:
        raise Damaged("a content that is not laid out as one")
    manifest = unpack("Q", content, 24)[0] if version == 2 else 0
    return Catalog(number, epoch, known_position, manifest)


# --- objects ------------------------------------------------------------------------------------

OBJECT_MAGIC = b"TAUCTL\r\n"
OBJECT_HEADER_BYTES = 32
BLOCK_MAX = 1 << 16


@dataclass(frozen=True)
class CatalogObject:
    records: tuple[Record, ...]
    damaged_blocks: int


def read_object(data: bytes, number: int) -> CatalogObject:
    version, crc, own, size = unpack("IIQQ", data, 8)
    head = data[:OBJECT_HEADER_BYTES]
    if head[:8] != OBJECT_MAGIC or crc != crc32c(head[:12] + head[16:]):
        raise Damaged("a magic or a checksum")
    if version > 1:
        raise Later(f"a catalog object of version {version}")
    if version != 1 or own != number or size != len(data) - OBJECT_HEADER_BYTES:
        raise Damaged("a header that is not laid out as one")
    at, records, damaged = OBJECT_HEADER_BYTES, [], 0
    while at < len(data):
        size, crc = unpack("II", data, at)
        block = data[at + 8 : at + 8 + size]
        if size == 0 or size % 8 != 0 or size > BLOCK_MAX or len(block) != size:
            damaged += 1
            break
        at += 8 + size
        if crc != crc32c(block):
            damaged += 1
            continue
        records += [record for _, record in read_records(block)]
    return CatalogObject(tuple(records), damaged)
