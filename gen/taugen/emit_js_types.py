# SPDX-License-Identifier: MIT
"""TypeScript declarations of the JavaScript modules that emit_js writes.

A type of the specification has one declaration as it is received and, where more is accepted than
that, one as it is sent, whose name ends in `Input`.
"""

from __future__ import annotations

from typing import Union

from .emit_js import (
    COLUMNS, KEPT, banner, bits_key, camel, comment, is_asked, literal, method_comment, method_name,
    pascal, words, wrapped,
)  # fmt: skip
from .model import Field, Member, Model, Operation, Payload, Shape, Type, TypeKind
from .names import Scope

MODEL = "js/model.d.ts"
OPERATIONS = "js/operations.d.ts"

OUTPUTS: tuple[str, ...] = (MODEL, OPERATIONS)

COLUMNS_OF = {
    "u8": "Uint8Array", "u16": "Uint16Array", "u32": "Uint32Array", "u64": "BigUint64Array",
    "i64": "BigInt64Array", "f64": "Float64Array",
}  # fmt: skip


# What the declarations name of the language and of the package's hand-written half.
TAKEN = frozenset(COLUMNS_OF.values()) | {
    "Array", "CallOptions", "Client", "ClientBase", "Iterable", "Promise", "StatusName",
    "TauStream",
}  # fmt: skip


def check_names(model: Model) -> None:
    """Fails where two declarations would have one name."""
    scope = Scope("TypeScript", TAKEN)
    for type_ in model.types:
        if type_.kind in (TypeKind.STRUCT, TypeKind.ENUM):
            scope.take(pascal(type_.name), f"the type `{type_.name}`", type_.place)
        if type_.kind is TypeKind.STRUCT:
            scope.take(sent(type_), f"what is sent as `{type_.name}`", type_.place)
    for operation in model.operations:
        for payload in (operation.request, operation.response):
            scope.take(pascal(payload.name), f"`{payload.name}`", operation.place)


def is_wide(type_: Type) -> bool:
    return type_.wire in ("u64", "i64")


def received(type_: Type) -> str:
    """The type of a value that was decoded."""
    if type_.kind in (TypeKind.STRUCT, TypeKind.ENUM):
        return pascal(type_.name)
    return {
        TypeKind.INTEGER: "bigint" if is_wide(type_) else "number", TypeKind.FLOAT: "number",
        TypeKind.BOOL: "boolean", TypeKind.STATUS: "StatusName | number",
        TypeKind.BYTES: "Uint8Array", TypeKind.TEXT: "string", TypeKind.BLOB: "Uint8Array",
    }[type_.kind]  # fmt: skip


def sent(type_: Type) -> str:
    """The type of a value that can be encoded."""
    if type_.kind is TypeKind.STRUCT:
        return pascal(type_.name) + "Input"
    if type_.kind is TypeKind.INTEGER:
        return "bigint | number"
    if type_.kind in (TypeKind.BYTES, TypeKind.TEXT, TypeKind.BLOB):
        return "string | Uint8Array"
    return received(type_)


def array_received(type_: Type) -> str:
    if type_.kind in (TypeKind.INTEGER, TypeKind.FLOAT):
        return COLUMNS_OF[type_.wire]
    return f"Array<{received(type_)}>"


def array_sent(type_: Type) -> str:
    if type_.kind is TypeKind.FLOAT:
        return "Float64Array | BigUint64Array | Iterable<number>"
    column = f"{COLUMNS_OF[type_.wire]} | " if type_.kind is TypeKind.INTEGER else ""
    return f"{column}Iterable<{sent(type_)}>"


def line(doc: str, name: str, type_: str) -> str:
    return comment([doc], 4) + f"    {name}: {type_};\n"


# --- what is received -----------------------------------------------------------------------------


def received_lines(item: Union[Field, Member], doc: str, missing: bool) -> str:
    absent = " | null" if missing else ""
    text = line(doc, camel(item.name), received(item.type) + absent)
    if bits_key(item):
        text += line(f"The bits of `{camel(item.name)}`, exactly.", bits_key(item),
                     "bigint" + absent)  # fmt: skip
    return text


def response_lines(field: Field) -> str:
    if field.is_array:
        absent = " | null" if field.tail else ""
        return line(words(field), camel(field.name), array_received(field.type) + absent)
    return received_lines(field, words(field), field.may_be_missing)


def response_type(operation: Operation) -> str:
    response = operation.response
    body = "".join(response_lines(f) for f in response.fields if not f.is_count)
    what = "One batch of the answer to" if operation.is_stream else "The answer to"
    return comment([f"{what} {operation.name}."]) + (
        f"export interface {pascal(response.name)} {{\n{body}}}\n"
    )


# --- what is sent ---------------------------------------------------------------------------------


def alternatives(keys: list[str]) -> str:
    """Each f64 is given as a number or as its bits; where both are, the bits hold."""
    return "".join(
        f" & (\n    | {{ {key}: number; {key}Bits?: undefined | null }}\n"
        f"    | {{ {key}?: number | null; {key}Bits: bigint }}\n)"
        for key in keys
    )


def request_line(field: Field) -> str:
    if field.is_array:
        type_ = array_sent(field.type)
    else:
        type_ = sent(field.type)
    if is_asked(field):
        return line(words(field), camel(field.name), type_)
    return line(words(field), camel(field.name) + "?", type_ + " | null")


def request_type(payload: Payload, name: str) -> str:
    either = [
        camel(f.name)
        for f in payload.fields
        if f.type.kind is TypeKind.FLOAT and f.shape is Shape.FIXED and not f.tail
    ]
    body = ""
    for field in payload.fields:
        if field.is_count or camel(field.name) in either:
            continue
        body += request_line(field)
        if bits_key(field) and not field.is_array:
            body += line(f"The bits of `{camel(field.name)}`, in its place.",
                         bits_key(field) + "?", "bigint | null")  # fmt: skip
    return comment([f"The request of {name}."]) + (
        f"export type {pascal(payload.name)} = {{\n{body}}}{alternatives(either)};\n"
    )


# --- types ----------------------------------------------------------------------------------------


def struct_types(type_: Type) -> str:
    name = pascal(type_.name)
    body = "".join(received_lines(m, m.doc, False) for m in type_.members)
    either = [camel(m.name) for m in type_.members if m.type.kind is TypeKind.FLOAT]
    given = "".join(
        line(m.doc, camel(m.name), sent(m.type))
        for m in type_.members
        if m.type.kind is not TypeKind.FLOAT
    )
    return (
        comment([type_.doc])
        + f"export interface {name} {{\n{body}}}\n\n"
        + comment([f"{type_.doc} As it is sent."])
        + f"export type {name}Input = {{\n{given}}}{alternatives(either)};\n"
    )


def enum_type(type_: Type) -> str:
    names = f"{KEPT}| ".join(literal(v.name) for v in type_.values)
    more = " | number" if type_.open else ""
    return comment([type_.doc]) + wrapped(f"export type {pascal(type_.name)} = {names}{more};", 0)


def names_type(name: str, doc: str, names: list[str]) -> str:
    listed = f"{KEPT}| ".join(literal(n) for n in names)
    return "\n" + comment([doc]) + wrapped(f"export type {name} = {listed};", 0)


def emit_model(model: Model) -> str:
    return (
        banner("Declarations of the specification's tables.")
        + names_type("StatusName", "The statuses.", [s.name for s in model.statuses])
        + names_type("OperationName", "The operations.", [o.name for o in model.operations])
        + names_type("LimitName", "The limits.", [x.name for x in model.limits])
        + names_type("FeatureName", "The features.", [f.name for f in model.features])
        + STATIC
    )


STATIC = """
export interface Status {
    readonly name: StatusName;
    readonly code: number;
    readonly class: 'ok' | 'request' | 'retry' | 'fatal' | 'unknown';
    readonly local: boolean;
    readonly doc: string;
}

export interface Operation {
    readonly name: OperationName;
    readonly opcode: number;
    readonly method: string;
    readonly stream: boolean;
    readonly write: boolean;
    readonly negotiated: boolean;
    readonly extensible: boolean;
    readonly reply: number;
    readonly request: string;
    readonly response: string;
    readonly fingerprint: bigint;
}

export const HEADER_SIZE: number;
export const protocol: {
    readonly name: string;
    readonly version: number;
    readonly fingerprint: bigint;
    readonly defaultListen: string;
    /** The opcodes of frames that a server sends unasked. */
    readonly firstPush: number;
    readonly lastPush: number;
};
export const limits: Readonly<Record<LimitName, {
    readonly number: number;
    readonly value: number;
}>>;
export const features: Readonly<Record<FeatureName, bigint>>;
export const statuses: Readonly<Record<StatusName, Status>>;
export const operations: Readonly<Record<OperationName, Operation>>;
"""


# --- the client -----------------------------------------------------------------------------------


def method(operation: Operation) -> str:
    request, response = operation.request, operation.response
    parameters = []
    if not request.empty:
        mark = "" if any(is_asked(f) for f in request.fields) else "?"
        parameters.append(f"request{mark}: {pascal(request.name)}")
    parameters.append("options?: CallOptions")
    answer = "void" if response.empty else pascal(response.name)
    result = f"TauStream<{answer}>" if operation.is_stream else f"Promise<{answer}>"
    head = f"    {method_name(operation)}("
    text = f"{head}{', '.join(parameters)}): {result};"
    if len(text) > COLUMNS:
        text = head + "".join(f"\n        {p}," for p in parameters).rstrip(",")
        text += f"\n    ): {result};"
    return method_comment(operation) + text + "\n"


def emit_operations(model: Model) -> str:
    texts = [
        banner("Declarations of the client and of what its methods take and give.")
        + "import { CallOptions, ClientBase } from './client.js';\n"
        + "import { StatusName } from './model.js';\nimport { TauStream } from './stream.js';\n"
    ]
    for type_ in model.types:
        if type_.kind is TypeKind.STRUCT:
            texts.append(struct_types(type_))
        elif type_.kind is TypeKind.ENUM:
            texts.append(enum_type(type_))
    for operation in model.operations:
        if not operation.request.empty:
            texts.append(request_type(operation.request, operation.name))
        if not operation.response.empty:
            texts.append(response_type(operation))
    methods = "\n".join(method(o) for o in model.operations)
    texts.append(
        comment(["A client of one connection; connectTcp and connectWebSocket make one."])
        + f"export class Client extends ClientBase {{\n{methods}}}\n"
    )
    return "\n".join(texts)


def emit(model: Model) -> dict[str, str]:
    """The texts of both declarations. Raises SpecificationError for a name that is none here."""
    check_names(model)
    return {MODEL: emit_model(model), OPERATIONS: emit_operations(model)}
