# SPDX-License-Identifier: MIT
"""Traffic that was never sent: the smallest that exercises everything in a specification, made from
it alone. Tests of the checker take pieces out of it, or spoil them.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Iterator, Mapping, Optional

import traffic
from published import Field, Operation, Payload, Specification
from session import HEADER

MS = 1_000_000
Values = Mapping[str, int]


class Talk:
    """One connection in the making."""

    def __init__(self, model: Specification, played: bool = False) -> None:
        self.model = model
        self.records: list[tuple[int, int, bytes]] = []  # time, kind and bytes
        self.now_ns = MS
        self.played = played
        self.features: frozenset[str] = frozenset()
        self._put(traffic.CONNECTING if played else traffic.ACCEPTED)

    def _put(self, kind: int, data: bytes = b"") -> None:
        self.records.append((self.now_ns, kind, data))

    def wait(self, ms: float) -> None:
        self.now_ns += int(ms * MS)

    def frame(self, opcode: int, payload: bytes = b"", flags: int = 0,
              length: Optional[int] = None) -> bytes:
        return HEADER.pack(self.model.magic, self.model.version, opcode, flags,
                           len(payload) if length is None else length) + payload

    def ask(self, data: bytes) -> None:
        self._put(traffic.SENT if self.played else traffic.RECEIVED, data)

    def answer(self, data: bytes) -> None:
        self._put(traffic.RECEIVED if self.played else traffic.SENT, data)

    def end(self) -> None:
        self._put(traffic.END)

    def shut_down(self) -> None:
        self._put(traffic.SHUT_DOWN)

    def close(self) -> None:
        self._put(traffic.CLOSED)

    # --- whole exchanges ---

    def request(self, operation: Operation, **values: int) -> None:
        self.ask(self.frame(operation.code, sample(operation.request, values)))

    def reply(self, name: str, payload: bytes = b"", flags: int = 0) -> None:
        self.answer(self.frame(int(self.model.replies[name]["code"]), payload, flags))

    def succeed(self, operation: Operation, **values: int) -> None:
        self.reply(operation.reply, sample(operation.response, values))

    def refuse(self, status: str, text: int = 0) -> None:
        code = int(self.model.statuses[status]["code"])
        values = {"status": code, "text": text}
        self.reply("ERR", sample(self.model.reply_payloads["ERR"], values, self.features))

    def do(self, operation: Operation, **values: int) -> None:
        """A request that succeeds; a stream answers with two frames."""
        self.request(operation, **values)
        if operation.stream:
            more = int(self.model.flags["more"]["value"])
            self.reply(operation.reply, sample(operation.response), more)
        self.succeed(operation)

    def fail(self, operation: Operation, status: str, **values: int) -> None:
        self.request(operation, **values)
        self.refuse(status)

    def negotiate(self, operation: Operation) -> None:
        """Takes every feature."""
        bits = sum(1 << int(feature["bit"]) for feature in self.model.features.values())
        self.request(operation)
        self.succeed(operation, features=bits)
        self.features = frozenset(self.model.features)


def sample(payload: Payload, values: Optional[Values] = None,
           features: frozenset[str] = frozenset()) -> bytes:
    """A payload with these values, and elsewhere the smallest that are legal."""
    given = {field.name: field.minimum for field in payload.fields if field.minimum}
    given.update(values or {})
    return b"".join(_sample_field(field, given) for field in payload.fields
                    if field.feature is None or field.feature in features)


def _sample_field(field: Field, values: Values) -> bytes:
    inner = any(key.startswith(f"{field.name}[]") for key in values)
    number = values.get(field.name, 0)
    if field.shape == "sized":
        held = number if field.bound is None else min(number, field.bound)
        return number.to_bytes(field.prefix, "big") + b"a" * held
    if field.shape == "optional":
        return b"\1" + _element(field, values) if inner else b"\0"
    if field.shape == "rest":
        return bytes(number)
    if field.shape == "counted_array":
        return _element(field, values) * values.get(f"{field.name}_here", values.get(
            field.count_field or "", 0))
    if field.shape == "rest_array":
        return _element(field, values) * number
    if field.type.members:
        return _element(field, values)
    least = values.get(field.name, field.minimum or (1 if field.type.kind == "status" else 0))
    return least.to_bytes(field.type.size, "big")


def _element(field: Field, values: Values) -> bytes:
    """A struct, or an element of an array; `NAME[]` in values is one of an enum that it holds."""
    members = field.type.members
    ends = [offset for _, _, offset in members[1:]] + [field.type.size]
    if not members and field.type.kind == "enum":
        return values.get(f"{field.name}[]", 0).to_bytes(field.type.size, "big")
    element = bytearray(field.type.size)
    for (name, type_, offset), end in zip(members, ends):
        number = values.get(f"{field.name}[].{name}", int(type_ == "status"))
        element[offset:end] = number.to_bytes(end - offset, "big")
    return bytes(element)


def _holding(field: Field, name: str, value: int) -> Values:
    """Values of a payload in which a field, or what it holds, has this value of an enum."""
    if field.shape == "fixed" and not field.type.members:
        return {name: value}
    inner = {field.name + "[]" + name.removeprefix(field.name): value}
    if field.shape == "counted_array":
        inner[field.count_field or ""] = 1
    if field.shape == "rest_array":
        inner[field.name] = 1
    return inner


class Corpus:
    """The talks, in parts. A part yields its talks."""

    def __init__(self, model: Specification) -> None:
        self.model = model
        self.named = {operation.name: operation for operation in model.operations}

    def talks(self) -> Iterator[Talk]:
        for part in (self.operations, self.statuses, self.values, self.session, self.bounds,
                     self.sizes, self.tries, self.times, self.lenses, self.rollups):
            yield from part()

    def new(self, played: bool = False) -> Talk:
        return Talk(self.model, played)

    def open(self, played: bool = False) -> Talk:
        """Authenticated."""
        talk = self.new(played)
        talk.do(self.named["CONNECT"])
        return talk

    # --- parts ---

    def operations(self) -> Iterator[Talk]:
        for operation in self.model.operations:
            talk = self.open()
            talk.do(operation)
            yield talk
            talk = self.open()
            talk.ask(talk.frame(operation.code, sample(operation.request), flags=2))
            talk.refuse("bad_flags")
            yield talk
            if operation.stream:
                talk = self.open()
                talk.request(operation)
                talk.request(self.named["CANCEL"])
                talk.reply("OK", sample(operation.response), 1)
                talk.refuse("cancelled")
                talk.succeed(self.named["CANCEL"])
                yield talk

    def statuses(self) -> Iterator[Talk]:
        for status in self.model.statuses:
            operation = next((o for o in self.model.operations if status in o.statuses), None)
            if status == "too_many_connections":
                talk = self.new()
                talk.refuse(status)
            elif status in ("success", "auth_failed", "invalid_payload", "cancelled"):
                continue  # other parts have them
            elif operation is not None:
                talk = self.open()
                talk.fail(operation, status)
            elif status not in self.model.tied:
                talk = self.open(played=True)
                talk.fail(self.named["CREATE_SERIES"], status)
            else:
                continue
            yield talk

    def values(self) -> Iterator[Talk]:
        for operation in self.model.operations:
            for field in operation.request.fields:
                for name, enum in self.model.enums(field):
                    for value in enum.values:
                        talk = self.open()
                        talk.do(operation, **_holding(field, name, value))
                        yield talk
                    if not enum.open:
                        talk = self.open()
                        talk.fail(operation, "invalid_payload", **_holding(field, name, 99))
                        yield talk
            for field in operation.response.fields:
                for name, enum in self.model.enums(field):
                    for value in enum.values:
                        talk = self.open()
                        talk.request(operation)
                        talk.succeed(operation, **_holding(field, name, value))
                        yield talk
        talk = self.open()
        talk.negotiate(self.named["NEGOTIATE"])
        yield talk

    def session(self) -> Iterator[Talk]:
        connect, goodbye = self.named["CONNECT"], self.named["DISCONNECT"]
        talk = self.new()
        talk.do(goodbye)
        yield talk
        talk = self.open()
        talk.fail(connect, "auth_failed")
        yield talk
        for data, status in ((b"BAD" + bytes(7), "bad_magic"),
                             (b"TAU\x09" + bytes(6), "bad_version"),
                             (self.new().frame(0xEE), "bad_opcode")):
            talk = self.new()
            talk.ask(data)
            talk.refuse(status)
            yield talk
        codes = [o.code for o in self.model.operations if self.model.initial not in o.states]
        for code in [*codes, *self.model.reply_codes]:
            talk = self.new()
            talk.ask(talk.frame(code))
            talk.refuse("not_authenticated")
            yield talk
        for code in self.model.reply_codes:
            talk = self.open()
            talk.ask(talk.frame(code))
            talk.refuse("bad_opcode")
            yield talk

    def bounds(self) -> Iterator[Talk]:
        for operation in self.model.operations:
            for field in operation.request.fields:
                for value, legal in _edges(field):
                    talk = self.open()
                    if legal:
                        talk.do(operation, **{field.name: value})
                    else:
                        arrays = {f"{f.name}_here": 0 for f in operation.request.fields
                                  if f.count_field == field.name}
                        talk.fail(operation, "invalid_payload", **{field.name: value}, **arrays)
                    yield talk
            for field in operation.response.fields:
                if field.bound is not None:
                    talk = self.open(played=True)
                    talk.request(operation)
                    talk.succeed(operation, **{field.name: field.bound})
                    yield talk
        talk = self.open(played=True)
        talk.negotiate(self.named["NEGOTIATE"])
        talk.request(self.named["PING"])
        talk.refuse("internal_error", text=int(self.model.limits["error_text_bytes"]["value"]))
        yield talk

    def sizes(self) -> Iterator[Talk]:
        ping, connect = self.named["PING"], self.named["CONNECT"]
        most = int(self.model.limits["payload_bytes"]["value"])
        talk = self.open()
        talk.do(ping, ignored=most)
        yield talk
        talk = self.open()
        talk.ask(talk.frame(ping.code, length=most + 1))
        talk.refuse("payload_too_large")
        yield talk
        talk = self.new()
        talk.ask(talk.frame(connect.code, bytes(connect.request.max_size + 1)))
        talk.refuse("invalid_payload")
        yield talk
        talk = self.open()
        talk.request(self.named["QUERY_RANGE"])
        talk.succeed(self.named["QUERY_RANGE"], count=4095)
        yield talk

    def tries(self) -> Iterator[Talk]:
        connect, most = self.named["CONNECT"], int(self.model.limits["connect_tries"]["value"])
        for failures in (most - 1, most):
            talk = self.new()
            for _ in range(failures):
                talk.fail(connect, "auth_failed")
            if failures < most:
                talk.do(connect)
            yield talk

    def times(self) -> Iterator[Talk]:
        limit_ms = int(self.model.limits["authentication_ms"]["value"])
        drain_ms = int(self.model.limits["closing_drain_ms"]["value"])
        talk = self.new()
        talk.wait(limit_ms * 0.8)
        talk.do(self.named["CONNECT"])
        yield talk
        talk = self.new()
        talk.wait(limit_ms + 20)
        talk.shut_down()
        talk.close()
        yield talk
        for late in (b"", b"late"):
            talk = self.open()
            talk.do(self.named["DISCONNECT"])
            talk.shut_down()
            if late:
                talk.ask(late)
                talk.end()
            talk.wait(drain_ms + 5)
            talk.close()
            yield talk

    def lenses(self) -> Iterator[Talk]:
        create, compose = self.named["CREATE_LENS"], self.named["COMPOSE_LENS"]
        talk = self.open()
        labels = [bytes([n]) * 32 for n in range(20)]
        talk.ask(talk.frame(create.code, labels[1] + labels[0] + labels[0]))
        talk.succeed(create)
        most = int(self.model.limits["lens_transforms"]["value"])
        for number in range(2, most + 2):
            talk.ask(talk.frame(compose.code, labels[number] + labels[number - 1] + labels[1]))
            if number <= most:
                talk.succeed(compose)
            else:
                talk.refuse("limit_exceeded")
        yield talk
        talk = self.open()
        talk.ask(talk.frame(create.code, labels[1] + labels[0] + labels[0]))
        talk.refuse("limit_exceeded")
        yield talk
        talk = self.open()
        talk.fail(self.named["AGGREGATE"], "limit_exceeded")
        yield talk

    def rollups(self) -> Iterator[Talk]:
        create = self.named["CREATE_ROLLUP"]
        most = int(self.model.limits["source_rollups"]["value"])
        talk = self.open()
        for _ in range(most):
            talk.do(create)
        talk.fail(create, "limit_exceeded")
        yield talk
        talk = self.open()
        talk.fail(create, "limit_exceeded")
        yield talk


def _edges(field: Field) -> list[tuple[int, bool]]:
    """What a bounded field may just be, and what it may just not be."""
    edges: list[tuple[int, bool]] = []
    if field.bound is not None:
        edges += [(field.bound, True), (field.bound + 1, False)]
    if field.minimum is not None:
        edges += [(field.minimum, True), (field.minimum - 1, False)]
    return edges


def write_file(path: Path, talks: list[Talk]) -> None:
    """Writes talks as recorder.c does."""
    with open(path, "wb") as file:
        for number, talk in enumerate(talks, 1):
            for time_ns, kind, data in talk.records:
                file.write(traffic.RECORD.pack(time_ns, number, len(data), kind) + data)
