// SPDX-License-Identifier: MIT
// Chunks, two ways. The first byte chooses: bytes are read as a chunk, and what can be read of them
// agrees with itself and is the same with all instructions; or points are made of the bytes,
// encoded, and come back, in the same bytes whatever the instructions. The second says how points
// are made: its lowest three bits how values are, the next two how timestamps, the last three the
// effort and decimals.

#include <string.h>

#include "engine/codec/chunk.h"
#include "fuzz.h"

enum { MAX = TAUD_CHUNK_POINTS_MAX };

struct points {
    uint32_t count;
    int64_t timestamps[MAX];
    uint64_t values[MAX]; // their bits
};

static struct taud_codec *codecs(enum taud_codec_variant variant)
{
    static struct taud_codec *codec;
    if (codec == NULL)
        codec = taud_codec_new(taud_allocator_system());
    fuzz_require(codec != NULL, "no memory");
    return taud_codec_use(codec, variant) ? codec : NULL;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Bits, whatever numbers they are.
static bool same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static bool equal(double a, double b)
{
    return a == b || (a != a && b != b);
}

// --- reading -------------------------------------------------------------------------------------

// What was read whole is found in every other way.
static void check_timestamps(struct taud_codec *codec, const struct taud_chunk *chunk,
                             const int64_t *timestamps)
{
    int64_t part[MAX], timestamp;
    uint32_t from = chunk->count / 3, to = chunk->count / 2 + 1, index;
    for (uint32_t i = 1; i < chunk->count; i++)
        fuzz_require(timestamps[i] > timestamps[i - 1], "timestamps do not ascend");
    fuzz_require(taud_chunk_timestamps(codec, chunk, from, to, part) &&
                     same(part, timestamps + from, (to - from) * sizeof *part),
                 "a part has other timestamps");
    fuzz_require(taud_chunk_find(codec, chunk, timestamps[from], &index, &timestamp) &&
                     index == from && timestamp == timestamps[from],
                 "a timestamp is not found");
    if (timestamps[from] < INT64_MAX)
        fuzz_require(taud_chunk_find(codec, chunk, timestamps[from] + 1, &index, &timestamp) &&
                         index == from + 1,
                     "what comes next is not found");
}

static void check_values(struct taud_codec *codec, const struct taud_chunk *chunk,
                         const double *values)
{
    static double part[MAX];
    double value;
    uint32_t from = chunk->count / 3, to = chunk->count / 2 + 1;
    struct taud_chunk_summary summary;
    struct taud_chunk_aggregate result;
    const int64_t none[MAX] = {0};
    fuzz_require(taud_chunk_values(codec, chunk, from, to, part) &&
                     same(part, values + from, (to - from) * 8),
                 "a part has other values");
    fuzz_require(taud_chunk_value_at(codec, chunk, from, &value) && same(&value, &values[from], 8),
                 "a value alone is another");
    fuzz_require(taud_chunk_aggregate(codec, chunk, 0, chunk->count, TAUD_WANT_EXTREMES, &result),
                 "values cannot be added up");
    taud_chunk_summarise(codec, none, values, chunk->count, &summary);
    fuzz_require(result.number_count == summary.number_count && equal(result.sum, summary.sum) &&
                     equal(result.low, summary.low) && equal(result.high, summary.high),
                 "an aggregate differs from its values");
}

// Returns what could be read: 1 timestamps, 2 values. Exact blocks show what is touched beyond.
static unsigned read_chunk(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                           struct points *ret)
{
    struct taud_chunk chunk;
    unsigned read = 0;
    if (!taud_chunk_open(bytes, size, &chunk))
        return 0;
    int64_t *timestamps = malloc(chunk.count * sizeof *timestamps);
    double *values = malloc(chunk.count * sizeof *values);
    fuzz_require(timestamps != NULL && values != NULL, "no memory");
    ret->count = chunk.count;
    if (taud_chunk_timestamps(codec, &chunk, 0, chunk.count, timestamps)) {
        read |= 1;
        check_timestamps(codec, &chunk, timestamps);
        memcpy(ret->timestamps, timestamps, chunk.count * 8);
    }
    if (taud_chunk_values(codec, &chunk, 0, chunk.count, values)) {
        read |= 2;
        check_values(codec, &chunk, values);
        memcpy(ret->values, values, chunk.count * 8);
    }
    free(timestamps);
    free(values);
    return read;
}

static void read_with_all(const uint8_t *data, size_t size)
{
    static struct points first, points;
    unsigned first_read = 0;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    fuzz_require(exact != NULL, "no memory");
    memcpy(exact, data, size);
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = codecs((enum taud_codec_variant)variant);
        if (codec == NULL)
            continue;
        memset(&points, 0, sizeof points);
        unsigned read = read_chunk(codec, exact, size, &points);
        if (variant == 0) {
            first = points;
            first_read = read;
        }
        fuzz_require(read == first_read && same(&first, &points, sizeof first),
                     "a chunk reads otherwise with other instructions");
    }
    free(exact);
}

// --- writing -------------------------------------------------------------------------------------

// What is left of an input.
struct source {
    const uint8_t *data;
    size_t size;
};

// The next bytes as a number; zeros behind the end.
static uint64_t take(struct source *source, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && source->size > 0; i++, source->data++, source->size--)
        number |= (uint64_t)*source->data << 8 * i;
    return number;
}

static uint64_t make_value(struct source *source, unsigned kind, unsigned decimals, double *walk)
{
    static const double powers[] = {1, 10, 100, 1000, 10000, 1e6, 1e9, 1e12};
    uint64_t bits = 0;
    double value;
    switch (kind) {
    case 0:
        return take(source, 8);
    case 1:
        return take(source, 2) << 48;
    case 2:
        value = (double)take(source, 3) / powers[decimals];
        break;
    case 3:
        value = (double)take(source, 1);
        break;
    case 4:
        return UINT64_C(0x3ff0000000000000) | take(source, 6);
    default:
        *walk += (double)take(source, 1) - 127;
        value = *walk / powers[decimals];
    }
    if (source->size > 0 && source->data[0] >= 0xf8) // an exception among decimals
        return take(source, 3) >> 8 << 48;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t make_step(struct source *source, unsigned kind, uint64_t last)
{
    switch (kind) {
    case 0:
        return last;
    case 1:
        return (1 + take(source, 1)) * 1000000;
    case 2:
        return take(source, 1) < 250 ? last : 1 + take(source, 4);
    default:
        return 1 + take(source, 8);
    }
}

static void make_points(struct source source, unsigned options, struct points *ret)
{
    double walk = 0;
    uint64_t step = 1 + take(&source, 2), at = take(&source, 8);
    memset(ret, 0, sizeof *ret);
    while (ret->count < MAX && (source.size > 0 || ret->count == 0)) {
        ret->timestamps[ret->count] = (int64_t)at;
        ret->values[ret->count++] = make_value(&source, options & 7, options >> 5, &walk);
        step = make_step(&source, options >> 3 & 3, step);
        if (step == 0 || step > (uint64_t)INT64_MAX - at)
            break;
        at += step;
    }
}

static void write_with_all(const uint8_t *data, size_t size, unsigned options)
{
    static struct points points, back;
    static uint8_t first[TAUD_CHUNK_BYTES_MAX], bytes[TAUD_CHUNK_BYTES_MAX];
    static double values[MAX];
    enum taud_codec_effort effort = (enum taud_codec_effort)((options >> 5) % 3);
    size_t first_size = 0;
    make_points((struct source){data, size}, options, &points);
    for (uint32_t i = 0; i < points.count; i++)
        values[i] = double_of(points.values[i]);
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = codecs((enum taud_codec_variant)variant);
        struct taud_chunk_hint hint = {0};
        if (codec == NULL)
            continue;
        size_t written = taud_chunk_encode(codec, points.timestamps, values, points.count, effort,
                                           &hint, bytes, NULL);
        if (variant == 0) {
            first_size = written;
            memcpy(first, bytes, written);
        }
        fuzz_require(written == first_size && same(first, bytes, written),
                     "a chunk is written otherwise with other instructions");
        memset(&back, 0, sizeof back);
        fuzz_require(taud_chunk_intact(bytes, written), "the checksum is wrong");
        fuzz_require(read_chunk(codec, bytes, written, &back) == 3, "a chunk cannot be read");
        fuzz_require(same(&points, &back, sizeof points), "points do not come back");
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < FUZZ_PREFIX)
        return;
    if (data[0] % 2 == 0)
        read_with_all(data + FUZZ_PREFIX, size - FUZZ_PREFIX);
    else
        write_with_all(data + FUZZ_PREFIX, size - FUZZ_PREFIX, data[1]);
}
