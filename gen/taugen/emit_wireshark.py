# SPDX-License-Identifier: MIT
"""The Wireshark dissector: tables of the model in Lua, and behind them what reads by them."""

from __future__ import annotations

from typing import Any

from .model import Field, Model, Operation, Payload, Reply, Type, TypeKind
from .wireshark_runtime import RUNTIME

GROUP = "published"
OUTPUTS = ("tau.lua",)

_COLUMNS = 100
_SECRET = "connect_request"

# Words that are no names in Lua.
_RESERVED = frozenset(
    "and break do else elseif end false for function goto if in local nil not or repeat return "
    "then true until while".split()
)

_HEAD = """\
-- SPDX-License-Identifier: MIT
--
-- Shows {title} in Wireshark and tshark: every frame with its fields, each reply with the request
-- that it answers, and what a receiver refuses and why. Copy it into the folder of personal plugins
-- (Help, About Wireshark, Folders), or name it: tshark -X lua_script:{name}.lua
--
-- Generated from the specification in protocol/ by gen/taugen; changes are lost.

"""


class Int64(int):
    """An integer that Lua's numbers cannot hold exactly: UInt64 or Int64 of Wireshark."""

    signed = False


class SignedInt64(Int64):
    signed = True


def emit(model: Model) -> dict[str, str]:
    text = _HEAD.format(title=model.name.capitalize(), name=model.name)
    text += _table("protocol", _protocol(model))
    text += _table("statuses", {s.code: s.name for s in model.wire_statuses})
    text += _table("flags", [{"name": f.name, "value": f.value} for f in model.flags])
    text += _table("types", {t.name: _type(t) for t in model.types})
    payloads = {p.name: _payload(p) for p in model.payloads}
    text += _table("payloads", payloads)
    text += _table("operations", {o.code: _operation(o) for o in model.operations})
    text += _table("replies", {r.code: _reply(r) for r in model.replies})
    return {"tau.lua": text + RUNTIME.lstrip("\n")}


# --- the tables -------------------------------------------------------------------------------


def _protocol(model: Model) -> dict[str, Any]:
    return {
        "title": model.name.capitalize(),
        "version": model.version,
        "port": int(model.default_listen.rpartition(":")[2]),
        "magic": model.header.field("magic").value,
        "header_size": model.header.size,
        "header": {f.name: f.offset for f in model.header.fields},
        "payload_max": model.limit("payload_bytes").value,
        "more": next((f.value for f in model.flags if f.name == "more"), 256),
        "checks": {c.name: c.status.code for c in model.checks},
    }


def _type(type_: Type) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": type_.kind.value, "size": type_.size}
    if type_.kind is TypeKind.INTEGER:
        row["signed"] = type_.signed
    if type_.kind is TypeKind.ENUM:
        row["open"] = type_.open
        row["values"] = {v.value: v.name for v in type_.values}
    if type_.members:
        row["members"] = [
            {"name": m.name, "type": m.type.name, "offset": m.offset, "doc": m.doc}
            for m in type_.members
        ]
    return row


def _bound(field: Field, number: int | None) -> int | None:
    if number is None or field.type.size < 8:
        return number
    return SignedInt64(number) if field.type.signed else Int64(number)


def _field(field: Field) -> dict[str, Any]:
    row: dict[str, Any] = {"name": field.name, "type": field.type.name, "shape": field.shape.value}
    top = field.max_count if field.is_array else field.max_bytes
    for key, value in (
        ("prefix", field.prefix or None),
        ("max", top),
        ("low", _bound(field, field.minimum)),
        ("high", _bound(field, field.maximum)),
        ("count", field.count_field or None),
        ("counts", field.is_count or None),
        ("tail", field.tail or None),
        ("doc", field.doc),
    ):
        if value is not None:
            row[key] = value
    return row


def _payload(payload: Payload) -> dict[str, Any]:
    """What CONNECT carries is a secret: its bytes are shown as bytes, for they are no name."""
    row: dict[str, Any] = {"fields": [_field(f) for f in payload.fields]}
    if payload.extensible:
        row["extensible"] = True
    if payload.name == _SECRET:
        row["secret"] = True
    return row


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "reply": operation.reply.code,
        "request": operation.request.name,
        "response": operation.response.name,
        "extensible": operation.extensible,
    }


def _reply(reply: Reply) -> dict[str, Any]:
    return {"name": reply.name, "payload": reply.payload.name}


# --- Lua --------------------------------------------------------------------------------------


def _table(name: str, value: Any) -> str:
    return f"local {name} = {_lua(value, 0)}\n\n"


def _string(text: str) -> str:
    flat = " ".join(text.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Int64):
        kind = "Int64" if value.signed else "UInt64"
        return f"{kind}.new({value & 0xFFFFFFFF}, {value >> 32 & 0xFFFFFFFF})"
    if isinstance(value, int):
        return str(value)
    return _string(str(value))


def _key(key: Any) -> str:
    if isinstance(key, int):
        return f"[{key}] = "
    return f'["{key}"] = ' if key in _RESERVED else f"{key} = "


def _lua(value: Any, indent: int) -> str:
    """A value as Lua: on one line where it fits, else an item a line."""
    if isinstance(value, dict):
        items = [(_key(k), v) for k, v in value.items()]
    elif isinstance(value, list):
        items = [("", v) for v in value]
    else:
        return _scalar(value)
    if not items:
        return "{}"
    inner = indent + 4
    flat = "{ " + ", ".join(k + _lua(v, inner) for k, v in items) + " }"
    if "\n" not in flat and len(flat) + indent + 24 <= _COLUMNS:
        return flat
    body = "".join(f"{' ' * inner}{k}{_lua(v, inner)},\n" for k, v in items)
    return "{\n" + body + " " * indent + "}"
