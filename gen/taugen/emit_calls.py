# SPDX-License-Identifier: MIT
"""The calls of the client library behind one signature: tau_calls.h, tau_calls.c.

What treats all operations alike makes them through this table: the fuzzer of replies and a unit
test do. It is no part of the library: a program has the typed calls.
"""

from __future__ import annotations

from .ctext import banner, call, signature
from .emit_sdk import has_request, has_response, is_callable
from .model import Model, Operation
from .values import Codec

OUTPUTS = ("tau_calls.h", "tau_calls.c")

BYTES_A_LINE = 16

_HEADER = """#ifndef TAU_CALLS_H
#define TAU_CALLS_H

#include <tau/client.h>

/* Who makes a call; it stays until the call has ended. */
struct tau_caller {
    /* Gets the response of a call that succeeds, and each batch of a stream: the struct of the
       operation, borrowed. False ends a stream. Not called where a response has no fields. */
    bool (*on_response)(void *user_data, const void *response);
    /* How an asynchronous call has ended; `error` is NULL on success. */
    void (*on_done)(void *user_data, enum tau_status status, const struct tau_error *error);
    void *user_data;
};

/* An operation. `request` points to its struct; NULL where it has no fields. */
struct tau_call_info {
    uint8_t opcode;
    const char *request;  /* the name of its payload, for example append_request, or NULL */
    const char *response; /* likewise */
    const uint8_t *example; /* the request that the specification shows, encoded */
    size_t example_size;
    const uint8_t *answer; /* and the response */
    size_t answer_size;
    enum tau_status (*begin)(struct tau_async *async, const void *request,
                             struct tau_caller *caller);
    enum tau_status (*block)(struct tau_client *client, const void *request,
                             struct tau_caller *caller, struct tau_error *error);
};

"""

_SOURCE = """#include "tau_calls.h"

#include <stddef.h>

static void plain_done(void *user_data, enum tau_status status, const struct tau_error *error)
{
    const struct tau_caller *caller = user_data;
    caller->on_done(caller->user_data, status, error);
}

"""

_FIND = """
const struct tau_call_info *tau_call_find(uint8_t opcode)
{
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        if (tau_calls[i].opcode == opcode)
            return &tau_calls[i];
    }
    return NULL;
}
"""


def emit(model: Model) -> dict[str, str]:
    operations = [o for o in model.operations if is_callable(o)]
    return {"tau_calls.h": _header(operations), "tau_calls.c": _source(model, operations)}


def _header(operations: list[Operation]) -> str:
    text = banner(
        "Every call of the client library, asynchronous and blocking, behind one signature: for "
        "tests that treat all operations alike."
    )
    text += _HEADER
    text += f"#define TAU_CALL_COUNT {len(operations)}\n\n"
    text += "/* Every operation that a program may call, by opcode. */\n"
    text += "extern const struct tau_call_info tau_calls[TAU_CALL_COUNT];\n\n"
    text += "/* The call of an operation, or NULL. */\n"
    return text + "const struct tau_call_info *tau_call_find(uint8_t opcode);\n\n#endif\n"


def _done(operation: Operation) -> str:
    """The callback of an asynchronous call; that of those without a response serves all."""
    name = operation.c_name
    struct = f"const struct {operation.response.c_struct}"
    if operation.is_stream:
        head = signature(f"static bool {name}_batch", ["void *user_data", f"{struct} *batch"], "")
        return f"""{head}
{{
    const struct tau_caller *caller = user_data;
    return caller->on_response(caller->user_data, batch);
}}

"""
    if not has_response(operation):
        return ""
    arguments = [
        "void *user_data",
        "enum tau_status status",
        f"{struct} *response",
        "const struct tau_error *error",
    ]
    return f"""{signature(f"static void {name}_done", arguments, "")}
{{
    const struct tau_caller *caller = user_data;
    if (response != NULL)
        caller->on_response(caller->user_data, response);
    caller->on_done(caller->user_data, status, error);
}}

"""


def _begin(operation: Operation) -> str:
    name = operation.c_name
    parameters = ["struct tau_async *async", "const void *request", "struct tau_caller *caller"]
    arguments = ["async"] + ["request"] * has_request(operation)
    if operation.is_stream:
        arguments += [f"{name}_batch", "plain_done"]
    else:
        arguments.append(f"{name}_done" if has_response(operation) else "plain_done")
    unused = "" if has_request(operation) else "    (void)request;\n"
    return f"""{signature(f"static enum tau_status {name}_begin", parameters, "")}
{{
{unused}{call(f"    return tau_async_{name}", [*arguments, "caller"])}
}}

"""


def _block(operation: Operation) -> str:
    name = operation.c_name
    parameters = [
        "struct tau_client *client",
        "const void *request",
        "struct tau_caller *caller",
        "struct tau_error *error",
    ]
    head = signature(f"static enum tau_status {name}_block", parameters, "")
    arguments = ["client"] + ["request"] * has_request(operation)
    body = "" if has_request(operation) else "    (void)request;\n"
    if operation.is_stream:
        body += call(
            f"    return tau_client_{name}", [*arguments, f"{name}_batch", "caller", "error"]
        )
    elif has_response(operation):
        body += f"    struct {operation.response.c_struct} response;\n"
        made = call(f"tau_client_{name}", [*arguments, "&response", "error"])
        body += f"    enum tau_status status = {made}\n"
        body += "    if (status == TAU_STATUS_SUCCESS)\n"
        body += "        caller->on_response(caller->user_data, &response);\n"
        body += "    return status;"
    else:
        body += "    (void)caller;\n"
        body += call(f"    return tau_client_{name}", [*arguments, "error"])
    return f"{head}\n{{\n{body}\n}}\n\n"


def _bytes(name: str, raw: bytes) -> str:
    """The bytes of an example; none where there are none."""
    if not raw:
        return ""
    text = f"static const uint8_t {name}[] = {{\n"
    for start in range(0, len(raw), BYTES_A_LINE):
        row = ", ".join(f"0x{byte:02x}" for byte in raw[start : start + BYTES_A_LINE])
        text += f"    {row},\n"
    return text + "};\n\n"


def _row(operation: Operation, request: bytes, response: bytes) -> str:
    rows = [f".opcode = {operation.c_opcode}"]
    if has_request(operation):
        rows.append(f'.request = "{operation.request.name}"')
    if has_response(operation):
        rows.append(f'.response = "{operation.response.name}"')
    for what, raw in (("example", request), ("answer", response)):
        if raw:
            rows += [f".{what} = {operation.c_name}_{what}", f".{what}_size = {len(raw)}"]
    rows += [f".begin = {operation.c_name}_begin", f".block = {operation.c_name}_block"]
    return "    {\n" + "".join(f"        {row},\n" for row in rows) + "    },\n"


def _source(model: Model, operations: list[Operation]) -> str:
    codec = Codec(model)
    text = banner("Every call of the client library behind one signature; see tau_calls.h.")
    text += _SOURCE
    rows = ""
    for operation in operations:
        request, response = (
            codec.encode(payload, codec.example(payload))[0]
            for payload in (operation.request, operation.response)
        )
        text += _done(operation) + _begin(operation) + _block(operation)
        text += _bytes(f"{operation.c_name}_example", request)
        text += _bytes(f"{operation.c_name}_answer", response)
        rows += _row(operation, request, response)
    text += "const struct tau_call_info tau_calls[TAU_CALL_COUNT] = {\n"
    return text + rows + "};\n" + _FIND
