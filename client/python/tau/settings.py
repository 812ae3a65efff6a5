# SPDX-License-Identifier: MIT
"""What both clients are told: where the server is, the key, and how long to wait."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Optional, Union

from . import tables

Address = Union[str, tuple[str, int]]  # the path of a unix socket, or host and port


@dataclass(frozen=True)
class Settings:
    """Settings of a client. Times are in seconds."""

    address: Address
    certificate: bytes
    timeout: float = 30.0
    connect_timeout: float = 10.0
    name: str = "tau-python"
    negotiate: bool = True
    reconnect: bool = True
    max_outstanding: int = 1024
    max_buffered: int = 64 << 20

    @property
    def where(self) -> str:
        """The address in words."""
        if isinstance(self.address, str):
            return f"unix:{self.address}"
        return f"{self.address[0]}:{self.address[1]}"


def parse_address(text: Optional[str]) -> Address:
    """`HOST:PORT`, `[V6]:PORT` or `unix:PATH`; without one TAU_SERVER, else the default. Raises
    ValueError."""
    text = text or os.environ.get("TAU_SERVER") or tables.DEFAULT_ADDRESS
    if text.startswith("unix:"):
        return text[len("unix:") :]
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{text!r} is neither HOST:PORT nor unix:PATH")
    return host.strip("[]"), int(port)


def parse_certificate(given: Union[str, bytes, None]) -> bytes:
    """32 bytes, or 64 hexadecimal digits; without any TAU_CERTIFICATE. Raises ValueError."""
    if given is None:
        given = os.environ.get("TAU_CERTIFICATE")
        if given is None:
            raise ValueError("no certificate: give one, or set TAU_CERTIFICATE")
    size = tables.TYPE_CERTIFICATE.size
    try:
        raw = bytes.fromhex(given) if isinstance(given, str) else bytes(given)
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise ValueError(f"a certificate is {size} bytes, or {2 * size} hexadecimal digits")
    return raw
