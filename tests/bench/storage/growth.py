# SPDX-License-Identifier: MIT
"""Workload (j), of Tau alone: how fast it takes points while it grows to a thousand million of
them, as a curve; and what it does with a hundred million: it is killed and starts, from its log and
from its segments, aggregates over all of them and reads single ones."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .table import AGREE, Curve, Row
from .taud import Tau
from .tools import Programs, Trouble, percentile, say

GROWN = 1_000_000_000
MARKS = 20  # of the curve
STORED = 100_000_000
FRESH = 10_000_000
SERIES = 1000  # of bench_load; their values are those of point_value
PREFIX = b"load."
BUCKET = 1000  # of the times 0, 1, 2 ...: no chunk's summary answers for one
ASKED = 11
READS = ((1, 1, 20_000), (1, 16, 320_000), (1, 100, 2_000_000), (4, 1000, 8_000_000))


@dataclass(frozen=True)
class Sum:
    """An aggregate over everything, and what it must be."""

    name: str
    function: str
    width: int
    right: Callable[[int], float]  # of so many points in each series; of the last bucket


def point_value(series: int, time: int) -> float:
    """As bench_load has it."""
    noise = series << 40 ^ time
    noise = (noise ^ noise >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    noise = (noise ^ noise >> 27) * 0x94D049BB133111EB & 2**64 - 1
    return (series * 3100 + time + (noise >> 58)) / 100


def greatest(length: int) -> float:
    """It is among the last points of the last series, since noise is no more than 63 hundredths."""
    return max(point_value(SERIES - 1, time) for time in range(max(0, length - 64), length))


def deviation(length: int) -> float:
    """Of spreads that do not depend on each other, as a sample; that of the noise is next to
    nothing."""
    count = SERIES * length
    variance = (3100**2 * (SERIES**2 - 1) + length**2 - 1 + 64**2 - 1) / 12 / 100**2
    return math.sqrt(variance * count / (count - 1))


OVERALL = (Sum("max", "MAX", 0, greatest),
           Sum("max of buckets", "MAX", BUCKET, greatest),
           Sum("stddev", "STDDEV", 0, deviation))


class Growth:
    def __init__(self, programs: Programs, root: Path, scale: float) -> None:
        self.programs = programs
        self.root = root
        self.scale = scale
        self.rows: list[Row] = []
        self.curve: Curve = []

    def scaled(self, points: int) -> int:
        """In each of the series."""
        return max(100, int(points * self.scale) // SERIES)

    def words(self, what: str, points: int) -> str:
        millions = points * SERIES / 1e6
        return f"(j) {what}, {millions:{',.0f' if millions >= 1 else '.2g'}} M"

    # --- the curve -----------------------------------------------------------------------------

    def grow(self, tau: Tau) -> None:
        total = self.scaled(GROWN) * SERIES
        tau.start()
        cpu_s = tau.running.cpu_s()
        found = self.programs.run("batch", f"127.0.0.1:{tau.port}", str(total),
                                  str(max(1, total // MARKS)), env=tau.environment())
        marks = [(0, 0.0), *((points, seconds) for points, seconds in found["marks"])]
        self.curve = [(points, (points - before) / (seconds - since))
                      for (before, since), (points, seconds) in zip(marks, marks[1:])
                      if seconds > since]
        row = Row(f"(j) ingest of {found['points'] / 1e6:,.0f} M", "Tau", rate=found["rate"],
                  cpu_s=tau.running.cpu_s() - cpu_s, peak_bytes=tau.running.peak_bytes())
        row.bytes_each = tau.compact(tau.data) / found["points"]
        self.rows.append(row)

    # --- what is stored ------------------------------------------------------------------------

    def load(self, tau: Tau, *words: str) -> dict[str, Any]:
        return self.programs.run("load", "-p", str(tau.port), "-s", str(SERIES), *words,
                                 env=tau.environment())

    def aggregates(self, tau: Tau, length: int, what: str) -> None:
        operation, functions = tau.tables.OPERATION_AGGREGATE, tau.tables.AggregateFunction
        for one in OVERALL:
            asked = {"from": 0, "to": length - 1, "width": one.width, "origin": 0, "fill": 0,
                     "fill_value": 0.0, "grouping": tau.tables.AggregateGrouping.ALL,
                     "functions": [(functions[one.function], 0.0)], "group_sizes": [],
                     "prefix": PREFIX, "labels": []}
            answers = tau.call(operation, asked, ASKED)
            times = sorted(answer.latency_s for answer in answers)
            values = [value for frame in tau.payloads(answers[-1].body)
                      for value in tau.codec.decode(operation.response, frame)["values"]]
            right = one.right(length)
            agrees = bool(values) and math.isclose(values[-1], right, rel_tol=1e-6)
            self.rows.append(Row(self.words(f"{one.name} {what}", length), "Tau",
                                 rate=SERIES * length / percentile(times, 0.5),
                                 p50_s=percentile(times, 0.5), p99_s=percentile(times, 0.99),
                                 answers=AGREE if agrees else f"WRONG: {values[-1:]}, not {right}"))

    def kill(self, tau: Tau, length: int, what: str) -> None:
        tau.kill()
        took = tau.start()
        self.rows.append(Row(self.words(f"start from {what}", length), "Tau",
                             rate=SERIES * length / took, p50_s=took))

    def keep(self, tau: Tau) -> None:
        length = self.scaled(STORED)
        tau.start()
        self.load(tau, "-o", "fill", "-c", "1", "-b", str(length))
        self.kill(tau, length, "the log")
        tau.compact(tau.data)
        self.kill(tau, length, "segments")
        self.aggregates(tau, length, "on disk")
        for connections, depth, count in READS:
            count = max(10 * depth * connections, int(count * self.scale))
            words = ["-o", "query", "-k", "-c", str(connections), "-d", str(depth), "-b",
                     str(length), "-n", str(count)]
            self.load(tau, *words)  # brings what it reads into the cache
            found = self.load(tau, *words)
            name = self.words(f"read at {connections} x {depth}", length)
            self.rows.append(Row(name, "Tau", rate=found["rate"],
                                 answers=AGREE).with_latencies(found))

    def fresh(self, tau: Tau) -> None:
        length = self.scaled(FRESH)
        tau.start()
        self.load(tau, "-o", "fill", "-c", "1", "-b", str(length))
        self.aggregates(tau, length, "just written")

    # --- the whole -----------------------------------------------------------------------------

    def measure(self) -> None:
        for name, work in (("grows", self.grow), ("aggregates", self.fresh), ("keeps", self.keep)):
            directory = self.root / "growth"
            directory.mkdir()
            tau = Tau(self.programs, directory)
            began = time.monotonic()
            say(f"(j) {name}")
            try:
                work(tau)
            except Trouble as trouble:
                self.rows.append(Row(f"(j) {name}", "Tau", answers=f"FAILED: {trouble}"))
            finally:
                tau.stop()
                shutil.rmtree(directory, ignore_errors=True)
            say(f"(j) {name}: {time.monotonic() - began:.0f} s")
