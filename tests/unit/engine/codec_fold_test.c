// SPDX-License-Identifier: MIT
// Folded parts of chunks tell what their values tell when they are decoded and looked at one by
// one, whatever the scheme and wherever they are cut; every set of instructions tells the same
// bits; a deviation does not cancel far from zero; damage is refused.
#include "codec_rig.h"

#include "engine/aggregate/fold.h"
#include "engine/codec/fold.h"
#include "engine/codec/values.h"

enum { ROUNDS = 300, PARTS = 40 };

struct series {
    uint32_t count;
    int64_t timestamps[CODEC_POINTS];
    double values[CODEC_POINTS];
};

// Values of one of several kinds, so that each scheme has its turn.
static void draw(struct series *series, uint64_t *seed)
{
    uint64_t kind = rig_random(seed) % 10;
    double walk = 0, far = ldexp(1, (int)(rig_random(seed) % 36));
    series->count = 1 + (uint32_t)(rig_random(seed) % CODEC_POINTS);
    for (uint32_t i = 0; i < series->count; i++) {
        walk += floor(rig_unit(seed) * 9) - 4;
        series->timestamps[i] = i;
        series->values[i] = kind == 0   ? (far + walk) / 100
                            : kind == 1 ? floor(rig_unit(seed) * 100)
                            : kind == 2 ? rig_unit(seed)
                            : kind == 3 ? far + rig_unit(seed)
                            : kind == 4 ? floor((double)i / 37) / 10
                            : kind == 5 ? 12.5
                            : kind == 6 ? sqrt((double)(i * i % 19))
                            : kind == 7 ? (i % 100 == 3 ? NAN : walk)
                            : kind == 8 ? floor(rig_unit(seed) * 0x1p31)
                                        : walk * 1e30;
    }
}

static uint32_t draw_parts(struct taud_chunk_part *parts, uint32_t count, uint64_t *seed)
{
    uint32_t made = 0, at = (uint32_t)(rig_random(seed) % (count / 2 + 1));
    uint32_t size = 1 + (uint32_t)(rig_random(seed) % count);
    for (; made < PARTS && at < count; made++) {
        uint32_t left = count - at;
        uint32_t length = 1 + (uint32_t)(rig_random(seed) % size);
        length = length < left ? length : left;
        parts[made] = (struct taud_chunk_part){.from = at, .to = at + length};
        at = parts[made].to + (rig_random(seed) % 4 == 0);
    }
    return made;
}

// What a part must be, with sums that are as good as exact.
static void check_part(const struct series *series, const struct taud_chunk_part *part,
                       unsigned wanted)
{
    const struct taud_chunk_summary *summary = &part->summary;
    long double sum = 0, size = 0, squares = 0;
    double low = NAN, high = NAN;
    uint32_t numbers = 0, count = part->to - part->from;
    for (uint32_t i = part->from; i < part->to; i++) {
        double value = series->values[i];
        if (isnan(value))
            continue;
        numbers++;
        sum += value;
        size += fabsl((long double)value);
        low = value < low || isnan(low) ? value : low;
        high = value > high || isnan(high) ? value : high;
    }
    for (uint32_t i = part->from; i < part->to; i++)
        squares += (series->values[i] - sum / count) * (series->values[i] - sum / count);
    assert_true(summary->count == count && summary->number_count == numbers);
    assert_memory_equal(&summary->first, &series->values[part->from], 8);
    assert_memory_equal(&summary->last, &series->values[part->to - 1], 8);
    assert_true(fabsl(summary->sum - sum) <= size * 0x1p-44L);
    if ((wanted & TAUD_FOLD_EXTREMES) != 0 && numbers > 0)
        assert_true(summary->low == low && summary->high == high);
    else
        assert_true(isnan(summary->low) && isnan(summary->high));
    if ((wanted & TAUD_FOLD_DEVIATION) == 0 || numbers < count)
        assert_true(isnan(part->deviation));
    else // no more than what the last bits of the values make
        assert_true(fabsl(part->deviation - squares) <=
                    1e-9L * squares + count * size / count * size / count * 0x1p-90L);
}

// A bucket whose values are columns, since they are in memory or overlap others, has a sum of the
// same bits; and nearly the same deviation, since that of decimals is made of what was not rounded
// yet. The second bound is what the last bits of the values make.
static void check_bits(const struct series *series, const struct taud_chunk_part *part,
                       unsigned wanted)
{
    const double *values = &series->values[part->from];
    size_t count = part->to - part->from;
    struct taud_aggregate_fold fold;
    if (part->summary.number_count < count)
        return;
    taud_aggregate_fold(values, count, &fold);
    assert_memory_equal(&part->summary.sum, &fold.sum, sizeof fold.sum);
    if ((wanted & TAUD_FOLD_DEVIATION) == 0)
        return;
    double deviation = taud_aggregate_fold_deviation(values, count, fold.sum / (double)count);
    assert_true(fabs(part->deviation - deviation) <= deviation * 0x1p-31 ||
                fabs(part->deviation - deviation) <= fold.sum * fold.sum / (double)count * 0x1p-98);
}

static struct taud_chunk open_chunk(struct taud_codec *codec, const struct series *series,
                                    enum taud_codec_effort effort, uint8_t *bytes)
{
    struct taud_chunk chunk;
    size_t size = taud_chunk_encode(codec, series->timestamps, series->values, series->count,
                                    effort, NULL, bytes, NULL);
    assert_true(taud_chunk_open(bytes, size, &chunk));
    return chunk;
}

static void parts_are_as_their_values(void **state)
{
    (void)state;
    static struct series series;
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    uint64_t seed = 11;
    unsigned schemes = 0;
    struct taud_codec *codec = rig_best();
    for (int round = 0; round < ROUNDS; round++) {
        struct taud_chunk_part parts[PARTS];
        draw(&series, &seed);
        struct taud_chunk chunk =
            open_chunk(codec, &series, (enum taud_codec_effort)(rig_random(&seed) % 3), bytes);
        schemes |= 1U << chunk.values_scheme;
        uint32_t count = draw_parts(parts, series.count, &seed);
        for (unsigned wanted = 0; wanted < 4; wanted++) {
            assert_true(codec_fold_parts(codec, &chunk, wanted, parts, count));
            for (uint32_t i = 0; i < count; i++) {
                check_part(&series, &parts[i], wanted);
                check_bits(&series, &parts[i], wanted);
            }
        }
    }
    assert_int_equal(schemes, (1U << (CODEC_VALUES_SQUEEZED + 1)) - 1);
    taud_codec_free(codec);
}

static void variants_fold_to_the_same_bits(void **state)
{
    (void)state;
    static struct series series;
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    enum { WANTED = TAUD_FOLD_EXTREMES | TAUD_FOLD_DEVIATION };
    uint64_t seed = 5;
    struct taud_codec *plain = rig_codec(TAUD_CODEC_BASELINE);
    for (unsigned variant = 1; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (int round = 0; round < ROUNDS && codec; round++) {
            struct taud_chunk_part parts[PARTS] = {{0}}, others[PARTS];
            double deviation, other;
            draw(&series, &seed);
            struct taud_chunk chunk = open_chunk(plain, &series, TAUD_EFFORT_FAST, bytes);
            uint32_t count = draw_parts(parts, series.count, &seed);
            memcpy(others, parts, sizeof others);
            assert_true(codec_fold_parts(plain, &chunk, WANTED, parts, count));
            assert_true(codec_fold_parts(codec, &chunk, WANTED, others, count));
            assert_memory_equal(parts, others, sizeof parts);
            assert_true(codec_fold_deviation(plain, &chunk, series.values[0], &deviation));
            assert_true(codec_fold_deviation(codec, &chunk, series.values[0], &other));
            assert_true(deviation == other || (isnan(deviation) && isnan(other)));
        }
        taud_codec_free(codec);
    }
    taud_codec_free(plain);
}

// 1 and 2 in turn, far from zero: the sum of the squares is a quarter for each.
static void deviations_do_not_cancel(void **state)
{
    (void)state;
    static struct series series = {.count = CODEC_POINTS};
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_codec *codec = rig_best();
    for (int power = 0; power < 51; power++) {
        struct taud_chunk_part part = {.from = 2, .to = 1002};
        double far = ldexp(1, power), deviation;
        for (uint32_t i = 0; i < series.count; i++) {
            series.timestamps[i] = i;
            series.values[i] = far + 1 + i % 2;
        }
        struct taud_chunk chunk = open_chunk(codec, &series, TAUD_EFFORT_FAST, bytes);
        assert_true(codec_fold_parts(codec, &chunk, TAUD_FOLD_DEVIATION, &part, 1));
        assert_true(fabs(part.deviation - 250) < 1e-6);
        // Around a mean that is wrong by 1: that is taken out again.
        assert_true(codec_fold_deviation(codec, &chunk, far + 2.5, &deviation));
        assert_true(fabs(deviation - 256) < 1e-6);
    }
    taud_codec_free(codec);
}

static void damage_is_refused(void **state)
{
    (void)state;
    static struct series series;
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_codec *codec = rig_best();
    series.count = CODEC_POINTS;
    for (uint32_t i = 0; i < series.count; i++) {
        series.timestamps[i] = i;
        series.values[i] = sin(i / 100);
    }
    struct taud_chunk chunk = open_chunk(codec, &series, TAUD_EFFORT_THOROUGH, bytes);
    struct taud_chunk_part part = {.from = 0, .to = 1000};
    double deviation;
    assert_int_equal(chunk.values_scheme, CODEC_VALUES_RUNS);
    assert_true(codec_fold_parts(codec, &chunk, 0, &part, 1));
    chunk.count--; // one less than the runs hold
    assert_false(codec_fold_parts(codec, &chunk, 0, &part, 1));
    assert_false(codec_fold_deviation(codec, &chunk, 0, &deviation));
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_as_their_values),
        cmocka_unit_test(variants_fold_to_the_same_bits),
        cmocka_unit_test(deviations_do_not_cancel),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
