# SPDX-License-Identifier: MIT
"""ClickHouse: RowBinary in, SQL out. A wide table, a row for each host and time, sorted by both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from .peer import Peer, call, first_words, post, reachable
from .questions import HIGH, METRICS, TOP_BUCKETS, TOTALS, Question, Table
from .tools import free_port

CONFIG = """<?xml version="1.0"?>
<yandex>
    <logger><level>warning</level><console>1</console></logger>
    <http_port>{port}</http_port>
    <tcp_port>{tcp_port}</tcp_port>
    <listen_host>127.0.0.1</listen_host>
    <path>{data}/</path>
    <tmp_path>{data}/tmp/</tmp_path>
    <user_files_path>{data}/user_files/</user_files_path>
    <users_config>{users}</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
    <timezone>UTC</timezone>
    <uncompressed_cache_size>8589934592</uncompressed_cache_size>
    <mark_cache_size>5368709120</mark_cache_size>
</yandex>
"""

USERS = """<?xml version="1.0"?>
<yandex>
    <profiles><default><max_memory_usage>10000000000</max_memory_usage></default></profiles>
    <users><default>
        <password></password><profile>default</profile><quota>default</quota>
        <networks><ip>127.0.0.1</ip></networks>
    </default></users>
    <quotas><default></default></quotas>
</yandex>
"""


class ClickHouse(Peer):
    name = "ClickHouse"
    program = "clickhouse-server"
    form = "rows"

    def command(self, data: Path, late: bool) -> list[str]:
        config, users = self.directory / "config.xml", self.directory / "users.xml"
        config.write_text(CONFIG.format(port=self.port, tcp_port=free_port(), data=data,
                                        users=users), encoding="utf-8")
        users.write_text(USERS, encoding="utf-8")
        return [self.program, f"--config-file={config}"]

    def version(self) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", first_words(["clickhouse-client", "--version"]))
        return found.group(1) if found else ""

    def ready(self) -> bool:
        return reachable(self.port, "/ping")

    def prepare(self) -> None:
        columns = ", ".join(f"{name} Float64" for name in METRICS)
        self.tell(f"CREATE TABLE cpu (created_at DateTime, host UInt32, {columns}) "
                  "ENGINE = MergeTree() PARTITION BY toYYYYMM(created_at) "
                  "ORDER BY (host, created_at)")

    def tell(self, statement: str) -> bytes:
        return call(self.port, "/", statement.encode())

    def write_path(self) -> tuple[str, list[str]]:
        return "/?query=INSERT%20INTO%20cpu%20FORMAT%20RowBinary", []

    def compact(self, data: Path) -> int:
        """Merges everything. What was merged is deleted eight minutes later, and is not counted."""
        self.tell("OPTIMIZE TABLE cpu FINAL")
        return int(self.tell("SELECT sum(bytes_on_disk) FROM system.parts "
                             "WHERE active AND table = 'cpu'"))

    def words(self, question: Question) -> str:
        where = [f"created_at >= toDateTime({question.from_s})",
                 f"created_at < toDateTime({question.to_s})"]
        if question.hosts:
            where.append(f"host IN ({','.join(map(str, question.hosts))})")
        condition = " AND ".join(where)
        function = {"max": "max", "mean": "avg"}.get(question.function, "")
        fields = ",".join(f"{function}({name})" for name in question.metrics)
        bucket = f"intDiv(toUInt32(created_at),{question.bucket_s})*{question.bucket_s} AS bucket"
        if question.shape == "buckets":
            return f"SELECT '',{bucket},{fields} FROM cpu WHERE {condition} GROUP BY bucket"
        if question.shape == "by_host":
            return f"SELECT host,{bucket},{fields} FROM cpu WHERE {condition} GROUP BY host,bucket"
        if question.shape == "rows":
            return (f"SELECT host,toUInt32(created_at),{','.join(question.metrics)} FROM cpu "
                    f"WHERE usage_user > {HIGH} AND {condition}")
        if question.shape == "last":
            return (f"SELECT host,toUInt32(created_at),{','.join(METRICS)} FROM cpu "
                    "ORDER BY created_at DESC LIMIT 1 BY host")
        if question.shape == "top":
            return (f"SELECT '',{bucket},{fields} FROM cpu "
                    f"WHERE created_at < toDateTime({question.to_s}) "
                    f"GROUP BY bucket ORDER BY bucket DESC LIMIT {TOP_BUCKETS}")
        if question.shape == "total":
            metric = question.metrics[0]
            return f"SELECT '',0,count({metric}),sum({metric}),min({metric}),max({metric}) FROM cpu"
        return (f"SELECT host,toUInt32(created_at),{','.join(question.metrics)} FROM cpu "
                f"WHERE {condition}")

    def request(self, question: Question) -> Optional[bytes]:
        return post("/", self.words(question) + " FORMAT TabSeparated")

    def table(self, question: Question, body: bytes) -> Table:
        names = TOTALS if question.shape == "total" else question.metrics
        table: Table = {}
        for line in body.decode().splitlines():
            host, time, *values = line.split("\t")
            for name, value in zip(names, values):
                column = table.setdefault((f"host_{host}" if host else "", name), {})
                column[int(time)] = float(value)
        return table
