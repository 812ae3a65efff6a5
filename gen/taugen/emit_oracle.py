# SPDX-License-Identifier: MIT
"""A byte-at-a-time machine for the frame header: tau_header_oracle.h, tau_header_oracle.rl.

Tests hold the header decoder against it. It is made of the specification in another way: the
header is a regular language here, down to the bound of the length.
"""

from __future__ import annotations

from .ctext import banner
from .model import Model

OUTPUTS = ("tau_header_oracle.h", "tau_header_oracle.rl")


def emit(model: Model) -> dict[str, str]:
    return {"tau_header_oracle.h": _header(), "tau_header_oracle.rl": _machine(model)}


def at_most(value: int, size: int) -> str:
    """A regular expression for the big-endian numbers of `size` bytes that are at most `value`."""
    digits = value.to_bytes(size, "big")
    options: list[str] = []
    for place, digit in enumerate(digits):
        same = [f"{d:#04x}" for d in digits[:place]]
        rest = ["any"] * (size - place - 1)
        if digit > 0:
            options.append(" ".join(same + [f"0x00..{digit - 1:#04x}"] + rest))
    options.append(" ".join(f"{d:#04x}" for d in digits))
    return "\n        | ".join(f"( {o} )" for o in options)


def _header() -> str:
    text = banner("Reads a frame header byte by byte; only tests use it.")
    return text + """#ifndef TAU_HEADER_ORACLE_H
#define TAU_HEADER_ORACLE_H

#include "tau_codec.h"

/* A header that is being read. */
struct tau_header_oracle {
    int cs;
    size_t taken;          /* bytes of the header that were read */
    bool done;             /* the header is whole and right */
    enum tau_status status; /* what is wrong, else success */
    struct tau_header header;
};

void tau_header_oracle_init(struct tau_header_oracle *oracle);

/* Reads bytes until the header is whole or wrong. */
void tau_header_oracle_feed(struct tau_header_oracle *oracle, const uint8_t *bytes, size_t size);

#endif
"""


def _machine(model: Model) -> str:
    head = model.header
    magic, version = head.field("magic"), head.field("version")
    length = head.field("payload_length")
    assert length.limit is not None
    status = {c.name: c.status.c_name for c in model.checks}
    codes = sorted([o.code for o in model.operations] + [r.code for r in model.replies])
    listed = "\n        | ".join(
        " | ".join(f"{c:#04x}" for c in codes[i : i + 8]) for i in range(0, len(codes), 8)
    )
    letters = " ".join(f"'{c}'" for c in str(magic.value))
    text = banner("Reads a frame header byte by byte; only tests use it.")
    text += f"""#include "tau_header_oracle.h"

%%{{
    machine tau_header_oracle;
    alphtype unsigned char;
    access oracle->;

    action bad_magic {{ oracle->status = {status['magic']}; }}
    action bad_version {{ oracle->status = {status['version']}; }}
    action bad_opcode {{ oracle->status = {status['opcode']}; }}
    action bad_length {{ oracle->status = {status['payload_limit']}; }}
    action opcode {{ oracle->header.opcode = fc; }}
    action flags {{ oracle->header.flags = fc; }}
    action length {{ oracle->header.payload_length = oracle->header.payload_length << 8 | fc; }}
    action done {{ oracle->done = true; }}

    magic = ( {letters} ) @err(bad_magic);
    version = {version.value:#04x} @err(bad_version);
    opcode = ( {listed} ) $opcode @err(bad_opcode);
    flags = any $flags;
    payload_length = ( {at_most(length.limit.value, length.size)} ) $length @err(bad_length);

    main := magic version opcode flags payload_length @done;
}}%%

%% write data nofinal noerror noentry;

void tau_header_oracle_init(struct tau_header_oracle *oracle)
{{
    *oracle = (struct tau_header_oracle){{.status = TAU_STATUS_SUCCESS}};
    oracle->cs = tau_header_oracle_start;
}}

static void feed_byte(struct tau_header_oracle *oracle, const uint8_t *p)
{{
    const uint8_t *pe = p + 1;
    const uint8_t *eof = NULL;

    %% write exec;

    (void)eof;
    oracle->taken++;
}}

void tau_header_oracle_feed(struct tau_header_oracle *oracle, const uint8_t *bytes, size_t size)
{{
    for (size_t i = 0; i < size; i++) {{
        if (oracle->done || oracle->status != TAU_STATUS_SUCCESS)
            return;
        feed_byte(oracle, bytes + i);
    }}
}}
"""
    return text
