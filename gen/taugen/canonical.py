# SPDX-License-Identifier: MIT
"""The canonical layout of an operation and of a whole specification, and their fingerprints.

A canonical layout is text that says all that two sides must agree on to exchange bytes, and nothing
else: documentation, limits, examples, roles and commands are left out. So are fields and values
with `since`: an older side does without them, and must not be told apart. A fingerprint is the
first 8 bytes of SHA-256 over the layout, as a big-endian integer.
"""

from __future__ import annotations

import hashlib

from .model import Field, Model, Payload, Shape, Type, TypeKind


def fingerprint(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _type(type_: Type) -> str:
    if type_.kind is TypeKind.STRUCT:
        members = " ".join(f"{m.name}:{_type(m.type)}" for m in type_.members)
        return "{" + members + "}"
    if type_.kind is TypeKind.ENUM:
        values = " ".join(f"{v.name}={v.value}" for v in type_.values if not v.since)
        return f"{type_.wire}({values}{' ...' if type_.open else ''})"
    return type_.wire


def _field(field: Field) -> str:
    shape = {
        Shape.FIXED: "",
        Shape.OPTIONAL: "?",
        Shape.SIZED: f"<u{field.prefix * 8}",
        Shape.REST: "<rest",
        Shape.COUNTED_ARRAY: f"[{field.count_field}]",
        Shape.REST_ARRAY: "[rest]",
    }[field.shape]
    needs = f" if {field.feature.name}" if field.feature else ""
    return f"  {field.name} {_type(field.type)}{shape}{needs}\n"


def payload_layout(title: str, payload: Payload) -> str:
    more = " extensible" if payload.extensible else ""
    return f" {title}{more}\n" + "".join(_field(f) for f in payload.fields if not f.since)


def operation_layout(
    code: int, kind: str, reply: str, request: Payload, response: Payload
) -> str:
    """The canonical layout of one operation."""
    return (
        f"operation {code:#04x} {kind} {reply}\n"
        + payload_layout("request", request)
        + payload_layout("response", response)
    )


def specification_layout(model: Model) -> str:
    """The canonical layout of the whole specification."""
    lines = [f"protocol {model.name} {model.version}\n"]
    for head in model.header.fields:
        fixed = "" if head.value is None else f" = {head.value}"
        lines.append(f"header {head.name} {head.type} {head.size}{fixed}\n")
    lines += [f"flag {f.name} {f.value:#04x}\n" for f in model.flags]
    lines += [f"limit {x.number} {x.name}\n" for x in model.limits]
    lines += [f"feature {f.bit} {f.name}\n" for f in model.features]
    lines += [f"status {s.code:#04x} {s.name}\n" for s in model.wire_statuses]
    for reply in model.replies:
        lines.append(f"reply {reply.code:#04x} {reply.name}\n")
        lines.append(payload_layout("payload", reply.payload))
    for operation in model.operations:
        lines.append(f"name {operation.name} {' '.join(operation.states)}\n")
        lines.append(operation.canonical)
    for t in model.transitions:
        lines.append(f"transition {t.source} {t.event.text} {t.target}\n")
    lines += [f"check {c.name} {c.status.name} {int(c.closes)}\n" for c in model.checks]
    return "".join(lines)
