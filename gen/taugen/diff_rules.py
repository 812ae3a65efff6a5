# SPDX-License-Identifier: MIT
"""What each change of a layout means for those who hold the old one.

A rule judges one fact that changed, or one entry that was added, from what both layouts say. The
rules stand in SECTIONS and PARTS; a fact without a rule is frozen. Two pairs are always thought of:
an old client with a new server, and a new client with an old server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Callable

from .lock_layout import Entry, Fact, Layout
from .model import ROLES


class Class(IntEnum):
    """How bad a change is; the worst of all decides the verdict."""

    SAFE = 0
    ADDITIVE = 1
    BREAKING = 2


# The first code that a new status may have; those before it are version 1's own.
FIRST_NEW_STATUS = 0x10
# A frame of a stream is as long as the limit of this name allows.
FRAME_LIMITS = ("stream_frame_bytes",)


@dataclass(frozen=True)
class Context:
    """What a rule may look at: both layouts, the entry on both sides, and what it belongs to."""

    old: Layout
    new: Layout
    owner: Entry | None  # the new operation or type of a part
    part: str  # "request", "response", "payload", "fields", "values", or ""


Judgement = tuple[Class, str]
FactRule = Callable[[Context, Entry, Entry, str], Judgement]
AddedRule = Callable[[Context, Entry], Judgement]


@dataclass(frozen=True)
class Rules:
    """The rules of one kind of entry."""

    added: AddedRule
    number: str = ""
    facts: dict[str, FactRule] = field(default_factory=dict)
    ordered: bool = False
    words_only: bool = False  # no byte depends on it


def frozen(why: str) -> FactRule:
    return lambda context, old, new, key: (Class.BREAKING, why)


def never(why: str) -> AddedRule:
    return lambda context, entry: (Class.BREAKING, why)


def free(why: str) -> AddedRule:
    return lambda context, entry: (Class.ADDITIVE, why)


def _number(value: Fact | None) -> int | None:
    return value if isinstance(value, int) else None


# --- fields -----------------------------------------------------------------------------------


def wire(layout: Layout, name: Fact | None) -> str:
    """The bytes that a type's name stands for: an alias gives what it stands for."""
    entry = layout.find("type", name)
    if entry is not None and entry.facts.get("kind") == "alias":
        return wire(layout, entry.facts.get("of"))
    return str(name)


def field_type(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    if wire(context.old, old.facts[key]) == wire(context.new, new.facts[key]):
        return Class.SAFE, "both names stand for the same bytes"
    return Class.BREAKING, "what is released is never retyped"


def unit(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    if key not in old.facts:
        return Class.SAFE, "it had no unit; the number stays what it was"
    return Class.BREAKING, "the same number would mean another amount"


def bound(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    """Bounds of values, of elements and of bytes."""
    before, after = _number(old.facts.get(key)), _number(new.facts.get(key))
    low = key == "minimum"
    if after is None:
        wider = True
    else:
        wider = before is not None and (after < before if low else after > before)
    if not wider:
        return Class.BREAKING, "nothing is narrowed: what was legal would be refused"
    if context.part == "request":
        return Class.ADDITIVE, "the server takes more than before"
    return Class.BREAKING, "a client that holds the release refuses what goes beyond its bound"


def added_field(context: Context, entry: Entry) -> Judgement:
    if context.owner is None or not context.owner.facts.get("extensible"):
        return Class.BREAKING, "the payload was not declared extensible"
    since = _number(entry.facts.get("since"))
    if since is None or since < context.old.version:
        wanted = f"`since` = {context.new.version}"
        return Class.BREAKING, f"a field is added with {wanted}: an older side leaves it out then"
    return Class.ADDITIVE, "it stands at the end of an extensible payload; an older side skips it"


# --- what is numbered -------------------------------------------------------------------------


def limit_value(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    before, after = _number(old.facts[key]), _number(new.facts[key])
    assert before is not None and after is not None
    if after < before:
        return Class.BREAKING, "nothing is narrowed: what was legal would be refused"
    if new.name in FRAME_LIMITS:
        return Class.BREAKING, "a client that holds the release takes no longer frames"
    return Class.ADDITIVE, "the server announces it in NEGOTIATE"


def added_status(context: Context, entry: Entry) -> Judgement:
    code = _number(entry.facts["code"])
    assert code is not None
    if code < FIRST_NEW_STATUS:
        return Class.BREAKING, f"a new status begins at {FIRST_NEW_STATUS:#04x}"
    if entry.facts["class"] == "unknown" and not entry.facts.get("local"):
        return Class.BREAKING, "who does not know it would take a write for one that was not done"
    return Class.ADDITIVE, "an unknown status fails its request only"


def added_value(context: Context, entry: Entry) -> Judgement:
    assert context.owner is not None
    if not context.owner.facts.get("open"):
        return Class.BREAKING, "the enumeration is closed: who holds the release refuses the value"
    since = _number(entry.facts.get("since"))
    if since is None or since < context.old.version:
        wanted = f"`since` = {context.new.version}"
        return Class.BREAKING, f"a value is added with {wanted}: the fingerprint leaves it out then"
    return Class.ADDITIVE, "receivers of an open enumeration expect unknown values"


# --- operations and the session ---------------------------------------------------------------


def added_operation(context: Context, entry: Entry) -> Judgement:
    if not entry.facts.get("negotiated"):
        return Class.BREAKING, "it must be negotiated: an older server closes on an unknown opcode"
    since = _number(entry.facts.get("since"))
    if since is None or since < context.old.version:
        return Class.BREAKING, f"it states a `since` before version {context.old.version}"
    return Class.ADDITIVE, "it is sent only where NEGOTIATE listed it"


def scope(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    if new.facts[key] == "any":
        return Class.ADDITIVE, "more transports have it"
    return Class.BREAKING, "nothing is narrowed: other transports lose it"


def role(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    if ROLES.index(str(new.facts[key])) < ROLES.index(str(old.facts[key])):
        return Class.ADDITIVE, "more may ask for it"
    return Class.BREAKING, "nothing is narrowed: who could ask for it is refused"


def _sets(old: Entry, new: Entry, key: str) -> tuple[set[str], set[str]]:
    before, after = old.facts.get(key, ()), new.facts.get(key, ())
    assert isinstance(before, tuple) and isinstance(after, tuple)
    return set(before), set(after)


def states(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    before, after = _sets(old, new, key)
    if before - after:
        lost = ", ".join(sorted(before - after))
        return Class.BREAKING, f"nothing is narrowed: it was legal in {lost}"
    return Class.ADDITIVE, "it is legal in more states"


def statuses(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    before, after = _sets(old, new, key)
    if after - before:
        return Class.ADDITIVE, "an unexpected status fails its request only"
    return Class.SAFE, "the server promises less trouble, or in another order"


def added_transition(context: Context, entry: Entry) -> Judgement:
    operation = entry.name.partition(" on ")[2].partition(".")[0]
    if context.old.find("operation", operation) is None and operation != "refused":
        return Class.ADDITIVE, "only a new operation goes this way"
    state = entry.name.partition(" on ")[0]
    if context.old.find("state", state) is None:
        return Class.ADDITIVE, "it leaves a new state"
    return Class.BREAKING, "a session of the release would go another way"


def first_push(context: Context, old: Entry, new: Entry, key: str) -> Judgement:
    if key not in old.facts:
        return Class.SAFE, "it was the same before it was stated"
    return Class.BREAKING, "who holds the release would take pushes for replies"


_BOUNDS: dict[str, FactRule] = {
    key: bound for key in ("minimum", "maximum", "max_count", "max_bytes")
}
_FIELD: dict[str, FactRule] = {
    **_BOUNDS,
    "type": field_type,
    "unit": unit,
    "since": frozen("what is released does not become an addition, nor an addition a part of it"),
}  # fmt: skip

FIELDS = Rules(added_field, facts=_FIELD, ordered=True)

SECTIONS: dict[str, Rules] = {
    "protocol": Rules(never("there is one protocol"), facts={
        "version": frozen("another version of the protocol"),
        "default_listen": frozen("nothing is given another default"),
        "first_push_opcode": first_push,
    }),
    "header": Rules(never("a header has no end to add at")),
    "flag": Rules(never("receivers refuse unknown flags"), "value"),
    "limit": Rules(free("unknown limits are skipped"), "number",
                   {"value": limit_value, "unit": unit}),
    "type": Rules(free("nothing released has it"), "", {
        "unit": unit,
        "open": frozen("who holds the release expects otherwise of unknown values"),
        "of": frozen("what is released is never retyped"),
    }),
    "feature": Rules(free("it holds only where both sides ask for it"), "bit"),
    "status": Rules(added_status, "code", {
        "class": frozen("callers would treat the failure in another way"),
    }),
    "state": Rules(free("only transitions lead to it")),
    "transition": Rules(added_transition, facts={
        "to": frozen("a session of the release would go another way"),
    }),
    "check": Rules(never("requests of the release would be judged in another way")),
    "reply": Rules(free("it answers new operations alone"), "code"),
    "operation": Rules(added_operation, "code", {
        "scope": scope, "role": role, "states": states, "statuses": statuses,
        "effect": frozen("callers retry reads and writes in different ways"),
        "kind": frozen("the reply is read in another way"),
        "reply": frozen("another frame would answer"),
        "negotiated": frozen("old and new sides would not agree on when it may be sent"),
        "extensible": frozen("who holds the release expects otherwise of bytes behind the payload"),
    }),
    "service": Rules(free("no byte depends on it"), words_only=True),
    "command": Rules(free("no byte depends on it"), words_only=True),
}  # fmt: skip

# The rules of the lists within an entry.
PARTS: dict[str, Rules] = {
    "request": FIELDS,
    "response": FIELDS,
    "payload": FIELDS,
    "fields": Rules(never("a struct has no end to add at"), facts=_FIELD, ordered=True),
    "values": Rules(added_value, "value", {
        "since": frozen("what is released does not become an addition"),
    }),
}  # fmt: skip
