# SPDX-License-Identifier: MIT
# ctest: timeout=180
"""The blocking and the asyncio client against a real server: every operation, columns in every
form, pipelines, streams, errors, reconnecting."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import math
import struct
import threading
import unittest
from array import array
from typing import Any, Callable, Coroutine, Iterator

import capture_file
import python_package  # noqa: F401  makes the package importable
import tau
from tau import codec, tables
from tau.operations import AsyncOperations, BlockingOperations, PipelineOperations
from tau_server import CERTIFICATE, PATIENCE, Server, ServerCase, WRONG_CERTIFICATE

FORWARD, BACKWARD = tau.Direction.FORWARD, tau.Direction.BACKWARD
EVERYTHING = (-(2**63), 2**63 - 1, 0, FORWARD)
CELSIUS = [20.0, math.inf, -0.0, struct.unpack(">d", bytes.fromhex("fff8deadbeef0001"))[0]]


def bits(values: Any) -> bytes:
    return struct.pack(f">{len(values)}d", *values)


class ClientCase(ServerCase):
    """Clients of the shared server."""

    def client(self, **settings: Any) -> tau.Client:
        settings.setdefault("timeout", 20 * PATIENCE)
        client = tau.Client(self.server.address, CERTIFICATE, **settings)
        self.addCleanup(client.close)
        return client

    def run_async(self, body: Callable[[tau.AsyncClient], Coroutine[Any, Any, None]],
                  **settings: Any) -> None:  # fmt: skip
        settings.setdefault("timeout", 20 * PATIENCE)

        async def whole() -> None:
            client = tau.AsyncClient(self.server.address, CERTIFICATE, **settings)
            async with client:
                await body(client)

        asyncio.run(whole())


class Blocking(ClientCase):
    """tau.Client."""

    def test_every_operation(self) -> None:
        client, name = self.client(), self.label()
        called = Recorder(client)
        client.ping(ignored=b"anything")
        client.create_series(name)
        client.append(name, -5, CELSIUS[3])
        self.assertEqual(bits([client.query_point(name, -5)]), bits([CELSIUS[3]]))
        self.assertIsNone(client.query_point(name, -4))
        answer = client.batch_append(name, [1, 2, 2, 3], [1.0, 2.0, 9.0, 3.0])
        self.assertEqual(answer.accepted, 3)
        self.assertEqual(answer.refused, [tau.RefusedRow(2, tau.Status.OUT_OF_ORDER)])
        rows: list[tuple[tau.Label, int, float]] = [
            (name, 4, 20.0), ("nowhere", 1, 1.0), tau.Row(name, 5, 6.0)]
        several = client.multi_append(rows)
        self.assertEqual(several.accepted, 2)
        self.assertEqual(several.refused, [tau.RefusedRow(1, tau.Status.SERIES_NOT_FOUND)])
        self.assertEqual(client.query_latest(name), tau.Point(5, 6.0))
        batches = list(client.query_range(name, 2, 4, 0, BACKWARD))
        self.assertEqual([list(b.timestamps) for b in batches], [[4, 3, 2]])
        self.assertIsInstance(batches[0].values, array)
        mean = (tau.AggregateFunction.MEAN, 0.0)
        rows_of_buckets = list(client.aggregate(0, 9, 2, 0, tau.AggregateFill.NONE, 0.0,
                                                tau.AggregateGrouping.EACH, [mean], "", [], [name]))
        self.assertEqual([(list(b.starts), list(b.values)) for b in rows_of_buckets if b.starts],
                         [([0, 2, 4], [1.0, 2.5, 13.0])])
        points = [p for b in client.multi_range(-9, 9, 2.0, 6.0, 0, BACKWARD, "", [name])
                  for p in zip(b.timestamps, b.values)]
        self.assertEqual(points, [(5, 6.0), (3, 3.0), (2, 2.0)])
        found = [(tau.label_text(b.label), list(b.timestamps), list(b.values))
                 for b in client.multi_range_where(-9, 9, 2.0, 6.0, 0, BACKWARD, 1, [name])
                 if b.timestamps]
        self.assertEqual(found, [(tau.label_text(tau.label(name)), [5, 3, 2], [6.0, 3.0, 2.0])])
        newest = [row for b in client.multi_latest(-9, 3, name.rstrip(b"\0"), []) for row in b]
        self.assertEqual(newest, [tau.Row(name, 3, 3.0)])
        about = client.describe_series(name)
        self.assertEqual((about.order, about.point_count, about.first_timestamp,
                          about.last_timestamp), (tau.OrderPolicy.STRICT, 6, -5, 5))  # fmt: skip
        page = client.list_series(name.rstrip(b"\0"), 10)
        self.assertEqual((page.more, page.labels), (False, [name]))
        self.assertEqual(client.list_series(b"", 10, cursor=b"\xff" * 32).labels, [])
        client.create_series("py.means")
        client.create_rollup("py.means", name, 2, 0, *mean)
        rule = client.list_rollups(10, cursor="py.mean").rollups[0]
        self.assertEqual((tau.label_text(rule.target), rule.source, rule.width, rule.function),
                         ("py.means", tau.label(name), 2, tau.AggregateFunction.MEAN))  # fmt: skip
        self.assertIn(rule.state, tau.RollupState)
        client.drop_rollup("py.means")
        self.assertEqual(client.list_rollups(10).rollups, [])
        client.create_lens("py.kelvin", name, "celsius_to_kelvin")
        client.create_lens("py.steps", name, "returns")
        client.compose_lens("py.both", "py.kelvin", "py.steps")
        self.assertEqual(client.query_lens("py.kelvin", 4), 293.15)
        self.assertEqual([tau.label_text(raw) for raw in client.list_lenses()],
                         ["py.both", "py.kelvin", "py.steps"])  # fmt: skip
        client.drop_lens("py.both")
        document = json.loads(client.specification())
        self.assertEqual(document["fingerprint"], f"{client.server.specification:016x}")
        client.cancel()
        client.drop_series(name)
        with self.assertRaises(tau.SeriesNotFound):
            client.query_point(name, 1)
        everything = {operation.name for operation in tables.OPERATIONS.values()}
        for added in everything - called.names - {"CONNECT", "NEGOTIATE", "DISCONNECT"}:
            self.call_with_example(client, added)
        client.close()
        self.assertEqual(called.names | {"CONNECT", "NEGOTIATE"}, everything)

    def call_with_example(self, client: tau.Client, name: str) -> None:
        """An operation that is not called above: one that was added. What it means is not known
        here, so that it may fail, but not in a way that ends the connection."""
        row = next(o for o in capture_file.operations() if o["name"] == name)
        operation = tables.OPERATIONS[row["code"]]
        values = codec.decode(operation.request, capture_file.request_of(row)[10:])
        method = getattr(client, name.lower())
        given = {key: values[key.rstrip("_")] for key in inspect.signature(method).parameters
                 if key.rstrip("_") in values}
        for series_exists in (False, True):
            with contextlib.suppress(tau.SeriesAlreadyExists):
                if series_exists and "label" in given:
                    client.create_series(given["label"])
            try:
                found = method(**given)
                if operation.stream:
                    list(found)
            except tau.TauError as error:
                self.assertFalse(error.fatal, name)

    def test_every_operation_has_a_method_of_each_kind(self) -> None:
        own = {"CONNECT", "DISCONNECT", "NEGOTIATE", "CANCEL"}  # open, close, open, cancel
        names = {o.name.lower() for o in tables.OPERATIONS.values() if o.name not in own}
        for kind in (BlockingOperations, AsyncOperations, PipelineOperations):
            methods = {name for name in vars(kind) if not name.startswith("_")}
            self.assertEqual(methods, names)
            for name in methods:
                self.assertTrue((getattr(kind, name).__doc__ or "").strip(), name)

    def test_errors(self) -> None:
        client, name = self.client(), self.label()
        client.create_series(name)
        with self.assertRaises(tau.SeriesAlreadyExists) as caught:
            client.create_series(name)
        error = caught.exception
        self.assertEqual((error.status, error.operation), (8, "CREATE_SERIES"))
        self.assertEqual((error.retryable, error.fatal, error.outcome_unknown), (False,) * 3)
        with self.assertRaises(tau.InvalidArgument):
            client.list_series(b"", 0)
        with self.assertRaises(tau.InvalidArgument):
            client.append("x" * 33, 1, 1.0)
        client.append(name, 1, 1.0)
        with self.assertRaises(tau.OutOfOrder):
            client.append(name, 1, 1.0)
        with self.assertRaises(tau.InvalidPayload) as invalid:
            client.create_lens("bad", name, "no_such_transform")
        self.assertEqual((invalid.exception.field, invalid.exception.offset), (2, 64))

    def test_columns_in_every_form(self) -> None:
        client = self.client()
        times, values = array("q", range(4)), array("d", CELSIUS)
        swapped = array("q", times), array("d", values)
        forms: list[tuple[Any, Any]] = [
            (list(times), list(values)), (range(4), iter(values)), (times, values),
            (memoryview(times), memoryview(values)), (array("i", times), values),
            (memoryview(array("q", [0, 9, 1, 9, 2, 9, 3, 9]))[::2], values),
        ]  # fmt: skip
        for form in forms:
            name = self.label()
            client.create_series(name)
            self.assertEqual(client.batch_append(name, *form).accepted, 4)
            batch = next(client.query_range(name, *EVERYTHING))
            self.assertEqual(batch.timestamps, times)
            self.assertEqual(bits(batch.values), bits(values))
        self.assertEqual((times, bits(values)), (swapped[0], bits(swapped[1])))

    def test_numpy(self) -> None:
        try:
            import numpy
        except ImportError:
            self.skipTest("there is no numpy")
        client = self.client()
        count = 10_000
        steps = numpy.arange(count, dtype="i8")
        values = numpy.sqrt(steps.astype("f8"))
        days = numpy.datetime64("2020-01-01", "D") + numpy.arange(count)
        forms: list[tuple[Any, Any]] = [
            (steps, values), (steps.astype(">i8"), values.astype(">f8")),
            (steps.astype("u4"), values.astype("f4")), (days, values[::-1]),
        ]  # fmt: skip
        for times, column in forms:
            name = self.label()
            client.create_series(name)
            self.assertEqual(client.batch_append(name, times, column).accepted, count)
            batches = list(client.query_range(name, *EVERYTHING))
            read = numpy.concatenate([tau.as_numpy(b.values) for b in batches])
            numpy.testing.assert_array_equal(read, column)
            at = numpy.concatenate([tau.as_numpy(b.timestamps) for b in batches])
            wanted = times.astype("datetime64[ns]").view("i8") if times is days else times
            numpy.testing.assert_array_equal(at, wanted)
        self.assertEqual(len(tau.as_numpy(array("q"))), 0)
        none, far = days.copy(), days.copy()
        none[5], far[5] = numpy.datetime64("NaT"), numpy.datetime64("3000-01-01", "D")
        for wrong in (values, steps.reshape(2, -1), steps.astype("u8"), none, far):
            with self.assertRaises(tau.InvalidArgument):
                client.batch_append(name, wrong, values)
        with self.assertRaises(tau.InvalidArgument):
            client.batch_append(name, steps, days)

    def test_pipeline(self) -> None:
        client, name = self.client(max_outstanding=100, timeout=math.inf), self.label()
        client.create_series(name)
        count = 3000
        with client.pipeline() as pipeline:
            writes = [pipeline.append(name, i // 2, i) for i in range(count)]
            reads = [pipeline.query_point(name, i) for i in range(count // 2)]
            stream = pipeline.query_range(name, *EVERYTHING)
        self.assertTrue(all(promise.done for promise in writes + reads))
        for number, write in enumerate(writes):
            if number % 2 == 0:
                write.result()
                continue
            for _ in range(2):
                with self.assertRaises(tau.OutOfOrder):
                    write.result()
        self.assertEqual([read.result() for read in reads], [float(i) for i in range(0, count, 2)])
        self.assertEqual(sum(len(batch.values) for batch in stream), count // 2)

    def test_large_pipeline_does_not_deadlock(self) -> None:
        """Both directions have far more to say than the buffers between them hold."""
        client = self.client()
        block = bytes(1 << 20)
        with client.pipeline() as pipeline:
            for _ in range(12):
                pipeline.ping(ignored=block)
            lists = [pipeline.specification() for _ in range(200)]
        self.assertEqual(len({promise.result() for promise in lists}), 1)

    def test_streams(self) -> None:
        client, name = self.client(), self.label()
        client.create_series(name)
        part, count = 250_000, 2_000_000  # more than all buffers between client and server hold
        for start in range(0, count, part):
            times = range(start, start + part)
            client.batch_append(name, times, array("d", bytes(8 * part)))
        with client.query_range(name, *EVERYTHING) as stream:
            first = next(stream)
            self.assertEqual(client.query_point(name, 7), 0.0)  # an answer behind the stream
            rest = sum(len(batch.timestamps) for batch in stream)
        self.assertEqual(len(first.timestamps) + rest, count)
        with client.query_range(name, *EVERYTHING) as stream:
            next(stream)
        self.assertEqual(list(stream), [])
        self.assertEqual(client.query_point(name, 8), 0.0)
        stream = client.query_range(name, *EVERYTHING)
        next(stream)
        client.cancel()
        with self.assertRaises(tau.Cancelled):
            while True:
                next(stream)
        with self.assertRaises(tau.SeriesNotFound):
            next(client.query_range("nowhere", *EVERYTHING))

    def test_threads(self) -> None:
        client = self.client()
        failures: list[BaseException] = []

        def work(name: bytes) -> None:
            try:
                client.create_series(name)
                for at in range(100):
                    client.append(name, at, at)
                    assert client.query_point(name, at) == at
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(self.label(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_refused_connections(self) -> None:
        with self.assertRaises(tau.AuthFailed) as caught:
            tau.Client(self.server.address, WRONG_CERTIFICATE).open()
        self.assertTrue(caught.exception.fatal)
        for nowhere in ("unix:/nowhere/tau.sock", "unix:" + "x" * 200, "unix:\0\0",
                        "x" * 70 + ":1"):  # fmt: skip
            with self.assertRaises(tau.ConnectionFailed, msg=nowhere) as failed:
                tau.Client(nowhere, CERTIFICATE).open()
            self.assertTrue(failed.exception.retryable)
        for wrong in ("localhost", "localhost:", ":99999999", "localhost:0"):
            with self.assertRaises(ValueError):
                tau.Client(wrong, CERTIFICATE)
        certificates: list[str | bytes] = ["12", b"short", CERTIFICATE.hex() + "00", "zz" * 32]
        for certificate in certificates:
            with self.assertRaises(ValueError):
                tau.Client("localhost:7701", certificate)

    def test_without_negotiation(self) -> None:
        client, name = self.client(negotiate=False), self.label()
        client.create_series(name)
        self.assertFalse(client.server.negotiated)
        with self.assertRaises(tau.NotSupported):
            client.describe_series(name)
        with self.assertRaises(tau.SeriesAlreadyExists) as caught:
            client.create_series(name)
        self.assertIsNone(caught.exception.field)


class Recorder:
    """Notes the operations that a client asks its sessions for."""

    def __init__(self, client: tau.Client) -> None:
        self.names: set[str] = set()
        client.open()
        session = client._link.session  # type: ignore[union-attr]
        request = session.request

        def noted(operation: tables.Operation, values: dict[str, Any]) -> Any:
            self.names.add(operation.name)
            return request(operation, values)

        setattr(session, "request", noted)


class Asynchronous(ClientCase):
    """tau.AsyncClient."""

    def test_every_operation(self) -> None:
        name = self.label()

        async def body(client: tau.AsyncClient) -> None:
            await client.ping()
            await client.create_series(name)
            await client.append(name, 1, 20.0)
            self.assertEqual((await client.batch_append(name, [2, 3], [1, 2])).accepted, 2)
            self.assertEqual((await client.multi_append([(name, 4, 1.0)])).accepted, 1)
            self.assertEqual(await client.query_point(name, 1), 20.0)
            self.assertEqual(await client.query_latest(name), (4, 1.0))
            self.assertEqual((await client.describe_series(name)).point_count, 4)
            self.assertEqual((await client.list_series(name.rstrip(b"\0"), 1)).labels, [name])
            stream = client.query_range(name, *EVERYTHING)
            self.assertEqual([list(b.timestamps) async for b in stream], [[1, 2, 3, 4]])
            await client.create_lens("aio.a", name, "identity")
            await client.compose_lens("aio.b", "aio.a", "aio.a")
            self.assertEqual(await client.query_lens("aio.b", 1), 20.0)
            self.assertIn(tau.label("aio.a"), await client.list_lenses())
            await client.drop_lens("aio.a")
            self.assertTrue(json.loads(await client.specification()))
            await client.cancel()
            await client.drop_series(name)
            with self.assertRaises(tau.SeriesNotFound):
                await client.query_point(name, 1)

        self.run_async(body)

    def test_many_tasks_share_a_connection(self) -> None:
        name = self.label()

        async def body(client: tau.AsyncClient) -> None:
            await client.create_series(name)
            await asyncio.gather(*(client.append(name, i, i) for i in range(2000)))
            found = await asyncio.gather(*(client.query_point(name, i) for i in range(2000)))
            self.assertEqual(found, [float(i) for i in range(2000)])
            failed = await asyncio.gather(*(client.append(name, 0, 0) for _ in range(50)),
                                          return_exceptions=True)  # fmt: skip
            self.assertEqual({type(error) for error in failed}, {tau.OutOfOrder})

        self.run_async(body, max_outstanding=100)

    def test_streams(self) -> None:
        name = self.label()
        count = 200_000

        async def body(client: tau.AsyncClient) -> None:
            await client.create_series(name)
            await client.batch_append(name, range(count), array("d", bytes(8 * count)))
            found = 0
            async for batch in client.query_range(name, *EVERYTHING):
                found += len(batch.timestamps)
                self.assertEqual(await client.query_point(name, found - 1), 0.0)
            self.assertEqual(found, count)
            for _ in range(3):
                async with client.query_range(name, *EVERYTHING) as stream:
                    async for batch in stream:
                        break
            self.assertEqual(await client.query_point(name, 0), 0.0)

        self.run_async(body)

    def test_a_slow_reader_holds_the_stream_up(self) -> None:
        """Nothing piles up in the client while nobody takes it."""
        name = self.label()
        count = 250_000

        async def body(client: tau.AsyncClient) -> None:
            await client.create_series(name)
            for start in range(0, 4 * count, count):
                times = range(start, start + count)
                await client.batch_append(name, times, array("d", bytes(8 * count)))
            stream = client.query_range(name, *EVERYTHING)
            found = len((await anext(stream)).timestamps)
            await asyncio.sleep(0.3)
            assert client._channel is not None
            self.assertLess(len(client._channel.session.pending[0].batches), 40)
            async for batch in stream:
                found += len(batch.timestamps)
            self.assertEqual(found, 4 * count)

        self.run_async(body)

    def test_cancelled_tasks(self) -> None:
        name = self.label()

        async def body(client: tau.AsyncClient) -> None:
            await client.create_series(name)
            tasks = [asyncio.create_task(client.query_point(name, i)) for i in range(100)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self.assertIn(asyncio.CancelledError, {type(error) for error in ended})
            self.assertIsNone(await client.query_point(name, 1))

        self.run_async(body)

    def test_refused_connections(self) -> None:
        async def whole() -> None:
            with self.assertRaises(tau.AuthFailed):
                await tau.AsyncClient(self.server.address, WRONG_CERTIFICATE).open()
            for nowhere in ("unix:/nowhere/tau.sock", "x" * 70 + ":1"):
                with self.assertRaises(tau.ConnectionFailed, msg=nowhere):
                    await tau.AsyncClient(nowhere, CERTIFICATE).open()

        asyncio.run(whole())


class Restarts(unittest.TestCase):
    """A server that ends and comes back."""

    @contextlib.contextmanager
    def on_a_socket(self) -> Iterator[Server]:
        """A server on a unix socket, which is there again under the same address."""
        server = Server()
        server.listen = [f"unix:{server.directory}/tau.sock"]
        with server:
            yield server

    def test_blocking(self) -> None:
        with self.on_a_socket() as server:
            with tau.Client(server.listen[0], CERTIFICATE) as client:
                client.create_series("a")
                client.append("a", 1, 1.0)
                server.restart()
                self.assertEqual(client.query_point("a", 1), 1.0)
                server.restart()
                client.append("a", 2, 2.0)  # the end was noticed before anything was sent
                server.kill()
                with self.assertRaises(tau.ConnectionFailed):
                    client.query_point("a", 2)
                server.start()
                self.assertEqual(client.query_point("a", 2), 2.0)
            with tau.Client(server.listen[0], CERTIFICATE, reconnect=False) as client:
                server.restart()
                with self.assertRaises(tau.ConnectionLost):
                    client.query_point("a", 1)

    def test_asyncio(self) -> None:
        async def whole(server: Server) -> None:
            async with tau.AsyncClient(server.listen[0], CERTIFICATE) as client:
                await client.create_series("a")
                server.restart()
                await asyncio.sleep(0.05)
                await client.append("a", 1, 1.0)
                server.kill()
                await asyncio.sleep(0.05)
                with self.assertRaises(tau.ConnectionFailed):
                    await client.query_point("a", 1)
                server.start()
                self.assertEqual(await client.query_point("a", 1), 1.0)

        with self.on_a_socket() as server:
            asyncio.run(whole(server))

    def test_killed_under_load(self) -> None:
        """What was answered is there; what failed with a status that says so is not; nothing is
        there twice."""
        with self.on_a_socket() as server:
            client = tau.Client(server.listen[0], CERTIFICATE)
            client.create_series("a")
            pipeline = client.pipeline()
            promises = [pipeline.append("a", i, i) for i in range(1000)]
            server.kill()
            ends: dict[str, list[int]] = {}
            for number, promise in enumerate(promises):
                try:
                    promise.result()
                    ends.setdefault("done", []).append(number)
                except tau.TauError as error:
                    self.assertTrue(error.outcome_unknown or error.retryable)
                    ends.setdefault(type(error).__name__, []).append(number)
            server.start()
            stored = [t for b in client.query_range("a", *EVERYTHING) for t in b.timestamps]
            client.close()
        self.assertEqual(stored, list(range(len(stored))))
        self.assertLessEqual(set(ends.get("done", [])), set(stored))
        self.assertFalse(set(ends.get("ConnectionLost", [])) & set(stored))
        self.assertLessEqual(set(ends), {"done", "OutcomeUnknown", "ConnectionLost"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
