# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The engine's aggregates against a plain model of them, in exact numbers: random series with every
kind of special value, all functions, fills, widths and origins, also at both ends of time; in small
windows and in pieces that are joined.

TAU_AGGREGATE_CASES sets how many cases, TAU_AGGREGATE_SEED with which the numbers begin.
"""

from __future__ import annotations

import bisect
import math
import os
import random
import struct
import subprocess
import unittest
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Iterator, Optional

PEER = Path(os.environ.get("TAU_BUILD_DIR", "build/release")) / "tests/conformance_aggregate_peer"
CASES = int(os.environ.get("TAU_AGGREGATE_CASES", "2500"))
SEED = int(os.environ.get("TAU_AGGREGATE_SEED", "7701"))

MIN, MAX = -(1 << 63), (1 << 63) - 1
FUNCTIONS = ("count", "sum", "min", "max", "mean", "first", "last", "stddev", "stddev_population",
             "quantile", "time_weighted_average", "rate", "increase")  # fmt: skip
FILLS = ("none", "previous", "linear", "value")
VALUES, TIMESTAMPS, ORDER = 1, 2, 4
NEEDS = {"stddev": VALUES, "stddev_population": VALUES, "quantile": VALUES,
         "time_weighted_average": VALUES | TIMESTAMPS | ORDER, "rate": VALUES | ORDER,
         "increase": VALUES | ORDER}  # fmt: skip
SUCCESS, LIMIT_EXCEEDED, INVALID_ARGUMENT = 0, 0x12, 0x105
EXACT_VALUES = 128
# Powers of two that values spread over, and the share of itself that a quantile may be wrong by.
SKETCH_ERRORS = ((15, 257), (30, 129), (60, 65), (120, 33), (250, 17), (500, 9), (1000, 5),
                 (2000, 3))  # fmt: skip

Point = tuple[int, float]


@dataclass
class Series:
    """All its points, also those before and behind the range; and how they are cut in pieces."""

    points: list[Point]
    cuts: list[int] = field(default_factory=list)


@dataclass
class Case:
    start: int
    stop: int
    width: int
    origin: int
    fill: str
    fill_value: float
    columns: list[tuple[str, float]]
    series: list[Series]
    way: int
    capacity: int
    rows_at_once: int


# --- the model --------------------------------------------------------------------------------


@dataclass
class Expected:
    """What may be told: anything between two numbers, or NaN, or whatever is not finite."""

    low: float = math.nan
    high: float = math.nan
    bits: bool = False
    overflow: bool = False

    def allows(self, got: float) -> bool:
        if self.overflow:
            return True
        if self.bits:
            return struct.pack("<d", got) == struct.pack("<d", self.low)
        if math.isnan(self.low):
            return struct.pack("<d", got) == struct.pack("<Q", 0x7FF8 << 48)
        if got == 0 and math.copysign(1, got) < 0 and self.low >= 0:
            return False
        return self.low <= got <= self.high


def exactly(value: float) -> Expected:
    return Expected(value, value)


def near(value: Fraction, tolerance: Fraction) -> Expected:
    if abs(value) + tolerance > Fraction(10) ** 300:
        return Expected(overflow=True)
    tolerance += Fraction(1, 1 << 1070)
    return Expected(down(value - tolerance), up(value + tolerance))


def down(value: Fraction) -> float:
    return math.nextafter(float(value), -math.inf)


def up(value: Fraction) -> float:
    return math.nextafter(float(value), math.inf)


def has_nan(values: list[float]) -> bool:
    return any(math.isnan(value) for value in values)


def finite(values: list[float]) -> bool:
    return all(math.isfinite(value) for value in values)


def magnitude(values: list[float]) -> Fraction:
    return sum((abs(Fraction(value)) for value in values), Fraction(0))


def not_finite(values: list[float], weight: int = 1) -> Expected:
    """The sum of values among which some are not finite."""
    if has_nan(values) or (math.inf in values and -math.inf in values):
        return Expected()
    rest = [value for value in values if math.isfinite(value)]
    if magnitude(rest) * weight > Fraction(10) ** 300:
        return Expected(overflow=True)
    return exactly(math.inf if math.inf in values else -math.inf)


def sum_of(values: list[float], divisor: int = 1) -> Expected:
    if not finite(values):
        return not_finite(values)
    scale = magnitude(values)
    if scale > Fraction(10) ** 300:
        return Expected(overflow=True)
    exact = sum(map(Fraction, values), Fraction(0))
    return near(exact / divisor, scale / (1 << 44) / divisor)


def stddev(values: list[float], degrees: int) -> Expected:
    if not finite(values) or degrees == 0:
        return Expected()
    numbers = list(map(Fraction, values))
    mean = sum(numbers, Fraction(0)) / len(numbers)
    largest = max(abs(number) for number in numbers)
    if largest > Fraction(10) ** 150:
        return Expected(overflow=True)
    variance = sum(((number - mean) ** 2 for number in numbers), Fraction(0)) / degrees
    scale = Fraction(1 << 1200)
    root = Fraction(math.isqrt(int(variance * scale * scale)), int(scale))
    # Squares of what is very small are nothing.
    return near(root, root / 10**9 + largest / 10**12 + Fraction(1, 10**150))


def sketch_error(values: list[float]) -> Fraction:
    spread = 0.0
    for sign in (1, -1):
        sizes = [abs(value) for value in values
                 if is_normal(value) and math.copysign(1, value) == sign]
        if sizes:
            spread += math.log2(max(sizes)) - math.log2(min(sizes))
    for bound, share in SKETCH_ERRORS:
        if spread <= bound:
            return Fraction(1, share)
    return Fraction(3, 5)


def is_normal(value: float) -> bool:
    return math.isfinite(value) and abs(value) >= 2.0**-1022


def quantile(values: list[float], p: float) -> Expected:
    numbers = sorted(value for value in values if not math.isnan(value))
    if not numbers:
        return Expected()
    rank = p * (len(numbers) - 1)
    below = int(rank)
    share = Fraction(rank) - below
    low, high = numbers[below], numbers[below + 1 if share > 0 else below]
    if not (math.isfinite(low) and math.isfinite(high)):
        if low == high or share == 0:
            return exactly(low)
        return exactly(math.nan if math.inf == -low == high else low if math.isinf(low) else high)
    error = Fraction(0)
    if len(numbers) > EXACT_VALUES:
        error = sketch_error(numbers)
    low_error, high_error = ((error + Fraction(1, 10**12)) * abs(Fraction(v)) for v in (low, high))
    middle = Fraction(low) * (1 - share) + Fraction(high) * share
    allowed = low_error * (1 - share) + high_error * share
    return near(middle, allowed + (Fraction(2) ** -1021 if error else 0))


class Bucket:
    """What takes part in one bucket."""

    def __init__(self, case: Case, number: int) -> None:
        self.start = MIN if case.width == 0 else case.origin + number * case.width
        self.first, self.last = case.start, case.stop
        if case.width:
            self.first = max(self.start, case.start)
            self.last = min(self.start + case.width - 1, case.stop)
            self.start = max(self.start, MIN)
        else:
            self.start = case.start
        self.parts = [self.cut(series.points) for series in case.series]
        self.points = [point for _, part in self.parts for point in part]
        self.values = [value for _, value in self.points]
        self.series = case.series

    def cut(self, points: list[Point]) -> tuple[Optional[Point], list[Point]]:
        """The point before the bucket, and those in it."""
        low = bisect.bisect_left(points, self.first, key=lambda point: point[0])
        high = bisect.bisect_right(points, self.last, key=lambda point: point[0])
        return points[low - 1] if low > 0 else None, points[low:high]

    def at(self, timestamp: int) -> Expected:
        values = [value for t, value in self.points if t == timestamp]
        numbers = [value for value in values if not math.isnan(value)]
        if not numbers:
            return Expected(values[0], bits=len(values) == 1, overflow=len(values) > 1)
        greatest = max(numbers)
        if greatest == 0:
            greatest = max((math.copysign(1, value), value) for value in numbers if value == 0)[1]
        return Expected(greatest, bits=True)

    def time_weighted_average(self) -> Expected:
        """Each value with the time during which it is in force, by walking from point to point."""
        weighted: list[tuple[float, int]] = []
        for (prior, inside), series in zip(self.parts, self.series):
            if not series.points:
                continue
            end = series.points[-1][0]
            stop = end if end <= self.last else self.last + 1
            steps = ([(self.first, prior[1])] if prior else []) + inside
            for (begin, value), (until, _) in zip(steps, steps[1:] + [(stop, 0.0)]):
                if until > begin:
                    weighted.append((value, until - begin))
        if has_nan(self.values):
            return Expected()
        if not weighted:
            return sum_of(self.values, len(self.values))
        values = [value for value, _ in weighted]
        weight = sum(time for _, time in weighted)
        if not finite(values):
            return not_finite(values, weight)
        exact = sum((Fraction(value) * time for value, time in weighted), Fraction(0))
        largest = max(abs(value) for value in values)
        if largest * float(weight) > 1e300:
            return Expected(overflow=True)
        return near(exact / weight, Fraction(largest) / 10**12)

    def increase(self, per_second: bool) -> Expected:
        """Step by step from each point to the next."""
        exact, scale, rates = Fraction(0), Fraction(0), 0
        touched: list[float] = []
        for prior, inside in self.parts:
            steps = ([prior] if prior else []) + inside
            if not inside or (per_second and len(steps) < 2):
                continue
            rates += 1
            values = [value for _, value in steps]
            touched += values
            if not finite(values):
                continue
            gained = sum((Fraction(after) - (0 if after < before else Fraction(before))
                          for before, after in zip(values, values[1:])), Fraction(0))
            seconds = Fraction(steps[-1][0] - steps[0][0], 10**9) if per_second else Fraction(1)
            exact += gained / seconds
            scale += magnitude(values) / seconds
        if per_second and rates == 0 or has_nan(touched):
            return Expected()
        if not finite(touched) or magnitude(touched) + scale > Fraction(10) ** 300:
            return Expected(overflow=True)
        return near(exact, scale / 10**12)

    def expect(self, function: str, parameter: float) -> Expected:
        numbers = [value for value in self.values if not math.isnan(value)]
        if function == "count":
            return exactly(len(self.values))
        if function == "sum":
            return sum_of(self.values)
        if function == "mean":
            return sum_of(self.values, len(self.values))
        if function in ("min", "max"):
            return exactly((min if function == "min" else max)(numbers, default=math.nan))
        if function in ("first", "last"):
            return self.at((min if function == "first" else max)(t for t, _ in self.points))
        if function == "stddev":
            return stddev(self.values, len(self.values) - 1)
        if function == "stddev_population":
            return stddev(self.values, len(self.values))
        if function == "quantile":
            return quantile(self.values, parameter)
        if function == "time_weighted_average":
            return self.time_weighted_average()
        return self.increase(per_second=function == "rate")


def number_range(case: Case) -> range:
    if case.start > case.stop:
        return range(0)
    if case.width == 0:
        return range(1)
    return range((case.start - case.origin) // case.width,
                 (case.stop - case.origin) // case.width + 1)


def fill(case: Case, function: str, before: Optional[tuple[int, float]],
         after: Optional[tuple[int, float]], number: int) -> Expected:
    """By what the rows on both sides told."""
    if function in ("count", "increase"):
        return exactly(0)
    if case.fill == "value":
        return Expected(case.fill_value, bits=True)
    if before is None or (case.fill == "linear" and after is None):
        return Expected()
    if case.fill == "previous":
        return Expected(before[1], bits=True)
    assert after is not None
    (first, low), (last, high) = before, after
    if low == high:
        return Expected(low, bits=True)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Expected(overflow=True)
    share = Fraction(number - first, last - first)
    exact = Fraction(low) + (Fraction(high) - Fraction(low)) * share
    return near(exact, (abs(Fraction(low)) + abs(Fraction(high))) / 10**12)


# --- cases ------------------------------------------------------------------------------------

SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, -math.nan, 5e-324, -2e-310, 1e300,
           -1e300, 2.0**-1022, 1.7976931348623157e308)  # fmt: skip


class Cases:
    """Draws cases."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def values(self, count: int) -> list[float]:
        draw = self.random
        kind = draw.randrange(9)
        if kind == 0:
            return [draw.choice(SPECIAL) for _ in range(count)]
        if kind == 1:  # a counter that begins anew at times
            values, now = [], draw.uniform(0, 1000)
            for _ in range(count):
                now = draw.uniform(0, 10) if draw.random() < 0.1 else now + draw.expovariate(0.1)
                values.append(now)
            return values
        if kind == 2:  # far from zero
            return [1e9 + draw.random() for _ in range(count)]
        if kind == 3:
            return [math.ldexp(draw.uniform(-1, 1), draw.randint(-300, 300)) for _ in range(count)]
        if kind == 4:
            return [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(count)]
        if kind == 5:
            return [draw.choice((math.nan, float(draw.randint(-5, 5)))) for _ in range(count)]
        if kind == 6:
            return [draw.lognormvariate(3, 1) for _ in range(count)]
        if kind == 7:
            return [math.ldexp(draw.uniform(1, 2), draw.randint(-8, 12)) * draw.choice((1, 1, -1))
                    for _ in range(count)]
        return [float(draw.randint(-100, 100)) for _ in range(count)]

    def series(self, low: int, high: int) -> Series:
        draw = self.random
        count = min(draw.choice((0, 1, 2, draw.randint(3, 40), draw.randint(100, 700))),
                    high - low + 1)
        times: set[int] = set()
        centre = draw.randint(low, high)
        reach = draw.choice((high - low, max(1, (high - low) // 50), count, 3 * count))
        for _ in range(count):
            times.add(min(high, max(low, centre + draw.randint(-reach, reach))))
        if draw.random() < 0.2:
            times |= {low, high}
        points = list(zip(sorted(times), self.values(len(times))))
        cuts = sorted(draw.sample(range(len(points) + 1),
                                  draw.randint(0, min(5, len(points)))))
        return Series(points, cuts)

    def span(self) -> tuple[int, int]:
        """Where points lie."""
        draw = self.random
        length = draw.choice((1, 10, 1000, 10**6, 3600 * 10**9, 10**15, 1 << 62, (1 << 64) - 1))
        low = draw.choice((MIN, MAX - length, -(length // 2), 0, 1_700_000_000 * 10**9,
                           draw.randint(MIN, MAX)))
        low = max(MIN, min(low, MAX - length))
        return low, min(MAX, low + length)

    def case(self) -> Case:
        draw = self.random
        low, high = self.span()
        start, stop = low, high
        if draw.random() < 0.7:
            start, stop = sorted(draw.randint(low, high) for _ in range(2))
        if draw.random() < 0.05:
            start, stop = MIN, MAX
        length = min(stop - start + 1, (1 << 64) - 1)
        buckets = draw.choice((1, 2, 7, 60, 200))
        width = draw.choice((0, max(1, length // buckets), max(1, length // buckets),
                             draw.randint(max(1, length // 200), max(1, min(2 * length, MAX))),
                             (1 << 64) - 1, 1 << 63))
        origin = draw.choice((0, start, stop, MIN, MAX, draw.randint(MIN, MAX)))
        columns = [(function, draw.choice((0.0, 0.5, 0.99, 1.0, draw.random())))
                   for function in draw.sample(FUNCTIONS, draw.randint(1, 5))]
        if draw.random() < 0.3:
            columns = [("quantile", draw.random()) if name in NEEDS else (name, p)
                       for name, p in columns]
        if draw.random() < 0.3:
            columns = [(name, p) for name, p in columns if name not in NEEDS] or [("mean", 0.0)]
        series = [self.series(low, high) for _ in range(draw.choice((1, 1, 2, 3)))]
        return Case(start, stop, width, origin, draw.choice(FILLS),
                    draw.choice((0.0, -1.5, math.nan)), columns, series, draw.randrange(2),
                    draw.choice((1, 2, 3, 16, 1000)), draw.choice((1, 3, 1000)))


# --- the peer ---------------------------------------------------------------------------------


def word(value: int | float) -> str:
    if isinstance(value, float):
        return f"{struct.unpack('<Q', struct.pack('<d', value))[0]:x}"
    return f"{value % (1 << 64):x}"


def pieces(case: Case, series: Series) -> Iterator[list[Point]]:
    """As it is cut: what begins before the range or ends behind it is whole."""
    cuts = [0, *series.cuts, len(series.points)]
    for low, high in zip(cuts, cuts[1:]):
        points = series.points[low:high]
        if points and points[-1][0] >= case.start and points[0][0] <= case.stop:
            yield points


def words(case: Case) -> list[int | float]:
    asked: list[int | float] = [case.start, case.stop, case.width, case.origin,
                                FILLS.index(case.fill), case.fill_value, len(case.columns)]
    for function, parameter in case.columns:
        asked += [FUNCTIONS.index(function), parameter]
    asked += [case.way, case.capacity, case.rows_at_once, len(case.series)]
    for series in case.series:
        before = [point for point in series.points if point[0] < case.start]
        asked += [1, *before[-1]] if before else [0, 0, 0.0]
        asked.append(series.points[-1][0] if series.points else 0)
        cut = list(pieces(case, series))
        asked.append(len(cut))
        for points in cut:
            asked += [len(points), *(t for t, _ in points), *(value for _, value in points)]
    return asked


def ask(cases: list[Case]) -> Iterator[list[int]]:
    text = "\n".join(" ".join(map(word, words(case))) for case in cases)
    done = subprocess.run([str(PEER)], input=text, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        yield [int(token, 16) for token in line.split()]


def as_value(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value


class Aggregates(unittest.TestCase):
    def check(self, case: Case, answer: list[int]) -> int:
        """Returns the number of rows."""
        numbers = number_range(case)
        if len(numbers) > 1 << 20:
            self.assertEqual(answer, [LIMIT_EXCEEDED])
            return 0
        self.assertEqual(answer[0], SUCCESS)
        needs = 0
        for function, _ in case.columns:
            needs |= NEEDS.get(function, 0)
        self.assertEqual(answer[1], needs)
        width = 1 + len(case.columns)
        rows = [answer[at : at + width] for at in range(3, len(answer), width)]
        self.assertEqual(len(rows), answer[2])
        self.rows(case, numbers, rows)
        return len(rows)

    def rows(self, case: Case, numbers: range, rows: list[list[int]]) -> None:
        buckets = {number: Bucket(case, number) for number in numbers}
        full = [number for number in numbers if buckets[number].points]
        told = numbers if case.fill != "none" else full
        self.assertEqual([row[0] for row in rows],
                         [buckets[number].start % (1 << 64) for number in told])
        values = {number: list(map(as_value, row[1:])) for number, row in zip(told, rows)}
        for number in told:
            at = bisect.bisect_left(full, number)
            for column, (function, parameter) in enumerate(case.columns):
                if buckets[number].points:
                    expected = buckets[number].expect(function, parameter)
                else:
                    before = (full[at - 1], values[full[at - 1]][column]) if at > 0 else None
                    after = (full[at], values[full[at]][column]) if at < len(full) else None
                    expected = fill(case, function, before, after, number)
                got = values[number][column]
                self.assertTrue(expected.allows(got), (number, function, parameter, got, expected))

    def test_random_cases(self) -> None:
        draw = Cases(SEED)
        cases = [draw.case() for _ in range(CASES)]
        rows, answers = 0, 0
        for number, (case, answer) in enumerate(zip(cases, ask(cases))):
            with self.subTest(case=number, seed=SEED):
                rows += self.check(case, answer)
            answers += 1
        self.assertEqual(answers, CASES)
        self.assertGreater(rows, 4 * CASES)

    def test_refused(self) -> None:
        good = Case(0, 10, 1, 0, "none", 0.0, [("sum", 0.0)], [], 0, 1, 1)
        asked = [words(good) for _ in range(7)]
        asked[1][4] = len(FILLS)
        asked[2][7] = len(FUNCTIONS)
        asked[3][7:9] = [FUNCTIONS.index("quantile"), math.nan]
        asked[4][7:9] = [FUNCTIONS.index("quantile"), 1.0000001]
        asked[5][6:7] = [17] + 16 * [0, 0.0]
        asked[6][1] = 1 << 20
        text = "\n".join(" ".join(map(word, one)) for one in asked)
        done = subprocess.run([str(PEER)], input=text, capture_output=True, text=True, check=True)
        self.assertEqual([int(line.split()[0], 16) for line in done.stdout.splitlines()],
                         [SUCCESS, *4 * [INVALID_ARGUMENT], *2 * [LIMIT_EXCEEDED]])


if __name__ == "__main__":
    unittest.main()
