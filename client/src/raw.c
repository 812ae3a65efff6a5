/* SPDX-License-Identifier: MIT */
/*
 * Raw requests. A request that waits for its reply points to the description of its call, even when
 * its caller has long been told of a timeout; so descriptions are kept, one for each operation,
 * until the client is freed.
 */
#include <tau/client.h>

#include <string.h>

#include "async_parts.h"
#include "call.h"
#include "tau_codec.h"

struct tau_raw_call {
    struct tau_raw_call *next;
    struct tau_call call;
    char name[TAU_LIMIT_NAME_BYTES + 1];
};

/* --- replies --------------------------------------------------------------------------------- */

static enum tau_verdict hand_over(const struct tau_completion *completion)
{
    tau_raw_frame_callback *on_frame = (tau_raw_frame_callback *)completion->batch_callback;
    bool wants_more = on_frame(completion->user_data, completion->payload);
    return wants_more ? TAU_VERDICT_CONTINUE : TAU_VERDICT_STOP;
}

static enum tau_verdict complete_stream(const struct tau_completion *completion)
{
    tau_raw_callback *on_done = (tau_raw_callback *)completion->callback;
    on_done(completion->user_data, completion->status, completion->error);
    return TAU_VERDICT_CONTINUE;
}

static enum tau_verdict complete_unary(const struct tau_completion *completion)
{
    if (completion->status == TAU_STATUS_SUCCESS)
        (void)hand_over(completion);
    return complete_stream(completion);
}

/* --- descriptions ---------------------------------------------------------------------------- */

/* Whether an opcode is one that a caller may send: neither the session's own, nor a reply's. */
static bool is_request(uint8_t opcode)
{
    return opcode != 0 && opcode < TAU_FIRST_PUSH_OPCODE && opcode != TAU_OPCODE_CONNECT &&
           opcode != TAU_OPCODE_DISCONNECT && opcode != TAU_OPCODE_NEGOTIATE &&
           opcode != TAU_OPCODE_CANCEL && opcode != TAU_OPCODE_PONG;
}

/* Whether an opcode may stand for success: an error and a push may not. */
static bool is_reply(uint8_t opcode)
{
    return opcode == TAU_OPCODE_PONG || (opcode >= TAU_OPCODE_OK && opcode != TAU_OPCODE_ERR);
}

static bool describes(const struct tau_call *call, const struct tau_raw_operation *operation)
{
    return call->opcode == operation->opcode && call->reply == operation->reply &&
           call->write == operation->write && (call->batch != NULL) == operation->stream;
}

static void set_name(struct tau_raw_call *raw, const char *name)
{
    size_t size = name == NULL ? 0 : strnlen(name, sizeof(raw->name) - 1);
    memcpy(raw->name, name == NULL ? "" : name, size);
    raw->name[size] = '\0';
    raw->call.name = size > 0 ? raw->name : NULL;
}

/* The kept description of an operation, made when there is none; NULL without memory. */
static struct tau_call *keep(struct tau_async *async, const struct tau_raw_operation *operation)
{
    struct tau_raw_call *raw = async->raw_calls;
    while (raw != NULL && !describes(&raw->call, operation))
        raw = raw->next;
    if (raw == NULL) {
        const struct tau_operation_info *known = tau_operation_find(operation->opcode);
        raw = tau_memory_allocate(&async->settings.core.allocator, sizeof(*raw));
        if (raw == NULL)
            return NULL;
        raw->call = (struct tau_call){
            .opcode = operation->opcode,
            .reply = operation->reply,
            .write = operation->write,
            .negotiated = known == NULL || known->negotiated,
            .raw = true,
            .response_max = TAU_LIMIT_PAYLOAD_BYTES,
            .complete = operation->stream ? complete_stream : complete_unary,
            .batch = operation->stream ? hand_over : NULL,
        };
        raw->next = async->raw_calls;
        async->raw_calls = raw;
    }
    set_name(raw, operation->name);
    return &raw->call;
}

void tau_async_free_raw_calls(struct tau_async *async)
{
    while (async->raw_calls != NULL) {
        struct tau_raw_call *raw = async->raw_calls;
        async->raw_calls = raw->next;
        tau_memory_release(&async->settings.core.allocator, raw, sizeof(*raw));
    }
}

/* --- requests -------------------------------------------------------------------------------- */

enum tau_status tau_async_raw(struct tau_async *async, const struct tau_raw_operation *operation,
                              struct tau_slice request, tau_raw_frame_callback *on_frame,
                              tau_raw_callback *on_done, void *user_data)
{
    struct tau_writer payload;
    if (!is_request(operation->opcode) || !is_reply(operation->reply))
        return TAU_STATUS_INVALID_ARGUMENT;
    struct tau_call *call = keep(async, operation);
    if (call == NULL)
        return TAU_STATUS_NO_MEMORY;
    enum tau_status status = tau_async_begin(async, call, request.size, &payload);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (request.size > 0)
        memcpy(payload.data, request.data, request.size);
    payload.size = request.size;
    tau_async_commit(async, call, &payload, (tau_any_callback *)on_done,
                     (tau_any_callback *)on_frame, user_data);
    return TAU_STATUS_SUCCESS;
}

static bool forward(void *user_data, struct tau_slice payload)
{
    struct tau_waiter *waiter = user_data;
    tau_raw_frame_callback *on_frame = (tau_raw_frame_callback *)waiter->batch_callback;
    return on_frame(waiter->user_data, payload);
}

static void finish(void *user_data, enum tau_status status, const struct tau_error *error)
{
    tau_waiter_finish(user_data, status, error);
}

enum tau_status tau_client_raw(struct tau_client *client, const struct tau_raw_operation *operation,
                               struct tau_slice request, tau_raw_frame_callback *on_frame,
                               void *user_data, struct tau_error *error)
{
    struct tau_waiter waiter;
    enum tau_status status = tau_waiter_begin(&waiter, client, NULL, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    waiter.batch_callback = (tau_any_callback *)on_frame;
    waiter.user_data = user_data;
    do {
        status = tau_async_raw(tau_client_pipeline(client), operation, request, forward, finish,
                               &waiter);
    } while (status == TAU_STATUS_WOULD_BLOCK && tau_waiter_make_room(&waiter));
    return tau_waiter_end(&waiter, status);
}
