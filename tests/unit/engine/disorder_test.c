// SPDX-License-Identifier: MIT
// Batches in any order under each policy: what is stored and what is refused equals what the same
// rows give one by one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/policy.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROWS = 4000, TIMES = 6000 };

static int64_t timestamps[ROWS];
static double values[ROWS];
static struct tau_refused_row refused[ROWS];
static uint64_t random_state;

static uint64_t draw(uint64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % bound;
}

static void create(struct workbench *bench, const char *label, unsigned order)
{
    struct tau_label named = workbench_label(label);
    workbench_create(bench, label);
    assert_int_equal(taud_engine_set_policy(bench->engine, &named, (enum tau_order_policy)order, 0,
                                            &bench->position),
                     TAU_STATUS_SUCCESS);
}

static void make_rows(size_t count, int64_t newest)
{
    uint64_t late = draw(11);
    for (size_t i = 0; i < count; i++) {
        int64_t ahead = newest + 1 + (int64_t)(i / 2) + (int64_t)draw(3);
        timestamps[i] = draw(10) < late ? (int64_t)draw((uint64_t)newest + 1) : ahead;
        timestamps[i] = timestamps[i] < TIMES ? timestamps[i] : TIMES - 1;
        values[i] = (double)draw(100);
    }
}

static void expect_same_points(struct workbench *bench, const char *label, const char *other)
{
    struct tau_query_point_request asked[2] = {{workbench_label(label), 0},
                                               {workbench_label(other), 0}};
    struct tau_query_point_response found[2];
    enum tau_status statuses[2];
    for (int64_t at = 0; at < TIMES; at++) {
        asked[0].timestamp = asked[1].timestamp = at;
        taud_engine_query_points(bench->engine, asked, 2, found, statuses);
        assert_int_equal(found[0].has_value, found[1].has_value);
        assert_true(!found[0].has_value || found[0].value == found[1].value);
    }
    assert_int_equal(workbench_describe(bench, label).point_count,
                     workbench_describe(bench, other).point_count);
    assert_int_equal(workbench_describe(bench, label).last_timestamp,
                     workbench_describe(bench, other).last_timestamp);
}

static enum tau_status append(struct workbench *bench, const char *label, size_t count,
                              size_t *ret_refused)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_append_columns(
        bench->engine, &named, workbench_timestamps(timestamps, count),
        workbench_values(values, count), refused, ret_refused, &bench->position);
}

// Appends the rows as a batch to the one series and one by one to the other: both say the same.
static void append_both(struct workbench *bench, const char *batch, const char *single,
                        size_t count)
{
    size_t refused_count, at = 0;
    assert_int_equal(append(bench, batch, count, &refused_count), TAU_STATUS_SUCCESS);
    for (size_t i = 0; i < count; i++) {
        enum tau_status status = workbench_try_append(bench, single, timestamps[i], values[i]);
        if (status == TAU_STATUS_SUCCESS)
            continue;
        assert_true(at < refused_count);
        assert_int_equal(refused[at].row, i);
        assert_int_equal(refused[at++].status, status);
    }
    assert_int_equal(at, refused_count);
}

static void a_batch_gives_what_its_rows_give_one_by_one(void **state)
{
    struct workbench *bench = *state;
    const char *seed = getenv("TAU_MODEL_SEED");
    random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    print_message("TAU_MODEL_SEED=%llu\n", (unsigned long long)random_state);
    char batch[32], single[32];
    for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
        snprintf(batch, sizeof batch, "batch.%u", order);
        snprintf(single, sizeof single, "single.%u", order);
        create(bench, batch, order);
        create(bench, single, order);
        for (int round = 0; round < 12; round++) {
            size_t count = 1 + draw(draw(2) ? 40 : ROWS);
            make_rows(count, 1 + 300 * round);
            append_both(bench, batch, single, count);
        }
        expect_same_points(bench, batch, single);
    }
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 0);
    for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
        snprintf(batch, sizeof batch, "batch.%u", order);
        snprintf(single, sizeof single, "single.%u", order);
        expect_same_points(bench, batch, single);
    }
}

// As the metrics of one host come: the next batch has the times of the last one, or nearly.
static void times_that_came_before_are_told_from_others(void **state)
{
    struct workbench *bench = *state;
    enum { COUNT = 1500, ROUNDS = 12 };
    char batch[32], single[32];
    for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
        snprintf(batch, sizeof batch, "batch.%u", order);
        snprintf(single, sizeof single, "single.%u", order);
        create(bench, batch, order);
        create(bench, single, order);
    }
    make_rows(COUNT, 300);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t count = round % 3 == 2 ? COUNT - 1 : COUNT;
        if (round % 3 == 1) // another time at one place, the first and the last among them
            timestamps[round / 3 * (COUNT - 1) / (ROUNDS / 3 - 1)] += 7;
        for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
            for (size_t i = 0; i < count; i++)
                values[i] = (double)draw(100);
            snprintf(batch, sizeof batch, "batch.%u", order);
            snprintf(single, sizeof single, "single.%u", order);
            append_both(bench, batch, single, count);
        }
    }
    for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
        snprintf(batch, sizeof batch, "batch.%u", order);
        snprintf(single, sizeof single, "single.%u", order);
        expect_same_points(bench, batch, single);
    }
}

static void without_working_memory_nothing_is_stored(void **state)
{
    struct workbench *bench = *state;
    size_t refused_count;
    create(bench, "a", TAUD_ORDER_LAST);
    for (size_t i = 0; i < 500; i++) {
        timestamps[i] = (int64_t)(i ^ 1);
        values[i] = 1;
    }
    uint64_t position = bench->position;
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(append(bench, "a", 500, &refused_count), TAU_STATUS_NO_MEMORY);
    assert_int_equal(bench->position, position);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
    assert_int_equal(append(bench, "a", 500, &refused_count), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_describe(bench, "a").point_count, 500);
}

// The batch has late rows and others, twice each timestamp; memory ends within either.
static void rows_that_find_no_memory_are_refused_by_their_places(void **state)
{
    struct workbench *bench = *state;
    size_t refused_count = 0;
    uint64_t stored = 1;
    bench->options.stepped = true; // nothing is flushed
    workbench_start(bench);
    create(bench, "a", TAUD_ORDER_LAST);
    workbench_append(bench, "a", 1000000, 1);
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (int64_t round = 0; refused_count == 0 && status == TAU_STATUS_SUCCESS; round++) {
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t bits = draw(UINT64_MAX >> 33) << 31 | draw(UINT64_MAX >> 33);
            timestamps[i] = (i % 4 < 2 ? 0 : 1000001) + round * ROWS + (int64_t)(i / 4) * 2;
            memcpy(&values[i], &bits, sizeof bits);
        }
        status = append(bench, "a", ROWS, &refused_count);
        if (status == TAU_STATUS_SUCCESS)
            stored += (ROWS - refused_count) / 2;
    }
    for (size_t i = 0; i < refused_count; i++) {
        assert_int_equal(refused[i].status, TAU_STATUS_STORAGE_FULL);
        assert_true(i == 0 || refused[i].row > refused[i - 1].row);
    }
    assert_true(stored > ROWS && refused_count % 2 == 0); // both of a timestamp, or none
    assert_int_equal(workbench_describe(bench, "a").point_count, stored);
    workbench_start(bench);
    assert_int_equal(workbench_describe(bench, "a").point_count, stored);
}

static void a_series_that_is_not_there_is_not_found(void **state)
{
    struct workbench *bench = *state;
    size_t refused_count;
    timestamps[0] = 2;
    timestamps[1] = 1;
    assert_int_equal(append(bench, "a", 2, &refused_count), TAU_STATUS_SERIES_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(a_batch_gives_what_its_rows_give_one_by_one),
        WORKBENCH_TEST(times_that_came_before_are_told_from_others),
        WORKBENCH_TEST(without_working_memory_nothing_is_stored),
        WORKBENCH_TEST(rows_that_find_no_memory_are_refused_by_their_places),
        WORKBENCH_TEST(a_series_that_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
