# SPDX-License-Identifier: MIT
"""Descriptions of payloads as data, for generic tools: tau_tables.h, tau_tables.c."""

from __future__ import annotations

from .ctext import banner, string
from .model import Field, Model, Payload, Shape, Type, TypeKind

OUTPUTS = ("tau_tables.h", "tau_tables.c")

LIMIT_NUMBER = "limit_number"  # the type, if a specification has it, of the numbers of limits

_SHAPES = {
    Shape.FIXED: "TAU_SHAPE_FIXED",
    Shape.OPTIONAL: "TAU_SHAPE_OPTIONAL",
    Shape.SIZED: "TAU_SHAPE_SIZED",
    Shape.REST: "TAU_SHAPE_REST",
    Shape.COUNTED_ARRAY: "TAU_SHAPE_COUNTED_ARRAY",
    Shape.REST_ARRAY: "TAU_SHAPE_REST_ARRAY",
}

_HEADER = """#ifndef TAU_TABLES_H
#define TAU_TABLES_H

#include "tau_codec.h"

/* How the bytes of a type are read. */
enum tau_type_kind {
    TAU_TYPE_INTEGER,
    TAU_TYPE_FLOAT,
    TAU_TYPE_BOOL,
    TAU_TYPE_STATUS,
    TAU_TYPE_ENUM,
    TAU_TYPE_BYTES,  /* a fixed number of raw bytes */
    TAU_TYPE_STRUCT, /* members behind each other */
    TAU_TYPE_TEXT,   /* a struct tau_slice of UTF-8 */
    TAU_TYPE_BLOB,   /* a struct tau_slice of bytes */
};

struct tau_type_info;

/* A member of a struct type. */
struct tau_member_info {
    const char *name;
    const struct tau_type_info *type;
    uint16_t wire_offset;
    uint16_t c_offset;
};

/* A type; sizes are those of one value on the wire and in C. */
struct tau_type_info {
    const char *name;
    enum tau_type_kind kind;
    bool is_signed;
    uint16_t wire_size;
    uint16_t c_size;
    const struct tau_member_info *members;
    size_t member_count;
    const char *(*value_name)(int value); /* of what has names, else NULL; "unknown" for others */
};

/* How a field lies in its payload. */
enum tau_field_shape {
    TAU_SHAPE_FIXED,
    TAU_SHAPE_OPTIONAL, /* a bool at has_offset says whether the value is there */
    TAU_SHAPE_SIZED,    /* a struct tau_slice behind its length */
    TAU_SHAPE_REST,     /* a struct tau_slice up to the end */
    TAU_SHAPE_COUNTED_ARRAY,
    TAU_SHAPE_REST_ARRAY,
};

/* A field of a payload. */
struct tau_field_info {
    const char *name;
    const struct tau_type_info *type;
    enum tau_field_shape shape;
    uint8_t prefix_size;     /* of the length in front, or 0 */
    uint16_t count_field;    /* the place of the field that counts an array, or TAU_FIELD_NONE */
    bool needs_feature;      /* or a later version: there only if the bool at has_offset is true */
    uint16_t c_offset;
    uint16_t has_offset;
    uint32_t min_count;      /* elements of an array, else 0 */
    uint32_t max_count;      /* elements of an array, bytes of a slice, else 0 */
};

/* A payload and its codec, with the struct behind a plain pointer. */
struct tau_payload_info {
    const char *name; /* for example append_request */
    const struct tau_field_info *fields;
    size_t field_count;
    size_t c_size;
    uint32_t min_size;
    uint32_t max_size;
    bool extensible;
    enum tau_status (*decode)(struct tau_slice payload, void *ret,
                              struct tau_decode_error *ret_error);
    size_t (*size)(const void *value);
    bool (*encode)(const void *value, struct tau_writer *out);
};

"""


def emit(model: Model) -> dict[str, str]:
    return {"tau_tables.h": _header(model), "tau_tables.c": _source(model)}


def _header(model: Model) -> str:
    text = banner(
        "Describes every payload as data, for tools that treat all alike: tests, dumps, fuzzers. "
        "The server and the client do without it."
    )
    text += _HEADER
    text += f"#define TAU_PAYLOAD_COUNT {len(model.payloads)}\n\n"
    text += "/* Every payload that has fields: requests and responses by opcode, then replies. */\n"
    text += "extern const struct tau_payload_info tau_payloads[TAU_PAYLOAD_COUNT];\n\n"
    text += "/* The payload of this name, or NULL. */\n"
    text += "const struct tau_payload_info *tau_payload_find(const char *name);\n\n#endif\n"
    return text


def _used_types(model: Model) -> list[Type]:
    """Types that fields and members have, those of members first."""
    found: dict[str, Type] = {}

    def add(type_: Type) -> None:
        for member in type_.members:
            add(member.type)
        found.setdefault(type_.name, type_)

    for payload in model.payloads:
        for field in payload.fields:
            add(field.type)
    return list(found.values())


def _limit_names(model: Model) -> str:
    """The names of the type whose values are numbers of limits."""
    text = f"static const char *{LIMIT_NUMBER}_value_name(int value)\n{{\n    switch (value) {{\n"
    for limit in model.limits:
        text += f'    case {limit.number}:\n        return "{limit.name}";\n'
    return text + '    default:\n        return "unknown";\n    }\n}\n\n'


def _value_name(type_: Type) -> str:
    """The function that names a value, or NULL where values have no names."""
    named = type_.name == LIMIT_NUMBER or type_.kind in (TypeKind.ENUM, TypeKind.STATUS)
    return f"{type_.name}_value_name" if named else "NULL"


def _type(type_: Type) -> str:
    text = ""
    members = "NULL"
    if type_.members:
        members = f"{type_.name}_members"
        text += f"static const struct tau_member_info {members}[] = {{\n"
        for m in type_.members:
            place = f"offsetof({type_.c_type}, {m.name})"
            text += f'    {{"{m.name}", &{m.type.name}_type, {m.offset}, {place}}},\n'
        text += "};\n\n"
    if type_.kind in (TypeKind.ENUM, TypeKind.STATUS):
        named = _value_name(type_)
        tag = type_.c_type.removeprefix("enum ")
        text += f"static const char *{named}(int value)\n{{\n"
        text += f"    return {tag}_name(({type_.c_type})value);\n}}\n\n"
    kind = f"TAU_TYPE_{type_.kind.name}"
    text += f"""static const struct tau_type_info {type_.name}_type = {{
    .name = "{type_.name}",
    .kind = {kind},
    .is_signed = {str(type_.signed).lower()},
    .wire_size = {type_.size},
    .c_size = sizeof({type_.c_type}),
    .members = {members},
    .member_count = {len(type_.members)},
    .value_name = {_value_name(type_)},
}};

"""
    return text


def _field(field: Field, payload: Payload) -> str:
    tag = f"struct {payload.c_struct}"
    has = "0"
    if field.optional:
        has = f"offsetof({tag}, has_{field.name})"
    if field.tail:
        has = f"offsetof({tag}, has_{field.tail})"
    counter = "TAU_FIELD_NONE"
    if field.count_field:
        counter = str(payload.field(field.count_field).number)
    top = field.max_count if field.is_array else field.max_bytes
    rows = [
        f'.name = "{field.name}"',
        f".type = &{field.type.name}_type",
        f".shape = {_SHAPES[field.shape]}",
        f".prefix_size = {field.prefix}",
        f".count_field = {counter}",
        f".needs_feature = {str(bool(field.tail)).lower()}",
        f".c_offset = offsetof({tag}, {field.name})",
        f".has_offset = {has}",
        f".min_count = {field.min_count}",
        f".max_count = {top or 0}",
    ]
    return "    {\n" + "".join(f"        {row},\n" for row in rows) + "    },\n"


def _payload_functions(payload: Payload) -> str:
    return f"""static const struct tau_field_info {payload.name}_fields[] = {{
{''.join(_field(f, payload) for f in payload.fields)}}};

static enum tau_status {payload.name}_decode(struct tau_slice payload, void *ret,
{' ' * (len(payload.name) + 31)}struct tau_decode_error *ret_error)
{{
    return {payload.c_decode}(payload, ret, ret_error);
}}

static size_t {payload.name}_size(const void *value)
{{
    return {payload.c_size}(value);
}}

static bool {payload.name}_encode(const void *value, struct tau_writer *out)
{{
    return {payload.c_encode}(value, out);
}}

"""


def _payload_row(payload: Payload) -> str:
    return f"""    {{
        .name = "{payload.name}",
        .fields = {payload.name}_fields,
        .field_count = {len(payload.fields)},
        .c_size = sizeof(struct {payload.c_struct}),
        .min_size = {payload.min_size},
        .max_size = {payload.max_size},
        .extensible = {str(payload.extensible).lower()},
        .decode = {payload.name}_decode,
        .size = {payload.name}_size,
        .encode = {payload.name}_encode,
    }},
"""


def _source(model: Model) -> str:
    text = banner("The description of every payload; see tau_tables.h.")
    text += '#include "tau_tables.h"\n\n#include <stddef.h>\n#include <string.h>\n\n'
    types = _used_types(model)
    if any(t.name == LIMIT_NUMBER for t in types):
        text += _limit_names(model)
    text += "".join(_type(t) for t in types)
    text += "".join(_payload_functions(p) for p in model.payloads)
    text += "const struct tau_payload_info tau_payloads[TAU_PAYLOAD_COUNT] = {\n"
    text += "".join(_payload_row(p) for p in model.payloads) + "};\n\n"
    return text + """const struct tau_payload_info *tau_payload_find(const char *name)
{
    for (size_t i = 0; i < TAU_PAYLOAD_COUNT; i++) {
        if (strcmp(tau_payloads[i].name, name) == 0)
            return &tau_payloads[i];
    }
    return NULL;
}
"""
