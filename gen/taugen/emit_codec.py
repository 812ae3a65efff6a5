# SPDX-License-Identifier: MIT
"""The codec's header: tau_codec.h.

A payload of fixed fields that need no look at their values is decoded and encoded by inline
functions: one comparison of the size, then loads or stores. All others are functions of
tau_decode.c and tau_encode.c.
"""

from __future__ import annotations

from .ccodec import decode_head, encode_head, is_plain, size_head
from .celements import load, offset, store
from .ctext import banner, comment
from .model import ROLES, Model, Payload

OUTPUTS = ("tau_codec.h",)


def emit(model: Model) -> dict[str, str]:
    return {"tau_codec.h": _header(model)}


def _plain_functions(payload: Payload) -> str:
    """The inline codec of a plain payload."""
    size = payload.size
    sizes = f"{payload.c_struct}_sizes"
    text = f"extern const uint16_t {sizes}[{len(payload.fields)}];\n\n"
    text += decode_head(payload, "static inline ", "") + "\n{\n"
    text += f"    if (payload.size != {size})\n"
    text += f"        return tau_decode_plain(ret_error, payload, {sizes}, {size});\n"
    for field in payload.fields:
        at = offset("payload.data", field.offset or 0)
        text += f"    {load(field.type, f'ret->{field.name}', at)}\n"
    text += "    return TAU_STATUS_SUCCESS;\n}\n\n"
    text += size_head(payload, "static inline ", "") + "\n{\n"
    text += f"    (void)value;\n    return {size};\n}}\n\n"
    text += encode_head(payload, "static inline ", "") + "\n{\n"
    text += f"    uint8_t *at = tau_writer_reserve(out, {size});\n"
    text += "    if (at == NULL)\n        return false;\n"
    for field in payload.fields:
        at = offset("at", field.offset or 0)
        text += f"    {store(field.type, f'value->{field.name}', at)}\n"
    return text + "    return true;\n}\n"


def _header(model: Model) -> str:
    text = banner(
        "Encoders and decoders of the header and of every payload, and what is known of every "
        "operation. Decoders allocate nothing, and what they fill in points into the payload; on "
        "failure *ret is left as it was, and ret_error, which may be NULL, says why. Encoders "
        "write all or nothing: false means that there is no room, or that a value is not legal. A "
        "size is that of a legal value. No encoder or decoder has any state."
    )
    text += """#ifndef TAU_CODEC_H
#define TAU_CODEC_H

#include <string.h>

#include <tau/protocol.h>

#include "tau_elements.h"
#include "wire/bytes.h"
#include "wire/decode.h"
#include "wire/writer.h"

"""
    text += _frame(model) + "\n" + _operation_table(model) + "\n"
    for operation in model.operations:
        for payload in (operation.request, operation.response):
            if not payload.empty:
                text += _declare(payload, operation.name)
    for reply in model.replies:
        if not reply.payload.empty:
            text += _declare(reply.payload, reply.name)
    return text + "#endif\n"


def _declare(payload: Payload, title: str) -> str:
    size = f"{payload.min_size} to {payload.max_size} bytes"
    if payload.size is not None:
        size = f"{payload.size} bytes"
    role = payload.name.rpartition("_")[2] if "_" in payload.name else "frame"
    text = comment(f"{title}, {role}: {size}.")
    if is_plain(payload):
        return text + _plain_functions(payload) + "\n"
    text += decode_head(payload, "", ";") + "\n"
    text += size_head(payload, "", ";") + "\n"
    return text + encode_head(payload, "", ";") + "\n\n"


def _frame(model: Model) -> str:
    """The frame header: one load for what is fixed, one table, one comparison."""
    head = model.header
    at = {f.name: f.offset for f in head.fields}
    magic = head.field("magic")
    letters = ", ".join(f"'{c}'" for c in str(magic.value))
    limit = head.field("payload_length").limit
    assert limit is not None
    return f"""/* The frame header, without what never changes. */
struct tau_header {{
    uint8_t opcode;
    uint8_t flags;
    uint32_t payload_length;
}};

/* What an opcode is, by opcode. */
enum tau_frame_kind {{
    TAU_FRAME_UNKNOWN,
    TAU_FRAME_REQUEST,
    TAU_FRAME_REPLY,
}};
extern const uint8_t tau_frame_kinds[256];

static inline void tau_header_store(uint8_t out[TAU_HEADER_SIZE], const struct tau_header *header)
{{
    static const uint8_t opening[] = {{{letters}, TAU_PROTOCOL_VERSION}};
    memcpy(out, opening, sizeof opening);
    out[{at['opcode']}] = header->opcode;
    out[{at['flags']}] = header->flags;
    tau_store_u32(out + {at['payload_length']}, header->payload_length);
}}

/* Says which check a header fails; called only for one that fails. */
enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error) __attribute__((cold));

/* Checks magic, version, opcode and length in this order. A known opcode may be that of a reply,
 * and the flags may be anything: both are for the caller to judge. Offsets of errors are in the
 * header. On failure *ret holds nothing of use. */
static inline enum tau_status tau_header_decode(const uint8_t bytes[TAU_HEADER_SIZE],
                                                struct tau_header *ret,
                                                struct tau_decode_error *ret_error)
{{
    const uint32_t opening = UINT32_C({_opening(model)});
    ret->opcode = bytes[{at['opcode']}];
    ret->flags = bytes[{at['flags']}];
    ret->payload_length = tau_load_u32(bytes + {at['payload_length']});
    if (tau_load_u32(bytes) != opening || tau_frame_kinds[ret->opcode] == TAU_FRAME_UNKNOWN ||
        ret->payload_length > {limit.c_name})
        return tau_header_refuse(bytes, ret_error);
    return TAU_STATUS_SUCCESS;
}}
"""


def _opening(model: Model) -> str:
    """Magic and version as one big-endian number."""
    magic, version = model.header.field("magic"), model.header.field("version")
    assert magic.size == 3 and version.size == 1 and isinstance(version.value, int)
    return "0x" + (str(magic.value).encode() + bytes([version.value])).hex().upper()


def _operation_table(model: Model) -> str:
    count = len(model.operations)
    constants = "".join(f"    TAU_ROLE_{r.upper()},\n" for r in ROLES)
    return f"""/* Who may ask for an operation; each role may do what those before it may. */
enum tau_role {{
{constants}}};

/* What is known of an operation. */
struct tau_operation_info {{
    const char *name;
    const char *service;
    uint8_t opcode;
    uint8_t reply; /* the opcode of a successful answer */
    enum tau_role role;
    bool write;      /* changes data, and is held back until that is durable */
    bool stream;     /* answered by any number of frames */
    bool session;    /* belongs to the session of a binary connection */
    bool batched;    /* reaches its handler as an array */
    bool negotiated; /* sent only after NEGOTIATE listed it */
    bool extensible; /* later versions may add fields at the end of its payloads */
    uint32_t min_request_size;
    uint32_t max_request_size;
    uint32_t min_response_size;
    uint32_t max_response_size;
    uint64_t fingerprint;
}};

#define TAU_OPERATION_COUNT {count}

/* All operations by ascending opcode. */
extern const struct tau_operation_info tau_operations[TAU_OPERATION_COUNT];

/* For each opcode 1 + the place of its operation in tau_operations, or 0. */
extern const uint8_t tau_operation_places[256];

/* The operation that an opcode requests, or NULL. */
static inline const struct tau_operation_info *tau_operation_find(uint8_t opcode)
{{
    uint8_t place = tau_operation_places[opcode];
    return place == 0 ? NULL : &tau_operations[place - 1];
}}
"""
