# SPDX-License-Identifier: MIT
"""The picture of a session's states, for people: session.dot and session.svg."""

from __future__ import annotations

from . import picture
from .model import Model

GROUP = "published"
OUTPUTS = ("session.dot", "session.svg")


def emit(model: Model) -> dict[str, str]:
    return {"session.dot": picture.dot(model), "session.svg": picture.svg(model)}
