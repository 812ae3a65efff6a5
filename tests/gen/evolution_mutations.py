# SPDX-License-Identifier: MIT
"""Mutations of a specification, generated over all of its tables, each labelled by construction.

A mutation changes a copy of the tables and says what it did: the class, and the place at which the
change must be reported. Nothing here looks at what `taugen diff` would say. A mutant that is no
specification (a field that is counted loses its counter, say) is dropped by whoever loads it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Optional

from specification import GENERATOR  # noqa: F401  (puts the generator on the path)

from taugen.diff_rules import Class

SAFE, ADDITIVE, BREAKING = Class.SAFE, Class.ADDITIVE, Class.BREAKING

Data = dict[str, Any]
Files = dict[str, Data]  # by name of the file
Path = tuple[Any, ...]
Edit = Callable[[Files], Optional[Class]]

# Types by the bytes that they have, to retype without and with another length.
SAME_SIZE = {
    "u8": ("bool",), "u16": (), "u32": (), "u64": ("i64", "f64"), "i64": ("u64", "f64"),
    "f64": ("u64", "i64"), "bool": ("u8",), "timestamp": ("u64", "value"),
    "value": ("u64", "timestamp"), "label": ("certificate", "transform_name"),
    "certificate": ("label",), "transform_name": ("label",),
}  # fmt: skip
OTHER_SIZE = {
    "u8": "u16", "u16": "u32", "u32": "u64", "u64": "u32", "i64": "u32", "f64": "u32",
    "bool": "u16", "timestamp": "u32", "value": "u32", "label": "u64", "certificate": "u64",
    "transform_name": "u64",
}  # fmt: skip
# Where statuses and states are referred to.
REFERENCES = {
    "status": (("operation", "statuses"), ("check", "status"), ("state", "refuses_with")),
    "state": (("operation", "states"), ("transition", "from"), ("transition", "to")),
}
ROLES = ("none", "reader", "writer", "admin")


@dataclass(frozen=True)
class Mutation:
    """One change. `at` is its place, a path within `file`: the old one if it was `removed`."""

    kind: str
    subject: str
    label: Class
    file: str
    at: Path
    removed: bool
    files: Files


class Mutations:
    """Generates every mutation of the files of a specification."""

    def __init__(self, files: Files) -> None:
        self.original = files
        self.made: list[Mutation] = []

    def all(self) -> list[Mutation]:
        for file, data in self.original.items():
            self.file = file
            for number, row in enumerate(data.get("operation", [])):
                self.operation(("operation", number), row)
            for number, row in enumerate(data.get("reply", [])):
                self.reply(("reply", number), row)
            for number, row in enumerate(data.get("type", [])):
                self.type(("type", number), row)
            self.numbered(data)
            self.session(data)
            self.service(data)
        return self.made

    # --- how a mutation is made ---------------------------------------------------------------

    def make(
        self, kind: str, label: Class, at: Path, change: Callable[[Any, Files], object],
        key: Any = None, removed: bool = False,
    ) -> None:  # fmt: skip
        """Changes the table at a path of a copy; `key` is the key, or the item, that is blamed."""
        files = copy.deepcopy(self.original)
        change(_at(files[self.file], at), files)
        if files == self.original:
            return
        if key == "name":  # what is renamed is told of where it begins
            key = None
        place = at if key is None else (*at, *(key if isinstance(key, tuple) else (key,)))
        subject = str(_at(self.original[self.file], at).get("name", at))
        self.made.append(Mutation(kind, subject, label, self.file, place, removed, files))

    def put(self, kind: str, label: Class, at: Path, key: str, value: Any) -> None:
        self.make(kind, label, at, lambda row, _: row.update({key: value}), key)

    def drop(self, kind: str, label: Class, at: Path, key: str) -> None:
        self.make(kind, label, at, lambda row, _: row.pop(key, None))

    def remove(self, kind: str, label: Class, at: Path) -> None:
        """Takes an item out of its list."""
        def change(_row: Any, files: Files) -> None:
            del _at(files[self.file], at[:-1])[at[-1]]

        self.make(kind, label, at, change, removed=True)

    def append(self, kind: str, label: Class, key: str, row: Data, at: Path = ()) -> None:
        """Adds an item to the list `key` of a table."""
        table = _at(self.original[self.file], at)
        place = (key, len(table.get(key, [])))
        self.make(kind, label, at, lambda t, _: t.setdefault(key, []).append(row), place)

    def words(self, at: Path, row: Data) -> None:
        self.put("reword", SAFE, at, "doc", row.get("doc", "") + " Indeed.")

    # --- operations and replies ---------------------------------------------------------------

    def operation(self, at: Path, row: Data) -> None:
        self.words(at, row)
        self.remove("remove_operation", BREAKING, at)
        self.put("rename_operation", BREAKING, at, "name", row["name"] + "_AGAIN")
        self.put("renumber_operation", BREAKING, at, "code", self.free_code(row["code"]))
        other = {"unary": "stream", "stream": "unary"}[row["kind"]]
        self.make("change_kind", BREAKING, at,
                  lambda r, _: (r.update(kind=other), r.pop("batched", 0)), "kind")  # fmt: skip
        self.effect(at, row)
        wider = row["scope"] == "session"
        self.put("widen_scope" if wider else "narrow_scope", ADDITIVE if wider else BREAKING, at,
                 "scope", "any" if wider else "session")  # fmt: skip
        for role in ROLES:
            lower = ROLES.index(role) < ROLES.index(row["role"])
            self.put("lower_role" if lower else "raise_role", ADDITIVE if lower else BREAKING, at,
                     "role", role)  # fmt: skip
        self.operation_lists(at, row)
        for key in ("negotiated", "extensible"):
            self.put(f"flip_{key}", BREAKING, at, key, not row.get(key, False))
        self.put("flip_batched", SAFE, at, "batched", not row.get("batched", False))
        self.put("change_reply", BREAKING, at, "reply", "OK" if "reply" in row else "PONG")
        if "cli" in row:
            self.put("reword_command", SAFE, (*at, "cli"), "summary", "do it")
            self.drop("drop_command", SAFE, at, "cli")
        for key in ("request", "response"):
            self.payload(at, key, row, row.get("extensible", False))

    def effect(self, at: Path, row: Data) -> None:
        def change(r: Data, _: Files) -> None:
            if r["effect"] == "write":
                r["effect"] = "read"
                r["statuses"] = [s for s in r["statuses"] if s != "outcome_unknown"]
            else:
                r["effect"], r["role"] = "write", "writer"
                r["statuses"] = [*r["statuses"], "outcome_unknown"]

        self.make("change_effect", BREAKING, at, change, "effect")

    def operation_lists(self, at: Path, row: Data) -> None:
        """States and statuses."""
        if len(row["states"]) > 1:
            def leave(r: Data, files: Files) -> None:
                lost = r["states"].pop(0)
                ways = files["tau.toml"]["transition"]
                gone = (lost, r["name"])
                ways[:] = [w for w in ways if (w["from"], w["on"].split(".")[0]) != gone]

            self.make("drop_state", BREAKING, at, leave, "states")
        else:
            self.put("add_state", ADDITIVE, at, "states", ["new", *row["states"]])
        if "throttled" not in row["statuses"]:
            self.put("add_status_of_operation", ADDITIVE, at, "statuses",
                     [*row["statuses"], "throttled"])  # fmt: skip
        self.put("drop_status_of_operation", SAFE, at, "statuses", row["statuses"][1:])

    def free_code(self, code: int) -> int:
        """Another code of the same service; one that no service has where all are taken."""
        taken = {o["code"] for d in self.original.values() for k in ("operation", "reply")
                 for o in d.get(k, [])}  # fmt: skip
        first = code & 0xF0
        return next((c for c in range(first + 15, first, -1) if c not in taken), 0)

    def reply(self, at: Path, row: Data) -> None:
        self.words(at, row)
        self.make("remove_reply", BREAKING, at, lambda r, f: _remove_reply(f, r), removed=True)
        self.put("renumber_reply", BREAKING, at, "code", self.free_code(row["code"]))
        if row["name"] == "PONG":
            def rename(r: Data, files: Files) -> None:
                r["name"] = "ECHO"
                _refer(files, "operation", "reply", "PONG", "ECHO")

            self.make("rename_reply", BREAKING, at, rename, "name")
        self.payload(at, "payload", row, False)

    # --- fields -------------------------------------------------------------------------------

    def payload(self, at: Path, key: str, row: Data, extensible: bool) -> None:
        fields = row.get(key, [])
        for number, field in enumerate(fields):
            self.field((*at, key, number), field, key)
        for number in range(len(fields) - 1):
            self.make("swap_fields", BREAKING, at, _swapper(key, number), (key, number))
        grown = {"name": "grown", "type": "u32", "doc": "Later."}
        note = {"name": "note", "type": "text", "size": "u8", "max": 9, "doc": "Later."}
        for field in (grown, note):
            self.grow("add_field", BREAKING, at, key, [field])
            label = ADDITIVE if extensible else BREAKING
            self.grow("add_field_since", label, at, key, [{**field, "since": 1}])
        later: Data = {"since": 1, "doc": "Later."}
        count = {"name": "grown_count", "type": "u8", **later}
        array = {"name": "all_grown", "type": "u64", "array": "grown_count", **later}
        label = ADDITIVE if extensible else BREAKING
        self.grow("add_array_since", label, at, key, [{**grown, **later}, count, array])
        if fields:
            def insert(operation: Data, _files: Files) -> None:
                operation[key].insert(0, grown)
                _untyped(operation)

            self.make("insert_field", BREAKING, at, insert, (key, 0))

    def grow(self, kind: str, label: Class, at: Path, key: str, rows: list[Data]) -> None:
        """Adds fields at the end of a payload."""
        def change(operation: Data, _files: Files) -> None:
            operation.setdefault(key, []).extend(rows)
            _untyped(operation)

        place = (key, len(_at(self.original[self.file], at).get(key, [])))
        self.make(kind, label, at, change, place)

    def field(self, at: Path, row: Data, part: str) -> None:
        self.words(at, row)
        self.make("rename_field", BREAKING, at, lambda r, f: self.rename_field(f, at), "name")
        self.remove_field(at)
        for name in SAME_SIZE.get(row["type"], ()):
            self.retype("retype_field", at, name)
        if row["type"] in OTHER_SIZE:
            self.retype("resize_field", at, OTHER_SIZE[row["type"]])
        self.shape(at, row)
        self.bounds(at, row, part)
        self.put("change_unit", BREAKING if row.get("unit") or self.unit_of(row["type"]) else SAFE,
                 at, "unit", "fortnights")  # fmt: skip
        if "only_with" in row:
            self.drop("drop_only_with", BREAKING, at, "only_with")
        if "feature" in row:
            self.drop("drop_feature", BREAKING, at, "feature")
        base = self.alias(row["type"])
        if base is not None:
            self.make("spell_alias_out", SAFE, at, lambda r, _: r.update(base), "type")

    def unit_of(self, name: str) -> str:
        return str(next((t.get("unit", "") for t in self.types() if t["name"] == name), ""))

    def types(self) -> Iterator[Data]:
        return (t for data in self.original.values() for t in data.get("type", []))

    def alias(self, name: str) -> Data | None:
        found = next((t for t in self.types() if t["name"] == name and t["kind"] == "alias"), None)
        if found is None:
            return None
        return {"type": found["of"], **({"unit": found["unit"]} if "unit" in found else {})}

    def retype(self, kind: str, at: Path, name: str) -> None:
        def change(row: Data, files: Files) -> None:
            row["type"] = name
            for key in ("example", "max", "min"):
                row.pop(key, None)
            _untyped(_at(files[self.file], at[:-2]))

        self.make(kind, BREAKING, at, change, "type")

    def rename_field(self, files: Files, at: Path) -> None:
        row = _at(files[self.file], at)
        old, row["name"] = row["name"], "other_name"
        for field in _at(files[self.file], at[:-1]):
            for key in ("array", "only_with"):
                if field.get(key) == old:
                    field[key] = "other_name"
        _untyped(_at(files[self.file], at[:-2]))

    def remove_field(self, at: Path) -> None:
        def change(_row: Data, files: Files) -> None:
            del _at(files[self.file], at[:-1])[at[-1]]
            _untyped(_at(files[self.file], at[:-2]))

        self.make("remove_field", BREAKING, at, change, removed=True)

    def shape(self, at: Path, row: Data) -> None:
        """Another way to say how long it is, or whether it is there."""
        if row.get("optional"):
            self.drop("drop_optional", BREAKING, at, "optional")
        elif not {"array", "size", "max", "min", "only_with", "feature"} & set(row):
            self.put("make_optional", BREAKING, at, "optional", True)
        for size in ("u8", "u16", "u32", "rest"):
            if row.get("size") not in (None, size):
                self.put("change_size", BREAKING, at, "size", size)
        if row.get("array") == "rest":
            self.make("drop_array", BREAKING, at, lambda r, _: (r.pop("array"), r.pop("max")))
        elif "array" in row:
            self.make("change_array", BREAKING, at, lambda r, _: r.update(array="rest", max=9))

    def bounds(self, at: Path, row: Data, part: str) -> None:
        wider = ADDITIVE if part == "request" else BREAKING
        if "max" in row:
            most = self.limit(row["max"])
            self.put("narrow_max", BREAKING, at, "max", most - 1)
            self.put("widen_max", wider, at, "max", most + 1)
            self.put("spell_limit_out", SAFE, at, "max", most)
            if "size" not in row and "array" not in row:
                self.drop("drop_max", wider, at, "max")
        if "min" in row:
            self.put("raise_min", BREAKING, at, "min", row["min"] + 1)
            self.drop("drop_min", wider, at, "min")
        elif row["type"] in ("u16", "u32", "u64") and not {"array", "max"} & set(row):
            self.put("add_min", BREAKING, at, "min", 1)
            self.put("add_max", BREAKING, at, "max", 2_000_000_000)

    def limit(self, value: Any) -> int:
        limits = {x["name"]: x["value"] for d in self.original.values() for x in d.get("limit", [])}
        return int(limits.get(value, value))

    # --- types --------------------------------------------------------------------------------

    def type(self, at: Path, row: Data) -> None:
        self.words(at, row)
        self.make("remove_type", BREAKING, at, lambda r, f: _remove_type(f, r), removed=True)
        self.make("rename_type", BREAKING, at, lambda r, f: _rename_type(f, r), "name")
        if row["kind"] == "bytes":
            for size in (row["size"] - 1, row["size"] + 1):
                self.put("resize_type", BREAKING, at, "size", size)
        if row["kind"] == "alias":
            for name in ("u64", "i64", "f64", "u32"):
                if name != row["of"]:
                    self.make("retype_alias", BREAKING, at, _retyper(name), "of")
            self.put("change_unit_of_type", BREAKING if "unit" in row else SAFE, at, "unit", "days")
        if row["kind"] == "struct":
            self.struct(at, row)
        if row["kind"] == "enum":
            self.enum(at, row)

    def struct(self, at: Path, row: Data) -> None:
        members = row["fields"]
        for number, member in enumerate(members):
            path = (*at, "fields", number)
            self.words(path, member)
            self.remove("remove_member", BREAKING, path)
            self.put("rename_member", BREAKING, path, "name", "other_name")
            for name in SAME_SIZE.get(member["type"], ()):
                self.put("retype_member", BREAKING, path, "type", name)
            if member["type"] in OTHER_SIZE:
                self.put("resize_member", BREAKING, path, "type", OTHER_SIZE[member["type"]])
        for number in range(len(members) - 1):
            self.make("swap_members", BREAKING, at, _swapper("fields", number), ("fields", number))
        self.append("add_member", BREAKING, "fields",
                    {"name": "more", "type": "u8", "doc": "More."}, at)  # fmt: skip

    def enum(self, at: Path, row: Data) -> None:
        is_open, values = row.get("open", False), row["values"]
        top = max(v["value"] for v in values)
        self.put("widen_enum", BREAKING, at, "of", "u16")
        self.put("flip_open", BREAKING, at, "open", not is_open)
        added = {"name": "added", "value": top + 1, "doc": "Later."}
        self.append("add_value", BREAKING, "values", added, at)
        label = ADDITIVE if is_open else BREAKING
        self.append("add_value_since", label, "values", {**added, "since": 1}, at)
        for number, value in enumerate(values):
            path = (*at, "values", number)
            self.words(path, value)
            self.put("rename_value", BREAKING, path, "name", "other_name")
            self.put("renumber_value", BREAKING, path, "value", top + 1)
            self.remove("remove_value", BREAKING, path)

    # --- what is numbered ---------------------------------------------------------------------

    def numbered(self, data: Data) -> None:
        for number, row in enumerate(data.get("limit", [])):
            self.limit_row(("limit", number), row)
        for number, row in enumerate(data.get("status", [])):
            self.status(("status", number), row, data["status"])
        for key, bits, label in (("feature", "bit", ADDITIVE), ("flag", "value", BREAKING)):
            for number, row in enumerate(data.get(key, [])):
                at = (key, number)
                self.words(at, row)
                self.make(f"remove_{key}", BREAKING, at, lambda r, f: _remove_bit(f, r),
                          removed=True)  # fmt: skip
                self.put(f"renumber_{key}", BREAKING, at, bits, 32)
                self.make(f"rename_{key}", BREAKING, at, _renamer(key), "name")
            if key in data:
                self.append(f"add_{key}", label, key, {"name": "later", bits: 16, "doc": "Later."})
        if "limit" in data:
            later = {"name": "later", "doc": "Later."}
            self.append("add_limit", ADDITIVE, "limit",
                        {**later, "number": 99, "value": 7, "unit": "things"})  # fmt: skip
            self.append("add_type", ADDITIVE, "type", {**later, "kind": "bytes", "size": 5})
        if data.get("command"):
            self.remove("remove_command", SAFE, ("command", 0))
        for number, row in enumerate(data.get("header", [])):
            at = ("header", number)
            self.words(at, row)
            if "value" in row:
                other = "UAT" if row["value"] == "TAU" else 2
                self.put("change_header_value", BREAKING, at, "value", other)
            if row["type"] == "u8":
                self.put("resize_header", BREAKING, at, "type", "u16")
            self.drop("drop_header_max", BREAKING, at, "max")

    def limit_row(self, at: Path, row: Data) -> None:
        self.words(at, row)
        self.remove("remove_limit", BREAKING, at)
        self.put("renumber_limit", BREAKING, at, "number", 77)
        self.put("change_limit_unit", BREAKING, at, "unit", "dozens")
        self.put("lower_limit", BREAKING, at, "value", row["value"] - 1)
        answered = [f.get("max") for f in _fields(self.original, ("response", "payload"))]
        raised = BREAKING if row["name"] in [*answered, "stream_frame_bytes"] else ADDITIVE
        self.make("raise_limit", raised, at, lambda r, _: r.update(value=r["value"] + 1),
                  "value")  # fmt: skip

        def rename(r: Data, files: Files) -> None:
            old, r["name"] = r["name"], "other_name"
            for field in _fields(files):
                if field.get("max") == old:
                    field["max"] = "other_name"

        self.make("rename_limit", BREAKING, at, rename, "name")

    def status(self, at: Path, row: Data, rows: list[Data]) -> None:
        self.words(at, row)
        self.remove("remove_status", BREAKING, at)
        self.put("renumber_status", BREAKING, at, "code", 0x1E0 if row.get("local") else 0xE0)
        self.make("rename_status", BREAKING, at, _renamer("status"), "name")
        other = "fatal" if row["class"] != "fatal" else "request"
        self.put("change_class", BREAKING, at, "class", other)
        if at[1] + 1 < len(rows):
            def swap(_r: Data, files: Files) -> None:
                first, second = files[self.file]["status"][at[1] : at[1] + 2]
                first["code"], second["code"] = second["code"], first["code"]

            self.make("swap_codes", BREAKING, at, swap, "code")
        if at[1] == 0:
            for code, label in ((0x7F, ADDITIVE), (0x0E, BREAKING)):
                self.append("add_status", label, "status", {
                    "name": "later", "code": code, "class": "fatal", "doc": "Later."})  # fmt: skip
            self.outcome()
            self.append("add_local_status", ADDITIVE, "status", {
                "name": "later", "code": 0x110, "local": True, "class": "fatal",
                "doc": "Later."})  # fmt: skip

    def outcome(self) -> None:
        """A status that leaves open whether a write was done, with all writes."""
        later = {"name": "later", "code": 0x7F, "class": "unknown", "doc": "Later."}

        def change(_r: Any, files: Files) -> None:
            files[self.file]["status"].append(later)
            for data in files.values():
                for operation in data.get("operation", []):
                    if operation["effect"] == "write":
                        operation["statuses"].append("later")

        place = ("status", len(self.original[self.file]["status"]))
        self.make("add_unknown_outcome", BREAKING, (), change, place)

    # --- the session --------------------------------------------------------------------------

    def session(self, data: Data) -> None:
        states = [s["name"] for s in data.get("state", [])]
        at: Path
        for number, row in enumerate(data.get("state", [])):
            at = ("state", number)
            self.words(at, row)
            self.make("rename_state", BREAKING, at, _renamer("state"), "name")
            if "refuses_with" in row:
                self.put("change_refusal", BREAKING, at, "refuses_with", "throttled")
        for number, row in enumerate(data.get("transition", [])):
            at = ("transition", number)
            self.words(at, row)
            self.remove("remove_transition", BREAKING, at)
            for state in states:
                self.put("redirect_transition", BREAKING, at, "to", state)
        if states:
            way = {"from": "authenticated", "on": "PING.ok", "to": "authenticated"}
            self.append("add_transition", BREAKING, "transition", way)
        for number, row in enumerate(data.get("check", [])):
            at = ("check", number)
            self.put("change_check_status", BREAKING, at, "status", "throttled")
            self.put("flip_check_closes", BREAKING, at, "closes", not row["closes"])
        if "protocol" in data:
            at = ("protocol",)
            self.words(at, data["protocol"])
            self.put("change_default", BREAKING, at, "default_listen", "127.0.0.1:7702")
            before = data["protocol"]["first_push_opcode"] - 16
            services = [d["service"] for d in self.original.values() if "service" in d]
            if all(service["first_opcode"] != before for service in services):
                self.put("move_pushes", BREAKING, at, "first_push_opcode", before)
            self.put("rename_protocol", BREAKING, at, "name", "theta")
            self.put("raise_version", BREAKING, at, "version", 2)

    def service(self, data: Data) -> None:
        if "service" not in data:
            return
        at = ("service",)
        self.words(at, data["service"])
        self.put("rename_service", SAFE, at, "name", "another")
        free = self.free_code(data["service"]["first_opcode"] + 1)
        operation = {
            "name": "LATER", "code": free, "since": 1, "kind": "unary", "effect": "read",
            "scope": "any", "role": "reader", "states": ["authenticated"], "statuses": [],
            "doc": "Later.", "request": [{"name": "label", "type": "label", "doc": "Which."}],
        }  # fmt: skip
        self.append("add_operation", BREAKING, "operation", operation)
        self.append("add_negotiated_operation", ADDITIVE, "operation",
                    {**operation, "negotiated": True})  # fmt: skip
        self.append("add_reply", ADDITIVE, "reply", {
            "name": "LATER", "code": 0xF5, "since": 1, "doc": "Later."})  # fmt: skip
        self.append("add_command", SAFE, "command", {"name": "later", "summary": "do it later"})


# --- tables -----------------------------------------------------------------------------------


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def _swapper(key: str, number: int) -> Callable[[Any, Files], None]:
    def change(row: Data, _files: Files) -> None:
        rows = row[key]
        rows[number], rows[number + 1] = rows[number + 1], rows[number]

    return change


def _untyped(operation: Data) -> None:
    """The command of a request whose fields are others is written by hand."""
    if "arguments" in operation.get("cli", {}):
        del operation["cli"]["arguments"]
        operation["cli"]["custom"] = True


PARTS = ("request", "response", "payload")


def _fields(files: Files, parts: tuple[str, ...] = PARTS) -> Iterator[Data]:
    """Every field of a payload or a header."""
    for data in files.values():
        yield from data.get("header", [])
        for key in ("operation", "reply"):
            for row in data.get(key, []):
                for part in parts:
                    yield from row.get(part, [])


def _refer(files: Files, table: str, key: str, old: str, new: str) -> None:
    """Lets every `key` of a kind of table that says `old` say `new`."""
    for data in files.values():
        for row in data.get(table, []):
            if row.get(key) == old:
                row[key] = new
            elif isinstance(row.get(key), list):
                row[key] = [new if item == old else item for item in row[key]]


def _renamer(kind: str) -> Callable[[Any, Files], None]:
    """Renames something and all that refers to it."""
    def change(row: Data, files: Files) -> None:
        old, row["name"] = row["name"], "other_name"
        for table, key in REFERENCES.get(kind, ()):
            _refer(files, table, key, old, "other_name")
        for field in _fields(files):
            for key in ("feature", "example"):
                if field.get(key) == old:
                    field[key] = "other_name"

    return change


def _retyper(name: str) -> Callable[[Any, Files], None]:
    def change(row: Data, files: Files) -> None:
        row["of"] = name
        row.pop("example", None)
        for field in _fields(files):
            if field.get("type") == row["name"]:
                field.pop("example", None)

    return change


def _rename_type(files: Files, row: Data) -> None:
    old, row["name"] = row["name"], "other_name"
    for field in _fields(files):
        if field.get("type") == old:
            field["type"] = "other_name"
    for data in files.values():
        for type_ in data.get("type", []):
            for member in type_.get("fields", []):
                if member.get("type") == old:
                    member["type"] = "other_name"


def _remove_type(files: Files, row: Data) -> None:
    """Removes a type; what had it has a number instead."""
    for field in _fields(files):
        if field.get("type") == row["name"]:
            field["type"] = row.get("of", "u64")
            field.pop("example", None)
    for data in files.values():
        types = data.get("type", [])
        for member in (m for type_ in types for m in type_.get("fields", [])):
            if member["type"] == row["name"]:
                member["type"] = row.get("of", "u64")
        types[:] = [t for t in types if t is not row]


def _remove_reply(files: Files, row: Data) -> None:
    """Removes a reply; what it answered gets OK."""
    for data in files.values():
        replies = data.get("reply", [])
        replies[:] = [r for r in replies if r is not row]
        for operation in data.get("operation", []):
            if operation.get("reply") == row["name"]:
                del operation["reply"]


def _remove_bit(files: Files, row: Data) -> None:
    """Removes a feature or a flag, and the fields that needed it."""
    for data in files.values():
        for key in {"feature", "flag"} & set(data):
            data[key] = [r for r in data[key] if r is not row]
        for reply in data.get("reply", []):
            fields = reply.get("payload", [])
            fields[:] = [f for f in fields if f.get("feature") != row["name"]]
