# SPDX-License-Identifier: MIT
"""The codec: tau_codec.h, tau_decode.c, tau_encode.c.

A payload of fixed fields that need no look at their values is decoded and encoded by inline
functions: one comparison of the size, then loads or stores. All others are functions that take one
fixed block after the other and check each once.
"""

from __future__ import annotations

from dataclasses import replace

from .celements import is_closed_enum, load, offset, store, unknown_value
from .ctext import banner, call, comment, signature, string
from .model import Field, Limit, Model, Payload, Shape, TypeKind

OUTPUTS = ("tau_codec.h", "tau_decode.c", "tau_encode.c")


def emit(model: Model) -> dict[str, str]:
    return {
        "tau_codec.h": _header(model),
        "tau_decode.c": _decode_source(model),
        "tau_encode.c": _encode_source(model),
    }


def is_plain(payload: Payload) -> bool:
    """Whether a payload is one fixed block in which every bit pattern is legal."""
    return not payload.extensible and all(
        f.shape is Shape.FIXED and not needs_look(f) for f in payload.fields
    )


def needs_look(field: Field) -> bool:
    """Whether a value of the field's type may be wrong."""
    return (
        is_closed_enum(field.type)
        or field.type.kind is TypeKind.BOOL
        or lower_bound(field) is not None
        or field.maximum is not None
    )


def lower_bound(field: Field) -> int | None:
    """The least value where it is not that of the type."""
    if field.minimum is None or (field.minimum == 0 and not field.type.signed):
        return None
    return field.minimum


def most(value: int | None, limit: Limit | None) -> str:
    """An upper bound in C: the limit's name where it has one."""
    return limit.c_name if limit else str(value)


# --- the header -------------------------------------------------------------------------------


def _decode_head(payload: Payload, prefix: str, end: str) -> str:
    """The head of a decoder; the status is on a line of its own where it is too long."""
    parameters = [
        "struct tau_slice payload",
        f"struct {payload.c_struct} *ret",
        "struct tau_decode_error *ret_error",
    ]
    return signature(f"{prefix}enum tau_status {payload.c_decode}", parameters, end)


def _encode_head(payload: Payload, prefix: str, end: str) -> str:
    parameters = [f"const struct {payload.c_struct} *value", "struct tau_writer *out"]
    return signature(f"{prefix}bool {payload.c_encode}", parameters, end)


def _size_head(payload: Payload, prefix: str, end: str) -> str:
    return f"{prefix}size_t {payload.c_size}(const struct {payload.c_struct} *value){end}"


def _plain_functions(payload: Payload) -> str:
    """The inline codec of a plain payload."""
    size = payload.size
    sizes = f"{payload.c_struct}_sizes"
    text = f"extern const uint16_t {sizes}[{len(payload.fields)}];\n\n"
    text += _decode_head(payload, "static inline ", "") + "\n{\n"
    text += f"    if (__builtin_expect(payload.size != {size}, 0))\n"
    text += f"        return tau_decode_plain(ret_error, payload, {sizes}, {size});\n"
    for field in payload.fields:
        at = offset("payload.data", field.offset or 0)
        text += f"    {load(field.type, f'ret->{field.name}', at)}\n"
    text += "    return TAU_STATUS_SUCCESS;\n}\n\n"
    text += _size_head(payload, "static inline ", "") + "\n{\n"
    text += f"    (void)value;\n    return {size};\n}}\n\n"
    text += _encode_head(payload, "static inline ", "") + "\n{\n"
    text += f"    uint8_t *at = tau_writer_reserve(out, {size});\n"
    text += "    if (at == NULL)\n        return false;\n"
    for field in payload.fields:
        at = offset("at", field.offset or 0)
        text += f"    {store(field.type, f'value->{field.name}', at)}\n"
    return text + "    return true;\n}\n"


def _header(model: Model) -> str:
    text = banner(
        "Encoders and decoders of the header and of every payload, and what is known of every "
        "operation. Decoders allocate nothing, and what they fill in points into the payload; on "
        "failure *ret is left as it was, and ret_error, which may be NULL, says why. Encoders write "
        "all or nothing: false means that there is no room, or that a value is not legal. A size is "
        "that of a legal value. No encoder or decoder has any state."
    )
    text += """#ifndef TAU_CODEC_H
#define TAU_CODEC_H

#include <string.h>

#include <tau/protocol.h>

#include "tau_elements.h"
#include "wire/bytes.h"
#include "wire/decode.h"
#include "wire/writer.h"

"""
    text += _frame(model) + "\n" + _operation_table(model) + "\n"
    for operation in model.operations:
        for payload in (operation.request, operation.response):
            if not payload.empty:
                text += _declare(payload, operation.name)
    for reply in model.replies:
        if not reply.payload.empty:
            text += _declare(reply.payload, reply.name)
    return text + "#endif\n"


def _declare(payload: Payload, title: str) -> str:
    size = f"{payload.min_size} to {payload.max_size} bytes"
    if payload.size is not None:
        size = f"{payload.size} bytes"
    role = payload.name.rpartition("_")[2] if "_" in payload.name else "frame"
    text = comment(f"{title}, {role}: {size}.")
    if is_plain(payload):
        return text + _plain_functions(payload) + "\n"
    text += _decode_head(payload, "", ";") + "\n"
    text += _size_head(payload, "", ";") + "\n"
    return text + _encode_head(payload, "", ";") + "\n\n"


def _frame(model: Model) -> str:
    """The frame header: one load for what is fixed, one table, one comparison."""
    head = model.header
    at = {f.name: f.offset for f in head.fields}
    magic = head.field("magic")
    letters = ", ".join(f"'{c}'" for c in str(magic.value))
    limit = head.field("payload_length").limit
    assert limit is not None
    return f"""/* The frame header, without what never changes. */
struct tau_header {{
    uint8_t opcode;
    uint8_t flags;
    uint32_t payload_length;
}};

/* What an opcode is, by opcode. */
enum tau_frame_kind {{
    TAU_FRAME_UNKNOWN,
    TAU_FRAME_REQUEST,
    TAU_FRAME_REPLY,
}};
extern const uint8_t tau_frame_kinds[256];

static inline void tau_header_store(uint8_t out[TAU_HEADER_SIZE], const struct tau_header *header)
{{
    static const uint8_t opening[] = {{{letters}, TAU_PROTOCOL_VERSION}};
    memcpy(out, opening, sizeof opening);
    out[{at['opcode']}] = header->opcode;
    out[{at['flags']}] = header->flags;
    tau_store_u32(out + {at['payload_length']}, header->payload_length);
}}

/* Says which check a header fails; called only for one that fails. */
enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error) __attribute__((cold));

/* Checks magic, version, opcode and length in this order. A known opcode may be that of a reply,
 * and the flags may be anything: both are for the caller to judge. Offsets of errors are in the
 * header. On failure *ret holds nothing of use. */
static inline enum tau_status tau_header_decode(const uint8_t bytes[TAU_HEADER_SIZE],
                                                struct tau_header *ret,
                                                struct tau_decode_error *ret_error)
{{
    const uint32_t opening = UINT32_C({_opening(model)});
    ret->opcode = bytes[{at['opcode']}];
    ret->flags = bytes[{at['flags']}];
    ret->payload_length = tau_load_u32(bytes + {at['payload_length']});
    if (__builtin_expect(tau_load_u32(bytes) != opening ||
                             tau_frame_kinds[ret->opcode] == TAU_FRAME_UNKNOWN ||
                             ret->payload_length > {limit.c_name},
                         0))
        return tau_header_refuse(bytes, ret_error);
    return TAU_STATUS_SUCCESS;
}}
"""


def _opening(model: Model) -> str:
    """Magic and version as one big-endian number."""
    magic, version = model.header.field("magic"), model.header.field("version")
    assert magic.size == 3 and version.size == 1 and isinstance(version.value, int)
    return "0x" + (str(magic.value).encode() + bytes([version.value])).hex().upper()


def _operation_table(model: Model) -> str:
    count = len(model.operations)
    roles = sorted({"none", "reader", "writer", "admin"}, key=("none", "reader", "writer", "admin").index)
    constants = "".join(f"    TAU_ROLE_{r.upper()},\n" for r in roles)
    return f"""/* Who may ask for an operation; each role may do what those before it may. */
enum tau_role {{
{constants}}};

/* What is known of an operation. */
struct tau_operation_info {{
    const char *name;
    const char *service;
    uint8_t opcode;
    uint8_t reply; /* the opcode of a successful answer */
    enum tau_role role;
    bool write;      /* changes data, and is held back until that is durable */
    bool stream;     /* answered by any number of frames */
    bool session;    /* belongs to the session of a binary connection */
    bool batched;    /* reaches its handler as an array */
    bool negotiated; /* sent only after NEGOTIATE listed it */
    bool extensible; /* later versions may add fields at the end of its payloads */
    uint32_t min_request_size;
    uint32_t max_request_size;
    uint32_t min_response_size;
    uint32_t max_response_size;
    uint64_t fingerprint;
}};

#define TAU_OPERATION_COUNT {count}

/* All operations by ascending opcode. */
extern const struct tau_operation_info tau_operations[TAU_OPERATION_COUNT];

/* For each opcode 1 + the place of its operation in tau_operations, or 0. */
extern const uint8_t tau_operation_places[256];

/* The operation that an opcode requests, or NULL. */
static inline const struct tau_operation_info *tau_operation_find(uint8_t opcode)
{{
    uint8_t place = tau_operation_places[opcode];
    return place == 0 ? NULL : &tau_operations[place - 1];
}}
"""


# --- decoders ---------------------------------------------------------------------------------


class _Decoder:
    """Writes the body of one decoder."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.lines: list[str] = []
        self.indent = 1
        self.blocks = 0

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
            if fields[0].feature is not None and not self._inside_feature():
                self._open_feature(fields[0])
            fields = self._step(fields)
        if self._inside_feature():
            self.indent -= 1
            self.put("}")
        last = self.payload.fields[-1].shape
        if not self.payload.extensible and last not in (Shape.REST, Shape.REST_ARRAY):
            self.put("if (pos != payload.size)")
            self.put("    return tau_decode_trailing(ret_error, pos);")
        self.put("*ret = value;")
        self.put("return TAU_STATUS_SUCCESS;")
        return "\n".join(self.lines) + "\n"

    def _inside_feature(self) -> bool:
        return self.indent > 1

    def _open_feature(self, field: Field) -> None:
        assert field.feature is not None
        self.put(f"value.has_{field.feature.name} = pos != payload.size;")
        self.put(f"if (value.has_{field.feature.name}) {{")
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
            if field.feature is not None and not self._inside_feature():
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
        self.fail(f"at[{delta}] > 1", field, offset("pos", delta), "0 or 1, whether the value follows")
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
            self.fail(f"{field.name}_valid != {name}.size", field, f"pos + {field.name}_valid", "UTF-8")

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
        _decode_head(p, "", "") + "\n{\n" + _Decoder(p).run() + "}\n"
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


# --- encoders ---------------------------------------------------------------------------------


def _conditions(payload: Payload) -> list[tuple[str | None, str]]:
    """What makes a value illegal, each with the feature without which it does not matter."""
    found: list[tuple[str | None, str]] = []
    for field in payload.fields:
        name = f"value->{field.name}"
        feature = field.feature.name if field.feature else None
        tests: list[str] = []
        if field.shape in (Shape.FIXED, Shape.OPTIONAL) and not field.is_count:
            tests = _value_tests(field, name)
            if field.optional and tests:
                tests = [f"value->has_{field.name} && ({' || '.join(tests)})"]
        elif field.is_slice:
            tests.append(f"{name}.size > {most(field.max_bytes, field.limit)}")
            if field.type.kind is TypeKind.TEXT:
                tests.append(f"tau_utf8_valid({name}.data, {name}.size) != {name}.size")
        elif field.is_array:
            counter = field.count_field and payload.field(field.count_field)
            if counter and counter.counts[0] != field.name:
                tests.append(f"{name}.count != value->{counter.counts[0]}.count")
            else:
                tests.append(f"{name}.count > {most(field.max_count, field.limit)}")
        found += [(feature, t) for t in tests]
    return found


def _value_tests(field: Field, name: str) -> list[str]:
    tests: list[str] = []
    if is_closed_enum(field.type):
        tests.append(unknown_value(field.type, f"(uint32_t){name}"))
    elif field.type.kind is TypeKind.ENUM:
        tests.append(f"(uint32_t){name} > {(1 << 8 * field.type.size) - 1}")
    elif field.type.kind is TypeKind.STATUS:
        tests.append(f"(uint32_t){name} > 0xFF")
    low = lower_bound(field)
    if low is not None:
        tests.append(f"{name} < {low}")
    if field.maximum is not None:
        tests.append(f"{name} > {most(field.maximum, field.limit)}")
    return tests


def _legal_function(payload: Payload) -> str:
    conditions = _conditions(payload)
    if not conditions:
        return ""
    text = f"static bool {payload.name}_is_legal(const struct {payload.c_struct} *value)\n{{\n"
    feature: str | None = None
    for needs, test in conditions:
        if needs != feature and needs is not None:
            text += f"    if (!value->has_{needs})\n        return true;\n"
            feature = needs
        text += f"    if ({test})\n        return false;\n"
    return text + "    return true;\n}\n\n"


def _size_terms(fields: list[Field]) -> list[str]:
    """The size of fields as terms of a sum."""
    constant = 0
    terms: list[str] = []
    for field in fields:
        name = f"value->{field.name}"
        if field.shape is Shape.FIXED:
            constant += field.type.size
        elif field.shape is Shape.OPTIONAL:
            constant += 1
            terms.append(f"(value->has_{field.name} ? {field.type.size} : 0)")
        elif field.is_slice:
            constant += field.prefix
            terms.append(f"{name}.size")
        else:
            terms.append(f"{name}.count * {field.type.size}")
    return ([str(constant)] if constant else []) + terms


def _size_function(payload: Payload) -> str:
    text = _size_head(payload, "", "") + "\n{\n"
    always = [f for f in payload.fields if f.feature is None]
    extra = [f for f in payload.fields if f.feature is not None]
    terms = _size_terms(always)
    if payload.size is not None:
        text += "    (void)value;\n"
    if extra:
        assert extra[0].feature is not None
        text += f"    if (!value->has_{extra[0].feature.name})\n"
        text += f"        return {' + '.join(terms)};\n"
        terms = _size_terms(always + extra)
    elif payload.extensible and len(terms) == 1 and terms[0].isdigit():
        text += "    (void)value;\n"
    return text + f"    return {' + '.join(terms)};\n}}\n\n"


def _encode_lines(field: Field, payload: Payload) -> list[str]:
    """The statements that store one field at `at` and move on."""
    name, step = f"value->{field.name}", f"at += {field.type.size};"
    if field.is_count:
        counted = f"value->{field.counts[0]}.count"
        cast = f"(uint{field.type.size * 8}_t){counted}"
        return [f"tau_store_{field.type.wire}(at, {cast});", step]
    if field.shape is Shape.FIXED:
        return [store(field.type, name, "at"), step]
    if field.shape is Shape.OPTIONAL:
        return [
            f"*at++ = value->has_{field.name} ? 1 : 0;",
            f"if (value->has_{field.name}) {{",
            f"    {store(field.type, name, 'at')}",
            f"    {step}",
            "}",
        ]
    if field.is_slice:
        lines = []
        if field.prefix:
            width = field.prefix * 8
            lines += [f"tau_store_u{width}(at, (uint{width}_t){name}.size);", f"at += {field.prefix};"]
        return lines + [f"at = put_bytes(at, {name});"]
    return [f"at = tau_{field.type.c_stem}_put(at, &{name});"]


def _encode_function(payload: Payload) -> str:
    text = _legal_function(payload) + _size_function(payload)
    text += _encode_head(payload, "", "") + "\n{\n"
    if _conditions(payload):
        text += f"    if (!{payload.name}_is_legal(value))\n        return false;\n"
    text += f"    uint8_t *at = tau_writer_reserve(out, {payload.c_size}(value));\n"
    text += "    if (at == NULL)\n        return false;\n"
    lines: list[str] = []
    inside = False
    for field in payload.fields:
        if field.feature and not inside:
            lines += [f"if (!value->has_{field.feature.name})", "    return true;"]
            inside = True
        lines += _encode_lines(field, payload)
    if lines[-1].startswith("at += "):
        lines.pop()
    elif lines[-1] == "}" and lines[-2].strip().startswith("at += "):
        del lines[-2]
        lines[-3:] = [lines[-3].removesuffix(" {"), lines[-2]]
    elif lines[-1].startswith("at = "):
        lines[-1] = lines[-1].removeprefix("at = ")
    text += "".join(f"    {line}\n" for line in lines)
    return text + "    return true;\n}\n"


def _encode_source(model: Model) -> str:
    text = banner("Encodes the payloads that are not one plain block.")
    text += """#include "tau_codec.h"
#include "wire/utf8.h"

static uint8_t *put_bytes(uint8_t *to, struct tau_slice bytes)
{
    if (bytes.size > 0)
        memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

"""
    return text + "\n".join(_encode_function(p) for p in model.payloads if not is_plain(p))
