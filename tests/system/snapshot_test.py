# SPDX-License-Identifier: MIT
# ctest: timeout=300 labels=threads
"""Snapshots that tau-cli takes of a server under load: each is a data directory of its own, whole
by taud check, in which a server finds what was acknowledged before the request, nothing that was
sent after its end, and no request in part. What the copy's server does then is nothing to the
first.
"""

from __future__ import annotations

import os
import threading
import time
import unittest
from pathlib import Path

import tau_raw as raw
from tau_cli import Cli
from tau_server import RESTLESS, SANITIZED, TAUD, Server, run_taud
from write_record import Record, Stream, World, read_world

SEED = int(os.environ.get("TAU_TEST_SEED", str(time.time_ns() % 1_000_000)))
SNAPSHOTS = 3
REQUESTS = 20 if SANITIZED else 60  # of each stream, between two snapshots


class Moment:
    """How far each stream was when a snapshot was asked for, and how far when it was there."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.begin = [stream.acknowledged for stream in record.streams]
        self.end: list[int] = []

    def close(self) -> None:
        self.end = [len(stream.sent) for stream in self.record.streams]

    def complaints(self, found: World) -> list[str]:
        """What is wrong with a copy."""
        words = []
        for stream, begin, end in zip(self.record.streams, self.begin, self.end):
            twin = Stream(0, SEED)
            twin.prefix = stream.prefix
            twin.world = stream.world.copy()
            twin.sent, twin.acknowledged = stream.sent[:end], begin
            words += twin.compare(found.part(stream.prefix))
        return words


class Snapshots(unittest.TestCase):
    def setUp(self) -> None:
        print(f"TAU_TEST_SEED={SEED}")
        self.record = Record(SEED)
        self.server = Server("--workers", "2")
        self.addCleanup(self.server.remove)

    def copy(self, name: str) -> Server:
        server = Server("--workers", "1", data_dir=self.path(name))
        self.addCleanup(server.remove)
        return server

    def path(self, name: str) -> Path:
        return self.server.data_dir / "snapshots" / name

    def take(self, name: str) -> Moment:
        reached = [stream.acknowledged + REQUESTS for stream in self.record.streams]
        self.record.wait_for(max(reached), 60)
        moment = Moment(self.record)
        Cli(self.server).ok("snapshot", name)
        moment.close()
        return moment

    def content(self, server: Server) -> World:
        with server.connect(timeout=60) as client:
            found, complaints = read_world(client)
        self.assertEqual(complaints, [])
        return found

    def end_load(self) -> None:
        self.server.kill()
        self.record.join()

    def check_under_load(self, binary: Path) -> None:
        self.server.binary = binary
        self.server.start()
        self.record.start(self.server.connect)
        moments = {}
        try:
            for number in range(SNAPSHOTS):
                name = f"snapshot-{number}"
                moments[name] = self.take(name)
                done = run_taud("check", str(self.path(name)), seconds=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        finally:
            self.end_load()
        for name, moment in moments.items():
            copy = self.copy(name)
            copy.start()
            self.assertEqual(moment.complaints(self.content(copy)), [], name)
            self.overwrite(copy)
            copy.stop()
        self.server.start()
        with self.server.connect(timeout=60) as client:
            self.assertEqual(self.record.check(client), [])
        self.server.stop()

    def overwrite(self, copy: Server) -> None:
        """Whatever becomes of the copy, the first server has what it had."""
        with copy.connect(timeout=60) as client:
            client.negotiate()
            for name in client.list_series(limit=1000)[1]:
                self.assertEqual(client.drop(name), 0)
            client.send(raw.frame(raw.COMPACT))
            self.assertEqual(list(client.stream())[-1].opcode, raw.OK)

    def test_of_a_server_under_load(self) -> None:
        self.check_under_load(TAUD)

    def test_of_a_server_that_never_rests(self) -> None:
        self.check_under_load(RESTLESS)

    def test_a_copy_that_holds_something_else_is_seen(self) -> None:
        self.server.start()
        self.record.start(self.server.connect)
        moment = self.take("one")
        self.end_load()
        copy = self.copy("one")
        copy.start()
        found = self.content(copy)
        self.assertEqual(moment.complaints(found), [])
        name, points = max(found.series.items(), key=lambda item: len(item[1]))
        del points[next(iter(points))]  # what came last may have been on the way
        self.assertNotEqual(moment.complaints(found), [])
        del found.series[name]
        self.assertNotEqual(moment.complaints(found), [])
        copy.stop()

    def test_a_name_that_is_taken_or_is_none(self) -> None:
        with self.server.start().connect() as client:
            self.assertEqual(client.create(raw.label("s")), 0)
            self.assertEqual(client.append(raw.label("s"), 1, 2.0), 0)
        cli = Cli(self.server)
        cli.ok("snapshot", "once")
        listed = sorted(path.relative_to(self.path("once"))
                        for path in self.path("once").rglob("*"))
        self.assertNotEqual(cli.run("snapshot", "once").returncode, 0)
        self.assertNotEqual(cli.run("snapshot", "../elsewhere").returncode, 0)
        self.assertEqual(listed, sorted(path.relative_to(self.path("once"))
                                        for path in self.path("once").rglob("*")))
        self.assertEqual([path.name for path in self.path("once").parent.iterdir()], ["once"])

    def test_two_at_a_time(self) -> None:
        with self.server.start().connect() as client:
            self.assertEqual(client.create(raw.label("s")), 0)
        threads = [threading.Thread(target=Cli(self.server).ok, args=("snapshot", name))
                   for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in ("a", "b"):
            self.assertEqual(run_taud("check", str(self.path(name))).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
