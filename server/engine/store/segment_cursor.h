// SPDX-License-Identifier: MIT
// Reads the chunks of a segment in their order, in large pieces and past the cache: for whoever
// goes through all of it once, as a merge or a check does, and must not drive out what others read.
#ifndef TAUD_ENGINE_STORE_SEGMENT_CURSOR_H
#define TAUD_ENGINE_STORE_SEGMENT_CURSOR_H

#include "segment.h"

enum { TAUD_SEGMENT_CURSOR_BYTES = 256 << 10 }; // of memory

// For one thread at a time. It holds a reference to the segment.
struct taud_segment_cursor {
    struct taud_segment *segment;
    uint8_t *buffer;
    uint64_t offset; // of what is in the buffer
    size_t size;
};

// Returns false when there is no memory; the cursor then needs no done.
bool taud_segment_cursor_init(struct taud_segment_cursor *cursor, struct taud_segment *segment);
void taud_segment_cursor_done(struct taud_segment_cursor *cursor);

// Reads a chunk of a series and checks it. Any chunk may be asked for; those that follow the last
// one cost least. The bytes stay until the next call. Returns SUCCESS, INTERNAL_ERROR; *ret_damaged
// then says whether this chunk is damaged.
enum tau_status taud_segment_cursor_read(struct taud_segment_cursor *cursor, uint64_t identity,
                                         uint32_t chunk, const uint8_t **ret_chunk,
                                         size_t *ret_size, bool *ret_damaged,
                                         struct taud_error *error);

#endif
