// SPDX-License-Identifier: MIT
// Points of one series from all the places that they are in, as one ascending or descending
// sequence of pieces: for equal timestamps the newest place wins, and what is deleted is left out.
// A chunk that overlaps nothing comes whole, known by its summary, and is read and decoded only if
// asked for; what overlaps comes as columns. Ranges, aggregates, flushes and compactions all read
// through this. It must not know shards, logs, or where pieces go.
#ifndef TAUD_ENGINE_READ_MERGE_H
#define TAUD_ENGINE_READ_MERGE_H

#include "../run.h"
#include "../store/manifest.h"
#include "../store/segment.h"

struct taud_merge;

struct taud_merge_options {
    const struct taud_allocator *allocator;
    struct taud_codec *codec; // used by one thread at a time, within calls of the merge
    uint64_t identity;
    int64_t from, to; // both included
    bool descending;
    // Segments are read through their cache, or past it in large pieces, as one does who reads all.
    bool past_cache;
    // Every piece comes as columns: for whom summaries are of no use.
    bool only_columns;
    // A chunk of even steps that `from` or `to` cuts comes like a whole one, without a summary: the
    // piece is what is asked for of it. Of an ascending merge.
    bool cuts_chunks;
    // Deleted ranges of the series: each hides what is of its sequence or before. Copied.
    const struct taud_tombstone *tombstones;
    uint32_t tombstone_count;
};

// Returns NULL when there is no memory.
struct taud_merge *taud_merge_new(const struct taud_merge_options *options);
void taud_merge_free(struct taud_merge *merge); // accepts NULL

// Begins anew with another series, without places. What the merge has for reading segments stays
// with it, so that one who goes through series after series reads each piece of a segment once.
// Returns false when there is no memory; the merge can only be freed or restarted then.
bool taud_merge_restart(struct taud_merge *merge, uint64_t identity,
                        const struct taud_tombstone *tombstones, uint32_t tombstone_count);

// Another codec, from now on: a merge that waits for its reader needs none.
void taud_merge_use(struct taud_merge *merge, struct taud_codec *codec);

// Adds a place, from the oldest to the newest, before the first piece. What is given stays as it is
// for as long as the merge or its restart, but for the array of chunks, which is copied. `sequence`
// is what tombstones are compared with, for segments the last one that they have; UINT64_MAX for
// what none of them hides. Chunks and columns outside of from..to cost nothing. Each returns false
// when there is no memory.
bool taud_merge_add_segment(struct taud_merge *merge, struct taud_segment *segment);
bool taud_merge_add_sealed(struct taud_merge *merge, struct taud_sealed *const *chunks,
                           uint32_t count, uint64_t sequence); // ascending, without overlap
// As many places as it takes, of chunks that each stand behind the one before but for their times.
bool taud_merge_add_late(struct taud_merge *merge, struct taud_sealed *const *chunks,
                         uint32_t count, uint64_t sequence);
bool taud_merge_add_columns(struct taud_merge *merge, const int64_t *timestamps,
                            const double *values, uint32_t count, uint64_t sequence); // ascending

// The next points. Until the next call, or the end of the merge.
struct taud_piece {
    uint32_t count;      // at most TAUD_CHUNK_POINTS_MAX; 0: there are no more
    int64_t first, last; // the least and the greatest timestamp
    // Of a chunk that comes whole; NULL for columns, and for a chunk that is cut.
    const struct taud_chunk_summary *summary;
    // Columns in the order of the merge; NULL in a chunk that was not decoded.
    const int64_t *timestamps;
    const double *values;
};

// Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR (a chunk is damaged or cannot be read; `error` says
// which). After a failure nothing more comes: every call returns it again.
enum tau_status taud_merge_next(struct taud_merge *merge, struct taud_piece *ret_piece,
                                struct taud_error *error);

enum taud_piece_parts { TAUD_PIECE_VALUES = 1, TAUD_PIECE_TIMESTAMPS = 2 };

// Reads and decodes what of a whole chunk is not there yet. Returns as taud_merge_next.
enum tau_status taud_merge_decode(struct taud_merge *merge, struct taud_piece *piece,
                                  unsigned parts, struct taud_error *error);

// A whole chunk in parts, folded without being written out: part i is of the points up to ends[i]
// that are behind the end before. Ends ascend, and the last is not before the last point. Parts
// without points are left out; there is room for as many as there are ends. `wanted` is of enum
// taud_chunk_fold. Of an ascending merge. Returns as taud_merge_next.
enum tau_status taud_merge_fold(struct taud_merge *merge, struct taud_piece *piece, unsigned wanted,
                                const int64_t *ends, uint32_t end_count,
                                struct taud_chunk_part *ret_parts, uint32_t *ret_count,
                                struct taud_error *error);

// The bytes of a whole chunk, not of one that is cut, as they are stored, checked, until the next
// call of taud_merge_next. Returns as that.
enum tau_status taud_merge_bytes(struct taud_merge *merge, const struct taud_piece *piece,
                                 const uint8_t **ret_bytes, size_t *ret_size,
                                 struct taud_error *error);

#endif
