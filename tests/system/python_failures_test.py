# SPDX-License-Identifier: MIT
# ctest: timeout=120
"""The Python clients and a server that does not do what it should: one that is silent, that dies
in the middle, that talks nonsense, and one of version 1's first day. A script on a plain socket
plays each of them."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
import unittest
from typing import Any, Callable, Optional

import python_package  # noqa: F401  makes the package importable
import tau
from tau import tables
from tau.codec import Header, encode, write_header
from tau_raw import (APPEND, CANCEL, CONNECT, ERR, NEGOTIATE, OK, PING, PONG, QUERY_POINT,
                     QUERY_RANGE)
from tau_server import CERTIFICATE, PATIENCE

SHORT = 0.3 * PATIENCE
Play = Callable[["Player"], None]


def frame(opcode: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return write_header(tables.HEADER, Header(opcode, flags, len(payload))) + payload


def offer() -> bytes:
    rows = [(o.code, o.fingerprint) for o in tables.OPERATIONS.values()]
    values = {"features": 1, "specification": 2, "server_name": "player", "limits": [],
              "operations": rows}  # fmt: skip
    return frame(OK, encode(tables.NEGOTIATE_RESPONSE, values))


class Player:
    """One connection of a played server."""

    def __init__(self, connection: socket.socket, heard: list[int],
                 over: threading.Event) -> None:  # fmt: skip
        self.socket = connection
        self.heard = heard
        self.over = over

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def hear(self) -> int:
        """Takes a request; gives its opcode."""
        header = self.take(10)
        self.take(int.from_bytes(header[6:], "big"))
        self.heard.append(header[4])
        return header[4]

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def greet(self) -> None:
        assert self.hear() == CONNECT
        self.say(frame(OK))
        assert self.hear() == NEGOTIATE
        self.say(offer())

    def wait(self) -> None:
        """Until the client goes."""
        while self.socket.recv(1 << 16):
            pass

    def answer_all(self) -> None:
        """Answers whatever comes as a server would that knows one point."""
        answers = {PING: frame(PONG), QUERY_POINT: frame(OK, b"\1" + bytes(8))}
        while True:
            opcode = self.hear()
            self.say(answers.get(opcode, frame(OK)))


class Theatre:
    """A server whose connections are played one after the other, the last script for all others."""

    def __init__(self, *plays: Play) -> None:
        self.plays = list(plays)
        self.heard: list[list[int]] = []
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Theatre":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _run(self) -> None:
        players: list[threading.Thread] = []
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                break
            play = self.plays[min(len(self.heard), len(self.plays) - 1)]
            self.heard.append([])
            player = Player(connection, self.heard[-1], self.over)
            players.append(threading.Thread(target=self._play, args=(play, player)))
            players[-1].start()
        for thread in players:
            thread.join()

    @staticmethod
    def _play(play: Play, player: Player) -> None:
        with player.socket:
            try:
                play(player)
            except (EOFError, OSError):
                pass

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.listener.getsockname()
        return host, port

    def writes(self) -> int:
        """How often an APPEND came."""
        return sum(heard.count(APPEND) for heard in self.heard)


# --- what is played -----------------------------------------------------------------------------


def good(player: Player) -> None:
    player.greet()
    player.answer_all()


def silent(player: Player) -> None:
    player.wait()


def floods(player: Player) -> None:
    """Never answers, and always has something to say: frames that are passed over."""
    flood = frame(tables.PUSHES[0]) * 10_000
    while True:
        player.say(flood)


def dies_deaf(player: Player) -> None:
    """Takes nothing more once it has greeted, and goes."""
    player.greet()
    time.sleep(SHORT)


def silent_later(player: Player) -> None:
    player.greet()
    player.wait()


def dies_at_a_write(player: Player) -> None:
    player.greet()
    while player.hear() != APPEND:
        player.say(frame(OK, b"\0"))


def dies_at_once(player: Player) -> None:
    player.greet()


def first_day(player: Player) -> None:
    """A server that does not know NEGOTIATE."""
    assert player.hear() == CONNECT
    player.say(frame(OK))
    opcode = player.hear()
    if opcode == NEGOTIATE:
        player.say(frame(ERR, b"\x03"))
        return
    player.say(frame(OK, b"\0"))
    player.answer_all()


def nonsense(player: Player) -> None:
    player.greet()
    player.hear()
    player.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def late(player: Player) -> None:
    """The first answer comes after its deadline, the second in time."""
    player.greet()
    player.hear()
    time.sleep(2 * SHORT)
    player.say(frame(OK, b"\1" + bytes(8)))
    player.answer_all()


def points(*timestamps: int, more: bool) -> bytes:
    values = {"timestamps": timestamps, "values": [0.5] * len(timestamps)}
    return frame(OK, encode(tables.QUERY_RANGE_RESPONSE, values), int(more))


def half_a_stream(player: Player) -> None:
    player.greet()
    assert player.hear() == QUERY_RANGE
    player.say(points(1, 2, more=True))
    player.wait()


def pauses(player: Player) -> None:
    """A stream with batches that hold nothing, each in a piece of its own."""
    player.greet()
    assert player.hear() == QUERY_RANGE
    for batch in (points(more=True), points(1, more=True), points(more=True), points(2, more=True),
                  points(more=False)):  # fmt: skip
        player.say(batch)
        time.sleep(0.1 * SHORT)
    player.wait()


def endless(player: Player) -> None:
    """A stream without an end; once it is cancelled, a server as any other."""
    player.greet()
    batch, owed = points(*range(1000), more=True), b""
    while True:
        readable, _, _ = select.select([player.socket], [], [], 0)
        opcode = player.hear() if readable else QUERY_RANGE
        if opcode == CANCEL:
            break
        if opcode == QUERY_POINT:
            owed += frame(OK, b"\0")
        elif QUERY_RANGE in player.heard:
            player.say(batch)
    player.say(frame(ERR, bytes([tau.Status.CANCELLED])) + owed + frame(OK))
    player.answer_all()


def deaf(player: Player) -> None:
    """Takes nothing more once it has greeted."""
    player.greet()
    player.over.wait()


RANGE = ("a", 0, 9, 0, tau.Direction.FORWARD)


class Failures(unittest.TestCase):
    """Each case with both clients: `call` runs a method of the one or the other."""

    def both(self, *plays: Play, check: Callable[[Theatre, "Face"], None], **settings: Any) -> None:
        for face in (BlockingFace, AsyncFace):
            with self.subTest(face.__name__), Theatre(*plays) as theatre:
                client = face(theatre.address, **settings)
                try:
                    check(theatre, client)
                finally:
                    client.close()

    def fails(self, kind: type[tau.TauError], client: "Face", name: str, *arguments: Any,
              timeout: Optional[float] = None) -> tau.TauError:  # fmt: skip
        with self.assertRaises(tau.TauError) as caught:
            client.call(name, *arguments, timeout=timeout)
        self.assertIs(type(caught.exception), kind, repr(caught.exception))
        return caught.exception

    def test_a_silent_server(self) -> None:
        def check(_: Theatre, client: "Face") -> None:
            began = time.monotonic()
            self.assertTrue(self.fails(tau.Timeout, client, "ping").retryable)
            self.assertLess(time.monotonic() - began, 20 * SHORT)

        self.both(silent, check=check, connect_timeout=SHORT)

    def test_a_server_that_talks_without_end(self) -> None:
        def check(_: Theatre, client: "Face") -> None:
            self.fails(tau.Timeout, client, "ping")

        self.both(floods, check=check, connect_timeout=SHORT)

    def test_the_end_while_a_pipeline_waits_to_be_sent(self) -> None:
        with Theatre(dies_deaf) as theatre:
            client = tau.Client(theatre.address, CERTIFICATE)
            with client, self.assertRaises(tau.TauError) as caught, client.pipeline() as line:
                for _ in range(64):
                    line.batch_append("a", range(100_000), [0.5] * 100_000)
        self.assertIn(type(caught.exception), (tau.ConnectionLost, tau.OutcomeUnknown))

    def test_deadlines(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            self.fails(tau.Timeout, client, "query_point", "a", 1, timeout=SHORT)
            error = self.fails(tau.OutcomeUnknown, client, "append", "a", 1, 1.0, timeout=SHORT)
            self.assertTrue(error.outcome_unknown)
            self.assertEqual((theatre.writes(), len(theatre.heard)), (0, 1))

        self.both(silent_later, check=check)

    def test_a_late_answer_is_passed_over(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            self.fails(tau.Timeout, client, "query_point", "a", 1, timeout=SHORT)
            self.assertIsNone(client.call("ping"))
            self.assertEqual(client.call("query_point", "a", 1), 0.0)
            self.assertEqual(len(theatre.heard), 1)

        self.both(late, check=check)

    def test_a_write_is_never_repeated(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            self.assertIsNone(client.call("query_point", "a", 1))
            self.fails(tau.OutcomeUnknown, client, "append", "a", 1, 1.0)
            self.assertEqual(client.call("query_point", "a", 1), 0.0)
            self.assertEqual((theatre.writes(), len(theatre.heard)), (1, 2))

        self.both(dies_at_a_write, good, check=check)

    def test_no_reconnecting(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            client.call("query_point", "a", 1)
            self.fails(tau.OutcomeUnknown, client, "append", "a", 1, 1.0)
            self.fails(tau.ConnectionLost, client, "query_point", "a", 1)
            self.assertEqual(len(theatre.heard), 1)

        self.both(dies_at_a_write, good, check=check, reconnect=False)

    def test_an_end_while_idle_is_noticed_before_a_write(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            client.open()
            client.pause(SHORT)
            client.call("append", "a", 1, 1.0)
            self.assertEqual((theatre.writes(), len(theatre.heard)), (1, 2))

        self.both(dies_at_once, good, check=check)

    def test_a_server_of_the_first_day(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            self.assertIsNone(client.call("query_point", "a", 1))
            self.fails(tau.NotSupported, client, "describe_series", "a")
            self.assertEqual(theatre.heard, [[CONNECT, NEGOTIATE], [CONNECT, QUERY_POINT]])

        self.both(first_day, check=check)

    def test_nonsense(self) -> None:
        def check(_: Theatre, client: "Face") -> None:
            self.assertTrue(self.fails(tau.ProtocolError, client, "query_point", "a", 1).fatal)
            self.assertEqual(client.call("query_point", "a", 1), 0.0)

        self.both(nonsense, good, check=check)

    def test_a_write_answered_with_nonsense(self) -> None:
        def check(theatre: Theatre, client: "Face") -> None:
            self.fails(tau.OutcomeUnknown, client, "append", "a", 1, 1.0)
            self.assertEqual(theatre.writes(), 1)

        self.both(nonsense, good, check=check)

    def test_half_a_stream(self) -> None:
        def check(_: Theatre, client: "Face") -> None:
            batches, error = client.drain(*RANGE, timeout=4 * SHORT)
            self.assertEqual([list(b.timestamps) for b in batches], [[1, 2]])
            self.assertIsInstance(error, tau.Timeout)

        self.both(half_a_stream, check=check)

    def test_empty_batches(self) -> None:
        """They are passed over, and nothing behind them is lost."""

        def check(_: Theatre, client: "Face") -> None:
            batches, error = client.drain(*RANGE, timeout=20 * PATIENCE)
            self.assertEqual([list(b.timestamps) for b in batches], [[1], [2]])
            self.assertIsNone(error)

        self.both(pauses, check=check)

    def test_a_call_within_a_stream_without_end(self) -> None:
        """What comes of the stream meanwhile is bounded; the stream that is dropped ends."""

        def check(theatre: Theatre, client: "Face") -> None:
            client.first(*RANGE)
            self.fails(tau.WouldBlock, client, "query_point", "a", 1, timeout=20 * PATIENCE)
            self.assertLess(client.buffered(), 3 << 20)
            self.fails(tau.WouldBlock, client, "append", "a", 1, 1.0)
            self.assertEqual(theatre.writes(), 0)
            client.drop()
            self.assertEqual(client.call("query_point", "a", 1), 0.0)
            self.assertEqual((theatre.heard[0].count(CANCEL), len(theatre.heard)), (1, 1))

        self.both(endless, check=check, max_buffered=1 << 20)

    def test_a_server_that_takes_nothing(self) -> None:
        """More is to be sent than the buffers hold: the call ends at its deadline all the same, and
        what cannot be sent does not pile up."""

        def check(_: Theatre, client: "Face") -> None:
            columns = range(262_141), [0.5] * 262_141
            for number in range(5):
                with self.assertRaises(tau.TauError, msg=str(number)) as caught:
                    client.call("batch_append", "a", *columns, timeout=SHORT)
                self.assertIn(type(caught.exception), (tau.OutcomeUnknown, tau.Timeout))
            self.assertLessEqual(client.unsent(), tables.HEADER.size + tables.HEADER.max_length)

        self.both(deaf, check=check)


class Face:
    """One of the clients as plain calls."""

    def open(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        raise NotImplementedError

    def call(self, name: str, *arguments: Any, timeout: Optional[float] = None) -> Any:
        raise NotImplementedError

    def unsent(self) -> int:
        """The bytes that wait in the client."""
        raise NotImplementedError

    def first(self, *arguments: Any) -> None:
        """Begins a range, and reads one batch."""
        raise NotImplementedError

    def buffered(self) -> int:
        """The bytes of that range that wait to be read."""
        raise NotImplementedError

    def drop(self) -> None:
        """Drops that range."""
        raise NotImplementedError

    def drain(self, *arguments: Any,
              timeout: float) -> tuple[list[Any], Optional[tau.TauError]]:  # fmt: skip
        """The batches of a range, and how it failed."""
        raise NotImplementedError


class BlockingFace(Face):
    """tau.Client."""

    def __init__(self, address: tuple[str, int], **settings: Any) -> None:
        self.client = tau.Client(address, CERTIFICATE, **settings)
        self.stream: Optional[tau.Stream[Any]] = None

    def open(self) -> None:
        self.client.open()

    def close(self) -> None:
        self.client.close()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def unsent(self) -> int:
        assert self.client._link is not None
        return self.client._link.session.waiting

    def first(self, *arguments: Any) -> None:
        self.stream = self.client.query_range(*arguments)
        next(self.stream)

    def buffered(self) -> int:
        assert self.client._link is not None
        return self.client._link.session.pending[0].buffered

    def drop(self) -> None:
        self.stream = None

    def call(self, name: str, *arguments: Any, timeout: Optional[float] = None) -> Any:
        return getattr(self.client, name)(*arguments, timeout=timeout)

    def drain(self, *arguments: Any,
              timeout: float) -> tuple[list[Any], Optional[tau.TauError]]:  # fmt: skip
        batches = []
        try:
            for batch in self.client.query_range(*arguments, timeout=timeout):
                batches.append(batch)
        except tau.TauError as error:
            return batches, error
        return batches, None


class AsyncFace(Face):
    """tau.AsyncClient, each call run to its end in a loop of its own making."""

    def __init__(self, address: tuple[str, int], **settings: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = tau.AsyncClient(address, CERTIFICATE, **settings)
        self.stream: Optional[tau.AsyncStream[Any]] = None

    def open(self) -> None:
        self.loop.run_until_complete(self.client.open())

    def close(self) -> None:
        self.loop.run_until_complete(self.client.close())
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    def pause(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def unsent(self) -> int:
        assert self.client._channel is not None
        return self.client._channel.session.waiting

    def first(self, *arguments: Any) -> None:
        self.stream = self.client.query_range(*arguments)
        self.loop.run_until_complete(anext(self.stream))

    def buffered(self) -> int:
        assert self.client._channel is not None
        return self.client._channel.session.pending[0].buffered

    def drop(self) -> None:
        self.stream = None

    def call(self, name: str, *arguments: Any, timeout: Optional[float] = None) -> Any:
        return self.loop.run_until_complete(
            getattr(self.client, name)(*arguments, timeout=timeout)
        )

    def drain(self, *arguments: Any,
              timeout: float) -> tuple[list[Any], Optional[tau.TauError]]:  # fmt: skip
        batches: list[Any] = []

        async def whole() -> Optional[tau.TauError]:
            try:
                async for batch in self.client.query_range(*arguments, timeout=timeout):
                    batches.append(batch)
            except tau.TauError as error:
                return error
            return None

        return batches, self.loop.run_until_complete(whole())


if __name__ == "__main__":
    unittest.main(verbosity=2)
