// SPDX-License-Identifier: MIT
// A series as it is at one moment, to be read without its lock: references to what never changes, and
// a copy of the part of the heads that is asked for. It must not know what is done with the points.
#ifndef TAUD_ENGINE_READ_SNAPSHOT_H
#define TAUD_ENGINE_READ_SNAPSHOT_H

#include "../state.h"
#include "merge.h"

struct taud_snapshot {
    struct taud_engine *engine;
    struct taud_view *view;
    uint64_t identity;
    int64_t from, to; // as asked for, less what retention has taken
    struct taud_run *runs[2]; // oldest first; NULL where there is none
    struct taud_sealed **chunks; // of the runs, those that reach into from..to, as they are to be merged
    uint32_t counts[2], late_counts[2];
    int64_t *columns; // head, then late head: timestamps and values of each
    uint32_t head_count, late_count;
};

// With the lock of the series' shard. Returns false when there is no memory.
bool taud_snapshot_take(struct taud_snapshot *snapshot, struct taud_engine *engine,
                        const struct taud_series *series, int64_t from, int64_t to);
void taud_snapshot_done(struct taud_snapshot *snapshot);

// A merge over what the snapshot holds; it must be freed before the snapshot. Several at a time, by
// several threads, each with its codec. NULL when there is no memory.
struct taud_merge *taud_snapshot_merge(const struct taud_snapshot *snapshot,
                                       struct taud_codec *codec, int64_t from, int64_t to,
                                       bool descending);

#endif
