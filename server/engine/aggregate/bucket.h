// SPDX-License-Identifier: MIT
// What is known of the points of one bucket: of a piece of one series, of the whole series, of a
// group. Pieces that follow each other in time are appended, the bucket of a series is closed when
// all its points are there, and closed ones of several series are combined. It must not know where
// its bounds in time come from, nor series, nor more of chunks than their summaries.
//
//   empty -- add, add_summary, append --> open -- close --> closed -- combine, value
//
// Where a plan does not need order (plan.h), a bucket is never closed, takes points of any series
// in any order, and may be combined and asked at any time.
#ifndef TAUD_AGGREGATE_BUCKET_H
#define TAUD_AGGREGATE_BUCKET_H

#include "../codec/chunk.h"
#include "plan.h"
#include "sketch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_aggregate_bucket {
    uint64_t count;
    double sum, sum_error; // the sum is both together (Neumaier, 1974)
    double min, max;       // of the numbers; min > max while there is none
    int64_t first_timestamp, last_timestamp;
    double first, last;
    double deviation; // sum of the squares of the distances from the mean
    // Open: the sum of the values behind which the counter began anew. Closed: the increase.
    double increase;
    double rate;         // closed: the sum of the rates that there are
    uint64_t rate_count; // of how many series
    // Value times nanoseconds; open: from the first to the last point. Closed: of all that is in
    // force, which is `held_ns` long.
    double integral, held_ns;
    struct taud_sketch *sketch; // NULL until there is a value
};

// Points of one series, with ascending timestamps.
struct taud_aggregate_run {
    size_t count;              // from 1
    const int64_t *timestamps; // only for TAUD_AGGREGATE_PART_HELD
    const double *values;
    int64_t first_timestamp, last_timestamp;
};

// The instants of a bucket that take part, and what its series is like outside of it.
struct taud_aggregate_edges {
    int64_t first_instant, last_instant;
    bool has_prior; // there is a point before it; the latest:
    int64_t prior_timestamp;
    double prior;
    int64_t end; // the timestamp of the series' last point of all
};

void taud_aggregate_bucket_init(struct taud_aggregate_bucket *bucket);
void taud_aggregate_bucket_done(struct taud_aggregate_bucket *bucket,
                                struct taud_aggregate_memory *memory);

// Adds points, behind those that are there if the plan needs order. `parts` are those of the plan.
// Returns false when there is no memory: the bucket can then only be done away with. Only
// TAUD_AGGREGATE_PART_SKETCH takes memory.
bool taud_aggregate_bucket_add(struct taud_aggregate_bucket *bucket, unsigned parts,
                               const struct taud_aggregate_run *run,
                               struct taud_aggregate_memory *memory);

// The same by the summary of a chunk, or of a part of one, where the plan does not need values.
void taud_aggregate_bucket_add_summary(struct taud_aggregate_bucket *bucket,
                                       const struct taud_chunk_summary *summary);

// The same by a part of a chunk that was folded, where the plan does not need more (plan.h).
void taud_aggregate_bucket_add_part(struct taud_aggregate_bucket *bucket, unsigned parts,
                                    const struct taud_chunk_part *part);

// Appends what is later in the same series, or, where the plan does not need order, anything.
// Returns as taud_aggregate_bucket_add.
bool taud_aggregate_bucket_append(struct taud_aggregate_bucket *bucket,
                                  const struct taud_aggregate_bucket *later, unsigned parts,
                                  struct taud_aggregate_memory *memory);

// All points of the series are there: its increase, rate and values in force are calculated. Also
// for a bucket without points, in which a value may be in force.
void taud_aggregate_bucket_close(struct taud_aggregate_bucket *bucket, unsigned parts,
                                 const struct taud_aggregate_edges *edges);

// Adds another series of the group; both are closed. Returns as taud_aggregate_bucket_add.
bool taud_aggregate_bucket_combine(struct taud_aggregate_bucket *bucket,
                                   const struct taud_aggregate_bucket *other,
                                   struct taud_aggregate_memory *memory);

// What a column tells of a bucket with points.
double taud_aggregate_bucket_value(struct taud_aggregate_bucket *bucket,
                                   const struct taud_aggregate_column *column);

#endif
