// SPDX-License-Identifier: MIT
// Requests that are completed later, and pushes: what other threads send to a session.
#include "transport/pending.h"

#include "transport/session.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_KEEP_BYTES = 0 };

struct taud_pending *taud_pending_new(struct taud_context *context)
{
    if (context->deferred != NULL)
        return NULL;
    struct taud_pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL)
        return NULL;
    taud_request_arena_init(&pending->arena, PENDING_KEEP_BYTES);
    uint8_t *copy = taud_request_arena_take(&pending->arena, context->payload.size + 1);
    if (copy == NULL) {
        free(pending);
        return NULL;
    }
    if (context->payload.size > 0)
        memcpy(copy, context->payload.data, context->payload.size);
    pending->payload = (struct tau_slice){.data = copy, .size = context->payload.size};
    pending->message.kind = TAUD_MESSAGE_COMPLETION;
    pending->mailbox = taud_mailbox_reference(context->mailbox);
    pending->session = context->session;
    pending->identity = context->identity;
    pending->budget = context->session->budget;
    atomic_init(&pending->cancelled, false);
    context->deferred = pending;
    return pending;
}

void *taud_pending_take(struct taud_pending *pending, size_t size)
{
    return taud_request_arena_take(&pending->arena, size);
}

bool taud_pending_cancelled(const struct taud_pending *pending)
{
    return atomic_load_explicit(&pending->cancelled, memory_order_relaxed);
}

void taud_pending_hold(struct taud_pending *pending, uint64_t log_position)
{
    if (log_position > pending->log_position)
        pending->log_position = log_position;
}

struct tau_writer *taud_pending_begin(struct taud_pending *pending, size_t payload_size,
                                      struct tau_writer *ret_writer)
{
    pending->filled = taud_block_new(pending->budget, TAU_HEADER_SIZE + payload_size, 1);
    if (pending->filled == NULL)
        return NULL;
    *ret_writer = (struct tau_writer){.data = pending->filled->data + TAU_HEADER_SIZE,
                                      .capacity = payload_size};
    return ret_writer;
}

void taud_pending_complete(struct taud_pending *pending, enum tau_status status, uint8_t opcode,
                           const struct tau_writer *writer)
{
    pending->status = status;
    if (status == TAU_STATUS_SUCCESS) {
        struct taud_block *block = pending->filled;
        struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)writer->size};
        tau_header_store(block->data, &header);
        block->size = TAU_HEADER_SIZE + header.payload_length;
        block->hold = pending->log_position;
        taud_block_runs(block)[0] = (struct taud_reply_run){.write = pending->write, .count = 1};
    }
    if (!taud_mailbox_post(pending->mailbox, &pending->message))
        taud_pending_free(pending);
}

void taud_pending_free(struct taud_pending *pending)
{
    taud_block_free(pending->budget, pending->filled);
    taud_request_arena_done(&pending->arena);
    taud_mailbox_release(pending->mailbox);
    free(pending);
}

struct taud_session_reference taud_session_reference(struct taud_context *context)
{
    return (struct taud_session_reference){.mailbox = taud_mailbox_reference(context->mailbox),
                                           .session = context->session,
                                           .identity = context->identity};
}

void taud_session_reference_done(struct taud_session_reference *reference)
{
    taud_mailbox_release(reference->mailbox);
    *reference = (struct taud_session_reference){0};
}

bool taud_push(const struct taud_session_reference *reference, uint8_t opcode,
               struct tau_slice payload)
{
    assert(opcode >= TAU_FIRST_PUSH_OPCODE && opcode <= TAU_LAST_PUSH_OPCODE);
    struct taud_push_message *push = malloc(sizeof *push + TAU_HEADER_SIZE + payload.size);
    if (push == NULL)
        return false;
    push->message.kind = TAUD_MESSAGE_PUSH;
    push->session = reference->session;
    push->identity = reference->identity;
    push->size = TAU_HEADER_SIZE + payload.size;
    struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)payload.size};
    tau_header_store(push->frame, &header);
    if (payload.size > 0)
        memcpy(push->frame + TAU_HEADER_SIZE, payload.data, payload.size);
    if (!taud_mailbox_post(reference->mailbox, &push->message)) {
        free(push);
        return false;
    }
    return true;
}

void *taud_context_take(struct taud_context *context, size_t size)
{
    return taud_request_arena_take(context->arena, size);
}
