# SPDX-License-Identifier: MIT
"""The JavaScript package's derived half: the tables of its codec and a method for each operation.

A name of the specification becomes a key in camel case. A count is no key: it follows from its
arrays. Beside the key of an f64 stands one that ends in `Bits`, with the same value's bits.
Integers of 64 bits are BigInt. emit_js_types writes the declarations of the same modules.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any, Iterable, Union

from .model import Field, Member, Model, Operation, Payload, Shape, Type, TypeKind
from .names import Scope

MODEL = "js/model.js"
OPERATIONS = "js/operations.js"

OUTPUTS: tuple[str, ...] = (MODEL, OPERATIONS)

COLUMNS = 100

# What every object has; a key must not hide it, and is never missing where it is not given.
OBJECT = frozenset(
    """constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString
    valueOf""".split()
)

# What every client has, whatever the specification says; a method must not hide it. One that is
# named `then` would make a promise of the client.
RESERVED = OBJECT | {"call", "close", "closed", "server", "stream", "supports", "then"}


# --- names and text -------------------------------------------------------------------------------


def camel(name: str) -> str:
    """A name of the specification as a key: payload_length, APPEND -> payloadLength, append."""
    first, *rest = name.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


def pascal(name: str) -> str:
    """A name of the specification as a type: query_range_request -> QueryRangeRequest."""
    return "".join(part.capitalize() for part in name.lower().split("_"))


def bits_key(item: Union[Field, Member]) -> str:
    """The key of the bits of an f64, "" for another type."""
    return camel(item.name) + "Bits" if item.type.kind is TypeKind.FLOAT else ""


def method_name(operation: Operation) -> str:
    return camel(operation.name)


def check_keys(items: Iterable[Union[Field, Member]]) -> None:
    """Fails where two keys of one object are the same, or one is every object's."""
    scope = Scope("JavaScript", OBJECT)
    for item in items:
        array = isinstance(item, Field) and item.is_array
        scope.take(camel(item.name), f"the field `{item.name}`", item.place)
        if bits_key(item) and not array:
            scope.take(bits_key(item), f"what holds the bits of `{item.name}`", item.place)


def check_names(model: Model) -> None:
    """Fails where a name of the specification cannot be one here."""
    methods = Scope("JavaScript", RESERVED)
    for operation in model.operations:
        methods.take(method_name(operation), f"the operation {operation.name}", operation.place)
    for type_ in model.types:
        check_keys(type_.members)
    for payload in all_payloads(model):
        check_keys(payload.fields)


def banner(purpose: str) -> str:
    """The head of a generated file."""
    lines = textwrap.wrap(purpose, COLUMNS - 3)
    lines += ["", "Generated from the specification in protocol/ by gen/taugen; changes are lost."]
    return "// SPDX-License-Identifier: MIT\n//\n" + "".join(
        f"// {line}".rstrip() + "\n" for line in lines
    )


def comment(paragraphs: list[str], indent: int = 0) -> str:
    """A documentation comment; each paragraph is wrapped by itself, an empty one parts two."""
    margin = " " * indent
    width = COLUMNS - indent - 3
    lines: list[str] = []
    for paragraph in paragraphs:
        text = " ".join(paragraph.replace("*/", "* /").split())
        hanging = "    " if text.startswith("@") else ""
        wrapped = textwrap.wrap(text, width, subsequent_indent=hanging, break_long_words=False)
        lines += wrapped or [""]
    if len(lines) == 1 and len(margin) + len(lines[0]) + 7 <= COLUMNS:
        return f"{margin}/** {lines[0]} */\n"
    body = "".join(f"{margin} * {line}".rstrip() + "\n" for line in lines)
    return f"{margin}/**\n{body}{margin} */\n"


class Big(int):
    """An integer that is written as a BigInt."""


KEPT = "\0"  # stands for a blank at which no line may be broken


def literal(value: Any) -> str:
    """A value as JavaScript writes it, to be passed through `wrapped`."""
    if isinstance(value, Big):
        return f"{int(value)}n"
    if isinstance(value, dict):
        rows = (f"{key_text(key)}:{KEPT}{literal(item)}" for key, item in value.items())
        return "{ " + ", ".join(rows) + " }" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)[1:-1].replace("'", "\\'")
        return "'" + text.replace('\\"', '"').replace(" ", KEPT) + "'"
    return json.dumps(value)


def key_text(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_$][\w$]*", key) else literal(key)


def wrapped(text: str, indent: int) -> str:
    """A row of a table, broken at its commas where it is too long."""
    margin = " " * indent
    lines = textwrap.wrap(text, COLUMNS - indent, subsequent_indent="    ",
                          break_long_words=False, break_on_hyphens=False)  # fmt: skip
    return "".join(f"{margin}{line}\n" for line in lines).replace(KEPT, " ")


# --- tables ---------------------------------------------------------------------------------------


def number(type_: Type, value: int | None) -> int | None:
    wide = type_.wire in ("u64", "i64")
    return Big(value) if wide and value is not None else value


def present(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what does not apply to it."""
    return {key: value for key, value in row.items() if value not in (None, "", (), [])}


def type_row(type_: Type) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": type_.kind.value, "wire": type_.wire, "size": type_.size}
    if type_.kind is TypeKind.ENUM:
        row["open"] = type_.open
        row["values"] = [(v.name, v.value) for v in type_.values]
    if type_.members:
        row["members"] = [
            present({"key": camel(m.name), "bits": bits_key(m), "type": m.type.name})
            | {"offset": m.offset}
            for m in type_.members
        ]
    return row


def field_row(field: Field) -> dict[str, Any]:
    bits = "" if field.is_array else bits_key(field)
    row = {
        "name": field.name, "key": camel(field.name), "bits": bits, "type": field.type.name,
        "shape": field.shape.value, "prefix": field.prefix or None,
        "minimum": number(field.type, field.minimum), "maximum": number(field.type, field.maximum),
        "maxCount": field.max_count, "maxBytes": field.max_bytes,
        "tail": field.tail,
        "countField": field.count_field, "counts": field.counts,
    }  # fmt: skip
    return {"number": field.number} | present(row)


def payload_rows(payload: Payload) -> str:
    text = (
        f"    {payload.name}: {{\n        minSize: {payload.min_size}, "
        f"maxSize: {payload.max_size}, extensible: {literal(payload.extensible)},\n"
        "        fields: ["
    )
    if payload.empty:
        return text + "],\n    },\n"
    rows = "".join(wrapped(literal(field_row(f)) + ",", 12) for f in payload.fields)
    return text + f"\n{rows}        ],\n    }},\n"


def operation_row(operation: Operation) -> str:
    row = {
        "name": operation.name, "opcode": operation.code, "method": method_name(operation),
        "stream": operation.is_stream, "write": operation.is_write,
        "negotiated": operation.negotiated, "extensible": operation.extensible,
        "reply": operation.reply.code, "request": operation.request.name,
        "response": operation.response.name, "fingerprint": Big(operation.fingerprint),
    }  # fmt: skip
    return wrapped(f"{operation.name}: {literal(row)},", 4)


def table(name: str, doc: str, rows: str) -> str:
    return f"\n{comment([doc])}export const {name} = {{\n{rows}}};\n"


def plain_table(name: str, doc: str, rows: dict[str, Any]) -> str:
    return table(name, doc, "".join(wrapped(f"{key_text(k)}: {literal(v)},", 4)
                                    for k, v in rows.items()))  # fmt: skip


def all_payloads(model: Model) -> list[Payload]:
    """Every payload, the empty ones too."""
    found = [p for o in model.operations for p in (o.request, o.response)]
    return found + [r.payload for r in model.replies]


def emit_model(model: Model) -> str:
    head = {
        h.name: present({"offset": h.offset, "size": h.size, "value": h.value,
                         "limit": h.limit.value if h.limit else None}) | {"offset": h.offset}
        for h in model.header.fields
    }  # fmt: skip
    known = sorted([o.code for o in model.operations] + [r.code for r in model.replies])
    protocol = {"name": model.name, "version": model.version,
                "fingerprint": Big(model.fingerprint), "defaultListen": model.default_listen,
                "firstPush": model.first_push, "lastPush": model.last_push}  # fmt: skip
    return (
        banner("The specification as tables: what the codec reads and the session goes by.")
        + f"\n{comment(['The bytes of a frame header.'])}"
        + f"export const HEADER_SIZE = {model.header.size};\n"
        + plain_table("protocol", "The protocol itself.", protocol)
        + plain_table("header", "The fields of the header.", head)
        + plain_table("checks", "The status with which each check of a frame refuses.",
                      {c.name: c.status.name for c in model.checks})
        + plain_table("flags", "The bits of the header's flags.",
                      {f.name: f.value for f in model.flags})
        + plain_table("limits", "The limits of the protocol.",
                      {x.name: {"number": x.number, "value": x.value} for x in model.limits})
        + plain_table("features", "The bits by which features are negotiated.",
                      {f.name: Big(1 << f.bit) for f in model.features})
        + plain_table("statuses", "The statuses. Local ones never cross the wire.",
                      {s.name: {"name": s.name, "code": s.code, "class": s.status_class,
                                "local": s.local, "doc": " ".join(s.doc.split())}
                       for s in model.statuses})
        + plain_table("types", "The types of the wire.", {t.name: type_row(t) for t in model.types})
        + table("payloads", "The payloads, by name.",
                "".join(payload_rows(p) for p in all_payloads(model)))
        + table("operations", "The operations, by name.",
                "".join(operation_row(o) for o in model.operations))
        + plain_table("replies", "The frames that only a server sends.",
                      {r.name: {"opcode": r.code, "payload": r.payload.name}
                       for r in model.replies})
        + f"\n{comment(['Every opcode that has a meaning.'])}"
        + wrapped(f"export const opcodes = new Set({literal(known)});", 0)
    )  # fmt: skip


# --- methods --------------------------------------------------------------------------------------


def is_asked(field: Field) -> bool:
    """Whether a request cannot be made without this field."""
    return not field.tail and not field.is_count and (field.shape is Shape.FIXED or field.is_array)


def words(field: Field) -> str:
    """What the specification says of a field, the other field that it names called by its key."""
    return field.words.replace(f"`{field.only_with}`", f"`{camel(field.only_with)}`")


def request_words(operation: Operation) -> list[str]:
    return [
        f"@param request.{camel(f.name)} {words(f)}"
        for f in operation.request.fields
        if not f.is_count
    ]


def method_comment(operation: Operation) -> str:
    """What the specification says of an operation, as the comment of its method."""
    paragraphs = [operation.doc, ""] + request_words(operation)
    paragraphs.append("@param options Its signal and its timeoutMs.")
    response = [f for f in operation.response.fields if not f.is_count]
    if response:
        named = "; ".join(f"`{camel(f.name)}`: {words(f).rstrip('.')}" for f in response)
        batches = "Batches, each with " if operation.is_stream else ""
        paragraphs.append(f"@returns {batches}{named}.")
    if operation.statuses:
        names = ", ".join(s.name for s in operation.statuses)
        paragraphs.append(f"@throws {{TauError}} Above all {names}.")
    return comment(paragraphs, 4)


def method(operation: Operation) -> str:
    send = "stream" if operation.is_stream else "call"
    name = method_name(operation)
    if operation.request.empty:
        parameters, request = "options", "{}"
    elif any(is_asked(f) for f in operation.request.fields):
        parameters, request = "request, options", "request"
    else:
        parameters, request = "request = {}, options = undefined", "request"
    return (
        method_comment(operation)
        + f"    {name}({parameters}) {{\n"
        + f"        return this.{send}(operations.{operation.name}, {request}, options);\n    }}\n"
    )


def emit_operations(model: Model) -> str:
    return (
        banner("The client: a method for each operation of the specification.")
        + "import { ClientBase } from './client.js';\n"
        + "import { operations } from './model.js';\n\n"
        + comment(["A client of one connection; connectTcp and connectWebSocket make one."])
        + "export class Client extends ClientBase {\n"
        + "\n".join(method(o) for o in model.operations)
        + "}\n"
    )


def emit(model: Model) -> dict[str, str]:
    """The texts of both modules. Raises SpecificationError for a name that cannot be one here."""
    check_names(model)
    return {MODEL: emit_model(model), OPERATIONS: emit_operations(model)}
