// SPDX-License-Identifier: MIT
// A column of integers is written as itself or as its steps, whichever is smaller; all arithmetic
// is modulo 2^64, so that any bits come back. Dividing by what all have in common makes times that
// are multiples of a second small. It must not know what the numbers mean.
#include "index_column.h"

#include <string.h>

enum integer_mode {
    INTEGERS_PLAIN,
    INTEGERS_STEPS,
};

// How a column is packed: item = (number - base) / divisor, in `width` bits.
struct packing {
    uint64_t base, divisor;
    unsigned width;
    size_t bytes;
};

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static struct packing plan(const uint64_t *values, size_t count)
{
    struct packing packing = {.base = count > 0 ? values[0] : 0, .divisor = 0};
    uint64_t widest = 0;
    for (size_t i = 1; i < count; i++) {
        if ((int64_t)values[i] < (int64_t)packing.base)
            packing.base = values[i];
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t over = values[i] - packing.base;
        widest = over > widest ? over : widest;
        if (packing.divisor != 1)
            packing.divisor = common_divisor(packing.divisor, over);
    }
    packing.divisor = packing.divisor == 0 ? 1 : packing.divisor;
    packing.width = codec_bits(widest / packing.divisor);
    packing.bytes = codec_variable_bytes(codec_zigzag(packing.base)) +
                    codec_variable_bytes(packing.divisor) + 1 +
                    codec_bit_bytes(count * packing.width);
    return packing;
}

static uint8_t *put_packed(const struct packing *packing, const uint64_t *values, size_t count,
                           uint8_t *out)
{
    out = codec_put_variable(out, codec_zigzag(packing->base));
    out = codec_put_variable(out, packing->divisor);
    *out++ = (uint8_t)packing->width;
    size_t bytes = codec_bit_bytes(count * packing->width);
    memset(out, 0, bytes);
    for (size_t i = 0; i < count; i++)
        codec_put_bits(out, i * packing->width, packing->width,
                       (values[i] - packing->base) / packing->divisor);
    return out + bytes;
}

static bool take_packed(struct codec_cursor *cursor, size_t count, uint64_t *ret_values)
{
    uint64_t base = codec_unzigzag(codec_take_variable(cursor));
    uint64_t divisor = codec_take_variable(cursor);
    unsigned width = codec_take_u8(cursor);
    if (width > 64)
        return false;
    const uint8_t *bits = codec_take(cursor, codec_bit_bytes(count * width));
    if (!bits)
        return false;
    for (size_t i = 0; i < count; i++)
        ret_values[i] = base + codec_get_bits(bits, i * width, width) * divisor;
    return true;
}

size_t taud_column_put_integers(const uint64_t *values, size_t count, uint8_t *out)
{
    uint64_t steps[TAUD_COLUMN_MAX] = {0};
    for (size_t i = 1; i < count; i++)
        steps[i - 1] = values[i] - values[i - 1];
    struct packing plain = plan(values, count), stepped = plan(steps, count - 1);
    uint8_t *end = out;
    uint64_t first = codec_zigzag(values[0]);
    if (plain.bytes <= stepped.bytes + codec_variable_bytes(first)) {
        *end++ = INTEGERS_PLAIN;
        end = put_packed(&plain, values, count, end);
    } else {
        *end++ = INTEGERS_STEPS;
        end = codec_put_variable(end, first);
        end = put_packed(&stepped, steps, count - 1, end);
    }
    return (size_t)(end - out);
}

bool taud_column_take_integers(struct codec_cursor *cursor, size_t count, uint64_t *ret_values)
{
    uint8_t mode = codec_take_u8(cursor);
    if (mode == INTEGERS_PLAIN)
        return take_packed(cursor, count, ret_values);
    if (mode != INTEGERS_STEPS)
        return false;
    ret_values[0] = codec_unzigzag(codec_take_variable(cursor));
    if (!take_packed(cursor, count - 1, ret_values + 1))
        return false;
    for (size_t i = 1; i < count; i++)
        ret_values[i] += ret_values[i - 1];
    return true;
}

// The values of a chunk whose timestamps are 0, 1, 2, ..., which take next to no space.
size_t taud_column_put_values(struct taud_codec *codec, const double *values, uint32_t count,
                              uint8_t *out)
{
    uint8_t chunk[TAUD_CHUNK_BYTES_MAX];
    int64_t timestamps[TAUD_COLUMN_MAX];
    for (uint32_t i = 0; i < count; i++)
        timestamps[i] = i;
    size_t size = taud_chunk_encode(codec, timestamps, values, count, TAUD_EFFORT_THOROUGH, NULL,
                                    chunk, NULL);
    uint8_t *end = codec_put_variable(out, size);
    memcpy(end, chunk, size);
    return (size_t)(end - out) + size;
}

bool taud_column_take_values(struct taud_codec *codec, struct codec_cursor *cursor, uint32_t count,
                             double *ret_values)
{
    struct taud_chunk chunk;
    size_t size = (size_t)codec_take_variable(cursor);
    const uint8_t *bytes = codec_take(cursor, size);
    return bytes && taud_chunk_open(bytes, size, &chunk) && chunk.count == count &&
           taud_chunk_values(codec, &chunk, 0, count, ret_values);
}
