# SPDX-License-Identifier: MIT
"""The operations as typed methods. Generated from the specification."""

from __future__ import annotations

from array import array
from typing import Any, Iterable, Optional, Union

from . import tables
from .codec import Values
from .labels import Label
from .results import AsyncSource, AsyncStream, Promise, Source, Stream, Waiting
from .tables import (
    Colour,
    GetResponse,
    Operation,
    Shade,
)


class BlockingOperations:
    """Operations that wait for their answer."""

    def _call(self, operation: Operation, values: Values, timeout: Optional[float]) -> Any:
        raise NotImplementedError

    def _stream(self, operation: Operation, values: Values, timeout: Optional[float]) -> Source:
        raise NotImplementedError

    def put(
        self,
        key: Label,
        moment: int,
        weight: float,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Stores a pair.

        Args:
            key: The key.
            moment: The time. In seconds.
            weight: The weight.

        Raises:
            TauError: InvalidPayload, UnknownOutcome.
        """
        self._call(
            tables.OPERATION_PUT,
            {"key": key, "moment": moment, "weight": weight},
            timeout,
        )

    def get(
        self,
        colour: Colour,
        exact: bool,
        note: Union[str, bytes],
        *,
        after: Optional[int] = None,
        reason: Optional[Union[str, bytes]] = None,
        timeout: Optional[float] = None,
    ) -> GetResponse:
        """Reads a pair.

        Args:
            colour: The colour.
            exact: Whether exactly.
            note: A note. At most 20 bytes.
            after: Not before. In seconds.
            reason: What for. Version 1 added it; an older side leaves it out. At most 12 bytes.

        Returns:
            See `GetResponse`.

        Raises:
            TauError: InvalidPayload.
        """
        found: GetResponse = self._call(
            tables.OPERATION_GET,
            {"colour": colour, "exact": exact, "note": note, "after": after, "reason": reason},
            timeout,
        )
        return found

    def walk(self, limit: int, *, timeout: Optional[float] = None) -> Stream[array[int]]:
        """Reads all moments.

        Args:
            limit: The most. From 1 to 10.

        Returns:
            A stream of batches. Moments.

        Raises:
            TauError: InvalidPayload.
        """
        return Stream(self._stream(tables.OPERATION_WALK, {"limit": limit}, timeout))

    def blend(
        self,
        ground: tuple[int, Colour, Union[Shade, int]],
        tints: Iterable[tuple[int, Colour, Union[Shade, int]]],
        shades: Iterable[Union[Shade, int]],
        *,
        glaze: Optional[tuple[int, Colour, Union[Shade, int]]] = None,
        timeout: Optional[float] = None,
    ) -> list[Colour]:
        """Blends tints.

        Args:
            ground: What lies below.
            glaze: What lies above.
            tints: What is blended. From 1 to 10.
            shades: How strong each is. From 1 to 10.

        Returns:
            What came of it.

        Raises:
            TauError: InvalidPayload.
        """
        found: list[Colour] = self._call(
            tables.OPERATION_BLEND,
            {"ground": ground, "glaze": glaze, "tints": tints, "shades": shades},
            timeout,
        )
        return found


class AsyncOperations:
    """Operations that are awaited."""

    async def _call(
        self,
        operation: Operation,
        values: Values,
        timeout: Optional[float],
    ) -> Any:
        raise NotImplementedError

    def _stream(
        self,
        operation: Operation,
        values: Values,
        timeout: Optional[float],
    ) -> AsyncSource:
        raise NotImplementedError

    async def put(
        self,
        key: Label,
        moment: int,
        weight: float,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Stores a pair.

        Args:
            key: The key.
            moment: The time. In seconds.
            weight: The weight.

        Raises:
            TauError: InvalidPayload, UnknownOutcome.
        """
        await self._call(
            tables.OPERATION_PUT,
            {"key": key, "moment": moment, "weight": weight},
            timeout,
        )

    async def get(
        self,
        colour: Colour,
        exact: bool,
        note: Union[str, bytes],
        *,
        after: Optional[int] = None,
        reason: Optional[Union[str, bytes]] = None,
        timeout: Optional[float] = None,
    ) -> GetResponse:
        """Reads a pair.

        Args:
            colour: The colour.
            exact: Whether exactly.
            note: A note. At most 20 bytes.
            after: Not before. In seconds.
            reason: What for. Version 1 added it; an older side leaves it out. At most 12 bytes.

        Returns:
            See `GetResponse`.

        Raises:
            TauError: InvalidPayload.
        """
        found: GetResponse = await self._call(
            tables.OPERATION_GET,
            {"colour": colour, "exact": exact, "note": note, "after": after, "reason": reason},
            timeout,
        )
        return found

    def walk(self, limit: int, *, timeout: Optional[float] = None) -> AsyncStream[array[int]]:
        """Reads all moments.

        Args:
            limit: The most. From 1 to 10.

        Returns:
            A stream of batches. Moments.

        Raises:
            TauError: InvalidPayload.
        """
        return AsyncStream(self._stream(tables.OPERATION_WALK, {"limit": limit}, timeout))

    async def blend(
        self,
        ground: tuple[int, Colour, Union[Shade, int]],
        tints: Iterable[tuple[int, Colour, Union[Shade, int]]],
        shades: Iterable[Union[Shade, int]],
        *,
        glaze: Optional[tuple[int, Colour, Union[Shade, int]]] = None,
        timeout: Optional[float] = None,
    ) -> list[Colour]:
        """Blends tints.

        Args:
            ground: What lies below.
            glaze: What lies above.
            tints: What is blended. From 1 to 10.
            shades: How strong each is. From 1 to 10.

        Returns:
            What came of it.

        Raises:
            TauError: InvalidPayload.
        """
        found: list[Colour] = await self._call(
            tables.OPERATION_BLEND,
            {"ground": ground, "glaze": glaze, "tints": tints, "shades": shades},
            timeout,
        )
        return found


class PipelineOperations:
    """Operations that are sent at once and promise their answer."""

    def _begin(self, operation: Operation, values: Values, timeout: Optional[float]) -> Waiting:
        raise NotImplementedError

    def _stream(self, operation: Operation, values: Values, timeout: Optional[float]) -> Source:
        raise NotImplementedError

    def put(
        self,
        key: Label,
        moment: int,
        weight: float,
        *,
        timeout: Optional[float] = None,
    ) -> Promise[None]:
        """Stores a pair.

        Args:
            key: The key.
            moment: The time. In seconds.
            weight: The weight.

        Raises:
            TauError: InvalidPayload, UnknownOutcome.
        """
        return Promise(self._begin(
            tables.OPERATION_PUT,
            {"key": key, "moment": moment, "weight": weight},
            timeout,
        ))

    def get(
        self,
        colour: Colour,
        exact: bool,
        note: Union[str, bytes],
        *,
        after: Optional[int] = None,
        reason: Optional[Union[str, bytes]] = None,
        timeout: Optional[float] = None,
    ) -> Promise[GetResponse]:
        """Reads a pair.

        Args:
            colour: The colour.
            exact: Whether exactly.
            note: A note. At most 20 bytes.
            after: Not before. In seconds.
            reason: What for. Version 1 added it; an older side leaves it out. At most 12 bytes.

        Returns:
            See `GetResponse`.

        Raises:
            TauError: InvalidPayload.
        """
        return Promise(self._begin(
            tables.OPERATION_GET,
            {"colour": colour, "exact": exact, "note": note, "after": after, "reason": reason},
            timeout,
        ))

    def walk(self, limit: int, *, timeout: Optional[float] = None) -> Stream[array[int]]:
        """Reads all moments.

        Args:
            limit: The most. From 1 to 10.

        Returns:
            A stream of batches. Moments.

        Raises:
            TauError: InvalidPayload.
        """
        return Stream(self._stream(tables.OPERATION_WALK, {"limit": limit}, timeout))

    def blend(
        self,
        ground: tuple[int, Colour, Union[Shade, int]],
        tints: Iterable[tuple[int, Colour, Union[Shade, int]]],
        shades: Iterable[Union[Shade, int]],
        *,
        glaze: Optional[tuple[int, Colour, Union[Shade, int]]] = None,
        timeout: Optional[float] = None,
    ) -> Promise[list[Colour]]:
        """Blends tints.

        Args:
            ground: What lies below.
            glaze: What lies above.
            tints: What is blended. From 1 to 10.
            shades: How strong each is. From 1 to 10.

        Returns:
            What came of it.

        Raises:
            TauError: InvalidPayload.
        """
        return Promise(self._begin(
            tables.OPERATION_BLEND,
            {"ground": ground, "glaze": glaze, "tints": tints, "shades": shades},
            timeout,
        ))
