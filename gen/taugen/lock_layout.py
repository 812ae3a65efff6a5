# SPDX-License-Identifier: MIT
"""The layouts of a specification or of a lock as a tree of named entries, which a diff compares.

An entry has facts, which two sides must agree on, and parts, lists of entries within it. Its words
are what may be said in another way: documentation, examples, commands. A lock holds no words. What
has its default is no fact, so that the tree of a lock and that of its specification are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Union

from .check import check
from .load import Table, load
from .model import Field, Member, Model, Operation, Payload, Place, Shape, Type, TypeKind
from .resolve import resolve

Fact = Union[str, int, bool, tuple[str, ...]]

FORMAT = 1

# What a lock keeps, in this order; services and commands are words alone.
LOCKED = (
    "protocol", "header", "flag", "limit", "type", "feature", "status", "state", "transition",
    "check", "reply", "operation",
)  # fmt: skip

# What each of their entries has to state.
STATED = {
    "protocol": "version", "flag": "value", "limit": "number value", "type": "kind",
    "feature": "bit", "status": "code", "transition": "to", "reply": "code", "values": "value",
    "operation": "code since kind effect scope role fingerprint", "request": "type",
    "response": "type", "payload": "type", "fields": "type",
}  # fmt: skip

# Numbers and names of these are taken from one space.
SPACES = {"operation": "frame", "reply": "frame"}


@dataclass(frozen=True)
class Entry:
    """One named thing, and where each of its facts is written."""

    name: str
    table: Table
    facts: dict[str, Fact]
    words: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, tuple["Entry", ...]] = field(default_factory=dict)

    def place(self, key: str = "") -> Place:
        return self.table.place(key) if key in self.table.data else self.table.place()


@dataclass(frozen=True)
class Reserved:
    """A name, and its number where it had one, that is never given again."""

    space: str
    name: str
    number: int | None


@dataclass(frozen=True)
class Layout:
    """All entries by section; `reserved` is known to a lock alone."""

    table: Table
    is_lock: bool
    sections: dict[str, tuple[Entry, ...]]
    reserved: tuple[Reserved, ...] = ()

    @property
    def protocol(self) -> Entry:
        return self.sections["protocol"][0]

    @property
    def version(self) -> int:
        return int(str(self.protocol.facts["version"]))

    def find(self, section: str, name: object) -> Entry | None:
        return next((e for e in self.sections.get(section, ()) if e.name == name), None)


def _facts(**given: Fact | None) -> dict[str, Fact]:
    """The facts that are not their defaults: none, no text, no list, false."""
    return {
        key: value for key, value in given.items()
        if value is not None and value is not False and value not in ("", ())
    }  # fmt: skip


def _words(table: Table, *keys: str) -> dict[str, Any]:
    return {key: table.data[key] for key in ("doc", *keys) if key in table.data}


class _Reader:
    """Pairs what the model says with the tables that say it."""

    def __init__(self, model: Model, files: list[Table]) -> None:
        self.model = model
        self.files = files

    def rows(self, key: str) -> dict[str, Table]:
        return {t.data["name"]: t for f in self.files for t in f.tables(key)}

    def layout(self) -> Layout:
        root, model, types = self.files[0], self.model, self.rows("type")
        protocol = Entry(
            model.name, root.table("protocol"),
            _facts(version=model.version, default_listen=model.default_listen,
                   first_push_opcode=model.first_push),
            _words(root.table("protocol")),
        )  # fmt: skip
        sections: dict[str, tuple[Entry, ...]] = {
            "protocol": (protocol,), **self._numbered(), **self._session(),
        }  # fmt: skip
        sections["type"] = tuple(
            self._type(t, types[t.name]) for t in model.types if not t.builtin
        )
        replies = self.rows("reply")
        sections["reply"] = tuple(
            Entry(r.name, replies[r.name], _facts(code=r.code, since=r.since),
                  _words(replies[r.name]),
                  self._payload("payload", r.payload, replies[r.name]))
            for r in model.replies
        )  # fmt: skip
        operations = self.rows("operation")
        sections["operation"] = tuple(
            self._operation(o, operations[o.name]) for o in model.operations
        )
        sections["service"] = tuple(
            Entry(f.data["service"]["name"], f.table("service"), {},
                  _words(f.table("service"), "first_opcode"))
            for f in self.files if "service" in f.data
        )  # fmt: skip
        sections["command"] = tuple(
            Entry(name, row, {}, _words(row, "summary"))
            for name, row in self.rows("command").items()
        )
        return Layout(root, False, sections)

    def _numbered(self) -> dict[str, tuple[Entry, ...]]:
        """Header, flags, limits, features and statuses."""
        model = self.model

        def entries(key: str, found: list[tuple[str, dict[str, Fact]]]) -> tuple[Entry, ...]:
            rows = self.rows(key)
            return tuple(Entry(n, rows[n], facts, _words(rows[n])) for n, facts in found)

        return {
            "header": entries("header", [
                (h.name, _facts(type=h.type, size=h.size, value=h.value,
                                max=h.limit.value if h.limit else None))
                for h in model.header.fields
            ]),
            "flag": entries("flag", [(f.name, _facts(value=f.value)) for f in model.flags]),
            "limit": entries("limit", [
                (x.name, _facts(number=x.number, value=x.value, unit=x.unit))
                for x in model.limits
            ]),
            "feature": entries("feature", [(f.name, {"bit": f.bit}) for f in model.features]),
            "status": entries("status", [
                (s.name, {"code": s.code, **_facts(**{"class": s.status_class}, local=s.local)})
                for s in model.statuses
            ]),
        }  # fmt: skip

    def _session(self) -> dict[str, tuple[Entry, ...]]:
        """States, transitions and checks."""
        model, states = self.model, self.rows("state")
        ways = {(t.data["from"], t.data["on"]): t for t in self.files[0].tables("transition")}
        checks = self.rows("check")
        return {
            "state": tuple(
                Entry(s.name, states[s.name],
                      _facts(initial=s.initial, final=s.final,
                             refuses_with=s.refuses_with.name if s.refuses_with else None),
                      _words(states[s.name]))
                for s in model.states
            ),
            "transition": tuple(
                Entry(f"{t.source} on {t.event.text}", ways[t.source, t.event.text],
                      {"to": t.target}, _words(ways[t.source, t.event.text]))
                for t in model.transitions
            ),
            "check": tuple(
                Entry(c.name, checks[c.name], _facts(status=c.status.name, closes=c.closes),
                      _words(checks[c.name]))
                for c in model.checks
            ),
        }  # fmt: skip

    def _type(self, type_: Type, row: Table) -> Entry:
        kind = row.data["kind"]
        facts = _facts(
            kind=kind, size=type_.size if kind == "bytes" else None, open=type_.open,
            of=type_.wire if kind == "enum" else type_.alias_of, unit=type_.unit,
        )  # fmt: skip
        parts: dict[str, tuple[Entry, ...]] = {}
        if type_.kind is TypeKind.STRUCT:
            rows = row.tables("fields")
            parts["fields"] = tuple(_member(m, rows[m.number]) for m in type_.members)
        if type_.kind is TypeKind.ENUM:
            named = {t.data["name"]: t for t in row.tables("values")}
            parts["values"] = tuple(
                Entry(v.name, named[v.name], {"value": v.value, **_facts(since=v.since or None)},
                      _words(named[v.name]))
                for v in type_.values
            )  # fmt: skip
        return Entry(type_.name, row, facts, _words(row, "example"), parts)

    def _operation(self, operation: Operation, row: Table) -> Entry:
        facts = _facts(
            code=operation.code, since=operation.since, kind=operation.kind,
            effect=operation.effect, scope=operation.scope, role=operation.role,
            reply=operation.reply.name, negotiated=operation.negotiated,
            extensible=operation.extensible, states=operation.states,
            statuses=tuple(s.name for s in operation.statuses),
            fingerprint=f"{operation.fingerprint:016x}",
        )  # fmt: skip
        parts = {
            **self._payload("request", operation.request, row),
            **self._payload("response", operation.response, row),
        }
        return Entry(operation.name, row, facts, _words(row, "cli", "batched"), parts)

    def _payload(self, key: str, payload: Payload, row: Table) -> dict[str, tuple[Entry, ...]]:
        return {key: tuple(_field(f, t) for f, t in zip(payload.fields, row.tables(key)))}


def _member(member: Member, row: Table) -> Entry:
    return Entry(
        member.name, row, _facts(type=member.type.name, unit=member.unit), _words(row)
    )


def _field(field_: Field, row: Table) -> Entry:
    counted = field_.shape is Shape.COUNTED_ARRAY
    facts: Mapping[str, Fact] = {
        **_facts(
            type=field_.type.name,
            shape=field_.shape.value if field_.shape is not Shape.FIXED else None,
            prefix=field_.prefix or None, count_field=field_.count_field,
            feature=field_.feature.name if field_.feature else None,
            only_with=field_.only_with, unit=field_.unit, since=field_.since or None,
        ),
        **{
            key: value
            for key, value in (
                ("minimum", field_.minimum),
                ("maximum", field_.maximum),
                ("max_count", None if counted else field_.max_count),
                ("max_bytes", field_.max_bytes),
            )
            if value is not None
        },
    }  # fmt: skip
    return Entry(field_.name, row, dict(facts), _words(row, "example"))


def layout_of(model: Model, files: list[Table]) -> Layout:
    """The layout of a model and of the files that it was resolved from."""
    return _Reader(model, files).layout()


# --- a lock -----------------------------------------------------------------------------------


def _read_lock(root: Table) -> Layout:
    found = root.data["lock"]
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        root.fail("lock", "the lock is of another format", f"format = {FORMAT}")
    sections: dict[str, tuple[Entry, ...]] = {}
    for section in LOCKED:
        sections[section] = tuple(_entry(t, section) for t in _tables(root, section))
    if len(sections["protocol"]) != 1:
        root.fail("protocol", "the lock names no protocol", "one [[protocol]]")
    reserved = tuple(
        Reserved(str(t.data.get("space")), str(t.data.get("name")), t.data.get("number"))
        for t in _tables(root, "reserved")
    )
    return Layout(root, True, sections, reserved)


def _tables(table: Table, key: str) -> list[Table]:
    rows = table.data.get(key, [])
    if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
        table.fail(key, f"`{key}` is no list of tables", "a lock as `taugen lock` writes it")
    return [Table(table.source, row, table.path + (key, n)) for n, row in enumerate(rows)]


def _entry(table: Table, kind: str) -> Entry:
    """An entry as it stands: lists of tables are its parts, all else is a fact."""
    for key in ("name", *STATED.get(kind, "").split()):
        if key not in table.data:
            table.fail(None, f"`{key}` is missing", "a lock as `taugen lock` writes it")
    facts: dict[str, Fact] = {}
    parts: dict[str, tuple[Entry, ...]] = {}
    for key, value in table.data.items():
        if isinstance(value, list) and (not value or isinstance(value[0], dict)):
            parts[key] = tuple(_entry(t, key) for t in _tables(table, key))
        elif isinstance(value, list):
            facts[key] = tuple(str(item) for item in value)
        elif key != "name":
            facts[key] = value
    return Entry(str(table.data["name"]), table, facts, {}, parts)


def read(path: str) -> Layout:
    """The layout of a lock or of a specification's root file."""
    files = load(path)
    if "lock" in files[0].data:
        return _read_lock(files[0])
    model = resolve(files)
    check(model)
    return layout_of(model, files)
