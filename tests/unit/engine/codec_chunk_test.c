// SPDX-License-Identifier: MIT
// Whole chunks: a million points of random series with every special value come back bit for bit
// and are encoded to the same bytes again, with all instructions; damage is seen by the checksum,
// and does no harm where nobody looks at that. TAU_CODEC_POINTS is another number of points.
#include "codec_rig.h"

#include "engine/crc32c.h"

enum { POINTS = 1000000, FLIPS = 3 };

struct series {
    int64_t timestamps[CODEC_POINTS];
    double values[CODEC_POINTS];
    uint32_t count;
};

// Timestamps of one of several kinds. The range is large enough for all of them.
static void draw_timestamps(struct series *series, uint64_t *seed)
{
    uint64_t kind = rig_random(seed) % 6;
    uint64_t at = rig_random(seed) >> 2, step = 1 + rig_random(seed) % 1000000000;
    for (uint32_t i = 0; i < series->count; i++) {
        series->timestamps[i] = (int64_t)at;
        if (kind == 4 && rig_random(seed) % 60 == 0)
            step = 1 + rig_random(seed) % 100 * 1000;
        at += kind == 0 || kind == 4 ? step
              : kind == 1            ? 1 + rig_random(seed) % step
              : kind == 2            ? (1 + rig_random(seed) % 3) * 1000000000
              : kind == 3            ? step + (rig_random(seed) % 50 == 0)
                                     : 1 + (rig_random(seed) >> 12);
    }
}

// Values of one of several kinds, walking or not; in some of them special ones, rare or frequent.
static void draw_values(struct series *series, uint64_t *seed)
{
    uint64_t kind = rig_random(seed) % 7, specials = rig_random(seed) % 4;
    double power = pow(10, (double)(rig_random(seed) % 7)), walk = 0, size = 1;
    size = ldexp(1, (int)(rig_random(seed) % 40));
    for (uint32_t i = 0; i < series->count; i++) {
        walk += floor((rig_unit(seed) - 0.5) * size);
        series->values[i] = kind == 0   ? walk / power
                            : kind == 1 ? floor(rig_unit(seed) * size) / power
                            : kind == 2 ? rig_unit(seed)
                            : kind == 3 ? rig_double(rig_random(seed))
                            : kind == 4 ? floor((double)i / 37) / power
                            : kind == 5 ? sqrt(floor((double)i / 41))
                                        : power;
        if (specials > 0 && rig_random(seed) % (specials == 1 ? 2 : 100) == 0)
            series->values[i] = rig_double(rig_specials[rig_random(seed) % RIG_SPECIALS]);
    }
}

static void draw(struct series *series, uint64_t *seed)
{
    uint64_t size = rig_random(seed) % 8;
    series->count = size < 5 ? CODEC_POINTS : 1 + (uint32_t)(rig_random(seed) % CODEC_POINTS);
    draw_timestamps(series, seed);
    draw_values(series, seed);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

// Part of the chunk, where its points are known.
static void check_part(struct taud_codec *codec, const struct taud_chunk *chunk,
                       const struct series *series, uint32_t from, uint32_t to)
{
    static struct series back;
    struct taud_chunk_aggregate result;
    struct codec_lanes lanes;
    assert_true(taud_chunk_timestamps(codec, chunk, from, to, back.timestamps));
    assert_true(taud_chunk_values(codec, chunk, from, to, back.values));
    assert_memory_equal(back.timestamps, series->timestamps + from, (to - from) * 8);
    assert_memory_equal(back.values, series->values + from, (to - from) * 8);
    codec_lanes_init(&lanes);
    for (uint32_t i = from; i < to; i++)
        codec_lanes_add(&lanes, i, series->values[i]);
    assert_true(taud_chunk_aggregate(codec, chunk, from, to, TAUD_WANT_EXTREMES, &result));
    assert_int_equal(result.number_count, lanes.count);
    assert_true(same_number(result.sum, codec_lanes_join(lanes.sum)));
    assert_true(same_number(result.low, codec_lanes_low(&lanes)));
    assert_true(same_number(result.high, codec_lanes_high(&lanes)));
}

static void check_evenness(const struct taud_chunk *chunk, const struct series *series)
{
    const uint64_t *items = (const uint64_t *)series->timestamps;
    uint64_t right = series->count > 1 ? items[1] - items[0] : 0, step = 1;
    bool even = true;
    for (uint32_t i = 1; i < series->count; i++)
        even = even && items[i] - items[i - 1] == right;
    assert_int_equal(taud_chunk_is_even(chunk, &step), even);
    assert_true(!even || step == right);
}

static void check_summary(struct taud_codec *codec, const struct taud_chunk *chunk,
                          const struct series *series, const struct taud_chunk_summary *summary)
{
    struct taud_chunk_summary again;
    struct taud_chunk_aggregate result;
    uint32_t last = series->count - 1;
    memset(&again, 0, sizeof again);
    taud_chunk_summarise(codec, series->timestamps, series->values, series->count, &again);
    assert_memory_equal(&again, summary, sizeof again);
    assert_true(taud_chunk_aggregate(codec, chunk, 0, series->count, TAUD_WANT_EXTREMES, &result));
    assert_int_equal(result.number_count, summary->number_count);
    assert_memory_equal(&result.sum, &summary->sum, 8);
    assert_memory_equal(&result.low, &summary->low, 8);
    assert_memory_equal(&result.high, &summary->high, 8);
    assert_true(summary->count == series->count &&
                summary->first_timestamp == series->timestamps[0] &&
                summary->last_timestamp == series->timestamps[last]);
    assert_memory_equal(&summary->first, &series->values[0], 8);
    assert_memory_equal(&summary->last, &series->values[last], 8);
}

// The point at an index, and none just before it, where there is none.
static void check_points(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                         const struct series *series, uint32_t index)
{
    int64_t timestamp = series->timestamps[index];
    double value = 0;
    bool found = false;
    assert_true(taud_chunk_point(codec, bytes, size, timestamp, &found, &value) && found);
    assert_memory_equal(&value, &series->values[index], 8);
    if (timestamp == INT64_MIN || (index > 0 && series->timestamps[index - 1] == timestamp - 1))
        return;
    assert_true(taud_chunk_point(codec, bytes, size, timestamp - 1, &found, &value) && !found);
}

static void check_chunk(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                        const struct series *series, const struct taud_chunk_summary *summary,
                        uint64_t *seed)
{
    struct taud_chunk chunk;
    assert_true(taud_chunk_intact(bytes, size));
    assert_true(taud_chunk_open(bytes, size, &chunk));
    assert_int_equal(chunk.count, series->count);
    uint32_t from = (uint32_t)(rig_random(seed) % series->count);
    uint32_t to = from + 1 + (uint32_t)(rig_random(seed) % (series->count - from));
    check_part(codec, &chunk, series, 0, series->count);
    check_part(codec, &chunk, series, from, to);
    check_summary(codec, &chunk, series, summary);
    uint32_t index;
    int64_t timestamp;
    double value;
    check_evenness(&chunk, series);
    assert_true(taud_chunk_find(codec, &chunk, series->timestamps[from], &index, &timestamp));
    assert_true(index == from && timestamp == series->timestamps[from]);
    assert_true(taud_chunk_value_at(codec, &chunk, index, &value));
    assert_memory_equal(&value, &series->values[from], 8);
    check_points(codec, bytes, size, series, from);
}

// Encodes, decodes, and encodes what was decoded: the same bytes, whatever the instructions.
static void round_trip(struct taud_codec *const codecs[TAUD_CODEC_VARIANTS],
                       const struct series *series, enum taud_codec_effort effort,
                       struct taud_chunk_hint *hint, uint64_t *seed)
{
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX], again[TAUD_CHUNK_BYTES_MAX];
    static struct series back;
    struct taud_chunk_summary summary;
    struct taud_chunk_hint before = *hint;
    size_t size = 0;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = codecs[variant];
        struct taud_chunk chunk;
        struct taud_chunk_hint used = before;
        if (codec == NULL)
            continue;
        memset(&summary, 0, sizeof summary);
        size_t here = taud_chunk_encode(codec, series->timestamps, series->values, series->count,
                                        effort, &used, again, &summary);
        if (variant == 0) {
            size = here;
            memcpy(bytes, again, size);
            *hint = used;
        }
        assert_int_equal(here, size);
        assert_memory_equal(bytes, again, size);
        check_chunk(codec, bytes, size, series, &summary, seed);
        assert_true(taud_chunk_open(bytes, size, &chunk));
        assert_true(taud_chunk_timestamps(codec, &chunk, 0, chunk.count, back.timestamps));
        assert_true(taud_chunk_values(codec, &chunk, 0, chunk.count, back.values));
        used = before;
        here = taud_chunk_encode(codec, back.timestamps, back.values, chunk.count, effort, &used,
                                 again, NULL);
        assert_int_equal(here, size);
        assert_memory_equal(bytes, again, size);
    }
}

static void a_million_points_come_back(void **state)
{
    (void)state;
    static struct series series;
    struct taud_codec *codecs[TAUD_CODEC_VARIANTS];
    const char *wanted = getenv("TAU_CODEC_POINTS");
    uint64_t points = wanted != NULL ? strtoull(wanted, NULL, 10) : POINTS, seed = 1, done = 0;
    struct taud_chunk_hint hint = {0};
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++)
        codecs[variant] = rig_codec((enum taud_codec_variant)variant);
    for (uint64_t run = 0; done < points; run++) {
        draw(&series, &seed);
        // zstd is slow and knows nothing of numbers: a tenth of the points is enough for it
        enum taud_codec_effort effort = run % 10 == 0  ? TAUD_EFFORT_BEST
                                        : run % 3 == 0 ? TAUD_EFFORT_THOROUGH
                                                       : TAUD_EFFORT_FAST;
        round_trip(codecs, &series, effort, &hint, &seed);
        done += series.count;
    }
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++)
        taud_codec_free(codecs[variant]);
}

static void the_whole_range_of_timestamps_fits(void **state)
{
    (void)state;
    static struct series series;
    struct taud_codec *codecs[TAUD_CODEC_VARIANTS];
    struct taud_chunk_hint hint = {0};
    uint64_t seed = 2;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++)
        codecs[variant] = rig_codec((enum taud_codec_variant)variant);
    for (int effort = TAUD_EFFORT_FAST; effort <= TAUD_EFFORT_BEST; effort++) {
        for (uint32_t count = 1; count <= CODEC_POINTS; count = count * 3 / 2 + 1) {
            series.count = count;
            draw_values(&series, &seed);
            for (uint32_t i = 0; i < count; i++)
                series.timestamps[i] = (int64_t)((uint64_t)INT64_MIN + (uint64_t)i * i + i);
            series.timestamps[count - 1] = INT64_MAX;
            round_trip(codecs, &series, (enum taud_codec_effort)effort, &hint, &seed);
        }
    }
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++)
        taud_codec_free(codecs[variant]);
}

// Reads everything that can be read; what comes of it does not matter.
static void read_everything(struct taud_codec *codec, const uint8_t *bytes, size_t size)
{
    static struct series back;
    struct taud_chunk chunk;
    struct taud_chunk_aggregate result;
    uint32_t index;
    int64_t timestamp;
    double value;
    bool found;
    taud_chunk_prefetch(bytes, size, 0.5); // of any bytes
    for (uint64_t at = 0; size >= TAUD_CHUNK_HEADER_BYTES && at < 3; at++)
        taud_chunk_point(codec, bytes, size, (int64_t)(taud_load_u64(bytes + 10) + at), &found,
                         &value);
    if (!taud_chunk_open(bytes, size, &chunk))
        return;
    taud_chunk_timestamps(codec, &chunk, 0, chunk.count, back.timestamps);
    taud_chunk_values(codec, &chunk, 0, chunk.count, back.values);
    taud_chunk_aggregate(codec, &chunk, 0, chunk.count, TAUD_WANT_EXTREMES, &result);
    taud_chunk_value_at(codec, &chunk, chunk.count - 1, &value);
    if (taud_chunk_find(codec, &chunk, back.timestamps[0] + 1, &index, &timestamp))
        assert_true(index <= chunk.count);
}

static void damage_is_seen_and_does_no_harm(void **state)
{
    (void)state;
    static struct series series;
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 3;
    for (int run = 0; run < 24; run++) {
        draw(&series, &seed);
        series.count = series.count % 100 + 1;
        enum taud_codec_effort effort = (enum taud_codec_effort)(run % 3);
        size_t size = taud_chunk_encode(codec, series.timestamps, series.values, series.count,
                                        effort, NULL, bytes, NULL);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1);
            memcpy(exact, bytes, cut);
            assert_false(taud_chunk_intact(exact, cut));
            read_everything(codec, exact, cut);
            free(exact);
        }
        uint8_t *exact = malloc(size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            memcpy(exact, bytes, size);
            exact[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_false(taud_chunk_intact(exact, size));
            for (int more = 0; more < FLIPS; more++) {
                read_everything(codec, exact, size);
                exact[rig_random(&seed) % size] ^= (uint8_t)(1U << rig_random(&seed) % 8);
            }
        }
        free(exact);
    }
    taud_codec_free(codec);
}

static void headers_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX + 1];
    const int64_t timestamps[] = {10, 20, 30};
    const double values[] = {1, 2, 4};
    struct taud_chunk chunk;
    size_t size =
        taud_chunk_encode(codec, timestamps, values, 3, TAUD_EFFORT_FAST, NULL, bytes, NULL);
    assert_true(taud_chunk_open(bytes, size, &chunk));
    assert_false(taud_chunk_open(bytes, size + 1, &chunk));
    assert_false(taud_chunk_open(bytes, TAUD_CHUNK_BYTES_MAX + 1, &chunk));
    bytes[5] = 4; // 1,027 points
    assert_false(taud_chunk_open(bytes, size, &chunk));
    bytes[5] = 0;
    bytes[9] = 1; // timestamps that end behind the chunk
    assert_false(taud_chunk_open(bytes, size, &chunk));
    bytes[9] = 0;
    assert_true(taud_chunk_open(bytes, size, &chunk));
    for (unsigned scheme = 6; scheme < 256; scheme++) {
        uint8_t good[2] = {bytes[6], bytes[7]};
        double value;
        bool found;
        bytes[6] = (uint8_t)scheme;
        assert_false(taud_chunk_open(bytes, size, &chunk));
        assert_false(taud_chunk_point(codec, bytes, size, 20, &found, &value));
        bytes[6] = good[0];
        bytes[7] = (uint8_t)scheme;
        assert_false(taud_chunk_open(bytes, size, &chunk));
        assert_false(taud_chunk_point(codec, bytes, size, 20, &found, &value));
        bytes[7] = good[1];
    }
    taud_codec_free(codec);
}

// Exceptions for values that are there already: every part is well formed, the whole is too large.
static void what_is_larger_than_points_are_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[2 * TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk chunk;
    for (unsigned count = 512; count <= CODEC_POINTS; count += 512) {
        uint8_t *at = bytes + TAUD_CHUNK_HEADER_BYTES;
        memset(bytes, 0, sizeof bytes);
        codec_store_u16(bytes + 4, count - 1);
        bytes[7] = 2; // decimals
        bytes[8] = 1;
        *at++ = 5;                      // the step
        codec_store_u16(at + 2, count); // exceptions
        at[5] = 64;                     // the width of the column
        at += 7 + count * 8;
        for (unsigned i = 0; i < count; i++, at += 2)
            codec_store_u16(at, i);
        at += count * 8;
        assert_int_equal(taud_chunk_open(bytes, (size_t)(at - bytes), &chunk), count == 512);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_points_come_back),
        cmocka_unit_test(the_whole_range_of_timestamps_fits),
        cmocka_unit_test(damage_is_seen_and_does_no_harm),
        cmocka_unit_test(headers_that_nobody_writes_are_refused),
        cmocka_unit_test(what_is_larger_than_points_are_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
