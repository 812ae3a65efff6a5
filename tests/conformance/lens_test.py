# SPDX-License-Identifier: MIT
# ctest: timeout=400
"""What lenses mean: every transform in its order of operations, resolution, names, limits."""

from __future__ import annotations

import math
import re
import struct
import unittest
from typing import Callable, Optional

import tau_raw as raw
from tau_raw import LENS_ALREADY_EXISTS, LENS_NOT_FOUND, QUERY_LENS, SERIES_NOT_FOUND, frame, label
from tau_server import Server, ServerCase

LENS_LIMIT = 131_072
TRANSFORM_LIMIT = 16

POINTWISE: dict[str, Callable[[float], float]] = {
    "celsius_to_fahrenheit": lambda v: v * 9 / 5 + 32,
    "fahrenheit_to_celsius": lambda v: (v - 32) * 5 / 9,
    "celsius_to_kelvin": lambda v: v + 273.15,
    "kelvin_to_celsius": lambda v: v - 273.15,
    "meters_to_feet": lambda v: v / 0.3048,
    "feet_to_meters": lambda v: v * 0.3048,
}
VALUES = (0.0, -0.0, 1.0, -40.0, 21.5, 36.6, 0.1, 1e-310, 1.7e308, -1.7e308, 5e-324,
          math.inf, -math.inf, math.nan, 100.0, 273.15, 1 / 3, 12345.678)


def divide(a: float, b: float) -> float:
    """IEEE division, which Python refuses for a zero."""
    if b != 0 or math.isnan(a):
        return a / b if b != 0 else math.nan
    if a == 0:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def logarithm(v: float) -> float:
    if math.isnan(v) or v < 0:
        return math.nan
    return -math.inf if v == 0 else math.log(v)


class LensCase(ServerCase):
    def setUp(self) -> None:
        self.client = self.connect()

    def series(self, *values: float) -> bytes:
        name = self.label()
        self.assertEqual(self.client.create(name), 0)
        for timestamp, value in enumerate(values):
            self.assertEqual(self.client.append(name, timestamp, value), 0)
        return name

    def create(self, source: bytes, transform: str, name: Optional[bytes] = None) -> bytes:
        name = name or self.label()
        self.assertEqual(self.status(raw.CREATE_LENS, name, source, label(transform)), 0)
        return name

    def compose(self, first: bytes, second: bytes) -> bytes:
        name = self.label()
        self.assertEqual(self.status(raw.COMPOSE_LENS, name, first, second), 0)
        return name

    def status(self, opcode: int, *parts: bytes) -> int:
        return self.client.request(opcode, b"".join(parts)).status

    def read(self, lens: bytes, timestamp: int) -> Optional[float]:
        value = self.client.query(lens, timestamp, QUERY_LENS)
        return None if value is None else float(struct.unpack(">d", value)[0])

    def same(self, got: Optional[float], expected: Optional[float], what: object = None) -> None:
        """Equal as bits, but for NaN: arithmetic promises that it is one, not which."""
        if expected is None or got is None:
            self.assertIs(got, expected, what)
        elif math.isnan(expected):
            self.assertTrue(math.isnan(got), what)
        else:
            self.assertEqual(raw.bits(got), raw.bits(expected), what)


class Transforms(LensCase):
    def test_pointwise(self) -> None:
        source = self.series(*VALUES)
        for transform, compute in POINTWISE.items():
            lens = self.create(source, transform)
            for timestamp, value in enumerate(VALUES):
                self.same(self.read(lens, timestamp), compute(value), (transform, value))
            self.assertIsNone(self.read(lens, len(VALUES)))
            self.assertIsNone(self.read(lens, -1))

    def test_identity_keeps_all_bits(self) -> None:
        patterns = (0x7FF0000000000001, 0xFFF8000000000123, 0x8000000000000000, 0x1, 2**64 - 1)
        source = self.series()
        for timestamp, pattern in enumerate(patterns):
            self.assertEqual(self.client.append(source, timestamp, pattern), 0)
        lens = self.create(self.create(source, "identity"), "identity")
        for timestamp, pattern in enumerate(patterns):
            self.assertEqual(self.client.query(lens, timestamp, QUERY_LENS), raw.bits(pattern))

    def test_changes(self) -> None:
        source = self.series(*VALUES)
        returns = self.create(source, "returns")
        log_return = self.create(source, "log_return")
        for lens in (returns, log_return):
            self.assertIsNone(self.read(lens, 0), "the first point has no previous one")
        for t in range(1, len(VALUES)):
            ratio = divide(VALUES[t], VALUES[t - 1])
            self.same(self.read(returns, t), ratio - 1, t)
            got = self.read(log_return, t)
            expected = logarithm(ratio)
            if got is not None and math.isfinite(expected):
                self.assertLessEqual(abs(got - expected), math.ulp(expected), t)
            else:
                self.same(got, expected, t)

    def test_zero_is_found(self) -> None:
        returns = self.create(self.series(0.0, 0.0, 5.0, 0.0, -1.0), "returns")
        for timestamp, expected in ((1, math.nan), (2, math.inf), (3, -1.0), (4, -math.inf)):
            self.same(self.read(returns, timestamp), expected)

    def test_changes_of_transformed_values(self) -> None:
        """The previous point goes through the same transforms, and each `returns` costs a point."""
        values = (10.0, 12.5, 11.0, 40.0, 41.5)
        kelvin = self.create(self.series(*values), "celsius_to_kelvin")
        once = self.create(kelvin, "returns")
        twice = self.create(once, "returns")
        after = self.create(twice, "celsius_to_fahrenheit")
        warm = [v + 273.15 for v in values]
        first = [None] + [warm[t] / warm[t - 1] - 1 for t in range(1, 5)]
        for t in range(5):
            self.same(self.read(once, t), first[t])
            before, now = (first[t - 1] if t else None), first[t]
            expected = None if before is None or now is None else divide(now, before) - 1
            self.same(self.read(twice, t), expected)
            self.same(self.read(after, t), None if expected is None else expected * 9 / 5 + 32)

    def test_changes_follow_the_stored_previous_point(self) -> None:
        source = self.series()
        for timestamp, value in ((-(2**63), 1.0), (7, 3.0), (2**63 - 1, 12.0)):
            self.assertEqual(self.client.append(source, timestamp, value), 0)
        returns = self.create(source, "returns")
        self.same(self.read(returns, -(2**63)), None)
        self.same(self.read(returns, 7), 2.0)
        self.same(self.read(returns, 2**63 - 1), 3.0)

    def test_changes_across_chunks(self) -> None:
        source = self.series()
        count = 2500
        self.client.send(raw.join(raw.append_frame(source, t, float(t + 1)) for t in range(count)))
        self.assertTrue(all(r.status == 0 for r in self.client.receive_all(count)))
        returns = self.create(source, "returns")
        for t in (*range(1015, 1035), *range(2040, 2056)):
            self.same(self.read(returns, t), (t + 1) / t - 1, t)


class Resolution(LensCase):
    def test_live(self) -> None:
        source = self.series()
        lens = self.create(source, "celsius_to_kelvin")
        self.assertIsNone(self.read(lens, 5))
        self.assertEqual(self.client.append(source, 5, 1.0), 0)
        self.same(self.read(lens, 5), 274.15)

    def test_composition(self) -> None:
        """f's source, f's list, then g's list; what g looked at does not matter."""
        source, other = self.series(10.0), self.series(99.0)
        to_f = self.create(source, "celsius_to_fahrenheit")
        to_ft = self.create(other, "feet_to_meters")
        self.same(self.read(self.compose(to_f, to_ft), 0), (10.0 * 9 / 5 + 32) * 0.3048)
        self.same(self.read(self.compose(to_ft, to_f), 0), (99.0 * 0.3048) * 9 / 5 + 32)
        self.same(self.read(self.compose(to_f, to_f), 0), (10.0 * 9 / 5 + 32) * 9 / 5 + 32)

    def test_dropping_a_lens_changes_no_other(self) -> None:
        source = self.series(1.0)
        first = self.create(source, "celsius_to_kelvin")
        second = self.create(first, "kelvin_to_celsius")
        third = self.compose(first, second)
        for lens in (first, second):
            self.assertEqual(self.status(raw.DROP_LENS, lens), 0)
        self.same(self.read(third, 0), 1.0 + 273.15 + 273.15 - 273.15)

    def test_source_is_a_series_first(self) -> None:
        name, other = self.label(), self.series(100.0)
        self.create(other, "celsius_to_kelvin", name)
        self.same(self.read(self.create(name, "identity"), 0), 373.15)
        self.assertEqual(self.client.create(name), 0)
        self.assertEqual(self.client.append(name, 0, 7.0), 0)
        self.same(self.read(self.create(name, "identity"), 0), 7.0)
        self.same(self.read(name, 0), 373.15)
        self.assertEqual(self.client.query(name, 0), raw.bits(7.0))

    def test_no_cycle(self) -> None:
        """A lens dropped and made again of one that came from it starts from the old source."""
        source = self.series(0.0)
        first = self.create(source, "celsius_to_kelvin")
        second = self.create(first, "celsius_to_kelvin")
        self.assertEqual(self.status(raw.DROP_LENS, first), 0)
        self.create(second, "celsius_to_kelvin", first)
        self.same(self.read(first, 0), 273.15 + 273.15 + 273.15)
        self.assertEqual(self.status(raw.CREATE_LENS, self.label(), self.label(),
                                     label("identity")), SERIES_NOT_FOUND)

    def test_dropped_source(self) -> None:
        source = self.series(1.0, 2.0)
        lens = self.create(source, "identity")
        self.assertEqual(self.client.drop(source), 0)
        reply = self.client.request(QUERY_LENS, lens + bytes(8))
        self.assertEqual(reply.status, SERIES_NOT_FOUND)
        self.assertEqual(self.client.create(source), 0)
        self.assertIsNone(self.read(lens, 0))
        self.assertEqual(self.client.append(source, 0, 42.0), 0)
        self.same(self.read(lens, 0), 42.0)


class Refusals(LensCase):
    def test_create(self) -> None:
        source = self.series(1.0)
        name, missing = self.label(), self.label()
        create, identity = raw.CREATE_LENS, label("identity")
        self.assertEqual(self.status(create, name, missing, identity), SERIES_NOT_FOUND)
        for transform in (bytes(32), label("Identity"), label("identit"), label("identity "),
                          b"identity\0x" + bytes(22), b"x" * 32, label("identityidentity")):
            self.assertEqual(self.status(create, name, source, transform), raw.INVALID_PAYLOAD)
        self.assertEqual(self.status(QUERY_LENS, name, bytes(8)), LENS_NOT_FOUND)
        self.assertEqual(self.status(create, name, source, identity), 0)
        self.assertEqual(self.status(create, name, source, identity), LENS_ALREADY_EXISTS)

    def test_an_unknown_transform_is_told_from_the_others(self) -> None:
        """A detailed error names the field, where it stands, and every transform that there is."""
        source, payload = self.series(1.0), self.label() + self.label() + label("Identity")
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        reply = self.client.request(raw.CREATE_LENS, payload)
        status, field, offset, length = struct.unpack_from(">BHIH", reply.payload)
        text = reply.payload[9:].decode()
        self.assertEqual((reply.opcode, status), (raw.ERR, raw.INVALID_PAYLOAD))
        self.assertEqual((field, offset, length), (2, 64, len(text)))
        self.assertTrue(text.startswith("transform: "), text)
        names = set(re.findall(r"[a-z_]+", text.removeprefix("transform: one of "))) - {"or"}
        self.assertEqual(names, {*POINTWISE, "identity", "returns", "log_return"})
        for name in names:
            self.create(source, name)
        missing = self.client.request(raw.CREATE_LENS, self.label() * 2 + label("identity"))
        self.assertEqual(missing.payload[:7], bytes((SERIES_NOT_FOUND, 0xFF, 0xFF)) + bytes(4))

    def test_compose(self) -> None:
        lens = self.create(self.series(1.0), "identity")
        missing = self.label()
        for first, second in ((missing, lens), (lens, missing), (missing, missing)):
            self.assertEqual(self.status(raw.COMPOSE_LENS, self.label(), first, second),
                             LENS_NOT_FOUND)
        self.assertEqual(self.status(raw.COMPOSE_LENS, lens, lens, lens), LENS_ALREADY_EXISTS)

    def test_drop(self) -> None:
        lens = self.create(self.series(1.0), "identity")
        self.assertEqual(self.status(raw.DROP_LENS, lens), 0)
        self.assertEqual(self.status(raw.DROP_LENS, lens), LENS_NOT_FOUND)
        self.assertEqual(self.status(QUERY_LENS, lens, bytes(8)), LENS_NOT_FOUND)

    def test_separate_name_spaces(self) -> None:
        source = self.series(1.0)
        self.create(source, "celsius_to_kelvin", source)
        self.assertEqual(self.status(raw.DROP_LENS, source), 0)
        self.assertEqual(self.client.query(source, 0), raw.bits(1.0))

    def test_sixteen_transforms(self) -> None:
        lens = self.series(0.0)
        lenses = []
        for _ in range(TRANSFORM_LIMIT):
            lens = self.create(lens, "celsius_to_kelvin")
            lenses.append(lens)
        expected = 0.0
        for _ in range(TRANSFORM_LIMIT):
            expected += 273.15
        self.same(self.read(lens, 0), expected)
        self.assertEqual(self.status(raw.CREATE_LENS, self.label(), lens,
                                     label("celsius_to_kelvin")), raw.LIMIT_EXCEEDED)
        self.assertEqual(self.status(raw.COMPOSE_LENS, self.label(), lenses[8], lenses[7]),
                         raw.LIMIT_EXCEEDED)
        self.same(self.read(self.compose(lenses[8], lenses[6]), 0), expected)

    def test_a_detailed_error_tells_the_limits(self) -> None:
        lens = self.series(0.0)
        for _ in range(TRANSFORM_LIMIT):
            lens = self.create(lens, "identity")
        self.client.negotiate(raw.FEATURE_DETAILED_ERRORS)
        self.addCleanup(self.client.negotiate)
        for opcode, payload in ((raw.CREATE_LENS, self.label() + lens + label("identity")),
                                (raw.COMPOSE_LENS, self.label() + lens + lens)):
            reply = self.client.request(opcode, payload)
            self.assertEqual(struct.unpack_from(">BHI", reply.payload),
                             (raw.LIMIT_EXCEEDED, 2, 64))
            for limit in (TRANSFORM_LIMIT, LENS_LIMIT):
                self.assertIn(f"at most {limit}", reply.payload[9:].decode())


class Listing(unittest.TestCase):
    def test_ascending_and_bounded(self) -> None:
        """As many lenses as fill one frame, made in a disorderly order; one more is refused."""
        limit = LENS_LIMIT
        with Server("--workers", "1", "--durability", "os") as server:
            with server.connect(timeout=60) as client:
                self.assertEqual(client.request(raw.LIST_LENSES), raw.Reply(raw.OK, 0, b""))
                source = label("source")
                self.assertEqual(client.create(source), 0)
                names = [struct.pack(">Q", n * 0x9E3779B97F4A7C15 % 2**64) + b"\xff" * 24
                         for n in range(limit)]
                self.make(client, names, source)
                more = label("one more") + source + label("identity")
                self.assertEqual(client.request(raw.CREATE_LENS, more).status, raw.LIMIT_EXCEEDED)
                listed = client.request(raw.LIST_LENSES)
                self.assertEqual(len(listed.payload), raw.PAYLOAD_LIMIT)
                self.assertEqual(raw.parse_labels(listed.payload), sorted(names))
                self.assertEqual(client.request(raw.DROP_LENS, names[5]).status, 0)
                self.assertEqual(client.request(raw.CREATE_LENS, more).status, 0)

    def make(self, client: raw.Connection, names: list[bytes], source: bytes) -> None:
        step = 4096
        for start in range(0, len(names), step):
            part = names[start:start + step]
            client.send(raw.join(frame(raw.CREATE_LENS, name + source + label("identity"))
                                 for name in part))
            for reply in client.receive_all(len(part)):
                self.assertEqual(reply.status, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
