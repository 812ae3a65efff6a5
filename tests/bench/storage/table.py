# SPDX-License-Identifier: MIT
"""The one table: a row for each workload and server, and how many times Tau is better."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Any, Optional

AGREE = "agree"
LOST = "of the points lost"
FIGURES = ("rate", "cpu_s", "peak_bytes", "bytes_each", "p50_s", "p99_s", "p999_s")
HEADS = ("workload", "server", "M/s", "from, to", "CPU s", "peak MiB", "bytes", "p50", "p99",
         "p99.9", "Tau is", "answers")
LEGEND = """\
Tau is fed with columns of up to 8,640 points of a series, `Tau, rows` with points in the order of
their arrival, the others in that order too, in lines or rows of all metrics of a host. M/s: points
(of (i) and reads: operations) a second, from the first byte sent to the last answer, over two
connections, Tau's and those of (i) over one. from, to: where it was measured in rounds, servers in
turns, the least and the most of them; all figures of such a row are medians. CPU s and peak MiB: of
the server's process. bytes: of a point on the disk; of (c): of a series in memory, all that the
process grew by. p50 and above: until the last byte of an answer, of (i) and reads: of a batch of as
many operations as the depth; of (g) and starts: until the first good answer; with few samples p99
is the slowest. (i) has each server on one processor and its client on another, or both on one.
Tau is: by how much better in the first of rate, bytes and p50 that the row has; a store that does
not sync its writes is compared with `Tau, os`, which does not either, all else with Tau as it
comes. answers: compared with those computed from the points, times exactly, values to a billionth;
after ingest a few of them. -: not measured, or the server has no words for it."""
CURVE_WIDTH = 60

Curve = list[tuple[int, float]]  # points that are stored, and points a second up to there


@dataclass
class Row:
    workload: str
    server: str
    rate: Optional[float] = None  # a second
    cpu_s: Optional[float] = None
    peak_bytes: Optional[int] = None
    bytes_each: Optional[float] = None
    p50_s: Optional[float] = None
    p99_s: Optional[float] = None
    p999_s: Optional[float] = None
    answers: str = "-"
    against: str = "Tau"  # the row of the same workload that it is compared with
    rates: tuple[float, ...] = ()  # each that was measured, ascending

    def with_latencies(self, found: dict[str, Any]) -> Row:
        """As a program found them; nothing where nothing was answered."""
        self.p50_s = found["p50_us"] / 1e6 or None
        self.p99_s = found["p99_us"] / 1e6 or None
        self.p999_s = found["p999_us"] / 1e6 or None
        return self

    @property
    def wrong(self) -> bool:
        if self.answers.endswith(LOST):
            return self.server.startswith("Tau")
        return self.answers not in ("-", AGREE)


def middle(rounds: list[Row]) -> Row:
    """The median of each figure. What is wrong in one round is wrong."""
    figures = {name: statistics.median(getattr(row, name) for row in rounds)
               for name in FIGURES if all(getattr(row, name) is not None for row in rounds)}
    worst = next((row for row in rounds if row.wrong), rounds[0])
    return replace(worst, rates=tuple(sorted(row.rate for row in rounds if row.rate)), **figures)


def duration(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else \
                f"{seconds * factor:.0f} {unit}"
    return f"{seconds * 1e6:.1f} us"


def number(value: Optional[float], places: int) -> str:
    return "-" if value is None else f"{value:,.{places}f}"


def rate_words(rate: Optional[float]) -> str:
    """In millions, with three digits that say something."""
    if rate is None:
        return "-"
    millions = rate / 1e6
    return f"{millions:,.0f}" if millions >= 100 else f"{millions:.3g}"


def spread(row: Row) -> str:
    """The least and the most of the rounds."""
    if len(row.rates) < 2:
        return "-"
    return f"{rate_words(row.rates[0])}, {rate_words(row.rates[-1])}"


def ratio(row: Row, tau: Optional[Row]) -> str:
    """By how much Tau is better than this row."""
    if tau is None or row.server.startswith("Tau"):
        return "-"
    if row.rate and tau.rate:
        return f"{tau.rate / row.rate:.2f} x"
    if row.bytes_each and tau.bytes_each:
        return f"{row.bytes_each / tau.bytes_each:.2f} x"
    if row.p50_s and tau.p50_s:
        return f"{row.p50_s / tau.p50_s:.2f} x"
    return "-"


def cells(row: Row, tau: Optional[Row]) -> tuple[str, ...]:
    return (row.workload, row.server, rate_words(row.rate), spread(row), number(row.cpu_s, 1),
            number(row.peak_bytes and row.peak_bytes / 2**20, 0), number(row.bytes_each, 2),
            duration(row.p50_s), duration(row.p99_s), duration(row.p999_s), ratio(row, tau),
            row.answers)


def one_line(row: Row) -> str:
    """A row by itself, for those who wait."""
    return ", ".join(f"{head} {cell}" if head in HEADS[2:-1] else cell
                     for head, cell in zip(HEADS, cells(row, None)) if cell != "-")


def plot(curve: Curve) -> list[str]:
    """A line for each point of a curve, the fastest as wide as it gets, and how its end compares
    with its beginning."""
    most = max(rate for _, rate in curve)
    part = max(1, len(curve) // 5)
    first, last = (sum(rate for _, rate in some) / part for some in (curve[:part], curve[-part:]))
    return ["", "(j) M points/s up to so many stored points", *(
        f"{points / 1e6:10,.1f} M  {'#' * round(CURVE_WIDTH * rate / most):<{CURVE_WIDTH}}"
        f"  {rate / 1e6:.1f}" for points, rate in curve),
        f"the last fifth is at {100 * last / first:.0f} % of the first"]


def render(rows: list[Row], limits: dict[str, Any], versions: dict[str, str],
           curve: Curve) -> str:
    by_name = {(row.workload, row.server): row for row in rows}
    body = [HEADS] + [cells(row, by_name.get((row.workload, row.against))) for row in rows]
    widths = [max(len(line[i]) for line in body) for i in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) if i < 2 or i == len(HEADS) - 1 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
             for line in body]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([limit_words(limits), ", ".join(f"{name} {version}".strip()
                                                     for name, version in versions.items()),
                      "", *lines, *(plot(curve) if curve else []), "", LEGEND])


def limit_words(limits: dict[str, Any]) -> str:
    return (f"machine: {limits['processors']} processors; "
            f"loopback {limits['loopback_bytes_s'] / 1e9:.2f} GB/s, "
            f"memory {limits['memory_bytes_s'] / 1e9:.1f} GB/s read by one core, disk "
            f"{limits['disk_bytes_s'] / 1e6:.0f} MB/s written; fdatasync of 4 KiB p50 "
            f"{limits['sync_p50_us']:.0f} us, p99 {limits['sync_p99_us']:.0f} us")
