/* SPDX-License-Identifier: MIT */
/*
 * A log-linear histogram (G. Tene, HdrHistogram): a value's bucket is made of the position of its
 * highest bit and the six bits behind it.
 */
#include "bench/histogram.h"

#define SUB_BITS 6
#define SUB      (UINT64_C(1) << SUB_BITS)

static size_t bucket_of(uint64_t value)
{
    if (value < SUB) {
        return (size_t)value;
    }
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return (size_t)((shift + 1) * SUB + ((value >> shift) - SUB));
}

/* The greatest value of a bucket. */
static uint64_t top_of(size_t bucket)
{
    if (bucket < SUB) {
        return bucket;
    }
    unsigned shift = (unsigned)(bucket / SUB) - 1;
    uint64_t low = (SUB + bucket % SUB) << shift;
    return low + ((UINT64_C(1) << shift) - 1);
}

void cli_histogram_add(struct cli_histogram *histogram, uint64_t value)
{
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    histogram->greatest = value > histogram->greatest ? value : histogram->greatest;
}

void cli_histogram_merge(struct cli_histogram *histogram, const struct cli_histogram *other)
{
    for (size_t i = 0; i < CLI_HISTOGRAM_BUCKETS; i++) {
        histogram->buckets[i] += other->buckets[i];
    }
    histogram->count += other->count;
    histogram->greatest =
        other->greatest > histogram->greatest ? other->greatest : histogram->greatest;
}

uint64_t cli_histogram_percentile(const struct cli_histogram *histogram, double part)
{
    double wanted = part * (double)histogram->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < CLI_HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted) {
            uint64_t top = top_of(i);
            return top < histogram->greatest ? top : histogram->greatest;
        }
    }
    return histogram->greatest;
}
