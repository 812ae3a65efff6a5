// SPDX-License-Identifier: MIT
// The working memory that the parts of this room share. Who uses which piece is said here; a piece
// belongs to the innermost function that is named.
#ifndef TAUD_ENGINE_CODEC_CODEC_H
#define TAUD_ENGINE_CODEC_CODEC_H

#include "chunk.h"
#include "cursor.h"
#include "kernels.h"

enum {
    CODEC_POINTS = TAUD_CHUNK_POINTS_MAX,
    CODEC_BYTES = CODEC_POINTS * 8,
    CODEC_CANDIDATE_BYTES = CODEC_BYTES + 4096, // with as many exceptions as are tried
};

#define CODEC_ALIGNED __attribute__((aligned(64)))

struct taud_codec {
    const struct codec_kernels *kernels;
    const struct taud_allocator *allocator;
    void *memory;      // what was allocated; this stands in it, aligned
    uint8_t *contexts; // squeeze.c: what those of zstd live in; they are NULL until they are used
    void *compressor;
    void *decompressor;

    // packing.c: items on their way to their width, and a padded copy of what is packed in part.
    uint32_t narrow[CODEC_POINTS] CODEC_ALIGNED;
    uint32_t sums[CODEC_POINTS] CODEC_ALIGNED; // of differences, or those: alp.c, column.c
    uint64_t wide[CODEC_POINTS] CODEC_ALIGNED;
    uint8_t packed[CODEC_BYTES + 64] CODEC_ALIGNED;

    // column.c: differences, and the same in ascending order; bytes in planes, and squeezed.
    uint64_t residuals[CODEC_POINTS] CODEC_ALIGNED;
    uint64_t sorted[CODEC_POINTS] CODEC_ALIGNED;
    uint64_t sorting[CODEC_POINTS] CODEC_ALIGNED;
    uint8_t planes[CODEC_BYTES] CODEC_ALIGNED;
    uint8_t squeezed[CODEC_BYTES] CODEC_ALIGNED;

    // timestamps.c: the steps, lengths and steps of runs.
    uint64_t steps[CODEC_POINTS] CODEC_ALIGNED;
    uint64_t run_lengths[CODEC_POINTS] CODEC_ALIGNED;
    uint64_t run_steps[CODEC_POINTS] CODEC_ALIGNED;
    int64_t timestamps[CODEC_POINTS] CODEC_ALIGNED;

    // alp.c and alp_rd.c: integers, or right parts.
    uint64_t integers[CODEC_POINTS] CODEC_ALIGNED;
    // The same of 32 bits, behind a row whose last one precedes them.
    uint32_t near[CODEC_LANES + CODEC_POINTS] CODEC_ALIGNED;
    uint8_t misses[CODEC_POINTS / CODEC_LANES] CODEC_ALIGNED;

    // values.c: values and lengths of runs, values of which a part is wanted.
    double run_values[CODEC_POINTS] CODEC_ALIGNED;
    uint64_t value_lengths[CODEC_POINTS] CODEC_ALIGNED;
    double values[CODEC_POINTS] CODEC_ALIGNED;

    // What may become a section: of timestamps, of values, of the values of runs.
    uint8_t candidates[3][CODEC_CANDIDATE_BYTES] CODEC_ALIGNED;
};

// The kernels of a variant; NULL when the processor does not have it.
const struct codec_kernels *codec_kernels_of(enum taud_codec_variant variant);

static inline void codec_lanes_init(struct codec_lanes *lanes)
{
    for (unsigned i = 0; i < CODEC_LANES; i++) {
        lanes->sum[i] = 0;
        lanes->low[i] = __builtin_inf();
        lanes->high[i] = -__builtin_inf();
    }
    lanes->count = 0;
}

// Adds value `index` of a chunk; the kernels do the same for whole rows.
static inline void codec_lanes_add(struct codec_lanes *lanes, size_t index, double value)
{
    size_t lane = index % CODEC_LANES;
    if (value != value)
        return;
    lanes->sum[lane] += value;
    lanes->low[lane] = value < lanes->low[lane] ? value : lanes->low[lane];
    lanes->high[lane] = value > lanes->high[lane] ? value : lanes->high[lane];
    lanes->count++;
}

// Joins eight lanes of sums; a NaN, of infinities of both signs, gets one form.
static inline double codec_lanes_join(const double lanes[CODEC_LANES])
{
    double even = (lanes[0] + lanes[4]) + (lanes[2] + lanes[6]);
    double odd = (lanes[1] + lanes[5]) + (lanes[3] + lanes[7]);
    double sum = even + odd;
    return sum == sum ? sum : __builtin_nan("");
}

static inline double codec_lanes_low(const struct codec_lanes *lanes)
{
    double low = lanes->low[0];
    for (unsigned i = 1; i < CODEC_LANES; i++)
        low = lanes->low[i] < low ? lanes->low[i] : low;
    return lanes->count == 0 ? __builtin_nan("") : low;
}

static inline double codec_lanes_high(const struct codec_lanes *lanes)
{
    double high = lanes->high[0];
    for (unsigned i = 1; i < CODEC_LANES; i++)
        high = lanes->high[i] > high ? lanes->high[i] : high;
    return lanes->count == 0 ? __builtin_nan("") : high;
}

#endif
