/* SPDX-License-Identifier: MIT */
/*
 * The life of the connection: when one is wanted, CONNECT and NEGOTIATE, and what becomes of the
 * requests when it ends. A request of which every byte was handed over may have been executed; one
 * of which a byte is missing cannot have been.
 */
#include "core.h"

#include <assert.h>
#include <string.h>

#include "core_parts.h"
#include "fault.h"
#include "tau_codec.h"

#define MAX_OPERATIONS 256

/* --- wanting and opening --------------------------------------------------------------------- */

void tau_core_open(struct tau_core *core, int64_t now_ns)
{
    if (core->phase > TAU_CORE_WANTED)
        return;
    if (core->phase == TAU_CORE_CLOSED)
        core->legacy = !core->config.negotiate;
    core->phase = TAU_CORE_WANTED;
    core->attempts = 0;
    core->retry_at_ns = now_ns;
}

bool tau_core_wants_opening(const struct tau_core *core, int64_t now_ns)
{
    return core->phase == TAU_CORE_WANTED && now_ns >= core->retry_at_ns;
}

void tau_core_opening(struct tau_core *core, int64_t now_ns)
{
    assert(core->phase == TAU_CORE_WANTED);
    core->phase = TAU_CORE_OPENING;
    if (core->handshake_deadline_ns == TAU_NEVER && core->config.connect_timeout_ms > 0)
        core->handshake_deadline_ns =
            now_ns + (int64_t)core->config.connect_timeout_ms * TAU_NS_PER_MS;
}

/* --- the handshake --------------------------------------------------------------------------- */

static enum tau_verdict unused(const struct tau_completion *completion)
{
    (void)completion;
    return TAU_VERDICT_CONTINUE;
}

const struct tau_call tau_core_connect_call = {
    .opcode = TAU_OPCODE_CONNECT,
    .reply = TAU_OPCODE_OK,
    .complete = unused,
};

const struct tau_call tau_core_negotiate_call = {
    .opcode = TAU_OPCODE_NEGOTIATE,
    .reply = TAU_OPCODE_OK,
    .response_max = 64 * 1024,
    .complete = unused,
};

/* The room behind what has been written of the hello, less a header. */
static struct tau_writer hello_room(struct tau_core *core)
{
    size_t begin = core->hello_size + TAU_HEADER_SIZE;
    return (struct tau_writer){.data = core->hello + begin, .capacity = TAU_HELLO_SIZE - begin};
}

static void add_hello(struct tau_core *core, uint8_t opcode, const struct tau_writer *payload)
{
    struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)payload->size};
    tau_header_store(core->hello + core->hello_size, &header);
    core->hello_size += TAU_HEADER_SIZE + payload->size;
}

static void write_connect(struct tau_core *core)
{
    struct tau_connect_request request = {.certificate = core->config.certificate};
    struct tau_writer payload = hello_room(core);
    bool written = tau_connect_request_encode(&request, &payload);
    assert(written);
    (void)written;
    add_hello(core, TAU_OPCODE_CONNECT, &payload);
}

static void write_negotiate(struct tau_core *core)
{
    struct tau_operation_fingerprint operations[MAX_OPERATIONS];
    size_t count = 0;
    for (unsigned opcode = 0; opcode < MAX_OPERATIONS && core->config.announce_layouts; opcode++) {
        const struct tau_operation_info *operation = tau_operation_find((uint8_t)opcode);
        if (operation == NULL)
            continue;
        operations[count].opcode = operation->opcode;
        operations[count].fingerprint = operation->fingerprint;
        count++;
    }
    struct tau_negotiate_request request = {
        .features = TAU_FEATURE_DETAILED_ERRORS,
        .specification = TAU_SPECIFICATION_FINGERPRINT,
        .client_name = {.data = (const uint8_t *)core->config.client_name,
                        .size = strlen(core->config.client_name)},
        .operation_count = (uint16_t)count,
        .operations = {.data = operations, .count = count},
    };
    struct tau_writer payload = hello_room(core);
    bool written = tau_negotiate_request_encode(&request, &payload);
    assert(written);
    (void)written;
    add_hello(core, TAU_OPCODE_NEGOTIATE, &payload);
}

void tau_core_connected(struct tau_core *core, int64_t now_ns)
{
    assert(core->phase == TAU_CORE_OPENING);
    (void)now_ns;
    core->phase = TAU_CORE_CONNECT;
    core->answered = false;
    core->skip = 0;
    core->hello_size = 0;
    core->hello_sent = 0;
    memset(&core->server, 0, sizeof(core->server));
    memset(core->listed, 0, sizeof(core->listed));
    memset(core->differing, 0, sizeof(core->differing));
    memset(core->limits, 0, sizeof(core->limits));
    tau_input_clear(&core->input);
    write_connect(core);
    if (!core->legacy)
        write_negotiate(core);
}

/* Requests that were made before it was known what the server offers. */
static void refuse_unsupported(struct tau_core *core)
{
    size_t count = core->pending.count;
    for (size_t i = 0; i < count && core->phase == TAU_CORE_READY; i++) {
        const struct tau_pending *item = tau_pending_at(&core->pending, i);
        const struct tau_call *call = item->call;
        if ((item->flags & TAU_PENDING_ABANDONED) != 0)
            continue;
        enum tau_status judged = tau_core_judge(core, call);
        if (judged == TAU_STATUS_SUCCESS)
            continue;
        struct tau_error error;
        tau_core_explain(call, judged, &error);
        tau_core_abandon(core, i, &error);
    }
    tau_core_trim(core);
}

static void become_ready(struct tau_core *core, int64_t now_ns)
{
    core->phase = TAU_CORE_READY;
    core->ready_since_ns = now_ns;
    core->handshake_deadline_ns = TAU_NEVER;
    refuse_unsupported(core);
}

/* What the server offers, and whether its layout is ours. What a later version adds at the end of
   an extensible operation is no part of its fingerprint. */
static void note_offer(struct tau_core *core, struct tau_operation_fingerprint offer)
{
    const struct tau_operation_info *operation = tau_operation_find(offer.opcode);
    tau_opcodes_add(core->listed, offer.opcode);
    if (operation != NULL && operation->fingerprint != offer.fingerprint)
        tau_opcodes_add(core->differing, offer.opcode);
}

static void note_server(struct tau_core *core, const struct tau_negotiate_response *response)
{
    struct tau_server_info *server = &core->server;
    server->negotiated = true;
    server->features = response->features & TAU_FEATURE_DETAILED_ERRORS;
    server->specification = response->specification;
    memcpy(server->name, response->server_name.data, response->server_name.size);
    server->name[response->server_name.size] = '\0';
    for (size_t i = 0; i < response->limits.count; i++) {
        struct tau_limit_value limit = tau_limit_value_at(response->limits, i);
        if (limit.number < TAU_LIMIT_SLOTS)
            core->limits[limit.number] = limit.value;
    }
    for (size_t i = 0; i < response->operations.count; i++)
        note_offer(core, tau_operation_fingerprint_at(response->operations, i));
}

/* A server of version 1's first day answers NEGOTIATE with bad_opcode and closes. */
static void go_legacy(struct tau_core *core, int64_t now_ns)
{
    core->legacy = true;
    core->phase = TAU_CORE_WANTED;
    core->retry_at_ns = now_ns;
    core->hello_size = 0;
    core->hello_sent = 0;
    tau_input_clear(&core->input);
}

static void on_hello_error(struct tau_core *core, struct tau_slice payload, int64_t now_ns)
{
    struct tau_error error;
    if (!tau_core_read_error(core, payload, &error)) {
        tau_core_breach(core, now_ns, "an error that cannot be read");
        return;
    }
    if (core->phase == TAU_CORE_NEGOTIATE && error.status == TAU_STATUS_BAD_OPCODE)
        go_legacy(core, now_ns);
    else
        tau_core_lost(core, &error, now_ns);
}

void tau_core_on_hello(struct tau_core *core, const struct tau_frame *frame, int64_t now_ns)
{
    if (frame->opcode == TAU_OPCODE_ERR) {
        on_hello_error(core, frame->payload, now_ns);
        return;
    }
    if (core->phase == TAU_CORE_CONNECT) {
        if (core->legacy)
            become_ready(core, now_ns);
        else
            core->phase = TAU_CORE_NEGOTIATE;
        return;
    }
    struct tau_negotiate_response response;
    if (tau_negotiate_response_decode(frame->payload, &response, NULL) != TAU_STATUS_SUCCESS) {
        tau_core_breach(core, now_ns, "an answer to NEGOTIATE that cannot be read");
        return;
    }
    note_server(core, &response);
    become_ready(core, now_ns);
}

/* --- the end of a connection ----------------------------------------------------------------- */

/* The pause before the next try: doubled with each failure, and a little shorter by chance, so that
   many clients of one server do not come back at the same instant. */
static int64_t pause_ns(const struct tau_core *core, int64_t now_ns)
{
    if (core->attempts == 0)
        return 0;
    unsigned doublings = core->attempts - 1 < 20 ? core->attempts - 1 : 20;
    uint64_t pause_ms = (uint64_t)core->config.reconnect_first_ms << doublings;
    if (pause_ms > core->config.reconnect_max_ms)
        pause_ms = core->config.reconnect_max_ms;
    int64_t pause = (int64_t)pause_ms * TAU_NS_PER_MS;
    return pause - (now_ns / 1000) % (pause / 4 + 1);
}

/* Whether another connection is to be made, and when. A server that refused the session for good is
   not asked again. */
static bool plan_next(struct tau_core *core, enum tau_core_phase was, enum tau_status cause,
                      int64_t now_ns)
{
    bool refused =
        (was == TAU_CORE_CONNECT || was == TAU_CORE_NEGOTIATE) && tau_status_is_fatal(cause);
    int64_t healthy_ns = (int64_t)core->config.reconnect_max_ms * TAU_NS_PER_MS;
    core->handshake_deadline_ns = TAU_NEVER;
    if (!core->config.reconnect || refused)
        return false;
    if (was == TAU_CORE_READY) {
        core->legacy = !core->config.negotiate;
        if (core->answered || now_ns - core->ready_since_ns >= healthy_ns)
            core->attempts = 0;
        else
            core->attempts++;
    } else {
        core->attempts++;
    }
    core->retry_at_ns = now_ns + pause_ns(core, now_ns);
    return true;
}

/* The position up to which frames have gone out, a partly sent one included: what is left of that
   one is dropped, for it means nothing on another connection. */
static uint64_t cut_partial_frame(struct tau_core *core)
{
    uint64_t sent = core->output.sent;
    for (size_t i = 0; i < core->pending.count; i++) {
        const struct tau_pending *item = tau_pending_at(&core->pending, i);
        if (item->start >= sent)
            break;
        if (item->start + item->size > sent)
            tau_output_drop(&core->output, item->start + item->size - sent);
    }
    return core->output.sent;
}

static void end_request(struct tau_core *core, const struct tau_pending *item, uint64_t sent,
                        const struct tau_error *cause)
{
    struct tau_error unknown;
    if (!item->call->write || item->start + item->size > sent) {
        tau_core_complete(core, item, cause->status, (struct tau_slice){0}, cause);
        return;
    }
    tau_fault(&unknown, TAU_STATUS_OUTCOME_UNKNOWN, 0, "%s was sent and not answered: %.400s",
              tau_call_name(item->call), cause->message);
    unknown.system_error = cause->system_error;
    tau_core_complete(core, item, unknown.status, (struct tau_slice){0}, &unknown);
}

/* Ends all requests whose frames begin before a position. Callbacks may add requests behind it. */
static void end_requests(struct tau_core *core, uint64_t boundary, uint64_t sent,
                         const struct tau_error *cause)
{
    while (core->pending.count > 0) {
        struct tau_pending item = *tau_pending_at(&core->pending, 0);
        if (item.start >= boundary)
            return;
        tau_pending_pop(&core->pending);
        if ((item.flags & TAU_PENDING_ABANDONED) == 0)
            end_request(core, &item, sent, cause);
    }
}

static void disconnect(struct tau_core *core, bool again, const struct tau_error *error)
{
    struct tau_error cause = *error;
    uint64_t sent = core->output.sent;
    uint64_t boundary = cut_partial_frame(core);
    core->loss = cause;
    core->phase = again ? TAU_CORE_WANTED : TAU_CORE_CLOSED;
    core->skip = 0;
    core->hello_size = 0;
    core->hello_sent = 0;
    tau_input_clear(&core->input);
    if (!again) {
        boundary = core->output.end;
        tau_output_drop(&core->output, tau_output_waiting(&core->output));
    }
    end_requests(core, boundary, sent, &cause);
    if (again)
        tau_core_trim(core);
}

void tau_core_lost(struct tau_core *core, const struct tau_error *error, int64_t now_ns)
{
    disconnect(core, plan_next(core, core->phase, error->status, now_ns), error);
}

void tau_core_close(struct tau_core *core)
{
    struct tau_error error;
    tau_fault(&error, TAU_STATUS_CONNECTION_LOST, 0, "the client was closed");
    core->handshake_deadline_ns = TAU_NEVER;
    disconnect(core, false, &error);
}

void tau_core_fail(struct tau_core *core, enum tau_status status, const char *what, int64_t now_ns)
{
    struct tau_error error;
    tau_fault(&error, status, 0, "%s", what);
    tau_core_lost(core, &error, now_ns);
}

void tau_core_breach(struct tau_core *core, int64_t now_ns, const char *what)
{
    struct tau_error error;
    tau_fault(&error, TAU_STATUS_PROTOCOL_ERROR, 0, "the server sent %s", what);
    tau_core_lost(core, &error, now_ns);
}
