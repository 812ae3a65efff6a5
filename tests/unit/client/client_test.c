/* SPDX-License-Identifier: MIT */
/*
 * The blocking client against a server of its own: calls, deadlines, losses, reconnecting,
 * pipelining.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <tau/client.h>

#include "fake_memory.h"
#include "fake_server.h"

static const struct tau_label label = {.bytes = "cpu.load"};

static void options_for(const struct fake_server *server, struct tau_options *options)
{
    tau_options_init(options);
    options->address = server->address;
    options->request_timeout_ms = 5000;
}

static struct tau_client *connect_to(const struct fake_server *server)
{
    struct tau_options options;
    struct tau_client *client;
    struct tau_error error = {.message = ""};
    options_for(server, &options);
    if (tau_client_new(&options, &client, &error) != TAU_STATUS_SUCCESS)
        fail_msg("%s", error.message);
    return client;
}

static enum tau_status append(struct tau_client *client, int64_t timestamp)
{
    struct tau_append_request request = {.label = label, .timestamp = timestamp, .value = 1};
    return tau_client_append(client, &request, NULL);
}

static enum tau_status query(struct tau_client *client, int64_t timestamp, double *ret_value)
{
    struct tau_query_point_request request = {.label = label, .timestamp = timestamp};
    struct tau_query_point_response response = {.value = -1};
    enum tau_status status = tau_client_query_point(client, &request, &response, NULL);
    *ret_value = response.value;
    return status;
}

static void check_calls(const char *address, bool legacy)
{
    struct fake_server server;
    struct fake_plan plan = {.address = address, .legacy = legacy, .range_batches = 3};
    double value;
    if (!fake_server_start(&server, &plan)) {
        print_message("%s cannot be had here\n", address);
        return;
    }
    struct tau_client *client = connect_to(&server);
    struct tau_ping_request ping = {0};
    assert_int_equal(tau_client_ping(client, &ping, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(append(client, 7), TAU_STATUS_SUCCESS);
    assert_int_equal(append(client, -7), TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(query(client, 9, &value), TAU_STATUS_SUCCESS);
    assert_true(value == 9.0);
    assert_int_equal(tau_client_supports(client, TAU_OPCODE_QUERY_RANGE), !legacy);
    assert_string_equal(tau_client_server(client)->name, legacy ? "" : "fake");
    tau_client_free(client);
    fake_server_stop(&server);
}

static void calls_work_over_every_kind_of_socket(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "unix:/tmp/tau-client-test-%d", (int)getpid());
    check_calls("127.0.0.1", false);
    check_calls("127.0.0.1", true);
    check_calls("::1", false);
    check_calls(path, false);
    check_calls(path, true);
}

struct range_log {
    size_t points;
    size_t stop_at;
    struct tau_client *client;
    enum tau_status nested;
};

static bool on_batch(void *user_data, const struct tau_query_range_response *batch)
{
    struct range_log *log = user_data;
    double value;
    for (size_t i = 0; i < batch->count; i++)
        assert_int_equal(tau_i64_at(batch->timestamps, i), log->points + i);
    log->points += batch->count;
    if (log->client != NULL)
        log->nested = query(log->client, 1, &value);
    return log->points < log->stop_at;
}

static void ranges_are_streamed_and_stopped(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {.range_batches = 300};
    double value;
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    struct tau_query_range_request request = {.label = label, .to = INT64_MAX};
    struct range_log log = {.stop_at = SIZE_MAX, .client = client};
    assert_int_equal(tau_client_query_range(client, &request, on_batch, &log, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(log.points, 300000);
    assert_int_equal(log.nested, TAU_STATUS_INVALID_ARGUMENT);
    log = (struct range_log){.stop_at = 2000};
    assert_int_equal(tau_client_query_range(client, &request, on_batch, &log, NULL),
                     TAU_STATUS_CANCELLED);
    assert_int_equal(log.points, 2000);
    assert_int_equal(query(client, 9, &value), TAU_STATUS_SUCCESS);
    assert_true(value == 9.0);
    tau_client_free(client);
    fake_server_stop(&server);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_error error;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    fake_server_stop(&server);
    assert_int_equal(tau_client_new(&options, &client, &error), TAU_STATUS_CONNECTION_FAILED);
    assert_int_equal(error.system_error, ECONNREFUSED);
    assert_non_null(strstr(error.message, "cannot reach the server"));
    assert_null(client);
    options.reconnect = true; /* the first try counts */
    assert_int_equal(tau_client_new(&options, &client, &error), TAU_STATUS_CONNECTION_FAILED);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void a_server_that_says_nothing(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {.mute = true};
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_error error;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.connect_timeout_ms = 200;
    int64_t begin_ms = now_ms();
    assert_int_equal(tau_client_new(&options, &client, &error), TAU_STATUS_TIMEOUT);
    assert_true(now_ms() - begin_ms >= 200);
    fake_server_stop(&server);
}

static void a_wrong_certificate(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {.refuse = true};
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_error error;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.reconnect = true;
    assert_int_equal(tau_client_new(&options, &client, &error), TAU_STATUS_AUTH_FAILED);
    assert_int_equal(fake_server_connections(&server), 1);
    fake_server_stop(&server);
}

static void a_late_reply_does_not_confuse(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    double value;
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    tau_client_set_timeout_ms(client, 50);
    int64_t begin_ms = now_ms();
    assert_int_equal(query(client, FAKE_SLOW, &value), TAU_STATUS_TIMEOUT);
    assert_int_equal(append(client, 5), TAU_STATUS_OUTCOME_UNKNOWN);
    assert_true(now_ms() - begin_ms >= 2 * 50);
    tau_client_set_timeout_ms(client, 0);
    assert_int_equal(query(client, 3, &value), TAU_STATUS_SUCCESS);
    assert_true(value == 3.0);
    assert_int_equal(fake_server_connections(&server), 1);
    tau_client_free(client);
    fake_server_stop(&server);
}

static void a_lost_write_is_not_repeated(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_error error;
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    struct tau_append_request request = {.label = label, .timestamp = FAKE_CLOSE};
    assert_int_equal(tau_client_append(client, &request, &error), TAU_STATUS_OUTCOME_UNKNOWN);
    assert_non_null(strstr(error.message, "APPEND was sent and not answered"));
    assert_int_equal(append(client, 1), TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(fake_server_requests(&server, TAU_OPCODE_APPEND), 1);
    assert_int_equal(tau_client_connect(client, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(append(client, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_connect(client, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(fake_server_connections(&server), 2);
    tau_client_free(client);
    fake_server_stop(&server);
}

static void reconnecting_goes_on_by_itself(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_options options;
    struct tau_client *client;
    double value;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.reconnect = true;
    assert_int_equal(tau_client_new(&options, &client, NULL), TAU_STATUS_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(query(client, FAKE_CLOSE, &value), TAU_STATUS_CONNECTION_LOST);
        assert_int_equal(append(client, i), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(fake_server_connections(&server), 4);
    assert_int_equal(fake_server_rows(&server), 3);
    tau_client_free(client);
    fake_server_stop(&server);
}

static void a_connection_closed_while_idle_costs_no_write(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {.close_after_ms = 600};
    struct tau_options options;
    struct tau_client *client;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.reconnect = true;
    assert_int_equal(tau_client_new(&options, &client, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(append(client, 1), TAU_STATUS_SUCCESS);
    usleep(1100 * 1000);
    assert_int_equal(append(client, 2), TAU_STATUS_SUCCESS);
    tau_client_free(client);
    fake_server_stop(&server);
}

struct counter {
    size_t done;
    size_t failed;
};

static void count_done(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct counter *counter = user_data;
    (void)error;
    counter->done++;
    counter->failed += status != TAU_STATUS_SUCCESS;
}

static void the_pipeline_takes_many(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct counter counter = {0};
    double value;
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    struct tau_async *pipeline = tau_client_pipeline(client);
    for (int64_t i = 0; i < 20000; i++) {
        struct tau_append_request request = {.label = label, .timestamp = i};
        while (tau_async_append(pipeline, &request, count_done, &counter) != TAU_STATUS_SUCCESS)
            fail();
        if (tau_async_outstanding(pipeline) >= 1000)
            assert_int_equal(tau_client_wait(client, 500), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(query(client, 4, &value), TAU_STATUS_SUCCESS); /* behind all of them */
    assert_int_equal(counter.done, 20000);
    assert_int_equal(counter.failed, 0);
    assert_int_equal(fake_server_rows(&server), 20000);
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(server.rows[i].timestamp, i);
    assert_int_equal(tau_client_wait(client, 0), TAU_STATUS_SUCCESS);
    tau_client_free(client);
    fake_server_stop(&server);
}

static void freeing_completes_what_is_outstanding(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct counter counter = {0};
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    struct tau_append_request request = {.label = label, .timestamp = 1};
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            tau_async_append(tau_client_pipeline(client), &request, count_done, &counter),
            TAU_STATUS_SUCCESS);
    tau_client_free(client);
    assert_int_equal(counter.done, 10);
    assert_int_equal(counter.failed, 10);
    tau_client_free(NULL);
    fake_server_stop(&server);
}

static void a_full_pipeline_waits_in_a_blocking_call(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_options options;
    struct tau_client *client;
    struct counter counter = {0};
    double value;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.max_outstanding = 4;
    assert_int_equal(tau_client_new(&options, &client, NULL), TAU_STATUS_SUCCESS);
    struct tau_append_request request = {.label = label, .timestamp = 1};
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            tau_async_append(tau_client_pipeline(client), &request, count_done, &counter),
            TAU_STATUS_SUCCESS);
    assert_int_equal(query(client, 6, &value), TAU_STATUS_SUCCESS);
    assert_true(value == 6.0);
    assert_int_equal(counter.done, 4);
    tau_client_free(client);
    fake_server_stop(&server);
}

struct outcome {
    enum tau_status status;
};

static void note_outcome(void *user_data, enum tau_status status,
                         const struct tau_query_point_response *response,
                         const struct tau_error *error)
{
    (void)response;
    (void)error;
    ((struct outcome *)user_data)->status = status;
}

/* Nobody takes a completion, so there is no room within the time that a call has. */
static void a_pipeline_that_stays_full_ends_the_call(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_options options;
    struct tau_client *client;
    struct outcome outcome = {.status = TAU_STATUS_SUCCESS};
    struct tau_error error;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.max_outstanding = 1;
    assert_int_equal(tau_client_new(&options, &client, NULL), TAU_STATUS_SUCCESS);
    struct tau_query_point_request silent = {.label = label, .timestamp = FAKE_SILENT};
    assert_int_equal(
        tau_async_query_point(tau_client_pipeline(client), &silent, note_outcome, &outcome),
        TAU_STATUS_SUCCESS);
    tau_client_set_timeout_ms(client, 40);
    int64_t begin_ms = now_ms();
    struct tau_append_request request = {.label = label, .timestamp = 1, .value = 1};
    assert_int_equal(tau_client_append(client, &request, &error), TAU_STATUS_TIMEOUT);
    assert_int_equal(error.status, TAU_STATUS_TIMEOUT);
    assert_true(now_ms() - begin_ms >= 40);
    assert_int_equal(fake_server_requests(&server, TAU_OPCODE_APPEND), 0);
    tau_client_free(client);
    assert_int_equal(outcome.status, TAU_STATUS_CONNECTION_LOST);
    fake_server_stop(&server);
}

static void wait_in_callback(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct tau_client *client = user_data;
    struct tau_error why;
    (void)error;
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_wait(client, 0), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_client_connect(client, &why), TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(why.message, "callback"));
}

static void nothing_waits_in_a_callback(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    assert_true(fake_server_start(&server, &plan));
    struct tau_client *client = connect_to(&server);
    struct tau_append_request request = {.label = label, .timestamp = 1};
    assert_int_equal(
        tau_async_append(tau_client_pipeline(client), &request, wait_in_callback, client),
        TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_wait(client, 0), TAU_STATUS_SUCCESS);
    tau_client_free(client);
    fake_server_stop(&server);
}

/* Whatever allocation fails, the first ones among them. */
static void a_client_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct tau_options options;
    struct tau_client *client = NULL;
    struct tau_error error;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    assert_true(fake_server_start(&server, &plan));
    options_for(&server, &options);
    options.max_output_bytes = 0;
    assert_int_equal(tau_client_new(&options, &client, &error), TAU_STATUS_INVALID_ARGUMENT);
    options_for(&server, &options);
    for (size_t fail_at = 1; status != TAU_STATUS_SUCCESS; fail_at++) {
        struct fake_memory memory = {.fail_at = fail_at, .fail_on = true};
        struct tau_allocator allocator = fake_allocator(&memory);
        options.allocator = &allocator;
        status = tau_client_new(&options, &client, &error);
        assert_true(fail_at > 2 || status == TAU_STATUS_NO_MEMORY);
        if (status == TAU_STATUS_SUCCESS)
            tau_client_free(client);
        else
            assert_int_equal(error.status, TAU_STATUS_NO_MEMORY);
        assert_int_equal(memory.live_blocks, 0);
    }
    fake_server_stop(&server);
}

static void the_version_is_that_of_the_build(void **state)
{
    (void)state;
    assert_string_equal(tau_client_version(), TAU_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_work_over_every_kind_of_socket),
        cmocka_unit_test(ranges_are_streamed_and_stopped),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_server_that_says_nothing),
        cmocka_unit_test(a_wrong_certificate),
        cmocka_unit_test(a_late_reply_does_not_confuse),
        cmocka_unit_test(a_lost_write_is_not_repeated),
        cmocka_unit_test(reconnecting_goes_on_by_itself),
        cmocka_unit_test(a_connection_closed_while_idle_costs_no_write),
        cmocka_unit_test(the_pipeline_takes_many),
        cmocka_unit_test(freeing_completes_what_is_outstanding),
        cmocka_unit_test(a_full_pipeline_waits_in_a_blocking_call),
        cmocka_unit_test(a_pipeline_that_stays_full_ends_the_call),
        cmocka_unit_test(nothing_waits_in_a_callback),
        cmocka_unit_test(a_client_is_made_whole_or_not_at_all),
        cmocka_unit_test(the_version_is_that_of_the_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
