# SPDX-License-Identifier: MIT
"""The workloads (a) to (h), each on every server that is there, (i) of points.py and (j) of
growth.py.

(a) cpu-only, 1,000 series x 8,640; (b) 40,000 x 360; (c) a million x 10; (d) as (a), but a
twentieth of the batches and three tenths of the points late, a tenth missing; (e) the questions;
(f) questions while points come in; (g) kill -9 and the time until it answers; (h) bytes on disk
after compaction; (i) single values; (j) growth to a thousand million points.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from . import points
from .clickhouse import ClickHouse
from .growth import Growth
from .influxdb import InfluxDB
from .peer import READY_S, Fed, Peer
from .prometheus import Prometheus
from .questions import METRICS, STEP_S, Question, Table, Truth, Workload, difference, make_questions
from .table import AGREE, LOST, Row, one_line, render
from .taud import Tau, TauRows
from .tools import Programs, Trouble, Unable, percentile, say
from .victoriametrics import VictoriaMetrics

PEERS: dict[str, type[Peer]] = {"tau": Tau, "victoria-metrics": VictoriaMetrics,
                                "influxdb": InfluxDB, "clickhouse": ClickHouse,
                                "prometheus": Prometheus}
STORES = ("redis", "memcached")
LETTERS = "abcdefghij"
CHECKED = ("total", "raw-1-1-12")
WHILE_FED = ("single-groupby-1-1-1", "raw-1-1-12")  # the first that Tau has words for
WARM_UP_S = 0.2  # of the questions before the feeding begins
WHAT = {"(a)": "ingest", "(b)": "ingest", "(c)": "ingest", "(d)": "ingest", "(f)": "questions",
        "(h)": "integers 0 to 100"}


def shapes(scale: float) -> dict[str, Workload]:
    """The scale takes hosts away; times stay, since the questions are about hours."""
    few = max(10, int(100 * scale))
    return {"a": Workload(few, 8640), "b": Workload(max(40, int(4000 * scale)), 360),
            "c": Workload(max(100, int(100_000 * scale)), 10), "d": Workload(few, 8640, late=True),
            "h": Workload(few, 8640, integers=True)}


class Run:
    def __init__(self, build: Path, root: Path, scale: float, letters: str,
                 wanted: list[str]) -> None:
        self.programs = Programs(build)
        self.root = root
        self.scale = scale
        self.letters = letters
        self.wanted = wanted
        self.workloads = shapes(scale)
        self.rows: list[Row] = []
        self.versions: dict[str, str] = {}
        self.peers: list[type[Peer]] = []
        self.right: dict[Question, Table] = {}

    # --- parts ---------------------------------------------------------------------------------

    def add(self, row: Row) -> None:
        self.rows.append(row)
        say(one_line(row))

    def truth(self, workload: Workload) -> Truth:
        file = self.root / "values"
        self.programs.run("generate", "values", str(file), *workload.arguments())
        try:
            return Truth(workload, file)
        finally:
            file.unlink()

    def with_peer(self, kind: type[Peer], what: str, work: Callable[[Peer], None]) -> None:
        """Gives the work a server in a fresh directory; its trouble is a row, not the end."""
        directory = self.root / "server"
        directory.mkdir()
        peer = kind(self.programs, directory)
        say(f"{what} {peer.name}")
        try:
            work(peer)
        except Unable as reason:
            say(f"{what} goes without {peer.name}: {reason}")
            self.add(Row(f"{what} {WHAT[what]}", peer.name))
        except Trouble as trouble:
            self.add(Row(f"{what} {WHAT[what]}", peer.name, answers=f"FAILED: {trouble}"))
        finally:
            peer.stop()
            shutil.rmtree(directory, ignore_errors=True)

    def feed(self, peer: Peer, workload: Workload, first_step: int = 0, end_step: int = 0) -> Fed:
        return taken(peer.feed(peer.stage(workload, first_step, end_step)))

    def compare(self, peer: Peer, questions: list[Question], tables: list[Table],
                truth: Truth) -> str:
        for question, table in zip(questions, tables):
            if question not in self.right:
                self.right[question] = truth.answer(question)
            found = difference(table, self.right[question])
            if found:
                return f"WRONG: {question.kind}: {found}"
        return AGREE

    def check(self, peer: Peer, truth: Truth) -> str:
        """Asks some questions outside of all measurements."""
        made = make_questions(truth.workload, 0.05)
        asked = [question for kind in CHECKED for question in made[kind][:5]
                 if peer.can_answer(question)]
        peer.flush()
        return self.compare(peer, asked, peer.ask(asked).tables, truth) if asked else "-"

    # --- workloads -----------------------------------------------------------------------------

    def ingest(self, letter: str, peer: Peer, truth: Truth) -> None:
        workload = truth.workload
        peer.start(late=workload.late)
        fed = self.feed(peer, workload)
        self.add(Row(f"({letter}) ingest", peer.name, rate=fed.points / fed.seconds,
                     cpu_s=fed.cpu_s, peak_bytes=fed.peak_bytes, answers=self.check(peer, truth)))
        if letter == "c":
            self.many_series(peer, truth, fed)

    def many_series(self, peer: Peer, truth: Truth, fed: Fed) -> None:
        """What they take in memory, and how long a start with them takes after a stop."""
        series = truth.workload.hosts * len(METRICS)
        self.add(Row("(c) memory of a series", peer.name, bytes_each=fed.grown_bytes / series))
        peer.stop()
        self.add(Row("(c) start", peer.name, p50_s=peer.start(),
                     answers=self.check(peer, truth)))

    def questions(self, peer: Peer, truth: Truth) -> None:
        for kind, asked in make_questions(truth.workload, min(1.0, self.scale)).items():
            if not peer.can_answer(asked[0]):
                self.add(Row(f"(e) {kind}", peer.name))
                continue
            try:
                found = peer.ask(asked)
            except Trouble as trouble:
                self.add(Row(f"(e) {kind}", peer.name, answers=f"FAILED: {trouble}"))
                continue
            times = sorted(found.latencies_s)
            self.add(Row(f"(e) {kind}", peer.name, p50_s=percentile(times, 0.5),
                         p99_s=percentile(times, 0.99),
                         answers=self.compare(peer, asked, found.tables, truth)))

    def compaction(self, what: str, peer: Peer, truth: Truth) -> None:
        size = peer.compact(peer.data)
        self.add(Row(f"(h) {what}", peer.name, bytes_each=size / truth.workload.points,
                     answers=self.check(peer, truth)))

    def while_fed(self, peer: Peer, truth: Truth, kind: str) -> Fed:
        """Half of the points, then questions about them while the other half comes in."""
        workload, half = truth.workload, truth.workload.steps // 2
        peer.start()
        self.feed(peer, workload, 0, half)
        peer.flush()
        first = Workload(workload.hosts, half)
        asked = make_questions(first, 1.0)[kind]
        if not peer.can_answer(asked[0]):
            self.add(Row(f"(f) {kind}", peer.name))
            return self.feed(peer, workload, half, workload.steps)
        send = peer.stage(workload, half, workload.steps)
        asking = self.programs.background("exchange", *peer.ask_words(asked), "--repeat", "1")
        try:
            asking.wait_for("ready")
            time.sleep(WARM_UP_S)
            asking.count_anew()
            fed = taken(peer.feed(send))
            found = asking.stop()
        finally:
            asking.give_up()
        row = Row(f"(f) {kind}", peer.name, rate=fed.points / fed.seconds, cpu_s=fed.cpu_s,
                  peak_bytes=fed.peak_bytes,
                  answers=f"{found['failed']} refused" if found["failed"] else "-")
        self.add(row.with_latencies(found))
        return fed

    def killed(self, peer: Peer, truth: Truth) -> None:
        """kill -9 right after the last point was taken, then until a question is answered."""
        question = Question("ready", "raw", METRICS[:1], (0,), truth.workload.end_s - 3600,
                            truth.workload.end_s)
        peer.kill()
        began = time.monotonic()
        peer.start()
        while True:
            try:
                peer.ask([question])
                break
            except Trouble:
                if time.monotonic() - began > READY_S:
                    raise
                time.sleep(0.01)
        took = time.monotonic() - began
        self.add(Row("(g) ready after kill -9", peer.name, p50_s=took,
                     answers=self.lost(peer, truth)))

    def lost(self, peer: Peer, truth: Truth) -> str:
        """Points that were acknowledged and are gone: what the server promises, not an error."""
        question = next(iter(make_questions(truth.workload, 0.05)["total"]))
        if peer.can_answer(question):
            found = peer.ask([question]).tables[0].get(("", "count"), {}).get(0, 0.0)
            right = truth.answer(question)["", "count"][0]
            if found < right:
                return f"{100 * (1 - found / right):.3g} % {LOST}"
        return self.check(peer, truth)

    # --- the whole -----------------------------------------------------------------------------

    def choose(self) -> None:
        for name, kind in PEERS.items():
            if name not in self.wanted:
                continue
            if not kind.installed(self.programs):
                say(f"goes without {kind.name}: {kind.program} is not installed")
                continue
            self.peers.append(kind)
            self.versions[kind.name] = kind(self.programs, self.root).version()

    def lacks(self, letters: str) -> bool:
        return not set(letters) & set(self.letters)

    def first_day(self) -> None:
        """(a), (e) and (h) are on the same points, and (f) and (g)."""
        truth = self.truth(self.workloads["a"])
        for kind in [] if self.lacks("aeh") else self.peers:
            def work(peer: Peer) -> None:
                self.ingest("a", peer, truth)
                if not self.lacks("e"):
                    self.questions(peer, truth)
                if not self.lacks("h"):
                    self.compaction("hundredths", peer, truth)
            self.with_peer(kind, "(a)", work)
        if not self.lacks("a") and Tau in self.peers:
            self.with_peer(TauRows, "(a)", lambda peer: self.ingest("a", peer, truth))
        kind_asked = self.kind_while_fed(truth.workload)
        for kind in [] if self.lacks("fg") else self.peers:
            def crash(peer: Peer) -> None:
                self.while_fed(peer, truth, kind_asked)
                if not self.lacks("g"):
                    self.killed(peer, truth)
            self.with_peer(kind, "(f)", crash)

    def kind_while_fed(self, workload: Workload) -> str:
        """What all servers are asked during ingest."""
        made = make_questions(workload, 0.05)
        tau: Optional[Peer] = Tau(self.programs, self.root) if Tau in self.peers else None
        return next((kind for kind in WHILE_FED if not tau or tau.can_answer(made[kind][0])),
                    WHILE_FED[-1])

    def go(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        self.choose()
        limits = self.programs.run("limits", str(self.root), "--scale", str(min(1.0, self.scale)))
        if not self.lacks("aefgh"):
            self.first_day()
        for letter in "bcd":
            if letter in self.letters:
                self.right.clear()
                truth = self.truth(self.workloads[letter])
                for kind in self.peers:
                    self.with_peer(kind, f"({letter})",
                                   lambda peer: self.ingest(letter, peer, truth))
        if not self.lacks("h"):
            self.right.clear()
            truth = self.truth(self.workloads["h"])
            for kind in self.peers:
                def pack(peer: Peer) -> None:
                    peer.start()
                    self.feed(peer, truth.workload)
                    self.compaction(WHAT["(h)"], peer, truth)
                self.with_peer(kind, "(h)", pack)
        if not self.lacks("i"):
            self.rows += points.measure(self.programs, self.root, self.scale, self.versions,
                                        self.wanted)
        growth = Growth(self.programs, self.root, self.scale)
        if not self.lacks("j") and Tau in self.peers:
            growth.measure()
            self.rows += growth.rows
        print(render(in_order(self.rows), limits, self.versions, growth.curve), flush=True)
        return 1 if any(row.wrong for row in self.rows) else 0


def taken(fed: Fed) -> Fed:
    """All of it, or Trouble."""
    if fed.failed:
        raise Trouble(f"{fed.failed} refused: {fed.words}")
    return fed


def in_order(rows: list[Row]) -> list[Row]:
    """By the letters; below each the kinds as they were met, and of each kind all servers."""
    places: dict[str, int] = {}
    for row in rows:
        places.setdefault(row.workload, len(places))
    return sorted(rows, key=lambda row: (row.workload[:3], places[row.workload]))
