// SPDX-License-Identifier: MIT
// Sessions without sockets: the order of checks, batches, holds, streams, CANCEL, negotiation, and
// input that is cut anywhere.
#include "session_harness.h"

#include <stdio.h>

// --- the table of the session --------------------------------------------------------------------

static void refuses_before_connect(void **state)
{
    struct harness *h = *state;
    harness_frame(h, TAU_OPCODE_PING, NULL, 0);
    expect_error(h, TAU_STATUS_NOT_AUTHENTICATED);
    assert_int_equal(h->session.wait, TAUD_WAIT_CLOSED);
    harness_frame(h, TAU_OPCODE_CONNECT, HARNESS_CERTIFICATE.bytes, 32);
    expect_nothing(h);
}

static void checks_in_their_order(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    uint8_t frame[64];
    size_t size = put_frame(frame, TAU_OPCODE_PONG, 7, "abc", 3); // no request, flags: the former
    harness_feed(h, frame, size);
    expect_error(h, TAU_STATUS_BAD_OPCODE);
    size = put_frame(frame, TAU_OPCODE_APPEND, 7, "abc", 3); // flags, length: the former
    harness_feed(h, frame, size);
    expect_error(h, TAU_STATUS_BAD_FLAGS);
    harness_frame(h, TAU_OPCODE_APPEND, "abc", 3);
    expect_error(h, TAU_STATUS_INVALID_PAYLOAD);
    harness_frame(h, TAU_OPCODE_PING, "abc", 3);
    expect_pong(h);
    size = put_frame(frame, 0x7F, 7, NULL, 0);
    harness_feed(h, frame, size);
    expect_error(h, TAU_STATUS_BAD_OPCODE);
    assert_int_equal(h->session.wait, TAUD_WAIT_CLOSED);
    assert_int_equal(probe.append_calls, 0);
}

static void waits_with_the_answer_to_a_wrong_certificate(void **state)
{
    struct harness *h = *state;
    uint8_t wrong[32] = {9};
    uint64_t delays[] = {100, 200, 400};
    for (size_t try = 0; try < 3; try++) {
        harness_frame(h, TAU_OPCODE_CONNECT, wrong, sizeof wrong);
        expect_nothing(h);
        assert_int_equal(h->session.wait, TAUD_WAIT_PENALTY);
        h->transport.now_ms += delays[try] - 1;
        harness_turn(h, SIZE_MAX);
        expect_nothing(h);
        h->transport.now_ms += 1;
        harness_turn(h, SIZE_MAX);
        expect_error(h, TAU_STATUS_AUTH_FAILED);
        assert_int_equal(h->session.wait, try == 2 ? TAUD_WAIT_CLOSED : TAUD_WAIT_INPUT);
    }
}

static void closes_on_a_wrong_certificate_after_a_right_one(void **state)
{
    struct harness *h = *state;
    uint8_t wrong[32] = {9};
    harness_connect(h);
    harness_frame(h, TAU_OPCODE_CONNECT, wrong, sizeof wrong);
    harness_frame(h, TAU_OPCODE_PING, NULL, 0);
    expect_nothing(h);
    h->transport.now_ms += 100;
    harness_turn(h, SIZE_MAX);
    expect_error(h, TAU_STATUS_AUTH_FAILED);
    expect_nothing(h);
    assert_int_equal(h->session.wait, TAUD_WAIT_CLOSED);
}

static void reads_no_more_than_a_certificate_before_connect(void **state)
{
    struct harness *h = *state;
    assert_int_equal(taud_session_read_limit(&h->session, 0, 1000), 42);
    assert_int_equal(taud_session_read_limit(&h->session, 12, 1000), 30);
    uint8_t frame[16];
    put_frame(frame, TAU_OPCODE_CONNECT, 0, NULL, 0);
    tau_store_u32(frame + 6, 500); // the wrong length: refused, and skipped in pieces
    harness_feed(h, frame, TAU_HEADER_SIZE);
    expect_error(h, TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(taud_session_read_limit(&h->session, 0, 100), 100);
    uint8_t rest[500] = {0};
    harness_feed(h, rest, sizeof rest);
    harness_connect(h);
    assert_int_equal(taud_session_read_limit(&h->session, 0, 1000), 1000);
}

// --- batches and holds ---------------------------------------------------------------------------

static void gives_consecutive_appends_in_one_call(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    uint8_t *frames = malloc(600 * 58);
    size_t size = 0;
    for (int64_t t = 0; t < 600; t++)
        size += put_append(frames + size, t == 300 ? 5 : t);
    harness_feed(h, frames, size);
    assert_int_equal(probe.append_points, 600);
    assert_int_equal(probe.append_calls, 3);
    assert_int_equal(probe.largest_batch, TAUD_BATCH_MAX);
    for (int index = 0; index < 600; index++) {
        if (index == 300)
            expect_error(h, TAU_STATUS_OUT_OF_ORDER);
        else
            expect_ok(h);
    }
    expect_nothing(h);
    free(frames);
}

static void holds_replies_until_durable(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    h->durable = 0;
    uint8_t frame[128];
    harness_feed(h, frame, put_append(frame, 1));
    harness_feed(h, frame, put_query(frame, 2));
    expect_nothing(h);
    h->durable = 1;
    harness_send(h, SIZE_MAX);
    expect_ok(h);
    assert_int_equal(take_reply(h).payload.size, 9);
}

static void says_outcome_unknown_of_writes_alone(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    h->durable = 0;
    uint8_t frames[512];
    size_t size = put_query(frames, 2);
    size += put_append(frames + size, 1);
    size += put_append(frames + size, 1); // refused: that stays true
    size += put_query(frames + size, 3);
    size += put_frame(frames + size, TAU_OPCODE_PING, 0, NULL, 0);
    size += put_append(frames + size, 2);
    harness_feed(h, frames, size);
    expect_nothing(h);
    h->failed_at = 1;
    harness_send(h, SIZE_MAX);
    assert_int_equal(take_reply(h).payload.size, 9);
    expect_error(h, TAU_STATUS_OUTCOME_UNKNOWN);
    expect_error(h, TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(take_reply(h).payload.size, 1);
    expect_pong(h);
    expect_error(h, TAU_STATUS_OUTCOME_UNKNOWN);
    expect_nothing(h);
}

static void stops_before_a_write_when_the_log_is_full(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    h->full = true;
    uint8_t frames[256];
    size_t size = put_query(frames, 2);
    size += put_append(frames + size, 1);
    size += put_query(frames + size, 2);
    harness_feed(h, frames, size);
    assert_int_equal(h->session.wait, TAUD_WAIT_LOG);
    assert_int_equal(probe.queries, 1);
    h->full = false;
    harness_turn(h, SIZE_MAX);
    assert_int_equal(probe.append_points, 1);
    assert_int_equal(probe.queries, 2);
}

static void stops_when_the_output_is_full(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    uint8_t *frames = malloc(40000 * 50);
    size_t size = 0;
    for (int64_t t = 0; t < 40000; t++)
        size += put_query(frames + size, 2 * t);
    harness_receive(h, frames, size);
    for (int turn = 0; turn < 5; turn++)
        harness_turn(h, 0);
    assert_int_equal(h->session.wait, TAUD_WAIT_OUTPUT);
    assert_true(h->session.output.bytes < TAUD_OUTPUT_MAX_BYTES + TAUD_REPLY_BYTES);
    assert_true(probe.queries < 20000);
    harness_feed(h, NULL, 0);
    assert_int_equal(probe.queries, 40000);
    assert_int_equal(h->sent.size, 40000 * 19);
    free(frames);
}

static void encodes_a_reply_larger_than_the_buffer(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    uint8_t frames[64];
    size_t size = put_frame(frames, TAU_OPCODE_PING, 0, NULL, 0);
    size += put_frame(frames + size, TAU_OPCODE_LIST_LENSES, 0, NULL, 0);
    size += put_frame(frames + size, TAU_OPCODE_PING, 0, NULL, 0);
    harness_feed(h, frames, size);
    expect_pong(h);
    assert_int_equal(take_reply(h).payload.size, TAU_LIMIT_PAYLOAD_BYTES);
    expect_pong(h);
}

// --- streams and CANCEL --------------------------------------------------------------------------

static void feed_stream(struct harness *h, uint32_t count, uint32_t fails_at)
{
    uint8_t payload[8];
    tau_store_u32(payload, count);
    tau_store_u32(payload + 4, fails_at);
    uint8_t frame[32];
    harness_receive(h, frame, put_frame(frame, TAU_OPCODE_PROBE_STREAM, 0, payload, 8));
}

static void streams_in_frames(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_stream(h, 5, PROBE_NEVER);
    uint8_t frame[16];
    harness_feed(h, frame, put_frame(frame, TAU_OPCODE_PING, 0, NULL, 0));
    for (uint32_t number = 0; number < 5; number++) {
        struct reply reply = take_reply(h);
        assert_int_equal(reply.flags, number == 4 ? 0 : TAU_FLAG_MORE);
        assert_int_equal(tau_load_u32(reply.payload.data), number);
    }
    expect_pong(h);
    assert_int_equal(probe.streams_closed, 1);
}

static void ends_a_stream_that_fails(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_stream(h, 5, 2);
    feed_stream(h, 0, 0); // fails to open
    harness_feed(h, NULL, 0);
    assert_int_equal(take_reply(h).flags, TAU_FLAG_MORE);
    assert_int_equal(take_reply(h).flags, TAU_FLAG_MORE);
    expect_error(h, TAU_STATUS_LIMIT_EXCEEDED);
    expect_error(h, TAU_STATUS_LIMIT_EXCEEDED);
    expect_nothing(h);
    assert_int_equal(probe.streams_open, 1);
    assert_int_equal(probe.streams_closed, 1);
}

static void holds_a_stream_in_bounds(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.padding = 50000;
    feed_stream(h, 100, PROBE_NEVER);
    harness_turn(h, 0);
    assert_int_equal(h->session.wait, TAUD_WAIT_OUTPUT);
    assert_true(h->session.output.bytes < TAUD_OUTPUT_MAX_BYTES + 65536);
    assert_int_equal(probe.streams_closed, 0);
    harness_feed(h, NULL, 0);
    for (int number = 0; number < 100; number++)
        take_reply(h);
    expect_nothing(h);
}

static void cancels_streams_and_queued_reads(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.padding = 50000;
    feed_stream(h, 1000, PROBE_NEVER);
    feed_stream(h, 1000, PROBE_NEVER);
    harness_turn(h, 0);
    assert_int_equal(h->session.wait, TAUD_WAIT_OUTPUT);
    uint8_t frames[512];
    size_t size = put_append(frames, 1);
    size += put_query(frames + size, 2);
    size += put_frame(frames + size, TAU_OPCODE_CANCEL, 0, NULL, 0);
    size += put_query(frames + size, 4);
    harness_receive(h, frames, size);
    harness_turn(h, 0); // nothing can be sent, and still it acts
    assert_int_equal(probe.streams_closed, 1);
    harness_feed(h, NULL, 0);
    struct reply reply;
    do {
        reply = take_reply(h);
    } while (reply.opcode == TAU_OPCODE_OK);
    assert_int_equal(reply.payload.data[0], TAU_STATUS_CANCELLED);
    expect_error(h, TAU_STATUS_CANCELLED); // the second stream
    expect_ok(h);                          // the write finishes
    expect_error(h, TAU_STATUS_CANCELLED); // the query before it
    expect_ok(h);                          // CANCEL
    assert_int_equal(take_reply(h).payload.size, 9);
    expect_nothing(h);
    assert_int_equal(probe.streams_open, 1);
    assert_int_equal(probe.queries, 1);
}

static void waits_for_a_stream_that_has_nothing_yet(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.stream_waits = true;
    feed_stream(h, 2, PROBE_NEVER);
    uint8_t frame[16];
    harness_receive(h, frame, put_frame(frame, TAU_OPCODE_PING, 0, NULL, 0));
    for (int turn = 0; turn < 3; turn++) {
        harness_turn(h, SIZE_MAX);
        assert_int_equal(h->session.wait, TAUD_WAIT_STREAM);
        expect_nothing(h);
    }
    probe.stream_waits = false;
    harness_feed(h, NULL, 0);
    assert_int_equal(take_reply(h).flags, TAU_FLAG_MORE);
    probe.stream_waits = true; // too late: it has ended
    assert_int_equal(take_reply(h).flags, 0);
    expect_pong(h);
    expect_nothing(h);
    assert_int_equal(probe.streams_closed, 1);
}

// The time is asked for anew each time, and goes with what was waited for.
static void remembers_when_to_ask_a_stream_again(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.stream_waits = true;
    probe.again_ms = 1500;
    feed_stream(h, 3, PROBE_NEVER);
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.again_ms, 1500);
    probe.again_ms = 0;
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.again_ms, 0);
    probe.again_ms = 1700;
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.again_ms, 1700);
    uint8_t frame[16];
    harness_receive(h, frame, put_frame(frame, TAU_OPCODE_CANCEL, 0, NULL, 0));
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.again_ms, 0);
    expect_error(h, TAU_STATUS_CANCELLED);
    expect_ok(h);
    feed_stream(h, 1, PROBE_NEVER);
    probe.stream_waits = false;
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.again_ms, 0);
    assert_int_equal(take_reply(h).flags, 0);
}

static void cancels_a_stream_that_waits(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.stream_waits = true;
    feed_stream(h, 2, PROBE_NEVER);
    harness_turn(h, SIZE_MAX);
    assert_int_equal(h->session.wait, TAUD_WAIT_STREAM);
    uint8_t frame[16];
    harness_receive(h, frame, put_frame(frame, TAU_OPCODE_CANCEL, 0, NULL, 0));
    harness_turn(h, SIZE_MAX);
    expect_error(h, TAU_STATUS_CANCELLED);
    expect_ok(h);
    expect_nothing(h);
    assert_int_equal(probe.streams_closed, 1);
}

static void closes_a_stream_with_its_session(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    probe.padding = 50000;
    feed_stream(h, 1000, PROBE_NEVER);
    harness_turn(h, 100);
    assert_int_equal(probe.streams_open, 1); // the teardown sees that it is closed once
}

// --- negotiation ---------------------------------------------------------------------------------

static void negotiate(struct harness *h, uint64_t features, uint8_t opcode, uint64_t fingerprint)
{
    struct tau_operation_fingerprint operation = {.opcode = opcode, .fingerprint = fingerprint};
    struct tau_negotiate_request request = {
        .features = features,
        .client_name = {.data = (const uint8_t *)"test", .size = 4},
        .operation_count = 1,
        .operations = {.data = &operation, .count = 1}};
    uint8_t payload[128];
    struct tau_writer out = tau_writer_over(payload, sizeof payload);
    assert_true(tau_negotiate_request_encode(&request, &out));
    harness_frame(h, TAU_OPCODE_NEGOTIATE, payload, out.size);
}

static void negotiates(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    negotiate(h, UINT64_MAX, TAU_OPCODE_QUERY_POINT, 1);
    struct reply reply = take_reply(h);
    struct tau_negotiate_response says;
    assert_int_equal(reply.opcode, TAU_OPCODE_OK);
    assert_int_equal(tau_negotiate_response_decode(reply.payload, &says, NULL), 0);
    assert_int_equal(says.features, TAU_FEATURE_DETAILED_ERRORS);
    assert_int_equal(says.specification, TAU_SPECIFICATION_FINGERPRINT);
    assert_int_equal(says.operations.count, taud_operation_count);
    uint8_t frame[64];
    harness_feed(h, frame, put_query(frame, 2));
    reply = take_reply(h);
    static const char words[] =
        "client and server were compiled with different layouts of QUERY_POINT";
    assert_int_equal(reply.payload.data[0], TAU_STATUS_LAYOUT_MISMATCH);
    assert_int_equal(reply.payload.size, 9 + sizeof words - 1);
    assert_memory_equal(reply.payload.data + 9, words, sizeof words - 1);
    harness_feed(h, frame, put_append(frame, 2));
    expect_ok(h);
    negotiate(h, 0, TAU_OPCODE_APPEND, taud_operation_find(TAU_OPCODE_APPEND)->fingerprint);
    take_reply(h);
    harness_feed(h, frame, put_query(frame, 2));
    assert_int_equal(take_reply(h).payload.size, 9);
    harness_frame(h, TAU_OPCODE_APPEND, "x", 1);
    assert_int_equal(take_reply(h).payload.size, 1);
}

// --- input cut anywhere --------------------------------------------------------------------------

// A script that meets every kind of frame. Returns its size.
static size_t put_script(uint8_t *to)
{
    size_t size = put_frame(to, TAU_OPCODE_CONNECT, 0, "short", 5);
    size += put_frame(to + size, TAU_OPCODE_CONNECT, 0, HARNESS_CERTIFICATE.bytes, 32);
    size += put_append(to + size, 1);
    size += put_append(to + size, 2);
    size += put_append(to + size, 2);
    size += put_query(to + size, 2);
    size += put_query(to + size, 3);
    size += put_frame(to + size, TAU_OPCODE_PING, 0, "ignored", 7);
    size += put_frame(to + size, TAU_OPCODE_PING, 9, "refused", 7);
    size += put_frame(to + size, TAU_OPCODE_ERR, 0, "no request", 10);
    size += put_frame(to + size, TAU_OPCODE_APPEND, 0, "wrong length", 12);
    uint8_t stream[8] = {0, 0, 0, 3, 0, 0, 0, 9};
    size += put_frame(to + size, TAU_OPCODE_PROBE_STREAM, 0, stream, sizeof stream);
    uint8_t later[9] = {0, 0, 0, 0, 'w', 'o', 'r', 'd', 's'};
    size += put_frame(to + size, TAU_OPCODE_PROBE_LATER, 0, later, sizeof later);
    size += put_frame(to + size, TAU_OPCODE_CANCEL, 0, NULL, 0);
    size += put_append(to + size, 7);
    size += put_frame(to + size, TAU_OPCODE_DISCONNECT, 0, NULL, 0);
    size += put_append(to + size, 8);
    return size;
}

static void means_the_same_however_it_is_cut(void **state)
{
    uint8_t script[2048];
    size_t size = put_script(script);
    uint8_t expected[4096];
    size_t expected_size = 0;
    for (size_t piece = size; piece > 0; piece--) {
        struct harness *h = *state;
        for (size_t at = 0; at < size; at += piece)
            harness_feed(h, script + at, at + piece < size ? piece : size - at);
        if (piece == size) {
            expected_size = h->sent.size;
            memcpy(expected, h->sent.data, expected_size);
        }
        assert_int_equal(h->sent.size, expected_size);
        assert_memory_equal(h->sent.data, expected, expected_size);
        assert_int_equal(h->session.wait, TAUD_WAIT_CLOSED);
        assert_int_equal(probe.last_timestamp, 7);
        harness_teardown(state);
        harness_setup(state);
    }
    assert_true(expected_size > 200);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(refuses_before_connect),
        CASE(checks_in_their_order),
        CASE(waits_with_the_answer_to_a_wrong_certificate),
        CASE(closes_on_a_wrong_certificate_after_a_right_one),
        CASE(reads_no_more_than_a_certificate_before_connect),
        CASE(gives_consecutive_appends_in_one_call),
        CASE(holds_replies_until_durable),
        CASE(says_outcome_unknown_of_writes_alone),
        CASE(stops_before_a_write_when_the_log_is_full),
        CASE(stops_when_the_output_is_full),
        CASE(encodes_a_reply_larger_than_the_buffer),
        CASE(streams_in_frames),
        CASE(ends_a_stream_that_fails),
        CASE(holds_a_stream_in_bounds),
        CASE(cancels_streams_and_queued_reads),
        CASE(waits_for_a_stream_that_has_nothing_yet),
        CASE(remembers_when_to_ask_a_stream_again),
        CASE(cancels_a_stream_that_waits),
        CASE(closes_a_stream_with_its_session),
        CASE(negotiates),
        CASE(means_the_same_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
