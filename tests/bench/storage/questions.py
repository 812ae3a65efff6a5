# SPDX-License-Identifier: MIT
"""The questions of the Time Series Benchmark Suite about processors of hosts, and their right
answers, computed from the generated points by the plainest means. Each server says them in its own
language.

An answer is a table of columns: (host, metric or function) -> time -> value, with "" where an
answer is over all hosts. A column without a value is left out. Two answers agree when they have the
same columns and times, and values that differ by no more than a billionth.
"""

from __future__ import annotations

import math
import random
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

METRICS = ("usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq",
           "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice")
START_S = 1767225600
STEP_S = 10
NO_VALUE = 0xFFFF
HIGH = 90.0
TOP_BUCKETS = 5
TOTALS = ("count", "sum", "min", "max")
TOLERANCE = 1e-9

Table = dict[tuple[str, str], dict[int, float]]


@dataclass(frozen=True)
class Workload:
    """The options of the generator that all programs share."""

    hosts: int
    steps: int
    seed: int = 1
    late: bool = False
    integers: bool = False

    @property
    def points(self) -> int:
        """Of the whole; a late one lacks some."""
        return self.hosts * self.steps * len(METRICS)

    @property
    def end_s(self) -> int:
        return START_S + self.steps * STEP_S

    def arguments(self, first_step: int = 0, end_step: int = 0) -> list[str]:
        return ["--hosts", str(self.hosts), "--steps", str(self.steps), "--seed", str(self.seed),
                "--start", str(START_S), "--late", str(int(self.late)),
                "--integers", str(int(self.integers)),
                "--first-step", str(first_step), "--end-step", str(end_step)]


@dataclass(frozen=True)
class Question:
    """What is asked. The shape decides which fields count:

    buckets    a function of each bucket over all the hosts together
    by_host    the same for each host
    rows       all metrics of the hosts at the times at which usage_user is above HIGH
    last       the last point of each host and metric
    top        the maximum of usage_user in the last TOP_BUCKETS buckets before the end
    raw        the points as they are
    total      count, sum, min and max of a metric over everything
    """

    kind: str
    shape: str
    metrics: tuple[str, ...]
    hosts: tuple[int, ...]  # none: all
    from_s: int
    to_s: int  # exclusive
    bucket_s: int = 0
    function: str = ""

    @property
    def host_names(self) -> list[str]:
        return [f"host_{host}" for host in self.hosts]


class Truth:
    """The points of a workload, as the generator wrote them."""

    def __init__(self, workload: Workload, values: Path) -> None:
        self.workload = workload
        self.values = array("H")
        with values.open("rb") as file:
            self.values.fromfile(file, workload.points)
        if sys.byteorder == "big":
            self.values.byteswap()

    def series(self, host: int, metric: str, from_s: int, to_s: int) -> list[tuple[int, float]]:
        """The points of a time, as (seconds, value)."""
        first = max(0, -(-(from_s - START_S) // STEP_S))
        end = min(self.workload.steps, -(-(to_s - START_S) // STEP_S))
        at = (host * len(METRICS) + METRICS.index(metric)) * self.workload.steps
        return [(START_S + (first + i) * STEP_S, value / 100.0)
                for i, value in enumerate(self.values[at + first:at + max(first, end)])
                if value != NO_VALUE]

    def answer(self, question: Question) -> Table:
        table: Table = getattr(self, "_" + question.shape)(question)
        return {key: column for key, column in table.items() if column}

    def _hosts(self, question: Question) -> range | tuple[int, ...]:
        return question.hosts or range(self.workload.hosts)

    def _points(self, question: Question, host: int, metric: str) -> list[tuple[int, float]]:
        return self.series(host, metric, question.from_s, question.to_s)

    def _raw(self, question: Question) -> Table:
        return {(f"host_{host}", metric): dict(self._points(question, host, metric))
                for host in self._hosts(question) for metric in question.metrics}

    def _by_host(self, question: Question) -> Table:
        return {(f"host_{host}", metric): aggregate(self._points(question, host, metric), question)
                for host in self._hosts(question) for metric in question.metrics}

    def _buckets(self, question: Question) -> Table:
        return {("", metric): aggregate(
            [point for host in self._hosts(question)
             for point in self._points(question, host, metric)], question)
            for metric in question.metrics}

    def _top(self, question: Question) -> Table:
        whole = aggregate([point for host in self._hosts(question)
                           for point in self._points(question, host, "usage_user")], question)
        return {("", "usage_user"): {time: whole[time] for time in sorted(whole)[-TOP_BUCKETS:]}}

    def _rows(self, question: Question) -> Table:
        table: Table = {}
        for host in self._hosts(question):
            high = {time for time, value in self._points(question, host, "usage_user")
                    if value > HIGH}
            for metric in question.metrics:
                table[f"host_{host}", metric] = {
                    time: value for time, value in self._points(question, host, metric)
                    if time in high}
        return table

    def _last(self, question: Question) -> Table:
        return {(f"host_{host}", metric): dict(self._points(question, host, metric)[-1:])
                for host in self._hosts(question) for metric in question.metrics}

    def _total(self, question: Question) -> Table:
        values = [value for host in self._hosts(question)
                  for _, value in self._points(question, host, question.metrics[0])]
        found = (len(values), math.fsum(values), min(values), max(values))
        return {("", name): {0: float(value)} for name, value in zip(TOTALS, found)}


def aggregate(points: list[tuple[int, float]], question: Question) -> dict[int, float]:
    buckets: dict[int, list[float]] = {}
    for time, value in points:
        buckets.setdefault(time - time % question.bucket_s, []).append(value)
    if question.function == "max":
        return {time: max(values) for time, values in buckets.items()}
    return {time: math.fsum(values) / len(values) for time, values in buckets.items()}


def difference(found: Table, right: Table) -> str:
    """Where two answers differ first, in words; nothing where they agree."""
    if found.keys() != right.keys():
        key = sorted(found.keys() ^ right.keys())[0]
        return f"{' '.join(key).strip()} is {'missing' if key in right else 'too much'}"
    for key, column in right.items():
        name = " ".join(key).strip()
        if found[key].keys() != column.keys():
            time = min(found[key].keys() ^ column.keys())
            return (f"{name} at {time} is {'missing' if time in column else 'too much'} "
                    f"({len(found[key])} of {len(column)})")
        for time, value in column.items():
            if not math.isclose(found[key][time], value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                return f"{name} at {time} is {found[key][time]!r}, not {value!r}"
    return ""


# The kinds: shape, function, metrics, hosts (0: all), hours, bucket, and how many are asked of a
# hundred.
KINDS: tuple[tuple[str, str, str, int, int, float, int, int], ...] = (
    ("single-groupby-1-1-1", "buckets", "max", 1, 1, 1, 60, 100),
    ("single-groupby-1-1-12", "buckets", "max", 1, 1, 12, 60, 100),
    ("single-groupby-1-8-1", "buckets", "max", 1, 8, 1, 60, 100),
    ("single-groupby-5-1-1", "buckets", "max", 5, 1, 1, 60, 100),
    ("single-groupby-5-1-12", "buckets", "max", 5, 1, 12, 60, 100),
    ("single-groupby-5-8-1", "buckets", "max", 5, 8, 1, 60, 100),
    ("cpu-max-all-1", "buckets", "max", 10, 1, 8, 3600, 100),
    ("cpu-max-all-8", "buckets", "max", 10, 8, 8, 3600, 100),
    ("double-groupby-1", "by_host", "mean", 1, 0, 12, 3600, 30),
    ("double-groupby-5", "by_host", "mean", 5, 0, 12, 3600, 15),
    ("double-groupby-all", "by_host", "mean", 10, 0, 12, 3600, 10),
    ("high-cpu-1", "rows", "", 10, 1, 12, 0, 50),
    ("high-cpu-all", "rows", "", 10, 0, 12, 0, 5),
    ("lastpoint", "last", "", 10, 0, 0, 0, 20),
    ("groupby-orderby-limit", "top", "max", 1, 0, 0, 60, 20),
    ("raw-1-1-12", "raw", "", 1, 1, 12, 0, 100),
    ("total", "total", "", 1, 0, 0, 0, 10),
)


def make_questions(workload: Workload, share: float) -> dict[str, list[Question]]:
    """For each kind some questions, the same in every run: hosts and times come from a seed."""
    draw = random.Random(workload.seed)
    made: dict[str, list[Question]] = {}
    for kind, shape, function, metrics, hosts, hours, bucket_s, count in KINDS:
        made[kind] = [one_question(draw, workload, kind, shape, function, metrics, hosts, hours,
                                   bucket_s) for _ in range(max(3, int(count * share)))]
    return made


def one_question(draw: random.Random, workload: Workload, kind: str, shape: str, function: str,
                 metrics: int, hosts: int, hours: float, bucket_s: int) -> Question:
    grain_s = bucket_s or 60
    length_s = int(hours * 3600)
    from_s, to_s = START_S, workload.end_s
    if length_s and length_s < workload.steps * STEP_S:
        from_s += draw.randrange((workload.steps * STEP_S - length_s) // grain_s + 1) * grain_s
        to_s = from_s + length_s
    elif shape == "top":
        to_s -= draw.randrange(workload.steps * STEP_S // 2 // grain_s + 1) * grain_s
        from_s = to_s - TOP_BUCKETS * grain_s
    chosen = tuple(sorted(draw.sample(range(workload.hosts), min(hosts, workload.hosts))))
    return Question(kind, shape, METRICS[:metrics], chosen, from_s, to_s, bucket_s, function)
