/* SPDX-License-Identifier: MIT */
/*
 * The generated calls, each of them twice: asynchronous and blocking. A request goes out as it was
 * given, its answer reaches the caller as it was sent, and so does every kind of failure. Requests
 * and answers are the specification's examples, so that one that is added is tested too.
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
#include "tau_calls.h"
#include "tau_codec.h"
#include "tau_tables.h"
#include "wire/slice.h"

#define FRAME_CAPACITY 4096 /* of an example */

/* How a call has ended; the response is kept as it would be sent. */
struct outcome {
    const struct tau_call_info *call;
    struct tau_caller caller;
    unsigned ended; /* times */
    enum tau_status status;
    bool has_error;
    uint8_t data[FRAME_CAPACITY];
    size_t size;
};

static bool keep(void *user_data, const void *response)
{
    struct outcome *outcome = user_data;
    struct tau_writer out = tau_writer_over(outcome->data, sizeof(outcome->data));
    assert_int_equal(outcome->ended, 0);
    assert_true(tau_payload_find(outcome->call->response)->encode(response, &out));
    outcome->size = out.size;
    return true;
}

static void note(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct outcome *outcome = user_data;
    outcome->ended++;
    outcome->status = status;
    outcome->has_error = error != NULL && error->status == status && error->message[0] != '\0';
}

/* --- requests and answers -------------------------------------------------------------------- */

/* The request of the specification's example; NULL where it has no fields. The caller's. */
static void *make_request(const struct tau_call_info *call)
{
    if (call->request == NULL)
        return NULL;
    const struct tau_payload_info *payload = tau_payload_find(call->request);
    void *request = calloc(1, payload->c_size);
    struct tau_slice example = tau_slice_of(call->example, call->example_size);
    assert_non_null(request);
    assert_int_equal(payload->decode(example, request, NULL), TAU_STATUS_SUCCESS);
    return request;
}

static void expect(struct outcome *outcome, const struct tau_call_info *call)
{
    *outcome = (struct outcome){.call = call, .caller = {keep, note, outcome}};
}

static enum tau_status begin(struct tau_async *async, const struct tau_call_info *call,
                             struct outcome *outcome)
{
    void *request = make_request(call);
    expect(outcome, call);
    enum tau_status status = call->begin(async, request, &outcome->caller);
    free(request);
    return status;
}

static void block(struct tau_client *client, const struct tau_call_info *call,
                  struct outcome *outcome)
{
    struct tau_error error = {.status = TAU_STATUS_SUCCESS};
    void *request = make_request(call);
    expect(outcome, call);
    enum tau_status status = call->block(client, request, &outcome->caller, &error);
    free(request);
    note(outcome, status, status == TAU_STATUS_SUCCESS ? NULL : &error);
}

/* Whether an answer without its last byte is still one: of bytes, any number is right. */
static bool may_be_cut(const struct tau_call_info *call)
{
    const struct tau_payload_info *payload = tau_payload_find(call->response);
    void *response = calloc(1, payload->c_size);
    assert_non_null(response);
    struct tau_slice cut = tau_slice_of(call->answer, call->answer_size - 1);
    bool right = payload->decode(cut, response, NULL) == TAU_STATUS_SUCCESS;
    free(response);
    return right;
}

/* --- the bench: a client whose server is the test -------------------------------------------- */

struct bench {
    struct rig rig;
    struct tau_client client;
    int peer;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    memset(&rig_memory, 0, sizeof(rig_memory));
    if (bench == NULL || !rig_begin(&bench->rig, NULL))
        return -1;
    rig_ready(&bench->rig);
    bench->peer = rig_plug(&bench->rig);
    bench->client.async = bench->rig.async;
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    rig_end(&bench->rig);
    close(bench->peer);
    free(bench);
    assert_int_equal(rig_memory.live_blocks, 0);
    return 0;
}

/* What the next request gets; a blocking call reads it once it has sent. */
static void put_reply(struct bench *bench, struct bytes *reply)
{
    assert_int_equal(write(bench->peer, reply->data, reply->size), reply->size);
    bytes_free(reply);
}

static void put_answer(struct bench *bench, const struct tau_call_info *call, size_t cut)
{
    struct bytes reply = {0};
    uint8_t opcode = tau_operation_find(call->opcode)->reply;
    put_frame(&reply, opcode, 0, call->answer, call->answer_size - cut);
    put_reply(bench, &reply);
}

/* What the server got is this request, whole and alone. */
static void check_request(struct bench *bench, const struct tau_call_info *call)
{
    uint8_t sent[TAU_HEADER_SIZE + FRAME_CAPACITY];
    ssize_t size = recv(bench->peer, sent, sizeof(sent), 0);
    struct tau_header header;
    assert_int_equal(size, TAU_HEADER_SIZE + call->example_size);
    assert_int_equal(tau_header_decode(sent, &header, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(header.opcode, call->opcode);
    assert_int_equal(header.payload_length, call->example_size);
    if (call->example_size > 0)
        assert_memory_equal(sent + TAU_HEADER_SIZE, call->example, call->example_size);
}

static void ask(struct bench *bench, const struct tau_call_info *call, struct outcome *outcome)
{
    assert_int_equal(begin(bench->rig.async, call, outcome), TAU_STATUS_SUCCESS);
    assert_int_equal(outcome->ended, 0);
    tau_async_on_ready(bench->rig.async, 0);
    check_request(bench, call);
    tau_async_on_ready(bench->rig.async, TAU_EVENT_READ);
    assert_int_equal(outcome->ended, 1);
}

static void call_and_wait(struct bench *bench, const struct tau_call_info *call,
                          struct outcome *outcome)
{
    block(&bench->client, call, outcome);
    check_request(bench, call);
}

/* --- the rules ------------------------------------------------------------------------------- */

/* Those that make and end a session are the client's own business. */
static void every_operation_has_a_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        if (!tau_operations[i].session && tau_call_find(tau_operations[i].opcode) == NULL)
            fail_msg("%s has no call", tau_operations[i].name);
    }
}

static void check_answer(const struct tau_call_info *call, const struct outcome *outcome)
{
    assert_int_equal(outcome->status, TAU_STATUS_SUCCESS);
    assert_false(outcome->has_error);
    assert_int_equal(outcome->size, call->answer_size);
    if (call->answer_size > 0)
        assert_memory_equal(outcome->data, call->answer, call->answer_size);
}

static void each_answer_reaches_its_caller(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        put_answer(bench, &tau_calls[i], 0);
        ask(bench, &tau_calls[i], &outcome);
        check_answer(&tau_calls[i], &outcome);
        put_answer(bench, &tau_calls[i], 0);
        call_and_wait(bench, &tau_calls[i], &outcome);
        check_answer(&tau_calls[i], &outcome);
    }
}

static void put_refusal(struct bench *bench)
{
    struct bytes reply = {0};
    put_detailed_error(&reply, TAU_STATUS_LIMIT_EXCEEDED, "enough");
    put_reply(bench, &reply);
}

static void each_error_reaches_its_caller(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        put_refusal(bench);
        ask(bench, &tau_calls[i], &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_LIMIT_EXCEEDED);
        assert_true(outcome.has_error);
        put_refusal(bench);
        call_and_wait(bench, &tau_calls[i], &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_LIMIT_EXCEEDED);
        assert_true(outcome.has_error);
        assert_int_equal(outcome.size, 0);
    }
}

/* A write may have happened, whatever the server says of it. */
static void an_answer_that_is_cut_short_says_nothing(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    size_t tried = 0;
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        const struct tau_call_info *call = &tau_calls[i];
        uint8_t cancel[64];
        if (call->answer_size == 0 || may_be_cut(call))
            continue;
        enum tau_status expected = tau_operation_find(call->opcode)->write
                                       ? TAU_STATUS_OUTCOME_UNKNOWN
                                       : TAU_STATUS_PROTOCOL_ERROR;
        put_answer(bench, call, 1);
        ask(bench, call, &outcome);
        assert_int_equal(outcome.status, expected);
        assert_true(outcome.has_error);
        if (tau_operation_find(call->opcode)->stream)
            (void)recv(bench->peer, cancel, sizeof(cancel), 0);
        assert_int_equal(outcome.size, 0);
        tried++;
    }
    assert_in_range(tried, 5, TAU_CALL_COUNT);
    assert_int_equal(tau_async_link(bench->rig.async), TAU_LINK_READY);
}

static void note_rows(void *user_data, enum tau_status status,
                      const struct tau_batch_append_response *response,
                      const struct tau_error *error)
{
    (void)response;
    note(user_data, status, error);
}

/* Columns of unequal lengths cannot be written; nothing goes out, and the connection is unharmed.
 */
static void a_request_that_cannot_be_written_is_refused(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {0};
    const int64_t timestamps[] = {5, 6};
    const double values[] = {0.5};
    struct tau_batch_append_request request = {
        .timestamps = {.data = timestamps, .count = 2},
        .values = {.data = values, .count = 1},
    };
    struct tau_batch_append_response response;
    struct tau_error error = {.status = TAU_STATUS_SUCCESS};
    uint8_t byte;
    assert_int_equal(tau_async_batch_append(bench->rig.async, &request, note_rows, &outcome),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_client_batch_append(&bench->client, &request, &response, &error),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(error.status, TAU_STATUS_INVALID_ARGUMENT);
    tau_async_on_ready(bench->rig.async, 0);
    assert_int_equal(recv(bench->peer, &byte, 1, 0), -1);
    assert_int_equal(outcome.ended, 0);
    assert_int_equal(tau_async_outstanding(bench->rig.async), 0);
}

static void no_request_begins_without_a_connection(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    rig_lose(&bench->rig);
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        assert_int_equal(begin(bench->rig.async, &tau_calls[i], &outcome),
                         TAU_STATUS_CONNECTION_LOST);
        assert_int_equal(outcome.ended, 0);
        block(&bench->client, &tau_calls[i], &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_CONNECTION_LOST);
        assert_true(outcome.has_error);
    }
}

static void no_call_waits_inside_a_callback(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    tau_async_enter(bench->rig.async);
    for (size_t i = 0; i < TAU_CALL_COUNT; i++) {
        block(&bench->client, &tau_calls[i], &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_INVALID_ARGUMENT);
        assert_true(outcome.has_error);
    }
    tau_async_leave(bench->rig.async);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_a_call),
        CASE(each_answer_reaches_its_caller),
        CASE(each_error_reaches_its_caller),
        CASE(an_answer_that_is_cut_short_says_nothing),
        CASE(a_request_that_cannot_be_written_is_refused),
        CASE(no_request_begins_without_a_connection),
        CASE(no_call_waits_inside_a_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
