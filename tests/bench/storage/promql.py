# SPDX-License-Identifier: MIT
"""The questions in the language of Prometheus, which VictoriaMetrics speaks too.

A bucket [t, t + d) is asked for as the window of length d that ends a millisecond before t + d:
both take its end in, and no point lies in that millisecond, so it does not matter that one of them
takes the window's beginning in too.
"""

from __future__ import annotations

from typing import Any, Optional

from .peer import Peer, get, parsed
from .questions import HIGH, STEP_S, TOTALS, Question, Table
from .tools import Trouble

MARK = "metric"  # the label that names the metric where a function forgets the name


def selector(metrics: tuple[str, ...], hosts: list[str]) -> str:
    name = f'__name__=~"cpu_({"|".join(metrics)})"'
    host = f',hostname=~"{"|".join(hosts)}"' if hosts else ""
    return "{" + name + host + "}"


def marked(expression: str, metric: str) -> str:
    return f'label_replace({expression},"{MARK}","{metric}","","")'


class PromqlPeer(Peer):
    def api(self, name: str) -> str:
        return f"/api/v1/{name}"

    def extra(self) -> dict[str, str]:
        """Further parameters of every question."""
        return {}

    def each(self, metrics: tuple[str, ...], hosts: list[str], pattern: str) -> str:
        """An expression for each metric by itself, `%s` being its selector, all joined."""
        return " or ".join(marked(pattern.replace("%s", selector((metric,), hosts)), metric)
                           for metric in metrics)

    def buckets(self, question: Question) -> str:
        function = {"max": "max", "mean": "avg"}[question.function]
        by = " by (hostname)" if question.shape == "by_host" else ""
        return self.each(question.metrics, question.host_names,
                         f"{function}{by} ({function}_over_time(%s[{question.bucket_s}s]))")

    def rows(self, question: Question) -> str:
        high = selector(("usage_user",), question.host_names)
        all_metrics = selector(question.metrics, question.host_names)
        return f"{all_metrics} and on(hostname) ({high} > {HIGH:g})"

    def total(self, question: Question) -> str:
        window = f"[{question.to_s - question.from_s}s]"
        one = selector(question.metrics, [])
        return " or ".join(marked(f"{outer}({name}_over_time({one}{window}))", name)
                           for name, outer in zip(TOTALS, ("sum", "sum", "min", "max")))

    def ranged(self, question: Question) -> tuple[str, dict[str, str]]:
        """A question with an answer for each of many times."""
        if question.shape == "rows":
            return self.rows(question), {"start": str(question.from_s),
                                         "end": str(question.to_s - STEP_S), "step": str(STEP_S)}
        return self.buckets(question), {
            "start": f"{question.from_s + question.bucket_s - 1}.999",
            "end": f"{question.to_s - 1}.999", "step": str(question.bucket_s)}

    def instant(self, question: Question) -> tuple[str, dict[str, str]]:
        window = f"[{question.to_s - question.from_s}s]"
        if question.shape == "last":
            return (f"last_over_time({selector(question.metrics, [])}{window})",
                    {"time": str(question.to_s - STEP_S)})
        if question.shape == "total":
            return self.total(question), {"time": f"{question.to_s - 1}.999"}
        return (selector(question.metrics, question.host_names) + window,
                {"time": f"{question.to_s - 1}.999"})

    def request(self, question: Question) -> Optional[bytes]:
        if question.shape in ("buckets", "by_host", "top", "rows"):
            words, times = self.ranged(question)
            return get(self.api("query_range"), query=words, **times, **self.extra())
        words, times = self.instant(question)
        return get(self.api("query"), query=words, **times, **self.extra())

    def table(self, question: Question, body: bytes) -> Table:
        reply = parsed(body)
        if reply.get("status") != "success":
            raise Trouble(f"{self.name}: {reply.get('error', 'no success')}")
        table: Table = {}
        for series in reply["data"]["result"]:
            table[key_of(series["metric"], question)] = {
                time_of(question, float(time)): float(value)
                for time, value in series.get("values") or [series["value"]]}
        return table


def key_of(labels: dict[str, Any], question: Question) -> tuple[str, str]:
    name = str(labels.get(MARK) or labels.get("__name__", "")).removeprefix("cpu_")
    if not name and len(question.metrics) == 1:
        name = question.metrics[0]
    return str(labels.get("hostname", "")), name


def time_of(question: Question, time_s: float) -> int:
    """The beginning of the bucket, or the point's own time."""
    if question.shape == "total":
        return 0
    if question.bucket_s:
        return round(time_s + 0.001) - question.bucket_s
    return round(time_s)
