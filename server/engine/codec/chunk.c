// SPDX-License-Identifier: MIT
// The header of a chunk and its two sections, written and taken apart. What the sections hold is
// for timestamps.c and values.c.
#include "chunk.h"

#include "../crc32c.h"
#include "codec.h"
#include "fold.h"
#include "timestamps.h"
#include "values.h"

#include <assert.h>

// The header: CRC of all that follows it (4), count - 1 (2), schemes (1 + 1), size of the
// timestamps (2), first timestamp (8).
enum { AT_COUNT = 4, AT_SCHEMES = 6, AT_SIZE = 8, AT_FIRST = 10 };

_Static_assert(AT_FIRST + 8 == TAUD_CHUNK_HEADER_BYTES, "the header has no gaps");

// --- writing -------------------------------------------------------------------------------------

static void summarise(const int64_t *timestamps, const double *values, uint32_t count,
                      const struct codec_lanes *lanes, struct taud_chunk_summary *ret)
{
    *ret = (struct taud_chunk_summary){
        .count = count,
        .number_count = (uint32_t)lanes->count,
        .first_timestamp = timestamps[0],
        .last_timestamp = timestamps[count - 1],
        .first = values[0],
        .last = values[count - 1],
        .low = codec_lanes_low(lanes),
        .high = codec_lanes_high(lanes),
        .sum = codec_lanes_join(lanes->sum),
    };
}

void taud_chunk_summarise(struct taud_codec *codec, const int64_t *timestamps, const double *values,
                          uint32_t count, struct taud_chunk_summary *ret)
{
    struct codec_lanes lanes;
    codec_lanes_init(&lanes);
    codec_values_add(codec, values, 0, count, CODEC_EXTREMES, &lanes);
    summarise(timestamps, values, count, &lanes, ret);
}

size_t taud_chunk_encode(struct taud_codec *codec, const int64_t *timestamps, const double *values,
                         uint32_t count, enum taud_codec_effort effort,
                         struct taud_chunk_hint *hint, uint8_t *out, struct taud_chunk_summary *ret)
{
    struct taud_chunk_hint none = {0};
    struct codec_lanes lanes;
    assert(count >= 1 && count <= TAUD_CHUNK_POINTS_MAX);
    size_t size = TAUD_CHUNK_HEADER_BYTES;
    size_t timestamps_size =
        codec_timestamps_encode(codec, timestamps, count, effort, out + size, &out[AT_SCHEMES]);
    size += timestamps_size;
    size += codec_values_encode(codec, values, count, effort, hint != NULL ? hint : &none,
                                out + size, &out[AT_SCHEMES + 1], &lanes);
    codec_store_u16(out + AT_COUNT, count - 1);
    codec_store_u16(out + AT_SIZE, timestamps_size);
    taud_store_u64(out + AT_FIRST, (uint64_t)timestamps[0]);
    taud_store_u32(out, taud_crc32c(0, out + AT_COUNT, size - AT_COUNT));
    if (ret != NULL)
        summarise(timestamps, values, count, &lanes, ret);
    return size;
}

// --- reading -------------------------------------------------------------------------------------

bool taud_chunk_intact(const uint8_t *bytes, size_t size)
{
    return size >= TAUD_CHUNK_HEADER_BYTES &&
           taud_load_u32(bytes) == taud_crc32c(0, bytes + AT_COUNT, size - AT_COUNT);
}

// Not the columns.
static bool open_header(const uint8_t *bytes, size_t size, struct taud_chunk *ret)
{
    if (size < TAUD_CHUNK_HEADER_BYTES || size > TAUD_CHUNK_BYTES_MAX)
        return false;
    size_t sections = size - TAUD_CHUNK_HEADER_BYTES;
    struct taud_chunk chunk = {
        .timestamps = bytes + TAUD_CHUNK_HEADER_BYTES,
        .timestamps_size = codec_load_u16(bytes + AT_SIZE),
        .count = codec_load_u16(bytes + AT_COUNT) + 1U,
        .timestamps_scheme = bytes[AT_SCHEMES],
        .values_scheme = bytes[AT_SCHEMES + 1],
        .first_timestamp = (int64_t)taud_load_u64(bytes + AT_FIRST),
    };
    if (chunk.count > TAUD_CHUNK_POINTS_MAX || chunk.timestamps_size > sections)
        return false;
    chunk.values = chunk.timestamps + chunk.timestamps_size;
    chunk.values_size = (uint32_t)(sections - chunk.timestamps_size);
    *ret = chunk;
    return true;
}

bool taud_chunk_open(const uint8_t *bytes, size_t size, struct taud_chunk *ret)
{
    struct taud_chunk chunk;
    if (!open_header(bytes, size, &chunk) || !codec_timestamps_check(&chunk) ||
        !codec_values_check(&chunk))
        return false;
    *ret = chunk;
    return true;
}

void taud_chunk_prefetch(const uint8_t *bytes, size_t size, double share)
{
    enum { LINE = 64, NEAR = 4 }; // of timestamps the processor itself brings near what follows
    size_t timestamps = size < TAUD_CHUNK_HEADER_BYTES ? 0 : codec_load_u16(bytes + AT_SIZE);
    size_t values = TAUD_CHUNK_HEADER_BYTES + timestamps;
    if (values >= size)
        return;
    size_t reach = TAUD_CHUNK_HEADER_BYTES + (size_t)(share * (double)timestamps);
    for (size_t at = LINE; at < reach + LINE && at < NEAR * LINE; at += LINE)
        __builtin_prefetch(bytes + at);
    __builtin_prefetch(bytes + reach);
    size_t wanted = values + (size_t)(share * (double)(size - 1 - values));
    // What lies far is not waited for to know how it is read.
    bool summed = values >= LINE ||
                  codec_values_are_summed(bytes[AT_SCHEMES + 1], bytes + values, size - values);
    for (size_t at = values; at < wanted && summed; at += LINE)
        __builtin_prefetch(bytes + at);
    __builtin_prefetch(bytes + values);
    __builtin_prefetch(bytes + wanted);
}

bool taud_chunk_timestamps(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                           uint32_t to, int64_t *out)
{
    assert(from < to && to <= chunk->count);
    return codec_timestamps_read(codec, chunk, from, to, out);
}

bool taud_chunk_values(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                       uint32_t to, double *out)
{
    assert(from < to && to <= chunk->count);
    return codec_values_read(codec, chunk, from, to, out);
}

bool taud_chunk_is_even(const struct taud_chunk *chunk, uint64_t *ret_step)
{
    return codec_timestamps_even(chunk, ret_step);
}

bool taud_chunk_find(struct taud_codec *codec, const struct taud_chunk *chunk, int64_t timestamp,
                     uint32_t *ret_index, int64_t *ret_timestamp)
{
    return codec_timestamps_find(codec, chunk, timestamp, ret_index, ret_timestamp);
}

bool taud_chunk_value_at(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t index,
                         double *ret)
{
    assert(index < chunk->count);
    return codec_values_at(codec, chunk, index, ret);
}

// Even steps and decimals check their columns themselves, in which most points are.
bool taud_chunk_point(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                      int64_t timestamp, bool *ret_found, double *ret)
{
    struct taud_chunk chunk;
    uint32_t index;
    int64_t found;
    *ret_found = false;
    if (!open_header(bytes, size, &chunk) ||
        (chunk.timestamps_scheme != CODEC_TIMESTAMPS_EVEN && !codec_timestamps_check(&chunk)) ||
        (chunk.values_scheme != CODEC_VALUES_ALP && !codec_values_check(&chunk)) ||
        !codec_timestamps_find(codec, &chunk, timestamp, &index, &found))
        return false;
    *ret_found = index < chunk.count && found == timestamp;
    return !*ret_found || codec_values_at(codec, &chunk, index, ret);
}

bool taud_chunk_aggregate(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                          uint32_t to, enum taud_chunk_wanted wanted,
                          struct taud_chunk_aggregate *ret)
{
    struct codec_lanes lanes;
    assert(from < to && to <= chunk->count);
    codec_lanes_init(&lanes);
    if (!codec_values_aggregate(codec, chunk, from, to, (enum codec_wanted)wanted, &lanes))
        return false;
    bool extremes = wanted >= TAUD_WANT_EXTREMES;
    *ret = (struct taud_chunk_aggregate){
        .number_count = (uint32_t)lanes.count,
        .sum = codec_lanes_join(lanes.sum),
        .low = extremes ? codec_lanes_low(&lanes) : 0,
        .high = extremes ? codec_lanes_high(&lanes) : 0,
    };
    return true;
}

bool taud_chunk_fold(struct taud_codec *codec, const struct taud_chunk *chunk, unsigned wanted,
                     struct taud_chunk_part *parts, uint32_t part_count)
{
    assert(part_count > 0 && parts[part_count - 1].to <= chunk->count);
    return codec_fold_parts(codec, chunk, wanted, parts, part_count);
}

bool taud_chunk_deviation(struct taud_codec *codec, const struct taud_chunk *chunk, double mean,
                          double *ret)
{
    return codec_fold_deviation(codec, chunk, mean, ret);
}
