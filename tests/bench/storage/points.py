# SPDX-License-Identifier: MIT
"""Workload (i): one connection, and one value at a time read or written, with 1, 16 or 100 requests
underway, in Tau and in stores of single values.

All clients are alike: batches of as many requests as may be underway, made before the clock starts,
each sent as a whole, each reply compared byte for byte. Where a server and its client run changes
what one request takes more than which server it is, so it is not left to the kernel: every server,
with all its threads, is kept on one processor, and its client on another; where the row says so, on
the same. All servers run all the while, and each is measured once in every round.
"""

from __future__ import annotations

import re
import shutil
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from .peer import POLL_S, READY_S, first_words
from .table import AGREE, Row, middle
from .taud import Tau
from .tools import (ABSENT, Exchange, Process, Programs, Trouble, free_port, on_processor,
                    processors, say, write_exchanges)

ROUNDS = 5
DEPTHS = {1: 2_000, 16: 32_000, 100: 200_000}  # and how many operations a round has
KEYS = 1000
KEPT = 1000  # points of each series of Tau, of which one is read
VALUE = b"12345678"
UNSYNCED = "Tau, os"


def redis_set(key: bytes) -> tuple[bytes, bytes]:
    return (b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(VALUE), VALUE),
            b"+OK\r\n")


def redis_get(key: bytes) -> tuple[bytes, bytes]:
    return (b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key),
            b"$%d\r\n%s\r\n" % (len(VALUE), VALUE))


def memcached_set(key: bytes) -> tuple[bytes, bytes]:
    return b"set %s 0 0 %d\r\n%s\r\n" % (key, len(VALUE), VALUE), b"STORED\r\n"


def memcached_get(key: bytes) -> tuple[bytes, bytes]:
    return (b"get %s\r\n" % key,
            b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(VALUE), VALUE))


Operation = Callable[[bytes], tuple[bytes, bytes]]


def batches(operation: Operation, depth: int, count: int) -> Iterator[Exchange]:
    made = [operation(b"key:%028d" % number) for number in range(KEYS)]
    for start in range(0, count, depth):
        chosen = [made[number % KEYS] for number in range(start, start + depth)]
        yield Exchange(b"".join(request for request, _ in chosen),
                       b"".join(reply for _, reply in chosen), depth)


@dataclass(frozen=True)
class Test:
    writes: bool
    depth: int
    apart: bool = True  # server and client on two processors

    @property
    def name(self) -> str:
        return (f"(i) {'write' if self.writes else 'read'}, depth {self.depth}"
                f"{'' if self.apart else ', one processor'}")


TESTS = [Test(writes, depth) for depth in DEPTHS for writes in (True, False)] + [
    Test(writes, 1, apart=False) for writes in (True, False)]


class Server(ABC):
    """A server in a directory of its own, and its client."""

    def __init__(self, name: str, syncs: bool, programs: Programs, directory: Path,
                 scale: float) -> None:
        self.name = name
        self.syncs = syncs  # before it answers a write; reads do not depend on it
        self.programs = programs
        self.directory = directory
        self.scale = scale

    @abstractmethod
    def start(self) -> None:
        """Until it takes requests."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it, if it runs."""

    @abstractmethod
    def run(self, test: Test) -> dict[str, Any]:
        """What its client found in one round."""

    def takes(self, test: Test) -> bool:
        return test.writes or not self.syncs

    def count(self, depth: int) -> int:
        """The operations of a round: each key comes at least once, since what is read is what an
        earlier round wrote."""
        return max(10 * depth, KEYS, int(DEPTHS[depth] * self.scale)) // depth * depth

    def measure(self, test: Test) -> Row:
        found = self.run(test)
        row = Row(test.name, self.name if test.writes else self.name.partition(",")[0],
                  rate=self.count(test.depth) / found["seconds"],
                  answers=f"{found['failed']} batches WRONG" if found.get("failed") else AGREE)
        if test.writes and not self.syncs:
            row.against = UNSYNCED
        return row.with_latencies(found)


class TauServer(Server):
    """Writes are the next points of series; reads are of any of those that they began with."""

    def __init__(self, name: str, programs: Programs, directory: Path, scale: float) -> None:
        super().__init__(name, name != UNSYNCED, programs, directory, scale)
        self.tau = Tau(programs, directory)
        self.tau.durability = "sync" if self.syncs else "os"
        self.next_time = KEPT

    def start(self) -> None:
        self.tau.start()
        self.load("fill", KEPT)

    def stop(self) -> None:
        self.tau.stop()

    def load(self, operation: str, before: int, *words: str) -> dict[str, Any]:
        return self.programs.run("load", "-p", str(self.tau.port), "-o", operation, "-c", "1",
                                 "-s", str(KEYS), "-b", str(before), *words,
                                 env=self.tau.environment())

    def run(self, test: Test) -> dict[str, Any]:
        count = self.count(test.depth)
        words = ("-k", "-d", str(test.depth), "-n", str(count))
        if not test.writes:
            return self.load("query", KEPT, *words)
        first, self.next_time = self.next_time, self.next_time + count
        return self.load("append", first, *words)


@dataclass(frozen=True)
class Store:
    """A store of single values that keeps what it is told while it runs."""

    name: str
    program: str
    options: list[str]
    write: Operation
    read: Operation

    @property
    def syncs(self) -> bool:
        return "always" in self.options

    def installed(self) -> bool:
        return shutil.which(self.program) is not None

    def version(self) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", first_words([self.program, "--version"]))
        return found.group(1) if found else ""


REDIS = ["--port", "PORT", "--bind", "127.0.0.1", "--dir", "DIRECTORY", "--save", ""]
STORES = (
    Store("Redis", "redis-server", REDIS, redis_set, redis_get),
    Store("Redis, always", "redis-server",
          [*REDIS, "--appendonly", "yes", "--appendfsync", "always"], redis_set, redis_get),
    Store("memcached", "memcached", ["-p", "PORT", "-l", "127.0.0.1", "-U", "0", "-u", "root"],
          memcached_set, memcached_get),
)


class StoreServer(Server):
    def __init__(self, store: Store, programs: Programs, directory: Path, scale: float) -> None:
        super().__init__(store.name, store.syncs, programs, directory, scale)
        self.store = store
        self.port = free_port()
        self.process: Optional[Process] = None

    def start(self) -> None:
        words = [word.replace("PORT", str(self.port)).replace("DIRECTORY", str(self.directory))
                 for word in self.store.options]
        self.process = Process([self.store.program, *words], self.directory)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if not self.process.alive() or time.monotonic() > deadline:
                    raise Trouble(self.process.last_words()) from None
                time.sleep(POLL_S)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def run(self, test: Test) -> dict[str, Any]:
        file = self.directory / f"{'write' if test.writes else 'read'}-{test.depth}"
        if not file.exists():
            operation = self.store.write if test.writes else self.store.read
            write_exchanges(file, batches(operation, test.depth, self.count(test.depth)))
        return self.programs.run("exchange", "exact", "127.0.0.1", str(self.port), str(file))


class Points:
    """All servers, each on the first of the processors that there are. One that is in trouble is
    out, and a row says why."""

    def __init__(self) -> None:
        self.places = processors()
        self.running: list[Server] = []
        self.rows: list[Row] = []

    def attempt(self, server: Server, work: Callable[[], Optional[Row]]) -> Optional[Row]:
        try:
            return work()
        except Trouble as trouble:
            self.rows.append(Row("(i)", server.name, answers=f"FAILED: {trouble}"))
            server.stop()
            if server in self.running:
                self.running.remove(server)
            return None

    def start(self, server: Server) -> None:
        def work() -> None:
            server.directory.mkdir(parents=True)
            with on_processor(self.places[0]):
                server.start()
            self.running.append(server)
        say(f"(i) {server.name}")
        self.attempt(server, work)

    def measure(self, test: Test) -> None:
        found: dict[str, list[Row]] = {}
        say(test.name)
        with on_processor(self.places[-1 if test.apart else 0]):
            for turn in range(ROUNDS):  # what one leaves to be done meets another each time
                first = turn % len(self.running) if self.running else 0
                order = self.running[first:] + self.running[:first]
                for server in [one for one in order if one.takes(test)]:
                    row = self.attempt(server, lambda: server.measure(test))
                    if row:
                        found.setdefault(row.server, []).append(row)
        self.rows += [middle(rows) for rows in found.values()]

    def stop(self) -> None:
        for server in self.running:
            server.stop()


def servers_of(programs: Programs, root: Path, scale: float, versions: dict[str, str],
               wanted: list[str]) -> Iterator[Server]:
    """Those that are there, and said of the others that they are not."""
    for name in ("Tau", UNSYNCED) if "tau" in wanted else ():
        yield TauServer(name, programs, root / name, scale)
    for store in STORES:
        if store.program.partition("-")[0] not in wanted:
            continue
        server = store.name.partition(",")[0]
        if not store.installed():
            say(f"(i) goes without {store.name}: {store.program} {ABSENT}")
            versions[server] = ABSENT
            continue
        versions[server] = store.version()
        yield StoreServer(store, programs, root / store.name, scale)


def measure(programs: Programs, root: Path, scale: float, versions: dict[str, str],
            wanted: list[str]) -> list[Row]:
    directory = root / "points"
    all_of_them = Points()
    try:
        for server in servers_of(programs, directory, scale, versions, wanted):
            all_of_them.start(server)
        if len(all_of_them.places) == 1:
            say("(i) has one processor for servers and clients")
        for test in TESTS:
            if len(all_of_them.places) > 1 or not test.apart:
                all_of_them.measure(test)
    finally:
        all_of_them.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return all_of_them.rows
