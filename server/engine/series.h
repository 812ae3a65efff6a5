// SPDX-License-Identifier: MIT
// A series in memory: what was written since its generation began. New points stand in the head,
// raw columns of at most 1,024 points that are small at first; those that are not later than the
// newest point stand in the late head, sorted. A full head is sealed: compressed into a chunk of
// the run. When the engine's generation has risen, the first who writes to the series freezes it:
// all that it has then becomes the run of the older generation, which a flush writes into a
// segment, and which goes once that can be read. What nobody writes to goes from its heads the same
// way.
//
//   oldest   segments    run->older    run    head    late head   newest
//
// The caller locks; it must not know shards, logs or segments.
#ifndef TAUD_ENGINE_SERIES_H
#define TAUD_ENGINE_SERIES_H

#include "run.h"
#include "table.h"

enum { TAUD_HEAD_POINTS = 1024 };

// Raw columns: timestamps, ascending, then from `points[capacity]` on the values.
struct taud_head {
    int64_t *points; // NULL while it has no block
    uint16_t count;
    uint16_t capacity; // 0 without a block
};

static inline double *taud_head_values(const struct taud_head *head)
{
    return (double *)(void *)(head->points + head->capacity);
}

// The index of the first point at or behind `timestamp`; `count` when there is none.
uint32_t taud_head_find(const struct taud_head *head, int64_t timestamp);

// What the functions below work with; of a shard.
struct taud_series_memory {
    struct taud_arena *arena;
    struct taud_pool *pool;    // of the engine's generation
    struct taud_codec *codec;  // used under the same lock
};

struct taud_series {
    struct taud_named named;     // 40 bytes
    uint64_t identity;
    _Atomic uint32_t references; // the catalog's and those of readers
    uint32_t generation;         // of heads and of what will be sealed next
    uint8_t order;               // enum taud_order
    bool any;                    // it has, or had, a point: last_timestamp is one
    bool stored;                 // segments may have points of it
    struct taud_chunk_hint hint;
    struct taud_head head;       // 16 bytes
    struct taud_head late;
    int64_t last_timestamp;      // the greatest that it ever had; a delete leaves it
    uint64_t retention;          // nanoseconds; 0: for ever
    struct taud_run *run;        // the newest; NULL while nothing is sealed
    uint32_t dropped;            // the generation in which it was dropped; 0: it is there
    uint32_t source;             // of rollup rules: its number among them (rollup.h); 0: of none
};

_Static_assert(sizeof(struct taud_series) <= 128, "a series fits its block");

// Returns NULL when memory is at its bound. It has one reference.
struct taud_series *taud_series_new(struct taud_arena *arena, const struct tau_label *label,
                                    uint64_t hash, uint64_t identity);

// Gives everything back once nobody holds it. Without a lock: it may be long.
void taud_series_release(struct taud_series *series, struct taud_arena *arena);

// Whether a point stands in order: behind all that came before.
static inline bool taud_series_in_order(const struct taud_series *series, int64_t timestamp)
{
    return !series->any || timestamp > series->last_timestamp;
}

// Whether it has something of a generation before this one that is not yet frozen.
static inline bool taud_series_is_behind(const struct taud_series *series, uint32_t generation)
{
    return series->generation != generation;
}

// Seals the heads, gives their blocks back, and goes on in `generation`. What it has stays its run,
// of the generation before, until something is sealed in the new one and that run becomes the older
// of two; there are no more, since the one before is flushed and detached by then. Returns false
// when memory is at its bound; its points are as they were then, and the caller may come again.
bool taud_series_freeze(struct taud_series *series, const struct taud_series_memory *memory,
                        uint32_t generation);

// Gives up what is of this or an earlier generation, as it is stored elsewhere now: heads, which
// then go on in the next one, and the run, which the caller releases without the lock. NULL when
// there is none.
struct taud_run *taud_series_detach(struct taud_series *series, struct taud_arena *arena,
                                    uint32_t generation);

// Gives up what is of the present generation, since nobody will read it: an older run stays.
// *ret_run, for the caller to release without the lock, may be NULL.
void taud_series_clear(struct taud_series *series, struct taud_arena *arena,
                       struct taud_run **ret_run);

// Each stores what it is given, in the present generation; false when memory is at its bound, with
// nothing stored. The point is in order; late: it is not, and replaces one that has its timestamp
// in the late head.
bool taud_series_append(struct taud_series *series, const struct taud_series_memory *memory,
                        int64_t timestamp, double value);
bool taud_series_append_late(struct taud_series *series, const struct taud_series_memory *memory,
                             int64_t timestamp, double value);

// The same for ascending columns, as far as memory goes. Returns how many of them are stored.
size_t taud_series_append_columns(struct taud_series *series,
                                  const struct taud_series_memory *memory,
                                  const int64_t *timestamps, const double *values, size_t count);
size_t taud_series_append_late_columns(struct taud_series *series,
                                       const struct taud_series_memory *memory,
                                       const int64_t *timestamps, const double *values,
                                       size_t count);

// Takes over a chunk whose points all stand in order, or, with `late`, not all do. What is in the
// head, or in the late head, before it is sealed first. Returns false when memory is at its bound;
// the reference is still the caller's then.
bool taud_series_append_sealed(struct taud_series *series, const struct taud_series_memory *memory,
                               struct taud_sealed *sealed, bool late);

// Finds the newest point at exactly this timestamp in memory. Returns false when there is none.
bool taud_series_find(const struct taud_series *series, struct taud_codec *codec, int64_t timestamp,
                      double *ret_value);

// Brings near what taud_series_find will probably look at first.
void taud_series_prefetch(const struct taud_series *series, int64_t timestamp);

// Takes the points from `from` to `to`, both included, out of the heads and the run of their
// generation; older runs and what readers hold stay as they are. Returns false when memory is at
// its bound: then nothing is changed.
bool taud_series_delete(struct taud_series *series, const struct taud_series_memory *memory,
                        int64_t from, int64_t to);

// Bytes that it takes, with what is sealed.
uint64_t taud_series_bytes(const struct taud_series *series);

#endif
