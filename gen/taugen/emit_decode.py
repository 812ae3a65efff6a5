# SPDX-License-Identifier: MIT
"""The decoders that are not inline: tau_decode.c.

A decoder takes one fixed block after the other and checks each once, in the form
`payload.size - pos < n`; it allocates nothing and writes its result only when all is right.
"""

from __future__ import annotations

from dataclasses import replace

from .ccodec import decode_head, is_plain, lower_bound, most
from .celements import is_closed_enum, load, offset, unknown_value
from .ctext import banner, call, string
from .model import Field, Model, Payload, Shape, TypeKind

OUTPUTS = ("tau_decode.c",)


def emit(model: Model) -> dict[str, str]:
    return {"tau_decode.c": _decode_source(model)}


class _Decoder:
    """Writes the body of one decoder."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.lines: list[str] = []
        self.indent = 1
        self.blocks = 0
        self.tail = ""

    def put(self, text: str = "") -> None:
        margin = "    " * self.indent
        self.lines += [margin + line if line else "" for line in text.split("\n")]

    def fail(self, condition: str, field: Field, where: str, expected: str) -> None:
        """A check that ends the decoder."""
        arguments = [
            "ret_error", "TAU_STATUS_INVALID_PAYLOAD", str(field.number), where, string(expected),
        ]  # fmt: skip
        width = 4 * (self.indent + 1)
        margin = " " * width
        text = call(margin + "return tau_decode_fail", arguments)
        self.lines.append("    " * self.indent + f"if ({condition})")
        self.lines += text.split("\n")

    def run(self) -> str:
        fields = list(self.payload.fields)
        self.put(f"struct {self.payload.c_struct} value = {{0}};")
        if any(f.shape is not Shape.REST or f.number for f in fields):
            self.put("size_t pos = 0;")
        self.put()
        while fields:
            if fields[0].tail != self.tail:
                self._open_tail(fields[0])
            fields = self._step(fields)
        while self.indent > 1:
            self.indent -= 1
            self.put("}")
        last = self.payload.fields[-1].shape
        if not self.payload.extensible and last not in (Shape.REST, Shape.REST_ARRAY):
            self.put("if (pos != payload.size)")
            self.put("    return tau_decode_trailing(ret_error, pos);")
        self.put("*ret = value;")
        self.put("return TAU_STATUS_SUCCESS;")
        return "\n".join(self.lines) + "\n"

    def _open_tail(self, field: Field) -> None:
        """Opens the block of what an older or a simpler side leaves out, inside of the one before."""
        self.tail = field.tail
        self.put(f"value.has_{self.tail} = pos != payload.size;")
        self.put(f"if (value.has_{self.tail}) {{")
        self.indent += 1

    def _step(self, fields: list[Field]) -> list[Field]:
        """Writes the next block or array and gives the fields that are left."""
        first = fields[0]
        if first.shape is Shape.COUNTED_ARRAY:
            self._counted_array(first)
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
        if last.shape is Shape.OPTIONAL:
            self._optional(last, delta, size)
        elif last.shape is Shape.SIZED:
            self._sized(last, delta, size)
        else:
            self.put(f"pos += {size};")
        self.lines.append("")
        return fields[len(block) :]

    def _check_block(self, sizes: list[int], size: int, first: Field) -> None:
        name = f"sizes_{self.blocks}"
        listed = ", ".join(map(str, sizes))
        self.put(f"static const uint16_t {name}[] = {{{listed}}};")
        self.put(f"if (payload.size - pos < {size})")
        self.put(f"    return tau_decode_short(ret_error, payload, {name}, {first.number}, pos);")
        declare = "const uint8_t *" if self.blocks == 0 else ""
        self.put(f"{declare}at = payload.data + pos;")
        self.blocks += 1

    def _fixed(self, field: Field, delta: int) -> None:
        at, name = offset("at", delta), f"value.{field.name}"
        where = offset("pos", delta)
        kind = field.type.kind
        if kind is TypeKind.BOOL:
            self.fail(f"at[{delta}] > 1", field, where, "0 or 1")
        if is_closed_enum(field.type):
            known = ", ".join(f"{v.value} ({v.name})" for v in field.type.values)
            raw = f"tau_load_{field.type.wire}({at})"
            self.fail(unknown_value(field.type, raw), field, where, f"one of {known}")
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

    def _optional(self, field: Field, delta: int, size: int) -> None:
        where = offset("pos", delta)
        self.fail(f"at[{delta}] > 1", field, where, "0 or 1, whether the value follows")
        self.put(f"value.has_{field.name} = at[{delta}] == 1;")
        self.put(f"pos += {size};")
        self.put(f"if (value.has_{field.name}) {{")
        self.indent += 1
        self.fail(f"payload.size - pos < {field.type.size}", field, "payload.size", SHORT)
        inner = replace(field, shape=Shape.FIXED)
        self.put("at = payload.data + pos;")
        self._fixed(inner, 0)
        self.put(f"pos += {field.type.size};")
        self.indent -= 1
        self.put("}")

    def _sized(self, field: Field, delta: int, size: int) -> None:
        assert field.max_bytes is not None
        name = f"value.{field.name}"
        self.put(f"{name}.size = tau_load_u{field.prefix * 8}({offset('at', delta)});")
        if field.max_bytes < (1 << 8 * field.prefix) - 1:
            self.fail(f"{name}.size > {most(field.max_bytes, field.limit)}", field,
                      offset("pos", delta), f"at most {field.max_bytes} bytes")  # fmt: skip
        self.put(f"pos += {size};")
        self.fail(f"payload.size - pos < {name}.size", field, "payload.size", SHORT)
        self.put(f"{name}.data = payload.data + pos;")
        self._utf8(field)
        self.put(f"pos += {name}.size;")

    def _utf8(self, field: Field) -> None:
        if field.type.kind is TypeKind.TEXT:
            name = f"value.{field.name}"
            self.put(f"size_t {field.name}_valid = tau_utf8_valid({name}.data, {name}.size);")
            where = f"pos + {field.name}_valid"
            self.fail(f"{field.name}_valid != {name}.size", field, where, "UTF-8")

    def _rest(self, field: Field) -> None:
        name = f"value.{field.name}"
        if field.number == 0:
            self.put(f"{name} = payload;")
            where = str(field.max_bytes)
        else:
            self.put(f"{name}.data = payload.data + pos;")
            self.put(f"{name}.size = payload.size - pos;")
            where = f"pos + {field.max_bytes}"
        self.fail(f"{name}.size > {most(field.max_bytes, field.limit)}", field, where,
                  f"at most {field.max_bytes} bytes")  # fmt: skip
        if field.type.kind is TypeKind.TEXT:
            if field.number == 0:
                self.put("size_t pos = 0;")
            self._utf8(field)
        self.lines.append("")

    def _counted_array(self, field: Field) -> None:
        name, size = f"value.{field.name}", field.type.size
        count = f"value.{field.count_field}"
        self.fail(f"payload.size - pos < (size_t){count} * {size}", field, "payload.size", SHORT)
        self.put(f"{name}.data = payload.data + pos;")
        self.put(f"{name}.count = {count};")
        self.put(f"{name}.wire_order = true;")
        self.put(f"pos += (size_t){count} * {size};")
        self.lines.append("")

    def _rest_array(self, field: Field) -> None:
        name, size = f"value.{field.name}", field.type.size
        self.put(f"{name}.data = payload.data{' + pos' if field.number else ''};")
        self.put(f"{name}.count = (payload.size - pos) / {size};")
        self.put(f"{name}.wire_order = true;")
        top = most(field.max_count, field.limit)
        self.fail(f"{name}.count > {top}", field, f"pos + (size_t){top} * {size}",
                  f"at most {field.max_count} elements")  # fmt: skip
        self.fail(f"(payload.size - pos) % {size} != 0", field, "payload.size", SHORT)
        self.lines.append("")


SHORT = "more bytes: the payload ends within this field"


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
    return f"""enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error)
{{
    if (memcmp(bytes, "{magic.value}", {magic.size}) != 0)
        return tau_decode_fail(ret_error, {status['magic']}, TAU_FIELD_NONE, {magic.offset},
                               "the letters {magic.value}");
    if (bytes[{version.offset}] != TAU_PROTOCOL_VERSION)
        return tau_decode_fail(ret_error, {status['version']}, TAU_FIELD_NONE, {version.offset},
                               "version {version.value}");
    if (tau_frame_kinds[bytes[{opcode.offset}]] == TAU_FRAME_UNKNOWN)
        return tau_decode_fail(ret_error, {status['opcode']}, TAU_FIELD_NONE, {opcode.offset},
                               "an opcode of the specification");
    return tau_decode_fail(ret_error, {status['payload_limit']}, TAU_FIELD_NONE, {length.offset},
                           "a payload of at most {length.limit.value} bytes");
}}
"""
