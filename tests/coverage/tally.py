# SPDX-License-Identifier: MIT
"""What a test run must have exercised, by the published specification, and how often it was.

An item stands for one sentence of the specification that traffic can show to be true. The judges of
messages count items by their names; what was counted never is a gap.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Iterator

import limits
from published import LINE, Field, Operation, Specification

PLAYED = "played "  # begins the names of what a client met, whoever the server was


@dataclass(frozen=True)
class Item:
    """What must be exercised. `names`: any of these counts for it."""

    section: str
    name: str
    line: int
    names: tuple[str, ...]


def _item(section: str, name: str, line: int) -> Item:
    return Item(section, name, line, (f"{section}: {name}",))


def _operations(model: Specification) -> Iterator[Item]:
    for operation in model.operations:
        kinds = [f"answered by {operation.reply}", "refused by ERR"]
        if operation.stream:
            kinds += ["answered by a frame with more", "ended by ERR"]
        for kind in kinds:
            yield _item("operation", f"{operation.name} {kind}", operation.line)


def _statuses(model: Specification) -> Iterator[Item]:
    """A status that belongs to no operation, check or state may come from anywhere at any time: it
    is enough that a client of ours met it in a server that a test plays."""
    for name, status in model.statuses.items():
        names = [f"status: {name}"]
        if name not in model.tied:
            names.append(f"{PLAYED}status: {name}")
        yield Item("status", name, status.line, tuple(names))


def _values(model: Specification) -> Iterator[Item]:
    for message, request, payload in model.payloads():
        way = "request" if request else "reply"
        for field in payload.fields:
            for name, enum in model.enums(field):
                for value in enum.values.values():
                    yield _item("value", f"{message} {way}: {name} = {value}", field.line)
                if request and not enum.open:
                    yield _item("value", f"{message} {way}: {name} = another, refused", field.line)
    for feature in model.features.values():
        yield _item("value", f"feature {feature.name} negotiated", feature.line)
    for flag in model.flags.values():
        yield _item("value", f"flag {flag.name} on a reply", flag.line)


def _session(model: Specification) -> Iterator[Item]:
    for transition in model.transitions.values():
        yield _item("session", transition.name, transition.line)
    for check in model.checks:
        yield _item("session", f"check {check.name} refuses", check.line)
    names = [(o.name, o.states, o.line) for o in model.operations]
    replies = [(n, (), r.line) for n, r in model.replies.items()]
    for state in model.states.values():
        if state["final"]:
            continue
        for name, states, line in [*names, *replies]:
            done = "executed" if state.name in states else "refused"
            yield _item("session", f"{name} {done} in {state.name}", line)


def reached(message: str, request: bool, field: str, value: int) -> str:
    """The name of a bounded field's reaching a value."""
    return f"{message}.{field} = {value} accepted" if request else \
        f"reply of {message}: {field} = {value}"


def beyond(operation: Operation, field: Field) -> str:
    return f"{operation.name}.{field.name} beyond {field.bound} refused"


def below(operation: Operation, field: Field) -> str:
    return f"{operation.name}.{field.name} below {field.minimum} refused"


def _bounds(operation: Operation, field: Field) -> Iterator[Item]:
    """Of a field of a request."""
    if field.bound is not None:
        name = reached(operation.name, True, field.name, field.bound)
        yield _item("limit", name, field.line)
        yield _item("limit", beyond(operation, field), field.line)
    if field.minimum is not None:
        name = reached(operation.name, True, field.name, field.minimum)
        yield _item("limit", name, field.line)
        yield _item("limit", below(operation, field), field.line)


def _limits(model: Specification) -> Iterator[Item]:
    """What a reply may hold at most is for clients to cope with: it is enough that one of ours met
    it in a server that a test plays. That taud never sends more is judged in every message."""
    for operation in model.operations:
        for field in operation.request.fields:
            yield from _bounds(operation, field)
    for message, request, payload in model.payloads():
        for field in payload.fields:
            if field.bound is not None and not request:
                name = reached(message, False, field.name, field.bound)
                yield Item("limit", name, field.line, (f"limit: {name}", f"{PLAYED}limit: {name}"))
    bounded = {f.limit for _, _, p in model.payloads() for f in p.fields if f.bound is not None}
    for name, limit in model.limits.items():
        rules = limits.RULES.get(name, () if name in bounded else ("exercised: no rule is known",))
        for rule in rules:
            yield _item("limit", f"{name} = {limit['value']}: {rule}", int(limit.row[LINE]))


def items(model: Specification) -> list[Item]:
    """Everything that must be exercised, in the specification's order."""
    return [*_operations(model), *_statuses(model), *_values(model), *_session(model),
            *_limits(model)]


class Tally:
    """How often each thing was exercised, and what was wrong."""

    def __init__(self, model: Specification) -> None:
        self.model = model
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.messages = 0
        self.connections = 0

    def count(self, section: str, name: str) -> None:
        self.counts[f"{section}: {name}"] += 1

    def add(self, other: "Tally") -> None:
        """Takes in what another has counted by the same specification."""
        self.counts.update(other.counts)
        self.problems += other.problems
        self.messages += other.messages
        self.connections += other.connections

    def of(self, item: Item) -> int:
        return sum(self.counts[name] for name in item.names)

    def gaps(self) -> list[Item]:
        return [item for item in items(self.model) if self.of(item) == 0]
