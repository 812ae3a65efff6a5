# SPDX-License-Identifier: MIT
"""The table of operations behind tau_codec.h: tau_operation_table.c."""

from __future__ import annotations

from .ctext import banner
from .model import Model, Operation

OUTPUTS = ("tau_operation_table.c",)


def emit(model: Model) -> dict[str, str]:
    text = banner("What is known of every operation, and what every opcode is.")
    text += '#include "tau_codec.h"\n\n'
    text += "const struct tau_operation_info tau_operations[TAU_OPERATION_COUNT] = {\n"
    text += "".join(_row(o) for o in model.operations) + "};\n\n"
    text += "const uint8_t tau_operation_places[256] = {\n"
    for place, operation in enumerate(model.operations):
        text += f"    [{operation.c_opcode}] = {place + 1},\n"
    text += "};\n\nconst uint8_t tau_frame_kinds[256] = {\n"
    kinds = [(o.code, o.c_opcode, "REQUEST") for o in model.operations]
    kinds += [(r.code, r.c_opcode, "REPLY") for r in model.replies]
    for _, name, kind in sorted(kinds):
        text += f"    [{name}] = TAU_FRAME_{kind},\n"
    return {"tau_operation_table.c": text + "};\n"}


def _row(operation: Operation) -> str:
    flags = {
        "write": operation.is_write,
        "stream": operation.is_stream,
        "session": operation.scope == "session",
        "batched": operation.batched,
        "negotiated": operation.negotiated,
        "extensible": operation.extensible,
    }
    text = f"""    {{
        .name = "{operation.name}",
        .service = "{operation.service}",
        .opcode = {operation.c_opcode},
        .reply = {operation.reply.c_opcode},
        .role = TAU_ROLE_{operation.role.upper()},
"""
    text += "".join(f"        .{name} = true,\n" for name, held in flags.items() if held)
    return text + f"""        .min_request_size = {operation.request.min_size},
        .max_request_size = {operation.request.max_size},
        .min_response_size = {operation.response.min_size},
        .max_response_size = {operation.response.max_size},
        .fingerprint = UINT64_C({operation.fingerprint:#018x}),
    }},
"""
