# SPDX-License-Identifier: MIT
"""What the backends of the codec share: heads of functions, and which payloads are plain."""

from __future__ import annotations

from .ctext import signature
from .model import Field, Limit, Payload, Shape, TypeKind


def is_plain(payload: Payload) -> bool:
    """Whether a payload is one fixed block in which every bit pattern is legal."""
    return not payload.extensible and all(
        f.shape is Shape.FIXED and not needs_look(f) for f in payload.fields
    )


def needs_look(field: Field) -> bool:
    """Whether a value of the field's type may be wrong."""
    return (
        bool(field.type.closed)
        or field.type.kind is TypeKind.BOOL
        or lower_bound(field) is not None
        or field.maximum is not None
    )


def lower_bound(field: Field) -> int | None:
    """The least value where it is not that of the type."""
    if field.minimum is None or (field.minimum == 0 and not field.type.signed):
        return None
    return field.minimum


def most(value: int | None, limit: Limit | None) -> str:
    """An upper bound in C: the limit's name where it has one."""
    return limit.c_name if limit else str(value)


def decode_head(payload: Payload, prefix: str, end: str) -> str:
    """The head of a decoder; the status is on a line of its own where it is too long."""
    parameters = [
        "struct tau_slice payload",
        f"struct {payload.c_struct} *ret",
        "struct tau_decode_error *ret_error",
    ]
    return signature(f"{prefix}enum tau_status {payload.c_decode}", parameters, end)


def encode_head(payload: Payload, prefix: str, end: str) -> str:
    parameters = [f"const struct {payload.c_struct} *value", "struct tau_writer *out"]
    return signature(f"{prefix}bool {payload.c_encode}", parameters, end)


def size_head(payload: Payload, prefix: str, end: str) -> str:
    return f"{prefix}size_t {payload.c_size}(const struct {payload.c_struct} *value){end}"
