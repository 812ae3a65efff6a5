# SPDX-License-Identifier: MIT
"""Types, payloads, operations and limits. Generated from the specification."""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Union

from .codec import Field, HeaderLayout, Kind, Payload, Shape, Type
from .statuses import Status

PROTOCOL_VERSION = 1
FINGERPRINT = 0xd593e868b9cc75a1
DEFAULT_ADDRESS = "127.0.0.1:1"
PUSHES = range(0xe0, 0xf0)
FLAG_MORE = 0x01
FEATURE_LONG_ERRORS = 0x1
REPLY_OK = 0xf0
REPLY_ERR = 0xff


class Limit(enum.IntEnum):
    """Limits of the protocol, by what they allow."""

    PAYLOAD_BYTES = 1
    """The largest payload. In bytes."""

    UNAUTHENTICATED_PAYLOAD_BYTES = 2
    """The largest payload of a stranger. In bytes."""

    STREAM_FRAME_BYTES = 3
    """The largest frame of a stream. In bytes."""

    ITEMS = 4
    """The most items. In items."""


LIMITS: dict[Limit, int] = {
    Limit.PAYLOAD_BYTES: 1000,
    Limit.UNAUTHENTICATED_PAYLOAD_BYTES: 40,
    Limit.STREAM_FRAME_BYTES: 200,
    Limit.ITEMS: 10,
}
"""What each limit is where a server does not say otherwise."""


class Colour(enum.IntEnum):
    """A colour."""

    RED = 0
    """As a rose."""

    BLUE = 1
    """As the sky."""


class Shade(enum.IntEnum):
    """A shade."""

    LIGHT = 0
    """As the day."""

    DARK = 1
    """As the night."""


class Pair(NamedTuple):
    """A key and a time."""

    key: bytes
    """The key."""

    moment: int
    """The time. In seconds."""


class Tint(NamedTuple):
    """A colour and its shade."""

    moment: int
    """The time. In seconds."""

    colour: Colour
    """The colour."""

    shade: Union[Shade, int]
    """The shade."""


TYPE_U8 = Type("u8", Kind.INTEGER, 1, "B")
TYPE_U16 = Type("u16", Kind.INTEGER, 2, "H")
TYPE_U32 = Type("u32", Kind.INTEGER, 4, "I")
TYPE_U64 = Type("u64", Kind.INTEGER, 8, "Q")
TYPE_I64 = Type("i64", Kind.INTEGER, 8, "q")
TYPE_F64 = Type("f64", Kind.FLOAT, 8, "d")
TYPE_BOOL = Type("bool", Kind.BOOL, 1, "B")
TYPE_STATUS = Type("status", Kind.STATUS, 1, "B", values=Status, open=True)
TYPE_TEXT = Type("text", Kind.TEXT, 0, "")
TYPE_BYTES = Type("bytes", Kind.BLOB, 0, "")
TYPE_LABEL = Type("label", Kind.BYTES, 32, "32s")
TYPE_MOMENT = Type("moment", Kind.INTEGER, 8, "q")
TYPE_PAIR = Type("pair", Kind.STRUCT, 40, "32sq", members=(TYPE_LABEL, TYPE_MOMENT,), make=Pair)
TYPE_COLOUR = Type("colour", Kind.ENUM, 1, "B", values=Colour, open=False)
TYPE_SHADE = Type("shade", Kind.ENUM, 1, "B", values=Shade, open=True)
TYPE_TINT = Type(
    "tint", Kind.STRUCT, 10, "qBB", members=(TYPE_MOMENT, TYPE_COLOUR, TYPE_SHADE,), make=Tint,
)

HEADER = HeaderLayout(
    size=10,
    magic=b"TAU",
    version=1,
    opcodes=frozenset((
        0x01, 0x02, 0x03, 0x04, 0x05, 0xf0, 0xff,
    )),
    opcode_at=4,
    flags_at=5,
    length_at=6,
    max_length=1000,
    bad_magic="bad_frame",
    bad_version="bad_frame",
    bad_opcode="bad_opcode",
    bad_length="bad_frame",
)

HELLO_REQUEST = Payload(
    "hello_request", 32, 32, False, (
        Field("key", TYPE_LABEL),
    ),
)
HELLO_RESPONSE = Payload(
    "hello_response", 0, 0, False, (),
)
PUT_REQUEST = Payload(
    "put_request", 48, 48, False, (
        Field("key", TYPE_LABEL),
        Field("moment", TYPE_MOMENT),
        Field("weight", TYPE_F64),
    ),
)
PUT_RESPONSE = Payload(
    "put_response", 0, 0, False, (),
)
GET_REQUEST = Payload(
    "get_request", 4, 1000, True, (
        Field("colour", TYPE_COLOUR),
        Field("exact", TYPE_BOOL),
        Field("note", TYPE_TEXT, Shape.SIZED, prefix=1, max_bytes=20),
        Field("after", TYPE_MOMENT, Shape.OPTIONAL),
        Field("reason", TYPE_TEXT, Shape.SIZED, prefix=1, max_bytes=12, tail='reason'),
    ),
)
GET_RESPONSE = Payload(
    "get_response", 11, 1000, True, (
        Field("pair", TYPE_PAIR, Shape.OPTIONAL),
        Field("count", TYPE_U16, maximum=10, counts=('pairs',)),
        Field("pairs", TYPE_PAIR, Shape.COUNTED_ARRAY, max_count=10, count_field='count'),
        Field("latest", TYPE_MOMENT),
        Field("shade", TYPE_SHADE, tail='shade'),
        Field("rumour_count", TYPE_U8, maximum=3, tail='rumour_count', counts=('rumours',)),
        Field(
            "rumours", TYPE_MOMENT, Shape.COUNTED_ARRAY, max_count=3, tail='rumour_count',
            count_field='rumour_count',
        ),
    ),
)
WALK_REQUEST = Payload(
    "walk_request", 4, 4, False, (
        Field("limit", TYPE_U32, minimum=1, maximum=10),
    ),
)
WALK_RESPONSE = Payload(
    "walk_response", 0, 80, False, (
        Field("moments", TYPE_MOMENT, Shape.REST_ARRAY, max_count=10),
    ),
)
BLEND_REQUEST = Payload(
    "blend_request", 12, 132, False, (
        Field("ground", TYPE_TINT),
        Field("glaze", TYPE_TINT, Shape.OPTIONAL),
        Field("tint_count", TYPE_U8, minimum=1, maximum=10, counts=('tints', 'shades')),
        Field("tints", TYPE_TINT, Shape.COUNTED_ARRAY, max_count=10, count_field='tint_count'),
        Field("shades", TYPE_SHADE, Shape.COUNTED_ARRAY, max_count=10, count_field='tint_count'),
    ),
)
BLEND_RESPONSE = Payload(
    "blend_response", 0, 10, False, (
        Field("colours", TYPE_COLOUR, Shape.REST_ARRAY, max_count=10),
    ),
)
ERR = Payload(
    "err", 1, 43, False, (
        Field("status", TYPE_STATUS),
        Field("text", TYPE_TEXT, Shape.SIZED, prefix=2, max_bytes=40, tail='long_errors'),
    ),
)


@dataclass(frozen=True)
class GetResponse:
    """What answers GET."""

    pair: Optional[Pair]
    """The pair."""

    pairs: list[Pair]
    """The others."""

    latest: int
    """The last one's time. No meaning while `count` is 0. In seconds."""

    shade: Optional[Union[Shade, int]]
    """Its shade. Version 1 added it; an older side leaves it out."""

    rumours: Optional[array[int]]
    """When it was heard of. Version 1 added it; an older side leaves it out. In seconds."""


@dataclass(frozen=True)
class Operation:
    """A request and what answers it."""

    name: str
    code: int
    fingerprint: int
    request: Payload
    response: Payload
    reply: int
    write: bool
    stream: bool
    negotiated: bool
    extensible: bool
    result: Any


OPERATION_HELLO = Operation(
    "HELLO", 0x01, 0x5bf52b33710c8524, HELLO_REQUEST, HELLO_RESPONSE, 0xf0, write=False,
    stream=False, negotiated=False, extensible=False, result=None,
)
OPERATION_PUT = Operation(
    "PUT", 0x02, 0x48286ec9e1674c86, PUT_REQUEST, PUT_RESPONSE, 0xf0, write=True, stream=False,
    negotiated=False, extensible=False, result=None,
)
OPERATION_GET = Operation(
    "GET", 0x03, 0x894373f3216e5feb, GET_REQUEST, GET_RESPONSE, 0xf0, write=False, stream=False,
    negotiated=False, extensible=True, result=GetResponse,
)
OPERATION_WALK = Operation(
    "WALK", 0x04, 0xb6881222a2b1f13e, WALK_REQUEST, WALK_RESPONSE, 0xf0, write=False,
    stream=True, negotiated=True, extensible=False, result=None,
)
OPERATION_BLEND = Operation(
    "BLEND", 0x05, 0x9909edff24c34aae, BLEND_REQUEST, BLEND_RESPONSE, 0xf0, write=False,
    stream=False, negotiated=True, extensible=False, result=None,
)

OPERATIONS: dict[int, Operation] = {
    0x01: OPERATION_HELLO,
    0x02: OPERATION_PUT,
    0x03: OPERATION_GET,
    0x04: OPERATION_WALK,
    0x05: OPERATION_BLEND,
}
"""All operations by opcode."""

PAYLOADS: dict[str, Payload] = {
    "hello_request": HELLO_REQUEST,
    "put_request": PUT_REQUEST,
    "get_request": GET_REQUEST,
    "get_response": GET_RESPONSE,
    "walk_request": WALK_REQUEST,
    "walk_response": WALK_RESPONSE,
    "blend_request": BLEND_REQUEST,
    "blend_response": BLEND_RESPONSE,
    "err": ERR,
}
"""Every payload that has fields, by name."""

__all__ = [
    "Colour",
    "DEFAULT_ADDRESS",
    "GetResponse",
    "LIMITS",
    "Limit",
    "PROTOCOL_VERSION",
    "Pair",
    "Shade",
    "Tint",
]
