# SPDX-License-Identifier: MIT
"""The tables of the Python client: its types, payloads, operations and limits, and its exceptions.

The codec of the package walks these tables; nothing of the C emitters is shared. A field that only
counts arrays is left out of what a caller sees: the arrays know their length.
"""

from __future__ import annotations

import keyword
import textwrap

from .model import Field, Model, Operation, Payload, Shape, Type, TypeKind
from .names import Scope

OUTPUTS = ("python/tau/statuses.py", "python/tau/tables.py")

_CODES = {("u8", 1): "B", ("u16", 2): "H", ("u32", 4): "I", ("u64", 8): "Q", ("i64", 8): "q"}
_TUPLE_METHODS = ("count", "index")

# What the package names besides what it is generated of, and what no class can be called.
_TAKEN = frozenset(
    """Any AsyncClient AsyncStream Client EXCEPTIONS Field HeaderLayout Kind Label Limit NamedTuple
    Operation Optional Payload Pipeline Promise ServerInfo Shape Status Stream TauError Type Union
    False None True""".split()
)


def emit(model: Model) -> dict[str, str]:
    """The texts of both modules. Raises SpecificationError for a name that cannot be one here."""
    _check_names(model)
    return {
        "python/tau/statuses.py": _statuses(model),
        "python/tau/tables.py": _tables(model),
    }


# --- names and words ----------------------------------------------------------------------------


def banner(purpose: str) -> str:
    """The head of a generated module."""
    words = textwrap.fill(f"{purpose} Generated from the specification.", 96)
    return f'# SPDX-License-Identifier: MIT\n"""{words}"""\n\nfrom __future__ import annotations\n'


def name_of(name: str) -> str:
    """A name of the specification as one of Python."""
    taken = keyword.iskeyword(name) or name in _TUPLE_METHODS + ("self", "timeout")
    return name + "_" if taken else name


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def quoted(doc: str, indent: int) -> str:
    """A docstring."""
    margin = " " * indent
    text = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip()
    head, _, rest = text.partition("\n\n")
    text = textwrap.fill(" ".join(head.split()), 93 - indent) + ("\n\n" + rest if rest else "")
    if len(text) + indent <= 93 and "\n" not in text:
        return f'{margin}"""{text}"""\n'
    lines = [line.rstrip() for line in text.split("\n")]
    body = "\n".join(margin + line if line else "" for line in lines).lstrip()
    end = f'\n{margin}"""' if "\n" in body or len(lines[-1]) + indent > 93 else '"""'
    return f'{margin}"""{body}{end}\n'


def wrapped(text: str, indent: int, first: str = "") -> str:
    """Words in lines of at most 96 columns behind a margin."""
    width = 96 - indent
    return textwrap.fill(" ".join(text.split()), width, initial_indent=first,
                         subsequent_indent="    " if first else "")  # fmt: skip


def _call(head: str, arguments: list[str], indent: int) -> str:
    """A call in one line, or its arguments in lines of their own."""
    margin = " " * indent
    one = f"{margin}{head}({', '.join(arguments)})"
    if len(one) <= 99:
        return one
    body = textwrap.fill(", ".join(arguments) + ",", 96, initial_indent=margin + "    ",
                         subsequent_indent=margin + "    ")  # fmt: skip
    return f"{margin}{head}(\n{body}\n{margin})"


def visible(payload: Payload) -> list[Field]:
    """The fields that a caller gives or gets."""
    return [f for f in payload.fields if not f.is_count]


def response_class(operation: Operation) -> str:
    """The class of an operation's result, or "" where it is None or a single value."""
    return camel(operation.response.name) if len(visible(operation.response)) > 1 else ""


def _check_names(model: Model) -> None:
    """Fails where a name of the specification cannot be that of a class here. Fields that emit_js
    can tell apart differ here too."""
    classes = Scope("Python", _TAKEN)
    for status in model.statuses:
        if status.status_class != "ok":
            classes.take(camel(status.name), f"the status `{status.name}`", status.place)
    for type_ in model.types:
        if type_.kind in (TypeKind.ENUM, TypeKind.STRUCT):
            classes.take(camel(type_.name), f"the type `{type_.name}`", type_.place)
    for operation in model.operations:
        if response_class(operation):
            name = operation.response.name
            classes.take(camel(name), f"`{name}`", operation.place)


# --- statuses -----------------------------------------------------------------------------------


def _statuses(model: Model) -> str:
    text = banner("Status codes, and the exception of each.")
    text += "\nimport enum\n\nfrom .errors import TauError\n\n\n"
    text += 'class Status(enum.IntEnum):\n    """How a request ended."""\n\n'
    for status in model.statuses:
        text += f"    {status.name.upper()} = {status.code:#04x}\n"
    failures = [s for s in model.statuses if s.status_class != "ok"]
    for status in failures:
        text += f"\n\nclass {camel(status.name)}(TauError):\n{quoted(status.doc, 4)}\n"
        text += f"    STATUS = Status.{status.name.upper()}\n"
        text += f'    CLASS = "{status.status_class}"\n'
    text += "\n\nEXCEPTIONS: dict[int, type[TauError]] = {\n"
    text += "".join(f"    {s.code:#04x}: {camel(s.name)},\n" for s in failures)
    text += '}\n"""The exception of each status."""\n'
    names = ["EXCEPTIONS", "Status"] + [camel(s.name) for s in failures]
    return text + _exports(names)


def _exports(names: list[str]) -> str:
    return "\n__all__ = [\n" + "".join(f'    "{name}",\n' for name in sorted(names)) + "]\n"


# --- types --------------------------------------------------------------------------------------


def type_constant(type_: Type) -> str:
    return f"TYPE_{type_.name.upper()}"


def operation_constant(operation: Operation) -> str:
    return f"OPERATION_{operation.name}"


def code(type_: Type) -> str:
    """The struct module's code of one value."""
    if type_.kind is TypeKind.STRUCT:
        return "".join(code(m.type) for m in type_.members)
    if type_.kind is TypeKind.BYTES:
        return f"{type_.size}s"
    if type_.kind is TypeKind.FLOAT:
        return "d"
    if type_.kind is TypeKind.INTEGER:
        return _CODES[(type_.wire, type_.size)]
    return {0: "", 1: "B", 2: "H", 4: "I", 8: "Q"}[type_.size]


def annotation(type_: Type) -> str:
    """The Python type of one value that was read."""
    if type_.kind in (TypeKind.STRUCT, TypeKind.ENUM):
        name = camel(type_.name)
        return f"Union[{name}, int]" if type_.open else name
    return {
        TypeKind.INTEGER: "int", TypeKind.FLOAT: "float", TypeKind.BOOL: "bool",
        TypeKind.STATUS: "Union[Status, int]", TypeKind.BYTES: "bytes", TypeKind.TEXT: "str",
        TypeKind.BLOB: "bytes",
    }[type_.kind]  # fmt: skip


def field_annotation(field: Field) -> str:
    """The Python type of a field that was read."""
    one = annotation(field.type)
    if field.is_array:
        numbers = field.type.kind in (TypeKind.INTEGER, TypeKind.FLOAT)
        one = f'{"array" if numbers else "list"}[{one}]'
    return f"Optional[{one}]" if field.may_be_missing else one


def _enumeration(type_: Type) -> str:
    text = f"\n\nclass {camel(type_.name)}(enum.IntEnum):\n{quoted(type_.doc, 4)}"
    for value in type_.values:
        text += f"\n    {value.name.upper()} = {value.value}\n{quoted(value.doc, 4)}"
    return text


def _members(fields: list[tuple[str, str, str]]) -> str:
    return "".join(f"\n    {name}: {kind}\n{quoted(doc, 4)}" for name, kind, doc in fields)


def _structure(type_: Type) -> str:
    text = f"\n\nclass {camel(type_.name)}(NamedTuple):\n{quoted(type_.doc, 4)}"
    rows = [(name_of(m.name), annotation(m.type), _unit(m.doc, m.unit)) for m in type_.members]
    return text + _members(rows)


def _unit(doc: str, unit: str) -> str:
    return f"{doc} In {unit}." if unit else doc


def _type_table(type_: Type) -> str:
    parts = [f'"{type_.name}"', f"Kind.{type_.kind.name}", str(type_.size), f'"{code(type_)}"']
    if type_.kind is TypeKind.STATUS:
        parts += ["values=Status", "open=True"]
    elif type_.kind is TypeKind.ENUM:
        parts += [f"values={camel(type_.name)}", f"open={type_.open}"]
    elif type_.kind is TypeKind.STRUCT:
        members = "".join(f"{type_constant(m.type)}, " for m in type_.members)
        parts += [f"members=({members.strip()})", f"make={camel(type_.name)}"]
    return _call(f"{type_constant(type_)} = Type", parts, 0) + "\n"


def _types(model: Model) -> str:
    """Enumerations, named tuples and descriptions, what is used before what uses it."""
    text = ""
    done: set[str] = set()

    def tell(type_: Type) -> None:
        nonlocal text
        if type_.name in done:
            return
        done.add(type_.name)
        for member in type_.members:
            tell(member.type)
        text += _type_table(type_)

    classes = "".join(_enumeration(t) for t in model.types if t.kind is TypeKind.ENUM)
    classes += "".join(_structure(t) for t in model.types if t.kind is TypeKind.STRUCT)
    for type_ in model.types:
        tell(type_)
    return classes + "\n\n" + text


# --- payloads and operations --------------------------------------------------------------------


def _field(field: Field) -> str:
    parts = [f'"{field.name}"', type_constant(field.type)]
    if field.shape is not Shape.FIXED:
        parts.append(f"Shape.{field.shape.name}")
    for key, value in (
        ("prefix", field.prefix or None),
        ("minimum", field.minimum),
        ("maximum", field.maximum),
        ("max_count", field.max_count),
        ("max_bytes", field.max_bytes),
        ("tail", field.tail or None),
        ("count_field", field.count_field or None),
        ("counts", field.counts or None),
    ):
        if value is not None:
            parts.append(f"{key}={value!r}")
    return _call("Field", parts, 8) + ",\n"


def _payload(payload: Payload) -> str:
    head = f'    "{payload.name}", {payload.min_size}, {payload.max_size}, {payload.extensible}, ('
    fields = "".join(_field(f) for f in payload.fields)
    if payload.empty:
        return f"{payload.name.upper()} = Payload(\n{head}),\n)\n"
    return f"{payload.name.upper()} = Payload(\n{head}\n{fields}    ),\n)\n"


def _response(operation: Operation) -> str:
    """The class of a result of several fields."""
    name = response_class(operation)
    if not name:
        return ""
    rows = [(name_of(f.name), field_annotation(f), _unit(f.words, f.unit))
            for f in visible(operation.response)]  # fmt: skip
    text = f"\n\n@dataclass(frozen=True)\nclass {name}:\n"
    return text + quoted(f"What answers {operation.name}.", 4) + _members(rows)


def _operation(operation: Operation) -> str:
    listed = [
        f'"{operation.name}"', f"{operation.code:#04x}", f"{operation.fingerprint:#018x}",
        operation.request.name.upper(), operation.response.name.upper(),
        f"{operation.reply.code:#04x}", f"write={operation.is_write}",
        f"stream={operation.is_stream}", f"negotiated={operation.negotiated}",
        f"extensible={operation.extensible}", f"result={response_class(operation) or None}",
    ]  # fmt: skip
    return _call(f"{operation_constant(operation)} = Operation", listed, 0) + "\n"


def _header(model: Model) -> str:
    head = model.header
    length = head.field("payload_length")
    codes = sorted([o.code for o in model.operations] + [r.code for r in model.replies])
    listed = textwrap.fill(", ".join(f"{c:#04x}" for c in codes), 90, initial_indent=" " * 8,
                           subsequent_indent=" " * 8)  # fmt: skip
    checks = (("magic", "magic"), ("version", "version"), ("opcode", "opcode"),
              ("length", "payload_limit"))  # fmt: skip
    status = {c.name: c.status.name for c in model.checks}
    assert length.limit is not None
    return (
        f"HEADER = HeaderLayout(\n    size={head.size},\n"
        f"    magic=b\"{head.field('magic').value}\",\n"
        f"    version={head.field('version').value},\n"
        f"    opcodes=frozenset((\n{listed},\n    )),\n"
        f"    opcode_at={head.field('opcode').offset},\n"
        f"    flags_at={head.field('flags').offset},\n"
        f"    length_at={length.offset},\n    max_length={length.limit.value},\n"
        + "".join(f'    bad_{word}="{status[check]}",\n' for word, check in checks)
        + ")\n"
    )


_OPERATION_CLASS = '''

@dataclass(frozen=True)
class Operation:
    """A request and what answers it."""

    name: str
    code: int
    fingerprint: int
    request: Payload
    response: Payload
    reply: int
    write: bool
    stream: bool
    negotiated: bool
    extensible: bool
    result: Any


'''


def _limits(model: Model) -> str:
    text = '\n\nclass Limit(enum.IntEnum):\n    """Limits of the protocol, by what they allow."""\n'
    for limit in model.limits:
        doc = _unit(limit.doc, limit.unit)
        text += f"\n    {limit.name.upper()} = {limit.number}\n{quoted(doc, 4)}"
    text += "\n\nLIMITS: dict[Limit, int] = {\n"
    text += "".join(f"    Limit.{x.name.upper()}: {x.value},\n" for x in model.limits)
    return text + '}\n"""What each limit is where a server does not say otherwise."""\n'


def _constants(model: Model) -> str:
    text = f"\nPROTOCOL_VERSION = {model.version}\nFINGERPRINT = {model.fingerprint:#018x}\n"
    text += f'DEFAULT_ADDRESS = "{model.default_listen}"\n'
    text += f"PUSHES = range({model.first_push:#04x}, {model.last_push + 1:#04x})\n"
    text += "".join(f"FLAG_{f.name.upper()} = {f.value:#04x}\n" for f in model.flags)
    text += "".join(f"FEATURE_{f.name.upper()} = {1 << f.bit:#x}\n" for f in model.features)
    return text + "".join(f"REPLY_{r.name} = {r.code:#04x}\n" for r in model.replies)


def _public(model: Model) -> list[str]:
    """What a program needs of the tables."""
    found = ["DEFAULT_ADDRESS", "LIMITS", "Limit", "PROTOCOL_VERSION"]
    kinds = (TypeKind.ENUM, TypeKind.STRUCT)
    found += [camel(t.name) for t in model.types if t.kind in kinds]
    return found + [response_class(o) for o in model.operations if response_class(o)]


def _tables(model: Model) -> str:
    text = banner("Types, payloads, operations and limits.")
    text += "\nimport enum\nfrom array import array\nfrom dataclasses import dataclass\n"
    text += "from typing import Any, NamedTuple, Optional, Union\n\n"
    text += "from .codec import Field, HeaderLayout, Kind, Payload, Shape, Type\n"
    text += "from .statuses import Status\n"
    text += _constants(model) + _limits(model) + _types(model) + "\n" + _header(model) + "\n"
    replies = [r.payload for r in model.replies if not r.payload.empty]
    payloads = [p for o in model.operations for p in (o.request, o.response)] + replies
    text += "".join(_payload(p) for p in payloads)
    text += "".join(_response(o) for o in model.operations)
    text += _OPERATION_CLASS + "".join(_operation(o) for o in model.operations)
    text += "\nOPERATIONS: dict[int, Operation] = {\n"
    text += "".join(f"    {o.code:#04x}: {operation_constant(o)},\n" for o in model.operations)
    text += '}\n"""All operations by opcode."""\n\nPAYLOADS: dict[str, Payload] = {\n'
    text += "".join(f'    "{p.name}": {p.name.upper()},\n' for p in payloads if not p.empty)
    text += '}\n"""Every payload that has fields, by name."""\n'
    return text + _exports(_public(model))


