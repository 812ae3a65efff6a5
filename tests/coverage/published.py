# SPDX-License-Identifier: MIT
"""The published specification as a model, each part with its line in specification.json.

It knows that file and nothing else: neither the TOML behind it nor any generated codec.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional

LINE = "@line"  # the key under which each object of the file keeps the line it begins in

_TOKEN = re.compile(r'[{}\[\]]|"(?:\\.|[^"\\])*"(\s*:)?|[^\s{}\[\]:,"]+')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_WORDS = {"null": None, "true": True, "false": False}
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _LETTERS.get(escape, escape)


def _scalar(text: str) -> Any:
    if text.startswith('"'):
        return _ESCAPE.sub(_unescape, text[1:-1])
    if text in _WORDS:
        return _WORDS[text]
    return float(text) if re.search("[.eE]", text) else int(text)


def read_json(text: str) -> Any:
    """The value of a JSON text that is known to be well formed; objects know their lines."""
    line, counted = 1, 0
    stack: list[tuple[Any, Optional[str]]] = []  # what is open, and the key that waits for a value
    top: Any = None
    key: Optional[str] = None
    for match in _TOKEN.finditer(text):
        token = match[0]
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if match[1] is not None:
            key = _scalar(token[: -len(match[1])])
            continue
        if token in "}]":
            top, key = stack.pop()
            continue
        value: Any = {LINE: line} if token == "{" else [] if token == "[" else _scalar(token)
        if isinstance(top, dict):
            top[key] = value
        elif top is not None:
            top.append(value)
        if token in "{[":
            stack.append((top if top is not None else value, key))
            top = value
    return top


@dataclass(frozen=True)
class Type:
    """What a value of the wire may be. Plain: every bit pattern is legal."""

    name: str
    kind: str
    size: int
    signed: bool
    values: dict[int, str]  # of an enum
    open: bool
    members: tuple[tuple[str, str, int], ...]  # name, type and offset, of a struct
    line: int


@dataclass(frozen=True)
class Field:
    """One field of a payload."""

    name: str
    type: Type
    shape: str
    prefix: int
    minimum: Optional[int]
    maximum: Optional[int]
    max_count: Optional[int]
    max_bytes: Optional[int]
    limit: Optional[str]
    feature: Optional[str]
    count_field: Optional[str]
    since: int
    line: int

    @property
    def bound(self) -> Optional[int]:
        """The most that is permitted, where the specification says less than the type does."""
        if self.maximum is not None:
            return self.maximum
        if self.shape == "sized":
            return self.max_bytes
        return self.max_count if self.shape == "rest_array" else None


@dataclass(frozen=True)
class Payload:
    """The payload of a request, a response or a reply."""

    min_size: int
    max_size: int
    extensible: bool
    fields: tuple[Field, ...]
    plain: bool  # any bytes of the right size are legal, and no value of it is counted


@dataclass(frozen=True)
class Operation:
    """An operation of the specification."""

    name: str
    code: int
    stream: bool
    write: bool
    of_session: bool  # belongs to the connection: it is served whatever layout a client has of it
    states: tuple[str, ...]
    reply: str
    statuses: tuple[str, ...]
    fingerprint: int
    request: Payload
    response: Payload
    line: int


@dataclass(frozen=True)
class Named:
    """A status, limit, state, transition, check, feature or flag: a row, its name and its line."""

    name: str
    row: dict[str, Any]

    @property
    def line(self) -> int:
        return int(self.row[LINE])

    def __getitem__(self, key: str) -> Any:
        return self.row[key]


def _named(rows: list[dict[str, Any]]) -> dict[str, Named]:
    return {row["name"]: Named(row["name"], row) for row in rows}


class Specification:
    """The model that specification.json publishes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = read_json(path.read_text(encoding="utf-8"))
        self.fingerprint = int(self.data["fingerprint"], 16)
        self.statuses = {n: s for n, s in _named(self.data["statuses"]).items() if not s["local"]}
        self.limits = _named(self.data["limits"])
        self.features = _named(self.data["features"])
        self.flags = _named(self.data["flags"])
        self.states = _named(self.data["states"])
        self.checks = [Named(row["name"], row) for row in self.data["checks"]]
        self.transitions = {(row["from"], row["event"]): Named(
            f'{row["from"]} -- {row["event"]} -> {row["to"]}', row)
            for row in self.data["transitions"]}
        self.types = {n: self._type(n, row) for n, row in self.data["types"].items() if n != LINE}
        self.replies = _named(self.data["replies"])
        self.reply_payloads = {n: self._payload(r["payload"]) for n, r in self.replies.items()}
        self.reply_codes = {int(r["code"]): n for n, r in self.replies.items()}
        self.operations = [self._operation(row) for service in self.data["services"]
                           for row in service["operations"]]
        self.by_code = {o.code: o for o in self.operations}
        self.status_names = {int(s["code"]): n for n, s in self.statuses.items()}
        header = {row["name"]: row for row in self.data["header"]}
        self.magic = str(header["magic"]["value"]).encode()
        self.version = int(header["version"]["value"])
        self.payload_limit = int(self.limits[header["payload_length"]["limit"]]["value"])
        self.initial = next(n for n, s in self.states.items() if s["initial"])
        self.tied = self._tied()

    def _type(self, name: str, row: dict[str, Any]) -> Type:
        members = tuple((m["name"], m["type"], int(m["offset"])) for m in row.get("members", ()))
        return Type(name, row["kind"], int(row["size"]), bool(row["signed"]),
                    {int(v["value"]): v["name"] for v in row.get("values", ())},
                    bool(row.get("open")), members, int(row[LINE]))

    def _field(self, row: dict[str, Any]) -> Field:
        return Field(row["name"], self.types[row["type"]], row["shape"], int(row.get("prefix", 0)),
                     row.get("minimum"), row.get("maximum"), row.get("max_count"),
                     row.get("max_bytes"), row.get("limit"), row.get("feature"),
                     row.get("count_field"), int(row.get("since", 0)), int(row[LINE]))

    def _payload(self, row: dict[str, Any]) -> Payload:
        fields = tuple(self._field(field) for field in row["fields"])
        plain = not row["extensible"] and all(
            f.shape == "fixed" and f.type.kind in ("integer", "float", "bytes") and f.bound is None
            and f.minimum is None for f in fields)
        return Payload(int(row["min_size"]), int(row["max_size"]), bool(row["extensible"]), fields,
                       plain)

    def _operation(self, row: dict[str, Any]) -> Operation:
        return Operation(row["name"], int(row["code"]), row["kind"] == "stream",
                         row["effect"] == "write", row["scope"] == "session",
                         tuple(row["states"]), row["reply"], tuple(row["statuses"]),
                         int(row["fingerprint"], 16),
                         self._payload(row["request"]), self._payload(row["response"]),
                         int(row[LINE]))

    def _tied(self) -> frozenset[str]:
        """The statuses that the specification ties to an operation, a check or a state."""
        tied = {name for operation in self.operations for name in operation.statuses}
        tied |= {check["status"] for check in self.checks}
        return frozenset(tied | {state["refuses_with"] for state in self.states.values()})

    def payloads(self) -> Iterator[tuple[str, bool, Payload]]:
        """Every payload: the message's name, whether a client sends it, and its fields."""
        for operation in self.operations:
            yield operation.name, True, operation.request
            yield operation.name, False, operation.response
        for name, payload in self.reply_payloads.items():
            yield name, False, payload

    def enums(self, field: Field) -> Iterator[tuple[str, Type]]:
        """The enums in a field, those in its structs too, and what a reader calls them."""
        if field.type.kind == "enum":
            yield field.name, field.type
        for name, of, _ in field.type.members:
            if self.types[of].kind == "enum":
                yield f"{field.name}.{name}", self.types[of]
