# SPDX-License-Identifier: MIT
"""The client's own record of what it wrote, and the check of a server against it.

Each connection writes a stream of requests to series and lenses that are its own: every kind of
write, many on the way at once. A request is entered before it is sent, and counted when its OK
arrives. After a crash the server must hold what the first K requests of each stream make, for a K
from those that were acknowledged to those that were sent: so nothing acknowledged is lost, nothing
is missing in between, no request is there in part, and nothing is there that nobody wrote. Only
single points of several series that follow each other are written in any order, but for each series
in its own: of those that nobody was told about, some may be there without others. The record knows
nothing of how the server stores it.

A new operation is a function that makes a request and changes the world as it will, and a line in
OPERATIONS.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

import tau_raw as raw
from tau_raw import Connection, frame

Points = dict[int, int]  # timestamp to bits of the value

STREAMS = 6
LABELS = 6  # of a stream: few, so that a label is soon used again by another series
LENSES = 3
POINTS_FULL = 4000  # a series with as many is only dropped
BURSTS = (1, 1, 4, 16, 48)  # requests on the way at once


@dataclass
class World:
    """What is there, all of it or that of one stream."""

    series: dict[bytes, Points] = field(default_factory=dict)
    lenses: set[bytes] = field(default_factory=set)
    orders: dict[bytes, int] = field(default_factory=dict)  # policies of series, but for `strict`

    def copy(self) -> World:
        return World({name: dict(points) for name, points in self.series.items()},
                     set(self.lenses), dict(self.orders))

    def part(self, prefix: bytes) -> World:
        return World({name: points for name, points in self.series.items()
                      if name.startswith(prefix)},
                     {name for name in self.lenses if name.startswith(prefix)},
                     {name: order for name, order in self.orders.items()
                      if name.startswith(prefix)})


Change = Callable[[World], None]


@dataclass
class Request:
    frame: bytes
    change: Change
    reply: Optional[bytes] = b""  # the payload of its OK; None: it tells how far it is
    single: Optional[bytes] = None  # the series, where it is one point


# --- operations ---------------------------------------------------------------------------------


def accepted(size: int) -> bytes:
    """The reply to rows of which none is refused."""
    return struct.pack(">II", size, 0)


def add(name: bytes, points: Points) -> Change:
    return lambda world: world.series[name].update(points)


def append(stream: Stream) -> Optional[Request]:
    name = stream.open_series()
    if name is None:
        return None
    points = stream.points(name, 1)
    (point,) = points.items()
    return Request(raw.append_frame(name, *point), add(name, points), single=name)


def batch(stream: Stream) -> Optional[Request]:
    name = stream.open_series()
    if name is None:
        return None
    points = stream.points(name, stream.random.choice((1, 20, 300, 1500)))
    payload = raw.batch_payload(name, list(points), list(points.values()))
    return Request(frame(raw.BATCH_APPEND, payload), add(name, points), accepted(len(points)))


def rows(stream: Stream) -> Optional[Request]:
    """Rows of several series in one request, in turns."""
    names = {name for name in (stream.open_series() for _ in range(3)) if name is not None}
    if not names:
        return None
    count = stream.random.choice((1, 5, 60))
    parts = {name: stream.points(name, count) for name in sorted(names)}
    turns = zip(*([(name, *point) for point in points.items()] for name, points in parts.items()))
    payload = raw.multi_payload(row for turn in turns for row in turn)

    def change(world: World) -> None:
        for name, points in parts.items():
            world.series[name].update(points)
    return Request(frame(raw.MULTI_APPEND, payload), change, accepted(count * len(names)))


def create(stream: Stream) -> Optional[Request]:
    name = stream.label(b"s", LABELS)
    if name in stream.ahead.series:
        return None
    return Request(frame(raw.CREATE_SERIES, name), lambda world: world.series.update({name: {}}))


def drop(stream: Stream) -> Optional[Request]:
    """The largest series, so that there is no end of room."""
    if not stream.ahead.series:
        return None
    name = max(stream.ahead.series, key=lambda name: len(stream.ahead.series[name]))

    def change(world: World) -> None:
        del world.series[name]
        world.orders.pop(name, None)
    return Request(frame(raw.DROP_SERIES, name), change)


def create_lens(stream: Stream) -> Optional[Request]:
    name = stream.label(b"l", LENSES)
    source = stream.open_series()
    if name in stream.ahead.lenses or source is None:
        return None
    payload = name + source + raw.label("returns")
    return Request(frame(raw.CREATE_LENS, payload), lambda world: world.lenses.add(name))


def drop_lens(stream: Stream) -> Optional[Request]:
    name = stream.label(b"l", LENSES)
    if name not in stream.ahead.lenses:
        return None
    return Request(frame(raw.DROP_LENS, name), lambda world: world.lenses.remove(name))


def delete(stream: Stream) -> Optional[Request]:
    """Some points, but not the last one, behind which the next is written."""
    name = stream.open_series() or b""
    stamps = list(stream.ahead.series.get(name, {}))[:-1]
    if not stamps:
        return None
    first = stream.random.randrange(len(stamps))
    begin, end = stamps[first], stamps[min(len(stamps) - 1, first + stream.random.randrange(200))]

    def change(world: World) -> None:
        points = world.series[name]
        for stamp in [stamp for stamp in points if begin <= stamp <= end]:
            del points[stamp]
    return Request(frame(raw.DELETE_RANGE, name + struct.pack(">qq", begin, end)), change)


def policy(stream: Stream) -> Optional[Request]:
    name = stream.open_series() or b""
    if not name:
        return None
    order = stream.random.randint(raw.STRICT, raw.KEEP_SUM)

    def change(world: World) -> None:
        world.orders.pop(name, None)
        if order != raw.STRICT:
            world.orders[name] = order
    return Request(frame(raw.SET_POLICY, name + struct.pack(">BQ", order, 0)), change)


def flush(_: Stream) -> Optional[Request]:
    return Request(frame(raw.FLUSH_DATA), lambda world: None, None)


def compact(_: Stream) -> Optional[Request]:
    return Request(frame(raw.COMPACT), lambda world: None, None)


Operation = Callable[["Stream"], Optional[Request]]

# How often each is chosen, and the operation that the server must have for it.
OPERATIONS: tuple[tuple[float, int, Operation], ...] = (
    (60, raw.APPEND, append),
    (12, raw.BATCH_APPEND, batch),
    (8, raw.MULTI_APPEND, rows),
    (4, raw.CREATE_SERIES, create),
    (2, raw.DROP_SERIES, drop),
    (2, raw.CREATE_LENS, create_lens),
    (2, raw.DROP_LENS, drop_lens),
    (3, raw.DELETE_RANGE, delete),
    (2, raw.SET_POLICY, policy),
    (0.4, raw.FLUSH_DATA, flush),
    (0.2, raw.COMPACT, compact),
)


# --- the record ---------------------------------------------------------------------------------


class Stream:
    """What one connection writes, from crash to crash."""

    def __init__(self, number: int, seed: int) -> None:
        self.prefix = b"%d." % number
        self.random = random.Random(f"{seed}.{number}")
        self.world = World()  # as the server was found
        self.ahead = World()  # as it is to be when all that was entered is done
        self.sent: list[Request] = []  # since it was found
        self.acknowledged = 0  # of them
        self.refused: list[raw.Reply] = []  # the one at which it ended
        self.failed_work: list[raw.Reply] = []  # the same, where it was to flush or compact
        self.complaints: list[str] = []  # replies that must not be

    # --- what the operations choose from ---

    def label(self, kind: bytes, count: int) -> bytes:
        return raw.label(self.prefix + kind + b"%d" % self.random.randrange(count))

    def open_series(self) -> Optional[bytes]:
        names = [name for name, points in self.ahead.series.items() if len(points) < POINTS_FULL]
        return self.random.choice(names) if names else None

    def points(self, name: bytes, count: int) -> Points:
        """New ones, behind those that the series has."""
        series = self.ahead.series[name]
        step = self.random.choice((1, 1000))
        last = next(reversed(series)) if series else -1_000_000
        steps = [step] * count if self.random.random() < 0.7 else \
            [self.random.randint(1, 2 * step) for _ in range(count)]
        points: Points = {}
        for each in steps:
            last += each
            points[last] = self.random.getrandbits(64)
        return points

    # --- writing ---

    def next(self, operations: list[tuple[float, Operation]]) -> Request:
        weights = [weight for weight, _ in operations]
        while True:
            ((_, operation),) = self.random.choices(operations, weights)
            request = operation(self)
            if request is not None:
                return request

    def run(self, client: Connection, known: set[int]) -> None:
        """Writes until the server is gone, or refuses something."""
        operations = [(weight, operation) for weight, opcode, operation in OPERATIONS
                      if opcode in known]
        while not self.refused and not self.failed_work:
            requests = []
            for _ in range(self.random.choice(BURSTS)):
                requests.append(self.next(operations))
                requests[-1].change(self.ahead)
            self.sent += requests
            client.send(raw.join(request.frame for request in requests))
            for request in requests:
                reply = client.receive()
                while reply.opcode == raw.OK and reply.flags & raw.FLAG_MORE:
                    reply = client.receive()
                if not self.take(request, reply):
                    return

    def take(self, request: Request, reply: raw.Reply) -> bool:
        """One reply. Behind one that is no OK nothing counts as acknowledged."""
        if reply.opcode != raw.OK:
            (self.refused if request.reply is not None else self.failed_work).append(reply)
            return False
        if request.reply is not None and reply.payload != request.reply:
            self.complaints.append(f"{request.frame[:60].hex()} got {reply}")
        self.acknowledged += 1
        return True

    # --- the check ---

    def compare(self, found: World) -> list[str]:
        """What is wrong with it. Without a complaint it is what the stream goes on from."""
        for request in self.sent[:self.acknowledged]:
            request.change(self.world)
        promised = self.world.copy()
        for count in range(self.acknowledged, len(self.sent) + 1):
            if count > self.acknowledged:
                self.sent[count - 1].change(self.world)
            if self.comes_to(count, found):
                self.world, self.ahead = found, found.copy()
                self.sent, self.acknowledged = [], 0
                return []
        return describe(promised, self.world, found) or self.places(promised, found)

    def comes_to(self, count: int, found: World) -> bool:
        """Whether it stands behind so many requests, and single points that follow them."""
        if self.world.lenses != found.lenses or self.world.orders != found.orders or \
                self.world.series.keys() != found.series.keys():
            return False
        singles = itertools.takewhile(lambda request: request.single, self.sent[count:])
        behind: dict[bytes, list[Request]] = {}
        for request in singles:
            behind.setdefault(request.single or b"", []).append(request)
        return all(points == found.series[name]
                   or self.grows_to(name, behind.get(name, []), found)
                   for name, points in self.world.series.items())

    def grows_to(self, name: bytes, requests: list[Request], found: World) -> bool:
        world = World({name: dict(self.world.series[name])})
        for request in requests:
            request.change(world)
            if world.series[name] == found.series[name]:
                return True
        return False

    def places(self, world: World, found: World) -> list[str]:
        """Behind how many requests each series stands as it was found, where that differs."""
        names = sorted({*world.series, *found.series, *self.world.series})
        places: dict[bytes, list[int]] = {name: [] for name in names}
        lenses: list[int] = []
        orders: list[int] = []
        for count in range(self.acknowledged, len(self.sent) + 1):
            if count > self.acknowledged:
                self.sent[count - 1].change(world)
            for name in names:
                if world.series.get(name) == found.series.get(name):
                    places[name].append(count)
            if world.lenses == found.lenses:
                lenses.append(count)
            if world.orders == found.orders:
                orders.append(count)
        return [f"a gap, or a part of a request: of {len(self.sent)} requests, of which "
                f"{self.acknowledged} acknowledged, {name!r} stands behind {counts}"
                for name, counts in [*places.items(), (b"all lenses", lenses),
                                     (b"all policies", orders)]]


def describe(promised: World, sent: World, found: World) -> list[str]:
    """The difference in words. `promised` is what was acknowledged, `sent` what may be at most."""
    words = [f"series {name!r} is lost" for name in promised.series
             if name in sent.series and name not in found.series]
    words += [f"lens {name!r} is lost" for name in (promised.lenses & sent.lenses) - found.lenses]
    words += [f"series {name!r} was never created, or dropped for good" for name in found.series
              if name not in promised.series and name not in sent.series]
    words += [f"lens {name!r} was never created, or dropped for good"
              for name in found.lenses - promised.lenses - sent.lenses]
    for name, points in found.series.items():
        at_least, at_most = promised.series.get(name, {}), sent.series.get(name, {})
        kept = {point for point in at_least.items() if point in at_most.items()}
        if lost := kept - points.items():
            words.append(f"{name!r}: lost {len(lost)} of {len(kept)} points, {min(lost)} the first")
        if more := points.items() - at_least.items() - at_most.items():
            words.append(f"{name!r}: {len(more)} points of {len(points)} that were never sent, "
                         f"{min(more)} the first")
    return words


class Record:
    """All that the clients of one server wrote."""

    def __init__(self, seed: int) -> None:
        self.streams = [Stream(number, seed) for number in range(STREAMS)]
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        self.requests = 0  # that were acknowledged, in all

    def start(self, connect: Callable[[], Connection], flushes: bool = True) -> None:
        """Begins to write on as many connections as there are streams. Without `flushes` nobody
        asks for any, and what little is written stays in the log alone."""
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect()) for _ in self.streams]
            known = set(clients[0].negotiate().operations)
            if not flushes:
                known -= {raw.FLUSH_DATA, raw.COMPACT}
            stack.pop_all()  # the threads close them
        self.threads = [threading.Thread(target=self._guard, args=(stream, client, known))
                        for stream, client in zip(self.streams, clients)]
        for thread in self.threads:
            thread.start()

    def wait_for(self, requests: int, seconds: float) -> None:
        """Until so many of each stream were acknowledged, or the server is gone."""
        deadline = time.monotonic() + seconds
        while min(stream.acknowledged for stream in self.streams) < requests:
            assert time.monotonic() < deadline, "the writers come to nothing"
            if not any(thread.is_alive() for thread in self.threads):
                break
            time.sleep(0.01)

    def join(self) -> None:
        """Waits for the end of a server that has ended."""
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a writer hangs"
        self.requests += sum(stream.acknowledged for stream in self.streams)
        if self.errors:
            raise self.errors[0]

    def _guard(self, stream: Stream, client: Connection, known: set[int]) -> None:
        try:
            stream.run(client, known)
        except (OSError, raw.Closed):
            pass  # the server is gone, as it is meant to be
        except BaseException as error:  # pylint: disable=broad-except
            self.errors.append(error)
        finally:
            client.close()

    def refusals(self) -> list[raw.Reply]:
        """What the streams got in place of an OK since it was last asked."""
        found = [reply for stream in self.streams for reply in stream.refused]
        for stream in self.streams:
            stream.refused = []
        return found

    def failed_work(self) -> list[raw.Reply]:
        """The same of what was to flush or compact."""
        found = [reply for stream in self.streams for reply in stream.failed_work]
        for stream in self.streams:
            stream.failed_work = []
        return found

    def check(self, client: Connection) -> list[str]:
        """Compares all of it with what the server holds."""
        found, complaints = read_world(client)
        return complaints + self.compare(found)

    def compare(self, found: World) -> list[str]:
        complaints = []
        for stream in self.streams:
            complaints += stream.complaints + stream.compare(found.part(stream.prefix))
        prefixes = tuple(stream.prefix for stream in self.streams)
        strangers = [name for name in (*found.series, *found.lenses)
                     if not name.startswith(prefixes)]
        return complaints + [f"{name!r} was never created" for name in strangers]

    def points(self) -> int:
        return sum(len(points) for stream in self.streams
                   for points in stream.world.series.values())


def read_world(client: Connection) -> tuple[World, list[str]]:
    """All that the server holds, and where it contradicts itself."""
    found, complaints = World(), []
    client.negotiate()
    cursor, more = None, True
    while more:
        more, labels = client.list_series(b"", cursor, 2000)
        cursor = labels[-1] if labels else None
        for name in labels:
            stored = client.query_range(name)
            found.series[name] = dict(stored)
            told = client.describe(name)
            complaints += contradictions(name, stored, told)
            if told.order != raw.STRICT:
                found.orders[name] = told.order
    found.lenses = set(raw.parse_labels(client.request(raw.LIST_LENSES).payload))
    return found, complaints


def contradictions(name: bytes, stored: list[tuple[int, int]],
                   told: raw.Description) -> list[str]:
    words = []
    if any(first >= second for (first, _), (second, _) in zip(stored, stored[1:])):
        words.append(f"{name!r}: its timestamps do not ascend")
    if told.point_count != len(stored):
        words.append(f"{name!r}: has {len(stored)} points and says {told.point_count}")
    ends = (told.first_timestamp, told.last_timestamp)
    if stored and ends != (stored[0][0], stored[-1][0]):
        words.append(f"{name!r}: goes from {stored[0][0]} to {stored[-1][0]} and says {ends}")
    return words
