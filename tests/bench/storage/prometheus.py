# SPDX-License-Identifier: MIT
"""Prometheus: remote write in, PromQL out. It takes late points only where its configuration says
for how long; the workload of late points is fed with that."""

from __future__ import annotations

import re
from pathlib import Path

from .peer import LANES, REPORTS, call, first_words, parsed, reachable
from .promql import PromqlPeer
from .questions import STEP_S, Workload
from .tools import disk_bytes

AT_ONCE_STEPS = 600 // STEP_S


class Prometheus(PromqlPeer):
    name = "Prometheus"
    program = "prometheus"
    form = "remote-write"

    def command(self, data: Path, late: bool) -> list[str]:
        config = self.directory / "prometheus.yml"
        late_words = "storage:\n  tsdb:\n    out_of_order_time_window: 1d\n"
        config.write_text(late_words if late else "{}\n", encoding="ascii")
        return [self.program, f"--config.file={config}", f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
                "--web.enable-admin-api", "--storage.tsdb.retention.time=100y"]

    def version(self) -> str:
        found = re.search(r"version (\d+\.\d+\.\d+)", first_words([self.program, "--version"]))
        return found.group(1) if found else ""

    def ready(self) -> bool:
        return reachable(self.port, "/-/ready")

    def write_path(self) -> tuple[str, list[str]]:
        return "/api/v1/write", ["Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                                 "X-Prometheus-Remote-Write-Version: 0.1.0"]

    def pace(self, workload: Workload) -> tuple[int, list[str]]:
        """Nothing may be an hour older than what came before: a request has ten minutes at most,
        and no connection is more than two requests ahead of the other."""
        return min(REPORTS, max(1, workload.hosts // LANES) * AT_ONCE_STEPS), ["--lead", "2"]

    def compact(self, data: Path) -> int:
        """The size of a snapshot: all points in blocks, without the log."""
        reply = parsed(call(self.port, "/api/v1/admin/tsdb/snapshot", b""))
        return disk_bytes(data / "snapshots" / str(reply["data"]["name"]))
