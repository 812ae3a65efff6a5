# SPDX-License-Identifier: MIT
"""The one exception that a fault of the specification raises."""

from __future__ import annotations

from .model import Place


class SpecificationError(Exception):
    """A fault of the specification. Reads `file:line: what is wrong; expected what`."""

    def __init__(self, place: Place, wrong: str, expected: str) -> None:
        super().__init__(f"{place}: {wrong}; expected {expected}")
        self.place = place
