// SPDX-License-Identifier: MIT
// Rows: which there are, how gaps are filled at both ends and in between, and that neither the
// number of rows asked for nor the size of windows shows in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/emission.h"

#include <math.h>
#include <string.h>

enum { BUCKETS = 12, COLUMNS = 4, LONG = 100000 };

static struct taud_aggregate_memory memory;

static const struct taud_aggregate_column columns[COLUMNS] = {
    {TAUD_AGGREGATE_SUM, 0},
    {TAUD_AGGREGATE_COUNT, 0},
    {TAUD_AGGREGATE_INCREASE, 0},
    {TAUD_AGGREGATE_RATE, 0},
};

struct rows {
    size_t count;
    int64_t starts[2 * BUCKETS];
    double values[COLUMNS][2 * BUCKETS];
};

static struct taud_aggregate_plan plan_of(enum taud_aggregate_fill fill, uint32_t buckets)
{
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_options options = {
        .from = 0,
        .to = buckets * 10 - 1,
        .width = 10,
        .fill = fill,
        .fill_value = -9,
        .columns = columns,
        .column_count = COLUMNS,
    };
    memory = (struct taud_aggregate_memory){taud_allocator_system(), UINT64_MAX, 0};
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), TAU_STATUS_SUCCESS);
    return plan;
}

// The rows of a window, in memory that the next call takes over.
static struct taud_aggregate_rows *read_window(const struct taud_aggregate_window *window)
{
    static int64_t starts[BUCKETS];
    static double values[BUCKETS * COLUMNS];
    static struct taud_aggregate_rows rows;
    rows = (struct taud_aggregate_rows){.starts = starts, .values = values};
    taud_aggregate_read(window, &rows);
    return &rows;
}

static void take_rows(struct taud_aggregate_emission *emission,
                      const struct taud_aggregate_window *window, bool last, size_t capacity,
                      struct rows *rows)
{
    struct taud_aggregate_rows *read = window ? read_window(window) : NULL;
    for (bool more = true; more;) {
        double *places[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            places[i] = rows->values[i] + rows->count;
        size_t count = taud_aggregate_emit(emission, read, last, rows->starts + rows->count,
                                           places, capacity, &more);
        assert_true(count <= capacity && (!more || count == capacity));
        rows->count += count;
        assert_true(rows->count <= BUCKETS);
    }
}

// Points of 1, 2 and 6 in buckets 3, 4 and 8 of 12.
static struct rows rows_of(enum taud_aggregate_fill fill, uint32_t window_size, size_t capacity)
{
    static const int64_t timestamps[] = {30, 45, 89};
    static const double values[] = {1, 2, 6};
    struct rows rows = {0};
    struct taud_aggregate_plan plan = plan_of(fill, BUCKETS);
    struct taud_aggregate_series series = {.end = 89};
    struct taud_aggregate_emission emission;
    struct taud_aggregate_window window;
    size_t used;
    taud_aggregate_emission_init(&emission, &plan);
    assert_int_equal(taud_aggregate_window_init(&window, &plan, &memory, window_size), 0);
    for (uint32_t first = 0; first < BUCKETS; first = window.end) {
        taud_aggregate_window_place(&window, first);
        assert_int_equal(taud_aggregate_window_add(&window, timestamps, values, 3, &used), 0);
        taud_aggregate_window_close(&window, &series);
        take_rows(&emission, &window, false, capacity, &rows);
    }
    taud_aggregate_window_done(&window);
    take_rows(&emission, NULL, true, capacity, &rows);
    assert_true(memory.used_bytes == 0);
    return rows;
}

static void expect_rows(enum taud_aggregate_fill fill, const double expected[COLUMNS][BUCKETS],
                        size_t count, const int64_t *starts)
{
    static const uint32_t windows[] = {1, 2, 5, BUCKETS};
    static const size_t capacities[] = {1, 2, 5};
    for (size_t w = 0; w < 4; w++) {
        for (size_t c = 0; c < 3; c++) {
            struct rows rows = rows_of(fill, windows[w], capacities[c]);
            assert_int_equal(rows.count, count);
            for (size_t i = 0; i < count; i++) {
                assert_true(rows.starts[i] == (starts ? starts[i] : (int64_t)i * 10));
                for (size_t k = 0; k < COLUMNS; k++) {
                    double got = rows.values[k][i], wanted = expected[k][i];
                    assert_true(fabs(got - wanted) <= 1e-12 * fabs(wanted) ||
                                (isnan(got) && isnan(wanted)));
                }
            }
        }
    }
}

// The rates of buckets 3, 4 and 8: none, 1 over 15 ns, 4 over 44 ns.
#define RATE_4 (1 / 15e-9)
#define RATE_8 (4 / 44e-9)
#define COUNTS                                                                                     \
    {                                                                                              \
        0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0                                                         \
    }
#define INCREASES                                                                                  \
    {                                                                                              \
        0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0                                                         \
    }

static void without_fill_gaps_have_no_rows(void **state)
{
    (void)state;
    static const int64_t starts[] = {30, 40, 80};
    const double expected[COLUMNS][BUCKETS] = {
        {1, 2, 6}, {1, 1, 1}, {0, 1, 4}, {NAN, RATE_4, RATE_8}};
    expect_rows(TAUD_AGGREGATE_FILL_NONE, expected, 3, starts);
}

static void the_previous_row_fills_up_to_the_end(void **state)
{
    (void)state;
    const double expected[COLUMNS][BUCKETS] = {
        {NAN, NAN, NAN, 1, 2, 2, 2, 2, 6, 6, 6, 6},
        COUNTS,
        INCREASES,
        {NAN, NAN, NAN, NAN, RATE_4, RATE_4, RATE_4, RATE_4, RATE_8, RATE_8, RATE_8, RATE_8},
    };
    expect_rows(TAUD_AGGREGATE_FILL_PREVIOUS, expected, BUCKETS, NULL);
}

static void a_line_lies_between_two_rows(void **state)
{
    (void)state;
    const double step = (RATE_8 - RATE_4) / 4;
    const double expected[COLUMNS][BUCKETS] = {
        {NAN, NAN, NAN, 1, 2, 3, 4, 5, 6, NAN, NAN, NAN},
        COUNTS,
        INCREASES,
        {NAN, NAN, NAN, NAN, RATE_4, RATE_4 + step, RATE_4 + 2 * step, RATE_4 + 3 * step, RATE_8,
         NAN, NAN, NAN},
    };
    expect_rows(TAUD_AGGREGATE_FILL_LINEAR, expected, BUCKETS, NULL);
}

static void a_value_fills_everywhere(void **state)
{
    (void)state;
    const double expected[COLUMNS][BUCKETS] = {
        {-9, -9, -9, 1, 2, -9, -9, -9, 6, -9, -9, -9},
        COUNTS,
        INCREASES,
        {-9, -9, -9, NAN, RATE_4, -9, -9, -9, RATE_8, -9, -9, -9},
    };
    expect_rows(TAUD_AGGREGATE_FILL_VALUE, expected, BUCKETS, NULL);
}

// What holds no points: rows only where they are filled, and none of an empty range.
static void nothing_at_all(void **state)
{
    (void)state;
    for (unsigned fill = 0; fill < TAUD_AGGREGATE_FILLS; fill++) {
        struct taud_aggregate_plan plan = plan_of((enum taud_aggregate_fill)fill, BUCKETS);
        struct taud_aggregate_emission emission;
        struct rows rows = {0};
        taud_aggregate_emission_init(&emission, &plan);
        take_rows(&emission, NULL, true, 5, &rows);
        assert_int_equal(rows.count, fill == TAUD_AGGREGATE_FILL_NONE ? 0 : BUCKETS);
        for (size_t i = 0; i < rows.count; i++) {
            assert_true(rows.values[1][i] == 0 && rows.starts[i] == (int64_t)i * 10);
            assert_true(fill == TAUD_AGGREGATE_FILL_VALUE ? rows.values[0][i] == -9
                                                          : isnan(rows.values[0][i]));
        }
        plan.bucket_count = 0;
        rows.count = 0;
        taud_aggregate_emission_init(&emission, &plan);
        take_rows(&emission, NULL, true, 5, &rows);
        assert_int_equal(rows.count, 0);
    }
}

// A window may be placed at the next points at once, however far away: the gap is as long.
static void windows_need_not_touch(void **state)
{
    (void)state;
    static int64_t starts[1000];
    static double values[COLUMNS][1000];
    double *places[COLUMNS] = {values[0], values[1], values[2], values[3]};
    struct taud_aggregate_plan plan = plan_of(TAUD_AGGREGATE_FILL_LINEAR, LONG);
    struct taud_aggregate_series series = {.end = INT64_MAX};
    struct taud_aggregate_emission emission;
    struct taud_aggregate_window window;
    taud_aggregate_emission_init(&emission, &plan);
    assert_int_equal(taud_aggregate_window_init(&window, &plan, &memory, 1), 0);
    size_t rows = 0, used, count;
    double previous = -1;
    for (uint32_t bucket = 0; bucket < LONG; bucket += LONG - 1) {
        const int64_t timestamp = (int64_t)bucket * 10;
        const double value = bucket;
        bool more = true;
        taud_aggregate_window_place(&window, bucket);
        assert_int_equal(taud_aggregate_window_add(&window, &timestamp, &value, 1, &used), 0);
        taud_aggregate_window_close(&window, &series);
        struct taud_aggregate_rows *read = read_window(&window);
        while (more) {
            count = taud_aggregate_emit(&emission, read, false, starts, places, 1000, &more);
            for (size_t i = 0; i < count; i++, rows++) {
                assert_true(starts[i] == (int64_t)rows * 10);
                assert_true(fabs(values[0][i] - (double)rows) < 1e-6 && values[0][i] > previous);
                previous = values[0][i];
            }
        }
    }
    assert_int_equal(rows, LONG);
    taud_aggregate_window_done(&window);
}

static void a_line_between_equal_rows_is_level(void **state)
{
    (void)state;
    struct rows rows = {0};
    struct taud_aggregate_plan plan = plan_of(TAUD_AGGREGATE_FILL_LINEAR, BUCKETS);
    struct taud_aggregate_series series = {.end = INT64_MAX};
    struct taud_aggregate_emission emission;
    struct taud_aggregate_window window;
    static const int64_t timestamps[] = {0, 115};
    static const double values[] = {5.3, 5.3};
    size_t used;
    taud_aggregate_emission_init(&emission, &plan);
    assert_int_equal(taud_aggregate_window_init(&window, &plan, &memory, BUCKETS), 0);
    assert_int_equal(taud_aggregate_window_add(&window, timestamps, values, 2, &used), 0);
    taud_aggregate_window_close(&window, &series);
    take_rows(&emission, &window, true, BUCKETS, &rows);
    assert_int_equal(rows.count, BUCKETS);
    for (size_t i = 0; i < BUCKETS; i++)
        assert_true(rows.values[0][i] == 5.3);
    taud_aggregate_window_done(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_fill_gaps_have_no_rows),
        cmocka_unit_test(the_previous_row_fills_up_to_the_end),
        cmocka_unit_test(a_line_lies_between_two_rows),
        cmocka_unit_test(a_line_between_equal_rows_is_level),
        cmocka_unit_test(a_value_fills_everywhere),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(windows_need_not_touch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
