// SPDX-License-Identifier: MIT
// A series as it is at one moment, to be read without its lock: references to what never changes,
// and a copy of the part of the heads that is asked for. It must not know what is done with the
// points.
#ifndef TAUD_ENGINE_READ_SNAPSHOT_H
#define TAUD_ENGINE_READ_SNAPSHOT_H

#include "../state.h"
#include "merge.h"

// What of a run belongs to a snapshot: what is added to it later does not.
struct taud_snapshot_run {
    struct taud_run *run;  // a reference
    uint64_t sequence;     // of its generation
    uint32_t first, count; // of the chunks in order, those that reach into the range
    uint32_t late_count;   // of the late ones, all
    bool with_heads;       // it is of the generation of the heads
};

struct taud_snapshot {
    struct taud_engine *engine;
    struct taud_view *view;
    uint64_t identity;
    int64_t from, to;                 // as asked for, less what retention has taken
    bool stored;                      // the segments may have something of it
    struct taud_snapshot_run runs[2]; // oldest first
    uint32_t run_count;
    struct taud_sealed **chunks; // of each run those in order, then the late ones
    uint64_t head_sequence;
    uint32_t head_count, late_count;
    int64_t *columns; // of the head, then of the late head: timestamps and values
};

// With the lock of the series' shard, which is held a moment, whatever the series has; then,
// without it, taud_snapshot_complete. Returns false when there is no memory; then it needs no done.
bool taud_snapshot_take(struct taud_snapshot *snapshot, struct taud_engine *engine,
                        const struct taud_series *series, int64_t from, int64_t to);

// Lists the chunks, with the shard's lock for so many at a time. Returns false when there is no
// memory.
bool taud_snapshot_complete(struct taud_snapshot *snapshot, struct taud_shard *shard);
void taud_snapshot_done(struct taud_snapshot *snapshot);

// Both, of a series with this label. Returns SUCCESS, SERIES_NOT_FOUND, NO_MEMORY; the snapshot
// needs a done after SUCCESS alone.
enum tau_status taud_snapshot_open(struct taud_snapshot *snapshot, struct taud_engine *engine,
                                   const struct tau_label *label, int64_t from, int64_t to);

struct taud_snapshot_order {
    struct taud_codec *codec;
    int64_t from, to; // within those of the snapshot
    bool descending;
    bool only_columns, cuts_chunks;
};

// A merge over what the snapshot holds; it must be freed before the snapshot. Several at a time, by
// several threads, each with its codec. NULL when there is no memory.
struct taud_merge *taud_snapshot_merge(const struct taud_snapshot *snapshot,
                                       const struct taud_snapshot_order *order);

#endif
