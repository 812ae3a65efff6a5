// SPDX-License-Identifier: MIT
// The transport's own operations, called one by one: certificates and the delay of the answer to a
// wrong one, the end of a session, and what NEGOTIATE settles.
#include "session_harness.h"

#include "memory_fault.h"
#include "transport/session_internal.h"

// A turn in which the session executes one operation.
static void execute(struct harness *h, uint8_t opcode, const void *payload, size_t size)
{
    taud_session_begin_turn(&h->session, &h->transport);
    taud_session_operation(&h->session, &h->transport, opcode,
                           (struct tau_slice){.data = payload, .size = size});
    harness_send(h, SIZE_MAX);
}

static void end_penalty(struct harness *h)
{
    taud_session_begin_turn(&h->session, &h->transport);
    taud_session_end_penalty(&h->session, &h->transport);
    harness_send(h, SIZE_MAX);
}

static void begin_session(struct harness *h, uint8_t address)
{
    struct taud_penalty_key key = {{10, 0, 0, address}};
    taud_session_done(&h->session);
    taud_session_init(&h->session, &h->budget, 43, &key);
}

static void execute_connect(struct harness *h, bool right)
{
    struct tau_certificate certificate = HARNESS_CERTIFICATE;
    certificate.bytes[31] ^= right ? 0 : 1;
    execute(h, TAU_OPCODE_CONNECT, certificate.bytes, sizeof certificate.bytes);
}

// --- CONNECT -------------------------------------------------------------------------------------

static void lets_the_right_certificate_in_at_once(void **state)
{
    struct harness *h = *state;
    execute_connect(h, true);
    expect_ok(h);
    assert_int_equal(h->session.state, TAU_SESSION_AUTHENTICATED);
    assert_int_equal(h->transport.context.role, TAU_ROLE_WRITER); // for the rest of the turn too
    assert_int_equal(h->session.penalty_until_ms, 0);
    execute_connect(h, true); // again
    expect_ok(h);
    assert_int_equal(h->session.state, TAU_SESSION_AUTHENTICATED);
    assert_int_equal(taud_counter_value(&h->statistics, TAUD_COUNT_AUTH_FAILED), 0);
}

static void compares_every_bit(void **state)
{
    struct harness *h = *state;
    for (size_t bit = 0; bit < 8 * sizeof HARNESS_CERTIFICATE.bytes; bit++) {
        struct tau_certificate wrong = HARNESS_CERTIFICATE;
        wrong.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        begin_session(h, (uint8_t)bit);
        execute(h, TAU_OPCODE_CONNECT, wrong.bytes, sizeof wrong.bytes);
        expect_nothing(h);
        assert_int_equal(h->session.state, TAU_SESSION_NEW);
        assert_int_equal(h->transport.context.role, TAU_ROLE_NONE);
        assert_int_equal(h->session.penalty_until_ms, h->transport.now_ms + 100);
    }
    assert_int_equal(taud_counter_value(&h->statistics, TAUD_COUNT_AUTH_FAILED), 256);
}

static void delays_by_what_the_address_has_done(void **state)
{
    struct harness *h = *state;
    const uint64_t delays_ms[] = {100, 200, 400};
    for (size_t index = 0; index < 3; index++) {
        begin_session(h, 1); // a session of its own each time
        execute_connect(h, false);
        assert_int_equal(h->session.penalty_until_ms, h->transport.now_ms + delays_ms[index]);
    }
    begin_session(h, 2);
    execute_connect(h, false);
    assert_int_equal(h->session.penalty_until_ms, h->transport.now_ms + 100);
    begin_session(h, 1);
    execute_connect(h, true); // never waits
    expect_ok(h);
}

static void closes_at_the_third_wrong_certificate(void **state)
{
    struct harness *h = *state;
    for (int try = 1; try <= TAU_LIMIT_CONNECT_TRIES; try++) {
        execute_connect(h, false);
        expect_nothing(h);
        end_penalty(h);
        expect_error(h, TAU_STATUS_AUTH_FAILED);
        assert_int_equal(h->session.penalty_until_ms, 0);
        assert_int_equal(h->session.state,
                         try < TAU_LIMIT_CONNECT_TRIES ? TAU_SESSION_NEW : TAU_SESSION_CLOSED);
    }
}

static void closes_at_a_wrong_certificate_behind_the_right_one(void **state)
{
    struct harness *h = *state;
    for (int before = 0; before < TAU_LIMIT_CONNECT_TRIES; before++) {
        begin_session(h, (uint8_t)before);
        for (int try = 0; try < before; try++) { // wrong ones, which are forgiven
            execute_connect(h, false);
            end_penalty(h);
            expect_error(h, TAU_STATUS_AUTH_FAILED);
        }
        execute_connect(h, true);
        expect_ok(h);
        assert_int_equal(h->session.state, TAU_SESSION_AUTHENTICATED);
        execute_connect(h, false);
        expect_nothing(h);
        end_penalty(h);
        expect_error(h, TAU_STATUS_AUTH_FAILED);
        assert_int_equal(h->session.state, TAU_SESSION_CLOSED);
    }
}

// --- DISCONNECT, CANCEL --------------------------------------------------------------------------

static void disconnects_authenticated_or_not(void **state)
{
    struct harness *h = *state;
    execute(h, TAU_OPCODE_DISCONNECT, NULL, 0);
    expect_ok(h);
    assert_int_equal(h->session.state, TAU_SESSION_CLOSED);
    begin_session(h, 1);
    execute_connect(h, true);
    expect_ok(h);
    execute(h, TAU_OPCODE_DISCONNECT, NULL, 0);
    expect_ok(h);
    assert_int_equal(h->session.state, TAU_SESSION_CLOSED);
}

static void cancels_before_it_says_so(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    execute(h, TAU_OPCODE_CANCEL, NULL, 0); // nothing is under way
    expect_ok(h);
    uint8_t later[4] = {0, 0, 0, 1};
    harness_frame(h, TAU_OPCODE_PROBE_LATER, later, sizeof later);
    expect_nothing(h);
    execute(h, TAU_OPCODE_CANCEL, NULL, 0);
    expect_error(h, TAU_STATUS_CANCELLED);
    expect_ok(h);
    taud_pending_free(probe.later[0]);
}

static void knows_no_other_operation(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    execute(h, TAU_OPCODE_APPEND, NULL, 0);
    expect_error(h, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(h->session.state, TAU_SESSION_AUTHENTICATED);
}

// --- NEGOTIATE -----------------------------------------------------------------------------------

struct listed {
    uint8_t opcode;
    bool same; // lays it out as the server does
};

// Writes a request that lists these operations. Returns its size.
static size_t put_negotiate(uint8_t payload[256], uint64_t features, const struct listed *listed,
                            size_t count)
{
    struct tau_operation_fingerprint operations[8];
    for (size_t index = 0; index < count; index++) {
        const struct taud_operation *operation = taud_operation_find(listed[index].opcode);
        uint64_t known = operation != NULL ? operation->fingerprint : 0;
        operations[index] = (struct tau_operation_fingerprint){
            .opcode = listed[index].opcode, .fingerprint = listed[index].same ? known : ~known};
    }
    struct tau_negotiate_request request = {
        .features = features,
        .client_name = {.data = (const uint8_t *)"test", .size = 4},
        .operation_count = (uint16_t)count,
        .operations = {.data = operations, .count = count}};
    struct tau_writer out = tau_writer_over(payload, 256);
    assert_true(tau_negotiate_request_encode(&request, &out));
    return out.size;
}

static void tells_what_the_server_can_do(void **state)
{
    struct harness *h = *state;
    uint8_t payload[256];
    harness_connect(h);
    execute(h, TAU_OPCODE_NEGOTIATE, payload, put_negotiate(payload, UINT64_MAX, NULL, 0));
    struct reply reply = take_reply(h);
    struct tau_negotiate_response says;
    assert_int_equal(reply.opcode, TAU_OPCODE_OK);
    assert_int_equal(tau_negotiate_response_decode(reply.payload, &says, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(says.features, TAU_FEATURE_DETAILED_ERRORS); // of all, those that it knows
    assert_int_equal(says.specification, TAU_SPECIFICATION_FINGERPRINT);
    assert_int_equal(says.server_name.size, strlen("taud " TAU_VERSION));
    assert_memory_equal(says.server_name.data, "taud " TAU_VERSION, says.server_name.size);
    assert_int_equal(says.limits.count, taud_limit_count);
    for (size_t index = 0; index < taud_limit_count; index++) {
        struct tau_limit_value limit = tau_limit_value_at(says.limits, index);
        assert_int_equal(limit.number, taud_limits[index].number);
        assert_int_equal(limit.value, taud_limits[index].value);
    }
    assert_int_equal(says.operations.count, taud_operation_count);
    for (size_t index = 0; index < taud_operation_count; index++) {
        struct tau_operation_fingerprint told =
            tau_operation_fingerprint_at(says.operations, index);
        assert_int_equal(told.fingerprint, taud_operation_find(told.opcode)->fingerprint);
    }
}

static void holds_for_the_requests_behind_it(void **state)
{
    struct harness *h = *state;
    uint8_t payload[256];
    harness_connect(h);
    size_t size = put_negotiate(payload, TAU_FEATURE_DETAILED_ERRORS | UINT64_C(1) << 63, NULL, 0);
    execute(h, TAU_OPCODE_NEGOTIATE, payload, size);
    take_reply(h);
    assert_int_equal(h->session.features, TAU_FEATURE_DETAILED_ERRORS);
    assert_int_equal(h->transport.context.features, TAU_FEATURE_DETAILED_ERRORS);
    assert_true(h->transport.reply.detailed); // in the same turn already
    execute(h, TAU_OPCODE_NEGOTIATE, payload, put_negotiate(payload, 0, NULL, 0));
    take_reply(h);
    assert_int_equal(h->session.features, 0);
    assert_int_equal(h->transport.context.features, 0);
    assert_false(h->transport.reply.detailed);
}

static uint64_t row_of(uint8_t opcode)
{
    return UINT64_C(1) << (taud_operation_rows[opcode] - 1);
}

static void notes_operations_of_another_layout(void **state)
{
    struct harness *h = *state;
    const struct listed listed[] = {
        {TAU_OPCODE_APPEND, true},
        {TAU_OPCODE_QUERY_POINT, false},
        {TAU_OPCODE_CREATE_SERIES, false},
        {TAU_OPCODE_CANCEL, false}, // the session's: no concern
        {TAU_OPCODE_OK, false},
        {0x7F, false}, // no requests, or none that it knows
    };
    uint8_t payload[256];
    harness_connect(h);
    execute(h, TAU_OPCODE_NEGOTIATE, payload, put_negotiate(payload, 0, listed, 6));
    take_reply(h);
    assert_true(h->session.mismatches ==
                (row_of(TAU_OPCODE_QUERY_POINT) | row_of(TAU_OPCODE_CREATE_SERIES)));
    execute(h, TAU_OPCODE_NEGOTIATE, payload, put_negotiate(payload, 0, listed, 1));
    take_reply(h);
    assert_int_equal(h->session.mismatches, 0); // the last one counts
}

// Negotiates, to have something that the next NEGOTIATE could change.
static void settle(struct harness *h)
{
    const struct listed listed = {TAU_OPCODE_APPEND, false};
    uint8_t payload[256];
    harness_connect(h);
    size_t size = put_negotiate(payload, TAU_FEATURE_DETAILED_ERRORS, &listed, 1);
    execute(h, TAU_OPCODE_NEGOTIATE, payload, size);
    take_reply(h);
}

static void expect_settled(const struct harness *h)
{
    assert_int_equal(h->session.features, TAU_FEATURE_DETAILED_ERRORS);
    assert_true(h->session.mismatches == row_of(TAU_OPCODE_APPEND));
}

static void changes_nothing_where_the_request_is_malformed(void **state)
{
    struct harness *h = *state;
    const struct listed listed = {TAU_OPCODE_QUERY_POINT, false};
    uint8_t payload[256];
    settle(h);
    size_t size = put_negotiate(payload, 0, &listed, 1);
    for (size_t cut = 0; cut < size; cut++) {
        execute(h, TAU_OPCODE_NEGOTIATE, payload, cut);
        struct reply reply = take_reply(h);
        struct tau_err err;
        assert_int_equal(tau_err_decode(reply.payload, &err, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(err.status, TAU_STATUS_INVALID_PAYLOAD);
        assert_true(err.field != TAU_FIELD_NONE); // and says which field it is
        expect_settled(h);
    }
}

static void changes_nothing_where_the_answer_has_no_memory(void **state)
{
    struct harness *h = *state;
    uint8_t payload[256];
    settle(h);
    size_t size = put_negotiate(payload, 0, NULL, 0);
    taud_session_begin_turn(&h->session, &h->transport);
    enum { FULL = TAUD_REPLY_BYTES - TAU_HEADER_SIZE };
    taud_reply_begin(&h->transport.reply, FULL)->size = FULL; // no room for the answer besides
    taud_reply_end(&h->transport.reply, TAU_OPCODE_OK, 0);
    memory_fault_after(0);
    taud_session_operation(&h->session, &h->transport, TAU_OPCODE_NEGOTIATE,
                           (struct tau_slice){.data = payload, .size = size});
    assert_true(memory_fault_end());
    assert_true(h->transport.reply.broken);
    expect_settled(h);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lets_the_right_certificate_in_at_once),
        CASE(compares_every_bit),
        CASE(delays_by_what_the_address_has_done),
        CASE(closes_at_the_third_wrong_certificate),
        CASE(closes_at_a_wrong_certificate_behind_the_right_one),
        CASE(disconnects_authenticated_or_not),
        CASE(cancels_before_it_says_so),
        CASE(knows_no_other_operation),
        CASE(tells_what_the_server_can_do),
        CASE(holds_for_the_requests_behind_it),
        CASE(notes_operations_of_another_layout),
        CASE(changes_nothing_where_the_request_is_malformed),
        CASE(changes_nothing_where_the_answer_has_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
