// SPDX-License-Identifier: MIT
// Columns of one series: what is told of them at the edges of chunks, which form their record
// takes, which rows are refused, and that a batch that finds no memory leaves nothing behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/state.h"

#include <string.h>

enum { ROWS = 5000 };

static int64_t timestamps[ROWS];
static double values[ROWS];
static struct tau_refused_row refused[ROWS];
static size_t refused_count;

static enum tau_status append(struct workbench *bench, const char *label, size_t count)
{
    struct tau_label named = workbench_label(label);
    refused_count = ROWS + 1;
    return taud_engine_append_columns(
        bench->engine, &named, workbench_timestamps(timestamps, count),
        workbench_values(values, count), refused, &refused_count, &bench->position);
}

static void must_append(struct workbench *bench, const char *label, size_t count)
{
    assert_int_equal(append(bench, label, count), TAU_STATUS_SUCCESS);
}

// first, first + step, ...; values tell the row.
static void make_even(int64_t first, int64_t step, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i * step;
        values[i] = (double)i + 0.25;
    }
}

static void expect_points(struct workbench *bench, const char *label, const int64_t *expected,
                          const double *expected_values, size_t count)
{
    static int64_t got[ROWS];
    static double got_values[ROWS];
    struct tau_label named = workbench_label(label);
    struct taud_range *range;
    size_t got_count;
    bool end;
    assert_int_equal(taud_range_open(bench->engine, &named, INT64_MIN, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    taud_range_next(range, got, got_values, ROWS, &got_count, &end);
    taud_range_close(range);
    assert_true(end);
    assert_int_equal(got_count, count);
    assert_memory_equal(got, expected, count * 8);
    assert_memory_equal(got_values, expected_values, count * 8);
}

// --- what is told of columns in a series' chunks ----------------------------------------------

// A series that ends at timestamp 0, or has no point, with `count` timestamps placed behind.
static void examine(size_t before, size_t count, bool expected_ascending, bool expected_even)
{
    struct taud_arena arena;
    struct tau_label label = {{1}};
    bool ascending = !expected_ascending, even = !expected_even;
    assert_true(taud_arena_init(&arena, 4 << 20, taud_allocator_system()));
    struct taud_series *series = taud_series_new(&arena, &label, 1, 1);
    for (size_t i = 0; i < before; i++)
        assert_true(taud_series_append(series, &arena, (int64_t)i + 1 - (int64_t)before, 0));
    assert_true(taud_series_reserve(series, &arena, count));
    for (size_t i = 0; i < count; i++)
        *taud_series_span(series, before + i).timestamps = timestamps[i];
    taud_columns_examine(series, count, &ascending, &even);
    assert_int_equal(ascending, expected_ascending);
    assert_int_equal(even, expected_even);
    taud_series_release(series, &arena);
    taud_arena_done(&arena);
}

static void ascent_and_step_are_seen_across_chunks(void **state)
{
    (void)state;
    static const size_t befores[] = {0, 1, 10, 1022, 1023, 1024, 1025};
    for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++) {
        make_even(10, 3, 2100);
        examine(befores[i], 2100, true, true);
        for (size_t at = 1020; at < 1028; at++) {
            timestamps[at]++; // uneven, and still ascending
            examine(befores[i], 2100, true, false);
            timestamps[at] -= 4; // as the one before it
            examine(befores[i], 2100, false, false);
            timestamps[at] += 3;
        }
        timestamps[2099]++;
        examine(befores[i], 2100, true, false);
    }
}

static void the_last_point_counts_for_the_ascent_and_not_for_the_step(void **state)
{
    (void)state;
    make_even(7, 5, 3);
    examine(1, 3, true, true); // 0, then 7, 12, 17
    timestamps[0] = 1;
    examine(1, 3, true, false);
    make_even(0, 5, 3);
    examine(1, 3, false, true); // 0 is not behind 0
    examine(0, 3, true, true);
    make_even(-1, 5, 3);
    examine(1, 3, false, true);
    make_even(INT64_MIN, 5, 3);
    examine(0, 3, true, true); // the earliest time can be the first
}

static void one_point_has_no_step_and_two_have(void **state)
{
    (void)state;
    make_even(3, 4, 2);
    examine(0, 1, true, false);
    examine(0, 2, true, true);
    examine(5, 0, true, false);
    timestamps[0] = INT64_MIN; // a step above INT64_MAX
    timestamps[1] = INT64_MAX;
    examine(0, 2, true, true);
}

// --- appending --------------------------------------------------------------------------------

static void an_even_column_is_logged_as_its_step(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_logged(bench);
    make_even(-100, 7, 1500);
    must_append(bench, "a", 1500);
    assert_int_equal(refused_count, 0);
    assert_int_equal(workbench_logged(bench), 1);
    const struct taud_record *record = &bench->records[0];
    assert_int_equal(record->type, TAUD_RECORD_COLUMNS);
    assert_int_equal(record->mode, TAUD_COLUMNS_STEP);
    assert_int_equal(record->count, 1500);
    assert_int_equal(record->identity, 1);
    assert_true((int64_t)taud_load_u64(record->timestamps) == -100);
    assert_int_equal(taud_load_u64(record->timestamps + 8), 7);
    for (size_t i = 0; i < 1500; i++)
        assert_true(taud_load_u64(record->values + 8 * i) == workbench_bits(values[i]));
}

static void an_uneven_column_is_logged_whole(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_logged(bench);
    make_even(0, 7, 1500);
    timestamps[1499] += 2;
    must_append(bench, "a", 1500);
    make_even(20000, 1, 1);
    must_append(bench, "a", 1); // one point has no step
    assert_int_equal(workbench_logged(bench), 2);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(bench->records[k].mode, TAUD_COLUMNS_PLAIN);
    assert_int_equal(bench->records[0].count, 1500);
    for (size_t i = 0; i < 1500; i++)
        assert_true(taud_load_u64(bench->records[0].timestamps + 8 * i) ==
                    i * 7 + (i == 1499 ? 2U : 0U));
    assert_int_equal(taud_load_u64(bench->records[1].timestamps), 20000);
    assert_true(taud_load_u64(bench->records[1].values) == workbench_bits(values[0]));
}

// Every size at which a chunk or the first block grows, and again after a restart.
static void columns_come_back_at_every_edge_of_a_chunk(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {1, 2, 3, 4, 9, 45, 959, 1, 1023, 1024, 1};
    size_t stored = 0;
    workbench_create(bench, "a");
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        make_even((int64_t)stored * 3 - 50, 3, sizes[k]);
        must_append(bench, "a", sizes[k]);
        stored += sizes[k];
    }
    make_even(-50, 3, stored);
    for (size_t k = 0, at = 0; k < sizeof sizes / sizeof sizes[0]; at += sizes[k], k++) {
        for (size_t i = 0; i < sizes[k]; i++)
            values[at + i] = (double)i + 0.25;
    }
    expect_points(bench, "a", timestamps, values, stored);
    workbench_start(bench);
    expect_points(bench, "a", timestamps, values, stored);
}

static void rows_out_of_order_are_refused_one_by_one(void **state)
{
    struct workbench *bench = *state;
    static const int64_t given[] = {10, 10, 5, 11, 11, 12, 9, 13};
    static const int64_t kept[] = {1, 10, 11, 12, 13};
    static const double kept_values[] = {9, 0, 3, 5, 7};
    static const uint32_t rows[] = {1, 2, 4, 6};
    workbench_create(bench, "a");
    workbench_append(bench, "a", 1, 9);
    for (size_t i = 0; i < 8; i++) {
        timestamps[i] = given[i];
        values[i] = (double)i;
    }
    must_append(bench, "a", 8);
    assert_int_equal(refused_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(refused[i].row, rows[i]);
        assert_int_equal(refused[i].status, TAU_STATUS_OUT_OF_ORDER);
    }
    expect_points(bench, "a", kept, kept_values, 5);
    workbench_logged(bench);
    workbench_start(bench); // what was refused is not in the log either
    assert_int_equal(bench->recovery.refused_count, 0);
    expect_points(bench, "a", kept, kept_values, 5);
}

// What is left may be even when what was given is not.
static void what_is_accepted_decides_on_the_record(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_logged(bench);
    make_even(0, 10, 2000);
    timestamps[1100] = 10990;
    timestamps[1999] = 0;
    must_append(bench, "a", 2000);
    assert_int_equal(refused_count, 2);
    make_even(30000, 10, 3);
    timestamps[1] = 30000;
    must_append(bench, "a", 3);
    assert_int_equal(workbench_logged(bench), 2);
    assert_int_equal(bench->records[0].mode, TAUD_COLUMNS_PLAIN);
    assert_int_equal(bench->records[0].count, 1998);
    assert_int_equal(bench->records[1].mode, TAUD_COLUMNS_STEP);
    assert_int_equal(taud_load_u64(bench->records[1].timestamps + 8), 20);
}

static void a_batch_that_is_refused_whole_is_a_success_that_logs_nothing(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_append(bench, "a", 100000, 1);
    workbench_logged(bench);
    uint64_t position = bench->position, memory = workbench_describe(bench, "a").memory_bytes;
    make_even(0, 1, ROWS);
    must_append(bench, "a", ROWS);
    assert_int_equal(refused_count, ROWS);
    assert_int_equal(refused[ROWS - 1].row, ROWS - 1);
    must_append(bench, "a", 0);
    assert_int_equal(refused_count, 0);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_logged(bench), 0);
    assert_true(workbench_describe(bench, "a").memory_bytes <= memory + 16 * TAUD_CHUNK_POINTS);
}

static void columns_from_the_wire_are_swapped(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    uint64_t wire[2][3];
    workbench_create(bench, "a");
    for (int round = 0; round < 2; round++) { // in order, and with a row to refuse
        make_even(1000 * round, 1, 3);
        if (round == 1)
            timestamps[1] = -1;
        for (size_t i = 0; i < 3; i++) {
            wire[0][i] = __builtin_bswap64((uint64_t)timestamps[i]);
            wire[1][i] = __builtin_bswap64(workbench_bits(values[i]));
        }
        struct tau_array given[2] = {{wire[0], 3, true}, {wire[1], 3, true}};
        assert_int_equal(taud_engine_append_columns(bench->engine, &label, given[0], given[1],
                                                    refused, &refused_count, &bench->position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, round);
    }
    static const int64_t expected[] = {0, 1, 2, 1000, 1002};
    static const double expected_values[] = {0.25, 1.25, 2.25, 0.25, 2.25};
    expect_points(bench, "a", expected, expected_values, 5);
}

static void what_is_no_batch_is_refused_before_anything(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_array many = {timestamps, TAU_LIMIT_BATCH_POINTS + 1, false};
    struct tau_array three = {timestamps, 3, false}, two = {values, 2, false};
    make_even(0, 1, 3);
    assert_int_equal(append(bench, "a", 3), TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    uint64_t position = bench->position;
    assert_int_equal(taud_engine_append_columns(bench->engine, &label, three, two, refused,
                                                &refused_count, &position),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(taud_engine_append_columns(bench->engine, &label, many, many, refused,
                                                &refused_count, &position),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(position, bench->position);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
}

static void a_batch_without_memory_leaves_nothing(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_create(bench, "full");
    workbench_create(bench, "some");
    workbench_append(bench, "a", 0, 1);
    make_even(0, 1, 3 * TAUD_CHUNK_POINTS);
    must_append(bench, "some", 3 * TAUD_CHUNK_POINTS);
    uint64_t stored = workbench_fill(bench, "full", 0);
    assert_int_equal(workbench_try_drop(bench, "some"), TAU_STATUS_SUCCESS); // too little of it
    uint64_t position = bench->position, memory = workbench_describe(bench, "a").memory_bytes;
    make_even(1, 1, ROWS);
    assert_int_equal(append(bench, "a", ROWS), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_describe(bench, "a").point_count, 1);
    assert_true(workbench_describe(bench, "a").memory_bytes <= memory + 16 * TAUD_CHUNK_POINTS);
    assert_int_equal(workbench_describe(bench, "full").point_count, stored);
    assert_int_equal(workbench_try_drop(bench, "full"), TAU_STATUS_SUCCESS);
    must_append(bench, "a", ROWS);
}

static void a_failed_log_refuses_a_batch(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_fail_log(bench);
    make_even(0, 1, 3);
    assert_int_equal(append(bench, "a", 3), TAU_STATUS_READ_ONLY);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascent_and_step_are_seen_across_chunks),
        cmocka_unit_test(the_last_point_counts_for_the_ascent_and_not_for_the_step),
        cmocka_unit_test(one_point_has_no_step_and_two_have),
        WORKBENCH_TEST(an_even_column_is_logged_as_its_step),
        WORKBENCH_TEST(an_uneven_column_is_logged_whole),
        WORKBENCH_TEST(columns_come_back_at_every_edge_of_a_chunk),
        WORKBENCH_TEST(rows_out_of_order_are_refused_one_by_one),
        WORKBENCH_TEST(what_is_accepted_decides_on_the_record),
        WORKBENCH_TEST(a_batch_that_is_refused_whole_is_a_success_that_logs_nothing),
        WORKBENCH_TEST(columns_from_the_wire_are_swapped),
        WORKBENCH_TEST(what_is_no_batch_is_refused_before_anything),
        WORKBENCH_TEST(a_batch_without_memory_leaves_nothing),
        WORKBENCH_TEST(a_failed_log_refuses_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
