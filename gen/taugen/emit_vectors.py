# SPDX-License-Identifier: MIT
"""Golden vectors: frames and what they mean, right and wrong ones, as JSON lines."""

from __future__ import annotations

import json
from typing import Any

from .model import Field, Model, Payload, Shape, TypeKind
from .types import integer_range
from .values import Codec, Repeat, Span, Value

GROUP = "published"
OUTPUTS = ("vectors.jsonl",)

# Zero, negative zero, the least and greatest magnitudes, infinities, NaNs quiet and signalling.
SPECIAL_F64 = (
    ("zero", 0x0000000000000000),
    ("negative_zero", 0x8000000000000000),
    ("least_subnormal", 0x0000000000000001),
    ("greatest_subnormal", 0x000FFFFFFFFFFFFF),
    ("least_normal", 0x0010000000000000),
    ("greatest", 0x7FEFFFFFFFFFFFFF),
    ("infinity", 0x7FF0000000000000),
    ("negative_infinity", 0xFFF0000000000000),
    ("quiet_nan", 0x7FF8000000000000),
    ("negative_nan_with_payload", 0xFFF8DEADBEEF0001),
    ("signalling_nan", 0x7FF0000000000001),
)

BAD_UTF8 = (
    ("stray_continuation", b"a\x80", 1),
    ("overlong", b"\xc0\xaf", 0),
    ("surrogate", b"ab\xed\xa0\x80", 2),
    ("above_unicode", b"\xf4\x90\x80\x80", 0),
    ("cut_character", b"\xe2\x82", 0),
)


def emit(model: Model) -> dict[str, str]:
    vectors = _Vectors(model)
    vectors.headers()
    for operation in model.operations:
        vectors.payload(operation.request, operation.code)
        vectors.payload(operation.response, operation.reply.code)
    for reply in model.replies:
        vectors.payload(reply.payload, reply.code)
    return {"vectors.jsonl": "".join(vectors.lines)}


def cuts(raw: bytes, spans: list[Span], payload: Payload) -> list[list[Any]]:
    """For each shorter length of a payload the field that is not whole, as runs.

    A run is [field, number of lengths]; null stands for lengths at which the payload is right.
    """
    firsts = {f.tail: f.number for f in reversed(payload.fields) if f.tail}
    tails = {s.start for s in spans if s.field.number in firsts.values()}
    runs: list[list[Any]] = []
    for length in range(len(raw)):
        fault: int | None = None
        for span in spans:
            if span.end > length:
                fault = span.field.number
                if span.field.shape is Shape.REST:
                    fault = None
                if span.field.shape is Shape.REST_ARRAY and (length - span.start) % (
                    span.field.type.size
                ) == 0:
                    fault = None
                break
        if length in tails:
            fault = None
        if runs and runs[-1][0] == fault:
            runs[-1][1] += 1
        else:
            runs.append([fault, 1])
    return runs


class _Vectors:
    """Collects the lines of the file."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.codec = Codec(model)
        self.lines: list[str] = []
        self.payload_bytes = model.limit("payload_bytes").value

    def line(self, row: dict[str, Any]) -> None:
        self.lines.append(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")

    # --- the header ---------------------------------------------------------------------------

    def headers(self) -> None:
        known = [(o.name, o.code) for o in self.model.operations]
        known += [(r.name, r.code) for r in self.model.replies]
        for name, code in sorted(known, key=lambda k: k[1]):
            self._good_header(name.lower(), code, 0, 0)
        self._good_header("greatest_length", known[0][1], 0, self.payload_bytes)
        self._good_header("all_flags", known[0][1], 0xFF, 1)
        for length in (self.payload_bytes + 1, 0x80000000, 0xFFFFFFFF):
            self._bad_header(f"length_{length}", "payload_limit", "payload_length",
                             self.codec.header(known[0][1], length))  # fmt: skip
        good = self.codec.header(known[0][1], 0)
        for field, check in (("magic", "magic"), ("version", "version")):
            head = self.model.header.field(field)
            for at in range(head.offset, head.offset + head.size):
                for wrong in (0, good[at] ^ 0x20, 0xFF):
                    raw = good[:at] + bytes([wrong]) + good[at + 1 :]
                    self._bad_header(f"{field}_{at}_{wrong:02x}", check, field, raw)
        codes = {code for _, code in known}
        for code in range(256):
            if code not in codes:
                raw = self.codec.header(code, 0)
                self._bad_header(f"opcode_{code:02x}", "opcode", "opcode", raw)
        self._first_check_answers(good)

    def _first_check_answers(self, good: bytes) -> None:
        """Headers in which everything is wrong from some field on."""
        wrong = b"HTT" + b"\x09\x00\x00" + b"\xff" * 4
        for field, check in (("magic", "magic"), ("version", "version"), ("opcode", "opcode")):
            at = self.model.header.field(field).offset
            self._bad_header(f"all_from_{field}", check, field, good[:at] + wrong[at:])

    def _good_header(self, name: str, code: int, flags: int, length: int) -> None:
        fields = {"opcode": code, "flags": flags, "payload_length": length}
        raw = self.codec.header(code, length, flags)
        self.line({"name": f"header/{name}", "header": raw.hex(), "fields": fields})

    def _bad_header(self, name: str, check: str, field: str, raw: bytes) -> None:
        status = next(c.status.name for c in self.model.checks if c.name == check)
        offset = self.model.header.field(field).offset
        row = {"name": f"header/{name}", "header": raw.hex(), "status": status, "offset": offset}
        self.line(row)

    # --- payloads -----------------------------------------------------------------------------

    def payload(self, payload: Payload, code: int) -> None:
        if payload.empty:
            return
        self.current, self.code = payload, code
        base = self.codec.example(payload)
        self.good("example", base)
        self._absent(base)
        for field in payload.fields:
            self._field(field, base)
        self._end(base)

    def good(self, name: str, value: Value, extra: bytes = b"", cut: bool = True) -> None:
        """A frame that must be decoded to `value` and, without `extra`, encoded again."""
        payload = self.current
        raw, spans = self.codec.encode(payload, value)
        body = self._text(value, raw) + extra.hex()
        row: dict[str, Any] = {"name": f"{payload.name}/{name}", "payload": payload.name}
        row["frame"] = self.codec.header(self.code, len(raw) + len(extra)).hex() + body
        if extra:
            row["extra"] = len(extra)
        elif cut and len(raw) <= 4096:
            row["cuts"] = cuts(raw, spans, payload)
        row["fields"] = self.codec.json(payload, value)
        self.line(row)

    def _text(self, value: Value, raw: bytes) -> str:
        """The bytes as text; a long repetition is written as `(times*bytes)`."""
        if not any(isinstance(v, Repeat) for v in value.values()):
            return raw.hex()
        text = ""
        for field in self.current.fields:
            item = value[field.name]
            if not isinstance(item, Repeat):
                text += self.codec.field(field, item).hex()
                continue
            one = bytes(item.item) if field.is_slice else self.codec.one(field.type, item.item)
            length = len(one) * item.times
            text += length.to_bytes(field.prefix, "big").hex() if field.prefix else ""
            text += f"({item.times}*{one.hex()})"
        return text

    def bad(self, name: str, raw: bytes, field: Field | None, offset: int) -> None:
        """A frame whose payload must be refused."""
        status = next(c.status.name for c in self.model.checks if c.name == "payload_length")
        self.line(
            {
                "name": f"{self.current.name}/{name}",
                "payload": self.current.name,
                "frame": (self.codec.header(self.code, len(raw)) + raw).hex(),
                "status": status,
                "field": None if field is None else field.number,
                "offset": offset,
            }
        )

    def _absent(self, base: Value) -> None:
        """Everything absent or empty that may be."""
        value = dict(base)
        for field in self.current.fields:
            if field.optional or field.tail:
                value[field.name] = None
            elif field.is_array:
                value[field.name] = self.codec.elements(field, field.min_count)
            elif field.is_count:
                value[field.name] = field.minimum or 0
            elif field.is_slice:
                value[field.name] = b""
        if value != base:
            self.good("least", value)

    def _field(self, field: Field, base: Value) -> None:
        if field.is_count:
            self._count(field, base)
        elif field.is_array:
            if field.shape is Shape.REST_ARRAY:
                self._rest_array(field, base)
            self._inner_enums(field, base)
        elif field.is_slice:
            self._slice(field, base)
        elif field.type.kind is TypeKind.STRUCT:
            self._inner_enums(field, base)
        elif field.type.kind is TypeKind.INTEGER:
            self._integer(field, base)
        elif field.type.kind is TypeKind.FLOAT:
            for name, bits in SPECIAL_F64:
                self.good(f"{field.name}_{name}", {**base, field.name: bits}, cut=False)
        elif field.type.kind is TypeKind.BYTES:
            for name, byte in (("zeros", b"\0"), ("ones", b"\xff")):
                raw = byte * field.type.size
                self.good(f"{field.name}_{name}", {**base, field.name: raw}, cut=False)
        elif field.type.kind in (TypeKind.ENUM, TypeKind.STATUS):
            self._enum(field, base)
        elif field.type.kind is TypeKind.BOOL:
            self._bool(field, base)
        if field.optional:
            self._presence(field, base)

    def _at(self, base: Value, field: Field) -> tuple[bytes, Span]:
        raw, spans = self.codec.encode(self.current, base)
        return raw, next(s for s in spans if s.field.name == field.name)

    def _patched(self, name: str, field: Field, base: Value, part: bytes, skip: int = 0) -> None:
        """Writes `part` over the field's bytes, which must then be refused where it begins."""
        raw, span = self._at(base, field)
        at = span.start + skip
        self.bad(name, raw[:at] + part + raw[at + len(part) :], field, span.start)

    def _integer(self, field: Field, base: Value) -> None:
        low, high = integer_range(field.type)
        bottom = low if field.minimum is None else field.minimum
        top = high if field.maximum is None else field.maximum
        edges = sorted({bottom, top} | ({-1, 0} if field.type.signed else set()))
        for edge in edges:
            self.good(f"{field.name}_{edge}", {**base, field.name: edge}, cut=False)
        size, signed = field.type.size, field.type.signed
        if bottom > low:
            part = (bottom - 1).to_bytes(size, "big", signed=signed)
            self._patched(f"{field.name}_below", field, base, part)
        if top < high:
            part = (top + 1).to_bytes(size, "big", signed=signed)
            self._patched(f"{field.name}_above", field, base, part)

    def _enum(self, field: Field, base: Value) -> None:
        size = field.type.size
        if field.type.kind is TypeKind.STATUS:
            known = {s.code: s.name for s in self.model.wire_statuses}
        else:
            known = {v.value: v.name for v in field.type.values}
        for number, name in known.items():
            self.good(f"{field.name}_{name}", {**base, field.name: number}, cut=False)
        unknown = {max(known) + 1, (1 << 8 * size) - 1}
        for number in sorted(unknown - set(known)):
            if field.type.kind is TypeKind.STATUS or field.type.open:
                self.good(f"{field.name}_{number}", {**base, field.name: number}, cut=False)
            else:
                self._patched(f"{field.name}_{number}", field, base, number.to_bytes(size, "big"))

    def _inner_enums(self, field: Field, base: Value) -> None:
        """Every value of the enumerations in a struct, or in the last element of an array."""
        items = base[field.name] if field.is_array else [base[field.name]]
        last = (len(items) - 1) * field.type.size + (1 if field.optional else 0)
        for name, type_, offset in [(m.name, m.type, m.offset) for m in field.type.members] or [
            ("", field.type, 0)
        ]:
            if type_.kind is not TypeKind.ENUM:
                continue
            known = {v.value for v in type_.values}
            unknown = {max(known) + 1, (1 << 8 * type_.size) - 1} - known
            for number in sorted(known | unknown):
                title = "_".join(filter(None, (field.name, name, str(number))))
                if number in known or type_.open:
                    item = {**items[-1], name: number} if name else number
                    changed = [*items[:-1], item] if field.is_array else item
                    self.good(title, {**base, field.name: changed}, cut=False)
                else:
                    raw, span = self._at(base, field)
                    at = span.start + last + offset
                    wrong = raw[:at] + number.to_bytes(type_.size, "big") + raw[at + type_.size :]
                    self.bad(title, wrong, field, at)

    def _bool(self, field: Field, base: Value) -> None:
        for value in (False, True):
            self.good(f"{field.name}_{int(value)}", {**base, field.name: value}, cut=False)
        for number in (2, 255):
            self._patched(f"{field.name}_{number}", field, base, bytes([number]))

    def _presence(self, field: Field, base: Value) -> None:
        for number in (2, 255):
            self._patched(f"{field.name}_presence_{number}", field, base, bytes([number]))

    def _count(self, field: Field, base: Value) -> None:
        """Arrays of the fewest elements but none, of the most, and one more than there are."""
        arrays = [f for f in self.current.fields if f.count_field == field.name]
        top = field.maximum
        most = top if top is not None else integer_range(field.type)[1]
        least = field.minimum or 0
        for count in sorted({max(least, 1), most}):
            value: Value = {**base, field.name: count}
            for array in arrays:
                item = self.codec.example_one(array.type, array.type.example, 0)
                value[array.name] = Repeat(item, count) if count > 1 else [item]
            self.good(f"{field.name}_{count}", value, cut=count == 1)
        if least > 0:
            part = (least - 1).to_bytes(field.type.size, "big")
            self._patched(f"{field.name}_below", field, base, part)
        if top is not None:
            part = (top + 1).to_bytes(field.type.size, "big")
            self._patched(f"{field.name}_above", field, base, part)
        raw, spans = self.codec.encode(self.current, base)
        last = next(s for s in spans if s.field.name == arrays[0].name)
        if self.current.fields[-1].name == arrays[-1].name and len(arrays) == 1:
            at = next(s for s in spans if s.field.name == field.name)
            more = (base[field.name] + 1).to_bytes(field.type.size, "big")
            wrong = raw[: at.start] + more + raw[at.end :]
            self.bad(f"{field.name}_one_more", wrong, last.field, len(raw))

    def _rest_array(self, field: Field, base: Value) -> None:
        assert field.max_count is not None
        item = self.codec.example_one(field.type, field.type.example, 0)
        value = {**base, field.name: Repeat(item, field.max_count)}
        self.good(f"{field.name}_{field.max_count}", value, cut=False)
        raw, spans = self.codec.encode(self.current, {**base, field.name: []})
        size = field.type.size * (field.max_count + 1)
        if len(raw) + size > self.payload_bytes:
            return
        text = self.codec.header(self.code, len(raw) + size).hex() + raw.hex()
        text += f"({field.max_count + 1}*{self.codec.one(field.type, item).hex()})"
        offset = len(raw) + field.type.size * field.max_count
        self._bad_text(f"{field.name}_{field.max_count + 1}", text, field, offset)

    def _bad_text(self, name: str, frame: str, field: Field, offset: int) -> None:
        status = next(c.status.name for c in self.model.checks if c.name == "payload_length")
        self.line(
            {
                "name": f"{self.current.name}/{name}", "payload": self.current.name,
                "frame": frame, "status": status, "field": field.number, "offset": offset,
            }
        )  # fmt: skip

    def _slice(self, field: Field, base: Value) -> None:
        assert field.max_bytes is not None
        value = {**base, field.name: Repeat(b"x", field.max_bytes)}
        self.good(f"{field.name}_{field.max_bytes}", value, cut=False)
        if field.prefix and field.max_bytes < (1 << 8 * field.prefix) - 1:
            size = field.max_bytes + 1
            long = size.to_bytes(field.prefix, "big") + b"x" * size
            raw, span = self._at(base, field)
            wrong = raw[: span.start] + long + raw[span.end :]
            self.bad(f"{field.name}_{field.max_bytes + 1}", wrong, field, span.start)
        if field.type.kind is not TypeKind.TEXT:
            return
        self.good(f"{field.name}_characters", {**base, field.name: "Aé€𝄞"}, cut=False)
        for name, text, at in BAD_UTF8:
            raw, span = self._at({**base, field.name: text}, field)
            self.bad(f"{field.name}_{name}", raw, field, span.start + field.prefix + at)

    def _end(self, base: Value) -> None:
        """One byte behind the last field."""
        if self.current.extensible:
            self.good("extended", base, extra=b"\xee")
            return
        if self.current.fields[-1].shape in (Shape.REST, Shape.REST_ARRAY):
            return
        raw, _ = self.codec.encode(self.current, base)
        self.bad("trailing", raw + b"\0", None, len(raw))
