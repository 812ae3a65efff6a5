// SPDX-License-Identifier: MIT
// What a series has of one generation beside its heads: sealed chunks, compressed, in memory. The
// chunks in order ascend and do not overlap; late ones stand in the order in which they were sealed
// and overlap anything. For equal timestamps the rule of the whole engine holds: the newest wins, a
// late chunk is newer than every chunk in order of its generation and than late ones before it.
// The caller locks; it must not know shards, logs or segments.
#ifndef TAUD_ENGINE_RUN_H
#define TAUD_ENGINE_RUN_H

#include "codec/chunk.h"
#include "directory.h"
#include "pool.h"

#include <stdatomic.h>

// A chunk. It lies in a pool and never changes, so whoever holds a reference reads it without a
// lock.
struct taud_sealed {
    _Atomic uint32_t references;
    uint32_t size; // of the bytes
    struct taud_chunk_summary summary;
    uint8_t bytes[];
};

// Takes room for a chunk of `size` bytes, with one reference; the caller fills in all but those
// two. NULL when memory is at its bound. The pool's lock is the caller's.
struct taud_sealed *taud_sealed_new(struct taud_pool *pool, size_t size);

// Compresses columns, as taud_chunk_encode does, and copies what that gives into a chunk of just
// its size: all copying that there is of points on their way into memory. NULL when memory is at
// its bound.
struct taud_sealed *taud_sealed_encode(struct taud_pool *pool, struct taud_codec *codec,
                                       const int64_t *timestamps, const double *values,
                                       uint32_t count, struct taud_chunk_hint *hint);

// Writes the points out; false when the bytes are damaged.
bool taud_sealed_decode(const struct taud_sealed *sealed, struct taud_codec *codec,
                        int64_t *timestamps, double *values);

static inline void taud_sealed_retain(struct taud_sealed *sealed)
{
    atomic_fetch_add_explicit(&sealed->references, 1, memory_order_relaxed);
}

// From any thread, without a lock.
void taud_sealed_release(struct taud_sealed *sealed, struct taud_arena *arena);

struct taud_run {
    _Atomic uint32_t references; // the series' and those of readers
    uint32_t generation;
    uint64_t point_count; // of all chunks; a timestamp may be in several
    uint64_t byte_count;  // of all chunks
    struct taud_directory chunks; // of struct taud_sealed, ascending
    struct taud_directory late;   // of struct taud_sealed, in the order of sealing
    uint32_t late_ascending;      // so many of them, from the first, ascend and do not overlap
    struct taud_run *older;       // the series' run of the generation that is being flushed; NULL
};

_Static_assert(sizeof(struct taud_run) <= 128, "a run fits its block");

// An empty run with one reference; NULL when memory is at its bound.
struct taud_run *taud_run_new(struct taud_arena *arena, uint32_t generation);

// The chunks at a place.
static inline struct taud_sealed *taud_run_chunk(const struct taud_run *run, uint32_t index)
{
    return taud_directory_at(&run->chunks, index)->item;
}

static inline struct taud_sealed *taud_run_late(const struct taud_run *run, uint32_t index)
{
    return taud_directory_at(&run->late, index)->item;
}

static inline void taud_run_retain(struct taud_run *run)
{
    atomic_fetch_add_explicit(&run->references, 1, memory_order_relaxed);
}

// Gives the run and its chunks back once nobody holds it; not `older`. Without a lock: it may be
// long.
void taud_run_release(struct taud_run *run, struct taud_arena *arena);

// Takes over the caller's reference to a chunk. Unless it is `late` it begins behind all chunks in
// order. Returns false when memory is at its bound; the reference is still the caller's.
bool taud_run_add(struct taud_run *run, struct taud_arena *arena, struct taud_sealed *sealed,
                  bool late);

// Finds the newest point at exactly this timestamp. Returns false when there is none.
bool taud_run_find(const struct taud_run *run, struct taud_codec *codec, int64_t timestamp,
                   double *ret_value);

// Whether a chunk has, or may have, points from `from` to `to`, both included.
bool taud_run_reaches_into(const struct taud_run *run, int64_t from, int64_t to);

// What is left of a run without the points from `from` to `to`, both included: another run that
// shares the chunks outside. The older run moves to it. NULL when memory is at its bound; then the
// run is as it was. `pool` is of the run's generation.
struct taud_run *taud_run_without(struct taud_run *run, struct taud_pool *pool,
                                  struct taud_codec *codec, int64_t from, int64_t to);

uint64_t taud_run_memory(const struct taud_run *run); // without older

#endif
