// SPDX-License-Identifier: MIT
// Decimals as integers: the pair that is found, exceptions wherever they stand, the ends of the
// range in which rounding works, and values that are read whole, in part, alone and added up.
#include "codec_rig.h"

#include "engine/codec/alp.h"

static double values[CODEC_POINTS], back[CODEC_POINTS];
static uint8_t out[CODEC_CANDIDATE_BYTES];

static bool open_section(size_t size, size_t count, struct codec_alp *ret)
{
    struct codec_cursor cursor = {.at = out, .end = out + size};
    return codec_alp_open(&cursor, count, ret) && cursor.at == cursor.end;
}

// The fast way writes what the other one writes, or nothing.
static void check_narrow(struct taud_codec *codec, size_t count, struct codec_pair pair,
                         size_t size, const struct codec_alp_facts *facts)
{
    static uint8_t again[CODEC_CANDIDATE_BYTES];
    struct codec_alp_facts known;
    struct codec_alp alp;
    size_t narrow = codec_alp_encode_narrow(codec, values, count, pair, again, &known);
    assert_true(open_section(size, count, &alp));
    if (narrow == 0) {
        assert_true(!facts->exact || alp.column.patch_count > 0 || size >= count * 8 ||
                    alp.column.width > 31 || pair.factor > CODEC_NEAR_FACTOR_MAX ||
                    alp.column.base + INT32_MAX > UINT32_MAX ||
                    (facts->high - facts->low) * alp.scale.unit >= 0x1p30);
        return;
    }
    assert_int_equal(narrow, size);
    assert_memory_equal(again, out, size);
    assert_true(facts->exact && known.exact);
    assert_true(known.low == facts->low && known.high == facts->high);
    assert_memory_equal(known.sum, facts->sum, sizeof known.sum);
}

// Encodes and reads in every way. Returns the size, 0 where values are no decimals.
static size_t check(struct taud_codec *codec, size_t count, enum taud_codec_effort effort)
{
    struct codec_pair pair;
    struct codec_alp_facts facts;
    struct codec_alp alp;
    if (!codec_alp_search(codec, values, count, effort != TAUD_EFFORT_FAST, &pair))
        return 0;
    size_t size = codec_alp_encode(codec, values, count, pair, effort, out, &facts);
    if (size == 0)
        return 0;
    assert_true(open_section(size, count, &alp));
    assert_int_equal(facts.exact, alp.exception_count == 0);
    if (effort == TAUD_EFFORT_FAST)
        check_narrow(codec, count, pair, size, &facts);
    assert_true(codec_alp_read(codec, &alp, 0, count, back));
    assert_memory_equal(values, back, count * sizeof *values);
    size_t from = count / 3, to = count - count / 5;
    memset(back, 0x77, sizeof back);
    assert_true(codec_alp_read(codec, &alp, from, to, back));
    assert_memory_equal(values + from, back + from, (to - from) * sizeof *values);
    bool alone = !alp.column.squeezed && (alp.column.order == 0 || alp.column.narrow_sums);
    assert_int_equal(codec_alp_is_summed(out, size), alp.column.order > 0);
    for (size_t i = 0; i < count; i++) {
        double value;
        bool had = codec_alp_at(codec, &alp, i, &value);
        if (had)
            assert_memory_equal(&value, &values[i], sizeof value);
        assert_true(had || !alone);
    }
    struct codec_lanes lanes, expected;
    codec_lanes_init(&lanes);
    codec_lanes_init(&expected);
    for (size_t i = from; i < to; i++)
        codec_lanes_add(&expected, i, values[i]);
    if (codec_alp_addable(&alp)) {
        assert_true(codec_alp_add(codec, &alp, from, to, CODEC_EXTREMES, &lanes));
        assert_memory_equal(&lanes, &expected, sizeof lanes);
    }
    return size;
}

static void the_pair_fits_the_decimals(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    uint64_t seed = 1;
    for (unsigned decimals = 0; decimals <= 12; decimals++) {
        double power = pow(10, decimals);
        for (size_t i = 0; i < CODEC_POINTS; i++)
            values[i] = floor(rig_unit(&seed) * 1000) / power;
        for (int thorough = 0; thorough < 2; thorough++) {
            struct codec_pair pair;
            assert_true(codec_alp_search(codec, values, CODEC_POINTS, thorough != 0, &pair));
            assert_int_equal(pair.exponent - pair.factor, decimals);
            assert_in_range(
                check(codec, CODEC_POINTS, thorough != 0 ? TAUD_EFFORT_BEST : TAUD_EFFORT_FAST), 1,
                CODEC_POINTS * 12 / 8);
        }
    }
    taud_codec_free(codec);
}

static void every_shape_and_count_comes_back(void **state)
{
    (void)state;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (uint64_t run = 0; codec != NULL && run < RIG_COUNTS * 12; run++) {
            uint64_t seed = run;
            size_t count = rig_counts[run / 12];
            double walk = 0;
            for (size_t i = 0; i < count; i++) { // near and far, level and walking, with exceptions
                walk += floor(rig_unit(&seed) * 100 - 50);
                values[i] = run % 3 == 0 ? walk / 100
                                         : floor(rig_unit(&seed) * pow(10, (double)(run % 12))) / 8;
                if (run % 4 == 0 && rig_random(&seed) % 40 == 0)
                    values[i] = rig_unit(&seed);
            }
            for (int effort = TAUD_EFFORT_FAST; effort <= TAUD_EFFORT_BEST; effort++)
                assert_true(check(codec, count, (enum taud_codec_effort)effort) > 0 || count < 64);
        }
        taud_codec_free(codec);
    }
}

// Small steps that lead through as many bits as integers of the fast way have, and beyond.
static void climbs_through_32_bits_come_back(void **state)
{
    (void)state;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (unsigned run = 0; codec != NULL && run < 5 * 2 * 2; run++) {
            double span = pow(2, 29 + run % 5), sign = run % 10 < 5 ? 1 : -1;
            double start = run < 10 ? -span / 2 : -span; // around zero, or all below it
            uint64_t seed = run;
            for (size_t i = 0; i < CODEC_POINTS; i++)
                values[i] = sign * (start + floor(span * 0.99 * (double)i / CODEC_POINTS +
                                                  rig_unit(&seed) * 1000));
            assert_true(check(codec, CODEC_POINTS, TAUD_EFFORT_FAST) > 0);
        }
        taud_codec_free(codec);
    }
}

static void special_values_are_exceptions_wherever_they_stand(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    for (size_t special = 0; special < RIG_SPECIALS; special++) {
        for (size_t place = 0; place < 40; place++) {
            for (size_t i = 0; i < 40; i++)
                values[i] = (double)(i * 7 % 11) / 10;
            values[place] = rig_double(rig_specials[special]);
            assert_true(check(codec, 40, TAUD_EFFORT_FAST) > 0);
        }
    }
    struct codec_pair pair = {14, 12};
    struct codec_alp_facts facts;
    for (size_t special = 10; special < 18; special++) { // NaN that arithmetic changes, and others
        for (size_t i = 0; i < 100; i++)
            values[i] = rig_double(rig_specials[special]);
        assert_int_equal(codec_alp_encode(codec, values, 100, pair, TAUD_EFFORT_FAST, out, &facts),
                         0);
    }
    taud_codec_free(codec);
}

// Integers are exact below 2^51, and exceptions from there on.
static void rounding_ends_at_2_51(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    const struct codec_pair pair = {0, 0};
    const double limit = (double)CODEC_INTEGER_MAX;
    struct codec_alp_facts facts;
    struct codec_alp alp;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < 64; i++)
            values[i] = sign * (limit - 32 + (double)i);
        size_t size = codec_alp_encode(codec, values, 64, pair, TAUD_EFFORT_FAST, out, &facts);
        assert_int_equal(size, 0); // half of them are too large
        for (size_t i = 0; i < 64; i++)
            values[i] = sign * (limit - 56 + (double)i);
        size = codec_alp_encode(codec, values, 64, pair, TAUD_EFFORT_FAST, out, &facts);
        assert_true(size > 0 && open_section(size, 64, &alp));
        assert_int_equal(alp.exception_count, 8);
        assert_true(codec_alp_read(codec, &alp, 0, 64, back));
        assert_memory_equal(values, back, 64 * sizeof *values);
    }
    taud_codec_free(codec);
}

static void sections_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    struct codec_alp alp;
    for (size_t i = 0; i < 20; i++)
        values[i] = i % 4 == 3 ? 0.1234567890123 : (double)i;
    size_t size = check(codec, 20, TAUD_EFFORT_FAST);
    assert_true(size > 0 && open_section(size, 20, &alp) && alp.exception_count == 5);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(open_section(cut, 20, &alp));
    size_t positions = size - 5 * 10;
    out[positions] = 20; // not below the count
    assert_true(open_section(size, 20, &alp) && !codec_alp_read(codec, &alp, 0, 20, back));
    out[positions] = out[positions + 2]; // not ascending
    assert_true(open_section(size, 20, &alp) && !codec_alp_read(codec, &alp, 0, 20, back));
    out[0] = CODEC_EXPONENT_MAX + 1;
    assert_false(open_section(size, 20, &alp));
    out[0] = 3;
    out[1] = 4; // a factor above the exponent
    assert_false(open_section(size, 20, &alp));
    taud_codec_free(codec);
}

static void positions_are_found(void **state)
{
    (void)state;
    const uint8_t positions[] = {1, 0, 5, 0, 0, 2, 255, 3};
    assert_int_equal(codec_find_position(positions, 4, 1), 0);
    assert_int_equal(codec_find_position(positions, 4, 5), 1);
    assert_int_equal(codec_find_position(positions, 4, 512), 2);
    assert_int_equal(codec_find_position(positions, 4, 1023), 3);
    assert_int_equal(codec_find_position(positions, 4, 0), 4);
    assert_int_equal(codec_find_position(positions, 4, 6), 4);
    assert_int_equal(codec_find_position(positions, 0, 0), 0);
    assert_true(codec_check_positions(positions, 4, 1024));
    assert_false(codec_check_positions(positions, 4, 1023));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pair_fits_the_decimals),
        cmocka_unit_test(every_shape_and_count_comes_back),
        cmocka_unit_test(climbs_through_32_bits_come_back),
        cmocka_unit_test(special_values_are_exceptions_wherever_they_stand),
        cmocka_unit_test(rounding_ends_at_2_51),
        cmocka_unit_test(sections_that_nobody_writes_are_refused),
        cmocka_unit_test(positions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
