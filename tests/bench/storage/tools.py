# SPDX-License-Identifier: MIT
"""Processes, files of exchanges and the programs that make and send them. Must know no server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

STOP_S = 60
RUN_S = 1800  # no feeding or asking takes longer
PATIENCE_S = 10  # then people are told that it goes on
ABSENT = "is not installed"


class Trouble(Exception):
    """A server did not do what the benchmark needs; its row says so, and the others go on."""


class Unable(Trouble):
    """A server has no means for a workload; that is no failure."""


def say(text: str) -> None:
    """A line of progress, for people who wait."""
    print(f"\r{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Exchange:
    """A request, and the reply that it must get where that is known beforehand."""

    request: bytes
    reply: bytes = b""
    points: int = 0


@dataclass(frozen=True)
class Answer:
    number: int
    good: bool
    status: int
    latency_s: float
    body: bytes


def write_exchanges(path: Path, exchanges: Iterable[Exchange]) -> None:
    with path.open("wb") as file:
        for one in exchanges:
            file.write(struct.pack("<4I", len(one.request), len(one.reply), one.points, 0))
            file.write(one.request)
            file.write(one.reply)


def read_answers(path: Path) -> Iterator[Answer]:
    head = struct.Struct("<3I2Q")
    with path.open("rb") as file:
        while data := file.read(head.size):
            number, good, status, latency_ns, size = head.unpack(data)
            yield Answer(number, bool(good), status, latency_ns / 1e9, file.read(size))


def percentile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def processors() -> list[int]:
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0))


@contextlib.contextmanager
def on_processor(number: int) -> Iterator[None]:
    """What is started within stays on this processor: a process begins where its parent may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def disk_bytes(directory: Path, without: tuple[Path, ...] = ()) -> int:
    """What the files take on the disk, but for some folders. Hard links count once; files may
    vanish meanwhile."""
    seen: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(directory):
        for name in names if Path(folder) not in without else []:
            try:
                found = os.stat(os.path.join(folder, name), follow_symlinks=False)
            except FileNotFoundError:
                continue
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def settle(directory: Path, quiet_s: float, limit_s: float) -> int:
    """The bytes on disk, once they did not change for a while or the time is up."""
    deadline = time.monotonic() + limit_s
    size, since = disk_bytes(directory), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < quiet_s:
        time.sleep(0.25)
        now = disk_bytes(directory)
        if now != size:
            size, since = now, time.monotonic()
    return size


class Process:
    """A server of ours: ended by its own number, and measured while it runs."""

    def __init__(self, command: list[str], directory: Path,
                 env: Optional[Mapping[str, str]] = None) -> None:
        self.log = directory / "log"
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                command, cwd=directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})})
        self.pid = self.child.pid

    def cpu_s(self) -> float:
        text = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_bytes(self) -> int:
        return self.status_bytes("VmHWM")

    def resident_bytes(self) -> int:
        return self.status_bytes("VmRSS")

    def status_bytes(self, name: str) -> int:
        found = re.search(name + r":\s+(\d+) kB",
                          Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        return int(found.group(1)) * 1024 if found else 0

    def alive(self) -> bool:
        return self.child.poll() is None

    def last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    def stop(self) -> None:
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        if self.alive():
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()


class Programs:
    """What the build made: each call prints one line of JSON."""

    def __init__(self, build: Path) -> None:
        self.build = build

    def path(self, name: str) -> Path:
        return self.build / "tests" / f"bench_{name}"

    def run(self, name: str, *args: str, env: Optional[Mapping[str, str]] = None) -> dict[str, Any]:
        return self.background(name, *args, env=env).finish()

    def background(self, name: str, *args: str,
                   env: Optional[Mapping[str, str]] = None) -> "Running":
        return Running(name, subprocess.Popen(
            [str(self.path(name)), *args], text=True, errors="replace", stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}))


class Running:
    """One of the programs at work. What it says on standard error is kept for when it fails."""

    def __init__(self, name: str, child: "subprocess.Popen[str]") -> None:
        self.name = name
        self.child = child

    def wait_for(self, word: str) -> None:
        """Until it prints this line."""
        assert self.child.stdout is not None
        if self.child.stdout.readline().strip() != word:
            self.finish()
            raise Trouble(f"bench_{self.name} did not say {word}")

    def count_anew(self) -> None:
        """Forgets what it measured until now."""
        self.child.send_signal(signal.SIGUSR1)

    def stop(self) -> dict[str, Any]:
        """Asks it to end."""
        self.child.send_signal(signal.SIGTERM)
        return self.finish()

    def finish(self) -> dict[str, Any]:
        """The line of JSON that it ends with."""
        said, words = self.wait()
        last = words.strip().splitlines()[-1][:300] if words.strip() else ""
        if self.child.returncode != 0:
            raise Trouble(last or f"bench_{self.name} failed")
        found: dict[str, Any] = json.loads(said)
        return {"words": last, **found}

    def wait(self) -> tuple[str, str]:
        """Tells it to go on, if it waits for that, and what it printed in the end."""
        began = time.monotonic()
        line: Optional[str] = "go\n"
        while time.monotonic() - began < RUN_S:
            try:
                return self.child.communicate(line, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                line = None
                say(f"    bench_{self.name}: {time.monotonic() - began:.0f} s")
        self.give_up()
        raise Trouble(f"bench_{self.name} took longer than {RUN_S} s")

    def give_up(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.communicate()
