// SPDX-License-Identifier: MIT
// The loops over columns, written with vectors of the compiler, since neither compiler is sure to
// make good ones of short inner loops. Only minimum and maximum take intrinsics: gcc does not find
// the instruction behind a selection. On x86-64 with AVX2 the plain fold is twice as fast while the
// values are in the cache; wider vectors brought nothing, for then each addition waits for the
// last.
#include "fold.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { LANES = 8, PAIRS = LANES / 2 };

typedef double pair __attribute__((vector_size(16)));
typedef int64_t pair_mask __attribute__((vector_size(16)));

struct lanes {
    pair sum[PAIRS], min[PAIRS], max[PAIRS];
};

static pair load(const double *values)
{
    pair loaded;
    memcpy(&loaded, values, sizeof loaded);
    return loaded;
}

static pair select_pair(pair_mask mask, pair yes, pair no)
{
    return (pair)((mask & (pair_mask)yes) | (~mask & (pair_mask)no));
}

// The lower and the higher of both; the second where one is NaN.
static pair lower(pair first, pair second)
{
#if defined(__x86_64__)
    return (pair)_mm_min_pd((__m128d)first, (__m128d)second);
#else
    return select_pair(first < second, first, second);
#endif
}

static pair higher(pair first, pair second)
{
#if defined(__x86_64__)
    return (pair)_mm_max_pd((__m128d)first, (__m128d)second);
#else
    return select_pair(first > second, first, second);
#endif
}

static void add_pair(struct lanes *lanes, size_t i, pair loaded)
{
    lanes->sum[i] += loaded;
    lanes->min[i] = lower(loaded, lanes->min[i]);
    lanes->max[i] = higher(loaded, lanes->max[i]);
}

static double add_lanes(const pair lanes[PAIRS])
{
    pair sum = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    return sum[0] + sum[1];
}

// What is behind the last eight values goes to the first lanes, and then the lanes together.
static void finish(struct lanes *lanes, const double *rest, size_t count,
                   struct taud_aggregate_fold *ret)
{
    for (size_t i = 0; i < count / 2; i++)
        add_pair(lanes, i, load(rest + 2 * i));
    if (count % 2 == 1) {
        double value = rest[count - 1];
        lanes->sum[count / 2] += (pair){value, 0};
        lanes->min[count / 2] = lower((pair){value, INFINITY}, lanes->min[count / 2]);
        lanes->max[count / 2] = higher((pair){value, -INFINITY}, lanes->max[count / 2]);
    }
    pair min = lower(lower(lanes->min[0], lanes->min[2]), lower(lanes->min[1], lanes->min[3]));
    pair max = higher(higher(lanes->max[0], lanes->max[2]), higher(lanes->max[1], lanes->max[3]));
    ret->sum = add_lanes(lanes->sum);
    ret->min = min[0] < min[1] ? min[0] : min[1];
    ret->max = max[0] > max[1] ? max[0] : max[1];
}

void taud_aggregate_fold_baseline(const double *values, size_t count,
                                  struct taud_aggregate_fold *ret)
{
    const pair highest = {INFINITY, INFINITY};
    struct lanes lanes = {
        {{0, 0}}, {highest, highest, highest, highest}, {-highest, -highest, -highest, -highest}};
    size_t whole = count / LANES * LANES;
    for (size_t done = 0; done < whole; done += LANES) {
#pragma GCC unroll 4
        for (size_t i = 0; i < PAIRS; i++)
            add_pair(&lanes, i, load(values + done + 2 * i));
    }
    finish(&lanes, values + whole, count - whole, ret);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline void store(pair lanes[PAIRS], __m256d low,
                                                         __m256d high)
{
    memcpy(lanes, &low, sizeof low);
    memcpy(lanes + 2, &high, sizeof high);
}

__attribute__((target("avx2"))) static void fold_avx2(const double *values, size_t count,
                                                      struct taud_aggregate_fold *ret)
{
    const __m256d highest = _mm256_set1_pd(INFINITY), lowest = _mm256_set1_pd(-INFINITY);
    __m256d sum_low = _mm256_setzero_pd(), sum_high = sum_low;
    __m256d min_low = highest, min_high = highest, max_low = lowest, max_high = lowest;
    size_t whole = count / LANES * LANES;
    for (size_t done = 0; done < whole; done += LANES) {
        __m256d low = _mm256_loadu_pd(values + done), high = _mm256_loadu_pd(values + done + 4);
        sum_low = _mm256_add_pd(sum_low, low);
        sum_high = _mm256_add_pd(sum_high, high);
        min_low = _mm256_min_pd(low, min_low);
        min_high = _mm256_min_pd(high, min_high);
        max_low = _mm256_max_pd(low, max_low);
        max_high = _mm256_max_pd(high, max_high);
    }
    struct lanes lanes;
    store(lanes.sum, sum_low, sum_high);
    store(lanes.min, min_low, min_high);
    store(lanes.max, max_low, max_high);
    _mm256_zeroupper(); // gcc 12 leaves it out, and what follows is then three times slower
    finish(&lanes, values + whole, count - whole, ret);
}
#endif

void taud_aggregate_fold(const double *values, size_t count, struct taud_aggregate_fold *ret)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        fold_avx2(values, count, ret);
        return;
    }
#endif
    taud_aggregate_fold_baseline(values, count, ret);
}

double taud_aggregate_fold_deviation(const double *values, size_t count, double mean)
{
    pair distances[PAIRS] = {{0, 0}}, squares[PAIRS] = {{0, 0}};
    const pair middle = {mean, mean};
    size_t whole = count / LANES * LANES;
    for (size_t done = 0; done < whole; done += LANES) {
#pragma GCC unroll 4
        for (size_t i = 0; i < PAIRS; i++) {
            pair distance = load(values + done + 2 * i) - middle;
            distances[i] += distance;
            squares[i] += distance * distance;
        }
    }
    for (size_t i = whole; i < count; i++) {
        double distance = values[i] - mean;
        distances[(i - whole) / 2][(i - whole) % 2] += distance;
        squares[(i - whole) / 2][(i - whole) % 2] += distance * distance;
    }
    double left = add_lanes(distances);
    double sum = add_lanes(squares) - left * left / (double)(count > 0 ? count : 1);
    return sum < 0 ? 0 : sum;
}

double taud_aggregate_fold_resets(const double *values, size_t count)
{
    pair resets[PAIRS] = {{0, 0}};
    const pair zero = {0, 0};
    size_t steps = count > 0 ? count - 1 : 0, whole = steps / LANES * LANES;
    for (size_t done = 0; done < whole; done += LANES) {
#pragma GCC unroll 4
        for (size_t i = 0; i < PAIRS; i++) {
            pair before = load(values + done + 2 * i), after = load(values + done + 2 * i + 1);
            resets[i] += select_pair(after < before, before, before * zero); // a NaN stays one
        }
    }
    double sum = add_lanes(resets);
    for (size_t i = whole; i < steps; i++) {
        sum += values[i + 1] < values[i] ? values[i] : values[i] * 0;
    }
    return count > 0 && isnan(values[count - 1]) ? values[count - 1] : sum;
}

double taud_aggregate_fold_held(const int64_t *timestamps, const double *values, size_t count)
{
    double sums[4] = {0};
    for (size_t i = 0; i + 1 < count; i++) {
        uint64_t held = (uint64_t)timestamps[i + 1] - (uint64_t)timestamps[i];
        sums[i % 4] += values[i] * (double)held;
    }
    double last = count > 0 && isnan(values[count - 1]) ? values[count - 1] : 0;
    return (sums[0] + sums[2]) + (sums[1] + sums[3]) + last;
}
