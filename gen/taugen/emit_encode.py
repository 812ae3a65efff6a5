# SPDX-License-Identifier: MIT
"""The encoders that are not inline: tau_encode.c.

An encoder first judges the value, then reserves the whole payload at once: it cannot overrun, and
what it refuses leaves the output as it was.
"""

from __future__ import annotations

from .ccodec import encode_head, is_plain, lower_bound, most, size_head
from .celements import is_closed_enum, store, unknown_value
from .ctext import banner
from .model import Field, Model, Payload, Shape, TypeKind

OUTPUTS = ("tau_encode.c",)


def emit(model: Model) -> dict[str, str]:
    return {"tau_encode.c": _encode_source(model)}


def _conditions(payload: Payload) -> list[tuple[str | None, str]]:
    """What makes a value illegal, each with the tail without which it does not matter."""
    found: list[tuple[str | None, str]] = []
    for field in payload.fields:
        name = f"value->{field.name}"
        tail = field.tail or None
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
        found += [(tail, t) for t in tests]
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
    tail: str | None = None
    for needs, test in conditions:
        if needs != tail and needs is not None:
            text += f"    if (!value->has_{needs})\n        return true;\n"
            tail = needs
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
            terms.append(f"(value->has_{field.name} ? {field.type.size}u : 0u)")
        elif field.is_slice:
            constant += field.prefix
            terms.append(f"{name}.size")
        else:
            terms.append(f"{name}.count * {field.type.size}")
    return ([str(constant)] if constant else []) + terms


def _size_function(payload: Payload) -> str:
    text = size_head(payload, "", "") + "\n{\n"
    there = [f for f in payload.fields if not f.tail]
    terms = _size_terms(there)
    if payload.size is not None:
        text += "    (void)value;\n"
    tails = list(dict.fromkeys(f.tail for f in payload.fields if f.tail))
    for tail in tails:
        text += f"    if (!value->has_{tail})\n        return {' + '.join(terms) or '0'};\n"
        there += [f for f in payload.fields if f.tail == tail]
        terms = _size_terms(there)
    if not tails and payload.extensible and len(terms) == 1 and terms[0].isdigit():
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
            lines.append(f"tau_store_u{width}(at, (uint{width}_t){name}.size);")
            lines.append(f"at += {field.prefix};")
        return lines + [f"at = put_bytes(at, {name});"]
    return [f"at = tau_{field.type.c_stem}_put(at, &{name});"]


def _encode_function(payload: Payload) -> str:
    text = _legal_function(payload) + _size_function(payload)
    text += encode_head(payload, "", "") + "\n{\n"
    if _conditions(payload):
        text += f"    if (!{payload.name}_is_legal(value))\n        return false;\n"
    text += f"    uint8_t *at = tau_writer_reserve(out, {payload.c_size}(value));\n"
    text += "    if (at == NULL)\n        return false;\n"
    lines: list[str] = []
    tail = ""
    for field in payload.fields:
        if field.tail != tail:
            tail = field.tail
            lines += [f"if (!value->has_{tail})", "    return true;"]
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
