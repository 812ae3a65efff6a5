# SPDX-License-Identifier: MIT
"""The asyncio client.

Requests of many tasks share one connection and are pipelined by themselves. The rules are those of
the blocking client: a request is never sent twice, and a write that was sent and not answered fails
with OutcomeUnknown. A client belongs to the event loop that it was first used in.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Optional, Union

from . import tables
from .codec import Values
from .errors import TauError
from .operations import AsyncOperations
from .session import Phase, Request, ServerInfo, Session, nobody
from .settings import Address, Settings, parse_address, parse_certificate
from .statuses import Cancelled, ConnectionFailed, ConnectionLost, Timeout
from .tables import Operation

_GOODBYE_SECONDS = 1.0
_BATCHES_AHEAD = 8  # of a stream behind which nobody waits; more are left to the kernel


class _Channel(asyncio.Protocol):
    """A session on a transport."""

    def __init__(self, settings: Settings, negotiate: bool) -> None:
        self.session = Session(settings.certificate, settings.name, negotiate,
                               settings.max_outstanding, settings.max_buffered)  # fmt: skip
        self.transport: Optional[asyncio.Transport] = None
        self._paused = False  # the transport has enough to send
        self._held = False  # reading waits for who iterates
        self._waiters: list[asyncio.Future[None]] = []

    # --- what the loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.flush()

    def data_received(self, data: bytes) -> None:
        self.session.receive(data)
        self.changed()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        text = f"the connection broke: {exc}" if exc else "the server closed the connection"
        self.session.lost(ConnectionLost(text))
        self.changed()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.flush()
        self.changed()

    # --- what the client calls ---

    @property
    def busy(self) -> bool:
        """Whether a further request has to wait."""
        return self.session.phase is Phase.READY and (self._paused or self.session.full)

    def flush(self) -> None:
        """Hands what is to be sent to the transport."""
        transport = self.transport
        while transport is not None and self.session.waiting and not self._paused:
            if transport.is_closing():
                return
            data = self.session.output()
            transport.write(data)
            self.session.sent(len(data))

    def changed(self) -> None:
        """Something was received, sent or taken."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.balance()
        if self.session.phase is Phase.CLOSED and self.transport is not None:
            self.transport.close()

    def balance(self) -> None:
        """Reads on unless a stream is far ahead, and nobody waits behind it."""
        pending = self.session.pending
        hold = bool(pending) and len(pending[0].batches) >= _BATCHES_AHEAD
        if hold and (self._waiters or any(r.listener is not nobody for r in pending)):
            hold = False
        if self.transport is None or self.transport.is_closing() or hold == self._held:
            return
        self._held = hold
        if hold:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    async def change(self) -> None:
        """Waits until something has changed."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.balance()
        await waiter

    async def settled(self, request: Request) -> None:
        """Waits until a request is done or has a batch; it is told of empty batches, too."""
        while not (request.done or request.batches):
            waiter = asyncio.get_running_loop().create_future()

            def tell(waiter: asyncio.Future[None] = waiter) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            request.listener = tell
            self.balance()
            try:
                await waiter
            finally:
                request.listener = nobody

    async def greeted(self) -> None:
        """Waits until the session is ready. Raises its TauError."""
        while self.session.phase is not Phase.READY:
            if self.session.error is not None:
                raise self.session.error
            self.flush()
            await self.change()

    def close(self) -> None:
        """Closes; what waits fails."""
        self.session.lost(ConnectionLost("the client was closed"))
        self.changed()


class AsyncClient(AsyncOperations):
    """A client whose calls are awaited. Its parameters are those of Client.

    async with AsyncClient("127.0.0.1:7701", certificate) as client:
        await client.append("cpu.load", 1, 0.5)
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
        self._channel: Optional[_Channel] = None
        self._opened = False
        self._opening = asyncio.Lock()

    # --- the connection ---

    async def open(self) -> None:
        """Connects now, unless there is a connection. Raises TauError."""
        await self._ready()

    async def close(self) -> None:
        """Says goodbye and closes. Requests that are under way fail. A later call opens again."""
        async with self._opening:
            channel, self._channel, self._opened = self._channel, None, False
            if channel is None:
                return
            if channel.session.phase is Phase.READY and not channel.session.pending:
                request = channel.session.request(tables.OPERATION_DISCONNECT, {})
                channel.flush()
                try:
                    async with asyncio.timeout(_GOODBYE_SECONDS):
                        await channel.settled(request)
                except TimeoutError:
                    pass
            channel.close()

    async def __aenter__(self) -> "AsyncClient":
        await self.open()
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:  # fmt: skip
        await self.close()

    @property
    def server(self) -> ServerInfo:
        """What the server said of itself; nothing while there is no connection."""
        return ServerInfo() if self._channel is None else self._channel.session.server

    async def cancel(self, *, timeout: Optional[float] = None) -> None:
        """Ends the reads of this connection that are under way, streams too, with Cancelled."""
        await self._call(tables.OPERATION_CANCEL, {}, timeout)

    async def _ready(self) -> _Channel:
        """The connection, a new one where it was lost meanwhile."""
        async with self._opening:
            channel = self._channel
            if channel is not None and channel.session.phase is Phase.READY:
                return channel
            if self._opened and not self._settings.reconnect:
                raise ConnectionLost("the connection was lost")
            self._channel = await self._connect()
            self._opened = True
            return self._channel

    async def _connect(self) -> _Channel:
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                channel = await self._greet(self._settings.negotiate)
                if channel.session.unknown_negotiate:
                    channel = await self._greet(False)
        except TimeoutError:
            raise Timeout(f"{self._settings.where}: no connection in time") from None
        if channel.session.error is not None:
            raise channel.session.error
        return channel

    async def _greet(self, negotiate: bool) -> _Channel:
        """A connection that is ready, or one that failed and says why."""
        loop = asyncio.get_running_loop()
        channel = _Channel(self._settings, negotiate)
        try:
            if isinstance(self._settings.address, str):
                await loop.create_unix_connection(lambda: channel, self._settings.address)
            else:
                host, port = self._settings.address
                await loop.create_connection(lambda: channel, host, port)
        except (OSError, ValueError) as error:
            raise ConnectionFailed(f"{self._settings.where}: {error}") from error
        try:
            await channel.greeted()
        except TauError:
            pass  # the session keeps it
        except BaseException:
            channel.close()
            raise
        return channel

    # --- requests ---

    def _patience(self, timeout: Optional[float]) -> float:
        return self._settings.timeout if timeout is None else timeout

    async def _begin(self, operation: Operation, values: Values) -> tuple[_Channel, Request]:
        channel = await self._ready()
        while channel.busy and not channel.session.crowded:
            await channel.change()
        request = channel.session.request(operation, values)
        channel.flush()
        channel.balance()
        return channel, request

    async def _call(self, operation: Operation, values: Values, timeout: Optional[float]) -> Any:
        channel: Optional[_Channel] = None
        request: Optional[Request] = None
        try:
            async with asyncio.timeout(self._patience(timeout)):
                channel, request = await self._begin(operation, values)
                await channel.settled(request)
        except TimeoutError:
            late = Timeout("it was not answered before its deadline", operation=operation.name)
            if channel is None or request is None:
                raise late from None
            channel.session.give_up(request, late)
        except asyncio.CancelledError:
            if channel is not None and request is not None:
                channel.session.give_up(request, Cancelled("nobody waits for it any more"))
            raise
        assert request is not None
        return request.result()

    def _stream(self, operation: Operation, values: Values,
                timeout: Optional[float]) -> "_AsyncSource":  # fmt: skip
        return _AsyncSource(self, operation, values, self._patience(timeout))


class _AsyncSource:
    """A stream on a connection, which it begins when its first batch is asked for."""

    def __init__(self, client: AsyncClient, operation: Operation, values: Values,
                 patience: float) -> None:  # fmt: skip
        self.client = client
        self.operation = operation
        self.values = values
        self.patience = patience
        self.channel: Optional[_Channel] = None
        self.request: Optional[Request] = None
        self.stopped = False

    async def next_batch(self) -> Any:
        """The next batch, or None. Raises TauError."""
        if self.stopped:
            return None
        try:
            async with asyncio.timeout(self.patience):
                return await self._next()
        except TimeoutError:
            late = Timeout("it was not answered before its deadline", operation=self.operation.name)
            self._give_up(late)
            raise late from None
        except asyncio.CancelledError:
            self._give_up(Cancelled("nobody waits for it any more"))
            raise

    async def _next(self) -> Any:
        if self.channel is None or self.request is None:
            self.channel, self.request = await self.client._begin(self.operation, self.values)
        await self.channel.settled(self.request)
        if not self.request.batches:
            return self.request.result()
        batch = self.request.take()
        self.channel.balance()
        return batch

    async def stop(self) -> None:
        """Ends the stream; what was fetched is forgotten."""
        self.stopped = True
        self._give_up(Cancelled("the stream was closed"))

    def forget(self) -> None:
        """Nobody reads it any more; the next request ends it."""
        if self.request is not None:
            self.request.forgotten = True

    def _give_up(self, error: TauError) -> None:
        if self.channel is not None and self.request is not None:
            self.channel.session.stop(self.request, error)
            self.request.drop()
            self.channel.flush()
            self.channel.balance()
