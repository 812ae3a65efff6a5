# SPDX-License-Identifier: MIT
"""A session on a socket, for the blocking client: moves bytes while somebody waits.

The socket never blocks; a selector waits, for no longer than the caller says. It knows sockets and
sessions, and no operation.
"""

from __future__ import annotations

import math
import selectors
import socket
import time
from typing import Optional

from .errors import TauError
from .session import Phase, Session
from .settings import Settings
from .statuses import ConnectionFailed, ConnectionLost, Timeout

_RECEIVE = 1 << 18


def remaining(deadline: float) -> Optional[float]:
    """The seconds up to a deadline, at least 0; None for ever."""
    return None if math.isinf(deadline) else max(0.0, deadline - time.monotonic())


def _connect(settings: Settings, deadline: float) -> socket.socket:
    timeout = max(0.001, deadline - time.monotonic())
    try:
        if not isinstance(settings.address, str):
            plug = socket.create_connection(settings.address, timeout)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return plug
        plug = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise ConnectionFailed(f"{settings.where}: {error}") from error
    try:
        plug.settimeout(timeout)
        plug.connect(settings.address)
    except (OSError, ValueError) as error:
        plug.close()
        raise ConnectionFailed(f"{settings.where}: {error}") from error
    return plug


class Link:
    """One connection, open until `close` or until its session is closed."""

    def __init__(self, settings: Settings, negotiate: bool, deadline: float) -> None:
        self.session = Session(settings.certificate, settings.name, negotiate,
                               settings.max_outstanding, settings.max_buffered)  # fmt: skip
        self._socket = _connect(settings, deadline)
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._open = True

    @property
    def ready(self) -> bool:
        """Whether requests may be made."""
        return self.session.phase is Phase.READY

    def close(self) -> None:
        """Closes the socket; what waits fails."""
        self.session.lost(ConnectionLost("the client was closed"))
        if self._open:
            self._open = False
            self._selector.close()
            self._socket.close()

    def greet(self, deadline: float) -> None:
        """Authenticates and negotiates. Raises TauError, and is closed then."""
        while not self.ready:
            if self.session.error is not None:
                self.close()
                raise self.session.error
            if not self.pump(deadline):
                self.session.lost(Timeout("the server did not answer in time"))

    def pump(self, deadline: float) -> bool:
        """Sends and receives what can be, and waits for that up to a deadline; False when it has
        passed, whatever moved. Failures of the connection are told to the session."""
        if not self._open:
            return False
        moved = self._send()
        if self.session.phase is Phase.CLOSED:
            return True
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.session.waiting else 0)
        self._selector.modify(self._socket, events)
        ready = self._selector.select(0.0 if moved and self.session.waiting
                                      else remaining(deadline))  # fmt: skip
        if any(event & selectors.EVENT_READ for _, event in ready):
            self._receive()
        return time.monotonic() < deadline

    def _send(self) -> bool:
        """Sends what there is room for."""
        if not self.session.waiting:
            return False
        try:
            size = self._socket.send(self.session.output())
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._broken(error)
            return True
        self.session.sent(size)
        return True

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(_RECEIVE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.session.lost(ConnectionLost(f"the connection broke: {error}"))
            return True
        if data:
            self.session.receive(data)
        else:
            self.session.lost(ConnectionLost("the server closed the connection"))
        return True

    def _broken(self, error: OSError) -> None:
        """Sending failed: the server's last words, if any, say more than that."""
        while self.session.phase is not Phase.CLOSED:
            if not self._receive():
                self.session.lost(ConnectionLost(f"the connection broke: {error}"))


def open_link(settings: Settings) -> Link:
    """A connection that is ready. A server that does not know NEGOTIATE is asked again without it,
    once. Raises TauError."""
    deadline = time.monotonic() + settings.connect_timeout
    link = Link(settings, settings.negotiate, deadline)
    try:
        link.greet(deadline)
    except TauError:
        if not link.session.unknown_negotiate:
            raise
        link = Link(settings, False, deadline)
        link.greet(deadline)
    return link
