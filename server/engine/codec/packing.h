// SPDX-License-Identifier: MIT
// Columns of items of one width, 0 to 64 bits, so that they are packed and unpacked a row of 8 at a
// time and each can be found by its place. FORMAT.md has the layout.
#ifndef TAUD_ENGINE_CODEC_PACKING_H
#define TAUD_ENGINE_CODEC_PACKING_H

#include "codec.h"

// Of `count` items from 0 to 1,024.
size_t codec_packed_bytes(size_t count, unsigned width);

// How many of them stand in rows; the rest, fewer than 64, stand behind as a string of bits.
static inline size_t codec_packed_rows(size_t count)
{
    return count / 64 * 8;
}

// What is left of items without the base modulo 2^32, or of their differences from the ones before
// them, the first of which stands in items[-1]; `items` has to have room for whole blocks of 256.
// Packed has no bits above the width, which is at most 32. Writes exactly codec_packed_bytes.
void codec_pack_narrow(struct taud_codec *codec, const uint32_t *items, size_t count, uint32_t base,
                       unsigned width, uint8_t *out);
void codec_pack_steps(struct taud_codec *codec, const uint32_t *items, size_t count, uint32_t base,
                      unsigned width, uint8_t *out);
// Of any width, as they are.
void codec_pack(struct taud_codec *codec, const uint64_t *items, size_t count, unsigned width,
                uint8_t *out);

// Unpacks items from block `from` of 256 on, up to item `to`, with `base` added modulo 2^32, to
// their places in `out`, which has room for whole blocks. At most 32 bits.
void codec_unpack_narrow(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                         uint32_t base, size_t from, size_t to, uint32_t *out);
// All of them, of any width, with `base` added; `out` has room for whole rows.
void codec_unpack(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                  uint64_t base, uint64_t *out);

uint64_t codec_packed_at(const uint8_t *in, size_t count, unsigned width, size_t index);
// The sum modulo 2^32 of the first `to` items, of at most 32 bits. What is behind them is not
// looked at.
uint32_t codec_packed_sum(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                          size_t to);

#endif
