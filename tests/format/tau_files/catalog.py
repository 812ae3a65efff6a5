# SPDX-License-Identifier: MIT
"""The catalog record: from where everything else is found."""

from __future__ import annotations

from dataclasses import dataclass

from tau_files.basics import Damaged, Later, crc32c, unpack

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
