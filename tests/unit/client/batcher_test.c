/* SPDX-License-Identifier: MIT */
/*
 * The batching writer: which frames it makes, that every point is accounted for, and that it never
 * takes more than its frames hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tau/client.h>
#include <tau/poll.h>

#include "fake_memory.h"
#include "fake_server.h"

enum { FRAMES = 8 }; /* that a batcher has here */

struct failures {
    size_t count;
    int64_t last;
    enum tau_status status;
    size_t by_status[0x200];
};

static void on_failed(void *user_data, const struct tau_row *row, enum tau_status status)
{
    struct failures *failures = user_data;
    failures->count++;
    failures->last = row->timestamp;
    failures->status = status;
    failures->by_status[status]++;
}

struct bench {
    struct fake_server server;
    struct tau_client *client;
    struct tau_batcher *batcher;
    struct failures failures;
};

static struct tau_label numbered(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof(label.bytes), "series.%u", number);
    return label;
}

static void begin(struct bench *bench, bool legacy, size_t frame_bytes)
{
    struct fake_plan plan = {.legacy = legacy};
    struct tau_options options;
    struct tau_batcher_options batching;
    memset(bench, 0, sizeof(*bench));
    assert_true(fake_server_start(&bench->server, &plan));
    tau_options_init(&options);
    tau_batcher_options_init(&batching);
    options.address = bench->server.address;
    options.request_timeout_ms = 20000;
    batching.frame_bytes = frame_bytes;
    batching.frame_count = FRAMES;
    batching.linger_ms = 0;
    batching.on_failed = on_failed;
    batching.user_data = &bench->failures;
    assert_int_equal(tau_client_new(&options, &bench->client, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_batcher_new(bench->client, &batching, &bench->batcher),
                     TAU_STATUS_SUCCESS);
}

static void end(struct bench *bench)
{
    tau_batcher_free(bench->batcher);
    tau_client_free(bench->client);
    fake_server_stop(&bench->server);
}

static void add(struct bench *bench, unsigned series, int64_t timestamp)
{
    struct tau_label label = numbered(series);
    assert_int_equal(tau_batcher_add(bench->batcher, &label, timestamp, (double)timestamp),
                     TAU_STATUS_SUCCESS);
}

static void check_counts(struct bench *bench, uint64_t added, uint64_t failed)
{
    struct tau_point_counts counts = tau_batcher_counts(bench->batcher);
    assert_int_equal(counts.added, added);
    assert_int_equal(counts.failed, failed);
    assert_int_equal(counts.accepted, added - failed);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(bench->failures.count, failed);
}

/* Every series got its points in ascending order, `count` in all. */
static void check_order(struct bench *bench, size_t count)
{
    int64_t last[16];
    assert_int_equal(bench->server.row_count, count);
    for (size_t i = 0; i < 16; i++)
        last[i] = -1;
    for (size_t i = 0; i < count; i++) {
        const struct tau_row *row = &bench->server.rows[i];
        unsigned series = (unsigned)atoi((const char *)row->label.bytes + 7);
        assert_true(series < 16);
        if (row->timestamp <= last[series])
            fail_msg("series %u went from %lld to %lld", series, (long long)last[series],
                     (long long)row->timestamp);
        last[series] = row->timestamp;
        assert_true(row->value == (double)row->timestamp);
    }
}

static size_t requests(struct bench *bench, enum tau_opcode opcode)
{
    return fake_server_requests(&bench->server, (uint8_t)opcode);
}

static void one_series_goes_as_columns(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 4096);
    for (int64_t i = 0; i < 10000; i++)
        add(&bench, 1, i);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 10000, 0);
    check_order(&bench, 10000);
    assert_int_equal(requests(&bench, TAU_OPCODE_MULTI_APPEND), 0);
    assert_int_equal(requests(&bench, TAU_OPCODE_BATCH_APPEND), (10000 + 252) / 253);
    end(&bench);
}

static void columns_are_taken_whole(void **state)
{
    (void)state;
    struct bench bench;
    static int64_t timestamps[100000];
    static double values[100000];
    struct tau_label label = numbered(1);
    size_t taken;
    begin(&bench, false, 65536);
    for (int64_t i = 0; i < 100000; i++) {
        timestamps[i] = i;
        values[i] = (double)i;
    }
    assert_int_equal(
        tau_batcher_add_columns(bench.batcher, &label, timestamps, values, 70000, &taken),
        TAU_STATUS_SUCCESS);
    assert_int_equal(taken, 70000);
    add(&bench, 1, 70000);
    for (size_t i = 70001; i < 100000; i += taken)
        assert_int_equal(tau_batcher_add_columns(bench.batcher, &label, timestamps + i, values + i,
                                                 i + 10 <= 100000 ? 10 : 100000 - i, &taken),
                         TAU_STATUS_SUCCESS);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 100000, 0);
    check_order(&bench, 100000);
    assert_int_equal(requests(&bench, TAU_OPCODE_MULTI_APPEND), 0);
    end(&bench);
}

/* It does not wait for another point to be sent. */
static void a_column_that_fills_its_frame_leaves_at_once(void **state)
{
    (void)state;
    struct bench bench;
    int64_t timestamps[253];
    double values[253];
    struct tau_label label = numbered(1);
    size_t taken;
    begin(&bench, false, 4096);
    for (int64_t i = 0; i < 253; i++) {
        timestamps[i] = i;
        values[i] = (double)i;
    }
    assert_int_equal(
        tau_batcher_add_columns(bench.batcher, &label, timestamps, values, 252, &taken),
        TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_outstanding(tau_client_pipeline(bench.client)), 0);
    assert_int_equal(tau_batcher_add_columns(bench.batcher, &label, timestamps + taken,
                                             values + taken, 1, &taken),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_outstanding(tau_client_pipeline(bench.client)), 1);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 253, 0);
    end(&bench);
}

static void mixed_series_go_as_rows(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 65536);
    for (int64_t i = 0; i < 5000; i++)
        add(&bench, (unsigned)(i % 7), i);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 5000, 0);
    check_order(&bench, 5000);
    assert_int_equal(requests(&bench, TAU_OPCODE_BATCH_APPEND), 0);
    end(&bench);
}

/* Runs of all lengths, so that frames change their shape in every way. */
static void add_runs(struct bench *bench, int64_t count)
{
    uint32_t seed = 5;
    int64_t timestamp = 0;
    while (timestamp < count) {
        seed = seed * 1664525 + 1013904223;
        unsigned series = seed >> 8 & 15;
        for (uint32_t run = 1 + (seed >> 16) % (seed & 0x1000 ? 700 : 5);
             run > 0 && timestamp < count; run--)
            add(bench, series, timestamp++);
    }
}

static void runs_of_all_lengths_keep_their_order(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 8192);
    add_runs(&bench, 50000);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 50000, 0);
    check_order(&bench, 50000);
    assert_true(requests(&bench, TAU_OPCODE_BATCH_APPEND) > 0);
    assert_true(requests(&bench, TAU_OPCODE_MULTI_APPEND) > 0);
    end(&bench);
}

static void an_old_server_gets_single_points(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true, 8192);
    add_runs(&bench, 20000);
    add(&bench, 1, -5);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 20001, 1);
    check_order(&bench, 20000);
    assert_int_equal(bench.failures.last, -5);
    assert_int_equal(bench.failures.status, TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(requests(&bench, TAU_OPCODE_APPEND), 20001);
    end(&bench);
}

static void refused_points_are_named(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 8192);
    for (int64_t i = 1; i <= 1000; i++)
        add(&bench, 1, i % 100 == 0 ? -i : i);
    for (int64_t i = 1; i <= 1000; i++)
        add(&bench, (unsigned)i % 5, i % 100 == 0 ? -i : i + 1000);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 2000, 20);
    assert_int_equal(bench.failures.by_status[TAU_STATUS_OUT_OF_ORDER], 20);
    assert_int_equal(bench.failures.last, -1000);
    end(&bench);
}

static void a_loss_accounts_for_every_point(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 4096);
    for (int64_t i = 0; i < 3000; i++) {
        struct tau_label label = numbered(1);
        int64_t timestamp = i == 1500 ? FAKE_CLOSE : i;
        (void)!tau_batcher_add(bench.batcher, &label, timestamp, 0);
    }
    (void)!tau_batcher_flush(bench.batcher);
    struct tau_point_counts counts = tau_batcher_counts(bench.batcher);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.added, counts.accepted + counts.failed);
    assert_int_equal(bench.failures.count, counts.failed);
    assert_true(bench.failures.by_status[TAU_STATUS_OUTCOME_UNKNOWN] > 0);
    end(&bench); // the server's thread has ended behind this
    assert_true(counts.accepted <= bench.server.row_count);
}

/* A slow producer outlasts the server's patience; with reconnecting that costs no point. */
static void a_connection_closed_while_idle_costs_no_point(void **state)
{
    (void)state;
    struct bench bench = {.client = NULL};
    struct fake_plan plan = {.close_after_ms = 600};
    struct tau_options options;
    assert_true(fake_server_start(&bench.server, &plan));
    tau_options_init(&options);
    options.address = bench.server.address;
    options.reconnect = true;
    assert_int_equal(tau_client_new(&options, &bench.client, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_batcher_new(bench.client, NULL, &bench.batcher),
                     TAU_STATUS_SUCCESS);
    add(&bench, 1, 1);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    usleep(1100 * 1000);
    add(&bench, 1, 2);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, 2, 0);
    check_order(&bench, 2);
    end(&bench);
}

static void freeing_reports_what_was_not_sent(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 65536);
    for (int64_t i = 0; i < 10; i++)
        add(&bench, 1, i);
    tau_batcher_free(bench.batcher);
    bench.batcher = NULL;
    assert_int_equal(bench.failures.by_status[TAU_STATUS_CANCELLED], 10);
    end(&bench);
}

static void freeing_reports_what_is_in_flight(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false, 4096);
    for (int64_t i = 0; i < 254; i++)
        add(&bench, 1, i == 0 ? FAKE_SLOW : i);
    tau_batcher_free(bench.batcher);
    bench.batcher = NULL;
    assert_int_equal(bench.failures.by_status[TAU_STATUS_OUTCOME_UNKNOWN], 253);
    assert_int_equal(bench.failures.by_status[TAU_STATUS_CANCELLED], 1);
    assert_int_equal(tau_client_wait(bench.client, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(bench.failures.count, 254);
    end(&bench);
}

static struct tau_async *begin_async(struct bench *bench, uint32_t linger_ms, bool legacy,
                                     size_t max_output_bytes)
{
    struct fake_plan plan = {.legacy = legacy};
    struct tau_options options;
    struct tau_batcher_options batching;
    struct tau_async *async;
    memset(bench, 0, sizeof(*bench));
    assert_true(fake_server_start(&bench->server, &plan));
    tau_options_init(&options);
    tau_batcher_options_init(&batching);
    options.address = bench->server.address;
    options.max_output_bytes = max_output_bytes;
    batching.frame_bytes = 4096;
    batching.frame_count = 3;
    batching.linger_ms = linger_ms;
    batching.on_failed = on_failed;
    batching.user_data = &bench->failures;
    assert_int_equal(tau_async_new(&options, &async, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_batcher_new(async, &batching, &bench->batcher), TAU_STATUS_SUCCESS);
    return async;
}

static void end_async(struct bench *bench, struct tau_async *async)
{
    tau_batcher_free(bench->batcher);
    tau_async_free(async);
    fake_server_stop(&bench->server);
}

static void settle(struct bench *bench, struct tau_async *async)
{
    while (tau_batcher_counts(bench->batcher).waiting > 0)
        assert_true(tau_poll_turn(&async, 1, 5000) >= 0);
}

static void check_back_pressure(bool legacy, size_t max_output_bytes)
{
    struct bench bench;
    struct tau_async *async = begin_async(&bench, 0, legacy, max_output_bytes);
    struct tau_label label = numbered(1);
    int64_t added = 0;
    while (tau_batcher_add(bench.batcher, &label, added, (double)added) == TAU_STATUS_SUCCESS)
        added++;
    assert_int_equal(added, 3 * 253);
    assert_int_equal(tau_batcher_add(bench.batcher, &label, added, 0), TAU_STATUS_WOULD_BLOCK);
    while (added < 20000) {
        enum tau_status status = tau_batcher_add(bench.batcher, &label, added, (double)added);
        if (status == TAU_STATUS_SUCCESS)
            added++;
        else
            assert_true(tau_poll_turn(&async, 1, 5000) >= 0);
    }
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    settle(&bench, async);
    check_counts(&bench, 20000, 0);
    check_order(&bench, 20000);
    end_async(&bench, async);
}

static void full_frames_would_block(void **state)
{
    (void)state;
    check_back_pressure(false, 1 << 20);
}

static void full_frames_would_block_with_an_old_server(void **state)
{
    (void)state;
    check_back_pressure(true, 1 << 20);
}

/* Frames wait behind others that come back, to be sent point by point: the order must stand. */
static void a_small_output_keeps_the_order(void **state)
{
    (void)state;
    check_back_pressure(false, 5000);
    check_back_pressure(true, 5000);
    check_back_pressure(true, 9000);
}

static void a_lonely_point_leaves_in_time(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_async *async = begin_async(&bench, 30, false, 1 << 20);
    add(&bench, 1, 1);
    while (fake_server_rows(&bench.server) == 0)
        assert_true(tau_poll_turn(&async, 1, 5000) >= 0);
    settle(&bench, async);
    check_counts(&bench, 1, 0);
    end_async(&bench, async);
}

/* Fills a batcher of a client that is not connected, as far as the memory goes. */
static bool fill_with(struct fake_memory *memory, struct failures *failures)
{
    struct tau_allocator allocator = fake_allocator(memory);
    struct tau_options options;
    struct tau_batcher_options batching;
    struct tau_async *async;
    struct tau_batcher *batcher;
    uint64_t added = 0;
    tau_options_init(&options);
    options.allocator = &allocator;
    tau_batcher_options_init(&batching);
    batching.frame_bytes = 4096;
    batching.frame_count = FRAMES;
    batching.on_failed = on_failed;
    batching.user_data = failures;
    if (tau_async_new(&options, &async, NULL) != TAU_STATUS_SUCCESS)
        return false;
    if (tau_batcher_new(async, &batching, &batcher) == TAU_STATUS_SUCCESS) {
        struct tau_label label = numbered(1);
        enum tau_status status = TAU_STATUS_SUCCESS;
        while (status == TAU_STATUS_SUCCESS && added < 5000) { /* frames that fail come back */
            status = tau_batcher_add(batcher, &label, (int64_t)added, 0);
            added += status == TAU_STATUS_SUCCESS;
        }
        if (added < 5000)
            assert_true(status == TAU_STATUS_NO_MEMORY || status == TAU_STATUS_WOULD_BLOCK);
        assert_int_equal(tau_batcher_counts(batcher).added, added);
        tau_batcher_free(batcher);
    }
    tau_async_free(async);
    assert_int_equal(failures->count, added);
    return added == FRAMES * 253;
}

static void no_memory_loses_no_account(void **state)
{
    (void)state;
    for (size_t fail_at = 1;; fail_at++) {
        struct fake_memory memory = {.fail_at = fail_at, .fail_on = true};
        struct failures failures = {0};
        bool whole = fill_with(&memory, &failures);
        assert_int_equal(memory.live_blocks, 0);
        assert_int_equal(memory.live_bytes, 0);
        if (memory.calls < fail_at) {
            assert_true(whole);
            return;
        }
    }
}

static void flush_in_callback(void *user_data, enum tau_status status,
                              const struct tau_error *error)
{
    struct bench *bench = user_data;
    (void)error;
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_int_equal(tau_batcher_flush(bench->batcher), TAU_STATUS_INVALID_ARGUMENT);
}

/* It sends what is there, but cannot wait for the answer. */
static void flushing_does_not_wait_in_a_callback(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_ping_request request = {0};
    begin(&bench, false, 4096);
    add(&bench, 1, 1);
    assert_int_equal(
        tau_async_ping(tau_client_pipeline(bench.client), &request, flush_in_callback, &bench),
        TAU_STATUS_SUCCESS);
    assert_int_equal(tau_client_wait(bench.client, 0), TAU_STATUS_SUCCESS);
    check_counts(&bench, 1, 0);
    end(&bench);
}

/* No loop runs the timer of a blocking client: the next call does. */
static void a_late_frame_leaves_with_the_next_point(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_batcher_options batching;
    begin(&bench, false, 4096);
    tau_batcher_free(bench.batcher);
    tau_batcher_options_init(&batching);
    batching.linger_ms = 20;
    assert_int_equal(tau_client_batcher_new(bench.client, &batching, &bench.batcher),
                     TAU_STATUS_SUCCESS);
    int64_t added = 0;
    while (tau_async_outstanding(tau_client_pipeline(bench.client)) == 0) {
        add(&bench, 1, added++);
        assert_true(added < 200); // when the frame is far from full
        usleep(5 * 1000);
    }
    assert_true(added > 1);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, (uint64_t)added, 0);
    assert_int_equal(requests(&bench, TAU_OPCODE_BATCH_APPEND), 2);
    end(&bench);
}

/* The server is busy for longer than a call may last: so many points, and no more, are taken. */
static void a_full_batcher_ends_the_call_in_time(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_label label = numbered(1);
    enum tau_status status = TAU_STATUS_SUCCESS;
    int64_t added = 0;
    begin(&bench, false, 4096);
    tau_client_set_timeout_ms(bench.client, 30);
    while (status == TAU_STATUS_SUCCESS) {
        int64_t timestamp = added == 0 ? FAKE_SLOW : FAKE_SLOW + 100 + added;
        status = tau_batcher_add(bench.batcher, &label, timestamp, (double)timestamp);
        added += status == TAU_STATUS_SUCCESS;
    }
    assert_int_equal(status, TAU_STATUS_TIMEOUT);
    assert_int_equal(added, FRAMES * 253);
    tau_client_set_timeout_ms(bench.client, 20000);
    assert_int_equal(tau_batcher_flush(bench.batcher), TAU_STATUS_SUCCESS);
    check_counts(&bench, FRAMES * 253, 0);
    end(&bench);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_batcher_options options;
    struct tau_batcher *batcher;
    begin(&bench, false, 4096);
    tau_batcher_options_init(&options);
    options.frame_count = 1;
    assert_int_equal(tau_client_batcher_new(bench.client, &options, &batcher),
                     TAU_STATUS_INVALID_ARGUMENT);
    tau_batcher_options_init(&options);
    options.frame_bytes = 4095;
    assert_int_equal(tau_client_batcher_new(bench.client, &options, &batcher),
                     TAU_STATUS_INVALID_ARGUMENT);
    options.frame_bytes = 4096;
    options.frame_count = 1025;
    assert_int_equal(tau_client_batcher_new(bench.client, &options, &batcher),
                     TAU_STATUS_INVALID_ARGUMENT);
    options.frame_count = 2;
    options.size = sizeof(options.size) - 1;
    assert_int_equal(tau_client_batcher_new(bench.client, &options, &batcher),
                     TAU_STATUS_INVALID_ARGUMENT);
    tau_batcher_options_init(&options);
    options.frame_bytes = TAU_LIMIT_PAYLOAD_BYTES + 1;
    assert_int_equal(tau_client_batcher_new(bench.client, &options, &batcher),
                     TAU_STATUS_INVALID_ARGUMENT);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_series_goes_as_columns),
        cmocka_unit_test(columns_are_taken_whole),
        cmocka_unit_test(a_column_that_fills_its_frame_leaves_at_once),
        cmocka_unit_test(mixed_series_go_as_rows),
        cmocka_unit_test(runs_of_all_lengths_keep_their_order),
        cmocka_unit_test(an_old_server_gets_single_points),
        cmocka_unit_test(refused_points_are_named),
        cmocka_unit_test(a_loss_accounts_for_every_point),
        cmocka_unit_test(a_connection_closed_while_idle_costs_no_point),
        cmocka_unit_test(freeing_reports_what_was_not_sent),
        cmocka_unit_test(freeing_reports_what_is_in_flight),
        cmocka_unit_test(full_frames_would_block),
        cmocka_unit_test(full_frames_would_block_with_an_old_server),
        cmocka_unit_test(a_small_output_keeps_the_order),
        cmocka_unit_test(a_lonely_point_leaves_in_time),
        cmocka_unit_test(no_memory_loses_no_account),
        cmocka_unit_test(flushing_does_not_wait_in_a_callback),
        cmocka_unit_test(a_late_frame_leaves_with_the_next_point),
        cmocka_unit_test(a_full_batcher_ends_the_call_in_time),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
