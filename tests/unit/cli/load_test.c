/* SPDX-License-Identifier: MIT */
/* The load: what each workload sends before, during and after, and how failures are counted. */
#include "bench/load.h"
#include "command_rig.h"
#include "memory_fault.h"

enum { DURATION_MS = 100 };

/* A load that is over soon, and its result. */
struct trial {
    struct tau_options client;
    struct cli_load_options options;
    struct cli_load_result result;
};

static struct trial *make_trial(struct command_rig *rig, enum cli_workload workload)
{
    struct trial *trial = calloc(1, sizeof(*trial));
    assert_non_null(trial);
    assert_int_equal(cli_client_options(rig->cli, &trial->client), CLI_OK);
    trial->options = (struct cli_load_options){
        .client = &trial->client,
        .workload = workload,
        .connections = 2,
        .depth = 4,
        .series = 3,
        .batch_points = 10,
        .query_points = 25,
        .run = 0xABCD,
        .duration_ns = DURATION_MS * INT64_C(1000000),
    };
    return trial;
}

static void plan_series(struct command_rig *rig)
{
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_ok(rig, TAU_OPCODE_DROP_SERIES);
}

static void reply_value(struct command_rig *rig, bool has_value)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_query_point_response response = {.has_value = has_value, .value = 1};
    assert_true(tau_query_point_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_QUERY_POINT, &out);
}

/* What holds for every load that went well. */
static void assert_good(struct command_rig *rig, const struct trial *trial)
{
    const struct cli_load_result *result = &trial->result;
    assert_true(result->requests > 0);
    assert_int_equal(result->failed, 0);
    assert_true(result->seconds > 0 && result->seconds <= DURATION_MS / 1e3 + 1e-7);
    assert_int_equal(result->latency_ns.count, result->requests);
    assert_true(result->latency_ns.greatest > 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 6);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DROP_SERIES), 6);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 2);
}

/* No two series that were created have the same label. */
static void assert_distinct_series(struct command_rig *rig)
{
    size_t count = rig_requests(rig, TAU_OPCODE_CREATE_SERIES);
    for (size_t i = 0; i < count; i++) {
        struct tau_slice one = rig_request(rig, TAU_OPCODE_CREATE_SERIES, i);
        for (size_t j = 0; j < i; j++) {
            struct tau_slice other = rig_request(rig, TAU_OPCODE_CREATE_SERIES, j);
            assert_memory_not_equal(one.data, other.data, sizeof(struct tau_label));
        }
    }
}

/* Every connection has series of its own, whose timestamps only rise. */
static void test_append(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    struct tau_label first = label_of("bench.0000abcd.0.0");
    int64_t next = 0;
    plan_series(rig);
    rig_ok(rig, TAU_OPCODE_APPEND);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_good(rig, trial);
    assert_int_equal(trial->result.points, trial->result.requests);
    assert_true(rig_requests(rig, TAU_OPCODE_APPEND) >= trial->result.requests);
    for (size_t i = 0; next < 2 && i < rig_requests(rig, TAU_OPCODE_APPEND); i++) {
        struct tau_append_request request = {.timestamp = -1};
        assert_int_equal(
            tau_append_request_decode(rig_request(rig, TAU_OPCODE_APPEND, i), &request, NULL),
            TAU_STATUS_SUCCESS);
        if (memcmp(&request.label, &first, sizeof(first)) == 0) {
            assert_int_equal(request.timestamp, next);
            next++;
        }
    }
    assert_int_equal(next, 2);
    assert_distinct_series(rig);
    free(trial);
}

static void test_batch(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_BATCH);
    struct tau_batch_append_request request = {.count = 0};
    plan_series(rig);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_good(rig, trial);
    assert_int_equal(trial->result.points, trial->result.requests * 10);
    assert_int_equal(tau_batch_append_request_decode(rig_request(rig, TAU_OPCODE_BATCH_APPEND, 0),
                                                     &request, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(request.timestamps.count, 10);
    free(trial);
}

/* The points that are asked for are written before; they are no part of the measurement. */
static void test_query(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_QUERY);
    struct tau_query_point_request request = {.timestamp = -1};
    plan_series(rig);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    reply_value(rig, true);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_good(rig, trial);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_BATCH_APPEND), 6 * 3); /* 10, 10 and 5 points */
    assert_true(rig_requests(rig, TAU_OPCODE_QUERY_POINT) >= trial->result.requests);
    for (size_t i = 0; i < 20 && i < trial->result.requests; i++) {
        assert_int_equal(tau_query_point_request_decode(rig_request(rig, TAU_OPCODE_QUERY_POINT, i),
                                                        &request, NULL),
                         TAU_STATUS_SUCCESS);
        assert_true(request.timestamp >= 0 && request.timestamp < 25);
    }
    free(trial);
}

/* A point that was written and is not there is a failure, whatever the status says. */
static void test_missing_value(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_QUERY);
    plan_series(rig);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    reply_value(rig, false);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_true(trial->result.failed > 0);
    assert_int_equal(trial->result.failure, TAU_STATUS_PROTOCOL_ERROR);
    assert_int_equal(trial->result.requests, 0);
    free(trial);
}

static void test_failed_requests_are_counted(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    plan_series(rig);
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_true(trial->result.failed > 0);
    assert_int_equal(trial->result.failure, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(trial->result.error.status, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(trial->result.requests, 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DROP_SERIES), 6);
    free(trial);
}

/* What cannot be prepared is not measured, but cleaned up. */
static void test_series_cannot_be_created(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    rig_refuse(rig, TAU_OPCODE_CREATE_SERIES, TAU_STATUS_READ_ONLY);
    rig_refuse(rig, TAU_OPCODE_DROP_SERIES, TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_READ_ONLY);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_APPEND), 0);
    free(trial);
}

static void test_points_cannot_be_written(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_QUERY);
    plan_series(rig);
    rig_refuse(rig, TAU_OPCODE_BATCH_APPEND, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_POINT), 0);
    free(trial);
}

/* Series that stay behind are a failure of the load. */
static void test_series_cannot_be_dropped(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_refuse(rig, TAU_OPCODE_DROP_SERIES, TAU_STATUS_READ_ONLY);
    rig_ok(rig, TAU_OPCODE_APPEND);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_int_equal(trial->result.failed, 2);
    assert_true(trial->result.requests > 0);
    free(trial);
}

/* A connection that is lost on the way ends its thread, and the load. */
static void test_lost_connection(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_close(rig, TAU_OPCODE_APPEND);
    trial->options.duration_ns = INT64_C(60000000000);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_SUCCESS);
    assert_true(trial->result.failed > 0);
    assert_true(trial->result.seconds < 30);
    free(trial);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    rig_stop_server(rig);
    assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_CONNECTION_FAILED);
    assert_int_equal(trial->result.error.status, TAU_STATUS_CONNECTION_FAILED);
    free(trial);
}

/* Wherever memory ends while one connection is prepared, the load says so and leaks nothing. */
static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    struct trial *trial = make_trial(rig, CLI_WORKLOAD_APPEND);
    trial->options.connections = 1;
    for (size_t i = 0; i < 5; i++) {
        memory_fault_anywhere_after(i);
        assert_int_equal(cli_load_run(&trial->options, &trial->result), TAU_STATUS_NO_MEMORY);
        assert_true(memory_fault_anywhere_end());
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
    free(trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_append),
        RIG_TEST(test_batch),
        RIG_TEST(test_query),
        RIG_TEST(test_missing_value),
        RIG_TEST(test_failed_requests_are_counted),
        RIG_TEST(test_series_cannot_be_created),
        RIG_TEST(test_points_cannot_be_written),
        RIG_TEST(test_series_cannot_be_dropped),
        RIG_TEST(test_lost_connection),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
