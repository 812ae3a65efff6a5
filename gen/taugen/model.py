# SPDX-License-Identifier: MIT
"""The checked model of a specification: what every backend reads and none changes.

Names, numbers, offsets, sizes and maxima are computed once (by `resolve`) and stand here as plain
values. A backend is a function of a `Model` and must not look at the specification's files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Union


# Who may ask for an operation; each role may do what those before it may.
ROLES = ("none", "reader", "writer", "admin")

# How many opcodes a service has, and pushes.
RANGE = 16


@dataclass(frozen=True)
class Place:
    """Where something is written in the specification."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NOWHERE = Place("", 0)  # of what is built in


class TypeKind(Enum):
    """How the bytes of a type are read."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOL = "bool"
    STATUS = "status"
    ENUM = "enum"
    BYTES = "bytes"  # a fixed number of raw bytes
    STRUCT = "struct"
    TEXT = "text"  # UTF-8 of a length that the field states
    BLOB = "blob"  # bytes of a length that the field states


class Shape(Enum):
    """How a field lies in its payload."""

    FIXED = "fixed"  # one value, always there
    OPTIONAL = "optional"  # u8 0 or 1, then the value only if 1
    SIZED = "sized"  # text or bytes behind their length
    REST = "rest"  # bytes up to the end of the payload
    COUNTED_ARRAY = "counted_array"  # as many elements as an earlier field says
    REST_ARRAY = "rest_array"  # elements up to the end of the payload


@dataclass(frozen=True)
class EnumValue:
    """One named value of an enumeration; c_name is the C constant. `since` as in Field."""

    name: str
    value: int
    doc: str
    c_name: str
    since: int = 0


@dataclass(frozen=True)
class Member:
    """One member of a struct type, at a fixed offset."""

    name: str
    number: int
    type: "Type"
    offset: int
    doc: str
    unit: str
    place: Place

    @property
    def size(self) -> int:
        return self.type.size


Example = Union[int, float, str, bool, None]


@dataclass(frozen=True)
class Type:
    """A type of the wire.

    `name` is the name in the specification (an alias keeps its own), `wire` the built-in that its
    bytes have ("i64", "u8", "bytes[32]", "point"), `size` its fixed size in bytes (0 for text and
    blob), `c_type` the C type of one value and `c_stem` the word in its accessors' names
    (tau_<c_stem>_at, tau_<c_stem>_copy), shared by an alias and what it stands for.
    """

    name: str
    kind: TypeKind
    wire: str
    size: int
    c_type: str
    c_stem: str
    doc: str = ""
    unit: str = ""
    example: Example = None
    signed: bool = False
    open: bool = False
    builtin: bool = False
    alias_of: str = ""
    values: tuple[EnumValue, ...] = ()
    members: tuple[Member, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def closed(self) -> tuple[tuple[int, "Type"], ...]:
        """The closed enumerations in a value, each at its offset: those a decoder must look at."""
        parts = [(m.offset, m.type) for m in self.members] or [(0, self)]
        return tuple((at, t) for at, t in parts if t.kind is TypeKind.ENUM and not t.open)

    @property
    def c_struct(self) -> str:
        """The tag of the C struct of a bytes or struct type."""
        return f"tau_{self.name}"


@dataclass(frozen=True)
class Limit:
    """A limit of the protocol; `number` names it in NEGOTIATE."""

    name: str
    number: int
    value: int
    unit: str
    doc: str
    place: Place

    @property
    def c_name(self) -> str:
        return f"TAU_LIMIT_{self.name.upper()}"


@dataclass(frozen=True)
class Feature:
    """A protocol feature that both sides may negotiate."""

    name: str
    bit: int
    doc: str
    place: Place

    @property
    def c_name(self) -> str:
        return f"TAU_FEATURE_{self.name.upper()}"


@dataclass(frozen=True)
class Flag:
    """A bit of the header's flags."""

    name: str
    value: int
    doc: str
    place: Place

    @property
    def c_name(self) -> str:
        return f"TAU_FLAG_{self.name.upper()}"


@dataclass(frozen=True)
class Status:
    """A status code. Local ones (0x100 and up) never cross the wire."""

    name: str
    code: int
    status_class: str
    local: bool
    doc: str
    place: Place

    @property
    def c_name(self) -> str:
        return f"TAU_STATUS_{self.name.upper()}"


@dataclass(frozen=True)
class HeaderField:
    """A field of the frame header. `value` is what it must hold, where that is fixed."""

    name: str
    type: str
    offset: int
    size: int
    value: Union[int, str, None]
    limit: Limit | None
    doc: str


@dataclass(frozen=True)
class Header:
    """The frame header."""

    fields: tuple[HeaderField, ...]
    size: int

    def field(self, name: str) -> HeaderField:
        """The field of this name, which the check has found to be there."""
        return next(f for f in self.fields if f.name == name)


@dataclass(frozen=True)
class Field:
    """One field of a payload.

    `number` counts the payload's fields from 0. `offset` is its place in the payload, or None where
    that depends on the lengths before it. `min_size` and `max_size` are what it may occupy, prefix
    included; `size` is both where they are equal. That an array may not be empty is not in its
    `min_size`: too few elements are a fault of their count, which names the bound. `minimum` and
    `maximum` bound the value of an integer, None where the type alone does. `min_count` and
    `max_count` bound an array's elements, `max_bytes` a text or blob. `counts` names the arrays
    whose length this field states; `count_field` names the field that states this array's length.
    `only_with` names an earlier field of the payload while which is 0 this one has no meaning, or
    is empty. `since` is the version that added the field to a released payload, 0 for those that
    were there from its first day.
    """

    name: str
    number: int
    type: Type
    shape: Shape
    offset: int | None
    min_size: int
    max_size: int
    doc: str
    unit: str
    example: Example
    place: Place
    prefix: int = 0
    minimum: int | None = None
    maximum: int | None = None
    min_count: int = 0
    max_count: int | None = None
    max_bytes: int | None = None
    limit: Limit | None = None
    feature: Feature | None = None
    count_field: str = ""
    counts: tuple[str, ...] = ()
    only_with: str = ""
    since: int = 0

    @property
    def tail(self) -> str:
        """What the payload must have for the field to be there: a feature, or an added field.

        The payload may end in front of the first field of a tail; an added array shares the tail
        of the field that counts it.
        """
        if self.feature:
            return self.feature.name
        return (self.count_field or self.name) if self.since else ""

    @property
    def size(self) -> int | None:
        return self.min_size if self.min_size == self.max_size else None

    @property
    def optional(self) -> bool:
        return self.shape is Shape.OPTIONAL

    @property
    def may_be_missing(self) -> bool:
        return self.optional or bool(self.tail)

    @property
    def is_array(self) -> bool:
        return self.shape in (Shape.COUNTED_ARRAY, Shape.REST_ARRAY)

    @property
    def is_slice(self) -> bool:
        """Whether the C member is a struct tau_slice."""
        return self.shape in (Shape.SIZED, Shape.REST)

    @property
    def is_count(self) -> bool:
        return bool(self.counts)

    @property
    def words(self) -> str:
        """The documentation, with what the specification says beside it."""
        words = self.doc
        if self.only_with:
            words += f" No meaning while `{self.only_with}` is 0."
        if self.since:
            words += f" Version {self.since} added it; an older side leaves it out."
        return words

    @property
    def c_type(self) -> str:
        """The C type of the member of the payload's struct."""
        if self.is_array:
            return "struct tau_array"
        if self.is_slice:
            return "struct tau_slice"
        return self.type.c_type


@dataclass(frozen=True)
class Payload:
    """The payload of a request, a response or a reply.

    `name` is for example "append_request"; an empty payload has neither struct nor codec. An
    extensible payload may be followed by bytes that this version does not know.
    """

    name: str
    fields: tuple[Field, ...]
    min_size: int
    max_size: int
    extensible: bool = False

    @property
    def empty(self) -> bool:
        return not self.fields

    @property
    def size(self) -> int | None:
        """The size where it is fixed, else None."""
        return self.min_size if self.min_size == self.max_size else None

    @property
    def c_struct(self) -> str:
        """The struct's tag, to be written behind `struct`."""
        return f"tau_{self.name}"

    @property
    def c_decode(self) -> str:
        return f"tau_{self.name}_decode"

    @property
    def c_encode(self) -> str:
        return f"tau_{self.name}_encode"

    @property
    def c_size(self) -> str:
        return f"tau_{self.name}_size"

    @property
    def c_fields(self) -> str:
        """The name of the table that describes the fields."""
        return f"tau_{self.name}_fields"

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


@dataclass(frozen=True)
class Cli:
    """The command of tau-cli for an operation.

    `arguments` names the request's fields in the order in which they are typed. A custom command is
    written by hand, the others are generated whole.
    """

    command: str
    summary: str
    arguments: tuple[str, ...]
    custom: bool
    place: Place


@dataclass(frozen=True)
class Command:
    """A command of tau-cli that belongs to no single operation."""

    name: str
    summary: str
    place: Place


@dataclass(frozen=True)
class Reply:
    """A frame that only a server sends."""

    name: str
    code: int
    since: int
    doc: str
    payload: Payload
    place: Place

    @property
    def c_name(self) -> str:
        return self.name.lower()

    @property
    def c_opcode(self) -> str:
        return f"TAU_OPCODE_{self.name}"


@dataclass(frozen=True)
class Operation:
    """A request and what answers it.

    `kind` is "unary" or "stream", `effect` "read" or "write", `scope` "any" or "session", `role`
    "none", "reader", "writer" or another role of the specification. `reply` is the opcode of a
    successful answer. `negotiated` operations are sent only after NEGOTIATE listed them. `batched`
    ones reach their handler as arrays. `statuses` are those that this operation itself may give.
    """

    name: str
    code: int
    since: int
    kind: str
    effect: str
    scope: str
    role: str
    service: str
    states: tuple[str, ...]
    batched: bool
    negotiated: bool
    extensible: bool
    reply: Reply
    statuses: tuple[Status, ...]
    doc: str
    request: Payload
    response: Payload
    cli: Cli | None
    canonical: str
    fingerprint: int
    place: Place

    @property
    def c_name(self) -> str:
        """The name in C identifiers: "append"."""
        return self.name.lower()

    @property
    def c_upper(self) -> str:
        """The name in C constants: "APPEND"."""
        return self.name

    @property
    def c_opcode(self) -> str:
        return f"TAU_OPCODE_{self.name}"

    @property
    def is_stream(self) -> bool:
        return self.kind == "stream"

    @property
    def is_write(self) -> bool:
        return self.effect == "write"


@dataclass(frozen=True)
class Service:
    """The operations of one file of the specification."""

    name: str
    first_opcode: int
    doc: str
    operations: tuple[Operation, ...]
    place: Place


@dataclass(frozen=True)
class State:
    """A state of a session. `refuses_with` answers a request that is not legal in it."""

    name: str
    initial: bool
    final: bool
    refuses_with: Status | None
    doc: str
    place: Place

    @property
    def c_name(self) -> str:
        return f"TAU_SESSION_{self.name.upper()}"


@dataclass(frozen=True)
class Event:
    """What can move a session: an operation and how it ended, or a refused request."""

    name: str  # "connect_ok", "refused"
    text: str  # "CONNECT.ok", "refused"

    @property
    def c_name(self) -> str:
        return f"TAU_SESSION_EVENT_{self.name.upper()}"


@dataclass(frozen=True)
class Transition:
    """An event moves a session from one state to another."""

    source: str
    event: Event
    target: str
    doc: str
    place: Place


@dataclass(frozen=True)
class Check:
    """One of the checks of a request's header, in order."""

    name: str
    status: Status
    closes: bool
    doc: str


@dataclass(frozen=True)
class Model:
    """The whole specification. Tuples are sorted by number, states and checks as written."""

    name: str
    version: int
    default_listen: str
    first_push: int
    doc: str
    header: Header
    flags: tuple[Flag, ...]
    limits: tuple[Limit, ...]
    types: tuple[Type, ...]
    features: tuple[Feature, ...]
    states: tuple[State, ...]
    events: tuple[Event, ...]
    transitions: tuple[Transition, ...]
    checks: tuple[Check, ...]
    statuses: tuple[Status, ...]
    replies: tuple[Reply, ...]
    services: tuple[Service, ...]
    commands: tuple[Command, ...]
    fingerprint: int
    files: tuple[str, ...] = field(default=())

    @property
    def last_push(self) -> int:
        return self.first_push + RANGE - 1

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations by ascending opcode."""
        found = [o for s in self.services for o in s.operations]
        return tuple(sorted(found, key=lambda o: o.code))

    def operation(self, name: str) -> Operation:
        return next(o for o in self.operations if o.name == name)

    def reply(self, name: str) -> Reply:
        return next(r for r in self.replies if r.name == name)

    def limit(self, name: str) -> Limit:
        return next(x for x in self.limits if x.name == name)

    def status(self, name: str) -> Status:
        return next(s for s in self.statuses if s.name == name)

    def type(self, name: str) -> Type:
        return next(t for t in self.types if t.name == name)

    def state(self, name: str) -> State:
        return next(s for s in self.states if s.name == name)

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """Every payload that has fields: requests and responses by opcode, then the replies'."""
        found = [p for o in self.operations for p in (o.request, o.response) if not p.empty]
        found += [r.payload for r in self.replies if not r.payload.empty]
        return tuple(found)

    @property
    def wire_statuses(self) -> tuple[Status, ...]:
        return tuple(s for s in self.statuses if not s.local)
