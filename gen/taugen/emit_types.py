# SPDX-License-Identifier: MIT
"""The public C types: include/tau/protocol.h, and the names behind them in tau_names.c."""

from __future__ import annotations

import textwrap

from .ctext import aligned, banner, comment, first_sentence, signature, string
from .model import Field, Model, Payload, Type, TypeKind

OUTPUTS = ("include/tau/protocol.h", "tau_names.c")

_OPENING = """
#ifndef TAU_PROTOCOL_H
#define TAU_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef TAU_API
#if defined(__GNUC__)
#define TAU_API __attribute__((visibility("default")))
#else
#define TAU_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

"""

_BORROWED = """
/* A borrowed run of bytes. Whoever gives one says until when the bytes stay. */
struct tau_slice {
    const uint8_t *data;
    size_t size;
};

/* A borrowed array of elements. With `wire_order` false, `data` points at elements as they are in
 * memory (int64_t, double, struct tau_row and so on, aligned as the language asks). With
 * `wire_order` true it points at the bytes of a received payload: elements lie behind each other
 * without padding, big-endian, at any alignment; read them with the functions below. Encoders take
 * both. */
struct tau_array {
    const void *data;
    size_t count;
    bool wire_order;
};
"""


def array_elements(model: Model) -> list[Type]:
    """The types of which there are arrays, each C type once, aliases resolved."""
    found: dict[str, Type] = {}
    for payload in model.payloads:
        for field in payload.fields:
            if field.is_array:
                found.setdefault(field.type.c_stem, field.type)
    return [found[stem] for stem in sorted(found)]


def enums(model: Model) -> list[Type]:
    return [t for t in model.types if t.kind is TypeKind.ENUM]


def emit(model: Model) -> dict[str, str]:
    return {"include/tau/protocol.h": _header(model), "tau_names.c": _names(model)}


def _header(model: Model) -> str:
    parts = [
        banner(
            "The protocol of Tau as C types: opcodes, statuses, limits, and the fields of every "
            "request and response. This header stands alone and is C11 and C++."
        ).rstrip("\n"),
        _OPENING,
        _constants(model),
        _opcodes(model),
        _statuses(model),
        _limits(model),
        _BORROWED.lstrip("\n"),
        "\n".join(filter(None, (_named_type(t) for t in model.types if not t.builtin))),
        _operations(model),
        _functions(model),
        "#ifdef __cplusplus\n}\n#endif\n\n#endif\n",
    ]
    return "\n".join(p.rstrip("\n") + "\n" for p in parts if p.strip()).replace("\n\n\n", "\n\n")


def _constants(model: Model) -> str:
    version = model.header.field("version")
    lines = [
        f"#define TAU_PROTOCOL_VERSION {version.value}\n",
        f'#define TAU_DEFAULT_LISTEN   "{model.default_listen}"\n\n',
        "/* The size of the header in front of every payload. */\n",
        f"#define TAU_HEADER_SIZE {model.header.size}\n\n",
        "/* The opcodes of frames that a server sends unasked; "
        "those behind them are replies'. */\n",
        f"#define TAU_FIRST_PUSH_OPCODE {model.first_push:#04x}\n",
        f"#define TAU_LAST_PUSH_OPCODE  {model.last_push:#04x}\n\n",
        "/* Stands for a payload's field where an error belongs to none. */\n",
        "#define TAU_FIELD_NONE 0xFFFF\n\n",
        comment("The first 8 bytes of SHA-256 over the canonical layout of the specification."),
        f"#define TAU_SPECIFICATION_FINGERPRINT UINT64_C({model.fingerprint:#018x})\n\n",
    ]
    lines += [comment(f.doc) + f"#define {f.c_name} {f.value:#04x}\n\n" for f in model.flags]
    lines += [
        comment(f"Feature: {f.doc}") + f"#define {f.c_name} (UINT64_C(1) << {f.bit})\n\n"
        for f in model.features
    ]
    return "".join(lines)


def _opcodes(model: Model) -> str:
    rows = [(o.code, o.c_opcode, first_sentence(o.doc)) for o in model.operations]
    rows += [(r.code, r.c_opcode, first_sentence(r.doc)) for r in model.replies]
    text = "/* What a frame asks for, or what it answers. */\nenum tau_opcode {\n"
    for code, name, doc in sorted(rows):
        text += comment(doc, 4) + f"    {name} = {code:#04x},\n"
    return text + "};\n"


def _statuses(model: Model) -> str:
    text = comment(
        "How a request ended. Those from 0x100 on never cross the wire: the library reports them "
        "of itself. A server newer than this header may send others."
    )
    text += "enum tau_status {\n"
    for status in model.statuses:
        digits = 3 if status.local else 2
        text += comment(status.doc, 4) + f"    {status.c_name} = 0x{status.code:0{digits}X},\n"
    text += "};\n\n/* What a caller may do about a status. */\nenum tau_status_class {\n"
    rows = [(f"TAU_STATUS_CLASS_{name.upper()},", doc) for name, doc in STATUS_CLASSES]
    return text + aligned(rows) + "};\n"


STATUS_CLASSES = (
    ("ok", "nothing: it is done"),
    ("request", "mend the request"),
    ("retry", "send the same request again, later"),
    ("fatal", "give up: this connection or server will not do it"),
    ("unknown", "find out: the write may or may not have happened"),
)


def _limits(model: Model) -> str:
    text = comment("The limits of the protocol. A server may run with lower ones; it tells them.")
    for limit in model.limits:
        text += comment(f"{limit.doc} (in {limit.unit}; number {limit.number})")
        text += f"#define {limit.c_name} {limit.value}\n"
    return text


def _named_type(type_: Type) -> str:
    if type_.kind is TypeKind.BYTES:
        return (
            comment(type_.doc)
            + f"struct {type_.c_struct} {{\n    uint8_t bytes[{type_.size}];\n}};\n"
        )
    if type_.kind is TypeKind.STRUCT:
        rows = [
            (f"{m.type.c_type} {m.name};", _words(m.doc, m.unit)) for m in type_.members
        ]
        return comment(type_.doc) + f"struct {type_.c_struct} {{\n" + aligned(rows) + "};\n"
    if type_.kind is TypeKind.ENUM:
        more = " A later version may add values." if type_.open else ""
        rows = [(f"{v.c_name} = {v.value},", v.doc) for v in type_.values]
        head = comment(type_.doc + more) + f"enum tau_{type_.name} {{\n"
        return head + aligned(rows) + "};\n"
    return ""


def _words(doc: str, unit: str) -> str:
    """What a comment says of a member; units only where they are one word."""
    return doc + (f" In {unit}." if unit and " " not in unit else "")


def _member(field: Field) -> list[tuple[str, str]]:
    words = _words(field.words, field.unit)
    if field.is_count:
        arrays = " and ".join(f"`{a}`" for a in field.counts)
        words += f" Encoders take it from {arrays}."
    elif field.is_array:
        words += f" Elements: {field.type.c_type}."
    has = [(f"bool has_{field.name};", "")] if field.optional else []
    return has + [(f"{field.c_type} {field.name};", words)]


def payload_struct(payload: Payload) -> str:
    """The C struct of a payload's fields."""
    rows: list[tuple[str, str]] = []
    tail = ""
    for field in payload.fields:
        if field.tail != tail:
            tail = field.tail
            rows.append((f"bool has_{tail};", "Whether the fields below are there."))
        rows += _member(field)
    return f"struct {payload.c_struct} {{\n" + aligned(rows) + "};\n"


def _operations(model: Model) -> str:
    text = (
        "/* Requests and responses. What a decoder fills in is borrowed from the payload that it\n"
        " * was given. Operations without a struct have an empty payload. */\n\n"
    )
    for operation in model.operations:
        text += comment(f"{operation.name}: {operation.doc}")
        structs = [p for p in (operation.request, operation.response) if not p.empty]
        text += "\n".join(payload_struct(p) for p in structs) + "\n"
    for reply in model.replies:
        if not reply.payload.empty:
            text += comment(f"{reply.name}: {reply.doc}") + payload_struct(reply.payload) + "\n"
    return text


def _documented(summary: str, notes: list[str], declaration: str) -> str:
    """A function with its comment. Any thread may call one of these, and none blocks."""
    lines = [summary, "", *notes, "Thread: any. Blocks: no."]
    wrapped = [part for line in lines for part in textwrap.wrap(line, 96) or [""]]
    return "\n/**\n" + "".join(f" * {x}".rstrip() + "\n" for x in wrapped) + f" */\n{declaration}"


def _naming(tag: str, what: str) -> str:
    """The two functions that lead from a number to its name and back."""
    return _documented(
        f"The name of {what}.",
        ['Returns: a static text; "unknown" for a number that has no name here.'],
        f"TAU_API const char *{tag}_name(enum {tag} value);\n",
    ) + _documented(
        f"Finds {what} by its name.",
        ["Returns: whether there is one; where there is none, *ret stays as it is."],
        f"TAU_API bool {tag}_from_name(const char *name, enum {tag} *ret);\n",
    )


def _of_statuses() -> str:
    return _documented(
        "The status in words, one sentence.",
        ["Returns: a static text; words that say so for a status that this version does not know."],
        "TAU_API const char *tau_status_text(enum tau_status status);\n",
    ) + _documented(
        "The class of a status: what a caller may do about it.",
        ["Returns: the class; a status that this version does not know is of class request."],
        "TAU_API enum tau_status_class tau_status_class_of(enum tau_status status);\n",
    ) + _documented(
        "The name of a class of statuses.",
        ['Returns: a static text; "unknown" for a number that is none.'],
        "TAU_API const char *tau_status_class_name(enum tau_status_class status_class);\n",
    )


def _of_elements(type_: Type) -> str:
    """The two functions that read elements of an array, in whichever order it is."""
    stem = f"tau_{type_.c_stem}"
    one = signature(
        f"TAU_API {type_.c_type} {stem}_at", ["struct tau_array array", "size_t index"], ";\n"
    )
    parameters = ["struct tau_array array", "size_t first", "size_t count", f"{type_.c_type} *ret"]
    return _documented(
        f"Reads one element of an array of {type_.c_type}, in whichever order the array is.",
        ["Shapes: `index` is less than array.count; any other is a programmer's error."],
        one,
    ) + _documented(
        f"Reads elements of an array of {type_.c_type}, in whichever order the array is.",
        ["Shapes: `count` elements from the element `first` on, all of which the array has; `ret` "
         "has room for them."],
        signature(f"TAU_API void {stem}_copy", parameters, ";\n"),
    )


def _functions(model: Model) -> str:
    text = _naming("tau_opcode", "an opcode") + _naming("tau_status", "a status") + _of_statuses()
    for type_ in enums(model):
        text += _naming(f"tau_{type_.name}", f"a value of enum tau_{type_.name}")
    return text.lstrip("\n") + "".join(_of_elements(t) for t in array_elements(model))


def _name_function(tag: str, values: list[tuple[str, str]]) -> str:
    text = f"const char *{tag}_name(enum {tag} value)\n{{\n    switch (value) {{\n"
    for constant, name in values:
        text += f"    case {constant}:\n        return {string(name)};\n"
    text += '    }\n    return "unknown";\n}\n\n'
    text += f"bool {tag}_from_name(const char *name, enum {tag} *ret)\n{{\n"
    text += f"    static const enum {tag} values[] = {{\n"
    text += "".join(f"        {constant},\n" for constant, _ in values)
    text += f"""    }};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {{
        if (strcmp(name, {tag}_name(values[i])) == 0) {{
            *ret = values[i];
            return true;
        }}
    }}
    return false;
}}
"""
    return text


def _names(model: Model) -> str:
    frames = [(o.code, o.c_opcode, o.name) for o in model.operations]
    frames += [(r.code, r.c_opcode, r.name) for r in model.replies]
    statuses = [(s.c_name, s.name) for s in model.statuses]
    text = banner("The names of opcodes, statuses and enumerations, and what statuses mean.")
    text += "#include <string.h>\n\n#include <tau/protocol.h>\n\n"
    text += _name_function("tau_opcode", [(c, n) for _, c, n in sorted(frames)]) + "\n"
    text += _name_function("tau_status", statuses) + "\n"
    for type_ in enums(model):
        values = [(v.c_name, v.name) for v in type_.values]
        text += _name_function(f"tau_{type_.name}", values) + "\n"
    text += "const char *tau_status_text(enum tau_status status)\n{\n    switch (status) {\n"
    for status in model.statuses:
        words = first_sentence(status.doc)
        text += f"    case {status.c_name}:\n        return {string(words)};\n"
    text += '    }\n    return "The server sent a status that this version does not know.";\n}\n\n'
    return text + _classes(model)


def _classes(model: Model) -> str:
    text = "enum tau_status_class tau_status_class_of(enum tau_status status)\n{\n"
    text += "    switch (status) {\n"
    for name, _ in STATUS_CLASSES:
        members = [s for s in model.statuses if s.status_class == name]
        if members:
            text += "".join(f"    case {s.c_name}:\n" for s in members)
            text += f"        return TAU_STATUS_CLASS_{name.upper()};\n"
    text += "    }\n    return TAU_STATUS_CLASS_REQUEST;\n}\n\n"
    text += "const char *tau_status_class_name(enum tau_status_class status_class)\n{\n"
    text += "    switch (status_class) {\n"
    for name, _ in STATUS_CLASSES:
        text += f"    case TAU_STATUS_CLASS_{name.upper()}:\n        return \"{name}\";\n"
    return text + '    }\n    return "unknown";\n}\n'
