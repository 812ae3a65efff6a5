// SPDX-License-Identifier: MIT
// Rows of many series: one record for all that is accepted, refusals in their order, and each row
// by itself when memory ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 2000, SERIES = 100 };

static struct tau_row rows[ROWS];
static struct tau_refused_row refused[ROWS];
static size_t refused_count;

static enum tau_status append(struct workbench *bench, size_t count)
{
    refused_count = ROWS + 1;
    return taud_engine_append_rows(bench->engine, (struct tau_array){rows, count, false}, refused,
                                   &refused_count, &bench->position);
}

static void set_row(size_t at, const char *label, int64_t timestamp, double value)
{
    rows[at] = (struct tau_row){workbench_label(label), timestamp, value};
}

static void rows_of_every_shard_are_one_record_in_their_order(void **state)
{
    struct workbench *bench = *state;
    char name[32];
    for (unsigned i = 0; i < SERIES; i++) {
        snprintf(name, sizeof name, "series.%u", i);
        workbench_create(bench, name);
    }
    workbench_logged(bench);
    for (unsigned i = 0; i < ROWS; i++) {
        snprintf(name, sizeof name, "series.%u", i % SERIES);
        set_row(i, name, i, i / 2.0);
    }
    assert_int_equal(append(bench, ROWS), TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
    assert_int_equal(workbench_logged(bench), 1);
    assert_int_equal(bench->records[0].count, ROWS);
    for (unsigned i = 0; i < ROWS; i++) {
        const uint8_t *point = bench->records[0].points + (size_t)i * TAUD_RECORD_POINT_BYTES;
        assert_int_equal(taud_load_u64(point), 1 + i % SERIES);
        assert_int_equal(taud_load_u64(point + 8), i);
        assert_true(taud_load_u64(point + 16) == workbench_bits(i / 2.0));
    }
    for (unsigned i = 0; i < SERIES; i++) {
        snprintf(name, sizeof name, "series.%u", i);
        assert_int_equal(workbench_describe(bench, name).point_count, ROWS / SERIES);
    }
}

static void rows_are_judged_in_order_and_refused_with_their_reason(void **state)
{
    struct workbench *bench = *state;
    static const struct tau_refused_row expected[] = {{1, TAU_STATUS_SERIES_NOT_FOUND},
                                                      {3, TAU_STATUS_OUT_OF_ORDER},
                                                      {4, TAU_STATUS_OUT_OF_ORDER},
                                                      {6, TAU_STATUS_SERIES_NOT_FOUND}};
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    workbench_append(bench, "b", 3, 0);
    set_row(0, "a", 5, 0);
    set_row(1, "c", 5, 1);
    set_row(2, "a", 6, 2);
    set_row(3, "a", 6, 3); // a row of this request is in its way
    set_row(4, "b", 3, 4);
    set_row(5, "b", 4, 5);
    set_row(6, "", 1, 6);
    set_row(7, "a", 7, 7);
    assert_int_equal(append(bench, 8), TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(refused[i].row, expected[i].row);
        assert_int_equal(refused[i].status, expected[i].status);
    }
    assert_int_equal(workbench_describe(bench, "a").point_count, 3);
    assert_int_equal(workbench_describe(bench, "b").point_count, 2);
    workbench_start(bench);
    assert_int_equal(bench->recovery.point_count, 5);
    assert_int_equal(bench->recovery.refused_count, 0);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, 7);
}

static void rows_from_the_wire_are_read(void **state)
{
    struct workbench *bench = *state;
    uint8_t wire[2 * 48] = {0};
    struct tau_label label = workbench_label("a");
    workbench_create(bench, "a");
    for (unsigned i = 0; i < 2; i++) {
        memcpy(wire + 48 * i, &label, sizeof label);
        wire[48 * i + 39] = (uint8_t)(7 + i); // big-endian
        wire[48 * i + 40] = 0x40;             // 2.0
    }
    assert_int_equal(taud_engine_append_rows(bench->engine, (struct tau_array){wire, 2, true},
                                             refused, &refused_count, &bench->position),
                     TAU_STATUS_SUCCESS);
    struct tau_query_latest_response latest;
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
    assert_int_equal(latest.point.timestamp, 8);
    assert_true(latest.point.value == 2.0);
    assert_int_equal(workbench_describe(bench, "a").first_timestamp, 7);
}

static void rows_of_which_none_is_accepted_log_nothing(void **state)
{
    struct workbench *bench = *state;
    uint64_t position = bench->position;
    set_row(0, "a", 1, 1);
    assert_int_equal(append(bench, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 1);
    assert_int_equal(append(bench, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_logged(bench), 0);
}

static void there_is_a_limit_of_rows(void **state)
{
    struct workbench *bench = *state;
    assert_int_equal(append(bench, TAU_LIMIT_MULTI_ROWS + 1), TAU_STATUS_INVALID_PAYLOAD);
}

// The head of "full" cannot be sealed any more: its row alone is refused, as often as it comes.
static void a_row_without_memory_is_refused_by_itself(void **state)
{
    struct workbench *bench = *state;
    workbench_hold(bench);
    workbench_create(bench, "a");
    workbench_create(bench, "full");
    workbench_append(bench, "a", 2999, 1); // there is room behind it
    uint64_t stored = workbench_fill(bench, "full", 0);
    for (int64_t round = 0; round < 3; round++) {
        set_row(0, "a", 3000 + 2 * round, 2);
        set_row(1, "none", 2, 2);
        set_row(2, "full", INT64_MAX, 1);
        set_row(3, "a", 3001 + 2 * round, 4);
        assert_int_equal(append(bench, 4), TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 2);
        assert_int_equal(refused[0].row, 1);
        assert_int_equal(refused[0].status, TAU_STATUS_SERIES_NOT_FOUND);
        assert_int_equal(refused[1].row, 2);
        assert_int_equal(refused[1].status, TAU_STATUS_STORAGE_FULL);
    }
    assert_int_equal(workbench_describe(bench, "full").point_count, stored);
    // Where nothing is stored the request is refused as a whole.
    uint64_t position = bench->position;
    set_row(0, "none", 1, 1);
    set_row(1, "full", INT64_MAX, 1);
    assert_int_equal(append(bench, 2), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(bench->position, position);
    workbench_start(bench);
    assert_int_equal(workbench_describe(bench, "a").point_count, 7);
    assert_int_equal(workbench_describe(bench, "full").point_count, stored);
    assert_int_equal(workbench_try_drop(bench, "full"), TAU_STATUS_SUCCESS);
}

static void rows_without_working_memory_change_nothing(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    set_row(0, "a", 1, 1);
    uint64_t position = bench->position;
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(append(bench, 1), TAU_STATUS_NO_MEMORY);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
    assert_int_equal(append(bench, 1), TAU_STATUS_SUCCESS);
}

static void a_failed_log_refuses_rows(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_fail_log(bench);
    set_row(0, "a", 1, 1);
    assert_int_equal(append(bench, 1), TAU_STATUS_READ_ONLY);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(rows_of_every_shard_are_one_record_in_their_order),
        WORKBENCH_TEST(rows_are_judged_in_order_and_refused_with_their_reason),
        WORKBENCH_TEST(rows_from_the_wire_are_read),
        WORKBENCH_TEST(rows_of_which_none_is_accepted_log_nothing),
        WORKBENCH_TEST(there_is_a_limit_of_rows),
        WORKBENCH_TEST(a_row_without_memory_is_refused_by_itself),
        WORKBENCH_TEST(rows_without_working_memory_change_nothing),
        WORKBENCH_TEST(a_failed_log_refuses_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
