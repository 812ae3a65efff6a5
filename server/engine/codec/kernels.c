// SPDX-License-Identifier: MIT
// The kernels, written once in vectors of whatever size serves the instructions: 32 bytes with AVX2
// and with AVX-512, whose 64 bytes add up more slowly, and 16 elsewhere. The build compiles this
// file for each and says which by TAUD_KERNELS. Nothing here may depend on that size but the speed:
// no multiplication may be joined with an addition, and what is summed is summed in lanes.
#include "kernels.h"

#include "../bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define NAME_OF(variant) codec_kernels_##variant
#define NAME(variant)    NAME_OF(variant)
#define TEXT_OF(variant) #variant
#define TEXT(variant)    TEXT_OF(variant)

#if defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

// A row is 8 items: so many vectors of 64-bit items, so many of 32-bit items.
#define PARTS          (CODEC_LANES * 8 / VECTOR_BYTES)
#define PART           (CODEC_LANES / PARTS)
#define WORDS_PARTS    (CODEC_LANES * 4 / VECTOR_BYTES)
#define WORDS          (CODEC_LANES / WORDS_PARTS)
#define ROW_BYTES      32 // of one 32-bit word in each lane
#define WIDE_ROW_BYTES 64 // of one 64-bit word

typedef double doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t longs __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t signed_longs __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t words __attribute__((vector_size(VECTOR_BYTES)));

#define INLINE static inline __attribute__((always_inline))

// --- what differs --------------------------------------------------------------------------------

// x < y ? x : y in each lane, hence y where one is NaN; the other likewise.
INLINE doubles smaller(doubles x, doubles y)
{
#if VECTOR_BYTES == 32
    return (doubles)_mm256_min_pd((__m256d)x, (__m256d)y);
#elif defined(__SSE2__)
    return (doubles)_mm_min_pd((__m128d)x, (__m128d)y);
#else
    longs less = (longs)(x < y);
    return (doubles)(((longs)x & less) | ((longs)y & ~less));
#endif
}

INLINE doubles larger(doubles x, doubles y)
{
#if VECTOR_BYTES == 32
    return (doubles)_mm256_max_pd((__m256d)x, (__m256d)y);
#elif defined(__SSE2__)
    return (doubles)_mm_max_pd((__m128d)x, (__m128d)y);
#else
    longs more = (longs)(x > y);
    return (doubles)(((longs)x & more) | ((longs)y & ~more));
#endif
}

// A bit for each lane in which x and y differ.
INLINE unsigned different(longs x, longs y)
{
#if VECTOR_BYTES == 32
    return (unsigned)_mm256_movemask_pd((__m256d)(x == y)) ^ 15U;
#elif defined(__SSE2__)
    __m128i equal = _mm_cmpeq_epi32((__m128i)x, (__m128i)y);
    equal = _mm_and_si128(equal, _mm_shuffle_epi32(equal, 0xb1));
    return (unsigned)_mm_movemask_pd((__m128d)equal) ^ 3U;
#else
    unsigned bits = 0;
    for (unsigned i = 0; i < PART; i++)
        bits |= (unsigned)(x[i] != y[i]) << i;
    return bits;
#endif
}

// One part of a row of signed 32-bit items.
INLINE doubles lift(const uint32_t *row, unsigned part)
{
    const uint32_t *from = row + (size_t)part * PART;
#if VECTOR_BYTES == 32
    return (doubles)_mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(const void *)from));
#elif defined(__SSE2__)
    return (doubles)_mm_cvtepi32_pd(_mm_loadl_epi64((const __m128i *)(const void *)from));
#else
    return (doubles){(double)(int32_t)from[0], (double)(int32_t)from[1]};
#endif
}

// The low halves of the items of two parts that follow each other.
INLINE words low_halves(longs first, longs second)
{
#if VECTOR_BYTES == 32
    __m256 mixed = _mm256_shuffle_ps((__m256)first, (__m256)second, 0x88);
    return (words)_mm256_permute4x64_epi64((__m256i)mixed, 0xd8);
#elif defined(__SSE2__)
    return (words)_mm_shuffle_ps((__m128)first, (__m128)second, 0x88);
#else
    words low;
    for (unsigned i = 0; i < PART; i++) {
        low[i] = (uint32_t)first[i];
        low[PART + i] = (uint32_t)second[i];
    }
    return low;
#endif
}

// value * unit, rounded and moved to where the low half of its bits is all there is to know.
INLINE doubles round_near(doubles value, double unit)
{
#if defined(__FMA__)
    const __m256d near = _mm256_set1_pd(CODEC_NEAR), units = _mm256_set1_pd(unit);
    return (doubles)_mm256_fmadd_pd((__m256d)value, units, near);
#else
    return value * unit + CODEC_NEAR;
#endif
}

// (rounded - CODEC_NEAR) * factor by the low half alone. One step less gives the same bits, since
// the product of the two constants is exact.
INLINE doubles grow_near(doubles rounded, double factor)
{
#if defined(__FMA__)
    const __m256d high = (__m256d)_mm256_set1_epi64x((int64_t)CODEC_NEAR_HIGH);
    const __m256d near = _mm256_set1_pd(-CODEC_NEAR * factor), factors = _mm256_set1_pd(factor);
    __m256 low = _mm256_blend_ps((__m256)rounded, (__m256)high, 0xaa);
    return (doubles)_mm256_fmadd_pd((__m256d)low, factors, near);
#else
    longs low = ((longs)rounded & UINT32_MAX) | CODEC_NEAR_HIGH;
    return ((doubles)low - CODEC_NEAR) * factor;
#endif
}

// --- loads and stores ----------------------------------------------------------------------------

INLINE words load_words(const uint8_t *in)
{
    words word;
    memcpy(&word, in, sizeof word);
#if !TAUD_LITTLE_ENDIAN
    for (unsigned i = 0; i < WORDS; i++)
        word[i] = __builtin_bswap32(word[i]);
#endif
    return word;
}

INLINE void store_words(uint8_t *out, words word)
{
#if !TAUD_LITTLE_ENDIAN
    for (unsigned i = 0; i < WORDS; i++)
        word[i] = __builtin_bswap32(word[i]);
#endif
    memcpy(out, &word, sizeof word);
}

INLINE longs load_longs(const uint8_t *in)
{
    longs word;
    memcpy(&word, in, sizeof word);
#if !TAUD_LITTLE_ENDIAN
    for (unsigned i = 0; i < PART; i++)
        word[i] = __builtin_bswap64(word[i]);
#endif
    return word;
}

INLINE void store_longs(uint8_t *out, longs word)
{
#if !TAUD_LITTLE_ENDIAN
    for (unsigned i = 0; i < PART; i++)
        word[i] = __builtin_bswap64(word[i]);
#endif
    memcpy(out, &word, sizeof word);
}

INLINE words words_of(const uint32_t *items)
{
    words loaded;
    memcpy(&loaded, items, sizeof loaded);
    return loaded;
}

INLINE longs part_of(const uint64_t *row, unsigned part)
{
    longs items;
    memcpy(&items, row + part * PART, sizeof items);
    return items;
}

INLINE doubles values_of(const double *row, unsigned part)
{
    doubles items;
    memcpy(&items, row + part * PART, sizeof items);
    return items;
}

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

// --- integers ------------------------------------------------------------------------------------

static void narrow(const uint64_t *restrict in, size_t count, uint64_t base, uint32_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint32_t)(in[i] - base);
}

static void widen(const uint32_t *restrict in, size_t count, uint64_t base, uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = in[i] + base;
}

static void extremes_narrow(const uint32_t *in, size_t count, struct codec_extremes *ret)
{
    int32_t low = (int32_t)in[0], high = low, low_step = INT32_MAX, high_step = INT32_MIN;
    for (size_t i = 1; i < count; i++) {
        int32_t item = (int32_t)in[i], step = (int32_t)(in[i] - in[i - 1]);
        low = item < low ? item : low;
        high = item > high ? item : high;
        low_step = step < low_step ? step : low_step;
        high_step = step > high_step ? step : high_step;
    }
    *ret = (struct codec_extremes){low, high, count > 1 ? low_step : 0, count > 1 ? high_step : 0};
}

#if VECTOR_BYTES == 32
// Two rows side by side, their first halves in one vector and their second ones in another: so each
// half of a vector is summed within, by doubling distances, and little has to cross over. `carry`
// is all of it the last sum before.
INLINE __m256i add_up_pair(const uint32_t *in, __m256i carry, uint32_t *out)
{
    const __m128i *from = (const __m128i *)(const void *)in;
    __m128i *to = (__m128i *)(void *)out;
    __m256i first = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from)),
                                            _mm_loadu_si128(from + 2), 1);
    __m256i second = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from + 1)),
                                             _mm_loadu_si128(from + 3), 1);
    first = _mm256_add_epi32(first, _mm256_slli_si256(first, 4));
    second = _mm256_add_epi32(second, _mm256_slli_si256(second, 4));
    first = _mm256_add_epi32(first, _mm256_slli_si256(first, 8));
    second = _mm256_add_epi32(second, _mm256_slli_si256(second, 8));
    second = _mm256_add_epi32(second, _mm256_shuffle_epi32(first, 0xff));
    __m256i rows = _mm256_shuffle_epi32(second, 0xff);
    carry = _mm256_add_epi32(carry, _mm256_permute2x128_si256(rows, rows, 0x08)); // to the second
    first = _mm256_add_epi32(first, carry);
    second = _mm256_add_epi32(second, carry);
    _mm_storeu_si128(to, _mm256_castsi256_si128(first));
    _mm_storeu_si128(to + 1, _mm256_castsi256_si128(second));
    _mm_storeu_si128(to + 2, _mm256_extracti128_si256(first, 1));
    _mm_storeu_si128(to + 3, _mm256_extracti128_si256(second, 1));
    return _mm256_permutevar8x32_epi32(second, _mm256_set1_epi32(CODEC_LANES - 1));
}
#endif

static void add_up_narrow(const uint32_t *restrict in, size_t rows, uint32_t start,
                          uint32_t *restrict out)
{
    size_t at = 0;
#if VECTOR_BYTES == 32
    __m256i carry = _mm256_set1_epi32((int)start);
    for (; at < rows / 2 * 2 * CODEC_LANES; at += (size_t)2 * CODEC_LANES)
        carry = add_up_pair(in + at, carry, out + at);
    start = (uint32_t)_mm256_cvtsi256_si32(carry);
#elif defined(__SSE2__)
    __m128i carry = _mm_set1_epi32((int)start);
    for (; at < rows * CODEC_LANES; at += 4) {
        __m128i sum = _mm_loadu_si128((const __m128i *)(const void *)(in + at));
        sum = _mm_add_epi32(sum, _mm_slli_si128(sum, 4));
        sum = _mm_add_epi32(sum, _mm_slli_si128(sum, 8));
        __m128i here = _mm_add_epi32(sum, carry);
        carry = _mm_add_epi32(carry, _mm_shuffle_epi32(sum, 0xff));
        _mm_storeu_si128((__m128i *)(void *)(out + at), here);
    }
#endif
    for (; at < rows * CODEC_LANES; at++)
        out[at] = start += in[at];
}

// Sign-extends.
static void widen_signed(const uint32_t *restrict in, size_t count, uint64_t base,
                         uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint64_t)(int64_t)(int32_t)in[i] + base;
}

static void differences(const uint64_t *restrict in, size_t count, uint64_t *restrict out)
{
    for (size_t i = 1; i < count; i++)
        out[i] = in[i] - in[i - 1];
}

#if VECTOR_BYTES > 16 // smaller ones cannot compare 64 bits
// x < y as signed numbers ? x : y
INLINE longs lower_of(longs x, longs y)
{
#if defined(__AVX512VL__)
    return (longs)_mm256_min_epi64((__m256i)x, (__m256i)y);
#else
    longs less = (longs)((signed_longs)x < (signed_longs)y);
    return (x & less) | (y & ~less);
#endif
}

INLINE longs higher_of(longs x, longs y)
{
#if defined(__AVX512VL__)
    return (longs)_mm256_max_epi64((__m256i)x, (__m256i)y);
#else
    longs more = (longs)((signed_longs)x > (signed_longs)y);
    return (x & more) | (y & ~more);
#endif
}

// Of whole rows, from 1. Returns how many items they hold.
static size_t range_of_rows(const uint64_t *in, size_t rows, int64_t *low, int64_t *high)
{
    longs lows[PARTS], highs[PARTS];
    for (unsigned part = 0; part < PARTS; part++)
        lows[part] = highs[part] = part_of(in, part);
    for (size_t row = 1; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            longs item = part_of(in + row * CODEC_LANES, part);
            lows[part] = lower_of(item, lows[part]);
            highs[part] = higher_of(item, highs[part]);
        }
    }
    for (unsigned i = 0; i < CODEC_LANES; i++) {
        int64_t least = (int64_t)lows[i / PART][i % PART];
        int64_t most = (int64_t)highs[i / PART][i % PART];
        *low = least < *low ? least : *low;
        *high = most > *high ? most : *high;
    }
    return rows * CODEC_LANES;
}
#endif

static void range(const uint64_t *in, size_t count, int64_t *ret_low, int64_t *ret_high)
{
    int64_t low = (int64_t)in[0], high = low;
    size_t i = 1;
#if VECTOR_BYTES > 16
    if (count >= CODEC_LANES)
        i = range_of_rows(in, count / CODEC_LANES, &low, &high);
#endif
    for (; i < count; i++) {
        int64_t item = (int64_t)in[i];
        low = item < low ? item : low;
        high = item > high ? item : high;
    }
    *ret_low = low;
    *ret_high = high;
}

static void steps(uint64_t start, uint64_t step, size_t count, uint64_t *restrict out)
{
    uint64_t first[CODEC_LANES];
    longs next[PARTS];
    for (unsigned i = 0; i < CODEC_LANES; i++)
        first[i] = start + i * step;
    for (unsigned part = 0; part < PARTS; part++)
        next[part] = part_of(first, part);
    size_t rows = count / CODEC_LANES;
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            memcpy(out + row * CODEC_LANES + part * PART, &next[part], VECTOR_BYTES);
            next[part] += CODEC_LANES * step;
        }
    }
    for (size_t i = rows * CODEC_LANES; i < count; i++)
        out[i] = start + i * step;
}

static bool even_steps(const uint64_t *in, size_t count, uint64_t step)
{
    uint64_t first[CODEC_LANES], any = 0;
    longs expected[PARTS], wrong[PARTS];
    for (unsigned i = 0; i < CODEC_LANES; i++)
        first[i] = in[0] + i * step;
    for (unsigned part = 0; part < PARTS; part++) {
        expected[part] = part_of(first, part);
        wrong[part] = (longs){0};
    }
    size_t rows = count / CODEC_LANES;
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            wrong[part] |= part_of(in + row * CODEC_LANES, part) ^ expected[part];
            expected[part] += CODEC_LANES * step;
        }
    }
    for (unsigned i = 0; i < CODEC_LANES; i++)
        any |= wrong[i / PART][i % PART];
    for (size_t i = rows * CODEC_LANES; i < count; i++)
        any |= in[i] ^ (in[0] + i * step);
    return any == 0;
}

static void spread(const uint32_t *restrict in, size_t count, uint64_t start, uint64_t step,
                   uint64_t factor, uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = start + i * step + in[i] * factor;
}

static bool ascending(const int64_t *in, size_t count)
{
    uint64_t wrong = 0;
    for (size_t i = 1; i < count; i++)
        wrong |= (uint64_t)(in[i] <= in[i - 1]);
    return wrong == 0;
}

static void join_planes(const uint8_t *restrict in, size_t count, size_t item_bytes,
                        uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = in[i];
    for (size_t byte = 1; byte < item_bytes; byte++) {
        const uint8_t *restrict plane = in + byte * count;
        for (size_t i = 0; i < count; i++)
            out[i] |= (uint64_t)plane[i] << (byte * 8);
    }
}

static void join(const uint32_t *restrict codes, const uint64_t dictionary[8], size_t count,
                 unsigned width, uint64_t *restrict out)
{
    for (size_t i = 0; i < count; i++)
        out[i] |= dictionary[codes[i] & 7] << width;
}

// --- decimals as integers ------------------------------------------------------------------------

static bool alp_encode(const double *restrict values, size_t rows, const struct codec_scale *scale,
                       uint64_t *restrict out, uint8_t *restrict misses, struct codec_lanes *lanes)
{
    unsigned any = 0;
    const double up = scale->up, down = scale->down;
    const double factor = scale->factor, fraction = scale->fraction;
    doubles sum[PARTS], low[PARTS], high[PARTS];
    for (unsigned part = 0; part < PARTS; part++) {
        sum[part] = values_of(lanes->sum, part);
        low[part] = values_of(lanes->low, part);
        high[part] = values_of(lanes->high, part);
    }
    for (size_t row = 0; row < rows; row++) {
        unsigned missed = 0;
        for (unsigned part = 0; part < PARTS; part++) {
            doubles value = values_of(values + row * CODEC_LANES, part);
            doubles rounded = value * up * down + CODEC_MAGIC;
            doubles whole = rounded - CODEC_MAGIC;
            doubles back = whole * factor * fraction;
            memcpy(out + row * CODEC_LANES + part * PART, &rounded, sizeof rounded);
            missed |= different((longs)value, (longs)back) << (part * PART);
            sum[part] += value;
            low[part] = smaller(whole, low[part]);
            high[part] = larger(whole, high[part]);
        }
        misses[row] = (uint8_t)missed;
        any |= missed;
    }
    for (unsigned part = 0; part < PARTS; part++) {
        memcpy(lanes->sum + part * PART, &sum[part], VECTOR_BYTES);
        memcpy(lanes->low + part * PART, &low[part], VECTOR_BYTES);
        memcpy(lanes->high + part * PART, &high[part], VECTOR_BYTES);
    }
    return any == 0;
}

// The integers of a row; in `wrong` the bits by which what comes back differs.
INLINE void encode_row(const double *values, const struct codec_scale *scale, uint32_t *out,
                       doubles sum[PARTS], longs wrong[PARTS])
{
    longs before = {0};
    for (unsigned part = 0; part < PARTS; part++) {
        doubles value = values_of(values, part);
        doubles rounded = round_near(value, scale->unit);
        doubles back = grow_near(rounded, scale->factor) * scale->fraction;
        wrong[part] |= (longs)value ^ (longs)back;
        sum[part] += value;
        if (part % 2 != 0) {
            words items = low_halves(before, (longs)rounded) - (UINT32_C(1) << 31);
            memcpy(out + (size_t)(part - 1) * PART, &items, sizeof items);
        }
        before = (longs)rounded;
    }
}

static bool alp_encode_narrow(const double *restrict values, size_t rows,
                              const struct codec_scale *scale, uint32_t *restrict out,
                              double all[CODEC_LANES])
{
    const struct codec_scale fixed = *scale;
    doubles sum[PARTS];
    unsigned missed = 0;
    for (unsigned part = 0; part < PARTS; part++)
        sum[part] = values_of(all, part);
    for (size_t row = 0; row < rows && missed == 0;) {
        size_t end = rows - row < CODEC_BLOCK_ROWS ? rows : row + CODEC_BLOCK_ROWS;
        longs wrong[PARTS] = {{0}};
        for (; row < end; row++)
            encode_row(values + row * CODEC_LANES, &fixed, out + row * CODEC_LANES, sum, wrong);
        for (unsigned part = 0; part < PARTS; part++)
            missed |= different(wrong[part], (longs){0});
    }
    for (unsigned part = 0; part < PARTS; part++)
        memcpy(all + part * PART, &sum[part], VECTOR_BYTES);
    return missed == 0;
}

// One part of a row of integers as values. A start of 0 is no addition where that is known.
INLINE doubles value_of(const uint32_t *row, unsigned part, bool shifted, double start,
                        const struct codec_scale *scale)
{
    doubles whole = lift(row, part);
    return (shifted ? whole + start : whole) * scale->factor * scale->fraction;
}

INLINE void alp_decode_row(const uint32_t *row, bool shifted, double start,
                           const struct codec_scale *scale, double *out)
{
    for (unsigned part = 0; part < PARTS; part++) {
        doubles value = value_of(row, part, shifted, start, scale);
        memcpy(out + part * PART, &value, sizeof value);
    }
}

static void alp_decode_narrow(const uint32_t *restrict in, size_t rows, int64_t base,
                              const struct codec_scale *scale, double *restrict out)
{
    const struct codec_scale fixed = *scale;
    if (base == 0) {
        for (size_t row = 0; row < rows; row++)
            alp_decode_row(in + row * CODEC_LANES, false, 0, &fixed, out + row * CODEC_LANES);
        return;
    }
    for (size_t row = 0; row < rows; row++)
        alp_decode_row(in + row * CODEC_LANES, true, (double)base, &fixed, out + row * CODEC_LANES);
}

static void alp_decode_wide(const uint64_t *restrict in, size_t rows,
                            const struct codec_scale *scale, double *restrict out)
{
    const double factor = scale->factor, fraction = scale->fraction;
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            doubles whole =
                (doubles)(part_of(in + row * CODEC_LANES, part) + CODEC_MAGIC_BITS) - CODEC_MAGIC;
            doubles value = whole * factor * fraction;
            memcpy(out + row * CODEC_LANES + part * PART, &value, sizeof value);
        }
    }
}

// --- adding up -----------------------------------------------------------------------------------

// The lanes of a row in registers.
struct totals {
    doubles sum[PARTS];
    doubles squares[PARTS];
    doubles low[PARTS];
    doubles high[PARTS];
};

INLINE void begin(struct totals *totals, const struct codec_lanes *lanes)
{
    for (unsigned part = 0; part < PARTS; part++) {
        totals->sum[part] = values_of(lanes->sum, part);
        totals->squares[part] = values_of(lanes->squares, part);
        totals->low[part] = values_of(lanes->low, part);
        totals->high[part] = values_of(lanes->high, part);
    }
}

INLINE void end(const struct totals *totals, enum codec_wanted wanted, struct codec_lanes *lanes)
{
    for (unsigned part = 0; part < PARTS; part++) {
        memcpy(lanes->sum + part * PART, &totals->sum[part], VECTOR_BYTES);
        if (wanted >= CODEC_EXTREMES) {
            memcpy(lanes->low + part * PART, &totals->low[part], VECTOR_BYTES);
            memcpy(lanes->high + part * PART, &totals->high[part], VECTOR_BYTES);
        }
        if (wanted >= CODEC_SQUARES)
            memcpy(lanes->squares + part * PART, &totals->squares[part], VECTOR_BYTES);
    }
}

INLINE void alp_add_row(const uint32_t *row, bool shifted, double start,
                        const struct codec_scale *scale, enum codec_wanted wanted,
                        struct totals *totals)
{
    for (unsigned part = 0; part < PARTS; part++) {
        doubles value = value_of(row, part, shifted, start, scale);
        totals->sum[part] += value;
        if (wanted >= CODEC_EXTREMES) {
            totals->low[part] = smaller(value, totals->low[part]);
            totals->high[part] = larger(value, totals->high[part]);
        }
        if (wanted >= CODEC_SQUARES)
            totals->squares[part] += value * value;
    }
}

INLINE void alp_add(const uint32_t *in, size_t rows, int64_t base, const struct codec_scale *scale,
                    enum codec_wanted wanted, struct codec_lanes *lanes)
{
    const struct codec_scale fixed = *scale;
    struct totals totals;
    begin(&totals, lanes);
    if (base == 0) {
        for (size_t row = 0; row < rows; row++)
            alp_add_row(in + row * CODEC_LANES, false, 0, &fixed, wanted, &totals);
    } else {
        for (size_t row = 0; row < rows; row++)
            alp_add_row(in + row * CODEC_LANES, true, (double)base, &fixed, wanted, &totals);
    }
    end(&totals, wanted, lanes);
    lanes->count += rows * CODEC_LANES;
}

// A NaN counts for nothing: zero is added instead, which changes no sum that began with +0.
INLINE void add(const double *values, size_t rows, enum codec_wanted wanted,
                struct codec_lanes *lanes)
{
    struct totals totals;
    longs numbers = {0};
    begin(&totals, lanes);
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            doubles value = values_of(values + row * CODEC_LANES, part);
            longs number = (longs)(value == value); // NOLINT(misc-redundant-expression): no NaN
            doubles counted = (doubles)((longs)value & number);
            numbers -= number;
            totals.sum[part] += counted;
            if (wanted >= CODEC_EXTREMES) {
                totals.low[part] = smaller(value, totals.low[part]);
                totals.high[part] = larger(value, totals.high[part]);
            }
            if (wanted >= CODEC_SQUARES)
                totals.squares[part] += counted * counted;
        }
    }
    end(&totals, wanted, lanes);
    for (unsigned i = 0; i < PART; i++)
        lanes->count += numbers[i];
}

INLINE void add_distance(struct totals *totals, unsigned part, doubles distance)
{
    totals->sum[part] += distance;
    totals->squares[part] += distance * distance;
}

INLINE void end_distances(const struct totals *totals, struct codec_lanes *lanes)
{
    for (unsigned part = 0; part < PARTS; part++) {
        memcpy(lanes->sum + part * PART, &totals->sum[part], VECTOR_BYTES);
        memcpy(lanes->squares + part * PART, &totals->squares[part], VECTOR_BYTES);
    }
}

static void alp_distances(const uint32_t *in, size_t rows, int64_t base,
                          const struct codec_scale *scale, double middle,
                          struct codec_lanes *lanes)
{
    const double factor = scale->factor, fraction = scale->fraction, start = (double)base;
    struct totals totals;
    begin(&totals, lanes);
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            doubles value = (lift(in + row * CODEC_LANES, part) + start) * factor * fraction;
            add_distance(&totals, part, value - middle);
        }
    }
    end_distances(&totals, lanes);
}

static void distances(const double *values, size_t rows, double middle, struct codec_lanes *lanes)
{
    struct totals totals;
    begin(&totals, lanes);
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++)
            add_distance(&totals, part, values_of(values + row * CODEC_LANES, part) - middle);
    }
    end_distances(&totals, lanes);
}

#define DEFINE_ADD(name, wanted)                                                                   \
    static void alp_add_##name(const uint32_t *in, size_t rows, int64_t base,                      \
                               const struct codec_scale *scale, struct codec_lanes *lanes)         \
    {                                                                                              \
        alp_add(in, rows, base, scale, wanted, lanes);                                             \
    }                                                                                              \
    static void add_##name(const double *values, size_t rows, struct codec_lanes *lanes)           \
    {                                                                                              \
        add(values, rows, wanted, lanes);                                                          \
    }
DEFINE_ADD(sum, CODEC_SUM)
DEFINE_ADD(extremes, CODEC_EXTREMES)
DEFINE_ADD(squares, CODEC_SQUARES)

const struct codec_kernels NAME(TAUD_KERNELS) = {
    .name = TEXT(TAUD_KERNELS),
    .pack_block = pack_block,
    .pack_steps = pack_steps,
    .unpack_block = unpack_block,
    .sum_block = sum_block,
    .pack_wide = pack_wide,
    .unpack_wide = unpack_wide,
    .narrow = narrow,
    .widen = widen,
    .widen_signed = widen_signed,
    .extremes_narrow = extremes_narrow,
    .add_up_narrow = add_up_narrow,
    .differences = differences,
    .spread = spread,
    .range = range,
    .steps = steps,
    .even_steps = even_steps,
    .ascending = ascending,
    .alp_encode = alp_encode,
    .alp_encode_narrow = alp_encode_narrow,
    .alp_decode_narrow = alp_decode_narrow,
    .alp_decode_wide = alp_decode_wide,
    .alp_add_narrow = {alp_add_sum, alp_add_extremes, alp_add_squares},
    .add = {add_sum, add_extremes, add_squares},
    .alp_distances = alp_distances,
    .distances = distances,
    .join_planes = join_planes,
    .join = join,
};
