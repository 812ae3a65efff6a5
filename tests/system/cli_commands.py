# SPDX-License-Identifier: MIT
"""The commands of tau-cli that are one operation: what they print, and how they fail."""

from __future__ import annotations

import json
import unittest

from tau_cli import ERROR, REFUSED, USAGE, Cli, Server, lines


class Commands(unittest.TestCase):
    server: Server
    cli: Cli
    number = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server().start()
        cls.cli = Cli(cls.server)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__(None)

    def series(self) -> str:
        """A new series."""
        Commands.number += 1
        name = f"series.{Commands.number}"
        self.assertEqual(self.cli.ok("create", name), "")
        return name

    def test_ping(self) -> None:
        header, row = lines(self.cli.ok("ping"))
        self.assertEqual(header.split(), ["server", "name", "round_trip_us"])
        self.assertGreater(float(row.split()[-1]), 0)
        self.assertEqual(len(lines(self.cli.ok("ping", "-c", "3", "-i", "1ms"))), 4)

    def test_create_and_drop(self) -> None:
        name = self.series()
        message = self.cli.fails(REFUSED, "create", name)
        self.assertIn("series_already_exists", message)
        self.assertTrue(message.startswith(f"tau-cli: create: {name}: "), message)
        self.cli.ok("append", name, "1", "1")
        self.assertEqual(self.cli.ok("drop", name), "")
        self.assertIn("series_not_found", self.cli.fails(REFUSED, "drop", name))
        self.cli.ok("create", name)
        self.cli.fails(ERROR, "latest", name)

    def test_append_needs_create(self) -> None:
        self.assertIn("--create", self.cli.fails(REFUSED, "append", "missing", "1", "2"))
        self.cli.fails(REFUSED, "describe", "missing")
        self.cli.ok("append", "made.by.append", "1", "2", "--create")
        self.cli.ok("append", "--create", "made.by.append", "2", "3")
        self.assertEqual(self.cli.ok("get", "made.by.append", "1"), "2\n")
        self.assertIn("out_of_order",
                      self.cli.fails(REFUSED, "append", "--create", "made.by.append", "2", "3"))

    def test_negative_numbers_are_no_options(self) -> None:
        name = self.series()
        self.cli.ok("append", name, "-5", "-7.5")
        self.cli.ok("append", name, "-4", "-inf")
        self.cli.ok("append", name, "-3", "-.5")
        self.assertEqual(self.cli.ok("get", name, "-5"), "-7.5\n")
        self.assertEqual(self.cli.ok("get", name, "-4"), "-inf\n")
        self.assertEqual(self.cli.ok("range", name, "-4", "-4", "--format", "tsv", "--time", "ns"),
                         "timestamp\tvalue\n-4\t-inf\n")
        self.cli.fails(USAGE, "append", name, "1", "-x")

    def test_values_keep_their_bits(self) -> None:
        name = self.series()
        values = ["0", "-0.0", "0.1", "1e+300", "4.94065645841247e-324", "inf", "-inf",
                  "nan(0x7ff8000000000000)", "nan(0xfff8000000000001)", "nan(0x7ff0000000000001)",
                  "0.30000000000000004", "9007199254740993"]
        for at, value in enumerate(values):
            self.cli.ok("append", name, str(at), value)
        values[-1] = "9007199254740992"
        for at, value in enumerate(values):
            self.assertEqual(self.cli.ok("get", name, str(at)), value + "\n")
        rows = [json.loads(r) for r in
                lines(self.cli.ok("range", name, "--format", "jsonl", "--time", "ns"))]
        self.assertEqual(rows[7]["value"], values[7])
        self.assertEqual(rows[8]["value"], values[8])
        self.assertEqual(rows[9]["value"], values[9])
        self.assertEqual(rows[5]["value"], "inf")
        self.assertEqual(str(rows[1]["value"]), "-0.0")

    def test_no_such_point(self) -> None:
        name = self.series()
        self.assertIn("no point", self.cli.fails(ERROR, "get", name, "1"))
        self.assertIn("no point", self.cli.fails(ERROR, "latest", name))
        self.assertIn("no point", self.cli.fails(ERROR, "plot", name))
        self.cli.fails(REFUSED, "get", "missing", "1")
        self.cli.fails(REFUSED, "latest", "missing")
        self.cli.fails(REFUSED, "range", "missing")

    def test_times(self) -> None:
        name = self.series()
        self.cli.ok("append", name, "2026-01-01T01:00:00+01:00", "1")
        self.cli.ok("append", name, "2026-01-01 00:00:00.5", "2")
        self.cli.ok("append", name, "1767225601", "3", "--unit", "s")
        self.cli.ok("append", name, "1767225601.5", "4", "-u", "s")
        self.cli.ok("append", name, "1767225602000", "5", "--unit=ms")
        self.cli.ok("append", name, "1767225602000001", "6", "--unit", "us")
        self.cli.ok("append", name, "1767225602000001001", "7")
        self.cli.ok("append", name, "2026-01-02", "8")
        table = lines(self.cli.ok("range", name, "--format", "csv"))
        self.assertEqual(table[1:], [
            "2026-01-01T00:00:00Z,1", "2026-01-01T00:00:00.500Z,2", "2026-01-01T00:00:01Z,3",
            "2026-01-01T00:00:01.500Z,4", "2026-01-01T00:00:02Z,5",
            "2026-01-01T00:00:02.000001Z,6", "2026-01-01T00:00:02.000001001Z,7",
            "2026-01-02T00:00:00Z,8"])
        self.assertEqual(self.cli.ok("get", name, "2026-01-01 00:00:00"), "1\n")
        for unit, text in (("s", "1767225602.000001001"), ("ms", "1767225602000.001001"),
                           ("us", "1767225602000001.001"), ("ns", "1767225602000001001")):
            self.assertEqual(self.cli.ok("get", name, text, "--unit", unit), "7\n")
            row = self.cli.ok("range", name, text, text, "--unit", unit, "--time", unit,
                              "--format", "csv")
            self.assertEqual(lines(row)[1], f"{text},7")
        self.assertIn("no such day", self.cli.fails(USAGE, "get", name, "2026-02-30"))
        self.cli.fails(USAGE, "get", name, "0.5")
        self.cli.fails(USAGE, "get", name, "yesterday")

    def test_relative_times(self) -> None:
        name = self.series()
        self.cli.ok("append", name, "now", "1")
        self.assertEqual(len(lines(self.cli.ok("range", name, "-1h", "now"))), 2)
        self.assertEqual(len(lines(self.cli.ok("range", name, "now-2h", "-1h"))), 1)

    def test_range_is_inclusive(self) -> None:
        name = self.series()
        for at in range(10):
            self.cli.ok("append", name, str(at), str(at * 10))

        def points(*args: str) -> list[int]:
            table = self.cli.ok("range", name, *args, "--format", "csv", "--time", "ns")
            return [int(line.split(",")[0]) for line in lines(table)[1:]]

        self.assertEqual(points(), list(range(10)))
        self.assertEqual(points("3", "5"), [3, 4, 5])
        self.assertEqual(points("8"), [8, 9])
        self.assertEqual(points("5", "3"), [])
        self.assertEqual(points("--reverse", "--limit", "2"), [9, 8])
        self.assertEqual(points("2", "-n", "2"), [2, 3])

    def test_latest_and_describe(self) -> None:
        name = self.series()
        self.cli.ok("append", name, "1970-01-01T00:00:01Z", "1")
        self.cli.ok("append", name, "1970-01-01T00:00:02Z", "2.5")
        latest = json.loads(self.cli.ok("latest", name, "--format", "json"))
        self.assertEqual(latest,
                         {"series": name, "timestamp": "1970-01-01T00:00:02Z", "value": 2.5})
        described = json.loads(self.cli.ok("describe", name, "--format", "json"))
        self.assertEqual(described["point_count"], 2)
        self.assertEqual(described["order"], "strict")
        self.assertEqual(described["first_timestamp"], "1970-01-01T00:00:01Z")
        self.assertEqual(described["last_timestamp"], "1970-01-01T00:00:02Z")
        self.assertGreater(described["identity"], 0)

    def test_describe_of_an_empty_series(self) -> None:
        """It has no first and no last time, and says so in every format."""
        name = self.series()
        described = json.loads(self.cli.ok("describe", name, "--format", "json"))
        self.assertEqual(described["point_count"], 0)
        self.assertIsNone(described["first_timestamp"])
        self.assertIsNone(described["last_timestamp"])
        header, row = lines(self.cli.ok("describe", name, "--format", "csv"))
        self.assertTrue(header.endswith(",first_timestamp,last_timestamp,retention"), header)
        self.assertTrue(row.endswith(",,,0s"), row)
        self.assertNotIn("1970", self.cli.ok("describe", name))
        self.cli.ok("append", name, "0", "1")
        self.assertIn("1970-01-01T00:00:00Z", self.cli.ok("describe", name))

    def test_describe_shows_durations_as_policy_takes_them(self) -> None:
        name = self.series()
        for text in ("30d", "1h30m", "0s"):
            self.cli.ok("policy", name, "--retention", text)
            described = json.loads(self.cli.ok("describe", name, "--format", "json"))
            self.assertEqual(described["retention"], text)
            self.cli.ok("policy", name, "--retention", described["retention"])
        self.cli.ok("policy", name, "--retention", "90s")
        described = json.loads(self.cli.ok("describe", name, "--format", "json", "--time", "ns"))
        self.assertEqual(described["retention"], 90_000_000_000)

    def test_list(self) -> None:
        for at in range(12):
            self.cli.ok("create", f"list.{at:02}")
        found = lines(self.cli.ok("list", "list."))
        self.assertEqual(found, ["series"] + [f"list.{at:02}" for at in range(12)])
        self.assertEqual(lines(self.cli.ok("list", "list.1")), ["series", "list.10", "list.11"])
        self.assertEqual(lines(self.cli.ok("list", "nothing.")), ["series"])
        self.assertIn("list.05", lines(self.cli.ok("list")))

    def test_list_pages(self) -> None:
        rows = "".join(f"page.{at:05},0,1\n" for at in range(5000))
        self.cli.ok("import", "-", stdin=rows)
        found = lines(self.cli.ok("list", "page."))
        self.assertEqual(found[1:], [f"page.{at:05}" for at in range(5000)])

    def test_labels(self) -> None:
        cases = {
            "température": "température".encode(),
            "a\\x5Cb": b"a\\b",
            "\\xFF\\x00z": b"\xff\0z",
            "tab\\x09": b"tab\t",
            "  blanks": b"  blanks",
            "": b"",
            "a,\"b\"": b'a,"b"',
        }
        with self.server.connect() as raw:
            for text, label in cases.items():
                self.cli.ok("create", text)
                padded = label.ljust(32, b"\0")
                self.assertEqual(raw.append(padded, 1, 2.0), 0)
                self.assertEqual(self.cli.ok("get", text, "1"), "2\n")
            found = lines(self.cli.ok("list", "--format", "tsv"))
            for text in cases:
                self.assertIn(text, found)
        for text in cases:
            self.cli.ok("drop", text)
        for bad in ("a\\b", "a\\x5", "x" * 33, "é" * 16 + "x", "\\xZZ"):
            self.assertIn("label", self.cli.fails(USAGE, "create", bad))
        self.cli.ok("create", "é" * 16)

    def test_lenses(self) -> None:
        name = self.series()
        self.cli.ok("append", name, "1", "20")
        self.cli.ok("lens-create", "kelvin", name, "celsius_to_kelvin")
        self.assertEqual(self.cli.ok("lens-get", "kelvin", "1"), "293.15\n")
        self.cli.ok("lens-create", "back", "kelvin", "kelvin_to_celsius")
        self.cli.ok("lens-compose", "both", "kelvin", "back")
        self.assertEqual(lines(self.cli.ok("lens-list")), ["label", "back", "both", "kelvin"])
        self.assertEqual(json.loads(self.cli.ok("lens-list", "--format", "json")),
                         [{"label": "back"}, {"label": "both"}, {"label": "kelvin"}])
        self.assertIn("no point", self.cli.fails(ERROR, "lens-get", "kelvin", "2"))
        self.assertIn("lens_not_found", self.cli.fails(REFUSED, "lens-get", "nolens", "1"))
        self.assertIn("lens_already_exists",
                      self.cli.fails(REFUSED, "lens-create", "kelvin", name, "identity"))
        message = self.cli.fails(REFUSED, "lens-create", "wrong", name, "no_such_transform")
        self.assertIn("transform: one of identity, celsius_to_fahrenheit, ", message)
        self.cli.ok("lens-drop", "kelvin")
        self.cli.fails(REFUSED, "lens-drop", "kelvin")


if __name__ == "__main__":
    unittest.main(verbosity=2)
