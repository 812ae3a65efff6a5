# SPDX-License-Identifier: MIT
"""C expressions that load and store one value of a fixed type.

Every backend that writes C codecs takes its loads and stores from here, so that there is one way to
read a type.
"""

from __future__ import annotations

from .model import Type, TypeKind


def offset(base: str, delta: int) -> str:
    return f"{base} + {delta}" if delta else base


def load(type_: Type, target: str, at: str) -> str:
    """A statement that loads the value at the expression `at` into the lvalue `target`."""
    if type_.kind is TypeKind.BYTES:
        return f"memcpy({target}.bytes, {at}, sizeof {target}.bytes);"
    if type_.kind is TypeKind.STRUCT:
        return f"{target} = tau_{type_.c_stem}_load({at});"
    if type_.kind is TypeKind.BOOL:
        return f"{target} = tau_load_u8({at}) != 0;"
    value = f"tau_load_{type_.wire if type_.kind is not TypeKind.STATUS else 'u8'}({at})"
    if type_.kind in (TypeKind.ENUM, TypeKind.STATUS):
        return f"{target} = ({type_.c_type}){value};"
    return f"{target} = {value};"


def store(type_: Type, value: str, at: str) -> str:
    """A statement that stores the lvalue `value` at the expression `at`."""
    if type_.kind is TypeKind.BYTES:
        return f"memcpy({at}, {value}.bytes, sizeof {value}.bytes);"
    if type_.kind is TypeKind.STRUCT:
        return f"tau_{type_.c_stem}_store({at}, &{value});"
    if type_.kind is TypeKind.BOOL:
        return f"tau_store_u8({at}, {value} ? 1 : 0);"
    if type_.kind is TypeKind.STATUS:
        return f"tau_store_u8({at}, (uint8_t){value});"
    if type_.kind is TypeKind.ENUM:
        return f"tau_store_{type_.wire}({at}, (uint{type_.size * 8}_t){value});"
    return f"tau_store_{type_.wire}({at}, {value});"


def unknown_value(type_: Type, value: str) -> str:
    """A C condition that is true where an unsigned value is none of a closed enumeration."""
    numbers = [v.value for v in type_.values]
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        above = f"{value} > {type_.values[-1].c_name}"
        return above if numbers[0] == 0 else f"{value} < {type_.values[0].c_name} || {above}"
    return " && ".join(f"{value} != {v.c_name}" for v in type_.values)


def known_value(type_: Type, value: str) -> str:
    """A C condition that is true where an unsigned value is one of a closed enumeration."""
    numbers = [v.value for v in type_.values]
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        below = f"{value} <= {type_.values[-1].c_name}"
        return below if numbers[0] == 0 else f"{value} >= {type_.values[0].c_name} && {below}"
    return "(" + " || ".join(f"{value} == {v.c_name}" for v in type_.values) + ")"
