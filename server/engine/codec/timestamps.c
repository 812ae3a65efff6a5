// SPDX-License-Identifier: MIT
// Steps are positive and taken modulo 2^64, so that a chunk may reach from the first timestamp that
// there is to the last. What was read has to ascend; anything else is damage.
#include "timestamps.h"

#include "column.h"

enum {
    RUNS_IN = 8,  // runs are tried where there are at most that many times fewer than steps
    RUNS_WIN = 4, // and kept if nothing is smaller by one part in so many: they are quick to search
};

// --- writing -------------------------------------------------------------------------------------

static size_t write_raw(const int64_t *timestamps, size_t count, uint8_t *out)
{
    taud_copy_words(out, timestamps + 1, count - 1);
    return (count - 1) * 8;
}

// Cuts steps into runs of equal ones. Returns how many; 0 where there are more than `most`.
static size_t cut_runs(const uint64_t *steps, size_t count, size_t most, uint64_t *lengths,
                       uint64_t *values)
{
    size_t runs = 0, first = 0;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && steps[i] == steps[first])
            continue;
        if (runs == most)
            return 0;
        lengths[runs] = i - first - 1;
        values[runs++] = steps[first];
        first = i;
    }
    return runs;
}

static size_t write_runs(struct taud_codec *codec, size_t runs, enum taud_codec_effort effort,
                         uint8_t *out)
{
    codec_store_u16(out, runs);
    size_t size = 2;
    size += codec_column_encode(codec, codec->run_lengths, runs, false, effort, out + size);
    size += codec_column_encode(codec, codec->run_steps, runs, true, effort, out + size);
    return size;
}

size_t codec_timestamps_encode(struct taud_codec *codec, const int64_t *timestamps, size_t count,
                               enum taud_codec_effort effort, uint8_t *out, uint8_t *ret_scheme)
{
    const uint64_t *items = (const uint64_t *)timestamps;
    uint64_t step = count < 2 ? 0 : items[1] - items[0];
    *ret_scheme = CODEC_TIMESTAMPS_EVEN;
    if (count < 2)
        return 0;
    if (codec->kernels->even_steps(items, count, step))
        return (size_t)(codec_put_variable(out, step) - out);
    codec->kernels->differences(items, count, codec->steps);
    codec->steps[0] = codec->steps[1];
    size_t runs = cut_runs(codec->steps + 1, count - 1, count / RUNS_IN, codec->run_lengths,
                           codec->run_steps);
    size_t size = (count - 1) * 8;
    *ret_scheme = CODEC_TIMESTAMPS_RAW;
    if (runs > 0) {
        size_t tried = write_runs(codec, runs, effort, codec->candidates[0]);
        if (tried < size) {
            size = tried;
            memcpy(out, codec->candidates[0], size);
            *ret_scheme = CODEC_TIMESTAMPS_RUNS;
        }
    }
    size_t tried =
        codec_column_encode(codec, codec->steps, count, true, effort, codec->candidates[0]);
    if (tried < size - (*ret_scheme == CODEC_TIMESTAMPS_RUNS ? size / RUNS_WIN : 0)) {
        size = tried;
        memcpy(out, codec->candidates[0], size);
        *ret_scheme = CODEC_TIMESTAMPS_STEPS;
    }
    return *ret_scheme == CODEC_TIMESTAMPS_RAW ? write_raw(timestamps, count, out) : size;
}

// --- reading -------------------------------------------------------------------------------------

static struct codec_cursor cursor_of(const struct taud_chunk *chunk)
{
    return (struct codec_cursor){.at = chunk->timestamps,
                                 .end = chunk->timestamps + chunk->timestamps_size};
}

static bool whole(const struct codec_cursor *cursor)
{
    return !cursor->failed && cursor->at == cursor->end;
}

// The step of even ones; false where they leave the range of timestamps.
static bool even_step(const struct taud_chunk *chunk, uint64_t *ret)
{
    struct codec_cursor cursor = cursor_of(chunk);
    uint64_t steps = chunk->count - 1, step = steps == 0 ? 0 : codec_take_variable(&cursor);
    uint64_t room = (uint64_t)INT64_MAX - (uint64_t)chunk->first_timestamp, distance;
    *ret = step;
    return whole(&cursor) && (steps == 0 || step > 0) &&
           !__builtin_mul_overflow(step, steps, &distance) && distance <= room;
}

bool codec_timestamps_even(const struct taud_chunk *chunk, uint64_t *ret_step)
{
    return chunk->timestamps_scheme == CODEC_TIMESTAMPS_EVEN && even_step(chunk, ret_step);
}

struct runs {
    size_t count;
    struct codec_column lengths;
    struct codec_column steps;
};

static bool open_runs(const struct taud_chunk *chunk, struct runs *ret)
{
    struct codec_cursor cursor = cursor_of(chunk);
    ret->count = codec_take_u16(&cursor);
    return ret->count > 0 && ret->count < chunk->count &&
           codec_column_open(&cursor, ret->count, &ret->lengths) &&
           codec_column_open(&cursor, ret->count, &ret->steps) && whole(&cursor);
}

// As many steps as points, so that they fill their rows: the first leads nowhere.
static bool open_steps(const struct taud_chunk *chunk, struct codec_column *ret)
{
    struct codec_cursor cursor = cursor_of(chunk);
    return codec_column_open(&cursor, chunk->count, ret) && whole(&cursor);
}

bool codec_timestamps_check(const struct taud_chunk *chunk)
{
    uint64_t step;
    struct runs runs;
    struct codec_column column;
    switch (chunk->timestamps_scheme) {
    case CODEC_TIMESTAMPS_EVEN:
        return even_step(chunk, &step);
    case CODEC_TIMESTAMPS_RUNS:
        return open_runs(chunk, &runs);
    case CODEC_TIMESTAMPS_STEPS:
        return open_steps(chunk, &column);
    case CODEC_TIMESTAMPS_RAW:
        return chunk->timestamps_size == (chunk->count - 1) * 8;
    default:
        return false;
    }
}

// Lengths and steps of runs, which have to fill the chunk.
static bool read_runs(struct taud_codec *codec, const struct taud_chunk *chunk, size_t *ret_count)
{
    struct runs runs;
    uint64_t total = 0;
    if (!open_runs(chunk, &runs) || !codec_column_read(codec, &runs.lengths, codec->run_lengths) ||
        !codec_column_read(codec, &runs.steps, codec->run_steps))
        return false;
    for (size_t i = 0; i < runs.count; i++) {
        if (codec->run_lengths[i] >= CODEC_POINTS)
            return false;
        total += ++codec->run_lengths[i];
    }
    *ret_count = runs.count;
    return total == chunk->count - 1;
}

static bool expand_runs(struct taud_codec *codec, const struct taud_chunk *chunk, uint64_t *out)
{
    size_t runs;
    if (!read_runs(codec, chunk, &runs))
        return false;
    uint64_t timestamp = (uint64_t)chunk->first_timestamp;
    *out++ = timestamp;
    for (size_t run = 0; run < runs; run++)
        for (uint64_t i = 0; i < codec->run_lengths[run]; i++)
            *out++ = timestamp += codec->run_steps[run];
    return true;
}

// All timestamps, to codec->timestamps.
static bool read_all(struct taud_codec *codec, const struct taud_chunk *chunk)
{
    uint64_t *out = (uint64_t *)codec->timestamps, step;
    struct codec_column column;
    out[0] = (uint64_t)chunk->first_timestamp;
    switch (chunk->timestamps_scheme) {
    case CODEC_TIMESTAMPS_EVEN:
        if (!even_step(chunk, &step))
            return false;
        codec->kernels->steps(out[0], step, chunk->count, out);
        return true;
    case CODEC_TIMESTAMPS_RUNS:
        if (!expand_runs(codec, chunk, out))
            return false;
        break;
    case CODEC_TIMESTAMPS_STEPS:
        if (!open_steps(chunk, &column) || !codec_column_walk(codec, &column, out[0], out))
            return false;
        break;
    default:
        taud_copy_words(out + 1, chunk->timestamps, chunk->count - 1);
    }
    return codec->kernels->ascending(codec->timestamps, chunk->count);
}

bool codec_timestamps_read(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                           size_t to, int64_t *out)
{
    uint64_t step;
    if (chunk->timestamps_scheme == CODEC_TIMESTAMPS_EVEN) {
        if (!even_step(chunk, &step))
            return false;
        codec->kernels->steps((uint64_t)chunk->first_timestamp + from * step, step, to - from,
                              (uint64_t *)out);
        return true;
    }
    if (!read_all(codec, chunk))
        return false;
    memcpy(out, codec->timestamps + from, (to - from) * sizeof *out);
    return true;
}

// --- finding -------------------------------------------------------------------------------------

// So many steps have to be made to get from one timestamp to another, or past it.
static uint64_t steps_to(uint64_t from, uint64_t to, uint64_t step)
{
    uint64_t distance = to - from;
    return distance / step + (distance % step != 0);
}

static bool find_even(const struct taud_chunk *chunk, uint64_t timestamp, uint32_t *ret_index,
                      int64_t *ret_timestamp)
{
    uint64_t step, first = (uint64_t)chunk->first_timestamp;
    if (!even_step(chunk, &step))
        return false;
    uint64_t index = step == 0 ? 1 : steps_to(first, timestamp, step);
    *ret_index = index < chunk->count ? (uint32_t)index : chunk->count;
    *ret_timestamp = index < chunk->count ? (int64_t)(first + index * step) : 0;
    return true;
}

// Walks along the runs; each has to stay below the highest timestamp.
static bool find_in_runs(struct taud_codec *codec, const struct taud_chunk *chunk,
                         int64_t timestamp, uint32_t *ret_index, int64_t *ret_timestamp)
{
    size_t runs;
    if (!read_runs(codec, chunk, &runs))
        return false;
    uint64_t at = (uint64_t)chunk->first_timestamp, index = 0;
    *ret_index = chunk->count;
    *ret_timestamp = 0;
    for (size_t run = 0; run < runs; run++) {
        uint64_t step = codec->run_steps[run], length = codec->run_lengths[run];
        uint64_t room = (uint64_t)INT64_MAX - at;
        if (step == 0 || step > room / length)
            return false;
        if (*ret_index == chunk->count && timestamp <= (int64_t)(at + step * length)) {
            uint64_t steps = steps_to(at, (uint64_t)timestamp, step);
            *ret_index = (uint32_t)(index + steps);
            *ret_timestamp = (int64_t)(at + steps * step);
        }
        at += step * length;
        index += length;
    }
    return true;
}

// Packed steps, where they need not be looked at one by one to know that they ascend.
static bool find_in_steps(struct taud_codec *codec, const struct taud_chunk *chunk,
                          int64_t timestamp, uint32_t *ret_index, int64_t *ret_timestamp)
{
    uint64_t first = (uint64_t)chunk->first_timestamp, distance;
    struct codec_column column;
    if (!open_steps(chunk, &column) || !codec_column_climbs(&column, (uint64_t)INT64_MAX - first))
        return false;
    *ret_index = codec_column_reach(codec, &column, (uint64_t)timestamp - first, &distance);
    *ret_timestamp = *ret_index < chunk->count ? (int64_t)(first + distance) : 0;
    return true;
}

bool codec_timestamps_find(struct taud_codec *codec, const struct taud_chunk *chunk,
                           int64_t timestamp, uint32_t *ret_index, int64_t *ret_timestamp)
{
    if (timestamp <= chunk->first_timestamp) {
        *ret_index = 0;
        *ret_timestamp = chunk->first_timestamp;
        return true;
    }
    if (chunk->timestamps_scheme == CODEC_TIMESTAMPS_EVEN)
        return find_even(chunk, (uint64_t)timestamp, ret_index, ret_timestamp);
    if (chunk->timestamps_scheme == CODEC_TIMESTAMPS_RUNS)
        return find_in_runs(codec, chunk, timestamp, ret_index, ret_timestamp);
    if (chunk->timestamps_scheme == CODEC_TIMESTAMPS_STEPS &&
        find_in_steps(codec, chunk, timestamp, ret_index, ret_timestamp))
        return true;
    if (!read_all(codec, chunk))
        return false;
    uint32_t low = 0, high = chunk->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (codec->timestamps[middle] < timestamp)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    *ret_timestamp = low < chunk->count ? codec->timestamps[low] : 0;
    return true;
}
