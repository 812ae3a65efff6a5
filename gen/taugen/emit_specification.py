# SPDX-License-Identifier: MIT
"""The whole model as JSON: what tools in other languages read instead of the specification's files.

Everything that the model computed stands here too: offsets, sizes, maxima, fingerprints. An integer
beyond what an f64 holds exactly (2^53 - 1) is written as a string of its decimal digits, a
fingerprint as 16 hexadecimal digits.
"""

from __future__ import annotations

import json
from typing import Any

from .model import Cli, Field, Model, Operation, Payload, Type

GROUP = "published"
OUTPUTS = ("specification.json",)

_EXACT = (1 << 53) - 1


def emit(model: Model) -> dict[str, str]:
    text = json.dumps(specification(model), indent=1, ensure_ascii=False)
    return {"specification.json": text + "\n"}


def specification(model: Model) -> dict[str, Any]:
    """The model as values of JSON."""
    return {
        "name": model.name,
        "version": model.version,
        "fingerprint": _fingerprint(model.fingerprint),
        "default_listen": model.default_listen,
        "first_push_opcode": model.first_push,
        "doc": model.doc,
        "header": [
            {"name": h.name, "type": h.type, "offset": h.offset, "size": h.size, "value": h.value,
             "limit": h.limit.name if h.limit else None, "doc": h.doc}
            for h in model.header.fields
        ],
        "flags": [{"name": f.name, "value": f.value, "doc": f.doc} for f in model.flags],
        "limits": [
            {"name": x.name, "number": x.number, "value": x.value, "unit": x.unit, "doc": x.doc}
            for x in model.limits
        ],
        "features": [{"name": f.name, "bit": f.bit, "doc": f.doc} for f in model.features],
        "types": {t.name: _type(t) for t in model.types},
        "statuses": [
            {
                "name": s.name,
                "code": s.code,
                "class": s.status_class,
                "local": s.local,
                "doc": s.doc,
            }
            for s in model.statuses
        ],
        "states": [
            {"name": s.name, "initial": s.initial, "final": s.final,
             "refuses_with": s.refuses_with.name if s.refuses_with else None, "doc": s.doc}
            for s in model.states
        ],
        "transitions": [
            {"from": t.source, "event": t.event.text, "to": t.target, "doc": t.doc}
            for t in model.transitions
        ],
        "checks": [
            {"name": c.name, "status": c.status.name, "closes": c.closes, "doc": c.doc}
            for c in model.checks
        ],
        "replies": [
            {"name": r.name, "code": r.code, "since": r.since, "doc": r.doc,
             "payload": _payload(r.payload)}
            for r in model.replies
        ],
        "services": [
            {"name": s.name, "first_opcode": s.first_opcode, "doc": s.doc,
             "operations": [_operation(o) for o in s.operations]}
            for s in model.services
        ],
        "commands": [{"name": c.name, "summary": c.summary} for c in model.commands],
    }  # fmt: skip


def _fingerprint(number: int) -> str:
    return f"{number:016x}"


def _exact(value: Any) -> Any:
    """A value that every reader of JSON reads exactly."""
    too_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT
    return str(value) if too_large else value


def _since(since: int) -> dict[str, int]:
    """The version that added something to what was released; nothing where it did not."""
    return {"since": since} if since else {}


def _type(type_: Type) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": type_.kind.value, "wire": type_.wire, "size": type_.size, "signed": type_.signed,
        "alias_of": type_.alias_of or None, "unit": type_.unit or None,
        "example": _exact(type_.example), "doc": type_.doc,
    }  # fmt: skip
    if type_.values:
        row["open"] = type_.open
        row["values"] = [
            {"name": v.name, "value": v.value, "doc": v.doc, **_since(v.since)}
            for v in type_.values
        ]
    if type_.members:
        row["members"] = [
            {"name": m.name, "type": m.type.name, "offset": m.offset, "unit": m.unit or None,
             "doc": m.doc}
            for m in type_.members
        ]  # fmt: skip
    return row


def _field(field: Field) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": field.name, "type": field.type.name, "shape": field.shape.value,
        "offset": field.offset, "min_size": field.min_size, "max_size": field.max_size,
    }  # fmt: skip
    for key, value in (
        ("prefix", field.prefix or None),
        ("minimum", field.minimum),
        ("maximum", field.maximum),
        ("max_count", field.max_count),
        ("max_bytes", field.max_bytes),
        ("limit", field.limit.name if field.limit else None),
        ("feature", field.feature.name if field.feature else None),
        ("count_field", field.count_field or None),
        ("counts", list(field.counts) or None),
        ("only_with", field.only_with or None),
        ("since", field.since or None),
        ("unit", field.unit or None),
        ("example", field.example),
    ):
        if value is not None:
            row[key] = _exact(value)
    row["doc"] = field.doc
    return row


def _payload(payload: Payload) -> dict[str, Any]:
    return {
        "name": payload.name, "min_size": payload.min_size, "max_size": payload.max_size,
        "extensible": payload.extensible, "fields": [_field(f) for f in payload.fields],
    }  # fmt: skip


def _cli(cli: Cli | None) -> dict[str, Any] | None:
    if cli is None:
        return None
    return {
        "command": cli.command, "summary": cli.summary, "arguments": list(cli.arguments),
        "custom": cli.custom,
    }  # fmt: skip


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name, "code": operation.code, "since": operation.since,
        "kind": operation.kind, "effect": operation.effect, "scope": operation.scope,
        "role": operation.role, "states": list(operation.states), "batched": operation.batched,
        "negotiated": operation.negotiated, "extensible": operation.extensible,
        "reply": operation.reply.name, "statuses": [s.name for s in operation.statuses],
        "fingerprint": _fingerprint(operation.fingerprint), "doc": operation.doc,
        "request": _payload(operation.request), "response": _payload(operation.response),
        "cli": _cli(operation.cli),
    }  # fmt: skip
