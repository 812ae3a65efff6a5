# SPDX-License-Identifier: MIT
"""What calls raise: one exception for each status of the specification, all of them TauError.

The classes themselves are generated (statuses.py). A status that this version does not know is
raised as a TauError with its number.
"""

from __future__ import annotations

from typing import ClassVar, Optional


class TauError(Exception):
    """A request failed.

    `status` is its number, `operation` the name of the request. Where the server says more,
    `field` is the number of the payload's field at fault, from 0, and `offset` the place of the
    fault in the payload. The predicates say what a caller may do.
    """

    STATUS: ClassVar[int] = -1
    CLASS: ClassVar[str] = "request"

    def __init__(self, message: str, *, operation: str = "", field: Optional[int] = None,
                 offset: Optional[int] = None, status: Optional[int] = None) -> None:  # fmt: skip
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.field = field
        self.offset = offset
        self.status = self.STATUS if status is None else status

    def __str__(self) -> str:
        return f"{self.operation}: {self.message}" if self.operation else self.message

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later. It has not been done."""
        return self.CLASS == "retry"

    @property
    def fatal(self) -> bool:
        """Whether this connection, or this server, will not do it."""
        return self.CLASS == "fatal"

    @property
    def outcome_unknown(self) -> bool:
        """Whether a write may have happened or not. It is never sent again by itself."""
        return self.CLASS == "unknown"

    def again(self, operation: str) -> "TauError":
        """The same failure for another request."""
        return type(self)(self.message, operation=operation, field=self.field, offset=self.offset,
                          status=self.status)  # fmt: skip
