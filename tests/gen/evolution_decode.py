# SPDX-License-Identifier: MIT
"""Decodes payloads from a model alone, and asks whether two models understand each other.

The decoder shares nothing with the generated codecs; it gives values as the golden vectors write
them. It is the judge over `taugen diff`: what that calls safe or additive must be understood by
those who hold the old model.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterator

from specification import GENERATOR  # noqa: F401  (puts the generator on the path)

from taugen import emit_vectors
from taugen.model import Field, Model, Payload, Shape, Type, TypeKind
from taugen.values import LONG_ARRAY, LONG_BYTES, Codec

Vector = dict[str, Any]


class Refused(Exception):
    """The bytes are not a legal payload."""


def frame_of(text: str) -> bytes:
    """The bytes of a vector; `(times*bytes)` stands for a repetition."""
    parts = re.split(r"\((\d+)\*([0-9a-f]*)\)", text)
    raw = b""
    for at in range(0, len(parts), 3):
        raw += bytes.fromhex(parts[at])
        if at + 2 < len(parts):
            raw += bytes.fromhex(parts[at + 2]) * int(parts[at + 1])
    return raw


class Decoder:
    """One payload's bytes, read from the front."""

    def __init__(self, model: Model, raw: bytes) -> None:
        self.codec = Codec(model)
        self.model = model
        self.raw = raw
        self.at = 0

    def take(self, size: int) -> bytes:
        if len(self.raw) - self.at < size:
            raise Refused(f"ends at {len(self.raw)}")
        self.at += size
        return self.raw[self.at - size : self.at]

    def payload(self, payload: Payload) -> dict[str, Any]:
        values: dict[str, Any] = {}
        counts: dict[str, int] = {}
        tail = ""
        for field in payload.fields:
            if field.tail and field.tail != tail and self.at == len(self.raw):
                break
            tail = field.tail
            values[field.name] = self.field(field, counts)
        if self.at != len(self.raw) and not payload.extensible:
            raise Refused(f"goes on at {self.at}")
        return {f.name: values.get(f.name) for f in payload.fields}

    def field(self, field: Field, counts: dict[str, int]) -> Any:
        if field.shape is Shape.OPTIONAL:
            return self.one(field.type, field) if self.bool() else None
        if field.is_slice:
            return self.slice(field)
        if field.is_array:
            return self.array(field, counts)
        value = self.one(field.type, field)
        if field.is_count:
            counts[field.name] = value
        return value

    def bool(self) -> bool:
        raw = self.take(1)
        if raw[0] > 1:
            raise Refused("neither 0 nor 1")
        return raw[0] == 1

    def slice(self, field: Field) -> Any:
        rest = len(self.raw) - self.at
        size = int.from_bytes(self.take(field.prefix), "big") if field.prefix else rest
        if field.max_bytes is not None and size > field.max_bytes:
            raise Refused(f"{size} bytes")
        raw = self.take(size)
        if field.type.kind is TypeKind.TEXT:
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                raise Refused(str(error)) from None
            return {"bytes": size} if size > LONG_BYTES else text
        return {"bytes": size} if size > LONG_BYTES else raw.hex()

    def array(self, field: Field, counts: dict[str, int]) -> Any:
        size = field.type.size
        if field.count_field:
            count = counts[field.count_field]
        else:
            count, over = divmod(len(self.raw) - self.at, size)
            if over or (field.max_count is not None and count > field.max_count):
                raise Refused(f"{count} elements")
        if count > LONG_ARRAY:
            self.take(count * size)
            return {"elements": count}
        return [self.one(field.type, None) for _ in range(count)]

    def one(self, type_: Type, field: Field | None) -> Any:
        if type_.kind is TypeKind.STRUCT:
            return {m.name: self.one(m.type, None) for m in type_.members}
        if type_.kind is TypeKind.BOOL:
            return self.bool()
        raw = self.take(type_.size)
        if type_.kind is TypeKind.BYTES:
            return raw.hex()
        number = int.from_bytes(raw, "big", signed=type_.signed)
        low, high = (field.minimum, field.maximum) if field else (None, None)
        if (low is not None and number < low) or (high is not None and number > high):
            raise Refused(f"{number} is out of bounds")
        if type_.kind is TypeKind.ENUM and not type_.open:
            if number not in (v.value for v in type_.values):
                raise Refused(f"{number} is no value of {type_.name}")
        return self.codec.json_one(type_, number)


class Side:
    """One side of a connection: a model, and what it makes of frames."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.payloads: dict[str, tuple[int, Payload]] = {}
        for operation in model.operations:
            self.payloads[operation.request.name] = (operation.code, operation.request)
            self.payloads[operation.response.name] = (operation.reply.code, operation.response)
        self.payloads.update({r.payload.name: (r.code, r.payload) for r in model.replies})
        self.head = Codec(model).header(0, 0)
        self.answers = {o.response.name for o in model.operations}
        self.answers |= {r.payload.name for r in model.replies}

    def read(self, vector: Vector) -> Any:
        """The values of a frame, or a text that says why there are none."""
        raw: bytes = vector["raw"]
        opcode = self.model.header.field("opcode").offset
        if raw[:opcode] != self.head[:opcode]:
            return "another header"
        code, payload = self.payloads.get(vector["payload"], (-1, None))
        if payload is None or code != raw[opcode]:
            return "another opcode"
        try:
            return Decoder(self.model, raw[len(self.head) :]).payload(payload)
        except Refused as error:
            return f"refused: {error}"

    def codec(self) -> list[Any]:
        """All that decides what bytes mean, to tell whether two sides can differ at all."""
        return [self.head, [(s.code, s.name) for s in self.model.statuses]] + [
            (name, code, payload.extensible, [
                (f.name, f.shape, f.prefix, f.minimum, f.maximum, f.max_count, f.max_bytes, f.tail,
                 f.count_field, f.type.wire, _bytes_of(f.type))
                for f in payload.fields
            ])
            for name, (code, payload) in sorted(self.payloads.items())
        ]  # fmt: skip


def _bytes_of(type_: Type) -> list[Any]:
    members = [(m.name, m.type.wire, _bytes_of(m.type)) for m in type_.members]
    return [type_.size, type_.open, members, [(v.name, v.value) for v in type_.values]]


def vectors_of(model: Model) -> list[Vector]:
    """The golden vectors of a model's payloads, with their bytes."""
    found = [json.loads(line) for line in emit_vectors.emit(model)["vectors.jsonl"].splitlines()]
    return [{**v, "raw": frame_of(v["frame"])} for v in found if "frame" in v]


def _agrees(known: Any, other: Any) -> bool:
    """Whether two sides read the same. A value that the other one does not know has a name on the
    side that knows it, and its number there, also in elements."""
    if isinstance(known, dict) and isinstance(other, dict):
        return known.keys() == other.keys() and all(_agrees(known[k], other[k]) for k in known)
    if isinstance(known, list) and isinstance(other, list):
        return len(known) == len(other) and all(map(_agrees, known, other))
    return known == other or (isinstance(known, str) and isinstance(other, int))


def _misread(reader: Side, vector: Vector, whole: bool) -> str:
    """How a side reads a right frame of the other one wrongly, or nothing.

    A reader of the whole must know every field; another may know fewer.
    """
    found, wanted = reader.read(vector), vector["fields"]
    if isinstance(found, str):
        return found
    for name, value in wanted.items():
        if name not in found:
            if whole:
                return f"{name} is not read"
            continue
        known, other = (found[name], value) if whole else (value, found[name])
        if not _agrees(known, other):
            return f"{name} reads {found[name]}, not {value}"
    return ""


def misunderstandings(old: Side, new: Side, golden: list[Vector]) -> Iterator[str]:
    """What goes wrong between the holders of two models.

    The new side reads every right vector of the old one. The old side reads what of the new one may
    reach it: replies to what it knows, and the examples of requests. Bytes that a vector puts
    behind an extensible payload are left out where the new side reads a field in them.
    """
    grown = {n for n, (_, p) in new.payloads.items() if any(f.since for f in p.fields)}
    for vector in golden:
        if "fields" in vector and not (vector.get("extra") and vector["payload"] in grown):
            if said := _misread(new, vector, True):
                yield f"{vector['name']}: {said}"
    if old.codec() == new.codec():
        return
    for vector in vectors_of(new.model):
        if "fields" not in vector or vector.get("extra") or vector["payload"] not in old.payloads:
            continue
        if vector["payload"] in old.answers or vector["name"].endswith("/example"):
            if said := _misread(old, vector, False):
                yield f"the new {vector['name']}: {said}"


def differences(old: Side, new: Side, golden: list[Vector]) -> Iterator[str]:
    """Vectors, right and wrong ones, that two models do not read in the same way."""
    for vector in golden:
        if old.read(vector) != new.read(vector):
            yield f"{vector['name']}: {new.read(vector)}"
