// SPDX-License-Identifier: MIT
// Which scheme values get, and that all of them give the same back whole, in part, alone and added
// up; hints decide about nothing else.
#include "codec_rig.h"

#include "engine/codec/values.h"

static double values[CODEC_POINTS], back[CODEC_POINTS];

struct section {
    uint8_t bytes[CODEC_BYTES + 64];
    struct taud_chunk chunk;
};

static struct section section;

static void encode(struct taud_codec *codec, size_t count, enum taud_codec_effort effort,
                   struct taud_chunk_hint *hint)
{
    struct codec_lanes lanes, expected;
    memset(section.bytes, 0x3c, sizeof section.bytes);
    section.chunk = (struct taud_chunk){.values = section.bytes, .count = (uint32_t)count};
    section.chunk.values_size = (uint32_t)codec_values_encode(
        codec, values, count, effort, hint, section.bytes, &section.chunk.values_scheme, &lanes);
    assert_true(section.chunk.values_size <= count * 8);
    for (size_t i = CODEC_BYTES; i < sizeof section.bytes; i++)
        assert_int_equal(section.bytes[i], 0x3c);
    assert_true(codec_values_check(&section.chunk));
    codec_lanes_init(&expected);
    codec_values_add(codec, values, 0, count, CODEC_EXTREMES, &expected);
    assert_int_equal(lanes.count, expected.count);
    assert_true(codec_lanes_join(lanes.sum) == codec_lanes_join(expected.sum) ||
                isnan(codec_lanes_join(expected.sum)));
    assert_true(lanes.count == 0 || (codec_lanes_low(&lanes) == codec_lanes_low(&expected) &&
                                     codec_lanes_high(&lanes) == codec_lanes_high(&expected)));
}

static void check(struct taud_codec *codec)
{
    size_t count = section.chunk.count;
    assert_true(codec_values_read(codec, &section.chunk, 0, count, back));
    assert_memory_equal(back, values, count * sizeof *values);
    for (size_t from = 0; from < count; from += count / 3 + 1) {
        for (size_t to = from + 1; to <= count; to += count / 5 + 1) {
            struct codec_lanes lanes, expected;
            assert_true(codec_values_read(codec, &section.chunk, from, to, back));
            assert_memory_equal(back, values + from, (to - from) * sizeof *values);
            codec_lanes_init(&lanes);
            codec_lanes_init(&expected);
            codec_values_add(codec, values + from, from, to, CODEC_EXTREMES, &expected);
            assert_true(
                codec_values_aggregate(codec, &section.chunk, from, to, CODEC_EXTREMES, &lanes));
            assert_memory_equal(&lanes, &expected, sizeof lanes);
        }
    }
    for (size_t i = 0; i < count; i += count / 50 + 1) {
        double value;
        assert_true(codec_values_at(codec, &section.chunk, i, &value));
        assert_memory_equal(&value, &values[i], sizeof value);
    }
}

// What draws value i, and the scheme that it gets with each effort.
struct kind {
    double (*draw)(size_t i, uint64_t *seed);
    uint8_t schemes[3];
};

static double same(size_t i, uint64_t *seed)
{
    (void)i;
    (void)seed;
    return -1.0 / 3;
}

static double nan_only(size_t i, uint64_t *seed)
{
    (void)i;
    (void)seed;
    return rig_double(0x7ff0000000000001);
}

static double decimals(size_t i, uint64_t *seed)
{
    return floor(sin((double)i / 9) * 5000 + rig_unit(seed) * 100) / 100;
}

static double doubles(size_t i, uint64_t *seed)
{
    (void)i;
    return rig_unit(seed);
}

static double levels(size_t i, uint64_t *seed)
{
    (void)seed;
    return sqrt((double)(i / 50) + 2); // runs of what is no decimal
}

static double bits(size_t i, uint64_t *seed)
{
    (void)i;
    return rig_double(rig_random(seed));
}

static double again(size_t i, uint64_t *seed)
{
    (void)seed;
    return sqrt((double)(i % 40) + 2);
}

static double parts(size_t i, uint64_t *seed)
{
    return (i % 2 == 0 ? 1 : -1) *
           ldexp(1 + (double)(rig_random(seed) % 4), (int)(rig_random(seed) % 90));
}

static const struct kind kinds[] = {
    {same, {CODEC_VALUES_CONSTANT, CODEC_VALUES_CONSTANT, CODEC_VALUES_CONSTANT}},
    {nan_only, {CODEC_VALUES_CONSTANT, CODEC_VALUES_CONSTANT, CODEC_VALUES_CONSTANT}},
    {decimals, {CODEC_VALUES_ALP, CODEC_VALUES_ALP, CODEC_VALUES_ALP}},
    {doubles, {CODEC_VALUES_RAW, CODEC_VALUES_ALP_RD, CODEC_VALUES_ALP_RD}},
    {levels, {CODEC_VALUES_RAW, CODEC_VALUES_RUNS, CODEC_VALUES_RUNS}},
    {bits, {CODEC_VALUES_RAW, CODEC_VALUES_RAW, CODEC_VALUES_RAW}},
    {again, {CODEC_VALUES_RAW, CODEC_VALUES_ALP_RD, CODEC_VALUES_SQUEEZED}},
    {parts, {CODEC_VALUES_RAW, CODEC_VALUES_ALP_RD, CODEC_VALUES_SQUEEZED}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void each_kind_gets_its_scheme_and_comes_back(void **state)
{
    (void)state;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (size_t kind = 0; codec != NULL && kind < KINDS; kind++) {
            for (int effort = TAUD_EFFORT_FAST; effort <= TAUD_EFFORT_BEST; effort++) {
                for (size_t c = 0; c < RIG_COUNTS; c++) {
                    struct taud_chunk_hint hint = {0};
                    uint64_t seed = kind;
                    for (size_t i = 0; i < rig_counts[c]; i++)
                        values[i] = kinds[kind].draw(i, &seed);
                    encode(codec, rig_counts[c], (enum taud_codec_effort)effort, &hint);
                    check(codec);
                    if (rig_counts[c] == CODEC_POINTS)
                        assert_int_equal(section.chunk.values_scheme, kinds[kind].schemes[effort]);
                }
            }
        }
        taud_codec_free(codec);
    }
}

static void any_hint_is_good(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    uint64_t seed = 11;
    for (size_t run = 0; run < 500; run++) {
        struct taud_chunk_hint hint;
        uint64_t word = rig_random(&seed);
        memcpy(&hint, &word, sizeof hint);
        if (run % 2 == 0)
            hint.scheme = CODEC_VALUES_ALP;
        for (size_t i = 0; i < 200; i++)
            values[i] = kinds[run % KINDS].draw(i, &seed);
        encode(codec, 200, TAUD_EFFORT_FAST, &hint);
        check(codec);
    }
    taud_codec_free(codec);
}

// A series that changes its kind: the hint follows.
static void a_hint_follows_the_series(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct taud_chunk_hint hint = {0};
    uint64_t seed = 12;
    uint8_t last = 0;
    size_t small = 0;
    for (size_t phase = 0; phase < 4; phase++) {
        for (size_t chunk = 0; chunk < 70; chunk++) {
            for (size_t i = 0; i < CODEC_POINTS; i++)
                values[i] = phase % 2 == 0 ? floor(rig_unit(&seed) * 100) / 4 : rig_unit(&seed);
            encode(codec, CODEC_POINTS, TAUD_EFFORT_FAST, &hint);
            last = section.chunk.values_scheme;
            small = section.chunk.values_size;
        }
        assert_int_equal(last, phase % 2 == 0 ? CODEC_VALUES_ALP : CODEC_VALUES_RAW);
        assert_true(phase % 2 != 0 || small < CODEC_POINTS * 2);
    }
    taud_codec_free(codec);
}

// A series that becomes simpler costs as much as before, and gets another pair after a while.
static void a_pair_is_questioned_after_a_while(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct taud_chunk_hint hint = {0};
    uint64_t seed = 13;
    size_t sizes[100];
    for (size_t chunk = 0; chunk < 100; chunk++) {
        for (size_t i = 0; i < CODEC_POINTS; i++)
            values[i] = floor(rig_unit(&seed) * 1000) / (chunk == 0 ? 1000 : 1);
        values[0] = chunk == 0 ? 999 : values[0];
        encode(codec, CODEC_POINTS, TAUD_EFFORT_FAST, &hint);
        sizes[chunk] = section.chunk.values_size;
    }
    assert_true(sizes[1] >= CODEC_POINTS * 19 / 8);
    assert_true(sizes[99] <= CODEC_POINTS * 11 / 8);
    taud_codec_free(codec);
}

static bool reads(struct taud_codec *codec, uint8_t scheme, const void *bytes, size_t size,
                  uint32_t count)
{
    struct taud_chunk chunk = {
        .values = bytes, .values_size = (uint32_t)size, .count = count, .values_scheme = scheme};
    return codec_values_check(&chunk) && codec_values_read(codec, &chunk, 0, count, back);
}

static void sections_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    uint8_t bytes[64] = {0};
    assert_true(reads(codec, CODEC_VALUES_RAW, bytes, 16, 2));
    assert_false(reads(codec, CODEC_VALUES_RAW, bytes, 17, 2));
    assert_true(reads(codec, CODEC_VALUES_CONSTANT, bytes, 8, 1000));
    assert_false(reads(codec, CODEC_VALUES_CONSTANT, bytes, 9, 1000));
    assert_false(reads(codec, CODEC_VALUES_SQUEEZED + 1, bytes, 8, 1));
    assert_false(reads(codec, CODEC_VALUES_SQUEEZED, bytes, 1, 1));
    assert_false(reads(codec, CODEC_VALUES_SQUEEZED, bytes, 20, 1));

    // two runs of 3 and 3, whose values are constant
    uint8_t runs[] = {2, 0, 0, 0, 4, CODEC_VALUES_CONSTANT, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(reads(codec, CODEC_VALUES_RUNS, runs, sizeof runs, 6));
    for (uint32_t count = 1; count < 10; count++)
        assert_int_equal(reads(codec, CODEC_VALUES_RUNS, runs, sizeof runs, count), count == 6);
    runs[4] = 5; // lengths below zero
    assert_false(reads(codec, CODEC_VALUES_RUNS, runs, sizeof runs, 6));
    runs[4] = 4;
    runs[5] = CODEC_VALUES_RUNS; // runs of runs
    assert_false(reads(codec, CODEC_VALUES_RUNS, runs, sizeof runs, 6));
    runs[5] = CODEC_VALUES_CONSTANT;
    runs[0] = 0;
    assert_false(reads(codec, CODEC_VALUES_RUNS, runs, sizeof runs, 6));

    // runs of 512 and 513 where there is room for 1,024
    static double out[CODEC_POINTS + 1];
    const uint8_t long_runs[] = {2, 0, 0, 1, 0xfe, 0x07, 2, CODEC_VALUES_CONSTANT,
                                 1, 2, 3, 4, 5,    6,    7, 8};
    const struct taud_chunk chunk = {.values = long_runs,
                                     .values_size = sizeof long_runs,
                                     .count = CODEC_POINTS,
                                     .values_scheme = CODEC_VALUES_RUNS};
    assert_true(codec_values_check(&chunk));
    assert_false(codec_values_read(codec, &chunk, 0, CODEC_POINTS, out));
    assert_true(out[CODEC_POINTS] == 0);
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_gets_its_scheme_and_comes_back),
        cmocka_unit_test(any_hint_is_good),
        cmocka_unit_test(a_hint_follows_the_series),
        cmocka_unit_test(a_pair_is_questioned_after_a_while),
        cmocka_unit_test(sections_that_nobody_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
