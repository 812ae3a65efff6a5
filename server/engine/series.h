// SPDX-License-Identifier: MIT
// A series in memory: chunks of 1,024 points, each a column of timestamps and a column of values. Only
// the first chunk is smaller while the series is. Points are added at the end and never move within
// their index, so an index taken once stays right. The caller locks; it must not know shards or logs.
#ifndef TAUD_ENGINE_SERIES_H
#define TAUD_ENGINE_SERIES_H

#include "arena.h"
#include "table.h"

#include <stdatomic.h>

enum { TAUD_CHUNK_POINTS = 1024 };

struct taud_chunk_entry {
    int64_t first;   // timestamp of the first point, once there is one
    uint8_t *points; // timestamps, then values
};

struct taud_series {
    struct taud_named named;
    uint64_t identity;
    _Atomic uint32_t references; // the catalog's and those of open ranges
    uint8_t chunk_class;         // of the only chunk while there is one; none: TAUD_BLOCK_CLASSES
    uint8_t directory_class;
    uint8_t top_class;
    int64_t first_timestamp; // of the first point, once there is one
    // A cache line of what an append touches.
    uint64_t point_count;
    uint64_t capacity;      // points that fit without another block
    int64_t last_timestamp; // of the last point, once there is one
    uint8_t *tail;          // the chunk that the last point lies in
    // The chunks: tail alone; or a directory; or, above 1,024 chunks, `top` of full directories.
    struct taud_chunk_entry *directory; // the last one
    struct taud_chunk_entry **top;
};

_Static_assert(sizeof(struct taud_series) <= 128, "a series fits its block");

// Returns NULL when memory is at its bound. It has one reference.
struct taud_series *taud_series_new(struct taud_arena *arena, const struct tau_label *label,
                                    uint64_t hash, uint64_t identity);

// Gives everything back once nobody holds it. Without a lock: it may be long.
void taud_series_release(struct taud_series *series, struct taud_arena *arena);

// Makes room for `count` more points. On failure nothing changed but spare room.
bool taud_series_reserve(struct taud_series *series, struct taud_arena *arena, uint64_t count);

// Gives back chunks that no point needs: after a reservation that was not used.
void taud_series_trim(struct taud_series *series, struct taud_arena *arena);

// The chunk of this number; there must be one.
uint8_t *taud_series_chunk(const struct taud_series *series, uint64_t chunk);

// How many points the chunk can hold: where its column of values begins.
static inline uint32_t taud_series_chunk_points(const struct taud_series *series)
{
    return series->capacity < TAUD_CHUNK_POINTS ? (uint32_t)series->capacity : TAUD_CHUNK_POINTS;
}

// A run of points from `index` that lies in one chunk.
struct taud_span {
    int64_t *timestamps;
    double *values;
    uint32_t count; // to the end of the chunk's room
};

struct taud_span taud_series_span(const struct taud_series *series, uint64_t index);

static inline bool taud_series_accepts(const struct taud_series *series, int64_t timestamp)
{
    return series->point_count == 0 || timestamp > series->last_timestamp;
}

// Stores one point; it must be accepted. Returns false when memory is at its bound.
bool taud_series_append(struct taud_series *series, struct taud_arena *arena, int64_t timestamp,
                        double value);

// Takes in `count` points that were written behind the last one through spans.
void taud_series_publish(struct taud_series *series, uint64_t count);

// Takes the last `count` points back, which nobody has seen yet.
void taud_series_retract(struct taud_series *series, uint64_t count);

// The index of the first point at or behind `timestamp`; point_count when there is none.
uint64_t taud_series_lower_bound(const struct taud_series *series, int64_t timestamp);

// Finds the point at exactly this timestamp.
bool taud_series_find(const struct taud_series *series, int64_t timestamp, double *ret_value);

// Brings near what taud_series_find will probably look at first.
void taud_series_prefetch(const struct taud_series *series, int64_t timestamp);

uint64_t taud_series_memory(const struct taud_series *series);

#endif
