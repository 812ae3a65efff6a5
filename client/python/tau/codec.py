# SPDX-License-Identifier: MIT
"""The codec: payloads to values and back, driven by the tables of the specification.

A payload's value is a dictionary by field name. Integers are int, f64 is float, a status or an
enumeration is a member of its IntEnum (an int where it is open and the number is unknown), a type
of fixed bytes is bytes, text is str, a struct is its named tuple. An array of numbers is an
array.array, any other array a list. An optional field that is not there is None.

Fields of fixed size that follow each other are one block: it must be there as a whole before any
value in it is judged. This module knows no operation and no session.
"""

from __future__ import annotations

import enum
import functools
import struct
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, NoReturn, Optional, Union

from . import columns

Data = Union[bytes, bytearray, memoryview]
Values = dict[str, Any]


class Kind(enum.Enum):
    """How the bytes of a type are read."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOL = "bool"
    STATUS = "status"
    ENUM = "enum"
    BYTES = "bytes"
    STRUCT = "struct"
    TEXT = "text"
    BLOB = "blob"


class Shape(enum.Enum):
    """How a field lies in its payload."""

    FIXED = "fixed"
    OPTIONAL = "optional"
    SIZED = "sized"
    REST = "rest"
    COUNTED_ARRAY = "counted_array"
    REST_ARRAY = "rest_array"


class DecodeError(Exception):
    """Bytes that are not what they should be: the status that a peer would answer with, the number
    of the field (None for none), the offset, and what was expected there."""

    def __init__(self, status: str, field: Optional[int], offset: int, expected: str) -> None:
        super().__init__(f"{status} in field {field} at offset {offset}: expected {expected}")
        self.status = status
        self.field = field
        self.offset = offset
        self.expected = expected


class EncodeError(Exception):
    """A value that cannot be sent: the name of the field and what it must be."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field


@dataclass(frozen=True)
class Type:
    """A type of the wire. `code` is the struct module's code of one value; `values` names the
    numbers of a status or an enumeration; `make` builds a struct of its members."""

    name: str
    kind: Kind
    size: int = 0
    code: str = ""
    values: Optional[type[enum.IntEnum]] = None
    open: bool = False
    members: tuple["Type", ...] = ()
    make: Any = None

    @functools.cached_property
    def closed(self) -> tuple[tuple[int, "Type"], ...]:
        """The closed enumerations in a value, each at its offset."""
        found: list[tuple[int, Type]] = []
        offset = 0
        for part in self.members or (self,):
            if part.kind is Kind.ENUM and not part.open:
                found.append((offset, part))
            offset += part.size
        return tuple(found)


@dataclass(frozen=True)
class Field:
    """One field of a payload. Bounds are None where the type alone bounds the value.

    The payload may end in front of a `tail`: a feature that was not negotiated, or a field that was
    added later.
    """

    name: str
    type: Type
    shape: Shape = Shape.FIXED
    prefix: int = 0
    minimum: Optional[int] = None
    maximum: Optional[int] = None
    max_count: int = 0
    max_bytes: int = 0
    tail: str = ""
    count_field: str = ""
    counts: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The struct code of what the field has in its block."""
        if self.shape is Shape.OPTIONAL:
            return "B"
        if self.shape is Shape.SIZED:
            return {1: "B", 2: "H", 4: "I"}[self.prefix]
        return f"{self.type.size}s" if self.type.kind is Kind.STRUCT else self.type.code


class Block:
    """A run of fields of fixed size; only the last may be optional or stand for a length."""

    def __init__(self, first: int, fields: tuple[Field, ...]) -> None:
        self.first = first
        self.fields = fields
        self.struct = struct.Struct(">" + "".join(f.code for f in fields))
        self.sizes = [struct.calcsize(">" + f.code) for f in fields]
        self.tail = fields[0].tail


class Payload:
    """The layout of a payload."""

    def __init__(self, name: str, min_size: int, max_size: int, extensible: bool,
                 fields: tuple[Field, ...]) -> None:  # fmt: skip
        self.name = name
        self.min_size = min_size
        self.max_size = max_size
        self.extensible = extensible
        self.fields = fields
        self.by_name = {f.name: f for f in fields}
        self.steps = tuple(_steps(fields))
        self.open_end = extensible or (
            bool(fields) and fields[-1].shape in (Shape.REST, Shape.REST_ARRAY)
        )


def _steps(fields: tuple[Field, ...]) -> Iterator[Block]:
    """Blocks in order; a field of no fixed part is a block of its own."""
    run: list[Field] = []
    first = 0
    for number, field in enumerate(fields):
        plain = field.shape in (Shape.FIXED, Shape.OPTIONAL, Shape.SIZED)
        if run and (not plain or field.tail != run[0].tail):
            yield Block(first, tuple(run))
            run = []
        first = first if run else number
        run.append(field)
        if field.shape is not Shape.FIXED:
            yield Block(first, tuple(run)) if plain else _Tail(first, field)
            run = []
    if run:
        yield Block(first, tuple(run))


class _Tail(Block):
    """A field whose size is stated elsewhere, or by the end of the payload."""

    def __init__(self, first: int, field: Field) -> None:
        self.first = first
        self.fields = (field,)
        self.sizes = []
        self.tail = field.tail


# --- values of fixed types ----------------------------------------------------------------------


def _build(type_: Type, flat: Iterator[Any]) -> Any:
    """One value of what the struct module made of its bytes."""
    if type_.kind is Kind.STRUCT:
        return type_.make(*(_build(member, flat) for member in type_.members))
    value = next(flat)
    return named(type_, value) if type_.values is not None else value


def named(type_: Type, number: int) -> int:
    """A number as a member of its enumeration, where it is one."""
    assert type_.values is not None
    try:
        return type_.values(number)
    except ValueError:
        return number


def is_known(type_: Type, value: Any) -> bool:
    """Whether a value is one that its enumeration names."""
    return isinstance(named(type_, value), enum.IntEnum)


def choices(type_: Type) -> str:
    """What a value of an enumeration may be, in words."""
    assert type_.values is not None
    return f"one of {', '.join(v.name for v in type_.values)}"


def _read_many(type_: Type, data: memoryview) -> Any:
    """The elements of an array, which were judged."""
    if type_.kind in (Kind.INTEGER, Kind.FLOAT):
        return columns.unpack(type_.code, data)
    rows = struct.iter_unpack(">" + type_.code, data)
    if type_.kind is Kind.BYTES:
        return [row[0] for row in rows]
    if type_.values is not None:
        return [named(type_, row[0]) for row in rows]
    if all(member.values is None and not member.members for member in type_.members):
        return [type_.make(*row) for row in rows]
    return [_build(type_, iter(row)) for row in rows]


def _flatten(type_: Type, name: str, value: Any) -> Iterator[Any]:
    """What the struct module takes for one value."""
    if type_.kind is Kind.STRUCT:
        if isinstance(value, (str, bytes)) or len(value) != len(type_.members):
            raise EncodeError(name, f"a {type_.name} has {len(type_.members)} members")
        for member, part in zip(type_.members, value):
            yield from _flatten(member, name, part)
    elif type_.kind is Kind.BYTES:
        yield _padded(type_, name, value)
    elif type_.kind is Kind.BOOL:
        yield 1 if value else 0
    else:
        _judge_given(type_, name, value)
        yield value


def _judge_given(type_: Type, name: str, value: Any) -> None:
    if type_.kind is Kind.ENUM and not type_.open and not is_known(type_, value):
        raise EncodeError(name, choices(type_))


def _padded(type_: Type, name: str, value: Any) -> bytes:
    """A value of a type of fixed bytes."""
    raw = value.encode() if isinstance(value, str) else bytes(memoryview(value))
    if len(raw) > type_.size:
        raise EncodeError(name, f"at most {type_.size} bytes")
    return raw.ljust(type_.size, b"\0")


def _pack_rows(type_: Type, name: str, rows: Iterable[Any]) -> list[bytes]:
    """The elements of an array of structs that hold no structs."""
    pack = struct.Struct(">" + type_.code).pack
    padded = [(i, m) for i, m in enumerate(type_.members) if m.kind is Kind.BYTES]
    judged = [(i, m) for i, m in enumerate(type_.members) if m.kind is Kind.ENUM]
    found: list[bytes] = []
    try:
        for row in rows:
            parts = list(row)
            for place, member in padded:
                parts[place] = _padded(member, name, parts[place])
            for place, member in judged:
                _judge_given(member, name, parts[place])
            found.append(pack(*parts))
    except (struct.error, TypeError, ValueError, OverflowError, IndexError) as error:
        raise EncodeError(name, f"row {len(found)} is no {type_.name}: {error}") from None
    return found


def _pack(type_: Type, name: str, value: Any) -> bytes:
    try:
        return struct.pack(">" + type_.code, *_flatten(type_, name, value))
    except (struct.error, TypeError, ValueError, OverflowError) as error:
        raise EncodeError(name, f"not a {type_.name}: {error}") from None


# --- decoding -----------------------------------------------------------------------------------

_SHORT = "more bytes: the payload ends within this field"


class _Reader:
    """Decodes one payload."""

    def __init__(self, payload: Payload, data: Data) -> None:
        self.payload = payload
        self.data = memoryview(data)
        self.size = len(self.data)
        self.at = 0
        self.values: Values = {}

    def fail(self, field: Optional[int], offset: int, expected: str) -> NoReturn:
        raise DecodeError("invalid_payload", field, offset, expected)

    def run(self) -> Values:
        tail = ""
        for step in self.payload.steps:
            if step.tail != tail:
                if self.at == self.size:
                    self.values.update((f.name, None) for f in self.payload.fields[step.first :])
                    break
                tail = step.tail
            if isinstance(step, _Tail):
                self.tail(step.first, step.fields[0])
            else:
                self.block(step)
        if self.at != self.size and not self.payload.open_end:
            self.fail(None, self.at, "the end of the payload")
        return self.values

    def block(self, step: Block) -> None:
        start = self.at
        if self.size - start < step.struct.size:
            self.short(step)
        for place, value in enumerate(self.unpack(step)):
            field, number = step.fields[place], step.first + place
            if field.shape is Shape.FIXED:
                self.values[field.name] = self.judge(number, field, value, start)
                start += step.sizes[place]
            elif field.shape is Shape.OPTIONAL:
                self.optional(number, field, value, start)
            else:
                self.sized(number, field, value, start)

    def unpack(self, step: Block) -> tuple[Any, ...]:
        found = step.struct.unpack_from(self.data, self.at)
        self.at += step.struct.size
        return found

    def short(self, step: Block) -> NoReturn:
        """Names the first field of a block that is not whole."""
        left = self.size - self.at
        number = step.first
        for size in step.sizes:
            if left < size:
                break
            left -= size
            number += 1
        self.fail(number, self.size, _SHORT)

    def judge(self, number: int, field: Field, value: Any, where: int) -> Any:
        """A value of the struct module as one of the field, where it is legal."""
        type_ = field.type
        if type_.kind is Kind.BOOL:
            if value > 1:
                self.fail(number, where, "0 or 1")
            return value == 1
        if type_.values is not None:
            if not type_.open and not is_known(type_, value):
                self.fail(number, where, choices(type_))
            return named(type_, value)
        if type_.kind is Kind.STRUCT:
            self.elements(number, type_, value, where)
            return _build(type_, iter(struct.unpack(">" + type_.code, value)))
        if field.minimum is not None and value < field.minimum:
            self.fail(number, where, f"a number of at least {field.minimum}")
        if field.maximum is not None and value > field.maximum:
            self.fail(number, where, f"a number of at most {field.maximum}")
        return value

    def elements(self, number: int, type_: Type, data: Data, where: int) -> None:
        """Refuses the first value that a closed enumeration does not have."""
        if not type_.closed:
            return
        for start in range(0, len(data), type_.size):
            for offset, part in type_.closed:
                at = start + offset
                if not is_known(part, int.from_bytes(data[at : at + part.size], "big")):
                    self.fail(number, where + at, choices(part))

    def optional(self, number: int, field: Field, presence: int, where: int) -> None:
        self.values[field.name] = None
        if presence > 1:
            self.fail(number, where, "0 or 1, whether the value follows")
        if presence == 0:
            return
        size, start = field.type.size, self.at
        if self.size - start < size:
            self.fail(number, self.size, _SHORT)
        raw = bytes(self.data[start : start + size])
        value = raw if field.type.kind is Kind.STRUCT else (
            struct.unpack(">" + field.type.code, raw)[0]
        )  # fmt: skip
        self.values[field.name] = self.judge(number, field, value, start)
        self.at += size

    def sized(self, number: int, field: Field, size: int, where: int) -> None:
        if size > field.max_bytes:
            self.fail(number, where, f"at most {field.max_bytes} bytes")
        if self.size - self.at < size:
            self.fail(number, self.size, _SHORT)
        self.slice(number, field, size)

    def slice(self, number: int, field: Field, size: int) -> None:
        """Takes text or bytes."""
        raw = bytes(self.data[self.at : self.at + size])
        if field.type.kind is Kind.TEXT:
            try:
                self.values[field.name] = raw.decode()
            except UnicodeDecodeError as error:
                self.fail(number, self.at + error.start, "UTF-8")
        else:
            self.values[field.name] = raw
        self.at += size

    def tail(self, number: int, field: Field) -> None:
        left = self.size - self.at
        if field.shape is Shape.REST:
            if left > field.max_bytes:
                self.fail(number, self.at + field.max_bytes, f"at most {field.max_bytes} bytes")
            self.slice(number, field, left)
            return
        size = field.type.size
        if field.shape is Shape.COUNTED_ARRAY:
            taken = self.values[field.count_field] * size
            if left < taken:
                self.fail(number, self.size, _SHORT)
        else:
            taken = left
            if left // size > field.max_count:
                where = self.at + field.max_count * size
                self.fail(number, where, f"at most {field.max_count} elements")
            if left % size != 0:
                self.fail(number, self.size, _SHORT)
        part = self.data[self.at : self.at + taken]
        self.elements(number, field.type, part, self.at)
        self.values[field.name] = _read_many(field.type, part)
        self.at += taken


def decode(payload: Payload, data: Data) -> Values:
    """The value of a payload. Raises DecodeError, and nothing else whatever the bytes are."""
    return _Reader(payload, data).run()


# --- encoding -----------------------------------------------------------------------------------


def encode(payload: Payload, values: Mapping[str, Any]) -> bytes:
    """The bytes of a value. A field that counts arrays is taken from them and need not be given.
    Raises EncodeError, which names the field, where a value is of another type or out of bounds."""
    parts: list[bytes] = []
    counts: dict[str, int] = {}
    arrays: dict[str, bytes] = {}
    fields = list(_present(payload, values))
    for field in fields:
        if field.shape in (Shape.COUNTED_ARRAY, Shape.REST_ARRAY):
            count, arrays[field.name] = _encode_array(field, values[field.name])
            if field.count_field and counts.setdefault(field.count_field, count) != count:
                raise EncodeError(field.name, f"as many elements as the arrays before it, {count}")
    for field in fields:
        if field.name in arrays:
            parts.append(arrays[field.name])
        elif field.counts:
            parts.append(_encode_count(field, counts[field.name]))
        else:
            parts.append(_encode_field(field, values[field.name]))
    return b"".join(parts)


def _present(payload: Payload, values: Mapping[str, Any]) -> Iterator[Field]:
    """The fields up to the first tail of which nothing is given."""
    tail = ""
    for field in payload.fields:
        if field.tail != tail:
            tail = field.tail
            shown = [f for f in payload.fields if f.tail == tail and not f.counts]
            if all(values.get(f.name) is None for f in shown):
                return
        yield field


def _encode_array(field: Field, value: Any) -> tuple[int, bytes]:
    if field.type.kind in (Kind.INTEGER, Kind.FLOAT):
        try:
            count, raw = columns.pack(field.type.code, value)
        except (TypeError, ValueError, OverflowError) as error:
            raise EncodeError(field.name, f"not a column of {field.type.name}: {error}") from None
    else:
        if isinstance(value, (str, bytes, bytearray)):
            raise EncodeError(field.name, f"not a list of {field.type.name}")
        if any(member.members for member in field.type.members) or not field.type.members:
            elements = [_pack(field.type, field.name, item) for item in value]
        else:
            elements = _pack_rows(field.type, field.name, value)
        count, raw = len(elements), b"".join(elements)
    if count > field.max_count:
        raise EncodeError(field.name, f"at most {field.max_count} elements")
    return count, raw


def _encode_count(field: Field, count: int) -> bytes:
    if field.minimum is not None and count < field.minimum:
        raise EncodeError(field.counts[0], f"at least {field.minimum} elements")
    return _pack(field.type, field.name, count)


def _encode_field(field: Field, value: Any) -> bytes:
    if field.shape is Shape.OPTIONAL:
        return b"\0" if value is None else b"\1" + _encode_one(field, value)
    if field.shape is Shape.FIXED:
        return _encode_one(field, value)
    try:
        raw = value.encode() if isinstance(value, str) else bytes(memoryview(value))
        if field.type.kind is Kind.TEXT:
            raw.decode()
    except (TypeError, UnicodeError) as error:
        raise EncodeError(field.name, f"not {field.type.name}: {error}") from None
    if len(raw) > field.max_bytes:
        raise EncodeError(field.name, f"at most {field.max_bytes} bytes")
    return len(raw).to_bytes(field.prefix, "big") + raw if field.prefix else raw


def _encode_one(field: Field, value: Any) -> bytes:
    type_ = field.type
    raw = _pack(type_, field.name, value)
    low, high = field.minimum, field.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise EncodeError(field.name, f"a number from {low or 0} to {high}")
    return raw


# --- the header ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeaderLayout:
    """The frame header: where its fields are, what they must hold, and the status of each check."""

    size: int
    magic: bytes
    version: int
    opcodes: frozenset[int]
    opcode_at: int
    flags_at: int
    length_at: int
    max_length: int
    bad_magic: str
    bad_version: str
    bad_opcode: str
    bad_length: str


@dataclass(frozen=True)
class Header:
    """What a frame's header says."""

    opcode: int
    flags: int
    payload_length: int


def write_header(layout: HeaderLayout, header: Header) -> bytes:
    """The bytes of a header."""
    raw = bytearray(layout.size)
    raw[: len(layout.magic)] = layout.magic
    raw[len(layout.magic)] = layout.version
    raw[layout.opcode_at] = header.opcode
    raw[layout.flags_at] = header.flags
    raw[layout.length_at :] = header.payload_length.to_bytes(layout.size - layout.length_at, "big")
    return bytes(raw)


def read_header(layout: HeaderLayout, data: Data) -> Optional[Header]:
    """The header that the data begin with, or None while it is not whole. Raises DecodeError at the
    first byte with which no right header can go on."""
    raw = bytes(data[: layout.size])
    magic = layout.magic[: len(raw)]
    if raw[: len(magic)] != magic:
        raise DecodeError(layout.bad_magic, None, 0, f"the letters {layout.magic.decode()}")
    version_at = len(layout.magic)
    if len(raw) > version_at and raw[version_at] != layout.version:
        raise DecodeError(layout.bad_version, None, version_at, f"version {layout.version}")
    if len(raw) > layout.opcode_at and raw[layout.opcode_at] not in layout.opcodes:
        expected = "an opcode of the specification"
        raise DecodeError(layout.bad_opcode, None, layout.opcode_at, expected)
    digits = raw[layout.length_at :].ljust(layout.size - layout.length_at, b"\0")
    length = int.from_bytes(digits, "big")
    if length > layout.max_length:
        expected = f"a payload of at most {layout.max_length} bytes"
        raise DecodeError(layout.bad_length, None, layout.length_at, expected)
    if len(raw) < layout.size:
        return None
    return Header(raw[layout.opcode_at], raw[layout.flags_at], length)
