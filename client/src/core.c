/* SPDX-License-Identifier: MIT */
/*
 * Requests and time: how a request enters the pending ring and the output, how its deadline passes,
 * and how streams are cancelled. The connection is in core_link.c, replies are in core_receive.c.
 */
#include "core.h"

#include <assert.h>
#include <string.h>

#include "core_parts.h"
#include "fault.h"
#include "tau_codec.h"
#include "wire/words.h"

/* The place of the opcode in a frame's header, to change a frame that will not be sent. */
#define OPCODE_OFFSET 4

static enum tau_verdict ignore(const struct tau_completion *completion)
{
    (void)completion;
    return TAU_VERDICT_CONTINUE;
}

static const struct tau_call cancel_call = {
    .opcode = TAU_OPCODE_CANCEL,
    .reply = TAU_OPCODE_OK,
    .negotiated = true,
    .complete = ignore,
};

/* A request that was given up before it was sent goes out as a PING of the same length: its payload
   is ignored by every server, and nothing behind it has to move. */
static const struct tau_call void_call = {
    .opcode = TAU_OPCODE_PING,
    .reply = TAU_OPCODE_PONG,
    .complete = ignore,
};

void tau_core_init(struct tau_core *core, const struct tau_core_config *config)
{
    memset(core, 0, sizeof(*core));
    core->config = *config;
    core->legacy = !config->negotiate;
    core->handshake_deadline_ns = TAU_NEVER;
    core->next_deadline_ns = TAU_NEVER;
    tau_input_init(&core->input, &core->config.allocator);
    tau_output_init(&core->output, &core->config.allocator);
    tau_pending_init(&core->pending, &core->config.allocator);
}

void tau_core_done(struct tau_core *core)
{
    assert(core->outstanding == 0);
    tau_input_done(&core->input);
    tau_output_done(&core->output);
    tau_pending_done(&core->pending);
}

/* --- what the server offers ------------------------------------------------------------------ */

enum tau_status tau_core_judge(const struct tau_core *core, const struct tau_call *call)
{
    if (!call->raw && tau_opcodes_have(core->differing, call->opcode))
        return TAU_STATUS_LAYOUT_MISMATCH;
    if (call->negotiated && !tau_opcodes_have(core->listed, call->opcode))
        return TAU_STATUS_NOT_SUPPORTED;
    return TAU_STATUS_SUCCESS;
}

void tau_core_explain(const struct tau_call *call, enum tau_status status,
                      struct tau_error *ret_error)
{
    if (status == TAU_STATUS_LAYOUT_MISMATCH)
        tau_fault(ret_error, status, 0, TAU_WORDS_LAYOUT_MISMATCH, tau_call_name(call));
    else
        tau_fault(ret_error, status, 0, "the server does not offer %s", tau_call_name(call));
}

bool tau_core_supports(const struct tau_core *core, uint8_t opcode)
{
    const struct tau_operation_info *operation = tau_operation_find(opcode);
    if (operation == NULL || core->phase != TAU_CORE_READY)
        return false;
    struct tau_call call = {.opcode = opcode, .negotiated = operation->negotiated};
    return tau_core_judge(core, &call) == TAU_STATUS_SUCCESS;
}

uint64_t tau_core_limit(const struct tau_core *core, unsigned number, uint64_t otherwise)
{
    if (number >= TAU_LIMIT_SLOTS || core->limits[number] == 0)
        return otherwise;
    return core->limits[number];
}

/* --- requests -------------------------------------------------------------------------------- */

/* Finds room for a frame in the ring and in the output. */
static enum tau_status reserve(struct tau_core *core, size_t payload_size,
                               struct tau_writer *ret_payload)
{
    if (!tau_pending_reserve(&core->pending))
        return TAU_STATUS_NO_MEMORY;
    uint8_t *frame = tau_output_reserve(&core->output, TAU_HEADER_SIZE + payload_size);
    if (frame == NULL)
        return TAU_STATUS_NO_MEMORY;
    ret_payload->data = frame + TAU_HEADER_SIZE;
    ret_payload->size = 0;
    ret_payload->capacity = payload_size;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_core_begin(struct tau_core *core, const struct tau_call *call,
                               size_t payload_size, struct tau_writer *ret_payload)
{
    core->refused = NULL;
    if (core->phase == TAU_CORE_CLOSED)
        return tau_status_is_fatal(core->loss.status) ? core->loss.status
                                                      : TAU_STATUS_CONNECTION_LOST;
    if (core->phase == TAU_CORE_READY) {
        enum tau_status judged = tau_core_judge(core, call);
        if (judged != TAU_STATUS_SUCCESS) {
            core->refused = call;
            return judged;
        }
    }
    if (payload_size > TAU_LIMIT_PAYLOAD_BYTES)
        return TAU_STATUS_INVALID_ARGUMENT;
    if (core->pending.count >= core->config.max_outstanding)
        return TAU_STATUS_WOULD_BLOCK;
    uint64_t waiting = tau_output_waiting(&core->output);
    if (waiting > 0 && waiting + TAU_HEADER_SIZE + payload_size > core->config.max_output_bytes)
        return TAU_STATUS_WOULD_BLOCK;
    return reserve(core, payload_size, ret_payload);
}

/* Adds the frame whose payload was written into the reserved room. */
static void commit(struct tau_core *core, size_t payload_size, struct tau_pending *item)
{
    struct tau_header header = {.opcode = item->call->opcode,
                                .payload_length = (uint32_t)payload_size};
    item->start = core->output.end;
    item->size = (uint32_t)(TAU_HEADER_SIZE + payload_size);
    uint8_t *frame = tau_output_reserve(&core->output, item->size);
    tau_header_store(frame, &header);
    tau_output_commit(&core->output, item->size);
    item->deadline_ns = TAU_NEVER;
    tau_pending_push(&core->pending, item);
    core->unstarted++;
}

void tau_core_commit(struct tau_core *core, const struct tau_writer *payload,
                     const struct tau_pending *item)
{
    struct tau_pending added = *item;
    assert(payload->size == payload->capacity);
    added.flags = 0;
    commit(core, payload->size, &added);
    core->outstanding++;
}

void tau_core_complete(struct tau_core *core, const struct tau_pending *item,
                       enum tau_status status, struct tau_slice payload,
                       const struct tau_error *error)
{
    struct tau_completion completion = {
        .status = status,
        .payload = payload,
        .error = error,
        .callback = item->callback,
        .batch_callback = item->batch_callback,
        .user_data = item->user_data,
    };
    assert(core->outstanding > 0);
    core->outstanding--;
    if (item->call->complete(&completion) != TAU_VERDICT_BROKEN)
        return;
    struct tau_error broken;
    completion.status = tau_fault(
        &broken, item->call->write ? TAU_STATUS_OUTCOME_UNKNOWN : TAU_STATUS_PROTOCOL_ERROR, 0,
        "the server's answer to %s cannot be read", tau_call_name(item->call));
    completion.error = &broken;
    item->call->complete(&completion);
}

/* --- cancelling ------------------------------------------------------------------------------ */

static enum tau_status send_cancel(struct tau_core *core)
{
    struct tau_writer payload;
    struct tau_pending item = {.call = &cancel_call, .flags = TAU_PENDING_ABANDONED};
    if (!tau_core_supports(core, TAU_OPCODE_CANCEL))
        return TAU_STATUS_NOT_SUPPORTED;
    enum tau_status status = reserve(core, 0, &payload);
    if (status == TAU_STATUS_SUCCESS)
        commit(core, 0, &item);
    return status;
}

enum tau_status tau_core_cancel(struct tau_core *core)
{
    if (core->pending.count >= core->config.max_outstanding)
        return TAU_STATUS_WOULD_BLOCK;
    return send_cancel(core);
}

/* Each caller of this gives up one request, so the extra entries are bounded like the requests. */
void tau_core_cancel_quietly(struct tau_core *core)
{
    const uint32_t given_up = TAU_PENDING_ABANDONED | TAU_PENDING_STOPPED;
    for (size_t i = 0; i < core->pending.count; i++) {
        const struct tau_pending *item = tau_pending_at(&core->pending, i);
        if ((item->flags & given_up) == 0 && !item->call->write)
            return;
    }
    (void)send_cancel(core);
}

/* --- time ------------------------------------------------------------------------------------ */

static int64_t deadline_after(int64_t now_ns, uint32_t timeout_ms)
{
    return timeout_ms == 0 ? TAU_NEVER : now_ns + (int64_t)timeout_ms * TAU_NS_PER_MS;
}

/* Requests leave the ring at its front: when fewer are left than were unstarted, all are. */
void tau_core_start_deadlines(struct tau_core *core, int64_t now_ns)
{
    size_t count = core->pending.count;
    for (size_t i = count > core->unstarted ? count - core->unstarted : 0; i < count; i++) {
        struct tau_pending *item = tau_pending_at(&core->pending, i);
        if ((item->flags & TAU_PENDING_ABANDONED) != 0)
            continue;
        item->deadline_ns = deadline_after(now_ns, item->timeout_ms);
        if (item->deadline_ns < core->next_deadline_ns)
            core->next_deadline_ns = item->deadline_ns;
    }
    core->unstarted = 0;
}

void tau_core_abandon(struct tau_core *core, size_t place, const struct tau_error *error)
{
    struct tau_pending *item = tau_pending_at(&core->pending, place);
    struct tau_pending ended = *item;
    item->flags |= TAU_PENDING_ABANDONED;
    item->deadline_ns = TAU_NEVER;
    if (item->start >= core->output.sent) {
        *tau_output_at(&core->output, item->start + OPCODE_OFFSET) = void_call.opcode;
        item->call = &void_call;
    }
    tau_core_complete(core, &ended, error->status, (struct tau_slice){0}, error);
}

void tau_core_trim(struct tau_core *core)
{
    while (core->pending.count > 0) {
        const struct tau_pending *item = tau_pending_at(&core->pending, 0);
        if ((item->flags & TAU_PENDING_ABANDONED) == 0 || item->start != core->output.sent)
            return;
        uint32_t size = item->size;
        tau_pending_pop(&core->pending);
        tau_output_drop(&core->output, size);
    }
}

static void expire(struct tau_core *core, size_t place)
{
    const struct tau_pending *item = tau_pending_at(&core->pending, place);
    const char *name = tau_call_name(item->call);
    bool sent = item->start < core->output.sent;
    bool stream = item->call->batch != NULL;
    struct tau_error error;
    if (!sent)
        tau_fault(&error, TAU_STATUS_TIMEOUT, 0, "%s was not sent before its deadline", name);
    else if (item->call->write)
        tau_fault(&error, TAU_STATUS_OUTCOME_UNKNOWN, 0,
                  "%s was sent and not answered before its deadline", name);
    else
        tau_fault(&error, TAU_STATUS_TIMEOUT, 0, "%s was not answered before its deadline", name);
    tau_core_abandon(core, place, &error);
    if (sent && stream)
        tau_core_cancel_quietly(core);
}

/* A callback may add requests behind the last or close the client; the ring never gets shorter
   otherwise while it is walked. */
static void expire_requests(struct tau_core *core, int64_t now_ns)
{
    core->next_deadline_ns = TAU_NEVER;
    for (size_t i = 0; i < core->pending.count; i++) {
        struct tau_pending *item = tau_pending_at(&core->pending, i);
        if ((item->flags & TAU_PENDING_ABANDONED) != 0)
            continue;
        if ((item->flags & TAU_PENDING_RENEW) != 0) {
            item->flags &= ~(uint32_t)TAU_PENDING_RENEW;
            item->deadline_ns = deadline_after(now_ns, item->timeout_ms);
        }
        if (item->deadline_ns > now_ns) {
            if (item->deadline_ns < core->next_deadline_ns)
                core->next_deadline_ns = item->deadline_ns;
            continue;
        }
        expire(core, i);
    }
    tau_core_trim(core);
}

void tau_core_tick(struct tau_core *core, int64_t now_ns)
{
    bool shaking = core->phase >= TAU_CORE_OPENING && core->phase <= TAU_CORE_NEGOTIATE;
    if (shaking && now_ns >= core->handshake_deadline_ns)
        tau_core_fail(core, TAU_STATUS_TIMEOUT,
                      core->phase == TAU_CORE_OPENING ? "the server could not be reached in time"
                                                      : "the server did not answer in time",
                      now_ns);
    if (now_ns >= core->next_deadline_ns)
        expire_requests(core, now_ns);
}

int64_t tau_core_deadline(const struct tau_core *core)
{
    int64_t deadline_ns = core->next_deadline_ns;
    int64_t link_ns = TAU_NEVER;
    if (core->unstarted > 0)
        return 0;
    if (core->phase == TAU_CORE_WANTED)
        link_ns = core->retry_at_ns;
    else if (core->phase >= TAU_CORE_OPENING && core->phase <= TAU_CORE_NEGOTIATE)
        link_ns = core->handshake_deadline_ns;
    return link_ns < deadline_ns ? link_ns : deadline_ns;
}
