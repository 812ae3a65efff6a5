// SPDX-License-Identifier: MIT
// One bucket: what each function tells of a piece, of pieces that follow each other, of several
// series, at the edges of time and with special values. Numbers are small enough to check by head.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/bucket.h"

#include <math.h>
#include <string.h>

enum {
    FOLD = TAUD_AGGREGATE_PART_SUM | TAUD_AGGREGATE_PART_EXTREMES,
    ALL = FOLD | TAUD_AGGREGATE_PART_DEVIATION | TAUD_AGGREGATE_PART_SKETCH |
          TAUD_AGGREGATE_PART_HELD | TAUD_AGGREGATE_PART_COUNTER,
};

static struct taud_aggregate_memory memory;

static void add(struct taud_aggregate_bucket *bucket, unsigned parts, const int64_t *timestamps,
                const double *values, size_t count)
{
    const struct taud_aggregate_run run = {count, timestamps, values, timestamps[0],
                                           timestamps[count - 1]};
    assert_true(taud_aggregate_bucket_add(bucket, parts, &run, &memory));
}

static void add_one(struct taud_aggregate_bucket *bucket, unsigned parts, int64_t timestamp,
                    double value)
{
    add(bucket, parts, &timestamp, &value, 1);
}

static double ask(struct taud_aggregate_bucket *bucket, enum taud_aggregate_function function)
{
    const struct taud_aggregate_column column = {function, 0.5};
    return taud_aggregate_bucket_value(bucket, &column);
}

static struct taud_aggregate_bucket fresh(void)
{
    struct taud_aggregate_bucket bucket;
    memory = (struct taud_aggregate_memory){taud_allocator_system(), UINT64_MAX, 0};
    taud_aggregate_bucket_init(&bucket);
    return bucket;
}

static struct taud_aggregate_edges edges_of(int64_t first, int64_t last, int64_t end)
{
    return (struct taud_aggregate_edges){.first_instant = first, .last_instant = last, .end = end};
}

static void expect_bits(double got, uint64_t expected)
{
    uint64_t bits;
    memcpy(&bits, &got, sizeof bits);
    assert_true(bits == expected);
}

static void simple_functions(void **state)
{
    (void)state;
    static const int64_t timestamps[] = {1, 2, 5, 9};
    static const double values[] = {4, -2, 7, 3};
    struct taud_aggregate_bucket bucket = fresh();
    add(&bucket, ALL, timestamps, values, 4);
    assert_true(ask(&bucket, TAUD_AGGREGATE_COUNT) == 4);
    assert_true(ask(&bucket, TAUD_AGGREGATE_SUM) == 12);
    assert_true(ask(&bucket, TAUD_AGGREGATE_MIN) == -2);
    assert_true(ask(&bucket, TAUD_AGGREGATE_MAX) == 7);
    assert_true(ask(&bucket, TAUD_AGGREGATE_MEAN) == 3);
    assert_true(ask(&bucket, TAUD_AGGREGATE_FIRST) == 4);
    assert_true(ask(&bucket, TAUD_AGGREGATE_LAST) == 3);
    assert_true(ask(&bucket, TAUD_AGGREGATE_STDDEV_POPULATION) == sqrt(42.0 / 4));
    assert_true(ask(&bucket, TAUD_AGGREGATE_STDDEV) == sqrt(42.0 / 3));
    assert_true(ask(&bucket, TAUD_AGGREGATE_QUANTILE) == 3.5);
    taud_aggregate_bucket_done(&bucket, &memory);
    assert_true(memory.used_bytes == 0);
}

static void a_single_point(void **state)
{
    (void)state;
    struct taud_aggregate_bucket bucket = fresh();
    struct taud_aggregate_edges edges = edges_of(0, 99, 50);
    add_one(&bucket, ALL, 50, 8);
    taud_aggregate_bucket_close(&bucket, ALL, &edges);
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_STDDEV)));
    assert_true(ask(&bucket, TAUD_AGGREGATE_STDDEV_POPULATION) == 0);
    assert_true(ask(&bucket, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE) == 8);
    assert_true(ask(&bucket, TAUD_AGGREGATE_INCREASE) == 0);
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_RATE)));
    taud_aggregate_bucket_done(&bucket, &memory);
}

static void what_is_rounded_away_is_kept(void **state)
{
    (void)state;
    struct taud_aggregate_bucket bucket = fresh();
    add_one(&bucket, FOLD, 0, 1e16);
    for (int i = 1; i <= 1000; i++)
        add_one(&bucket, FOLD, i, 1);
    add_one(&bucket, FOLD, 2000, -1e16);
    assert_true(ask(&bucket, TAUD_AGGREGATE_SUM) == 1000);

    // What two pieces have kept is added too.
    struct taud_aggregate_bucket earlier = fresh(), later = fresh();
    add_one(&earlier, FOLD, 1, 1e16);
    for (int i = 2; i < 9; i++) {
        add_one(&earlier, FOLD, i, 0.5);
        add_one(&later, FOLD, i + 10, 0.75);
    }
    add_one(&later, FOLD, 30, -1e16);
    add_one(&later, FOLD, 31, 0.5);
    assert_true(taud_aggregate_bucket_append(&earlier, &later, FOLD, &memory));
    assert_true(ask(&earlier, TAUD_AGGREGATE_SUM) == 9.25);
}

// Each value is rounded up when it is added to a sum beyond 8,192, by nearly half of a unit.
static void the_error_is_that_of_short_pieces(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    static int64_t timestamps[LONG];
    static double values[LONG];
    for (int i = 0; i < LONG; i++) {
        timestamps[i] = i;
        values[i] = 1 + 0x1p-40 + 0x1p-52;
    }
    struct taud_aggregate_bucket bucket = fresh();
    add(&bucket, FOLD | TAUD_AGGREGATE_PART_DEVIATION, timestamps, values, LONG);
    assert_true(fabs(ask(&bucket, TAUD_AGGREGATE_MEAN) - values[0]) <= 0x1p-44);
    assert_true(ask(&bucket, TAUD_AGGREGATE_STDDEV) < 1e-12);
}

static void nan_and_zero(void **state)
{
    (void)state;
    static const int64_t timestamps[] = {1, 2, 3};
    double values[] = {-0.0, -NAN, -0.0};
    struct taud_aggregate_bucket bucket = fresh();
    struct taud_aggregate_edges edges = edges_of(0, 9, 9);
    add(&bucket, ALL, timestamps, values, 3);
    taud_aggregate_bucket_close(&bucket, ALL, &edges);
    static const enum taud_aggregate_function calculating[] = {
        TAUD_AGGREGATE_SUM,
        TAUD_AGGREGATE_MEAN,
        TAUD_AGGREGATE_STDDEV,
        TAUD_AGGREGATE_STDDEV_POPULATION,
        TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE,
        TAUD_AGGREGATE_RATE,
        TAUD_AGGREGATE_INCREASE,
    };
    for (size_t i = 0; i < sizeof calculating / sizeof calculating[0]; i++)
        expect_bits(ask(&bucket, calculating[i]), UINT64_C(0x7ff8000000000000));
    expect_bits(ask(&bucket, TAUD_AGGREGATE_MIN), 0);
    expect_bits(ask(&bucket, TAUD_AGGREGATE_MAX), 0);
    expect_bits(ask(&bucket, TAUD_AGGREGATE_QUANTILE), 0);
    expect_bits(ask(&bucket, TAUD_AGGREGATE_FIRST), UINT64_C(1) << 63);
    assert_true(ask(&bucket, TAUD_AGGREGATE_COUNT) == 3);
    taud_aggregate_bucket_done(&bucket, &memory);

    bucket = fresh();
    add_one(&bucket, ALL, 1, -NAN);
    expect_bits(ask(&bucket, TAUD_AGGREGATE_MIN), UINT64_C(0x7ff8000000000000));
    expect_bits(ask(&bucket, TAUD_AGGREGATE_QUANTILE), UINT64_C(0x7ff8000000000000));
    expect_bits(ask(&bucket, TAUD_AGGREGATE_LAST), UINT64_C(0xfff8000000000000));
    taud_aggregate_bucket_done(&bucket, &memory);
}

// Each way to cut six points in two tells the same.
static void appended_is_as_added(void **state)
{
    (void)state;
    static const int64_t timestamps[] = {10, 20, 35, 40, 60, 75};
    static const double values[] = {5, 9, 2, 2, 8, 1};
    struct taud_aggregate_edges edges = edges_of(0, 99, 200);
    edges.has_prior = true;
    edges.prior_timestamp = -5;
    edges.prior = 7;
    for (size_t cut = 0; cut <= 6; cut++) {
        struct taud_aggregate_bucket whole = fresh(), earlier = fresh(), later = fresh();
        add(&whole, ALL, timestamps, values, 6);
        if (cut > 0)
            add(&earlier, ALL, timestamps, values, cut);
        if (cut < 6)
            add(&later, ALL, timestamps + cut, values + cut, 6 - cut);
        assert_true(taud_aggregate_bucket_append(&earlier, &later, ALL, &memory));
        taud_aggregate_bucket_close(&whole, ALL, &edges);
        taud_aggregate_bucket_close(&earlier, ALL, &edges);
        for (unsigned i = 0; i < TAUD_AGGREGATE_FUNCTIONS; i++) {
            double expected = ask(&whole, (enum taud_aggregate_function)i);
            double got = ask(&earlier, (enum taud_aggregate_function)i);
            assert_true(fabs(got - expected) <= 1e-14 * fabs(expected));
        }
        // 7 -> 5 begins anew, then +4, anew, 0, +6, anew: 5 + 4 + 2 + 0 + 6 + 1.
        assert_true(ask(&whole, TAUD_AGGREGATE_INCREASE) == 18);
        assert_true(ask(&whole, TAUD_AGGREGATE_RATE) == 18 / 80e-9);
        assert_true(ask(&whole, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE) ==
                    (7 * 10 + 5 * 10 + 9 * 15 + 2 * 25 + 8 * 15 + 1 * 25) / 100.0);
        taud_aggregate_bucket_done(&whole, &memory);
        taud_aggregate_bucket_done(&earlier, &memory);
        taud_aggregate_bucket_done(&later, &memory);
    }
}

static void a_summary_is_as_its_points(void **state)
{
    (void)state;
    struct taud_aggregate_bucket bucket = fresh();
    static const struct taud_chunk_summary summaries[] = {{3, 3, 10, 30, 1, 2, -1, 4, 5},
                                                          {2, 1, 40, 50, NAN, 3, 3, 3, 3},
                                                          {2, 0, 60, 70, NAN, NAN, NAN, NAN, 0}};
    taud_aggregate_bucket_add_summary(&bucket, &summaries[0]);
    assert_true(ask(&bucket, TAUD_AGGREGATE_SUM) == 5 && ask(&bucket, TAUD_AGGREGATE_LAST) == 2);
    taud_aggregate_bucket_add_summary(&bucket, &summaries[1]);
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_SUM)));
    assert_true(ask(&bucket, TAUD_AGGREGATE_LAST) == 3);
    taud_aggregate_bucket_add_summary(&bucket, &summaries[2]);
    assert_true(ask(&bucket, TAUD_AGGREGATE_COUNT) == 7);
    assert_true(ask(&bucket, TAUD_AGGREGATE_MIN) == -1 && ask(&bucket, TAUD_AGGREGATE_MAX) == 4);
    assert_true(ask(&bucket, TAUD_AGGREGATE_FIRST) == 1);
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_LAST)));
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_MEAN)));

    bucket = fresh();
    taud_aggregate_bucket_add_summary(&bucket, &summaries[2]);
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_SUM)));
    assert_true(isnan(ask(&bucket, TAUD_AGGREGATE_MAX)));
}

static void values_are_in_force_up_to_the_edges(void **state)
{
    (void)state;
    static const struct {
        bool has_prior;
        int64_t first, last, end; // of the bucket; the series' last point
        double expected;          // of 4 at 100 and 10 at 120, and 16 before
    } cases[] = {
        {false, 0, 199, 120, 4},                              // the last has no extent
        {false, 0, 199, 121, (4 * 20 + 10 * 1) / 21.0},       // it goes on for 1 ns
        {false, 0, 199, 199, (4 * 20 + 10 * 79) / 99.0},      // to the bucket's last
        {false, 0, 199, 200, (4 * 20 + 10 * 80) / 100.0},     // and all of that
        {false, 0, 120, 121, (4 * 20 + 10 * 1) / 21.0},       // cut by `to`
        {true, 0, 199, 120, (16 * 100 + 4 * 20) / 120.0},     // from before
        {true, 100, 199, 900, (4 * 20 + 10 * 80) / 100.0},    // nothing of it is left
        {true, 99, INT64_MAX, 120, (16 * 1 + 4 * 20) / 21.0}, // no limit to the range
        {false, INT64_MIN, INT64_MAX, INT64_MAX,
         (4 * 20 + 10 * (9223372036854775807.0 - 120)) / (9223372036854775807.0 - 100)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct taud_aggregate_bucket bucket = fresh();
        struct taud_aggregate_edges edges = edges_of(cases[i].first, cases[i].last, cases[i].end);
        edges.has_prior = cases[i].has_prior;
        edges.prior_timestamp = -1;
        edges.prior = 16;
        add_one(&bucket, ALL, 100, 4);
        add_one(&bucket, ALL, 120, 10);
        taud_aggregate_bucket_close(&bucket, ALL, &edges);
        double got = ask(&bucket, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE);
        assert_true(fabs(got - cases[i].expected) <= 1e-14 * cases[i].expected);
        taud_aggregate_bucket_done(&bucket, &memory);
    }
}

static void what_has_no_extent_does_no_harm(void **state)
{
    (void)state;
    struct taud_aggregate_bucket bucket = fresh();
    struct taud_aggregate_edges edges = edges_of(100, 199, 150);
    edges.has_prior = true;
    edges.prior_timestamp = 99;
    edges.prior = NAN;
    add_one(&bucket, TAUD_AGGREGATE_PART_HELD | FOLD, 100, 4);
    add_one(&bucket, TAUD_AGGREGATE_PART_HELD | FOLD, 150, INFINITY);
    taud_aggregate_bucket_close(&bucket, TAUD_AGGREGATE_PART_HELD, &edges);
    assert_true(ask(&bucket, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE) == 4);
}

static void an_empty_bucket_holds_what_is_in_force(void **state)
{
    (void)state;
    static const struct {
        bool has_prior;
        int64_t end;
        double held;
    } cases[] = {{false, 500, 0}, {true, 99, 0}, {true, 100, 0}, {true, 101, 1}, {true, 500, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct taud_aggregate_bucket bucket = fresh();
        struct taud_aggregate_edges edges = edges_of(100, 199, cases[i].end);
        edges.has_prior = cases[i].has_prior;
        edges.prior_timestamp = 50;
        edges.prior = 3;
        taud_aggregate_bucket_close(&bucket, ALL, &edges);
        assert_true(bucket.held_ns == cases[i].held && bucket.integral == 3 * cases[i].held);
        assert_true(bucket.count == 0 && bucket.increase == 0 && bucket.rate_count == 0);
    }
}

static void groups(void **state)
{
    (void)state;
    enum { PARTS = ALL & ~(unsigned)TAUD_AGGREGATE_PART_SKETCH };
    struct taud_aggregate_bucket one = fresh(), other = fresh(), held = fresh(), alone = fresh();
    struct taud_aggregate_edges edges = edges_of(0, 99, 1000);
    add_one(&one, PARTS, 0, 1);
    add_one(&one, PARTS, 50, 3);
    taud_aggregate_bucket_close(&one, PARTS, &edges);
    add_one(&other, PARTS, 20, 100);
    add_one(&other, PARTS, 70, 40);
    taud_aggregate_bucket_close(&other, PARTS, &edges);
    edges.has_prior = true;
    edges.prior_timestamp = -10;
    edges.prior = 5;
    taud_aggregate_bucket_close(&held, PARTS, &edges); // without points: 5 is in force
    edges.has_prior = false;
    edges.end = 10;
    add_one(&alone, PARTS, 10, 77); // tells no rate, and has no extent
    taud_aggregate_bucket_close(&alone, PARTS, &edges);

    struct taud_aggregate_bucket group = fresh();
    struct taud_aggregate_bucket *const members[] = {&one, &held, &other, &alone};
    for (size_t i = 0; i < 4; i++)
        assert_true(taud_aggregate_bucket_combine(&group, members[i], &memory));
    assert_true(ask(&group, TAUD_AGGREGATE_COUNT) == 5);
    assert_true(ask(&group, TAUD_AGGREGATE_SUM) == 221);
    assert_true(ask(&group, TAUD_AGGREGATE_MEAN) == 221 / 5.0);
    assert_true(ask(&group, TAUD_AGGREGATE_FIRST) == 1);
    assert_true(ask(&group, TAUD_AGGREGATE_LAST) == 40);
    assert_true(ask(&group, TAUD_AGGREGATE_INCREASE) == 2 + 40 + 0);
    assert_true(ask(&group, TAUD_AGGREGATE_RATE) == 2 / 50e-9 + 40 / 50e-9);
    double integral = (1 * 50 + 3 * 50) + (100 * 50 + 40 * 30) + 5 * 100;
    assert_true(ask(&group, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE) == integral / (100 + 80 + 100));
    double variance = 1 + 9 + 10000 + 1600 + 5929 - 221.0 * 221 / 5;
    assert_true(fabs(ask(&group, TAUD_AGGREGATE_STDDEV) - sqrt(variance / 4)) < 1e-12);
}

static void the_greatest_is_first_and_last_where_several_are(void **state)
{
    (void)state;
    static const double values[] = {2, NAN, 3, -0.0, -INFINITY, 0.0};
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 6; k++) {
            struct taud_aggregate_bucket one = fresh(), other = fresh();
            add_one(&one, 0, 5, values[i]);
            add_one(&other, 0, 5, values[k]);
            assert_true(taud_aggregate_bucket_combine(&one, &other, &memory));
            double first = ask(&one, TAUD_AGGREGATE_FIRST), last = ask(&one, TAUD_AGGREGATE_LAST);
            // 3, 2, +0, -0, -inf, NAN
            static const int places[] = {1, 5, 0, 3, 4, 2};
            double expected = values[places[i] < places[k] ? i : k];
            assert_memory_equal(&first, &expected, sizeof first);
            assert_memory_equal(&last, &expected, sizeof last);
        }
    }
}

static void memory_may_be_refused(void **state)
{
    (void)state;
    struct taud_aggregate_bucket full = fresh(), bucket = fresh();
    static const double value = 2;
    const struct taud_aggregate_run run = {1, NULL, &value, 1, 1};
    add_one(&full, TAUD_AGGREGATE_PART_SKETCH, 1, 2);
    for (uint64_t limit = 0; limit < sizeof(struct taud_sketch) + 128; limit += 8) {
        struct taud_aggregate_memory small = {taud_allocator_system(), limit, 0};
        assert_false(taud_aggregate_bucket_add(&bucket, TAUD_AGGREGATE_PART_SKETCH, &run, &small));
        taud_aggregate_bucket_done(&bucket, &small);
        taud_aggregate_bucket_init(&bucket);
        assert_false(
            taud_aggregate_bucket_append(&bucket, &full, TAUD_AGGREGATE_PART_SKETCH, &small));
        taud_aggregate_bucket_done(&bucket, &small);
        taud_aggregate_bucket_init(&bucket);
        assert_true(taud_aggregate_bucket_add(&bucket, FOLD, &run, &small));
        taud_aggregate_bucket_init(&bucket);
        assert_true(small.used_bytes == 0);
    }
    taud_aggregate_bucket_done(&full, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_functions),
        cmocka_unit_test(a_single_point),
        cmocka_unit_test(what_is_rounded_away_is_kept),
        cmocka_unit_test(the_error_is_that_of_short_pieces),
        cmocka_unit_test(nan_and_zero),
        cmocka_unit_test(appended_is_as_added),
        cmocka_unit_test(a_summary_is_as_its_points),
        cmocka_unit_test(values_are_in_force_up_to_the_edges),
        cmocka_unit_test(what_has_no_extent_does_no_harm),
        cmocka_unit_test(an_empty_bucket_holds_what_is_in_force),
        cmocka_unit_test(groups),
        cmocka_unit_test(the_greatest_is_first_and_last_where_several_are),
        cmocka_unit_test(memory_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
