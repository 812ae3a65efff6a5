// SPDX-License-Identifier: MIT
// A session of the binary wire format: the checks of a frame in their order, the execution of
// requests in batches, streams, and CANCEL.
#include "transport/session_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/words.h"

enum { ARENA_KEEP_BYTES = 4 * 1024 * 1024 };

bool taud_transport_init(struct taud_transport *transport,
                         const struct taud_transport_options *options)
{
    assert(taud_operation_count <= 64); // struct taud_session holds a bit for each
    memset(transport, 0, sizeof *transport);
    taud_request_arena_init(&transport->arena, ARENA_KEEP_BYTES);
    transport->context.engine = options->engine;
    transport->context.arena = &transport->arena;
    transport->context.mailbox = options->mailbox;
    transport->budget = options->budget;
    transport->penalties = options->penalties;
    transport->statistics = options->statistics;
    transport->log = options->log;
    return taud_reply_init(&transport->reply, options->budget, &transport->context.log_position);
}

void taud_transport_done(struct taud_transport *transport)
{
    taud_reply_done(&transport->reply);
    taud_request_arena_done(&transport->arena);
    explicit_bzero(&transport->certificate, sizeof transport->certificate);
}

void taud_session_init(struct taud_session *session, struct taud_budget *budget, uint64_t identity,
                       const struct taud_penalty_key *address)
{
    *session = (struct taud_session){
        .budget = budget, .identity = identity, .state = TAU_SESSION_NEW, .address = *address};
}

static void close_stream(struct taud_session *session)
{
    if (session->streaming == NULL)
        return;
    session->streaming->close(session->stream);
    session->again_ms = 0;
    session->streaming = NULL;
    session->stream = NULL;
}

static void let_go(struct taud_block *block)
{
    for (; block != NULL; block = block->next) {
        if (block->pending == NULL)
            continue;
        block->pending->block = NULL;
        atomic_store_explicit(&block->pending->cancelled, true, memory_order_relaxed);
    }
}

void taud_session_done(struct taud_session *session)
{
    close_stream(session);
    let_go(session->output.head);
    taud_output_done(&session->output, session->budget);
    session->identity = 0;
}

void taud_session_begin_turn(struct taud_session *session, struct taud_transport *transport)
{
    struct taud_context *context = &transport->context;
    context->session = session;
    context->identity = session->identity;
    context->role = taud_session_authenticated(session) ? TAU_ROLE_WRITER : TAU_ROLE_NONE;
    context->features = session->features;
    context->now_ms = transport->now_ms;
    context->log_position = 0;
    context->small_left = TAUD_TURN_SMALL_QUERIES;
    taud_reply_begin_turn(&transport->reply, &session->output,
                          (session->features & TAU_FEATURE_DETAILED_ERRORS) != 0);
}

bool taud_session_authenticated(const struct taud_session *session)
{
    return session->state == TAU_SESSION_AUTHENTICATED;
}

// --- checks --------------------------------------------------------------------------------------

// What the checks behind the header's own say of a request.
struct verdict {
    enum tau_status status;
    bool closes;
};

// The checks in the order of the specification, from "state" on. That operations which version 1
// did not have are sent only after NEGOTIATE listed them is a rule for clients, who cannot know
// whom they speak to; this server knows its own operations and executes them either way.
static struct verdict judge(const struct taud_session *session, const struct tau_header *header)
{
    struct tau_session_verdict legal =
        tau_session_check((enum tau_session_state)session->state, header->opcode);
    if (!legal.legal)
        return (struct verdict){.status = legal.status, .closes = legal.closes};
    uint8_t row = taud_operation_rows[header->opcode];
    assert(row != 0);
    const struct taud_operation *operation = &taud_operations[row - 1];
    if ((session->mismatches >> (row - 1) & 1) != 0)
        return (struct verdict){.status = TAU_STATUS_LAYOUT_MISMATCH};
    if (header->flags != 0)
        return (struct verdict){.status = TAU_STATUS_BAD_FLAGS};
    if (header->payload_length < operation->min_size ||
        header->payload_length > operation->max_size)
        return (struct verdict){.status = TAU_STATUS_INVALID_PAYLOAD};
    return (struct verdict){.status = TAU_STATUS_SUCCESS};
}

static void refuse_and_close(struct taud_session *session, struct taud_transport *transport,
                             enum tau_status status)
{
    taud_reply_error(&transport->reply, status, NULL);
    session->state = TAU_SESSION_CLOSED;
}

// Answers a refused request. Returns what of it was consumed: its header; the payload is skipped.
static size_t refuse(struct taud_session *session, struct taud_transport *transport,
                     const struct tau_header *header, struct verdict verdict)
{
    if (verdict.closes) {
        refuse_and_close(session, transport, verdict.status);
        return 0;
    }
    struct tau_decode_error detail = {.status = verdict.status, .field = TAU_FIELD_NONE};
    char words[128];
    if (verdict.status == TAU_STATUS_INVALID_PAYLOAD) {
        detail.expected = "the length of the payload is not one that the operation can have";
    } else if (verdict.status == TAU_STATUS_LAYOUT_MISMATCH) {
        snprintf(words, sizeof words, TAU_WORDS_LAYOUT_MISMATCH, tau_opcode_name(header->opcode));
        detail.expected = words;
    }
    taud_reply_error(&transport->reply, verdict.status, &detail);
    session->skip_bytes = header->payload_length;
    return TAU_HEADER_SIZE;
}

void taud_session_refuse(struct taud_session *session, struct taud_transport *transport,
                         enum tau_status status)
{
    refuse_and_close(session, transport, status);
    session->wait = TAUD_WAIT_CLOSED;
}

// --- execution -----------------------------------------------------------------------------------

static void finish_unary(struct taud_session *session, struct taud_transport *transport,
                         const struct taud_operation *operation, enum tau_status status,
                         const struct tau_decode_error *detail)
{
    struct taud_context *context = &transport->context;
    struct taud_pending *pending = context->deferred;
    context->deferred = NULL;
    assert((status == TAUD_PENDING) == (pending != NULL));
    if (status == TAUD_PENDING) {
        // The handle may be complete already, but its message is delivered by this thread, later.
        pending->write = operation->write;
        struct taud_block *block = taud_reply_wait(&transport->reply, pending);
        pending->block = block;
        if (block != NULL)
            session->pending_count++;
    } else if (status != TAU_STATUS_SUCCESS) {
        taud_reply_error(&transport->reply, status, detail);
    }
}

static void execute_unary(struct taud_session *session, struct taud_transport *transport,
                          const struct taud_operation *operation, struct tau_slice payload)
{
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    transport->context.payload = payload;
    transport->context.detail = &detail;
    enum tau_status status =
        operation->unary(&transport->context, payload, &transport->reply, &detail);
    transport->context.detail = NULL;
    finish_unary(session, transport, operation, status, &detail);
    taud_request_arena_reset(&transport->arena);
}

static void open_stream(struct taud_session *session, struct taud_transport *transport,
                        const struct taud_operation *operation, struct tau_slice payload)
{
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    void *stream = NULL;
    transport->context.payload = payload;
    transport->context.detail = &detail;
    enum tau_status status = operation->open(&transport->context, payload, &stream, &detail);
    transport->context.detail = NULL;
    if (status == TAU_STATUS_SUCCESS) {
        session->streaming = operation;
        session->stream = stream;
    } else {
        taud_reply_error(&transport->reply, status, &detail);
    }
    taud_request_arena_reset(&transport->arena);
}

// Sends the next frame of the running stream. Returns false, with `wait` set, when there is none.
static bool pump_stream(struct taud_session *session, struct taud_transport *transport)
{
    bool end = false;
    transport->reply.writes = false;
    transport->context.again_ms = 0;
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    transport->context.detail = &detail;
    enum tau_status status =
        session->streaming->next(&transport->context, session->stream, &transport->reply, &end);
    transport->context.detail = NULL;
    session->again_ms = status == TAUD_PENDING ? transport->context.again_ms : 0;
    taud_request_arena_reset(&transport->arena);
    if (status == TAUD_PENDING) {
        session->wait = TAUD_WAIT_STREAM;
        return false;
    }
    if (status != TAU_STATUS_SUCCESS)
        taud_reply_error(&transport->reply, status, &detail);
    if (status != TAU_STATUS_SUCCESS || end)
        close_stream(session);
    return true;
}

// Executes the run of frames with this very header at the start of `data`: equal headers pass equal
// checks. Returns how many bytes were consumed.
static size_t execute_batch(struct taud_transport *transport,
                            const struct taud_operation *operation, const uint8_t *data,
                            size_t size, size_t frame_size)
{
    size_t most = size / frame_size;
    if (most > TAUD_BATCH_MAX)
        most = TAUD_BATCH_MAX;
    size_t count = 1;
    while (count < most && memcmp(data + count * frame_size, data, TAU_HEADER_SIZE) == 0)
        count++;
    struct taud_frames frames = {.payload = data + TAU_HEADER_SIZE,
                                 .stride = frame_size,
                                 .payload_size = frame_size - TAU_HEADER_SIZE,
                                 .count = count};
    size_t taken = operation->batch(&transport->context, &frames, &transport->reply);
    assert(taken >= 1 && taken <= count);
    taud_count(transport->statistics, TAUD_COUNT_REQUESTS, taken);
    taud_request_arena_reset(&transport->arena);
    return taken * frame_size;
}

// Executes the whole frame at the start of `data`, which all checks have passed, and where it may,
// those of its kind behind it.
static size_t execute_frame(struct taud_session *session, struct taud_transport *transport,
                            const struct taud_operation *operation, const uint8_t *data,
                            size_t size, size_t frame_size)
{
    struct tau_slice payload = {.data = data + TAU_HEADER_SIZE,
                                .size = frame_size - TAU_HEADER_SIZE};
    transport->reply.writes = operation->write;
    if (operation->kind == TAUD_OPERATION_BATCH)
        return execute_batch(transport, operation, data, size, frame_size);
    taud_count(transport->statistics, TAUD_COUNT_REQUESTS, 1);
    if (operation->kind == TAUD_OPERATION_SESSION)
        taud_session_operation(session, transport, operation->opcode, payload);
    else if (operation->kind == TAUD_OPERATION_STREAM)
        open_stream(session, transport, operation, payload);
    else
        execute_unary(session, transport, operation, payload);
    return frame_size;
}

static bool is_read(const struct taud_operation *operation)
{
    return !operation->write && operation->kind != TAUD_OPERATION_SESSION;
}

// Takes the next step through `data`, which stands at `offset` of what execute was given. Returns
// how many bytes were consumed; 0 when the session must wait, and then `wait` says for what.
static size_t step(struct taud_session *session, struct taud_transport *transport,
                   const uint8_t *data, size_t size, size_t offset)
{
    session->wait = TAUD_WAIT_INPUT;
    if (session->skip_bytes > 0) {
        size_t skipped = size < session->skip_bytes ? size : session->skip_bytes;
        session->skip_bytes -= (uint32_t)skipped;
        return skipped;
    }
    if (size < TAU_HEADER_SIZE)
        return 0;
    struct tau_header header;
    enum tau_status status = tau_header_decode(data, &header, NULL);
    if (status != TAU_STATUS_SUCCESS) {
        refuse_and_close(session, transport, status);
        session->wait = TAUD_WAIT_CLOSED;
        return 0;
    }
    struct verdict verdict = judge(session, &header);
    if (verdict.status != TAU_STATUS_SUCCESS) {
        session->frame_count++;
        session->wait = verdict.closes ? TAUD_WAIT_CLOSED : TAUD_WAIT_INPUT;
        return refuse(session, transport, &header, verdict);
    }
    if (header.opcode == TAU_OPCODE_PING) { // what it carries is ignored, so it is never gathered
        taud_reply_empty(&transport->reply, TAU_OPCODE_PONG);
        taud_count(transport->statistics, TAUD_COUNT_REQUESTS, 1);
        session->skip_bytes = header.payload_length;
        session->frame_count++;
        return TAU_HEADER_SIZE;
    }
    size_t frame_size = TAU_HEADER_SIZE + header.payload_length;
    if (size < frame_size)
        return 0;
    const struct taud_operation *operation = taud_operation_find(header.opcode);
    session->frame_count++;
    if (offset < session->cancel_offset && is_read(operation)) {
        taud_reply_error(&transport->reply, TAU_STATUS_CANCELLED, NULL);
        return frame_size;
    }
    if (operation->write && !transport->log->has_room(transport->log->context)) {
        session->wait = TAUD_WAIT_LOG;
        return 0;
    }
    return execute_frame(session, transport, operation, data, size, frame_size);
}

static size_t output_bytes(const struct taud_session *session,
                           const struct taud_transport *transport)
{
    return session->output.bytes + taud_reply_waiting(&transport->reply);
}

// Whether the output takes more. When the server's memory for it is used up, only sessions that
// have nothing waiting go on.
static bool output_has_room(const struct taud_session *session,
                            const struct taud_transport *transport)
{
    size_t bytes = output_bytes(session, transport);
    size_t most = taud_session_authenticated(session) ? TAUD_OUTPUT_MAX_BYTES
                                                      : TAUD_OUTPUT_NEW_MAX_BYTES;
    return bytes == 0 || (bytes < most &&
                          taud_budget_has_room(transport->budget, TAUD_REPLY_BYTES));
}

// Does what must be done before the next request. Returns false, with `wait` set, when it must
// wait.
static bool may_execute(struct taud_session *session, struct taud_transport *transport)
{
    for (;;) {
        if (taud_session_closed(session) || transport->reply.broken) {
            session->wait = TAUD_WAIT_CLOSED;
            return false;
        }
        if (session->penalty_until_ms > transport->now_ms) {
            session->wait = TAUD_WAIT_PENALTY;
            return false;
        }
        if (!output_has_room(session, transport)) {
            session->wait = TAUD_WAIT_OUTPUT;
            return false;
        }
        if (session->pending_count >= TAUD_PENDING_MAX) {
            session->wait = TAUD_WAIT_PENDING;
            return false;
        }
        if (session->penalty_until_ms > 0)
            taud_session_end_penalty(session, transport);
        else if (session->streaming == NULL)
            return true;
        else if (!pump_stream(session, transport))
            return false;
    }
}

static uint32_t slide(uint32_t offset, size_t consumed)
{
    return offset > consumed ? offset - (uint32_t)consumed : 0;
}

size_t taud_session_execute(struct taud_session *session, struct taud_transport *transport,
                            const uint8_t *data, size_t size)
{
    size_t consumed = 0;
    uint64_t errors = transport->reply.error_count;
    while (may_execute(session, transport)) {
        const uint8_t *next = consumed == 0 ? data : data + consumed; // nothing may be at NULL
        size_t taken = step(session, transport, next, size - consumed, consumed);
        if (taken == 0 && session->wait != TAUD_WAIT_CLOSED)
            break;
        consumed += taken;
    }
    session->scan_offset = slide(session->scan_offset, consumed);
    session->cancel_offset = slide(session->cancel_offset, consumed);
    errors = transport->reply.error_count - errors;
    if (errors > 0)
        taud_count(transport->statistics, TAUD_COUNT_ERRORS, errors);
    return consumed;
}

// --- CANCEL --------------------------------------------------------------------------------------

static void cancel_pending(struct taud_session *session, struct taud_transport *transport)
{
    struct taud_block *block = session->output.head;
    while (block != NULL) {
        struct taud_block *next = block->next;
        struct taud_pending *pending = block->pending;
        if (pending != NULL && !pending->write) {
            pending->block = NULL;
            atomic_store_explicit(&pending->cancelled, true, memory_order_relaxed);
            struct taud_block *filled =
                taud_error_block(session->budget, TAU_STATUS_CANCELLED, transport->reply.detailed);
            if (filled == NULL) {
                transport->reply.broken = true;
                return;
            }
            taud_output_replace(&session->output, session->budget, block, filled);
            session->pending_count--;
        }
        block = next;
    }
}

void taud_session_cancel(struct taud_session *session, struct taud_transport *transport)
{
    cancel_pending(session, transport);
    if (session->streaming == NULL)
        return;
    close_stream(session);
    taud_reply_error(&transport->reply, TAU_STATUS_CANCELLED, NULL);
}

bool taud_session_scan(struct taud_session *session, struct taud_transport *transport,
                       const uint8_t *data, size_t size)
{
    if (!taud_session_authenticated(session))
        return false;
    size_t offset = session->scan_offset;
    if (offset < session->skip_bytes)
        offset = session->skip_bytes;
    bool found = false;
    while (offset + TAU_HEADER_SIZE <= size) {
        struct tau_header header;
        if (tau_header_decode(data + offset, &header, NULL) != TAU_STATUS_SUCCESS)
            break;
        struct verdict verdict = judge(session, &header);
        // What is behind a request that may close is looked at when that has been executed.
        bool legal = verdict.status == TAU_STATUS_SUCCESS;
        if (verdict.closes || (legal && (header.opcode == TAU_OPCODE_DISCONNECT ||
                                         header.opcode == TAU_OPCODE_CONNECT)))
            break;
        if (legal && header.opcode == TAU_OPCODE_CANCEL) {
            session->cancel_offset = (uint32_t)offset;
            found = true;
        }
        offset += TAU_HEADER_SIZE + header.payload_length;
    }
    session->scan_offset = (uint32_t)offset;
    if (found)
        taud_session_cancel(session, transport);
    return found;
}

// --- sizes ---------------------------------------------------------------------------------------

size_t taud_session_frame_size(const uint8_t *data, size_t size)
{
    struct tau_header header;
    if (size < TAU_HEADER_SIZE || tau_header_decode(data, &header, NULL) != TAU_STATUS_SUCCESS)
        return 0;
    return TAU_HEADER_SIZE + header.payload_length;
}

// Before authentication a session holds at most one CONNECT: what is behind it stays in the kernel.
size_t taud_session_read_limit(const struct taud_session *session, size_t held, size_t limit)
{
    if (session->state != TAU_SESSION_NEW)
        return limit;
    size_t most = TAU_HEADER_SIZE + TAU_LIMIT_UNAUTHENTICATED_PAYLOAD_BYTES;
    size_t wanted = session->skip_bytes > most ? session->skip_bytes : most - held;
    return wanted < limit ? wanted : limit;
}

// --- from other threads --------------------------------------------------------------------------

void taud_session_complete(struct taud_transport *transport, struct taud_pending *pending)
{
    struct taud_session *session = pending->session;
    struct taud_block *block = pending->block;
    assert(block != NULL && session->identity == pending->identity);
    struct taud_block *filled = pending->filled;
    pending->filled = NULL;
    if (filled == NULL)
        filled = taud_error_block(session->budget, pending->status, transport->reply.detailed);
    block->pending = NULL;
    session->pending_count--;
    if (filled != NULL)
        taud_output_replace(&session->output, session->budget, block, filled);
    else
        transport->reply.broken = true;
    taud_pending_free(pending);
}

bool taud_session_push(struct taud_transport *transport, struct taud_push_message *push)
{
    struct taud_session *session = push->session;
    bool room = session->identity == push->identity && !taud_session_closed(session) &&
                session->output.push_count < TAUD_PUSH_MAX;
    struct taud_block *block = room ? taud_block_new(session->budget, push->size, 0) : NULL;
    if (block != NULL) {
        memcpy(block->data, push->frame, push->size);
        block->size = (uint32_t)push->size;
        taud_output_push(&session->output, block);
    }
    taud_count(transport->statistics, block != NULL ? TAUD_COUNT_PUSHES : TAUD_COUNT_PUSHES_LOST,
               1);
    free(push);
    return block != NULL;
}
