# SPDX-License-Identifier: MIT
"""The calls of the client library: <tau/operations.h>, what is behind it, and the limits' numbers.

For each operation that a program may call there is an asynchronous and a blocking function, typed
by its request and response. What they share is hand-written in client/src; here is what differs.
Session operations belong to the library's core, but for those that a person may type as a command.
"""

from __future__ import annotations

import textwrap

from .ctext import in_comment
from .model import Field, Model, Operation, Shape

HEADER = "include/tau/operations.h"
SOURCE = "tau_operations.c"
LIMITS = "tau_limit_numbers.h"

OUTPUTS: tuple[str, ...] = (HEADER, SOURCE, LIMITS)

WIDTH = 100

HEADER_TOP = """\
/* SPDX-License-Identifier: MIT */
/* Generated from the specification in protocol/ by gen/taugen/emit_sdk.py; not to be edited. */
/*
 * One typed call for each operation, twice: blocking on a struct tau_client, and asynchronous on a
 * struct tau_async. The structs of requests and responses are in <tau/protocol.h>.
 *
 * Requests are borrowed for the call. An asynchronous call that returns success completes exactly
 * once through its callback; one that returns anything else never calls it. They return: success;
 * would_block (too many requests or bytes wait: take completions, then try again); connection_lost
 * (there is no connection, and none is being made) or the reason for which the server refused the
 * session; not_supported; layout_mismatch; invalid_argument (a count or a length is over its
 * limit); no_memory. None blocks, and all are of the client's thread. `error` in a callback is NULL
 * on success; it and the response are borrowed for the callback.
 */
#ifndef TAU_OPERATIONS_H
#define TAU_OPERATIONS_H

#include <stdbool.h>

#include <tau/error.h>
#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

struct tau_client;
struct tau_async;
"""

HEADER_END = """
TAU_END_DECLARATIONS

#endif
"""

SOURCE_TOP = """\
/* SPDX-License-Identifier: MIT */
/* Generated from the specification in protocol/ by gen/taugen/emit_sdk.py; not to be edited. */
/*
 * The typed calls of the client library: encode the request, decode the response, no more.
 */
#include <tau/client.h>

#include "call.h"
#include "tau_codec.h"
"""


LIMITS_TOP = """\
/* SPDX-License-Identifier: MIT */
/* Generated from the specification in protocol/ by gen/taugen/emit_sdk.py; not to be edited. */
/*
 * The numbers under which a server announces its limits in NEGOTIATE.
 */
#ifndef TAU_LIMIT_NUMBERS_H
#define TAU_LIMIT_NUMBERS_H

enum tau_limit_number {
"""

LIMITS_END = """\
};

#endif
"""


def is_callable(operation: Operation) -> bool:
    """Whether the library offers a call for the operation."""
    return operation.scope != "session" or operation.cli is not None


def has_request(operation: Operation) -> bool:
    return not operation.request.empty


def has_response(operation: Operation) -> bool:
    return not operation.response.empty


# --- comments ---------------------------------------------------------------------------------


def paragraphs(lines: list[str]) -> str:
    """A documentation comment; an empty string parts paragraphs."""
    out = ["/**"]
    for line in lines:
        if not line:
            out.append(" *")
            continue
        out += [f" * {part}" for part in textwrap.wrap(in_comment(line), WIDTH - 3)]
    return "\n".join([*out, " */"])


def split_doc(doc: str) -> tuple[str, str]:
    """The first sentence, and the rest."""
    text = " ".join(doc.split())
    head, stop, tail = text.partition(". ")
    return (head + "." if stop else text), tail


def field_note(field: Field) -> str:
    """A field's shape, unit and words, for the comment of a call."""
    shape = ""
    if field.is_array:
        shape = f" ({field.count_field or 'any number of'} elements)"
        if field.min_count:
            shape = f" ({field.min_count} to {field.max_count} elements)"
        elif field.max_count is not None:
            shape = f" (at most {field.max_count} elements)"
    elif field.is_slice and field.max_bytes is not None:
        shape = f" (at most {field.max_bytes} bytes)"
    elif field.may_be_missing:
        shape = f" (if has_{field.tail or field.name})"
    unit = f", in {field.unit}" if field.unit else ""
    doc = " ".join(field.doc.split()).rstrip(".")
    return f"{field.name}{shape}: {doc}{unit}"


def shapes(operation: Operation) -> list[str]:
    """The fields of request and response; counts are filled in by the encoder."""
    out = []
    for title, payload in (("Request", operation.request), ("Response", operation.response)):
        notes = [field_note(f) for f in payload.fields if not f.is_count]
        if notes:
            out.append(f"{title}: " + "; ".join(notes) + ".")
    return out


def returns(operation: Operation) -> str:
    """Every status of the blocking call."""
    names = ["success", *(s.name for s in operation.statuses)]
    if operation.is_write and "outcome_unknown" not in names:
        names.append("outcome_unknown")
    if operation.is_stream and "cancelled" not in names:
        names.append("cancelled")
    if operation.negotiated:
        names.append("not_supported")
    names += [
        "layout_mismatch",
        "timeout",
        "connection_failed",
        "connection_lost",
        "protocol_error",
        "invalid_argument",
        "no_memory",
    ]
    return "Returns: " + "; ".join(names) + "; any status of a later server."


def blocking_comment(operation: Operation) -> str:
    summary, detail = split_doc(operation.doc)
    lines = [summary, ""]
    if detail:
        lines += [detail, ""]
    notes = shapes(operation)
    if notes:
        lines += [*notes, ""]
    ownership = ["`error` may be NULL."]
    if operation.is_stream:
        ownership.insert(
            0,
            "Batches are borrowed for the call of `on_batch`, which returns false to end the "
            "stream: the call then returns cancelled.",
        )
    elif has_response(operation):
        ownership.insert(0, "`*ret_response` is borrowed until the next call on the client.")
    lines.append("Ownership: " + " ".join(ownership))
    lines.append(returns(operation))
    until = "until the server is silent for the request timeout" if operation.is_stream else (
        "for at most the request timeout"
    )
    lines.append(f"Thread: the client's. Blocks: {until}. Since: {operation.since}.0.")
    return paragraphs(lines)


def async_comment(operation: Operation) -> str:
    summary, _ = split_doc(operation.doc)
    lines = [f"{summary} Asynchronous; see tau_client_{operation.c_name}."]
    if operation.is_stream:
        lines += [
            "",
            "`on_batch` is called for each batch, `on_done` once at the end. Returning false from "
            "`on_batch` ends the stream with cancelled: the server is told to stop unless other "
            "reads of this connection wait, which cancelling would hit too; the rest is then "
            "received and dropped.",
        ]
    return paragraphs(lines)


# --- signatures -------------------------------------------------------------------------------


def call(start: str, arguments: list[str], end: str = "") -> str:
    """A declaration or a call, its arguments wrapped under the first."""
    line = f"{start}(" + ", ".join(arguments) + ")" + end
    if len(line) <= WIDTH:
        return line
    indent = " " * (len(start.splitlines()[-1]) + 1)
    if len(indent) > 60:
        indent = " " * (len(start) - len(start.lstrip()) + 4)
        start += "(\n" + indent
    else:
        start += "("
    text = textwrap.wrap(
        ", ".join(a.replace(" ", "\0") for a in arguments) + ")" + end.replace(" ", "\0"),
        WIDTH - len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return start + ("\n" + indent).join(text).replace("\0", " ")


def callback_type(operation: Operation) -> str:
    return f"tau_{operation.c_name}_callback"


def batch_type(operation: Operation) -> str:
    return f"tau_{operation.c_name}_batch_callback"


def callback_arguments(operation: Operation) -> list[str]:
    arguments = ["void *user_data", "enum tau_status status"]
    if has_response(operation) and not operation.is_stream:
        arguments.append(f"const struct {operation.response.c_struct} *response")
    return [*arguments, "const struct tau_error *error"]


def request_argument(operation: Operation) -> list[str]:
    if not has_request(operation):
        return []
    return [f"const struct {operation.request.c_struct} *request"]


def async_arguments(operation: Operation) -> list[str]:
    arguments = ["struct tau_async *async", *request_argument(operation)]
    if operation.is_stream:
        arguments += [f"{batch_type(operation)} *on_batch", f"{callback_type(operation)} *on_done"]
    else:
        arguments.append(f"{callback_type(operation)} *callback")
    return [*arguments, "void *user_data"]


def blocking_arguments(operation: Operation) -> list[str]:
    arguments = ["struct tau_client *client", *request_argument(operation)]
    if operation.is_stream:
        arguments += [f"{batch_type(operation)} *on_batch", "void *user_data"]
    elif has_response(operation):
        arguments.append(f"struct {operation.response.c_struct} *ret_response")
    return [*arguments, "struct tau_error *error"]


def async_start(operation: Operation) -> str:
    return f"enum tau_status tau_async_{operation.c_name}"


def blocking_start(operation: Operation) -> str:
    return f"enum tau_status tau_client_{operation.c_name}"


# --- the header -------------------------------------------------------------------------------


def declare(operation: Operation) -> str:
    """What the header says of one operation."""
    parts = [f"/* --- {operation.name} " + "-" * (WIDTH - 13 - len(operation.name)) + " */", ""]
    if operation.is_stream:
        batch = ["void *user_data", f"const struct {operation.response.c_struct} *batch"]
        parts.append("/** A batch of the stream; false to end it. */")
        parts += [call(f"typedef bool {batch_type(operation)}", batch, ";"), ""]
    parts.append(f"/** How {operation.name} has ended. */")
    start = f"typedef void {callback_type(operation)}"
    parts += [call(start, callback_arguments(operation), ";"), ""]
    parts.append(blocking_comment(operation))
    parts.append("TAU_API TAU_MUST_USE")
    parts += [call(blocking_start(operation), blocking_arguments(operation), ";"), ""]
    parts.append(async_comment(operation))
    parts.append("TAU_API TAU_MUST_USE")
    parts.append(call(async_start(operation), async_arguments(operation), ";"))
    return "\n".join(parts) + "\n"


# --- the source -------------------------------------------------------------------------------


def decode(operation: Operation, variable: str) -> list[str]:
    """The statements that read a frame's payload into a variable."""
    condition = f"{operation.response.c_decode}(completion->payload, &{variable}, NULL)"
    line = f"    if ({condition} != TAU_STATUS_SUCCESS)"
    if len(line) > WIDTH:
        line = f"    if ({condition} !=\n        TAU_STATUS_SUCCESS)"
    return [line, "        return TAU_VERDICT_BROKEN;"]


def define_complete(operation: Operation) -> str:
    """How a reply becomes a call of the caller's function."""
    name = operation.c_name
    typed = callback_type(operation)
    lines = [
        f"static enum tau_verdict complete_{name}(const struct tau_completion *completion)",
        "{",
        f"    {typed} *callback = ({typed} *)completion->callback;",
    ]
    if has_response(operation) and not operation.is_stream:
        response = operation.response
        lines += [
            f"    struct {response.c_struct} response;",
            "    if (completion->status != TAU_STATUS_SUCCESS) {",
            "        callback(completion->user_data, completion->status, NULL, completion->error);",
            "        return TAU_VERDICT_CONTINUE;",
            "    }",
            *decode(operation, "response"),
            "    callback(completion->user_data, TAU_STATUS_SUCCESS, &response, NULL);",
        ]
    else:
        lines.append("    callback(completion->user_data, completion->status, completion->error);")
    return "\n".join([*lines, "    return TAU_VERDICT_CONTINUE;", "}", ""])


def define_batch(operation: Operation) -> str:
    """How a frame of a stream becomes a call of the caller's function; an empty one does not."""
    response = operation.response
    counts = [f.name for f in response.fields if f.is_count]
    lines = [
        f"static enum tau_verdict batch_{operation.c_name}"
        "(const struct tau_completion *completion)",
        "{",
        f"    {batch_type(operation)} *on_batch =",
        f"        ({batch_type(operation)} *)completion->batch_callback;",
        f"    struct {response.c_struct} batch;",
        *decode(operation, "batch"),
    ]
    if counts:
        lines += [f"    if (batch.{counts[0]} == 0)", "        return TAU_VERDICT_CONTINUE;"]
    lines += [
        "    bool wants_more = on_batch(completion->user_data, &batch);",
        "    return wants_more ? TAU_VERDICT_CONTINUE : TAU_VERDICT_STOP;",
        "}",
        "",
    ]
    return "\n".join(lines)


def response_max(operation: Operation) -> str:
    if operation.response.extensible:
        return "TAU_LIMIT_PAYLOAD_BYTES"
    return str(operation.response.max_size)


def define_call(operation: Operation) -> str:
    lines = [
        f"static const struct tau_call {operation.c_name}_call = {{",
        f"    .opcode = {operation.c_opcode},",
        f"    .reply = {operation.reply.c_opcode},",
    ]
    if operation.is_write:
        lines.append("    .write = true,")
    if operation.negotiated:
        lines.append("    .negotiated = true,")
    lines.append(f"    .response_max = {response_max(operation)},")
    lines.append(f"    .complete = complete_{operation.c_name},")
    if operation.is_stream:
        lines.append(f"    .batch = batch_{operation.c_name},")
    return "\n".join([*lines, "};", ""])


def begin(arguments: list[str]) -> str:
    """The declaration of `status` with its first value, broken where that needs fewest lines."""
    head = "    enum tau_status status ="
    whole = f"tau_async_begin({', '.join(arguments)});"
    if len(head) + 1 + len(whole) <= WIDTH:
        return f"{head} {whole}"
    if 8 + len(whole) <= WIDTH:
        return f"{head}\n        {whole}"
    return call(f"{head} tau_async_begin", arguments, ";")


def define_async(operation: Operation) -> str:
    name = operation.c_name
    size = f"{operation.request.c_size}(request)" if has_request(operation) else "0"
    callbacks = "(tau_any_callback *)callback, NULL"
    if operation.is_stream:
        callbacks = "(tau_any_callback *)on_done, (tau_any_callback *)on_batch"
    lines = [
        call(async_start(operation), async_arguments(operation)),
        "{",
        "    struct tau_writer payload;",
        begin(["async", f"&{name}_call", size, "&payload"]),
        "    if (status != TAU_STATUS_SUCCESS)",
        "        return status;",
    ]
    if has_request(operation):
        lines += [
            f"    if (!{operation.request.c_encode}(request, &payload))",
            "        return TAU_STATUS_INVALID_ARGUMENT;",
        ]
    lines += [
        call("    tau_async_commit",
             ["async", f"&{name}_call", "&payload", *callbacks.split(", "), "user_data"], ";"),
        "    return TAU_STATUS_SUCCESS;",
        "}",
        "",
    ]
    return "\n".join(lines)


def define_finish(operation: Operation) -> str:
    """The callbacks of the blocking call."""
    lines = []
    if operation.is_stream:
        batch = ["void *user_data", f"const struct {operation.response.c_struct} *batch"]
        lines += [
            call(f"static bool forward_{operation.c_name}", batch),
            "{",
            "    struct tau_waiter *waiter = user_data;",
            f"    {batch_type(operation)} *on_batch =",
            f"        ({batch_type(operation)} *)waiter->batch_callback;",
            "    return on_batch(waiter->user_data, batch);",
            "}",
            "",
        ]
    lines += [call(f"static void finish_{operation.c_name}", callback_arguments(operation)), "{"]
    if has_response(operation) and not operation.is_stream:
        lines += [
            "    struct tau_waiter *waiter = user_data;",
            "    if (response != NULL)",
            f"        *(struct {operation.response.c_struct} *)waiter->response = *response;",
            "    tau_waiter_finish(waiter, status, error);",
        ]
    else:
        lines.append("    tau_waiter_finish(user_data, status, error);")
    return "\n".join([*lines, "}", ""])


def define_blocking(operation: Operation) -> str:
    name = operation.c_name
    unary_response = has_response(operation) and not operation.is_stream
    response = "ret_response" if unary_response else "NULL"
    arguments = ["tau_client_pipeline(client)"]
    if has_request(operation):
        arguments.append("request")
    if operation.is_stream:
        arguments.append(f"forward_{name}")
    arguments += [f"finish_{name}", "&waiter"]
    lines = [
        call(blocking_start(operation), blocking_arguments(operation)),
        "{",
        "    struct tau_waiter waiter;",
        f"    enum tau_status status = tau_waiter_begin(&waiter, client, {response}, error);",
        "    if (status != TAU_STATUS_SUCCESS)",
        "        return status;",
    ]
    if operation.is_stream:
        lines += [
            "    waiter.batch_callback = (tau_any_callback *)on_batch;",
            "    waiter.user_data = user_data;",
        ]
    lines += [
        "    do {",
        call(f"        status = tau_async_{name}", arguments, ";"),
        "    } while (status == TAU_STATUS_WOULD_BLOCK && tau_waiter_make_room(&waiter));",
        "    return tau_waiter_end(&waiter, status);",
        "}",
        "",
    ]
    return "\n".join(lines)


def define(operation: Operation) -> str:
    """What the source holds for one operation."""
    parts = [define_complete(operation)]
    if operation.is_stream:
        parts.append(define_batch(operation))
    parts += [
        define_call(operation),
        define_async(operation),
        define_finish(operation),
        define_blocking(operation),
    ]
    return "\n".join(parts)


def emit(model: Model) -> dict[str, str]:
    """The header and the source of the typed calls."""
    operations = [o for o in model.operations if is_callable(o)]
    header = "\n".join([HEADER_TOP, *(declare(o) for o in operations)]) + HEADER_END
    source = "\n".join([SOURCE_TOP, *(define(o) for o in operations)])
    numbers = [f"    TAU_LIMIT_NUMBER_{x.name.upper()} = {x.number}," for x in model.limits]
    limits = LIMITS_TOP + "\n".join(numbers) + "\n" + LIMITS_END
    return {HEADER: header, SOURCE: source, LIMITS: limits}
