# SPDX-License-Identifier: MIT
"""Checks of a whole model: what no single line of the specification shows."""

from __future__ import annotations

from .c_names import check_names
from .errors import SpecificationError
from .model import Model, TypeKind


def _transitions(model: Model) -> None:
    """One way out for each event, a way for refused requests, no state out of reach."""
    seen: set[tuple[str, str]] = set()
    for t in model.transitions:
        if (t.source, t.event.name) in seen:
            wrong = f"`{t.event.text}` leaves `{t.source}` twice"
            raise SpecificationError(t.place, wrong, "one transition")
        seen.add((t.source, t.event.name))
    reached = {s.name for s in model.states if s.initial}
    for _ in model.states:
        reached |= {t.target for t in model.transitions if t.source in reached}
    for state in model.states:
        if state.name not in reached:
            wrong = f"no transition reaches the state `{state.name}`"
            raise SpecificationError(state.place, wrong, "a way from the initial state")
        if not state.final and (state.name, "refused") not in seen:
            wrong = f"the state `{state.name}` does not say what `refused` does"
            raise SpecificationError(state.place, wrong, "a transition on `refused`")


def _first_words(model: Model) -> None:
    """What may come before authentication is bounded, and needs no negotiation."""
    initial = next(s for s in model.states if s.initial)
    most = next(
        (x.value for x in model.limits if x.name == "unauthenticated_payload_bytes"), None
    )
    for operation in model.operations:
        if initial.name not in operation.states:
            continue
        if operation.negotiated:
            wrong = f"{operation.name} is legal in `{initial.name}` but negotiated"
            raise SpecificationError(operation.place, wrong, "one of both")
        if most is not None and operation.request.max_size > most:
            wrong = f"a request of {operation.request.max_size} bytes is legal in `{initial.name}`"
            raise SpecificationError(operation.place, wrong, f"at most {most}")


def _writes(model: Model) -> None:
    """A write may fail in ways that its statuses must state; a read must not state them."""
    wanted = [s for s in model.statuses if s.status_class == "unknown" and not s.local]
    for operation in model.operations:
        for status in wanted:
            if operation.is_write and status not in operation.statuses:
                wrong = f"the write {operation.name} does not list `{status.name}`"
                raise SpecificationError(operation.place, wrong, "it among the statuses")
            if not operation.is_write and status in operation.statuses:
                wrong = f"the read {operation.name} lists `{status.name}`"
                raise SpecificationError(operation.place, wrong, "it only with writes")
        if operation.is_write and operation.is_stream:
            wrong = f"{operation.name} is a stream that writes"
            raise SpecificationError(operation.place, wrong, "a unary operation")
        if operation.is_write and operation.role == "reader":
            wrong = f"the write {operation.name} is open to readers"
            raise SpecificationError(operation.place, wrong, "the role writer or above")


def _examples(model: Model) -> None:
    """A status in an example is one that crosses the wire; there is one to choose."""
    names = [s.name for s in model.wire_statuses]
    for payload in model.payloads:
        for field in payload.fields:
            wrong_name = field.example is not None and field.example not in names
            if field.type.kind is TypeKind.STATUS and wrong_name:
                wrong = f"there is no status `{field.example}`"
                raise SpecificationError(field.place, wrong, "one that crosses the wire")
    if not any(s.status_class == "request" for s in model.wire_statuses):
        wrong = "no status is of class `request`"
        raise SpecificationError(model.states[0].place, wrong, "at least one")


def check(model: Model) -> None:
    """Raises SpecificationError for the first fault."""
    _transitions(model)
    _first_words(model)
    _writes(model)
    check_names(model)
    _examples(model)
