# SPDX-License-Identifier: MIT
"""The blocking client, and pipelines on it.

A client has one connection, makes it when it is first needed and again after it was lost. A request
is never sent twice: one that was under way when the connection ended fails, and a write that had
been sent fails with OutcomeUnknown. Threads may share a client; their calls follow each other.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Optional, Union

from . import tables
from .codec import Values
from .errors import TauError
from .link import Link, open_link
from .operations import BlockingOperations, PipelineOperations
from .session import Phase, Request, ServerInfo
from .settings import Address, Settings, parse_address, parse_certificate
from .statuses import Cancelled, ConnectionLost, Timeout
from .tables import Operation

_GOODBYE_SECONDS = 1.0
_OUTPUT_BYTES = 1 << 20  # a pipeline that is ahead by more waits until it was sent


class Client(BlockingOperations):
    """A client whose calls wait for their answer.

    `address` is "HOST:PORT", "unix:PATH" or a tuple of both halves; without one TAU_SERVER, else
    the specification's default. `certificate` is 32 bytes or 64 hexadecimal digits; without one
    TAU_CERTIFICATE. Times are in seconds; each call takes a `timeout` of its own. `negotiate` asks
    the server what it offers, `reconnect` makes a new connection after one was lost. At most
    `max_outstanding` requests are under way. A call behind a stream that is still read takes what
    comes of the stream into memory, at most `max_buffered` bytes of it: it fails with WouldBlock
    then, as calls do from there on until the stream was read on or left.

    Every call raises TauError and nothing else for what a server or the network does.
    """

    def __init__(
        self,
        address: Union[Address, None] = None,
        certificate: Union[str, bytes, None] = None,
        *,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        name: str = "tau-python",
        negotiate: bool = True,
        reconnect: bool = True,
        max_outstanding: int = 1024,
        max_buffered: int = 64 << 20,
    ) -> None:
        where = address if isinstance(address, tuple) else parse_address(address)
        self._settings = Settings(
            where, parse_certificate(certificate), timeout, connect_timeout, name, negotiate,
            reconnect, max_outstanding, max_buffered,
        )  # fmt: skip
        self._lock = threading.RLock()
        self._link: Optional[Link] = None
        self._opened = False

    # --- the connection ---

    def open(self) -> None:
        """Connects now, unless there is a connection. Raises TauError."""
        with self._lock:
            self._ready()

    def close(self) -> None:
        """Says goodbye and closes. Requests that are under way fail. A later call opens again."""
        with self._lock:
            link, self._link, self._opened = self._link, None, False
            if link is None:
                return
            if link.ready and not link.session.pending:
                self._goodbye(link)
            link.close()

    def __enter__(self) -> "Client":
        self.open()
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:  # fmt: skip
        self.close()

    @property
    def server(self) -> ServerInfo:
        """What the server said of itself when the connection was made."""
        with self._lock:
            return self._ready().session.server

    def cancel(self, *, timeout: Optional[float] = None) -> None:
        """Ends the reads of this connection that are under way, streams too, with Cancelled."""
        self._call(tables.OPERATION_CANCEL, {}, timeout)

    def pipeline(self) -> "Pipeline":
        """A pipeline: requests that are sent without waiting for each other."""
        return Pipeline(self)

    def _goodbye(self, link: Link) -> None:
        deadline = time.monotonic() + _GOODBYE_SECONDS
        try:
            request = link.session.request(tables.OPERATION_DISCONNECT, {})
        except TauError:
            return
        while not request.done and link.pump(deadline):
            pass

    def _ready(self) -> Link:
        """The connection, a new one where it was lost meanwhile."""
        link = self._link
        if link is not None and not link.session.pending and not link.session.waiting:
            link.pump(time.monotonic())  # whether the server closed it while it was idle
        if link is not None and link.session.phase is Phase.READY:
            return link
        if link is not None:
            link.close()
            self._link = None
        if self._opened and not self._settings.reconnect:
            raise ConnectionLost("the connection was lost")
        self._link = open_link(self._settings)
        self._opened = True
        return self._link

    # --- requests ---

    def _deadline(self, timeout: Optional[float]) -> float:
        return time.monotonic() + (self._settings.timeout if timeout is None else timeout)

    def _begin(self, operation: Operation, values: Values, timeout: Optional[float]) -> "_Waiting":
        with self._lock:
            link = self._ready()
            deadline = self._deadline(timeout)
            while link.session.full or link.session.waiting > _OUTPUT_BYTES:
                if link.session.crowded:
                    break  # nothing is answered before the stream is read
                if not link.pump(deadline):
                    raise Timeout("it was not sent before its deadline", operation=operation.name)
            return _Waiting(self, link, link.session.request(operation, values), deadline)

    def _call(self, operation: Operation, values: Values, timeout: Optional[float]) -> Any:
        with self._lock:
            return self._begin(operation, values, timeout).wait()

    def _stream(self, operation: Operation, values: Values, timeout: Optional[float]) -> "_Source":
        patience = self._settings.timeout if timeout is None else timeout
        waiting = self._begin(operation, values, timeout)
        return _Source(self, waiting.link, waiting.request, patience)

    def _await(self, link: Link, request: Request, deadline: float) -> None:
        """Waits until a request is done or has a batch; at its deadline it is given up."""
        while not request.done and not request.batches:
            if link.pump(deadline):
                continue
            if request.done or request.batches:
                return
            late = Timeout("it was not answered before its deadline",
                           operation=request.operation.name)  # fmt: skip
            if request.operation.stream:
                link.session.stop(request, late)
            else:
                link.session.give_up(request, late)


class _Waiting:
    """A request on a connection."""

    def __init__(self, client: Client, link: Link, request: Request, deadline: float) -> None:
        self.client = client
        self.link = link
        self.request = request
        self.deadline = deadline

    @property
    def done(self) -> bool:
        return self.request.done

    def wait(self) -> Any:
        """The result. Raises TauError."""
        with self.client._lock:
            try:
                self.client._await(self.link, self.request, self.deadline)
            except BaseException:  # an interrupt: nobody waits any more
                self.link.session.give_up(self.request, Cancelled("it was interrupted"))
                raise
            return self.request.result()


class _Source:
    """A stream on a connection."""

    def __init__(self, client: Client, link: Link, request: Request, patience: float) -> None:
        self.client = client
        self.link = link
        self.request = request
        self.patience = patience
        self.stopped = False

    def next_batch(self) -> Any:
        """The next batch, or None. Raises TauError."""
        if self.stopped:
            return None
        with self.client._lock:
            if not self.request.batches:
                self.client._await(self.link, self.request, time.monotonic() + self.patience)
            if self.request.batches:
                return self.request.take()
            return self.request.result()

    def stop(self) -> None:
        """Ends the stream; what was fetched is forgotten."""
        self.stopped = True
        with self.client._lock:
            self.link.session.stop(self.request, Cancelled("the stream was closed"))
            self.request.drop()

    def forget(self) -> None:
        """Nobody reads it any more; the next request ends it."""
        self.request.forgotten = True


class Pipeline(PipelineOperations):
    """Requests that are sent without waiting for each other; their answers come in order.

        with client.pipeline() as pipeline:
            first = pipeline.append("cpu.load", 1, 0.5)
            second = pipeline.query_point("cpu.load", 1)
        print(second.result())

    Leaving the block waits for every answer and raises nothing: each promise tells of its own.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._begun: list[_Waiting] = []

    def _begin(self, operation: Operation, values: Values, timeout: Optional[float]) -> _Waiting:
        waiting = self._client._begin(operation, values, timeout)
        self._begun.append(waiting)
        return waiting

    def _stream(self, operation: Operation, values: Values, timeout: Optional[float]) -> _Source:
        return self._client._stream(operation, values, timeout)

    def wait(self) -> None:
        """Waits until every request has its answer, or is over its deadline."""
        begun, self._begun = self._begun, []
        for waiting in begun:
            try:
                waiting.wait()
            except TauError:
                pass  # its promise tells

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:  # fmt: skip
        self.wait()
