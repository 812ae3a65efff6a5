// SPDX-License-Identifier: MIT
// Values added up, from columns of them or as their integers are scaled, in lanes that stay in
// registers.
#include "kernels_vectors.h"

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
                          const struct codec_scale *scale, double middle, struct codec_lanes *lanes)
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

const struct codec_sum_kernels NAME(sum_kernels) = {
    .alp_add_narrow = {alp_add_sum, alp_add_extremes, alp_add_squares},
    .add = {add_sum, add_extremes, add_squares},
    .alp_distances = alp_distances,
    .distances = distances,
};
