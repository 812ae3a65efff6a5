# SPDX-License-Identifier: MIT
"""Tau itself: points through the SDK's batching writer, questions as the frames of its operations.
A further kind of question is a line of `shapes` and a pair of methods."""

from __future__ import annotations

import importlib
import math
import re
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from .peer import Peer, first_words
from .questions import HIGH, METRICS, START_S, TOTALS, Question, Table, Workload
from .tools import Answer, Exchange, Programs, Trouble, disk_bytes, read_answers, write_exchanges

NS = 1_000_000_000
PREFIX = b"host_"  # of all series


class Tau(Peer):
    name = "Tau"
    program = "taud"
    framing = "tau"
    way = "columns"
    durability = "sync"
    host_count = 0  # of the workload that was fed last

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
            "rows": (self.rows_request, self.rows_table),
            "buckets": (self.together_request, self.together_table),
            "top": (self.together_request, self.together_table),
            "by_host": (self.each_request, self.each_table),
            "total": (self.total_request, self.total_table),
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
        """Everything but the log, which holds nothing then that is not elsewhere, and the space
        that is kept for the day on which the disk is full."""
        self.call(self.tables.OPERATION_COMPACT, {})
        return disk_bytes(data, without=(data / "log", data / "reserve"))

    def call(self, operation: Any, values: dict[str, Any], count: int = 1) -> list[Answer]:
        """Sends a request so many times, one after the other."""
        file, answers = self.directory / "call", self.directory / "reply"
        write_exchanges(file, [Exchange(self.frame(operation, values))] * count)
        self.programs.run("exchange", *self.words_of(file), "--answers", str(answers))
        found = list(read_answers(answers))
        for answer in found:
            if not answer.good:
                raise Trouble(f"{self.name} refuses {operation.name}: {answer.body.hex()}")
        return found

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

    def series_of(self, question: Question) -> dict[str, Any]:
        """Names the series, metric by metric, or all that there are at once."""
        if not question.hosts and question.metrics == METRICS:
            return {"prefix": PREFIX, "labels": []}
        return {"prefix": b"", "labels": [self.label(host, metric) for metric in question.metrics
                                          for host in self.hosts_of(question)]}

    def key_of(self, label: bytes) -> tuple[str, str]:
        host, _, metric = self.labels.label_text(label).partition(".")
        return host, metric

    def aggregate(self, question: Question, names: list[str], grouping: str,
                  series: dict[str, Any], group_sizes: list[int]) -> list[bytes]:
        functions = [(self.tables.AggregateFunction[name.upper()], 0.0) for name in names]
        return [self.frame(self.tables.OPERATION_AGGREGATE, {
            "from": question.from_s * NS, "to": question.to_s * NS - 1,
            "width": question.bucket_s * NS, "origin": START_S * NS,
            "fill": self.tables.AggregateFill.NONE, "fill_value": 0.0,
            "grouping": self.tables.AggregateGrouping[grouping], "functions": functions,
            "group_sizes": group_sizes, **series})]

    def groups(self, frames: list[bytes]) -> list[Any]:
        """Of the frames of an AGGREGATE those that have rows."""
        found = [self.codec.decode(self.tables.OPERATION_AGGREGATE.response, frame)
                 for frame in frames]
        return [one for one in found if one["row_count"]]

    @staticmethod
    def column_of(found: Any) -> dict[int, float]:
        return {start // NS: value for start, value in zip(found["starts"], found["values"])}

    def together_request(self, question: Question) -> list[bytes]:
        """A group for each metric, of all the hosts."""
        series = {"prefix": b"", "labels": [self.label(host, metric)
                                            for metric in question.metrics
                                            for host in self.hosts_of(question)]}
        sizes = [len(self.hosts_of(question))] * len(question.metrics)
        return self.aggregate(question, [question.function], "SIZED", series, sizes)

    def together_table(self, question: Question, frames: list[bytes]) -> Table:
        table: Table = {}
        for found in self.groups(frames):
            table.setdefault(("", question.metrics[found["group"]]), {}).update(
                self.column_of(found))
        return table

    def each_request(self, question: Question) -> list[bytes]:
        return self.aggregate(question, [question.function], "EACH", self.series_of(question), [])

    def each_table(self, question: Question, frames: list[bytes]) -> Table:
        table: Table = {}
        for found in self.groups(frames):
            table.setdefault(self.key_of(found["label"]), {}).update(self.column_of(found))
        return table

    def total_request(self, question: Question) -> list[bytes]:
        """As many requests as it takes to name all series."""
        series = self.series_of(question)
        most = self.tables.LIMITS[self.tables.Limit.REQUEST_LABELS]
        parts = [series["labels"][at:at + most] for at in range(0, len(series["labels"]), most)]
        return [frame for labels in parts or [[]] for frame in self.aggregate(
            question, list(TOTALS), "ALL", {"prefix": series["prefix"], "labels": labels}, [])]

    def total_table(self, question: Question, frames: list[bytes]) -> Table:
        joins: tuple[Callable[[Any], float], ...] = (sum, sum, min, max)
        parts = zip(*(found["values"] for found in self.groups(frames)))
        return {("", name): {0: join(part)} for name, join, part in zip(TOTALS, joins, parts)}

    def rows_request(self, question: Question) -> list[bytes]:
        """A group for each host, whose first series decides: as many requests as it takes."""
        metrics = question.metrics
        labels = [self.label(host, metric) for host in self.hosts_of(question)
                  for metric in (METRICS[0], *(one for one in metrics if one != METRICS[0]))]
        size = len(labels) // len(self.hosts_of(question))
        most = self.tables.LIMITS[self.tables.Limit.REQUEST_LABELS] // size * size
        return [self.frame(self.tables.OPERATION_MULTI_RANGE_WHERE, {
            "from": question.from_s * NS, "to": question.to_s * NS - 1,
            "low": math.nextafter(HIGH, math.inf), "high": math.inf, "limit": 0,
            "direction": self.tables.Direction.FORWARD, "group_size": size,
            "labels": labels[at:at + most]}) for at in range(0, len(labels), most)]

    def rows_table(self, question: Question, frames: list[bytes]) -> Table:
        table: Table = {}
        for frame in frames:
            found = self.codec.decode(self.tables.OPERATION_MULTI_RANGE_WHERE.response, frame)
            key = self.key_of(found["label"])
            if found["count"]:
                table.setdefault(key, {}).update(
                    (time // NS, value)
                    for time, value in zip(found["timestamps"], found["values"]))
        return table

    def last_request(self, question: Question) -> list[bytes]:
        return [self.frame(self.tables.OPERATION_MULTI_LATEST, {
            "from": -2**63, "to": 2**63 - 1, **self.series_of(question)})]

    def last_table(self, question: Question, frames: list[bytes]) -> Table:
        table: Table = {}
        for frame in frames:
            found = self.codec.decode(self.tables.OPERATION_MULTI_LATEST.response, frame)
            for row in found["rows"]:
                table[self.key_of(row.label)] = {row.timestamp // NS: row.value}
        return table


class TauRows(Tau):
    """The same server, fed with single points in the order of their arrival instead of columns."""

    name = "Tau, rows"
    way = "rows"
