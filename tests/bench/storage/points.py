# SPDX-License-Identifier: MIT
"""Workload (i): one connection, and one value at a time read or written, with 1, 16 or 100 requests
underway, in Tau and in stores of single values. All clients are alike: rounds that are made before
the clock starts, each sent as a whole, each reply compared byte for byte."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .peer import POLL_S, READY_S, first_words
from .table import AGREE, Row
from .taud import Tau
from .tools import Exchange, Process, Programs, Trouble, free_port, say, write_exchanges

DEPTHS = {1: 10_000, 16: 160_000, 100: 1_000_000}  # and how many operations
KEYS = 1000
VALUE = b"12345678"


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


def rounds(operation: Operation, depth: int, count: int) -> Iterator[Exchange]:
    made = [operation(b"key:%028d" % number) for number in range(KEYS)]
    for start in range(0, count, depth):
        chosen = [made[number % KEYS] for number in range(start, start + depth)]
        yield Exchange(b"".join(request for request, _ in chosen),
                       b"".join(reply for _, reply in chosen), depth)


class Store:
    """A store of single values that keeps what it is told while it runs."""

    def __init__(self, name: str, program: str, options: list[str], write: Operation,
                 read: Operation) -> None:
        self.name = name
        self.program = program
        self.options = options
        self.write = write
        self.read = read

    @property
    def syncs(self) -> bool:
        return "always" in self.options

    def installed(self) -> bool:
        return shutil.which(self.program) is not None

    def version(self) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", first_words([self.program, "--version"]))
        return found.group(1) if found else ""

    def start(self, directory: Path, port: int) -> Process:
        words = [word.replace("PORT", str(port)).replace("DIRECTORY", str(directory))
                 for word in self.options]
        process = Process([self.program, *words], directory)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                if not process.alive() or time.monotonic() > deadline:
                    process.stop()
                    raise Trouble(f"{self.name}: {process.last_words()}") from None
                time.sleep(POLL_S)


REDIS = ["--port", "PORT", "--bind", "127.0.0.1", "--dir", "DIRECTORY", "--save", ""]
STORES = (
    Store("Redis", "redis-server", REDIS, redis_set, redis_get),
    Store("Redis, always", "redis-server",
          [*REDIS, "--appendonly", "yes", "--appendfsync", "always"], redis_set, redis_get),
    Store("memcached", "memcached", ["-p", "PORT", "-l", "127.0.0.1", "-U", "0", "-u", "root"],
          memcached_set, memcached_get),
)


def row_of(workload: str, server: str, found: dict[str, Any], operations: int) -> Row:
    row = Row(workload, server, rate=operations / found["seconds"],
              answers=f"{found['failed']} rounds WRONG" if found.get("failed") else AGREE)
    return row.with_latencies(found)


def names_of(depth: int) -> tuple[str, str]:
    return f"(i) write, depth {depth}", f"(i) read, depth {depth}"


def measure_tau(programs: Programs, directory: Path, durability: str, scale: float) -> list[Row]:
    """Writes that are synced or not; reads, which do not depend on it, are measured with those."""
    tau = Tau(programs, directory)
    tau.durability = durability
    rows = []
    for depth, count in DEPTHS.items():
        count = max(10 * depth, int(count * scale))
        write, read = names_of(depth)
        tests = [(write, "Tau", ["append"])] if durability == "sync" else \
            [(write, "Tau, os", ["append"]), (read, "Tau", ["query", "-b", "1000"])]
        for workload, server, words in tests:
            tau.clear()
            tau.start()
            found = programs.run("load", "-p", str(tau.port), "-c", "1", "-d", str(depth), "-n",
                                 str(count), "-s", str(KEYS), "-o", *words, env=tau.environment())
            rows.append(row_of(workload, server, found, int(found["requests"])))
            tau.stop()
    return rows


def measure_store(programs: Programs, directory: Path, store: Store, scale: float) -> list[Row]:
    rows = []
    port = free_port()
    process = store.start(directory, port)
    file = directory / "rounds"
    try:
        for depth, count in DEPTHS.items():
            count = max(10 * depth, KEYS, int(count * scale)) // depth * depth
            for workload, operation in zip(names_of(depth), (store.write, store.read)):
                write_exchanges(file, rounds(operation, depth, count))
                found = programs.run("exchange", "exact", "127.0.0.1", str(port), str(file))
                row = row_of(workload, store.name, found, count)
                if operation is store.write and not store.syncs:
                    row.against = "Tau, os"
                rows.append(row)
    finally:
        process.stop()
    return rows


def measure(programs: Programs, root: Path, scale: float, versions: dict[str, str],
            wanted: list[str]) -> list[Row]:
    rows: list[Row] = []

    def attempt(name: str, work: Callable[[Path], list[Row]]) -> None:
        directory = root / "points"
        directory.mkdir()
        say(f"(i) {name}")
        try:
            rows.extend(work(directory))
        except Trouble as trouble:
            rows.append(Row("(i)", name, answers=f"FAILED: {trouble}"))
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    for durability in ("sync", "os"):
        if "tau" in wanted:
            attempt(f"Tau, {durability}",
                    lambda directory: measure_tau(programs, directory, durability, scale))
    for store in STORES:
        if store.program.split("-")[0] not in wanted:
            continue
        if not store.installed():
            say(f"(i) goes without {store.name}: {store.program} is not installed")
            continue
        versions[store.name.split(",")[0]] = store.version()
        attempt(store.name, lambda directory: measure_store(programs, directory, store, scale))
    return rows
