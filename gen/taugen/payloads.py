# SPDX-License-Identifier: MIT
"""Resolves the fields of payloads: their shapes, offsets, sizes and bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .load import Table
from .model import Feature, Field, Limit, Payload, Shape, Type, TypeKind
from .types import TypeResolver, added_since, check_example, integer_range, member_or_fail


@dataclass
class Scope:
    """What the fields of any payload may refer to."""

    types: TypeResolver
    limits: dict[str, Limit]
    features: dict[str, Feature]
    payload_bytes: int
    version: int


def bound(
    row: Table, key: str, limits: dict[str, Limit], high: int
) -> tuple[int | None, Limit | None]:
    """An upper bound that is written as a number or as the name of a limit."""
    if not row.has(key):
        return None, None
    if isinstance(row.data[key], str):
        name = row.text(key)
        if name not in limits:
            row.fail(key, f"there is no limit `{name}`", "a limit that is stated")
        limit = limits[name]
        if limit.value > high:
            row.fail(key, f"the limit `{name}` is {limit.value}", f"at most {high}")
        return limit.value, limit
    return row.integer(key, 0, high), None


class PayloadResolver:
    """Resolves one payload, field by field."""

    def __init__(self, name: str, scope: Scope, extensible: bool, is_reply: bool) -> None:
        self.name = name
        self.scope = scope
        self.extensible = extensible
        self.is_reply = is_reply
        self.fields: list[Field] = []
        self.offset: int | None = 0
        self.room = scope.payload_bytes

    def run(self, rows: list[Table]) -> Payload:
        for row in rows:
            self._follow(row)
            field = self._field(row)
            row.done()
            if field.max_size > self.room:
                key = next((k for k in ("max", "array", "size") if row.has(k)), "type")
                wrong = f"`{field.name}` may take {field.max_size} bytes"
                row.fail(key, wrong, f"at most {self.room}, which the payload has left for it")
            self.room -= field.max_size
            self.fields.append(field)
            self.offset = None if self.offset is None or field.size is None else (
                self.offset + field.size
            )  # fmt: skip
        low = sum(f.min_size for f in self.fields if not f.tail)
        high = sum(f.max_size for f in self.fields)
        high = self.scope.payload_bytes if self.extensible else high
        return Payload(self.name, tuple(self.fields), low, high, self.extensible)

    def _follow(self, row: Table) -> None:
        """Checks that a field may stand behind the one before it."""
        if not self.fields:
            return
        last = self.fields[-1]
        if last.shape in (Shape.REST, Shape.REST_ARRAY):
            wrong = f"a field follows `{last.name}`, which takes the rest"
            row.fail("name", wrong, "`rest` only at the end")
        if last.feature and row.text("feature", "") != last.feature.name:
            wrong = f"a field follows `{last.name}`, which needs a feature"
            row.fail("name", wrong, f'`feature` = "{last.feature.name}" here too')
        if last.since and not row.has("since"):
            wrong = f"a field follows `{last.name}`, which was added later"
            row.fail("name", wrong, "`since` here too")

    def _field(self, row: Table) -> Field:
        name = member_or_fail(row, [f.name for f in self.fields])
        type_name = row.text("type")
        type_ = self.scope.types.get(type_name, row.place("type"))
        base = Field(
            name, len(self.fields), type_, Shape.FIXED, self.offset, type_.size, type_.size,
            row.doc(), row.text("unit", type_.unit), None, row.place(),
            feature=self._feature(row), since=self._since(row),
        )  # fmt: skip
        if row.has("array"):
            field = self._array(row, base)
        elif type_.kind in (TypeKind.TEXT, TypeKind.BLOB):
            field = self._sized(row, base)
        elif row.flag("optional"):
            field = replace(base, shape=Shape.OPTIONAL, min_size=1, max_size=1 + type_.size)
        else:
            field = self._fixed(row, base)
        if "example" in row.data or not field.is_array:
            field = replace(field, example=self._example(row, field))
        return field

    def _example(self, row: Table, field: Field) -> Any:
        if not row.has("example"):
            if field.type.kind is TypeKind.INTEGER and field.minimum is not None:
                return max(field.minimum, 1)
            return field.type.example
        if field.is_array or field.type.kind is TypeKind.STRUCT:
            row.fail("example", "this field cannot have an example", "none: its type has one")
        row.seen("example", str(row.data["example"]))
        found = check_example(row.data["example"], field.type, row.place("example"))
        if field.max_bytes is not None and len(str(found).encode()) > field.max_bytes:
            wrong = f"the example {found!r} is too long"
            row.fail("example", wrong, f"at most {field.max_bytes} bytes")
        if isinstance(found, int) and field.type.kind is TypeKind.INTEGER:
            low, high = field.minimum, field.maximum
            if (low is not None and found < low) or (high is not None and found > high):
                wrong = f"the example {found} is out of bounds"
                row.fail("example", wrong, "one within min and max")
        return found

    def _since(self, row: Table) -> int:
        """The version that added the field; it may then be missing, with all behind it."""
        since = added_since(row, self.scope.version)
        if since and (self.is_reply or not self.extensible):
            row.fail("since", "the payload is not extensible", "no field that is added later")
        if since and row.flag("optional"):
            row.fail("optional", "an added field may be missing already", "no `optional`")
        if since and self.fields and since < self.fields[-1].since:
            wrong = f"`since` is {since}, but the field before is of {self.fields[-1].since}"
            row.fail("since", wrong, "that or later")
        return since

    def _feature(self, row: Table) -> Feature | None:
        if not row.has("feature"):
            return None
        name = row.text("feature")
        if not self.is_reply:
            row.fail("feature", "only a reply's field may need a feature", "no `feature` here")
        if name not in self.scope.features:
            row.fail("feature", f"there is no feature `{name}`", "a feature that is stated")
        return self.scope.features[name]

    def _fixed(self, row: Table, base: Field) -> Field:
        base = replace(base, only_with=self._only_with(row))
        if base.type.kind is not TypeKind.INTEGER:
            return base
        low, high = integer_range(base.type)
        maximum, limit = bound(row, "max", self.scope.limits, high)
        top = high if maximum is None else maximum
        minimum = row.integer("min", low, top) if row.has("min") else None
        return replace(base, minimum=minimum, maximum=maximum, limit=limit)

    def _only_with(self, row: Table) -> str:
        """The earlier field that says whether a field has a meaning."""
        if not row.has("only_with"):
            return ""
        name = row.text("only_with")
        other = next((f for f in self.fields if f.name == name), None)
        if other is None or other.shape is not Shape.FIXED:
            row.fail("only_with", f"no earlier field `{name}` is always there", "one that is")
        if other.type.kind not in (TypeKind.INTEGER, TypeKind.BOOL) or other.type.signed:
            row.fail("only_with", f"`{name}` does not count", "an unsigned integer or a bool")
        return name

    def _sized(self, row: Table, base: Field) -> Field:
        size = row.choice("size", ("u8", "u16", "u32", "rest"))
        if size == "rest":
            if self.extensible:
                row.fail("size", "an extensible payload has no rest", "a length in front")
            maximum, limit = bound(row, "max", self.scope.limits, self.room)
            top = self.room if maximum is None else maximum
            return replace(
                base, shape=Shape.REST, min_size=0, max_size=top, max_bytes=top, limit=limit
            )
        prefix = self.scope.types.get(size, row.place("size"))
        maximum, limit = bound(row, "max", self.scope.limits, integer_range(prefix)[1])
        if maximum is None:
            row.fail(None, f"`{base.name}` has no `max`", "the most bytes that it may have")
        return replace(
            base, shape=Shape.SIZED, prefix=prefix.size, min_size=prefix.size,
            max_size=prefix.size + maximum, max_bytes=maximum, limit=limit,
        )  # fmt: skip

    def _array(self, row: Table, base: Field) -> Field:
        if base.type.kind not in (
            TypeKind.INTEGER, TypeKind.FLOAT, TypeKind.BYTES, TypeKind.STRUCT, TypeKind.ENUM,
        ):  # fmt: skip
            wrong = f"there is no array of `{base.type.name}`"
            row.fail("type", wrong, "numbers, enumerations, structs or fixed bytes")
        array = row.text("array")
        if array == "rest":
            if self.extensible:
                row.fail("array", "an extensible payload has no rest", "a count in front")
            maximum, limit = bound(row, "max", self.scope.limits, self.room)
            if maximum is None:
                row.fail(None, f"`{base.name}` has no `max`", "the most elements that it may have")
            return replace(
                base, shape=Shape.REST_ARRAY, min_size=0, max_size=maximum * base.type.size,
                max_count=maximum, limit=limit,
            )  # fmt: skip
        return self._counted_array(row, base, array)

    def _counted_array(self, row: Table, base: Field, array: str) -> Field:
        counter = next((f for f in self.fields if f.name == array), None)
        if counter is None or counter.shape is not Shape.FIXED:
            row.fail("array", f"no earlier field `{array}` counts", "`rest` or an earlier integer")
        if counter.type.kind is not TypeKind.INTEGER or counter.type.signed:
            row.fail("array", f"`{array}` cannot count", "an unsigned integer")
        if counter.since != base.since:
            wrong = f"`{base.name}` and `{array}` were not added together"
            row.fail("array", wrong, "the same `since` at both, or none")
        last = self.fields[-1]
        if base.since and array not in (last.name, last.count_field):
            wrong = f"the field `{last.name}` stands between `{array}` and `{base.name}`"
            row.fail("array", wrong, "added arrays right behind their count")
        most = counter.maximum
        if most is None:
            most = integer_range(counter.type)[1]
        counted = replace(counter, counts=counter.counts + (base.name,))
        self.fields[counter.number] = counted
        return replace(
            base, shape=Shape.COUNTED_ARRAY, min_size=0, max_size=most * base.type.size,
            min_count=counter.minimum or 0, max_count=most, count_field=array,
            limit=counter.limit,
        )  # fmt: skip
