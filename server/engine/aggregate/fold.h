// SPDX-License-Identifier: MIT
// Loops over columns of values: each goes once over memory and keeps eight lanes, so that it runs
// as fast as memory gives. Value i goes to lane i % 8, and the lanes are added as ((0 + 4) + (2 +
// 6)) + ((1 + 5) + (3 + 7)): every variant gives the same bits. It must not know buckets.
#ifndef TAUD_AGGREGATE_FOLD_H
#define TAUD_AGGREGATE_FOLD_H

#include <stddef.h>
#include <stdint.h>

// The most values that a caller gives at once where the accuracy of a sum is promised (plan.h).
enum { TAUD_AGGREGATE_FOLD_COUNT = 2048 };

struct taud_aggregate_fold {
    double sum;      // NaN when a value is
    double min, max; // of the numbers; min > max where all values are NaN, or there is none
};

void taud_aggregate_fold(const double *values, size_t count, struct taud_aggregate_fold *ret);

// The same with the instructions that every processor of the kind has, for tests.
void taud_aggregate_fold_baseline(const double *values, size_t count,
                                  struct taud_aggregate_fold *ret);

// The sum of the squares of the distances from the mean, which is given as well as it is known:
// its own error is taken out again (the corrected two-pass algorithm; Chan, Golub, LeVeque,
// "Algorithms for Computing the Sample Variance", 1983).
double taud_aggregate_fold_deviation(const double *values, size_t count, double mean);

// The sum of the values that are followed by a lower one: what a counter that begins anew takes
// back. NaN when a value is, and where one is infinite perhaps.
double taud_aggregate_fold_resets(const double *values, size_t count);

// The sum of each value times the nanoseconds up to the next one; the last has none.
double taud_aggregate_fold_held(const int64_t *timestamps, const double *values, size_t count);

#endif
