// SPDX-License-Identifier: MIT
// Timestamps of every scheme, up to both ends of their range; points are found where a plain search
// finds them; what does not ascend is damage.
#include "codec_rig.h"

#include "engine/codec/timestamps.h"

static const int64_t start = INT64_C(1700000000000000000);

struct section {
    uint8_t bytes[CODEC_BYTES];
    struct taud_chunk chunk;
};

static void encode(struct taud_codec *codec, const int64_t *timestamps, size_t count,
                   enum taud_codec_effort effort, struct section *ret)
{
    ret->chunk = (struct taud_chunk){
        .timestamps = ret->bytes, .count = (uint32_t)count, .first_timestamp = timestamps[0]};
    ret->chunk.timestamps_size = (uint32_t)codec_timestamps_encode(
        codec, timestamps, count, effort, ret->bytes, &ret->chunk.timestamps_scheme);
    assert_true(ret->chunk.timestamps_size <= (count - 1) * 8 + 2);
    assert_true(codec_timestamps_check(&ret->chunk));
}

static void check_find(struct taud_codec *codec, const struct section *section,
                       const int64_t *timestamps, int64_t wanted)
{
    uint32_t index, expected = 0;
    int64_t found;
    while (expected < section->chunk.count && timestamps[expected] < wanted)
        expected++;
    assert_true(codec_timestamps_find(codec, &section->chunk, wanted, &index, &found));
    assert_int_equal(index, expected);
    assert_true(found == (expected < section->chunk.count ? timestamps[expected] : 0));
}

static void check(struct taud_codec *codec, const int64_t *timestamps, size_t count,
                  enum codec_timestamps_scheme scheme)
{
    static struct section section;
    static int64_t back[CODEC_POINTS];
    for (int effort = TAUD_EFFORT_FAST; effort <= TAUD_EFFORT_BEST; effort++) {
        encode(codec, timestamps, count, (enum taud_codec_effort)effort, &section);
        assert_int_equal(section.chunk.timestamps_scheme, scheme);
        assert_true(codec_timestamps_read(codec, &section.chunk, 0, count, back));
        assert_memory_equal(back, timestamps, count * sizeof *back);
        size_t from = count / 3,
               to = count / 3 + count / 2 + 1 < count ? count / 3 + count / 2 + 1 : count;
        assert_true(codec_timestamps_read(codec, &section.chunk, from, to, back));
        assert_memory_equal(back, timestamps + from, (to - from) * sizeof *back);
        check_find(codec, &section, timestamps, INT64_MIN);
        check_find(codec, &section, timestamps, INT64_MAX);
        for (size_t i = 0; i < count; i += count / 40 + 1) {
            check_find(codec, &section, timestamps, timestamps[i]);
            if (timestamps[i] < INT64_MAX)
                check_find(codec, &section, timestamps, timestamps[i] + 1);
            if (timestamps[i] > INT64_MIN)
                check_find(codec, &section, timestamps, timestamps[i] - 1);
        }
    }
}

static void each_scheme_comes_back(void **state)
{
    (void)state;
    static int64_t timestamps[CODEC_POINTS];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 3;
    for (size_t c = 0; c < RIG_COUNTS; c++) {
        size_t count = rig_counts[c];
        for (size_t i = 0; i < count; i++)
            timestamps[i] = start + (int64_t)i * 300000000000;
        check(codec, timestamps, count, CODEC_TIMESTAMPS_EVEN);
        if (count < 100)
            continue;
        for (size_t i = 1; i < count; i++) // five runs
            timestamps[i] = timestamps[i - 1] + 1000 * ((int64_t)(i * 5 / count) % 2 * 7919 + 1);
        check(codec, timestamps, count, CODEC_TIMESTAMPS_RUNS);
        for (size_t i = 0; i < count; i++)
            timestamps[i] = start + (int64_t)(i * 1000 + rig_random(&seed) % 900) * 1000000;
        check(codec, timestamps, count, CODEC_TIMESTAMPS_STEPS);
    }
    taud_codec_free(codec);
}

static void the_whole_range_comes_back(void **state)
{
    (void)state;
    static int64_t timestamps[CODEC_POINTS];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 4;
    const int64_t ends[] = {INT64_MIN, INT64_MAX};
    check(codec, ends, 2, CODEC_TIMESTAMPS_EVEN);
    const int64_t three[] = {INT64_MIN, -1, INT64_MAX};
    check(codec, three, 3, CODEC_TIMESTAMPS_STEPS);
    for (size_t i = 0; i < CODEC_POINTS; i++) // about 2^54 apart, and far from even
        timestamps[i] =
            (int64_t)((uint64_t)INT64_MIN + (i << 54) + rig_random(&seed) % (UINT64_C(1) << 54));
    timestamps[0] = INT64_MIN;
    timestamps[CODEC_POINTS - 1] = INT64_MAX;
    check(codec, timestamps, CODEC_POINTS, CODEC_TIMESTAMPS_STEPS);
    for (size_t i = 0; i < CODEC_POINTS; i++)
        timestamps[i] = (int64_t)((uint64_t)INT64_MIN + i * (UINT64_MAX / (CODEC_POINTS - 1)));
    check(codec, timestamps, CODEC_POINTS, CODEC_TIMESTAMPS_EVEN);
    for (size_t i = CODEC_POINTS / 2; i < CODEC_POINTS; i++)
        timestamps[i] = INT64_MAX - (int64_t)(CODEC_POINTS - 1 - i);
    check(codec, timestamps, CODEC_POINTS, CODEC_TIMESTAMPS_RUNS);
    taud_codec_free(codec);
}

static void few_irregular_ones_stay_as_they_are(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    const int64_t timestamps[] = {INT64_MIN + 3, -99999999999999999, 7, INT64_MAX - 1, INT64_MAX};
    check(codec, timestamps, 5, CODEC_TIMESTAMPS_RAW);
    taud_codec_free(codec);
}

static bool reads(struct taud_codec *codec, const struct taud_chunk *chunk)
{
    static int64_t out[CODEC_POINTS];
    uint32_t index;
    int64_t found;
    if (!codec_timestamps_check(chunk))
        return false;
    bool read = codec_timestamps_read(codec, chunk, 0, chunk->count, out);
    bool finds = codec_timestamps_find(codec, chunk, INT64_MAX, &index, &found);
    assert_int_equal(read, finds);
    return read;
}

static void what_does_not_ascend_is_damage(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    const uint8_t step[] = {1}, none[] = {0},
                  far[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    struct taud_chunk even = {.timestamps = step, .timestamps_size = 1, .count = 3};
    assert_true(reads(codec, &even));
    even.first_timestamp = INT64_MAX - 2;
    assert_true(reads(codec, &even));
    even.first_timestamp = INT64_MAX - 1;
    assert_false(reads(codec, &even));
    even.first_timestamp = 0;
    even.timestamps = none;
    assert_false(reads(codec, &even));
    even.timestamps = far;
    even.timestamps_size = sizeof far;
    assert_false(reads(codec, &even));

    // two runs: lengths 2 and 1 of steps 5 and 0 or 6; and lengths that do not fill the chunk
    uint8_t runs[] = {2, 0, 0, 1, 0, 0x01, 0, 1, 10, 0x02};
    struct taud_chunk run = {.timestamps = runs,
                             .timestamps_size = sizeof runs,
                             .count = 4,
                             .timestamps_scheme = CODEC_TIMESTAMPS_RUNS};
    assert_true(reads(codec, &run));
    run.count = 5;
    assert_false(reads(codec, &run));
    run.count = 4;
    runs[8] = 0; // steps of 0 and 1
    assert_false(reads(codec, &run));
    runs[0] = 0;
    assert_false(reads(codec, &run));

    int64_t raw[] = {1, 2, 2};
    struct taud_chunk plain = {.timestamps = (const uint8_t *)raw,
                               .timestamps_size = sizeof raw,
                               .count = 4,
                               .timestamps_scheme = CODEC_TIMESTAMPS_RAW};
    assert_false(reads(codec, &plain));
    raw[2] = 3;
    assert_true(reads(codec, &plain));
    plain.timestamps_scheme = CODEC_TIMESTAMPS_RAW + 1;
    assert_false(reads(codec, &plain));
    taud_codec_free(codec);
}

// Packed steps up to the last timestamp that there is, and one beyond it.
static void steps_end_with_the_range(void **state)
{
    (void)state;
    static struct section section;
    static int64_t timestamps[CODEC_POINTS];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 9;
    for (size_t i = 0; i < CODEC_POINTS; i++)
        timestamps[i] = (int64_t)(i * 1000 + rig_random(&seed) % 900);
    encode(codec, timestamps, CODEC_POINTS, TAUD_EFFORT_FAST, &section);
    assert_int_equal(section.chunk.timestamps_scheme, CODEC_TIMESTAMPS_STEPS);
    section.chunk.first_timestamp = INT64_MAX - (timestamps[CODEC_POINTS - 1] - timestamps[0]);
    assert_true(reads(codec, &section.chunk));
    section.chunk.first_timestamp++;
    assert_false(reads(codec, &section.chunk));
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_comes_back),
        cmocka_unit_test(the_whole_range_comes_back),
        cmocka_unit_test(few_irregular_ones_stay_as_they_are),
        cmocka_unit_test(what_does_not_ascend_is_damage),
        cmocka_unit_test(steps_end_with_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
