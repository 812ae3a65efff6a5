// SPDX-License-Identifier: MIT
// Goes through the chunks of a segment one by one and tells of each whether it is as it was
// written: its checksum, its points, and what the index says of it. It must not know what becomes
// of a damaged one.
#ifndef TAUD_ENGINE_CHECK_VERIFY_H
#define TAUD_ENGINE_CHECK_VERIFY_H

#include "../store/segment_cursor.h"

enum taud_chunk_verdict {
    TAUD_VERDICT_GOOD,
    TAUD_VERDICT_DAMAGED,
    TAUD_VERDICT_OTHER,      // it is sound, but not the one of which the index tells
    TAUD_VERDICT_UNREADABLE, // the status of the read is in the error
};

// For one thread at a time. The segment and the codec outlive it.
struct taud_verifier {
    struct taud_segment *segment;
    struct taud_codec *codec;
    struct taud_segment_cursor cursor;
    uint32_t block; // of the index, whose summaries these are
    struct taud_chunk_columns columns;
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
};

struct taud_verified_chunk {
    const uint8_t *bytes; // until the next call
    size_t size;
    struct taud_chunk_summary summary; // made of its points; also of one that is another
    uint32_t indexed_count;            // how many points it has by the index
};

// Returns NULL when there is no memory.
struct taud_verifier *taud_verifier_new(struct taud_segment *segment, struct taud_codec *codec);
void taud_verifier_free(struct taud_verifier *verifier); // accepts NULL

// Of a damaged or unreadable one only `indexed_count` is told.
enum taud_chunk_verdict taud_verify_chunk(struct taud_verifier *verifier, uint64_t identity,
                                          uint32_t chunk, struct taud_verified_chunk *ret,
                                          struct taud_error *error);

#endif
