// SPDX-License-Identifier: MIT
// Windows: points are cut at the edges of buckets wherever a window lies, what is before is passed
// over and what is behind is left; pieces that are appended and windows that move tell what one
// large window tells; memory may be refused at every call and is given back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/window.h"
#include "failing_allocator.h"

#include <math.h>
#include <string.h>

enum { POINTS = 700, BUCKETS = 50, WIDTH = 100 };

static struct taud_aggregate_memory memory;
static int64_t timestamps[POINTS];
static double values[POINTS];

// Points in bursts, with empty buckets between them, from 0 to 4,999.
static int make_points(void **state)
{
    (void)state;
    memory = (struct taud_aggregate_memory){taud_allocator_system(), UINT64_MAX, 0};
    for (int i = 0; i < POINTS; i++) {
        timestamps[i] = i / 70 * 500 + i % 70 * 4 + 3;
        values[i] = (i * 37 % 101) - 50;
    }
    return 0;
}

static struct taud_aggregate_plan plan_of(const struct taud_aggregate_column *columns, size_t count)
{
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_options options = {
        .from = 0,
        .to = BUCKETS * WIDTH - 1,
        .width = WIDTH,
        .origin = 0,
        .columns = columns,
        .column_count = count,
    };
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), TAU_STATUS_SUCCESS);
    return plan;
}

static const struct taud_aggregate_column all[] = {
    {TAUD_AGGREGATE_COUNT, 0},      {TAUD_AGGREGATE_SUM, 0},
    {TAUD_AGGREGATE_MIN, 0},        {TAUD_AGGREGATE_MAX, 0},
    {TAUD_AGGREGATE_MEAN, 0},       {TAUD_AGGREGATE_FIRST, 0},
    {TAUD_AGGREGATE_LAST, 0},       {TAUD_AGGREGATE_STDDEV, 0},
    {TAUD_AGGREGATE_QUANTILE, 0.9}, {TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE, 0},
    {TAUD_AGGREGATE_RATE, 0},       {TAUD_AGGREGATE_INCREASE, 0},
};
enum { ALL = sizeof all / sizeof all[0], EXACT = 7 }; // the first need no values

static struct taud_aggregate_window window_of(const struct taud_aggregate_plan *plan,
                                              uint32_t capacity)
{
    struct taud_aggregate_window window;
    assert_int_equal(taud_aggregate_window_init(&window, plan, &memory, capacity), 0);
    return window;
}

static size_t add(struct taud_aggregate_window *window, size_t from, size_t count)
{
    size_t used;
    assert_int_equal(
        taud_aggregate_window_add(window, timestamps + from, values + from, count, &used), 0);
    return used;
}

static struct taud_aggregate_bucket *bucket_of(const struct taud_aggregate_window *window,
                                               uint32_t bucket)
{
    if (bucket < window->used_first || bucket >= window->used_end)
        return NULL;
    return &window->buckets[bucket - window->first];
}

// Every bucket of `got` is as that of `expected`.
static void expect_same(const struct taud_aggregate_window *got,
                        const struct taud_aggregate_window *expected)
{
    for (uint32_t i = got->first; i < got->end; i++) {
        struct taud_aggregate_bucket *one = bucket_of(got, i), *other = bucket_of(expected, i);
        assert_true((one ? one->count : 0) == (other ? other->count : 0));
        for (size_t k = 0; one && one->count > 0 && k < got->plan->column_count; k++) {
            double first = taud_aggregate_bucket_value(one, &got->plan->columns[k]);
            double second = taud_aggregate_bucket_value(other, &got->plan->columns[k]);
            assert_true(fabs(first - second) <= 1e-13 * fabs(second) ||
                        (isnan(first) && isnan(second)));
        }
    }
}

static void points_go_into_their_buckets(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, EXACT);
    struct taud_aggregate_window window = window_of(&plan, BUCKETS);
    assert_true(add(&window, 0, POINTS) == POINTS);
    for (uint32_t i = 0; i < BUCKETS; i++) {
        double sum = 0;
        size_t count = 0;
        for (size_t k = 0; k < POINTS; k++) {
            if (timestamps[k] / WIDTH == i) {
                sum += values[k];
                count++;
            }
        }
        struct taud_aggregate_bucket *bucket = bucket_of(&window, i);
        assert_true((bucket ? bucket->count : 0) == count);
        if (count > 0)
            assert_true(taud_aggregate_bucket_value(bucket, &all[1]) == sum);
    }
    taud_aggregate_window_done(&window);
    assert_true(memory.used_bytes == 0);
}

static void points_outside_are_passed_over_or_left(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, EXACT);
    struct taud_aggregate_window window = window_of(&plan, 3);
    taud_aggregate_window_place(&window, 10); // 1,000 to 1,299
    size_t used = add(&window, 0, POINTS), before = 0;
    while (timestamps[before] < 1000)
        before++;
    assert_true(used == before + 70 && timestamps[used] >= 1300);
    assert_true(add(&window, used, POINTS - used) == 0);
    assert_true(add(&window, 0, before) == before);
    assert_true(add(&window, 0, 0) == 0);
    assert_null(bucket_of(&window, 13));
    uint64_t count = 0;
    for (uint32_t i = 10; i < 13; i++)
        count += bucket_of(&window, i) ? bucket_of(&window, i)->count : 0;
    assert_true(count == 70);
    taud_aggregate_window_done(&window);
}

static void a_range_cuts_points_at_both_ends(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan;
    struct taud_aggregate_options options = {
        .from = 7, .to = 1015, .width = 0, .columns = all, .column_count = EXACT};
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), 0);
    struct taud_aggregate_window window = window_of(&plan, 9);
    assert_true(add(&window, 0, POINTS) == 144); // 2 x 70, and 1003, 1007, 1011, 1015
    assert_true(bucket_of(&window, 0)->count == 143);
    assert_true(bucket_of(&window, 0)->first_timestamp == 7);
    assert_true(bucket_of(&window, 0)->last_timestamp == 1015);
    taud_aggregate_window_done(&window);

    options.from = 8;
    options.to = 7;
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), 0);
    window = window_of(&plan, 9);
    assert_true(add(&window, 0, POINTS) == 0);
    taud_aggregate_window_done(&window);
    assert_true(memory.used_bytes == 0);
}

static void windows_that_move_are_as_one(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, ALL);
    struct taud_aggregate_window large = window_of(&plan, BUCKETS);
    const struct taud_aggregate_series known = {true, -77, 13, timestamps[POINTS - 1]};
    struct taud_aggregate_series series = known;
    add(&large, 0, POINTS);
    taud_aggregate_window_close(&large, &series);
    assert_true(series.has_prior && series.prior_timestamp == timestamps[POINTS - 1]);
    assert_true(series.prior == values[POINTS - 1]);
    for (uint32_t capacity = 1; capacity <= BUCKETS; capacity += 7) {
        struct taud_aggregate_window small = window_of(&plan, capacity);
        size_t done = 0;
        series = known;
        for (uint32_t first = 0; first < BUCKETS; first = small.end) {
            taud_aggregate_window_place(&small, first);
            for (size_t used = 11; used == 11 && done < POINTS; done += used)
                used = add(&small, done, POINTS - done < 11 ? POINTS - done : 11);
            taud_aggregate_window_close(&small, &series);
            expect_same(&small, &large);
        }
        assert_true(done == POINTS);
        taud_aggregate_window_done(&small);
    }
    taud_aggregate_window_done(&large);
    assert_true(memory.used_bytes == 0);
}

static void appended_pieces_are_as_one(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, ALL);
    struct taud_aggregate_window whole = window_of(&plan, BUCKETS);
    const struct taud_aggregate_series known = {.end = INT64_MAX};
    struct taud_aggregate_series series = known;
    add(&whole, 0, POINTS);
    taud_aggregate_window_close(&whole, &series);
    for (size_t cut = 0; cut <= POINTS; cut += 3) {
        struct taud_aggregate_window earlier = window_of(&plan, BUCKETS);
        struct taud_aggregate_window later = window_of(&plan, BUCKETS);
        add(&earlier, 0, cut);
        add(&later, cut, POINTS - cut);
        assert_int_equal(taud_aggregate_window_append(&earlier, &later), 0);
        series = known;
        taud_aggregate_window_close(&earlier, &series);
        expect_same(&earlier, &whole);
        taud_aggregate_window_done(&earlier);
        taud_aggregate_window_done(&later);
    }
    taud_aggregate_window_done(&whole);
}

// What it took counts towards the other memory; what it was is empty.
static void a_window_that_is_moved_is_the_same(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, ALL);
    struct taud_aggregate_series series = {.end = INT64_MAX};
    struct taud_aggregate_window whole = window_of(&plan, BUCKETS), window, moved;
    struct taud_aggregate_memory from = memory, to = memory;
    from.used_bytes = to.used_bytes = 0;
    assert_int_equal(taud_aggregate_window_init(&window, &plan, &from, BUCKETS), 0);
    for (int turn = 0; turn < 2; turn++) {
        size_t used;
        taud_aggregate_window_add(turn ? &whole : &window, timestamps, values, POINTS, &used);
        taud_aggregate_window_close(turn ? &whole : &window, &series);
        series = (struct taud_aggregate_series){.end = INT64_MAX};
    }
    uint64_t bytes = from.used_bytes;
    assert_true(bytes > BUCKETS * sizeof(struct taud_aggregate_bucket));
    taud_aggregate_window_move(&moved, &to, &window);
    assert_true(from.used_bytes == 0 && to.used_bytes == bytes);
    taud_aggregate_window_done(&window);
    expect_same(&moved, &whole);
    taud_aggregate_window_done(&moved);
    assert_true(from.used_bytes == 0 && to.used_bytes == 0);
    taud_aggregate_window_done(&whole);
}

static bool wants(const struct taud_aggregate_window *window, int64_t first, int64_t last,
                  unsigned form)
{
    return (unsigned)taud_aggregate_window_wants(window, first, last) == form;
}

enum {
    NOTHING = TAUD_AGGREGATE_FORM_NOTHING,
    SUMMARY = TAUD_AGGREGATE_FORM_SUMMARY,
    VALUES = TAUD_AGGREGATE_FORM_VALUES,
    COLUMNS = TAUD_AGGREGATE_FORM_COLUMNS,
    LATER = TAUD_AGGREGATE_FORM_LATER,
};

static void chunks_are_asked_for_as_little_as_will_do(void **state)
{
    (void)state;
    static const struct taud_aggregate_column held = {TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE, 0};
    struct taud_aggregate_plan plan = plan_of(all, EXACT);
    struct taud_aggregate_window window = window_of(&plan, 3);
    taud_aggregate_window_place(&window, 10); // 1,000 to 1,299
    assert_true(wants(&window, 900, 999, NOTHING) && wants(&window, INT64_MIN, -1, NOTHING));
    assert_true(wants(&window, 900, 1000, COLUMNS) && wants(&window, 1000, 1000, SUMMARY));
    assert_true(wants(&window, 1000, 1099, SUMMARY) && wants(&window, 1099, 1100, COLUMNS));
    assert_true(wants(&window, 1200, 1299, SUMMARY) && wants(&window, 1299, 1300, COLUMNS));
    assert_true(wants(&window, 1300, 1300, LATER) && wants(&window, 4999, 5000, LATER));
    assert_true(wants(&window, 5000, INT64_MAX, NOTHING));
    assert_true(wants(&window, INT64_MIN, INT64_MAX, COLUMNS));
    taud_aggregate_window_done(&window);

    plan = plan_of(&held, 1);
    window = window_of(&plan, 3);
    assert_true(wants(&window, 3, 15, COLUMNS) && wants(&window, 300, 315, LATER));
    taud_aggregate_window_done(&window);
    plan.bucket_count = 0;
    window = window_of(&plan, 3);
    assert_true(wants(&window, 3, 15, NOTHING));
    taud_aggregate_window_done(&window);
}

static void each_form_tells_the_same(void **state)
{
    (void)state;
    struct taud_aggregate_plan plan = plan_of(all, EXACT);
    struct taud_aggregate_window window = window_of(&plan, 5), columns = window_of(&plan, 5);
    // The first four points lie from 3 to 15.
    const struct taud_chunk_summary summary = {
        .count = 4,
        .number_count = 4,
        .first_timestamp = timestamps[0],
        .last_timestamp = timestamps[3],
        .first = values[0],
        .last = values[3],
        .low = fmin(fmin(values[0], values[1]), fmin(values[2], values[3])),
        .high = fmax(fmax(values[0], values[1]), fmax(values[2], values[3])),
        .sum = values[0] + values[1] + values[2] + values[3],
    };
    assert_true(wants(&window, 3, 15, SUMMARY));
    taud_aggregate_window_add_summary(&window, &summary);
    add(&columns, 0, 4);
    expect_same(&window, &columns);
    taud_aggregate_window_done(&window);
    taud_aggregate_window_done(&columns);

    static const struct taud_aggregate_column some[] = {
        {TAUD_AGGREGATE_STDDEV, 0}, {TAUD_AGGREGATE_QUANTILE, 0.3}, {TAUD_AGGREGATE_INCREASE, 0}};
    plan = plan_of(some, 3);
    window = window_of(&plan, 5);
    columns = window_of(&plan, 5);
    assert_true(wants(&window, timestamps[0], timestamps[9], VALUES));
    assert_int_equal(
        taud_aggregate_window_add_values(&window, timestamps[0], timestamps[9], values, 10), 0);
    add(&columns, 0, 10);
    expect_same(&window, &columns);
    taud_aggregate_window_done(&window);
    taud_aggregate_window_done(&columns);
    assert_true(memory.used_bytes == 0);
}

// Points from one number up to another as a folded part.
static struct taud_chunk_part part_of(size_t from, size_t to)
{
    struct taud_chunk_part part = {
        .summary = {
            .count = (uint32_t)(to - from),
            .number_count = (uint32_t)(to - from),
            .first_timestamp = timestamps[from],
            .last_timestamp = timestamps[to - 1],
            .first = values[from],
            .last = values[to - 1],
            .low = INFINITY,
            .high = -INFINITY,
        }};
    for (size_t i = from; i < to; i++) {
        part.summary.low = fmin(part.summary.low, values[i]);
        part.summary.high = fmax(part.summary.high, values[i]);
        part.summary.sum += values[i];
    }
    double mean = part.summary.sum / (double)(to - from);
    for (size_t i = from; i < to; i++)
        part.deviation += (values[i] - mean) * (values[i] - mean);
    return part;
}

// Cuts a run at the ends that a window gives and adds what lies between them.
static uint32_t add_parts(struct taud_aggregate_window *window, size_t from, size_t count)
{
    int64_t ends[BUCKETS];
    unsigned wanted = 0;
    size_t end = from + count;
    uint32_t end_count = taud_aggregate_window_ends(window, timestamps[from], timestamps[end - 1],
                                                    ends, BUCKETS, &wanted);
    for (uint32_t i = 0; i < end_count; i++) {
        size_t to = from;
        assert_true(i == 0 || ends[i] > ends[i - 1]);
        while (to < end && timestamps[to] <= ends[i])
            to++;
        const struct taud_chunk_part part = part_of(from, to > from ? to : from + 1);
        if (to > from)
            taud_aggregate_window_add_part(window, &part);
        from = to;
    }
    return end_count;
}

static void folded_parts_tell_the_same(void **state)
{
    (void)state;
    static const struct taud_aggregate_column deviations[] = {
        {TAUD_AGGREGATE_STDDEV, 0}, {TAUD_AGGREGATE_MAX, 0}, {TAUD_AGGREGATE_STDDEV_POPULATION, 0}};
    for (int turn = 0; turn < 2; turn++) {
        struct taud_aggregate_plan plan = turn == 0 ? plan_of(all, EXACT) : plan_of(deviations, 3);
        struct taud_aggregate_window window = window_of(&plan, BUCKETS);
        struct taud_aggregate_window columns = window_of(&plan, BUCKETS);
        assert_int_equal(add_parts(&window, 0, 60), 3);
        assert_int_equal(add_parts(&window, 60, 150), 11); // of which some are empty
        assert_true(add(&columns, 0, 210) == 210);
        expect_same(&window, &columns);
        taud_aggregate_window_done(&window);
        taud_aggregate_window_done(&columns);
    }
    assert_true(memory.used_bytes == 0);
}

static void parts_are_given_only_where_they_are_enough(void **state)
{
    (void)state;
    int64_t ends[BUCKETS];
    unsigned wanted;
    for (size_t i = 0; i < ALL; i++) {
        struct taud_aggregate_plan plan = plan_of(&all[i], 1);
        struct taud_aggregate_window window = window_of(&plan, 3);
        taud_aggregate_window_place(&window, 10); // 1,000 to 1,299
        bool folds = i <= 7;                      // up to the deviation
        assert_int_equal(taud_aggregate_folds(&plan), folds);
        assert_int_equal(taud_aggregate_window_ends(&window, 1000, 1299, ends, 3, &wanted),
                         folds ? 3 : 0);
        if (folds)
            assert_true(ends[0] == 1099 && ends[1] == 1199 && ends[2] == 1299);
        if (folds)
            assert_int_equal(wanted, i == 2 || i == 3 ? TAUD_FOLD_EXTREMES
                                     : i == 7         ? TAUD_FOLD_DEVIATION
                                                      : 0);
        assert_int_equal(taud_aggregate_window_ends(&window, 1000, 1299, ends, 2, &wanted), 0);
        assert_int_equal(taud_aggregate_window_ends(&window, 999, 1299, ends, 3, &wanted), 0);
        assert_int_equal(taud_aggregate_window_ends(&window, 1000, 1300, ends, 3, &wanted), 0);
        taud_aggregate_window_place(&window, BUCKETS);
        assert_int_equal(taud_aggregate_window_ends(&window, 1000, 1299, ends, 3, &wanted), 0);
        taud_aggregate_window_done(&window);
    }
}

static void held_values_reach_into_empty_buckets(void **state)
{
    (void)state;
    static const struct taud_aggregate_column column = {TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE, 0};
    struct taud_aggregate_plan plan = plan_of(&column, 1);
    struct taud_aggregate_window window = window_of(&plan, BUCKETS);
    struct taud_aggregate_series series = {.end = 777};
    static const int64_t time = 250;
    static const double value = 6;
    size_t used;
    assert_int_equal(taud_aggregate_window_add(&window, &time, &value, 1, &used), 0);
    taud_aggregate_window_close(&window, &series);
    assert_null(bucket_of(&window, 1));
    assert_true(bucket_of(&window, 2)->held_ns == 50);
    assert_true(bucket_of(&window, 3)->held_ns == 100 && bucket_of(&window, 3)->integral == 600);
    assert_true(bucket_of(&window, 7)->held_ns == 77);
    assert_null(bucket_of(&window, 8));

    // No point at all in the window, but one before it; and what ended before it.
    series = (struct taud_aggregate_series){true, -5, 6, 150};
    taud_aggregate_window_place(&window, 0);
    taud_aggregate_window_close(&window, &series);
    assert_true(bucket_of(&window, 0)->integral == 600 && bucket_of(&window, 1)->held_ns == 50);
    assert_null(bucket_of(&window, 2));
    taud_aggregate_window_place(&window, 2);
    taud_aggregate_window_close(&window, &series);
    assert_null(bucket_of(&window, 2));
    taud_aggregate_window_done(&window);
}

static bool work(struct taud_aggregate_memory *bounded)
{
    struct taud_aggregate_plan plan = plan_of(all, ALL);
    struct taud_aggregate_window one = {.plan = &plan, .memory = bounded};
    struct taud_aggregate_window other = one, third = one;
    struct taud_aggregate_series series = {.end = INT64_MAX};
    size_t used;
    bool done = !taud_aggregate_window_init(&one, &plan, bounded, BUCKETS) &&
                !taud_aggregate_window_init(&other, &plan, bounded, BUCKETS) &&
                !taud_aggregate_window_init(&third, &plan, bounded, BUCKETS) &&
                !taud_aggregate_window_add(&one, timestamps, values, POINTS / 2 + 5, &used) &&
                !taud_aggregate_window_add(&other, timestamps + POINTS / 2 + 5,
                                           values + POINTS / 2 + 5, POINTS / 2 - 5, &used) &&
                !taud_aggregate_window_append(&one, &other);
    if (done) {
        taud_aggregate_window_close(&one, &series);
        done = !taud_aggregate_window_combine(&third, &one);
    }
    taud_aggregate_window_done(&third);
    taud_aggregate_window_done(&other);
    taud_aggregate_window_done(&one);
    return done;
}

static void memory_may_be_refused(void **state)
{
    (void)state;
    bool done = false;
    for (unsigned at = 1; !done; at++) {
        for (int for_good = 0; for_good < 2; for_good++) {
            struct failing_allocator failing;
            failing_allocator_init(&failing, at, for_good);
            struct taud_aggregate_memory bounded = {&failing.table, UINT64_MAX, 0};
            done = work(&bounded);
            assert_true(bounded.used_bytes == 0 && failing.live == 0);
            assert_true(done == (failing.calls < at));
        }
        assert_true(!done || at > 50);
    }
    struct taud_aggregate_memory bounded = {taud_allocator_system(), 3 * BUCKETS * 128, 0};
    assert_false(work(&bounded));
    assert_true(bounded.used_bytes == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_go_into_their_buckets),
        cmocka_unit_test(points_outside_are_passed_over_or_left),
        cmocka_unit_test(a_range_cuts_points_at_both_ends),
        cmocka_unit_test(windows_that_move_are_as_one),
        cmocka_unit_test(appended_pieces_are_as_one),
        cmocka_unit_test(a_window_that_is_moved_is_the_same),
        cmocka_unit_test(chunks_are_asked_for_as_little_as_will_do),
        cmocka_unit_test(each_form_tells_the_same),
        cmocka_unit_test(folded_parts_tell_the_same),
        cmocka_unit_test(parts_are_given_only_where_they_are_enough),
        cmocka_unit_test(held_values_reach_into_empty_buckets),
        cmocka_unit_test(memory_may_be_refused),
    };
    return cmocka_run_group_tests(tests, make_points, NULL);
}
