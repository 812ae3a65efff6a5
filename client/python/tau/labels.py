# SPDX-License-Identifier: MIT
"""Labels: 32 raw bytes, by convention UTF-8 that is padded with zero bytes on the right.

Every call takes a label as text or as bytes and pads it; labels that a server sends are given as
they are, all 32 bytes.
"""

from __future__ import annotations

from typing import Union

from .tables import TYPE_LABEL

Label = Union[str, bytes]


def label(text: Label) -> bytes:
    """The 32 bytes of a label. Raises ValueError where the text is longer."""
    raw = text.encode() if isinstance(text, str) else bytes(text)
    if len(raw) > TYPE_LABEL.size:
        raise ValueError(f"a label has at most {TYPE_LABEL.size} bytes, not {len(raw)}")
    return raw.ljust(TYPE_LABEL.size, b"\0")


def label_text(raw: bytes) -> str:
    """A label as text: without its padding, and with \\xNN for what is no UTF-8."""
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
