// SPDX-License-Identifier: MIT
// Places to merge, made of points that a test gives, on a disk and in memory that it may refuse.
#ifndef MERGE_RIG_H
#define MERGE_RIG_H

#include "store_rig.h"

#include "engine/read/merge.h"

enum { MERGE_RIG_IDENTITY = 500, MERGE_RIG_SEALED = 4096, MERGE_RIG_SEGMENTS = 16 };

struct merge_rig {
    struct store_rig store;
    struct taud_sealed *sealed[MERGE_RIG_SEALED]; // all that were made
    uint32_t sealed_count;
    struct taud_segment *segments[MERGE_RIG_SEGMENTS];
    uint32_t segment_count;
    uint64_t span; // of a segment: its last sequence is so far above the first
    struct taud_error error;
};

void merge_rig_init(struct merge_rig *rig, bool cached);
void merge_rig_done(struct merge_rig *rig);
// Gives back what was made, for another round.
void merge_rig_clear(struct merge_rig *rig);

// Columns that are cut into chunks of the counts that `cut` gives, one after the other.
struct merge_rig_points {
    const int64_t *timestamps;
    const double *values;
    uint32_t count;
};

// A chunk in memory, which is the rig's.
struct taud_sealed *merge_rig_seal(struct merge_rig *rig, struct merge_rig_points points);

// A segment of this sequence with these chunks of MERGE_RIG_IDENTITY, between those of two others;
// the rig's. `lie` may change what the index says of each chunk; NULL does not.
struct taud_segment *
merge_rig_segment(struct merge_rig *rig, uint64_t sequence, const struct merge_rig_points *chunks,
                  uint32_t count, void (*lie)(uint32_t chunk, struct taud_chunk_summary *summary));

// Where a chunk of a segment stands on the disk.
uint8_t *merge_rig_on_disk(struct merge_rig *rig, const struct taud_segment *segment,
                           uint32_t chunk);

// Options for all of MERGE_RIG_IDENTITY, with the rig's memory and codec.
struct taud_merge_options merge_rig_options(struct merge_rig *rig);

#endif
