# SPDX-License-Identifier: MIT
"""Resolves the types of a specification: built-in ones, and those that it states."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .errors import SpecificationError
from .load import Table
from .model import EnumValue, Example, Member, Place, Type, TypeKind

# Words that cannot name a member of a C or C++ struct: those of the languages, and what macros of
# systems and their headers make something else of.
RESERVED = frozenset(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
    char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
    constinit continue decltype default delete do double dynamic_cast else enum errno explicit
    export extern false float for friend goto h_addr i386 if inline int linux long mutable namespace
    new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return s_addr short signed sizeof st_atime st_ctime st_mtime
    static static_assert static_cast struct switch template this thread_local throw true try typedef
    typeid typename typeof union unix unsigned using virtual void volatile wchar_t while xor
    xor_eq""".split()
)

_INTEGERS = {
    "u8": (1, False, "uint8_t"),
    "u16": (2, False, "uint16_t"),
    "u32": (4, False, "uint32_t"),
    "u64": (8, False, "uint64_t"),
    "i64": (8, True, "int64_t"),
}


def builtins() -> dict[str, Type]:
    """The types that need no statement."""
    found = {
        name: Type(
            name, TypeKind.INTEGER, name, size, c_type, name, signed=signed, builtin=True, example=1
        )
        for name, (size, signed, c_type) in _INTEGERS.items()
    }

    def add(name: str, kind: TypeKind, size: int, c_type: str, example: Example) -> None:
        found[name] = Type(name, kind, name, size, c_type, name, builtin=True, example=example)

    add("f64", TypeKind.FLOAT, 8, "double", 1.5)
    add("bool", TypeKind.BOOL, 1, "bool", True)
    add("status", TypeKind.STATUS, 1, "enum tau_status", None)
    add("text", TypeKind.TEXT, 0, "struct tau_slice", "text")
    add("bytes", TypeKind.BLOB, 0, "struct tau_slice", "")
    return found


def integer_range(type_: Type) -> tuple[int, int]:
    """The smallest and the largest value of an integer type."""
    bits = type_.size * 8
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type_.signed else (0, (1 << bits) - 1)


def check_example(value: Any, type_: Type, place: Place) -> Example:
    """The example where it fits its type, else an error."""

    def wrong(expected: str) -> SpecificationError:
        return SpecificationError(place, f"the example {value!r} does not fit", expected)

    if type_.kind is TypeKind.INTEGER:
        low, high = integer_range(type_)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise wrong(f"an integer from {low} to {high}")
    elif type_.kind is TypeKind.FLOAT:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong("a number")
        value = float(value)
    elif type_.kind is TypeKind.BOOL:
        if not isinstance(value, bool):
            raise wrong("true or false")
    elif type_.kind is TypeKind.ENUM:
        names = [v.name for v in type_.values]
        if value not in names:
            raise wrong("one of " + ", ".join(names))
    elif type_.kind is TypeKind.BYTES:
        if not isinstance(value, str) or len(value.encode()) > type_.size:
            raise wrong(f"a string of at most {type_.size} bytes")
    elif not isinstance(value, str):
        raise wrong("a string")
    return value  # type: ignore[no-any-return]


class TypeResolver:
    """Resolves type tables in whatever order they refer to each other."""

    def __init__(self, tables: list[Table], version: int) -> None:
        self.version = version
        self.found = builtins()
        self.tables: dict[str, Table] = {}
        self.open: list[str] = []
        for table in tables:
            name = table.name()
            if name in self.found or name in self.tables:
                table.fail("name", f"the type `{name}` is stated twice", "each name once")
            self.tables[name] = table

    def all(self) -> dict[str, Type]:
        for name in self.tables:
            self.get(name, self.tables[name].place("name"))
        return self.found

    def get(self, name: str, place: Place) -> Type:
        if name in self.found:
            return self.found[name]
        if name not in self.tables:
            raise SpecificationError(place, f"there is no type `{name}`", "a type that is stated")
        if name in self.open:
            raise SpecificationError(place, f"the type `{name}` holds itself", "no cycle")
        self.open.append(name)
        found = self._resolve(name, self.tables[name])
        self.open.pop()
        self.found[name] = found
        return found

    def _resolve(self, name: str, table: Table) -> Type:
        kind = table.choice("kind", ("bytes", "alias", "struct", "enum"))
        doc = table.doc()
        found = {
            "bytes": self._bytes,
            "alias": self._alias,
            "struct": self._struct,
            "enum": self._enum,
        }[kind](name, doc, table)
        table.done()
        return replace(found, place=table.place())

    def _bytes(self, name: str, doc: str, table: Table) -> Type:
        size = table.integer("size", 1, 4096)
        found = Type(name, TypeKind.BYTES, f"bytes[{size}]", size, f"struct tau_{name}", name, doc)
        example = table.text("example", name)
        check_example(example, found, table.place("example"))
        return replace(found, example=example)

    def _alias(self, name: str, doc: str, table: Table) -> Type:
        of = table.text("of")
        base = self.get(of, table.place("of"))
        if base.kind not in (TypeKind.INTEGER, TypeKind.FLOAT):
            table.fail("of", f"an alias cannot stand for `{of}`", "an integer type or f64")
        example = base.example
        if table.has("example"):
            example = check_example(table.data["example"], base, table.place("example"))
        return Type(
            name, base.kind, base.wire, base.size, base.c_type, base.c_stem, doc,
            unit=table.text("unit", base.unit), example=example, signed=base.signed, alias_of=of,
        )  # fmt: skip

    def _struct(self, name: str, doc: str, table: Table) -> Type:
        members: list[Member] = []
        offset = 0
        for row in table.tables("fields"):
            member_name = member_or_fail(row, [m.name for m in members])
            of = row.text("type")
            member = self.get(of, row.place("type"))
            if member.kind not in (
                TypeKind.INTEGER, TypeKind.FLOAT, TypeKind.BYTES, TypeKind.STATUS, TypeKind.ENUM,
            ):  # fmt: skip
                wrong = f"`{of}` cannot be in a struct"
                row.fail("type", wrong, "a number, a status, an enumeration or fixed bytes")
            doc_text, unit = row.doc(), row.text("unit", member.unit)
            row.done()
            members.append(
                Member(member_name, len(members), member, offset, doc_text, unit, row.place())
            )
            offset += member.size
        if not members:
            table.fail("fields", f"the struct `{name}` has no fields", "at least one")
        return Type(
            name, TypeKind.STRUCT, name, offset, f"struct tau_{name}", name, doc,
            members=tuple(members),
        )  # fmt: skip

    def _enum(self, name: str, doc: str, table: Table) -> Type:
        of = table.choice("of", ("u8", "u16", "u32"))
        base = self.get(of, table.place("of"))
        values: list[EnumValue] = []
        for row in table.tables("values"):
            value_name = row.name()
            number = row.integer("value", 0, integer_range(base)[1])
            if value_name in (v.name for v in values):
                row.fail("name", f"`{value_name}` is stated twice", "each name once")
            if number in (v.value for v in values):
                row.fail("value", f"the value {number} is used twice", "each value once")
            since = added_since(row, self.version)
            if since and not table.flag("open"):
                row.fail("since", f"`{name}` is not open", "no value that is added later")
            c_name = f"TAU_{name}_{value_name}".upper()
            values.append(EnumValue(value_name, number, row.doc(), c_name, since))
            row.done()
        if not values:
            table.fail("values", f"the enumeration `{name}` has no values", "at least one")
        values.sort(key=lambda v: v.value)
        return Type(
            name, TypeKind.ENUM, of, base.size, f"enum tau_{name}", name, doc,
            example=values[0].name, open=table.flag("open"), values=tuple(values),
        )  # fmt: skip


def member_or_fail(row: Table, taken: list[str]) -> str:
    """The name of a field, which must be new and usable in C and C++."""
    name = row.name()
    if name in RESERVED or re.match(r"has_", name):
        row.fail("name", f"`{name}` cannot name a field in C", "another name")
    if name in taken:
        row.fail("name", f"the field `{name}` is stated twice", "each name once")
    return name


def added_since(row: Table, version: int) -> int:
    """The version that added a field or a value to something released, 0 where it says none."""
    if not row.has("since"):
        return 0
    since = row.integer("since", 1, 255)
    if since > version:
        wrong = f"`since` is {since}, but this is version {version} of the protocol"
        row.fail("since", wrong, f"at most {version}")
    return since
