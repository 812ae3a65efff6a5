# SPDX-License-Identifier: MIT
"""One connection without any I/O: bytes in, bytes out, requests answered.

                 CONNECT's OK                 NEGOTIATE's OK
    CONNECTING --------------> NEGOTIATING ------------------> READY
         |    \\__________________________________________________^
         |             without negotiation     |                 |
         +---------- lost, or a breach --------+-----> CLOSED <--+

It authenticates and negotiates, keeps requests and replies in step, and decides what became of
each request when the connection ends. It knows no socket and reads no clock. Nothing that a server
sends makes it raise: what the protocol does not allow ends the connection.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, Optional

from . import tables
from .codec import (
    DecodeError, EncodeError, Header, Payload, Shape, Values, decode, encode,
    read_header, write_header,
)  # fmt: skip
from .errors import TauError
from .statuses import (
    EXCEPTIONS, Cancelled, ConnectionLost, InvalidArgument, LayoutMismatch, NotSupported,
    OutcomeUnknown, ProtocolError, Status, WouldBlock,
)  # fmt: skip
from .tables import Operation

# A server may send pushes unasked; one that is not understood is passed over.
_REPLIES = replace(tables.HEADER, opcodes=tables.HEADER.opcodes | frozenset(tables.PUSHES))
_NO_FIELD = 0xFFFF
_BATCH_BYTES = 512  # what a batch takes besides its payload


class Phase(enum.Enum):
    """Where a connection stands."""

    CONNECTING = 1
    NEGOTIATING = 2
    READY = 3
    CLOSED = 4


@dataclass(frozen=True)
class ServerInfo:
    """What a server said of itself; a server that does not negotiate says nothing."""

    negotiated: bool = False
    name: str = ""
    features: int = 0
    specification: int = 0
    limits: Mapping[int, int] = field(default_factory=dict)
    operations: Mapping[int, int] = field(default_factory=dict)

    def limit(self, limit: tables.Limit) -> int:
        """A limit that the server runs with, else that of the specification."""
        return self.limits.get(limit, tables.LIMITS[limit])

    def refusal(self, operation: Operation) -> Optional[TauError]:
        """Why the server cannot be asked for an operation, or None where it can."""
        offered = self.operations.get(operation.code)
        if offered is None:
            if not operation.negotiated:
                return None
            text = f"the server does not offer {operation.name}"
            return NotSupported(text, operation=operation.name)
        if offered == operation.fingerprint:
            return None
        text = (
            f"client and server have different layouts of {operation.name}: "
            f"{operation.fingerprint:016x} here, {offered:016x} there"
        )
        return LayoutMismatch(text, operation=operation.name)


class Request:
    """A request that was made, and what became of it."""

    def __init__(self, operation: Operation, start: int, end: int) -> None:
        self.operation = operation
        self.start = start  # its frame's place in all that this connection sends
        self.end = end
        self.batches: deque[Any] = deque()  # those that were not taken yet
        self.buffered = 0  # the bytes that they take
        self._sizes: deque[int] = deque()
        self.done = False
        self.given_up = False  # nobody waits for it; its reply still comes
        self.forgotten = False  # a stream that nobody can read any more
        self.voided = False  # goes out as a PING instead
        self.value: Any = None
        self.error: Optional[TauError] = None
        self.listener: Callable[[], None] = nobody

    def keep(self, batch: Any, size: int) -> None:
        """Adds a batch until it is taken."""
        self.batches.append(batch)
        self._sizes.append(size + _BATCH_BYTES)
        self.buffered += self._sizes[-1]

    def take(self) -> Any:
        """The next batch."""
        self.buffered -= self._sizes.popleft()
        return self.batches.popleft()

    def drop(self) -> None:
        """Forgets what was not taken."""
        self.batches.clear()
        self._sizes.clear()
        self.buffered = 0

    def result(self) -> Any:
        """The value of a request that is done. Raises its TauError."""
        if self.error is not None:
            raise self.error
        return self.value

    def finish(self, value: Any = None, error: Optional[TauError] = None) -> None:
        """Ends it, once."""
        if not self.done:
            self.done, self.value, self.error = True, value, error
            self.listener()


def nobody() -> None:
    """Hears that something happened, and does nothing."""


class _Breach(Exception):
    """The server sent what the protocol does not allow."""


class Session:
    """The protocol's side of one connection."""

    def __init__(self, certificate: bytes, client_name: str, negotiate: bool,
                 max_outstanding: int, max_buffered: int = 64 << 20) -> None:  # fmt: skip
        self.phase = Phase.CONNECTING
        self.server = ServerInfo()
        self.error: Optional[TauError] = None  # why it is closed
        self.unknown_negotiate = False  # the server does not know NEGOTIATE
        self.max_outstanding = max_outstanding
        self.max_buffered = max_buffered
        self.pending: deque[Request] = deque()
        self._negotiate = negotiate
        self._input = bytearray()
        self._skip = 0
        self._output = bytearray()
        self._sent = 0
        self._queue(tables.OPERATION_CONNECT, {"certificate": certificate})
        if negotiate:
            self._queue(tables.OPERATION_NEGOTIATE, _hello(client_name))

    # --- output ---

    def output(self, most: int = 1 << 18) -> bytes:
        """What is to be sent next; `sent` says how much of it was."""
        return bytes(self._output[:most])

    @property
    def waiting(self) -> int:
        """The bytes that were not sent yet."""
        return len(self._output)

    def sent(self, size: int) -> None:
        """The connection took this many bytes."""
        del self._output[:size]
        self._sent += size

    def _queue(self, operation: Operation, values: Values) -> tuple[int, int]:
        """Adds a frame; gives where it begins and ends in all that is sent."""
        try:
            payload = encode(operation.request, values)
        except EncodeError as error:
            raise InvalidArgument(str(error), operation=operation.name) from None
        if len(payload) > tables.HEADER.max_length:
            text = f"a payload of {len(payload)} bytes is too long"
            raise InvalidArgument(text, operation=operation.name)
        start = self._sent + len(self._output)
        self._output += write_header(tables.HEADER, Header(operation.code, 0, len(payload)))
        self._output += payload
        return start, self._sent + len(self._output)

    # --- requests ---

    @property
    def full(self) -> bool:
        """Whether no further request may be made until one is answered."""
        return len(self.pending) >= self.max_outstanding

    @property
    def crowded(self) -> bool:
        """Whether a stream is so far ahead of its reader that what is behind it cannot be had."""
        return bool(self.pending) and self.pending[0].buffered > self.max_buffered

    def request(self, operation: Operation, values: Values) -> Request:
        """Adds a request. Raises TauError where it cannot be sent: nothing was, then."""
        if self.pending and self.pending[0].forgotten:
            self.stop(self.pending[0], Cancelled("nobody reads the stream any more"))
        if self.phase is not Phase.READY:
            cause = self.error or ConnectionLost("there is no connection")
            raise cause.again(operation.name)
        refusal = self.server.refusal(operation)
        if refusal is not None:
            raise refusal
        if self.full:
            raise WouldBlock("too many requests are under way", operation=operation.name)
        if self.crowded:
            raise _behind(operation)
        request = Request(operation, *self._queue(operation, values))
        self.pending.append(request)
        return request

    def give_up(self, request: Request, error: TauError) -> None:
        """Ends a request that nobody waits for any more; its reply is passed over when it comes. A
        frame of which nothing was sent goes out as a PING, which has the same length and does
        nothing; a write that was begun to be sent may happen."""
        if request.done:
            return
        request.given_up = True
        request.drop()
        if request.start >= self._sent and self.phase is Phase.READY:
            at = request.start - self._sent + tables.HEADER.opcode_at
            self._output[at] = tables.OPERATION_PING.code
            request.voided = True
        elif request.operation.write:
            error = _unknown(request.operation, error)
        request.finish(error=error)

    def stop(self, request: Request, error: TauError) -> None:
        """Gives up a stream, and tells the server where that harms no other read."""
        if request.done:
            return
        self.give_up(request, error)
        others = any(not r.given_up and not r.operation.write for r in self.pending)
        offered = self.server.refusal(tables.OPERATION_CANCEL) is None
        if self.phase is Phase.READY and not others and offered:
            cancel = Request(
                tables.OPERATION_CANCEL, *self._queue(tables.OPERATION_CANCEL, {})
            )
            cancel.given_up = True
            self.pending.append(cancel)

    # --- the end ---

    def lost(self, error: TauError) -> None:
        """The connection ended: every request that it owes an answer to fails, a write that was
        sent as one whose outcome is unknown."""
        if self.phase is Phase.CLOSED:
            return
        self.phase = Phase.CLOSED
        self.error = error
        self._input.clear()
        self._output.clear()  # nobody may wait for that to be sent any more
        requests, self.pending = self.pending, deque()
        for request in requests:
            cause = error.again(request.operation.name)
            if request.operation.write and not request.voided and request.end <= self._sent:
                cause = _unknown(request.operation, error)
            request.finish(error=cause)

    # --- input ---

    def receive(self, data: bytes) -> None:
        """Takes what the server sent."""
        if self.phase is Phase.CLOSED:
            return
        self._input += data
        try:
            while self._frame():
                pass
        except _Breach as breach:
            self.lost(ProtocolError(f"the server sent {breach}"))

    def _frame(self) -> bool:
        """Takes one frame from the input; False when there is none."""
        if self._skip:
            size = min(self._skip, len(self._input))
            del self._input[:size]
            self._skip -= size
        if self._skip or self.phase is Phase.CLOSED or not self._input:
            return False
        try:
            header = read_header(_REPLIES, self._input)
        except DecodeError as error:
            raise _Breach(f"what is no frame of this protocol: {error}") from None
        if header is None:
            return False
        if header.opcode in tables.PUSHES:
            self._skip = tables.HEADER.size + header.payload_length
            return True
        self._judge(header)
        end = tables.HEADER.size + header.payload_length
        if len(self._input) < end:
            return False
        payload = bytes(memoryview(self._input)[tables.HEADER.size : end])
        del self._input[:end]
        self._reply(header, payload)
        return True

    def _expected(self, opcode: int) -> Optional[Operation]:
        """The operation that a reply answers, or None where there is none.

        A refusal, and the answer to a PING, may be made of the request's header alone: they may
        come while the rest of it is still being sent.
        """
        if self.phase is Phase.CONNECTING:
            return tables.OPERATION_CONNECT
        if self.phase is Phase.NEGOTIATING:
            return tables.OPERATION_NEGOTIATE
        if not self.pending:
            return None
        request = self.pending[0]
        operation = tables.OPERATION_PING if request.voided else request.operation
        early = opcode in (tables.REPLY_ERR, tables.OPERATION_PING.reply)
        needed = request.start + tables.HEADER.size if early else request.end
        return operation if needed <= self._sent else None

    def _judge(self, header: Header) -> None:
        """Judges a reply by its header, before its payload is waited for."""
        expected = self._expected(header.opcode)
        if header.opcode == tables.REPLY_ERR:
            if header.flags or not 0 < header.payload_length <= tables.ERR.max_size:
                raise _Breach("a malformed error")
            if expected is None and self.pending:
                raise _Breach("an answer to a request that was not sent yet")
            return
        if expected is None:
            raise _Breach("an answer to no request")
        if header.opcode != expected.reply:
            raise _Breach(f"an answer of the wrong kind to {expected.name}")
        if header.flags and not (expected.stream and header.flags == tables.FLAG_MORE):
            raise _Breach("flags that are not allowed")
        if header.payload_length > expected.response.max_size:
            raise _Breach(f"an answer to {expected.name} that is too long")

    def _reply(self, header: Header, payload: bytes) -> None:
        error = self._error(payload) if header.opcode == tables.REPLY_ERR else None
        if self.phase is not Phase.READY:
            self._greeting(payload, error)
        elif not self.pending:
            assert error is not None  # any other reply was refused by its header
            self.lost(error)
        elif error is not None:
            request = self.pending.popleft()
            request.finish(error=error.again(request.operation.name))
        else:
            self._answer(header, payload)

    def _error(self, payload: bytes) -> TauError:
        """The exception of an ERR frame."""
        try:
            values = decode(tables.ERR, payload)
        except DecodeError as error:
            raise _Breach(f"an error that cannot be read: {error}") from None
        agreed = self.server.features & tables.FEATURE_DETAILED_ERRORS
        if values["status"] == Status.SUCCESS or (values["text"] is not None and not agreed):
            raise _Breach("an error that was not agreed on, or is none")
        return _exception(values)

    def _answer(self, header: Header, payload: bytes) -> None:
        """A right answer to the first request, or a part of one."""
        request = self.pending[0]
        more = bool(header.flags & tables.FLAG_MORE)
        if not request.given_up:
            try:
                values = decode(request.operation.response, payload)
            except DecodeError as error:
                raise _Breach(f"an answer that cannot be read: {error}") from None
            if not request.operation.stream:
                self.pending.popleft()
                request.finish(value=_result(request.operation, values))
                return
            if not _empty(request.operation.response, values):
                request.keep(_result(request.operation, values), len(payload))
                self._relieve()
        if not more:
            self.pending.popleft()
            request.finish()
        elif not request.done:
            request.listener()

    def _relieve(self) -> None:
        """Where nobody takes the batches of a stream, those who wait behind it wait in vain."""
        if self.pending[0].forgotten:
            self.give_up(self.pending[0], Cancelled("nobody reads the stream any more"))
        if self.crowded:
            for request in list(self.pending)[1:]:
                self.give_up(request, _behind(request.operation))

    def _greeting(self, payload: bytes, error: Optional[TauError]) -> None:
        """An answer to CONNECT or to NEGOTIATE."""
        if error is not None:
            negotiating = self.phase is Phase.NEGOTIATING
            self.unknown_negotiate = negotiating and error.status == Status.BAD_OPCODE
            operation = tables.OPERATION_NEGOTIATE if negotiating else tables.OPERATION_CONNECT
            self.lost(error.again(operation.name))
        elif self.phase is Phase.CONNECTING:
            self.phase = Phase.NEGOTIATING if self._negotiate else Phase.READY
        else:
            try:
                self.server = _server(decode(tables.NEGOTIATE_RESPONSE, payload))
            except DecodeError as wrong:
                raise _Breach(f"an answer to NEGOTIATE that cannot be read: {wrong}") from None
            self.phase = Phase.READY


# --- reading what the server said ---------------------------------------------------------------


def _hello(client_name: str) -> Values:
    return {
        "features": tables.FEATURE_DETAILED_ERRORS,
        "specification": tables.FINGERPRINT,
        "client_name": client_name,
        "operations": [(o.code, o.fingerprint) for o in tables.OPERATIONS.values()],
    }


def _server(values: Values) -> ServerInfo:
    return ServerInfo(
        True, values["server_name"], values["features"], values["specification"],
        {row.number: row.value for row in values["limits"]},
        {row.opcode: row.fingerprint for row in values["operations"]},
    )  # fmt: skip


def _shown_text(text: str) -> str:
    """A server's text as a terminal may be given it: it is shown, and does nothing."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _exception(values: Values) -> TauError:
    """The exception that tells of an error."""
    status = values["status"]
    kind = EXCEPTIONS.get(status, TauError)
    name = status.name.lower() if isinstance(status, Status) else f"status {status:#04x}"
    number = None if values["field"] == _NO_FIELD else values["field"]
    text = f"{name}: {_shown_text(values['text'])}" if values["text"] else name
    return kind(text, field=number, offset=values["offset"], status=status)


def _behind(operation: Operation) -> TauError:
    text = "it waits behind a stream of which too much was not read: read on, or leave the stream"
    return WouldBlock(text, operation=operation.name)


def _unknown(operation: Operation, cause: TauError) -> TauError:
    text = f"it was sent and not answered: {cause.message}"
    return OutcomeUnknown(text, operation=operation.name)


def _shown(payload: Payload) -> list[str]:
    return [f.name for f in payload.fields if not f.counts]


def _result(operation: Operation, values: Values) -> Any:
    """A response as the caller sees it: nothing, its only value, or an object."""
    names = _shown(operation.response)
    if operation.result is not None:
        return operation.result(*(values[name] for name in names))
    return values[names[0]] if names else None


def _empty(payload: Payload, values: Values) -> bool:
    """Whether a batch holds nothing."""
    arrays = [f.name for f in payload.fields
              if f.shape in (Shape.COUNTED_ARRAY, Shape.REST_ARRAY)]  # fmt: skip
    return bool(arrays) and not any(len(values[name]) for name in arrays)


__all__ = ["Phase", "Request", "ServerInfo", "Session"]
