# SPDX-License-Identifier: MIT
"""Values of payloads as Python objects, their bytes, and how they are written as JSON.

This is the codec of the published examples and golden vectors. It is written from the model and
shares nothing with the generated C.

A payload's value is a dictionary by field name. Integers are int, f64 is float or the 64 bits as
int, bool is bool, an enumeration and a status are a name or a number, bytes types are bytes, text
is str, structs are dictionaries, arrays lists. An optional field that is not there is None.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .model import Field, Model, Payload, Shape, Type, TypeKind

Value = dict[str, Any]

LONG_ARRAY = 16  # arrays above this are written as their number of elements
LONG_BYTES = 64  # and bytes above this as their number of bytes


@dataclass(frozen=True)
class Span:
    """The bytes of one field in an encoded payload."""

    field: Field
    start: int
    end: int


@dataclass(frozen=True)
class Repeat:
    """An array of equal elements, or equal bytes, that would be long to write."""

    item: Any
    times: int


def f64_bits(value: float | int) -> int:
    """The bits of an f64; an integer stands for its own bits."""
    if isinstance(value, int):
        return value
    return int(struct.unpack(">Q", struct.pack(">d", value))[0])


class Codec:
    """Encodes and writes values of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def one(self, type_: Type, value: Any) -> bytes:
        """The bytes of one value of a fixed type."""
        if type_.kind is TypeKind.STRUCT:
            return b"".join(self.one(m.type, value[m.name]) for m in type_.members)
        if type_.kind is TypeKind.BYTES:
            return bytes(value).ljust(type_.size, b"\0")
        if type_.kind is TypeKind.FLOAT:
            return f64_bits(value).to_bytes(8, "big")
        return self.number(type_, value).to_bytes(type_.size, "big", signed=type_.signed)

    def number(self, type_: Type, value: Any) -> int:
        """The number of an integer, a bool, an enumeration's value or a status."""
        if type_.kind is TypeKind.ENUM and isinstance(value, str):
            return next(v.value for v in type_.values if v.name == value)
        if type_.kind is TypeKind.STATUS and isinstance(value, str):
            return self.model.status(value).code
        return int(value)

    def field(self, field: Field, value: Any) -> bytes:
        if field.shape is Shape.OPTIONAL:
            return b"\0" if value is None else b"\1" + self.one(field.type, value)
        if field.is_slice:
            if isinstance(value, Repeat):
                value = bytes(value.item) * value.times
            raw = value.encode() if isinstance(value, str) else bytes(value)
            return len(raw).to_bytes(field.prefix, "big") + raw if field.prefix else raw
        if field.is_array:
            if isinstance(value, Repeat):
                return self.one(field.type, value.item) * value.times
            return b"".join(self.one(field.type, item) for item in value)
        return self.one(field.type, value)

    def encode(self, payload: Payload, value: Value) -> tuple[bytes, list[Span]]:
        """The bytes of a payload and where its fields lie in them."""
        raw = b""
        spans: list[Span] = []
        for field in payload.fields:
            if field.tail and value.get(field.name) is None:
                break
            part = self.field(field, value[field.name])
            spans.append(Span(field, len(raw), len(raw) + len(part)))
            raw += part
        return raw, spans

    def header(self, opcode: int, length: int, flags: int = 0) -> bytes:
        """A frame header."""
        raw = b""
        given = {"opcode": opcode, "flags": flags, "payload_length": length}
        for field in self.model.header.fields:
            if isinstance(field.value, str):
                raw += field.value.encode()
            else:
                number = given[field.name] if field.value is None else field.value
                raw += number.to_bytes(field.size, "big")
        return raw

    # --- JSON ---------------------------------------------------------------------------------

    def json_one(self, type_: Type, value: Any) -> Any:
        if type_.kind is TypeKind.STRUCT:
            return {m.name: self.json_one(m.type, value[m.name]) for m in type_.members}
        if type_.kind is TypeKind.BYTES:
            return self.one(type_, value).hex()
        if type_.kind is TypeKind.FLOAT:
            return f"{f64_bits(value):#018x}"
        if type_.kind is TypeKind.BOOL:
            return bool(value)
        if type_.kind is TypeKind.INTEGER:
            return int(value)
        number = self.number(type_, value)
        if type_.kind is TypeKind.STATUS:
            names = {s.code: s.name for s in self.model.statuses}
        else:
            names = {v.value: v.name for v in type_.values}
        return names.get(number, number)

    def json_field(self, field: Field, value: Any) -> Any:
        if value is None:
            return None
        if field.is_slice:
            if isinstance(value, Repeat):
                value = bytes(value.item) * value.times
            raw = value.encode() if isinstance(value, str) else bytes(value)
            if len(raw) > LONG_BYTES:
                return {"bytes": len(raw)}
            return raw.decode() if field.type.kind is TypeKind.TEXT else raw.hex()
        if field.is_array:
            count = value.times if isinstance(value, Repeat) else len(value)
            if count > LONG_ARRAY:
                return {"elements": count}
            items = [value.item] * count if isinstance(value, Repeat) else value
            return [self.json_one(field.type, item) for item in items]
        return self.json_one(field.type, value)

    def json(self, payload: Payload, value: Value) -> dict[str, Any]:
        """A value as the vectors write it."""
        return {f.name: self.json_field(f, value.get(f.name)) for f in payload.fields}

    # --- examples -----------------------------------------------------------------------------

    def example_one(self, type_: Type, example: Any, turn: int) -> Any:
        """An example of a type; each turn gives another one."""
        if type_.kind is TypeKind.STRUCT:
            return {m.name: self.example_one(m.type, m.type.example, turn) for m in type_.members}
        if type_.kind is TypeKind.BYTES:
            text = str(example) + (f".{turn + 1}" if turn else "")
            return text.encode()
        if type_.kind is TypeKind.INTEGER:
            # A step of a second where the number is a time, else of one. Other names have no sign.
            time = type_.alias_of and type_.signed
            return int(example) + turn * (1_000_000_000 if time else 1)
        if type_.kind is TypeKind.FLOAT:
            return float(example) + turn * 0.5
        if type_.kind is TypeKind.STATUS and example is None:
            mendable = [s.name for s in self.model.wire_statuses if s.status_class == "request"]
            return mendable[turn % len(mendable)]
        return example

    def elements(self, field: Field, count: int) -> list[Any]:
        """So many examples of an array's type."""
        return [self.example_one(field.type, field.type.example, i) for i in range(count)]

    def example(self, payload: Payload, count: int = 2) -> Value:
        """The example of a payload: what its fields state, and arrays of `count` elements, or of
        the least that they may have."""
        value: Value = {}
        for field in payload.fields:
            if field.is_array:
                value[field.name] = self.elements(field, max(count, field.min_count))
            elif field.is_count:
                value[field.name] = max(count, field.minimum or 0)
            elif field.is_slice:
                text = str(field.example or "")
                value[field.name] = text if field.type.kind is TypeKind.TEXT else text.encode()
            else:
                example = field.example
                if field.limit and field.maximum is not None and isinstance(example, int):
                    example = min(example, field.maximum)
                value[field.name] = self.example_one(field.type, example, 0)
        return value
