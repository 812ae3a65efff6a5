// SPDX-License-Identifier: MIT
// Plans: what is refused, what functions need, and the arithmetic of buckets everywhere in time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/plan.h"

#include <math.h>

static const struct taud_aggregate_column count_column = {TAUD_AGGREGATE_COUNT, 0};

static enum tau_status plan_of(int64_t from, int64_t to, uint64_t width, int64_t origin,
                               struct taud_aggregate_plan *plan)
{
    const struct taud_aggregate_options options = {
        .from = from,
        .to = to,
        .width = width,
        .origin = origin,
        .columns = &count_column,
        .column_count = 1,
    };
    return taud_aggregate_plan_init(plan, &options);
}

static void expect_bucket(const struct taud_aggregate_plan *plan, uint32_t bucket, int64_t start,
                          int64_t first, int64_t last)
{
    assert_true(taud_aggregate_bucket_start(plan, bucket) == start);
    assert_true(taud_aggregate_bucket_first_instant(plan, bucket) == first);
    assert_true(taud_aggregate_bucket_last_instant(plan, bucket) == last);
    assert_int_equal(taud_aggregate_bucket_of(plan, first), bucket);
    assert_int_equal(taud_aggregate_bucket_of(plan, last), bucket);
}

static int64_t floor_of(int64_t number, int64_t divisor)
{
    int64_t quotient = number / divisor;
    return number % divisor < 0 ? quotient - 1 : quotient;
}

static void small_numbers_are_as_division_has_them(void **state)
{
    (void)state;
    for (int64_t width = 1; width <= 9; width++) {
        for (int64_t origin = -11; origin <= 11; origin++) {
            for (int64_t from = -20; from <= 20; from += 3) {
                struct taud_aggregate_plan plan;
                int64_t to = from + 31, first = floor_of(from - origin, width);
                assert_int_equal(plan_of(from, to, (uint64_t)width, origin, &plan), 0);
                assert_true(plan.bucket_count == floor_of(to - origin, width) - first + 1);
                for (int64_t t = from; t <= to; t++) {
                    int64_t number = floor_of(t - origin, width);
                    uint32_t bucket = taud_aggregate_bucket_of(&plan, t);
                    int64_t start = origin + number * width, last = start + width - 1;
                    assert_true(bucket == number - first);
                    expect_bucket(&plan, bucket, start, start < from ? from : start,
                                  last > to ? to : last);
                }
            }
        }
    }
}

static void both_ends_of_time(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    assert_int_equal(plan_of(INT64_MIN, INT64_MAX, UINT64_MAX, INT64_MIN, &plan), 0);
    assert_int_equal(plan.bucket_count, 2);
    expect_bucket(&plan, 0, INT64_MIN, INT64_MIN, INT64_MAX - 1);
    expect_bucket(&plan, 1, INT64_MAX, INT64_MAX, INT64_MAX);

    // The first bucket would begin before time does.
    assert_int_equal(plan_of(INT64_MIN, INT64_MAX, UINT64_MAX, 0, &plan), 0);
    assert_int_equal(plan.bucket_count, 2);
    expect_bucket(&plan, 0, INT64_MIN, INT64_MIN, -1);
    expect_bucket(&plan, 1, 0, 0, INT64_MAX);

    assert_int_equal(plan_of(INT64_MIN, INT64_MAX, UINT64_C(1) << 63, 5, &plan), 0);
    assert_int_equal(plan.bucket_count, 3);
    expect_bucket(&plan, 0, INT64_MIN, INT64_MIN, INT64_MIN + 4);
    expect_bucket(&plan, 1, INT64_MIN + 5, INT64_MIN + 5, 4);
    expect_bucket(&plan, 2, 5, 5, INT64_MAX);

    assert_int_equal(plan_of(INT64_MAX - 3, INT64_MAX, 2, INT64_MIN, &plan), 0);
    assert_int_equal(plan.bucket_count, 2);
    expect_bucket(&plan, 1, INT64_MAX - 1, INT64_MAX - 1, INT64_MAX);

    assert_int_equal(plan_of(INT64_MIN, INT64_MIN + 2, 2, INT64_MAX, &plan), 0);
    assert_int_equal(plan.bucket_count, 2);
    expect_bucket(&plan, 0, INT64_MIN, INT64_MIN, INT64_MIN);
    expect_bucket(&plan, 1, INT64_MIN + 1, INT64_MIN + 1, INT64_MIN + 2);
}

static void width_zero_is_one_bucket(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    assert_int_equal(plan_of(INT64_MIN, INT64_MAX, 0, 77, &plan), 0);
    assert_int_equal(plan.bucket_count, 1);
    expect_bucket(&plan, 0, INT64_MIN, INT64_MIN, INT64_MAX);
    assert_int_equal(plan_of(-5, -5, 0, 0, &plan), 0);
    expect_bucket(&plan, 0, -5, -5, -5);
}

static void nothing_lies_in_a_range_that_is_turned_round(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    assert_int_equal(plan_of(1, 0, 1, 0, &plan), 0);
    assert_int_equal(plan.bucket_count, 0);
    assert_false(taud_aggregate_fits(&plan, 0, 0));
    assert_false(taud_aggregate_fits(&plan, 0, 1));
}

static void buckets_are_bounded(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    int64_t most = (int64_t)TAUD_AGGREGATE_BUCKETS_MAX * 10;
    assert_int_equal(plan_of(0, most - 1, 10, 0, &plan), 0);
    assert_int_equal(plan.bucket_count, TAUD_AGGREGATE_BUCKETS_MAX);
    assert_int_equal(plan_of(0, most, 10, 0, &plan), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(plan_of(0, most - 1, 10, 5, &plan), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(plan_of(INT64_MIN, INT64_MAX, 1, 0, &plan), TAU_STATUS_LIMIT_EXCEEDED);
}

static void a_chunk_fits_when_it_is_in_one_bucket(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    assert_int_equal(plan_of(5, 34, 10, 0, &plan), 0);
    assert_true(taud_aggregate_fits(&plan, 10, 19));
    assert_true(taud_aggregate_fits(&plan, 5, 9));
    assert_true(taud_aggregate_fits(&plan, 34, 34));
    assert_false(taud_aggregate_fits(&plan, 19, 20));
    assert_false(taud_aggregate_fits(&plan, 4, 9));
    assert_false(taud_aggregate_fits(&plan, 30, 35));
    assert_false(taud_aggregate_fits(&plan, 40, 41));
}

// The last of some columns, which are good.
static enum tau_status plan_with(enum taud_aggregate_function function, double parameter,
                                 enum taud_aggregate_fill fill, size_t count)
{
    struct taud_aggregate_plan plan;
    struct taud_aggregate_column columns[TAUD_AGGREGATE_COLUMNS_MAX + 1] = {{0}};
    columns[count > 0 ? count - 1 : 0] = (struct taud_aggregate_column){function, parameter};
    const struct taud_aggregate_options options = {
        .fill = fill, .columns = columns, .column_count = count};
    return taud_aggregate_plan_init(&plan, &options);
}

static void refusals(void **state)
{
    (void)state;
    const enum taud_aggregate_fill none = TAUD_AGGREGATE_FILL_NONE;
    enum { MOST = TAUD_AGGREGATE_COLUMNS_MAX };
    assert_int_equal(plan_with(TAUD_AGGREGATE_SUM, NAN, none, MOST), TAU_STATUS_SUCCESS);
    assert_int_equal(plan_with(TAUD_AGGREGATE_SUM, 0, none, 0), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(plan_with(TAUD_AGGREGATE_SUM, 0, none, MOST + 1), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(plan_with(TAUD_AGGREGATE_SUM, 0, TAUD_AGGREGATE_FILLS, 1),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(plan_with(TAUD_AGGREGATE_FUNCTIONS, 0, none, 3), TAU_STATUS_INVALID_ARGUMENT);
    static const double good[] = {0, 0.5, 1, -0.0}, bad[] = {-1e-9, 1.0000001, INFINITY, NAN};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(plan_with(TAUD_AGGREGATE_QUANTILE, good[i], none, 2), TAU_STATUS_SUCCESS);
        assert_int_equal(plan_with(TAUD_AGGREGATE_QUANTILE, bad[i], none, 2),
                         TAU_STATUS_INVALID_ARGUMENT);
    }
}

static void needs_are_those_of_all_columns(void **state)
{
    (void)state;
    enum {
        VALUES = TAUD_AGGREGATE_NEEDS_VALUES,
        COUNTER = VALUES | TAUD_AGGREGATE_NEEDS_ORDER,
        ALL = COUNTER | TAUD_AGGREGATE_NEEDS_TIMESTAMPS,
    };
    static const struct {
        enum taud_aggregate_function function;
        unsigned alone, with_those_before;
    } cases[] = {
        {TAUD_AGGREGATE_COUNT, 0, 0},
        {TAUD_AGGREGATE_SUM, 0, 0},
        {TAUD_AGGREGATE_MIN, 0, 0},
        {TAUD_AGGREGATE_MAX, 0, 0},
        {TAUD_AGGREGATE_MEAN, 0, 0},
        {TAUD_AGGREGATE_FIRST, 0, 0},
        {TAUD_AGGREGATE_LAST, 0, 0},
        {TAUD_AGGREGATE_STDDEV, VALUES, VALUES},
        {TAUD_AGGREGATE_STDDEV_POPULATION, VALUES, VALUES},
        {TAUD_AGGREGATE_QUANTILE, VALUES, VALUES},
        {TAUD_AGGREGATE_RATE, COUNTER, COUNTER},
        {TAUD_AGGREGATE_INCREASE, COUNTER, COUNTER},
        {TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE, ALL, ALL},
    };
    struct taud_aggregate_column columns[TAUD_AGGREGATE_FUNCTIONS] = {{0}};
    for (size_t i = 0; i < TAUD_AGGREGATE_FUNCTIONS; i++) {
        columns[i].function = cases[i].function;
        assert_int_equal(taud_aggregate_needs(&columns[i], 1), cases[i].alone);
        assert_int_equal(taud_aggregate_needs(columns, i + 1), cases[i].with_those_before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_numbers_are_as_division_has_them),
        cmocka_unit_test(both_ends_of_time),
        cmocka_unit_test(width_zero_is_one_bucket),
        cmocka_unit_test(nothing_lies_in_a_range_that_is_turned_round),
        cmocka_unit_test(buckets_are_bounded),
        cmocka_unit_test(a_chunk_fits_when_it_is_in_one_bucket),
        cmocka_unit_test(refusals),
        cmocka_unit_test(needs_are_those_of_all_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
