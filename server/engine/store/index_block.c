// SPDX-License-Identifier: MIT
// A block of the index: a head, seven columns of integers, five of values. Places are stored as
// what lies between records, which is nothing, and last timestamps as what is over the first; both
// pack well. The checksum covers file id and number, so that a block of elsewhere is not good here.
#include "index_block.h"

#include "../crc32c.h"

#include <string.h>

static uint32_t block_check(const uint8_t *bytes, size_t size, uint64_t file_id, uint64_t number)
{
    uint8_t place[16];
    taud_store_u64(place, ~file_id); // that of a record has the id itself
    taud_store_u64(place + 8, number);
    return taud_crc32c(taud_crc32c(0, place, sizeof place), bytes + 4, size - 4);
}

static void widen(const uint32_t *from, size_t count, uint64_t *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i];
}

static uint8_t *encode_integers(const struct taud_index_block *block, uint8_t *out)
{
    uint64_t column[TAUD_COLUMN_MAX];
    size_t count = block->count;
    const struct taud_chunk_columns *columns = &block->columns;
    out += taud_column_put_integers(block->identities, count, out);
    column[0] = 0;
    for (size_t i = 1; i < count; i++)
        column[i] = block->offsets[i] - block->offsets[i - 1] - block->sizes[i - 1];
    out += taud_column_put_integers(column, count, out);
    out += taud_column_put_integers(block->sizes, count, out);
    for (size_t i = 0; i < count; i++)
        column[i] = (uint64_t)block->first_timestamps[i];
    out += taud_column_put_integers(column, count, out);
    for (size_t i = 0; i < count; i++)
        column[i] = (uint64_t)block->last_timestamps[i] - (uint64_t)block->first_timestamps[i];
    out += taud_column_put_integers(column, count, out);
    widen(columns->counts, count, column);
    out += taud_column_put_integers(column, count, out);
    for (size_t i = 0; i < count; i++)
        column[i] = columns->counts[i] - columns->number_counts[i];
    return out + taud_column_put_integers(column, count, out);
}

size_t taud_index_block_encode(struct taud_codec *codec, const struct taud_index_block *block,
                               uint64_t file_id, uint64_t number, uint8_t *out)
{
    const struct taud_chunk_columns *columns = &block->columns;
    const double *values[5] = {columns->firsts, columns->lasts, columns->lows, columns->highs,
                               columns->sums};
    uint8_t *end = encode_integers(block, out + TAUD_INDEX_BLOCK_HEAD);
    for (int i = 0; i < 5; i++)
        end += taud_column_put_values(codec, values[i], block->count, end);
    size_t size = (size_t)(end - out);
    taud_store_u32(out + 4, (uint32_t)size);
    taud_store_u64(out + 8, block->offsets[0]);
    codec_store_u16(out + 16, block->count);
    taud_store_u32(out, block_check(out, size, file_id, number));
    return size;
}

size_t taud_index_block_size(const uint8_t *bytes, size_t size)
{
    if (size < TAUD_INDEX_BLOCK_HEAD)
        return 0;
    uint32_t own = taud_load_u32(bytes + 4);
    return own > TAUD_INDEX_BLOCK_HEAD && own <= size ? own : 0;
}

// The columns that say where chunks are.
static bool decode_places(struct codec_cursor *cursor, uint64_t offset,
                          struct taud_index_block *ret)
{
    uint64_t column[TAUD_COLUMN_MAX];
    size_t count = ret->count;
    if (!taud_column_take_integers(cursor, count, ret->identities) ||
        !taud_column_take_integers(cursor, count, column) ||
        !taud_column_take_integers(cursor, count, ret->sizes))
        return false;
    ret->offsets[0] = offset;
    for (size_t i = 1; i < count; i++)
        ret->offsets[i] = ret->offsets[i - 1] + ret->sizes[i - 1] + column[i];
    if (!taud_column_take_integers(cursor, count, column))
        return false;
    for (size_t i = 0; i < count; i++)
        ret->first_timestamps[i] = (int64_t)column[i];
    if (!taud_column_take_integers(cursor, count, column))
        return false;
    for (size_t i = 0; i < count; i++)
        ret->last_timestamps[i] = (int64_t)((uint64_t)ret->first_timestamps[i] + column[i]);
    return true;
}

static bool decode_counts(struct codec_cursor *cursor, size_t count, struct taud_chunk_columns *ret)
{
    uint64_t column[TAUD_COLUMN_MAX];
    if (!taud_column_take_integers(cursor, count, column))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (column[i] == 0 || column[i] > TAUD_CHUNK_POINTS_MAX)
            return false;
        ret->counts[i] = (uint32_t)column[i];
    }
    if (!taud_column_take_integers(cursor, count, column))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (column[i] > ret->counts[i])
            return false;
        ret->number_counts[i] = ret->counts[i] - (uint32_t)column[i];
    }
    return true;
}

static bool decode_values(struct taud_codec *codec, struct codec_cursor *cursor, uint32_t count,
                          struct taud_chunk_columns *ret)
{
    double *values[5] = {ret->firsts, ret->lasts, ret->lows, ret->highs, ret->sums};
    for (int i = 0; i < 5; i++) {
        if (!taud_column_take_values(codec, cursor, count, values[i]))
            return false;
    }
    return true;
}

// What a writer never writes, checked where the checksum holds: nothing else is to be trusted then.
static bool is_sound(const struct taud_index_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        uint64_t size = block->sizes[i], offset = block->offsets[i];
        uint64_t span = (uint64_t)block->last_timestamps[i] - (uint64_t)block->first_timestamps[i];
        if (size == 0 || size > UINT16_MAX || offset > UINT64_MAX - size ||
            block->last_timestamps[i] < block->first_timestamps[i] ||
            span < block->columns.counts[i] - 1)
            return false;
        if (i == 0)
            continue;
        bool same = block->identities[i] == block->identities[i - 1];
        if (offset < block->offsets[i - 1] + block->sizes[i - 1] ||
            offset - block->offsets[0] > UINT32_MAX ||
            block->identities[i] < block->identities[i - 1] ||
            (same && block->first_timestamps[i] <= block->last_timestamps[i - 1]))
            return false;
    }
    return true;
}

static bool begin(const uint8_t *bytes, size_t size, struct codec_cursor *ret_cursor,
                  uint32_t *ret_count)
{
    *ret_count = codec_load_u16(bytes + 16);
    *ret_cursor = (struct codec_cursor){bytes + TAUD_INDEX_BLOCK_HEAD, bytes + size, false};
    return *ret_count > 0 && *ret_count <= TAUD_COLUMN_MAX;
}

bool taud_index_block_intact(const uint8_t *bytes, size_t size, uint64_t file_id, uint64_t number)
{
    return taud_load_u32(bytes) == block_check(bytes, size, file_id, number);
}

bool taud_index_block_decode(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                             uint64_t file_id, uint64_t number, struct taud_index_block *ret)
{
    struct codec_cursor cursor;
    return taud_index_block_intact(bytes, size, file_id, number) &&
           begin(bytes, size, &cursor, &ret->count) &&
           decode_places(&cursor, taud_load_u64(bytes + 8), ret) &&
           decode_counts(&cursor, ret->count, &ret->columns) &&
           decode_values(codec, &cursor, ret->count, &ret->columns) && cursor.at == cursor.end &&
           is_sound(ret);
}

uint32_t taud_index_block_columns(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                                  struct taud_chunk_columns *ret)
{
    struct codec_cursor cursor;
    uint64_t column[TAUD_COLUMN_MAX];
    uint32_t count;
    bool good = begin(bytes, size, &cursor, &count);
    for (int i = 0; good && i < 5; i++)
        good = taud_column_take_integers(&cursor, count, column);
    good = good && decode_counts(&cursor, count, ret) && decode_values(codec, &cursor, count, ret);
    return good ? count : 0;
}
