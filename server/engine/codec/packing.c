// SPDX-License-Identifier: MIT
// Interleaved rows by the kernels, and around them what does not fill a block or a row. A lane
// whose bits do not fill its last word keeps whole bytes of it, since the number of rows is a
// multiple of 8; those bytes stand lane by lane behind the last full row of words.
#include "packing.h"

enum { TAIL_MAX = 64, WIDE_ROWS = 64 };

// Where things stand in a column.
struct layout {
    size_t rows;
    size_t word_bytes; // of a word of one lane, 4 or 8
    size_t full_words; // in each lane
    size_t rest_bytes; // in each lane behind them
    size_t rows_bytes; // all of that
    size_t tail_count; // items behind the rows
};

static struct layout layout_of(size_t count, unsigned width)
{
    const unsigned shift = width <= 32 ? 2 : 3; // no division: this is asked for every chunk
    struct layout layout = {.rows = codec_packed_rows(count), .word_bytes = (size_t)1 << shift};
    size_t lane_bytes = layout.rows * width / 8;
    layout.full_words = lane_bytes >> shift;
    layout.rest_bytes = lane_bytes & (layout.word_bytes - 1);
    layout.rows_bytes = lane_bytes * CODEC_LANES;
    layout.tail_count = count - layout.rows * CODEC_LANES;
    return layout;
}

size_t codec_packed_bytes(size_t count, unsigned width)
{
    struct layout layout = layout_of(count, width);
    return layout.rows_bytes + codec_bit_bytes(layout.tail_count * width);
}

// --- rows that do not fill their words -----------------------------------------------------------

// Copies whole words and what is left of each lane to `out`, from words that are padded.
static void trim(const struct layout *layout, size_t first_word, const uint8_t *padded,
                 uint8_t *out)
{
    size_t row_bytes = layout->word_bytes * CODEC_LANES;
    size_t full_bytes = (layout->full_words - first_word) * row_bytes;
    memcpy(out, padded, full_bytes);
    for (size_t lane = 0; lane < CODEC_LANES; lane++)
        memcpy(out + full_bytes + lane * layout->rest_bytes,
               padded + full_bytes + lane * layout->word_bytes, layout->rest_bytes);
}

static void untrim(const struct layout *layout, size_t first_word, const uint8_t *in,
                   uint8_t *padded)
{
    size_t row_bytes = layout->word_bytes * CODEC_LANES;
    size_t full_bytes = (layout->full_words - first_word) * row_bytes;
    memcpy(padded, in, full_bytes);
    memset(padded + full_bytes, 0, row_bytes);
    for (size_t lane = 0; lane < CODEC_LANES; lane++)
        memcpy(padded + full_bytes + lane * layout->word_bytes,
               in + full_bytes + lane * layout->rest_bytes, layout->rest_bytes);
}

// --- the string of bits behind the rows ----------------------------------------------------------

static void pack_tail(const uint64_t *items, size_t count, unsigned width, uint8_t *out)
{
    uint64_t word = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < count; i++) {
        word |= items[i] << filled;
        if (filled + width < 64) {
            filled += width;
            continue;
        }
        taud_store_u64(out, word);
        out += 8;
        word = filled == 0 ? 0 : items[i] >> (64 - filled);
        filled = filled + width - 64;
    }
    for (; filled > 0; filled -= filled < 8 ? filled : 8, word >>= 8)
        *out++ = (uint8_t)word;
}

static void unpack_tail(const uint8_t *in, size_t count, unsigned width, uint64_t *out)
{
    uint8_t padded[TAIL_MAX * 8 + 16];
    size_t bytes = codec_bit_bytes(count * width);
    memcpy(padded, in, bytes);
    memset(padded + bytes, 0, 16);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = padded + i * width / 8;
        unsigned shift = (unsigned)(i * width % 8);
        uint64_t item = taud_load_u64(from) >> shift;
        item |= (uint64_t)from[8] << 1 << (63 - shift);
        out[i] = item & codec_mask(width);
    }
}

// --- packing -------------------------------------------------------------------------------------

typedef void pack_block(unsigned width, const uint32_t *in, uint32_t base, uint8_t *out);

// What stands behind the rows may hold anything: it fills up the last block behind all else, and is
// cut off again.
static void pack_rows(struct taud_codec *codec, pack_block *pack, const uint32_t *items,
                      const struct layout *layout, uint32_t base, unsigned width, uint8_t *out)
{
    size_t row = 0;
    for (; row + CODEC_BLOCK_ROWS <= layout->rows; row += CODEC_BLOCK_ROWS) {
        pack(width, items + row * CODEC_LANES, base, out);
        out += (size_t)CODEC_BLOCK_ROWS * width;
    }
    if (row < layout->rows) {
        pack(width, items + row * CODEC_LANES, base, codec->packed);
        trim(layout, row * width / 32, codec->packed, out);
    }
}

void codec_pack_narrow(struct taud_codec *codec, const uint32_t *items, size_t count, uint32_t base,
                       unsigned width, uint8_t *out)
{
    struct layout layout = layout_of(count, width);
    const uint32_t *rest = items + layout.rows * CODEC_LANES;
    uint64_t tail[TAIL_MAX];
    pack_rows(codec, codec->kernels->packing->pack_block, items, &layout, base, width, out);
    for (size_t i = 0; i < layout.tail_count; i++)
        tail[i] = rest[i] - base;
    pack_tail(tail, layout.tail_count, width, out + layout.rows_bytes);
}

void codec_pack_steps(struct taud_codec *codec, const uint32_t *items, size_t count, uint32_t base,
                      unsigned width, uint8_t *out)
{
    struct layout layout = layout_of(count, width);
    const uint32_t *rest = items + layout.rows * CODEC_LANES;
    uint64_t tail[TAIL_MAX];
    pack_rows(codec, codec->kernels->packing->pack_steps, items, &layout, base, width, out);
    for (size_t i = 0; i < layout.tail_count; i++)
        tail[i] = rest[i] - *(rest + i - 1) - base;
    pack_tail(tail, layout.tail_count, width, out + layout.rows_bytes);
}

void codec_pack(struct taud_codec *codec, const uint64_t *items, size_t count, unsigned width,
                uint8_t *out)
{
    if (width <= 32) {
        codec->kernels->narrow(items, count, 0, codec->narrow);
        codec_pack_narrow(codec, codec->narrow, count, 0, width, out);
        return;
    }
    struct layout layout = layout_of(count, width);
    if (layout.rest_bytes == 0) {
        codec->kernels->packing->pack_wide(width, items, layout.rows, out);
    } else {
        size_t rows = (layout.rows + WIDE_ROWS - 1) / WIDE_ROWS * WIDE_ROWS;
        size_t used = layout.rows * CODEC_LANES;
        memcpy(codec->wide, items, used * sizeof *items);
        memset(codec->wide + used, 0, (rows * CODEC_LANES - used) * sizeof *items);
        codec->kernels->packing->pack_wide(width, codec->wide, rows, codec->packed);
        trim(&layout, 0, codec->packed, out);
    }
    pack_tail(items + layout.rows * CODEC_LANES, layout.tail_count, width, out + layout.rows_bytes);
}

// --- unpacking -----------------------------------------------------------------------------------

void codec_unpack_narrow(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                         uint32_t base, size_t from, size_t to, uint32_t *out)
{
    struct layout layout = layout_of(count, width);
    size_t block_bytes = (size_t)CODEC_BLOCK_ROWS * width;
    size_t row = from * CODEC_BLOCK_ROWS;
    for (; row + CODEC_BLOCK_ROWS <= layout.rows && row * CODEC_LANES < to; row += CODEC_BLOCK_ROWS)
        codec->kernels->packing->unpack_block(width, in + row / CODEC_BLOCK_ROWS * block_bytes,
                                              base, out + row * CODEC_LANES);
    if (row < layout.rows && row * CODEC_LANES < to) {
        untrim(&layout, row * width / 32, in + row / CODEC_BLOCK_ROWS * block_bytes, codec->packed);
        codec->kernels->packing->unpack_block(width, codec->packed, base, out + row * CODEC_LANES);
    }
    if (to > layout.rows * CODEC_LANES) {
        uint64_t tail[TAIL_MAX];
        unpack_tail(in + layout.rows_bytes, layout.tail_count, width, tail);
        for (size_t i = 0; i < layout.tail_count; i++)
            out[layout.rows * CODEC_LANES + i] = (uint32_t)tail[i] + base;
    }
}

void codec_unpack(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                  uint64_t base, uint64_t *out)
{
    if (width <= 32) {
        codec_unpack_narrow(codec, in, count, width, 0, 0, count, codec->narrow);
        codec->kernels->widen(codec->narrow, count, base, out);
        return;
    }
    struct layout layout = layout_of(count, width);
    const uint8_t *rows = in;
    if (layout.rest_bytes > 0) {
        untrim(&layout, 0, in, codec->packed);
        rows = codec->packed;
    }
    codec->kernels->packing->unpack_wide(width, rows, layout.rows, out);
    unpack_tail(in + layout.rows_bytes, layout.tail_count, width, out + layout.rows * CODEC_LANES);
    for (size_t i = 0; i < count && base != 0; i++)
        out[i] += base;
}

uint64_t codec_packed_at(const uint8_t *in, size_t count, unsigned width, size_t index)
{
    struct layout layout = layout_of(count, width);
    size_t row = index / CODEC_LANES, lane = index % CODEC_LANES;
    if (row >= layout.rows)
        return codec_get_bits(in + layout.rows_bytes, (index - layout.rows * CODEC_LANES) * width,
                              width);
    uint64_t words[2] = {0, 0};
    size_t word = row * width / (layout.word_bytes * 8);
    unsigned shift = (unsigned)(row * width % (layout.word_bytes * 8));
    for (size_t i = 0; i < 2 && word + i <= layout.full_words; i++) {
        size_t full = word + i < layout.full_words ? layout.word_bytes : 0;
        size_t size = full != 0 ? full : layout.rest_bytes;
        uint8_t bytes[8] = {0};
        memcpy(bytes, in + (word + i) * CODEC_LANES * layout.word_bytes + lane * size, size);
        words[i] = taud_load_u64(bytes);
    }
    uint64_t item = words[0] >> shift;
    if (shift > 0)
        item |= words[1] << (layout.word_bytes * 8 - shift);
    return item & codec_mask(width);
}

uint32_t codec_packed_sum(struct taud_codec *codec, const uint8_t *in, size_t count, unsigned width,
                          size_t to)
{
    struct layout layout = layout_of(count, width);
    size_t in_rows = to < layout.rows * CODEC_LANES ? to : layout.rows * CODEC_LANES, at = 0;
    uint32_t sum = 0;
    if (width == 0)
        return 0;
    for (; at < in_rows; at += CODEC_BLOCK) {
        const uint8_t *block = in + at / CODEC_LANES * width;
        size_t taken = in_rows - at < CODEC_BLOCK ? in_rows - at : CODEC_BLOCK;
        if (at / CODEC_LANES + CODEC_BLOCK_ROWS > layout.rows) {
            untrim(&layout, at / CODEC_LANES * width / 32, block, codec->packed);
            block = codec->packed;
        }
        sum += codec->kernels->packing->sum_block(width, block, taken);
    }
    for (at = in_rows; at < to; at++)
        sum += (uint32_t)codec_get_bits(in + layout.rows_bytes, (at - in_rows) * width, width);
    return sum;
}
