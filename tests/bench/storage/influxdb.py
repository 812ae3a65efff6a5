# SPDX-License-Identifier: MIT
"""InfluxDB 1: line protocol in, InfluxQL out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from .peer import Peer, call, first_words, get, parsed, reachable
from .questions import HIGH, METRICS, TOP_BUCKETS, Question, Table
from .tools import Trouble, settle

COMPACTION_S = 300
QUIET_S = 8


class InfluxDB(Peer):
    name = "InfluxDB"
    program = "influxd"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.hurried = False

    def command(self, data: Path, late: bool) -> list[str]:
        config = self.directory / "influxdb.conf"
        config.write_text(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n"
            f"[meta]\ndir = \"{data}/meta\"\n"
            f"[data]\ndir = \"{data}/data\"\nwal-dir = \"{data}/wal\"\nquery-log-enabled = false\n"
            "max-series-per-database = 0\nmax-values-per-tag = 0\n"
            f"[http]\nbind-address = \"127.0.0.1:{self.port}\"\nlog-enabled = false\n"
            "max-body-size = 0\n[monitor]\nstore-enabled = false\n", encoding="utf-8")
        return [self.program, "-config", str(config)]

    def environment(self) -> dict[str, str]:
        if not self.hurried:
            return {}
        return {"INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s",
                "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "1s"}

    def version(self) -> str:
        found = re.search(r"v?(\d+\.\d+\.\d+)", first_words([self.program, "version"]))
        return found.group(1) if found else ""

    def ready(self) -> bool:
        return reachable(self.port, "/ping")

    def prepare(self) -> None:
        call(self.port, "/query?q=CREATE+DATABASE+bench", b"")

    def write_path(self) -> tuple[str, list[str]]:
        return "/write?db=bench", []

    def compact(self, data: Path) -> int:
        """There is no command for it: what a shard waits for by default, four hours without a
        write, is set to a second, and then it is waited for. The log, which keeps its last file
        until the next write, is not counted."""
        self.hurried = True
        self.stop()
        self.start()
        self.hurried = False
        return settle(data / "data", QUIET_S, COMPACTION_S)

    def words(self, question: Question) -> str:
        fields = ",".join(f"{question.function}({name}) AS {name}" if question.function else name
                          for name in question.metrics)
        where = [f"time >= {question.from_s}s", f"time < {question.to_s}s"]
        if question.hosts:
            hosts = " OR ".join(f"hostname='{name}'" for name in question.host_names)
            where.append(f"({hosts})")
        condition = " AND ".join(where)
        if question.shape == "buckets":
            return f"SELECT {fields} FROM cpu WHERE {condition} GROUP BY time({question.bucket_s}s)"
        if question.shape == "by_host":
            return (f"SELECT {fields} FROM cpu WHERE {condition} "
                    f"GROUP BY time({question.bucket_s}s),hostname")
        if question.shape == "rows":
            return (f"SELECT {fields} FROM cpu WHERE usage_user > {HIGH} AND {condition} "
                    f"GROUP BY hostname")
        if question.shape == "last":
            return (f"SELECT {','.join(METRICS)} FROM cpu "
                    "GROUP BY hostname ORDER BY time DESC LIMIT 1")
        if question.shape == "top":
            return (f"SELECT {fields} FROM cpu WHERE time < {question.to_s}s "
                    f"GROUP BY time({question.bucket_s}s) ORDER BY time DESC LIMIT {TOP_BUCKETS}")
        if question.shape == "total":
            metric = question.metrics[0]
            return (f"SELECT count({metric}) AS count,sum({metric}) AS sum,min({metric}) AS min,"
                    f"max({metric}) AS max FROM cpu")
        return f"SELECT {fields} FROM cpu WHERE {condition} GROUP BY hostname"

    def request(self, question: Question) -> Optional[bytes]:
        return get("/query", db="bench", epoch="s", q=self.words(question))

    def table(self, question: Question, body: bytes) -> Table:
        result = parsed(body)["results"][0]
        if "error" in result:
            raise Trouble(f"InfluxDB: {result['error']}")
        table: Table = {}
        for series in result.get("series", []):
            host = series.get("tags", {}).get("hostname", "")
            for number, name in enumerate(series["columns"][1:], 1):
                column = {0 if question.shape == "total" else row[0]: float(row[number])
                          for row in series["values"] if row[number] is not None}
                if column:
                    table[host, name] = column
        return table
