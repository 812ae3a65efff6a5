# SPDX-License-Identifier: MIT
"""The server's dispatch: typed prototypes of the handlers, and what stands between them and bytes.

For each operation that any transport may carry there is a function that decodes the request, calls
the handler and encodes its response. The operations of scope "session" are rows of the same table,
but the transport executes them itself.
"""

from __future__ import annotations

from .ctext import COLUMNS, banner, comment, first_sentence, signature
from .model import Field, Model, Operation

HANDLERS = "taud_handlers.h"
DISPATCH = "taud_dispatch.c"

OUTPUTS: tuple[str, ...] = (HANDLERS, DISPATCH)

BATCH_MAX = 256  # TAUD_BATCH_MAX of transport/operation.h; the generated code asserts it


def is_handled(operation: Operation) -> bool:
    return operation.scope == "any"


# --- prototypes -----------------------------------------------------------------------------------


def request_parameter(operation: Operation) -> list[str]:
    if operation.request.empty:
        return []
    return [f"const struct {operation.request.c_struct} *request"]


def expectation(field: Field) -> str:
    """A field's name and documentation as one C string, as part of a sentence."""
    doc = " ".join(field.doc.split()).rstrip(".").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{field.name}: {doc[:1].lower()}{doc[1:]}"'


def fields(operation: Operation) -> str:
    """The fields that a handler may name where it refuses them.

    The place of one that stands behind others of any length is 0: the handler finds it.
    """
    prefix = f"TAUD_FIELD_{operation.c_upper}_"
    return "".join(
        f"#define {prefix}{field.name.upper()} \\\n"
        f"    ((struct taud_field){{{field.number}, {field.offset or 0}, {expectation(field)}}})\n"
        for field in operation.request.fields
    )


def unary_prototype(operation: Operation) -> str:
    parameters = ["struct taud_context *context", *request_parameter(operation)]
    if not operation.response.empty:
        parameters.append(f"struct {operation.response.c_struct} *ret_response")
    return signature(f"enum tau_status taud_handle_{operation.c_name}", parameters, ";\n")


def batch_prototype(operation: Operation) -> str:
    parameters = [
        "struct taud_context *context",
        f"const struct {operation.request.c_struct} *requests",
        "size_t count",
    ]
    if not operation.response.empty:
        parameters.append(f"struct {operation.response.c_struct} *ret_responses")
    parameters.append("enum tau_status *ret_statuses")
    return signature(f"void taud_handle_{operation.c_name}", parameters, ";\n")


def stream_prototypes(operation: Operation) -> str:
    name = operation.c_name
    opening = ["struct taud_context *context", *request_parameter(operation), "void **ret_stream"]
    batch = [
        "struct taud_context *context",
        "void *stream",
        f"struct {operation.response.c_struct} *ret_batch",
        "bool *ret_end",
    ]
    return (
        signature(f"enum tau_status taud_open_{name}", opening, ";\n")
        + signature(f"enum tau_status taud_next_{name}", batch, ";\n")
        + f"void taud_close_{name}(void *stream);\n"
    )


def later_prototypes(operation: Operation) -> str:
    return defer_head(operation) + ";\n" + complete_head(operation) + ";\n"


def defer_head(operation: Operation) -> str:
    parameters = ["struct taud_context *context"]
    if not operation.request.empty:
        parameters.append(f"struct {operation.request.c_struct} *ret_request")
    return signature(f"struct taud_pending *taud_defer_{operation.c_name}", parameters, "")


def complete_head(operation: Operation) -> str:
    parameters = ["struct taud_pending *pending", "enum tau_status status"]
    if not operation.response.empty:
        parameters.append(f"const struct {operation.response.c_struct} *response")
    return signature(f"void taud_complete_{operation.c_name}", parameters, "")


def prototypes(operation: Operation) -> str:
    text = comment(first_sentence(operation.doc))
    if operation.batched:
        return text + batch_prototype(operation)
    if operation.is_stream:
        return text + stream_prototypes(operation) + fields(operation)
    return text + unary_prototype(operation) + later_prototypes(operation) + fields(operation)


def emit_handlers(model: Model) -> str:
    text = banner(
        "The handlers of the server, one for each operation, which server/service defines. What a "
        "handler may do and must do stands in service/context.h. taud_defer_NAME puts a request "
        "off, with a copy of it in ret_request; taud_complete_NAME ends it, from any thread."
    )
    text += (
        "#ifndef TAUD_HANDLERS_H\n#define TAUD_HANDLERS_H\n\n#include <stdbool.h>\n"
        '#include <stddef.h>\n\n#include <tau/protocol.h>\n\n#include "service/context.h"\n'
    )
    for service in model.services:
        handled = [o for o in service.operations if is_handled(o)]
        if handled:
            text += f"\n/* --- {service.name} --- */\n"
        for operation in handled:
            text += "\n" + prototypes(operation)
    return text + "\n#endif\n"


# --- glue -----------------------------------------------------------------------------------------

FINISH_RESPONSE = """\
{head}
{{
    struct tau_writer *out = taud_reply_begin(reply, {size}(response));
    if (out == NULL || !{encode}(response, out))
        return TAU_STATUS_INTERNAL_ERROR;
    taud_reply_end(reply, {reply}, flags);
    return TAU_STATUS_SUCCESS;
}}
"""


def encode_function(operation: Operation) -> str:
    if operation.response.empty:
        return ""
    parameters = [
        f"const struct {operation.response.c_struct} *response",
        "struct taud_reply *reply",
        "uint8_t flags",
    ]
    return FINISH_RESPONSE.format(
        head=signature(f"static enum tau_status encode_{operation.c_name}", parameters, ""),
        size=operation.response.c_size,
        encode=operation.response.c_encode,
        reply=operation.reply.c_opcode,
    )


def assigned(indent: int, target: str, value: str) -> str:
    """An assignment, in two lines where one is too long."""
    line = " " * indent + f"{target} = {value};"
    if len(line) <= COLUMNS:
        return line + "\n"
    return " " * indent + f"{target} =\n" + " " * (indent + 4) + f"{value};\n"


def decode_lines(operation: Operation, variable: str, fail: str) -> str:
    """Declares and decodes a request; `fail` is the statement for one that is wrong."""
    if operation.request.empty:
        return ""
    decode = f"{operation.request.c_decode}(payload, &{variable}, detail)"
    return (
        f"    struct {operation.request.c_struct} {variable};\n"
        + assigned(4, "enum tau_status decoded", decode)
        + f"    if (decoded != TAU_STATUS_SUCCESS)\n        {fail}\n"
    )


def unary_function(operation: Operation) -> str:
    name = operation.c_name
    arguments = ["context"]
    if not operation.request.empty:
        arguments.append("&request")
    parameters = [
        "struct taud_context *context",
        "struct tau_slice payload",
        "struct taud_reply *reply",
        "struct tau_decode_error *detail",
    ]
    text = signature(f"static enum tau_status call_{name}", parameters, "") + "\n{\n"
    if operation.request.empty:
        text += "    (void)payload;\n    (void)detail;\n"
    text += decode_lines(operation, "request", "return decoded;")
    if operation.response.empty:
        call = f"taud_handle_{name}({', '.join(arguments)})"
        return text + (
            f"    enum tau_status status = {call};\n"
            "    if (status == TAU_STATUS_SUCCESS)\n"
            f"        taud_reply_empty(reply, {operation.reply.c_opcode});\n"
            "    return status;\n}\n"
        )
    arguments.append("&response")
    call = f"taud_handle_{name}({', '.join(arguments)})"
    return text + (
        f"    struct {operation.response.c_struct} response = {{0}};\n"
        f"    enum tau_status status = {call};\n"
        f"    return status == TAU_STATUS_SUCCESS ? encode_{name}(&response, reply, 0) : status;\n"
        "}\n"
    )


def later_functions(operation: Operation) -> str:
    text = "\n" + defer_head(operation) + "\n{\n"
    if operation.request.empty:
        text += "    return taud_pending_new(context);\n}\n"
    else:
        text += (
            "    struct taud_pending *pending = taud_pending_new(context);\n"
            "    if (pending == NULL)\n        return NULL;\n"
            "    // The same bytes were decoded once already, so this cannot fail.\n"
            + assigned(
                4,
                "enum tau_status status",
                f"{operation.request.c_decode}(pending->payload, ret_request, NULL)",
            )
            + "    assert(status == TAU_STATUS_SUCCESS);\n    (void)status;\n"
            + "    return pending;\n}\n"
        )
    text += "\n" + complete_head(operation) + "\n{\n    struct tau_writer writer = {0};\n"
    condition, wrong = "status == TAU_STATUS_SUCCESS", "status = TAU_STATUS_INTERNAL_ERROR;"
    if operation.response.empty:
        text += (
            f"    if ({condition} && taud_pending_begin(pending, 0, &writer) == NULL)\n"
            f"        {wrong}\n"
        )
    else:
        text += (
            f"    if ({condition}) {{\n"
            f"        size_t size = {operation.response.c_size}(response);\n"
            "        if (taud_pending_begin(pending, size, &writer) == NULL ||\n"
            f"            !{operation.response.c_encode}(response, &writer))\n"
            f"            {wrong}\n    }}\n"
        )
    return text + (
        f"    taud_pending_complete(pending, status, {operation.reply.c_opcode}, &writer);\n}}\n"
    )


BATCH = """\
{head}
{{
    struct {request} requests[TAUD_BATCH_MAX];
{responses}    enum tau_status statuses[TAUD_BATCH_MAX];
    struct tau_decode_error detail;
    enum tau_status decoded = TAU_STATUS_SUCCESS;
    size_t count = 0;
    while (count < frames->count) {{
        struct tau_slice payload = {{.data = frames->payload + count * frames->stride,
                                    .size = frames->payload_size}};
        decoded = {decode}(payload, &requests[count], &detail);
        if (decoded != TAU_STATUS_SUCCESS)
            break;
        count++;
    }}
    if (count > 0)
        taud_handle_{name}({arguments});
    for (size_t index = 0; index < count; index++) {{
        enum tau_status status = statuses[index];
{encode}        if (status != TAU_STATUS_SUCCESS)
            taud_reply_error(reply, status, NULL);
    }}
    if (count == frames->count)
        return count;
    taud_reply_error(reply, decoded, &detail);
    return count + 1;
}}
"""


def batch_function(operation: Operation) -> str:
    name = operation.c_name
    arguments = ["context", "requests", "count"]
    responses = ""
    if operation.response.empty:
        encode = (
            "        if (status == TAU_STATUS_SUCCESS)\n"
            f"            taud_reply_empty(reply, {operation.reply.c_opcode});\n"
        )
    else:
        arguments.append("responses")
        responses = f"    struct {operation.response.c_struct} responses[TAUD_BATCH_MAX];\n"
        encode = (
            "        if (status == TAU_STATUS_SUCCESS)\n"
            f"            status = encode_{name}(&responses[index], reply, 0);\n"
        )
    arguments.append("statuses")
    parameters = [
        "struct taud_context *context",
        "const struct taud_frames *frames",
        "struct taud_reply *reply",
    ]
    return BATCH.format(
        head=signature(f"static size_t batch_{name}", parameters, ""),
        name=name,
        request=operation.request.c_struct,
        responses=responses,
        decode=operation.request.c_decode,
        arguments=", ".join(arguments),
        encode=encode,
    )


def stream_functions(operation: Operation) -> str:
    name = operation.c_name
    arguments = ["context"] + ([] if operation.request.empty else ["&request"]) + ["ret_stream"]
    parameters = [
        "struct taud_context *context",
        "struct tau_slice payload",
        "void **ret_stream",
        "struct tau_decode_error *detail",
    ]
    text = signature(f"static enum tau_status open_{name}", parameters, "") + "\n{\n"
    if operation.request.empty:
        text += "    (void)payload;\n    (void)detail;\n"
    text += decode_lines(operation, "request", "return decoded;")
    text += f"    return taud_open_{name}({', '.join(arguments)});\n}}\n\n"
    parameters = [
        "struct taud_context *context",
        "void *stream",
        "struct taud_reply *reply",
        "bool *ret_end",
    ]
    text += signature(f"static enum tau_status next_{name}", parameters, "")
    return text + (
        "\n{\n"
        f"    struct {operation.response.c_struct} batch = {{0}};\n"
        "    bool end = false;\n"
        f"    enum tau_status status = taud_next_{name}(context, stream, &batch, &end);\n"
        "    if (status == TAU_STATUS_SUCCESS)\n"
        f"        status = encode_{name}(&batch, reply, end ? 0 : TAU_FLAG_MORE);\n"
        "    if (status == TAU_STATUS_SUCCESS)\n"
        "        *ret_end = end;\n"
        "    return status;\n}\n"
    )


def functions(operation: Operation) -> str:
    parts = [encode_function(operation)]
    if operation.is_stream:
        parts.append(stream_functions(operation))
    elif operation.batched:
        parts.append(batch_function(operation))
    else:
        parts.append(unary_function(operation) + later_functions(operation))
    return "\n".join(part for part in parts if part)


# --- tables ---------------------------------------------------------------------------------------


def kind_of(operation: Operation) -> str:
    if not is_handled(operation):
        return "SESSION"
    if operation.is_stream:
        return "STREAM"
    return "BATCH" if operation.batched else "UNARY"


def row(operation: Operation) -> str:
    name = operation.c_name
    kind = kind_of(operation)
    calls = {
        "SESSION": "",
        "UNARY": f"     .unary = call_{name},\n",
        "BATCH": f"     .batch = batch_{name},\n",
        "STREAM": f"     .open = open_{name},\n     .next = next_{name},\n"
        f"     .close = taud_close_{name},\n",
    }
    return (
        f"    {{.opcode = {operation.c_opcode},\n"
        f"     .reply = {operation.reply.c_opcode},\n"
        f"     .kind = TAUD_OPERATION_{kind},\n"
        f"     .role = TAU_ROLE_{operation.role.upper()},\n"
        f"     .write = {'true' if operation.is_write else 'false'},\n"
        f"     .min_size = {operation.request.min_size},\n"
        f"     .max_size = {operation.request.max_size},\n"
        f"     .fingerprint = UINT64_C(0x{operation.fingerprint:016x}),\n"
        + calls[kind]
        + "    },\n"
    )


def tables(model: Model) -> str:
    operations = model.operations
    text = "const struct taud_operation taud_operations[] = {\n"
    text += "".join(row(operation) for operation in operations) + "};\n\n"
    text += f"const size_t taud_operation_count = {len(operations)};\n\n"
    text += "const uint8_t taud_operation_rows[256] = {\n"
    for number, operation in enumerate(operations, 1):
        text += f"    [{operation.c_opcode}] = {number},\n"
    text += "};\n\nconst struct tau_operation_fingerprint taud_fingerprints[] = {\n"
    for operation in operations:
        text += (
            f"    {{.opcode = {operation.c_opcode}, "
            f".fingerprint = UINT64_C(0x{operation.fingerprint:016x})}},\n"
        )
    text += "};\n\nconst struct tau_limit_value taud_limits[] = {\n"
    for limit in model.limits:
        text += f"    {{.number = {limit.number}, .value = {limit.c_name}}},\n"
    return text + f"}};\n\nconst size_t taud_limit_count = {len(model.limits)};\n"


def emit_dispatch(model: Model) -> str:
    text = banner(
        "What stands between bytes and the server's handlers: decode, call, encode; and the table "
        "in which the transport finds it."
    )
    text += (
        '#include "transport/operation.h"\n\n#include <assert.h>\n\n#include "tau_codec.h"\n'
        f'#include "{HANDLERS}"\n#include "transport/pending.h"\n\n'
        f"_Static_assert(TAUD_BATCH_MAX == {BATCH_MAX}, "
        '"a batch of this size fits on the stack");\n'
    )
    for operation in model.operations:
        if is_handled(operation):
            text += f"\n/* --- {operation.name} --- */\n\n" + functions(operation)
    return text + "\n/* --- tables --- */\n\n" + tables(model)


def emit(model: Model) -> dict[str, str]:
    """The texts of both outputs."""
    return {
        HANDLERS: emit_handlers(model),
        DISPATCH: emit_dispatch(model),
    }
