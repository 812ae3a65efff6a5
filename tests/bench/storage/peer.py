# SPDX-License-Identifier: MIT
"""What the workloads know of a server: how it is started in a fresh directory on loopback, fed,
asked, compacted and killed. A server is a class derived from Peer in a file of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from .questions import Question, Table, Workload
from .tools import (Answer, Exchange, Process, Programs, Trouble, disk_bytes, free_port,
                    read_answers, write_exchanges)

READY_S = 120
POLL_S = 0.01
REPORTS = 10_000  # of hosts, in a request
LANES = 2  # connections that feed a server, one for each processor of the machine of the figures
COMMAND_S = 600


@dataclass(frozen=True)
class Fed:
    points: int
    failed: int  # requests or points that the server refused
    words: str  # what it said of the first of them
    seconds: float
    cpu_s: float
    peak_bytes: int
    grown_bytes: int  # of the process in memory


@dataclass(frozen=True)
class Asked:
    latencies_s: list[float]
    tables: list[Table]


class Peer(ABC):
    name: str
    program: str  # that must be in the PATH, or the reason why there is no such server
    framing = "http"
    form = "lines"

    def __init__(self, programs: Programs, directory: Path) -> None:
        self.programs = programs
        self.directory = directory
        self.port = 0
        self.process: Optional[Process] = None

    # --- what each server says of itself -------------------------------------------------------

    @abstractmethod
    def command(self, data: Path, late: bool) -> list[str]:
        """Of the server, on self.port."""

    @abstractmethod
    def version(self) -> str:
        """As the program says it."""

    @abstractmethod
    def request(self, question: Question) -> Optional[bytes]:
        """All bytes of it; None where the server has no words for the question."""

    @abstractmethod
    def table(self, question: Question, body: bytes) -> Table:
        """The answer to request()."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it takes requests."""

    def write_path(self) -> tuple[str, list[str]]:
        """Where points are posted, and further lines of the request's head."""
        return "/write", []

    def pace(self, workload: Workload) -> tuple[int, list[str]]:
        """The reports in a request, and further arguments of bench_exchange."""
        return REPORTS, []

    def prepare(self) -> None:
        """Makes what points go into, in a fresh directory."""

    def flush(self) -> None:
        """Makes what was taken visible to questions."""

    def compact(self, data: Path) -> int:
        """Has all points stored in the densest form that the server offers; the bytes on disk."""
        return disk_bytes(data)

    def hello(self) -> bytes:
        """What every connection begins with."""
        return b""

    # --- the same for all ----------------------------------------------------------------------

    @classmethod
    def installed(cls, programs: Programs) -> bool:
        return shutil.which(cls.program) is not None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def running(self) -> Process:
        if self.process is None:
            raise Trouble(f"{self.name} is not running")
        return self.process

    def start(self, late: bool = False) -> float:
        """Starts it on what its directory holds; the seconds until it took requests."""
        fresh = not self.data.exists()
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        began = time.monotonic()
        self.process = Process(self.command(self.data, late), self.directory, self.environment())
        self.wait_until_ready()
        took = time.monotonic() - began
        if fresh:
            self.prepare()
        return took

    def environment(self) -> dict[str, str]:
        return {}

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self.ready():
            if not self.running.alive():
                raise Trouble(f"{self.name} ended: {self.running.last_words()}")
            if time.monotonic() > deadline:
                raise Trouble(f"{self.name} was not ready after {READY_S} s")
            time.sleep(POLL_S)

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        self.running.kill()

    def clear(self) -> None:
        """Stops it and forgets all that it stored."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)

    def make_stream(self, workload: Workload, first_step: int, end_step: int) -> Path:
        path, headers = self.write_path()
        file = self.directory / f"stream-{first_step}"
        lines = [word for line in headers for word in ("--header", line)]
        self.programs.run("generate", self.form, str(file), "--path", path, *lines, "--lanes",
                          str(LANES), "--reports", str(self.pace(workload)[0]),
                          *workload.arguments(first_step, end_step))
        return file

    def stage(self, workload: Workload, first_step: int = 0,
              end_step: int = 0) -> Callable[[], dict[str, Any]]:
        """Makes the bytes of a workload; what it returns sends them, with the clock running."""
        file = self.make_stream(workload, first_step, end_step)

        def send() -> dict[str, Any]:
            try:
                return self.programs.run("exchange", self.framing, "127.0.0.1", str(self.port),
                                         str(file), "--connections", str(LANES),
                                         *self.pace(workload)[1])
            finally:
                file.unlink()
        return send

    def feed(self, send: Callable[[], dict[str, Any]]) -> Fed:
        cpu_s, resident = self.running.cpu_s(), self.running.resident_bytes()
        found = send()
        return Fed(found["points"], found["failed"], found.get("words", ""), found["seconds"],
                   self.running.cpu_s() - cpu_s, self.running.peak_bytes(),
                   self.running.resident_bytes() - resident)

    def ask_words(self, questions: list[Question]) -> list[str]:
        """The arguments of bench_exchange that ask; the file of questions is written."""
        file = self.directory / "questions"
        requests = [self.request(question) for question in questions]
        write_exchanges(file, [Exchange(request) for request in requests if request is not None])
        return self.words_of(file)

    def words_of(self, file: Path) -> list[str]:
        """The arguments of bench_exchange that send a file of exchanges."""
        words = [self.framing, "127.0.0.1", str(self.port), str(file)]
        if self.hello():
            greeting = self.directory / "hello"
            greeting.write_bytes(self.hello())
            words += ["--hello", str(greeting)]
        return words

    def ask(self, questions: list[Question]) -> Asked:
        answers = self.directory / "answers"
        self.programs.run("exchange", *self.ask_words(questions), "--answers", str(answers))
        latencies_s, tables = [], []
        for answer in read_answers(answers):
            tables.append(self.judged(questions[answer.number], answer))
            latencies_s.append(answer.latency_s)
        answers.unlink()
        return Asked(latencies_s, tables)

    def judged(self, question: Question, answer: Answer) -> Table:
        if not answer.good:
            raise Trouble(f"{self.name} refuses {question.kind} (status {answer.status}): "
                          f"{answer.body[:200].decode('utf-8', 'replace')}")
        return self.table(question, answer.body)

    def can_answer(self, question: Question) -> bool:
        return self.request(question) is not None


def first_words(command: list[str]) -> str:
    """What a program prints of its version."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).strip()


def get(path: str, **parameters: str) -> bytes:
    """A request to read, as bytes."""
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    return f"GET {path}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: str, kind: str = "text/plain") -> bytes:
    content = body.encode()
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n").encode() + content


def call(port: int, path: str, body: Optional[bytes] = None, timeout_s: float = COMMAND_S) -> bytes:
    """A command outside of all measurements; Trouble where the server refuses it."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            return bytes(reply.read())
    except urllib.error.HTTPError as error:
        raise Trouble(f"{path}: {error.code} {error.read()[:200]!r}") from None
    except OSError as error:
        raise Trouble(f"{path}: {error}") from None


def reachable(port: int, path: str) -> bool:
    try:
        call(port, path, timeout_s=5)
        return True
    except Trouble:
        return False


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Trouble(f"not JSON: {body[:100]!r}") from None
