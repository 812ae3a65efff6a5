// SPDX-License-Identifier: MIT
// The kernels of integers, and of decimals as integers; and the table of a variant. Those that pack
// are in kernels_packing.c, those that add up in kernels_sums.c.
#include "kernels_vectors.h"

#define TEXT_OF(variant) #variant
#define TEXT(variant)    TEXT_OF(variant)

extern const struct codec_packing_kernels NAME(packing_kernels);
extern const struct codec_sum_kernels NAME(sum_kernels);

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

const struct codec_kernels NAME(kernels) = {
    .name = TEXT(TAUD_KERNELS),
    .packing = &NAME(packing_kernels),
    .sums = &NAME(sum_kernels),
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
    .join_planes = join_planes,
    .join = join,
};
