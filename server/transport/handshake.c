// SPDX-License-Identifier: MIT
// The operations that belong to the transport: CONNECT, DISCONNECT, NEGOTIATE, CANCEL. PING is
// answered where its header is read, since its payload is only skipped.
#include "transport/session_internal.h"

#include <assert.h>
#include <string.h>

// Compares without a branch that depends on the bytes, so that the time says nothing about them.
static bool equal_in_constant_time(const uint8_t *a, const uint8_t *b, size_t size)
{
    volatile uint8_t difference = 0;
    for (size_t index = 0; index < size; index++)
        difference = (uint8_t)(difference | (a[index] ^ b[index]));
    return difference == 0;
}

static void advance(struct taud_session *session, enum tau_session_event event)
{
    session->state = (uint8_t)tau_session_advance((enum tau_session_state)session->state, event);
}

static void connect_session(struct taud_session *session, struct taud_transport *transport,
                            struct tau_slice payload)
{
    const struct tau_certificate *expected = &transport->certificate;
    assert(payload.size == sizeof expected->bytes);
    if (!equal_in_constant_time(payload.data, expected->bytes, sizeof expected->bytes)) {
        uint64_t delay_ms =
            taud_penalties_add(transport->penalties, &session->address, transport->now_ms);
        session->penalty_until_ms = transport->now_ms + delay_ms;
        taud_count(transport->statistics, TAUD_COUNT_AUTH_FAILED, 1);
        return;
    }
    advance(session, TAU_SESSION_EVENT_CONNECT_OK);
    transport->context.role = TAU_ROLE_WRITER;
    taud_reply_empty(&transport->reply, TAU_OPCODE_OK);
}

void taud_session_end_penalty(struct taud_session *session, struct taud_transport *transport)
{
    session->penalty_until_ms = 0;
    session->wrong_certificates++;
    taud_reply_error(&transport->reply, TAU_STATUS_AUTH_FAILED, NULL);
    advance(session, session->wrong_certificates < TAU_LIMIT_CONNECT_TRIES ||
                             session->state != TAU_SESSION_NEW
                         ? TAU_SESSION_EVENT_CONNECT_FAILED
                         : TAU_SESSION_EVENT_CONNECT_EXHAUSTED);
}

// Which operations the client lays out in another way. Those that it does not list, and those that
// this server does not know, are no concern.
static uint64_t find_mismatches(struct tau_array operations)
{
    uint64_t mismatches = 0;
    for (size_t index = 0; index < operations.count; index++) {
        struct tau_operation_fingerprint listed = tau_operation_fingerprint_at(operations, index);
        uint8_t row = taud_operation_rows[listed.opcode];
        if (row != 0 && taud_operations[row - 1].kind != TAUD_OPERATION_SESSION &&
            taud_operations[row - 1].fingerprint != listed.fingerprint)
            mismatches |= UINT64_C(1) << (row - 1);
    }
    return mismatches;
}

static void negotiate(struct taud_session *session, struct taud_transport *transport,
                      struct tau_slice payload)
{
    struct tau_negotiate_request request;
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    enum tau_status status = tau_negotiate_request_decode(payload, &request, &detail);
    if (status != TAU_STATUS_SUCCESS) {
        taud_reply_error(&transport->reply, status, &detail);
        return;
    }
    static const char NAME[] = "taud " TAU_VERSION;
    struct tau_negotiate_response response = {
        .features = request.features & TAU_FEATURE_DETAILED_ERRORS,
        .specification = TAU_SPECIFICATION_FINGERPRINT,
        .server_name = {.data = (const uint8_t *)NAME, .size = sizeof NAME - 1},
        .limit_count = (uint16_t)taud_limit_count,
        .limits = {.data = taud_limits, .count = taud_limit_count},
        .operation_count = (uint16_t)taud_operation_count,
        .operations = {.data = taud_fingerprints, .count = taud_operation_count},
    };
    size_t size = tau_negotiate_response_size(&response);
    struct tau_writer *out = taud_reply_begin(&transport->reply, size);
    if (out == NULL)
        return;
    bool encoded = tau_negotiate_response_encode(&response, out);
    assert(encoded);
    (void)encoded;
    taud_reply_end(&transport->reply, TAU_OPCODE_OK, 0);
    session->mismatches = find_mismatches(request.operations);
    session->features = response.features;
    transport->context.features = response.features;
    transport->reply.detailed = (response.features & TAU_FEATURE_DETAILED_ERRORS) != 0;
}

void taud_session_operation(struct taud_session *session, struct taud_transport *transport,
                            uint8_t opcode, struct tau_slice payload)
{
    switch (opcode) {
    case TAU_OPCODE_CONNECT:
        connect_session(session, transport, payload);
        break;
    case TAU_OPCODE_DISCONNECT:
        taud_reply_empty(&transport->reply, TAU_OPCODE_OK);
        advance(session, TAU_SESSION_EVENT_DISCONNECT_OK);
        break;
    case TAU_OPCODE_NEGOTIATE:
        negotiate(session, transport, payload);
        break;
    case TAU_OPCODE_CANCEL: // where the session had to wait, it has acted when it was found already
        taud_session_cancel(session, transport);
        taud_reply_empty(&transport->reply, TAU_OPCODE_OK);
        break;
    default:
        taud_reply_error(&transport->reply, TAU_STATUS_INTERNAL_ERROR, NULL);
    }
}
