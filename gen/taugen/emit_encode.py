# SPDX-License-Identifier: MIT
"""The encoders that are not inline: tau_encode.c.

An encoder first judges the value, then reserves the whole payload at once: it cannot overrun, and
what it refuses leaves the output as it was.
"""

from __future__ import annotations

import itertools
import re

from .ccodec import encode_head, is_plain, lower_bound, most, size_head
from .celements import known_value, store
from .ctext import COLUMNS, banner
from .emit_types import array_elements
from .model import Field, Model, Payload, Shape, Type, TypeKind

OUTPUTS = ("tau_encode.c",)


def emit(model: Model) -> dict[str, str]:
    return {"tau_encode.c": _encode_source(model)}


def _conditions(payload: Payload) -> list[tuple[str, str]]:
    """What makes a value legal, each with the tail without which it does not matter."""
    found: list[tuple[str, str]] = []
    for field in payload.fields:
        name = f"value->{field.name}"
        tests: list[str] = []
        if field.shape in (Shape.FIXED, Shape.OPTIONAL) and not field.is_count:
            tests = _value_tests(field, name)
            if field.optional and tests:
                tests = [f"(!value->has_{field.name} || ({' && '.join(tests)}))"]
        elif field.is_slice:
            tests.append(f"{name}.size <= {most(field.max_bytes, field.limit)}")
            if field.type.kind is TypeKind.TEXT:
                tests.append(f"is_utf8({name})")
        elif field.is_array:
            counter = field.count_field and payload.field(field.count_field)
            if counter and counter.counts[0] != field.name:
                tests.append(f"{name}.count == value->{counter.counts[0]}.count")
            else:
                if field.min_count:
                    tests.append(f"{name}.count >= {field.min_count}")
                tests.append(f"{name}.count <= {most(field.max_count, field.limit)}")
            if _enum_tests(field.type, ""):
                tests.append(f"{field.type.c_stem}_array_is_legal(&{name})")
        found += [(field.tail, t) for t in tests]
    return found


def _enum_tests(type_: Type, name: str) -> list[str]:
    """What makes an enumeration, or those in a struct, legal."""
    if type_.members:
        return [test for m in type_.members for test in _enum_tests(m.type, f"{name}.{m.name}")]
    if type_.kind is not TypeKind.ENUM:
        return []
    if not type_.open:
        return [known_value(type_, f"(uint32_t){name}")]
    return [f"(uint32_t){name} <= UINT{8 * type_.size}_MAX"] if type_.size < 4 else []


def _array_function(type_: Type) -> str:
    """A function that looks at each element of an array."""
    tests = " && ".join(_enum_tests(type_, "element"))
    return f"""static bool {type_.c_stem}_array_is_legal(const struct tau_array *array)
{{
    for (size_t i = 0; i < array->count; i++) {{
        {type_.c_type} element = tau_{type_.c_stem}_at(*array, i);
{_wrapped("        if (!(", tests)}))
            return false;
    }}
    return true;
}}

"""


def _value_tests(field: Field, name: str) -> list[str]:
    tests = _enum_tests(field.type, name)
    if field.type.kind is TypeKind.STATUS:
        tests.append(f"(uint32_t){name} <= UINT8_MAX")
    low = lower_bound(field)
    if low is not None:
        tests.append(f"{name} >= {low}")
    if field.maximum is not None:
        tests.append(f"{name} <= {most(field.maximum, field.limit)}")
    return tests


def _legal_function(payload: Payload) -> str:
    conditions = _conditions(payload)
    if not conditions:
        return ""
    groups = itertools.groupby(conditions, key=lambda condition: condition[0])
    expression = _all_of([(tail, [test for _, test in tests]) for tail, tests in groups])
    head = f"static bool {payload.name}_is_legal(const struct {payload.c_struct} *value)"
    return f"{head}\n{{\n{_wrapped('    return ', expression)};\n}}\n\n"


def _wrapped(start: str, expression: str) -> str:
    """An expression behind the start of its statement, broken behind operators where it is long."""
    lines = [start]
    for part in re.findall(r".+?(?:&& |\|\| |$)", expression):
        if len(lines[-1] + part.rstrip()) >= COLUMNS:
            lines.append(" " * len(start))
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _all_of(groups: list[tuple[str, list[str]]]) -> str:
    """A condition of groups, each of which matters only with its tail, inside of the one before."""
    (tail, tests), rest = groups[0], groups[1:]
    if rest:
        tests = [*tests, _all_of(rest)]
    expression = " && ".join(tests)
    if not tail:
        return expression
    return f"(!value->has_{tail} || {f'({expression})' if len(tests) > 1 else expression})"


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


PUT_BYTES = """static uint8_t *put_bytes(uint8_t *to, struct tau_slice bytes)
{
    if (bytes.size > 0)
        memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

"""
IS_UTF8 = """static bool is_utf8(struct tau_slice text)
{
    return tau_utf8_valid(text.data, text.size) == text.size;
}

"""


def _encode_source(model: Model) -> str:
    bodies = "\n".join(_encode_function(p) for p in model.payloads if not is_plain(p))
    text = banner("Encodes the payloads that are not one plain block.")
    text += '#include "tau_codec.h"\n#include "wire/utf8.h"\n\n'
    text += PUT_BYTES if "put_bytes(" in bodies else ""
    text += IS_UTF8 if "is_utf8(" in bodies else ""
    judged = [t for t in array_elements(model) if _enum_tests(t, "element")]
    text += "".join(_array_function(t) for t in judged)
    return text + bodies
