// SPDX-License-Identifier: MIT
// Puts the points of one series after the other into a segment, as chunks: whole ones as the bytes
// that they are, columns as chunks of 1,024 points, and chunks that are small together with their
// neighbours. It must not know where the points come from.
#ifndef TAUD_ENGINE_CHUNKER_H
#define TAUD_ENGINE_CHUNKER_H

#include "read/merge.h"

struct taud_chunker {
    struct taud_segment_writer *writer;
    struct taud_codec *codec;
    enum taud_codec_effort effort;
    uint32_t small; // chunks of fewer points are joined with their neighbours
    bool anew;      // whole chunks are encoded anew, too
    uint64_t identity;
    struct taud_chunk_hint hint;
    uint32_t count; // of points that wait
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
};

struct taud_chunker_options {
    struct taud_segment_writer *writer;
    struct taud_codec *codec;
    enum taud_codec_effort effort; // for what is encoded
    uint32_t small;
    bool anew;
};

void taud_chunker_init(struct taud_chunker *chunker, const struct taud_chunker_options *options);

// Begins with a series; `hint` is of its last chunk, or NULL.
void taud_chunker_begin(struct taud_chunker *chunker, uint64_t identity,
                        const struct taud_chunk_hint *hint);

// Adds points behind all that were added. Returns as taud_segment_writer_add.
enum tau_status taud_chunker_add_columns(struct taud_chunker *chunker, const int64_t *timestamps,
                                         const double *values, uint32_t count,
                                         struct taud_error *error);

// Whether a chunk of so many points can go as it is; otherwise its columns are wanted.
bool taud_chunker_takes_whole(const struct taud_chunker *chunker, uint32_t count);
enum tau_status taud_chunker_add_whole(struct taud_chunker *chunker,
                                       const struct taud_chunk_summary *summary,
                                       const uint8_t *bytes, size_t size, struct taud_error *error);

// Adds a piece that came of a merge. Returns as taud_merge_next and taud_segment_writer_add.
enum tau_status taud_chunker_add_piece(struct taud_chunker *chunker, struct taud_merge *merge,
                                       struct taud_piece *piece, struct taud_error *error);

// Writes what waits: the series ends.
enum tau_status taud_chunker_end(struct taud_chunker *chunker, struct taud_error *error);

#endif
