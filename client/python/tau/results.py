# SPDX-License-Identifier: MIT
"""What calls give besides plain values: streams of batches, and promises of a pipeline.

They know neither sockets nor frames: the clients stand behind `Source`, `AsyncSource` and
`Waiting`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Optional, Protocol, TypeVar

T = TypeVar("T")


class Source(Protocol):
    """A stream as the blocking client sees it."""

    def next_batch(self) -> Any:
        """The next batch, or None at the end. Raises TauError."""

    def stop(self) -> None:
        """Ends the stream before its end."""

    def forget(self) -> None:
        """Nobody has the stream any more."""


class AsyncSource(Protocol):
    """A stream as the asyncio client sees it."""

    async def next_batch(self) -> Any:
        """The next batch, or None at the end. Raises TauError."""

    async def stop(self) -> None:
        """Ends the stream before its end."""

    def forget(self) -> None:
        """Nobody has the stream any more."""


class Waiting(Protocol):
    """A request of a pipeline."""

    @property
    def done(self) -> bool:
        """Whether the answer is there."""

    def wait(self) -> Any:
        """The result. Raises TauError."""


class Promise(Generic[T]):
    """The answer to a request of a pipeline, which may not be there yet."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    @property
    def done(self) -> bool:
        """Whether the answer is there, be it a failure."""
        return self._waiting.done

    def result(self) -> T:
        """Waits for the answer. Raises TauError where the request failed, each time again."""
        found: T = self._waiting.wait()
        return found


class Stream(Generic[T]):
    """Batches of a reply as they come; nothing is fetched ahead of who iterates.

    Leave a `with` block, or call `close`, to end it early: the server is told to stop, and there
    are no further batches. One that is dropped ends with the next request. The timeout of the call
    holds for each batch.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> "Stream[T]":
        return self

    def __next__(self) -> T:
        batch: Optional[T] = self._source.next_batch()
        if batch is None:
            raise StopIteration
        return batch

    def close(self) -> None:
        """Ends the stream, wherever it stands."""
        self._source.stop()

    def __del__(self) -> None:
        self._source.forget()

    def __enter__(self) -> "Stream[T]":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:  # fmt: skip
        self.close()


class AsyncStream(Generic[T]):
    """As Stream, for `async for` and `async with`. The request is sent with the first batch that is
    asked for."""

    def __init__(self, source: AsyncSource) -> None:
        self._source = source

    def __aiter__(self) -> "AsyncStream[T]":
        return self

    async def __anext__(self) -> T:
        batch: Optional[T] = await self._source.next_batch()
        if batch is None:
            raise StopAsyncIteration
        return batch

    async def aclose(self) -> None:
        """Ends the stream, wherever it stands."""
        await self._source.stop()

    def __del__(self) -> None:
        self._source.forget()

    async def __aenter__(self) -> "AsyncStream[T]":
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:  # fmt: skip
        await self.aclose()
