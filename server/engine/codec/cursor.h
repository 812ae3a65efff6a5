// SPDX-License-Identifier: MIT
// The small numbers of a chunk: bytes, variable-length integers and strings of bits, written where
// there is room by plan, and read where nothing is trusted.
#ifndef TAUD_ENGINE_CODEC_CURSOR_H
#define TAUD_ENGINE_CODEC_CURSOR_H

#include "../bytes.h"

#include <stdbool.h>

// What is left to read. Once something was missing, `failed` stays, and all that is read is 0.
struct codec_cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

// Takes the next `size` bytes; NULL when there are fewer.
static inline const uint8_t *codec_take(struct codec_cursor *cursor, size_t size)
{
    if (cursor->failed || (size_t)(cursor->end - cursor->at) < size) {
        cursor->failed = true;
        return NULL;
    }
    cursor->at += size;
    return cursor->at - size;
}

static inline uint8_t codec_take_u8(struct codec_cursor *cursor)
{
    if (cursor->at == cursor->end)
        cursor->failed = true;
    return cursor->failed ? 0 : *cursor->at++;
}

static inline uint16_t codec_load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline void codec_store_u16(uint8_t *bytes, size_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline uint16_t codec_take_u16(struct codec_cursor *cursor)
{
    const uint8_t *bytes = codec_take(cursor, 2);
    return bytes == NULL ? 0 : codec_load_u16(bytes);
}

// --- integers of variable length (LEB128): seven bits a byte, the lowest first -------------------

enum { CODEC_VARIABLE_MAX = 10 };

static inline unsigned codec_bits(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

static inline size_t codec_variable_bytes(uint64_t value)
{
    return (codec_bits(value | 1) + 6) / 7;
}

static inline uint8_t *codec_put_variable(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

static inline uint64_t codec_take_variable(struct codec_cursor *cursor)
{
    const uint8_t *at = cursor->at;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at < cursor->end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            cursor->at = at;
            return cursor->failed ? 0 : value;
        }
    }
    cursor->failed = true;
    return 0;
}

// Integers near zero become small numbers: 0, -1, 1, -2, ...
static inline uint64_t codec_zigzag(uint64_t value)
{
    return value << 1 ^ (0 - (value >> 63));
}

static inline uint64_t codec_unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

// --- strings of bits, the lowest first -----------------------------------------------------------

static inline uint64_t codec_mask(unsigned width)
{
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

static inline size_t codec_bit_bytes(size_t bits)
{
    return (bits + 7) / 8;
}

// Sets `width` bits from bit `at` on. All bytes from there on have to be zero.
static inline void codec_put_bits(uint8_t *out, size_t at, unsigned width, uint64_t value)
{
    for (unsigned done = 0; done < width;) {
        unsigned shift = (unsigned)((at + done) % 8);
        out[(at + done) / 8] |= (uint8_t)(value >> done << shift);
        done += 8 - shift;
    }
}

static inline uint64_t codec_get_bits(const uint8_t *in, size_t at, unsigned width)
{
    uint64_t value = 0;
    for (unsigned done = 0; done < width;) {
        unsigned shift = (unsigned)((at + done) % 8);
        value |= (uint64_t)(in[(at + done) / 8] >> shift) << done;
        done += 8 - shift;
    }
    return value & codec_mask(width);
}

#endif
