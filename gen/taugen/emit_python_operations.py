# SPDX-License-Identifier: MIT
"""The typed methods of the Python clients: one for each operation, three times.

The blocking client's give the result, the asyncio client's a coroutine, a pipeline's a promise of
it. Their documentation is the specification's. The hand-written half of the package has `_call`
and `_stream`, which each of them ends in.
"""

from __future__ import annotations

import keyword

from .emit_python import (
    annotation, banner, camel, field_annotation, name_of, operation_constant, quoted,
    response_class, visible, wrapped,
)  # fmt: skip
from .model import Field, Model, Operation, Shape, TypeKind
from .names import Scope

OUTPUTS = ("python/tau/operations.py",)

# What the clients and pipelines have besides their operations.
TAKEN = frozenset("cancel close open pipeline server wait".split())


def emit(model: Model) -> dict[str, str]:
    """The text of the module. Raises SpecificationError for an operation that is no method."""
    methods = Scope("Python", TAKEN | set(keyword.kwlist))
    for operation in offered(model):
        name = operation.name.lower()
        methods.take(name, f"the operation {operation.name}", operation.place)
    return {"python/tau/operations.py": _module(model)}


def offered(model: Model) -> list[Operation]:
    """The operations that a program asks for; the rest of a session is the clients' own."""
    return [o for o in model.operations if o.scope != "session" or o.cli is not None]


# --- parameters ---------------------------------------------------------------------------------


def _is_label(field: Field) -> bool:
    return field.type.kind is TypeKind.BYTES


def _parameter_type(field: Field) -> str:
    one = annotation(field.type)
    if field.type.kind is TypeKind.STRUCT:
        members = ("Label" if m.type.kind is TypeKind.BYTES else annotation(m.type)
                   for m in field.type.members)  # fmt: skip
        one = f"tuple[{', '.join(members)}]"
    elif _is_label(field):
        one = "Label"
    elif field.is_slice:
        one = "Union[str, bytes]"
    if field.is_array:
        one = f"Iterable[{one}]"
    return f"Optional[{one}]" if field.may_be_missing else one


def _default(field: Field) -> str:
    """What a field is where the caller does not say, or "" where he has to."""
    if field.may_be_missing:
        return "None"
    return 'b""' if field.shape is Shape.REST else ""


def _parameters(operation: Operation) -> list[str]:
    fields = visible(operation.request)
    given = [f for f in fields if not _default(f)]
    listed = ["self"] + [f"{name_of(f.name)}: {_parameter_type(f)}" for f in given] + ["*"]
    for field in fields:
        if _default(field):
            listed.append(f"{name_of(field.name)}: {_parameter_type(field)} = {_default(field)}")
    return listed + ["timeout: Optional[float] = None"]


def _result(operation: Operation) -> str:
    fields = visible(operation.response)
    if not fields:
        return "None"
    return response_class(operation) or field_annotation(fields[0])


# --- documentation ------------------------------------------------------------------------------


def _argument(field: Field) -> str:
    words = field.words + (f" In {field.unit}." if field.unit else "")
    if field.min_count:
        words += f" From {field.min_count} to {field.max_count}."
    elif field.is_array and field.max_count is not None:
        words += f" At most {field.max_count}."
    elif field.is_slice:
        words += f" At most {field.max_bytes} bytes."
    elif field.minimum is not None and field.maximum is not None:
        words += f" From {field.minimum} to {field.maximum}."
    return wrapped(words, 12, f"{name_of(field.name)}: ")


def _returns(operation: Operation) -> str:
    fields = visible(operation.response)
    if not fields:
        return ""
    words = fields[0].doc if len(fields) == 1 else f"See `{response_class(operation)}`."
    if operation.is_stream:
        words = f"A stream of batches. {words}"
    return words


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _documentation(operation: Operation) -> str:
    text = operation.doc.strip()
    fields = visible(operation.request)
    if fields:
        text += "\n\nArgs:\n" + "\n".join(_indented(_argument(f)) for f in fields)
    if _returns(operation):
        text += "\n\nReturns:\n" + _indented(wrapped(_returns(operation), 12))
    if operation.statuses:
        names = ", ".join(camel(s.name) for s in operation.statuses)
        text += "\n\nRaises:\n" + _indented(wrapped(f"TauError: {names}.", 12))
    return quoted(text, 8)


# --- methods ------------------------------------------------------------------------------------


def _signature(head: str, parameters: list[str], result: str) -> str:
    one = f"    {head}({', '.join(parameters)}) -> {result}:\n"
    if len(one) <= 97:
        return one
    body = "".join(f"        {p},\n" for p in parameters)
    return f"    {head}(\n{body}    ) -> {result}:\n"


def _values(operation: Operation) -> str:
    listed = ", ".join(f'"{f.name}": {name_of(f.name)}' for f in visible(operation.request))
    return "{" + listed + "}"


def _method(operation: Operation, style: str) -> str:
    name, result = operation.name.lower(), _result(operation)
    constant = f"tables.{operation_constant(operation)}"
    arguments = f"{constant}, {_values(operation)}, timeout"
    if len(arguments) > 50:
        arguments = f"\n            {constant},\n            {_values(operation)},\n"
        arguments += "            timeout,\n        "
    if operation.is_stream:
        stream = "AsyncStream" if style == "async" else "Stream"
        head, result = f"def {name}", f"{stream}[{result}]"
        body = f"return {stream}(self._stream({arguments}))"
    elif style == "blocking":
        head, body = f"def {name}", f"self._call({arguments})"
    elif style == "async":
        head, body = f"async def {name}", f"await self._call({arguments})"
    else:
        head, result = f"def {name}", f"Promise[{result}]"
        body = f"return Promise(self._begin({arguments}))"
    if not operation.is_stream and style != "pipeline" and result != "None":
        body = f"found: {result} = {body}\n        return found"
    text = _signature(head, _parameters(operation), result)
    return text + _documentation(operation) + f"        {body}\n"


# The classes: name, documentation, and what their methods end in.
_CLASSES = {
    "blocking": ("BlockingOperations", "Operations that wait for their answer.",
                 (("def _call", "Any"), ("def _stream", "Source"))),
    "async": ("AsyncOperations", "Operations that are awaited.",
              (("async def _call", "Any"), ("def _stream", "AsyncSource"))),
    "pipeline": ("PipelineOperations", "Operations that are sent at once and promise their answer.",
                 (("def _begin", "Waiting"), ("def _stream", "Source"))),
}  # fmt: skip
_ENDS = ["self", "operation: Operation", "values: Values", "timeout: Optional[float]"]


def _imported(model: Model) -> list[str]:
    """The names of tables.py that annotations use."""
    found = {"Operation"}
    for operation in offered(model):
        if response_class(operation):
            found.add(response_class(operation))
        types = [f.type for f in visible(operation.request)]
        types += [member.type for type_ in types for member in type_.members]
        given = [type_ for type_ in types if type_.kind is TypeKind.ENUM]
        got = [f.type for f in visible(operation.response)]
        for type_ in given + (got if len(got) == 1 else []):
            if type_.kind in (TypeKind.STRUCT, TypeKind.ENUM):
                found.add(camel(type_.name))
    return sorted(found)


def _module(model: Model) -> str:
    text = banner("The operations as typed methods.")
    text += "\nfrom array import array\nfrom typing import Any, Iterable, Optional, Union\n\n"
    text += "from . import tables\nfrom .codec import Values\nfrom .labels import Label\n"
    text += "from .results import AsyncSource, AsyncStream, Promise, Source, Stream, Waiting\n"
    text += "from .tables import (\n" + "".join(f"    {n},\n" for n in _imported(model)) + ")\n"
    for style, (name, doc, ends) in _CLASSES.items():
        text += f"\n\nclass {name}:\n{quoted(doc, 4)}\n"
        bodies = [_signature(h, _ENDS, r) + "        raise NotImplementedError\n" for h, r in ends]
        text += "\n".join(bodies)
        for operation in offered(model):
            text += "\n" + _method(operation, style)
    return text
