// SPDX-License-Identifier: MIT
// Reading: points in batches of every size, the latest one, and ranges with both ends, limits and
// directions, which show what was there when they were opened and nothing else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include <stdio.h>
#include <string.h>

enum { POINTS = 3000, STEP = 10 };

// Points at 0, 10, 20, ... of value timestamp / 4.
static void make_series(struct workbench *bench, const char *label)
{
    workbench_create(bench, label);
    for (int64_t i = 0; i < POINTS; i++)
        workbench_append(bench, label, i * STEP, (double)(i * STEP) / 4);
}

static void every_size_of_batch_is_answered_in_place(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {0, 1, 255, 256, 257, 600};
    static struct tau_query_point_request asked[600];
    static struct tau_query_point_response found[601];
    static enum tau_status statuses[601];
    make_series(bench, "a");
    workbench_create(bench, "b");
    workbench_append(bench, "b", 1, -1);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (size_t i = 0; i < sizes[k]; i++) {
            static const char *const labels[] = {"a", "none", "a", "b"};
            int64_t timestamp = i % 4 == 3 ? 1 : (int64_t)i * STEP + (i % 4 == 2);
            asked[i] = (struct tau_query_point_request){workbench_label(labels[i % 4]), timestamp};
        }
        memset(found, 0x55, sizeof found);
        memset(statuses, 0xff, sizeof statuses);
        taud_engine_query_points(bench->engine, asked, sizes[k], found, statuses);
        assert_true((int)statuses[sizes[k]] == -1);
        for (size_t i = 0; i < sizes[k]; i++) {
            struct tau_query_point_response untouched;
            memset(&untouched, 0x55, sizeof untouched);
            assert_int_equal(statuses[i],
                             i % 4 == 1 ? TAU_STATUS_SERIES_NOT_FOUND : TAU_STATUS_SUCCESS);
            if (i % 4 == 1)
                assert_memory_equal(&found[i], &untouched, sizeof untouched);
            else
                assert_int_equal(found[i].has_value, i % 4 != 2);
            if (i % 4 == 0)
                assert_true(found[i].value == (double)i * STEP / 4);
            if (i % 4 == 2)
                assert_true(found[i].value == 0); // a response is the same each time
            if (i % 4 == 3)
                assert_true(found[i].value == -1);
        }
    }
}

static void the_latest_point_is_the_last_one(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_query_latest_response latest;
    memset(&latest, 0x55, sizeof latest);
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest),
                     TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
    assert_false(latest.has_point);
    for (int64_t i = 0; i < 2050; i++) { // past two chunks
        workbench_append(bench, "a", i, (double)-i);
        assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
        assert_true(latest.has_point);
        assert_int_equal(latest.point.timestamp, i);
        assert_true(latest.point.value == (double)-i);
    }
}

// --- ranges -----------------------------------------------------------------------------------

static struct taud_range *open_range(struct workbench *bench, int64_t from, int64_t to,
                                     uint64_t limit, enum tau_direction direction)
{
    struct tau_label label = workbench_label("a");
    struct taud_range *range = NULL;
    assert_int_equal(taud_range_open(bench->engine, &label, from, to, limit, direction, &range),
                     TAU_STATUS_SUCCESS);
    return range;
}

// Reads in pages and expects the points at first, first + step, ...
static void expect_range(struct taud_range *range, size_t page, int64_t first, int64_t step,
                         size_t count)
{
    int64_t timestamps[POINTS];
    double values[POINTS];
    size_t seen = 0, got;
    bool end = false;
    while (!end) {
        memset(timestamps, 0x55, sizeof timestamps);
        taud_range_next(range, timestamps, values, page, &got, &end);
        assert_true(got <= page);
        assert_true(end || got == page);
        for (size_t i = 0; i < got; i++, seen++) {
            assert_true(timestamps[i] == first + (int64_t)seen * step);
            assert_true(values[i] == (double)timestamps[i] / 4);
        }
        assert_true(got == POINTS || timestamps[got] == 0x5555555555555555);
        assert_int_equal(end, seen == count); // said together with the last point
        assert_true(seen <= count);
    }
    taud_range_next(range, timestamps, values, page, &got, &end);
    assert_true(got == 0 && end);
    taud_range_close(range);
}

static void both_ends_are_included(void **state)
{
    struct workbench *bench = *state;
    const int64_t last = (POINTS - 1) * STEP;
    static const struct {
        int64_t from, to, first;
        size_t count;
    } cases[] = {
        {100, 200, 100, 11},
        {99, 201, 100, 11},
        {101, 199, 110, 9},
        {100, 100, 100, 1},
        {101, 109, 0, 0},
        {200, 100, 0, 0},
        {INT64_MIN, INT64_MAX, 0, POINTS},
        {INT64_MIN, -1, 0, 0},
        {INT64_MIN, 0, 0, 1},
        {(POINTS - 1) * STEP, INT64_MAX, (POINTS - 1) * STEP, 1},
        {(POINTS - 1) * STEP + 1, INT64_MAX, 0, 0},
        {INT64_MAX, INT64_MIN, 0, 0},
    };
    make_series(bench, "a");
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, last);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = cases[i].count;
        int64_t final = cases[i].first + ((int64_t)count - 1) * STEP;
        expect_range(open_range(bench, cases[i].from, cases[i].to, 0, TAU_DIRECTION_FORWARD), 700,
                     cases[i].first, STEP, count);
        expect_range(open_range(bench, cases[i].from, cases[i].to, 0, TAU_DIRECTION_BACKWARD), 700,
                     final, -STEP, count);
    }
}

static void the_last_instant_can_be_read(void **state)
{
    struct workbench *bench = *state;
    int64_t timestamps[3];
    double values[3];
    size_t count;
    bool end;
    workbench_create(bench, "a");
    workbench_append(bench, "a", INT64_MIN, 1);
    workbench_append(bench, "a", INT64_MAX, 2);
    struct taud_range *range = open_range(bench, INT64_MAX, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    taud_range_next(range, timestamps, values, 3, &count, &end);
    taud_range_close(range);
    assert_true(count == 1 && end && timestamps[0] == INT64_MAX && values[0] == 2);
    range = open_range(bench, INT64_MIN, INT64_MIN, 0, TAU_DIRECTION_BACKWARD);
    taud_range_next(range, timestamps, values, 3, &count, &end);
    taud_range_close(range);
    assert_true(count == 1 && end && timestamps[0] == INT64_MIN && values[0] == 1);
}

static void a_limit_counts_from_where_the_reading_begins(void **state)
{
    struct workbench *bench = *state;
    make_series(bench, "a");
    expect_range(open_range(bench, 50, 90, 3, TAU_DIRECTION_FORWARD), 10, 50, STEP, 3);
    expect_range(open_range(bench, 50, 90, 3, TAU_DIRECTION_BACKWARD), 10, 90, -STEP, 3);
    expect_range(open_range(bench, 50, 90, 5, TAU_DIRECTION_FORWARD), 10, 50, STEP, 5);
    expect_range(open_range(bench, 50, 90, 6, TAU_DIRECTION_BACKWARD), 10, 90, -STEP, 5);
    expect_range(open_range(bench, 50, 90, UINT64_MAX, TAU_DIRECTION_FORWARD), 10, 50, STEP, 5);
}

static void pages_of_any_size_make_one_range(void **state)
{
    struct workbench *bench = *state;
    static const size_t pages[] = {1, 7, 1023, 1024, 1025, POINTS - 1, POINTS};
    make_series(bench, "a");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        expect_range(open_range(bench, 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD), pages[i], 0, STEP,
                     POINTS);
        expect_range(open_range(bench, 0, INT64_MAX, 0, TAU_DIRECTION_BACKWARD), pages[i],
                     (POINTS - 1) * STEP, -STEP, POINTS);
    }
}

static void a_page_without_room_takes_nothing(void **state)
{
    struct workbench *bench = *state;
    size_t count = 9;
    bool end = true;
    make_series(bench, "a");
    struct taud_range *range = open_range(bench, 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    taud_range_next(range, NULL, NULL, 0, &count, &end);
    assert_true(count == 0 && !end);
    expect_range(range, 1000, 0, STEP, POINTS);
}

static void a_range_shows_what_was_there_when_it_was_opened(void **state)
{
    struct workbench *bench = *state;
    make_series(bench, "a");
    struct taud_range *forward = open_range(bench, 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    struct taud_range *backward = open_range(bench, 0, INT64_MAX, 0, TAU_DIRECTION_BACKWARD);
    for (int64_t i = POINTS; i < 2 * POINTS; i++)
        workbench_append(bench, "a", i * STEP, 0);
    uint64_t used = workbench_used(bench);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    workbench_create(bench, "a"); // another series of that name
    workbench_append(bench, "a", 5, 5);
    assert_true(workbench_used(bench) >= used); // two streams still hold it
    expect_range(forward, 500, 0, STEP, POINTS);
    assert_true(workbench_used(bench) >= used);
    expect_range(backward, 500, (POINTS - 1) * STEP, -STEP, POINTS);
    assert_true(workbench_used(bench) < used); // the last one gave it back
}

static void what_cannot_be_opened_leaves_nothing(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct taud_range *range = NULL;
    int live = atomic_load(&bench->memory.live);
    assert_int_equal(taud_range_open(bench->engine, &label, 0, 1, 0, TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_range_open(bench->engine, &label, 0, 1, 0, TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_NO_MEMORY);
    assert_null(range);
    assert_int_equal(atomic_load(&bench->memory.live), live);
    expect_range(open_range(bench, 0, 1, 0, TAU_DIRECTION_FORWARD), 1, 0, 0, 0);
    taud_range_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(every_size_of_batch_is_answered_in_place),
        WORKBENCH_TEST(the_latest_point_is_the_last_one),
        WORKBENCH_TEST(both_ends_are_included),
        WORKBENCH_TEST(the_last_instant_can_be_read),
        WORKBENCH_TEST(a_limit_counts_from_where_the_reading_begins),
        WORKBENCH_TEST(pages_of_any_size_make_one_range),
        WORKBENCH_TEST(a_page_without_room_takes_nothing),
        WORKBENCH_TEST(a_range_shows_what_was_there_when_it_was_opened),
        WORKBENCH_TEST(what_cannot_be_opened_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
