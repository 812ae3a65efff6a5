// SPDX-License-Identifier: MIT
// Columns of one series: which form their record takes, at the edges of chunks too, which rows are
// refused, where late ones go, and how far a batch goes that finds no memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/policy.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 9000, FEW = 255 }; // from 256 on rows make chunks

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
    static int64_t got[ROWS + 1];
    static double got_values[ROWS + 1];
    struct tau_label named = workbench_label(label);
    struct taud_range *range;
    size_t got_count = 0, piece;
    bool end = false;
    assert_int_equal(taud_range_open(bench->engine, &named, INT64_MIN, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    while (!end) {
        assert_true(got_count <= count);
        assert_int_equal(taud_range_next(range, got + got_count, got_values + got_count,
                                         ROWS + 1 - got_count, &piece, &end),
                         TAU_STATUS_SUCCESS);
        got_count += piece;
    }
    taud_range_close(range);
    assert_int_equal(got_count, count);
    assert_memory_equal(got, expected, count * 8);
    assert_memory_equal(got_values, expected_values, count * 8);
}

// --- appending --------------------------------------------------------------------------------

static void an_even_column_is_logged_as_its_step(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_logged(bench);
    make_even(-100, 7, FEW);
    must_append(bench, "a", FEW);
    assert_int_equal(refused_count, 0);
    assert_int_equal(workbench_logged(bench), 1);
    const struct taud_record *record = &bench->records[0];
    assert_int_equal(record->type, TAUD_RECORD_COLUMNS);
    assert_int_equal(record->mode, TAUD_COLUMNS_STEP);
    assert_int_equal(record->count, FEW);
    assert_int_equal(record->identity, 1);
    assert_true((int64_t)taud_load_u64(record->timestamps) == -100);
    assert_int_equal(taud_load_u64(record->timestamps + 8), 7);
    for (size_t i = 0; i < FEW; i++)
        assert_true(taud_load_u64(record->values + 8 * i) == workbench_bits(values[i]));
}

static void an_uneven_column_is_logged_whole(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_logged(bench);
    make_even(0, 7, FEW);
    timestamps[FEW - 1] += 2;
    must_append(bench, "a", FEW);
    make_even(20000, 1, 1);
    must_append(bench, "a", 1); // one point has no step
    assert_int_equal(workbench_logged(bench), 2);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(bench->records[k].mode, TAUD_COLUMNS_PLAIN);
    assert_int_equal(bench->records[0].count, FEW);
    for (size_t i = 0; i < FEW; i++)
        assert_true(taud_load_u64(bench->records[0].timestamps + 8 * i) ==
                    i * 7 + (i == FEW - 1 ? 2U : 0U));
    assert_int_equal(taud_load_u64(bench->records[1].timestamps), 20000);
    assert_true(taud_load_u64(bench->records[1].values) == workbench_bits(values[0]));
}

// Every size at which a chunk or the first block grows, and again after a restart.
static void columns_come_back_at_every_edge_of_a_chunk(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {1,   2, 3,    4,    9,    45,   200, 255,
                                   255, 256, 1, 1023, 1024, 1025, 4000, 1};
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
    make_even(0, 10, 200);
    timestamps[110] = 1090;
    timestamps[199] = 0;
    must_append(bench, "a", 200);
    assert_int_equal(refused_count, 2);
    make_even(30000, 10, 3);
    timestamps[1] = 30000;
    must_append(bench, "a", 3);
    make_even(40000, 10, 300); // enough for a chunk, but for what is refused
    for (size_t i = 0; i < 50; i++)
        timestamps[2 * i + 1] = 0;
    must_append(bench, "a", 300);
    assert_int_equal(refused_count, 50);
    assert_int_equal(workbench_logged(bench), 3);
    assert_int_equal(bench->records[0].mode, TAUD_COLUMNS_PLAIN);
    assert_int_equal(bench->records[0].count, 198);
    assert_int_equal(bench->records[1].mode, TAUD_COLUMNS_STEP);
    assert_int_equal(taud_load_u64(bench->records[1].timestamps + 8), 20);
    assert_int_equal(bench->records[2].type, TAUD_RECORD_COLUMNS);
    assert_int_equal(bench->records[2].count, 250);
}

// The chunks of a record, as points; the identity must be this one. Returns how many there are.
static size_t chunk_points(const struct taud_record *record, uint64_t identity,
                           int64_t *ret_timestamps, double *ret_values, size_t *ret_largest,
                           size_t *ret_smallest)
{
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    const uint8_t *at = record->chunks;
    size_t count = 0, size;
    assert_non_null(codec);
    assert_int_equal(record->type, TAUD_RECORD_CHUNKS);
    assert_int_equal(record->identity, identity);
    *ret_largest = 0;
    *ret_smallest = SIZE_MAX;
    for (uint32_t i = 0; i < record->count; i++) {
        const uint8_t *bytes = taud_record_next_chunk(&at, &size);
        struct taud_chunk chunk;
        assert_true(taud_chunk_intact(bytes, size) && taud_chunk_open(bytes, size, &chunk));
        assert_true(taud_chunk_timestamps(codec, &chunk, 0, chunk.count, ret_timestamps + count));
        assert_true(taud_chunk_values(codec, &chunk, 0, chunk.count, ret_values + count));
        count += chunk.count;
        *ret_largest = chunk.count > *ret_largest ? chunk.count : *ret_largest;
        *ret_smallest = chunk.count < *ret_smallest ? chunk.count : *ret_smallest;
    }
    taud_codec_free(codec);
    return count;
}

static void many_rows_are_logged_as_chunks_as_even_as_can_be(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {256, 1000, 1024, 1025, 2000, 2049, 8999};
    static int64_t got[ROWS];
    static double got_values[ROWS];
    int64_t first = 0;
    workbench_create(bench, "a");
    workbench_logged(bench);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t count = sizes[k], largest, smallest;
        make_even(first, 13, count);
        must_append(bench, "a", count);
        assert_int_equal(refused_count, 0);
        assert_int_equal(workbench_logged(bench), 1);
        assert_int_equal(bench->records[0].mode, TAUD_CHUNKS_IN_ORDER);
        assert_int_equal(bench->records[0].count, (count + 1023) / 1024);
        assert_int_equal(chunk_points(&bench->records[0], 1, got, got_values, &largest, &smallest),
                         count);
        assert_memory_equal(got, timestamps, count * 8);
        assert_memory_equal(got_values, values, count * 8);
        assert_true(largest - smallest <= 1);
        first = timestamps[count - 1] + 1;
    }
}

// --- late rows --------------------------------------------------------------------------------

static void set_order(struct workbench *bench, const char *label, unsigned order)
{
    struct tau_label named = workbench_label(label);
    assert_int_equal(taud_engine_set_policy(bench->engine, &named, (enum tau_order_policy)order, 0,
                                            &bench->position),
                     TAU_STATUS_SUCCESS);
}

// A batch that begins before the newest point and ends behind it, of few and of many rows on either
// side.
static void a_batch_across_the_newest_point_is_two_records(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[][2] = {{1, 1},    {10, 20},     {255, 256}, {256, 255}, {3000, 1},
                                      {1, 3000}, {2000, 2000}, {300, 0},   {20, 0}};
    char label[32];
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t late = sizes[k][0], count = late + sizes[k][1];
        snprintf(label, sizeof label, "series.%zu", k);
        workbench_create(bench, label);
        set_order(bench, label, TAUD_ORDER_LAST);
        workbench_append(bench, label, (int64_t)late * 10 - 5, 7);
        workbench_logged(bench);
        make_even(0, 10, count);
        must_append(bench, label, count);
        assert_int_equal(refused_count, 0);
        assert_int_equal(workbench_logged(bench), sizes[k][1] > 0 ? 2 : 1);
        for (size_t i = 0; i < 2 && sizes[k][i] > 0; i++) {
            const struct taud_record *record = &bench->records[i];
            assert_int_equal(record->type,
                             sizes[k][i] < 256 ? TAUD_RECORD_COLUMNS : TAUD_RECORD_CHUNKS);
            if (record->type == TAUD_RECORD_COLUMNS)
                assert_int_equal(record->count, sizes[k][i]);
            else
                assert_int_equal(record->mode, i == 0 ? TAUD_CHUNKS_LATE : TAUD_CHUNKS_IN_ORDER);
        }
        memmove(timestamps + late + 1, timestamps + late, (count - late) * 8);
        memmove(values + late + 1, values + late, (count - late) * 8);
        timestamps[late] = (int64_t)late * 10 - 5;
        values[late] = 7;
        expect_points(bench, label, timestamps, values, count + 1);
    }
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 0);
    expect_points(bench, "series.8", timestamps, values, 21);
}

static void a_strict_series_refuses_what_is_late_and_takes_the_rest(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_append(bench, "a", 4995, 1);
    make_even(0, 10, 2000);
    timestamps[3] = 4000; // whatever the order of what is refused
    must_append(bench, "a", 2000);
    assert_int_equal(refused_count, 500);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(refused[i].row, i);
        assert_int_equal(refused[i].status, TAU_STATUS_OUT_OF_ORDER);
    }
    timestamps[499] = 4995;
    values[499] = 1;
    expect_points(bench, "a", timestamps + 499, values + 499, 1501);
}

// Disorder anywhere is seen: in the first chunk, between two of a thousand points, in the last.
static void a_row_that_steps_back_is_seen_wherever_it_is(void **state)
{
    struct workbench *bench = *state;
    static const size_t places[] = {1, 2, 999, 1000, 1001, 1024, 2000, 2047, 2998, 2999};
    char label[32];
    for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
        snprintf(label, sizeof label, "series.%zu", k);
        workbench_create(bench, label);
        make_even(10, 10, 3000);
        timestamps[places[k]] = timestamps[places[k] - 1]; // of equal ones the first stays
        must_append(bench, label, 3000);
        assert_int_equal(refused_count, 1);
        assert_int_equal(refused[0].row, places[k]);
        memmove(timestamps + places[k], timestamps + places[k] + 1, (2999 - places[k]) * 8);
        memmove(values + places[k], values + places[k] + 1, (2999 - places[k]) * 8);
        expect_points(bench, label, timestamps, values, 2999);
    }
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
    assert_int_equal(workbench_describe(bench, "a").memory_bytes, memory);
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

static void fill_with_noise(size_t count)
{
    uint64_t noise = 1;
    for (size_t i = 0; i < count; i++) {
        noise = noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t bits = noise >> 2;
        memcpy(&values[i], &bits, sizeof bits);
    }
}

// What found memory is stored and logged, the rest is refused; and nothing at all where there is
// none.
static void a_batch_is_stored_as_far_as_memory_goes(void **state)
{
    struct workbench *bench = *state;
    bench->options.stepped = true; // nothing is flushed
    workbench_start(bench);
    workbench_create(bench, "a");
    workbench_create(bench, "late");
    set_order(bench, "late", TAUD_ORDER_LAST);
    workbench_append(bench, "late", 1000000, 1);
    size_t stored = 0;
    while (stored % ROWS == 0) {
        make_even((int64_t)stored, 1, ROWS);
        fill_with_noise(ROWS);
        enum tau_status status = append(bench, "a", ROWS);
        if (status == TAU_STATUS_STORAGE_FULL)
            break; // nothing of this one
        assert_int_equal(status, TAU_STATUS_SUCCESS);
        for (size_t i = 0; i < refused_count; i++) {
            assert_int_equal(refused[i].row, ROWS - refused_count + i);
            assert_int_equal(refused[i].status, TAU_STATUS_STORAGE_FULL);
        }
        stored += ROWS - refused_count;
    }
    uint64_t position = bench->position;
    make_even(2000000, 1, ROWS);
    assert_int_equal(append(bench, "a", ROWS), TAU_STATUS_STORAGE_FULL);
    make_even(0, 1, 300); // a late head for these there is none
    assert_int_equal(append(bench, "late", 300), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_describe(bench, "a").point_count, stored);
    assert_int_equal(workbench_describe(bench, "late").point_count, 1);
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 0);
    assert_int_equal(workbench_describe(bench, "a").point_count, stored);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
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
        WORKBENCH_TEST(an_even_column_is_logged_as_its_step),
        WORKBENCH_TEST(an_uneven_column_is_logged_whole),
        WORKBENCH_TEST(columns_come_back_at_every_edge_of_a_chunk),
        WORKBENCH_TEST(rows_out_of_order_are_refused_one_by_one),
        WORKBENCH_TEST(what_is_accepted_decides_on_the_record),
        WORKBENCH_TEST(many_rows_are_logged_as_chunks_as_even_as_can_be),
        WORKBENCH_TEST(a_batch_across_the_newest_point_is_two_records),
        WORKBENCH_TEST(a_strict_series_refuses_what_is_late_and_takes_the_rest),
        WORKBENCH_TEST(a_row_that_steps_back_is_seen_wherever_it_is),
        WORKBENCH_TEST(a_batch_that_is_refused_whole_is_a_success_that_logs_nothing),
        WORKBENCH_TEST(columns_from_the_wire_are_swapped),
        WORKBENCH_TEST(what_is_no_batch_is_refused_before_anything),
        WORKBENCH_TEST(a_batch_is_stored_as_far_as_memory_goes),
        WORKBENCH_TEST(a_failed_log_refuses_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
