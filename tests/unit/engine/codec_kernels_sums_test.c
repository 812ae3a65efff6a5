// SPDX-License-Identifier: MIT
// What the kernels add up, against loops over the same values in the same lanes, or over integers
// of 64 bits: every set of instructions gives the same bits.
#include "codec_rig.h"

enum { COUNT = CODEC_POINTS, ROWS = COUNT / CODEC_LANES };

static void adds(const struct codec_kernels *kernels, uint64_t seed)
{
    static double values[COUNT];
    rig_draw_values(values, COUNT, seed);
    for (int wanted = CODEC_SUM; wanted <= CODEC_EXTREMES; wanted++) {
        struct codec_lanes lanes, expected;
        codec_lanes_init(&lanes);
        codec_lanes_init(&expected);
        for (size_t i = 0; i < COUNT; i++)
            codec_lanes_add(&expected, i, values[i]);
        kernels->sums->add[wanted](values, ROWS, &lanes);
        assert_int_equal(lanes.count, expected.count);
        for (size_t i = 0; i < CODEC_LANES; i++) {
            assert_true(lanes.sum[i] == expected.sum[i] || isnan(expected.sum[i]));
            if (wanted >= CODEC_EXTREMES)
                assert_true(lanes.low[i] == expected.low[i] && lanes.high[i] == expected.high[i]);
        }
    }
}

static void adds_integers(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint32_t items[COUNT];
    static uint64_t wide[COUNT];
    static double values[COUNT], again[COUNT];
    int64_t base = seed % 4 == 0 ? 0 : (int64_t)(rig_random(&seed) >> 14) - (INT64_C(1) << 49);
    for (size_t i = 0; i < COUNT; i++) {
        items[i] = (uint32_t)rig_random(&seed);
        wide[i] = (uint64_t)base + (uint64_t)(int64_t)(int32_t)items[i];
    }
    kernels->alp_decode_narrow(items, ROWS, base, &rig_cents, values);
    kernels->alp_decode_wide(wide, ROWS, &rig_cents, again);
    assert_memory_equal(values, again, sizeof values);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(values[i] == (double)(int64_t)wide[i] * rig_cents.factor * rig_cents.fraction);
    for (int wanted = CODEC_SUM; wanted <= CODEC_EXTREMES; wanted++) {
        struct codec_lanes lanes, expected;
        codec_lanes_init(&lanes);
        codec_lanes_init(&expected);
        kernels->sums->alp_add_narrow[wanted](items, ROWS, base, &rig_cents, &lanes);
        kernels->sums->add[wanted](values, ROWS, &expected);
        assert_memory_equal(&lanes, &expected, sizeof lanes);
    }
}

static void measures_distances(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint32_t items[COUNT];
    static double values[COUNT];
    const double middle = 12345.67;
    struct codec_distances lanes = {{0}, {0}}, lifted = {{0}, {0}}, expected = {{0}, {0}};
    for (size_t i = 0; i < COUNT; i++)
        items[i] = (uint32_t)rig_random(&seed);
    kernels->alp_decode_narrow(items, ROWS, -777, &rig_cents, values);
    for (size_t i = 0; i < COUNT; i++) {
        double distance = values[i] - middle;
        expected.sum[i % CODEC_LANES] += distance;
        expected.squares[i % CODEC_LANES] += distance * distance;
    }
    kernels->sums->distances(values, ROWS, middle, &lanes);
    kernels->sums->alp_distances(items, ROWS, -777, &rig_cents, middle, &lifted);
    assert_memory_equal(&lanes, &expected, sizeof lanes);
    assert_memory_equal(&lifted, &expected, sizeof lifted);
}

static void expect_moments(const struct codec_moments *found, const int64_t *items, size_t count)
{
    struct codec_moments expected = {0, 0};
    for (size_t i = 0; i < count; i++) {
        expected.sum += items[i];
        expected.squares += (uint64_t)(items[i] * items[i]);
    }
    assert_true(found->sum == expected.sum && found->squares == expected.squares);
}

// Around any origin, up to the limit on either side, or all of them as far from it as they may be.
static void makes_moments(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint32_t items[COUNT];
    static int64_t distances[COUNT];
    struct codec_moments found = {0, 0};
    const uint64_t kind = seed;
    size_t count = kind % 4 == 0 ? COUNT : 1 + (size_t)(rig_random(&seed) % COUNT);
    uint32_t origin = (uint32_t)rig_random(&seed);
    uint64_t reach = UINT64_C(1) << rig_random(&seed) % 25;
    int64_t far = rig_random(&seed) % 2 == 0 ? CODEC_MOMENT_LIMIT - 1 : 1 - CODEC_MOMENT_LIMIT;
    for (size_t i = 0; i < count; i++) {
        distances[i] = (int64_t)(rig_random(&seed) % (2 * reach - 1)) - (int64_t)reach + 1;
        if (kind % 4 == 0)
            distances[i] = far;
        items[i] = origin + (uint32_t)distances[i];
    }
    kernels->sums->moments(items, count, origin, &found);
    expect_moments(&found, distances, count);
}

// The same of where steps lead; what stands before the first of them is of no account.
static void makes_moments_of_steps(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint32_t steps[COUNT];
    static int64_t distances[COUNT];
    struct codec_moments found = {0, 0};
    const uint64_t kind = seed;
    size_t count = kind % 4 == 0 ? COUNT : 1 + (size_t)(rig_random(&seed) % COUNT);
    int64_t reach = INT64_C(1) << rig_random(&seed) % 15, step;
    for (size_t i = 0; i < count; i++) {
        step = (int64_t)(rig_random(&seed) % (2 * (uint64_t)reach - 1)) - reach + 1;
        if (kind % 3 == 0)
            step = kind % 2 == 0 ? reach - 1 : 1 - reach;
        distances[i] = i == 0 ? 0 : distances[i - 1] + step;
        steps[i] = i == 0 ? (uint32_t)rig_random(&seed) : (uint32_t)step;
    }
    kernels->sums->step_moments(steps, count, &found);
    expect_moments(&found, distances, count);
}

static void they_make_moments(void **state)
{
    (void)state;
    rig_with_kernels(makes_moments);
    rig_with_kernels(makes_moments_of_steps);
}

static void they_add(void **state)
{
    (void)state;
    rig_with_kernels(adds);
    rig_with_kernels(adds_integers);
}

static void they_measure_distances(void **state)
{
    (void)state;
    rig_with_kernels(measures_distances);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_add),
        cmocka_unit_test(they_measure_distances),
        cmocka_unit_test(they_make_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
