# SPDX-License-Identifier: MIT
"""Status codes, and the exception of each. Generated from the specification."""

from __future__ import annotations

import enum

from .errors import TauError


class Status(enum.IntEnum):
    """How a request ended."""

    SUCCESS = 0x00
    BAD_FRAME = 0x01
    BAD_OPCODE = 0x02
    DENIED = 0x03
    INVALID_PAYLOAD = 0x04
    UNKNOWN_OUTCOME = 0x05
    TIMEOUT = 0x100


class BadFrame(TauError):
    """A broken frame."""

    STATUS = Status.BAD_FRAME
    CLASS = "fatal"


class BadOpcode(TauError):
    """No such operation."""

    STATUS = Status.BAD_OPCODE
    CLASS = "fatal"


class Denied(TauError):
    """Say hello first."""

    STATUS = Status.DENIED
    CLASS = "fatal"


class InvalidPayload(TauError):
    """A broken payload."""

    STATUS = Status.INVALID_PAYLOAD
    CLASS = "request"


class UnknownOutcome(TauError):
    """Perhaps it happened."""

    STATUS = Status.UNKNOWN_OUTCOME
    CLASS = "unknown"


class Timeout(TauError):
    """Too late."""

    STATUS = Status.TIMEOUT
    CLASS = "retry"


EXCEPTIONS: dict[int, type[TauError]] = {
    0x01: BadFrame,
    0x02: BadOpcode,
    0x03: Denied,
    0x04: InvalidPayload,
    0x05: UnknownOutcome,
    0x100: Timeout,
}
"""The exception of each status."""

__all__ = [
    "BadFrame",
    "BadOpcode",
    "Denied",
    "EXCEPTIONS",
    "InvalidPayload",
    "Status",
    "Timeout",
    "UnknownOutcome",
]
