/* SPDX-License-Identifier: MIT */
/*
 * Raw requests, asynchronous on the workbench and blocking over a pair of sockets: what goes out,
 * how frames, errors, timeouts and ends of streams reach the caller, and what is refused unsent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_parts.h"
#include "rig.h"
#include "tau_codec.h"

/* An operation that this library does not know; the server lists it. */
#define STRANGE 0x7A

static const struct tau_raw_operation strange = {
    .name = "STRANGE", .opcode = STRANGE, .reply = TAU_OPCODE_OK};
static const struct tau_raw_operation strange_stream = {
    .name = "STRANGE", .opcode = STRANGE, .reply = TAU_OPCODE_OK, .stream = true};
static const struct tau_raw_operation strange_write = {
    .name = "STRANGE", .opcode = STRANGE, .reply = TAU_OPCODE_OK, .write = true};

static const struct tau_slice words = {.data = (const uint8_t *)"words", .size = 5};

/* What a request has brought. */
struct outcome {
    char text[256]; /* the payloads, each with a bar behind it */
    size_t stop_after;
    size_t frames;
    unsigned ended;
    enum tau_status status;
    struct tau_error error;
};

static bool on_frame(void *user_data, struct tau_slice payload)
{
    struct outcome *outcome = user_data;
    assert_int_equal(outcome->ended, 0);
    strncat(outcome->text, (const char *)payload.data, payload.size);
    strcat(outcome->text, "|");
    outcome->frames++;
    return outcome->frames != outcome->stop_after;
}

static void on_done(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct outcome *outcome = user_data;
    outcome->ended++;
    outcome->status = status;
    assert_int_equal(error == NULL, status == TAU_STATUS_SUCCESS);
    if (error != NULL)
        outcome->error = *error;
}

struct bench {
    struct rig rig;
    struct tau_client client;
    int peer; /* -1: driven by hand */
    struct bytes reply;
    struct outcome outcome;
};

/* A session with a server that lists the strange operation, and another layout of QUERY_POINT. */
static void make_ready(struct rig *rig)
{
    uint8_t data[256];
    struct bytes reply = {0};
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    const struct tau_operation_fingerprint operations[] = {{STRANGE, 1},
                                                           {TAU_OPCODE_QUERY_POINT, 2}};
    struct tau_negotiate_response response = {.operation_count = 2,
                                              .operations = {.data = operations, .count = 2}};
    assert_true(tau_negotiate_response_encode(&response, &out));
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_frame(&reply, TAU_OPCODE_OK, 0, data, out.size);
    rig_feed_bytes(rig, &reply);
    bytes_free(&reply);
    rig->out.size = 0;
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    memset(&rig_memory, 0, sizeof(rig_memory));
    if (bench == NULL || !rig_begin(&bench->rig, NULL))
        return -1;
    make_ready(&bench->rig);
    bench->client.async = bench->rig.async;
    bench->peer = -1;
    *state = bench;
    return 0;
}

static int setup_blocking(void **state)
{
    if (setup(state) != 0)
        return -1;
    struct bench *bench = *state;
    bench->peer = rig_plug(&bench->rig);
    bench->rig.async->single_receive = true;
    bench->rig.async->received_at_ns = tau_clock_now_ns(); /* not silent for long */
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    rig_end(&bench->rig);
    bytes_free(&bench->reply);
    if (bench->peer >= 0)
        close(bench->peer);
    free(bench);
    assert_int_equal(rig_memory.live_blocks, 0);
    return 0;
}

/* --- asynchronous ---------------------------------------------------------------------------- */

static enum tau_status ask(struct bench *bench, const struct tau_raw_operation *operation)
{
    enum tau_status status =
        tau_async_raw(bench->rig.async, operation, words, on_frame, on_done, &bench->outcome);
    tau_core_start_deadlines(bench->rig.core, bench->rig.now_ns);
    return status;
}

static void send_out(struct bench *bench, const struct tau_raw_operation *operation)
{
    assert_int_equal(ask(bench, operation), TAU_STATUS_SUCCESS);
    rig_flush(&bench->rig);
}

static void answer(struct bench *bench, uint8_t opcode, uint8_t flags, const char *text)
{
    bench->reply.size = 0;
    put_frame(&bench->reply, opcode, flags, text, strlen(text));
    rig_feed_bytes(&bench->rig, &bench->reply);
}

static void expect_end(const struct bench *bench, enum tau_status status, const char *text)
{
    assert_int_equal(bench->outcome.ended, 1);
    assert_int_equal(bench->outcome.status, status);
    assert_string_equal(bench->outcome.text, text);
}

static void the_payload_goes_out_as_it_is(void **state)
{
    static const uint8_t expected[] = {'T', 'A', 'U', 1,   STRANGE, 0,   0,  0,
                                       0,   5,   'w', 'o', 'r',     'd', 's'};
    struct bench *bench = *state;
    send_out(bench, &strange);
    assert_int_equal(bench->rig.out.size, sizeof(expected));
    assert_memory_equal(bench->rig.out.data, expected, sizeof(expected));
    answer(bench, TAU_OPCODE_OK, 0, "an answer");
    expect_end(bench, TAU_STATUS_SUCCESS, "an answer|");
}

static void another_reply_than_ok_is_taken_when_it_is_described(void **state)
{
    struct bench *bench = *state;
    const struct tau_raw_operation ping = {.opcode = TAU_OPCODE_PING, .reply = TAU_OPCODE_PONG};
    send_out(bench, &ping);
    answer(bench, TAU_OPCODE_PONG, 0, "");
    expect_end(bench, TAU_STATUS_SUCCESS, "|");
    bench->outcome = (struct outcome){.ended = 0};
    send_out(bench, &strange);
    answer(bench, TAU_OPCODE_PONG, 0, "");
    assert_int_equal(bench->outcome.status, TAU_STATUS_PROTOCOL_ERROR);
}

static void a_stream_hands_over_each_frame(void **state)
{
    struct bench *bench = *state;
    send_out(bench, &strange_stream);
    answer(bench, TAU_OPCODE_OK, TAU_FLAG_MORE, "one");
    answer(bench, TAU_OPCODE_OK, TAU_FLAG_MORE, "two");
    assert_int_equal(bench->outcome.ended, 0);
    answer(bench, TAU_OPCODE_OK, 0, "");
    expect_end(bench, TAU_STATUS_SUCCESS, "one|two||");
}

static void more_frames_of_a_unary_operation_break_the_protocol(void **state)
{
    struct bench *bench = *state;
    send_out(bench, &strange);
    answer(bench, TAU_OPCODE_OK, TAU_FLAG_MORE, "one");
    expect_end(bench, TAU_STATUS_PROTOCOL_ERROR, "");
}

static void a_stream_that_is_stopped_ends_as_cancelled(void **state)
{
    struct bench *bench = *state;
    bench->outcome.stop_after = 1;
    send_out(bench, &strange_stream);
    answer(bench, TAU_OPCODE_OK, TAU_FLAG_MORE, "one");
    answer(bench, TAU_OPCODE_OK, TAU_FLAG_MORE, "two");
    answer(bench, TAU_OPCODE_OK, 0, "three");
    expect_end(bench, TAU_STATUS_CANCELLED, "one|");
    assert_string_equal(bench->outcome.error.message, "STRANGE was stopped by the caller");
}

static void an_error_comes_with_its_words(void **state)
{
    struct bench *bench = *state;
    send_out(bench, &strange);
    bench->reply.size = 0;
    put_error(&bench->reply, TAU_STATUS_SERIES_NOT_FOUND);
    rig_feed_bytes(&bench->rig, &bench->reply);
    expect_end(bench, TAU_STATUS_SERIES_NOT_FOUND, "");
    assert_true(bench->outcome.error.message[0] != '\0');
}

static void a_timeout_is_told_by_name_and_the_late_reply_is_dropped(void **state)
{
    struct bench *bench = *state;
    send_out(bench, &strange);
    rig_advance(&bench->rig, 1001);
    expect_end(bench, TAU_STATUS_TIMEOUT, "");
    assert_string_equal(bench->outcome.error.message,
                        "STRANGE was not answered before its deadline");
    answer(bench, TAU_OPCODE_OK, 0, "late");
    expect_end(bench, TAU_STATUS_TIMEOUT, "");
    assert_int_equal(tau_async_link(bench->rig.async), TAU_LINK_READY);
}

static void an_operation_without_a_name_has_that_of_its_opcode(void **state)
{
    struct bench *bench = *state;
    const struct tau_raw_operation ping = {.opcode = TAU_OPCODE_PING, .reply = TAU_OPCODE_PONG};
    send_out(bench, &ping);
    rig_advance(&bench->rig, 1001);
    assert_string_equal(bench->outcome.error.message, "PING was not answered before its deadline");
}

static void a_write_without_an_answer_is_unknown(void **state)
{
    struct bench *bench = *state;
    send_out(bench, &strange_write);
    rig_lose(&bench->rig);
    expect_end(bench, TAU_STATUS_OUTCOME_UNKNOWN, "");
    assert_non_null(strstr(bench->outcome.error.message, "STRANGE was sent and not answered"));
}

static void only_what_the_server_lists_is_sent(void **state)
{
    struct bench *bench = *state;
    struct tau_raw_operation other = strange;
    other.opcode = STRANGE + 1;
    assert_int_equal(ask(bench, &other), TAU_STATUS_NOT_SUPPORTED);
    other.opcode = TAU_OPCODE_QUERY_RANGE; /* known, but not of the first day */
    assert_int_equal(ask(bench, &other), TAU_STATUS_NOT_SUPPORTED);
    other.opcode = TAU_OPCODE_APPEND;
    assert_int_equal(ask(bench, &other), TAU_STATUS_SUCCESS);
    assert_int_equal(bench->outcome.ended, 0);
}

static void a_layout_that_differs_is_no_matter(void **state)
{
    struct bench *bench = *state;
    const struct tau_raw_operation other = {.opcode = TAU_OPCODE_QUERY_POINT,
                                            .reply = TAU_OPCODE_OK};
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_LAYOUT_MISMATCH);
    send_out(bench, &other);
    answer(bench, TAU_OPCODE_OK, 0, "another layout");
    expect_end(bench, TAU_STATUS_SUCCESS, "another layout|");
}

static void what_was_made_too_early_is_judged_when_the_offer_is_known(void **state)
{
    struct bench *bench = *state;
    struct outcome unknown = {.ended = 0};
    struct tau_raw_operation other = strange;
    other.opcode = STRANGE + 1;
    other.name = "OTHER";
    rig_end(&bench->rig);
    assert_true(rig_begin(&bench->rig, NULL));
    assert_int_equal(tau_async_raw(bench->rig.async, &other, words, on_frame, on_done, &unknown),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(ask(bench, &strange), TAU_STATUS_SUCCESS);
    make_ready(&bench->rig);
    assert_int_equal(unknown.ended, 1);
    assert_int_equal(unknown.status, TAU_STATUS_NOT_SUPPORTED);
    assert_string_equal(unknown.error.message, "the server does not offer OTHER");
    rig_flush(&bench->rig);
    assert_int_equal(bench->rig.out.size, TAU_HEADER_SIZE + words.size);
    assert_int_equal(bench->rig.out.data[4], STRANGE);
    answer(bench, TAU_OPCODE_OK, 0, "yes");
    expect_end(bench, TAU_STATUS_SUCCESS, "yes|");
}

static void opcodes_of_session_and_replies_are_refused(void **state)
{
    static const uint8_t no_requests[] = {0,
                                          TAU_OPCODE_CONNECT,
                                          TAU_OPCODE_DISCONNECT,
                                          TAU_OPCODE_PONG,
                                          TAU_OPCODE_NEGOTIATE,
                                          TAU_OPCODE_CANCEL,
                                          0xE0,
                                          0xEF,
                                          TAU_OPCODE_OK,
                                          TAU_OPCODE_ERR};
    static const uint8_t no_replies[] = {0, TAU_OPCODE_PING, STRANGE, 0xE0, 0xEF, TAU_OPCODE_ERR};
    struct bench *bench = *state;
    struct tau_raw_operation other = strange;
    for (size_t i = 0; i < sizeof(no_requests); i++) {
        other.opcode = no_requests[i];
        assert_int_equal(ask(bench, &other), TAU_STATUS_INVALID_ARGUMENT);
    }
    other = strange;
    for (size_t i = 0; i < sizeof(no_replies); i++) {
        other.reply = no_replies[i];
        assert_int_equal(ask(bench, &other), TAU_STATUS_INVALID_ARGUMENT);
    }
    assert_int_equal(tau_async_outstanding(bench->rig.async), 0);
}

static void a_payload_beyond_the_limit_is_refused(void **state)
{
    struct bench *bench = *state;
    uint8_t *data = calloc(1, TAU_LIMIT_PAYLOAD_BYTES + 1);
    struct tau_slice payload = {.data = data, .size = TAU_LIMIT_PAYLOAD_BYTES + 1};
    assert_int_equal(
        tau_async_raw(bench->rig.async, &strange, payload, on_frame, on_done, &bench->outcome),
        TAU_STATUS_INVALID_ARGUMENT);
    payload.size--;
    assert_int_equal(
        tau_async_raw(bench->rig.async, &strange, payload, on_frame, on_done, &bench->outcome),
        TAU_STATUS_SUCCESS);
    free(data);
}

static void a_description_is_kept_once_whatever_its_name(void **state)
{
    struct bench *bench = *state;
    char name[100];
    struct tau_raw_operation named = strange;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    send_out(bench, &strange);
    answer(bench, TAU_OPCODE_OK, 0, "");
    size_t blocks = rig_memory.live_blocks;
    named.name = name;
    for (unsigned i = 0; i < 10; i++) {
        bench->outcome = (struct outcome){.ended = 0};
        send_out(bench, &named);
        rig_advance(&bench->rig, 1001);
        assert_int_equal(strspn(bench->outcome.error.message, "n"), 64);
        answer(bench, TAU_OPCODE_OK, 0, "");
    }
    named.name = NULL;
    bench->outcome = (struct outcome){.ended = 0};
    send_out(bench, &named);
    rig_advance(&bench->rig, 1001);
    assert_null(strstr(bench->outcome.error.message, "nnn"));
    assert_int_equal(rig_memory.live_blocks, blocks);
}

static void without_memory_nothing_is_sent(void **state)
{
    struct bench *bench = *state;
    fake_memory_exhaust(&rig_memory);
    assert_int_equal(ask(bench, &strange), TAU_STATUS_NO_MEMORY);
    rig_flush(&bench->rig);
    assert_int_equal(bench->rig.out.size, 0);
}

/* --- blocking -------------------------------------------------------------------------------- */

static enum tau_status call(struct bench *bench, const struct tau_raw_operation *operation)
{
    bench->outcome.status = tau_client_raw(&bench->client, operation, words, on_frame,
                                           &bench->outcome, &bench->outcome.error);
    return bench->outcome.status;
}

/* What the next request gets; a blocking call reads it once it has sent. */
static void put(struct bench *bench, uint8_t flags, const char *text)
{
    bench->reply.size = 0;
    put_frame(&bench->reply, TAU_OPCODE_OK, flags, text, strlen(text));
    assert_int_equal(write(bench->peer, bench->reply.data, bench->reply.size), bench->reply.size);
}

static void a_blocking_call_returns_after_the_answer(void **state)
{
    struct bench *bench = *state;
    put(bench, 0, "an answer");
    assert_int_equal(call(bench, &strange), TAU_STATUS_SUCCESS);
    assert_string_equal(bench->outcome.text, "an answer|");
}

static void a_blocking_call_returns_after_the_whole_stream(void **state)
{
    struct bench *bench = *state;
    put(bench, TAU_FLAG_MORE, "one");
    put(bench, 0, "two");
    assert_int_equal(call(bench, &strange_stream), TAU_STATUS_SUCCESS);
    assert_string_equal(bench->outcome.text, "one|two|");
}

static void a_blocking_stream_can_be_ended(void **state)
{
    struct bench *bench = *state;
    bench->outcome.stop_after = 1;
    put(bench, TAU_FLAG_MORE, "one");
    put(bench, 0, "two");
    assert_int_equal(call(bench, &strange_stream), TAU_STATUS_CANCELLED);
    assert_string_equal(bench->outcome.text, "one|");
}

static void a_blocking_call_fails_in_words(void **state)
{
    struct bench *bench = *state;
    struct tau_raw_operation other = strange;
    struct tau_query_point_request request = {.timestamp = 1};
    struct tau_query_point_response response;
    put_detailed_error(&bench->reply, TAU_STATUS_LIMIT_EXCEEDED, "so");
    bench->rig.core->server.features = TAU_FEATURE_DETAILED_ERRORS;
    assert_int_equal(write(bench->peer, bench->reply.data, bench->reply.size), bench->reply.size);
    assert_int_equal(call(bench, &strange), TAU_STATUS_LIMIT_EXCEEDED);
    assert_string_equal(bench->outcome.error.message, "so");
    other.opcode = STRANGE + 1;
    other.name = "OTHER";
    assert_int_equal(call(bench, &other), TAU_STATUS_NOT_SUPPORTED);
    assert_string_equal(bench->outcome.error.message, "the server does not offer OTHER");
    assert_int_equal(
        tau_client_query_point(&bench->client, &request, &response, &bench->outcome.error),
        TAU_STATUS_LAYOUT_MISMATCH);
    assert_string_equal(bench->outcome.error.message,
                        "client and server were compiled with different layouts of QUERY_POINT");
    assert_int_equal(bench->outcome.error.status, TAU_STATUS_LAYOUT_MISMATCH);
}

static void a_blocking_call_times_out(void **state)
{
    struct bench *bench = *state;
    tau_client_set_timeout_ms(&bench->client, 20);
    assert_int_equal(call(bench, &strange), TAU_STATUS_TIMEOUT);
    assert_int_equal(call(bench, &strange_write), TAU_STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(bench->outcome.frames, 0);
}

#define CASE(test)     cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BLOCKING(test) cmocka_unit_test_setup_teardown(test, setup_blocking, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_payload_goes_out_as_it_is),
        CASE(another_reply_than_ok_is_taken_when_it_is_described),
        CASE(a_stream_hands_over_each_frame),
        CASE(more_frames_of_a_unary_operation_break_the_protocol),
        CASE(a_stream_that_is_stopped_ends_as_cancelled),
        CASE(an_error_comes_with_its_words),
        CASE(a_timeout_is_told_by_name_and_the_late_reply_is_dropped),
        CASE(an_operation_without_a_name_has_that_of_its_opcode),
        CASE(a_write_without_an_answer_is_unknown),
        CASE(only_what_the_server_lists_is_sent),
        CASE(a_layout_that_differs_is_no_matter),
        CASE(what_was_made_too_early_is_judged_when_the_offer_is_known),
        CASE(opcodes_of_session_and_replies_are_refused),
        CASE(a_payload_beyond_the_limit_is_refused),
        CASE(a_description_is_kept_once_whatever_its_name),
        CASE(without_memory_nothing_is_sent),
        BLOCKING(a_blocking_call_returns_after_the_answer),
        BLOCKING(a_blocking_call_returns_after_the_whole_stream),
        BLOCKING(a_blocking_stream_can_be_ended),
        BLOCKING(a_blocking_call_fails_in_words),
        BLOCKING(a_blocking_call_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
