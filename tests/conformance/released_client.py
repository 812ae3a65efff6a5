# SPDX-License-Identifier: MIT
"""The session of released_test.py through the Python clients: the calls of released.c in the same
order, each answer compared with what the server of that time said. `blocking` or `asyncio` names
the client. It runs against a server that plays recorded answers, at TAU_SERVER."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from typing import Any, Union

import python_package  # noqa: F401  # makes tau importable
import tau

I64_MIN, I64_MAX = -(2**63), 2**63 - 1


class Calls:
    """The calls of either client as coroutines; the blocking client's answer at once."""

    def __init__(self, client: Union[tau.Client, tau.AsyncClient]) -> None:
        self.client = client

    async def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        found = getattr(self.client, name)(*arguments, **named)
        return await found if inspect.isawaitable(found) else found

    async def refused(self, kind: type[tau.TauError], name: str, *arguments: Any) -> None:
        try:
            await self.ask(name, *arguments)
        except kind:
            return
        raise AssertionError(f"{name} was not refused with {kind.__name__}")

    async def collect(self, name: str, *arguments: Any) -> list[Any]:
        stream = await self.ask(name, *arguments)
        if isinstance(stream, tau.AsyncStream):
            return [batch async for batch in stream]
        return list(stream)


def same(found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


async def write_points(calls: Calls) -> None:
    await calls.ask("create_series", "rel.a")
    await calls.refused(tau.SeriesAlreadyExists, "create_series", "rel.a")
    await calls.ask("append", "rel.a", 5, 1.5)
    await calls.refused(tau.OutOfOrder, "append", "rel.a", 5, 2.5)

    batch = await calls.ask("batch_append", "rel.a", [6, 6, 8], [2.5, 3.5, 4.5])
    refused = [(row.row, row.status) for row in batch.refused]
    same((batch.accepted, refused), (2, [(1, tau.Status.OUT_OF_ORDER)]))

    multi = await calls.ask("multi_append", [("rel.a", 9, 5.5), ("rel.b", 1, 1.0)])
    refused = [(row.row, row.status) for row in multi.refused]
    same((multi.accepted, refused), (1, [(1, tau.Status.SERIES_NOT_FOUND)]))


async def read_points(calls: Calls) -> None:
    same(await calls.ask("query_point", "rel.a", 8), 4.5)
    same(await calls.ask("query_point", "rel.a", 7), None)
    batches = await calls.collect("query_range", "rel.a", I64_MIN, I64_MAX, 0,
                                  tau.Direction.BACKWARD)  # fmt: skip
    points = [pair for batch in batches for pair in zip(batch.timestamps, batch.values)]
    same(points, [(9, 5.5), (8, 4.5), (6, 2.5), (5, 1.5)])
    latest = await calls.ask("query_latest", "rel.a")
    same((latest.timestamp, latest.value), (9, 5.5))


async def describe(calls: Calls) -> None:
    told = await calls.ask("describe_series", "rel.a")
    same((told.point_count, told.first_timestamp, told.last_timestamp), (4, 5, 9))
    same(told.order, tau.OrderPolicy.STRICT)
    page = await calls.ask("list_series", "rel.", 100)
    same((page.more, [tau.label_text(one) for one in page.labels]), (False, ["rel.a"]))


async def use_lenses(calls: Calls) -> None:
    await calls.ask("create_lens", "rel.kelvin", "rel.a", "celsius_to_kelvin")
    await calls.refused(tau.SeriesNotFound, "create_lens", "rel.same", "rel.b", "identity")
    await calls.ask("create_lens", "rel.same", "rel.a", "identity")
    await calls.ask("compose_lens", "rel.both", "rel.kelvin", "rel.same")
    same(await calls.ask("query_lens", "rel.both", 5), 1.5 + 273.15)
    names = [tau.label_text(one) for one in await calls.ask("list_lenses")]
    same(names, ["rel.both", "rel.kelvin", "rel.same"])
    await calls.ask("drop_lens", "rel.kelvin")


async def finish(calls: Calls) -> None:
    await calls.ask("drop_series", "rel.a")
    await calls.refused(tau.SeriesNotFound, "drop_series", "rel.a")
    await calls.ask("cancel")
    document = json.loads(await calls.ask("specification"))
    same(document["name"], "tau")


async def main() -> None:
    calls = Calls(tau.Client() if sys.argv[1] == "blocking" else tau.AsyncClient())
    await calls.ask("open")
    same(calls.client.server.negotiated, True)
    await calls.ask("ping")
    for part in (write_points, read_points, describe, use_lenses, finish):
        await part(calls)
    await calls.ask("close")


if __name__ == "__main__":
    asyncio.run(main())
