# SPDX-License-Identifier: MIT
"""Walks one connection: pairs replies with requests and holds both against the model.

What taud answers must be right in every byte. A request may be broken on purpose; then the answer
must be the ERR that the specification's checks give it. Of a server that a test plays nothing is
demanded; what it shows to our client is counted until the first frame that is not legal.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import NamedTuple, Optional

from limits import Limits
from message import Broken, Seen, read_payload
from published import Operation, Specification
from tally import PLAYED, Tally, below, beyond, reached
from traffic import Connection

HEADER = struct.Struct(">3sBBBI")
LEFT_OPEN_NS = 3 * 10 ** 9  # so long after its last word and the client's end a server is idle


class Frame(NamedTuple):
    """A header, and its payload as far as it is there."""

    magic: bytes
    version: int
    opcode: int
    flags: int
    length: int
    payload: bytes
    end: int

    @property
    def whole(self) -> bool:
        return len(self.payload) == self.length


class Wrong(Exception):
    """A message of the server that the specification does not allow."""


def frame_at(stream: bytes, at: int, most: int) -> Optional[Frame]:
    """The frame at this place, or None where there is no whole header."""
    if len(stream) - at < HEADER.size:
        return None
    magic, version, opcode, flags, length = HEADER.unpack_from(stream, at)
    end = at + HEADER.size + length
    payload = stream[at + HEADER.size:end] if length <= most else b""
    return Frame(magic, version, opcode, flags, length, payload, end)


class Verdict(NamedTuple):
    """How a request must be answered: by this status, or where it is None as its operation says."""

    check: str
    status: Optional[str]


LEGAL = Verdict("", None)


class Walk:
    """The state of one session, as both sides know it."""

    def __init__(self, tally: Tally, connection: Connection) -> None:
        self.tally = tally
        self.model: Specification = tally.model
        self.connection = connection
        self.requests = bytes(connection.requests)
        self.replies = bytes(connection.replies)
        self.state = self.model.initial
        self.features: frozenset[str] = frozenset()
        self.mismatched: set[int] = set()
        self.failures = 0
        self.authenticated = False
        self.request_at = 0
        self.cancel_at = 0
        self.server_specification = 0  # what it was compiled from, if it said so
        self.limits = Limits(tally)
        self.more = self.model.flags["more"]["value"] if "more" in self.model.flags else 0

    # --- what the request deserves ---

    def expect(self, frame: Frame) -> Verdict:
        """The first check that fails, in the specification's order."""
        operation = self.model.by_code.get(frame.opcode)
        known = operation is not None or frame.opcode in self.model.reply_codes
        failed = {
            "magic": frame.magic != self.model.magic,
            "version": frame.version != self.model.version,
            "opcode": not known,
            "payload_limit": frame.length > self.model.payload_limit,
            "state": operation is None or self.state not in operation.states,
            "flags": frame.flags != 0,
            "payload_length": operation is not None and not operation.request.min_size
            <= frame.length <= operation.request.max_size,
        }
        for check in self.model.checks:
            if check.name == "flags" and frame.opcode in self.mismatched:  # known by the opcode
                return Verdict("layout", "layout_mismatch")
            if failed[check.name]:
                status = check["status"]
                if check.name == "state":
                    status = self.model.states[self.state]["refuses_with"]
                return Verdict(check.name, status)
        return LEGAL

    # --- what was answered ---

    def error_status(self, reply: Frame) -> str:
        try:
            seen = read_payload(self.model, self.model.reply_payloads["ERR"], reply.payload,
                                self.features or frozenset())
        except Broken as broken:
            raise Wrong(f"an ERR whose {broken}") from None
        if reply.flags:
            raise Wrong(f"an ERR with the flags {reply.flags}")
        self.count_seen("ERR", False, seen)
        return self.model.status_names[reply.payload[0]]

    def count_seen(self, message: str, request: bool, seen: Seen) -> None:
        """Counts what stood in a message that was accepted."""
        way = "request" if request else "reply"
        for status in seen.statuses:
            self.tally.count("status", self.model.status_names[status])
        for name, of, value in seen.enums:
            known = self.model.types[of].values.get(value)
            if known is not None:
                self.tally.count("value", f"{message} {way}: {name} = {known}")
        for name, value in seen.bounds:
            self.tally.count("limit", reached(message, request, name, value))

    def cancelled_later(self) -> bool:
        """Whether a CANCEL stands behind the request at hand."""
        code = next((o.code for o in self.model.operations if o.name == "CANCEL"), -1)
        at = max(self.cancel_at, self.request_at)
        while (frame := frame_at(self.requests, at, 0)) is not None:
            if frame.opcode == code:
                self.cancel_at = at
                return at > self.request_at
            at = frame.end
        return False

    def may_refuse(self, operation: Operation, status: str) -> bool:
        """Whether an operation that is legal and well formed may end so."""
        if status == "cancelled":
            return not operation.write and (self.connection.cut or self.cancelled_later())
        return status in operation.statuses or status not in self.model.tied

    def check_refusal(self, frame: Frame, verdict: Verdict, status: str) -> None:
        operation = self.model.by_code.get(frame.opcode)
        if verdict.status is not None:
            if status != verdict.status:
                raise Wrong(f"{status} where the check `{verdict.check}` gives {verdict.status}")
            if verdict.check != "layout":
                self.tally.count("session", f"check {verdict.check} refuses")
            if verdict.check == "state":
                self.count_refused(frame)
            return
        assert operation is not None
        broken = self.broken_request(operation, frame)
        if broken is None:
            if not self.may_refuse(operation, status):
                raise Wrong(f"{status}, which {operation.name} cannot end with")
        elif status == "cancelled" and self.may_refuse(operation, status):
            return
        elif status != "invalid_payload":
            raise Wrong(f"{status} to a payload whose {broken}")
        else:
            self.count_broken(operation, broken)

    def count_refused(self, frame: Frame) -> None:
        operation = self.model.by_code.get(frame.opcode)
        name = operation.name if operation else self.model.reply_codes[frame.opcode]
        self.tally.count("session", f"{name} refused in {self.state}")

    def count_broken(self, operation: Operation, broken: Broken) -> None:
        """A payload was refused: what of it the specification names."""
        fields = {field.name: field for field in operation.request.fields}
        if broken.beyond is not None:
            name, value = broken.beyond
            field = fields[name]
            if field.bound is not None and value == field.bound + 1:
                self.tally.count("limit", beyond(operation, field))
            elif field.minimum is not None and value == field.minimum - 1:
                self.tally.count("limit", below(operation, field))
        else:
            name = f"{operation.name} request: {broken.where} = another, refused"
            self.tally.count("value", name)

    def broken_request(self, operation: Operation, frame: Frame) -> Optional[Broken]:
        """Why the payload is not legal. One that did not come whole is taken to be legal."""
        if not frame.whole:
            return None
        try:
            read_payload(self.model, operation.request, frame.payload, more=True)
        except Broken as broken:
            return broken
        return None

    def check_success(self, frame: Frame, verdict: Verdict, reply: Frame) -> Operation:
        operation = self.model.by_code.get(frame.opcode)
        if verdict.status is not None or operation is None:
            raise Wrong(f"success where the check `{verdict.check}` gives {verdict.status}")
        name = self.model.reply_codes[reply.opcode]
        if name != operation.reply:
            raise Wrong(f"{name} in answer to {operation.name}")
        if reply.flags & ~(self.more if operation.stream else 0):
            raise Wrong(f"{operation.name} answered with the flags {reply.flags}")
        try:
            seen = read_payload(self.model, operation.response, reply.payload)
        except Broken as broken:
            raise Wrong(f"the response of {operation.name}: {broken}") from None
        if operation.stream and not self.limits.stream_frame(
                HEADER.size + reply.length, HEADER.size + operation.response.max_size):
            raise Wrong(f"a frame of {reply.length} bytes in a stream")
        if not reply.flags:
            self.count_request(operation, frame)
        self.count_seen(operation.name, False, seen)
        return operation

    def count_request(self, operation: Operation, frame: Frame) -> None:
        """A request that was executed must have been legal."""
        if operation.request.plain or not frame.whole:
            return
        try:
            seen = read_payload(self.model, operation.request, frame.payload, more=True)
        except Broken as broken:
            raise Wrong(f"success to a payload of {operation.name} whose {broken}") from None
        self.count_seen(operation.name, True, seen)
        for part in operation.request.fields:
            if part.minimum is not None and seen.numbers.get(part.name) == part.minimum:
                self.tally.count("limit", reached(operation.name, True, part.name, part.minimum))

    # --- the session moves on ---

    def move(self, event: str) -> None:
        """A transition, if the specification has one for this."""
        transition = self.model.transitions.get((self.state, event))
        if transition is None:
            return
        self.tally.count("session", transition.name)
        self.state = transition["to"]

    def after_success(self, operation: Operation, frame: Frame, reply: Frame) -> None:
        if operation.name == "CONNECT":
            self.limits.authenticated(self.failures if not self.authenticated else 0)
            self.authenticated = True
        if operation.name == "NEGOTIATE":
            self.negotiated(frame, reply)
        if operation.name in ("CREATE_LENS", "COMPOSE_LENS"):
            self.limits.lens(operation.name, frame.payload, "success")
        if operation.name == "CREATE_ROLLUP":
            self.limits.rollup(frame.payload, "success")
        self.move(f"{operation.name}.ok")

    def after_refusal(self, frame: Frame, verdict: Verdict, status: str) -> None:
        operation = self.model.by_code.get(frame.opcode)
        check = next((c for c in self.model.checks if c.name == verdict.check), None)
        if verdict.check == "state":
            self.move("refused")
        elif check is not None and check["closes"]:
            self.state = self.final()
        elif operation is not None and operation.name == "CONNECT" and status == "auth_failed":
            self.failed_connect()
        elif operation is not None and operation.name in ("CREATE_LENS", "COMPOSE_LENS"):
            self.limits.lens(operation.name, frame.payload, status)
        elif operation is not None and operation.name == "CREATE_ROLLUP":
            self.limits.rollup(frame.payload, status)
        elif operation is not None and operation.name == "AGGREGATE":
            self.limits.buckets(status)

    def failed_connect(self) -> None:
        self.failures += 1
        most = int(self.model.limits["connect_tries"]["value"])
        if not self.authenticated and self.failures >= most:
            self.limits.exhausted()
            self.move("CONNECT.exhausted")
        else:
            self.move("CONNECT.failed")

    def final(self) -> str:
        return next(name for name, state in self.model.states.items() if state["final"])

    def negotiated(self, frame: Frame, reply: Frame) -> None:
        """What both sides can do from here on."""
        features, self.server_specification = struct.unpack_from(">QQ", reply.payload)
        self.features = frozenset(name for name, feature in self.model.features.items()
                                  if features >> int(feature["bit"]) & 1)
        for name in self.features:
            self.tally.count("value", f"feature {name} negotiated")
        (size,) = struct.unpack_from(">H", frame.payload, 16)
        at = 18 + size
        (count,) = struct.unpack_from(">H", frame.payload, at)
        listed: dict[int, int] = {
            code: layout
            for code, layout in struct.iter_unpack(">BQ", frame.payload[at + 2:at + 2 + 9 * count])}
        self.mismatched = {o.code for o in self.model.operations if not o.of_session
                           and listed.get(o.code, o.fingerprint) != o.fingerprint}

    # --- the walk ---

    def unasked(self, reply: Frame) -> None:
        """The one thing that a server says of itself: that it has no room for this connection."""
        status = self.error_status(reply) if self.kind(reply) == "ERR" else ""
        if status != "too_many_connections" or self.request_at or self.state != self.model.initial:
            raise Wrong(f"{self.kind(reply)} {status} where nothing was asked")
        self.state = self.final()

    def kind(self, reply: Frame) -> str:
        if reply.magic != self.model.magic or reply.version != self.model.version:
            raise Wrong("no frame of this protocol")
        if reply.opcode not in self.model.reply_codes:
            raise Wrong(f"the opcode {reply.opcode:#04x} in a reply")
        if reply.length > self.model.payload_limit:
            raise Wrong(f"a reply of {reply.length} bytes")
        return self.model.reply_codes[reply.opcode]

    def answer(self, reply: Frame, more_before: bool) -> bool:
        """Judges one reply; whether another frame of it follows."""
        name = self.kind(reply)
        if self.model.states[self.state]["final"]:
            raise Wrong(f"{name} behind the last word")
        frame = frame_at(self.requests, self.request_at, self.model.payload_limit)
        if frame is None or (self.state == self.model.initial and name == "ERR"
                             and self.is_no_room(reply)):
            self.unasked(reply)
            return False
        verdict = self.expect(frame)
        state = self.state
        if name == "ERR":
            status = self.error_status(reply)
            self.check_refusal(frame, verdict, status)
            self.count_error(frame, verdict, more_before)
            self.after_refusal(frame, verdict, status)
        else:
            status = "success"
            operation = self.check_success(frame, verdict, reply)
            self.count_success(operation, reply)
            if reply.flags:
                return True
            self.after_success(operation, frame, reply)
        self.limits.header(frame.length, state, status)
        self.request_at = frame.end
        return False

    def is_no_room(self, reply: Frame) -> bool:
        return (len(reply.payload) == 1 and self.request_at == 0 and
                self.model.status_names.get(reply.payload[0]) == "too_many_connections")

    def count_error(self, frame: Frame, verdict: Verdict, more_before: bool) -> None:
        operation = self.model.by_code.get(frame.opcode)
        if operation is None:
            return
        self.tally.count("operation", f"{operation.name} refused by ERR")
        if more_before:
            self.tally.count("operation", f"{operation.name} ended by ERR")

    def count_success(self, operation: Operation, reply: Frame) -> None:
        self.tally.count("status", "success")
        self.tally.count("session", f"{operation.name} executed in {self.state}")
        if reply.flags:
            self.tally.count("operation", f"{operation.name} answered by a frame with more")
            self.tally.count("value", "flag more on a reply")
        else:
            self.tally.count("operation", f"{operation.name} answered by {operation.reply}")

    def run(self) -> None:
        """Judges every whole reply. Raises Wrong with the place where it is not legal."""
        at, number, more = 0, 0, False
        while (reply := frame_at(self.replies, at, self.model.payload_limit)) is not None:
            if not reply.whole and reply.length <= self.model.payload_limit:
                break
            try:
                more = self.answer(reply, more)
            except Wrong as wrong:
                raise Wrong(f"reply {number} at {at}: {wrong}") from None
            self.tally.messages += 1 if more else 2
            at, number = reply.end, number + 1

    def finish(self) -> None:
        """What the end of a connection of taud's must be."""
        closing = bool(self.model.states[self.state]["final"])
        connection = self.connection
        if closing and connection.closed_ns is not None and not connection.cut:
            ended = connection.shut_ns or connection.closed_ns
            if connection.end_ns is not None and ended - connection.end_ns > LEFT_OPEN_NS:
                raise Wrong("the connection was left open behind the last word")


def judge(tally: Tally, connection: Connection) -> None:
    """Judges one connection; what is wrong is added to the tally's problems."""
    walk = Walk(tally, connection)
    tally.connections += 1
    try:
        walk.run()
        walk.finish()
    except Wrong as wrong:
        tally.problems.append(f"{connection.name}: {wrong}")
        return
    walk.limits.ended(connection, walk.authenticated, walk.failures)


def check_requests(model: Specification, requests: bytes) -> None:
    """Raises Wrong at the first whole request that is not legal in itself."""
    at = 0
    while (frame := frame_at(requests, at, model.payload_limit)) is not None and frame.whole:
        operation = model.by_code.get(frame.opcode)
        if frame.magic != model.magic or frame.version != model.version or operation is None:
            raise Wrong(f"request at {at}: no request of this protocol")
        try:
            read_payload(model, operation.request, frame.payload)
        except Broken as broken:
            raise Wrong(f"request at {at}: {operation.name}: {broken}") from None
        if frame.flags:
            raise Wrong(f"request at {at}: {operation.name} with the flags {frame.flags}")
        at = frame.end


def watch(tally: Tally, connection: Connection) -> None:
    """Counts what a client of ours met, up to the first message that is not legal. What it sent
    itself must be, unless the server says that it was compiled from another specification."""
    met = Tally(tally.model)
    walk = Walk(met, connection)
    try:
        walk.run()
    except Wrong:
        pass
    if walk.server_specification in (0, tally.model.fingerprint):
        try:
            check_requests(tally.model, walk.requests)
        except Wrong as wrong:
            tally.problems.append(f"{connection.name}: {wrong}")
    met.counts = Counter({f"{PLAYED}{name}": times for name, times in met.counts.items()})
    met.connections = 1
    tally.add(met)
