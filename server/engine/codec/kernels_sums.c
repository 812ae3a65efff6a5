// SPDX-License-Identifier: MIT
// Values added up, from columns of them or as their integers are scaled, in lanes that stay in
// registers.
#include "kernels_vectors.h"

// The lanes of a row in registers.
struct totals {
    doubles sum[PARTS];
    doubles low[PARTS];
    doubles high[PARTS];
};

INLINE void begin(struct totals *totals, const struct codec_lanes *lanes)
{
    for (unsigned part = 0; part < PARTS; part++) {
        totals->sum[part] = values_of(lanes->sum, part);
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
        }
    }
    end(&totals, wanted, lanes);
    for (unsigned i = 0; i < PART; i++)
        lanes->count += numbers[i];
}

// The sums of distances and of their squares in registers.
struct spans {
    doubles sum[PARTS];
    doubles squares[PARTS];
};

INLINE void begin_spans(struct spans *spans, const struct codec_distances *distances)
{
    for (unsigned part = 0; part < PARTS; part++) {
        spans->sum[part] = values_of(distances->sum, part);
        spans->squares[part] = values_of(distances->squares, part);
    }
}

INLINE void end_spans(const struct spans *spans, struct codec_distances *distances)
{
    for (unsigned part = 0; part < PARTS; part++) {
        memcpy(distances->sum + part * PART, &spans->sum[part], VECTOR_BYTES);
        memcpy(distances->squares + part * PART, &spans->squares[part], VECTOR_BYTES);
    }
}

INLINE void add_distance(struct spans *spans, unsigned part, doubles distance)
{
    spans->sum[part] += distance;
    spans->squares[part] += distance * distance;
}

static void alp_distances(const uint32_t *in, size_t rows, int64_t base,
                          const struct codec_scale *scale, double middle,
                          struct codec_distances *all)
{
    const double factor = scale->factor, fraction = scale->fraction, start = (double)base;
    struct spans spans;
    begin_spans(&spans, all);
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++) {
            doubles value = (lift(in + row * CODEC_LANES, part) + start) * factor * fraction;
            add_distance(&spans, part, value - middle);
        }
    }
    end_spans(&spans, all);
}

static void distances(const double *values, size_t rows, double middle, struct codec_distances *all)
{
    struct spans spans;
    begin_spans(&spans, all);
    for (size_t row = 0; row < rows; row++) {
        for (unsigned part = 0; part < PARTS; part++)
            add_distance(&spans, part, values_of(values + row * CODEC_LANES, part) - middle);
    }
    end_spans(&spans, all);
}

// --- exactly -------------------------------------------------------------------------------------

INLINE void add_moment(struct codec_moments *moments, uint32_t item)
{
    int64_t distance = (int32_t)item;
    moments->sum += distance;
    moments->squares += (uint64_t)(distance * distance);
}

#if VECTOR_BYTES == 32
enum { SQUARE = CODEC_LANES * CODEC_LANES }; // items

struct exact {
    __m256i sum;            // of 32 bits
    __m256i squares, other; // of 64 bits: of lanes with even numbers, and with odd ones
};

INLINE void add_exactly(struct exact *exact, __m256i items)
{
    __m256i odd = _mm256_srli_epi64(items, 32);
    exact->sum = _mm256_add_epi32(exact->sum, items);
    exact->squares = _mm256_add_epi64(exact->squares, _mm256_mul_epi32(items, items));
    exact->other = _mm256_add_epi64(exact->other, _mm256_mul_epi32(odd, odd));
}

INLINE void end_exactly(const struct exact *exact, struct codec_moments *moments)
{
    int32_t sums[CODEC_LANES];
    uint64_t squares[CODEC_LANES / 2];
    __m256i joined = _mm256_add_epi64(exact->squares, exact->other);
    memcpy(sums, &exact->sum, sizeof sums);
    memcpy(squares, &joined, sizeof squares);
    for (unsigned i = 0; i < CODEC_LANES; i++)
        moments->sum += sums[i];
    for (unsigned i = 0; i < CODEC_LANES / 2; i++)
        moments->squares += squares[i];
}

// A quarter of eight rows: four items, from `in` on, of each; lane r is of row r.
INLINE void turn(const uint32_t *in, __m256i out[4])
{
    __m256i rows[4];
    for (unsigned i = 0; i < 4; i++) {
        const __m128i *from = (const __m128i *)(const void *)(in + (size_t)i * CODEC_LANES);
        rows[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from)),
                                          _mm_loadu_si128(from + CODEC_LANES), 1);
    }
    __m256i low = _mm256_unpacklo_epi32(rows[0], rows[1]);
    __m256i high = _mm256_unpackhi_epi32(rows[0], rows[1]);
    __m256i other_low = _mm256_unpacklo_epi32(rows[2], rows[3]);
    __m256i other_high = _mm256_unpackhi_epi32(rows[2], rows[3]);
    out[0] = _mm256_unpacklo_epi64(low, other_low);
    out[1] = _mm256_unpackhi_epi64(low, other_low);
    out[2] = _mm256_unpacklo_epi64(high, other_high);
    out[3] = _mm256_unpackhi_epi64(high, other_high);
}

// Eight rows of steps, turned so that each row is in a lane: they are summed lane by lane, and what
// the rows before a row sum up to is found once for all of them. `carry` is all of it what is
// before. Returns what is behind.
INLINE __m256i step_square(const uint32_t *in, __m256i carry, struct exact *exact)
{
    __m256i items[CODEC_LANES];
    turn(in, items);
    turn(in + 4, items + 4);
    for (unsigned i = 1; i < CODEC_LANES; i++)
        items[i] = _mm256_add_epi32(items[i], items[i - 1]);
    __m256i rows = items[CODEC_LANES - 1];
    __m256i sums = _mm256_add_epi32(rows, _mm256_slli_si256(rows, 4));
    sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 8));
    __m256i half = _mm256_shuffle_epi32(sums, 0xff);
    sums = _mm256_add_epi32(sums, _mm256_permute2x128_si256(half, half, 0x08));
    __m256i before = _mm256_add_epi32(carry, _mm256_sub_epi32(sums, rows));
    for (unsigned i = 0; i < CODEC_LANES; i++)
        add_exactly(exact, _mm256_add_epi32(items[i], before));
    return _mm256_add_epi32(carry,
                            _mm256_permutevar8x32_epi32(sums, _mm256_set1_epi32(CODEC_LANES - 1)));
}
#endif

static void moments(const uint32_t *in, size_t count, uint32_t origin, struct codec_moments *all)
{
    size_t at = 0;
#if VECTOR_BYTES == 32
    const __m256i middle = _mm256_set1_epi32((int)origin);
    struct exact exact = {{0}, {0}, {0}};
    for (; at + CODEC_LANES <= count; at += CODEC_LANES) {
        __m256i items = _mm256_loadu_si256((const __m256i *)(const void *)(in + at));
        add_exactly(&exact, _mm256_sub_epi32(items, middle));
    }
    end_exactly(&exact, all);
#endif
    for (; at < count; at++)
        add_moment(all, in[at] - origin);
}

static void step_moments(const uint32_t *in, size_t count, struct codec_moments *all)
{
    size_t at = 0;
    uint32_t sum = 0U - in[0];
#if VECTOR_BYTES == 32
    __m256i carry = _mm256_set1_epi32((int)sum);
    struct exact exact = {{0}, {0}, {0}};
    for (; at + SQUARE <= count; at += SQUARE)
        carry = step_square(in + at, carry, &exact);
    end_exactly(&exact, all);
    sum = (uint32_t)_mm256_cvtsi256_si32(carry);
#endif
    for (; at < count; at++)
        add_moment(all, sum += in[at]);
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

const struct codec_sum_kernels NAME(sum_kernels) = {
    .alp_add_narrow = {alp_add_sum, alp_add_extremes},
    .add = {add_sum, add_extremes},
    .alp_distances = alp_distances,
    .distances = distances,
    .moments = moments,
    .step_moments = step_moments,
};
