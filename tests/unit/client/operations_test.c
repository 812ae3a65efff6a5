/* SPDX-License-Identifier: MIT */
/*
 * The generated calls, each of them twice: asynchronous and blocking. A request goes out under its
 * opcode, its answer reaches the caller as it was sent, and so does every kind of failure. The
 * table below has every operation; one that is added to the specification must be added here.
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

/* How a call has ended; the response is kept as it would be sent. */
struct outcome {
    unsigned ended; /* times */
    enum tau_status status;
    bool has_error;
    uint8_t data[256];
    size_t size;
};

static void note(struct outcome *outcome, enum tau_status status, const struct tau_error *error)
{
    outcome->ended++;
    outcome->status = status;
    outcome->has_error = error != NULL && error->status == status && error->message[0] != '\0';
}

static void note_plain(void *user_data, enum tau_status status, const struct tau_error *error)
{
    note(user_data, status, error);
}

static void note_call(struct outcome *outcome, enum tau_status status, struct tau_error *error)
{
    note(outcome, status, status == TAU_STATUS_SUCCESS ? NULL : error);
}

/* An operation that is answered with OK alone; what follows its name is the request. */
#define PLAIN(name, ...)                                                                           \
    static enum tau_status ask_##name(struct tau_async *async, struct outcome *outcome)            \
    {                                                                                              \
        struct tau_##name##_request request = {__VA_ARGS__};                                       \
        return tau_async_##name(async, &request, note_plain, outcome);                             \
    }                                                                                              \
    static void call_##name(struct tau_client *client, struct outcome *outcome)                    \
    {                                                                                              \
        struct tau_##name##_request request = {__VA_ARGS__};                                       \
        struct tau_error error;                                                                    \
        note_call(outcome, tau_client_##name(client, &request, &error), &error);                   \
    }

/* One whose answer has a payload: what keeps it, and the callback that does. */
#define KEPT(name)                                                                                 \
    static void keep_##name(struct outcome *outcome, const struct tau_##name##_response *response) \
    {                                                                                              \
        struct tau_writer out = tau_writer_over(outcome->data, sizeof(outcome->data));             \
        assert_true(tau_##name##_response_encode(response, &out));                                 \
        outcome->size = out.size;                                                                  \
    }                                                                                              \
    static void note_##name(void *user_data, enum tau_status status,                               \
                            const struct tau_##name##_response *response,                          \
                            const struct tau_error *error)                                         \
    {                                                                                              \
        assert_int_equal(response != NULL, status == TAU_STATUS_SUCCESS);                          \
        if (response != NULL)                                                                      \
            keep_##name(user_data, response);                                                      \
        note(user_data, status, error);                                                            \
    }

/* And how it is asked; what follows its name is the request. */
#define ANSWERED(name, ...)                                                                        \
    KEPT(name)                                                                                     \
    static enum tau_status ask_##name(struct tau_async *async, struct outcome *outcome)            \
    {                                                                                              \
        struct tau_##name##_request request = {__VA_ARGS__};                                       \
        return tau_async_##name(async, &request, note_##name, outcome);                            \
    }                                                                                              \
    static void call_##name(struct tau_client *client, struct outcome *outcome)                    \
    {                                                                                              \
        struct tau_##name##_request request = {__VA_ARGS__};                                       \
        struct tau_##name##_response response;                                                     \
        struct tau_error error;                                                                    \
        note_call(outcome, tau_client_##name(client, &request, &response, &error), &error);        \
        if (outcome->status == TAU_STATUS_SUCCESS)                                                 \
            keep_##name(outcome, &response);                                                       \
    }

/* One whose request is empty. */
#define ANSWERED_UNASKED(name)                                                                     \
    KEPT(name)                                                                                     \
    static enum tau_status ask_##name(struct tau_async *async, struct outcome *outcome)            \
    {                                                                                              \
        return tau_async_##name(async, note_##name, outcome);                                      \
    }                                                                                              \
    static void call_##name(struct tau_client *client, struct outcome *outcome)                    \
    {                                                                                              \
        struct tau_##name##_response response;                                                     \
        struct tau_error error;                                                                    \
        note_call(outcome, tau_client_##name(client, &response, &error), &error);                  \
        if (outcome->status == TAU_STATUS_SUCCESS)                                                 \
            keep_##name(outcome, &response);                                                       \
    }

static const struct tau_label label = {.bytes = "cpu.load"};
static const struct tau_label other = {.bytes = "cpu.idle"};
static const int64_t timestamps[] = {5, 6};
static const double values[] = {0.5, 0.25};
static const struct tau_row rows[] = {{{.bytes = "a"}, 1, 2.0}, {{.bytes = "b"}, 3, 4.0}};

PLAIN(ping, .ignored = {.size = 0})
PLAIN(create_series, .label = label)
PLAIN(drop_series, .label = label)
PLAIN(append, .label = label, .timestamp = 5, .value = 0.5)
PLAIN(create_lens, .label = label, .source = other, .transform = {.bytes = "identity"})
PLAIN(drop_lens, .label = label)
PLAIN(compose_lens, .label = label, .first = other, .second = other)
ANSWERED(list_series, .limit = 10)
ANSWERED(describe_series, .label = label)
ANSWERED(batch_append, .label = label, .count = 2, .timestamps = {.data = timestamps, .count = 2},
         .values = {.data = values, .count = 2})
ANSWERED(multi_append, .count = 2, .rows = {.data = rows, .count = 2})
ANSWERED(query_point, .label = label, .timestamp = 5)
ANSWERED(query_latest, .label = label)
ANSWERED(query_lens, .label = label, .timestamp = 5)
ANSWERED_UNASKED(specification)
ANSWERED_UNASKED(list_lenses)

static bool keep_batch(void *user_data, const struct tau_query_range_response *batch)
{
    struct outcome *outcome = user_data;
    struct tau_writer out = tau_writer_over(outcome->data, sizeof(outcome->data));
    assert_true(tau_query_range_response_encode(batch, &out));
    outcome->size = out.size;
    return true;
}

static const struct tau_query_range_request range = {.label = {.bytes = "cpu.load"}, .to = 9};

static enum tau_status ask_query_range(struct tau_async *async, struct outcome *outcome)
{
    return tau_async_query_range(async, &range, keep_batch, note_plain, outcome);
}

static void call_query_range(struct tau_client *client, struct outcome *outcome)
{
    struct tau_error error;
    note_call(outcome, tau_client_query_range(client, &range, keep_batch, outcome, &error), &error);
}

#define OPERATION(name, code)                                                                      \
    {                                                                                              \
        .opcode = (code), .ask = ask_##name, .call = call_##name                                   \
    }

static const struct operation {
    uint8_t opcode;
    enum tau_status (*ask)(struct tau_async *async, struct outcome *outcome);
    void (*call)(struct tau_client *client, struct outcome *outcome);
} operations[] = {
    OPERATION(ping, TAU_OPCODE_PING),
    OPERATION(specification, TAU_OPCODE_SPECIFICATION),
    OPERATION(create_series, TAU_OPCODE_CREATE_SERIES),
    OPERATION(drop_series, TAU_OPCODE_DROP_SERIES),
    OPERATION(list_series, TAU_OPCODE_LIST_SERIES),
    OPERATION(describe_series, TAU_OPCODE_DESCRIBE_SERIES),
    OPERATION(append, TAU_OPCODE_APPEND),
    OPERATION(batch_append, TAU_OPCODE_BATCH_APPEND),
    OPERATION(multi_append, TAU_OPCODE_MULTI_APPEND),
    OPERATION(query_point, TAU_OPCODE_QUERY_POINT),
    OPERATION(query_range, TAU_OPCODE_QUERY_RANGE),
    OPERATION(query_latest, TAU_OPCODE_QUERY_LATEST),
    OPERATION(create_lens, TAU_OPCODE_CREATE_LENS),
    OPERATION(drop_lens, TAU_OPCODE_DROP_LENS),
    OPERATION(query_lens, TAU_OPCODE_QUERY_LENS),
    OPERATION(compose_lens, TAU_OPCODE_COMPOSE_LENS),
    OPERATION(list_lenses, TAU_OPCODE_LIST_LENSES),
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* --- the answers ----------------------------------------------------------------------------- */

/* A payload that the operation's response decodes from, with something in it. */
static size_t write_answer(uint8_t opcode, uint8_t *data, size_t capacity)
{
    const struct tau_array labels = {.data = &other, .count = 1};
    const struct tau_refused_row row = {.row = 1, .status = TAU_STATUS_OUT_OF_ORDER};
    const struct tau_array refused = {.data = &row, .count = 1};
    struct tau_writer out = tau_writer_over(data, capacity);
    bool written = true;
    switch (opcode) {
    case TAU_OPCODE_SPECIFICATION:
        written = tau_specification_response_encode(
            &(struct tau_specification_response){.document = {(const uint8_t *)"{}", 2}}, &out);
        break;
    case TAU_OPCODE_LIST_SERIES:
        written = tau_list_series_response_encode(
            &(struct tau_list_series_response){.more = true, .labels = labels}, &out);
        break;
    case TAU_OPCODE_DESCRIBE_SERIES:
        written = tau_describe_series_response_encode(
            &(struct tau_describe_series_response){.identity = 7, .point_count = 9}, &out);
        break;
    case TAU_OPCODE_BATCH_APPEND:
    case TAU_OPCODE_MULTI_APPEND: // answered alike
        written = tau_batch_append_response_encode(
            &(struct tau_batch_append_response){
                .accepted = 1, .refused_count = 1, .refused = refused},
            &out);
        break;
    case TAU_OPCODE_QUERY_POINT:
    case TAU_OPCODE_QUERY_LENS:
        written = tau_query_point_response_encode(
            &(struct tau_query_point_response){.has_value = true, .value = 1.5}, &out);
        break;
    case TAU_OPCODE_QUERY_LATEST:
        written = tau_query_latest_response_encode(
            &(struct tau_query_latest_response){.has_point = true, .point = {5, 0.5}}, &out);
        break;
    case TAU_OPCODE_QUERY_RANGE:
        written = tau_query_range_response_encode(
            &(struct tau_query_range_response){.count = 2,
                                               .timestamps = {.data = timestamps, .count = 2},
                                               .values = {.data = values, .count = 2}},
            &out);
        break;
    case TAU_OPCODE_LIST_LENSES:
        written = tau_list_lenses_response_encode(
            &(struct tau_list_lenses_response){.labels = labels}, &out);
        break;
    default:
        break;
    }
    assert_true(written);
    return out.size;
}

static uint8_t reply_of(const struct operation *operation)
{
    return tau_operation_find(operation->opcode)->reply;
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

static void put_answer(struct bench *bench, const struct operation *operation, size_t cut)
{
    uint8_t data[256];
    struct bytes reply = {0};
    size_t size = write_answer(operation->opcode, data, sizeof(data));
    put_frame(&reply, reply_of(operation), 0, data, size - cut);
    put_reply(bench, &reply);
}

/* What the server got is this request, whole and alone. */
static void check_request(struct bench *bench, const struct operation *operation)
{
    uint8_t sent[1024];
    ssize_t size = recv(bench->peer, sent, sizeof(sent), 0);
    struct tau_header header;
    assert_true(size >= TAU_HEADER_SIZE);
    assert_int_equal(tau_header_decode(sent, &header, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(header.opcode, operation->opcode);
    assert_int_equal(header.payload_length, size - TAU_HEADER_SIZE);
}

static void ask(struct bench *bench, const struct operation *operation, struct outcome *outcome)
{
    *outcome = (struct outcome){.ended = 0};
    assert_int_equal(operation->ask(bench->rig.async, outcome), TAU_STATUS_SUCCESS);
    assert_int_equal(outcome->ended, 0);
    tau_async_on_ready(bench->rig.async, 0);
    check_request(bench, operation);
    tau_async_on_ready(bench->rig.async, TAU_EVENT_READ);
    assert_int_equal(outcome->ended, 1);
}

static void call(struct bench *bench, const struct operation *operation, struct outcome *outcome)
{
    *outcome = (struct outcome){.ended = 0};
    operation->call(&bench->client, outcome);
    check_request(bench, operation);
}

/* --- the rules ------------------------------------------------------------------------------- */

/* Those that make and end a session are the client's own business. */
static bool is_of_the_session(uint8_t opcode)
{
    return opcode == TAU_OPCODE_CONNECT || opcode == TAU_OPCODE_DISCONNECT ||
           opcode == TAU_OPCODE_NEGOTIATE || opcode == TAU_OPCODE_CANCEL;
}

static void the_table_has_every_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        unsigned found = is_of_the_session(tau_operations[i].opcode);
        for (size_t j = 0; j < OPERATIONS; j++)
            found += operations[j].opcode == tau_operations[i].opcode;
        if (found != 1)
            fail_msg("%s is %u times in the table", tau_operations[i].name, found);
    }
}

static void check_answer(const struct operation *operation, const struct outcome *outcome)
{
    uint8_t data[256];
    size_t size = write_answer(operation->opcode, data, sizeof(data));
    assert_int_equal(outcome->status, TAU_STATUS_SUCCESS);
    assert_false(outcome->has_error);
    assert_int_equal(outcome->size, size);
    assert_memory_equal(outcome->data, data, size);
}

static void each_answer_reaches_its_caller(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    for (size_t i = 0; i < OPERATIONS; i++) {
        put_answer(bench, &operations[i], 0);
        ask(bench, &operations[i], &outcome);
        check_answer(&operations[i], &outcome);
        put_answer(bench, &operations[i], 0);
        call(bench, &operations[i], &outcome);
        check_answer(&operations[i], &outcome);
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
    for (size_t i = 0; i < OPERATIONS; i++) {
        put_refusal(bench);
        ask(bench, &operations[i], &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_LIMIT_EXCEEDED);
        assert_true(outcome.has_error);
        put_refusal(bench);
        call(bench, &operations[i], &outcome);
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
    for (size_t i = 0; i < OPERATIONS; i++) {
        uint8_t data[256];
        if (write_answer(operations[i].opcode, data, sizeof(data)) == 0 ||
            operations[i].opcode == TAU_OPCODE_SPECIFICATION) // of bytes, any number is right
            continue;
        enum tau_status expected = tau_operation_find(operations[i].opcode)->write
                                       ? TAU_STATUS_OUTCOME_UNKNOWN
                                       : TAU_STATUS_PROTOCOL_ERROR;
        put_answer(bench, &operations[i], 1);
        ask(bench, &operations[i], &outcome);
        assert_int_equal(outcome.status, expected);
        assert_true(outcome.has_error);
        if (tau_operation_find(operations[i].opcode)->stream)
            (void)recv(bench->peer, data, sizeof(data), 0); // its CANCEL
        assert_int_equal(outcome.size, 0);
    }
    assert_int_equal(tau_async_link(bench->rig.async), TAU_LINK_READY);
}

/* Columns of unequal lengths cannot be written; nothing goes out, and the connection is unharmed.
 */
static void a_request_that_cannot_be_written_is_refused(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {0};
    struct tau_batch_append_request request = {
        .label = label,
        .timestamps = {.data = timestamps, .count = 2},
        .values = {.data = values, .count = 1},
    };
    struct tau_batch_append_response response;
    struct tau_error error = {.status = TAU_STATUS_SUCCESS};
    uint8_t byte;
    assert_int_equal(
        tau_async_batch_append(bench->rig.async, &request, note_batch_append, &outcome),
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
    for (size_t i = 0; i < OPERATIONS; i++) {
        outcome = (struct outcome){.ended = 0};
        assert_int_equal(operations[i].ask(bench->rig.async, &outcome), TAU_STATUS_CONNECTION_LOST);
        assert_int_equal(outcome.ended, 0);
        operations[i].call(&bench->client, &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_CONNECTION_LOST);
        assert_true(outcome.has_error);
    }
}

static void no_call_waits_inside_a_callback(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    tau_async_enter(bench->rig.async);
    for (size_t i = 0; i < OPERATIONS; i++) {
        operations[i].call(&bench->client, &outcome);
        assert_int_equal(outcome.status, TAU_STATUS_INVALID_ARGUMENT);
        assert_true(outcome.has_error);
    }
    tau_async_leave(bench->rig.async);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_every_operation),
        CASE(each_answer_reaches_its_caller),
        CASE(each_error_reaches_its_caller),
        CASE(an_answer_that_is_cut_short_says_nothing),
        CASE(a_request_that_cannot_be_written_is_refused),
        CASE(no_request_begins_without_a_connection),
        CASE(no_call_waits_inside_a_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
