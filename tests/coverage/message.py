# SPDX-License-Identifier: MIT
"""Takes a payload apart by the published model, and says why one is not legal.

What the reading meets that somebody counts (values of enums, statuses, features, how near a bounded
field came to its bound) is gathered beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

from published import Field, Payload, Specification, Type

Bytes = Union[bytes, bytearray, memoryview]


class Broken(Exception):
    """The payload is not what the specification says. `beyond`: a bounded field goes too far."""

    def __init__(self, where: str, why: str, beyond: Union[tuple[str, int], None] = None) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.beyond = beyond


@dataclass
class Seen:
    """What stood in one payload."""

    numbers: dict[str, int] = field(default_factory=dict)
    enums: list[tuple[str, str, int]] = field(default_factory=list)  # field, type, value
    statuses: set[int] = field(default_factory=set)
    bounds: list[tuple[str, int]] = field(default_factory=list)  # bounded field and what it came to


class Reader:
    """Reads one payload from its front."""

    def __init__(self, specification: Specification, data: Bytes, seen: Seen) -> None:
        self.specification = specification
        self.data = data
        self.at = 0
        self.seen = seen

    def take(self, size: int, where: str) -> Bytes:
        if len(self.data) - self.at < size:
            raise Broken(where, f"{size} bytes at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size: int, where: str, signed: bool = False) -> int:
        return int.from_bytes(self.take(size, where), "big", signed=signed)

    def bounded(self, field: Field, value: int, most: int) -> None:
        if value > most:
            raise Broken(field.name, f"{value} is more than {most}", (field.name, value))
        self.seen.bounds.append((field.name, value))

    def value(self, type_: Type, where: str) -> None:
        """A value of a type of fixed size."""
        if type_.kind == "struct":
            self.elements(type_, 1, where)
        elif type_.kind in ("float", "bytes"):
            self.take(type_.size, where)
        else:
            number = self.number(type_.size, where, type_.signed)
            self.seen.numbers[where] = number
            self.judge(type_, number, where)

    def judge(self, type_: Type, number: int, where: str) -> None:
        if type_.kind == "bool" and number > 1:
            raise Broken(where, f"{number} is neither 0 nor 1")
        if type_.kind == "status":
            if number not in self.specification.status_names or number == 0:
                raise Broken(where, f"{number} is no status of a refusal")
            self.seen.statuses.add(number)
        if type_.kind == "enum":
            if number not in type_.values and not type_.open:
                raise Broken(where, f"{number} is no {type_.name}")
            self.seen.enums.append((where, type_.name, number))

    def elements(self, type_: Type, count: int, where: str) -> None:
        """Values in a row; only those, or members of theirs, that are not plain are looked at."""
        data = self.take(type_.size * count, where)
        types = self.specification.types
        parts = [(f"{where}.{name}", types[of], at) for name, of, at in type_.members]
        for name, of, offset in parts or [(where, type_, 0)]:
            if of.kind in ("bool", "status", "enum"):
                columns = [data[offset + place::type_.size] for place in range(of.size)]
                for number in set(zip(*columns)):
                    self.judge(of, int.from_bytes(bytes(number), "big"), name)

    def text(self, field: Field, data: Bytes) -> None:
        if field.type.kind != "text":
            return
        try:
            bytes(data).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Broken(field.name, f"not UTF-8: {error}") from None

    def field(self, field: Field) -> None:
        """One field, of whatever shape."""
        name, left = field.name, len(self.data) - self.at
        if field.shape == "fixed":
            self.value(field.type, name)
            value = self.seen.numbers.get(name, 0)
            if field.minimum is not None and value < field.minimum:
                raise Broken(name, f"{value} is less than {field.minimum}", (name, value))
            if field.maximum is not None:
                self.bounded(field, value, field.maximum)
        elif field.shape == "optional":
            there = self.number(1, name)
            if there > 1:
                raise Broken(name, f"{there} is neither 0 nor 1")
            if there:
                self.value(field.type, name)
        elif field.shape == "sized":
            size = self.number(field.prefix, name)
            self.bounded(field, size, field.max_bytes or 0)
            self.text(field, self.take(size, name))
        elif field.shape == "rest":
            self.text(field, self.take(left, name))
        elif field.shape == "counted_array":
            self.elements(field.type, self.seen.numbers[field.count_field or ""], name)
        elif field.shape == "rest_array":
            if left % field.type.size != 0:
                raise Broken(name, f"{left} bytes are no whole elements")
            self.bounded(field, left // field.type.size, field.max_count or 0)
            self.elements(field.type, left // field.type.size, name)
        else:
            raise NotImplementedError(f"a field of the shape {field.shape}")


def read_payload(specification: Specification, payload: Payload, data: Bytes,
                 features: frozenset[str] = frozenset(), more: bool = False) -> Seen:
    """What stands in a payload; raises Broken. `more`: bytes of a later version may follow."""
    seen = Seen()
    if not payload.min_size <= len(data) <= payload.max_size and not features and not more:
        raise Broken("length", f"{len(data)}, not {payload.min_size} to {payload.max_size}")
    if payload.plain:
        return seen
    reader = Reader(specification, data, seen)
    for part in payload.fields:
        if part.feature is not None and part.feature not in features:
            continue
        if part.since and payload.extensible and reader.at == len(data):
            break
        reader.field(part)
    if reader.at != len(data) and not (more and payload.extensible):
        raise Broken("end", f"{len(data) - reader.at} bytes too many")
    return seen
