// SPDX-License-Identifier: MIT
// What the files of kernels share: vectors of whatever size serves the instructions, 32 bytes with
// AVX2 and with AVX-512, whose 64 bytes add up more slowly, and 16 elsewhere. The build compiles
// those files for each and says which by TAUD_KERNELS. Nothing in them may depend on that size but
// the speed: no multiplication may be joined with an addition, and what is summed is summed in
// lanes. Only they include this.
#ifndef TAUD_ENGINE_CODEC_KERNELS_VECTORS_H
#define TAUD_ENGINE_CODEC_KERNELS_VECTORS_H

#include "kernels.h"

#include "../bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// The name of a variant's table.
#define NAME_OF(table, variant)  codec_##table##_##variant
#define NAME_FOR(table, variant) NAME_OF(table, variant)
#define NAME(table)              NAME_FOR(table, TAUD_KERNELS)

#if defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

// A row is 8 items: so many vectors of 64-bit items, so many of 32-bit items.
#define PARTS       (CODEC_LANES * 8 / VECTOR_BYTES)
#define PART        (CODEC_LANES / PARTS)
#define WORDS_PARTS (CODEC_LANES * 4 / VECTOR_BYTES)
#define WORDS       (CODEC_LANES / WORDS_PARTS)

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

// One part of a row of integers as values. A start of 0 is no addition where that is known.
INLINE doubles value_of(const uint32_t *row, unsigned part, bool shifted, double start,
                        const struct codec_scale *scale)
{
    doubles whole = lift(row, part);
    return (shifted ? whole + start : whole) * scale->factor * scale->fraction;
}

#endif
