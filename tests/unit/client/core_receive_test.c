/* SPDX-License-Identifier: MIT */
/*
 * What a server may send and what it may not: every split of a conversation, pushes, every breach
 * of the protocol, and noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "tau_codec.h"

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    memset(&rig_memory, 0, sizeof(rig_memory));
    rig_begin(rig, NULL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_end(*state);
    free(*state);
    assert_int_equal(rig_memory.live_blocks, 0);
    return 0;
}

/* --- splits ---------------------------------------------------------------------------------- */

/* All that a server sends in a session with one request of each kind. */
static void write_conversation(struct bytes *reply)
{
    const uint8_t not_found[] = {0};
    put_ok(reply);
    put_negotiation(reply);
    put_ok(reply);
    put_value(reply, -0.0);
    put_frame(reply, 0xE3, 7, "push", 4);
    put_batch(reply, 3, 0, true);
    put_frame(reply, 0xEF, 0, NULL, 0);
    put_batch(reply, 2, 3, false);
    put_frame(reply, TAU_OPCODE_OK, 0, not_found, 1);
    put_detailed_error(reply, TAU_STATUS_OUT_OF_ORDER, "not later than the last one");
    put_frame(reply, TAU_OPCODE_PONG, 0, NULL, 0);
}

static void make_requests(struct rig *rig)
{
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_range(rig, 3), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_latest(rig, 4), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 5), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_ping(rig, 6), TAU_STATUS_SUCCESS);
}

static void check_conversation(const struct rig *rig)
{
    const enum tau_status statuses[] = {TAU_STATUS_SUCCESS,      TAU_STATUS_SUCCESS,
                                        TAU_STATUS_SUCCESS,      TAU_STATUS_SUCCESS,
                                        TAU_STATUS_OUT_OF_ORDER, TAU_STATUS_SUCCESS};
    assert_int_equal(rig->count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(rig->log[i].tag, i + 1);
        assert_int_equal(rig->log[i].status, statuses[i]);
    }
    assert_true(rig->log[1].has_value);
    assert_true(1 / rig->log[1].value < 0);
    assert_false(rig->log[3].has_value);
    assert_int_equal(rig->batch_points, 5);
}

/* The first two frames are the handshake; requests are sent behind them. */
static size_t handshake_size(const struct bytes *reply)
{
    struct tau_header header;
    assert_int_equal(tau_header_decode(reply->data + TAU_HEADER_SIZE, &header, NULL),
                     TAU_STATUS_SUCCESS);
    return 2 * TAU_HEADER_SIZE + header.payload_length;
}

static void run_split(struct rig *rig, const struct bytes *reply, size_t split, size_t piece)
{
    size_t handshake = handshake_size(reply);
    size_t first = split < handshake ? split : handshake;
    rig_open(rig);
    rig_flush(rig);
    rig_feed(rig, reply->data, first, piece);
    rig_feed(rig, reply->data + first, handshake - first, piece);
    make_requests(rig);
    rig_flush(rig);
    size_t second = split > handshake ? split : handshake;
    rig_feed(rig, reply->data + handshake, second - handshake, piece);
    rig_feed(rig, reply->data + second, reply->size - second, piece);
    check_conversation(rig);
}

static void every_split_gives_the_same(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    write_conversation(&reply);
    for (size_t split = 0; split <= reply.size; split++) {
        rig_end(rig);
        assert_true(rig_begin(rig, NULL));
        run_split(rig, &reply, split, 0);
    }
    bytes_free(&reply);
}

static void single_bytes_give_the_same(void **state)
{
    struct bytes reply = {0};
    write_conversation(&reply);
    run_split(*state, &reply, 0, 1);
    bytes_free(&reply);
}

/* --- size ------------------------------------------------------------------------------------ */

static void list_done(void *user_data, enum tau_status status,
                      const struct tau_list_lenses_response *response,
                      const struct tau_error *error)
{
    (void)error;
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    *(size_t *)user_data = response->labels.count;
}

static void a_long_response_grows_the_buffer_and_gives_it_back(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    const size_t size = (size_t)TAU_LIMIT_LENSES * 32;
    uint8_t *labels = calloc(1, size);
    size_t count = 0;
    rig_ready(rig);
    assert_int_equal(tau_async_list_lenses(rig->async, list_done, &count), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_frame(&reply, TAU_OPCODE_OK, 0, labels, size);
    rig_feed(rig, reply.data, reply.size, 60000);
    assert_int_equal(count, TAU_LIMIT_LENSES);
    size_t capacity;
    assert_non_null(tau_core_room(rig->core, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE);
    bytes_free(&reply);
    free(labels);
}

static void a_promise_of_bytes_allocates_nothing(void **state)
{
    struct rig *rig = *state;
    const uint8_t header[] = {'T', 'A', 'U', 1, 0xE0, 0, 0, 0x40, 0, 0};
    const uint8_t nothing[4096] = {0};
    rig_ready(rig);
    size_t before = rig_memory.live_bytes;
    rig_feed(rig, header, sizeof(header), 0);
    for (unsigned i = 0; i < 1024; i++)
        rig_feed(rig, nothing, sizeof(nothing), 0);
    assert_true(rig_memory.peak_bytes <= before + TAU_INPUT_BASE_SIZE);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    assert_int_equal(rig->core->skip, 0);
}

/* --- breaches -------------------------------------------------------------------------------- */

/* Sends an APPEND (1), a QUERY_POINT (2) and a PING (3), and lets the server answer. */
static void breach(struct rig *rig, const void *data, size_t size)
{
    rig_ready(rig);
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    assert_int_equal(rig_append(rig, 3), TAU_STATUS_SUCCESS); /* not sent */
    rig_feed(rig, data, size, 0);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    assert_int_equal(rig->count, 3);
    assert_int_equal(rig->log[0].status, TAU_STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(rig->log[1].status, TAU_STATUS_PROTOCOL_ERROR);
    assert_int_equal(rig->log[2].status, TAU_STATUS_PROTOCOL_ERROR);
    assert_int_equal(rig->core->loss.status, TAU_STATUS_PROTOCOL_ERROR);
}

struct bad_header {
    const char *what;
    uint8_t bytes[10];
};

static const struct bad_header bad_headers[] = {
    {"magic", {'T', 'A', 'V', 1, 0xF0, 0, 0, 0, 0, 0}},
    {"version", {'T', 'A', 'U', 2, 0xF0, 0, 0, 0, 0, 0}},
    {"a request's opcode", {'T', 'A', 'U', 1, 0x20, 0, 0, 0, 0, 0}},
    {"an opcode of nothing", {'T', 'A', 'U', 1, 0xF7, 0, 0, 0, 0, 0}},
    {"PONG for APPEND", {'T', 'A', 'U', 1, 0x04, 0, 0, 0, 0, 0}},
    {"MORE on a unary reply", {'T', 'A', 'U', 1, 0xF0, 1, 0, 0, 0, 0}},
    {"an unknown flag", {'T', 'A', 'U', 1, 0xF0, 2, 0, 0, 0, 0}},
    {"a payload where there is none", {'T', 'A', 'U', 1, 0xF0, 0, 0, 0, 0, 1}},
    {"over the limit", {'T', 'A', 'U', 1, 0xF0, 0, 0, 0x40, 0, 1}},
    {"a push over the limit", {'T', 'A', 'U', 1, 0xE0, 0, 0xFF, 0xFF, 0xFF, 0xFF}},
    {"an empty error", {'T', 'A', 'U', 1, 0xFF, 0, 0, 0, 0, 0}},
    {"MORE on an error", {'T', 'A', 'U', 1, 0xFF, 1, 0, 0, 0, 1}},
    {"too long an error", {'T', 'A', 'U', 1, 0xFF, 0, 0, 0, 2, 0x0A}},
};

static void bad_headers_end_the_connection(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof(bad_headers) / sizeof(bad_headers[0]); i++) {
        rig_end(rig);
        assert_true(rig_begin(rig, NULL));
        breach(rig, bad_headers[i].bytes, sizeof(bad_headers[i].bytes));
    }
}

static void bad_errors_end_the_connection(void **state)
{
    struct rig *rig = *state;
    const uint8_t success[] = {'T', 'A', 'U', 1, 0xFF, 0, 0, 0, 0, 1, 0};
    const uint8_t cut[] = {'T', 'A', 'U', 1, 0xFF, 0, 0, 0, 0, 3, 7, 0, 0};
    breach(rig, success, sizeof(success));
    rig_end(rig);
    assert_true(rig_begin(rig, NULL));
    breach(rig, cut, sizeof(cut));
}

static void an_answer_to_nothing_ends_the_connection(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    assert_int_equal(rig->core->loss.status, TAU_STATUS_PROTOCOL_ERROR);
    bytes_free(&reply);
}

static void an_answer_before_the_request_ends_the_connection(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 1);
    assert_int_equal(rig->log[0].status, TAU_STATUS_PROTOCOL_ERROR);
    bytes_free(&reply);
}

// The answer to a request of which only so many bytes were sent.
static enum tau_status answer_after(struct rig *rig, size_t sent, uint8_t opcode)
{
    struct bytes bytes = {0};
    rig_ready(rig);
    assert_int_equal(opcode == TAU_OPCODE_PONG ? rig_ping(rig, 1) : rig_append(rig, 1),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    tau_core_sent(rig->core, sent);
    if (opcode == TAU_OPCODE_ERR)
        put_error(&bytes, TAU_STATUS_PAYLOAD_TOO_LARGE);
    else
        put_frame(&bytes, opcode, 0, NULL, 0);
    rig_feed_bytes(rig, &bytes);
    bytes_free(&bytes);
    assert_true(rig->count > 0 && rig->log[0].tag == 1);
    return rig->log[0].status;
}

static void a_request_may_be_refused_by_its_header(void **state)
{
    (void)state;
    const struct {
        size_t sent;
        uint8_t opcode;
        enum tau_status status;
    } cases[] = {
        {TAU_HEADER_SIZE, TAU_OPCODE_ERR, TAU_STATUS_PAYLOAD_TOO_LARGE},
        {TAU_HEADER_SIZE + 20, TAU_OPCODE_ERR, TAU_STATUS_PAYLOAD_TOO_LARGE},
        {TAU_HEADER_SIZE, TAU_OPCODE_PONG, TAU_STATUS_SUCCESS},
        {TAU_HEADER_SIZE - 1, TAU_OPCODE_ERR, TAU_STATUS_OUTCOME_UNKNOWN},
        {TAU_HEADER_SIZE + 20, TAU_OPCODE_OK, TAU_STATUS_OUTCOME_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        assert_true(rig_begin(&rig, NULL));
        enum tau_status status = answer_after(&rig, cases[i].sent, cases[i].opcode);
        if (cases[i].status == TAU_STATUS_OUTCOME_UNKNOWN)
            assert_true(status != TAU_STATUS_SUCCESS && status != TAU_STATUS_PAYLOAD_TOO_LARGE);
        else
            assert_int_equal(status, cases[i].status);
        rig_flush(&rig); // what follows is sent as if nothing had been
        rig_end(&rig);
    }
}

static void an_unasked_error_tells_why_the_server_leaves(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    put_error(&reply, TAU_STATUS_TOO_MANY_CONNECTIONS);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->core->loss.status, TAU_STATUS_TOO_MANY_CONNECTIONS);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    bytes_free(&reply);
}

static void an_unknown_status_fails_its_request_only(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_error(&reply, (enum tau_status)0x7E);
    put_value(&reply, 1);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->log[0].status, 0x7E);
    assert_int_equal(rig->log[1].status, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

/* --- noise ----------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/* A conversation with some bytes changed, cut or doubled. */
static void mutate(struct bytes *bytes)
{
    for (uint32_t changes = next_random() % 4; changes > 0; changes--)
        bytes->data[next_random() % bytes->size] = (uint8_t)next_random();
    if (next_random() % 4 == 0)
        bytes->size -= next_random() % bytes->size;
}

static void noise_completes_each_request_once(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        random_state = seed * 0x9E3779B97F4A7C15u;
        rig_end(rig);
        assert_true(rig_begin(rig, NULL));
        reply.size = 0;
        write_conversation(&reply);
        size_t handshake = handshake_size(&reply);
        rig_ready(rig);
        make_requests(rig);
        rig_flush(rig);
        memmove(reply.data, reply.data + handshake, reply.size - handshake);
        reply.size -= handshake;
        mutate(&reply);
        rig_feed(rig, reply.data, reply.size, next_random() % 64);
        tau_core_close(rig->core);
        if (rig->count != 6)
            fail_msg("seed %llu: %zu completions", (unsigned long long)seed, rig->count);
        if (rig_memory.live_bytes > 1024 * 1024)
            fail_msg("seed %llu: %zu bytes", (unsigned long long)seed, rig_memory.live_bytes);
    }
    bytes_free(&reply);
}

static struct rig *closing;

static bool close_in_batch(void *user_data, const struct tau_query_range_response *batch)
{
    ++*(unsigned *)user_data;
    assert_int_equal(batch->count, 10);
    tau_core_close(closing->core);
    return true;
}

static void note_end(void *user_data, enum tau_status status, const struct tau_error *error)
{
    ++*(unsigned *)user_data;
    (void)error;
    assert_int_equal(status, TAU_STATUS_CONNECTION_LOST);
}

/* The stream has ended when its batch returns: neither that batch nor the next counts any more. */
static void a_stream_may_be_closed_in_its_batch(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    struct tau_query_range_request request = {.to = 100};
    unsigned calls = 0;
    closing = rig;
    for (int more = 0; more < 2; more++) {
        rig_end(rig);
        assert_true(rig_begin(rig, NULL));
        rig_ready(rig);
        assert_int_equal(
            tau_async_query_range(rig->async, &request, close_in_batch, note_end, &calls),
            TAU_STATUS_SUCCESS);
        rig_flush(rig);
        reply.size = 0;
        calls = 0;
        put_batch(&reply, 10, 0, more != 0);
        put_batch(&reply, 10, 10, false);
        rig_feed_bytes(rig, &reply);
        assert_int_equal(calls, 2);
        assert_int_equal(tau_async_link(rig->async), TAU_LINK_CLOSED);
    }
    bytes_free(&reply);
}

/* However little the socket takes at a time, the hello goes first, and each byte once. */
static void the_hello_is_sent_in_pieces(void **state)
{
    struct rig *rig = *state;
    struct bytes sent = {0};
    struct tau_slice slice;
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    rig_open(rig);
    while (tau_core_has_output(rig->core)) {
        assert_int_equal(tau_core_output(rig->core, &slice, 1), 1);
        bytes_add(&sent, slice.data, slice.size < 7 ? slice.size : 7);
        tau_core_sent(rig->core, slice.size < 7 ? slice.size : 7);
    }
    assert_int_equal(sent.size, rig->core->hello_size);
    assert_memory_equal(sent.data, rig->core->hello, sent.size);
    assert_int_equal(rig->core->output.sent, 0);
    bytes_free(&sent);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_split_gives_the_same),
        CASE(single_bytes_give_the_same),
        CASE(a_long_response_grows_the_buffer_and_gives_it_back),
        CASE(a_promise_of_bytes_allocates_nothing),
        CASE(bad_headers_end_the_connection),
        CASE(bad_errors_end_the_connection),
        CASE(an_answer_to_nothing_ends_the_connection),
        CASE(an_answer_before_the_request_ends_the_connection),
        CASE(a_request_may_be_refused_by_its_header),
        CASE(an_unasked_error_tells_why_the_server_leaves),
        CASE(an_unknown_status_fails_its_request_only),
        CASE(a_stream_may_be_closed_in_its_batch),
        CASE(the_hello_is_sent_in_pieces),
        CASE(noise_completes_each_request_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
