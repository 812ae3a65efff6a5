// SPDX-License-Identifier: MIT
// Items of one width to bits and back, and added up as they are packed: a block of 256 in one step
// where they have up to 32 bits, by a loop for each width in which only shifts remain; rows of
// wider ones by one loop for all. FORMAT.md has the layout.
#include "kernels_vectors.h"

#define ROW_BYTES      32 // of one 32-bit word in each lane
#define WIDE_ROW_BYTES 64 // of one 64-bit word

// --- packing up to 32 bits -----------------------------------------------------------------------

// One row of a block. Width and row are constants once this is inlined, so that only the shifts
// remain; `word` is what is begun, and lives in a register.
INLINE void pack_row(unsigned width, unsigned row, words item, uint8_t *out, words *word)
{
    const unsigned shift = row * width % 32;
    *word = shift == 0 ? item : *word | item << shift;
    if (shift + width >= 32)
        store_words(out + (size_t)(row * width / 32) * ROW_BYTES, *word);
    if (shift + width > 32)
        *word = item >> (32 - shift);
}

INLINE void pack_item(unsigned width, unsigned row, const uint32_t *in, uint32_t base, uint8_t *out,
                      words *word)
{
    pack_row(width, row, words_of(in + (size_t)row * CODEC_LANES) - base, out, word);
}

INLINE void pack_step(unsigned width, unsigned row, const uint32_t *in, uint32_t base, uint8_t *out,
                      words *word)
{
    const uint32_t *from = in + (size_t)row * CODEC_LANES;
    pack_row(width, row, words_of(from) - words_of(from - 1) - base, out, word);
}

INLINE words take_row(unsigned width, unsigned row, const uint8_t *in, words *word)
{
    const unsigned shift = row * width % 32;
    if (shift == 0)
        *word = load_words(in + (size_t)(row * width / 32) * ROW_BYTES);
    words item = *word >> shift;
    if (shift + width > 32) {
        *word = load_words(in + (size_t)(row * width / 32 + 1) * ROW_BYTES);
        item |= *word << (32 - shift);
    }
    if (width < 32)
        item &= (1U << (width & 31)) - 1;
    return item;
}

INLINE void unpack_row(unsigned width, unsigned row, const uint8_t *in, uint32_t base,
                       uint32_t *out, words *word)
{
    words item = take_row(width, row, in, word) + base;
    memcpy(out + (size_t)row * CODEC_LANES, &item, sizeof item);
}

#define EACH_OF_8(step, width, row, ...)                                                           \
    step(width, (row) + 0, __VA_ARGS__);                                                           \
    step(width, (row) + 1, __VA_ARGS__);                                                           \
    step(width, (row) + 2, __VA_ARGS__);                                                           \
    step(width, (row) + 3, __VA_ARGS__);                                                           \
    step(width, (row) + 4, __VA_ARGS__);                                                           \
    step(width, (row) + 5, __VA_ARGS__);                                                           \
    step(width, (row) + 6, __VA_ARGS__);                                                           \
    step(width, (row) + 7, __VA_ARGS__)
#define EACH_ROW(step, width, ...)                                                                 \
    EACH_OF_8(step, width, 0, __VA_ARGS__);                                                        \
    EACH_OF_8(step, width, 8, __VA_ARGS__);                                                        \
    EACH_OF_8(step, width, 16, __VA_ARGS__);                                                       \
    EACH_OF_8(step, width, 24, __VA_ARGS__)

INLINE void pack_all(unsigned width, const uint32_t *restrict in, uint32_t base, bool steps,
                     uint8_t *restrict out)
{
    for (size_t part = 0; part < WORDS_PARTS; part++) {
        const uint32_t *from = in + part * WORDS;
        uint8_t *to = out + part * VECTOR_BYTES;
        words word = {0};
        if (steps) {
            EACH_ROW(pack_step, width, from, base, to, &word);
        } else {
            EACH_ROW(pack_item, width, from, base, to, &word);
        }
    }
}

INLINE void unpack_all(unsigned width, const uint8_t *restrict in, uint32_t base,
                       uint32_t *restrict out)
{
    for (size_t part = 0; part < WORDS_PARTS; part++) {
        const uint8_t *from = in + part * VECTOR_BYTES;
        uint32_t *to = out + part * WORDS;
        words word = {0};
        EACH_ROW(unpack_row, width, from, base, to, &word);
    }
}

// clang-format off
#define EACH_WIDTH(step)                                                                           \
    step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8)                                \
    step(9) step(10) step(11) step(12) step(13) step(14) step(15) step(16)                         \
    step(17) step(18) step(19) step(20) step(21) step(22) step(23) step(24)                        \
    step(25) step(26) step(27) step(28) step(29) step(30) step(31) step(32)
// clang-format on

#define DEFINE_WIDTH(width)                                                                        \
    static void pack_##width(const uint32_t *in, uint32_t base, uint8_t *out)                      \
    {                                                                                              \
        pack_all(width, in, base, false, out);                                                     \
    }                                                                                              \
    static void pack_steps_##width(const uint32_t *in, uint32_t base, uint8_t *out)                \
    {                                                                                              \
        pack_all(width, in, base, true, out);                                                      \
    }                                                                                              \
    static void unpack_##width(const uint8_t *in, uint32_t base, uint32_t *out)                    \
    {                                                                                              \
        unpack_all(width, in, base, out);                                                          \
    }
EACH_WIDTH(DEFINE_WIDTH)

static void pack_0(const uint32_t *in, uint32_t base, uint8_t *out)
{
    (void)in;
    (void)base;
    (void)out;
}

static void unpack_0(const uint8_t *in, uint32_t base, uint32_t *out)
{
    (void)in;
    for (size_t i = 0; i < CODEC_BLOCK; i++)
        out[i] = base;
}

#define PACK_ENTRY(width)   pack_##width,
#define STEPS_ENTRY(width)  pack_steps_##width,
#define UNPACK_ENTRY(width) unpack_##width,

static void pack_block(unsigned width, const uint32_t *in, uint32_t base, uint8_t *out)
{
    static void (*const table[33])(const uint32_t *, uint32_t,
                                   uint8_t *) = {pack_0, EACH_WIDTH(PACK_ENTRY)};
    table[width](in, base, out);
}

static void pack_steps(unsigned width, const uint32_t *in, uint32_t base, uint8_t *out)
{
    static void (*const table[33])(const uint32_t *, uint32_t,
                                   uint8_t *) = {pack_0, EACH_WIDTH(STEPS_ENTRY)};
    table[width](in, base, out);
}

static void unpack_block(unsigned width, const uint8_t *in, uint32_t base, uint32_t *out)
{
    static void (*const table[33])(const uint8_t *, uint32_t,
                                   uint32_t *) = {unpack_0, EACH_WIDTH(UNPACK_ENTRY)};
    table[width](in, base, out);
}

// --- adding up what is packed --------------------------------------------------------------------

INLINE void sum_row(unsigned width, unsigned row, const uint8_t *in, words *sum, words *word)
{
    *sum += take_row(width, row, in, word);
}

// Of 1 to 4 times eight rows.
INLINE void sum_all(unsigned width, const uint8_t *in, size_t eights, uint32_t *out)
{
    for (size_t part = 0; part < WORDS_PARTS; part++) {
        const uint8_t *from = in + part * VECTOR_BYTES;
        words word = {0}, sum = {0};
        EACH_OF_8(sum_row, width, 0, from, &sum, &word);
        if (eights > 1) {
            EACH_OF_8(sum_row, width, 8, from, &sum, &word);
        }
        if (eights > 2) {
            EACH_OF_8(sum_row, width, 16, from, &sum, &word);
        }
        if (eights > 3) {
            EACH_OF_8(sum_row, width, 24, from, &sum, &word);
        }
        memcpy(out + part * WORDS, &sum, sizeof sum);
    }
}

#define DEFINE_SUM(width)                                                                          \
    static void sum_##width(const uint8_t *in, size_t eights, uint32_t *out)                       \
    {                                                                                              \
        sum_all(width, in, eights, out);                                                           \
    }
EACH_WIDTH(DEFINE_SUM)

// Any row. Where an item ends in the word in which it begins the second one is masked away.
INLINE words packed_row(const uint8_t *in, unsigned width, size_t row)
{
    const size_t first = row * width, last = first + width - 1;
    words low = load_words(in + first / 32 * ROW_BYTES) >> (first % 32);
    words high = load_words(in + last / 32 * ROW_BYTES) << 1 << (31 - first % 32);
    return (low | high) & (UINT32_MAX >> (32 - width));
}

#define SUM_ENTRY(width) sum_##width,

static uint32_t sum_block(unsigned width, const uint8_t *in, size_t count)
{
    static void (*const table[32])(const uint8_t *, size_t, uint32_t *) = {EACH_WIDTH(SUM_ENTRY)};
    uint32_t lanes[CODEC_LANES] = {0}, items[CODEC_LANES], sum = 0;
    size_t eights = count / (8 * CODEC_LANES);
    if (eights > 0)
        table[width - 1](in, eights, lanes);
    for (size_t row = 8 * eights; row * CODEC_LANES < count; row++) {
        for (unsigned part = 0; part < WORDS_PARTS; part++) {
            words item = packed_row(in + (size_t)part * VECTOR_BYTES, width, row);
            memcpy(items + (size_t)part * WORDS, &item, sizeof item);
        }
        for (unsigned lane = 0; lane < CODEC_LANES; lane++)
            lanes[lane] += row * CODEC_LANES + lane < count ? items[lane] : 0;
    }
    for (unsigned lane = 0; lane < CODEC_LANES; lane++)
        sum += lanes[lane];
    return sum;
}

// --- packing more than 32 bits -------------------------------------------------------------------

static void pack_wide(unsigned width, const uint64_t *restrict in, size_t rows,
                      uint8_t *restrict out)
{
    longs word[PARTS] = {{0}};
    unsigned shift = 0;
    for (size_t row = 0; row < rows; row++) {
        bool full = shift + width >= 64;
        for (unsigned part = 0; part < PARTS; part++) {
            longs item = part_of(in + row * CODEC_LANES, part);
            word[part] |= item << shift;
            if (full) {
                store_longs(out + part * VECTOR_BYTES, word[part]);
                word[part] = item >> 1 >> (63 - shift);
            }
        }
        out += full ? WIDE_ROW_BYTES : 0;
        shift = (shift + width) % 64;
    }
}

static void unpack_wide(unsigned width, const uint8_t *restrict in, size_t rows,
                        uint64_t *restrict out)
{
    const uint64_t mask = UINT64_MAX >> (64 - width);
    unsigned shift = 0;
    for (size_t row = 0; row < rows; row++) {
        // Where the item ends in the same word the second one is masked away.
        const uint8_t *second = in + (shift + width > 64 ? WIDE_ROW_BYTES : 0);
        for (unsigned part = 0; part < PARTS; part++) {
            longs item = load_longs(in + part * VECTOR_BYTES) >> shift;
            item |= load_longs(second + part * VECTOR_BYTES) << 1 << (63 - shift);
            item &= mask;
            memcpy(out + row * CODEC_LANES + part * PART, &item, sizeof item);
        }
        in += shift + width >= 64 ? WIDE_ROW_BYTES : 0;
        shift = (shift + width) % 64;
    }
}

const struct codec_packing_kernels NAME(packing_kernels) = {
    .pack_block = pack_block,
    .pack_steps = pack_steps,
    .unpack_block = unpack_block,
    .sum_block = sum_block,
    .pack_wide = pack_wide,
    .unpack_wide = unpack_wide,
};
