# SPDX-License-Identifier: MIT
"""Elements of arrays and of struct types: tau_elements.h and tau_elements.c."""

from __future__ import annotations

from .celements import load, offset, store
from .ctext import banner, signature
from .emit_types import array_elements
from .model import Model, Type, TypeKind

OUTPUTS = ("tau_elements.h", "tau_elements.c")


def emit(model: Model) -> dict[str, str]:
    return {"tau_elements.h": _header(model), "tau_elements.c": _source(model)}


def structs(model: Model) -> list[Type]:
    return [t for t in model.types if t.kind is TypeKind.STRUCT]


def _load_function(type_: Type) -> str:
    lines = [
        f"static inline {type_.c_type} tau_{type_.c_stem}_load(const uint8_t *at)",
        "{",
        f"    {type_.c_type} ret;",
    ]
    lines += [
        "    " + load(m.type, f"ret.{m.name}", offset("at", m.offset)) for m in type_.members
    ]
    return "\n".join(lines + ["    return ret;", "}\n"])


def _store_function(type_: Type) -> str:
    head = f"static inline void tau_{type_.c_stem}_store"
    lines = [signature(head, ["uint8_t *at", f"const {type_.c_type} *value"], ""), "{"]
    lines += [
        "    " + store(m.type, f"value->{m.name}", offset("at", m.offset)) for m in type_.members
    ]
    return "\n".join(lines + ["}\n"])


def _header(model: Model) -> str:
    text = banner(
        "Loads and stores of struct types, and the copies with which encoders write arrays. "
        "Callers have checked that the bytes are there."
    )
    text += """#ifndef TAU_ELEMENTS_H
#define TAU_ELEMENTS_H

#include <string.h>

#include <tau/protocol.h>

#include "wire/bytes.h"

"""
    for type_ in structs(model):
        text += _load_function(type_) + "\n" + _store_function(type_) + "\n"
    text += "/* Store all elements of an array, in whichever order it is, and give the end. */\n"
    for type_ in array_elements(model):
        text += f"uint8_t *tau_{type_.c_stem}_put(uint8_t *to, const struct tau_array *array);\n"
    return text + "\n#endif\n"


def _at(type_: Type) -> str:
    text = f"{type_.c_type} tau_{type_.c_stem}_at(struct tau_array array, size_t index)\n{{\n"
    if type_.kind is TypeKind.BYTES:
        text += f"    {type_.c_type} ret;\n"
        text += "    const uint8_t *elements = array.data;\n"
        text += "    memcpy(ret.bytes, elements + index * sizeof ret, sizeof ret);\n"
        return text + "    return ret;\n}\n"
    text += f"""    if (!array.wire_order)
        return ((const {type_.c_type} *)array.data)[index];
    return {_load(type_, f"(const uint8_t *)array.data + index * {type_.size}")};
}}
"""
    return text


def _load(type_: Type, at: str) -> str:
    """An expression that loads an element."""
    if type_.kind is TypeKind.STRUCT:
        return f"tau_{type_.c_stem}_load({at})"
    cast = f"({type_.c_type})" if type_.kind is TypeKind.ENUM else ""
    return f"{cast}tau_load_{type_.wire}({at})"


def _copy(type_: Type) -> str:
    head = signature(
        f"void tau_{type_.c_stem}_copy",
        ["struct tau_array array", "size_t first", "size_t count", f"{type_.c_type} *ret"],
        "",
    )
    if type_.kind is TypeKind.BYTES:
        return f"""{head}
{{
    if (count > 0)
        memcpy(ret, (const uint8_t *)array.data + first * sizeof *ret, count * sizeof *ret);
}}
"""
    swap = "    tau_column_swap(ret, from, count);\n"
    if type_.size != 8 or type_.kind is TypeKind.STRUCT:
        swap = f"""    for (size_t i = 0; i < count; i++)
        ret[i] = {_load(type_, f"from + i * {type_.size}")};
"""
    return f"""{head}
{{
    if (count == 0)
        return;
    if (!array.wire_order) {{
        const {type_.c_type} *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }}
    const uint8_t *from = (const uint8_t *)array.data + first * {type_.size};
{swap}}}
"""


def _put(type_: Type) -> str:
    head = f"uint8_t *tau_{type_.c_stem}_put(uint8_t *to, const struct tau_array *array)\n"
    tail = f"    return to + array->count * {type_.size};\n}}\n"
    if type_.kind is TypeKind.BYTES:
        return f"""{head}{{
    if (array->count > 0)
        memcpy(to, array->data, array->count * {type_.size});
{tail}"""
    if type_.kind is TypeKind.STRUCT:
        loop = f"""    const {type_.c_type} *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        tau_{type_.c_stem}_store(to + i * {type_.size}, &from[i]);
"""
    elif type_.size == 8:
        loop = "    tau_column_swap(to, array->data, array->count);\n"
    else:
        loop = f"""    const {type_.c_type} *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        {store(type_, "from[i]", f"to + i * {type_.size}")}
"""
    return f"""{head}{{
    if (array->count == 0)
        return to;
    if (array->wire_order) {{
        memcpy(to, array->data, array->count * {type_.size});
        return to + array->count * {type_.size};
    }}
{loop}{tail}"""


def _source(model: Model) -> str:
    text = banner("Reads elements of arrays, and writes arrays, in the order of the wire or not.")
    text += '#include "tau_elements.h"\n\n#include "wire/columns.h"\n\n'
    functions = [f(t) for t in array_elements(model) for f in (_at, _copy, _put)]
    return text + "\n".join(functions)
