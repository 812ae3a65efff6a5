# SPDX-License-Identifier: MIT
"""Tau itself: points through the SDK's batching writer, questions as the frames of its operations.
What its operations cannot say is left out. A further kind of question is a line of `shapes` and a
pair of methods."""

from __future__ import annotations

import importlib
import re
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from .peer import Peer, first_words
from .questions import METRICS, Question, Table, Workload
from .tools import Programs, Unable, disk_bytes

NS = 1_000_000_000


class Tau(Peer):
    name = "Tau"
    program = "taud"
    framing = "tau"
    way = "columns"
    durability = "sync"
    host_count = 0  # of the workload that was fed last: "all hosts" are named one by one

    def __init__(self, programs: Programs, directory: Path) -> None:
        super().__init__(programs, directory)
        python = str(programs.build / "python")
        if python not in sys.path:
            sys.path.insert(0, python)
        self.tables: Any = importlib.import_module("tau.tables")
        self.codec: Any = importlib.import_module("tau.codec")
        self.labels: Any = importlib.import_module("tau.labels")
        self.certificate = secrets.token_hex(32)
        self.shapes: dict[str, tuple[Callable[[Question], list[bytes]],
                                     Callable[[Question, list[bytes]], Table]]] = {
            "raw": (self.raw_request, self.raw_table),
            "last": (self.last_request, self.last_table),
        }

    @classmethod
    def installed(cls, programs: Programs) -> bool:
        return (programs.build / "bin" / cls.program).exists()

    def command(self, data: Path, late: bool) -> list[str]:
        return [str(self.programs.build / "bin" / self.program),
                "--listen", f"127.0.0.1:{self.port}", "--data-dir", str(data),
                "--durability", self.durability]

    def environment(self) -> dict[str, str]:
        return {"TAU_CERTIFICATE": self.certificate}

    def version(self) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", first_words(
            [str(self.programs.build / "bin" / self.program), "--version"]))
        return found.group(1) if found else ""

    def ready(self) -> bool:
        """The server listens once it has read what it stores."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def hello(self) -> bytes:
        return self.frame(self.tables.OPERATION_CONNECT,
                          {"certificate": bytes.fromhex(self.certificate)})

    def start(self, late: bool = False) -> float:
        if late and "SET_POLICY" not in {one.name for one in self.tables.OPERATIONS.values()}:
            raise Unable("no operation lets a series take late points")
        return super().start(late)

    def stage(self, workload: Workload, first_step: int = 0,
              end_step: int = 0) -> Callable[[], dict[str, Any]]:
        self.host_count = workload.hosts
        feeding = self.programs.background(
            "feed", self.way, f"127.0.0.1:{self.port}", "--staged", "1",
            *workload.arguments(first_step, end_step), env=self.environment())
        feeding.wait_for("ready")

        def send() -> dict[str, Any]:
            found = feeding.finish()
            return {**found, "words": found["refusal"]}
        return send

    def compact(self, data: Path) -> int:
        return disk_bytes(data)

    # --- questions -----------------------------------------------------------------------------

    def frame(self, operation: Any, values: dict[str, Any]) -> bytes:
        payload = self.codec.encode(operation.request, values)
        return bytes(self.codec.write_header(self.tables.HEADER, self.codec.Header(
            opcode=operation.code, flags=0, payload_length=len(payload)))) + bytes(payload)

    def payloads(self, body: bytes) -> list[bytes]:
        """Of the frames of a reply."""
        found, at = [], 0
        while at < len(body):
            header = self.codec.read_header(self.tables.HEADER, body[at:])
            at += self.tables.HEADER.size
            found.append(body[at:at + header.payload_length])
            at += header.payload_length
        return found

    def label(self, host: int, metric: str) -> bytes:
        return bytes(self.labels.label(f"host_{host}.{metric}"))

    def can_answer(self, question: Question) -> bool:
        return question.shape in self.shapes

    def request(self, question: Question) -> Optional[bytes]:
        if not self.can_answer(question):
            return None
        return b"".join(self.shapes[question.shape][0](question))

    def table(self, question: Question, body: bytes) -> Table:
        return self.shapes[question.shape][1](question, self.payloads(body))

    def raw_request(self, question: Question) -> list[bytes]:
        return [self.frame(self.tables.OPERATION_QUERY_RANGE, {
            "label": self.label(question.hosts[0], question.metrics[0]),
            "from": question.from_s * NS, "to": question.to_s * NS - 1, "limit": 0,
            "direction": 0})]

    def raw_table(self, question: Question, frames: list[bytes]) -> Table:
        column: dict[int, float] = {}
        for frame in frames:
            found = self.codec.decode(self.tables.OPERATION_QUERY_RANGE.response, frame)
            column.update((time // NS, value)
                          for time, value in zip(found["timestamps"], found["values"]))
        return {(question.host_names[0], question.metrics[0]): column} if column else {}

    def hosts_of(self, question: Question) -> range | tuple[int, ...]:
        return question.hosts or range(self.host_count)

    def last_request(self, question: Question) -> list[bytes]:
        return [self.frame(self.tables.OPERATION_QUERY_LATEST, {"label": self.label(host, metric)})
                for host in self.hosts_of(question) for metric in METRICS]

    def last_table(self, question: Question, frames: list[bytes]) -> Table:
        names = [(f"host_{host}", metric) for host in self.hosts_of(question) for metric in METRICS]
        table: Table = {}
        for name, frame in zip(names, frames):
            found = self.codec.decode(self.tables.OPERATION_QUERY_LATEST.response, frame)
            point = found.get("point")
            if point is not None:
                table[name] = {point.timestamp // NS: point.value}
        return table


class TauRows(Tau):
    """The same server, fed with single points in the order of their arrival instead of columns."""

    name = "Tau, rows"
    way = "rows"
