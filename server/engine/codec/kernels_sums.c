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
};
