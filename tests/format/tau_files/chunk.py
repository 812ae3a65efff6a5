# SPDX-License-Identifier: MIT
"""Reads chunks. Values are f64 bits as integers, so that NaN can be compared. zstd is taken from
the C library of that name, as Python brings none.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
from typing import Callable, Optional

from tau_files.basics import MASK, Cursor, Damaged, bit_string, crc32c, signed, unzigzag

POINTS_MAX = 1024
BYTES_MAX = 16402


# --- zstd --------------------------------------------------------------------------------------


def zstd_library() -> Optional[ctypes.CDLL]:
    name = ctypes.util.find_library("zstd")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                        ctypes.c_size_t]
    return library


ZSTD = zstd_library()


def unsqueeze(frame: bytes, size: int) -> bytes:
    if ZSTD is None:
        raise RuntimeError("there is no library zstd")
    out = ctypes.create_string_buffer(size)
    if ZSTD.ZSTD_decompress(out, size, frame, len(frame)) != size:
        raise Damaged("a frame of zstd")
    return out.raw


def join_planes(planes: bytes, count: int) -> list[int]:
    """The numbers whose lowest bytes come first, then all next ones."""
    size = len(planes) // count
    if size == 0:
        return [0] * count
    return [int.from_bytes(planes[i::count], "little") for i in range(count)]


# --- packed items and columns ------------------------------------------------------------------


def packed(cursor: Cursor, count: int, width: int) -> list[int]:
    rows = count // 64 * 8
    word = 4 if width <= 32 else 8
    lane_bytes = rows * width // 8
    words, rest = divmod(lane_bytes, word)
    lanes = [bytearray() for _ in range(8)]
    for _ in range(words):
        for lane in lanes:
            lane += cursor.take(word)
    for lane in lanes:
        lane += cursor.take(rest)
    items = [0] * (rows * 8)
    for number, lane in enumerate(lanes):
        items[number::8] = bit_string(bytes(lane), width, rows)
    tail = count - rows * 8
    return items + bit_string(cursor.take((tail * width + 7) // 8), width, tail)


def column(cursor: Cursor, count: int) -> list[int]:
    flags, width = cursor.number(1), cursor.number(1)
    if flags > 31 or width > 64:
        raise Damaged("a column of unknown form")
    base = unzigzag(cursor.variable())
    start = unzigzag(cursor.variable()) if flags & 1 else 0
    divisor, offset = (cursor.variable(), unzigzag(cursor.variable())) if flags & 2 else (1, 0)
    patches, patch_width = (cursor.number(1), cursor.number(1)) if flags & 4 else (0, 0)
    if flags & 8:
        low, size = cursor.number(1), cursor.number(2)
        if low >= width:
            raise Damaged("all bits are low")
        lows = packed(cursor, count, low)
        highs = join_planes(unsqueeze(cursor.take(size), (width - low + 7) // 8 * count), count)
        items = [high << low | rest for high, rest in zip(highs, lows)]
    else:
        items = packed(cursor, count, width)
    items = [base + item for item in items]
    string = cursor.take((patches * (10 + patch_width) + 7) // 8)
    last = -1
    for patch in bit_string(string, 10 + patch_width, patches):
        if not last < patch & 1023 < count:
            raise Damaged("a patch out of its order or behind the end")
        last = patch & 1023
        items[last] = base + unzigzag(patch >> 10)
    if flags & 1:
        total = 0
        for i, item in enumerate(items):
            total += item
            items[i] = start + (signed(total, 32) if flags & 16 else total)
    return [(offset + divisor * item) & MASK for item in items]


# --- timestamps --------------------------------------------------------------------------------


def even_steps(cursor: Cursor, count: int) -> list[int]:
    return [cursor.variable()] * (count - 1) if count > 1 else []


def runs_of_steps(cursor: Cursor, count: int) -> list[int]:
    runs = cursor.number(2)
    if not 0 < runs < count:
        raise Damaged("a wrong number of runs")
    lengths, steps = column(cursor, runs), column(cursor, runs)
    return [step for length, step in zip(lengths, steps) for _ in range(min(length, 1024) + 1)]


def column_of_steps(cursor: Cursor, count: int) -> list[int]:
    return column(cursor, count)[1:]


def read_timestamps(scheme: int, data: bytes, first: int, count: int) -> list[int]:
    cursor, timestamps = Cursor(data), [first]
    if scheme == 3:
        timestamps += [signed(number, 64) for number in cursor.numbers(8, count - 1)]
    elif scheme < 3:
        steps = (even_steps, runs_of_steps, column_of_steps)[scheme](cursor, count)
        for step in steps:
            timestamps.append(timestamps[-1] + step)
    else:
        raise Damaged("an unknown scheme of timestamps")
    cursor.end()
    rising = all(a < b for a, b in zip(timestamps, timestamps[1:]))
    if len(timestamps) != count or not rising or timestamps[-1] >= 1 << 63:
        raise Damaged("timestamps that do not ascend")
    return timestamps


# --- values ------------------------------------------------------------------------------------


def bits_of(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def positions(cursor: Cursor, exceptions: int, count: int) -> list[int]:
    places = cursor.numbers(2, exceptions)
    if any(a >= b for a, b in zip(places, [*places[1:], count])):
        raise Damaged("positions that do not ascend")
    return places


def raw_values(cursor: Cursor, count: int) -> list[int]:
    return cursor.numbers(8, count)


def constant_values(cursor: Cursor, count: int) -> list[int]:
    return [cursor.number(8)] * count


def decimals(cursor: Cursor, count: int) -> list[int]:
    exponent, factor, exceptions = cursor.number(1), cursor.number(1), cursor.number(2)
    if not factor <= exponent <= 18:
        raise Damaged("powers that there are not")
    up, down = float(f"1e{factor}"), float(f"1e-{exponent}")
    integers = (signed(item, 64) for item in column(cursor, count))
    values = [bits_of(float(item) * up * down) for item in integers]
    places = positions(cursor, exceptions, count)
    for place, bits in zip(places, cursor.numbers(8, exceptions)):
        values[place] = bits
    return values


def reals(cursor: Cursor, count: int) -> list[int]:
    width, entries = cursor.number(1), cursor.number(1)
    if not (48 <= width <= 63 and 1 <= entries <= 8):
        raise Damaged("a cut that there is not")
    dictionary = cursor.numbers(2, entries)
    exceptions = cursor.number(2)
    codes = packed(cursor, count, (entries - 1).bit_length())
    rights = packed(cursor, count, width)
    if any(code >= entries for code in codes):
        raise Damaged("an entry that there is not")
    lefts = [dictionary[code] for code in codes]
    places = positions(cursor, exceptions, count)
    for place, left in zip(places, cursor.numbers(2, exceptions)):
        lefts[place] = left
    return [left << width | right for left, right in zip(lefts, rights)]


def runs(cursor: Cursor, count: int) -> list[int]:
    number = cursor.number(2)
    if not 0 < number <= count:
        raise Damaged("a wrong number of runs")
    lengths, scheme = column(cursor, number), cursor.number(1)
    if scheme == 4:
        raise Damaged("runs of runs")
    values = read_values(scheme, cursor.rest(), number)
    return [value for length, value in zip(lengths, values) for _ in range(min(length, 1024) + 1)]


def squeezed(cursor: Cursor, count: int) -> list[int]:
    layout, data = cursor.number(1), unsqueeze(cursor.rest(), count * 8)
    if layout > 1:
        raise Damaged("an unknown layout")
    return join_planes(data, count) if layout else Cursor(data).numbers(8, count)


VALUES: tuple[Callable[[Cursor, int], list[int]], ...] = (
    raw_values, constant_values, decimals, reals, runs, squeezed)


def read_values(scheme: int, data: bytes, count: int) -> list[int]:
    if scheme >= len(VALUES):
        raise Damaged("an unknown scheme of values")
    cursor = Cursor(data)
    values = VALUES[scheme](cursor, count)
    cursor.end()
    if len(values) != count:
        raise Damaged("not one value for each point")
    return values


# --- chunks ------------------------------------------------------------------------------------


def read_chunk(data: bytes) -> tuple[list[int], list[int]]:
    """The timestamps, and the bits of the values."""
    cursor = Cursor(data)
    crc, count = cursor.number(4), cursor.number(2) + 1
    timestamps_scheme, values_scheme, size = cursor.number(1), cursor.number(1), cursor.number(2)
    first = signed(cursor.number(8), 64)
    if crc != crc32c(data[4:]) or count > POINTS_MAX:
        raise Damaged("a checksum or a count")
    timestamps = read_timestamps(timestamps_scheme, cursor.take(size), first, count)
    return timestamps, read_values(values_scheme, cursor.rest(), count)
