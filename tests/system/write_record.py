# SPDX-License-Identifier: MIT
"""The client's own record of what it wrote, and the check of a server against it.

Every request is entered before it is sent, and marked when its OK arrives. After a crash a server
must hold everything that was marked, may hold what was entered behind it, in order and in whole
requests, and must hold nothing else. The record knows nothing of how the server stores it.
"""

from __future__ import annotations

import random
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

import tau_raw as raw
from tau_raw import Connection, frame

Point = tuple[int, int]  # timestamp, bits of the value


@dataclass
class SeriesRecord:
    """One series that one connection writes, in the order in which it was sent."""

    name: bytes
    points: list[Point] = field(default_factory=list)
    whole: set[int] = field(default_factory=lambda: {0})  # counts at which a request ends
    acknowledged: int = 0  # points whose OK arrived

    def enter(self, points: list[Point]) -> None:
        """One request more."""
        self.points += points
        self.whole.add(len(self.points))

    def violations(self, stored: list[Point]) -> list[str]:
        name = self.name.rstrip(b"\0").decode()
        count = len(stored)
        if count < self.acknowledged:
            return [f"{name}: lost {self.acknowledged - count} of {self.acknowledged} points"]
        if count > len(self.points):
            return [f"{name}: {count - len(self.points)} points that were never sent"]
        for place, (got, sent) in enumerate(zip(stored, self.points)):
            if got != sent:
                return [f"{name}: point {place} is {got}, sent was {sent}"]
        if count not in self.whole:
            return [f"{name}: {count} points are part of a request"]
        return []

    def settle(self, count: int) -> None:
        """What a recovered server holds is from now on the truth."""
        del self.points[count:]
        self.whole = {size for size in self.whole if size <= count}
        self.acknowledged = count


@dataclass
class NameRecord:
    """Whether a label exists: surely, surely not, or one of both while a request is under way."""

    exists: bool = False
    pending: bool = False


class Record:
    """All that the clients of one server wrote."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.series: dict[bytes, SeriesRecord] = {}
        self.together: list[list[bytes]] = []  # series written only by requests that cover them all
        self.names: dict[bytes, NameRecord] = {}
        self.lenses: dict[bytes, NameRecord] = {}
        self.complaints: list[str] = []  # replies that must not be

    def add(self, client: Connection, name: bytes) -> SeriesRecord:
        """A new series, acknowledged before it is used."""
        if client.create(name) != 0:
            self.complaints.append(f"cannot create {name!r}")
        self.series[name] = SeriesRecord(name)
        return self.series[name]

    # --- the check ---

    def check(self, client: Connection, names: list[bytes]) -> list[str]:
        """Compares these series, and every label, with what the server holds."""
        client.negotiate()
        violations = list(self.complaints)
        counts: dict[bytes, int] = {}
        for name in names:
            stored = client.query_range(name)
            counts[name] = len(stored)
            violations += self.series[name].violations(stored)
            if client.describe(name).point_count != len(stored):
                violations.append(f"{name!r}: describe and range differ")
        for group in self.together:
            if len({counts[name] for name in group if name in counts}) > 1:
                violations.append(f"one request is in parts of {[counts[n] for n in group]} points")
        violations += self._check_names(client)
        if not violations:
            for name, count in counts.items():
                self.series[name].settle(count)
        return violations

    def _check_names(self, client: Connection) -> list[str]:
        listed: set[bytes] = set()
        cursor, more = None, True
        while more:
            more, labels = client.list_series(b"", cursor, 2000)
            listed.update(labels)
            cursor = labels[-1] if labels else None
        violations = [f"series {name!r} is lost" for name in self.series if name not in listed]
        violations += self._compare("series", self.names, listed - set(self.series))
        lenses = set(raw.parse_labels(client.request(raw.LIST_LENSES).payload))
        return violations + self._compare("lens", self.lenses, lenses)

    def _compare(self, kind: str, records: dict[bytes, NameRecord], found: set[bytes]) -> list[str]:
        violations = [f"{kind} {name!r} was never created" for name in found if name not in records]
        for name, record in records.items():
            if not record.pending and record.exists != (name in found):
                violations.append(f"{kind} {name!r}: exists is {name in found}")
            record.exists, record.pending = name in found, False
        return violations


class Writers:
    """Connections that write until the server is gone; each enters what it sends in the record."""

    def __init__(self, record: Record, connections: list[Connection], turn: int) -> None:
        self.record = record
        self.turn = turn
        self.acknowledged = 0
        self.errors: list[BaseException] = []
        works = (self.append, self.append, self.batch, self.multi, self.churn)
        self.threads = [threading.Thread(target=self.guard, args=(work, connection, number))
                        for number, (work, connection) in enumerate(zip(works, connections))]
        self.series = [[record.add(connections[0], raw.label(f"t{turn}.w{number}.{n}"))
                        for n in range(3 if work == self.multi else 1)]
                       for number, work in enumerate(works[:4])]
        record.together.append([s.name for s in self.series[3]])

    def names(self) -> list[bytes]:
        return [series.name for group in self.series for series in group]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def wait_for(self, points: int, seconds: float) -> None:
        """Until each series has so many acknowledged points."""
        deadline = time.monotonic() + seconds
        while min(s.acknowledged for group in self.series for s in group) < points:
            assert time.monotonic() < deadline, "the writers come to nothing"
            time.sleep(0.01)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a writer hangs"
        if self.errors:
            raise self.errors[0]

    def guard(self, work: Callable[[Connection, int], None], connection: Connection,
              number: int) -> None:
        try:
            while True:
                work(connection, number)
        except (OSError, raw.Closed):
            pass  # the server is gone, as it is meant to be
        except BaseException as error:  # pylint: disable=broad-except
            self.errors.append(error)
        finally:
            connection.close()

    def points(self, series: SeriesRecord, count: int) -> list[Point]:
        first = series.points[-1][0] + 1 if series.points else -1000
        return [(first + n, self.record.random.getrandbits(64)) for n in range(count)]

    def expect_ok(self, reply: raw.Reply) -> None:
        if reply.opcode != raw.OK:
            self.record.complaints.append(f"a write got {reply}")

    def append(self, client: Connection, number: int) -> None:
        """Single points, some dozens on the way at once."""
        (series,) = self.series[number]
        points = self.points(series, 48)
        for point in points:
            series.enter([point])
        client.send(raw.join(raw.append_frame(series.name, *point) for point in points))
        for _ in points:
            self.expect_ok(client.receive())
            series.acknowledged += 1

    def batch(self, client: Connection, number: int) -> None:
        """Two batches on the way; each is all there or not at all."""
        (series,) = self.series[number]
        sizes = [self.record.random.choice((1, 20, 300)) for _ in range(2)]
        data = b""
        for size in sizes:
            points = self.points(series, size)
            series.enter(points)
            timestamps, values = zip(*points)
            data += frame(raw.BATCH_APPEND, raw.batch_payload(series.name, timestamps, values))
        client.send(data)
        for size in sizes:
            self.expect_accepted(client.receive(), size)
            series.acknowledged += size

    def multi(self, client: Connection, number: int) -> None:
        """Rows of three series in one request; all of them or none."""
        group = self.series[number]
        rows = []
        size = self.record.random.choice((1, 5, 60))
        for series in group:
            points = self.points(series, size)
            series.enter(points)
            rows += [(series.name, *point) for point in points]
        client.send(frame(raw.MULTI_APPEND, raw.multi_payload(rows)))
        self.expect_accepted(client.receive(), size * len(group))
        for series in group:
            series.acknowledged += size

    def expect_accepted(self, reply: raw.Reply, size: int) -> None:
        self.expect_ok(reply)
        if reply.payload != struct.pack(">II", size, 0):
            self.record.complaints.append(f"{size} rows got {reply}")

    def churn(self, client: Connection, _: int) -> None:
        """Series and lenses that come and go, one request at a time."""
        name = raw.label(f"t{self.turn}.c{self.record.random.randrange(8)}")
        lens = self.record.random.random() < 0.4
        record = (self.record.lenses if lens else self.record.names).setdefault(name, NameRecord())
        record.pending = True
        if lens:
            source = self.series[0][0].name + raw.label("returns")
            request = frame(raw.DROP_LENS, name) if record.exists else \
                frame(raw.CREATE_LENS, name + source)
        else:
            request = frame(raw.DROP_SERIES if record.exists else raw.CREATE_SERIES, name)
        client.send(request)
        self.expect_ok(client.receive())
        record.exists, record.pending = not record.exists, False
