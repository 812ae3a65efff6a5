# SPDX-License-Identifier: MIT
"""Names as another language than C writes them, where two of the specification may become one, or
hide one of the hand-written half. A backend takes each name in its scope; a clash is a fault of the
specification."""

from __future__ import annotations

from typing import Iterable

from .errors import SpecificationError
from .model import Place


class Scope:
    """The names that must differ from each other; those of `own` are taken from the start."""

    def __init__(self, language: str, own: Iterable[str] = ()) -> None:
        self.language = language
        self.owners = {name: "taken already" for name in own}

    def take(self, name: str, what: str, place: Place) -> None:
        """Gives a name to `what`. Raises SpecificationError where another has it."""
        if name in self.owners:
            wrong = f"{what} is `{name}` in {self.language}, where that is {self.owners[name]}"
            raise SpecificationError(place, wrong, "another name")
        self.owners[name] = what
