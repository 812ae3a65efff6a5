/* SPDX-License-Identifier: MIT */
/*
 * Counts durations in buckets whose width grows with the duration: any percentile is known to
 * within 1.6 percent, in a fixed amount of memory.
 */
#ifndef TAU_CLI_BENCH_HISTOGRAM_H
#define TAU_CLI_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* 64 buckets for each power of two. */
#define CLI_HISTOGRAM_BUCKETS ((64 - 6 + 1) * 64)

struct cli_histogram {
    uint64_t count;
    uint64_t greatest;
    uint64_t buckets[CLI_HISTOGRAM_BUCKETS];
};

void cli_histogram_add(struct cli_histogram *histogram, uint64_t value);

/* Adds what another one has counted. */
void cli_histogram_merge(struct cli_histogram *histogram, const struct cli_histogram *other);

/* The value that `part` (0 to 1) of all values do not exceed; 0 where there are none. */
uint64_t cli_histogram_percentile(const struct cli_histogram *histogram, double part);

#endif
