// SPDX-License-Identifier: MIT
// The kernels of integers and decimals against what they are said to do, written plainly: every set
// of instructions gives the same bits.
#include "codec_rig.h"

enum { COUNT = CODEC_POINTS, ROWS = COUNT / CODEC_LANES };

static void round_plainly(const double *values, uint64_t *out, uint8_t *misses,
                          struct codec_lanes *lanes)
{
    memset(misses, 0, ROWS);
    for (size_t i = 0; i < COUNT; i++) {
        double rounded = values[i] * rig_cents.up * rig_cents.down + CODEC_MAGIC;
        double whole = rounded - CODEC_MAGIC, back = whole * rig_cents.factor * rig_cents.fraction;
        uint64_t bits[2];
        memcpy(&bits[0], &back, 8);
        memcpy(&bits[1], &values[i], 8);
        size_t lane = i % CODEC_LANES;
        memcpy(out + i, &rounded, 8);
        if (bits[0] != bits[1])
            misses[i / CODEC_LANES] |= (uint8_t)(1U << lane);
        lanes->sum[lane] += values[i];
        lanes->low[lane] = whole < lanes->low[lane] ? whole : lanes->low[lane];
        lanes->high[lane] = whole > lanes->high[lane] ? whole : lanes->high[lane];
    }
}

static void rounds(const struct codec_kernels *kernels, uint64_t seed)
{
    static double values[COUNT];
    static uint64_t out[COUNT], expected[COUNT];
    uint8_t misses[ROWS], expected_misses[ROWS];
    struct codec_lanes lanes, expected_lanes;
    rig_draw_values(values, COUNT, seed);
    codec_lanes_init(&lanes);
    codec_lanes_init(&expected_lanes);
    round_plainly(values, expected, expected_misses, &expected_lanes);
    bool all = kernels->alp_encode(values, ROWS, &rig_cents, out, misses, &lanes);
    bool expected_all = true;
    for (size_t i = 0; i < ROWS; i++)
        expected_all = expected_all && expected_misses[i] == 0;
    assert_memory_equal(misses, expected_misses, sizeof misses);
    assert_int_equal(all, expected_all);
    assert_memory_equal(lanes.low, expected_lanes.low, sizeof lanes.low);
    assert_memory_equal(lanes.high, expected_lanes.high, sizeof lanes.high);
    for (size_t i = 0; i < COUNT; i++) {
        if ((misses[i / CODEC_LANES] >> i % CODEC_LANES & 1) == 0)
            assert_true(out[i] == expected[i]);
    }
    for (size_t i = 0; i < CODEC_LANES && all; i++)
        assert_memory_equal(&lanes.sum[i], &expected_lanes.sum[i], 8);
}

// By every factor up to the largest; the ends of 32 bits, and one value that does not come back.
static void rounds_near(const struct codec_kernels *kernels, uint64_t seed)
{
    static const double wrong[] = {-0.0,   NAN,         -INFINITY, 1e-9,
                                   0x1p31, -0x1p31 - 1, -0x1p51,   0x1p52};
    static double values[COUNT];
    static uint32_t out[COUNT];
    double sum[CODEC_LANES] = {0}, expected[CODEC_LANES] = {0}, unit = seed % 2 == 0 ? 100 : 1;
    struct codec_scale scale = {.unit = unit, .factor = pow(10, (double)(seed % 14))};
    scale.fraction = 1 / (scale.factor * unit);
    for (size_t i = 0; i < COUNT; i++) {
        int32_t integer = i % 16 == 0 ? INT32_MAX : (int32_t)rig_random(&seed);
        if (i % 16 == 9)
            integer = INT32_MIN;
        values[i] = integer * scale.factor * scale.fraction;
        expected[i % CODEC_LANES] += values[i];
    }
    assert_true(kernels->alp_encode_narrow(values, ROWS, &scale, out, sum));
    assert_memory_equal(sum, expected, sizeof sum);
    for (size_t i = 0; i < COUNT; i++) {
        double back = (int32_t)out[i] * scale.factor * scale.fraction;
        assert_true(back == values[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        size_t place = (size_t)(rig_random(&seed) % COUNT);
        double kept = values[place];
        values[place] = wrong[i] / (isfinite(wrong[i]) && wrong[i] != 0 ? unit : 1);
        assert_false(kernels->alp_encode_narrow(values, ROWS, &scale, out, sum));
        values[place] = kept;
    }
}

static void works_with_integers(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint64_t items[COUNT], out[COUNT], wide[COUNT];
    static uint32_t narrow[COUNT], sums[COUNT];
    size_t count = 1 + (size_t)(rig_random(&seed) % COUNT);
    int64_t low, high, expected_low = INT64_MAX, expected_high = INT64_MIN;
    for (size_t i = 0; i < COUNT; i++) {
        items[i] = rig_random(&seed) >> (seed % 60) << (seed % 7);
        if (i < count && (int64_t)items[i] < expected_low)
            expected_low = (int64_t)items[i];
        if (i < count && (int64_t)items[i] > expected_high)
            expected_high = (int64_t)items[i];
    }
    kernels->range(items, count, &low, &high);
    assert_true(low == expected_low && high == expected_high);
    kernels->differences(items, count, out);
    for (size_t i = 1; i < count; i++)
        assert_true(out[i] == items[i] - items[i - 1]);
    kernels->narrow(items, count, 77, narrow);
    kernels->widen(narrow, count, 5, out);
    kernels->widen_signed(narrow, count, 5, wide);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(narrow[i], (uint32_t)(items[i] - 77));
        assert_true(out[i] == 5 + (uint64_t)narrow[i]);
        assert_true(wide[i] == 5 + (uint64_t)(int64_t)(int32_t)narrow[i]);
    }
    uint32_t sum = (uint32_t)seed;
    size_t rows = ROWS - (size_t)(seed % 3); // pairs of them, and a single one
    uint32_t behind = ~narrow[0];
    if (rows < ROWS)
        sums[rows * CODEC_LANES] = behind;
    kernels->add_up_narrow(narrow, rows, sum, sums);
    for (size_t i = 0; i < rows * CODEC_LANES; i++) {
        sum += narrow[i];
        assert_int_equal(sums[i], sum);
    }
    if (rows < ROWS)
        assert_int_equal(sums[rows * CODEC_LANES], behind);
    kernels->add_up_narrow(narrow, ROWS, sum, sums);
    struct codec_extremes found, known = {(int32_t)sums[0], (int32_t)sums[0], 0, 0};
    for (size_t i = 1; i < count; i++) {
        int32_t item = (int32_t)sums[i], step = (int32_t)(sums[i] - sums[i - 1]);
        known.low = item < known.low ? item : known.low;
        known.high = item > known.high ? item : known.high;
        known.low_step = i == 1 || step < known.low_step ? step : known.low_step;
        known.high_step = i == 1 || step > known.high_step ? step : known.high_step;
    }
    kernels->extremes_narrow(sums, count, &found);
    assert_memory_equal(&found, &known, sizeof found);
    kernels->spread(sums, count, items[0], items[1], items[2], out);
    for (size_t i = 0; i < count; i++)
        assert_true(out[i] == items[0] + i * items[1] + sums[i] * items[2]);
}

static void knows_steps(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint64_t items[COUNT];
    uint64_t start = rig_random(&seed), step = rig_random(&seed);
    size_t count = 1 + (size_t)(rig_random(&seed) % COUNT), place = (size_t)(seed % count);
    kernels->steps(start, step, count, items);
    for (size_t i = 0; i < count; i++)
        assert_true(items[i] == start + i * step);
    assert_true(kernels->even_steps(items, count, step));
    items[place] ^= UINT64_C(1) << seed % 64;
    assert_int_equal(kernels->even_steps(items, count, step), count == 1);
    for (size_t i = 0; i < count; i++)
        items[i] = (uint64_t)INT64_MIN + i * 3;
    assert_true(kernels->ascending((const int64_t *)items, count));
    if (place > 0) {
        items[place] = items[place - 1];
        assert_false(kernels->ascending((const int64_t *)items, count));
    }
}

static void joins(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint32_t codes[COUNT];
    static uint64_t out[COUNT], rights[COUNT];
    uint64_t dictionary[8];
    unsigned width = 48 + (unsigned)(seed % 16);
    for (size_t i = 0; i < 8; i++)
        dictionary[i] = rig_random(&seed) & codec_mask(64 - width);
    for (size_t i = 0; i < COUNT; i++) {
        codes[i] = (uint32_t)(rig_random(&seed) % 8);
        rights[i] = out[i] = rig_random(&seed) & codec_mask(width);
    }
    kernels->join(codes, dictionary, COUNT, width, out);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(out[i] == (dictionary[codes[i]] << width | rights[i]));
}

static void joins_planes(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint64_t items[COUNT], out[COUNT];
    static uint8_t planes[COUNT * 8];
    size_t count = 1 + (size_t)(rig_random(&seed) % COUNT), bytes = 1 + (size_t)(seed % 8);
    for (size_t i = 0; i < count; i++) {
        items[i] = rig_random(&seed) & codec_mask((unsigned)bytes * 8);
        for (size_t byte = 0; byte < bytes; byte++)
            planes[byte * count + i] = (uint8_t)(items[i] >> (byte * 8));
    }
    kernels->join_planes(planes, count, bytes, out);
    assert_memory_equal(out, items, count * sizeof items[0]);
}

static void they_round(void **state)
{
    (void)state;
    rig_with_kernels(rounds);
    rig_with_kernels(rounds_near);
}

static void they_work_with_integers(void **state)
{
    (void)state;
    rig_with_kernels(works_with_integers);
    rig_with_kernels(knows_steps);
    rig_with_kernels(joins);
    rig_with_kernels(joins_planes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_round),
        cmocka_unit_test(they_work_with_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
