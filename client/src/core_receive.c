/* SPDX-License-Identifier: MIT */
/*
 * Replies: frames are taken from the input one after the other and matched with the first pending
 * request. Everything is judged from the header before a payload is waited for, so a server that
 * talks nonsense can make the client neither wait nor allocate for it.
 */
#include "core.h"

#include <assert.h>
#include <string.h>

#include "core_parts.h"
#include "fault.h"
#include "tau_codec.h"
#include "trace.h"
#include "wire/bytes.h"

/* status, field, offset, text's length and text */
#define ERROR_PAYLOAD_MAX (1 + 2 + 4 + 2 + TAU_LIMIT_ERROR_TEXT_BYTES)

/* --- frames ---------------------------------------------------------------------------------- */

/* The request that the next reply belongs to, or NULL: none was made, or not all of it was sent. */
static const struct tau_call *expected_call(const struct tau_core *core, uint8_t opcode)
{
    if (core->phase == TAU_CORE_CONNECT)
        return &tau_core_connect_call;
    if (core->phase == TAU_CORE_NEGOTIATE)
        return &tau_core_negotiate_call;
    if (core->pending.count == 0)
        return NULL;
    const struct tau_pending *item = tau_pending_at(&core->pending, 0);
    /* A server refuses a request by its header alone, and answers a PING so, while the rest is
       still on its way. */
    bool early = opcode == TAU_OPCODE_ERR || opcode == TAU_OPCODE_PONG;
    return item->start + (early ? TAU_HEADER_SIZE : item->size) <= core->output.sent ? item->call
                                                                                    : NULL;
}

static bool is_push(uint8_t opcode)
{
    return opcode >= TAU_FIRST_PUSH_OPCODE && opcode <= TAU_LAST_PUSH_OPCODE;
}

/* What is wrong with a reply's header, or NULL. */
static const char *judge_reply(const struct tau_core *core, const struct tau_header *header)
{
    const struct tau_call *call = expected_call(core, header->opcode);
    if (header->opcode == TAU_OPCODE_ERR) {
        if (header->flags != 0 || header->payload_length == 0 ||
            header->payload_length > ERROR_PAYLOAD_MAX)
            return "a malformed error";
        return call == NULL && core->phase == TAU_CORE_READY && core->pending.count > 0
                   ? "an answer to a request that was not sent yet"
                   : NULL;
    }
    if (call == NULL)
        return "an answer to no request";
    if (header->opcode != call->reply)
        return "an answer of the wrong kind";
    if (header->flags != 0 && !(header->flags == TAU_FLAG_MORE && call->batch != NULL))
        return "flags that are not allowed";
    return header->payload_length > call->response_max ? "an answer that is too long" : NULL;
}

/* What is wrong with a header, or NULL. */
static const char *judge_header(const struct tau_core *core, const uint8_t *bytes,
                                struct tau_header *ret_header)
{
    static const uint8_t start[] = {'T', 'A', 'U', TAU_PROTOCOL_VERSION};
    if (memcmp(bytes, start, sizeof(start)) != 0)
        return "what is not a frame of this protocol";
    ret_header->opcode = bytes[4];
    ret_header->flags = bytes[5];
    ret_header->payload_length = tau_load_u32(bytes + 6);
    if (ret_header->payload_length > TAU_LIMIT_PAYLOAD_BYTES)
        return "a frame that is too long";
    return is_push(ret_header->opcode) ? NULL : judge_reply(core, ret_header);
}

/* Passes over the rest of a push; true when it has all gone by. */
static bool skip_push(struct tau_core *core)
{
    size_t size = tau_input_bytes(&core->input).size;
    if (size > core->skip)
        size = (size_t)core->skip;
    tau_input_take(&core->input, size);
    core->skip -= size;
    return core->skip == 0;
}

/* Takes the next whole frame that is a reply. False when there is none yet, or never will be. */
static bool take_reply(struct tau_core *core, struct tau_frame *ret_frame, int64_t now_ns)
{
    while (skip_push(core)) {
        struct tau_slice bytes = tau_input_bytes(&core->input);
        struct tau_header header = {0};
        if (bytes.size < TAU_HEADER_SIZE)
            return false;
        const char *wrong = judge_header(core, bytes.data, &header);
        if (wrong != NULL) {
            tau_core_breach(core, now_ns, wrong);
            return false;
        }
        if (is_push(header.opcode)) {
            core->skip = TAU_HEADER_SIZE + (uint64_t)header.payload_length;
            continue;
        }
        if (bytes.size - TAU_HEADER_SIZE < header.payload_length)
            return false;
        tau_input_take(&core->input, TAU_HEADER_SIZE + header.payload_length);
        if (core->config.on_trace != NULL)
            tau_trace_received(core, bytes.data, header.payload_length);
        ret_frame->opcode = header.opcode;
        ret_frame->flags = header.flags;
        ret_frame->payload.data = bytes.data + TAU_HEADER_SIZE;
        ret_frame->payload.size = header.payload_length;
        return true;
    }
    return false;
}

/* --- errors ---------------------------------------------------------------------------------- */

bool tau_core_read_error(const struct tau_core *core, struct tau_slice payload,
                         struct tau_error *ret_error)
{
    struct tau_err reply;
    bool detailed = (core->server.features & TAU_FEATURE_DETAILED_ERRORS) != 0;
    if (tau_err_decode(payload, &reply, NULL) != TAU_STATUS_SUCCESS)
        return false;
    if (reply.status == TAU_STATUS_SUCCESS || (reply.has_detailed_errors && !detailed))
        return false;
    tau_fault_status(ret_error, reply.status);
    if (!reply.has_detailed_errors)
        return true;
    ret_error->field = reply.field;
    ret_error->offset = reply.offset;
    if (reply.text.size > 0)
        tau_fault_quote(ret_error, reply.text);
    return true;
}

/* --- replies --------------------------------------------------------------------------------- */

/* Completes the first request; its entry goes first, so that the callback may do as it likes. */
static void finish_first(struct tau_core *core, struct tau_slice payload,
                         const struct tau_error *error)
{
    struct tau_pending item = *tau_pending_at(&core->pending, 0);
    struct tau_error stopped;
    core->answered = true;
    tau_pending_pop(&core->pending);
    if ((item.flags & TAU_PENDING_ABANDONED) != 0)
        return;
    if ((item.flags & TAU_PENDING_STOPPED) != 0) {
        tau_fault(&stopped, TAU_STATUS_CANCELLED, 0, "%s was stopped by the caller",
                  tau_call_name(item.call));
        error = &stopped;
    }
    tau_core_complete(core, &item, error == NULL ? TAU_STATUS_SUCCESS : error->status, payload,
                      error);
}

static void on_error(struct tau_core *core, struct tau_slice payload, int64_t now_ns)
{
    struct tau_error error;
    if (!tau_core_read_error(core, payload, &error))
        tau_core_breach(core, now_ns, "an error that cannot be read");
    else if (core->pending.count == 0)
        tau_core_lost(core, &error, now_ns);
    else
        finish_first(core, (struct tau_slice){0}, &error);
}

/* The caller wants no more of the stream at the head, or its batch was bad. */
static void stop_stream(struct tau_core *core, enum tau_verdict verdict)
{
    struct tau_pending *item = tau_pending_at(&core->pending, 0);
    struct tau_error error;
    if (verdict == TAU_VERDICT_STOP) {
        item->flags |= TAU_PENDING_STOPPED;
        tau_core_cancel_quietly(core);
        return;
    }
    tau_fault(&error, TAU_STATUS_PROTOCOL_ERROR, 0, "a batch of %s cannot be read",
              tau_call_name(item->call));
    tau_core_abandon(core, 0, &error);
    if (core->phase == TAU_CORE_READY)
        tau_core_cancel_quietly(core);
}

/* Hands a batch over. False when the stream is not at the head any more: the client was closed. */
static bool on_batch(struct tau_core *core, struct tau_slice payload, bool last)
{
    struct tau_pending *head = tau_pending_at(&core->pending, 0);
    struct tau_pending item = *head;
    if ((item.flags & TAU_PENDING_ABANDONED) != 0)
        return true;
    head->flags |= TAU_PENDING_RENEW;
    core->next_deadline_ns = INT64_MIN;
    if ((item.flags & TAU_PENDING_STOPPED) != 0)
        return true;
    struct tau_completion completion = {
        .payload = payload,
        .callback = item.callback,
        .batch_callback = item.batch_callback,
        .user_data = item.user_data,
    };
    enum tau_verdict verdict = item.call->batch(&completion);
    if (core->phase != TAU_CORE_READY || core->pending.count == 0 ||
        tau_pending_at(&core->pending, 0)->start != item.start)
        return false;
    if (verdict == TAU_VERDICT_STOP && last)
        tau_pending_at(&core->pending, 0)->flags |= TAU_PENDING_STOPPED;
    else if (verdict != TAU_VERDICT_CONTINUE)
        stop_stream(core, verdict);
    return true;
}

static void on_reply(struct tau_core *core, const struct tau_frame *frame, int64_t now_ns)
{
    if (frame->opcode == TAU_OPCODE_ERR) {
        on_error(core, frame->payload, now_ns);
        return;
    }
    bool last = (frame->flags & TAU_FLAG_MORE) == 0;
    bool stream = tau_pending_at(&core->pending, 0)->call->batch != NULL;
    if (stream && !on_batch(core, frame->payload, last))
        return;
    if (last && core->phase == TAU_CORE_READY)
        finish_first(core, frame->payload, NULL);
}

/* --- input ----------------------------------------------------------------------------------- */

uint8_t *tau_core_room(struct tau_core *core, size_t *ret_capacity)
{
    return tau_input_room(&core->input, ret_capacity);
}

void tau_core_received(struct tau_core *core, size_t size, int64_t now_ns)
{
    struct tau_frame frame;
    tau_input_add(&core->input, size);
    while (tau_core_is_open(core) && take_reply(core, &frame, now_ns)) {
        if (core->phase == TAU_CORE_READY)
            on_reply(core, &frame, now_ns);
        else
            tau_core_on_hello(core, &frame, now_ns);
    }
}

/* --- output ---------------------------------------------------------------------------------- */

bool tau_core_has_output(const struct tau_core *core)
{
    if (core->hello_sent < core->hello_size)
        return true;
    return core->phase == TAU_CORE_READY && tau_output_waiting(&core->output) > 0;
}

size_t tau_core_output(const struct tau_core *core, struct tau_slice *slices, size_t capacity)
{
    size_t count = 0;
    if (core->hello_sent < core->hello_size && capacity > 0) {
        slices[0].data = core->hello + core->hello_sent;
        slices[0].size = core->hello_size - core->hello_sent;
        count = 1;
    }
    if (core->phase == TAU_CORE_READY)
        count += tau_output_slices(&core->output, slices + count, capacity - count);
    return count;
}

void tau_core_sent(struct tau_core *core, size_t size)
{
    size_t hello = core->hello_size - core->hello_sent;
    if (hello > size)
        hello = size;
    if (core->config.on_trace != NULL)
        tau_trace_sent(core, hello, size - hello);
    core->hello_sent += hello;
    tau_output_drop(&core->output, size - hello);
}
