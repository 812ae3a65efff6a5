// SPDX-License-Identifier: MIT
// Ranges with both ends, limits and directions, which show what was there when they were opened and
// nothing else: of a series that is in memory, stored, or half of it each, from one start to the
// next; and what becomes of a stream that meets damage or has no memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include <string.h>

enum { POINTS = 3000, STEP = 10 };

// Where the points are.
enum place { MEMORY, STORED, HALF_STORED, RESTARTED, PLACES };

static const char *const labels[PLACES] = {"memory", "stored", "half", "restarted"};

static void append_points(struct workbench *bench, const char *label, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        workbench_append(bench, label, i * STEP, (double)(i * STEP) / 4);
}

// Points at 0, 10, 20, ... of value timestamp / 4, in a series for each place.
static void make_series(struct workbench *bench)
{
    for (int i = 0; i < PLACES; i++)
        workbench_create(bench, labels[i]);
    append_points(bench, labels[RESTARTED], 0, POINTS);
    workbench_work(bench, TAUD_WORK_FLUSH);
    workbench_start(bench);
    append_points(bench, labels[STORED], 0, POINTS);
    append_points(bench, labels[HALF_STORED], 0, POINTS / 2);
    workbench_work(bench, TAUD_WORK_FLUSH);
    append_points(bench, labels[HALF_STORED], POINTS / 2, POINTS);
    append_points(bench, labels[MEMORY], 0, POINTS);
}

static enum tau_status next(struct taud_range *range, int64_t *timestamps, double *values,
                            size_t capacity, size_t *ret_count, bool *ret_end)
{
    enum tau_status status =
        taud_range_next(range, timestamps, values, capacity, ret_count, ret_end);
    assert_true(*ret_count <= capacity);
    return status;
}

static struct taud_range *open_range(struct workbench *bench, const char *name, int64_t from,
                                     int64_t to, uint64_t limit, enum tau_direction direction)
{
    struct tau_label label = workbench_label(name);
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
        assert_int_equal(next(range, timestamps, values, page, &got, &end), TAU_STATUS_SUCCESS);
        assert_true(end || got == page);
        for (size_t i = 0; i < got; i++, seen++) {
            assert_true(timestamps[i] == first + (int64_t)seen * step);
            assert_true(values[i] == (double)timestamps[i] / 4);
        }
        assert_true(got == POINTS || timestamps[got] == 0x5555555555555555);
        assert_int_equal(end, seen == count); // said together with the last point
        assert_true(seen <= count);
    }
    assert_int_equal(next(range, timestamps, values, page, &got, &end), TAU_STATUS_SUCCESS);
    assert_true(got == 0 && end);
    taud_range_close(range);
}

// Of each series, forward and backward.
static void expect_everywhere(struct workbench *bench, int64_t from, int64_t to, uint64_t limit,
                              size_t page, int64_t first, size_t count)
{
    int64_t last = first + ((int64_t)count - 1) * STEP;
    for (int i = 0; i < PLACES; i++) {
        size_t some = limit > 0 && limit < count ? (size_t)limit : count;
        expect_range(open_range(bench, labels[i], from, to, limit, TAU_DIRECTION_FORWARD), page,
                     first, STEP, some);
        expect_range(open_range(bench, labels[i], from, to, limit, TAU_DIRECTION_BACKWARD), page,
                     last, -STEP, some);
    }
}

static void both_ends_are_included(void **state)
{
    struct workbench *bench = *state;
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
    make_series(bench);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_everywhere(bench, cases[i].from, cases[i].to, 0, 700, cases[i].first,
                          cases[i].count);
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
    for (int stored = 0; stored < 2; stored++) {
        struct taud_range *range =
            open_range(bench, "a", INT64_MAX, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
        assert_int_equal(next(range, timestamps, values, 3, &count, &end), TAU_STATUS_SUCCESS);
        taud_range_close(range);
        assert_true(count == 1 && end && timestamps[0] == INT64_MAX && values[0] == 2);
        range = open_range(bench, "a", INT64_MIN, INT64_MIN, 0, TAU_DIRECTION_BACKWARD);
        assert_int_equal(next(range, timestamps, values, 3, &count, &end), TAU_STATUS_SUCCESS);
        taud_range_close(range);
        assert_true(count == 1 && end && timestamps[0] == INT64_MIN && values[0] == 1);
        workbench_work(bench, TAUD_WORK_FLUSH);
    }
}

static void a_limit_counts_from_where_the_reading_begins(void **state)
{
    static const uint64_t limits[] = {1, 3, 4, 5, 6, UINT64_MAX};
    struct workbench *bench = *state;
    make_series(bench);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        expect_everywhere(bench, 50, 90, limits[i], 10, 50, 5);
        expect_everywhere(bench, 50, 90, limits[i], 3, 50, 5);
    }
    expect_everywhere(bench, 0, INT64_MAX, POINTS / 2 + 1, POINTS / 2, 0, POINTS);
}

static void pages_of_any_size_make_one_range(void **state)
{
    struct workbench *bench = *state;
    static const size_t pages[] = {1, 7, 1023, 1024, 1025, POINTS - 1, POINTS};
    make_series(bench);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        expect_everywhere(bench, 0, INT64_MAX, 0, pages[i], 0, POINTS);
}

static void a_page_without_room_takes_nothing(void **state)
{
    struct workbench *bench = *state;
    size_t count = 9;
    bool end = true;
    make_series(bench);
    struct taud_range *range = open_range(bench, "half", 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    assert_int_equal(next(range, NULL, NULL, 0, &count, &end), TAU_STATUS_SUCCESS);
    assert_true(count == 0 && !end);
    expect_range(range, 1000, 0, STEP, POINTS);
}

static void a_range_shows_what_was_there_when_it_was_opened(void **state)
{
    struct workbench *bench = *state;
    struct taud_range *ranges[PLACES][2];
    struct tau_label label;
    make_series(bench);
    for (int i = 0; i < PLACES; i++) {
        ranges[i][0] = open_range(bench, labels[i], 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
        ranges[i][1] = open_range(bench, labels[i], 0, INT64_MAX, 0, TAU_DIRECTION_BACKWARD);
        label = workbench_label(labels[i]);
        for (int64_t k = POINTS; k < 2 * POINTS; k++)
            workbench_append(bench, labels[i], k * STEP, 0);
        assert_int_equal(
            taud_engine_delete_range(bench->engine, &label, 100, 20000, &bench->position),
            TAU_STATUS_SUCCESS);
    }
    workbench_work(bench, TAUD_WORK_COMPACT); // what was there is in no file that is still named
    for (int i = 0; i < PLACES; i++) {
        assert_int_equal(workbench_try_drop(bench, labels[i]), TAU_STATUS_SUCCESS);
        workbench_create(bench, labels[i]); // another series of that name
        workbench_append(bench, labels[i], 5, 5);
    }
    workbench_work(bench, TAUD_WORK_FLUSH);
    for (int i = 0; i < PLACES; i++) {
        expect_range(ranges[i][0], 500, 0, STEP, POINTS);
        expect_range(ranges[i][1], 500, (POINTS - 1) * STEP, -STEP, POINTS);
    }
}

static void what_a_range_held_is_given_back(void **state)
{
    enum { MANY = 60000 };
    struct workbench *bench = *state;
    uint64_t random = 1;
    workbench_create(bench, "a");
    uint64_t before = workbench_used(bench);
    for (int64_t i = 0; i < MANY; i++) { // that no codec makes small
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        workbench_append(bench, "a", i * 1000 + (int64_t)(random >> 56), (double)(random >> 8));
    }
    struct taud_range *range = open_range(bench, "a", 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_true(workbench_used(bench) > before + MANY * 4); // the stream still holds it
    taud_range_close(range);
    assert_true(workbench_used(bench) < before + MANY * 4);
}

static void what_cannot_be_opened_leaves_nothing(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct taud_range *range = NULL;
    int live = atomic_load(&bench->memory.live);
    assert_int_equal(taud_range_open(bench->engine, &label, 0, 1, 0, TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(atomic_load(&bench->memory.live), live);
    workbench_create(bench, "a");
    live = atomic_load(&bench->memory.live);
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_range_open(bench->engine, &label, 0, 1, 0, TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_NO_MEMORY);
    assert_null(range);
    assert_int_equal(atomic_load(&bench->memory.live), live);
    expect_range(open_range(bench, "a", 0, 1, 0, TAU_DIRECTION_FORWARD), 1, 0, 0, 0);
    taud_range_close(NULL);
}

// --- what goes wrong --------------------------------------------------------------------------

static void count_call(void *user_data)
{
    ++*(int *)user_data;
}

static void a_stream_ends_with_the_damage_that_it_meets(void **state)
{
    struct workbench *bench = *state;
    int64_t timestamps[POINTS];
    double values[POINTS];
    uint64_t size, random = 1;
    size_t count;
    bool end;
    workbench_create(bench, "a");
    for (int64_t i = 0; i < POINTS; i++) { // that no codec makes small
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        workbench_append(bench, "a", i * STEP, (double)(random >> 8));
    }
    workbench_work(bench, TAUD_WORK_FLUSH);
    bench->options.stepped = true;
    workbench_start(bench); // nothing of it is in the cache
    uint8_t *segment = workbench_segment(bench, 1, &size);
    assert_non_null(segment);
    segment[size / 2] ^= 1; // in the second of three chunks that are equally large
    struct taud_error damage;
    int told = 0;
    assert_int_equal(taud_engine_on_durable(bench->engine, count_call, &told), TAU_STATUS_SUCCESS);
    assert_false(taud_engine_damage(bench->engine, &damage));
    struct taud_range *range = open_range(bench, "a", 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
    assert_int_equal(next(range, timestamps, values, POINTS, &count, &end), TAU_STATUS_SUCCESS);
    assert_int_equal(count, 1024); // what comes before is good
    assert_false(end);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(next(range, timestamps, values, POINTS, &count, &end),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(count, 0);
    }
    taud_range_close(range);
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.damaged_count, 1);
    assert_true(taud_engine_damage(bench->engine, &damage));
    assert_string_not_equal(damage.text, "");
    assert_int_equal(taud_engine_conditions(bench->engine), TAUD_CONDITION_DAMAGED);
    (void)taud_engine_step(bench->engine, TAUD_TASK_STORE);
    assert_int_equal(told, 1); // who listens looks at the conditions
    range = open_range(bench, "a", 0, 1023 * STEP, 0, TAU_DIRECTION_BACKWARD);
    assert_int_equal(next(range, timestamps, values, POINTS, &count, &end), TAU_STATUS_SUCCESS);
    assert_true(count == 1024 && end); // what is beside it is good
    taud_range_close(range);
}

static void no_memory_for_a_step_is_told(void **state)
{
    struct workbench *bench = *state;
    int64_t timestamps[POINTS];
    double values[POINTS];
    size_t count = 0;
    bool end;
    make_series(bench);
    workbench_start(bench); // nothing is in the cache, and no codec is there
    for (int i = 0; i < PLACES; i++) {
        enum tau_status status;
        unsigned ahead = 0, told = 0;
        do {
            struct taud_range *range =
                open_range(bench, labels[i], 0, INT64_MAX, 0, TAU_DIRECTION_FORWARD);
            failing_allocator_fail_mine(&bench->memory, ++ahead);
            do
                status = next(range, timestamps, values, POINTS, &count, &end);
            while (status == TAU_STATUS_SUCCESS && !end);
            bench->memory.fail_at = 0;
            assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_NO_MEMORY);
            told += status == TAU_STATUS_NO_MEMORY;
            taud_range_close(range);
        } while (status == TAU_STATUS_NO_MEMORY);
        assert_true(told > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(both_ends_are_included),
        WORKBENCH_TEST(the_last_instant_can_be_read),
        WORKBENCH_TEST(a_limit_counts_from_where_the_reading_begins),
        WORKBENCH_TEST(pages_of_any_size_make_one_range),
        WORKBENCH_TEST(a_page_without_room_takes_nothing),
        WORKBENCH_TEST(a_range_shows_what_was_there_when_it_was_opened),
        WORKBENCH_TEST(what_a_range_held_is_given_back),
        WORKBENCH_TEST(what_cannot_be_opened_leaves_nothing),
        WORKBENCH_TEST(a_stream_ends_with_the_damage_that_it_meets),
        WORKBENCH_TEST(no_memory_for_a_step_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
