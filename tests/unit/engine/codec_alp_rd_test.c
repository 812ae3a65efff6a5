// SPDX-License-Identifier: MIT
// Doubles that are cut in two: dictionaries of all sizes, lefts that are in none, reading whole and
// by place.
#include "codec_rig.h"

#include "engine/codec/alp_rd.h"

static double values[CODEC_POINTS], back[CODEC_POINTS];
static uint8_t out[CODEC_CANDIDATE_BYTES];

static bool open_section(size_t size, size_t count, struct codec_alp_rd *ret)
{
    struct codec_cursor cursor = {.at = out, .end = out + size};
    return codec_alp_rd_open(&cursor, count, ret) && cursor.at == cursor.end;
}

static size_t check(struct taud_codec *codec, size_t count, struct codec_alp_rd *ret)
{
    size_t size = codec_alp_rd_encode(codec, values, count, out);
    if (size == 0)
        return 0;
    assert_true(open_section(size, count, ret));
    assert_true(codec_alp_rd_read(codec, ret, back));
    assert_memory_equal(values, back, count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        double value = codec_alp_rd_at(ret, i);
        assert_memory_equal(&value, &values[i], sizeof value);
    }
    return size;
}

static void doubles_come_back(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct codec_alp_rd rd;
    uint64_t seed = 5;
    for (size_t c = 0; c < RIG_COUNTS; c++) {
        for (size_t i = 0; i < rig_counts[c]; i++)
            values[i] = rig_unit(&seed);
        assert_true(check(codec, rig_counts[c], &rd) > 0);
    }
    assert_in_range(check(codec, CODEC_POINTS, &rd), 1, CODEC_POINTS * 56 / 8);
    taud_codec_free(codec);
}

static void dictionaries_have_one_to_eight_entries(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct codec_alp_rd rd;
    for (uint64_t lefts = 1; lefts <= CODEC_DICTIONARY_MAX + 1; lefts++) {
        uint64_t seed = lefts;
        for (size_t i = 0; i < CODEC_POINTS; i++)
            values[i] = rig_double(rig_random(&seed) % lefts << 48 | rig_random(&seed) >> 16);
        size_t size = check(codec, CODEC_POINTS, &rd);
        assert_true(size > 0 && size < CODEC_POINTS * 56 / 8);
    }
    taud_codec_free(codec);
}

static void rare_lefts_are_exceptions(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct codec_alp_rd rd;
    uint64_t seed = 6;
    for (size_t i = 0; i < CODEC_POINTS; i++) {
        values[i] = 1 + rig_unit(&seed);
        if (i % 31 == 5)
            values[i] = rig_double(i % 2 == 0 ? rig_random(&seed) : rig_specials[i % RIG_SPECIALS]);
    }
    assert_true(check(codec, CODEC_POINTS, &rd) > 0);
    assert_true(rd.exception_count > 10);
    for (size_t i = 0; i < CODEC_POINTS; i++)
        values[i] = rig_double(rig_random(&seed));
    check(codec, CODEC_POINTS, &rd);
    taud_codec_free(codec);
}

static void sections_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct codec_alp_rd rd;
    for (size_t i = 0; i < 300; i++)
        values[i] = i == 7 || i == 200 ? -1.1e300 / (double)(i + 1) : 1 / (double)(i + 3);
    size_t size = check(codec, 300, &rd);
    assert_true(size > 0);
    for (size_t cut = 0; cut < size; cut += 7)
        assert_false(open_section(cut, 300, &rd));
    uint8_t width = out[0], count = out[1];
    for (unsigned wrong = 0; wrong < 48; wrong++) {
        out[0] = (uint8_t)wrong;
        assert_false(open_section(size, 300, &rd));
    }
    out[0] = 64;
    assert_false(open_section(size, 300, &rd));
    out[0] = width;
    out[1] = 0;
    assert_false(open_section(size, 300, &rd));
    out[1] = CODEC_DICTIONARY_MAX + 1;
    assert_false(open_section(size, 300, &rd));
    out[1] = count;
    assert_true(open_section(size, 300, &rd));
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_come_back),
        cmocka_unit_test(dictionaries_have_one_to_eight_entries),
        cmocka_unit_test(rare_lefts_are_exceptions),
        cmocka_unit_test(sections_that_nobody_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
