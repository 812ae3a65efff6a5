# SPDX-License-Identifier: MIT
# ctest: timeout=300
"""The storage benchmark without the servers that it measures: its points are the same everywhere
and in every form, it finds the end of every reply, it reads what each server answers, and it
notices an answer that is wrong. With --update the servers that are installed are asked for the
answers that are kept."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "tests" / "bench"))

from storage import points, workloads  # noqa: E402
from storage.clickhouse import ClickHouse  # noqa: E402
from storage.growth import OVERALL, READS, SERIES, point_value  # noqa: E402
from storage.influxdb import InfluxDB  # noqa: E402
from storage.peer import Peer  # noqa: E402
from storage.prometheus import Prometheus  # noqa: E402
from storage.questions import (  # noqa: E402
    HIGH, KINDS, METRICS, NO_VALUE, START_S, STEP_S, Question, Table, Truth, Workload, difference,
    make_questions)
from storage.table import AGREE, Row, middle, render  # noqa: E402
from storage.taud import Tau  # noqa: E402
from storage.tools import (  # noqa: E402
    Exchange, Programs, Trouble, on_processor, processors, read_answers, write_exchanges)
from storage.victoriametrics import VictoriaMetrics  # noqa: E402

BUILD = Path(os.environ.get("TAU_BUILD_DIR", ROOT / "build" / "release")).resolve()
SAMPLES = ROOT / "tests" / "bench" / "storage" / "samples.json"
SMALL = Workload(hosts=3, steps=30, seed=5)  # whose first metric crosses HIGH
LATE = Workload(hosts=10, steps=3000, late=True)

# Of what the generator writes for SMALL. Another sum is another workload, whose figures cannot be
# compared with earlier ones.
SUMS = {
    "lines": "b96abd4914efcb62",
    "rows": "0bee3b341ee76689",
    "remote-write": "4c19108f8544abe8",
    "values": "35a35619610ac7cc",
}
LATE_SUM = "0285a14fc53ce365"
INTEGER_SUM = "d42ea3d0f41a4b0c"


def small_questions() -> dict[str, Question]:
    """One for each shape that is parsed; `rows` has what to find only where a value is high."""
    end_s = START_S + SMALL.steps * STEP_S
    return {
        "buckets": Question("b", "buckets", METRICS[:2], (0, 2), START_S, end_s - 60, 60, "max"),
        "by_host": Question("h", "by_host", METRICS[:2], (), START_S, end_s, 60, "mean"),
        "rows": Question("r", "rows", METRICS, (), START_S, end_s),
        "last": Question("l", "last", METRICS, (), START_S, end_s),
        "top": Question("t", "top", METRICS[:1], (), end_s - 300, end_s, 60, "max"),
        "raw": Question("w", "raw", METRICS[:1], (1,), START_S + 50, end_s - 40),
        "total": Question("a", "total", METRICS[:1], (), START_S, end_s),
    }


class Rig(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="tau-bench-")
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.programs = Programs(BUILD)

    def generate(self, form: str, workload: Workload, *more: str) -> bytes:
        file = self.root / "generated"
        self.programs.run("generate", form, str(file), *workload.arguments(), *more)
        return file.read_bytes()

    def truth(self, workload: Workload) -> Truth:
        file = self.root / "values"
        self.programs.run("generate", "values", str(file), *workload.arguments())
        return Truth(workload, file)

    def bodies(self, form: str, workload: Workload, *more: str) -> list[tuple[int, bytes]]:
        """Of each request its lane and what it carries."""
        data, at, found = self.generate(form, workload, *more), 0, []
        while at < len(data):
            size, reply, _, lane = struct.unpack_from("<4I", data, at)
            self.assertEqual(reply, 0)
            head, body = data[at + 16:at + 16 + size].split(b"\r\n\r\n", 1)
            self.assertIn(b"Content-Length: %d" % len(body), head)
            found.append((lane, body))
            at += 16 + size
        return found


Point = tuple[str, str, int, float]  # host, metric, seconds, value


def points_of_lines(body: bytes) -> Iterator[Point]:
    for line in body.decode().splitlines():
        name, fields, time = line.split(" ")
        host = name.removeprefix("cpu,hostname=")
        for field in fields.split(","):
            metric, value = field.split("=")
            yield host, metric, int(time) // 10**9, float(value)


def points_of_rows(body: bytes) -> Iterator[Point]:
    for time, host, *values in struct.iter_unpack("<2I10d", body):
        for metric, value in zip(METRICS, values):
            yield f"host_{host}", metric, time, value


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def unsnapped(data: bytes) -> bytes:
    size, at = varint(data, 0)
    out = b""
    while at < len(data):
        assert data[at] == 61 << 2, "a literal with its length in two bytes"
        length = int.from_bytes(data[at + 1:at + 3], "little") + 1
        out += data[at + 3:at + 3 + length]
        at += 3 + length
    assert len(out) == size
    return out


def fields_of(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message: bytes, doubles or numbers."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            yield key >> 3, data[at:at + size]
            at += size
        elif key & 7 == 1:
            yield key >> 3, struct.unpack_from("<d", data, at)[0]
            at += 8
        else:
            value, at = varint(data, at)
            yield key >> 3, value


def points_of_remote_write(body: bytes) -> Iterator[Point]:
    for _, series in fields_of(unsnapped(body)):
        labels: dict[bytes, bytes] = {}
        for number, field in fields_of(series):
            found = dict(fields_of(field))
            if number == 1:
                labels[found[1]] = found[2]
            else:
                name = labels[b"__name__"].decode().removeprefix("cpu_")
                yield labels[b"hostname"].decode(), name, found[2] // 1000, found[1]


FORMS = {"lines": points_of_lines, "rows": points_of_rows, "remote-write": points_of_remote_write}


class Generator(Rig):
    def test_sums(self) -> None:
        """Equal on every machine, with every compiler and sanitizer."""
        for form, expected in SUMS.items():
            found = self.programs.run("generate", form, "-", *SMALL.arguments())
            self.assertEqual(found["sum"], expected, form)
        late = self.programs.run("generate", "lines", "-", *LATE.arguments())
        self.assertEqual(late["sum"], LATE_SUM)
        integers = Workload(SMALL.hosts, SMALL.steps, SMALL.seed, integers=True)
        self.assertEqual(self.programs.run("generate", "values", "-", *integers.arguments())["sum"],
                         INTEGER_SUM)

    def test_forms_hold_the_same_points(self) -> None:
        for workload in (SMALL, Workload(5, 200, late=True)):
            truth = self.truth(workload)
            expected = sorted((f"host_{host}", metric, time, value)
                              for host in range(workload.hosts) for metric in METRICS
                              for time, value in truth.series(host, metric, 0, 2**40))
            self.assertGreater(len(expected), 500)
            for form, parse in FORMS.items():
                bodies = self.bodies(form, workload, "--lanes", "2", "--reports", "7")
                found = sorted(p for _, body in bodies for p in parse(body))
                self.assertEqual(found, expected, form)
                for lane, body in bodies:
                    self.assertEqual({int(p[0][5:]) % 2 for p in parse(body)}, {lane}, form)

    def test_parts_are_the_whole(self) -> None:
        whole = [p for _, body in self.bodies("lines", SMALL) for p in points_of_lines(body)]
        parts = [p for first, end in ((0, 11), (11, 30))
                 for _, body in self.bodies("lines", SMALL, "--first-step", str(first),
                                            "--end-step", str(end))
                 for p in points_of_lines(body)]
        self.assertEqual(parts, whole)

    def test_walks(self) -> None:
        values = self.truth(Workload(10, 2000)).values
        self.assertEqual((min(values) >= 0, max(values) <= 10000), (True, True))
        steps = [b - a for i in range(0, len(values), 2000)
                 for a, b in zip(values[i:i + 1999], values[i + 1:i + 2000])]
        self.assertGreater(len(set(values)), 5000)
        self.assertTrue(80 <= (sum(s * s for s in steps) / len(steps)) ** 0.5 <= 105)
        whole = self.truth(Workload(2, 500, integers=True)).values
        self.assertEqual({value % 100 for value in whole}, {0})

    def test_late(self) -> None:
        """A tenth missing, three tenths late by up to an hour, some batches by up to six more."""
        truth = self.truth(LATE)
        missing = sum(value == NO_VALUE for value in truth.values) / len(truth.values)
        self.assertTrue(0.09 < missing < 0.11, missing)
        times = [p[2] for _, body in self.bodies("lines", LATE) for p in points_of_lines(body)
                 if p[1] == METRICS[0]]
        newest, late = 0, []
        for time in times:
            newest = max(newest, time)
            late.append(newest - time)
        self.assertTrue(0.3 < sum(one > 0 for one in late) / len(late) < 0.45)
        self.assertTrue(3 * 3600 < max(late) <= 7 * 3600, max(late))

    def test_what_it_does_not_understand(self) -> None:
        for words in (["lines"], ["words", "-"], ["lines", "-", "--hosts"],
                      ["lines", "-", "--hosts", "x"], ["lines", "-", "--hosts", "0"],
                      ["lines", "-", "--fast", "1"],
                      ["lines", "-", "--end-step", "9", "--steps", "8"],
                      ["lines", "-", "--hosts", "1000000", "--steps", "100000"],
                      ["lines", "-", "--lanes", "65"]):
            with self.assertRaises(Trouble, msg=words):
                self.programs.run("generate", *words)


class Answers(Rig):
    """What servers said to small_questions about SMALL was kept."""

    PEERS: dict[str, type[Peer]] = {"VictoriaMetrics": VictoriaMetrics, "Prometheus": Prometheus,
                                    "InfluxDB": InfluxDB, "ClickHouse": ClickHouse}

    def test_kept_answers_are_read(self) -> None:
        truth = self.truth(SMALL)
        samples = json.loads(SAMPLES.read_text(encoding="utf-8"))
        self.assertEqual(samples.keys(), self.PEERS.keys())
        for name, bodies in samples.items():
            peer = self.PEERS[name](self.programs, self.root)
            for shape, question in small_questions().items():
                with self.subTest(server=name, shape=shape):
                    right = truth.answer(question)
                    self.assertTrue(right)
                    found = peer.table(question, bodies[shape].encode())
                    self.assertEqual(difference(found, right), "")

    def test_errors_are_no_answers(self) -> None:
        question = small_questions()["raw"]
        for kind, body in ((VictoriaMetrics, b'{"status":"error","error":"no"}'),
                           (Prometheus, b"<html>"),
                           (InfluxDB, b'{"results":[{"error":"database not found"}]}')):
            with self.assertRaises(Trouble):
                kind(self.programs, self.root).table(question, body)

    def test_wrong_answers_are_noticed(self) -> None:
        draw = random.Random(7)
        for shape, question in small_questions().items():
            right = self.truth(SMALL).answer(question)
            self.assertEqual(difference(right, right), "")
            for spoil in (self.other_value, self.without_point, self.other_time,
                          self.without_column, self.further_column):
                spoilt: Table = {key: dict(column) for key, column in right.items()}
                spoil(spoilt, draw)
                with self.subTest(shape=shape, spoil=spoil.__name__):
                    self.assertNotEqual(difference(spoilt, right), "")

    @staticmethod
    def other_value(table: Table, draw: random.Random) -> None:
        column = table[draw.choice(sorted(table))]
        time = draw.choice(sorted(column))
        column[time] = column[time] * (1 + 1e-8) + 1e-8

    @staticmethod
    def without_point(table: Table, draw: random.Random) -> None:
        column = table[draw.choice(sorted(table))]
        del column[draw.choice(sorted(column))]

    @staticmethod
    def other_time(table: Table, draw: random.Random) -> None:
        column = table[draw.choice(sorted(table))]
        last = max(column)
        column[last + 1] = column.pop(last)

    @staticmethod
    def without_column(table: Table, draw: random.Random) -> None:
        del table[draw.choice(sorted(table))]

    @staticmethod
    def further_column(table: Table, _: random.Random) -> None:
        table["host_999", "usage_user"] = {START_S: 1.0}

    def test_right_answers(self) -> None:
        """The truth by hand: the values of two hosts and three steps are small enough."""
        truth = self.truth(SMALL)
        truth.values[0:3] = type(truth.values)("H", [9001, NO_VALUE, 500])
        raw = Question("", "raw", METRICS[:1], (0,), START_S, START_S + 3 * STEP_S)
        self.assertEqual(truth.answer(raw), {("host_0", "usage_user"): {START_S: 90.01,
                                                                        START_S + 20: 5.0}})
        mean = Question("", "by_host", METRICS[:1], (0,), START_S, START_S + 30, 20, "mean")
        self.assertEqual(truth.answer(mean), {("host_0", "usage_user"): {START_S: 90.01,
                                                                         START_S + 20: 5.0}})
        high = Question("", "rows", METRICS[:1], (0,), START_S, START_S + 30)
        self.assertEqual(truth.answer(high), {("host_0", "usage_user"): {START_S: 90.01}})
        self.assertGreater(90.01, HIGH)

    def test_questions_are_the_same_in_every_run(self) -> None:
        workload = Workload(100, 8640)
        made = make_questions(workload, 0.2)
        self.assertEqual(made, make_questions(workload, 0.2))
        for asked in made.values():
            for question in asked:
                self.assertTrue(START_S <= question.from_s < question.to_s <= workload.end_s)
                self.assertEqual(question.from_s % (question.bucket_s or 1), 0)


class Replies(Rig):
    """bench_exchange against servers of a few lines."""

    def serve(self, replies: list[list[bytes]]) -> int:
        """Takes one connection; answers each request in the pieces that are given."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def work() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for pieces in replies:
                    if not connection.recv(65536):
                        return
                    for piece in pieces:
                        connection.sendall(piece)
                connection.recv(1)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)
        return int(listener.getsockname()[1])

    def exchange(self, framing: str, exchanges: list[Exchange],
                 replies: list[list[bytes]]) -> tuple[dict[str, Any], list[bytes]]:
        file, answers = self.root / "exchanges", self.root / "answers"
        write_exchanges(file, exchanges)
        found = self.programs.run("exchange", framing, "127.0.0.1", str(self.serve(replies)),
                                  str(file), "--answers", str(answers))
        return found, [answer.body for answer in read_answers(answers)]

    def test_http(self) -> None:
        chunked = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n")
        replies = [[b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"],
                   [b"HTTP/1.1 204 No Content\r\n\r\n"],
                   [chunked[i:i + 1] for i in range(len(chunked))],
                   [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]]
        found, bodies = self.exchange("http", [Exchange(b"GET", points=2)] * 4, replies)
        self.assertEqual((found["exchanges"], found["failed"], found["points"]), (4, 0, 8))
        self.assertEqual(bodies, [b"hello", b"", b"Wikipedia", b""])

    def test_http_refusal(self) -> None:
        found, bodies = self.exchange("http", [Exchange(b"GET", points=3)] * 2, [
            [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nnot so!"],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]])
        self.assertEqual((found["failed"], found["points"]), (1, 3))
        self.assertIn("not so!", found["words"])
        self.assertEqual(bodies, [b"not so!", b""])

    def test_broken_replies(self) -> None:
        for reply in (b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nbody without a length",
                      b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ntoo much",
                      b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.assertRaises(Trouble, msg=reply):
                self.exchange("http", [Exchange(b"GET")], [[reply]])

    def test_exact(self) -> None:
        good, bad = Exchange(b"a", b"+OK\r\n", 1), Exchange(b"b", b"+OK\r\n", 1)
        replies = [[b"+O", b"K\r\n"], [b"+NO\r\n"], [b"+OK\r\n"]]
        found, _ = self.exchange("exact", [good, bad, good], replies)
        self.assertEqual((found["exchanges"], found["failed"], found["points"]), (3, 1, 2))

    def test_counting_anew(self) -> None:
        """Of five replies those count that come after the signal; the one underway is the last."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        file = self.root / "exchanges"
        write_exchanges(file, [Exchange(b"a", b"b", 1)])
        asking = self.programs.background("exchange", "exact", "127.0.0.1",
                                          str(listener.getsockname()[1]), str(file),
                                          "--repeat", "1")
        self.addCleanup(asking.give_up)
        connection, _ = listener.accept()
        with connection:
            asking.wait_for("ready")
            for number in range(5):
                self.assertEqual(connection.recv(2), b"a")
                if number == 2:
                    asking.count_anew()
                    self.wait_until_caught(asking.child.pid)
                if number == 4:
                    asking.child.terminate()
                    self.wait_until_caught(asking.child.pid)
                connection.sendall(b"b")
            self.assertEqual(asking.finish()["exchanges"], 3)

    def wait_until_caught(self, pid: int) -> None:
        """Until no signal is pending, and time for the handler to end."""
        for _ in range(1000):
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            if "ShdPnd:\t0000000000000000" in status and "SigPnd:\t0000000000000000" in status:
                break
            time.sleep(0.001)
        time.sleep(0.05)

    def test_rounds_of_stores(self) -> None:
        for operation in (points.redis_set, points.redis_get, points.memcached_set,
                          points.memcached_get):
            made = list(points.batches(operation, 16, 64))
            self.assertEqual((len(made), made[0].points), (4, 16))
            self.assertEqual((made[0].request + made[0].reply).count(points.VALUE), 16)

    def test_a_file_that_is_none(self) -> None:
        file = self.root / "exchanges"
        for data in (b"short", struct.pack("<4I", 100, 0, 0, 0) + b"less",
                     struct.pack("<4I", 0, 0, 0, 0)):
            file.write_bytes(data)
            with self.assertRaises(Trouble):
                self.programs.run("exchange", "http", "127.0.0.1", "1", str(file))


class Fake(points.Server):
    """Notes where it and its client run, and finds what it is told to."""

    def __init__(self, name: str, syncs: bool, directory: Path, noted: list[str],
                 found: dict[str, Any]) -> None:
        super().__init__(name, syncs, Programs(BUILD), directory, 1)
        self.noted = noted
        self.found = {"seconds": 1.0, "p50_us": 1.0, "p99_us": 2.0, "p999_us": 3.0, **found}

    def note(self, what: str) -> None:
        self.noted.append(f"{self.name} {what} {sorted(os.sched_getaffinity(0))}")

    def start(self) -> None:
        self.note("starts")

    def stop(self) -> None:
        self.noted.append(f"{self.name} stops")

    def run(self, test: points.Test) -> dict[str, Any]:
        if "trouble" in self.found:
            raise Trouble(self.found["trouble"])
        self.note("is asked")
        return self.found


class Places(Rig):
    """Servers of single values beside each other."""

    def measured(self, test: points.Test, *servers: Fake) -> points.Points:
        measured = points.Points()
        with contextlib.redirect_stderr(io.StringIO()):
            for server in servers:
                measured.start(server)
            measured.measure(test)
        return measured

    def test_turns_and_processors(self) -> None:
        noted: list[str] = []
        first, last = processors()[0], processors()[-1]
        servers = [Fake(name, False, self.root / name, noted, {}) for name in ("A", "B")]
        for apart, place in ((True, last), (False, first)):
            noted.clear()
            for server in servers:
                shutil.rmtree(server.directory, ignore_errors=True)
            self.measured(points.Test(True, 16, apart), *servers)
            self.assertEqual(noted, [f"{name} starts [{first}]" for name in "AB"] + [
                f"{name} is asked [{place}]"
                for turn in range(points.ROUNDS) for name in ("AB", "BA")[turn % 2]])

    def test_what_goes_wrong(self) -> None:
        """A reply that is not the right one is said to be wrong; who is in trouble is out, and
        the others go on."""
        noted: list[str] = []
        what: dict[str, dict[str, Any]] = {"Good": {}, "Bad": {"failed": 2},
                                           "Out": {"trouble": "it ended"}}
        found = self.measured(points.Test(True, 1), *(
            Fake(name, False, self.root / name, noted, one) for name, one in what.items()))
        rows = {row.server: row for row in found.rows}
        self.assertEqual({name: (row.answers, row.wrong) for name, row in rows.items()}, {
            "Good": (AGREE, False), "Bad": ("2 batches WRONG", True),
            "Out": ("FAILED: it ended", True)})
        self.assertEqual([server.name for server in found.running], ["Good", "Bad"])
        self.assertEqual(noted.count("Out stops"), 1)

    def test_who_is_compared_with_whom(self) -> None:
        """A store that syncs its writes is asked for nothing else, and the others' writes are
        compared with those that Tau does not sync either."""
        synced, plain = (Fake("Store, always", True, self.root, [], {}),
                         Fake("Store, plain", False, self.root, [], {}))
        write, read = points.Test(True, 1), points.Test(False, 1)
        self.assertEqual([server.takes(test) for server in (synced, plain)
                          for test in (write, read)], [True, False, True, True])
        self.assertEqual([(row.server, row.against) for row in (
            synced.measure(write), plain.measure(write), plain.measure(read))],
            [("Store, always", "Tau"), ("Store, plain", "Tau, os"), ("Store", "Tau")])


class Whole(Rig):
    def test_tau_alone(self) -> None:
        """All workloads on the server of this build, as small as they come; no other is found."""
        said, told = io.StringIO(), io.StringIO()
        with (contextlib.redirect_stdout(said), contextlib.redirect_stderr(told),
              mock.patch.dict(os.environ, PATH=str(self.root)),
              mock.patch.multiple(points, ROUNDS=2, KEYS=50),
              mock.patch.multiple(workloads, FEEDINGS=2, ROUND_S=math.inf)):
            run = workloads.Run(BUILD, self.root / "run", 0.001, workloads.LETTERS,
                                [*workloads.PEERS, *workloads.STORES])
            self.assertEqual(run.go(), 0, said.getvalue() + told.getvalue())
        for name in (*Answers.PEERS, *(store.name for store in points.STORES)):
            self.assertIn(f"goes without {name}", told.getvalue())
            self.assertIn(f"{name.partition(',')[0]} is not installed", said.getvalue())
        self.assertEqual({row.server for row in run.rows}, {"Tau", "Tau, rows", "Tau, os"})
        rows = {row.workload: row for row in run.rows if row.server == "Tau"}
        for workload in ("(a) ingest", "(b) ingest", "(c) ingest", "(d) ingest"):
            self.assertTrue(rows[workload].rate, workload)
            self.assertEqual(rows[workload].answers, AGREE)
        for letter, rounds in workloads.ROUNDS.items():
            times = rounds * 2 if rounds > 1 else 1
            self.assertEqual(len(rows[f"({letter}) ingest"].rates), times)
        for test in points.TESTS:
            if test.apart and len(processors()) == 1:
                continue
            found = rows[test.name]
            self.assertEqual((found.answers, len(found.rates)), (AGREE, 2), test.name)
            self.assertTrue(found.rates[0] <= (found.rate or 0) <= found.rates[-1])
        for kind in (kind for kind, *_ in KINDS):
            self.assertEqual((rows[f"(e) {kind}"].answers, bool(rows[f"(e) {kind}"].p99_s)),
                             (AGREE, True), kind)
        self.assertTrue(rows["(f) single-groupby-1-1-1"].p50_s)
        self.assertEqual(rows["(g) ready after kill -9"].answers, AGREE)
        self.assertTrue(0 < (rows["(h) hundredths"].bytes_each or 0) < 2)
        self.assertTrue(0 < (rows["(c) memory of a series"].bytes_each or 0))
        self.assertEqual(rows["(c) start"].answers, AGREE)
        grown = [row for row in run.rows if row.workload.startswith("(j)")]
        self.assertEqual(len(grown), 1 + 2 * len(OVERALL) + 2 + len(READS))
        self.assertIn("(j) M points/s up to so many stored points", said.getvalue())

    def test_processors(self) -> None:
        """What is started within one stays on it, and what is started later does not."""
        script = "import os; print(*sorted(os.sched_getaffinity(0)))"
        for number in processors():
            with on_processor(number):
                found = subprocess.check_output([sys.executable, "-c", script], text=True)
            self.assertEqual(found.split(), [str(number)])
        found = subprocess.check_output([sys.executable, "-c", script], text=True)
        self.assertEqual(found.split(), [str(number) for number in processors()])

    def test_sums_of_growth(self) -> None:
        """What aggregates over bench_load's points must be, against all of them one by one."""
        length = 7
        values = [point_value(series, time) for series in range(SERIES) for time in range(length)]
        right = {"MAX": max(values), "STDDEV": statistics.stdev(values)}
        for one in OVERALL:
            self.assertTrue(math.isclose(one.right(length), right[one.function], rel_tol=1e-6))

    def test_tau_refuses(self) -> None:
        """An error is no answer, and a wrong certificate ends it."""
        peer = Tau(self.programs, self.root)
        self.addCleanup(peer.stop)
        peer.start()
        peer.host_count = 1
        with self.assertRaisesRegex(Trouble, "Tau refuses"):
            peer.ask([small_questions()["raw"]])
        peer.certificate = "00" * 32
        with self.assertRaisesRegex(Trouble, "hello"):
            peer.ask([small_questions()["raw"]])

    def test_rounds(self) -> None:
        """Medians of all figures, and what is wrong in one round is wrong."""
        rounds = [Row("(a) ingest", "Tau", rate=rate, p50_s=1 / rate, answers=AGREE)
                  for rate in (3e6, 5e6, 4e6)]
        found = middle(rounds)
        self.assertEqual((found.rate, found.p50_s, found.cpu_s), (4e6, 1 / 4e6, None))
        self.assertEqual((found.rates, found.answers), ((3e6, 4e6, 5e6), AGREE))
        rounds[1].answers = "WRONG: it is"
        self.assertEqual(middle(rounds).answers, "WRONG: it is")

    def test_table(self) -> None:
        limits = {"processors": 2, "loopback_bytes_s": 2e9, "memory_bytes_s": 2e10,
                  "disk_bytes_s": 4e8, "sync_p50_us": 200.0, "sync_p99_us": 400.0}
        rows = [Row("(a) ingest", "Tau", rate=8e7, answers=AGREE, rates=(7e7, 8e7, 12e7)),
                Row("(a) ingest", "Slow", rate=2e6, answers=AGREE, rates=(2e6,)),
                Row("(h) hundredths", "Tau", bytes_each=0.5),
                Row("(h) hundredths", "Slow", bytes_each=1.0, answers="WRONG: it is")]
        self.assertEqual([row.wrong for row in rows], [False, False, False, True])
        text = render(rows, limits, {"Tau": "1.0.0"}, [(10**6, 4e6), (2 * 10**6, 2e6)])
        self.assertRegex(text, r"Tau +80 +70, 120 .* agree")
        self.assertRegex(text, r"Slow +2 +- .* 40\.00 x +agree")
        self.assertRegex(text, r"Slow .* 1\.00 .* 2\.00 x +WRONG: it is")
        self.assertRegex(text, r"1\.0 M  #{60}  4\.0\n +2\.0 M  #{30} +2\.0\n")
        self.assertIn("the last fifth is at 50 % of the first", text)


def update() -> None:
    """Asks the servers that are installed; SMALL is fed to each."""
    samples: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="tau-bench-") as scratch:
        for name, kind in Answers.PEERS.items():
            directory = Path(scratch) / name
            directory.mkdir()
            peer = kind(Programs(BUILD), directory)
            try:
                peer.start()
                peer.feed(peer.stage(SMALL))
                peer.flush()
                asked = small_questions()
                words = peer.ask_words(list(asked.values()))
                answers = directory / "answers"
                peer.programs.run("exchange", *words, "--answers", str(answers))
                samples[name] = {shape: answer.body.decode()
                                 for shape, answer in zip(asked, read_answers(answers))}
            finally:
                peer.stop()
    SAMPLES.write_text(json.dumps(samples, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if not Programs(BUILD).path("feed").exists():
        print("the benchmark was not built")
        sys.exit(77)
    if "--update" in sys.argv:
        update()
    else:
        unittest.main(verbosity=2)
