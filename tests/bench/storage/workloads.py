# SPDX-License-Identifier: MIT
"""The workloads (a) to (h), each on every server that is there, (i) of points.py and (j) of
growth.py.

(a) cpu-only, 1,000 series x 8,640; (b) 40,000 x 360; (c) a million x 10; (d) as (a), but a
twentieth of the batches and three tenths of the points late, a tenth missing; (e) the questions;
(f) questions while points come in; (g) kill -9 and the time until it answers; (h) bytes on disk
after compaction; (i) single values; (j) growth to a thousand million points.

What takes no second tells more of the moment than of the server: (a) and (d), whose rates are
compared, are fed in rounds, all servers in turns, and in each round a server that was quick is fed
again. Every feeding is into a fresh directory; a figure is the median of all.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Optional

from . import points
from .clickhouse import ClickHouse
from .growth import Growth
from .influxdb import InfluxDB
from .peer import READY_S, Fed, Peer
from .prometheus import Prometheus
from .questions import METRICS, STEP_S, Question, Table, Truth, Workload, difference, make_questions
from .table import AGREE, LOST, Row, middle, one_line, render
from .taud import Tau, TauRows
from .tools import ABSENT, Programs, Trouble, Unable, percentile, say
from .victoriametrics import VictoriaMetrics

PEERS: dict[str, type[Peer]] = {"tau": Tau, "victoria-metrics": VictoriaMetrics,
                                "influxdb": InfluxDB, "clickhouse": ClickHouse,
                                "prometheus": Prometheus}
STORES = ("redis", "memcached")
LETTERS = "abcdefghij"
ROUNDS = {"a": 3, "d": 3}  # of the others one
ROUND_S = 1.0  # a server is fed again in a round until all of it took so long,
FEEDINGS = 3  # but no more often
CHECKED = (METRICS[0], METRICS[len(METRICS) // 2], METRICS[-1])  # all of each is added up
WHILE_FED = ("single-groupby-1-1-1", "raw-1-1-12")  # the first that Tau has words for
WARM_UP_S = 0.2  # of the questions before the feeding begins
WHAT = {"(a)": "ingest", "(b)": "ingest", "(c)": "ingest", "(d)": "ingest", "(f)": "questions",
        "(h)": "integers 0 to 100"}


Then = Callable[[Peer, Fed], None]


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

    def with_peer(self, kind: type[Peer], what: str, work: Callable[[Peer], None]) -> bool:
        """Gives the work a server in a fresh directory; its trouble is a row, not the end. Whether
        it had none."""
        directory = self.root / "server"
        directory.mkdir()
        peer = kind(self.programs, directory)
        say(f"{what} {peer.name}")
        try:
            work(peer)
            return True
        except Unable as reason:
            say(f"{what} goes without {peer.name}: {reason}")
            self.add(Row(f"{what} {WHAT[what]}", peer.name))
        except Trouble as trouble:
            self.add(Row(f"{what} {WHAT[what]}", peer.name, answers=f"FAILED: {trouble}"))
        finally:
            peer.stop()
            shutil.rmtree(directory, ignore_errors=True)
        return False

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
        whole = made["total"][0]
        asked = [question for question in (
            *(replace(whole, metrics=(metric,)) for metric in CHECKED), *made["raw-1-1-12"])
            if peer.can_answer(question)]
        peer.flush()
        return self.compare(peer, asked, peer.ask(asked).tables, truth) if asked else "-"

    # --- workloads -----------------------------------------------------------------------------

    def ingest(self, letter: str, kinds: list[type[Peer]], truth: Truth, rounds: int,
               then: Then) -> None:
        """Feeds all of them in turns; what each holds in the end is given to `then`."""
        found: dict[type[Peer], list[Row]] = {kind: [] for kind in kinds}
        for left in reversed(range(rounds)):
            for kind, rows in list(found.items()):
                def finish(peer: Peer, fed: Fed) -> None:
                    if not left:
                        self.add(middle(rows))
                        then(peer, fed)
                feedings = FEEDINGS if rounds > 1 else 1
                if not self.ingest_round(letter, kind, truth, rows, finish, feedings):
                    del found[kind]

    def ingest_round(self, letter: str, kind: type[Peer], truth: Truth, rows: list[Row],
                     finish: Then, feedings: int) -> bool:
        """Feeds one of them once or more; a row for each time. Whether it took everything."""
        took_s = 0.0
        for left in reversed(range(feedings)):
            def work(peer: Peer) -> None:
                nonlocal took_s
                peer.start(late=truth.workload.late)
                fed = self.feed(peer, truth.workload)
                took_s += fed.seconds
                rows.append(Row(f"({letter}) ingest", peer.name, rate=fed.points / fed.seconds,
                                cpu_s=fed.cpu_s, peak_bytes=fed.peak_bytes,
                                answers=self.check(peer, truth)))
                if not left or took_s >= ROUND_S:
                    finish(peer, fed)
            if not self.with_peer(kind, f"({letter})", work):
                return False
            if took_s >= ROUND_S:
                break
        return True

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
                say(f"goes without {kind.name}: {kind.program} {ABSENT}")
                self.versions[kind.name] = ABSENT
                continue
            self.peers.append(kind)
            self.versions[kind.name] = kind(self.programs, self.root).version()

    def lacks(self, letters: str) -> bool:
        return not set(letters) & set(self.letters)

    def first_day(self) -> None:
        """(a), (e) and (h) are on the same points, and (f) and (g)."""
        truth = self.truth(self.workloads["a"])

        def ask(peer: Peer, _: Fed) -> None:
            if not isinstance(peer, TauRows) and not self.lacks("e"):
                self.questions(peer, truth)
            if not isinstance(peer, TauRows) and not self.lacks("h"):
                self.compaction("hundredths", peer, truth)
        kinds = list(self.peers)
        if Tau in self.peers and not self.lacks("a"):
            kinds.append(TauRows)
        if not self.lacks("aeh"):
            self.ingest("a", kinds, truth, 1 if self.lacks("a") else ROUNDS["a"], ask)
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

                def measure_memory(peer: Peer, fed: Fed) -> None:
                    if letter == "c":
                        self.many_series(peer, truth, fed)
                self.ingest(letter, self.peers, truth, ROUNDS.get(letter, 1), measure_memory)
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
