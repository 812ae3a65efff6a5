// SPDX-License-Identifier: MIT
// The loops over columns against the same written plainly, for every length of a rest and with
// every special value: sums must have the same bits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/fold.h"
#include "engine/codec/chunk.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 83 };

static uint64_t draw(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool same(double one, double other)
{
    uint64_t first, second;
    memcpy(&first, &one, sizeof first);
    memcpy(&second, &other, sizeof second);
    return (isnan(one) && isnan(other)) || first == second;
}

// One in `rarely` is special, 0: none.
static void draw_values(uint64_t *state, double values[MOST], unsigned rarely)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1e300, 5e-324};
    for (size_t i = 0; i < MOST; i++) {
        values[i] = (double)(int64_t)(draw(state) >> 20) / 1000 - 7e9;
        if (rarely > 0 && draw(state) % rarely == 0)
            values[i] = special[draw(state) % (sizeof special / sizeof special[0])];
    }
}

static void plainly(const double *values, size_t count, struct taud_aggregate_fold *ret)
{
    double lanes[8] = {0};
    *ret = (struct taud_aggregate_fold){0, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        lanes[i % 8] += values[i];
        ret->min = fmin(values[i], ret->min);
        ret->max = fmax(values[i], ret->max);
    }
    ret->sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
               ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

static void sums_have_one_order(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 400; round++) {
        double values[MOST];
        draw_values(&seed, values, (unsigned)round % 5 * 10);
        size_t count = (size_t)round % MOST, from = (size_t)round % 3;
        count = count < from ? 0 : count - from; // also where nothing is aligned
        struct taud_aggregate_fold expected, best, baseline;
        plainly(values + from, count, &expected);
        taud_aggregate_fold(values + from, count, &best);
        taud_aggregate_fold_baseline(values + from, count, &baseline);
        assert_true(same(best.sum, expected.sum) && same(baseline.sum, expected.sum));
        assert_true(best.min == expected.min && best.max == expected.max);
        assert_true(baseline.min == expected.min && baseline.max == expected.max);
    }
}

// So that it does not show whether a chunk's points or its summary were given.
static void a_chunk_is_summarised_alike(void **state)
{
    (void)state;
    static int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    static double values[TAUD_CHUNK_POINTS_MAX];
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    uint64_t seed = 5;
    assert_non_null(codec);
    for (int64_t i = 0; i < TAUD_CHUNK_POINTS_MAX; i++) {
        timestamps[i] = i;
        values[i] = (double)(int64_t)(draw(&seed) >> 30) / 100 - 8e6;
    }
    for (uint32_t count = 1; count <= TAUD_CHUNK_POINTS_MAX; count += count < 40 ? 1 : 41) {
        struct taud_chunk_summary summary;
        struct taud_aggregate_fold fold;
        taud_chunk_summarise(codec, timestamps, values, count, &summary);
        taud_aggregate_fold(values, count, &fold);
        assert_true(same(fold.sum, summary.sum));
        assert_true(fold.min == summary.low && fold.max == summary.high);
    }
    taud_codec_free(codec);
}

static void nan_is_passed_over_but_in_the_sum(void **state)
{
    (void)state;
    double values[17];
    for (size_t i = 0; i < 17; i++)
        values[i] = NAN;
    struct taud_aggregate_fold fold;
    taud_aggregate_fold(values, 17, &fold);
    assert_true(isnan(fold.sum) && fold.min > fold.max);
    values[16] = -3;
    taud_aggregate_fold(values, 17, &fold);
    assert_true(isnan(fold.sum) && fold.min == -3 && fold.max == -3);
    values[16] = NAN;
    values[2] = INFINITY;
    taud_aggregate_fold(values, 17, &fold);
    assert_true(isnan(fold.sum) && fold.min == INFINITY && fold.max == INFINITY);
}

static void deviation_does_not_cancel(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (size_t count = 0; count < MOST; count++) {
        double values[MOST];
        long double mean = 0, expected = 0;
        for (size_t i = 0; i < count; i++) {
            values[i] = 1e9 + (double)(draw(&seed) % 1000) / 1000;
            mean += values[i];
        }
        mean /= count > 0 ? (long double)count : 1;
        for (size_t i = 0; i < count; i++)
            expected += (values[i] - mean) * (values[i] - mean);
        // Given a mean that is a little wrong.
        double deviation = taud_aggregate_fold_deviation(values, count, (double)mean + 1e-3);
        assert_true(fabs(deviation - (double)expected) <= 1e-6 * (double)expected + 1e-12);
        assert_true(deviation >= 0);
    }
}

static void resets_are_what_counters_lose(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 300; round++) {
        double values[MOST];
        size_t count = (size_t)round % MOST;
        double expected = 0;
        for (size_t i = 0; i < count; i++) {
            values[i] = (double)(draw(&seed) % 64);
            if (i > 0 && values[i] < values[i - 1])
                expected += values[i - 1];
        }
        assert_true(taud_aggregate_fold_resets(values, count) == expected);
        if (count > 0) {
            values[draw(&seed) % count] = NAN;
            assert_true(isnan(taud_aggregate_fold_resets(values, count)));
        }
    }
}

static void held_values_weigh_by_time(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int round = 0; round < 300; round++) {
        double values[MOST], expected = 0;
        int64_t timestamps[MOST], now = -1000;
        size_t count = (size_t)round % MOST;
        for (size_t i = 0; i < count; i++) {
            values[i] = (double)(draw(&seed) % 64) - 32;
            timestamps[i] = now;
            if (i > 0)
                expected += values[i - 1] * (double)(timestamps[i] - timestamps[i - 1]);
            now += 1 + (int64_t)(draw(&seed) % 1000);
        }
        assert_true(taud_aggregate_fold_held(timestamps, values, count) == expected);
        if (count > 0) {
            values[draw(&seed) % count] = NAN;
            assert_true(isnan(taud_aggregate_fold_held(timestamps, values, count)));
        }
    }
    const int64_t all_of_time[] = {INT64_MIN, INT64_MAX};
    const double two[] = {2, 5};
    assert_true(taud_aggregate_fold_held(all_of_time, two, 2) == 2 * 18446744073709551615.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_one_order),
        cmocka_unit_test(a_chunk_is_summarised_alike),
        cmocka_unit_test(nan_is_passed_over_but_in_the_sum),
        cmocka_unit_test(deviation_does_not_cancel),
        cmocka_unit_test(resets_are_what_counters_lose),
        cmocka_unit_test(held_values_weigh_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
