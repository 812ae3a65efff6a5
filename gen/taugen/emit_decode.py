# SPDX-License-Identifier: MIT
"""The decoders that are not inline: tau_decode.c.

A decoder takes one fixed block after the other and checks each once, in the form
`payload.size - pos < n`; it allocates nothing and writes its result only when all is right.
"""

from __future__ import annotations

from dataclasses import replace

from .ccodec import decode_head, is_plain, lower_bound, most
from .celements import load, offset, unknown_value
from .ctext import banner, call, string
from .model import Field, Model, Payload, Shape, Type, TypeKind

OUTPUTS = ("tau_decode.c",)


def emit(model: Model) -> dict[str, str]:
    return {"tau_decode.c": _decode_source(model)}


class _Decoder:
    """Writes the body of one decoder."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.lines: list[str] = []
        self.indent = 1
        self.begun = False  # the variable `at` is declared
        self.moves = False  # the variable `pos` is declared; until then the position is 0
        self.sizes = False  # the array `sizes` is declared
        self.tail = ""
        last = payload.fields[-1].shape
        self.checks_end = not payload.extensible and last not in (Shape.REST, Shape.REST_ARRAY)

    def put(self, text: str = "") -> None:
        margin = "    " * self.indent
        self.lines += [margin + line if line else "" for line in text.split("\n")]

    def fail(self, condition: str, field: Field, where: str, expected: str) -> None:
        """A check of a value that ends the decoder."""
        margin = "    " * (self.indent + 1)
        arguments = ["ret_error", str(field.number), where, string(expected)]
        self.put(f"if ({condition})")
        self.lines += call(margin + "return tau_decode_invalid", arguments).split("\n")

    def cut(self, condition: str, field: Field) -> None:
        """A check that the payload holds a whole field."""
        self.put(f"if ({condition})")
        self.put(f"    return tau_decode_cut(ret_error, payload, {field.number});")

    def where(self, delta: int = 0) -> str:
        """The place of a byte of the block, in the payload."""
        return offset("pos", delta) if self.moves else str(delta)

    def data(self) -> str:
        return "payload.data + pos" if self.moves else "payload.data"

    def left(self) -> str:
        return "payload.size - pos" if self.moves else "payload.size"

    def advance(self, size: str) -> None:
        self.put(f"pos += {size};" if self.moves else f"size_t pos = {size};")
        self.moves = True

    def run(self) -> str:
        fields = list(self.payload.fields)
        self.put(f"struct {self.payload.c_struct} value = {{0}};")
        self.put()
        while fields:
            if fields[0].tail != self.tail:
                self._open_tail(fields[0])
            fields = self._step(fields)
        while self.indent > 1:
            self.lines.pop()
            self.indent -= 1
            self.put("}")
            self.put()
        if self.checks_end:
            end = "pos" if self.moves else str(self.payload.size)
            self.put(f"if (payload.size != {end})")
            self.put(f"    return tau_decode_trailing(ret_error, {end});")
        self.put("*ret = value;")
        self.put("return TAU_STATUS_SUCCESS;")
        return "\n".join(self.lines) + "\n"

    def _open_tail(self, field: Field) -> None:
        """Opens the block of what an older or a simpler side leaves out, inside the one before."""
        self.tail = field.tail
        if not self.moves:
            self.advance("0")
        self.put(f"value.has_{self.tail} = payload.size != pos;")
        self.put(f"if (value.has_{self.tail}) {{")
        self.indent += 1

    def _step(self, fields: list[Field]) -> list[Field]:
        """Writes the next block or array and gives the fields that are left."""
        first = fields[0]
        if first.shape is Shape.COUNTED_ARRAY:
            self._counted_array(first, len(fields) > 1)
            return fields[1:]
        if first.shape is Shape.REST_ARRAY:
            self._rest_array(first)
            return fields[1:]
        if first.shape is Shape.REST:
            self._rest(first)
            return fields[1:]
        return self._block(fields)

    def _block(self, fields: list[Field]) -> list[Field]:
        """A run of fixed fields, with the prefix of the field that ends it."""
        block: list[tuple[Field, int, int]] = []
        size = 0
        for field in fields:
            if field.shape not in (Shape.FIXED, Shape.OPTIONAL, Shape.SIZED):
                break
            if field.tail != self.tail:
                break
            own = {Shape.FIXED: field.type.size, Shape.OPTIONAL: 1}.get(field.shape, field.prefix)
            block.append((field, size, own))
            size += own
            if field.shape is not Shape.FIXED:
                break
        self._check_block([own for _, _, own in block], size, block[0][0])
        for field, delta, _ in block:
            if field.shape is Shape.FIXED:
                self._fixed(field, delta)
        last, delta, _ = block[-1]
        more = len(block) < len(fields)
        if last.shape is Shape.OPTIONAL:
            self._optional(last, delta, size, more or self.checks_end)
        elif last.shape is Shape.SIZED:
            self._sized(last, delta, size, more or self.checks_end)
        elif more or (self.checks_end and self.moves):
            self.advance(str(size))
        self.put()
        return fields[len(block) :]

    def _check_block(self, sizes: list[int], size: int, first: Field) -> None:
        """Checks that a block is there, and points `at` at it."""
        short = f"{self.left()} < {size}"
        if len(sizes) == 1:
            self.cut(short, first)
        else:
            name = f"sizes_from_{first.name}" if self.sizes else "sizes"
            self.sizes = True
            self.put(f"static const uint16_t {name}[] = {{{', '.join(map(str, sizes))}}};")
            arguments = ["ret_error", "payload", name, str(first.number), self.where()]
            margin = "    " * (self.indent + 1)
            self.put(f"if ({short})")
            self.lines += call(margin + "return tau_decode_short", arguments).split("\n")
        self.put(f"{'' if self.begun else 'const uint8_t *'}at = {self.data()};")
        self.begun = True

    def _fixed(self, field: Field, delta: int) -> None:
        at, name, where = offset("at", delta), f"value.{field.name}", self.where(delta)
        if field.type.kind is TypeKind.BOOL:
            self.fail(f"tau_load_u8({at}) > 1", field, where, "0 or 1")
        for inner, type_ in field.type.closed:
            self._unknown(field, type_, offset("at", delta + inner), self.where(delta + inner))
        self.put(load(field.type, name, at))
        low = lower_bound(field)
        if low is not None and field.maximum is not None:
            top = most(field.maximum, field.limit)
            self.fail(f"{name} < {low} || {name} > {top}", field, where,
                      f"a number from {low} to {field.maximum}")  # fmt: skip
        elif low is not None:
            self.fail(f"{name} < {low}", field, where, f"a number of at least {low}")
        elif field.maximum is not None:
            self.fail(f"{name} > {most(field.maximum, field.limit)}", field, where,
                      f"a number of at most {field.maximum}")  # fmt: skip

    def _unknown(self, field: Field, type_: Type, at: str, where: str) -> None:
        """Refuses a value that a closed enumeration does not have."""
        known = ", ".join(f"{v.value} ({v.name})" for v in type_.values)
        raw = f"tau_load_{type_.wire}({at})"
        self.fail(unknown_value(type_, raw), field, where, f"one of {known}")

    def _elements(self, field: Field) -> None:
        """Looks at each element of an array that begins at the position."""
        if not field.type.closed:
            return
        step = "i" if field.type.size == 1 else f"i * {field.type.size}"
        start = f"pos + {step}" if self.moves else step
        self.put(f"for (size_t i = 0; i < value.{field.name}.count; i++) {{")
        self.indent += 1
        self.put(f"const uint8_t *element = payload.data + {start};")
        for inner, type_ in field.type.closed:
            self._unknown(field, type_, offset("element", inner), offset(start, inner))
        self.indent -= 1
        self.put("}")

    def _optional(self, field: Field, delta: int, size: int, more: bool) -> None:
        name = f"value.has_{field.name}"
        self.fail(f"{_byte(delta)} > 1", field, self.where(delta),
                  "0 or 1, whether the value follows")  # fmt: skip
        self.put(f"{name} = {_byte(delta)} == 1;")
        self.advance(str(size))
        self.put(f"if ({name}) {{")
        self.indent += 1
        self.cut(f"payload.size - pos < {field.type.size}", field)
        self.put("at = payload.data + pos;")
        self._fixed(replace(field, shape=Shape.FIXED), 0)
        if more:
            self.advance(str(field.type.size))
        self.indent -= 1
        self.put("}")

    def _sized(self, field: Field, delta: int, size: int, more: bool) -> None:
        assert field.max_bytes is not None
        name = f"value.{field.name}"
        self.put(f"{name}.size = tau_load_u{field.prefix * 8}({offset('at', delta)});")
        if field.max_bytes < (1 << 8 * field.prefix) - 1:
            self.fail(f"{name}.size > {most(field.max_bytes, field.limit)}", field,
                      self.where(delta), f"at most {field.max_bytes} bytes")  # fmt: skip
        self.advance(str(size))
        self.cut(f"payload.size - pos < {name}.size", field)
        self.put(f"{name}.data = payload.data + pos;")
        self._utf8(field)
        if more:
            self.advance(f"{name}.size")

    def _utf8(self, field: Field) -> None:
        if field.type.kind is TypeKind.TEXT:
            name, valid = f"value.{field.name}", f"{field.name}_valid"
            self.put(f"size_t {valid} = tau_utf8_valid({name}.data, {name}.size);")
            where = f"pos + {valid}" if self.moves else valid
            self.fail(f"{valid} != {name}.size", field, where, "UTF-8")

    def _rest(self, field: Field) -> None:
        name = f"value.{field.name}"
        if self.moves:
            self.put(f"{name}.data = payload.data + pos;")
            self.put(f"{name}.size = payload.size - pos;")
        else:
            self.put(f"{name} = payload;")
        top = most(field.max_bytes, field.limit)
        self.fail(f"{name}.size > {top}", field, f"pos + {top}" if self.moves else top,
                  f"at most {field.max_bytes} bytes")  # fmt: skip
        self._utf8(field)
        self.put()

    def _counted_array(self, field: Field, more: bool) -> None:
        name, count = f"value.{field.name}", f"value.{field.count_field}"
        size = f"(size_t){count} * {field.type.size}"
        self.cut(f"payload.size - pos < {size}", field)
        self.put(f"{name}.data = payload.data + pos;")
        self.put(f"{name}.count = {count};")
        self.put(f"{name}.wire_order = true;")
        self._elements(field)
        if more or self.checks_end:
            self.advance(size)
        self.put()

    def _rest_array(self, field: Field) -> None:
        name, size = f"value.{field.name}", field.type.size
        left = f"({self.left()})" if self.moves else self.left()
        self.put(f"{name}.data = {self.data()};")
        self.put(f"{name}.count = {left} / {size};")
        self.put(f"{name}.wire_order = true;")
        top = most(field.max_count, field.limit)
        where = f"(size_t){top} * {size}"
        self.fail(f"{name}.count > {top}", field, f"pos + {where}" if self.moves else where,
                  f"at most {field.max_count} elements")  # fmt: skip
        self.cut(f"{left} % {size} != 0", field)
        self._elements(field)
        self.put()


def _byte(delta: int) -> str:
    return f"at[{delta}]" if delta else "*at"


def _decode_source(model: Model) -> str:
    text = banner("Decodes the payloads that are not one plain block, and refuses wrong headers.")
    text += '#include "tau_codec.h"\n#include "wire/utf8.h"\n\n'
    text += _refuse_function(model) + "\n"
    for payload in model.payloads:
        if is_plain(payload):
            sizes = ", ".join(str(f.size) for f in payload.fields)
            text += f"const uint16_t {payload.c_struct}_sizes[] = {{{sizes}}};\n"
    text += "\n"
    bodies = [
        decode_head(p, "", "") + "\n{\n" + _Decoder(p).run() + "}\n"
        for p in model.payloads
        if not is_plain(p)
    ]
    return text + "\n".join(bodies)


def _refuse_function(model: Model) -> str:
    head = model.header
    magic, version = head.field("magic"), head.field("version")
    opcode, length = head.field("opcode"), head.field("payload_length")
    status = {c.name: c.status.c_name for c in model.checks}
    assert length.limit is not None
    refusals = [
        (f'memcmp(bytes, "{magic.value}", {magic.size}) != 0', "magic", magic,
         f"the letters {magic.value}"),
        (f"bytes[{version.offset}] != TAU_PROTOCOL_VERSION", "version", version,
         f"version {version.value}"),
        (f"tau_frame_kinds[bytes[{opcode.offset}]] == TAU_FRAME_UNKNOWN", "opcode", opcode,
         "an opcode of the specification"),
        (None, "payload_limit", length, f"a payload of at most {length.limit.value} bytes"),
    ]  # fmt: skip
    text = """enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error)
{
"""
    for condition, check, at, expected in refusals:
        arguments = ["ret_error", status[check], "TAU_FIELD_NONE", str(at.offset), string(expected)]
        if condition is not None:
            text += f"    if ({condition})\n"
        margin = "    " if condition is None else "        "
        text += call(margin + "return tau_decode_fail", arguments) + "\n"
    return text + "}\n"
