# SPDX-License-Identifier: MIT
"""VictoriaMetrics, single node: line protocol in, PromQL out. Its cache of answers is left out:
others have none, and every question is meant to be new."""

from __future__ import annotations

import re
import time
from pathlib import Path

from .peer import call, first_words, reachable
from .promql import PromqlPeer, selector
from .questions import Question
from .tools import Trouble, settle

MERGES_S = 300


class VictoriaMetrics(PromqlPeer):
    name = "VictoriaMetrics"
    program = "victoria-metrics"

    def command(self, data: Path, late: bool) -> list[str]:
        return [self.program, f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{self.port}",
                "-retentionPeriod=100y"]

    def version(self) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", first_words([self.program, "--version"]))
        if found:
            return found.group(1)
        found = re.search(r"^Version: ([\d.]+)", first_words(["dpkg", "-s", self.program]), re.M)
        return found.group(1) if found else ""

    def ready(self) -> bool:
        return reachable(self.port, "/health")

    def extra(self) -> dict[str, str]:
        return {"nocache": "1"}

    def buckets(self, question: Question) -> str:
        """Its functions keep the names of metrics, so one expression serves all."""
        function = {"max": "max", "mean": "avg"}[question.function]
        by = "__name__,hostname" if question.shape == "by_host" else "__name__"
        return (f"{function}({function}_over_time({selector(question.metrics, question.host_names)}"
                f"[{question.bucket_s}s])) by ({by})")

    def flush(self) -> None:
        """Points are visible a second after they were taken, or at once after this."""
        call(self.port, "/internal/force_flush")

    def compact(self, data: Path) -> int:
        self.flush()
        call(self.port, "/internal/force_merge")
        deadline = time.monotonic() + MERGES_S
        while self.merging():
            if time.monotonic() > deadline:
                raise Trouble(f"merges went on for {MERGES_S} s")
            time.sleep(0.1)
        return settle(data, 3, MERGES_S)

    def merging(self) -> bool:
        metrics = call(self.port, "/metrics").decode()
        active = re.findall(r"^vm_active(?:_force)?_merges\S* (\S+)$", metrics, re.M)
        return any(float(value) > 0 for value in active)
