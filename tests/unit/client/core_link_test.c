/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection in the core: the handshake, servers that cannot negotiate, losses and
 * what they mean for each request, and the pauses between tries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "rig.h"
#include "tau_codec.h"

static int setup_with(void **state, bool reconnect)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct tau_options options;
    rig_options(&options);
    options.reconnect = reconnect;
    memset(options.certificate.bytes, 0xC5, sizeof(options.certificate.bytes));
    memset(&rig_memory, 0, sizeof(rig_memory));
    rig_begin(rig, &options);
    *state = rig;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, false);
}

static int setup_reconnecting(void **state)
{
    return setup_with(state, true);
}

static int teardown(void **state)
{
    rig_end(*state);
    free(*state);
    assert_int_equal(rig_memory.live_blocks, 0);
    return 0;
}

static void expect(const struct rig *rig, size_t place, uintptr_t tag, enum tau_status status)
{
    assert_true(place < rig->count);
    assert_int_equal(rig->log[place].tag, tag);
    assert_int_equal(rig->log[place].status, status);
}

static void the_hello_is_connect_then_negotiate(void **state)
{
    struct rig *rig = *state;
    uint8_t connect[42] = {'T', 'A', 'U', 1, 1, 0, 0, 0, 0, 32};
    memset(connect + 10, 0xC5, 32);
    rig_open(rig);
    rig_flush(rig);
    assert_true(rig->out.size > sizeof(connect) + TAU_HEADER_SIZE);
    assert_memory_equal(rig->out.data, connect, sizeof(connect));

    struct tau_slice payload = {.data = rig->out.data + sizeof(connect) + TAU_HEADER_SIZE,
                                .size = rig->out.size - sizeof(connect) - TAU_HEADER_SIZE};
    struct tau_negotiate_request request;
    assert_int_equal(tau_negotiate_request_decode(payload, &request, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(request.features, TAU_FEATURE_DETAILED_ERRORS);
    assert_int_equal(request.operations.count, TAU_OPERATION_COUNT);
    assert_memory_equal(request.client_name.data, "libtauclient ", 13);
}

static void the_server_is_known_after_the_handshake(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    const struct tau_server_info *server = tau_async_server(rig->async);
    assert_true(server->negotiated);
    assert_string_equal(server->name, "taud test");
    assert_int_equal(server->specification, 42);
    assert_int_equal(tau_core_limit(rig->core, 1, 7), TAU_LIMIT_PAYLOAD_BYTES);
    assert_int_equal(tau_core_limit(rig->core, 2, 7), 7);
    assert_int_equal(tau_core_limit(rig->core, 60000, 7), 7);
    assert_true(tau_async_supports(rig->async, TAU_OPCODE_BATCH_APPEND));
    assert_false(tau_async_supports(rig->async, TAU_OPCODE_OK));
}

/* Answers NEGOTIATE with one operation. */
static void negotiate(struct rig *rig, struct tau_operation_fingerprint offer)
{
    uint8_t data[256];
    struct bytes reply = {0};
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    struct tau_negotiate_response response = {.operations = {.data = &offer, .count = 1},
                                              .operation_count = 1};
    assert_true(tau_negotiate_response_encode(&response, &out));
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_frame(&reply, TAU_OPCODE_OK, 0, data, out.size);
    rig_feed_bytes(rig, &reply);
    bytes_free(&reply);
}

/* With a fingerprint that differs from ours by `difference`. */
static void negotiate_one(struct rig *rig, uint8_t opcode, uint64_t difference)
{
    negotiate(rig, (struct tau_operation_fingerprint){
                       .opcode = opcode,
                       .fingerprint = tau_operation_find(opcode)->fingerprint + difference});
}

static void another_layout_is_not_used(void **state)
{
    struct rig *rig = *state;
    negotiate_one(rig, TAU_OPCODE_QUERY_LATEST, 1);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    assert_int_equal(rig_latest(rig, 1), TAU_STATUS_LAYOUT_MISMATCH);
    assert_false(tau_async_supports(rig->async, TAU_OPCODE_QUERY_LATEST));
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
}

/* Operations of the first day are sent without being listed, but not against what is listed. */
static void another_layout_of_the_first_day_is_not_used_either(void **state)
{
    struct rig *rig = *state;
    negotiate_one(rig, TAU_OPCODE_APPEND, 1);
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_LAYOUT_MISMATCH);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_outstanding(rig->async), 1);
}

/* What a later version adds at its end leaves the fingerprint as it is. */
static void another_layout_of_what_is_extensible_is_not_used_either(void **state)
{
    struct rig *rig = *state;
    assert_true(tau_operation_find(TAU_OPCODE_DESCRIBE_SERIES)->extensible);
    negotiate_one(rig, TAU_OPCODE_DESCRIBE_SERIES, 1);
    assert_false(tau_async_supports(rig->async, TAU_OPCODE_DESCRIBE_SERIES));
}

struct words {
    enum tau_status status;
    char text[TAU_ERROR_MESSAGE_SIZE];
};

static void keep_words(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct words *words = user_data;
    words->status = status;
    strcpy(words->text, error->message);
}

static void a_request_that_waited_is_told_which_operation_differs(void **state)
{
    struct rig *rig = *state;
    struct tau_append_request request = {.timestamp = 1};
    struct words words = {.status = TAU_STATUS_SUCCESS};
    assert_int_equal(tau_async_append(rig->async, &request, keep_words, &words),
                     TAU_STATUS_SUCCESS);
    negotiate_one(rig, TAU_OPCODE_APPEND, 1);
    assert_int_equal(words.status, TAU_STATUS_LAYOUT_MISMATCH);
    assert_string_equal(words.text,
                        "client and server were compiled with different layouts of APPEND");
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
}

static void layouts_are_not_told_when_that_is_asked_for(void **state)
{
    struct rig *rig = *state;
    struct tau_negotiate_request request;
    const size_t connect_size = TAU_HEADER_SIZE + 32;
    rig->core->config.announce_layouts = false;
    rig_open(rig);
    rig_flush(rig);
    struct tau_slice payload = {.data = rig->out.data + connect_size + TAU_HEADER_SIZE,
                                .size = rig->out.size - connect_size - TAU_HEADER_SIZE};
    assert_int_equal(tau_negotiate_request_decode(payload, &request, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(request.operations.count, 0);
}

static void the_same_layout_is_used(void **state)
{
    struct rig *rig = *state;
    negotiate_one(rig, TAU_OPCODE_QUERY_LATEST, 0);
    assert_int_equal(rig_latest(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_range(rig, 2), TAU_STATUS_NOT_SUPPORTED);
}

/* A server that answers the handshake with this is none of ours. */
static void check_nonsense(struct rig *rig, const struct bytes *reply)
{
    rig_end(rig);
    assert_true(rig_begin(rig, NULL));
    rig_open(rig);
    rig_flush(rig);
    rig_feed_bytes(rig, reply);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    assert_int_equal(rig->core->loss.status, TAU_STATUS_PROTOCOL_ERROR);
}

static void nonsense_in_the_handshake_ends_it(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    put_error(&reply, TAU_STATUS_SUCCESS); // an error that is none
    check_nonsense(rig, &reply);
    reply.size = 0;
    put_ok(&reply);
    put_frame(&reply, TAU_OPCODE_OK, 0, "abc", 3); // too short for an answer to NEGOTIATE
    check_nonsense(rig, &reply);
    bytes_free(&reply);
}

/* A later server offers what this client has never heard of. */
static void unknown_operations_are_passed_over(void **state)
{
    struct rig *rig = *state;
    negotiate(rig, (struct tau_operation_fingerprint){.opcode = 0x7F, .fingerprint = 1});
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    assert_false(tau_core_supports(rig->core, 0x7F));
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
}

static void a_connection_that_is_there_is_not_asked_for(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    tau_async_connect(rig->async);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    assert_false(tau_core_wants_opening(rig->core, INT64_MAX));
}

static void a_server_that_cannot_negotiate_is_asked_again_without(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    assert_int_equal(rig_latest(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_error(&reply, TAU_STATUS_BAD_OPCODE);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 0);
    assert_false(tau_core_is_open(rig->core));
    assert_true(tau_core_wants_opening(rig->core, rig->now_ns));

    rig->out.size = 0;
    rig_open(rig);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_CONNECT);
    assert_int_equal(sent_opcode(rig, 1), 0);
    rig->out.size = 0;
    reply.size = 0;
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_NOT_SUPPORTED);
    assert_false(tau_async_server(rig->async)->negotiated);
    assert_int_equal(rig_range(rig, 3), TAU_STATUS_NOT_SUPPORTED);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_APPEND); /* the other one left the front */
    put_error(&reply, TAU_STATUS_OUT_OF_ORDER);
    rig_feed(rig, reply.data + TAU_HEADER_SIZE, reply.size - TAU_HEADER_SIZE, 0);
    expect(rig, 1, 2, TAU_STATUS_OUT_OF_ORDER);
    bytes_free(&reply);
}

static void a_second_refusal_of_negotiation_is_no_loop(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_error(&reply, TAU_STATUS_BAD_OPCODE);
    rig_feed_bytes(rig, &reply);
    rig_open(rig);
    rig_flush(rig);
    reply.size = 0;
    put_error(&reply, TAU_STATUS_BAD_OPCODE);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    bytes_free(&reply);
}

static void a_wrong_certificate_is_final(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    rig_open(rig);
    rig_flush(rig);
    put_error(&reply, TAU_STATUS_AUTH_FAILED);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_AUTH_FAILED);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_AUTH_FAILED);
    bytes_free(&reply);
}

static void a_handshake_has_a_deadline(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    rig_open(rig);
    rig->core->next_deadline_ns = TAU_NEVER; /* only the handshake's deadline is looked at */
    rig_advance(rig, 4900);
    assert_true(tau_core_is_open(rig->core));
    rig_advance(rig, 200);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    expect(rig, 0, 1, TAU_STATUS_TIMEOUT);
}

/* Sends a write and a read whole, half a write, and leaves one behind. */
static void make_a_mess(struct rig *rig)
{
    struct tau_slice slice;
    rig_ready(rig);
    for (uintptr_t tag = 1; tag <= 4; tag++)
        assert_int_equal(tag == 2 ? rig_query(rig, tag) : rig_append(rig, tag), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_core_output(rig->core, &slice, 1), 1);
    tau_core_sent(rig->core, 58 + 50 + 30);
}

static void a_loss_says_of_each_request_what_it_means(void **state)
{
    struct rig *rig = *state;
    make_a_mess(rig);
    rig_lose(rig);
    assert_int_equal(rig->count, 4);
    expect(rig, 0, 1, TAU_STATUS_OUTCOME_UNKNOWN);
    expect(rig, 1, 2, TAU_STATUS_CONNECTION_LOST);
    expect(rig, 2, 3, TAU_STATUS_CONNECTION_LOST);
    expect(rig, 3, 4, TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
}

static void reconnecting_sends_only_what_was_never_sent(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    make_a_mess(rig);
    rig_lose(rig);
    assert_int_equal(rig->count, 3);
    expect(rig, 0, 1, TAU_STATUS_OUTCOME_UNKNOWN);
    expect(rig, 2, 3, TAU_STATUS_CONNECTION_LOST);
    rig_ready(rig);
    rig_flush(rig);
    struct tau_append_request request;
    struct tau_slice payload = {.data = rig->out.data + TAU_HEADER_SIZE, .size = 48};
    assert_int_equal(rig->out.size, 58);
    assert_int_equal(tau_append_request_decode(payload, &request, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(request.timestamp, 4);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    expect(rig, 3, 4, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

static void pauses_double_up_to_the_longest(void **state)
{
    struct rig *rig = *state;
    int64_t longest_ms = 0;
    for (int64_t expected_ms = 100, i = 0; i < 12; i++) {
        struct tau_error error;
        tau_fault(&error, TAU_STATUS_CONNECTION_FAILED, 0, "refused");
        tau_core_opening(rig->core, rig->now_ns);
        tau_core_lost(rig->core, &error, rig->now_ns);
        assert_int_equal(tau_async_link(rig->async), TAU_LINK_WAITING);
        int64_t pause_ms = (tau_core_deadline(rig->core) - rig->now_ns) / TAU_NS_PER_MS;
        assert_in_range(pause_ms, expected_ms * 3 / 4 - 1, expected_ms);
        assert_false(tau_core_wants_opening(rig->core, rig->now_ns));
        rig->now_ns = tau_core_deadline(rig->core);
        assert_true(tau_core_wants_opening(rig->core, rig->now_ns));
        longest_ms = pause_ms;
        expected_ms = expected_ms * 2 < 10000 ? expected_ms * 2 : 10000;
    }
    assert_true(longest_ms > 7000);
}

static void a_good_session_is_followed_at_once(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_ping(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_frame(&reply, TAU_OPCODE_PONG, 0, NULL, 0);
    rig_feed_bytes(rig, &reply);
    rig_lose(rig);
    assert_true(tau_core_wants_opening(rig->core, rig->now_ns));
    bytes_free(&reply);
}

static void a_session_that_breaks_at_once_is_followed_after_a_pause(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    rig_lose(rig);
    assert_false(tau_core_wants_opening(rig->core, rig->now_ns));
    tau_async_connect(rig->async);
    assert_true(tau_core_wants_opening(rig->core, tau_clock_now_ns()));
}

static void waiting_requests_time_out_while_there_is_no_connection(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    rig_lose(rig);
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    rig_advance(rig, 1100);
    expect(rig, 0, 1, TAU_STATUS_TIMEOUT);
    assert_int_equal(rig->core->pending.count, 0);
}

#define CASE(name)         cmocka_unit_test_setup_teardown(name, setup, teardown)
#define RECONNECTING(name) cmocka_unit_test_setup_teardown(name, setup_reconnecting, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_hello_is_connect_then_negotiate),
        CASE(the_server_is_known_after_the_handshake),
        CASE(another_layout_is_not_used),
        CASE(another_layout_of_the_first_day_is_not_used_either),
        CASE(another_layout_of_what_is_extensible_is_not_used_either),
        CASE(a_request_that_waited_is_told_which_operation_differs),
        CASE(layouts_are_not_told_when_that_is_asked_for),
        CASE(the_same_layout_is_used),
        CASE(nonsense_in_the_handshake_ends_it),
        CASE(unknown_operations_are_passed_over),
        CASE(a_connection_that_is_there_is_not_asked_for),
        CASE(a_server_that_cannot_negotiate_is_asked_again_without),
        CASE(a_second_refusal_of_negotiation_is_no_loop),
        CASE(a_wrong_certificate_is_final),
        CASE(a_handshake_has_a_deadline),
        CASE(a_loss_says_of_each_request_what_it_means),
        RECONNECTING(a_wrong_certificate_is_final),
        RECONNECTING(reconnecting_sends_only_what_was_never_sent),
        RECONNECTING(pauses_double_up_to_the_longest),
        RECONNECTING(a_good_session_is_followed_at_once),
        RECONNECTING(a_session_that_breaks_at_once_is_followed_after_a_pause),
        RECONNECTING(waiting_requests_time_out_while_there_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
