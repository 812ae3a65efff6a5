# SPDX-License-Identifier: MIT
"""A client of Tau, a time-series database: blocking (`Client`) and for asyncio (`AsyncClient`).

    import tau

    with tau.Client("127.0.0.1:7701", certificate) as client:
        client.create_series("cpu.load")
        client.append("cpu.load", 1, 0.5)

It needs the standard library alone. Methods, types, statuses and exceptions are generated from the
protocol's specification.
"""

from __future__ import annotations

from . import statuses, tables
from .aio import AsyncClient
from .client import Client, Pipeline
from .columns import as_numpy
from .errors import TauError
from .labels import Label, label, label_text
from .results import AsyncStream, Promise, Stream
from .session import ServerInfo
from .statuses import *  # noqa: F403
from .tables import *  # noqa: F403

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "Client",
    "Label",
    "Pipeline",
    "Promise",
    "ServerInfo",
    "Stream",
    "TauError",
    "as_numpy",
    "label",
    "label_text",
]
__all__ += statuses.__all__
__all__ += tables.__all__
