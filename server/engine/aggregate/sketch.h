// SPDX-License-Identifier: MIT
// Quantiles of any number of values in bounded memory. Up to 128 values are kept as they are; more
// are counted in cells. It must not know buckets of time.
//
// This is DDSketch (Masson, Rim, Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
// Relative-Error Guarantees", VLDB 2019) with two choices. A cell is a 128th of a power of two, so
// that the number of a cell is the upper bits of the value and costs no logarithm. And where all
// cells from the lowest to the highest would be more than 2,048, positive and negative ones
// together, neighbours are joined in pairs, everywhere alike (Epicoco et al., "UDDSketch: Accurate
// Tracking of Quantiles in Data Streams", 2020), so that no end of the scale suffers more than the
// other.
//
// Error. A value is told as at most a share e of itself away from what it was. With d being the
// powers of two that the magnitudes spread over, those of both signs added:
//
//   d up to   15     30    60    120    250   500   1000   2000   more (of both signs)
//   e       1/257  1/129  1/65  1/33   1/17   1/9   1/5    1/3    3/5
//
// Numbers below 2^-1022, the subnormal ones, are told as 0, and infinities as they are. The lowest
// and the highest value are exact. NaN is no value.
//
// The state follows from the set of the values alone: sketches that are joined in any order, from
// any pieces, tell the same bits.
#ifndef TAUD_AGGREGATE_SKETCH_H
#define TAUD_AGGREGATE_SKETCH_H

#include "memory.h"

#include <stdbool.h>

enum {
    TAUD_SKETCH_EXACT = 128,  // values that are kept as they are
    TAUD_SKETCH_CELLS = 2048, // at most, from the lowest to the highest of both signs
};

// The cells of one sign from number `base` on.
struct taud_sketch_cells {
    uint64_t *counts;
    uint32_t base, size;
};

struct taud_sketch {
    uint64_t count;
    double min, max;
    double *values; // those that are kept, or NULL once cells count
    uint32_t capacity;
    uint32_t level;       // how often neighbours were joined
    uint64_t infinite[2]; // positive, negative; of the values that cells count
    uint64_t zeros;
    struct taud_sketch_cells cells[2];
};

void taud_sketch_init(struct taud_sketch *sketch);
void taud_sketch_done(struct taud_sketch *sketch, struct taud_aggregate_memory *memory);

// Adds values. Returns false when there is no memory; the sketch can then only be done away with.
bool taud_sketch_add(struct taud_sketch *sketch, const double *values, size_t count,
                     struct taud_aggregate_memory *memory);

// Adds what `other` holds, which stays as it is. Returns as taud_sketch_add.
bool taud_sketch_join(struct taud_sketch *sketch, const struct taud_sketch *other,
                      struct taud_aggregate_memory *memory);

// The value at rank p * (count - 1), for p from 0 to 1, interpolated between its neighbours; NaN
// where there is no value. Sorts the values that are kept.
double taud_sketch_quantile(struct taud_sketch *sketch, double p);

#endif
