// SPDX-License-Identifier: MIT
// Points wait until they fill a chunk, or until something comes that they are not joined with. It
// must not know segments but through their writer.
#include "chunker.h"

#include <string.h>

void taud_chunker_init(struct taud_chunker *chunker, const struct taud_chunker_options *options)
{
    chunker->writer = options->writer;
    chunker->codec = options->codec;
    chunker->effort = options->effort;
    chunker->small = options->small;
    chunker->anew = options->anew;
    chunker->count = 0;
}

void taud_chunker_begin(struct taud_chunker *chunker, uint64_t identity,
                        const struct taud_chunk_hint *hint)
{
    chunker->identity = identity;
    chunker->hint = hint ? *hint : (struct taud_chunk_hint){0};
    chunker->count = 0;
}

static enum tau_status encode(struct taud_chunker *chunker, const int64_t *timestamps,
                              const double *values, uint32_t count, struct taud_error *error)
{
    struct taud_chunk_summary summary;
    size_t size = taud_chunk_encode(chunker->codec, timestamps, values, count, chunker->effort,
                                    &chunker->hint, chunker->bytes, &summary);
    return taud_segment_writer_add(chunker->writer, chunker->identity, &summary, chunker->bytes,
                                   size, error);
}

enum tau_status taud_chunker_end(struct taud_chunker *chunker, struct taud_error *error)
{
    uint32_t count = chunker->count;
    chunker->count = 0;
    return count == 0 ? TAU_STATUS_SUCCESS
                      : encode(chunker, chunker->timestamps, chunker->values, count, error);
}

enum tau_status taud_chunker_add_columns(struct taud_chunker *chunker, const int64_t *timestamps,
                                         const double *values, uint32_t count,
                                         struct taud_error *error)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    while (count > 0 && status == TAU_STATUS_SUCCESS) {
        uint32_t room = TAUD_CHUNK_POINTS_MAX - chunker->count;
        uint32_t piece = count < room ? count : room;
        if (piece == TAUD_CHUNK_POINTS_MAX) { // without a copy
            status = encode(chunker, timestamps, values, piece, error);
        } else {
            memcpy(chunker->timestamps + chunker->count, timestamps, piece * sizeof *timestamps);
            memcpy(chunker->values + chunker->count, values, piece * sizeof *values);
            chunker->count += piece;
            if (piece == room)
                status = taud_chunker_end(chunker, error);
        }
        timestamps += piece;
        values += piece;
        count -= piece;
    }
    return status;
}

bool taud_chunker_takes_whole(const struct taud_chunker *chunker, uint32_t count)
{
    if (chunker->anew || count < chunker->small)
        return false;
    return chunker->count == 0 || chunker->count + count > TAUD_CHUNK_POINTS_MAX;
}

enum tau_status taud_chunker_add_whole(struct taud_chunker *chunker,
                                       const struct taud_chunk_summary *summary,
                                       const uint8_t *bytes, size_t size, struct taud_error *error)
{
    enum tau_status status = taud_chunker_end(chunker, error);
    return status == TAU_STATUS_SUCCESS
               ? taud_segment_writer_add(chunker->writer, chunker->identity, summary, bytes, size,
                                         error)
               : status;
}

enum tau_status taud_chunker_add_piece(struct taud_chunker *chunker, struct taud_merge *merge,
                                       struct taud_piece *piece, struct taud_error *error)
{
    const uint8_t *bytes;
    size_t size;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (piece->summary && taud_chunker_takes_whole(chunker, piece->count)) {
        status = taud_merge_bytes(merge, piece, &bytes, &size, error);
        return status == TAU_STATUS_SUCCESS
                   ? taud_chunker_add_whole(chunker, piece->summary, bytes, size, error)
                   : status;
    }
    if (piece->summary)
        status = taud_merge_decode(merge, piece, TAUD_PIECE_VALUES | TAUD_PIECE_TIMESTAMPS, error);
    return status == TAU_STATUS_SUCCESS
               ? taud_chunker_add_columns(chunker, piece->timestamps, piece->values, piece->count,
                                          error)
               : status;
}
